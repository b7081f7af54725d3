//! A door before the merchant's application, by which it is graded as any server is: the lessons' routes name their users
//! in the form, the shop has accounts. The door makes each user an account, keeps their cookies, brings each form with the
//! proof that its page shows, and says in the contract's words what the shop's pages say. It decides nothing, keeps no
//! money's worth of its own, and lets through whatever headers a lesson sends.

use crate::http::{Api, Reply, encode, send};
use crate::shopper::{Shop, Shopper, hidden, within};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Who buys where a lesson names nobody.
const WALK_IN: &str = "walk-in";

/// A door that is open; dropping it closes it.
pub(crate) struct Door {
    pub(crate) url: String,
    shown: Arc<Mutex<Vec<String>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Door {
    /// Opens one before a shop.
    pub(crate) fn before(shop: &Shop) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keeper = Arc::new(Keeper::of(shop, &url));
        let shown = Arc::clone(&keeper.shown);
        let handle = runtime.handle().clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keeper = Arc::clone(&keeper);
                let service = service_fn(move |request| serve(Arc::clone(&keeper), request));
                let server = hyper::server::conn::http1::Builder::new();
                handle.spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, shown, runtime: Some(runtime) }
    }

    /// The texts of the keys that it was shown.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(
    keeper: Arc<Keeper>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|it| it.to_bytes().to_vec()).unwrap_or_default();
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body,
    };
    let said = tokio::task::spawn_blocking(move || keeper.answer(&asked)).await;
    // A door that falls is a test that fails; the grading says of which check.
    let said = said.unwrap_or_else(|error| Said::json(500, &json!({ "door": error.to_string() })));
    let mut answer = Response::builder().status(said.status);
    for (name, value) in &said.headers {
        answer = answer.header(*name, value);
    }
    Ok(answer.body(Full::new(Bytes::from(said.body))).unwrap())
}

