//! One story on all engines: the ledger in a file, on a PostgreSQL server and divided over two of them come to the same,
//! row by row.

use crate::cluster::Cluster;
use crate::env::{Env, Ran, Running, Sandbox, eventually};
use crate::http::Api;
use crate::shop::{SECRET, completed, deliver, listen_with, now};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

/// Events of a story about their number.
const EVENTS: usize = 60;

/// A sandbox, a listener with a ledger in a file, one with a ledger on a server, and one with a ledger on two.
struct Both {
    env: Env,
    sandbox: Sandbox,
    cluster: Cluster,
    second: Cluster,
    pair: String,
    listeners: Vec<(Running, u16)>,
}

impl Both {
    fn open() -> Option<Self> {
        let cluster = Cluster::start(&[])?;
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
        let sandbox = env.sandbox(&[]);
        let second = Cluster::start(&[])?;
        let pair = [cluster.database("pair"), second.url()].join(";");
        let on = |url: &str| listen_with(&env, &["--ledger", url]);
        let listeners = vec![listen_with(&env, &[]), on(&cluster.url()), on(&pair)];
        Some(Self { env, sandbox, cluster, second, pair, listeners })
    }

    /// Delivers an event to all, which say the same.
    fn deliver(&self, body: &[u8]) -> u16 {
        let said = self.listeners.iter().map(|(_, port)| deliver(*port, body).unwrap());
        let said: Vec<_> = said.map(|reply| (reply.status, reply.text())).collect();
        assert!(said.iter().all(|it| *it == said[0]), "{said:?}");
        said[0].0
    }

    /// What a command says of both: the same, wherever the ledger is.
    fn both(&self, command: &[&str]) -> Ran {
        let mut of_file = self.env.run(command);
        of_file.out = at_once(&of_file.out);
        let url = self.cluster.url();
        let mut of_server = self.env.run(&[command, &["--ledger", &url]].concat());
        let home = self.env.path().join(".stripegym").display().to_string();
        of_server.out = at_once(&of_server.out.replace(&url, &home));
        assert_eq!(of_file.out, of_server.out, "{command:?}\n{}\n{}", of_file.err, of_server.err);
        assert_eq!(of_file.code, of_server.code, "{command:?}\n{}", of_server.err);
        let mut of_pair = self.env.run(&[command, &["--ledger", &self.pair]].concat());
        of_pair.out = at_once(&of_pair.out.replace(&self.pair, &home));
        assert_eq!(
            unnumbered(&of_file.out),
            unnumbered(&of_pair.out),
            "{command:?}\n{}",
            of_pair.err
        );
        assert_eq!(of_file.code, of_pair.code, "{command:?}\n{}", of_pair.err);
        of_file
    }
}

/// What is said without the instants at which events came: each listener is told after the one before.
fn at_once(out: &str) -> String {
    let mut parts = out.split("\"received\": \"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        format!("{said}\"received\": \"\"{rest}")
    })
}

/// What is said of a ledger without its own numbers, and in no order: on two servers its lines have other numbers, and what
/// happened on one stands neither before nor after what happened on the other.
fn unnumbered(out: &str) -> Vec<String> {
    fn of_value(value: Value, into: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let own = |name: &str| {
                    matches!(name, "number" | "takes_back" | "writers" | "checkpoints")
                };
                let (nested, plain): (Vec<_>, Vec<_>) = members
                    .into_iter()
                    .filter(|(name, _)| !own(name))
                    .partition(|it| it.1.is_array());
                into.push(json!(plain).to_string());
                for (_, value) in nested {
                    of_value(value, into);
                }
            }
            Value::Array(all) => {
                for one in all {
                    of_value(one, into);
                }
            }
            other => into.push(other.to_string()),
        }
    }
    let mut parts = Vec::new();
    if let Ok(value) = serde_json::from_str(out) {
        of_value(value, &mut parts);
    } else if out.starts_with("number,") {
        for line in out.lines() {
            let cells: Vec<&str> = line.split(',').collect();
            parts.push([&cells[1..5], &cells[6..]].concat().join(","));
        }
    } else {
        let own = |line: &&str| line.starts_with("  number:") || line.starts_with("  takes-back:");
        for entry in out.split("\n\n") {
            let lines: Vec<&str> = entry.trim_end().lines().filter(|it| !own(it)).collect();
            parts.push(lines.join("\n"));
        }
    }
    parts.sort();
    parts
}

