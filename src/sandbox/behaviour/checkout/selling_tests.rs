//! Sessions that sell with more than prices: discounts, taxes, shipping, links, invoices; and those that only save.

use super::attempt::{self, Means, Next, Payer};
use super::choose::{self, Choices, Coded};
use super::{SESSION, sums};
use crate::sandbox::behaviour::cards::Billing;
use crate::sandbox::behaviour::object::{include, payment_link};
use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};

const SESSIONS: &str = "POST /v1/checkout/sessions";

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn line(amount: i64, currency: &str) -> Value {
    json!({"quantity": 1, "price_data": {
        "currency": currency, "unit_amount": amount, "product_data": {"name": "Tea"},
    }})
}

fn session(lines: &Value, more: &Value) -> Value {
    let mut params = json!({
        "mode": "payment", "success_url": "https://shop.example/ok", "line_items": lines,
    });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn payer() -> Payer {
    let billing = Billing { email: Some("aki@example.com".to_owned()), ..Billing::default() };
    Payer { billing, ..Payer::default() }
}

fn pay(lab: &mut Lab, session: &str) -> Next {
    let means = Means::Method("pm_card_visa".to_owned());
    lab.change(|txn| attempt::pay(txn, session, &means, &payer())).unwrap()
}

fn chosen(lab: &mut Lab, session: &str, choices: &Choices) -> (Value, Coded) {
    let (made, coded) = lab.change(|txn| choose::choose(txn, session, choices)).unwrap();
    (made.document(), coded)
}

fn totals(session: &Value) -> [i64; 5] {
    let details = &session["total_details"];
    [
        &session["amount_subtotal"],
        &details["amount_discount"],
        &details["amount_shipping"],
        &details["amount_tax"],
        &session["amount_total"],
    ]
    .map(|it| it.as_i64().unwrap())
}

#[test]
fn a_coupon_comes_off_every_line_to_the_minor_unit() {
    let mut lab = Lab::new();
    lab.ok("POST /v1/coupons", json!({"id": "FIVE", "amount_off": 500, "currency": "usd"}));
    let lines = json!([line(1_000, "usd"), line(2_000, "usd")]);
    let asked = session(&lines, &json!({"discounts": [{"coupon": "FIVE"}]}));
    let made = lab.ok(SESSIONS, asked);
    assert_eq!(totals(&made), [3_000, 500, 0, 0, 2_500]);
    assert_eq!(made["discounts"], json!([{"coupon": "FIVE", "promotion_code": null}]));
    let listed = lab.ok(&format!("GET /v1/checkout/sessions/{}/line_items", id(&made)), json!({}));
    let off: Vec<i64> =
        (0..2).map(|at| listed["data"][at]["amount_discount"].as_i64().unwrap()).collect();
    assert_eq!(off, [166, 334]);
    let more = lab.look(|txn| include(txn, &listed["data"][1], "discounts")).unwrap();
    assert_eq!(more[0]["amount"], 334);
    assert_eq!(more[0]["discount"]["checkout_session"], made["id"]);
    let all = lab.look(|txn| include(txn, &made, "total_details.breakdown")).unwrap();
    assert_eq!((&all["discounts"][0]["amount"], &all["taxes"]), (&json!(500), &json!([])));
    assert_eq!(lab.get("coupon", "FIVE")["times_redeemed"], 0);
    pay(&mut lab, id(&made));
    assert_eq!(lab.get("coupon", "FIVE")["times_redeemed"], 1);
    let paid = lab.get(SESSION, id(&made));
    assert_eq!(
        lab.get("payment_intent", paid["payment_intent"].as_str().unwrap())["amount"],
        2_500
    );
}

#[test]
fn discounts_are_refused_in_stripes_words() {
    let mut lab = Lab::new();
    lab.ok("POST /v1/coupons", json!({"id": "EUR", "amount_off": 500, "currency": "eur"}));
    lab.ok("POST /v1/coupons", json!({"id": "ALL", "percent_off": 100.0}));
    lab.ok("POST /v1/coupons", json!({"id": "BIT", "amount_off": 980, "currency": "usd"}));
    let lines = || json!([line(1_000, "usd")]);
    for (more, param, code, message) in [
        (
            json!({"discounts": [{"coupon": "x"}]}),
            Some("discounts[0][coupon]"),
            Some("resource_missing"),
            "No such coupon: 'x'",
        ),
        (
            json!({"discounts": [{"promotion_code": "promo_x"}]}),
            Some("discounts[0][promotion_code]"),
            Some("resource_missing"),
            "No such promotion code: 'promo_x'",
        ),
        (
            json!({"discounts": [{"coupon": "EUR"}]}),
            Some("discounts[0][coupon]"),
            None,
            "The coupon `EUR` cannot be applied because it has no amount in `usd`.",
        ),
        (
            json!({"discounts": [{"coupon": "ALL"}], "allow_promotion_codes": true}),
            Some("allow_promotion_codes"),
            None,
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
        ),
        (
            json!({"discounts": [{"coupon": "BIT"}]}),
            None,
            Some("amount_too_small"),
            "The Checkout Session's total amount due must add up to at least $0.50 USD",
        ),
    ] {
        let failure = lab.call(SESSIONS, session(&lines(), &more)).unwrap_err();
        assert_eq!(
            (&*failure.message, failure.param.as_deref(), failure.code.as_deref()),
            (message, param, code)
        );
    }
    let free = lab.ok(SESSIONS, session(&lines(), &json!({"discounts": [{"coupon": "ALL"}]})));
    assert_eq!(
        (&free["amount_total"], &free["payment_status"]),
        (&json!(0), &json!("no_payment_required"))
    );
    pay(&mut lab, id(&free));
    assert_eq!(lab.get(SESSION, id(&free))["payment_intent"], Value::Null);
}

#[test]
fn a_code_that_the_buyer_types_applies_where_it_may() {
    let mut lab = Lab::new();
    lab.ok("POST /v1/coupons", json!({"id": "TEN", "percent_off": 10.0}));
    let of = |code: &str, more: Value| {
        let mut asked = json!({"promotion": {"type": "coupon", "coupon": "TEN"}, "code": code});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    let codes = "POST /v1/promotion_codes";
    let good = lab.ok(codes, of("SPRING", json!({})));
    let least =
        json!({"restrictions": {"minimum_amount": 5_000, "minimum_amount_currency": "jpy"}});
    lab.ok(codes, of("BIG", least));
    let other = lab.ok("POST /v1/customers", json!({}));
    lab.ok(codes, of("OURS", json!({"customer": id(&other)})));
    lab.ok(codes, of("OFF", json!({"active": false})));
    let made = lab.ok(
        SESSIONS,
        session(&json!([line(2_500, "jpy")]), &json!({"allow_promotion_codes": true})),
    );
    let typed = |lab: &mut Lab, code: &str| {
        chosen(lab, id(&made), &Choices { code: Some(code.to_owned()), ..Choices::default() })
    };
    for code in ["nope", "BIG", "OURS", "OFF"] {
        let (after, coded) = typed(&mut lab, code);
        assert_eq!((coded, totals(&after)), (Coded::Refused, [2_500, 0, 0, 0, 2_500]), "{code}");
    }
    let (after, coded) = typed(&mut lab, "spring");
    assert_eq!((coded, totals(&after)), (Coded::Fine, [2_500, 250, 0, 0, 2_250]));
    assert_eq!(after["discounts"], json!([{"coupon": null, "promotion_code": id(&good)}]));
    let (after, _) = typed(&mut lab, "");
    assert_eq!((totals(&after), &after["discounts"]), ([2_500, 0, 0, 0, 2_500], &json!([])));
    typed(&mut lab, "SPRING");
    pay(&mut lab, id(&made));
    assert_eq!(lab.get("promotion_code", id(&good))["times_redeemed"], 1);
    assert_eq!(lab.get("coupon", "TEN")["times_redeemed"], 1);
    // A session that takes no codes takes none.
    let made = lab.ok(SESSIONS, session(&json!([line(2_500, "jpy")]), &json!({})));
    let code = Choices { code: Some("SPRING".to_owned()), ..Choices::default() };
    assert_eq!(chosen(&mut lab, id(&made), &code).1, Coded::Refused);
}

#[test]
fn a_first_order_code_is_for_who_never_paid() {
    let mut lab = Lab::new();
    lab.ok("POST /v1/coupons", json!({"id": "TEN", "percent_off": 10.0}));
    let asked = json!({"promotion": {"type": "coupon", "coupon": "TEN"},
        "restrictions": {"first_time_transaction": true}});
    let code = lab.ok("POST /v1/promotion_codes", asked);
    let customer = lab.ok("POST /v1/customers", json!({"email": "a@b.jp"}));
    let more = json!({"customer": id(&customer), "discounts": [{"promotion_code": id(&code)}]});
    let first = lab.ok(SESSIONS, session(&json!([line(1_000, "jpy")]), &more));
    pay(&mut lab, id(&first));
    let failure = lab.call(SESSIONS, session(&json!([line(1_000, "jpy")]), &more)).unwrap_err();
    assert!(failure.message.contains("prior transactions"), "{}", failure.message);
}

#[test]
fn named_rates_are_on_what_a_discount_leaves() {
    let mut lab = Lab::new();
    let rate = |percentage: f64, inclusive: bool| json!({"display_name": "T", "percentage": percentage, "inclusive": inclusive});
    let on_top = lab.ok("POST /v1/tax_rates", rate(5.0, false));
    let within = lab.ok("POST /v1/tax_rates", rate(10.0, true));
    lab.ok("POST /v1/coupons", json!({"id": "TEN", "percent_off": 10.0}));
    let mut taxed = line(3_000, "cad");
    taxed["tax_rates"] = json!([id(&on_top)]);
    let more = json!({"discounts": [{"coupon": "TEN"}]});
    let made = lab.ok(SESSIONS, session(&json!([taxed]), &more));
    assert_eq!(totals(&made), [3_000, 300, 0, 135, 2_835]);
    let all = lab.look(|txn| include(txn, &made, "total_details.breakdown")).unwrap();
    assert_eq!(
        (&all["taxes"][0]["amount"], &all["taxes"][0]["rate"]["id"]),
        (&json!(135), &on_top["id"])
    );
    assert_eq!(
        (&all["taxes"][0]["taxable_amount"], &all["taxes"][0]["taxability_reason"]),
        (&json!(2_700), &Value::Null)
    );
    let mut taxed = line(1_100, "jpy");
    taxed["tax_rates"] = json!([id(&within)]);
    let made = lab.ok(SESSIONS, session(&json!([taxed, line(500, "jpy")]), &json!({})));
    assert_eq!(totals(&made), [1_600, 0, 0, 100, 1_600]);
    let mut taxed = line(1_100, "jpy");
    taxed["tax_rates"] = json!([id(&within), "txr_x"]);
    let failure = lab.call(SESSIONS, session(&json!([taxed]), &json!({}))).unwrap_err();
    assert_eq!(failure.message, "No such tax rate: 'txr_x'");
    assert_eq!(failure.param.as_deref(), Some("line_items[0][tax_rates][1]"));
}

#[test]
fn automatic_tax_waits_for_an_address() {
    let mut lab = Lab::new();
    let rate = json!({"shipping_rate_data": {"display_name": "Post", "type": "fixed_amount",
        "fixed_amount": {"amount": 1_000, "currency": "usd"}}});
    let more = json!({"automatic_tax": {"enabled": true}, "shipping_options": [rate]});
    let made = lab.ok(SESSIONS, session(&json!([line(10_000, "usd")]), &more));
    assert_eq!(made["automatic_tax"]["status"], "requires_location_inputs");
    assert_eq!(totals(&made), [10_000, 0, 1_000, 0, 11_000]);
    let at = |address: Value| Choices { address: Some(address), ..Choices::default() };
    let (after, _) = chosen(&mut lab, id(&made), &at(json!({"country": "US"})));
    assert_eq!(after["automatic_tax"]["status"], "requires_location_inputs");
    let (after, _) = chosen(&mut lab, id(&made), &at(json!({"country": "US", "state": "CA"})));
    assert_eq!(after["automatic_tax"]["status"], "complete");
    assert_eq!(totals(&after), [10_000, 0, 1_000, 725 + 73, 11_798]);
    let taxes = lab.look(|txn| include(txn, &after, "shipping_cost.taxes")).unwrap();
    assert_eq!(
        (&taxes[0]["amount"], &taxes[0]["taxability_reason"]),
        (&json!(73), &json!("standard_rated"))
    );
    // Where nothing is collected there is none, and it is worked out all the same.
    let (after, _) = chosen(&mut lab, id(&made), &at(json!({"country": "US", "state": "OR"})));
    assert_eq!((&after["automatic_tax"]["status"], totals(&after)[3]), (&json!("complete"), 0));

    let customer = lab.ok("POST /v1/customers", json!({"address": {"country": "JP"}}));
    let more = json!({"automatic_tax": {"enabled": true}, "customer": id(&customer)});
    let made = lab.ok(SESSIONS, session(&json!([line(1_100, "jpy")]), &more));
    assert_eq!(
        (totals(&made), &made["automatic_tax"]["status"]),
        ([1_100, 0, 0, 100, 1_100], &json!("complete"))
    );
    lab.ok(&format!("POST /v1/customers/{}", id(&customer)), json!({"tax_exempt": "exempt"}));
    let made = lab.ok(SESSIONS, session(&json!([line(1_100, "jpy")]), &more));
    assert_eq!(totals(&made)[3], 0);
}

#[test]
fn quantities_and_optional_items_are_the_buyers_within_bounds() {
    let mut lab = Lab::new();
    let price = json!({"currency": "jpy", "unit_amount": 300, "product_data": {"name": "Cup"}});
    let price = lab.ok("POST /v1/prices", price);
    let mut adjustable = line(500, "jpy");
    adjustable["adjustable_quantity"] = json!({"enabled": true, "minimum": 1, "maximum": 4});
    let more = json!({"optional_items": [{"price": id(&price), "quantity": 1}]});
    let made = lab.ok(SESSIONS, session(&json!([adjustable, line(200, "jpy")]), &more));
    assert_eq!(totals(&made)[4], 700);
    let lines = |lab: &mut Lab| {
        let path = format!("GET /v1/checkout/sessions/{}/line_items", id(&made));
        lab.ok(&path, json!({}))["data"].clone()
    };
    let first = id(&lines(&mut lab)[0]).to_owned();
    let second = id(&lines(&mut lab)[1]).to_owned();
    let count = |line: &str, quantity| Choices {
        quantities: vec![(line.to_owned(), quantity)],
        ..Choices::default()
    };
    for (line, quantity, total) in [
        (&first, 3, 1_700),
        (&first, 99, 2_200),
        (&first, 0, 700),
        (&second, 5, 700),
        (&second, 0, 700),
    ] {
        let (after, _) = chosen(&mut lab, id(&made), &count(line, quantity));
        assert_eq!(totals(&after)[4], total, "{line} {quantity}");
    }
    let part = lab.view().get(SESSION, id(&made)).unwrap();
    let part = part.part::<crate::sandbox::engine::private::SessionPart>().into_owned();
    let extra = id(&part.optional[0].0).to_owned();
    assert_eq!(totals(&chosen(&mut lab, id(&made), &count(&extra, 1)).0)[4], 1_000);
    assert_eq!(lines(&mut lab).as_array().unwrap().len(), 3);
    assert_eq!(totals(&chosen(&mut lab, id(&made), &count(&extra, 0)).0)[4], 700);
    let mut too_many = line(500, "jpy");
    too_many["adjustable_quantity"] = json!({"enabled": true, "maximum": 4});
    too_many["quantity"] = json!(5);
    let failure = lab.call(SESSIONS, session(&json!([too_many]), &json!({}))).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("line_items[0][quantity]"));
}

#[test]
fn setup_mode_saves_a_method_and_takes_nothing() {
    let mut lab = Lab::new();
    let customer = lab.ok("POST /v1/customers", json!({"email": "a@b.jp"}));
    let asked = json!({"mode": "setup", "currency": "jpy", "customer": id(&customer),
        "success_url": "https://shop.example/ok",
        "setup_intent_data": {"description": "Card on file", "metadata": {"a": "1"}}});
    let made = lab.ok(SESSIONS, asked);
    assert!(id(&made).starts_with("cs_test_c1"));
    for nothing in [
        "amount_total",
        "amount_subtotal",
        "total_details",
        "discounts",
        "payment_intent",
        "invoice_creation",
    ] {
        assert_eq!(made[nothing], Value::Null, "{nothing}");
    }
    assert_eq!(
        (&made["payment_status"], &made["payment_method_collection"]),
        (&json!("no_payment_required"), &json!("always"))
    );
    assert_eq!(made["customer_details"]["tax_exempt"], Value::Null);
    let intent = made["setup_intent"].as_str().unwrap().to_owned();
    assert_eq!(lab.get("setup_intent", &intent)["description"], "Card on file");
    assert_eq!(pay(&mut lab, id(&made)), Next::Complete);
    let saved = lab.get("setup_intent", &intent);
    assert_eq!(saved["status"], "succeeded");
    let method = lab.get("payment_method", saved["payment_method"].as_str().unwrap());
    assert_eq!(method["customer"], customer["id"]);
    let done = lab.get(SESSION, id(&made));
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("no_payment_required"))
    );
    let told = lab.events();
    assert_eq!(
        told[1..],
        [
            "setup_intent.created",
            "payment_method.attached",
            "setup_intent.succeeded",
            "checkout.session.completed"
        ]
    );
    let asked = json!({"mode": "setup", "success_url": "https://shop.example/ok"});
    assert_eq!(lab.call(SESSIONS, asked).unwrap_err().param.as_deref(), Some("currency"));
}

