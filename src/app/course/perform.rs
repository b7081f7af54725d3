//! Does what the acts of a lesson say, over HTTP.

use crate::app::cause;
use crate::app::checkout_browser::{self, Landing, Means, Typed};
use crate::app::course::act_error::ActError;
use crate::app::course::door;
use crate::app::course::exchanges::Answer;
use crate::app::course::kept::Kept;
use crate::app::course::parcel::{self, Seal};
use crate::app::course::project;
use crate::app::course::rehearse;
use crate::app::course::stage::Stage;
use crate::app::reconcile_run;
use crate::app::scenario;
use crate::domain::course::act::{
    Act, Api, Checkout, Deliver, Form, Http, Outcome, Pay, Reconcile, Refund, Resend, Settle, Verb,
    Via,
};
use crate::domain::course::statement::Statement;
use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::money::Money;
use crate::domain::reconcile::row::Row;
use crate::domain::reconcile::{Record, reconcile};
use crate::domain::time::Timestamp;
use crate::net::tasks::blocking;
use crate::stripe::calls::Window;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Does one act and keeps its outcome under the act's name.
pub async fn perform(stage: &mut Stage<'_>, act: &Act) -> Result<(), ActError> {
    let outcome = outcome(stage, act).await?;
    if let Some(name) = &act.save {
        stage.kept.keep(name, outcome);
    }
    Ok(())
}

async fn outcome(stage: &mut Stage<'_>, act: &Act) -> Result<Value, ActError> {
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
            let lacking = || ActError::mismatch(Statement::Happens(it.kind.clone(), 1), "–");
            found.into_iter().next().ok_or_else(lacking)
        }
        Verb::Api(it) => api(stage, it).await,
        Verb::Deliver(it) => deliver(stage, it).await,
        Verb::Delivery(it) => delivery(stage, &id(&stage.kept, &it.event)?).await,
        Verb::Roll(it) => {
            stage.roll(it.to).await?;
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
        // What is kept as nothing leaves out the claims about it.
        Verb::Mark(_) | Verb::Reconcile(_) if !stage.routes().books => Ok(Value::Null),
        Verb::Mark(_) => stage.still_ledger().await,
        Verb::Reconcile(it) => compare(stage, it).await,
        Verb::Recover(_) => recover(stage).await,
        Verb::Document(_) => {
            let written = blocking(|| project::document(stage))?;
            stage.forget_files();
            Ok(written)
        }
        Verb::RunReadme(_) => rehearse::run_readme(stage).await,
        Verb::Restart(it) => {
            stage.restart(it.zone.as_deref(), it.kill).await?;
            Ok(Value::Null)
        }
        Verb::Refund(it) => refund(stage, it).await,
        Verb::Outage(it) => {
            let able = stage.trouble(*it).await?;
            Ok(if able { json!({ "able": able }) } else { Value::Null })
        }
        Verb::Mend(_) => {
            stage.mend().await?;
            Ok(Value::Null)
        }
    }
}

/// The id that a reference of a lesson stands for.
pub fn id(kept: &Kept, reference: &str) -> Result<String, ActError> {
    kept.id(reference).ok_or_else(|| ActError::unknown(reference))
}

fn fill(kept: &Kept, text: &str) -> Result<String, ActError> {
    kept.fill(text).ok_or_else(|| ActError::unknown(text))
}

async fn http(stage: &mut Stage<'_>, it: &Http) -> Result<Value, ActError> {
    let method = Method::from_bytes(it.method.as_bytes())
        .map_err(|_| ActError::mismatch("an HTTP method", it.method.clone()))?;
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
        // A server may close the connection on a body that it does not want: that is a refusal too.
        let answer = match stage.send(request).await {
            Err(ActError::Mismatch { got, .. }) if it.body_bytes > 0 => {
                Answer { status: 413, body: got.to_string(), ..Answer::default() }
            }
            sent => sent?,
        };
        answers.push(answer.json());
    }
    Ok(gathered(answers))
}

