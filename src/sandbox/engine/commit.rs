//! Commits: one writer changes the working state, one thread makes its changes durable in groups, and only
//! what is durable is published.
//!
//! A commit that fails sets the working state back to what is published: everything that was not yet
//! published is refused with an error that may be retried, and the next change tries again. So nothing
//! acknowledged can rest on something lost, and nothing needs a restart.

use crate::sandbox::engine::journal::{CommitError, JournalError};
use crate::sandbox::engine::state::State;
use crate::sandbox::engine::txn::Change;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Commits that may wait for the disk at once.
const QUEUE_MAX: usize = 16 * 1024;

/// Commits that one flush takes.
const GROUP_MAX: usize = 512;

/// Why a change was not made.
#[derive(Clone, Debug)]
pub(super) enum ChangeError {
    /// It could not be stored, or is not known to be stored; it may be tried again.
    Unavailable(Arc<JournalError>),
    /// Too many changes wait for the disk.
    Overloaded,
}

/// What makes commits durable: a file, or in tests something that fails when it is told to.
pub(super) trait Durable: Send + 'static {
    /// How often it is asked again while it cannot say what it holds.
    const RETRY_EVERY: Duration = Duration::from_millis(200);

    /// Stores all of a batch or nothing, under the number of its last commit.
    fn commit(
        &mut self,
        changes: &[&Change],
        number: u64,
        last_seq: u64,
    ) -> Result<(), CommitError>;

    /// Asks anew for the number of the last commit.
    fn reopen(&mut self) -> Result<u64, JournalError>;

    /// Tells which commit is the last one, where [`Durable::commit`] could not say.
    fn settle(&mut self, number: u64);
}

/// What is told of a commit that became durable.
pub(super) type Published = Box<dyn Fn(u64, &[Change]) + Send + Sync>;

/// A change that waits to become durable.
struct Pending {
    number: u64,
    changes: Vec<Change>,
    after: State,
    done: oneshot::Sender<Result<(), ChangeError>>,
}

struct Working {
    state: State,
    /// The number of the last commit that was handed over.
    number: u64,
    queue: VecDeque<Pending>,
    /// Why the file can be neither read nor written just now.
    down: Option<Arc<JournalError>>,
    closing: bool,
}

/// What changers, readers and the thread share.
struct Shared {
    working: Mutex<Working>,
    more: Condvar,
    published: RwLock<(State, u64)>,
    told: Published,
}

/// The working state, the published one, and the thread between them.
pub(super) struct Commits {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The working state, held by one changer at a time.
pub(super) struct Draft<'c> {
    working: MutexGuard<'c, Working>,
    shared: &'c Shared,
    durable: bool,
}

impl Commits {
    /// Commits that live in memory only.
    pub(super) fn in_memory(told: Published) -> Self {
        let shared = Arc::new(Shared::new(State::default(), 0, told));
        Self { shared, thread: None }
    }

    /// Commits to an open file that holds `state` at commit `number`.
    pub(super) fn to_file(
        journal: impl Durable,
        state: State,
        number: u64,
        told: Published,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(state, number, told));
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || Writer { shared: of_thread, journal, doubt: None }.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The published state and its number. Never waits for a change or the disk.
    pub(super) fn published(&self) -> (State, u64) {
        self.shared.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the right to change the state.
    ///
    /// Fails at once while the file can be neither read nor written, and while too much waits for it.
    pub(super) fn begin(&self) -> Result<Draft<'_>, ChangeError> {
        let working = self.shared.lock();
        if let Some(down) = &working.down {
            return Err(ChangeError::Unavailable(Arc::clone(down)));
        }
        if working.queue.len() >= QUEUE_MAX {
            return Err(ChangeError::Overloaded);
        }
        Ok(Draft { working, shared: &self.shared, durable: self.thread.is_some() })
    }
}

impl Draft<'_> {
    /// The working state: what is published, and what is on its way there.
    pub(super) fn state(&self) -> State {
        self.working.state.clone()
    }

    /// Hands a change over. The receiver resolves once it is durable and published, or refused.
    pub(super) fn commit(
        mut self,
        after: State,
        changes: Vec<Change>,
    ) -> Option<oneshot::Receiver<Result<(), ChangeError>>> {
        self.working.number += 1;
        let number = self.working.number;
        self.working.state = after.clone();
        if !self.durable {
            self.shared.publish(after, number);
            (self.shared.told)(number, &changes);
            return None;
        }
        let (done, answer) = oneshot::channel();
        self.working.queue.push_back(Pending { number, changes, after, done });
        let first = self.working.queue.len() == 1;
        drop(self.working);
        if first {
            self.shared.more.notify_one();
        }
        Some(answer)
    }

    /// The number of the last commit whose changes the working state has, where it is not published yet.
    pub(super) fn unpublished(&self) -> bool {
        let published = self.shared.published.read().unwrap_or_else(PoisonError::into_inner);
        published.1 != self.working.number
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.more.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread panicked");
        }
    }
}

