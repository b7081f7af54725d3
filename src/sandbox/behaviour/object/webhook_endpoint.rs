//! Webhook endpoints: who is told of events, where, and with which secret.

use crate::net::outbound::Beyond;
use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::delivery;
use crate::sandbox::engine::emit;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::WebhookEndpointPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use reqwest::Url;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// How many endpoints an account may have.
const ENDPOINTS_MAX: usize = 16;

/// The behaviour of `/v1/webhook_endpoints`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/webhook_endpoints" => create,
        "GET /v1/webhook_endpoints" => list_all,
        "GET /v1/webhook_endpoints/{webhook_endpoint}" => retrieve,
        "POST /v1/webhook_endpoints/{webhook_endpoint}" => update,
        "DELETE /v1/webhook_endpoints/{webhook_endpoint}" => delete,
        _ => return None,
    })
}

/// The secret is shown here and never again.
fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    for name in ["url", "enabled_events"] {
        if call.get(name).is_none() {
            return Err(missing_param(name));
        }
    }
    ensure_room(txn)?;
    let secret = txn.new_id("whsec_", 32);
    let mut doc = Map::new();
    doc.insert("object".to_owned(), json!("webhook_endpoint"));
    doc.insert("id".to_owned(), json!(txn.new_id("we_1", 23)));
    for name in ["api_version", "application", "description"] {
        doc.insert(name.to_owned(), Value::Null);
    }
    doc.insert("created".to_owned(), json!(txn.now().0));
    doc.insert("livemode".to_owned(), json!(false));
    doc.insert("status".to_owned(), json!("enabled"));
    copy(&mut doc, call, &["api_version"]);
    apply(txn, &mut doc, call)?;
    let connect = call.flag("connect") == Some(true);
    let part = WebhookEndpointPart { secret: secret.clone(), connect, standard: false };
    let mut shown = txn.put_with(doc, part).document();
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("secret".to_owned(), json!(secret));
    }
    Ok(shown.into())
}

