//! The sandbox's file fails, is held, moved, removed or cut off while several clients write: what was answered
//! with 200 is there, live and after a restart; what was refused is not, and can be tried again under its key;
//! looking goes on meanwhile; and the sandbox comes back by itself.

use crate::env::{Env, KEY, Running, Watch, eventually, rounds};
use crate::faults::Faults;
use crate::http::{Api, send};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that an answer may take while the file fails.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
const CLIENTS: usize = 3;

/// A write that was sent: its key, which is also the name of what it makes, and what to send again.
#[derive(Clone, Debug)]
struct Sent {
    key: String,
    path: &'static str,
    form: Vec<(String, String)>,
}

/// What the clients were told.
#[derive(Default)]
struct Heard {
    /// Key → id and kind.
    acknowledged: Mutex<BTreeMap<String, (String, &'static str)>>,
    /// Answered 503, or not at all.
    open: Mutex<Vec<Sent>>,
    acks: AtomicUsize,
    refusals: AtomicUsize,
}

struct Desk {
    env: Env,
    faults: Faults,
    program: Mutex<Running>,
    port: u16,
    page: String,
    heard: Heard,
    /// Ids of the customers whose event arrived.
    arrived: Arc<Mutex<BTreeSet<String>>>,
}

/// An endpoint that takes every event and remembers what it was about.
fn endpoint(arrived: &Arc<Mutex<BTreeSet<String>>>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let arrived = Arc::clone(arrived);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (arrived, mut stream) = (Arc::clone(&arrived), BufReader::new(stream.unwrap()));
            // Each on its own: a connection that is kept open must not hold up the others.
            thread::spawn(move || {
                loop {
                    let (mut line, mut length) = (String::new(), 0);
                    while line != "\r\n" {
                        line.clear();
                        if !stream.read_line(&mut line).is_ok_and(|read| read > 0) {
                            return;
                        }
                        let lower = line.to_ascii_lowercase();
                        if let Some(value) = lower.strip_prefix("content-length:") {
                            length = value.trim().parse().unwrap();
                        }
                    }
                    let mut body = vec![0; length];
                    if stream.read_exact(&mut body).is_err() {
                        return;
                    }
                    let event: Value = serde_json::from_slice(&body).unwrap();
                    let id = event["data"]["object"]["id"].as_str().unwrap().to_owned();
                    arrived.lock().unwrap().insert(id);
                    if stream
                        .get_mut()
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    port
}

impl Desk {
    fn open() -> Self {
        let env = Env::new();
        let faults = Faults::over(&env.path().join(".stripegym"));
        let (program, port) = host(&env, &faults);
        let arrived = Arc::default();
        let api = Api::new(port, KEY);
        let url = format!("http://127.0.0.1:{}/hook", endpoint(&arrived));
        let types = [("url", url.as_str()), ("enabled_events[]", "customer.created")];
        api.make("/v1/webhook_endpoints", &types);
        let session = api.make(
            "/v1/checkout/sessions",
            &[
                ("mode", "payment"),
                ("success_url", "https://example.com/s"),
                ("line_items[0][price_data][currency]", "jpy"),
                ("line_items[0][price_data][unit_amount]", "500"),
                ("line_items[0][price_data][product_data][name]", "T"),
                ("line_items[0][quantity]", "1"),
            ],
        );
        let page = format!("/c/pay/{}", session["id"].as_str().unwrap());
        let program = Mutex::new(program);
        Self { env, faults, program, port, page, heard: Heard::default(), arrived }
    }

    fn api(&self) -> Api {
        Api::new(self.port, KEY)
    }

    fn folder(&self) -> PathBuf {
        self.env.path().join(".stripegym")
    }

    fn path(&self) -> PathBuf {
        self.folder().join("sandbox.db")
    }

    fn kill(&self) {
        self.program.lock().unwrap().kill();
    }

    fn signal(&self, signal: &str) {
        let pid = self.program.lock().unwrap().pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn is_stopped(&self) -> bool {
        let tasks = format!("/proc/{}/task", self.program.lock().unwrap().pid());
        fs::read_dir(tasks).unwrap().all(|task| {
            let stat = fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
            stat.rsplit(") ").next().unwrap().starts_with('T')
        })
    }

    fn host(&mut self) {
        let (program, port) = host(&self.env, &self.faults);
        (self.program, self.port) = (Mutex::new(program), port);
    }

    /// Kills it as it stands, and hosts the folder again.
    fn again(&mut self) {
        self.kill();
        self.host();
    }

    /// Writes and looks from several threads while `story` goes on.
    fn busy(&self, run: &str, story: impl FnOnce()) {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let stop = &stop;
                scope.spawn(move || {
                    for at in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        self.client(&format!("{run}-{client}-{at}"));
                    }
                });
            }
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    self.look();
                }
            });
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(story));
            stop.store(true, Ordering::Relaxed);
            if let Err(cause) = done {
                std::panic::resume_unwind(cause);
            }
        });
    }

    /// A customer, a product, and then a price of it.
    fn client(&self, key: &str) {
        self.write(&format!("c{key}"), "/v1/customers", &[("name", &format!("c{key}"))]);
        let name = format!("p{key}");
        if let Some(product) = self.write(&name, "/v1/products", &[("name", &name)]) {
            let (key, name) = (format!("q{key}"), format!("q{key}"));
            let form = [
                ("product", product.as_str()),
                ("currency", "jpy"),
                ("unit_amount", "500"),
                ("nickname", name.as_str()),
            ];
            self.write(&key, "/v1/prices", &form);
        }
    }

    fn write(&self, key: &str, path: &'static str, form: &[(&str, &str)]) -> Option<String> {
        let began = Watch::start();
        let reply = self.api().with("Idempotency-Key", key).try_call("POST", path, form);
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sent = Sent { key: key.to_owned(), path, form: form.collect() };
        let Ok(reply) = reply else {
            self.heard.open.lock().unwrap().push(sent);
            return None;
        };
        if reply.status == 200 {
            let id = reply.json()["id"].as_str().unwrap().to_owned();
            self.heard.acknowledged.lock().unwrap().insert(key.to_owned(), (id.clone(), path));
            self.heard.acks.fetch_add(1, Ordering::Relaxed);
            return Some(id);
        }
        assert_eq!(reply.status, 503, "{key}: {}", reply.text());
        assert!(reply.header("retry-after").is_some(), "{:?}", reply.headers);
        assert!(began.elapsed() < ANSWERED_WITHIN, "{key}: {:?}", began.elapsed());
        self.heard.open.lock().unwrap().push(sent);
        self.heard.refusals.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Looking never waits for the file.
    fn look(&self) {
        let authorization = format!("Bearer {KEY}");
        let paths =
            ["/v1/customers?limit=3", "/_stripegym/status", "/_stripegym/deliveries", &self.page];
        for path in paths {
            let began = Watch::start();
            let headers = [("Authorization", authorization.as_str())];
            let reply = send(self.port, "GET", path, &headers, b"");
            assert!(began.elapsed() < ANSWERED_WITHIN, "{path}: {:?}", began.elapsed());
            // It may just have been killed; no answer at all would have taken longer.
            let Ok(reply) = reply else { continue };
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        }
    }

    fn acks(&self, more: usize) {
        let from = self.heard.acks.load(Ordering::Relaxed);
        eventually("more is acknowledged", || {
            (self.heard.acks.load(Ordering::Relaxed) >= from + more).then_some(())
        });
    }

    fn refusals(&self, more: usize) {
        let from = self.heard.refusals.load(Ordering::Relaxed);
        eventually("more is refused", || {
            (self.heard.refusals.load(Ordering::Relaxed) >= from + more).then_some(())
        });
    }

    /// Everything acknowledged is there, and nothing is there twice. Returns the keys that are there.
    fn check(&self) -> BTreeSet<String> {
        let api = self.api();
        let mut seen = BTreeMap::new();
        for (path, name) in
            [("/v1/customers", "name"), ("/v1/products", "name"), ("/v1/prices", "nickname")]
        {
            let mut after = String::new();
            loop {
                let page = api.read(&format!("{path}?limit=100{after}"));
                for object in page["data"].as_array().unwrap() {
                    let id = object["id"].as_str().unwrap().to_owned();
                    after = format!("&starting_after={id}");
                    // The session brought a product and a price of its own along.
                    let Some(key) = object[name].as_str().filter(|key| key.len() > 1) else {
                        continue;
                    };
                    let double = seen.insert(key.to_owned(), id);
                    assert!(double.is_none(), "{key} is there twice");
                }
                if page["has_more"] == false {
                    break;
                }
            }
        }
        let acknowledged = self.heard.acknowledged.lock().unwrap();
        for (key, (id, _)) in acknowledged.iter() {
            assert_eq!(
                seen.get(key),
                Some(id),
                "{key} was acknowledged; {}",
                self.program.lock().unwrap().stderr()
            );
        }
        seen.into_keys().collect()
    }

    /// What was not acknowledged is tried again under its key: it was made before, and is told, or is made now.
    fn try_again(&self, seen: &BTreeSet<String>) {
        let open = std::mem::take(&mut *self.heard.open.lock().unwrap());
        for sent in open {
            let form: Vec<_> =
                sent.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let reply = self.api().with("Idempotency-Key", &sent.key).post(sent.path, &form);
            let id = reply.ok()["id"].as_str().unwrap().to_owned();
            let replayed = reply.header("idempotent-replayed") == Some("true");
            assert_eq!(replayed, seen.contains(&sent.key), "{sent:?}");
            self.heard.acknowledged.lock().unwrap().insert(sent.key, (id, sent.path));
        }
    }

    /// The whole account after a story; `certain` where every refusal was one, not a commit without an outcome.
    fn whole(mut self, certain: bool) {
        let seen = self.check();
        if certain {
            let open = self.heard.open.lock().unwrap();
            let visible: Vec<_> = open.iter().filter(|sent| seen.contains(&sent.key)).collect();
            assert!(visible.is_empty(), "refused and there: {visible:?}");
        }
        self.again();
        let seen = self.check();
        self.try_again(&seen);
        self.check();
        self.again();
        self.check();
        let customers: Vec<_> = {
            let acknowledged = self.heard.acknowledged.lock().unwrap();
            let customers = acknowledged.values().filter(|(_, path)| *path == "/v1/customers");
            customers.map(|(id, _)| id.clone()).collect()
        };
        eventually("every acknowledged event arrives", || {
            let arrived = self.arrived.lock().unwrap();
            customers.iter().all(|id| arrived.contains(id)).then_some(())
        });
        let file = Connection::open(self.path()).unwrap();
        let found: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok");
    }
}

