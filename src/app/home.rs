//! `stripegym` without a command: where you are, which mode, what to type next.

use crate::app::context::Context;
use crate::domain::fault::Fault;
use crate::domain::report::{Home, Report};

/// Looks and touches nothing.
pub fn run(context: &Context) -> Result<Report, Fault> {
    let config = &context.config;
    let key = config.key.as_ref().map(|key| (key.masked(), config.key_origin.name()));
    Ok(Report::Home(Home { place: context.place(None), key, rows: None }))
}
