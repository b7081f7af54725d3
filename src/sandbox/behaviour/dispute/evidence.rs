//! What a merchant holds against a dispute: what may be sent, what it comes to, and the words by which a test
//! says how the bank decides.

use crate::sandbox::behaviour::dispute::machine::Step;
use crate::sandbox::behaviour::document::{fill, member, text};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, echo};
use serde_json::{Map, Value, json};

/// The members that are files.
const FILES: &[&str] = &[
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
];

/// The most characters that all texts together may have.
const CHARACTERS_MAX: usize = 150_000;

/// The evidence of a dispute that has just begun: what the charge tells of its customer, and nothing else.
///
/// Believed, not proven: that these three are taken over.
pub fn blank(charge: &Value) -> Value {
    let mut doc = Doc::new();
    doc.insert("evidence".to_owned(), json!({}));
    fill(&mut doc, "dispute", &["evidence"]);
    let mut evidence = doc.remove("evidence").unwrap_or_default();
    let billing = charge.get("billing_details");
    let own = charge.get("description").cloned().unwrap_or_default();
    if let Value::Object(evidence) = &mut evidence {
        evidence.insert("customer_name".to_owned(), member(billing, "name"));
        evidence.insert("customer_email_address".to_owned(), member(billing, "email"));
        evidence.insert("product_description".to_owned(), own);
        evidence.insert("enhanced_evidence".to_owned(), json!({}));
    }
    evidence
}

/// Fails for a file that is none, and for more text than a bank reads.
pub fn check(txn: &Txn<'_>, sent: &Map<String, Value>) -> Result<(), Failure> {
    for name in FILES {
        let Some(id) = sent.get(*name).and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            continue;
        };
        let param = format!("evidence[{name}]");
        let file = txn.find("file", id, &param).map_err(|_| {
            let message = format!("No such file upload: '{}'", echo(id));
            Failure::invalid(message).code("resource_missing").param(&param)
        })?;
        let purpose = text(&file, "purpose");
        if purpose != "dispute_evidence" {
            let message = format!(
                "The file {id} has the purpose `{purpose}`: upload it with the purpose `dispute_evidence` to use it here."
            );
            return Err(Failure::invalid(message).param(param));
        }
    }
    let texts = sent.iter().filter(|(name, _)| !FILES.contains(&name.as_str()));
    let count: usize = texts.filter_map(|(_, it)| Some(it.as_str()?.chars().count())).sum();
    if count > CHARACTERS_MAX {
        let message = format!(
            "The combined character count of the evidence is {count}; it must be at most {CHARACTERS_MAX}."
        );
        return Err(Failure::invalid(message).param("evidence"));
    }
    Ok(())
}

/// Writes sent evidence over what is there; an empty text clears.
pub fn merge(doc: &mut Doc, sent: &Map<String, Value>) {
    if let Some(evidence) = doc.get_mut("evidence") {
        lay(evidence, sent);
    }
    let has_evidence = sent.values().any(|value| !is_empty(value));
    if let (true, Some(Value::Object(details))) = (has_evidence, doc.get_mut("evidence_details")) {
        details.insert("has_evidence".to_owned(), json!(true));
    }
    rate(doc);
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn lay(over: &mut Value, sent: &Map<String, Value>) {
    let Value::Object(over) = over else { return };
    for (name, value) in sent {
        match (over.get_mut(name), value) {
            (Some(inner @ Value::Object(_)), Value::Object(sent)) => lay(inner, sent),
            (_, value) if is_empty(value) => drop(over.insert(name.clone(), Value::Null)),
            (_, value) => drop(over.insert(name.clone(), value.clone())),
        }
    }
}

/// Notes that the evidence went to the bank.
pub fn submitted(doc: &mut Doc) {
    if let Some(Value::Object(details)) = doc.get_mut("evidence_details") {
        let count = details.get("submission_count").and_then(Value::as_i64).unwrap_or(0);
        details.insert("submission_count".to_owned(), json!(count + 1));
        details.insert("submission_method".to_owned(), json!("manual"));
    }
}

/// What the bank makes of it: the words of the test documentation decide, anything else stays under review.
pub fn outcome(dispute: &Value) -> Option<Step> {
    match dispute.get("evidence").map_or("", |it| text(it, "uncategorized_text")) {
        "winning_evidence" => Some(Step::Win),
        "losing_evidence" => Some(Step::Lose),
        "escalate_inquiry_evidence" => Some(Step::Escalate),
        _ => None,
    }
}

/// Brings `evidence_details.enhanced_eligibility` up to what the evidence has.
pub fn rate(doc: &mut Doc) {
    let types = doc.get("enhanced_eligibility_types").and_then(Value::as_array);
    let rated: Map<String, Value> = types
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| {
            let evidence = doc.get("evidence").and_then(|it| it.get("enhanced_evidence"));
            let of_kind = evidence.and_then(|it| it.get(name));
            let rating = match name {
                "visa_compelling_evidence_3" => compelling(of_kind),
                _ => acknowledged(of_kind),
            };
            (name.to_owned(), rating)
        })
        .collect();
    if let Some(Value::Object(details)) = doc.get_mut("evidence_details") {
        details.insert("enhanced_eligibility".to_owned(), Value::Object(rated));
    }
}

fn acknowledged(evidence: Option<&Value>) -> Value {
    let known = evidence.is_some_and(|it| it.get("fee_acknowledged") == Some(&json!(true)));
    json!({"status": if known { "fee_acknowledged" } else { "requires_fee_acknowledgement" }})
}

/// The names of a customer that two payments may share.
const IDENTIFIERS: &[&str] = &[
    "customer_account_id",
    "customer_device_fingerprint",
    "customer_device_id",
    "customer_email_address",
    "customer_purchase_ip",
];

/// What compelling evidence still needs; believed to be asked for in this order.
fn compelling(evidence: Option<&Value>) -> Value {
    let disputed = evidence.and_then(|it| it.get("disputed_transaction"));
    let priors = evidence.and_then(|it| it.get("prior_undisputed_transactions"));
    let priors = priors.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let has = |of: &Value, name: &str| of.get(name).is_some_and(|value| !is_empty(value));
    let of_disputed = |name: &str| disputed.is_some_and(|it| has(it, name));
    let identified = |it: &Value| IDENTIFIERS.iter().any(|name| has(it, name));
    let needs = [
        (
            "missing_customer_identifiers",
            !disputed.is_some_and(identified) || !priors.iter().all(identified),
        ),
        ("missing_disputed_transaction_description", !of_disputed("product_description")),
        ("missing_merchandise_or_services", !of_disputed("merchandise_or_services")),
        (
            "missing_prior_undisputed_transaction_description",
            !priors.iter().all(|it| has(it, "product_description")),
        ),
        ("missing_prior_undisputed_transactions", priors.len() < 2),
    ];
    let needed: Vec<&str> = needs.iter().filter(|(_, open)| *open).map(|(name, _)| *name).collect();
    let status = if needed.is_empty() { "qualified" } else { "requires_action" };
    json!({"required_actions": needed, "status": status})
}