fn host(env: &Env, faults: &Faults) -> (Running, u16) {
    let args = ["sandbox", "--port", "0", "--retry-schedule", "1s,1s,1s,1s,1s,1s,1s,1s"];
    let mut program = Running::new(faults.under(env.command(&args)), env.path());
    let ready = program.line_with("Ready http://127.0.0.1:");
    let url = ready.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    (program, port)
}

/// One story: writes go on, something happens and refuses them, it is mended, and writes go on.
fn refused_and_back(certain: bool, fault: impl FnOnce(&Desk), mend: impl FnOnce(&Desk)) {
    let desk = Desk::open();
    desk.busy("r", || {
        desk.acks(6);
        fault(&desk);
        desk.refusals(6);
        mend(&desk);
        desk.acks(9);
    });
    desk.whole(certain);
}

#[test]
fn a_full_disk_refuses_and_room_is_enough_to_go_on() {
    refused_and_back(
        true,
        |desk| desk.faults.set(&["write 1+ ENOSPC sandbox.db"]),
        |desk| {
            assert!(!desk.faults.hits().is_empty());
            desk.faults.clear();
        },
    );
}

#[test]
fn errors_of_the_disk_lose_nothing_that_was_answered() {
    for rule in [
        "write 1+ EIO sandbox.db-wal",
        "write 3+ EIO sandbox.db-wal",
        "torn 1+ EIO sandbox.db-wal",
        "torn 2+ EIO sandbox.db-wal",
        "sync 1+ EIO sandbox.db-wal",
    ] {
        refused_and_back(
            false,
            |desk| desk.faults.set(&[rule]),
            |desk| {
                assert!(!desk.faults.hits().is_empty(), "{rule}");
                desk.faults.clear();
            },
        );
    }
}

