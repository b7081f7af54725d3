//! Quotes from end to end: drafted, opened, accepted or not.

use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, since};
use serde_json::{Value, json};

fn once(shop: &mut Shop) -> String {
    id(&shop.lab.ok(
        "POST /v1/prices",
        json!({"currency": "usd", "unit_amount": 700, "product_data": {"name": "Setup"}}),
    ))
}

fn quote(shop: &mut Shop, more: Value) -> Value {
    let mut params = json!({"customer": shop.customer});
    if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
        params.extend(more);
    }
    shop.lab.ok("POST /v1/quotes", params)
}

fn act(shop: &mut Shop, quote: &Value, what: &str) -> Value {
    shop.lab.ok(&format!("POST /v1/quotes/{}/{what}", id(quote)), json!({}))
}

#[test]
fn a_quote_of_what_recurs_becomes_a_subscription() {
    let mut shop = Shop::new("pm_card_visa");
    let (plan, setup) = (shop.price.clone(), once(&mut shop));
    let rate = id(&shop.lab.ok(
        "POST /v1/tax_rates",
        json!({"display_name": "Tax", "inclusive": false, "percentage": 10}),
    ));
    shop.lab
        .ok("POST /v1/coupons", json!({"id": "HALF", "percent_off": 50, "duration": "forever"}));
    let lines = json!([{"price": plan, "quantity": 2}, {"price": setup}]);
    let mark = shop.lab.events().len();
    let made = quote(
        &mut shop,
        json!({"line_items": lines, "default_tax_rates": [rate],
        "discounts": [{"coupon": "HALF"}]}),
    );
    assert_eq!((&made["status"], &made["number"]), (&json!("draft"), &Value::Null));
    assert_eq!(made["expires_at"], shop.lab.now.0 + 30 * DAY);
    assert_eq!((&made["amount_subtotal"], &made["amount_total"]), (&json!(4_700), &json!(2_585)));
    assert_eq!(made["total_details"]["amount_discount"], 2_350);
    assert_eq!(made["total_details"]["amount_tax"], 235);
    let again = &made["computed"]["recurring"];
    assert_eq!((&again["amount_total"], &again["interval"]), (&json!(2_200), &json!("month")));
    assert_eq!(made["computed"]["upfront"]["amount_total"], 2_585);
    let path = format!("GET /v1/quotes/{}", id(&made));
    let shown = shop.lab.ok(&format!("{path}/line_items"), json!({"limit": 1}));
    assert_eq!(
        (&shown["data"][0]["amount_subtotal"], &shown["has_more"]),
        (&json!(4_000), &json!(true))
    );
    let upfront = shop.lab.ok(&format!("{path}/computed_upfront_line_items"), json!({}));
    assert_eq!(upfront["data"].as_array().unwrap().len(), 2);

    let open = act(&mut shop, &made, "finalize");
    assert_eq!(open["status"], "open");
    assert!(open["number"].as_str().unwrap().starts_with("QT-"), "{}", open["number"]);
    assert!(open["number"].as_str().unwrap().ends_with("-0001-1"), "{}", open["number"]);
    let done = act(&mut shop, &made, "accept");
    assert_eq!(done["status"], "accepted");
    let sub = shop.lab.get("subscription", done["subscription"].as_str().unwrap());
    assert_eq!((&sub["status"], &sub["quantity"]), (&json!("active"), &json!(2)));
    assert_eq!(done["invoice"], sub["latest_invoice"]);
    shop.lab.advance(HOUR + 2);
    let invoice = shop.latest(&sub);
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(2_585)));
    let told = since(&shop.lab, mark);
    let own: Vec<&String> = told.iter().filter(|it| it.starts_with("quote.")).collect();
    assert_eq!(own, ["quote.created", "quote.finalized", "quote.accepted"]);
}

#[test]
fn a_quote_of_what_is_paid_once_becomes_an_invoice() {
    let mut shop = Shop::new("pm_card_visa");
    let setup = once(&mut shop);
    let made = quote(
        &mut shop,
        json!({"line_items": [{"price": setup, "quantity": 3}],
        "collection_method": "send_invoice", "invoice_settings": {"days_until_due": 7}}),
    );
    assert_eq!(made["computed"]["recurring"], Value::Null);
    act(&mut shop, &made, "finalize");
    let done = act(&mut shop, &made, "accept");
    let invoice = shop.lab.get("invoice", done["invoice"].as_str().unwrap());
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(2_100), &json!("draft")));
    assert_eq!(invoice["parent"]["quote_details"]["quote"], made["id"]);
    assert_eq!(invoice["billing_reason"], "quote_accept");
    assert_eq!(invoice["due_date"], shop.lab.now.0 + 7 * DAY);
    assert_eq!(done["subscription"], Value::Null);
}

