//! Sessions from creation to their end, on a sandbox without a server.

use crate::sandbox::behaviour::cards::{Billing, CardEntry};
use crate::sandbox::behaviour::checkout::attempt::{self, Means, Next, Payer};
use crate::sandbox::behaviour::checkout::{SESSION, finish};
use crate::sandbox::testing::Lab;
use crate::wire::failure::Failure;
use proptest::prelude::*;
use serde_json::{Value, json};

const CREATE: &str = "POST /v1/checkout/sessions";

fn params(amount: i64, currency: &str) -> Value {
    json!({
        "mode": "payment",
        "success_url": "https://shop.example/ok?id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/no",
        "line_items": [{
            "price_data": {
                "currency": currency, "unit_amount": amount,
                "product_data": {"name": "Tea"},
            },
            "quantity": 1,
        }],
    })
}

fn with(params: &Value, more: &Value) -> Value {
    let mut params = params.clone();
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn session(world: &mut Lab, more: &Value) -> String {
    let made = world.ok(CREATE, with(&params(500, "jpy"), more));
    made["id"].as_str().unwrap().to_owned()
}

fn card(number: &str) -> Means {
    Means::Card(CardEntry {
        number: number.to_owned(),
        exp_month: 12,
        exp_year: 34,
        cvc: Some("123".to_owned()),
        billing: Billing::default(),
    })
}

fn payer(email: &str) -> Payer {
    let billing = Billing {
        email: Some(email.to_owned()),
        name: Some("Aki Tanaka".to_owned()),
        ..Billing::default()
    };
    Payer { billing, ..Payer::default() }
}

fn pay(world: &mut Lab, id: &str, means: &Means) -> Result<Next, Failure> {
    world.change(|txn| attempt::pay(txn, id, means, &payer("aki@example.com")))
}

/// The events since `from`, without those about products and prices.
fn events(world: &Lab, from: usize) -> Vec<String> {
    world.events().into_iter().skip(from).collect()
}

#[test]
fn a_new_session_has_stripes_defaults() {
    let mut world = Lab::new();
    let made = world.ok(CREATE, params(500, "jpy"));
    assert_eq!(made["id"].as_str().unwrap().len(), 66);
    assert_eq!(made["status"], "open");
    assert_eq!(made["payment_status"], "unpaid");
    assert_eq!((&made["amount_subtotal"], &made["amount_total"]), (&json!(500), &json!(500)));
    assert_eq!(made["payment_intent"], Value::Null);
    assert_eq!(made["customer_creation"], "if_required");
    assert_eq!(made["expires_at"], world.now.0 + 86_400);
    assert_eq!(made["ui_mode"], "hosted_page");
    assert_eq!(made["managed_payments"], json!({"enabled": false}));
    assert_eq!(made["payment_method_types"], json!(["card", "konbini"]));
    let url = format!("http://127.0.0.1:12111/c/pay/{}", made["id"].as_str().unwrap());
    assert_eq!(made["url"], url);
    assert!(made.get("line_items").is_none(), "only when expanded");
    assert_eq!(world.events(), ["product.created", "price.created"]);
}

#[test]
fn a_session_offers_what_its_configuration_has_switched_on() {
    let mut world = Lab::new();
    let plain = world.ok(CREATE, params(500, "jpy"));
    let own = &plain["payment_method_configuration_details"]["id"];
    let known = world.ok("GET /v1/payment_method_configurations", json!({}));
    assert_eq!(
        (own, &plain["payment_method_configuration_details"]["parent"]),
        (&known["data"][0]["id"], &Value::Null)
    );
    let on = json!({"display_preference": {"preference": "on"}});
    let asked = json!({"name": "Debits", "sepa_debit": on, "us_bank_account": on, "klarna": on});
    let made = world.ok("POST /v1/payment_method_configurations", asked);
    let named = json!({"payment_method_configuration": made["id"]});
    let types = |session: &Value| session["payment_method_types"].clone();
    let shown = world.ok(CREATE, with(&params(500, "eur"), &named));
    assert_eq!(shown["payment_method_configuration_details"]["id"], made["id"]);
    assert_eq!(types(&shown), json!(["card", "klarna", "sepa_debit"]), "what the currency allows");
    let saving = json!({"mode": "setup", "currency": "usd", "success_url": "https://shop.example/",
        "payment_method_configuration": made["id"]});
    let saved = world.ok(CREATE, saving);
    assert_eq!(types(&saved), json!(["card", "klarna", "sepa_debit", "us_bank_account"]));
    assert_eq!(
        saved["payment_method_options"]["us_bank_account"],
        json!({"financial_connections": {"permissions": ["payment_method"], "prefetch": []},
            "verification_method": "automatic"})
    );
    let listed = with(&params(500, "jpy"), &json!({"payment_method_types": ["card"]}));
    assert_eq!(world.ok(CREATE, listed)["payment_method_configuration_details"], Value::Null);
}

#[test]
fn an_embedded_session_has_a_secret_and_no_page() {
    let mut world = Lab::new();
    let embedded = json!({
        "ui_mode": "embedded_page", "success_url": null, "cancel_url": null,
        "return_url": "https://shop.example/back",
    });
    let made = world.ok(CREATE, with(&params(500, "jpy"), &embedded));
    assert_eq!(made["url"], Value::Null);
    assert!(made["client_secret"].as_str().unwrap().starts_with("cs_test_"));
    assert_eq!(made["redirect_on_completion"], "always");
}

#[test]
fn a_card_pays_in_stripes_order_of_events() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({"metadata": {"order": "7"}}));
    let before = world.events().len();
    assert_eq!(pay(&mut world, &id, &card("4242424242424242")), Ok(Next::Complete));
    assert_eq!(
        events(&world, before),
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
    let session = world.ok(&format!("GET /v1/checkout/sessions/{id}"), json!({}));
    assert_eq!(
        (&session["status"], &session["payment_status"]),
        (&json!("complete"), &json!("paid"))
    );
    assert_eq!(session["url"], Value::Null);
    assert_eq!(session["customer_details"]["email"], "aki@example.com");
    assert_eq!(session["customer_details"]["name"], "Aki Tanaka");
    let intent = world.get("payment_intent", session["payment_intent"].as_str().unwrap());
    assert_eq!(intent["status"], "succeeded");
    assert_eq!(intent["metadata"], json!({}), "a session's metadata is its own");
    // Paid again, it stays as it is; the planned expiry has gone.
    assert_eq!(pay(&mut world, &id, &card("4242424242424242")).unwrap_err().status, 400);
    world.advance(2 * 86_400);
    assert_eq!(world.get(SESSION, &id)["status"], "complete");
}

