//! Billing: subscriptions and what they owe.
//!
//! Pure are `period` (which time is billed), `proration` (what a part of it costs), `lifecycle` (which status allows
//! what) and `wording`. `items` and `line` say what is sold, `start` when it is billed first, `sums` what it comes to,
//! `invoice` and `money` ask for it and take it, `retry` tries again; `subscription`, `create`, `change` and `renew` are
//! a subscription's life.

pub mod added;
pub mod anchor;
#[cfg(test)]
mod asked_tests;
pub mod balance;
pub mod change;
pub mod clock;
pub mod create;
pub mod credit;
pub mod discount;
pub mod draft;
pub mod ending;
pub mod grant;
pub mod held;
pub mod hosted;
pub mod invoice;
pub mod items;
pub mod leaving;
#[cfg(test)]
mod life_tests;
pub mod lifecycle;
pub mod line;
#[cfg(test)]
mod mixed_tests;
pub mod money;
pub mod pausing;
pub mod period;
pub mod phase;
pub mod plan;
pub mod preview;
pub mod prorate;
pub mod proration;
pub mod quote;
#[cfg(test)]
mod quote_tests;
pub mod renew;
pub mod retry;
pub mod revision;
pub mod schedule;
#[cfg(test)]
mod schedule_tests;
pub mod scheduled;
#[cfg(test)]
mod shipped_tests;
pub mod split;
pub mod start;
pub mod subscription;
pub mod sums;
pub mod supposed;
pub mod swap;
pub mod sweep;
pub mod threshold;
#[cfg(test)]
mod threshold_tests;
pub mod told;
pub mod totals;
pub mod trial;
pub mod usage;
#[cfg(test)]
mod usage_tests;
pub mod wording;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ways_tests;
#[cfg(test)]
mod years_tests;

use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::Job;

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    Some(match name {
        clock::ADVANCE_JOB => clock::on_advance,
        draft::ADVANCE_JOB => draft::on_due,
        draft::OVERDUE_JOB => draft::on_overdue,
        preview::UPCOMING_JOB => preview::on_upcoming,
        renew::RENEW_JOB => renew::on_due,
        renew::CANCEL_JOB => renew::on_cancel,
        renew::EXPIRE_JOB => renew::on_expire,
        renew::RESUME_JOB => renew::on_resume,
        retry::RETRY_JOB => retry::on_due,
        grant::LAPSE_JOB => grant::on_lapse,
        held::EXPIRE_JOB => held::on_expire,
        quote::EXPIRE_JOB => quote::on_expire,
        schedule::NOTICE_JOB => schedule::on_notice,
        sweep::JOB => sweep::on_due,
        schedule::TURN_JOB => schedule::on_turn,
        trial::NOTICE_JOB => trial::on_notice,
        _ => return None,
    })
}

/// Does something in the time of a customer: its test clock's, where it has one.
pub fn on_clock_of<R>(
    txn: &mut Txn<'_>,
    customer: &str,
    work: impl FnOnce(&mut Txn<'_>) -> R,
) -> R {
    let clock = txn.get("customer", customer).map(|it| text(&it, "test_clock").to_owned());
    txn.on_clock(clock.as_deref(), work)
}
