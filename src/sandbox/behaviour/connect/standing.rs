//! Keeps what an account shows of its requirements and capabilities true to what is known of it.
//!
//! What Stripe looks into takes a moment here: [`VERIFY_JOB`] ends it. Of the documented test values,
//! `id_number` 111111111 and `address[line1]` `address_no_match` are found wrong, and a birthday in 1902 or
//! `id_number` 222222222 needs no looking into; everything else is found right.

use crate::sandbox::behaviour::connect::requirements::{BANK, Facts, Standing, is_identity};
use crate::sandbox::behaviour::connect::second;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The job that ends the verification of an account.
pub const VERIFY_JOB: &str = "account.verify";
/// Seconds that it takes.
const VERIFY_S: i64 = 1;
/// The kind of what is kept beside an account: which capabilities were asked for and when, what was looked into.
const BESIDE: &str = "_account";

/// What is kept beside an account.
pub fn beside(txn: &Txn<'_>, account: &str) -> Doc {
    let kept = txn.at("").get(BESIDE, account);
    kept.and_then(|kept| kept.as_object().cloned()).unwrap_or_default()
}

/// Changes what is kept beside an account.
pub fn keep(txn: &mut Txn<'_>, account: &str, change: impl FnOnce(&mut Doc)) {
    let mut doc = beside(txn, account);
    doc.insert("object".to_owned(), json!(BESIDE));
    doc.insert("id".to_owned(), json!(account));
    change(&mut doc);
    txn.in_account("", |txn| txn.put(doc));
}

/// Asks for capabilities, or no longer.
pub fn request(txn: &mut Txn<'_>, account: &str, asked: &[(String, bool)]) {
    let now = txn.now().0;
    keep(txn, account, |doc| {
        let known = doc.entry("requested").or_insert_with(|| json!({}));
        let Value::Object(known) = known else { return };
        for (name, wish) in asked {
            if !wish {
                known.remove(name);
            } else if !known.contains_key(name) {
                known.insert(name.clone(), json!(now));
            }
        }
    });
}

/// Asks for what an account with a Stripe dashboard gets by itself, where nothing was asked for.
pub fn request_usual(txn: &mut Txn<'_>, account: &str, kind: &str) {
    let is_asked = beside(txn, account).get("requested").is_some_and(|all| *all != json!({}));
    if !is_asked && kind != "custom" {
        let usual = ["card_payments", "transfers"].map(|name| (name.to_owned(), true));
        request(txn, account, &usual);
    }
}

/// Notes what was sent about an account's people, which is looked into anew; some values tell how that ends.
pub fn note_sent(txn: &mut Txn<'_>, account: &str, person: &Map<String, Value>) {
    let mut names = BTreeSet::new();
    leaves(&Value::Object(person.clone()), "person", &mut names);
    let sent = |path: &str| {
        Value::Object(person.clone()).pointer(path).map(|it| match it {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let number = sent("/id_number");
    let line1 = sent("/address/line1");
    let at_once =
        sent("/dob/year").as_deref() == Some("1902") || number.as_deref() == Some("222222222");
    let mut wrong: Vec<&str> = Vec::new();
    if number.as_deref() == Some("111111111") {
        wrong.push("person.id_number");
    }
    if line1.as_deref() == Some("address_no_match") {
        wrong.push("person.address.line1");
    }
    keep(txn, account, |doc| {
        for list in ["verified", "failed", "wrong"] {
            let kept = set(doc, list).into_iter().filter(|name| !names.contains(name));
            let kept: Vec<String> = kept.collect();
            doc.insert(list.to_owned(), json!(kept));
        }
        let mut all = set(doc, "wrong");
        all.extend(wrong.into_iter().map(str::to_owned));
        doc.insert("wrong".to_owned(), json!(all));
        if at_once {
            doc.insert("at_once".to_owned(), json!(true));
        }
        if names.iter().any(|name| is_identity(name)) {
            doc.insert("looked".to_owned(), json!(false));
        }
    });
}

fn set(doc: &Doc, name: &str) -> BTreeSet<String> {
    let list = doc.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The names of everything in a value that is not null, and of what is only said to have been given.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, inner) in members {
                match name.strip_suffix("_provided").filter(|_| inner.is_boolean()) {
                    Some(name) if *inner == json!(true) => {
                        found.insert(format!("{path}.{name}"));
                    }
                    Some(_) => {}
                    None => leaves(inner, &format!("{path}.{name}"), found),
                }
            }
        }
        Value::String(text) if text.is_empty() => {}
        _ => {
            let path = path.strip_suffix(".front").unwrap_or(path);
            found.insert(path.to_owned());
        }
    }
}

/// The person who stands for an account.
pub fn representative(txn: &Txn<'_>, account: &str) -> Option<Arc<Object>> {
    let people = txn.at(account).having("person", "account", account);
    let stands = |person: &&Arc<Object>| {
        person.get("relationship").is_some_and(|it| it.get("representative") == Some(&json!(true)))
    };
    people.iter().find(stands).cloned()
}

