//! What is measured on servers that start empty.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::http;
use crate::load::{self, Load};
use crate::measure::{self, Call, Duel, TIME};
use crate::peer::{Kind, Peer};
use crate::receiver;
use crate::table::{Row, per_second, thousands};

/// A customer as tests make them: name, e-mail, a key of metadata that one in five shares.
pub(crate) fn customer() -> Call {
    measure::post("/v1/customers", |number| {
        format!("name=Aki+Sato&email=aki{number}%40example.com&metadata[plan]=p{}", number % 5)
    })
}

/// A row of rates: ours, emulate's, their ratio, the limit, our latencies.
pub(crate) fn rates(what: &'static str, goal: &'static str, duel: &Duel) -> Row {
    let ours = duel.ours();
    let mut row = Row::new(what, goal)
        .ours(per_second(ours.rate()))
        .latency(ours.quantile_ms(0.5), ours.quantile_ms(0.99));
    if let Some(emulate) = duel.get(Kind::Emulate) {
        row = row.emulate(per_second(emulate.rate())).ratio(ours.rate() / emulate.rate());
    }
    if let Some(bare) = duel.get(Kind::Bare) {
        row = row.bare(per_second(bare.rate()));
    }
    row
}

/// Whether our rate is that many times emulate's; unknown without it.
fn beats(row: Row, duel: &Duel, times: f64) -> Row {
    match duel.get(Kind::Emulate) {
        Some(emulate) => row.reached(duel.ours().rate() >= times * emulate.rate()),
        None => row,
    }
}

pub(crate) fn customers(rows: &mut Vec<Row>) {
    let (ours, emulate, bare) = (Peer::ours(), Peer::emulate(), Peer::bare());
    let peers: Vec<&Peer> =
        [Some(&ours), emulate.as_ref(), Some(&bare)].into_iter().flatten().collect();
    let call = customer();
    let many = measure::duel(&peers, 16, &call);
    rows.push(beats(rates("POST customers, 16 connections", "≥ 2 × emulate", &many), &many, 2.0));
    let one = measure::duel(&peers, 1, &call);
    rows.push(beats(rates("POST customers, 1 connection", "≥ 2 × emulate", &one), &one, 2.0));
    // Fresh ones: what is due 5,000 times a second must not depend on what the rounds before left.
    drop((ours, emulate));
    let (ours, emulate) = (Peer::ours(), Peer::emulate());
    let peers: Vec<&Peer> =
        [Some(&ours), emulate.as_ref(), Some(&bare)].into_iter().flatten().collect();
    let loads: Vec<Load> = peers
        .iter()
        .map(|peer| Load { rate: Some(5_000), ..measure::on(peer, 64, &call) })
        .collect();
    let fixed = Duel::of(&peers, measure::rounds(&loads));
    let p99 = |kind| fixed.get(kind).map(|it| format!("{:.1} ms", it.quantile_ms(0.99)));
    let ours = fixed.ours();
    let (p50, p99_ms) = (ours.quantile_ms(0.5), ours.quantile_ms(0.99));
    rows.push(
        Row::new("POST customers at 5,000/s: p99", "≤ 5 ms")
            .ours(format!("{p99_ms:.1} ms"))
            .emulate(p99(Kind::Emulate).unwrap_or("–".to_owned()))
            .bare(p99(Kind::Bare).unwrap_or_default())
            .latency(p50, p99_ms)
            .reached(p99_ms <= 5.0 && ours.errors == 0),
    );
}

pub(crate) fn checkout(rows: &mut Vec<Row>) {
    let (ours, emulate, bare) = (Peer::ours(), Peer::emulate(), Peer::bare());
    let peers: Vec<&Peer> =
        [Some(&ours), emulate.as_ref(), Some(&bare)].into_iter().flatten().collect();
    let loads: Vec<Load> = peers
        .iter()
        .map(|peer| {
            let price = if peer.kind == Kind::Bare { "price_x".to_owned() } else { price(peer) };
            let form = format!(
                "mode=payment&line_items[0][price]={price}&line_items[0][quantity]=2\
                 &success_url=https%3A%2F%2Fexample.com%2Fok&metadata[order]=1001"
            );
            measure::on(peer, 16, &measure::post("/v1/checkout/sessions", move |_| form.clone()))
        })
        .collect();
    let duel = Duel::of(&peers, measure::rounds(&loads));
    let row = rates("POST checkout sessions, 16 connections", "≥ 1.5 × emulate", &duel);
    rows.push(beats(row, &duel, 1.5));
}

fn price(peer: &Peer) -> String {
    let product = measure::made(peer, "/v1/products", "name=Tea", "prod_");
    let form = format!("currency=usd&unit_amount=500&product={product}");
    measure::made(peer, "/v1/prices", &form, "price_")
}

