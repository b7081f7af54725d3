//! Refunds of every method, in any order, until their banks have answered.

use crate::sandbox::testing::Lab;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

const DAY: i64 = 86_400;

/// A payment of 2,000 that was taken: its charge.
fn paid(lab: &mut Lab, method: &str) -> String {
    let mut sent = json!({"amount": 2_000, "currency": "jpy", "confirm": true});
    match method {
        "konbini" => {
            sent["allowed_payment_method_types"] = json!(["konbini"]);
            sent["payment_method_data"] = json!({"type": "konbini",
                "billing_details": {"email": "succeed_immediately@example.com", "name": "Ada"}});
        }
        "sepa_debit" => {
            sent["currency"] = json!("eur");
            sent["allowed_payment_method_types"] = json!(["sepa_debit"]);
            sent["mandate_data"] = json!({"customer_acceptance": {"type": "offline"}});
            sent["payment_method_data"] = json!({"type": "sepa_debit",
                "sepa_debit": {"iban": "AT611904300234573201"},
                "billing_details": {"email": "ada@example.com", "name": "Ada"}});
        }
        card => {
            sent["payment_method"] = json!(format!("pm_card_{card}"));
            sent["automatic_payment_methods"] =
                json!({"enabled": true, "allow_redirects": "never"});
        }
    }
    lab.ok("POST /v1/payment_intents", sent);
    lab.advance(10);
    let charge = lab.view().newest("charge").next().unwrap();
    charge["id"].as_str().unwrap().to_owned()
}

fn refund(lab: &mut Lab, charge: &str) -> Value {
    lab.ok("POST /v1/refunds", json!({"charge": charge, "instructions_email": "a@example.com"}))
}

#[test]
fn each_method_is_refunded_in_its_own_time_and_says_why_it_was_not() {
    for (method, first, last, why) in [
        ("visa", "succeeded", "succeeded", None),
        ("pendingRefund", "pending", "succeeded", None),
        ("refundFail", "succeeded", "failed", Some("expired_or_canceled_card")),
        ("sepa_debit", "pending", "succeeded", None),
        // Nobody says where it goes.
        ("konbini", "requires_action", "failed", Some("unknown")),
    ] {
        let mut lab = Lab::new();
        let charge = paid(&mut lab, method);
        let made = refund(&mut lab, &charge);
        assert_eq!(made["status"], first, "{method}");
        lab.advance(50 * DAY);
        let ended = lab.get("refund", made["id"].as_str().unwrap());
        assert_eq!(ended["status"], last, "{method}");
        assert_eq!(ended.get("failure_reason").and_then(Value::as_str), why, "{method}");
        let row = lab.get("balance_transaction", made["balance_transaction"].as_str().unwrap());
        let what = if charge.starts_with("py_") { "PAYMENT" } else { "CHARGE" };
        assert_eq!(row["description"], format!("REFUND FOR {what}"), "{method}");
        let owed = if last == "failed" { 0 } else { 2_000 };
        assert_eq!(lab.get("charge", &charge)["amount_refunded"], owed, "{method}");
    }
    let mut lab = Lab::new();
    let charge = paid(&mut lab, "konbini");
    let made = refund(&mut lab, &charge);
    let path = format!("POST /v1/refunds/{}/cancel", made["id"].as_str().unwrap());
    let canceled = lab.ok(&path, json!({}));
    assert_eq!(
        (&canceled["status"], &canceled["failure_reason"]),
        (&json!("canceled"), &json!("merchant_request"))
    );
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Refund(Option<i64>),
    Cancel,
    Expire,
    Note,
    Wait(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        prop::option::of(1_i64..1_500).prop_map(Act::Refund),
        prop::option::of(1_i64..1_500).prop_map(Act::Refund),
        Just(Act::Cancel),
        Just(Act::Expire),
        Just(Act::Note),
        (0_i64..20 * DAY).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..10)
}

/// The states that may follow a state of a refund.
fn may_follow(before: &str, after: &str) -> bool {
    before == after
        || match before {
            "pending" => ["succeeded", "failed"].contains(&after),
            "requires_action" => ["succeeded", "failed", "canceled"].contains(&after),
            // A bank may send back what it took.
            "succeeded" => after == "failed",
            _ => false,
        }
}

fn play(lab: &mut Lab, act: Act, charge: &str) {
    let last = lab.view().newest("refund").next().map(|it| it["id"].as_str().unwrap().to_owned());
    match (act, last) {
        (Act::Refund(amount), _) => {
            let mut sent = json!({"charge": charge, "instructions_email": "a@example.com"});
            if let Some(amount) = amount {
                sent["amount"] = json!(amount);
            }
            drop(lab.call("POST /v1/refunds", sent));
        }
        (Act::Wait(seconds), _) => lab.advance(seconds),
        (_, None) => {}
        (Act::Cancel, Some(id)) => {
            drop(lab.call(&format!("POST /v1/refunds/{id}/cancel"), json!({})));
        }
        (Act::Expire, Some(id)) => {
            drop(lab.call(&format!("POST /v1/test_helpers/refunds/{id}/expire"), json!({})));
        }
        (Act::Note, Some(id)) => {
            lab.ok(&format!("POST /v1/refunds/{id}"), json!({"metadata": {"note": "1"}}));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_order_of_acts_refunds_more_than_was_paid_and_the_books_hold(
        acts in acts(),
        method in prop::sample::select(vec!["visa", "pendingRefund", "refundFail", "sepa_debit", "konbini"]),
    ) {
        let mut lab = Lab::new();
        let charge = paid(&mut lab, method);
        let mut known: HashMap<String, String> = HashMap::new();
        for act in acts {
            play(&mut lab, act, &charge);
            let mut gone = 0;
            for refund in lab.view().newest("refund") {
                let (id, status) = (refund["id"].as_str().unwrap(), refund["status"].as_str().unwrap());
                let amount = refund["amount"].as_i64().unwrap();
                let came_back = ["failed", "canceled"].contains(&status);
                gone += if came_back { 0 } else { amount };
                if let Some(before) = known.insert(id.to_owned(), status.to_owned()) {
                    prop_assert!(may_follow(&before, status), "{} -> {}", before, status);
                }
                let rows = lab.view().having("balance_transaction", "source", id);
                let moved: i64 = rows.iter().map(|row| row["net"].as_i64().unwrap()).sum();
                prop_assert_eq!(moved, if came_back { 0 } else { -amount });
                prop_assert_eq!(came_back, refund["failure_balance_transaction"].is_string());
            }
            let of = lab.get("charge", &charge);
            prop_assert_eq!(of["amount_refunded"].as_i64(), Some(gone));
            prop_assert!(gone <= 2_000);
            prop_assert_eq!(of["refunded"].as_bool(), Some(gone == 2_000));
        }
        lab.events();
    }
}
