//! `/_stripegym/faults`: the rules by which the next requests of a world fail, read, added and cleared.

use crate::sandbox::api::within::Within;
use crate::sandbox::control::reply;
use crate::sandbox::fault::{Rule, RuleError};
use crate::wire::form::{Tree, decode};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The routes; all of them answer JSON.
pub fn control_router() -> Router {
    Router::new().route("/_stripegym/faults", get(list).post(add).delete(clear))
}

async fn list(Within(world): Within) -> Response {
    let rules = world.engine().faults().list(world.name());
    let rules: Vec<Value> = rules.iter().map(Rule::show).collect();
    reply(StatusCode::OK, &json!({"faults": rules}))
}

/// `on`, `answer` and `times` come as a form, in the body or behind the `?`.
async fn add(
    Within(world): Within,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let form = pairs(&body);
    let asked = |name: &str| form.get(name).or_else(|| query.get(name)).map(String::as_str);
    let (on, answer) = (asked("on").unwrap_or_default(), asked("answer").unwrap_or_default());
    let rule = Rule::read(on, answer, asked("times").unwrap_or("1"));
    let added = rule.and_then(|rule| {
        let shown = rule.show();
        world.engine().faults().add(world.name(), rule).map(|()| shown)
    });
    match added {
        Ok(shown) => reply(StatusCode::OK, &shown),
        Err(error) => refused(error),
    }
}

async fn clear(Within(world): Within) -> Response {
    let cleared = world.engine().faults().clear(world.name());
    reply(StatusCode::OK, &json!({"cleared": cleared}))
}

fn pairs(body: &[u8]) -> HashMap<String, String> {
    let Ok(decoded) = decode(body) else { return HashMap::new() };
    let Tree::Hash(members) = decoded.tree else { return HashMap::new() };
    let pairs = members.into_iter();
    pairs.filter_map(|(name, tree)| Some((name, tree.text()?.to_owned()))).collect()
}

fn refused(error: RuleError) -> Response {
    reply(StatusCode::BAD_REQUEST, &json!({"error": {"message": error.to_string()}}))
}