fn event(id: &str, kind: &str, object: &Value) -> Vec<u8> {
    let created = now();
    let event = json!({"id": id, "object": "event", "api_version": "2026-10-28.endive", "created": created,
        "data": {"object": object}, "livemode": false, "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null}, "type": kind});
    serde_json::to_vec(&event).unwrap()
}

/// What can happen to a ledger: sessions before and after their refunds, twice and in the wrong order, payments without a
/// session, a dispute, a payout, a contradiction that takes entries back, another mode, and what cannot be read.
fn story() -> Vec<Vec<u8>> {
    let charge = |n: u32, amount: i64, currency: &str| {
        json!({"id": format!("ch_{n}"), "object": "charge", "amount": amount, "currency": currency,
            "amount_captured": amount, "captured": true, "paid": true, "status": "succeeded", "created": 1_800_000_000,
            "payment_intent": format!("pi_{n}"), "balance_transaction": null})
    };
    let refunded = |n: u32, amount: i64| {
        json!({"id": format!("re_{n}"), "object": "refund", "amount": amount, "currency": "jpy",
            "created": 1_800_000_000, "payment_intent": format!("pi_cs_{n}"), "charge": format!("ch_{n}"),
            "status": "succeeded"})
    };
    let moved = json!({"id": "txn_1", "object": "balance_transaction", "amount": -500, "fee": 1_500, "net": -2_000,
        "currency": "jpy", "reporting_category": "dispute", "source": "dp_1"});
    let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 500, "currency": "jpy", "created": 1_800_000_000,
        "status": "needs_response", "payment_intent": "pi_cs_1", "charge": "ch_1", "balance_transactions": [moved]});
    let payout = json!({"id": "po_1", "object": "payout", "amount": 700, "currency": "jpy", "created": 1_800_000_000,
        "arrival_date": 1_800_000_000, "status": "paid", "balance_transaction": null});
    let mut story: Vec<Vec<u8>> =
        (0..12).map(|n| completed(&format!("evt_s{n}"), &format!("cs_{n}"), 500 + n)).collect();
    story.push(story[3].clone());
    story.push(completed("evt_again", "cs_4", 504));
    story.push(event("evt_r1", "refund.created", &refunded(1, 200)));
    story.push(event("evt_r20", "refund.created", &refunded(20, 100)));
    story.push(completed("evt_s20", "cs_20", 900));
    story.push(event("evt_c1", "charge.succeeded", &charge(31, 1_000, "usd")));
    story.push(event("evt_c2", "charge.succeeded", &charge(32, 2_000, "usd")));
    story.push(event("evt_c3", "charge.updated", &charge(32, 2_500, "eur")));
    story.push(event("evt_d1", "charge.dispute.funds_withdrawn", &dispute));
    story.push(event("evt_p1", "payout.paid", &payout));
    story.push(event("evt_u1", "customer.created", &json!({"id": "cus_1", "object": "customer"})));
    let live = String::from_utf8(completed("evt_live", "cs_live", 500)).unwrap();
    story.push(live.replace("\"livemode\": false", "\"livemode\": true").into_bytes());
    let odd = String::from_utf8(completed("evt_odd", "cs_odd", 500)).unwrap();
    story.push(odd.replace("\"currency\": \"jpy\"", "\"currency\": \"zzz\"").into_bytes());
    story
}

