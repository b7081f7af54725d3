//! The ledger on PostgreSQL: beside what pgbench stores with 64 clients, on two servers beside one, over the change to a standby, and a comparison on
//! the server beside the same one here. Clusters are private, in a folder of their own, with everything flushed.

use crate::cluster::Cluster;
use crate::hearing::run;
use crate::peer::{self, Peer, program, timed};
use crate::{Figure, median};
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

const SETTINGS: [&str; 4] = [
    "shared_buffers = '256MB'",
    "max_wal_size = '4GB'",
    "max_connections = 200",
    "synchronous_commit = on",
];

/// Rows of a comparison.
const ROWS: u64 = 1_000_000;

fn cluster() -> Option<Cluster> {
    let cluster = Cluster::start(&SETTINGS);
    if cluster.is_none() {
        println!("    there is no PostgreSQL: nothing of it is measured");
    }
    cluster
}

/// Transactions a second of pgbench with 64 clients, each of an event with its 3 KB and a row of five columns: PG.
fn reference(cluster: &Cluster) -> f64 {
    cluster.sql(
        "DROP TABLE IF EXISTS event, ledger; DROP SEQUENCE IF EXISTS numbers; CREATE SEQUENCE numbers; \
         CREATE TABLE event (id TEXT PRIMARY KEY, body BYTEA NOT NULL); \
         ALTER TABLE event ALTER COLUMN body SET STORAGE EXTERNAL; \
         CREATE TABLE ledger (session_id TEXT PRIMARY KEY, amount BIGINT, currency TEXT, status TEXT, created BIGINT)",
    );
    let flags = ["-n", "-c", "64", "-j", "2", "-T", "4", "-M", "prepared"];
    let said = cluster.bench(include_str!("ins.sql"), &flags);
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    rate.unwrap().parse().unwrap()
}

/// Webhooks to durable rows on a server.
pub(crate) fn webhooks(figures: &mut Vec<Figure>) {
    let (Some(theirs), Some(cluster)) = (cluster(), cluster()) else { return };
    let pg = median(|| reference(&theirs));
    // Its server has work of its own to do behind them.
    drop(theirs);
    let ours = Peer::ours_with(&["--ledger", &cluster.url()]);
    let many = median(|| run(&ours, 64, None).rate());
    let rate = |rate: f64| format!("{rate:.0}/s");
    figures.push(
        Figure::new(
            "webhook to PostgreSQL, 64 connections, of pgbench's with 64 clients",
            rate(many),
        )
        .at_least(rate(pg), many / pg, 1.0),
    );
    let one = median(|| run(&ours, 1, None).rate());
    figures.push(Figure::new("the same, one connection", rate(one)));
    let Some(flask) = Peer::flask() else { return };
    let theirs = median(|| run(&flask, 16, None).rate());
    figures.push(
        Figure::new("webhook to PostgreSQL, 64 connections, of Flask's at 16", rate(many))
            .at_least(rate(theirs), many / theirs, 6.0),
    );
}

/// Webhooks a second to durable rows on so many new servers of this machine, once what others left for the disk is there.
fn on_servers(servers: usize, connections: usize) -> Option<f64> {
    let synced = Command::new("sync").status();
    assert!(synced.is_ok_and(|it| it.success()), "the disk is behind");
    let clusters: Vec<Cluster> = (0..servers).map(|_| cluster()).collect::<Option<_>>()?;
    let url = clusters.iter().map(Cluster::url).collect::<Vec<_>>().join(";");
    let ours = Peer::ours_with(&["--ledger", &url]);
    let rate = run(&ours, connections, None).rate();
    let count = |it: &Cluster| it.sql("SELECT count(*) FROM stripegym.events");
    let counts: Vec<String> = clusters.iter().map(count).collect();
    println!("    {servers} servers, {connections} connections: {} events", counts.join(" + "));
    Some(rate)
}

