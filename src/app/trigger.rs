//! Makes an event happen by the calls of its scenario.

use crate::app::checkout_browser::{Means, Typed};
use crate::app::context::Context;
use crate::app::payment;
use crate::app::scenario::{self, Action, Scenario};
use crate::domain::fault::Fault;
use crate::domain::notice::Notice;
use crate::stripe::Stripe;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked whether the event has happened, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS_MAX: usize = 40;

/// Plays a scenario; the id of the event that came of it.
pub async fn play(
    context: &Context,
    stripe: &Stripe,
    scenario: &Scenario,
) -> Result<Option<String>, Fault> {
    let before = newest(stripe, scenario.kind).await?;
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for action in scenario.actions {
        let answer = act(context, stripe, action, &known).await?;
        if let Some(kind) = answer.get("object").and_then(Value::as_str) {
            known.insert(kind.to_owned(), answer);
        }
    }
    for _ in 0..LOOKS_MAX {
        let now = newest(stripe, scenario.kind).await?;
        if now.is_some() && now != before {
            return Ok(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

async fn newest(stripe: &Stripe, kind: &str) -> Result<Option<String>, Fault> {
    let list = stripe.get("/v1/events", &json!({ "type": kind, "limit": 1 })).await?;
    Ok(list.pointer("/data/0/id").and_then(Value::as_str).map(str::to_owned))
}

async fn act(
    context: &Context,
    stripe: &Stripe,
    action: &Action,
    known: &BTreeMap<String, Value>,
) -> Result<Value, Fault> {
    let (method, path, params) = match action {
        Action::Post(path, params) => (Method::POST, path, params),
        Action::Delete(path) => (Method::DELETE, path, &""),
        Action::PayPage { card, email } => {
            let session = known.get("checkout.session").cloned().unwrap_or_default();
            let means = Means::read(card).unwrap_or(Means::Konbini);
            payment::pay(&session, &means, &Typed::with_email(email), context.config.locale)
                .await?;
            let answer = (*card).to_owned();
            let path = "/checkout/sessions".to_owned();
            context.notices.say(Notice::Called { method: "PAY", path, answer });
            return Ok(Value::Null);
        }
    };
    let path = scenario::fill(path, known);
    let params = scenario::params(&scenario::fill(params, known));
    let name = if method == Method::DELETE { "DELETE" } else { "POST" };
    let called = stripe.call(method, &format!("/v1{path}"), &params).await;
    let say = |answer: &str| {
        let notice = Notice::Called { method: name, path: path.clone(), answer: answer.to_owned() };
        context.notices.say(notice);
    };
    match called {
        Ok(object) => {
            say(object.get("id").and_then(Value::as_str).unwrap_or_default());
            Ok(object)
        }
        // A declined card is what some scenarios are for.
        Err(error) => match error.api().filter(|api| api.status == 402) {
            Some(api) => {
                say(api.code.as_deref().unwrap_or_default());
                Ok(Value::Null)
            }
            None => Err(error.into()),
        },
    }
}
