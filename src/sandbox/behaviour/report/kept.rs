//! Files that the sandbox writes itself: kept as those that are uploaded, and read at the same address.

use crate::sandbox::behaviour::document::new;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::multipart;
use serde_json::json;
use std::sync::Arc;

/// The kind of what is kept beside an object.
pub const BESIDE: &str = "_more";

/// The member of what stands beside a file that has its bytes, as [`multipart::File`] writes them.
pub const BYTES: &str = "_bytes";

/// Keeps a report as a file.
pub fn keep(txn: &mut Txn<'_>, name: &str, bytes: &[u8]) -> Arc<Object> {
    let id = txn.new_id("file_1", 23);
    let links = format!("/v1/file_links?file={id}");
    let file = txn.put(new(
        "file",
        json!({
            "id": id, "created": txn.now().0, "filename": name, "purpose": "finance_report_run",
            "size": bytes.len(), "type": "csv", "title": null,
            "url": format!("{}/v1/files/{id}/contents", txn.site().base_url),
            "links": {"object": "list", "data": [], "has_more": false, "url": links},
        }),
    ));
    let written = multipart::File { name: name.to_owned(), bytes: bytes.to_vec() }.written();
    txn.put(json!({"object": BESIDE, "id": format!("file {id}"), BYTES: written}));
    file
}
