//! Customers, products, prices and Checkout Sessions: what they show, and what of them is refused.

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Kind};
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

const SESSIONS: &str = "POST /v1/checkout/sessions";

fn id(doc: &Value) -> &str {
    doc["id"].as_str().unwrap()
}

fn all(base: Value, more: &Value) -> Value {
    let mut all = base;
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn session(more: &Value) -> Value {
    let line = json!({
        "quantity": 1,
        "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tea"}},
    });
    let base = json!({"mode": "payment", "success_url": "https://a.example", "line_items": [line]});
    all(base, more)
}

fn price(more: &Value) -> Value {
    all(json!({"currency": "usd", "product_data": {"name": "Tea"}}), more)
}

/// The last event of a type, and the object in it.
fn told(world: &Lab, kind: &str) -> Value {
    let event = world.view().newest("event").find(|event| event["type"] == kind).unwrap();
    event["data"]["object"].clone()
}

#[test]
fn a_customer_shows_what_it_has_and_only_when_asked_what_it_could_have() {
    let mut world = Lab::new();
    let plain = world.ok("POST /v1/customers", json!({}));
    for absent in ["business_name", "individual_name", "invoice_credit_balance", "tax", "sources"] {
        assert!(plain.get(absent).is_none(), "{absent}");
    }
    let shop = json!({
        "business_name": "Tea Ltd",
        "shipping": {"name": "Aki", "address": {"line1": "1-1"}},
    });
    let shop = world.ok("POST /v1/customers", shop);
    assert_eq!(shop["business_name"], "Tea Ltd");
    let shipping = shop["shipping"].as_object().unwrap();
    assert_eq!(shipping.keys().collect::<Vec<_>>(), ["address", "name", "phone"]);
    let included = |field| {
        let shown = world.look(|txn| super::include(txn, &plain, field));
        shown.unwrap()
    };
    assert_eq!(included("invoice_credit_balance"), json!({}));
    for list in ["sources", "subscriptions", "tax_ids"] {
        assert_eq!(included(list)["total_count"], 0, "{list}");
    }
}

#[test]
fn an_invoice_prefix_has_a_form_and_one_holder() {
    let mut world = Lab::new();
    let first = world.ok("POST /v1/customers", json!({"invoice_prefix": "TEA1"}));
    for bad in ["abc", "A-B", "ABCDEFGHIJKLM"] {
        let failure = world.call("POST /v1/customers", json!({"invoice_prefix": bad})).unwrap_err();
        assert_eq!(failure.param, None, "{bad}");
        assert!(failure.message.ends_with("1–12 uppercase letters or numbers."), "{bad}");
    }
    let failure = world.call("POST /v1/customers", json!({"invoice_prefix": "TEA1"})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("invoice_prefix"));
    assert!(failure.message.contains(&format!("taken by customer: {}.", id(&first))));
    let own = format!("POST /v1/customers/{}", id(&first));
    world.ok(&own, json!({"invoice_prefix": "TEA1"}));
    let drawn = world.ok("POST /v1/customers", json!({}));
    let drawn = drawn["invoice_prefix"].as_str().unwrap();
    assert!(drawn.len() == 8 && !drawn.contains(|c: char| c.is_ascii_lowercase()), "{drawn}");
}

#[test]
fn a_first_balance_settles_a_customers_currency() {
    let mut world = Lab::new();
    let made = world.ok("POST /v1/customers", json!({"balance": 500}));
    assert_eq!(made["currency"], "jpy");
    let none = world.ok("POST /v1/customers", json!({"balance": 0}));
    assert_eq!(none["currency"], Value::Null);
    let later = world.ok(&format!("POST /v1/customers/{}", id(&none)), json!({"balance": -5}));
    assert_eq!(later["currency"], "jpy");
}

