use super::confirm::{ConfirmOptions, Outcome, authenticate, confirm};
use super::intent::{IntentSpec, cancel, capture, open_intent};
use super::refund::{self, RefundSpec};
use super::settle::{self, Settlement};
use super::{method, settle::settle as settle_now};
use crate::sandbox::behaviour::cards::{Billing, CardEntry};
use crate::sandbox::testing::Lab;
use crate::wire::failure::Failure;
use proptest::prelude::*;
use serde_json::{Value, json};

fn spec(amount: i64, currency: &str) -> IntentSpec {
    let types = ["card", "konbini", "sepa_debit"].map(str::to_owned).to_vec();
    IntentSpec { amount, currency: currency.to_owned(), types, ..IntentSpec::default() }
}

fn open(world: &mut Lab, spec: IntentSpec) -> String {
    world.change(|txn| Ok(open_intent(txn, spec))).unwrap()
}

fn pay(world: &mut Lab, pi: &str, pm: &str) -> Result<Outcome, Failure> {
    world.change(|txn| confirm(txn, pi, pm, &ConfirmOptions::default()))
}

#[test]
fn a_card_payment_tells_its_story_in_stripes_order() {
    let mut world = Lab::new();
    let pi = open(&mut world, spec(500, "jpy"));
    let entry = CardEntry {
        number: "4242 4242 4242 4242".to_owned(),
        exp_month: 12,
        exp_year: 34,
        cvc: Some("123".to_owned()),
        billing: Billing { email: Some("a@example.com".to_owned()), ..Billing::default() },
    };
    let pm = world.change(|txn| method::create_card(txn, &entry)).unwrap();
    assert_eq!(pay(&mut world, &pi, &pm), Ok(Outcome::Succeeded));
    let doc = world.get("payment_intent", &pi);
    assert_eq!((&doc["status"], &doc["amount_received"]), (&json!("succeeded"), &json!(500)));
    world.advance(0);
    let events = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ];
    assert_eq!(world.events(), events);
    let charge = world.get("charge", doc["latest_charge"].as_str().unwrap());
    let fee = world.get("balance_transaction", charge["balance_transaction"].as_str().unwrap());
    assert_eq!((&fee["fee"], &fee["net"]), (&json!(18), &json!(482)));
    assert_eq!(charge["payment_method_details"]["card"]["checks"]["cvc_check"], "pass");
}

#[test]
fn a_decline_is_a_402_that_keeps_its_trace() {
    let mut world = Lab::new();
    let pi = open(&mut world, spec(500, "jpy"));
    let failure = pay(&mut world, &pi, "pm_card_visa_chargeDeclinedInsufficientFunds").unwrap_err();
    assert_eq!((failure.status, failure.code.as_deref()), (402, Some("card_declined")));
    assert_eq!(failure.more["decline_code"], "insufficient_funds");
    assert_eq!(failure.more["payment_intent"]["status"], "requires_payment_method");
    let found = crate::catalog::Catalog::get().check(&failure.body());
    assert!(found.is_empty(), "{found:#?}");
    let events = ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"];
    assert_eq!(world.events(), events);
    assert_eq!(pay(&mut world, &pi, "pm_card_visa"), Ok(Outcome::Succeeded));
    assert_eq!(world.get("payment_intent", &pi)["last_payment_error"], Value::Null);
}

#[test]
fn three_d_secure_is_passed_failed_or_passed_and_declined() {
    let mut world = Lab::new();
    let asked = Ok(Outcome::RequiresAction { settles: None });
    let pi = open(&mut world, spec(500, "jpy"));
    assert_eq!(pay(&mut world, &pi, "pm_card_threeDSecure2Required"), asked);
    let action = &world.get("payment_intent", &pi)["next_action"]["use_stripe_sdk"];
    assert_eq!(action["type"], "three_d_secure_redirect");
    assert!(action["source"].as_str().unwrap().starts_with("src_1"), "{action}");
    assert_eq!(world.change(|txn| authenticate(txn, &pi, true)), Ok(Outcome::Succeeded));
    let events = [
        "payment_intent.created",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ];
    assert_eq!(world.events(), events);

    let pi = open(&mut world, spec(500, "jpy"));
    assert_eq!(pay(&mut world, &pi, "pm_card_authenticationRequired"), asked);
    let failure = world.change(|txn| authenticate(txn, &pi, false)).unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("payment_intent_authentication_failure"));
    assert_eq!(world.get("payment_intent", &pi)["latest_charge"], Value::Null);
    let declined = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds";
    assert_eq!(pay(&mut world, &pi, declined), asked);
    let failure = world.change(|txn| authenticate(txn, &pi, true)).unwrap_err();
    assert_eq!(failure.more["decline_code"], "insufficient_funds");
}

