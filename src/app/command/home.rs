//! `stripegym` without a command: where you are, which mode, what to type next.

use crate::app::context::Context;
use crate::app::course::library;
use crate::app::ledger_file;
use crate::domain::fault::Fault;
use crate::domain::mode::Mode;
use crate::domain::report::{Home, Report};
use crate::sandbox::host;
use crate::store::Filter;

/// Looks, and makes nothing.
pub async fn run(context: &Context) -> Result<Report, Fault> {
    let config = &context.config;
    let key = config.key.as_ref().map(|key| (key.masked(), config.key_origin.name()));
    let rows = if config.ledger_path().exists() {
        let totals = ledger_file::read(context)?.totals(&Filter::default());
        let totals = totals.map_err(|error| ledger_file::fault(context, &error))?;
        Some(totals.iter().map(|total| total.rows).sum())
    } else {
        None
    };
    let base = match (&config.api_base, config.mode) {
        (Some(base), _) => Some(base.clone()),
        (None, Mode::Sandbox) => host::find(&config.home).await,
        (None, Mode::Stripe) => None,
    };
    let first = library().ids().into_iter().next();
    Ok(Report::Home(Home { place: context.place(base.as_deref()), key, rows, first }))
}
