//! Customers: known by their address, and let into a portal by a link.

use crate::sandbox::creem::check::{Field, Kind, may, may_be_null, need};
use crate::sandbox::creem::document::{Asked, all, find, missing, new, page, refuse, text, touch};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of customers.
pub const KIND: &str = "customer";

/// The kind of links to the portal.
pub const PORTAL: &str = "customer_portal";

/// What a customer is made with.
pub const CREATE: &[Field] = &[
    need("email", Kind::Email),
    may("name", Kind::Text),
    may("metadata", Kind::Hash),
    may("external_id", Kind::Text),
];

/// How one is asked for.
pub const GET: &[Field] = &[may("customer_id", Kind::Text), may("email", Kind::Email)];

/// What of one can be changed.
pub const UPDATE: &[Field] = &[
    need("customer_id", Kind::Text),
    may("name", Kind::Text),
    may("email", Kind::Email),
    may("metadata", Kind::Hash),
    may_be_null("external_id", Kind::Text),
];

/// Whose portal is asked for.
pub const LINK: &[Field] = &[need("customer_id", Kind::Text)];

/// `POST /v1/customers`.
pub fn create(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let email = asked.text("email").unwrap_or_default();
    if by_email(txn, email).is_some() {
        return Err(refuse(400, "Customer with this email already exists"));
    }
    ensure_free(txn, asked, "")?;
    let made = make(txn, email, asked.text("name"));
    edit(txn, text(&made, "id"), asked)
}

/// A new customer.
pub fn make(txn: &mut Txn<'_>, email: &str, name: Option<&str>) -> Arc<Object> {
    let members = json!({"email": email, "name": name, "country": null});
    let doc = new(txn, (KIND, "cust_"), members);
    txn.put(doc)
}

/// `GET /v1/customers`, by `customer_id` or `email`.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = match (asked.text("customer_id"), asked.text("email")) {
        (Some(id), _) => txn.get(KIND, id),
        (None, Some(email)) => by_email(txn, email),
        (None, None) => return Err(refuse(400, "customer_id or email is required")),
    };
    found.map(|it| it.document()).ok_or_else(|| missing(KIND))
}

/// `PATCH /v1/customers`.
pub fn update(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let id = asked.text("customer_id").unwrap_or_default();
    find(txn, KIND, id)?;
    ensure_free(txn, asked, id)?;
    let taken = asked.text("email").and_then(|email| by_email(txn, email));
    if taken.is_some_and(|other| text(&other, "id") != id) {
        return Err(refuse(400, "Customer with this email already exists"));
    }
    edit(txn, id, asked)
}

fn edit(txn: &mut Txn<'_>, id: &str, asked: &Asked) -> Result<Value, Failure> {
    let now = txn.now();
    let edited = txn.edit(KIND, id, |doc| {
        for (name, value) in asked.params.iter().filter(|(name, _)| *name != "customer_id") {
            doc.insert(name.clone(), value.clone());
        }
        touch(doc, now);
    });
    edited.map(|(_, after)| after.document()).ok_or_else(|| missing(KIND))
}

/// An `external_id` is one customer's alone.
fn ensure_free(txn: &Txn<'_>, asked: &Asked, own: &str) -> Result<(), Failure> {
    let Some(external) = asked.text("external_id") else { return Ok(()) };
    let taken = |it: &Object| text(it, "external_id") == external && text(it, "id") != own;
    if all(txn, KIND, taken).is_empty() {
        return Ok(());
    }
    Err(refuse(400, "Customer with this external_id already exists"))
}

/// `GET /v1/customers/list`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table, whose others can fail")]
pub fn list(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    Ok(page(asked, &all(txn, KIND, |_| true), Object::document))
}

/// `POST /v1/customers/billing`: a link that lets whoever has it into the customer's portal.
pub fn link(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = find(txn, KIND, asked.text("customer_id").unwrap_or_default())?;
    let customer = text(&found, "id").to_owned();
    let doc = new(txn, (PORTAL, "portal_"), json!({}));
    let made = txn.put_with(doc, CreemPart { customer, ..CreemPart::default() });
    let url = format!("{}/creem/portal/{}", txn.site().base_url, text(&made, "id"));
    Ok(json!({"customer_portal_link": url}))
}

/// `GET /v1/customers/{id}/orders`.
pub fn orders(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let own = of(txn, asked, "order")?;
    Ok(page(asked, &own, Object::document))
}

/// `GET /v1/customers/{id}/subscriptions`.
pub fn subscriptions(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let own = of(txn, asked, super::subscription::KIND)?;
    Ok(page(asked, &own, |it| super::subscription::show(txn, it)))
}

fn of(txn: &Txn<'_>, asked: &Asked, kind: &str) -> Result<Vec<Arc<Object>>, Failure> {
    find(txn, KIND, asked.id())?;
    Ok(txn.having(kind, "customer", asked.id()))
}

/// The customer of an e-mail address; capitals do not matter.
pub fn by_email(view: &View, email: &str) -> Option<Arc<Object>> {
    view.newest(KIND).find(|it| text(it, "email").eq_ignore_ascii_case(email))
}