#[test]
fn a_declined_card_leaves_the_session_open_and_the_next_try_uses_the_same_intent() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    let before = world.events().len();
    let failure = pay(&mut world, &id, &card("4000000000009995")).unwrap_err();
    assert_eq!(
        (failure.status, failure.message.as_str()),
        (402, "Your card has insufficient funds.")
    );
    let intent = world.get(SESSION, &id)["payment_intent"].clone();
    assert!(intent.is_string());
    assert_eq!(pay(&mut world, &id, &card("4242424242424242")), Ok(Next::Complete));
    assert_eq!(world.get(SESSION, &id)["payment_intent"], intent);
    assert_eq!(
        events(&world, before),
        [
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
}

#[test]
fn a_wrong_number_never_reaches_an_intent() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    let before = world.events().len();
    let failure = pay(&mut world, &id, &card("4242424242424241")).unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("incorrect_number"));
    let failure = pay(&mut world, &id, &card("4111111111111111")).unwrap_err();
    assert_eq!(failure.more["decline_code"], "test_mode_live_card");
    assert!(events(&world, before).is_empty());
    assert_eq!(world.get(SESSION, &id)["payment_intent"], Value::Null);
}

#[test]
fn three_d_secure_can_be_passed_and_failed() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    let before = world.events().len();
    let challenge = |world: &mut Lab| match pay(world, &id, &card("4000002760003184")) {
        Ok(Next::Challenge(intent)) => intent,
        other => panic!("{other:?}"),
    };
    let intent = challenge(&mut world);
    let failed = world.change(|txn| attempt::authenticate(txn, &intent, false)).unwrap_err();
    assert_eq!(failed.code.as_deref(), Some("payment_intent_authentication_failure"));
    assert_eq!(world.get(SESSION, &id)["status"], "open");
    let intent = challenge(&mut world);
    world.change(|txn| attempt::authenticate(txn, &intent, true)).unwrap();
    assert_eq!(world.get(SESSION, &id)["payment_status"], "paid");
    assert_eq!(
        events(&world, before),
        [
            "payment_intent.created",
            "payment_intent.requires_action",
            "payment_intent.payment_failed",
            "payment_intent.requires_action",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );
}

