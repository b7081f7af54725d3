//! Billing periods: the boundaries that an interval counts off from its anchor, in calendar time and UTC. Pure.

use crate::domain::time::Timestamp;
use serde_json::Value;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// What an interval is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds(i64),
    Months(i64),
}

/// How long one period is: so many days, weeks, months or years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    unit: Unit,
    count: i64,
}

impl Interval {
    /// Reads `interval` and `interval_count` of a plan or of a price's `recurring`.
    pub fn read(of: &Value) -> Option<Self> {
        let count = of.get("interval_count").and_then(Value::as_i64).unwrap_or(1);
        Self::new(of.get("interval")?.as_str()?, count)
    }

    /// So many of a unit; `None` for no unit and for less than one.
    pub fn new(unit: &str, count: i64) -> Option<Self> {
        let unit = match unit {
            "day" => Unit::Seconds(DAY),
            "week" => Unit::Seconds(7 * DAY),
            "month" => Unit::Months(1),
            "year" => Unit::Months(12),
            _ => return None,
        };
        (1..=10_000).contains(&count).then_some(Self { unit, count })
    }

    /// Whether a period of this interval is a whole number of periods of another one: days of days, months of months,
    /// and everything of single days.
    pub const fn is_multiple_of(self, other: Self) -> bool {
        match (self.unit, other.unit) {
            (Unit::Seconds(own), Unit::Seconds(of)) | (Unit::Months(own), Unit::Months(of)) => {
                (own * self.count) % (of * other.count) == 0
            }
            (Unit::Months(_), Unit::Seconds(of)) => of * other.count == DAY,
            (Unit::Seconds(_), Unit::Months(_)) => false,
        }
    }

    /// How many seconds a period has at least, by which the shortest of several is found.
    pub const fn least(self) -> i64 {
        match self.unit {
            Unit::Seconds(seconds) => seconds * self.count,
            Unit::Months(months) => months * self.count * 28 * DAY,
        }
    }

    /// The `n`th boundary from the anchor on, which is the 0th. A month without the anchor's day has its last day
    /// instead, and the next one the anchor's day again.
    pub fn boundary(self, anchor: Timestamp, n: i64) -> Timestamp {
        let steps = n.saturating_mul(self.count);
        match self.unit {
            Unit::Seconds(seconds) => anchor.plus(steps.saturating_mul(seconds)),
            Unit::Months(months) => anchor.plus_months(steps.saturating_mul(months)),
        }
    }

    /// Which boundary is the last one at or before an instant.
    fn index(self, anchor: Timestamp, at: Timestamp) -> i64 {
        let longest = match self.unit {
            Unit::Seconds(seconds) => seconds,
            Unit::Months(months) => months * 31 * DAY,
        };
        // An estimate that is never too late for what lies ahead, and walked up from.
        let passed = at.since(anchor);
        let mut n = passed.div_euclid(longest.saturating_mul(self.count));
        while self.boundary(anchor, n) > at {
            n -= 1;
        }
        while self.boundary(anchor, n + 1) <= at {
            n += 1;
        }
        n
    }

    /// The period that an instant is in: from a boundary at or before it to the next one.
    pub fn around(self, anchor: Timestamp, at: Timestamp) -> Period {
        let n = self.index(anchor, at);
        Period { start: self.boundary(anchor, n), end: self.boundary(anchor, n + 1) }
    }
}

/// From one instant to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first second.
    pub start: Timestamp,
    /// The first second that is not in it.
    pub end: Timestamp,
}

impl Period {
    /// Of no length.
    pub const fn at(instant: Timestamp) -> Self {
        Self { start: instant, end: instant }
    }

    /// Seconds that it has.
    pub const fn length(self) -> i64 {
        self.end.since(self.start)
    }

    /// Seconds that are left of it at an instant, which is taken into it first.
    pub fn left(self, at: Timestamp) -> i64 {
        self.end.since(at.max(self.start)).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::read(text).unwrap()
    }

    #[test]
    fn months_end_where_they_end_and_come_back_to_the_anchors_day() {
        let month = Interval::new("month", 1).unwrap();
        let anchor = at("2025-10-31T18:16:33Z");
        for (n, date) in [
            (1, "2025-11-30T18:16:33Z"),
            (2, "2025-12-31T18:16:33Z"),
            (4, "2026-02-28T18:16:33Z"),
            (5, "2026-03-31T18:16:33Z"),
        ] {
            assert_eq!(month.boundary(anchor, n), at(date), "{n}");
        }
        let year = Interval::new("year", 1).unwrap();
        assert_eq!(year.boundary(at("2024-02-29T00:00:00Z"), 1), at("2025-02-28T00:00:00Z"));
        assert_eq!(year.boundary(at("2024-02-29T00:00:00Z"), 4), at("2028-02-29T00:00:00Z"));
        let period = month.around(anchor, at("2026-03-01T00:00:00Z"));
        assert_eq!(period.start, at("2026-02-28T18:16:33Z"));
        assert_eq!(period.end, at("2026-03-31T18:16:33Z"));
        assert_eq!(period.length(), 31 * DAY);
    }

    #[test]
    fn some_intervals_are_whole_numbers_of_others() {
        let of = |text: &str| {
            let (count, unit) = text.split_once(' ').unwrap();
            Interval::new(unit, count.parse().unwrap()).unwrap()
        };
        // As the documentation has them.
        for (longer, shorter) in [
            ("3 month", "1 month"),
            ("1 year", "1 month"),
            ("1 week", "1 day"),
            ("1 week", "7 day"),
            ("7 day", "1 week"),
            ("3 month", "1 day"),
            ("2 year", "1 day"),
            ("4 week", "2 week"),
            ("6 month", "2 month"),
            ("1 year", "12 month"),
        ] {
            assert!(of(longer).is_multiple_of(of(shorter)), "{longer} of {shorter}");
            assert!(of(shorter).least() <= of(longer).least(), "{longer} of {shorter}");
        }
        for (longer, shorter) in [
            ("3 month", "2 month"),
            ("6 month", "4 month"),
            ("1 month", "1 week"),
            ("1 week", "2 day"),
            ("1 year", "5 month"),
            ("1 year", "1 week"),
            ("60 day", "1 month"),
        ] {
            assert!(!of(longer).is_multiple_of(of(shorter)), "{longer} of {shorter}");
        }
    }

    #[test]
    fn what_is_no_interval_is_none() {
        assert!(Interval::new("month", 0).is_none() && Interval::new("moon", 1).is_none());
        let price = serde_json::json!({"interval": "week", "interval_count": 2});
        assert_eq!(Interval::read(&price), Interval::new("week", 2));
    }

    proptest! {
        #[test]
        fn periods_follow_one_another_without_a_gap(
            unit in prop::sample::select(vec!["day", "week", "month", "year"]),
            count in 1_i64..=12,
            anchor in 0_i64..4_000_000_000,
            ahead in -500_000_000_i64..500_000_000,
        ) {
            let interval = Interval::new(unit, count).unwrap();
            let (anchor, instant) = (Timestamp(anchor), Timestamp(anchor + ahead));
            let period = interval.around(anchor, instant);
            prop_assert!(period.start <= instant && instant < period.end);
            let next = interval.around(anchor, period.end);
            prop_assert_eq!(next.start, period.end);
            prop_assert_eq!(interval.around(anchor, period.start), period);
            prop_assert!(period.length() > 0);
        }
    }
}
