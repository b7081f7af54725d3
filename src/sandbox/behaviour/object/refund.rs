//! Refunds, as the API makes and shows them.

use crate::sandbox::behaviour::connect::split::Back;
use crate::sandbox::behaviour::document::{Handler, merge_metadata, text};
use crate::sandbox::behaviour::payment::refund::{self, RefundSpec};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};

/// The behaviour of `/v1/refunds`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/refunds" => create,
        "GET /v1/refunds/{refund}" => retrieve,
        "POST /v1/refunds/{refund}" => update,
        "POST /v1/refunds/{refund}/cancel" => cancel,
        "POST /v1/test_helpers/refunds/{refund}/expire" => expire,
        "GET /v1/refunds" => list_all,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    const NOT_YET: [&str; 3] = ["currency", "customer", "origin"];
    for name in NOT_YET {
        if call.get(name).is_some_and(|value| value != &Value::Bool(false)) {
            let message = format!("`{name}` is not modelled by this sandbox yet.");
            return Err(Failure::of(501, FailureKind::Api, message).param(name));
        }
    }
    let charge = match (call.text("charge"), call.text("payment_intent")) {
        (None, None) => {
            let text = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(Failure::invalid(text));
        }
        (Some(charge), intent) => {
            // An unknown charge is told of as if the path had named it.
            let found = txn.find("charge", charge, "id")?;
            if intent.is_some_and(|intent| text(&found, "payment_intent") != intent) {
                let text = "You may only specify one of these parameters: charge, payment_intent.";
                return Err(Failure::invalid(text).param("charge"));
            }
            charge.to_owned()
        }
        (None, Some(intent)) => charge_of(txn, intent)?,
    };
    let mut metadata = Doc::new();
    if let Some(sent) = call.hash("metadata") {
        metadata.clone_from(sent);
        metadata.retain(|_, value| !value.is_null());
    }
    let spec = RefundSpec {
        charge,
        amount: call.int("amount"),
        reason: call.owned("reason"),
        instructions_email: call.owned("instructions_email"),
        metadata,
        back: Back {
            transfer: call.flag("reverse_transfer") == Some(true),
            fee: call.flag("refund_application_fee") == Some(true),
        },
    };
    refund::create(txn, &spec).map(Body::from)
}

fn charge_of(txn: &Txn<'_>, intent: &str) -> Result<String, Failure> {
    let found = txn.find("payment_intent", intent, "payment_intent")?;
    let charge = text(&found, "latest_charge");
    if charge.is_empty() {
        return Err(refund::no_charge(intent));
    }
    Ok(charge.to_owned())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("refund", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("refund", call.id(0), "id")?;
    let Some((before, after)) =
        txn.edit("refund", call.id(0), |doc| merge_metadata(doc, &call.params))
    else {
        return Err(Failure::missing("refund", call.id(0), "id"));
    };
    txn.emit_change("refund.updated", &before, &after);
    txn.emit_change("charge.refund.updated", &before, &after);
    Ok(after.into())
}

/// A refund whose customer never said where it goes.
fn expire(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    end_open(txn, call.id(0), "expire", "failed")
}

fn cancel(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("refund", call.id(0), "id")?;
    if text(&found, "status") != "requires_action" {
        return Err(Failure::invalid("Canceling this refund is unsupported."));
    }
    end_open(txn, call.id(0), "cancel", "canceled")
}

fn end_open(txn: &mut Txn<'_>, id: &str, verb: &str, ends: &str) -> Result<Body, Failure> {
    let found = txn.find("refund", id, "id")?;
    let status = text(&found, "status");
    if status != "requires_action" {
        let message = format!(
            "You cannot {verb} this refund because it has a status of {status}. Only a refund with a status of requires_action allows that."
        );
        return Err(Failure::invalid(message));
    }
    refund::end(txn, id, ends).map(Body::from).ok_or_else(|| Failure::missing("refund", id, "id"))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let filters = list::same(call, &["charge", "payment_intent"]);
    let mut page = list::page(txn, call, "refund", &filters)?.into_document();
    let count = page.get("data").and_then(Value::as_array).map_or(0, Vec::len);
    if let Value::Object(page) = &mut page {
        page.insert("count".to_owned(), json!(count));
    }
    Ok(page.into())
}
