//! The sandbox on disk: one row an object in `sandbox.db`, keyed by its place, and the number of the last commit.
//!
//! Effects are stored, not commands: a newer version reads an older folder without replaying its decisions.
//! A commit is flushed (`synchronous=FULL`) before it counts. Whether a commit that failed in the middle was
//! stored is never assumed: the file is opened anew, and its own number tells.

use crate::sandbox::engine::carry;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::{Stored, kind};
use crate::sandbox::engine::private::Private;
use crate::sandbox::engine::state::{Scope, State};
use crate::sandbox::engine::txn::Change;
use rusqlite::{Connection, OpenFlags, Transaction, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The layout of the file; a file with a higher number was written by a newer version.
pub(super) const SCHEMA: i64 = 2;

/// How long another program may hold the file before a commit fails.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// Pages of the write-ahead log after which it is written back, by the thread that commits: longer logs
/// make single commits slow, and a thread of its own never gets to reset the log under load.
const CHECKPOINT_PAGES: i64 = 400;

const CREATE: &str = "
    CREATE TABLE records (
        seq     INTEGER PRIMARY KEY,
        world   INTEGER NOT NULL,
        account TEXT NOT NULL,
        kind    TEXT NOT NULL,
        id      TEXT NOT NULL,
        doc     TEXT NOT NULL,
        private TEXT
    );
    CREATE TABLE head (
        one      INTEGER PRIMARY KEY CHECK (one = 1),
        number   INTEGER NOT NULL,
        last_seq INTEGER NOT NULL
    );
    INSERT INTO head (one, number, last_seq) VALUES (1, 0, 0);
";

/// Why the sandbox's file cannot be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite said no.
    #[error("{path}: {reason}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
        /// Whether the file itself is damaged, so that waiting does not help.
        damaged: bool,
    },
    /// The file was written by a newer version.
    #[error("{path} was written by a newer stripegym (schema {found}, this one knows {SCHEMA})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The number that it carries.
        found: i64,
    },
    /// A row cannot be read.
    #[error("{path}: record {seq} cannot be read: {reason}")]
    Row {
        /// The file.
        path: PathBuf,
        /// Its key.
        seq: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// Another file stands where the open one was.
    #[error("{path} was replaced by another file while the sandbox was running")]
    Replaced {
        /// Where.
        path: PathBuf,
    },
    /// The writer thread ended.
    #[error("the writer of the sandbox's file ended")]
    Gone,
}

/// How a commit ended that did not succeed.
#[derive(Debug)]
pub(super) enum CommitError {
    /// Nothing of it is stored.
    Nothing(JournalError),
    /// It was stored or not: only the file knows, and it could not be asked.
    Unknown(JournalError),
}

/// The open file.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    connection: Connection,
    identity: Option<identity::Identity>,
}

