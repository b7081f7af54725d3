//! `stripegym dispute`: a dispute as it stands, and what is held against it.

use crate::app::context::Context;
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::stripe::Stripe;
use serde_json::{Value, json};

/// What is done to which dispute; where none is named, to the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisputeAction {
    /// It is shown.
    Show(Option<String>),
    /// A text is laid beside it, and may be changed until it is sent.
    Evidence(Option<String>, String),
    /// What lies beside it is sent to the bank, once and for all.
    Submit(Option<String>),
}

/// Does it.
pub async fn run(context: &Context, action: &DisputeAction) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(&provider.stripe, action).await;
    provider.close().await;
    let dispute = answer?;
    let at = |pointer: &str| dispute.pointer(pointer).cloned().unwrap_or_default();
    Ok(Report::Control(json!({
        "dispute": at("/id"), "status": at("/status"), "reason": at("/reason"), "amount": at("/amount"),
        "currency": at("/currency"), "payment_intent": at("/payment_intent"),
        "due_by": at("/evidence_details/due_by"), "has_evidence": at("/evidence_details/has_evidence"),
        "submission_count": at("/evidence_details/submission_count"),
    })))
}

async fn work(stripe: &Stripe, action: &DisputeAction) -> Result<Value, Fault> {
    let (DisputeAction::Show(id) | DisputeAction::Evidence(id, _) | DisputeAction::Submit(id)) =
        action;
    let id = match id {
        Some(id) => id.clone(),
        None => newest(stripe).await?,
    };
    let path = format!("/v1/disputes/{id}");
    Ok(match action {
        DisputeAction::Show(_) => stripe.get(&path, &Value::Null).await?,
        DisputeAction::Evidence(_, said) => {
            let evidence = json!({ "uncategorized_text": said });
            stripe.post(&path, &json!({ "evidence": evidence, "submit": false })).await?
        }
        DisputeAction::Submit(_) => stripe.post(&path, &json!({ "submit": true })).await?,
    })
}

async fn newest(stripe: &Stripe) -> Result<String, Fault> {
    let list = stripe.get("/v1/disputes", &json!({ "limit": 1 })).await?;
    let id = list.pointer("/data/0/id").and_then(Value::as_str);
    let none = || FaultKind::NotFound { what: "dispute".to_owned() };
    Ok(id.ok_or_else(none)?.to_owned())
}
