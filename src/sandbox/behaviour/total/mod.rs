//! What a sale comes to: discounts and taxes over its lines, exact to the minor unit. Pure: no state, no clock;
//! Checkout uses it, and whatever else adds up lines.
//!
//! The order is Stripe's: line amounts, then discounts in their order, each on what the ones before left, then taxes
//! on what is left of each line. Whole amounts are rounded half away from zero; that this is how ties fall is
//! believed, not proven.

pub mod amount;
pub mod discount;
pub mod percent;
pub mod tax;

use crate::sandbox::behaviour::total::discount::Discount;
use crate::sandbox::behaviour::total::tax::{Rate, Tax};

/// One line of a sale.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it costs before anything else; negative for a credit.
    pub subtotal: i64,
    /// The rates that apply to it.
    pub rates: Vec<Rate>,
}

/// What one line comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// As it came.
    pub subtotal: i64,
    /// What each discount takes off it, in the order of the discounts.
    pub discounts: Vec<i64>,
    /// What each rate adds to it or is within it, in the order of its rates.
    pub taxes: Vec<Tax>,
    /// What is paid for it.
    pub total: i64,
}

impl Outcome {
    /// What all discounts take off.
    pub fn discount(&self) -> i64 {
        self.discounts.iter().sum()
    }

    /// All taxes, those within the price included.
    pub fn tax(&self) -> i64 {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }
}

/// What each line comes to.
pub fn lines(lines: &[Line], discounts: &[Discount]) -> Vec<Outcome> {
    let subtotals: Vec<i64> = lines.iter().map(|line| line.subtotal).collect();
    let taken = discount::apply(&subtotals, discounts);
    let outcome = |(at, line): (usize, &Line)| {
        let discounts: Vec<i64> =
            taken.iter().map(|shares| shares.get(at).copied().unwrap_or(0)).collect();
        let net = line.subtotal - discounts.iter().sum::<i64>();
        let taxes = tax::taxes(net, &line.rates);
        let added: i64 = tax::added(&taxes, &line.rates);
        Outcome { subtotal: line.subtotal, discounts, taxes, total: net + added }
    };
    lines.iter().enumerate().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use discount::Off;
    use percent::Percent;
    use proptest::prelude::*;

    fn rate(percent: &str, inclusive: bool) -> Rate {
        Rate { percent: Percent::parse(percent).unwrap(), inclusive }
    }

    #[test]
    fn tax_is_on_what_a_discount_leaves() {
        let line = Line { subtotal: 3_000, rates: vec![rate("5", false)] };
        let ten = Discount { off: Off::Percent(Percent::parse("10").unwrap()), on: vec![true; 2] };
        let made = lines(std::slice::from_ref(&line), std::slice::from_ref(&ten));
        assert_eq!((made[0].discount(), made[0].tax(), made[0].total), (300, 135, 2_835));
        let credit = Line { subtotal: -1_800, ..line };
        let made = lines(&[credit], &[]);
        assert_eq!((made[0].tax(), made[0].total), (-90, -1_890));
    }

    #[test]
    fn japans_tax_within_a_price() {
        let line = |subtotal| Line { subtotal, rates: vec![rate("10", true)] };
        for (price, tax) in [(1_100, 100), (500, 45), (108, 10), (1, 0), (6, 1)] {
            let made = lines(&[line(price)], &[]);
            assert_eq!((made[0].tax(), made[0].total), (tax, price));
            assert_eq!(made[0].taxes[0].taxable, price - tax);
        }
    }

    prop_compose! {
        fn a_discount(lines: usize)(
            percent in proptest::option::of(1_u32..=10_000),
            amount in 0_i64..5_000_000,
            on in proptest::collection::vec(any::<bool>(), lines),
        ) -> Discount {
            let hundredths = |n: u32| Percent::parse(&format!("{}.{:02}", n / 100, n % 100));
            let off = percent.and_then(hundredths).map_or(Off::Amount(amount), Off::Percent);
            Discount { off, on }
        }
    }

    proptest! {
        #[test]
        fn sums_hold_and_nothing_is_paid_out(
            subtotals in proptest::collection::vec(0_i64..2_000_000, 1..8),
            discounts in proptest::collection::vec(a_discount(8), 0..4),
            rates in proptest::collection::vec((0_u32..300_000, any::<bool>()), 0..3),
        ) {
            let rates: Vec<Rate> = rates
                .iter()
                .map(|(n, inclusive)| rate(&format!("{}.{:04}", n / 10_000, n % 10_000), *inclusive))
                .collect();
            let sold: Vec<Line> =
                subtotals.iter().map(|subtotal| Line { subtotal: *subtotal, rates: rates.clone() }).collect();
            let made = lines(&sold, &discounts);
            let mut left: Vec<i64> = subtotals;
            for (at, discount) in discounts.iter().enumerate() {
                let base: i64 = left.iter().zip(&discount.on).filter(|(_, on)| **on).map(|(l, _)| l).sum();
                let taken: i64 = made.iter().map(|line| line.discounts[at]).sum();
                // The shares of a discount are exactly the discount.
                prop_assert_eq!(taken, discount::off(base, &discount.off));
                for (line, left) in made.iter().zip(&mut left) {
                    *left -= line.discounts[at];
                    prop_assert!(*left >= 0 && line.discounts[at] >= 0);
                }
            }
            for line in &made {
                let within: i64 =
                    line.taxes.iter().zip(&rates).filter(|(_, r)| r.inclusive).map(|(t, _)| t.amount).sum();
                prop_assert_eq!(line.total, line.subtotal - line.discount() + line.tax() - within);
                prop_assert!(line.total >= 0 && within <= line.subtotal - line.discount());
                let untaxed = line.taxes.first().map_or(0, |tax| tax.taxable);
                prop_assert!(rates.is_empty() || untaxed + within == line.subtotal - line.discount());
                prop_assert!(line.taxes.iter().all(|tax| tax.amount >= 0 && tax.taxable >= 0));
            }
        }

        #[test]
        fn a_credit_is_its_charge_turned_round(subtotal in 0_i64..2_000_000, n in 0_u32..300_000, inclusive: bool) {
            let rates = vec![rate(&format!("{}.{:04}", n / 10_000, n % 10_000), inclusive)];
            let made = lines(
                &[Line { subtotal, rates: rates.clone() }, Line { subtotal: -subtotal, rates }],
                &[],
            );
            prop_assert_eq!(made[0].tax(), -made[1].tax());
            prop_assert_eq!(made[0].total, -made[1].total);
        }
    }
}
