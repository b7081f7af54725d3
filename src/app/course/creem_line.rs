//! What lessons do at a second provider, Creem, and the line by which the application hears of it: Creem keeps its events for
//! who fetches them; they are fetched, signed with the secret that the application has of Creem, and brought to it.

use crate::app::course::act_error::ActError;
use crate::app::course::exchanges::Answer;
use crate::app::course::lesson_run::LessonRun;
use crate::app::course::link_finder::led_to;
use crate::app::course::perform::{gathered, id, unanswered};
use crate::app::creem::sandbox_key;
use crate::app::remote::segment;
use crate::domain::course::act::{Api, AtCreem, CreemCheckout, CreemDeliver, CreemSigned};
use crate::domain::course::statement::Statement;
use crate::domain::creem;
use crate::domain::peek::Peek as _;
use crate::domain::secret::SigningSecret;
use crate::domain::signature;
use crate::shop::creem_api::Creem;
use crate::stripe::failure::Error;
use reqwest::Method;
use serde_json::{Value, json};

/// How the webhook of a run is named at Creem.
const MARK: &str = "stripegym course";
/// Where an application hears of Creem.
const PATH: &str = "/webhook/creem";
/// What Creem is told of an event that nobody took.
const NOBODY: u16 = 503;
/// How many events are fetched at once.
const PAGE: &str = "100";

/// The line from Creem to the application.
#[derive(Debug)]
pub struct CreemLine {
    api: Creem,
    webhook: String,
    secret: SigningSecret,
    /// What was brought, the oldest first.
    events: Vec<Value>,
}

impl CreemLine {
    /// Has Creem keep its events for this run.
    async fn open(run: &LessonRun<'_>) -> Result<Self, ActError> {
        let key = sandbox_key(run.provider.stripe.key());
        let secret = run.application.second_secret().cloned();
        let lacking = || ActError::mismatch("CREEM_API_KEY", "–");
        let (key, secret) = key.zip(secret).ok_or_else(lacking)?;
        let api = Creem::new(Some(run.provider.base()), key)?;
        // One run at a time grades in a folder: what a killed one left behind is nobody's.
        for old in api.all("/v1/webhooks").await? {
            if old.text("name") == MARK {
                api.delete(&format!("/v1/webhooks/{}", segment(old.text("id")))).await?;
            }
        }
        let asked = json!({ "delivery_mode": "cli", "name": MARK });
        let made = api.post("/v1/webhooks", &asked, None).await?;
        let webhook = format!("/v1/webhooks/{}", segment(made.text("id")));
        Ok(Self { api, webhook, secret, events: Vec::new() })
    }

    /// Has Creem keep nothing more.
    pub async fn close(self) {
        if let Err(error) = self.api.delete(&self.webhook).await {
            tracing::warn!(%error, "the webhook at Creem could not be removed");
        }
    }
}

/// Does an act at Creem.
pub async fn perform(
    run: &mut LessonRun<'_>,
    save: Option<&str>,
    act: &AtCreem,
) -> Result<Value, ActError> {
    match act {
        AtCreem::Checkout(it) => checkout(run, save, it).await,
        AtCreem::Call(it) => call(run, it).await,
        AtCreem::Event { kind, about } => event(run, kind, about),
        AtCreem::Deliver(it) => deliver(run, it).await,
    }
}

/// Begins a purchase at Creem by the application's own button: the checkout that its page is of.
async fn checkout(
    run: &mut LessonRun<'_>,
    name: Option<&str>,
    it: &CreemCheckout,
) -> Result<Value, ActError> {
    let mut line = taken(run).await?;
    let (url, _) = run.app();
    let request = run
        .http()
        .post(format!("{url}{}", it.to))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", &url)
        .body(run.vars.filled(&it.form)?);
    let answer = run.send(request).await;
    let found = match &answer {
        Ok(answer) => led_to(answer, "ch_"),
        Err(_) => None,
    };
    let shown = match &found {
        Some(id) => Some(line.api.get("/v1/checkouts", &[("checkout_id", id)]).await),
        None => None,
    };
    let brought = bring(run, &mut line).await;
    run.creem = Some(line);
    brought?;
    let answer = answer?;
    if let Some(name) = name {
        run.vars.keep(&format!("{name}_answer"), answer.json());
    }
    let lacking = || ActError::mismatch(Statement::ToPayment, Statement::answered(answer.status));
    Ok(shown.ok_or_else(lacking)??)
}

/// Calls Creem, or a control of the sandbox's, and brings on what Creem tells of it.
async fn call(run: &mut LessonRun<'_>, it: &Api) -> Result<Value, ActError> {
    let path = run.vars.filled(&it.path)?;
    let params = run.vars.resolved(&it.params, &it.path)?;
    let mut line = taken(run).await?;
    let called = if path.starts_with("/_stripegym/creem/") {
        run.control_post(&path, &form(&params)).await.map_err(ActError::from)
    } else {
        let method = Method::from_bytes(it.method.as_bytes()).unwrap_or(Method::GET);
        let called = if method == Method::GET {
            let pairs: Vec<(String, String)> = pairs(&params);
            let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            line.api.get(&path, &pairs).await
        } else {
            line.api.post(&path, &params, None).await
        };
        refusal(called).map_err(ActError::from)
    };
    let brought = bring(run, &mut line).await;
    run.creem = Some(line);
    brought?;
    called
}

