//! What the sandbox does by itself when its time comes: sessions expire, delayed payments settle.

use crate::domain::time::Timestamp;
use crate::net::shutdown::Stop;
use crate::sandbox::behaviour::due::BATCH_MAX;
pub use crate::sandbox::behaviour::due::run_some;
use crate::sandbox::call::idempotency;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::state::{Scope, Table};
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::engine::txn::timeline::KIND;
use crate::sandbox::engine::worlds::World;
use crate::wire::failure::Failure;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest sleep; a clock that was moved wakes the loop anyway.
const NAP_MAX: Duration = Duration::from_hours(1);

/// How long the loop waits where the file cannot be written, before it tries again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Runs due jobs, soonest first, until `stop`. Looks only at accounts where something is due or has changed.
pub async fn run(engine: Arc<Engine>, mut stop: Stop) {
    let mut due_times: HashMap<Scope, Instant> = HashMap::new();
    loop {
        let woken = engine.woken();
        tokio::pin!(woken);
        // Registered before looking, so that nothing planned in between is slept over.
        woken.as_mut().enable();
        let now = Instant::now();
        let due: Vec<Scope> = match engine.take_job_scopes() {
            None => worlds(&engine).iter().map(|world| world.scope().clone()).collect(),
            Some(changed) => {
                let passed = due_times.iter().filter(|(_, at)| **at <= now).map(|(scope, _)| scope);
                passed
                    .filter(|scope| !changed.contains(scope))
                    .cloned()
                    .chain(changed.clone())
                    .collect()
            }
        };
        for scope in due {
            let Some(world) = engine.world_at(&scope) else {
                due_times.remove(&scope);
                continue;
            };
            let nap = run_due(&world).await;
            due_times.insert(scope, Instant::now() + nap);
        }
        let next = due_times.values().min().copied();
        let pause = next.map_or(NAP_MAX, |at| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = stop.wait() => return,
            () = woken => {}
            () = tokio::time::sleep(pause.min(NAP_MAX)) => {}
        }
    }
}

/// Every account of every world that holds anything.
pub fn worlds(engine: &Arc<Engine>) -> Vec<Arc<World>> {
    let state = engine.default_world().read(|view| view.state().clone());
    let ids: Vec<_> = state.worlds().collect();
    let scopes = ids.into_iter().flat_map(|world| state.accounts(world));
    scopes.filter_map(|scope| engine.world_at(&scope)).collect()
}

/// Runs every job of an account that is due now, and what becomes due by them; forgets answers that were
/// kept long enough. Returns how long nothing more is due.
pub async fn run_due(world: &World) -> Duration {
    let _turn = world.engine().jobs_turn().await;
    if !forget_answers(world).await {
        return RETRY_PAUSE;
    }
    loop {
        let now = world.now();
        let (jobs, answers) = world.read(|view| {
            let next = |kind| view.table(kind).and_then(Table::next_due);
            (next(KIND), next(idempotency::KIND))
        });
        if jobs.is_none_or(|due| due > now.0) {
            return jobs.into_iter().chain(answers).min().map_or(NAP_MAX, |due| {
                Duration::from_secs(due.saturating_sub(now.0).max(1).unsigned_abs()).min(NAP_MAX)
            });
        }
        let own = [world.scope().clone()];
        let ran = world.change(Origin::default(), |txn| Ok(run_some(txn, &own, now)));
        if let Err(failure) = ran.await {
            tracing::error!(message = failure.message, "jobs could not be stored");
            return RETRY_PAUSE;
        }
    }
}

/// Has everything happen in a world that is due until `to`, over all its accounts, and what becomes due by
/// it: in the order of time, each at its own instant. `step` moves the world's clock there bit by bit, so
/// that what happens meanwhile comes neither before nor long after.
pub async fn run_until<M: Future<Output = Result<(), Failure>>>(
    world: &World,
    to: Timestamp,
    step: impl Fn(Timestamp) -> M,
) -> Result<(), Failure> {
    let _turn = world.engine().jobs_turn().await;
    loop {
        let ran = world.change(Origin::default(), |txn| {
            let accounts = txn.state().accounts(txn.scope().world);
            Ok(run_some(txn, &accounts, to))
        });
        let Some(last) = ran.await? else { return step(to).await };
        step(last).await?;
    }
}

/// Removes the idempotency records whose time is over; `false` where that could not be stored.
async fn forget_answers(world: &World) -> bool {
    let now = world.now().0;
    loop {
        let over: Vec<_> = world.read(|view| {
            let table = view.table(idempotency::KIND).into_iter();
            table.flat_map(|t| t.due(now)).map(|s| Arc::clone(&s.id)).take(BATCH_MAX).collect()
        });
        if over.is_empty() {
            return true;
        }
        let forgotten = world.change(Origin::default(), move |txn| {
            for id in &over {
                txn.remove(idempotency::KIND, id);
            }
            Ok(())
        });
        if let Err(failure) = forgotten.await {
            tracing::error!(message = failure.message, "old answers could not be removed");
            return false;
        }
    }
}
