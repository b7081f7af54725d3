//! Transfers: money of one account that becomes a payment of another.

use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::balance::{self, Fee, Movement, available_with};
use crate::sandbox::behaviour::connect::{
    APPLICATION_NAME, application, currency_of, own_id, scope_of, shown_within, standing,
};
use crate::sandbox::behaviour::document::{Handler, copy, int, merge_metadata, new, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::step;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, echo};
use serde_json::{Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/transfers`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/transfers" => create,
        "GET /v1/transfers/{transfer}" => retrieve,
        "POST /v1/transfers/{transfer}" => update,
        "GET /v1/transfers" => |txn, call| {
            let filters = list::same(call, &["destination", "transfer_group"]);
            list::page(txn, call, "transfer", &filters)
        },
        _ => return None,
    })
}

/// What is to be transferred.
#[derive(Clone, Debug)]
pub struct Order {
    /// Minor units, and of what.
    pub amount: Money,
    /// The account that gets it.
    pub destination: String,
    /// The charge whose funds these are: they are there when the charge's are.
    pub source_transaction: Option<String>,
    /// `transfer_group`.
    pub group: Value,
    /// `description`.
    pub description: Option<String>,
    /// `metadata`.
    pub metadata: Doc,
    /// What an application takes of the payment that it becomes.
    pub fee: i64,
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let currency = step::known_currency(call.text("currency").unwrap_or_default())?;
    let destination = call.text("destination").unwrap_or_default().to_owned();
    ensure_destination(txn, &destination, "destination")?;
    let source = match call.text("source_transaction") {
        None => None,
        Some(id) => Some(txn.find("charge", id, "source_transaction")?),
    };
    let amount = match (call.int("amount"), &source) {
        (Some(amount), _) => amount,
        // Believed: a charge is transferred as a whole where no amount is named.
        (None, Some(charge)) => int(charge, "amount_captured"),
        (None, None) => {
            return Err(Failure::invalid("Missing required param: amount.")
                .code("parameter_missing")
                .param("amount"));
        }
    };
    if amount < 1 {
        return Err(Failure::below_one("amount"));
    }
    let amount = Money::new(amount, currency);
    match &source {
        Some(charge) => ensure_covered(txn, charge, amount)?,
        None if balance::available(txn, currency.code()) < amount.minor => {
            return Err(insufficient());
        }
        None => {}
    }
    let of_source = source.as_ref().map(|charge| text(charge, "transfer_group").to_owned());
    let group = call.owned("transfer_group").or(of_source);
    let mut metadata = Doc::new();
    merge_metadata(&mut metadata, &call.params);
    let metadata = metadata.remove("metadata").and_then(|it| it.as_object().cloned());
    let order = Order {
        amount,
        destination,
        source_transaction: source.map(|charge| text(&charge, "id").to_owned()),
        group: json!(group.filter(|group| !group.is_empty())),
        description: call.owned("description"),
        metadata: metadata.unwrap_or_default(),
        fee: 0,
    };
    Ok(make(txn, &order).into())
}

/// What Stripe answers in test mode where an account has not so much.
fn insufficient() -> Failure {
    Failure::invalid("You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance")
        .code("balance_insufficient")
}

/// Fails where an account does not exist, is this one, or may not be sent money.
pub fn ensure_destination(txn: &mut Txn<'_>, account: &str, param: &str) -> Result<(), Failure> {
    standing::catch_up(txn, account);
    let own = own_id(txn);
    let is_platform = account == txn.platform_id();
    let found = txn.at("").get("account", account).filter(|_| account != own);
    let Some(found) = found else {
        if is_platform && account != own {
            return Ok(());
        }
        if account == own {
            // Believed: nobody recorded it.
            let text = "You cannot create a transfer to your own account.";
            return Err(Failure::invalid(text).param(param));
        }
        return Err(Failure::invalid(format!("No such destination: '{}'", echo(account)))
            .code("resource_missing")
            .param(param));
    };
    let capabilities = found.get("capabilities").and_then(Value::as_object);
    let has = |name: &str| {
        capabilities.and_then(|all| all.get(name)).and_then(Value::as_str) == Some("active")
    };
    // A standard account that asked for nothing can be sent money, as the official CLI's fixtures show.
    let free = text(&found, "type") == "standard" && capabilities.is_none_or(Doc::is_empty);
    if free || has("transfers") || has("legacy_payments") {
        return Ok(());
    }
    Err(Failure::invalid("Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments")
        .code("insufficient_capabilities_for_transfer"))
}

/// Fails where a charge has not so much left that was not transferred yet. The words are believed.
fn ensure_covered(txn: &Txn<'_>, charge: &Value, amount: Money) -> Result<(), Failure> {
    let id = text(charge, "id");
    if text(charge, "status") != "succeeded" || int(charge, "amount_captured") == 0 {
        let text =
            format!("The source_transaction {id} was not paid: nothing of it can be transferred.");
        return Err(Failure::invalid(text).param("source_transaction"));
    }
    if text(charge, "currency") != amount.currency.code() {
        let text = format!(
            "The currency of source_transaction's balance transaction ({}) must be the same as the transfer currency ({})",
            text(charge, "currency"),
            amount.currency.code()
        );
        return Err(Failure::invalid(text).param("currency"));
    }
    let made = txn.having("transfer", "source_transaction", id);
    let gone: i64 = made.iter().map(|it| int(it, "amount") - int(it, "amount_reversed")).sum();
    if gone + amount.minor > int(charge, "amount_captured") {
        let text =
            "Transfers using this transaction as a source must not exceed the source amount of";
        let whole = Money::new(int(charge, "amount_captured"), amount.currency);
        let text = if gone == 0 {
            format!("{text} {whole}.")
        } else {
            let gone = Money::new(gone, amount.currency);
            format!(
                "{text} {whole}. There is already a transfer using this source, amounting to a total of {gone}."
            )
        };
        return Err(Failure::invalid(text).param("amount"));
    }
    Ok(())
}

/// Makes a transfer, books it in both accounts and tells of it.
pub fn make(txn: &mut Txn<'_>, order: &Order) -> Arc<Object> {
    let charge = order.source_transaction.as_deref().and_then(|id| txn.get("charge", id));
    let at = charge.as_ref().map_or_else(|| txn.now(), |charge| available_with(txn, charge));
    let id = txn.new_id(if charge.is_some() { "tr_3" } else { "tr_1" }, 23);
    let booked = balance::post(
        txn,
        &Movement {
            kind: "transfer",
            category: "transfer",
            source: &id,
            gross: Money::new(-order.amount.minor, order.amount.currency),
            fee: 0,
            available_on: at,
            description: order.description.as_deref(),
        },
    );
    let receiver = scope_of(txn, &order.destination);
    let payment = txn.in_account(&receiver, |txn| receive(txn, order, &id, at));
    let transfer = txn.put(new(
        "transfer",
        json!({
            "id": id, "amount": order.amount.minor, "amount_reversed": 0,
            "balance_transaction": booked, "created": txn.now().0,
            "currency": order.amount.currency.code(), "description": order.description,
            "destination": order.destination, "destination_payment": payment,
            "metadata": order.metadata, "reversals": shown_within(&[], &reversals_url(&id)),
            "reversed": false, "source_transaction": order.source_transaction,
            "source_type": "card", "transfer_group": order.group,
        }),
    ));
    txn.emit("transfer.created", &transfer);
    transfer
}

/// Where the reversals of a transfer are listed.
pub fn reversals_url(transfer: &str) -> String {
    format!("/v1/transfers/{transfer}/reversals")
}

/// The payment that a transfer becomes in the account that gets it: its id.
fn receive(txn: &mut Txn<'_>, order: &Order, transfer: &str, at: Timestamp) -> String {
    let id = txn.new_id("py_1", 23);
    let amount = order.amount.minor;
    let application = application(txn);
    let mut fees = Vec::new();
    if order.fee > 0 {
        fees.push(Fee::application(order.fee, &application, APPLICATION_NAME));
    }
    let movement = Movement {
        kind: "payment",
        category: "charge",
        source: &id,
        gross: order.amount,
        fee: 0,
        available_on: at,
        description: None,
    };
    let booked = balance::post_with(txn, &movement, &fees);
    let payment = txn.put(new(
        "charge",
        json!({
            "id": id, "amount": amount, "amount_captured": amount, "amount_refunded": 0,
            "application": application, "balance_transaction": booked,
            "application_fee_amount": (order.fee > 0).then_some(order.fee),
            "billing_details": {
                "address": {"city": null, "country": null, "line1": null, "line2": null,
                    "postal_code": null, "state": null},
                "email": null, "name": null, "phone": null, "tax_id": null,
            },
            "captured": true, "created": txn.now().0, "currency": order.amount.currency.code(),
            "disputed": false, "fraud_details": {}, "metadata": {}, "paid": true,
            "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
            "receipt_url": format!("{}/receipts/{id}", txn.site().base_url),
            "refunded": false, "source": platform(txn), "source_transfer": transfer,
            "status": "succeeded",
        }),
    ));
    // Not among the SDK's event types, and yet what Stripe tells an account of money that it was sent.
    txn.emit("payment.created", &payment);
    id
}

/// The platform, as a payment that it sent names it.
fn platform(txn: &Txn<'_>) -> Value {
    let url = &txn.site().base_url;
    json!({
        "id": txn.platform_id(), "object": "account", "application_icon": format!("{url}/icon.png"),
        "application_logo": format!("{url}/logo.png"), "application_name": APPLICATION_NAME,
        "application_url": url,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("transfer", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let changed = txn.edit("transfer", call.id(0), |doc| {
        copy(doc, call, &["description"]);
        merge_metadata(doc, &call.params);
    });
    let (before, after) = changed.ok_or_else(|| Failure::missing("transfer", call.id(0), "id"))?;
    txn.emit_change("transfer.updated", &before, &after);
    Ok(after.into())
}

/// The transfer that a charge made, where it made one.
pub fn of_charge(txn: &Txn<'_>, charge: &Value) -> Option<Arc<Object>> {
    txn.get("transfer", text(charge, "transfer"))
}

/// A transfer's currency, for those who write amounts of it.
pub fn money(transfer: &Value, amount: i64) -> Money {
    Money::new(amount, currency_of(transfer))
}
