//! Creem as the shop's second provider: sold, heard, taken back, by whoever comes first and however often.

use crate::creem::{call, control, get, hmac, id, post};
use crate::env::{Env, eventually, rounds};
use crate::http::{Reply, send};
use crate::shop::now;
use crate::shopper::{Shop, Shopper, hidden, replayed, within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::thread;

const CREDITS: &str = "270 credits";
const MONTHLY: &str = "Monthly, in euros";
const BUY: &str = "/api/payment/checkout-session";

/// The product of a plan.
fn product(shop: &Shop, name: &str) -> String {
    let found = get(&shop.sandbox, "/v1/products/search?page_size=100");
    let items = found["items"].as_array().unwrap();
    id(items.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}: {found}")))
}

/// Begins to buy a product; the checkout.
fn begin(shopper: &mut Shopper, product: &str) -> String {
    let asked = json!({ "provider": "creem", "creemProductId": product });
    let begun = shopper.ask_json(BUY, &asked).ok();
    assert!(begun["data"]["url"].as_str().unwrap().starts_with("http://"), "{begun}");
    begun["data"]["sessionId"].as_str().unwrap().to_owned()
}

/// Pays a checkout as its buyer would; what Creem shows of it, and where it sends the buyer.
fn pay(shop: &Shop, checkout: &str) -> (Value, String) {
    let paid = control(&shop.sandbox, &format!("creem/checkouts/{checkout}/pay"), &[]);
    let back = within(paid["redirect_url"].as_str().unwrap());
    (paid, back)
}

fn verify(shopper: &mut Shopper, checkout: &str) -> Reply {
    shopper.get(&format!("/api/payment/verify-success?provider=creem&checkout_id={checkout}"))
}

/// The secret of the shop's webhook.
fn secret(shop: &Shop) -> String {
    let all = shop.sandbox.api.read("/_stripegym/creem/webhooks")["webhooks"].clone();
    let own = all
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["url"].as_str().unwrap().ends_with("/api/creem/webhook"));
    own.unwrap_or_else(|| panic!("{all}"))["secret"].as_str().unwrap().to_owned()
}

fn event(number: &str, kind: &str, object: &Value) -> Vec<u8> {
    let at = now() * 1_000;
    json!({"id": number, "eventType": kind, "created_at": at, "object": object})
        .to_string()
        .into_bytes()
}

fn deliver(shop: &Shop, headers: &[(&str, &str)], body: &[u8]) -> u16 {
    deliver_to(shop.port, headers, body)
}

fn deliver_to(port: u16, headers: &[(&str, &str)], body: &[u8]) -> u16 {
    send(port, "POST", "/api/creem/webhook", headers, body).unwrap().status
}

#[test]
fn a_purchase_is_one_order_whoever_comes_first() {
    Shop::on_each(|shop| {
        let (mut ann, mut eve) = (shop.shopper("ann"), shop.shopper("eve"));
        let product = product(&shop, CREDITS);
        let count = rounds(20, 50);
        let (mut ids, mut last) = (BTreeSet::new(), json!({}));
        for _ in 0..count {
            let checkout = begin(&mut ann, &product);
            assert_eq!(verify(&mut ann, &checkout).status, 400, "it is not paid");
            let (paid, back) = pay(&shop, &checkout);
            // The sandbox delivers while the buyer lands and a program of the page asks.
            let (landed, asked) = thread::scope(|scope| {
                let (mut tab, mut other) = (ann.clone(), ann.clone());
                let (back, checkout) = (&back, &checkout);
                let landed = scope.spawn(move || tab.get(back));
                let asked = scope.spawn(move || verify(&mut other, checkout));
                (landed.join().unwrap(), asked.join().unwrap())
            });
            assert!(
                landed.status == 200 && landed.text().contains("Thank you"),
                "{}",
                landed.text()
            );
            let order = asked.ok()["data"]["order"].clone();
            assert_eq!(
                (&order["status"], &order["amountTotal"]),
                (&json!("succeeded"), &json!("9.00"))
            );
            assert_eq!(order["currency"], "USD");
            ids.insert(id(&order));
            assert_eq!(verify(&mut eve, &checkout).status, 403, "somebody else's");
            assert_eq!(eve.get(&back).status, 403, "also with the signature");
            last = paid;
        }
        let count = i64::try_from(count).unwrap();
        eventually("every event is worked in", || {
            let sql = "SELECT COUNT(*) FROM applied WHERE provider = 'creem'";
            (shop.number(sql) == count).then_some(())
        });
        assert_eq!(i64::try_from(ids.len()).unwrap(), count);
        assert_eq!((shop.orders(), shop.credits()), (count, count * 270));
        // Replayed, also under other ids, nothing changes.
        let (own, port) = (secret(&shop), shop.port);
        replayed(1_000, |round| {
            let body = event(&format!("evt_{}", round / 2), "checkout.completed", &last);
            let signature = hmac(own.as_bytes(), &body);
            assert_eq!(deliver_to(port, &[("creem-signature", &signature)], &body), 200);
        });
        assert_eq!((shop.orders(), shop.credits()), (count, count * 270));
    });
}

