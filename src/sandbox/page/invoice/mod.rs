//! `/i/{account}/{invoice}`: an invoice as who owes it meets it: what it says, its PDF, and a form that pays it.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::billing::hosted;
use crate::sandbox::behaviour::cards::CardEntry;
use crate::sandbox::behaviour::checkout::attempt::Means;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::page::answer::{file, page, query, see_other};
use crate::sandbox::page::entry::{self, Asks, Entry, FieldError, Form};
use crate::sandbox::page::field::{Field, Maker};
use crate::sandbox::page::pay::{self, Told};
use crate::sandbox::page::view::other_language;
use crate::sandbox::page::visit::Visit;
use crate::sandbox::paper::bill::Bill;
use crate::sandbox::paper::{preferred, print};
use crate::words::billing;
use crate::words::page::Words;
use askama::Template;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// What the page needs to know.
struct Found {
    world: Arc<World>,
    invoice: Arc<Object>,
    /// The intent that asks for its payment.
    intent: Option<Arc<Object>>,
    /// The language that its customer prefers.
    preferred: Option<String>,
}

/// The page.
#[derive(Template, Debug)]
#[template(path = "invoice.html", config = "src/sandbox/page/askama.toml")]
struct InvoicePage {
    w: &'static Words,
    b: &'static billing::Words,
    title: String,
    other_language: String,
    bill: Bill,
    status: String,
    pdf: String,
    /// What is told in place of a form: `good`, `wait` or `bad`, a heading and a sentence.
    said: Option<(&'static str, &'static str, &'static str)>,
    /// Where a payment that waits for its owner is confirmed.
    challenge: Option<String>,
    note: &'static str,
    problem: String,
    faults: Vec<FieldError>,
    fields: Vec<Field>,
    submit: String,
    action: String,
    token: String,
    tests: bool,
}

/// `GET /i/{account}/{invoice}`.
pub async fn show(visit: Visit) -> Response {
    let Some(found) = find(&visit, &visit.id) else { return visit.nothing() };
    let locale = visit.language(found.preferred.as_deref());
    let mut told = Told::default();
    if query(&visit.uri, "refused").is_some() && is_payable(&found.invoice) {
        told.problem = pay::last_problem(found.intent.as_deref(), Words::of(locale));
    }
    shown(&visit, &found, locale, &Form::new(), (StatusCode::OK, told))
}

/// `POST /i/{account}/{invoice}`: pays with the card that was typed.
pub async fn submit(visit: Visit, extract::Form(form): extract::Form<Form>) -> Response {
    let Some(found) = find(&visit, &visit.id) else { return visit.nothing() };
    let locale = visit.language(found.preferred.as_deref());
    let words = Words::of(locale);
    let id = text(&found.invoice, "id").to_owned();
    let refused = |told: Told| (StatusCode::PAYMENT_REQUIRED, told);
    if !is_payable(&found.invoice) {
        // A second press of the button: the first one has paid.
        return see_other(&own(&visit, locale));
    }
    let token = form.get("token").map_or("", String::as_str);
    if !visit.pages.key.fits(&subject(&id), token) {
        return shown(&visit, &found, locale, &form, refused(Told::problem(words.stale_form)));
    }
    let entry = match entry::read(&form, &asks(&found.invoice), words) {
        Ok(entry) => entry,
        Err(faults) => {
            let told = Told { faults, ..Told::problem(words.problem) };
            return shown(&visit, &found, locale, &form, refused(told));
        }
    };
    let Some(card) = card(&entry) else { return visit.nothing() };
    let paid = found.world.change(Origin::default(), |txn| hosted::pay(txn, &id, &card)).await;
    match paid {
        Ok(Some(intent)) => {
            see_other(&visit.pages.path(&format!("/3ds/{intent}?lang={}", locale.code())))
        }
        Ok(None) => see_other(&own(&visit, locale)),
        Err(failure) => {
            let found = find(&visit, &visit.id).unwrap_or(found);
            shown(&visit, &found, locale, &form, refused(pay::refused(&failure, words)))
        }
    }
}

/// `GET /invoice/{account}/{invoice}/pdf`.
pub async fn print(visit: Visit) -> Response {
    let found = visit.id.strip_suffix("/pdf").and_then(|link| find(&visit, link));
    let Some(found) = found else { return visit.nothing() };
    let locale = visit.language(found.preferred.as_deref());
    let bill = found.world.read(|view| Bill::of(view, &found.invoice, locale));
    let name = format!("Invoice-{}.pdf", bill.number);
    file("application/pdf", &name, print::print(&bill, locale))
}

/// The card that a form came to.
pub fn card(entry: &Entry) -> Option<CardEntry> {
    let Means::Card(card) = &entry.means else { return None };
    let mut billing = entry.payer.billing.clone();
    billing.email = billing.email.filter(|email| !email.is_empty());
    Some(CardEntry { billing, ..card.clone() })
}

/// What is asked of who pays: a card. Who it is, is known.
pub fn asks(of: &Value) -> Asks {
    let email = ["customer_email", "email"].map(|name| text(of, name));
    let email = email.into_iter().find(|it| !it.is_empty()).unwrap_or_default();
    Asks { email: Some(email.to_owned()), methods: vec!["card".to_owned()], ..Asks::default() }
}

fn is_payable(invoice: &Value) -> bool {
    matches!(text(invoice, "status"), "open" | "uncollectible")
}

fn find(visit: &Visit, link: &str) -> Option<Found> {
    let (account, token) = link.split_once('/')?;
    let id = hosted::id_of(token)?;
    let own = &visit.pages.world;
    let world = if own.platform_id() == account { Arc::clone(own) } else { own.at(account) };
    let looked = world.read(|view| {
        let invoice = view.get("invoice", &id)?;
        let intent = hosted::intent_of(view, &invoice);
        let preferred = preferred(view, text(&invoice, "customer"));
        Some((invoice, intent, preferred))
    });
    // A draft is nobody's business yet.
    let (invoice, intent, preferred) =
        looked.filter(|it| it.0.get("hosted_invoice_url").is_some_and(Value::is_string))?;
    Some(Found { world, invoice, intent, preferred })
}

fn shown(
    visit: &Visit,
    found: &Found,
    locale: Locale,
    form: &Form,
    (status, told): (StatusCode, Told),
) -> Response {
    let (w, b) = (Words::of(locale), billing::Words::of(locale));
    let Found { invoice, intent, .. } = found;
    let bill = found.world.read(|view| Bill::of(view, invoice, locale));
    let path = visit.pages.path(&format!("/i/{}", visit.id));
    let payable = is_payable(invoice);
    let intent_status = intent.as_deref().map_or("", |it| text(it, "status"));
    let said = match text(invoice, "status") {
        "paid" => Some(("good", b.paid_title, b.paid_text)),
        "void" => Some(("bad", b.void_title, b.void_text)),
        _ if intent_status == "processing" => Some(("wait", w.done_title, b.processing)),
        _ => None,
    };
    let challenge = intent.as_deref().filter(|_| payable && intent_status == "requires_action");
    let challenge = challenge
        .map(|it| visit.pages.path(&format!("/3ds/{}?lang={}", text(it, "id"), locale.code())));
    let maker = Maker { form, faults: &told.faults, locale };
    let prefix =
        if told.problem.is_empty() { String::new() } else { format!("{}: ", w.error_prefix) };
    let shown = InvoicePage {
        w,
        b,
        title: format!("{prefix}{} {}", b.invoice_from(&bill.merchant), bill.number),
        other_language: other_language(&path, locale),
        status: billing_status(b, text(invoice, "status")).to_owned(),
        pdf: format!(
            "{}?lang={}",
            visit.pages.path(&format!("/invoice/{}/pdf", visit.id)),
            locale.code()
        ),
        fields: if payable && said.is_none() { maker.card() } else { Vec::new() },
        said,
        challenge,
        note: if text(invoice, "status") == "uncollectible" { b.given_up } else { "" },
        submit: w.pay(&bill.due),
        bill,
        problem: told.problem,
        faults: told.faults.clone(),
        action: format!("{path}?lang={}", locale.code()),
        token: visit.pages.key.token(&subject(text(invoice, "id"))),
        tests: payable,
    };
    page(status, &shown)
}

/// What a status is called.
pub fn billing_status(b: &billing::Words, status: &str) -> &'static str {
    match status {
        "open" => b.open,
        "paid" => b.paid,
        "void" => b.void,
        "uncollectible" => b.uncollectible,
        _ => b.draft,
    }
}

fn own(visit: &Visit, locale: Locale) -> String {
    visit.pages.path(&format!("/i/{}?lang={}", visit.id, locale.code()))
}

fn subject(invoice: &str) -> String {
    format!("invoice:{invoice}")
}
