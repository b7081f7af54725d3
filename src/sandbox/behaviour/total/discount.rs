//! Discounts over lines: each takes from what the ones before it left.

use crate::sandbox::behaviour::total::percent::Percent;

/// How much comes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// A share.
    Percent(Percent),
    /// So much, and never more than there is.
    Amount(i64),
}

/// One discount, and which lines it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// How much comes off.
    pub off: Off,
    /// Line by line, whether it is for it.
    pub on: Vec<bool>,
}

/// What a discount takes off so much.
pub fn off(base: i64, off: &Off) -> i64 {
    let base = base.max(0);
    match off {
        Off::Percent(percent) => percent.of(base).min(base),
        Off::Amount(amount) => (*amount).clamp(0, base),
    }
}

/// What each discount takes off each line: discounts outside, lines within. A credit has nothing to take from.
pub fn apply(subtotals: &[i64], discounts: &[Discount]) -> Vec<Vec<i64>> {
    let mut left = subtotals.to_vec();
    let mut taken = Vec::with_capacity(discounts.len());
    for discount in discounts {
        let is_on = |at: usize| discount.on.get(at).copied().unwrap_or(false);
        let bases: Vec<i64> = left
            .iter()
            .enumerate()
            .map(|(at, left)| if is_on(at) { (*left).max(0) } else { 0 })
            .collect();
        let shares = split(off(bases.iter().sum(), &discount.off), &bases);
        for (left, share) in left.iter_mut().zip(&shares) {
            *left -= share;
        }
        taken.push(shares);
    }
    taken
}

/// Splits an amount over bases by their size: each share is rounded down, and what remains goes to the last, as far
/// as it has room. `amount` is at most the sum of the bases, none of which is negative.
pub fn split(amount: i64, bases: &[i64]) -> Vec<i64> {
    let whole: i128 = bases.iter().map(|base| i128::from(*base)).sum();
    let share = |base: &i64| {
        let share = i128::from(amount) * i128::from(*base) / whole.max(1);
        i64::try_from(share).unwrap_or(0)
    };
    let mut shares: Vec<i64> = bases.iter().map(share).collect();
    let mut remains = amount - shares.iter().sum::<i64>();
    for (share, base) in shares.iter_mut().zip(bases).rev() {
        let more = remains.min(base - *share).max(0);
        *share += more;
        remains -= more;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(off: Off, lines: usize) -> Discount {
        Discount { off, on: vec![true; lines] }
    }

    #[test]
    fn what_remains_goes_to_the_last_that_has_room() {
        assert_eq!(split(500, &[1_000, 2_000]), [166, 334]);
        assert_eq!(split(30, &[10, 10, 10, 1]), [9, 10, 10, 1]);
        assert_eq!(split(7, &[0, 7, 0]), [0, 7, 0]);
        assert_eq!(split(0, &[]), Vec::<i64>::new());
    }

    #[test]
    fn discounts_take_from_what_is_left() {
        let ten = all(Off::Percent(Percent::parse("10").unwrap()), 1);
        let taken = apply(&[2_500], &[ten.clone(), ten]);
        assert_eq!(taken, [[250], [225]]);
        let more_than_there_is = all(Off::Amount(9_000), 2);
        assert_eq!(apply(&[1_000, -200], &[more_than_there_is]), [[1_000, 0]]);
        let other = Discount { off: Off::Amount(300), on: vec![false, true] };
        assert_eq!(apply(&[1_000, 200], &[other]), [[0, 200]]);
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_amount_and_fit_their_bases(
            bases in proptest::collection::vec(0_i64..1_000_000, 1..20),
            part in 0_u32..=1_000,
        ) {
            let whole: i64 = bases.iter().sum();
            let amount = whole * i64::from(part) / 1_000;
            let shares = split(amount, &bases);
            prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            for (share, base) in shares.iter().zip(&bases) {
                prop_assert!((0..=*base).contains(share));
            }
        }
    }
}
