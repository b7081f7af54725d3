//! Payments by other means than cards, by hand, in parts, and from cash.

use crate::sandbox::behaviour::payment::confirm;
use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};

fn id(doc: &Value) -> String {
    doc["id"].as_str().unwrap().to_owned()
}

fn customer(lab: &mut Lab) -> String {
    id(&lab.ok("POST /v1/customers", json!({})))
}

fn transfer(lab: &mut Lab, customer: &str, amount: i64) -> String {
    let params = json!({"amount": amount, "currency": "jpy", "customer": customer, "confirm": true,
        "allowed_payment_method_types": ["customer_balance"],
        "payment_method_data": {"type": "customer_balance"},
        "payment_method_options": {"customer_balance": {"funding_type": "bank_transfer",
            "bank_transfer": {"type": "jp_bank_transfer"}}}});
    id(&lab.ok("POST /v1/payment_intents", params))
}

fn fund(lab: &mut Lab, customer: &str, amount: i64) {
    let path = format!("POST /v1/test_helpers/customers/{customer}/fund_cash_balance");
    lab.ok(&path, json!({"amount": amount, "currency": "jpy"}));
}

fn cash(lab: &mut Lab, customer: &str) -> i64 {
    let shown = lab.ok(&format!("GET /v1/customers/{customer}/cash_balance"), json!({}));
    shown["available"]["jpy"].as_i64().unwrap_or(0)
}

#[test]
fn a_transfer_pays_in_parts_and_what_is_left_stays() {
    let mut lab = Lab::new();
    let customer = customer(&mut lab);
    let pi = transfer(&mut lab, &customer, 20_000);
    let asked = lab.get("payment_intent", &pi);
    let told = &asked["next_action"]["display_bank_transfer_instructions"];
    assert_eq!(
        (&told["amount_remaining"], &told["type"]),
        (&json!(20_000), &json!("jp_bank_transfer"))
    );
    assert_eq!(told["financial_addresses"][0]["type"], "zengin");
    fund(&mut lab, &customer, 8_000);
    let part = lab.get("payment_intent", &pi);
    assert_eq!(
        part["next_action"]["display_bank_transfer_instructions"]["amount_remaining"],
        12_000
    );
    assert_eq!((part["status"].as_str(), cash(&mut lab, &customer)), (Some("requires_action"), 0));
    fund(&mut lab, &customer, 13_000);
    let paid = lab.get("payment_intent", &pi);
    assert_eq!((paid["status"].as_str(), cash(&mut lab, &customer)), (Some("succeeded"), 1_000));
    let events = lab.events();
    let of_cash: Vec<&str> =
        events.iter().map(String::as_str).filter(|it| !it.starts_with("customer.")).collect();
    assert_eq!(
        of_cash,
        [
            "payment_intent.created",
            "payment_intent.requires_action",
            "customer_cash_balance_transaction.created",
            "customer_cash_balance_transaction.created",
            "payment_intent.partially_funded",
            "customer_cash_balance_transaction.created",
            "customer_cash_balance_transaction.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "cash_balance.funds_available",
        ]
    );
}

#[test]
fn cash_that_is_kept_by_hand_is_applied_by_hand_and_given_back_at_a_cancellation() {
    let mut lab = Lab::new();
    let made = lab.ok(
        "POST /v1/customers",
        json!({"cash_balance": {"settings": {"reconciliation_mode": "manual"}}}),
    );
    let customer = id(&made);
    fund(&mut lab, &customer, 5_000);
    let pi = transfer(&mut lab, &customer, 9_000);
    assert_eq!(cash(&mut lab, &customer), 5_000);
    let path = format!("POST /v1/payment_intents/{pi}");
    lab.ok(&format!("{path}/apply_customer_balance"), json!({"amount": 2_000, "currency": "jpy"}));
    assert_eq!(cash(&mut lab, &customer), 3_000);
    lab.ok(&format!("{path}/cancel"), json!({}));
    assert_eq!(cash(&mut lab, &customer), 5_000);
    let sent = json!({"bank_transfer": {"type": "jp_bank_transfer"}, "currency": "jpy", "funding_type": "bank_transfer"});
    let told = lab.ok(&format!("POST /v1/customers/{customer}/funding_instructions"), sent);
    assert_eq!(told["bank_transfer"]["country"], "JP");
}

