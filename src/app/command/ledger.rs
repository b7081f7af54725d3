//! `stripegym ledger show`: what was received, and what it comes to.

use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::fault::Fault;
use crate::domain::report::{Ledger, Report};
use crate::store::Filter;

/// Shows the rows that `filter` asks for, oldest first.
pub fn run(context: &Context, filter: &Filter) -> Result<Report, Fault> {
    let ledger = ledger_file::read(context)?;
    let fault = |error| ledger_file::fault(context, &error);
    let mut rows = ledger.rows(filter).map_err(fault)?;
    rows.reverse();
    let totals = ledger.totals(filter).map_err(fault)?;
    let all = ledger.totals(&Filter::default()).map_err(fault)?;
    Ok(Report::Ledger(Ledger {
        place: context.place(None),
        rows: rows.iter().map(ledger_file::row).collect(),
        totals: totals.iter().map(ledger_file::total).collect(),
        all: all.iter().map(|total| total.rows).sum(),
    }))
}
