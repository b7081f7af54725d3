//! One try to pay an intent: authenticate where asked, charge, and say what is left to do.

use crate::domain::card::{After, Behaviour, Challenge};
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::cards::stored::card_of;
use crate::sandbox::behaviour::connect::terms;
use crate::sandbox::behaviour::dispute::review;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::payment::charge::{self, Attempt, Ending};
use crate::sandbox::behaviour::payment::settle::{self, Settlement};
use crate::sandbox::behaviour::payment::{bank, cash, intent, method, verification};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{PaymentIntentPart, PaymentMethodPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is told of an intent that was paid; what it was opened for follows.
pub const PAID: &str = "payment_intent.succeeded";

/// What is told of one whose attempt to pay was refused.
pub const REFUSED: &str = "payment_intent.payment_failed";

/// How a payment is confirmed.
#[derive(Clone, Debug, Default)]
pub struct ConfirmOptions {
    /// Where the customer goes after a redirect.
    pub return_url: Option<String>,
    /// The customer is not there: a card that wants authentication is declined.
    pub off_session: bool,
    /// Nobody is there, but who is asked may answer later, as for an invoice.
    pub asks_later: bool,
    /// Fail instead of asking for a next action.
    pub error_on_requires_action: bool,
    /// `any` or `challenge` asks for 3-D Secure where the card can.
    pub request_three_d_secure: Option<String>,
    /// The page where the customer authenticates, where it is not the sandbox's own.
    pub challenge_url: Option<String>,
}

/// Where a confirmed intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Paid.
    Succeeded,
    /// The money is held until it is captured.
    RequiresCapture,
    /// The customer has something to do (`next_action`). A konbini payment says when it settles by itself.
    RequiresAction {
        /// What will happen, for a delayed method.
        settles: Option<Settlement>,
    },
    /// The bank answers later.
    Processing {
        /// What will happen, where it happens by itself.
        settles: Option<Settlement>,
    },
}

/// Tries to pay an intent with a payment method (a ready-made one becomes a copy).
///
/// Fails with a 402 that keeps its changes where the payment is declined, and with a 400 where the intent or
/// the method cannot be used.
pub fn confirm(
    txn: &mut Txn<'_>,
    intent_id: &str,
    method_id: &str,
    options: &ConfirmOptions,
) -> Result<Outcome, Failure> {
    let pi = txn.find("payment_intent", intent_id, "intent")?;
    ensure_confirmable(&pi)?;
    let pm = method::instantiate_test_method(txn, method_id, "payment_method")?;
    ensure_usable(&pi, &pm)?;
    intent::forget_jobs(txn, &pi);
    let is_another = text(&pi, "payment_method") != text(&pm, "id");
    if is_another && pi.part::<PaymentIntentPart>().authenticated {
        let forget = |part: &mut PaymentIntentPart| part.authenticated = false;
        txn.edit_part("payment_intent", intent_id, forget);
    }
    let chosen = text(&pm, "id").to_owned();
    let Some((_, pi)) = txn.edit("payment_intent", intent_id, |doc| {
        doc.insert("payment_method".to_owned(), json!(chosen));
        doc.insert("last_payment_error".to_owned(), Value::Null);
        doc.insert("next_action".to_owned(), Value::Null);
        terms::group(doc);
    }) else {
        return Err(Failure::missing("payment_intent", intent_id, "intent"));
    };
    match text(&pm, "type") {
        "card" => confirm_card(txn, &pi, &pm, options),
        "konbini" => settle::start_konbini(txn, &pi, &pm),
        kind if bank::debited_in(kind).is_some() => start_debit(txn, &pi, &pm),
        cash::KIND => cash::start(txn, &pi),
        kind if REDIRECTS.iter().any(|it| it.0 == kind) => start_redirect(txn, &pi, &pm, options),
        other => Err(Failure::of(
            501,
            FailureKind::Api,
            format!("Paying by `{other}` is not modelled by this sandbox yet."),
        )),
    }
}

