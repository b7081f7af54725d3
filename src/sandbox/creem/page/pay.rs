//! `/creem/checkout/{id}`: shows what is bought, and pays.

use crate::domain::locale::Locale;
use crate::sandbox::creem::checkout::{self, KIND, Price};
use crate::sandbox::creem::document::{Asked, int, text};
use crate::sandbox::creem::page::{form, own};
use crate::sandbox::creem::product::{self, is_recurring};
use crate::sandbox::creem::{customer, discount, pay};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::{Origin, View};
use crate::sandbox::page::answer::{page, see_other};
use crate::sandbox::page::entry::{FieldError, Form};
use crate::sandbox::page::field::{Field, Maker, shown as money};
use crate::sandbox::page::pay::Told;
use crate::sandbox::page::refusal::refusal;
use crate::sandbox::page::view::{NoticePage, other_language};
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use crate::words::billing::Words as BillingWords;
use crate::words::creem::Words as CreemWords;
use crate::words::page::Words;
use askama::Template;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// The page of a checkout.
#[derive(Template, Debug)]
#[template(path = "creem_checkout.html", config = "src/sandbox/page/askama.toml")]
struct CheckoutPage {
    w: &'static Words,
    c: &'static CreemWords,
    title: String,
    other_language: String,
    name: String,
    description: String,
    quantity: String,
    subtotal: String,
    discount: Option<(String, String)>,
    total: String,
    notes: Vec<String>,
    due: i64,
    code: String,
    contact: Vec<Field>,
    card: Vec<Field>,
    custom: Vec<Field>,
    faults: Vec<FieldError>,
    problem: String,
    note: String,
    submit: String,
    action: String,
    token: String,
}

/// What the page needs to know of a checkout.
struct Found {
    checkout: Arc<Object>,
    product: Arc<Object>,
    /// The address and the name that are known of the buyer.
    buyer: (String, String),
    price: Price,
}

/// `GET /creem/product/{id}`: a checkout of the product for whoever comes.
pub async fn begin(visit: Visit) -> Response {
    let params = [("product_id".to_owned(), json!(visit.id))].into_iter().collect();
    let asked = Asked { params, ..Asked::default() };
    let made = own(&visit).change(Origin::default(), |txn| checkout::create(txn, &asked)).await;
    match made {
        Ok(made) => see_other(text(&made, "checkout_url")),
        Err(_) => visit.nothing(),
    }
}

/// `GET /creem/checkout/{id}`.
pub async fn show(visit: Visit) -> Response {
    let Some(found) = find(&visit) else { return visit.nothing() };
    if text(&found.checkout, "status") != "pending" {
        return ended(&visit, &found);
    }
    shown(&visit, &found, &Form::new(), (StatusCode::OK, Told::default()))
}

/// `POST /creem/checkout/{id}`.
pub async fn submit(visit: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let Some(found) = find(&visit) else { return visit.nothing() };
    if text(&found.checkout, "status") != "pending" {
        // A second press of the button: the first one has paid.
        return onward(&visit, &found);
    }
    let w = Words::of(visit.language(None));
    let refused = |told| (StatusCode::PAYMENT_REQUIRED, told);
    let field = |name: &str| sent.get(name).map_or("", |it| it.trim());
    if !visit.pages.key.fits(&subject(&visit.id), field("token")) {
        return shown(&visit, &found, &sent, refused(Told::problem(w.stale_form)));
    }
    let is_code_new = !field("code").is_empty() && field("step") != "remove_code";
    if is_code_new || field("step") == "remove_code" || field("step") == "apply_code" {
        let code = if is_code_new { field("code") } else { "" };
        let (id, world) = (&visit.id, own(&visit));
        let chosen = world.change(Origin::default(), |txn| checkout::choose(txn, id, code));
        let told = match chosen.await {
            Err(_) => refused(code_refused(w)),
            Ok(()) => {
                (StatusCode::OK, Told { note: w.order_updated.to_owned(), ..Told::default() })
            }
        };
        let Some(found) = find(&visit) else { return visit.nothing() };
        return shown(&visit, &found, &sent, told);
    }
    if field("due").parse::<i64>() != Ok(found.price.due) {
        let total = money(found.price.due, text(&found.product, "currency"));
        let told = Told { note: w.total_changed(&total), ..Told::default() };
        return shown(&visit, &found, &sent, (StatusCode::OK, told));
    }
    let payer = match form::read(&sent, &custom(&found), needs_card(&found), w) {
        Ok(payer) => payer,
        Err(faults) => {
            let told = Told { faults, ..Told::problem(w.problem) };
            return shown(&visit, &found, &sent, refused(told));
        }
    };
    let id = &visit.id;
    let paid = own(&visit).change(Origin::default(), |txn| pay::pay(txn, id, &payer)).await;
    let Some(found) = find(&visit) else { return visit.nothing() };
    match paid {
        Err(failure) if text(&found.checkout, "status") == "pending" => {
            shown(&visit, &found, &sent, refused(told(&failure, w)))
        }
        _ => onward(&visit, &found),
    }
}

fn code_refused(w: &Words) -> Told {
    let fault = FieldError { field: "code".to_owned(), text: w.code_invalid.to_owned() };
    Told { faults: vec![fault], ..Told::problem(w.code_refused) }
}

/// A refusal of the card, at the field that it is about.
fn told(failure: &Failure, w: &Words) -> Told {
    let said = refusal(w, failure);
    let field = match failure.param.as_deref() {
        Some("number") => "number",
        Some("exp_month" | "exp_year") => "expiry",
        Some("cvc") => "cvc",
        _ => return Told::problem(&said),
    };
    let fault = FieldError { field: field.to_owned(), text: said.clone() };
    Told { faults: vec![fault], ..Told::problem(&said) }
}