/// Fails where an account has as many endpoints as it may. That destinations count with them is believed.
pub fn ensure_room(txn: &Txn<'_>) -> Result<(), Failure> {
    let count: usize = emit::ENDPOINTS.iter().map(|kind| txn.count(kind)).sum();
    if count < ENDPOINTS_MAX {
        return Ok(());
    }
    let text = format!("You have reached the maximum of {ENDPOINTS_MAX} test webhook endpoints.");
    Err(Failure::invalid(text))
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("webhook_endpoint", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let before = txn.find("webhook_endpoint", call.id(0), "id")?;
    let mut doc = before.as_object().cloned().unwrap_or_default();
    apply(txn, &mut doc, call)?;
    if let Some(disabled) = call.flag("disabled") {
        let status = if disabled { "disabled" } else { "enabled" };
        doc.insert("status".to_owned(), json!(status));
    }
    Ok(txn.put(doc).into())
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    txn.find("webhook_endpoint", id, "id")?;
    txn.remove("webhook_endpoint", id);
    delivery::cancel_all(txn, id);
    Ok(json!({"id": id, "object": "webhook_endpoint", "deleted": true}).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    list::page(txn, call, "webhook_endpoint", &[])
}

/// What creating and updating have in common.
fn apply(txn: &Txn<'_>, doc: &mut Doc, call: &Call) -> Result<(), Failure> {
    if call.sent("url") {
        check_url(call.text("url").unwrap_or_default(), &txn.site().beyond)?;
    }
    if call.sent("enabled_events") && call.list("enabled_events").is_empty() {
        return Err(missing_param("enabled_events"));
    }
    copy(doc, call, &["description", "enabled_events", "url"]);
    merge_metadata(doc, &call.params);
    Ok(())
}

/// An absolute `http` or `https` URL with a host that may be called.
///
/// A public `https` URL is taken as well, as Stripe takes it: programs register the address that they have in
/// production, and a test of that must not fail because the sandbox is offline. Each of its deliveries says
/// why it was not sent. Any other host beyond this machine (`http://app:3000` in a network of containers) is
/// one that somebody waits at: there the missing flag is named at once.
pub fn check_url(text: &str, beyond: &Beyond) -> Result<(), Failure> {
    let wrong = |message: &str| Failure::invalid(message).code("url_invalid").param("url");
    if !text.contains("://") {
        return Err(wrong("Invalid URL: An explicit scheme (such as https) must be provided."));
    }
    let url = Url::parse(text).map_err(|_| wrong("Not a valid URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("Invalid URL: The scheme must be http or https."));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("Not a valid URL"));
    }
    if beyond.admits(&url) || (url.scheme() == "https" && is_public(&url)) {
        return Ok(());
    }
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
    let place = format!("{host}:{}", port.unwrap_or_default());
    Err(wrong(&format!(
        "Invalid URL: the sandbox delivers to this machine only, and {place} is not on it. Start it with --deliver-to {place} (or STRIPEGYM_DELIVER_TO={place}) to have events delivered there."
    )))
}

/// Whether the internet may know a URL's host.
fn is_public(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match host.parse().map(|address: IpAddr| address.to_canonical()) {
        Ok(IpAddr::V4(v4)) => !(v4.is_private() || v4.is_link_local()),
        Ok(IpAddr::V6(v6)) => !(v6.is_unique_local() || v6.is_unicast_link_local()),
        Err(_) => {
            let name = host.strip_suffix('.').unwrap_or(host);
            let is_inner = |end: &&str| name.strip_suffix(*end).is_some_and(|it| it.ends_with('.'));
            name.contains('.') && !["local", "internal", "home.arpa"].iter().any(is_inner)
        }
    }
}

/// The refusal of what lacks a parameter.
pub fn missing_param(name: &str) -> Failure {
    Failure::invalid(format!("Missing required param: {name}."))
        .code("parameter_missing")
        .param(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::call::Version;
    use crate::sandbox::testing::Lab;

    #[test]
    fn urls_need_a_scheme_that_can_be_called_and_a_host() {
        for good in ["http://127.0.0.1:4242/webhook", "https://shop.example/hook?x=1"] {
            assert_eq!(check_url(good, &Beyond::Nobody), Ok(()));
        }
        for bad in ["", "localhost:4242", "127.0.0.1/webhook", "ftp://x/", "http://", "http://a b/"]
        {
            let failure = check_url(bad, &Beyond::Nobody).unwrap_err();
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some("url")), "{bad}");
        }
    }

    #[test]
    fn what_could_not_be_delivered_is_refused_unless_it_is_a_public_address_of_production() {
        let allowed = Beyond::places(&["app:3000".to_owned()]);
        for good in [
            "https://shop.example/hook",
            "https://203.0.113.9/hook",
            "http://app:3000/hook",
            "http://shop.localhost:3000/",
            "http://0.0.0.0:3000/",
        ] {
            assert_eq!(check_url(good, &allowed), Ok(()), "{good}");
        }
        for (bad, place) in [
            ("http://app/hook", "app:80"),
            ("http://app:3001/hook", "app:3001"),
            ("https://app/hook", "app:443"),
            ("https://app.internal/hook", "app.internal:443"),
            ("https://10.0.0.7:8443/hook", "10.0.0.7:8443"),
            ("http://shop.example/hook", "shop.example:80"),
        ] {
            let failure = check_url(bad, &allowed).unwrap_err();
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some("url")), "{bad}");
            assert!(failure.message.contains(&format!("--deliver-to {place} ")), "{failure:?}");
        }
        assert_eq!(check_url("http://app/hook", &Beyond::Anybody), Ok(()));
    }

    fn run(lab: &mut Lab, key: &str, ids: &[&str], params: &Value) -> Result<Value, Failure> {
        let call = Call {
            key: key.to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            params: params.as_object().cloned().unwrap(),
            version: Version { text: String::new(), named: false },
        };
        lab.change(|txn| handler(key).unwrap()(txn, &call)).map(Body::into_document)
    }

    #[test]
    fn the_secret_is_shown_once_and_there_are_at_most_sixteen() {
        let mut state = Lab::new();
        let params = json!({"url": "http://127.0.0.1/", "enabled_events": ["*"]});
        let made = run(&mut state, "POST /v1/webhook_endpoints", &[], &params).unwrap();
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_") && secret.len() == 38);
        let path = "GET /v1/webhook_endpoints/{webhook_endpoint}";
        let shown = run(&mut state, path, &[made["id"].as_str().unwrap()], &json!({})).unwrap();
        assert_eq!(shown.get("secret"), None);
        assert!(!crate::wire::json::pretty(&shown).contains(secret));
        for _ in 1..ENDPOINTS_MAX {
            run(&mut state, "POST /v1/webhook_endpoints", &[], &params).unwrap();
        }
        let failure = run(&mut state, "POST /v1/webhook_endpoints", &[], &params).unwrap_err();
        assert!(failure.message.contains("16"));
    }

    #[test]
    fn an_endpoint_is_changed_disabled_and_deleted() {
        let mut state = Lab::new();
        let params =
            json!({"url": "http://127.0.0.1/", "enabled_events": ["*"], "description": "x"});
        let made = run(&mut state, "POST /v1/webhook_endpoints", &[], &params).unwrap();
        let id = made["id"].as_str().unwrap();
        let path = "POST /v1/webhook_endpoints/{webhook_endpoint}";
        let change = json!({"disabled": true, "description": null, "metadata": {"a": "1"}});
        let changed = run(&mut state, path, &[id], &change).unwrap();
        assert_eq!(
            (&changed["status"], &changed["description"], &changed["metadata"]["a"]),
            (&json!("disabled"), &Value::Null, &json!("1"))
        );
        assert!(run(&mut state, path, &[id], &json!({"enabled_events": []})).is_err());
        let path = path.replace("POST", "DELETE");
        let gone = run(&mut state, &path, &[id], &json!({})).unwrap();
        assert_eq!(gone, json!({"id": id, "object": "webhook_endpoint", "deleted": true}));
        assert_eq!(run(&mut state, &path, &[id], &json!({})).unwrap_err().status, 404);
    }
}
