//! In which world a request takes place: found once from its path or its key, and handed to whoever answers.

use crate::sandbox::engine::worlds::World;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::sync::Arc;

/// The world of a request, as the gate found it.
#[derive(Clone, Debug)]
pub struct Within(pub Arc<World>);

impl<S: Send + Sync> FromRequestParts<S> for Within {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let found = parts.extensions.get::<Self>().cloned();
        // Without a gate in front there is no world: a fault of ours, not of the request's.
        found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
