//! The order on the payment page: what a buyer changes before they pay, and payment links.

use super::tests::{Browser, card};
use crate::sandbox::behaviour::checkout::SESSION;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::registry;
use serde_json::{Value, json};

impl Browser {
    /// An object made by an endpoint.
    async fn made(&self, endpoint: &str, params: Value) -> Value {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let catalog = crate::catalog::Catalog::get();
        let crate::catalog::route::Routed::Found(found) = catalog.route(method, path) else {
            panic!("{endpoint}");
        };
        let call = Call {
            key: found.endpoint.key().to_owned(),
            ids: Vec::new(),
            params: params.as_object().unwrap().clone(),
            version: Version { text: "2026-10-28.endive".to_owned(), named: true },
        };
        let answerer = registry::find(found.endpoint);
        let made = self.world.change(Origin::default(), |txn| answerer.answer(txn, &call)).await;
        made.unwrap().into_document()
    }

    async fn code(&self) {
        self.made("POST /v1/coupons", json!({"id": "TEN", "percent_off": 10.0, "name": "Spring"}))
            .await;
        let of = json!({"promotion": {"type": "coupon", "coupon": "TEN"}, "code": "SPRING"});
        self.made("POST /v1/promotion_codes", of).await;
    }
}

fn due(html: &str) -> String {
    let at = html.split("name=\"due\" value=\"").nth(1).unwrap();
    at.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_promotion_code_is_applied_taken_away_and_refused() {
    let browser = Browser::new();
    browser.code().await;
    let id = browser.session(json!({"allow_promotion_codes": true})).await;
    let path = format!("/c/pay/{id}");
    let mut typed = card("4242424242424242");
    typed.extend([("step", "apply_code"), ("code", "nope")]);
    let refused = browser.post(&path, &typed).await;
    assert_eq!(refused.status, 402);
    for shown in [
        "This code is invalid.",
        "href=\"#code\"",
        "id=\"code-error\"",
        "value=\"nope\"",
        "value=\"aki@example.com\"",
    ] {
        assert!(refused.html.contains(shown), "{shown}");
    }
    let applied = browser.post(&path, &[("step", "apply_code"), ("code", "spring")]).await;
    assert_eq!(applied.status, 200);
    for shown in ["Your order is updated.", "Spring", "−¥150", "¥1,350", "Remove code"] {
        assert!(applied.html.contains(shown), "{shown} is not in {}", applied.html);
    }
    let removed = browser.post(&path, &[("step", "remove_code")]).await;
    assert!(!removed.html.contains("−¥150") && removed.html.contains("Promotion code"));
    // Typed, and paid with the button at the end: the new total is shown first, then paid.
    let first = browser.get(&path).await;
    let due = due(&first.html);
    let mut typed = card("4242424242424242");
    typed.extend([("code", "SPRING"), ("due", &due)]);
    let changed = browser.post(&path, &typed).await;
    assert_eq!(changed.status, 200);
    assert!(changed.html.contains("The total is now ¥1,350."), "{}", changed.html);
    let new_due = self::due(&changed.html);
    let mut typed = card("4242424242424242");
    typed.push(("due", &new_due));
    assert_eq!(browser.post(&path, &typed).await.status, 303);
    assert_eq!(browser.object(SESSION, &id)["amount_total"], 1_350);
}

#[tokio::test]
async fn quantities_and_extras_change_the_order_and_pay_nothing() {
    let browser = Browser::new();
    let price = json!({"currency": "jpy", "unit_amount": 300, "product_data": {"name": "Cup"}});
    let price = browser.made("POST /v1/prices", price).await;
    let line = json!({"quantity": 1, "adjustable_quantity": {"enabled": true},
        "price_data": {"currency": "jpy", "unit_amount": 500, "product_data": {"name": "Tea"}}});
    let more =
        json!({"line_items": [line], "optional_items": [{"price": price["id"], "quantity": 1}]});
    let id = browser.session(more).await;
    let path = format!("/c/pay/{id}");
    let page = browser.get(&path).await;
    assert!(
        page.html.contains("Add to your order") && page.html.contains("aria-label=\"Add: Cup\"")
    );
    let li =
        page.html.split("name=\"quantity_").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let field = format!("quantity_{li}");
    let updated = browser.post(&path, &[(&field, "4"), ("step", "update")]).await;
    assert!(updated.html.contains("¥2,000"), "{}", updated.html);
    let extra = page
        .html
        .split("name=\"add\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let added = browser.post(&path, &[("add", &extra), ("email", "kept@example.com")]).await;
    assert!(added.html.contains("¥2,300") && added.html.contains("value=\"kept@example.com\""));
    let dropped = browser.post(&path, &[("drop", &extra)]).await;
    assert!(dropped.html.contains("Add: Cup") && !dropped.html.contains("¥2,300"));
    assert_eq!(browser.object(SESSION, &id)["status"], "open");
    assert_eq!(browser.post(&path, &card("4242424242424242")).await.status, 303);
    assert_eq!(browser.object(SESSION, &id)["amount_total"], 2_000);
}

#[tokio::test]
async fn tax_from_an_address_is_shown_before_it_is_paid() {
    let browser = Browser::new();
    let line = json!({"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 10_000, "product_data": {"name": "Tea"}}});
    let more = json!({"line_items": [line], "automatic_tax": {"enabled": true}});
    let id = browser.session(more).await;
    let path = format!("/c/pay/{id}");
    let page = browser.get(&path).await;
    assert!(page.html.contains("Enter your address") && page.html.contains("billing_country"));
    let due = due(&page.html);
    let mut typed = card("4242424242424242");
    typed.extend([
        ("billing_country", "US"),
        ("billing_state", "CA"),
        ("billing_city", "LA"),
        ("billing_line1", "1 St"),
    ]);
    let mut first = typed.clone();
    first.push(("due", &due));
    let changed = browser.post(&path, &first).await;
    assert_eq!(changed.status, 200);
    assert!(changed.html.contains("$107.25"), "{}", changed.html);
    let due = self::due(&changed.html);
    typed.push(("due", &due));
    assert_eq!(browser.post(&path, &typed).await.status, 303);
    let done = browser.object(SESSION, &id);
    assert_eq!(
        (&done["amount_total"], &done["automatic_tax"]["status"]),
        (&json!(10_725), &json!("complete"))
    );
}

#[tokio::test]
async fn a_card_that_was_kept_is_offered_first() {
    let browser = Browser::new();
    let customer = browser.made("POST /v1/customers", json!({"email": "aki@example.com"})).await;
    let customer = customer["id"].as_str().unwrap().to_owned();
    let more = json!({"customer": customer, "saved_payment_method_options": {"payment_method_save": "enabled"}});
    let id = browser.session(more.clone()).await;
    let mut typed = card("4242424242424242");
    typed.push(("save", "1"));
    assert_eq!(browser.post(&format!("/c/pay/{id}"), &typed).await.status, 303);
    let id = browser.session(more).await;
    let path = format!("/c/pay/{id}");
    let page = browser.get(&path).await;
    assert!(page.html.contains("Visa ending in 4242"), "{}", page.html);
    let method = page.html.split("id=\"method-pm_").nth(1).unwrap().split('"').next().unwrap();
    let method = format!("pm_{method}");
    assert_eq!(browser.post(&path, &[("method", &method)]).await.status, 303);
    let done = browser.object(SESSION, &id);
    let intent = browser.object("payment_intent", done["payment_intent"].as_str().unwrap());
    assert_eq!(intent["payment_method"], json!(method));
}

#[tokio::test]
async fn a_card_is_saved_on_a_page_without_amounts() {
    let browser = Browser::new();
    let call = json!({"mode": "setup", "currency": "jpy", "line_items": null, "customer_creation": "always"});
    let id = browser.session(call).await;
    let path = format!("/c/pay/{id}");
    let page = browser.get(&path).await;
    assert!(page.html.contains("Save a payment method with") && !page.html.contains("Total due"));
    let wrong = browser.post(&path, &card("4242424242424241")).await;
    assert_eq!(wrong.status, 402);
    let saved = browser.post(&path, &card("4242424242424242")).await;
    assert_eq!((saved.status, saved.location), (303, format!("https://shop.example/ok?id={id}")));
    let done = browser.object(SESSION, &id);
    let intent = browser.object("setup_intent", done["setup_intent"].as_str().unwrap());
    assert_eq!((&intent["status"], &intent["customer"]), (&json!("succeeded"), &done["customer"]));
    assert!(browser.get(&path).await.html.contains("Your payment method is saved."));
}

#[tokio::test]
async fn a_link_leads_to_a_page_until_it_is_closed() {
    let browser = Browser::new();
    let price = json!({"currency": "jpy", "unit_amount": 300, "product_data": {"name": "Cup"}});
    let price = browser.made("POST /v1/prices", price).await;
    let link = json!({"line_items": [{"price": price["id"], "quantity": 1}],
        "restrictions": {"completed_sessions": {"limit": 1}}, "inactive_message": "Sold out.",
        "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "See you soon."}}});
    let link = browser.made("POST /v1/payment_links", link).await;
    let path = link["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:12111").unwrap();
    let opened = browser
        .get(&format!("{path}?client_reference_id=r-1&locked_prefilled_email=a%40b.jp"))
        .await;
    assert_eq!(opened.status, 303);
    let paid = browser.post(&opened.location, &card("4242424242424242")).await;
    assert_eq!(paid.status, 200);
    assert!(paid.html.contains("All done") && paid.html.contains("See you soon."), "{}", paid.html);
    let id = opened.location.strip_prefix("/c/pay/").unwrap();
    let done = browser.object(SESSION, id);
    assert_eq!(
        (&done["client_reference_id"], &done["customer_email"]),
        (&json!("r-1"), &json!("a@b.jp"))
    );
    let closed = browser.get(path).await;
    assert_eq!(closed.status, 410);
    assert!(
        closed.html.contains("This link is no longer active") && closed.html.contains("Sold out.")
    );
    assert_eq!(browser.get("/buy/test_nope").await.status, 404);
}

#[tokio::test]
async fn shipping_tells_how_long_it_takes_and_a_business_gives_its_tax_id() {
    let browser = Browser::new();
    let rate = json!({"shipping_rate_data": {"display_name": "Post", "type": "fixed_amount",
        "fixed_amount": {"amount": 300, "currency": "jpy"},
        "delivery_estimate": {"minimum": {"unit": "business_day", "value": 2}, "maximum": {"unit": "business_day", "value": 5}}}});
    let more = json!({"shipping_options": [rate], "tax_id_collection": {"enabled": true},
        "custom_text": {"after_submit": {"message": "Ships on Monday."}}});
    let id = browser.session(more).await;
    let path = format!("/c/pay/{id}");
    let page = browser.get(&path).await;
    assert!(page.html.contains("Post (Delivery in business days: 2–5)"), "{}", page.html);
    let mut typed = card("4242424242424242");
    typed.extend([("tax_id_kind", "jp_trn"), ("tax_id", "T12"), ("business_name", "Tea Ltd")]);
    let wrong = browser.post(&path, &typed).await;
    assert!(wrong.html.contains("id=\"tax_id-error\""));
    let mut typed = card("4242424242424242");
    typed.extend([
        ("tax_id_kind", "jp_trn"),
        ("tax_id", "T1234567891234"),
        ("business_name", "Tea Ltd"),
    ]);
    assert_eq!(browser.post(&path, &typed).await.status, 303);
    assert_eq!(browser.object(SESSION, &id)["customer_details"]["business_name"], "Tea Ltd");
    assert!(browser.get(&path).await.html.contains("Ships on Monday."));
}
