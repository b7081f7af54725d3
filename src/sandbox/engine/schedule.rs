//! When a failed delivery is tried again. Pure: counts and seconds.

use std::fmt;
use std::str::FromStr;

/// The longest list of retries that may be asked for.
const RETRIES_MAX: usize = 100;
/// The longest wait before one retry, in seconds: as long as events are kept.
const WAIT_MAX_S: i64 = 30 * DAY_S;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// The waits, in seconds, between a failed attempt and the next; after the last one a delivery has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule(Vec<i64>);

/// Why a text is no retry schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// One part is neither a name nor a wait.
    #[error(
        "`{0}` is not a wait: write a whole number and s, m, h or d (`5s`), or one of sandbox, live, instant"
    )]
    NotAWait(String),
    /// A wait is longer than events are kept.
    #[error("`{0}` is longer than 30 days, and events are kept no longer")]
    TooLong(String),
    /// More retries than are allowed.
    #[error("{0} retries are more than {RETRIES_MAX}")]
    TooMany(usize),
}

impl RetrySchedule {
    /// As Stripe's sandboxes: three retries over a few hours.
    pub fn sandbox() -> Self {
        Self(vec![MINUTE_S, 10 * MINUTE_S, 2 * HOUR_S])
    }

    /// As live mode: waits that double from one minute on, for almost three days.
    pub fn live() -> Self {
        Self((0..12).map(|step| MINUTE_S << step).collect())
    }

    /// As Creem: four retries within little more than an hour.
    pub fn creem() -> Self {
        Self(vec![30, MINUTE_S, 5 * MINUTE_S, HOUR_S])
    }

    /// Three retries without a wait, for tests.
    pub fn instant() -> Self {
        Self(vec![0; 3])
    }

    /// The wait in seconds after the `failed`th attempt (from 1) went wrong; `None` gives up.
    pub fn wait_s(&self, failed: usize) -> Option<i64> {
        self.0.get(failed.checked_sub(1)?).copied()
    }

    /// How often a delivery is tried again.
    pub const fn retries(&self) -> usize {
        self.0.len()
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self::sandbox()
    }
}

impl FromStr for RetrySchedule {
    type Err = ScheduleError;

    /// Reads `sandbox`, `live`, `instant`, or waits such as `1s,5s,30s`.
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        match text.trim() {
            "sandbox" => return Ok(Self::sandbox()),
            "live" => return Ok(Self::live()),
            "instant" => return Ok(Self::instant()),
            _ => {}
        }
        let waits = text.split(',').map(wait).collect::<Result<Vec<_>, _>>()?;
        if waits.len() > RETRIES_MAX {
            return Err(ScheduleError::TooMany(waits.len()));
        }
        Ok(Self(waits))
    }
}

impl fmt::Display for RetrySchedule {
    /// The waits, each in its largest whole unit: `1m,10m,2h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, wait) in self.0.iter().enumerate() {
            let (unit_s, unit) = [(DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "m")]
                .into_iter()
                .find(|(unit_s, _)| *wait > 0 && wait % unit_s == 0)
                .unwrap_or((1, "s"));
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}{unit}", wait / unit_s)?;
        }
        Ok(())
    }
}

/// One wait in seconds: `30s`, `5m`, `1h`, `2d`.
fn wait(text: &str) -> Result<i64, ScheduleError> {
    let text = text.trim();
    let wrong = || ScheduleError::NotAWait(text.to_owned());
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let unit_s = match unit {
        's' => 1,
        'm' => MINUTE_S,
        'h' => HOUR_S,
        'd' => DAY_S,
        _ => return Err(wrong()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let too_long = || ScheduleError::TooLong(text.to_owned());
    let count: i64 = digits.parse().map_err(|_| too_long())?;
    count.checked_mul(unit_s).filter(|wait| *wait <= WAIT_MAX_S).ok_or_else(too_long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_lists_are_read() {
        assert_eq!("sandbox".parse(), Ok(RetrySchedule::sandbox()));
        assert_eq!("instant".parse::<RetrySchedule>().unwrap().wait_s(3), Some(0));
        let list: RetrySchedule = "1s, 5m,2h".parse().unwrap();
        assert_eq!(list.retries(), 3);
        assert_eq!(
            [list.wait_s(1), list.wait_s(2), list.wait_s(3), list.wait_s(4)],
            [Some(1), Some(300), Some(7_200), None]
        );
        assert_eq!(list.wait_s(0), None);
    }

    #[test]
    fn live_doubles_and_ends_within_three_days() {
        let live = RetrySchedule::live();
        let waits: Vec<_> = (1..=live.retries()).filter_map(|n| live.wait_s(n)).collect();
        assert!(waits.windows(2).all(|pair| pair[1] == 2 * pair[0]));
        let sum: i64 = waits.iter().sum();
        assert!(sum > 2 * DAY_S && sum <= 3 * DAY_S, "{sum}");
    }

    #[test]
    fn what_is_no_schedule_is_named() {
        let read = |text: &str| text.parse::<RetrySchedule>().unwrap_err();
        assert_eq!(read("soon"), ScheduleError::NotAWait("soon".to_owned()));
        assert_eq!(read(""), ScheduleError::NotAWait(String::new()));
        assert_eq!(read("1s,,2s"), ScheduleError::NotAWait(String::new()));
        assert_eq!(read("-1s"), ScheduleError::NotAWait("-1s".to_owned()));
        assert_eq!(read("31d"), ScheduleError::TooLong("31d".to_owned()));
        assert_eq!(
            read("99999999999999999999d"),
            ScheduleError::TooLong("99999999999999999999d".to_owned())
        );
        assert_eq!(read("1s,".repeat(101).trim_end_matches(',')), ScheduleError::TooMany(101));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(waits in prop::collection::vec(0_i64..=WAIT_MAX_S, 1..20)) {
            let schedule = RetrySchedule(waits);
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            drop(text.parse::<RetrySchedule>());
        }
    }
}
