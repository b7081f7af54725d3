//! Who hears events: this program, and a careful Flask program behind gunicorn.

use crate::host;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use stripegym::parts::{SigningSecret, Timestamp, sign};
use tempfile::TempDir;

pub(crate) const SECRET: &str = "whsec_benchOfTheLedger0123456789";
const PACKAGES: [&str; 4] = ["flask==3.1.2", "gunicorn==23.0.0", "stripe==13.0.1", "duckdb==1.4.1"];

/// A server under load; it ends when dropped, and whoever it started.
pub(crate) struct Peer {
    pub(crate) port: u16,
    children: Vec<Child>,
    pub(crate) folder: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Gunicorn takes its workers along where it is asked to end.
            drop(Command::new("kill").arg(child.id().to_string()).status());
            drop(child.wait());
        }
    }
}

/// This program in this build, or the one that `STRIPEGYM_BENCH_BINARY` names.
pub(crate) fn program() -> Command {
    let built = env!("CARGO_BIN_EXE_stripegym");
    Command::new(std::env::var_os("STRIPEGYM_BENCH_BINARY").unwrap_or_else(|| built.into()))
}

impl Peer {
    /// `stripegym listen`, and the sandbox that it wants.
    pub(crate) fn ours() -> Self {
        Self::ours_with(&[])
    }

    /// The same, with more flags.
    pub(crate) fn ours_with(more: &[&str]) -> Self {
        let sandbox = host::start(&["--ephemeral"]);
        let folder = sandbox.home;
        let mut listener = program()
            .args(["listen", "--port", "0", "--json"])
            .args(more)
            .env("STRIPEGYM_HOME", folder.path())
            .env("STRIPE_WEBHOOK_SECRET", SECRET)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(listener.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("\"listening\"") {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "ended before it listened");
        }
        let port = line.split("http://127.0.0.1:").nth(1).unwrap();
        let port = port.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        // A line for each event is read by nobody who thinks about it.
        thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self { port, children: vec![listener, sandbox.child], folder }
    }

    /// The Flask program; `None` where there is no Python.
    pub(crate) fn flask() -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Its workers begin at once, and only one of them could change how the file is kept.
        let database = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
        database.pragma_update(None, "journal_mode", "wal").unwrap();
        drop(database);
        let child = Command::new(python.with_file_name("gunicorn"))
            .args(["--workers", "2", "--threads", "4", "--bind", &format!("127.0.0.1:{port}")])
            .args(["--chdir", &source("").display().to_string(), "flask_peer:app"])
            .env("WEBHOOK_SECRET", SECRET)
            .env("DATABASE", folder.path().join("events.db"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "gunicorn does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        Some(Self { port, children: vec![child], folder })
    }

    /// Seconds of processor time that the server and its workers have had.
    pub(crate) fn cpu_s(&self) -> f64 {
        let main = self.children[0].id();
        let workers = Command::new("pgrep").args(["-P", &main.to_string()]).output();
        let workers = workers.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
        let all = workers.unwrap_or_default();
        let all = all.lines().filter_map(|it| it.parse().ok()).chain([main]);
        all.map(cpu_of).sum()
    }

    /// Its memory in megabytes.
    pub(crate) fn memory_mb(&self) -> f64 {
        status_kb(self.children[0].id(), "VmRSS:") / 1_000.0
    }
}

fn cpu_of(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks = |at: usize| after.split_whitespace().nth(at).and_then(|it| it.parse::<f64>().ok());
    // In hundredths of a second, as every Linux counts them.
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

fn status_kb(pid: u32, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0.0)
}

/// Runs a command to its end: seconds and the most memory in megabytes.
pub(crate) fn timed(mut command: Command) -> (f64, f64) {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let mut most: f64 = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        most = most.max(status_kb(child.id(), "VmHWM:"));
        thread::sleep(Duration::from_millis(5));
    };
    // A comparison that finds differences ends with 1.
    assert!(status.code().is_some_and(|code| code < 2), "{command:?}: {status}");
    (began.elapsed().as_secs_f64(), most / 1_000.0)
}

pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ledger").join(name)
}

/// A Python with what the peers need.
pub(crate) fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger-peers");
    let python = folder.join("bin/python");
    if !folder.join("done").exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).status();
        if !made.is_ok_and(|it| it.success()) {
            println!("    there is no Python: our figures stand alone");
            return None;
        }
        let pip =
            Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PACKAGES).status();
        assert!(pip.unwrap().success(), "the peers could not be installed");
        fs::write(folder.join("done"), "").unwrap();
    }
    Some(python)
}

/// An event of about three kilobytes, and the same signed as a request.
pub(crate) fn event(number: u64, filler: &str) -> String {
    format!(
        "{{\"id\":\"evt_{number:024}\",\"object\":\"event\",\"api_version\":\"2026-10-28.endive\",\"created\":{created},\
         \"livemode\":false,\"type\":\"checkout.session.completed\",\"data\":{{\"object\":{{\"id\":\"cs_test_{number:050}\",\
         \"object\":\"checkout.session\",\"amount_total\":{amount},\"currency\":\"jpy\",\"created\":{created},\
         \"mode\":\"payment\",\"payment_intent\":\"pi_{number:024}\",\"payment_status\":\"paid\",\"status\":\"complete\",\
         \"customer_details\":{{\"email\":\"buyer{number}@example.com\"}}{filler}}}}}}}",
        amount = 500 + number % 9_000,
        created = 1_700_000_000 + number / 20,
    )
}

/// Members that every session has and few set.
pub(crate) fn filler() -> String {
    let members =
        (0..60).map(|n| format!(",\"option_{n:02}\":{{\"enabled\":false,\"value\":null}}"));
    members.collect()
}

pub(crate) fn request(number: u64, filler: &str, out: &mut Vec<u8>) {
    let body = event(number, filler);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Timestamp(i64::try_from(now.as_secs()).unwrap());
    let signed = sign(&SigningSecret::read(SECRET).unwrap(), now, body.as_bytes());
    out.extend_from_slice(
        format!(
            "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Stripe-Signature: {signed}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
}

/// Sends one event by itself; the status of the answer, or nothing where there was none.
pub(crate) fn post(peer: &Peer, number: u64) -> u16 {
    let mut bytes = Vec::new();
    request(number, &filler(), &mut bytes);
    let asked = TcpStream::connect(("127.0.0.1", peer.port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(&bytes)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    });
    let line = asked.unwrap_or_default();
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}
