//! A whole trade from one number: what the provider's customers do, what the network does with its events (delays, drops,
//! repeats, reorders them, loses answers), when the power fails in the middle of a write or the file is taken away, and
//! what time it is. The merchant is the real one. Whatever is drawn: every event that was answered with 200 is in the
//! ledger, once, the ledger verifies, and in the end it says what it says when nothing goes wrong.
//!
//! A seed that fails is printed; `STRIPEGYM_SIMULATED=SEED cargo test --test it simulated` draws the same again.

use crate::env::{eventually, rounds};
use crate::http;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stripegym::parts::{
    ApiKey, Clock, Entropy, EventSink, FILE, Filter, Ledger, LedgerBatch, ListenerConfig, Running,
    SigningSecret, Stripe, TOLERANCE_S, Timestamp, Window, host, listener, sign,
};
use tokio::runtime::Runtime;

const SECRET: &str = "whsec_simulated0123456789";
const START: Timestamp = Timestamp(1_800_000_000);

/// How often an event is sent until it must have arrived.
const ATTEMPTS_MAX: u32 = 60;

/// `SplitMix64`: the only thing that draws anything here.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn size(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }
}

/// What the provider tells of a few customers, oldest first.
async fn traded(seed: u64, dice: &mut Dice, clock: &Clock) -> Vec<Value> {
    let mut options = host::Options::new(None, clock.clone(), Entropy::seeded(seed));
    options.addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = host::start(options).await.unwrap();
    let key = ApiKey::read("sk_test_stripegym0123456789").unwrap();
    let stripe = Stripe::new(sandbox.base_url(), key).unwrap();
    for _ in 0..3 + dice.below(4) {
        let amount = 500 + dice.below(9_000);
        let intent = if dice.one_in(2) {
            by_session(&stripe, amount).await
        } else {
            by_intent(&stripe, dice, amount).await
        };
        clock.advance(u32::try_from(dice.below(40)).unwrap());
        if let Some(intent) = intent {
            for _ in 0..dice.below(3) {
                let part = json!({"payment_intent": intent, "amount": 100 + dice.below(150)});
                stripe.post("/v1/refunds", &part).await.unwrap();
                clock.advance(1);
            }
        }
    }
    let mut events = stripe.events(Window::default()).rest().await.unwrap();
    events.reverse();
    sandbox.stop().await;
    events
}

async fn by_session(stripe: &Stripe, amount: u64) -> Option<Value> {
    let line = json!({"quantity": 1, "price_data": {"currency": "jpy", "unit_amount": amount,
        "product_data": {"name": "Tea"}}});
    let params = json!({"mode": "payment", "success_url": "http://localhost/success",
        "line_items": [line]});
    let session = stripe.create_session(&params).await.unwrap();
    let id = session["id"].as_str().unwrap();
    let card = json!({"payment_method": "pm_card_visa", "expected_amount": amount});
    stripe.confirm_payment_page(id, &card).await.unwrap();
    Some(stripe.session(id).await.unwrap()["payment_intent"].clone())
}

async fn by_intent(stripe: &Stripe, dice: &mut Dice, amount: u64) -> Option<Value> {
    let card = ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_createDispute"][dice.size(3)];
    let params = json!({"amount": amount, "currency": "jpy", "confirm": true, "payment_method": card,
        "automatic_payment_methods": {"enabled": true, "allow_redirects": "never"}});
    let paid = stripe.post("/v1/payment_intents", &params).await;
    paid.ok().filter(|_| card == "pm_card_visa").map(|intent| intent["id"].clone())
}

/// The merchant: its folder, and its listener while it runs.
struct Merchant {
    folder: tempfile::TempDir,
    clock: Clock,
    runtime: Runtime,
    running: Option<(Running, Arc<Ledger>, Arc<LedgerBatch>)>,
}

/// The files of a ledger as they are on the disk.
struct Image {
    file: Vec<u8>,
    log: Vec<u8>,
}

