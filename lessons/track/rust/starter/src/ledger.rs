//! The ledger: a file that only gathers facts. Each is kept once, whatever comes twice, late or together.

use crate::meaning::Fact;
use serde_json::Value;

pub fn prepare() -> rusqlite::Result<()> {
    // Day 4: make the file (settings' `ledger_db`) and its tables where they are lacking: one row for each
    // session, each event id once, room for refunds.
    Ok(())
}

/// Writes a fact down for good; `false` where this event has been here before.
pub fn record(_id: &str, _kind: &str, _fact: &Fact) -> rusqlite::Result<bool> {
    // Day 4: in one transaction, with a connection of its own: keep the event's id, then the fact. A status
    // only moves on, never back. What fails is rolled back and returned, so that the event comes again.
    Ok(true)
}

pub fn rows() -> rusqlite::Result<Vec<Value>> {
    // Day 4: session_id, amount, currency, status, created, updated, payment_intent, event_id.
    Ok(Vec::new())
}
