//! The merchant's own application: accounts, buying, and what follows from it, over HTTP against the sandbox.

use crate::env::{eventually, rounds};
use crate::http::{self, Reply};
use crate::shop::{SECRET, now, signature};
use crate::shopper::{PASSWORD, Shop, Shopper, deliver, replayed};
use serde_json::json;
use std::collections::BTreeSet;
use std::thread;

#[test]
fn accounts_open_to_their_owners_and_to_nobody_else() {
    let shop = Shop::open();
    let mut ann = shop.shopper("ann");
    let account = ann.get("/account");
    assert!(account.status == 200 && account.text().contains("ann@example.com"));
    for (name, part) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert!(account.header(name).is_some_and(|it| it.contains(part)), "{name}");
    }
    let mut other = shop.browser();
    let sent_on = other.get("/account");
    assert_eq!((sent_on.status, sent_on.header("location")), (303, Some("/login?next=%2Faccount")));
    let set = sent_on.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    // An address without an account, and a wrong password: the same answer.
    let mut wrong = |email: &str| {
        let fields = [("email", email), ("password", "not the right one"), ("next", "/pricing")];
        let reply = other.submit("/login", &fields);
        (reply.status, reply.text().replace(email, ""))
    };
    let (known, unknown) = (wrong("ann@example.com"), wrong("eve@example.com"));
    assert_eq!(known.0, 401);
    let said = |text: &str| {
        text.split("role=\"alert\"").nth(1).unwrap().split("</p>").next().map(str::to_owned)
    };
    assert_eq!(said(&known.1), said(&unknown.1));
    let fields = [("email", "ann@example.com"), ("password", PASSWORD), ("next", "//evil.test/")];
    let entered = other.submit("/login", &fields);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/account")));
    // What the browser kept proves nothing once somebody has signed out.
    let mut kept = other.clone();
    assert_eq!(other.submit("/logout", &[]).status, 403, "that page is no form");
    let proof_page = other.get("/account").text();
    let proof =
        proof_page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(other.post("/logout", &[("csrf", proof)]).status, 303);
    assert_eq!(kept.get("/account").status, 303);
    // Nobody makes an account twice, and nobody learns that there is one by another sentence.
    let again = other.submit("/signup", &[("email", "ann@example.com"), ("password", PASSWORD)]);
    assert_eq!(again.status, 400);
    // The database has no token and no password.
    let dump = std::fs::read(shop.env.path().join(".stripegym/shop.db")).unwrap();
    let token = ann.token();
    let has = |part: &str| dump.windows(part.len()).any(|it| it == part.as_bytes());
    assert!(!has(token) && !has(PASSWORD));
}

#[test]
fn signing_in_is_tried_so_often_and_no_more() {
    Shop::on_each(|shop| {
        let _ann = shop.shopper("ann");
        let mut eve = shop.browser();
        let mut tries = |email: &str, password: &str| {
            eve.submit("/login", &[("email", email), ("password", password)])
        };
        for _ in 0..5 {
            assert_eq!(tries("ann@example.com", "guess guess").status, 401);
        }
        let refused = tries("ann@example.com", PASSWORD);
        assert_eq!(refused.status, 429, "also the right one waits");
        assert_eq!(tries("ben@example.com", "guess guess").status, 401, "others do not");
    });
}

