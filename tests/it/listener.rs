//! The listener believes only what is signed, keeps what it believes once, and answers 200 only then.

use crate::shop::{SECRET, Shop, completed, deliver, signature};
use std::sync::Barrier;
use std::thread;

#[test]
fn the_same_event_three_times_is_one_row() {
    let shop = Shop::open();
    let body = completed("evt_one", "cs_test_one", 500);
    for _ in 0..3 {
        assert_eq!(shop.deliver(&body).status, 200);
    }
    assert_eq!(shop.counts(), (1, 1));
}

#[test]
fn two_events_about_one_fact_are_one_row() {
    let shop = Shop::open();
    assert_eq!(shop.deliver(&completed("evt_a", "cs_test_one", 500)).status, 200);
    assert_eq!(shop.deliver(&completed("evt_b", "cs_test_one", 500)).status, 200);
    assert_eq!(shop.counts(), (2, 1));
}

#[test]
fn twenty_deliveries_at_once_leave_one_row() {
    let shop = Shop::open();
    let body = completed("evt_same", "cs_test_same", 500);
    let start = Barrier::new(20);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(deliver(shop.port, &body).unwrap().status, 200);
            });
        }
    });
    assert_eq!(shop.counts(), (1, 1));
}

#[test]
fn what_is_not_proven_is_refused_and_changes_nothing() {
    let shop = Shop::open();
    let body = completed("evt_bad", "cs_test_bad", 500);
    let good = signature(SECRET, 0, &body);
    let tampered = String::from_utf8(body.clone()).unwrap().replace("500", "501").into_bytes();
    let v0 = good.replace("v1=", "v0=");
    let no_time = good.split_once(',').unwrap().1.to_owned();
    let other = signature("whsec_somebodyElse", 0, &body);
    let stale = signature(SECRET, 301, &body);
    let cut = good[..good.len() - 1].to_owned();
    let cases: [(&str, Option<&str>, &[u8]); 9] = [
        ("no header", None, &body),
        ("empty header", Some(""), &body),
        ("nonsense", Some("nonsense"), &body),
        ("forged", Some(&other), &body),
        ("tampered", Some(&good), &tampered),
        ("stale", Some(&stale), &body),
        ("v0 only", Some(&v0), &body),
        ("no time", Some(&no_time), &body),
        ("cut", Some(&cut), &body),
    ];
    for (name, header, body) in cases {
        let headers: Vec<_> = header.iter().map(|value| ("Stripe-Signature", *value)).collect();
        let reply = shop.send("POST", &headers, body);
        assert!((400..500).contains(&reply.status), "{name}: {} {}", reply.status, reply.text());
        assert!(!reply.text().contains(SECRET), "{name}");
    }
    assert_eq!(shop.counts(), (0, 0));
}

#[test]
fn a_signed_body_that_is_no_event_is_refused() {
    let shop = Shop::open();
    let broken = completed("evt_cut", "cs_test_cut", 500);
    let bodies: [&[u8]; 4] = [b"", b"{", &broken[..broken.len() / 2], b"[1, 2, 3]"];
    for body in bodies {
        let reply = shop.deliver(body);
        assert!((400..500).contains(&reply.status), "{}: {}", reply.status, reply.text());
    }
    assert_eq!(shop.counts(), (0, 0));
}

#[test]
fn two_mebibytes_are_too_much() {
    let shop = Shop::open();
    let mut body = completed("evt_big", "cs_test_big", 500);
    body.extend(std::iter::repeat_n(b' ', 2 * 1024 * 1024));
    let reply = shop.deliver(&body);
    assert!((400..500).contains(&reply.status), "{}", reply.status);
    assert_eq!(shop.counts(), (0, 0));
    assert_eq!(shop.deliver(&completed("evt_ok", "cs_test_ok", 500)).status, 200, "still serving");
}

#[test]
fn only_post_is_taken() {
    let shop = Shop::open();
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let body = completed("evt_m", "cs_test_m", 500);
        let signed = signature(SECRET, 0, &body);
        let reply = shop.send(method, &[("Stripe-Signature", &signed)], &body);
        assert_eq!(reply.status, 405, "{method}: {}", reply.text());
    }
    assert_eq!(shop.counts(), (0, 0));
}

#[test]
fn an_old_and_a_new_secret_are_both_believed_while_one_is_replaced() {
    let shop = Shop::open();
    let body = completed("evt_roll", "cs_test_roll", 500);
    let (old, new) = (signature("whsec_old", 0, &body), signature(SECRET, 0, &body));
    let header = format!("{old},{}", new.split_once(',').unwrap().1);
    assert_eq!(shop.send("POST", &[("Stripe-Signature", &header)], &body).status, 200);
    assert_eq!(shop.counts(), (1, 1));
}

#[test]
fn an_event_that_means_nothing_to_the_ledger_is_kept_and_acknowledged() {
    let shop = Shop::open();
    let text = String::from_utf8(completed("evt_x", "cs_test_x", 500)).unwrap();
    let body = text.replace("checkout.session.completed", "some.future.event");
    assert_eq!(shop.deliver(body.as_bytes()).status, 200);
    assert_eq!(shop.counts(), (1, 0));
}