#[test]
fn a_konbini_payment_completes_unpaid_and_settles_later() {
    for (email, seconds, ok, last) in [
        ("aki@example.com", 180, "paid", "checkout.session.async_payment_succeeded"),
        ("succeed_immediately@example.com", 1, "paid", "checkout.session.async_payment_succeeded"),
        ("expire_immediately@example.com", 1, "unpaid", "checkout.session.async_payment_failed"),
        ("expire_with_delay@example.com", 180, "unpaid", "checkout.session.async_payment_failed"),
    ] {
        let mut world = Lab::new();
        let id = session(&mut world, &json!({}));
        let before = world.events().len();
        world.change(|txn| attempt::pay(txn, &id, &Means::Konbini, &payer(email))).unwrap();
        let made = world.get(SESSION, &id);
        assert_eq!(
            (&made["status"], &made["payment_status"]),
            (&json!("complete"), &json!("unpaid"))
        );
        assert_eq!(
            events(&world, before),
            [
                "payment_intent.created",
                "payment_intent.requires_action",
                "checkout.session.completed"
            ]
        );
        world.advance(seconds - 1);
        assert_eq!(world.get(SESSION, &id)["payment_status"], "unpaid");
        world.advance(1);
        assert_eq!(world.get(SESSION, &id)["payment_status"], ok);
        assert!(world.events().contains(&last.to_owned()), "{:?}", world.events());
    }
}

#[test]
fn a_konbini_payment_is_settled_by_hand_once() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    assert!(world.change(|txn| finish::settle(txn, &id, true)).is_err(), "nothing to settle yet");
    pay(&mut world, &id, &Means::Konbini).unwrap();
    world.change(|txn| finish::settle(txn, &id, true)).unwrap();
    assert!(world.change(|txn| finish::settle(txn, &id, false)).is_err());
    let count = world.events().len();
    world.advance(400);
    let later = events(&world, count);
    assert!(!later.iter().any(|kind| kind.starts_with("checkout.")), "{later:?}");
}

#[test]
fn a_session_expires_when_asked_and_by_itself_and_cancels_its_intent() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    pay(&mut world, &id, &card("4000000000000002")).unwrap_err();
    let before = world.events().len();
    let expired = world.ok(&format!("POST /v1/checkout/sessions/{id}/expire"), json!({}));
    assert_eq!((&expired["status"], &expired["url"]), (&json!("expired"), &Value::Null));
    assert_eq!(events(&world, before), ["payment_intent.canceled", "checkout.session.expired"]);
    let again =
        world.call(&format!("POST /v1/checkout/sessions/{id}/expire"), json!({})).unwrap_err();
    assert_eq!(
        again.message,
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `expired`."
    );
    let at = world.now.0 + 1_800;
    let id = session(&mut world, &json!({"expires_at": at}));
    world.advance(1_799);
    assert_eq!(world.get(SESSION, &id)["status"], "open");
    world.advance(1);
    assert_eq!(world.get(SESSION, &id)["status"], "expired");
}

