//! The second provider's pages: a subscription bought with a code after a declined card, and ended in the portal.

use super::Stage;
use crate::http::send;
use serde_json::{Value, json};

impl Stage {
    /// A call of Creem's API that must succeed.
    fn creem(&self, path: &str, body: &Value) -> Value {
        let headers = [("x-api-key", "creem_test_browser"), ("Content-Type", "application/json")];
        let path = format!("/creem/v1/{path}");
        send(self.sandbox.api.port, "POST", &path, &headers, body.to_string().as_bytes())
            .unwrap()
            .ok()
    }
}

/// Buys with a code, is declined first, comes back to the shop, and cancels.
pub(super) fn buys_and_cancels(lang: &'static str) {
    let mut stage = Stage::set(lang);
    let name = if lang == "ja" { "プロ プラン" } else { "Pro plan" };
    let product = json!({"name": name, "description": "d", "price": 900, "currency": "EUR",
        "billing_type": "recurring", "billing_period": "every-month"});
    let product = stage.creem("products", &product)["id"].clone();
    let off = json!({"name": "Launch", "code": "LAUNCH", "type": "percentage", "percentage": 50,
        "duration": "once", "applies_to_products": [product]});
    stage.creem("discounts", &off);
    let sent = json!({"product_id": product, "success_url": stage.shop.url("done?provider=creem")});
    let checkout = stage.creem("checkouts", &sent);
    stage.browser.open(checkout["checkout_url"].as_str().unwrap());
    stage.browser.reads("9.00");
    stage.picture("creem-checkout");
    stage.browser.fill("#code", "launch");
    stage.browser.click("button[value=apply_code]");
    stage.browser.reads("4.50");
    stage.browser.fill("#email", "aki@example.com");
    stage.fill_card("4000 0000 0000 0002");
    stage.browser.click("#pay");
    stage.browser.reads(if lang == "ja" { "拒否" } else { "declined" });
    stage.picture("creem-declined");
    stage.fill_card("4242 4242 4242 4242");
    stage.browser.click("#pay");
    let url = stage.browser.arrive("done?provider=creem");
    assert!(url.contains("&checkout_id=ch_") && url.contains("&signature="), "{url}");
    let customer = url.split("customer_id=").nth(1).unwrap().split('&').next().unwrap();
    let link = stage.creem("customers/billing", &json!({"customer_id": customer}));
    stage.browser.open(link["customer_portal_link"].as_str().unwrap());
    stage.browser.reads(name);
    stage.picture("creem-portal");
    stage.browser.click("button[value=cancel]");
    stage.browser.reads(if lang == "ja" { "終了" } else { "will end" });
    assert!(stage.browser.has("button[value=resume]"));
    stage.picture("creem-portal-canceled");
}