fn facts(txn: &Txn<'_>, account: &Object, kept: &Doc) -> Facts {
    let id = text(account, "id");
    let mut given = BTreeSet::new();
    for name in ["business_profile", "company", "tos_acceptance"] {
        leaves(account.get(name).unwrap_or(&Value::Null), name, &mut given);
    }
    let business_type = text(account, "business_type").to_owned();
    if !business_type.is_empty() {
        given.insert("business_type".to_owned());
    }
    let person = representative(txn, id);
    if let Some(person) = &person {
        leaves(person, "person", &mut given);
    }
    let has_bank = ["bank_account", "card"]
        .iter()
        .any(|kind| !txn.at(id).having(kind, "account", id).is_empty());
    if has_bank {
        given.insert(BANK.to_owned());
    }
    let requested = kept.get("requested").and_then(Value::as_object);
    let agreed = account.get("tos_acceptance").and_then(|it| it.get("service_agreement"));
    Facts {
        recipient: agreed.is_some_and(|it| it == "recipient"),
        kind: text(account, "type").to_owned(),
        country: text(account, "country").to_owned(),
        business_type,
        requested: requested.into_iter().flat_map(Map::keys).cloned().collect(),
        given,
        representative: person.map(|person| text(&person, "id").to_owned()),
        verified: set(kept, "verified"),
        failed: set(kept, "failed"),
        rejected: kept.get("rejected").and_then(Value::as_str).map(str::to_owned),
        looked: kept.get("looked") == Some(&json!(true)),
    }
}

/// Brings what an account shows up to date: its bank accounts, its person, what is due of it and what it may do.
/// Tells of it in the account's own events where `tells`.
pub fn refresh(txn: &mut Txn<'_>, id: &str, tells: bool) {
    let Some(before) = txn.at("").get("account", id) else { return };
    let kept = beside(txn, id);
    let mut known = facts(txn, &before, &kept);
    if kept.get("at_once") == Some(&json!(true)) {
        known = settle(txn, id, known);
    }
    let standing = known.standing();
    let person = representative(txn, id);
    if let Some(person) = &person {
        show_person(txn, id, person, &standing);
    }
    let person = representative(txn, id).filter(|_| known.business_type == "individual");
    let external = external_accounts(txn, id);
    let changed = txn.in_account("", |txn| {
        txn.edit("account", id, |doc| {
            if let Some(person) = person {
                mirror(doc, &person);
                doc.insert("individual".to_owned(), within(&person));
            }
            doc.insert("external_accounts".to_owned(), external);
            show(doc, &standing);
        })
    });
    let is_looked_into = standing.person == "pending" || !standing.pending.is_empty();
    if is_looked_into && kept.get("job") != Some(&json!(true)) {
        keep(txn, id, |doc| drop(doc.insert("job".to_owned(), json!(true))));
        let due = txn.now().plus(VERIFY_S);
        txn.in_account(id, |txn| txn.schedule(due, VERIFY_JOB, &json!({"account": id})));
    }
    let Some((_, after)) = changed.filter(|_| tells) else { return };
    tell(txn, id, &before, &after);
}

/// A person as the account that it is shows it: what it agreed to is told where it is asked for by itself.
pub fn within(person: &Object) -> Value {
    let mut shown = person.document();
    if let Some(shown) = shown.as_object_mut() {
        shown.remove("additional_tos_acceptances");
    }
    shown
}

/// An account of one person shows that person's address as its company's, and nothing left to tell of others.
fn mirror(doc: &mut Doc, person: &Object) {
    let Some(Value::Object(company)) = doc.get_mut("company") else { return };
    for name in ["address", "phone"] {
        if let Some(own) = person.get(name).filter(|own| !own.is_null()) {
            company.insert(name.to_owned(), own.clone());
        }
    }
    for name in ["directors_provided", "executives_provided", "owners_provided"] {
        company.insert(name.to_owned(), json!(true));
    }
}

/// Tells of an account that changed, and of each capability of it.
pub fn tell(txn: &mut Txn<'_>, id: &str, before: &Object, after: &Object) {
    second::tell(txn, id, before, after);
    let statuses = |account: &Object, name: &str| {
        account.get("capabilities").and_then(|all| all.get(name)).cloned()
    };
    let names = after.get("capabilities").and_then(Value::as_object);
    let names: Vec<String> = names.into_iter().flat_map(Map::keys).cloned().collect();
    txn.in_account(id, |txn| txn.emit_change("account.updated", before, after));
    for name in names {
        let (old, new) = (statuses(before, &name), statuses(after, &name));
        if old != new
            && let Some(capability) = capability(txn, after, &name)
        {
            txn.in_account(id, |txn| txn.emit_about("capability.updated", &capability));
        }
    }
}