#[test]
fn a_quote_that_takes_effect_later_becomes_a_schedule() {
    let mut shop = Shop::new("pm_card_visa");
    let (plan, starts) = (shop.price.clone(), shop.lab.now.0 + 9 * DAY);
    let made = quote(
        &mut shop,
        json!({"line_items": [{"price": plan}],
        "subscription_data": {"effective_date": starts, "metadata": {"k": "v"}}}),
    );
    act(&mut shop, &made, "finalize");
    let done = act(&mut shop, &made, "accept");
    let schedule = done["subscription_schedule"].as_str().unwrap().to_owned();
    assert_eq!(shop.lab.get("subscription_schedule", &schedule)["status"], "not_started");
    shop.lab.advance(10 * DAY);
    let known = shop.lab.get("subscription_schedule", &schedule);
    let sub = shop.lab.get("subscription", known["subscription"].as_str().unwrap());
    assert_eq!((&sub["start_date"], &sub["metadata"]["k"]), (&json!(starts), &json!("v")));
}

#[test]
fn each_status_allows_what_it_allows() {
    let mut shop = Shop::new("pm_card_visa");
    let plan = shop.price.clone();
    let lines = json!({"line_items": [{"price": plan}]});
    let draft = quote(&mut shop, lines.clone());
    let open = quote(&mut shop, lines.clone());
    act(&mut shop, &open, "finalize");
    let canceled = quote(&mut shop, lines.clone());
    act(&mut shop, &canceled, "cancel");
    let accepted = quote(&mut shop, lines.clone());
    act(&mut shop, &accepted, "finalize");
    act(&mut shop, &accepted, "accept");
    let refused = |shop: &mut Shop, quote: &Value, what: &str| {
        let before = shop.lab.get("quote", &id(quote));
        let path = format!("POST /v1/quotes/{}{what}", id(quote));
        let failure = shop.lab.call(&path, json!({})).unwrap_err();
        assert_eq!((failure.status, shop.lab.get("quote", &id(quote))), (400, before), "{path}");
    };
    for (quote, acts) in [
        (&draft, vec!["/accept"]),
        (&open, vec!["/finalize", ""]),
        (&canceled, vec!["/accept", "/cancel", "/finalize", ""]),
        (&accepted, vec!["/accept", "/cancel", "/finalize", ""]),
    ] {
        for what in acts {
            refused(&mut shop, quote, what);
        }
    }
    let nobody = shop.lab.ok("POST /v1/quotes", lines);
    refused(&mut shop, &nobody, "/finalize");
    let empty = quote(&mut shop, json!({}));
    refused(&mut shop, &empty, "/finalize");
    // Nobody accepts it in time.
    shop.lab.advance(31 * DAY);
    assert_eq!(shop.lab.get("quote", &id(&open))["status"], "canceled");
    // Older events are forgotten by now.
    assert!(shop.lab.events().contains(&"quote.canceled".to_owned()));
}

#[test]
fn a_revision_takes_the_place_of_what_it_revises() {
    let mut shop = Shop::new("pm_card_visa");
    let plan = shop.price.clone();
    let first = quote(&mut shop, json!({"line_items": [{"price": plan}], "description": "Offer"}));
    let first = act(&mut shop, &first, "finalize");
    let from = json!({"from_quote": {"quote": first["id"], "is_revision": true}});
    let second = shop.lab.ok("POST /v1/quotes", from);
    assert_eq!((&second["description"], &second["status"]), (&json!("Offer"), &json!("draft")));
    let path = format!("GET /v1/quotes/{}/line_items", id(&second));
    let line = shop.lab.ok(&path, json!({}))["data"][0]["id"].clone();
    let path = format!("POST /v1/quotes/{}", id(&second));
    let changed = shop.lab.ok(&path, json!({"line_items": [{"id": line, "quantity": 4}]}));
    assert_eq!(changed["amount_total"], 8_000);
    let opened = act(&mut shop, &second, "finalize");
    let (was, is) = (first["number"].as_str().unwrap(), opened["number"].as_str().unwrap());
    assert_eq!(is, was.replace("-0001-1", "-0001-2"));
    assert_eq!(shop.lab.get("quote", &id(&first))["status"], "canceled");
    let found = shop.lab.ok("GET /v1/quotes", json!({"status": "open", "customer": shop.customer}));
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
}