impl std::fmt::Debug for Commits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commits").finish_non_exhaustive()
    }
}

impl Shared {
    fn new(state: State, number: u64, told: Published) -> Self {
        let working = Working {
            state: state.clone(),
            number,
            queue: VecDeque::new(),
            down: None,
            closing: false,
        };
        Self {
            working: Mutex::new(working),
            more: Condvar::new(),
            published: RwLock::new((state, number)),
            told,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Working> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, state: State, number: u64) {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *published, (state, number));
        drop(published);
        // Whatever only the old state held is freed outside the lock.
        drop(before);
    }
}

/// The thread that makes commits durable.
struct Writer<D> {
    shared: Arc<Shared>,
    journal: D,
    /// The last commits that were handed to a file which then could not be asked about them.
    doubt: Option<(State, u64, Vec<Change>)>,
}

impl<D: Durable> Writer<D> {
    fn run(mut self) {
        loop {
            let group = {
                let mut working = self.shared.lock();
                while working.queue.is_empty() && !working.closing && working.down.is_none() {
                    working =
                        self.shared.more.wait(working).unwrap_or_else(PoisonError::into_inner);
                }
                if working.down.is_some() {
                    if working.closing {
                        return;
                    }
                    let waited = self.shared.more.wait_timeout(working, D::RETRY_EVERY);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                    Vec::new()
                } else if working.queue.is_empty() {
                    return;
                } else {
                    let count = working.queue.len().min(GROUP_MAX);
                    working.queue.drain(..count).collect()
                }
            };
            if group.is_empty() {
                self.come_back();
            } else {
                self.write(group);
            }
        }
    }

    fn write(&mut self, group: Vec<Pending>) {
        let Some(last) = group.last() else { return };
        let (state, number) = (last.after.clone(), last.number);
        let changes: Vec<&Change> = group.iter().flat_map(|pending| &pending.changes).collect();
        match self.journal.commit(&changes, number, state.last_seq()) {
            Ok(()) => {
                self.shared.publish(state, number);
                for pending in group {
                    (self.shared.told)(pending.number, &pending.changes);
                    // Whoever no longer listens lost interest, not the change.
                    drop(pending.done.send(Ok(())));
                }
            }
            Err(CommitError::Nothing(error)) => self.set_back(group, error, None),
            Err(CommitError::Unknown(error)) => {
                let changes = group.iter().flat_map(|p| p.changes.iter().cloned()).collect();
                self.set_back(group, error, Some((state, number, changes)));
            }
        }
    }

    /// Refuses a group and everything that was built on it, and goes back to what is published.
    fn set_back(
        &mut self,
        group: Vec<Pending>,
        error: JournalError,
        doubt: Option<(State, u64, Vec<Change>)>,
    ) {
        tracing::error!(%error, "changes could not be stored");
        let error = Arc::new(error);
        let mut working = self.shared.lock();
        let (state, number) =
            self.shared.published.read().unwrap_or_else(PoisonError::into_inner).clone();
        working.state = state;
        working.number = number;
        working.down = doubt.is_some().then(|| Arc::clone(&error));
        let queued: Vec<Pending> = working.queue.drain(..).collect();
        drop(working);
        self.doubt = doubt;
        for pending in group.into_iter().chain(queued) {
            drop(pending.done.send(Err(ChangeError::Unavailable(Arc::clone(&error)))));
        }
    }

    /// Asks the file what it holds; where it can tell, service goes on.
    fn come_back(&mut self) {
        let stored = match self.journal.reopen() {
            Ok(stored) => stored,
            Err(error) => {
                tracing::debug!(%error, "the sandbox's file cannot be read yet");
                return;
            }
        };
        let mut working = self.shared.lock();
        let published = working.number;
        match self.doubt.take() {
            Some((state, number, changes)) if number == stored => {
                working.state = state.clone();
                working.number = number;
                self.shared.publish(state, number);
                (self.shared.told)(number, &changes);
            }
            _ if stored == published => {}
            doubt => {
                self.doubt = doubt;
                let error = JournalError::Diverged { expected: published, found: stored };
                working.down = Some(Arc::new(error));
                return;
            }
        }
        self.journal.settle(stored);
        working.down = None;
        tracing::info!("the sandbox's file can be read again");
    }
}

#[cfg(test)]
mod tests;
