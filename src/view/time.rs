//! Instants in the reader's zone, and what a reader types for one.

use crate::domain::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `2026-11-21 13:05:06` in `zone`.
pub fn show(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(
        |_| at.rfc3339(),
        |instant| instant.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// `13:05:06` in `zone`.
pub fn show_clock(at: Timestamp, zone: &TimeZone) -> String {
    let whole = show(at, zone);
    whole.split_once(' ').map_or(whole.clone(), |(_, clock)| clock.to_owned())
}

/// Reads an instant: RFC 3339, a date (its first moment in `zone`), or how long before `now` (`2h`, `7d`).
pub fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(seconds) = read_duration(text) {
        return Some(now.plus(-i64::try_from(seconds).ok()?));
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(instant.as_second()));
    }
    let date: Date = text.parse().ok()?;
    Some(Timestamp(date.to_zoned(zone.clone()).ok()?.timestamp().as_second()))
}

/// Reads a duration in whole seconds: `90s`, `15m`, `2h`, `7d`, `2w`, or several together (`1h30m`).
pub fn read_duration(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut digits = String::new();
    let mut any = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        let count: u64 = std::mem::take(&mut digits).parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
        any = true;
    }
    (any && digits.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_795_237_445);

    #[test]
    fn instants_dates_and_durations_are_read() {
        let zone = TimeZone::fixed(jiff::tz::offset(9));
        let read = |text| read(text, NOW, &zone);
        assert_eq!(read("2h"), Some(Timestamp(NOW.0 - 7_200)));
        assert_eq!(read("1h30m"), Some(Timestamp(NOW.0 - 5_400)));
        assert_eq!(
            read("2026-11-21T09:00:00+09:00").map(Timestamp::rfc3339).unwrap(),
            "2026-11-21T00:00:00Z"
        );
        assert_eq!(read("2026-11-21").map(Timestamp::rfc3339).unwrap(), "2026-11-20T15:00:00Z");
        for wrong in ["", "7", "h", "yesterday", "-2h", "2h7", "99999999999999999999d"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn instants_are_shown_in_the_readers_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(9));
        assert_eq!(show(Timestamp(0), &zone), "1970-01-01 09:00:00");
        assert_eq!(show_clock(Timestamp(0), &zone), "09:00:00");
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_panic(text in "\\PC{0,24}") {
            prop_assert!(read(&text, NOW, &TimeZone::UTC).is_none_or(|at| at.rfc3339().len() >= 20));
        }
    }
}
