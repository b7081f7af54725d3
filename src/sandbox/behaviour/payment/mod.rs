//! The payment machine: how an intent, its payment method, its charge, its refunds and the balance move together.
//!
//! `method` makes payment methods, `intent` opens and ends intents, `confirm` tries a payment,
//! `settle` finishes what takes time, `charge` writes down what happened and books it.

pub mod bank;
pub mod cash;
pub mod charge;
pub mod confirm;
pub mod confirmation;
pub mod direct;
pub mod intent;
pub mod method;
pub mod offer;
pub mod refund;
pub mod settle;
pub mod verification;

use crate::sandbox::engine::txn::follow::Job;

/// The payment machine's scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    Some(match name {
        charge::POST_JOB => charge::on_post,
        direct::HOLD_JOB => direct::on_hold_expired,
        intent::HOLD_JOB => intent::on_hold_expired,
        refund::END_JOB => refund::on_end,
        refund::REFERENCE_JOB => refund::on_reference,
        settle::SETTLE_JOB => settle::on_due,
        _ => return None,
    })
}

#[cfg(test)]
mod refund_tests;
#[cfg(test)]
mod tests;

#[cfg(test)]
mod means_tests;
