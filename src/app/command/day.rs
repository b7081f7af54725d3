//! `stripegym day1` … `day6`: a day of the course with the built-in shop.

use crate::app::context::Context;
use crate::app::course::app_env;
use crate::app::course::{self, RunOptions};
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::report::Report;

/// Runs the day `id` as wished.
pub async fn run(context: &Context, id: &str, options: &RunOptions) -> Result<Report, Fault> {
    if options.print_env {
        app_env::print(context, &options.candidate).await?;
        return Ok(Report::Silent);
    }
    let lesson = course::lesson(context, id)?;
    if options.wants(course::Beat::Read) {
        course::open(context, &lesson, options);
    }
    if !options.needs_stage() {
        return Ok(Report::Silent);
    }
    if context.config.mode == Mode::Stripe {
        return Err(FaultKind::SandboxOnly { command: format!("stripegym {id}") }.into());
    }
    let provider = Provider::connect(context).await?;
    let played = course::play(context, &provider, &lesson, options).await;
    provider.close().await;
    Ok(Report::Day(Box::new(played?)))
}
