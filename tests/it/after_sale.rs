//! What follows a sale, by hand: a card that is kept and charged, a dispute that is answered.

use crate::env::Env;
use serde_json::Value;

fn json(env: &Env, args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    serde_json::from_str(&env.ok(&args)).unwrap()
}

fn world() -> (Env, crate::env::Sandbox) {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    let sandbox = env.sandbox(&[]);
    (env, sandbox)
}

#[test]
fn a_card_is_kept_charged_and_let_go() {
    let (env, _sandbox) = world();
    let kept = json(&env, &["setup"]);
    assert_eq!((&kept["mode"], &kept["status"]), (&"setup".into(), &"complete".into()), "{kept}");
    let cards = json(&env, &["card", "list"]);
    assert_eq!(cards["data"][0]["last4"], "4242", "{cards}");
    assert_eq!(cards["data"][0]["customer"], kept["customer"]);
    let paid = json(&env, &["card", "charge", "--amount", "700"]);
    assert_eq!((&paid["status"], &paid["amount"]), (&"succeeded".into(), &700.into()), "{paid}");
    let gone = json(&env, &["card", "detach"]);
    assert_eq!(gone["detached"].as_array().unwrap().len(), 1);
    assert!(env.run(&["card", "charge"]).code != 0, "there is no card any more");
    env.ok(&["setup", "--with", "3ds"]);
    let refused = env.run(&["card", "charge"]);
    assert!(refused.code != 0 && refused.err.contains("authentication"), "{}", refused.err);
}

#[test]
fn a_dispute_is_shown_answered_and_won() {
    let (env, _sandbox) = world();
    assert!(env.run(&["dispute", "show"]).code != 0, "there is none");
    env.ok(&["checkout", "--amount", "800", "--pay", "4000000000000259"]);
    let dispute = json(&env, &["dispute", "show"]);
    assert_eq!((&dispute["status"], &dispute["amount"]), (&"needs_response".into(), &800.into()));
    let staged = json(&env, &["dispute", "evidence", "winning_evidence"]);
    assert_eq!((&staged["has_evidence"], &staged["submission_count"]), (&true.into(), &0.into()));
    let id = dispute["dispute"].as_str().unwrap();
    let sent = json(&env, &["dispute", "submit", id]);
    assert_eq!(sent["submission_count"], 1, "{sent}");
    let again = env.run(&["dispute", "submit"]);
    assert!(again.code != 0, "it is sent once: {}", again.out);
}