/// How long somebody else holds the file.
fn held_for() -> Duration {
    Duration::from_secs(rounds(3, 30) as u64)
}

#[test]
fn a_held_file_refuses_writes_and_nothing_else() {
    let desk = Desk::open();
    let holder = Connection::open(desk.path()).unwrap();
    desk.busy("r", || {
        desk.acks(6);
        eventually("the file is held", || holder.execute_batch("BEGIN EXCLUSIVE").ok());
        let since = Instant::now();
        while since.elapsed() < held_for() {
            desk.refusals(1);
        }
        holder.execute_batch("COMMIT").unwrap();
        desk.acks(9);
    });
    drop(holder);
    desk.whole(true);
}

#[test]
fn a_file_held_while_others_only_look_silences_nothing() {
    let desk = Desk::open();
    let holder = Connection::open(desk.path()).unwrap();
    eventually("the file is held", || holder.execute_batch("BEGIN EXCLUSIVE").ok());
    let since = Instant::now();
    while since.elapsed() < held_for() {
        desk.look();
    }
    holder.execute_batch("COMMIT").unwrap();
    drop(holder);
    assert!(desk.write("after", "/v1/customers", &[("name", "after")]).is_some());
    desk.look();
    desk.whole(true);
}

#[test]
fn a_removed_file_log_or_folder_is_noticed_before_the_next_200() {
    for what in ["sandbox.db", "sandbox.db-wal", "sandbox.db sandbox.db-wal sandbox.db-shm", "."] {
        let desk = Desk::open();
        desk.busy("r", || {
            desk.acks(6);
            if what == "." {
                // Somebody may put a file there while it is being emptied.
                eventually("the folder is removed", || fs::remove_dir_all(desk.folder()).ok());
            } else {
                for name in what.split(' ') {
                    fs::remove_file(desk.folder().join(name)).unwrap();
                }
            }
            desk.acks(12);
        });
        let folder = desk.folder();
        let mode = |name: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode("sandbox.db"), 0o600, "{what}");
        if what == "." {
            assert_eq!((mode("."), mode("sandbox.lock")), (0o700, 0o600));
            let address = fs::read_to_string(folder.join("sandbox.address")).unwrap();
            assert_eq!(address, format!("http://127.0.0.1:{}", desk.port), "others find it again");
            let second = desk.env.run(&["sandbox", "--port", "0"]);
            assert_ne!(second.code, 0, "the lock is held again");
        }
        desk.whole(false);
    }
}

