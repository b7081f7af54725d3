//! Spawned work that shutdown waits for, and work that waits for a disk or another program.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Handle, RuntimeFlavor};
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

/// Does what waits for a disk or another program. Where a runtime has several workers, others take over what waits
/// on this one meanwhile: the sandbox that is hosted here goes on answering.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_worker_that_waits_for_a_disk_leaves_its_tasks_to_others() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let heard = runtime.block_on(runtime.spawn(async {
            let (tell, heard) = std::sync::mpsc::channel();
            // With one worker this task waits behind the one that is running.
            let tasks = Tasks::default();
            tasks.spawn(async move { tell.send(()).unwrap() });
            let heard = blocking(move || heard.recv().is_ok());
            tasks.finish().await;
            heard
        }));
        assert!(heard.unwrap());
        assert_eq!(blocking(|| 1), 1);
    }

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
