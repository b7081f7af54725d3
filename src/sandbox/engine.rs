//! The running sandbox: one state, one writer behind it, and the signals that wake what works by itself.

use crate::batch::Batch;
use crate::domain::time::Timestamp;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::journal::{Journal, JournalError, LogRow, Write};
use crate::sandbox::state::State;
use crate::sandbox::txn::{Origin, Site, Txn};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::Value;
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Writes that may wait for the disk at once.
const QUEUE_DEPTH: usize = 16 * 1024;

/// Rows of the request log that are kept at hand.
const RECENT_REQUESTS_MAX: usize = 1_000;

/// The state, its file and its clock. Shared behind an `Arc` by everything that serves.
#[derive(Debug)]
pub struct Engine {
    inner: Mutex<Inner>,
    journal: Option<Batch<Journal>>,
    committed: watch::Receiver<u64>,
    clock: Clock,
    entropy: Entropy,
    site: Site,
    wake: Notify,
    in_progress: Mutex<HashSet<String>>,
    /// Why a write failed: from then on memory knows more than the file, and nothing more is answered.
    broken: OnceLock<JournalError>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Writes handed to the journal so far.
    submitted: u64,
    /// The newest rows of the request log, newest last.
    recent: VecDeque<LogRow>,
}

impl Inner {
    fn remember(&mut self, row: &LogRow) {
        if self.recent.len() == RECENT_REQUESTS_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(row.clone());
    }
}

/// What a change decided about itself.
#[derive(Debug)]
pub struct Decision<R> {
    /// What the caller gets.
    pub value: R,
    /// Whether what was written stays, or is undone.
    pub keep: bool,
    /// The row of the request log that is stored with it.
    pub log: Option<LogRow>,
}

impl Engine {
    /// A sandbox that lives in memory only.
    pub fn ephemeral(clock: Clock, entropy: Entropy, site: Site) -> Self {
        let (_, committed) = watch::channel(0);
        Self::assemble(State::default(), None, committed, (clock, entropy, site))
    }

    /// The sandbox that the file at `path` holds, created where it is missing.
    pub fn open(
        path: &Path,
        clock: Clock,
        entropy: Entropy,
        site: Site,
    ) -> Result<Self, JournalError> {
        let (sender, committed) = watch::channel(0);
        let journal = Journal::open(path, sender)?;
        let state = journal.load()?;
        let journal = Batch::start(journal, QUEUE_DEPTH);
        Ok(Self::assemble(state, Some(journal), committed, (clock, entropy, site)))
    }

    fn assemble(
        state: State,
        journal: Option<Batch<Journal>>,
        committed: watch::Receiver<u64>,
        (clock, entropy, site): (Clock, Entropy, Site),
    ) -> Self {
        Self {
            inner: Mutex::new(Inner { state, submitted: 0, recent: VecDeque::new() }),
            journal,
            committed,
            clock,
            entropy,
            site,
            wake: Notify::new(),
            in_progress: Mutex::default(),
            broken: OnceLock::new(),
        }
    }

