//! What the sandbox's folder may hold when it starts, and what may be sent to it without filling memory or disk.

use crate::env::{Env, KEY, Sandbox};
use crate::http::{Api, send};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const NUMBER: &str = "4242424242424242";

/// What the API shows, without holding it to the shapes of today: what an older build wrote may lack members.
fn shown(sandbox: &Sandbox, path: &str) -> Value {
    let authorization = format!("Bearer {KEY}");
    let headers = [("Authorization", authorization.as_str())];
    send(sandbox.api.port, "GET", path, &headers, b"").unwrap().ok()
}

/// The sandbox's files in a folder whose bytes have this text.
fn having(folder: &Path, text: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let with = entries.filter(|entry| {
        let bytes = fs::read(entry.path()).unwrap();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    });
    with.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_of_the_build_before_is_carried_over_and_no_card_number_is_left_in_any_file() {
    let env = Env::new();
    let folder = env.path().join(".stripegym");
    fs::create_dir(&folder).unwrap();
    let made = env.path().join("made.db");
    let old = Connection::open(&made).unwrap();
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE objects (kind TEXT, id TEXT, seq INTEGER, doc TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
         CREATE TABLE requests (n INTEGER PRIMARY KEY, doc TEXT);
         PRAGMA user_version = 1;",
    )
    .unwrap();
    let add = |seq: i64, doc: Value| {
        let (kind, id) = (doc["object"].as_str().unwrap(), doc["id"].as_str().unwrap());
        let values = rusqlite::params![kind, id, seq, doc.to_string()];
        old.execute("INSERT INTO objects VALUES (?1, ?2, ?3, ?4)", values).unwrap();
    };
    for seq in 1..=300 {
        let id = format!("cus_{seq}");
        add(seq, json!({"object": "customer", "id": id, "name": id, "created": 1, "metadata": {}}));
    }
    old.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    for seq in 301..=400 {
        let id = format!("pm_{seq}");
        add(
            seq,
            json!({
                "object": "payment_method", "id": id, "type": "card", "customer": "cus_1", "created": 1,
                "card": {"last4": "4242"}, "_number": NUMBER, "_cvc": true,
            }),
        );
    }
    // As a killed build leaves them: the newest writes stand in the log.
    for suffix in ["", "-wal"] {
        fs::copy(
            env.path().join(format!("made.db{suffix}")),
            folder.join(format!("sandbox.db{suffix}")),
        )
        .unwrap();
    }
    assert!(!having(&folder, NUMBER).is_empty(), "there was something to remove");
    let mut sandbox = env.sandbox(&[]);
    let after = |sandbox: &Sandbox| {
        for seq in [1, 150, 300] {
            let customer = shown(sandbox, &format!("/v1/customers/cus_{seq}"));
            assert_eq!(customer["name"], format!("cus_{seq}"));
        }
        let listed = shown(sandbox, "/v1/customers?limit=100");
        assert_eq!(
            (listed["data"].as_array().unwrap().len(), &listed["has_more"]),
            (100, &json!(true))
        );
        for seq in [301, 400] {
            let method = shown(sandbox, &format!("/v1/payment_methods/pm_{seq}"));
            assert_eq!((&method["card"]["last4"], method.get("_number")), (&json!("4242"), None));
        }
        assert_eq!(having(&folder, NUMBER), Vec::<String>::new());
    };
    after(&sandbox);
    sandbox.api.make("/v1/customers", &[("name", "new")]);
    sandbox.program.kill();
    after(&env.sandbox(&[]));
}

#[test]
fn a_card_that_was_typed_into_a_page_is_in_no_file_afterwards() {
    let env = Env::new();
    let mut sandbox = env.sandbox(&[]);
    let paid = ["checkout", "--amount", "500", "--currency", "jpy", "--pay", NUMBER];
    env.ok(&paid);
    let declined = "4000000000000002";
    let refused = env.run(&["checkout", "--amount", "500", "--currency", "jpy", "--pay", declined]);
    assert_ne!(refused.code, 0, "{}", refused.out);
    let token = [("type", "card"), ("card[token]", "tok_visa")];
    sandbox.api.make("/v1/payment_methods", &token);
    let raw = [("type", "card"), ("card[number]", NUMBER)];
    sandbox.api.post("/v1/payment_methods", &raw).error(400);
    let folder = env.path().join(".stripegym");
    for number in [NUMBER, declined] {
        assert_eq!(having(&folder, number), Vec::<String>::new(), "while it runs");
    }
    sandbox.program.interrupt();
    for number in [NUMBER, declined] {
        assert_eq!(having(&folder, number), Vec::<String>::new(), "afterwards");
    }
}

#[test]
fn a_newer_or_a_damaged_file_is_refused_in_words_and_stays_as_it_is() {
    for (newer, word) in [(true, "newer stripegym"), (false, "not a database")] {
        let env = Env::new();
        let folder = env.path().join(".stripegym");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("sandbox.db");
        if newer {
            let file = Connection::open(&path).unwrap();
            file.execute_batch("CREATE TABLE later (x); PRAGMA user_version = 99").unwrap();
        } else {
            fs::write(&path, "something else ".repeat(500)).unwrap();
        }
        let bytes = fs::read(&path).unwrap();
        let ran = env.run(&["sandbox", "--port", "0"]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains(word) && ran.err.contains("reset sandbox"), "{}", ran.err);
        assert_eq!(fs::read(&path).unwrap(), bytes, "{word}: not a byte was touched");
    }
}

/// The memory that a sandbox has now, in kilobytes.
#[cfg(target_os = "linux")]
fn resident(sandbox: &Sandbox) -> usize {
    let path = format!("/proc/{}/status", sandbox.program.pid());
    let status = fs::read_to_string(path).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_customer_with_its_event_takes_few_kilobytes_also_after_a_restart() {
    const MADE: usize = 2_000;
    let env = Env::new();
    let mut sandbox = env.sandbox(&[]);
    let make = |sandbox: &Sandbox, count: usize| {
        for at in 0..count {
            let name = format!("Aki {at}");
            sandbox.api.make("/v1/customers", &[("name", &name), ("email", "a@example.com")]);
        }
    };
    make(&sandbox, 50);
    let before = resident(&sandbox);
    make(&sandbox, MADE);
    let each = resident(&sandbox).saturating_sub(before) * 1_024 / MADE;
    assert!(each < 6_000, "{each} bytes for each");
    assert_eq!(sandbox.program.interrupt(), 130);
    let sandbox = env.sandbox(&[]);
    let each = resident(&sandbox).saturating_sub(before) * 1_024 / MADE;
    assert!(each < 6_000, "{each} bytes for each after a restart");
    let found = sandbox.api.read("/v1/customers?limit=100&email=a@example.com");
    assert_eq!(found["data"].as_array().unwrap().len(), 100);
}

/// The bytes of everything in a folder.
fn stored(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.metadata().map_or(0, |about| about.len())).sum()
}

#[cfg(target_os = "linux")]
#[test]
fn big_refused_requests_fill_neither_answers_nor_memory_nor_disk() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let rss = || resident(&sandbox);
    let folder = env.path().join(".stripegym");
    sandbox.api.make("/v1/customers", &[]);
    let empty = stored(&folder);
    let big = "x".repeat(900_000);
    let refused = |form: &[(&str, &str)]| {
        let reply = sandbox.api.post("/v1/customers", form);
        assert_eq!(reply.status, 400, "{}", reply.body.len());
        assert!(reply.body.len() < 8_000, "{} bytes", reply.body.len());
        let heads: usize = reply.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(heads < 8_000, "{heads} bytes of headers");
    };
    for _ in 0..10 {
        refused(&[(&big, "1")]);
    }
    let before = rss();
    for _ in 0..300 {
        refused(&[(&big, "1")]);
    }
    let grown = rss().saturating_sub(before);
    assert!(grown < 20_000, "{grown} KB more");
    refused(&[("balance", &big)]);
    refused(&[("metadata[k]", &big)]);
    refused(&[(&format!("metadata[{big}]"), "x")]);
    let half = &big[..400_000];
    refused(&[("nope", "1"), (half, "1"), (half, "2")]);
    let many: Vec<String> = (0..900).map(|at| format!("{at}{}", "y".repeat(900))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    refused(&many);
    let stranger = Api::new(sandbox.api.port, "nobodys_key");
    for at in 0..40 {
        assert_eq!(stranger.post("/v1/customers", &[(&big, "1")]).status, 401);
        // The answer to a key is kept: what it is about is not.
        let keyed = sandbox.api.with("Idempotency-Key", &format!("key {at}"));
        assert_eq!(keyed.post("/v1/customers", &[(&big, "1")]).status, 400);
    }
    // What is stored goes through a log that keeps its size: some hundred pages.
    let more = stored(&folder).saturating_sub(empty);
    assert!(more < 3_000_000, "{more} bytes more on disk after 350 MB that were refused");
}

#[test]
fn the_limit_of_objects_refuses_writes_in_words_and_lets_deletions_through() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--max-objects", "12"]);
    let mut made = Vec::new();
    let refused = loop {
        let reply = sandbox.api.post("/v1/customers", &[]);
        if reply.status != 200 {
            break reply;
        }
        made.push(reply.json()["id"].as_str().unwrap().to_owned());
        assert!(made.len() <= 12);
    };
    // A customer and its event each, beside what the sandbox keeps itself.
    assert!((4..=6).contains(&made.len()), "{}", made.len());
    // No status that SDKs send again: it would not change by itself.
    let message = refused.error(400)["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("at most 12 objects") && message.contains("--max-objects"),
        "{message}"
    );
    assert_ne!(refused.header("stripe-should-retry"), Some("true"));
    assert_eq!(sandbox.api.delete(&format!("/v1/customers/{}", made[0])).ok()["deleted"], true);
    assert_eq!(sandbox.api.read("/v1/customers")["data"].as_array().unwrap().len(), made.len() - 1);
    assert_eq!(sandbox.api.post("/v1/customers", &[]).status, 400);
}