/// Everything that shows a ledger.
const SHOWN: [&[&str]; 10] = [
    &["ledger", "show", "--json"],
    &["ledger", "show", "--status", "partially_refunded", "--limit", "2", "--json"],
    &["ledger", "journal", "--json"],
    &["ledger", "journal", "--object", "pi_32", "--json"],
    &["ledger", "balance", "--json"],
    &["ledger", "accounts", "--json"],
    &["ledger", "problems", "--json"],
    &["ledger", "export"],
    &["ledger", "export", "--format", "beancount"],
    &["ledger", "verify", "--json"],
];

#[test]
fn an_event_costs_a_server_the_same_however_many_came_before() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let (mut listener, port) = listen_with(&env, &["--ledger", &cluster.url()]);
    for number in 0..EVENTS {
        let id = format!("cs_{number}");
        let said = deliver(port, &completed(&format!("evt_{number}"), &id, 500)).unwrap();
        assert_eq!(said.status, 200, "{}", said.text());
    }
    listener.interrupt();
    eventually("what it read is counted", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' \
                   AND pid <> pg_backend_pid()";
        (cluster.sql(sql) == "0").then_some(())
    });
    // Whatever goes through a table reads more rows with each event; what is found by its key reads none of them so.
    let sql = "SELECT COALESCE(sum(seq_tup_read), 0) FROM pg_stat_user_tables \
               WHERE schemaname = 'stripegym' AND relname NOT IN ('about', 'migrations')";
    let read: usize = cluster.sql(sql).parse().unwrap();
    assert!(read < EVENTS, "{read} rows were gone through");
}

