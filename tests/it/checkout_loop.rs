//! The loop that everything is for: pay, hear, record, reconcile; in one process and in four.

use crate::env::{Env, eventually};
use crate::shop::{ledger, listen};
use rusqlite::Connection;
use serde_json::Value;

const CARD: &str = "4242424242424242";

/// The command that sells tea for so many yen, and pays with `how`.
const fn checkout<'a>(amount: &'a str, how: &'a str) -> [&'a str; 9] {
    ["checkout", "--amount", amount, "--currency", "jpy", "--name", "Tea", "--pay", how]
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The status of each row of the ledger, oldest first.
fn statuses(env: &Env) -> Vec<String> {
    let ledger = ledger(env);
    let mut rows = ledger.prepare("SELECT status FROM ledger ORDER BY created, rowid").unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn day0_runs_the_whole_loop_in_one_process() {
    let env = Env::new();
    let out = env.ok(&["day0"]);
    assert!(out.contains("MATCH"), "{out}");
    assert_eq!(statuses(&env), ["paid"]);
    let out = env.ok(&["day0", "--json"]);
    let last = json(out.lines().last().unwrap());
    assert_eq!(last["ok"], true, "{last}");
    assert_eq!(last["checkout"]["payment_status"], "paid", "{last}");
    assert_eq!(statuses(&env), ["paid", "paid"], "a second run goes on where the first ended");
}

#[test]
fn the_loop_in_four_processes() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen(&env);
    let paid = env.ok(&checkout("500", CARD));
    assert!(paid.contains("cs_test_"), "{paid}");
    listener.line_with("checkout.session.completed");
    assert_eq!(statuses(&env), ["paid"]);
    let table = env.ok(&["reconcile"]);
    assert!(table.contains("MATCH"), "{table}");
    let shown = env.ok(&["ledger", "show"]);
    assert!(shown.contains('¥') && shown.contains("500"), "{shown}");
    assert_eq!(listener.interrupt(), 130, "{}", listener.said());
    let left = sandbox.api.read("/v1/webhook_endpoints");
    assert_eq!(
        left["data"].as_array().unwrap().len(),
        1,
        "it stays registered for when it is back"
    );
}

#[test]
fn each_ending_of_a_payment_has_its_row() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen(&env);
    let pay = |how: &str| env.run(&checkout("500", how));
    assert_eq!(pay("3ds").code, 0);
    listener.line_with("checkout.session.completed");
    assert_eq!(statuses(&env), ["paid"]);
    assert_eq!(pay("konbini").code, 0);
    listener.line_with("checkout.session.completed");
    assert_eq!(statuses(&env)[1], "unpaid");
    let declined = pay("decline");
    assert_ne!(declined.code, 0, "{declined:?}");
    assert!(declined.out.contains("declined") || declined.err.contains("declined"), "{declined:?}");
    let sessions = sandbox.api.read("/v1/checkout/sessions?limit=1");
    let open = sessions["data"][0]["id"].as_str().unwrap();
    sandbox.api.make(&format!("/v1/checkout/sessions/{open}/expire"), &[]);
    listener.line_with("checkout.session.expired");
    assert_eq!(statuses(&env)[2], "expired");
    let intent = sandbox.api.read("/v1/payment_intents?limit=100")["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["status"] == "succeeded")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    sandbox.api.make("/v1/refunds", &[("payment_intent", &intent), ("amount", "200")]);
    eventually("a part goes back", || (statuses(&env)[0] == "partially_refunded").then_some(()));
    sandbox.api.make("/v1/refunds", &[("payment_intent", &intent)]);
    eventually("the rest goes back", || (statuses(&env)[0] == "refunded").then_some(()));
    let ran = env.run(&["reconcile"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}

#[test]
fn a_konbini_payment_settles_later() {
    let env = Env::new();
    let _sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen(&env);
    let quickly = ["--email", "succeed_immediately@example.com"];
    env.ok(&[&checkout("500", "konbini")[..], &quickly].concat());
    listener.line_with("checkout.session.async_payment_succeeded");
    eventually("the money arrives", || (statuses(&env) == ["paid"]).then_some(()));
    env.ok(&["reconcile"]);
}

#[test]
fn differences_are_found_named_and_repaired() {
    let env = Env::new();
    let _sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen(&env);
    for _ in 0..3 {
        env.ok(&checkout("500", CARD));
        listener.line_with("checkout.session.completed");
    }
    listener.interrupt();
    // The sandbox goes on; a payment that nobody hears of.
    env.ok(&checkout("700", CARD));
    let file = Connection::open(env.path().join(".stripegym/ledger.db")).unwrap();
    let first = "(SELECT session_id FROM ledger ORDER BY created, rowid LIMIT 1)";
    let changed =
        file.execute(&format!("UPDATE ledger SET amount = 501 WHERE session_id = {first}"), []);
    assert_eq!(changed.unwrap(), 1);
    drop(file);
    let ran = env.run(&["reconcile"]);
    assert_eq!(ran.code, 1, "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("AMOUNT") && ran.out.contains("MISSING_IN_LEDGER"), "{}", ran.out);
    let ran = env.run(&["reconcile", "--json"]);
    assert_eq!(ran.code, 1);
    assert!(json(&ran.out).is_object(), "{}", ran.out);
    let csv = env.run(&["reconcile", "--format", "csv"]);
    assert!(count(&csv.out, "MATCH") >= 2 && csv.out.lines().count() >= 5, "{}", csv.out);
    let fixed = env.run(&["reconcile", "--fix", "--yes"]);
    assert!(fixed.out.contains("cs_test_"), "{}", fixed.out);
    let after = env.run(&["reconcile"]);
    assert!(!after.out.contains("MISSING_IN_LEDGER"), "{}", after.out);
    assert_eq!(statuses(&env).len(), 4);
}

#[test]
fn the_sandbox_keeps_its_world_from_one_command_to_the_next() {
    let env = Env::new();
    env.ok(&checkout("500", CARD));
    let events = json(&env.ok(&["events", "list", "--json"]));
    assert!(events.to_string().contains("checkout.session.completed"), "{events}");
}
