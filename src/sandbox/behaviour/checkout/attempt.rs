//! One try to pay a session: the payment method, the customer, the intent, and what follows from the outcome.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::cards::{Billing, CardEntry};
use crate::sandbox::behaviour::checkout::{SESSION, finish, invoice, setup, subscribe};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::payment::confirm::{self, ConfirmOptions, Outcome};
use crate::sandbox::behaviour::payment::intent::{self, IntentSpec};
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::behaviour::setup::confirm as setup_confirm;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{PaymentIntentPart, SessionPart, SetupIntentPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// What is paid with.
#[derive(Clone, Debug)]
pub enum Means {
    /// A card that was typed in.
    Card(CardEntry),
    /// Cash, at a convenience store.
    Konbini,
    /// A bank account in the euro area, by its IBAN.
    SepaDebit(String),
    /// A payment method that exists, or a ready-made one (`pm_card_visa`).
    Method(String),
}

/// What the payer said about themselves.
#[derive(Clone, Debug, Default)]
pub struct Payer {
    /// As on the payment method.
    pub billing: Billing,
    /// `shipping_details` with `address` and `name`, where the session collects them.
    pub shipping: Option<Value>,
    /// `{type, value}`, where they gave a tax id.
    pub tax_id: Option<Value>,
    /// The name of their business, where the session asks for it.
    pub business_name: Option<String>,
    /// Their own name, where the session asks for it.
    pub individual_name: Option<String>,
    /// Whether they want to be told of offers.
    pub promotions: bool,
    /// Whether the payment method is kept for their next purchase.
    pub save: bool,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The session is complete.
    Complete,
    /// The card's bank wants to see its owner: `/3ds/{id}` of this intent.
    Challenge(String),
}

/// Tries to pay an open session.
///
/// Fails with a 402 where the card is refused; what that wrote stays, and the same intent is tried again next time.
pub fn pay(
    txn: &mut Txn<'_>,
    session_id: &str,
    means: &Means,
    payer: &Payer,
) -> Result<Next, Failure> {
    let session = txn.find(SESSION, session_id, "session")?;
    ensure_open(&session)?;
    let details = session.get("customer_details").cloned().unwrap_or(Value::Null);
    let mut payer = payer.clone();
    if payer.billing.email.is_none() {
        payer.billing.email = details.get("email").and_then(Value::as_str).map(str::to_owned);
    }
    remember(txn, session_id, &payer);
    let is_setup = text(&session, "mode") == "setup";
    let recurs = subscribe::is_one(&session);
    if int(&session, "amount_total") == 0 && !is_setup && !recurs {
        create_customer(txn, &session, &payer);
        finish::complete(txn, session_id, None)?;
        return Ok(Next::Complete);
    }
    if recurs {
        return join(txn, session_id, means, &payer);
    }
    let method = payment_method(txn, means, &payer)?;
    create_customer(txn, &session, &payer);
    if is_setup {
        return save(txn, &session, &method);
    }
    let session = txn.find(SESSION, session_id, "session")?;
    let intent = open_intent(txn, &session, &payer);
    if matches!(means, Means::Konbini) {
        confirm_by_phone(txn, &intent, &payer);
    }
    let outcome = confirm::confirm(txn, &intent, &method, &options(&session))?;
    follow(txn, session_id, &intent, outcome)
}

/// Subscribes to what a session sells, with the method that is sent, where one is asked for.
fn join(
    txn: &mut Txn<'_>,
    session_id: &str,
    means: &Means,
    payer: &Payer,
) -> Result<Next, Failure> {
    let session = txn.find(SESSION, session_id, "session")?;
    let is_sent = !matches!(means, Means::Method(id) if id.is_empty());
    let method = if is_sent || subscribe::asks_method(&session) {
        Some(payment_method(txn, means, payer)?)
    } else {
        None
    };
    create_customer(txn, &session, payer);
    let session = txn.find(SESSION, session_id, "session")?;
    match subscribe::pay(txn, &session, method.as_deref())? {
        Some((intent, outcome)) => follow(txn, session_id, &intent, outcome),
        None => finish::complete(txn, session_id, None).map(|_| Next::Complete),
    }
}

/// Saves a payment method in place of paying with it.
fn save(txn: &mut Txn<'_>, session: &Object, method: &str) -> Result<Next, Failure> {
    let (id, intent) = (text(session, "id"), text(session, "setup_intent"));
    let made = txn.record::<SessionPart>(SESSION, id).and_then(|part| part.customer.clone());
    if let Some(customer) = made {
        setup::adopt(txn, intent, &customer);
    }
    if setup::save(txn, intent, method)? {
        return Ok(Next::Challenge(intent.to_owned()));
    }
    finish::complete(txn, id, None)?;
    Ok(Next::Complete)
}

/// Ends the 3-D Secure challenge of a setup intent, and completes its session where it has one.
///
/// Fails with a 402 where it was not passed; that stays written.
pub fn authenticate_setup(txn: &mut Txn<'_>, id: &str, passed: bool) -> Result<(), Failure> {
    let intent = setup_confirm::authenticate(txn, id, passed)?;
    let session = intent.part::<SetupIntentPart>().session.clone();
    match session.filter(|_| text(&intent, "status") == "succeeded") {
        Some(session) => finish::complete(txn, &session, None).map(drop),
        None => Ok(()),
    }
}

/// Ends the 3-D Secure challenge of an intent, and completes its session where it has one.
///
/// Fails with a 402 where it was not passed or the charge is declined afterwards; that stays written.
pub fn authenticate(txn: &mut Txn<'_>, intent_id: &str, passed: bool) -> Result<Outcome, Failure> {
    let outcome = confirm::authenticate(txn, intent_id, passed)?;
    let intent = txn.find("payment_intent", intent_id, "intent")?;
    if let Some(session) = intent.part::<PaymentIntentPart>().session.clone() {
        follow(txn, &session, intent_id, outcome)?;
    }
    Ok(outcome)
}

fn follow(
    txn: &mut Txn<'_>,
    session: &str,
    intent: &str,
    outcome: Outcome,
) -> Result<Next, Failure> {
    let settles = match outcome {
        Outcome::RequiresAction { settles: None } => return Ok(Next::Challenge(intent.to_owned())),
        Outcome::Succeeded | Outcome::RequiresCapture => None,
        Outcome::RequiresAction { settles } | Outcome::Processing { settles } => settles,
    };
    finish::complete(txn, session, settles)?;
    Ok(Next::Complete)
}

fn ensure_open(session: &Value) -> Result<(), Failure> {
    let status = text(session, "status");
    if status == "open" {
        return Ok(());
    }
    let text = format!(
        "This Checkout Session can not be paid because it has a status of `{status}`. Only open Checkout Sessions can be paid."
    );
    Err(Failure::invalid(text).code("checkout_session_unexpected_state"))
}

fn payment_method(txn: &mut Txn<'_>, means: &Means, payer: &Payer) -> Result<String, Failure> {
    match means {
        Means::Card(entry) => {
            method::create_card(txn, &CardEntry { billing: payer.billing.clone(), ..entry.clone() })
        }
        Means::Konbini => Ok(method::create_konbini(txn, &payer.billing)),
        Means::SepaDebit(iban) => method::create_sepa_debit(txn, iban, &payer.billing),
        Means::Method(id) => {
            let found = method::instantiate_test_method(txn, id, "payment_method")?;
            Ok(text(&found, "id").to_owned())
        }
    }
}

/// Keeps what the payer said until the session is complete.
fn remember(txn: &mut Txn<'_>, session: &str, payer: &Payer) {
    let billing = &payer.billing;
    let payer = json!({
        "address": billing.address, "email": billing.email, "name": billing.name,
        "phone": billing.phone, "shipping": payer.shipping, "tax_id": payer.tax_id,
        "business_name": payer.business_name, "individual_name": payer.individual_name,
        "promotions": payer.promotions, "save": payer.save,
    });
    txn.edit_part(SESSION, session, |part: &mut SessionPart| part.payer = Some(payer));
}

/// Makes the customer that the session asks for, at the first try; later ones find it.
fn create_customer(txn: &mut Txn<'_>, session: &Object, payer: &Payer) {
    let part = session.part::<SessionPart>();
    let wanted = text(session, "customer_creation") == "always"
        || subscribe::is_one(session)
        || invoice::is_wanted(session)
        || payer.save
        || part
            .payment_intent_data
            .get("setup_future_usage")
            .is_some_and(|usage| usage.as_str().is_some_and(|usage| !usage.is_empty()));
    let known = !text(session, "customer").is_empty() || part.customer.is_some();
    if known || !wanted {
        return;
    }
    let id = txn.new_id("cus_", 14);
    let mut doc = Catalog::get().blank("customer");
    let members = json!({
        "object": "customer", "id": id, "balance": 0, "created": txn.now().0, "delinquent": false,
        "email": payer.billing.email, "name": payer.billing.name, "phone": payer.billing.phone,
        "invoice_prefix": txn.new_id("", 8).to_ascii_uppercase(),
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null,
            "rendering_options": null,
        },
        "livemode": false, "metadata": {}, "next_invoice_sequence": 1, "preferred_locales": [],
        "tax_exempt": "none",
    });
    doc.extend(members.as_object().cloned().unwrap_or_default());
    let doc = txn.put(doc);
    txn.emit("customer.created", &doc);
    txn.edit_part(SESSION, text(session, "id"), |part: &mut SessionPart| part.customer = Some(id));
}

