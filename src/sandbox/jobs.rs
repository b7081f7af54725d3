//! What the sandbox does by itself when its time comes: sessions expire, delayed payments settle.

use crate::net::shutdown::Stop;
use crate::sandbox::engine::Engine;
use crate::sandbox::object;
use crate::sandbox::txn::Origin;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The longest sleep; a clock that was moved wakes the loop anyway.
const NAP_MAX: Duration = Duration::from_hours(1);

/// Runs due jobs, soonest first, until `stop`.
pub async fn run(engine: Arc<Engine>, mut stop: Stop) {
    loop {
        let woken = engine.woken();
        tokio::pin!(woken);
        // Registered before looking, so that nothing planned in between is slept over.
        woken.as_mut().enable();
        run_due(&engine).await;
        let now = engine.now().0;
        let next = engine.read(|state| state.next_due("_job")).await;
        let nap = next.map_or(NAP_MAX, |due| {
            Duration::from_secs(due.saturating_sub(now).max(1).unsigned_abs()).min(NAP_MAX)
        });
        tokio::select! {
            () = stop.wait() => return,
            () = woken => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}

/// Runs every job that is due now, and what becomes due by them; forgets answers kept long enough.
pub async fn run_due(engine: &Engine) {
    forget_answers(engine).await;
    loop {
        let now = engine.now().0;
        let due = engine.read(|state| state.due("_job", now)).await;
        if due.is_empty() {
            return;
        }
        for job in due {
            let member = |name| job.get(name).and_then(Value::as_str).unwrap_or_default();
            let (id, name) = (member("id").to_owned(), member("job").to_owned());
            let args = job.get("args").cloned().unwrap_or(Value::Null);
            let ran = engine
                .change(Origin::default(), move |txn| {
                    // Another loop, or an earlier job, may have taken it back.
                    if txn.get("_job", &id).is_some() {
                        txn.remove("_job", &id);
                        if let Some(run) = object::job(&name) {
                            run(txn, &args);
                        } else {
                            tracing::warn!(job = name, "a planned job has no behaviour");
                        }
                    }
                    Ok(())
                })
                .await;
            if let Err(failure) = ran {
                tracing::error!(message = failure.message, "a job could not be stored");
                return;
            }
        }
    }
}

/// Removes the idempotency records whose time is over.
async fn forget_answers(engine: &Engine) {
    let now = engine.now().0;
    let over = engine.read(|state| state.due("_idempotency", now)).await;
    if over.is_empty() {
        return;
    }
    let forgotten = engine
        .change(Origin::default(), move |txn| {
            for record in &over {
                txn.remove("_idempotency", object::text(record, "id"));
            }
            Ok(())
        })
        .await;
    if let Err(failure) = forgotten {
        tracing::error!(message = failure.message, "old answers could not be removed");
    }
}
