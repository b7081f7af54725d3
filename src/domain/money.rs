//! Amounts: an integer count of the currency's minor unit. ¥500 is 500, $5.00 is 500.

use super::currency::Currency;
use std::fmt;

/// An amount of one currency, in its minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Count of minor units; negative for money going out.
    pub minor: i64,
    /// The currency that says what one minor unit is.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The digits with the decimals that the currency has and no grouping: `5.00`, `500`, `-0.05`.
    pub fn plain(self) -> String {
        let decimals = usize::from(self.currency.decimals());
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - decimals);
        let sign = if self.minor < 0 { "-" } else { "" };
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }

    /// The amount as a fee schedule asks for it: `rate` in hundredths of a percent (360 is 3.6 %),
    /// rounded half up to the minor unit.
    #[must_use]
    pub fn share(self, rate: i64) -> Self {
        let scaled = i128::from(self.minor) * i128::from(rate);
        let rounded = (scaled.abs() + 5_000) / 10_000 * scaled.signum();
        Self { minor: i64::try_from(rounded).unwrap_or(i64::MAX), ..self }
    }
}

/// The amount as a person reads it: `¥1,000`, `$10.00`, `-€0.05`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Self { minor: self.minor.saturating_abs(), ..*self }.plain();
        let (whole, part) =
            plain.split_once('.').map_or((plain.as_str(), None), |(w, p)| (w, Some(p)));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if self.minor < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}{grouped}", self.currency.sign())?;
        part.map_or(Ok(()), |p| write!(f, ".{p}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_is_shown_with_the_decimals_of_its_currency() {
        assert_eq!(Money::new(1_000, Currency::JPY).to_string(), "¥1,000");
        assert_eq!(Money::new(1_000, Currency::USD).to_string(), "$10.00");
        assert_eq!(Money::new(-5, Currency::EUR).to_string(), "-€0.05");
        assert_eq!(Money::new(1_234_567, "kwd".parse().unwrap()).to_string(), "KWD 1,234.567");
    }

    #[test]
    fn fees_round_half_up() {
        assert_eq!(Money::new(980, Currency::JPY).share(360).minor, 35);
        assert_eq!(Money::new(50, Currency::JPY).share(360).minor, 2);
        assert_eq!(Money::new(2_000, Currency::USD).share(290).minor, 58);
    }

    proptest! {
        #[test]
        fn plain_digits_read_back_to_the_same_amount(minor in -99_999_999_i64..=99_999_999, at in 0_usize..200) {
            let all: Vec<_> = Currency::all().collect();
            let currency = all[at % all.len()];
            let plain = Money::new(minor, currency).plain();
            let digits: String = plain.chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), minor);
            prop_assert_eq!(plain.split_once('.').map_or(0, |(_, p)| p.len()), usize::from(currency.decimals()));
        }
    }
}