#[test]
fn what_is_asked_wrongly_is_refused_as_what_it_is() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let mut nobody = shop.browser();
        let price = shop.price("shop_credits_small");
        let api = "/api/payment/checkout-session";
        let asked = json!({ "provider": "stripe", "stripePriceId": price });
        let refusal = |reply: Reply, status: u16| {
            assert_eq!(reply.status, status, "{}", reply.text());
            let body = reply.json();
            assert!(body["success"] == false && body["error"].is_string(), "{body}");
        };
        refusal(nobody.ask_json(api, &asked), 401);
        refusal(nobody.verify("cs_test_a1"), 401);
        for (body, status) in [
            (json!({ "provider": "stripe" }), 400),
            (json!({ "provider": "stripe", "stripePriceId": "price_unknown" }), 400),
            (json!({ "provider": "cash", "stripePriceId": price }), 400),
            (json!({ "provider": "creem", "creemProductId": "prod_1" }), 400),
            (json!({ "provider": "creem", "stripePriceId": price }), 400),
            (json!({ "provider": "stripe", "stripePriceId": price, "couponCode": "NOPE" }), 400),
            (
                json!({ "provider": "stripe", "stripePriceId": price, "couponCode": "x".repeat(200) }),
                400,
            ),
            (json!(["stripe"]), 400),
        ] {
            refusal(ann.ask_json(api, &body), status);
        }
        let json_kind = ("Content-Type", "application/json");
        refusal(ann.send("POST", api, &[json_kind], b"{\"provider\":"), 400);
        refusal(
            ann.send("POST", api, &[("Content-Type", "text/plain")], asked.to_string().as_bytes()),
            415,
        );
        let foreign = [json_kind, ("Origin", "http://evil.test")];
        refusal(ann.send("POST", api, &foreign, asked.to_string().as_bytes()), 403);
        refusal(ann.send("POST", api, &[json_kind], &vec![b' '; 70 * 1024]), 413);
        for session in ["", "pi_1", "cs_1/../x"] {
            refusal(ann.verify(session), 400);
        }
        refusal(ann.verify("cs_test_unknown"), 404);
        let open = ann.begin(&price);
        refusal(ann.verify(&open), 400);
        // Forms: without proof, with another's, too long, from another site.
        let buy = [("price", price.as_str())];
        assert_eq!(ann.post("/pricing", &buy).status, 403);
        assert_eq!(ann.post("/pricing", &[("csrf", "0".repeat(64).as_str()), buy[0]]).status, 403);
        let long = "x".repeat(70 * 1024);
        assert_eq!(ann.post("/pricing", &[("csrf", &long)]).status, 413);
        assert_eq!(
            nobody.submit("/pricing", &buy).status,
            403,
            "the form is shown to whoever is signed in"
        );
        assert_eq!(ann.get(api).status, 405);
        assert_eq!(ann.get("/nowhere").status, 404);
        let host = [("Host", "evil.test")];
        assert_eq!(ann.send("GET", "/pricing", &host, b"").status, 403);
        assert_eq!(ann.ask_json("/api/creem/webhook", &json!({})).status, 400, "it is not signed");
    });
}

#[test]
fn a_webhook_is_believed_only_as_it_was_signed() {
    Shop::on_each(|shop| {
        let path = "/api/stripe/webhook";
        let body = crate::shop::completed("evt_1", "cs_test_1", 500);
        let send = |signature: &str, body: &[u8]| {
            let headers = [("Stripe-Signature", signature)];
            http::send(shop.port, "POST", path, &headers, body).unwrap().status
        };
        assert_eq!(send(&signature("whsec_another", 0, &body), &body), 400);
        assert_eq!(send(&signature(SECRET, 600, &body), &body), 400);
        assert_eq!(send("t=1,v1=00", &body), 400);
        assert_eq!(send(&signature(SECRET, 0, &body), b"{}"), 400);
        assert_eq!(http::send(shop.port, "POST", path, &[], &body).unwrap().status, 400);
        let large = vec![b'x'; 2 * 1024 * 1024];
        assert_eq!(send(&signature(SECRET, 0, &large), &large), 413);
        assert_eq!((shop.number("SELECT COUNT(*) FROM applied"), shop.orders()), (0, 0));
        // A sale of the same account that was not made here is noted, and nobody's.
        assert_eq!(send(&signature(SECRET, 0, &body), &body), 200);
        assert_eq!((shop.number("SELECT COUNT(*) FROM applied"), shop.orders()), (1, 0));
        assert!(now() > 0);
    });
}

