//! The ledger as rows that are compared with the provider's: sessions, payments without one, disputes, payouts.

use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::money::Money;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::time::Timestamp;
use crate::store::{Ledger, StoreError, schema};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::io;

/// From when to when, by when things were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether an instant is in it.
    pub fn has(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// Whoever takes the rows.
type Each<'e> = &'e mut dyn FnMut(&Row) -> io::Result<()>;

impl Ledger {
    /// About how many rows there are: sessions, and PaymentIntents without one are not counted.
    pub fn compared_about(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COALESCE(SUM(sessions), 0) FROM totals";
        self.read(|connection| connection.query_row(sql, [], |row| super::count(row, 0)))
    }

    /// Whether anything was ever sold through Creem.
    pub fn knows_creem(&self) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM facts WHERE subject >= 'creem/' AND subject < 'creem0')";
        self.read(|connection| connection.query_row(sql, [], |row| row.get(0)))
    }

    /// Gives each row of `span` to `each`, all as of one instant, and keeps no other reader waiting.
    pub fn compared(&self, span: Span, each: Each<'_>) -> Result<(), StoreError> {
        let mut connection = schema::open(self.path())?;
        let mut stopped = None;
        let mut give = |row: &Row| match each(row) {
            Ok(()) => true,
            Err(error) => {
                stopped = Some(error);
                false
            }
        };
        let mut work = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            sessions(&transaction, span, &mut give)?;
            others(&transaction, span, &mut give)
        };
        let worked = work();
        if let Some(error) = stopped {
            let (path, reason) = (self.path().to_owned(), error.to_string());
            return Err(StoreError::Io { path, reason });
        }
        worked.map_err(|error| schema::explain(self.path(), &error))
    }
}

fn sessions(
    connection: &Connection,
    span: Span,
    give: &mut impl FnMut(&Row) -> bool,
) -> rusqlite::Result<()> {
    let sql = "SELECT session_id, amount, currency, settled, created, updated, payment_intent, event_id, \
               refunded FROM ledger WHERE created >= ?1 AND created < ?2";
    let mut statement = connection.prepare(sql)?;
    let (from, to) =
        (span.since.map_or(i64::MIN, |at| at.0), span.until.map_or(i64::MAX, |at| at.0));
    let mut rows = statement.query([from, to])?;
    while let Some(found) = rows.next()? {
        let mut row = Row::session(&schema::entry(found)?, Some(found.get(8)?));
        if let Some(intent) = row.key(Key::Intent) {
            row.fee = fee(connection, intent, row.currency)?;
        }
        if !give(&row) {
            return Ok(());
        }
    }
    Ok(())
}

/// What the balance transactions of a payment's charges say was kept, where they are known and of its currency.
fn fee(
    connection: &Connection,
    payment: &str,
    currency: Currency,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT SUM(kept.amount) FROM facts AS one \
               JOIN facts AS settled ON settled.subject = one.object AND settled.what = 'settled' \
               JOIN facts AS kept ON kept.subject = settled.object AND kept.what = 'fee' \
               WHERE one.subject = ?1 AND one.what IN ('captured', 'charged') AND kept.currency = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![payment, currency.code()], |row| row.get(0))
}

/// What the facts of a subject come to so far.
#[derive(Default)]
struct Subject {
    id: String,
    currency: Option<Currency>,
    at: i64,
    received: Option<i64>,
    captured: BTreeMap<String, i64>,
    refunded: i64,
    sent: Option<i64>,
    returned: bool,
    withdrawn: Option<i64>,
    reinstated: i64,
}

/// What has no row of its own in `ledger`. Of Creem's everything has that can be compared: it lists no disputes.
fn others(
    connection: &Connection,
    span: Span,
    give: &mut impl FnMut(&Row) -> bool,
) -> rusqlite::Result<()> {
    let sql = "SELECT subject, object, kind, what, amount, currency, at FROM facts \
               WHERE (what IN ('received', 'captured', 'refunded_so_far', 'withdrawn', 'reinstated') \
               OR kind = 'payout') AND NOT (subject >= 'creem/' AND subject < 'creem0') ORDER BY subject";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut subject = Subject::default();
    while let Some(found) = rows.next()? {
        let id: String = found.get(0)?;
        if id != subject.id {
            let done =
                std::mem::replace(&mut subject, Subject { id, at: i64::MAX, ..Subject::default() });
            if !told(connection, span, &done, give)? {
                return Ok(());
            }
        }
        let (what, amount): (String, i64) = (found.get(3)?, found.get(4)?);
        subject.currency = subject.currency.or(Some(schema::currency(found, 5)?));
        subject.at = subject.at.min(found.get(6)?);
        match what.as_str() {
            "received" => subject.received = Some(amount),
            "captured" => {
                let captured = subject.captured.entry(found.get(1)?).or_default();
                *captured = amount.max(*captured);
            }
            "refunded_so_far" => subject.refunded = amount.max(subject.refunded),
            "sent" => subject.sent = Some(amount),
            "returned" => subject.returned = true,
            "withdrawn" => subject.withdrawn = Some(amount),
            "reinstated" => subject.reinstated = amount,
            _ => {}
        }
    }
    told(connection, span, &subject, give).map(|_| ())
}

/// Gives the row of a subject, where it is one; whether more is wanted.
fn told(
    connection: &Connection,
    span: Span,
    it: &Subject,
    give: &mut impl FnMut(&Row) -> bool,
) -> rusqlite::Result<bool> {
    let Some(currency) = it.currency.filter(|_| span.has(Timestamp(it.at))) else {
        return Ok(true);
    };
    let row = |what: What, amount: i64| {
        Row::new(what, &it.id, Money::new(amount, currency), Timestamp(it.at))
    };
    if let Some(sent) = it.sent {
        let status = if it.returned { EntryStatus::Failed } else { EntryStatus::Paid };
        return Ok(give(&Row { status: Some(status), ..row(What::Payout, sent) }));
    }
    if let Some(withdrawn) = it.withdrawn {
        return Ok(give(&Row { refunded: Some(it.reinstated), ..row(What::Dispute, withdrawn) }));
    }
    let captured = (!it.captured.is_empty())
        .then(|| it.captured.values().fold(0_i64, |sum, one| sum.saturating_add(*one)));
    let Some(amount) = it.received.or(captured) else { return Ok(true) };
    let known = format!("SELECT 1 FROM ledger WHERE {}", schema::is("payment_intent", 1));
    if connection.prepare_cached(&known)?.query_row([&it.id], |_| Ok(())).optional()?.is_some() {
        return Ok(true);
    }
    let key = if it.id.starts_with("pi_") { Key::Intent } else { Key::Charge };
    let refunded = if key == Key::Intent { refunds(connection, &it.id)? } else { it.refunded };
    let charge = it.captured.keys().next().map(String::as_str).unwrap_or_default();
    let mut row = row(What::Payment, amount).with_key(Key::Charge, charge).with_key(key, &it.id);
    row.status = Some(EntryStatus::Paid);
    row.refunded = Some(refunded);
    row.fee = fee(connection, &it.id, currency)?;
    Ok(give(&row))
}

fn refunds(connection: &Connection, intent: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT source, state, amount FROM refunds WHERE payment_intent = ?1";
    let mut facts = crate::domain::entry::RefundFacts::default();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([intent])?;
    while let Some(row) = rows.next()? {
        let source: String = row.get(0)?;
        facts.apply_fact(&source, crate::store::sqlite::refund_state(row, 1)?, row.get(2)?);
    }
    Ok(facts.total())
}
