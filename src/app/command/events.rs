//! `stripegym events`: what happened at the provider.

use crate::app::context::Context;
use crate::app::provider::Provider;
use crate::domain::event::EventRow;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::domain::time::Timestamp;
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// What is wanted of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventsAction {
    /// The newest ones.
    List {
        /// Only of this type.
        kind: Option<String>,
        /// At most this many.
        limit: u32,
    },
    /// One, whole.
    Show(String),
    /// One, delivered again.
    Resend(String),
}

/// Does what is wanted.
pub async fn run(context: &Context, action: &EventsAction) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(&provider.stripe, action).await;
    provider.close().await;
    answer
}

async fn work(stripe: &Stripe, action: &EventsAction) -> Result<Report, Fault> {
    match action {
        EventsAction::List { kind, limit } => {
            let mut params = json!({ "limit": limit });
            if let (Some(kind), Some(map)) = (kind, params.as_object_mut()) {
                map.insert("type".to_owned(), json!(kind));
            }
            let list = stripe.get("/v1/events", &params).await?;
            let data = list.get("data").and_then(Value::as_array);
            Ok(Report::Events(data.into_iter().flatten().map(row).collect()))
        }
        EventsAction::Show(id) => {
            let event = stripe.event(id).await.map_err(|error| missing(error, id))?;
            Ok(Report::Object(format!("{event:#}")))
        }
        EventsAction::Resend(id) => {
            let event = stripe.event(id).await.map_err(|error| missing(error, id))?;
            let kind = row(&event).kind;
            stripe.post(&format!("/v1/events/{id}/retry"), &json!({})).await?;
            let endpoints = stripe.webhook_endpoints().rest().await?;
            let endpoints = endpoints.iter().filter(|endpoint| wants(endpoint, &kind)).count();
            Ok(Report::Resent { event: id.clone(), kind, endpoints })
        }
    }
}

/// Whether an endpoint is told of events of a type.
fn wants(endpoint: &Value, kind: &str) -> bool {
    let named = endpoint.get("enabled_events").and_then(Value::as_array).into_iter().flatten();
    let is_open = endpoint.get("status").and_then(Value::as_str) == Some("enabled");
    is_open && named.filter_map(Value::as_str).any(|wanted| wanted == "*" || wanted == kind)
}

fn missing(error: crate::stripe::failure::Error, id: &str) -> Fault {
    if error.is_missing() {
        return Fault::because(FaultKind::NotFound { what: format!("event `{id}`") }, error);
    }
    error.into()
}

fn row(event: &Value) -> EventRow {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str);
    let number = |path: &str| event.pointer(path).and_then(Value::as_i64).unwrap_or_default();
    EventRow {
        id: text("/id").unwrap_or_default().to_owned(),
        kind: text("/type").unwrap_or_default().to_owned(),
        created: Timestamp(number("/created")),
        object: text("/data/object/id").map(str::to_owned),
        pending: number("/pending_webhooks"),
    }
}
