//! What a lesson can do. One table holds one verb and, as `save`, the name under which its outcome is kept.
//! Texts may refer to what was kept: `$paid`, `$paid.id`, `$app.url`.

use crate::domain::course::mutate::Mutate;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Something that is done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Act {
    /// The name under which the outcome is kept.
    pub save: Option<String>,
    /// The verb's own word.
    pub word: String,
    /// What is done.
    pub verb: Verb,
}

impl TryFrom<Map<String, Value>> for Act {
    type Error = String;

    fn try_from(mut written: Map<String, Value>) -> Result<Self, String> {
        let save = match written.remove("save") {
            None => None,
            Some(Value::String(name)) => Some(name),
            Some(other) => return Err(format!("`save` is no name: {other}")),
        };
        let word = written.keys().next().cloned().ok_or("an act without a verb")?;
        let verb = serde_json::from_value(Value::Object(written));
        Ok(Self { save, word, verb: verb.map_err(|error| error.to_string())? })
    }
}

/// The verbs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Verb {
    /// Sends a request.
    Http(Http),
    /// Finds the form, button or link of a page that leads to a route.
    Form {
        /// The name of a kept answer.
        of: String,
        /// The route, `/checkout`.
        to: String,
    },
    /// Makes a Checkout Session.
    Checkout(Checkout),
    /// Fills in a hosted page.
    Pay(Pay),
    /// Ends an open session.
    Expire {
        /// `$paid`.
        session: String,
    },
    /// Plays the store or the bank of a delayed payment.
    Settle {
        /// `$konbini`.
        session: String,
        /// Whether the money came.
        outcome: PaymentResult,
    },
    /// Makes an event happen by the calls that cause it.
    Trigger {
        /// Its type.
        #[serde(rename = "type")]
        kind: String,
    },
    /// Reads a session as it is now, its PaymentIntent and charge expanded.
    Session {
        /// `$paid`.
        session: String,
    },
    /// Reads the newest event of a type, about a session where one is named.
    Event {
        /// Its type.
        #[serde(rename = "type")]
        kind: String,
        /// The session that it is about.
        session: Option<String>,
    },
    /// Calls the API.
    Api(Api),
    /// Signs an event and sends it straight to the application, changed as wished.
    Deliver(Deliver),
    /// Reads the record of an event's deliveries as it is now.
    Delivery {
        /// `$event`.
        event: String,
    },
    /// Rolls the signing secret: the application is given a second one, where it can be.
    Roll {
        /// Which secrets the application believes from now on.
        to: Rolled,
    },
    /// Has the application call the provider with a key that may do this and nothing else, until the check ends.
    Key {
        /// Rights, `checkout_sessions:write`: a list, or a text with commas between them.
        allow: Value,
    },
    /// Asks the provider to deliver an event again.
    Resend {
        /// `$event`.
        event: String,
        /// How often.
        #[serde(default = "one")]
        times: usize,
    },
    /// Puts a fault between the provider and the application, for the next deliveries.
    Fault {
        /// The status that they are answered with; 0 lets them through again.
        status: u16,
        /// How many; 0 is all from now on.
        #[serde(default)]
        times: usize,
    },
    /// Moves the provider's clock.
    Clock {
        /// Seconds into the future.
        advance_s: u32,
    },
    /// Keeps the ledger as it is now.
    Mark {},
    /// Compares the ledger with the provider, for this run's sessions.
    Reconcile {
        /// Only these sessions; all of this run where none is named.
        #[serde(default)]
        sessions: Vec<String>,
    },
    /// Has every event that was never delivered delivered again.
    Recover {},
    /// Writes the project's documents from what is known, where they are missing.
    Document {},
    /// Runs the blocks of the project's README that are marked as runnable, in a clean folder.
    RunReadme {},
    /// Stops the application and starts it again.
    Restart {
        /// Whether it is killed, so that it cannot finish what it has begun.
        #[serde(default)]
        kill: bool,
        /// The time zone that it finds in its environment.
        zone: Option<String>,
    },
    /// Pays money back.
    Refund {
        /// `$paid`.
        session: String,
        /// In minor units; all that is left where nothing is said.
        amount: Option<i64>,
    },
    /// Lets the provider's API fail, and what the ledger is written to, until `mend`.
    #[serde(rename = "trouble")]
    Outage(Outage),
    /// Ends what `trouble` began.
    Mend {},
    /// Does something at the second provider.
    Creem(AtCreem),
}

/// The verbs of the second provider.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AtCreem {
    /// Begins a purchase at Creem by the application's own button.
    Checkout(CreemCheckout),
    /// Calls Creem's API, or one of the sandbox's controls of it, and brings the application what Creem tells of it.
    Call(Api),
    /// Reads the newest event of Creem's of a type that the application was brought.
    Event {
        /// Its type: `checkout.completed`.
        #[serde(rename = "type")]
        kind: String,
        /// `$checkout`: what it is about.
        about: String,
    },
    /// Signs an event of either provider as Creem would, or wrongly, and sends it straight to the application.
    Deliver(CreemDeliver),
}

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
    pub amount: Option<i64>,
    /// Currency of the amount, for `api`.
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
    pub email: Option<String>,
    /// The expiry that is typed, `01 / 20`.
    pub expiry: Option<String>,
    /// The check number that is typed.
    pub cvc: Option<String>,
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
    pub patience_ms: Option<u64>,
}

/// A purchase at Creem.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreemCheckout {
    /// Which of the application's routes begins it: `/orders`.
    pub to: String,
    /// What is sent there; may refer to something kept.
    pub form: String,
}

/// An event that the program sends itself where Creem would.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreemDeliver {
    /// `$event`.
    pub event: String,
    /// How often.
    #[serde(default = "one")]
    pub times: usize,
    /// Whether each gets an id of its own.
    #[serde(default)]
    pub new_id: bool,
    /// How it is signed.
    #[serde(default)]
    pub signed: CreemSigned,
    /// Whether it goes where Stripe's events go.
    #[serde(default)]
    pub to_stripe: bool,
}

/// How a delivery of the second provider is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreemSigned {
    /// In Creem's way, with Creem's secret.
    #[default]
    Well,
    /// In Creem's way, with Stripe's secret.
    StripeSecret,
    /// In Stripe's way, with Stripe's secret.
    StripeWay,
    /// Not at all.
    Missing,
    /// In Creem's way; then a byte was changed.
    Tampered,
}

/// What fails behind the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outage {
    /// Whether the provider's API answers 500.
    pub api: bool,
    /// Whether writes to the ledger's file fail.
    pub books: bool,
}

fn get() -> String {
    "GET".to_owned()
}

const fn one() -> usize {
    1
}
