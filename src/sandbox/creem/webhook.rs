//! Webhooks: who is told of what, and the events that tell it.

use crate::domain::time::Timestamp;
use crate::sandbox::creem::check::{Field, Kind, may, may_be_null, need};
use crate::sandbox::creem::document::{Asked, all, find, iso, new, page, refuse, text};
use crate::sandbox::deliver::attempt::signatures;
use crate::sandbox::engine::delivery::{self, Turn};
use crate::sandbox::engine::emit::{self, Subscriber};
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{
    Attempted, Delivery, DeliveryStatus, Envelope, WebhookEndpointPart,
};
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The kind of webhooks.
pub const KIND: &str = emit::CREEM;

/// Every type of event that a webhook can be told of.
pub const EVENTS: &[&str] = &[
    "checkout.completed",
    "refund.created",
    "dispute.created",
    "subscription.active",
    "subscription.trialing",
    "subscription.canceled",
    "subscription.scheduled_cancel",
    "subscription.paid",
    "subscription.expired",
    "subscription.unpaid",
    "subscription.update",
    "subscription.past_due",
    "subscription.paused",
    "customer_credits.exhausted",
    "credits.granted",
    "credits.consumed",
    "credits.auto_recharged",
];

/// How many digits a secret has: as many as make whole bytes in base64.
const SECRET_DIGITS: usize = 32;

/// What a webhook is made with.
pub const CREATE: &[Field] = &[
    may("url", Kind::Url),
    may("delivery_mode", Kind::OneOf(&["http", "cli"])),
    may("name", Kind::Text),
    may("events", Kind::EachOf(EVENTS)),
];

/// What of one can be changed.
pub const UPDATE: &[Field] = &[
    may("url", Kind::Url),
    may_be_null("name", Kind::Text),
    may("status", Kind::OneOf(&["enabled", "disabled"])),
    may("events", Kind::EachOf(EVENTS)),
];

/// How many events are waited for.
pub const PENDING: &[Field] = &[may("limit", Kind::Int(1, 100))];

/// What became of an event that was fetched.
pub const ACKNOWLEDGE: &[Field] =
    &[need("status_code", Kind::Int(100, 599)), may("response_body", Kind::Text)];

/// `POST /v1/webhooks`.
pub fn create(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let secret = txn.new_id("whsec_", SECRET_DIGITS);
    make(txn, &asked.params, &secret, false)
}

/// A new webhook, signed with a secret, by the second scheme as well where that is asked for.
pub fn make(
    txn: &mut Txn<'_>,
    sent: &Map<String, Value>,
    secret: &str,
    standard: bool,
) -> Result<Value, Failure> {
    let said = |name: &str| sent.get(name).cloned();
    let is_cli = said("delivery_mode").is_some_and(|mode| mode == "cli");
    let url = said("url").filter(|_| !is_cli);
    if url.is_none() && !is_cli {
        return Err(refuse(400, "url is required unless delivery_mode is cli"));
    }
    let events = said("events").filter(|it| it.as_array().is_some_and(|all| !all.is_empty()));
    let members = json!({
        "store_id": "sto_stripegym",
        "name": said("name"),
        "url": url.unwrap_or_else(|| json!("")),
        "delivery_mode": if is_cli { "cli" } else { "http" },
        "status": "enabled",
        "events": events.unwrap_or_else(|| json!(EVENTS)),
    });
    let mut doc = new(txn, (KIND, "wh_"), members);
    doc.retain(|name, _| !matches!(name.as_str(), "created_at" | "updated_at"));
    let part = WebhookEndpointPart { secret: secret.to_owned(), connect: false, standard };
    let mut made = txn.put_with(doc, part).document();
    if let Value::Object(doc) = &mut made {
        // It is shown to who makes it, and to who asks for it.
        doc.insert("secret".to_owned(), json!(secret));
    }
    Ok(made)
}

/// Has an address told of everything, unless it is registered already; a secret that is named is its from now on.
pub async fn register(world: &World, url: &str, secret: Option<String>) -> Result<Value, Failure> {
    let change = |txn: &mut Txn<'_>| {
        let known = all(txn, KIND, |it| text(it, "url") == url).pop();
        let Some(known) = known else {
            let own = secret.unwrap_or_else(|| txn.new_id("whsec_", SECRET_DIGITS));
            let sent = Map::from_iter([("url".to_owned(), json!(url))]);
            return make(txn, &sent, &own, false);
        };
        if let Some(secret) = secret {
            let edit = |part: &mut WebhookEndpointPart| part.secret = secret;
            txn.edit_part(KIND, text(&known, "id"), edit);
        }
        Ok(known.document())
    };
    world.at(super::ACCOUNT).change(Origin::default(), change).await
}

/// `GET /v1/webhooks`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table, whose others can fail")]
pub fn list(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    Ok(page(asked, &all(txn, KIND, |_| true), Object::document))
}

/// `GET /v1/webhooks/{id}`.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    Ok(find(txn, KIND, asked.id())?.document())
}

/// `PATCH /v1/webhooks/{id}`.
pub fn update(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    find(txn, KIND, asked.id())?;
    txn.edit(KIND, asked.id(), |doc| {
        for (name, value) in &asked.params {
            doc.insert(name.clone(), value.clone());
        }
    });
    get(txn, asked)
}

