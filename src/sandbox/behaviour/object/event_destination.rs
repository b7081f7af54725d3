//! Event destinations: who is told of events, with their objects or without. Of the places that they may be, webhook
//! endpoints are delivered to; the others belong to clouds that are not here.
//!
//! What was not recorded is believed: that `*` stands for all types, the words of the refusals, and that a ping is
//! refused where a destination is disabled.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, text};
use crate::sandbox::behaviour::object::thin_event;
use crate::sandbox::behaviour::object::webhook_endpoint::{self, missing_param};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::neighbours;
use crate::sandbox::engine::delivery;
use crate::sandbox::engine::emit::{self, Subscriber};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::WebhookEndpointPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use crate::wire::render;
use serde_json::{Value, json};
use std::sync::Arc;

const KIND: &str = "v2.core.event_destination";
/// Whose events a destination may ask for.
const SOURCES: [&str; 2] = ["@self", "@accounts"];

/// The behaviour of `/v2/core/event_destinations`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v2/core/event_destinations" => create,
        "GET /v2/core/event_destinations" => list_all,
        "GET /v2/core/event_destinations/{id}" => retrieve,
        "POST /v2/core/event_destinations/{id}" => update,
        "DELETE /v2/core/event_destinations/{id}" => delete,
        "POST /v2/core/event_destinations/{id}/disable" => disable,
        "POST /v2/core/event_destinations/{id}/enable" => enable,
        "POST /v2/core/event_destinations/{id}/ping" => ping,
        _ => return None,
    })
}

/// The secret is shown here, where it is asked for, and never again.
fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of an event destination", &["amazon_eventbridge", "azure_event_grid"])?;
    if call.text("type") != Some("webhook_endpoint") {
        let kind = call.text("type").unwrap_or_default();
        let text = format!("An event destination in a cloud ({kind}) cannot be reached from here.");
        return Err(Failure::invalid(text).param("type"));
    }
    if call.hash("webhook_endpoint").is_none() {
        return Err(missing_param("webhook_endpoint"));
    }
    let is_thin = call.text("event_payload") == Some("thin");
    if is_thin && call.sent("snapshot_api_version") {
        let text =
            "`snapshot_api_version` is for snapshot events only: thin events have no version.";
        return Err(Failure::invalid(text).param("snapshot_api_version"));
    }
    webhook_endpoint::ensure_room(txn)?;
    let now = txn.now().rfc3339();
    let version = (!is_thin).then(|| {
        call.text("snapshot_api_version").unwrap_or(Catalog::get().api_version()).to_owned()
    });
    let doc = json!({
        "id": txn.new_id("ed_test_6", 40), "object": KIND, "amazon_eventbridge": null,
        "azure_event_grid": null, "created": now, "description": "", "enabled_events": [],
        "event_payload": call.text("event_payload"), "events_from": ["@self"],
        "livemode": false, "metadata": {}, "name": "", "snapshot_api_version": version,
        "status": "enabled", "status_details": null, "type": "webhook_endpoint", "updated": now,
        "webhook_endpoint": {"signing_secret": null, "url": null},
    });
    let mut doc = doc.as_object().cloned().unwrap_or_default();
    if let Some(from) = call.get("events_from") {
        check_sources(call)?;
        doc.insert("events_from".to_owned(), from.clone());
    }
    apply(txn, &mut doc, call)?;
    let secret = txn.new_id("whsec_", 32);
    let part = WebhookEndpointPart { secret: secret.clone(), ..WebhookEndpointPart::default() };
    let made = txn.put_with(doc, part);
    Ok(shown(&made, call, Some(&secret)).into())
}

