//! Sources, and what customers have saved the old way, as the API makes, shows, changes and removes them.

use crate::sandbox::behaviour::cards::stored::put_as;
use crate::sandbox::behaviour::document::{
    Handler, copy, member, merge_hash, merge_metadata, new, text,
};
use crate::sandbox::behaviour::payment::{bank, method};
use crate::sandbox::behaviour::saved::card::{self, Details};
use crate::sandbox::behaviour::saved::token::{self, Held};
use crate::sandbox::behaviour::saved::wallet;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};

/// The behaviour of `/v1/sources` and of a customer's sources.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/sources" => create,
        "GET /v1/sources/{source}" => retrieve,
        "POST /v1/sources/{source}" => update,
        "GET /v1/customers/{customer}/sources" => list_of_customer,
        "POST /v1/customers/{customer}/sources" => add,
        "GET /v1/customers/{customer}/sources/{id}" => show,
        "POST /v1/customers/{customer}/sources/{id}" => change,
        "DELETE /v1/customers/{customer}/sources/{id}" => remove,
        "POST /v1/customers/{customer}/sources/{id}/verify" => verify,
        _ => return None,
    })
}

/// Makes a source of a token, or of the account that a debit names; the others send their owner somewhere, which is
/// not modelled.
fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let kind = call.text("type").unwrap_or_default();
    let token = call.text("token").filter(|_| matches!(kind, "card" | "sepa_debit"));
    let iban = call.hash("sepa_debit").and_then(|debit| debit.get("iban")?.as_str());
    let iban = iban.filter(|_| kind == "sepa_debit" && token.is_none());
    if token.is_none() && iban.is_none() {
        let text = format!(
            "Sources of the type `{kind}` without a token are not modelled by this sandbox yet."
        );
        return Err(Failure::of(501, FailureKind::Api, text).param("type"));
    }
    let id = txn.new_id("src_1", 23);
    let secret = txn.secret("source", "src_client", 24);
    let usage = call.text("usage").unwrap_or("reusable");
    let mut doc = new(
        "source",
        json!({
            "id": id, "client_secret": secret, "created": txn.now().0, "flow": "none",
            "allow_redisplay": "unspecified", "status": "chargeable", "type": kind, "usage": usage,
            "owner": owner(call.hash("owner")),
        }),
    );
    copy(&mut doc, call, &["amount", "currency", "statement_descriptor"]);
    merge_metadata(&mut doc, &call.params);
    if kind == "sepa_debit" && !call.sent("currency") {
        doc.insert("currency".to_owned(), json!("eur"));
    }
    let held = token.map(|token| token::spend(txn, token, "token")).transpose()?;
    match (held, iban) {
        (Some(Held::Card(details)), _) if kind == "card" => of_card(txn, &mut doc, &details),
        (Some(Held::Bank(account)), _) if kind == "sepa_debit" => {
            let said = |name: &str| account.get(name).cloned().unwrap_or(Value::Null);
            let details = bank::sepa(&said("country"), &said("fingerprint"), &said("last4"));
            of_debit(txn, &mut doc, &details, &said("account_holder_name"));
        }
        (None, Some(iban)) => {
            let details = bank::of_iban(&method::checked_iban(iban)?);
            of_debit(txn, &mut doc, &details, &Value::Null);
        }
        _ => {
            let text = format!("The token given does not stand for a source of the type `{kind}`.");
            return Err(Failure::invalid(text).param("token"));
        }
    }
    let made = txn.put(doc);
    txn.emit("source.chargeable", &made);
    Ok(made.into())
}

fn owner(sent: Option<&Doc>) -> Value {
    let sent = |name: &str| sent.and_then(|owner| owner.get(name)).cloned().unwrap_or(Value::Null);
    json!({
        "address": sent("address"), "email": sent("email"), "name": sent("name"), "phone": sent("phone"),
        "verified_address": null, "verified_email": null, "verified_name": null, "verified_phone": null,
    })
}

