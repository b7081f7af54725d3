//! Checkout: how a session is made, paid, settled and ended, and the objects that it brings along.
//!
//! `validate` and `create` make a session, `lines`, `discount` and `sums` say what it costs, `choose` is
//! what the buyer changes of that, `attempt` pays it, `setup` saves a method instead, `finish` completes it (`invoice`
//! writes it down), `expire` ends it. The pages and the endpoints both call these.

pub mod attempt;
pub mod choose;
pub mod create;
pub mod defaults;
pub mod discount;
pub mod expire;
pub mod finish;
pub mod inline;
pub mod invoice;
pub mod lines;
pub mod recover;
pub mod setup;
pub mod subscribe;
pub mod sums;
pub mod update;
pub mod validate;

use crate::sandbox::engine::txn::follow::Job;
use crate::wire::failure::{Failure, FailureKind};

/// The name under which sessions are stored.
pub const SESSION: &str = "checkout.session";

/// What the sandbox does not model yet, said so that nobody takes it for Stripe's answer.
pub fn not_modelled(what: &str) -> Failure {
    let text = format!("The sandbox does not model {what} yet; Stripe itself would accept this.");
    Failure::of(501, FailureKind::Api, text)
}

/// The job of that name: a session expires, a delayed payment settles.
pub fn job(name: &str) -> Option<Job> {
    Some(match name {
        expire::JOB => expire::on_due,
        finish::JOB => finish::on_due,
        _ => return None,
    })
}

#[cfg(test)]
mod selling_tests;

#[cfg(test)]
mod tests;