#[test]
fn a_purchase_is_one_order_whoever_comes_first() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let mut eve = shop.shopper("eve");
        let price = shop.price("shop_credits_small");
        let count = rounds(50, 200);
        let mut ids = BTreeSet::new();
        for _ in 0..count {
            let session = ann.begin(&price);
            shop.pay(&session);
            // The sandbox delivers while both pages are loaded.
            let found: Vec<Reply> = thread::scope(|scope| {
                let tabs = [ann.clone(), ann.clone()].map(|mut tab| {
                    let session = &session;
                    scope.spawn(move || tab.verify(session))
                });
                tabs.into_iter().map(|tab| tab.join().unwrap()).collect()
            });
            for reply in found {
                let order = reply.ok()["data"]["order"].clone();
                assert_eq!(order["status"], "succeeded", "{order}");
                assert_eq!(
                    (&order["amountTotal"], &order["currency"]),
                    (&"500".into(), &"JPY".into())
                );
                ids.insert(order["id"].as_str().unwrap().to_owned());
            }
            assert_eq!(eve.verify(&session).status, 403, "somebody else's");
        }
        let count = i64::try_from(count).unwrap();
        eventually("every event is worked in", || {
            let sql = "SELECT COUNT(*) FROM facts WHERE said LIKE '%\"fact\":\"sold\"%'";
            (shop.number(sql) >= count).then_some(())
        });
        assert_eq!(
            (i64::try_from(ids.len()).unwrap(), shop.orders(), shop.credits()),
            (count, count, count * 100)
        );
        // Replayed, also many times, nothing changes.
        let event = shop.event("checkout.session.completed");
        let port = shop.port;
        replayed(1_000, |_| assert_eq!(deliver(port, &event).status, 200));
        assert_eq!((shop.orders(), shop.credits()), (count, count * 100));
        let page = ann.get("/account").text();
        assert!(page.contains(&format!("data-credits=\"{}\"", count * 100)), "{page}");
        assert!(eve.get("/account").text().contains("data-credits=\"0\""));
    });
}

#[test]
fn the_page_that_a_buyer_lands_on_says_so_in_both_languages() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let price = shop.price("shop_credits_large");
        let page = ann.get("/pricing").text();
        let number =
            page.split("name=\"number\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = [("price", price.as_str()), ("number", number), ("code", "")];
        let begun = ann.submit("/pricing", &fields);
        assert_eq!(begun.status, 303, "{}", begun.text());
        assert!(begun.header("location").unwrap().contains("cs_test_"));
        // A double click begins one checkout.
        assert_eq!(ann.submit("/pricing", &fields).header("location"), begun.header("location"));
        let sessions = shop.sandbox.api.read("/v1/checkout/sessions");
        assert_eq!(sessions["data"].as_array().unwrap().len(), 1);
        let session = &sessions["data"][0];
        assert_eq!(session["client_reference_id"], session["metadata"]["userId"]);
        let id = session["id"].as_str().unwrap();
        shop.pay(id);
        let landed = format!("/payment/success?session_id={id}&provider=stripe");
        let english = ann.get(&landed).text();
        assert!(english.contains("Thank you") && english.contains("$29.00"), "{english}");
        assert_eq!(ann.verify(id).ok()["data"]["order"]["amountTotal"], "29.00");
        let language = [("Accept-Language", "ja")];
        let japanese = ann.send("GET", &landed, &language, b"").text();
        assert!(japanese.contains("lang=\"ja\"") && japanese.contains("お支払いが完了しました"));
        let mut nobody = shop.browser();
        let sent_on = nobody.get(&landed);
        assert_eq!(sent_on.status, 303);
        assert!(
            sent_on.header("location").unwrap().starts_with("/login?next=%2Fpayment%2Fsuccess")
        );
        assert_eq!(ann.get("/payment/success").header("location"), Some("/pricing"));
    });
}

