//! Issuing: what is taken from an issued card, and who takes it.
//!
//! Believed, not proven: the merchant of a call that names none, and the codes of categories (ISO 18245). The balance
//! that issued cards are paid from is not modelled: a transaction has no balance transaction.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::document::{fit, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The kind of a transaction.
pub const TRANSACTION: &str = "issuing.transaction";

/// Categories of merchants that have a code here; others are not modelled.
const CODES: [(&str, &str); 12] = [
    ("ac_refrigeration_repair", "7623"),
    ("book_stores", "5942"),
    ("computer_software_stores", "5734"),
    ("drug_stores_and_pharmacies", "5912"),
    ("eating_places_restaurants", "5812"),
    ("fast_food_restaurants", "5814"),
    ("grocery_stores_supermarkets", "5411"),
    ("hotels_motels_and_resorts", "7011"),
    ("miscellaneous_specialty_retail", "5999"),
    ("service_stations", "5541"),
    ("taxicabs_limousines", "4121"),
    ("wires_money_orders", "4829"),
];

/// A transaction that is to be made. Amounts are positive, whichever way the money goes.
#[derive(Debug)]
pub struct Taken<'t> {
    /// The issued card.
    pub card: &'t Object,
    /// How much.
    pub amount: i64,
    /// `capture` or `refund`.
    pub kind: &'static str,
    /// The authorization that it follows, where there is one.
    pub authorization: Option<&'t str>,
    /// With whom.
    pub merchant: Value,
    /// What was bought, where that was sent.
    pub details: Value,
}

/// What a path names and is not there is not found.
pub fn in_path<T>(found: Result<T, Failure>) -> Result<T, Failure> {
    found.map_err(|failure| Failure { status: 404, ..failure })
}

/// A positive amount that must be sent.
pub fn positive(call: &Call, name: &str) -> Result<i64, Failure> {
    call.int(name).filter(|amount| *amount > 0).ok_or_else(|| Failure::below_one(name))
}

/// Refuses a currency that is not the card's.
pub fn ensure_currency(call: &Call, name: &str, card: &Value) -> Result<(), Failure> {
    let own = text(card, "currency");
    match call.text(name).filter(|sent| *sent != own) {
        None => Ok(()),
        Some(sent) => {
            let message = format!("The currency of this card is `{own}`, and not `{sent}`.");
            Err(Failure::invalid(message).param(name))
        }
    }
}

/// Who sells, as a call says it.
pub fn merchant(call: &Call) -> Result<Value, Failure> {
    let mut doc: Doc = json!({
        "category": "miscellaneous_specialty_retail", "city": "San Francisco", "country": "US",
        "name": "Test Merchant", "network_id": "1234567890", "postal_code": "94111", "state": "CA",
    })
    .as_object()
    .cloned()
    .unwrap_or_default();
    doc.extend(call.hash("merchant_data").cloned().unwrap_or_default());
    let category = doc.get("category").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some((_, code)) = CODES.iter().find(|(name, _)| *name == category) else {
        let message = format!("`{category}` is no category of merchants that this sandbox models.");
        let failure = Failure::of(501, FailureKind::Api, message);
        return Err(failure.param("merchant_data[category]"));
    };
    doc.insert("category_code".to_owned(), json!(code));
    Ok(fit(Some(&Value::Object(doc)), TRANSACTION, &["merchant_data"]))
}

/// What was bought, as a call says it; null where it does not.
pub fn details(call: &Call) -> Value {
    let Some(sent) = call.hash("purchase_details") else { return Value::Null };
    let mut sent = sent.clone();
    for item in sent.get_mut("receipt").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(item) = item.as_object_mut() else { continue };
        fill_item(item);
    }
    fit(Some(&Value::Object(sent)), TRANSACTION, &["purchase_details"])
}

/// An item of a receipt: its quantity is sent as text and shown as a number.
fn fill_item(item: &mut Map<String, Value>) {
    let number = |sent: &Value| match sent {
        Value::String(text) => text.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        other => other.clone(),
    };
    let quantity = item.get("quantity").map_or(Value::Null, number);
    item.insert("quantity".to_owned(), quantity);
    for name in ["description", "total", "unit_cost"] {
        item.entry(name).or_insert(Value::Null);
    }
}

/// Makes a transaction and tells of it.
pub fn make(txn: &mut Txn<'_>, taken: &Taken<'_>) -> Result<Arc<Object>, Failure> {
    let id = txn.new_id("ipi_1", 23);
    let signed = if taken.kind == "capture" { -taken.amount } else { taken.amount };
    let currency = text(taken.card, "currency");
    let cardholder = taken.card.get("cardholder").map(|it| text(it, "id"));
    let has_receipt =
        taken.details.get("receipt").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    let doc = new(
        TRANSACTION,
        json!({
            "id": id, "amount": signed, "authorization": taken.authorization,
            "card": text(taken.card, "id"), "cardholder": cardholder, "created": txn.now().0,
            "currency": currency, "livemode": false, "merchant_amount": signed,
            "merchant_currency": currency, "merchant_data": taken.merchant, "metadata": {},
            "purchase_details": taken.details, "type": taken.kind,
        }),
    );
    if let Some(first) = Catalog::get().check(&Value::Object(doc.clone())).first() {
        let message = format!("This combination of parameters is not modelled yet: {first}.");
        return Err(Failure::of(501, FailureKind::Api, message));
    }
    let made = txn.put(doc);
    txn.emit("issuing_transaction.created", &made);
    if has_receipt {
        txn.emit("issuing_transaction.purchase_details_receipt_updated", &made);
    }
    Ok(made)
}
