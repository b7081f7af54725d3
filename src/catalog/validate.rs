//! Is a request what its endpoint takes? Text becomes typed JSON, or a failure in Stripe's words.
//!
//! Unknown parameters are reported before wrong values, wrong values before missing ones.

use serde_json::{Map, Value};

use crate::catalog::grammar::{self, Field, Kind, Type};
use crate::catalog::legacy::Legacy;
use crate::catalog::limit::{self, Limit};
use crate::catalog::metadata::metadata;
use crate::catalog::path::Path;
use crate::catalog::route::Endpoint;
use crate::catalog::version::Version;
use crate::catalog::{Catalog, legacy, near, scalar};
use crate::wire::failure::{Failure, echo};
use crate::wire::form::Tree;

/// How many keys an object's metadata can have.
pub const METADATA_KEYS: usize = 50;
/// How many characters a key of metadata can have.
pub const METADATA_KEY_LENGTH: usize = 40;
/// How many characters a value of metadata can have.
pub const METADATA_VALUE_LENGTH: usize = 500;

impl Catalog {
    /// Checks a decoded request and types it: numbers and booleans as such, cleared values as `null`.
    ///
    /// A cleared key of a map (`metadata[k]=`) is a `null` member; a cleared map is `null` itself.
    pub fn validate(
        &self,
        endpoint: &Endpoint,
        tree: &Tree,
        version: &Version,
    ) -> Result<Map<String, Value>, Failure> {
        let shape = endpoint.params.and_then(|name| self.params(name));
        let fields = shape.map_or([].as_slice(), |shape| shape.fields.as_slice());
        let mut walk = Walk::new(self, endpoint, version);
        let typed = match tree {
            Tree::Hash(members) => walk.hash(fields, members, Path::Root),
            Tree::Leaf(_) | Tree::List(_) => return Err(Failure::invalid("Invalid object")),
        };
        walk.finish()?;
        for path in typed.get("expand").and_then(Value::as_array).into_iter().flatten() {
            self.check_expand(endpoint, path.as_str().unwrap_or_default(), version)?;
        }
        Ok(typed)
    }
}

/// Unknown parameters that an answer names.
const UNKNOWN_NAMED: usize = 20;

struct Walk<'w> {
    catalog: &'w Catalog,
    endpoint: &'w Endpoint,
    legacy: Legacy<'w>,
    unknown: Vec<(String, Option<&'static str>)>,
    invalid: Option<Failure>,
    missing: Option<String>,
}

impl<'w> Walk<'w> {
    fn new(catalog: &'w Catalog, endpoint: &'w Endpoint, version: &'w Version) -> Self {
        let legacy = Legacy::new(endpoint.key(), version);
        Self { catalog, endpoint, legacy, unknown: Vec::new(), invalid: None, missing: None }
    }

