//! The ledger on PostgreSQL, for several listeners at once. One batch is one transaction of a few statements, whatever it
//! holds: what the lines touch is read at once ([`load`]), the rules work on it in memory ([`draft`]), and what came of it
//! is written at once ([`flush`]), under a lock that lets one batch of the whole database at it at a time: so lines are
//! numbered in the order in which they are seen, and no two listeners work out one subject from halves of its facts.

mod address;
mod agreeing;
mod book;
mod compared;
mod copy;
mod draft;
mod flush;
pub mod foreign;
mod held;
pub mod joined;
mod line;
mod load;
mod part;
mod read;
mod schema;
mod shards;
pub(in crate::store) mod snapshot;
pub mod tables;
mod taken_over;
mod tls;
pub mod writer;

pub use taken_over::take_over;

use crate::domain::ledger_url::LedgerUrl;
use crate::store::postgres::shards::Shards;
use crate::store::{StoreError, Until};
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod,
    Runtime as OnTokio,
};
use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, ToSql};

/// How many connections a process has at most: the writer's, and those of readers.
const CONNECTIONS: usize = 8;

/// How long whoever wants a connection waits for one that is free, and for one to be made.
const CONNECTING: Duration = Duration::from_millis(1_200);

/// How often it is looked whether the end of long work was asked for.
const LOOK: Duration = Duration::from_millis(50);

/// How many rows of many are read at once.
const AT_ONCE: usize = 1_000;

/// Writes to the server's log and nowhere else, so that the commit of what has changed nothing is waited for as well: what
/// it has seen may have been committed by a server that was cut off in the middle of waiting for its standby.
pub(super) const WRITTEN: &str = "SELECT pg_logical_emit_message(true, 'stripegym', '')";

/// Values of a statement.
pub(super) type Args = Vec<Box<dyn ToSql + Send + Sync>>;

/// A text as a value of a statement.
pub(super) fn text(text: &str) -> Box<dyn ToSql + Send + Sync> {
    Box::new(text.to_owned())
}

/// Why something could not be done on the server.
#[derive(Debug)]
pub(super) enum PgError {
    /// The server, or the way to it.
    Server(tokio_postgres::Error),
    /// There was no connection in time.
    NoConnection(String),
    /// It took too long, and whether it was done is not known.
    Late,
    /// Somebody else wrote what was to be written.
    Raced,
    /// A row that we never wrote.
    Odd(String),
    /// Whoever takes the rows takes no more.
    Refused(std::io::Error),
    /// SQLite's file beside it.
    Beside(rusqlite::Error),
    /// These servers do not do that together.
    Servers {
        /// Why.
        reason: String,
        /// The command that fits.
        next: String,
    },
    /// Its end was asked for.
    Interrupted,
}

impl From<tokio_postgres::Error> for PgError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl From<rusqlite::Error> for PgError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Beside(error)
    }
}

impl From<PoolError> for PgError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Server(error),
            PoolError::Timeout(_) => Self::NoConnection("no answer in time".to_owned()),
            other => Self::NoConnection(other.to_string()),
        }
    }
}

impl PgError {
    /// A word that a row should not have.
    fn unknown(word: &str) -> Self {
        Self::Odd(format!("`{word}` is not known here"))
    }

    fn code(&self) -> Option<&SqlState> {
        let Self::Server(error) = self else { return None };
        error.code()
    }

    /// Whether the same may well be done on another connection, a moment later.
    fn may_pass(&self) -> bool {
        !matches!(self, Self::Servers { .. })
            && !self.is_of_the_row()
            && self.code() != Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether something is the matter with a row, and not with the server: then the row alone cannot be taken.
    fn is_of_the_row(&self) -> bool {
        let class = |code: &SqlState| matches!(code.code().get(..2), Some("22" | "23" | "54"));
        matches!(self, Self::Odd(_)) || self.code().is_some_and(class)
    }
}

/// What the driver says, with what it was about.
fn said(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return format!("{} ({})", told.message(), told.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = deeper.source();
    }
    text
}

/// The thread that speaks with the server.
struct Driver(Option<Runtime>);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Whoever drops it may be a task of another runtime, which must not wait.
            runtime.shutdown_background();
        }
    }
}

/// A server, and the connections to it.
#[derive(Clone)]
pub(super) struct Server {
    shown: String,
    pool: Pool,
    handle: Handle,
    _driver: Arc<Driver>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown).finish()
    }
}

