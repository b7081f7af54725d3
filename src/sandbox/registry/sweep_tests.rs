//! Every endpoint of the API, called with what its parameters allow and with what they do not.

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Field, Kind, Type};
use crate::catalog::route::{Endpoint, Routed};
use crate::domain::time::Timestamp;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::sandbox::api::front::{self, ApiRequest, ApiResponse};
use crate::sandbox::call::reference::kind_of;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::host::{Options, Running, start};
use crate::sandbox::registry::{self, Answerer};
use crate::wire::form;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const KEY: &str = "Bearer sk_test_0123456789abcdef";

/// Parameters for which a record answers 501: it has no place for what they mean.
const UNPLACED: &[(&str, &str)] = &[
    ("GET /v1/radar/value_lists", "contains"),
    ("POST /v1/accounts/{account}/persons", "person_token"),
    ("POST /v1/accounts/{account}/persons/{person}", "person_token"),
];

struct Sweep {
    world: Arc<World>,
    /// The id of one object of each kind.
    made: HashMap<&'static str, String>,
    wrong: Vec<String>,
    calls: usize,
}

async fn host() -> Running {
    let clock = Clock::fixed(Timestamp(1_800_000_000));
    let mut options = Options::new(None, clock, Entropy::seeded(7));
    options.addr.set_port(0);
    start(options).await.unwrap()
}

