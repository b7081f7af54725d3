//! Completes a session once its payment went through or is under way, and follows delayed payments to their end.

use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::checkout::{SESSION, invoice, subscribe};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::offer;
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::behaviour::payment::settle::{self, Settlement};
use crate::sandbox::behaviour::tax_id;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{PaymentIntentPart, PaymentMethodPart, SessionPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that settles a delayed payment of a session.
pub const JOB: &str = "checkout.settle";

/// Completes an open session and tells so. `settles` says what a delayed payment will do by itself.
pub fn complete(
    txn: &mut Txn<'_>,
    id: &str,
    settles: Option<Settlement>,
) -> Result<Arc<Object>, Failure> {
    let session = txn.find(SESSION, id, "session")?;
    if text(&session, "status") != "open" {
        return Ok(session);
    }
    let part = session.part::<SessionPart>().into_owned();
    txn.unschedule(part.expire_job.as_deref().unwrap_or_default());
    let job = settles.map(|settlement| {
        let args = json!({"session": id, "ok": settlement.ok});
        txn.schedule(txn.now().plus(settlement.after_s), JOB, &args)
    });
    let recurs = subscribe::outcome(txn, &part);
    let status = recurs.as_ref().map_or_else(|| payment_status(txn, &session), |it| it.2);
    update_customer(txn, &session, &part);
    keep_method(txn, &session, &part);
    let tax_id = keep_tax_id(txn, &session, &part);
    if let Some((discount, _)) = &part.discount
        && let Some(discount) = txn.get("discount", discount)
    {
        offer::redeem(txn, &discount);
    }
    let invoice = write_invoice(txn, &session, &part, status);
    let Some((_, after)) = txn.edit_with(SESSION, id, |doc, part: &mut SessionPart| {
        doc.insert("status".to_owned(), json!("complete"));
        doc.insert("payment_status".to_owned(), json!(status));
        doc.insert("url".to_owned(), Value::Null);
        part.settle_job = job;
        describe_payer(doc, part, &tax_id);
        if let Some((subscription, invoice, _)) = recurs {
            doc.insert("subscription".to_owned(), subscription);
            doc.insert("invoice".to_owned(), invoice);
        }
        if invoice.is_some() {
            doc.insert("invoice".to_owned(), json!(invoice));
        }
        if let Some(Value::Object(tax)) = doc.get_mut("automatic_tax")
            && tax.get("enabled") == Some(&json!(true))
        {
            tax.insert("status".to_owned(), json!("complete"));
        }
    }) else {
        return Ok(session);
    };
    txn.emit("checkout.session.completed", &after);
    count_for_link(txn, text(&after, "payment_link"));
    Ok(after)
}

/// Counts a completed session of a link, which stops at its limit.
fn count_for_link(txn: &mut Txn<'_>, link: &str) {
    let Some(found) = txn.get("payment_link", link) else { return };
    let Some(limits) = found.pointer("/restrictions/completed_sessions") else { return };
    let (count, limit) = (int(limits, "count") + 1, int(limits, "limit"));
    let changed = txn.edit("payment_link", link, |doc| {
        let shown = json!({"completed_sessions": {"count": count, "limit": limit}});
        doc.insert("restrictions".to_owned(), shown);
        if count >= limit {
            doc.insert("active".to_owned(), json!(false));
        }
    });
    if let Some((before, after)) = changed {
        txn.emit_change("payment_link.updated", &before, &after);
    }
}

/// The customer that a session has, or that was made for it.
fn customer_of<'s>(session: &'s Value, part: &'s SessionPart) -> Option<&'s str> {
    let own = Some(text(session, "customer")).filter(|id| !id.is_empty());
    own.or(part.customer.as_deref())
}

/// The invoice of what was paid, where the session asks for one.
fn write_invoice(
    txn: &mut Txn<'_>,
    session: &Object,
    part: &SessionPart,
    status: &str,
) -> Option<String> {
    let customer = customer_of(session, part).filter(|_| invoice::is_wanted(session))?;
    // A delayed payment has paid nothing yet. That its invoice comes when it has is believed.
    (status != "unpaid").then(|| {
        let details = details(session, part, &Value::Null);
        invoice::write(txn, session, &details, customer)
    })
}

/// Keeps the payment method with its customer, where the buyer wished it.
fn keep_method(txn: &mut Txn<'_>, session: &Value, part: &SessionPart) {
    let wished = part.payer.as_ref().is_some_and(|payer| payer["save"] == true);
    let intent = txn.get("payment_intent", text(session, "payment_intent"));
    let method = intent.as_ref().map_or("", |intent| text(intent, "payment_method"));
    let (Some(customer), true, false) = (customer_of(session, part), wished, method.is_empty())
    else {
        return;
    };
    // It was verified by what was just paid with it, and is not used up by that.
    let kept = txn.edit_with("payment_method", method, |doc, part: &mut PaymentMethodPart| {
        doc.insert("allow_redisplay".to_owned(), json!("always"));
        (part.spent, part.set_up) = (false, true);
    });
    if let Some((_, kept)) = kept.filter(|(_, kept)| text(kept, "customer").is_empty()) {
        method::adopt(txn, &kept, customer);
    }
}

/// The tax id that was typed, and with the customer where there is one.
fn keep_tax_id(txn: &mut Txn<'_>, session: &Value, part: &SessionPart) -> Value {
    let typed = part.payer.as_ref().and_then(|payer| payer.get("tax_id"));
    let Some(typed) = typed.filter(|typed| typed.is_object()) else { return json!([]) };
    if let Some(customer) = customer_of(session, part) {
        let owner = json!({"type": "customer", "customer": customer});
        let (kind, value) = (text(typed, "type"), text(typed, "value"));
        if let Err(failure) = tax_id::create(txn, kind, value, &owner, "tax_id") {
            tracing::debug!(failure.message, "a tax id was not kept");
        }
    }
    json!([typed])
}

/// `payment_status` that follows from the session's intent; without one there was nothing to pay.
fn payment_status(txn: &Txn<'_>, session: &Value) -> &'static str {
    match txn.get("payment_intent", text(session, "payment_intent")) {
        None => "no_payment_required",
        Some(intent) if text(&intent, "status") == "succeeded" => "paid",
        Some(_) => "unpaid",
    }
}

/// Writes what the payer typed into the customer's record, where `customer_update` asks for it.
fn update_customer(txn: &mut Txn<'_>, session: &Value, part: &SessionPart) {
    let (Some(wanted), Some(payer)) = (&part.customer_update, &part.payer) else { return };
    let typed = ["address", "name", "shipping"].into_iter().filter_map(|name| {
        let value = payer.get(name).filter(|value| !value.is_null())?;
        (text(wanted, name) == "auto").then(|| (name.to_owned(), value.clone()))
    });
    let typed: Vec<(String, Value)> = typed.collect();
    if let Some((before, after)) =
        txn.edit("customer", text(session, "customer"), |doc| doc.extend(typed))
    {
        txn.emit_change("customer.updated", &before, &after);
    }
}

/// `customer_details` of a session from what the payer typed, else from what was known.
fn details(session: &Value, part: &SessionPart, tax_ids: &Value) -> Value {
    let payer = part.payer.clone().unwrap_or_default();
    let known = session.get("customer_details").cloned().unwrap_or(Value::Null);
    let member = |name: &str| {
        let typed = payer.get(name).filter(|value| !value.is_null());
        typed.or_else(|| known.get(name)).cloned().unwrap_or(Value::Null)
    };
    let exempt = known.get("tax_exempt").filter(|it| it.is_string()).cloned();
    json!({
        "address": cards::address(payer.get("address")), "business_name": member("business_name"),
        "email": member("email"), "individual_name": member("individual_name"),
        "name": member("name"), "phone": member("phone"),
        "tax_exempt": exempt.unwrap_or(json!("none")), "tax_ids": tax_ids,
    })
}

/// `customer_details`, `customer` and what was collected, from what the payer typed.
fn describe_payer(doc: &mut Doc, part: &SessionPart, tax_ids: &Value) {
    let payer = part.payer.clone().unwrap_or_default();
    let described = details(&Value::Object(doc.clone()), part, tax_ids);
    let named = ["business_name", "individual_name"].map(|name| described.get(name).cloned());
    doc.insert("customer_details".to_owned(), described);
    if let Some(customer) = &part.customer {
        doc.insert("customer".to_owned(), json!(customer));
    }
    let asked = doc.get("consent_collection").filter(|consent| consent.is_object());
    if let Some(asked) = asked {
        let agreed = text(asked, "terms_of_service") == "required";
        let wants = payer.get("promotions") == Some(&json!(true));
        let told = text(asked, "promotions") == "auto";
        let consent = json!({
            "promotions": told.then_some(if wants { "opt_in" } else { "opt_out" }),
            "terms_of_service": agreed.then_some("accepted"),
        });
        doc.insert("consent".to_owned(), consent);
    }
    let shipped_to =
        doc.get("collected_information").and_then(|known| known.get("shipping_details")).cloned();
    let shipped_to = shipped_to.filter(|known| !known.is_null());
    let shipping = shipped_to.or_else(|| payer.get("shipping").cloned());
    let [business, individual] = named;
    let collected = json!({
        "business_name": business, "individual_name": individual, "shipping_details": shipping,
    });
    doc.insert("collected_information".to_owned(), collected);
}

/// Settles the delayed payment of a complete session: the money arrives, or the payment fails.
///
/// Fails where no delayed payment is under way.
pub fn settle(txn: &mut Txn<'_>, id: &str, ok: bool) -> Result<Arc<Object>, Failure> {
    let session = txn.find(SESSION, id, "session")?;
    let waits = text(&session, "status") == "complete"
        && text(&session, "payment_status") == "unpaid"
        && session.part::<SessionPart>().settle_job.is_some();
    if !waits {
        let text = format!(
            "This Checkout Session has no delayed payment to settle: its status is `{}` and its payment_status is `{}`.",
            text(&session, "status"),
            text(&session, "payment_status")
        );
        return Err(Failure::invalid(text));
    }
    settle::settle(txn, text(&session, "payment_intent"), ok)?;
    txn.unschedule(session.part::<SessionPart>().settle_job.as_deref().unwrap_or_default());
    let Some((_, after)) = txn.edit_with(SESSION, id, |doc, part: &mut SessionPart| {
        part.settle_job = None;
        if ok {
            doc.insert("payment_status".to_owned(), json!("paid"));
        } else {
            part.lapsed = true;
        }
    }) else {
        return Ok(session);
    };
    let kind = if ok {
        "checkout.session.async_payment_succeeded"
    } else {
        "checkout.session.async_payment_failed"
    };
    txn.emit(kind, &after);
    Ok(after)
}

/// The job behind [`JOB`]; a session that was settled by hand took it back.
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let ok = args.get("ok") == Some(&json!(true));
    if let Err(failure) = settle(txn, text(args, "session"), ok) {
        // Its intent was cancelled meanwhile: there is nothing left to wait for.
        tracing::debug!(failure.message, "a delayed payment was not settled");
    }
}

/// Follows an intent that was captured: its session counts as paid. Nothing is told, as on Stripe.
pub fn captured(txn: &mut Txn<'_>, intent: &Object) {
    let Some(id) = intent.part::<PaymentIntentPart>().session.clone() else { return };
    if text(intent, "status") == "succeeded" {
        txn.edit(SESSION, &id, |doc| drop(doc.insert("payment_status".to_owned(), json!("paid"))));
    }
}
