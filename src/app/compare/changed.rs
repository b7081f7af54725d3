//! What changed since the last comparison: lines that a ledger got, objects that the provider tells of by events.

use crate::app::compare::provided::{
    DISPUTES, INTENTS, List, PAYOUTS, ProvidedError, REFUNDS, SESSIONS, rows,
};
use crate::domain::reconcile::row::{Key, Row};
use crate::domain::time::Timestamp;
use crate::store::compared::{Position, Span};
use crate::store::kept::{Fresh, Kept};
use crate::store::{Ledger, StoreError};
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// An event may become visible later than a younger one; so much is looked at again.
const OVERLAP_S: i64 = 120;

/// From how many events or lines on it is quicker to compare everything.
const TOLD_MAX: usize = 20_000;

/// How far the provider was read: the newest event there was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    key: String,
    event: String,
    created: i64,
}

/// What is new on a side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Rows as they are now.
    pub rows: Vec<Fresh>,
    /// The ids of all rows that may have changed: what is kept of them stands no more.
    pub ids: BTreeSet<String>,
}

/// How far the provider goes now; `None` where it has told nothing yet.
pub async fn told(stripe: &Stripe) -> Result<Option<Told>, ProvidedError> {
    let newest = stripe.get("/v1/events", &json!({"limit": 1})).await?;
    Ok(newest.pointer("/data/0").map(|event| Told {
        key: stripe.key().masked(),
        event: text(event, "/id").unwrap_or_default().to_owned(),
        created: event.get("created").and_then(Value::as_i64).unwrap_or(0),
    }))
}

fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str)
}

/// Objects that events are about.
#[derive(Debug, Default)]
struct About {
    sessions: BTreeSet<String>,
    intents: BTreeSet<String>,
    /// Those of which a session may tell something that no event about the session does.
    unsettled: BTreeSet<String>,
    refunds: BTreeSet<String>,
    disputes: BTreeSet<String>,
    payouts: BTreeSet<String>,
}

impl About {
    fn add(&mut self, event: &Value) {
        // A payment that succeeds is told of by an event about its session as well.
        const SETTLED: [&str; 7] = [
            "payment_intent.created",
            "payment_intent.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.succeeded",
            "charge.captured",
            "charge.updated",
            "charge.refunded",
        ];
        let id = |path: &str| text(event, path).map(str::to_owned);
        let own = id("/data/object/id");
        let intent = match text(event, "/data/object/object") {
            Some("checkout.session") => {
                self.sessions.extend(own);
                id("/data/object/payment_intent")
            }
            Some("payment_intent") => own,
            Some("charge") => id("/data/object/payment_intent"),
            Some("refund") => {
                self.refunds.extend(own);
                None
            }
            Some("dispute") => {
                self.disputes.extend(own);
                None
            }
            Some("payout") => {
                self.payouts.extend(own);
                None
            }
            _ => None,
        };
        let settled = text(event, "/type").is_some_and(|kind| SETTLED.contains(&kind));
        self.unsettled.extend(intent.clone().filter(|_| !settled));
        self.intents.extend(intent);
    }
}

/// What the provider has new since `from`; `None` where that cannot be told, or is too much.
pub async fn provider(
    stripe: &Stripe,
    from: &Told,
    span: Span,
    now: Timestamp,
) -> Result<Option<(News, Told)>, ProvidedError> {
    let Some(here) = told(stripe).await?.filter(|here| here.key == from.key) else {
        return Ok(None);
    };
    let Some(about) = since(stripe, from).await? else { return Ok(None) };
    let mut desk = Desk { stripe, span, now, found: BTreeMap::new(), ids: BTreeSet::new() };
    let made = Timestamp(from.created).plus(-OVERLAP_S);
    let window =
        Window { since: Some(span.since.map_or(made, |at| at.max(made))), until: span.until };
    let found = &mut desk.found;
    // What was made since then comes by the hundred.
    let mut each = |row: Row| {
        found.insert(row.id.clone(), row);
        Ok(())
    };
    rows(stripe, window, now, &mut each).await?;
    for (list, ids) in [
        (&SESSIONS, &about.sessions),
        (&INTENTS, &about.intents),
        (&REFUNDS, &about.refunds),
        (&DISPUTES, &about.disputes),
        (&PAYOUTS, &about.payouts),
    ] {
        desk.fetch(list, ids).await?;
    }
    desk.sessions_of(&about.unsettled).await?;
    desk.ids.extend(desk.found.keys().cloned());
    let rows = desk.found.into_values().map(|row| Fresh::of_object(row, &[])).collect();
    Ok(Some((News { rows, ids: desk.ids }, here)))
}

