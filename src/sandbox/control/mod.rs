//! What only the sandbox has, under `/_stripegym/`: its clock, its request log, what it models.

pub mod clock;
pub mod credentials;
pub mod delivery;
pub mod fault;
mod fill;
pub mod payment;
pub mod requests;
pub mod worlds;

use crate::catalog::Catalog;
use crate::sandbox::api::within::Within;
use crate::sandbox::registry::{self, Answerer};
use crate::wire::failure::Failure;
use crate::wire::form;
use crate::wire::json::pretty;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

/// The routes; all of them answer JSON.
pub fn router() -> Router {
    Router::new()
        .route("/_stripegym/status", get(status))
        .route("/_stripegym/endpoints", get(endpoints))
}

/// JSON with a status.
pub fn reply(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], pretty(value)).into_response()
}

/// What a control came to, as JSON.
pub fn respond(result: Result<Value, Failure>) -> Response {
    match result {
        Ok(value) => reply(StatusCode::OK, &value),
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            reply(status, &failure.body())
        }
    }
}

/// Bytes that a control may be sent: the documents of a whole world.
const SENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a control was sent: in the query, and in the body as JSON or as a form.
#[derive(Clone, Debug, Default)]
pub struct Sent(pub Map<String, Value>);

impl Sent {
    /// A member as text; numbers as they are written.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// Refuses what is none of these.
    pub fn only(&self, names: &[&str]) -> Result<(), Failure> {
        let Some(name) = self.0.keys().find(|name| !names.contains(&name.as_str())) else {
            return Ok(());
        };
        let text = format!("Received unknown parameter: {name}. There are: {}.", names.join(", "));
        Err(Failure::invalid(text).param(name))
    }

    fn add_form(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let form::Tree::Hash(members) = form::decode(bytes)?.tree else { return Ok(()) };
        for (name, tree) in members {
            if let Some(text) = tree.text() {
                self.0.insert(name, json!(text));
            }
        }
        Ok(())
    }
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let mut sent = Self::default();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let bytes = to_bytes(request.into_body(), SENT_BYTES_MAX).await;
        let bytes = bytes.map_err(|_| {
            respond(Err(Failure::invalid("The body could not be read; it can have up to 32 MiB.")))
        })?;
        let read = sent.add_form(query.as_bytes()).and_then(|()| {
            if bytes.first() != Some(&b'{') {
                return sent.add_form(&bytes);
            }
            let body: Map<String, Value> = serde_json::from_slice(&bytes)
                .map_err(|error| Failure::invalid(format!("The body is no JSON: {error}.")))?;
            sent.0.extend(body);
            Ok(())
        });
        read.map_err(|failure| respond(Err(failure)))?;
        Ok(sent)
    }
}

async fn status(Within(world): Within) -> Response {
    let site = world.site();
    let now = world.now().0;
    let jobs_due = world.read(|view| {
        view.table(crate::sandbox::engine::txn::timeline::KIND)
            .map_or(0, |jobs| jobs.due(now).count())
    });
    let body = json!({
        "name": "stripegym", "version": env!("CARGO_PKG_VERSION"),
        "api_version": site.api_version, "now": now, "base_url": site.base_url,
        "jobs_due": jobs_due,
    });
    reply(StatusCode::OK, &body)
}

/// Every endpoint of the API: with behaviour of its own, as a record, or not yet.
async fn endpoints() -> Response {
    let (mut modelled, mut generic, mut not_yet) = (Vec::new(), Vec::new(), Vec::new());
    for endpoint in Catalog::get().routes().all() {
        let list = match registry::find(endpoint) {
            Answerer::Custom(_) => &mut modelled,
            Answerer::Plain(_) | Answerer::Generic(_) => &mut generic,
            Answerer::Missing(_) => &mut not_yet,
        };
        list.push(endpoint.key());
    }
    let lists = json!({"modelled": modelled, "generic": generic, "not_modelled_yet": not_yet});
    reply(StatusCode::OK, &lists)
}
