//! What the catalog cannot know: transitions, amounts, side effects, and the events that tell of them.
//!
//! `object` has one file a Stripe object with its endpoints; `payment`, `saved`, `setup` and `checkout` are what concerns
//! several objects; the rest is what these share.

pub mod cards;
pub mod checkout;
pub mod fees;
pub mod object;
pub mod offer;
pub mod payment;
pub mod pricing;
pub mod saved;
pub mod setup;
pub mod tax;
pub mod total;
