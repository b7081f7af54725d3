//! Somebody in the merchant application: a browser without scripts, which keeps cookies, follows where it is sent
//! within the shop, and fills in the forms that it is shown.

use crate::cluster::Cluster;
use crate::env::{Env, Running, Sandbox, eventually, rounds};
use crate::http::{Api, Reply, encode, send};
use crate::shop::{SECRET, signature};
use serde_json::{Value, json};
use std::fmt::Debug;
use std::rc::Rc;
use std::str::FromStr;
use std::thread;

/// What everybody signs in with.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The file of a world that says what its shop sells, where it is something else than what the shop brings.
pub(crate) const PLANS: &str = "plans.toml";

/// The application beside a sandbox.
pub(crate) struct Shop {
    pub(crate) program: Running,
    pub(crate) port: u16,
    pub(crate) sandbox: Rc<Sandbox>,
    pub(crate) env: Rc<Env>,
    /// The server that keeps its database, where that is no file, and the address that the shop knows it by.
    pub(crate) server: Option<(Rc<Cluster>, String)>,
}

/// Where a story's shop keeps what it knows. A story is told of each of them; one that says nothing of the engine is told
/// of a server in the long run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    File,
    Server,
}

impl On {
    /// Every engine.
    const BOTH: [Self; 2] = [Self::File, Self::Server];

    /// The engines of this run, where one is enough to tell a story.
    fn each() -> impl Iterator<Item = Self> {
        Self::BOTH.into_iter().take(rounds(1, 2))
    }

    /// A shop on it in this environment, beside a sandbox of its own; nothing where there is no server to be had.
    fn shop(self, env: &[(&str, &str)]) -> Option<Shop> {
        let server = match self {
            Self::File => None,
            Self::Server => Some(Rc::new(Cluster::start(&[])?)),
        };
        let server = server.map(|it| (Rc::clone(&it), it.url()));
        let env = env.iter().fold(Env::new(), |env, (name, value)| env.with(name, value));
        Some(Shop::beside_its_own(env, server))
    }
}

impl Shop {
    /// A shop in a file, beside a sandbox of its own.
    pub(crate) fn open() -> Self {
        Self::with(Env::new())
    }

    /// The same in this environment.
    pub(crate) fn with(env: Env) -> Self {
        Self::beside_its_own(env, None)
    }

    fn beside_its_own(env: Env, server: Option<(Rc<Cluster>, String)>) -> Self {
        let env = env.with("STRIPEGYM_LANG", "en").with("STRIPE_WEBHOOK_SECRET", SECRET);
        let sandbox = env.sandbox(&[]);
        Self::beside(Rc::new(env), Rc::new(sandbox), server, 0)
    }

    fn beside(
        env: Rc<Env>,
        sandbox: Rc<Sandbox>,
        server: Option<(Rc<Cluster>, String)>,
        port: u16,
    ) -> Self {
        let url = server.as_ref().map(|(_, url)| url.as_str());
        let (program, port) = start(&env, port, url, &sandbox);
        Self { program, port, sandbox, env, server }
    }

    /// A shop of this world beside a sandbox that runs.
    pub(crate) fn at(env: Env, sandbox: &Rc<Sandbox>) -> Self {
        Self::beside(Rc::new(env), Rc::clone(sandbox), None, 0)
    }

    /// A shop beside a sandbox of its own, whose ledger and database are on a server; nothing where there is none.
    pub(crate) fn on_a_server() -> Option<Self> {
        On::Server.shop(&[])
    }

    /// The same whose line to that server is this one.
    pub(crate) fn on_line(server: &Rc<Cluster>, url: &str) -> Self {
        Self::beside_its_own(Env::new(), Some((Rc::clone(server), url.to_owned())))
    }

    /// The story's shop on either engine, in every run: what is told depends on the engine.
    pub(crate) fn on_both(story: impl Fn(Self)) {
        On::BOTH.into_iter().filter_map(|on| on.shop(&[])).for_each(story);
    }

    /// The story's shop on either engine; in the short run in a file alone.
    pub(crate) fn on_each(story: impl Fn(Self)) {
        Self::on_each_in(&[], story);
    }

    /// The same in this environment.
    pub(crate) fn on_each_in(env: &[(&str, &str)], story: impl Fn(Self)) {
        On::each().filter_map(|on| on.shop(env)).for_each(story);
    }

    /// Another process of the same shop: on the same database, beside the same sandbox.
    pub(crate) fn another(&self) -> Self {
        let (env, sandbox) = (Rc::clone(&self.env), Rc::clone(&self.sandbox));
        Self::beside(env, sandbox, self.server.clone(), 0)
    }