/// Lists of ten where there are a hundred; where there are more, [`crate::grown`] measures.
pub(crate) fn small_lists(rows: &mut Vec<Row>) {
    let (ours, emulate, bare) = (Peer::ours(), Peer::emulate(), Peer::bare());
    let peers: Vec<&Peer> =
        [Some(&ours), emulate.as_ref(), Some(&bare)].into_iter().flatten().collect();
    for peer in peers.iter().filter(|peer| peer.kind != Kind::Bare) {
        measure::fill(peer, 100, &customer());
    }
    let duel = measure::duel(&peers, 16, &measure::get("/v1/customers?limit=10"));
    let row = rates("list 10 of 100 customers, 16", "≥ 25,000/s", &duel);
    rows.push(row.reached(duel.ours().rate() >= 25_000.0));
}

/// How many worlds are made.
const WORLDS: u64 = 500;

pub(crate) fn worlds(rows: &mut Vec<Row>) {
    let ours = Peer::ours();
    let first = Row::new("first request of a new world: p99", "≤ 2 ms");
    let idle = Row::new("memory of an idle world", "≤ 100 KB");
    let call: Call = Arc::new(|number| {
        (format!("/worlds/bench{number}/v1/customers"), Some("name=Aki".to_owned()))
    });
    let (_, _, probe) = measure::once(&ours, &call);
    if probe.errors > 0 {
        let text = probe.first_error.unwrap_or_default();
        let said = if text.starts_with("404") { "not there" } else { "failed" };
        rows.extend([first.ours(said).reached(false), idle.ours(said).reached(false)]);
        return;
    }
    let before = ours.memory();
    // The probe made number nought.
    let shifted: Call = Arc::new(move |number| call(number + 1));
    let time = Duration::from_secs(30);
    let outcome = load::run(&Load { count: WORLDS, time, ..measure::on(&ours, 1, &shifted) });
    measure::warn(&outcome);
    let (p50, p99) = (outcome.quantile_ms(0.5), outcome.quantile_ms(0.99));
    let first = first.ours(format!("{p99:.2} ms")).latency(p50, p99);
    rows.push(first.reached(p99 <= 2.0 && outcome.errors == 0));
    rows.push(match (before, ours.memory()) {
        (Some(before), Some(after)) => {
            let each = after.saturating_sub(before) as f64 / WORLDS as f64 / 1024.0;
            idle.ours(format!("{each:.1} KB")).reached(each <= 100.0)
        }
        _ => idle,
    });
}

/// How many events are sent as fast as it goes.
const EVENTS: usize = 15_000;
const EVENTS_TIME: Duration = Duration::from_secs(15);

pub(crate) fn deliveries(rows: &mut Vec<Row>) {
    let flat_out = Row::new("events delivered to one endpoint", "≥ 3,000/s");
    let (ours, arrivals) = subscribed();
    measure::settle();
    let started = Instant::now();
    measure::fill(&ours, EVENTS as u64, &customer());
    let most = EVENTS_TIME.saturating_sub(started.elapsed());
    let count = receiver::wait(&arrivals, EVENTS, most);
    let last = arrivals.lock().unwrap().values().max().copied().unwrap_or(started);
    let rate = count as f64 / last.duration_since(started).as_secs_f64().max(1e-9);
    let missing = EVENTS - count.min(EVENTS);
    let text = if missing == 0 {
        per_second(rate)
    } else {
        format!("{}, {} late", per_second(rate), thousands(missing as f64))
    };
    rows.push(flat_out.ours(text).reached(rate >= 3_000.0 && missing == 0));
    drop(ours);

    let (ours, arrivals) = subscribed();
    measure::settle();
    let answered: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let into = Arc::clone(&answered);
    let mut load =
        Load { rate: Some(1_000), time: TIME * 2, ..measure::on(&ours, 32, &customer()) };
    load.see = Some(Arc::new(move |now, body| {
        if let Some(id) = http::quoted(body, b"\"cus_") {
            into.lock().unwrap().insert(id, now);
        }
    }));
    measure::warn(&load::run(&load));
    let answered = answered.lock().unwrap();
    let count = receiver::wait(&arrivals, answered.len(), EVENTS_TIME);
    let arrivals = arrivals.lock().unwrap();
    let mut waits: Vec<f64> = answered
        .iter()
        .filter_map(|(id, at)| Some(arrivals.get(id)?.saturating_duration_since(*at)))
        .map(|wait| wait.as_secs_f64() * 1000.0)
        .collect();
    waits.sort_by(f64::total_cmp);
    let at = |part: usize| waits.get(waits.len() * part / 100).copied().unwrap_or(f64::INFINITY);
    let missing = answered.len() - count.min(answered.len());
    let mut text = format!("{:.1} ms", at(99));
    if missing > 0 {
        text = format!("{text}, {missing} late");
    }
    rows.push(
        Row::new("answer to delivery at 1,000/s: p99", "≤ 50 ms")
            .ours(text)
            .latency(at(50), at(99))
            .reached(at(99) <= 50.0 && missing == 0),
    );
}

/// A sandbox that sends an endpoint of ours what happens to customers.
fn subscribed() -> (Peer, receiver::Arrivals) {
    let (port, arrivals) = receiver::start();
    let ours = Peer::ours();
    let form =
        format!("url=http%3A%2F%2F127.0.0.1%3A{port}%2Fhook&enabled_events[]=customer.created");
    measure::made(&ours, "/v1/webhook_endpoints", &form, "we_");
    (ours, arrivals)
}
