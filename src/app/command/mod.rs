//! One file a command; none imports another. What several need stands one folder up.

pub mod cards;
pub mod checkout;
pub mod day0;
pub mod doctor;
pub mod events;
pub mod home;
pub mod ledger;
pub mod listen;
pub mod reconcile;
pub mod sandbox;
pub mod trigger;
