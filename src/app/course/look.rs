//! What a run came to, as tables: sessions, events, deliveries, ledger.

use crate::app::course::act_error::ActError;
use crate::app::course::exchanges::Exchanges;
use crate::app::course::lesson_run::LessonRun;
use crate::content::Lesson;
use crate::domain::course::Aspect;
use crate::domain::entry::EntryStatus;
use crate::domain::fault::Fault;
use crate::domain::notice::{Look, LookScenario, LookSession};
use crate::domain::peek::Peek;
use crate::domain::reconcile::ProviderSnapshot;
use crate::domain::time::Timestamp;
use crate::stripe::calls::Window;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Gathers what there is to see of this run.
pub async fn look(run: &LessonRun<'_>, lesson: &Lesson) -> Result<Look, Fault> {
    let window = Window { since: Some(run.started), until: None };
    let ledger = match run.ledger().await {
        Ok(ledger) => ledger,
        Err(ActError::Surroundings(fault)) => return Err(fault),
        Err(ActError::Mismatch { .. }) => Value::Null,
    };
    let rows = ledger.items("rows");
    let mut found = Look {
        objects: lesson.day.look.contains(&Aspect::Objects),
        times: lesson.day.look.contains(&Aspect::Times),
        ..Look::default()
    };
    let mut records = BTreeMap::new();
    let mut sessions = run.provider.stripe.sessions(window);
    while let Some(page) = sessions.next_page().await? {
        for session in page {
            let id = text(&session, "id");
            if run.earlier.contains(&id) {
                continue;
            }
            let row = rows.iter().find(|row| text(row, "session_id") == id);
            let provided = one(&session, run);
            let (intent, charge) =
                if found.objects { statuses(run, &session).await? } else { (None, None) };
            let created = session.get("created").and_then(Value::as_i64).unwrap_or_default();
            found.sessions.push(LookSession {
                created: Timestamp(created),
                intent,
                charge,
                amount: session.get("amount_total").and_then(Value::as_i64).unwrap_or_default(),
                currency: text(&session, "currency"),
                status: text(&session, "status"),
                payment_status: text(&session, "payment_status"),
                ledger: row.map(|row| text(row, "status")),
                agrees: agree(row.map(|row| text(row, "status")).as_deref(), provided.as_deref()),
                id: id.clone(),
            });
            records.insert(id, provided);
        }
    }
    found.sessions.reverse();
    found.scenarios = scenarios(run, lesson, rows, &records).await?;
    let mut kinds: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut events = run.provider.stripe.events(window);
    while let Some(page) = events.next_page().await? {
        for event in page {
            if run.earlier.contains(&text(&event, "id")) {
                continue;
            }
            let pending = event.get("pending_webhooks").and_then(Value::as_u64).unwrap_or_default();
            let count = kinds.entry(text(&event, "type")).or_default();
            count.0 += 1;
            count.1 += u64::from(pending > 0);
        }
    }
    found.events = kinds.into_iter().map(|(kind, (all, pending))| (kind, all, pending)).collect();
    Ok(found)
}

/// Whether the ledger has a session as the provider has it. A session stays paid where its money went back.
fn agree(ours: Option<&str>, theirs: Option<&str>) -> bool {
    let was_paid = |status: Option<&str>| {
        status.and_then(EntryStatus::read).is_some_and(EntryStatus::was_paid)
    };
    ours == theirs || (was_paid(ours) && was_paid(theirs))
}

/// The statuses of a session's PaymentIntent and of its charge.
async fn statuses(
    run: &LessonRun<'_>,
    session: &Value,
) -> Result<(Option<String>, Option<String>), Fault> {
    let intent = session.get("payment_intent");
    let id = intent.and_then(|it| it.as_str().or_else(|| it.get("id")?.as_str()));
    let Some(id) = id else { return Ok((None, None)) };
    let params = json!({ "expand": ["latest_charge"] });
    let path = format!("/v1/payment_intents/{id}");
    let intent = run.provider.stripe.get(&path, &params).await?;
    let text = |at: &str| intent.pointer(at).and_then(Value::as_str).map(str::to_owned);
    Ok((text("/status"), text("/latest_charge/status")))
}

