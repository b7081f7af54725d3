//! The ledger: a file that only gathers facts. Each is kept once, whatever comes twice, late or together.

use crate::meaning::{Fact, Payment, Refund};
use crate::settings;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use serde_json::{Value, json};
use std::time::Duration;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS events (
    id   TEXT PRIMARY KEY,
    type TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payments (
    session_id     TEXT PRIMARY KEY,
    amount         INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    status         TEXT NOT NULL,
    created        INTEGER NOT NULL, -- seconds since 1970, UTC: no zone to mistake
    updated        INTEGER NOT NULL,
    payment_intent TEXT,
    event_id       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS refunds (
    source         TEXT PRIMARY KEY,
    payment_intent TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    state          TEXT NOT NULL
);
-- A charge's total does not say which refunds it counts: once one of them has failed, they count themselves.
CREATE VIEW IF NOT EXISTS sent_back AS
SELECT payment_intent,
       CASE WHEN sum(state = 'returned') > 0 THEN sum(amount * (state = 'sent'))
            ELSE max(sum(amount * (state = 'sent')), sum(amount * (state = 'total')))
       END AS amount
FROM refunds GROUP BY payment_intent;
CREATE VIEW IF NOT EXISTS ledger AS
SELECT session_id, payments.amount, currency,
       CASE WHEN status <> 'paid' OR coalesce(sent_back.amount, 0) = 0 THEN status
            WHEN sent_back.amount >= payments.amount THEN 'refunded'
            ELSE 'partially_refunded'
       END AS status,
       created, updated, payments.payment_intent, event_id
FROM payments LEFT JOIN sent_back USING (payment_intent);
";

/// A status only ever gives way to one further to the right, so the order of arrival does not matter.
const LADDER: [&str; 5] = ["unpaid", "expired", "failed", "no_payment_required", "paid"];

/// A connection of its own for each use: connections are not for sharing.
fn open() -> rusqlite::Result<Connection> {
    let db = Connection::open(&settings::get().ledger_db)?;
    db.busy_timeout(Duration::from_secs(10))?;
    db.pragma_update(None, "synchronous", "full")?;
    Ok(db)
}

pub fn prepare() -> rusqlite::Result<()> {
    let mut db = open()?;
    db.pragma_update(None, "journal_mode", "wal")?;
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute_batch(SCHEMA)?;
    change.commit()
}

/// Writes a fact down for good; `false` where this event has been here before. What is dropped without a
/// commit is rolled back: all of it or nothing, and a lock is never left behind.
pub fn record(id: &str, kind: &str, fact: &Fact) -> rusqlite::Result<bool> {
    let mut db = open()?;
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let event = "INSERT INTO events (id, type) VALUES (?, ?) ON CONFLICT DO NOTHING";
    if change.execute(event, [id, kind])? == 0 {
        return Ok(false);
    }
    match fact {
        Fact::Payment(payment) => keep_payment(&change, payment, id)?,
        Fact::Refund(refund) => keep_refund(&change, refund)?,
    }
    change.commit()?;
    Ok(true)
}

fn keep_payment(change: &Transaction<'_>, fact: &Payment, event_id: &str) -> rusqlite::Result<()> {
    let known: Option<String> = change
        .query_row("SELECT status FROM payments WHERE session_id = ?", [&fact.session_id], |row| {
            row.get(0)
        })
        .optional()?;
    let rung = |status: &str| LADDER.iter().position(|it| *it == status);
    if known.is_some_and(|known| rung(&known) >= rung(&fact.status)) {
        return Ok(());
    }
    change.execute(
        "INSERT OR REPLACE INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            &fact.session_id,
            fact.amount,
            &fact.currency,
            &fact.status,
            fact.created,
            fact.updated,
            &fact.payment_intent,
            event_id,
        ),
    )?;
    Ok(())
}

fn keep_refund(change: &Transaction<'_>, fact: &Refund) -> rusqlite::Result<()> {
    change.execute(
        "INSERT INTO refunds (source, payment_intent, amount, state) VALUES (?, ?, ?, ?)
         ON CONFLICT (source) DO UPDATE SET
             amount = max(amount, excluded.amount),
             state = CASE state WHEN 'returned' THEN state ELSE excluded.state END",
        (&fact.source, &fact.payment_intent, fact.amount, fact.state),
    )?;
    Ok(())
}

pub fn rows() -> rusqlite::Result<Vec<Value>> {
    let db = open()?;
    let mut rows = db.prepare("SELECT * FROM ledger ORDER BY created, session_id")?;
    let rows = rows.query_map([], |row| {
        Ok(json!({
            "session_id": row.get::<_, String>("session_id")?,
            "amount": row.get::<_, i64>("amount")?,
            "currency": row.get::<_, String>("currency")?,
            "status": row.get::<_, String>("status")?,
            "created": row.get::<_, i64>("created")?,
            "updated": row.get::<_, i64>("updated")?,
            "payment_intent": row.get::<_, Option<String>>("payment_intent")?,
            "event_id": row.get::<_, String>("event_id")?,
        }))
    })?;
    rows.collect()
}
