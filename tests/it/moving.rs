//! From a file to a server while webhooks go on: nobody who sends one is ever told to come back.

use crate::cluster::Cluster;
use crate::env::{Env, eventually};
use crate::shop::{SECRET, completed, deliver, listen_with};
use std::collections::BTreeSet;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// The address that the provider knows, and what came of what it sent there.
struct Address {
    port: RwLock<u16>,
    sent: AtomicUsize,
    ended: AtomicBool,
}

impl Address {
    /// Sends one event after the other, each once, to whoever is behind the address; those that were acknowledged.
    fn send(&self) -> BTreeSet<String> {
        let mut taken = BTreeSet::new();
        while !self.ended.load(Ordering::Relaxed) {
            let n = self.sent.fetch_add(1, Ordering::Relaxed);
            // Some come again, to whoever is there by then.
            for n in [n, n / 2] {
                let body = completed(&format!("evt_{n}"), &format!("cs_{n}"), 500);
                // What is under way when the address changes goes on to where it went.
                let port = self.port.read().unwrap();
                let reply = deliver(*port, &body).unwrap();
                drop(port);
                assert_eq!(reply.status, 200, "evt_{n}: {}", reply.text());
                taken.insert(format!("evt_{n}"));
            }
        }
        taken
    }

    /// Waits until some more were sent.
    fn more(&self) {
        let before = self.sent.load(Ordering::Relaxed);
        eventually("the load goes on", || {
            (self.sent.load(Ordering::Relaxed) > before + 10).then_some(())
        });
    }
}

#[test]
fn a_ledger_moves_from_a_file_to_a_server_and_nobody_is_kept_waiting() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let url = cluster.url();
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (of_file, port) = listen_with(&env, &[]);
    let address = Address {
        port: RwLock::new(port),
        sent: AtomicUsize::new(0),
        ended: AtomicBool::new(false),
    };
    let file = env.path().join(".stripegym/ledger.db").display().to_string();
    let from = format!("sqlite:{file}");
    let taken = thread::scope(|scope| {
        let senders: Vec<_> = (0..2).map(|_| scope.spawn(|| address.send())).collect();
        address.more();
        // The rows go over while the file's listener goes on.
        env.ok(&["ledger", "migrate", "--from", &from, "--to", &url]);
        address.more();
        // Another listener stands beside it, on the server; what only the file heard is brought over.
        let (_of_server, port) = listen_with(&env, &["--ledger", &url]);
        env.ok(&["ledger", "import", &file, "--ledger", &url]);
        address.more();
        // From here on the address leads to the server.
        *address.port.write().unwrap() = port;
        address.more();
        drop(of_file);
        env.ok(&["ledger", "import", &file, "--ledger", &url]);
        address.more();
        address.ended.store(true, Ordering::Relaxed);
        senders.into_iter().flat_map(|it| it.join().unwrap()).collect::<BTreeSet<String>>()
    });
    let there = cluster.sql("SELECT id FROM stripegym.events");
    let there: BTreeSet<String> = there.lines().map(str::to_owned).collect();
    assert_eq!(there, taken, "every event that was acknowledged, once, and no other");
    assert_eq!(cluster.sql("SELECT count(*) FROM stripegym.ledger"), taken.len().to_string());
    env.ok(&["ledger", "verify", "--ledger", &url]);
    // The file has nothing that the server lacks.
    let lines = || cluster.sql("SELECT count(*) FROM stripegym.events");
    let before = lines();
    env.ok(&["ledger", "import", &file, "--ledger", &url]);
    assert_eq!(lines(), before);
}