/// As an answer shows it: what is not asked for is null, and the secret everywhere but where it was made.
fn shown(destination: &Object, call: &Call, secret: Option<&str>) -> Value {
    let mut shown = destination.document();
    let is_asked = |name: &str| call.list("include").iter().any(|it| it == name);
    if let Some(Value::Object(endpoint)) = shown.get_mut("webhook_endpoint") {
        if !is_asked("webhook_endpoint.url") {
            endpoint.insert("url".to_owned(), Value::Null);
        }
        let secret = secret.filter(|_| is_asked("webhook_endpoint.signing_secret"));
        endpoint.insert("signing_secret".to_owned(), json!(secret));
    }
    shown
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find(KIND, call.id(0), "id")?;
    Ok(shown(&found, call, None).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    neighbours::page(txn, call, KIND, &[], |stored| {
        render::compact(&shown(&Object::read(stored), call, None)).into()
    })
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    change(txn, call, |txn, doc| apply(txn, doc, call))
}

fn disable(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    set(txn, call, "disabled", json!({"disabled": {"reason": "user"}}))
}

fn enable(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    set(txn, call, "enabled", Value::Null)
}

fn set(txn: &mut Txn<'_>, call: &Call, status: &str, details: Value) -> Result<Body, Failure> {
    change(txn, call, |_, doc| {
        doc.insert("status".to_owned(), json!(status));
        doc.insert("status_details".to_owned(), details);
        Ok(())
    })
}

fn change(
    txn: &mut Txn<'_>,
    call: &Call,
    write: impl FnOnce(&Txn<'_>, &mut Doc) -> Result<(), Failure>,
) -> Result<Body, Failure> {
    let before = txn.find(KIND, call.id(0), "id")?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    write(txn, &mut doc)?;
    doc.insert("updated".to_owned(), json!(txn.now().rfc3339()));
    Ok(shown(&txn.put(doc), call, None).into())
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    txn.find(KIND, id, "id")?;
    txn.remove(KIND, id);
    delivery::cancel_all(txn, id);
    Ok(json!({"id": id, "object": KIND}).into())
}

/// Sends a thin event to this destination alone, whichever it is subscribed to. Returns it.
fn ping(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found: Arc<Object> = txn.find(KIND, call.id(0), "id")?;
    if text(&found, "status") != "enabled" {
        let text = format!("The event destination {} is disabled: enable it first.", call.id(0));
        return Err(Failure::invalid(text));
    }
    let to = [Subscriber::own(txn, call.id(0))];
    let kind = format!("{KIND}.ping");
    let about = json!({"id": call.id(0), "object": KIND});
    let id = emit::emit_doc_to(txn, &kind, &about, &to);
    let event = txn.stored("event", &id).map(|stored| thin_event::shown(stored));
    event.map(Body::Text).ok_or_else(|| Failure::missing("event", &id, "id"))
}

/// What creating and updating have in common.
fn apply(txn: &Txn<'_>, doc: &mut Doc, call: &Call) -> Result<(), Failure> {
    if let Some(url) = call.hash("webhook_endpoint").and_then(|it| it.get("url")) {
        webhook_endpoint::check_url(url.as_str().unwrap_or_default(), &txn.site().beyond)
            .map_err(|failure| failure.param("webhook_endpoint[url]"))?;
        doc.insert("webhook_endpoint".to_owned(), json!({"signing_secret": null, "url": url}));
    }
    if call.sent("enabled_events") {
        let is_thin = doc.get("event_payload") == Some(&json!("thin"));
        check_types(call, is_thin)?;
    }
    copy(doc, call, &["description", "enabled_events", "name"]);
    merge_metadata(doc, &call.params);
    Ok(())
}

fn check_types(call: &Call, is_thin: bool) -> Result<(), Failure> {
    let wanted = call.list("enabled_events");
    if wanted.is_empty() {
        return Err(missing_param("enabled_events"));
    }
    let catalog = Catalog::get();
    let is_known = |kind: &str| {
        let is_listed = catalog.event_types().contains(&kind);
        kind == "*" || if is_thin { catalog.is_thin_event(kind) } else { is_listed }
    };
    let wrong = wanted.iter().enumerate().find_map(|(at, kind)| {
        let kind = kind.as_str().unwrap_or_default();
        (!is_known(kind)).then_some((at, kind))
    });
    let Some((at, kind)) = wrong else { return Ok(()) };
    let other = if is_thin { "thin" } else { "snapshot" };
    let text = format!("Invalid event type `{kind}`: there is no {other} event of that type.");
    Err(Failure::invalid(text).param(format!("enabled_events[{at}]")))
}

fn check_sources(call: &Call) -> Result<(), Failure> {
    let sent = call.list("events_from");
    let wrong = sent.iter().position(|it| !SOURCES.iter().any(|source| it == source));
    match wrong {
        None if !sent.is_empty() => Ok(()),
        None => Err(missing_param("events_from")),
        Some(at) => {
            let text = "Invalid events_from: an account's destination hears of `@self` and `@accounts`; organizations are not modelled by this sandbox.";
            Err(Failure::invalid(text).param(format!("events_from[{at}]")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::delivery::Turn;
    use crate::sandbox::testing::Lab;

    const PATH: &str = "/v2/core/event_destinations";

    fn asked(events: &[&str], payload: &str) -> Value {
        json!({
            "name": "Shop", "type": "webhook_endpoint", "event_payload": payload,
            "enabled_events": events, "webhook_endpoint": {"url": "http://127.0.0.1:9/thin"},
        })
    }

    fn with(mut params: Value, name: &str, value: Value) -> Value {
        params[name] = value;
        params
    }

    /// What waits to be sent, by the account that has the endpoint: the bodies, oldest first.
    fn waiting(lab: &Lab, account: &str) -> Vec<Value> {
        let view = lab.view().at(account);
        let body = |id: &str| match delivery::turn(&view, id) {
            Turn::Send(delivery) => serde_json::from_slice(&delivery.body).unwrap(),
            other => panic!("{other:?}"),
        };
        delivery::pending(&view).iter().map(|planned| body(&planned.id)).collect()
    }

    #[test]
    fn a_destination_is_made_shown_changed_disabled_and_deleted() {
        let mut lab = Lab::new();
        let include = json!(["webhook_endpoint.signing_secret", "webhook_endpoint.url"]);
        let params = with(asked(&["v1.customer.created"], "thin"), "include", include);
        let made = lab.ok(&format!("POST {PATH}"), params);
        let secret = made["webhook_endpoint"]["signing_secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_") && secret.len() == 38);
        assert_eq!(
            (&made["events_from"], &made["snapshot_api_version"]),
            (&json!(["@self"]), &Value::Null)
        );
        let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
        let plain = lab.ok(&format!("GET {one}"), json!({}));
        assert_eq!(plain["webhook_endpoint"], json!({"signing_secret": null, "url": null}));
        let url = json!({"include": ["webhook_endpoint.url"]});
        let shown = lab.ok(&format!("GET {one}"), url.clone());
        assert_eq!(shown["webhook_endpoint"]["url"], "http://127.0.0.1:9/thin");
        assert_eq!(lab.ok(&format!("GET {PATH}"), url)["data"], json!([shown]));
        lab.advance(5);
        let change = json!({"name": "Till", "enabled_events": ["*"], "metadata": {"a": "1"}});
        let changed = lab.ok(&format!("POST {one}"), change);
        assert_eq!((&changed["name"], &changed["metadata"]), (&json!("Till"), &json!({"a": "1"})));
        assert_ne!(changed["updated"], changed["created"]);
        let off = lab.ok(&format!("POST {one}/disable"), json!({}));
        assert_eq!(
            (&off["status"], &off["status_details"]),
            (&json!("disabled"), &json!({"disabled": {"reason": "user"}}))
        );
        assert_eq!(lab.call(&format!("POST {one}/ping"), json!({})).unwrap_err().status, 400);
        lab.ok("POST /v1/customers", json!({}));
        assert_eq!(waiting(&lab, ""), Vec::<Value>::new(), "nobody tells a disabled one");
        let on = lab.ok(&format!("POST {one}/enable"), json!({}));
        assert_eq!((&on["status"], &on["status_details"]), (&json!("enabled"), &Value::Null));
        let gone = lab.ok(&format!("DELETE {one}"), json!({}));
        assert_eq!(gone, json!({"id": made["id"], "object": KIND}));
        assert_eq!(lab.call(&format!("GET {one}"), json!({})).unwrap_err().status, 404);
    }

    #[test]
    fn what_is_no_event_or_no_place_is_refused() {
        let mut lab = Lab::new();
        for (params, param) in [
            (asked(&[], "thin"), "enabled_events"),
            (asked(&["customer.created"], "thin"), "enabled_events[0]"),
            (asked(&["*", "v1.customer.created"], "snapshot"), "enabled_events[1]"),
            (with(asked(&["*"], "thin"), "webhook_endpoint", json!(null)), "webhook_endpoint"),
            (
                with(asked(&["*"], "thin"), "webhook_endpoint", json!({"url": "nowhere"})),
                "webhook_endpoint[url]",
            ),
            (
                with(asked(&["*"], "thin"), "snapshot_api_version", json!("2025-01-27.acacia")),
                "snapshot_api_version",
            ),
            (
                with(asked(&["*"], "thin"), "events_from", json!(["@organization_members"])),
                "events_from[0]",
            ),
            (with(asked(&["*"], "thin"), "type", json!("azure_event_grid")), "type"),
        ] {
            let failure = lab.call(&format!("POST {PATH}"), params.clone()).unwrap_err();
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)), "{params}");
        }
    }

    #[test]
    fn each_destination_is_told_what_it_asked_for_in_its_own_form() {
        let mut lab = Lab::new();
        let make = format!("POST {PATH}");
        let thin = lab.ok(&make, asked(&["v1.customer.created"], "thin"));
        let old = with(
            asked(&["customer.created"], "snapshot"),
            "snapshot_api_version",
            json!("2022-11-15"),
        );
        lab.ok(&make, old);
        let all = asked(&["*"], "thin");
        lab.ok(&make, with(all, "events_from", json!(["@accounts"])));
        let hook = json!({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]});
        lab.ok("POST /v1/webhook_endpoints", hook);
        let customer = lab.ok("POST /v1/customers", json!({"name": "Aki"}));
        let sent = waiting(&lab, "");
        let kinds: Vec<_> = sent.iter().map(|it| (&it["object"], &it["type"])).collect();
        let thin_kind = (&json!("v2.core.event"), &json!("v1.customer.created"));
        let whole_kind = (&json!("event"), &json!("customer.created"));
        assert_eq!(kinds, [whole_kind, thin_kind, whole_kind], "the hook's comes first");
        assert_eq!(sent[2]["api_version"], "2022-11-15");
        assert_eq!(sent[1]["related_object"]["id"], customer["id"]);
        assert_eq!(sent[1].get("data").or(sent[1].get("snapshot_event")), None);

        let account = lab.ok("POST /v1/accounts", json!({"type": "custom", "country": "US"}));
        let account = account["id"].as_str().unwrap();
        let before = waiting(&lab, "").len();
        lab.within(account, |lab| lab.ok("POST /v1/products", json!({"name": "Tea"})));
        let sent = waiting(&lab, "");
        assert_eq!(sent.len(), before + 1);
        let last = sent.last().unwrap();
        assert_eq!(
            (&last["type"], &last["context"]),
            (&json!("v1.product.created"), &json!(account))
        );

        let ping = lab.ok(&format!("POST {PATH}/{}/ping", thin["id"].as_str().unwrap()), json!({}));
        let sent = waiting(&lab, "");
        let last = sent.last().unwrap();
        assert_eq!(
            (&last["id"], &last["type"]),
            (&ping["id"], &json!("v2.core.event_destination.ping"))
        );
        assert_eq!(last["related_object"]["id"], thin["id"]);
        // It is no event of v1, whoever asks.
        let id = ping["id"].as_str().unwrap();
        assert_eq!(lab.ok(&format!("GET /v2/core/events/{id}"), json!({})), ping);
        assert_eq!(lab.call(&format!("GET /v1/events/{id}"), json!({})).unwrap_err().status, 404);
        let listed = lab.ok("GET /v1/events", json!({"limit": 100}));
        assert!(!listed.to_string().contains(id));
    }
}
