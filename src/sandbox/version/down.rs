//! Undoes the changes that came after a version, in a document or in the text of one.

use crate::catalog::version::is_before;
use crate::sandbox::version::changes::{Before, CHANGES, Change, Was, look};
use crate::wire::render;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Finds an object by its kind and id.
pub type Find<'f> = &'f dyn Fn(&str, &str) -> Option<Value>;

/// For whoever cannot look: no object is found.
pub fn nowhere(_: &str, _: &str) -> Option<Value> {
    None
}

/// The changes of each kind of object, newest first, and how its text begins to look.
struct Kind {
    changes: Vec<&'static Change>,
    mark: String,
}

fn kinds() -> &'static HashMap<&'static str, Kind> {
    static KINDS: OnceLock<HashMap<&'static str, Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let mut kinds = HashMap::new();
        for change in CHANGES {
            let mark = format!("\"object\":\"{}\"", change.object);
            let kind = kinds.entry(change.object);
            kind.or_insert_with(|| Kind { changes: Vec::new(), mark }).changes.push(change);
        }
        kinds
    })
}

/// Whether anything changed after a version.
pub fn is_due(version: &str) -> bool {
    CHANGES.first().is_some_and(|newest| is_before(version, newest.since))
}

/// The text of an answer as a version shows it; the text itself where nothing in it has changed since.
pub fn text<'t>(text: &'t str, version: &str, find: Find<'_>) -> Cow<'t, str> {
    let has_changed = |kind: &Kind| {
        let newest = kind.changes.first();
        newest.is_some_and(|it| is_before(version, it.since)) && text.contains(&kind.mark)
    };
    if !is_due(version) || !kinds().values().any(has_changed) {
        return Cow::Borrowed(text);
    }
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    value(&mut document, version, find);
    Cow::Owned(render::compact(&document))
}

/// A document as a version shows it, with every object in it. Events stay as they are: they have a version of
/// their own.
pub fn value(document: &mut Value, version: &str, find: Find<'_>) {
    if !is_due(version) {
        return;
    }
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| value(item, version, find)),
        Value::Object(map) => {
            let kind = map.get("object").and_then(Value::as_str);
            if kind == Some("event") || map.get("deleted") == Some(&Value::Bool(true)) {
                return;
            }
            let kind = kind.and_then(|name| kinds().get(name));
            // What its owner wrote there is no object of ours, whatever it says.
            let members = map.iter_mut().filter(|(name, _)| *name != "metadata");
            members.for_each(|(_, member)| value(member, version, find));
            let changes = kind.map_or(&[][..], |kind| &kind.changes);
            for change in changes.iter().filter(|it| is_before(version, it.since)) {
                undo(map, change, true, version, find);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `previous_attributes` of an event about an object of that kind. What they do not name did not change: nothing
/// is put beside them.
pub fn previous<'t>(text: &'t str, kind: &str, version: &str) -> Cow<'t, str> {
    let changes = kinds().get(kind).map_or(&[][..], |kind| &kind.changes);
    let mut due = changes.iter().filter(|it| is_before(version, it.since)).peekable();
    if due.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    if let Value::Object(map) = &mut document {
        due.for_each(|change| undo(map, change, false, version, &nowhere));
    }
    Cow::Owned(render::compact(&document))
}

/// Undoes one change; of a part of an object, only what the part itself tells.
fn undo(doc: &mut Map<String, Value>, change: &Change, whole: bool, version: &str, find: Find<'_>) {
    let was = match change.before {
        Before::Here(was) => before(doc, was, whole, version, find),
        _ => None,
    };
    let (around, name) = change.member.rsplit_once('.').unwrap_or(("", change.member));
    let Some(doc) = hash(doc, around) else { return };
    match change.before {
        Before::Absent => drop(doc.remove(name)),
        Before::Here(_) => {
            if let Some(was) = was {
                doc.entry(name).or_insert(was);
            }
        }
        Before::Named(old) => {
            if let Some(member) = doc.remove(name) {
                doc.insert(old.to_owned(), member);
            }
        }
        Before::Word(now, old) => {
            if let Some(member) = doc.get_mut(name).filter(|member| **member == now) {
                *member = Value::from(old);
            }
        }
    }
}

/// The hash at a path, where there is one.
fn hash<'d>(doc: &'d mut Map<String, Value>, path: &str) -> Option<&'d mut Map<String, Value>> {
    let mut names = path.split('.').filter(|name| !name.is_empty());
    names.try_fold(doc, |at, name| at.get_mut(name)?.as_object_mut())
}

/// What stood in a member that is gone.
fn before(
    doc: &Map<String, Value>,
    was: Was,
    whole: bool,
    version: &str,
    find: Find<'_>,
) -> Option<Value> {
    let found = match was {
        Was::At(paths) => {
            let mut found = paths.iter().filter_map(|path| look(doc, path));
            found.find(|value| !whole || !value.is_null()).cloned()
        }
        Was::Perhaps(paths) => {
            let mut found = paths.iter().filter_map(|path| look(doc, path));
            return found.find(|value| !value.is_null()).cloned();
        }
        Was::Object(..) | Was::Null | Was::Empty | Was::Told(_) | Was::Made(_) if !whole => None,
        Was::Object(kind, path) => match look(doc, path) {
            // Expanded, and made older already.
            Some(Value::Object(there)) => Some(Value::Object(there.clone())),
            // Whoever cannot look shows its id, rather than say that there is nothing.
            Some(Value::String(id)) => {
                let found = find(kind, id).map(|mut found| {
                    value(&mut found, version, find);
                    found
                });
                found.or_else(|| (kind != "plan").then(|| Value::from(id.as_str())))
            }
            _ => None,
        },
        Was::Null => None,
        Was::Told(name) => doc.get("id").and_then(Value::as_str).and_then(|id| find(name, id)),
        Was::Empty => Some(Value::Array(Vec::new())),
        Was::Made(make) => Some(make(doc)),
    };
    found.or_else(|| whole.then_some(Value::Null))
}
