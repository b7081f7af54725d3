//! Licence keys: issued with a product that has them, activated for so many instances.

use crate::sandbox::creem::check::{Field, Kind, need};
use crate::sandbox::creem::document::{Asked, find, int, iso, new, page, refuse, text};
use crate::sandbox::creem::{customer, product};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of licence keys.
pub const KIND: &str = "license";

/// The kind of what one is activated for.
const INSTANCE: &str = "license-instance";

/// Groups of a key, and how long each is.
const GROUPS: (usize, usize) = (5, 5);

/// What is activated.
pub const ACTIVATE: &[Field] = &[need("key", Kind::Text), need("instance_name", Kind::Text)];

/// What is validated, or let go.
pub const NAMED: &[Field] = &[need("key", Kind::Text), need("instance_id", Kind::Text)];

/// Has a product issue keys that can be activated so often.
pub fn offer(txn: &mut Txn<'_>, product: &str, activations: i64) -> Result<Value, Failure> {
    find(txn, product::KIND, product)?;
    let feature = txn.new_id("feat_", 22);
    txn.edit_with(product::KIND, product, |doc, part: &mut CreemPart| {
        let shown = json!({"id": feature, "type": "licenseKey", "description": "License key"});
        doc.insert("features".to_owned(), json!([shown]));
        part.licences = Some(activations);
    });
    Ok(find(txn, product::KIND, product)?.document())
}

/// Issues the key of a product that has them: as the checkout shows it.
pub fn issue(txn: &mut Txn<'_>, product: &Object, customer: &str) -> Option<Value> {
    let limit = product.part::<CreemPart>().licences?;
    let groups: Vec<String> =
        (0..GROUPS.0).map(|_| txn.new_id("", GROUPS.1).to_uppercase()).collect();
    let members = json!({
        "product_id": text(product, "id"), "status": "inactive", "key": groups.join("-"), "activation": 0,
        "activation_limit": limit, "expires_at": null,
    });
    let doc = undated(new(txn, (KIND, "lk_"), members));
    let part = CreemPart { customer: customer.to_owned(), ..CreemPart::default() };
    let made = txn.put_with(doc, part);
    Some(json!([made.document()]))
}

fn undated(mut doc: Doc) -> Doc {
    doc.remove("updated_at");
    doc
}

/// `POST /v1/licenses/activate`.
pub fn activate(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let licence = by_key(txn, asked)?;
    let limit = licence.get("activation_limit").and_then(Value::as_i64);
    if text(&licence, "status") == "disabled" {
        return Err(refuse(400, "License is disabled"));
    }
    if limit.is_some_and(|limit| int(&licence, "activation") >= limit) {
        return Err(refuse(403, "License activation limit reached"));
    }
    let members = json!({
        "name": asked.text("instance_name"), "status": "active", "created_at": iso(txn.now()),
        "license": text(&licence, "id"),
    });
    let doc = undated(new(txn, (INSTANCE, "lki_"), members));
    let instance = txn.put(doc);
    count(txn, text(&licence, "id"), 1);
    shown(txn, text(&licence, "id"), &instance)
}

/// `POST /v1/licenses/deactivate`.
pub fn deactivate(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let (licence, instance) = named(txn, asked)?;
    if text(&instance, "status") == "active" {
        txn.edit(INSTANCE, text(&instance, "id"), |doc| {
            doc.insert("status".to_owned(), json!("deactivated"));
        });
        count(txn, text(&licence, "id"), -1);
    }
    let instance = find(txn, INSTANCE, text(&instance, "id"))?;
    shown(txn, text(&licence, "id"), &instance)
}

/// `POST /v1/licenses/validate`.
pub fn validate(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let (licence, instance) = named(txn, asked)?;
    shown(txn, text(&licence, "id"), &instance)
}

/// `GET /v1/licenses/{id}/instances`.
pub fn instances(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    find(txn, KIND, asked.id())?;
    Ok(page(asked, &txn.having(INSTANCE, "license", asked.id()), plain))
}

/// `GET /v1/customers/{id}/licenses`.
pub fn of_customer(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    find(txn, customer::KIND, asked.id())?;
    let own: Vec<Arc<Object>> =
        txn.newest(KIND).filter(|it| it.part::<CreemPart>().customer == asked.id()).collect();
    Ok(page(asked, &own, Object::document))
}

fn by_key(txn: &Txn<'_>, asked: &Asked) -> Result<Arc<Object>, Failure> {
    let key = asked.text("key").unwrap_or_default();
    txn.having(KIND, "key", key).pop().ok_or_else(|| refuse(404, "License key not found"))
}

fn named(txn: &Txn<'_>, asked: &Asked) -> Result<(Arc<Object>, Arc<Object>), Failure> {
    let licence = by_key(txn, asked)?;
    let instance = txn.get(INSTANCE, asked.text("instance_id").unwrap_or_default());
    let own = instance.filter(|it| it.get("license") == licence.get("id"));
    own.map(|instance| (licence, instance)).ok_or_else(|| refuse(404, "License instance not found"))
}

/// A key is active for as long as one instance is.
fn count(txn: &mut Txn<'_>, id: &str, more: i64) {
    txn.edit(KIND, id, |doc| {
        let count = doc.get("activation").and_then(Value::as_i64).unwrap_or(0) + more;
        doc.insert("activation".to_owned(), json!(count));
        doc.insert("status".to_owned(), json!(if count > 0 { "active" } else { "inactive" }));
    });
}

fn plain(instance: &Object) -> Value {
    let mut shown = instance.document();
    if let Value::Object(doc) = &mut shown {
        doc.remove("license");
    }
    shown
}

fn shown(txn: &Txn<'_>, id: &str, instance: &Object) -> Result<Value, Failure> {
    let mut shown = find(txn, KIND, id)?.document();
    if let Value::Object(doc) = &mut shown {
        doc.insert("instance".to_owned(), plain(instance));
    }
    Ok(shown)
}
