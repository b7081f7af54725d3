//! Files: what is uploaded in a form of several parts, and read again.

use crate::catalog::Catalog;
use crate::sandbox::behaviour::document::{Handler, new};
use crate::sandbox::behaviour::report::kept::BYTES;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::{record, reference, rules};
use crate::wire::failure::Failure;
use crate::wire::multipart;
use serde_json::{Value, json};

/// The behaviour of `POST /v1/files`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/files" => create,
        "GET /v1/files/{file}/contents" => contents,
        _ => return None,
    })
}

/// What is in a file: the bytes and their type, of an answer to a retrieval of the contents, or of a quote's PDF.
pub fn opened(path: &str, status: u16, body: &Body) -> Option<(Vec<u8>, &'static str)> {
    let is_contents = (path.starts_with("/v1/files/") && path.ends_with("/contents"))
        || (path.starts_with("/v1/quotes/") && path.ends_with("/pdf"));
    if status != 200 || !is_contents {
        return None;
    }
    let file = multipart::File::read(&body.clone().into_text())?;
    let ending = file.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let kind = TYPES.iter().find(|(known, _)| *known == ending);
    Some((file.bytes, kind.map_or("application/octet-stream", |(_, kind)| kind)))
}

/// The media types of what is uploaded most.
const TYPES: [(&str, &str); 6] = [
    ("csv", "text/csv"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("txt", "text/plain"),
];

fn contents(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let missing = || reference::absent("file", id, "file");
    txn.find("file", id, "file").map_err(|_| missing())?;
    let beside = record::more(txn, "file", id).ok_or_else(missing)?;
    let written = beside.get(BYTES).and_then(Value::as_str).ok_or_else(missing)?;
    Ok(Body::Text(written.into()))
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
    record::keep_more(
        txn,
        &made,
        [(BYTES.to_owned(), json!(file.written()))].into_iter().collect(),
    );
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
