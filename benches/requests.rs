//! Requests a second of the sandbox beside localstripe's, under the same load in one run.
//! `cargo bench --bench requests`; the first run installs localstripe into the target folder.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a bench prints what it measured and stops at the unexpected"
)]

mod host;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LOCALSTRIPE: &str = "localstripe==1.15.10";
const CONNECTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(4);
const KEY: &str = "sk_test_stripegymBench12345678";

/// A server under load; killed when dropped.
struct Peer {
    name: &'static str,
    child: Child,
    port: u16,
    _home: tempfile::TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// What one kind of load does: method, path, body.
type Load = (&'static str, &'static str, &'static str, &'static str);

const LOADS: [Load; 2] = [
    ("create a customer", "POST", "/v1/customers", "email=a%40example.com&name=Aki&metadata[k]=v"),
    ("list ten customers", "GET", "/v1/customers?limit=10", ""),
];

fn main() {
    let peers = [
        stripegym("stripegym, on disk", &[]),
        stripegym("stripegym, in memory", &["--ephemeral"]),
        localstripe(),
    ];
    for (what, method, path, body) in LOADS {
        println!("{what}: {CONNECTIONS} keep-alive connections, {} s each", TIME.as_secs());
        let rates: Vec<f64> =
            peers.iter().map(|peer| load(peer.port, method, path, body)).collect();
        let base = rates[rates.len() - 1];
        for (peer, rate) in peers.iter().zip(&rates) {
            println!("  {:<24} {rate:>9.0} requests/s   {:>6.1} ×", peer.name, rate / base);
        }
    }
}

fn stripegym(name: &'static str, more: &[&str]) -> Peer {
    let host::Host { child, mut out, ready, home } = host::start(more);
    let after = ready.split("http://127.0.0.1:").nth(1).unwrap();
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    // Whatever else it says must not fill the pipe.
    thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    Peer { name, child, port: port.parse().unwrap(), _home: home }
}

fn localstripe() -> Peer {
    let home = tempfile::tempdir().unwrap();
    let program = installed().join("bin/localstripe");
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .args(["--port", &port.to_string(), "--from-scratch"])
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "localstripe did not start");
        thread::sleep(Duration::from_millis(50));
    }
    Peer { name: LOCALSTRIPE, child, port, _home: home }
}

/// The environment with localstripe, made on the first run.
fn installed() -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("localstripe");
    if !venv.join("bin/localstripe").exists() {
        println!("installing {LOCALSTRIPE} into {}", venv.display());
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status().unwrap();
        assert!(made.success(), "python3 -m venv failed; on Debian: apt-get install python3-venv");
        let pip = venv.join("bin/pip");
        let done = Command::new(pip).args(["install", "--quiet", LOCALSTRIPE]).status().unwrap();
        assert!(done.success(), "pip could not install {LOCALSTRIPE}");
    }
    venv
}

/// Requests a second over all connections.
fn load(port: u16, method: &str, path: &str, body: &str) -> f64 {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let started = Instant::now();
    let done: usize = thread::scope(|scope| {
        let one = || {
            let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
            stream.get_ref().set_nodelay(true).unwrap();
            let mut count = 0;
            while started.elapsed() < TIME {
                stream.get_mut().write_all(request.as_bytes()).unwrap();
                answer(&mut stream);
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    done as f64 / started.elapsed().as_secs_f64()
}

/// Reads one answer, which must be a success.
fn answer(stream: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line.get(9..12), Some("200"), "{line}");
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if line.to_ascii_lowercase().starts_with("content-length:") {
            length = line[15..].trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
}
