//! The running sandbox: numbered commits over one persistent state, seen world by world.
//!
//! [`Engine`] is the whole; [`World`] is what a request, a page or a job works in: one account of one world.

mod carry;
pub mod changes;
mod commit;
pub mod confirmation;
pub mod content;
pub mod delivery;
pub mod diff;
pub mod emit;
pub mod index;
pub mod journal;
pub mod line_look;
mod load;
pub mod object;
pub mod private;
pub mod requests;
pub mod schedule;
pub mod settings;
pub mod snapshots;
pub mod state;
pub mod thin;
pub mod txn;
pub mod worlds;

use crate::domain::time::Timestamp;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::engine::changes::{Committed, Recent};
use crate::sandbox::engine::commit::{ChangeError, Commits, Published};
use crate::sandbox::engine::journal::{Journal, JournalError};
use crate::sandbox::engine::private::DeliveryStatus;
use crate::sandbox::engine::private::{Delivery, Private};
use crate::sandbox::engine::requests::RequestLog;
use crate::sandbox::engine::snapshots::Snapshots;
use crate::sandbox::engine::state::{Scope, WorldId};
use crate::sandbox::engine::txn::{Change, Origin, Site, Txn, View};
use crate::sandbox::engine::worlds::{World, Worlds};
use crate::sandbox::fault::Faults;
use crate::sandbox::lock::HostLock;
use crate::wire::failure::{Failure, FailureKind};
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Objects and records that are kept where nobody says how many.
pub const OBJECTS_MAX: u64 = 2_000_000;

/// The sandbox. Shared behind an `Arc` by everything that serves.
#[derive(Debug)]
pub struct Engine {
    commits: Commits,
    worlds: Worlds,
    clock: Clock,
    entropy: Entropy,
    site: Site,
    signals: Arc<Signals>,
    in_progress: Mutex<HashSet<(Scope, String)>>,
    requests: RequestLog,
    faults: Faults,
    objects_max: u64,
    snapshots: Snapshots,
    jobs_turn: tokio::sync::Mutex<()>,
}

/// What published commits tell the loops that work by themselves.
#[derive(Debug)]
struct Signals {
    wake: Notify,
    /// The number of the last published commit.
    number: watch::Sender<u64>,
    planned: Mutex<Vec<Planned>>,
    /// Whose jobs have changed since the loop looked last; `None` stands for everybody's.
    jobs: Mutex<Option<HashSet<Scope>>>,
    recent: Recent,
}

/// A delivery that was planned by a published commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Whose endpoint.
    pub scope: Scope,
    /// `wd_…`.
    pub id: Arc<str>,
    /// Its place in the order of emission.
    pub seq: u64,
    /// `we_…`.
    pub endpoint: String,
    /// When it is due, in Unix seconds.
    pub due: i64,
    /// Whether it was attempted before.
    pub is_retry: bool,
}

impl Planned {
    /// The delivery that a record plans, where it does.
    pub fn of(scope: &Scope, stored: &object::Stored) -> Option<Self> {
        let delivery = stored.part::<Delivery>()?;
        let due = delivery.due.filter(|_| delivery.status == DeliveryStatus::Pending)?;
        Some(Self {
            scope: scope.clone(),
            id: Arc::clone(&stored.id),
            seq: stored.seq,
            endpoint: delivery.endpoint.clone(),
            due,
            is_retry: !delivery.attempts.is_empty(),
        })
    }
}

impl Signals {
    fn after(number: u64) -> Arc<Self> {
        Arc::new(Self {
            wake: Notify::default(),
            number: watch::Sender::new(number),
            planned: Mutex::default(),
            jobs: Mutex::default(),
            recent: Recent::after(number),
        })
    }

    fn published(&self, number: u64, changes: &[Change]) {
        let mut wakes = false;
        for change in changes {
            let Some(after) = &change.after else { continue };
            match after.private.as_deref() {
                Some(Private::Delivery(_)) if change.before.is_none() => {
                    let planned = Planned::of(&change.scope, after);
                    let mut waiting = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
                    waiting.extend(planned);
                    wakes = true;
                }
                Some(Private::Job(_) | Private::Answered(_)) if change.before.is_none() => {
                    let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(scopes) = jobs.as_mut().filter(|s| !s.contains(&change.scope)) {
                        scopes.insert(change.scope.clone());
                        wakes = true;
                    }
                }
                _ => {}
            }
        }
        if wakes {
            self.wake.notify_waiters();
        }
        self.recent.add(number, changes);
        self.number.send_replace(number);
    }
}

