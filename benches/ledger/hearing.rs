//! Webhook, durable row, 200.

use crate::load::{self, Load, Outcome};
use crate::peer::{self, Peer};
use crate::{Figure, median, middle, reference};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(4);

/// Numbers that no event had before.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

fn load(peer: &Peer, connections: usize, rate: Option<u64>) -> Load {
    let (filler, begin) = (peer::filler(), NUMBERS.fetch_add(10_000_000, Ordering::Relaxed));
    Load {
        port: peer.port,
        connections,
        rate,
        time: TIME,
        count: u64::MAX,
        make: Arc::new(move |number, out| peer::request(begin + number, &filler, out)),
        see: None,
    }
}

pub(crate) fn run(peer: &Peer, connections: usize, rate: Option<u64>) -> Outcome {
    let outcome = load::run(&load(peer, connections, rate));
    if outcome.errors > 0 {
        println!("    ! {} failed, the first: {:?}", outcome.errors, outcome.first_error);
    }
    outcome
}

/// As fast as answers come.
pub(crate) fn closed(figures: &mut Vec<Figure>) {
    let ours = Peer::ours();
    let idle = ours.memory_mb();
    let [alone, batched] = [1, 256].map(|batch| median(|| reference::rows(batch)));
    let cpu = |peer: &Peer, outcome: &Outcome, before: f64| {
        (peer.cpu_s() - before) * 1e6 / outcome.done.max(1) as f64
    };
    let mut of_event = Vec::new();
    let mut tails = Vec::new();
    let many = median(|| {
        let before = ours.cpu_s();
        let outcome = run(&ours, 64, None);
        of_event.push(cpu(&ours, &outcome, before));
        tails.push(outcome.quantile_ms(0.999));
        outcome.rate()
    });
    let tail = middle(tails);
    let one = median(|| run(&ours, 1, None).rate());
    run(&ours, 256, None);
    let wide = ours.memory_mb();
    let rate = |rate: f64| format!("{rate:.0}/s");
    figures.push(
        Figure::new("64 connections, of SQLite's own at 256 a flush", rate(many)).at_least(
            rate(batched),
            many / batched,
            0.8,
        ),
    );
    figures.push(Figure::new("one connection, of SQLite's own at 1 a flush", rate(one)).at_least(
        rate(alone),
        one / alone,
        0.7,
    ));
    figures.push(
        Figure::new("64 connections, p99.9", format!("{tail:.1} ms")).below(tail, 15.0, "ms"),
    );
    figures.push(Figure::new("memory, idle", format!("{idle:.0} MB")).below(idle, 16.0, "MB"));
    figures.push(
        Figure::new("memory after 256 connections", format!("{wide:.0} MB"))
            .below(wide, 100.0, "MB"),
    );
    let log = ours.folder.path().join("ledger.db-wal").metadata().map_or(0, |about| about.len());
    let log = log as f64 / 1e6;
    figures.push(Figure::new("the log after that", format!("{log:.0} MB")).below(log, 64.0, "MB"));
    let Some(flask) = Peer::flask() else { return };
    let mut of_flask = Vec::new();
    let theirs = median(|| {
        let before = flask.cpu_s();
        let outcome = run(&flask, 16, None);
        of_flask.push(cpu(&flask, &outcome, before));
        outcome.rate()
    });
    figures.push(Figure::new("64 connections, of Flask's at 16", rate(many)).at_least(
        rate(theirs),
        many / theirs,
        14.0,
    ));
    let [own, other] = [of_event, of_flask].map(middle);
    figures.push(
        Figure::new("processor time an event, of Flask's", format!("{own:.0} µs")).at_most(
            format!("{other:.0} µs"),
            own / other,
            1.0 / 15.0,
        ),
    );
}

/// At a fixed rate.
pub(crate) fn steady(figures: &mut Vec<Figure>) {
    let ours = Peer::ours();
    let flush = median(reference::flush_ms);
    let p99 = |rate: u64| median(|| run(&ours, 64, Some(rate)).quantile_ms(0.99));
    let slow = p99(1_000);
    figures.push(
        Figure::new("1,000 a second, p99, of an append and flush", format!("{slow:.2} ms"))
            .at_most(format!("{flush:.2} ms"), slow / flush, 10.0),
    );
    let fast = p99(5_000);
    figures
        .push(Figure::new("5,000 a second, p99", format!("{fast:.2} ms")).below(fast, 5.0, "ms"));
}