/// A request, read.
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    /// The value of a field of the form, else of the address.
    fn field(&self, name: &str) -> Option<String> {
        [&self.body[..], self.query.as_bytes()].into_iter().find_map(|encoded| {
            let mut pairs = url::form_urlencoded::parse(encoded);
            pairs.find(|(it, _)| it == name).map(|(_, value)| value.into_owned())
        })
    }

    fn text(&self, name: &str) -> String {
        self.field(name).unwrap_or_default()
    }

    /// Whom it names: by name or by address.
    fn user(&self) -> String {
        self.field("user").or_else(|| self.field("email")).unwrap_or_else(|| WALK_IN.to_owned())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
struct Said {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Said {
    fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// What the shop itself says.
    fn of(reply: Reply) -> Self {
        let kept = ["content-type", "location", "retry-after", "www-authenticate"];
        let kept = kept.into_iter().filter_map(|name| Some((name, reply.header(name)?.to_owned())));
        Self { status: reply.status, headers: kept.collect(), body: reply.body }
    }
}

/// Whoever stands at the door.
struct Keeper {
    shop: u16,
    sandbox: Api,
    /// Its own address, and that of the shop.
    url: String,
    shop_url: String,
    folder: PathBuf,
    /// What a command of the program finds in its environment.
    surroundings: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    /// The browsers of those who have an account.
    users: Mutex<BTreeMap<String, (Shopper, String)>>,
    /// Who has begun to pay for what: sessions, and orders with their intents.
    begun: Mutex<BTreeMap<String, String>>,
    /// The texts of keys that were shown.
    shown: Arc<Mutex<Vec<String>>>,
    prices: Prices,
}

/// What the shop sells to the lessons.
struct Prices {
    once: String,
    monthly: String,
    creem: String,
}

impl Keeper {
    fn of(shop: &Shop, url: &str) -> Self {
        let command = shop.env.command::<&str>(&[]);
        let surroundings = command.get_envs();
        let surroundings =
            surroundings.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let products = crate::creem::get(&shop.sandbox, "/v1/products/search?page_size=100");
        let creem = products["items"].as_array().unwrap().iter().find(|it| it["name"] == "Tea");
        Self {
            shop: shop.port,
            sandbox: shop.sandbox.api.clone(),
            url: url.to_owned(),
            shop_url: format!("http://127.0.0.1:{}", shop.port),
            folder: shop.env.path().to_owned(),
            surroundings: surroundings.collect(),
            users: Mutex::default(),
            begun: Mutex::default(),
            shown: Arc::default(),
            prices: Prices {
                once: shop.price("tea"),
                monthly: shop.price("tea_monthly"),
                creem: crate::creem::id(creem.unwrap_or_else(|| panic!("{products}"))),
            },
        }
    }

    fn answer(&self, asked: &Asked) -> Said {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/webhook") => self.pass(asked, "/api/stripe/webhook"),
            ("POST", "/webhook/creem") => self.pass(asked, "/api/creem/webhook"),
            ("GET", "/" | "/readyz") => self.pass(asked, &asked.path),
            ("GET", "/cancel") => self.pass(asked, "/pricing"),
            ("GET", "/api/tea") => self.pass(asked, "/api/v1/era?date=2026-11-28&"),
            ("POST", "/checkout" | "/credits/buy") => self.buy(asked, &self.prices.once),
            ("POST", "/subscribe") => self.buy(asked, &self.prices.monthly),
            ("POST", "/orders") => match asked.text("provider").as_str() {
                "creem" => self.buy(asked, &self.prices.creem),
                _ => self.buy(asked, &self.prices.once),
            },
            ("GET", "/success") => self.success(asked),
            ("GET", "/ledger") => {
                let (_, shown, _) = self.command(&["ledger", "show", "--json"]);
                Said::json(200, &shown)
            }
            ("POST", "/refund") => self.refund(asked),
            ("GET", "/credits") => self.credits(asked),
            ("GET", "/credits/verify") => self.verify(asked),
            ("GET", "/orders") => self.orders(asked),
            ("GET", "/access") => self.access(asked),
            ("POST", "/keys/buy") => self.begun(asked, "/upgrade", "/upgrade", &[]),
            ("GET", "/keys/thanks") => self.thanks(asked),
            ("GET", "/keys") => self.keys(asked),
            // Whoever comes by a link brings no cookie: the address names nobody.
            ("GET", "/portal") => self.pass(asked, "/mypage?"),
            ("POST", "/portal") => {
                let path = format!("/mypage?customer={}", asked.text("customer"));
                Said::of(self.shopper(&asked.user()).get(&path))
            }
            ("POST", "/intents") => self.intent(asked),
            ("GET", "/intents/return") => {
                Said::of(self.shopper(WALK_IN).get(&format!("/pay/done?{}", asked.query)))
            }
            ("GET", "/order") => self.order(asked),
            ("POST", "/users") => self.customer(asked),
            ("GET", "/users/cards") => self.cards(asked),
            ("POST", "/users/default") => {
                let card = asked.text("card");
                self.form(asked, "/cards", "/cards/default", &[("card", &card)])
            }
            ("POST", "/evidence") => self.evidence(asked),
            _ => Said::json(404, &json!({ "error": "the shop has no such thing" })),
        }
    }

    /// Brings a request to another address of the shop as it came.
    fn pass(&self, asked: &Asked, path: &str) -> Said {
        let path = if path.contains('?') { format!("{path}{}", asked.query) } else { path.into() };
        let left = ["content-length", "connection", "host", "transfer-encoding"];
        let headers = asked.headers.iter().filter(|(name, _)| !left.contains(&name.as_str()));
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Said::of(send(self.shop, &asked.method, &path, &headers, &asked.body).unwrap())
    }

    /// The browser of a user, who is given an account where they have none. One address has one account: who shares one
    /// gets one of their own.
    fn shopper(&self, user: &str) -> Shopper {
        self.known(user, user)
    }

    fn known(&self, user: &str, email: &str) -> Shopper {
        let mut users = self.users.lock().unwrap();
        if let Some((shopper, _)) = users.get(user) {
            return shopper.clone();
        }
        let wished =
            if email.contains('@') { email.into() } else { format!("{email}@example.com") };
        let is_taken = users.values().any(|(_, taken)| *taken == wished);
        let address = if is_taken { format!("{user}.of.{wished}") } else { wished };
        let shopper = Shopper::with_account(self.shop, &address);
        users.insert(user.to_owned(), (shopper.clone(), address));
        shopper
    }

    /// The address of a user's account.
    fn address(&self, user: &str) -> Option<String> {
        self.users.lock().unwrap().get(user).map(|(_, address)| address.clone())
    }

    /// Sends a form as the user's browser would from `page`; where it comes from is what the lesson says.
    fn sent(
        &self,
        asked: &Asked,
        user: &str,
        (page, action): (&str, &str),
        fields: &[(&str, &str)],
    ) -> Reply {
        let mut shopper = self.shopper(user);
        let shown = shopper.get(page).text();
        let csrf = hidden(&shown, "csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        let mut headers = vec![FORM];
        let own = asked.header("origin").is_none_or(|origin| origin == self.url);
        let origin = if own { Some(self.shop_url.as_str()) } else { asked.header("origin") };
        headers.extend(origin.map(|origin| ("origin", origin)));
        headers.extend(asked.header("sec-fetch-site").map(|site| ("sec-fetch-site", site)));
        let host = asked.header("host").filter(|host| !self.url.ends_with(host));
        headers.extend(host.map(|host| ("host", host)));
        shopper.send("POST", action, &headers, encode(&all).as_bytes())
    }

    fn form(&self, asked: &Asked, page: &str, action: &str, fields: &[(&str, &str)]) -> Said {
        Said::of(self.sent(asked, &asked.user(), (page, action), fields))
    }

    /// The same where it leads to a page of payment: the door remembers whose that is.
    fn begun(&self, asked: &Asked, page: &str, action: &str, fields: &[(&str, &str)]) -> Said {
        let reply = self.sent(asked, &asked.user(), (page, action), fields);
        let to = reply.header("location").unwrap_or_default();
        if let Some(at) = to.rfind("cs_") {
            let id = to[at..].split(['?', '#', '/']).next().unwrap();
            self.begun.lock().unwrap().insert(id.to_owned(), asked.user());
        }
        Said::of(reply)
    }

    fn buy(&self, asked: &Asked, price: &str) -> Said {
        let code = asked.text("coupon");
        self.begun(asked, "/pricing", "/pricing", &[("price", price), ("code", &code)])
    }

    /// The page that a buyer lands on, as whoever has begun it.
    fn success(&self, asked: &Asked) -> Said {
        let session = asked.text("session_id");
        let buyer = self.begun.lock().unwrap().get(&session).cloned();
        let mut shopper = self.shopper(buyer.as_deref().unwrap_or(WALK_IN));
        Said::of(shopper.get(&format!("/payment/success?provider=stripe&session_id={session}")))
    }

    fn credits(&self, asked: &Asked) -> Said {
        let page = self.shopper(&asked.user()).get("/account");
        Said::json(page.status, &json!({ "credits": credits(&page.text()) }))
    }

    fn verify(&self, asked: &Asked) -> Said {
        let reply = self.shopper(&asked.user()).verify(&asked.text("session_id"));
        let body = reply.json();
        let status = match body["data"]["order"]["status"].as_str() {
            Some("succeeded") => "paid",
            _ => "unpaid",
        };
        Said::json(reply.status, &json!({ "status": status, "shop": body }))
    }

    /// The orders of a user, as the shop keeps them, the oldest first.
    fn kept(&self, user: &str) -> Vec<Value> {
        let address = self.address(user).unwrap_or_default();
        let open = self.database();
        let sql = "SELECT json_object('provider', provider, 'amount', amount, 'currency', currency, 'plan', plan, \
            'status', status, 'lost', refunded + disputed) FROM orders JOIN users ON users.id = orders.user \
            WHERE email = ?1 ORDER BY orders.rowid";
        let mut statement = open.prepare(sql).unwrap();
        let rows = statement.query_map([address], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect()
    }

    fn database(&self) -> Connection {
        let path = self.folder.join(".stripegym/shop.db");
        let open = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        open.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        open
    }

    fn orders(&self, asked: &Asked) -> Said {
        let page = self.shopper(&asked.user()).get("/account");
        let orders = self.kept(&asked.user());
        Said::json(page.status, &json!({ "credits": credits(&page.text()), "orders": orders }))
    }

    /// Whether a user's page says that the subscription runs, and what was paid for it.
    fn access(&self, asked: &Asked) -> Said {
        let page = self.shopper(&asked.user()).get("/account").text();
        let table = page.split("<h2>Subscriptions</h2>").nth(1).unwrap();
        let table = table.split("<h2>").next().unwrap();
        let access = ["Active", "On trial"].iter().any(|it| table.contains(&format!(">{it}</td>")));
        let paid: Vec<_> = self.kept(&asked.user());
        let paid: Vec<_> = paid.iter().filter(|it| it["status"] == "succeeded").collect();
        let total: i64 = paid.iter().map(|it| it["amount"].as_i64().unwrap()).sum();
        Said::json(200, &json!({ "access": access, "paid": paid.len(), "total": total }))
    }

    /// Comes back from the hosted page as its address says, and has the key shown.
    fn thanks(&self, asked: &Asked) -> Said {
        let session = asked.text("session_id");
        let shown = self.sandbox.get(&format!("/v1/checkout/sessions/{session}")).json();
        let back = within(shown["success_url"].as_str().unwrap_or("/create-api-key"));
        let user = asked.user();
        let mut shopper = self.shopper(&user);
        let landed = shopper.get(&back.replace("{CHECKOUT_SESSION_ID}", &session));
        if landed.status != 303 {
            return Said::json(landed.status, &json!({ "error": "not this user's" }));
        }
        let page = shopper.follow(&landed);
        if !page.text().contains("id=\"show\"") {
            let is_shown = page.text().contains("id=\"replace\"");
            let status = if is_shown { 200 } else { 402 };
            return Said::json(status, &json!({ "shown": is_shown }));
        }
        let page = self.sent(asked, &user, ("/thanks_upgrade", "/thanks_upgrade"), &[]);
        let text = page.text();
        let key = text.split("<code id=\"key\">").nth(1).and_then(|it| it.split('<').next());
        self.shown.lock().unwrap().extend(key.map(str::to_owned));
        Said::json(page.status, &json!({ "key": key }))
    }

    fn keys(&self, asked: &Asked) -> Said {
        let list = self.command(&["api-key", "list", "--json"]).1;
        let address = self.address(&asked.user());
        let keys = list["data"].as_array().unwrap().iter();
        let keys = keys.filter(|it| it["email"].as_str() == address.as_deref()).count();
        Said::json(200, &json!({ "keys": keys }))
    }

    /// A payment on the shop's own form: the secret that its page confirms with.
    fn intent(&self, asked: &Asked) -> Said {
        let order = asked.text("order");
        let amount = asked.field("amount").unwrap_or_else(|| "1200".to_owned());
        let fields = [("amount", amount.as_str()), ("order", order.as_str())];
        let page = self.sent(asked, WALK_IN, ("/pay", "/pay"), &fields);
        if page.status != 200 {
            return Said::of(page);
        }
        let (intent, secret) = secret(&page.text());
        self.begun.lock().unwrap().insert(order, intent.clone());
        Said::json(200, &json!({ "payment_intent": intent, "client_secret": secret }))
    }

    /// What the page says that a payer comes back to.
    fn order(&self, asked: &Asked) -> Said {
        let intent = self.begun.lock().unwrap().get(&asked.text("order")).cloned();
        let Some(intent) = intent else { return Said::json(404, &json!({ "status": "unpaid" })) };
        let page = self.shopper(WALK_IN).get(&format!("/pay/done?payment_intent={intent}"));
        let text = page.text();
        let paid = text.split("is paid.").next().filter(|before| before.len() < text.len());
        let amount = paid.and_then(|before| before.rsplit('¥').next());
        let amount: Option<String> =
            amount.map(|it| it.chars().filter(char::is_ascii_digit).collect());
        let amount = amount.and_then(|it| it.parse::<i64>().ok());
        let status = if amount.is_some() { "paid" } else { "unpaid" };
        Said::json(page.status, &json!({ "status": status, "amount": amount.unwrap_or(0) }))
    }

    /// The customer of a user: whoever the shop begins to keep a card for.
    fn customer(&self, asked: &Asked) -> Said {
        let user = asked.user();
        self.known(&user, &asked.text("email"));
        let page = self.sent(asked, &user, ("/cards", "/cards/add"), &[]);
        if page.status != 200 {
            return Said::of(page);
        }
        let (setup, _) = secret(&page.text());
        let setup = self.sandbox.read(&format!("/v1/setup_intents/{setup}"));
        Said::json(200, &json!({ "customer": setup["customer"] }))
    }

    fn cards(&self, asked: &Asked) -> Said {
        let user = asked.user();
        let page = self.shopper(&user).get("/cards");
        let text = page.text();
        let cards = text.split("<li>").skip(1).map(|card| {
            let last4 = card.split("ending in ").nth(1).and_then(|it| it.get(..4));
            json!({ "id": hidden(card, "card"), "last4": last4 })
        });
        let sql = "SELECT value FROM kv JOIN users ON users.id = kv.key \
            WHERE namespace = 'stripe_customer' AND email = ?1";
        let address = self.address(&user);
        let known = self.database().query_row(sql, [address], |row| row.get::<_, String>(0)).ok();
        let cards: Vec<_> = cards.collect();
        Said::json(page.status, &json!({ "customer": known, "cards": cards }))
    }

    /// What the merchant does by command: money goes back once, however often that is typed for one order.
    fn refund(&self, asked: &Asked) -> Said {
        let (session, order) = (asked.text("session_id"), asked.text("order"));
        let mut words = vec!["refund", session.as_str(), "--idempotency", order.as_str(), "--json"];
        let amount = asked.field("amount");
        words.extend(amount.iter().flat_map(|amount| ["--amount", amount.as_str()]));
        self.done(&words)
    }

    /// The same of evidence, which is written and then submitted.
    fn evidence(&self, asked: &Asked) -> Said {
        let dispute = asked.text("dispute");
        let [written, sent] = ["written", "sent"].map(|step| format!("{dispute}-{step}"));
        let text = "The tea was delivered.";
        let said = self.done(&[
            "dispute",
            "evidence",
            text,
            &dispute,
            "--idempotency",
            &written,
            "--json",
        ]);
        if said.status != 200 {
            return said;
        }
        self.done(&["dispute", "submit", &dispute, "--idempotency", &sent, "--json"])
    }

    /// Runs a command; what the provider refuses is an answer, and anything else that fails is the shop's fault.
    fn done(&self, words: &[&str]) -> Said {
        let (code, said, error) = self.command(words);
        let refused = ["provider_refused", "not_found"];
        let refused = error["error"]["kind"].as_str().is_some_and(|kind| refused.contains(&kind));
        match code {
            0 => Said::json(200, &said),
            _ if refused => Said::json(409, &error),
            _ => Said::json(500, &error),
        }
    }

    /// Runs a command beside the shop: its exit code, what it says, and its fault.
    fn command(&self, words: &[&str]) -> (i32, Value, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stripegym"));
        command.args(words).current_dir(&self.folder).env_clear();
        command.envs(self.surroundings.iter().map(|(name, value)| (name, value)));
        let ran = command.output().unwrap();
        let fault = String::from_utf8_lossy(&ran.stderr).into_owned();
        let fault = serde_json::from_str(fault.lines().last().unwrap_or_default());
        let said = serde_json::from_slice(&ran.stdout).unwrap_or_default();
        (ran.status.code().unwrap_or(-1), said, fault.unwrap_or_default())
    }
}

fn credits(page: &str) -> i64 {
    let rest = page.split("data-credits=\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().parse().unwrap()
}

/// The id and the secret of an intent that a page confirms.
fn secret(page: &str) -> (String, String) {
    let rest = page.split("data-secret=\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    let secret = rest.split('"').next().unwrap();
    (secret.split("_secret_").next().unwrap().to_owned(), secret.to_owned())
}
