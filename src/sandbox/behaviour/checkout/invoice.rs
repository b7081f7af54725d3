//! `invoice_creation`: the invoice of an order that was paid at once. It is finished from the start, and nothing is
//! ever due on it.

use crate::sandbox::behaviour::billing::{hosted, invoice};
use crate::sandbox::behaviour::checkout::sums;
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// Whether a session asks for an invoice.
pub fn is_wanted(session: &Value) -> bool {
    session.get("invoice_creation").and_then(|it| it.get("enabled")) == Some(&json!(true))
}

/// Writes the paid invoice of a session for its customer, and tells of it; its id.
pub fn write(txn: &mut Txn<'_>, session: &Object, details: &Value, customer: &str) -> String {
    let id = txn.new_id("in_1", 23);
    let number = invoice::next_number(txn, customer);
    let members = members(txn, session, details, (&id, customer, &number));
    let mut doc = new("invoice", members);
    amounts(&mut doc, session);
    lines(txn, &mut doc, session, &id);
    let invoice = session.get("invoice_creation").and_then(|it| it.get("invoice_data"));
    for name in ["account_tax_ids", "custom_fields", "description", "footer"] {
        if let Some(value) = invoice.and_then(|data| data.get(name)).filter(|it| !it.is_null()) {
            doc.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(metadata) =
        invoice.and_then(|data| data.get("metadata")).filter(|it| it.is_object())
    {
        doc.insert("metadata".to_owned(), metadata.clone());
    }
    let made = txn.put(doc);
    for word in ["created", "finalized", "paid", "payment_succeeded"] {
        txn.emit(&format!("invoice.{word}"), &made);
    }
    id
}

fn members(
    txn: &Txn<'_>,
    session: &Value,
    details: &Value,
    (id, customer, number): (&str, &str, &str),
) -> Value {
    let now = txn.now().0;
    let (page, pdf) = hosted::links(txn, id);
    let collected = session.get("collected_information").and_then(|it| it.get("shipping_details"));
    let automatic = session.get("automatic_tax").cloned().unwrap_or_default();
    let member = |of: &Value, name: &str| of.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "id": id, "account_country": Settings::of(txn).get("country"), "account_name": "stripegym",
        "amount_overpaid": 0, "attempt_count": 0, "attempted": true, "auto_advance": false,
        "automatic_tax": {
            "disabled_reason": null, "enabled": automatic.get("enabled") == Some(&json!(true)),
            "liability": member(&automatic, "liability"), "provider": member(&automatic, "provider"),
            "status": member(&automatic, "status"),
        },
        "billing_reason": "manual", "collection_method": "charge_automatically", "created": now,
        "currency": session.get("currency"), "customer": customer,
        "customer_address": member(details, "address"), "customer_email": member(details, "email"),
        "customer_name": member(details, "name"), "customer_phone": member(details, "phone"),
        "customer_shipping": collected, "customer_tax_exempt": "none",
        "customer_tax_ids": details.get("tax_ids").filter(|it| it.is_array()).cloned().unwrap_or(json!([])),
        "default_tax_rates": [], "discounts": [], "effective_at": now, "ending_balance": 0,
        "hosted_invoice_url": page, "invoice_pdf": pdf, "issuer": {"type": "self"},
        "livemode": false, "number": number,
        "payment_settings": {
            "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
        },
        "period_end": now, "period_start": now, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "shipping_cost": session.get("shipping_cost"),
        "starting_balance": 0, "status": "paid",
        "status_transitions": {
            "finalized_at": now, "marked_uncollectible_at": null, "paid_at": now, "voided_at": null,
        },
        "webhooks_delivered_at": now,
    })
}

