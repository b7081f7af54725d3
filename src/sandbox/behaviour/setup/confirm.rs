//! One try to set a payment method up: its owner is asked where that is needed, then it is attached.

use crate::domain::card::{After, Behaviour, Challenge};
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::cards::stored::card_of;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::behaviour::payment::verification::{self, Said};
use crate::sandbox::behaviour::setup::intent::{ensure_owned, not_modelled, unexpected_state};
use crate::sandbox::behaviour::setup::state::{self, Act};
use crate::sandbox::behaviour::setup::{attempt, mandate};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{PaymentMethodPart, SetupIntentPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is told of an intent whose method is set up; what it was opened for follows.
pub const DONE: &str = "setup_intent.succeeded";

/// How a setup is confirmed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the customer goes after a redirect.
    pub return_url: Option<String>,
    /// `any` or `challenge` asks for 3-D Secure where the card can.
    pub request_three_d_secure: Option<String>,
    /// The page where the customer authenticates, where it is not the sandbox's own.
    pub challenge_url: Option<String>,
}

/// What a try needs of the method's owner.
enum Step {
    Done(Option<&'static str>),
    Challenge,
    Microdeposits,
    Decline(Decline),
}

/// Fails where an intent cannot be confirmed any more. That a payment method is missing is told first.
pub fn ensure_confirmable(intent: &Value, has_method: bool) -> Result<(), Failure> {
    const MISSING: &str = "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.";
    if !has_method {
        return Err(unexpected_state(intent, MISSING));
    }
    let status = text(intent, "status");
    if state::after(status, Act::Succeed).is_some() {
        return Ok(());
    }
    // Believed: no recording confirms one that is over.
    let message = if status == "succeeded" {
        "You cannot confirm this SetupIntent because it has already succeeded.".to_owned()
    } else {
        format!(
            "You cannot confirm this SetupIntent because it has a status of {status}. Only a SetupIntent with one of the following statuses may be confirmed: requires_payment_method, requires_confirmation, requires_action."
        )
    };
    Err(unexpected_state(intent, message))
}

/// Tries to set a payment method up.
///
/// Fails with a 402 that keeps its changes where the card is refused, and with a 400 where the intent or the method
/// cannot be used.
pub fn confirm(
    txn: &mut Txn<'_>,
    id: &str,
    method_id: &str,
    options: &Options,
) -> Result<Arc<Object>, Failure> {
    let intent = txn.find("setup_intent", id, "intent")?;
    ensure_confirmable(&intent, true)?;
    let pm = method::instantiate_test_method(txn, method_id, "payment_method")?;
    ensure_usable(&intent, &pm)?;
    let next = step(&pm, options)?;
    let part = intent.part::<SetupIntentPart>().into_owned();
    if mandate::is_needed(&pm) && part.mandate_data.is_none() {
        // Believed: the words of a missing mandate.
        let text = "This SetupIntent requires a mandate, but no mandate was found. Set `mandate_data` on confirmation of this SetupIntent.";
        return Err(Failure::invalid(text)
            .code("setup_intent_mandate_invalid")
            .param("mandate_data")
            .with("setup_intent", intent.document()));
    }
    let status = match next {
        Step::Done(_) => "succeeded",
        Step::Decline(_) => "failed",
        Step::Challenge | Step::Microdeposits => "requires_action",
    };
    let tried = attempt::write(txn, &intent, &pm, status);
    let chosen = text(&pm, "id").to_owned();
    let changed = txn.edit("setup_intent", id, |doc| {
        doc.insert("payment_method".to_owned(), json!(chosen));
        doc.insert("last_setup_error".to_owned(), Value::Null);
        doc.insert("latest_attempt".to_owned(), json!(tried));
        doc.insert("next_action".to_owned(), Value::Null);
    });
    let Some((_, intent)) = changed else { return Ok(intent) };
    match next {
        Step::Done(secure) => Ok(succeed(txn, &intent, &pm, secure)),
        Step::Challenge => Ok(ask(txn, &intent, challenge(txn, id, options))),
        Step::Microdeposits => Ok(ask(txn, &intent, verification::action(txn, id))),
        Step::Decline(reason) => Err(decline(txn, &intent, &pm, &reason)),
    }
}

fn ensure_usable(intent: &Value, pm: &Object) -> Result<(), Failure> {
    method::ensure_unspent(pm)?;
    ensure_owned(pm, text(intent, "customer"))?;
    let kind = text(pm, "type");
    let types = intent.get("payment_method_types").and_then(Value::as_array);
    if types.is_none_or(|types| types.is_empty() || types.iter().any(|it| it == kind)) {
        return Ok(());
    }
    let names: Vec<_> = types.into_iter().flatten().filter_map(Value::as_str).collect();
    Err(Failure::invalid(format!(
        "The PaymentMethod provided ({kind}) is not allowed for this SetupIntent. Please attach a PaymentMethod of one of the following types: {}.",
        names.join(", ")
    ))
    .param("payment_method"))
}

fn step(pm: &Object, options: &Options) -> Result<Step, Failure> {
    match text(pm, "type") {
        "card" => Ok(card_step(pm, options)),
        "acss_debit" | "us_bank_account" if !pm.part::<PaymentMethodPart>().verified => {
            Ok(Step::Microdeposits)
        }
        kind if mandate::NEEDED_BY.contains(&kind) || kind == "link" => Ok(Step::Done(None)),
        kind => Err(not_modelled(&format!("Setting `{kind}` up"))),
    }
}

fn card_step(pm: &Object, options: &Options) -> Step {
    let Some(card) = card_of(pm) else { return Step::Done(None) };
    let wanted = matches!(options.request_three_d_secure.as_deref(), Some("any" | "challenge"));
    let Behaviour::Authenticates { when, then } = card.behaviour else {
        return Decline::on_verifying(card).map_or(Step::Done(None), Step::Decline);
    };
    let asked = match when {
        Challenge::Always | Challenge::UnlessSetUp => true,
        // It counts as set up already; believed for setups.
        Challenge::OnSessionOnly => false,
        Challenge::Optional => wanted,
        Challenge::Frictionless => return Step::Done(Some("frictionless")),
    };
    match then {
        _ if !asked => Step::Done(None),
        After::ProcessingError => {
            Step::Decline(Decline::new("card_declined", Some("processing_error")))
        }
        // What the card is charged later is declined then.
        After::Succeeds | After::Declines(_) => Step::Challenge,
    }
}

fn challenge(txn: &Txn<'_>, id: &str, options: &Options) -> Value {
    let own = || format!("{}/3ds/{id}", txn.site().base_url);
    let page = options.challenge_url.clone().unwrap_or_else(own);
    if options.return_url.is_some() {
        return json!({
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": options.return_url, "url": page},
        });
    }
    json!({
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "source": txn.new_id("src_1", 23), "stripe_js": page, "type": "three_d_secure_redirect",
        },
    })
}

