//! Where a day plays: the provider, the application, the line between them, and what the run keeps.

use crate::app::context::Context;
use crate::app::course::act_error::ActError;
use crate::app::course::application::Application;
use crate::app::course::creem_line::CreemLine;
use crate::app::course::exchanges::{Answer, Exchanges};
use crate::app::course::fault_proxy::{FaultProxy, Resign};
use crate::app::course::log::Log;
use crate::app::course::outage::Outage;
use crate::app::course::project_files;
use crate::app::course::variables::Variables;
use crate::app::endpoint;
use crate::app::provider::Provider;
use crate::app::seeded::BETWEEN_S;
use crate::domain::course::Track;
use crate::domain::course::lint::{Project, Rule, Sight};
use crate::domain::course::routes::Routes;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::member;
use crate::domain::peek::Peek as _;
use crate::domain::secret::SigningSecret;
use crate::domain::time::Timestamp;
use crate::net::outbound::{self, Patience, Reach};
use crate::net::tasks::blocking;
use crate::stripe::calls::Window;
use crate::stripe::failure::Error;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// How the endpoint of a run is described at the provider.
const MARK: &str = "stripegym course";
/// How many objects a list has where nobody says.
const PAGE_DEFAULT: u64 = 10;
/// How long the application may take to answer a request of a lesson.
const ANSWER: Patience =
    Patience { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// Where a day plays.
pub struct LessonRun<'c> {
    /// Settings, clock, notices.
    pub context: &'c Context,
    /// The provider.
    pub provider: &'c Provider,
    /// What was kept.
    pub vars: Variables,
    /// The application's log.
    pub log: Log,
    /// What was sent to the application in this run, and what it answered.
    pub exchanges: Exchanges,
    /// Sessions that the ledger had rows of before the run.
    pub rows_before: BTreeSet<String>,
    /// When the run began, by the provider's clock.
    pub started: Timestamp,
    /// Sessions and events that were there before the run, though no earlier than its first second: another run's,
    /// which may have been interrupted, or have moved its clock ahead.
    pub earlier: BTreeSet<String>,
    /// The folder of the project's documents.
    pub project: PathBuf,
    /// The signing secret of the endpoint.
    pub secret: SigningSecret,
    /// The secret that was rolled to, where one was.
    pub rolled: Option<SigningSecret>,
    /// Other secrets that an application could have been given by mistake.
    pub others: Vec<SigningSecret>,
    http: outbound::Client,
    endpoint: String,
    pub(super) proxy: FaultProxy,
    pub(super) application: &'c mut Application,
    /// What the line signs with, where the application has a secret of its own.
    pub(super) sealing: Option<Arc<Mutex<SigningSecret>>>,
    /// What keeps the ledger from being written to, while something does.
    pub(super) outage: Option<Outage>,
    /// Whether the day is all about the application's pages.
    pub about_pages: bool,
    /// The learner's own project, where there is one, and its files once they were read.
    pub(super) own: Option<PathBuf>,
    files: OnceLock<Project>,
    /// Whether the lesson may run commands of the project.
    may_run: bool,
    /// The line from Creem, once a lesson has asked for it.
    pub(super) creem: Option<CreemLine>,
}

impl<'c> LessonRun<'c> {
    /// Puts `application` before a day: draws the line to it and registers that with the provider.
    pub async fn open(
        context: &'c Context,
        provider: &'c Provider,
        application: &'c mut Application,
    ) -> Result<Self, Fault> {
        if context.clock.stands() {
            // Each day begins later than the one before it ended, so that it sees what is its own.
            context.clock.advance(BETWEEN_S);
        }
        let own = application.secret().cloned();
        let clock = application.clock(context);
        let log = application.log();
        let exchanges = Exchanges::beside(log.clone());
        let sealing = own.clone().map(|secret| Arc::new(Mutex::new(secret)));
        let resign = sealing.clone().map(|secret| Resign { secret, clock });
        let path = format!("/webhook/{:016x}", context.entropy.numbers("line").next());
        let proxy =
            FaultProxy::open(path, &application.webhook_url(), resign, exchanges.clone()).await?;
        let version = application.api_version();
        let (endpoint, registered) = match register(context, provider, proxy.url(), version).await {
            Ok(registered) => registered,
            Err(fault) => {
                proxy.close().await;
                return Err(fault);
            }
        };
        application.trust(&registered);
        proxy.trusted();
        let mut others = context.config.webhook_secrets.clone();
        others.push(registered.clone());
        let http =
            outbound::fresh_client(Reach::Plain, ANSWER).map_err(|e| ActError::client(&e))?;
        let mut run = Self {
            context,
            provider,
            vars: Variables::default(),
            log,
            exchanges,
            rows_before: BTreeSet::new(),
            started: context.clock.now(),
            earlier: BTreeSet::new(),
            project: context.config.home.join("project"),
            secret: own.unwrap_or(registered),
            rolled: None,
            others,
            http,
            endpoint,
            proxy,
            application,
            sealing,
            outage: None,
            about_pages: false,
            own: None,
            files: OnceLock::new(),
            may_run: false,
            creem: None,
        };
        if let Err(fault) = run.begin().await {
            run.close().await;
            return Err(fault);
        }
        run.introduce();
        Ok(run)
    }

