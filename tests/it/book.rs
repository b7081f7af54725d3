//! The book behind the ledger's rows: what a listener heard, as its commands show it.

use crate::env::{Env, eventually};
use crate::http::Api;
use crate::shop::{Shop, completed};
use serde_json::{Value, json};

fn shown(env: &Env, command: &[&str]) -> Value {
    let all: Vec<&str> = ["ledger"].iter().chain(command).copied().chain(["--json"]).collect();
    serde_json::from_str(&env.ok(&all)).unwrap()
}

fn balance(env: &Env, account: &str, currency: &str) -> Option<i64> {
    let balances = shown(env, &["balance"]);
    let rows = balances["rows"].as_array().unwrap();
    let row = rows.iter().find(|it| it["account"] == account && it["currency"] == currency);
    row.map(|it| it["amount"].as_i64().unwrap())
}

/// A shop that heard of a payment without a session, captured in part, and of a session.
pub(crate) fn shop() -> Shop {
    let shop = Shop::open();
    let api = Api::new(shop.sandbox_port(), crate::env::KEY);
    let paid = api.make(
        "/v1/payment_intents",
        &[
            ("amount", "1000"),
            ("currency", "jpy"),
            ("confirm", "true"),
            ("capture_method", "manual"),
            ("payment_method", "pm_card_visa"),
            ("automatic_payment_methods[enabled]", "true"),
            ("automatic_payment_methods[allow_redirects]", "never"),
        ],
    );
    let id = paid["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/payment_intents/{id}/capture");
    api.make(&path, &[("amount_to_capture", "400")]);
    assert_eq!(shop.deliver(&completed("evt_session", "cs_1", 123_456)).status, 200);
    eventually("the payment is booked", || {
        balance(&shop.env, "revenue", "jpy").filter(|sum| *sum == -123_856)
    });
    shop
}

#[test]
fn a_payment_without_a_session_is_booked_as_what_was_captured() {
    let shop = shop();
    let env = &shop.env;
    assert_eq!(balance(env, "receivable", "jpy"), Some(123_856));
    let verified = shown(env, &["verify"]);
    assert_eq!((&verified["ok"], &verified["rows"]), (&json!(true), &json!([])));
    let before = env.ok(&["ledger", "export"]);
    let rows = env.ok(&["ledger", "show", "--json"]);
    assert_eq!(shown(env, &["rebuild"])["ok"], json!(true));
    assert_eq!(env.ok(&["ledger", "export"]), before);
    assert_eq!(env.ok(&["ledger", "show", "--json"]), rows);
    // Opened a second time under the same name it would be somebody else's file.
    env.ok(&["ledger", "export", "--format", "sqlite", "--output", "copy.db"]);
    assert_ne!(env.run(&["ledger", "export", "--format", "sqlite", "--output", "copy.db"]).code, 0);
}

#[test]
fn a_row_that_somebody_changed_is_named() {
    let shop = shop();
    let path = shop.env.path().join(".stripegym/ledger.db");
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute("UPDATE events SET body = X'7B7D' WHERE id = 'evt_session'", []).unwrap();
    let ran = shop.env.run(&["ledger", "verify", "--json"]);
    assert_eq!(ran.code, 1);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    let row = json!({"table": "events", "row": "evt_session", "deviation": "changed"});
    assert_eq!(said["rows"], json!([row]));
}

#[test]
fn an_event_of_the_other_mode_is_answered_and_kept_apart() {
    let shop = Shop::open();
    let live = String::from_utf8(completed("evt_live", "cs_live", 500)).unwrap();
    let live = live.replace("\"livemode\": false", "\"livemode\": true");
    assert_eq!(shop.deliver(live.as_bytes()).status, 200);
    let problems = shown(&shop.env, &["problems"]);
    let expected =
        json!({"name": "other_mode", "about": "evt_live", "text": "checkout.session.completed"});
    assert!(problems["rows"].as_array().unwrap().contains(&expected), "{problems}");
    assert_eq!(shop.counts().1, 0);
}

#[test]
fn tables_fit_a_terminal_whatever_the_amounts() {
    let shop = Shop::open();
    let odd = format!("=cs_{}", "x".repeat(90));
    shop.deliver(&completed("evt_1", &odd, 999_999_999_999_999));
    for command in ["accounts", "balance", "journal", "problems", "verify"] {
        for lang in ["en", "ja"] {
            let out = shop.env.ok(&["ledger", command, "--lang", lang]);
            for line in out.lines() {
                let wide: usize = line
                    .chars()
                    .map(|c| {
                        if u32::from(c) >= 0x1100 && c != '…' && !"─–".contains(c) {
                            2
                        } else {
                            1
                        }
                    })
                    .sum();
                assert!(wide <= 80, "{command}: {wide}: {line}");
            }
        }
    }
    let csv = shop.env.ok(&["ledger", "export", "--format", "csv"]);
    assert!(
        csv.starts_with("number,created,line,reason,object,takes_back,account,currency,amount")
    );
}
