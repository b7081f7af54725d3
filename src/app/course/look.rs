//! What a run came to, as tables: sessions, events, deliveries, ledger.

use crate::app::course::stage::Stage;
use crate::app::course::trouble::Trouble;
use crate::domain::fault::Fault;
use crate::domain::notice::{Look, LookSession};
use crate::domain::reconcile::Provided;
use crate::stripe::calls::Window;
use serde_json::Value;
use std::collections::BTreeMap;

/// Gathers what there is to see of this run.
pub async fn look(stage: &Stage<'_>) -> Result<Look, Fault> {
    let window = Window { since: Some(stage.started), until: None };
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let ledger = match stage.ledger().await {
        Ok(ledger) => ledger,
        Err(Trouble::World(fault)) => return Err(fault),
        Err(Trouble::Short { .. }) => Value::Null,
    };
    let rows = ledger.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Look::default();
    let mut sessions = stage.provider.stripe.sessions(window);
    while let Some(page) = sessions.next_page().await? {
        for session in page {
            let id = text(&session, "id");
            let row = rows.iter().find(|row| text(row, "session_id") == id);
            let provided = one(&session, stage);
            found.sessions.push(LookSession {
                amount: session.get("amount_total").and_then(Value::as_i64).unwrap_or_default(),
                currency: text(&session, "currency"),
                status: text(&session, "status"),
                payment_status: text(&session, "payment_status"),
                ledger: row.map(|row| text(row, "status")),
                agrees: row.map(|row| text(row, "status")) == provided,
                id,
            });
        }
    }
    found.sessions.reverse();
    let mut kinds: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut events = stage.provider.stripe.events(window);
    while let Some(page) = events.next_page().await? {
        for event in page {
            let pending = event.get("pending_webhooks").and_then(Value::as_u64).unwrap_or_default();
            let count = kinds.entry(text(&event, "type")).or_default();
            count.0 += 1;
            count.1 += u64::from(pending > 0);
        }
    }
    found.events = kinds.into_iter().map(|(kind, (all, pending))| (kind, all, pending)).collect();
    Ok(found)
}

/// The status that the ledger should have for a session; `None` where it should have none.
fn one(session: &Value, stage: &Stage<'_>) -> Option<String> {
    let mut provided = Provided::default();
    // What cannot be understood is told by the comparison of the checks.
    if provided.add_session(session, stage.context.clock.now()).is_err() {
        return None;
    }
    provided.records().first().map(|record| record.status.name().to_owned())
}