#[test]
fn a_product_is_told_of_before_its_price_and_inactive_once_deleted() {
    let mut world = Lab::new();
    let data = json!({"currency": "jpy", "unit_amount": 500});
    let made = world.ok("POST /v1/products", json!({"name": "Tea", "default_price_data": data}));
    assert_eq!(world.events(), ["product.created", "price.created"]);
    assert_eq!(told(&world, "product.created")["default_price"], made["default_price"]);
    assert_eq!(made["attributes"], json!([]));
    let cup = world.ok("POST /v1/products", json!({"name": "Cup"}));
    world.ok(&format!("DELETE /v1/products/{}", id(&cup)), json!({}));
    assert_eq!(told(&world, "product.deleted")["active"], false);
    assert_eq!(world.events().last().unwrap(), "product.deleted");
}

#[test]
fn a_price_that_cannot_be_is_refused_in_its_own_words() {
    let mut world = Lab::new();
    let tiers = json!([{"up_to": "inf", "unit_amount": 5}]);
    let tiered = json!({"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers});
    let metered = json!({"interval": "month", "usage_type": "metered"});
    for (params, words, param) in [
        (price(&tiered), "`type=one_time` are not supported with tiered billing", Some("interval")),
        (
            price(&json!({"unit_amount": 5, "recurring": metered})),
            "metered prices must be backed by meters",
            None,
        ),
        (price(&json!({})), "Prices require an `unit_amount` or", None),
        (
            json!({"currency": "usd", "unit_amount": 5}),
            "You must specify either `product` or `product_data`",
            None,
        ),
    ] {
        let failure = world.call("POST /v1/prices", params).unwrap_err();
        assert!(failure.message.contains(words), "{}", failure.message);
        assert_eq!((failure.status, failure.code, failure.param.as_deref()), (400, None, param));
    }
    let monthly = json!({"recurring": {"interval": "month"}});
    world.ok("POST /v1/prices", price(&all(tiered, &monthly)));
}

#[test]
fn a_method_that_does_not_exist_is_offered_by_nobody() {
    let mut world = Lab::new();
    for types in [json!(["cards"]), json!(["card", "cards"])] {
        let sent = json!({"payment_method_types": types});
        let setup = json!({"mode": "setup", "success_url": "https://a.example", "currency": "usd"});
        let intent = json!({"amount": 500, "currency": "usd"});
        for (endpoint, base) in [
            (SESSIONS, session(&json!({}))),
            (SESSIONS, setup),
            ("POST /v1/payment_intents", intent),
            ("POST /v1/setup_intents", json!({})),
        ] {
            let failure = world.call(endpoint, all(base, &sent)).unwrap_err();
            assert_eq!(failure.status, 400, "{endpoint}: {failure:?}");
            assert_eq!(failure.param.as_deref(), Some("payment_method_types"), "{endpoint}");
            assert!(failure.message.contains("\"cards\" is invalid"), "{}", failure.message);
        }
    }
    // Of a link, the catalog has the words.
    let link = Catalog::get().params("PaymentLinkCreateParams").unwrap();
    let types = grammar::field(&link.fields, "payment_method_types").unwrap();
    let Kind::List(of) = &types.of.kind else { panic!("a list") };
    assert!(matches!(&of.kind, Kind::Enum { words, .. } if !words.contains(&"cards")));
}

#[test]
fn fractions_of_currencies_without_them_are_sold_nowhere() {
    let mut world = Lab::new();
    for (currency, fine, whole) in
        [("isk", 55_050, 55_100), ("ugx", 550_050, 550_000), ("kwd", 5_005, 5_010)]
    {
        let of = |unit: i64| json!({"currency": currency, "unit_amount": unit, "product_data": {"name": "Tea"}});
        let line = |unit: i64| json!({"line_items": [{"quantity": 1, "price_data": of(unit)}]});
        for (failure, param) in [
            (world.call("POST /v1/prices", of(fine)).unwrap_err(), "unit_amount"),
            (
                world.call(SESSIONS, session(&line(fine))).unwrap_err(),
                "line_items[0][price_data][unit_amount]",
            ),
        ] {
            assert!(failure.message.contains("must be evenly divisible by"), "{failure:?}");
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)));
        }
        world.ok("POST /v1/prices", of(whole));
        world.ok(SESSIONS, session(&line(whole)));
    }
    for (decimal, quantity, param) in [
        ("55050", 1, "line_items[0][price_data][unit_amount_decimal]"),
        ("550.5", 100, "line_items"),
    ] {
        let data = json!({
            "currency": "isk", "unit_amount_decimal": decimal, "product_data": {"name": "Tea"},
        });
        let line = json!({"line_items": [{"quantity": quantity, "price_data": data}]});
        let failure = world.call(SESSIONS, session(&line)).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some(param));
    }
}

