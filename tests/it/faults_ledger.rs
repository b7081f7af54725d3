//! The ledger's file fails, is held, moved, removed or cut off while signed events come in: what was answered with
//! 200 is in the ledger afterwards, nothing is there twice, and the listener goes on by itself.

use crate::env::{Env, Running, Sandbox, Watch, eventually};
use crate::faults::Faults;
use crate::http::Reply;
use crate::shop::{SECRET, completed, deliver, ledger, port_of};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// The longest that a refusal may take; the sender's own patience is ten seconds and more.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

struct Desk {
    env: Env,
    faults: Faults,
    listener: Running,
    port: u16,
    acknowledged: BTreeSet<String>,
    _sandbox: Sandbox,
}

impl Desk {
    fn open() -> Self {
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
        let sandbox = env.sandbox(&[]);
        let faults = Faults::over(&env.path().join(".stripegym"));
        let (listener, port) = Self::listen(&env, &faults);
        let acknowledged = BTreeSet::new();
        Self { env, faults, listener, port, acknowledged, _sandbox: sandbox }
    }

    fn listen(env: &Env, faults: &Faults) -> (Running, u16) {
        let command = env.command(&["listen", "--port", "0", "--json"]);
        let mut listener = Running::new(faults.under(command), env.path());
        let port = port_of(&mut listener);
        (listener, port)
    }

    fn path(&self) -> PathBuf {
        self.env.path().join(".stripegym/ledger.db")
    }

    /// Posts one event; what is answered with 200 is remembered.
    fn post(&mut self, id: &str) -> Reply {
        let reply = post(self.port, id);
        if reply.status == 200 {
            self.acknowledged.insert(id.to_owned());
        }
        reply
    }

    fn stored(&mut self, id: &str) {
        let reply = self.post(id);
        assert_eq!(reply.status, 200, "{id}: {}", reply.text());
    }

    /// Waits until the person at the terminal was told; everything that they were told.
    fn says(&self, part: &str) -> String {
        eventually(part, || Some(self.listener.stderr()).filter(|said| said.contains(part)))
    }

    /// Posts until it is stored again: the sender's part.
    fn back(&mut self, id: &str) {
        eventually("the listener stores events again", || {
            (self.post(id).status == 200).then_some(())
        });
    }

    /// Everything acknowledged is there, once; and still after the listener has ended.
    fn whole(mut self) {
        self.check();
        self.listener.interrupt();
        self.check();
    }

    fn check(&self) {
        let ledger = ledger(&self.env);
        let all = |sql: &str| -> Vec<String> {
            let mut statement = ledger.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let events = all("SELECT id FROM events");
        let kept: BTreeSet<String> = events.iter().cloned().collect();
        let lost: Vec<_> = self.acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}\n{}", self.listener.stderr());
        assert_eq!(kept.len(), events.len(), "an event is there twice");
        let rows: BTreeSet<String> = all("SELECT session_id FROM ledger").into_iter().collect();
        let due: BTreeSet<String> = kept.iter().map(|id| session_of(id)).collect();
        assert_eq!(rows, due, "one row an event");
        assert_eq!(all("PRAGMA integrity_check"), ["ok"]);
    }
}

fn session_of(id: &str) -> String {
    format!("cs_test_{id}")
}

fn post(port: u16, id: &str) -> Reply {
    deliver(port, &completed(id, &session_of(id), 500)).unwrap()
}

/// An answer that asks for the event once more, in time.
fn refused(reply: &Reply, cause: &str) {
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.header("retry-after").is_some(), "{:?}", reply.headers);
    assert_eq!(reply.json()["error"]["cause"], cause);
}

#[test]
fn a_full_disk_refuses_and_room_is_enough_to_go_on() {
    let mut desk = Desk::open();
    desk.stored("before");
    desk.faults.set(&["write 1+ ENOSPC ledger.db"]);
    for n in 0..5 {
        refused(&desk.post(&format!("during_{n}")), "disk_full");
    }
    assert!(!desk.faults.hits().is_empty());
    desk.faults.clear();
    desk.stored("after");
    desk.stored("during_0");
    let said = desk.says("takes deliveries again");
    assert_eq!(said.matches("is full").count(), 1, "told once: {said}");
    desk.whole();
}

#[test]
fn a_held_ledger_refuses_within_seconds_and_goes_on_once_it_is_free() {
    let mut desk = Desk::open();
    desk.stored("before");
    let holder = Connection::open(desk.path()).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let port = desk.port;
    // Two waves: the second comes while the first waits, and must not wait its turn after it.
    thread::scope(|scope| {
        for n in 0..12 {
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(100 * n));
                let began = Watch::start();
                refused(&post(port, &format!("held_{n}")), "ledger_busy");
                assert!(began.elapsed() < REFUSED_WITHIN, "{n}: {:?}", began.elapsed());
            });
        }
    });
    holder.execute_batch("COMMIT").unwrap();
    desk.stored("after");
    desk.stored("held_0");
    desk.whole();
}

#[test]
fn errors_of_the_disk_and_torn_writes_lose_nothing_that_was_answered() {
    for rules in [
        ["write 1+ EIO ledger.db-wal"],
        ["write 2+ EIO ledger.db-wal"],
        ["torn 1+ EIO ledger.db-wal"],
        ["torn 2 EIO ledger.db-wal"],
        ["sync 1+ EIO ledger.db-wal"],
    ] {
        let mut desk = Desk::open();
        desk.stored("before");
        desk.faults.set(&rules);
        for n in 0..3 {
            let reply = desk.post(&format!("during_{n}"));
            if reply.status != 200 {
                refused(&reply, "ledger_failed");
            }
        }
        assert!(!desk.faults.hits().is_empty(), "{rules:?}");
        desk.faults.clear();
        desk.back("during_0");
        desk.stored("after");
        // What a torn write left must not be in the way of what came later, also after a power cut.
        desk.faults.cut(&mut desk.listener);
        (desk.listener, desk.port) = Desk::listen(&desk.env, &desk.faults);
        desk.stored("later");
        desk.whole();
    }
}

