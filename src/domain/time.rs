//! Instants as Stripe writes them: whole Unix seconds, UTC. Nothing here knows what time it is.

use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `seconds` later (earlier where negative).
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to `self`.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same day and time so many calendar months later; the month's last day where it has no such day.
    #[must_use]
    pub fn plus_months(self, months: i64) -> Self {
        let (year, month, day) = civil(self.0.div_euclid(86_400));
        let count = year.saturating_mul(12).saturating_add(month - 1).saturating_add(months);
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
        let last = (1..=day).rev().find_map(|day| days_of(year, month, day));
        Self(last.map_or(self.0, |days| days * 86_400 + self.0.rem_euclid(86_400)))
    }

    /// Reads RFC 3339, with a blank instead of the `T` as well; without a zone it is UTC. Parts of a second are
    /// dropped.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = text.split_once(['T', 't', ' '])?;
        let mut date = date.splitn(3, '-').map(|part| part.parse::<u16>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let (time, zone) = match rest.find(['Z', 'z', '+', '-']) {
            Some(at) => rest.split_at(at),
            None => (rest, "Z"),
        };
        let time = time.split_once('.').map_or(time, |(whole, _)| whole).trim();
        let mut time = time.splitn(3, ':').map(|part| part.parse::<u8>().ok());
        let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
        let days = days_of(i64::from(year), i64::from(month), i64::from(day))?;
        let seconds = clock(hour, minute).filter(|_| second < 60)? + i64::from(second);
        let seconds = days * 86_400 + seconds;
        match zone.split_at_checked(1)? {
            ("Z" | "z", "") => Some(Self(seconds)),
            (sign, offset) if sign != "Z" && sign != "z" => {
                let (hour, minute) =
                    offset.split_once(':').or_else(|| offset.split_at_checked(2))?;
                let minute = if minute.is_empty() { "0" } else { minute };
                let offset = clock(hour.parse().ok()?, minute.parse().ok()?)?;
                Some(Self(if sign == "+" { seconds - offset } else { seconds + offset }))
            }
            _ => None,
        }
    }

    /// RFC 3339 in UTC: `2026-11-21T04:05:06Z`.
    pub fn rfc3339(self) -> String {
        let (days, rest) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Seconds from midnight to a time of day.
fn clock(hour: u8, minute: u8) -> Option<i64> {
    (hour < 24 && minute < 60).then(|| i64::from(hour) * 3600 + i64::from(minute) * 60)
}

/// Days since 1970-01-01 of a date that exists.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_month_later_is_the_same_day_or_the_last() {
        let later = |text: &str, months| {
            Timestamp::read(text).unwrap().plus_months(months).rfc3339().replace(":00:00Z", "")
        };
        assert_eq!(later("2026-01-31T05:00:00Z", 1), "2026-02-28T05");
        assert_eq!(later("2028-01-31T05:00:00Z", 1), "2028-02-29T05");
        assert_eq!(later("2026-11-10T00:00:00Z", 3), "2027-02-10T00");
        assert_eq!(later("2026-12-31T23:00:00Z", 12), "2027-12-31T23");
    }

    #[test]
    fn instants_are_read_as_programs_write_them() {
        for (text, seconds) in [
            ("2026-11-21T05:04:05Z", Some(1_795_237_445)),
            ("2026-11-21 05:04:05", Some(1_795_237_445)),
            ("2026-11-21T14:04:05.123456+09:00", Some(1_795_237_445)),
            ("2026-11-21 00:04:05-0500", Some(1_795_237_445)),
            ("2026-11-21 05:04:05.5+00", Some(1_795_237_445)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-11-21", None),
            ("2026-13-01 00:00:00", None),
            ("2026-11-21T05:04:05Zulu", None),
            ("T", None),
        ] {
            assert_eq!(Timestamp::read(text).map(|it| it.0), seconds, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_000_000_000_i64..250_000_000_000) {
            let at = Timestamp(seconds);
            prop_assert_eq!(Timestamp::read(&at.rfc3339()), Some(at));
        }

        #[test]
        fn any_text_is_an_instant_or_none(text in "[0-9TtZz:+. -]{0,30}|\\PC{0,20}") {
            let _ = Timestamp::read(&text);
        }
    }

    #[test]
    fn instants_are_written_in_rfc_3339() {
        assert_eq!(Timestamp(0).rfc3339(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp(1_709_164_800).rfc3339(), "2024-02-29T00:00:00Z");
        assert_eq!(Timestamp(-1).rfc3339(), "1969-12-31T23:59:59Z");
    }
}
