//! The pages that a payer meets: hosted Checkout, an invoice, the customer portal, the 3-D Secure challenge, the
//! konbini voucher, the proof that a bank account is its owner's.
//! Plain HTML that works without JavaScript, in Japanese and English.

pub mod answer;
pub mod challenge;
pub mod choices;
pub mod countries;
pub mod entry;
pub mod field;
pub mod home;
pub mod invoice;
pub mod leave;
pub mod link;
pub mod microdeposits;
pub mod onboard;
pub mod order;
pub mod pay;
pub mod portal;
pub mod refusal;
pub mod session;
pub mod stripe_js;
pub mod token;
pub mod view;
pub mod visit;
pub mod voucher;

use crate::os::entropy::Entropy;
use crate::sandbox::api::within::Within;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::page::token::TokenKey;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use std::sync::Arc;

/// The most bytes that a form of ours is long.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// What every page needs.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The world that is visited.
    pub world: Arc<World>,
    /// The secret of the forms.
    pub key: Arc<TokenKey>,
}

/// The pages.
pub fn router() -> Router {
    let key = Arc::new(TokenKey::draw(&Entropy::system()));
    Router::new()
        .route("/", get(home::show))
        .route("/buy/{code}", get(link::show))
        .route("/c/pay/{session}", get(pay::show).post(pay::submit))
        .route("/c/embed/{session}", get(pay::show).post(pay::submit))
        .route("/c/embed.js", get(pay::show_frame_script))
        .route("/c/recover/{session}", get(pay::recover))
        .route("/c/session/{secret}", get(session::show).post(session::submit))
        .route("/c/style.css", get(answer::style))
        .route("/3ds/{intent}", get(challenge::show).post(challenge::submit))
        .route("/express/{*link}", get(onboard::dashboard))
        .route("/setup/c/{*link}", get(onboard::show).post(onboard::submit))
        .route("/i/{*link}", get(invoice::show).post(invoice::submit))
        .route("/invoice/{*link}", get(invoice::print))
        .route("/konbini/{intent}", get(voucher::show).post(voucher::submit))
        .route("/microdeposits/{intent}", get(microdeposits::show).post(microdeposits::submit))
        .route("/p/login/{link}", get(portal::login::show).post(portal::login::submit))
        .route("/p/session/{*link}", get(portal::show).post(portal::submit))
        .route("/v3", get(stripe_js::show_script))
        .route("/v3/", get(stripe_js::show_script))
        .route("/{release}/stripe.js", get(stripe_js::show_script))
        .route("/v3/frame.js", get(stripe_js::show_frame_script))
        .route("/v3/frame.css", get(stripe_js::show_frame_style))
        .route("/v3/frame/{kind}", get(stripe_js::show_frame))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(key)
}

impl Pages {
    /// The path of a page within its world: `/c/pay/cs_…`, `/worlds/NAME/c/pay/cs_…`.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.world.root())
    }
}

impl FromRequestParts<Arc<TokenKey>> for Pages {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        key: &Arc<TokenKey>,
    ) -> Result<Self, StatusCode> {
        let Within(world) = Within::from_request_parts(parts, key).await?;
        Ok(Self { world, key: Arc::clone(key) })
    }
}

#[cfg(test)]
mod invoice_tests;

#[cfg(test)]
mod order_tests;

#[cfg(test)]
mod portal_tests;

#[cfg(test)]
mod tests;
