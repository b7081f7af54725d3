//! `stripegym ledger compact` in spite of power cuts and full disks: what the ledger held it holds, byte for byte, and the
//! next run goes on where this one ended.

use crate::env::{Env, Running};
use crate::faults::Faults;
use crate::power_cuts::places;
use crate::shop::completed;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Enough that there are several packs and that pages come free.
const EVENTS: usize = 600;

/// A ledger that took in events from a file.
fn filled() -> Env {
    let env = Env::new();
    let line = |n: usize| {
        let body = completed(&format!("evt_{n:05}"), &format!("cs_{n:05}"), 500);
        let event: Value = serde_json::from_slice(&body).unwrap();
        format!("{event}\n")
    };
    fs::write(env.path().join("events.jsonl"), (0..EVENTS).map(line).collect::<String>()).unwrap();
    env.ok(&["ledger", "import", "events.jsonl"]);
    env
}

fn home(env: &Env) -> PathBuf {
    env.path().join(".stripegym")
}

/// The same ledger in a folder of its own.
fn copied(from: &Env) -> Env {
    let env = Env::new();
    fs::create_dir_all(home(&env)).unwrap();
    fs::copy(home(from).join("ledger.db"), home(&env).join("ledger.db")).unwrap();
    env
}

/// What is read of it by its commands.
fn said(env: &Env) -> [String; 3] {
    let rows = env.ok(&["ledger", "show", "--format", "csv"]);
    let book = env.ok(&["ledger", "export", "--format", "jsonl"]);
    let verified: Value = serde_json::from_str(&env.ok(&["ledger", "verify", "--json"])).unwrap();
    [rows, book, verified["lines"].to_string()]
}

fn size(path: &Path) -> u64 {
    let log = path.with_file_name("ledger.db-wal");
    path.metadata().unwrap().len() + log.metadata().map_or(0, |about| about.len())
}

#[test]
fn a_compacted_ledger_takes_a_fraction_of_its_events_and_says_the_same() {
    let env = filled();
    let before = said(&env);
    let path = home(&env).join("ledger.db");
    let lines = fs::read_to_string(env.path().join("events.jsonl")).unwrap();
    let payload: usize = lines.lines().map(str::len).sum();
    let done: Value = serde_json::from_str(&env.ok(&["ledger", "compact", "--json"])).unwrap();
    assert_eq!((&done["lines"], &done["payload"]), (&EVENTS.into(), &payload.into()));
    assert_eq!(done["after"].as_u64(), Some(size(&path)));
    assert!(done["after"].as_u64() < done["before"].as_u64());
    assert_eq!(said(&env), before);
    env.ok(&["ledger", "export", "--format", "sqlite", "--output", "copy.db"]);
    let text = env.ok(&["ledger", "compact"]);
    assert!(text.contains("0 lines packed"), "{text}");
    let ran = env.run(&["ledger", "compact", "--lang", "ja"]);
    assert!(ran.out.contains("圧縮しました"), "{}", ran.out);
}

#[test]
fn a_ledger_without_events_is_said_to_have_none() {
    let env = Env::new();
    let text = env.ok(&["ledger", "compact"]);
    assert!(text.contains("no events to pack") && !text.contains('%'), "{text}");
}

#[test]
fn whatever_write_is_the_last_or_finds_no_room_the_ledger_is_whole() {
    let full = filled();
    let before = said(&full);
    for fault in ["CUT", "ENOSPC"] {
        for k in places() {
            let env = copied(&full);
            let faults = Faults::over(&home(&env));
            let command = faults.under(env.command(&["ledger", "compact"]));
            let onwards = if fault == "CUT" { "" } else { "+" };
            faults.set(&[&format!("write {k}{onwards} {fault} ledger.db")]);
            let mut running = Running::new(command, env.path());
            let code = running.end();
            let whole = faults.hits().is_empty();
            if fault == "CUT" {
                faults.cut(&mut running);
            } else {
                assert_eq!(code, if whole { 0 } else { 3 }, "write {k}: {}", running.said());
            }
            assert_eq!(said(&env), before, "{fault} at write {k}");
            env.ok(&["ledger", "compact"]);
            assert_eq!(said(&env), before, "{fault} at write {k}, and once more");
            if whole {
                assert!(k > 5, "there were writes to be stopped at");
                break;
            }
        }
    }
}
