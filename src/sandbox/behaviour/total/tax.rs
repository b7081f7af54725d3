//! Taxes of one amount: within it, or added to it.

use crate::sandbox::behaviour::total::percent::Percent;
use serde_json::Value;

/// One rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How much of the amount before tax.
    pub percent: Percent,
    /// Whether it is within the amount already.
    pub inclusive: bool,
}

impl Rate {
    /// Out of a tax rate.
    pub fn read(rate: &Value) -> Self {
        Self {
            percent: rate.get("percentage").and_then(Percent::read).unwrap_or_default(),
            inclusive: rate.get("inclusive") == Some(&Value::Bool(true)),
        }
    }
}

/// What one rate comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tax {
    /// The tax.
    pub amount: i64,
    /// The amount that it is on, without any tax.
    pub taxable: i64,
}

/// What each rate comes to on an amount. Taxes within it come out together: each is its share of the amount without
/// any of them, and the rates on top are on that too.
pub fn taxes(amount: i64, rates: &[Rate]) -> Vec<Tax> {
    let within = rates.iter().filter(|rate| rate.inclusive);
    let all = within.fold(Percent::default(), |all, rate| all.plus(rate.percent));
    let together = all.within(amount, all);
    let taxable = amount - together;
    let last = rates.iter().rposition(|rate| rate.inclusive);
    let mut left = together;
    let tax = |(at, rate): (usize, &Rate)| {
        let amount = if !rate.inclusive {
            rate.percent.of(taxable)
        } else if Some(at) == last {
            left
        } else {
            // Each is rounded by itself, and the last takes what the others leave of all.
            let own = rate.percent.within(amount, all);
            let own = if amount < 0 { own.max(left) } else { own.min(left) };
            left -= own;
            own
        };
        Tax { amount, taxable }
    };
    rates.iter().enumerate().map(tax).collect()
}

/// The taxes that are added to the amount.
pub fn added(taxes: &[Tax], rates: &[Rate]) -> i64 {
    let on_top = taxes.iter().zip(rates).filter(|(_, rate)| !rate.inclusive);
    on_top.map(|(tax, _)| tax.amount).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(percent: &str, inclusive: bool) -> Rate {
        Rate { percent: Percent::parse(percent).unwrap(), inclusive }
    }

    #[test]
    fn taxes_within_and_on_top() {
        let amounts = |amount, rates: &[Rate]| -> Vec<(i64, i64)> {
            taxes(amount, rates).iter().map(|tax| (tax.amount, tax.taxable)).collect()
        };
        assert_eq!(amounts(2_700, &[rate("5", false)]), [(135, 2_700)]);
        assert_eq!(amounts(1_080, &[rate("8", true)]), [(80, 1_000)]);
        assert_eq!(
            amounts(1_100, &[rate("10", true), rate("5", false)]),
            [(100, 1_000), (50, 1_000)]
        );
        assert_eq!(
            amounts(1_150, &[rate("5", true), rate("10", true)]),
            [(50, 1_000), (100, 1_000)]
        );
        assert_eq!(amounts(0, &[rate("10", true)]), [(0, 0)]);
        assert_eq!(amounts(700, &[]), []);
    }
}
