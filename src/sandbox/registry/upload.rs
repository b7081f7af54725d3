//! Files: what is uploaded in a form of several parts, and read again.

use crate::catalog::Catalog;
use crate::sandbox::api::answer::Body;
use crate::sandbox::api::call::Call;
use crate::sandbox::behaviour::object::{Handler, new};
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::rules;
use crate::wire::failure::Failure;
use crate::wire::multipart;
use serde_json::{Value, json};

/// The behaviour of `POST /v1/files`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/files" => create,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let sent = call.text("file").and_then(multipart::File::read);
    let Some(file) = sent else {
        let text = "You must upload a file: send a form of several parts (multipart/form-data) with the file in `file`.";
        return Err(Failure::invalid(text).param("file"));
    };
    let id = txn.new_id("file_1", 23);
    let kind = file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let url = format!("{}/v1/files/{id}/contents", txn.site().base_url);
    let mut doc = new(
        "file",
        json!({
            "id": id, "created": txn.now().0, "filename": file.name, "purpose": call.text("purpose"),
            "size": file.bytes.len(), "type": kind, "url": url,
        }),
    );
    for (name, url) in rules::pages("file", &id) {
        doc.insert(
            name.to_owned(),
            json!({"object": "list", "data": [], "has_more": false, "url": url}),
        );
    }
    let link = call.hash("file_link_data").filter(|it| it.get("create") == Some(&json!(true)));
    let made = txn.put(doc);
    txn.emit("file.created", &made);
    if let Some(asked) = link {
        let link = new(
            "file_link",
            json!({
                "id": txn.new_id("link_1", 23), "created": txn.now().0, "file": id,
                "expires_at": asked.get("expires_at"),
                "metadata": asked.get("metadata").filter(|it| it.is_object()).unwrap_or(&json!({})),
            }),
        );
        let link = txn.put(link);
        rules::refresh(txn, &link);
    }
    let shown = txn.get("file", &id).map_or_else(|| made.document(), |file| file.document());
    debug_assert!(Catalog::get().check(&shown).is_empty());
    Ok(Value::into(shown))
}