#[test]
fn a_setup_session_that_expires_ends_its_intent() {
    let mut lab = Lab::new();
    let asked =
        json!({"mode": "setup", "currency": "jpy", "success_url": "https://shop.example/ok"});
    let made = lab.ok(SESSIONS, asked);
    lab.ok(&format!("POST /v1/checkout/sessions/{}/expire", id(&made)), json!({}));
    assert_eq!(
        lab.get("setup_intent", made["setup_intent"].as_str().unwrap())["status"],
        "canceled"
    );
}

#[test]
fn a_link_opens_sessions_until_its_limit() {
    let mut lab = Lab::new();
    let asked = json!({
        "line_items": [line(1_500, "jpy")], "metadata": {"from": "link"}, "allow_promotion_codes": true,
        "restrictions": {"completed_sessions": {"limit": 1}},
        "after_completion": {"type": "redirect", "redirect": {"url": "https://shop.example/thanks"}},
    });
    let link = lab.ok("POST /v1/payment_links", asked);
    let open = |lab: &mut Lab| {
        let link = lab.view().get("payment_link", id(&link)).unwrap();
        let said = [("client_reference_id", "r-1".to_owned())];
        lab.change(|txn| payment_link::open_session(txn, &link, &said)).unwrap().document()
    };
    let made = open(&mut lab);
    assert_eq!((&made["payment_link"], &made["metadata"]["from"]), (&link["id"], &json!("link")));
    assert_eq!(
        (&made["client_reference_id"], &made["success_url"]),
        (&json!("r-1"), &json!("https://shop.example/thanks"))
    );
    assert_eq!(
        (&made["amount_total"], made["allow_promotion_codes"] == true),
        (&json!(1_500), true)
    );
    pay(&mut lab, id(&made));
    let after = lab.get("payment_link", id(&link));
    assert_eq!(
        (&after["active"], &after["restrictions"]["completed_sessions"]["count"]),
        (&json!(false), &json!(1))
    );
    let listed = lab.ok("GET /v1/checkout/sessions", json!({"payment_link": id(&link)}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(lab.events().last().unwrap(), "payment_link.updated");
}

#[test]
fn a_link_to_what_comes_again_opens_sessions_that_subscribe() {
    let mut lab = Lab::new();
    let mut recurring = line(1_500, "jpy");
    recurring["price_data"]["recurring"] = json!({"interval": "month"});
    let link = lab.ok("POST /v1/payment_links", json!({"line_items": [recurring]}));
    let known = lab.view().get("payment_link", id(&link)).unwrap();
    let open = lab.change(|txn| payment_link::open_session(txn, &known, &[]));
    let session = open.unwrap().document();
    assert_eq!((&session["mode"], &session["payment_link"]), (&json!("subscription"), &link["id"]));
    pay(&mut lab, id(&session));
    let done = lab.get("checkout.session", id(&session));
    assert_eq!((&done["status"], &done["amount_total"]), (&json!("complete"), &json!(1_500)));
    let made = lab.get("subscription", done["subscription"].as_str().unwrap());
    assert_eq!(made["status"], "active");
    let invoice = made["latest_invoice"].as_str().unwrap();
    assert_eq!(lab.get("invoice", invoice)["amount_paid"], 1_500);
}

#[test]
fn a_link_says_how_what_comes_again_begins_and_each_change_of_that_holds_for_who_comes_later() {
    let mut lab = Lab::new();
    let mut recurring = line(1_500, "jpy");
    recurring["price_data"]["recurring"] = json!({"interval": "month"});
    let link = lab.ok(
        "POST /v1/payment_links",
        json!({"line_items": [recurring], "customer_creation": "always",
            "payment_method_collection": "always",
            "subscription_data": {"trial_period_days": 14, "description": "Tea club",
                "metadata": {"from": "flyer", "old": "1"}}}),
    );
    assert_eq!(link["subscription_data"]["trial_period_days"], 14);
    let come = |lab: &mut Lab| {
        let known = lab.view().get("payment_link", id(&link)).unwrap();
        let session = lab.change(|txn| payment_link::open_session(txn, &known, &[])).unwrap();
        let session = session.document();
        assert_eq!(session["amount_total"], 0, "nothing is due yet");
        pay(lab, id(&session));
        let done = lab.get("checkout.session", id(&session));
        lab.get("subscription", done["subscription"].as_str().unwrap())
    };
    let made = come(&mut lab);
    assert_eq!((&made["status"], &made["description"]), (&json!("trialing"), &json!("Tea club")));
    assert_eq!(made["trial_end"].as_i64().unwrap(), lab.now.0 + 14 * 86_400);
    assert_eq!(made["metadata"], json!({"from": "flyer", "old": "1"}));

    let path = format!("POST /v1/payment_links/{}", id(&link));
    let change = json!({"subscription_data": {"metadata": {"from": "shop", "old": null}}});
    let changed = lab.ok(&path, change);
    assert_eq!(changed["subscription_data"]["metadata"], json!({"from": "shop"}));
    assert_eq!(changed["subscription_data"]["trial_period_days"], 14, "what is not sent stays");
    let later = come(&mut lab);
    assert_eq!(
        (&later["status"], &later["metadata"]),
        (&json!("trialing"), &json!({"from": "shop"}))
    );
    assert_eq!(lab.get("subscription", id(&made))["metadata"]["from"], "flyer");
}

#[test]
fn a_link_is_not_made_with_what_its_sessions_would_refuse() {
    let mut lab = Lab::new();
    let mut recurring = line(1_500, "jpy");
    recurring["price_data"]["recurring"] = json!({"interval": "month"});
    let trial = json!({"trial_period_days": 3});
    for (sold, name, value, mode) in [
        (&line(1_500, "jpy"), "subscription_data", &trial, "payment"),
        (&line(1_500, "jpy"), "payment_method_collection", &json!("if_required"), "payment"),
        (&recurring, "payment_intent_data", &json!({"description": "x"}), "subscription"),
    ] {
        let refused =
            lab.call("POST /v1/payment_links", json!({"line_items": [sold], name: value}));
        let refused = refused.unwrap_err();
        assert_eq!(refused.message, format!("You can not pass `{name}` in `{mode}` mode."));
        assert_eq!(refused.param.as_deref(), Some(name));
    }
}

#[test]
fn an_order_is_written_down_as_a_paid_invoice() {
    let mut lab = Lab::new();
    lab.ok("POST /v1/coupons", json!({"id": "TEN", "percent_off": 10.0}));
    let rate = json!({"display_name": "T", "percentage": 5.0, "inclusive": false});
    let rate = lab.ok("POST /v1/tax_rates", rate);
    let mut taxed = line(3_000, "cad");
    taxed["tax_rates"] = json!([id(&rate)]);
    let more = json!({"discounts": [{"coupon": "TEN"}],
        "invoice_creation": {"enabled": true, "invoice_data": {"description": "Tea", "metadata": {"a": "1"}}}});
    let made = lab.ok(SESSIONS, session(&json!([taxed]), &more));
    pay(&mut lab, id(&made));
    let done = lab.get(SESSION, id(&made));
    let invoice =
        lab.ok(&format!("GET /v1/invoices/{}", done["invoice"].as_str().unwrap()), json!({}));
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(2_835)));
    assert_eq!((&invoice["amount_paid"], &invoice["amount_remaining"]), (&json!(2_835), &json!(0)));
    assert_eq!(
        (&invoice["subtotal"], &invoice["total_excluding_tax"]),
        (&json!(3_000), &json!(2_700))
    );
    assert_eq!((&invoice["description"], &invoice["customer"]), (&json!("Tea"), &done["customer"]));
    assert_eq!(invoice["total_taxes"][0]["amount"], 135);
    let first = &invoice["lines"]["data"][0];
    assert_eq!(
        (&first["amount"], &first["discount_amounts"][0]["amount"]),
        (&json!(3_000), &json!(300))
    );
    assert!(invoice["number"].as_str().unwrap().ends_with("-0001"));
    let told = lab.events();
    let at = told.iter().position(|it| it == "invoice.created").unwrap();
    assert_eq!(
        told[at..],
        [
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
            "checkout.session.completed"
        ]
    );
}

