//! Payment intents, as the API makes, confirms, captures and cancels them.

use crate::sandbox::behaviour::checkout::defaults::only_currency;
use crate::sandbox::behaviour::checkout::finish;
use crate::sandbox::behaviour::connect::terms;
use crate::sandbox::behaviour::document::{
    Handler, copy, fill, int, merge_metadata, merge_options, text,
};
use crate::sandbox::behaviour::payment::confirm::{self, ConfirmOptions};
use crate::sandbox::behaviour::payment::intent::{self, IntentSpec};
use crate::sandbox::behaviour::payment::verification::{self, Said};
use crate::sandbox::behaviour::payment::{cash, confirmation, method, offer, settle};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::call::step;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PaymentIntentPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

const INDEX: Index = Index {
    kind: "payment_intent",
    noun: "payment_intents",
    fields: &["amount", "created", "currency", "customer", "metadata", "status"],
};

/// Members that are parameters of the same name and can change until the payment.
const FIELDS: &[&str] = &[
    "description",
    "excluded_payment_method_types",
    "payment_details",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];

/// Parameters that need objects which the sandbox does not have yet.
const NOT_YET: &[&str] = &["customer_account", "hooks", "mandate"];

const RETURN_URL: &str = "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.";

/// Parameters that can change after the payment too.
const ALWAYS: [&str; 5] =
    ["description", "metadata", "receipt_email", "shipping", "transfer_group"];

/// The behaviour of `/v1/payment_intents`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/payment_intents" => create,
        "GET /v1/payment_intents/{intent}" => retrieve,
        "POST /v1/payment_intents/{intent}" => update,
        "POST /v1/payment_intents/{intent}/confirm" => confirm,
        "POST /v1/payment_intents/{intent}/capture" => capture,
        "POST /v1/payment_intents/{intent}/cancel" => cancel,
        "POST /v1/payment_intents/{intent}/apply_customer_balance" => apply_cash,
        "POST /v1/payment_intents/{intent}/increment_authorization" => increment,
        "POST /v1/payment_intents/{intent}/verify_microdeposits" => verify,
        "GET /v1/payment_intents" => list_all,
        "GET /v1/payment_intents/search" => |txn, call| search::page(txn, call, &INDEX),
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let whole = confirmation::applied(txn, call)?;
    let (token, call) = (call.text(confirmation::NAME), whole.as_ref().unwrap_or(call));
    check(call)?;
    let amount = required(call, "amount")?.as_i64().unwrap_or(0);
    let currency = required(call, "currency")?.as_str().unwrap_or_default().to_owned();
    let currency = step::known_currency(&currency)?.code().to_owned();
    intent::check_intent_amount(amount, &currency)?;
    terms::check(txn, &call.params, amount, &Value::Null)?;
    let customer = call.owned("customer");
    if let Some(customer) = &customer {
        txn.find("customer", customer, "customer")?;
    }
    let confirms = call.flag("confirm") == Some(true);
    if !confirms {
        refuse_confirmation(call, token)?;
    }
    offer::check(call)?;
    let (types, automatic) =
        offer::accepted(&offer::offered(txn, call)?, call, |kind| fits(kind, &currency));
    let mut more = Doc::new();
    more.insert("automatic_payment_methods".to_owned(), automatic);
    let details = offer::details(txn, call)?;
    more.insert("payment_method_configuration_details".to_owned(), details);
    copy(&mut more, call, &["confirmation_method"]);
    write(&mut more, call);
    let mut part = PaymentIntentPart::default();
    keep(&mut part, call);
    let metadata = more.remove("metadata").and_then(|m| m.as_object().cloned()).unwrap_or_default();
    let spec = IntentSpec {
        amount,
        currency,
        capture_method: call.owned("capture_method"),
        customer,
        metadata,
        description: call.owned("description"),
        receipt_email: call.owned("receipt_email"),
        setup_future_usage: call.owned("setup_future_usage"),
        types,
        session: None,
        part,
        more,
    };
    let method_id = method::chosen(txn, call)?;
    if let Some(method_id) = &method_id {
        check_method(txn, method_id, spec.customer.as_deref())?;
    }
    let id = open(txn, call, spec, method_id.as_deref());
    if confirms {
        confirmation::spend(txn, token, ("payment_intent", &id));
        return try_payment(txn, call, &id, method_id);
    }
    shown(txn, &id)
}

