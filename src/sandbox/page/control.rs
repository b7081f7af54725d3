//! `/_stripegym/checkout/{session}/settle`: a program plays the store or the bank of a delayed payment.

use crate::sandbox::checkout::finish;
use crate::sandbox::emit;
use crate::sandbox::page::Pages;
use crate::sandbox::page::entry::Form;
use crate::sandbox::txn::Origin;
use crate::wire::failure::Failure;
use crate::wire::json;
use axum::extract::{self, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

/// `POST`, with `outcome=succeeded` or `outcome=failed`. Answers with the session.
pub async fn settle(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    headers: HeaderMap,
    extract::Form(sent): extract::Form<Form>,
) -> Response {
    let foreign = headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes() != pages.engine.site().base_url.as_bytes());
    if foreign {
        let text = "The sandbox's controls do not take requests from other sites' pages.";
        return failed(&Failure { status: 403, ..Failure::invalid(text) });
    }
    let paid = match sent.get("outcome").map(String::as_str) {
        Some("succeeded") => true,
        Some("failed") => false,
        Some(_) => {
            let text = "Invalid outcome: must be one of succeeded or failed";
            return failed(&Failure::invalid(text).param("outcome"));
        }
        None => {
            let text = "Missing required param: outcome.";
            return failed(&Failure::invalid(text).code("parameter_missing").param("outcome"));
        }
    };
    match pages.engine.change(Origin::default(), |txn| finish::settle(txn, &id, paid)).await {
        Ok(session) => answer(StatusCode::OK, &emit::public(&session)),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Response {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    answer(status, &failure.body())
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, json::pretty(body)).into_response()
}
