//! The files that are kept: who may read them, and what is said of those that cannot be used.

use crate::env::Env;
use crate::faults::Faults;
use crate::http::send_bytes;
use crate::shop::{SECRET, Shop, completed};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        // Nobody gets to what lies in a folder that only its owner can enter; files are closed all the same.
        if mode & 0o077 != 0 {
            found.push(format!("{mode:o} {}", path.display()));
        }
        if path.is_dir() {
            open_to_others(&path, found);
        }
    }
}

#[test]
fn what_is_kept_can_be_read_by_its_owner_alone() {
    let shop = Shop::open();
    assert_eq!(shop.deliver(&completed("evt_1", "cs_test_1", 500)).status, 200);
    shop.env.run(&["check", "D0.1", "--ci"]);
    let home = shop.env.path().join(".stripegym");
    let mode = fs::metadata(&home).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "{mode:o}");
    let mut found = Vec::new();
    open_to_others(&home, &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "sandbox.db", "progress.db"] {
        assert!(home.join(name).exists(), "{name}");
    }
}

#[test]
fn files_of_an_older_version_are_taken_from_others() {
    let env = Env::new();
    let home = env.path().join(".stripegym");
    env.ok(&["day0", "--json"]);
    for name in ["ledger.db", "sandbox.db"] {
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    env.ok(&["day0", "--json"]);
    for name in ["ledger.db", "sandbox.db"] {
        let mode = fs::metadata(home.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}: {mode:o}");
    }
}

/// A file whose first page is kept and whose rest is not what was written.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let end = bytes.len();
    bytes[4096.min(end / 2)..end].fill(0x5A);
    fs::write(path, bytes).unwrap();
}

#[test]
fn doctor_names_a_damaged_file_and_its_own_way_out() {
    for file in &KEPT {
        let env = Env::new().with("STRIPEGYM_LANG", "en");
        let home = env.path().join(".stripegym");
        fs::create_dir(&home).unwrap();
        fs::write(home.join(file.name), "no database at all ".repeat(900)).unwrap();
        let doctor = env.run(&["doctor"]);
        let said = doctor.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(file.name) && said.contains("cannot be read"), "{}", doctor.out);
        assert!(said.contains(file.way_out), "{}", doctor.out);
    }
}

#[test]
fn doctor_reads_files_to_their_end() {
    let env = Env::new();
    env.ok(&["day0", "--json"]);
    let path = env.path().join(".stripegym/sandbox.db");
    damage(&path);
    let doctor = env.run(&["doctor"]);
    assert!(doctor.out.contains("cannot be read"), "{}", doctor.out);
}

/// A file of the folder: what is said of it, and a command that writes it.
struct Kept {
    name: &'static str,
    what: &'static str,
    command: &'static [&'static str],
    /// The way out where it is damaged.
    way_out: &'static str,
}

const KEPT: [Kept; 4] = [
    Kept {
        name: "ledger.db",
        what: "The ledger (what your shop was told of payments)",
        command: &["listen", "--port", "0", "--count", "1", "--for", "1s"],
        way_out: "listen and reconcile --fix build a new one",
    },
    Kept {
        name: "shop.db",
        what: "The shop's database (its accounts and orders)",
        command: &["kv", "set", "settings", "greeting", "hello"],
        way_out: "stripegym shop begins a new one",
    },
    Kept {
        name: "sandbox.db",
        what: "The sandbox's file (all that the sandbox knows)",
        command: &["events", "list"],
        way_out: "stripegym reset sandbox",
    },
    Kept {
        name: "progress.db",
        what: "The progress file (which steps and checks you have done)",
        command: &["hint", "D1.1"],
        way_out: "progress import",
    },
];

/// What can be wrong with one.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Damaged,
    Newer,
    Held,
    Folder,
    ReadOnly,
    Full,
    /// The file can be written, and the memory beside it that readers share cannot grow.
    FullBeside,
}

