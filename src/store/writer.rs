//! The only writer of the ledger: what it is given becomes durable in one transaction a batch.
//! Seeing an event again changes nothing, and neither does another event about the same fact.

use crate::batch::{Commit, WriterGone};
use crate::domain::book::line::{Line, Source};
use crate::domain::entry::{EntryStatus, Fact};
use crate::domain::time::Timestamp;
use crate::os::place::{Place, Standing};
use crate::os::private;
use crate::store::chain::Chain;
use crate::store::guard::{self, Moved};
pub use crate::store::lanes::LedgerBatch;
use crate::store::lock::LedgerLock;
use crate::store::pack::Packed;
use crate::store::sqlite::Sqlite;
use crate::store::{StoreError, Until, journal, schema};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many items wait for the writer before further ones are refused.
pub const QUEUE_DEPTH: usize = 4_096;

/// What the writer keeps of the file in memory at most.
const CACHE_KB: i64 = 16 * 1024;

/// After how many pages in the log they are brought into the file: twice as many as by default, because events that come
/// after each other change the same pages, and each time costs flushes of its own.
const LOG_PAGES: i64 = 2_000;

/// What can be written.
#[derive(Clone, Debug)]
pub enum Write {
    /// A line of the journal, and what follows from it; its body also as it is kept, and where it belongs, if it does not
    /// say that itself.
    Line(Box<Line>, Packed, Option<String>),
    /// Up to when a poller has read; it never moves back.
    Cursor(String, Timestamp),
}

impl Write {
    /// A line. Its body is compressed here, and not where everybody waits for the one writer.
    pub fn line(line: Line) -> Self {
        Self::line_at(line, None)
    }

    /// A line that belongs there.
    pub(super) fn line_at(line: Line, home: Option<String>) -> Self {
        let packed = Packed::new(&line.body).unwrap_or_default();
        Self::Line(Box::new(line), packed, home)
    }

    /// What was seen at the provider without an event: what reconciliation replays.
    pub fn seen(facts: Vec<Fact>, at: Timestamp) -> Self {
        Self::line(Line::seen(facts, at, Source::Seen))
    }
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
    /// Where its chain of lines ends.
    chain: Chain,
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
        let (connection, place) = Place::open(path, connect)?;
        let chain = Chain::new(schema::writer_number());
        let path = path.to_owned();
        Ok(Self { path, connection, place, reader, doubtful: false, chain, _lock: lock })
    }

    /// Has what it writes end with an error once that was asked for.
    pub(super) fn watch(&mut self, until: &Until) -> Result<(), StoreError> {
        until.watch(&mut self.connection).map_err(|error| schema::explain(&self.path, &error))
    }

    /// All of them at once, as if none could fail for its own sake; where one does, each by itself. A savepoint an item
    /// would have SQLite copy every page that each item changes, for the one in a million that is taken back.
    fn write(&mut self, items: &[Write]) -> rusqlite::Result<Vec<ItemResult>> {
        let at_once = self.transact(|transaction, chain| {
            items.iter().map(|item| post(transaction, chain, item).map(Ok)).collect()
        });
        if !at_once.as_ref().is_err_and(is_of_the_row) {
            return at_once;
        }
        let path = self.path.clone();
        self.transact(|transaction, chain| {
            items.iter().map(|item| apart(&path, transaction, chain, item)).collect()
        })
    }

    /// Does `work` in a transaction of its own; where it fails, nothing happened.
    fn transact(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>, &mut Chain) -> rusqlite::Result<Vec<ItemResult>>,
    ) -> rusqlite::Result<Vec<ItemResult>> {
        // Immediate: a reader that turned writer could not be granted the lock any more.
        let mut transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut chain = self.chain.clone();
        let done = work(&mut transaction, &mut chain)?;
        if chain.note(&self.chain, &transaction)? {
            schema::sum_up(&transaction)?;
        }
        transaction.commit()?;
        self.chain = chain;
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

    /// Writes to the file that was opened, wherever that is by now.
    fn put(&mut self, items: &[Write]) -> Result<Vec<ItemResult>, StoreError> {
        self.write(items).map_err(|error| {
            let unsure = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
            let error = schema::explain(&self.path, &error);
            let odd = matches!(error, StoreError::Io { .. } | StoreError::Corrupt { .. });
            self.doubtful = unsure || odd;
            error
        })
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
        let (mut connection, _) = Place::open(&self.path, connect)?;
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
        let (connection, place) = Place::open(&self.path, connect)?;
        let reader = schema::open(&self.path)?;
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = reader;
        *self = Self {
            path: self.path.clone(),
            connection,
            place,
            reader: Arc::clone(&self.reader),
            doubtful: false,
            // Which of the lines are in the file is not known for sure: a new chain begins.
            chain: Chain::new(schema::writer_number()),
            _lock: lock,
        };
        Ok(())
    }
}

/// Opens the file for writing: with room for the pages that ids at random lead to, of which each event changes some.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = schema::open(path)?;
    for (name, value) in [("cache_size", -CACHE_KB), ("wal_autocheckpoint", LOG_PAGES)] {
        let set = connection.pragma_update(None, name, value);
        set.map_err(|error| schema::explain(path, &error))?;
    }
    Ok(connection)
}

