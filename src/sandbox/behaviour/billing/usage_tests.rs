//! What is used: counted by meters, billed at the end of a period, paid by credits.

use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, since};
use serde_json::{Value, json};

/// A shop whose only price is billed by what is used: 5 a unit.
fn metered(formula: &str) -> (Shop, String) {
    let mut shop = Shop::new("pm_card_visa");
    let meter = json!({"display_name": "Calls", "event_name": "calls",
        "default_aggregation": {"formula": formula}});
    let meter = id(&shop.lab.ok("POST /v1/billing/meters", meter));
    let recurring = json!({"interval": "month", "usage_type": "metered", "meter": meter});
    let price = json!({"currency": "usd", "unit_amount": 5, "recurring": recurring,
        "product_data": {"name": "Calls"}});
    shop.price = id(&shop.lab.ok("POST /v1/prices", price));
    (shop, meter)
}

fn uses(shop: &mut Shop, value: i64, more: Value) -> Value {
    let mut params = json!({"event_name": "calls",
        "payload": {"stripe_customer_id": shop.customer, "value": value.to_string()}});
    if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
        params.extend(more);
    }
    shop.lab.ok("POST /v1/billing/meter_events", params)
}

#[test]
fn what_is_used_is_billed_at_the_end_of_its_period() {
    let (mut shop, _) = metered("sum");
    let sub = shop.subscribe(json!({}));
    assert_eq!(shop.latest(&sub)["total"], 0);
    assert_eq!(sub["items"]["data"][0].get("quantity").unwrap_or(&Value::Null), &Value::Null);
    let item = sub["items"]["data"][0].clone();
    uses(&mut shop, 300, json!({}));
    shop.lab.advance(3 * DAY);
    uses(&mut shop, 700, json!({"identifier": "one"}));
    let end = item["current_period_end"].as_i64().unwrap();
    shop.lab.advance(end - shop.lab.now.0);
    // What is used from now on is the next period's.
    uses(&mut shop, 10, json!({}));
    shop.lab.advance(2 * HOUR);
    let invoice = shop.latest(&sub);
    let line = &invoice["lines"]["data"][0];
    assert_eq!((&invoice["total"], &line["quantity"]), (&json!(5_000), &json!(1_000)));
    assert_eq!(
        (&line["period"]["start"], &line["period"]["end"]),
        (&item["current_period_start"], &json!(end))
    );
    assert_eq!(invoice["status"], "paid");
    shop.lab.advance(31 * DAY);
    assert_eq!(shop.latest(&sub)["subtotal"], 50);
}

#[test]
fn a_subscription_that_ends_bills_what_was_used_if_asked() {
    let (mut shop, _) = metered("sum");
    let sub = shop.subscribe(json!({}));
    uses(&mut shop, 400, json!({}));
    shop.lab.advance(DAY);
    let path = format!("DELETE /v1/subscriptions/{}", id(&sub));
    shop.lab.ok(&path, json!({"invoice_now": true}));
    let invoice = shop.latest(&sub);
    assert_eq!(
        (&invoice["total"], &invoice["billing_reason"]),
        (&json!(2_000), &json!("subscription_cycle"))
    );
    let later = shop.subscribe(json!({}));
    shop.change(&later, json!({"cancel_at_period_end": true}));
    uses(&mut shop, 100, json!({}));
    shop.lab.advance(32 * DAY);
    assert_eq!(shop.again(&later)["status"], "canceled");
    assert_eq!(shop.latest(&later)["total"], 500);
}

