//! `stripegym sandbox keys`: restricted keys of a running sandbox.

use crate::app::context::Context;
use crate::app::remote::{Remote, segment};
use crate::domain::fault::Fault;
use crate::domain::report::Report;
use reqwest::Method;
use serde_json::{Value, json};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAction {
    /// A new one that may do this.
    Create(String),
    /// All of them.
    List,
    /// One, removed.
    Delete(String),
}

/// Does what is wanted.
pub async fn run(context: &Context, action: &KeysAction) -> Result<Report, Fault> {
    let remote = Remote::connect(context, "stripegym sandbox keys").await?;
    let answer = match action {
        KeysAction::Create(allow) => {
            remote.in_world(Method::POST, "keys", &json!({ "allow": allow })).await?
        }
        KeysAction::List => remote.in_world(Method::GET, "keys", &Value::Null).await?,
        KeysAction::Delete(key) => {
            let path = format!("keys/{}", segment(key));
            remote.in_world(Method::DELETE, &path, &Value::Null).await?
        }
    };
    Ok(Report::Control(answer))
}
