//! The table of changes against the catalog, and what comes of it.

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Field, Kind};
use crate::sandbox::version::changes::{Before, CHANGES, Change, look};
use crate::sandbox::version::down::{self, nowhere};
use crate::sandbox::version::{OLDEST, form_instead};
use crate::wire::render;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Members that the SDK's types still have, and that no answer shows any more.
const STILL_TYPED: [(&str, &str); 1] = [("line_item", "subscription")];

/// The field at a path of names, within an object of the catalog.
fn field(object: &str, path: &str) -> Option<&'static Field> {
    let shape = Catalog::get().object(object).unwrap_or_else(|| panic!("no {object}"));
    let mut fields: &[Field] = &shape.fields;
    let (around, name) = path.rsplit_once('.').unwrap_or(("", path));
    for name in around.split('.').filter(|name| !name.is_empty()) {
        let Kind::Hash(inner) = &grammar::field(fields, name)?.of.kind else { return None };
        fields = inner;
    }
    grammar::field(fields, name)
}

/// An object with something in each of its fields.
fn filled(object: &str) -> Value {
    fn value(of: &Kind) -> Value {
        match of {
            Kind::Enum { words, .. } => json!(words.first()),
            Kind::Hash(fields) => hash(fields),
            Kind::List(of) => json!([value(&of.kind)]),
            Kind::Map(_) => json!({"object": "payment_intent"}),
            Kind::Boolean => json!(true),
            Kind::Integer => json!(1),
            _ => json!("text"),
        }
    }
    fn hash(fields: &[Field]) -> Value {
        let shown = fields.iter().filter(|field| field.name != "deleted");
        shown.map(|field| (field.name.to_owned(), value(&field.of.kind))).collect()
    }
    hash(&Catalog::get().object(object).unwrap().fields)
}

fn in_version(document: &Value, version: &str) -> Value {
    let mut shown = document.clone();
    down::value(&mut shown, version, &nowhere);
    shown
}

#[test]
fn every_change_names_what_the_catalog_has_or_no_longer_has() {
    for it in CHANGES {
        let Change { object, member, .. } = it;
        let today = field(object, member);
        match it.before {
            Before::Absent => assert!(today.is_some(), "{object}.{member}"),
            Before::Here(_) => {
                let is_gone = today.is_none() != STILL_TYPED.contains(&(*object, *member));
                assert!(is_gone, "{object}.{member} is not gone");
                let around = member.rsplit_once('.').map(|(around, _)| around);
                assert!(around.is_none_or(|at| field(object, at).is_some()), "{object}.{member}");
            }
            Before::Named(old) => {
                assert!(today.is_some() && field(object, old).is_none(), "{object}.{member}");
            }
            Before::Word(now, old) => {
                let Kind::Enum { words, .. } = &today.unwrap().of.kind else { panic!("{member}") };
                assert!(words.contains(&now) && !words.contains(&old), "{object}: {now}");
            }
        }
    }
    assert!(CHANGES.is_sorted_by(|a, b| a.since >= b.since), "newest first");
    assert!(CHANGES.iter().all(|it| it.since > OLDEST));
}

#[test]
fn the_newest_version_shows_every_object_as_it_is_stored() {
    let newest = Catalog::get().api_version();
    for object in Catalog::get().object_names() {
        let text = render::compact(&filled(object));
        assert!(matches!(down::text(&text, newest, &nowhere), Cow::Borrowed(_)), "{object}");
        assert_eq!(in_version(&filled(object), newest), filled(object), "{object}");
    }
}

