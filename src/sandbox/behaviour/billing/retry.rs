//! Dunning: when the payment of an invoice is tried again by itself, and what becomes of its subscription where no
//! attempt succeeds.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::invoice::{self, KIND};
use crate::sandbox::behaviour::billing::lifecycle::Turn;
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::DAY;
use crate::sandbox::behaviour::billing::{held, subscription};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// The job that tries the payment of an invoice again.
pub const RETRY_JOB: &str = "invoice.retry";

/// Refusals after which a card is not charged again until there is another one. The attempt is counted all the same.
const HARD: [&str; 9] = [
    "authentication_required",
    "highest_risk_level",
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "transaction_not_allowed",
];

/// Whether anything is tried by itself: for a subscription's invoice that is collected by charging, but its first.
fn is_retried(invoice: &Value) -> bool {
    invoice::is_automatic(invoice)
        && invoice::subscription_of(invoice).is_some()
        && text(invoice, "billing_reason") != "subscription_create"
}

/// Plans the next attempt after one that failed. Stripe's own spacing is not published; it is the account's.
pub fn plan(txn: &mut Txn<'_>, invoice: &Object) {
    invoice::forget_job(txn, invoice);
    let id = text(invoice, "id");
    let done = invoice.part::<InvoicePart>().retries;
    let wait = usize::try_from(done)
        .ok()
        .and_then(|done| Settings::of(txn).dunning_retries().get(done).copied());
    let is_retried = is_retried(invoice) && !held::is_waited_for(txn, invoice);
    let next = wait.filter(|_| is_retried).map(|days| txn.now().plus(days * DAY));
    let job = next.map(|at| txn.schedule(at, RETRY_JOB, &json!({"invoice": id})));
    txn.edit_part(KIND, id, |part: &mut InvoicePart| {
        part.job = job;
        part.retries = done + 1;
    });
    invoice::edit_closed(txn, id, |doc| {
        doc.insert("next_payment_attempt".to_owned(), json!(next.map(|at: Timestamp| at.0)));
    });
}

/// Where no attempt is left, the subscription ends. The account's setting at Stripe may be otherwise.
pub fn give_up(txn: &mut Txn<'_>, invoice: &Object) {
    let left = !invoice.get("next_payment_attempt").is_none_or(Value::is_null);
    if left || !is_retried(invoice) || held::is_waited_for(txn, invoice) {
        return;
    }
    if let Some(id) = invoice::subscription_of(invoice) {
        subscription::follow(txn, id, text(invoice, "id"), Turn::Ends);
    }
}

/// The job behind [`RETRY_JOB`].
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "invoice");
    let Some(invoice) = txn.get(KIND, id).filter(|it| text(it, "status") == "open") else { return };
    if is_hopeless(txn, &invoice) {
        money::count_without_trying(txn, id);
        return;
    }
    let how = Try { off_session: true, by_itself: true, method: None };
    if let Err(failure) = money::attempt(txn, id, &how) {
        tracing::debug!(message = failure.message, "an invoice is still not paid");
    }
}

/// Whether the last attempt was refused for good, and with the same payment method as would be charged now.
fn is_hopeless(txn: &Txn<'_>, invoice: &Object) -> bool {
    let intent = invoice.part::<InvoicePart>().intent.clone().unwrap_or_default();
    let Some(pi) = txn.get("payment_intent", &intent) else { return false };
    let Some(error) = pi.get("last_payment_error").filter(|it| it.is_object()) else {
        return false;
    };
    let code = text(error, "decline_code");
    let used = error.get("payment_method").map(|it| text(it, "id")).unwrap_or_default();
    HARD.contains(&code) && money::method(txn, invoice).as_deref() == Some(used)
}