    /// Starts it again after it has ended, at the port where it was.
    pub(crate) fn start_again(&mut self) {
        let url = self.server.as_ref().map(|(_, url)| url.as_str());
        let (program, port) = start(&self.env, self.port, url, &self.sandbox);
        assert_eq!(port, self.port);
        self.program = program;
    }

    /// The words of a command that is about the shop's ledger and database, wherever they are.
    pub(crate) fn words<'w>(&'w self, words: &[&'w str]) -> Vec<&'w str> {
        let place = self.server.iter().flat_map(|(_, url)| ["--ledger", url]);
        words.iter().copied().chain(place).collect()
    }

    /// What such a command says, which has to go well.
    pub(crate) fn says(&self, words: &[&str]) -> String {
        self.env.ok(&self.words(words))
    }

    /// The same browser, which goes on with this process: its cookies are for the host, whatever the port.
    pub(crate) fn goes_on(&self, shopper: &Shopper) -> Shopper {
        shopper.at(self.port)
    }

    /// A new browser, in English.
    pub(crate) fn browser(&self) -> Shopper {
        Shopper::before(self.port)
    }

    /// Somebody who has just made an account.
    pub(crate) fn shopper(&self, name: &str) -> Shopper {
        Shopper::with_account(self.port, &format!("{name}@example.com"))
    }

    /// Pays a hosted page without a browser.
    pub(crate) fn pay(&self, session: &str) {
        pay(&self.sandbox.api, session);
    }

    /// The price of a plan.
    pub(crate) fn price(&self, lookup_key: &str) -> String {
        let list = self.sandbox.api.read(&format!("/v1/prices?lookup_keys[]={lookup_key}"));
        list["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}")).to_owned()
    }

    /// Pays a hosted page with another card.
    pub(crate) fn pay_with(&self, session: &str, token: &str) {
        let api = &self.sandbox.api;
        let form = [("type", "card"), ("card[token]", token), ("billing_details[name]", "A B")];
        let method = api.make("/v1/payment_methods", &form);
        let form = [("payment_method", method["id"].as_str().unwrap())];
        api.make(&format!("/v1/payment_pages/{session}/confirm"), &form);
    }

    /// The newest event of a type.
    pub(crate) fn event(&self, kind: &str) -> Value {
        eventually(kind, || {
            let list = self.sandbox.api.read(&format!("/v1/events?type={kind}&limit=1"));
            list["data"].get(0).cloned()
        })
    }

    /// Delivers an event as the provider would, once more.
    pub(crate) fn deliver(&self, event: &Value) -> Reply {
        deliver(self.port, event)
    }

    /// A number that a statement gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.asked(sql)
    }

    /// Everybody's credits.
    pub(crate) fn credits(&self) -> i64 {
        self.number("SELECT COALESCE(SUM(amount), 0) FROM credits")
    }

    /// How many orders there are.
    pub(crate) fn orders(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM orders")
    }

    /// Waits until credits and orders are as many.
    pub(crate) fn has(&self, credits: i64, orders: i64) {
        eventually("credits and orders are right", || {
            ((self.credits(), self.orders()) == (credits, orders)).then_some(())
        });
    }

    /// A hosted page as the provider knows it.
    pub(crate) fn session(&self, id: &str) -> Value {
        self.sandbox.api.read(&format!("/v1/checkout/sessions/{id}"))
    }

    /// Changes what stands in its database, which nobody does while all is well.
    pub(crate) fn change(&self, sql: &str) {
        if let Some((server, _)) = &self.server {
            server.sql(&format!("SET search_path = stripegym_shop; {sql}"));
        } else {
            self.database().execute(sql, []).unwrap();
        }
    }

    /// The application's database.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let path = self.env.path().join(".stripegym/shop.db");
        let open = rusqlite::Connection::open(path).unwrap();
        open.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        open
    }

    /// Whether a text stands in any file of its world.
    pub(crate) fn sees(&self, text: &str) -> bool {
        let mut folders = vec![self.env.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = std::fs::read(&path)
                    && bytes.windows(text.len()).any(|part| part == text.as_bytes())
                {
                    return true;
                }
            }
        }
        false
    }

    /// The first value that a statement gives; its tables are the application's.
    pub(crate) fn asked<T: FromStr<Err: Debug>>(&self, sql: &str) -> T {
        let text: String = if let Some((server, _)) = &self.server {
            server.sql(&format!("SET search_path = stripegym_shop; {sql}"))
        } else {
            let sql = format!("SELECT CAST(({sql}) AS TEXT)");
            self.database().query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        text.parse().unwrap()
    }
}

/// Pays a hosted page of the sandbox without a browser.
pub(crate) fn pay(api: &Api, session: &str) {
    let page = api.read(&format!("/v1/checkout/sessions/{session}"));
    let amount = page["amount_total"].to_string();
    let form = [("payment_method", "pm_card_visa"), ("expected_amount", amount.as_str())];
    api.make(&format!("/v1/payment_pages/{session}/confirm"), &form);
}

