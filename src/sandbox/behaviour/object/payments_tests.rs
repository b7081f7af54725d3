//! What the endpoints of payments do, called one by one; every answer is held to the API's shape.

use crate::catalog::Catalog;
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

fn id(doc: &Value) -> String {
    doc["id"].as_str().unwrap().to_owned()
}

fn intent(world: &mut Lab, params: &Value) -> Value {
    let mut all = json!({"amount": 2000, "currency": "usd", "payment_method_types": ["card"]});
    all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    world.ok("POST /v1/payment_intents", all)
}

fn paid(world: &mut Lab, method: &str) -> Value {
    intent(world, &json!({"confirm": true, "payment_method": method}))
}

#[test]
fn a_product_can_be_made_with_its_price_and_goes_only_without_prices() {
    let mut world = Lab::new();
    let data = json!({"currency": "jpy", "unit_amount": 500, "recurring": {"interval": "month"}});
    let product = world.ok("POST /v1/products", json!({"name": "Tea", "default_price_data": data}));
    let path = format!("/v1/products/{}", id(&product));
    let price = world
        .ok(&format!("GET /v1/prices/{}", product["default_price"].as_str().unwrap()), json!({}));
    assert_eq!(
        (&price["type"], &price["unit_amount_decimal"]),
        (&json!("recurring"), &json!("500"))
    );
    assert!(world.call(&format!("DELETE {path}"), json!({})).is_err());
    assert_eq!(world.events(), ["product.created", "price.created"]);
    world.ok(&format!("POST {path}"), json!({"description": "Green", "metadata": {"a": "1"}}));
    let bare = world.ok("POST /v1/products", json!({"name": "Cup", "id": "cup"}));
    assert_eq!(bare["id"], "cup");
    let twice = world.call("POST /v1/products", json!({"name": "Cup", "id": "cup"})).unwrap_err();
    assert_eq!(twice.code.as_deref(), Some("resource_already_exists"));
    let found =
        world.ok("GET /v1/products/search", json!({"query": "name~'tea' AND active:'true'"}));
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    world.ok("DELETE /v1/products/cup", json!({}));
    assert_eq!(world.call("GET /v1/products/cup", json!({})).unwrap_err().status, 404);
}

