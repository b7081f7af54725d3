//! Accounts of v2: made with configurations, shown in the parts that are asked for.

use crate::catalog::Catalog;
use crate::catalog::grammar;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::connect::second::{self, ACCOUNT, PERSON};
use crate::sandbox::behaviour::connect::standing;
use crate::sandbox::behaviour::document::{Handler, int, keep_unsent, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::Filter;
use crate::sandbox::call::neighbours;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Txn, View, missing};
use crate::sandbox::registry::draft;
use crate::sandbox::registry::second::names::{self, put};
use crate::sandbox::registry::second::shape::shaped;
use crate::sandbox::registry::second::token::{self, Of};
use crate::sandbox::registry::second::{ensure_modelled, of_first};
use crate::wire::failure::Failure;
use crate::wire::render;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What an account can be configured as.
const CONFIGURATIONS: [&str; 3] = ["customer", "merchant", "recipient"];
/// The parts of an account that are null unless they are asked for.
const PARTS: [&str; 4] = ["defaults", "future_requirements", "identity", "requirements"];
/// The members of an account itself that an update tells of by their own event.
const PLAIN: [&str; 5] =
    ["contact_email", "contact_phone", "dashboard", "display_name", "metadata"];
/// What there is nothing behind.
pub const UNMODELLED: &[&str] = &[
    "/configuration/customer/capabilities",
    "/configuration/customer/test_clock",
    "/configuration/recipient/capabilities/bank_accounts",
    "/configuration/recipient/capabilities/cards",
    "/identity/business_details/annual_revenue",
    "/identity/business_details/documents",
    "/identity/business_details/monthly_estimated_revenue",
    "/identity/individual/documents",
];

/// The behaviour of `/v2/core/accounts`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v2/core/accounts" => create,
        "GET /v2/core/accounts" => list_all,
        "GET /v2/core/accounts/{id}" => |txn, call| {
            let found = find(txn, call.id(0))?;
            Ok(shown(txn, &found, call.list("include")).into())
        },
        "POST /v2/core/accounts/{id}" => update,
        "POST /v2/core/accounts/{id}/close" => close,
        _ => return None,
    })
}

/// The account, wherever the call comes from; accounts stand with the platform.
pub fn find(txn: &Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let own = txn.scope().account.to_string();
    let found = txn.at("").get("account", id).filter(|_| own.is_empty() || own == id);
    found.ok_or_else(|| missing(ACCOUNT, id, "id"))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let sent = token::redeem(txn, Of::Account, "", parts(call))?;
    ensure_modelled(&sent, UNMODELLED)?;
    let mut params = names::first_account(&sent);
    params.insert("controller".to_owned(), controller(&sent));
    params.extend(capabilities(&sent)?);
    if let Some(Value::String(country)) = params.get_mut("country") {
        country.make_ascii_uppercase();
    }
    let terms = sent.pointer("/identity/attestations/terms_of_service/account/date");
    accept(&mut params, terms)?;
    let made = of_first(txn, call, "POST /v1/accounts", &[], params)?;
    let id = text(&made, "id").to_owned();
    let now = txn.now().rfc3339();
    let mut kept = Map::new();
    kept.insert("applied".to_owned(), json!(applied(&sent)));
    kept.insert("sent".to_owned(), sent);
    kept.insert("updated".to_owned(), json!(now));
    second::keep(txn, &id, kept);
    second::tell_account(txn, &id, "created", None);
    answer(txn, call, &id)
}

fn answer(txn: &Txn<'_>, call: &Call, id: &str) -> Result<Body, Failure> {
    let found = find(txn, id)?;
    Ok(shown(txn, &found, call.list("include")).into())
}

/// What was sent of the account itself.
fn parts(call: &Call) -> Value {
    let mut sent = call.params.clone();
    sent.remove("include");
    Value::Object(sent)
}

/// The configurations that were sent.
fn applied(sent: &Value) -> Vec<&'static str> {
    let configuration = sent.get("configuration");
    let named = |name: &&str| configuration.is_some_and(|it| it.get(*name).is_some());
    CONFIGURATIONS.into_iter().filter(named).collect()
}

/// Who pays, who bears losses, who asks and who shows, as v1 has it.
fn controller(sent: &Value) -> Value {
    let dashboard = sent.get("dashboard").and_then(Value::as_str).unwrap_or("none");
    let said = |name: &str| sent.pointer(&format!("/defaults/responsibilities/{name}"));
    let losses = said("losses_collector").and_then(Value::as_str);
    let losses = losses.unwrap_or(if dashboard == "full" { "stripe" } else { "application" });
    let fees = match (said("fees_collector").and_then(Value::as_str), dashboard) {
        (Some("stripe"), _) | (None, "full") => "account",
        (Some(named), _) => named,
        (None, "express") => "application_express",
        (None, _) => "application_custom",
    };
    let asks =
        if dashboard == "none" && losses == "application" { "application" } else { "stripe" };
    json!({
        "fees": {"payer": fees}, "losses": {"payments": losses}, "requirement_collection": asks,
        "stripe_dashboard": {"type": dashboard},
    })
}

