//! What the doctor says of a restricted key, page by page of the shop.

use crate::env::{Env, Sandbox};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn key(sandbox: &Sandbox, allow: &str) -> String {
    let made =
        sandbox.api.with("Stripegym-Control", "1").make("/_stripegym/keys", &[("allow", allow)]);
    made["key"].as_str().unwrap().to_owned()
}

fn rights(env: &Env) -> BTreeMap<String, Value> {
    let said: Value = serde_json::from_str(&env.run(&["doctor", "--json"]).out).unwrap();
    let all = said["findings"].as_array().unwrap().iter().filter(|it| it["name"] == "rights");
    let page = |it: &Value| it["facts"]["page"].as_str().unwrap().to_owned();
    all.map(|it| (page(it), it["facts"]["lacking"].clone())).collect()
}

#[test]
fn the_doctor_names_the_rights_that_a_restricted_key_lacks_for_each_page_and_makes_nothing() {
    let env = Env::new().with("STRIPEGYM_MODE", "sandbox");
    let sandbox = env.sandbox(&["--ephemeral"]);
    let env = env.with("STRIPE_API_BASE", &sandbox.url);
    assert!(rights(&env).is_empty(), "a key that may do everything lacks nothing");
    let narrow = key(&sandbox, "products:read,prices:read,checkout_sessions:write");
    let env = env.with("STRIPE_SECRET_KEY", &narrow);
    let found = rights(&env);
    assert_eq!(found["/upgrade"], json!(["subscriptions:read"]));
    let portal = [
        "billing_portal_sessions:write",
        "billing_portal_configurations:read",
        "subscriptions:read",
    ];
    assert_eq!(found["/mypage"], json!(portal));
    let cards = ["customers:write", "setup_intents:write", "payment_methods:write"];
    assert_eq!(found["/cards"], json!(cards));
    assert_eq!(found["/pay"], json!(["customers:write", "payment_intents:write"]));
    let said = env.run(&["doctor"]).out;
    assert!(said.contains("billing_portal_sessions:write"), "{said}");
    let all = found.values().flat_map(|it| it.as_array().unwrap());
    let wide: Vec<&str> = all.map(|it| it.as_str().unwrap()).collect();
    let wide = key(&sandbox, &format!("prices:read,checkout_sessions:write,{}", wide.join(",")));
    let env = env.with("STRIPE_SECRET_KEY", &wide);
    assert!(rights(&env).values().all(|lacking| *lacking == json!([])), "{:?}", rights(&env));
    for list in ["customers", "payment_intents", "setup_intents", "checkout/sessions"] {
        let made = sandbox.api.read(&format!("/v1/{list}"));
        assert_eq!(made["data"], json!([]), "the doctor only asks: {list}");
    }
}
