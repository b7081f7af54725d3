//! The provider's rows: sessions, payments, refunds, disputes and payouts, page by page.

use crate::app::remote::segment;
use crate::domain::book::fact::{Fact as BookFact, What as Said};
use crate::domain::book::{creem as book_of_creem, read};
use crate::domain::entry::{EntryError, EntryStatus, Fact, RefundState};
use crate::domain::money::Money;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::time::Timestamp;
use crate::shop::creem_api::Creem;
use crate::store::compared::Span;
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use crate::stripe::failure::Error;
use serde_json::{Map, Value, json};
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

/// What is compared of the provider's: where it is listed, what of it is expanded, and how it is read.
pub struct List {
    path: &'static str,
    expand: &'static str,
    read: fn(&Value, Timestamp) -> Result<Option<Row>, EntryError>,
    /// Whether it comes after what it belongs to, so that it is only bounded from below.
    later: bool,
}

/// Checkout Sessions.
pub const SESSIONS: List =
    List { path: "/v1/checkout/sessions", expand: "payment_intent", read: session, later: false };
/// PaymentIntents.
pub const INTENTS: List = List {
    path: "/v1/payment_intents",
    expand: "latest_charge.balance_transaction",
    read: intent,
    later: false,
};
/// Refunds.
pub const REFUNDS: List = List { path: "/v1/refunds", expand: "", read: refund, later: true };
/// Disputes.
pub const DISPUTES: List = List { path: "/v1/disputes", expand: "", read: dispute, later: false };
/// Payouts.
pub const PAYOUTS: List = List { path: "/v1/payouts", expand: "", read: payout, later: false };

/// Everything that is compared.
const LISTS: [List; 5] = [SESSIONS, INTENTS, REFUNDS, DISPUTES, PAYOUTS];

/// Whoever takes rows.
pub type Each<'e> = &'e mut (dyn FnMut(Row) -> io::Result<()> + Send);

/// Gives every row of `window` to `each`.
pub async fn rows(
    stripe: &Stripe,
    window: Window,
    now: Timestamp,
    each: Each<'_>,
) -> Result<(), ProvidedError> {
    for list in LISTS {
        let until = window.until.filter(|_| !list.later);
        let params = Window { until, ..window }.params();
        list.rows(stripe, params, now, &mut *each).await?;
    }
    Ok(())
}

impl List {
    /// Gives the rows of what these parameters ask for to `each`.
    pub async fn rows(
        &self,
        stripe: &Stripe,
        mut params: Map<String, Value>,
        now: Timestamp,
        each: Each<'_>,
    ) -> Result<(), ProvidedError> {
        if !self.expand.is_empty() {
            params.insert("expand".to_owned(), json!([format!("data.{}", self.expand)]));
        }
        let mut walk = stripe.walk(self.path, &Value::Object(params));
        while let Some(page) = walk.next_page().await? {
            for object in page {
                if let Some(row) = self.row(&object, now)? {
                    each(row)?;
                }
            }
        }
        Ok(())
    }

    /// The row of one, as it is now, where it is one.
    pub async fn one(
        &self,
        stripe: &Stripe,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Row>, ProvidedError> {
        let expand = Some(self.expand).filter(|it| !it.is_empty());
        let params = expand.map_or(Value::Null, |it| json!({"expand": [it]}));
        match stripe.get(&format!("{}/{}", self.path, segment(id)), &params).await {
            Ok(object) => self.row(&object, now),
            Err(Error::Api(error)) if error.status == 404 => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a row would be listed where what was made in this span is.
    pub fn lists(&self, span: Span, row: &Row) -> bool {
        Span { until: span.until.filter(|_| !self.later), ..span }.has(row.created)
    }

    fn row(&self, object: &Value, now: Timestamp) -> Result<Option<Row>, ProvidedError> {
        let row = (self.read)(object, now).map_err(|error| {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            ProvidedError::Odd { id, error }
        })?;
        let livemode = object.get("livemode").and_then(Value::as_bool);
        Ok(row.map(|row| Row { livemode, ..row }))
    }
}

/// The same of Creem's: its transactions, each with what went back of it.
pub async fn creem_rows(
    creem: &Creem,
    span: Span,
    now: Timestamp,
    each: Each<'_>,
) -> Result<(), ProvidedError> {
    for object in creem.all("/v1/transactions/search").await? {
        let read = book_of_creem::row_of_transaction(&object, now).map_err(|error| {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            ProvidedError::Odd { id, error }
        })?;
        let Some(sale) = read.filter(|sale| span.has(sale.created)) else { continue };
        let refunded = object.get("refunded_amount").and_then(Value::as_i64).unwrap_or_default();
        each(Row::session(&sale, Some(refunded)))?;
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
    // What was kept, and given back where it was won, in the currency of the dispute.
    let kept = facts.iter().filter(|fact| fact.key.what == Said::Fee);
    let kept = kept.filter(|fact| fact.claim.currency == money.currency);
    let fee = kept.map(|fact| fact.claim.amount).reduce(i64::saturating_add);
    let row = Row::new(What::Dispute, &taken.subject, money, created(object));
    Ok(Some(Row { refunded: Some(back), fee, ..row }))
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
