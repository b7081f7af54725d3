//! The cases of `fuzz/`, with random input: bytes as they come, and what is right with parts changed, doubled, moved
//! and taken out. Long runs go many times as far; a find is printed with the bytes that made it.

use crate::env::rounds;
use crate::fuzz_cases as cases;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// What is right, to begin with.
const HEADERS: &[&str] =
    &["t=1800000000,v1=00ff,v0=aa", "t=,v1=", "t=1800000000,v1=", " t = 1 , v1 = é"];
const EVENTS: &[&str] = &[
    r#"{"id":"evt_1","object":"event","type":"charge.succeeded","created":5,"livemode":false,"data":{"object":{"id":"ch_1","object":"charge","amount":500,"amount_captured":500,"captured":true,"currency":"jpy","status":"succeeded","payment_intent":"pi_1","balance_transaction":{"id":"txn_1","object":"balance_transaction","amount":500,"fee":18,"net":482,"currency":"jpy","reporting_category":"charge","exchange_rate":null}}}}"#,
    r#"{"id":"evt_2","object":"event","type":"checkout.session.completed","created":5,"livemode":false,"data":{"object":{"id":"cs_1","object":"checkout.session","amount_total":500,"currency":"jpy","created":4,"mode":"payment","payment_status":"paid","payment_intent":"pi_1"}}}"#,
    r#"{"id":"evt_3","object":"event","type":"refund.created","created":9223372036854775807,"livemode":true,"data":{"object":{"id":"re_1","object":"refund","amount":-9223372036854775808,"currency":"usd","charge":"ch_1","payment_intent":null,"status":"pending"}}}"#,
    r#"[{"session":"cs_1","amount":1,"currency":"jpy","status":"paid","created":1,"updated":2,"payment_intent":null,"event":null},{"fetched":{"id":"po_1","object":"payout","amount":1,"currency":"jpy"},"at":5}]"#,
];
const TABLES: &[&str] = &[
    "id,payment_intent,amount,currency,status,amount_refunded,fee,created\nch_1,pi_1,500,jpy,succeeded,0,18,1800000000\n",
    "sep=;\r\nid;Amount;Currency;Created (UTC)\r\nch_1;\"1.234,56\";eur;2026-01-05 10:00:00\r\n",
    "balance_transaction_id,created,reporting_category,currency,gross,fee,net,payout_id\ntxn_1,2026-01-05,charge,usd,10.00,0.59,9.41,po_1\n",
    "みどり銀行\n日付,お預り金額,注文番号\n2026/1/5,￥１，２００,A-7\n",
];
const FORMS: &[&str] = &[
    "a[b][0][c]=1&a[b][1][c]=2&d[]=3&d[]=4&e=",
    "metadata[order]=1&expand[]=data.x&a%5Bb%5D=%E3%81%82",
    "{\"a\":[{\"b\":null}],\"c\":{\"d\":true}}",
];
const QUERIES: &[&str] = &[
    "email:'a@b.c' AND metadata['k']:'v'",
    "-name~'tea' OR created>=100",
    "name:null",
    "metadata[\"é\"]:'it\\'s'",
];

/// One thing that is done to bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    // What separates, opens, closes and signs, and what is at the edge of a range.
    let telling = prop::sample::select(vec![
        "'",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        "=",
        "&",
        ",",
        ";",
        "\n",
        "\r",
        "\t",
        "%",
        "+",
        "-",
        "0",
        "9223372036854775807",
        "1e400",
        "null",
        "\u{FEFF}",
        "\u{0}",
        "é",
        "￥",
        " AND ",
        " OR ",
    ]);
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (place(), 1..40_usize).prop_map(|(at, many)| Change::Remove(at, many)),
        (place(), 1..40_usize).prop_map(|(at, many)| Change::Repeat(at, many)),
        (place(), telling).prop_map(|(at, text)| Change::Insert(at, text.as_bytes().to_vec())),
        (place(), prop::collection::vec(any::<u8>(), 0..8))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let place = |at: &prop::sample::Index| at.index(bytes.len() + 1);
        match change {
            Change::Set(at, byte) => {
                let at = place(at);
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = *byte;
                }
            }
            Change::Remove(at, many) => {
                let at = place(at);
                let end = (at + many).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Repeat(at, many) => {
                let at = place(at);
                let part = bytes[at..(at + many).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Change::Insert(at, part) => {
                let at = place(at);
                bytes.splice(at..at, part.iter().copied());
            }
        }
    }
    bytes
}

fn hold(right: &'static [&'static str], case: fn(&[u8])) {
    let cases = u32::try_from(rounds(256, 100_000)).unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let near = (prop::sample::select(right), prop::collection::vec(change(), 0..6))
        .prop_map(|(text, changes)| changed(text.as_bytes(), &changes));
    let any = prop_oneof![4 => near, 1 => prop::collection::vec(any::<u8>(), 0..200)];
    TestRunner::new(config)
        .run(&any, |bytes| {
            case(&bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn signature_headers() {
    hold(HEADERS, cases::signature_header);
}

#[test]
fn event_bodies() {
    hold(EVENTS, cases::event_body);
}

#[test]
fn tables_that_are_imported() {
    hold(TABLES, cases::csv_import);
}

#[test]
fn forms() {
    hold(FORMS, cases::form);
}

#[test]
fn search_queries() {
    hold(QUERIES, cases::search);
}
