//! Steps of currencies: some are counted finer than they are paid, so an amount must be a multiple of its step.
//!
//! Stripe says so of what is charged. Of what is not charged (coupons, shipping rates, top-ups, transfers, payouts,
//! what an amount is made up of) it is believed, as the rule is one of the currency's form: two decimals that are 00,
//! or a third one that is 0. A decimal amount that is no whole number of minor units is a rate for many units and is
//! held to it where it is multiplied.

use crate::domain::currency::Currency;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, echo};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where a path starts, and the object of its first id, whose currency the amounts beside it are in.
const OF_PATHS: &[(&str, &str)] = &[
    ("/v1/application_fees/{", "application_fee"),
    ("/v1/charges/{", "charge"),
    ("/v1/payment_intents/{", "payment_intent"),
    ("/v1/transfers/{", "transfer"),
];

/// Parameters that name an object in whose currency the amounts beside them are.
const OF_PARAMS: &[&str] = &["charge", "payment_intent"];

/// Members of a price that buyers choose.
const CHOSEN: &[&str] = &["maximum", "minimum", "preset"];

/// Fails for the first amount that is no multiple of its currency's step.
pub fn check(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    if !call.key.starts_with("POST ") {
        return Ok(());
    }
    within(&call.params, "", &|| of_object(txn, call))
}

/// The currency of a parameter, or Stripe's error with all that it supports.
pub fn known_currency(code: &str) -> Result<Currency, Failure> {
    code.parse().map_err(|_| {
        let all: Vec<_> = Currency::all().map(Currency::code).collect();
        Failure::invalid(format!(
            "Invalid currency: {}. Stripe currently supports these currencies: {}",
            echo(&code.to_lowercase()),
            all.join(", ")
        ))
        .param("currency")
    })
}

/// Fails for what is no currency among the keys of a map; `param` names the key.
fn ensure_key(code: &str, param: &str) -> Result<(), Failure> {
    let lower = code.to_ascii_lowercase();
    if lower != code && known_currency(&lower).is_ok() {
        let text = format!(
            "Currencies must be lowercase when used as keys in a map. Use `{lower}` instead of `{}`.",
            echo(code)
        );
        return Err(Failure::invalid(text).param(param));
    }
    let known = known_currency(code).map(drop);
    // Of a map it is said with a full stop.
    known.map_err(|it| Failure::invalid(format!("{}.", it.message)).param(param))
}

/// Fails where an amount is finer than its currency can be charged; `param` names it.
pub fn ensure(amount: i64, currency: Currency, param: &str) -> Result<(), Failure> {
    let step = currency.step();
    if amount % step == 0 {
        return Ok(());
    }
    let (why, part) = if currency.decimals() == 3 {
        ("is charged with two decimals", "three-decimal")
    } else {
        ("has become effectively zero-decimal", "zero-decimal")
    };
    let code = currency.code().to_uppercase();
    Err(Failure::invalid(format!(
        "Invalid amount. Currency {code} {why} and charged amounts must be evenly divisible by {step}. See https://stripe.com/docs/currencies#{part} for more information."
    ))
    .param(param))
}

