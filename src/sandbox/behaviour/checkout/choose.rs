//! What the buyer changes of a session before they pay: quantities, optional items, shipping, a promotion code, and
//! where they are.

use crate::sandbox::behaviour::checkout::{SESSION, discount, sums};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::offer::{Offer, Purchase};
use crate::sandbox::behaviour::shipping;
use crate::sandbox::behaviour::tax;
use crate::sandbox::behaviour::total::amount;
use crate::sandbox::engine::line_look::LineLook;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{PricePart, SessionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// What was chosen. What is not said stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Lines by their ids, and how many; none takes an optional item back.
    pub quantities: Vec<(String, i64)>,
    /// Which shipping option.
    pub shipping: Option<usize>,
    /// A promotion code; empty takes the one that applies away.
    pub code: Option<String>,
    /// The address that taxes follow from.
    pub address: Option<Value>,
}

/// What became of a promotion code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// Nothing was typed, or it applies.
    Fine,
    /// It is no code, or not for this purchase.
    Refused,
}

/// Puts the choices into an open session, and works it out anew.
///
/// Fails where the session is not there.
pub fn choose(
    txn: &mut Txn<'_>,
    id: &str,
    choices: &Choices,
) -> Result<(Arc<Object>, Coded), Failure> {
    let session = txn.find(SESSION, id, "session")?;
    if text(&session, "status") != "open" {
        return Ok((session, Coded::Fine));
    }
    let mut part = session.part::<SessionPart>().into_owned();
    let mut doc = session.as_object().cloned().unwrap_or_default();
    for (line, quantity) in &choices.quantities {
        count(txn, &mut part, line, *quantity, text(&session, "currency"));
    }
    if let Some(at) = choices.shipping {
        let option = doc.get("shipping_options").and_then(|options| options.get(at));
        if let Some(cost) = option.map(shipping::cost) {
            doc.insert("shipping_cost".to_owned(), cost);
        }
    }
    if let Some(address) = choices.address.as_ref().filter(|it| tax::is_location(it)) {
        part.tax_address = Some(address.clone());
    }
    let coded = match choices.code.as_deref() {
        None => Coded::Fine,
        Some("") => {
            discount::take(txn, &mut doc, &mut part);
            Coded::Fine
        }
        Some(code) => enter(txn, code, &mut doc, &mut part),
    };
    sums::work_out(txn, &mut doc, &mut part);
    Ok((txn.put_with(doc, part), coded))
}

/// Applies a code that was typed, where the session takes codes and this one may be used.
fn enter(txn: &mut Txn<'_>, code: &str, doc: &mut Doc, part: &mut SessionPart) -> Coded {
    let takes = doc.get("allow_promotion_codes") == Some(&json!(true));
    let Some(offer) = Offer::typed(txn, code).filter(|_| takes) else { return Coded::Refused };
    let named = |name: &str| doc.get(name).and_then(Value::as_str);
    let purchase = Purchase {
        customer: named("customer"),
        currency: named("currency").unwrap_or_default(),
        subtotal: part.line_items.iter().map(|item| int(item, "amount_subtotal")).sum(),
    };
    if offer.ensure_usable(txn, &purchase, "code").is_err() {
        return Coded::Refused;
    }
    discount::apply(txn, &offer, doc, part);
    Coded::Fine
}

/// Sets how many of a line are bought, within what its quantity may be.
fn count(txn: &Txn<'_>, part: &mut SessionPart, line: &str, quantity: i64, currency: &str) {
    let is_it = |item: &Value| text(item, "id") == line;
    part.line_looks.resize(part.line_items.len(), LineLook::default());
    if let Some(at) = part.optional.iter().position(|(item, _)| is_it(item)) {
        if quantity > 0 {
            let (item, look) = part.optional.remove(at);
            part.line_items.push(item);
            part.line_looks.push(look);
        } else {
            return;
        }
    }
    let Some(at) = part.line_items.iter().position(is_it) else { return };
    let is_optional = part.line_looks.get(at).is_some_and(|look| look.optional);
    if quantity < 1 && (is_optional || may_go(part, at)) {
        let (item, look) = (part.line_items.remove(at), part.line_looks.remove(at));
        // It is offered beside the order from now on.
        part.optional.push((item, look));
        return;
    }
    let Some(item) = part.line_items.get_mut(at) else { return };
    let Some(quantity) = within(item, quantity) else { return };
    let Some(price) = item.get("price").cloned() else { return };
    let options = txn.record::<PricePart>("price", text(&price, "id"));
    let options = options.and_then(|part| part.currency_options.clone());
    let Some(total) = amount::line_total(&price, options.as_ref(), currency, quantity) else {
        return;
    };
    if let Some(item) = item.as_object_mut() {
        item.insert("quantity".to_owned(), json!(quantity));
        item.insert("amount_subtotal".to_owned(), json!(total));
    }
}

/// Whether a line may be bought none of: its quantity goes down to none, and something else stays.
fn may_go(part: &SessionPart, at: usize) -> bool {
    let range = part.line_items.get(at).and_then(|item| item.get("adjustable_quantity"));
    part.line_items.len() > 1
        && range.is_some_and(|range| range["enabled"] == true && int(range, "minimum") < 1)
}

/// The quantity that is nearest to the one asked for; `None` where it cannot be changed.
fn within(item: &Value, quantity: i64) -> Option<i64> {
    let range = item.get("adjustable_quantity").filter(|range| range["enabled"] == true)?;
    let least = int(range, "minimum").max(1);
    Some(quantity.clamp(least, int(range, "maximum").max(least)))
}
