//! Planned work: what is due is done, soonest first.

use crate::domain::time::Timestamp;
use crate::sandbox::engine::private::Job;
use crate::sandbox::engine::state::Scope;
use crate::sandbox::engine::txn::Txn;
use std::sync::Arc;

/// Jobs that are run, and answers that are forgotten, in one change.
pub const BATCH_MAX: usize = 256;

/// Runs up to [`BATCH_MAX`] jobs of the transaction's timeline that are due at `until`, soonest first over
/// these accounts: each at its own instant, or now where that is past. Returns the instant of the last.
pub fn run_some(txn: &mut Txn<'_>, accounts: &[Scope], until: Timestamp) -> Option<Timestamp> {
    let mut last = None;
    for _ in 0..BATCH_MAX {
        let Some((account, id, job)) = soonest(txn, accounts, until) else { break };
        let at = Timestamp(job.due).max(txn.now());
        txn.in_account(&account, |txn| {
            txn.at_instant(at, |txn| {
                txn.unschedule(&id);
                if let Some(run) = (txn.site().behaviour.job)(&job.name) {
                    run(txn, &job.args);
                } else {
                    tracing::warn!(job = job.name, "a planned job has no behaviour");
                }
            });
        });
        last = Some(at);
    }
    last
}

/// Has everything happen that is due in this account by now, as part of this change: the loop that does so may not
/// have come to it yet, and what is asked here depends on it.
pub fn catch_up(txn: &mut Txn<'_>) {
    let (own, now) = ([txn.scope().clone()], txn.now());
    txn.by_itself(|txn| while run_some(txn, &own, now).is_some() {});
}

/// The next job: looked for anew each time, as an earlier one may take a later one back.
fn soonest(
    txn: &Txn<'_>,
    accounts: &[Scope],
    until: Timestamp,
) -> Option<(Arc<str>, Arc<str>, Job)> {
    let first = |scope: &Scope| {
        let due = txn.state().table(scope, txn.job_kind())?.due(until.0);
        let mut jobs = due.filter_map(|stored| Some((stored.part::<Job>()?, stored)));
        let (job, stored) = jobs.find(|(job, _)| job.test_clock.as_deref() == txn.timeline())?;
        let found = (Arc::clone(&scope.account), Arc::clone(&stored.id), job.clone());
        Some(((job.due, stored.seq), found))
    };
    accounts.iter().filter_map(first).min_by_key(|(order, _)| *order).map(|(_, found)| found)
}