impl Journal {
    /// Opens `path`, creating it where it is missing; carries over a file of the layout before.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let mut connection = connect(path).map_err(|e| sqlite(path, &e))?;
        let found: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|e| sqlite(path, &e))?;
        match found {
            SCHEMA => {}
            0 => create(&connection).map_err(|e| sqlite(path, &e))?,
            1 => carry::over(&mut connection).map_err(|e| sqlite(path, &e))?,
            _ => return Err(JournalError::Newer { path: path.to_owned(), found }),
        }
        let identity = identity::Identity::of(path);
        Ok(Self { path: path.to_owned(), connection, identity })
    }

    /// Everything that the file holds, and the number of its last commit.
    pub(super) fn load(&self) -> Result<(State, u64), JournalError> {
        let fail = |error: &rusqlite::Error| sqlite(&self.path, error);
        let (number, last_seq): (i64, i64) = self
            .connection
            .query_row("SELECT number, last_seq FROM head", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(|e| fail(&e))?;
        let (give, chunks) = std::sync::mpsc::channel::<Vec<(usize, Arc<Stored>)>>();
        // One thread reads rows while the other works out under which hashes they are found.
        let entries = std::thread::spawn(move || entries(&chunks));
        let mut tables: Vec<Loading> = Vec::new();
        let sql = "SELECT seq, world, account, kind, id, doc, private FROM records ORDER BY seq";
        let mut statement = self.connection.prepare(sql).map_err(|e| fail(&e))?;
        let mut rows = statement.query([]).map_err(|e| fail(&e))?;
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.next().map_err(|e| fail(&e))? {
            let (at, stored) = self.read(row, &mut tables)?;
            chunk.push((at, stored));
            if chunk.len() == CHUNK {
                drop(give.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))));
            }
        }
        drop(give.send(chunk));
        drop(give);
        let mut entries = entries.join().map_err(|_| JournalError::Gone)?;
        entries.resize_with(tables.len(), Vec::new);
        let mut state = State::default();
        for (table, entries) in tables.into_iter().zip(entries) {
            state.fill(&table.scope, table.kind, table.objects, entries);
        }
        state.reserve(last_seq.unsigned_abs());
        Ok((state, number.unsigned_abs()))
    }

    /// One row as an object, put into its table; the table's number.
    fn read(
        &self,
        row: &rusqlite::Row<'_>,
        tables: &mut Vec<Loading>,
    ) -> Result<(usize, Arc<Stored>), JournalError> {
        let fail = |error: rusqlite::Error| sqlite(&self.path, &error);
        let seq: i64 = row.get(0).map_err(fail)?;
        let damaged = |reason: String| JournalError::Row { path: self.path.clone(), seq, reason };
        let text = |at: usize| {
            let value = row.get_ref(at).map_err(|e| damaged(e.to_string()))?;
            value.as_str().map_err(|e| damaged(e.to_string()))
        };
        let world: u32 = row.get(1).map_err(fail)?;
        let (account, kind_name) = (text(2)?, text(3)?);
        let private: Option<Private> = match row
            .get_ref(6)
            .map_err(fail)?
            .as_str_or_null()
            .map_err(|e| damaged(e.to_string()))?
        {
            None => None,
            Some(json) => Some(serde_json::from_str(json).map_err(|e| damaged(e.to_string()))?),
        };
        let fits = |table: &Loading| {
            table.kind == kind_name
                && table.scope.world == world
                && &*table.scope.account == account
        };
        let at = match tables.iter().position(fits) {
            Some(at) => at,
            None => {
                let scope = Scope { world, account: Arc::from(account) };
                tables.push(Loading { scope, kind: kind(kind_name), objects: Vec::new() });
                tables.len() - 1
            }
        };
        let stored = Arc::new(Stored {
            kind: kind(kind_name),
            id: Arc::from(text(4)?),
            seq: seq.unsigned_abs(),
            text: shared(tables, world, private.as_ref(), text(5)?),
            private: private.map(Arc::new),
        });
        if let Some(table) = tables.get_mut(at) {
            table.objects.push(Arc::clone(&stored));
        }
        Ok((at, stored))
    }

    /// Stores all of a batch or nothing, under the number of its last commit.
    pub(super) fn commit<'c>(
        &mut self,
        changes: impl Iterator<Item = &'c Change>,
        number: u64,
        last_seq: u64,
    ) -> Result<(), CommitError> {
        self.check_identity().map_err(CommitError::Nothing)?;
        let path = self.path.clone();
        let nothing = |error: rusqlite::Error| CommitError::Nothing(sqlite(&path, &error));
        let work = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(nothing)?;
        if let Err(error) = store(&work, changes, number, last_seq) {
            drop(work.rollback());
            return Err(CommitError::Nothing(sqlite(&self.path, &error)));
        }
        let failed = match work.commit() {
            Ok(()) => return Ok(()),
            Err(error) => sqlite(&self.path, &error),
        };
        // The error came out of the commit itself: what of it reached the disk is for the file to say.
        match self.reopen() {
            Ok(stored) if stored == number => Ok(()),
            Ok(_) => Err(CommitError::Nothing(failed)),
            Err(_) => Err(CommitError::Unknown(failed)),
        }
    }

    /// Opens the file anew and reads the number of its last commit.
    pub(super) fn reopen(&mut self) -> Result<u64, JournalError> {
        self.check_identity()?;
        let connection = connect(&self.path).map_err(|e| sqlite(&self.path, &e))?;
        let number: i64 = connection
            .query_row("SELECT number FROM head", [], |row| row.get(0))
            .map_err(|e| sqlite(&self.path, &e))?;
        self.connection = connection;
        Ok(number.unsigned_abs())
    }

    /// Fails where the path no longer leads to the file that is open. Where nothing stands there any more,
    /// a copy of the open file is put in its place.
    fn check_identity(&mut self) -> Result<(), JournalError> {
        match (&self.identity, identity::Identity::of(&self.path)) {
            (known, now) if *known == now => Ok(()),
            (_, Some(_)) => Err(JournalError::Replaced { path: self.path.clone() }),
            (_, None) => self.put_back(),
        }
    }

    /// The file was removed: what is open still has everything, so it is written out anew.
    fn put_back(&mut self) -> Result<(), JournalError> {
        let fail = |reason: String| JournalError::Sqlite {
            path: self.path.clone(),
            reason,
            damaged: false,
        };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| fail(e.to_string()))?;
        }
        for suffix in ["-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(fail(error.to_string()));
                }
                _ => {}
            }
        }
        let draft = self.path.with_extension("db-draft");
        drop(std::fs::remove_file(&draft));
        self.connection
            .execute("VACUUM INTO ?1", [draft.to_string_lossy()])
            .map_err(|e| sqlite(&self.path, &e))?;
        let file = std::fs::File::open(&draft).map_err(|e| fail(e.to_string()))?;
        file.sync_all().map_err(|e| fail(e.to_string()))?;
        std::fs::rename(&draft, &self.path).map_err(|e| fail(e.to_string()))?;
        if let Some(folder) = self.path.parent().and_then(|folder| std::fs::File::open(folder).ok())
        {
            folder.sync_all().map_err(|e| fail(e.to_string()))?;
        }
        let mut connection = connect(&self.path).map_err(|e| sqlite(&self.path, &e))?;
        std::mem::swap(&mut self.connection, &mut connection);
        self.identity = identity::Identity::of(&self.path);
        tracing::warn!(path = %self.path.display(), "the sandbox's file was removed; it was written anew");
        Ok(())
    }
}

