//! The private parts of invoices and subscriptions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Of an invoice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoicePart {
    /// Every line, of which the invoice itself shows the first ones.
    pub lines: Vec<LinePart>,
    /// The intent that pays it.
    pub intent: Option<String>,
    /// Its payment, `inpay_…`.
    pub payment: Option<String>,
    /// The job that does what comes next by itself: its finalization, its next attempt, its due date.
    pub job: Option<String>,
    /// How often its payment was tried again by itself.
    pub retries: u32,
    /// It was paid outside of Stripe.
    pub paid_out_of_band: bool,
    /// What becomes of it once it has a number, while its subscription collects nothing.
    pub paused: Option<String>,
    /// What another account gets of its payment: `application_fee_amount` and `transfer_data`, as they were sent.
    pub terms: Map<String, Value>,
}

/// A line of an invoice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinePart {
    /// As the API shows it.
    pub doc: Value,
    /// Its own tax rates, `txr_…`.
    pub rates: Vec<String>,
    /// Its own discounts, `di_…`.
    pub discounts: Vec<String>,
    /// The item of the subscription that it bills, with what has to be known to take a part of it back.
    pub billed: Option<Billed>,
    /// What billing credits pay of it: the transaction of each, and how much.
    pub credits: Vec<(String, i64)>,
}

/// What was last billed for an item of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Billed {
    /// `si_…`.
    pub item: String,
    /// `price_…`.
    pub price: String,
    /// How many.
    pub quantity: i64,
    /// What a whole period of it costs.
    pub amount: i64,
    /// The invoice and its line, once there are any.
    pub line: Option<(String, String)>,
}

/// Of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscriptionPart {
    /// It was not told of yet: what changes until then is no change.
    pub fresh: bool,
    /// What was last billed for each item.
    pub billed: Vec<Billed>,
    /// A change that waits for its payment.
    pub held: Option<Box<Held>>,
    /// The job at the end of its period.
    pub job: Option<String>,
    /// The job that tells of the end of its trial.
    pub notice: Option<String>,
    /// The job that ends it: where its first payment does not come, or at `cancel_at`.
    pub end: Option<String>,
    /// The job that ends its pause.
    pub resume: Option<String>,
    /// The job that tells of its next invoice.
    pub upcoming: Option<String>,
    /// The job that bills what is pending between its renewals.
    pub sweep: Option<String>,
    /// What was billed of its running periods' usage before they are over.
    pub used: Vec<Used>,
}

/// What was billed of the usage of an item before its period is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Used {
    /// `si_…`.
    pub item: String,
    /// When the period began.
    pub since: i64,
    /// How many.
    pub quantity: i64,
    /// What they came to.
    pub amount: i64,
}

/// A change of a subscription that is made once its invoice is paid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    /// The invoice.
    pub invoice: String,
    /// The members that it changes.
    pub members: Map<String, Value>,
    /// What is billed for each item from then on.
    pub billed: Vec<Billed>,
    /// The job that gives it up.
    pub job: Option<String>,
}

/// Of an object that does something by itself later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedPart {
    /// Its jobs.
    pub jobs: Vec<String>,
    /// Its end was announced.
    pub told: bool,
}

/// Of a quote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotePart {
    /// Every line, as an `item`.
    pub lines: Vec<LinePart>,
    /// `discounts` as they were sent.
    pub discounts: Vec<Value>,
    /// The job that ends it.
    pub job: Option<String>,
}
