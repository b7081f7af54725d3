//! Generic resources: what is done to a record, whatever it is a record of.

use crate::catalog::Catalog;
use crate::catalog::grammar::{Kind, Shape};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::report::kept;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::call::neighbours;
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::draft::{self, Draft};
use crate::sandbox::registry::filter::filters;
use crate::sandbox::registry::plan::{Operation, Parent, Plan};
use crate::sandbox::registry::{reference, rules};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of what is kept beside an object: members that are shown when expanded, and what it stands within.
const MORE: &str = kept::BESIDE;
/// The member of it that names what an object stands within.
const WITHIN: &str = "_within";

/// Answers a call of a generic resource.
pub fn answer(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    let Some(account) = plan.parent.filter(|_| plan.in_account).map(|it| call.id(it.at)) else {
        return work(txn, call, plan);
    };
    let account = if account == txn.platform_id() { "" } else { account };
    txn.in_account(account, |txn| work(txn, call, plan))
}

fn work(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    if let Some(parent) = plan.parent {
        let id = call.id(parent.at);
        let is_there = if parent.kind == "account" {
            txn.at("").stored(parent.kind, id).is_some() || id == txn.platform_id()
        } else {
            txn.stored(parent.kind, id).is_some_and(|it| !it.is_deleted())
        };
        if !is_there {
            return Err(reference::absent(parent.kind, id, parent.name));
        }
    }
    match plan.operation {
        Operation::Create => create(txn, call, plan),
        Operation::Retrieve => owned(txn, call, plan).map(Body::from),
        Operation::Update => update(txn, call, plan),
        Operation::Delete => delete(txn, call, plan),
        Operation::List => page(txn, call, plan),
        Operation::Search => seek(txn, call, plan),
        Operation::Set(action) => {
            let found = owned(txn, call, plan)?;
            rules::check_state(&found, plan.row.noun, call, action.from)?;
            let members = serde_json::from_str(action.members).unwrap_or_default();
            change(txn, &found, action.event, |txn, draft, shape| {
                draft::merge(txn, &mut draft.doc, &members, shape, &call.params);
                Ok(())
            })
        }
    }
}

fn shape_of(kind: &str) -> Result<&'static Shape, Failure> {
    let unknown = || Failure::of(501, FailureKind::Api, format!("`{kind}` is not described."));
    Catalog::get().object(kind).ok_or_else(unknown)
}

fn create(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    rules::check(plan.row.kind, call)?;
    let Draft { doc, more } = drafted(txn, call, plan)?;
    let made = txn.put(doc);
    keep_more(txn, &made, more);
    tell(txn, plan.row.kind, "created", &made, None);
    rules::refresh(txn, &made);
    Ok(made.into())
}

/// A new object, as the parameters and its row make it.
fn drafted(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Draft, Failure> {
    let row = plan.row;
    let shape = shape_of(row.kind)?;
    let mut draft = draft::begin(txn, row, shape, &call.params);
    let id = match call.text("id") {
        Some(id) if txn.get(row.kind, id).is_some() => return Err(taken(row.noun)),
        Some(id) => id.to_owned(),
        None => txn.new_id(row.prefix, row.digits),
    };
    draft.doc.insert("id".to_owned(), json!(id));
    if let Some(parent) = plan.parent {
        let within = call.id(parent.at);
        match link(shape, parent) {
            Some(name) => draft.doc.insert(name.to_owned(), json!(within)),
            None => draft.more.insert(WITHIN.to_owned(), json!(within)),
        };
    }
    for (name, url) in rules::pages(row.kind, &id) {
        let empty = json!({"object": "list", "data": [], "has_more": false, "url": url});
        draft.doc.insert(name.to_owned(), empty);
    }
    draft.write(txn, shape, &call.params, rules::known(row.kind))?;
    rules::finish(txn, row.kind, call, &mut draft.doc);
    draft.ensure_whole()?;
    Ok(draft)
}

fn taken(noun: &str) -> Failure {
    let mut name = noun.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Failure::invalid(format!("{name} already exists.")).code("resource_already_exists")
}

/// The member of an object that names what it stands within.
fn link(shape: &Shape, parent: Parent) -> Option<&'static str> {
    let refers =
        |kind: &Kind| matches!(kind, Kind::Expandable(kinds) if kinds.contains(&parent.kind));
    let last = parent.kind.rsplit('.').next().unwrap_or(parent.kind);
    let fields = &shape.fields;
    let named = fields.iter().find(|field| field.name == last || field.name == parent.name);
    let found = fields.iter().find(|field| refers(&field.of.kind)).or(named)?;
    matches!(found.of.kind, Kind::Text | Kind::Expandable(_)).then_some(found.name)
}