/// The capabilities that were sent, under v1's names. Fails for one that v1 does not have.
fn capabilities(sent: &Value) -> Result<Option<(String, Value)>, Failure> {
    let mut found = Map::new();
    let all = sent.pointer("/configuration/merchant/capabilities").and_then(Value::as_object);
    for (name, wish) in all.into_iter().flatten() {
        let first = match name.as_str() {
            "ach_debit_payments" => "us_bank_account_ach_payments",
            other => other,
        };
        let known = Catalog::get().object("account").is_some_and(|shape| {
            grammar::field(&shape.fields, "capabilities")
                .is_some_and(|field| draft::has_member(&field.of.kind, first))
        });
        if !known {
            let path = format!("/configuration/merchant/capabilities/{name}");
            ensure_modelled(sent, &[path.as_str()])?;
        }
        found.insert(first.to_owned(), wish.clone());
    }
    let transfers = "/configuration/recipient/capabilities/stripe_balance/stripe_transfers";
    if let Some(wish) = sent.pointer(transfers) {
        found.insert("transfers".to_owned(), wish.clone());
    }
    Ok((!found.is_empty()).then(|| ("capabilities".to_owned(), Value::Object(found))))
}

/// Writes when the terms were accepted, in v1's seconds.
fn accept(params: &mut Map<String, Value>, date: Option<&Value>) -> Result<(), Failure> {
    let Some(date) = date.and_then(Value::as_str) else { return Ok(()) };
    let at = Timestamp::read(date).ok_or_else(|| {
        let text =
            "Invalid timestamp: must be written as RFC 3339 has it, such as 2026-11-21T05:04:05Z.";
        Failure::invalid(text).param("identity[attestations][terms_of_service][account][date]")
    })?;
    let terms = params.entry("tos_acceptance").or_insert_with(|| json!({}));
    put(terms, "/date", json!(at.0));
    Ok(())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = find(txn, call.id(0))?;
    let (id, before) = (text(&found, "id").to_owned(), configurations(txn, &found));
    let sent = token::redeem(txn, Of::Account, "", parts(call))?;
    ensure_modelled(&sent, UNMODELLED)?;
    let mut params = names::first_account(&sent);
    params.remove("country");
    if sent.get("dashboard").is_some() || sent.pointer("/defaults/responsibilities").is_some() {
        params.insert("controller".to_owned(), controller(&sent));
    }
    params.extend(capabilities(&sent)?);
    let terms = sent.pointer("/identity/attestations/terms_of_service/account/date");
    accept(&mut params, terms)?;
    let mut kept = second::kept(txn, &id).unwrap_or_default();
    let mut whole = sent.clone();
    if let Some(old) = kept.remove("sent") {
        keep_unsent(&mut whole, old);
    }
    let mut all = applied(&sent);
    all.extend(before.into_iter().filter(|name| !applied(&sent).contains(name)));
    all.sort_unstable();
    kept.insert("applied".to_owned(), json!(all));
    kept.insert("sent".to_owned(), whole);
    kept.insert("updated".to_owned(), json!(txn.now().rfc3339()));
    second::keep(txn, &id, kept);
    if !params.is_empty() {
        of_first(txn, call, "POST /v1/accounts/{account}", &[&id], params)?;
    }
    tell_update(txn, &id, &sent);
    answer(txn, call, &id)
}

/// Tells of each part that was sent.
fn tell_update(txn: &mut Txn<'_>, id: &str, sent: &Value) {
    for name in applied(sent) {
        second::tell_account(txn, id, &format!("[configuration.{name}].updated"), None);
    }
    for name in ["defaults", "identity"].into_iter().filter(|name| sent.get(*name).is_some()) {
        second::tell_account(txn, id, &format!("[{name}].updated"), None);
    }
    if PLAIN.iter().any(|name| sent.get(*name).is_some()) {
        second::tell_account(txn, id, "updated", None);
    }
}

/// The configurations that an account is known to have.
fn known(kept: &Doc) -> Vec<&'static str> {
    let all = kept.get("applied").and_then(Value::as_array);
    let has = |name: &&str| all.is_some_and(|all| all.iter().any(|it| it == *name));
    CONFIGURATIONS.into_iter().filter(has).collect()
}