/// What a change decided about itself.
#[derive(Debug)]
pub struct Decision<R> {
    /// What the caller gets.
    pub value: R,
    /// Whether what was written stays, or is undone.
    pub keep: bool,
}

impl Engine {
    /// A sandbox that lives in memory only.
    pub fn ephemeral(clock: Clock, entropy: Entropy, site: Site) -> Self {
        let signals = Signals::after(0);
        Self::assemble(Commits::in_memory(telling(&signals)), signals, (clock, entropy, site))
    }

    /// The sandbox that the file at `path` holds, created where it is missing.
    pub fn open(
        path: &Path,
        clock: Clock,
        entropy: Entropy,
        site: Site,
    ) -> Result<Self, JournalError> {
        Self::hosted(path, None, (clock, entropy, site))
    }

    /// The same under the lock of its folder: while that is another process's, nothing is written.
    pub fn hosted(
        path: &Path,
        lock: Option<Arc<HostLock>>,
        with: (Clock, Entropy, Site),
    ) -> Result<Self, JournalError> {
        let journal = Journal::open(path, lock)?;
        let (state, number) = journal.load()?;
        let signals = Signals::after(number);
        let commits = Commits::to_file(journal, state, number, telling(&signals))
            .map_err(|_| JournalError::Gone)?;
        let mut engine = Self::assemble(commits, signals, with);
        engine.snapshots = Snapshots::beside(path);
        Ok(engine)
    }

    fn assemble(
        commits: Commits,
        signals: Arc<Signals>,
        (clock, entropy, site): (Clock, Entropy, Site),
    ) -> Self {
        let worlds = Worlds::of(&commits.published().0);
        Self {
            commits,
            worlds,
            clock,
            entropy,
            site,
            signals,
            in_progress: Mutex::default(),
            requests: RequestLog::default(),
            faults: Faults::default(),
            objects_max: OBJECTS_MAX,
            snapshots: Snapshots::default(),
            jobs_turn: tokio::sync::Mutex::default(),
        }
    }

    /// The same with another limit of objects and records.
    #[must_use]
    pub fn limited_to(mut self, objects_max: u64) -> Self {
        self.objects_max = objects_max;
        self
    }

    /// The sandbox's clock: the time of every world that has none of its own.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where the default world is reachable.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// The turn of whoever runs due jobs: where two ran them at once, their order would be anybody's guess,
    /// and one would end while the other is still at it.
    pub async fn jobs_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.jobs_turn.lock().await
    }

    /// What was put aside of worlds.
    pub const fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// The newest requests.
    pub const fn requests(&self) -> &RequestLog {
        &self.requests
    }

    /// The faults that were asked for.
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Resolves once something may be due: a job or a delivery was planned, or a clock was moved.
    pub fn woken(&self) -> Notified<'_> {
        self.signals.wake.notified()
    }

    /// Wakes every background loop.
    pub fn wake(&self) {
        self.signals.wake.notify_waiters();
    }

    /// Wakes every background loop, and has it look at all accounts anew: a clock was moved.
    pub fn wake_all(&self) {
        *self.signals.jobs.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.wake();
    }

    /// Whose jobs have changed since the last call; `None` stands for everybody's.
    pub fn take_job_scopes(&self) -> Option<HashSet<Scope>> {
        let mut jobs = self.signals.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.replace(HashSet::new())
    }

    /// Takes the deliveries that were planned since the last call.
    pub fn take_planned(&self) -> Vec<Planned> {
        let mut planned = self.signals.planned.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *planned)
    }

    /// What is published of an account.
    pub fn view(&self, scope: &Scope) -> View {
        View::new(self.commits.published().0, scope.clone())
    }

    /// Tells the number of each commit once it is published.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.signals.number.subscribe()
    }

    /// What changed in a world after commit `since`. Fails with the first number that can be asked for where
    /// that is not known any more.
    pub fn changes_since(&self, world: WorldId, since: u64) -> Result<Vec<Committed>, u64> {
        self.signals.recent.since(world, since)
    }

    /// The number of the last published commit.
    pub fn commit_number(&self) -> u64 {
        self.commits.published().1
    }
}