#[test]
fn meters_count_by_their_formula_and_take_back_what_was_an_error() {
    for (formula, whole) in [("sum", 60), ("count", 3), ("last", 30)] {
        let (mut shop, meter) = metered(formula);
        let now = shop.lab.now.0;
        shop.lab.now.0 += 3 * HOUR;
        uses(&mut shop, 30, json!({"timestamp": now + 2 * HOUR}));
        uses(&mut shop, 10, json!({"timestamp": now, "identifier": "a"}));
        uses(&mut shop, 20, json!({"timestamp": now + 60}));
        let from = now / DAY * DAY;
        let mut ask =
            json!({"customer": shop.customer, "start_time": from, "end_time": from + 3 * DAY});
        let path = format!("GET /v1/billing/meters/{meter}/event_summaries");
        let all = shop.lab.ok(&path, ask.clone());
        assert_eq!(all["data"][0]["aggregated_value"], whole, "{formula}");
        ask["value_grouping_window"] = json!("hour");
        let hours = shop.lab.ok(&path, ask.clone());
        assert_eq!(hours["data"].as_array().unwrap().len(), 2, "newest first: {hours}");
        assert!(hours["data"][0]["start_time"].as_i64() > hours["data"][1]["start_time"].as_i64());
        let back = json!({"event_name": "calls", "type": "cancel", "cancel": {"identifier": "a"}});
        shop.lab.ok("POST /v1/billing/meter_event_adjustments", back);
        let left = shop.lab.ok(
            &path,
            json!({"customer": shop.customer, "start_time": from, "end_time": from + 3 * DAY}),
        );
        let rest = match formula {
            "sum" => 50,
            "count" => 2,
            _ => 30,
        };
        assert_eq!(left["data"][0]["aggregated_value"], rest);
        ask["start_time"] = json!(from + 7);
        assert_eq!(shop.lab.call(&path, ask).unwrap_err().param.as_deref(), Some("start_time"));
    }
}

#[test]
fn events_that_nothing_can_count_are_refused() {
    let (mut shop, meter) = metered("sum");
    let now = shop.lab.now.0;
    let payload = json!({"stripe_customer_id": shop.customer, "value": "1"});
    uses(&mut shop, 1, json!({"identifier": "same"}));
    for more in [
        json!({"event_name": "other", "payload": payload}),
        json!({"event_name": "calls", "payload": {"value": "1"}}),
        json!({"event_name": "calls", "payload": {"stripe_customer_id": shop.customer, "value": "x"}}),
        json!({"event_name": "calls", "payload": payload, "timestamp": now - 36 * DAY}),
        json!({"event_name": "calls", "payload": payload, "timestamp": now + HOUR}),
        json!({"event_name": "calls", "payload": payload, "identifier": "same"}),
    ] {
        assert_eq!(shop.lab.call("POST /v1/billing/meter_events", more).unwrap_err().status, 400);
    }
    let second = json!({"display_name": "Calls", "event_name": "calls",
        "default_aggregation": {"formula": "sum"}});
    assert_eq!(shop.lab.call("POST /v1/billing/meters", second.clone()).unwrap_err().status, 400);
    shop.lab.ok(&format!("POST /v1/billing/meters/{meter}/deactivate"), json!({}));
    shop.lab.ok("POST /v1/billing/meters", second);
    let path = format!("POST /v1/billing/meters/{meter}/reactivate");
    assert_eq!(shop.lab.call(&path, json!({})).unwrap_err().status, 400, "its name is taken");
    let v2 =
        json!({"event_name": "calls", "payload": payload, "timestamp": "2026-11-18T00:00:00Z"});
    let made = shop.lab.ok("POST /v2/billing/meter_events", v2.clone());
    assert_eq!(made["timestamp"], "2026-11-18T00:00:00Z");
    let many = json!({"events": [v2.clone(), v2]});
    assert_eq!(shop.lab.ask("POST /v2/billing/meter_event_stream", many).unwrap(), json!({}));
}

fn grant(shop: &mut Shop, value: i64, more: Value) -> Value {
    let mut params = json!({"customer": shop.customer, "category": "paid",
        "amount": {"type": "monetary", "monetary": {"currency": "usd", "value": value}},
        "applicability_config": {"scope": {"price_type": "metered"}}});
    if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
        params.extend(more);
    }
    shop.lab.ok("POST /v1/billing/credit_grants", params)
}