fn find(visit: &Visit) -> Option<Found> {
    own(visit).read(|view: &View| {
        let checkout = view.get(KIND, &visit.id)?;
        let product = view.get(product::KIND, text(&checkout, "product"))?;
        let part = checkout.part::<CreemPart>();
        let off = part.discount.as_deref().and_then(|id| view.get(discount::KIND, id));
        let price = checkout::price(&checkout, &product, off.as_deref().map(|off| &**off));
        let known = view.get(customer::KIND, text(&checkout, "customer"));
        let buyer = known.map_or_else(
            || (part.customer.clone(), String::new()),
            |known| (text(&known, "email").to_owned(), text(&known, "name").to_owned()),
        );
        drop(part);
        Some(Found { checkout, product, buyer, price })
    })
}

fn needs_card(found: &Found) -> bool {
    found.price.due > 0 || is_recurring(&found.product)
}

fn custom(found: &Found) -> Vec<Value> {
    found.checkout.get("custom_fields").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn subject(id: &str) -> String {
    format!("creem:{id}")
}

/// Where a paid checkout leads: to the merchant, else to a page that thanks.
fn onward(visit: &Visit, found: &Found) -> Response {
    match checkout::success(&found.checkout) {
        Some(url) => see_other(&url),
        None => ended(visit, found),
    }
}

fn ended(visit: &Visit, found: &Found) -> Response {
    let locale = visit.language(None);
    let w = Words::of(locale);
    let is_paid = text(&found.checkout, "status") == "completed";
    let mut notice = if is_paid {
        NoticePage::new(locale, "good", w.done_title, w.done_text)
    } else {
        NoticePage::new(locale, "wait", w.expired_title, w.expired_text)
    };
    notice.link = is_paid.then(|| checkout::success(&found.checkout)).flatten();
    notice.other_language = other_language(&path(visit), locale);
    page(StatusCode::OK, &notice)
}

fn path(visit: &Visit) -> String {
    visit.pages.path(&format!("/creem/checkout/{}", visit.id))
}

fn shown(
    visit: &Visit,
    found: &Found,
    form: &Form,
    (status, told): (StatusCode, Told),
) -> Response {
    let locale = visit.language(None);
    page(status, &CheckoutPage::of(visit, found, form, told, locale))
}

/// `€9.00 per month`, for any period that a product has.
pub fn per_period(product: &Value, amount: &str, locale: Locale) -> String {
    let b = BillingWords::of(locale);
    let (unit, count) = product::rhythm(product);
    let many = count.to_string();
    match (unit, count) {
        ("day", 1) => b.per_day(amount),
        ("week", 1) => b.per_week(amount),
        ("month", 1) => b.per_month(amount),
        ("month", 12) | ("year", 1) => b.per_year(amount),
        ("day", _) => b.per_days(amount, &many),
        ("week", _) => b.per_weeks(amount, &many),
        ("year", _) => b.per_years(amount, &many),
        _ => b.per_months(amount, &many),
    }
}

impl CheckoutPage {
    fn of(visit: &Visit, found: &Found, form: &Form, told: Told, locale: Locale) -> Self {
        let (w, c) = (Words::of(locale), CreemWords::of(locale));
        let Found { checkout, product, price, .. } = found;
        let cost = |amount| money(amount, text(product, "currency"));
        let maker = Maker { form, faults: &told.faults, locale };
        let mut email = maker.field("email", w.email, "email");
        (email.kind, email.inputmode) = ("email", "email");
        if email.value.is_empty() {
            email.value.clone_from(&found.buyer.0);
        }
        let mut card = if needs_card(found) { maker.card() } else { Vec::new() };
        for field in card.iter_mut().filter(|it| it.id == "name" && it.value.is_empty()) {
            field.value.clone_from(&found.buyer.1);
        }
        let mut notes = Vec::new();
        if let Some(days) = product.get("trial_period_days").and_then(Value::as_i64) {
            notes.push(c.trial(&days.to_string()));
        }
        if is_recurring(product) {
            notes.push(c.then_each(&per_period(product, &cost(price.amount), locale)));
        }
        let off = checkout.get("discount").filter(|_| price.discount > 0);
        let own = |field: &Value| {
            let id = format!("{}{}", form::CUSTOM, text(field, "key"));
            let optional = field.get("optional").and_then(Value::as_bool).unwrap_or(false);
            let kind = if text(field, "type") == "checkbox" { "checkbox" } else { "text" };
            Field { kind, optional, ..maker.field(&id, text(field, "label"), "off") }
        };
        let total = cost(price.due);
        let prefix =
            if told.problem.is_empty() { String::new() } else { format!("{}: ", w.error_prefix) };
        let path = path(visit);
        Self {
            w,
            c,
            title: format!("{prefix}{} · {total}", text(product, "name")),
            other_language: other_language(&path, locale),
            name: text(product, "name").to_owned(),
            description: text(product, "description").to_owned(),
            quantity: w.quantity(&int(checkout, "units").max(1).to_string()),
            subtotal: cost(price.due + price.discount),
            discount: off
                .map(|off| (text(off, "name").to_owned(), format!("-{}", cost(price.discount)))),
            notes,
            due: price.due,
            code: off.map(|off| text(off, "discountCode").to_owned()).unwrap_or_default(),
            contact: vec![email],
            custom: custom(found).iter().map(own).collect(),
            card,
            submit: if price.due > 0 { w.pay(&total) } else { w.confirm_free.to_owned() },
            total,
            action: format!("{path}?lang={}", locale.code()),
            token: visit.pages.key.token(&subject(&visit.id)),
            faults: told.faults,
            problem: told.problem,
            note: told.note,
        }
    }
}