/// What the events since `from` are about, newest first up to that event and a little further.
async fn since(stripe: &Stripe, from: &Told) -> Result<Option<About>, ProvidedError> {
    let (mut about, mut met, mut count) = (About::default(), false, 0);
    let mut walk = stripe.walk("/v1/events", &Value::Null);
    while let Some(page) = walk.next_page().await? {
        for event in &page {
            met |= text(event, "/id") == Some(from.event.as_str());
            let created = event.get("created").and_then(Value::as_i64).unwrap_or(0);
            if met && created < from.created - OVERLAP_S {
                return Ok(Some(about));
            }
            count += 1;
            if count > TOLD_MAX {
                return Ok(None);
            }
            about.add(event);
        }
    }
    Ok(met.then_some(about))
}

struct Desk<'s> {
    stripe: &'s Stripe,
    span: Span,
    now: Timestamp,
    found: BTreeMap<String, Row>,
    ids: BTreeSet<String>,
}

impl Desk<'_> {
    /// Reads what is not found yet.
    async fn fetch(&mut self, list: &List, ids: &BTreeSet<String>) -> Result<(), ProvidedError> {
        for id in ids {
            self.ids.insert(id.clone());
            if self.found.contains_key(id) {
                continue;
            }
            let row = list.one(self.stripe, id, self.now).await?;
            let row = row.filter(|row| list.lists(self.span, row));
            self.found.extend(row.map(|row| (row.id.clone(), row)));
        }
        Ok(())
    }

    /// Reads the sessions of payments of which none was found.
    async fn sessions_of(&mut self, intents: &BTreeSet<String>) -> Result<(), ProvidedError> {
        let of = |row: &Row| row.key(Key::Session).and(row.key(Key::Intent)).map(str::to_owned);
        let known: BTreeSet<String> = self.found.values().filter_map(of).collect();
        for intent in intents.difference(&known) {
            let params: Map<String, Value> =
                [("payment_intent".to_owned(), json!(intent))].into_iter().collect();
            let (span, found) = (self.span, &mut self.found);
            let mut each = |row: Row| {
                if SESSIONS.lists(span, &row) {
                    found.insert(row.id.clone(), row);
                }
                Ok(())
            };
            SESSIONS.rows(self.stripe, params, self.now, &mut each).await?;
        }
        Ok(())
    }
}

/// What a ledger has new since `from`; `None` where that cannot be told, or is too much.
pub fn ledger(
    ledger: &Ledger,
    from: &Position,
    kept: &Kept,
    span: Span,
) -> Result<Option<(News, Position)>, ChangedError> {
    let Some((touched, here)) = ledger.touched_since(from, TOLD_MAX)? else { return Ok(None) };
    let mut ids = touched.clone();
    for name in &touched {
        // What is kept tells which payment a charge is of, and what a session was of before.
        for row in kept.about_it(name)?.iter().flat_map(BTreeMap::values) {
            ids.extend(row.names().map(str::to_owned));
        }
    }
    let found = ledger.compared_of(&ids, span)?;
    ids.extend(found.iter().map(|(row, _)| row.id.clone()));
    let rows = found.into_iter().map(|(row, charges)| Fresh::of_object(row, &charges)).collect();
    Ok(Some((News { rows, ids }, here)))
}

/// Why it is not known what a ledger has new.
#[derive(Debug, thiserror::Error)]
pub enum ChangedError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was kept cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}
