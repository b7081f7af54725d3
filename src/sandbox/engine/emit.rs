//! Events: the record of what happened, and the plan of who is to be told.

use crate::sandbox::engine::index;
use crate::sandbox::engine::object::text;
use crate::sandbox::engine::object::{Object, Stored};
use crate::sandbox::engine::private::{Delivery, Envelope, Name, WebhookEndpointPart};
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::thin;
use crate::sandbox::engine::txn::{Txn, View, mark};
use crate::wire::render;
use serde_json::{Value, json};
use std::sync::Arc;

/// How long events are shown, in seconds: 30 days.
pub const KEPT_S: i64 = 30 * 86_400;
/// How often events that are too old to be shown are forgotten, in seconds.
pub const PRUNE_EVERY_S: i64 = 86_400;
/// The job that forgets them.
pub const PRUNE_JOB: &str = "event.prune";
/// The record that says that the job is scheduled: its kind and id.
pub const PRUNE_MARK: (&str, &str) = ("_mark", PRUNE_JOB);

/// Records an event about an object and plans one delivery for every enabled endpoint that wants `kind`.
pub fn emit(txn: &mut Txn<'_>, kind: &str, about: &Stored, previous: Option<Box<str>>) {
    let endpoints = subscribers(txn, kind);
    emit_to(txn, kind, about, previous, &endpoints);
}

/// Records an event and plans its delivery to these endpoints alone. Returns its id.
pub fn emit_to(
    txn: &mut Txn<'_>,
    kind: &str,
    about: &Stored,
    previous: Option<Box<str>>,
    endpoints: &[Subscriber],
) -> String {
    let of_payment = kind.starts_with("payment_intent.") || kind.starts_with("charge.");
    let (prefix, digits) = match kind {
        kind if thin::is_own(kind) => thin::OWN_ID,
        _ if of_payment => ("evt_3", 23),
        _ => ("evt_1", 23),
    };
    let id = txn.new_id(prefix, digits);
    record(txn, (&id, kind), about, previous, endpoints);
    id
}

/// Records an event of that id and type, and plans its delivery to these endpoints alone.
pub fn record(
    txn: &mut Txn<'_>,
    (id, kind): (&str, &str),
    about: &Stored,
    previous: Option<Box<str>>,
    endpoints: &[Subscriber],
) {
    let account = txn.scope().account.to_string();
    let envelope = Envelope {
        kind: Name::of(kind),
        api_version: Name::of(Settings::of(txn).get("api_version")),
        // Believed: also what happens by a test clock is told of in the time of the world, and is kept for that long.
        created: txn.world_now().0,
        account: (!account.is_empty()).then(|| account.as_str().into()),
        previous,
        request: txn.origin().request_id.as_deref().map(Box::from),
        idempotency_key: txn.origin().idempotency_key.as_deref().map(Box::from),
        about: about.seq,
        told: endpoints.iter().map(|endpoint| (endpoint.id().to_owned(), false)).collect(),
    };
    txn.put_event(id, Arc::clone(&about.text), envelope);
    for endpoint in endpoints {
        plan_at(txn, id, endpoint);
    }
    if txn.stored(PRUNE_MARK.0, PRUNE_MARK.1).is_none() {
        txn.put(mark(PRUNE_MARK.1));
        txn.off_timeline(|txn| {
            txn.schedule(txn.now().plus(KEPT_S), PRUNE_JOB, &json!({}));
        });
    }
}

/// [`emit_to`] about a document that is not stored.
pub fn emit_doc_to(txn: &mut Txn<'_>, kind: &str, doc: &Value, to: &[Subscriber]) -> String {
    emit_to(txn, kind, &unstored(doc), None, to)
}

/// A document that is not stored (the balance), as an event is about it.
pub fn unstored(doc: &Value) -> Stored {
    let text = render::compact(doc).into();
    Stored { kind: "", id: Arc::from(""), seq: 0, text, private: None }
}

/// Has the newest event of a type about an object show it as it is now: what it became in the same change.
pub fn retell(txn: &mut Txn<'_>, kind: &str, about: &Stored) {
    let all = txn.table("event").map(|all| all.indexed_before(index::key("type", kind), u64::MAX));
    // It is among the last ones: those before it are not looked at.
    let newest = all.into_iter().flatten().find_map(|stored| {
        let is_it = |it: &&Envelope| it.about == about.seq && &*it.kind == kind;
        let envelope = stored.part::<Envelope>().filter(is_it)?;
        Some((stored.id.to_string(), envelope.clone()))
    });
    if let Some((id, envelope)) = newest {
        txn.put_event(&id, Arc::clone(&about.text), envelope);
    }
}

