//! A payout from when it is made to when it is paid, comes back or is taken back.
//!
//! Believed, not proven: how long each part of the way takes. Recorded: a payout is `pending` when it is made, one that
//! is made by hand is to arrive at the midnight with which that day began, an instant one now.

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::sandbox::behaviour::balance::{self, Movement};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payout::bank;
use crate::sandbox::behaviour::payout::machine::{Status, Step};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that takes a payout one step further.
pub const STEP_JOB: &str = "payout.step";

/// The job after which the transactions of an automatic payout are known.
pub const RECONCILE_JOB: &str = "payout.reconcile";

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Seconds until an instant payout has arrived.
const INSTANT: i64 = 30 * 60;
/// The most that is paid out at once, in American cents, as recorded.
const INSTANT_MAX: i64 = 999_900;

/// What is to be paid out.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How much.
    pub amount: Money,
    /// The bank account.
    pub bank: Arc<Object>,
    /// Made by the schedule.
    pub automatic: bool,
    /// `method` is `instant`.
    pub instant: bool,
    /// Members that the merchant may set: `description`, `metadata`, `statement_descriptor`.
    pub said: Doc,
}

/// Fails for what cannot be paid out: more at once than is possible, or more than is there.
pub fn check(txn: &mut Txn<'_>, terms: &Terms) -> Result<(), Failure> {
    let amount = terms.amount;
    if terms.instant && amount.currency.code() == "usd" && amount.minor > INSTANT_MAX {
        return Err(Failure::invalid(
            "Instant Payouts to bank accounts are only supported for amounts less than or equal to $9999",
        ));
    }
    if amount.minor > balance::available(txn, amount.currency.code()) {
        return Err(Failure::invalid(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.  You can use the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).",
        )
        .code("balance_insufficient"));
    }
    Ok(())
}

/// Makes a payout and tells of it: its money leaves the balance at once.
pub fn make(txn: &mut Txn<'_>, terms: Terms) -> Arc<Object> {
    let id = txn.new_id("po_1", 23);
    let (now, today) = (txn.now(), balance::midnight(txn.now()));
    let arrival = match (terms.instant, terms.automatic) {
        (true, _) => now,
        (_, true) => today.plus(DAY),
        _ => today,
    };
    let (automatic, amount) = (terms.automatic, terms.amount);
    let mut doc = new(
        "payout",
        json!({
            "id": id, "amount": amount.minor, "arrival_date": arrival.0,
            "automatic": automatic, "created": now.0, "currency": amount.currency.code(),
            "description": if automatic { json!("STRIPE PAYOUT") } else { Value::Null },
            "destination": terms.bank.get("id"), "livemode": false,
            "method": if terms.instant { "instant" } else { "standard" },
            "reconciliation_status": if automatic { "in_progress" } else { "not_applicable" },
            "source_type": "card", "status": Status::Pending.name(),
            "trace_id": {"status": "pending", "value": null}, "type": "bank_account",
        }),
    );
    doc.extend(terms.said);
    let description = doc.get("description").and_then(Value::as_str).map(str::to_owned);
    let gross = Money::new(-amount.minor, amount.currency);
    let booked = book(txn, &id, ("payout", "payout"), gross, description.as_deref());
    doc.insert("balance_transaction".to_owned(), json!(booked));
    let payout = txn.put(doc);
    txn.emit("payout.created", &payout);
    plan(txn, &payout, &terms.bank);
    payout
}

/// Plans what the bank does with it.
fn plan(txn: &mut Txn<'_>, payout: &Value, bank: &Value) {
    let now = txn.now();
    let (sent, ends) = if text(payout, "method") == "instant" {
        (now, now.plus(INSTANT))
    } else {
        (now.plus(HOUR), balance::midnight(now).plus(DAY).max(now.plus(2 * HOUR)))
    };
    let last = if bank::refusal(bank).is_some() { Step::Bounce } else { Step::Arrive };
    for (due, step) in [(sent, Step::Send), (ends, last)] {
        let args = json!({"payout": text(payout, "id"), "step": step.name()});
        txn.schedule(due, STEP_JOB, &args);
    }
}

fn book(
    txn: &mut Txn<'_>,
    payout: &str,
    (kind, category): (&'static str, &'static str),
    gross: Money,
    description: Option<&str>,
) -> String {
    let available_on = txn.now();
    let source = payout;
    let movement = Movement { kind, category, source, gross, fee: 0, available_on, description };
    balance::post(txn, &movement)
}

/// The job behind [`STEP_JOB`].
pub fn on_step(txn: &mut Txn<'_>, args: &Value) {
    if let Some(step) = Step::read(text(args, "step")) {
        go(txn, text(args, "payout"), step);
    }
}

