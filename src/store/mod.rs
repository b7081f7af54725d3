//! The merchant's ledger, in a file of SQLite or on a PostgreSQL server ([`ledger`]): a journal of lines as they came, and what follows from it: one row a Checkout
//! Session, refunds by PaymentIntent, and a book in double entry.
//! Several processes may use one ledger at once. Writing goes through [`ledger::Writer`] alone.

pub mod book;
pub mod buyer;
mod carry;
mod chain;
mod compact;
pub mod compared;
pub mod dispute;
pub mod findings;
pub mod guard;
mod homes;
mod import;
pub mod journal;
pub mod kept;
pub mod keyring;
pub mod lanes;
pub mod ledger;
pub mod lock;
pub mod migrate;
mod pack;
pub mod postgres;
pub mod progress;
mod rebuild;
pub mod runs;
pub mod schema;
pub mod second;
mod snapshot;
mod sqlite;
pub mod subscriber;
pub mod tables;
mod trouble;
mod until;
pub mod verify;
pub mod writer;

use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::money::Money;
use crate::domain::reconcile::Record;
use crate::domain::report::{LedgerRow, Total};
use crate::domain::time::Timestamp;
use crate::store::guard::Moved;
pub use crate::store::ledger::Ledger;
use crate::store::pack::Bodies;
pub(crate) use crate::store::until::Until;
use crate::store::writer::LedgerWriter;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params_from_iter};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The ledger's file within the home folder.
pub const FILE: &str = "ledger.db";

/// Why the ledger could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process held the file for longer than we wait.
    #[error("{} is in use by another process", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the disk of {} is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file can be read and not written.
    #[error("{} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, or another than it should be.
    #[error("{} is damaged: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The file was written by a newer version.
    #[error("{} was written by a newer stripegym (schema {found}, this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema that the file carries.
        found: i64,
        /// The newest schema that is known here.
        known: i64,
    },
    /// The file is no longer where it was opened.
    #[error("{} {}", path.display(), how.name())]
    Moved {
        /// Where it was.
        path: PathBuf,
        /// What became of it.
        how: Moved,
    },
    /// It is being set back.
    #[error("{} is being set back", path.display())]
    Reset {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder cannot be opened or written.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// No server answers, or none that can be written to.
    #[error("{}: {reason}", path.display())]
    Away {
        /// The address.
        path: PathBuf,
        /// What the driver or the server said.
        reason: String,
    },
    /// The servers that were named are not those of one ledger, or do not do together what was asked.
    #[error("{reason}")]
    Servers {
        /// Their addresses.
        path: PathBuf,
        /// What does not fit.
        reason: String,
        /// The command that does.
        next: String,
    },
    /// Its end was asked for; what was not committed yet is as if it had not begun.
    #[error("interrupted")]
    Interrupted,
    /// The writer thread ended; whether the item was stored is unknown.
    #[error("its writer ended")]
    Gone,
}

/// Which rows are wanted; by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only rows of this status.
    pub status: Option<EntryStatus>,
    /// Only sessions created from this instant on.
    pub since: Option<Timestamp>,
    /// Only sessions created before this instant.
    pub until: Option<Timestamp>,
    /// Only this session.
    pub session: Option<String>,
    /// At most so many rows.
    pub limit: Option<u32>,
}

/// An event as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// `evt_…`.
    pub id: String,
    /// `checkout.session.completed`, …
    pub kind: String,
    /// When the provider made it.
    pub created: Timestamp,
    /// When it came here first.
    pub received: Timestamp,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// Why it could not be booked, where it should have been.
    pub problem: Option<String>,
}

/// Whoever takes rows one by one, and says where no more can be taken.
pub type Each<'e, T> = &'e mut dyn FnMut(T) -> io::Result<()>;

/// The ledger in a file, for reading, and the way to its writer.
#[derive(Debug)]
pub struct SqliteLedger {
    path: PathBuf,
    reader: Arc<Mutex<Connection>>,
    until: Until,
}

