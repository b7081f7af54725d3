//! Transfer reversals: money that was transferred comes back, and is refunded where it was received.

use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::balance::{self, Movement, available_with};
use crate::sandbox::behaviour::connect::part::{Part, PartError};
use crate::sandbox::behaviour::connect::{currency_of, fee, scope_of, shown_within, transfer};
use crate::sandbox::behaviour::document::{Handler, int, merge_metadata, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/transfers/{transfer}/reversals`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/transfers/{id}/reversals" => create,
        "GET /v1/transfers/{id}/reversals" => list_all,
        "GET /v1/transfers/{transfer}/reversals/{id}" => {
            |txn, call| found(txn, call).map(Body::from)
        }
        "POST /v1/transfers/{transfer}/reversals/{id}" => update,
        _ => return None,
    })
}

/// What of a transfer was reversed.
pub fn part_of(transfer: &Value) -> Part {
    Part { whole: int(transfer, "amount"), taken: int(transfer, "amount_reversed") }
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let transfer = txn.find("transfer", call.id(0), "id")?;
    let id = text(&transfer, "id").to_owned();
    let part = part_of(&transfer);
    let amount = part.take(call.int("amount")).map_err(|refusal| match refusal {
        PartError::Gone => {
            Failure::invalid(format!("The transfer {id} is already fully reversed."))
        }
        PartError::TooLittle => Failure::below_one("amount"),
        // Believed: nobody recorded it.
        PartError::TooMuch => Failure::invalid(format!(
            "Transfer reversal amount ({}) is greater than unreversed amount on transfer ({})",
            transfer::money(&transfer, call.int("amount").unwrap_or(0)),
            transfer::money(&transfer, part.left())
        ))
        .param("amount"),
    })?;
    let mut metadata = Doc::new();
    merge_metadata(&mut metadata, &call.params);
    let metadata = metadata.remove("metadata").unwrap_or_else(|| json!({}));
    if call.flag("refund_application_fee") == Some(true) {
        fee::refund_share(txn, &transfer, part, amount);
    }
    Ok(make(txn, &transfer, amount, None, &metadata).into())
}

/// Reverses so much of a transfer, books it in both accounts and tells of it.
pub fn make(
    txn: &mut Txn<'_>,
    transfer: &Object,
    amount: i64,
    refund: Option<&str>,
    metadata: &Value,
) -> Arc<Object> {
    let id = txn.new_id("trr_1", 23);
    let transfer_id = text(transfer, "id").to_owned();
    let currency = currency_of(transfer);
    let charge = txn.get("charge", text(transfer, "source_transaction"));
    let at = charge.map_or_else(|| txn.now(), |charge| available_with(txn, &charge));
    let booked = balance::post(
        txn,
        &Movement {
            kind: "transfer_refund",
            category: "transfer_reversal",
            source: &transfer_id,
            gross: Money::new(amount, currency),
            fee: 0,
            available_on: at,
            description: Some("REFUND FOR TRANSFER"),
        },
    );
    let receiver = scope_of(txn, text(transfer, "destination"));
    let payment = text(transfer, "destination_payment").to_owned();
    let returned = txn.in_account(&receiver, |txn| {
        give_back(txn, &payment, Money::new(amount, currency), &id, at)
    });
    let reversal = txn.put(new(
        "transfer_reversal",
        json!({
            "id": id, "amount": amount, "balance_transaction": booked, "created": txn.now().0,
            "currency": currency.code(), "destination_payment_refund": returned,
            "metadata": metadata, "source_refund": refund, "transfer": transfer_id,
        }),
    ));
    let changed = txn.edit("transfer", &transfer_id, |doc| {
        let reversed = doc.get("amount_reversed").and_then(Value::as_i64).unwrap_or(0) + amount;
        let whole = doc.get("amount").and_then(Value::as_i64).unwrap_or(0);
        doc.insert("amount_reversed".to_owned(), json!(reversed));
        doc.insert("reversed".to_owned(), json!(reversed >= whole));
    });
    refresh(txn, &transfer_id);
    if let (Some((before, _)), Some(after)) = (changed, txn.get("transfer", &transfer_id)) {
        txn.emit_change("transfer.reversed", &before, &after);
    }
    reversal
}

/// Brings the list of reversals that a transfer shows up to date.
fn refresh(txn: &mut Txn<'_>, transfer: &str) {
    let list = shown_within(
        &txn.having("transfer_reversal", "transfer", transfer),
        &transfer::reversals_url(transfer),
    );
    txn.edit("transfer", transfer, |doc| {
        doc.insert("reversals".to_owned(), list);
    });
}

/// Refunds the payment that a transfer had become: the refund's id.
fn give_back(
    txn: &mut Txn<'_>,
    payment: &str,
    amount: Money,
    reversal: &str,
    at: Timestamp,
) -> String {
    let id = txn.new_id("pyr_1", 23);
    let booked = balance::post(
        txn,
        &Movement {
            kind: "payment_refund",
            category: "refund",
            source: &id,
            gross: Money::new(-amount.minor, amount.currency),
            fee: 0,
            available_on: at,
            description: Some("REFUND FOR PAYMENT"),
        },
    );
    let refund = txn.put(new(
        "refund",
        json!({
            "id": id, "amount": amount.minor, "balance_transaction": booked, "charge": payment,
            "created": txn.now().0, "currency": amount.currency.code(), "metadata": {},
            "source_transfer_reversal": reversal, "status": "succeeded",
            "transfer_reversal": reversal,
        }),
    ));
    txn.emit("refund.created", &refund);
    let changed = txn.edit("charge", payment, |doc| {
        let of = |doc: &Doc, name: &str| doc.get(name).and_then(Value::as_i64).unwrap_or(0);
        let refunded = of(doc, "amount_refunded") + amount.minor;
        doc.insert("refunded".to_owned(), json!(refunded >= of(doc, "amount")));
        doc.insert("amount_refunded".to_owned(), json!(refunded));
    });
    if let Some((before, after)) = changed {
        txn.emit_change("charge.refunded", &before, &after);
    }
    id
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let transfer = txn.find("transfer", call.id(0), "id")?;
    let within = Filter::Is("transfer", text(&transfer, "id").to_owned());
    list::page(txn, call, "transfer_reversal", &[within])
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let transfer = txn.find("transfer", call.id(0), "id")?;
    let found = txn.find("transfer_reversal", call.id(1), "id");
    let found = found.ok().filter(|it| text(it, "transfer") == text(&transfer, "id"));
    // The noun is believed.
    found.ok_or_else(|| Failure::missing("transfer reversal", call.id(1), "id"))
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let reversal = found(txn, call)?;
    let changed = txn.edit("transfer_reversal", text(&reversal, "id"), |doc| {
        merge_metadata(doc, &call.params);
    });
    let before = txn.get("transfer", text(&reversal, "transfer"));
    refresh(txn, text(&reversal, "transfer"));
    let after = txn.get("transfer", text(&reversal, "transfer"));
    if let (Some(before), Some(after)) = (before, after) {
        txn.emit_change("transfer.updated", &before, &after);
    }
    Ok(changed.map_or(reversal, |(_, after)| after).into())
}
