//! Disputes and what warns of them: how one begins, what evidence does to it, how it ends, and the money that
//! moves meanwhile.
//!
//! `machine` knows the states, `open` begins disputes, `evidence` reads what is held against them, `course`
//! takes them from state to state. `warning` and `review` are the bank's and the merchant's doubts before that.

pub mod course;
pub mod evidence;
pub mod machine;
pub mod open;
pub mod review;
pub mod warning;

use crate::sandbox::engine::txn::follow::Job;

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    Some(match name {
        course::DECIDE_JOB => course::on_decided,
        course::DEADLINE_JOB => course::on_deadline,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
