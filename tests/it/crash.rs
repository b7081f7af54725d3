//! What was answered is kept: listener and sandbox are killed at random points, restarted, and asked.
//!
//! `kill -9` takes the process, not the disk's cache; what a power cut adds is the file system's part.

use crate::env::{Env, KEY, Sandbox, rounds};
use crate::http::Api;
use crate::shop::{SECRET, completed, deliver, ledger, listen};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

/// Kills in a short run, and in a long one.
const ROUNDS: [usize; 2] = [100, 500];
const WRITERS: u64 = 3;

/// Writes that are acknowledged before the kill; it may come before the first.
const ACKNOWLEDGED_MAX: u64 = 12;

/// A small generator, so that a failing round can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// Writes from several threads, kills once `few` writes are acknowledged while more are under way;
/// what was acknowledged in all.
fn write_until<W, K>(few: u64, write: W, kill: K) -> BTreeSet<String>
where
    W: Fn(u64, u64) -> Option<String> + Sync,
    K: FnOnce(),
{
    let stop = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let writer = |number: u64| {
            let (write, stop, tell) = (&write, &stop, tell.clone());
            scope.spawn(move || {
                let mut acknowledged = Vec::new();
                for at in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let new = write(number, at);
                    if new.is_some() {
                        tell.send(()).unwrap();
                    }
                    acknowledged.extend(new);
                }
                acknowledged
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(writer).collect();
        told.iter().take(few.try_into().unwrap()).for_each(drop);
        kill();
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|it| it.join().unwrap()).collect()
    })
}

#[test]
fn the_listener_loses_no_acknowledged_event() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let mut dice = Dice(20_261_121);
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds(ROUNDS[0], ROUNDS[1]) {
        let (mut listener, port) = listen(&env);
        let few = dice.below(ACKNOWLEDGED_MAX);
        let new = write_until(
            few,
            |writer, at| {
                let id = format!("evt_{round}_{writer}_{at}");
                let body = completed(&id, &format!("cs_test_{round}_{writer}_{at}"), 500);
                let reply = deliver(port, &body).ok()?;
                assert_eq!(reply.status, 200, "{}", reply.text());
                Some(id)
            },
            || listener.kill(),
        );
        acknowledged.extend(new);
    }
    let ledger = ledger(&env);
    let mut all = ledger.prepare("SELECT id FROM events").unwrap();
    let kept: BTreeSet<String> = all.query_map([], |row| row.get(0)).unwrap().flatten().collect();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let sql = "SELECT count(*) FROM ledger WHERE status = 'paid' AND amount = 500";
    let rows: usize =
        ledger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap();
    assert_eq!(rows, kept.len(), "each event has its row, in the same transaction");
    env.ok(&["ledger", "verify"]);
    assert!(acknowledged.len() > 100, "only {} events got through", acknowledged.len());
}

#[test]
fn the_sandbox_loses_nothing_that_it_answered() {
    let env = Env::new();
    let mut dice = Dice(4_242);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    for round in 0..rounds(ROUNDS[0], ROUNDS[1]) {
        let mut sandbox = env.sandbox(&[]);
        let api = Api::new(sandbox.api.port, KEY);
        let few = dice.below(ACKNOWLEDGED_MAX);
        let new = write_until(
            few,
            |writer, at| {
                let key = format!("key-{round}-{writer}-{at}");
                let keyed = api.with("Idempotency-Key", &key);
                let reply = keyed.try_call("POST", "/v1/customers", &[("name", &key)]).ok()?;
                Some(format!("{key} {}", reply.ok()["id"].as_str().unwrap()))
            },
            || sandbox.program.kill(),
        );
        // What the round before had answered must still be answered the same, by id and by key.
        acknowledged.extend(new);
    }
    let sandbox = env.sandbox(&[]);
    check_answers(&sandbox, &acknowledged);
    let again = env.ok(&["events", "list", "--json", "--limit", "1"]);
    assert!(again.contains("customer.created"), "{again}");
}

fn check_answers(sandbox: &Sandbox, acknowledged: &BTreeSet<String>) {
    for (at, both) in acknowledged.iter().enumerate() {
        let (key, id) = both.split_once(' ').unwrap();
        let kept = sandbox.api.read(&format!("/v1/customers/{id}"));
        assert_eq!(kept["name"], key, "{both}");
        // Replaying every key would take minutes; a sample shows that the record came with its object.
        if at % 50 == 0 {
            let replay =
                sandbox.api.with("Idempotency-Key", key).post("/v1/customers", &[("name", key)]);
            assert_eq!(replay.ok()["id"], id, "{both}");
            assert_eq!(replay.header("idempotent-replayed"), Some("true"));
        }
    }
    assert!(acknowledged.len() > 100, "only {} requests got through", acknowledged.len());
}