/// The intent of the session: the one that was tried before, or a new one.
fn open_intent(txn: &mut Txn<'_>, session: &Arc<Object>, payer: &Payer) -> String {
    let existing = text(session, "payment_intent");
    if !existing.is_empty() {
        // Another shipping option may have been chosen since.
        let due = int(session, "amount_total");
        txn.edit("payment_intent", existing, |doc| {
            doc.insert("amount".to_owned(), json!(due));
        });
        return existing.to_owned();
    }
    let part = session.part::<SessionPart>();
    let data = &part.payment_intent_data;
    let optional = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
    let own = Some(text(session, "customer")).filter(|id| !id.is_empty());
    let customer = own.or(part.customer.as_deref());
    let types = session.get("payment_method_types").and_then(Value::as_array);
    let mut more = Doc::new();
    for (name, value) in data {
        let own =
            ["capture_method", "description", "metadata", "receipt_email", "setup_future_usage"];
        if !own.contains(&name.as_str()) {
            more.insert(name.clone(), value.clone());
        }
    }
    let types: Vec<String> =
        types.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    more.insert("payment_method_options".to_owned(), method_options(session, &types));
    if let Some(shipping) = payer.shipping.as_ref().filter(|_| !more.contains_key("shipping")) {
        more.insert("shipping".to_owned(), shipping.clone());
    }
    let id = intent::open_intent(
        txn,
        IntentSpec {
            amount: int(session, "amount_total"),
            currency: text(session, "currency").to_owned(),
            capture_method: optional("capture_method"),
            customer: customer.map(str::to_owned),
            metadata: given(data.get("metadata")),
            description: optional("description"),
            receipt_email: optional("receipt_email"),
            setup_future_usage: optional("setup_future_usage"),
            types,
            session: Some(text(session, "id").to_owned()),
            part: PaymentIntentPart::default(),
            more,
        },
    );
    txn.edit(SESSION, text(session, "id"), |doc| {
        doc.insert("payment_intent".to_owned(), json!(id));
    });
    id
}

