//! What may follow what in a setup intent. Pure.

/// What is done to a setup intent, or what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A payment method is chosen.
    Choose,
    /// A try begins, and its payment method can be used at once.
    Succeed,
    /// A try is refused.
    Fail,
    /// A try needs its owner: 3-D Secure, sums that were sent.
    Ask,
    /// It is given up.
    Cancel,
}

/// Every status, as the API shows it.
pub const STATUSES: [&str; 6] = [
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "succeeded",
    "canceled",
];

/// The status that an act leads to; `None` where the status does not allow it.
pub fn after(status: &str, act: Act) -> Option<&'static str> {
    if matches!(status, "succeeded" | "canceled") || !STATUSES.contains(&status) {
        return None;
    }
    Some(match act {
        Act::Choose => "requires_confirmation",
        Act::Succeed => "succeeded",
        Act::Fail => "requires_payment_method",
        Act::Ask => "requires_action",
        // What a bank works on is not called off.
        Act::Cancel if status == "processing" => return None,
        Act::Cancel => "canceled",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTS: [Act; 5] = [Act::Choose, Act::Succeed, Act::Fail, Act::Ask, Act::Cancel];

    #[test]
    fn every_act_leads_to_a_status_and_nothing_follows_an_end() {
        for status in STATUSES {
            for act in ACTS {
                let next = after(status, act);
                assert!(next.is_none_or(|next| STATUSES.contains(&next)));
                let is_over = matches!(status, "succeeded" | "canceled");
                let is_busy = status == "processing" && act == Act::Cancel;
                assert_eq!(next.is_none(), is_over || is_busy, "{status} {act:?}");
            }
        }
        assert_eq!(after("nothing", Act::Cancel), None);
    }
}