/// `around` is the path of the members; `currency` tells which one holds where they name none.
fn within(
    members: &Map<String, Value>,
    around: &str,
    currency: &dyn Fn() -> Option<Currency>,
) -> Result<(), Failure> {
    let named: Option<Currency> = ["currency", "minimum_amount_currency"]
        .iter()
        .find_map(|name| members.get(*name)?.as_str()?.parse().ok());
    let currency = &|| named.or_else(currency);
    for (name, value) in members.iter().filter(|(name, _)| *name != "metadata") {
        let path = || if around.is_empty() { name.clone() } else { format!("{around}[{name}]") };
        match value {
            Value::Object(options) if name == "currency_options" => {
                for (code, options) in options {
                    let code_path = format!("{}[{code}]", path());
                    ensure_key(code, &code_path)?;
                    let Value::Object(options) = options else { continue };
                    within(options, &code_path, &|| code.parse().ok())?;
                }
            }
            Value::Object(inner) => within(inner, &path(), currency)?,
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let Value::Object(item) = item else { continue };
                    within(item, &format!("{}[{at}]", path()), currency)?;
                }
            }
            value if is_amount(name, around) => {
                // Every step divides a hundred; what is below one has a refusal of its own.
                let fine = whole(value).filter(|amount| *amount > 0 && amount % 100 != 0);
                if let Some((amount, currency)) = fine.zip(currency()) {
                    ensure(amount, currency, &path())?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_amount(name: &str, around: &str) -> bool {
    let is_chosen = || around.trim_end_matches(']').ends_with("custom_unit_amount");
    name.split('_').any(|word| word == "amount")
        || name == "unit_cost"
        || (CHOSEN.contains(&name) && is_chosen())
}

/// An amount in whole minor units.
fn whole(value: &Value) -> Option<i64> {
    let Value::String(decimal) = value else { return value.as_i64() };
    let (whole, rest) = decimal.split_once('.').unwrap_or((decimal.as_str(), ""));
    if rest.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None }
}

/// The currency of what a call changes or names.
fn of_object(txn: &Txn<'_>, call: &Call) -> Option<Currency> {
    let path = call.key.split_once(' ')?.1;
    let at = OF_PATHS.iter().find(|(start, _)| path.starts_with(start));
    let found: Option<Arc<Object>> = match at {
        Some((_, kind)) => txn.get(kind, call.id(0)),
        None => OF_PARAMS.iter().find_map(|kind| txn.get(kind, call.text(kind)?)),
    };
    found?.get("currency")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar::{Field, Kind, Type};
    use crate::sandbox::call::Version;
    use crate::sandbox::testing::Lab;
    use serde_json::json;

    /// What the API's parameters call an amount of money.
    const AMOUNTS: &[&str] = &[
        "amount",
        "amount_decimal",
        "amount_gte",
        "amount_off",
        "application_fee_amount",
        "average_amount",
        "discount_amount",
        "flat_amount",
        "flat_amount_decimal",
        "maximum_amount",
        "merchant_amount",
        "minimum_amount",
        "preset",
        "total_tax_amount",
        "unit_amount",
        "unit_amount_decimal",
        "unit_cost",
    ];

    /// The parameters in which an amount stands, each with its path: those that say which currency it is in.
    fn places(
        fields: &[Field],
        around: (&str, bool),
        wrap: &dyn Fn(Value) -> Value,
    ) -> Vec<(String, Value)> {
        let (path, known) = around;
        let names_it = fields.iter().any(|field| field.name == "currency");
        let known = known || names_it;
        let mut found = Vec::new();
        if path.matches('[').count() > 5 {
            return found;
        }
        for field in fields {
            let inner = if path.is_empty() {
                field.name.to_owned()
            } else {
                format!("{path}[{}]", field.name)
            };
            let put = |value: Value| {
                let mut members = json!({ field.name: value });
                if names_it {
                    members["currency"] = json!("isk");
                }
                wrap(members)
            };
            let amount = match field.of.kind {
                Kind::Integer => json!(12_350),
                _ => json!("12350"),
            };
            match &field.of.kind {
                Kind::Integer | Kind::Decimal if AMOUNTS.contains(&field.name) && known => {
                    found.push((inner, put(amount)));
                }
                kind => found.extend(deeper(kind, (&inner, known), &put)),
            }
        }
        found
    }

    fn deeper(
        kind: &Kind,
        (path, known): (&str, bool),
        put: &dyn Fn(Value) -> Value,
    ) -> Vec<(String, Value)> {
        match kind {
            Kind::Shape(name) => {
                places(&Catalog::get().params(name).unwrap().fields, (path, known), put)
            }
            Kind::List(of) => {
                deeper(&of.kind, (&format!("{path}[0]"), known), &|it| put(json!([it])))
            }
            Kind::Map(of) => {
                let is_by_currency =
                    path.ends_with("currency_options") || path.ends_with("currency_options]");
                let inner = (&*format!("{path}[isk]"), known || is_by_currency);
                deeper(&of.kind, inner, &|it| put(json!({"isk": it})))
            }
            Kind::Union(of) => {
                of.iter().flat_map(|of: &Type| deeper(&of.kind, (path, known), put)).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_amount_that_says_its_currency_is_held_to_its_step() {
        let lab = Lab::new();
        let mut tried = 0;
        for endpoint in Catalog::get().routes().all().iter().filter(|it| it.method == "POST") {
            let Some(shape) = endpoint.params.and_then(|name| Catalog::get().params(name)) else {
                continue;
            };
            for (path, params) in places(&shape.fields, ("", false), &|it| it) {
                tried += 1;
                let mut call = Call {
                    key: endpoint.key().to_owned(),
                    ids: Vec::new(),
                    params: params.as_object().unwrap().clone(),
                    version: Version { text: "2026-10-28.endive".to_owned(), named: true },
                };
                let refused = lab.look(|txn| check(txn, &call)).unwrap_err();
                assert_eq!(refused.param.as_deref(), Some(&*path), "{}: {params}", endpoint.key());
                let whole = params.to_string().replace("12350", "12300");
                call.params = serde_json::from_str(&whole).unwrap();
                assert_eq!(
                    lab.look(|txn| check(txn, &call)),
                    Ok(()),
                    "{}: {whole}",
                    endpoint.key()
                );
            }
        }
        assert!(tried > 150, "{tried}");
    }

    #[test]
    fn what_follows_an_object_is_in_its_currency() {
        let mut lab = Lab::new();
        let hold = json!({"amount": 100_000, "currency": "isk", "payment_method": "pm_card_visa", "confirm": true,
            "capture_method": "manual", "automatic_payment_methods": {"enabled": true, "allow_redirects": "never"}});
        let held = lab.ok("POST /v1/payment_intents", hold.clone());
        let paid = lab.ok("POST /v1/payment_intents", hold);
        let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
        lab.ok(&format!("POST /v1/payment_intents/{}/capture", id(&paid)), json!({}));
        let old =
            json!({"amount": 100_000, "currency": "isk", "source": "tok_visa", "capture": false});
        let old = lab.ok("POST /v1/charges", old);
        let (intent, charge) = (format!("POST /v1/payment_intents/{}", id(&held)), id(&paid));
        for (endpoint, param, more) in [
            (intent.clone() + "/capture", "amount_to_capture", json!({})),
            (intent + "/increment_authorization", "amount", json!({})),
            (format!("POST /v1/charges/{}/capture", id(&old)), "amount", json!({})),
            ("POST /v1/refunds".to_owned(), "amount", json!({"payment_intent": charge})),
            ("POST /v1/refunds".to_owned(), "amount", json!({"charge": paid["latest_charge"]})),
        ] {
            let mut sent = more;
            sent[param] = json!(12_350);
            let refused = lab.call(&endpoint, sent).unwrap_err();
            assert!(refused.message.contains("evenly divisible by 100"), "{endpoint}: {refused:?}");
            assert_eq!(
                (refused.status, refused.param.as_deref()),
                (400, Some(param)),
                "{endpoint}"
            );
        }
        // A currency without steps, and a rate that is no amount.
        lab.ok("POST /v1/payment_intents", json!({"amount": 12_345, "currency": "usd"}));
        let rate = json!({"currency": "isk", "unit_amount_decimal": "0.5", "product_data": {"name": "Tea"}});
        lab.ok("POST /v1/prices", rate);
    }
}
