//! A payment provider, as the application sees it: whoever sends an event proves it, and an event states facts.

pub mod stripe;

use crate::domain::book::line::Source;
use crate::domain::event::Event;
use crate::domain::named::named;
use crate::domain::trade::fact::Fact;
use crate::shop::intake::IntakeError;
use hyper::HeaderMap;
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

/// A provider whose events are heard.
pub trait Provider: Send + Sync + fmt::Debug {
    /// Which one it is.
    fn name(&self) -> ProviderName;

    /// The event of a delivery whose sender is proven, and how that was.
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(Event, Source), IntakeError>;

    /// What an event states.
    fn interpret(&self, event: &Event) -> Vec<Fact>;
}
