//! What requests of older API versions may say: parameters that are gone, their old names and words, what they
//! leave unsaid, and members that could be expanded.
//!
//! The official CLI's `trigger` sends no version and relies on the parameters.

use crate::catalog::grammar::{self, Type};
use crate::catalog::path::Path;
use crate::catalog::version::Version;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// The code with which current versions refuse `payment_method_types`.
pub const NO_LONGER_SUPPORTED: &str = "payment_method_types_no_longer_supported";

/// Its message.
pub const NO_LONGER_SUPPORTED_MESSAGE: &str = "The `payment_method_types` parameter is no longer supported as of API version 2026-09-30.endive. Use `allowed_payment_method_types` instead, or leave it out to offer every payment method enabled in your settings.";

/// The parameter that current versions refuse with a code of its own.
pub const PAYMENT_METHOD_TYPES: &str = "payment_method_types";

const BASIL: &str = "2025-03-31";
const CLOVER: &str = "2025-09-30";
const DAHLIA: &str = "2026-03-25";
const ENDIVE: &str = "2026-09-30";

const ACCOUNTS: &[&str] = &["POST /v1/accounts", "POST /v1/accounts/{account}"];
const CUSTOMERS: &[&str] = &["POST /v1/customers", "POST /v1/customers/{customer}"];
const SUBSCRIPTIONS: &[&str] =
    &["POST /v1/subscriptions", "POST /v1/subscriptions/{subscription_exposed_id}"];
const ONE_SUBSCRIPTION: &[&str] = &["POST /v1/subscriptions/{subscription_exposed_id}"];
const PRODUCTS: &[&str] = &["POST /v1/products", "POST /v1/products/{id}"];
const INVOICE_ITEMS: &[&str] = &["POST /v1/invoiceitems", "POST /v1/invoiceitems/{invoiceitem}"];
const PROMOTION_CODES: &[&str] = &["POST /v1/promotion_codes"];
const CREDIT_NOTES: &[&str] = &["POST /v1/credit_notes"];
const SCHEDULES: &[&str] =
    &["POST /v1/subscription_schedules", "POST /v1/subscription_schedules/{schedule}"];
const SESSIONS: &[&str] = &["POST /v1/checkout/sessions"];
const INTENTS: &[&str] = &["POST /v1/payment_intents"];
const NEW_INTENTS: &[&str] = &["POST /v1/payment_intents", "POST /v1/setup_intents"];
const TYPED: &[&str] = &[
    "POST /v1/checkout/sessions",
    "POST /v1/payment_intents",
    "POST /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}/confirm",
    "POST /v1/setup_intents",
    "POST /v1/setup_intents/{intent}",
];

/// A parameter that older versions took otherwise.
#[derive(Clone, Copy, Debug)]
struct Older {
    endpoints: &'static [&'static str],
    /// Its place (`a[b]`, also where `a` is a list), as it was called.
    parameter: &'static str,
    /// The version that ended it.
    until: &'static str,
    then: Then,
}

/// How it was taken.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It is gone. Of this type, in the catalog's grammar; what it stood for among today's parameters.
    Taken(&'static str, Option<&'static str>),
    /// It has another name today, in the same hash.
    Named(&'static str),
    /// One of its words: today's word.
    Word(&'static str, &'static str),
}

