//! The sandbox on disk: one row an object in `sandbox.db`, keyed by its place, and the number of the last commit.
//!
//! Effects are stored, not commands: a newer version reads an older folder without replaying its decisions.
//! A commit is flushed (`synchronous=FULL`) before it counts. Whether a commit that failed in the middle was
//! stored is never assumed: the file is opened anew, and its own number tells.
//!
//! Before and after each commit the file and the folder's lock are looked at: what stands under their names must
//! be what is written. A file that was removed is written anew; somebody else's is left alone.

use crate::domain::data_file::FileState;
use crate::os::place::{Place, Standing, beside, put, remove};
use crate::os::private;
use crate::os::trouble;
use crate::sandbox::engine::carry;
use crate::sandbox::engine::commit::Durable;
use crate::sandbox::engine::load;
use crate::sandbox::engine::state::State;
use crate::sandbox::engine::txn::Change;
use crate::sandbox::lock::{HostLock, LockError};
use rusqlite::{Connection, OpenFlags, Transaction, params};
use std::fs::File;
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
        /// What that says about the file.
        trouble: FileState,
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
    #[error(
        "{path} was replaced by another file while the sandbox was running. That file is left alone: move it away, and the sandbox writes its own again"
    )]
    Replaced {
        /// Where.
        path: PathBuf,
    },
    /// The file was removed in the one instant in which nothing had it open.
    #[error(
        "{path} was removed while the sandbox was running, and could not be written anew: restart the sandbox"
    )]
    Removed {
        /// Where.
        path: PathBuf,
    },
    /// Somebody else wrote to the file.
    #[error(
        "another program wrote to the sandbox's file: it is at commit {found}, not at {expected}. Restart the sandbox"
    )]
    Diverged {
        /// The number of the last commit that this process made.
        expected: u64,
        /// The number in the file.
        found: u64,
    },
    /// Another process hosts the folder, or its lock cannot be held.
    #[error(transparent)]
    Lock(Arc<LockError>),
    /// The folder or a file in it cannot be made or flushed.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
        /// What that says about the file.
        trouble: FileState,
    },
    /// The writer thread ended.
    #[error("the writer of the sandbox's file ended")]
    Gone,
}

impl JournalError {
    /// What is wrong with the file.
    pub fn trouble(&self) -> FileState {
        match self {
            Self::Sqlite { trouble, .. } | Self::Io { trouble, .. } => *trouble,
            Self::Newer { .. } => FileState::Newer,
            Self::Row { .. } => FileState::Broken,
            Self::Lock(error) => match &**error {
                LockError::Hosted { .. } => FileState::Busy,
                LockError::Io { source, .. } => trouble::of(source),
            },
            Self::Replaced { .. } | Self::Removed { .. } | Self::Diverged { .. } | Self::Gone => {
                FileState::Unusable
            }
        }
    }
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
    /// `None` for the instants in which no connection may be open.
    connection: Option<Connection>,
    place: Place,
    lock: Option<Arc<HostLock>>,
    /// The number of the last commit.
    number: u64,
    /// Whether the file at the path is ours to write, and `connection` leads to another one or to none.
    to_open: bool,
}

impl Journal {
    /// Opens `path`, creating it where it is missing; carries over a file of the layout before. With the right
    /// to host its folder, that is looked after too.
    pub(super) fn open(path: &Path, lock: Option<Arc<HostLock>>) -> Result<Self, JournalError> {
        let (connection, place) = Place::open(path, ours)?;
        let number = number(&connection).map_err(|e| sqlite(path, &e))?;
        let path = path.to_owned();
        Ok(Self { path, connection: Some(connection), place, lock, number, to_open: false })
    }

    /// Everything that the file holds, and the number of its last commit.
    pub(super) fn load(&self) -> Result<(State, u64), JournalError> {
        load::everything(self.connection.as_ref().ok_or(JournalError::Gone)?, &self.path)
    }

    /// Makes sure that what is written is the file that others find, and that the folder is ours to host.
    fn stand(&mut self) -> Result<(), JournalError> {
        if let Some(lock) = &self.lock {
            lock.keep().map_err(|error| JournalError::Lock(Arc::new(error)))?;
        }
        match self.place.look(&self.path) {
            Standing::Same if self.to_open => self.go_over(),
            Standing::Same => Ok(()),
            Standing::Gone => self.put_back(),
            Standing::Other => Err(JournalError::Replaced { path: self.path.clone() }),
            Standing::Logless => self.write_back(),
        }
    }

