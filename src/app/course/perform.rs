//! Does what the acts of a lesson say, over HTTP.

use crate::app::checkout_browser::{self, Landing, Means, Typed};
use crate::app::course::act_error::ActError;
use crate::app::course::creem_line;
use crate::app::course::exchanges::Answer;
use crate::app::course::lesson_delivery::{self, Signing};
use crate::app::course::lesson_run::{LessonRun, attempts};
use crate::app::course::link_finder;
use crate::app::course::project;
use crate::app::course::readme_run;
use crate::app::course::variables::Variables;
use crate::app::reconcile_run;
use crate::app::scenario;
use crate::app::trigger;
use crate::domain::course::act::{
    Act, Api, Checkout, Deliver, Http, Pay, PaymentResult, Verb, Via,
};
use crate::domain::course::statement::Statement;
use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::money::Money;
use crate::domain::peek::Peek as _;
use crate::domain::reconcile::row::Row;
use crate::domain::reconcile::{Record, reconcile};
use crate::domain::time::Timestamp;
use crate::net::tasks::blocking;
use crate::stripe::calls::Window;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Does one act and keeps its outcome under the act's name.
pub async fn perform(run: &mut LessonRun<'_>, act: &Act) -> Result<(), ActError> {
    let outcome = outcome(run, act).await?;
    if let Some(name) = &act.save {
        run.vars.keep(name, outcome);
    }
    Ok(())
}

async fn outcome(run: &mut LessonRun<'_>, act: &Act) -> Result<Value, ActError> {
    match &act.verb {
        Verb::Http(it) => http(run, it).await,
        Verb::Form { of, to } => form(run, of, to),
        Verb::Checkout(it) => {
            let session = checkout(run, act, it).await?;
            run.quiet().await?;
            Ok(session)
        }
        Verb::Pay(it) => pay(run, it).await,
        Verb::Expire { session } => {
            let ended = run.provider.stripe.expire_session(&id(&run.vars, session)?).await?;
            run.quiet().await?;
            Ok(ended)
        }
        Verb::Settle { session, outcome } => settle(run, session, *outcome).await,
        Verb::Trigger { kind } => trigger(run, kind).await,
        Verb::Session { session: of } => session(run, &id(&run.vars, of)?).await,
        Verb::Event { kind, session } => {
            let session = session.as_deref().map(|name| id(&run.vars, name)).transpose()?;
            let found = events(run, kind, session.as_deref()).await?;
            let lacking = || ActError::mismatch(Statement::Happens(kind.clone(), 1), "–");
            found.into_iter().next().ok_or_else(lacking)
        }
        Verb::Api(it) => api(run, it).await,
        Verb::Deliver(it) => deliver(run, it).await,
        Verb::Delivery { event } => delivery(run, &id(&run.vars, event)?).await,
        Verb::Roll { to } => {
            run.roll(*to).await?;
            Ok(run.rolled.as_ref().map_or(Value::Null, |_| json!({ "able": true })))
        }
        Verb::Key { allow } => run.narrow(allow).await,
        Verb::Resend { event, times } => resend(run, event, *times).await,
        Verb::Fault { status, times } => {
            run.break_line(*status, *times);
            Ok(Value::Null)
        }
        Verb::Clock { advance_s } => {
            // What is on its way would be too old when it arrives: also what a run that was killed left due.
            run.quiet().await?;
            let path = format!("/_stripegym/clock/advance?seconds={advance_s}");
            let now = run.control_post(&path, "").await?;
            run.quiet().await?;
            Ok(now)
        }
        // What is kept as nothing leaves out the claims about it.
        Verb::Mark {} | Verb::Reconcile { .. } if !run.routes().books => Ok(Value::Null),
        Verb::Mark {} => run.still_ledger().await,
        Verb::Reconcile { sessions } => compare(run, sessions).await,
        Verb::Recover {} => recover(run).await,
        Verb::Document {} => {
            let written = blocking(|| project::document(run))?;
            run.forget_files();
            Ok(written)
        }
        Verb::RunReadme {} => readme_run::run_readme(run).await,
        Verb::Restart { kill, zone } => {
            run.restart(zone.as_deref(), *kill).await?;
            Ok(Value::Null)
        }
        Verb::Refund { session, amount } => refund(run, session, *amount).await,
        Verb::Outage(it) => {
            let able = run.trouble(*it).await?;
            Ok(if able { json!({ "able": able }) } else { Value::Null })
        }
        Verb::Mend {} => {
            run.mend().await?;
            Ok(Value::Null)
        }
        Verb::Creem(it) => creem_line::perform(run, act.save.as_deref(), it).await,
    }
}

