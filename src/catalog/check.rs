//! Does an answer have exactly the shape that the API promises? Tests ask it of every answer.

use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::catalog::absent::may_lack;
use crate::catalog::grammar::{self, Field, Kind, Type};

/// Objects that Stripe serves without describing them.
const UNDESCRIBED: [&str; 1] = ["payment_page"];

/// The kinds of errors on the wire.
const ERROR_TYPES: [&str; 4] =
    ["api_error", "card_error", "idempotency_error", "invalid_request_error"];

/// The text members of an error.
const ERROR_TEXTS: [&str; 12] = [
    "advice_code",
    "charge",
    "code",
    "decline_code",
    "doc_url",
    "message",
    "network_advice_code",
    "network_decline_code",
    "param",
    "payment_method_type",
    "request_log_url",
    "type",
];

/// The members of an error that are objects.
const ERROR_OBJECTS: [&str; 4] = ["payment_intent", "payment_method", "setup_intent", "source"];

impl Catalog {
    /// Every way in which an answer's body departs from the API's shapes, each with its path.
    pub fn check(&self, body: &Value) -> Vec<String> {
        let mut checker = Checker { catalog: self, found: Vec::new() };
        let is_plain = body.get("object").is_none();
        match (body.get("error"), body.get("data").and_then(Value::as_array)) {
            (Some(error), _) if is_plain => checker.error(error),
            // A list of v2.
            (_, Some(data)) if is_plain && body.get("next_page_url").is_some() => {
                for (at, item) in data.iter().enumerate() {
                    checker.object(&[], item, &format!("$.data[{at}]"));
                }
            }
            _ => checker.object(&[], body, "$"),
        }
        checker.found
    }
}

struct Checker<'c> {
    catalog: &'c Catalog,
    found: Vec<String>,
}