/// The right to write, beside others who have it.
pub(super) fn lock(path: &Path) -> Result<LedgerLock, StoreError> {
    let io = |error: std::io::Error| StoreError::of_system(path, &error);
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(io)?;
    }
    let lock = LedgerLock::shared(path).map_err(io)?;
    lock.ok_or_else(|| StoreError::Reset { path: path.to_owned() })
}

impl Commit for LedgerWriter {
    type Item = Write;
    type Done = Accepted;
    type Error = StoreError;

    fn commit(&mut self, items: Vec<Write>) -> Result<Vec<ItemResult>, StoreError> {
        self.stand()?;
        let done = self.put(&items)?;
        self.stand()?;
        Ok(done)
    }

    /// Where the file is the one that was opened, and nobody else writes to it now.
    fn commit_here(&mut self, item: Write) -> Result<ItemResult, Write> {
        let stands = !self.doubtful && self.place.look(&self.path) == Standing::Same;
        if !stands || self.connection.busy_timeout(Duration::ZERO).is_err() {
            return Err(item);
        }
        let outcome = self.put(std::slice::from_ref(&item));
        // What cannot be set now is set when the file is opened anew.
        self.doubtful |= self.connection.busy_timeout(schema::BUSY_WAIT).is_err();
        match outcome {
            Ok(mut done) => match (self.stand(), done.pop()) {
                (Ok(()), Some(done)) => Ok(done),
                (Ok(()), None) => Err(item),
                (Err(error), _) => Ok(Err(error)),
            },
            Err(StoreError::Busy { .. }) => Err(item),
            Err(error) => Ok(Err(error)),
        }
    }

    fn fails_the_queue(error: &StoreError) -> bool {
        error.passes()
    }
}

/// What became of one item of a commit.
type ItemResult = Result<Accepted, StoreError>;

/// Writes one item. Where a row that it meets cannot be read, it alone fails, and leaves nothing; fails where
/// nothing can be written.
fn apart(
    path: &Path,
    transaction: &mut Transaction<'_>,
    chain: &mut Chain,
    item: &Write,
) -> rusqlite::Result<ItemResult> {
    let savepoint = transaction.savepoint()?;
    let mut after = chain.clone();
    match post(&savepoint, &mut after, item) {
        Ok(accepted) => {
            *chain = after;
            savepoint.commit()?;
            Ok(Ok(accepted))
        }
        Err(error) if is_of_the_row(&error) => {
            // Dropping the savepoint undoes it.
            savepoint.finish()?;
            Ok(Err(schema::explain(path, &error)))
        }
        Err(error) => Err(error),
    }
}

/// Whether something is the matter with a row that was met, and not with the file.
fn is_of_the_row(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        None => true,
        Some(code) => matches!(code, ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch),
    }
}

fn post(connection: &Connection, chain: &mut Chain, item: &Write) -> rusqlite::Result<Accepted> {
    match item {
        Write::Line(line, packed, _) => {
            journal::take(&mut Sqlite::new(connection, chain).with(packed), line)
        }
        Write::Cursor(name, value) => {
            let sql = "INSERT INTO cursor (name, value) VALUES (?1, ?2) \
                       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";
            connection.prepare_cached(sql)?.execute(params![name, value.0])?;
            Ok(Accepted { fresh: true, ..Accepted::default() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn paid(number: usize) -> Write {
        let body = format!(
            "{{\"id\":\"evt_{number}\",\"object\":\"event\",\"type\":\"checkout.session.completed\",\
             \"created\":5,\"livemode\":false,\"data\":{{\"object\":{{\"id\":\"cs_{number}\",\
             \"object\":\"checkout.session\",\"amount_total\":500,\"currency\":\"jpy\",\"created\":4,\
             \"status\":\"complete\",\"payment_status\":\"paid\",\"payment_intent\":\"pi_{number}\"}}}}}}"
        );
        let event = Event::stored(body.as_bytes()).unwrap();
        Write::line(Line::event(event, Timestamp(9), Source::Carried))
    }

    #[test]
    fn an_event_costs_the_same_however_many_came_before() {
        let folder = tempfile::tempdir().unwrap();
        let reader = Arc::new(Mutex::new(Connection::open_in_memory().unwrap()));
        let mut writer = LedgerWriter::open(&folder.path().join("ledger.db"), reader).unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let count = move || counted.fetch_add(1, Ordering::Relaxed) == u64::MAX;
        writer.connection.progress_handler(1, Some(count)).unwrap();
        let mut cost = |range: std::ops::Range<usize>| {
            let before = steps.load(Ordering::Relaxed);
            let items: Vec<Write> = range.map(paid).collect();
            assert!(writer.write(&items).unwrap().iter().all(Result::is_ok));
            steps.load(Ordering::Relaxed) - before
        };
        cost(0..20);
        let early = cost(20..40);
        cost(40..2_000);
        let late = cost(2_000..2_020);
        assert!(late < early + early / 10, "{early} steps of SQLite, and then {late}");
    }
}