/// Closes an account: nothing can be charged or paid out there any more.
fn close(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = find(txn, call.id(0))?;
    let id = text(&found, "id").to_owned();
    let own = configurations(txn, &found);
    let named = call.list("applied_configurations");
    let agrees =
        named.len() == own.len() && own.iter().all(|name| named.iter().any(|it| it == name));
    if call.sent("applied_configurations") && !agrees {
        let text = format!("The account's applied configurations are: {}.", own.join(", "));
        return Err(Failure::invalid(text).param("applied_configurations"));
    }
    let mut kept = second::kept(txn, &id).unwrap_or_default();
    kept.insert("closed".to_owned(), json!(true));
    kept.insert("applied".to_owned(), json!(own));
    second::keep(txn, &id, kept);
    standing::keep(txn, &id, |doc| {
        drop(doc.insert("rejected".to_owned(), json!("rejected.other")));
    });
    standing::refresh(txn, &id, true);
    second::tell_account(txn, &id, "closed", None);
    answer(txn, call, &id)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let wanted = call.list("applied_configurations");
    let closed = call.flag("closed").unwrap_or(false);
    let view: View = txn.at(&txn.scope().account);
    let filter = Filter::test(|stored| {
        let account = view.get("account", &stored.id);
        let own = account.map(|account| configurations(&view, &account)).unwrap_or_default();
        is_closed(&view, &stored.id) == closed
            && wanted.iter().all(|name| own.iter().any(|it| name == it))
    });
    let txn = &*txn;
    neighbours::page(txn, call, "account", &[filter], |stored| {
        render::compact(&shown(txn, &Object::read(stored), &[])).into()
    })
}

fn is_closed(view: &View, id: &str) -> bool {
    second::kept(view, id).is_some_and(|kept| kept.get("closed") == Some(&json!(true)))
}

/// What an account is configured as: what was said in v2, else what v1 lets it do.
pub fn configurations(view: &View, account: &Object) -> Vec<&'static str> {
    if let Some(kept) = second::kept(view, text(account, "id")) {
        return known(&kept);
    }
    let all = account.get("capabilities").and_then(Value::as_object);
    let mut found: Vec<&'static str> =
        all.into_iter().flat_map(Map::keys).map(|name| second::place(name).0).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// An account as v2 shows it, with the parts that were asked for.
pub fn shown(view: &View, account: &Object, include: &[Value]) -> Value {
    let id = text(account, "id");
    let kept = second::kept(view, id).unwrap_or_default();
    let applied = configurations(view, account);
    let mut whole = kept.get("sent").cloned().unwrap_or_else(|| json!({}));
    keep_unsent(&mut whole, names::second_account(account));
    responsibilities(&mut whole, account);
    individual(&mut whole, account, &kept);
    configure(&mut whole, account, &applied);
    put(&mut whole, "/requirements", requirements(account));
    let later = json!({"alternatives": [], "entries": [], "summary": null});
    put(&mut whole, "/future_requirements", later);
    let dashboard = account.pointer("/controller/stripe_dashboard/type").cloned();
    let name =
        whole.get("display_name").or_else(|| account.pointer("/settings/dashboard/display_name"));
    let created = Timestamp(int(account, "created")).rfc3339();
    let mut shown = json!({
        "id": id, "object": ACCOUNT, "applied_configurations": applied,
        "closed": is_closed(view, id), "configuration": null,
        "contact_email": account.get("email"), "contact_phone": whole.get("contact_phone"),
        "created": created, "dashboard": dashboard, "defaults": null, "display_name": name,
        "future_requirements": null, "identity": null, "livemode": false,
        "metadata": account.get("metadata"), "requirements": null,
    });
    let Some(shape) = Catalog::get().object(ACCOUNT) else { return shown };
    let of = |name: &str| grammar::field(&shape.fields, name).map(|field| &field.of);
    let is_asked = |name: &str| include.iter().any(|it| it == name);
    for name in PARTS.into_iter().filter(|name| is_asked(name)) {
        let part = whole.get(name).zip(of(name)).map(|(part, of)| shaped(of, part));
        put(&mut shown, &format!("/{name}"), part.unwrap_or_default());
    }
    let asked: Vec<&str> = CONFIGURATIONS
        .into_iter()
        .filter(|name| is_asked(&format!("configuration.{name}")))
        .collect();
    if let (false, Some(of)) = (asked.is_empty(), of("configuration")) {
        let all = whole.get("configuration").and_then(Value::as_object);
        let parts = all.into_iter().flatten().filter(|(name, _)| asked.contains(&name.as_str()));
        let parts: Map<String, Value> =
            parts.map(|(name, part)| (name.clone(), part.clone())).collect();
        put(&mut shown, "/configuration", shaped(of, &Value::Object(parts)));
    }
    shown
}

