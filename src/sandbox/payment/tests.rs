use super::confirm::{ConfirmOptions, Outcome, authenticate, confirm};
use super::intent::{IntentSpec, cancel, capture, open_intent};
use super::settle::{self, Settlement};
use super::world::World;
use super::{method, settle::settle as settle_now};
use crate::sandbox::cards::{Billing, CardEntry};
use crate::wire::failure::Failure;
use serde_json::{Value, json};

fn spec(amount: i64, currency: &str) -> IntentSpec {
    let types = ["card", "konbini", "sepa_debit"].map(str::to_owned).to_vec();
    IntentSpec { amount, currency: currency.to_owned(), types, ..IntentSpec::default() }
}

fn open(world: &mut World, spec: IntentSpec) -> String {
    world.change(|txn| Ok(open_intent(txn, spec))).unwrap()
}

fn pay(world: &mut World, pi: &str, pm: &str) -> Result<Outcome, Failure> {
    world.change(|txn| confirm(txn, pi, pm, &ConfirmOptions::default()))
}

#[test]
fn a_card_payment_tells_its_story_in_stripes_order() {
    let mut world = World::new();
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
    let mut world = World::new();
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
    let mut world = World::new();
    let asked = Ok(Outcome::RequiresAction { settles: None });
    let pi = open(&mut world, spec(500, "jpy"));
    assert_eq!(pay(&mut world, &pi, "pm_card_threeDSecure2Required"), asked);
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
    let mut world = World::new();
    for (email, ok) in [("a@example.com", true), ("expire_with_delay@example.com", false)] {
        let pi = open(&mut world, spec(1_000, "jpy"));
        let billing = Billing { email: Some(email.to_owned()), ..Billing::default() };
        let pm = world.change(|txn| Ok(method::create_konbini(txn, &billing))).unwrap();
        let settles = Some(Settlement { after_s: 180, ok });
        let outcome = pay(&mut world, &pi, &pm);
        assert_eq!(outcome, Ok(Outcome::RequiresAction { settles }));
        world.change(|txn| Ok(settle::schedule(txn, &pi, outcome.unwrap()))).unwrap();
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
    let mut world = World::new();
    let pi = open(&mut world, spec(3_000, "eur"));
    let none = Billing::default();
    let iban = "IT60X0542811101000000123456";
    let pm = world.change(|txn| method::create_sepa_debit(txn, iban, &none)).unwrap();
    let settles = Settlement { after_s: 3, ok: false };
    assert_eq!(pay(&mut world, &pi, &pm), Ok(Outcome::Processing { settles }));
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
    let mut world = World::new();
    let manual = || IntentSpec { capture_method: Some("manual".to_owned()), ..spec(900, "usd") };
    let pi = open(&mut world, manual());
    assert_eq!(pay(&mut world, &pi, "pm_card_visa"), Ok(Outcome::RequiresCapture));
    let too_much = world.change(|txn| capture(txn, &pi, Some(901))).unwrap_err();
    assert_eq!(too_much.code.as_deref(), Some("amount_too_large"));
    let done = world.change(|txn| capture(txn, &pi, Some(400))).unwrap();
    assert_eq!((&done["status"], &done["amount_received"]), (&json!("succeeded"), &json!(400)));
    let twice = world.change(|txn| capture(txn, &pi, None)).unwrap_err();
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