fn of_card(txn: &mut Txn<'_>, doc: &mut Doc, details: &Details) {
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let details = Details { id, ..details.clone() };
    let Some(twin) = details.put_twin(txn) else { return };
    let card = Value::Object(details.checked(&twin, None));
    let mut shown = Doc::new();
    for name in [
        "address_line1_check",
        "address_zip_check",
        "brand",
        "country",
        "cvc_check",
        "dynamic_last4",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "name",
        "tokenization_method",
    ] {
        shown.insert(name.to_owned(), card.get(name).cloned().unwrap_or(Value::Null));
    }
    shown.insert("three_d_secure".to_owned(), json!("optional"));
    doc.insert("card".to_owned(), Value::Object(shown));
}

/// Writes the debit of an account into a source, and puts the payment method that pays from it. The owner is who the
/// account belongs to, where nobody else was named.
fn of_debit(txn: &mut Txn<'_>, doc: &mut Doc, details: &Value, holder: &Value) {
    let reference = txn.new_id("", 16).to_ascii_uppercase();
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = format!("{}/mandates/{reference}", txn.site().base_url);
    doc.insert(
        "sepa_debit".to_owned(),
        json!({
            "bank_code": member(details, "bank_code"), "branch_code": member(details, "branch_code"), "country": member(details, "country"),
            "fingerprint": member(details, "fingerprint"), "last4": member(details, "last4"), "mandate_reference": reference,
            "mandate_url": url,
        }),
    );
    let Some(Value::Object(owner)) = doc.get_mut("owner") else { return };
    if owner.get("name").is_some_and(Value::is_null) {
        owner.insert("name".to_owned(), holder.clone());
    }
    let billing = card::billing(&json!({"name": owner.get("name")}));
    put_as(txn, &id, ("sepa_debit", details), &billing, PaymentMethodPart::default());
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("source", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of sources", &["mandate", "source_order"])?;
    txn.find("source", call.id(0), "id")?;
    txn.edit("source", call.id(0), |doc| {
        copy(doc, call, &["amount"]);
        merge_hash(doc.get_mut("owner"), call.hash("owner"));
        merge_metadata(doc, &call.params);
    });
    txn.find("source", call.id(0), "id").map(Body::from)
}

fn list_of_customer(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    let asked = call.text("object");
    let all = wallet::of_customer(txn, call.id(0));
    let kept = all.iter().filter(|it| asked.is_none_or(|asked| text(it, "object") == asked));
    let kept: Vec<Value> = kept.map(|it| it.document()).collect();
    list::page_of(call, "source", &kept)
}

fn add(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let customer = call.id(0).to_owned();
    let owner = txn.find("customer", &customer, "id")?;
    let added = wallet::add(txn, &customer, call.text("source").unwrap_or_default(), "source")?;
    let (kind, id) = (text(&added, "object").to_owned(), text(&added, "id").to_owned());
    txn.edit(&kind, &id, |doc| merge_metadata(doc, &call.params));
    let added = txn.get(&kind, &id).unwrap_or(added);
    txn.emit("customer.source.created", &added);
    if text(&owner, "default_source").is_empty() {
        let changed = txn.edit("customer", &customer, |doc| {
            doc.insert("default_source".to_owned(), json!(id));
        });
        if let Some((before, after)) = changed {
            txn.emit_change("customer.updated", &before, &after);
        }
    }
    Ok(added.into())
}

fn show(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    wallet::find(txn, call.id(0), call.id(1)).map(Body::from)
}

fn change(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    wallet::update(txn, call.id(0), call.id(1), &call.params).map(Body::from)
}

fn remove(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    wallet::remove(txn, call.id(0), call.id(1)).map(Body::from)
}

fn verify(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    let amounts: Vec<i64> = call.list("amounts").iter().filter_map(Value::as_i64).collect();
    wallet::verify(txn, call.id(0), call.id(1), &amounts).map(Body::from)
}