impl Sweep {
    async fn call(&mut self, method: &str, path: &str, params: &Value) -> (ApiResponse, Value) {
        self.calls += 1;
        let v2 = path.starts_with("/v2/");
        let encoded = form::encode(params);
        let get = method != "POST";
        let body = if v2 { params.to_string() } else { encoded.clone() };
        let kind = if v2 { "application/json" } else { "application/x-www-form-urlencoded" };
        let asked = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: if get { encoded } else { String::new() },
            authorization: Some(KEY.to_owned()),
            version: Some("2026-10-28.endive".to_owned()),
            content_type: (!get).then(|| kind.to_owned()),
            body: if get { Vec::new() } else { body.into_bytes() },
            ..ApiRequest::default()
        };
        let answer = front::answer(&self.world, asked).await;
        // What is in a file is no JSON.
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer, body)
    }

    async fn make(&mut self, kind: &'static str, path: &str, params: Value) {
        let (answer, body) = self.call("POST", path, &params).await;
        assert_eq!(answer.status, 200, "{path}: {body}");
        self.made.insert(kind, body["id"].as_str().unwrap().to_owned());
    }

    /// One object of every kind that others refer to.
    async fn prepare(&mut self) {
        self.make("customer", "/v1/customers", json!({"email": "a@example.com"})).await;
        self.make("product", "/v1/products", json!({"name": "Tea"})).await;
        let price = json!({"currency": "usd", "unit_amount": 500, "product": self.made["product"]});
        self.make("price", "/v1/prices", price).await;
        self.make("coupon", "/v1/coupons", json!({"percent_off": 10})).await;
        self.make(
            "entitlements.feature",
            "/v1/entitlements/features",
            json!({"lookup_key": "f", "name": "F"}),
        )
        .await;
        let meter = json!({"display_name": "M", "event_name": "m", "default_aggregation": {"formula": "sum"}});
        self.make("billing.meter", "/v1/billing/meters", meter).await;
        self.make(
            "billing.feedback_option",
            "/v1/billing/feedback_options",
            json!({"description": "d"}),
        )
        .await;
        self.make("radar.value_list", "/v1/radar/value_lists", json!({"alias": "a", "name": "A"}))
            .await;
        self.make("account", "/v1/accounts", json!({"type": "custom", "country": "US"})).await;
        let file =
            crate::wire::multipart::File { name: "a.png".to_owned(), bytes: vec![1, 2, 255] };
        let file = json!({"purpose": "dispute_evidence", "file": file.written()});
        self.make("file", "/v1/files", file).await;
        self.make("file_link", "/v1/file_links", json!({"file": self.made["file"]})).await;
        let path = format!("/v1/customers/{}/tax_ids", self.made["customer"]);
        self.make("tax_id", &path, json!({"type": "eu_vat", "value": "DE123456789"})).await;
        let rate = json!({"display_name": "Post", "type": "fixed_amount", "fixed_amount": {"amount": 1, "currency": "usd"}});
        self.make("shipping_rate", "/v1/shipping_rates", rate).await;
        self.made.insert("tax_code", "txcd_99999999".to_owned());
        self.made.insert("payment_method", "pm_card_visa".to_owned());
    }

    /// The path of an endpoint, with ids of what there is.
    fn path(&self, endpoint: &Endpoint) -> (String, bool) {
        let mut path = String::new();
        let mut all_there = true;
        for segment in endpoint.path.split('/').skip(1) {
            path.push('/');
            if !segment.starts_with('{') {
                path.push_str(segment);
                continue;
            }
            let shown = match Catalog::get().route("GET", &format!("{path}x")) {
                Routed::Found(route) => route.endpoint.objects(),
                _ => endpoint.objects(),
            };
            let id = shown.iter().find_map(|kind| self.made.get(kind));
            all_there &= id.is_some();
            path.push_str(id.map_or("none_1", String::as_str));
        }
        (path, all_there)
    }

    /// A value that a parameter takes; hashes are given whole, or with what they require.
    fn value(&self, shape: &[Field], of: &Type, name: &str, whole: bool) -> Value {
        match &of.kind {
            Kind::Integer => json!(if name.contains("expires_at") || name == "redeem_by" {
                1_810_000_000_i64
            } else {
                1
            }),
            Kind::Float => json!(1.5),
            Kind::Decimal => json!("1.5"),
            Kind::Boolean => json!(true),
            Kind::Enum { words, .. } => json!(words.first().copied().unwrap_or("x")),
            Kind::List(of) => json!([self.value(shape, of, name, whole)]),
            Kind::Map(of) => json!({"usd": self.value(shape, of, "usd", whole)}),
            Kind::Shape(hash) => {
                let fields = &Catalog::get().params(hash).unwrap().fields;
                let inner = grammar::field(shape, name).map(|field| &field.of.kind);
                let inner: &[Field] = match inner {
                    Some(Kind::Hash(fields)) => fields,
                    _ => &[],
                };
                let sent = fields.iter().filter(|field| whole || field.of.required);
                let members: Map<String, Value> = sent
                    .map(|field| {
                        (field.name.to_owned(), self.value(inner, &field.of, field.name, whole))
                    })
                    .collect();
                if members.is_empty() && !fields.is_empty() && !whole {
                    return self.value(shape, of, name, true);
                }
                Value::Object(members)
            }
            Kind::Union(members) => self.value(shape, &members[0], name, whole),
            _ => self.text(shape, name),
        }
    }

    fn text(&self, shape: &[Field], name: &str) -> Value {
        let mut field = grammar::field(shape, name).map(|field| &field.of.kind);
        if let Some(Kind::List(of)) = field {
            field = Some(&of.kind);
        }
        let kinds = match field {
            Some(Kind::Expandable(kinds) | Kind::Object(kinds)) => kinds.clone(),
            // What is uploaded is no id.
            _ => kind_of(name).filter(|kind| *kind != "file").into_iter().collect(),
        };
        if let Some(id) = kinds.iter().find_map(|kind| self.made.get(kind)) {
            return json!(id);
        }
        json!(match name {
            "country" => "US",
            "currency" | "default_currency" => "usd",
            name if name.contains("email") || name == "notification_method" => "a@example.com",
            "external_account" => "btok_us_verified",
            "query" => "status:'x'",
            "file" => "{\"name\":\"a\",\"hex\":\"00\"}",
            name if name.contains("url") => "https://example.com/",
            _ => "text",
        })
    }

    fn note(&mut self, endpoint: &Endpoint, what: &str, status: u16, body: &Value) {
        let message = body["error"]["message"].as_str().unwrap_or_default();
        self.wrong.push(format!("{} {what}: {status} {message}", endpoint.key()));
    }

    /// Calls an endpoint with parameters that its catalog allows.
    async fn allowed(&mut self, endpoint: &'static Endpoint, params: &Value, what: &str) {
        let (path, all_there) = self.path(endpoint);
        let (answer, body) = self.call(endpoint.method, &path, params).await;
        let answerer = registry::find(endpoint);
        let unplaced = UNPLACED.contains(&(endpoint.key(), what));
        let kind = endpoint.objects().first().copied().unwrap_or_default();
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        if answer.status == 200 && endpoint.method == "DELETE" {
            self.made.retain(|_, made| *made != id);
        } else if answer.status == 200 && endpoint.method == "POST" && !id.is_empty() {
            self.made.entry(kind).or_insert(id);
        }
        let expected = match answerer {
            Answerer::Missing(_) => answer.status == 501,
            // Nothing is answered with what nobody made.
            _ if !all_there && endpoint.method == "GET" && what == "-" => answer.status == 404,
            _ if !all_there && answer.status == 200 => false,
            Answerer::Custom(_) => answer.status < 500 || answer.status == 501,
            _ if unplaced => answer.status == 501,
            // An action that leads from another state than the object is in.
            Answerer::Generic(ref plan) if leads_from_elsewhere(plan, answer.status) => true,
            // These are for cards; the external account is a bank's.
            _ if endpoint.path.ends_with("/external_accounts/{id}") && answer.status == 501 => {
                what.starts_with("address_") || ["exp_month", "exp_year", "name"].contains(&what)
            }
            // What is named and was never made.
            _ if body["error"]["code"] == "resource_missing" && answer.status == 400 => {
                let message = body["error"]["message"].as_str().unwrap();
                // The external account is another account's.
                message.contains("'text'") || message.contains("external account: 'ba_")
            }
            _ if endpoint.key() == "GET /v1/customers/{customer}/sources/{id}" => {
                answer.status == 404
            }
            _ => answer.status == 200 || (answer.status == 404 && !all_there),
        };
        if !expected {
            self.note(endpoint, what, answer.status, &body);
        }
        let depth = answer.headers.iter().any(|(name, _)| *name == registry::DEPTH);
        assert_eq!(depth, answerer.is_generic(), "{}", endpoint.key());
        let found = match body.get("data").and_then(Value::as_array) {
            Some(data) if body.get("object").is_none() => {
                data.iter().flat_map(|it| Catalog::get().check(it)).collect()
            }
            _ if endpoint.returns.is_none() && answer.status == 200 => Vec::new(),
            _ => Catalog::get().check(&body),
        };
        if !found.is_empty() {
            self.wrong.push(format!("{} {what}: {found:?}", endpoint.key()));
        }
    }

    /// Calls an endpoint with one broken parameter.
    async fn refused(
        &mut self,
        endpoint: &'static Endpoint,
        params: &Value,
        what: &str,
        expected: (Option<&str>, Option<&str>),
    ) {
        let (path, _) = self.path(endpoint);
        let (answer, body) = self.call(endpoint.method, &path, params).await;
        let error = &body["error"];
        let got = (error["code"].as_str(), error["param"].as_str());
        if answer.status != 400 || error["type"] != "invalid_request_error" || got != expected {
            self.note(endpoint, &format!("{what} {got:?} not {expected:?}"), answer.status, &body);
        }
    }
}

