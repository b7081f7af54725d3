//! When a new subscription is billed: from when its periods count, and which of them its first invoice is for. Each item
//! has periods of its own interval, all counted from the same anchor.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::create::billing_mode;
use crate::sandbox::behaviour::billing::items::{self, Spec};
use crate::sandbox::behaviour::billing::period::{Interval, Period};
use crate::sandbox::behaviour::billing::{anchor, trial};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::Value;

/// When a new subscription is billed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// From when on it runs.
    pub start: Timestamp,
    /// From when its periods count.
    pub anchor: Timestamp,
    /// When its trial ends, where it begins with one.
    pub trial_end: Option<Timestamp>,
    /// The shortest interval of its items.
    pub shortest: Interval,
    /// When it is made.
    now: Timestamp,
    /// Whether the anchor was asked for.
    is_asked: bool,
}

impl Plan {
    /// The plan that a call asks for, for these items.
    ///
    /// Fails for none, for intervals that do not go together, and for times that are past.
    pub fn read(txn: &Txn<'_>, call: &Call, specs: &[Spec]) -> Result<Self, Failure> {
        let Some(first) = specs.first() else { return Err(items::required("items")) };
        let now = txn.now();
        let mode = billing_mode(call, now.0);
        let prices = specs.iter().map(|spec| &**spec.price);
        items::ensure_aligned(prices, text(&mode, "type") == "flexible")?;
        let intervals = specs.iter().filter_map(|spec| of_price(&spec.price));
        let shortest = intervals.min_by_key(|it| it.least());
        let shortest = shortest.ok_or_else(|| items::required("items"))?;
        let trial_end = trial::end(txn, call, &first.price)?;
        let start = call.int("backdate_start_date").map_or(now, Timestamp).min(now);
        let by_calendar = call.hash("billing_cycle_anchor_config");
        let by_calendar = by_calendar.and_then(|config| anchor::next(config, now)).map(|at| at.0);
        let asked = call.int("billing_cycle_anchor").or(by_calendar);
        if let Some(asked) = asked {
            trial::ensure_future(txn, "billing_cycle_anchor", asked)?;
        }
        let is_asked = asked.is_some();
        let anchor = asked.map(Timestamp).or(trial_end).unwrap_or(start);
        Ok(Self { start, anchor, trial_end, shortest, now, is_asked })
    }

    /// The first period of a price.
    pub fn first_of(&self, price: &Value) -> Period {
        self.first(of_price(price).unwrap_or(self.shortest))
    }

    /// The first period of an interval: it ends with the trial, at the anchor that was asked for, or when it is over.
    pub fn first(&self, interval: Interval) -> Period {
        if let Some(end) = self.trial_end {
            return Period { start: self.now, end };
        }
        let whole = interval.around(self.anchor, self.now);
        if !self.is_asked {
            return whole;
        }
        // What was dated back runs since then already.
        let start = if self.start < self.now { whole.start.max(self.start) } else { self.now };
        Period { start, end: whole.end }
    }

    /// The periods of an interval that the first invoice bills: more than one where the start was dated back, of which
    /// the first is cut where the anchor says so; `free` says that what is past is not billed. Believed: that it is so
    /// in the classic mode too, which has one line for all of them.
    pub fn billed(&self, interval: Interval, free: bool) -> Vec<Period> {
        let first = self.first(interval);
        let (mut periods, mut start) = (Vec::new(), self.start);
        // Nobody dates back further than that.
        while self.trial_end.is_none() && start < first.start && periods.len() < 1_000 && !free {
            let period = interval.around(self.anchor, start);
            if period.end > first.start {
                break;
            }
            periods.push(Period { start, end: period.end });
            start = period.end;
        }
        periods.push(first);
        periods
    }
}

fn of_price(price: &Value) -> Option<Interval> {
    Interval::read(price.get("recurring")?)
}
