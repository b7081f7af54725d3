//! An amount that is taken back in parts: of a transfer, of a fee, of a charge.

/// How much there was, and how much of it was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What there was.
    pub whole: i64,
    /// What was taken back of it.
    pub taken: i64,
}

/// Why nothing can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartError {
    /// Everything was taken already.
    Gone,
    /// Less than one unit was asked for.
    TooLittle,
    /// More was asked for than is left.
    TooMuch,
}

impl Part {
    /// What is left.
    pub const fn left(self) -> i64 {
        self.whole - self.taken
    }

    /// Whether nothing is left.
    pub const fn is_gone(self) -> bool {
        self.taken >= self.whole
    }

    /// Takes what was asked for, or all that is left.
    ///
    /// Fails where there is not so much.
    pub const fn take(self, asked: Option<i64>) -> Result<i64, PartError> {
        if self.is_gone() {
            return Err(PartError::Gone);
        }
        match asked {
            None => Ok(self.left()),
            Some(..=0) => Err(PartError::TooLittle),
            Some(amount) if amount > self.left() => Err(PartError::TooMuch),
            Some(amount) => Ok(amount),
        }
    }

    /// What goes back of this when `amount` more goes back of `of`, in proportion. Rounded over all that went
    /// back so far, so that many small shares come to the whole; never more than is left.
    pub fn share(self, of: Self, amount: i64) -> i64 {
        let upto = |taken: i64| {
            let (whole, of) = (i128::from(self.whole), i128::from(of.whole.max(1)));
            let rounded = (2 * whole * i128::from(taken) + of).div_euclid(2 * of);
            i64::try_from(rounded).unwrap_or(i64::MAX)
        };
        (upto(of.taken + amount) - upto(of.taken)).clamp(0, self.left().max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_taken_is_refused_with_the_reason() {
        let part = Part { whole: 100, taken: 60 };
        assert_eq!(part.take(None), Ok(40));
        assert_eq!(part.take(Some(40)), Ok(40));
        assert_eq!(part.take(Some(41)), Err(PartError::TooMuch));
        assert_eq!(part.take(Some(0)), Err(PartError::TooLittle));
        assert_eq!(Part { taken: 100, ..part }.take(Some(1)), Err(PartError::Gone));
    }

    proptest! {
        #[test]
        fn takings_never_exceed_the_whole_and_sum_to_what_was_taken(
            whole in 0_i64..1_000_000,
            asked in proptest::collection::vec(proptest::option::of(-5_i64..300_000), 0..12),
        ) {
            let mut part = Part { whole, taken: 0 };
            let mut sum = 0;
            for asked in asked {
                let gone = part.is_gone();
                match part.take(asked) {
                    Ok(amount) => {
                        prop_assert!(amount > 0 && !gone);
                        sum += amount;
                        part.taken += amount;
                    }
                    Err(refusal) => prop_assert_eq!(refusal == PartError::Gone, gone),
                }
                prop_assert!(part.taken == sum && part.taken <= part.whole);
            }
        }

        #[test]
        fn shares_of_every_refund_of_a_charge_come_to_the_whole(
            whole in 1_i64..10_000,
            fee in 0_i64..10_000,
            cuts in proptest::collection::vec(1_i64..3_000, 1..20),
        ) {
            let (mut charge, mut fee) = (Part { whole, taken: 0 }, Part { whole: fee, taken: 0 });
            for cut in cuts.into_iter().chain([i64::MAX]) {
                let amount = cut.min(charge.left());
                let share = fee.share(charge, amount);
                prop_assert!(share >= 0 && share <= fee.left());
                fee.taken += share;
                charge.taken += amount;
            }
            prop_assert!(charge.is_gone());
            prop_assert_eq!(fee.taken, fee.whole);
        }
    }
}
