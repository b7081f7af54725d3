//! From a file to a server: a ledger while webhooks go on, where nobody who sends one is ever told to come back, and a
//! shop that has ended.

use crate::cluster::Cluster;
use crate::env::{Env, Ran, eventually};
use crate::merchant_keys::{buy, call_status};
use crate::shop::{SECRET, completed, deliver, listen_with};
use crate::shopper::Shop;
use crate::wire::{Commit, Wire};
use rusqlite::types::Value as Kept;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
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

/// Has the senders end, whatever becomes of the story.
struct Ending<'a>(&'a Address);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_ledger_moves_from_a_file_to_one_server_to_two_to_three_and_back_and_nobody_is_kept_waiting() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (mut listener, port) = listen_with(&env, &[]);
    let address = Address {
        port: RwLock::new(port),
        sent: AtomicUsize::new(0),
        ended: AtomicBool::new(false),
    };
    let places = [&["alone"][..], &["pair_1", "pair_2"], &["one", "two", "three"], &["again"]];
    let mut here = env.path().join(".stripegym/ledger.db").display().to_string();
    let taken = thread::scope(|scope| {
        let senders: Vec<_> = (0..2).map(|_| scope.spawn(|| address.send())).collect();
        let ending = Ending(&address);
        for names in places {
            let all: Vec<String> = names.iter().map(|name| cluster.database(name)).collect();
            let (url, is_file) = (all.join(";"), here.starts_with('/'));
            let from = if is_file { format!("sqlite:{here}") } else { here.clone() };
            address.more();
            // The lines go over while the listener goes on.
            env.ok(&["ledger", "migrate", "--from", &from, "--to", &url]);
            address.more();
            // Another listener stands beside it; what only the first heard is brought over.
            let (next, port) = listen_with(&env, &["--ledger", &url]);
            env.ok(&["ledger", "import", &here, "--ledger", &url]);
            address.more();
            // From here on the address leads there.
            *address.port.write().unwrap() = port;
            address.more();
            drop(std::mem::replace(&mut listener, next));
            env.ok(&["ledger", "import", &here, "--ledger", &url]);
            here = url;
        }
        address.more();
        drop(ending);
        senders.into_iter().flat_map(|it| it.join().unwrap()).collect::<BTreeSet<String>>()
    });
    let there = cluster.sql_in("again", "SELECT id FROM stripegym.events");
    let there: BTreeSet<String> = there.lines().map(str::to_owned).collect();
    assert_eq!(there, taken, "every event that was acknowledged, once, and no other");
    let rows = cluster.sql_in("again", "SELECT count(*) FROM stripegym.ledger");
    assert_eq!(rows, taken.len().to_string());
    env.ok(&["ledger", "verify", "--ledger", &here]);
    for names in &places[1..3] {
        let count = |name: &&str| cluster.sql_in(name, "SELECT count(*) FROM stripegym.events");
        assert!(names.iter().all(|name| count(name) != "0"), "each had a part of it: {names:?}");
    }
}

/// The rows of tables in a shop's file, each as psql would write it.
fn of_file(shop: &Shop, tables: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let open = shop.database();
    let rows = |table: &String| {
        let mut statement = open.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let width = statement.column_count();
        let text = |value: Kept| match value {
            Kept::Null => String::new(),
            Kept::Integer(it) => it.to_string(),
            Kept::Text(it) => it,
            odd => panic!("{odd:?}"),
        };
        let rows = statement.query_map([], |row| {
            let cells: Result<Vec<_>, _> = (0..width).map(|at| row.get(at).map(text)).collect();
            Ok(cells?.join("|"))
        });
        (table.clone(), rows.unwrap().collect::<Result<_, _>>().unwrap())
    };
    tables.iter().map(rows).collect()
}

/// The same on a server.
fn of_server(cluster: &Cluster, tables: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let rows = |table: &String| {
        let text = cluster.sql(&format!("SELECT * FROM stripegym_shop.\"{table}\""));
        (table.clone(), text.lines().map(str::to_owned).collect())
    };
    tables.iter().map(rows).collect()
}

