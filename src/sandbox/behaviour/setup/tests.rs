use crate::sandbox::behaviour::setup::confirm;
use crate::sandbox::behaviour::setup::state::STATUSES;
use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};

fn customer(lab: &mut Lab) -> String {
    id(&lab.ok("POST /v1/customers", json!({})))
}

fn id(doc: &Value) -> String {
    doc["id"].as_str().unwrap().to_owned()
}

fn of(name: &str) -> impl Fn(&Value) -> String + '_ {
    move |doc| doc[name].as_str().unwrap_or_default().to_owned()
}

fn code(lab: &mut Lab, endpoint: &str, params: Value) -> (u16, String) {
    let failure = lab.call(endpoint, params).unwrap_err();
    (failure.status, failure.code.unwrap_or_default())
}

#[test]
fn a_good_card_is_attached_before_the_intent_says_so() {
    let mut lab = Lab::new();
    let customer = customer(&mut lab);
    let made = lab.ok(
        "POST /v1/setup_intents",
        json!({"customer": customer, "payment_method": "pm_card_visa", "confirm": true,
            "allowed_payment_method_types": ["card"], "usage": "on_session", "metadata": {"k": "v"}}),
    );
    assert_eq!(
        (made["status"].as_str(), made["usage"].as_str()),
        (Some("succeeded"), Some("off_session"))
    );
    assert_eq!(made["payment_method_options"]["card"]["request_three_d_secure"], "automatic");
    assert_eq!(made["automatic_payment_methods"], Value::Null);
    assert!(made["client_secret"].as_str().unwrap().starts_with(made["id"].as_str().unwrap()));
    let pm = lab.get("payment_method", made["payment_method"].as_str().unwrap());
    assert_eq!(
        (&pm["customer"], &pm["card"]["checks"]["cvc_check"]),
        (&json!(customer), &json!("pass"))
    );
    let events = lab.events();
    let tail: Vec<&str> = events.iter().skip(1).map(String::as_str).collect();
    assert_eq!(tail, ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]);
    let tried = lab.ok("GET /v1/setup_attempts", json!({"setup_intent": made["id"]}));
    assert_eq!(tried["data"][0]["id"], made["latest_attempt"]);
    assert_eq!(tried["data"][0]["status"], "succeeded");
    let path = format!("POST /v1/setup_intents/{}/cancel", id(&made));
    assert_eq!(code(&mut lab, &path, json!({})), (400, "setup_intent_unexpected_state".to_owned()));
}

#[test]
fn a_refused_card_is_told_with_the_intent_and_another_one_may_follow() {
    let mut lab = Lab::new();
    let failure = lab
        .call(
            "POST /v1/setup_intents",
            json!({"payment_method": "pm_card_chargeDeclinedExpiredCard", "confirm": true}),
        )
        .unwrap_err();
    assert_eq!((failure.status, failure.param.as_deref()), (402, Some("exp_month")));
    assert_eq!(failure.more["decline_code"], "expired_card");
    let si = &failure.more["setup_intent"];
    assert_eq!(
        (&si["status"], &si["payment_method"]),
        (&json!("requires_payment_method"), &Value::Null)
    );
    assert_eq!(si["last_setup_error"]["code"], "expired_card");
    assert!(lab.events().contains(&"setup_intent.setup_failed".to_owned()));
    let path = format!("POST /v1/setup_intents/{}", id(si));
    assert_eq!(
        code(&mut lab, &format!("{path}/confirm"), json!({})),
        (400, "setup_intent_unexpected_state".to_owned())
    );
    let done = lab.ok(&format!("{path}/confirm"), json!({"payment_method": "pm_card_visa"}));
    assert_eq!(
        (of("status")(&done), &done["last_setup_error"]),
        ("succeeded".to_owned(), &Value::Null)
    );
}

