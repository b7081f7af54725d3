//! Does what the acts of a lesson say, over HTTP.

use crate::app::cause;
use crate::app::checkout_browser::{self, Landing, Means, Typed};
use crate::app::course::door;
use crate::app::course::kept::Kept;
use crate::app::course::parcel::{self, Seal};
use crate::app::course::project;
use crate::app::course::rehearse;
use crate::app::course::stage::{self, Answer, Stage};
use crate::app::course::trouble::Trouble;
use crate::app::payment::{self, Item, Order};
use crate::app::reconcile_run;
use crate::app::scenario;
use crate::domain::course::act::{
    Act, Api, Checkout, Deliver, Form, Http, Outcome, Pay, Reconcile, Resend, Settle, Verb, Via,
};
use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::money::Money;
use crate::domain::reconcile::{Record, reconcile};
use crate::domain::time::Timestamp;
use crate::stripe::calls::Window;
use reqwest::Method;
use serde_json::{Value, json};

/// Does one act and keeps its outcome under the act's name.
pub async fn perform(stage: &mut Stage<'_>, act: &Act) -> Result<(), Trouble> {
    let outcome = outcome(stage, act).await?;
    if let Some(name) = &act.save {
        stage.kept.keep(name, outcome);
    }
    Ok(())
}

async fn outcome(stage: &mut Stage<'_>, act: &Act) -> Result<Value, Trouble> {
    match &act.verb {
        Verb::Http(it) => http(stage, it).await,
        Verb::Form(it) => form(stage, it),
        Verb::Checkout(it) => {
            let session = checkout(stage, act, it).await?;
            stage.quiet().await?;
            Ok(session)
        }
        Verb::Pay(it) => pay(stage, it).await,
        Verb::Expire(it) => {
            let id = id(&stage.kept, &it.session)?;
            let session = stage.provider.stripe.expire_session(&id).await?;
            stage.quiet().await?;
            Ok(session)
        }
        Verb::Settle(it) => settle(stage, it).await,
        Verb::Trigger(it) => trigger(stage, &it.kind).await,
        Verb::Session(it) => session(stage, &id(&stage.kept, &it.session)?).await,
        Verb::Event(it) => {
            let session = it.session.as_deref().map(|name| id(&stage.kept, name)).transpose()?;
            let found = events(stage, &it.kind, session.as_deref()).await?;
            let lacking = || Trouble::short(format!("event {}", it.kind), "–");
            found.into_iter().next().ok_or_else(lacking)
        }
        Verb::Api(it) => api(stage, it).await,
        Verb::Deliver(it) => deliver(stage, it).await,
        Verb::Delivery(it) => delivery(stage, &id(&stage.kept, &it.event)?).await,
        Verb::Roll(it) => {
            stage.roll(it.to);
            Ok(stage.rolled.as_ref().map_or(Value::Null, |_| json!({ "able": true })))
        }
        Verb::Resend(it) => resend(stage, it).await,
        Verb::Fault(it) => {
            stage.break_line(it.status, it.times);
            Ok(Value::Null)
        }
        Verb::Clock(it) => {
            let path = format!("/_stripegym/clock/advance?seconds={}", it.advance_s);
            let now = stage.control_post(&path, "").await?;
            stage.quiet().await?;
            Ok(now)
        }
        Verb::Mark(_) => stage.ledger().await,
        Verb::Reconcile(it) => compare(stage, it).await,
        Verb::Recover(_) => recover(stage).await,
        Verb::Document(_) => {
            let written = project::document(stage)?;
            stage.forget_files();
            Ok(written)
        }
        Verb::RunReadme(_) => rehearse::run_readme(stage).await,
        Verb::Restart(_) => {
            stage.restart().await?;
            Ok(Value::Null)
        }
    }
}

/// The id that a reference of a lesson stands for.
pub fn id(kept: &Kept, reference: &str) -> Result<String, Trouble> {
    kept.id(reference).ok_or_else(|| Trouble::unknown(reference))
}

fn fill(kept: &Kept, text: &str) -> Result<String, Trouble> {
    kept.fill(text).ok_or_else(|| Trouble::unknown(text))
}

