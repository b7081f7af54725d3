//! What is fuzzed: each takes any bytes, and what must hold of all of them is asserted here. Used by the targets of
//! cargo-fuzz beside it and, with random input, by `tests/it/fuzzed.rs`.
#![allow(dead_code, reason = "a target uses one of them")]

use std::io::Cursor;
use stripegym::parts::{
    Event, Index, Line, Map, Meaning, SigningSecret, Source, TOLERANCE_S, Timestamp, csv, form,
    search, sign, verify,
};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn secret() -> SigningSecret {
    SigningSecret::read("whsec_fuzzed").expect("a secret")
}

/// A header is believed where it is ours, and no other is, whatever it has.
pub fn signature_header(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let body: &[u8] = b"{}";
    assert!(verify(body, Some(&text), &[secret()], NOW, TOLERANCE_S).is_err(), "{text}");
    let own = sign(&secret(), NOW, body);
    // What else stands in it, of other schemes or none, takes nothing from it.
    let with = format!("{own},{text}");
    assert!(verify(body, Some(&with), &[secret()], NOW, TOLERANCE_S).is_ok(), "{with}");
    let mut changed = own.into_bytes();
    if let (Some(last), Some(byte)) = (changed.last_mut(), bytes.first()) {
        *last ^= 1 << (byte & 1);
        let changed = String::from_utf8_lossy(&changed);
        assert!(verify(body, Some(&changed), &[secret()], NOW, TOLERANCE_S).is_err(), "{changed}");
    }
}

/// Any body is an event or is refused with a reason, and means the same when it is read again from the ledger.
pub fn event_body(bytes: &[u8]) {
    match Event::stored(bytes) {
        Ok(event) => {
            assert_eq!(event.body, bytes);
            let line = Line::event(event, NOW, Source::Poll);
            assert_eq!(Meaning::again(&line.kind, false, &line.body), line.meaning);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // A line of any type is read again without harm.
    for kind in ["stripegym.seen", "charge.succeeded"] {
        drop(Meaning::again(kind, false, bytes));
    }
}

/// Any file gives rows or a reason, and the same each time; no amount is negative or has more than it may.
pub fn csv_import(bytes: &[u8]) {
    let read = || {
        let mut rows = Vec::new();
        let told = csv(Cursor::new(bytes.to_vec()), &Map::default(), &mut |row| {
            rows.push(row);
            Ok(())
        });
        (rows, told.map_err(|error| error.to_string()))
    };
    let (rows, told) = read();
    let (again, told_again) = read();
    assert_eq!((&rows, &told), (&again, &told_again));
    for row in &rows {
        let mut written = Vec::new();
        row.write(&mut written);
        assert_eq!(stripegym::parts::Row::read(&written).as_ref(), Some(row));
    }
}

/// Any body is decoded or refused; what was decoded is JSON that encodes to what decodes to the same.
pub fn form(bytes: &[u8]) {
    if let Ok(decoded) = form::decode(bytes) {
        let twice = form::decode(bytes).expect("it was decoded before");
        assert_eq!(decoded.tree, twice.tree);
    }
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        let text = form::encode(&value);
        assert!(text.is_ascii(), "{text}");
        drop(form::decode(text.as_bytes()));
    }
    let text = String::from_utf8_lossy(bytes);
    let escaped = form::escape(&text);
    let decoded = form::decode(format!("a={escaped}").as_bytes()).expect("one parameter");
    let found = decoded.tree.get("a").expect("it was sent");
    assert_eq!(found.text(), Some(&*text));
}

/// Any query is understood or refused in words that name it.
pub fn search(bytes: &[u8]) {
    const INDEX: Index = Index {
        kind: "customer",
        noun: "customers",
        fields: &["email", "name", "metadata", "created"],
    };
    let text = String::from_utf8_lossy(bytes);
    let read = search::read(&text, &INDEX);
    assert_eq!(read, search::read(&text, &INDEX));
    if read.is_ok() {
        // What was understood alone is understood beside another clause that is negated.
        let both = [format!("{text} AND -name:'x'"), format!("{text} OR -name:'x'")];
        assert!(both.iter().any(|it| search::read(it, &INDEX).is_ok()), "{text}");
    }
}
