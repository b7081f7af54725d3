//! `/_stripegym/checkout/{session}/settle`: a program plays the store or the bank of a delayed payment.

use crate::sandbox::behaviour::checkout::finish;
use crate::sandbox::control;
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::page::Pages;
use crate::sandbox::page::entry::Form;
use crate::wire::failure::Failure;
use axum::extract::{self, Path};
use axum::http::StatusCode;
use axum::response::Response;

/// `POST`, with `outcome=succeeded` or `outcome=failed`. Answers with the session.
pub async fn settle(
    pages: Pages,
    Path(id): Path<String>,
    extract::Form(sent): extract::Form<Form>,
) -> Response {
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
    match pages.world.change(Origin::default(), |txn| finish::settle(txn, &id, paid)).await {
        Ok(session) => control::reply(StatusCode::OK, &session),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Response {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    control::reply(status, &failure.body())
}