/// `payment_method_options` of the intent: its defaults, with what the session says of the same options.
fn method_options(session: &Value, types: &[String]) -> Value {
    let mut options = intent::method_options(types);
    let said = session.get("payment_method_options");
    for (kind, members) in options.as_object_mut().into_iter().flatten() {
        let Some(members) = members.as_object_mut() else { continue };
        let said = said.and_then(|said| said.get(kind)?.as_object());
        for (name, value) in said.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            if let Some(member) = members.get_mut(name) {
                member.clone_from(value);
            }
        }
    }
    options
}

/// A phone number of ten or eleven digits is what konbini tills ask for as the confirmation number.
fn confirm_by_phone(txn: &mut Txn<'_>, intent: &str, payer: &Payer) {
    let phone = payer.billing.phone.as_deref().unwrap_or_default();
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if matches!(digits.len(), 10 | 11) && digits.bytes().any(|digit| digit != b'0') {
        txn.edit("payment_intent", intent, |doc| {
            let options = doc.get_mut("payment_method_options");
            let konbini = options.and_then(|o| o.get_mut("konbini")?.as_object_mut());
            if let Some(konbini) = konbini {
                konbini.insert("confirmation_number".to_owned(), json!(digits));
            }
        });
    }
}

/// The members of a hash that were not cleared.
fn given(sent: Option<&Value>) -> Doc {
    let members = sent.and_then(Value::as_object).into_iter().flatten();
    let kept = members.filter(|(_, value)| !value.is_null());
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn options(session: &Value) -> ConfirmOptions {
    let card = session.get("payment_method_options").and_then(|options| options.get("card"));
    ConfirmOptions {
        request_three_d_secure: card.map(|card| text(card, "request_three_d_secure").to_owned()),
        ..ConfirmOptions::default()
    }
}