#[test]
fn a_lookup_key_has_one_holder_until_it_is_transferred() {
    let mut world = Lab::new();
    let make = |more: Value| {
        let mut all = json!({"currency": "usd", "unit_amount": 10, "product_data": {"name": "x"}});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let first = world.ok("POST /v1/prices", make(json!({"lookup_key": "std"})));
    let clash = world.call("POST /v1/prices", make(json!({"lookup_key": "std"}))).unwrap_err();
    assert_eq!(clash.message, format!("A price (`{}`) already uses that lookup key.", id(&first)));
    let moved = make(json!({"lookup_key": "std", "transfer_lookup_key": true}));
    let second = world.ok("POST /v1/prices", moved);
    let found = world.ok("GET /v1/prices", json!({"lookup_keys": ["std", "none"]}));
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"][0]["id"], second["id"]);
    assert_eq!(world.get("price", &id(&first))["lookup_key"], Value::Null);
    let none =
        world.call("POST /v1/prices", json!({"currency": "usd", "product_data": {"name": "x"}}));
    assert!(none.unwrap_err().message.contains("`unit_amount`"));
}

#[test]
fn a_deleted_customer_leaves_a_stub_and_loses_its_methods() {
    let mut world = Lab::new();
    let settings = json!({"default_payment_method": "pm_card_visa"});
    let sent = json!({
        "email": "Jenny@example.com", "payment_method": "pm_card_visa",
        "invoice_settings": settings, "address": {"line1": "1-1"}, "metadata": {"k": "v"},
    });
    let customer = world.ok("POST /v1/customers", sent);
    let path = format!("/v1/customers/{}", id(&customer));
    let saved = world.ok(&format!("GET {path}/payment_methods"), json!({}));
    assert_eq!(saved["data"][0]["id"], customer["invoice_settings"]["default_payment_method"]);
    world.ok(&format!("GET {path}/payment_methods/{}", id(&saved["data"][0])), json!({}));
    world.ok(&format!("POST {path}"), json!({"name": "J", "metadata": {"k": null}}));
    let mine = world.ok("GET /v1/customers", json!({"email": "Jenny@example.com"}));
    assert_eq!(mine["data"].as_array().unwrap().len(), 1);
    let gone = world.ok(&format!("DELETE {path}"), json!({}));
    assert_eq!(gone, json!({"id": customer["id"], "object": "customer", "deleted": true}));
    assert_eq!(world.ok(&format!("GET {path}"), json!({}))["deleted"], true);
    let dead = world.call(
        "POST /v1/payment_intents",
        json!({"amount": 100, "currency": "usd", "customer": customer["id"]}),
    );
    assert_eq!(
        (dead.clone().unwrap_err().status, dead.unwrap_err().param.unwrap().as_str()),
        (400, "customer")
    );
    let events =
        ["customer.created", "payment_method.attached", "customer.updated", "customer.deleted"];
    assert_eq!(world.events(), events);
}

#[test]
fn methods_are_attached_once_and_never_after_they_were_detached() {
    let mut world = Lab::new();
    let customer = id(&world.ok("POST /v1/customers", json!({})));
    let to = json!({"customer": customer});
    let method = world.ok("POST /v1/payment_methods/pm_card_visa/attach", to.clone());
    let path = format!("/v1/payment_methods/{}", id(&method));
    world.ok(&format!("POST {path}/attach"), to.clone());
    world.ok(
        &format!("POST {path}"),
        json!({"billing_details": {"name": "J"}, "card": {"exp_month": 1, "exp_year": 2031}}),
    );
    let other = json!({"customer": world.ok("POST /v1/customers", json!({}))["id"]});
    assert!(world.call(&format!("POST {path}/attach"), other).is_err());
    world.ok(&format!("POST {path}/detach"), json!({}));
    assert!(world.call(&format!("POST {path}/attach"), to.clone()).is_err());
    let refused = "POST /v1/payment_methods/pm_card_visa_chargeDeclinedLostCard/attach";
    let refused = world.call(refused, to.clone()).unwrap_err();
    assert_eq!((refused.status, &refused.more["decline_code"]), (402, &json!("lost_card")));
    let customer_fail = world.ok("POST /v1/payment_methods/pm_card_chargeCustomerFail/attach", to);
    let charged = json!({
        "amount": 100, "currency": "usd", "customer": customer, "confirm": true,
        "payment_method": customer_fail["id"], "payment_method_types": ["card"],
    });
    assert_eq!(world.call("POST /v1/payment_intents", charged).unwrap_err().status, 402);
    let raw = json!({"type": "card", "card": {"number": "4242424242424242"}});
    let raw = world.call("POST /v1/payment_methods", raw).unwrap_err();
    assert!(raw.message.starts_with("Sending credit card numbers directly"));
    world.ok("POST /v1/payment_methods", json!({"type": "card", "card": {"token": "tok_visa"}}));
}

#[test]
fn intents_are_confirmed_only_when_everything_is_there() {
    let mut world = Lab::new();
    let small = json!({"amount": 49, "currency": "jpy"});
    let small = world.call("POST /v1/payment_intents", small).unwrap_err();
    assert_eq!(small.message, "Amount must be at least ¥50 jpy");
    let redirect = json!({"amount": 500, "currency": "jpy", "confirm": true, "payment_method": "pm_card_visa"});
    let redirect = world.call("POST /v1/payment_intents", redirect).unwrap_err();
    assert_eq!(redirect.param.as_deref(), Some("return_url"));
    let pi = intent(&mut world, &json!({"metadata": {"order": "7"}}));
    let path = format!("/v1/payment_intents/{}", id(&pi));
    let bare = world.call(&format!("POST {path}/confirm"), json!({})).unwrap_err();
    assert_eq!(bare.code.as_deref(), Some("payment_intent_unexpected_state"));
    let set = world.ok(&format!("POST {path}"), json!({"payment_method": "pm_card_visa"}));
    assert_eq!(set["status"], "requires_confirmation");
    let done = world.ok(&format!("POST {path}/confirm"), json!({}));
    assert_eq!((&done["status"], &done["amount_received"]), (&json!("succeeded"), &json!(2000)));
    let again = world.call(&format!("POST {path}/confirm"), json!({})).unwrap_err();
    assert!(again.message.contains("already succeeded"), "{}", again.message);
    let late = world.call(&format!("POST {path}"), json!({"amount": 1})).unwrap_err();
    assert_eq!(late.code.as_deref(), Some("payment_intent_unexpected_state"));
    world.ok(&format!("POST {path}"), json!({"description": "late"}));
    let over = world.call(&format!("POST {path}/cancel"), json!({})).unwrap_err();
    assert!(over.message.contains("status of succeeded"));
    let found =
        world.ok("GET /v1/payment_intents/search", json!({"query": "metadata['order']:'7'"}));
    assert_eq!(found["data"][0]["id"], pi["id"]);
}

#[test]
fn a_declined_request_answers_402_and_off_session_wants_no_challenge() {
    let mut world = Lab::new();
    let all = json!({
        "amount": 2000, "currency": "usd", "payment_method_types": ["card"], "confirm": true,
        "payment_method": "pm_card_chargeDeclined",
    });
    let failure = world.call("POST /v1/payment_intents", all).unwrap_err();
    assert_eq!(Catalog::get().check(&failure.body()), Vec::<String>::new());
    let kept = world.ok("GET /v1/payment_intents", json!({}));
    assert_eq!(kept["data"][0]["last_payment_error"]["decline_code"], "generic_decline");
    let charge = world
        .ok(&format!("GET /v1/charges/{}", failure.more["charge"].as_str().unwrap()), json!({}));
    assert_eq!((&charge["status"], &charge["paid"]), (&json!("failed"), &json!(false)));
    for flag in ["off_session", "error_on_requires_action"] {
        let all = json!({
            "amount": 2000, "currency": "usd", "payment_method_types": ["card"], "confirm": true,
            "payment_method": "pm_card_authenticationRequired", flag: true,
        });
        let failure = world.call("POST /v1/payment_intents", all).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("authentication_required"), "{flag}");
    }
    let asked = json!({"confirm": true, "payment_method": "pm_card_authenticationRequired", "return_url": "https://a.example"});
    let asked = intent(&mut world, &asked);
    assert_eq!(asked["next_action"]["type"], "redirect_to_url");
}

