//! What answers an endpoint: behaviour of its own, or a resource that the catalog describes.
//!
//! A generic resource is a record: it is stored as it is sent, found, changed, listed and removed, refers only to
//! what exists, and tells of itself by its events. Nothing more happens. What at Stripe moves money, asks for
//! payment or starts something is no record, and is refused until it has behaviour of its own.

pub mod account;
pub mod connect;
pub mod draft;
pub mod filter;
pub mod plan;
pub mod printed;
pub mod record;
pub mod reference;
pub mod rules;
pub mod second;
pub mod settings;
pub mod table;
pub mod upload;

use crate::catalog::route::Endpoint;
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::behaviour::object;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::step;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::plan::Plan;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};

/// How many of its objects a list within another shows.
const SHOWN: usize = 10;

/// The header of an answer behind which there is no more than a record.
pub const DEPTH: &str = "stripegym-depth";

/// What answers an endpoint.
#[derive(Debug)]
pub enum Answerer {
    /// Behaviour of its own.
    Custom(Handler),
    /// A handler that knows no more than the record: settings, reference data, files.
    Plain(Handler),
    /// A record.
    Generic(Box<Plan>),
    /// Nothing yet, and one word for why.
    Missing(&'static str),
}

/// What answers an endpoint.
pub fn find(endpoint: &'static Endpoint) -> Answerer {
    let key = endpoint.key();
    if let Some(handler) = own(key) {
        return Answerer::Custom(handler);
    }
    if let Some(handler) = plain(endpoint) {
        return Answerer::Plain(handler);
    }
    match plan::plan(endpoint) {
        Ok(plan) => Answerer::Generic(Box::new(plan)),
        Err(word) => Answerer::Missing(word),
    }
}

fn own(key: &str) -> Option<Handler> {
    let found = object::handler(key).or_else(|| account::handler(key));
    let found = found.or_else(|| connect::handler(key)).or_else(|| second::handler(key));
    found.or_else(|| printed::handler(key))
}

fn plain(endpoint: &'static Endpoint) -> Option<Handler> {
    let key = endpoint.key();
    settings::handler(key).or_else(|| upload::handler(key)).or_else(|| reference::handler(endpoint))
}

impl Answerer {
    /// Whether it knows no more than the record.
    pub const fn is_generic(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Generic(_))
    }

    /// Answers a call.
    pub fn answer(&self, txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
        if !matches!(self, Self::Missing(_)) {
            step::check(txn, call)?;
        }
        match self {
            Self::Custom(handler) | Self::Plain(handler) => handler(txn, call),
            Self::Generic(plan) => record::answer(txn, call, plan),
            Self::Missing(word) => Err(not_modelled(txn, &call.key, word)),
        }
    }
}

/// A field that a generic object shows only when it is expanded.
pub fn include(txn: &Txn<'_>, doc: &Value, field: &str) -> Option<Value> {
    let (kind, id) = (text(doc, "object"), text(doc, "id"));
    if (kind, field) == ("customer", "tax_ids") {
        let mut found = txn.having("tax_id", "customer", id);
        let has_more = found.len() > SHOWN;
        found.truncate(SHOWN);
        let data: Vec<Value> = found.iter().map(|it| it.document()).collect();
        let url = format!("/v1/customers/{id}/tax_ids");
        return Some(json!({"object": "list", "data": data, "has_more": has_more, "url": url}));
    }
    let more = record::more(txn, kind, id)?;
    more.get(field).cloned()
}

fn not_modelled(txn: &Txn<'_>, key: &str, word: &str) -> Failure {
    let base_url = &txn.site().base_url;
    let text = format!(
        "stripegym knows {key} but does not model it yet ({word}): nothing was created, changed or looked up. GET {base_url}/_stripegym/endpoints lists what is modelled."
    );
    Failure::of(501, FailureKind::Api, text)
}

/// The refusal of a parameter that a record has no place for.
fn unplaced(param: &str) -> Failure {
    let text = format!("`{param}` of this endpoint is not modelled by this sandbox yet.");
    Failure::of(501, FailureKind::Api, text).param(param)
}

#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod tests;
