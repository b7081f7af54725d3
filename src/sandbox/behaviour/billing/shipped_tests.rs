//! What is sent costs something to be sent: on invoices, and where it is given back. And what else a credit note or a
//! payment may name.

use crate::sandbox::behaviour::billing::tests::{Shop, id};
use serde_json::{Value, json};

fn rate(shop: &mut Shop, amount: i64) -> String {
    let rate = json!({"display_name": "Parcel", "type": "fixed_amount",
        "fixed_amount": {"amount": amount, "currency": "usd"}});
    id(&shop.lab.ok("POST /v1/shipping_rates", rate))
}

/// A draft of 1,000 with what is asked for beside.
fn drafted(shop: &mut Shop, more: &Value) -> Value {
    let item = json!({"customer": shop.customer, "amount": 1_000, "currency": "usd"});
    shop.lab.ok("POST /v1/invoiceitems", item);
    let mut asked = json!({"customer": shop.customer, "pending_invoice_items_behavior": "include"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.lab.ok("POST /v1/invoices", asked)
}

fn paid(shop: &mut Shop, invoice: &Value) -> Value {
    shop.lab.ok(&format!("POST /v1/invoices/{}/pay", id(invoice)), json!({}))
}

#[test]
fn shipping_is_part_of_what_is_due_and_can_be_changed_while_it_is_a_draft() {
    let mut shop = Shop::new("pm_card_visa");
    let rate = rate(&mut shop, 300);
    let to = json!({"name": "Ada", "phone": "", "address": {"line1": "1 Quay", "country": "JP"}});
    let asked = json!({"shipping_cost": {"shipping_rate": rate}, "shipping_details": to});
    let invoice = drafted(&mut shop, &asked);
    assert_eq!(
        invoice["shipping_cost"],
        json!({"amount_subtotal": 300, "amount_tax": 0, "amount_total": 300, "shipping_rate": rate})
    );
    let sums = |invoice: &Value| {
        ["subtotal", "amount_shipping", "total", "total_excluding_tax", "amount_due"]
            .map(|name| invoice[name].as_i64().unwrap())
    };
    assert_eq!(sums(&invoice), [1_000, 300, 1_300, 1_300, 1_300]);
    let shown = &invoice["shipping_details"];
    assert_eq!((&shown["name"], &shown["address"]["line1"]), (&json!("Ada"), &json!("1 Quay")));
    assert_eq!(shown["address"]["city"], Value::Null);
    let path = format!("POST /v1/invoices/{}", id(&invoice));
    let dear = json!({"display_name": "Courier", "type": "fixed_amount",
        "fixed_amount": {"amount": 900, "currency": "usd"}});
    let after = shop.lab.ok(&path, json!({"shipping_cost": {"shipping_rate_data": dear}}));
    assert_eq!(sums(&after), [1_000, 900, 1_900, 1_900, 1_900]);
    let after = shop.lab.ok(&path, json!({"shipping_cost": null, "shipping_details": null}));
    assert_eq!(sums(&after), [1_000, 0, 1_000, 1_000, 1_000]);
    assert_eq!((&after["shipping_cost"], &after["shipping_details"]), (&Value::Null, &Value::Null));
    shop.lab.ok(&path, json!({"shipping_cost": {"shipping_rate": rate}}));
    let paid = paid(&mut shop, &after);
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(1_300)));
    let wrong = [
        (json!({"shipping_rate": "shr_nope"}), "shipping_cost[shipping_rate]"),
        (json!({}), "shipping_cost[shipping_rate]"),
        (
            json!({"shipping_rate": rate, "shipping_rate_data": dear}),
            "shipping_cost[shipping_rate]",
        ),
    ];
    for (sent, param) in wrong {
        let asked = json!({"customer": shop.customer, "shipping_cost": sent});
        let failure = shop.lab.call("POST /v1/invoices", asked).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)), "{sent}");
    }
}

#[test]
fn a_credit_note_gives_shipping_back_once() {
    let mut shop = Shop::new("pm_card_visa");
    let rate = rate(&mut shop, 300);
    let invoice = drafted(&mut shop, &json!({"shipping_cost": {"shipping_rate": rate}}));
    let invoice = paid(&mut shop, &invoice);
    let path = "POST /v1/credit_notes";
    let other = json!({"invoice": invoice["id"], "refund_amount": 300,
        "shipping_cost": {"shipping_rate": "shr_other"}});
    let failure = shop.lab.call(path, other).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("shipping_cost[shipping_rate]"));
    let note = json!({"invoice": invoice["id"], "refund_amount": 300,
        "shipping_cost": {"shipping_rate": rate}});
    let made = shop.lab.ok(path, note.clone());
    let sums = ["subtotal", "amount_shipping", "total", "amount"].map(|it| made[it].clone());
    assert_eq!(sums, [json!(0), json!(300), json!(300), json!(300)]);
    assert_eq!(made["shipping_cost"], invoice["shipping_cost"]);
    let failure = shop.lab.call(path, note).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("shipping_cost[shipping_rate]"));
    let rest = json!({"invoice": invoice["id"], "refund_amount": 1_000, "amount": 1_000});
    assert_eq!(shop.lab.ok(path, rest)["shipping_cost"], Value::Null);
    let after = shop.lab.get("invoice", &id(&invoice));
    assert_eq!(after["post_payment_credit_notes_amount"], 1_300);
}

