//! `stripegym sandbox worlds`: worlds of a running sandbox, made, emptied, put aside and put back.

use crate::app::context::Context;
use crate::app::remote::{Remote, segment};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldsAction {
    /// All of them.
    List,
    /// A new one.
    Create {
        /// Its name.
        name: String,
        /// The seed of its ids.
        seed: Option<u64>,
        /// Where its clock stands.
        now: Option<String>,
        /// A file with what it is filled with.
        objects: Option<PathBuf>,
    },
    /// One, emptied.
    Reset(String),
    /// One, removed.
    Delete(String),
    /// One, put aside under a label.
    Snapshot(String, Option<String>),
    /// One, as it was put aside.
    Restore(String, Option<String>),
}

/// Does what is wanted.
pub async fn run(context: &Context, action: &WorldsAction) -> Result<Report, Fault> {
    let remote = Remote::connect(context, "stripegym sandbox worlds").await?;
    let path = |name: &str| format!("worlds/{}", segment(name));
    let label = |label: &Option<String>| match label {
        Some(label) => json!({ "label": label }),
        None => json!({}),
    };
    let answer = match action {
        WorldsAction::List => remote.call(Method::GET, "worlds", &Value::Null).await?,
        WorldsAction::Create { name, seed, now, objects } => {
            let mut body = json!({});
            if let Some(body) = body.as_object_mut() {
                let seed = seed.map(|seed| ("seed", json!(seed)));
                let now = now.as_ref().map(|now| ("now", json!(now)));
                let objects = match objects {
                    Some(file) => Some(("objects", read(file)?)),
                    None => None,
                };
                let sent = [seed, now, objects].into_iter().flatten();
                body.extend(sent.map(|(name, value)| (name.to_owned(), value)));
            }
            remote.call(Method::POST, &path(name), &body).await?
        }
        WorldsAction::Reset(name) => {
            remote.call(Method::POST, &format!("{}/reset", path(name)), &Value::Null).await?
        }
        WorldsAction::Delete(name) => {
            remote.call(Method::DELETE, &path(name), &Value::Null).await?
        }
        WorldsAction::Snapshot(name, wanted) => {
            remote.call(Method::POST, &format!("{}/snapshot", path(name)), &label(wanted)).await?
        }
        WorldsAction::Restore(name, wanted) => {
            remote.call(Method::POST, &format!("{}/restore", path(name)), &label(wanted)).await?
        }
    };
    Ok(Report::Control(answer))
}

/// The documents of a file: a JSON array.
fn read(file: &Path) -> Result<Value, Fault> {
    let problem = || FaultKind::File { path: file.display().to_string() };
    let text = std::fs::read_to_string(file).map_err(|error| Fault::because(problem(), error))?;
    serde_json::from_str(&text).map_err(|error| Fault::because(problem(), error))
}