fn form(stage: &Stage<'_>, it: &Form) -> Result<Value, ActError> {
    let page = stage.kept.get(&it.of).and_then(|answer| answer.get("body")).and_then(Value::as_str);
    let page = page.ok_or_else(|| ActError::unknown(&it.of))?;
    let to = stage.checkout_path(&it.to);
    let lacking = || ActError::mismatch(Statement::Door(it.of.clone(), to.to_owned()), "–");
    door::find(page, to).ok_or_else(lacking)
}

/// The record of an event's deliveries: where the newest stands, and each attempt of all.
async fn delivery(stage: &Stage<'_>, event: &str) -> Result<Value, ActError> {
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

async fn checkout(stage: &mut Stage<'_>, act: &Act, it: &Checkout) -> Result<Value, ActError> {
    let (url, _) = stage.app();
    if it.via == Via::Api || !stage.routes().pages {
        let code = it.currency.as_deref().unwrap_or("jpy");
        let currency: Currency =
            code.parse().map_err(|_| ActError::mismatch("a currency", code.to_owned()))?;
        let amount = Money::new(it.amount.unwrap_or(500), currency);
        let mut params = json!({
            "mode": "payment",
            "line_items": [{ "quantity": 1, "price_data": {
                "currency": amount.currency.code(), "unit_amount": amount.minor,
                "product_data": { "name": "Tea" },
            }}],
            "success_url": format!("{url}/success?session_id={{CHECKOUT_SESSION_ID}}"),
            "cancel_url": format!("{url}/cancel"),
        });
        let more = stage.kept.resolve(&it.params).ok_or_else(|| ActError::unknown("params"))?;
        if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
            params.extend(more);
        }
        return Ok(stage.provider.stripe.create_session(&params).await?);
    }
    let to = if it.to.is_empty() { "$app.checkout" } else { &format!("$app.url{}", it.to) };
    let request = stage
        .http()
        .post(fill(&stage.kept, to)?)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", &url);
    let form = fill(&stage.kept, &it.form)?;
    // What a browser sends where a form has no fields.
    let request = if form.is_empty() { request.header("Content-Length", "0") } else { request };
    let request = request.body(form);
    let answer = stage.send(request).await?;
    if let Some(name) = &act.save {
        stage.kept.keep(&format!("{name}_answer"), answer.json());
    }
    if it.may_refuse && (400..500).contains(&answer.status) {
        return Ok(Value::Null);
    }
    let id = session_of(&answer).ok_or_else(|| {
        ActError::mismatch(Statement::ToPayment, Statement::answered(answer.status))
    })?;
    session(stage, &id).await
}

/// Pays money back; the refund.
async fn refund(stage: &Stage<'_>, it: &Refund) -> Result<Value, ActError> {
    let paid = session(stage, &id(&stage.kept, &it.session)?).await?;
    let intent = paid.pointer("/payment_intent/id").cloned().unwrap_or_default();
    let mut params = json!({ "payment_intent": intent });
    if let (Some(amount), Some(params)) = (it.amount, params.as_object_mut()) {
        params.insert("amount".to_owned(), json!(amount));
    }
    let refund = stage.provider.stripe.post("/v1/refunds", &params).await?;
    stage.quiet().await?;
    Ok(refund)
}

/// The session whose hosted page an answer leads to.
fn session_of(answer: &Answer) -> Option<String> {
    let (_, to) = answer.headers.iter().find(|(name, _)| name == "location")?;
    let at = to.find("cs_")?;
    let id: String =
        to.get(at..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (300..400).contains(&answer.status).then_some(id)
}

async fn session(stage: &Stage<'_>, id: &str) -> Result<Value, ActError> {
    let path = format!("/v1/checkout/sessions/{id}");
    let params = json!({ "expand": ["payment_intent.latest_charge", "line_items"] });
    Ok(stage.provider.stripe.get(&path, &params).await?)
}

async fn pay(stage: &mut Stage<'_>, it: &Pay) -> Result<Value, ActError> {
    let means =
        Means::read(&it.with).ok_or_else(|| ActError::mismatch("pay with", it.with.clone()))?;
    let id = id(&stage.kept, &it.session)?;
    let open = session(stage, &id).await?;
    let url = open.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    if url.is_empty() {
        return Err(ActError::mismatch(format!("{id}: url"), "–"));
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
            let answer = stage.send(stage.http().get(&to)).await?;
            json!({ "landed": to, "refused": "", "answer": answer.json() })
        }
        Landing::Stayed => json!({ "landed": "", "refused": "" }),
        Landing::Refused(what) => json!({ "landed": "", "refused": what }),
    })
}

