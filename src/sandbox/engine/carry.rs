//! Carries a `sandbox.db` of the layout before over into this one: its documents had their private members
//! in them, under names that start with `_`.

use crate::sandbox::engine::journal;
use crate::sandbox::engine::line_look::LineLook;
use crate::sandbox::engine::private::{
    Answered, Attempted, ChargePart, CustomerPart, Delivery, DeliveryStatus, Envelope, Job, Name,
    Part, PaymentIntentPart, PaymentMethodPart, PricePart, Private, RefundPart, SessionPart,
    WebhookEndpointPart,
};
use crate::wire::render;
use rusqlite::{Connection, params};
use serde_json::{Map, Value};

/// Rewrites the file in one transaction: either all of it is carried over, or nothing has changed.
///
/// The layout before held card numbers: what is freed is overwritten, and the log that had it is emptied.
pub(super) fn over(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "secure_delete", "ON")?;
    rewrite(connection)?;
    for sql in ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        // Everything is carried over already; this only takes room and what others have open.
        if let Err(error) = connection.execute_batch(sql) {
            tracing::warn!(%error, sql, "the room of the layout before could not be freed");
        }
    }
    Ok(())
}

fn rewrite(connection: &mut Connection) -> rusqlite::Result<()> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    work.execute_batch(journal::layout())?;
    {
        let mut old = work.prepare("SELECT seq, kind, id, doc FROM objects ORDER BY seq")?;
        let mut put = work.prepare(
            "INSERT INTO records (seq, world, account, kind, id, doc, private)
             VALUES (?1, 0, '', ?2, ?3, ?4, ?5)",
        )?;
        let mut rows = old.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, kind, id, doc): (i64, String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let failed = |error: serde_json::Error| {
                let kind = rusqlite::types::Type::Text;
                rusqlite::Error::FromSqlConversionFailure(3, kind, Box::new(error))
            };
            let doc: Value = serde_json::from_str(&doc).map_err(failed)?;
            let (text, private) = split(&kind, doc);
            let private = private.map(|p| serde_json::to_string(&p)).transpose().map_err(failed)?;
            put.execute(params![seq, kind, id, text, private])?;
        }
    }
    work.execute_batch(&format!(
        "UPDATE head SET last_seq = (SELECT coalesce(max(seq), 0) FROM records);
         DROP TABLE objects;
         DROP TABLE requests;
         PRAGMA user_version = {};",
        journal::SCHEMA
    ))?;
    work.commit()
}

/// A document of the layout before, as the text and the private part that are stored now.
fn split(kind: &str, doc: Value) -> (String, Option<Private>) {
    let Value::Object(mut doc) = doc else { return (String::new(), None) };
    let private = match kind {
        "event" => return event(doc),
        "_job" => return (String::new(), Some(job(&doc).stored())),
        "_delivery" => return (String::new(), Some(delivery(&doc).stored())),
        "_idempotency" => return answered(doc),
        "charge" => flag(&doc, "_available_at_once")
            .then(|| ChargePart { available_at_once: true }.stored()),
        "customer" => doc.get("_tax").map(|tax| {
            let part = tax.get("ip_address").and_then(Value::as_str).map(str::to_owned);
            CustomerPart { tax_ip_address: part, ..CustomerPart::default() }.stored()
        }),
        "payment_intent" => Some(
            PaymentIntentPart {
                session: text(&doc, "_session"),
                job: text(&doc, "_job"),
                radar_options: some(&doc, "_radar_options"),
                mandate_data: some(&doc, "_mandate_data"),
                ..PaymentIntentPart::default()
            }
            .stored(),
        ),
        "payment_method" => Some(
            PaymentMethodPart {
                cvc: flag(&doc, "_cvc"),
                spent: flag(&doc, "_spent"),
                set_up: flag(&doc, "_set_up"),
                ..PaymentMethodPart::default()
            }
            .stored(),
        ),
        "price" => Some(
            PricePart {
                tiers: some(&doc, "_tiers"),
                currency_options: some(&doc, "_currency_options"),
            }
            .stored(),
        ),
        "refund" => text(&doc, "_job").map(|job| RefundPart { job: Some(job) }.stored()),
        "webhook_endpoint" => {
            let secret = text(&doc, "_secret").unwrap_or_default();
            Some(WebhookEndpointPart { secret, ..WebhookEndpointPart::default() }.stored())
        }
        "checkout.session" => Some(session(&doc).stored()),
        _ => None,
    };
    (public(&mut doc), private)
}

