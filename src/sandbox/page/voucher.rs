//! `/konbini/{intent}`: the numbers to show at a till, and the sandbox's own buttons that play the store.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::checkout::{SESSION, finish};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::settle;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PaymentIntentPart;
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{Framing, page_in, see_other};
use crate::sandbox::page::entry::Form;
use crate::sandbox::page::leave;
use crate::sandbox::page::view::{NoticePage, VoucherPage, merchant};
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use crate::words::page::Words;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// `GET /konbini/{intent}`.
pub async fn show(visit: Visit) -> Response {
    let Visit { pages, id, .. } = &visit;
    let found = find(pages, id);
    let session = found.as_ref().and_then(|(_, session)| session.as_deref());
    let locale = session.and_then(|session| session.get("locale")?.as_str());
    let Some((intent, session)) = &found else { return visit.nothing() };
    let locale = visit.language(locale);
    let token = pages.key.token(&subject(id));
    let path = pages.path(&format!("/konbini/{id}"));
    match VoucherPage::of(intent, session.as_deref(), (locale, &path), token) {
        Some(voucher) => page_in(Framing::Above, StatusCode::OK, &voucher),
        None => page_in(Framing::Above, StatusCode::OK, &over(intent, session.as_deref(), locale)),
    }
}

/// `POST /konbini/{intent}`: the sandbox's buttons.
pub async fn submit(visit: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let Visit { pages, id, .. } = &visit;
    let locale = visit.language(None);
    let field = |name: &str| sent.get(name).map_or("", String::as_str);
    let paid = match field("outcome") {
        "succeeded" => true,
        "failed" => false,
        _ => return see_other(&pages.path(&format!("/konbini/{id}"))),
    };
    if pages.key.fits(&subject(id), field("token")) {
        let settled = pages.world.change(Origin::default(), |txn| settle_now(txn, id, paid)).await;
        // Settled meanwhile: the page shows how.
        tracing::debug!(settled = settled.is_ok(), "a voucher was played through");
    }
    see_other(&pages.path(&format!("/konbini/{id}?lang={}", locale.code())))
}

fn settle_now(txn: &mut Txn<'_>, id: &str, paid: bool) -> Result<(), Failure> {
    let intent = txn.find("payment_intent", id, "id")?;
    match &intent.part::<PaymentIntentPart>().session {
        None => settle::settle(txn, id, paid),
        Some(session) => finish::settle(txn, session, paid).map(|_| ()),
    }
}

/// The page of a voucher that is not waited for any more.
fn over(intent: &Value, session: Option<&Object>, locale: Locale) -> NoticePage {
    let w = Words::of(locale);
    let paid = text(intent, "status") == "succeeded";
    let mut notice = if paid {
        NoticePage::new(locale, "good", w.done_title, w.voucher_paid)
    } else {
        NoticePage::new(locale, "bad", w.failed_title, w.voucher_lapsed)
    };
    if let Some(session) = session {
        notice.merchant = merchant(session);
        let back = session.get("cancel_url").and_then(Value::as_str).map(str::to_owned);
        notice.link = if paid { leave::from_voucher(session) } else { back };
    }
    notice
}

fn subject(intent: &str) -> String {
    format!("konbini:{intent}")
}

fn find(pages: &Pages, id: &str) -> Option<(Arc<Object>, Option<Arc<Object>>)> {
    let look = |view: &View| {
        let intent = view.get("payment_intent", id)?;
        let methods = intent.get("payment_method_types").and_then(Value::as_array);
        let konbini = methods.is_some_and(|methods| methods.iter().any(|kind| kind == "konbini"));
        let session = intent
            .part::<PaymentIntentPart>()
            .session
            .as_ref()
            .and_then(|id| view.get(SESSION, id));
        konbini.then_some((intent, session))
    };
    pages.world.read(look)
}
