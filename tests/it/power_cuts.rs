//! The power fails at one write after the other: wherever that is, what was answered with 200 is there
//! afterwards, nothing is there twice, and the folder opens.

use crate::env::{Env, KEY, Running, eventually, rounds};
use crate::faults::Faults;
use crate::http::Api;
use crate::shop::{SECRET, completed, deliver, ledger};
use std::collections::BTreeMap;

/// Which writes are the last ones: each in a long run, further and further apart in a short one.
pub(crate) fn places() -> impl Iterator<Item = usize> {
    let all = rounds(0, 1) == 1;
    std::iter::successors(Some(1_usize), move |&k| {
        Some(if all { k + 1 } else { k + k.div_ceil(2) })
    })
}

/// Starts a program whose `k`th write is its last; what comes after `sign` in the line that has it.
fn start(
    env: &Env,
    faults: &Faults,
    args: &[&str],
    k: usize,
    sign: &str,
) -> (Running, Option<u16>) {
    let command = faults.under(env.command(args));
    faults.set(&[&format!("write {k} CUT *")]);
    let mut running = Running::new(command, env.path());
    let port = running.line_or_end(sign).map(|line| {
        let rest = line.split(sign).nth(1).unwrap();
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    });
    (running, port)
}

#[test]
fn the_sandbox_keeps_what_it_answered_whichever_write_was_the_last() {
    for k in places() {
        let env = Env::new();
        let faults = Faults::over(&env.path().join(".stripegym"));
        let sign = "Ready http://127.0.0.1:";
        let (mut running, port) = start(&env, &faults, &["sandbox", "--port", "0"], k, sign);
        let mut acknowledged = BTreeMap::new();
        let keyed = |port: u16, name: &str| {
            let api = Api::new(port, KEY).with("Idempotency-Key", name);
            api.try_call("POST", "/v1/customers", &[("name", name)])
        };
        for name in ["one", "two", "three"] {
            let reply = port.and_then(|port| keyed(port, name).ok());
            if let Some(reply) = reply.filter(|reply| reply.status == 200) {
                acknowledged.insert(name, reply.json()["id"].clone());
            }
        }
        let whole = faults.hits().is_empty();
        faults.cut(&mut running);
        let sandbox = env.sandbox(&[]);
        for name in ["one", "two", "three"] {
            // Sent again under its key, as a client does that got no answer.
            let id = keyed(sandbox.api.port, name).unwrap().ok()["id"].clone();
            if let Some(known) = acknowledged.get(name) {
                assert_eq!(&id, known, "write {k}: {name} was acknowledged");
            }
        }
        let all = sandbox.api.read("/v1/customers")["data"].as_array().unwrap().len();
        assert_eq!(all, 3, "write {k}: each once");
        if whole {
            assert_eq!(acknowledged.len(), 3);
            assert!(k > 5, "there were writes to be cut at");
            return;
        }
    }
}

#[test]
fn the_ledger_keeps_what_it_acknowledged_whichever_write_was_the_last() {
    for k in places() {
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
        let _sandbox = env.sandbox(&["--ephemeral"]);
        let home = env.path().join("ledger");
        let faults = Faults::over(&home);
        let home = home.to_str().unwrap();
        let listen = ["--home", home, "listen", "--port", "0", "--json"];
        let (mut running, port) = start(&env, &faults, &listen, k, "http://127.0.0.1:");
        let ids = ["evt_1", "evt_2", "evt_3"];
        let post = |port: u16, id: &str| deliver(port, &completed(id, &format!("cs_{id}"), 500));
        let acknowledged: Vec<&str> = ids
            .into_iter()
            .filter(|id| port.is_some_and(|port| post(port, id).is_ok_and(|it| it.status == 200)))
            .collect();
        let whole = faults.hits().is_empty();
        faults.cut(&mut running);
        let env = env.with("STRIPEGYM_HOME", home);
        let mut running = env.start(&listen);
        let line = running.line_with("http://127.0.0.1:");
        let port = line.split("http://127.0.0.1:").nth(1).unwrap();
        let port = port.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        let books =
            rusqlite::Connection::open(std::path::Path::new(home).join("ledger.db")).unwrap();
        let kept = |id: &str| -> i64 {
            let sql = "SELECT count(*) FROM events WHERE id = ?1";
            books.query_row(sql, [id], |row| row.get(0)).unwrap()
        };
        for id in &acknowledged {
            assert_eq!(kept(id), 1, "write {k}: {id} was acknowledged");
        }
        for id in ids {
            assert_eq!(post(port, id).unwrap().status, 200);
            assert_eq!(kept(id), 1, "write {k}: {id} once");
        }
        let rows: i64 =
            books.query_row("SELECT count(*) FROM ledger", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 3, "write {k}");
        env.ok(&["ledger", "verify"]);
        if whole {
            assert_eq!(acknowledged.len(), 3);
            return;
        }
    }
}

#[test]
fn the_ledger_takes_everything_once_there_is_room_whichever_write_found_none() {
    for k in places() {
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
        let _sandbox = env.sandbox(&["--ephemeral"]);
        let faults = Faults::over(&env.path().join(".stripegym"));
        let listen = ["listen", "--port", "0", "--json"];
        let mut running = Running::new(faults.under(env.command(&listen)), env.path());
        let port = crate::shop::port_of(&mut running);
        // Counted from here on: the listener stands, and the disk fills up.
        faults.set(&[&format!("write {k}+ ENOSPC ledger.db")]);
        let ids = ["evt_1", "evt_2", "evt_3"];
        let post = |id: &str| deliver(port, &completed(id, &format!("cs_{id}"), 500)).unwrap();
        let mut refused = 0;
        for id in ids {
            let reply = post(id);
            if reply.status != 200 {
                assert_eq!((reply.status, reply.header("retry-after").is_some()), (503, true));
                refused += 1;
            }
        }
        let whole = faults.hits().is_empty();
        assert_eq!(refused == 0, whole, "write {k}");
        faults.clear();
        for id in ids {
            eventually("there is room again", || (post(id).status == 200).then_some(()));
        }
        env.ok(&["ledger", "verify"]);
        let books = ledger(&env);
        let count = |sql: &str| books.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM events WHERE id LIKE 'evt_%'"), 3, "write {k}");
        assert_eq!(count("SELECT count(*) FROM ledger"), 3, "write {k}");
        if whole {
            assert!(k > 3, "there were writes that found no room");
            return;
        }
    }
}
