//! Thin events: what happened and to which object, without the object. Each event of v1 whose type has a thin form
//! has one beside it, which is worked out of it and not stored; the events of v2 stand among the others and are
//! only thin.

use crate::catalog::Catalog;
use crate::domain::time::Timestamp;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::private::Envelope;
use crate::sandbox::engine::txn::View;
use crate::wire::peek::{self, Raw};
use crate::wire::render;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The value of `object` of a thin event.
pub const KIND: &str = "v2.core.event";
/// How the ids of thin events begin.
const PREFIX: &str = "evt_test_";
/// How those of v2's own do, and how many digits follow.
pub const OWN_ID: (&str, usize) = ("evt_test_6", 40);

/// Whether an event is one of v2, of which there is no other form.
pub fn is_own(kind: &str) -> bool {
    kind.starts_with("v2.")
}

/// The type of the thin event that tells of an event of this type; `None` where none does.
pub fn name(kind: &str) -> Option<Cow<'_, str>> {
    if is_own(kind) {
        return Some(Cow::Borrowed(kind));
    }
    let name = format!("v1.{kind}");
    Catalog::get().is_thin_event(&name).then_some(Cow::Owned(name))
}

/// The event that a thin event's id stands for, as it is stored.
pub fn find<'v>(view: &'v View, id: &str) -> Option<&'v Arc<Stored>> {
    let is_fit = |stored: &&Arc<Stored>, own: bool| {
        let envelope = stored.part::<Envelope>();
        envelope.is_some_and(|it| is_own(&it.kind) == own && name(&it.kind).is_some())
    };
    let of_first = || {
        let id = format!("evt_{}", id.strip_prefix(PREFIX)?);
        view.stored("event", &id).filter(|it| is_fit(it, false))
    };
    view.stored("event", id).filter(|it| is_fit(it, true)).or_else(of_first)
}

/// A thin event as it is sent, or with what only its retrieval shows: compact JSON.
pub fn text(id: &str, envelope: &Envelope, about: &str, is_retrieved: bool) -> String {
    let own = is_own(&envelope.kind);
    let shown = match id.strip_prefix("evt_").filter(|_| !own) {
        Some(rest) => Cow::Owned(format!("{PREFIX}{rest}")),
        None => Cow::Borrowed(id),
    };
    let reason = envelope.request.as_ref().map(|request| {
        // v1 takes requests without a key; that it is empty then is believed.
        let key = envelope.idempotency_key.as_deref().unwrap_or_default();
        json!({"type": "request", "request": {"id": request, "idempotency_key": key}})
    });
    let mut event = json!({
        "id": shown, "object": KIND, "context": envelope.account,
        "created": Timestamp(envelope.created).rfc3339(), "livemode": false, "reason": reason,
        "related_object": related(about), "type": name(&envelope.kind).unwrap_or_default(),
    });
    if let (true, Some(event)) = (is_retrieved, event.as_object_mut()) {
        event.insert("changes".to_owned(), Value::Null);
        event.insert("snapshot_event".to_owned(), if own { Value::Null } else { json!(id) });
        let data = peek::member(about, &["data"]).filter(|_| own).map(Raw::json);
        if let Some(data) = data.and_then(|text| serde_json::from_str(text).ok()) {
            event.insert("data".to_owned(), data);
        }
    }
    render::compact(&event)
}

/// What an event is about: kind, id where it has one, and where it is retrieved.
fn related(about: &str) -> Value {
    let member = |name: &str| peek::member(about, &[name]).and_then(Raw::string);
    // A few of v2's own are about no object of the API.
    let (Some(kind), id) = (member("object"), member("id")) else { return Value::Null };
    let url = address(&kind, id.as_deref(), &|name| member(name).map(Cow::into_owned));
    match id {
        Some(id) => json!({"id": id, "type": kind, "url": url}),
        None => json!({"type": kind, "url": url}),
    }
}

/// The path from which an object is retrieved: of those that the API has, the one with the fewest ids that the object
/// can tell.
fn address(kind: &str, id: Option<&str>, member: &dyn Fn(&str) -> Option<String>) -> String {
    static PATHS: OnceLock<HashMap<&'static str, Vec<&'static str>>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        let mut paths: HashMap<_, Vec<&'static str>> = HashMap::new();
        for endpoint in Catalog::get().routes().all() {
            if endpoint.method == "GET" && !endpoint.is_list() {
                for kind in endpoint.objects() {
                    paths.entry(kind).or_default().push(endpoint.path);
                }
            }
        }
        // Its own address before one within another object.
        let ids = |path: &&str| (path.matches('{').count(), !path.ends_with('}'));
        for all in paths.values_mut() {
            all.sort_by_key(ids);
        }
        paths
    });
    let known = paths.get(kind).into_iter().flatten();
    let mut fitting = known.filter(|path| path.ends_with('}') || id.is_none());
    fitting
        .find_map(|path| filled(path, id, member))
        .unwrap_or_else(|| format!("/v1/{}s/{}", kind.replace('.', "/"), id.unwrap_or_default()))
}

/// A path with the ids of an object: its own last, those around it by the members that are named like them.
fn filled(path: &str, id: Option<&str>, member: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let last = path.rsplit('/').next();
    let parts = path.split('/').map(|part| {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            return Some(part.to_owned());
        };
        if Some(part) == last {
            return id.map(str::to_owned);
        }
        member(name).or_else(|| member(name.strip_suffix("_id")?))
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_where_its_event_says() {
        for (about, url) in [
            (json!({"object": "checkout.session", "id": "cs_1"}), "/v1/checkout/sessions/cs_1"),
            (json!({"object": "balance"}), "/v1/balance"),
            (json!({"object": "account", "id": "acct_1"}), "/v1/accounts/acct_1"),
            (
                json!({"object": "person", "id": "person_1", "account": "acct_1"}),
                "/v1/accounts/acct_1/persons/person_1",
            ),
            (
                json!({"object": "v2.core.account_person", "id": "person_1", "account": "acct_1"}),
                "/v2/core/accounts/acct_1/persons/person_1",
            ),
            (json!({"object": "tax_id", "id": "txi_1", "customer": "cus_1"}), "/v1/tax_ids/txi_1"),
            (
                json!({"object": "bank_account", "id": "ba_1", "account": "acct_1", "customer": null}),
                "/v1/accounts/acct_1/external_accounts/ba_1",
            ),
            (json!({"object": "invoiceitem", "id": "ii_1"}), "/v1/invoiceitems/ii_1"),
            // What has no address of its own is named as if it had one.
            (json!({"object": "application", "id": "ca_1"}), "/v1/applications/ca_1"),
        ] {
            assert_eq!(related(&about.to_string())["url"], url, "{about}");
        }
    }

    #[test]
    fn a_type_has_the_name_that_its_thin_form_goes_by() {
        assert_eq!(name("customer.created").as_deref(), Some("v1.customer.created"));
        assert_eq!(name("v2.core.account.created").as_deref(), Some("v2.core.account.created"));
        assert_eq!(name("reporting.report_run.succeeded"), None, "it has none");
    }
}
