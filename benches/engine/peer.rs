//! What is measured: this program, `emulate` on a Node of its own, and a server that does nothing.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;

use crate::host;

const EMULATE: &str = "emulate@0.12.2";
/// It needs Node 22.15 or newer, which few systems have.
const NODE: &str = "node@22.23.3";
/// Makes this program the server that does nothing.
pub(crate) const BARE: &str = "--bare-server";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Emulate,
    Bare,
}

/// A server under load; killed when dropped.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    child: Child,
    home: Option<TempDir>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

impl Peer {
    /// This program in an empty folder on disk, every answer durable.
    pub(crate) fn ours() -> Self {
        Self::ours_in(folder())
    }

    /// This program in a folder.
    pub(crate) fn ours_in(home: TempDir) -> Self {
        let host::Host { child, mut out, ready, home } = host::start_in(home, &[]);
        let after = ready.split("http://127.0.0.1:").nth(1).unwrap();
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        // Whatever else it says must not fill the pipe.
        thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self { kind: Kind::Ours, port: port.parse().unwrap(), child, home: Some(home) }
    }

    /// `emulate`, where it can be installed.
    pub(crate) fn emulate() -> Option<Self> {
        let modules = installed()?;
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let home = folder();
        let child = Command::new(modules.join("node/bin/node"))
            .arg(modules.join("emulate/dist/index.js"))
            .args(["start", "--service", "stripe", "--port", &port.to_string()])
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let peer = Self { kind: Kind::Emulate, port, child, home: Some(home) };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "emulate did not start");
            thread::sleep(Duration::from_millis(20));
        }
        Some(peer)
    }

    /// A hyper server that answers with as many bytes and does nothing: what HTTP alone costs here.
    pub(crate) fn bare() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(BARE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { kind: Kind::Bare, port: line.trim().parse().unwrap(), child, home: None }
    }

    /// The key of a request. `emulate` takes 5,000 requests of one.
    pub(crate) fn key(kind: Kind, number: u64) -> String {
        match kind {
            Kind::Ours | Kind::Bare => "sk_test_stripegymBench12345678".to_owned(),
            Kind::Emulate => {
                // Loads number their requests from nought each: the time tells them apart.
                let start = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
                format!("sk_test_{start}_{}", number / 3_000)
            }
        }
    }

    /// Resident memory in bytes; `None` where the system has no /proc.
    pub(crate) fn memory(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Asks it to end and waits; its folder.
    pub(crate) fn stop(mut self) -> TempDir {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(10);
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success)
            && self.child.try_wait().unwrap().is_none()
            && Instant::now() < until
        {
            thread::sleep(Duration::from_millis(2));
        }
        self.home.take().unwrap()
    }
}

/// A folder on the disk that the build is on: the system's own may be in memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The folder `node_modules` with both packages, filled by the first run.
fn installed() -> Option<PathBuf> {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(EMULATE);
    let modules = at.join("node_modules");
    if modules.join("emulate/dist/index.js").exists() && modules.join("node/bin/node").exists() {
        return Some(modules);
    }
    println!("installing {EMULATE} and {NODE} into {}", at.display());
    fs::create_dir_all(&at).unwrap();
    fs::write(at.join("package.json"), "{\"private\": true}").unwrap();
    let done = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--silent", EMULATE, NODE])
        .current_dir(&at)
        .stdout(Stdio::null())
        .status();
    match done {
        Ok(status) if status.success() => Some(modules),
        Ok(_) | Err(_) => {
            println!("npm is missing or could not install {EMULATE}: only our own figures follow");
            None
        }
    }
}

/// Serves until standard input ends.
pub(crate) fn serve_bare() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (one, ten) = (Bytes::from(vec![b'x'; 700]), Bytes::from(vec![b'x'; 9_000]));
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let (one, ten) = (one.clone(), ten.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let body = if request.uri().query().is_some() { &ten } else { &one }.clone();
                async move {
                    request.into_body().collect().await?;
                    Ok::<_, hyper::Error>(Response::new(Full::new(body)))
                }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                // A load that ends hangs up.
                drop(serving.await);
            });
        }
    });
    // Ends with whoever started it.
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
}