impl Merchant {
    fn new(clock: Clock) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let mut new = Self { folder: tempfile::tempdir().unwrap(), clock, runtime, running: None };
        new.start();
        new
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join(format!("{FILE}-wal"))
    }

    fn start(&mut self) {
        let ledger = Arc::new(Ledger::open(&self.path()).unwrap());
        let batch = Arc::new(ledger.writer().unwrap().start());
        let config = ListenerConfig {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            or_next: false,
            tls: None,
            secrets: vec![SigningSecret::read(SECRET).unwrap()],
            tolerance_s: TOLERANCE_S,
            forward_to: None,
            ledger: Arc::clone(&ledger),
            batch: Arc::clone(&batch),
            clock: self.clock.clone(),
            site: None,
            sink: EventSink::channel().0,
        };
        let running = self.runtime.block_on(listener::start(config)).unwrap();
        self.running = Some((running, ledger, batch));
    }

    fn stop(&mut self) {
        let (running, ledger, batch) = self.running.take().unwrap();
        self.runtime.block_on(running.stop());
        // Whoever has the file open last takes its log along: nobody may be left who does that later.
        let alone = || Arc::strong_count(&ledger) == 1 && Arc::strong_count(&batch) == 1;
        eventually("nobody has the ledger open", || alone().then_some(()));
        drop((batch, ledger));
    }

    fn ledger(&self) -> &Ledger {
        &self.running.as_ref().unwrap().1
    }

    /// Sends a body as it was signed at `signed`; the status of the answer, where one came.
    fn hear(&self, body: &[u8], signed: Timestamp) -> Option<u16> {
        let header = sign(&SigningSecret::read(SECRET).unwrap(), signed, body);
        let port = self.running.as_ref().unwrap().0.addr().port();
        let headers = [("Content-Type", "application/json"), ("Stripe-Signature", &*header)];
        http::send(port, "POST", "/webhook", &headers, body).ok().map(|reply| reply.status)
    }

    fn image(&self) -> Image {
        let read = |path: &Path| fs::read(path).unwrap_or_default();
        Image { file: read(&self.path()), log: read(&self.log()) }
    }

    /// The power fails while `body` is written: of the log there is what was flushed before, and any part of what came
    /// after. Nobody learns what became of it.
    fn lose_power(&mut self, dice: &mut Dice, body: &[u8]) {
        let before = self.image();
        self.hear(body, self.clock.now());
        let mut left = self.image();
        if left.file == before.file && left.log.starts_with(&before.log) {
            let whole = left.log.len();
            left.log.truncate(before.log.len() + dice.size(whole - before.log.len() + 1));
            if dice.one_in(3) {
                // The file was made longer, and what belongs there was not written yet.
                left.log.resize(whole, 0);
            }
        }
        self.stop();
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::remove_file(self.folder.path().join(format!("{FILE}{suffix}"))));
        }
        fs::write(self.path(), &left.file).unwrap();
        fs::write(self.log(), &left.log).unwrap();
        self.start();
    }

    /// What the ledger says, whatever way it came to it.
    fn state(&self) -> (Vec<String>, Vec<String>) {
        let rows = self.ledger().rows(&Filter::default()).unwrap().into_iter().map(|row| {
            format!(
                "{} {:?} {} {:?}",
                row.record.session_id, row.record.amount, row.refunded, row.record.status
            )
        });
        let balances = self.ledger().balances().unwrap().into_iter();
        let balances = balances
            .filter(|it| it.amount != 0)
            .map(|it| format!("{} {} {}", it.account, it.currency.code(), it.amount));
        (rows.collect(), balances.collect())
    }

    fn is_whole(&self, acknowledged: &BTreeSet<String>) {
        let kept: Vec<String> =
            self.ledger().events(u32::MAX).unwrap().into_iter().map(|it| it.id).collect();
        let each: BTreeSet<String> = kept.iter().cloned().collect();
        assert_eq!(each.len(), kept.len(), "an event is there twice");
        let lost: Vec<_> = acknowledged.difference(&each).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        assert_eq!(self.ledger().verify().unwrap().findings, []);
    }
}

/// An event on its way: when it arrives, the draw that orders what arrives at once, which it is, when it was signed.
type Packet = (u64, u64, usize, Timestamp);

