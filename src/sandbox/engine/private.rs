//! What the sandbox knows of an object beyond what the API shows: typed, and stored apart from it.

use crate::sandbox::engine::confirmation::ConfirmationTokenPart;
use crate::sandbox::engine::line_look::LineLook;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use billing::{
    Billed, Held, InvoicePart, LinePart, PlannedPart, QuotePart, SubscriptionPart, Used,
};
pub use creem::CreemPart;
pub use name::{Name, kept_once};

pub mod billing;
pub mod creem;
pub mod name;

/// The private part of one object. Serialised into its own column; members are added, never renamed. Long parts
/// are boxed: each event and each delivery would pay for the longest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Private {
    /// Of a `charge`.
    Charge(ChargePart),
    /// Of a `coupon`.
    Coupon(Box<CouponPart>),
    /// Of a `confirmation_token`.
    ConfirmationToken(Box<ConfirmationTokenPart>),
    /// Of a `checkout.session`.
    Session(Box<SessionPart>),
    /// Of a `customer`.
    Customer(Box<CustomerPart>),
    /// Of an `event`: everything but the object that it is about.
    Event(Box<Envelope>),
    /// Of an `invoice`.
    Invoice(Box<InvoicePart>),
    /// Of a `payment_intent`.
    PaymentIntent(Box<PaymentIntentPart>),
    /// Of a `payment_link`.
    PaymentLink(Box<PaymentLinkPart>),
    /// Of a `payment_method`.
    PaymentMethod(PaymentMethodPart),
    /// Of what does something by itself later (a `subscription_schedule`, a `billing.credit_grant`).
    Planned(Box<PlannedPart>),
    /// Of a `billing_portal.session`.
    Portal(Box<PortalPart>),
    /// Of a `price`.
    Price(Box<PricePart>),
    /// Of a `quote`.
    Quote(Box<QuotePart>),
    /// Of a `refund`.
    Refund(RefundPart),
    /// Of a `balance_transaction`.
    Transaction(TransactionPart),
    /// Of a `setup_intent`.
    SetupIntent(Box<SetupIntentPart>),
    /// Of a `subscription`.
    Subscription(Box<SubscriptionPart>),
    /// Of a `webhook_endpoint`.
    WebhookEndpoint(WebhookEndpointPart),
    /// Work that is planned for an instant.
    Job(Box<Job>),
    /// The delivery of an event to an endpoint.
    Delivery(Box<Delivery>),
    /// The answer that an idempotency key has had.
    Answered(Box<Answered>),
    /// A world: how its time and its ids come about.
    World(Box<WorldPart>),
    /// Of an object of Creem's.
    Creem(Box<CreemPart>),
    /// The sums of the balance by currency.
    Balance(BalancePart),
    /// A restricted key.
    Key(KeyPart),
    /// What the owner of an account has set.
    Settings(SettingsPart),
}

// A part that makes it longer belongs into a box.
const _: () = assert!(size_of::<Private>() <= 40);

/// A type of private part: reads itself out of [`Private`], and stands empty where there is none.
pub trait Part: Default + Clone {
    /// The part, where it is of this type.
    fn of(private: &Private) -> Option<&Self>;
    /// The part as it is stored.
    fn stored(self) -> Private;
}

macro_rules! parts {
    ($($part:ty => $name:ident),* $(,)?) => { $(
        impl Part for $part {
            fn of(private: &Private) -> Option<&Self> {
                match private {
                    Private::$name(part) => Some(part),
                    _ => None,
                }
            }
            fn stored(self) -> Private {
                Private::$name(self.into())
            }
        }
    )* };
}

parts! {
    ChargePart => Charge,
    CouponPart => Coupon,
    ConfirmationTokenPart => ConfirmationToken,
    SessionPart => Session,
    CustomerPart => Customer,
    Envelope => Event,
    InvoicePart => Invoice,
    PaymentIntentPart => PaymentIntent,
    PaymentLinkPart => PaymentLink,
    PaymentMethodPart => PaymentMethod,
    PlannedPart => Planned,
    PortalPart => Portal,
    PricePart => Price,
    QuotePart => Quote,
    RefundPart => Refund,
    TransactionPart => Transaction,
    SetupIntentPart => SetupIntent,
    SubscriptionPart => Subscription,
    WebhookEndpointPart => WebhookEndpoint,
    Job => Job,
    Delivery => Delivery,
    Answered => Answered,
    WorldPart => World,
    CreemPart => Creem,
    BalancePart => Balance,
    KeyPart => Key,
    SettingsPart => Settings,
}

