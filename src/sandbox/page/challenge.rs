//! `/3ds/{intent}`: who pays approves a payment, or that a card is kept for later, or refuses. Serves payment and
//! setup intents, with and without a session.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::billing::hosted;
use crate::sandbox::behaviour::checkout::{SESSION, attempt};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::confirm;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{PaymentIntentPart, SetupIntentPart};
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{Framing, page_in, see_other};
use crate::sandbox::page::entry::Form;
use crate::sandbox::page::leave;
use crate::sandbox::page::view::{ChallengePage, NoticePage, merchant};
use crate::sandbox::page::visit::Visit;
use crate::words::page::Words;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// An intent, what it is paid with, and the session or the invoice that it belongs to.
struct Found {
    intent: Arc<Object>,
    method: Option<Arc<Object>>,
    session: Option<Arc<Object>>,
    /// The page of its invoice.
    invoice: Option<String>,
}

/// `GET /3ds/{intent}`.
pub async fn show(visit: Visit) -> Response {
    let Visit { pages, id, .. } = &visit;
    let Some(found) = find(pages, id) else { return visit.nothing() };
    let locale = locale_of(&found, &visit);
    form(pages, &found, locale, StatusCode::OK)
}

/// `POST /3ds/{intent}`.
pub async fn submit(visit: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let Visit { pages, id, .. } = &visit;
    let Some(found) = find(pages, id) else { return visit.nothing() };
    let locale = locale_of(&found, &visit);
    let field = |name: &str| sent.get(name).map_or("", String::as_str);
    let passed = match field("result") {
        "pass" => true,
        "fail" => false,
        _ => return form(pages, &found, locale, StatusCode::BAD_REQUEST),
    };
    if !pages.key.fits(&subject(id), field("token")) {
        return form(pages, &found, locale, StatusCode::FORBIDDEN);
    }
    let return_url = return_url(&found.intent);
    let of_setup = is_setup(&found.intent);
    let end = |txn: &mut Txn<'_>| {
        if of_setup {
            return attempt::authenticate_setup(txn, id, passed);
        }
        attempt::authenticate(txn, id, passed).map(drop)
    };
    let tried = pages.world.change(Origin::default(), end).await;
    // A refusal is written in the intent; where to go next follows from what it says now.
    tracing::debug!(approved = tried.is_ok(), "a challenge has ended");
    let found = find(pages, id).unwrap_or(found);
    leave_for(pages, &found, return_url.as_deref(), locale)
}

fn form(pages: &Pages, found: &Found, locale: Locale, status: StatusCode) -> Response {
    if !is_asked(found) {
        return leave_for(pages, found, None, locale);
    }
    let merchant = found
        .session
        .as_deref()
        .map_or_else(|| "stripegym".to_owned(), |session| merchant(session));
    let token = pages.key.token(&subject(text(&found.intent, "id")));
    let method = found.method.as_deref();
    let path = pages.path(&format!("/3ds/{}", text(&found.intent, "id")));
    let shown = ChallengePage::of(&found.intent, method, &merchant, (locale, &path), token);
    page_in(Framing::Above, status, &shown)
}

/// Where the payer goes once the challenge is over.
fn leave_for(pages: &Pages, found: &Found, return_url: Option<&str>, locale: Locale) -> Response {
    let Found { intent, session, invoice, .. } = found;
    // Where the page is the merchant's own, Stripe.js above it sees that this is over.
    let own = session.as_ref().is_some_and(|it| leave::is_merchants(it));
    if let Some(session) = session.as_ref().filter(|_| !own) {
        let path = pages.path(&leave::pay_path(session));
        let refused = if text(session, "status") == "complete" { "" } else { "refused=1&" };
        let back = format!("{path}?{refused}lang={}", locale.code());
        let success = leave::success(session).filter(|_| refused.is_empty());
        return see_other(&success.unwrap_or(back));
    }
    if let Some(url) = return_url.filter(|_| !own) {
        return see_other(&leave::returned(url, intent));
    }
    let w = Words::of(locale);
    let errors = ["last_payment_error", "last_setup_error"];
    if let Some(url) = invoice {
        let refused = if text(intent, "status") == "succeeded" { "" } else { "&refused=1" };
        return see_other(&format!("{url}&lang={}{refused}", locale.code()));
    }
    let refused = errors.iter().any(|name| intent.get(*name).is_some_and(Value::is_object));
    let (mark, title, text) = match text(intent, "status") {
        "succeeded" | "requires_capture" | "processing" | "requires_confirmation" => {
            ("good", w.done_title, w.challenge_passed)
        }
        "requires_payment_method" if refused => ("bad", w.failed_title, w.challenge_failed),
        _ => ("wait", w.challenge_title, w.challenge_none),
    };
    let notice = NoticePage::new(locale, mark, title, text);
    page_in(Framing::Above, StatusCode::OK, &notice)
}

/// Whether an intent is paid with nothing yet.
fn is_setup(intent: &Value) -> bool {
    text(intent, "object") == "setup_intent"
}

/// Whether the intent waits for who pays.
fn is_asked(found: &Found) -> bool {
    let asks = found.method.as_ref().is_some_and(|method| confirm::is_asked(text(method, "type")));
    asks && text(&found.intent, "status") == "requires_action"
}

fn return_url(intent: &Value) -> Option<String> {
    let redirect = intent.get("next_action")?.get("redirect_to_url")?;
    redirect.get("return_url")?.as_str().map(str::to_owned)
}

fn subject(intent: &str) -> String {
    format!("3ds:{intent}")
}

fn locale_of(found: &Found, visit: &Visit) -> Locale {
    visit.language(found.session.as_ref().and_then(|session| session.get("locale")?.as_str()))
}

fn find(pages: &Pages, id: &str) -> Option<Found> {
    let look = |view: &View| {
        let kind = if id.starts_with("seti_") { "setup_intent" } else { "payment_intent" };
        let intent = view.get(kind, id)?;
        let method = view.get("payment_method", text(&intent, "payment_method"));
        let session = match kind {
            "setup_intent" => intent.part::<SetupIntentPart>().session.clone(),
            _ => intent.part::<PaymentIntentPart>().session.clone(),
        };
        let session = session.and_then(|id| view.get(SESSION, &id));
        let invoice = intent.part::<PaymentIntentPart>().invoice.clone();
        let invoice = invoice.and_then(|id| hosted::page_of(view, &id));
        Some(Found { intent, method, session, invoice })
    };
    pages.world.read(look)
}