async fn http(stage: &mut Stage<'_>, it: &Http) -> Result<Value, Trouble> {
    let method = Method::from_bytes(it.method.as_bytes())
        .map_err(|_| Trouble::short("an HTTP method", it.method.clone()))?;
    let url = fill(&stage.kept, &it.url)?;
    let body = match it.body_bytes {
        0 => fill(&stage.kept, &it.body)?,
        bytes => "x".repeat(bytes),
    };
    let mut answers = Vec::new();
    for _ in 0..it.times {
        let mut request = stage.http().request(method.clone(), &url).body(body.clone());
        for (name, value) in &it.headers {
            request = request.header(name, fill(&stage.kept, value)?);
        }
        let answer = stage::send(request).await?;
        stage.answers.push(answer.body.clone());
        answers.push(answer.json());
    }
    Ok(gathered(answers))
}

fn form(stage: &Stage<'_>, it: &Form) -> Result<Value, Trouble> {
    let page = stage.kept.get(&it.of).and_then(|answer| answer.get("body")).and_then(Value::as_str);
    let page = page.ok_or_else(|| Trouble::unknown(&it.of))?;
    let lacking = || Trouble::short(format!("{}: form | a | script → {}", it.of, it.to), "–");
    door::find(page, &it.to).ok_or_else(lacking)
}

/// The record of an event's deliveries: where the newest stands, and each attempt of all.
async fn delivery(stage: &Stage<'_>, event: &str) -> Result<Value, Trouble> {
    let deliveries = stage.deliveries(event).await?;
    let attempts: Vec<&Value> = deliveries
        .iter()
        .filter_map(|one| one.get("attempts").and_then(Value::as_array))
        .flatten()
        .collect();
    let ends = deliveries.last().and_then(|one| one.get("status"));
    Ok(json!({ "ends": ends, "count": attempts.len(), "attempts": attempts }))
}

/// One answer as it is; of several the last, with all of them as `answers`.
fn gathered(mut answers: Vec<Value>) -> Value {
    if answers.len() == 1 {
        return answers.pop().unwrap_or_default();
    }
    let mut last = answers.last().cloned().unwrap_or_default();
    if let Some(map) = last.as_object_mut() {
        map.insert("answers".to_owned(), Value::Array(answers));
    }
    last
}

