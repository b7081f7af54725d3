//! `stripegym reconcile`: does the ledger say what the provider says?

use crate::app::context::Context;
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::app::settlement;
use crate::domain::fault::Fault;
use crate::domain::report::{Reconciled, Report};
use crate::stripe::calls::Window;

/// Compares; with `fix` replays what differs and compares again.
pub async fn run(context: &Context, window: Window, fix: bool) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, window, fix).await;
    provider.close().await;
    answer
}

async fn work(
    context: &Context,
    provider: &Provider,
    window: Window,
    fix: bool,
) -> Result<Report, Fault> {
    let file = LedgerFile::open(context)?;
    let theirs = settlement::ask(context, &provider.stripe, window).await?;
    let mut result = settlement::compare(context, &file.ledger, window, &theirs)?;
    let mut fixed = None;
    if fix {
        fixed = Some(settlement::repair(context, &file, &result, &theirs).await?);
        result = settlement::compare(context, &file.ledger, window, &theirs)?;
    }
    let place = context.place(Some(provider.base()));
    Ok(Report::Reconciled(Reconciled { place, result, fixed }))
}