/// The object that a call is about, within what the path says that it stands within.
fn owned(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Arc<Object>, Failure> {
    let id = call.id(plan.at);
    let found = plan.kinds.iter().find_map(|kind| txn.find(kind, id, plan.name).ok());
    let found = found.filter(|it| plan.parent.is_none_or(|parent| stands(txn, it, parent, call)));
    found.ok_or_else(|| reference::absent(plan.row.kind, id, plan.name))
}

fn stands(txn: &Txn<'_>, object: &Object, parent: Parent, call: &Call) -> bool {
    let kind = text(object, "object");
    let within = Catalog::get().object(kind).and_then(|shape| link(shape, parent));
    match within {
        Some(name) => text(object, name) == call.id(parent.at),
        None => is_within(txn, kind, text(object, "id"), call.id(parent.at)),
    }
}

fn is_within(txn: &Txn<'_>, kind: &str, id: &str, parent: &str) -> bool {
    more(txn, kind, id).is_some_and(|more| text(&more, WITHIN) == parent)
}

/// What is kept beside an object.
pub fn more(txn: &Txn<'_>, kind: &str, id: &str) -> Option<Value> {
    txn.get(MORE, &format!("{kind} {id}")).map(|more| more.document())
}

/// Keeps members beside an object.
pub fn keep_more(txn: &mut Txn<'_>, object: &Object, mut members: Doc) {
    if members.is_empty() {
        return;
    }
    members.insert("object".to_owned(), json!(MORE));
    members.insert("id".to_owned(), json!(more_id(object)));
    txn.put(members);
}

fn more_id(object: &Object) -> String {
    format!("{} {}", text(object, "object"), text(object, "id"))
}

fn update(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    let found = owned(txn, call, plan)?;
    rules::check(plan.row.kind, call)?;
    let kind = text(&found, "object").to_owned();
    change(txn, &found, "updated", |txn, draft, shape| {
        draft.write(txn, shape, &call.params, rules::known(&kind))?;
        rules::finish(txn, &kind, call, &mut draft.doc);
        Ok(())
    })
}

/// Changes an object and tells of it, where anything changed.
fn change(
    txn: &mut Txn<'_>,
    before: &Arc<Object>,
    event: &str,
    write: impl FnOnce(&mut Txn<'_>, &mut Draft, &Shape) -> Result<(), Failure>,
) -> Result<Body, Failure> {
    let kind = text(before, "object").to_owned();
    let shape = shape_of(&kind)?;
    let doc = before.as_object().cloned().unwrap_or_default();
    let beside = more(txn, &kind, text(before, "id"));
    let beside = beside.and_then(|it| it.as_object().cloned()).unwrap_or_default();
    let mut draft = Draft { doc, more: beside.clone() };
    write(txn, &mut draft, shape)?;
    if draft.doc.get("updated").is_some() && before.as_object() != Some(&draft.doc) {
        draft::stamp(txn, &mut draft.doc, shape, "updated");
    }
    draft.ensure_whole()?;
    let after = txn.put(draft.doc);
    if draft.more != beside {
        keep_more(txn, &after, draft.more);
    }
    tell(txn, &kind, event, &after, Some(before));
    rules::refresh(txn, &after);
    Ok(after.into())
}

fn delete(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    let found = owned(txn, call, plan)?;
    let (kind, id) = (text(&found, "object").to_owned(), text(&found, "id").to_owned());
    txn.remove(&kind, &id);
    txn.remove(MORE, &more_id(&found));
    tell(txn, &kind, "deleted", &found, None);
    rules::refresh(txn, &found);
    let stub = if kind.starts_with("v2.") {
        json!({"id": id, "object": kind})
    } else {
        json!({"id": id, "object": kind, "deleted": true})
    };
    Ok(stub.into())
}

/// Emits the event of a kind and a word (`coupon.created`), where the API has one.
fn tell(txn: &mut Txn<'_>, kind: &str, word: &str, object: &Object, before: Option<&Object>) {
    let name = match kind {
        "bank_account" | "card" => format!("account.external_account.{word}"),
        _ => format!("{kind}.{word}"),
    };
    let types = Catalog::get().event_types();
    let flat = name.replacen('.', "_", 1);
    let Some(name) =
        types.iter().find(|it| **it == name).or_else(|| types.iter().find(|it| **it == flat))
    else {
        return;
    };
    match before {
        Some(before) => txn.emit_change(name, before, object),
        None => txn.emit(name, object),
    }
}

fn page(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    // Of several kinds (bank accounts and cards) it is the first that has objects.
    let there = plan.kinds.iter().find(|kind| txn.table(kind).is_some());
    let kind = there.copied().unwrap_or(plan.row.kind);
    let shape = shape_of(kind)?;
    let mut kept = filters(txn, call, shape)?;
    if let Some(parent) = plan.parent {
        let within = call.id(parent.at).to_owned();
        let view = txn.at(&txn.scope().account);
        kept.push(match link(shape, parent) {
            Some(name) => Filter::Is(name, within),
            None => Filter::test(move |stored| {
                let id = format!("{kind} {}", stored.id);
                view.get(MORE, &id).is_some_and(|more| text(&more, WITHIN) == within)
            }),
        });
    }
    if call.key.starts_with("GET /v2/") {
        return neighbours::page(txn, call, kind, &kept, |stored| stored.shown());
    }
    list::page(txn, call, kind, &kept)
}

fn seek(txn: &mut Txn<'_>, call: &Call, plan: &Plan) -> Result<Body, Failure> {
    let index = match plan.row.kind {
        "invoice" => Index {
            kind: "invoice",
            noun: "invoices",
            fields: &["created", "currency", "customer", "metadata", "number", "status", "total"],
        },
        _ => Index {
            kind: "subscription",
            noun: "subscriptions",
            fields: &["created", "metadata", "status"],
        },
    };
    search::page(txn, call, &index)
}
