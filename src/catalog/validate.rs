//! Is a request what its endpoint takes? Text becomes typed JSON, or a failure in Stripe's words.
//!
//! Unknown parameters are reported before wrong values, wrong values before missing ones.

use serde_json::{Map, Value};

use crate::catalog::grammar::{self, Field, Kind, Type};
use crate::catalog::route::Endpoint;
use crate::catalog::{Catalog, legacy, scalar};
use crate::wire::failure::Failure;
use crate::wire::form::Tree;

/// How many keys an object's metadata can have.
pub const METADATA_KEYS: usize = 50;
/// How many characters a key of metadata can have.
pub const METADATA_KEY_LENGTH: usize = 40;
/// How many characters a value of metadata can have.
pub const METADATA_VALUE_LENGTH: usize = 500;

/// Which version's parameters a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Only those of the current version.
    Endive,
    /// Also those of older ones: the request names an older version, or none.
    Older,
}

impl Catalog {
    /// Checks a decoded request and types it: numbers and booleans as such, cleared values as `null`.
    ///
    /// A cleared key of a map (`metadata[k]=`) is a `null` member; a cleared map is `null` itself.
    pub fn validate(
        &self,
        endpoint: &Endpoint,
        tree: &Tree,
        strictness: Strictness,
    ) -> Result<Map<String, Value>, Failure> {
        let shape = endpoint.params.and_then(|name| self.params(name));
        let fields = shape.map_or([].as_slice(), |shape| shape.fields.as_slice());
        let mut walk = Walk::new(self, endpoint, strictness);
        let typed = match tree {
            Tree::Hash(members) => walk.hash(fields, members, ""),
            Tree::Leaf(_) | Tree::List(_) => return Err(Failure::invalid("Invalid object")),
        };
        walk.finish()?;
        if endpoint.is_list()
            && let Some(limit) = typed.get("limit")
        {
            scalar::limit(limit)?;
        }
        for path in typed.get("expand").and_then(Value::as_array).into_iter().flatten() {
            self.check_expand(endpoint, path.as_str().unwrap_or_default())?;
        }
        Ok(typed)
    }
}

struct Walk<'w> {
    catalog: &'w Catalog,
    endpoint: &'w Endpoint,
    strictness: Strictness,
    unknown: Vec<(String, Option<&'static str>)>,
    invalid: Option<Failure>,
    missing: Option<String>,
}

impl<'w> Walk<'w> {
    const fn new(catalog: &'w Catalog, endpoint: &'w Endpoint, strictness: Strictness) -> Self {
        Self { catalog, endpoint, strictness, unknown: Vec::new(), invalid: None, missing: None }
    }

    /// The worst of what was found.
    fn finish(&mut self) -> Result<(), Failure> {
        if let Some((first, _)) = self.unknown.first() {
            let names: Vec<&str> = self.unknown.iter().map(|(name, _)| name.as_str()).collect();
            let plural = if names.len() > 1 { "s" } else { "" };
            let mut message = format!("Received unknown parameter{plural}: {}", names.join(", "));
            if let [(_, Some(near))] = self.unknown.as_slice() {
                message.push_str(". Did you mean ");
                message.push_str(near);
                message.push('?');
            }
            return Err(Failure::invalid(message).code("parameter_unknown").param(first));
        }
        if let Some(failure) = self.invalid.take() {
            return Err(failure);
        }
        self.missing.take().map_or(Ok(()), |path| {
            Err(Failure::invalid(format!("Missing required param: {path}."))
                .code("parameter_missing")
                .param(path))
        })
    }

    fn refuse(&mut self, failure: Failure) -> Option<Value> {
        self.invalid.get_or_insert(failure);
        None
    }

