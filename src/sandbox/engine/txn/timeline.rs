//! Whose time counts in a change: the world's, or that of a test clock; and what waits for it.

use super::Txn;
use crate::domain::time::Timestamp;
use crate::sandbox::engine::private::Job;
use crate::wire::failure::Failure;
use serde_json::Value;
use std::sync::Arc;

/// The records of jobs that wait for the clock of their world.
pub const KIND: &str = "_job";

/// The records of jobs that wait for a test clock.
pub const CLOCK_KIND: &str = "_clock_job";

/// The kind of test clocks.
pub(super) const CLOCK: &str = "test_helpers.test_clock";

impl Txn<'_> {
    /// The same by the clock of the world: when others are told of it.
    pub const fn world_now(&self) -> Timestamp {
        self.world_now
    }

    /// The test clock whose time counts; `None` where the world's does.
    pub fn timeline(&self) -> Option<&str> {
        self.timeline.as_deref()
    }

    /// Does something at another instant of the same timeline, as part of this change.
    pub fn at_instant<R>(&mut self, at: Timestamp, work: impl FnOnce(&mut Self) -> R) -> R {
        let world_now = if self.timeline.is_some() { self.world_now } else { at };
        self.in_time((at, world_now, self.timeline.clone()), work)
    }

    /// Does something in the frozen time of a test clock of this account, as part of this change: what is
    /// made carries that time, and what is planned waits for that clock. `param` named the clock.
    pub fn on_timeline<R>(
        &mut self,
        clock: &str,
        param: &str,
        work: impl FnOnce(&mut Self) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let found = self.find(CLOCK, clock, param)?;
        let frozen = found.get("frozen_time").and_then(Value::as_i64);
        let now = frozen.map_or(self.world_now, Timestamp);
        self.in_time((now, self.world_now, Some(Arc::from(clock))), work)
    }

    /// Does something in the time of what belongs to a test clock, where it belongs to one that is still there.
    pub fn on_clock<R>(&mut self, clock: Option<&str>, work: impl FnOnce(&mut Self) -> R) -> R {
        let other = clock.filter(|clock| self.timeline() != Some(clock));
        let frozen = other.and_then(|clock| {
            let found = self.get(CLOCK, clock)?;
            Some((Arc::from(clock), found.get("frozen_time").and_then(Value::as_i64)?))
        });
        match frozen {
            Some((clock, frozen)) => {
                self.in_time((Timestamp(frozen), self.world_now, Some(clock)), work)
            }
            None => work(self),
        }
    }

    /// Does something in the time of the world, whatever timeline this is.
    pub fn off_timeline<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.in_time((self.world_now, self.world_now, None), work)
    }

    fn in_time<R>(
        &mut self,
        time: (Timestamp, Timestamp, Option<Arc<str>>),
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let (now, world_now, timeline) = time;
        let before = (self.now, self.world_now, std::mem::replace(&mut self.timeline, timeline));
        (self.now, self.world_now) = (now, world_now);
        let result = work(self);
        (self.now, self.world_now, self.timeline) = before;
        result
    }

    /// Has `job` run with `args` once the clock of this timeline reaches `due`. Returns the id that
    /// [`Txn::unschedule`] takes.
    pub fn schedule(&mut self, due: Timestamp, job: &str, args: &Value) -> String {
        let id = self.new_id("job_", 16);
        let test_clock = self.timeline().map(str::to_owned);
        let job = Job { name: job.to_owned(), args: args.clone(), due: due.0, test_clock };
        self.put_record(self.job_kind(), &id, Arc::from(""), job);
        id
    }

    /// Takes a scheduled job back, on whichever timeline it waits.
    pub fn unschedule(&mut self, id: &str) {
        self.remove(KIND, id);
        self.remove(CLOCK_KIND, id);
    }

    /// The records of the jobs of this timeline.
    pub const fn job_kind(&self) -> &'static str {
        if self.timeline.is_some() { CLOCK_KIND } else { KIND }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::private::{Delivery, Envelope};
    use crate::sandbox::jobs::run_some;
    use crate::sandbox::testing::Lab;
    use serde_json::json;

    const FROZEN: i64 = 1_900_000_000;

    #[test]
    fn on_the_timeline_of_a_test_clock_its_frozen_time_counts_and_its_jobs_wait_for_it() {
        let mut lab = Lab::new();
        let hook =
            json!({"url": "http://127.0.0.1:9/hook", "enabled_events": ["customer.created"]});
        lab.ok("POST /v1/webhook_endpoints", hook);
        let world_now = lab.now;
        let clock = json!({"object": CLOCK, "id": "clock_1", "frozen_time": FROZEN});
        lab.change(|txn| Ok(txn.put(clock))).unwrap();
        let sent = json!({"name": "Ada", "test_clock": "clock_1"});
        let customer = lab.ok("POST /v1/customers", sent);
        assert_eq!(customer["test_clock"], "clock_1");
        assert_eq!(customer["created"], FROZEN);
        let view = lab.view();
        let event = view.newest("event").next().unwrap();
        // Whoever listens is told by the clock that everybody shares.
        assert_eq!(event.part::<Envelope>().created, world_now.0);
        let delivery = view.table("_delivery").unwrap().all().next().unwrap();
        assert_eq!(delivery.part::<Delivery>().unwrap().due, Some(world_now.0));
        assert_eq!(view.count(CLOCK_KIND), 0, "what keeps house is the world's");

        let plan = |txn: &mut Txn<'_>| Ok(txn.schedule(txn.now().plus(60), "unknown", &json!({})));
        let id = lab.change(|txn| txn.on_timeline("clock_1", "test_clock", plan)).unwrap();
        lab.advance(FROZEN);
        assert_eq!(lab.view().count(CLOCK_KIND), 1, "the world's clock does not run it");
        let run = |txn: &mut Txn<'_>, until: i64| {
            let accounts = [txn.scope().clone()];
            let run = |txn: &mut Txn<'_>| Ok(run_some(txn, &accounts, Timestamp(until)));
            txn.on_timeline("clock_1", "test_clock", run)
        };
        assert_eq!(lab.change(|txn| run(txn, FROZEN + 59)).unwrap(), None);
        let ran = lab.change(|txn| run(txn, FROZEN + 100)).unwrap();
        assert_eq!(ran, Some(Timestamp(FROZEN + 60)), "at its own instant");
        assert_eq!(lab.view().count(CLOCK_KIND), 0);
        let second = lab.change(|txn| txn.on_timeline("clock_1", "test_clock", plan)).unwrap();
        assert_ne!(id, second);
        lab.change(|txn| {
            txn.unschedule(&second);
            Ok(())
        })
        .unwrap();
        assert_eq!(lab.view().count(CLOCK_KIND), 0, "taken back");
    }

    #[test]
    fn a_clock_that_is_not_there_is_named() {
        let mut lab = Lab::new();
        let sent = json!({"test_clock": "clock_none"});
        let refused = lab.call("POST /v1/customers", sent).unwrap_err();
        assert_eq!(refused.message, "No such billingclock: 'clock_none'");
        assert_eq!(refused.param.as_deref(), Some("test_clock"));
        assert_eq!(lab.view().count("customer"), 0);
    }
}
