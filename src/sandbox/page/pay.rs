//! `/c/pay/{session}`: shows a session's payment form, and pays. `/c/embed/{secret}` is the same in a frame of the
//! merchant's page.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::checkout::attempt::{self, Next};
use crate::sandbox::behaviour::checkout::choose::{self, Coded};
use crate::sandbox::behaviour::checkout::{SESSION, recover};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{Framing, asset, page_in, query, see_other};
use crate::sandbox::page::choices::{self, Step};
use crate::sandbox::page::entry::{self, Asks, Entry, FieldError, Form, Saved};

use crate::sandbox::page::leave::{self, Framed};
use crate::sandbox::page::refusal;
use crate::sandbox::page::view::{NoticePage, PayPage, Setting};
use crate::sandbox::page::visit::Visit;
use crate::sandbox::paper::bill;
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
    /// The names of its shipping options, and how long each takes.
    rates: Vec<(String, Value)>,
    /// The intent of an earlier try.
    intent: Option<Arc<Object>>,
    /// The cards that the customer kept.
    saved: Vec<Saved>,
    /// The type of payment method that the intent has.
    paid_with: String,
    /// What who comes back is told, where the session came of a link.
    confirmation: Option<String>,
}

impl Found {
    /// Where its pages may be shown.
    fn framing(&self) -> Framing {
        if leave::is_framed(&self.session) { Framing::Checkout } else { Framing::Alone }
    }
}

/// What is told on a page beside its form.
#[derive(Debug, Default)]
pub struct Told {
    /// The fields at fault.
    pub faults: Vec<FieldError>,
    /// What went wrong.
    pub problem: String,
    /// What changed.
    pub note: String,
}

impl Told {
    /// Something went wrong.
    pub fn problem(text: &str) -> Self {
        Self { problem: text.to_owned(), ..Self::default() }
    }
}

/// `GET /c/pay/{session}`.
pub async fn show(visit: Visit) -> Response {
    let Visit { pages, id, .. } = &visit;
    let Some(found) = find(pages, id) else { return visit.nothing() };
    let locale = visit.language(found.session.get("locale").and_then(Value::as_str));
    let intent = found.intent.as_deref();
    if text(&found.session, "status") != "open" {
        let noted = query(&visit.uri, "noted").is_some();
        return ended(pages, &found, locale, noted);
    }
    let (mut told, mut form) = (Told::default(), Form::new());
    if query(&visit.uri, "refused").is_some() {
        told.problem = last_problem(intent, Words::of(locale));
        form = last_payer(intent);
    }
    shown(pages, &found, locale, &form, (StatusCode::OK, told))
}

/// `GET /c/embed.js`: what a page in a frame tells the page around it.
pub async fn show_frame_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("embed.js"))
}

/// `POST /c/pay/{session}`.
pub async fn submit(visit: Visit, extract::Form(form): extract::Form<Form>) -> Response {
    let Visit { pages, id: name, .. } = &visit;
    let Some(found) = find(pages, name) else { return visit.nothing() };
    let id = &text(&found.session, "id").to_owned();
    let locale = visit.language(found.session.get("locale").and_then(Value::as_str));
    let words = Words::of(locale);
    if text(&found.session, "status") != "open" {
        // A second press of the button: the first one has paid.
        return onward(pages, &found, locale);
    }
    let token = form.get("token").map_or("", String::as_str);
    if !pages.key.fits(id, token) {
        let told = Told::problem(words.stale_form);
        return shown(pages, &found, locale, &form, (StatusCode::PAYMENT_REQUIRED, told));
    }
    let (found, form) = match choose(pages, found, form, words).await {
        Ok(chosen) => chosen,
        Err(stay) => {
            let (found, form, status, told) = *stay;
            return shown(pages, &found, locale, &form, (status, told));
        }
    };
    let asks = Asks { saved: found.saved.clone(), ..Asks::of(&found.session) };
    let entry = match entry::read(&form, &asks, words) {
        Ok(entry) => entry,
        Err(faults) => {
            let told = Told { faults, ..Told::problem(words.problem) };
            return shown(pages, &found, locale, &form, (StatusCode::PAYMENT_REQUIRED, told));
        }
    };
    let paid = pages.world.change(Origin::default(), |txn| pay(txn, id, &entry)).await;
    if let Ok(Next::Challenge(intent)) = &paid {
        return see_other(&pages.path(&format!("/3ds/{intent}?lang={}", locale.code())));
    }
    // What the try wrote (its intent) is part of the page now.
    let Some(found) = find(pages, name) else { return visit.nothing() };
    match paid {
        Err(failure) if text(&found.session, "status") == "open" => {
            let told = refused(&failure, words);
            shown(pages, &found, locale, &form, (StatusCode::PAYMENT_REQUIRED, told))
        }
        _ => onward(pages, &found, locale),
    }
}

