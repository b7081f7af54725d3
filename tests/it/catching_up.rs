//! Catching up with what happened while nobody listened, down to the money.

use crate::env::{Env, Sandbox, eventually};
use crate::shop::listen_with;
use serde_json::Value;

fn said(env: &Env, command: &[&str]) -> Value {
    serde_json::from_str(&env.ok(&[command, &["--json"]].concat())).unwrap()
}

/// A payment without a session by a card of the sandbox.
fn pay(sandbox: &Sandbox, amount: &str, card: &str) -> String {
    let paid = sandbox.api.make(
        "/v1/payment_intents",
        &[
            ("amount", amount),
            ("currency", "usd"),
            ("payment_method", card),
            ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"),
            ("automatic_payment_methods[allow_redirects]", "never"),
        ],
    );
    paid["id"].as_str().unwrap().to_owned()
}

/// The dispute about a payment.
fn dispute(sandbox: &Sandbox, payment: &str) -> Value {
    let list = sandbox.api.read(&format!("/v1/disputes?payment_intent={payment}"));
    list["data"][0].clone()
}

/// Everything that moves money: payments with and without a session, refunds of which one comes back, disputes of which
/// one is won, a payout.
pub(crate) fn trade(env: &Env, sandbox: &Sandbox) {
    env.ok(&["checkout", "--amount", "500", "--currency", "jpy", "--pay", "4242424242424242"]);
    let sold = pay(sandbox, "1000", "pm_card_visa");
    sandbox.api.make("/v1/refunds", &[("payment_intent", &sold), ("amount", "300")]);
    let failing = pay(sandbox, "900", "pm_card_refundFail");
    sandbox.api.make("/v1/refunds", &[("payment_intent", &failing)]);
    pay(sandbox, "800", "pm_card_createDispute");
    let won = pay(sandbox, "700", "pm_card_createDispute");
    let id = dispute(sandbox, &won)["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/disputes/{id}");
    sandbox.api.make(&path, &[("evidence[uncategorized_text]", "winning_evidence")]);
    pay(sandbox, "10000", "pm_card_bypassPending");
    sandbox.api.make("/v1/payouts", &[("amount", "1100"), ("currency", "usd")]);
    env.ok(&["clock", "advance", "2d"]);
    eventually("the bank decided, and the refund came back", || {
        let refunds = sandbox.api.read(&format!("/v1/refunds?payment_intent={failing}"));
        let back = refunds["data"][0]["status"] == "failed";
        (back && dispute(sandbox, &won)["status"] == "won").then_some(())
    });
}

#[test]
fn after_payments_while_the_listener_was_down_the_money_ties_out() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen_with(&env, &[]);
    let heard = pay(&sandbox, "2000", "pm_card_visa");
    listener.line_with("charge.succeeded");
    listener.interrupt();
    trade(&env, &sandbox);
    assert_eq!(env.run(&["reconcile"]).code, 1);
    let caught = said(&env, &["catch-up"]);
    assert!(caught["fresh"].as_u64().unwrap() > 0, "{caught}");
    // Exit code 0: every row agrees, and so do the sums.
    let compared = said(&env, &["reconcile"]);
    let money = compared["money"].as_array().unwrap();
    for row in money {
        assert_eq!(row["ledger"], row["provider"], "{compared}");
    }
    let of = |category: &str| {
        let mut rows = money.iter().filter(|row| row["currency"] == "usd");
        let row = rows.find(|row| row["category"] == category);
        row.map(|row| {
            (row["ledger"]["gross"].as_i64(), row["ledger"]["fee"].as_i64().unwrap() != 0)
        })
    };
    let sold = 2_000 + 1_000 + 900 + 800 + 700 + 10_000;
    assert_eq!(of("charge"), Some((Some(sold), true)), "{compared}");
    assert_eq!(of("refund"), Some((Some(-300), false)), "{compared}");
    assert_eq!(of("dispute"), Some((Some(-1_500), true)), "{compared}");
    assert_eq!(of("dispute_reversal"), Some((Some(700), false)), "{compared}");
    assert_eq!(of("payout"), Some((Some(-1_100), false)), "{compared}");
    // No fee is pending any more, that of the payment that was heard included.
    let problems = said(&env, &["ledger", "problems"]);
    assert_eq!(problems["rows"].as_array().unwrap().len(), 0, "{problems} {heard}");
    env.ok(&["ledger", "verify"]);
    // Twice changes nothing.
    let book = env.ok(&["ledger", "export"]);
    assert_eq!(said(&env, &["catch-up"])["fresh"], 0);
    assert_eq!(said(&env, &["catch-up", "--undelivered"])["fresh"], 0);
    assert_eq!(said(&env, &["reconcile"]), compared);
    assert_eq!(env.ok(&["ledger", "export"]), book);
    // Neither does saying it all again from objects alone.
    said(&env, &["catch-up", "--since", "60d"]);
    assert_eq!(said(&env, &["reconcile"])["money"], compared["money"]);
}

#[test]
fn what_happened_before_the_providers_events_begin_is_told_by_its_objects() {
    const SOLD_AT: i64 = 1_790_000_000;
    let env = Env::new().with("STRIPEGYM_NOW", &SOLD_AT.to_string());
    let sandbox = env.sandbox(&[]);
    env.ok(&["checkout", "--amount", "500", "--currency", "jpy", "--pay", "4242424242424242"]);
    let sold = pay(&sandbox, "1000", "pm_card_visa");
    sandbox.api.make("/v1/refunds", &[("payment_intent", &sold), ("amount", "300")]);
    pay(&sandbox, "800", "pm_card_createDispute");
    // No event is as young as those that are asked for.
    let later = (SOLD_AT + 45 * 86_400).to_string();
    let run = |args: &[&str]| {
        let mut command = env.command(args);
        command.env("STRIPEGYM_NOW", &later);
        Env::run_within(command, crate::env::PATIENCE)
    };
    let caught = run(&["catch-up", "--since", "60d", "--json"]);
    let told: Value =
        serde_json::from_str(&caught.out).unwrap_or_else(|_| panic!("{}", caught.err));
    assert_eq!(told["events"], 0, "{told}");
    assert!(told["fresh"].as_u64().unwrap() > 3, "{told}");
    let compared = run(&["reconcile", "--json"]);
    assert_eq!(compared.code, 0, "{}{}", compared.out, compared.err);
    let again: Value =
        serde_json::from_str(&run(&["catch-up", "--since", "60d", "--json"]).out).unwrap();
    assert_eq!(again["fresh"], 0, "{again}");
    assert_eq!(run(&["ledger", "verify"]).code, 0);
}

#[test]
fn only_what_could_not_be_delivered_is_asked_for_where_that_is_wished() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen_with(&env, &[]);
    let heard = pay(&sandbox, "2000", "pm_card_visa");
    listener.line_with("charge.succeeded");
    eventually("everything was delivered", || {
        let list = sandbox.api.read("/_stripegym/deliveries?status=pending&limit=100");
        list["data"].as_array().unwrap().is_empty().then_some(())
    });
    listener.interrupt();
    pay(&sandbox, "700", "pm_card_visa");
    let all = sandbox.api.read("/v1/events?limit=100")["data"].as_array().unwrap().len();
    let caught = said(&env, &["catch-up", "--undelivered"]);
    let read = caught["events"].as_u64().unwrap();
    assert!(read > 0 && usize::try_from(read).unwrap() < all, "{caught} of {all}, not {heard}");
    assert!(caught["fresh"].as_u64().unwrap() > 0, "{caught}");
    env.ok(&["reconcile"]);
}