#[test]
fn what_the_buyer_says_of_themselves_is_kept() {
    let mut lab = Lab::new();
    let more = json!({"customer_creation": "always", "tax_id_collection": {"enabled": true},
        "consent_collection": {"promotions": "auto"},
        "saved_payment_method_options": {"payment_method_save": "enabled"}});
    let made = lab.ok(SESSIONS, session(&json!([line(1_000, "jpy")]), &more));
    let who = Payer {
        tax_id: Some(json!({"type": "jp_trn", "value": "T1234567891234"})),
        business_name: Some("Tea Ltd".to_owned()),
        promotions: true,
        save: true,
        ..payer()
    };
    let means = Means::Method("pm_card_visa".to_owned());
    lab.change(|txn| attempt::pay(txn, id(&made), &means, &who)).unwrap();
    let done = lab.get(SESSION, id(&made));
    let details = &done["customer_details"];
    assert_eq!(details["tax_ids"], json!([{"type": "jp_trn", "value": "T1234567891234"}]));
    assert_eq!(
        (&details["business_name"], &done["consent"]["promotions"]),
        (&json!("Tea Ltd"), &json!("opt_in"))
    );
    let customer = done["customer"].as_str().unwrap();
    let ids = lab.ok(&format!("GET /v1/customers/{customer}/tax_ids"), json!({}));
    assert_eq!(ids["data"][0]["value"], "T1234567891234");
    let methods = lab.ok(&format!("GET /v1/customers/{customer}/payment_methods"), json!({}));
    assert_eq!(methods["data"][0]["allow_redisplay"], "always");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_session_adds_up_whatever_is_chosen(
        amounts in proptest::collection::vec(100_i64..50_000, 1..4),
        percent in 1_u32..=60,
        quantities in proptest::collection::vec((0_usize..4, 0_i64..12), 0..5),
        inclusive: bool,
    ) {
        let mut lab = Lab::new();
        lab.ok("POST /v1/coupons", json!({"id": "C", "percent_off": f64::from(percent)}));
        let rate = json!({"display_name": "T", "percentage": 8.875, "inclusive": inclusive});
        let rate = lab.ok("POST /v1/tax_rates", rate);
        let lines: Vec<Value> = amounts.iter().map(|amount| {
            let mut line = line(*amount, "usd");
            line["tax_rates"] = json!([rate["id"]]);
            line["adjustable_quantity"] = json!({"enabled": true, "maximum": 9});
            line
        }).collect();
        let made = lab.ok(SESSIONS, session(&json!(lines), &json!({"discounts": [{"coupon": "C"}]})));
        let path = format!("GET /v1/checkout/sessions/{}/line_items", id(&made));
        let ids: Vec<String> = lab.ok(&path, json!({}))["data"].as_array().unwrap().iter()
            .map(|line| id(line).to_owned()).collect();
        let quantities = quantities.iter()
            .filter_map(|(at, count)| Some((ids.get(*at)?.clone(), *count))).collect();
        let (after, _) = chosen(&mut lab, id(&made), &Choices { quantities, ..Choices::default() });
        let [subtotal, discount, _, tax, total] = totals(&after);
        let listed = lab.ok(&path, json!({}))["data"].clone();
        let sum = |name: &str| listed.as_array().unwrap().iter().map(|it| it[name].as_i64().unwrap()).sum::<i64>();
        prop_assert_eq!([sum("amount_subtotal"), sum("amount_discount"), sum("amount_tax"), sum("amount_total")],
            [subtotal, discount, tax, total]);
        prop_assert_eq!(total, subtotal - discount + if inclusive { 0 } else { tax });
        let all = lab.look(|txn| sums::breakdown(txn, &after));
        prop_assert_eq!(&all["discounts"][0]["amount"], &json!(discount));
        prop_assert_eq!(&all["taxes"][0]["amount"], &json!(tax));
    }
}