/// Why a payout fails whose bank account refuses nothing.
const BY_HAND: (&str, &str) = ("could_not_process", "The bank could not process this payout.");

/// Takes a payout one step further and tells of it; `None` where it cannot go there.
pub fn go(txn: &mut Txn<'_>, id: &str, step: Step) -> Option<Arc<Object>> {
    let before = txn.get("payout", id)?;
    let next = Status::read(text(&before, "status"))?.after(step)?;
    let back = next.came_back().then(|| give_back(txn, &before, next));
    let bank = txn.get("bank_account", text(&before, "destination"));
    let refusal = bank.as_deref().and_then(|bank| bank::refusal(bank));
    let trace = (next == Status::Paid).then(|| txn.new_id("", 12));
    let (before, after) = txn.edit("payout", id, |doc| {
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        set("status", json!(next.name()));
        if let Some(back) = back {
            set("failure_balance_transaction", json!(back));
        }
        if next == Status::Failed {
            let (code, message) = refusal.unwrap_or(BY_HAND);
            set("failure_code", json!(code));
            set("failure_message", json!(message));
        }
        if let Some(trace) = trace {
            set("trace_id", json!({"status": "supported", "value": trace}));
        }
    })?;
    match next {
        Status::Paid => txn.emit("payout.paid", &after),
        Status::Failed => {
            txn.emit("payout.failed", &after);
            if refusal.is_some() {
                close_bank(txn, text(&after, "destination"));
            }
        }
        Status::Canceled => txn.emit("payout.canceled", &after),
        Status::Pending | Status::InTransit => txn.emit_change("payout.updated", &before, &after),
    }
    Some(after)
}

/// The money is in the balance again.
fn give_back(txn: &mut Txn<'_>, payout: &Value, status: Status) -> String {
    let currency: Currency = text(payout, "currency").parse().unwrap_or(Currency::JPY);
    let gross = Money::new(int(payout, "amount"), currency);
    let kind = if status == Status::Failed { "payout_failure" } else { "payout_cancel" };
    let what = if status == Status::Failed { "failure" } else { "cancellation" };
    let words = format!("Payout {what} for {}", text(payout, "id"));
    book(txn, text(payout, "id"), (kind, "payout_reversal"), gross, Some(&words))
}

/// A bank account that refused is paid out to no more until it is replaced: `errored`.
fn close_bank(txn: &mut Txn<'_>, id: &str) {
    let changed = txn.edit("bank_account", id, |doc| {
        doc.insert("status".to_owned(), json!("errored"));
    });
    if let Some((before, after)) = changed {
        txn.emit_change("account.external_account.updated", &before, &after);
    }
}

/// Has the transactions of an automatic payout be known a moment later.
pub fn reconcile(txn: &mut Txn<'_>, payout: &str) {
    txn.schedule(txn.now(), RECONCILE_JOB, &json!({"payout": payout}));
}

/// The job behind [`RECONCILE_JOB`].
pub fn on_reconciled(txn: &mut Txn<'_>, args: &Value) {
    let changed = txn.edit("payout", text(args, "payout"), |doc| {
        doc.insert("reconciliation_status".to_owned(), json!("completed"));
    });
    if let Some((_, after)) = changed {
        txn.emit("payout.reconciliation_completed", &after);
    }
}

/// Takes the money of a paid payout back from the bank: a payout of its own, of a negative amount.
///
/// Believed, not proven: that it is paid at once, and how its transaction is named.
pub fn reverse(txn: &mut Txn<'_>, payout: &Object, metadata: &Value) -> Option<Arc<Object>> {
    let id = txn.new_id("po_1", 23);
    let currency: Currency = text(payout, "currency").parse().unwrap_or(Currency::JPY);
    let amount = int(payout, "amount");
    let words = format!("Payout reversal for {}", text(payout, "id"));
    let gross = Money::new(amount, currency);
    let booked = book(txn, &id, ("payout", "payout_reversal"), gross, Some(&words));
    let mut doc = payout.as_object().cloned().unwrap_or_default();
    let fresh = json!({
        "id": id, "amount": -amount, "arrival_date": balance::midnight(txn.now()).0,
        "automatic": false, "balance_transaction": booked, "created": txn.now().0,
        "description": words, "metadata": metadata, "original_payout": payout.get("id"),
        "reconciliation_status": "not_applicable", "status": Status::Paid.name(),
    });
    doc.extend(fresh.as_object().cloned().unwrap_or_default());
    let made = txn.put(doc);
    txn.emit("payout.created", &made);
    let (before, after) = txn.edit("payout", text(payout, "id"), |doc| {
        doc.insert("reversed_by".to_owned(), json!(id));
    })?;
    txn.emit_change("payout.updated", &before, &after);
    txn.emit("payout.paid", &made);
    Some(made)
}