#[test]
fn the_same_events_are_the_same_ledger_on_both_engines() {
    let Some(both) = Both::open() else { return };
    for body in story() {
        assert_eq!(both.deliver(&body), 200, "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(both.deliver(b"{"), 400);
    let first: Vec<String> = SHOWN.iter().map(|command| both.both(command).out).collect();
    assert!(first[0].contains("cs_20") && first[2].contains("takes_back"), "{first:?}");
    assert_eq!(both.both(&["ledger", "verify", "--json"]).code, 0);
    // What follows from the journal is the same when it is made anew.
    assert_eq!(both.both(&["ledger", "rebuild", "--json"]).code, 0);
    let again: Vec<String> = SHOWN.iter().map(|command| both.both(command).out).collect();
    assert_eq!(first, again);
    // Both servers have their part, and no event is on two: a verification would name it.
    let count = "SELECT count(*) FROM stripegym.events";
    let parts = [both.cluster.sql_in("pair", count), both.second.sql(count)];
    let parts = parts.map(|it| it.parse::<u32>().unwrap());
    assert!(parts.iter().all(|it| *it > 2), "{parts:?}");
    assert_eq!((parts[0] + parts[1]).to_string(), both.cluster.sql(count));
    // As a file it is the ledger that it is.
    let url = both.cluster.url();
    let other = Env::new();
    std::fs::create_dir(other.path().join(".stripegym")).unwrap();
    let copy = other.path().join(".stripegym/ledger.db");
    let copy = copy.to_str().unwrap();
    both.env.ok(&["ledger", "export", "--format", "sqlite", "--output", copy, "--ledger", &url]);
    assert_eq!(other.ok(&["ledger", "export"]), both.env.ok(&["ledger", "export"]));
    other.ok(&["ledger", "verify"]);
    // Taken in again it changes nothing.
    let lines = || both.cluster.sql("SELECT count(*) FROM stripegym.events");
    let before = lines();
    both.env.ok(&["ledger", "import", copy, "--ledger", &url]);
    assert_eq!(lines(), before);
    assert_eq!(both.both(SHOWN[0]).out, first[0]);
}

#[test]
fn both_engines_are_compared_with_the_provider_alike() {
    let Some(both) = Both::open() else { return };
    let api = Api::new(both.sandbox.api.port, crate::env::KEY);
    for amount in ["1000", "2000", "3000"] {
        let paid = api.make(
            "/v1/payment_intents",
            &[
                ("amount", amount),
                ("currency", "jpy"),
                ("confirm", "true"),
                ("payment_method", "pm_card_visa"),
                ("automatic_payment_methods[enabled]", "true"),
                ("automatic_payment_methods[allow_redirects]", "never"),
            ],
        );
        let id = paid["id"].as_str().unwrap();
        api.make("/v1/refunds", &[("payment_intent", id), ("amount", "100")]);
    }
    let url = both.cluster.url();
    for more in [&[][..], &["--ledger", &url], &["--ledger", &both.pair]] {
        eventually("everything that happened was heard", || {
            let command = [&["reconcile", "--pending", "0s", "--json"], more].concat();
            (both.env.run(&command).code == 0).then_some(())
        });
    }
    let compared = both.both(&["reconcile", "--pending", "0s", "--format", "csv"]);
    let well = compared.out.lines().filter(|line| line.contains("MATCH")).count();
    assert!(well >= 3, "{}", compared.out);
    // What only the ledger has is found in both.
    assert_eq!(both.deliver(&completed("evt_x", "cs_x", 500)), 200);
    let compared =
        both.both(&["reconcile", "--pending", "0s", "--format", "csv", "--only-differences"]);
    assert_eq!(compared.code, 1);
    assert!(compared.out.contains("MISSING_AT_PROVIDER"), "{}", compared.out);
    both.both(&["reconcile", "explain", "cs_x", "--json"]);
}

#[test]
fn two_listeners_on_one_server_take_every_event_once() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let url = cluster.url();
    // Both find an empty database at the same time, and lay it out once.
    let mut listeners = Vec::new();
    thread::scope(|scope| {
        let one = || listen_with(&env, &["--ledger", &url]);
        let started = [scope.spawn(one), scope.spawn(one)];
        listeners.extend(started.map(|it| it.join().unwrap()));
    });
    let bodies: Vec<Vec<u8>> = story().into_iter().chain(story_of_refunds()).collect();
    let ports: Vec<u16> = listeners.iter().map(|(_, port)| *port).collect();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for nth in 0..8_usize {
            let (bodies, start, ports) = (&bodies, &start, &ports);
            scope.spawn(move || {
                start.wait();
                let (from, port) = (nth * bodies.len() / 8, ports[nth % 2]);
                for body in bodies.iter().cycle().skip(from).take(bodies.len()) {
                    assert_eq!(deliver(port, body).unwrap().status, 200);
                }
            });
        }
    });
    let ids: std::collections::BTreeSet<String> = bodies.iter().map(|body| id(body)).collect();
    assert_eq!(cluster.sql("SELECT count(*) FROM stripegym.events"), ids.len().to_string());
    assert_eq!(cluster.sql("SELECT count(DISTINCT writer) FROM stripegym.events"), "2");
    env.ok(&["ledger", "verify", "--ledger", &url]);
}

fn id(body: &[u8]) -> String {
    let event: Value = serde_json::from_slice(body).unwrap();
    event["id"].as_str().unwrap().to_owned()
}

/// Many events about the same few payments, so that listeners meet over them.
fn story_of_refunds() -> Vec<Vec<u8>> {
    let one = |n: u32| {
        let refund = json!({"id": format!("re_m{n}"), "object": "refund", "amount": 1, "currency": "jpy",
            "created": 1_800_000_000, "payment_intent": format!("pi_cs_{}", n % 3), "charge": format!("ch_m{}", n % 3),
            "status": "succeeded"});
        event(&format!("evt_m{n}"), "refund.created", &refund)
    };
    (0..60).map(one).collect()
}

/// Delivers numbered events until one after `until` is taken; those that were acknowledged, and what else was said.
pub(crate) fn deliver_on(
    port: u16,
    range: std::ops::Range<usize>,
) -> (Vec<String>, Vec<(u16, bool)>) {
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for n in range {
        let reply =
            deliver(port, &completed(&format!("evt_{n}"), &format!("cs_{n}"), 500)).unwrap();
        if reply.status == 200 {
            taken.push(format!("evt_{n}"));
        } else {
            refused.push((reply.status, reply.header("retry-after").is_some()));
        }
    }
    (taken, refused)
}

