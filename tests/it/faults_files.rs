//! The files that are kept: who may read them, and what is said of those that cannot be used.

use crate::env::Env;
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
fn a_damaged_file_is_called_by_its_own_name_and_the_way_out_is_its_own() {
    for (name, command, way_out) in [
        ("progress.db", &["status"][..], "progress import"),
        ("sandbox.db", &["events", "list"], "stripegym reset sandbox"),
        ("ledger.db", &["ledger", "show"], "listen and reconcile --fix"),
    ] {
        let env = Env::new();
        env.ok(&["day0", "--json"]);
        env.run(&["check", "D0.1", "--ci"]);
        let path = env.path().join(".stripegym").join(name);
        assert!(path.exists(), "{name}");
        fs::write(&path, "not a database, but long enough to be looked at ".repeat(400)).unwrap();
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(path.with_file_name(format!("{name}{suffix}"))));
        }
        let ran = env.run(command);
        assert_eq!(ran.code, 3, "{name}: {}", ran.err);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(name) && said.contains(way_out), "{name}: {}", ran.err);
        assert!(!said.contains("free space"), "{}", ran.err);
        if name != "ledger.db" {
            assert!(!said.contains("ledger"), "{}", ran.err);
        }
        let doctor = env.run(&["doctor"]);
        let said = doctor.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(name) && said.contains("cannot be read"), "{}", doctor.out);
        assert!(said.contains(way_out), "{}", doctor.out);
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

#[test]
fn a_newer_file_asks_for_the_newer_program() {
    for (name, command) in [("ledger.db", &["ledger", "show"][..]), ("progress.db", &["status"])] {
        let env = Env::new();
        env.ok(&["day0", "--json"]);
        env.run(&["check", "D0.1", "--ci"]);
        let path = env.path().join(".stripegym").join(name);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let ran = env.run(command);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("newer") && ran.err.contains(name), "{}", ran.err);
        assert!(!ran.err.contains("free space"), "{}", ran.err);
    }
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
