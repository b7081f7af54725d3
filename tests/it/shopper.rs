//! Somebody in the merchant application: a browser without scripts, which keeps cookies, follows where it is sent
//! within the shop, and fills in the forms that it is shown.

use crate::env::{Env, Running, Sandbox};
use crate::http::{Reply, encode, send};
use serde_json::Value;
use std::rc::Rc;

/// The application beside a sandbox.
pub(crate) struct Shop {
    _program: Running,
    pub(crate) port: u16,
    pub(crate) sandbox: Rc<Sandbox>,
    env: Env,
}

impl Shop {
    /// A shop beside a sandbox of its own.
    pub(crate) fn open() -> Self {
        let env = Env::new();
        let sandbox = env.sandbox(&[]);
        Self::at(env, &Rc::new(sandbox))
    }

    /// A shop of this world beside a sandbox that runs.
    pub(crate) fn at(env: Env, sandbox: &Rc<Sandbox>) -> Self {
        let (program, port) = start(&env);
        Self { _program: program, port, sandbox: Rc::clone(sandbox), env }
    }

    /// A new browser, in English.
    pub(crate) fn browser(&self) -> Shopper {
        Shopper { port: self.port, cookies: Vec::new(), lang: "en" }
    }

    /// Somebody who has just made an account.
    pub(crate) fn shopper(&self, name: &str) -> Shopper {
        let mut shopper = self.browser();
        let email = format!("{name}@example.com");
        let form = [("email", email.as_str()), ("password", "correct horse battery")];
        let reply = shopper.send_form("/signup", "/signup", &form);
        assert_eq!(reply.status, 303, "{}", reply.text());
        shopper
    }

    /// Pays a hosted page without a browser.
    pub(crate) fn pay(&self, session: &str) {
        let page = self.sandbox.api.read(&format!("/v1/checkout/sessions/{session}"));
        let amount = page["amount_total"].to_string();
        let form = [("payment_method", "pm_card_visa"), ("expected_amount", amount.as_str())];
        self.sandbox.api.make(&format!("/v1/payment_pages/{session}/confirm"), &form);
    }

    /// A hosted page as the provider knows it.
    pub(crate) fn session(&self, id: &str) -> Value {
        self.sandbox.api.read(&format!("/v1/checkout/sessions/{id}"))
    }

    /// The application's database.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let path = self.env.path().join(".stripegym/shop.db");
        let open = rusqlite::Connection::open(path).unwrap();
        open.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        open
    }

    /// The first value that a statement gives.
    pub(crate) fn asked<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn start(env: &Env) -> (Running, u16) {
    let mut program = env.start(&["shop", "--port", "0"]);
    let line = program.line_with("http://127.0.0.1:");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    (program, port)
}

/// A browser.
#[derive(Clone)]
pub(crate) struct Shopper {
    port: u16,
    cookies: Vec<(String, String)>,
    pub(crate) lang: &'static str,
}

impl Shopper {
    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, None)
    }

    /// Sends a form to `action` with the proof that stands on the page at `page`.
    pub(crate) fn send_form(&mut self, page: &str, action: &str, form: &[(&str, &str)]) -> Reply {
        let shown = self.get(page);
        assert_eq!(shown.status, 200, "{page}: {}", shown.text());
        let csrf = hidden(&shown.text(), "csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(form);
        self.post(action, &all)
    }

    pub(crate) fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.ask("POST", path, Some(&encode(form)))
    }

    /// Where a page sends on to, within the shop.
    pub(crate) fn follow(&mut self, reply: &Reply) -> Reply {
        assert_eq!(reply.status, 303, "{}", reply.text());
        self.get(&within(reply.header("location").unwrap()))
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&str>) -> Reply {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, it)| format!("{name}={it}")).collect();
        let cookies = cookies.join("; ");
        let origin = format!("http://127.0.0.1:{}", self.port);
        let mut headers = vec![("Accept", "text/html"), ("Accept-Language", self.lang)];
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        if body.is_some() {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
            headers.push(("Origin", &origin));
        }
        let reply = send(self.port, method, path, &headers, body.unwrap_or_default().as_bytes());
        let reply = reply.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let set = reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        for (_, cookie) in set {
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        reply
    }
}

/// The value of a hidden field.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let from = format!("name=\"{name}\" value=\"");
    let rest = page.split(&from).nth(1).unwrap_or_else(|| panic!("no field {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The path and query of an address.
pub(crate) fn within(url: &str) -> String {
    let rest = url.strip_prefix("http://").map_or(url, |rest| &rest[rest.find('/').unwrap()..]);
    rest.to_owned()
}