/// Every type of debit, its currency, and an account that pays and one that does not.
#[test]
fn every_debit_is_pending_until_its_bank_answers() {
    let cases = [
        (
            "us_bank_account",
            "usd",
            json!({"account_number": "000222222227", "routing_number": "110000000", "account_holder_type": "individual"}),
            "insufficient_funds",
        ),
        (
            "us_bank_account",
            "usd",
            json!({"account_number": "000111111113", "routing_number": "110000000", "account_holder_type": "individual"}),
            "account_closed",
        ),
        (
            "bacs_debit",
            "gbp",
            json!({"account_number": "33333335", "sort_code": "108800"}),
            "debit_not_authorized",
        ),
        ("bacs_debit", "gbp", json!({"account_number": "00012345", "sort_code": "108800"}), ""),
        (
            "au_becs_debit",
            "aud",
            json!({"account_number": "000123456", "bsb_number": "000000"}),
            "",
        ),
        (
            "au_becs_debit",
            "aud",
            json!({"account_number": "111111116", "bsb_number": "000000"}),
            "no_account",
        ),
        (
            "acss_debit",
            "cad",
            json!({"account_number": "000222222227", "institution_number": "000", "transit_number": "11000"}),
            "insufficient_funds",
        ),
    ];
    for (kind, currency, account, refusal) in cases {
        let mut lab = Lab::new();
        let billing = json!({"name": "Aki", "email": "a@example.com"});
        let begun = lab.ok(
            "POST /v1/payment_intents",
            json!({"amount": 5_000, "currency": currency, "confirm": true, "allowed_payment_method_types": [kind],
                "payment_method_data": {"type": kind, kind: account, "billing_details": billing}}),
        );
        let path = format!("POST /v1/payment_intents/{}/verify_microdeposits", id(&begun));
        if begun["status"] == "requires_action" {
            let wrong = lab.call(&path, json!({"amounts": [1, 1]})).unwrap_err();
            assert!(wrong.code.unwrap().ends_with("amounts_mismatch"));
            lab.ok(&path, json!({"descriptor_code": "SM11AA"}));
        } else {
            assert_eq!(
                lab.call(&path, json!({})).unwrap_err().code.as_deref(),
                Some("intent_invalid_state")
            );
        }
        assert_eq!(lab.get("payment_intent", &id(&begun))["status"], "processing", "{kind}");
        lab.advance(400);
        let ended = lab.get("payment_intent", &id(&begun));
        if refusal.is_empty() {
            assert_eq!(ended["status"], "succeeded", "{kind}");
        } else {
            assert_eq!(ended["last_payment_error"]["decline_code"], refusal, "{kind}");
        }
    }
}

#[test]
fn a_wallet_is_approved_where_it_sends_its_owner() {
    let mut lab = Lab::new();
    let mut params = json!({"amount": 800, "currency": "jpy", "confirm": true, "allowed_payment_method_types": ["paypay"],
        "payment_method_data": {"type": "paypay", "paypay": {}}});
    let refused = lab.call("POST /v1/payment_intents", params.clone()).unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("return_url"));
    params["return_url"] = json!("https://shop.example/");
    for (passes, wanted) in [(true, "succeeded"), (false, "requires_payment_method")] {
        let begun = lab.ok("POST /v1/payment_intents", params.clone());
        assert_eq!(begun["next_action"]["type"], "redirect_to_url");
        drop(lab.change(|txn| confirm::authenticate(txn, &id(&begun), passes).map(|_| ())));
        assert_eq!(lab.get("payment_intent", &id(&begun))["status"], wanted);
    }
}