impl Server {
    fn new(url: &LedgerUrl) -> Result<Self, StoreError> {
        let shown = url.shown();
        let fail = |reason: String| StoreError::Away { path: PathBuf::from(&shown), reason };
        let (config, trust) = address::settings(url).map_err(&fail)?;
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, trust, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(OnTokio::Tokio1)
            .wait_timeout(Some(CONNECTING))
            .create_timeout(Some(CONNECTING))
            .recycle_timeout(Some(CONNECTING))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    // A server that is told to be quick and forgetful would have us acknowledge what it may lose.
                    let sql = "SET client_min_messages = warning; \
                               SELECT set_config('synchronous_commit', 'on', false) \
                               WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')";
                    client.batch_execute(sql).await.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| fail(error.to_string()))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| fail(error.to_string()))?;
        let handle = runtime.handle().clone();
        Ok(Self { shown, pool, handle, _driver: Arc::new(Driver(Some(runtime))) })
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(&self.shown)
    }

    /// What an error means for a person.
    fn explain(&self, error: &PgError) -> StoreError {
        let path = self.path();
        let reason = match error {
            PgError::Interrupted => return StoreError::Interrupted,
            PgError::Beside(error) => return crate::store::schema::explain(&path, error),
            PgError::Odd(reason) => return StoreError::Corrupt { path, reason: reason.clone() },
            PgError::Raced => return StoreError::Busy { path },
            PgError::Servers { reason, next } => {
                let (reason, next) = (reason.clone(), next.clone());
                return StoreError::Servers { path, reason, next };
            }
            PgError::Late => "no answer in time".to_owned(),
            PgError::NoConnection(reason) => reason.clone(),
            PgError::Refused(error) => error.to_string(),
            PgError::Server(error) => said(error),
        };
        let Some(code) = error.code() else { return StoreError::Away { path, reason } };
        match code.code().get(..2) {
            _ if *code == SqlState::DISK_FULL => StoreError::Full { path },
            // A lock that somebody holds, a deadlock, what was cancelled for taking too long.
            _ if *code == SqlState::LOCK_NOT_AVAILABLE => StoreError::Busy { path },
            Some("40") => StoreError::Busy { path },
            // Values and tables that are not as we made them.
            Some("22" | "23" | "54") => StoreError::Corrupt { path, reason },
            Some("42") if *code != SqlState::INSUFFICIENT_PRIVILEGE => {
                StoreError::Corrupt { path, reason }
            }
            _ => StoreError::Away { path, reason },
        }
    }

    /// Waits for `work` on the driver's thread: whoever waits may be anywhere, also in a task of another runtime.
    fn wait<T: Send + 'static>(
        &self,
        until: &Until,
        work: impl Future<Output = Result<T, PgError>> + Send + 'static,
    ) -> Result<T, PgError> {
        let (tell, told) = sync_channel(1);
        let task = self.handle.spawn(async move {
            // Whoever no longer waits has been told that it was interrupted.
            drop(tell.send(work.await));
        });
        loop {
            match told.recv_timeout(LOOK) {
                Ok(done) => return done,
                Err(RecvTimeoutError::Timeout) if until.is_asked() => {
                    task.abort();
                    return Err(PgError::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PgError::NoConnection("the driver ended".to_owned()));
                }
            }
        }
    }

    /// A connection for reading.
    fn reading(&self, until: &Until) -> Result<Reading, PgError> {
        let pool = self.pool.clone();
        let client = self.wait(until, async move { Ok(pool.get().await?) })?;
        let (server, until) = (self.clone(), until.clone());
        Ok(Reading { client: Some(Arc::new(client)), server, until, within: false, all: false })
    }
}

/// A connection that reads.
#[derive(Debug)]
pub(super) struct Reading {
    client: Option<Arc<Object>>,
    server: Server,
    until: Until,
    /// Whether it is within a transaction.
    within: bool,
    /// Whether it reads all servers of a ledger, through the first.
    all: bool,
}

impl Reading {
    /// A statement about the ledger's tables, of whichever servers are read.
    fn about(&self, sql: &str) -> String {
        if self.all { sql.replace(" stripegym.", " stripegym_all.") } else { sql.to_owned() }
    }

    /// The same, all of whose reading is as of one instant, and keeps no writer waiting.
    fn at_one_instant(mut self) -> Result<Self, PgError> {
        self.within = true;
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        Ok(self)
    }

    /// The same within a transaction that may write.
    fn in_transaction(mut self) -> Result<Self, PgError> {
        self.within = true;
        self.run("BEGIN")?;
        Ok(self)
    }

    fn client(&self) -> Result<Arc<Object>, PgError> {
        let gone = || PgError::NoConnection("the connection was given up".to_owned());
        self.client.clone().ok_or_else(gone)
    }

    /// Statements without values or rows.
    fn run(&self, sql: &str) -> Result<(), PgError> {
        let (client, sql) = (self.client()?, self.about(sql));
        self.server.wait(&self.until, async move { Ok(client.batch_execute(&sql).await?) })
    }

    /// The rows of a statement.
    fn rows(&self, sql: &str, args: Args) -> Result<Vec<Row>, PgError> {
        let (client, sql) = (self.client()?, self.about(sql));
        self.server.wait(&self.until, async move {
            let statement = client.prepare_cached(&sql).await?;
            let args: Vec<&(dyn ToSql + Sync)> =
                args.iter().map(|it| &**it as &(dyn ToSql + Sync)).collect();
            Ok(client.query(&statement, &args).await?.into_iter().map(Row).collect())
        })
    }

    /// The first row of a statement that always has one.
    fn one(&self, sql: &str, args: Args) -> Result<Row, PgError> {
        let none = || PgError::Odd("a row is missing".to_owned());
        self.rows(sql, args)?.into_iter().next().ok_or_else(none)
    }

