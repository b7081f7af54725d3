//! `/buy/{code}`: a payment link, which opens a session for whoever comes.

use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::object::payment_link;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::page::answer::{page, query, see_other};
use crate::sandbox::page::view::NoticePage;
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use crate::words::page::Words;
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::sync::Arc;

/// What the address of a link may say: the query's name, and the session's.
const ASKED: [(&str, &str); 3] = [
    ("client_reference_id", "client_reference_id"),
    ("locale", "locale"),
    ("locked_prefilled_email", "customer_email"),
];

/// `GET /buy/{code}`.
pub async fn show(visit: Visit) -> Response {
    let url = format!("{}/buy/{}", visit.pages.world.site().base_url, visit.id);
    let found = visit.pages.world.read(|view| view.having("payment_link", "url", &url).pop());
    let Some(link) = found else { return visit.nothing() };
    if link.get("active").and_then(Value::as_bool) != Some(true) {
        return closed(&visit, &link);
    }
    let said: Vec<(&str, String)> = ASKED
        .into_iter()
        .filter_map(|(name, param)| {
            let value = query(&visit.uri, name)?.replace('+', " ");
            Some((param, percent_decode_str(&value).decode_utf8_lossy().into_owned()))
        })
        .collect();
    let opened = visit.pages.world.change(Origin::default(), |txn| open(txn, &link, &said)).await;
    match opened {
        Ok(session) => see_other(&visit.pages.path(&format!("/c/pay/{}", text(&session, "id")))),
        Err(failure) => refused(&visit, &failure),
    }
}

fn open(txn: &mut Txn<'_>, link: &Object, said: &[(&str, String)]) -> Result<Arc<Object>, Failure> {
    payment_link::open_session(txn, link, said)
}

/// The page of a link that is closed, in the merchant's words where there are any.
fn closed(visit: &Visit, link: &Object) -> Response {
    let locale = visit.language(None);
    let w = Words::of(locale);
    let own = text(link, "inactive_message");
    let said = if own.is_empty() { w.inactive_text } else { own };
    page(StatusCode::GONE, &NoticePage::new(locale, "wait", w.inactive_title, said))
}

/// The page of a link that cannot be sold by; the API's sentence tells the merchant why.
fn refused(visit: &Visit, failure: &Failure) -> Response {
    let locale = visit.language(None);
    let w = Words::of(locale);
    let notice = NoticePage::new(locale, "bad", w.failed_title, &failure.message);
    page(StatusCode::BAD_REQUEST, &notice)
}
