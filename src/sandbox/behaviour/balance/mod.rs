//! The balance: one transaction for everything that moves money, pending until its funds are available.
//!
//! A transaction becomes available at midnight UTC, as recorded; what leaves the balance does so at once. `calendar`
//! knows the days on which is paid out by itself, `schedule` plans the next of them.

pub mod calendar;
pub mod schedule;

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::due;
use crate::sandbox::behaviour::fees;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::{Object, Stored};
use crate::sandbox::engine::private::{BalancePart, ChargePart, TransactionPart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::follow::Job;
use crate::sandbox::engine::txn::{Txn, View};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The job that makes a transaction's funds available.
pub const AVAILABLE_JOB: &str = "balance_transaction.available";

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    (name == AVAILABLE_JOB).then_some(on_available)
}

/// What moves money.
#[derive(Clone, Copy, Debug)]
pub struct Movement<'a> {
    /// `type` of the transaction.
    pub kind: &'static str,
    /// `reporting_category`.
    pub category: &'static str,
    /// The object that moved it.
    pub source: &'a str,
    /// Gross, negative for money going out.
    pub gross: Money,
    /// The fee, in minor units.
    pub fee: i64,
    /// When the funds are available.
    pub available_on: Timestamp,
    /// What the merchant wrote on the payment.
    pub description: Option<&'a str>,
}

/// One of the fees of a transaction, as its `fee_details` show it.
#[derive(Clone, Debug)]
pub struct Fee {
    amount: i64,
    application: Option<String>,
    description: String,
    kind: &'static str,
}

impl Fee {
    /// What Stripe takes for a movement of a category.
    fn processing(amount: i64, category: &str) -> Self {
        let description = fee_description(category).to_owned();
        Self { amount, application: None, description, kind: "stripe_fee" }
    }

    /// What an application takes.
    pub fn application(amount: i64, id: &str, name: &str) -> Self {
        let description = format!("{name} application fee");
        Self { amount, application: Some(id.to_owned()), description, kind: "application_fee" }
    }
}

/// Writes a transaction down and returns its id.
pub fn post(txn: &mut Txn<'_>, movement: &Movement<'_>) -> String {
    post_with(txn, movement, &[])
}

/// [`post`], with fees beside that of processing.
pub fn post_with(txn: &mut Txn<'_>, movement: &Movement<'_>, more: &[Fee]) -> String {
    let id = txn.new_id(if movement.kind == "charge" { "txn_3" } else { "txn_1" }, 23);
    let currency = movement.gross.currency.code();
    let pending = movement.available_on > txn.now();
    let processing = (movement.fee != 0).then(|| Fee::processing(movement.fee, movement.category));
    let all = processing.iter().chain(more);
    let fee: i64 = all.clone().map(|fee| fee.amount).sum();
    let fees: Vec<Value> = all
        .map(|fee| {
            json!({
                "amount": fee.amount, "application": fee.application, "currency": currency,
                "description": fee.description, "type": fee.kind,
            })
        })
        .collect();
    let transaction = txn.put(json!({
        "object": "balance_transaction", "id": id, "amount": movement.gross.minor,
        "available_on": movement.available_on.0, "balance_type": "payments",
        "created": txn.now().0, "currency": currency, "description": movement.description,
        "exchange_rate": null, "fee": fee, "fee_details": fees,
        "net": movement.gross.minor - fee, "reporting_category": movement.category,
        "source": movement.source, "status": if pending { "pending" } else { "available" },
        "type": movement.kind,
    }));
    count(txn, &transaction);
    if !pending && movement.gross.minor > 0 {
        tell_available(txn);
    }
    id
}

fn fee_description(category: &str) -> &'static str {
    match category {
        "dispute" => "Dispute fee",
        "payout" => "Instant payout fee",
        _ => "Stripe processing fees",
    }
}

/// Adds a transaction to the balance; one that is pending becomes available in time.
pub fn count(txn: &mut Txn<'_>, transaction: &Value) {
    let (currency, net) = (text(transaction, "currency"), int(transaction, "net"));
    let pending = text(transaction, "status") == "pending";
    move_sums(txn, currency, if pending { (0, net) } else { (net, 0) });
    if pending {
        let due = Timestamp(int(transaction, "available_on")).max(txn.now());
        txn.schedule(due, AVAILABLE_JOB, &json!({"transaction": text(transaction, "id")}));
    }
}

/// Makes the funds of the named transaction available.
pub fn on_available(txn: &mut Txn<'_>, args: &Value) {
    let now = txn.now().0;
    let changed = txn.edit("balance_transaction", text(args, "transaction"), |doc| {
        doc.insert("status".to_owned(), json!("available"));
        doc.insert("available_on".to_owned(), json!(now));
    });
    if let Some((_, after)) = changed {
        let net = int(&after, "net");
        move_sums(txn, text(&after, "currency"), (net, -net));
        // A dispute shows its transactions in whole.
        txn.edit("dispute", text(&after, "source"), |doc| {
            let rows = doc.get_mut("balance_transactions").and_then(Value::as_array_mut);
            for row in rows.into_iter().flatten().filter(|row| row.get("id") == after.get("id")) {
                *row = after.document();
            }
        });
        tell_available(txn);
    }
}

fn tell_available(txn: &mut Txn<'_>) {
    let balance = balance(txn);
    txn.emit_about("balance.available", &balance);
}