impl SqliteLedger {
    /// Opens the ledger at `path`; makes file and folder where there are none, and brings an older file up.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let reader = schema::open(path)?;
        let reader = Arc::new(Mutex::new(reader));
        Ok(Self { path: path.to_owned(), reader, until: Until::default() })
    }

    /// The same, of which everything that takes long ends with [`StoreError::Interrupted`] once that is asked for.
    pub(crate) fn until(mut self, until: Until) -> Result<Self, StoreError> {
        self.until = until;
        let watched = {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            self.until.watch(&mut reader)
        };
        watched.map_err(|error| schema::explain(&self.path, &error))?;
        Ok(self)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A writer with a connection of its own, for a [`crate::batch::Batch`].
    pub fn writer(&self) -> Result<LedgerWriter, StoreError> {
        LedgerWriter::open(&self.path, Arc::clone(&self.reader))
    }

    /// The rows that `filter` asks for, newest session first.
    pub fn rows(&self, filter: &Filter) -> Result<Vec<LedgerRow>, StoreError> {
        let (sql, values) = rows_sql(filter);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params_from_iter(values), row)?.collect()
        })
    }

    /// Gives the rows that `filter` asks for to `each`, oldest session first.
    pub fn each_row(&self, filter: &Filter, each: Each<'_, LedgerRow>) -> Result<(), StoreError> {
        let (sql, values) = oldest_first_sql(filter);
        self.stream(&sql, values, |_, found| row(found), each)
    }

    /// What the rows come to by currency, in the order of its code. The filter's limit does not matter.
    pub fn totals(&self, filter: &Filter) -> Result<Vec<Total>, StoreError> {
        let (sql, values) = totals_sql(filter);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params_from_iter(values), total)?.collect()
        })
    }

    /// How many different events were received.
    pub fn events_count(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            connection.query_row(
                "SELECT COUNT(*) FROM events WHERE type <> 'stripegym.seen'",
                [],
                |row| count(row, 0),
            )
        })
    }

    /// The event `id` as it was received.
    pub fn event(&self, id: &str) -> Result<Option<StoredEvent>, StoreError> {
        let sql = format!("{STORED_EVENT} WHERE id = ?1");
        self.read(|connection| {
            let mut bodies = Bodies::new(connection);
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([id], |row| stored_event(row, &mut bodies)).optional()
        })
    }

    /// The events received last, newest arrival first, at most `limit`.
    pub fn events(&self, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let sql =
            format!("{STORED_EVENT} WHERE type <> 'stripegym.seen' ORDER BY seq DESC LIMIT ?1");
        self.read(|connection| {
            let mut bodies = Bodies::new(connection);
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map([limit], |row| stored_event(row, &mut bodies))?.collect()
        })
    }

    /// The events after the line of this number, oldest first, at most `limit`, each with its line's number.
    pub fn events_after(
        &self,
        line: i64,
        limit: u32,
    ) -> Result<Vec<(i64, StoredEvent)>, StoreError> {
        let sql = format!(
            "{STORED_EVENT} WHERE seq > ?1 AND type <> 'stripegym.seen' ORDER BY seq LIMIT ?2"
        );
        self.read(|connection| {
            let mut bodies = Bodies::new(connection);
            let mut statement = connection.prepare_cached(&sql)?;
            let read = |row: &Row<'_>| Ok((row.get(6)?, stored_event(row, &mut bodies)?));
            statement.query_map([line, i64::from(limit)], read)?.collect()
        })
    }

    /// The number that tells this ledger from others.
    pub fn number(&self) -> Result<i64, StoreError> {
        self.read(schema::id)
    }

    /// The lines of the journal about any of these objects, oldest first: id, type, when it came.
    pub fn lines_about(
        &self,
        names: &[String],
    ) -> Result<Vec<(String, String, Timestamp)>, StoreError> {
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!(
            "SELECT id, type, received FROM events WHERE object IN ({marks}) OR seq IN \
             (SELECT line FROM facts WHERE subject IN ({marks})) ORDER BY seq LIMIT 1000"
        );
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let found = statement
                .query_map(params_from_iter(names.iter().chain(names)), |row| {
                    Ok((row.get(0)?, row.get(1)?, Timestamp(row.get(2)?)))
                })?;
            found.collect()
        })
    }

    /// Whether the file is where it was opened, and can be read by whoever opens it now.
    pub fn is_readable(&self) -> bool {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let looked = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(schema::BUSY_WAIT)?;
            connection.query_row("SELECT COUNT(*) FROM heads", [], |row| row.get::<_, i64>(0))
        });
        looked.is_ok()
    }

    /// Whether the file is where it was opened, and somebody may write to it now.
    pub fn is_writable(&self) -> bool {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let tried = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(schema::BUSY_WAIT)?;
            connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
        });
        tried.is_ok()
    }

    /// Up to when the poller `name` has read.
    pub fn cursor(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT value FROM cursor WHERE name = ?1";
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row([name], |row| row.get(0).map(Timestamp))
                .optional()
        })
    }

    /// Gives what `read` makes of each row to `each`, and holds no more than one.
    fn stream<T>(
        &self,
        sql: &str,
        values: Vec<Value>,
        read: impl Fn(&Connection, &Row<'_>) -> rusqlite::Result<T>,
        each: Each<'_, T>,
    ) -> Result<(), StoreError> {
        let stopped = self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if let Err(error) = each(read(connection, row)?) {
                    return Ok(Some(error));
                }
            }
            Ok(None)
        })?;
        let io = |error: io::Error| StoreError::Io {
            path: self.path.clone(),
            reason: error.to_string(),
        };
        stopped.map_or(Ok(()), |error| Err(io(error)))
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        query(&connection).map_err(|error| schema::explain(&self.path, &error))
    }
}

