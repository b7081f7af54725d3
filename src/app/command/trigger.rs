//! `stripegym trigger`: makes an event happen by the API calls that cause it, as any program could.

use crate::app::context::Context;
use crate::app::provider::Provider;
use crate::app::scenario::{self, table};
use crate::app::trigger::{self, Asked};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::report::Report;
use crate::sandbox::host;

/// The types that have a scenario.
pub fn list() -> Report {
    Report::Scenarios(table::ALL.iter().map(|scenario| scenario.kind).collect())
}

/// Plays the scenario of `kind`.
pub async fn run(context: &Context, kind: &str, asked: &Asked) -> Result<Report, Fault> {
    let Some(scenario) = scenario::find(kind) else {
        let known = table::ALL.iter().map(|scenario| scenario.kind.to_owned()).collect();
        let meant = host::meant(table::ALL.iter().map(|scenario| scenario.kind), kind);
        let meant = meant.map(str::to_owned);
        return Err(FaultKind::NoScenario { kind: kind.to_owned(), meant, known }.into());
    };
    if context.config.live || (context.config.mode == Mode::Stripe && scenario.needs_sandbox()) {
        return Err(FaultKind::SandboxOnly { command: format!("stripegym trigger {kind}") }.into());
    }
    let provider = Provider::connect(context).await?;
    let answer = trigger::play(context, &provider.stripe, scenario, asked).await;
    provider.close().await;
    Ok(Report::Triggered { kind: kind.to_owned(), event: answer? })
}
