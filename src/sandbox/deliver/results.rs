//! Writes down what attempts came to, many in one change: what ended while the last change of an account was
//! on its way to the disk goes into the next one. Sending never waits for it.

use crate::domain::time::Timestamp;
use crate::sandbox::deliver::Progress;
use crate::sandbox::deliver::queue::Item;
use crate::sandbox::engine::delivery::{self, Attempt};
use crate::sandbox::engine::schedule::RetrySchedule;
use crate::sandbox::engine::state::Scope;
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

/// Results that one change takes: a change holds up others while it is made.
const GROUP_MAX: usize = 128;

/// How long results of an account are gathered after a change.
const GATHER_TIME: Duration = Duration::from_millis(3);

/// How long to wait where the file cannot be written, before it is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What became of one turn.
#[derive(Debug)]
pub struct TurnResult {
    /// Whose turn it was.
    pub item: Item,
    /// Where it is written down.
    pub world: Arc<World>,
    /// What is written down.
    pub what: What,
}

/// What is to be written down.
#[derive(Debug)]
pub enum What {
    /// An attempt that had so many before it.
    Attempted(usize, Attempt),
    /// Its end, without an attempt.
    Canceled,
}

impl TurnResult {
    fn write(&self, txn: &mut Txn<'_>, schedule: &RetrySchedule) -> Option<Timestamp> {
        let id = &self.item.planned.id;
        match &self.what {
            What::Attempted(before, attempt) => {
                delivery::settle(txn, id, *before, attempt, schedule)
            }
            What::Canceled => {
                delivery::cancel(txn, id);
                None
            }
        }
    }
}

/// Writes until nobody sends results any more and all are stored.
pub async fn write(
    mut results: UnboundedReceiver<TurnResult>,
    schedule: RetrySchedule,
    progress: UnboundedSender<Progress>,
) {
    let schedule = Arc::new(schedule);
    // An account stands here while a change of it is on its way, with what has ended since.
    let mut busy: HashMap<Scope, Vec<TurnResult>> = HashMap::new();
    let mut writing: JoinSet<Scope> = JoinSet::new();
    let mut open = true;
    while open || !writing.is_empty() {
        tokio::select! {
            received = results.recv(), if open => {
                let Some(first) = received else {
                    open = false;
                    continue;
                };
                let mut groups: HashMap<Scope, Vec<TurnResult>> = HashMap::new();
                let mut next = Some(first);
                while let Some(outcome) = next {
                    let scope = &outcome.item.planned.scope;
                    match busy.get_mut(scope) {
                        Some(waiting) => waiting.push(outcome),
                        None => groups.entry(scope.clone()).or_default().push(outcome),
                    }
                    next = results.try_recv().ok();
                }
                for (scope, group) in groups {
                    let rest = begin(&mut writing, group, &schedule, &progress);
                    busy.insert(scope, rest);
                }
            }
            Some(ended) = writing.join_next() => {
                let Ok(scope) = ended else { continue };
                match busy.remove(&scope) {
                    Some(waiting) if !waiting.is_empty() => {
                        let rest = begin(&mut writing, waiting, &schedule, &progress);
                        busy.insert(scope, rest);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Has the first results of an account written; returns those for which the change has no room.
fn begin(
    writing: &mut JoinSet<Scope>,
    mut group: Vec<TurnResult>,
    schedule: &Arc<RetrySchedule>,
    progress: &UnboundedSender<Progress>,
) -> Vec<TurnResult> {
    let rest = group.split_off(group.len().min(GROUP_MAX));
    writing.spawn(store(group, Arc::clone(schedule), progress.clone()));
    rest
}

/// Stores results of one account in one change, as often as it takes. Returns the account.
async fn store(
    group: Vec<TurnResult>,
    schedule: Arc<RetrySchedule>,
    progress: UnboundedSender<Progress>,
) -> Scope {
    let Some((world, scope)) =
        group.first().map(|first| (Arc::clone(&first.world), first.item.planned.scope.clone()))
    else {
        return Scope::platform(0);
    };
    let dues = loop {
        let written = world.change(Origin::default(), |txn| {
            Ok(group.iter().map(|outcome| outcome.write(txn, &schedule)).collect::<Vec<_>>())
        });
        match written.await {
            Ok(dues) => break dues,
            Err(failure) => {
                tracing::error!(error = %failure.message, "attempts could not be recorded yet");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    };
    for (outcome, due) in group.into_iter().zip(dues) {
        // When the loop has ended already, nobody needs to know.
        drop(progress.send(Progress::Written(outcome.item, due.map(|at| at.0))));
    }
    tokio::time::sleep(GATHER_TIME).await;
    scope
}
