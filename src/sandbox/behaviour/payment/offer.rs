//! Which types of payment methods an intent takes: those that it lists, or those that are on offer.

use crate::catalog::Catalog;
use crate::catalog::grammar::{self, Kind};
use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::call::Call;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::{Failure, echo};
use serde_json::{Value, json};

/// What says which types are on offer.
pub const CONFIGURATION: &str = "payment_method_configuration";

/// The types that are on offer where nobody has said otherwise. Link is on in an account that is new
/// today; whoever pays by it starts at Link, so nothing of it is acted out.
pub const USUAL: [&str; 4] = ["card", "konbini", "link", "sepa_debit"];

/// The parameter that lists types which are not offered by themselves.
const LISTED: &str = "payment_method_types";

/// Every type that a configuration has.
pub fn configurable() -> impl Iterator<Item = &'static str> {
    let shape = Catalog::get().object(CONFIGURATION);
    let fields = shape.map_or(&[][..], |shape| shape.fields.as_slice());
    fields.iter().filter(|field| matches!(field.of.kind, Kind::Hash(_))).map(|field| field.name)
}

/// The id of the account's own configuration, which is there whether or not anybody has looked at it yet.
pub fn own_id(view: &View) -> String {
    let account = &view.scope().account;
    format!("pmc_1{}", cards::fingerprint(&format!("configuration {account}")))
}

/// The types that a configuration has switched on, cards first. Wallets in it are no types of their own.
fn switched_on(configuration: &Value) -> Vec<String> {
    let is_on = |kind: &&str| {
        let shown = configuration.get(*kind).and_then(|it| it.get("display_preference"));
        types().contains(kind) && shown.is_some_and(|shown| text(shown, "value") == "on")
    };
    let mut on: Vec<String> = configurable().filter(is_on).map(str::to_owned).collect();
    on.sort_by_key(|kind| kind != "card");
    on
}

/// Every type of payment method. The catalog has `payment_method_types` of intents and sessions as plain text; what
/// Stripe knows is listed beside it.
fn types() -> &'static [&'static str] {
    let shape = Catalog::get().params("PaymentIntentCreateParams");
    let known = shape.and_then(|s| grammar::field(&s.fields, "allowed_payment_method_types"));
    match known.map(|field| &field.of.kind) {
        Some(Kind::List(of)) => match &of.kind {
            Kind::Enum { words, .. } => words.as_slice(),
            _ => &[],
        },
        _ => &[],
    }
}

/// Fails for a payment method type that does not exist.
pub fn ensure_known(call: &Call) -> Result<(), Failure> {
    let mut sent = call.list(LISTED).iter().filter_map(Value::as_str);
    let Some(kind) = sent.find(|kind| !types().contains(kind)) else { return Ok(()) };
    let message = format!(
        "The payment method type \"{}\" is invalid. Please ensure the provided type is activated in your dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any preview features that you are trying to use. See https://stripe.com/docs/payments/payment-methods/integration-options for supported payment method, currency, and country options.",
        echo(kind)
    );
    Err(Failure::invalid(message).param(LISTED))
}

/// Fails for a payment method type that does not exist, and for types beside automatic ones.
pub fn check(call: &Call) -> Result<(), Failure> {
    ensure_known(call)?;
    let automatic = call.hash("automatic_payment_methods");
    let enabled = automatic.and_then(|automatic| automatic.get("enabled")) == Some(&json!(true));
    if enabled && !call.list(LISTED).is_empty() {
        let text = "`payment_method_types` and `automatic_payment_methods[enabled]=true` cannot be used together. Please remove one of these parameters.";
        return Err(Failure::invalid(text).param(LISTED));
    }
    Ok(())
}

/// The types that a call lists, under either name.
pub fn listed(call: &Call) -> Option<Vec<String>> {
    let names = [LISTED, "allowed_payment_method_types"];
    let list = names.iter().map(|name| call.list(name)).find(|list| !list.is_empty())?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The types that are offered where a call lists none: by the configuration that it names, else by the settings, else
/// by the account's own configuration.
pub fn offered(txn: &Txn<'_>, call: &Call) -> Result<Vec<String>, Failure> {
    if let Some(id) = call.text(CONFIGURATION) {
        let named = txn.find(CONFIGURATION, id, CONFIGURATION)?;
        return Ok(switched_on(&named));
    }
    let settings = Settings::of(txn);
    let own = (!is_set(&settings)).then(|| txn.get(CONFIGURATION, &own_id(txn))).flatten();
    Ok(own.map_or_else(|| settings.payment_methods(&USUAL), |own| switched_on(&own)))
}

/// Whether the settings say what is offered, whatever the account's own configuration says.
pub fn is_set(settings: &Settings) -> bool {
    !settings.get("payment_methods").is_empty()
}

/// The types of an intent that takes what is offered, where a call says otherwise what that is.
pub fn retyped(
    txn: &Txn<'_>,
    call: &Call,
    intent: &Value,
    types: impl FnOnce(&[String]) -> Vec<String>,
) -> Result<Option<Vec<String>>, Failure> {
    let names = ["excluded_payment_method_types", "payment_method_configuration"];
    let automatic = intent.get("automatic_payment_methods").is_some_and(Value::is_object);
    if !automatic || listed(call).is_some() || !names.iter().any(|name| call.sent(name)) {
        return Ok(None);
    }
    offered(txn, call).map(|offered| Some(types(&offered)))
}

/// `payment_method_configuration_details` of the configuration that a call names.
pub fn configuration(txn: &Txn<'_>, call: &Call) -> Result<Option<Value>, Failure> {
    let Some(id) = call.text(CONFIGURATION) else { return Ok(None) };
    let found = txn.find(CONFIGURATION, id, CONFIGURATION)?;
    Ok(Some(json!({"id": id, "parent": found.get("parent")})))
}

/// `payment_method_configuration_details` of what a call opens: it takes what is on offer, unless it lists its types.
pub fn details(txn: &Txn<'_>, call: &Call) -> Result<Value, Failure> {
    if let Some(named) = configuration(txn, call)? {
        return Ok(named);
    }
    let offers = listed(call).is_none();
    Ok(if offers { json!({"id": own_id(txn), "parent": null}) } else { Value::Null })
}

/// The accepted types, and `automatic_payment_methods` as it is shown: what a call lists, else what of the types on
/// offer `fits` the intent and is not excluded.
pub fn accepted(
    offered: &[String],
    call: &Call,
    fits: impl Fn(&str) -> bool,
) -> (Vec<String>, Value) {
    if let Some(types) = listed(call) {
        return (types, Value::Null);
    }
    let redirects = call
        .hash("automatic_payment_methods")
        .and_then(|automatic| automatic.get("allow_redirects"))
        .cloned()
        .unwrap_or_else(|| json!("always"));
    let excluded = call.list("excluded_payment_method_types");
    let kept = offered.iter().filter(|kind| fits(kind) && !excluded.iter().any(|it| it == *kind));
    (kept.cloned().collect(), json!({"allow_redirects": redirects, "enabled": true}))
}
