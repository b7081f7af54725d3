//! Takes an expired session up again: the link of `after_expiration.recovery`.

use crate::sandbox::behaviour::checkout::{SESSION, expire, validate};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::json;
use std::sync::Arc;

/// The open session that continues an expired one; made at the first call, found by later ones.
///
/// Fails where the session offers no recovery, or no longer.
pub fn recover(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let old = txn.find(SESSION, id, "id")?;
    let recovery = old.get("after_expiration").and_then(|after| after.get("recovery"));
    let good = recovery.is_some_and(|recovery| int(recovery, "expires_at") > txn.now().0);
    if !good || text(&old, "status") != "expired" {
        return Err(Failure::missing(SESSION, id, "id"));
    }
    let continuing = txn.having(SESSION, "recovered_from", id);
    if let Some(open) = continuing.iter().find(|session| text(session, "status") == "open") {
        return Ok(Arc::clone(open));
    }
    let fresh = txn.new_id("cs_test_b1", 56);
    let expires_at = txn.now().plus(validate::LIFE_S.1);
    let job = txn.schedule(expires_at, expire::JOB, &json!({"session": fresh}));
    let mut doc = old.as_object().cloned().unwrap_or_default();
    let url = format!("{}/c/pay/{fresh}", txn.site().base_url);
    let free = int(&old, "amount_total") == 0;
    let members = json!({
        "id": fresh, "after_expiration": null, "created": txn.now().0, "expires_at": expires_at.0,
        "payment_intent": null, "recovered_from": id, "status": "open", "url": url,
        "payment_status": if free { "no_payment_required" } else { "unpaid" },
    });
    doc.extend(members.as_object().cloned().unwrap_or_default());
    if recovery.is_some_and(|recovery| recovery["allow_promotion_codes"] == true) {
        doc.insert("allow_promotion_codes".to_owned(), json!(true));
    }
    let part = SessionPart {
        customer: None,
        expire_job: Some(job),
        payer: None,
        ..old.part::<SessionPart>().into_owned()
    };
    Ok(txn.put_with(doc, part))
}
