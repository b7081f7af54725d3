//! The only writer of the ledger: what it is given becomes durable in one transaction a batch.
//! Seeing an event again changes nothing, and neither does another event about the same fact.

use crate::batch::{Batch, Commit, WriterGone};
use crate::domain::entry::{
    CheckoutRecord, EntryStatus, Fact, RefundFacts, RefundState, Refunded, with_refunds,
};
use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::os::place::{Place, Standing};
use crate::os::private;
use crate::store::guard::{self, Moved};
use crate::store::lock::LedgerLock;
use crate::store::{StoreError, schema};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many items wait for the writer before further ones are refused.
pub const QUEUE_DEPTH: usize = 4_096;

/// The ledger's writer behind its queue.
pub type LedgerBatch = Batch<LedgerWriter>;

/// What can be written.
#[derive(Clone, Debug)]
pub enum Posting {
    /// An event, with the instant at which it came.
    Event(Box<Event>, Timestamp),
    /// What was seen at the provider without an event: what reconciliation replays.
    Seen(Vec<Fact>),
    /// Up to when a poller has read; it never moves back.
    Cursor(String, Timestamp),
}

/// What writing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Whether it was new; an event that was seen before is not.
    pub fresh: bool,
    /// The rows whose status or content changed.
    pub changes: Vec<Change>,
    /// Why a stored event could not be booked, where it should have been.
    pub problem: Option<String>,
}

/// One row that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `cs_…`.
    pub session_id: String,
    /// The status before; `None` for a new row.
    pub before: Option<EntryStatus>,
    /// The status now.
    pub after: EntryStatus,
}

/// A connection that writes. Before and after each commit it looks whether the file is still there: nothing is
/// said to be stored that only this process can see.
#[derive(Debug)]
pub struct LedgerWriter {
    path: PathBuf,
    connection: Connection,
    place: Place,
    /// The connection that reads, which follows to a new file.
    reader: Arc<Mutex<Connection>>,
    /// Whether an error of the disk left it open what the connection still knows.
    doubtful: bool,
    _lock: LedgerLock,
}

impl From<WriterGone> for StoreError {
    fn from(_: WriterGone) -> Self {
        Self::Gone
    }
}

impl LedgerWriter {
    pub(crate) fn open(path: &Path, reader: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let (connection, place) = Place::open(path, schema::open)?;
        Ok(Self { path: path.to_owned(), connection, place, reader, doubtful: false, _lock: lock })
    }

    /// Starts the writer's thread behind a queue of [`QUEUE_DEPTH`].
    pub fn start(self) -> LedgerBatch {
        Batch::start(self, QUEUE_DEPTH)
    }

    fn write(&mut self, items: &[Posting]) -> rusqlite::Result<Vec<Outcome>> {
        // Immediate: a reader that turned writer could not be granted the lock any more.
        let mut transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut done = Vec::with_capacity(items.len());
        for item in items {
            done.push(apart(&self.path, &mut transaction, item)?);
        }
        transaction.commit()?;
        Ok(done)
    }

    /// Makes sure that what is written is the file that others see. Where it is not, this goes over to one
    /// that is, if there can be one, and the caller is told either way.
    fn stand(&mut self) -> Result<(), StoreError> {
        let how = match self.place.look(&self.path) {
            Standing::Same if !self.doubtful => return Ok(()),
            Standing::Same => return self.go_over(),
            Standing::Gone => match self.rebuild() {
                Ok(()) => Moved::Rebuilt,
                Err(error) => {
                    tracing::warn!(%error, "the ledger cannot be built anew yet");
                    Moved::Removed
                }
            },
            Standing::Other if guard::is_ours(&self.path, &self.connection) => {
                self.adopt()?;
                Moved::Adopted
            }
            Standing::Other => Moved::Replaced,
            Standing::Logless => {
                self.write_back()?;
                Moved::Rebuilt
            }
        };
        tracing::warn!(path = %self.path.display(), "the ledger's file {}", how.name());
        Err(StoreError::Moved { path: self.path.clone(), how })
    }

    fn rebuild(&mut self) -> Result<(), StoreError> {
        if guard::rebuild(&self.path, &self.connection)? {
            self.go_over()
        } else {
            // Somebody was quicker: the next look finds what stands there.
            Err(StoreError::Moved { path: self.path.clone(), how: Moved::Removed })
        }
    }

    fn adopt(&mut self) -> Result<(), StoreError> {
        let io = |error: std::io::Error| StoreError::Io {
            path: self.path.clone(),
            reason: error.to_string(),
        };
        self.place.take_log(&self.path).map_err(io)?;
        let (mut connection, _) = Place::open(&self.path, schema::open)?;
        guard::carry(&self.connection, &mut connection)
            .map_err(|error| schema::explain(&self.path, &error))?;
        self.go_over()
    }

