//! Parameters that name other objects: what does not exist is refused, in the filters of every list and wherever a
//! handler asks. One table says which name stands for which object.

use crate::sandbox::call::Call;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Map, Value};

/// A parameter's name, the object that it names, and the noun of the refusal where that is another.
type Name = (&'static str, &'static str, &'static str);

const NAMES: &[Name] = &[
    ("charge", "charge", "charge"),
    ("coupon", "coupon", "coupon"),
    ("customer", "customer", "customer"),
    ("default_tax_rates", "tax_rate", "tax rate"),
    ("destination", "account", "destination"),
    ("invoice", "invoice", "invoice"),
    ("on_behalf_of", "account", "account"),
    ("payment_intent", "payment_intent", "payment_intent"),
    ("payout", "payout", "payout"),
    ("price", "price", "price"),
    ("product", "product", "product"),
    ("promotion_code", "promotion_code", "promotion code"),
    ("setup_intent", "setup_intent", "setupintent"),
    ("shipping_rate", "shipping_rate", "shipping rate"),
    ("subscription", "subscription", "subscription"),
    ("tax_rates", "tax_rate", "tax rate"),
    ("test_clock", "test_helpers.test_clock", "test clock"),
];

/// Endpoints whose parameter of that name is something else.
const OTHERWISE: &[(&str, &str)] = &[
    ("GET /v1/application_fees", "charge"),
    ("POST /v1/payouts", "destination"),
    ("GET /v1/payouts", "destination"),
];

/// Fails for the first parameter that names an object which does not exist.
///
/// Objects that the sandbox does not model are not looked for.
pub fn check(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    within(txn, call, &call.params, "")
}

fn within(
    txn: &Txn<'_>,
    call: &Call,
    members: &Map<String, Value>,
    around: &str,
) -> Result<(), Failure> {
    for (name, value) in members.iter().filter(|(name, _)| *name != "metadata") {
        let path = if around.is_empty() { name.clone() } else { format!("{around}[{name}]") };
        let known = NAMES.iter().find(|known| known.0 == name && is_looked_for(call, known));
        one(txn, call, known, value, &path)?;
    }
    Ok(())
}

fn one(
    txn: &Txn<'_>,
    call: &Call,
    name: Option<&Name>,
    value: &Value,
    path: &str,
) -> Result<(), Failure> {
    match (value, name) {
        (Value::String(id), Some((_, kind, noun))) if !exists(txn, kind, id) => {
            Err(missing(noun, id, path))
        }
        (Value::Object(members), _) => within(txn, call, members, path),
        (Value::Array(items), _) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(at, item)| one(txn, call, name, item, &format!("{path}[{at}]")))
        }
        _ => Ok(()),
    }
}

fn is_looked_for(call: &Call, (name, kind, _): &Name) -> bool {
    is_modelled(kind) && !OTHERWISE.contains(&(&*call.key, name))
}

/// Accounts stand with the platform, whoever calls.
fn exists(txn: &Txn<'_>, kind: &str, id: &str) -> bool {
    let stored = match kind {
        "account" => txn.state().get(&txn.scope().at(""), kind, id),
        _ => txn.stored(kind, id),
    };
    stored.is_some_and(|stored| !stored.is_deleted())
}

/// Objects that nothing in the sandbox makes yet.
const NOT_YET: &[&str] = &[];

/// Whether the sandbox can have objects of a kind.
fn is_modelled(kind: &str) -> bool {
    !NOT_YET.contains(&kind)
}

/// What a path's placeholder is called in a refusal, where that is not its own name; nothing for a session.
const PLACEHOLDERS: &[(&str, Option<&str>)] = &[
    ("/v1/customers/{customer}", Some("id")),
    ("/v1/charges/{charge}", Some("id")),
    ("/v1/checkout/sessions/{session}", None),
    ("/v1/checkout/sessions/{session}/expire", None),
    ("/v1/checkout/sessions/{session}/line_items", None),
    ("/v1/invoices/{invoice}/finalize", Some("id")),
    ("/v1/invoices/{invoice}/mark_uncollectible", Some("id")),
    ("/v1/invoices/{invoice}/pay", Some("id")),
    ("/v1/invoices/{invoice}/void", Some("id")),
    ("/v1/subscriptions/{subscription_exposed_id}", Some("id")),
];

