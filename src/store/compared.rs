//! The ledger as rows that are compared with the provider's: sessions, payments without one, disputes, payouts.

use crate::domain::book::line::Line;
use crate::domain::currency::Currency;
use crate::domain::entry::{EntryStatus, Fact as Seen};
use crate::domain::money::Money;
use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::time::Timestamp;
use crate::store::pack::Bodies;
use crate::store::sqlite::{self, LINE};
use crate::store::{Each, SqliteLedger, StoreError, schema};
use rusqlite::{Connection, OptionalExtension as _, Params, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// How far a ledger was read: which one, and of each of its journals up to which line, and what the chain's hash was there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    ledger: i64,
    ends: Vec<(i64, String)>,
}

/// A row, with the charges of which something may be said that changes it.
pub type Named = (Row, Vec<String>);

/// Whoever takes the rows; whether more are wanted.
type Give<'g> = &'g mut dyn FnMut(Row, Vec<String>) -> bool;

impl Position {
    /// The place in a ledger: of each of its journals the line, with what the chain's hash was there.
    pub(super) const fn new(ledger: i64, ends: Vec<(i64, String)>) -> Self {
        Self { ledger, ends }
    }

    /// Of each journal the line, with what the chain's hash was there; `None` for a place of another ledger than this
    /// one.
    pub(super) fn ends_of(&self, other: &Self) -> Option<&[(i64, String)]> {
        let same = self.ledger == other.ledger && self.ends.len() == other.ends.len();
        same.then_some(&self.ends)
    }
}

impl SqliteLedger {
    /// About how many rows there are: sessions, and PaymentIntents without one are not counted.
    pub fn compared_about(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COALESCE(SUM(sessions), 0) FROM sums";
        self.read(|connection| connection.query_row(sql, [], |row| super::count(row, 0)))
    }

    /// Whether anything was ever sold through Creem.
    pub fn knows_creem(&self) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM facts WHERE subject >= 'creem/' AND subject < 'creem0')";
        self.read(|connection| connection.query_row(sql, [], |row| row.get(0)))
    }

    /// Gives each row of `span` to `each`, all as of one instant, and keeps no other reader waiting.
    pub fn compared(&self, span: Span, each: Each<'_, Named>) -> Result<Position, StoreError> {
        let mut stopped = None;
        let mut give = |row: Row, charges: Vec<String>| match each((row, charges)) {
            Ok(()) => true,
            Err(error) => {
                stopped = Some(error);
                false
            }
        };
        let worked = self.at_one_instant(|transaction| {
            let (from, to) =
                (span.since.map_or(i64::MIN, |at| at.0), span.until.map_or(i64::MAX, |at| at.0));
            let within = "created >= ?1 AND created < ?2";
            sessions(transaction, within, params![from, to], &mut give)?;
            others(transaction, None, span, &mut give)?;
            position(transaction)
        });
        if let Some(error) = stopped {
            let (path, reason) = (self.path().to_owned(), error.to_string());
            return Err(StoreError::Io { path, reason });
        }
        worked
    }

    /// The names of everything that the lines after `from` are about, and how far that is; `None` where it is not the
    /// same ledger, or there are more than `most` lines.
    pub fn touched_since(
        &self,
        from: &Position,
        most: usize,
    ) -> Result<Option<(BTreeSet<String>, Position)>, StoreError> {
        self.at_one_instant(|transaction| {
            let here = position(transaction)?;
            let Some([(line, hash)]) = from.ends_of(&here) else { return Ok(None) };
            if hash_at(transaction, *line)? != *hash {
                return Ok(None);
            }
            let sql = format!("SELECT {LINE} FROM events WHERE seq > ?1 ORDER BY seq");
            let mut statement = transaction.prepare(&sql)?;
            let mut rows = statement.query([line])?;
            let mut bodies = Bodies::new(transaction);
            let (mut names, mut lines) = (BTreeSet::new(), 0);
            while let Some(row) = rows.next()? {
                lines += 1;
                if lines > most {
                    return Ok(None);
                }
                name(&sqlite::line(row, &mut bodies)?, &mut names);
            }
            Ok(Some((names, here)))
        })
    }

    /// The rows of `span` that are called so, or are of a payment that is.
    pub fn compared_of(
        &self,
        names: &BTreeSet<String>,
        span: Span,
    ) -> Result<Vec<Named>, StoreError> {
        self.at_one_instant(|transaction| {
            let mut found: BTreeMap<String, Named> = BTreeMap::new();
            let mut give = |row: Row, charges: Vec<String>| {
                if span.has(row.created) {
                    found.insert(row.id.clone(), (row, charges));
                }
                true
            };
            for name in names {
                for column in ["session_id", "payment_intent"] {
                    sessions(transaction, &schema::is(column, 1), [name], &mut give)?;
                }
                others(transaction, Some(name), span, &mut give)?;
            }
            Ok(found.into_values().collect())
        })
    }

    /// Reads with a connection of its own, so that no other reader waits.
    fn at_one_instant<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = schema::open(self.path())?;
        let worked = self.until.watch(&mut connection).and_then(|()| {
            work(&*connection.transaction_with_behavior(TransactionBehavior::Deferred)?)
        });
        worked.map_err(|error| schema::explain(self.path(), &error))
    }
}

