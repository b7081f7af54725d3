//! Sign-ups a second: customer, payment method, attach and subscription, four calls one after the other, over one
//! connection and over sixteen. `cargo bench --bench signups`; `STRIPEGYM_BENCH_PEER=http://127.0.0.1:8000/worlds/bench` measures another
//! emulator at that address with the same client in the same run. `stripe_world` needs Python 3.14 and is started by
//! hand; without a peer ours stands alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::float_arithmetic,
    reason = "a bench prints what it measured and stops at the unexpected"
)]

mod host;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(4);
const KEY: &str = "sk_test_stripegymBench12345678";

/// One connection to an emulator, and the path at which its API begins.
struct Client {
    stream: BufReader<TcpStream>,
    authority: String,
    root: String,
}

impl Client {
    fn new(base: &str) -> Self {
        let rest = base.strip_prefix("http://").unwrap();
        let (authority, root) = rest.split_once('/').unwrap_or((rest, ""));
        let root = if root.is_empty() { String::new() } else { format!("/{root}") };
        let stream = TcpStream::connect(authority).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), authority: authority.to_owned(), root }
    }

    /// Posts a form; the answer's id.
    fn post(&mut self, path: &str, body: &str) -> String {
        let Self { authority, root, .. } = self;
        let request = format!(
            "POST {root}/v1/{path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {KEY}\r\n\
             Stripe-Version: 2026-08-26.dahlia\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let answer = self.answer();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Reads one answer, which must be a success.
    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status = line.clone();
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if line.to_ascii_lowercase().starts_with("content-length:") {
                length = line[15..].trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        assert_eq!(status.get(9..12), Some("200"), "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

/// How many sign up at once.
const CROWDS: [usize; 2] = [1, 16];

/// Sign-ups a second of so many connections.
fn sign_ups(base: &str, connections: usize) -> f64 {
    let mut client = Client::new(base);
    let product = client.post("products", "name=Tea");
    let price =
        format!("currency=usd&unit_amount=2000&recurring[interval]=month&product={product}");
    let price = client.post("prices", &price);
    let started = Instant::now();
    let counts: Vec<u32> = thread::scope(|scope| {
        let crowd = (0..connections).map(|_| scope.spawn(|| sign_up_until(base, &price, started)));
        crowd.collect::<Vec<_>>().into_iter().map(|one| one.join().unwrap()).collect()
    });
    f64::from(counts.iter().sum::<u32>()) / started.elapsed().as_secs_f64()
}

/// How many sign-ups one connection gets done in the time.
fn sign_up_until(base: &str, price: &str, started: Instant) -> u32 {
    let mut client = Client::new(base);
    let mut count = 0;
    while started.elapsed() < TIME {
        let customer = client.post("customers", "email=a%40example.com&name=Aki");
        let method = client.post("payment_methods", "type=card&card[token]=tok_visa");
        client.post(&format!("payment_methods/{method}/attach"), &format!("customer={customer}"));
        let asked =
            format!("customer={customer}&items[0][price]={price}&default_payment_method={method}");
        client.post("subscriptions", &asked);
        count += 1;
    }
    count
}

/// The rates of all crowds, printed.
fn rates(name: &str, base: &str) -> [f64; 2] {
    CROWDS.map(|connections| {
        let rate = sign_ups(base, connections);
        println!("{name:<24} {connections:>2} connections {rate:>9.0} sign-ups/s");
        rate
    })
}

fn ours(name: &str, more: &[&str]) -> [f64; 2] {
    let host::Host { mut child, mut out, ready, home } = host::start(more);
    let after = ready.split("http://127.0.0.1:").nth(1).unwrap();
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    // Whatever else it says must not fill the pipe.
    thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let rates = rates(name, &format!("http://127.0.0.1:{port}"));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(home);
    rates
}

#[expect(clippy::disallowed_methods, reason = "a bench has no settings but its arguments and this")]
fn main() {
    let ours = [ours("stripegym, on disk", &[]), ours("stripegym, in memory", &["--ephemeral"])];
    let Ok(peer) = std::env::var("STRIPEGYM_BENCH_PEER") else {
        println!("no peer: STRIPEGYM_BENCH_PEER names the address of one that runs");
        return;
    };
    let base = rates("the peer", &peer);
    for (name, rates) in ["on disk", "in memory"].into_iter().zip(ours) {
        for ((rate, base), connections) in rates.into_iter().zip(base).zip(CROWDS) {
            println!("{name:<24} {connections:>2} connections {:>9.1} ×", rate / base);
        }
    }
}