#[test]
fn a_code_takes_off_what_it_says() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let price = shop.price("shop_credits_small");
        let api = &shop.sandbox.api;
        api.make("/v1/coupons", &[("id", "HALF"), ("percent_off", "50"), ("duration", "once")]);
        api.make("/v1/coupons", &[("id", "FREE"), ("percent_off", "100"), ("duration", "once")]);
        let form =
            [("promotion[type]", "coupon"), ("promotion[coupon]", "HALF"), ("code", "SPRING")];
        api.make("/v1/promotion_codes", &form);
        let mut total = |code: &str| {
            let asked = json!({ "provider": "stripe", "stripePriceId": price, "couponCode": code });
            let begun = ann.ask_json("/api/payment/checkout-session", &asked).ok();
            let id = begun["data"]["sessionId"].as_str().unwrap().to_owned();
            let session = api.read(&format!("/v1/checkout/sessions/{id}"));
            (session["amount_total"].as_i64().unwrap(), id)
        };
        assert_eq!((total("HALF").0, total("SPRING").0, total("").0), (250, 250, 500));
        let (amount, free) = total("FREE");
        assert_eq!(amount, 0);
        let form = [("payment_method", "pm_card_visa")];
        api.make(&format!("/v1/payment_pages/{free}/confirm"), &form);
        assert_eq!(ann.verify(&free).ok()["data"]["order"]["status"], "succeeded");
        assert_eq!(shop.credits(), 100);
    });
}

#[test]
fn money_that_goes_back_takes_its_credits_along() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let price = shop.price("shop_credits_small");
        let session = ann.begin(&price);
        shop.pay(&session);
        ann.verify(&session).ok();
        let api = &shop.sandbox.api;
        let paid = api.read(&format!("/v1/checkout/sessions/{session}"));
        let intent = paid["payment_intent"].as_str().unwrap();
        let has = |credits: i64| {
            eventually("the credits are right", || (shop.credits() == credits).then_some(()));
        };
        has(100);
        api.make("/v1/refunds", &[("payment_intent", intent), ("amount", "100")]);
        has(80);
        api.make("/v1/refunds", &[("payment_intent", intent)]);
        has(0);
        assert_eq!(ann.verify(&session).ok()["data"]["order"]["status"], "refunded");
        // A disputed payment is taken at once, and comes back where the dispute is won.
        let disputed = ann.begin(&price);
        shop.pay_with(&disputed, "tok_createDispute");
        ann.verify(&disputed).ok();
        let status = |wanted: &str| {
            eventually(wanted, || {
                let sql = "SELECT COUNT(*) FROM orders WHERE status = '{wanted}'";
                (shop.number(&sql.replace("{wanted}", wanted)) == 1).then_some(())
            });
        };
        status("disputed");
        has(0);
        let dispute = api.read("/v1/disputes")["data"][0]["id"].as_str().unwrap().to_owned();
        let evidence = [("evidence[uncategorized_text]", "winning_evidence"), ("submit", "true")];
        api.make(&format!("/v1/disputes/{dispute}"), &evidence);
        status("succeeded");
        has(100);
    });
}

#[test]
fn a_subscription_gives_credits_each_period_until_it_ends() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let price = shop.price("shop_monthly");
        let session = ann.begin(&price);
        shop.pay(&session);
        let verified = ann.verify(&session).ok();
        let subscription = &verified["data"]["subscription"];
        assert_eq!(subscription["status"], "active", "{verified}");
        assert!(subscription["currentPeriodEnd"].as_str().unwrap().ends_with('Z'), "{verified}");
        let id = subscription["id"].as_str().unwrap();
        let has = |credits: i64, orders: i64| {
            eventually("credits and orders are right", || {
                ((shop.credits(), shop.orders()) == (credits, orders)).then_some(())
            });
        };
        has(300, 1);
        let again = json!({ "provider": "stripe", "stripePriceId": price });
        let refused = ann.ask_json("/api/payment/checkout-session", &again);
        assert_eq!(refused.status, 409, "one has it already: {}", refused.text());
        shop.env.ok(&["clock", "advance", "32d"]);
        has(600, 2);
        shop.sandbox.api.delete(&format!("/v1/subscriptions/{id}")).ok();
        eventually("it has ended", || {
            let sql = "SELECT COUNT(*) FROM subscriptions WHERE status = 'canceled'";
            (shop.number(sql) == 1).then_some(())
        });
        has(600, 2);
        assert!(ann.get("/account").text().contains("Ended"));
        // The period that was paid last goes back, and with it its credits.
        let invoices = shop
            .sandbox
            .api
            .read(&format!("/v1/invoices?subscription={id}&limit=1&expand[]=data.payments"));
        let intent = &invoices["data"][0]["payments"]["data"][0]["payment"]["payment_intent"];
        let form = [("payment_intent", intent.as_str().unwrap())];
        shop.sandbox.api.make("/v1/refunds", &form);
        has(300, 2);
    });
}