#[test]
fn a_buyer_lands_only_where_creem_sent_them() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let page = ann.get("/pricing").text();
        assert!(page.contains("Paid with Creem") && page.contains("Paid with Stripe"), "{page}");
        let product = product(&shop, CREDITS);
        let number = hidden(&page, "number");
        let fields = [("price", product.as_str()), ("number", &number), ("code", "")];
        let begun = ann.submit("/pricing", &fields);
        assert_eq!(begun.status, 303, "{}", begun.text());
        let url = begun.header("location").unwrap().to_owned();
        // A double click begins one checkout.
        assert_eq!(ann.submit("/pricing", &fields).header("location"), Some(url.as_str()));
        let checkout = url.rsplit('/').next().unwrap();
        let (_, back) = pay(&shop, checkout);
        let other = begin(&mut ann, &product);
        for (changed, status) in [
            (back.replace(checkout, &other), 400),
            (back.split("&signature").next().unwrap().to_owned(), 400),
            (back.replace("&signature=", "&signature=0"), 400),
            ("/payment/success?provider=creem".to_owned(), 400),
            ("/payment/success?provider=creem&checkout_id=cs_1".to_owned(), 400),
            (back.clone(), 200),
        ] {
            assert_eq!(ann.get(&changed).status, status, "{changed}");
        }
        assert_eq!(verify(&mut ann, "ch_unknown").status, 404);
        ann.lang = "ja";
        let japanese = ann.get(&back).text();
        assert!(
            japanese.contains("お支払いが完了しました") && japanese.contains("$9.00"),
            "{japanese}"
        );
        let sent_on = shop.browser().get(&back);
        assert!(
            sent_on.header("location").unwrap().starts_with("/login?next=%2Fpayment%2Fsuccess")
        );
        for wrong in [
            json!({ "provider": "creem" }),
            json!({ "provider": "creem", "creemProductId": "prod_unknown" }),
            json!({ "provider": "stripe", "stripePriceId": product }),
            json!({ "provider": "creem", "creemProductId": product, "couponCode": "NOPE" }),
        ] {
            assert_eq!(ann.ask_json(BUY, &wrong).status, 400, "{wrong}");
        }
        assert_eq!(shop.browser().ask_json(BUY, &json!({ "provider": "creem" })).status, 401);
    });
}

