//! How long the merchant's application keeps a visitor waiting under 200 requests a second, beside a plain Express shop:
//! its price list, the page of who is signed in, and webhooks, each on disk before its answer. Signing in, which hashes on
//! purpose, is done before. `cargo bench --bench shop`; Express comes from `target/conformance/track/node/node_modules`
//! (pinned by `lessons/track/node/solution/package-lock.json`), or from where `STRIPEGYM_BENCH_MODULES` says.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a bench prints what it measured and stops at the unexpected"
)]

#[path = "../host/mod.rs"]
mod host;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use stripegym::parts::{Clock, SigningSecret, sign};

/// How often something is asked, for how long, and over how many connections.
const RATE: u32 = 200;
const SECONDS: u32 = 20;
const CONNECTIONS: u32 = 20;
/// What is left out at the beginning, while files are made and code is compiled.
const WARM_UP: u32 = RATE * 2;

const SECRET: &str = "whsec_stripegymBench";
/// What a request may take at the 99th percentile.
const LIMIT: Duration = Duration::from_millis(20);

/// A shop that runs, and what is asked of it.
struct Shop {
    name: &'static str,
    port: u16,
    cookie: String,
    prices: &'static str,
    account: &'static str,
    webhook: &'static str,
}

/// A connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends one request; the status, the head and the body.
    fn send(&mut self, head: &str, body: &str) -> (u16, String, String) {
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the connection was closed");
            if line.trim().is_empty() {
                break;
            }
            if line.to_ascii_lowercase().starts_with("content-length:") {
                length = line[15..].trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (head[9..12].parse().unwrap(), head, String::from_utf8_lossy(&body).into_owned())
    }
}

fn head(method: &str, path: &str, port: u16, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n{more}")
}

/// A webhook that nobody has sent before.
fn webhook(shop: &Shop, number: u32) -> (String, String) {
    let now = Clock::system().now();
    let body = format!(
        "{{\"id\":\"evt_{}{number}\",\"object\":\"event\",\"type\":\"customer.updated\",\"created\":{},\
         \"livemode\":false,\"api_version\":\"2026-10-28.endive\",\"data\":{{\"object\":{{\"id\":\"cus_{number}\",\
         \"object\":\"customer\",\"email\":\"ann@example.com\",\"metadata\":{{}}}}}}}}",
        shop.name.to_lowercase(),
        now.0,
    );
    let secret = SigningSecret::read(SECRET).unwrap();
    let signed = sign(&secret, now, body.as_bytes());
    let more = format!("Content-Type: application/json\r\nStripe-Signature: {signed}\r\n");
    (head("POST", shop.webhook, shop.port, &more), body)
}

/// The `number`th request: four of ten read prices, four their account, two are webhooks.
fn ask(shop: &Shop, client: &mut Client, number: u32) {
    let (head, body) = match number % 10 {
        0..4 => (head("GET", shop.prices, shop.port, ""), String::new()),
        4..8 => {
            let cookie = format!("Cookie: {}\r\n", shop.cookie);
            (head("GET", shop.account, shop.port, &cookie), String::new())
        }
        _ => webhook(shop, number),
    };
    let (status, _, said) = client.send(&head, &body);
    assert_eq!(status, 200, "{}: {head}{said}", shop.name);
}

/// How long each request took from the instant at which it was to be sent: who is late makes those behind wait.
fn measure(shop: &Shop) -> Vec<Duration> {
    let between = Duration::from_secs(1) / RATE;
    let began = Instant::now() + Duration::from_millis(100);
    let one = |own: u32| {
        let mut client = Client::new(shop.port);
        let mut took = Vec::new();
        for number in (own..RATE * SECONDS).step_by(CONNECTIONS as usize) {
            let due = began + between * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            ask(shop, &mut client, number);
            if number >= WARM_UP {
                took.push(due.elapsed());
            }
        }
        took
    };
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let all: Vec<_> = (0..CONNECTIONS).map(|own| scope.spawn(move || one(own))).collect();
        all.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    took.sort_unstable();
    took
}

fn report(shop: &Shop) -> Duration {
    let took = measure(shop);
    let at = |hundredths: usize| took[(took.len() - 1) * hundredths / 100];
    let [half, most, last] = [at(50), at(99), at(100)].map(|it| it.as_micros());
    println!(
        "{:<10} {RATE} requests/s for {SECONDS} s: p50 {half} µs, p99 {most} µs, slowest {last} µs",
        shop.name
    );
    at(99)
}

/// Waits for the line with an address.
fn address(child: &mut Child) -> u16 {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("http://127.0.0.1:") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "ended before it was ready");
    }
    // Whatever else it says must not fill the pipe.
    thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let rest = line.split("http://127.0.0.1:").nth(1).unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// Makes an account; the cookies of whoever is signed in by that.
fn sign_up(port: u16) -> String {
    let mut client = Client::new(port);
    let cookies = |head: &str| -> Vec<String> {
        let set = head.lines().filter_map(|it| it.split_once(": "));
        let set = set.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        set.map(|(_, it)| it.split(';').next().unwrap().to_owned()).collect()
    };
    let (_, shown, page) = client.send(&head("GET", "/signup", port, ""), "");
    let proof = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("csrf={proof}&email=ann%40example.com&password=correct+horse+battery");
    let more = format!(
        "Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: {}\r\n",
        cookies(&shown).join("; ")
    );
    let (status, made, said) = client.send(&head("POST", "/signup", port, &more), &form);
    assert_eq!(status, 303, "{said}");
    cookies(&made).join("; ")
}

fn ours() -> Duration {
    let host::Host { child, mut out, ready, home } = host::start(&[]);
    assert!(ready.starts_with("Ready"), "{ready}");
    thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let mut shop = Command::new(env!("CARGO_BIN_EXE_stripegym"))
        .args(["shop", "--port", "0"])
        .env("STRIPEGYM_HOME", home.path())
        .env("STRIPE_WEBHOOK_SECRET", SECRET)
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let port = address(&mut shop);
    let most = report(&Shop {
        name: "stripegym",
        port,
        cookie: sign_up(port),
        prices: "/pricing",
        account: "/account",
        webhook: "/api/stripe/webhook",
    });
    for mut it in [shop, child] {
        it.kill().unwrap();
        it.wait().unwrap();
    }
    drop(home);
    most
}

/// Measures the peer; nothing where its packages are not installed.
fn express(modules: &Path) -> Option<Duration> {
    if !modules.join("express").is_dir() {
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/shop/express.mjs");
    let mut peer = Command::new("node")
        .arg(script)
        .env("MODULES", modules)
        .env("DATABASE", home.path().join("shop.db"))
        .env("SECRET", SECRET)
        .env("NODE_ENV", "production")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let port = address(&mut peer);
    let most = report(&Shop {
        name: "Express",
        port,
        cookie: "session=bench".to_owned(),
        prices: "/pricing",
        account: "/account",
        webhook: "/webhook",
    });
    peer.kill().unwrap();
    peer.wait().unwrap();
    Some(most)
}

#[expect(clippy::disallowed_methods, reason = "a bench has no settings but its arguments and this")]
fn main() {
    let named = std::env::var_os("STRIPEGYM_BENCH_MODULES").map(PathBuf::from);
    let own =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/conformance/track/node/node_modules");
    let most = ours();
    if express(&named.unwrap_or(own)).is_none() {
        println!("no Express: `./test` installs it, or STRIPEGYM_BENCH_MODULES names its folder");
    }
    assert!(most <= LIMIT, "p99 is {most:?}, and {LIMIT:?} is what it may be");
}
