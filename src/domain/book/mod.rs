//! The merchant's book in double entry. What an object is known to say becomes facts (`read`), facts about one subject
//! become entries (`derive`), and every entry sums to zero in each of its currencies.
//!
//! Facts are a set that only grows, and the entries of a subject follow from the set alone: so the book ends the same
//! whatever order its sources come in, and however often.

pub mod creem;
pub mod derive;
pub mod export;
pub mod fact;
pub mod home;
pub mod line;
pub mod read;

use crate::domain::currency::Currency;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// Where money stands or what it was for. A debit is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// The balance at Stripe, moved by balance transactions alone.
    StripeBalance,
    /// What was told and no balance transaction has settled yet, in or out: its fee is pending, not zero.
    Receivable,
    /// What was sold.
    Revenue,
    /// What Stripe kept.
    Fees,
    /// What went back to payers.
    Refunds,
    /// What payers' banks took back.
    Disputes,
    /// What left for a bank or a connected account.
    Payouts,
    /// What was collected for the state.
    Taxes,
    /// What left one currency and came back in another: two entries of money that no rate can make equal, so
    /// that each currency still sums to zero.
    Conversion,
}

impl Account {
    /// Every account, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::StripeBalance,
        Self::Receivable,
        Self::Revenue,
        Self::Fees,
        Self::Refunds,
        Self::Disputes,
        Self::Payouts,
        Self::Taxes,
        Self::Conversion,
    ];

    /// The word that files, tables and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StripeBalance => "stripe_balance",
            Self::Receivable => "receivable",
            Self::Revenue => "revenue",
            Self::Fees => "fees",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
            Self::Payouts => "payouts",
            Self::Taxes => "taxes",
            Self::Conversion => "conversion",
        }
    }

    /// Reads what [`Account::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.name() == text)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One line of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// Minor units; a debit is positive.
    pub amount: i64,
}

/// Why an entry is made. At most one entry stands for an object and a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A payment came.
    Sale,
    /// A part of what was sold is tax.
    Tax,
    /// Money went back to the payer.
    Refund,
    /// A refund failed or was cancelled.
    RefundReturned,
    /// A charge says that more went back than its known refunds come to.
    RefundUnnamed,
    /// The payer's bank took money back.
    Dispute,
    /// A dispute was won.
    DisputeReinstated,
    /// Money left for the bank.
    Payout,
    /// A payout failed or was cancelled.
    PayoutReturned,
    /// Money left for a connected account.
    Transfer,
    /// A transfer was taken back, wholly or in part.
    TransferReversed,
    /// A connected account paid for the platform.
    ApplicationFee,
    /// An application fee went back, wholly or in part.
    ApplicationFeeRefunded,
    /// A balance transaction.
    Settlement,
    /// What a settlement in another currency means.
    Conversion,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::Sale,
        Self::Tax,
        Self::Refund,
        Self::RefundReturned,
        Self::RefundUnnamed,
        Self::Dispute,
        Self::DisputeReinstated,
        Self::Payout,
        Self::PayoutReturned,
        Self::Transfer,
        Self::TransferReversed,
        Self::ApplicationFee,
        Self::ApplicationFeeRefunded,
        Self::Settlement,
        Self::Conversion,
    ];

    /// The word that files, tables and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Tax => "tax",
            Self::Refund => "refund",
            Self::RefundReturned => "refund_returned",
            Self::RefundUnnamed => "refund_unnamed",
            Self::Dispute => "dispute",
            Self::DisputeReinstated => "dispute_reinstated",
            Self::Payout => "payout",
            Self::PayoutReturned => "payout_returned",
            Self::Transfer => "transfer",
            Self::TransferReversed => "transfer_reversed",
            Self::ApplicationFee => "application_fee",
            Self::ApplicationFeeRefunded => "application_fee_refunded",
            Self::Settlement => "settlement",
            Self::Conversion => "conversion",
        }
    }

    /// Reads what [`Reason::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }
}

