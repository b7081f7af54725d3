//! Nothing that is sent is lost: every parameter of the payment endpoints is shown, or does something named
//! here, or is refused by name.

use crate::catalog::Catalog;
use crate::catalog::grammar::{Kind, Type};
use crate::sandbox::api::expand;
use crate::sandbox::call::Version;
use crate::sandbox::testing::Lab;
use serde_json::{Map, Value, json};

/// What shows that a parameter acted which is not shown under its own name.
#[derive(Clone, Copy)]
enum Effect {
    /// The answer has this member otherwise than the answer to the same call without the parameter.
    Changes(&'static str),
    /// The object shows it where it is expanded, and something else there without it.
    Expanded,
    /// This list of the object has what was sent, where it is expanded.
    Lists(&'static str),
    /// The charge of a payment has it under its own name.
    Charged,
    /// A key that another price has is taken, which is refused without the parameter.
    TakesKey,
    /// What was sent does not fit the rest of the call, which is refused in these words.
    Refused(&'static str),
    /// Asks for what happens anyway: the answer is the same without it.
    Nothing,
}

/// Parameters that act instead of being shown under their own name.
const ACTING: &[(&str, Effect)] = &[
    ("billing_scheme", Effect::Refused("tiered billing")),
    ("capture", Effect::Changes("/captured")),
    ("cash_balance", Effect::Expanded),
    ("confirm", Effect::Refused("return_url")),
    ("currency_options", Effect::Expanded),
    ("payment_method_data", Effect::Changes("/payment_method")),
    ("payment_method_options", Effect::Changes("/payment_method_options")),
    ("radar_options", Effect::Charged),
    // Where no fee was taken there is none to give back, as recorded.
    ("refund_application_fee", Effect::Nothing),
    ("tax", Effect::Expanded),
    ("tax_id_data", Effect::Lists("tax_ids")),
    ("tiers", Effect::Expanded),
    ("transfer_lookup_key", Effect::TakesKey),
    ("validate", Effect::Nothing),
];

fn sample(name: &str, of: &Type) -> Value {
    match name {
        "currency" => return json!("usd"),
        "email" | "receipt_email" | "instructions_email" => return json!("a@example.com"),
        "url" => return json!("https://shop.example"),
        "unit_amount_decimal" => return json!("12"),
        "country" => return json!("DE"),
        "invoice_prefix" => return json!("TEA"),
        "capture" => return json!(false),
        "interval" => return json!("month"),
        "reconciliation_mode" => return json!("manual"),
        _ => {}
    }
    match &of.kind {
        Kind::Integer => json!(1),
        Kind::Float => json!(1.5),
        Kind::Boolean => json!(true),
        Kind::Decimal => json!("12.5"),
        Kind::Enum { words, .. } => json!(words.last().unwrap()),
        Kind::List(of) => json!([sample("", of)]),
        Kind::Map(of) => json!({"eur": sample("", of)}),
        Kind::Shape(name) => {
            let fields = &Catalog::get().params(name).unwrap().fields;
            let members = fields.iter().map(|f| (f.name.to_owned(), sample(f.name, &f.of)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Kind::Union(members) => sample(name, members.last().unwrap()),
        _ => json!("sample"),
    }
}

fn shows(answer: &Value, sent: &Value) -> bool {
    match (answer, sent) {
        (Value::Object(answer), Value::Object(sent)) => sent
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|shown| shows(shown, value))),
        (Value::Array(answer), Value::Array(sent)) => {
            answer.len() == sent.len() && answer.iter().zip(sent).all(|(a, s)| shows(a, s))
        }
        _ => answer == sent,
    }
}

/// What the object that was answered shows where `name` is expanded.
fn expanded(world: &mut Lab, path: &str, answer: &Value, name: &str) -> Value {
    let id = answer["id"].as_str().unwrap();
    let object = if path.ends_with(id) { path.to_owned() } else { format!("{path}/{id}") };
    let mut shown = world.ok(&format!("GET {object}"), json!({}));
    assert_eq!(shown.get(name), None, "{object} {name}");
    let version = Version { text: "2026-10-28.endive".to_owned(), named: true };
    world.look(|txn| expand::expand(txn, &mut shown, name, &version));
    shown[name].clone()
}

/// Whether `name` does what only further calls show.
fn acts_apart(world: &mut Lab, endpoint: &str, base: &Value, name: &str, effect: Effect) -> bool {
    let (_, path) = endpoint.split_once(' ').unwrap();
    let mut sent = base.clone();
    match effect {
        Effect::Charged => {
            let value = json!({"session": "rse_1"});
            sent[name] = value.clone();
            sent["confirm"] = json!(true);
            sent["payment_method"] = json!("pm_card_visa");
            sent["return_url"] = json!("https://shop.example");
            let paid = world.ok(endpoint, sent);
            let charge = paid["latest_charge"].as_str().unwrap();
            shows(&world.ok(&format!("GET /v1/charges/{charge}"), json!({}))[name], &value)
        }
        Effect::TakesKey => {
            let key = format!("key of {path}");
            let other = json!({"currency": "usd", "unit_amount": 5, "lookup_key": key,
                "product_data": {"name": "Tea"}});
            world.ok("POST /v1/prices", other);
            sent["lookup_key"] = json!(key);
            let refused = world.call(endpoint, sent.clone()).is_err();
            sent[name] = json!(true);
            refused && world.ok(endpoint, sent)["lookup_key"] == json!(key)
        }
        Effect::Changes(_)
        | Effect::Expanded
        | Effect::Lists(_)
        | Effect::Refused(_)
        | Effect::Nothing => false,
    }
}

/// A document without what tells one object of a kind from the next.
fn bare(document: &Value) -> Value {
    let mut document = document.clone();
    for name in ["balance_transaction", "id", "created", "invoice_prefix"] {
        document.as_object_mut().unwrap().remove(name);
    }
    document
}

fn check(world: &mut Lab, endpoint: &str, base: &Value) {
    let (method, path) = endpoint.split_once(' ').unwrap();
    let crate::catalog::route::Routed::Found(found) = Catalog::get().route(method, path) else {
        panic!("{endpoint}")
    };
    let fields = &Catalog::get().params(found.endpoint.params.unwrap()).unwrap().fields;
    for field in fields.iter().filter(|f| f.name != "expand" && base.get(f.name).is_none()) {
        let name = field.name;
        let value = sample(name, &field.of);
        let effect = ACTING.iter().find(|(acting, _)| *acting == name).map(|(_, effect)| *effect);
        let without = world.ok(endpoint, base.clone());
        let before =
            matches!(effect, Some(Effect::Expanded)).then(|| expanded(world, path, &without, name));
        let mut sent = base.clone();
        sent[name] = value.clone();
        match world.call(endpoint, sent) {
            Ok(answer) => {
                let shown = answer.get(name).is_some_and(|shown| shows(shown, &value));
                let acts = shown
                    || effect.is_some_and(|effect| match effect {
                        Effect::Changes(at) => answer.pointer(at) != without.pointer(at),
                        Effect::Expanded => {
                            let after = expanded(world, path, &answer, name);
                            !after.is_null() && before != Some(after)
                        }
                        Effect::Lists(list) => {
                            shows(&expanded(world, path, &answer, list)["data"], &value)
                        }
                        Effect::Nothing => bare(&answer) == bare(&without),
                        other => acts_apart(world, endpoint, base, name, other),
                    });
                assert!(acts, "{endpoint} loses {name} = {value}");
            }
            Err(failure) => {
                let param = failure.param.clone().unwrap_or_default();
                let named = param.starts_with(name) || failure.message.contains(name);
                let known =
                    matches!(effect, Some(Effect::Refused(text)) if failure.message.contains(text));
                assert!(named || known, "{endpoint} {name}: {failure:?}");
            }
        }
    }
}

#[test]
fn every_parameter_is_shown_or_acts_or_is_refused_by_name() {
    let mut world = Lab::new();
    check(&mut world, "POST /v1/products", &json!({"name": "Tea"}));
    let product = world.ok("POST /v1/products", json!({"name": "Tea"}))["id"].clone();
    check(&mut world, &format!("POST /v1/products/{}", product.as_str().unwrap()), &json!({}));
    let base = json!({"currency": "usd", "product": product, "unit_amount": 5});
    check(&mut world, "POST /v1/prices", &base);
    let price = world.ok("POST /v1/prices", base)["id"].clone();
    check(&mut world, &format!("POST /v1/prices/{}", price.as_str().unwrap()), &json!({}));
    check(&mut world, "POST /v1/customers", &json!({}));
    let customer = world.ok("POST /v1/customers", json!({}))["id"].clone();
    check(&mut world, &format!("POST /v1/customers/{}", customer.as_str().unwrap()), &json!({}));
    let base = json!({"amount": 500, "currency": "jpy"});
    check(&mut world, "POST /v1/payment_intents", &base);
    let intent = world.ok("POST /v1/payment_intents", base)["id"].clone();
    check(
        &mut world,
        &format!("POST /v1/payment_intents/{}", intent.as_str().unwrap()),
        &json!({}),
    );
    let paid = json!({
        "amount": 5000, "currency": "jpy", "payment_method": "pm_card_visa", "confirm": true,
        "return_url": "https://shop.example",
    });
    let paid = world.ok("POST /v1/payment_intents", paid);
    let charge = paid["latest_charge"].clone();
    check(&mut world, &format!("POST /v1/charges/{}", charge.as_str().unwrap()), &json!({}));
    let base = json!({"amount": 500, "currency": "jpy", "source": "tok_visa"});
    check(&mut world, "POST /v1/charges", &base);
    check(&mut world, "POST /v1/refunds", &json!({"charge": charge, "amount": 1}));
}
