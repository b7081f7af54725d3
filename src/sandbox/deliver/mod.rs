//! Tells webhook endpoints of events: signs, sends, tries again, and writes every attempt down.
//!
//! What is to be sent stands in the state (`_delivery` records that `emit` plans), so that it outlives a
//! restart; this loop only keeps in mind whose turn it is. An attempt whose result is not yet stored when the
//! process dies is made again: every event arrives at least once.

pub mod attempt;
pub mod queue;
pub mod results;

use crate::net::outbound::Beyond;
use crate::net::shutdown::Stop;
use crate::sandbox::deliver::attempt::Clients;
use crate::sandbox::deliver::queue::{Item, Key, Queue};
use crate::sandbox::deliver::results::{TurnResult, What};
use crate::sandbox::engine::delivery;
use crate::sandbox::engine::delivery::{Attempt, DeliveryRequest, Turn};
use crate::sandbox::engine::schedule::RetrySchedule;
use crate::sandbox::engine::state::{Scope, WorldId};
use crate::sandbox::engine::worlds::World;
use crate::sandbox::engine::{Engine, Planned};
use crate::sandbox::jobs;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Accounts whose worlds are kept at hand.
const AT_HAND_MAX: usize = 1_024;

/// How long an answer keeps the next event about another object waiting, where few wait.
const OVERTAKE_TIME: Duration = Duration::from_millis(250);

/// How often the retries are looked at, at most: whoever moves a clock wakes the loop, and so does every
/// planned delivery and job.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The longest time without a look at the retries, where there are any.
const LOOK_AFTER_MAX: Duration = Duration::from_hours(1);

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a failed delivery is tried again.
    pub schedule: RetrySchedule,
    /// How long an endpoint may take to answer.
    pub timeout: Duration,
    /// How long an answer keeps the next event about the same object waiting.
    pub patience: Duration,
    /// Whether events about different objects follow one another however many wait: for runs that can be
    /// repeated.
    pub in_turn: bool,
    /// How long open attempts may take to end when the sandbox stops.
    pub drain_time: Duration,
    /// Who may be called beyond this machine.
    pub beyond: Beyond,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schedule: RetrySchedule::default(),
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(1),
            in_turn: false,
            drain_time: Duration::from_secs(2),
            beyond: Beyond::Nobody,
        }
    }
}

impl From<RetrySchedule> for Options {
    fn from(schedule: RetrySchedule) -> Self {
        Self { schedule, ..Self::default() }
    }
}

/// What the loop is told.
#[derive(Debug)]
pub enum Progress {
    /// An attempt takes a while: others may overtake it.
    Waits(Key),
    /// An attempt takes too long to be waited for.
    Slow(Key),
    /// An attempt has ended.
    Answered(Key),
    /// Its result is stored; the next one is due then.
    Written(Item, Option<i64>),
}

/// What all attempts share.
struct Dispatcher {
    engine: Arc<Engine>,
    clients: Clients,
    patience: Duration,
    progress: UnboundedSender<Progress>,
    results: UnboundedSender<TurnResult>,
}

/// Delivers what is due until `stop`; attempts that run then may end, and what is left stays pending.
pub async fn run(engine: Arc<Engine>, options: impl Into<Options>, mut stop: Stop) {
    let Options { schedule, timeout, patience, in_turn, drain_time, beyond } = options.into();
    let (progress, heard) = mpsc::unbounded_channel();
    let (results, ended) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    running.spawn(results::write(ended, schedule, progress.clone()));
    let clients = Clients::new(timeout, beyond);
    let dispatcher = Arc::new(Dispatcher { engine, clients, patience, progress, results });
    tokio::select! {
        biased;
        () = stop.wait() => {}
        () = dispatch(&dispatcher, &mut running, heard, in_turn) => {}
        () = dispatcher.clients.tidy() => {}
    }
    // The results are all in once the last attempt lets go of the dispatcher.
    drop(dispatcher);
    let ended = async { while running.join_next().await.is_some() {} };
    let drained = tokio::time::timeout(drain_time, ended).await;
    tracing::debug!(graceful = drained.is_ok(), "delivery stopped");
}

/// Starts what may start, and waits for what comes next: a new delivery, an instant, or an attempt's end.
async fn dispatch(
    dispatcher: &Arc<Dispatcher>,
    running: &mut JoinSet<()>,
    mut progress: UnboundedReceiver<Progress>,
    in_turn: bool,
) {
    let engine = &dispatcher.engine;
    let mut desk = Desk::of(engine, in_turn);
    // Taken before looking: what is planned in between is seen twice, and queued once.
    drop(engine.take_planned());
    for world in jobs::worlds(engine) {
        for planned in world.read(delivery::pending) {
            desk.add(planned);
        }
    }
    loop {
        let mut woken = pin!(engine.woken());
        // Registered before looking, so that what is planned after the look is not missed.
        woken.as_mut().enable();
        for planned in engine.take_planned() {
            desk.add(planned);
        }
        desk.ripen();
        while let Some(item) = desk.queue.start() {
            let world = desk.world(&item.planned.scope);
            running.spawn(deliver_item(Arc::clone(dispatcher), item, world));
        }
        while running.try_join_next().is_some() {}
        tokio::select! {
            () = &mut woken => desk.look_soon(),
            Some(told) = progress.recv() => desk.hear(told),
            () = tokio::time::sleep_until(desk.look_at) => {}
        }
        while let Ok(told) = progress.try_recv() {
            desk.hear(told);
        }
    }
}

