//! A merchant under test: a sandbox, a listener with a known secret, and a sender that signs or forges.

use crate::env::{Env, Running, Sandbox, outer_path};
use crate::http::{self, Reply};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::io;
use std::process::Command;
use stripegym::parts::{SigningSecret, Timestamp, sign};

/// The secret that the listener is given.
pub(crate) const SECRET: &str = "whsec_integrationTestsOnly0123456789";

/// A sandbox with a listener beside it, in one home.
pub(crate) struct Shop {
    pub(crate) env: Env,
    sandbox: Sandbox,
    _listener: Running,
    pub(crate) port: u16,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
        let sandbox = env.sandbox(&[]);
        let (listener, port) = listen(&env);
        Self { env, sandbox, _listener: listener, port }
    }

    /// Where the sandbox answers.
    pub(crate) fn sandbox_port(&self) -> u16 {
        self.sandbox.api.port
    }

    /// Sends a payload as Stripe would, signed now.
    pub(crate) fn deliver(&self, body: &[u8]) -> Reply {
        deliver(self.port, body).unwrap()
    }

    /// Sends a payload under headers of the test's choice.
    pub(crate) fn send(&self, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        http::send(self.port, method, "/webhook", headers, body).unwrap()
    }

    /// How many events and rows the ledger has.
    pub(crate) fn counts(&self) -> (i64, i64) {
        let ledger = ledger(&self.env);
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            ledger.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        (count("events"), count("ledger"))
    }
}

/// Starts a listener on a free port; its port once it listens.
pub(crate) fn listen(env: &Env) -> (Running, u16) {
    listen_with(env, &[])
}

/// The same, with more flags.
pub(crate) fn listen_with(env: &Env, more: &[&str]) -> (Running, u16) {
    let flags: Vec<&str> =
        ["listen", "--port", "0", "--json"].iter().chain(more).copied().collect();
    let mut listener = env.start(&flags);
    let port = port_of(&mut listener);
    (listener, port)
}

/// The port of a listener that was started with `--json`, once it listens.
pub(crate) fn port_of(listener: &mut Running) -> u16 {
    let line = listener.line_with("\"listening\"");
    let after = line.split("http://127.0.0.1:").nth(1).unwrap();
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    port.parse().unwrap()
}

/// The ledger's file, opened for reading beside whoever writes it.
pub(crate) fn ledger(env: &Env) -> Connection {
    let path = env.path().join(".stripegym/ledger.db");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The signature of a payload that was signed `age` seconds ago.
pub(crate) fn signature(secret: &str, age: i64, body: &[u8]) -> String {
    sign(&SigningSecret::read(secret).unwrap(), Timestamp(now() - age), body)
}

pub(crate) fn deliver(port: u16, body: &[u8]) -> io::Result<Reply> {
    let signature = signature(SECRET, 0, body);
    let headers = [("Content-Type", "application/json"), ("Stripe-Signature", &signature)];
    http::send(port, "POST", "/webhook", &headers, body)
}

/// A `checkout.session.completed` about a paid session.
pub(crate) fn completed(event: &str, session: &str, amount: i64) -> Vec<u8> {
    let created = now();
    let event: Value = json!({
        "id": event,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": created,
        "data": {"object": {
            "id": session,
            "object": "checkout.session",
            "amount_total": amount,
            "created": created - 5,
            "currency": "jpy",
            "mode": "payment",
            "payment_intent": format!("pi_{session}"),
            "payment_status": "paid",
            "status": "complete",
        }},
        "livemode": false,
        "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null},
        "type": "checkout.session.completed",
    });
    serde_json::to_vec_pretty(&event).unwrap()
}

/// The time by the machine's own clock, as the sender of a webhook sees it.
pub(crate) fn now() -> i64 {
    let out = Command::new("date").arg("+%s").env("PATH", outer_path()).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
}