#[test]
fn a_shop_that_was_killed_goes_on_where_it_was() {
    Shop::on_both(|mut shop| {
        let mut ann = shop.shopper("ann");
        let session = ann.begin(&shop.price("shop_credits_small"));
        shop.program.kill();
        shop.pay(&session);
        let event = shop.event("checkout.session.completed");
        let known = shop.sandbox.api.read("/v1/webhook_endpoints")["data"].clone();
        shop.start_again();
        // Whoever was signed in still is; the landing page and the event come late and in any order.
        assert_eq!(ann.verify(&session).ok()["data"]["order"]["status"], "succeeded");
        assert_eq!(shop.deliver(&event).status, 200);
        assert_eq!((shop.orders(), shop.credits()), (1, 100));
        assert_eq!(shop.program.interrupt(), 130);
        // It is the same endpoint with the same secret each time, and leads nowhere while there is no shop.
        let left = shop.sandbox.api.read("/v1/webhook_endpoints")["data"].clone();
        assert_eq!((left.as_array().unwrap().len(), &left[0]["id"]), (1, &known[0]["id"]));
        assert_ne!(left[0]["url"], known[0]["url"]);
        let session = ann_buys_while_closed(&mut shop, &mut ann);
        eventually("what was paid meanwhile is worked in", || (shop.orders() == 2).then_some(()));
        assert_eq!(ann.verify(&session).ok()["data"]["order"]["status"], "succeeded");
        let again = shop.sandbox.api.read("/v1/webhook_endpoints")["data"].clone();
        assert_eq!((&again[0]["id"], &again[0]["url"]), (&known[0]["id"], &known[0]["url"]));
    });
}

/// Opens the shop, begins to buy there, closes it, pays, and opens it again.
fn ann_buys_while_closed(shop: &mut Shop, ann: &mut Shopper) -> String {
    shop.start_again();
    let session = ann.begin(&shop.price("shop_credits_small"));
    assert_eq!(shop.program.interrupt(), 130);
    shop.pay(&session);
    shop.start_again();
    session
}

#[test]
fn what_another_process_heard_is_worked_in_at_the_next_start() {
    Shop::on_each(|mut shop| {
        let mut ann = shop.shopper("ann");
        let session = ann.begin(&shop.price("shop_credits_small"));
        shop.program.interrupt();
        let (mut listener, _) = crate::shop::listen_with(&shop.env, &shop.words(&[]));
        shop.pay(&session);
        listener.line_with("checkout.session.completed");
        listener.interrupt();
        shop.start_again();
        assert_eq!((shop.orders(), shop.credits()), (1, 100));
    });
}

#[test]
fn it_says_whether_a_delivery_would_be_taken() {
    let shop = Shop::open();
    let ready = || shop.browser().get("/readyz").status;
    assert_eq!(ready(), 200);
    for file in ["ledger.db", "shop.db"] {
        let path = shop.env.path().join(".stripegym").join(file);
        let held = rusqlite::Connection::open(path).unwrap();
        held.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        held.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(ready(), 503, "{file} is locked");
        held.execute_batch("ROLLBACK").unwrap();
        assert_eq!(ready(), 200, "{file} is free again");
    }
}