/// Whether the SQLite file at `path`, whoever's it is, can be read to its end. It is not written to.
pub fn inspect(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looked = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(schema::BUSY_WAIT)?;
        connection.pragma_query_value(None, "quick_check", |row| row.get::<_, String>(0))
    });
    match looked {
        Ok(said) if said == "ok" => Ok(()),
        Ok(reason) => Err(StoreError::Corrupt { path: path.to_owned(), reason }),
        Err(error) => Err(schema::explain(path, &error)),
    }
}

/// The columns that [`row`] reads.
const ROW: &str =
    "session_id, amount, currency, refunded, status, created, updated, payment_intent, event_id";

fn rows_sql(filter: &Filter) -> (String, Vec<Value>) {
    let (condition, values) = conditions(filter);
    let limit = filter.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    let order = "created DESC, session_id DESC";
    (format!("SELECT {ROW} FROM ledger{condition} ORDER BY {order}{limit}"), values)
}

fn oldest_first_sql(filter: &Filter) -> (String, Vec<Value>) {
    let (condition, values) = conditions(filter);
    let (newest, _) = rows_sql(filter);
    // The newest of them are known at their end alone.
    let from =
        if filter.limit.is_some() { format!("({newest})") } else { format!("ledger{condition}") };
    (format!("SELECT {ROW} FROM {from} ORDER BY created, session_id"), values)
}

/// Rows are added up only where it is asked for some of them by more than their status.
fn totals_sql(filter: &Filter) -> (String, Vec<Value>) {
    const COUNTED: &str = "(SELECT currency, status, created, session_id, 1 AS sessions, amount >> 32 AS high, \
        amount & 4294967295 AS low, refunded >> 32 AS refunded_high, refunded & 4294967295 AS refunded_low \
        FROM ledger)";
    let Filter { since, until, session, .. } = filter;
    let kept = since.is_none() && until.is_none() && session.is_none();
    let from = if kept { "sums" } else { COUNTED };
    let (condition, values) = conditions(filter);
    let paid = |what: &str| {
        let paid = "status IN ('paid', 'partially_refunded', 'refunded')";
        format!("SUM(CASE WHEN {paid} THEN {what} ELSE 0 END)")
    };
    let sql = format!(
        "SELECT currency, SUM(sessions), {}, {}, SUM(refunded_high), SUM(refunded_low) \
         FROM {from}{condition} GROUP BY currency ORDER BY currency",
        paid("high"),
        paid("low"),
    );
    (sql, values)
}