/// Why postings make no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// A currency does not sum to zero.
    #[error("the postings in {0} do not sum to zero")]
    Unbalanced(Currency),
    /// A sum is larger than can be counted.
    #[error("the postings in {0} come to more than can be counted")]
    Overflow(Currency),
}

/// Postings that belong together and sum to zero in each currency; there is no other way to have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    about: String,
    reason: Reason,
    postings: Vec<Posting>,
}

impl Entry {
    /// The entry of these postings; those of one account and currency are put together, and none of zero is kept.
    pub fn new(
        about: &str,
        reason: Reason,
        postings: impl IntoIterator<Item = (Account, Currency, i64)>,
    ) -> Result<Self, PostingError> {
        let mut sums: BTreeMap<(Account, Currency), i64> = BTreeMap::new();
        for (account, currency, amount) in postings {
            let sum = sums.entry((account, currency)).or_default();
            *sum = sum.checked_add(amount).ok_or(PostingError::Overflow(currency))?;
        }
        let mut left: BTreeMap<Currency, i128> = BTreeMap::new();
        for ((_, currency), amount) in &sums {
            *left.entry(*currency).or_default() += i128::from(*amount);
        }
        if let Some((currency, _)) = left.iter().find(|(_, sum)| **sum != 0) {
            return Err(PostingError::Unbalanced(*currency));
        }
        // What is turned round later must be countable too.
        if let Some(((_, currency), _)) = sums.iter().find(|(_, amount)| **amount == i64::MIN) {
            return Err(PostingError::Overflow(*currency));
        }
        let postings = sums.into_iter().filter(|(_, amount)| *amount != 0);
        let postings =
            postings.map(|((account, currency), amount)| Posting { account, currency, amount });
        Ok(Self { about: about.to_owned(), reason, postings: postings.collect() })
    }

    /// The entry that takes this one back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let turned =
            |posting: &Posting| Posting { amount: posting.amount.saturating_neg(), ..*posting };
        Self { postings: self.postings.iter().map(turned).collect(), ..self.clone() }
    }

    /// The object that it is about.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Why it is made.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Its lines, by account and currency; none is zero.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// An entry as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Its number, in the order in which entries were made.
    pub number: i64,
    /// The line from which it follows: `evt_…` or `seen_…`.
    pub line: String,
    /// When that line came.
    pub received: Timestamp,
    /// When the provider made that line.
    pub created: Timestamp,
    /// What it is about.
    pub subject: String,
    /// The entry.
    pub entry: Entry,
    /// The entry that it takes back.
    pub takes_back: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPY: Currency = Currency::JPY;
    const USD: Currency = Currency::USD;

    #[test]
    fn an_entry_sums_to_zero_in_each_currency_or_is_none() {
        let make = |postings: &[(Account, Currency, i64)]| {
            Entry::new("ch_1", Reason::Sale, postings.iter().copied())
        };
        let pair = [(Account::Receivable, JPY, 500), (Account::Revenue, JPY, -500)];
        let entry = make(&pair).unwrap();
        assert_eq!(entry.postings().len(), 2);
        assert_eq!(entry.reversed().reversed(), entry);
        let crossed = [(Account::Receivable, JPY, 500), (Account::Revenue, USD, -500)];
        assert_eq!(make(&crossed), Err(PostingError::Unbalanced(JPY)));
        let most = (Account::Fees, JPY, i64::MAX);
        assert_eq!(make(&[most, most]), Err(PostingError::Overflow(JPY)));
        let least = [(Account::Fees, JPY, i64::MIN), (Account::Taxes, JPY, i64::MAX)];
        assert_eq!(make(&least), Err(PostingError::Unbalanced(JPY)));
        let nothing = [(Account::Fees, JPY, 5), (Account::Fees, JPY, -5)];
        assert_eq!(make(&nothing).unwrap().postings(), &[]);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for account in Account::ALL {
            assert_eq!(Account::read(account.name()), Some(account));
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::read(reason.name()), Some(reason));
        }
    }
}
