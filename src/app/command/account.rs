//! `stripegym sandbox account`: what the owner of the account has set in a running sandbox.

use crate::app::context::Context;
use crate::app::remote::Remote;
use crate::domain::fault::Fault;
use crate::domain::report::Report;
use reqwest::Method;
use serde_json::{Value, json};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountAction {
    /// The settings.
    Show,
    /// Some of them changed.
    Set(Vec<(String, String)>),
}

/// Does what is wanted.
pub async fn run(context: &Context, action: &AccountAction) -> Result<Report, Fault> {
    let remote = Remote::connect(context, "stripegym sandbox account").await?;
    let answer = match action {
        AccountAction::Show => remote.in_world(Method::GET, "account", &Value::Null).await?,
        AccountAction::Set(pairs) => {
            let body = pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            remote.in_world(Method::POST, "account", &Value::Object(body)).await?
        }
    };
    Ok(Report::Control(answer))
}