/// Rows that one thread hands to the other at once while loading.
const CHUNK: usize = 4_096;

/// A table while it is loaded.
struct Loading {
    scope: Scope,
    kind: &'static str,
    /// In the order of their places.
    objects: Vec<Arc<Stored>>,
}

/// The hashes of all rows, by the number of their table.
fn entries(chunks: &std::sync::mpsc::Receiver<Vec<(usize, Arc<Stored>)>>) -> Vec<Vec<(u64, u64)>> {
    let mut found: Vec<Vec<(u64, u64)>> = Vec::new();
    for (at, stored) in chunks.iter().flatten() {
        if found.len() <= at {
            found.resize_with(at + 1, Vec::new);
        }
        if let Some(entries) = found.get_mut(at) {
            entries.extend(index::keys(&stored).into_iter().map(|key| (key, stored.seq)));
        }
    }
    found
}

/// An event shares the text of the object that it is about, as long as that has not changed since.
fn shared(tables: &[Loading], world: u32, private: Option<&Private>, doc: &str) -> Arc<str> {
    if doc.is_empty() {
        return Arc::default();
    }
    if let Some(Private::Event(envelope)) = private {
        let about = tables.iter().filter(|table| table.scope.world == world).find_map(|table| {
            let at = table.objects.binary_search_by_key(&envelope.about, |stored| stored.seq);
            table.objects.get(at.ok()?)
        });
        if let Some(about) = about.filter(|about| &*about.text == doc) {
            return Arc::clone(&about.text);
        }
    }
    Arc::from(doc)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    Ok(connection)
}

/// Lays out an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("BEGIN; {CREATE} PRAGMA user_version = {SCHEMA}; COMMIT;"))
}

/// The statements that make [`create`]'s tables, for whoever fills them in the same transaction.
pub(super) const fn layout() -> &'static str {
    CREATE
}

fn store<'c>(
    work: &Transaction<'_>,
    changes: impl Iterator<Item = &'c Change>,
    number: u64,
    last_seq: u64,
) -> rusqlite::Result<()> {
    let mut put = work.prepare_cached(
        "INSERT OR REPLACE INTO records (seq, world, account, kind, id, doc, private)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for change in changes {
        match (&change.after, &change.before) {
            (Some(stored), _) => {
                let private = match stored.private.as_deref() {
                    Some(private) => Some(
                        serde_json::to_string(private)
                            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?,
                    ),
                    None => None,
                };
                put.execute(params![
                    integer(stored.seq),
                    change.scope.world,
                    &*change.scope.account,
                    stored.kind,
                    &*stored.id,
                    &*stored.text,
                    private
                ])?;
            }
            (None, Some(gone)) => {
                work.prepare_cached("DELETE FROM records WHERE seq = ?1")?
                    .execute([integer(gone.seq)])?;
            }
            (None, None) => {}
        }
    }
    work.prepare_cached("UPDATE head SET number = ?1, last_seq = ?2")?
        .execute([integer(number), integer(last_seq)])?;
    Ok(())
}

pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> JournalError {
    let damaged = matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    );
    JournalError::Sqlite { path: path.to_owned(), reason: error.to_string(), damaged }
}

/// Which file a path leads to.
mod identity {
    use std::path::Path;

    /// Device and inode; two equal ones are the same file.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Identity(u64, u64);

    impl Identity {
        #[cfg(unix)]
        pub(super) fn of(path: &Path) -> Option<Self> {
            use std::os::unix::fs::MetadataExt;
            let metadata = std::fs::metadata(path).ok()?;
            Some(Self(metadata.dev(), metadata.ino()))
        }

        /// Elsewhere an open file can be neither removed nor replaced.
        #[cfg(not(unix))]
        pub(super) fn of(path: &Path) -> Option<Self> {
            path.exists().then_some(Self(0, 0))
        }
    }
}