/// `DELETE /v1/webhooks/{id}`: what it was not told yet it is not told any more.
pub fn delete(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = find(txn, KIND, asked.id())?.document();
    delivery::cancel_all(txn, asked.id());
    txn.remove(KIND, asked.id());
    Ok(found)
}

/// `GET /v1/webhooks/{id}/secret`.
pub fn secret(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = find(txn, KIND, asked.id())?;
    Ok(json!({"secret": found.part::<WebhookEndpointPart>().secret}))
}

/// `GET /v1/webhooks/{id}/events/pending`: what waits to be fetched, the oldest first.
pub fn pending(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    find(txn, KIND, asked.id())?;
    let most = usize::try_from(asked.int("limit").unwrap_or(10)).unwrap_or(usize::MAX);
    let waiting = waiting(txn, asked.id());
    let items: Vec<Value> = waiting.iter().take(most).filter_map(|id| fetched(txn, id)).collect();
    Ok(json!({"items": items}))
}

fn fetched(txn: &Txn<'_>, id: &str) -> Option<Value> {
    let Turn::Send(sent) = delivery::turn(txn, id) else { return None };
    let event = &txn.record::<Delivery>(delivery::KIND, id)?.event;
    let envelope = txn.record::<Envelope>("event", event)?;
    let mut headers: Map<String, Value> = signatures(&sent, txn.now())
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    headers.insert("content-type".to_owned(), json!("application/json"));
    Some(json!({
        "id": event, "object": "webhook_event", "event_type": &*envelope.kind,
        "created_at": iso(Timestamp(envelope.created)),
        "body": String::from_utf8_lossy(&sent.body), "headers": headers,
    }))
}

/// The deliveries to a webhook that nobody has accepted yet, the oldest first.
fn waiting(txn: &Txn<'_>, webhook: &str) -> Vec<Arc<str>> {
    let key = index::key("endpoint", webhook);
    let table = txn.table(delivery::KIND).into_iter();
    let open = table.flat_map(|table| table.indexed_before(key, u64::MAX)).filter(|stored| {
        let found = stored.part::<Delivery>();
        found.is_some_and(|it| it.endpoint == webhook && it.status == DeliveryStatus::Pending)
    });
    let mut open: Vec<Arc<str>> = open.map(|stored| Arc::clone(&stored.id)).collect();
    open.reverse();
    open
}

/// `POST /v1/webhooks/{id}/events/{event}/ack`: what was fetched was accepted, or not.
pub fn acknowledge(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    find(txn, KIND, asked.id())?;
    let event = asked.ids.get(1).cloned().unwrap_or_default();
    let is_it = |id: &Arc<str>| {
        txn.record::<Delivery>(delivery::KIND, id).is_some_and(|it| it.event == event)
    };
    let found = waiting(txn, asked.id()).into_iter().find(is_it);
    let found = found.ok_or_else(|| refuse(404, "Webhook event not found"))?;
    let status = asked.int("status_code").and_then(|status| u16::try_from(status).ok());
    let now = txn.now().0;
    let accepted = status.is_some_and(|status| (200..300).contains(&status));
    txn.edit_record(delivery::KIND, &found, |it: &mut Delivery| {
        it.attempts.push(Attempted {
            at: now,
            status,
            response: asked.text("response_body").unwrap_or_default().to_owned(),
            ..Attempted::default()
        });
        it.status = if accepted { DeliveryStatus::Succeeded } else { DeliveryStatus::Failed };
    });
    if accepted {
        emit::note(txn, &event, asked.id(), true);
    }
    Ok(json!({"id": event, "object": "webhook_event", "success": accepted}))
}

/// Records an event about an object as it is now, and has every webhook told that asks for its type.
pub fn tell(txn: &mut Txn<'_>, kind: &str, about: &Value) {
    let wants = |it: &Object| {
        let events = it.get("events").and_then(Value::as_array);
        text(it, "status") == "enabled" && events.into_iter().flatten().any(|name| name == kind)
    };
    let mut hearing = all(txn, KIND, wants);
    hearing.reverse();
    let is_cli = |it: &&Arc<Object>| text(it, "delivery_mode") == "cli";
    let subscriber = |it: &Arc<Object>| Subscriber::own(txn, text(it, "id"));
    let told: Vec<Subscriber> = hearing.iter().filter(|it| !is_cli(it)).map(subscriber).collect();
    let fetched: Vec<Subscriber> = hearing.iter().filter(is_cli).map(subscriber).collect();
    let id = txn.new_id("evt_", 22);
    emit::record(txn, (&id, kind), &emit::unstored(about), None, &told);
    for webhook in &fetched {
        keep(txn, &id, webhook);
    }
}

/// Keeps an event for whoever fetches it: it is never due.
fn keep(txn: &mut Txn<'_>, event: &str, webhook: &Subscriber) {
    let id = txn.new_id("wd_", 24);
    let delivery = Delivery {
        event: event.to_owned(),
        event_account: txn.scope().account.to_string(),
        endpoint: webhook.id().to_owned(),
        created: txn.world_now().0,
        ..Delivery::default()
    };
    txn.put_record(delivery::KIND, &id, Arc::from(""), delivery);
}