    /// Notes when the run begins, and what the provider has by then of this very second, or of a time to come that
    /// an earlier run has seen.
    async fn begin(&mut self) -> Result<(), Fault> {
        self.started = self.provider_now().await?;
        let window = Window { since: Some(self.started.plus(-1)), until: None };
        let stripe = &self.provider.stripe;
        let mut earlier = BTreeSet::new();
        for mut walk in [stripe.sessions(window), stripe.events(window)] {
            while let Some(page) = walk.next_page().await? {
                earlier.extend(page.iter().map(|it| it.text("id").to_owned()));
            }
        }
        self.earlier = earlier;
        // A ledger that cannot be read yet has no rows.
        let ledger = self.ledger().await.unwrap_or_default();
        self.rows_before = sessions(&ledger);
        Ok(())
    }

    /// Reads at the provider; a list is what it would be had this run been the first: what was there before is left
    /// out, and further pages are read until there are as many as were asked for.
    pub async fn read(&self, path: &str, params: &Value) -> Result<Value, Error> {
        let mut list = self.provider.stripe.get(path, params).await?;
        // Another endpoint of the account that nobody serves is no matter of this run.
        let undelivered = params.get("delivery_success") == Some(&json!(false));
        let reached = if undelivered { self.reached().await } else { BTreeSet::new() };
        let lost = |id: &str| !reached.contains(id);
        let limit = params.get("limit").and_then(Value::as_u64).unwrap_or(PAGE_DEFAULT);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut page = list.clone();
        let mut kept = Vec::new();
        loop {
            let Some(data) = page.get("data").and_then(Value::as_array) else { return Ok(list) };
            let id = |it: &Value| it.get("id").and_then(Value::as_str).map(str::to_owned);
            let own =
                |it: &&Value| id(it).is_none_or(|id| !self.earlier.contains(&id) && lost(&id));
            kept.extend(data.iter().filter(own).cloned());
            let more = page.get("has_more").and_then(Value::as_bool) == Some(true);
            let last = data.last().and_then(id).filter(|_| more && kept.len() < limit);
            let Some(last) = last else { break };
            let mut next = params.clone();
            if let Some(map) = next.as_object_mut() {
                map.insert("starting_after".to_owned(), json!(last));
            }
            page = self.provider.stripe.get(path, &next).await?;
        }
        kept.truncate(limit);
        if let Some(data) = list.get_mut("data") {
            *data = Value::Array(kept);
        }
        Ok(list)
    }

    /// The events that were delivered to this run's endpoint.
    async fn reached(&self) -> BTreeSet<String> {
        let all = self.every_delivery().await.unwrap_or_default();
        let well = all.iter().filter(|it| it.text("status") == "succeeded");
        well.map(|it| it.text("event").to_owned()).collect()
    }

    /// Takes the learner's own project instead of the folder that the built-in shop has for its documents.
    pub fn lead_project(&mut self, folder: &Path) {
        folder.clone_into(&mut self.project);
        self.own = Some(folder.to_owned());
        self.vars.keep("project", json!(self.project.display().to_string()));
    }

    /// Says whether the lesson may run commands of the project.
    pub const fn consent(&mut self, may_run: bool) {
        self.may_run = may_run;
    }

    /// Whether the lesson is somebody else's, and nobody has allowed it to run commands.
    pub const fn is_foreign(&self) -> bool {
        !self.may_run
    }

    /// The learner's own project.
    pub fn own_project(&self) -> Option<&Path> {
        self.own.as_deref()
    }

