//! The listener believes only what is signed, keeps what it believes once, and answers 200 only then.

use crate::env::{Env, eventually};
use crate::shop::{SECRET, Shop, completed, deliver, ledger, listen, signature};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use stripegym::parts::{Ledger, SigningSecret, fingerprint};

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

#[test]
fn the_journal_has_the_bytes_that_came_when_they_were_signed_and_by_which_secret() {
    let shop = Shop::open();
    // Blanks, escapes, a member twice, a number that no float holds: whoever writes it anew changes something.
    let text = String::from_utf8(completed("evt_bytes", "cs_test_bytes", 500)).unwrap();
    let odd = "\"note\" :\t\"\\u3042\\/é\", \"note\": 12345678901234567890.10, \"data\"";
    let body = text.replacen("\"data\"", odd, 1).into_bytes();
    let header = signature(SECRET, 7, &body);
    let reply = shop.send("POST", &[("Stripe-Signature", &header)], &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let kept = Ledger::open(&shop.env.path().join(".stripegym/ledger.db")).unwrap();
    assert_eq!(kept.event("evt_bytes").unwrap().unwrap().body, body);
    let sql = "SELECT via, signed, secret, received - signed FROM events WHERE id = 'evt_bytes'";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let (via, signed, secret, apart): (String, i64, String, i64) =
        ledger(&shop.env).query_row(sql, [], row).unwrap();
    assert_eq!(via, "webhook");
    assert!(header.contains(&format!("t={signed},")), "{header}");
    assert_eq!(secret, fingerprint(&SigningSecret::read(SECRET).unwrap()));
    assert!(apart >= 7, "{apart}");
}

#[test]
fn what_is_understood_by_nobody_is_told_on_its_line_and_listed() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (mut listener, port) = listen(&env);
    let text = String::from_utf8(completed("evt_odd", "cs_test_odd", 500)).unwrap();
    let odd = text.replace("\"amount_total\": 500", "\"amount_total\": \"500\"");
    assert_eq!(deliver(port, odd.as_bytes()).unwrap().status, 200);
    let line: Value = serde_json::from_str(&listener.line_with("evt_odd")).unwrap();
    assert_eq!(line["outcome"], "not_booked", "{line}");
    let told = line["reason"].as_str().unwrap();
    assert!(told.contains("amount_total"), "{told}");
    let listed: Value = serde_json::from_str(&env.ok(&["ledger", "problems", "--json"])).unwrap();
    let listed = listed["rows"].as_array().unwrap();
    assert!(listed.iter().any(|row| row["about"] == "evt_odd"), "{told}: {listed:?}");
    env.ok(&["ledger", "verify"]);
}

#[test]
fn a_delivery_that_is_half_here_when_the_listener_is_asked_to_end_is_kept_and_answered() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (mut listener, port) = listen(&env);
    let body = completed("evt_last", "cs_test_last", 500);
    let (begun, rest) = body.split_at(body.len() / 2);
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nStripe-Signature: {}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        signature(SECRET, 0, &body),
        body.len()
    );
    let mut sender = TcpStream::connect(("127.0.0.1", port)).unwrap();
    sender.write_all(&[head.as_bytes(), begun].concat()).unwrap();
    // One that came later was answered: the half one is being read.
    assert_eq!(deliver(port, &completed("evt_whole", "cs_whole", 500)).unwrap().status, 200);
    let pid = listener.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    eventually("nobody new is let in", || TcpStream::connect(("127.0.0.1", port)).err());
    sender.write_all(rest).unwrap();
    let mut answer = String::new();
    sender.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    listener.end();
    let sql = "SELECT count(*) FROM events WHERE id IN ('evt_last', 'evt_whole')";
    let kept: i64 = ledger(&env).query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2);
    env.ok(&["ledger", "verify"]);
}