/// The id that a reference of a lesson stands for.
pub fn id(vars: &Variables, reference: &str) -> Result<String, ActError> {
    vars.id(reference).ok_or_else(|| ActError::unknown(reference))
}

async fn http(run: &mut LessonRun<'_>, it: &Http) -> Result<Value, ActError> {
    let method = Method::from_bytes(it.method.as_bytes())
        .map_err(|_| ActError::mismatch("an HTTP method", it.method.clone()))?;
    let url = run.vars.filled(&it.url)?;
    let body = match it.body_bytes {
        0 => run.vars.filled(&it.body)?,
        bytes => "x".repeat(bytes),
    };
    let mut answers = Vec::new();
    for _ in 0..it.times {
        let mut request = run.http().request(method.clone(), &url).body(body.clone());
        for (name, value) in &it.headers {
            request = request.header(name, run.vars.filled(value)?);
        }
        // A server may close the connection on a body that it does not want: that is a refusal too.
        let answer = match run.send(request).await {
            Err(ActError::Mismatch { got, .. }) if it.body_bytes > 0 => {
                Answer { status: 413, body: got.to_string(), ..Answer::default() }
            }
            sent => sent?,
        };
        answers.push(answer.json());
    }
    Ok(gathered(answers))
}

fn form(run: &LessonRun<'_>, of: &str, to: &str) -> Result<Value, ActError> {
    let page = run.vars.get(of).and_then(|answer| answer.get("body")).and_then(Value::as_str);
    let page = page.ok_or_else(|| ActError::unknown(of))?;
    let to = run.checkout_path(to);
    let lacking = || ActError::mismatch(Statement::Door(of.to_owned(), to.to_owned()), "–");
    link_finder::find(page, to).ok_or_else(lacking)
}

/// The record of an event's deliveries: where the newest stands, and each attempt of all.
async fn delivery(run: &LessonRun<'_>, event: &str) -> Result<Value, ActError> {
    let deliveries = run.deliveries(event).await?;
    let attempts: Vec<&Value> = attempts(&deliveries).collect();
    let ends = deliveries.last().and_then(|one| one.get("status"));
    Ok(json!({ "ends": ends, "count": attempts.len(), "attempts": attempts }))
}

/// One answer as it is; of several the last, with all of them as `answers`.
pub(super) fn gathered(mut answers: Vec<Value>) -> Value {
    if answers.len() == 1 {
        return answers.pop().unwrap_or_default();
    }
    let mut last = answers.last().cloned().unwrap_or_default();
    if let Some(map) = last.as_object_mut() {
        map.insert("answers".to_owned(), Value::Array(answers));
    }
    last
}

async fn checkout(run: &mut LessonRun<'_>, act: &Act, it: &Checkout) -> Result<Value, ActError> {
    let (url, _) = run.app();
    if it.via == Via::Api || !run.routes().pages {
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
        let more = run.vars.resolved(&it.params, "params")?;
        if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
            params.extend(more);
        }
        return Ok(run.provider.stripe.create_session(&params).await?);
    }
    let to = if it.to.is_empty() { "$app.checkout" } else { &format!("$app.url{}", it.to) };
    let request = run
        .http()
        .post(run.vars.filled(to)?)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", &url);
    let form = run.vars.filled(&it.form)?;
    // What a browser sends where a form has no fields.
    let request = if form.is_empty() { request.header("Content-Length", "0") } else { request };
    let request = request.body(form);
    let answer = run.send(request).await?;
    if let Some(name) = &act.save {
        run.vars.keep(&format!("{name}_answer"), answer.json());
    }
    if it.may_refuse && (400..500).contains(&answer.status) {
        return Ok(Value::Null);
    }
    let id = session_of(&answer).ok_or_else(|| {
        ActError::mismatch(Statement::ToPayment, Statement::answered(answer.status))
    })?;
    session(run, &id).await
}

