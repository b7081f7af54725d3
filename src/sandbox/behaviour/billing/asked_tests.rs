//! Parameters of invoices, their items and previews that change what is asked for, or who gets it.

use crate::sandbox::behaviour::billing::tests::{Shop, id};
use serde_json::{Value, json};

fn coupon(shop: &mut Shop, percent: i64) -> Value {
    shop.lab.ok("POST /v1/coupons", json!({"percent_off": percent, "duration": "once"}))["id"]
        .clone()
}

fn item(shop: &mut Shop, amount: i64, more: &Value) -> Value {
    let mut asked = json!({"customer": shop.customer, "amount": amount, "currency": "usd"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.lab.ok("POST /v1/invoiceitems", asked)
}

fn drafted(shop: &mut Shop, more: &Value) -> Value {
    let mut asked = json!({"customer": shop.customer, "pending_invoice_items_behavior": "include"});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.lab.ok("POST /v1/invoices", asked)
}

#[test]
fn an_item_has_discounts_of_its_own_and_they_can_be_changed() {
    let mut shop = Shop::new("pm_card_visa");
    let (half, tenth) = (coupon(&mut shop, 50), coupon(&mut shop, 10));
    let first = item(&mut shop, 1_000, &json!({"discounts": [{"coupon": half}]}));
    item(&mut shop, 3_000, &json!({}));
    assert_eq!(first["discounts"].as_array().unwrap().len(), 1);
    let invoice = drafted(&mut shop, &json!({}));
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(4_000), &json!(3_500)));
    let path = format!("POST /v1/invoiceitems/{}", id(&first));
    shop.lab.ok(&path, json!({"discounts": [{"coupon": tenth}]}));
    assert_eq!(shop.lab.get("invoice", &id(&invoice))["total"], 3_900);
    shop.lab.ok(&path, json!({"discounts": []}));
    assert_eq!(shop.lab.get("invoice", &id(&invoice))["total"], 4_000);
    let failure = shop.lab.call(&path, json!({"discounts": [{"coupon": "NOPE"}]})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("discounts[0][coupon]"));
}

#[test]
fn a_preview_changes_what_is_pending_and_keeps_nothing() {
    let mut shop = Shop::new("pm_card_visa");
    let pending = item(&mut shop, 1_000, &json!({}));
    let asked = |more: Value| {
        let mut changed = json!({"invoiceitem": pending["id"]});
        changed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"customer": pending["customer"], "invoice_items": [changed]})
    };
    let path = "POST /v1/invoices/create_preview";
    assert_eq!(shop.lab.ok(path, asked(json!({"amount": 2_500})))["total"], 2_500);
    assert_eq!(shop.lab.ok(path, asked(json!({"quantity": 3})))["total"], 3_000);
    assert_eq!(shop.lab.get("invoiceitem", &id(&pending))["amount"], 1_000);
    let unknown = json!({"customer": shop.customer, "invoice_items": [{"invoiceitem": "ii_nope"}]});
    let failure = shop.lab.call(path, unknown).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("invoice_items[0][invoiceitem]"));
}

#[test]
fn what_an_invoice_is_paid_goes_on_to_another_account_less_a_fee() {
    let mut shop = Shop::new("pm_card_visa");
    let account = id(&shop.lab.ok("POST /v1/accounts", json!({"type": "standard"})));
    item(&mut shop, 5_000, &json!({}));
    let to = json!({"destination": account});
    let invoice = drafted(
        &mut shop,
        &json!({"application_fee_amount": 300, "transfer_data": to, "on_behalf_of": account}),
    );
    shop.lab.ok(&format!("POST /v1/invoices/{}/pay", id(&invoice)), json!({}));
    let intent = shop.intent(&invoice);
    assert_eq!(
        (&intent["application_fee_amount"], &intent["transfer_data"]["destination"]),
        (&json!(300), &json!(account))
    );
    assert_eq!(intent["on_behalf_of"], json!(account));
    let view = shop.lab.view();
    let amounts = |kind: &str| -> Vec<i64> {
        view.newest(kind).map(|it| it["amount"].as_i64().unwrap()).collect()
    };
    assert_eq!((amounts("transfer"), amounts("application_fee")), (vec![5_000], vec![300]));
    // A draft can be changed; cleared, all of it stays.
    item(&mut shop, 700, &json!({}));
    let to = json!({"transfer_data": {"destination": account, "amount": 200}});
    let invoice = drafted(&mut shop, &to);
    let path = format!("POST /v1/invoices/{}", id(&invoice));
    let failure = shop.lab.call(&path, json!({"application_fee_amount": 10})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("application_fee_amount"));
    shop.lab.ok(&path, json!({"transfer_data": null}));
    shop.lab.ok(&format!("{path}/pay"), json!({"forgive": false}));
    assert_eq!(shop.lab.view().count("transfer"), 1);
    let failure = shop.lab.call(
        "POST /v1/invoices",
        json!({"customer": shop.customer, "application_fee_amount": 10}),
    );
    assert_eq!(failure.unwrap_err().status, 400, "there is nobody whose payment it is of");
}
