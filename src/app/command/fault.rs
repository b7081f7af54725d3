//! `stripegym sandbox fault`: lets the next requests of a running sandbox fail, for a client's retries.

use crate::app::context::Context;
use crate::app::control::{Control, bad_value};
use crate::domain::fault::Fault;
use crate::domain::report::Report;
use crate::domain::request::{FaultRow, Told};
use crate::sandbox::fault::{Rule, RuleError};
use reqwest::Method;
use serde_json::Value;

/// What is wanted of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// One more.
    Add {
        /// Which requests: `POST /v1/payment_intents`.
        on: String,
        /// What they get: `429`.
        answer: String,
        /// How many of them.
        times: u32,
    },
    /// All of them.
    List,
    /// None any more.
    Clear,
}

/// Does what is wanted.
pub async fn run(context: &Context, action: &FaultAction) -> Result<Report, Fault> {
    let command = "stripegym sandbox fault";
    if let FaultAction::Add { on, answer, times } = action
        && Rule::read(on, answer, &times.to_string()) == Err(RuleError::Request)
    {
        let expected = "POST /v1/payment_intents, GET /v1/customers/{id}, '* /v1/*'";
        return Err(bad_value("stripegym sandbox fault add", "--on", on, expected).into());
    }
    let control = Control::find(context, command).await?;
    let told = match action {
        FaultAction::Add { on, answer, times } => {
            let params =
                [("on", on.clone()), ("answer", answer.clone()), ("times", times.to_string())];
            let added = control.call(Method::POST, "faults", &params).await?;
            Told::FaultAdded(row(&added.unwrap_or_default()))
        }
        FaultAction::List => {
            let list = control.call(Method::GET, "faults", &[]).await?.unwrap_or_default();
            let rules = list.get("faults").and_then(Value::as_array);
            Told::Faults(rules.into_iter().flatten().map(row).collect())
        }
        FaultAction::Clear => {
            let done = control.call(Method::DELETE, "faults", &[]).await?;
            Told::FaultsCleared(number(&done.unwrap_or_default(), "cleared"))
        }
    };
    Ok(Report::Told(told))
}

fn row(rule: &Value) -> FaultRow {
    FaultRow {
        on: rule["on"].as_str().unwrap_or_default().to_owned(),
        answer: rule["answer"].as_str().unwrap_or_default().to_owned(),
        times: number(rule, "times"),
        used: number(rule, "used"),
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}