/// Ends the 3-D Secure challenge of an intent.
///
/// Fails with a 402 that keeps its changes where it was not passed or the charge is declined afterwards.
pub fn authenticate(txn: &mut Txn<'_>, intent_id: &str, passed: bool) -> Result<Outcome, Failure> {
    let pi = txn.find("payment_intent", intent_id, "intent")?;
    let pm = txn.get("payment_method", text(&pi, "payment_method"));
    let pm = pm.filter(|pm| text(&pi, "status") == "requires_action" && is_asked(text(pm, "type")));
    let Some(pm) = pm else {
        let status = text(&pi, "status");
        let message = format!(
            "This PaymentIntent has no authentication under way because it has a status of {status}."
        );
        return Err(intent::unexpected_state(&pi, message));
    };
    if !passed {
        return Err(fail_authentication(txn, &pi, &pm));
    }
    if text(&pi, "confirmation_method") == "manual" {
        return Ok(await_server(txn, &pi));
    }
    if text(&pm, "type") != "card" {
        return Ok(take(txn, &pi, &pm, None));
    }
    charge_authenticated(txn, &pi, &pm)
}

/// Whether an owner of a payment method of that type is asked on a page: for 3-D Secure, in a wallet.
pub fn is_asked(kind: &str) -> bool {
    kind == "card" || REDIRECTS.iter().any(|it| it.0 == kind)
}

/// Types whose owner approves a payment in a wallet, and the currency that it has.
const REDIRECTS: [(&str, &str); 1] = [("paypay", "jpy")];

/// Where the server confirms by hand, it does so once more after its customer was authenticated.
fn await_server(txn: &mut Txn<'_>, pi: &Value) -> Outcome {
    txn.edit_with("payment_intent", text(pi, "id"), |doc, part: &mut PaymentIntentPart| {
        doc.insert("status".to_owned(), json!("requires_confirmation"));
        doc.insert("next_action".to_owned(), Value::Null);
        part.authenticated = true;
    });
    Outcome::RequiresAction { settles: None }
}

fn charge_authenticated(
    txn: &mut Txn<'_>,
    pi: &Arc<Object>,
    pm: &Arc<Object>,
) -> Result<Outcome, Failure> {
    match card_of(pm).map(|card| card.behaviour) {
        Some(Behaviour::Authenticates { then: After::Declines(reason), .. }) => {
            Err(decline(txn, pi, pm, &Decline::new("card_declined", Some(reason))))
        }
        _ => Ok(take(txn, pi, pm, Some("challenge"))),
    }
}

/// Fails where an intent is past confirming.
pub fn ensure_confirmable(pi: &Value) -> Result<(), Failure> {
    let message = match text(pi, "status") {
        "requires_payment_method" | "requires_confirmation" | "requires_action" => return Ok(()),
        "succeeded" => {
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.".to_owned()
        }
        "requires_capture" => {
            "This PaymentIntent's status is requires_capture: it was confirmed already. Capture or cancel it instead.".to_owned()
        }
        other => format!(
            "You cannot confirm this PaymentIntent because it has a status of {other}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method."
        ),
    };
    Err(intent::unexpected_state(pi, message))
}

/// Fails where a payment method was used up, or belongs to someone other than the payer.
pub fn ensure_open_to(pm: &Object, payer: &str) -> Result<(), Failure> {
    method::ensure_unspent(pm)?;
    let (owner, id) = (text(pm, "customer"), text(pm, "id"));
    if !owner.is_empty() && owner != payer {
        let message = if payer.is_empty() {
            format!(
                "The `payment_method` parameter supplied {id} belongs to the Customer {owner}. Please include the Customer in the `customer` parameter on the PaymentIntent."
            )
        } else {
            format!(
                "The PaymentMethod {id} does not belong to the Customer you supplied {payer}. Please use this PaymentMethod with the Customer that it belongs to instead."
            )
        };
        let failure = Failure::invalid(message);
        return Err(if payer.is_empty() {
            failure.code("parameter_missing").param("source")
        } else {
            failure.param("payment_method")
        });
    }
    Ok(())
}

