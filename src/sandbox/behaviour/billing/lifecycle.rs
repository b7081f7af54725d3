//! The states of invoices and subscriptions, and what each allows. Pure: tables.

use crate::wire::failure::Failure;

/// What is asked of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Change members that only a draft may change.
    Edit,
    /// Add, change or remove lines.
    EditLines,
    /// Give it a number and ask for its payment.
    Finalize,
    /// Pay it.
    Pay,
    /// Send it to its customer.
    Send,
    /// Take it back.
    Void,
    /// Give it up.
    MarkUncollectible,
    /// Remove it.
    Delete,
}

const FINALIZED: &str = "Finalized invoices can't be updated in this way";
const NOT_EDITABLE: &str = "Invalid invoice: This invoice is no longer editable";
const ALREADY_FINALIZED: &str =
    "This invoice is already finalized, you can't re-finalize a non-draft invoice.";
const ALREADY_PAID: &str = "Invoice is already paid";
const NOT_OPEN: &str = "You can only pass in open invoices. This invoice isn't open.";
const PAID_PAYMENTS: &str = "Invoices with `paid` payments cannot be voided.";
const MARKED: &str = "This invoice has already been marked uncollectible.";
const NOT_NOW: &str = "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so we can help.";
const DRAFTS_ONLY: &str = "You can only delete draft invoices.";

/// Why an invoice of a status does not allow an act; `None` where it does.
///
/// Believed: that an uncollectible invoice can be paid.
const fn refusal(act: Act, status: Invoice) -> Option<&'static str> {
    use Act::{Delete, Edit, EditLines, Finalize, MarkUncollectible, Pay, Send, Void};
    use Invoice::{Draft, Open, Paid, Uncollectible};
    match (act, status) {
        (Edit | EditLines | Finalize | Pay | Send | Delete, Draft)
        | (Pay | Send | Void | MarkUncollectible, Open)
        | (Pay | Void, Uncollectible) => None,
        (Edit, _) => Some(FINALIZED),
        (EditLines, _) => Some(NOT_EDITABLE),
        (Finalize, _) => Some(ALREADY_FINALIZED),
        (Pay, Paid) => Some(ALREADY_PAID),
        (Void, Paid) => Some(PAID_PAYMENTS),
        (MarkUncollectible, Uncollectible) => Some(MARKED),
        (Send, _) => Some(NOT_NOW),
        (Delete, _) => Some(DRAFTS_ONLY),
        (Pay | Void | MarkUncollectible, _) => Some(NOT_OPEN),
    }
}

/// The status of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invoice {
    /// It can still be changed.
    Draft,
    /// It waits to be paid.
    Open,
    /// It is paid, or nothing was to be paid.
    Paid,
    /// It was taken back.
    Void,
    /// It was given up.
    Uncollectible,
}

impl Invoice {
    /// Reads a status.
    pub fn read(status: &str) -> Self {
        match status {
            "open" => Self::Open,
            "paid" => Self::Paid,
            "void" => Self::Void,
            "uncollectible" => Self::Uncollectible,
            _ => Self::Draft,
        }
    }

    /// Refuses what an invoice of this status does not allow. Most of these have no code.
    pub fn allows(self, act: Act) -> Result<(), Failure> {
        let Some(why) = refusal(act, self) else { return Ok(()) };
        let failure = Failure::invalid(why);
        Err(if act == Act::EditLines { failure.code("invoice_not_editable") } else { failure })
    }
}

/// What happens to a subscription, as far as its status cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its newest invoice was paid, or nothing was to be paid.
    Paid,
    /// An invoice of it could not be paid, or was not in time.
    Unpaid,
    /// Its trial ends; what follows is billed.
    TrialEnds,
    /// Its trial ends and nobody can be charged.
    TrialEndsUnpayable,
    /// The time for its first payment is over.
    Expires,
    /// It ends.
    Ends,
}

/// The status after a turn; the same where the turn does not concern it.
pub fn after(status: &'static str, turn: Turn) -> &'static str {
    if is_over(status) {
        return status;
    }
    match (status, turn) {
        (_, Turn::Ends) => "canceled",
        ("incomplete", Turn::Expires) => "incomplete_expired",
        ("incomplete" | "past_due" | "unpaid" | "paused", Turn::Paid)
        | ("trialing", Turn::TrialEnds) => "active",
        ("trialing", Turn::TrialEndsUnpayable) => "paused",
        ("active" | "trialing", Turn::Unpaid) => "past_due",
        _ => status,
    }
}

/// Every status of a subscription.
pub const STATUSES: [&str; 8] = [
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "canceled",
    "unpaid",
    "paused",
];

/// The one copy of a status; `incomplete` for what is none.
pub fn known(status: &str) -> &'static str {
    STATUSES.iter().find(|known| **known == status).copied().unwrap_or("incomplete")
}

/// Whether a subscription of that status is over.
pub fn is_over(status: &str) -> bool {
    matches!(status, "canceled" | "incomplete_expired")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_is_open_ends_and_only_drafts_change() {
        use Act::{Delete, Edit, EditLines, Finalize, MarkUncollectible, Pay, Send, Void};
        let all = [Edit, EditLines, Finalize, Pay, Send, Void, MarkUncollectible, Delete];
        let allowed = |status: &str| {
            let status = Invoice::read(status);
            all.iter().filter(|act| status.allows(**act).is_ok()).copied().collect::<Vec<_>>()
        };
        assert_eq!(allowed("draft"), [Edit, EditLines, Finalize, Pay, Send, Delete]);
        assert_eq!(allowed("open"), [Pay, Send, Void, MarkUncollectible]);
        assert_eq!(allowed("uncollectible"), [Pay, Void]);
        assert!(allowed("paid").is_empty() && allowed("void").is_empty());
    }

    #[test]
    fn refusals_have_their_own_words_and_one_has_a_code() {
        let refused = |act, status| Invoice::read(status).allows(act).unwrap_err();
        assert_eq!(refused(Act::Pay, "paid").message, "Invoice is already paid");
        assert_eq!(refused(Act::Pay, "void").message, NOT_OPEN);
        assert_eq!(refused(Act::Void, "paid").message, PAID_PAYMENTS);
        assert_eq!(refused(Act::MarkUncollectible, "uncollectible").message, MARKED);
        assert_eq!(refused(Act::Edit, "open").code, None);
        let code = refused(Act::EditLines, "open").code;
        assert_eq!(code.as_deref(), Some("invoice_not_editable"));
    }

    fn a_turn() -> impl Strategy<Value = Turn> {
        prop::sample::select(vec![
            Turn::Paid,
            Turn::Unpaid,
            Turn::TrialEnds,
            Turn::TrialEndsUnpayable,
            Turn::Expires,
            Turn::Ends,
        ])
    }

    proptest! {
        #[test]
        fn what_is_over_stays_over_and_every_status_is_known(
            first in prop::sample::select(STATUSES.to_vec()),
            turns in prop::collection::vec(a_turn(), 0..30),
        ) {
            let mut status = first;
            for turn in turns {
                let next = after(status, turn);
                prop_assert!(STATUSES.contains(&next));
                prop_assert!(!is_over(status) || next == status);
                prop_assert!(next != "incomplete" || status == "incomplete");
                prop_assert!(next != "incomplete_expired" || matches!(status, "incomplete" | "incomplete_expired"));
                status = next;
            }
        }
    }
}