/// The sums, which are the session's own.
fn amounts(doc: &mut Doc, session: &Value) {
    let total = int(session, "amount_total");
    let details = session.get("total_details").cloned().unwrap_or_default();
    let (tax, discount) = (int(&details, "amount_tax"), int(&details, "amount_discount"));
    let (subtotal, shipping) = (int(session, "amount_subtotal"), int(&details, "amount_shipping"));
    // What is on top is what the total has more than its parts.
    let on_top = total - (subtotal - discount + shipping);
    let untaxed = total - tax;
    for (name, amount) in [
        ("amount_due", total),
        ("amount_paid", total),
        ("amount_remaining", 0),
        ("amount_shipping", shipping),
        ("subtotal", subtotal),
        ("subtotal_excluding_tax", subtotal - (tax - on_top)),
        ("total", total),
        ("total_excluding_tax", untaxed),
    ] {
        doc.insert(name.to_owned(), json!(amount));
    }
}

/// The lines, with their discounts and taxes, and the sums of both.
fn lines(txn: &mut Txn<'_>, doc: &mut Doc, session: &Object, invoice: &str) {
    let now = txn.now().0;
    let items = session.part::<SessionPart>().line_items.clone();
    let mut data = Vec::with_capacity(items.len());
    for item in &items {
        let id = text(item, "id");
        let (discounts, taxes) = (sums::more(txn, id, "discounts"), sums::more(txn, id, "taxes"));
        let price = item.get("price").cloned().unwrap_or_default();
        let quantity = int(item, "quantity");
        data.push(new(
            "line_item",
            json!({
                "id": txn.new_id("il_1", 23), "amount": int(item, "amount_subtotal"),
                "currency": item.get("currency"), "description": item.get("description"),
                "discount_amounts": discount_amounts(&discounts), "discountable": true,
                "discounts": [], "invoice": invoice, "livemode": false, "metadata": {},
                "parent": {
                    "invoice_item_details": {
                        "invoice_item": txn.new_id("ii_1", 23), "proration": false,
                        "proration_details": {"credited_items": null}, "subscription": null,
                    },
                    "subscription_item_details": null, "type": "invoice_item_details",
                },
                "period": {"end": now, "start": now}, "pretax_credit_amounts": [],
                "pricing": {
                    "price_details": {"price": price.get("id"), "product": price.get("product")},
                    "type": "price_details", "unit_amount_decimal": price.get("unit_amount_decimal"),
                },
                "quantity": quantity, "quantity_decimal": quantity.to_string(),
                "subtotal": int(item, "amount_subtotal"), "taxes": line_taxes(&taxes),
            }),
        ));
    }
    let all = sums::breakdown(txn, session);
    let of = |name: &str| all.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let count = data.len();
    let shown: Vec<Doc> = data.into_iter().take(10).collect();
    doc.insert(
        "lines".to_owned(),
        json!({
            "object": "list", "data": shown, "has_more": count > 10, "total_count": count,
            "url": format!("/v1/invoices/{invoice}/lines"),
        }),
    );
    doc.insert("total_discount_amounts".to_owned(), discount_amounts(&of("discounts")));
    doc.insert("total_taxes".to_owned(), line_taxes(&of("taxes")));
}

fn discount_amounts(found: &[Value]) -> Value {
    let one =
        |it: &Value| json!({"amount": it.get("amount"), "discount": it.pointer("/discount/id")});
    found.iter().map(one).collect()
}

/// Taxes as invoices show them: a rate of the merchant's own has the reason `not_available`.
fn line_taxes(found: &[Value]) -> Value {
    let one = |it: &Value| {
        let rate = &it["rate"];
        let reason = it["taxability_reason"].as_str().unwrap_or("not_available");
        json!({
            "amount": it["amount"],
            "tax_behavior": if rate["inclusive"] == true { "inclusive" } else { "exclusive" },
            "tax_rate_details": {"tax_rate": rate["id"]}, "taxability_reason": reason,
            "taxable_amount": it["taxable_amount"], "type": "tax_rate_details",
        })
    };
    found.iter().map(one).collect()
}