/// The queue, and when its retries are looked at next.
struct Desk<'e> {
    engine: &'e Arc<Engine>,
    in_turn: bool,
    queue: Queue,
    /// Finding a world by its number takes a look at all of them.
    at_hand: HashMap<Scope, Option<Arc<World>>>,
    looked_at: Instant,
    look_at: Instant,
}

impl<'e> Desk<'e> {
    fn of(engine: &'e Arc<Engine>, in_turn: bool) -> Self {
        let now = Instant::now();
        let (queue, at_hand) = (Queue::default(), HashMap::new());
        Self { engine, in_turn, queue, at_hand, looked_at: now, look_at: now }
    }

    fn add(&mut self, planned: Planned) {
        let about = if self.in_turn {
            0
        } else {
            delivery::about(&self.engine.view(&planned.scope), &planned)
        };
        self.queue.add(planned, about);
    }

    fn hear(&mut self, told: Progress) {
        match told {
            Progress::Waits(key) => self.queue.pass(key),
            Progress::Slow(key) => self.queue.release(key),
            Progress::Answered(key) => self.queue.answered(key),
            Progress::Written(item, next_due) => {
                self.queue.end(item, next_due);
                if next_due.is_some() {
                    self.look_soon();
                }
            }
        }
    }

    fn look_soon(&mut self) {
        self.look_at = self.look_at.min(self.looked_at + LOOK_EVERY);
    }

    /// Lets retries start that have become due, where it is time to look.
    fn ripen(&mut self) {
        let now = Instant::now();
        if now < self.look_at {
            return;
        }
        let later: Vec<(WorldId, i64)> = self.queue.later().collect();
        let mut pause = LOOK_AFTER_MAX;
        for (id, due) in later {
            let Some(world) = self.world(&Scope::platform(id)) else {
                // It is gone: its deliveries find that out when they start.
                self.queue.ripen(id, i64::MAX);
                continue;
            };
            let time = world.now().0;
            if due <= time {
                self.queue.ripen(id, time);
                pause = Duration::ZERO;
            } else {
                pause = pause.min(Duration::from_secs(due.abs_diff(time)));
            }
        }
        self.looked_at = now;
        self.look_at = now + pause.max(LOOK_EVERY);
    }

    fn world(&mut self, scope: &Scope) -> Option<Arc<World>> {
        if let Some(known) = self.at_hand.get(scope) {
            return known.clone();
        }
        if self.at_hand.len() >= AT_HAND_MAX {
            self.at_hand.clear();
        }
        let world = self.engine.world_at(scope);
        self.at_hand.insert(scope.clone(), world.clone());
        world
    }
}

/// Takes one turn: makes an attempt, or ends what nobody waits for.
async fn deliver_item(dispatcher: Arc<Dispatcher>, item: Item, world: Option<Arc<World>>) {
    let turn =
        world.map(|world| (world.read(|view| delivery::turn(view, &item.planned.id)), world));
    let key = item.key();
    let what = match turn {
        None | Some((Turn::Over, _)) => None,
        Some((Turn::Cancel, world)) => Some((What::Canceled, world)),
        Some((Turn::Send(delivery), world)) => {
            let attempt = dispatcher.attempt(&world, &delivery, key).await;
            let Attempt { status, error, duration_ms, .. } = &attempt;
            tracing::debug!(id = %item.planned.id, ?status, ?error, duration_ms, "attempted");
            Some((What::Attempted(delivery.before, attempt), world))
        }
    };
    dispatcher.tell(Progress::Answered(key));
    match what {
        None => dispatcher.tell(Progress::Written(item, None)),
        // Whoever writes ends after the last attempt, or with all of them.
        Some((what, world)) => drop(dispatcher.results.send(TurnResult { item, world, what })),
    }
}

impl Dispatcher {
    /// Makes one attempt; says so when it takes too long to be waited for.
    async fn attempt(&self, world: &World, delivery: &DeliveryRequest, key: Key) -> Attempt {
        let mut sending = pin!(attempt::send(&self.clients, delivery, world.now()));
        let short = OVERTAKE_TIME.min(self.patience);
        if let Ok(attempt) = tokio::time::timeout(short, &mut sending).await {
            return attempt;
        }
        self.tell(Progress::Waits(key));
        let rest = self.patience.saturating_sub(short);
        if let Ok(attempt) = tokio::time::timeout(rest, &mut sending).await {
            return attempt;
        }
        self.tell(Progress::Slow(key));
        sending.await
    }

    /// Tells the loop; when it has ended already, nobody needs to know.
    fn tell(&self, progress: Progress) {
        drop(self.progress.send(progress));
    }
}

#[cfg(test)]
mod tests;
