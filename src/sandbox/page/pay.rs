//! `/c/pay/{session}`: shows a session's payment form, and pays.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::checkout::attempt::{self, Next};
use crate::sandbox::behaviour::checkout::{SESSION, recover, update};
use crate::sandbox::behaviour::object::text;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{page, query, see_other};
use crate::sandbox::page::entry::{self, Asks, Entry, Fault, Form};
use crate::sandbox::page::leave;
use crate::sandbox::page::refusal;
use crate::sandbox::page::view::{NoticePage, PayPage, Setting};
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use crate::words::page::Words;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the page needs to know of a session.
struct Found {
    session: Arc<Object>,
    /// The names of its shipping options.
    rates: Vec<String>,
    /// The intent of an earlier try.
    intent: Option<Arc<Object>>,
}

/// `GET /c/pay/{session}`.
pub async fn show(visit: Visit) -> Response {
    let Visit { pages, id, .. } = &visit;
    let Some(found) = find(pages, id) else { return visit.nothing() };
    let locale = visit.language(found.session.get("locale").and_then(Value::as_str));
    let Found { session, rates, intent } = &found;
    if text(session, "status") != "open" {
        return ended(pages, session, intent.as_deref(), locale);
    }
    let (mut problem, mut form) = (String::new(), Form::new());
    if query(&visit.uri, "refused").is_some() {
        problem = last_problem(intent.as_deref(), Words::of(locale));
        form = last_payer(intent.as_deref());
    }
    let token = pages.key.token(id);
    let root = &pages.world.root();
    let setting = Setting { locale, token, form: &form, faults: Vec::new(), problem, root };
    page(StatusCode::OK, &PayPage::of(session, rates, setting))
}

/// `POST /c/pay/{session}`.
pub async fn submit(visit: Visit, extract::Form(form): extract::Form<Form>) -> Response {
    let Visit { pages, id, .. } = &visit;
    let Some(found) = find(pages, id) else { return visit.nothing() };
    let locale = visit.language(found.session.get("locale").and_then(Value::as_str));
    let words = Words::of(locale);
    let (session, intent) = (&found.session, found.intent.as_deref());
    if text(session, "status") != "open" {
        // A second press of the button: the first one has paid.
        return onward(pages, session, intent, locale)
            .unwrap_or_else(|| ended(pages, session, intent, locale));
    }
    let token = form.get("token").map_or("", String::as_str);
    if !pages.key.fits(id, token) {
        return again(pages, &found, locale, &form, (Vec::new(), words.stale_form.to_owned()));
    }
    let asks = Asks::of(session);
    let entry = match entry::read(&form, &asks, words) {
        Ok(entry) => entry,
        Err(faults) => {
            let problem = words.problem.to_owned();
            return again(pages, &found, locale, &form, (faults, problem));
        }
    };
    let paid = pages.world.change(Origin::default(), |txn| pay(txn, id, &entry)).await;
    match paid {
        Ok(Next::Challenge(intent)) => {
            see_other(&pages.path(&format!("/3ds/{intent}?lang={}", locale.code())))
        }
        Ok(Next::Complete) => match find(pages, id) {
            Some(found) => {
                let (session, intent) = (&found.session, found.intent.as_deref());
                onward(pages, session, intent, locale)
                    .unwrap_or_else(|| ended(pages, session, intent, locale))
            }
            None => visit.nothing(),
        },
        Err(failure) => {
            let refusal = refused(&failure, words);
            // What the try wrote (its intent) is part of the page now.
            let found = find(pages, id).unwrap_or(found);
            if text(&found.session, "status") != "open" {
                let intent = found.intent.as_deref();
                let onward = onward(pages, &found.session, intent, locale);
                return onward.unwrap_or_else(|| ended(pages, &found.session, intent, locale));
            }
            again(pages, &found, locale, &form, refusal)
        }
    }
}

/// `GET /c/recover/{session}`: takes an expired session up again.
pub async fn recover(visit: Visit) -> Response {
    let Visit { pages, id, .. } = &visit;
    let made = pages.world.change(Origin::default(), |txn| recover::recover(txn, id)).await;
    match made {
        Ok(session) => see_other(&pages.path(&format!("/c/pay/{}", text(&session, "id")))),
        Err(_) => visit.nothing(),
    }
}

/// Puts what was chosen into the session, then tries to pay it.
fn pay(txn: &mut Txn<'_>, id: &str, entry: &Entry) -> Result<Next, Failure> {
    txn.edit(SESSION, id, |doc| {
        if let Some(at) = entry.shipping_option {
            update::choose_shipping(doc, at);
        }
        keep_custom(doc, &entry.custom);
    });
    attempt::pay(txn, id, &entry.means, &entry.payer)
}

