//! What a plan of the API allows, and by when it is counted: by the calendar month, in UTC.

use crate::domain::time::Timestamp;
use std::fmt;

/// A plan that calls of the API are sold under. What it costs stands with its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiPlan {
    /// Its name in answers of the API.
    pub name: &'static str,
    /// The plan of the shop that it is.
    pub id: &'static str,
    /// Calls that a month has.
    pub calls: u32,
}

/// The one plan that is sold.
pub const PRO: ApiPlan = ApiPlan { name: "pro", id: "api-pro", calls: 100_000 };

/// A calendar month in UTC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(String);

impl Month {
    /// The month that an instant falls into.
    pub fn of(at: Timestamp) -> Self {
        Self(at.rfc3339().chars().take("2026-11".len()).collect())
    }

    /// `2026-11`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the next one begins, and calls are counted from zero again.
    pub fn end(&self) -> Timestamp {
        let first = Timestamp::read(&format!("{}-01T00:00:00Z", self.0));
        first.unwrap_or_default().plus_months(1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_month_ends_when_the_next_begins_in_utc() {
        for (at, month, end) in [
            ("2026-11-30T23:59:59Z", "2026-11", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-12", "2027-01-01T00:00:00Z"),
            ("2027-01-01T00:00:00Z", "2027-01", "2027-02-01T00:00:00Z"),
            // Already December in Japan.
            ("2026-12-01T08:00:00+09:00", "2026-11", "2026-12-01T00:00:00Z"),
        ] {
            let found = Month::of(Timestamp::read(at).unwrap());
            assert_eq!((found.as_str(), found.end().rfc3339().as_str()), (month, end), "{at}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_is_before_the_end_of_its_month_and_in_no_other(at in 0_i64..250_000_000_000) {
            let at = Timestamp(at);
            let month = Month::of(at);
            prop_assert!(at < month.end());
            prop_assert!(Month::of(month.end()) > month);
            prop_assert_eq!(Month::of(month.end().plus(-1)), month);
        }
    }
}
