//! Issuing transactions: what was taken from an issued card, or given back to it.

use crate::sandbox::behaviour::document::{Handler, int, text};
use crate::sandbox::behaviour::issuing::{
    TRANSACTION, Taken, details, ensure_currency, in_path, make, merchant, positive,
};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::Value;

/// The behaviour of what makes issuing transactions.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/test_helpers/issuing/transactions/create_force_capture" => {
            |txn, call| apart(txn, call, "capture")
        }
        "POST /v1/test_helpers/issuing/transactions/create_unlinked_refund" => {
            |txn, call| apart(txn, call, "refund")
        }
        "POST /v1/test_helpers/issuing/transactions/{transaction}/refund" => refund,
        _ => return None,
    })
}

/// One that follows no authorization.
fn apart(txn: &mut Txn<'_>, call: &Call, kind: &'static str) -> Result<Body, Failure> {
    let card = txn.find("issuing.card", call.text("card").unwrap_or_default(), "card")?;
    let amount = positive(call, "amount")?;
    ensure_currency(call, "currency", &card)?;
    let merchant = merchant(call)?;
    let details = details(call);
    let taken = Taken { card: &card, amount, kind, authorization: None, merchant, details };
    make(txn, &taken).map(Body::from)
}

fn refund(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = in_path(txn.find(TRANSACTION, call.id(0), "transaction"))?;
    if text(&known, "type") != "capture" {
        let message = "You can only refund a transaction whose type is `capture`.";
        return Err(Failure::invalid(message));
    }
    let most = -int(&known, "amount");
    let amount = call.int("refund_amount").unwrap_or(most);
    if !(1..=most).contains(&amount) {
        let message = format!("The refund must be between 1 and {most}.");
        return Err(Failure::invalid(message).param("refund_amount"));
    }
    let card = txn.find("issuing.card", text(&known, "card"), "card")?;
    let authorization = known.get("authorization").and_then(Value::as_str);
    let merchant = known.get("merchant_data").cloned().unwrap_or_default();
    let taken = Taken {
        card: &card,
        amount,
        kind: "refund",
        authorization,
        merchant,
        details: Value::Null,
    };
    make(txn, &taken).map(Body::from)
}
