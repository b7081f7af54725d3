//! `stripegym ledger show`: what was received, and what it comes to.

use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::entry::EntryStatus;
use crate::domain::fault::Fault;
use crate::domain::report::{Ledger, Report};
use crate::domain::time::Timestamp;
use crate::store::Filter;

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

/// Shows the wanted rows, oldest first.
pub fn run(context: &Context, options: LedgerOptions) -> Result<Report, Fault> {
    let LedgerOptions { status, since, limit, session } = options;
    let filter = &Filter { status, since, until: None, session, limit };
    let ledger = ledger_file::read(context)?;
    let fault = |error| ledger_file::fault(context, &error);
    let mut rows = ledger.rows(filter).map_err(fault)?;
    rows.reverse();
    let totals = ledger.totals(filter).map_err(fault)?;
    let all = ledger.totals(&Filter::default()).map_err(fault)?;
    Ok(Report::Ledger(Ledger {
        place: context.place(None),
        rows,
        totals,
        all: all.iter().map(|total| total.rows).sum(),
    }))
}