    /// The sandbox's clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The present instant of the sandbox.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The sandbox's randomness.
    pub const fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// Where the sandbox is reachable.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// Resolves once something may be due: a job or a delivery was planned, or the clock was moved.
    pub fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    /// Wakes every background loop.
    pub fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// Runs `change` and answers once everything that it wrote is durable. A failure undoes it,
    /// unless the failure keeps its changes.
    pub async fn change<R>(
        &self,
        origin: Origin,
        change: impl FnOnce(&mut Txn<'_>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        self.transact(origin, |txn| {
            let value = change(txn);
            let keep = value.as_ref().err().is_none_or(|failure| failure.keeps_changes);
            Decision { value, keep, log: None }
        })
        .await?
    }

    /// Runs `change`, stores what it kept together with its log row, and answers once that is durable.
    ///
    /// Fails where the sandbox's file cannot be written.
    pub async fn transact<R>(
        &self,
        origin: Origin,
        change: impl FnOnce(&mut Txn<'_>) -> Decision<R>,
    ) -> Result<R, Failure> {
        if let Some(error) = self.broken.get() {
            return Err(unwritable(error));
        }
        let (value, ticket, target) = {
            let mut inner = self.lock();
            let Inner { state, submitted, .. } = &mut *inner;
            let mut txn = Txn::begin(state, self.clock.now(), &self.entropy, &self.site, origin);
            let Decision { value, keep, log } = change(&mut txn);
            let changes = if keep { txn.changes() } else { Vec::new() };
            let row = log.clone();
            // What is only looked at must be durable; the log row of the look itself need not be.
            let seen = *submitted;
            let planned =
                changes.iter().any(|((kind, _), _)| kind == "_job" || kind == "_delivery");
            let mut ticket = None;
            if let Some(journal) =
                self.journal.as_ref().filter(|_| log.is_some() || !changes.is_empty())
            {
                let must_wait = !changes.is_empty();
                match journal.submit(Write { changes, log }) {
                    Ok(accepted) => {
                        *submitted += 1;
                        ticket = must_wait.then_some(accepted);
                    }
                    Err(_) if must_wait => {
                        txn.rollback();
                        return Err(overloaded());
                    }
                    Err(_) => tracing::debug!("the request log is behind; a row was left out"),
                }
            }
            if !keep {
                txn.rollback();
            }
            if planned {
                self.wake();
            }
            if let Some(row) = &row {
                inner.remember(row);
            }
            (value, ticket, seen)
        };
        match ticket {
            Some(ticket) => ticket.await.map_err(|error| self.fail(error))?,
            None => self.durable(target).await?,
        }
        Ok(value)
    }

    /// Stores a row of the request log without waiting for it.
    pub fn log(&self, row: LogRow) {
        let mut inner = self.lock();
        inner.remember(&row);
        let write = Write { changes: Vec::new(), log: Some(row) };
        if self.journal.as_ref().is_some_and(|journal| journal.submit(write).is_ok()) {
            inner.submitted += 1;
        }
    }

    /// The newest requests that `keep` accepts, newest first, at most `count`.
    pub fn recent_requests(&self, count: usize, keep: impl Fn(&LogRow) -> bool) -> Vec<Value> {
        let inner = self.lock();
        let rows = inner.recent.iter().rev().filter(|row| keep(row)).take(count);
        rows.map(LogRow::show).collect()
    }

    /// Looks at the state; answers once everything that was seen is durable.
    pub async fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        let (value, target) = {
            let inner = self.lock();
            (look(&inner.state), inner.submitted)
        };
        // Where the disk fails, the next change says so; what was seen is still what is in memory.
        drop(self.durable(target).await);
        value
    }

    /// Marks an idempotency key as being worked on; `None` where another request is.
    pub fn begin_idempotent(self: &Arc<Self>, key: &str) -> Option<InProgress> {
        let mut running = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .insert(key.to_owned())
            .then(|| InProgress { engine: Arc::clone(self), key: key.to_owned() })
    }

    fn fail(&self, error: JournalError) -> Failure {
        tracing::error!(%error, "the sandbox's file cannot be written");
        unwritable(self.broken.get_or_init(|| error))
    }

    async fn durable(&self, target: u64) -> Result<(), Failure> {
        if let Some(error) = self.broken.get() {
            return Err(unwritable(error));
        }
        if self.journal.is_none() || *self.committed.borrow() >= target {
            return Ok(());
        }
        let mut committed = self.committed.clone();
        match committed.wait_for(|count| *count >= target).await {
            Ok(_) => Ok(()),
            Err(_) => Err(self.fail(JournalError::Gone)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An idempotency key under work; dropping it frees the key.
#[derive(Debug)]
pub struct InProgress {
    engine: Arc<Engine>,
    key: String,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut running = self.engine.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.key);
    }
}

fn overloaded() -> Failure {
    let text = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.";
    Failure::of(429, FailureKind::InvalidRequest, text).code("lock_timeout")
}

fn unwritable(error: &JournalError) -> Failure {
    let text = format!(
        "The sandbox could not store what was changed: {error}. Free the disk or the file, then start the sandbox again: it goes on from what was stored."
    );
    Failure::of(500, FailureKind::Api, text)
}
