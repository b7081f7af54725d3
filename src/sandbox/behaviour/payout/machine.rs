//! The states of a payout and what leads from one to the next. Pure.

/// `status` of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits to be sent to the bank.
    Pending,
    /// The bank has it.
    InTransit,
    /// It arrived.
    Paid,
    /// The bank sent it back.
    Failed,
    /// It was taken back before it was sent.
    Canceled,
}

/// What happens to a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is handed to the bank.
    Send,
    /// It arrives.
    Arrive,
    /// The bank sends it back.
    Bounce,
    /// The merchant takes it back.
    Cancel,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::InTransit, Self::Paid, Self::Failed, Self::Canceled];

    /// As the API names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The status of that name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Where a step leads; `None` where it cannot happen.
    pub const fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Pending, Step::Send) => Some(Self::InTransit),
            (Self::Pending, Step::Cancel) => Some(Self::Canceled),
            (Self::InTransit, Step::Arrive) => Some(Self::Paid),
            (Self::InTransit, Step::Bounce) => Some(Self::Failed),
            _ => None,
        }
    }

    /// Whether the money is in the balance again.
    pub const fn came_back(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }
}

impl Step {
    const ALL: [Self; 4] = [Self::Send, Self::Arrive, Self::Bounce, Self::Cancel];

    /// The name under which a job keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Arrive => "arrive",
            Self::Bounce => "bounce",
            Self::Cancel => "cancel",
        }
    }

    /// The step of that name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_payout_that_has_ended_stays_and_money_comes_back_at_most_once(
            steps in prop::collection::vec(prop::sample::select(Step::ALL.to_vec()), 0..10),
        ) {
            let (mut status, mut back) = (Status::Pending, 0);
            for step in steps {
                let Some(next) = status.after(step) else { continue };
                prop_assert!(!matches!(status, Status::Paid | Status::Failed | Status::Canceled));
                prop_assert!(next != Status::Canceled || status == Status::Pending);
                back += i32::from(next.came_back());
                status = next;
            }
            prop_assert!(back <= 1);
            prop_assert_eq!(back == 1, status.came_back());
        }
    }

    #[test]
    fn every_status_and_step_is_read_back_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::read(status.name()), Some(status));
        }
        for step in Step::ALL {
            assert_eq!(Step::read(step.name()), Some(step));
        }
    }
}