fn telling(signals: &Arc<Signals>) -> Published {
    let signals = Arc::clone(signals);
    Box::new(move |number, changes| signals.published(number, changes))
}

impl World {
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
            Decision { value, keep }
        })
        .await?
    }

    /// Runs `change` and answers once what it kept is durable and published.
    ///
    /// Fails with a 503 where that cannot be said; the caller may try again.
    pub async fn transact<R>(
        &self,
        origin: Origin,
        change: impl FnOnce(&mut Txn<'_>) -> Decision<R>,
    ) -> Result<R, Failure> {
        let (value, stored) = {
            let engine = self.engine();
            let draft = engine.commits.begin().map_err(|refusal| refused(&refusal))?;
            let state = draft.state();
            let objects = state.objects();
            let view = View::new(state, self.scope().clone());
            // What happens by itself ends what was begun: it goes on at the limit, and so do deletions.
            let by_request = origin.request_id.is_some();
            let mut txn = Txn::begin(view, self.now(), self.entropy(), self.site(), origin);
            let Decision { value, keep } = change(&mut txn);
            let (mut after, mut changes) = txn.finish();
            if !keep || changes.is_empty() {
                // What the answer rests on may still be on its way to the disk: it waits behind it.
                if !draft.unpublished() {
                    return Ok(value);
                }
                after = draft.state();
                changes.clear();
            } else if after.objects() > engine.objects_max
                && after.objects() > objects
                && by_request
                && !changes.iter().any(Change::deletes)
            {
                return Err(full(engine.objects_max));
            } else {
                self.introduce(&mut after, &mut changes);
            }
            (value, draft.commit(after, changes))
        };
        if let Some(stored) = stored {
            let stored = stored
                .await
                .unwrap_or_else(|_| Err(ChangeError::Unavailable(Arc::new(JournalError::Gone))));
            stored.map_err(|refusal| refused(&refusal))?;
        }
        Ok(value)
    }

    /// Looks at what is published; waits for nothing.
    pub fn read<R>(&self, look: impl FnOnce(&View) -> R) -> R {
        look(&self.engine().view(self.scope()))
    }

    /// Runs a call that only looks, on what is published.
    pub fn look<R>(&self, origin: Origin, look: impl FnOnce(&mut Txn<'_>) -> R) -> R {
        let view = self.engine().view(self.scope());
        look(&mut Txn::begin(view, self.now(), self.entropy(), self.site(), origin))
    }

    /// Marks an idempotency key as being worked on; `None` where another request is.
    pub fn begin_idempotent(&self, key: &str) -> Option<InProgress> {
        let engine = self.engine();
        let entry = (self.scope().clone(), key.to_owned());
        let mut running = engine.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(entry.clone()).then(|| InProgress { engine: Arc::clone(engine), entry })
    }

    /// The present instant of this world.
    pub fn now(&self) -> Timestamp {
        self.time(&self.engine().clock)
    }
}

/// An idempotency key under work; dropping it frees the key.
#[derive(Debug)]
pub struct InProgress {
    engine: Arc<Engine>,
    entry: (Scope, String),
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut running = self.engine.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.entry);
    }
}

fn refused(refusal: &ChangeError) -> Failure {
    match refusal {
        ChangeError::Overloaded => {
            let text = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.";
            Failure::of(429, FailureKind::InvalidRequest, text).code("lock_timeout")
        }
        ChangeError::Unavailable(error) => {
            let text = format!(
                "The sandbox could not store what was changed: {error}. It goes on by itself once the file can be written; try again, with the same Idempotency-Key."
            );
            Failure::of(503, FailureKind::Api, text)
        }
    }
}

/// Not a 5xx, which SDKs send again: it does not change by itself.
fn full(objects_max: u64) -> Failure {
    Failure::invalid(format!(
        "The sandbox keeps at most {objects_max} objects and records, and it has as many. Delete some, or restart it with a larger --max-objects; `stripegym reset sandbox` starts it anew."
    ))
}