/// The document without its private members, nor those of the objects within it.
fn public(doc: &mut Map<String, Value>) -> String {
    doc.retain(|name, _| !name.starts_with('_'));
    let mut value = Value::Object(std::mem::take(doc));
    strip(&mut value);
    render::compact(&value)
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("object").is_some_and(Value::is_string) {
                map.retain(|name, _| !name.starts_with('_'));
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn session(doc: &Map<String, Value>) -> SessionPart {
    let items = doc.get("_line_items").and_then(Value::as_array).cloned().unwrap_or_default();
    let look = |item: &Value| LineLook {
        image: item.get("_image").and_then(Value::as_str).map(str::to_owned),
        details: item.get("_details").and_then(Value::as_str).map(str::to_owned),
        ..LineLook::default()
    };
    let line_looks = items.iter().map(look).collect();
    let mut line_items = items;
    line_items.iter_mut().for_each(strip);
    SessionPart {
        line_items,
        line_looks,
        payment_intent_data: doc
            .get("_payment_intent_data")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        customer_update: some(doc, "_customer_update"),
        payer: some(doc, "_payer"),
        customer: text(doc, "_customer"),
        expire_job: text(doc, "_expire_job"),
        settle_job: text(doc, "_settle_job"),
        lapsed: flag(doc, "_lapsed"),
        ..SessionPart::default()
    }
}

fn event(mut doc: Map<String, Value>) -> (String, Option<Private>) {
    let told = doc.remove("_told");
    let told = told.as_ref().and_then(Value::as_object).into_iter().flatten();
    let mut data = match doc.remove("data") {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    let mut about = data.remove("object").unwrap_or_default();
    strip(&mut about);
    let request = |name: &str| {
        let request = doc.get("request").and_then(|request| request.get(name));
        request.and_then(Value::as_str).map(Box::from)
    };
    let envelope = Envelope {
        kind: Name::of(&text(&doc, "type").unwrap_or_default()),
        api_version: Name::of(&text(&doc, "api_version").unwrap_or_default()),
        created: doc.get("created").and_then(Value::as_i64).unwrap_or(0),
        account: None,
        previous: data.get("previous_attributes").map(|p| render::compact(p).into()),
        request: request("id"),
        idempotency_key: request("idempotency_key"),
        about: 0,
        told: told.map(|(id, accepted)| (id.clone(), accepted == &Value::Bool(true))).collect(),
    };
    (render::compact(&about), Some(envelope.stored()))
}

fn job(doc: &Map<String, Value>) -> Job {
    Job {
        name: text(doc, "job").unwrap_or_default(),
        args: doc.get("args").cloned().unwrap_or_default(),
        due: doc.get("due").and_then(Value::as_i64).unwrap_or(0),
        test_clock: None,
    }
}

fn delivery(doc: &Map<String, Value>) -> Delivery {
    let attempts = doc.get("attempts").and_then(Value::as_array).into_iter().flatten();
    Delivery {
        event: text(doc, "event").unwrap_or_default(),
        event_account: String::new(),
        endpoint: text(doc, "endpoint").unwrap_or_default(),
        created: doc.get("created").and_then(Value::as_i64).unwrap_or(0),
        due: doc.get("due").and_then(Value::as_i64),
        status: match text(doc, "status").as_deref() {
            Some("succeeded") => DeliveryStatus::Succeeded,
            Some("failed") => DeliveryStatus::Failed,
            Some("canceled") => DeliveryStatus::Canceled,
            _ => DeliveryStatus::Pending,
        },
        attempts: attempts
            .filter_map(|attempt| serde_json::from_value::<Attempted>(attempt.clone()).ok())
            .collect(),
    }
}

fn answered(mut doc: Map<String, Value>) -> (String, Option<Private>) {
    let mut body = doc.remove("body").unwrap_or_default();
    strip(&mut body);
    let status = doc.get("status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok());
    let part = Answered {
        path: text(&doc, "path").unwrap_or_default(),
        // Digests were made of bytes then, and are made of parameters now: no retry matches this one.
        digest: String::new(),
        status: status.unwrap_or(200),
        request: text(&doc, "request").unwrap_or_default(),
        due: doc.get("due").and_then(Value::as_i64).unwrap_or(0),
    };
    (render::compact(&body), Some(part.stored()))
}

fn text(doc: &Map<String, Value>, name: &str) -> Option<String> {
    doc.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn flag(doc: &Map<String, Value>, name: &str) -> bool {
    doc.get(name) == Some(&Value::Bool(true))
}

fn some(doc: &Map<String, Value>, name: &str) -> Option<Value> {
    doc.get(name).filter(|value| !value.is_null()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::journal::Journal;
    use crate::sandbox::engine::state::Scope;
    use serde_json::json;

    #[test]
    fn a_file_of_the_layout_before_keeps_everything_and_no_card_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(
            "CREATE TABLE objects (kind TEXT, id TEXT, seq INTEGER, doc TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
             CREATE TABLE requests (n INTEGER PRIMARY KEY);
             PRAGMA user_version = 1;",
        )
        .unwrap();
        for (seq, kind, doc) in [
            (1, "customer", json!({"object": "customer", "id": "cus_1", "email": "a@b.jp"})),
            (
                2,
                "payment_method",
                json!({
                    "object": "payment_method", "id": "pm_1", "_number": "4242424242424242", "_cvc": true,
                }),
            ),
            (
                3,
                "event",
                json!({
                    "object": "event", "id": "evt_1", "type": "customer.created", "created": 7,
                    "api_version": "v", "data": {"object": {"object": "customer", "id": "cus_1", "_x": 1}},
                    "request": {"id": "req_1", "idempotency_key": null}, "_told": {"we_1": false},
                }),
            ),
            (
                4,
                "_delivery",
                json!({
                    "object": "_delivery", "id": "wd_1", "event": "evt_1", "endpoint": "we_1", "created": 7,
                    "due": 7, "status": "pending", "attempts": [],
                }),
            ),
            (
                9,
                "_idempotency",
                json!({
                    "object": "_idempotency", "id": "key", "path": "/v1/customers", "digest": "d",
                    "status": 200, "body": {"id": "cus_1"}, "request": "req_1", "due": 99,
                }),
            ),
        ] {
            old.execute(
                "INSERT INTO objects VALUES (?1, ?2, ?3, ?4)",
                params![kind, doc["id"].as_str().unwrap(), seq, doc.to_string()],
            )
            .unwrap();
        }
        drop(old);
        let (state, number) = Journal::open(&path, None).unwrap().load().unwrap();
        let scope = Scope::platform(0);
        assert_eq!((number, state.objects(), state.last_seq()), (0, 5, 9));
        let event = state.get(&scope, "event", "evt_1").unwrap();
        let shown: Value = serde_json::from_str(&event.shown()).unwrap();
        assert_eq!(shown["data"]["object"], json!({"object": "customer", "id": "cus_1"}));
        assert_eq!(shown["pending_webhooks"], 1);
        let method = state.get(&scope, "payment_method", "pm_1").unwrap();
        assert!(method.part::<PaymentMethodPart>().unwrap().cvc);
        assert_eq!(state.table(&scope, "_delivery").unwrap().due(7).count(), 1);
        drop(state);
        // Also while it is open, and also in the log.
        let open = Journal::open(&path, None).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(16).any(|part| part == b"4242424242424242"));
        }
        drop(open);
        let again = Journal::open(&path, None).unwrap().load().unwrap().0;
        assert_eq!(again.objects(), 5);
    }
}
