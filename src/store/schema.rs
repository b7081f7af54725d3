//! The layout of the ledger's file: numbered migrations, the settings of a connection, SQLite's errors
//! by what a person can do about them.

use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::store::StoreError;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// How long one process waits for another's transaction.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Each entry brings a file from the schema of its index to the next. Never edited once released.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE events (
        seq      INTEGER PRIMARY KEY,
        id       TEXT NOT NULL UNIQUE,
        type     TEXT NOT NULL,
        object   TEXT,
        created  INTEGER NOT NULL,
        livemode INTEGER NOT NULL,
        received INTEGER NOT NULL,
        problem  TEXT,
        body     BLOB NOT NULL
    ) STRICT;
    CREATE TABLE ledger (
        session_id     TEXT PRIMARY KEY,
        amount         INTEGER NOT NULL,
        currency       TEXT NOT NULL,
        status         TEXT NOT NULL,
        settled        TEXT NOT NULL,
        refunded       INTEGER NOT NULL,
        created        INTEGER NOT NULL,
        updated        INTEGER NOT NULL,
        payment_intent TEXT,
        event_id       TEXT
    ) STRICT;
    CREATE INDEX ledger_by_intent ON ledger (payment_intent) WHERE payment_intent IS NOT NULL;
    CREATE INDEX ledger_by_created ON ledger (created, session_id);
    CREATE TABLE refunds (
        payment_intent TEXT NOT NULL,
        source         TEXT NOT NULL,
        state          TEXT NOT NULL,
        amount         INTEGER NOT NULL,
        updated        INTEGER NOT NULL,
        event_id       TEXT,
        PRIMARY KEY (payment_intent, source)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cursor (
        name  TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];

/// Opens a connection: write-ahead log, every commit flushed to disk, schema up to date.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| StoreError::Io { path: path.to_owned(), reason: error.to_string() })?;
    }
    let fail = |error: rusqlite::Error| explain(path, &error);
    let mut connection = Connection::open(path).map_err(fail)?;
    connection.busy_timeout(BUSY_WAIT).map_err(fail)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = version(&connection).map_err(fail)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    // Changing the journal's mode needs the file alone; it stays changed, so it is asked for once.
    if mode(&connection).map_err(fail)? != "wal" {
        connection.pragma_update(None, "journal_mode", "wal").map_err(fail)?;
    }
    connection.pragma_update(None, "synchronous", "full").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", "on").map_err(fail)?;
    if found < known {
        migrate(&mut connection).map_err(fail)?;
    }
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn mode(connection: &Connection) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

/// Two processes may open a new file at once: the second finds nothing left to do.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    for (at, migration) in MIGRATIONS.iter().enumerate() {
        let number = i64::try_from(at).unwrap_or(i64::MAX);
        if number >= found {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", number + 1)?;
        }
    }
    transaction.commit()
}

/// What an error of SQLite means for a person.
pub(crate) fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { path, reason: error.to_string() }
        }
        Some(_) => StoreError::Io { path, reason: error.to_string() },
        // Not SQLite but our reading of it: a value that we never wrote.
        None => StoreError::Corrupt { path, reason: error.to_string() },
    }
}

pub(crate) fn currency(row: &Row<'_>, at: usize) -> rusqlite::Result<Currency> {
    let text: String = row.get(at)?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error)))
}

pub(crate) fn status(row: &Row<'_>, at: usize) -> rusqlite::Result<EntryStatus> {
    let text: String = row.get(at)?;
    EntryStatus::read(&text).ok_or_else(|| unknown(at, &text))
}

pub(crate) fn unknown(at: usize, text: &str) -> rusqlite::Error {
    let reason = format!("`{text}` is not known here");
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, reason.into())
}