/// Fails where a call that does not confirm says how.
fn refuse_confirmation(call: &Call, token: Option<&str>) -> Result<(), Failure> {
    let names =
        ["error_on_requires_action", "mandate_data", "off_session", "return_url", "use_stripe_sdk"];
    let sent = |name: &&&str| call.get(name).is_some_and(|value| value != &json!(false));
    let token = token.map(|_| confirmation::NAME);
    let Some(name) = token.or_else(|| names.iter().find(sent).copied()) else { return Ok(()) };
    let message = format!(
        "You cannot provide `{name}` when creating a PaymentIntent without setting `confirm` to `true`."
    );
    Err(Failure::invalid(message).param(name))
}

/// Opens the intent; `payment_intent.created` tells of it with its payment method.
fn open(txn: &mut Txn<'_>, call: &Call, mut spec: IntentSpec, method_id: Option<&str>) -> String {
    let mut options = Doc::new();
    options.insert("payment_method_options".to_owned(), intent::method_options(&spec.types));
    merge_options(&mut options, "payment_intent", call);
    spec.more.extend(options);
    if let Some(method_id) = method_id {
        spec.more.insert("payment_method".to_owned(), json!(method_id));
        spec.more.insert("status".to_owned(), json!("requires_confirmation"));
    }
    intent::open_intent(txn, spec)
}

fn required<'c>(call: &'c Call, name: &str) -> Result<&'c Value, Failure> {
    call.get(name).ok_or_else(|| {
        Failure::invalid(format!("Missing required param: {name}."))
            .code("parameter_missing")
            .param(name)
    })
}

fn check(call: &Call) -> Result<(), Failure> {
    call.ensure_modelled(" of payment intents", NOT_YET)?;
    if call.hash("amount_details").is_some_and(|details| details.contains_key("line_items")) {
        let text = "`amount_details[line_items]` is not modelled by this sandbox yet.";
        return Err(Failure::of(501, FailureKind::Api, text).param("amount_details[line_items]"));
    }
    method::ensure_one(call)
}

/// Whether payments in a currency can be made with a type of payment method.
fn fits(kind: &str, currency: &str) -> bool {
    only_currency(kind).is_none_or(|only| only.code() == currency)
}

/// Keeps what was sent and is not shown.
fn keep(part: &mut PaymentIntentPart, call: &Call) {
    for (name, kept) in
        [("radar_options", &mut part.radar_options), ("mandate_data", &mut part.mandate_data)]
    {
        if let Some(sent) = call.get(name) {
            *kept = Some(sent.clone());
        }
    }
}

