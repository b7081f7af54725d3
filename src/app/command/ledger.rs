//! `stripegym ledger show`: what was received, and what it comes to.

use crate::app::context::Context;
use crate::app::ledger_file;
use crate::app::parts::{Parts, hand_on};
use crate::domain::entry::EntryStatus;
use crate::domain::fault::Fault;
use crate::domain::report::{Disputed, Ledger, LedgerRow, Report};
use crate::domain::time::Timestamp;
use crate::store::{Each, Filter};
use std::sync::Arc;

/// How many rows a person reads; that there are more is said below them.
pub const ROWS_READ: u32 = 1_000;

/// Which rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerOptions {
    /// Only rows of this status.
    pub status: Option<EntryStatus>,
    /// Only sessions created from this instant on.
    pub since: Option<Timestamp>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
    /// Only this session.
    pub session: Option<String>,
}

/// Shows the wanted rows, oldest first; rows of any number go to `parts`, where there is somewhere to go.
pub fn run(
    context: &Context,
    options: LedgerOptions,
    parts: Option<Parts>,
) -> Result<Report, Fault> {
    let LedgerOptions { status, since, limit, session } = options;
    let filter = &Filter { status, since, until: None, session, limit };
    let ledger = ledger_file::read(context)?;
    let fault = |error| ledger_file::fault(context, &error);
    let totals = ledger.totals(filter).map_err(fault)?;
    let all = ledger.totals(&Filter::default()).map_err(fault)?;
    let all: u64 = all.iter().map(|total| total.rows).sum();
    let report = |rows, totals, disputes: &Arc<_>| {
        let (place, disputes) = (context.place(None), Arc::clone(disputes));
        Report::Ledger(Ledger { place, rows, disputes, totals, all })
    };
    if let Some(parts) = parts {
        let disputes = ledger.disputes().map_err(fault)?.into_iter();
        let disputes =
            disputes.map(|(intent, it)| (intent, Disputed { amount: it.amount, fee: it.fee }));
        let disputes = Arc::new(disputes.collect());
        let part = |some: &[LedgerRow]| report(some.to_vec(), Vec::new(), &disputes);
        let read = |each: Each<'_, LedgerRow>| ledger.each_row(filter, each);
        return hand_on(context, parts, &report(Vec::new(), totals, &disputes), part, read);
    }
    let mut rows = ledger.rows(filter).map_err(fault)?;
    rows.reverse();
    Ok(report(rows, totals, &Arc::default()))
}
