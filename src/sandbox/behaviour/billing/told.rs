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
            // It stays after it was paid, as recorded; that it goes with a void invoice is believed.
            let is_asked = text(doc, "status") != "void";
            let pi = part.intent.filter(|_| is_asked);
            let pi = pi.and_then(|pi| txn.get("payment_intent", &pi));
            Some(pi.map_or(
                Value::Null,
                |pi| json!({"client_secret": pi.get("client_secret"), "type": "payment_intent"}),
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::behaviour::billing::tests::Shop;

    #[test]
    fn an_invoice_tells_the_secret_of_its_payment_until_it_is_void() {
        for (card, more, status, told) in [
            ("pm_card_visa", json!({}), "paid", true),
            ("pm_card_authenticationRequired", json!({}), "open", true),
            ("pm_card_visa", json!({"trial_period_days": 3}), "paid", false),
        ] {
            let mut shop = Shop::new(card);
            let made = shop.subscribe(more);
            let invoice = shop.lab.get("invoice", text(&made, "latest_invoice"));
            assert_eq!(invoice["status"], status);
            let secret = |shop: &Shop, invoice: &Value| {
                shop.lab.look(|txn| include(txn, invoice, "confirmation_secret")).unwrap()
            };
            let shown = secret(&shop, &invoice);
            assert_eq!(shown["type"] == "payment_intent", told, "{status}: {shown}");
            if status == "open" {
                let path = format!("POST /v1/invoices/{}/void", text(&invoice, "id"));
                let void = shop.lab.ok(&path, json!({}));
                assert_eq!(secret(&shop, &void), Value::Null);
            }
        }
    }
}
