//! What a buyer meets of Creem: the checkout, and the portal in which one looks after one's subscriptions.

pub mod form;
pub mod pay;
pub mod portal;

use crate::os::entropy::Entropy;
use crate::sandbox::creem::ACCOUNT;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::page::token::TokenKey;
use crate::sandbox::page::visit::Visit;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use std::sync::Arc;

/// The most bytes that a form of ours is long.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// The pages.
pub fn router() -> Router {
    let key = Arc::new(TokenKey::draw(&Entropy::system()));
    Router::new()
        .route("/creem/product/{id}", get(pay::begin))
        .route("/creem/checkout/{id}", get(pay::show).post(pay::submit))
        .route("/creem/portal/{id}", get(portal::show).post(portal::submit))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(key)
}

/// The account of the visited world in which Creem's objects stand.
fn own(visit: &Visit) -> Arc<World> {
    visit.pages.world.at(ACCOUNT)
}