#[test]
fn a_card_that_wants_its_owner_asks_and_pays_off_session_once_it_was_set_up() {
    let mut lab = Lab::new();
    let customer = customer(&mut lab);
    let params = json!({"customer": customer, "payment_method": "pm_card_authenticationRequiredOnSetup",
        "confirm": true, "return_url": "https://shop.example/back"});
    let asked = lab.ok("POST /v1/setup_intents", params);
    assert_eq!(asked["status"], "requires_action");
    let to = &asked["next_action"]["redirect_to_url"];
    assert!(to["url"].as_str().unwrap().contains(&format!("/3ds/{}", id(&asked))));
    let refused =
        lab.change(|txn| confirm::authenticate(txn, &id(&asked), false).map(|_| ())).unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("setup_intent_authentication_failure"));
    let path = format!("POST /v1/setup_intents/{}/confirm", id(&asked));
    let again = lab.ok(&path, json!({"payment_method": "pm_card_authenticationRequiredOnSetup"}));
    assert_eq!(again["next_action"]["type"], "use_stripe_sdk");
    lab.change(|txn| confirm::authenticate(txn, &id(&asked), true).map(|_| ())).unwrap();
    let done = lab.get("setup_intent", &id(&asked));
    assert_eq!(done["status"], "succeeded");
    let paid = lab.ok(
        "POST /v1/payment_intents",
        json!({"amount": 500, "currency": "usd", "customer": customer, "confirm": true,
            "off_session": true, "payment_method": done["payment_method"]}),
    );
    assert_eq!(paid["status"], "succeeded");
}

#[test]
fn bank_debits_need_a_mandate_and_american_accounts_proof() {
    let mut lab = Lab::new();
    let customer = customer(&mut lab);
    let mandate = json!({"customer_acceptance": {"type": "online", "accepted_at": 5,
        "online": {"ip_address": "127.0.0.1", "user_agent": "t"}}});
    let mut params = json!({"customer": customer, "payment_method": "pm_sepaDebit_success_de", "confirm": true,
        "allowed_payment_method_types": ["sepa_debit"]});
    assert_eq!(
        code(&mut lab, "POST /v1/setup_intents", params.clone()),
        (400, "setup_intent_mandate_invalid".to_owned())
    );
    params["mandate_data"] = mandate.clone();
    let done = lab.ok("POST /v1/setup_intents", params);
    let kept = lab.ok(&format!("GET /v1/mandates/{}", of("mandate")(&done)), json!({}));
    assert_eq!(
        (of("status")(&kept), of("type")(&kept)),
        ("active".to_owned(), "multi_use".to_owned())
    );
    assert_eq!(kept["payment_method"], done["payment_method"]);
    assert_eq!(kept["customer_acceptance"]["accepted_at"], 5);
    let account = json!({"account_number": "000123456789", "routing_number": "110000000",
        "account_holder_type": "individual"});
    let asked = lab.ok(
        "POST /v1/setup_intents",
        json!({"customer": customer, "confirm": true, "mandate_data": mandate,
            "allowed_payment_method_types": ["us_bank_account"], "payment_method_data": {
            "type": "us_bank_account", "us_bank_account": account, "billing_details": {"name": "Aki"}}}),
    );
    assert_eq!(asked["next_action"]["type"], "verify_with_microdeposits");
    let path = format!("POST /v1/setup_intents/{}/verify_microdeposits", id(&asked));
    for (sent, wanted) in [
        (json!({"amounts": [1, 2]}), "payment_method_microdeposit_verification_amounts_mismatch"),
        (
            json!({"descriptor_code": "SMX"}),
            "payment_method_microdeposit_verification_descriptor_code_mismatch",
        ),
    ] {
        assert_eq!(code(&mut lab, &path, sent), (400, wanted.to_owned()));
    }
    let done = lab.ok(&path, json!({"amounts": [45, 32]}));
    assert_eq!(done["status"], "succeeded");
    assert_eq!(code(&mut lab, &path, json!({"amounts": [32, 45]})).1, "intent_invalid_state");
}