    /// The log was removed and the file was not: what stood in the log goes into the file.
    fn write_back(&mut self) -> Result<(), StoreError> {
        let failed = |error: rusqlite::Error| schema::explain(&self.path, &error);
        let stuck: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(failed)?;
        if stuck != 0 {
            return Err(StoreError::Busy { path: self.path.clone() });
        }
        // Every connection to the file shares what it knows of the log: all of them close first.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in [&mut *reader, &mut self.connection] {
            let nowhere = Connection::open_in_memory().map_err(failed)?;
            drop(std::mem::replace(connection, nowhere));
        }
        drop(reader);
        self.doubtful = true;
        self.go_over()
    }

    /// Goes over to the file that stands at the path, reading and writing.
    fn go_over(&mut self) -> Result<(), StoreError> {
        let lock = lock(&self.path)?;
        let (connection, place) = Place::open(&self.path, schema::open)?;
        let reader = schema::open(&self.path)?;
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = reader;
        *self = Self {
            path: self.path.clone(),
            connection,
            place,
            reader: Arc::clone(&self.reader),
            doubtful: false,
            _lock: lock,
        };
        Ok(())
    }
}

fn lock(path: &Path) -> Result<LedgerLock, StoreError> {
    let io =
        |error: std::io::Error| StoreError::Io { path: path.to_owned(), reason: error.to_string() };
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(io)?;
    }
    let lock = LedgerLock::shared(path).map_err(io)?;
    lock.ok_or_else(|| StoreError::Reset { path: path.to_owned() })
}

impl Commit for LedgerWriter {
    type Item = Posting;
    type Done = Accepted;
    type Error = StoreError;

    fn commit(&mut self, items: Vec<Posting>) -> Result<Vec<Outcome>, StoreError> {
        self.stand()?;
        let done = self.write(&items).map_err(|error| {
            let error = schema::explain(&self.path, &error);
            self.doubtful = matches!(error, StoreError::Io { .. } | StoreError::Corrupt { .. });
            error
        })?;
        self.stand()?;
        Ok(done)
    }

    fn fails_the_queue(error: &StoreError) -> bool {
        error.passes()
    }
}

/// What became of one item of a commit.
type Outcome = Result<Accepted, StoreError>;

/// Writes one item. Where a row that it meets cannot be read, it alone fails, and leaves nothing; fails where
/// nothing can be written.
fn apart(
    path: &Path,
    transaction: &mut Transaction<'_>,
    item: &Posting,
) -> rusqlite::Result<Outcome> {
    let savepoint = transaction.savepoint()?;
    match post(&savepoint, item) {
        Ok(accepted) => {
            savepoint.commit()?;
            Ok(Ok(accepted))
        }
        Err(error) => {
            let of_the_row = match error.sqlite_error_code() {
                None => true,
                Some(code) => {
                    matches!(code, ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch)
                }
            };
            if !of_the_row {
                return Err(error);
            }
            // Dropping the savepoint undoes it.
            savepoint.finish()?;
            Ok(Err(schema::explain(path, &error)))
        }
    }
}

fn post(transaction: &Connection, item: &Posting) -> rusqlite::Result<Accepted> {
    match item {
        Posting::Event(event, received) => post_event(transaction, event, *received),
        Posting::Seen(facts) => {
            let mut accepted = Accepted::default();
            for fact in facts {
                accepted.changes.extend(apply_fact(transaction, fact)?);
            }
            accepted.fresh = !accepted.changes.is_empty();
            Ok(accepted)
        }
        Posting::Cursor(name, value) => {
            let sql = "INSERT INTO cursor (name, value) VALUES (?1, ?2) \
                       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";
            transaction.prepare_cached(sql)?.execute(params![name, value.0])?;
            Ok(Accepted { fresh: true, ..Accepted::default() })
        }
    }
}