#[test]
fn a_webhook_is_believed_only_as_it_was_signed() {
    Shop::on_each(|shop| {
        let own = secret(&shop);
        let body = event("evt_1", "refund.created", &json!({"id": "ref_1", "object": "refund"}));
        let good = hmac(own.as_bytes(), &body);
        let forged = hmac(b"whsec_another", &body);
        for headers in [
            &[][..],
            &[("creem-signature", forged.as_str())],
            &[("creem-signature", "")],
            &[
                ("webhook-id", "evt_1"),
                ("webhook-timestamp", "1"),
                ("webhook-signature", "v1,AAAA"),
            ],
        ] {
            assert_eq!(deliver(&shop, headers, &body), 400, "{headers:?}");
        }
        let signed = [("creem-signature", good.as_str())];
        assert_eq!(deliver(&shop, &signed, b"{}"), 400);
        let large = vec![b'x'; 2 * 1024 * 1024];
        assert_eq!(deliver(&shop, &signed, &large), 413);
        // One provider's event is none of the other's, whoever signs it.
        let stripes = crate::shop::completed("evt_2", "cs_test_1", 500);
        let signature = hmac(own.as_bytes(), &stripes);
        assert_eq!(deliver(&shop, &[("creem-signature", &signature)], &stripes), 400);
        assert_eq!(shop.deliver(&serde_json::from_slice(&body).unwrap()).status, 400);
        assert_eq!(shop.number("SELECT COUNT(*) FROM applied"), 0);
        let upper = format!("sha256={}", good.to_uppercase());
        assert_eq!(deliver(&shop, &[("creem-signature", &upper)], &body), 200);
        assert_eq!((shop.number("SELECT COUNT(*) FROM applied"), shop.orders()), (1, 0));
    });
}

#[test]
fn money_that_goes_back_takes_its_credits_along() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let product = product(&shop, CREDITS);
        let buy = |ann: &mut Shopper| {
            let checkout = begin(ann, &product);
            let (paid, _) = pay(&shop, &checkout);
            verify(ann, &checkout).ok();
            paid["order"]["transaction"].as_str().unwrap().to_owned()
        };
        let first = buy(&mut ann);
        shop.has(270, 1);
        post(&shop.sandbox, "/v1/refunds", &json!({ "transaction_id": first }));
        shop.has(0, 1);
        let second = buy(&mut ann);
        shop.has(270, 2);
        control(&shop.sandbox, &format!("creem/transactions/{second}/dispute"), &[]);
        shop.has(0, 2);
        for status in ["disputed", "refunded"] {
            let sql = format!("SELECT count(*) FROM orders WHERE status = '{status}'");
            assert_eq!(shop.number(&sql), 1, "{status}");
        }
        // It stands in the journal, in double entry and under the provider's name.
        let book = shop.says(&["ledger", "journal", "--json"]);
        assert!(book.contains(&format!("creem/{first}")), "{book}");
    });
}

#[test]
fn a_subscription_gives_credits_each_period_until_it_ends() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let product = product(&shop, MONTHLY);
        let checkout = begin(&mut ann, &product);
        let (paid, back) = pay(&shop, &checkout);
        let subscription = id(&paid["subscription"]);
        assert_eq!(ann.get(&back).status, 200);
        let found = verify(&mut ann, &checkout).ok()["data"]["subscription"].clone();
        assert_eq!((&found["status"], &found["id"]), (&json!("active"), &json!(subscription)));
        shop.has(500, 1);
        let asked = json!({ "provider": "creem", "creemProductId": product });
        assert_eq!(ann.ask_json(BUY, &asked).status, 409, "one has it already");
        let status = |wanted: &str| {
            eventually(wanted, || {
                let found: String = shop.asked("SELECT status FROM subscriptions");
                (found == wanted).then_some(())
            });
        };
        control(&shop.sandbox, "clock/advance", &[("by", "1 month")]);
        shop.has(1_000, 2);
        let renew = format!("creem/subscriptions/{subscription}/renew");
        control(&shop.sandbox, &renew, &[("ok", "false")]);
        status("past_due");
        shop.has(1_000, 2);
        control(&shop.sandbox, &renew, &[]);
        status("active");
        shop.has(1_500, 3);
        let path = format!("/v1/subscriptions/{subscription}/cancel");
        post(&shop.sandbox, &path, &json!({ "mode": "scheduled" }));
        eventually("it ends with the period", || {
            (shop.number("SELECT ends FROM subscriptions") == 1).then_some(())
        });
        status("active");
        control(&shop.sandbox, "clock/advance", &[("by", "2 months")]);
        status("canceled");
        shop.has(1_500, 3);
        assert!(ann.get("/account").text().contains("Ended"));
    });
}

