//! What becomes of a ledger whose file was removed or replaced while it was written (`os::place` notices it).

use crate::os::place::{Identity, beside, put, remove};
use crate::os::private;
use crate::store::chain::Chain;
use crate::store::lock::LedgerLock;
use crate::store::migrate::version;
use crate::store::pack::Bodies;
use crate::store::sqlite::{LINE, Sqlite, line};
use crate::store::{StoreError, journal, schema};
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
    let io = |error: io::Error| StoreError::of_system(path, &error);
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
    flushed.map_err(|error| StoreError::of_system(draft, &error))
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

/// Brings everything that `old` knows into `new`, which may know some of it. What was missing there goes on a chain of
/// its own: the one that it was on may have gone on differently in the copy.
pub(super) fn carry(old: &Connection, new: &mut Connection) -> rusqlite::Result<()> {
    let transaction = new.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let begin = Chain::new(schema::writer_number());
    let mut chain = begin.clone();
    let mut store = Sqlite::new(&transaction, &mut chain);
    let mut lines = old.prepare(&format!("SELECT {LINE} FROM events ORDER BY seq"))?;
    let mut rows = lines.query([])?;
    let mut bodies = Bodies::new(old);
    while let Some(row) = rows.next()? {
        journal::take(&mut store, &line(row, &mut bodies)?)?;
    }
    chain.note(&begin, &transaction)?;
    let mut cursors = old.prepare("SELECT name, value FROM cursor")?;
    let mut rows = cursors.query([])?;
    while let Some(row) = rows.next()? {
        let sql = "INSERT INTO cursor (name, value) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";
        transaction.execute(sql, params![row.get::<_, Value>(0)?, row.get::<_, Value>(1)?])?;
    }
    transaction.commit()
}