/// A page that is shown again before anything is paid.
type Stay = Box<(Found, Form, StatusCode, Told)>;

/// Puts what the form says of the order into the session. Fails with the page to show where that is all that was
/// asked for, where a code was not taken, and where another sum is due than the page showed.
async fn choose(
    pages: &Pages,
    found: Found,
    mut form: Form,
    words: &Words,
) -> Result<(Found, Form), Stay> {
    let asks = Asks::of(&found.session);
    let (chosen, step) = choices::read(&form, &asks);
    let id = text(&found.session, "id").to_owned();
    let mut coded = Coded::Fine;
    let mut found = found;
    if !choices::is_empty(&chosen) {
        let made =
            pages.world.change(Origin::default(), |txn| choose::choose(txn, &id, &chosen)).await;
        if let Ok((session, code)) = made {
            (found.session, coded) = (session, code);
        }
    }
    let button = |name: &&str| form.contains_key(*name);
    let pressed = ["add", "drop", "step"].iter().any(button);
    for name in ["add", "drop", "step"] {
        form.remove(name);
    }
    form.retain(|name, _| !name.starts_with(choices::QUANTITY));
    if coded == Coded::Refused {
        let fault = FieldError { field: "code".to_owned(), text: words.code_invalid.to_owned() };
        let told = Told { faults: vec![fault], ..Told::problem(words.code_invalid) };
        return Err(Box::new((found, form, StatusCode::PAYMENT_REQUIRED, told)));
    }
    form.remove("code");
    let due = form.get("due").and_then(|due| due.parse::<i64>().ok());
    let is_other = due.is_some_and(|due| due != choices::due(&found.session));
    if pressed || step == Step::Update {
        let told = Told { note: words.order_updated.to_owned(), ..Told::default() };
        return Err(Box::new((found, form, StatusCode::OK, told)));
    }
    if is_other {
        let total = int(&found.session, "amount_total");
        let total = bill::shown(total, text(&found.session, "currency"));
        let told = Told { note: words.total_changed(&total), ..Told::default() };
        return Err(Box::new((found, form, StatusCode::OK, told)));
    }
    Ok((found, form))
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

/// Puts what was typed into the session, then tries to pay it.
fn pay(txn: &mut Txn<'_>, id: &str, entry: &Entry) -> Result<Next, Failure> {
    if !entry.custom.is_empty() {
        txn.edit(SESSION, id, |doc| keep_custom(doc, &entry.custom));
    }
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

/// The session that a page's name belongs to: an id, or the secret of one that stands in a frame.
fn find(pages: &Pages, page: &str) -> Option<Found> {
    let look = |view: &View| {
        let session = view.get(SESSION, page.split_once("_secret_").map_or(page, |it| it.0))?;
        let options = session.get("shipping_options").and_then(Value::as_array);
        let name = |option: &Value| {
            let rate = view.get("shipping_rate", text(option, "shipping_rate"));
            rate.map_or_else(String::new, |rate| text(&rate, "display_name").to_owned())
        };
        let estimate = |option: &Value| {
            let rate = view.get("shipping_rate", text(option, "shipping_rate"));
            rate.and_then(|rate| rate.get("delivery_estimate").cloned()).unwrap_or_default()
        };
        let options: Vec<&Value> = options.into_iter().flatten().collect();
        let rates = options.iter().map(|it| (name(it), estimate(it))).collect();
        let intent = view.get("payment_intent", text(&session, "payment_intent"));
        let link = view.get("payment_link", text(&session, "payment_link"));
        let confirmation = link.and_then(|link| {
            let said = link.pointer("/after_completion/hosted_confirmation/custom_message");
            said.and_then(Value::as_str).map(str::to_owned)
        });
        let saved = saved(view, &session);
        let kind = |intent: &Object| {
            let method = view.get("payment_method", text(intent, "payment_method"))?;
            Some(text(&method, "type").to_owned())
        };
        let paid_with = intent.as_deref().and_then(kind).unwrap_or_default();
        // Only pages of the sandbox's own are served here, each under its own name.
        let is_own = !leave::is_merchants(&session)
            && leave::pay_path(&session).rsplit('/').next() == Some(page);
        let found = Found { session, rates, intent, saved, paid_with, confirmation };
        is_own.then_some(found)
    };
    pages.world.read(look)
}

/// The cards that the session's customer kept, of those that the session lets be shown again.
fn saved(view: &View, session: &Value) -> Vec<Saved> {
    let customer = text(session, "customer");
    if customer.is_empty() || text(session, "mode") == "setup" {
        return Vec::new();
    }
    let methods = view.having("payment_method", "customer", customer);
    let shown = methods.iter().filter(|method| is_shown_again(session, method)).map(|method| {
        let card = method.get("card").cloned().unwrap_or_default();
        let brand = text(&card, "display_brand").replace('_', " ");
        let mut letters = brand.chars();
        let brand = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
        Saved {
            id: text(method, "id").to_owned(),
            brand: brand.unwrap_or_default(),
            last4: text(&card, "last4").to_owned(),
        }
    });
    shown.collect()
}

/// Whether a session lets a kept card be shown again.
pub fn is_shown_again(session: &Value, method: &Value) -> bool {
    let allowed = session.pointer("/saved_payment_method_options/allow_redisplay_filters");
    let mut allowed = allowed.and_then(Value::as_array).into_iter().flatten();
    let shown = text(method, "allow_redisplay");
    text(method, "type") == "card" && allowed.any(|it| it.as_str() == Some(shown))
}

fn voucher(pages: &Pages, id: &str, locale: Locale) -> String {
    pages.path(&format!("/konbini/{id}?lang={}", locale.code()))
}

/// The page of a session that is paid or cannot be paid any more; of one that waits at a till its voucher, until who
/// pays has `noted` that.
fn ended(pages: &Pages, found: &Found, locale: Locale, noted: bool) -> Response {
    let session = &found.session;
    if let Some(id) = waiting(session, found.intent.as_deref())
        && !noted
    {
        return see_other(&voucher(pages, id, locale));
    }
    let mut notice = NoticePage::ended(session, &pages.world.root(), locale);
    if let Some(Framed { complete: true, leave }) = &mut notice.framed {
        *leave = leave::from_frame(session, &found.paid_with);
    }
    if let Some(own) = &found.confirmation
        && text(session, "status") == "complete"
    {
        notice.text.clone_from(own);
    }
    page_in(found.framing(), StatusCode::OK, &notice)
}

/// Where a payer goes from a session that is not open: to the voucher while a store waits for them, to the shop where
/// it is complete, else to the page that says what became of it.
fn onward(pages: &Pages, found: &Found, locale: Locale) -> Response {
    let session = &found.session;
    let is_paid = text(session, "status") == "complete"
        && waiting(session, found.intent.as_deref()).is_none();
    match leave::success(session).filter(|_| is_paid) {
        Some(url) => see_other(&url),
        None => ended(pages, found, locale, false),
    }
}

/// The intent that waits for a payment at a till.
fn waiting<'i>(session: &Value, intent: Option<&'i Object>) -> Option<&'i str> {
    let intent = intent.filter(|intent| text(intent, "status") == "requires_action")?;
    (text(session, "status") == "complete").then(|| text(intent, "id"))
}

