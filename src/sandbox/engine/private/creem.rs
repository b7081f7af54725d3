//! What the sandbox knows of Creem's objects beyond what its API shows.

use serde::{Deserialize, Serialize};

/// See [`super::Private::Creem`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreemPart {
    /// Of a checkout: the API key that it was made with, which salts the signature of its redirect.
    pub key: String,
    /// Of a product: the `Idempotency-Key` that it was made with.
    pub idempotency_key: Option<String>,
    /// Of a product: how often its licence keys can be activated, where it sells any.
    pub licences: Option<i64>,
    /// Of a checkout and a subscription: the discount, `dis_…`.
    pub discount: Option<String>,
    /// Of a subscription: the fingerprint of the card that is charged.
    pub card: String,
    /// Of a subscription: what one unit of each of its items costs, in minor units.
    pub prices: Vec<i64>,
    /// Of a subscription: the order that began it.
    pub order: String,
    /// Of an order and a subscription: the checkout that began it.
    pub checkout: String,
    /// Of a subscription: the instant from which its periods are counted, in Unix seconds.
    pub anchor: i64,
    /// Of a subscription: how many periods after that instant the current one ends.
    pub periods: i64,
    /// Of a subscription: the first instant of what was paid for, in Unix seconds.
    pub began: i64,
    /// Of a subscription: the beginning of its current period, in Unix seconds.
    pub from: i64,
    /// Of a subscription: the end of its current period, in Unix seconds.
    pub until: i64,
    /// Of a subscription: the job that comes next.
    pub job: Option<String>,
    /// Of a subscription: how often the payment that is due has failed.
    pub failures: usize,
    /// Of a subscription: whether its payments fail because somebody asked for that.
    pub fails: bool,
    /// Of a subscription: what the next payment asks for beside the price; less where it is negative.
    pub owed: i64,
    /// Of a subscription: whether the end of its period cancels it (`cancel`) or pauses it (`pause`).
    pub at_end: Option<String>,
    /// Of a licence and a portal link: the customer. Of a checkout: the e-mail address that its page begins with.
    pub customer: String,
}