/// Plays one seed; what happened, a line each.
fn play(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let clock = Clock::fixed(START);
    let mut merchant = Merchant::new(clock.clone());
    let events = {
        let Merchant { runtime, .. } = &merchant;
        runtime.block_on(traded(seed, &mut dice, &clock))
    };
    let bodies: Vec<Vec<u8>> = events.iter().map(|it| serde_json::to_vec(it).unwrap()).collect();
    let ids: Vec<String> = events.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let mut told = Vec::new();
    let mut acknowledged = BTreeSet::new();
    let mut attempts: BTreeMap<usize, u32> = BTreeMap::new();
    let mut under_way: BTreeSet<Packet> = BTreeSet::new();
    let mut now = 0;
    for at in 0..bodies.len() {
        under_way.insert((at as u64 + dice.below(30), dice.below(u64::MAX), at, clock.now()));
    }
    while let Some((due, _, at, signed)) = under_way.pop_first() {
        clock.advance(u32::try_from(due.saturating_sub(now) * dice.below(30)).unwrap());
        now = now.max(due);
        let fate = dice.below(100);
        let answer = match fate {
            0..12 => None,
            12..20 => {
                merchant.lose_power(&mut dice, &bodies[at]);
                merchant.is_whole(&acknowledged);
                None
            }
            20..23 if cfg!(target_os = "linux") && merchant.path().exists() => {
                // What stands in the file alone comes back from whoever has it open, with the next that is written: an
                // event that is signed too long ago is refused before.
                fs::remove_file(merchant.path()).unwrap();
                merchant.hear(&bodies[at], signed)
            }
            23..25 if cfg!(target_os = "linux") && merchant.log().exists() => {
                fs::remove_file(merchant.log()).unwrap();
                merchant.hear(&bodies[at], signed)
            }
            _ => merchant.hear(&bodies[at], signed),
        };
        told.push(format!("{now} {} {fate} {answer:?}", ids[at]));
        if answer == Some(200) {
            acknowledged.insert(ids[at].clone());
        }
        // An answer may be lost on its way back, and the provider may send what has arrived once more.
        let heard = answer == Some(200) && !dice.one_in(8);
        let tries = attempts.entry(at).or_default();
        *tries += 1;
        assert!(*tries < ATTEMPTS_MAX, "{} never arrives: {answer:?}", ids[at]);
        let copies = if heard { u64::from(dice.one_in(6) && *tries < 5) } else { 1 };
        for _ in 0..copies {
            // Signed when it is sent, which may be long before it arrives.
            let later = now + 1 + dice.below(20);
            under_way.insert((later, dice.below(u64::MAX), at, clock.now()));
        }
    }
    assert_eq!(acknowledged.len(), ids.iter().collect::<BTreeSet<_>>().len());
    merchant.is_whole(&acknowledged);
    let calm = Merchant::new(clock.clone());
    for body in &bodies {
        assert_eq!(calm.hear(body, clock.now()), Some(200));
    }
    assert_eq!(merchant.state(), calm.state(), "the same events, another ledger");
    // Every card may have been declined.
    let paid = events.iter().any(|it| it["type"] == "charge.succeeded");
    assert_eq!(!merchant.state().1.is_empty(), paid, "money moves where something was paid");
    told
}

/// The seed that a person asks for.
#[expect(clippy::disallowed_methods, reason = "one switch for whoever runs the tests")]
fn asked_for() -> Option<u64> {
    std::env::var("STRIPEGYM_SIMULATED").ok().map(|seed| seed.parse().expect("a number"))
}

#[test]
fn whatever_happens_on_the_way_the_ledger_ends_as_if_nothing_had() {
    let seeds = match asked_for() {
        Some(seed) => seed..seed + 1,
        None => 1..1 + rounds(20, 1_000) as u64,
    };
    let mut steps = 0;
    for seed in seeds {
        let told = std::panic::catch_unwind(|| play(seed));
        let told = told.unwrap_or_else(|_| panic!("STRIPEGYM_SIMULATED={seed} plays it again"));
        steps += told.len();
    }
    assert!(steps > 0);
}

#[test]
fn a_seed_plays_the_same_again() {
    let (one, other) = (play(77), play(77));
    assert_eq!(one, other);
}