/// The form, with what there is to tell.
fn shown(
    pages: &Pages,
    found: &Found,
    locale: Locale,
    form: &Form,
    (status, told): (StatusCode, Told),
) -> Response {
    let Told { faults, problem, note } = told;
    let token = pages.key.token(text(&found.session, "id"));
    let root = &pages.world.root();
    let saved = found.saved.clone();
    let setting = Setting { locale, token, form, faults, problem, note, saved, root };
    page_in(found.framing(), status, &PayPage::of(&found.session, &found.rates, setting))
}

/// A refusal as the page tells it: beside the field that it is about, where it is about one.
pub fn refused(failure: &Failure, words: &Words) -> Told {
    let text = refusal::refusal(words, failure);
    let field = match failure.param.as_deref() {
        Some("number") => "number",
        Some("exp_month" | "exp_year") => "expiry",
        Some("cvc") => "cvc",
        Some(param) if param.contains("iban") => "iban",
        _ if failure.code.as_deref() == Some("expired_card") => "expiry",
        _ if failure.code.as_deref() == Some("card_declined") => "number",
        _ => return Told { problem: text, ..Told::default() },
    };
    let fault = FieldError { field: field.to_owned(), text: text.clone() };
    Told { faults: vec![fault], ..Told::problem(&text) }
}

/// What the last try of an intent came to.
pub fn last_problem(intent: Option<&Object>, words: &Words) -> String {
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
