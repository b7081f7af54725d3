//! Parameters that name other objects: what does not exist is refused, in the filters of every list and wherever a
//! handler asks. One table says which name stands for which object.

use crate::domain::card;
use crate::sandbox::call::Call;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Map, Value};

/// Where a path starts (everywhere, if empty), a parameter's name there, the objects that it may name, and the noun of
/// the refusal. A row stands before one that holds everywhere.
type Name = (&'static str, &'static str, &'static [&'static str], &'static str);

const NAMES: &[Name] = &[
    ("/v1/apps/installs", "account", &["account"], "account"),
    (
        "/v1/financial_connections/transactions",
        "account",
        &["financial_connections.account"],
        "account",
    ),
    ("/v1/financial_connections/", "session", &["financial_connections.session"], "session"),
    ("/v1/issuing/", "card", &["issuing.card"], "issuing card"),
    ("/v1/issuing/", "transaction", &["issuing.transaction"], "transaction"),
    ("/v1/terminal/", "location", &["terminal.location"], "location"),
    ("/v1/treasury/", "financial_account", &["treasury.financial_account"], "financial account"),
    ("/v1/treasury/", "received_credit", &["treasury.received_credit"], "received credit"),
    ("/v1/treasury/", "received_debit", &["treasury.received_debit"], "received debit"),
    ("/v1/treasury/", "transaction", &["treasury.transaction"], "transaction"),
    ("", "cardholder", &["issuing.cardholder"], "cardholder"),
    ("", "charge", &["charge"], "charge"),
    ("", "coupon", &["coupon"], "coupon"),
    ("", "credit_grant", &["billing.credit_grant"], "credit grant"),
    ("", "customer", &["customer"], "customer"),
    ("", "customer_account", &["account", "v2.core.account"], "account"),
    ("", "default_tax_rates", &["tax_rate"], "tax rate"),
    ("", "destination", &["account"], "destination"),
    ("", "entitlement_feature", &["entitlements.feature"], "feature"),
    ("", "file", &["file"], "file"),
    ("", "invoice", &["invoice"], "invoice"),
    ("", "meter", &["billing.meter"], "meter"),
    ("", "on_behalf_of", &["account"], "account"),
    ("", "payment_intent", &["payment_intent"], "payment_intent"),
    ("", "payment_link", &["payment_link"], "payment link"),
    ("", "payment_method", &["payment_method"], "PaymentMethod"),
    ("", "payment_record", &["payment_record"], "payment record"),
    ("", "payout", &["payout"], "payout"),
    ("", "personalization_design", &["issuing.personalization_design"], "personalization design"),
    ("", "plan", &["plan"], "plan"),
    ("", "price", &["price"], "price"),
    ("", "product", &["product"], "product"),
    ("", "promotion_code", &["promotion_code"], "promotion code"),
    ("", "related_customer", &["customer"], "customer"),
    ("", "related_customer_account", &["account", "v2.core.account"], "account"),
    ("", "setup_intent", &["setup_intent"], "setupintent"),
    ("", "shipping_rate", &["shipping_rate"], "shipping rate"),
    ("/v1/balance_transactions", "source", SOURCES, "source"),
    ("", "subscription", &["subscription"], "subscription"),
    ("", "tax_rates", &["tax_rate"], "tax rate"),
    ("", "test_clock", &["test_helpers.test_clock"], "test clock"),
    ("", "value_list", &["radar.value_list"], "value list"),
    ("", "verification_session", &["identity.verification_session"], "verification session"),
];

/// What moves a balance.
const SOURCES: &[&str] = &[
    "application_fee",
    "charge",
    "dispute",
    "fee_refund",
    "payout",
    "refund",
    "topup",
    "transfer",
    "transfer_reversal",
];

/// The object that a parameter of a record names although its member is plain text, by the last word of its path.
pub fn kind_of(path: &str) -> Option<&'static str> {
    let last = path.trim_end_matches(']').rsplit('[').next().unwrap_or(path);
    let known = NAMES.iter().find(|(at, name, ..)| at.is_empty() && *name == last)?;
    known.2.first().copied()
}

