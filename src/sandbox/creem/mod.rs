//! An offline Creem: a second provider, whose API, pages and webhooks stand beside Stripe's on the same port.
//!
//! Its objects stand in an account of their own in each world, so that they keep the world's clock, its file and its
//! snapshots, and no name of theirs meets one of Stripe's. `api` is the way of a request, `table` says what there is
//! to call, one file an object answers it, `renewal` is what happens when time passes, `page` is what a payer meets.

pub mod api;
pub mod change;
pub mod check;
pub mod checkout;
pub mod control;
pub mod customer;
pub mod discount;
pub mod document;
pub mod licence;
pub mod money;
pub mod page;
pub mod pay;
pub mod product;
pub mod renewal;
pub mod subscription;
pub mod table;
pub mod transaction;
pub mod webhook;

use crate::sandbox::behaviour::object;
use crate::sandbox::engine::txn::follow::Behaviour;

/// The account of a world in which Creem's objects stand.
pub const ACCOUNT: &str = "creem";

/// What every change of a sandbox can have done by name, Creem's work among it.
pub const BEHAVIOUR: Behaviour = Behaviour {
    job: |name| renewal::job(name).or_else(|| (object::BEHAVIOUR.job)(name)),
    follow: object::BEHAVIOUR.follow,
};

#[cfg(test)]
mod tests;