/// Every event that was acknowledged is in the ledger, whose rows are all as they were written.
pub(crate) fn nothing_is_lost(env: &Env, cluster: &Cluster, url: &str, taken: &[String]) {
    let there = cluster.sql("SELECT id FROM stripegym.events");
    let there: std::collections::BTreeSet<&str> = there.lines().collect();
    for id in taken {
        assert!(there.contains(id.as_str()), "{id} was acknowledged and is not there");
    }
    env.ok(&["ledger", "verify", "--ledger", url]);
}

#[test]
fn while_the_server_is_away_deliveries_are_put_off_and_then_go_on() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let url = cluster.url();
    let (_listener, port) = listen_with(&env, &["--ledger", &url]);
    let (mut taken, refused) = deliver_on(port, 0..20);
    assert_eq!(refused, []);
    cluster.kill();
    let (none, refused) = deliver_on(port, 20..22);
    assert_eq!((none.len(), refused), (0, vec![(503, true); 2]));
    cluster.up();
    // By itself, and however busy the machine is: what is put off is sent again.
    for n in 20..40 {
        eventually("it is taken again", || {
            let (more, refused) = deliver_on(port, n..n + 1);
            assert!(refused.iter().all(|it| *it == (503, true)), "{refused:?}");
            taken.extend(more);
            refused.is_empty().then_some(())
        });
    }
    assert_eq!(taken.len(), 40);
    nothing_is_lost(&env, &cluster, &url, &taken);
}

#[test]
fn a_standby_takes_over_and_what_was_acknowledged_is_there() {
    let Some(primary) = Cluster::start(&[]) else { return };
    let standby = primary.standby();
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let url = primary.url_with(&standby);
    let (_listener, port) = listen_with(&env, &["--ledger", &url]);
    let mut taken = thread::scope(|scope| {
        let load = scope.spawn(|| {
            // The load goes on over the change, as senders do: what is put off is sent again.
            let mut taken = Vec::new();
            for n in 0..200 {
                eventually("the event is taken", || {
                    let (more, refused) = deliver_on(port, n..n + 1);
                    assert!(refused.iter().all(|it| *it == (503, true)), "{refused:?}");
                    taken.extend(more);
                    refused.is_empty().then_some(())
                });
            }
            taken
        });
        eventually("the load is under way", || {
            let count = primary.sql("SELECT count(*) FROM stripegym.events");
            (count.parse::<u32>().unwrap() > 20).then_some(())
        });
        primary.kill();
        standby.promote();
        load.join().unwrap()
    });
    taken.dedup();
    assert_eq!(taken.len(), 200);
    nothing_is_lost(&env, &standby, &url, &taken);
    assert_eq!(standby.sql("SELECT count(*) FROM stripegym.events"), "200");
}

#[test]
fn a_row_that_somebody_changed_on_the_server_is_named() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let url = cluster.url();
    let (_listener, port) = listen_with(&env, &["--ledger", &url]);
    assert_eq!(deliver_on(port, 0..3).0.len(), 3);
    let said = |sql: &str| {
        cluster.sql(sql);
        let ran = env.run(&["ledger", "verify", "--json", "--ledger", &url]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["rows"].clone()
    };
    let rows = said("UPDATE stripegym.ledger SET amount = amount + 1 WHERE session_id = 'cs_1'");
    assert_eq!(rows, json!([{"table": "ledger", "row": "cs_1", "deviation": "changed"}]));
    // What follows from the journal is made anew, and only that.
    env.ok(&["ledger", "rebuild", "--ledger", &url]);
    env.ok(&["ledger", "verify", "--ledger", &url]);
    let rows = said("UPDATE stripegym.events SET received = received + 1 WHERE id = 'evt_1'");
    assert_eq!(rows, json!([{"table": "events", "row": "evt_1", "deviation": "changed"}]));
    let ran = env.run(&["ledger", "compact", "--ledger", &url]);
    assert_eq!((ran.code, ran.err.contains("ledger compact --help")), (2, true), "{}", ran.err);
}

