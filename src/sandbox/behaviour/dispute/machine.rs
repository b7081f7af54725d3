//! The states of a dispute and what leads from one to the next. Pure.

/// `status` of a dispute, as far as the test cards lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An inquiry that waits for the merchant.
    WarningNeedsResponse,
    /// An inquiry that was answered.
    WarningUnderReview,
    /// An inquiry that is over.
    WarningClosed,
    /// A chargeback that waits for the merchant.
    NeedsResponse,
    /// A chargeback that was answered.
    UnderReview,
    /// The merchant has the money again.
    Won,
    /// The cardholder keeps it.
    Lost,
}

/// What happens to a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The merchant submits evidence.
    Submit,
    /// The bank finds for the merchant.
    Win,
    /// The bank finds for the cardholder.
    Lose,
    /// The bank makes a chargeback of an inquiry.
    Escalate,
    /// The merchant accepts it.
    Accept,
    /// The time for evidence is over, and none was submitted; or an inquiry was left alone.
    Lapse,
}

/// What a step does to the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Funds {
    /// The amount and a fee are taken.
    Withdrawn,
    /// The amount comes back.
    Reinstated,
    /// Nothing moves.
    Stay,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::WarningNeedsResponse,
        Self::WarningUnderReview,
        Self::WarningClosed,
        Self::NeedsResponse,
        Self::UnderReview,
        Self::Won,
        Self::Lost,
    ];

    /// As the API names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The status of that name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::WarningClosed | Self::Won | Self::Lost)
    }

    /// Whether it is an inquiry: nothing was taken.
    pub const fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    /// Whether the charge may be refunded: the recordings say so of those that were won, the documentation of
    /// inquiries.
    pub const fn is_charge_refundable(self) -> bool {
        self.is_inquiry() || matches!(self, Self::Won)
    }

    /// Where a step leads; `None` where it cannot happen.
    ///
    /// Believed, not proven: evidence may be submitted again while it is under review, a dispute may be
    /// accepted until it is closed, and an inquiry that was found on closes whoever is right.
    pub const fn after(self, step: Step) -> Option<(Self, Funds)> {
        let next = match (self, step) {
            (Self::WarningNeedsResponse | Self::WarningUnderReview, Step::Submit) => {
                Self::WarningUnderReview
            }
            (Self::NeedsResponse | Self::UnderReview, Step::Submit) => Self::UnderReview,
            (Self::WarningNeedsResponse | Self::WarningUnderReview, Step::Escalate) => {
                return Some((Self::NeedsResponse, Funds::Withdrawn));
            }
            (Self::WarningNeedsResponse | Self::WarningUnderReview, Step::Accept | Step::Lapse)
            | (Self::WarningUnderReview, Step::Win | Step::Lose) => Self::WarningClosed,
            (Self::UnderReview, Step::Win) => return Some((Self::Won, Funds::Reinstated)),
            (Self::UnderReview, Step::Lose | Step::Accept)
            | (Self::NeedsResponse, Step::Accept | Step::Lapse) => Self::Lost,
            _ => return None,
        };
        Some((next, Funds::Stay))
    }
}

impl Step {
    /// The name under which a job keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Win => "win",
            Self::Lose => "lose",
            Self::Escalate => "escalate",
            Self::Accept => "accept",
            Self::Lapse => "lapse",
        }
    }

    /// The step of that name.
    pub fn read(name: &str) -> Option<Self> {
        let all = [Self::Submit, Self::Win, Self::Lose, Self::Escalate, Self::Accept, Self::Lapse];
        all.into_iter().find(|step| step.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step() -> impl Strategy<Value = Step> {
        prop::sample::select(vec![
            Step::Submit,
            Step::Win,
            Step::Lose,
            Step::Escalate,
            Step::Accept,
            Step::Lapse,
        ])
    }

    proptest! {
        #[test]
        fn whatever_happens_funds_are_out_exactly_in_a_chargeback_that_is_not_won(
            inquiry in any::<bool>(),
            steps in prop::collection::vec(step(), 0..12),
        ) {
            let mut status = if inquiry { Status::WarningNeedsResponse } else { Status::NeedsResponse };
            let mut out = i32::from(!inquiry);
            for step in steps {
                let Some((next, funds)) = status.after(step) else { continue };
                prop_assert!(!status.is_closed(), "{status:?} by {step:?}");
                prop_assert!(!next.is_inquiry() || status.is_inquiry(), "{status:?} to {next:?}");
                out += match funds {
                    Funds::Withdrawn => 1,
                    Funds::Reinstated => -1,
                    Funds::Stay => 0,
                };
                let taken = !next.is_inquiry() && next != Status::Won;
                prop_assert_eq!(out, i32::from(taken), "{:?} by {:?}", next, step);
                prop_assert_eq!(next.is_charge_refundable(), !taken);
                status = next;
            }
        }
    }

    #[test]
    fn every_status_and_step_is_read_back_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::read(status.name()), Some(status));
        }
        for word in ["submit", "win", "lose", "escalate", "accept", "lapse"] {
            assert_eq!(Step::read(word).unwrap().name(), word);
        }
        assert_eq!((Status::read("open"), Step::read("")), (None, None));
    }
}
