//! Setup intents, their attempts and mandates, as the API makes, confirms, cancels and shows them.

use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, merge_options, text};
use crate::sandbox::behaviour::payment::verification::Said;
use crate::sandbox::behaviour::payment::{confirmation, method, offer};
use crate::sandbox::behaviour::setup::confirm::{self, Options};
use crate::sandbox::behaviour::setup::intent;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SetupIntentPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Members that are parameters of the same name. `usage` is none: whatever is asked, recordings show `off_session`.
const FIELDS: &[&str] = &[
    "allowed_payment_method_types",
    "attach_to_self",
    "customer",
    "description",
    "excluded_payment_method_types",
    "flow_directions",
    "on_behalf_of",
];

/// Members that may change once it is over.
const ALWAYS: [&str; 3] = ["customer", "description", "metadata"];

/// Parameters that need what the sandbox does not have yet.
const NOT_YET: &[&str] = &["customer_account"];

/// The behaviour of `/v1/setup_intents`, `/v1/setup_attempts` and `/v1/mandates`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/setup_intents" => create,
        "GET /v1/setup_intents/{intent}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/setup_intents/{intent}" => update,
        "POST /v1/setup_intents/{intent}/confirm" => confirm,
        "POST /v1/setup_intents/{intent}/cancel" => cancel,
        "POST /v1/setup_intents/{intent}/verify_microdeposits" => verify,
        "GET /v1/setup_intents" => list_all,
        "GET /v1/setup_attempts" => attempts,
        "GET /v1/mandates/{mandate}" => mandate,
        _ => return None,
    })
}

/// The intent that a call is about.
fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find("setup_intent", call.id(0), "intent")
        .map_err(|failure| Failure { status: 404, ..failure })
}

fn check(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    call.ensure_modelled(" of setup intents", NOT_YET)?;
    method::ensure_one(call)?;
    if let Some(customer) = call.text("customer") {
        txn.find("customer", customer, "customer")?;
    }
    offer::check(call)
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let whole = confirmation::applied(txn, call)?;
    let (token, sent) = (call.text(confirmation::NAME), call);
    let call = whole.as_ref().unwrap_or(call);
    check(txn, call)?;
    let confirms = call.flag("confirm") == Some(true);
    for name in [confirmation::NAME, "mandate_data", "return_url", "use_stripe_sdk"] {
        if !confirms && sent.get(name).is_some_and(|value| value != &json!(false)) {
            let message = format!(
                "You cannot provide `{name}` when creating a SetupIntent without setting `confirm` to `true`."
            );
            return Err(Failure::invalid(message).param(name));
        }
    }
    let mut doc = Doc::new();
    let (types, automatic) = offer::accepted(&offer::offered(txn, call)?, call, fits);
    doc.insert("payment_method_options".to_owned(), intent::method_options(&types));
    doc.insert("payment_method_types".to_owned(), json!(types));
    doc.insert("automatic_payment_methods".to_owned(), automatic);
    if let Some(details) = offer::configuration(txn, call)? {
        doc.insert("payment_method_configuration_details".to_owned(), details);
    }
    write(&mut doc, call);
    let chosen = method::chosen(txn, call)?;
    if let Some(chosen) = &chosen {
        let pm = txn.find("payment_method", chosen, "payment_method")?;
        intent::ensure_owned(&pm, call.text("customer").unwrap_or_default())?;
        doc.insert("payment_method".to_owned(), json!(chosen));
    }
    let mut part = SetupIntentPart::default();
    keep(&mut part, call);
    let made = intent::open(txn, doc, part);
    if confirms {
        confirmation::spend(txn, token, ("setup_intent", text(&made, "id")));
        return try_setup(txn, call, &made, chosen);
    }
    Ok(made.into())
}

/// Whether a type of payment method can be set up for later.
fn fits(kind: &str) -> bool {
    intent::SAVED.contains(&kind)
}

/// Keeps what was sent and is not shown.
fn keep(part: &mut SetupIntentPart, call: &Call) {
    for (name, kept) in
        [("mandate_data", &mut part.mandate_data), ("single_use", &mut part.single_use)]
    {
        if let Some(sent) = call.get(name) {
            *kept = Some(sent.clone());
        }
    }
}

