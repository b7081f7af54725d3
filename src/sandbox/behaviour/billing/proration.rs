//! What part of a period costs: the rule that recordings show. Pure.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::Period;

/// The part of a signed amount that falls on what is left of a period at an instant, to the nearest minor unit; an
/// exact half goes down, towards what is less than nothing: −2.5 is −3, and 4.5 is 4.
pub fn share(amount: i64, period: Period, at: Timestamp) -> i64 {
    let length = period.length();
    if length <= 0 {
        return 0;
    }
    nearest(i128::from(amount) * i128::from(period.left(at)), i128::from(length))
}

/// A quotient to the nearest whole number, halves down.
fn nearest(numerator: i128, denominator: i128) -> i64 {
    // The least whole number that is not below the quotient less a half.
    let (twice, half) = (2 * denominator, 2 * numerator - denominator);
    i64::try_from(-(-half).div_euclid(twice)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::behaviour::billing::period::DAY;
    use proptest::prelude::*;

    fn left_of(amount: i64, left: i64, days: i64) -> i64 {
        let period = Period { start: Timestamp(0), end: Timestamp(days * DAY) };
        share(amount, period, Timestamp(days * DAY - left))
    }

    #[test]
    fn halves_go_down_and_all_else_to_the_nearest() {
        // A four-hundredth of a month of thirty days.
        assert_eq!((left_of(-1_000, 6_480, 30), left_of(1_800, 6_480, 30)), (-3, 4));
        assert_eq!(left_of(3_000, 6_480, 30), 7);
        // A third of it.
        assert_eq!((left_of(-2_000, 864_000, 30), left_of(60_000, 864_000, 30)), (-667, 20_000));
        assert_eq!(left_of(1_000, 864_000, 30), 333);
        assert_eq!(
            (left_of(-3_500, 2_578_574, 30), left_of(8_500, 2_578_574, 30)),
            (-3_482, 8_456)
        );
        assert_eq!(
            (left_of(-8_500, 2_590_587, 30), left_of(3_500, 2_590_587, 30)),
            (-8_495, 3_498)
        );
        assert_eq!(left_of(85_000, 31_534_508, 365), 84_996);
        assert_eq!(left_of(25_000, 365 * DAY - 4, 365), 25_000);
    }

    #[test]
    fn an_instant_outside_is_taken_into_the_period() {
        let period = Period { start: Timestamp(100), end: Timestamp(200) };
        assert_eq!(share(500, period, Timestamp(0)), 500);
        assert_eq!(share(500, period, Timestamp(900)), 0);
        assert_eq!(share(500, Period::at(Timestamp(5)), Timestamp(5)), 0);
    }

    proptest! {
        #[test]
        fn a_share_is_at_most_half_a_unit_away(
            amount in -10_000_000_i64..10_000_000,
            length in 1_i64..40_000_000,
            left in 0_i64..40_000_000,
        ) {
            let left = left.min(length);
            let period = Period { start: Timestamp(0), end: Timestamp(length) };
            let share = share(amount, period, Timestamp(length - left));
            let exact = i128::from(amount) * i128::from(left);
            let off = 2 * (i128::from(share) * i128::from(length) - exact);
            prop_assert!(-i128::from(length) <= off && off < i128::from(length));
            prop_assert!(share.abs() <= amount.abs());
        }
    }
}
