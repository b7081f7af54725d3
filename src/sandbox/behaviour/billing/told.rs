//! What older versions of the API show of an object that today only others know: which intent pays an invoice, which
//! invoice a charge pays, the plan that a price is.

use crate::sandbox::behaviour::billing::{invoice, money, plan};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::private::{InvoicePart, PaymentIntentPart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// An object by its kind and id, as versions ask for it: also plans, and what is told of an object by
/// `kind.member`.
pub fn find(txn: &Txn<'_>, kind: &str, id: &str) -> Option<Value> {
    let of_intent = |id: &str| {
        let part = txn.record::<PaymentIntentPart>("payment_intent", id)?;
        part.invoice.clone().map(Value::from)
    };
    let part = || txn.record::<InvoicePart>(invoice::KIND, id);
    let intent = || txn.get("payment_intent", part()?.intent.as_deref()?);
    match kind {
        "plan" => plan::of(&*txn.get("price", id)?).map(Value::Object),
        "charge.invoice" => of_intent(text(&*txn.get("charge", id)?, "payment_intent")),
        "invoice.charge" => intent()?.get("latest_charge").cloned(),
        "invoice.paid_out_of_band" => Some(json!(part()?.paid_out_of_band)),
        "invoice.payment_intent" => part()?.intent.clone().map(Value::from),
        "payment_intent.invoice" => of_intent(id),
        _ => txn.get(kind, id).map(|found| found.document()),
    }
}

/// The fields that an invoice shows only when they are expanded.
pub fn include(txn: &Txn<'_>, doc: &Value, field: &str) -> Option<Value> {
    let id = text(doc, "id");
    let part = txn.record::<InvoicePart>(invoice::KIND, id).cloned().unwrap_or_default();
    match field {
        "payments" => {
            let mut found = txn.having(money::PAYMENT, "invoice", id);
            found.truncate(10);
            let data: Vec<Value> = found.iter().map(|it| it.document()).collect();
            Some(json!({
                "object": "list", "data": data, "has_more": false, "total_count": data.len(),
                "url": "/v1/invoices/payments",
            }))
        }
        "confirmation_secret" => {
            let open = text(doc, "status") == "open";
            let pi = part.intent.filter(|_| open).and_then(|pi| txn.get("payment_intent", &pi));
            Some(pi.map_or(
                Value::Null,
                |pi| json!({"client_secret": pi.get("client_secret"), "type": "payment_intent"}),
            ))
        }
        _ => None,
    }
}