    /// The file was removed: what is open still has everything, so it is written out anew.
    fn put_back(&mut self) -> Result<(), JournalError> {
        let io = |e: std::io::Error| system(&self.path, &e);
        let Some(connection) = &self.connection else {
            return Err(JournalError::Removed { path: self.path.clone() });
        };
        let folder = self.path.parent().unwrap_or_else(|| Path::new(""));
        private::folder(folder).map_err(io)?;
        let draft = beside(&self.path, &format!(".draft-{}", std::process::id()));
        remove(&draft).map_err(io)?;
        private::database(&draft).map_err(io)?;
        let filled = connection
            .execute("VACUUM INTO ?1", [draft.to_string_lossy()])
            .map_err(|e| sqlite(&self.path, &e))
            .and_then(|_| File::open(&draft).and_then(|file| file.sync_all()).map_err(io));
        let named = filled.and_then(|()| match put(&draft, &self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(JournalError::Replaced { path: self.path.clone() })
            }
            other => other.map_err(io),
        });
        if named.is_ok() {
            // From here on the new file is the one that counts, whatever else fails.
            ((), self.place) = Place::open(&self.path, |_| Ok::<_, JournalError>(()))?;
            self.to_open = true;
        }
        // Whether it stands under its name now or could not be made: the draft has done its part.
        let io = |e: std::io::Error| system(&self.path, &e);
        remove(&draft).map_err(io)?;
        named?;
        private::sync_folder(folder).map_err(io)?;
        self.go_over()?;
        tracing::warn!(path = %self.path.display(), "the sandbox's file was removed; it was written anew");
        Ok(())
    }

    /// The log was removed and the file was not: what stood in the log goes into the file.
    fn write_back(&mut self) -> Result<(), JournalError> {
        if let Some(connection) = &self.connection {
            let (stuck, reason) = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
                .map(|stuck| (stuck != 0, "its log was removed, and somebody reads it"))
                .map_err(|e| sqlite(&self.path, &e))?;
            if stuck {
                return Err(JournalError::Io {
                    path: self.path.clone(),
                    reason: reason.to_owned(),
                    trouble: FileState::Busy,
                });
            }
        }
        // The connections to a file share what they know of its log: none may stay open.
        self.connection = None;
        self.to_open = true;
        self.go_over()?;
        tracing::warn!(path = %self.path.display(), "the log of the sandbox's file was removed; nothing of it is lost");
        Ok(())
    }

    /// Opens what stands at the path and goes on with it.
    fn go_over(&mut self) -> Result<(), JournalError> {
        let (connection, place) =
            Place::open(&self.path, connect).map_err(|e| sqlite(&self.path, &e))?;
        number(&connection).map_err(|e| sqlite(&self.path, &e))?;
        self.connection = Some(connection);
        self.place = place;
        self.to_open = false;
        Ok(())
    }

    fn write(
        &mut self,
        changes: &[&Change],
        number: u64,
        last_seq: u64,
    ) -> Result<(), CommitError> {
        let (path, expected) = (&self.path, self.number);
        let nothing = |error: rusqlite::Error| CommitError::Nothing(sqlite(path, &error));
        let connection =
            self.connection.as_mut().ok_or(CommitError::Nothing(JournalError::Gone))?;
        let work = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(nothing)?;
        let found = self::number(&work).map_err(nothing)?;
        if found != expected {
            return Err(CommitError::Nothing(JournalError::Diverged { expected, found }));
        }
        // Dropped, it is rolled back.
        store(&work, changes, number, last_seq).map_err(nothing)?;
        work.commit().map_err(|error| CommitError::Unknown(sqlite(path, &error)))
    }
}

impl Durable for Journal {
    fn commit(
        &mut self,
        changes: &[&Change],
        number: u64,
        last_seq: u64,
    ) -> Result<(), CommitError> {
        self.stand().map_err(CommitError::Nothing)?;
        match self.write(changes, number, last_seq) {
            // It may have been removed in between: then what was written is nowhere yet.
            Ok(()) => self.stand().map_err(CommitError::Unknown)?,
            // The error came out of the commit itself: what of it reached the disk is for the file to say.
            Err(CommitError::Unknown(failed)) => match self.reopen() {
                Ok(stored) if stored == number => {}
                Ok(stored) if stored == self.number => return Err(CommitError::Nothing(failed)),
                _ => return Err(CommitError::Unknown(failed)),
            },
            Err(nothing) => return Err(nothing),
        }
        self.number = number;
        Ok(())
    }

    fn reopen(&mut self) -> Result<u64, JournalError> {
        self.stand()?;
        self.go_over()?;
        let connection = self.connection.as_ref().ok_or(JournalError::Gone)?;
        number(connection).map_err(|e| sqlite(&self.path, &e))
    }

    fn settle(&mut self, number: u64) {
        self.number = number;
    }
}

fn opened(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    Ok(connection)
}

/// Opens a file that is ours, with its tables.
fn ours(path: &Path) -> Result<Connection, JournalError> {
    // Nothing is set in a file before it is known to be ours.
    let found: i64 = opened(path)
        .and_then(|file| file.query_row("PRAGMA user_version", [], |row| row.get(0)))
        .map_err(|e| sqlite(path, &e))?;
    if !(0..=SCHEMA).contains(&found) {
        return Err(JournalError::Newer { path: path.to_owned(), found });
    }
    let mut connection = connect(path).map_err(|e| sqlite(path, &e))?;
    match found {
        0 => create(&connection).map_err(|e| sqlite(path, &e))?,
        1 => carry::over(&mut connection).map_err(|e| sqlite(path, &e))?,
        _ => {}
    }
    Ok(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = opened(path)?;
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

/// The number of the last commit in a file.
fn number(connection: &Connection) -> rusqlite::Result<u64> {
    let number: i64 =
        connection.prepare_cached("SELECT number FROM head")?.query_row([], |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

fn store(
    work: &Transaction<'_>,
    changes: &[&Change],
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
    let trouble = trouble::of_sqlite(error);
    let reason = match trouble {
        FileState::Full => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    JournalError::Sqlite { path: path.to_owned(), reason, trouble }
}

fn system(path: &Path, error: &std::io::Error) -> JournalError {
    let (reason, trouble) = (error.to_string(), trouble::of(error));
    JournalError::Io { path: path.to_owned(), reason, trouble }
}
