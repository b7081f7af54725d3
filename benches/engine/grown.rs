//! What is measured on a store of 100,000 objects: made once, through the API.

use std::thread;
use std::time::{Duration, Instant};

use crate::http;
use crate::load::{self, Load};
use crate::measure::{self, Call};
use crate::peer::{Kind, Peer};
use crate::sections::{customer, rates};
use crate::table::{Row, per_second, thousands};

/// The parts, by the names that select them.
pub(crate) const PARTS: [&str; 6] = ["memory", "start", "grown", "filters", "search", "beside"];

const OBJECTS: u64 = 100_000;
/// How many customers the payments are spread over.
const PAYERS: usize = 100;
/// How often the start is timed.
const STARTS: usize = 3;

pub(crate) fn measure(rows: &mut Vec<Row>, wanted: &dyn Fn(&str) -> bool) {
    println!("filling with {} customers …", thousands(OBJECTS as f64));
    let mut ours = Peer::ours();
    measure::fill(&ours, 100, &customer());
    let before = ours.memory();
    let filled = measure::fill(&ours, OBJECTS, &customer());
    println!("    ours in {:.1} s", filled.elapsed.as_secs_f64());
    if wanted("memory") {
        rows.push(memory(before, ours.memory(), filled.done));
    }
    if wanted("start") {
        println!("start …");
        ours = start(rows, ours);
    }
    // Beside the lists alone: nothing else of it is compared at that size.
    let emulate = if wanted("grown") || wanted("filters") { Peer::emulate() } else { None };
    if let Some(emulate) = &emulate {
        let filled = measure::fill(emulate, OBJECTS, &customer());
        println!("    emulate in {:.1} s", filled.elapsed.as_secs_f64());
    }
    let bare = Peer::bare();
    let peers: Vec<&Peer> =
        [Some(&ours), emulate.as_ref(), Some(&bare)].into_iter().flatten().collect();
    if wanted("grown") {
        println!("grown …");
        let duel = measure::duel(&peers, 16, &measure::get("/v1/customers?limit=10"));
        let row = rates("list 10 of 100,000 customers, 16", "≥ 25,000/s", &duel);
        rows.push(row.reached(duel.ours().rate() >= 25_000.0));
        rows.push(flat(&ours));
    }
    let by_email: Call = std::sync::Arc::new(|number| {
        let one = number.wrapping_mul(7_919) % OBJECTS;
        (format!("/v1/customers?email=aki{one}%40example.com&limit=10"), None)
    });
    if wanted("filters") {
        println!("filters …");
        let duel = measure::duel(&peers, 16, &by_email);
        let row = rates("list by e-mail at 100,000, 16", "≥ 20,000/s", &duel);
        rows.push(row.reached(duel.ours().rate() >= 20_000.0));
    }
    if wanted("search") {
        println!("search …");
        search(rows, &ours);
    }
    if wanted("filters") {
        by_customer(rows, &ours);
    }
    drop(emulate);
    if wanted("beside") {
        println!("beside …");
        rows.push(beside(&ours, &by_email));
    }
}

fn memory(before: Option<u64>, after: Option<u64>, objects: u64) -> Row {
    let row = Row::new("memory of 100,000 customers + events", "≤ 250 MB");
    let (Some(before), Some(after)) = (before, after) else { return row };
    let grown = after.saturating_sub(before) as f64;
    let each = grown / objects as f64;
    row.ours(format!("{:.0} MB, {} B each", grown / 1e6, thousands(each)))
        .reached(grown <= 250e6 && objects == OBJECTS)
}

