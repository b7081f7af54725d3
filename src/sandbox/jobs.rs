//! What the sandbox does by itself when its time comes: sessions expire, delayed payments settle.

use crate::net::shutdown::Stop;
use crate::sandbox::api::idempotency;
use crate::sandbox::behaviour::object;
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::private::Job;
use crate::sandbox::engine::state::{Scope, Table};
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::engine::worlds::World;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest sleep; a clock that was moved wakes the loop anyway.
const NAP_MAX: Duration = Duration::from_hours(1);

/// How long the loop waits where the file cannot be written, before it tries again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Jobs that are run, and answers that are forgotten, in one change.
const BATCH_MAX: usize = 256;

/// Runs due jobs, soonest first, until `stop`. Looks only at accounts where something is due or has changed.
pub async fn run(engine: Arc<Engine>, mut stop: Stop) {
    let mut agenda: HashMap<Scope, Instant> = HashMap::new();
    loop {
        let woken = engine.woken();
        tokio::pin!(woken);
        // Registered before looking, so that nothing planned in between is slept over.
        woken.as_mut().enable();
        let now = Instant::now();
        let due: Vec<Scope> = match engine.take_job_scopes() {
            None => worlds(&engine).iter().map(|world| world.scope().clone()).collect(),
            Some(changed) => {
                let passed = agenda.iter().filter(|(_, at)| **at <= now).map(|(scope, _)| scope);
                passed
                    .filter(|scope| !changed.contains(scope))
                    .cloned()
                    .chain(changed.clone())
                    .collect()
            }
        };
        for scope in due {
            let Some(world) = engine.world_at(&scope) else {
                agenda.remove(&scope);
                continue;
            };
            let nap = run_due(&world).await;
            agenda.insert(scope, Instant::now() + nap);
        }
        let next = agenda.values().min().copied();
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
        let now = world.now().0;
        let (due, next) = world.read(|view| {
            let table = view.table("_job");
            let due: Vec<_> = table
                .into_iter()
                .flat_map(|table| table.due(now))
                .filter_map(|stored| {
                    let job = stored.part::<Job>()?;
                    job.test_clock.is_none().then(|| (Arc::clone(&stored.id), job.clone()))
                })
                .take(BATCH_MAX)
                .collect();
            let answers = view.table(idempotency::KIND).and_then(Table::next_due);
            let next = table.and_then(Table::next_due).into_iter().chain(answers).min();
            (due, next)
        });
        if due.is_empty() {
            return next.map_or(NAP_MAX, |due| {
                Duration::from_secs(due.saturating_sub(now).max(1).unsigned_abs()).min(NAP_MAX)
            });
        }
        let ran = world.change(Origin::default(), move |txn| {
            for (id, job) in due {
                // Another loop, or an earlier job, may have taken it back.
                if txn.stored("_job", &id).is_none() {
                    continue;
                }
                txn.remove("_job", &id);
                if let Some(run) = object::job(&job.name) {
                    run(txn, &job.args);
                } else {
                    tracing::warn!(job = job.name, "a planned job has no behaviour");
                }
            }
            Ok(())
        });
        if let Err(failure) = ran.await {
            tracing::error!(message = failure.message, "jobs could not be stored");
            return RETRY_PAUSE;
        }
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
