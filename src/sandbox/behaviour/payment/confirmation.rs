//! Confirmation tokens: how somebody wants to pay, gathered on a page and used once by whoever confirms.

use crate::sandbox::behaviour::document::{copy, fill, new, text};
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::call::Call;
use crate::sandbox::engine::confirmation::ConfirmationTokenPart;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The parameter that names one.
pub const NAME: &str = "confirmation_token";

/// How long one can be used, in seconds. Believed: twelve hours.
pub const LASTS_S: i64 = 12 * 60 * 60;

/// What a payment method has and its preview has not.
const UNSEEN: [&str; 8] = [
    "created",
    "custom",
    "id",
    "livemode",
    "metadata",
    "object",
    "radar_options",
    "shared_payment_granted_token",
];

/// What a call takes from its token, where it does not say it itself.
const TAKEN: [&str; 5] =
    ["mandate_data", "return_url", "setup_future_usage", "shipping", "use_stripe_sdk"];

/// Makes one of what a call names or describes.
pub fn gather(txn: &mut Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    method::ensure_one(call)?;
    let Some(method) = method::chosen(txn, call)? else {
        // Believed: the words.
        let text = "You must provide one of `payment_method` or `payment_method_data`.";
        return Err(Failure::invalid(text).code("parameter_missing").param("payment_method"));
    };
    txn.edit("payment_method", &method, |doc| {
        let said = call.hash("payment_method_data");
        if let Some(shown) = said.and_then(|it| it.get("allow_redisplay")) {
            doc.insert("allow_redisplay".to_owned(), shown.clone());
        }
    });
    let found = txn.find("payment_method", &method, "payment_method")?;
    let mut preview = found.as_object().cloned().unwrap_or_default();
    preview.retain(|name, _| !UNSEEN.contains(&name.as_str()));
    let now = txn.now().0;
    // Believed: that it is always for Stripe's own SDK.
    let mut doc = new(
        NAME,
        json!({
            "id": txn.new_id("ctoken_1", 23), "created": now, "expires_at": now + LASTS_S,
            "payment_method_preview": preview, "use_stripe_sdk": true,
        }),
    );
    copy(&mut doc, call, &["return_url", "setup_future_usage", "shipping"]);
    if let Some(options) = call.get("payment_method_options") {
        doc.insert("payment_method_options".to_owned(), options.clone());
    }
    fill(&mut doc, NAME, &["payment_method_options", "shipping"]);
    Ok(txn.put_with(doc, ConfirmationTokenPart { method }))
}

/// A call as its token completes it: what the call says itself counts. `None` where it names no token.
///
/// Fails for a token that there is not, was used, or is too old.
pub fn applied(txn: &Txn<'_>, call: &Call) -> Result<Option<Call>, Failure> {
    let Some(id) = call.text(NAME) else { return Ok(None) };
    let token = txn.find(NAME, id, NAME)?;
    ensure_fresh(txn, &token)?;
    let mut whole = call.clone();
    let sent = |name: &&&str| !call.sent(name);
    for name in TAKEN.iter().filter(sent) {
        if let Some(value) = token.get(*name).filter(|value| !value.is_null()) {
            whole.params.insert((*name).to_owned(), value.clone());
        }
    }
    if !call.sent("payment_method") && !call.sent("payment_method_data") {
        let method = token.part::<ConfirmationTokenPart>().method.clone();
        whole.params.insert("payment_method".to_owned(), json!(method));
    }
    if let Some(plan) = token.pointer("/payment_method_options/card/installments/plan") {
        let said = Map::from_iter([("installments".to_owned(), json!({ "plan": plan }))]);
        let options = whole.params.entry("payment_method_options").or_insert_with(|| json!({}));
        if let Value::Object(options) = options {
            options.entry("card").or_insert(Value::Object(said));
        }
    }
    whole.params.remove(NAME);
    Ok(Some(whole))
}

/// Believed: that one is used once, and the words of both.
fn ensure_fresh(txn: &Txn<'_>, token: &Object) -> Result<(), Failure> {
    let used = ["payment_intent", "setup_intent"].iter().any(|name| !text(token, name).is_empty());
    let over = token.get("expires_at").and_then(Value::as_i64).is_some_and(|at| at <= txn.now().0);
    let why = match (used, over) {
        (true, _) => "has already been used",
        (false, true) => "has expired",
        (false, false) => return Ok(()),
    };
    let message = format!(
        "The ConfirmationToken '{}' {why}. Create a new ConfirmationToken and try again.",
        text(token, "id")
    );
    Err(Failure::invalid(message).param(NAME))
}

/// Notes what a token was used for; nothing where a call named none.
pub fn spend(txn: &mut Txn<'_>, token: Option<&str>, (kind, id): (&str, &str)) {
    let Some(token) = token else { return };
    txn.edit(NAME, token, |doc| {
        doc.insert(kind.to_owned(), json!(id));
        // Believed: what was used expires no more.
        doc.insert("expires_at".to_owned(), Value::Null);
    });
}