/// Delivers an event of Stripe's to the shop at a port.
pub(crate) fn deliver(port: u16, event: &Value) -> Reply {
    let body = serde_json::to_vec(event).unwrap();
    let signed = signature(SECRET, 0, &body);
    let headers = [("Content-Type", "application/json"), ("Stripe-Signature", signed.as_str())];
    send(port, "POST", "/api/stripe/webhook", &headers, &body).unwrap()
}

/// Has several senders do something so many times, each time with its number.
pub(crate) fn replayed(times: usize, send: impl Fn(usize) + Sync) {
    const SENDERS: usize = 8;
    let send = &send;
    thread::scope(|scope| {
        for nth in 0..SENDERS {
            scope.spawn(move || (nth..times).step_by(SENDERS).for_each(send));
        }
    });
}

fn start(env: &Env, port: u16, server: Option<&str>, beside: &Sandbox) -> (Running, u16) {
    let port = port.to_string();
    let mut words = vec!["shop", "--port", &port];
    words.extend(server.into_iter().flat_map(|url| ["--ledger", url]));
    // What it sells, where the world has a file of that.
    if env.path().join(PLANS).exists() {
        words.extend(["--plans", PLANS]);
    }
    let mut program = env.start(&words);
    let mut named = || {
        let line = program.line_with("http://127.0.0.1:");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        url.trim_end_matches('/').rsplit(':').next().unwrap().parse::<u16>().unwrap()
    };
    // Where it fetches events from is said before where it listens.
    let mut port = named();
    while port == beside.api.port {
        port = named();
    }
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
    /// A new browser before the shop at this port, in English.
    pub(crate) const fn before(port: u16) -> Self {
        Self { port, cookies: Vec::new(), lang: "en" }
    }

    /// Somebody who has just made an account there.
    pub(crate) fn with_account(port: u16, email: &str) -> Self {
        let mut shopper = Self::before(port);
        let form = [("email", email), ("password", PASSWORD)];
        let reply = shopper.send_form("/signup", "/signup", &form);
        assert_eq!(reply.status, 303, "{}", reply.text());
        shopper
    }

    /// The same browser at another port of the host, for which its cookies are as well.
    pub(crate) fn at(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

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

    /// Sends the form of a page to it; without its proof where the page shows none.
    pub(crate) fn submit(&mut self, page: &str, form: &[(&str, &str)]) -> Reply {
        let shown = self.get(page).text();
        let proof =
            shown.split("name=\"csrf\" value=\"").nth(1).and_then(|it| it.split('"').next());
        let mut all = vec![("csrf", proof.unwrap_or_default())];
        all.extend_from_slice(form);
        self.post(page, &all)
    }

    /// Sends JSON, as a program on a page does.
    pub(crate) fn ask_json(&mut self, path: &str, body: &Value) -> Reply {
        let kind = [("Content-Type", "application/json")];
        self.send("POST", path, &kind, body.to_string().as_bytes())
    }

    /// Asks for the hosted page of what a price is for.
    pub(crate) fn ask_for(&mut self, price: &str) -> Reply {
        let asked = json!({ "provider": "stripe", "stripePriceId": price });
        self.ask_json("/api/payment/checkout-session", &asked)
    }

    /// Begins to buy what a price is for; the session.
    pub(crate) fn begin(&mut self, price: &str) -> String {
        let begun = self.ask_for(price).ok();
        assert_eq!(begun["success"], true, "{begun}");
        assert!(begun["data"]["url"].as_str().unwrap().starts_with("http://"), "{begun}");
        begun["data"]["sessionId"].as_str().unwrap().to_owned()
    }

    /// Asks what a session has come to.
    pub(crate) fn verify(&mut self, session: &str) -> Reply {
        let path = "/api/payment/verify-success?provider=stripe&session_id=";
        self.get(&format!("{path}{session}"))
    }

    /// What it is known again by.
    pub(crate) fn token(&self) -> &str {
        let found = self.cookies.iter().find(|(name, _)| name == "stripegym_shop");
        &found.unwrap().1
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
        let origin = format!("http://127.0.0.1:{}", self.port);
        let mut headers = vec![("Accept", "text/html"), ("Accept-Language", self.lang)];
        if body.is_some() {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
            headers.push(("Origin", &origin));
        }
        self.send(method, path, &headers, body.unwrap_or_default().as_bytes())
    }

    /// Sends a request with what the browser keeps and these headers alone.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, it)| format!("{name}={it}")).collect();
        let cookies = cookies.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        let reply = send(self.port, method, path, &all, body);
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