fn ensure_usable(pi: &Value, pm: &Object) -> Result<(), Failure> {
    ensure_open_to(pm, text(pi, "customer"))?;
    let kind = text(pm, "type");
    let types = pi.get("payment_method_types").and_then(Value::as_array);
    let allowed = types.is_none_or(|types| types.is_empty() || types.iter().any(|t| t == kind));
    if allowed {
        return Ok(());
    }
    let names: Vec<_> = types.into_iter().flatten().filter_map(Value::as_str).collect();
    Err(Failure::invalid(format!(
        "The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types: {}.",
        names.join(", ")
    ))
    .code("payment_intent_incompatible_payment_method")
    .param("payment_method"))
}

/// What 3-D Secure asks of a card payment.
enum Step {
    Charge(Option<&'static str>),
    Challenge,
    /// Nobody is there who could authenticate.
    Refuse,
    Decline(Decline),
}

fn step(pm: &Object, options: &ConfirmOptions) -> Step {
    let Some(card) = card_of(pm) else { return Step::Charge(None) };
    let wanted = matches!(options.request_three_d_secure.as_deref(), Some("any" | "challenge"));
    let set_up = pm.part::<PaymentMethodPart>().set_up;
    let Behaviour::Authenticates { when, then } = card.behaviour else {
        return Decline::on_charging(card).map_or(Step::Charge(None), Step::Decline);
    };
    let asked = match when {
        Challenge::Always => true,
        Challenge::UnlessSetUp => !set_up,
        Challenge::OnSessionOnly => !options.off_session,
        Challenge::Optional => wanted && then == After::Succeeds,
        Challenge::Frictionless => return Step::Charge(Some("frictionless")),
    };
    if !asked {
        return Step::Charge(None);
    }
    if then == After::ProcessingError {
        return Step::Decline(Decline::new("card_declined", Some("processing_error")));
    }
    if (options.off_session && !options.asks_later) || options.error_on_requires_action {
        return Step::Refuse;
    }
    Step::Challenge
}

/// Starts a bank debit, or first asks for proof that the account is its owner's.
fn start_debit(txn: &mut Txn<'_>, pi: &Arc<Object>, pm: &Arc<Object>) -> Result<Outcome, Failure> {
    let asks = matches!(text(pm, "type"), "acss_debit" | "us_bank_account");
    if !asks || pm.part::<PaymentMethodPart>().verified {
        return settle::start_debit(txn, pi, pm);
    }
    let action = verification::action(txn, text(pi, "id"));
    Ok(ask(txn, text(pi, "id"), action))
}

/// Sends the payer to a wallet.
///
/// Fails for another currency than the wallet has, and without a way back.
fn start_redirect(
    txn: &mut Txn<'_>,
    pi: &Arc<Object>,
    pm: &Arc<Object>,
    options: &ConfirmOptions,
) -> Result<Outcome, Failure> {
    let (currency, kind) = (text(pi, "currency"), text(pm, "type"));
    let taken = REDIRECTS.iter().find(|it| it.0 == kind).map_or("", |it| it.1);
    if currency != taken {
        let message = format!(
            "The currency provided ({currency}) is invalid for one or more payment method types on the PaymentIntent. `{kind}` accepts {taken}."
        );
        return Err(Failure::invalid(message)
            .code("payment_intent_invalid_parameter")
            .param("currency"));
    }
    if options.return_url.is_none() {
        // Believed: the words of a missing way back.
        let text = format!(
            "You must provide a `return_url` when confirming a PaymentIntent with the payment method type `{kind}`."
        );
        return Err(Failure::invalid(text).code("parameter_missing").param("return_url"));
    }
    Ok(challenge(txn, pi, options))
}

fn confirm_card(
    txn: &mut Txn<'_>,
    pi: &Arc<Object>,
    pm: &Arc<Object>,
    options: &ConfirmOptions,
) -> Result<Outcome, Failure> {
    if pi.part::<PaymentIntentPart>().authenticated {
        let id = text(pi, "id");
        txn.edit_part("payment_intent", id, |part: &mut PaymentIntentPart| {
            part.authenticated = false;
        });
        return charge_authenticated(txn, pi, pm);
    }
    match step(pm, options) {
        Step::Charge(secure) => match Decline::on_checks(txn, pm) {
            Some(reason) => {
                // Its bank had paid, and with nobody to keep it the method is used up.
                if text(pm, "customer").is_empty() {
                    mark(txn, pm, |part| part.spent = true);
                }
                Err(decline(txn, pi, pm, &reason))
            }
            None => Ok(take(txn, pi, pm, secure)),
        },
        Step::Challenge => Ok(challenge(txn, pi, options)),
        Step::Refuse => Err(refuse(txn, pi, pm)),
        Step::Decline(reason) => Err(decline(txn, pi, pm, &reason)),
    }
}

fn challenge(txn: &mut Txn<'_>, pi: &Value, options: &ConfirmOptions) -> Outcome {
    let id = text(pi, "id");
    let page = options
        .challenge_url
        .clone()
        .unwrap_or_else(|| format!("{}/3ds/{id}", txn.site().base_url));
    let action = if options.return_url.is_some() {
        json!({
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": options.return_url, "url": page},
        })
    } else {
        json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {
                "source": txn.new_id("src_1", 23), "stripe_js": page,
                "type": "three_d_secure_redirect",
            },
        })
    };
    ask(txn, id, action)
}