impl Checker<'_> {
    fn report(&mut self, path: &str, what: impl AsRef<str>) {
        self.found.push(format!("{path}: {}", what.as_ref()));
    }

    /// An object with an `object` member: one of `expected`, or any if that is empty.
    fn object(&mut self, expected: &[&'static str], value: &Value, path: &str) {
        let Some(members) = value.as_object() else {
            return self.report(path, format!("is not an object but {}", kind_of(value)));
        };
        let Some(name) = members.get("object").and_then(Value::as_str) else {
            return self.report(path, "has no text in `object`");
        };
        if !expected.is_empty() && !expected.contains(&name) {
            return self.report(path, format!("is a {name}, not a {}", expected.join(" or ")));
        }
        if name == "list" || name == "search_result" {
            return self.page(&[], members, path);
        }
        let Some(shape) = self.catalog.object(name) else {
            if !UNDESCRIBED.contains(&name) {
                self.report(path, format!("is a {name}, which the API does not have"));
            }
            return;
        };
        let is_deleted = members.get("deleted").is_some_and(|deleted| deleted == true);
        if is_deleted && members.len() == 3 && members.contains_key("id") {
            return;
        }
        // What v2 leaves of a deleted one.
        if name.starts_with("v2.") && members.len() == 2 && members.contains_key("id") {
            return;
        }
        let lacks = |field: &Field| !members.contains_key(field.name) && !may_lack(shape, field);
        for field in shape.fields.iter().filter(|field| lacks(field)) {
            self.report(&format!("{path}.{}", field.name), format!("is missing in a {name}"));
        }
        self.members(&shape.fields, members, path);
    }

    fn members(&mut self, fields: &[Field], members: &Map<String, Value>, path: &str) {
        for (name, value) in members {
            let inner = format!("{path}.{name}");
            match grammar::field(fields, name) {
                Some(field) => self.value(&field.of, value, &inner),
                None => self.report(&inner, "is not a field of the API"),
            }
        }
    }

    fn value(&mut self, of: &Type, value: &Value, path: &str) {
        if value.is_null() {
            if !of.nullable && !matches!(of.kind, Kind::Any) {
                self.report(path, "is null");
            }
            return;
        }
        let fits = match &of.kind {
            Kind::Text | Kind::Decimal => value.is_string(),
            Kind::Integer => value.is_i64() || value.is_u64(),
            Kind::Float => value.is_number(),
            Kind::Boolean => value.is_boolean(),
            Kind::Any => return self.loose(value, path),
            Kind::Enum { words, .. } => return self.word(words, value, path),
            Kind::List(of) => return self.list(of, value, path),
            Kind::Map(of) => return self.map(of, value, path),
            Kind::Hash(fields) => return self.hash(fields, value, path),
            Kind::Expandable(_) if value.is_string() => true,
            Kind::Expandable(objects) | Kind::Object(objects) => {
                return self.object(objects, value, path);
            }
            Kind::Page(objects) => match value.as_object() {
                Some(members) => return self.page(objects, members, path),
                None => false,
            },
            Kind::Union(members) => members.iter().any(|member| {
                let mut inner = Checker { catalog: self.catalog, found: Vec::new() };
                inner.value(member, value, path);
                inner.found.is_empty()
            }),
            Kind::Shape(_) => true,
        };
        if !fits {
            self.report(path, format!("is {}, not {}", kind_of(value), wanted(&of.kind)));
        }
    }

    /// Enums that may grow are no exception: they grow with the version, and this one is fixed.
    fn word(&mut self, words: &[&str], value: &Value, path: &str) {
        let text = value.as_str();
        let is_listed = text.is_some_and(|text| words.contains(&text))
            || (value.as_bool() == Some(true) && words.contains(&"true"));
        if !is_listed {
            self.report(path, format!("is {value}, not one of {}", words.join(", ")));
        }
    }

    fn list(&mut self, of: &Type, value: &Value, path: &str) {
        let Some(items) = value.as_array() else {
            return self.report(path, format!("is {}, not a list", kind_of(value)));
        };
        for (at, item) in items.iter().enumerate() {
            self.value(of, item, &format!("{path}[{at}]"));
        }
    }

    fn map(&mut self, of: &Type, value: &Value, path: &str) {
        let Some(members) = value.as_object() else {
            return self.report(path, format!("is {}, not a hash", kind_of(value)));
        };
        // The object of an event is declared as a map of anything.
        if matches!(of.kind, Kind::Any) {
            return self.loose(value, path);
        }
        for (name, item) in members {
            self.value(of, item, &format!("{path}.{name}"));
        }
    }

    /// A nested hash: what may be null may also be absent.
    fn hash(&mut self, fields: &[Field], value: &Value, path: &str) {
        let Some(members) = value.as_object() else {
            return self.report(path, format!("is {}, not a hash", kind_of(value)));
        };
        let lacks = |field: &Field| !members.contains_key(field.name) && !field.of.nullable;
        for field in fields.iter().filter(|field| lacks(field)) {
            self.report(&format!("{path}.{}", field.name), "is missing");
        }
        self.members(fields, members, path);
    }

    /// A list object; its elements are of `expected`, or any objects if that is empty.
    fn page(&mut self, expected: &[&'static str], members: &Map<String, Value>, path: &str) {
        let name = members.get("object").and_then(Value::as_str).unwrap_or_default();
        let required: &[&str] = match name {
            "list" => &["data", "has_more", "object", "url"],
            "search_result" => &["data", "has_more", "next_page", "object", "url"],
            _ => return self.report(path, "is not a list object"),
        };
        for field in required.iter().filter(|field| !members.contains_key(**field)) {
            self.report(&format!("{path}.{field}"), "is missing in a list");
        }
        for (field, value) in members {
            let inner = format!("{path}.{field}");
            let fits = match field.as_str() {
                "object" => true,
                "data" => value.is_array(),
                "has_more" => value.is_boolean(),
                "url" => value.is_string(),
                // Refunds count what the page has.
                "count" | "total_count" => value.is_u64(),
                "next_page" => value.is_string() || value.is_null(),
                _ => {
                    self.report(&inner, "is not a field of a list");
                    continue;
                }
            };
            if !fits {
                self.report(&inner, format!("is {}", kind_of(value)));
            }
        }
        let data = members.get("data").and_then(Value::as_array);
        for (at, item) in data.into_iter().flatten().enumerate() {
            self.object(expected, item, &format!("{path}.data[{at}]"));
        }
    }

    /// Something undeclared; whole objects in it are still held to their shape.
    fn loose(&mut self, value: &Value, path: &str) {
        let name = value.get("object").and_then(Value::as_str);
        if name.is_some_and(|name| name == "list" || self.catalog.object(name).is_some()) {
            self.object(&[], value, path);
        }
    }

    fn error(&mut self, error: &Value) {
        let Some(members) = error.as_object() else {
            return self.report("$.error", format!("is {}", kind_of(error)));
        };
        for name in ["message", "type"] {
            if !members.contains_key(name) {
                self.report(&format!("$.error.{name}"), "is missing");
            }
        }
        for (name, value) in members {
            let path = format!("$.error.{name}");
            if ERROR_OBJECTS.contains(&name.as_str()) {
                self.object(&[], value, &path);
                continue;
            }
            let Some(text) = value.as_str().filter(|_| ERROR_TEXTS.contains(&name.as_str())) else {
                self.report(&path, "is not a text member of an error");
                continue;
            };
            let fits = match name.as_str() {
                "type" => ERROR_TYPES.contains(&text),
                "code" => self.catalog.is_error_code(text),
                _ => true,
            };
            if !fits {
                self.report(&path, format!("is {text}, which the API does not have"));
            }
        }
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a hash",
    }
}

const fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Integer => "an integer",
        Kind::Float => "a number",
        Kind::Boolean => "a boolean",
        Kind::Decimal => "a decimal in text",
        Kind::Page(_) => "a list object",
        Kind::Union(_) => "any of the kinds declared",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn product() -> Value {
        let catalog = Catalog::get();
        let mut product = catalog.blank("product");
        let rest =
            json!({"id": "prod_1", "created": 1, "updated": 1, "name": "Tea", "type": "service"});
        product.extend(rest.as_object().unwrap().clone());
        Value::Object(product)
    }

    fn found(value: &Value) -> Vec<String> {
        Catalog::get().check(value)
    }

    #[test]
    fn a_complete_object_is_in_order_alone_and_in_lists_and_events() {
        assert_eq!(found(&product()), Vec::<String>::new());
        let list = json!({"object": "list", "data": [product()], "has_more": false, "url": "/v1/products"});
        assert_eq!(found(&list), Vec::<String>::new());
        let event = json!({
            "object": "event", "id": "evt_1", "api_version": "2026-10-28.endive", "created": 1,
            "livemode": false, "pending_webhooks": 0, "type": "product.created",
            "request": {"id": null, "idempotency_key": null}, "data": {"object": product()}
        });
        assert_eq!(found(&event), Vec::<String>::new());
    }

    #[test]
    fn every_departure_is_named_with_its_path() {
        let mut odd = product();
        let members = odd.as_object_mut().unwrap();
        members.remove("active");
        members.insert("_secret".to_owned(), json!(1));
        members.insert("images".to_owned(), json!([1]));
        members.insert("name".to_owned(), Value::Null);
        members.insert("created".to_owned(), json!(1.5));
        members.insert("marketing_features".to_owned(), json!([{"nam": "x"}]));
        members.insert("default_price".to_owned(), json!({"object": "coupon"}));
        let list = json!({"object": "list", "data": [odd], "has_more": 1, "url": "/v1/products"});
        let found = found(&list);
        for path in [
            "$.has_more",
            "$.data[0].active",
            "$.data[0]._secret",
            "$.data[0].images[0]",
            "$.data[0].name",
            "$.data[0].created",
            "$.data[0].marketing_features[0].nam",
            "$.data[0].default_price",
        ] {
            let is_named = found.iter().any(|line| line.starts_with(&format!("{path}:")));
            assert!(is_named, "{path} in {found:#?}");
        }
        assert_eq!(found.len(), 8, "{found:#?}");
    }

    #[test]
    fn stubs_unknown_objects_and_events_are_told_apart() {
        assert!(found(&json!({"id": "cus_1", "object": "customer", "deleted": true})).is_empty());
        assert_eq!(found(&json!({"id": "x", "object": "nope"})).len(), 1);
        assert_eq!(found(&json!({"id": "x"})).len(), 1);
        assert_eq!(found(&json!([])).len(), 1);
        assert!(found(&json!({"object": "search_result", "data": [], "has_more": false, "next_page": null, "url": "/"})).is_empty());
    }

    #[test]
    fn errors_are_held_to_their_envelope() {
        let known =
            json!({"error": {"type": "card_error", "message": "No.", "code": "card_declined"}});
        assert!(found(&known).is_empty());
        let odd = json!({"error": {"type": "odd", "code": "nope", "hint": "x"}});
        assert_eq!(found(&odd).len(), 4, "{:?}", found(&odd));
    }

    #[test]
    fn blank_objects_lack_only_what_the_caller_fills() {
        let catalog = Catalog::get();
        for name in catalog.object_names() {
            let found = catalog.check(&Value::Object(catalog.blank(name)));
            let other: Vec<&String> =
                found.iter().filter(|line| !line.contains(": is missing in a ")).collect();
            assert!(other.is_empty(), "{name}: {other:?}");
        }
    }
}