/// Who is told of an event: an endpoint, and the account that has it.
#[derive(Clone, Debug)]
pub struct Subscriber {
    account: String,
    id: String,
}

impl Subscriber {
    /// An endpoint of the account that a change is about.
    pub fn own(txn: &Txn<'_>, id: &str) -> Self {
        Self { account: txn.scope().account.to_string(), id: id.to_owned() }
    }

    /// `we_…`.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Plans the delivery of an event, due at once. The record is the delivery's whole story: `attempts` is filled
/// in by whoever sends it, `due` is `None` once nothing is left to do. It stands where the endpoint stands.
pub fn plan_at(txn: &mut Txn<'_>, event_id: &str, to: &Subscriber) {
    let id = txn.new_id("wd_", 24);
    let now = txn.world_now().0;
    let delivery = Delivery {
        event: event_id.to_owned(),
        event_account: txn.scope().account.to_string(),
        endpoint: to.id.clone(),
        created: now,
        due: Some(now),
        ..Delivery::default()
    };
    txn.in_account(&to.account, |txn| txn.put_record("_delivery", &id, Arc::from(""), delivery));
    let known = txn
        .record::<Envelope>("event", event_id)
        .is_some_and(|event| event.told.iter().any(|(told, _)| *told == to.id));
    if !known {
        note(txn, event_id, &to.id, false);
    }
}

/// Notes whether an endpoint has accepted an event: `pending_webhooks` counts those that have not yet, each
/// endpoint once, however often the event is sent to it.
pub fn note(txn: &mut Txn<'_>, event_id: &str, endpoint_id: &str, accepted: bool) {
    txn.edit_record("event", event_id, |event: &mut Envelope| {
        match event.told.iter_mut().find(|(told, _)| told == endpoint_id) {
            Some((_, told)) => *told = accepted,
            None => event.told.push((endpoint_id.to_owned(), accepted)),
        }
    });
}

/// The kinds of objects that events are delivered to.
pub const ENDPOINTS: [&str; 3] = ["webhook_endpoint", "v2.core.event_destination", CREEM];

/// The kind of Creem's endpoints, which stand in an account of its own.
pub const CREEM: &str = "webhook";

/// The endpoint of an id, whichever kind it is of.
pub fn endpoint(view: &View, id: &str) -> Option<Arc<Object>> {
    ENDPOINTS.iter().find_map(|kind| view.get(kind, id))
}

/// Where an endpoint's events are sent to.
pub fn url(endpoint: &Value) -> &str {
    text(endpoint.get("webhook_endpoint").unwrap_or(endpoint), "url")
}

/// Whether an endpoint is told of events without their objects.
pub fn is_thin(endpoint: &Value) -> bool {
    text(endpoint, "event_payload") == "thin"
}

/// The enabled endpoints that are subscribed to a type, oldest first; `*` stands for all types. An event of a
/// connected account also goes to the platform's endpoints that ask for those.
pub fn subscribers(txn: &Txn<'_>, kind: &str) -> Vec<Subscriber> {
    let account = txn.scope().account.to_string();
    let mut found = Vec::new();
    for endpoints in ENDPOINTS {
        found.extend(of_account(txn, endpoints, kind, &account, false));
        if !account.is_empty() {
            found.extend(of_account(&txn.at(""), endpoints, kind, "", true));
        }
    }
    found
}

fn of_account(
    view: &View,
    endpoints: &str,
    kind: &str,
    account: &str,
    connect: bool,
) -> Vec<Subscriber> {
    let all: Vec<Arc<Object>> = view.newest(endpoints).collect();
    let wanting = all.iter().rev().filter(|endpoint| {
        text(endpoint, "status") == "enabled" && hears(endpoint, connect) && wants(endpoint, kind)
    });
    let subscriber = |endpoint: &Arc<Object>| Subscriber {
        account: account.to_owned(),
        id: text(endpoint, "id").to_owned(),
    };
    wanting.map(subscriber).collect()
}

/// Whether an endpoint is told of connected accounts' events, or of its account's own.
fn hears(endpoint: &Object, connect: bool) -> bool {
    match endpoint.get("events_from").and_then(Value::as_array) {
        Some(from) => from.iter().any(|it| it == if connect { "@accounts" } else { "@self" }),
        None => endpoint.part::<WebhookEndpointPart>().connect == connect,
    }
}

fn wants(endpoint: &Object, kind: &str) -> bool {
    let named = if is_thin(endpoint) {
        thin::name(kind)
    } else {
        (!thin::is_own(kind)).then_some(kind.into())
    };
    let Some(named) = named else { return false };
    let wanted = endpoint.get("enabled_events").and_then(Value::as_array);
    wanted.is_some_and(|wanted| wanted.iter().any(|it| *it == *named || it == "*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::delivery::{self, Turn};
    use crate::sandbox::testing::Lab;

    /// An endpoint of the account, told of connected accounts' events or of its own: its id.
    fn endpoint(lab: &mut Lab, account: &str, connect: bool) -> String {
        let make = |txn: &mut Txn<'_>| {
            let id = txn.new_id("we_1", 23);
            let doc = json!({"id": id, "object": "webhook_endpoint", "status": "enabled",
                "enabled_events": ["*"], "url": "http://127.0.0.1:9/"});
            let secret = "whsec_0123456789abcdef0123456789abcdef".to_owned();
            txn.put_with(doc, WebhookEndpointPart { secret, connect, standard: false });
            id
        };
        let now = lab.now.0;
        lab.at(now, |txn| txn.in_account(account, make))
    }

    /// Emits an event in an account; which endpoint is sent what, by the account that has the endpoint.
    fn sent(lab: &mut Lab, account: &str) -> Vec<(String, Value)> {
        let now = lab.now.0;
        lab.at(now, |txn| {
            txn.in_account(account, |txn| {
                let product = json!({"id": "prod_1", "object": "product"});
                txn.emit_about("product.created", &product);
            });
        });
        let views = ["", "acct_1"].map(|account| lab.view().at(account));
        let turns = views.iter().flat_map(|view| {
            delivery::pending(view).into_iter().map(|planned| {
                let Turn::Send(delivery) = delivery::turn(view, &planned.id) else {
                    panic!("nothing to send")
                };
                (planned.endpoint, serde_json::from_slice(&delivery.body).unwrap())
            })
        });
        turns.collect()
    }

    #[test]
    fn events_of_a_connected_account_go_to_connect_endpoints_and_name_the_account() {
        let mut lab = Lab::new();
        let platform = endpoint(&mut lab, "", false);
        let connect = endpoint(&mut lab, "", true);
        let connected = endpoint(&mut lab, "acct_1", false);
        let found = sent(&mut lab, "acct_1");
        let told: Vec<_> = found.iter().map(|(endpoint, _)| endpoint).collect();
        assert_eq!(told, [&connect, &connected], "and not {platform}, which is for its own");
        assert!(found.iter().all(|(_, event)| event["account"] == "acct_1"), "{found:?}");
        assert_eq!(found[0].1["pending_webhooks"], 2);

        let mut lab = Lab::new();
        let own = endpoint(&mut lab, "", false);
        endpoint(&mut lab, "", true);
        let found = sent(&mut lab, "");
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].0, found[0].1.get("account")), (&own, None));
    }

    #[test]
    fn events_about_one_object_are_told_from_those_about_others() {
        let mut lab = Lab::new();
        endpoint(&mut lab, "", false);
        let now = lab.now.0;
        lab.at(now, |txn| {
            for id in ["cus_1", "cus_2", "cus_1"] {
                let customer = txn.put(json!({"id": id, "object": "customer"}));
                txn.emit("customer.updated", &customer);
            }
            for doc in [json!({"object": "balance"}), json!({"object": "balance"})] {
                txn.emit_about("balance.available", &doc);
            }
            txn.emit_about("product.created", &json!({"id": "prod_1", "object": "product"}));
        });
        let view = lab.view();
        let abouts: Vec<_> = delivery::pending(&view)
            .iter()
            .map(|planned| delivery::about(&view, planned))
            .collect();
        assert_eq!((abouts[0], abouts[3]), (abouts[2], abouts[4]));
        let mut different = vec![abouts[0], abouts[1], abouts[3], abouts[5]];
        different.dedup();
        assert_eq!(different.len(), 4);
    }
}