#[test]
fn a_power_cut_leaves_what_was_acknowledged() {
    let mut desk = Desk::open();
    for round in 0..8 {
        let port = desk.port;
        let acknowledged: Vec<String> = thread::scope(|scope| {
            let writers: Vec<_> = (0..3)
                .map(|writer| {
                    scope.spawn(move || {
                        let ids = (0..6).map(|n| format!("cut_{round}_{writer}_{n}"));
                        ids.filter(|id| post(port, id).status == 200).collect::<Vec<_>>()
                    })
                })
                .collect();
            writers.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(acknowledged.len(), 18);
        desk.acknowledged.extend(acknowledged);
        desk.faults.cut(&mut desk.listener);
        (desk.listener, desk.port) = Desk::listen(&desk.env, &desk.faults);
    }
    desk.whole();
}

#[test]
fn a_removed_file_is_noticed_before_the_next_200_and_built_anew() {
    for names in [&["ledger.db"][..], &["ledger.db", "ledger.db-wal", "ledger.db-shm"]] {
        let mut desk = Desk::open();
        desk.stored("one");
        desk.stored("two");
        for name in names {
            fs::remove_file(desk.path().with_file_name(name)).unwrap();
        }
        refused(&desk.post("three"), "ledger_moved");
        desk.check();
        desk.stored("three");
        desk.stored("one");
        desk.says("reset ledger");
        desk.whole();
    }
}

#[test]
fn a_removed_log_is_noticed_too() {
    let mut desk = Desk::open();
    desk.stored("one");
    fs::remove_file(desk.path().with_file_name("ledger.db-wal")).unwrap();
    refused(&desk.post("two"), "ledger_moved");
    desk.stored("two");
    desk.whole();
}

#[test]
fn a_removed_folder_is_made_again_with_its_lock() {
    let mut desk = Desk::open();
    desk.stored("one");
    fs::remove_dir_all(desk.env.path().join(".stripegym")).unwrap();
    refused(&desk.post("two"), "ledger_moved");
    desk.stored("two");
    let reset = desk.env.run(&["reset", "ledger"]);
    assert_eq!(reset.code, 3, "the lock is held again: {}", reset.err);
    desk.whole();
}

#[test]
fn somebody_elses_file_is_left_alone_and_the_ledger_comes_back_when_it_is_gone() {
    let mut desk = Desk::open();
    desk.stored("one");
    let other = desk.path().with_file_name("other.db");
    let foreign = Connection::open(&other).unwrap();
    foreign.execute_batch("CREATE TABLE mine (id); INSERT INTO mine VALUES (1)").unwrap();
    drop(foreign);
    let bytes = fs::read(&other).unwrap();
    let aside = desk.path().with_file_name("aside.db");
    fs::rename(desk.path(), &aside).unwrap();
    fs::rename(&other, desk.path()).unwrap();
    refused(&desk.post("two"), "ledger_moved");
    refused(&desk.post("two"), "ledger_moved");
    assert_eq!(fs::read(desk.path()).unwrap(), bytes, "not a byte of it was touched");
    desk.says("Another file stands at");
    // The ledger itself is put back.
    fs::rename(desk.path(), &other).unwrap();
    fs::rename(&aside, desk.path()).unwrap();
    desk.stored("two");
    // The other file again, and then nothing.
    fs::rename(desk.path(), &aside).unwrap();
    fs::copy(&other, desk.path()).unwrap();
    refused(&desk.post("three"), "ledger_moved");
    fs::remove_file(desk.path()).unwrap();
    refused(&desk.post("three"), "ledger_moved");
    desk.stored("three");
    desk.whole();
}

#[test]
fn a_copy_of_the_ledger_in_its_place_is_brought_up_to_date() {
    let mut desk = Desk::open();
    desk.stored("one");
    let copy = desk.path().with_file_name("copy.db");
    let file = Connection::open(desk.path()).unwrap();
    file.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    drop(file);
    desk.stored("two");
    fs::rename(copy, desk.path()).unwrap();
    refused(&desk.post("three"), "ledger_moved");
    desk.stored("three");
    desk.whole();
}

#[test]
fn two_listeners_on_one_ledger_agree_on_the_one_that_is_built_anew() {
    let mut desk = Desk::open();
    let command = desk.env.command(&["listen", "--port", "0", "--json"]);
    let mut second = Running::new(command, desk.env.path());
    let port = port_of(&mut second);
    desk.stored("one");
    assert_eq!(post(port, "two").status, 200);
    desk.acknowledged.insert("two".to_owned());
    fs::remove_dir_all(desk.env.path().join(".stripegym")).unwrap();
    refused(&desk.post("three"), "ledger_moved");
    desk.stored("three");
    eventually("the second listener follows", || (post(port, "four").status == 200).then_some(()));
    desk.acknowledged.insert("four".to_owned());
    desk.stored("five");
    desk.check();
    second.interrupt();
    desk.whole();
}

#[test]
fn the_ledger_is_not_set_back_while_somebody_writes_it() {
    let mut desk = Desk::open();
    desk.stored("one");
    for what in ["ledger", "--all"] {
        let ran = desk.env.run(&["reset", what]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("Stop that process"), "{}", ran.err);
    }
    desk.stored("two");
    desk.check();
    desk.listener.interrupt();
    desk.env.ok(&["reset", "ledger"]);
    assert!(!desk.path().exists());
}