/// The payer has something to do.
fn ask(txn: &mut Txn<'_>, id: &str, action: Value) -> Outcome {
    let changed = txn.edit("payment_intent", id, |doc| {
        doc.insert("status".to_owned(), json!("requires_action"));
        doc.insert("next_action".to_owned(), action);
    });
    if let Some((_, after)) = changed {
        txn.emit("payment_intent.requires_action", &after);
    }
    Outcome::RequiresAction { settles: None }
}

/// Charges a card that lets itself be charged.
fn take(txn: &mut Txn<'_>, pi: &Value, pm: &Arc<Object>, secure: Option<&'static str>) -> Outcome {
    let charge =
        charge::write(txn, &Attempt { intent: pi, method: pm, ending: Ending::Succeeded, secure });
    let charge = review::open(txn, charge);
    txn.emit("charge.succeeded", &charge);
    if text(pi, "capture_method") == "manual" {
        return hold(txn, pi, pm, &charge);
    }
    let charge = charge::dispute(txn, charge);
    succeed(txn, text(pi, "id"), &charge);
    keep_method(txn, pi, pm);
    Outcome::Succeeded
}

fn hold(txn: &mut Txn<'_>, pi: &Value, pm: &Arc<Object>, charge: &Value) -> Outcome {
    let id = text(pi, "id");
    let due = txn.now().plus(charge::HOLD);
    let job = txn.schedule(due, intent::HOLD_JOB, &json!({"intent": id}));
    let changed = txn.edit_with("payment_intent", id, |doc, part: &mut PaymentIntentPart| {
        doc.insert("status".to_owned(), json!("requires_capture"));
        doc.insert("amount_capturable".to_owned(), json!(int(charge, "amount")));
        doc.insert("latest_charge".to_owned(), json!(text(charge, "id")));
        doc.insert("next_action".to_owned(), Value::Null);
        part.job = Some(job);
    });
    if let Some((_, after)) = changed {
        txn.emit("payment_intent.amount_capturable_updated", &after);
    }
    keep_method(txn, pi, pm);
    Outcome::RequiresCapture
}

/// Marks an intent as paid by a charge and tells so.
pub fn succeed(txn: &mut Txn<'_>, intent_id: &str, charge: &Value) {
    let changed =
        txn.edit_with("payment_intent", intent_id, |doc, part: &mut PaymentIntentPart| {
            doc.insert("status".to_owned(), json!("succeeded"));
            doc.insert("amount_received".to_owned(), json!(int(charge, "amount_captured")));
            doc.insert("latest_charge".to_owned(), json!(text(charge, "id")));
            doc.insert("next_action".to_owned(), Value::Null);
            doc.insert("processing".to_owned(), Value::Null);
            part.job = None;
        });
    if let Some((_, after)) = changed {
        txn.emit(PAID, &after);
        txn.follow(PAID, &after);
    }
}

