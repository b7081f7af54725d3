//! Coupons, promotion codes, discounts, tax rates, shipping rates and payment links by their endpoints.

use crate::sandbox::behaviour::object::include;
use crate::sandbox::behaviour::offer;
use crate::sandbox::engine::private::PaymentLinkPart;
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

const COUPONS: &str = "POST /v1/coupons";
const CODES: &str = "POST /v1/promotion_codes";

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// Every refusal: request, status, code, parameter, message.
type Refusal<'r> = (&'r str, Value, u16, Option<&'r str>, Option<&'r str>, String);

fn refused(lab: &mut Lab, all: Vec<Refusal<'_>>) {
    for (endpoint, asked, status, code, param, message) in all {
        let what = format!("{endpoint} {asked}");
        let failure = lab.call(endpoint, asked).unwrap_err();
        assert_eq!(failure.message, message, "{what}");
        let found = (failure.status, failure.code.as_deref(), failure.param.as_deref());
        assert_eq!(found, (status, code, param), "{what}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a row a refusal")]
fn a_coupon_is_refused_in_stripes_words() {
    let mut lab = Lab::new();
    lab.ok(COUPONS, json!({"id": "TAKEN", "percent_off": 10.0}));
    let past = "The parameter `redeem_by` expects a unix timestamp representing a date and time in the future. You specified the value `1000` which is in the past.";
    let text = str::to_owned;
    refused(
        &mut lab,
        vec![
            (
                COUPONS,
                json!({}),
                400,
                Some("parameter_missing"),
                None,
                text("Must provide percent_off or amount_off."),
            ),
            (
                COUPONS,
                json!({"percent_off": 1.0, "amount_off": 1, "currency": "usd"}),
                400,
                None,
                None,
                text(
                    "Received both percent_off and amount_off parameters. Please pass in only one.",
                ),
            ),
            (
                COUPONS,
                json!({"amount_off": 1}),
                400,
                None,
                Some("currency"),
                text("You must pass currency when passing amount_off"),
            ),
            (
                COUPONS,
                json!({"percent_off": 1.0, "duration": "repeating"}),
                400,
                None,
                Some("duration"),
                text(
                    "The duration_in_months param must be set when creating a coupon with a repeating duration",
                ),
            ),
            (
                COUPONS,
                json!({"percent_off": 0.0}),
                400,
                None,
                Some("percent_off"),
                text("This value must be greater than or equal to 0.01 (it currently is '0.0')."),
            ),
            (
                COUPONS,
                json!({"id": "TAKEN", "percent_off": 1.0}),
                400,
                Some("resource_already_exists"),
                None,
                text("Coupon already exists."),
            ),
            (
                COUPONS,
                json!({"percent_off": 1.0, "redeem_by": 1000}),
                400,
                None,
                Some("redeem_by"),
                text(past),
            ),
            (
                COUPONS,
                json!({"percent_off": 1.0, "currency_options": {"eur": {"amount_off": 1}}}),
                400,
                None,
                Some("currency_options"),
                text(
                    "You may only specify one of these parameters: currency_options, percent_off.",
                ),
            ),
            (
                "GET /v1/coupons/NOPE",
                json!({}),
                404,
                Some("resource_missing"),
                Some("id"),
                text("No such coupon: 'NOPE'"),
            ),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a row a refusal")]
fn a_promotion_code_is_refused_in_stripes_words() {
    let mut lab = Lab::new();
    lab.ok(COUPONS, json!({"id": "TEN", "percent_off": 10.0}));
    lab.ok(COUPONS, json!({"id": "ONCE", "percent_off": 10.0, "max_redemptions": 1}));
    let soon = lab.now.0 + 60;
    lab.ok(COUPONS, json!({"id": "OVER", "percent_off": 10.0, "redeem_by": soon}));
    let given = json!({"source": {"coupon": "ONCE"}, "promotion_code": null});
    lab.change(|txn| {
        offer::redeem(txn, &given);
        Ok(())
    })
    .unwrap();
    let of = |coupon: &str, more: Value| {
        let mut asked = json!({"promotion": {"type": "coupon", "coupon": coupon}});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    lab.ok(CODES, of("TEN", json!({"code": "Spring-25"})));
    lab.advance(61);
    let now = lab.now.0;
    let past = format!(
        "The parameter `expires_at` expects a unix timestamp representing a date and time in the future. You specified the value `{now}` which is in the past."
    );
    let text = str::to_owned;
    refused(
        &mut lab,
        vec![
            (
                CODES,
                of("ONCE", json!({})),
                400,
                Some("coupon_expired"),
                Some("promotion[coupon]"),
                text("Coupon ONCE is used up and cannot be applied."),
            ),
            (
                CODES,
                of("OVER", json!({})),
                400,
                Some("coupon_expired"),
                Some("promotion[coupon]"),
                text("Coupon OVER is expired and cannot be applied."),
            ),
            (
                CODES,
                json!({"promotion": {"type": "coupon"}}),
                400,
                None,
                Some("promotion.coupon"),
                text("You must pass promotion.coupon when passing promotion"),
            ),
            (
                CODES,
                of("x", json!({})),
                400,
                Some("resource_missing"),
                Some("promotion[coupon]"),
                text("No such coupon: 'x'"),
            ),
            (
                CODES,
                of("TEN", json!({"code": "a b"})),
                400,
                None,
                Some("code"),
                text(
                    "This value must match the regex pattern. (/\\A[a-zA-Z0-9\\-_]+\\z/ does not match for the value a b).",
                ),
            ),
            (
                CODES,
                of("TEN", json!({"code": "SPRING-25"})),
                400,
                None,
                None,
                text("An active promotion code with `code: SPRING-25` already exists."),
            ),
            (CODES, of("TEN", json!({"expires_at": now})), 400, None, Some("expires_at"), past),
            (
                CODES,
                of("TEN", json!({"expires_at": now + 6 * 366 * 86_400})),
                400,
                None,
                Some("expires_at"),
                text("Invalid timestamp: can be no more than five years in the future."),
            ),
            (
                "GET /v1/promotion_codes/promo_x",
                json!({}),
                404,
                Some("resource_missing"),
                Some("id"),
                text("No such promotion code: 'promo_x'"),
            ),
            (
                "GET /v1/promotion_codes",
                json!({"coupon": "x"}),
                400,
                Some("resource_missing"),
                Some("coupon"),
                text("No such coupon: 'x'"),
            ),
        ],
    );
}

#[test]
fn a_coupon_lives_until_it_is_used_up_over_or_taken_away() {
    let mut lab = Lab::new();
    let product = lab.ok("POST /v1/products", json!({"name": "Tea"}))["id"].clone();
    let asked = json!({"amount_off": 500, "currency": "USD", "max_redemptions": 2,
        "applies_to": {"products": [product]}, "currency_options": {"jpy": {"amount_off": 700}}});
    let coupon = lab.ok(COUPONS, asked);
    assert_eq!((id(&coupon).len(), &coupon["currency"]), (8, &json!("usd")));
    assert_eq!((&coupon["duration"], &coupon["valid"]), (&json!("once"), &json!(true)));
    assert_eq!(coupon.get("applies_to"), None);
    let shown = |lab: &Lab, field: &str| lab.look(|txn| include(txn, &coupon, field));
    assert_eq!(shown(&lab, "applies_to"), Some(json!({"products": [product]})));
    let options = shown(&lab, "currency_options").unwrap();
    assert_eq!(options, json!({"usd": {"amount_off": 500}, "jpy": {"amount_off": 700}}));
    let path = format!("/v1/coupons/{}", id(&coupon));
    let more = json!({"name": "Tea", "currency_options": {"eur": {"amount_off": 400}}});
    assert_eq!(lab.ok(&format!("POST {path}"), more)["name"], "Tea");
    assert_eq!(shown(&lab, "currency_options").unwrap().as_object().unwrap().len(), 3);

    let promotion = json!({"promotion": {"type": "coupon", "coupon": id(&coupon)}});
    let code = lab.ok(CODES, promotion);
    assert_eq!(code["code"].as_str().unwrap().len(), 8);
    let given = json!({"source": {"coupon": id(&coupon)}, "promotion_code": id(&code)});
    for valid in [true, false] {
        lab.change(|txn| {
            offer::redeem(txn, &given);
            Ok(())
        })
        .unwrap();
        assert_eq!(lab.get("coupon", id(&coupon))["valid"], valid);
        assert_eq!(lab.get("promotion_code", id(&code))["active"], valid);
    }
    let revive =
        lab.call(&format!("POST /v1/promotion_codes/{}", id(&code)), json!({"active": true}));
    assert_eq!(revive.unwrap_err().param.as_deref(), Some("active"));
    let stub = json!({"id": id(&coupon), "object": "coupon", "deleted": true});
    assert_eq!(lab.ok(&format!("DELETE {path}"), json!({})), stub);
    assert_eq!(lab.call(&format!("GET {path}"), json!({})).unwrap_err().status, 404);
    let deleted = lab.view().newest("event").find(|it| it["type"] == "coupon.deleted").unwrap();
    assert_eq!(deleted["data"]["object"]["valid"], false);

    let redeem_by = lab.now.0 + 100;
    let coupon = lab.ok(COUPONS, json!({"percent_off": 5.0, "redeem_by": redeem_by}));
    lab.advance(101);
    assert_eq!(lab.get("coupon", id(&coupon))["valid"], false);
}

#[test]
fn a_code_is_found_changed_and_listed() {
    let mut lab = Lab::new();
    lab.ok(COUPONS, json!({"id": "TEN", "percent_off": 10.0}));
    let customer = lab.ok("POST /v1/customers", json!({}));
    let asked = json!({"promotion": {"type": "coupon", "coupon": "TEN"}, "code": "TEA",
        "customer": id(&customer), "expires_at": lab.now.0 + 60,
        "restrictions": {"minimum_amount": 500, "minimum_amount_currency": "USD"}});
    let code = lab.ok(CODES, asked);
    assert_eq!(code["promotion"], json!({"type": "coupon", "coupon": "TEN"}));
    assert_eq!(
        code["restrictions"],
        json!({"first_time_transaction": false, "minimum_amount": 500, "minimum_amount_currency": "usd"})
    );
    let path = format!("POST /v1/promotion_codes/{}", id(&code));
    let options = json!({"currency_options": {"jpy": {"minimum_amount": 700}}});
    let changed = lab.ok(&path, json!({"restrictions": options, "metadata": {"a": "1"}}));
    assert_eq!(changed["restrictions"]["currency_options"]["jpy"]["minimum_amount"], 700);
    for (filter, count) in [
        (json!({"code": "tea"}), 1),
        (json!({"coupon": "TEN"}), 1),
        (json!({"active": false}), 0),
        (json!({"customer": id(&customer)}), 1),
    ] {
        let listed = lab.ok("GET /v1/promotion_codes", filter.clone());
        assert_eq!(listed["data"].as_array().unwrap().len(), count, "{filter}");
    }
    lab.advance(61);
    assert_eq!(lab.get("promotion_code", id(&code))["active"], false);
    assert_eq!(
        lab.events(),
        ["coupon.created", "customer.created", "promotion_code.created", "promotion_code.updated"]
    );
}

#[test]
fn a_customer_has_a_discount_until_it_is_taken_away() {
    let mut lab = Lab::new();
    lab.ok(
        COUPONS,
        json!({"id": "Q", "percent_off": 25.0, "duration": "repeating", "duration_in_months": 3}),
    );
    // What only older versions can say is a parameter like any other by now.
    let customer = lab.ok("POST /v1/customers", json!({"coupon": "Q"}));
    let discount = &customer["discount"];
    assert_eq!(discount["source"], json!({"coupon": "Q", "type": "coupon"}));
    assert!(discount["end"].as_i64().unwrap() - lab.now.0 > 88 * 86_400);
    assert_eq!(lab.get("coupon", "Q")["times_redeemed"], 1);
    let path = format!("DELETE /v1/customers/{}/discount", id(&customer));
    let stub = lab.ok(&path, json!({}));
    assert_eq!((&stub["deleted"], &stub["id"]), (&json!(true), &discount["id"]));
    assert_eq!(lab.get("customer", id(&customer))["discount"], Value::Null);
    let failure = lab.call(&path, json!({})).unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (404, Some("resource_missing")));
    let again = lab.ok(&format!("POST /v1/customers/{}", id(&customer)), json!({"coupon": "Q"}));
    assert_eq!(again["discount"]["object"], "discount");
    let cleared = json!({"coupon": null});
    let cleared = lab.ok(&format!("POST /v1/customers/{}", id(&customer)), cleared);
    assert_eq!(cleared["discount"], Value::Null);
    let told = lab.events().into_iter().filter(|it| it.contains("discount")).collect::<Vec<_>>();
    let word = |it: &str| format!("customer.discount.{it}");
    assert_eq!(told, [word("created"), word("deleted"), word("created"), word("deleted")]);
}

#[test]
fn tax_rates_and_shipping_rates_are_made_and_changed_in_part() {
    let mut lab = Lab::new();
    let asked =
        json!({"display_name": "JCT", "percentage": 10.0, "inclusive": true, "country": "JP"});
    let rate = lab.ok("POST /v1/tax_rates", asked);
    assert_eq!(
        (&rate["effective_percentage"], &rate["rate_type"]),
        (&json!(10.0), &json!("percentage"))
    );
    assert_eq!((&rate["flat_amount"], &rate["jurisdiction_level"]), (&Value::Null, &Value::Null));
    let path = format!("POST /v1/tax_rates/{}", id(&rate));
    assert_eq!(lab.ok(&path, json!({"active": false}))["active"], false);
    let listed = lab.ok("GET /v1/tax_rates", json!({"active": false, "inclusive": true}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let failure = lab.call("GET /v1/tax_rates/txr_nope", json!({})).unwrap_err();
    assert_eq!(failure.message, "No such tax rate: 'txr_nope'");
    let too_much = json!({"display_name": "x", "percentage": 100.5, "inclusive": true});
    assert_eq!(
        lab.call("POST /v1/tax_rates", too_much).unwrap_err().param.as_deref(),
        Some("percentage")
    );

    let asked = json!({"display_name": "Post", "type": "fixed_amount",
        "delivery_estimate": {"minimum": {"unit": "business_day", "value": 2}},
        "fixed_amount": {"amount": 300, "currency": "JPY", "currency_options": {"usd": {"amount": 2}}}});
    let rate = lab.ok("POST /v1/shipping_rates", asked);
    assert_eq!(rate["fixed_amount"]["currency"], "jpy");
    assert_eq!(rate["fixed_amount"]["currency_options"]["usd"]["tax_behavior"], "unspecified");
    assert_eq!(rate["delivery_estimate"]["maximum"], Value::Null);
    let path = format!("POST /v1/shipping_rates/{}", id(&rate));
    assert_eq!(lab.ok(&path, json!({"tax_behavior": "inclusive"}))["tax_behavior"], "inclusive");
    let failure = lab.call(&path, json!({"tax_behavior": "exclusive"})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("tax_behavior"));
    let failure = lab.call("POST /v1/shipping_rates", json!({"display_name": "x"})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("fixed_amount"));
    let listed = lab.ok("GET /v1/shipping_rates", json!({"currency": "jpy"}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_payment_link_gives_other_accounts_their_part_of_each_payment() {
    let mut lab = Lab::new();
    let account = lab.ok("POST /v1/accounts", json!({"type": "standard"}));
    let account = id(&account);
    let price = json!({"currency": "jpy", "unit_amount": 500, "product_data": {"name": "Tea"}});
    let price = lab.ok("POST /v1/prices", price);
    let asked = json!({"line_items": [{"price": id(&price), "quantity": 2}],
        "application_fee_amount": 90, "on_behalf_of": account,
        "transfer_data": {"destination": account}});
    let link = lab.ok("POST /v1/payment_links", asked);
    assert_eq!(
        (&link["application_fee_amount"], &link["transfer_data"]["destination"]),
        (&json!(90), &json!(account))
    );
    let view = lab.view();
    let part = view.record::<PaymentLinkPart>("payment_link", id(&link)).unwrap();
    assert_eq!(
        part.session["payment_intent_data"],
        json!({"application_fee_amount": 90, "on_behalf_of": account,
            "transfer_data": {"destination": account}})
    );
}

#[test]
fn a_payment_link_is_made_listed_and_changed() {
    let mut lab = Lab::new();
    let price = json!({"currency": "jpy", "unit_amount": 500, "product_data": {"name": "Tea"}});
    let price = lab.ok("POST /v1/prices", price);
    let line = json!({"price": id(&price), "quantity": 2, "adjustable_quantity": {"enabled": true, "maximum": 5}});
    let asked = json!({"line_items": [line], "metadata": {"a": "1"},
        "restrictions": {"completed_sessions": {"limit": 1}}});
    let link = lab.ok("POST /v1/payment_links", asked);
    assert!(link["url"].as_str().unwrap().contains("/buy/test_"));
    assert_eq!(link["after_completion"]["type"], "hosted_confirmation");
    assert_eq!(link["restrictions"]["completed_sessions"], json!({"count": 0, "limit": 1}));
    assert_eq!(
        (&link["currency"], &link["customer_creation"]),
        (&json!("jpy"), &json!("if_required"))
    );
    let path = format!("/v1/payment_links/{}", id(&link));
    let lines = lab.ok(&format!("GET {path}/line_items"), json!({}))["data"].clone();
    assert_eq!((&lines[0]["quantity"], &lines[0]["amount_total"]), (&json!(2), &json!(1_000)));
    let changed = json!({"active": false, "inactive_message": "Sold out.",
        "line_items": [{"id": lines[0]["id"], "quantity": 3}]});
    let changed = lab.ok(&format!("POST {path}"), changed);
    assert_eq!(
        (&changed["active"], &changed["inactive_message"]),
        (&json!(false), &json!("Sold out."))
    );
    let shown = lab.look(|txn| include(txn, &changed, "line_items")).unwrap();
    assert_eq!(shown["data"][0]["amount_subtotal"], 1_500);
    assert_eq!(lab.ok("GET /v1/payment_links", json!({"active": true}))["data"], json!([]));
    let told = lab.events();
    assert_eq!(told[told.len() - 2..], ["payment_link.created", "payment_link.updated"]);
    let unknown = json!({"line_items": [{"id": "li_x", "quantity": 1}]});
    assert_eq!(
        lab.call(&format!("POST {path}"), unknown).unwrap_err().param.as_deref(),
        Some("line_items[0][id]")
    );
    let failure = lab.call("GET /v1/payment_links/plink_x", json!({})).unwrap_err();
    assert_eq!((failure.status, &*failure.message), (404, "No such payment link: 'plink_x'"));
}
