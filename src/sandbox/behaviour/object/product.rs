//! Products: what is sold.

use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, text};
use crate::sandbox::behaviour::pricing::{self, PRODUCT_FIELDS};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

const INDEX: Index = Index {
    kind: "product",
    noun: "products",
    fields: &["active", "created", "description", "metadata", "name", "shippable", "url"],
};

/// The behaviour of `/v1/products`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/products" => create,
        "GET /v1/products/{id}" => retrieve,
        "POST /v1/products/{id}" => update,
        "DELETE /v1/products/{id}" => delete,
        "GET /v1/products" => list_all,
        "GET /v1/products/search" => |txn, call| search::page(txn, call, &INDEX),
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut product = pricing::put_product(txn, &call.params)?;
    let mut price = None;
    if let Some(price_data) = call.hash("default_price_data") {
        let id = text(&product, "id").to_owned();
        let made = pricing::put_price(txn, &id, price_data, "default_price_data")?;
        let default = json!(text(&made, "id"));
        let changed = txn.edit("product", &id, |doc| {
            doc.insert("default_price".to_owned(), default);
        });
        product = changed.map_or(product, |(_, after)| after);
        price = Some(made);
    }
    txn.emit("product.created", &product);
    if let Some(price) = price {
        txn.emit("price.created", &price);
    }
    Ok(product.into())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("product", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    txn.find("product", id, "id")?;
    if let Some(price) = call.text("default_price") {
        let found = txn.find("price", price, "default_price")?;
        if text(&found, "product") != id {
            let message = format!("The price `{price}` does not belong to the product `{id}`.");
            return Err(Failure::invalid(message).param("default_price"));
        }
    }
    let now = txn.now().0;
    let Some((before, after)) = txn.edit("product", id, |doc| {
        copy(doc, call, PRODUCT_FIELDS);
        copy(doc, call, &["default_price"]);
        for list in ["images", "marketing_features"] {
            if doc.get(list).is_some_and(Value::is_null) {
                doc.insert(list.to_owned(), json!([]));
            }
        }
        merge_metadata(doc, &call.params);
        doc.insert("updated".to_owned(), json!(now));
    }) else {
        return Err(Failure::missing("product", id, "id"));
    };
    txn.emit_change("product.updated", &before, &after);
    Ok(after.into())
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let product = txn.find("product", id, "id")?;
    if !txn.having("price", "product", id).is_empty() {
        let message =
            "This product cannot be deleted because it has one or more user-created prices.";
        return Err(Failure::invalid(message));
    }
    let inactive = txn.edit("product", id, |doc| {
        doc.insert("active".to_owned(), json!(false));
    });
    let product = inactive.map_or(product, |(_, after)| after);
    txn.remove("product", id);
    txn.emit("product.deleted", &product);
    Ok(json!({"object": "product", "id": id, "deleted": true}).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let ids = call.list("ids");
    let mut filters = list::same(call, &["url", "active", "shippable", "type"]);
    if !ids.is_empty() {
        filters.push(Filter::test(|product| ids.iter().any(|id| id.as_str() == Some(&product.id))));
    }
    list::page(txn, call, "product", &filters)
}