#[test]
fn what_did_not_change_is_not_read() {
    let text = r#"{"id":"cus_1","object":"customer","description":"a {b"}"#;
    assert!(matches!(down::text(text, OLDEST, &nowhere), Cow::Borrowed(_)));
    let text = r#"{"id":"pi_1","object":"payment_intent"}"#;
    assert!(matches!(down::text(text, "2025-03-31.basil", &nowhere), Cow::Borrowed(_)));
    let older = down::text(text, "2025-02-24.acacia", &nowhere);
    assert_eq!(older, r#"{"id":"pi_1","object":"payment_intent","invoice":null}"#);
}

#[test]
fn each_version_shows_what_it_had() {
    let basil = "2025-03-31.basil";
    let acacia = "2025-02-24.acacia";
    let price = json!({"object": "price", "recurring": {"interval": "month"}});
    assert_eq!(in_version(&price, acacia)["recurring"]["aggregate_usage"], Value::Null);
    assert_eq!(in_version(&price, basil), price);
    let once = json!({"object": "price", "recurring": null});
    assert_eq!(in_version(&once, acacia), once);

    let session = json!({
        "object": "checkout.session", "ui_mode": "elements",
        "collected_information": {"shipping_details": {"name": "Aki"}},
    });
    assert_eq!(in_version(&session, "2026-02-25.clover")["ui_mode"], "custom");
    assert_eq!(in_version(&session, "2026-03-25.dahlia")["ui_mode"], "elements");
    assert_eq!(in_version(&session, basil).get("shipping_details"), None);
    assert_eq!(in_version(&session, acacia)["shipping_details"], json!({"name": "Aki"}));

    let product = json!({"object": "product", "marketing_features": [{"name": "hot"}]});
    assert_eq!(in_version(&product, "2024-04-10"), product);
    let older = json!({"object": "product", "features": [{"name": "hot"}]});
    assert_eq!(in_version(&product, "2023-10-16"), older);
    assert_eq!(in_version(&product, "2011-01-01"), older);

    let invoice = json!({
        "object": "invoice", "status": "paid", "parent": {"subscription_details":
            {"subscription": "sub_1", "metadata": {"a": "b"}}},
        "total_taxes": [{"amount": 7, "tax_behavior": "inclusive",
            "tax_rate_details": {"tax_rate": "txr_1"}, "taxable_amount": 93}],
    });
    let older = in_version(&invoice, acacia);
    assert_eq!((&older["paid"], &older["subscription"]), (&json!(true), &json!("sub_1")));
    assert_eq!(older["tax"], 7);
    assert_eq!(older["total_tax_amounts"][0]["tax_rate"], "txr_1");
    assert_eq!(older["subscription_details"], json!({"metadata": {"a": "b"}}));
    assert_eq!((&older["charge"], &older["quote"]), (&Value::Null, &Value::Null));
    // What the object itself does not say, whoever renders it tells.
    let told = |name: &str, id: &str| {
        (name == "invoice.payment_intent").then(|| json!(format!("pi_of_{id}")))
    };
    let mut invoice = json!({"object": "invoice", "id": "in_1", "status": "open"});
    down::value(&mut invoice, acacia, &told);
    assert_eq!(
        (&invoice["payment_intent"], &invoice["charge"]),
        (&json!("pi_of_in_1"), &Value::Null)
    );
}

#[test]
fn a_line_of_an_invoice_tells_older_versions_which_item_it_comes_from() {
    let of = |parent: &str, item: Value, unit: Value| {
        let details = json!({"invoice_item": item, "proration": parent != "invoice_item_details"});
        let line = json!({"object": "line_item", "amount": -900, "quantity": 3,
            "parent": {"type": parent, parent: details}, "pricing": {"unit_amount_decimal": unit}});
        let older = in_version(&line, "2025-02-24.acacia");
        let member = |name: &str| older.get(name).cloned();
        (member("type"), member("invoice_item"), member("unit_amount_excluding_tax"))
    };
    let shown = |kind: &str, item: Option<&str>, unit: &str| {
        (Some(json!(kind)), item.map(|id| json!(id)), Some(json!(unit)))
    };
    let proration = of("subscription_item_details", json!("ii_1"), Value::Null);
    assert_eq!(proration, shown("invoiceitem", Some("ii_1"), "-300"));
    let item = of("invoice_item_details", json!("ii_2"), json!("12.5"));
    assert_eq!(item, shown("invoiceitem", Some("ii_2"), "12.5"));
    let period = of("subscription_item_details", Value::Null, json!("700"));
    assert_eq!(period, shown("subscription", None, "700"));
}

#[test]
fn what_was_shown_in_whole_is_found() {
    let coupons = |kind: &str, id: &str| Some(json!({"object": kind, "id": id}));
    let mut customer = json!({
        "object": "customer", "discount": {"object": "discount", "source": {"coupon": "co_1"}},
    });
    down::value(&mut customer, "2025-08-27.basil", &coupons);
    let discount = json!({"object": "discount", "coupon": {"object": "coupon", "id": "co_1"}});
    assert_eq!(customer["discount"], discount);

    let discount = json!({"object": "discount", "source": {"coupon": "co_1"}});
    let unseen = json!({"object": "discount", "coupon": "co_1"});
    assert_eq!(in_version(&discount, "2025-08-27.basil"), unseen);
    assert_eq!(in_version(&discount, "2025-09-30.clover"), discount);
    let line = json!({"object": "line_item", "pricing": {"price_details": {"price": "price_1"}}});
    let older = in_version(&line, "2025-02-24.acacia");
    assert_eq!((&older["price"], &older["plan"]), (&json!("price_1"), &Value::Null));
}

#[test]
fn what_is_no_object_of_the_api_stays() {
    for document in [
        json!({"object": "event", "data": {"object": {"object": "charge"}}}),
        json!({"object": "customer", "metadata": {"object": "charge", "a": {"object": "charge"}}}),
        json!({"object": "product", "id": "prod_1", "deleted": true}),
    ] {
        assert_eq!(in_version(&document, OLDEST), document);
    }
}

#[test]
fn attributes_of_before_have_the_names_and_words_of_their_version() {
    let older = |text: &str, kind: &str| down::previous(text, kind, "2023-10-16").into_owned();
    let features = r#"{"marketing_features":[]}"#;
    assert_eq!(older(features, "product"), r#"{"features":[]}"#);
    let unchanged = r#"{"status":"requires_action"}"#;
    assert_eq!(older(unchanged, "payment_intent"), unchanged);
    let shipping =
        older(r#"{"collected_information":{"shipping_details":null}}"#, "checkout.session");
    assert_eq!(
        shipping,
        r#"{"collected_information":{"shipping_details":null},"shipping_details":null}"#
    );
    let features_now = down::previous(features, "product", "2026-10-28.endive");
    assert!(matches!(features_now, Cow::Borrowed(_)));
}

#[test]
fn older_versions_than_the_oldest_get_its_form() {
    assert_eq!(form_instead("2022-08-01"), Some(OLDEST));
    assert_eq!((form_instead(OLDEST), form_instead("2026-10-28.endive")), (None, None));
    assert_eq!(form_instead(""), None);
}

fn members(object: &Map<String, Value>, kind: &str, unknown: &mut Vec<String>) {
    for name in object.keys() {
        let is_older = CHANGES.iter().any(|it| {
            it.object == kind
                && (it.member == name || matches!(it.before, Before::Named(old) if old == name))
        });
        if field(kind, name).is_none() && !is_older {
            unknown.push(name.clone());
        }
    }
}

proptest! {
    #[test]
    fn going_down_adds_nothing_that_no_version_had(
        at in 0_usize..1000, year in 2011..2028, month in 1..13, day in 1..29,
    ) {
        let names: Vec<_> = Catalog::get().object_names().collect();
        let kind = names[at % names.len()];
        let version = format!("{year}-{month:02}-{day:02}");
        let older = in_version(&filled(kind), &version);
        let mut unknown = Vec::new();
        members(older.as_object().unwrap(), kind, &mut unknown);
        prop_assert_eq!(unknown, Vec::<String>::new());
        // A text is shown as its document is.
        let text = render::compact(&filled(kind));
        let shown = down::text(&text, &version, &nowhere);
        prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), older);
    }

    #[test]
    fn no_path_makes_it_panic(path in "[a-z0-9.]{0,12}") {
        let document = json!({"a": {"b": [1, {"c": null}]}});
        drop(look(document.as_object().unwrap(), &path).cloned());
    }
}