    /// Gives the rows of a statement to `each`, and holds no more than a part of them: within a transaction.
    fn each(
        &self,
        sql: &str,
        args: Args,
        mut each: impl FnMut(Vec<Row>) -> Result<(), PgError>,
    ) -> Result<(), PgError> {
        let (client, sql) =
            (self.client()?, self.about(&format!("DECLARE part NO SCROLL CURSOR FOR {sql}")));
        self.server.wait(&self.until, async move {
            let args: Vec<&(dyn ToSql + Sync)> =
                args.iter().map(|it| &**it as &(dyn ToSql + Sync)).collect();
            client.execute(&sql, &args).await?;
            Ok(())
        })?;
        loop {
            let (client, sql) = (self.client()?, format!("FETCH {AT_ONCE} FROM part"));
            let rows = self.server.wait(&self.until, async move {
                Ok(client.query(&sql, &[]).await?.into_iter().map(Row).collect::<Vec<_>>())
            })?;
            let ended = rows.len() < AT_ONCE;
            each(rows)?;
            if ended {
                return self.run("CLOSE part");
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let (Some(client), true) = (self.client.take(), self.within) else { return };
        // A connection goes back to the others once its transaction is over.
        self.server.handle.spawn(async move {
            if client.batch_execute("ROLLBACK").await.is_err()
                && let Ok(client) = Arc::try_unwrap(client)
            {
                drop(Object::take(client));
            }
        });
    }
}

/// A row, whose values are read with an error where they are not as they should be.
#[derive(Debug)]
pub(super) struct Row(tokio_postgres::Row);

impl Row {
    fn get<'r, T: FromSql<'r>>(&'r self, at: usize) -> Result<T, PgError> {
        Ok(self.0.try_get(at)?)
    }

    /// A word of a table, as `read` understands it.
    fn word<T>(&self, at: usize, read: impl Fn(&str) -> Option<T>) -> Result<T, PgError> {
        let text: &str = self.get(at)?;
        read(text).ok_or_else(|| PgError::unknown(text))
    }

    /// A count, which is never negative.
    fn count(&self, at: usize) -> Result<u64, PgError> {
        Ok(u64::try_from(self.get::<i64>(at)?).unwrap_or(0))
    }
}

/// The ledger on a server, for reading, and the way to its writer.
#[derive(Debug)]
pub struct PgLedger {
    /// The server, and where there are several the first.
    server: Server,
    path: PathBuf,
    until: Until,
    shards: Option<Shards>,
}

impl PgLedger {
    /// Opens the ledger of an address, and lays out its tables where there are none.
    pub fn open(url: &LedgerUrl) -> Result<Self, StoreError> {
        let until = Until::default();
        let mut servers = Vec::new();
        for one in url.servers() {
            let server = Server::new(&one)?;
            let reading = server.reading(&until).map_err(|error| server.explain(&error))?;
            schema::bring_up(&server, &reading, &schema::LEDGER)?;
            servers.push(server);
        }
        let server = servers.first().cloned().ok_or(StoreError::Gone)?;
        let shards = shards::looked_at(url, servers)?;
        Ok(Self { path: PathBuf::from(url.shown()), server, until, shards })
    }

    /// Whether there is a ledger on each of these servers; an error that says where there is none.
    pub fn look_for(url: &LedgerUrl) -> Result<(), StoreError> {
        for one in url.servers() {
            let server = Server::new(&one)?;
            let sql = "SELECT to_regclass('stripegym.events') IS NOT NULL";
            let looked = server.reading(&Until::default());
            let looked = looked.and_then(|reading| reading.one(sql, Vec::new())?.get::<bool>(0));
            if !looked.map_err(|error| server.explain(&error))? {
                let shown = one.shown();
                let reason = format!("there is no ledger at {shown}");
                let next =
                    format!("psql '{shown}' -c 'SELECT current_database(), inet_server_addr()'");
                return Err(StoreError::Servers { path: server.path(), reason, next });
            }
        }
        Ok(())
    }

    /// The same, of which everything that takes long ends once that is asked for.
    #[must_use]
    pub(super) fn until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }

    /// Its address, without a password.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// A writer for a [`crate::batch::Batch`], of each server.
    pub fn writers(&self) -> Vec<writer::PgWriter> {
        let place = |nth| self.shards.as_ref().map(|_| nth);
        let each = self.servers().iter().cloned().zip(1_i64..);
        each.map(|(server, nth)| writer::PgWriter::new(server, place(nth))).collect()
    }

    /// Reads with a connection of its own.
    fn read<T>(&self, work: impl FnOnce(&Reading) -> Result<T, PgError>) -> Result<T, StoreError> {
        let read = self.reading().and_then(|reading| work(&reading));
        read.map_err(|error| self.server.explain(&error))
    }

    /// Reads as of one instant.
    fn at_one_instant<T>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, PgError>,
    ) -> Result<T, StoreError> {
        let reading = self.reading().and_then(Reading::at_one_instant);
        let read = reading.and_then(|reading| work(&reading));
        read.map_err(|error| self.server.explain(&error))
    }
}
