//! What the catalog cannot know: transitions, amounts, side effects, and the events that tell of them.
//!
//! `object` has one file a Stripe object with its endpoints, and stands above all others; `payment`, `saved`, `setup`,
//! `checkout`, `billing`, `connect`, `dispute`, `payout`, `portal` and `report` are what concerns several objects; the rest is what
//! these share. Who may know whom stands in ARCHITECTURE.md.

pub mod balance;
pub mod billing;
pub mod cards;
pub mod checkout;
pub mod connect;
pub mod dispute;
pub mod document;
pub mod due;
pub mod fees;
pub mod issuing;
pub mod object;
pub mod offer;
pub mod payment;
pub mod payout;
pub mod portal;
pub mod pricing;
pub mod report;
pub mod saved;
pub mod setup;
pub mod shipping;
pub mod tax;
pub mod tax_id;
pub mod total;

#[cfg(test)]
mod simulated_tests;
#[cfg(test)]
mod year_tests;
