//! Billing: subscriptions and what they owe.
//!
//! Pure are `period` (which time is billed), `proration` (what a part of it costs), `lifecycle` (which status allows
//! what) and `wording`. `items` and `line` say what is sold, `sums` what it comes to, `invoice` and `money` ask for it
//! and take it, `retry` tries again; `subscription`, `create`, `change` and `renew` are a subscription's life.

pub mod added;
pub mod balance;
pub mod change;
pub mod clock;
pub mod create;
pub mod credit;
pub mod discount;
pub mod draft;
pub mod ending;
pub mod invoice;
pub mod items;
pub mod lifecycle;
pub mod line;
pub mod money;
pub mod pausing;
pub mod period;
pub mod plan;
pub mod preview;
pub mod prorate;
pub mod proration;
pub mod renew;
pub mod retry;
pub mod subscription;
pub mod sums;
pub mod swap;
pub mod told;
pub mod trial;
pub mod wording;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod years_tests;

use crate::sandbox::behaviour::object::{Job, text};
use crate::sandbox::engine::txn::Txn;

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
