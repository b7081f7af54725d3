//! Automatic payouts: when funds become available, the next day of the schedule pays all of them out.
//!
//! The platform of a sandbox pays out by hand until `POST /v1/balance_settings` says otherwise (Stripe begins with a
//! day's rhythm): so that a balance which a test has filled stays there. A connected account has what its own
//! settings say, and is paid out only where it has a bank account.

use crate::sandbox::behaviour::balance::calendar::{Interval, weekday};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::txn::{Txn, mark};
use serde_json::{Value, json};

/// The job that makes the automatic payouts of a day.
pub const NEXT_JOB: &str = "payout.next";

/// The rhythm of the account that a change is about.
pub fn interval(txn: &Txn<'_>) -> Interval {
    let own = txn.get("balance_settings", "");
    let schedule = own.as_deref().and_then(|it| it.pointer("/payments/payouts/schedule").cloned());
    let account = &txn.scope().account;
    let of_account = || {
        if account.is_empty() {
            return None;
        }
        let account = txn.at("").get("account", account)?;
        account.pointer("/settings/payouts/schedule").cloned()
    };
    read(&schedule.or_else(of_account).unwrap_or_default())
}

fn read(schedule: &Value) -> Interval {
    let several = |name: &str| schedule.get(name).and_then(Value::as_array).cloned();
    match text(schedule, "interval") {
        "daily" => Interval::Daily,
        "weekly" => {
            let named = several("weekly_payout_days").unwrap_or_default();
            let anchor = schedule.get("weekly_anchor").cloned();
            let days = named.iter().chain(&anchor).filter_map(|it| weekday(it.as_str()?));
            let days: Vec<i64> = days.collect();
            Interval::Weekly(if days.is_empty() { vec![0] } else { days })
        }
        "monthly" => {
            let named = several("monthly_payout_days").unwrap_or_default();
            let anchor = schedule.get("monthly_anchor").cloned();
            let days: Vec<i64> = named.iter().chain(&anchor).filter_map(Value::as_i64).collect();
            Interval::Monthly(if days.is_empty() { vec![1] } else { days })
        }
        _ => Interval::Manual,
    }
}

/// Plans the next automatic payout, unless one is planned or none are made.
pub fn plan(txn: &mut Txn<'_>) {
    if txn.stored("_mark", NEXT_JOB).is_some() {
        return;
    }
    let Some(due) = interval(txn).next(txn.world_now()) else { return };
    txn.off_timeline(|txn| {
        txn.put(mark(NEXT_JOB));
        txn.schedule(due, NEXT_JOB, &json!({}));
    });
}