/// See [`Private::Charge`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChargePart {
    /// Its funds are available at once, as one test card has it.
    pub available_at_once: bool,
}

/// See [`Private::Coupon`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CouponPart {
    /// `applies_to` as it was sent.
    pub applies_to: Option<Value>,
    /// `currency_options` as they were sent.
    pub currency_options: Option<Value>,
}

/// See [`Private::Session`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionPart {
    /// Every line item, as the API shows it.
    pub line_items: Vec<Value>,
    /// What the page shows of each line item beyond that, in the same order.
    pub line_looks: Vec<LineLook>,
    /// `payment_intent_data` as it was sent.
    pub payment_intent_data: Map<String, Value>,
    /// `subscription_data` as it was sent.
    pub subscription_data: Map<String, Value>,
    /// The subscription that was made for it before it was complete.
    pub subscription: Option<String>,
    /// Optional items that were not taken, as line items.
    pub optional: Vec<(Value, LineLook)>,
    /// The discount that applies, and its coupon as it was then with all that it does not show.
    pub discount: Option<(String, Value)>,
    /// The address that says which taxes apply, where they are worked out.
    pub tax_address: Option<Value>,
    /// `customer_update` as it was sent.
    pub customer_update: Option<Value>,
    /// What the payer typed.
    pub payer: Option<Value>,
    /// The customer that was made for it before it was complete.
    pub customer: Option<String>,
    /// The job that expires it.
    pub expire_job: Option<String>,
    /// The job that settles its delayed payment.
    pub settle_job: Option<String>,
    /// Its delayed payment failed.
    pub lapsed: bool,
}

/// See [`Private::Customer`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerPart {
    /// `tax[ip_address]` as it was sent.
    pub tax_ip_address: Option<String>,
    /// Cash by currency, in minor units.
    pub cash: Vec<(String, i64)>,
    /// `cash_balance[settings][reconciliation_mode]`, where the customer has one of its own.
    pub cash_mode: Option<String>,
}

/// See [`Private::PaymentIntent`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentIntentPart {
    /// The Checkout Session that owns it.
    pub session: Option<String>,
    /// The invoice that it pays.
    pub invoice: Option<String>,
    /// The job that settles it or ends its hold.
    pub job: Option<String>,
    /// `radar_options` as they were sent.
    pub radar_options: Option<Value>,
    /// `mandate_data` as it was sent.
    pub mandate_data: Option<Value>,
    /// What was paid of it by bank transfer so far.
    pub funded: i64,
    /// What was captured of it so far, where more than one capture is allowed.
    pub captured: i64,
    /// How often its hold was raised.
    pub increments: u32,
    /// Its payer was authenticated, and it waits for the server to confirm it again.
    pub authenticated: bool,
    /// How often the sums that were sent to its account were said wrongly.
    pub tries: u32,
}

/// See [`Private::PaymentLink`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentLinkPart {
    /// What its sessions are made with, in the parameters of a session.
    pub session: Map<String, Value>,
    /// Every line item, as the API shows it.
    pub line_items: Vec<Value>,
}

/// See [`Private::PaymentMethod`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "four things that are so or not")]
pub struct PaymentMethodPart {
    /// A security code was given with the card.
    pub cvc: bool,
    /// It was used without a customer, or detached: it may not be used again.
    pub spent: bool,
    /// Its owner was authenticated for later use.
    pub set_up: bool,
    /// A bank account was shown to be its owner's: by sums that were sent to it, or as a ready-made one.
    pub verified: bool,
}

/// See [`Private::Price`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PricePart {
    /// `tiers` as they were sent.
    pub tiers: Option<Value>,
    /// `currency_options` as they were sent.
    pub currency_options: Option<Value>,
}

/// See [`Private::Portal`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortalPart {
    /// When its page was last looked at, in Unix seconds.
    pub seen: Option<i64>,
    /// Whether what it was made for is done.
    pub done: bool,
}

/// See [`Private::Refund`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefundPart {
    /// The job that ends it.
    pub job: Option<String>,
}

/// See [`Private::Transaction`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransactionPart {
    /// The automatic payout that it is in, `po_…`.
    pub payout: Option<Box<str>>,
}

