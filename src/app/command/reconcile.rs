//! `stripegym reconcile`: does the ledger say what the provider says?

use crate::app::context::Context;
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::app::reconcile_run;
use crate::domain::fault::Fault;
use crate::domain::report::{Reconciled, Report};
use crate::domain::time::Timestamp;
use crate::stripe::calls::Window;

/// What is compared, and what is done about differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Only sessions created from this instant on.
    pub since: Option<Timestamp>,
    /// Only sessions created before this instant.
    pub until: Option<Timestamp>,
    /// Whether what the ledger lacks is replayed.
    pub fix: bool,
}

/// Compares; where it is wished replays what is lacking and compares again.
pub async fn run(context: &Context, wish: Wish) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, wish).await;
    provider.close().await;
    answer
}

async fn work(context: &Context, provider: &Provider, wish: Wish) -> Result<Report, Fault> {
    let window = Window { since: wish.since, until: wish.until };
    let file = LedgerFile::open(context).await?;
    let theirs = reconcile_run::ask(context, &provider.stripe, window).await?;
    let mut result = reconcile_run::compare(context, &file.ledger, window, &theirs).await?;
    let mut fixed = None;
    if wish.fix {
        fixed = Some(reconcile_run::repair(context, &file, &result, &theirs).await?);
        result = reconcile_run::compare(context, &file.ledger, window, &theirs).await?;
    }
    let place = context.place(Some(provider.base()));
    Ok(Report::Reconciled(Reconciled { place, result, fixed }))
}