#[test]
fn a_code_takes_off_what_it_says() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let product = product(&shop, CREDITS);
        let sent = json!({"name": "Half", "code": "HALF", "type": "percentage", "percentage": 50, "duration": "once",
            "applies_to_products": [product]});
        post(&shop.sandbox, "/v1/discounts", &sent);
        let asked =
            json!({ "provider": "creem", "creemProductId": product, "couponCode": " HALF " });
        let begun = ann.ask_json(BUY, &asked).ok();
        let checkout = begun["data"]["sessionId"].as_str().unwrap();
        pay(&shop, checkout);
        assert_eq!(verify(&mut ann, checkout).ok()["data"]["order"]["amountTotal"], "4.50");
        shop.has(270, 1);
    });
}

#[test]
fn the_second_scheme_stands_behind_a_switch() {
    Shop::on_each_in(&[("CREEM_SIGNATURE", "standard")], |shop| {
        let mut ann = shop.shopper("ann");
        let checkout = begin(&mut ann, &product(&shop, CREDITS));
        pay(&shop, &checkout);
        shop.has(270, 1);
        let own = secret(&shop);
        let body = event("evt_1", "checkout.completed", &json!({"id": "ch_1"}));
        let plain = hmac(own.as_bytes(), &body);
        assert_eq!(
            deliver(&shop, &[("creem-signature", &plain)], &body),
            400,
            "the first is no longer enough"
        );
    });
}

#[test]
fn a_shop_that_comes_back_is_told_what_was_paid_meanwhile() {
    Shop::on_each(|mut shop| {
        let mut ann = shop.shopper("ann");
        let product = product(&shop, CREDITS);
        let checkout = begin(&mut ann, &product);
        let webhooks = |shop: &Shop| {
            let all = call(&shop.sandbox, "GET", "/v1/webhooks", &Value::Null).ok();
            all["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
        };
        let (known, secret_before) = (webhooks(&shop), secret(&shop));
        shop.program.kill();
        let (_, back) = pay(&shop, &checkout);
        shop.start_again();
        assert_eq!((webhooks(&shop), secret(&shop)), (known.clone(), secret_before));
        assert_eq!(ann.get(&back).status, 200);
        shop.has(270, 1);
        assert_eq!(shop.program.interrupt(), 130);
        let left = shop.sandbox.api.read("/_stripegym/creem/webhooks")["webhooks"].clone();
        assert!(left[0]["url"].as_str().unwrap().starts_with("http://127.0.0.1:1/"), "{left}");
        shop.start_again();
        assert_eq!(webhooks(&shop), known);
    });
}

#[test]
fn the_ledger_is_held_against_both_providers() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let product = product(&shop, CREDITS);
        let mut buy = || {
            let checkout = begin(&mut ann, &product);
            pay(&shop, &checkout).0["order"]["transaction"].as_str().unwrap().to_owned()
        };
        let (first, second) = (buy(), buy());
        shop.has(540, 2);
        post(&shop.sandbox, "/v1/refunds", &json!({ "transaction_id": second }));
        shop.has(270, 2);
        let shown = shop.says(&["ledger", "show", "--json"]);
        for id in [&first, &second] {
            assert!(shown.contains(&format!("creem/{id}")), "{shown}");
        }
        assert!(shop.says(&["ledger", "verify"]).len() > 1);
        let agrees = shop.env.run(&shop.words(&["reconcile", "--json"]));
        assert_eq!(agrees.code, 0, "{}{}", agrees.out, agrees.err);
        assert!(agrees.out.contains(&format!("creem/{first}")), "{}", agrees.out);
        // A sale that nobody here was told of.
        let webhooks = call(&shop.sandbox, "GET", "/v1/webhooks", &Value::Null).ok();
        let path = format!("/v1/webhooks/{}", id(&webhooks["items"][0]));
        call(&shop.sandbox, "PATCH", &path, &json!({ "status": "disabled" })).ok();
        let missed = buy();
        let differs = shop.env.run(&shop.words(&["reconcile", "--json"]));
        assert_ne!(differs.code, 0, "{}", differs.out);
        let line = format!("creem/{missed}");
        assert!(
            differs.out.contains(&line) && differs.out.contains("MISSING_IN_LEDGER"),
            "{}",
            differs.out
        );
    });
}