/// What Creem refuses is an outcome as well.
fn refusal(called: Result<Value, Error>) -> Result<Value, Error> {
    match called {
        Ok(mut object) => {
            if let Some(map) = object.as_object_mut() {
                map.insert("http_status".to_owned(), json!(200));
            }
            Ok(object)
        }
        Err(Error::Api(error)) => {
            Ok(json!({ "http_status": error.status, "error": error.message }))
        }
        Err(error) => Err(error),
    }
}

/// The newest event of a type that is about something.
fn event(run: &LessonRun<'_>, kind: &str, about: &str) -> Result<Value, ActError> {
    let about = id(&run.vars, about)?;
    let events = run.creem.iter().flat_map(|line| &line.events).rev();
    let is_it = |event: &&Value| {
        let object = event.get("object");
        event.text("eventType") == kind && object.is_some_and(|it| it.text("id") == about)
    };
    let found = events.into_iter().find(is_it).cloned();
    found.ok_or_else(|| ActError::mismatch(Statement::Happens(kind.to_owned(), 1), "–"))
}

/// Sends an event straight to the application.
async fn deliver(run: &mut LessonRun<'_>, it: &CreemDeliver) -> Result<Value, ActError> {
    let event = run.vars.look_up(&it.event).cloned();
    let event = event.ok_or_else(|| ActError::unknown(&it.event))?;
    let line = taken(run).await?;
    let secret = line.secret.clone();
    run.creem = Some(line);
    let url = if it.to_stripe { run.app().1 } else { format!("{}{PATH}", run.app().0) };
    let mut answers = Vec::new();
    for at in 0..it.times {
        let mut event = event.clone();
        if it.new_id
            && let Some(id) = event.get_mut("id")
        {
            let salt = run.context.entropy.numbers("salt").next();
            *id = json!(format!("{}x{at}{salt:x}", id.as_str().unwrap_or("evt_")));
        }
        let body = format!("{event:#}");
        let signed = match it.signed {
            CreemSigned::Well | CreemSigned::Tampered => {
                Some(("creem-signature", creem::sign(&secret, body.as_bytes())))
            }
            CreemSigned::StripeSecret => {
                Some(("creem-signature", creem::sign(&run.secret, body.as_bytes())))
            }
            CreemSigned::StripeWay => {
                let header = signature::sign(&run.secret, run.app_now(), body.as_bytes());
                Some(("Stripe-Signature", header))
            }
            CreemSigned::Missing => None,
        };
        let body = if it.signed == CreemSigned::Tampered { format!("{body} ") } else { body };
        let mut request = run.http().post(&url).header("Content-Type", "application/json");
        if let Some((name, value)) = signed {
            request = request.header(name, value);
        }
        answers.push(unanswered(run.send(request.body(body)).await)?);
    }
    Ok(gathered(answers))
}

/// The line, opened where it is not yet; whoever takes it puts it back.
async fn taken(run: &mut LessonRun<'_>) -> Result<CreemLine, ActError> {
    match run.creem.take() {
        Some(line) => Ok(line),
        None => CreemLine::open(run).await,
    }
}

/// Brings the application what Creem keeps for it, and tells Creem how it was answered.
async fn bring(run: &LessonRun<'_>, line: &mut CreemLine) -> Result<(), ActError> {
    loop {
        let path = format!("{}/events/pending", line.webhook);
        let waiting = line.api.get(&path, &[("limit", PAGE)]).await?;
        let waiting = waiting.items("items");
        if waiting.is_empty() {
            return Ok(());
        }
        for it in waiting {
            let body = it.text("body").to_owned();
            let request = run
                .http()
                .post(format!("{}{PATH}", run.app().0))
                .header("Content-Type", "application/json")
                .header("creem-signature", creem::sign(&line.secret, body.as_bytes()))
                .body(body.clone());
            let status = match run.send(request).await {
                Ok(Answer { status, endless: false, .. }) if status >= 100 => status,
                _ => NOBODY,
            };
            let path = format!("{}/events/{}/ack", line.webhook, segment(it.text("id")));
            line.api.post(&path, &json!({ "status_code": status }), None).await?;
            line.events.extend(serde_json::from_str::<Value>(&body).ok());
        }
    }
}

fn pairs(params: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let map = params.as_object().into_iter().flatten();
    map.map(|(name, value)| (name.clone(), text(value))).collect()
}

fn form(params: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs(params));
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_a_form() {
        assert_eq!(form(&json!({"email": "a@b.c"})), "email=a%40b.c");
        assert_eq!(form(&json!({"ok": false})), "ok=false");
        assert_eq!(form(&Value::Null), "");
    }
}