    fn hash(
        &mut self,
        fields: &[Field],
        members: &[(String, Tree)],
        path: &str,
    ) -> Map<String, Value> {
        let mut typed = Map::new();
        for (name, tree) in members {
            let inner = join(path, name);
            let value = match grammar::field(fields, name) {
                Some(field) => self.value(&field.of, tree, &inner),
                None => self.undeclared(fields, name, tree, path),
            };
            if let Some(value) = value {
                typed.insert(name.clone(), value);
            }
        }
        let given = |name: &str| members.iter().any(|(member, _)| member == name);
        let mut required = fields.iter().filter(|field| field.of.required && !given(field.name));
        if let Some(field) = required.find(|field| !self.is_replaced(field.name, members))
            && self.missing.is_none()
        {
            self.missing = Some(join(path, field.name));
        }
        typed
    }

    /// Whether a required parameter is given by the name it had in an older version.
    fn is_replaced(&self, name: &str, members: &[(String, Tree)]) -> bool {
        let stands_for = |given: &str| legacy::stands_for(self.endpoint.key(), given);
        self.strictness == Strictness::Older
            && members.iter().any(|(given, _)| stands_for(given) == Some(name))
    }

    /// A parameter that this version does not have.
    fn undeclared(
        &mut self,
        fields: &[Field],
        name: &str,
        tree: &Tree,
        path: &str,
    ) -> Option<Value> {
        let older = legacy::parameter(self.endpoint.key(), name).filter(|_| path.is_empty());
        match (older, self.strictness) {
            (Some(text), Strictness::Older) => {
                let of = grammar::read(text)?;
                self.value(&of, tree, name)
            }
            (Some(_), Strictness::Endive) if name == legacy::PAYMENT_METHOD_TYPES => self.refuse(
                Failure::invalid(legacy::NO_LONGER_SUPPORTED_MESSAGE)
                    .code(legacy::NO_LONGER_SUPPORTED)
                    .param(name),
            ),
            _ => {
                self.unknown.push((join(path, name), nearest(fields, name)));
                None
            }
        }
    }

    fn value(&mut self, of: &Type, tree: &Tree, path: &str) -> Option<Value> {
        match tree {
            Tree::Leaf(text) if text.is_empty() => match &of.kind {
                _ if of.clearable => Some(Value::Null),
                // Emptying a map removes all its keys, whether or not the SDK says so.
                Kind::Map(_) => Some(Value::Null),
                _ => self.refuse(scalar::empty(path)),
            },
            Tree::Leaf(text) => self.leaf(&of.kind, text, path),
            Tree::Hash(_) | Tree::List(_) => self.nested(&of.kind, tree, path),
        }
    }

    fn leaf(&mut self, kind: &Kind, text: &str, path: &str) -> Option<Value> {
        if self.strictness == Strictness::Older
            && let Some(word) = legacy::word(self.endpoint.key(), path, text)
        {
            return Some(Value::from(word));
        }
        match scalar::read(kind, text, path) {
            Ok(value) => Some(value),
            Err(failure) => self.refuse(failure),
        }
    }

    fn nested(&mut self, kind: &Kind, tree: &Tree, path: &str) -> Option<Value> {
        match kind {
            Kind::Shape(name) => {
                let shape = self.catalog.params(name)?;
                let Tree::Hash(members) = tree else { return self.not_an("object", path) };
                Some(Value::Object(self.hash(&shape.fields, members, path)))
            }
            Kind::List(of) => {
                let Some(items) = tree.items() else { return self.not_an("array", path) };
                let mut typed = Vec::with_capacity(items.len());
                for (at, item) in items.into_iter().enumerate() {
                    typed.extend(self.value(of, item, &join(path, &at.to_string())));
                }
                Some(Value::Array(typed))
            }
            Kind::Map(of) => {
                let Tree::Hash(members) = tree else { return self.not_an("object", path) };
                self.map(of, members, path)
            }
            Kind::Union(members) => match self.fitting(members, tree) {
                Some(member) => self.nested(member, tree, path),
                None => self.not_an("string", path),
            },
            Kind::Integer => self.not_an("integer", path),
            Kind::Boolean => self.not_an("boolean", path),
            Kind::Float | Kind::Decimal => self.not_an("decimal", path),
            _ => self.not_an("string", path),
        }
    }