fn conditions(filter: &Filter) -> (String, Vec<Value>) {
    let mut parts = Vec::new();
    let mut values = Vec::new();
    let mut add = |sql: &dyn Fn(usize) -> String, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            parts.push(sql(values.len()));
        }
    };
    let status = filter.status.map(|status| Value::from(status.name().to_owned()));
    add(&|at| format!("status = ?{at}"), status);
    add(&|at| format!("created >= ?{at}"), filter.since.map(|at| Value::from(at.0)));
    add(&|at| format!("created < ?{at}"), filter.until.map(|at| Value::from(at.0)));
    add(&|at| schema::is("session_id", at), filter.session.clone().map(Value::from));
    let sql =
        if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
    (sql, values)
}

fn row(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    Ok(LedgerRow {
        record: Record {
            session_id: row.get(0)?,
            amount: Money::new(row.get(1)?, schema::currency(row, 2)?),
            status: schema::status(row, 4)?,
            created: Timestamp(row.get(5)?),
            payment_intent: row.get(7)?,
        },
        refunded: row.get(3)?,
        updated: Timestamp(row.get(6)?),
        event_id: row.get(8)?,
    })
}

fn total(row: &Row<'_>) -> rusqlite::Result<Total> {
    let currency: Currency = schema::currency(row, 0)?;
    Ok(Total {
        rows: count(row, 1)?,
        paid: Money::new(book::clamped(book::summed(row, 2)?), currency),
        refunded: Money::new(book::clamped(book::summed(row, 4)?), currency),
    })
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get(at).map(|count: i64| u64::try_from(count).unwrap_or(0))
}

/// The columns that [`stored_event`] reads.
const STORED_EVENT: &str =
    "SELECT id, type, created, received, body, problem, seq, pack FROM events";

