//! Percentages as whole numbers: what a JSON number says in decimal, and a share of an amount by it.

use crate::sandbox::behaviour::total::amount::decimal;
use serde_json::Value;

/// How many units a whole percent has.
const ONE: i128 = 1_000_000_000_000;
/// How many units all of something has.
const ALL: i128 = 100 * ONE;

/// A percentage, exact to twelve decimals, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(i128);

impl Percent {
    /// Reads `12.5`; `None` for what is no decimal number.
    pub fn parse(text: &str) -> Option<Self> {
        decimal(text).map(Self)
    }

    /// Reads a JSON number.
    pub fn read(value: &Value) -> Option<Self> {
        value.is_number().then(|| Self::parse(&value.to_string())).flatten()
    }

    /// This share of an amount.
    pub fn of(self, amount: i64) -> i64 {
        rounded(i128::from(amount) * self.0, ALL)
    }

    /// This share of the part of an amount that all of `within` are added to: with 10 and 110, ten.
    pub fn within(self, amount: i64, all: Self) -> i64 {
        rounded(i128::from(amount) * self.0, ALL + all.0)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A quotient, rounded half away from zero.
fn rounded(numerator: i128, denominator: i128) -> i64 {
    let half = denominator / 2;
    let shifted = if numerator < 0 { numerator - half } else { numerator + half };
    i64::try_from(shifted / denominator.max(1)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shares_are_rounded_half_away_from_zero() {
        let percent = |text: &str| Percent::parse(text).unwrap();
        assert_eq!(percent("10").of(2_500), 250);
        assert_eq!(percent("12.5").of(4), 1);
        assert_eq!((percent("50").of(5), percent("50").of(-5)), (3, -3));
        assert_eq!(percent("8.875").of(10_000), 888);
        assert_eq!(percent("10").within(110, percent("10")), 10);
        assert_eq!(Percent::read(&json!(33.3)), Percent::parse("33.3"));
        assert_eq!(Percent::read(&json!(10.0)), Percent::parse("10"));
        assert_eq!(Percent::read(&json!("10")), None);
        assert_eq!(Percent::parse("-1"), None);
    }
}