/// Writes the sent parameters that an intent shows.
fn write(doc: &mut Doc, call: &Call) {
    copy(doc, call, FIELDS);
    merge_options(doc, "setup_intent", call);
    merge_metadata(doc, &call.params);
}

fn try_setup(
    txn: &mut Txn<'_>,
    call: &Call,
    si: &Object,
    chosen: Option<String>,
) -> Result<Body, Failure> {
    let known = text(si, "payment_method").to_owned();
    let method_id = chosen.or((!known.is_empty()).then_some(known));
    confirm::ensure_confirmable(si, method_id.is_some())?;
    let three_d_secure = si
        .get("payment_method_options")
        .and_then(|options| options.get("card"))
        .map(|card| text(card, "request_three_d_secure").to_owned());
    let by_sdk = call.flag("use_stripe_sdk") == Some(true);
    let options = Options {
        return_url: call.text("return_url").filter(|_| !by_sdk).map(str::to_owned),
        request_three_d_secure: three_d_secure,
        challenge_url: None,
    };
    let method_id = method_id.unwrap_or_default();
    confirm::confirm(txn, text(si, "id"), &method_id, &options).map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let si = found(txn, call)?;
    check(txn, call)?;
    let status = text(&si, "status").to_owned();
    let is_over = matches!(status.as_str(), "succeeded" | "canceled" | "processing");
    let late = call.params.keys().find(|name| !ALWAYS.contains(&name.as_str()));
    if let (true, Some(name)) = (is_over, late) {
        // Believed: the sentence of payment intents, which recordings have.
        let message = format!(
            "This SetupIntent's {name} could not be updated because it has a status of {status}. You may only update the {name} of a SetupIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action."
        );
        return Err(intent::unexpected_state(&si, message).param(name));
    }
    let customer = call.text("customer").unwrap_or_else(|| text(&si, "customer")).to_owned();
    let chosen = method::chosen(txn, call)?;
    if let Some(chosen) = &chosen {
        let pm = txn.find("payment_method", chosen, "payment_method")?;
        intent::ensure_owned(&pm, &customer)?;
    }
    let retyped = offer::retyped(txn, call, &si, |offered| offer::accepted(offered, call, fits).0)?;
    let details = offer::configuration(txn, call)?;
    txn.edit("setup_intent", call.id(0), |doc| {
        write(doc, call);
        if let Some(types) = retyped {
            doc.insert("payment_method_types".to_owned(), json!(types));
        }
        if let Some(details) = details {
            doc.insert("payment_method_configuration_details".to_owned(), details);
        }
        if let Some(types) = offer::listed(call) {
            doc.insert("payment_method_types".to_owned(), json!(types));
            doc.insert("automatic_payment_methods".to_owned(), Value::Null);
        }
        if let Some(chosen) = chosen {
            doc.insert("payment_method".to_owned(), json!(chosen));
            doc.insert("status".to_owned(), json!("requires_confirmation"));
            doc.insert("next_action".to_owned(), Value::Null);
        }
    });
    found(txn, call).map(Body::from)
}

fn confirm(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    found(txn, call)?;
    let whole = confirmation::applied(txn, call)?;
    let (token, call) = (call.text(confirmation::NAME), whole.as_ref().unwrap_or(call));
    check(txn, call)?;
    let chosen = method::chosen(txn, call)?;
    txn.edit_with("setup_intent", call.id(0), |doc, part: &mut SetupIntentPart| {
        keep(part, call);
        write(doc, call);
    });
    let si = found(txn, call)?;
    confirmation::spend(txn, token, ("setup_intent", call.id(0)));
    try_setup(txn, call, &si, chosen)
}

fn cancel(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    found(txn, call)?;
    intent::cancel(txn, call.id(0), call.text("cancellation_reason")).map(Body::from)
}

fn verify(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    found(txn, call)?;
    confirm::verify_microdeposits(txn, call.id(0), &Said::read(&call.params)).map(Body::from)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let names = ["attach_to_self", "customer", "customer_account", "payment_method"];
    list::page(txn, call, "setup_intent", &list::same(call, &names))
}

fn attempts(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let intent = call.text("setup_intent").unwrap_or_default();
    txn.find("setup_intent", intent, "setup_intent")?;
    let filter = Filter::Is("setup_intent", intent.to_owned());
    list::page(txn, call, "setup_attempt", &[filter])
}

fn mandate(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("mandate", call.id(0), "id").map(Body::from)
}
