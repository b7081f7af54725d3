//! Anchors by the calendar: the next instant with a day of the month, a month and a time of day.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::DAY;
use serde_json::{Map, Value};

/// The next instant after `now` that a `billing_cycle_anchor_config` asks for. What it leaves unsaid is as it is now;
/// in a month without the day it is that month's last one.
pub fn next(config: &Map<String, Value>, now: Timestamp) -> Option<Timestamp> {
    let int = |name: &str| config.get(name).and_then(Value::as_i64);
    let (day, month) = (int("day_of_month")?, int("month"));
    let (_, _, today) = date(now);
    let clock = now.0.rem_euclid(DAY);
    let time = int("hour").unwrap_or(clock / 3_600) * 3_600
        + int("minute").unwrap_or(clock % 3_600 / 60) * 60
        + int("second").unwrap_or(clock % 60);
    // The first of this month at midnight.
    let first = Timestamp(now.0 - clock - (today - 1) * DAY);
    (0..=12).find_map(|ahead| {
        let begins = first.plus_months(ahead);
        let length = begins.plus_months(1).since(begins) / DAY;
        let at = begins.plus((day.clamp(1, length) - 1) * DAY + time);
        let (_, own, _) = date(begins);
        (month.is_none_or(|month| month == own) && at > now).then_some(at)
    })
}

/// Year, month and day of an instant, in UTC.
fn date(at: Timestamp) -> (i64, i64, i64) {
    let text = at.rfc3339();
    let part = |from: usize, to: usize| text.get(from..to).and_then(|it| it.parse().ok());
    (part(0, 4).unwrap_or(1970), part(5, 7).unwrap_or(1), part(8, 10).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn after(config: &Value, now: &str) -> String {
        let now = Timestamp::read(now).unwrap();
        next(config.as_object().unwrap(), now).unwrap().rfc3339()
    }

    #[test]
    fn the_next_day_of_that_number_is_taken_at_the_time_of_day_that_it_is() {
        let now = "2026-02-10T08:09:10Z";
        assert_eq!(after(&json!({"day_of_month": 15}), now), "2026-02-15T08:09:10Z");
        assert_eq!(after(&json!({"day_of_month": 10}), now), "2026-03-10T08:09:10Z");
        assert_eq!(after(&json!({"day_of_month": 10, "hour": 9}), now), "2026-02-10T09:09:10Z");
        assert_eq!(after(&json!({"day_of_month": 31}), now), "2026-02-28T08:09:10Z");
        let yearly = json!({"day_of_month": 1, "month": 1, "hour": 0, "minute": 0, "second": 0});
        assert_eq!(after(&yearly, now), "2027-01-01T00:00:00Z");
        assert_eq!(next(&Map::new(), Timestamp(0)), None);
    }

    proptest! {
        #[test]
        fn an_anchor_lies_ahead_and_on_its_day(
            now in 0_i64..4_000_000_000,
            day in 1_i64..=31,
            month in proptest::option::of(1_i64..=12),
        ) {
            let config = json!({"day_of_month": day, "month": month});
            let at = next(config.as_object().unwrap(), Timestamp(now)).unwrap();
            let (_, own, on) = date(at);
            prop_assert!(at.0 > now && at.since(Timestamp(now)) <= 366 * DAY);
            prop_assert!(on == day || (on < day && date(at.plus(DAY)).2 == 1));
            prop_assert!(month.is_none_or(|month| month == own));
        }
    }
}