#[test]
fn konbini_waits_and_then_is_paid_or_lapses() {
    let mut world = Lab::new();
    for (email, ok) in [("a@example.com", true), ("expire_with_delay@example.com", false)] {
        let pi = open(&mut world, spec(1_000, "jpy"));
        let billing = Billing { email: Some(email.to_owned()), ..Billing::default() };
        let pm = world.change(|txn| Ok(method::create_konbini(txn, &billing))).unwrap();
        let settles = Some(Settlement { after_s: 180, ok });
        let outcome = pay(&mut world, &pi, &pm);
        assert_eq!(outcome, Ok(Outcome::RequiresAction { settles }));
        let scheduled = world.change(|txn| {
            settle::schedule(txn, &pi, outcome.unwrap());
            Ok(())
        });
        scheduled.unwrap();
        world.advance(179);
        assert_eq!(world.get("payment_intent", &pi)["status"], "requires_action");
        world.advance(1);
        let status = if ok { "succeeded" } else { "requires_payment_method" };
        assert_eq!(world.get("payment_intent", &pi)["status"], status);
    }
    world.events();
}

#[test]
fn a_bank_debit_is_pending_until_the_bank_answers() {
    let mut world = Lab::new();
    let pi = open(&mut world, spec(3_000, "eur"));
    let none = Billing::default();
    let iban = "IT60X0542811101000000123456";
    let pm = world.change(|txn| method::create_sepa_debit(txn, iban, &none)).unwrap();
    let settles = Settlement { after_s: 1, ok: false };
    assert_eq!(pay(&mut world, &pi, &pm), Ok(Outcome::Processing { settles: Some(settles) }));
    world.change(|txn| settle_now(txn, &pi, false)).unwrap();
    let events = [
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "charge.failed",
        "payment_intent.payment_failed",
    ];
    assert_eq!(world.events(), events);
    assert_eq!(pay(&mut world, &pi, "pm_sepaDebit_success_at").map(|_| ()), Ok(()));
    world.change(|txn| settle_now(txn, &pi, true)).unwrap();
    assert_eq!(world.get("payment_intent", &pi)["status"], "succeeded");
}

#[test]
fn held_money_is_captured_once_released_or_lapses() {
    let mut world = Lab::new();
    let manual = || IntentSpec { capture_method: Some("manual".to_owned()), ..spec(900, "usd") };
    let pi = open(&mut world, manual());
    assert_eq!(pay(&mut world, &pi, "pm_card_visa"), Ok(Outcome::RequiresCapture));
    let too_much = world.change(|txn| capture(txn, &pi, Some(901), true)).unwrap_err();
    assert_eq!(too_much.code.as_deref(), Some("amount_too_large"));
    let done = world.change(|txn| capture(txn, &pi, Some(400), true)).unwrap();
    assert_eq!((&done["status"], &done["amount_received"]), (&json!("succeeded"), &json!(400)));
    let twice = world.change(|txn| capture(txn, &pi, None, true)).unwrap_err();
    assert_eq!(twice.code.as_deref(), Some("payment_intent_unexpected_state"));

    let pi = open(&mut world, manual());
    pay(&mut world, &pi, "pm_card_visa").unwrap();
    let reason = Some("requested_by_customer");
    world.change(|txn| cancel(txn, &pi, reason)).unwrap();
    assert_eq!(world.get("payment_intent", &pi)["status"], "canceled");
    let pi = open(&mut world, manual());
    pay(&mut world, &pi, "pm_card_visa").unwrap();
    world.advance(7 * 86_400);
    assert_eq!(world.get("payment_intent", &pi)["cancellation_reason"], "automatic");
    world.events();
}

#[derive(Clone, Debug)]
enum Step {
    Confirm(usize),
    Authenticate(bool),
    Settle(bool),
    Cancel,
    Capture(Option<i64>),
    Refund(Option<i64>),
    Wait(i64),
    Reprice(i64),
    Swap(usize),
}

const METHODS: [&str; 8] = [
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_threeDSecureRequiredChargeDeclined",
    "pm_card_refundFail",
    "pm_card_pendingRefund",
    "pm_sepaDebit_success_at",
    "pm_sepaDebit_failed_at",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount = || proptest::option::of(-5_i64..2_500);
    let step = prop_oneof![
        4 => (0..METHODS.len()).prop_map(Step::Confirm),
        2 => any::<bool>().prop_map(Step::Authenticate),
        2 => any::<bool>().prop_map(Step::Settle),
        1 => Just(Step::Cancel),
        2 => amount().prop_map(Step::Capture),
        3 => amount().prop_map(Step::Refund),
        1 => (40_i64..2_000).prop_map(Step::Reprice),
        1 => (0..METHODS.len()).prop_map(Step::Swap),
        1 => prop_oneof![Just(1_i64), Just(100), Just(90_000), Just(800_000)].prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..14)
}

