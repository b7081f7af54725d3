//! Nothing that is sent is lost: every parameter of the payment endpoints is shown, or does something named
//! here, or is refused by name.

use crate::catalog::Catalog;
use crate::catalog::grammar::{Kind, Type};
use crate::sandbox::testing::Lab;
use serde_json::{Map, Value, json};

/// Parameters that act instead of being shown under their own name, with what they do.
const ACTING: &[(&str, &str)] = &[
    ("automatic_payment_methods", "chooses the accepted types"),
    ("capture", "takes the money at once, which is what happens anyway"),
    ("card", "details by type"),
    ("confirm", "confirms"),
    ("billing_scheme", "asks for tiers, which belong to what recurs"),
    ("currency_options", "shown when expanded"),
    ("default_price_data", "makes a price"),
    ("mandate_data", "kept with the intent"),
    ("payment_method_data", "makes a payment method"),
    ("payment_method_options", "shown as far as the API shows it"),
    ("product_data", "makes a product"),
    ("radar_options", "shown in the charge"),
    ("tax", "shown when expanded"),
    ("tiers", "shown when expanded"),
    ("transfer_lookup_key", "takes the key from its holder"),
    ("validate", "asks for a check that the sandbox always makes"),
];

fn sample(name: &str, of: &Type) -> Value {
    match name {
        "currency" => return json!("usd"),
        "email" | "receipt_email" | "instructions_email" => return json!("a@example.com"),
        "url" => return json!("https://shop.example"),
        "unit_amount_decimal" => return json!("12"),
        "country" => return json!("DE"),
        "invoice_prefix" => return json!("TEA"),
        "interval" => return json!("month"),
        _ => {}
    }
    match &of.kind {
        Kind::Integer => json!(1),
        Kind::Float => json!(1.5),
        Kind::Boolean => json!(true),
        Kind::Decimal => json!("12.5"),
        Kind::Enum { words, .. } => json!(words.last().unwrap()),
        Kind::List(of) => json!([sample("", of)]),
        Kind::Map(of) => json!({"usd": sample("", of)}),
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

fn check(world: &mut Lab, endpoint: &str, base: &Value) {
    let (method, path) = endpoint.split_once(' ').unwrap();
    let crate::catalog::route::Routed::Found(found) = Catalog::get().route(method, path) else {
        panic!("{endpoint}")
    };
    let fields = &Catalog::get().params(found.endpoint.params.unwrap()).unwrap().fields;
    for field in fields.iter().filter(|f| f.name != "expand" && base.get(f.name).is_none()) {
        let mut sent = base.clone();
        let value = sample(field.name, &field.of);
        sent[field.name] = value.clone();
        let acts = ACTING.iter().any(|(name, _)| *name == field.name);
        match world.call(endpoint, sent) {
            Ok(answer) => {
                let shown = answer.get(field.name).is_some_and(|shown| shows(shown, &value));
                assert!(acts || shown, "{endpoint} loses {} = {value}", field.name);
            }
            Err(failure) => {
                let param = failure.param.clone().unwrap_or_default();
                let named = param.starts_with(field.name) || failure.message.contains(field.name);
                assert!(acts || named, "{endpoint} {}: {failure:?}", field.name);
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