fn balance(shop: &mut Shop) -> (i64, i64) {
    let filter =
        json!({"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}});
    let ask = json!({"customer": shop.customer, "filter": filter});
    let found = shop.lab.ok("GET /v1/billing/credit_balance_summary", ask);
    let of = |name: &str| found["balances"][0][name]["monetary"]["value"].as_i64().unwrap_or(0);
    (of("available_balance"), of("ledger_balance"))
}

#[test]
fn credits_pay_for_what_is_metered_and_come_back_with_a_void_invoice() {
    let (mut shop, _) = metered("sum");
    let sub = shop.subscribe(json!({"collection_method": "send_invoice", "days_until_due": 5}));
    let last = grant(&mut shop, 4_000, json!({"priority": 60}));
    let first = grant(&mut shop, 3_000, json!({}));
    assert_eq!(balance(&mut shop), (7_000, 7_000));
    uses(&mut shop, 1_000, json!({}));
    shop.lab.advance(31 * DAY + 2 * HOUR);
    let invoice = shop.latest(&sub);
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(5_000), &json!(0)));
    assert_eq!(invoice["status"], "paid");
    let credits = invoice["lines"]["data"][0]["pretax_credit_amounts"].as_array().unwrap().clone();
    let sum: i64 = credits.iter().map(|it| it["amount"].as_i64().unwrap()).sum();
    assert_eq!((credits.len(), sum), (2, 5_000));
    assert_eq!(balance(&mut shop), (2_000, 2_000));
    let ask = json!({"customer": shop.customer, "credit_grant": first["id"]});
    let own = shop.lab.ok("GET /v1/billing/credit_balance_transactions", ask);
    assert_eq!(own["data"][0]["debit"]["credits_applied"]["invoice"], invoice["id"]);
    assert_eq!(own["data"][1]["credit"]["type"], "credits_granted");
    uses(&mut shop, 1_000, json!({}));
    shop.lab.advance(31 * DAY);
    let invoice = shop.latest(&sub);
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(3_000), &json!("open")));
    assert_eq!(balance(&mut shop), (0, 0));
    shop.lab.ok(&format!("POST /v1/invoices/{}/void", id(&invoice)), json!({}));
    assert_eq!(balance(&mut shop), (2_000, 2_000));
    let refused =
        shop.lab.call(&format!("POST /v1/billing/credit_grants/{}/void", id(&last)), json!({}));
    assert_eq!(refused.unwrap_err().status, 400, "it was used");
}

#[test]
fn grants_begin_end_and_are_taken_back() {
    let (mut shop, _) = metered("sum");
    let now = shop.lab.now.0;
    let mark = shop.lab.events().len();
    let later =
        grant(&mut shop, 100, json!({"effective_at": now + 2 * DAY, "expires_at": now + 5 * DAY}));
    assert_eq!(balance(&mut shop), (0, 100));
    shop.lab.advance(3 * DAY);
    assert_eq!(balance(&mut shop), (100, 100));
    shop.lab.advance(3 * DAY);
    assert_eq!(balance(&mut shop), (0, 0));
    let path = format!("POST /v1/billing/credit_grants/{}", id(&later));
    assert_eq!(shop.lab.call(&format!("{path}/expire"), json!({})).unwrap_err().status, 400);
    let other = grant(&mut shop, 50, json!({}));
    let path = format!("POST /v1/billing/credit_grants/{}/void", id(&other));
    let after = shop.lab.ok(&path, json!({}));
    assert_eq!(after["voided_at"], shop.lab.now.0);
    assert_eq!(balance(&mut shop), (0, 0));
    let granted = "billing.credit_grant.created";
    let moved = "billing.credit_balance_transaction.created";
    let told = [granted, moved, moved, granted, moved, moved, "billing.credit_grant.updated"];
    assert_eq!(since(&shop.lab, mark), told);
}
