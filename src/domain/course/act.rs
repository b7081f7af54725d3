//! What a lesson can do. One table holds one verb and, as `save`, the name under which its outcome is kept.
//! Texts may refer to what was kept: `$paid`, `$paid.id`, `$app.url`.

use crate::domain::course::mutate::Mutate;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Something that is done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Act {
    /// The name under which the outcome is kept.
    pub save: Option<String>,
    /// What is done.
    pub verb: Verb,
}

/// The verbs.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Sends a request.
    Http(Http),
    /// Finds the form, button or link of a page that leads to a route.
    Form(Form),
    /// Makes a Checkout Session.
    Checkout(Checkout),
    /// Fills in a hosted page.
    Pay(Pay),
    /// Ends an open session.
    Expire(OfSession),
    /// Plays the store or the bank of a delayed payment.
    Settle(Settle),
    /// Makes an event happen by the calls that cause it.
    Trigger(Trigger),
    /// Reads a session as it is now, its PaymentIntent and charge expanded.
    Session(OfSession),
    /// Reads the newest event of a type, about a session where one is named.
    Event(OfType),
    /// Calls the API.
    Api(Api),
    /// Signs an event and sends it straight to the application, changed as wished.
    Deliver(Deliver),
    /// Reads the record of an event's deliveries as it is now.
    Delivery(OfEvent),
    /// Rolls the signing secret: the application is given a second one, where it can be.
    Roll(Roll),
    /// Asks the provider to deliver an event again.
    Resend(Resend),
    /// Puts a fault between the provider and the application, for the next deliveries.
    Fault(Fault),
    /// Moves the provider's clock.
    Clock(Clock),
    /// Keeps the ledger as it is now.
    Mark(Nothing),
    /// Compares the ledger with the provider, for this run's sessions.
    Reconcile(Reconcile),
    /// Has every event that was never delivered delivered again.
    Recover(Nothing),
    /// Writes the project's documents from what is known, where they are missing.
    Document(Nothing),
    /// Runs the blocks of the project's README that are marked as runnable, in a clean folder.
    RunReadme(Nothing),
    /// Stops the application and starts it again.
    Restart(Restart),
    /// Pays money back.
    Refund(Refund),
    /// Lets the provider's API fail, and what the ledger is written to, until `mend`.
    Outage(Outage),
    /// Ends what `trouble` began.
    Mend(Nothing),
}

impl Verb {
    /// The word that lessons use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Form(_) => "form",
            Self::Checkout(_) => "checkout",
            Self::Pay(_) => "pay",
            Self::Expire(_) => "expire",
            Self::Settle(_) => "settle",
            Self::Trigger(_) => "trigger",
            Self::Session(_) => "session",
            Self::Event(_) => "event",
            Self::Api(_) => "api",
            Self::Deliver(_) => "deliver",
            Self::Delivery(_) => "delivery",
            Self::Roll(_) => "roll",
            Self::Resend(_) => "resend",
            Self::Fault(_) => "fault",
            Self::Clock(_) => "clock",
            Self::Mark(_) => "mark",
            Self::Reconcile(_) => "reconcile",
            Self::Recover(_) => "recover",
            Self::Document(_) => "document",
            Self::RunReadme(_) => "run_readme",
            Self::Restart(_) => "restart",
            Self::Refund(_) => "refund",
            Self::Outage(_) => "trouble",
            Self::Mend(_) => "mend",
        }
    }
}

/// A verb that needs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A request as a browser or a program sends it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// `GET` where nothing is said.
    #[serde(default = "get")]
    pub method: String,
    /// `$app.url/checkout`.
    pub url: String,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// So many bytes of `x` as the body.
    #[serde(default)]
    pub body_bytes: usize,
    /// How often; the requests follow one another.
    #[serde(default = "one")]
    pub times: usize,
}

/// What of a page leads to a route.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The name of a kept answer.
    pub of: String,
    /// The route, `/checkout`.
    pub to: String,
}

/// A verb about an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfEvent {
    /// `$event`.
    pub event: String,
}

/// How far a secret is rolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roll {
    /// Which secrets the application believes from now on.
    pub to: Rolled,
}

/// Which secrets are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rolled {
    /// The old and the new one.
    Both,
    /// The new one alone.
    New,
    /// The old one alone, as before.
    Old,
}

/// A session that is made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkout {
    /// `app`: by the application's own button; `api`: by the program, with the amount below.
    pub via: Via,
    /// Price in minor units, for `api`.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Currency of the amount, for `api`.
    #[serde(default)]
    pub currency: Option<String>,
    /// What is sent to the application, for `app`; may refer to something kept.
    #[serde(default)]
    pub form: String,
    /// Which of its routes makes the session, for `app`: `/cards`. The one of `/checkout` where left out.
    #[serde(default)]
    pub to: String,
    /// Whether the application may refuse with 4xx; then nothing is kept.
    #[serde(default)]
    pub may_refuse: bool,
    /// Further parameters of the session, for `api`: a discount, shipping, another mode.
    #[serde(default)]
    pub params: Value,
}

/// Who makes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The application.
    App,
    /// The program.
    Api,
}

