//! Facts: each is something that an event or an object of a provider states. They only gather; what was learnt twice
//! is known once.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that a provider states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A checkout was completed, or a period of a subscription was paid.
    Sold(Sold),
    /// The payment of a sale, where the sale itself does not name it.
    PaymentOf {
        /// The sale.
        sale: String,
        /// What paid it.
        payment: String,
    },
    /// What was on its way did not arrive.
    Failed {
        /// The sale.
        sale: String,
    },
    /// Money of a payment goes back by this refund.
    Refunded {
        /// The payment.
        payment: String,
        /// The refund.
        refund: String,
        /// How much, in minor units.
        amount: i64,
        /// Whether it came back to the merchant, or never left.
        undone: bool,
    },
    /// How much of a payment has gone back altogether.
    RefundedInAll {
        /// The payment.
        payment: String,
        /// How much, in minor units.
        amount: i64,
    },
    /// A buyer's bank asks a payment back.
    Disputed {
        /// The payment.
        payment: String,
        /// The dispute.
        dispute: String,
        /// How much, in minor units.
        amount: i64,
        /// What has become of it.
        stands: Stands,
    },
    /// Whose customer somebody is, by a word of our own.
    Customer {
        /// The provider's customer.
        customer: String,
        /// The user of ours.
        user: String,
    },
    /// How a subscription stood.
    Subscription(Snapshot),
    /// A period of a subscription was paid.
    PeriodPaid {
        /// The subscription.
        subscription: String,
        /// When the period ends.
        until: i64,
        /// When it was paid.
        at: i64,
    },
    /// A period of a subscription could not be paid.
    PeriodFailed {
        /// The subscription.
        subscription: String,
        /// When that was tried.
        at: i64,
    },
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// An inquiry: no money has moved.
    Asked,
    /// The bank has taken the money.
    Taken,
    /// The merchant has it back.
    Won,
}

/// A sale, as one of its objects states it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sold {
    /// What is sold at once: a Checkout Session, or the invoice of a period.
    pub sale: String,
    /// The user of ours who buys.
    pub user: Option<String>,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The plan.
    pub plan: String,
    /// The credits that it gives.
    pub credits: i64,
    /// The price that was paid, where it is another than the plan was begun with: the plan was changed since.
    #[serde(default)]
    pub price: Option<String>,
    /// What it costs altogether, in minor units.
    pub amount: i64,
    /// The currency's code.
    pub currency: String,
    /// What pays it, where that is named.
    pub payment: Option<String>,
    /// The subscription whose period it is.
    pub subscription: Option<String>,
    /// Whether it is paid, or nothing was to be paid.
    pub paid: bool,
    /// When the sale was made.
    pub at: i64,
}

/// A subscription, as one event shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Snapshot {
    /// The subscription.
    pub subscription: String,
    /// The user of ours whose it is.
    pub user: Option<String>,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The plan.
    pub plan: String,
    /// The price that is paid, where it is another than the plan was begun with.
    #[serde(default)]
    pub price: Option<String>,
    /// The provider's word for how it stands.
    pub status: String,
    /// When its period ends.
    pub until: i64,
    /// Whether it ends with the period.
    pub ends: bool,
    /// When it was seen so.
    pub at: i64,
    /// The event, which tells two of one second apart.
    pub event: String,
    /// What this event changed: each member's value before.
    pub before: BTreeMap<String, String>,
}

impl Fact {
    /// What it is about: a sale, a payment, a customer or a subscription.
    pub fn subject(&self) -> &str {
        match self {
            Self::Sold(it) => &it.sale,
            Self::PaymentOf { sale, .. } | Self::Failed { sale } => sale,
            Self::Refunded { payment, .. }
            | Self::RefundedInAll { payment, .. }
            | Self::Disputed { payment, .. } => payment,
            Self::Customer { customer, .. } => customer,
            Self::Subscription(it) => &it.subscription,
            Self::PeriodPaid { subscription, .. } | Self::PeriodFailed { subscription, .. } => {
                subscription
            }
        }
    }
}