fn run(world: &mut Lab, pi: &str, step: &Step) -> Result<(), Failure> {
    let options = ConfirmOptions::default();
    match step {
        Step::Confirm(at) => world.change(|txn| {
            let outcome = confirm(txn, pi, METHODS[*at], &options)?;
            settle::schedule(txn, pi, outcome);
            Ok(())
        }),
        Step::Authenticate(passed) => {
            world.change(|txn| authenticate(txn, pi, *passed).map(|_| ()))
        }
        Step::Settle(ok) => world.change(|txn| settle_now(txn, pi, *ok)),
        Step::Cancel => world.change(|txn| cancel(txn, pi, None).map(|_| ())),
        Step::Capture(amount) => world.change(|txn| capture(txn, pi, *amount, true).map(|_| ())),
        Step::Refund(amount) => {
            let charge = world.get("payment_intent", pi)["latest_charge"].clone();
            let charge = charge.as_str().unwrap_or_default().to_owned();
            let spec = RefundSpec { charge, amount: *amount, ..RefundSpec::default() };
            world.change(|txn| refund::create(txn, &spec).map(|_| ()))
        }
        Step::Reprice(amount) => world
            .call(&format!("POST /v1/payment_intents/{pi}"), json!({"amount": amount}))
            .map(|_| ()),
        Step::Swap(at) => world
            .call(
                &format!("POST /v1/payment_intents/{pi}"),
                json!({"payment_method": METHODS[*at]}),
            )
            .map(|_| ()),
        Step::Wait(seconds) => {
            world.advance(*seconds);
            Ok(())
        }
    }
}

/// The states that may follow a state in one step.
fn may_follow(before: &str, after: &str) -> bool {
    const OPEN: [&str; 7] = [
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "succeeded",
        "canceled",
    ];
    before == after
        || match before {
            "requires_payment_method" | "requires_confirmation" | "requires_action" => {
                OPEN.contains(&after)
            }
            "processing" => ["succeeded", "requires_payment_method", "canceled"].contains(&after),
            "requires_capture" => ["succeeded", "canceled"].contains(&after),
            _ => false,
        }
}

fn check_books(world: &Lab) {
    let view = world.view();
    let number = |doc: &Value, name: &str| doc[name].as_i64().unwrap();
    let mut expected = 0;
    for charge in view.newest("charge") {
        let captured = number(&charge, "amount_captured");
        if charge["captured"] == true {
            assert!(number(&charge, "amount_refunded") <= captured, "{charge:?}");
            assert!(captured <= number(&charge, "amount"));
        }
        if let Some(booked) = charge["balance_transaction"].as_str() {
            let booked = world.get("balance_transaction", booked);
            assert_eq!(number(&booked, "amount"), captured);
            expected += number(&booked, "net");
        }
    }
    for refund in view.newest("refund") {
        let came_back = refund["status"] == "failed" || refund["status"] == "canceled";
        expected -= if came_back { 0 } else { number(&refund, "amount") };
    }
    let balance = crate::sandbox::behaviour::balance::balance(&view);
    let rows = ["available", "pending"].iter().flat_map(|part| balance[*part].as_array().unwrap());
    assert_eq!(rows.map(|row| number(row, "amount")).sum::<i64>(), expected);
    let found = crate::catalog::Catalog::get().check(&balance);
    assert!(found.is_empty(), "{found:#?}");
}

proptest! {
    #[test]
    fn no_order_of_steps_reaches_an_impossible_state(steps in steps(), manual in any::<bool>()) {
        let mut world = Lab::new();
        let capture_method = manual.then(|| "manual".to_owned());
        let pi = open(&mut world, IntentSpec { capture_method, ..spec(2_000, "eur") });
        let mut before = "requires_payment_method".to_owned();
        for step in &steps {
            let result = run(&mut world, &pi, step);
            world.advance(0);
            let doc = world.get("payment_intent", &pi);
            let after = doc["status"].as_str().unwrap().to_owned();
            prop_assert!(may_follow(&before, &after), "{} -> {} by {:?}", before, after, step);
            if let Err(failure) = &result {
                prop_assert!(failure.keeps_changes || before == after);
            }
            let (received, held) = (&doc["amount_received"], &doc["amount_capturable"]);
            prop_assert!(received.as_i64().unwrap() <= 2_000);
            let holds = *held == doc["amount"];
            prop_assert_eq!(holds, after == "requires_capture");
            prop_assert_eq!(received.as_i64().unwrap() > 0, after == "succeeded");
            prop_assert_eq!(doc["next_action"].is_null(), after != "requires_action");
            let public = doc.clone();
            let found = crate::catalog::Catalog::get().check(&public);
            prop_assert!(found.is_empty(), "{:#?}", found);
            check_books(&world);
            before = after;
        }
        let captured = world.view().newest("charge").filter(|c| c["captured"] == true).count();
        prop_assert!(captured <= 1);
        world.events();
    }
}
