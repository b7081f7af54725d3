//! Top-ups: money that the merchant adds to the balance.
//!
//! Believed, not proven: how long one takes, and that its money is available when it has arrived.

use crate::domain::money::Money;
use crate::sandbox::behaviour::balance::{self, Movement};
use crate::sandbox::behaviour::document::{Handler, copy, int, merge_metadata, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::step;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::Job;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The job that ends a top-up.
const ARRIVE_JOB: &str = "topup.arrive";
/// Seconds until the money is there.
const TRANSFER: i64 = 86_400;
/// The token of a bank account that does not exist.
const REFUSED: &str = "btok_us_verified_noAccount";

/// The behaviour of `/v1/topups`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/topups" => create,
        "GET /v1/topups/{topup}" => |txn, call| txn.find("topup", call.id(0), "id").map(Body::from),
        "POST /v1/topups/{topup}" => update,
        "POST /v1/topups/{topup}/cancel" => cancel,
        "GET /v1/topups" => list_all,
        _ => return None,
    })
}

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    (name == ARRIVE_JOB).then_some(on_arrive)
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled("", &["payment_method", "payment_method_options"])?;
    let amount = call.int("amount").unwrap_or(0);
    if amount < 1 {
        return Err(Failure::below_one("amount"));
    }
    let currency = step::known_currency(call.text("currency").unwrap_or_default())?;
    let id = txn.new_id("tu_1", 23);
    let due = txn.now().plus(TRANSFER);
    let mut doc = new(
        "topup",
        json!({
            "id": id, "amount": amount, "created": txn.now().0, "currency": currency.code(),
            "expected_availability_date": due.0, "initiated_by": "user", "status": "pending",
        }),
    );
    copy(&mut doc, call, &["description", "statement_descriptor", "transfer_group"]);
    merge_metadata(&mut doc, &call.params);
    let made = txn.put(doc);
    txn.emit("topup.created", &made);
    let refused = call.text("source") == Some(REFUSED);
    txn.schedule(due, ARRIVE_JOB, &json!({"topup": id, "ok": !refused}));
    Ok(made.into())
}

fn on_arrive(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "topup");
    let Some(topup) = txn.get("topup", id).filter(|it| text(it, "status") == "pending") else {
        return;
    };
    let ok = args.get("ok") == Some(&json!(true));
    let booked = ok.then(|| book(txn, &topup)).flatten();
    let changed = txn.edit("topup", id, |doc| {
        let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
        set("status", json!(if ok { "succeeded" } else { "failed" }));
        set("balance_transaction", json!(booked));
        if !ok {
            set("failure_code", json!("no_account"));
            set("failure_message", json!("The bank account could not be located."));
        }
    });
    if let Some((_, after)) = changed {
        txn.emit(if ok { "topup.succeeded" } else { "topup.failed" }, &after);
    }
}

fn book(txn: &mut Txn<'_>, topup: &Value) -> Option<String> {
    let currency = text(topup, "currency").parse().ok()?;
    let movement = Movement {
        kind: "topup",
        category: "topup",
        source: text(topup, "id"),
        gross: Money::new(int(topup, "amount"), currency),
        fee: 0,
        available_on: txn.now(),
        description: topup.get("description").and_then(Value::as_str),
    };
    Some(balance::post(txn, &movement))
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("topup", call.id(0), "id")?;
    let changed = txn.edit("topup", call.id(0), |doc| {
        copy(doc, call, &["description"]);
        merge_metadata(doc, &call.params);
    });
    changed
        .map(|(_, after)| after.into())
        .ok_or_else(|| Failure::missing("topup", call.id(0), "id"))
}

fn cancel(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("topup", call.id(0), "id")?;
    let status = text(&found, "status");
    if status != "pending" {
        let message = format!(
            "Only a top-up with a status of pending can be canceled; this one has a status of {status}."
        );
        return Err(Failure::invalid(message));
    }
    let changed = txn.edit("topup", call.id(0), |doc| {
        doc.insert("status".to_owned(), json!("canceled"));
    });
    let Some((_, after)) = changed else {
        return Err(Failure::missing("topup", call.id(0), "id"));
    };
    txn.emit("topup.canceled", &after);
    Ok(after.into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["status"]);
    filters.extend(list::within(call, "amount"));
    list::page(txn, call, "topup", &filters)
}