#[test]
fn a_credit_note_names_refunds_that_were_made_before() {
    let mut shop = Shop::new("pm_card_visa");
    let invoice = drafted(&mut shop, &json!({}));
    let invoice = paid(&mut shop, &invoice);
    let intent = id(&shop.intent(&invoice));
    let refund = json!({"payment_intent": intent, "amount": 700});
    let refund = id(&shop.lab.ok("POST /v1/refunds", refund));
    let path = "POST /v1/credit_notes";
    let note = |amount: i64, part: Value| {
        let mut linked = json!({"refund": refund});
        linked.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        json!({"invoice": invoice["id"], "amount": amount, "refunds": [linked]})
    };
    let seen = shop.lab.view().count("refund");
    let made = shop.lab.ok(path, note(400, json!({"amount_refunded": 400})));
    assert_eq!(
        made["refunds"],
        json!([{"amount_refunded": 400, "payment_record_refund": null, "refund": refund,
            "type": "refund"}])
    );
    let failure = shop.lab.call(path, note(400, json!({"amount_refunded": 400}))).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("refunds[0][amount_refunded]"), "300 are left");
    let failure = shop.lab.call(path, note(400, json!({}))).unwrap_err();
    assert!(failure.message.contains("(300)"), "{}", failure.message);
    let made = shop.lab.ok(path, note(300, json!({})));
    assert_eq!(made["refunds"][0]["amount_refunded"], 300);
    assert_eq!(shop.lab.view().count("refund"), seen, "no money went back anew");
    // Only refunds of the invoice's own payment.
    let other = drafted(&mut shop, &json!({}));
    let other = paid(&mut shop, &other);
    let mut strange = note(100, json!({"amount_refunded": 100}));
    strange["invoice"] = other["id"].clone();
    let failure = shop.lab.call(path, strange).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("refunds[0][refund]"));
    let mut recorded = note(100, json!({}));
    recorded["refunds"][0]["payment_record_refund"] =
        json!({"payment_record": "pr_1", "refund_group": "x"});
    assert_eq!(shop.lab.call(path, recorded).unwrap_err().status, 501);
    // Of an open one there is nothing to give back.
    let open = drafted(&mut shop, &json!({}));
    let open = shop.lab.ok(&format!("POST /v1/invoices/{}/finalize", id(&open)), json!({}));
    let mut early = note(100, json!({}));
    early["invoice"] = open["id"].clone();
    let failure = shop.lab.call(path, early).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("refunds"));
}

#[test]
fn a_mandate_says_what_an_invoice_is_paid_with() {
    let mut shop = Shop::without_card();
    let method = json!({"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013000"},
        "billing_details": {"name": "Ada", "email": "ada@example.com"}});
    let method = id(&shop.lab.ok("POST /v1/payment_methods", method));
    let accepted = json!({"customer_acceptance": {"type": "offline"}});
    let intent = json!({"customer": shop.customer, "payment_method": method, "confirm": true,
        "payment_method_types": ["sepa_debit"], "mandate_data": accepted});
    let intent = shop.lab.ok("POST /v1/setup_intents", intent);
    let mandate = intent["mandate"].as_str().unwrap().to_owned();
    let item = json!({"customer": shop.customer, "amount": 1_000, "currency": "eur"});
    shop.lab.ok("POST /v1/invoiceitems", item);
    let asked = json!({"customer": shop.customer, "currency": "eur",
        "pending_invoice_items_behavior": "include",
        "payment_settings": {"payment_method_types": ["sepa_debit"]}});
    let invoice = shop.lab.ok("POST /v1/invoices", asked);
    let path = format!("POST /v1/invoices/{}/pay", id(&invoice));
    let failure = shop.lab.call(&path, json!({"mandate": "mandate_nope"})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("mandate"));
    let other = json!({"mandate": mandate, "payment_method": "pm_card_visa"});
    assert_eq!(shop.lab.call(&path, other).unwrap_err().param.as_deref(), Some("mandate"));
    shop.lab.ok(&path, json!({"mandate": mandate}));
    let invoice = shop.lab.get("invoice", &id(&invoice));
    assert_eq!(shop.intent(&invoice)["payment_method"], method);
}
