//! Tells webhook endpoints of events: signs, sends, tries again, and writes every attempt down.
//!
//! What is to be sent stands in the state (`_delivery` records that `emit` plans), so that it outlives a
//! restart; this loop only keeps in mind whose turn it is.

pub mod attempt;
pub mod control;
pub mod queue;
pub mod record;
pub mod schedule;

use crate::domain::time::Timestamp;
use crate::net::shutdown::Stop;
use crate::sandbox::deliver::attempt::Clients;
use crate::sandbox::deliver::queue::Queue;
use crate::sandbox::deliver::record::{Attempt, Parcel, Turn};
use crate::sandbox::deliver::schedule::RetrySchedule;
use crate::sandbox::engine::state::Scope;
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::engine::{Engine, Planned};
use crate::sandbox::jobs;
use crate::wire::failure::Failure;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a failed delivery is tried again.
    pub schedule: RetrySchedule,
    /// How long an endpoint may take to answer.
    pub timeout: Duration,
    /// How long an answer keeps the endpoint's next event waiting.
    pub patience: Duration,
    /// How long open attempts may take to end when the sandbox stops.
    pub drain_time: Duration,
    /// Whether addresses other than loopback may be called.
    pub allow_remote_webhooks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schedule: RetrySchedule::default(),
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(1),
            drain_time: Duration::from_secs(2),
            allow_remote_webhooks: false,
        }
    }
}

impl From<RetrySchedule> for Options {
    fn from(schedule: RetrySchedule) -> Self {
        Self { schedule, ..Self::default() }
    }
}

/// What a running attempt tells the loop.
enum News {
    /// It no longer keeps the endpoint's next event waiting.
    Released(Planned),
    /// It is written down; the next one is due then.
    Ended(Planned, Option<i64>),
}

/// What all attempts share.
struct Courier {
    engine: Arc<Engine>,
    clients: Clients,
    options: Options,
}

/// Delivers what is due until `stop`; attempts that run then may end, and what is left stays pending.
pub async fn run(engine: Arc<Engine>, options: impl Into<Options>, mut stop: Stop) {
    let options = options.into();
    let clients = match Clients::build(options.timeout) {
        Ok(clients) => clients,
        Err(error) => {
            tracing::error!(%error, "webhooks cannot be delivered");
            return;
        }
    };
    let drain_time = options.drain_time;
    let courier = Arc::new(Courier { engine, clients, options });
    let mut running = JoinSet::new();
    tokio::select! {
        biased;
        () = stop.wait() => {}
        () = dispatch(&courier, &mut running) => {}
    }
    let ended = async { while running.join_next().await.is_some() {} };
    let drained = tokio::time::timeout(drain_time, ended).await;
    tracing::debug!(graceful = drained.is_ok(), "delivery stopped");
}

/// Starts what is due, and waits for what comes next: a new delivery, an instant, or an attempt's end.
async fn dispatch(courier: &Arc<Courier>, running: &mut JoinSet<()>) {
    let (news_sender, mut news) = mpsc::unbounded_channel();
    let mut queue = Queue::default();
    // Taken before looking: what is planned in between is seen twice, and queued once.
    drop(courier.engine.take_planned());
    for world in jobs::worlds(&courier.engine) {
        world.read(record::pending).into_iter().for_each(|planned| queue.add(planned));
    }
    loop {
        let mut woken = pin!(courier.engine.woken());
        // Polled once before looking, so that what is planned after the look is not missed.
        tokio::select! {
            biased;
            () = &mut woken => {}
            () = std::future::ready(()) => {}
        }
        for planned in courier.engine.take_planned() {
            queue.add(planned);
        }
        // Each world has a time of its own.
        let now = |scope: &Scope| courier.engine.now_in(scope.world);
        while let Some(waiting) = queue.start(now) {
            running.spawn(carry(Arc::clone(courier), waiting, news_sender.clone()));
        }
        while running.try_join_next().is_some() {}
        let pause = queue.next_pause(now).map(|wait_s| Duration::from_secs(wait_s.unsigned_abs()));
        tokio::select! {
            () = &mut woken => {}
            Some(told) = news.recv() => hear(&mut queue, told),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
        while let Ok(told) = news.try_recv() {
            hear(&mut queue, told);
        }
    }
}

fn hear(queue: &mut Queue, told: News) {
    match told {
        News::Released(waiting) => queue.release(&waiting),
        News::Ended(waiting, next_due) => queue.end(waiting, next_due),
    }
}

/// Takes one turn: makes an attempt, or ends what nobody waits for.
async fn carry(courier: Arc<Courier>, waiting: Planned, news: mpsc::UnboundedSender<News>) {
    let Some(world) = courier.engine.world_at(&waiting.scope) else {
        tell(&news, News::Ended(waiting, None));
        return;
    };
    let id = &*waiting.id;
    let next_due = match world.read(|view| record::turn(view, id)) {
        Turn::Over => None,
        Turn::Cancel => {
            let canceled = world.change(Origin::default(), |txn| {
                record::cancel(txn, id);
                Ok(None)
            });
            written(canceled.await, world.now())
        }
        Turn::Send(parcel) => {
            let attempt = courier.attempt(&world, &parcel, &waiting, &news).await;
            let schedule = &courier.options.schedule;
            let settled = world
                .change(Origin::default(), |txn| Ok(record::settle(txn, id, &attempt, schedule)));
            written(settled.await, world.now())
        }
    };
    tell(&news, News::Ended(waiting, next_due.map(|at| at.0)));
}

impl Courier {
    /// Makes one attempt; releases the lane once it is answered, or has taken too long to wait for.
    async fn attempt(
        &self,
        world: &World,
        parcel: &Parcel,
        waiting: &Planned,
        news: &mpsc::UnboundedSender<News>,
    ) -> Attempt {
        let Options { patience, allow_remote_webhooks, .. } = self.options;
        let at = world.now();
        let mut sending = pin!(attempt::send(&self.clients, parcel, at, allow_remote_webhooks));
        let prompt = tokio::time::timeout(patience, &mut sending).await;
        tell(news, News::Released(waiting.clone()));
        match prompt {
            Ok(attempt) => attempt,
            Err(_) => sending.await,
        }
    }
}

/// Tells the loop; when it has ended already, nobody needs to know.
fn tell(news: &mpsc::UnboundedSender<News>, told: News) {
    drop(news.send(told));
}

/// How long to wait, in seconds, before another turn of a delivery whose last one could not be stored.
const UNSTORED_WAIT_S: i64 = 60;

/// When the next turn is. Where this one could not be stored, the state still says pending: it is tried again.
fn written(result: Result<Option<Timestamp>, Failure>, now: Timestamp) -> Option<Timestamp> {
    result.unwrap_or_else(|failure| {
        tracing::error!(error = %failure.message, "an attempt could not be recorded");
        Some(now.plus(UNSTORED_WAIT_S))
    })
}

#[cfg(test)]
mod tests;