fn stored_event(row: &Row<'_>, bodies: &mut Bodies<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        id: row.get(0)?,
        kind: row.get(1)?,
        created: Timestamp(row.get(2)?),
        received: Timestamp(row.get(3)?),
        body: bodies.of(row.get(6)?, row.get(4)?, row.get(7)?)?,
        problem: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::{Line, Source};
    use crate::domain::event::Event;
    use crate::store::writer::{Accepted, Change, LedgerBatch, Write};
    use serde_json::{Value as Json, json};
    use std::sync::Barrier;
    use std::thread;

    fn event(id: &str, kind: &str, created: i64, object: &Json) -> Event {
        Event::fetched(&json!({"id": id, "object": "event", "type": kind, "created": created,
            "livemode": false, "api_version": null, "data": {"object": object}}))
        .unwrap()
    }

    fn session(n: u32, payment_status: &str) -> Json {
        json!({"id": format!("cs_{n}"), "amount_total": 500, "currency": "jpy", "created": 100 + n,
            "mode": "payment", "payment_intent": format!("pi_{n}"), "payment_status": payment_status})
    }

    fn completed(id: &str, n: u32, payment_status: &str) -> Event {
        event(id, "checkout.session.completed", 200, &session(n, payment_status))
    }

    fn refunded(id: &str, n: u32, amount: i64) -> Event {
        let charge = json!({"id": format!("ch_{n}"), "payment_intent": format!("pi_{n}"),
            "amount_refunded": amount});
        event(id, "charge.refunded", 300, &charge)
    }

    fn line(event: Event, at: i64) -> Write {
        Write::line(Line::event(event, Timestamp(at), Source::Poll))
    }

    struct Desk {
        ledger: Ledger,
        batch: LedgerBatch,
        folder: tempfile::TempDir,
    }

    fn desk() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("home").join(FILE)).unwrap();
        let batch = ledger.writer().unwrap().start();
        Desk { ledger, batch, folder }
    }

    impl Desk {
        fn post(&self, event: Event) -> Accepted {
            self.batch.submit_blocking(line(event, 900)).unwrap()
        }

        fn row(&self, n: u32) -> Option<LedgerRow> {
            let session = Some(format!("cs_{n}"));
            self.ledger.rows(&Filter { session, ..Filter::default() }).unwrap().pop()
        }
    }

    #[test]
    fn an_event_makes_a_row_and_seeing_it_again_changes_nothing() {
        let desk = desk();
        let first = desk.post(completed("evt_1", 1, "paid"));
        let change =
            Change { session_id: "cs_1".to_owned(), before: None, after: EntryStatus::Paid };
        assert_eq!(first, Accepted { fresh: true, changes: vec![change], problem: None });
        let row = desk.row(1).unwrap();
        assert_eq!(row.record.amount, Money::new(500, Currency::JPY));
        assert_eq!((row.record.created, row.updated), (Timestamp(101), Timestamp(200)));
        assert_eq!(row.event_id.as_deref(), Some("evt_1"));
        assert!(!desk.post(completed("evt_1", 1, "unpaid")).fresh);
        let twin = desk.post(completed("evt_0", 1, "paid"));
        assert!(twin.fresh && twin.changes.is_empty());
        assert_eq!(desk.row(1).unwrap(), row);
        assert_eq!(desk.ledger.events_count().unwrap(), 2);
        assert_eq!(desk.ledger.event("evt_1").unwrap().unwrap().received, Timestamp(900));
    }

    #[test]
    fn a_refund_finds_its_session_whichever_comes_first() {
        let desk = desk();
        desk.post(completed("evt_1", 1, "paid"));
        let accepted = desk.post(refunded("evt_2", 1, 200));
        assert_eq!(accepted.changes[0].after, EntryStatus::PartiallyRefunded);
        assert!(desk.post(refunded("evt_3", 2, 500)).changes.is_empty());
        let accepted = desk.post(completed("evt_4", 2, "paid"));
        assert_eq!(accepted.changes[0].after, EntryStatus::Refunded);
        desk.post(refunded("evt_5", 1, 500));
        desk.post(refunded("evt_6", 1, 200));
        let (one, two) = (desk.row(1).unwrap(), desk.row(2).unwrap());
        assert_eq!((one.record.status, one.refunded), (EntryStatus::Refunded, 500));
        assert_eq!((two.record.status, two.refunded), (EntryStatus::Refunded, 500));
    }

    #[test]
    fn what_cannot_be_booked_is_kept_with_its_reason() {
        let desk = desk();
        let mut odd = session(1, "paid");
        odd["currency"] = json!("zzz");
        let accepted = desk.post(event("evt_1", "checkout.session.completed", 1, &odd));
        assert!(accepted.fresh && accepted.changes.is_empty());
        assert_eq!(desk.ledger.event("evt_1").unwrap().unwrap().problem, accepted.problem);
        assert!(desk.ledger.rows(&Filter::default()).unwrap().is_empty());
    }

    #[test]
    fn a_row_that_cannot_be_read_fails_only_what_meets_it() {
        use crate::batch::Commit;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let ledger = Ledger::open(&path).unwrap();
        let mut writer = ledger.writer().unwrap();
        let mut commit = |events: Vec<Event>| {
            let items = events.into_iter().map(|it| line(it, 1));
            writer.commit(items.collect()).unwrap()
        };
        assert!(commit(vec![completed("evt_1", 1, "unpaid")])[0].is_ok());
        let other = Connection::open(&path).unwrap();
        other.execute("UPDATE ledger SET currency = 'zzz'", []).unwrap();
        let done = commit(vec![
            completed("evt_2", 2, "paid"),
            completed("evt_3", 1, "paid"),
            completed("evt_4", 3, "paid"),
        ]);
        assert!(matches!(done[..], [Ok(_), Err(StoreError::Corrupt { .. }), Ok(_)]), "{done:?}");
        let kept = |id: &str| ledger.event(id).unwrap().is_some();
        assert_eq!(["evt_2", "evt_3", "evt_4"].map(kept), [true, false, true]);
        let row = |n: u32| {
            let session = Some(format!("cs_{n}"));
            ledger.rows(&Filter { session, ..Filter::default() }).unwrap().len()
        };
        assert_eq!((row(2), row(3)), (1, 1));
    }

    #[test]
    fn rows_are_filtered_and_totals_are_kept_by_currency() {
        let desk = desk();
        desk.post(completed("evt_1", 1, "paid"));
        desk.post(completed("evt_2", 2, "unpaid"));
        desk.post(refunded("evt_3", 1, 200));
        let mut dollars = session(3, "paid");
        dollars["currency"] = json!("usd");
        desk.post(event("evt_4", "checkout.session.completed", 1, &dollars));
        let ids = |filter: Filter| -> Vec<String> {
            desk.ledger
                .rows(&filter)
                .unwrap()
                .into_iter()
                .map(|row| row.record.session_id)
                .collect()
        };
        assert_eq!(ids(Filter::default()), ["cs_3", "cs_2", "cs_1"]);
        assert_eq!(ids(Filter { limit: Some(1), ..Filter::default() }), ["cs_3"]);
        let status = Some(EntryStatus::Unpaid);
        assert_eq!(ids(Filter { status, ..Filter::default() }), ["cs_2"]);
        let (since, until) = (Some(Timestamp(102)), Some(Timestamp(103)));
        assert_eq!(ids(Filter { since, until, ..Filter::default() }), ["cs_2"]);
        let totals = desk.ledger.totals(&Filter::default()).unwrap();
        let yen = Money::new(500, Currency::JPY);
        let back = Money::new(200, Currency::JPY);
        assert_eq!(totals[0], Total { rows: 2, paid: yen, refunded: back });
        assert_eq!(totals[1].paid, Money::new(500, Currency::USD));
    }

    #[test]
    fn what_was_seen_is_booked_without_an_event_and_twice_is_once() {
        let desk = desk();
        let entry = crate::domain::entry::Fact::of(&completed("evt_1", 1, "paid"));
        let fact = entry.unwrap().unwrap();
        let seen =
            |fact| desk.batch.submit_blocking(Write::seen(vec![fact], Timestamp(1))).unwrap();
        assert!(seen(fact.clone()).fresh);
        assert!(!seen(fact).fresh);
        assert_eq!(desk.ledger.events_count().unwrap(), 0);
        assert_eq!(desk.row(1).unwrap().record.status, EntryStatus::Paid);
    }

    #[test]
    fn a_cursor_never_moves_back() {
        let desk = desk();
        assert_eq!(desk.ledger.cursor("events").unwrap(), None);
        for at in [50, 70, 60] {
            let posting = Write::Cursor("events".to_owned(), Timestamp(at));
            desk.batch.submit_blocking(posting).unwrap();
        }
        assert_eq!(desk.ledger.cursor("events").unwrap(), Some(Timestamp(70)));
    }

    #[test]
    fn many_openers_of_one_new_file_all_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for who in 0..4_u32 {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let ledger = Ledger::open(path).unwrap();
                    let batch = ledger.writer().unwrap().start();
                    for n in 0..20 {
                        // Every event is told by two of the four.
                        let event = completed(&format!("evt_{}_{n}", who / 2), n, "paid");
                        batch.submit_blocking(line(event, 1)).unwrap();
                    }
                });
            }
        });
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.events_count().unwrap(), 40);
        assert_eq!(ledger.rows(&Filter::default()).unwrap().len(), 20);
    }

    #[test]
    fn a_newer_file_and_a_file_of_something_else_are_told_apart() {
        let desk = desk();
        let newer = desk.folder.path().join("newer.db");
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Ledger::open(&newer), Err(StoreError::Newer { found: 99, known: 5, .. })));
        let other = desk.folder.path().join("other.db");
        std::fs::write(&other, "not a database, but long enough to be looked at".repeat(40))
            .unwrap();
        assert!(matches!(Ledger::open(&other), Err(StoreError::Corrupt { .. })));
        let nowhere = other.join("ledger.db");
        assert!(matches!(Ledger::open(&nowhere), Err(StoreError::Io { .. })));
    }

    #[test]
    fn a_write_that_fails_changes_nothing_and_says_so() {
        let desk = desk();
        desk.post(completed("evt_1", 1, "paid"));
        let saboteur = Connection::open(desk.ledger.path()).unwrap();
        let trigger = "CREATE TRIGGER stop BEFORE INSERT ON ledger WHEN NEW.session_id = 'cs_3' \
                       BEGIN SELECT RAISE(ABORT, 'no'); END";
        saboteur.execute_batch(trigger).unwrap();
        assert!(desk.batch.submit_blocking(line(completed("evt_3", 3, "paid"), 1)).is_err());
        assert_eq!(desk.ledger.event("evt_3").unwrap(), None);
        assert!(desk.post(completed("evt_4", 4, "paid")).fresh);
    }

    #[test]
    fn whatever_is_looked_for_is_found_by_an_index_and_the_first_screen_adds_nothing_up() {
        let desk = desk();
        let own = SqliteLedger::open(desk.ledger.path()).unwrap();
        let connection = own.reader.lock().unwrap();
        let by = |column: &str| schema::is(column, 1);
        let filter = |it: Filter| [rows_sql(&it).0, totals_sql(&it).0];
        let first = filter(Filter { limit: Some(50), ..Filter::default() });
        let one = filter(Filter { session: Some("cs_1".to_owned()), ..Filter::default() });
        let since = filter(Filter { since: Some(Timestamp(5)), ..Filter::default() });
        let queries = [
            (first[0].clone(), "SCAN ledger USING INDEX ledger_by_created"),
            (first[1].clone(), "SCAN totals"),
            (one[0].clone(), "SEARCH ledger USING INDEX ledger_by_session"),
            (one[1].clone(), "SEARCH ledger USING INDEX ledger_by_session"),
            (since[0].clone(), "SEARCH ledger USING INDEX ledger_by_created"),
            (since[1].clone(), "SEARCH ledger USING INDEX ledger_by_created"),
            (
                format!("SELECT 1 FROM ledger WHERE {}", by("payment_intent")),
                "SEARCH ledger USING INDEX ledger_by_intent",
            ),
            (
                format!("UPDATE ledger SET amount = 1 WHERE {}", by("session_id")),
                "SEARCH ledger USING INDEX ledger_by_session",
            ),
            (
                format!("SELECT 1 FROM entries WHERE {}", by("subject")),
                "SEARCH entries USING INDEX entries_by_subject",
            ),
            ("SELECT 1 FROM entries WHERE takes_back = ?1".to_owned(), "entries_that_take_back"),
            (dispute::LINE.to_owned(), "SEARCH events USING INDEX events_of_disputes"),
        ];
        for (sql, expected) in queries {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = sql.contains("?1").then_some("x");
            let plan: Vec<String> = statement
                .query_map(params_from_iter(values), |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(plan.iter().any(|step| step.contains(expected)), "{sql}: {plan:?}");
            let large = ["SCAN ledger", "SCAN entries", "SCAN events"];
            let scans = plan.iter().filter(|step| large.iter().any(|it| step.starts_with(it)));
            let wanted = usize::from(expected.starts_with("SCAN ledger"));
            assert_eq!(scans.count(), wanted, "{sql}: {plan:?}");
        }
    }

    #[test]
    fn sums_that_are_kept_are_the_sums_of_the_rows_whatever_became_of_them() {
        let desk = desk();
        for n in 1..5 {
            desk.post(completed(&format!("evt_{n}"), n, if n == 2 { "unpaid" } else { "paid" }));
        }
        desk.post(refunded("evt_r", 1, 200));
        desk.post(refunded("evt_rr", 1, 500));
        desk.post(event(
            "evt_2p",
            "checkout.session.async_payment_succeeded",
            210,
            &session(2, "paid"),
        ));
        let most = Json::from(crate::domain::entry::AMOUNT_MAX);
        for n in 7..10 {
            let mut large = session(n, "paid");
            large["amount_total"] = most.clone();
            desk.post(event(&format!("evt_{n}"), "checkout.session.completed", 220, &large));
        }
        let kept = Filter::default();
        let added_up = Filter { since: Some(Timestamp(i64::MIN)), ..Filter::default() };
        for status in
            [None, Some(EntryStatus::Paid), Some(EntryStatus::Refunded), Some(EntryStatus::Unpaid)]
        {
            let totals =
                |filter: &Filter| desk.ledger.totals(&Filter { status, ..filter.clone() }).unwrap();
            assert_eq!(totals(&kept), totals(&added_up), "{status:?}");
        }
        assert_eq!(desk.ledger.totals(&kept).unwrap()[0].rows, 7);
        assert_eq!(desk.ledger.verify().unwrap().findings, []);
        // Also where some of the rows are in the sums and some are not yet, and both kinds change.
        let more = |range: std::ops::Range<u32>| -> Vec<Write> {
            range.map(|n| line(completed(&format!("evt_{n}"), n, "paid"), 1)).collect()
        };
        let mut writer = desk.ledger.writer().unwrap();
        for part in [20..300, 300..310] {
            let items = more(part);
            assert!(
                crate::batch::Commit::commit(&mut writer, items).unwrap().iter().all(Result::is_ok)
            );
        }
        let own = Connection::open(desk.ledger.path()).unwrap();
        let sql = "SELECT up_to, (SELECT COUNT(*) FROM ledger) FROM summed";
        let (summed, all): (i64, i64) =
            own.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert!(280 <= summed && summed < all, "{summed} of {all}");
        desk.post(refunded("evt_20r", 20, 200));
        desk.post(refunded("evt_305r", 305, 200));
        assert_eq!(desk.ledger.totals(&kept).unwrap(), desk.ledger.totals(&added_up).unwrap());
        assert_eq!(desk.ledger.verify().unwrap().findings, []);
        desk.ledger.rebuild().unwrap();
        assert_eq!(desk.ledger.totals(&kept).unwrap(), desk.ledger.totals(&added_up).unwrap());
        assert_eq!(desk.ledger.verify().unwrap().findings, []);
    }

    fn any_story() -> impl proptest::strategy::Strategy<Value = Vec<Event>> {
        use proptest::prelude::*;
        let one = (0..12_u32, 0..2_u32, 0..7_u8, 1..6_i64).prop_map(|(id, n, what, hundreds)| {
            // One id always tells the same: the provider never says two things under one id.
            let id = format!("evt_{id}_{n}_{what}_{hundreds}");
            let intent = format!("pi_{n}");
            let refund = |status: &str| {
                json!({"id": format!("re_{n}_{hundreds}"), "payment_intent": intent,
                    "amount": hundreds * 100, "status": status})
            };
            match what {
                0 => completed(&id, n, "unpaid"),
                1 => completed(&id, n, "paid"),
                2 => {
                    event(&id, "checkout.session.async_payment_succeeded", 200, &session(n, "paid"))
                }
                3 => {
                    event(&id, "checkout.session.async_payment_failed", 200, &session(n, "unpaid"))
                }
                4 => refunded(&id, n, hundreds * 100),
                5 => event(&id, "refund.created", 300, &refund("pending")),
                _ => event(&id, "refund.failed", 300, &refund("failed")),
            }
        });
        prop::collection::vec(one, 1..14)
    }

    /// What a story leaves behind when it comes in groups of `group`: all that order must not change.
    fn ledger_after(story: &[Event], group: usize) -> Vec<(String, Money, i64, EntryStatus)> {
        use crate::batch::Commit;
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let mut writer = ledger.writer().unwrap();
        for events in story.chunks(group) {
            let items = events.iter().cloned().map(|event| line(event, 1));
            writer.commit(items.collect()).unwrap();
        }
        let rows = ledger.rows(&Filter::default()).unwrap();
        rows.into_iter()
            .map(|row| {
                let it = row.record;
                (it.session_id, it.amount, row.refunded, it.status)
            })
            .collect()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
        #[test]
        fn no_order_no_repetition_and_no_grouping_changes_the_ledger(
            (story, shuffled) in {
                use proptest::prelude::*;
                any_story().prop_flat_map(|story| {
                    let twice: Vec<_> = story.iter().chain(&story).cloned().collect();
                    (Just(story), Just(twice).prop_shuffle())
                })
            },
            group in 1_usize..5,
        ) {
            proptest::prop_assert_eq!(ledger_after(&story, 1), ledger_after(&shuffled, group));
        }
    }
}