async fn checkout(stage: &mut Stage<'_>, act: &Act, it: &Checkout) -> Result<Value, Trouble> {
    let (url, _) = stage.app();
    if it.via == Via::Api || !stage.routes().pages {
        let code = it.currency.as_deref().unwrap_or("jpy");
        let currency: Currency =
            code.parse().map_err(|_| Trouble::short("a currency", code.to_owned()))?;
        let amount = Money::new(it.amount.unwrap_or(500), currency);
        let order = Order {
            item: Item::Inline { amount, name: "Tea".to_owned() },
            quantity: 1,
            metadata: Vec::new(),
            email: None,
            success_url: format!("{url}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            cancel_url: format!("{url}/cancel"),
        };
        return Ok(payment::create(&stage.provider.stripe, &order).await?);
    }
    let request = stage
        .http()
        .post(format!("{url}/checkout"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", &url)
        .body(fill(&stage.kept, &it.form)?);
    let answer = stage::send(request).await?;
    stage.answers.push(answer.body.clone());
    if let Some(name) = &act.save {
        stage.kept.keep(&format!("{name}_answer"), answer.json());
    }
    let id = session_of(&answer).ok_or_else(|| {
        Trouble::short("POST /checkout: 303 → /c/pay/cs_…", format!("{}", answer.status))
    })?;
    session(stage, &id).await
}

/// The session whose hosted page an answer leads to.
fn session_of(answer: &Answer) -> Option<String> {
    let (_, to) = answer.headers.iter().find(|(name, _)| name == "location")?;
    let at = to.find("cs_")?;
    let id: String =
        to.get(at..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (300..400).contains(&answer.status).then_some(id)
}

async fn session(stage: &Stage<'_>, id: &str) -> Result<Value, Trouble> {
    let path = format!("/v1/checkout/sessions/{id}");
    let params = json!({ "expand": ["payment_intent.latest_charge", "line_items"] });
    Ok(stage.provider.stripe.get(&path, &params).await?)
}

async fn pay(stage: &mut Stage<'_>, it: &Pay) -> Result<Value, Trouble> {
    let means = Means::read(&it.with).ok_or_else(|| Trouble::short("pay with", it.with.clone()))?;
    let id = id(&stage.kept, &it.session)?;
    let open = session(stage, &id).await?;
    let url = open.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    if url.is_empty() {
        return Err(Trouble::short(format!("{id}: url"), "–"));
    }
    let mut typed = Typed::with_email(it.email.as_deref().unwrap_or("customer@example.com"));
    if let Some(expiry) = &it.expiry {
        typed.expiry.clone_from(expiry);
    }
    typed.cvc.clone_from(&it.cvc);
    let locale = stage.context.config.locale;
    let landing = checkout_browser::visit(&url, &means, &typed, locale).await?;
    stage.quiet().await?;
    Ok(match landing {
        Landing::Shop(to) => {
            let answer = stage::send(stage.http().get(&to)).await?;
            stage.answers.push(answer.body.clone());
            json!({ "landed": to, "refused": "", "answer": answer.json() })
        }
        Landing::Stayed => json!({ "landed": "", "refused": "" }),
        Landing::Refused(what) => json!({ "landed": "", "refused": what }),
    })
}

async fn settle(stage: &mut Stage<'_>, it: &Settle) -> Result<Value, Trouble> {
    let id = id(&stage.kept, &it.session)?;
    let outcome = match it.outcome {
        Outcome::Succeeded => "outcome=succeeded",
        Outcome::Failed => "outcome=failed",
    };
    let path = format!("/_stripegym/checkout/{id}/settle");
    let settled = stage.control_post(&path, outcome).await?;
    stage.quiet().await?;
    Ok(settled)
}

async fn trigger(stage: &Stage<'_>, kind: &str) -> Result<Value, Trouble> {
    let scenario =
        scenario::find(kind).ok_or_else(|| Trouble::short("a scenario", kind.to_owned()))?;
    let event = cause::play(stage.context, &stage.provider.stripe, scenario).await?;
    stage.quiet().await?;
    let id = event.ok_or_else(|| Trouble::short(format!("event {kind}"), "–"))?;
    Ok(stage.provider.stripe.event(&id).await?)
}

/// The events of a type, newest first; only those about a session where one is named.
pub async fn events(
    stage: &Stage<'_>,
    kind: &str,
    session: Option<&str>,
) -> Result<Vec<Value>, Trouble> {
    let params = json!({ "type": kind, "limit": 100 });
    let list = stage.read("/v1/events", &params).await?;
    let about = |event: &&Value| {
        let found = event.pointer("/data/object/id").and_then(Value::as_str);
        session.is_none_or(|wanted| found == Some(wanted))
    };
    let data = list.get("data").and_then(Value::as_array);
    Ok(data.into_iter().flatten().filter(about).cloned().collect())
}

async fn api(stage: &Stage<'_>, it: &Api) -> Result<Value, Trouble> {
    let method = Method::from_bytes(it.method.as_bytes())
        .map_err(|_| Trouble::short("an HTTP method", it.method.clone()))?;
    let path = fill(&stage.kept, &it.path)?;
    let params = stage.kept.resolve(&it.params).ok_or_else(|| Trouble::unknown(&it.path))?;
    let called = if method == Method::GET {
        stage.read(&path, &params).await
    } else {
        stage.provider.stripe.call(method, &path, &params).await
    };
    stage.quiet().await?;
    match called {
        Ok(mut object) => {
            if let Some(map) = object.as_object_mut() {
                map.insert("http_status".to_owned(), json!(200));
            }
            Ok(object)
        }
        Err(error) => match error.api() {
            Some(api) => Ok(json!({
                "http_status": api.status,
                "error": { "message": api.message, "code": api.code, "param": api.param },
            })),
            None => Err(error.into()),
        },
    }
}

async fn deliver(stage: &mut Stage<'_>, it: &Deliver) -> Result<Value, Trouble> {
    let event = stage.kept.look_up(&it.event).cloned();
    let event = event.ok_or_else(|| Trouble::unknown(&it.event))?;
    let mut mutate = it.mutate.clone();
    for value in mutate.set.values_mut() {
        *value = stage.kept.resolve(value).ok_or_else(|| Trouble::unknown(&it.event))?;
    }
    let webhook = format!("{}{}", stage.app().1, it.suffix);
    // Signatures are judged by the application's clock.
    let now = stage.app_now();
    let mut requests = Vec::new();
    for at in 0..it.times {
        let salt = format!("x{at}{:x}", stage.context.entropy.numbers("salt").next());
        let rolled = stage.rolled.as_ref();
        let seal = Seal { secret: &stage.secret, rolled, now, salt: &salt };
        let packed = parcel::pack(&event, &mutate, seal);
        let mut request = stage.http().post(&webhook).header("Content-Type", "application/json");
        if let Some(header) = packed.header {
            request = request.header("Stripe-Signature", header);
        }
        for (name, value) in &it.headers {
            request = request.header(name, fill(&stage.kept, value)?);
        }
        requests.push(request.body(packed.body));
    }
    let mut answers = Vec::new();
    if it.parallel {
        let mut sending = tokio::task::JoinSet::new();
        for request in requests {
            sending.spawn(stage::send(request));
        }
        while let Some(sent) = sending.join_next().await {
            let lost = |_| Trouble::short("an answer", "–");
            answers.push(sent.map_err(lost)??.json());
        }
    } else {
        for request in requests {
            answers.push(stage::send(request).await?.json());
        }
    }
    Ok(gathered(answers))
}

async fn resend(stage: &Stage<'_>, it: &Resend) -> Result<Value, Trouble> {
    let id = id(&stage.kept, &it.event)?;
    for _ in 0..it.times {
        stage.provider.stripe.post(&format!("/v1/events/{id}/retry"), &json!({})).await?;
        stage.quiet().await?;
    }
    Ok(stage.deliveries(&id).await?.pop().unwrap_or_default())
}

async fn compare(stage: &Stage<'_>, it: &Reconcile) -> Result<Value, Trouble> {
    let only = it.sessions.iter().map(|name| id(&stage.kept, name));
    let only: Vec<String> = only.collect::<Result<_, _>>()?;
    let wanted = |session: &str| {
        !stage.earlier.contains(session) && (only.is_empty() || only.iter().any(|id| id == session))
    };
    let window = Window { since: Some(stage.started.plus(-1)), until: None };
    let theirs = reconcile_run::ask(stage.context, &stage.provider.stripe, window).await?;
    let ledger = stage.ledger().await?;
    let rows = ledger.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut ours = Vec::new();
    for row in &rows {
        let record = record(row).ok_or_else(|| Trouble::short("a ledger row", row.to_string()))?;
        if record.created >= stage.started.plus(-1) && wanted(&record.session_id) {
            ours.push(record);
        }
    }
    let mut records = theirs.records();
    records.retain(|record| wanted(&record.session_id));
    let found = reconcile(ours, records);
    let side = |record: Option<&Record>| {
        record.map(|it| {
            format!("{} {} {}", it.amount.minor, it.amount.currency.code(), it.status.name())
        })
    };
    let lines = found.rows.iter().map(|line| {
        json!({
            "session": line.session_id, "verdict": line.verdict.name(),
            "ours": side(line.ours.as_ref()), "theirs": side(line.theirs.as_ref()),
        })
    });
    Ok(json!({ "lines": lines.collect::<Vec<_>>() }))
}

/// Has every event of this run that was never delivered delivered again.
async fn recover(stage: &Stage<'_>) -> Result<Value, Trouble> {
    // What is on its way at this moment is not lost.
    stage.quiet().await?;
    let params = json!({
        "delivery_success": false, "limit": 100, "created": { "gte": stage.started.0 },
    });
    let list = stage.read("/v1/events", &params).await?;
    let data = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let ids = data.iter().rev().filter_map(|event| event.get("id").and_then(Value::as_str));
    let mut changed = 0;
    for id in ids {
        stage.provider.stripe.post(&format!("/v1/events/{id}/retry"), &json!({})).await?;
        changed += 1;
    }
    stage.quiet().await?;
    Ok(json!({ "changed": changed }))
}

/// A row of the application's ledger as reconciliation compares it.
fn record(row: &Value) -> Option<Record> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let currency: Currency = text("currency")?.parse().ok()?;
    Some(Record {
        session_id: text("session_id")?.to_owned(),
        amount: Money::new(row.get("amount")?.as_i64()?, currency),
        status: EntryStatus::read(text("status")?)?,
        created: Timestamp(row.get("created")?.as_i64()?),
        payment_intent: text("payment_intent").map(str::to_owned),
    })
}
