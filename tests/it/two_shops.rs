//! Two processes of the shop on one database, in a file and on a server: whoever comes first, a sale is one sale, and what
//! may be seen once is seen once.

use crate::cluster::Cluster;
use crate::env::{eventually, rounds};
use crate::http::{Api, Reply};
use crate::merchant_keys::{buy, call_status, return_path, show, upgrade};
use crate::shopper::{PASSWORD, Shop, Shopper, pay};
use crate::wire::{Commit, Wire};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What each of two browsers is answered at the same time.
fn at_once<T: Send>(two: [Shopper; 2], ask: impl Fn(&mut Shopper) -> T + Sync) -> Vec<T> {
    let ask = &ask;
    thread::scope(|scope| {
        let asked = two.map(|mut one| scope.spawn(move || ask(&mut one)));
        asked.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

#[test]
fn whoever_signs_in_at_one_is_signed_in_at_the_other_and_out_at_both() {
    Shop::on_both(|shop| {
        let other = shop.another();
        let ann = shop.shopper("ann");
        let mut there = other.goes_on(&ann);
        assert!(there.get("/account").text().contains("ann@example.com"));
        let page = there.get("/account").text();
        let proof = crate::shopper::hidden(&page, "csrf");
        assert_eq!(there.post("/logout", &[("csrf", &proof)]).status, 303);
        assert_eq!(shop.goes_on(&ann).get("/account").status, 303);
        // One account an address, wherever it is made.
        let form = [("email", "ann@example.com"), ("password", PASSWORD)];
        assert_eq!(other.browser().submit("/signup", &form).status, 400);
        assert_eq!(shop.number("SELECT count(*) FROM users"), 1);
    });
}

#[test]
fn a_purchase_is_one_order_whichever_process_hears_of_it_first() {
    Shop::on_both(|shop| {
        let other = shop.another();
        let mut ann = shop.shopper("ann");
        let eve = other.shopper("eve");
        let price = shop.price("shop_credits_small");
        let count = rounds(12, 100);
        let mut ids = BTreeSet::new();
        for _ in 0..count {
            let session = ann.begin(&price);
            // Both are told by webhook while the page that the buyer lands on is loaded from both.
            shop.pay(&session);
            let tabs = [ann.clone(), other.goes_on(&ann)];
            for reply in at_once(tabs, |tab| tab.verify(&session)) {
                let order = reply.ok()["data"]["order"].clone();
                assert_eq!(order["status"], "succeeded", "{order}");
                ids.insert(order["id"].as_str().unwrap().to_owned());
            }
            let strangers = [eve.clone(), shop.goes_on(&eve)];
            let refused = at_once(strangers, |eve| eve.verify(&session).status);
            assert_eq!(refused, [403, 403], "somebody else's");
            // The address is opened again, at both.
            let again = at_once([ann.clone(), other.goes_on(&ann)], |tab| tab.verify(&session));
            assert!(again.iter().all(|it| it.status == 200));
        }
        let count = i64::try_from(count).unwrap();
        let sold = "SELECT count(*) FROM applied";
        eventually("every event is worked in", || (shop.number(sold) >= count).then_some(()));
        let event = shop.event("checkout.session.completed");
        for one in [&shop, &other, &shop, &other] {
            assert_eq!(one.deliver(&event).status, 200);
        }
        shop.has(count * 100, count);
        assert_eq!(i64::try_from(ids.len()).unwrap(), count);
    });
}

#[test]
fn a_key_is_issued_once_and_shown_once_by_two_processes() {
    Shop::on_both(|shop| {
        let other = shop.another();
        for round in 0..rounds(6, 50) {
            let ann = shop.shopper(&format!("ann{round}"));
            let tabs = || [ann.clone(), other.goes_on(&ann)];
            // Two tabs begin: both go on with one page.
            let begun = at_once(tabs(), |tab| {
                let reply = tab.send_form("/upgrade", "/upgrade", &[]);
                reply.header("location").map(str::to_owned)
            });
            assert!(begun[0].is_some() && begun[0] == begun[1], "{begun:?}");
            let session = upgrade(&shop, &mut ann.clone());
            let back = return_path(&shop, &session);
            shop.pay(&session);
            let landed = at_once(tabs(), |tab: &mut Shopper| -> Reply { tab.get(&back) });
            assert!(landed.iter().all(|it| it.header("location") == Some("/thanks_upgrade")));
            let mut shown = at_once(tabs(), show);
            shown.sort();
            let [None, Some(key)] = &shown[..] else { panic!("{shown:?}") };
            assert_eq!([call_status(&shop, key), call_status(&other, key)], [200, 200]);
            let stranger = other.shopper(&format!("bob{round}"));
            let bobs = [stranger.clone(), shop.goes_on(&stranger)];
            assert_eq!(at_once(bobs, |bob| bob.get(&back).status), [404, 404]);
        }
        let keys = shop.number("SELECT count(*) FROM api_keys");
        assert_eq!(keys, shop.number("SELECT count(DISTINCT \"user\") FROM api_keys"));
        assert_eq!(keys, i64::try_from(rounds(6, 50)).unwrap());
        assert_eq!(shop.number("SELECT max(calls) FROM api_usage"), 2, "counted by both");
    });
}

#[test]
fn what_is_killed_in_one_process_goes_on_in_the_other() {
    Shop::on_both(|mut shop| {
        let other = shop.another();
        let mut ann = shop.shopper("ann");
        let session = ann.begin(&shop.price("shop_credits_small"));
        shop.program.kill();
        shop.pay(&session);
        let order = other.goes_on(&ann).verify(&session).ok()["data"]["order"].clone();
        assert_eq!(order["status"], "succeeded");
        other.has(100, 1);
    });
}

#[test]
fn the_shop_s_commands_show_what_a_server_has() {
    let Some(shop) = Shop::on_a_server() else { return };
    let mut ann = shop.shopper("ann");
    let session = ann.begin(&shop.price("shop_credits_small"));
    shop.pay(&session);
    shop.has(100, 1);
    let key = buy(&shop, &mut ann);
    let said = |words: &str| shop.says(&words.split(' ').collect::<Vec<_>>());
    assert!(said("order list --json").contains(&session));
    assert!(said("order show --json").contains("succeeded"));
    said("credit grant ann@example.com 50");
    assert!(said("credit show ann@example.com --json").contains("\"credits\": 150"));
    assert!(said("api-key list --json").contains("everything"));
    said("kv set notes one first");
    assert!(said("kv get notes one").contains("first"));
    assert!(said("kv list stripe_customer --json").contains("cus_"));
    said("api-key revoke 1");
    assert_eq!(call_status(&shop, &key), 401);
    // The journal of what was heard stands beside it, and the book is only added to.
    assert!(said("ledger show --json").contains(&session));
    let (server, _) = shop.server.as_ref().unwrap();
    for sql in ["UPDATE credits SET amount = 9", "DELETE FROM credits", "TRUNCATE credits"] {
        let tried = format!(
            "SET search_path = stripegym_shop; DO $x$ BEGIN {sql}; RAISE 'changed'; \
            EXCEPTION WHEN raise_exception THEN IF SQLERRM = 'changed' THEN RAISE; END IF; END $x$"
        );
        server.sql(&tried);
    }
    let dump =
        server.sql("SELECT password || token FROM stripegym_shop.users, stripegym_shop.sessions");
    assert!(!dump.contains(ann.token()) && !dump.contains(PASSWORD));
}

#[test]
fn a_shop_outlasts_its_server_and_its_line() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let wire = Wire::to(&cluster);
    let cluster = Rc::new(cluster);
    let shop = Shop::on_line(&cluster, &wire.url());
    let ann = shop.shopper("ann");
    // Idle connections are cut, and nobody notices.
    assert!(wire.cut() > 0);
    assert_eq!(shop.goes_on(&ann).get("/account").status, 200);
    let users = || shop.number("SELECT count(*) FROM users");
    let join = |name: &str| {
        let email = format!("{name}@example.com");
        let form = [("email", email.as_str()), ("password", PASSWORD)];
        shop.browser().submit("/signup", &form).status
    };
    // The answer to a commit is lost: the server is asked what became of it.
    wire.next(Commit::Unanswered);
    assert_eq!((join("ben"), wire.met(), users()), (303, 1, 2));
    wire.next(Commit::Kept);
    assert_eq!((join("eve"), wire.met(), users()), (503, 2, 2));
    assert_eq!((join("eve"), users()), (303, 3));
    // While there is no server an event is put off, and pages say so; then both go on.
    let mut tab = shop.goes_on(&ann);
    let session = tab.begin(&shop.price("shop_credits_small"));
    shop.pay(&session);
    shop.has(100, 1);
    let event = shop.event("checkout.session.completed");
    cluster.kill();
    let reply = shop.deliver(&event);
    assert_eq!((reply.status, reply.header("retry-after").is_some()), (503, true));
    assert_eq!(tab.get("/account").status, 503);
    cluster.up();
    eventually("it goes on", || (shop.deliver(&event).status == 200).then_some(()));
    assert_eq!(tab.verify(&session).status, 200);
    shop.has(100, 1);
}

/// What is answered in the end to who asks again for as long as they are put off.
fn at_last(what: &str, mut ask: impl FnMut() -> Reply) -> Reply {
    eventually(what, || {
        let reply = ask();
        assert!([200, 503].contains(&reply.status), "{what}: {}", reply.text());
        (reply.status == 200).then_some(reply)
    })
}

/// Buys so often, each time at the next of the processes; each session with the order that it was said to have become.
fn buy_on(
    tabs: &mut [Shopper; 2],
    api: &Api,
    price: &str,
    times: usize,
    sold: &AtomicUsize,
) -> Vec<(String, String)> {
    let one = |n: usize| {
        let (mut turns, text) =
            (n.., |value: &serde_json::Value| value.as_str().unwrap().to_owned());
        let mut tab = || turns.next().unwrap() % 2;
        let begun = at_last("a sale begins", || tabs[tab()].ask_for(price)).json();
        let session = text(&begun["data"]["sessionId"]);
        pay(api, &session);
        let order = at_last("it is confirmed", || tabs[tab()].verify(&session)).json();
        let order = &order["data"]["order"];
        assert_eq!(order["status"], "succeeded", "{order}");
        sold.fetch_add(1, Ordering::SeqCst);
        (session, text(&order["id"]))
    };
    (0..times).map(one).collect()
}

#[test]
fn a_primary_is_killed_while_two_shops_sell_and_its_standby_has_every_sale_once() {
    let Some(primary) = Cluster::start(&[]) else { return };
    let (standby, primary) = (primary.standby(), Rc::new(primary));
    let shop = Shop::on_line(&primary, &primary.url_with(&standby));
    let other = shop.another();
    let (price, each) = (shop.price("shop_credits_small"), rounds(6, 60));
    let people: Vec<Shopper> = (0..4).map(|n| shop.shopper(&format!("ann{n}"))).collect();
    let sold = AtomicUsize::new(0);
    let orders: Vec<(String, String)> = thread::scope(|scope| {
        let buyers = people.iter().enumerate().map(|(n, ann)| {
            let mut tabs = [shop.goes_on(ann), other.goes_on(ann)];
            tabs.rotate_left(n % 2);
            let (api, price, sold) = (shop.sandbox.api.clone(), &price, &sold);
            scope.spawn(move || buy_on(&mut tabs, &api, price, each, sold))
        });
        let buyers: Vec<_> = buyers.collect();
        eventually("sales go on", || (sold.load(Ordering::SeqCst) > each).then_some(()));
        primary.kill();
        standby.promote();
        buyers.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert!(orders.len() == 4 * each, "each of them, by processes that nobody started again");
    let asked = |sql: &str| standby.sql(&format!("SET search_path = stripegym_shop; {sql}"));
    let kept: BTreeSet<String> =
        asked("SELECT sale || ' ' || id FROM orders").lines().map(str::to_owned).collect();
    let said = orders.iter().map(|(session, order)| format!("{session} {order}")).collect();
    assert_eq!(kept, said, "every order that was confirmed, once, and no other");
    let booked = "SELECT count(*), sum(amount), count(DISTINCT sale) FROM credits";
    let count = orders.len();
    assert_eq!(asked(booked), format!("{count}|{}|{count}", count * 100));
    // So is every event that either of them acknowledged; what was put off may be sent again meanwhile.
    let api = &shop.sandbox.api;
    let events = api.read("/v1/events?type=checkout.session.completed&limit=100");
    let ids = events["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap());
    let was_taken = |id: &&str| {
        let told = api.read(&format!("/_stripegym/deliveries?event={id}&status=succeeded"));
        !told["data"].as_array().unwrap().is_empty()
    };
    let taken: BTreeSet<&str> = ids.filter(was_taken).collect();
    let there = asked("SELECT event FROM applied JOIN stripegym.events ON id = event");
    let there: BTreeSet<&str> = there.lines().collect();
    let lost: Vec<_> = taken.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?} were acknowledged and are not there");
    for process in [&shop, &other] {
        assert!(people.iter().all(|ann| process.goes_on(ann).get("/account").status == 200));
    }
    shop.says(&["ledger", "verify"]);
}