async fn settle(stage: &mut Stage<'_>, it: &Settle) -> Result<Value, ActError> {
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

async fn trigger(stage: &Stage<'_>, kind: &str) -> Result<Value, ActError> {
    let scenario =
        scenario::find(kind).ok_or_else(|| ActError::mismatch("a scenario", kind.to_owned()))?;
    let event =
        cause::play(stage.context, &stage.provider.stripe, scenario, &cause::Asked::default())
            .await?;
    stage.quiet().await?;
    let id =
        event.ok_or_else(|| ActError::mismatch(Statement::Happens(kind.to_owned(), 1), "–"))?;
    Ok(stage.provider.stripe.event(&id).await?)
}

/// The events of a type, newest first; only those about a session where one is named.
pub async fn events(
    stage: &Stage<'_>,
    kind: &str,
    session: Option<&str>,
) -> Result<Vec<Value>, ActError> {
    let params = json!({ "type": kind, "limit": 100 });
    let list = stage.read("/v1/events", &params).await?;
    let about = |event: &&Value| {
        let found = event.pointer("/data/object/id").and_then(Value::as_str);
        session.is_none_or(|wanted| found == Some(wanted))
    };
    let data = list.get("data").and_then(Value::as_array);
    Ok(data.into_iter().flatten().filter(about).cloned().collect())
}

async fn api(stage: &Stage<'_>, it: &Api) -> Result<Value, ActError> {
    let method = Method::from_bytes(it.method.as_bytes())
        .map_err(|_| ActError::mismatch("an HTTP method", it.method.clone()))?;
    let path = fill(&stage.kept, &it.path)?;
    let params = stage.kept.resolve(&it.params).ok_or_else(|| ActError::unknown(&it.path))?;
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

async fn deliver(stage: &mut Stage<'_>, it: &Deliver) -> Result<Value, ActError> {
    let event = stage.kept.look_up(&it.event).cloned();
    let event = event.ok_or_else(|| ActError::unknown(&it.event))?;
    let mut mutate = it.mutate.clone();
    for value in mutate.set.values_mut() {
        *value = stage.kept.resolve(value).ok_or_else(|| ActError::unknown(&it.event))?;
    }
    let webhook = format!("{}{}", stage.app().1, it.suffix);
    // Signatures are judged by the application's clock.
    let now = stage.app_now();
    let mut requests = Vec::new();
    for at in 0..it.times {
        let salt = format!("x{at}{:x}", stage.context.entropy.numbers("salt").next());
        let rolled = stage.rolled.as_ref();
        let version = stage.api_version();
        let seal = Seal { secret: &stage.secret, rolled, version, now, salt: &salt };
        let packed = parcel::pack(&event, &mutate, seal);
        let mut request = as_provider(stage.http().post(&webhook));
        if let Some(header) = packed.header {
            request = request.header("Stripe-Signature", header);
        }
        for (name, value) in &it.headers {
            request = request.header(name, fill(&stage.kept, value)?);
        }
        if let Some(patience) = it.patience_ms {
            request = request.timeout(Duration::from_millis(patience));
        }
        requests.push(request.body(packed.body));
    }
    let mut answers = Vec::new();
    if it.parallel {
        let mut sending = tokio::task::JoinSet::new();
        for request in requests {
            let exchanges = stage.exchanges.clone();
            sending.spawn(async move { exchanges.send(request).await });
        }
        while let Some(sent) = sending.join_next().await {
            let lost = |_| ActError::mismatch("an answer", "–");
            answers.push(unanswered(sent.map_err(lost)?)?);
        }
    } else {
        for request in requests {
            answers.push(unanswered(stage.send(request).await)?);
        }
    }
    Ok(gathered(answers))
}

/// The answer to a delivery; none at all has the status 0, and what follows is done all the same.
fn unanswered(sent: Result<Answer, ActError>) -> Result<Value, ActError> {
    match sent {
        Err(ActError::Mismatch { got, .. }) => {
            Ok(Answer { body: got.to_string(), ..Answer::default() }.json())
        }
        // An answer without an end is none.
        Ok(answer) if answer.endless => Ok(Answer { status: 0, ..answer }.json()),
        sent => Ok(sent?.json()),
    }
}

/// A request with the headers that the provider sends.
pub fn as_provider(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Accept", "*/*; q=0.5, application/xml")
        .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
}

async fn resend(stage: &Stage<'_>, it: &Resend) -> Result<Value, ActError> {
    let id = id(&stage.kept, &it.event)?;
    for _ in 0..it.times {
        retry(stage, &id).await?;
        stage.quiet().await?;
    }
    Ok(stage.deliveries(&id).await?.pop().unwrap_or_default())
}

/// Has an event delivered to this run's endpoint again, and to no other.
async fn retry(stage: &Stage<'_>, event: &str) -> Result<(), ActError> {
    let params = json!({ "webhook_endpoint": stage.endpoint() });
    stage.provider.stripe.post(&format!("/v1/events/{event}/retry"), &params).await?;
    Ok(())
}

/// Compares both sides by the sessions of this run. A row of a session that the provider has, but from before, is
/// another run's; one of a session that it does not know at all is an invention, unless it was there before.
async fn compare(stage: &Stage<'_>, it: &Reconcile) -> Result<Value, ActError> {
    let only = it.sessions.iter().map(|name| id(&stage.kept, name));
    let only: Vec<String> = only.collect::<Result<_, _>>()?;
    let wanted = |session: &str| {
        !stage.earlier.contains(session) && (only.is_empty() || only.iter().any(|id| id == session))
    };
    let window = Window { since: Some(stage.started.plus(-1)), until: None };
    let theirs = reconcile_run::ask(stage.context, &stage.provider.stripe, window).await?;
    let ledger = stage.still_ledger().await?;
    let rows = ledger.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut records = theirs.records();
    records.retain(|record| wanted(&record.session_id));
    let mut ours = Vec::new();
    for row in &rows {
        let session = row.get("session_id").and_then(Value::as_str).unwrap_or_default();
        let at_provider = records.iter().find(|record| record.session_id == session);
        let invented = at_provider.is_none()
            && wanted(session)
            && !stage.rows_before.contains(session)
            && !stage.provider_has(session).await;
        if at_provider.is_some() || invented {
            let created = at_provider.map_or(stage.started, |record| record.created);
            let record = record(row, created);
            ours.push(record.ok_or_else(|| ActError::mismatch("a ledger row", row.to_string()))?);
        }
    }
    let found = reconcile(&ours, &records);
    let side = |row: Option<&Row>| {
        row.map(|it| format!("{} {} {}", it.amount, it.currency.code(), it.word()))
    };
    let lines = found.rows.iter().map(|line| {
        json!({
            "session": line.id, "their_status": line.theirs.as_ref().map(Row::word), "verdict": line.verdict.name(),
            "ours": side(line.ours.as_ref()), "theirs": side(line.theirs.as_ref()),
        })
    });
    Ok(json!({ "lines": lines.collect::<Vec<_>>() }))
}

/// Has every event of this run that was never delivered delivered again.
async fn recover(stage: &Stage<'_>) -> Result<Value, ActError> {
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
        retry(stage, id).await?;
        changed += 1;
    }
    stage.quiet().await?;
    Ok(json!({ "changed": changed }))
}

/// A row of the application's ledger as reconciliation compares it.
fn record(row: &Value, created: Timestamp) -> Option<Record> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let currency: Currency = text("currency")?.parse().ok()?;
    Some(Record {
        session_id: text("session_id")?.to_owned(),
        amount: Money::new(row.get("amount")?.as_i64()?, currency),
        status: EntryStatus::read(text("status")?)?,
        // When a row was written is asked for by a check of its own.
        created,
        payment_intent: text("payment_intent").filter(|it| !it.is_empty()).map(str::to_owned),
    })
}