/// Pays money back; the refund.
async fn refund(run: &LessonRun<'_>, of: &str, amount: Option<i64>) -> Result<Value, ActError> {
    let paid = session(run, &id(&run.vars, of)?).await?;
    let intent = paid.pointer("/payment_intent/id").cloned().unwrap_or_default();
    let mut params = json!({ "payment_intent": intent });
    if let (Some(amount), Some(params)) = (amount, params.as_object_mut()) {
        params.insert("amount".to_owned(), json!(amount));
    }
    let refund = run.provider.stripe.post("/v1/refunds", &params).await?;
    run.quiet().await?;
    Ok(refund)
}

/// The session whose hosted page an answer leads to.
fn session_of(answer: &Answer) -> Option<String> {
    link_finder::led_to(answer, "cs_")
}

async fn session(run: &LessonRun<'_>, id: &str) -> Result<Value, ActError> {
    let path = format!("/v1/checkout/sessions/{id}");
    let params = json!({ "expand": ["payment_intent.latest_charge", "line_items"] });
    Ok(run.provider.stripe.get(&path, &params).await?)
}

async fn pay(run: &mut LessonRun<'_>, it: &Pay) -> Result<Value, ActError> {
    let means =
        Means::read(&it.with).ok_or_else(|| ActError::mismatch("pay with", it.with.clone()))?;
    let id = id(&run.vars, &it.session)?;
    let open = session(run, &id).await?;
    let url = open.text("url").to_owned();
    if url.is_empty() {
        return Err(ActError::mismatch(format!("{id}: url"), "–"));
    }
    let mut typed = Typed::with_email(it.email.as_deref().unwrap_or("customer@example.com"));
    if let Some(expiry) = &it.expiry {
        typed.expiry.clone_from(expiry);
    }
    typed.cvc.clone_from(&it.cvc);
    let locale = run.context.config.locale;
    let landing = checkout_browser::visit(&url, &means, &typed, locale).await?;
    run.quiet().await?;
    Ok(match landing {
        Landing::Shop(to) => {
            let answer = run.send(run.http().get(&to)).await?;
            json!({ "landed": to, "refused": "", "answer": answer.json() })
        }
        Landing::Stayed => json!({ "landed": "", "refused": "" }),
        Landing::Refused(what) => json!({ "landed": "", "refused": what }),
    })
}

async fn settle(
    run: &mut LessonRun<'_>,
    session: &str,
    outcome: PaymentResult,
) -> Result<Value, ActError> {
    let id = id(&run.vars, session)?;
    let outcome = match outcome {
        PaymentResult::Succeeded => "outcome=succeeded",
        PaymentResult::Failed => "outcome=failed",
    };
    let path = format!("/_stripegym/checkout/{id}/settle");
    let settled = run.control_post(&path, outcome).await?;
    run.quiet().await?;
    Ok(settled)
}

async fn trigger(run: &LessonRun<'_>, kind: &str) -> Result<Value, ActError> {
    let scenario =
        scenario::find(kind).ok_or_else(|| ActError::mismatch("a scenario", kind.to_owned()))?;
    let asked = trigger::Asked::default();
    let event = trigger::play(run.context, &run.provider.stripe, scenario, &asked).await?;
    run.quiet().await?;
    let id =
        event.ok_or_else(|| ActError::mismatch(Statement::Happens(kind.to_owned(), 1), "–"))?;
    Ok(run.provider.stripe.event(&id).await?)
}

/// The events of a type, newest first; only those about a session where one is named.
pub async fn events(
    run: &LessonRun<'_>,
    kind: &str,
    session: Option<&str>,
) -> Result<Vec<Value>, ActError> {
    let params = json!({ "type": kind, "limit": 100 });
    let list = run.read("/v1/events", &params).await?;
    let about = |event: &&Value| {
        let found = event.pointer("/data/object/id").and_then(Value::as_str);
        session.is_none_or(|wanted| found == Some(wanted))
    };
    Ok(list.items("data").iter().filter(about).cloned().collect())
}

