//! The provider's rows: sessions, payments, refunds, disputes and payouts, page by page.

use crate::domain::book::fact::{Fact as BookFact, What as Said};
use crate::domain::book::{creem as book_of_creem, read};
use crate::domain::entry::{EntryError, EntryStatus, Fact, RefundState};
use crate::domain::money::Money;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::time::Timestamp;
use crate::merchant::provider::creem_api::Creem;
use crate::store::compared::Span;
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use crate::stripe::failure::Error;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io;
use std::time::Duration;

/// How long a comparison waits for what is being delivered.
const WAIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// Why the provider's rows are not known.
#[derive(Debug, thiserror::Error)]
pub enum ProvidedError {
    /// It did not give them.
    #[error(transparent)]
    Provider(#[from] Error),
    /// One of them cannot be understood, so that a comparison would have a gap.
    #[error("{id}: {error}")]
    Odd {
        /// Which.
        id: String,
        /// Why.
        error: EntryError,
    },
    /// They could not be kept.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A list, what of it is expanded, and how its objects are read.
type List = (&'static str, &'static str, fn(&Value, Timestamp) -> Result<Option<Row>, EntryError>);

const LISTS: [List; 5] = [
    ("/v1/checkout/sessions", "data.payment_intent", session),
    ("/v1/payment_intents", "data.latest_charge.balance_transaction", intent),
    ("/v1/refunds", "", refund),
    ("/v1/disputes", "", dispute),
    ("/v1/payouts", "", payout),
];

/// Gives every row of `window` to `each`. Refunds come after what they refund, so theirs is only bounded from below.
pub async fn rows(
    stripe: &Stripe,
    window: Window,
    now: Timestamp,
    each: &mut (dyn FnMut(&Row) -> io::Result<()> + Send),
) -> Result<(), ProvidedError> {
    for (path, expand, read) in LISTS {
        let until = window.until.filter(|_| path != "/v1/refunds");
        let mut params = Window { until, ..window }.params();
        if !expand.is_empty() {
            params.insert("expand".to_owned(), json!([expand]));
        }
        let mut walk = stripe.walk(path, &Value::Object(params));
        while let Some(page) = walk.next_page().await? {
            for object in page {
                let row = read(&object, now).map_err(|error| {
                    let id =
                        object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                    ProvidedError::Odd { id, error }
                })?;
                if let Some(row) = row {
                    each(&Row {
                        livemode: object.get("livemode").and_then(Value::as_bool),
                        ..row
                    })?;
                }
            }
        }
    }
    Ok(())
}

/// The same of Creem's: its transactions, each with what went back of it.
pub async fn creem_rows(
    creem: &Creem,
    span: Span,
    now: Timestamp,
    each: &mut (dyn FnMut(&Row) -> io::Result<()> + Send),
) -> Result<(), ProvidedError> {
    for object in creem.all("/v1/transactions/search").await? {
        let read = book_of_creem::row_of_transaction(&object, now).map_err(|error| {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            ProvidedError::Odd { id, error }
        })?;
        let Some(sale) = read.filter(|sale| span.has(sale.created)) else { continue };
        let refunded = object.get("refunded_amount").and_then(Value::as_i64).unwrap_or_default();
        each(&Row::session(&sale, Some(refunded)))?;
    }
    Ok(())
}

fn session(object: &Value, now: Timestamp) -> Result<Option<Row>, EntryError> {
    Ok(Fact::of_session(object, now)?.map(|entry| Row::session(&entry, Some(0))))
}

fn created(object: &Value) -> Timestamp {
    Timestamp(object.get("created").and_then(Value::as_i64).unwrap_or(0))
}

/// What the book reads of an object, by what it says.
fn said(facts: &[BookFact], what: Said) -> Option<&BookFact> {
    facts.iter().find(|fact| fact.key.what == what)
}

fn intent(object: &Value, now: Timestamp) -> Result<Option<Row>, EntryError> {
    let facts = read::of_object(object, now)?;
    let Some(received) = said(&facts, Said::Received) else { return Ok(None) };
    let money = Money::new(received.claim.amount, received.claim.currency);
    let charge = object.pointer("/latest_charge/id").and_then(Value::as_str);
    let row = Row::new(What::Payment, &received.subject, money, created(object));
    let mut row = row
        .with_key(Key::Intent, &received.subject)
        .with_key(Key::Charge, charge.unwrap_or_default());
    row.status = Some(EntryStatus::Paid);
    row.refunded = Some(0);
    let fee = said(&facts, Said::Fee).filter(|fee| fee.claim.currency == money.currency);
    row.fee = fee.map(|fee| fee.claim.amount);
    Ok(Some(row))
}

fn refund(object: &Value, now: Timestamp) -> Result<Option<Row>, EntryError> {
    let Some(refund) = Fact::of_refund(object, now)? else { return Ok(None) };
    let Some(currency) = refund.currency else { return Ok(None) };
    let returned = refund.state == RefundState::Returned;
    let row = Row::new(
        What::Refund,
        &refund.source,
        Money::new(refund.amount, currency),
        created(object),
    );
    let status = if returned { EntryStatus::Failed } else { EntryStatus::Paid };
    let row = Row { status: Some(status), ..row };
    Ok(Some(row.with_key(Key::Intent, &refund.payment_intent)))
}

fn dispute(object: &Value, now: Timestamp) -> Result<Option<Row>, EntryError> {
    let facts = read::of_object(object, now)?;
    let Some(taken) = said(&facts, Said::Withdrawn) else { return Ok(None) };
    let money = Money::new(taken.claim.amount, taken.claim.currency);
    let back = said(&facts, Said::Reinstated).map_or(0, |fact| fact.claim.amount);
    let row = Row::new(What::Dispute, &taken.subject, money, created(object));
    Ok(Some(Row { refunded: Some(back), ..row }))
}

fn payout(object: &Value, now: Timestamp) -> Result<Option<Row>, EntryError> {
    let facts = read::of_object(object, now)?;
    let Some(sent) = said(&facts, Said::Sent) else { return Ok(None) };
    let returned = said(&facts, Said::Returned).is_some();
    let money = Money::new(sent.claim.amount, sent.claim.currency);
    let status = if returned { EntryStatus::Failed } else { EntryStatus::Paid };
    let row = Row::new(What::Payout, &sent.subject, money, created(object));
    Ok(Some(Row { status: Some(status), ..row }))
}

/// Waits until nothing is being delivered for the first time; what still is after that: the objects of those events.
/// Only a sandbox tells.
pub async fn under_way(stripe: &Stripe) -> HashSet<String> {
    let mut waited = Duration::ZERO;
    loop {
        let events = first_deliveries(stripe).await;
        if events.is_empty() {
            return HashSet::new();
        }
        if waited >= WAIT {
            return objects(stripe, &events).await;
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

async fn first_deliveries(stripe: &Stripe) -> Vec<String> {
    let params = json!({"status": "pending", "limit": 100});
    let Ok(list) = stripe.get("/_stripegym/deliveries", &params).await else { return Vec::new() };
    let rows = list.get("data").and_then(Value::as_array);
    let fresh =
        |row: &&Value| row.get("attempts").and_then(Value::as_array).is_none_or(Vec::is_empty);
    let event = |row: &Value| Some(row.get("event")?.as_str()?.to_owned());
    rows.into_iter().flatten().filter(fresh).filter_map(event).collect()
}

async fn objects(stripe: &Stripe, events: &[String]) -> HashSet<String> {
    let mut found = HashSet::new();
    for event in events {
        let Ok(event) = stripe.event(event).await else { continue };
        for path in ["/data/object/id", "/data/object/payment_intent", "/data/object/charge"] {
            found.extend(event.pointer(path).and_then(Value::as_str).map(str::to_owned));
        }
    }
    found
}