/// Ends what is looked into, and keeps what came of it.
fn settle(txn: &mut Txn<'_>, id: &str, known: Facts) -> Facts {
    let kept = beside(txn, id);
    let known = known.verified(&set(&kept, "wrong"));
    keep(txn, id, |doc| {
        doc.insert("verified".to_owned(), json!(known.verified));
        doc.insert("failed".to_owned(), json!(known.failed));
        doc.insert("looked".to_owned(), json!(known.looked));
    });
    known
}

/// The job behind [`VERIFY_JOB`].
pub fn on_verify(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "account");
    let Some(account) = txn.at("").get("account", id) else { return };
    if !is_looked_into(txn, id) {
        return;
    }
    keep(txn, id, |doc| drop(doc.insert("job".to_owned(), json!(false))));
    let kept = beside(txn, id);
    let known = facts(txn, &account, &kept);
    settle(txn, id, known);
    refresh(txn, id, true);
}

fn is_looked_into(txn: &Txn<'_>, id: &str) -> bool {
    beside(txn, id).get("job") == Some(&json!(true))
}

/// Ends the verification of an account that money is sent to. Stripe takes some ten seconds, for which its callers
/// wait; here nobody is refused for having come within the same moment.
pub fn catch_up(txn: &mut Txn<'_>, id: &str) {
    if is_looked_into(txn, id) {
        on_verify(txn, &json!({"account": id}));
    }
}

fn lists(due: &[String], later: &[String], pending: &[String], reason: Option<&str>) -> Value {
    json!({
        "alternatives": [], "current_deadline": null, "currently_due": due,
        "disabled_reason": reason, "errors": [], "eventually_due": later, "past_due": due,
        "pending_verification": pending,
    })
}

/// Writes where an account stands into it.
pub fn show(doc: &mut Doc, standing: &Standing) {
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("capabilities", json!(standing.capabilities));
    set("charges_enabled", json!(standing.charges));
    set("details_submitted", json!(standing.submitted));
    set("payouts_enabled", json!(standing.payouts));
    let reason = standing.disabled_reason.as_deref();
    set("requirements", lists(&standing.due, &standing.later, &standing.pending, reason));
    set("future_requirements", lists(&[], &[], &standing.pending, None));
}

/// Shows a person's part of what an account is asked for.
fn show_person(txn: &mut Txn<'_>, account: &str, person: &Object, standing: &Standing) {
    let id = text(person, "id").to_owned();
    let own = |names: &[String]| -> Vec<String> {
        let prefixes = ["individual.".to_owned(), "representative.".to_owned(), format!("{id}.")];
        let found = names.iter().filter_map(|name| {
            prefixes.iter().find_map(|prefix| name.strip_prefix(prefix.as_str())).map(str::to_owned)
        });
        found.collect()
    };
    let (due, later) = (own(&standing.due), own(&standing.later));
    let pending = own(&standing.pending);
    let list = |due: &[String], later: &[String]| {
        json!({"alternatives": [], "currently_due": due, "errors": [], "eventually_due": later,
            "past_due": due, "pending_verification": pending})
    };
    txn.in_account(account, |txn| {
        txn.edit("person", &id, |doc| {
            doc.insert("requirements".to_owned(), list(&due, &later));
            doc.insert("future_requirements".to_owned(), list(&[], &[]));
            if let Some(Value::Object(verification)) = doc.get_mut("verification") {
                verification.insert("status".to_owned(), json!(standing.person));
            }
        })
    });
}

/// The list of external accounts that an account shows.
pub fn external_accounts(txn: &Txn<'_>, account: &str) -> Value {
    let scope = if account == txn.platform_id() { "" } else { account };
    let view = txn.at(scope);
    let mut data: Vec<Value> = Vec::new();
    for kind in ["bank_account", "card"] {
        data.extend(view.having(kind, "account", account).iter().map(|it| it.document()));
    }
    json!({
        "object": "list", "has_more": false, "total_count": data.len(), "data": data,
        "url": format!("/v1/accounts/{account}/external_accounts"),
    })
}

/// A capability of an account, as its own endpoint shows it; one that nobody asked for is none.
pub fn capability(txn: &Txn<'_>, account: &Value, name: &str) -> Option<Value> {
    let id = text(account, "id");
    let kept = beside(txn, id);
    let at = kept.get("requested").and_then(|all| all.get(name)).cloned();
    let status = account.get("capabilities")?.get(name)?.as_str()?;
    let names = |list: &str| -> Vec<String> {
        let all = account.get("requirements").and_then(|it| it.get(list)).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (due, later) = (names("currently_due"), names("eventually_due"));
    let reason = (status == "inactive").then_some("requirements.fields_needed");
    Some(json!({
        "id": name, "object": "capability", "account": id,
        "future_requirements": lists(&[], &[], &[], None), "requested": true,
        "requested_at": at.or_else(|| account.get("created").cloned()),
        "requirements": lists(&due, &later, &names("pending_verification"), reason),
        "status": status,
    }))
}