/// Webhooks to durable rows on two servers, beside the same on one of this machine.
pub(crate) fn shards(figures: &mut Vec<Figure>) {
    for connections in [64, 256] {
        // By turns, each on servers of its own: one that has just been filled has work to do behind its answers.
        let (mut of_one, mut of_two) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (Some(one), Some(two)) = (on_servers(1, connections), on_servers(2, connections))
            else {
                return;
            };
            of_one.push(one);
            of_two.push(two);
        }
        let (one, two) = (crate::middle(of_one), crate::middle(of_two));
        let what =
            format!("webhook to two PostgreSQL servers, {connections} connections, of one's");
        figures.push(Figure {
            reference: format!("{one:.0}/s"),
            ratio: Some(two / one),
            ..Figure::new(what, format!("{two:.0}/s"))
        });
    }
}

/// Webhooks to durable rows on a server and on its standby, which each answer waits for; and from the end of the primary to
/// the first webhook that the standby took.
pub(crate) fn failover(figures: &mut Vec<Figure>) {
    let (mut times, mut many, mut one) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let Some(primary) = cluster() else { return };
        let standby = primary.standby();
        let ours = Peer::ours_with(&["--ledger", &primary.url_with(&standby)]);
        assert_eq!(peer::post(&ours, 1), 200);
        many.push(run(&ours, 64, None).rate());
        one.push(run(&ours, 1, None).rate());
        let began = Instant::now();
        primary.kill();
        standby.promote();
        let mut number = 2;
        while peer::post(&ours, number) != 200 {
            assert!(began.elapsed() < Duration::from_mins(1), "the standby never took a webhook");
            number += 1;
        }
        times.push(began.elapsed().as_secs_f64());
    }
    for (what, rates) in [("64 connections", many), ("one connection", one)] {
        let rate = crate::middle(rates);
        figures.push(Figure::new(
            format!("webhook to PostgreSQL with a standby that is waited for, {what}"),
            format!("{rate:.0}/s"),
        ));
    }
    let time = crate::middle(times);
    figures.push(Figure::new(
        "primary killed, standby promoted: until the first 200",
        format!("{time:.2} s"),
    ));
}

/// A million rows on the server against a million of a file, compared there and here.
pub(crate) fn joined(figures: &mut Vec<Figure>) {
    let Some(cluster) = cluster() else { return };
    let (url, folder) = (cluster.url(), tempfile::tempdir().unwrap());
    let command = |args: &[&str]| -> Command {
        let mut command = program();
        let home = folder.path().join("home");
        command.args(args).current_dir(folder.path()).env("STRIPEGYM_HOME", home);
        command
    };
    timed(command(&["ledger", "show", "--ledger", &url]));
    cluster.sql(&format!(
        "INSERT INTO stripegym.ledger SELECT 'cs_' || n, 500 + n % 900 + (n % 1000 = 7)::int, 'jpy', 'paid', 'paid', 0, \
         1700000000 + n, 1700000000 + n, 'pi_' || n, 'evt_' || n FROM generate_series(0, {ROWS} - 1) AS n; \
         ANALYZE stripegym.ledger"
    ));
    let mut text = "id,payment_intent,amount,currency,status,amount_refunded,created\n".to_owned();
    for n in 0..ROWS {
        let (amount, created) = (500 + n % 900, 1_700_000_000 + n);
        writeln!(text, "ch_{n},pi_{n},{amount},jpy,succeeded,0,{created}").unwrap();
    }
    std::fs::write(folder.path().join("theirs.csv"), text).unwrap();
    let compared = |more: &[&str]| {
        let flags =
            ["reconcile", "--ledger", &url, "--theirs", "csv:theirs.csv", "--only-differences"];
        let written = ["--format", "csv", "--output", "found.csv"];
        let (took, _) = timed(command(&[&flags[..], &written, more].concat()));
        let found = std::fs::read_to_string(folder.path().join("found.csv")).unwrap();
        assert_eq!(
            found.lines().count() as u64 - 1,
            ROWS / 1_000,
            "each row that is wrong and no other"
        );
        took
    };
    let there = median(|| compared(&[]));
    let here = median(|| compared(&["--in-process"]));
    figures.push(
        Figure::new(
            "1,000,000 rows on PostgreSQL × 1,000,000 from CSV, compared on the server",
            format!("{there:.2} s"),
        )
        .at_most(format!("{here:.2} s, compared here"), there / here, 1.0),
    );
}