/// How a hosted page is filled in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// `$paid`.
    pub session: String,
    /// A card's number, `decline`, `3ds`, `konbini`, `cancel`.
    pub with: String,
    /// The address that is typed.
    #[serde(default)]
    pub email: Option<String>,
    /// The expiry that is typed, `01 / 20`.
    #[serde(default)]
    pub expiry: Option<String>,
    /// The check number that is typed.
    #[serde(default)]
    pub cvc: Option<String>,
}

/// A verb about a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfSession {
    /// `$paid`.
    pub session: String,
}

/// How a delayed payment ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// `$konbini`.
    pub session: String,
    /// Whether the money came.
    pub outcome: PaymentResult,
}

/// Whether money came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentResult {
    /// It came.
    Succeeded,
    /// It did not.
    Failed,
}

/// An event that is made to happen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Which event is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfType {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The session that it is about.
    #[serde(default)]
    pub session: Option<String>,
}

/// A call of the API.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// `GET`, `POST` or `DELETE`.
    #[serde(default = "get")]
    pub method: String,
    /// `/v1/balance`.
    pub path: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Value,
}

/// An event that the program signs and sends itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// `$event`.
    pub event: String,
    /// How often.
    #[serde(default = "one")]
    pub times: usize,
    /// Whether all at once.
    #[serde(default)]
    pub parallel: bool,
    /// What follows the webhook's address, `/`.
    #[serde(default)]
    pub suffix: String,
    /// Further headers, as somebody else than the provider might send them.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What is changed.
    #[serde(default)]
    pub mutate: Mutate,
    /// Milliseconds after which no answer is waited for any more, where that is sooner than usual.
    #[serde(default)]
    pub patience_ms: Option<u64>,
}

/// An event that the provider delivers again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resend {
    /// `$event`.
    pub event: String,
    /// How often.
    #[serde(default = "one")]
    pub times: usize,
}

/// What the next deliveries meet instead of the application.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The status that they are answered with; 0 lets them through again.
    pub status: u16,
    /// How many; 0 is all from now on.
    #[serde(default)]
    pub times: usize,
}

/// How an application is started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether it is killed, so that it cannot finish what it has begun.
    #[serde(default)]
    pub kill: bool,
    /// The time zone that it finds in its environment.
    #[serde(default)]
    pub zone: Option<String>,
}

/// Money that is paid back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// `$paid`.
    pub session: String,
    /// In minor units; all that is left where nothing is said.
    #[serde(default)]
    pub amount: Option<i64>,
}

/// What fails behind the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Whether the provider's API answers 500.
    #[serde(default)]
    pub api: bool,
    /// Whether writes to the ledger's file fail.
    #[serde(default)]
    pub books: bool,
}

/// A move of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Seconds into the future.
    pub advance_s: u32,
}

/// What is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// Only these sessions; all of this run where none is named.
    #[serde(default)]
    pub sessions: Vec<String>,
}

fn get() -> String {
    "GET".to_owned()
}

const fn one() -> usize {
    1
}

/// An act as it is written: every verb is a key, and exactly one of them is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    save: Option<String>,
    http: Option<Http>,
    form: Option<Form>,
    checkout: Option<Checkout>,
    pay: Option<Pay>,
    expire: Option<OfSession>,
    settle: Option<Settle>,
    trigger: Option<Trigger>,
    session: Option<OfSession>,
    event: Option<OfType>,
    api: Option<Api>,
    deliver: Option<Deliver>,
    delivery: Option<OfEvent>,
    roll: Option<Roll>,
    resend: Option<Resend>,
    fault: Option<Fault>,
    clock: Option<Clock>,
    mark: Option<Nothing>,
    reconcile: Option<Reconcile>,
    recover: Option<Nothing>,
    document: Option<Nothing>,
    run_readme: Option<Nothing>,
    restart: Option<Restart>,
    refund: Option<Refund>,
    trouble: Option<Outage>,
    mend: Option<Nothing>,
}

impl TryFrom<Written> for Act {
    type Error = String;

    fn try_from(it: Written) -> Result<Self, String> {
        let verbs = [
            it.http.map(Verb::Http),
            it.form.map(Verb::Form),
            it.checkout.map(Verb::Checkout),
            it.pay.map(Verb::Pay),
            it.expire.map(Verb::Expire),
            it.settle.map(Verb::Settle),
            it.trigger.map(Verb::Trigger),
            it.session.map(Verb::Session),
            it.event.map(Verb::Event),
            it.api.map(Verb::Api),
            it.deliver.map(Verb::Deliver),
            it.delivery.map(Verb::Delivery),
            it.roll.map(Verb::Roll),
            it.resend.map(Verb::Resend),
            it.fault.map(Verb::Fault),
            it.clock.map(Verb::Clock),
            it.mark.map(Verb::Mark),
            it.reconcile.map(Verb::Reconcile),
            it.recover.map(Verb::Recover),
            it.document.map(Verb::Document),
            it.run_readme.map(Verb::RunReadme),
            it.restart.map(Verb::Restart),
            it.refund.map(Verb::Refund),
            it.trouble.map(Verb::Outage),
            it.mend.map(Verb::Mend),
        ];
        let mut verbs: Vec<Verb> = verbs.into_iter().flatten().collect();
        match (verbs.pop(), verbs.is_empty()) {
            (Some(verb), true) => Ok(Self { save: it.save, verb }),
            (None, _) => Err("an act without a verb".to_owned()),
            (Some(_), false) => Err("an act with more than one verb".to_owned()),
        }
    }
}
