//! A dispute goes from state to state: the money that moves, and what is told of it.

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::sandbox::behaviour::balance::{self, Movement};
use crate::sandbox::behaviour::dispute::machine::{Funds, Status, Step};
use crate::sandbox::behaviour::dispute::open;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job by which the bank decides on evidence.
pub const DECIDE_JOB: &str = "dispute.decide";

/// The job that ends the time for evidence.
pub const DEADLINE_JOB: &str = "dispute.deadline";

/// The status of a stored dispute.
pub fn status(dispute: &Value) -> Option<Status> {
    Status::read(text(dispute, "status"))
}

/// Fails where a dispute is over.
pub fn ensure_open(dispute: &Value) -> Result<(), Failure> {
    if status(dispute).is_some_and(|status| !status.is_closed()) {
        return Ok(());
    }
    Err(Failure::invalid("This dispute is already closed"))
}

/// Fails where a charge is disputed in a way that forbids its refund.
pub fn ensure_refundable(txn: &Txn<'_>, charge: &Value) -> Result<(), Failure> {
    let id = text(charge, "id");
    let forbids =
        |dispute: &Arc<Object>| dispute.get("is_charge_refundable") == Some(&json!(false));
    if charge.get("disputed") == Some(&json!(true))
        && txn.having("dispute", "charge", id).iter().any(forbids)
    {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(Failure::invalid(message).code("charge_disputed"));
    }
    Ok(())
}

/// Takes a dispute one step further; `write` writes down what goes with it. `None` where it cannot go there.
pub fn go(
    txn: &mut Txn<'_>,
    id: &str,
    step: Step,
    write: impl FnOnce(&mut Doc),
) -> Option<Arc<Object>> {
    let before = txn.get("dispute", id)?;
    let (next, funds) = status(&before)?.after(step)?;
    txn.edit("dispute", id, |doc| {
        write(doc);
        doc.insert("status".to_owned(), json!(next.name()));
        doc.insert("is_charge_refundable".to_owned(), json!(next.is_charge_refundable()));
    });
    match funds {
        Funds::Withdrawn => withdraw(txn, id),
        Funds::Reinstated => reinstate(txn, id),
        Funds::Stay => {}
    }
    let after = txn.get("dispute", id)?;
    if next.is_closed() {
        txn.emit("charge.dispute.closed", &after);
    } else {
        txn.emit_change("charge.dispute.updated", &before, &after);
    }
    match funds {
        Funds::Withdrawn => txn.emit("charge.dispute.funds_withdrawn", &after),
        Funds::Reinstated => txn.emit("charge.dispute.funds_reinstated", &after),
        Funds::Stay => {}
    }
    Some(after)
}

/// Has the bank decide, a moment from now.
pub fn decide(txn: &mut Txn<'_>, id: &str, step: Step) {
    let args = json!({"dispute": id, "step": step.name()});
    txn.schedule(txn.now(), DECIDE_JOB, &args);
}

/// The job behind [`DECIDE_JOB`].
pub fn on_decided(txn: &mut Txn<'_>, args: &Value) {
    if let Some(step) = Step::read(text(args, "step")) {
        go(txn, text(args, "dispute"), step, |_| {});
    }
}

/// The job behind [`DEADLINE_JOB`]. Believed, not proven: a chargeback that nobody answered is lost when its
/// time is over; an inquiry goes on for as long as the card networks leave it open.
pub fn on_deadline(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "dispute");
    let Some(dispute) = txn.get("dispute", id) else { return };
    let Some(status) = status(&dispute) else { return };
    let details = dispute.get("evidence_details");
    let was_past_due = details.is_some_and(|it| it.get("past_due") == Some(&json!(true)));
    match status {
        Status::NeedsResponse => drop(go(txn, id, Step::Lapse, past_due)),
        Status::WarningNeedsResponse if !was_past_due => {
            if let Some((before, after)) = txn.edit("dispute", id, past_due) {
                txn.emit_change("charge.dispute.updated", &before, &after);
            }
        }
        Status::WarningNeedsResponse => drop(go(txn, id, Step::Lapse, |_| {})),
        Status::WarningUnderReview => {
            // The first of an inquiry's two jobs came while it was under review already.
            let due = details.map_or(0, |it| int(it, "due_by"));
            if txn.now().0 > due {
                go(txn, id, Step::Lapse, |_| {});
            }
        }
        _ => {}
    }
}

fn past_due(doc: &mut Doc) {
    if let Some(Value::Object(details)) = doc.get_mut("evidence_details") {
        details.insert("past_due".to_owned(), json!(true));
    }
}

/// A refund in full ends an inquiry about the charge (believed).
pub fn refunded(txn: &mut Txn<'_>, charge: &str) {
    for dispute in txn.having("dispute", "charge", charge) {
        if status(&dispute).is_some_and(|status| status.is_inquiry() && !status.is_closed()) {
            go(txn, text(&dispute, "id"), Step::Accept, |_| {});
        }
    }
}

/// Ends a dispute that nobody is asked about.
pub fn lose(txn: &mut Txn<'_>, id: &str) {
    go(txn, id, Step::Accept, |_| {});
}

/// Takes the disputed amount and the fee out of the balance.
pub fn withdraw(txn: &mut Txn<'_>, id: &str) {
    move_funds(txn, id, -1, "dispute", "Chargeback withdrawal for");
}

/// Gives the amount back; the fee is kept, as recorded.
fn reinstate(txn: &mut Txn<'_>, id: &str) {
    move_funds(txn, id, 1, "dispute_reversal", "Chargeback reversal for");
}

fn move_funds(txn: &mut Txn<'_>, id: &str, sign: i64, category: &'static str, words: &str) {
    let Some(dispute) = txn.get("dispute", id) else { return };
    let currency: Currency = text(&dispute, "currency").parse().unwrap_or(Currency::JPY);
    let charge = txn.get("charge", text(&dispute, "charge"));
    let available_on = charge.map_or(txn.now(), |charge| balance::available_with(txn, &charge));
    let movement = Movement {
        kind: "adjustment",
        category,
        source: id,
        gross: Money::new(sign * int(&dispute, "amount"), currency),
        fee: if sign < 0 { open::fee(currency).minor } else { 0 },
        available_on,
        description: Some(&format!("{words} {}", text(&dispute, "charge"))),
    };
    let booked = balance::post(txn, &movement);
    let Some(row) = txn.get("balance_transaction", &booked) else { return };
    txn.edit("dispute", id, |doc| {
        if let Some(Value::Array(rows)) = doc.get_mut("balance_transactions") {
            rows.push(row.document());
        }
        if doc.get("balance_transaction").is_none_or(Value::is_null) {
            doc.insert("balance_transaction".to_owned(), json!(booked));
        }
    });
}