/// When the funds of a charge that is booked now will be there.
pub fn expected(txn: &Txn<'_>, charge: &Object) -> Timestamp {
    let currency = text(charge, "currency").parse().unwrap_or(Currency::JPY);
    if charge.part::<ChargePart>().available_at_once {
        return txn.now();
    }
    midnight(txn.now().plus(fees::availability_delay(currency)))
}

/// When the funds of a charge are there: what is taken of them, or back, is not there before.
pub fn available_with(txn: &Txn<'_>, charge: &Object) -> Timestamp {
    let booked = txn.get("balance_transaction", text(charge, "balance_transaction"));
    let at = booked
        .map_or_else(|| expected(txn, charge), |booked| Timestamp(int(&booked, "available_on")));
    at.max(txn.now())
}

/// The midnight UTC with which the day of an instant began.
pub const fn midnight(at: Timestamp) -> Timestamp {
    Timestamp(at.0 - at.0.rem_euclid(86_400))
}

/// The record that keeps the sums of all transactions: its kind and id.
const SUMS: (&str, &str) = ("_balance", "balance");

/// Adds to what is available and to what is pending of a currency, in minor units.
fn move_sums(txn: &mut Txn<'_>, currency: &str, (available, pending): (i64, i64)) {
    let mut part = txn.record::<BalancePart>(SUMS.0, SUMS.1).cloned().unwrap_or_default();
    match part.sums.iter_mut().find(|(known, ..)| known == currency) {
        Some((_, now, later)) => {
            *now = now.saturating_add(available);
            *later = later.saturating_add(pending);
        }
        None => part.sums.push((currency.to_owned(), available, pending)),
    }
    txn.put_record(SUMS.0, SUMS.1, Arc::from(""), part);
    if available > 0 {
        schedule::plan(txn);
    }
}

/// What is available and what is pending of a currency, in minor units.
pub fn sums(view: &View, currency: &str) -> (i64, i64) {
    let part = view.record::<BalancePart>(SUMS.0, SUMS.1);
    let found = part.and_then(|part| part.sums.iter().find(|(known, ..)| known == currency));
    found.map_or((0, 0), |(_, available, pending)| (*available, *pending))
}

/// What can be taken of a currency, in minor units. A payment that is booked a moment after it was made is booked
/// first: whether there is enough is no question of who was faster.
pub fn available(txn: &mut Txn<'_>, currency: &str) -> i64 {
    due::catch_up(txn);
    sums(txn, currency).0
}

/// The currencies that anything is or was there of.
pub fn currencies(view: &View) -> Vec<String> {
    let part = view.record::<BalancePart>(SUMS.0, SUMS.1);
    part.into_iter().flat_map(|part| &part.sums).map(|(currency, ..)| currency.clone()).collect()
}

/// The balance: what is available and what is pending, by currency.
///
/// Believed, not proven: that a platform with connected accounts has nothing reserved for them, and that what can be
/// paid out at once is what is available, for accounts in the United States alone.
pub fn balance(view: &View) -> Value {
    let settings = Settings::of(view);
    let mut sums = BTreeMap::from([(settings.get("currency"), (0, 0))]);
    let part = view.record::<BalancePart>(SUMS.0, SUMS.1);
    for (currency, available, pending) in part.into_iter().flat_map(|part| &part.sums) {
        sums.insert(currency.as_str(), (*available, *pending));
    }
    let rows = |pick: fn(&(i64, i64)) -> i64| -> Vec<Value> {
        sums.iter()
            .map(|(currency, sum)| {
                let amount = pick(sum);
                json!({"amount": amount, "currency": currency, "source_types": {"card": amount}})
            })
            .collect()
    };
    let mut doc = json!({
        "object": "balance",
        "available": rows(|sum| sum.0),
        "livemode": false,
        "pending": rows(|sum| sum.1),
    });
    let Value::Object(members) = &mut doc else { return doc };
    let is_platform = view.scope().account.is_empty();
    if is_platform && view.table("account").is_some_and(|table| !table.is_empty()) {
        let reserved: Vec<Value> =
            sums.keys().map(|currency| json!({"amount": 0, "currency": currency})).collect();
        members.insert("connect_reserved".to_owned(), json!(reserved));
    }
    let instant = view.having("bank_account", "currency", "usd").iter().any(|it| is_instant(it));
    if instant {
        let amount = sums.get("usd").map_or(0, |sum| sum.0.max(0));
        let row = json!([{"amount": amount, "currency": "usd", "source_types": {"card": amount}}]);
        members.insert("instant_available".to_owned(), row);
    }
    doc
}

/// Whether a bank account takes instant payouts.
fn is_instant(bank: &Value) -> bool {
    let methods = bank.get("available_payout_methods").and_then(Value::as_array);
    methods.is_some_and(|methods| methods.iter().any(|it| it == "instant"))
}

/// The transactions of a currency that are available and in no payout yet, oldest first.
pub fn unpaid(view: &View, currency: &str) -> Vec<Arc<Stored>> {
    let Some(table) = view.table("balance_transaction") else { return Vec::new() };
    let key = index::key(index::UNPAID, currency);
    let is_of = |stored: &&Arc<Stored>| {
        index::is_unpaid(stored)
            && stored.member(&["currency"], |raw| raw?.plain().map(|it| it == currency))
                == Some(true)
    };
    table.indexed_after(key, 0).filter(is_of).cloned().collect()
}

/// Marks transactions as those of a payout.
pub fn mark_paid(txn: &mut Txn<'_>, rows: &[Arc<Stored>], payout: &str) {
    for row in rows {
        let part = TransactionPart { payout: Some(payout.into()) };
        txn.put_record(row.kind, &row.id, Arc::clone(&row.text), part);
    }
}