    /// What a rule sees in the learner's project; why it cannot look, where there is none, or nothing of its sort.
    pub fn look_by(&self, rule: Rule) -> Result<Sight, &'static str> {
        let documents = rule.is_of_documents().then_some(self.project.as_path());
        let folder = self.own.as_deref().or(documents).ok_or("--project DIR")?;
        let sight = rule.look(self.files.get_or_init(|| blocking(|| project_files::read(folder))));
        if sight.looked == 0 { Err("0 files") } else { Ok(sight) }
    }

    /// A file of the application that has a text: the built-in shop keeps its own in the home folder, another one below
    /// its project, or where it is started.
    pub fn file_with(&self, text: &str) -> Option<String> {
        let home = &self.context.config.home;
        if self.track() == Track::Shop {
            return project_files::with(home, text.as_bytes(), None);
        }
        let folder = self.own.as_deref().unwrap_or(Path::new("."));
        project_files::with(folder, text.as_bytes(), Some(home))
    }

    /// Has the project's files read anew by whoever next looks.
    pub fn forget_files(&mut self) {
        self.files = OnceLock::new();
    }

    /// Keeps what lessons may always refer to.
    fn introduce(&mut self) {
        self.keep_app();
        if let Some(id) = self.application.price() {
            self.vars.keep("price", json!({ "id": id }));
        }
        self.vars.keep("api", json!({ "url": self.provider.base() }));
        let nonce = format!("{:016x}", self.context.entropy.numbers("nonce").next());
        // What is forged has ids of this run, so that what an earlier one left behind is not held against this one.
        self.vars.keep(
            "run",
            json!({
                "nonce": nonce, "started": self.started.0, "forged": format!("cs_test_forged{nonce}"),
                "forged_event": format!("evt_forged{nonce}"),
            }),
        );
        self.vars.keep("project", json!(self.project.display().to_string()));
    }

    fn keep_app(&mut self) {
        let (url, webhook) = self.app();
        let port = url.rsplit(':').next().unwrap_or_default();
        let [checkout, ledger] = self.application.paths().map(|path| format!("{url}{path}"));
        let value = json!({
            "url": url, "webhook": webhook, "port": port, "checkout": checkout, "ledger": ledger,
        });
        self.vars.keep("app", value);
    }

    /// The application's address and that of its webhook.
    pub fn app(&self) -> (String, String) {
        (self.application.url(), self.application.webhook_url())
    }

    /// How the application stands before the course.
    pub const fn track(&self) -> Track {
        self.application.track()
    }

    /// The application's present instant, by which it judges signatures.
    pub fn app_now(&self) -> Timestamp {
        self.application.clock(self.context).now()
    }

    /// What the application has beside its webhook, or is going to have on a day that is all about pages.
    pub const fn routes(&self) -> Routes {
        if self.about_pages { self.application.routes_to_come() } else { self.application.routes() }
    }

    /// How the application ended, with its last words, where this run started it and it has.
    pub fn over(&self) -> Option<String> {
        self.application.over()
    }

    /// Whether the application takes connections.
    pub async fn answers(&self) -> bool {
        self.application.answers().await
    }

    /// Stops the application and starts it again at the same port, with the same ledger; perhaps in another time
    /// zone, where it was started for the run.
    pub async fn restart(&mut self, zone: Option<&str>, kill: bool) -> Result<(), Fault> {
        if let Some(zone) = zone {
            self.application.set("TZ", zone);
        }
        self.proxy.hold();
        self.application.restart(self.context, self.provider, kill).await?;
        self.application.trust(&self.secret);
        self.proxy.lead_to(&self.application.webhook_url());
        self.proxy.trusted();
        self.keep_app();
        Ok(())
    }

    /// Breaks or mends the line.
    pub fn break_line(&self, status: u16, times: usize) {
        self.proxy.break_with(status, times);
    }

    /// The endpoint of this run, `we_…`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// All deliveries of this run, newest first.
    pub async fn every_delivery(&self) -> Result<Vec<Value>, Fault> {
        let path = format!("/_stripegym/deliveries?endpoint={}&limit=1000", self.endpoint);
        let list = self.control_get(&path).await?;
        Ok(list.items("data").to_vec())
    }

    /// A client for requests of this run.
    pub const fn http(&self) -> &outbound::Client {
        &self.http
    }

    /// Sends a request to the application.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, ActError> {
        self.exchanges.send(request).await
    }

    /// The application's ledger: how many rows there are, and the rows, of which it may show the newest only.
    pub async fn ledger(&self) -> Result<Value, ActError> {
        self.application.books().read(&self.http, &self.application.url()).await
    }

    /// Whether the provider knows a session, whenever it was made.
    pub async fn provider_has(&self, session: &str) -> bool {
        let path = format!("/v1/checkout/sessions/{session}");
        session.starts_with("cs_") && self.provider.stripe.get(&path, &Value::Null).await.is_ok()
    }

    /// The API version that the endpoint was told to have.
    pub fn api_version(&self) -> Option<&str> {
        self.application.api_version()
    }

    /// The application's own path where a lesson names the usual one.
    pub fn checkout_path<'p>(&'p self, path: &'p str) -> &'p str {
        let [checkout, _] = self.application.paths();
        if path == "/checkout" { checkout } else { path }
    }

    /// The provider's present instant.
    pub async fn provider_now(&self) -> Result<Timestamp, Fault> {
        let status = self.control_get("/_stripegym/status").await?;
        let now = status.get("now").and_then(Value::as_i64);
        Ok(now.map_or_else(|| self.context.clock.now(), Timestamp))
    }

    /// The deliveries of an event to this run's endpoint, oldest first.
    pub async fn deliveries(&self, event: &str) -> Result<Vec<Value>, Fault> {
        let endpoint = &self.endpoint;
        let path = format!("/_stripegym/deliveries?event={event}&endpoint={endpoint}&limit=100");
        let list = self.control_get(&path).await?;
        let mut rows = list.items("data").to_vec();
        rows.reverse();
        Ok(rows)
    }

    /// Reads one of the sandbox's own pages.
    pub async fn control_get(&self, path: &str) -> Result<Value, Fault> {
        self.control(self.http.get(format!("{}{path}", self.provider.base()))).await
    }

    /// Uses one of the sandbox's own controls.
    pub async fn control_post(&self, path: &str, form: &str) -> Result<Value, Fault> {
        let url = format!("{}{path}", self.provider.base());
        let request = self.http.post(url).header("Stripegym-Control", "1");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        self.control(request.body(form.to_owned())).await
    }

    pub(super) async fn control(&self, request: reqwest::RequestBuilder) -> Result<Value, Fault> {
        let base = self.provider.base().to_owned();
        let down = |error: reqwest::Error| {
            Fault::because(FaultKind::ProviderDown { base: base.clone() }, error.without_url())
        };
        let response = request.send().await.map_err(down)?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(down)?;
        let value: Value = serde_json::from_str(&body).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let message = value.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        let message = message.to_owned();
        Err(FaultKind::ProviderRefused { status, message, code: None, param: None, request: None }
            .into())
    }

    /// Takes the endpoint off the provider's list; the application goes on.
    pub async fn close(self) {
        if let Err(error) = self.provider.stripe.delete_webhook_endpoint(&self.endpoint).await {
            tracing::warn!(%error, "the webhook endpoint could not be removed");
        }
        if let Some(line) = self.creem {
            line.close().await;
        }
        self.proxy.close().await;
    }
}