fn post_event(
    transaction: &Connection,
    event: &Event,
    received: Timestamp,
) -> rusqlite::Result<Accepted> {
    let (fact, problem) = match Fact::of(event) {
        Ok(fact) => (fact, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let sql = "INSERT INTO events (id, type, object, created, livemode, received, problem, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING";
    let object = event.object.get("id").and_then(serde_json::Value::as_str);
    let inserted = transaction.prepare_cached(sql)?.execute(params![
        event.id,
        event.kind,
        object,
        event.created.0,
        event.livemode,
        received.0,
        problem,
        event.body,
    ])?;
    if inserted == 0 {
        return Ok(Accepted { problem, ..Accepted::default() });
    }
    let changes = match &fact {
        Some(fact) => apply_fact(transaction, fact)?,
        None => Vec::new(),
    };
    Ok(Accepted { fresh: true, changes, problem })
}

fn apply_fact(transaction: &Connection, fact: &Fact) -> rusqlite::Result<Vec<Change>> {
    match fact {
        Fact::Session(entry) => Ok(apply_session(transaction, entry)?.into_iter().collect()),
        Fact::Refund(refunded) => apply_refund(transaction, refunded),
    }
}

/// A row before it is written: what sessions say of it, and what refunds make of it.
struct Held {
    entry: CheckoutRecord,
    status: EntryStatus,
    refunded: i64,
}

const HELD: &str = "SELECT session_id, amount, currency, settled, created, updated, payment_intent, \
                    event_id, status, refunded FROM ledger";

fn held(row: &rusqlite::Row<'_>) -> rusqlite::Result<Held> {
    Ok(Held { entry: schema::entry(row)?, status: schema::status(row, 8)?, refunded: row.get(9)? })
}

pub(super) fn apply_session(
    transaction: &Connection,
    entry: &CheckoutRecord,
) -> rusqlite::Result<Option<Change>> {
    let sql = format!("{HELD} WHERE session_id = ?1");
    let known =
        transaction.prepare_cached(&sql)?.query_row([&entry.session_id], held).optional()?;
    let merged = match &known {
        None => entry.clone(),
        Some(known) => match known.entry.merge(entry) {
            None => return Ok(None),
            Some(merged) => {
                CheckoutRecord { updated: merged.updated.max(known.entry.updated), ..merged }
            }
        },
    };
    let refunded = match &merged.payment_intent {
        Some(intent) => refunds_of(transaction, intent)?.total(),
        None => 0,
    };
    let now = write_row(transaction, merged, refunded)?;
    let before = known.map(|known| known.status);
    Ok(Some(Change { session_id: now.entry.session_id, before, after: now.status }))
}

/// The refund is kept by its PaymentIntent, so that it counts also where its session is told of later.
pub(super) fn apply_refund(
    transaction: &Connection,
    refunded: &Refunded,
) -> rusqlite::Result<Vec<Change>> {
    let intent = &refunded.payment_intent;
    let mut facts = refunds_of(transaction, intent)?;
    let before = facts.clone();
    facts.apply_fact(&refunded.source, refunded.state, refunded.amount);
    if facts == before {
        return Ok(Vec::new());
    }
    let (state, amount) = facts.of(&refunded.source).unwrap_or((refunded.state, refunded.amount));
    let sql = "INSERT INTO refunds (payment_intent, source, state, amount, updated, event_id) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (payment_intent, source) DO UPDATE SET \
               state = excluded.state, amount = excluded.amount, updated = excluded.updated, \
               event_id = excluded.event_id";
    let at = refunded.updated;
    transaction.prepare_cached(sql)?.execute(params![
        intent,
        refunded.source,
        state.name(),
        amount,
        at.0,
        refunded.event_id,
    ])?;
    let sql = format!("{HELD} WHERE payment_intent = ?1");
    let rows: Vec<Held> = {
        let mut statement = transaction.prepare_cached(&sql)?;
        let rows = statement.query_map([intent], held)?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let mut changes = Vec::new();
    for row in rows {
        let total = facts.total();
        if total == row.refunded {
            continue;
        }
        let updated = row.entry.updated.max(at);
        let entry = CheckoutRecord { updated, event_id: refunded.event_id.clone(), ..row.entry };
        let now = write_row(transaction, entry, total)?;
        let session_id = now.entry.session_id;
        changes.push(Change { session_id, before: Some(row.status), after: now.status });
    }
    Ok(changes)
}

fn refunds_of(transaction: &Connection, intent: &str) -> rusqlite::Result<RefundFacts> {
    let sql = "SELECT source, state, amount FROM refunds WHERE payment_intent = ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([intent])?;
    let mut facts = RefundFacts::default();
    while let Some(row) = rows.next()? {
        let source: String = row.get(0)?;
        let state: String = row.get(1)?;
        let state = RefundState::read(&state).ok_or_else(|| schema::unknown(1, &state))?;
        facts.apply_fact(&source, state, row.get(2)?);
    }
    Ok(facts)
}

fn write_row(
    transaction: &Connection,
    entry: CheckoutRecord,
    refunded: i64,
) -> rusqlite::Result<Held> {
    let status = with_refunds(entry.status, entry.amount, refunded);
    let sql = "INSERT INTO ledger (session_id, amount, currency, status, settled, refunded, created, \
               updated, payment_intent, event_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
               ON CONFLICT (session_id) DO UPDATE SET amount = excluded.amount, \
               currency = excluded.currency, status = excluded.status, settled = excluded.settled, \
               refunded = excluded.refunded, created = excluded.created, updated = excluded.updated, \
               payment_intent = excluded.payment_intent, event_id = excluded.event_id";
    transaction.prepare_cached(sql)?.execute(params![
        entry.session_id,
        entry.amount,
        entry.currency.code(),
        status.name(),
        entry.status.name(),
        refunded,
        entry.created.0,
        entry.updated.0,
        entry.payment_intent,
        entry.event_id,
    ])?;
    Ok(Held { entry, status, refunded })
}