fn leads_from_elsewhere(plan: &registry::plan::Plan, status: u16) -> bool {
    let registry::plan::Operation::Set(action) = plan.operation else { return false };
    action.from.is_some() && status == 400
}

fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut params = base.clone();
    params[name] = value;
    params
}

/// What is no value of a kind, and the code of its refusal; `None` where every text is one.
fn broken(kind: &Kind) -> Option<(Value, Option<&'static str>)> {
    Some(match kind {
        Kind::Integer => (json!("1.5x"), Some("parameter_invalid_integer")),
        Kind::Boolean | Kind::Float | Kind::Decimal | Kind::Enum { .. } => {
            (json!("maybe-not"), None)
        }
        Kind::Shape(_) | Kind::Map(_) | Kind::List(_) => (json!("plain"), None),
        _ => return None,
    })
}

async fn sweep(sweep: &mut Sweep, endpoint: &'static Endpoint) {
    let shape = endpoint.params.and_then(|name| Catalog::get().params(name));
    let fields: &'static [Field] = shape.map_or(&[], |shape| shape.fields.as_slice());
    let is_empty = |of: &Type| matches!(&of.kind, Kind::Enum { words, .. } if words.is_empty());
    let fields: Vec<&Field> =
        fields.iter().filter(|it| it.name != "expand" && !is_empty(&it.of)).collect();
    let objects = endpoint.objects();
    let object = objects.first().and_then(|kind| Catalog::get().object(kind));
    let object: &'static [Field] = object.map_or(&[], |shape| shape.fields.as_slice());
    let mut base = json!({});
    for field in fields.iter().filter(|field| field.of.required) {
        base[field.name] = sweep.value(object, &field.of, field.name, false);
    }
    match endpoint.key() {
        "POST /v1/promotion_codes" => {
            base["promotion"] = json!({"type": "coupon", "coupon": sweep.made["coupon"]});
        }
        "POST /v1/terminal/locations" => base["display_name"] = json!("Shop"),
        "POST /v1/issuing/cards" => base["cardholder"] = json!(sweep.made["issuing.cardholder"]),
        _ => {}
    }
    // One of two is required, and both are too much.
    let percent = |name: &str| {
        endpoint.key() == "POST /v1/coupons" && !["amount_off", "currency_options"].contains(&name)
    };
    let base_of = |name: &str| {
        let mut base = base.clone();
        if percent(name) {
            base["percent_off"] = json!(10);
        } else if endpoint.key() == "POST /v1/coupons" {
            base["amount_off"] = json!(10);
            base["currency"] = json!("usd");
        }
        base
    };
    sweep.allowed(endpoint, &base_of("-"), "-").await;
    for field in &fields {
        let value = sweep.value(object, &field.of, field.name, true);
        sweep.allowed(endpoint, &with(&base_of(field.name), field.name, value), field.name).await;
        if let Some((value, code)) = broken(&field.of.kind) {
            let params = with(&base, field.name, value);
            sweep.refused(endpoint, &params, field.name, (code, Some(field.name))).await;
        }
        if field.of.required {
            let mut params = base.clone();
            params.as_object_mut().unwrap().remove(field.name);
            let expected = (Some("parameter_missing"), Some(field.name));
            sweep.refused(endpoint, &params, "missing", expected).await;
        }
    }
    if endpoint.key() == "DELETE /v1/accounts/{account}" {
        // It is gone, and whoever calls it is refused before anything is read.
        return;
    }
    let params = with(&base, "qqqqqqqqqqqq", json!("1"));
    let expected = (Some("parameter_unknown"), Some("qqqqqqqqqqqq"));
    sweep.refused(endpoint, &params, "unknown", expected).await;
}