async fn api(run: &LessonRun<'_>, it: &Api) -> Result<Value, ActError> {
    let method = Method::from_bytes(it.method.as_bytes())
        .map_err(|_| ActError::mismatch("an HTTP method", it.method.clone()))?;
    let path = run.vars.filled(&it.path)?;
    let params = run.vars.resolved(&it.params, &it.path)?;
    let called = if method == Method::GET {
        run.read(&path, &params).await
    } else {
        run.provider.stripe.call(method, &path, &params).await
    };
    run.quiet().await?;
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

async fn deliver(run: &mut LessonRun<'_>, it: &Deliver) -> Result<Value, ActError> {
    let event = run.vars.look_up(&it.event).cloned();
    let event = event.ok_or_else(|| ActError::unknown(&it.event))?;
    let mut mutate = it.mutate.clone();
    for value in mutate.set.values_mut() {
        *value = run.vars.resolved(value, &it.event)?;
    }
    let webhook = format!("{}{}", run.app().1, it.suffix);
    // Signatures are judged by the application's clock.
    let now = run.app_now();
    let mut requests = Vec::new();
    for at in 0..it.times {
        let salt = format!("x{at}{:x}", run.context.entropy.numbers("salt").next());
        let rolled = run.rolled.as_ref();
        let version = run.api_version();
        let signing = Signing { secret: &run.secret, rolled, version, now, salt: &salt };
        let packed = lesson_delivery::pack(&event, &mutate, signing);
        let mut request = as_provider(run.http().post(&webhook));
        if let Some(header) = packed.header {
            request = request.header("Stripe-Signature", header);
        }
        for (name, value) in &it.headers {
            request = request.header(name, run.vars.filled(value)?);
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
            let exchanges = run.exchanges.clone();
            sending.spawn(async move { exchanges.send(request).await });
        }
        while let Some(sent) = sending.join_next().await {
            let lost = |_| ActError::mismatch("an answer", "–");
            answers.push(unanswered(sent.map_err(lost)?)?);
        }
    } else {
        for request in requests {
            answers.push(unanswered(run.send(request).await)?);
        }
    }
    Ok(gathered(answers))
}

/// The answer to a delivery; none at all has the status 0, and what follows is done all the same.
pub(super) fn unanswered(sent: Result<Answer, ActError>) -> Result<Value, ActError> {
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

async fn resend(run: &LessonRun<'_>, event: &str, times: usize) -> Result<Value, ActError> {
    let id = id(&run.vars, event)?;
    for _ in 0..times {
        retry(run, &id).await?;
        run.quiet().await?;
    }
    Ok(run.deliveries(&id).await?.pop().unwrap_or_default())
}

/// Has an event delivered to this run's endpoint again, and to no other.
async fn retry(run: &LessonRun<'_>, event: &str) -> Result<(), ActError> {
    let params = json!({ "webhook_endpoint": run.endpoint() });
    run.provider.stripe.post(&format!("/v1/events/{event}/retry"), &params).await?;
    Ok(())
}

/// Compares both sides by the sessions of this run. A row of a session that the provider has, but from before, is
/// another run's; one of a session that it does not know at all is an invention, unless it was there before.
async fn compare(run: &LessonRun<'_>, sessions: &[String]) -> Result<Value, ActError> {
    let only = sessions.iter().map(|name| id(&run.vars, name));
    let only: Vec<String> = only.collect::<Result<_, _>>()?;
    let wanted = |session: &str| {
        !run.earlier.contains(session) && (only.is_empty() || only.iter().any(|id| id == session))
    };
    let window = Window { since: Some(run.started.plus(-1)), until: None };
    let theirs = reconcile_run::ask(run.context, &run.provider.stripe, window).await?;
    let ledger = run.still_ledger().await?;
    let mut records = theirs.records();
    records.retain(|record| wanted(&record.session_id));
    let mut ours = Vec::new();
    for row in ledger.items("rows") {
        let session = row.text("session_id");
        let at_provider = records.iter().find(|record| record.session_id == session);
        let invented = at_provider.is_none()
            && wanted(session)
            && !run.rows_before.contains(session)
            && !run.provider_has(session).await;
        if at_provider.is_some() || invented {
            let created = at_provider.map_or(run.started, |record| record.created);
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
async fn recover(run: &LessonRun<'_>) -> Result<Value, ActError> {
    // What is on its way at this moment is not lost.
    run.quiet().await?;
    let params = json!({
        "delivery_success": false, "limit": 100, "created": { "gte": run.started.0 },
    });
    let list = run.read("/v1/events", &params).await?;
    let lost = list.items("data");
    for event in lost.iter().rev() {
        retry(run, event.text("id")).await?;
    }
    run.quiet().await?;
    Ok(json!({ "changed": lost.len() }))
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