#[test]
fn an_address_keeps_the_lines_that_are_not_sent_anew() {
    let mut world = Lab::new();
    let address = json!({"line1": "1-1", "city": "Chiyoda", "country": "JP"});
    let shipping = json!({"name": "Aki", "phone": "1", "address": address});
    let sent = json!({"address": address, "shipping": shipping});
    let made = world.ok("POST /v1/customers", sent);
    let path = format!("POST /v1/customers/{}", id(&made));
    let more = json!({
        "address": {"city": "Minato"}, "shipping": {"name": "Ren", "address": {"line1": "2-2"}},
    });
    let now = world.ok(&path, more);
    assert_eq!(
        (&now["address"]["line1"], &now["address"]["city"]),
        (&json!("1-1"), &json!("Minato"))
    );
    let to = &now["shipping"];
    assert_eq!((&to["name"], &to["phone"]), (&json!("Ren"), &json!("1")));
    assert_eq!(
        (&to["address"]["line1"], &to["address"]["city"]),
        (&json!("2-2"), &json!("Chiyoda"))
    );
    let none = world.ok(&path, json!({"address": null}));
    assert_eq!(none["address"], Value::Null);
}

#[test]
fn an_update_leaves_what_of_a_nested_hash_is_not_sent() {
    let mut world = Lab::new();
    let customer = world.ok("POST /v1/customers", json!({}));
    let address = json!({"line1": "1-1", "city": "Chiyoda", "country": "JP"});
    let owner = json!({"name": "Aki", "address": address});
    let method = world
        .ok("POST /v1/payment_methods/pm_card_visa/attach", json!({"customer": customer["id"]}));
    let sent = json!({"type": "card", "token": "tok_visa", "owner": owner});
    let source = world.ok("POST /v1/sources", sent);
    for (path, hash) in [
        (format!("POST /v1/payment_methods/{}", id(&method)), "billing_details"),
        (format!("POST /v1/sources/{}", id(&source)), "owner"),
    ] {
        world.ok(&path, json!({ hash: owner }));
        let now = world.ok(&path, json!({ hash: {"address": {"city": "Minato"}} }));
        let of = &now[hash]["address"];
        assert_eq!((&now[hash]["name"], &of["line1"]), (&json!("Aki"), &json!("1-1")), "{hash}");
        assert_eq!((&of["city"], &of["country"]), (&json!("Minato"), &json!("JP")), "{hash}");
        let now = world.ok(&path, json!({ hash: {"address": {"line1": null}} }));
        assert_eq!(now[hash]["address"]["line1"], Value::Null, "{hash}");
    }
}

#[test]
fn a_session_shows_what_its_mode_and_its_customer_ask_for() {
    let mut world = Lab::new();
    let alone = world.ok(SESSIONS, session(&json!({})));
    for absent in [
        "allowed_payment_method_types",
        "excluded_payment_method_types",
        "name_collection",
        "optional_items",
        "redirect_on_completion",
        "return_url",
        "tax_id_collection",
    ] {
        assert!(alone.get(absent).is_none(), "{absent}");
    }
    assert_eq!(alone["payment_method_collection"], "if_required");
    for nothing in ["collected_information", "saved_payment_method_options", "customer_details"] {
        assert_eq!(alone[nothing], Value::Null, "{nothing}");
    }
    assert!(id(&alone).starts_with("cs_test_a1") && id(&alone).len() == 66);

    let customer = world.ok("POST /v1/customers", json!({"email": "a@b.jp"}));
    let more = json!({
        "customer": id(&customer), "allow_promotion_codes": true,
        "name_collection": {"individual": {"enabled": true}},
    });
    let known = world.ok(SESSIONS, session(&more));
    assert_eq!(
        known["collected_information"],
        json!({"business_name": null, "individual_name": null, "shipping_details": null})
    );
    assert_eq!(known["saved_payment_method_options"]["payment_method_remove"], "disabled");
    assert_eq!(known["name_collection"]["individual"]["enabled"], true);
    assert!(id(&known).starts_with("cs_test_b1"));
}