#[test]
fn a_server_that_confirms_by_hand_does_so_again_after_the_challenge() {
    let mut lab = Lab::new();
    let begun = lab.ok(
        "POST /v1/payment_intents",
        json!({"amount": 800, "currency": "usd", "confirm": true, "confirmation_method": "manual",
            "allowed_payment_method_types": ["card"], "payment_method": "pm_card_authenticationRequired"}),
    );
    assert_eq!(begun["status"], "requires_action");
    lab.change(|txn| confirm::authenticate(txn, &id(&begun), true).map(|_| ())).unwrap();
    assert_eq!(lab.get("payment_intent", &id(&begun))["status"], "requires_confirmation");
    let path = format!("POST /v1/payment_intents/{}/confirm", id(&begun));
    let paid = lab.ok(&path, json!({}));
    assert_eq!(paid["status"], "succeeded");
    let charge = lab.get("charge", paid["latest_charge"].as_str().unwrap());
    assert_eq!(
        charge["payment_method_details"]["card"]["three_d_secure"]["result"],
        "authenticated"
    );
}

#[test]
fn a_hold_is_raised_and_captured_in_parts_only_where_that_was_asked_for() {
    let mut lab = Lab::new();
    let open = |lab: &mut Lab, card: Value| {
        let params = json!({"amount": 1_000, "currency": "usd", "confirm": true, "capture_method": "manual",
            "allowed_payment_method_types": ["card"], "payment_method": "pm_card_visa",
            "payment_method_options": {"card": card}});
        format!("POST /v1/payment_intents/{}", id(&lab.ok("POST /v1/payment_intents", params)))
    };
    let plain = open(&mut lab, json!({}));
    assert_eq!(
        lab.call(&format!("{plain}/increment_authorization"), json!({"amount": 1_100}))
            .unwrap_err()
            .status,
        400
    );
    let part = json!({"amount_to_capture": 300, "final_capture": false});
    assert_eq!(
        lab.call(&format!("{plain}/capture"), part.clone()).unwrap_err().param.as_deref(),
        Some("final_capture")
    );
    let raised = open(&mut lab, json!({"request_incremental_authorization": "if_available"}));
    let after = lab.ok(&format!("{raised}/increment_authorization"), json!({"amount": 1_500}));
    assert_eq!((&after["amount"], &after["amount_capturable"]), (&json!(1_500), &json!(1_500)));
    assert_eq!(lab.ok(&format!("{raised}/capture"), json!({}))["amount_received"], 1_500);
    let many = open(&mut lab, json!({"request_multicapture": "if_available"}));
    let after = lab.ok(&format!("{many}/capture"), part);
    assert_eq!(
        (&after["status"], &after["amount_capturable"]),
        (&json!("requires_capture"), &json!(700))
    );
    let after = lab.ok(&format!("{many}/capture"), json!({"amount_to_capture": 500}));
    assert_eq!((&after["status"], &after["amount_received"]), (&json!("succeeded"), &json!(800)));
    let charge = lab.get("charge", after["latest_charge"].as_str().unwrap());
    assert_eq!(charge["amount_captured"], 800);
}

