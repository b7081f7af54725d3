//! One conversation at a time in a folder: two would share the sandbox that the first hosts, and overwrite where the
//! other was left.

use crate::app::context::Context;
use crate::app::course::course_lock::{FolderLock, TALK};
use crate::domain::fault::{Fault, FaultKind};
use std::time::Duration;

/// How often it is looked whether the other one has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The turn of a conversation; given up when dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: FolderLock,
}

impl Turn {
    /// Takes it. Where another terminal has it, `waiting` is called once, and it is waited for.
    pub async fn take(context: &Context, waiting: impl FnOnce()) -> Result<Self, Fault> {
        let home = &context.config.home;
        let mut waiting = Some(waiting);
        loop {
            if let Some(lock) = FolderLock::take(home, TALK)? {
                return Ok(Self { _lock: lock });
            }
            if let Some(say) = waiting.take() {
                say();
            }
            let mut stop = context.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.wait() => return Err(FaultKind::Interrupted.into()),
            }
        }
    }
}
