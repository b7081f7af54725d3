//! On which days a schedule pays out: midnights UTC. Pure.

use crate::domain::time::Timestamp;

const DAY: i64 = 86_400;

/// How often is paid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Only by hand.
    Manual,
    /// Every day.
    Daily,
    /// On these days of the week; Monday is 0.
    Weekly(Vec<i64>),
    /// On these days of the month; one that a month does not have is its last.
    Monthly(Vec<i64>),
}

/// The day of the week of that name; Monday is 0.
pub fn weekday(name: &str) -> Option<i64> {
    const NAMES: [&str; 7] =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let at = NAMES.iter().position(|known| *known == name)?;
    i64::try_from(at).ok()
}

impl Interval {
    /// The first midnight after an instant at which is paid out.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        if *self == Self::Manual {
            return None;
        }
        let today = after.0.div_euclid(DAY);
        // No month is longer, and every week is shorter.
        let day = (today + 1..today + 63).find(|day| self.is_on(*day))?;
        Some(Timestamp(day * DAY))
    }

    /// Whether a day (since 1970-01-01) is one of its days.
    pub fn is_on(&self, day: i64) -> bool {
        match self {
            Self::Manual => false,
            Self::Daily => true,
            // 1970-01-01 was a Thursday.
            Self::Weekly(days) => days.contains(&(day + 3).rem_euclid(7)),
            Self::Monthly(days) => {
                let of_month = day_of_month(day);
                let is_last = day_of_month(day + 1) == 1;
                days.iter().any(|wanted| *wanted == of_month || is_last && *wanted > of_month)
            }
        }
    }
}

fn day_of_month(day: i64) -> i64 {
    let text = Timestamp(day * DAY).rfc3339();
    text.get(8..10).and_then(|digits| digits.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn next(interval: &Interval, after: &str) -> String {
        let found = interval.next(Timestamp::read(after).unwrap()).unwrap();
        found.rfc3339().get(..16).unwrap().to_owned()
    }

    #[test]
    fn days_weeks_and_months_begin_at_midnight_and_short_months_end_early() {
        assert_eq!(next(&Interval::Daily, "2026-02-28T00:00:00Z"), "2026-03-01T00:00");
        let monday = Interval::Weekly(vec![0]);
        assert_eq!(next(&monday, "2026-11-28T12:00:00Z"), "2026-11-30T00:00");
        assert_eq!(next(&monday, "2026-11-30T00:00:00Z"), "2026-12-07T00:00");
        let last = Interval::Monthly(vec![31]);
        assert_eq!(next(&last, "2027-01-31T00:00:00Z"), "2027-02-28T00:00");
        assert_eq!(next(&last, "2028-02-01T00:00:00Z"), "2028-02-29T00:00");
        let twice = Interval::Monthly(vec![1, 15]);
        assert_eq!(next(&twice, "2027-01-01T00:00:01Z"), "2027-01-15T00:00");
        assert_eq!(Interval::Manual.next(Timestamp(0)), None);
        assert_eq!((weekday("friday"), weekday("caturday")), (Some(4), None));
    }

    proptest! {
        #[test]
        fn the_next_day_is_later_and_within_a_month(
            at in 0_i64..4_000_000_000,
            weekly in any::<bool>(),
            day in 0_i64..7,
            of_month in 1_i64..32,
        ) {
            let interval =
                if weekly { Interval::Weekly(vec![day]) } else { Interval::Monthly(vec![of_month]) };
            let found = interval.next(Timestamp(at)).unwrap().0;
            prop_assert!(found > at && found - at <= 32 * DAY);
            prop_assert_eq!(found % DAY, 0);
            prop_assert!(interval.is_on(found / DAY));
            prop_assert!((at / DAY + 1..found / DAY).all(|day| !interval.is_on(day)));
        }
    }
}