const OLDER: &[Older] = &[
    older(TYPED, PAYMENT_METHOD_TYPES, ENDIVE, Then::Taken("[s]", None)),
    older(SESSIONS, "ui_mode", DAHLIA, Then::Word("hosted", "hosted_page")),
    older(SESSIONS, "ui_mode", DAHLIA, Then::Word("embedded", "embedded_page")),
    older(SESSIONS, "ui_mode", DAHLIA, Then::Word("custom", "elements")),
    older(
        INTENTS,
        "payment_method_options[customer_balance][bank_transfer][type]",
        ENDIVE,
        Then::Word("jp_bank_account", "jp_bank_transfer"),
    ),
    older(PROMOTION_CODES, "coupon", CLOVER, Then::Taken("s", Some("promotion"))),
    // Recordings of 2023-10-16 still send it.
    older(CUSTOMERS, "card", ENDIVE, Then::Named("source")),
    older(CUSTOMERS, "coupon", BASIL, Then::Taken("s~", None)),
    older(CUSTOMERS, "promotion_code", BASIL, Then::Taken("s", None)),
    older(SUBSCRIPTIONS, "coupon", BASIL, Then::Taken("s~", None)),
    older(SUBSCRIPTIONS, "promotion_code", BASIL, Then::Taken("s", None)),
    older(ONE_SUBSCRIPTION, "billing_cycle_anchor", ENDIVE, Then::Word("now", "now")),
    older(ONE_SUBSCRIPTION, "billing_cycle_anchor", ENDIVE, Then::Word("unchanged", "unchanged")),
    // Recordings up to 2025 still send both.
    older(SUBSCRIPTIONS, "plan", ENDIVE, Then::Taken("s", None)),
    older(SUBSCRIPTIONS, "quantity", ENDIVE, Then::Taken("i", None)),
    older(SCHEDULES, "phases[iterations]", CLOVER, Then::Taken("i", None)),
    older(INVOICE_ITEMS, "price", BASIL, Then::Taken("s", Some("pricing"))),
    older(INVOICE_ITEMS, "unit_amount", BASIL, Then::Taken("i", None)),
    older(CREDIT_NOTES, "refund", BASIL, Then::Taken("s", None)),
    // Recordings of 2023-10-16 still send both.
    older(ACCOUNTS, "requested_capabilities", ENDIVE, Then::Taken("[s]", None)),
    older(ACCOUNTS, "bank_account", ENDIVE, Then::Taken("s/{s}", None)),
    older(ACCOUNTS, "individual[nationality]", ENDIVE, Then::Taken("s", None)),
    older(PRODUCTS, "features", "2024-04-10", Then::Named("marketing_features")),
];

const fn older(
    endpoints: &'static [&'static str],
    parameter: &'static str,
    until: &'static str,
    then: Then,
) -> Older {
    Older { endpoints, parameter, until, then }
}

/// What older versions supposed where a parameter was not sent.
#[derive(Clone, Copy, Debug)]
struct Supposed {
    endpoints: &'static [&'static str],
    parameter: &'static str,
    until: &'static str,
    /// JSON.
    value: &'static str,
    /// Parameters that say otherwise, beside itself.
    unless: &'static [&'static str],
    /// Which parameters a request without a version must say (`true`) and must not, for it to be supposed there too;
    /// empty: never. The official CLI confirms so, and comes from nowhere that a payer could be sent back to.
    unversioned: &'static [(&'static str, bool)],
}

const SUPPOSED: &[Supposed] = &[
    Supposed {
        endpoints: INTENTS,
        parameter: "capture_method",
        until: "2024-04-10",
        value: "\"automatic\"",
        unless: &[],
        unversioned: &[],
    },
    // From then on an intent that names no types offers what the account's settings offer.
    Supposed {
        endpoints: NEW_INTENTS,
        parameter: PAYMENT_METHOD_TYPES,
        until: "2023-08-16",
        value: "[\"card\"]",
        unless: &[
            "allowed_payment_method_types",
            "automatic_payment_methods",
            "excluded_payment_method_types",
            "payment_method_configuration",
        ],
        unversioned: &[("confirm", true), ("payment_method", true), ("return_url", false)],
    },
];

/// A member that older versions had and could expand: the object, the member, the version that ended it, its type in
/// the catalog's grammar.
const EXPANDABLE: &[(&str, &str, &str, &str)] = &[
    ("charge", "invoice", BASIL, "@invoice"),
    ("payment_intent", "invoice", BASIL, "@invoice"),
    ("invoice", "charge", BASIL, "@charge"),
    ("invoice", "discount", BASIL, "&discount"),
    ("invoice", "payment_intent", BASIL, "@payment_intent"),
    ("invoice", "quote", BASIL, "@quote"),
    ("invoice", "subscription", BASIL, "@subscription"),
    ("invoice", "total_tax_amounts", BASIL, "[(tax_rate=@tax_rate)]"),
    ("invoiceitem", "price", BASIL, "&price"),
    ("invoiceitem", "subscription", BASIL, "@subscription"),
    ("line_item", "invoice_item", BASIL, "@invoiceitem"),
    ("line_item", "plan", BASIL, "&plan"),
    ("line_item", "price", BASIL, "&price"),
    ("line_item", "tax_amounts", BASIL, "[(tax_rate=@tax_rate)]"),
    ("subscription", "discount", BASIL, "&discount"),
    ("credit_note", "refund", BASIL, "@refund"),
    ("credit_note", "tax_amounts", BASIL, "[(tax_rate=@tax_rate)]"),
    ("discount", "coupon", CLOVER, "&coupon"),
    ("promotion_code", "coupon", CLOVER, "&coupon"),
];

