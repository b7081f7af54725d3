//! Keys of an API that are sold by subscription: bought, shown once, counted, revoked; by whoever comes first.

use crate::env::eventually;
use crate::http::{Reply, send};
use crate::shopper::{Shop, Shopper, within};
use serde_json::json;
use std::thread;

/// Starts an upgrade; the session of the hosted page.
pub(crate) fn upgrade(shop: &Shop, shopper: &mut Shopper) -> String {
    let reply = shopper.send_form("/upgrade", "/upgrade", &[]);
    assert_eq!(reply.status, 303, "{}", reply.text());
    let url = reply.header("location").unwrap().to_owned();
    let all = shop.sandbox.api.read("/v1/checkout/sessions?limit=100");
    let found = all["data"].as_array().unwrap().iter().find(|it| it["url"] == url.as_str());
    found.unwrap_or_else(|| panic!("{url}: {all}"))["id"].as_str().unwrap().to_owned()
}

/// The address that a buyer comes back to.
pub(crate) fn return_path(shop: &Shop, session: &str) -> String {
    let url = shop.session(session)["success_url"].as_str().unwrap().to_owned();
    within(&url.replace("{CHECKOUT_SESSION_ID}", session))
}

/// Buys a key to the end and has it shown.
pub(crate) fn buy(shop: &Shop, shopper: &mut Shopper) -> String {
    let session = upgrade(shop, shopper);
    shop.pay(&session);
    let landed = shopper.get(&return_path(shop, &session));
    assert_eq!(landed.header("location"), Some("/thanks_upgrade"), "{}", landed.text());
    show(shopper).unwrap()
}

/// Has the key shown; `None` where that was done already.
pub(crate) fn show(shopper: &mut Shopper) -> Option<String> {
    let page = shopper.get("/thanks_upgrade").text();
    if !page.contains("id=\"show\"") {
        return None;
    }
    key_of(&shopper.send_form("/thanks_upgrade", "/thanks_upgrade", &[]))
}

fn key_of(reply: &Reply) -> Option<String> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text();
    let rest = text.split("<code id=\"key\">").nth(1)?;
    Some(rest.split('<').next().unwrap().to_owned())
}

fn call(shop: &Shop, path: &str, key: &str) -> Reply {
    let authorization = format!("Bearer {key}");
    send(shop.port, "GET", path, &[("Authorization", &authorization)], b"").unwrap()
}

pub(crate) fn call_status(shop: &Shop, key: &str) -> u16 {
    call(shop, "/api/v1/era?date=2026-11-28", key).status
}

#[test]
fn a_key_is_bought_by_the_price_s_name_shown_once_and_opens_the_api() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let page = ann.get("/upgrade").text();
        assert!(page.contains("¥980") && page.contains("100,000"), "{page}");
        let session = upgrade(&shop, &mut ann);
        let shown = shop.session(&session);
        assert_eq!((&shown["mode"], &shown["amount_total"]), (&json!("subscription"), &json!(980)));
        // A second tab goes on with the page of the first.
        assert_eq!(upgrade(&shop, &mut ann), session);
        let cancelled = ann.get(&within(shown["cancel_url"].as_str().unwrap()));
        assert!(cancelled.text().contains("Nothing was paid"), "{}", cancelled.text());
        // Come back without having paid.
        let back = return_path(&shop, &session);
        ann.get(&back);
        assert!(ann.get("/thanks_upgrade").text().contains("on its way"));
        shop.pay(&session);
        let landed = ann.get(&back);
        assert_eq!(landed.status, 303);
        let page = ann.follow(&landed).text();
        assert!(page.contains("Thank you") && !page.contains("id=\"key\""), "{page}");
        let key = show(&mut ann).unwrap();
        assert!(key.starts_with("gymkey_"), "{key}");
        // Loaded again, sent again, opened from the address: nothing new, and the key is not shown.
        assert_eq!(ann.follow(&landed).text().matches(&key).count(), 0);
        assert_eq!(show(&mut ann), None);
        assert_eq!(key_of(&ann.send_form("/upgrade", "/thanks_upgrade", &[])), None);
        assert_eq!(ann.get(&back).header("location"), Some("/thanks_upgrade"));
        assert_eq!(
            ann.send_form("/upgrade", "/upgrade", &[]).header("location"),
            Some("/thanks_upgrade")
        );
        assert_eq!(shop.asked::<i64>("SELECT count(*) FROM api_keys"), 1);
        for column in ["hash", "hint"] {
            let kept: String = shop.asked(&format!("SELECT {column} FROM api_keys"));
            assert!(!kept.contains(&key), "only a digest of the key is kept");
        }
        let answer = call(&shop, "/api/v1/era?date=2026-11-28", &key).ok();
        assert_eq!(answer["written"], "令和8年");
        let page = ann.get("/upgrade").text();
        assert!(page.contains("data-calls=\"1\"") && page.contains(&key[..13]), "{page}");
        // What is replaced opens nothing any more.
        let replaced = ann.send_form("/upgrade", "/upgrade/replace", &[]);
        assert_eq!(replaced.status, 303);
        assert_eq!(call_status(&shop, &key), 401);
        let next = show(&mut ann).unwrap();
        assert_eq!(call_status(&shop, &next), 200);
        assert_eq!(
            call(&shop, "/api/v1/usage", &next).ok()["calls"],
            2,
            "a new key brings no new calls"
        );
    });
}