#[test]
fn a_session_refuses_whatever_it_names_that_is_not_there() {
    let mut world = Lab::new();
    for (more, noun, param) in [
        (json!({"customer": "cus_x"}), "customer: 'cus_x'", "customer"),
        (
            json!({"optional_items": [{"price": "price_x", "quantity": 1}]}),
            "price: 'price_x'",
            "optional_items[0][price]",
        ),
        (
            json!({"payment_intent_data": {"transfer_data": {"destination": "acct_x"}}}),
            "destination: 'acct_x'",
            "payment_intent_data[transfer_data][destination]",
        ),
        (
            json!({"line_items": [{"price": "price_x", "quantity": 1}]}),
            "price: 'price_x'",
            "line_items[0][price]",
        ),
    ] {
        let failure = world.call(SESSIONS, session(&more)).unwrap_err();
        assert_eq!(failure.message, format!("No such {noun}"));
        assert_eq!(failure.code.as_deref(), Some("resource_missing"));
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)));
    }
}

#[test]
fn an_address_is_not_the_id_of_a_session() {
    let mut world = Lab::new();
    let made = world.ok(SESSIONS, session(&json!({})));
    let long = format!("{}#fidkdWxOYHw", id(&made)).replace('#', "%23");
    for endpoint in [
        format!("GET /v1/checkout/sessions/{long}"),
        format!("POST /v1/checkout/sessions/{long}"),
        format!("POST /v1/checkout/sessions/{long}/expire"),
        format!("GET /v1/checkout/sessions/{long}/line_items"),
    ] {
        let failure = world.call(&endpoint, json!({})).unwrap_err();
        assert_eq!(failure.message, "Invalid string: cs_t...OYHw; must be at most 66 characters");
        assert_eq!(
            (failure.status, failure.code, failure.param.as_deref()),
            (404, None, Some("session"))
        );
    }
}

#[test]
fn payment_methods_of_nobody_are_in_no_list() {
    let mut world = Lab::new();
    let card = json!({"type": "card", "card": {"token": "tok_visa"}});
    let made = world.ok("POST /v1/payment_methods", card);
    let listed = |world: &mut Lab, params: Value| {
        world.ok("GET /v1/payment_methods", params)["data"].as_array().unwrap().len()
    };
    assert_eq!(listed(&mut world, json!({})), 0);
    let customer = world.ok("POST /v1/customers", json!({}));
    let attach = format!("POST /v1/payment_methods/{}/attach", id(&made));
    world.ok(&attach, json!({"customer": id(&customer)}));
    assert_eq!(listed(&mut world, json!({})), 0);
    assert_eq!(listed(&mut world, json!({"customer": id(&customer)})), 1);
}

#[test]
fn a_search_counts_what_it_finds_when_it_is_asked() {
    let mut world = Lab::new();
    for n in 0..12 {
        let name = if n == 0 { "other" } else { "aki" };
        world.ok("POST /v1/customers", json!({"name": name}));
    }
    let search = |world: &mut Lab, more: Value| {
        let query = all(json!({"query": "name:'aki'", "limit": 3}), &more);
        world.ok("GET /v1/customers/search", query)
    };
    assert!(search(&mut world, json!({})).get("total_count").is_none());
    let first = search(&mut world, json!({"total_count": true}));
    assert_eq!((&first["total_count"], first["data"].as_array().unwrap().len()), (&json!(11), 3));
    let next = json!({"total_count": true, "page": first["next_page"]});
    assert_eq!(search(&mut world, next)["total_count"], 11);
}