    fn not_an(&mut self, noun: &str, path: &str) -> Option<Value> {
        self.refuse(Failure::invalid(format!("Invalid {noun}")).param(path))
    }

    /// The member of a union that has all the keys of a hash, else the first that is no single value.
    fn fitting<'t>(&self, members: &'t [Type], tree: &Tree) -> Option<&'t Kind> {
        let is_nested = |kind: &Kind| matches!(kind, Kind::Shape(_) | Kind::List(_) | Kind::Map(_));
        let has_all = |kind: &Kind| {
            let (Kind::Shape(name), Tree::Hash(given)) = (kind, tree) else { return false };
            let Some(shape) = self.catalog.params(name) else { return false };
            given.iter().all(|(key, _)| grammar::field(&shape.fields, key).is_some())
        };
        let mut kinds = members.iter().map(|member| &member.kind);
        let whole = kinds.clone().find(|kind| has_all(kind));
        whole.or_else(|| kinds.find(|kind| is_nested(kind)))
    }

    fn map(&mut self, of: &Type, members: &[(String, Tree)], path: &str) -> Option<Value> {
        let is_metadata = path == "metadata" || path.ends_with("[metadata]");
        if is_metadata && members.len() > METADATA_KEYS {
            return self.refuse(
                Failure::invalid(format!(
                    "You can only set up to {METADATA_KEYS} metadata keys, but you passed in {}.",
                    members.len()
                ))
                .param(path),
            );
        }
        let mut typed = Map::new();
        for (key, tree) in members {
            let inner = join(path, key);
            if is_metadata && let Err(failure) = metadata(key, tree, path) {
                return self.refuse(failure.param(inner));
            }
            let value = match tree {
                Tree::Leaf(text) if text.is_empty() => Some(Value::Null),
                _ => self.value(of, tree, &inner),
            };
            typed.extend(value.map(|value| (key.clone(), value)));
        }
        Some(Value::Object(typed))
    }
}

/// The limits on metadata, in characters.
fn metadata(key: &str, tree: &Tree, path: &str) -> Result<(), Failure> {
    let too_long = |what: &str, most: usize, text: &str| {
        let length = text.chars().count();
        (length > most).then(|| {
            Failure::invalid(format!(
                "Metadata {what}s can have up to {most} characters, but you passed in a {what} that is {length} characters. Invalid {what}: {text}"
            ))
        })
    };
    if key.contains(['[', ']']) {
        return Err(Failure::invalid(format!(
            "Metadata keys cannot contain square brackets. Invalid key: {key}"
        ))
        .param(path));
    }
    let value = tree.text().unwrap_or_default();
    too_long("key", METADATA_KEY_LENGTH, key)
        .or_else(|| too_long("value", METADATA_VALUE_LENGTH, value))
        .map_or(Ok(()), Err)
}

/// `a[b]`, as parameters are named in answers.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") }
}

/// The one field that a misspelt name most likely meant.
fn nearest(fields: &[Field], name: &str) -> Option<&'static str> {
    let most = if name.chars().count() < 5 { 1 } else { 2 };
    let near = |field: &Field| (distance(field.name, name), field.name);
    let best = fields.iter().map(near).min_by_key(|(distance, _)| *distance)?;
    let ties = fields.iter().filter(|field| distance(field.name, name) == best.0).count();
    (best.0 <= most && ties == 1).then_some(best.1)
}

/// How many letters must be put in, left out, changed, or swapped with the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.iter().enumerate() {
        let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = at(&row, j) + usize::from(x != y);
            let mut least = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let left = j.checked_sub(1);
            if let Some(left) = left
                && previous == Some(y)
                && b.get(left) == Some(x)
            {
                least = least.min(at(&before, left) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or(0)
}