    /// The worst of what was found.
    fn finish(&mut self) -> Result<(), Failure> {
        if let Some((first, _)) = self.unknown.first() {
            let mut names: Vec<_> =
                self.unknown.iter().take(UNKNOWN_NAMED).map(|(name, _)| echo(name)).collect();
            if self.unknown.len() > UNKNOWN_NAMED {
                names.push("…".into());
            }
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
            Err(Failure::invalid(format!("Missing required param: {}.", echo(&path)))
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
        path: Path<'_>,
    ) -> Map<String, Value> {
        let mut typed = Map::new();
        for (name, tree) in members {
            let at = Path::Name(&path, name);
            let mut name = name.as_str();
            let mut field = grammar::field(fields, name);
            if field.is_none()
                && let Some(today) = self.legacy.named(at)
            {
                (name, field) = (today, grammar::field(fields, today));
            }
            let value = match field {
                Some(field) => self.field(field, tree, at),
                None => self.undeclared(fields, name, tree, path),
            };
            if let Some(value) = value {
                typed.insert(name.to_owned(), value);
            }
        }
        let given = |name: &str| members.iter().any(|(member, _)| member == name);
        let mut required = fields.iter().filter(|field| field.of.required && !given(field.name));
        if let Some(field) = required.find(|field| !self.is_replaced(field.name, members))
            && self.missing.is_none()
        {
            self.missing = Some(Path::Name(&path, field.name).to_string());
        }
        typed
    }

    fn field(&mut self, field: &Field, tree: &Tree, path: Path<'_>) -> Option<Value> {
        if matches!(field.of.kind, Kind::Text)
            && tree.text() == Some("")
            && !field.of.clearable
            && let Some(value) = self.emptied(field, path)
        {
            return Some(value);
        }
        let value = self.value(&field.of, tree, path)?;
        match limit::refusal(&field.limits, &value, path) {
            Some(failure) => self.refuse(failure),
            None => Some(value),
        }
    }

    /// Whether a required parameter is given by the name it had in an older version.
    fn is_replaced(&self, name: &str, members: &[(String, Tree)]) -> bool {
        members.iter().any(|(given, _)| self.legacy.stands_for(given, name))
    }

    /// A parameter that this version does not have.
    fn undeclared(
        &mut self,
        fields: &[Field],
        name: &str,
        tree: &Tree,
        path: Path<'_>,
    ) -> Option<Value> {
        let at = Path::Name(&path, name);
        match self.legacy.taken(at) {
            Some((of, true)) => self.value(&of, tree, at),
            Some((_, false)) if name == legacy::PAYMENT_METHOD_TYPES => self.refuse(
                Failure::invalid(legacy::NO_LONGER_SUPPORTED_MESSAGE)
                    .code(legacy::NO_LONGER_SUPPORTED)
                    .param(name),
            ),
            _ => {
                // Only a single unknown name gets a hint, so that a thousand of them cost nothing.
                let near = || near::field(fields, name).or_else(|| self.legacy.today(at));
                let hint = if self.unknown.is_empty() { near() } else { None };
                self.unknown.push((at.to_string(), hint));
                None
            }
        }
    }

    fn value(&mut self, of: &Type, tree: &Tree, path: Path<'_>) -> Option<Value> {
        match tree {
            Tree::Leaf(text) if text.is_empty() => match &of.kind {
                _ if of.clearable => Some(Value::Null),
                // Emptying a map removes all its keys, whether or not the SDK says so.
                Kind::Map(_) => Some(Value::Null),
                _ => self.refuse(scalar::empty(&path.to_string())),
            },
            Tree::Leaf(text) => self.leaf(&of.kind, text, path),
            Tree::Hash(_) | Tree::List(_) if of.clearable && says_none(&of.kind, tree) => {
                Some(Value::Array(Vec::new()))
            }
            Tree::Hash(_) | Tree::List(_) => self.nested(&of.kind, tree, path),
        }
    }

    /// What the empty string makes of a text that the SDK does not say can be cleared.
    ///
    /// An update empties whatever its object can show as `null`. What is made can be without any free text that
    /// its object can show as `null`: it is null there, and stays empty within a hash. What names another object,
    /// an address of the net or a required text must have a value.
    fn emptied(&self, field: &Field, path: Path<'_>) -> Option<Value> {
        if !self.endpoint.key().starts_with("POST ") {
            return None;
        }
        let objects = self.endpoint.objects();
        let shape = objects.first().filter(|_| objects.len() == 1);
        let shown = path.within(&self.catalog.object(shape?)?.fields)?;
        if !shown.of.nullable {
            return None;
        }
        let is_formed = field.limits.iter().any(|limit| matches!(limit, Limit::Url | Limit::Email));
        let is_free = matches!(shown.of.kind, Kind::Text) && !is_formed;
        if !path.is_top() {
            return is_free.then(|| Value::from(""));
        }
        let is_update = self.endpoint.key().ends_with('}');
        (is_update || (is_free && !field.of.required)).then_some(Value::Null)
    }

    fn leaf(&mut self, kind: &Kind, text: &str, path: Path<'_>) -> Option<Value> {
        // What is a hash today may have been a word.
        if let Kind::Enum { .. } | Kind::Shape(_) = kind
            && let Some(word) = self.legacy.word(path, text)
        {
            return Some(Value::from(word));
        }
        match scalar::read(kind, text, path) {
            Ok(value) => Some(value),
            Err(failure) => self.refuse(failure),
        }
    }

    fn nested(&mut self, kind: &Kind, tree: &Tree, path: Path<'_>) -> Option<Value> {
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
                    typed.extend(self.value(of, item, Path::Place(&path, at)));
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

    fn not_an(&mut self, noun: &str, path: Path<'_>) -> Option<Value> {
        self.refuse(Failure::invalid(format!("Invalid {noun}")).param(path.to_string()))
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

    fn map(&mut self, of: &Type, members: &[(String, Tree)], path: Path<'_>) -> Option<Value> {
        let is_metadata = path.ends_with("metadata");
        if is_metadata && members.len() > METADATA_KEYS {
            return self.refuse(
                Failure::invalid(format!(
                    "You can only set up to {METADATA_KEYS} metadata keys, but you passed in {}.",
                    members.len()
                ))
                .param(path.to_string()),
            );
        }
        let mut typed = Map::new();
        for (key, tree) in members {
            let inner = Path::Name(&path, key);
            if is_metadata && let Err(failure) = metadata(key, tree) {
                return self.refuse(failure.param(inner.to_string()));
            }
            let value = match tree {
                Tree::Leaf(text) if text.is_empty() => Some(Value::Null),
                _ => self.value(of, tree, inner),
            };
            typed.extend(value.map(|value| (key.clone(), value)));
        }
        Some(Value::Object(typed))
    }
}

/// Whether the one item of a list of plain values is empty: there are none. As recorded of a person's other names.
fn says_none(kind: &Kind, tree: &Tree) -> bool {
    let Kind::List(of) = kind else { return false };
    let is_plain = !matches!(of.kind, Kind::Shape(_) | Kind::List(_) | Kind::Map(_));
    let items = tree.items().unwrap_or_default();
    is_plain && matches!(items.as_slice(), [Tree::Leaf(text)] if text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::route::Routed;
    use crate::wire::form;
    use proptest::prelude::*;
    use serde_json::json;

    fn sent(named: bool, method: &str, path: &str, body: &str) -> Result<Value, Failure> {
        let catalog = Catalog::get();
        let Routed::Found(route) = catalog.route(method, path) else { panic!("{path}") };
        let tree = form::decode(body.as_bytes())?.tree;
        let version = Version { text: "2026-10-28.endive".to_owned(), named };
        catalog.validate(route.endpoint, &tree, &version).map(Value::Object)
    }

    fn post(path: &str, body: &str) -> Result<Value, Failure> {
        sent(true, "POST", path, body)
    }

    /// Message, code and parameter of a refusal.
    fn refused(path: &str, body: &str) -> (String, String, String) {
        let failure = post(path, body).unwrap_err();
        assert_eq!(failure.status, 400);
        (failure.message, failure.code.unwrap_or_default(), failure.param.unwrap_or_default())
    }

    fn three(message: &str, code: &str, param: &str) -> (String, String, String) {
        (message.to_owned(), code.to_owned(), param.to_owned())
    }

    #[test]
    fn a_list_that_can_be_cleared_takes_one_empty_item_for_none() {
        let person = "/v1/accounts/acct_1/persons/person_1";
        for body in ["full_name_aliases[0]=", "full_name_aliases[]="] {
            assert_eq!(post(person, body).unwrap(), json!({"full_name_aliases": []}), "{body}");
        }
        assert_eq!(post(person, "full_name_aliases=").unwrap(), json!({"full_name_aliases": null}));
        refused(person, "full_name_aliases[0]=a&full_name_aliases[1]=");
        refused("/v1/webhook_endpoints", "url=https://a.example&enabled_events[0]=");
    }

    #[test]
    fn values_are_typed() {
        let body = "mode=payment&line_items[0][price_data][currency]=jpy&line_items[0][price_data][unit_amount]=500\
            &line_items[0][quantity]=2&allow_promotion_codes=true&metadata[0]=a&metadata[k]=&expand[]=line_items";
        assert_eq!(
            post("/v1/checkout/sessions", body).unwrap(),
            json!({
                "mode": "payment", "allow_promotion_codes": true, "expand": ["line_items"],
                "line_items": [{"price_data": {"currency": "jpy", "unit_amount": 500}, "quantity": 2}],
                "metadata": {"0": "a", "k": null}
            })
        );
        let coupon = post("/v1/coupons", "percent_off=12.5&duration=once").unwrap();
        assert_eq!(coupon, json!({"percent_off": 12.5, "duration": "once"}));
        let price = post("/v1/prices", "currency=usd&unit_amount_decimal=0.05&product=p").unwrap();
        assert_eq!(price["unit_amount_decimal"], "0.05");
    }

    #[test]
    fn empty_strings_clear_what_can_be_cleared() {
        let typed = post("/v1/customers/cus_1", "metadata=&address=&description=").unwrap();
        assert_eq!(typed, json!({"metadata": null, "address": null, "description": null}));
        assert_eq!(
            refused("/v1/products", "name=&description="),
            three(
                "You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; however 'name' cannot be unset. You should remove 'name' from your request or supply a non-empty value.",
                "parameter_invalid_empty",
                "name"
            )
        );
    }

    #[test]
    fn free_texts_may_be_empty_where_the_object_can_be_without_them() {
        for (path, body, typed) in [
            ("/v1/customers", "description=&name=", json!({"description": null, "name": null})),
            ("/v1/prices", "currency=usd&nickname=", json!({"currency": "usd", "nickname": null})),
            ("/v1/customers", "address[line2]=", json!({"address": {"line2": ""}})),
            (
                "/v1/payment_intents",
                "amount=100&currency=usd&shipping[name]=&shipping[address][line1]=",
                json!({
                    "amount": 100, "currency": "usd",
                    "shipping": {"name": "", "address": {"line1": ""}},
                }),
            ),
        ] {
            assert_eq!(post(path, body).unwrap(), typed, "{path} {body}");
        }
        for (path, body, param) in [
            ("/v1/payment_intents", "amount=100&currency=usd&customer=", "customer"),
            ("/v1/payment_intents", "amount=100&currency=usd&payment_method=", "payment_method"),
            ("/v1/checkout/sessions", "success_url=", "success_url"),
            ("/v1/checkout/sessions", "line_items[0][price]=", "line_items[0][price]"),
            ("/v1/customers", "email=", "email"),
        ] {
            assert_eq!(
                (&*refused(path, body).1, &*refused(path, body).2),
                ("parameter_invalid_empty", param)
            );
        }
    }

    /// Every text parameter of every endpoint that makes something, as the catalog has it: what stands for another
    /// object never takes the empty string, and what is taken is shown as null or empty, never as something else.
    #[test]
    fn no_reference_is_emptied_when_something_is_made() {
        let catalog = Catalog::get();
        let version = Version { text: "2026-10-28.endive".to_owned(), named: true };
        for endpoint in catalog.routes().all() {
            if endpoint.key().ends_with('}') || !endpoint.key().starts_with("POST /v1/") {
                continue;
            }
            let Some(shape) = endpoint.params.and_then(|name| catalog.params(name)) else {
                continue;
            };
            let walk = Walk::new(catalog, endpoint, &version);
            for field in shape.fields.iter().filter(|field| matches!(field.of.kind, Kind::Text)) {
                let path = Path::Name(&Path::Root, field.name);
                let object = endpoint.objects().first().and_then(|name| catalog.object(name));
                let shown = object.and_then(|object| grammar::field(&object.fields, field.name));
                let is_free = shown.is_some_and(|shown| matches!(shown.of.kind, Kind::Text));
                let emptied = walk.emptied(field, path);
                let is_null = emptied.as_ref().is_none_or(Value::is_null);
                assert!(is_null && (emptied.is_none() || is_free), "{} {path}", endpoint.key());
            }
        }
    }

    #[test]
    fn unknown_parameters_are_collected() {
        assert_eq!(
            refused("/v1/customers", "emial=a"),
            three(
                "Received unknown parameter: emial. Did you mean email?",
                "parameter_unknown",
                "emial"
            )
        );
        assert_eq!(
            refused("/v1/customers", "zzzzzz=1&address[qqqqqq]=2&balance=x"),
            three(
                "Received unknown parameters: zzzzzz, address[qqqqqq]",
                "parameter_unknown",
                "zzzzzz"
            )
        );
    }

    #[test]
    fn missing_parameters_are_named_with_their_path() {
        assert_eq!(
            refused("/v1/payment_intents", "currency=usd"),
            three("Missing required param: amount.", "parameter_missing", "amount")
        );
        assert_eq!(
            refused("/v1/checkout/sessions", "line_items[0][price_data][unit_amount]=1"),
            three(
                "Missing required param: line_items[0][price_data][currency].",
                "parameter_missing",
                "line_items[0][price_data][currency]"
            )
        );
    }

    #[test]
    fn wrong_values_are_refused_in_the_words_of_their_type() {
        let intent = |body: &str| refused("/v1/payment_intents", &format!("{body}&currency=usd"));
        assert_eq!(
            intent("amount=abc"),
            three("Invalid integer: abc", "parameter_invalid_integer", "amount")
        );
        assert_eq!(intent("amount=1&confirm=x"), three("Invalid boolean: x", "", "confirm"));
        assert_eq!(intent("amount=1&metadata=x"), three("Invalid object", "", "metadata"));
        assert_eq!(intent("amount=1&expand=x"), three("Invalid array", "", "expand"));
        assert_eq!(
            refused("/v1/checkout/sessions", "mode=foo"),
            three("Invalid mode: must be one of payment, setup, or subscription", "", "mode")
        );
        for number in ["+1", "1.0", " 1", "99999999999999999999"] {
            let body = format!("amount={}", form::escape(number));
            assert_eq!(intent(&body).1, "parameter_invalid_integer", "{number}");
        }
    }

    #[test]
    fn the_size_of_a_page_is_a_whole_number_of_any_size() {
        let list = |limit: &str| sent(true, "GET", "/v1/customers", &format!("limit={limit}"));
        // Lists clamp it: what is out of range is not refused.
        for limit in [100, 101, 0, -1] {
            assert_eq!(list(&limit.to_string()).unwrap(), json!({"limit": limit}));
        }
        let failure = list("abc").unwrap_err();
        assert_eq!(failure.message, "Invalid integer: abc");
        assert_eq!(failure.code.as_deref(), Some("parameter_invalid_integer"));
    }

    #[test]
    fn either_kind_of_a_union_is_taken() {
        let list = |body: &str| sent(true, "GET", "/v1/customers", body);
        assert_eq!(list("created=5").unwrap(), json!({"created": 5}));
        assert_eq!(list("created[gte]=5").unwrap(), json!({"created": {"gte": 5}}));
        assert_eq!(list("created=x").unwrap_err().message, "Invalid integer: x");
        let sub = |end: &str| post("/v1/subscriptions/sub_1", &format!("trial_end={end}"));
        assert_eq!(sub("now").unwrap(), json!({"trial_end": "now"}));
        assert_eq!(sub("7").unwrap(), json!({"trial_end": 7}));
        assert!(sub("later").is_err());
        let cleared = post("/v1/subscriptions/sub_1", "discounts=").unwrap();
        assert_eq!(cleared, json!({"discounts": null}));
    }

    #[test]
    fn metadata_has_limits() {
        let long = format!("metadata[k]={}", "x".repeat(501));
        let (message, _, param) = refused("/v1/customers", &long);
        assert!(message.starts_with(
            "Metadata values can have up to 500 characters, but you passed in a value that is 501 characters. Invalid value: xxx"
        ));
        assert_eq!(param, "metadata[k]");
        let key = format!("metadata[{}]=1", "é".repeat(41));
        assert!(refused("/v1/customers", &key).0.starts_with("Metadata keys can have up to 40"));
        assert!(post("/v1/customers", &format!("metadata[{}]=1", "é".repeat(40))).is_ok());
        assert!(refused("/v1/customers", "metadata[a[b]]=1").0.contains("square brackets"));
        let many: Vec<String> = (0..51).map(|at| format!("metadata[{at}]=1")).collect();
        assert!(refused("/v1/customers", &many.join("&")).0.contains("up to 50 metadata keys"));
    }

    #[test]
    fn older_parameters_are_taken_only_from_older_requests() {
        let older = |path: &str, body: &str| sent(false, "POST", path, body);
        let body = "mode=payment&payment_method_types[]=card&ui_mode=hosted";
        assert_eq!(
            older("/v1/checkout/sessions", body).unwrap(),
            json!({"mode": "payment", "payment_method_types": ["card"], "ui_mode": "hosted_page"})
        );
        let (message, code, param) =
            refused("/v1/checkout/sessions", "payment_method_types[]=card");
        assert!(message.contains("allowed_payment_method_types"));
        assert_eq!(code, "payment_method_types_no_longer_supported");
        assert_eq!(param, "payment_method_types");
        assert!(post("/v1/checkout/sessions", "ui_mode=hosted").is_err());
        assert!(older("/v1/promotion_codes", "coupon=c").is_ok());
        assert_eq!(refused("/v1/promotion_codes", "coupon=c").1, "parameter_unknown");
        let price =
            ("Received unknown parameter: price. Did you mean pricing?", "parameter_unknown");
        assert_eq!(refused("/v1/invoiceitems", "price=p"), three(price.0, price.1, "price"));
        let renamed = older("/v1/products", "name=a&features[0][name]=b").unwrap();
        assert_eq!(renamed, json!({"name": "a", "marketing_features": [{"name": "b"}]}));
    }

    #[test]
    fn expand_is_checked_against_the_answer() {
        let failure = post("/v1/customers", "expand[]=nope").unwrap_err();
        assert_eq!(failure.message, "This property cannot be expanded (nope).");
    }

    proptest! {
        #[test]
        fn no_request_makes_it_panic(
            at in 0_usize..647,
            body in "([a-z_\\[\\]]{0,20}=[a-z0-9]{0,3}&){0,8}",
        ) {
            let catalog = Catalog::get();
            let endpoint = &catalog.routes().all()[at];
            if let Ok(decoded) = form::decode(body.as_bytes()) {
                let version = Version { text: "2022-11-15".to_owned(), named: true };
                let _either = catalog.validate(endpoint, &decoded.tree, &version);
            }
        }
    }
}