/// How far the ledger goes.
fn position(connection: &Connection) -> rusqlite::Result<Position> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM events";
    let line = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(Position::new(schema::id(connection)?, vec![(line, hash_at(connection, line)?)]))
}

/// The chain's hash at a line; nothing where there is no such line.
fn hash_at(connection: &Connection, line: i64) -> rusqlite::Result<String> {
    let sql = "SELECT COALESCE(hex(hash), '') FROM events WHERE seq = ?1";
    let hash = connection.query_row(sql, [line], |row| row.get(0)).optional()?;
    Ok(hash.unwrap_or_default())
}

/// The names of what a line is about.
pub(super) fn name(line: &Line, names: &mut BTreeSet<String>) {
    for fact in &line.meaning.facts {
        names.insert(fact.subject.clone());
        names.insert(fact.key.object.clone());
    }
    for seen in &line.meaning.rows {
        match seen {
            Seen::Session(it) => {
                names.insert(it.session_id.clone());
                names.extend(it.payment_intent.clone());
            }
            Seen::Refund(it) => {
                names.insert(it.payment_intent.clone());
            }
        }
    }
}

/// The rows of the sessions that a condition is true of.
fn sessions(
    connection: &Connection,
    condition: &str,
    values: impl Params,
    give: Give<'_>,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT session_id, amount, currency, settled, created, updated, payment_intent, event_id, \
         refunded FROM ledger WHERE {condition}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    while let Some(found) = rows.next()? {
        let mut row = Row::session(&schema::entry(found)?, Some(found.get(8)?));
        let mut charges = Vec::new();
        if let Some(intent) = row.key(Key::Intent) {
            let kept = fee(connection, intent, row.currency)?;
            charges = captured(connection, intent)?;
            row.fee = kept;
        }
        if !give(row, charges) {
            return Ok(());
        }
    }
    Ok(())
}

/// The charges that a payment was captured by.
fn captured(connection: &Connection, payment: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT object FROM facts WHERE subject = ?1 AND what = 'captured'";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([payment], |row| row.get(0))?.collect()
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

/// What the balance transactions of an object itself say was kept, where they are known and of its currency.
fn kept(
    connection: &Connection,
    object: &str,
    currency: Currency,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT SUM(kept.amount) FROM facts AS settled \
               JOIN facts AS kept ON kept.subject = settled.object AND kept.what = 'fee' \
               WHERE settled.subject = ?1 AND settled.what = 'settled' AND kept.currency = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![object, currency.code()], |row| row.get(0))
}