#[test]
fn a_customer_is_made_first_where_the_session_asks_for_one() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({"customer_creation": "always"}));
    let before = world.events().len();
    pay(&mut world, &id, &card("4242424242424242")).unwrap();
    assert_eq!(events(&world, before)[..2], ["customer.created", "payment_intent.created"]);
    let session = world.get(SESSION, &id);
    let customer = world.get("customer", session["customer"].as_str().unwrap());
    assert_eq!(customer["email"], "aki@example.com");
    let intent = world.get("payment_intent", session["payment_intent"].as_str().unwrap());
    assert_eq!(intent["customer"], session["customer"]);
}

#[test]
fn a_given_customer_is_prefilled_and_updated_where_the_session_says_so() {
    let mut world = Lab::new();
    let customer = world.ok("POST /v1/customers", json!({"email": "old@example.com"}));
    let id = session(
        &mut world,
        &json!({"customer": customer["id"], "customer_update": {"name": "auto"}}),
    );
    let made = world.get(SESSION, &id);
    assert_eq!(made["customer_details"]["email"], "old@example.com");
    assert_eq!(made["customer_creation"], Value::Null);
    let before = world.events().len();
    pay(&mut world, &id, &card("4242424242424242")).unwrap();
    let told = events(&world, before);
    assert_eq!(told[3..], ["customer.updated", "checkout.session.completed"]);
    let customer = world.get("customer", customer["id"].as_str().unwrap());
    assert_eq!(
        (&customer["name"], &customer["email"]),
        (&json!("Aki Tanaka"), &json!("old@example.com"))
    );
    let gone = json!({"customer": "cus_nope"});
    let failure = world.call(CREATE, with(&params(500, "jpy"), &gone)).unwrap_err();
    assert_eq!(
        (failure.message.as_str(), failure.param.as_deref()),
        ("No such customer: 'cus_nope'", Some("customer"))
    );
}

#[test]
fn an_intent_that_was_cancelled_while_a_store_was_waited_for_settles_nothing() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    pay(&mut world, &id, &Means::Konbini).unwrap();
    let intent = world.get(SESSION, &id)["payment_intent"].as_str().unwrap().to_owned();
    world
        .change(|txn| crate::sandbox::behaviour::payment::intent::cancel(txn, &intent, None))
        .unwrap();
    world.advance(86_400);
    assert_eq!(world.get(SESSION, &id)["payment_status"], "unpaid");
}

#[test]
fn intent_data_reaches_the_intent_and_manual_capture_stays_unpaid_until_captured() {
    let mut world = Lab::new();
    let data = json!({"capture_method": "manual", "metadata": {"a": "1"}, "description": "Tea"});
    let id = session(&mut world, &json!({"payment_intent_data": data}));
    pay(&mut world, &id, &card("4242424242424242")).unwrap();
    let session = world.get(SESSION, &id);
    assert_eq!(
        (&session["status"], &session["payment_status"]),
        (&json!("complete"), &json!("unpaid"))
    );
    let intent = world.get("payment_intent", session["payment_intent"].as_str().unwrap());
    assert_eq!(
        (&intent["status"], &intent["metadata"]["a"]),
        (&json!("requires_capture"), &json!("1"))
    );
    let capture = format!("POST /v1/payment_intents/{}/capture", intent["id"].as_str().unwrap());
    world.ok(&capture, json!({}));
    assert_eq!(world.get(SESSION, &id)["payment_status"], "paid");
}

#[test]
fn nothing_to_pay_needs_no_intent() {
    let mut world = Lab::new();
    let made = world.ok(CREATE, params(0, "jpy"));
    assert_eq!(made["payment_status"], "no_payment_required");
    let id = made["id"].as_str().unwrap().to_owned();
    pay(&mut world, &id, &card("")).unwrap();
    let session = world.get(SESSION, &id);
    assert_eq!(
        (&session["status"], &session["payment_intent"]),
        (&json!("complete"), &Value::Null)
    );
    assert_eq!(session["payment_status"], "no_payment_required");
}