/// The values of the custom fields, each where its type keeps it.
fn keep_custom(doc: &mut Doc, values: &[Option<String>]) {
    let fields = doc.get_mut("custom_fields").and_then(Value::as_array_mut);
    for (field, value) in fields.into_iter().flatten().zip(values) {
        let kind = text(field, "type").to_owned();
        if let Some(Value::Object(typed)) = field.get_mut(&kind) {
            typed.insert("value".to_owned(), json!(value));
        }
    }
}

fn find(pages: &Pages, id: &str) -> Option<Found> {
    let look = |view: &View| {
        let session = view.get(SESSION, id)?;
        let options = session.get("shipping_options").and_then(Value::as_array);
        let name = |option: &Value| {
            let rate = view.get("shipping_rate", text(option, "shipping_rate"));
            rate.map_or_else(String::new, |rate| text(&rate, "display_name").to_owned())
        };
        let rates = options.into_iter().flatten().map(name).collect();
        let intent = view.get("payment_intent", text(&session, "payment_intent"));
        // Only pages of the sandbox's own are served here.
        (text(&session, "ui_mode") == "hosted_page").then_some(Found { session, rates, intent })
    };
    pages.world.read(look)
}

fn voucher(pages: &Pages, id: &str, locale: Locale) -> String {
    pages.path(&format!("/konbini/{id}?lang={}", locale.code()))
}

fn ended(pages: &Pages, session: &Object, intent: Option<&Object>, locale: Locale) -> Response {
    if let Some(id) = waiting(session, intent) {
        return see_other(&voucher(pages, id, locale));
    }
    page(StatusCode::OK, &NoticePage::ended(session, &pages.world.root(), locale))
}

/// Where a payer goes from a complete session: to the voucher while a store waits for them, else to the shop.
fn onward(
    pages: &Pages,
    session: &Value,
    intent: Option<&Object>,
    locale: Locale,
) -> Option<Response> {
    if text(session, "status") != "complete" {
        return None;
    }
    if let Some(id) = waiting(session, intent) {
        return Some(see_other(&voucher(pages, id, locale)));
    }
    leave::success(session).map(|url| see_other(&url))
}

/// The intent that waits for a payment at a till.
fn waiting<'i>(session: &Value, intent: Option<&'i Object>) -> Option<&'i str> {
    let intent = intent.filter(|intent| text(intent, "status") == "requires_action")?;
    (text(session, "status") == "complete").then(|| text(intent, "id"))
}

/// The form once more, with what was wrong.
fn again(
    pages: &Pages,
    found: &Found,
    locale: Locale,
    form: &Form,
    (faults, problem): (Vec<Fault>, String),
) -> Response {
    let token = pages.key.token(text(&found.session, "id"));
    let root = &pages.world.root();
    let setting = Setting { locale, token, form, faults, problem, root };
    page(StatusCode::PAYMENT_REQUIRED, &PayPage::of(&found.session, &found.rates, setting))
}

/// A refusal as the page tells it: beside the field that it is about, where it is about one.
fn refused(failure: &Failure, words: &Words) -> (Vec<Fault>, String) {
    let text = refusal::refusal(words, failure);
    let field = match failure.param.as_deref() {
        Some("number") => "number",
        Some("exp_month" | "exp_year") => "expiry",
        Some("cvc") => "cvc",
        Some(param) if param.contains("iban") => "iban",
        _ if failure.code.as_deref() == Some("expired_card") => "expiry",
        _ if failure.code.as_deref() == Some("card_declined") => "number",
        _ => return (Vec::new(), text),
    };
    (vec![Fault { field: field.to_owned(), text: text.clone() }], text)
}

/// What the last try of an intent came to.
fn last_problem(intent: Option<&Object>, words: &Words) -> String {
    let error = intent.and_then(|intent| intent.get("last_payment_error"));
    let Some(error) = error.filter(|error| error.is_object()) else { return String::new() };
    let decline = error.get("decline_code").and_then(Value::as_str);
    refusal::refused(words, text(error, "code"), decline)
        .map_or_else(|| text(error, "message").to_owned(), str::to_owned)
}

/// Who tried last, so that it need not be typed again; never the card.
fn last_payer(intent: Option<&Object>) -> Form {
    let tried = intent.and_then(|intent| intent.pointer("/last_payment_error/payment_method"));
    let known = tried.and_then(|method| method.get("billing_details"));
    let field = |name: &str| {
        let value = known.and_then(|details| details.get(name)).and_then(Value::as_str);
        value.map(|value| (name.to_owned(), value.to_owned()))
    };
    ["email", "name"].into_iter().filter_map(field).collect()
}
