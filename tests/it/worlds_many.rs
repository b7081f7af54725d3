//! Many worlds made at once, both kinds of the API under a world's path, and commands that are stopped within one.

use crate::env::{Env, Sandbox, eventually, rounds};
use crate::http::{Api, send};
use serde_json::Value;
use std::collections::BTreeSet;
use std::thread;

const MAKERS: usize = 8;

fn told(sandbox: &Sandbox, path: &str) -> Value {
    send(sandbox.api.port, "GET", path, &[], b"").unwrap().ok()
}

/// The names in a list of customers.
fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[test]
fn worlds_that_are_made_at_once_know_nothing_of_one_another() {
    let count = rounds(80, 500);
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let port = sandbox.api.port;
    let name = |n: usize| format!("w{n}");
    let each = |work: &(dyn Fn(usize) + Sync)| {
        thread::scope(|scope| {
            for maker in 0..MAKERS {
                scope.spawn(move || (maker..count).step_by(MAKERS).for_each(work));
            }
        });
    };
    // The world comes about by its first call: by its path in one half of them, by its key in the other.
    each(&|n| {
        let (api, root) = if n % 2 == 0 {
            (Api::new(port, "sk_test_plain1234"), format!("/worlds/{}", name(n)))
        } else {
            (Api::new(port, &format!("sk_test_w_{}_abc", name(n))), String::new())
        };
        for part in ["a", "b"] {
            api.make(&format!("{root}/v1/customers"), &[("name", &format!("{}{part}", name(n)))]);
        }
    });
    each(&|n| {
        let list =
            Api::new(port, "sk_test_plain1234").read(&format!("/worlds/{}/v1/customers", name(n)));
        assert_eq!(names(&list), [format!("{}b", name(n)), format!("{}a", name(n))]);
    });
    assert!(names(&sandbox.api.read("/v1/customers")).is_empty());
    let all = told(&sandbox, "/_stripegym/worlds");
    let all: BTreeSet<&str> =
        all["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(all.len(), count + 1, "each once, and the default one");
}

#[test]
fn v2_is_found_under_the_path_of_a_world() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let path = "/worlds/two/v2/billing/meter_events";
    let json = ("Content-Type", "application/json");
    let call = |path: &str, key: &str, body: &str| {
        let bearer = format!("Bearer {key}");
        let version = ("Stripe-Version", "2026-10-28.endive");
        let headers = [json, version, ("Authorization", bearer.as_str())];
        send(sandbox.api.port, "POST", path, &headers, body.as_bytes()).unwrap()
    };
    let (plain, body) = ("sk_test_plain1234", r#"{"event_nmae": "tea"}"#);
    // It is decoded as JSON and held against the same endpoint as without the prefix.
    let within = call(path, plain, body).error(400);
    assert_eq!(within["code"], "parameter_unknown");
    let without = call("/v2/billing/meter_events", plain, body).error(400);
    assert_eq!(within["message"], without["message"]);
    let form = call(path, plain, "event_name=tea").error(400);
    assert!(form["message"].as_str().unwrap().contains("not valid JSON"), "{form}");
    let other = call(path, "sk_test_w_other_abc", body).error(400);
    assert!(other["message"].as_str().unwrap().contains("'other'"), "{other}");
    // What was refused is in the log of that world and of no other.
    let logged = |root: &str| {
        let told = told(&sandbox, &format!("{root}/_stripegym/requests"));
        told.to_string().matches("meter_events").count()
    };
    assert!(logged("/worlds/two") >= 2, "{}", logged("/worlds/two"));
}

#[cfg(unix)]
#[test]
fn commands_that_are_stopped_within_a_world_leave_it_as_it_was() {
    let env = Env::new().with("PORT", "0");
    let mut sandbox = env.sandbox(&[]);
    let api = Api::new(sandbox.api.port, "sk_test_w_shop_abc");
    api.make("/v1/customers", &[("name", "first")]);
    for (command, sign) in [
        (&["listen", "--port", "0"][..], "http://127.0.0.1:"),
        (&["checkout", "--amount", "500", "--no-open"], "cs_test_"),
        // It shows what comes from now on.
        (&["logs", "tail"], "/v1/customers"),
    ] {
        for round in 0..rounds(1, 5) {
            let mut running = env.start(&[&["--world", "shop"][..], command].concat());
            eventually("it is at work", || {
                api.read("/v1/customers");
                running.said().contains(sign).then_some(())
            });
            let code = running.interrupt();
            assert!([0, 130].contains(&code), "{command:?} {round}: {code} {}", running.said());
            let hooks = api.read("/v1/webhook_endpoints");
            let left = hooks["data"].as_array().unwrap().len();
            assert_eq!(
                left, 1,
                "{command:?}: nobody is left to be told but the listener's next run"
            );
            api.make("/v1/customers", &[("name", "next")]);
        }
    }
    // Outside of that world nothing happened, and the commands work again.
    assert!(names(&sandbox.api.read("/v1/customers")).is_empty());
    assert_eq!(sandbox.api.read("/v1/checkout/sessions")["data"], serde_json::json!([]));
    let paid = env.ok(&["--world", "shop", "checkout", "--pay", "4242424242424242", "--json"]);
    assert!(paid.contains("paid"), "{paid}");
    assert_eq!(sandbox.program.interrupt(), 130);
    let again = env.sandbox(&[]);
    let api = Api::new(again.api.port, "sk_test_w_shop_abc");
    assert_eq!(names(&api.read("/v1/customers?limit=100")).last(), Some(&"first"));
}