/// Names the placeholder of the path whose object was not found.
#[must_use]
pub fn named(mut failure: Failure, call: &Call) -> Failure {
    if failure.status != 404 || failure.param.as_deref() != Some("id") {
        return failure;
    }
    let path = call.key.split_once(' ').map_or("", |(_, path)| path);
    let at = call.ids.iter().position(|id| failure.message.contains(id.as_str()));
    let mut names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    // A parameter named it.
    let Some(at) = at else { return failure };
    let own = names.nth(at);
    let known = PLACEHOLDERS.iter().find(|known| known.0 == path);
    failure.param = known.map_or(own, |known| known.1).map(str::to_owned);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar;
    use crate::catalog::route::Endpoint;
    use crate::sandbox::behaviour::object;
    use crate::sandbox::call::Version;
    use crate::sandbox::registry::{self, Answerer};
    use crate::sandbox::testing::Lab;
    use serde_json::json;

    fn call(key: &str, ids: &[&str], params: &Value) -> Call {
        Call {
            key: key.to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            params: params.as_object().unwrap().clone(),
            version: Version { text: "2026-10-28.endive".to_owned(), named: true },
        }
    }

    #[test]
    fn every_name_is_a_parameter_and_every_object_is_one() {
        let catalog = Catalog::get();
        let all = catalog.routes().all();
        for (name, kind, _) in NAMES {
            assert!(catalog.object(kind).is_some(), "{kind}");
            let takes = |shape: &str| {
                let shape = catalog.params(shape).unwrap();
                grammar::field(&shape.fields, name).is_some()
            };
            let is_top = all.iter().any(|endpoint| endpoint.params.is_some_and(takes));
            let nested = ["destination", "promotion_code", "shipping_rate", "tax_rates"];
            assert!(is_top || nested.contains(name), "{name}");
        }
        for (key, name) in OTHERWISE {
            assert!(all.iter().any(|endpoint| endpoint.key() == *key), "{key} {name}");
        }
        for (path, _) in PLACEHOLDERS {
            assert!(all.iter().any(|endpoint| endpoint.path == *path), "{path}");
        }
    }

    #[test]
    fn what_is_looked_for_is_what_some_endpoint_makes() {
        let makes = |kind: &str, endpoint: &&'static Endpoint| {
            endpoint.method == "POST"
                && endpoint.objects() == [kind]
                && !matches!(registry::find(endpoint), Answerer::Missing(_))
        };
        for (_, kind, _) in NAMES {
            let made = Catalog::get().routes().all().iter().any(|it| makes(kind, &it));
            assert_eq!(is_modelled(kind), made, "{kind}");
        }
    }

    /// Every filter of every list that is modelled and that names an object.
    #[test]
    fn a_list_filtered_by_an_object_that_is_not_there_is_refused() {
        let catalog = Catalog::get();
        let mut tried = 0;
        for endpoint in catalog.routes().all() {
            let key = endpoint.key();
            let Some(handler) = object::handler(key).filter(|_| key.starts_with("GET ")) else {
                continue;
            };
            let shape = endpoint.params.and_then(|name| catalog.params(name));
            let fields = shape.map_or([].as_slice(), |shape| shape.fields.as_slice());
            for (name, kind, noun) in NAMES {
                let is_filter = endpoint.is_list() && grammar::field(fields, name).is_some();
                let is_other = OTHERWISE.contains(&(key, name)) || key.ends_with("search");
                if !is_filter || !is_modelled(kind) || key.contains('{') || is_other {
                    continue;
                }
                tried += 1;
                let asked = call(key, &[], &json!({ *name: "nope" }));
                let failure =
                    Lab::new().change(|txn| handler(txn, &asked).map(|_| ())).unwrap_err();
                assert_eq!(failure.status, 400, "{key} {name}");
                assert_eq!(failure.code.as_deref(), Some("resource_missing"), "{key} {name}");
                assert_eq!(failure.param.as_deref(), Some(*name), "{key}");
                assert_eq!(failure.message, format!("No such {noun}: 'nope'"), "{key}");
            }
        }
        assert!(tried >= 8, "{tried}");
    }

    #[test]
    fn what_is_not_modelled_and_what_is_metadata_is_not_looked_for() {
        let lab = Lab::new();
        let asked = call(
            "POST /v1/checkout/sessions",
            &[],
            &json!({"metadata": {"price": "x"}, "currency": "jpy", "lines": [{"quantity": 1}]}),
        );
        assert_eq!(lab.look(|txn| check(txn, &asked)), Ok(()));
        let nested = json!({"optional_items": [{"quantity": 1}, {"price": "price_nope"}]});
        let asked = call("POST /v1/checkout/sessions", &[], &nested);
        let failure = lab.look(|txn| check(txn, &asked)).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("optional_items[1][price]"));
    }

    #[test]
    fn a_missing_object_is_named_as_its_path_names_it() {
        let param = |key: &str, ids: &[&str], id: &str| {
            named(Failure::missing("thing", id, "id"), &call(key, ids, &json!({}))).param
        };
        for (key, name) in [
            ("GET /v1/prices/{price}", Some("price")),
            ("GET /v1/products/{id}", Some("id")),
            ("GET /v1/customers/{customer}", Some("id")),
            ("GET /v1/charges/{charge}", Some("id")),
            ("POST /v1/payment_intents/{intent}/capture", Some("intent")),
            ("POST /v1/payment_methods/{payment_method}/attach", Some("payment_method")),
            ("GET /v1/refunds/{refund}", Some("refund")),
            ("GET /v1/checkout/sessions/{session}", None),
        ] {
            assert_eq!(param(key, &["x_1"], "x_1").as_deref(), name, "{key}");
        }
        let key = "GET /v1/customers/{customer}/payment_methods/{payment_method}";
        assert_eq!(param(key, &["cus_1", "pm_1"], "pm_1").as_deref(), Some("payment_method"));
        assert_eq!(param(key, &["cus_1", "pm_1"], "cus_1").as_deref(), Some("customer"));
        let other = Failure::invalid("x").param("id");
        assert_eq!(named(other.clone(), &call("GET /v1/prices/{price}", &[], &json!({}))), other);
    }
}
