//! The charts: of both providers, from the journal, in both languages, for the owner alone.

use crate::creem::{control, get, id};
use crate::env::eventually;
use crate::shopper::Shop;
use serde_json::json;

#[test]
fn charts_are_drawn_from_the_journal_for_the_owner_alone() {
    Shop::on_both(|shop| {
        let (mut ann, mut bob) = (shop.shopper("ann"), shop.shopper("bob"));
        assert_eq!(shop.browser().get("/charts").status, 303);
        let refused = ann.get("/charts");
        assert_eq!(refused.status, 403);
        let user: String = shop.asked("SELECT id FROM users WHERE email = 'ann@example.com'");
        let command = format!("kv set shop owner {user}");
        assert!(refused.text().contains(&command), "{}", refused.text());
        shop.says(&command.split(' ').collect::<Vec<_>>());
        let empty = ann.get("/charts");
        assert!(empty.status == 200 && empty.text().contains("Nothing yet."), "{}", empty.text());
        assert_eq!(bob.get("/charts").status, 403);

        let session = bob.begin(&shop.price("shop_credits_small"));
        let declined = [("payment_method", "pm_card_chargeDeclinedInsufficientFunds")];
        let path = format!("/v1/payment_pages/{session}/confirm");
        assert_eq!(shop.sandbox.api.post(&path, &declined).status, 402);
        shop.pay(&session);
        let products = get(&shop.sandbox, "/v1/products/search?page_size=100");
        let product =
            products["items"].as_array().unwrap().iter().find(|it| it["name"] == "270 credits");
        let asked = json!({ "provider": "creem", "creemProductId": id(product.unwrap()) });
        let begun = bob.ask_json("/api/payment/checkout-session", &asked).ok();
        let checkout = begun["data"]["sessionId"].as_str().unwrap();
        control(&shop.sandbox, &format!("creem/checkouts/{checkout}/pay"), &[]);
        shop.has(370, 2);
        let page = eventually("the journal has all of it", || {
            let page = ann.get("/charts").text();
            (page.contains("1 of 2 (50%)") && page.contains("1 of 1 (100%)")).then_some(page)
        });
        for part in [
            "<svg",
            "url(#hatch)",
            "insufficient_funds",
            "Revenue by day JPY",
            "Revenue by day USD",
            " Stripe</th>",
            " Creem</th>",
            "¥500",
            "$9.00",
            ">370</td>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        ann.lang = "ja";
        let japanese = ann.get("/charts").text();
        assert!(japanese.contains("支払いの成功率") && japanese.contains("2件中1件"), "{japanese}");
        assert!(!ann.get("/pricing").text().contains("/charts"), "it is in nobody's way");
    });
}
