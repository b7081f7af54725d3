//! What a change can have done by name: planned work, and what follows from an event in rooms above.
//!
//! A room calls the ones below it. Where one above has to act at once (an invoice whose intent was paid), the lower one
//! only says what happened, and this table leads from there to who cares.

use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::Value;

/// Runs one planned piece of work with its arguments.
pub type Job = fn(&mut Txn<'_>, &Value);

/// What a sandbox does by name; the engine itself knows nothing of it.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// The planned work of a name.
    pub job: fn(&str) -> Option<Job>,
    /// What follows from an event of a type about an object, within the same change.
    pub follow: fn(&mut Txn<'_>, &str, &Object),
}

impl Behaviour {
    /// Nothing at all.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { job: |_| None, follow: |_, _, _| {} };
}

impl Txn<'_> {
    /// Does something that no request asked for, as part of this change.
    pub fn by_itself<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let origin = std::mem::take(&mut self.origin);
        let done = work(self);
        self.origin = origin;
        done
    }

    /// Has happen what follows from an event for whoever stands above.
    pub fn follow(&mut self, event: &str, about: &Object) {
        (self.site().behaviour.follow)(self, event, about);
    }
}
