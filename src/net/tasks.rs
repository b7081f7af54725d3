//! Spawned work that shutdown waits for.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// A set of running tasks; clones add to the same set.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// Runs `work` on the current runtime.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(work);
    }

    /// Waits until every task has ended, those included that others start meanwhile.
    pub async fn finish(&self) {
        loop {
            let mut set =
                std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            if set.is_empty() {
                return;
            }
            while set.join_next().await.is_some() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn what_a_task_starts_at_its_end_is_waited_for_too() {
        let tasks = Tasks::default();
        let done = Arc::new(AtomicBool::new(false));
        let (late, told) = (tasks.clone(), Arc::clone(&done));
        tasks.spawn(async move {
            tokio::task::yield_now().await;
            late.spawn(async move {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                told.store(true, Ordering::SeqCst);
            });
        });
        tasks.finish().await;
        assert!(done.load(Ordering::SeqCst));
    }
}
