//! Ends a session that nobody paid.

use crate::sandbox::behaviour::checkout::{SESSION, setup};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::intent;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that expires a session at `expires_at`.
pub const JOB: &str = "checkout.expire";

/// How long the link that takes an expired session up again stays good, in seconds.
const RECOVERY_S: i64 = 30 * 24 * 60 * 60;

/// Expires an open session: its intent is cancelled, its page closed.
///
/// Fails where it is not open.
pub fn expire(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let session = txn.find(SESSION, id, "session")?;
    let status = text(&session, "status");
    if status != "open" {
        let text = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `{status}`."
        );
        return Err(Failure::invalid(text));
    }
    txn.unschedule(session.part::<SessionPart>().expire_job.as_deref().unwrap_or_default());
    let intent = txn.get("payment_intent", text(&session, "payment_intent"));
    let running =
        |intent: &Arc<Object>| !matches!(text(intent, "status"), "succeeded" | "canceled");
    if let Some(intent) = intent.filter(running) {
        intent::cancel(txn, text(&intent, "id"), Some("automatic"))?;
    }
    setup::abandon(txn, text(&session, "setup_intent"));
    let until = txn.now().plus(RECOVERY_S).0;
    let base = txn.site().base_url.clone();
    let changed = txn.edit(SESSION, id, |doc| {
        doc.insert("status".to_owned(), json!("expired"));
        doc.insert("url".to_owned(), Value::Null);
        let recovery = doc.get_mut("after_expiration").and_then(|a| a.get_mut("recovery"));
        if let Some(Value::Object(recovery)) = recovery
            && recovery.get("enabled") == Some(&json!(true))
        {
            recovery.insert("expires_at".to_owned(), json!(until));
            recovery.insert("url".to_owned(), json!(format!("{base}/c/recover/{id}")));
        }
    });
    let Some((_, after)) = changed else { return Ok(session) };
    txn.emit("checkout.session.expired", &after);
    Ok(after)
}

/// The job behind [`JOB`]; a session that was paid meanwhile took it back.
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "session");
    let open = txn.get(SESSION, id).is_some_and(|session| text(&session, "status") == "open");
    if open && let Err(failure) = expire(txn, id) {
        tracing::warn!(failure.message, "a session did not expire");
    }
}