/// After a payment its method is saved for the customer where that was asked for, else used up.
pub fn keep_method(txn: &mut Txn<'_>, pi: &Value, pm: &Arc<Object>) {
    let customer = text(pi, "customer");
    let usage = text(pi, "setup_future_usage");
    let is_saved = !text(pm, "customer").is_empty();
    if is_saved && usage == "off_session" {
        mark(txn, pm, |part| part.set_up = true);
    } else if !is_saved && !usage.is_empty() && !customer.is_empty() {
        let fresh = mark(txn, pm, |part| part.set_up = true);
        method::adopt(txn, &fresh, customer);
    } else if !is_saved {
        mark(txn, pm, |part| part.spent = true);
    }
}

fn mark(
    txn: &mut Txn<'_>,
    pm: &Arc<Object>,
    change: impl FnOnce(&mut PaymentMethodPart),
) -> Arc<Object> {
    let changed = txn.edit_with("payment_method", text(pm, "id"), |_, part| change(part));
    changed.map_or_else(|| Arc::clone(pm), |(_, after)| after)
}

/// Writes a refused attempt down, tells of it, and gives the 402 that answers the request.
pub fn decline(txn: &mut Txn<'_>, pi: &Value, pm: &Object, reason: &Decline) -> Failure {
    let ending = Ending::Failed(reason);
    let charge = charge::write(txn, &Attempt { intent: pi, method: pm, ending, secure: None });
    txn.emit("charge.failed", &charge);
    let charge_id = text(&charge, "id").to_owned();
    // Its bank has checked it by now.
    let pm = txn.get("payment_method", text(pm, "id")).map_or(Value::Null, |pm| pm.document());
    let error = reason.error(Some(&charge_id), &pm);
    let pi = fail(txn, text(pi, "id"), error, Some(&charge_id));
    reason.failure().with("charge", charge_id).with("payment_method", pm).with("payment_intent", pi)
}

/// Refuses a payment that would need its customer, before anything is charged.
fn refuse(txn: &mut Txn<'_>, pi: &Value, pm: &Object) -> Failure {
    let reason = Decline::authentication_required();
    let error = reason.error(None, pm);
    let pi = fail(txn, text(pi, "id"), error, None);
    reason.failure().with("payment_method", pm.document()).with("payment_intent", pi)
}

/// Sends an intent back to its start with an error, and tells so.
pub fn fail(txn: &mut Txn<'_>, intent_id: &str, error: Doc, charge: Option<&str>) -> Value {
    let changed =
        txn.edit_with("payment_intent", intent_id, |doc, part: &mut PaymentIntentPart| {
            doc.insert("status".to_owned(), json!("requires_payment_method"));
            doc.insert("payment_method".to_owned(), Value::Null);
            doc.insert("next_action".to_owned(), Value::Null);
            doc.insert("processing".to_owned(), Value::Null);
            doc.insert("last_payment_error".to_owned(), Value::Object(error));
            part.job = None;
            if let Some(charge) = charge {
                doc.insert("latest_charge".to_owned(), json!(charge));
            }
        });
    let Some((_, after)) = changed else { return Value::Null };
    txn.emit(REFUSED, &after);
    txn.follow(REFUSED, &after);
    after.document()
}

fn fail_authentication(txn: &mut Txn<'_>, pi: &Value, pm: &Value) -> Failure {
    const CODE: &str = "payment_intent_authentication_failure";
    const MESSAGE: &str = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.";
    let mut error = Doc::new();
    let page = format!("https://stripe.com/docs/error-codes/{}", CODE.replace('_', "-"));
    let mut set = |name: &str, value: Value| drop(error.insert(name.to_owned(), value));
    set("code", json!(CODE));
    set("doc_url", json!(page));
    set("message", json!(MESSAGE));
    set("payment_method", pm.clone());
    set("type", json!("invalid_request_error"));
    let after = fail(txn, text(pi, "id"), error, None);
    Failure::of(402, FailureKind::InvalidRequest, MESSAGE)
        .code(CODE)
        .with("payment_method", pm.clone())
        .with("payment_intent", after)
        .keeping_changes()
}
