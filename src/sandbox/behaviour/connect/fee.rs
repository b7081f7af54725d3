//! Application fees: what the platform takes of a payment in another account, and gives back of it.

use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::balance::{self, Movement, available_with};
use crate::sandbox::behaviour::connect::part::{Part, PartError};
use crate::sandbox::behaviour::connect::{
    APPLICATION_NAME, application, currency_of, scope_of, shown_within,
};
use crate::sandbox::behaviour::document::{Handler, int, merge_metadata, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/application_fees`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/application_fees" => {
            |txn, call| list::page(txn, call, "application_fee", &list::same(call, &["charge"]))
        }
        "GET /v1/application_fees/{id}" => {
            |txn, call| txn.find("application_fee", call.id(0), "id").map(Body::from)
        }
        "GET /v1/application_fees/{id}/refunds" => list_refunds,
        "POST /v1/application_fees/{id}/refunds" => create_refund,
        "GET /v1/application_fees/{fee}/refunds/{id}" => {
            |txn, call| found(txn, call).map(Body::from)
        }
        "POST /v1/application_fees/{fee}/refunds/{id}" => update_refund,
        _ => return None,
    })
}

/// What is taken of which payment.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// The account that the payment is in.
    pub account: &'a str,
    /// The payment.
    pub charge: &'a str,
    /// The platform's charge that it came from, where it was transferred.
    pub originating: Option<&'a str>,
    /// How much.
    pub amount: Money,
    /// When its funds are there.
    pub available_on: Timestamp,
}

/// Takes a fee: books it with the platform, tells of it and returns its id. The payment's own transaction has it
/// among its fees already.
pub fn take(txn: &mut Txn<'_>, taken: &Taken<'_>) -> String {
    let id = txn.new_id("fee_1", 23);
    let application = application(txn);
    let description = format!(
        "Application fee from application {APPLICATION_NAME} for {} ({})",
        name_of(txn, taken.account),
        taken.account
    );
    txn.in_account("", |txn| {
        let movement = Movement {
            kind: "application_fee",
            category: "platform_earning",
            source: &id,
            gross: taken.amount,
            fee: 0,
            available_on: taken.available_on,
            description: Some(&description),
        };
        let booked = balance::post(txn, &movement);
        let source = json!({"charge": taken.charge, "payout": null, "type": "charge"});
        let fee = txn.put(new(
            "application_fee",
            json!({
                "id": id, "account": taken.account, "amount": taken.amount.minor,
                "amount_refunded": 0, "application": application, "balance_transaction": booked,
                "charge": taken.charge, "created": txn.now().0, "fee_source": source,
                "currency": taken.amount.currency.code(),
                "originating_transaction": taken.originating, "refunded": false,
                "refunds": shown_within(&[], &refunds_url(&id)),
            }),
        ));
        txn.emit("application_fee.created", &fee);
    });
    id
}

fn refunds_url(fee: &str) -> String {
    format!("/v1/application_fees/{fee}/refunds")
}

/// What an account is called, where it says so.
fn name_of(txn: &Txn<'_>, account: &str) -> String {
    let found = txn.at("").get("account", account);
    let profile = found.as_ref().and_then(|it| it.get("business_profile"));
    let name = profile.map_or("", |profile| text(profile, "name"));
    if name.is_empty() { account.to_owned() } else { name.to_owned() }
}

/// What of a fee was refunded.
pub fn part_of(fee: &Value) -> Part {
    Part { whole: int(fee, "amount"), taken: int(fee, "amount_refunded") }
}

/// Refunds the fee that was taken of a transferred payment, in proportion to what is reversed of the transfer.
pub fn refund_share(txn: &mut Txn<'_>, transfer: &Value, reversed: Part, amount: i64) {
    let receiver = scope_of(txn, text(transfer, "destination"));
    let payment = text(transfer, "destination_payment").to_owned();
    let payment = txn.in_account(&receiver, |txn| txn.get("charge", &payment));
    if let Some(payment) = payment {
        refund_of(txn, text(&payment, "application_fee"), reversed, amount);
    }
}

/// Refunds a fee, where it is there, in proportion to `amount` that goes back of `of`.
pub fn refund_of(txn: &mut Txn<'_>, fee: &str, of: Part, amount: i64) {
    let found = txn.in_account("", |txn| txn.get("application_fee", fee));
    let Some(found) = found else { return };
    let share = part_of(&found).share(of, amount);
    if share > 0 {
        txn.in_account("", |txn| refund(txn, &found, share, &json!({})));
    }
}

/// Refunds so much of a fee: books it with the platform and with the account that had paid it, and tells of it.
fn refund(txn: &mut Txn<'_>, fee: &Object, amount: i64, metadata: &Value) -> Arc<Object> {
    let id = txn.new_id("fr_1", 23);
    let fee_id = text(fee, "id").to_owned();
    let currency = currency_of(fee);
    let payer = scope_of(txn, text(fee, "account"));
    let charge = text(fee, "charge").to_owned();
    let at = txn.in_account(&payer, |txn| {
        txn.get("charge", &charge).map_or_else(|| txn.now(), |charge| available_with(txn, &charge))
    });
    let movement = |category: &'static str, amount: i64| Movement {
        kind: "application_fee_refund",
        category,
        source: &fee_id,
        gross: Money::new(amount, currency),
        fee: 0,
        available_on: at,
        description: Some("REFUND FOR APPLICATION FEE"),
    };
    let booked = balance::post(txn, &movement("platform_earning_refund", -amount));
    // Believed: no recording shows how the account that gets it back books it.
    txn.in_account(&payer, |txn| balance::post(txn, &movement("fee", amount)));
    let made = txn.put(new(
        "fee_refund",
        json!({
            "id": id, "amount": amount, "balance_transaction": booked, "created": txn.now().0,
            "currency": currency.code(), "fee": fee_id, "metadata": metadata,
        }),
    ));
    let changed = txn.edit("application_fee", &fee_id, |doc| {
        let refunded = doc.get("amount_refunded").and_then(Value::as_i64).unwrap_or(0) + amount;
        let whole = doc.get("amount").and_then(Value::as_i64).unwrap_or(0);
        doc.insert("amount_refunded".to_owned(), json!(refunded));
        doc.insert("refunded".to_owned(), json!(refunded >= whole));
    });
    refresh(txn, &fee_id);
    if let (Some((before, _)), Some(after)) = (changed, txn.get("application_fee", &fee_id)) {
        txn.emit_change("application_fee.refunded", &before, &after);
    }
    made
}

/// Brings the list of refunds that a fee shows up to date.
fn refresh(txn: &mut Txn<'_>, fee: &str) {
    let list = shown_within(&txn.having("fee_refund", "fee", fee), &refunds_url(fee));
    txn.edit("application_fee", fee, |doc| {
        doc.insert("refunds".to_owned(), list);
    });
}

fn create_refund(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let fee = txn.find("application_fee", call.id(0), "id")?;
    let part = part_of(&fee);
    let money = |amount| Money::new(amount, currency_of(&fee));
    // The words of what is gone and of what is too much are believed.
    let amount = part.take(call.int("amount")).map_err(|refusal| match refusal {
        PartError::Gone => {
            let text = format!("Application fee {} has already been refunded.", text(&fee, "id"));
            Failure::invalid(text)
        }
        PartError::TooLittle => Failure::below_one("amount"),
        PartError::TooMuch => Failure::invalid(format!(
            "Refund amount ({}) is greater than unrefunded amount on fee ({})",
            money(call.int("amount").unwrap_or(0)),
            money(part.left())
        ))
        .param("amount"),
    })?;
    let mut metadata = Doc::new();
    merge_metadata(&mut metadata, &call.params);
    let metadata = metadata.remove("metadata").unwrap_or_else(|| json!({}));
    Ok(refund(txn, &fee, amount, &metadata).into())
}

fn list_refunds(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let fee = txn.find("application_fee", call.id(0), "id")?;
    list::page(txn, call, "fee_refund", &[Filter::Is("fee", text(&fee, "id").to_owned())])
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let fee = txn.find("application_fee", call.id(0), "id")?;
    let found = txn.find("fee_refund", call.id(1), "id");
    let found = found.ok().filter(|it| text(it, "fee") == text(&fee, "id"));
    // The noun is believed.
    found.ok_or_else(|| Failure::missing("fee refund", call.id(1), "id"))
}

fn update_refund(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let refund = found(txn, call)?;
    let changed = txn.edit("fee_refund", text(&refund, "id"), |doc| {
        merge_metadata(doc, &call.params);
    });
    refresh(txn, text(&refund, "fee"));
    let Some((before, after)) = changed else { return Ok(refund.into()) };
    txn.emit_change("application_fee.refund.updated", &before, &after);
    Ok(after.into())
}
