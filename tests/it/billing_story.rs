//! Billing over HTTP, as a program meets it: what is used, quoted, previewed and told of accounts.

use crate::env::Env;
use serde_json::Value;

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn usage_that_passes_a_threshold_is_billed_on_both_kinds_of_clock() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let api = &sandbox.api;
    let meter = [
        ("display_name", "Calls"),
        ("event_name", "calls"),
        ("default_aggregation[formula]", "sum"),
    ];
    let meter = id(&api.make("/v1/billing/meters", &meter));
    let price = [
        ("currency", "usd"),
        ("unit_amount", "5"),
        ("recurring[interval]", "month"),
        ("recurring[usage_type]", "metered"),
        ("recurring[meter]", &meter),
        ("product_data[name]", "Calls"),
    ];
    let price = id(&api.make("/v1/prices", &price));
    let card = [
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
    ];
    let first = id(&api.make("/v1/customers", &card));
    let second = id(&api.make("/v1/customers", &card));
    // The second one comes to a clock of its own.
    let clock = [("frozen_time", "1790000000"), ("customer", &second)];
    let clock = api.make("/v1/test_helpers/test_clocks", &clock);
    assert_eq!(api.read(&format!("/v1/customers/{second}"))["test_clock"], clock["id"]);
    for customer in [&first, &second] {
        let asked = [
            ("customer", customer.as_str()),
            ("items[0][price]", &price),
            ("billing_thresholds[amount_gte]", "1000"),
        ];
        let sub = id(&api.make("/v1/subscriptions", &asked));
        for value in ["150", "60"] {
            let event = [
                ("event_name", "calls"),
                ("payload[stripe_customer_id]", customer.as_str()),
                ("payload[value]", value),
            ];
            api.make("/v1/billing/meter_events", &event);
        }
        let all = api.read(&format!("/v1/invoices?subscription={sub}"));
        let newest = &all["data"][0];
        assert_eq!(newest["billing_reason"], "subscription_threshold");
        assert_eq!((&newest["total"], &newest["status"]), (&1_050.into(), &"draft".into()));
        assert_eq!(newest["threshold_reason"]["amount_gte"], 1_000);
    }
    env.ok(&["clock", "advance", "2h"]);
    let path = format!("/v1/test_helpers/test_clocks/{}/advance", id(&clock));
    api.make(&path, &[("frozen_time", "1790007200")]);
    env.ok(&["clock", "advance", "1m"]);
    for customer in [&first, &second] {
        let all = api.read(&format!("/v1/invoices?customer={customer}"));
        assert_eq!(all["data"][0]["status"], "paid", "{customer}");
    }
}

#[test]
fn a_quote_is_printed_and_a_plan_is_previewed_for_nobody() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let api = &sandbox.api;
    let price = [
        ("currency", "jpy"),
        ("unit_amount", "980"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Plan"),
    ];
    let price = id(&api.make("/v1/prices", &price));
    let customer =
        id(&api.make("/v1/customers", &[("name", "Ada"), ("preferred_locales[0]", "ja")]));
    let quote = [("customer", customer.as_str()), ("line_items[0][price]", &price)];
    let quote = id(&api.make("/v1/quotes", &quote));
    let path = format!("/v1/quotes/{quote}/pdf");
    assert_eq!(api.try_call("GET", &path, &[]).unwrap().status, 400, "a draft has none");
    api.make(&format!("/v1/quotes/{quote}/finalize"), &[]);
    let sheet = api.try_call("GET", &path, &[]).unwrap();
    assert_eq!((sheet.status, sheet.header("content-type")), (200, Some("application/pdf")));
    assert!(sheet.text().starts_with("%PDF-"));
    let asked = [
        ("customer_details[address][country]", "JP"),
        ("subscription_details[items][0][price]", price.as_str()),
    ];
    let invoice = api.make("/v1/invoices/create_preview", &asked);
    assert_eq!((&invoice["total"], &invoice["customer"]), (&980.into(), &Value::Null));
    assert_eq!(invoice["customer_address"]["country"], "JP");
}