#[test]
fn what_creem_keeps_is_fetched_by_the_shop_and_by_catch_up() {
    // One that has made what is sold, and has ended: from here on Creem delivers to nobody.
    let mut maker = Shop::open();
    maker.program.interrupt();
    let sandbox = Rc::clone(&maker.sandbox);
    let env = |home: Env| {
        let (url, key) = (&sandbox.url, &sandbox.api.key);
        home.with("STRIPEGYM_MODE", "stripe")
            .with("STRIPEGYM_LANG", "en")
            .with("STRIPE_API_BASE", url)
            .with("STRIPE_SECRET_KEY", key)
            .with("CREEM_API_BASE_URL", url)
            .with("CREEM_API_KEY", "creem_test_0123456789abcdef")
    };
    let mut shop = Shop::at(env(Env::new()), &sandbox);
    let mut ann = shop.shopper("ann");
    let product = product(&shop, CREDITS);
    let paid = |shop: &Shop, checkout: &str| {
        pay(shop, checkout).0["order"]["transaction"].as_str().unwrap().to_owned()
    };
    let first = paid(&shop, &begin(&mut ann, &product));
    shop.has(270, 1);
    let webhooks = get(&sandbox, "/v1/webhooks");
    let fetching =
        webhooks["items"].as_array().unwrap().iter().filter(|it| it["delivery_mode"] == "cli");
    let fetching: Vec<&Value> = fetching.collect();
    assert_eq!(fetching.len(), 1, "{webhooks}");
    let kept = || get(&sandbox, &format!("/v1/webhooks/{}/events/pending", id(fetching[0])));
    // What happens while it is not there waits at Creem.
    let (one, other) = (begin(&mut ann, &product), begin(&mut ann, &product));
    let second = paid(&shop, &one);
    shop.program.kill();
    let third = paid(&shop, &other);
    post(&sandbox, "/v1/refunds", &json!({ "transaction_id": first }));
    let waiting = kept();
    assert!(waiting["items"].as_array().unwrap().len() >= 2, "{waiting}");
    let caught =
        |env: &Env| -> Value { serde_json::from_str(&env.ok(&["catch-up", "--json"])).unwrap() };
    let told = caught(&shop.env);
    assert!(told["events"].as_u64() >= Some(2) && told["fresh"].as_u64() >= Some(2), "{told}");
    assert_eq!(kept()["items"], json!([]));
    assert_eq!(caught(&shop.env)["fresh"], 0);
    let shown = shop.env.ok(&["ledger", "show", "--json"]);
    for sold in [&first, &second, &third] {
        assert!(shown.contains(&format!("creem/{sold}")), "{shown}");
    }
    shop.env.ok(&["reconcile"]);
    // The shop works in what its ledger was given, once.
    shop.start_again();
    shop.has(540, 3);
    // Who begins later is told the money by transactions alone: what was paid, and how much of it went back.
    let late = env(Env::new());
    assert_eq!(caught(&late)["objects"].as_u64().map(|it| it >= 3), Some(true));
    let journal = late.ok(&["ledger", "journal", "--json"]);
    for sold in [&first, &second, &third] {
        assert!(journal.contains(&format!("creem/{sold}")), "{journal}");
    }
    assert!(journal.contains("refund"), "{journal}");
    let problems: Value =
        serde_json::from_str(&late.ok(&["ledger", "problems", "--json"])).unwrap();
    assert_eq!(problems["rows"], json!([]));
    assert_eq!(caught(&late)["fresh"], 0);
}