fn ask(txn: &mut Txn<'_>, intent: &Arc<Object>, action: Value) -> Arc<Object> {
    let next = state::after(text(intent, "status"), Act::Ask);
    let changed = txn.edit("setup_intent", text(intent, "id"), |doc| {
        doc.insert("status".to_owned(), json!(next));
        doc.insert("next_action".to_owned(), action);
    });
    let Some((_, after)) = changed else { return Arc::clone(intent) };
    txn.emit("setup_intent.requires_action", &after);
    after
}

/// The payment method can be used from now on; a customer's intent attaches it first.
fn succeed(
    txn: &mut Txn<'_>,
    intent: &Arc<Object>,
    pm: &Arc<Object>,
    secure: Option<&str>,
) -> Arc<Object> {
    let (id, customer) = (text(intent, "id"), text(intent, "customer"));
    let marked =
        txn.edit_with("payment_method", text(pm, "id"), |_, part: &mut PaymentMethodPart| {
            part.set_up = true;
        });
    let mut pm = marked.map_or_else(|| Arc::clone(pm), |(_, after)| after);
    if !customer.is_empty() && text(&pm, "customer").is_empty() {
        pm = method::adopt(txn, &pm, customer);
    }
    let part = intent.part::<SetupIntentPart>();
    let mandate = mandate::is_needed(&pm)
        .then(|| mandate::write(txn, &pm, part.mandate_data.as_ref(), part.single_use.as_ref()));
    attempt::end(txn, text(intent, "latest_attempt"), &pm, ("succeeded", secure), None);
    let next = state::after(text(intent, "status"), Act::Succeed);
    let single = part.single_use.is_some();
    let changed = txn.edit("setup_intent", id, |doc| {
        doc.insert("status".to_owned(), json!(next));
        doc.insert("next_action".to_owned(), Value::Null);
        if let Some(mandate) = mandate {
            let name = if single { "single_use_mandate" } else { "mandate" };
            doc.insert(name.to_owned(), json!(mandate));
        }
    });
    let Some((_, after)) = changed else { return Arc::clone(intent) };
    txn.emit(DONE, &after);
    txn.follow(DONE, &after);
    after
}