/// The sessions that a ledger has rows of.
pub(super) fn sessions(ledger: &Value) -> BTreeSet<String> {
    let ids = ledger.items("rows").iter().filter_map(|row| row.get("session_id")?.as_str());
    ids.map(str::to_owned).collect()
}

async fn register(
    context: &Context,
    provider: &Provider,
    url: &str,
    version: Option<&str>,
) -> Result<(String, SigningSecret), Fault> {
    // An endpoint that a killed run left behind would fail every delivery to it, or bring them to whoever has its
    // port by now. One run at a time grades in a folder, so that it is nobody's.
    endpoint::sweep(provider, MARK, provider.is_of_folder()).await?;
    endpoint::park(context, provider).await;
    let mut params = json!({ "url": url, "enabled_events": ["*"], "description": MARK });
    if let (Some(version), Some(params)) = (version, params.as_object_mut()) {
        params.insert("api_version".to_owned(), json!(version));
    }
    let endpoint = provider.stripe.post("/v1/webhook_endpoints", &params).await?;
    let odd = |name: &str| FaultKind::ProviderOdd { what: format!("an endpoint without `{name}`") };
    let id = member::text(&endpoint, "id").ok_or_else(|| odd("id"))?.to_owned();
    let secret = member::text(&endpoint, "secret")
        .and_then(SigningSecret::read)
        .ok_or_else(|| odd("secret"))?;
    Ok((id, secret))
}

/// The attempts of some deliveries, in their order.
pub(super) fn attempts(deliveries: &[Value]) -> impl Iterator<Item = &Value> {
    deliveries.iter().flat_map(|it| it.items("attempts"))
}
