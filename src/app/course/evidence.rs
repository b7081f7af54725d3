//! Gathers what a check rests on: the sessions and events that it used, and what became of them on both sides.

use crate::app::course::stage::Stage;
use crate::domain::course::evidence::{EventSeen, Evidence, MOST, RowSeen};
use crate::domain::member;
use serde_json::Value;

/// What the check that just ran rests on. Evidence never decides anything: what cannot be read is left out.
pub async fn gather(stage: &Stage<'_>) -> Evidence {
    let used: Vec<Value> = stage.kept.take_used().into_iter().cloned().collect();
    let (mut sessions, mut events) = (Vec::new(), Vec::new());
    for value in &used {
        sort(value, &mut sessions, &mut events);
    }
    let mut evidence = Evidence { sessions, ..Evidence::default() };
    for (id, kind) in events {
        let deliveries = stage.deliveries(&id).await.unwrap_or_default();
        let attempts = deliveries.iter().filter_map(|it| it.get("attempts")?.as_array()).flatten();
        let status = |attempt: &Value| {
            attempt.get("status").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok())
        };
        let attempts = attempts.map(|it| status(it).unwrap_or_default()).collect();
        evidence.events.push(EventSeen { id, kind, attempts });
    }
    if evidence.sessions.is_empty() {
        return evidence;
    }
    let Ok(ledger) = stage.ledger().await else { return evidence };
    let rows = ledger.get("rows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for session in &evidence.sessions {
        let of = |row: &&Value| row.get("session_id").and_then(Value::as_str) == Some(session);
        let Some(row) = rows.iter().find(of) else { continue };
        evidence.ledger_rows.push(RowSeen {
            session: session.clone(),
            amount: row.get("amount").and_then(Value::as_i64),
            currency: member::owned(row, "currency"),
            status: member::owned(row, "status"),
        });
    }
    evidence
}

/// Takes the ids out of an object of the API.
fn sort(value: &Value, sessions: &mut Vec<String>, events: &mut Vec<(String, String)>) {
    let (Some(id), Some(object)) = (member::text(value, "id"), member::text(value, "object"))
    else {
        return;
    };
    match object {
        "checkout.session" if sessions.len() < MOST && !sessions.iter().any(|it| it == id) => {
            sessions.push(id.to_owned());
        }
        "event" if events.len() < MOST && !events.iter().any(|(it, _)| it == id) => {
            events
                .push((id.to_owned(), member::text(value, "type").unwrap_or_default().to_owned()));
            if let Some(object) = value.pointer("/data/object") {
                sort(object, sessions, events);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_brings_its_session_along_and_nothing_twice() {
        let (mut sessions, mut events) = (Vec::new(), Vec::new());
        let session =
            json!({"object": "checkout.session", "id": "cs_1", "customer_email": "a@b.c"});
        let event =
            json!({"object": "event", "id": "evt_1", "type": "t", "data": {"object": session}});
        for value in [&event, &session, &event, &json!({"status": 200}), &json!(3)] {
            sort(value, &mut sessions, &mut events);
        }
        assert_eq!(sessions, ["cs_1"]);
        assert_eq!(events, [("evt_1".to_owned(), "t".to_owned())]);
    }
}