/// Runs the command of a file that has something wrong with it, in a folder of its own.
fn told_of(file: &Kept, cause: Cause) -> crate::env::Ran {
    let env = Env::new().with("STRIPEGYM_LANG", "en");
    let home = env.path().join(".stripegym");
    fs::create_dir(&home).unwrap();
    let path = home.join(file.name);
    if file.name == "shop.db" {
        // The commands of the shop make none.
        fs::write(&path, "").unwrap();
    }
    let faults = Faults::over(&home);
    let mut rule = None;
    let held = match cause {
        Cause::Damaged => {
            fs::write(&path, "no database, but long enough to be looked at ".repeat(400)).unwrap();
            None
        }
        Cause::Newer | Cause::Held => Some(Connection::open(&path).unwrap()),
        Cause::Folder => {
            drop(fs::remove_file(&path));
            fs::create_dir(&path).unwrap();
            None
        }
        Cause::ReadOnly => {
            rule = Some(format!("openw 1+ EROFS {}", file.name));
            None
        }
        Cause::Full => {
            rule = Some(format!("write 1+ ENOSPC {}", file.name));
            None
        }
        Cause::FullBeside => {
            rule = Some(format!("write 1+ ENOSPC {}-shm", file.name));
            None
        }
    };
    match (cause, &held) {
        (Cause::Newer, Some(other)) => other.pragma_update(None, "user_version", 99).unwrap(),
        (Cause::Held, Some(other)) => {
            other.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE mine (x)").unwrap();
        }
        _ => {}
    }
    let command = match &rule {
        None => env.command(file.command),
        Some(rule) => {
            let command = faults.under(env.command(file.command));
            faults.set(&[rule.as_str()]);
            command
        }
    };
    let ran = Env::run_within(command, crate::env::PATIENCE);
    assert!(rule.is_none() || !faults.hits().is_empty(), "{} {cause:?}: no fault", file.name);
    ran
}

#[test]
fn whatever_is_wrong_with_a_file_it_is_told_whose_it_is_and_what_to_do() {
    let causes = [
        (Cause::Damaged, "is damaged", ""),
        (Cause::Newer, "was written by a newer stripegym", "Use that newer version"),
        (Cause::Held, "is held by another program", "End the other program"),
        (Cause::Folder, "cannot be used", "Choose another folder with --home"),
        (Cause::ReadOnly, "it is read-only", "chmod u+w"),
        (Cause::Full, "the disk is full", "Make room"),
        (Cause::FullBeside, "the disk is full", "Make room"),
    ];
    std::thread::scope(|scope| {
        for file in &KEPT {
            scope.spawn(move || {
                for (cause, said_so, way_out) in causes {
                    // It has no memory beside it.
                    if matches!(cause, Cause::FullBeside) && file.name == "progress.db" {
                        continue;
                    }
                    let ran = told_of(file, cause);
                    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
                    let about = format!("{} {cause:?}: {}", file.name, ran.err);
                    assert_eq!(ran.code, 3, "{about}");
                    assert!(said.contains(file.what) && said.contains(said_so), "{about}");
                    let way_out = if way_out.is_empty() { file.way_out } else { way_out };
                    assert!(said.contains(file.name) && said.contains(way_out), "{about}");
                    let others = KEPT.iter().filter(|it| it.name != file.name);
                    for other in others {
                        assert!(!said.contains(other.what), "{about}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_live_key_in_any_slot_ends_with_5() {
    for name in ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"] {
        for key in ["sk_live_0123456789abcdef", "pk_live_0123456789abcdef"] {
            let env = Env::new().with(name, key);
            let ran = env.run(&["status"]);
            assert_eq!(ran.code, 5, "{name}: {}", ran.err);
            assert!(!ran.err.contains(key), "{}", ran.err);
            let env = Env::new();
            fs::write(env.path().join(".env"), format!("{name}={key}\n")).unwrap();
            assert_eq!(env.run(&["listen", "--for", "1s"]).code, 5, "{name} in .env");
        }
    }
}

#[test]
fn requests_that_are_not_written_as_http_writes_them_get_400() {
    let shop = Shop::open();
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let sandbox = env.sandbox(&[]);
    for port in [shop.port, sandbox.api.port] {
        let two = format!(
            "GET /v1/customers HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
        );
        let reply = send_bytes(port, two.as_bytes()).unwrap();
        assert!(reply.error(400)["message"].as_str().unwrap().contains("Host"), "{}", reply.text());
    }
    let chunks = format!(
        "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nStripe-Signature: t=1,v1=0\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nnot-a-size\r\n{{}}\r\n0\r\n\r\n",
        shop.port
    );
    assert_eq!(send_bytes(shop.port, chunks.as_bytes()).unwrap().status, 400);
    let port = sandbox.api.port;
    let chunks = format!(
        "POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\nnot-a-size\r\nname=x\r\n0\r\n\r\n",
        sandbox.api.key
    );
    let reply = send_bytes(port, chunks.as_bytes()).unwrap();
    assert_eq!(reply.error(400)["type"], "invalid_request_error");
    let long = "x".repeat(2 * 1024 * 1024);
    let reply = sandbox.api.post("/v1/customers", &[("name", &long)]);
    assert_eq!(reply.status, 413, "{}", reply.text());
}