/// The type of a member that a version had and could expand.
pub(crate) fn expandable(object: &str, member: &str, version: &Version) -> Option<&'static Type> {
    static TYPES: OnceLock<Vec<Option<Type>>> = OnceLock::new();
    let is = |it: &&(&str, &str, &str, &str)| {
        it.0 == object && it.1 == member && version.is_before(it.2)
    };
    let at = EXPANDABLE.iter().position(|it| is(&it))?;
    let read = || EXPANDABLE.iter().map(|it| grammar::read(it.3)).collect();
    TYPES.get_or_init(read).get(at)?.as_ref()
}

/// What is asked of an endpoint, and under which version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Legacy<'v> {
    endpoint: &'v str,
    pub(crate) version: &'v Version,
}

impl<'v> Legacy<'v> {
    pub(crate) const fn new(endpoint: &'v str, version: &'v Version) -> Self {
        Self { endpoint, version }
    }

    fn at(self, path: Path<'_>) -> impl Iterator<Item = &'static Older> {
        // Few endpoints have any: only there is the path written out.
        let mut own =
            OLDER.iter().filter(move |it| it.endpoints.contains(&self.endpoint)).peekable();
        let name = own.peek().map(|_| path.name());
        own.filter(move |it| name.as_deref() == Some(it.parameter))
    }

    /// The type of a parameter that is gone, and whether this version may still send it.
    pub(crate) fn taken(self, path: Path<'_>) -> Option<(Type, bool)> {
        self.at(path).find_map(|it| match it.then {
            Then::Taken(of, _) => Some((grammar::read(of)?, self.version.may_use_until(it.until))),
            Then::Named(_) | Then::Word(..) => None,
        })
    }

    /// Today's name of a parameter that this version may call otherwise.
    pub(crate) fn named(self, path: Path<'_>) -> Option<&'static str> {
        self.at(path).find_map(|it| match it.then {
            Then::Named(name) if self.version.may_use_until(it.until) => Some(name),
            _ => None,
        })
    }

    /// Whether a parameter that this version may still send stands for a required one of today.
    pub(crate) fn stands_for(self, given: &str, required: &str) -> bool {
        self.at(Path::Name(&Path::Root, given)).any(|it| match it.then {
            Then::Taken(_, stands_for) => {
                stands_for == Some(required) && self.version.may_use_until(it.until)
            }
            Then::Named(_) | Then::Word(..) => false,
        })
    }

    /// Today's parameter for one that is gone, where their names begin alike: then an answer mentions it.
    pub(crate) fn today(self, path: Path<'_>) -> Option<&'static str> {
        self.at(path).find_map(|it| match it.then {
            Then::Taken(_, today) => today.filter(|name| name.get(..4) == it.parameter.get(..4)),
            Then::Named(_) | Then::Word(..) => None,
        })
    }

    /// Today's word for one that this version may use.
    pub(crate) fn word(self, path: Path<'_>, old: &str) -> Option<&'static str> {
        self.at(path).find_map(|it| match it.then {
            Then::Word(was, now) if was == old && self.version.may_use_until(it.until) => Some(now),
            _ => None,
        })
    }
}

/// Adds what this version supposes and the request does not say.
pub fn suppose(endpoint: &str, version: &Version, params: &mut Map<String, Value>) {
    for it in SUPPOSED.iter().filter(|it| it.endpoints.contains(&endpoint)) {
        let says_otherwise = it.unless.iter().any(|name| params.contains_key(*name));
        let unversioned = !version.named
            && !it.unversioned.is_empty()
            && it.unversioned.iter().all(|(name, said)| params.contains_key(*name) == *said);
        let supposed = version.is_before(it.until) || unversioned;
        if supposed && !says_otherwise && !params.contains_key(it.parameter) {
            let value = serde_json::from_str(it.value).unwrap_or_default();
            params.insert(it.parameter.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar::{Field, Kind};
    use serde_json::json;

    fn of(text: &str) -> Version {
        Version { text: text.to_owned(), named: true }
    }

    /// The parameter of today at a place.
    fn find(endpoint: &str, place: &str) -> Option<&'static Type> {
        let catalog = Catalog::get();
        let all = catalog.routes().all();
        let endpoint = all.iter().find(|it| it.key() == endpoint).expect(endpoint);
        let mut fields: &[Field] = &catalog.params(endpoint.params.unwrap()).unwrap().fields;
        let names: Vec<&str> = place.split(['[', ']']).filter(|name| !name.is_empty()).collect();
        let (last, before) = names.split_last().unwrap();
        for name in before {
            let kind = match &grammar::field(fields, name).expect(place).of.kind {
                Kind::List(of) => &of.kind,
                kind => kind,
            };
            match kind {
                Kind::Shape(name) => fields = &catalog.params(name).unwrap().fields,
                other => panic!("{place}: {other:?}"),
            }
        }
        grammar::field(fields, last).map(|field| &field.of)
    }

    #[test]
    fn every_entry_names_an_endpoint_and_is_not_in_the_current_version() {
        for it in OLDER {
            for endpoint in it.endpoints {
                let today = find(endpoint, it.parameter);
                match it.then {
                    Then::Taken(of, stands_for) => {
                        assert!(today.is_none(), "{endpoint} {}", it.parameter);
                        assert!(grammar::read(of).is_some(), "{of}");
                        let now = stands_for.map(|name| find(endpoint, name));
                        assert!(now.is_none_or(|of| of.is_some()), "{endpoint}");
                    }
                    Then::Named(name) => {
                        assert!(today.is_none() && find(endpoint, name).is_some(), "{name}");
                    }
                    Then::Word(was, now) => {
                        match &today.unwrap().kind {
                            Kind::Enum { words, .. } => {
                                let is_new = words.contains(&now) && !words.contains(&was);
                                assert!(is_new, "{was} {now}");
                            }
                            // What is a hash today is still said as the word.
                            of => assert!(matches!(of, Kind::Shape(_)) && was == now, "{was}"),
                        }
                    }
                }
            }
        }
        for it in SUPPOSED {
            assert!(serde_json::from_str::<Value>(it.value).is_ok());
            for (endpoint, name) in it.endpoints.iter().flat_map(|endpoint| {
                it.unless.iter().chain([&it.parameter]).map(move |name| (endpoint, *name))
            }) {
                let is_known = find(endpoint, name).is_some()
                    || OLDER.iter().any(|o| o.parameter == name && o.endpoints.contains(endpoint));
                assert!(is_known, "{endpoint} {name}");
            }
        }
        for (object, member, _, of) in EXPANDABLE {
            let shape = Catalog::get().object(object).expect(object);
            assert!(grammar::field(&shape.fields, member).is_none(), "{object} {member}");
            assert!(grammar::read(of).is_some(), "{of}");
        }
    }

    #[test]
    fn each_version_supposes_what_it_did() {
        let supposed = |version: &str, sent: Value| {
            let Value::Object(mut params) = sent else { panic!() };
            suppose("POST /v1/payment_intents", &of(version), &mut params);
            Value::Object(params)
        };
        let both = json!({"capture_method": "automatic", "payment_method_types": ["card"]});
        assert_eq!(supposed("2022-11-15", json!({})), both);
        assert_eq!(supposed("2016-07-06", json!({})), both);
        let one = json!({"capture_method": "automatic"});
        assert_eq!(supposed("2023-08-16", json!({})), one);
        assert_eq!(supposed("2024-04-10", json!({})), json!({}));
        let said = json!({"capture_method": "manual", "automatic_payment_methods": {}});
        assert_eq!(supposed("2022-11-15", said.clone()), said);
    }

    #[test]
    fn a_request_without_a_version_that_confirms_and_returns_nowhere_is_paid_by_card() {
        let supposed = |named: bool, sent: &Value| {
            let version = Version { text: "2026-10-28.endive".to_owned(), named };
            let mut params = sent.as_object().unwrap().clone();
            suppose("POST /v1/payment_intents", &version, &mut params);
            params.get("payment_method_types").cloned()
        };
        let sent = json!({"confirm": true, "payment_method": "pm_card_visa"});
        assert_eq!(supposed(false, &sent), Some(json!(["card"])));
        assert_eq!(supposed(true, &sent), None);
        for more in ["return_url", "automatic_payment_methods", "allowed_payment_method_types"] {
            let mut sent = sent.clone();
            sent[more] = json!("x");
            assert_eq!(supposed(false, &sent), None, "{more}");
        }
        assert_eq!(supposed(false, &json!({"confirm": true})), None);
    }
}