fn responsibilities(whole: &mut Value, account: &Value) {
    let said = |path: &str| account.pointer(path).cloned().unwrap_or_default();
    let fees = match said("/controller/fees/payer") {
        payer if payer == "account" => json!("stripe"),
        payer => payer,
    };
    let all = json!({
        "fees_collector": fees, "losses_collector": said("/controller/losses/payments"),
        "requirements_collector": said("/controller/requirement_collection"),
    });
    put(whole, "/defaults/responsibilities", all);
}

/// Shows the only person of an account as one.
fn individual(whole: &mut Value, account: &Value, kept: &Doc) {
    let Some(person) = account.get("individual").filter(|it| it.is_object()) else {
        if let Some(Value::Object(identity)) = whole.get_mut("identity") {
            identity.remove("individual");
        }
        return;
    };
    let created = Timestamp(int(person, "created")).rfc3339();
    let mut own = json!({
        "account": text(account, "id"), "created": created, "id": text(person, "id"),
        "object": PERSON, "updated": kept.get("updated").cloned().unwrap_or(json!(created)),
    });
    let sent = whole.pointer("/identity/individual").cloned().unwrap_or_else(|| json!({}));
    keep_unsent(&mut own, sent);
    keep_unsent(&mut own, names::second_person(person));
    put(whole, "/identity/individual", own);
}

/// Shows which configurations apply and how far their capabilities are.
fn configure(whole: &mut Value, account: &Value, applied: &[&str]) {
    let sent = whole.get("configuration").cloned().unwrap_or_default();
    let mut all = Map::new();
    for name in applied {
        let mut own = sent.get(*name).cloned().unwrap_or_else(|| json!({}));
        put(&mut own, "/applied", json!(true));
        if let Some(own) = own.as_object_mut() {
            own.remove("capabilities");
        }
        all.insert((*name).to_owned(), own);
    }
    let mut all = Value::Object(all);
    let capabilities = account.get("capabilities").and_then(Value::as_object);
    for (name, status) in capabilities.into_iter().flatten() {
        let (configuration, name) = second::place(name);
        if applied.contains(&configuration) {
            let path = format!("/{configuration}/capabilities/{}", name.replace('.', "/"));
            put(&mut all, &path, capability(status.as_str().unwrap_or_default()));
        }
    }
    put(whole, "/configuration", all);
}

fn capability(status: &str) -> Value {
    let detail = |code: &str, way: &str| json!([{"code": code, "resolution": way}]);
    match status {
        "active" => json!({"status": "active", "status_details": []}),
        "pending" => json!({"status": "pending",
            "status_details": detail("requirements_pending_verification", "no_resolution")}),
        _ => json!({"status": "restricted",
            "status_details": detail("requirements_past_due", "provide_info")}),
    }
}

/// What is asked of an account, one entry for each thing.
fn requirements(account: &Value) -> Value {
    let names = |list: &str| -> Vec<&str> {
        let all = account.pointer(&format!("/requirements/{list}")).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let past = names("past_due");
    let of_owner = names("currently_due").into_iter().map(|name| {
        let deadline = if past.contains(&name) { "past_due" } else { "currently_due" };
        entry(account, name, "user", deadline)
    });
    let of_stripe = names("pending_verification").into_iter();
    let entries: Vec<Value> = of_owner
        .chain(of_stripe.map(|name| entry(account, name, "stripe", "currently_due")))
        .collect();
    let first = if past.is_empty() { "currently_due" } else { "past_due" };
    let summary =
        (!entries.is_empty()).then(|| json!({"minimum_deadline": {"status": first, "time": null}}));
    json!({"alternatives": [], "entries": entries, "summary": summary})
}

fn entry(account: &Value, name: &str, waits_for: &str, deadline: &str) -> Value {
    let closed = account.get("capabilities").and_then(Value::as_object);
    let closed = closed.into_iter().flatten().filter(|(_, status)| **status != json!("active"));
    let restricts: Vec<Value> = closed
        .map(|(name, _)| {
            let (configuration, name) = second::place(name);
            json!({"capability": name, "configuration": configuration,
                "deadline": {"status": deadline}})
        })
        .collect();
    let person = name.split('.').next().filter(|owner| owner.starts_with("person_"));
    let reference = person.map(|id| json!({"inquiry": null, "resource": id, "type": "person"}));
    json!({
        "awaiting_action_from": waits_for, "description": names::requirement(name), "errors": [],
        "impact": {"restricts_capabilities": restricts},
        "minimum_deadline": {"status": deadline}, "reference": reference,
        "requested_reasons": [{"code": "routine_onboarding"}],
    })
}