#[test]
fn what_belongs_to_somebody_else_and_what_is_over_is_refused_in_stripes_words() {
    let mut lab = Lab::new();
    let customer = customer(&mut lab);
    let other = lab.ok("POST /v1/customers", json!({"payment_method": "pm_card_visa"}));
    let owned = lab.ok("GET /v1/payment_methods", json!({"customer": other["id"]}));
    let pm = of("id")(&owned["data"][0]);
    let refused = lab.call("POST /v1/setup_intents", json!({"payment_method": pm})).unwrap_err();
    assert!(refused.message.starts_with(&format!("The payment method supplied ({pm}) belongs to")));
    let refused = lab
        .call("POST /v1/setup_intents", json!({"payment_method": pm, "customer": customer}))
        .unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("payment_method"));
    let made = lab.ok("POST /v1/setup_intents", json!({"payment_method": "pm_card_visa"}));
    let path = format!("POST /v1/setup_intents/{}/cancel", id(&made));
    let gone = lab.ok(&path, json!({"cancellation_reason": "abandoned"}));
    assert_eq!(
        (of("status")(&gone), of("payment_method")(&gone)),
        ("canceled".to_owned(), of("payment_method")(&made))
    );
    assert!(
        lab.call(&path, json!({}))
            .unwrap_err()
            .message
            .ends_with("because it it already canceled.")
    );
    let missing = lab.call("GET /v1/setup_intents/seti_none", json!({})).unwrap_err();
    assert_eq!(
        (missing.status, missing.message.as_str()),
        (404, "No such setupintent: 'seti_none'")
    );
}

/// One thing that a client, a payer or a bank does.
#[derive(Clone, Debug)]
enum Deed {
    Choose(&'static str),
    Confirm(Option<&'static str>),
    Authenticate(bool),
    Cancel,
    Describe,
}

fn deed() -> impl Strategy<Value = Deed> {
    let method = || {
        prop_oneof![
            Just("pm_card_visa"),
            Just("pm_card_chargeDeclined"),
            Just("pm_card_authenticationRequired"),
            Just("pm_card_chargeCustomerFail"),
        ]
    };
    prop_oneof![
        method().prop_map(Deed::Choose),
        proptest::option::of(method()).prop_map(Deed::Confirm),
        any::<bool>().prop_map(Deed::Authenticate),
        Just(Deed::Cancel),
        Just(Deed::Describe),
    ]
}

fn play(lab: &mut Lab, si: &str, deed: &Deed) {
    let path = format!("POST /v1/setup_intents/{si}");
    drop(match deed {
        Deed::Choose(method) => lab.call(&path, json!({"payment_method": method})),
        Deed::Confirm(None) => lab.call(&format!("{path}/confirm"), json!({})),
        Deed::Confirm(Some(method)) => {
            lab.call(&format!("{path}/confirm"), json!({"payment_method": method}))
        }
        Deed::Authenticate(passed) => {
            lab.change(|txn| confirm::authenticate(txn, si, *passed).map(|it| it.document()))
        }
        Deed::Cancel => lab.call(&format!("{path}/cancel"), json!({})),
        Deed::Describe => lab.call(&path, json!({"description": "d"})),
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done in whatever order: the state is a possible one, what it says holds, and the events alone tell it.
    #[test]
    fn no_sequence_leads_to_an_impossible_state(deeds in proptest::collection::vec(deed(), 1..12)) {
        let mut lab = Lab::new();
        let customer = customer(&mut lab);
        let si = id(&lab.ok("POST /v1/setup_intents", json!({"customer": customer})));
        let mut over = None;
        for deed in &deeds {
            play(&mut lab, &si, deed);
            let now = lab.get("setup_intent", &si);
            let status = of("status")(&now);
            prop_assert!(STATUSES.contains(&status.as_str()));
            prop_assert_eq!(status == "requires_action", !now["next_action"].is_null());
            if status == "requires_payment_method" {
                prop_assert_eq!(&now["payment_method"], &Value::Null);
            }
            if status == "succeeded" {
                let pm = lab.get("payment_method", &of("payment_method")(&now));
                prop_assert_eq!(&pm["customer"], &json!(customer));
            }
            if let Some(over) = &over {
                prop_assert_eq!(over, &status, "nothing follows an end");
            }
            if matches!(status.as_str(), "succeeded" | "canceled") {
                over = Some(status);
            }
        }
        let events = lab.events();
        let count = |kind: &str| events.iter().filter(|it| *it == kind).count();
        let ends = count("setup_intent.succeeded") + count("setup_intent.canceled");
        prop_assert_eq!(ends, usize::from(over.is_some()));
        let tried = lab.ok("GET /v1/setup_attempts", json!({"setup_intent": si, "limit": 100}));
        let of_status = |wanted: &str| {
            tried["data"].as_array().unwrap().iter().filter(|it| it["status"] == wanted).count()
        };
        prop_assert_eq!(of_status("failed"), count("setup_intent.setup_failed"));
        prop_assert_eq!(of_status("succeeded"), count("setup_intent.succeeded"));
    }
}