/// Writes the sent parameters that an intent shows under their own names, or keeps for its charge.
fn write(doc: &mut Doc, call: &Call) {
    copy(doc, call, FIELDS);
    copy(doc, call, &["allowed_payment_method_types"]);
    terms::write(doc, call);
    if let Some(sent) = call.hash("amount_details") {
        let shown = doc.entry("amount_details").or_insert_with(|| json!({"tip": {}}));
        if let Value::Object(shown) = shown {
            let kept = sent.iter().filter(|(name, _)| *name != "enforce_arithmetic_validation");
            shown.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    if doc.get("payment_details").is_some_and(Value::is_null) {
        doc.remove("payment_details");
    }
    fill(doc, "payment_intent", &["payment_details", "shipping"]);
    merge_metadata(doc, &call.params);
}

/// Fails where the payer may not pay with a payment method.
fn check_method(txn: &Txn<'_>, method_id: &str, customer: Option<&str>) -> Result<(), Failure> {
    let found = txn.find("payment_method", method_id, "payment_method")?;
    confirm::ensure_open_to(&found, customer.unwrap_or_default())
}

fn try_payment(
    txn: &mut Txn<'_>,
    call: &Call,
    id: &str,
    method_id: Option<String>,
) -> Result<Body, Failure> {
    let pi = txn.find("payment_intent", id, "intent")?;
    let known = text(&pi, "payment_method").to_owned();
    let method_id = method_id.or((!known.is_empty()).then_some(known));
    let automatic = pi.get("automatic_payment_methods").filter(|automatic| !automatic.is_null());
    let may_redirect = automatic.is_some_and(|a| text(a, "allow_redirects") == "always");
    // A page with Stripe.js shows what there is to do itself; that it needs no address then is believed.
    let by_sdk = call.flag("use_stripe_sdk") == Some(true);
    let stays = by_sdk || call.get("off_session").is_some();
    if may_redirect && call.text("return_url").is_none() && !stays {
        return Err(Failure::invalid(RETURN_URL).param("return_url"));
    }
    confirm::ensure_confirmable(&pi)?;
    let Some(method_id) = method_id else {
        return Err(intent::unexpected_state(&pi, missing_method(text(&pi, "customer"))));
    };
    let three_d_secure = pi
        .get("payment_method_options")
        .and_then(|options| options.get("card"))
        .map(|card| text(card, "request_three_d_secure").to_owned());
    let return_url = call.text("return_url").filter(|_| !by_sdk);
    let options = ConfirmOptions {
        asks_later: false,
        return_url: return_url.map(str::to_owned),
        off_session: call.get("off_session").is_some_and(|value| value != &json!(false)),
        error_on_requires_action: call.flag("error_on_requires_action") == Some(true),
        request_three_d_secure: three_d_secure,
        challenge_url: None,
    };
    let outcome = confirm::confirm(txn, id, &method_id, &options)?;
    settle::schedule(txn, id, outcome);
    shown(txn, id)
}

fn missing_method(customer: &str) -> String {
    const MISSING: &str = "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.";
    if customer.is_empty() {
        return MISSING.to_owned();
    }
    format!(
        "{MISSING} To confirm the PaymentIntent with {customer}, specify a payment method attached to this customer along with the customer ID."
    )
}

fn shown(txn: &Txn<'_>, id: &str) -> Result<Body, Failure> {
    txn.find("payment_intent", id, "intent").map(Body::from)
}

/// Fails while the Checkout Session that owns an intent is open.
fn ensure_free(txn: &Txn<'_>, pi: &Object, verb: &str) -> Result<(), Failure> {
    let owner = pi.part::<PaymentIntentPart>().session.clone();
    let session = owner.and_then(|owner| txn.get("checkout.session", &owner));
    if session.is_some_and(|session| text(&session, "status") == "open") {
        let message = format!(
            "You cannot {verb} this PaymentIntent because it belongs to an open Checkout Session. Expire the session instead."
        );
        return Err(intent::unexpected_state(pi, message));
    }
    Ok(())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    found(txn, call).map(Body::from)
}

/// The intent that a call is about.
fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find("payment_intent", call.id(0), "intent")
        .map_err(|failure| Failure { status: 404, ..failure })
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let pi = found(txn, call)?;
    check(call)?;
    offer::check(call)?;
    let status = text(&pi, "status");
    let open =
        matches!(status, "requires_payment_method" | "requires_confirmation" | "requires_action");
    let late = call.params.keys().find(|name| !ALWAYS.contains(&name.as_str()));
    if let (false, Some(name)) = (open, late) {
        let message = format!(
            "This PaymentIntent's {name} could not be updated because it has a status of {status}. You may only update the {name} of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action."
        );
        return Err(intent::unexpected_state(&pi, message).param(name));
    }
    let currency = call.text("currency").unwrap_or_else(|| text(&pi, "currency"));
    let currency = step::known_currency(currency)?.code();
    intent::check_intent_amount(
        call.int("amount").unwrap_or_else(|| int(&pi, "amount")),
        currency,
    )?;
    terms::check(txn, &call.params, terms::amount(call, "amount", &pi), &pi)?;
    let customer = call.text("customer").unwrap_or_else(|| text(&pi, "customer")).to_owned();
    if !customer.is_empty() {
        txn.find("customer", &customer, "customer")?;
    }
    let method_id = method::chosen(txn, call)?;
    if let Some(method_id) = &method_id {
        check_method(txn, method_id, Some(&customer))?;
    }
    let anew = ["amount", "capture_method", "currency", "customer", "payment_method_options"];
    if method_id.is_some() || anew.iter().any(|name| call.sent(name)) {
        intent::start_over(txn, &pi);
    }
    let retyped = offer::retyped(txn, call, &pi, |offered| {
        offer::accepted(offered, call, |kind| fits(kind, currency)).0
    })?;
    let details = offer::configuration(txn, call)?;
    txn.edit_with("payment_intent", id, |doc, part: &mut PaymentIntentPart| {
        keep(part, call);
        write(doc, call);
        copy(doc, call, &["amount", "capture_method", "customer"]);
        doc.insert("currency".to_owned(), json!(currency));
        merge_options(doc, "payment_intent", call);
        let listed = ["payment_method_types", "allowed_payment_method_types"];
        if let Some(types) = listed.iter().find_map(|name| call.get(name)) {
            doc.insert("payment_method_types".to_owned(), types.clone());
            doc.insert("automatic_payment_methods".to_owned(), Value::Null);
        }
        if let Some(types) = retyped {
            doc.insert("payment_method_types".to_owned(), json!(types));
        }
        if let Some(details) = details {
            doc.insert("payment_method_configuration_details".to_owned(), details);
        }
        if open {
            doc.insert("last_payment_error".to_owned(), Value::Null);
        }
        if let Some(method_id) = method_id {
            doc.insert("payment_method".to_owned(), json!(method_id));
            doc.insert("status".to_owned(), json!("requires_confirmation"));
            doc.insert("next_action".to_owned(), Value::Null);
        }
    });
    shown(txn, id)
}

fn confirm(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let pi = found(txn, call)?;
    let whole = confirmation::applied(txn, call)?;
    let (token, call) = (call.text(confirmation::NAME), whole.as_ref().unwrap_or(call));
    check(call)?;
    ensure_free(txn, &pi, "confirm")?;
    confirm::ensure_confirmable(&pi)?;
    if let Some(amount) = call.int("amount_to_confirm").filter(|a| *a != int(&pi, "amount")) {
        let message = format!(
            "The amount to confirm ({amount}) differs from the amount of the PaymentIntent ({}).",
            int(&pi, "amount")
        );
        return Err(Failure::invalid(message).param("amount_to_confirm"));
    }
    let method_id = method::chosen(txn, call)?;
    txn.edit_with("payment_intent", id, |doc, part: &mut PaymentIntentPart| {
        keep(part, call);
        write(doc, call);
        copy(doc, call, &["capture_method"]);
        merge_options(doc, "payment_intent", call);
    });
    confirmation::spend(txn, token, ("payment_intent", id));
    try_payment(txn, call, id, method_id)
}

fn capture(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    check(call)?;
    let last = call.flag("final_capture") != Some(false);
    let pi = found(txn, call)?;
    terms::check(txn, &call.params, terms::amount(call, "amount_to_capture", &pi), &pi)?;
    if !last && !intent::allows(txn, &pi, "multicapture") {
        let text = "`final_capture` can only be false for payments that support multicapture.";
        return Err(Failure::invalid(text).param("final_capture"));
    }
    txn.edit_with("payment_intent", call.id(0), |doc, part: &mut PaymentIntentPart| {
        keep(part, call);
        write(doc, call);
    });
    terms::carry(txn, call.id(0));
    let captured = intent::capture(txn, call.id(0), call.int("amount_to_capture"), last)?;
    finish::captured(txn, &captured);
    Ok(captured.into())
}

fn cancel(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let pi = found(txn, call)?;
    ensure_free(txn, &pi, "cancel")?;
    intent::cancel(txn, call.id(0), call.text("cancellation_reason")).map(Body::from)
}

fn verify(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    found(txn, call)?;
    verification::verify_payment(txn, call.id(0), &Said::read(&call.params)).map(Body::from)
}

fn increment(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    found(txn, call)?;
    check(call)?;
    intent::increment(txn, call.id(0), call.int("amount").unwrap_or(0))?;
    txn.edit("payment_intent", call.id(0), |doc| write(doc, call));
    shown(txn, call.id(0))
}

/// Pays an intent from its customer's cash by hand.
fn apply_cash(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let pi = found(txn, call)?;
    if !cash::is_awaiting(txn, &pi) {
        let message = format!(
            "This PaymentIntent's customer balance could not be applied because it has a status of {}.",
            text(&pi, "status")
        );
        return Err(intent::unexpected_state(&pi, message));
    }
    if cash::apply(txn, call.id(0), call.int("amount")) == 0 {
        // Believed: the words of an empty balance.
        let text =
            "The customer's cash balance has no funds in the currency of this PaymentIntent.";
        return Err(Failure::invalid(text).code("insufficient_funds"));
    }
    shown(txn, call.id(0))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    list::page(txn, call, "payment_intent", &list::same(call, &["customer"]))
}
