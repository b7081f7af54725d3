//! Timed runs: rounds that take turns, so that what the machine does meanwhile hits everybody.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::http;
use crate::load::{self, Load, Outcome};
use crate::peer::{Kind, Peer};

/// How often each server is measured; the median counts.
const ROUNDS: usize = 3;
/// How long one timed run takes.
pub(crate) const TIME: Duration = Duration::from_secs(2);
/// How much may wait to be written when a timed run starts.
const DIRTY_KB_MAX: u64 = 4_096;

/// The request of a number, method and path and form, for one kind of server.
pub(crate) type Call = Arc<dyn Fn(u64) -> (String, Option<String>) + Send + Sync>;

/// A call that is the same each time.
pub(crate) fn get(path: &str) -> Call {
    let path = path.to_owned();
    Arc::new(move |_| (path.clone(), None))
}

/// A form that is posted.
pub(crate) fn post(path: &str, form: impl Fn(u64) -> String + Send + Sync + 'static) -> Call {
    let path = path.to_owned();
    Arc::new(move |number| (path.clone(), Some(form(number))))
}

/// A load on a server, as long as a timed run.
pub(crate) fn on(peer: &Peer, connections: usize, call: &Call) -> Load {
    let (kind, call) = (peer.kind, Arc::clone(call));
    Load {
        port: peer.port,
        connections,
        rate: None,
        time: TIME,
        count: u64::MAX,
        make: Arc::new(move |number, out| {
            let key = Peer::key(kind, number);
            match call(number) {
                (path, Some(form)) => http::post(out, &key, &path, &form),
                (path, None) => http::get(out, &key, &path),
            }
        }),
        see: None,
    }
}

/// Runs the loads in turn, several times; each one's median by rate, or by p99 where the rate is fixed.
pub(crate) fn rounds(loads: &[Load]) -> Vec<Outcome> {
    let mut all: Vec<Vec<Outcome>> = loads.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        for (load, outcomes) in loads.iter().zip(&mut all) {
            if round == 0 {
                let time = load.time / 8;
                load::run(&Load { time, rate: None, see: None, ..load.clone() });
            }
            settle();
            outcomes.push(load::run(load));
        }
    }
    all.into_iter()
        .zip(loads)
        .map(|(mut outcomes, load)| {
            let key =
                |it: &Outcome| if load.rate.is_some() { it.quantile_ms(0.99) } else { it.rate() };
            outcomes.sort_by(|a, b| key(a).total_cmp(&key(b)));
            let median = outcomes.swap_remove(ROUNDS / 2);
            warn(&median);
            median
        })
        .collect()
}

/// Says where requests failed: their figures are no figures.
pub(crate) fn warn(outcome: &Outcome) {
    if outcome.errors > 0 {
        let first = outcome.first_error.as_deref().unwrap_or("not sent in time");
        println!("    ! {} requests failed, the first: {first}", outcome.errors);
    }
}

/// Posts a number of times over 16 connections, as fast as it goes.
pub(crate) fn fill(peer: &Peer, count: u64, call: &Call) -> Outcome {
    let load = Load { count, time: Duration::from_mins(2), ..on(peer, 16, call) };
    let outcome = load::run(&load);
    warn(&outcome);
    outcome
}

/// One request; its body, and how long it took.
pub(crate) fn once(peer: &Peer, call: &Call) -> (String, Duration, Outcome) {
    let body = Arc::new(Mutex::new((String::new(), Instant::now())));
    let into = Arc::clone(&body);
    let mut load = Load { count: 1, time: Duration::from_secs(30), ..on(peer, 1, call) };
    load.see = Some(Arc::new(move |now, bytes| {
        *into.lock().unwrap() = (String::from_utf8_lossy(bytes).into_owned(), now);
    }));
    let outcome = load::run(&load);
    let took = Duration::from_secs_f64(outcome.quantile_ms(1.0) / 1000.0);
    let text = body.lock().unwrap().0.clone();
    (text, took, outcome)
}

/// The id of what a request made, found by how it begins.
pub(crate) fn made(peer: &Peer, path: &str, form: &str, prefix: &str) -> String {
    let form = form.to_owned();
    let (body, _, outcome) = once(peer, &post(path, move |_| form.clone()));
    let id = http::quoted(body.as_bytes(), format!("\"{prefix}").as_bytes());
    id.unwrap_or_else(|| panic!("{:?}: POST {path}: {:?} {body}", peer.kind, outcome.first_error))
}

/// Writes out what earlier runs left and waits for it: writeback lifts the next run's p99 tenfold.
pub(crate) fn settle() {
    drop(Command::new("sync").status());
    let until = Instant::now() + Duration::from_secs(1);
    while dirty_kb() > DIRTY_KB_MAX && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(100));
}

fn dirty_kb() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |line: &str| line.split_whitespace().nth(1).and_then(|it| it.parse::<u64>().ok());
    let counted = |line: &&str| line.starts_with("Dirty:") || line.starts_with("Writeback:");
    text.lines().filter(counted).filter_map(of).sum()
}

/// The same call on each of several servers.
pub(crate) fn duel(peers: &[&Peer], connections: usize, call: &Call) -> Duel {
    let loads: Vec<Load> = peers.iter().map(|peer| on(peer, connections, call)).collect();
    Duel::of(peers, rounds(&loads))
}

/// What several servers came to.
pub(crate) struct Duel {
    outcomes: Vec<(Kind, Outcome)>,
}

impl Duel {
    pub(crate) fn of(peers: &[&Peer], outcomes: Vec<Outcome>) -> Self {
        Self { outcomes: peers.iter().map(|peer| peer.kind).zip(outcomes).collect() }
    }

    pub(crate) fn get(&self, kind: Kind) -> Option<&Outcome> {
        self.outcomes.iter().find(|(it, _)| *it == kind).map(|(_, outcome)| outcome)
    }

    pub(crate) fn ours(&self) -> &Outcome {
        self.get(Kind::Ours).unwrap()
    }
}