/// Times the start on the folder; the last one goes on serving.
fn start(rows: &mut Vec<Row>, ours: Peer) -> Peer {
    let mut times = Vec::new();
    let mut peer = ours;
    for _ in 0..STARTS {
        let home = peer.stop();
        measure::settle();
        let started = Instant::now();
        peer = Peer::ours_in(home);
        times.push(started.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let median = times[STARTS / 2];
    let row = Row::new("start to Ready with 100,000 customers", "≤ 0.4 s");
    rows.push(row.ours(format!("{median:.2} s")).reached(median <= 0.4));
    peer
}

/// The rate at 100,000 as a part of the rate at 100, both in turn.
fn flat(ours: &Peer) -> Row {
    let small = Peer::ours();
    measure::fill(&small, 100, &customer());
    let call = measure::get("/v1/customers?limit=10");
    let loads = [measure::on(ours, 16, &call), measure::on(&small, 16, &call)];
    let outcomes = measure::rounds(&loads);
    let part = outcomes[0].rate() / outcomes[1].rate();
    Row::new("list rate at 100,000 to the one at 100", "≥ 0.8")
        .ours(format!("{part:.2}"))
        .reached(part >= 0.8)
}

fn by_customer(rows: &mut Vec<Row>, ours: &Peer) {
    let payers: Vec<String> = (0..PAYERS)
        .map(|at| measure::made(ours, "/v1/customers", &format!("name=Payer+{at}"), "cus_"))
        .collect();
    println!("filling with {} payments …", thousands(OBJECTS as f64));
    let of = payers.clone();
    let form = move |number: u64| {
        let payer = &of[number as usize % PAYERS];
        format!("amount=500&currency=usd&customer={payer}")
    };
    measure::fill(ours, OBJECTS, &measure::post("/v1/payment_intents", form));
    let call: Call = std::sync::Arc::new(move |number| {
        let payer = &payers[number as usize % PAYERS];
        (format!("/v1/payment_intents?customer={payer}&limit=10"), None)
    });
    let duel = measure::duel(&[ours], 16, &call);
    let row = rates("payments of a customer at 100,000, 16", "≥ 20,000/s", &duel);
    rows.push(row.reached(duel.ours().rate() >= 20_000.0));
}

/// The page that must be as fast as the first.
const PAGE: usize = 1_000;
const WALK_TIME: Duration = Duration::from_secs(20);

fn search(rows: &mut Vec<Row>, ours: &Peer) {
    // One customer in five, so that there are 2,000 pages.
    let path = "/v1/customers/search?query=metadata%5B%27plan%27%5D%3A%27p1%27&limit=10";
    let first = measure::get(path);
    let row = Row::new("search at 100,000, page 1,000", "≥ 0.8 of page 1");
    let until = Instant::now() + WALK_TIME;
    let mut page = path.to_owned();
    for at in 1..PAGE {
        if Instant::now() >= until {
            rows.push(row.ours(format!("page {at} in {WALK_TIME:?}")).reached(false));
            return;
        }
        let (body, _, _) = measure::once(ours, &measure::get(&page));
        let Some(token) = next_page(&body) else {
            rows.push(row.ours(format!("no page after {at}")).reached(false));
            return;
        };
        page = format!("{path}&page={token}");
    }
    // In turns: what the machine does meanwhile must not hit one of them alone.
    let loads = [first, measure::get(&page)].map(|call| measure::on(ours, 16, &call));
    let outcomes = measure::rounds(&loads);
    let shown = |row: Row, outcome: &load::Outcome| {
        row.ours(per_second(outcome.rate()))
            .latency(outcome.quantile_ms(0.5), outcome.quantile_ms(0.99))
    };
    let [first_rate, rate] = [outcomes[0].rate(), outcomes[1].rate()];
    let first = Row::new("search at 100,000, page 1", "≥ 5,000/s");
    rows.push(shown(first, &outcomes[0]).reached(first_rate >= 5_000.0));
    let reached = rate >= 0.8 * first_rate && rate >= 5_000.0;
    rows.push(shown(row, &outcomes[1]).reached(reached));
}

/// The token in an answer, with what a query must escape escaped.
fn next_page(body: &str) -> Option<String> {
    let at = http::find(body.as_bytes(), b"\"next_page\"")?;
    let token = body.get(at..)?.split('"').nth(3)?;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escaped = |byte: u8| {
        if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let after = body.get(at + 12..)?.trim_start();
    (!after.starts_with("null")).then(|| token.bytes().map(escaped).collect())
}

/// How many filtered lists a second stand beside the posts.
const BESIDE: u64 = 5_000;

fn beside(ours: &Peer, lists: &Call) -> Row {
    let posts = measure::on(ours, 16, &customer());
    let alone = measure::rounds(std::slice::from_ref(&posts))[0].rate();
    let reads = Load { rate: Some(BESIDE), ..measure::on(ours, 32, lists) };
    measure::settle();
    let reading = thread::spawn(move || load::run(&reads));
    let posted = load::run(&posts);
    let read = reading.join().unwrap();
    measure::warn(&posted);
    let part = 100.0 * posted.rate() / alone;
    let kept = read.done as f64 / (BESIDE * measure::TIME.as_secs()) as f64;
    let mut text = format!("{part:.0} %");
    if kept < 0.95 {
        text = format!("{text}, {:.0} % of the lists", kept * 100.0);
    }
    let row = Row::new("POST rate beside 5,000 lists/s", "≥ 70 %");
    row.ours(text)
        .latency(posted.quantile_ms(0.5), posted.quantile_ms(0.99))
        .reached(part >= 70.0 && kept >= 0.95 && ours.kind == Kind::Ours)
}
