//! `/microdeposits/{intent}`: who has an account repeats the text of the sum that was sent to it.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::payment::verification::{self, Said};
use crate::sandbox::behaviour::setup;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{page, see_other};
use crate::sandbox::page::entry::Form;
use crate::sandbox::page::view::{MicrodepositsPage, NoticePage};
use crate::sandbox::page::visit::Visit;
use crate::words::page::Words;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// `GET /microdeposits/{intent}`.
pub async fn show(visit: Visit) -> Response {
    let Some(intent) = find(&visit) else { return visit.nothing() };
    form(&visit, &intent, StatusCode::OK, false)
}

/// `POST /microdeposits/{intent}`.
pub async fn submit(visit: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let Some(intent) = find(&visit) else { return visit.nothing() };
    let field = |name: &str| sent.get(name).map_or("", |it| it.trim());
    let Visit { pages, id, .. } = &visit;
    if !pages.key.fits(&subject(id), field("token")) {
        return form(&visit, &intent, StatusCode::FORBIDDEN, false);
    }
    let said = Said { amounts: Vec::new(), code: Some(field("code").to_uppercase()) };
    let verify = |txn: &mut Txn<'_>| match is_setup(id) {
        true => setup::confirm::verify_microdeposits(txn, id, &said).map(drop),
        false => verification::verify_payment(txn, id, &said).map(drop),
    };
    if pages.world.change(Origin::default(), verify).await.is_err() {
        let intent = find(&visit).unwrap_or(intent);
        return form(&visit, &intent, StatusCode::PAYMENT_REQUIRED, true);
    }
    see_other(&path(pages, id, visit.language(None)))
}

fn form(visit: &Visit, intent: &Object, status: StatusCode, wrong: bool) -> Response {
    let Visit { pages, id, .. } = visit;
    let locale = visit.language(None);
    if !verification::is_awaited(intent) {
        let w = Words::of(locale);
        let notice = NoticePage::new(locale, "good", w.deposits_title, w.deposits_none);
        return page(StatusCode::OK, &notice);
    }
    let token = pages.key.token(&subject(id));
    let own = pages.path(&format!("/microdeposits/{id}"));
    page(status, &MicrodepositsPage::of((locale, &own), token, wrong))
}

fn path(pages: &Pages, id: &str, locale: Locale) -> String {
    pages.path(&format!("/microdeposits/{id}?lang={}", locale.code()))
}

fn subject(intent: &str) -> String {
    format!("microdeposits:{intent}")
}

fn is_setup(id: &str) -> bool {
    id.starts_with("seti_")
}

fn find(visit: &Visit) -> Option<Arc<Object>> {
    let kind = if is_setup(&visit.id) { "setup_intent" } else { "payment_intent" };
    visit.pages.world.read(|view: &View| view.get(kind, &visit.id))
}
