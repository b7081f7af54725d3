//! Facts: each one thing that a source says of one object.

use crate::domain::currency::Currency;
use crate::domain::time::Timestamp;

/// What kind of object says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A Checkout Session.
    Session,
    /// A PaymentIntent.
    Intent,
    /// A charge.
    Charge,
    /// A refund.
    Refund,
    /// A dispute.
    Dispute,
    /// A payout.
    Payout,
    /// A transfer to a connected account.
    Transfer,
    /// An application fee.
    ApplicationFee,
    /// An invoice.
    Invoice,
    /// A payment of an invoice.
    InvoicePayment,
    /// A balance transaction.
    Transaction,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Session,
        Self::Intent,
        Self::Charge,
        Self::Refund,
        Self::Dispute,
        Self::Payout,
        Self::Transfer,
        Self::ApplicationFee,
        Self::Invoice,
        Self::InvoicePayment,
        Self::Transaction,
    ];

    /// The type as the object itself names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "checkout.session",
            Self::Intent => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Payout => "payout",
            Self::Transfer => "transfer",
            Self::ApplicationFee => "application_fee",
            Self::Invoice => "invoice",
            Self::InvoicePayment => "invoice_payment",
            Self::Transaction => "balance_transaction",
        }
    }

    /// Reads what [`Kind::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A payment was asked for, of a PaymentIntent that succeeded.
    Asked,
    /// It was paid, says what asked for it.
    Paid,
    /// It was received, says the PaymentIntent that succeeded.
    Received,
    /// So much of it was captured so far.
    Captured,
    /// The same for what the charge's settlement is compared with.
    Charged,
    /// So much went back so far.
    RefundedSoFar,
    /// A refund of this charge, or of the charge that is the subject.
    Part,
    /// That refund came back.
    PartReturned,
    /// It left.
    Sent,
    /// It came back.
    Returned,
    /// So much was taken back so far.
    ReversedSoFar,
    /// The payer's bank took it.
    Withdrawn,
    /// The payer's bank gave it back.
    Reinstated,
    /// So much of it is tax.
    Tax,
    /// The balance moved, before the fee; the detail is the reporting category.
    Moved,
    /// What Stripe kept of it.
    Fee,
    /// The subject was settled by this balance transaction.
    Settled,
}

impl What {
    const ALL: [Self; 17] = [
        Self::Asked,
        Self::Paid,
        Self::Received,
        Self::Captured,
        Self::Charged,
        Self::RefundedSoFar,
        Self::Part,
        Self::PartReturned,
        Self::Sent,
        Self::Returned,
        Self::ReversedSoFar,
        Self::Withdrawn,
        Self::Reinstated,
        Self::Tax,
        Self::Moved,
        Self::Fee,
        Self::Settled,
    ];

    /// The word that files, tables and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Paid => "paid",
            Self::Received => "received",
            Self::Captured => "captured",
            Self::Charged => "charged",
            Self::RefundedSoFar => "refunded_so_far",
            Self::Part => "part",
            Self::PartReturned => "part_returned",
            Self::Sent => "sent",
            Self::Returned => "returned",
            Self::ReversedSoFar => "reversed_so_far",
            Self::Withdrawn => "withdrawn",
            Self::Reinstated => "reinstated",
            Self::Tax => "tax",
            Self::Moved => "moved",
            Self::Fee => "fee",
            Self::Settled => "settled",
        }
    }

    /// Reads what [`What::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == text)
    }

    /// Whether it counts up: of one object it is then true of several amounts, one after the other. Of anything else
    /// two amounts contradict each other.
    pub const fn counts_up(self) -> bool {
        matches!(self, Self::Captured | Self::Charged | Self::RefundedSoFar | Self::ReversedSoFar)
    }
}

/// Which fact it is: nothing is learned twice under one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The object that says so.
    pub object: String,
    /// Its kind.
    pub kind: Kind,
    /// What it says.
    pub what: What,
}

/// What is said under a key. Two claims under one key contradict each other, unless the key counts up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// Minor units.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// What else belongs to it; mostly nothing.
    pub detail: String,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    /// The object whose entries it decides: of a captured charge the PaymentIntent.
    pub subject: String,
    /// Which fact.
    pub key: Key,
    /// What is said.
    pub claim: Claim,
    /// When the source says that it was so. Nothing follows from it.
    pub at: Timestamp,
}
