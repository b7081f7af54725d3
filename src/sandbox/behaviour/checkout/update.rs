//! Changes the few members of a session that may change after it was made.

use crate::domain::money::Money;
use crate::sandbox::behaviour::checkout::{SESSION, inline, not_modelled, sums};
use crate::sandbox::behaviour::document::{int, merge_metadata, text};
use crate::sandbox::behaviour::shipping;
use crate::sandbox::behaviour::total::amount;
use crate::sandbox::call::Call;
use crate::sandbox::call::reference;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Updates a session.
///
/// Fails for what only an open session, or only another kind of page, lets change.
pub fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let session = txn.find(SESSION, call.id(0), "session")?;
    let about_buying =
        ["collected_information", "line_items", "payment_intent_data", "shipping_options"];
    let touched = about_buying.iter().find(|name| call.sent(name));
    if let Some(name) = touched.filter(|_| text(&session, "status") != "open") {
        let text = format!(
            "You can only update `{name}` of a Checkout Session with a status of `open`. This Checkout Session has a status of `{}`.",
            text(&session, "status")
        );
        return Err(Failure::invalid(text).param(*name));
    }
    if call.sent("line_items") {
        if text(&session, "ui_mode") == "hosted_page" {
            let text = "`line_items` can only be updated when `ui_mode` is `elements`.";
            return Err(Failure::invalid(text).param("line_items"));
        }
        return Err(not_modelled("updating `line_items` of an embedded Checkout Session"));
    }
    reference::check(txn, call)?;
    let offered = match call.get("shipping_options") {
        Some(_) => {
            let currency = inline::currency(text(&session, "currency"), "currency")?;
            Some(shipping::resolve(txn, call.list("shipping_options"), currency)?)
        }
        None => None,
    };
    let Some((_, after)) = txn.edit_with(SESSION, call.id(0), |doc, part: &mut SessionPart| {
        if call.sent("metadata") {
            merge_metadata(doc, &call.params);
        }
        if let Some(offered) = &offered {
            doc.insert(
                "shipping_cost".to_owned(),
                offered.first().map_or(Value::Null, shipping::cost),
            );
            doc.insert("shipping_options".to_owned(), json!(offered));
        }
        collect(doc, call);
        merge_intent_data(&mut part.payment_intent_data, call);
    }) else {
        return Ok(session);
    };
    if offered.is_none() {
        return Ok(after);
    }
    let after = sums::refresh(txn, call.id(0))?;
    let currency = inline::currency(text(&after, "currency"), "currency")?;
    amount::chargeable(Money::new(int(&after, "amount_total"), currency))?;
    Ok(after)
}

fn collect(doc: &mut Doc, call: &Call) {
    let sent = call.hash("collected_information").and_then(|c| c.get("shipping_details"));
    let Some(details) = sent.filter(|details| details.is_object()) else { return };
    let address = crate::sandbox::behaviour::cards::address(details.get("address"));
    let shown = json!({
        "business_name": null, "individual_name": null,
        "shipping_details": {"address": address, "name": details.get("name")},
    });
    doc.insert("collected_information".to_owned(), shown);
}

fn merge_intent_data(data: &mut Doc, call: &Call) {
    let Some(sent) = call.hash("payment_intent_data") else { return };
    for (name, value) in sent {
        if name == "metadata" {
            merge_metadata(data, sent);
        } else {
            data.insert(name.clone(), value.clone());
        }
    }
}
