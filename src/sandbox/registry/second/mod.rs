//! Accounts, their people and their links as v2 has them: another face of what v1 keeps. What v2 is told goes to
//! v1's own handlers, by one table of names, so that an account is asked for the same and may do the same by
//! whichever it was made; what v1 has no member for is kept beside it.
//!
//! Nobody recorded v2. Its shapes are the catalog's; that what is not included is null, that requirements are named
//! by their paths in v2, and everything else that the catalog does not say is believed.

pub mod account;
pub mod link;
pub mod names;
pub mod person;
pub mod shape;
pub mod token;

use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::{self, unplaced};
use crate::wire::failure::Failure;
use serde_json::{Map, Value};

/// The behaviour of `/v2/core/accounts`, `/v2/core/account_links` and `/v2/core/account_tokens`.
pub fn handler(key: &str) -> Option<Handler> {
    let found = account::handler(key).or_else(|| person::handler(key));
    found.or_else(|| link::handler(key)).or_else(|| token::handler(key))
}

/// What v1 answers.
fn of_first(
    txn: &mut Txn<'_>,
    call: &Call,
    key: &str,
    ids: &[&str],
    params: Map<String, Value>,
) -> Result<Value, Failure> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let inner = Call { key: key.to_owned(), ids, params, version: call.version.clone() };
    let handler = registry::own(key).ok_or_else(|| unplaced("account"))?;
    handler(txn, &inner).map(Body::into_document)
}

/// Refuses what is sent at one of these places: there is nothing behind it.
fn ensure_modelled(params: &Value, paths: &[&str]) -> Result<(), Failure> {
    let Some(path) = paths.iter().find(|path| params.pointer(path).is_some()) else {
        return Ok(());
    };
    let mut names = path.trim_start_matches('/').split('/');
    let first = names.next().unwrap_or_default().to_owned();
    Err(unplaced(&names.fold(first, |param, name| format!("{param}[{name}]"))))
}

#[cfg(test)]
mod tests;
