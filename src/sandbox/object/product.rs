//! Products: what is sold.

use crate::sandbox::call::Call;
use crate::sandbox::list;
use crate::sandbox::object::{Handler, copy, merge_metadata};
use crate::sandbox::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

const FIELDS: &[&str] = &[
    "active",
    "description",
    "images",
    "name",
    "shippable",
    "statement_descriptor",
    "unit_label",
    "url",
];

/// The behaviour of `/v1/products`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/products" => create,
        "GET /v1/products/{id}" => retrieve,
        "POST /v1/products/{id}" => update,
        "GET /v1/products" => list_all,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    let id = call.text("id").map_or_else(|| txn.mint("prod_", 14), str::to_owned);
    if txn.get("product", &id).is_some() {
        return Err(Failure::invalid("Product already exists.").code("resource_already_exists"));
    }
    let mut doc = Map::new();
    doc.insert("object".to_owned(), json!("product"));
    doc.insert("id".to_owned(), json!(id));
    doc.insert("active".to_owned(), json!(true));
    doc.insert("created".to_owned(), json!(txn.now().0));
    doc.insert("updated".to_owned(), json!(txn.now().0));
    copy(&mut doc, call, FIELDS);
    merge_metadata(&mut doc, &call.params);
    let doc = txn.put(doc);
    txn.emit("product.created", &doc);
    Ok((*doc).clone())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    txn.find("product", call.id(0), "id").map(|doc| (*doc).clone())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    txn.find("product", call.id(0), "id")?;
    let now = txn.now().0;
    let Some((before, after)) = txn.edit("product", call.id(0), |doc| {
        copy(doc, call, FIELDS);
        merge_metadata(doc, &call.params);
        doc.insert("updated".to_owned(), json!(now));
    }) else {
        return Err(Failure::missing("product", call.id(0), "id"));
    };
    txn.emit_change("product.updated", &before, &after);
    Ok((*after).clone())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    let active = call.flag("active");
    list::page(txn, call, "product", |doc| {
        active.is_none_or(|wanted| doc.get("active") == Some(&json!(wanted)))
    })
}