#[test]
fn lines_are_priced_listed_and_refused_in_stripes_words() {
    let mut world = Lab::new();
    let line = |more: Value| -> Value {
        with(
            &params(500, "jpy"),
            &json!({"line_items": [with(&params(500, "jpy")["line_items"][0], &more)]}),
        )
    };
    for (params, message) in [
        (
            with(&params(500, "jpy"), &json!({"line_items": []})),
            "Missing required param: line_items.",
        ),
        (
            line(json!({"price": "price_x"})),
            "You may only specify one of these parameters: price, price_data.",
        ),
        (
            line(json!({"quantity": null})),
            "Quantity is required. Add `quantity` to `line_items[0]`.",
        ),
        (
            line(json!({"quantity": i64::MAX})),
            "Invalid integer: 9223372036854775807. So many of this price cost more than any amount can be.",
        ),
        (line(json!({"price_data": null, "price": "price_x"})), "No such price: 'price_x'"),
        (
            params(49, "jpy"),
            "The Checkout Session's total amount due must add up to at least ¥50 JPY",
        ),
        (
            line(json!({"price_data": {
                "currency": "jpy", "unit_amount": 5, "product_data": {"name": "x"},
                "recurring": {"interval": "month"},
            }})),
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
        ),
    ] {
        let failure = world.call(CREATE, params).unwrap_err();
        assert_eq!((failure.status, failure.message.as_str()), (400, message));
    }
    assert!(world.events().is_empty(), "what failed left nothing behind");
    let made = world.ok(CREATE, line(json!({"quantity": 3})));
    assert_eq!(made["amount_total"], 1_500);
    let url = format!("GET /v1/checkout/sessions/{}/line_items", made["id"].as_str().unwrap());
    let list = world.ok(&url, json!({}));
    assert_eq!(list["data"][0]["description"], "Tea");
    assert_eq!(list["data"][0]["amount_total"], 1_500);
    assert_eq!(list["data"][0]["price"]["unit_amount"], 500);
}

#[test]
fn sessions_are_filtered_by_what_the_api_names() {
    let mut world = Lab::new();
    let first = session(&mut world, &json!({}));
    let second = session(&mut world, &json!({}));
    pay(&mut world, &second, &card("4242424242424242")).unwrap();
    let ids = |world: &mut Lab, filter: Value| -> Vec<String> {
        let list = world.ok("GET /v1/checkout/sessions", filter);
        let data = list["data"].as_array().unwrap();
        data.iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&mut world, json!({})), [second.clone(), first.clone()]);
    assert_eq!(ids(&mut world, json!({"status": "open"})), [first]);
    let by_mail = json!({"customer_details": {"email": "AKI@example.com"}});
    assert_eq!(ids(&mut world, by_mail), std::slice::from_ref(&second));
    let intent = world.get(SESSION, &second)["payment_intent"].clone();
    assert_eq!(ids(&mut world, json!({"payment_intent": intent})), [second]);
}

#[test]
fn shipping_is_part_of_the_total() {
    let mut world = Lab::new();
    let option = |amount: i64| {
        json!({"shipping_rate_data": {
            "display_name": "Post", "type": "fixed_amount",
            "fixed_amount": {"amount": amount, "currency": "jpy"},
        }})
    };
    let id = session(&mut world, &json!({"shipping_options": [option(300), option(900)]}));
    let made = world.get(SESSION, &id);
    assert_eq!((&made["amount_subtotal"], &made["amount_total"]), (&json!(500), &json!(800)));
    assert_eq!(made["shipping_cost"]["amount_total"], 300);
    let changed = world.ok(
        &format!("POST /v1/checkout/sessions/{id}"),
        json!({"shipping_options": [option(100)], "metadata": {"a": "1"}}),
    );
    assert_eq!((&changed["amount_total"], &changed["metadata"]["a"]), (&json!(600), &json!("1")));
}