/// See [`Private::SetupIntent`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetupIntentPart {
    /// The Checkout Session that owns it.
    pub session: Option<String>,
    /// The subscription whose later payments it prepares.
    pub subscription: Option<String>,
    /// `mandate_data` as it was sent.
    pub mandate_data: Option<Value>,
    /// `single_use` as it was sent.
    pub single_use: Option<Value>,
    /// How often the sums that were sent to its account were said wrongly.
    pub tries: u32,
}

/// See [`Private::WebhookEndpoint`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookEndpointPart {
    /// `whsec_…`, with which events are signed.
    pub secret: String,
    /// Told of the events of connected accounts rather than of the account's own.
    pub connect: bool,
    /// Creem's second scheme of signatures is sent beside the first.
    pub standard: bool,
}

/// An event without the object that it is about, which the event shares with the object itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: Name,
    /// `api_version`.
    pub api_version: Name,
    /// Unix seconds.
    pub created: i64,
    /// The connected account that it is about, where it is not the platform's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<str>>,
    /// `data.previous_attributes`, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Box<str>>,
    /// `request.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<str>>,
    /// `request.idempotency_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Box<str>>,
    /// The object's place in the order of creation, where it is a stored one.
    pub about: u64,
    /// Each endpoint that is to be told, and whether it has accepted the event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<(String, bool)>,
}

impl Envelope {
    /// How many endpoints have not accepted the event yet.
    pub fn pending_webhooks(&self) -> usize {
        self.told.iter().filter(|(_, accepted)| !accepted).count()
    }
}

/// See [`Private::Job`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// What is to be done.
    pub name: String,
    /// With what.
    pub args: Value,
    /// When, in Unix seconds of its timeline.
    pub due: i64,
    /// The test clock whose time counts; the world's clock where there is none.
    pub test_clock: Option<String>,
}

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// It is due, now or later.
    #[default]
    Pending,
    /// The endpoint accepted it.
    Succeeded,
    /// It was given up.
    Failed,
    /// Its endpoint or its event is gone.
    Canceled,
}

impl DeliveryStatus {
    /// As the controls name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// See [`Private::Delivery`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// `evt_…`.
    pub event: String,
    /// The account whose event it is; empty for the platform.
    pub event_account: String,
    /// `we_…`.
    pub endpoint: String,
    /// Unix seconds.
    pub created: i64,
    /// When the next attempt is due; `None` once nothing is left to do.
    pub due: Option<i64>,
    /// What has become of it.
    pub status: DeliveryStatus,
    /// Every attempt so far.
    pub attempts: Vec<Attempted>,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempted {
    /// Unix seconds.
    pub at: i64,
    /// The status that the endpoint answered with.
    pub status: Option<u16>,
    /// Why it did not count, where it did not.
    pub error: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// The beginning of what the endpoint answered.
    pub response: String,
    /// When the next attempt was due after it.
    pub next_due: Option<i64>,
}

/// See [`Private::Answered`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answered {
    /// The path that was called.
    pub path: String,
    /// A digest of the parameters.
    pub digest: String,
    /// HTTP status.
    pub status: u16,
    /// The request that was answered first, `req_…`.
    pub request: String,
    /// When it is forgotten, in Unix seconds.
    pub due: i64,
}

/// See [`Private::World`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorldPart {
    /// The seed of its ids; random ones where there is none.
    pub seed: Option<u64>,
    /// Where its clock was set, in Unix seconds; it then moves only when told to. The system's where `None`.
    pub stands_at: Option<i64>,
    /// Where its clock stood when the world was made, in Unix seconds.
    pub begins_at: Option<i64>,
    /// What its clock is ahead of that, in seconds.
    pub ahead_s: i64,
    /// When it was made, in Unix seconds of the system's clock.
    pub made: i64,
}

/// See [`Private::Balance`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BalancePart {
    /// Currency, available and pending, in minor units.
    pub sums: Vec<(String, i64, i64)>,
}

/// See [`Private::Key`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyPart {
    /// What it may do: `products:read`, `checkout_sessions:write`.
    pub allow: Vec<String>,
    /// When it was made, in Unix seconds.
    pub created: i64,
}

/// See [`Private::Settings`]: what was set, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsPart {
    /// Name and value.
    pub set: std::collections::BTreeMap<String, String>,
}

impl Private {
    /// The instant at which something is to happen to it, in Unix seconds.
    pub fn due(&self) -> Option<i64> {
        match self {
            Self::Job(job) => Some(job.due),
            Self::Delivery(delivery) => delivery.due,
            Self::Answered(answered) => Some(answered.due),
            _ => None,
        }
    }
}
