//! The layout of the ledger's file: numbered migrations, the settings of a connection, SQLite's errors
//! by what a person can do about them.

use crate::domain::currency::Currency;
use crate::domain::data_file::FileState;
use crate::domain::entry::{CheckoutRecord, EntryStatus};
use crate::domain::time::Timestamp;
use crate::os::entropy::Entropy;
use crate::os::private;
use crate::os::trouble;
use crate::store::StoreError;
use crate::store::migrate::{migrate, version};
use crate::store::rebuild;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row, Transaction};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long opening waits for another process's transaction.
const OPEN_WAIT: Duration = Duration::from_secs(10);

/// How long it is waited before a file that is busy is opened again.
const AGAIN: Duration = Duration::from_millis(10);

/// How long a read or a commit waits for it: whoever sent an event waits for the answer, and sends it again.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(1);

/// How many different statements a connection keeps ready.
const STATEMENTS: usize = 64;

/// Each entry brings a file from the schema of its index to the next. Never edited once released.
const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    ALTER TABLE events ADD COLUMN via TEXT NOT NULL DEFAULT 'carried';
    ALTER TABLE events ADD COLUMN signed INTEGER;
    ALTER TABLE events ADD COLUMN secret TEXT;
    ALTER TABLE events ADD COLUMN apart TEXT;
    ALTER TABLE events ADD COLUMN writer INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE events ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE events ADD COLUMN hash BLOB;
    CREATE INDEX events_with_problem ON events (seq) WHERE problem IS NOT NULL OR apart IS NOT NULL;
    CREATE TABLE heads (
        writer INTEGER PRIMARY KEY,
        place  INTEGER NOT NULL,
        hash   BLOB NOT NULL
    ) STRICT;
    CREATE TABLE checkpoints (
        number INTEGER PRIMARY KEY,
        writer INTEGER NOT NULL,
        place  INTEGER NOT NULL,
        hash   BLOB NOT NULL,
        seal   BLOB NOT NULL
    ) STRICT;
    CREATE TABLE facts (
        subject  TEXT NOT NULL,
        object   TEXT NOT NULL,
        kind     TEXT NOT NULL,
        what     TEXT NOT NULL,
        amount   INTEGER NOT NULL,
        currency TEXT NOT NULL,
        detail   TEXT NOT NULL,
        at       INTEGER NOT NULL,
        line     INTEGER NOT NULL,
        PRIMARY KEY (subject, object, kind, what, amount, currency, detail)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        number     INTEGER PRIMARY KEY,
        line       INTEGER NOT NULL,
        subject    TEXT NOT NULL,
        object     TEXT NOT NULL,
        reason     TEXT NOT NULL,
        takes_back INTEGER UNIQUE
    ) STRICT;
    CREATE INDEX entries_by_subject ON entries (subject);
    CREATE TABLE postings (
        entry    INTEGER NOT NULL,
        account  TEXT NOT NULL,
        currency TEXT NOT NULL,
        amount   INTEGER NOT NULL,
        PRIMARY KEY (entry, account, currency)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE conflicts (
        subject TEXT NOT NULL,
        trouble TEXT NOT NULL,
        said    TEXT NOT NULL,
        PRIMARY KEY (subject, trouble, said)
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE events ADD COLUMN pack INTEGER;
    DROP INDEX ledger_by_created;
    CREATE INDEX ledger_by_created ON ledger (created);
    CREATE TABLE packs (
        number INTEGER PRIMARY KEY,
        lines  INTEGER NOT NULL,
        bytes  INTEGER NOT NULL,
        packed BLOB NOT NULL
    ) STRICT;
",
    // Ids differ in their ends: an index over those is a fraction of one over the whole. What each status comes to is
    // kept along, so that nobody adds up a million rows to see the last ones.
    "
    CREATE TABLE sessions (
        session_id     TEXT NOT NULL,
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
    INSERT INTO sessions SELECT session_id, amount, currency, status, settled, refunded, created, updated,
        payment_intent, event_id FROM ledger ORDER BY rowid;
    DROP TABLE ledger;
    ALTER TABLE sessions RENAME TO ledger;
    CREATE INDEX ledger_by_session ON ledger (substr(session_id, -12));
    CREATE INDEX ledger_by_intent ON ledger (substr(payment_intent, -12)) WHERE payment_intent IS NOT NULL;
    CREATE INDEX ledger_by_created ON ledger (created);
    CREATE TABLE totals (
        currency      TEXT NOT NULL,
        status        TEXT NOT NULL,
        sessions      INTEGER NOT NULL,
        high          INTEGER NOT NULL,
        low           INTEGER NOT NULL,
        refunded_high INTEGER NOT NULL,
        refunded_low  INTEGER NOT NULL,
        PRIMARY KEY (currency, status)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO totals SELECT currency, status, COUNT(*), SUM(amount >> 32), SUM(amount & 4294967295),
        SUM(refunded >> 32), SUM(refunded & 4294967295) FROM ledger GROUP BY currency, status;
    CREATE TRIGGER ledger_added AFTER INSERT ON ledger BEGIN
        INSERT INTO totals VALUES (NEW.currency, NEW.status, 1, NEW.amount >> 32, NEW.amount & 4294967295,
            NEW.refunded >> 32, NEW.refunded & 4294967295)
        ON CONFLICT (currency, status) DO UPDATE SET sessions = sessions + 1, high = high + excluded.high,
            low = low + excluded.low, refunded_high = refunded_high + excluded.refunded_high,
            refunded_low = refunded_low + excluded.refunded_low;
    END;
    CREATE TRIGGER ledger_removed AFTER DELETE ON ledger BEGIN
        UPDATE totals SET sessions = sessions - 1, high = high - (OLD.amount >> 32),
            low = low - (OLD.amount & 4294967295), refunded_high = refunded_high - (OLD.refunded >> 32),
            refunded_low = refunded_low - (OLD.refunded & 4294967295)
        WHERE currency = OLD.currency AND status = OLD.status;
        DELETE FROM totals WHERE currency = OLD.currency AND status = OLD.status AND sessions = 0;
    END;
    CREATE TRIGGER ledger_changed AFTER UPDATE OF amount, currency, status, refunded ON ledger BEGIN
        UPDATE totals SET sessions = sessions - 1, high = high - (OLD.amount >> 32),
            low = low - (OLD.amount & 4294967295), refunded_high = refunded_high - (OLD.refunded >> 32),
            refunded_low = refunded_low - (OLD.refunded & 4294967295)
        WHERE currency = OLD.currency AND status = OLD.status;
        DELETE FROM totals WHERE currency = OLD.currency AND status = OLD.status AND sessions = 0;
        INSERT INTO totals VALUES (NEW.currency, NEW.status, 1, NEW.amount >> 32, NEW.amount & 4294967295,
            NEW.refunded >> 32, NEW.refunded & 4294967295)
        ON CONFLICT (currency, status) DO UPDATE SET sessions = sessions + 1, high = high + excluded.high,
            low = low + excluded.low, refunded_high = refunded_high + excluded.refunded_high,
            refunded_low = refunded_low + excluded.refunded_low;
    END;
    CREATE TABLE booked (
        number     INTEGER PRIMARY KEY,
        line       INTEGER NOT NULL,
        subject    TEXT NOT NULL,
        object     TEXT,
        reason     TEXT NOT NULL,
        takes_back INTEGER
    ) STRICT;
    INSERT INTO booked SELECT number, line, subject, NULLIF(object, subject), reason, takes_back FROM entries;
    DROP TABLE entries;
    ALTER TABLE booked RENAME TO entries;
    CREATE INDEX entries_by_subject ON entries (substr(subject, -12));
    CREATE UNIQUE INDEX entries_that_take_back ON entries (takes_back) WHERE takes_back IS NOT NULL;
    CREATE INDEX events_of_disputes ON events (object) WHERE type >= 'charge.dispute.' AND type < 'charge.dispute/';
",
    // New rows are summed up a few hundred at a time: each by itself would change one more page with every event. What is
    // not in the totals yet is added by whoever asks for the sums.
    "
    CREATE TABLE summed (up_to INTEGER NOT NULL) STRICT;
    INSERT INTO summed SELECT COALESCE(MAX(rowid), 0) FROM ledger;
    CREATE VIEW sums AS
        SELECT currency, status, sessions, high, low, refunded_high, refunded_low FROM totals
        UNION ALL
        SELECT currency, status, 1, amount >> 32, amount & 4294967295, refunded >> 32, refunded & 4294967295
        FROM ledger WHERE rowid > (SELECT up_to FROM summed);
    CREATE TRIGGER summed_further AFTER UPDATE OF up_to ON summed BEGIN
        INSERT INTO totals SELECT currency, status, COUNT(*), SUM(amount >> 32), SUM(amount & 4294967295),
            SUM(refunded >> 32), SUM(refunded & 4294967295)
        FROM ledger WHERE rowid > OLD.up_to AND rowid <= NEW.up_to GROUP BY currency, status
        ON CONFLICT (currency, status) DO UPDATE SET sessions = sessions + excluded.sessions,
            high = high + excluded.high, low = low + excluded.low,
            refunded_high = refunded_high + excluded.refunded_high,
            refunded_low = refunded_low + excluded.refunded_low;
    END;
    DROP TRIGGER ledger_added;
    DROP TRIGGER ledger_removed;
    CREATE TRIGGER ledger_removed AFTER DELETE ON ledger WHEN OLD.rowid <= (SELECT up_to FROM summed) BEGIN
        UPDATE totals SET sessions = sessions - 1, high = high - (OLD.amount >> 32),
            low = low - (OLD.amount & 4294967295), refunded_high = refunded_high - (OLD.refunded >> 32),
            refunded_low = refunded_low - (OLD.refunded & 4294967295)
        WHERE currency = OLD.currency AND status = OLD.status;
        DELETE FROM totals WHERE currency = OLD.currency AND status = OLD.status AND sessions = 0;
    END;
    DROP TRIGGER ledger_changed;
    CREATE TRIGGER ledger_changed AFTER UPDATE OF amount, currency, status, refunded ON ledger
    WHEN OLD.rowid <= (SELECT up_to FROM summed) BEGIN
        UPDATE totals SET sessions = sessions - 1, high = high - (OLD.amount >> 32),
            low = low - (OLD.amount & 4294967295), refunded_high = refunded_high - (OLD.refunded >> 32),
            refunded_low = refunded_low - (OLD.refunded & 4294967295)
        WHERE currency = OLD.currency AND status = OLD.status;
        DELETE FROM totals WHERE currency = OLD.currency AND status = OLD.status AND sessions = 0;
        INSERT INTO totals VALUES (NEW.currency, NEW.status, 1, NEW.amount >> 32, NEW.amount & 4294967295,
            NEW.refunded >> 32, NEW.refunded & 4294967295)
        ON CONFLICT (currency, status) DO UPDATE SET sessions = sessions + 1, high = high + excluded.high,
            low = low + excluded.low, refunded_high = refunded_high + excluded.refunded_high,
            refunded_low = refunded_low + excluded.refunded_low;
    END;
",
];

/// Brings the totals up to the last row.
pub(super) fn sum_up(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE summed SET up_to = (SELECT COALESCE(MAX(rowid), 0) FROM ledger)";
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// The layout of files of an older version.
#[cfg(test)]
pub(super) fn of_version(version: usize) -> String {
    MIGRATIONS[..version].concat()
}

/// How far a file of this version has come.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The condition that `column` is the parameter `at`, in the words of its index over the ends of ids. The sign keeps
/// SQLite from putting the one condition into the other, after which it would not know the index again.
pub(super) fn is(column: &str, at: usize) -> String {
    format!("substr({column}, -12) = substr(?{at}, -12) AND +{column} = ?{at}")
}

/// Lays out an empty database, in which nothing is kept.
pub(super) fn lay_out(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate(connection, MIGRATIONS, |_| Ok(()))
}

/// Opens a connection: write-ahead log, every commit flushed to disk, schema up to date.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    patiently(OPEN_WAIT, || open_once(path))
}

/// Opens again what is busy, for as long as it may wait: where several open a new file at once, SQLite calls it busy without
/// having waited for whoever changes its mode.
pub(crate) fn patiently<T>(
    wait: Duration,
    mut open: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let began = Instant::now();
    loop {
        match open() {
            Err(StoreError::Busy { .. }) if began.elapsed() < wait => thread::sleep(AGAIN),
            done => return done,
        }
    }
}

fn open_once(path: &Path) -> Result<Connection, StoreError> {
    private::database(path).map_err(|error| StoreError::of_system(path, &error))?;
    let fail = |error: rusqlite::Error| explain(path, &error);
    let mut connection = Connection::open(path).map_err(fail)?;
    connection.busy_timeout(OPEN_WAIT).map_err(fail)?;
    let known = known();
    let found = version(&connection).map_err(fail)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    // Changing the journal's mode needs the file alone; it stays changed, so it is asked for once.
    if mode(&connection).map_err(fail)? != "wal" {
        connection.pragma_update(None, "journal_mode", "wal").map_err(fail)?;
    }
    connection.pragma_update(None, "synchronous", "full").map_err(fail)?;
    // All that a writer ever asks: what falls out would be read by SQLite's compiler each time.
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", "on").map_err(fail)?;
    if found < known {
        migrate(&mut connection, MIGRATIONS, |transaction| {
            number(transaction)?;
            rebuild::carry_over(transaction)
        })
        .map_err(fail)?;
    } else if id(&connection).map_err(fail)? == 0
        && let Err(error) = migrate(&mut connection, MIGRATIONS, number)
    {
        // A file of an older version, which can do without: it is only not known for a copy.
        tracing::debug!(%error, "the ledger has no number yet");
    }
    connection.busy_timeout(BUSY_WAIT).map_err(fail)?;
    Ok(connection)
}

/// The number that tells one ledger from another, and that copies of it share.
pub(crate) fn id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

fn mode(connection: &Connection) -> rusqlite::Result<String> {
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

/// A number for a writer, that no other has.
pub(super) fn writer_number() -> i64 {
    let number = Entropy::system().numbers("ledger writer").next() >> 1;
    i64::try_from(number).unwrap_or(1).max(1)
}

/// Gives a ledger that has no number yet one.
fn number(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    if id(transaction)? == 0 {
        let number = Entropy::system().numbers("ledger").next() % 0x7FFF_FFFF + 1;
        transaction.pragma_update(None, "application_id", i64::try_from(number).unwrap_or(1))?;
    }
    Ok(())
}

/// What an error of SQLite means for a person.
pub(crate) fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
        return StoreError::Interrupted;
    }
    match trouble::of_sqlite(error) {
        FileState::Busy => StoreError::Busy { path },
        FileState::Full => StoreError::Full { path },
        FileState::ReadOnly => StoreError::ReadOnly { path },
        FileState::Broken => StoreError::Corrupt { path, reason: error.to_string() },
        FileState::Newer | FileState::Unusable | FileState::Away => {
            StoreError::Io { path, reason: error.to_string() }
        }
    }
}

/// A row of `session_id, amount, currency, settled, created, updated, payment_intent, event_id`.
pub(crate) fn entry(row: &Row<'_>) -> rusqlite::Result<CheckoutRecord> {
    Ok(CheckoutRecord {
        session_id: row.get(0)?,
        amount: row.get(1)?,
        currency: currency(row, 2)?,
        status: status(row, 3)?,
        created: Timestamp(row.get(4)?),
        updated: Timestamp(row.get(5)?),
        payment_intent: row.get(6)?,
        event_id: row.get(7)?,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::OpenFlags;
    use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

    #[test]
    fn what_may_only_be_read_and_what_finds_no_room_is_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(open(&path).unwrap());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let reader = Connection::open_with_flags(&path, flags).unwrap();
        let error = reader.execute("CREATE TABLE t (x)", []).unwrap_err();
        assert!(matches!(explain(&path, &error), StoreError::ReadOnly { .. }), "{error}");
        for code in [SQLITE_IOERR_SHMSIZE, rusqlite::ffi::SQLITE_FULL] {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            assert!(matches!(explain(&path, &error), StoreError::Full { .. }), "{error}");
        }
    }
}
