//! In which world a request takes place: found once from its path or its key, and handed to whoever answers.

use crate::sandbox::api::auth;
use crate::sandbox::engine::worlds::{World, WorldError};
use crate::wire::failure::Failure;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
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

/// The world that an address names, and the address within it; `None` where it names none.
pub fn split(uri: &Uri) -> Option<(String, Uri)> {
    let rest = uri.path().strip_prefix("/worlds/")?;
    let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let inner = format!("/{path}{query}").parse().ok()?;
    Some((name.to_owned(), inner))
}

/// The world that the path names, or the header `Authorization`, or else the `default` one. Made where it does
/// not exist.
pub fn find(
    default: &Arc<World>,
    by_path: Option<&str>,
    authorization: Option<&str>,
) -> Result<Arc<World>, Failure> {
    let key = authorization.and_then(|header| auth::read(Some(header), None).ok());
    let world = match by_path {
        Some(name) => default.engine().world(name).map_err(refused)?,
        None => Arc::clone(default),
    };
    enter(&world, by_path.is_some(), key.as_deref())
}

/// The world that a key names, which may not be another than the one that was named before it.
pub fn enter(world: &Arc<World>, is_named: bool, key: Option<&str>) -> Result<Arc<World>, Failure> {
    let Some(by_key) = key.and_then(auth::world_of) else { return Ok(Arc::clone(world)) };
    if world.called() == by_key {
        return Ok(Arc::clone(world));
    }
    if is_named {
        let text = format!(
            "The path leads to the world '{}', and the API key to the world '{by_key}'. Take a key that names no world, or the path of the key's world.",
            world.called()
        );
        return Err(Failure::invalid(text));
    }
    world.engine().world(&by_key).map_err(refused)
}

fn refused(error: WorldError) -> Failure {
    Failure::invalid(format!("There cannot be such a world: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_into_its_world_and_the_rest() {
        let parts =
            |text: &str| split(&text.parse().unwrap()).map(|(name, rest)| (name, rest.to_string()));
        let found = |name: &str, rest: &str| Some((name.to_owned(), rest.to_owned()));
        assert_eq!(parts("/worlds/a/v1/prices?limit=3"), found("a", "/v1/prices?limit=3"));
        assert_eq!(parts("/worlds/a"), found("a", "/"));
        assert_eq!(parts("/worlds/a/"), found("a", "/"));
        assert_eq!(parts("/v1/prices"), None);
    }
}