#[test]
fn somebody_elses_file_is_left_alone_and_ours_comes_back_when_it_is_gone() {
    let desk = Desk::open();
    let other = desk.folder().join("other.db");
    let foreign = Connection::open(&other).unwrap();
    foreign.execute_batch("CREATE TABLE mine (id); INSERT INTO mine VALUES (1)").unwrap();
    drop(foreign);
    let bytes = fs::read(&other).unwrap();
    desk.busy("r", || {
        desk.acks(6);
        fs::rename(&other, desk.path()).unwrap();
        desk.refusals(6);
        let reply = desk.api().post("/v1/customers", &[]);
        assert!(reply.error(503)["message"].as_str().unwrap().contains("was replaced by another"));
        assert_eq!(fs::read(desk.path()).unwrap(), bytes, "not a byte of it was touched");
        fs::remove_file(desk.path()).unwrap();
        desk.acks(9);
    });
    // What was just being written then has no outcome until the file is back.
    desk.whole(false);
}

#[test]
fn a_folder_that_another_sandbox_hosts_now_is_never_written_to() {
    let desk = Desk::open();
    assert!(desk.write("one", "/v1/customers", &[("name", "one")]).is_some());
    // Asleep, it cannot be quicker than the second one.
    desk.signal("-STOP");
    eventually("every thread of it stands", || desk.is_stopped().then_some(()));
    fs::remove_dir_all(desk.folder()).unwrap();
    let second = desk.env.sandbox(&[]);
    desk.signal("-CONT");
    let refused = desk.api().post("/v1/customers", &[("name", "two")]);
    let message = refused.error(503)["message"].as_str().unwrap().to_owned();
    assert!(message.contains(&second.url), "{message}");
    desk.look();
    desk.program.lock().unwrap().interrupt();
    let address = fs::read_to_string(desk.folder().join("sandbox.address")).unwrap();
    assert_eq!(address, second.url, "the first one's end takes nothing from the second");
    second.api.make("/v1/customers", &[("name", "three")]);
    let listed = second.api.read("/v1/customers");
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn a_kill_in_the_middle_happens_whole_or_not_at_all() {
    ends_and_comes_back(rounds(4, 40), Desk::kill);
}

#[test]
fn a_power_cut_leaves_what_was_acknowledged() {
    ends_and_comes_back(rounds(4, 200), |desk| {
        desk.faults.cut(&mut desk.program.lock().unwrap());
    });
}

/// Each round ends after another write, while more are under way. All that was ever written is looked at after
/// each, so that every so often a new folder begins: else a round takes the longer the more there were.
fn ends_and_comes_back(rounds: usize, end: impl Fn(&Desk)) {
    const PER_FOLDER: usize = 10;
    for first in (0..rounds).step_by(PER_FOLDER) {
        end_and_come_back(first..rounds.min(first + PER_FOLDER), &end);
    }
}

fn end_and_come_back(rounds: Range<usize>, end: impl Fn(&Desk)) {
    let mut desk = Desk::open();
    for round in rounds {
        desk.busy(&format!("k{round}"), || {
            desk.acks(1 + round % 23);
            end(&desk);
        });
        desk.host();
        let open = desk.heard.open.lock().unwrap().len();
        assert!(open > 0, "clients were cut off");
        let seen = desk.check();
        desk.try_again(&seen);
    }
    desk.whole(true);
}