/// What a refusal says that it is.
pub(crate) fn refusal(ran: &Ran) -> String {
    assert_ne!(ran.code, 0, "{}", ran.out);
    let text = format!("{}{}", ran.out, ran.err);
    let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    error["error"]["kind"].as_str().unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn a_shop_moves_from_a_file_to_a_server_with_all_that_it_knows() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let (url, mut shop) = (cluster.url(), Shop::open());
    let mut ann = shop.shopper("ann");
    let price = shop.price("shop_credits_small");
    let session = ann.begin(&price);
    shop.pay(&session);
    shop.has(100, 1);
    let event = shop.event("checkout.session.completed");
    let key = buy(&shop, &mut ann);
    assert_eq!(call_status(&shop, &key), 200);
    shop.env.ok(&["kv", "set", "notes", "one", "最初"]);
    shop.env.ok(&["credit", "grant", "ann@example.com", "5"]);
    shop.program.interrupt();
    // Where it stands in the journal is noted once it has looked there.
    shop.start_again();
    let folder = shop.env.path().join(".stripegym");
    let from = |file: &str| format!("sqlite:{}", folder.join(file).display());
    let run = |file: &str| {
        shop.env.run(&["shop", "migrate", "--from", &from(file), "--to", &url, "--json"])
    };
    assert_eq!(refusal(&run("shop.db")), "shop_database_busy", "somebody may still buy there");
    shop.program.interrupt();
    shop.env.ok(&["ledger", "migrate", "--from", &from("ledger.db"), "--to", &url]);
    let run = |file: &str| {
        shop.env.run(&["shop", "migrate", "--from", &from(file), "--to", &url, "--json"])
    };
    for (file, kind) in [("ledger.db", "shop_database_broken"), ("none.db", "file")] {
        assert_eq!(refusal(&run(file)), kind, "{file}");
    }
    let moved = run("shop.db");
    assert_eq!(moved.code, 0, "{}{}", moved.out, moved.err);
    let said: Value = serde_json::from_str(&moved.out).unwrap();
    let said = said["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["table"].as_str().unwrap().to_owned(), row["rows"].as_u64().unwrap()));
    let said: BTreeMap<String, u64> = said.collect();
    let tables: Vec<String> = said.keys().cloned().collect();
    let (here, there) = (of_file(&shop, &tables), of_server(&cluster, &tables));
    assert_eq!(here, there);
    let counted = here.iter().map(|(table, rows)| (table.clone(), rows.len() as u64)).collect();
    assert_eq!(said, counted);
    assert!(tables.len() == 14 && said.values().all(|rows| *rows > 0), "{said:?}");
    // Done again, it is done.
    assert_eq!(run("shop.db").out, moved.out);
    assert_eq!(of_server(&cluster, &tables), there);
    let cluster = Rc::new(cluster);
    shop.server = Some((Rc::clone(&cluster), url.clone()));
    shop.start_again();
    // Whoever was signed in still is; a key opens what it opened; what was heard before changes nothing.
    assert!(ann.get("/account").text().contains("data-credits=\"105\""));
    assert_eq!((call_status(&shop, &key), shop.deliver(&event).status), (200, 200));
    assert_eq!(ann.verify(&session).ok()["data"]["order"]["status"], "succeeded");
    let orders = shop.orders();
    assert_eq!(shop.credits(), 105);
    let next = ann.begin(&price);
    shop.pay(&next);
    shop.has(205, orders + 1);
    let mut bob = shop.shopper("bob");
    buy(&shop, &mut bob);
    assert!(shop.says(&["kv", "get", "notes", "one"]).contains("最初"));
    // What came after it is not undone.
    let migrate = ["shop", "migrate", "--from", &from("shop.db"), "--to", &url, "--json"];
    assert_eq!(refusal(&shop.env.run(&migrate)), "shop_there");
    assert_eq!(shop.credits(), 205);
}

#[test]
fn a_move_that_breaks_off_is_as_if_it_had_not_begun_and_is_done_again() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let (mut shop, wire) = (Shop::open(), Wire::to(&cluster));
    shop.shopper("ann");
    shop.program.interrupt();
    let file = format!("sqlite:{}", shop.env.path().join(".stripegym/shop.db").display());
    let url = wire.url();
    let migrate = ["shop", "migrate", "--from", &file, "--to", &url, "--json"];
    // The tables are made by whoever comes first: what is held back is the commit of the rows.
    shop.env.ok(&["order", "list", "--ledger", &url]);
    let users = || cluster.sql("SELECT count(*) FROM stripegym_shop.users");
    wire.next(Commit::Held);
    let mut half = shop.env.start(&migrate);
    eventually("all but the commit is done", || (wire.met() == 1).then_some(()));
    assert_eq!(users(), "0");
    half.kill();
    eventually("the server has let go", || {
        let held = cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
        (held == "0").then_some(())
    });
    wire.next(Commit::Kept);
    assert_eq!(refusal(&shop.env.run(&migrate)), "shop_database_server");
    assert_eq!((wire.met(), users().as_str()), (2, "0"));
    // It was made, and only its answer was lost: the server is asked.
    wire.next(Commit::Unanswered);
    let moved = shop.env.run(&migrate);
    assert_eq!((moved.code, wire.met(), users().as_str()), (0, 3, "1"), "{}", moved.err);
    assert_eq!(shop.env.ok(&migrate), moved.out);
}
