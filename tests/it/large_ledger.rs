//! A ledger of many rows: shown in bounded memory, and left as soon as that is asked for.

use crate::env::{Env, eventually, memory, rounds};
use crate::shop::{completed, ledger};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What is left of the time in which a command that was asked to end may still be waited for.
const AT_ONCE: Duration = Duration::from_secs(6);

/// What an interrupted command ends with.
const INTERRUPTED: i32 = 130;

fn file(env: &Env) -> PathBuf {
    env.path().join(".stripegym/ledger.db")
}

/// A ledger of so many sessions and entries, written without any event: for what only reads it.
fn many(rows: usize) -> Env {
    let env = Env::new();
    env.ok(&["ledger", "show"]);
    let connection = rusqlite::Connection::open(file(&env)).unwrap();
    let all =
        format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows})");
    connection
        .execute_batch(&format!(
            "BEGIN;
             INSERT INTO events (seq, id, type, object, created, livemode, received, body) {all}
             SELECT n, 'evt_' || n, 'checkout.session.completed', 'cs_' || n, n, 0, n, X'7B7D' FROM n;
             INSERT INTO ledger (session_id, amount, currency, status, settled, refunded, created, updated,
                 payment_intent, event_id) {all}
             SELECT printf('cs_test_%060d', n), n, 'jpy', 'paid', 'paid', 0, n, n, 'pi_' || n, 'evt_' || n FROM n;
             INSERT INTO entries (number, line, subject, reason) {all} SELECT n, n, 'pi_' || n, 'sale' FROM n;
             INSERT INTO postings (entry, account, currency, amount) {all}
             SELECT n, 'receivable', 'jpy', n FROM n UNION ALL SELECT n, 'revenue', 'jpy', -n FROM n;
             COMMIT;"
        ))
        .unwrap();
    env
}

/// What shows every row.
const SHOWING: [&[&str]; 6] = [
    &["show", "--format", "csv"],
    &["show", "--json"],
    &["journal", "--format", "csv"],
    &["journal", "--json"],
    &["export", "--format", "jsonl"],
    &["export", "--format", "hledger"],
];

fn command(env: &Env, work: &[&str]) -> Command {
    env.command(&[&["ledger"], work].concat())
}

#[test]
fn however_many_rows_there_are_they_are_shown_in_bounded_memory() {
    let rows = rounds(40_000, 400_000);
    let env = many(rows);
    // What the program itself takes, whatever it shows.
    let few = many(10);
    let base = SHOWING.map(|work| memory(command(&few, work))).into_iter().max().unwrap_or(0);
    for work in SHOWING {
        let most = memory(command(&env, work));
        assert!(most < base + 16 * 1024, "{work:?}: {most} kB for {rows} rows, and {base} for ten");
    }
    // A table has what a person reads, and says how many there are.
    for (work, all) in [("show", rows), ("journal", 2 * rows)] {
        let table = env.ok(&["ledger", work]);
        assert!(table.lines().count() < 2_100, "{work}");
        let last = table.lines().last().unwrap().replace(',', "");
        assert!(last.contains(&all.to_string()), "{work}: {last}");
    }
    // Every row is there, in its order.
    let csv = env.ok(&["ledger", "show", "--format", "csv"]);
    assert_eq!(csv.lines().count(), rows + 1);
    assert!(
        csv.lines().nth(1).unwrap().contains("cs_test_")
            && csv.lines().is_sorted_by_key(|line| {
                line.split(',').nth(1).and_then(|amount| amount.parse::<usize>().ok())
            })
    );
    let shown: Value =
        serde_json::from_str(&env.ok(&["ledger", "show", "--json", "--limit", "3"])).unwrap();
    let amounts: Vec<u64> = shown["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["amount"].as_u64().unwrap())
        .collect();
    assert_eq!(amounts, [rows - 2, rows - 1, rows].map(|it| it as u64));
    assert_eq!((&shown["all"], &shown["totals"][0]["rows"]), (&rows.into(), &rows.into()));
}

/// Sends a signal, and waits for the end: the exit code.
fn end(mut child: Child, signal: &str) -> i32 {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let began = Instant::now();
    let status = eventually("the end", || child.try_wait().unwrap());
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    status.code().unwrap_or(-1)
}

#[test]
fn whoever_shows_a_ledger_ends_as_soon_as_it_is_asked_to() {
    let env = many(rounds(60_000, 400_000));
    for (work, signal) in SHOWING.into_iter().zip(["-INT", "-TERM"].into_iter().cycle()) {
        let mut command = command(&env, work);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        // It is at work once it says something, and waits until somebody reads on.
        out.read_until(b'\n', &mut Vec::new()).unwrap();
        let rest = std::thread::spawn(move || out.read_to_end(&mut Vec::new()).unwrap());
        assert_eq!(end(child, signal), INTERRUPTED, "{work:?} {signal}");
        rest.join().unwrap();
    }
    // Half a copy is none.
    let mut copying = command(&env, &["export", "--format", "sqlite", "--output", "copy.db"]);
    let child = copying.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let copy = env.path().join("copy.db");
    eventually("the copy is begun", || copy.exists().then_some(()));
    let code = end(child, "-INT");
    assert!(code == INTERRUPTED && !copy.exists() || code == 0, "{code}");
}

/// How often a process has a file open.
fn opened(pid: u32, path: &std::path::Path) -> usize {
    let Ok(all) = fs::read_dir(format!("/proc/{pid}/fd")) else { return 0 };
    let same = |it: &fs::DirEntry| fs::read_link(it.path()).is_ok_and(|to| to == path);
    all.filter_map(Result::ok).filter(same).count()
}

/// Interrupts what works on the whole ledger once it has opened it for that.
fn strike(env: &Env, work: &[&str], signal: &str) -> i32 {
    let mut command = command(env, work);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let path = file(env).canonicalize().unwrap();
    eventually("it is at work", || (opened(child.id(), &path) > 1).then_some(()));
    end(child, signal)
}

#[test]
fn whatever_is_interrupted_leaves_the_ledger_whole() {
    let env = Env::new();
    let events = rounds(2_500, 20_000);
    let line = |n: usize| {
        let body = completed(&format!("evt_{n:05}"), &format!("cs_{n:05}"), 500);
        let event: Value = serde_json::from_slice(&body).unwrap();
        format!("{event}\n")
    };
    fs::write(env.path().join("events.jsonl"), (0..events).map(line).collect::<String>()).unwrap();
    env.ok(&["ledger", "show"]);
    let count = || -> usize {
        let sql = "SELECT COUNT(*) FROM events";
        let count: u32 = ledger(&env).query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    };
    let whole = || {
        let said = env.ok(&["ledger", "verify", "--json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&said["ok"], &said["lines"]), (&true.into(), &count().into()), "{said}");
    };
    let import: &[&str] = &["import", "events.jsonl"];
    let mut importing = command(&env, import);
    let child = importing.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("some lines are in", || (count() > 0).then_some(()));
    assert_eq!(end(child, "-TERM"), INTERRUPTED);
    assert!((1..events).contains(&count()), "{}", count());
    whole();
    // It goes on from there.
    env.ok(&["ledger", "import", "events.jsonl"]);
    assert_eq!(count(), events);
    let book = env.ok(&["ledger", "export"]);
    for (work, signal) in
        [("rebuild", "-INT"), ("verify", "-TERM"), ("compact", "-INT"), ("rebuild", "-TERM")]
    {
        assert_eq!(strike(&env, &[work], signal), INTERRUPTED, "{work} {signal}");
    }
    assert_eq!(env.ok(&["ledger", "export"]), book);
    whole();
}
