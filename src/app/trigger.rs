//! Makes an event happen by the calls of its scenario.

use crate::app::checkout_browser::{Means, Typed};
use crate::app::context::Context;
use crate::app::control;
use crate::app::payment;
use crate::app::remote::Remote;
use crate::app::scenario::{self, Action, Scenario};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::stripe::Stripe;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked whether the event has happened, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS_MAX: usize = 40;

/// The kind of a test clock.
const CLOCK: &str = "test_helpers.test_clock";

/// What is asked for beside the scenario.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The object of yours that it is to happen to.
    pub on: Option<String>,
    /// Parameters that are to be otherwise.
    pub set: Vec<(String, String)>,
}

/// Plays a scenario; the id of the event that came of it.
pub async fn play(
    context: &Context,
    stripe: &Stripe,
    scenario: &'static Scenario,
    asked: &Asked,
) -> Result<Option<String>, Fault> {
    let kind = scenario.event();
    let before = newest(stripe, kind).await?;
    let now = json!({ "id": context.clock.now().0.to_string() });
    let mut known: BTreeMap<String, Value> = BTreeMap::from([("now".to_owned(), now)]);
    let mut actions: Vec<&Action> = scenario.actions.iter().collect();
    if let Some(id) = &asked.on {
        actions = begun(stripe, scenario, id, &mut known).await?;
    }
    let wanted = scenario::wanted_of(&asked.set, &actions);
    let player = Player { context, stripe, kind: scenario.kind };
    for (at, action) in actions.into_iter().enumerate() {
        let set = wanted.get(&at).map_or(&[][..], Vec::as_slice);
        let answer = player.act(action, &known, set).await?;
        if let Some(kind) = answer.get("object").and_then(Value::as_str) {
            known.insert(kind.to_owned(), answer);
        }
    }
    for _ in 0..LOOKS_MAX {
        let now = newest(stripe, kind).await?;
        if now.is_some() && now != before {
            return Ok(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

/// What is left to be done to an object that is there; it and what it refers to are known then.
async fn begun(
    stripe: &Stripe,
    scenario: &'static Scenario,
    id: &str,
    known: &mut BTreeMap<String, Value>,
) -> Result<Vec<&'static Action>, Fault> {
    let unfit = || {
        let command = format!("stripegym trigger {}", scenario.kind);
        control::bad_value(&command, "--on", id, &scenario.takes())
    };
    let (kind, path) = scenario::named(id).ok_or_else(unfit)?;
    let object = stripe.get(&format!("/v1{path}"), &Value::Null).await?;
    let references = scenario::references(&object);
    let mut kinds = vec![kind];
    kinds.extend(references.iter().map(|(kind, _)| *kind));
    for (kind, reference) in references {
        known.entry(kind.to_owned()).or_insert(reference);
    }
    known.insert(kind.to_owned(), object);
    let (on, left) = scenario.left(&kinds).ok_or_else(unfit)?;
    if on != kind
        && let Some(id) = known.get(on).and_then(|it| it.get("id")?.as_str())
        && let Some((_, path)) = scenario::named(id)
    {
        let object = stripe.get(&format!("/v1{path}"), &Value::Null).await?;
        for (kind, reference) in scenario::references(&object) {
            known.entry(kind.to_owned()).or_insert(reference);
        }
        known.insert(on.to_owned(), object);
    }
    Ok(left)
}

async fn newest(stripe: &Stripe, kind: &str) -> Result<Option<String>, Fault> {
    let list = stripe.get("/v1/events", &json!({ "type": kind, "limit": 1 })).await?;
    Ok(list.pointer("/data/0/id").and_then(Value::as_str).map(str::to_owned))
}

/// Who does it, and for which type.
#[derive(Clone, Copy, Debug)]
struct Player<'p> {
    context: &'p Context,
    stripe: &'p Stripe,
    kind: &'static str,
}

type Known = BTreeMap<String, Value>;

impl Player<'_> {
    async fn act(
        self,
        action: &Action,
        known: &Known,
        set: &[(String, String)],
    ) -> Result<Value, Fault> {
        match action {
            Action::Post(path, params) => {
                let mut params = scenario::params(&scenario::fill(params, known));
                for (path, value) in set {
                    scenario::put(&mut params, path, value);
                }
                self.call(Method::POST, &scenario::fill(path, known), &params).await
            }
            Action::Delete(path) => {
                self.call(Method::DELETE, &scenario::fill(path, known), &json!({})).await
            }
            Action::Newest(path, params) => {
                let params = scenario::params(&scenario::fill(params, known));
                let list = self.stripe.get(&format!("/v1{path}"), &params).await?;
                Ok(list.pointer("/data/0").cloned().unwrap_or_default())
            }
            Action::PayPage { card, email } => {
                let session = known.get("checkout.session").cloned().unwrap_or_default();
                let means = Means::read(card).unwrap_or(Means::Konbini);
                let locale = self.context.config.locale;
                payment::pay(&session, &means, &Typed::with_email(email), locale).await?;
                self.say("PAY", "/checkout/sessions", card);
                Ok(Value::Null)
            }
            Action::Until { of, at, more } => self.wait(known, (*of, *at, *more)).await,
            Action::Control(path) => self.control(&scenario::fill(path, known), &json!({})).await,
        }
    }

    /// Has time pass, where the object's customer has a test clock on it, and else in the sandbox's world.
    async fn wait(self, known: &Known, (of, at, more): (&str, &str, i64)) -> Result<Value, Fault> {
        let object = known.get(of).cloned().unwrap_or_default();
        let to = object.pointer(at).and_then(Value::as_i64).unwrap_or_default() + more;
        let id =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let clock = if of == CLOCK { id(&object, "id") } else { id(&object, "test_clock") };
        let Some(clock) = clock else {
            return self.control("clock/set", &json!({ "at": to.to_string() })).await;
        };
        let path = format!("/test_helpers/test_clocks/{clock}/advance");
        self.call(Method::POST, &path, &json!({ "frozen_time": to })).await
    }

    async fn control(self, path: &str, body: &Value) -> Result<Value, Fault> {
        let context = self.context;
        if context.config.mode == Mode::Stripe {
            let command = format!("stripegym trigger {}", self.kind);
            return Err(FaultKind::SandboxOnly { command }.into());
        }
        let remote = Remote::at(context, self.stripe.base())?;
        let answer = remote.in_world(Method::POST, path, body).await?;
        self.say("POST", &format!("/_stripegym/{path}"), "");
        Ok(answer)
    }

    async fn call(self, method: Method, path: &str, params: &Value) -> Result<Value, Fault> {
        let name = if method == Method::DELETE { "DELETE" } else { "POST" };
        let called = self.stripe.call(method, &format!("/v1{path}"), params).await;
        match called {
            Ok(object) => {
                self.say(name, path, object.get("id").and_then(Value::as_str).unwrap_or_default());
                Ok(object)
            }
            // A declined card is what some scenarios are for.
            Err(error) => match error.api().filter(|api| api.status == 402) {
                Some(api) => {
                    self.say(name, path, api.code.as_deref().unwrap_or_default());
                    Ok(Value::Null)
                }
                None => Err(error.into()),
            },
        }
    }

    fn say(self, method: &'static str, path: &str, answer: &str) {
        let (path, answer) = (path.to_owned(), answer.to_owned());
        self.context.notices.say(Notice::Called { method, path, answer });
    }
}