#[test]
fn the_methods_on_offer_fit_the_currency_and_the_amount() {
    let mut world = Lab::new();
    let types = |world: &mut Lab, amount: i64, currency: &str, more: Value| {
        world
            .call(CREATE, with(&params(amount, currency), &more))
            .map(|made| made["payment_method_types"].clone())
    };
    assert_eq!(types(&mut world, 119, "jpy", json!({})).unwrap(), json!(["card"]));
    assert_eq!(types(&mut world, 500, "usd", json!({})).unwrap(), json!(["card"]));
    let allowed = json!({"allowed_payment_method_types": ["konbini", "card"]});
    assert_eq!(types(&mut world, 500, "jpy", allowed.clone()).unwrap(), json!(["konbini", "card"]));
    assert_eq!(types(&mut world, 500, "usd", allowed).unwrap(), json!(["card"]));
    let excluded = json!({"excluded_payment_method_types": ["konbini"]});
    assert_eq!(types(&mut world, 500, "jpy", excluded).unwrap(), json!(["card"]));
    let fixed = json!({"payment_method_types": ["konbini"]});
    let failure = types(&mut world, 500, "usd", fixed).unwrap_err();
    assert!(failure.message.starts_with("Invalid currency: usd."), "{}", failure.message);
    let other = json!({"allowed_payment_method_types": ["paypay"]});
    assert_eq!(types(&mut world, 500, "jpy", other).unwrap_err().status, 501);
}

#[test]
fn konbini_options_of_the_session_reach_its_intent() {
    let mut world = Lab::new();
    let options = json!({"payment_method_options": {"konbini": {"expires_after_days": 7}}});
    let id = session(&mut world, &options);
    let mut payer = payer("aki@example.com");
    payer.billing.phone = Some("090-1234-5678".to_owned());
    world.change(|txn| attempt::pay(txn, &id, &Means::Konbini, &payer)).unwrap();
    let intent = world.get(SESSION, &id)["payment_intent"].as_str().unwrap().to_owned();
    let intent = world.get("payment_intent", &intent);
    let konbini = &intent["payment_method_options"]["konbini"];
    assert_eq!(konbini["expires_after_days"], 7);
    let store = &intent["next_action"]["konbini_display_details"]["stores"]["lawson"];
    assert_eq!(store["confirmation_number"], "09012345678");
}

#[test]
fn the_cli_pays_through_the_payment_page() {
    let mut world = Lab::new();
    let id = session(&mut world, &json!({}));
    let confirm = format!("POST /v1/payment_pages/{id}/confirm");
    let wrong = json!({"payment_method": "pm_card_visa", "expected_amount": 499});
    assert_eq!(world.call(&confirm, wrong).unwrap_err().status, 400);
    let page =
        world.ok(&confirm, json!({"payment_method": "pm_card_visa", "expected_amount": 500}));
    assert_eq!(page["payment_status"], "paid");
}

#[test]
fn a_bank_debit_completes_unpaid_and_the_bank_answers_later() {
    for (iban, told) in [
        ("AT611904300234573201", "checkout.session.async_payment_succeeded"),
        ("IT60X0542811101000000123456", "checkout.session.async_payment_failed"),
    ] {
        let mut world = Lab::new();
        let debit = json!({
            "payment_method_types": ["sepa_debit"],
            "payment_intent_data": {"setup_future_usage": "off_session"},
        });
        let made = world.ok(CREATE, with(&params(3_000, "eur"), &debit));
        let id = made["id"].as_str().unwrap();
        let method = json!({
            "type": "sepa_debit", "sepa_debit": {"iban": iban},
            "billing_details": {"email": "a@example.com", "name": "A"},
        });
        let method = world.ok("POST /v1/payment_methods", method);
        let before = world.events().len();
        let sent = json!({"payment_method": method["id"], "expected_amount": 3_000});
        world.ok(&format!("POST /v1/payment_pages/{id}/confirm"), sent);
        let now = world.get(SESSION, id);
        assert_eq!(
            (&now["status"], &now["payment_status"]),
            (&json!("complete"), &json!("unpaid"))
        );
        assert_eq!(
            events(&world, before),
            [
                "customer.created",
                "payment_intent.created",
                "payment_intent.processing",
                "charge.pending",
                "checkout.session.completed"
            ]
        );
        world.advance(200);
        assert!(world.events().contains(&told.to_owned()), "{:?}", world.events());
    }
}

