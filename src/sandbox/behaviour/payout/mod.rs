//! Payouts: money that leaves the balance for a bank account, by hand or by a schedule.
//!
//! `machine` knows the states, `schedule` makes the automatic ones,
//! `send` makes a payout and takes it to its end, `bank` knows where the money goes.

pub mod bank;
pub mod machine;
pub mod schedule;
pub mod send;

use crate::sandbox::behaviour::balance::schedule::NEXT_JOB;
use crate::sandbox::engine::txn::follow::Job;

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    Some(match name {
        NEXT_JOB => schedule::on_next,
        send::STEP_JOB => send::on_step,
        send::RECONCILE_JOB => send::on_reconciled,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
