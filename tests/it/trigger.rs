//! `stripegym trigger`: every type that it knows happens, to what it makes itself and to what is there already.

use crate::env::{Env, Sandbox};
use serde_json::Value;

/// What a trigger says, as JSON.
fn trigger(env: &Env, args: &[&str]) -> Value {
    let mut all = vec!["trigger", "--json"];
    all.extend(args);
    let said = env.ok(&all);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The object of the event that a trigger made happen.
fn object(env: &Env, sandbox: &Sandbox, args: &[&str]) -> Value {
    let said = trigger(env, args);
    let id = said["event"].as_str().unwrap_or_else(|| panic!("{args:?}: {said}"));
    sandbox.api.read(&format!("/v1/events/{id}"))["data"]["object"].clone()
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// A customer with a card, and its monthly subscription.
fn subscribed(sandbox: &Sandbox) -> (Value, Value) {
    let api = &sandbox.api;
    let customer = api.make("/v1/customers", &[("email", "ada@example.com")]);
    let attach = "/v1/payment_methods/pm_card_visa/attach";
    let card = api.make(attach, &[("customer", id(&customer))]);
    let path = format!("/v1/customers/{}", id(&customer));
    api.make(&path, &[("invoice_settings[default_payment_method]", id(&card))]);
    let price = api.make(
        "/v1/prices",
        &[
            ("currency", "usd"),
            ("unit_amount", "2000"),
            ("recurring[interval]", "month"),
            ("product_data[name]", "Tea"),
        ],
    );
    let asked = [("customer", id(&customer)), ("items[0][price]", id(&price))];
    let subscription = api.make("/v1/subscriptions", &asked);
    (customer, subscription)
}

#[test]
fn every_type_that_is_listed_happens() {
    let env = Env::new();
    let _sandbox = env.sandbox(&[]);
    let listed = env.ok(&["trigger", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let types: Vec<&str> =
        listed["types"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for wanted in ["invoice.upcoming", "payout.failed", "invoice.payment_failed.renewal"] {
        assert!(types.contains(&wanted), "{wanted}");
    }
    for kind in types {
        let said = trigger(&env, &[kind]);
        assert!(said["event"].is_string(), "{kind}: {said}");
    }
}

#[test]
fn it_happens_to_the_object_that_is_named() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let (customer, subscription) = subscribed(&sandbox);
    let told = object(&env, &sandbox, &["invoice.upcoming", "--on", id(&subscription)]);
    assert_eq!((&told["customer"], &told["amount_due"]), (&customer["id"], &2000.into()));
    let failed = ["invoice.payment_failed.renewal", "--on", id(&subscription)];
    let invoice = object(&env, &sandbox, &failed);
    assert_eq!((&invoice["customer"], &invoice["status"]), (&customer["id"], &"open".into()));
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    assert_eq!(sandbox.api.read(&path)["status"], "past_due");
    let paid = object(&env, &sandbox, &["invoice.paid", "--on", id(&invoice)]);
    assert_eq!(paid["id"], invoice["id"]);
    assert_eq!(sandbox.api.read(&path)["status"], "active");
    let changed = ["customer.updated", "--on", id(&customer), "--set", "metadata.a=1 2"];
    let changed = object(&env, &sandbox, &changed);
    assert_eq!((&changed["id"], &changed["metadata"]["a"]), (&customer["id"], &"1 2".into()));
    let ended = ["customer.subscription.deleted", "--on", id(&subscription)];
    assert_eq!(object(&env, &sandbox, &ended)["id"], subscription["id"]);
}

#[test]
fn parameters_can_be_otherwise_and_what_does_not_fit_is_refused() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let paid = ["payment_intent.succeeded", "--set", "amount=777", "--set", "metadata.order=6735"];
    let paid = object(&env, &sandbox, &paid);
    assert_eq!((&paid["amount"], &paid["metadata"]["order"]), (&777.into(), &"6735".into()));
    let refunded = ["charge.refunded", "--on", paid["latest_charge"].as_str().unwrap()];
    assert_eq!(object(&env, &sandbox, &refunded)["id"], paid["latest_charge"]);
    let item = ["invoice.created", "--set", "customer.name=Ada", "--set", "invoiceitem.amount=5"];
    let invoice = object(&env, &sandbox, &item);
    assert_eq!((&invoice["customer_name"], &invoice["total"]), (&"Ada".into(), &5.into()));
    let customer = invoice["customer"].as_str().unwrap();
    for (args, said) in [
        (["customer.updated", "--on", paid["id"].as_str().unwrap()], "cus_"),
        (["customer.created", "--on", customer], "--on"),
        (["customer.created", "--set", "name"], "--set"),
        (["payment_intent.created", "--set", "colour=red"], "colour"),
    ] {
        let ran = env.run(&[&["trigger"], &args[..]].concat());
        assert_ne!(ran.code, 0, "{args:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}
