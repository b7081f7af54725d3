//! Compares the ledger with the provider, and replays what the ledger lacks.

use crate::app::context::Context;
use crate::app::ledger_file::{self, LedgerFile};
use crate::domain::entry::Fact;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::reconcile::{ProviderSnapshot, Reconciliation, Record, reconcile};
use crate::domain::report::Fixed;
use crate::shop::gather::gather;
use crate::store::writer::{Change, Write};
use crate::store::{Filter, Ledger};
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use std::collections::HashSet;
use std::sync::Arc;

/// How many facts are written at once.
const FACTS_MAX: usize = 500;

/// Asks the provider for the sessions of `window` and the refunds since. What cannot be understood cannot be
/// compared, so that it is a failure and not a gap.
pub async fn ask(
    context: &Context,
    stripe: &Stripe,
    window: Window,
) -> Result<ProviderSnapshot, Fault> {
    let gathered = gather(stripe, window, context.clock.now()).await?;
    match gathered.unreadable.first() {
        None => Ok(gathered.provided),
        Some((id, error)) => Err(FaultKind::ProviderOdd { what: format!("{id}: {error}") }.into()),
    }
}

/// Compares what the ledger has of `window` with what the provider said.
pub async fn compare(
    context: &Context,
    ledger: &Arc<Ledger>,
    window: Window,
    theirs: &ProviderSnapshot,
) -> Result<Reconciliation, Fault> {
    let filter = Filter { since: window.since, until: window.until, ..Filter::default() };
    let ledger = Arc::clone(ledger);
    let rows = ledger_file::apart(move || ledger.rows(&filter)).await;
    let rows = rows.map_err(|error| ledger_file::fault(context, &error))?;
    let ours: Vec<Record> = rows.into_iter().map(|row| row.record).collect();
    Ok(reconcile(ours, theirs.records()))
}

/// Replays what the ledger lacks through its own writer; what became of each session that differed.
pub async fn repair(
    context: &Context,
    file: &LedgerFile,
    found: &Reconciliation,
    theirs: &ProviderSnapshot,
) -> Result<Vec<Fixed>, Fault> {
    let facts = theirs.repairs(found);
    let mut changed = HashSet::new();
    for some in facts.chunks(FACTS_MAX) {
        let changes = write(context, file, some.to_vec()).await?;
        changed.extend(changes.into_iter().map(|change| change.session_id));
    }
    let fixed = found.differences().map(|line| Fixed {
        session: line.session_id.clone(),
        before: line.verdict.name().to_owned(),
        changed: changed.contains(&line.session_id),
    });
    Ok(fixed.collect())
}

async fn write(
    context: &Context,
    file: &LedgerFile,
    facts: Vec<Fact>,
) -> Result<Vec<Change>, Fault> {
    let path = || file.ledger.path().display().to_string();
    let ticket = file.batch.submit(Write::seen(facts, context.clock.now()));
    let ticket =
        ticket.map_err(|full| Fault::because(FaultKind::LedgerBusy { path: path() }, full))?;
    let accepted = ticket.await.map_err(|error| ledger_file::fault(context, &error))?;
    Ok(accepted.changes)
}
