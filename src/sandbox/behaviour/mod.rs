//! What the catalog cannot know: transitions, amounts, side effects, and the events that tell of them.
//!
//! `object` has one file a Stripe object with its endpoints; `payment`, `saved`, `setup`, `checkout`, `billing`, `connect`,
//! `dispute`, `payout` and `report` are what concerns several objects; the rest is what these share.

pub mod billing;
pub mod cards;
pub mod checkout;
pub mod connect;
pub mod dispute;
pub mod due;
pub mod fees;
pub mod issuing;
pub mod object;
pub mod offer;
pub mod payment;
pub mod payout;
pub mod pricing;
pub mod report;
pub mod saved;
pub mod setup;
pub mod tax;
pub mod total;

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod year_tests;