#[test]
fn a_configuration_says_which_types_are_offered() {
    let mut lab = Lab::new();
    let params = json!({"name": "Shop", "konbini": {"display_preference": {"preference": "on"}}});
    let made = lab.ok("POST /v1/payment_method_configurations", params);
    let all = lab.ok("GET /v1/payment_method_configurations", json!({}));
    assert_eq!(all["data"].as_array().unwrap().len(), 2, "the account's own, and the new one");
    let pi = json!({"amount": 500, "currency": "jpy", "payment_method_configuration": made["id"]});
    let pi = lab.ok("POST /v1/payment_intents", pi);
    assert_eq!(pi["payment_method_types"], json!(["card", "konbini"]));
    assert_eq!(pi["payment_method_configuration_details"]["id"], made["id"]);
    let pi =
        json!({"amount": 500, "currency": "jpy", "excluded_payment_method_types": ["konbini"]});
    let pi = lab.ok("POST /v1/payment_intents", pi);
    assert_eq!(pi["payment_method_types"], json!(["card", "link"]));
    assert_eq!(pi["payment_method_options"]["link"], json!({"persistent_token": null}));

    let own = pi["payment_method_configuration_details"]["id"].as_str().unwrap();
    let path = format!("/v1/payment_method_configurations/{own}");
    assert_eq!(lab.ok(&format!("GET {path}"), json!({}))["is_default"], true);
    let off = json!({"display_preference": {"preference": "off"}});
    let on = json!({"display_preference": {"preference": "on"}});
    let asked = json!({"link": off, "alipay": on, "apple_pay": on});
    lab.ok(&format!("POST {path}"), asked);
    let open = |lab: &mut Lab, more: &Value| {
        let mut asked = json!({"amount": 500, "currency": "jpy"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        lab.ok("POST /v1/payment_intents", asked)
    };
    let types = open(&mut lab, &json!({}))["payment_method_types"].clone();
    assert_eq!(types, json!(["card", "alipay", "konbini"]), "a wallet is no type");
    let listed = open(&mut lab, &json!({"payment_method_types": ["card"]}));
    assert_eq!(listed["payment_method_configuration_details"], Value::Null);
}

#[test]
fn keys_sessions_and_domains_are_made_for_a_while_or_for_good() {
    let mut lab = Lab::new();
    let customer = customer(&mut lab);
    let key = lab.ok("POST /v1/ephemeral_keys", json!({"customer": customer}));
    assert_eq!(key["expires"].as_i64().unwrap() - key["created"].as_i64().unwrap(), 3_600);
    assert_eq!(key["associated_objects"][0]["type"], "customer");
    lab.ok(&format!("DELETE /v1/ephemeral_keys/{}", id(&key)), json!({}));
    let sent = json!({"customer": customer, "components": {"payment_element": {"enabled": true,
        "features": {"payment_method_save": "enabled"}}}});
    let session = lab.ok("POST /v1/customer_sessions", sent);
    assert_eq!(
        session["components"]["payment_element"]["features"]["payment_method_save"],
        "enabled"
    );
    assert_eq!(session["components"]["pricing_table"]["enabled"], false);
    let domain = lab.ok("POST /v1/payment_method_domains", json!({"domain_name": "Shop.example"}));
    let path = format!("POST /v1/payment_method_domains/{}", id(&domain));
    assert_eq!(lab.ok(&path, json!({"enabled": false}))["apple_pay"]["status"], "inactive");
    let apple = lab.ok("POST /v1/apple_pay/domains", json!({"domain_name": "shop.example"}));
    lab.ok(&format!("DELETE /v1/apple_pay/domains/{}", id(&apple)), json!({}));
    assert_eq!(lab.ok("GET /v1/apple_pay/domains", json!({}))["data"], json!([]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever comes in and is asked for: nothing is made or lost, and the balance is the sum of its transactions.
    #[test]
    fn cash_is_the_sum_of_what_moved(steps in proptest::collection::vec((0_u8..3, 200_i64..9_000), 1..10)) {
        let mut lab = Lab::new();
        let customer = customer(&mut lab);
        let (mut sent, mut intents) = (0, Vec::new());
        for (deed, amount) in steps {
            match deed {
                0 => { fund(&mut lab, &customer, amount); sent += amount; }
                1 => intents.push(transfer(&mut lab, &customer, amount)),
                _ => if let Some(pi) = intents.last() {
                    drop(lab.call(&format!("POST /v1/payment_intents/{pi}/cancel"), json!({})));
                },
            }
            let held = cash(&mut lab, &customer);
            let path = format!("GET /v1/customers/{customer}/cash_balance_transactions");
            let moved = lab.ok(&path, json!({"limit": 100}));
            let moved = moved["data"].as_array().unwrap();
            prop_assert_eq!(moved.iter().map(|it| it["net_amount"].as_i64().unwrap()).sum::<i64>(), held);
            if let Some(newest) = moved.first() {
                prop_assert_eq!(newest["ending_balance"].as_i64(), Some(held));
            }
            let (mut paid, mut waiting) = (0, 0);
            for pi in &intents {
                let pi = lab.get("payment_intent", pi);
                let amount = pi["amount"].as_i64().unwrap();
                match pi["status"].as_str().unwrap() {
                    "succeeded" => paid += amount,
                    "requires_action" => {
                        let told = &pi["next_action"]["display_bank_transfer_instructions"];
                        waiting += amount - told["amount_remaining"].as_i64().unwrap();
                    }
                    other => prop_assert_eq!(other, "canceled"),
                }
            }
            prop_assert_eq!(held + paid + waiting, sent);
            prop_assert!(held >= 0);
        }
    }
}