#[tokio::test]
async fn every_endpoint_answers_what_the_catalog_promises() {
    let running = host().await;
    let world = running.engine().default_world();
    let mut all = Sweep { world, made: HashMap::new(), wrong: Vec::new(), calls: 0 };
    all.prepare().await;
    // What removes comes last, and what stands within something before what it stands in.
    let mut endpoints: Vec<&'static Endpoint> = Catalog::get().routes().all().iter().collect();
    let depth = |it: &Endpoint| it.path.matches('/').count();
    endpoints.sort_by_key(|it| match it.method {
        "POST" if !it.path.ends_with('}') => depth(it),
        "DELETE" => 300 - depth(it),
        _ => 100,
    });
    for endpoint in endpoints {
        sweep(&mut all, endpoint).await;
    }
    all.world.read(|view| {
        for event in view.newest("event") {
            let found = Catalog::get().check(&event);
            all.wrong.extend(found.iter().map(|it| format!("{}: {it}", event["type"])));
        }
    });
    assert!(
        all.wrong.is_empty(),
        "{} of {}:\n{}",
        all.wrong.len(),
        all.calls,
        all.wrong.join("\n")
    );
    running.stop().await;
}

/// What is there before anybody has made anything.
const GIVEN: &[&str] = &[
    "climate.product",
    "climate.supplier",
    "country_spec",
    "exchange_rate",
    "issuing.physical_bundle",
    "payment_method_configuration",
    "reporting.report_type",
    "tax_code",
];

#[tokio::test]
async fn what_nobody_made_is_not_there_and_its_lists_are_empty() {
    let running = host().await;
    let world = running.engine().default_world();
    let mut all = Sweep { world, made: HashMap::new(), wrong: Vec::new(), calls: 0 };
    let (mut absent, mut empty) = (Vec::new(), Vec::new());
    let endpoints = Catalog::get().routes().all().iter();
    let answered = |it: &&Endpoint| it.method == "GET" && !it.path.ends_with("/search");
    for endpoint in endpoints.filter(answered) {
        if matches!(registry::find(endpoint), Answerer::Missing(_)) {
            continue;
        }
        let shape = endpoint.params.and_then(|name| Catalog::get().params(name));
        let fields: &[Field] = shape.map_or(&[], |shape| shape.fields.as_slice());
        let mut params = json!({});
        for field in fields.iter().filter(|field| field.of.required) {
            params[field.name] = all.value(&[], &field.of, field.name, false);
        }
        let (path, all_there) = all.path(endpoint);
        let (answer, body) = all.call("GET", &path, &params).await;
        let kind = endpoint.objects().first().copied().unwrap_or_default();
        if !all_there {
            absent.push(kind);
            // Whose account it is, nobody is told.
            let told = if endpoint.path.starts_with("/v1/accounts/") { 403 } else { 404 };
            if answer.status != told {
                all.note(endpoint, "is not there", answer.status, &body);
            }
        } else if endpoint.is_list() && !GIVEN.contains(&kind) {
            // A list of what belongs to something asks for it, and there is none.
            let is_refused = body["error"]["code"] == "resource_missing";
            if params == json!({}) && !is_refused {
                empty.push(kind);
            }
            if !is_refused && (answer.status != 200 || body["data"] != json!([])) {
                all.note(endpoint, "is not empty", answer.status, &body);
            }
        }
    }
    assert!(all.wrong.is_empty(), "{}", all.wrong.join("\n"));
    for kind in ["issuing.transaction", "treasury.transaction_entry", "review"] {
        assert!(absent.contains(&kind), "{kind}");
    }
    assert!(["issuing.transaction", "review"].iter().all(|kind| empty.contains(kind)));
    running.stop().await;
}