#[test]
fn an_address_that_leads_nowhere_is_told_without_its_password() {
    let env = Env::new().with("PGPASSWORD", "hunter3");
    let nowhere = "postgres://shop:hunter2@127.0.0.1:9/books";
    for command in [&["ledger", "show"][..], &["ledger", "verify"], &["reconcile"]] {
        let ran = env.run(&[command, &["--ledger", nowhere, "--mode", "sandbox"]].concat());
        assert_eq!(ran.code, 3, "{command:?} {}", ran.err);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(!said.contains("hunter") && said.contains("shop@127.0.0.1:9"), "{said}");
    }
    let ran = env.run(&["ledger", "show", "--ledger", "mysql://shop:hunter2@db/books"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(!ran.err.contains("hunter") && ran.err.contains("postgres://USER@HOST"), "{}", ran.err);
}

#[test]
fn a_server_is_believed_by_its_certificate_and_told_the_password() {
    let Some(mut cluster) = Cluster::start(&[]) else { return };
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    cluster.over_tls(port, (&certificate, &key), "hunter3");
    let env = Env::new();
    std::fs::write(env.path().join("roots.pem"), certificate).unwrap();
    let show = |env: &Env, query: &str| {
        let url = format!("postgres://books@127.0.0.1:{port}/postgres{query}");
        env.run(&["ledger", "show", "--json", "--ledger", &url])
    };
    let right = "?sslmode=verify-full&sslrootcert=roots.pem";
    // Neither a server that nobody vouches for nor one that asks for no TLS gets the password.
    assert_eq!(show(&env, right).code, 3);
    let env = env.with("PGPASSWORD", "hunter3");
    for query in ["", "?sslmode=require", "?sslmode=disable"] {
        let ran = show(&env, query);
        assert_eq!(ran.code, 3, "{query} {}", ran.out);
        assert!(!format!("{}{}", ran.out, ran.err).contains("hunter"), "{}", ran.err);
    }
    let ran = show(&env, right);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_file_is_taken_over_row_by_row_while_its_listener_goes_on() {
    let Some(both) = Both::open() else { return };
    let url = both.cluster.url();
    let other = Cluster::start(&[]).unwrap();
    let to = other.url();
    let file = both.env.path().join(".stripegym/ledger.db");
    let (from, file) = (format!("sqlite:{}", file.display()), file.to_str().unwrap());
    let story = story();
    let (before, after) = story.split_at(story.len() / 2);
    for body in before {
        assert_eq!(both.deliver(body), 200);
    }
    // Bodies in packs are taken out of them on the way.
    both.env.ok(&["ledger", "compact"]);
    both.env.ok(&["ledger", "migrate", "--from", &from, "--to", &to]);
    let journal = |env: &Env, more: &[&str]| env.ok(&[&["ledger", "export"], more].concat());
    assert_eq!(journal(&both.env, &[]), journal(&both.env, &["--ledger", &to]));
    // A server that has a ledger is not written over.
    let ran = both.env.run(&["ledger", "migrate", "--from", &from, "--to", &url]);
    assert_eq!((ran.code, ran.err.contains("ledger import")), (3, true), "{}", ran.err);
    // Another listener begins on the server, the one on the file goes on: what only that one heard is brought over.
    for body in after {
        assert_eq!(both.deliver(body), 200);
    }
    both.env.ok(&["ledger", "import", file, "--ledger", &to]);
    assert_eq!(journal(&both.env, &[]), journal(&both.env, &["--ledger", &to]));
    both.env.ok(&["ledger", "verify", "--ledger", &to]);
    let gone = both.env.run(&["ledger", "migrate", "--from", "sqlite:nowhere.db", "--to", &to]);
    assert_eq!(gone.code, 3, "{}", gone.err);
}

#[test]
fn what_happened_while_nobody_listened_is_caught_up_with_on_both_engines() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    crate::catching_up::trade(&env, &sandbox);
    let url = cluster.url();
    let pair = [cluster.database("one"), cluster.database("two")].join(";");
    let home = env.path().join(".stripegym").display().to_string();
    let on = |command: &[&str], more: &[&str]| {
        let said = env.ok(&[command, more, &["--json"]].concat());
        said.replace(&pair, &home).replace(&url, &home)
    };
    let server = ["--ledger", url.as_str()];
    let divided = ["--ledger", pair.as_str()];
    let caught = |more: &[&str]| -> Value {
        let mut said: Value = serde_json::from_str(&on(&["catch-up"], more)).unwrap();
        said.as_object_mut()
            .unwrap()
            .retain(|name, _| matches!(&**name, "events" | "fresh" | "unreadable"));
        said
    };
    let first = caught(&[]);
    assert_eq!(first, caught(&server));
    // What was settled is on the server of what it settles.
    assert_eq!(first, caught(&divided));
    assert!(first["fresh"].as_u64().unwrap() > 10, "{first}");
    // Twice changes nothing, and it goes on where it stood.
    assert_eq!(caught(&server)["fresh"], 0);
    for command in [&["ledger", "balance"][..], &["ledger", "accounts"]] {
        assert_eq!(on(command, &[]), on(command, &server), "{command:?}");
        assert_eq!(on(command, &[]), on(command, &divided), "{command:?}");
    }
    let rows = |more: &[&str]| env.ok(&[&["ledger", "show", "--format", "csv"], more].concat());
    assert!(rows(&server).lines().count() > 1 && rows(&[]) == rows(&server));
    assert_eq!(rows(&server), rows(&divided));
    for url in [&url, &pair] {
        assert_eq!(env.run(&["reconcile", "--pending", "0s", "--ledger", url]).code, 0);
        env.ok(&["ledger", "verify", "--ledger", url]);
    }
}

#[test]
fn a_team_s_own_table_on_a_server_is_graded_by_the_columns_that_it_has() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPEGYM_SANDBOX_PORT", "0");
    let url = cluster.url();
    env.ok(&["ledger", "show", "--ledger", &url]);
    // The server of a team: it writes where it likes, and calls things what it likes.
    cluster.sql("CREATE TABLE customers (id TEXT, name TEXT)");
    cluster.sql(
        "CREATE VIEW orders AS SELECT session_id AS sid, amount AS total_cents, currency AS money, status AS state, \
         to_timestamp(created) AS placed_at FROM stripegym.ledger",
    );
    let program = env!("CARGO_BIN_EXE_stripegym");
    let command =
        format!("exec '{program}' listen --port $PORT --ledger '{url}' --home own --json");
    let graded = |ledger: &str| -> Value {
        let ran =
            env.run(&["day4", "--exec", &command, "--webhook-only", "--ledger", ledger, "--json"]);
        let last = ran.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    };
    let columns = "session_id=sid&amount=total_cents&currency=money&status=state&created=placed_at";
    for table in ["", "table=orders&", "table=public.orders&"] {
        let result = graded(&format!("{url}?{table}{columns}"));
        for check in ["D4.2", "D4.3", "D4.5"] {
            assert_eq!(result["checks"][check], "pass", "{table} {result}");
        }
    }
    for (wrong, said) in [
        (format!("{url}?table=orders&session_id=sid&amount=price"), "total_cents"),
        (format!("{url}?table=absent"), "public.orders"),
        ("postgres://shop:hunter2@127.0.0.1:9/books".to_owned(), "shop@127.0.0.1:9"),
    ] {
        let result = graded(&wrong).to_string();
        assert!(result.contains(said) && !result.contains("hunter"), "{wrong} {result}");
        assert!(!result.contains(r#""D4.3":"pass""#), "{wrong} {result}");
    }
    assert_eq!(cluster.sql("SELECT count(*) FROM customers"), "0");
}