/// Endpoints whose parameter of that name is something else.
const OTHERWISE: &[(&str, &str)] = &[
    ("GET /v1/application_fees", "charge"),
    ("POST /v1/payouts", "destination"),
    ("GET /v1/payouts", "destination"),
];

/// Fails for the first parameter that names an object which does not exist.
///
/// What is written may name objects that nothing here makes yet; a list filtered by one would be empty for ever.
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
        let known = NAMES.iter().find(|known| known.1 == name && is_looked_for(call, known));
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
        (Value::String(id), Some((_, _, kinds, noun)))
            if !kinds.iter().any(|kind| exists(txn, kind, id)) =>
        {
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

fn is_looked_for(call: &Call, (at, name, kinds, _): &Name) -> bool {
    let (method, path) = call.key.split_once(' ').unwrap_or_default();
    path.starts_with(at)
        && (method == "GET" || kinds.iter().any(|kind| is_modelled(kind)))
        && !OTHERWISE.contains(&(&*call.key, name))
}

/// Accounts stand with the platform, whoever calls.
fn exists(txn: &Txn<'_>, kind: &str, id: &str) -> bool {
    let stored = match kind {
        "account" => txn.state().get(&txn.scope().at(""), kind, id),
        // A ready-made one is there before anybody has used it.
        "payment_method" if is_ready_made(id) => return true,
        _ => txn.stored(kind, id),
    };
    stored.is_some_and(|stored| !stored.is_deleted())
}

fn is_ready_made(id: &str) -> bool {
    let bank = ["pm_sepaDebit_", "pm_usBankAccount_"];
    card::by_token(id).is_some() || bank.iter().any(|start| id.starts_with(start))
}

/// Objects that nothing in the sandbox makes yet.
const NOT_YET: &[&str] = &[
    "financial_connections.account",
    "financial_connections.session",
    "issuing.personalization_design",
    "payment_record",
    "treasury.financial_account",
    "treasury.received_credit",
    "treasury.received_debit",
    "treasury.transaction",
];

/// Whether the sandbox can have objects of a kind.
fn is_modelled(kind: &str) -> bool {
    !NOT_YET.contains(&kind)
}

/// What a path's placeholder is called in a refusal, by every method or by one, where that is not its own name; nothing
/// for a session.
const PLACEHOLDERS: &[(&str, Option<&str>)] = &[
    ("/v1/customers/{customer}", Some("id")),
    ("/v1/charges/{charge}", Some("id")),
    ("/v1/checkout/sessions/{session}", None),
    ("/v1/checkout/sessions/{session}/expire", None),
    ("/v1/checkout/sessions/{session}/line_items", None),
    ("/v1/invoiceitems/{invoiceitem}", Some("id")),
    ("POST /v1/invoices/{invoice}", Some("id")),
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
    let known = PLACEHOLDERS.iter().find(|known| known.0 == path || known.0 == call.key);
    failure.param = known.map_or(own, |known| known.1).map(str::to_owned);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar::{self, Kind};
    use crate::catalog::route::Endpoint;
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
        for (at, name, kinds, _) in NAMES {
            for kind in *kinds {
                assert!(catalog.object(kind).is_some(), "{kind}");
            }
            let takes = |shape: &str| {
                let shape = catalog.params(shape).unwrap();
                grammar::field(&shape.fields, name).is_some()
            };
            let mut there = all.iter().filter(|endpoint| endpoint.path.starts_with(at));
            let is_top = there.any(|endpoint| endpoint.params.is_some_and(takes));
            let nested = ["destination", "promotion_code", "shipping_rate", "tax_rates"];
            assert!(is_top || nested.contains(name), "{name}");
        }
        for (key, name) in OTHERWISE {
            assert!(all.iter().any(|endpoint| endpoint.key() == *key), "{key} {name}");
        }
        for (path, _) in PLACEHOLDERS {
            let is_it = |endpoint: &Endpoint| endpoint.path == *path || endpoint.key() == *path;
            assert!(all.iter().any(is_it), "{path}");
        }
    }

    #[test]
    fn what_is_looked_for_is_what_some_endpoint_makes() {
        let makes = |kind: &str, endpoint: &&'static Endpoint| {
            endpoint.method == "POST"
                && endpoint.objects() == [kind]
                && !matches!(registry::find(endpoint), Answerer::Missing(_))
        };
        // An application fee is made by what it is taken of.
        let kinds = NAMES.iter().flat_map(|name| name.2).filter(|kind| **kind != "application_fee");
        let made = |kind: &str| Catalog::get().routes().all().iter().any(|it| makes(kind, &it));
        let wrong: Vec<_> = kinds.filter(|kind| is_modelled(kind) != made(kind)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// Texts that lists are filtered by and that are no ids, or ids that another program gave out.
    const TEXTS: &[&str] = &[
        "alias",
        "app",
        "application",
        "client_reference_id",
        "code",
        "contains",
        "created_by",
        "currency",
        "domain_name",
        "email",
        "last4",
        "lookup_key",
        "memo",
        "object",
        "phone_number",
        "query",
        "serial_number",
        "status",
        "transfer_group",
        "type",
        "url",
        "value",
    ];

    /// Every filter of every list of v1 that is answered: it names an object that has to be there, or is no id.
    #[test]
    fn a_list_filtered_by_an_object_that_is_not_there_is_refused() {
        let catalog = Catalog::get();
        let mut tried = 0;
        let mut lab = Lab::new();
        for endpoint in catalog.routes().all() {
            let key = endpoint.key();
            let is_list = endpoint.is_list() && key.starts_with("GET /v1/") && !key.contains('{');
            if !is_list || matches!(registry::find(endpoint), Answerer::Missing(_)) {
                continue;
            }
            let shape = endpoint.params.and_then(|name| catalog.params(name));
            let fields = shape.map_or([].as_slice(), |shape| shape.fields.as_slice());
            let required = fields.iter().filter(|field| field.of.required);
            let base: Map<String, Value> =
                required.map(|field| (field.name.to_owned(), json!("nope"))).collect();
            for field in fields.iter().filter(|field| matches!(field.of.kind, Kind::Text)) {
                let name = field.name;
                let is_cursor = matches!(name, "starting_after" | "ending_before" | "page");
                if is_cursor || OTHERWISE.contains(&(key, name)) || TEXTS.contains(&name) {
                    continue;
                }
                let known = NAMES.iter().find(|it| it.1 == name && endpoint.path.starts_with(it.0));
                let (.., noun) = known.unwrap_or_else(|| panic!("{key} {name}: what is it?"));
                tried += 1;
                let mut asked = base.clone();
                asked.insert(name.to_owned(), json!("nope"));
                let failure = lab.ask(key, Value::Object(asked)).unwrap_err();
                assert_eq!(failure.status, 400, "{key} {name}: {failure:?}");
                assert_eq!(failure.code.as_deref(), Some("resource_missing"), "{key} {name}");
                if base.is_empty() {
                    assert_eq!(failure.param.as_deref(), Some(name), "{key}");
                    assert_eq!(failure.message, format!("No such {noun}: 'nope'"), "{key}");
                }
            }
        }
        assert!(tried >= 30, "{tried}");
        let ready_made = json!({"payment_method": "pm_card_visa"});
        assert_eq!(lab.ok("GET /v1/setup_intents", ready_made)["data"], json!([]));
    }

    #[test]
    fn a_text_of_a_record_is_known_by_its_last_word() {
        assert_eq!(kind_of("promotion[coupon]"), Some("coupon"));
        assert_eq!(kind_of("value_list"), Some("radar.value_list"));
        assert_eq!(kind_of("transaction"), None);
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
            ("GET /v1/invoices/{invoice}", Some("invoice")),
            ("POST /v1/invoices/{invoice}", Some("id")),
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