#[test]
fn a_return_is_only_its_buyers() {
    Shop::on_both(|shop| {
        let (mut ann, mut bob) = (shop.shopper("ann"), shop.shopper("bob"));
        let session = upgrade(&shop, &mut ann);
        let back = return_path(&shop, &session);
        let bobs = upgrade(&shop, &mut bob);
        shop.pay(&session);
        // Shared, guessed, mixed: what is not hers issues nothing, whoever asks.
        assert_eq!(bob.get(&back).status, 404);
        let mixed = back.replace(&session, &bobs);
        assert_eq!((ann.get(&mixed).status, bob.get(&mixed).status), (404, 404));
        let guessed = format!("/create-api-key?session_id={session}&key={}", "0".repeat(64));
        assert_eq!(ann.get(&guessed).status, 404);
        assert_eq!(ann.get("/create-api-key").status, 404);
        let mut nobody = shop.browser();
        let sent = nobody.get(&back);
        assert!(sent.header("location").unwrap().starts_with("/login?next="), "{sent:?}");
        assert!(bob.get("/upgrade").text().contains("id=\"upgrade\""), "nothing was sold to him");
        assert_eq!(ann.get(&back).header("location"), Some("/thanks_upgrade"));
        // No form of another page, and none without an account.
        assert_eq!(ann.post("/upgrade", &[]).status, 403);
        assert_eq!(ann.post("/thanks_upgrade", &[("csrf", "0")]).status, 403);
        assert_eq!(ann.post("/upgrade/portal", &[]).status, 403);
        assert_eq!(nobody.post("/upgrade", &[]).status, 403);
    });
}

#[test]
fn webhook_and_landing_page_at_once_issue_one_key_fifty_times() {
    Shop::on_each(|shop| {
        for round in 0..50 {
            let mut buyer = shop.shopper(&format!("buyer{round}"));
            let session = upgrade(&shop, &mut buyer);
            let back = return_path(&shop, &session);
            // The webhook is on its way when the hosted page says that it is paid; two tabs come back meanwhile.
            shop.pay(&session);
            let tabs: Vec<_> = (0..2)
                .map(|_| {
                    let (mut tab, back) = (buyer.clone(), back.clone());
                    // Who is put off, as on a machine that is busy with more than this, loads the page again.
                    thread::spawn(move || {
                        eventually("the page is answered", || {
                            Some(tab.get(&back).status).filter(|status| *status != 503)
                        })
                    })
                })
                .collect();
            assert!(tabs.into_iter().all(|tab| tab.join().unwrap() == 303));
        }
        let issued = "SELECT count(*) FROM api_keys";
        assert_eq!(shop.asked::<i64>(issued), 50);
        // Also when every webhook has come.
        let paid = shop.sandbox.api.read("/v1/events?type=customer.subscription.updated&limit=100");
        let paid: Vec<_> =
            paid["data"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
        assert!(paid.len() >= 50, "{}", paid.len());
        eventually("every event is worked in", || {
            let list: Vec<_> = paid.iter().map(|id| id.to_string().replace('"', "'")).collect();
            let sql = format!("SELECT count(*) FROM applied WHERE event IN ({})", list.join(","));
            (shop.asked::<i64>(&sql) == i64::try_from(paid.len()).unwrap()).then_some(())
        });
        assert_eq!(shop.asked::<i64>(issued), 50);
        assert_eq!(shop.asked::<i64>("SELECT count(DISTINCT \"user\") FROM api_keys"), 50);
    });
}

#[test]
fn who_never_comes_back_has_a_key_all_the_same() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let session = upgrade(&shop, &mut ann);
        shop.pay(&session);
        eventually("the webhook issues the key", || {
            (shop.asked::<i64>("SELECT count(*) FROM api_keys") == 1).then_some(())
        });
        let key = show(&mut ann).unwrap();
        assert_eq!(call_status(&shop, &key), 200);
    });
}

