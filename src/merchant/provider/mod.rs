//! A payment provider, as the application sees it: whoever sends an event proves it, and an event states facts.

mod back;
pub mod creem;
pub mod stripe;

use crate::domain::book::line::Source;
use crate::domain::event::Event;
use crate::domain::member::owned;
use crate::domain::named::named;
use crate::domain::trade::fact::Fact;
use crate::shop::intake::IntakeError;
use hyper::HeaderMap;
use serde_json::Value;
use std::fmt;

named! {
    /// The providers that the application knows by name.
    pub enum ProviderName {
        /// Stripe.
        Stripe = "stripe",
        /// Creem.
        Creem = "creem",
    }
}

impl ProviderName {
    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Stripe => "Stripe",
            Self::Creem => "Creem",
        }
    }
}

/// Whose event one of the journal is, and what it states.
pub fn interpret(event: &Event) -> (ProviderName, Vec<Fact>) {
    if event.is_creem() {
        (ProviderName::Creem, creem::of_event(event))
    } else {
        (ProviderName::Stripe, stripe::of_event(event))
    }
}

/// The id of an object that is named or comes along.
fn id_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    value.as_str().map(str::to_owned).or_else(|| owned(value, "id"))
}

fn number(of: &Value, name: &str) -> i64 {
    of.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// A provider whose events are heard.
pub trait Provider: Send + Sync + fmt::Debug {
    /// Which one it is.
    fn name(&self) -> ProviderName;

    /// The event of a delivery whose sender is proven, and how that was.
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(Event, Source), IntakeError>;

    /// What an event states.
    fn interpret(&self, event: &Event) -> Vec<Fact>;
}
