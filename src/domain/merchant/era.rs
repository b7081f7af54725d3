//! What the shop's API is asked: which year of which Japanese era a date falls into.

/// An era: its names, and the day it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era {
    /// As it is written in Japan.
    pub name: &'static str,
    /// In Latin letters.
    pub latin: &'static str,
    from: (u16, u8, u8),
}

/// The eras since Japan has the Gregorian calendar (1873), newest first.
const ERAS: [Era; 5] = [
    era("令和", "Reiwa", (2019, 5, 1)),
    era("平成", "Heisei", (1989, 1, 8)),
    era("昭和", "Showa", (1926, 12, 25)),
    era("大正", "Taisho", (1912, 7, 30)),
    era("明治", "Meiji", (1868, 1, 25)),
];

/// From when on the calendar is the Gregorian one.
const FIRST: (u16, u8, u8) = (1873, 1, 1);

const fn era(name: &'static str, latin: &'static str, from: (u16, u8, u8)) -> Era {
    Era { name, latin, from }
}

/// The era of a date like `2026-11-28`, and the year of it, counted from 1; `None` where it is no date since 1873.
pub fn of(date: &str) -> Option<(Era, u16)> {
    let digits = |at: usize| date.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let shaped = date.len() == 10 && [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digits);
    // Reading it as an instant proves that the day exists.
    crate::domain::time::Timestamp::read(&format!("{date}T00:00:00Z")).filter(|_| shaped)?;
    let mut parts = date.split('-');
    let year: u16 = parts.next()?.parse().ok()?;
    let day = (year, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let found = ERAS.into_iter().find(|era| day >= era.from).filter(|_| day >= FIRST)?;
    Some((found, year - found.from.0 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_belongs_to_the_era_that_had_begun() {
        for (date, expected) in [
            ("2026-11-28", Some(("Reiwa", 8))),
            ("2019-05-01", Some(("Reiwa", 1))),
            ("2019-04-30", Some(("Heisei", 31))),
            ("1989-01-07", Some(("Showa", 64))),
            ("1926-12-25", Some(("Showa", 1))),
            ("1912-07-29", Some(("Meiji", 45))),
            ("1873-01-01", Some(("Meiji", 6))),
            ("1872-12-31", None),
            ("2026-02-29", None),
            ("2026-2-03", None),
            ("26-11-28", None),
            ("+026-11-28", None),
            ("", None),
        ] {
            assert_eq!(of(date).map(|(era, year)| (era.latin, year)), expected, "{date}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_era_or_none(text in "[0-9-]{0,12}|\\PC{0,12}") {
            let _ = of(&text);
        }
    }
}