#[test]
fn refunds_never_exceed_what_was_paid() {
    let mut world = Lab::new();
    let pi = paid(&mut world, "pm_card_visa");
    let part =
        json!({"payment_intent": pi["id"], "amount": 500, "reason": "requested_by_customer"});
    let refund = world.ok("POST /v1/refunds", part);
    assert_eq!(refund["status"], "succeeded");
    let charge = pi["latest_charge"].as_str().unwrap().to_owned();
    let much =
        world.call("POST /v1/refunds", json!({"charge": charge, "amount": 1501})).unwrap_err();
    assert_eq!(
        much.message,
        "Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)"
    );
    world.ok("POST /v1/refunds", json!({"charge": charge}));
    let twice = world.call("POST /v1/refunds", json!({"charge": charge})).unwrap_err();
    assert_eq!(twice.code.as_deref(), Some("charge_already_refunded"));
    world.ok(&format!("POST /v1/refunds/{}", id(&refund)), json!({"metadata": {"a": "b"}}));
    let events: Vec<String> = world.events().split_off(3);
    let expected = [
        "charge.updated",
        "refund.created",
        "charge.refunded",
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "charge.refund.updated",
    ];
    assert_eq!(events, expected);
    assert_eq!(world.get("charge", &charge)["refunded"], true);
    let list = world.ok("GET /v1/refunds", json!({"charge": charge}));
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[test]
fn slow_refunds_end_and_failed_ones_give_the_money_back() {
    let mut world = Lab::new();
    for (card, status, left) in
        [("pm_card_pendingRefund", "succeeded", 2000), ("pm_card_refundFail", "failed", 0)]
    {
        let pi = paid(&mut world, card);
        let refund = id(&world.ok("POST /v1/refunds", json!({"payment_intent": pi["id"]})));
        world.advance(60);
        let ended = world.ok(&format!("GET /v1/refunds/{refund}"), json!({}));
        assert_eq!(ended["status"], status);
        let charge = world.get("charge", pi["latest_charge"].as_str().unwrap());
        assert_eq!(charge["amount_refunded"], left);
    }
    assert!(world.events().contains(&"refund.failed".to_owned()));
}

#[test]
fn a_konbini_refund_waits_for_the_customers_bank_account() {
    let mut world = Lab::new();
    let billing = json!({"email": "succeed_immediately@example.com", "name": "J"});
    let sent = json!({
        "amount": 1000, "currency": "jpy", "confirm": true, "return_url": "https://a.example",
        "payment_method_data": {"type": "konbini", "konbini": {}, "billing_details": billing},
    });
    let pi = world.ok("POST /v1/payment_intents", sent);
    assert_eq!(pi["next_action"]["type"], "konbini_display_details");
    world.advance(3);
    world.advance(0);
    let path = format!("GET /v1/payment_intents/{}", id(&pi));
    let pi = world.ok(&path, json!({}));
    assert_eq!(pi["status"], "succeeded");
    let mailless = world.call("POST /v1/refunds", json!({"payment_intent": pi["id"]})).unwrap_err();
    assert_eq!(mailless.param.as_deref(), Some("instructions_email"));
    let sent = json!({"payment_intent": pi["id"], "instructions_email": "a@example.com"});
    let refund = world.ok("POST /v1/refunds", sent);
    assert_eq!(refund["status"], "requires_action");
    let ended = world.ok(&format!("POST /v1/refunds/{}/cancel", id(&refund)), json!({}));
    assert_eq!(ended["status"], "canceled");
    let fees = world.ok("GET /v1/balance_transactions", json!({"type": "payment"}));
    assert_eq!((&fees["data"][0]["fee"], &fees["data"][0]["net"]), (&json!(120), &json!(880)));
}

#[test]
fn the_balance_is_the_sum_of_its_transactions_and_matures() {
    let mut world = Lab::new();
    paid(&mut world, "pm_card_visa");
    paid(&mut world, "pm_card_bypassPending");
    world.advance(0);
    let sum = |balance: &Value, part: &str| {
        let rows = balance[part].as_array().unwrap();
        rows.iter().find(|row| row["currency"] == "usd").unwrap()["amount"].as_i64().unwrap()
    };
    let balance = world.ok("GET /v1/balance", json!({}));
    assert_eq!((sum(&balance, "available"), sum(&balance, "pending")), (1912, 1912));
    world.advance(2 * 86_400);
    let balance = world.ok("GET /v1/balance", json!({}));
    assert_eq!((sum(&balance, "available"), sum(&balance, "pending")), (3824, 0));
    assert_eq!(world.events().last().unwrap(), "balance.available");
}

#[test]
fn charges_are_annotated_listed_and_found() {
    let mut world = Lab::new();
    let pi = paid(&mut world, "pm_card_mastercard");
    let charge = pi["latest_charge"].as_str().unwrap().to_owned();
    let sent = json!({"description": "d", "shipping": {"name": "J", "address": {"line1": "1"}}});
    world.ok(&format!("POST /v1/charges/{charge}"), sent);
    let query = "payment_method_details.card.brand:'mastercard' AND amount>1999";
    let found = world.ok("GET /v1/charges/search", json!({"query": query}));
    assert_eq!(found["data"][0]["id"], charge.as_str());
    let listed = world.ok("GET /v1/charges", json!({"payment_intent": pi["id"]}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_refund_that_nobody_claims_expires_and_gives_the_money_back() {
    let mut world = Lab::new();
    let billing = json!({"email": "succeed_immediately@example.com"});
    let sent = json!({
        "amount": 1000, "currency": "jpy", "confirm": true, "return_url": "https://a.example",
        "payment_method_data": {"type": "konbini", "billing_details": billing},
    });
    let pi = world.ok("POST /v1/payment_intents", sent);
    world.advance(3);
    let sent = json!({"payment_intent": pi["id"], "instructions_email": "a@example.com"});
    let refund = id(&world.ok("POST /v1/refunds", sent));
    let ended = world.ok(&format!("POST /v1/test_helpers/refunds/{refund}/expire"), json!({}));
    assert_eq!(ended["status"], "failed");
    assert!(world.call(&format!("POST /v1/refunds/{refund}/cancel"), json!({})).is_err());
    let long = json!({"konbini": {"product_description": "x".repeat(23)}});
    let sent = json!({
        "amount": 1000, "currency": "jpy", "confirm": true, "return_url": "https://a.example",
        "payment_method_data": {"type": "konbini"}, "payment_method_options": long,
    });
    let failure = world.call("POST /v1/payment_intents", sent).unwrap_err();
    assert_eq!(failure.param.unwrap(), "payment_method_options[konbini][product_description]");
}

#[test]
fn a_charge_can_be_made_from_a_token_held_and_taken() {
    let mut world = Lab::new();
    let base = json!({"amount": 2000, "currency": "usd", "source": "tok_visa"});
    let with = |more: Value| {
        let mut all = base.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let charge = world.ok("POST /v1/charges", with(json!({"metadata": {"a": "1"}})));
    assert_eq!((&charge["paid"], &charge["payment_intent"]), (&json!(true), &Value::Null));
    world.ok("POST /v1/refunds", json!({"charge": charge["id"]}));
    let held = world.ok("POST /v1/charges", with(json!({"capture": false})));
    let path = format!("POST /v1/charges/{}/capture", id(&held));
    let taken = world.ok(&path, json!({"amount": 1500}));
    assert_eq!(taken["amount_captured"], 1500);
    let lapsed = world.ok("POST /v1/charges", with(json!({"capture": false})));
    world.advance(7 * 86_400);
    assert!(world.call(&format!("POST /v1/charges/{}/capture", id(&lapsed)), json!({})).is_err());
    let refused = world.call("POST /v1/charges", with(json!({"source": "tok_chargeDeclined"})));
    assert_eq!(refused.unwrap_err().code.as_deref(), Some("card_declined"));
    let customer = world.ok("POST /v1/customers", json!({}))["id"].clone();
    let bare = json!({"amount": 2000, "currency": "usd", "customer": customer});
    assert_eq!(world.call("POST /v1/charges", bare).unwrap_err().code.as_deref(), Some("missing"));
}

#[test]
fn a_method_of_one_customer_pays_for_no_other() {
    let mut world = Lab::new();
    let owner = json!({"payment_method": "pm_card_visa"});
    let owner = id(&world.ok("POST /v1/customers", owner));
    let saved = world.ok(&format!("GET /v1/customers/{owner}/payment_methods"), json!({}));
    let method = saved["data"][0]["id"].clone();
    let sent = json!({"amount": 500, "currency": "usd", "payment_method": method});
    let failure = world.call("POST /v1/payment_intents", sent).unwrap_err();
    assert!(failure.message.contains(&owner), "{}", failure.message);
    let once = paid(&mut world, "pm_card_visa");
    let again = json!({
        "amount": 500, "currency": "usd", "payment_method": once["payment_method"],
        "confirm": true, "payment_method_types": ["card"],
    });
    let failure = world.call("POST /v1/payment_intents", again).unwrap_err();
    assert!(failure.message.contains("may not be used again"), "{}", failure.message);
}
