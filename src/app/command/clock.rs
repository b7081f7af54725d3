//! `stripegym clock`: the clock of a running sandbox, or of one of its worlds.

use crate::app::context::Context;
use crate::app::remote::Remote;
use crate::domain::fault::Fault;
use crate::domain::report::Report;
use reqwest::Method;
use serde_json::{Value, json};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockAction {
    /// What time it is.
    Show,
    /// That much later.
    Advance(String),
    /// That instant.
    Set(String),
}

/// Does what is wanted.
pub async fn run(context: &Context, action: &ClockAction) -> Result<Report, Fault> {
    let remote = Remote::connect(context, "stripegym clock").await?;
    let answer = match action {
        ClockAction::Show => remote.in_world(Method::GET, "clock", &Value::Null).await?,
        ClockAction::Advance(by) => {
            remote.in_world(Method::POST, "clock/advance", &json!({ "by": by })).await?
        }
        ClockAction::Set(at) => {
            remote.in_world(Method::POST, "clock/set", &json!({ "at": at })).await?
        }
    };
    Ok(Report::Control(answer))
}