fn decline(txn: &mut Txn<'_>, intent: &Value, pm: &Object, reason: &Decline) -> Failure {
    let error = reason.error(None, pm);
    let after = fail(txn, intent, pm, error);
    reason.failure().with("payment_method", pm.document()).with("setup_intent", after)
}

/// Sends an intent back to its start with an error, and tells so.
fn fail(txn: &mut Txn<'_>, intent: &Value, pm: &Object, error: Doc) -> Value {
    attempt::end(txn, text(intent, "latest_attempt"), pm, ("failed", None), Some(&error));
    let next = state::after(text(intent, "status"), Act::Fail);
    let changed = txn.edit("setup_intent", text(intent, "id"), |doc| {
        doc.insert("status".to_owned(), json!(next));
        doc.insert("payment_method".to_owned(), Value::Null);
        doc.insert("next_action".to_owned(), Value::Null);
        doc.insert("last_setup_error".to_owned(), Value::Object(error));
    });
    let Some((_, after)) = changed else { return Value::Null };
    txn.emit("setup_intent.setup_failed", &after);
    after.document()
}

/// An intent and its payment method.
type Pair = (Arc<Object>, Arc<Object>);

/// An intent that waits for its owner, and its payment method.
fn awaiting(txn: &Txn<'_>, id: &str, action: fn(&str) -> bool) -> Result<Option<Pair>, Failure> {
    let intent = txn.find("setup_intent", id, "intent")?;
    let asked = intent.get("next_action").is_some_and(|it| action(text(it, "type")));
    let pm = txn.get("payment_method", text(&intent, "payment_method"));
    Ok(pm.filter(|_| asked && text(&intent, "status") == "requires_action").map(|pm| (intent, pm)))
}

/// Ends the 3-D Secure challenge of an intent.
///
/// Fails with a 402 that keeps its changes where it was not passed.
pub fn authenticate(txn: &mut Txn<'_>, id: &str, passed: bool) -> Result<Arc<Object>, Failure> {
    const CODE: &str = "setup_intent_authentication_failure";
    const MESSAGE: &str =
        "The latest attempt to set up the payment method has failed because authentication failed.";
    let is_challenge = |kind: &str| matches!(kind, "redirect_to_url" | "use_stripe_sdk");
    let Some((intent, pm)) = awaiting(txn, id, is_challenge)? else {
        let intent = txn.find("setup_intent", id, "intent")?;
        let status = text(&intent, "status");
        let message = format!(
            "This SetupIntent has no authentication under way because it has a status of {status}."
        );
        return Err(unexpected_state(&intent, message));
    };
    if passed {
        return Ok(succeed(txn, &intent, &pm, Some("challenge")));
    }
    let mut error = verification::error(CODE, MESSAGE);
    error.insert("payment_method".to_owned(), pm.document());
    let after = fail(txn, &intent, &pm, error);
    Err(Failure::of(402, FailureKind::InvalidRequest, MESSAGE)
        .code(CODE)
        .with("payment_method", pm.document())
        .with("setup_intent", after)
        .keeping_changes())
}

/// Verifies the account of an intent by the sums that were sent to it.
pub fn verify_microdeposits(
    txn: &mut Txn<'_>,
    id: &str,
    said: &Said,
) -> Result<Arc<Object>, Failure> {
    let Some((intent, pm)) = awaiting(txn, id, |kind| kind == verification::ACTION)? else {
        let intent = txn.find("setup_intent", id, "intent")?;
        return Err(verification::not_awaited("SetupIntent", &intent));
    };
    let tries = intent.part::<SetupIntentPart>().tries + 1;
    let Some((code, message)) = said.fault(tries) else {
        let pm = verification::mark(txn, &pm);
        return Ok(succeed(txn, &intent, &pm, None));
    };
    txn.edit_part("setup_intent", id, |part: &mut SetupIntentPart| part.tries = tries);
    let failure = Failure::invalid(message).code(code).keeping_changes();
    if !verification::is_last(code) {
        return Err(failure);
    }
    let after = fail(txn, &intent, &pm, verification::error(code, message));
    Err(failure.with("setup_intent", after))
}
