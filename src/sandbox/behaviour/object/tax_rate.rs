//! Tax rates: named by the merchant, added to a price or within it.

use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, new};
use crate::sandbox::behaviour::total::percent::Percent;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::json;

/// Members of a tax rate that may change.
const CHANGING: &[&str] =
    &["active", "country", "description", "display_name", "jurisdiction", "state", "tax_type"];

/// The behaviour of `/v1/tax_rates`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/tax_rates" => create,
        "GET /v1/tax_rates/{tax_rate}" => {
            |txn, call| txn.find("tax_rate", call.id(0), "id").map(Body::from)
        }
        "POST /v1/tax_rates/{tax_rate}" => update,
        "GET /v1/tax_rates" => |txn, call| {
            list::page(txn, call, "tax_rate", &list::same(call, &["active", "inclusive"]))
        },
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let percentage = call.get("percentage").cloned().unwrap_or_default();
    let whole = Percent::parse("100").unwrap_or_default();
    if Percent::read(&percentage).is_none_or(|percent| percent > whole) {
        // Believed: the text is in no recording.
        let text = "This value must be between 0 and 100.";
        return Err(Failure::invalid(text).param("percentage"));
    }
    let mut doc = new(
        "tax_rate",
        json!({
            "id": txn.new_id("txr_1", 23), "active": true, "created": txn.now().0,
            "effective_percentage": percentage, "livemode": false, "rate_type": "percentage",
        }),
    );
    copy(&mut doc, call, CHANGING);
    copy(&mut doc, call, &["inclusive", "percentage"]);
    merge_metadata(&mut doc, &call.params);
    let made = txn.put(doc);
    txn.emit("tax_rate.created", &made);
    Ok(made.into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    txn.find("tax_rate", id, "id")?;
    let Some((before, after)) = txn.edit("tax_rate", id, |doc| {
        copy(doc, call, CHANGING);
        merge_metadata(doc, &call.params);
    }) else {
        return Err(Failure::missing("tax rate", id, "id"));
    };
    txn.emit_change("tax_rate.updated", &before, &after);
    Ok(after.into())
}
