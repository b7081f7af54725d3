//! What becomes of a ledger whose file was removed or replaced while it was written (`os::place` notices it).

use crate::domain::entry::{CheckoutRecord, RefundState, Refunded};
use crate::domain::time::Timestamp;
use crate::os::place::{Identity, beside, put, remove};
use crate::os::private;
use crate::store::lock::LedgerLock;
use crate::store::migrate::version;
use crate::store::writer::{apply_refund, apply_session};
use crate::store::{StoreError, schema};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use std::fs;
use std::io;
use std::path::Path;

/// What became of a ledger's file while it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It was removed, and a new one cannot be built yet.
    Removed,
    /// It was removed, and a new one has everything that was acknowledged.
    Rebuilt,
    /// A file that is not this ledger stands in its place; it is left alone.
    Replaced,
    /// Another copy of this ledger stands in its place, and has everything that was acknowledged.
    Adopted,
}

impl Moved {
    /// What happened, in short.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Removed => "was removed",
            Self::Rebuilt => "was removed and built anew",
            Self::Replaced => "was replaced by another file",
            Self::Adopted => "was replaced by a copy, which is used now",
        }
    }
}

/// Builds the file anew at `path` from `old`, the connection to the file that was removed. Returns whether it
/// did: `false` where something stands there meanwhile.
pub(super) fn rebuild(path: &Path, old: &Connection) -> Result<bool, StoreError> {
    let io = |error: io::Error| StoreError::Io { path: path.to_owned(), reason: error.to_string() };
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    private::folder(folder).map_err(io)?;
    let _building = LedgerLock::building(path).map_err(io)?;
    if Identity::of(path).is_some() {
        return Ok(false);
    }
    let draft = beside(path, &format!(".draft-{}", std::process::id()));
    remove(&draft).map_err(io)?;
    private::database(&draft).map_err(io)?;
    let filled = fill(&draft, old).and_then(|()| put(&draft, path).map_err(io));
    // Whether it stands under its name now or could not be made: the draft has done its part.
    remove(&draft).map_err(io)?;
    filled?;
    private::sync_folder(folder).map_err(io)?;
    Ok(true)
}

fn fill(draft: &Path, old: &Connection) -> Result<(), StoreError> {
    let name = draft.to_string_lossy();
    old.execute("VACUUM INTO ?1", [name.as_ref()])
        .map_err(|error| schema::explain(draft, &error))?;
    let flushed = fs::File::open(draft).and_then(|file| file.sync_all());
    flushed.map_err(|error| StoreError::Io { path: draft.to_owned(), reason: error.to_string() })
}

/// Whether the file at `path` is a copy of the ledger that `old` has open, or a ledger without anything in it:
/// one that may be written to. It is only read.
pub(super) fn is_ours(path: &Path, old: &Connection) -> bool {
    if fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == 0) {
        return true;
    }
    let read = || -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        // Without the log beside it, which may be the one of the file that was there before.
        let address = format!("file:{}?immutable=1", encoded(path));
        let other = Connection::open_with_flags(address, flags)?;
        if version(&other)? != version(old)? {
            return Ok(false);
        }
        let own = schema::id(old)?;
        if own != 0 && own == schema::id(&other)? {
            return Ok(true);
        }
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM events) AND NOT EXISTS (SELECT 1 FROM ledger) \
                   AND NOT EXISTS (SELECT 1 FROM refunds)";
        other.query_row(sql, [], |row| row.get(0))
    };
    read().unwrap_or(false)
}

fn encoded(path: &Path) -> String {
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-');
    utf8_percent_encode(&path.to_string_lossy(), ESCAPED).to_string()
}

/// Brings everything that `old` knows into `new`, which may know some of it.
pub(super) fn carry(old: &Connection, new: &mut Connection) -> rusqlite::Result<()> {
    let transaction = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut events = old.prepare(
        "SELECT id, type, object, created, livemode, received, problem, body FROM events ORDER BY seq",
    )?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let sql = "INSERT INTO events (id, type, object, created, livemode, received, problem, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING";
        transaction.prepare_cached(sql)?.execute(params![
            row.get::<_, Value>(0)?,
            row.get::<_, Value>(1)?,
            row.get::<_, Value>(2)?,
            row.get::<_, Value>(3)?,
            row.get::<_, Value>(4)?,
            row.get::<_, Value>(5)?,
            row.get::<_, Value>(6)?,
            row.get::<_, Value>(7)?,
        ])?;
    }
    let mut entries = old.prepare(
        "SELECT session_id, amount, currency, settled, created, updated, payment_intent, event_id \
         FROM ledger",
    )?;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        let entry: CheckoutRecord = schema::entry(row)?;
        apply_session(&transaction, &entry)?;
    }
    let mut refunds = old
        .prepare("SELECT payment_intent, source, state, amount, updated, event_id FROM refunds")?;
    let mut rows = refunds.query([])?;
    while let Some(row) = rows.next()? {
        let state: String = row.get(2)?;
        let refunded = Refunded {
            payment_intent: row.get(0)?,
            source: row.get(1)?,
            state: RefundState::read(&state).ok_or_else(|| schema::unknown(2, &state))?,
            amount: row.get(3)?,
            updated: Timestamp(row.get(4)?),
            event_id: row.get(5)?,
        };
        apply_refund(&transaction, &refunded)?;
    }
    let mut cursors = old.prepare("SELECT name, value FROM cursor")?;
    let mut rows = cursors.query([])?;
    while let Some(row) = rows.next()? {
        let sql = "INSERT INTO cursor (name, value) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";
        transaction.execute(sql, params![row.get::<_, Value>(0)?, row.get::<_, Value>(1)?])?;
    }
    transaction.commit()
}