/// What may happen to a session.
#[derive(Clone, Debug)]
enum Step {
    Pay(&'static str),
    Konbini(&'static str),
    Authenticate(bool),
    Settle(bool),
    Expire,
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        prop::sample::select(vec![
            "4242424242424242",
            "4000000000000002",
            "4000002760003184",
            "4000008260003178"
        ])
        .prop_map(Step::Pay),
        prop::sample::select(vec!["a@b.co", "expire_with_delay@b.co", "fill_never@b.co"])
            .prop_map(Step::Konbini),
        any::<bool>().prop_map(Step::Authenticate),
        any::<bool>().prop_map(Step::Settle),
        Just(Step::Expire),
        prop::sample::select(vec![1_i64, 180, 3_600, 90_000, 500_000]).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..12)
}

fn run(world: &mut Lab, id: &str, step: &Step) {
    let intent = world.get(SESSION, id)["payment_intent"].as_str().unwrap_or_default().to_owned();
    // Refusals are part of the game; what must hold is checked on the state.
    match step {
        Step::Pay(number) => drop(pay(world, id, &card(number))),
        Step::Konbini(email) => {
            drop(world.change(|txn| attempt::pay(txn, id, &Means::Konbini, &payer(email))));
        }
        Step::Authenticate(pass) => {
            drop(world.change(|txn| attempt::authenticate(txn, &intent, *pass)));
        }
        Step::Settle(ok) => drop(world.change(|txn| finish::settle(txn, id, *ok))),
        Step::Expire => {
            drop(world.call(&format!("POST /v1/checkout/sessions/{id}/expire"), json!({})));
        }
        Step::Wait(seconds) => world.advance(*seconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_order_of_steps_reaches_an_impossible_state(steps in steps()) {
        let mut world = Lab::new();
        let id = session(&mut world, &json!({}));
        let mut last = ("open".to_owned(), "unpaid".to_owned());
        for step in &steps {
            run(&mut world, &id, step);
            let session = world.get(SESSION, &id);
            let now = (
                session["status"].as_str().unwrap().to_owned(),
                session["payment_status"].as_str().unwrap().to_owned(),
            );
            prop_assert!(last.0 == "open" || last.0 == now.0, "{:?} after {:?}", now, last);
            prop_assert!(last.1 == "unpaid" || last.1 == now.1, "{:?} after {:?}", now, last);
            prop_assert!(now.0 != "expired" || now.1 == "unpaid");
            let intent = session["payment_intent"].as_str().map(|id| world.get("payment_intent", id));
            let status = intent.as_ref().map(|intent| intent["status"].as_str().unwrap());
            prop_assert_eq!(now.1 == "paid", status == Some("succeeded"));
            prop_assert!(now.0 != "expired" || status.is_none_or(|status| status == "canceled"));
            prop_assert_eq!(session["url"].is_string(), now.0 == "open");
            last = now;
        }
        let told = world.events();
        let count = |kind: &str| told.iter().filter(|told| *told == kind).count();
        prop_assert_eq!(count("checkout.session.completed"), usize::from(last.0 == "complete"));
        prop_assert_eq!(count("checkout.session.expired"), usize::from(last.0 == "expired"));
        let settled = count("checkout.session.async_payment_succeeded")
            + count("checkout.session.async_payment_failed");
        prop_assert!(settled <= 1);
    }
}
