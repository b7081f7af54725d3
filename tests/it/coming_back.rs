//! A listener that was down is the same one to the provider when it is back.

use crate::env::{Env, Running, Sandbox, eventually};
use crate::shop::{ledger, listen_with};
use serde_json::Value;

/// A listener with what it said of itself: its endpoint, and its secret.
struct Back {
    program: Running,
    endpoint: String,
    secret: String,
    port: u16,
}

fn listen(env: &Env, sandbox: &Sandbox) -> Back {
    let (mut program, port) = listen_with(env, &["--print-secret", "-vvv"]);
    let line: Value = serde_json::from_str(&program.line_with("\"secret\"")).unwrap();
    let secret = line["secret"].as_str().unwrap().to_owned();
    let url = format!(":{port}/webhook");
    let all = endpoints(sandbox);
    let own = all.iter().find(|it| it["url"].as_str().unwrap().ends_with(&url)).unwrap();
    Back { program, endpoint: own["id"].as_str().unwrap().to_owned(), secret, port }
}

fn endpoints(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.api.read("/v1/webhook_endpoints")["data"].as_array().unwrap().clone()
}

/// Sells tea while nobody listens, and waits until the sandbox has found that out.
fn sell(env: &Env, sandbox: &Sandbox) {
    env.ok(&["checkout", "--amount", "500", "--pay", "4242424242424242"]);
    eventually("every delivery was tried", || {
        let list = sandbox.api.read("/_stripegym/deliveries?status=pending&limit=100");
        let all = list["data"].as_array().unwrap();
        let tried = |it: &Value| !it["attempts"].as_array().unwrap().is_empty();
        (!all.is_empty() && all.iter().all(tried)).then_some(())
    });
}

fn rows(env: &Env) -> i64 {
    ledger(env).query_row("SELECT COUNT(*) FROM ledger", [], |row| row.get(0)).unwrap()
}

#[test]
fn what_was_sent_while_it_was_down_is_delivered_when_it_is_back() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let mut first = listen(&env, &sandbox);
    assert_eq!(first.program.interrupt(), 130);
    // Whoever has its port meanwhile is not sent what is meant for it.
    let url = endpoints(&sandbox)[0]["url"].as_str().unwrap().to_owned();
    assert!(!url.contains(&first.port.to_string()), "{url}");
    sell(&env, &sandbox);
    assert_eq!(rows(&env), 0);
    // On another port, as the same endpoint.
    let mut again = listen(&env, &sandbox);
    assert_ne!(again.port, first.port);
    assert_eq!((&again.endpoint, &again.secret), (&first.endpoint, &first.secret));
    env.ok(&["clock", "advance", "2m"]);
    let line = again.program.line_with("checkout.session.completed");
    assert!(line.contains("\"recorded\""), "{line}");
    assert_eq!(rows(&env), 1);
    // After a power cut it is still the same.
    again.program.kill();
    sell(&env, &sandbox);
    let mut third = listen(&env, &sandbox);
    assert_eq!((&third.endpoint, &third.secret), (&first.endpoint, &first.secret));
    env.ok(&["clock", "advance", "2m"]);
    third.program.line_with("checkout.session.completed");
    assert_eq!((rows(&env), endpoints(&sandbox).len()), (2, 1));
    assert_eq!(third.program.interrupt(), 130);
    // Nothing that is said for looking into told the secret.
    for said in [first.program.stderr(), again.program.stderr(), third.program.stderr()] {
        assert!(!said.contains(&first.secret), "{said}");
    }
}

#[test]
fn an_endpoint_that_is_gone_or_whose_secret_nobody_has_is_registered_anew() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let mut first = listen(&env, &sandbox);
    first.program.interrupt();
    sandbox.api.delete(&format!("/v1/webhook_endpoints/{}", first.endpoint)).ok();
    let mut second = listen(&env, &sandbox);
    assert_ne!((&second.endpoint, &second.secret), (&first.endpoint, &first.secret));
    second.program.interrupt();
    std::fs::remove_file(env.path().join(".stripegym/endpoints.json")).unwrap();
    let mut third = listen(&env, &sandbox);
    assert_ne!(third.secret, second.secret);
    let left = endpoints(&sandbox);
    assert_eq!((left.len(), &left[0]["id"]), (1, &third.endpoint.as_str().into()));
    third.program.interrupt();
    // Somebody switched it off meanwhile.
    let path = format!("/v1/webhook_endpoints/{}", third.endpoint);
    sandbox.api.make(&path, &[("disabled", "true")]);
    let mut fourth = listen(&env, &sandbox);
    assert_eq!((&fourth.endpoint, &fourth.secret), (&third.endpoint, &third.secret));
    env.ok(&["checkout", "--amount", "500", "--pay", "4242424242424242"]);
    fourth.program.line_with("checkout.session.completed");
}

#[test]
fn two_at_once_are_two_and_the_second_leaves_nothing() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let mut first = listen(&env, &sandbox);
    let mut second = listen(&env, &sandbox);
    assert_ne!((&first.endpoint, &first.secret), (&second.endpoint, &second.secret));
    assert_eq!(second.program.interrupt(), 130);
    let left = endpoints(&sandbox);
    assert_eq!((left.len(), &left[0]["id"]), (1, &first.endpoint.as_str().into()));
    env.ok(&["checkout", "--amount", "500", "--pay", "4242424242424242"]);
    first.program.line_with("checkout.session.completed");
}

#[test]
fn a_command_that_listens_meanwhile_hears_nothing_that_is_signed_for_it() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let mut first = listen(&env, &sandbox);
    first.program.kill();
    let env = env.with("PORT", &first.port.to_string());
    env.ok(&["day0"]);
    let left = endpoints(&sandbox);
    let own = left.iter().find(|it| it["id"] == first.endpoint.as_str()).unwrap();
    let url = own["url"].as_str().unwrap();
    assert!(!url.contains(&first.port.to_string()), "{url}");
    let again = listen(&env, &sandbox);
    assert_eq!((&again.endpoint, &again.secret), (&first.endpoint, &first.secret));
}
