//! Tokens, as the API makes and shows them.

use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::behaviour::saved::{token, wallet};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;

/// The behaviour of `/v1/tokens`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/tokens" => create,
        "GET /v1/tokens/{token}" => retrieve,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of tokens", &["account", "person"])?;
    if let Some(customer) = call.text("customer") {
        return of_customer(txn, call, customer);
    }
    if let Some(card) = call.hash("card") {
        return token::of_card(txn, card).map(Body::from);
    }
    if let Some(account) = call.hash("bank_account") {
        return Ok(token::of_bank_account(txn, account).into());
    }
    for kind in ["pii", "cvc_update"] {
        if call.sent(kind) {
            return Ok(token::of_secret(txn, kind).into());
        }
    }
    let text = "You must supply either a card, customer, PII data, bank account, or account legal entity to create a token.";
    Err(Failure::invalid(text))
}

/// A token of a platform's customer, to be used in a connected account.
fn of_customer(txn: &mut Txn<'_>, call: &Call, customer: &str) -> Result<Body, Failure> {
    let asked = call.owned("card");
    let saved = txn.in_account("", |txn| {
        txn.find("customer", customer, "customer")?;
        wallet::chosen(txn, customer, asked.as_deref())
            .filter(|saved| text(saved, "object") == "card")
            .ok_or_else(|| wallet::not_own(customer, asked.as_deref().unwrap_or_default()))
    })?;
    token::of_saved_card(txn, &saved).map(Body::from)
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    // As with a ready-made payment method, what is shown is a copy.
    if let Some(copy) = token::of_ready_made(txn, call.id(0)) {
        return Ok(copy.into());
    }
    txn.find("token", call.id(0), "id").map(Body::from)
}