/// What the facts of a subject come to so far.
#[derive(Debug, Default)]
pub(super) struct Subject {
    pub(super) id: String,
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

/// The rows of all subjects that are no session's payment, or of one. Of Creem's everything that can be compared has a row
/// in `ledger`: it lists no disputes.
fn others(
    connection: &Connection,
    only: Option<&str>,
    span: Span,
    give: Give<'_>,
) -> rusqlite::Result<()> {
    let of = if only.is_some() { "AND subject = ?1" } else { "AND ?1 IS NULL" };
    let sql = format!(
        "SELECT subject, object, kind, what, amount, currency, at FROM facts \
         WHERE (what IN ('received', 'captured', 'refunded_so_far', 'withdrawn', 'reinstated') \
         OR kind = 'payout') AND NOT (subject >= 'creem/' AND subject < 'creem0') {of} ORDER BY subject"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([only])?;
    let mut subject = Subject::default();
    while let Some(found) = rows.next()? {
        let id: String = found.get(0)?;
        if id != subject.id {
            let done = std::mem::replace(&mut subject, Subject::new(id));
            if !told(connection, span, &done, give)? {
                return Ok(());
            }
        }
        let (what, object): (String, String) = (found.get(3)?, found.get(1)?);
        subject.learn(&what, object, (found.get(4)?, schema::currency(found, 5)?), found.get(6)?);
    }
    told(connection, span, &subject, give).map(|_| ())
}

impl Subject {
    /// Of which nothing is known.
    pub(super) fn new(id: String) -> Self {
        Self { id, at: i64::MAX, ..Self::default() }
    }

    /// Takes in a fact.
    pub(super) fn learn(
        &mut self,
        what: &str,
        object: String,
        (amount, currency): (i64, Currency),
        at: i64,
    ) {
        self.currency = self.currency.or(Some(currency));
        self.at = self.at.min(at);
        match what {
            "received" => self.received = Some(amount),
            "captured" => {
                let captured = self.captured.entry(object).or_default();
                *captured = amount.max(*captured);
            }
            "refunded_so_far" => self.refunded = amount.max(self.refunded),
            "sent" => self.sent = Some(amount),
            "returned" => self.returned = true,
            "withdrawn" => self.withdrawn = Some(amount),
            "reinstated" => self.reinstated = amount,
            _ => {}
        }
    }

    /// The row of a subject, where it is one, with the charges of which something may be said that changes it.
    pub(super) fn row<A: Asked>(
        &self,
        span: Span,
        asked: &mut A,
    ) -> Result<Option<Named>, A::Failure> {
        let Some(currency) = self.currency.filter(|_| span.has(Timestamp(self.at))) else {
            return Ok(None);
        };
        let row = |what: What, amount: i64| {
            Row::new(what, &self.id, Money::new(amount, currency), Timestamp(self.at))
        };
        if let Some(sent) = self.sent {
            let status = if self.returned { EntryStatus::Failed } else { EntryStatus::Paid };
            let row = Row { status: Some(status), ..row(What::Payout, sent) };
            return Ok(Some((row, Vec::new())));
        }
        if let Some(withdrawn) = self.withdrawn {
            let fee = asked.kept(&self.id, currency)?;
            let row = Row { refunded: Some(self.reinstated), fee, ..row(What::Dispute, withdrawn) };
            return Ok(Some((row, Vec::new())));
        }
        let captured = (!self.captured.is_empty())
            .then(|| self.captured.values().fold(0_i64, |sum, one| sum.saturating_add(*one)));
        let Some(amount) = self.received.or(captured) else { return Ok(None) };
        if asked.has_session(&self.id)? {
            return Ok(None);
        }
        let key = if self.id.starts_with("pi_") { Key::Intent } else { Key::Charge };
        let refunded = if key == Key::Intent { asked.refunded(&self.id)? } else { self.refunded };
        let charge = self.captured.keys().next().map(String::as_str).unwrap_or_default();
        let mut row =
            row(What::Payment, amount).with_key(Key::Charge, charge).with_key(key, &self.id);
        row.status = Some(EntryStatus::Paid);
        row.refunded = Some(refunded);
        row.fee = asked.fee(&self.id, currency)?;
        Ok(Some((row, self.captured.keys().cloned().collect())))
    }
}

/// What an engine knows beside the facts of a subject.
pub(super) trait Asked {
    /// How it fails.
    type Failure;
    /// Whether a session has this payment.
    fn has_session(&mut self, payment: &str) -> Result<bool, Self::Failure>;
    /// What went back of a payment.
    fn refunded(&mut self, payment: &str) -> Result<i64, Self::Failure>;
    /// What was kept of a payment, where it is known and of this currency.
    fn fee(&mut self, payment: &str, currency: Currency) -> Result<Option<i64>, Self::Failure>;
    /// What was kept of an object itself.
    fn kept(&mut self, object: &str, currency: Currency) -> Result<Option<i64>, Self::Failure>;
}

impl Asked for &Connection {
    type Failure = rusqlite::Error;

    fn has_session(&mut self, payment: &str) -> rusqlite::Result<bool> {
        let known = format!("SELECT 1 FROM ledger WHERE {}", schema::is("payment_intent", 1));
        self.prepare_cached(&known)?.exists([payment])
    }

    fn refunded(&mut self, payment: &str) -> rusqlite::Result<i64> {
        refunds(self, payment)
    }

    fn fee(&mut self, payment: &str, currency: Currency) -> rusqlite::Result<Option<i64>> {
        fee(self, payment, currency)
    }

    fn kept(&mut self, object: &str, currency: Currency) -> rusqlite::Result<Option<i64>> {
        kept(self, object, currency)
    }
}

/// Gives the row of a subject, where it is one; whether more is wanted.
fn told(
    mut connection: &Connection,
    span: Span,
    it: &Subject,
    give: Give<'_>,
) -> rusqlite::Result<bool> {
    Ok(it.row(span, &mut connection)?.is_none_or(|(row, charges)| give(row, charges)))
}

fn refunds(connection: &Connection, intent: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT source, state, amount FROM refunds WHERE payment_intent = ?1";
    let mut facts = crate::domain::entry::RefundFacts::default();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([intent])?;
    while let Some(row) = rows.next()? {
        let source: String = row.get(0)?;
        facts.apply_fact(&source, sqlite::refund_state(row, 1)?, row.get(2)?);
    }
    Ok(facts.total())
}