/// What became of each scenario that was played.
async fn scenarios(
    run: &LessonRun<'_>,
    lesson: &Lesson,
    rows: &[Value],
    records: &BTreeMap<String, Option<String>>,
) -> Result<Vec<LookScenario>, Fault> {
    let mut found = Vec::new();
    if lesson.day.scenarios.is_empty() {
        return Ok(found);
    }
    let about = events_by_session(run).await?;
    let deliveries = run.every_delivery().await?;
    for scenario in &lesson.day.scenarios {
        let Some(session) = run.vars.id(&scenario.session) else { continue };
        let events = about.get(&session).filter(|_| scenario.deliveries);
        let (mut answers, faults) =
            delivered(events.map_or(&[][..], Vec::as_slice), &deliveries, &run.exchanges);
        for name in &scenario.answers {
            let kept = run.vars.get(name);
            match kept.and_then(|it| it.get("answers")).and_then(Value::as_array) {
                Some(all) => answers.extend(all.iter().map(Peek::http_status)),
                None => answers.extend(kept.map(Peek::http_status)),
            }
        }
        let row = rows.iter().find(|row| text(row, "session_id") == session);
        let theirs = records.get(&session).cloned().flatten();
        let ours = row.map(|row| text(row, "status"));
        let verdict = match (&ours, &theirs) {
            (None, None) => None,
            (ours, theirs) if ours == theirs => Some("MATCH"),
            (None, Some(_)) => Some("MISSING_IN_LEDGER"),
            (Some(_), _) => Some("STATUS_MISMATCH"),
        };
        let attempts = answers.len();
        answers.dedup();
        found.push(LookScenario {
            title: lesson.texts.scenarios.get(&scenario.id).cloned().unwrap_or_default(),
            answers,
            attempts,
            faults,
            ledger: ours,
            verdict: verdict.map(str::to_owned),
        });
    }
    Ok(found)
}

/// What the deliveries of some events were answered with, oldest first, and how many met a fault of the lesson.
fn delivered(events: &[String], deliveries: &[Value], exchanges: &Exchanges) -> (Vec<u16>, usize) {
    let mut answers = Vec::new();
    let meant = exchanges.each(|it| it.event.clone().filter(|_| it.meant));
    let faults = meant.iter().filter(|event| events.contains(event)).count();
    for event in events {
        for delivery in deliveries.iter().rev().filter(|one| one.text("event") == event) {
            answers.extend(delivery.items("attempts").iter().map(Peek::http_status));
        }
    }
    (answers, faults)
}

/// The events about each session of this run, oldest first.
async fn events_by_session(run: &LessonRun<'_>) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let window = Window { since: Some(run.started), until: None };
    let mut events = run.provider.stripe.events(window);
    while let Some(page) = events.next_page().await? {
        for event in page {
            if run.earlier.contains(&text(&event, "id")) {
                continue;
            }
            let session = event.pointer("/data/object/id").and_then(Value::as_str);
            if let Some(session) = session.filter(|id| id.starts_with("cs_")) {
                found.entry(session.to_owned()).or_default().insert(0, text(&event, "id"));
            }
        }
    }
    Ok(found)
}

fn text(value: &Value, name: &str) -> String {
    value.text(name).to_owned()
}

/// The status that the ledger should have for a session; `None` where it should have none.
fn one(session: &Value, run: &LessonRun<'_>) -> Option<String> {
    let mut provided = ProviderSnapshot::default();
    // What cannot be understood is told by the comparison of the checks.
    if provided.add_session(session, run.context.clock.now()).is_err() {
        return None;
    }
    provided.records().first().map(|record| record.status.name().to_owned())
}