#[test]
fn the_api_wants_a_key_and_counts_to_the_quota() {
    Shop::on_each(|shop| {
        let mut ann = shop.shopper("ann");
        let key = buy(&shop, &mut ann);
        let refused = send(shop.port, "GET", "/api/v1/era?date=2026-11-28", &[], b"").unwrap();
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
        assert_eq!(refused.json()["error"]["type"], "unauthorized");
        let last = if key.ends_with('0') { "1" } else { "0" };
        for wrong in
            ["", "gymkey_", "sk_test_123456789012", &format!("{}{last}", &key[..key.len() - 1])]
        {
            assert_eq!(call_status(&shop, wrong), 401, "{wrong}");
        }
        assert_eq!(
            call(&shop, "/api/v1/era?date=2026-02-30", &key).error(400)["type"],
            "invalid_request"
        );
        let month: String = shop.asked("SELECT month FROM api_usage");
        shop.change("UPDATE api_usage SET calls = 99999");
        let last = call(&shop, "/api/v1/era?date=2019-05-01", &key);
        assert_eq!((last.status, last.header("ratelimit-remaining")), (200, Some("0")));
        assert_eq!(last.json()["written"], "令和元年");
        let spent = call(&shop, "/api/v1/era?date=2019-05-01", &key);
        let error = spent.error(429);
        assert_eq!((&error["type"], &error["limit"]), (&json!("quota_exceeded"), &json!(100_000)));
        assert!(spent.header("retry-after").unwrap().parse::<i64>().unwrap() > 0);
        // What is left can be asked for all the same, and a new month begins with none counted.
        let usage = call(&shop, "/api/v1/usage", &key).ok();
        assert_eq!((&usage["calls"], &usage["month"]), (&json!(100_000), &json!(month)));
        shop.change("UPDATE api_usage SET month = '2000-01'");
        assert_eq!(call_status(&shop, &key), 200);
    });
}

#[test]
fn a_key_ends_with_the_period_that_was_paid_and_another_can_be_bought() {
    Shop::on_both(|shop| {
        let mut ann = shop.shopper("ann");
        let key = buy(&shop, &mut ann);
        let subscription: String = shop.asked("SELECT subscription FROM api_keys");
        let path = format!("/v1/subscriptions/{subscription}");
        shop.sandbox.api.make(&path, &[("cancel_at_period_end", "true")]);
        eventually("the shop hears that it ends", || {
            ann.get("/upgrade").text().contains("ends on").then_some(())
        });
        assert_eq!(call_status(&shop, &key), 200, "paid is paid");
        shop.sandbox.api.make(&path, &[("cancel_at_period_end", "false")]);
        eventually("the shop hears that it does not end", || {
            (!ann.get("/upgrade").text().contains("ends on")).then_some(())
        });
        shop.sandbox.api.delete(&path);
        eventually("the key opens nothing", || (call_status(&shop, &key) == 401).then_some(()));
        assert!(ann.get("/upgrade").text().contains("id=\"upgrade\""));
        let next = buy(&shop, &mut ann);
        assert_eq!((call_status(&shop, &next), call_status(&shop, &key)), (200, 401));
        let customers = "SELECT count(DISTINCT customer) FROM subscriptions";
        assert_eq!(shop.asked::<i64>(customers), 1, "who buys again is the same customer");
    });
}
