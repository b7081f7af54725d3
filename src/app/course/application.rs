//! The application that is put before the course: the built-in shop, a server known by its address, or a
//! server that is started for the run. It can be put before several days in turn.

use crate::app::context::Context;
use crate::app::course::act_error::ActError;
use crate::app::course::app_env;
use crate::app::course::books::Source;
use crate::app::course::course_lock::CourseLock;
use crate::app::course::exchanges::{Answer, send};
use crate::app::course::link_finder;
use crate::app::course::log::Log;
use crate::app::course::program::{Program, Start};
use crate::app::course::seed_price;
use crate::app::ledger_file::LedgerFile;
use crate::app::merchant_server::{ListenOptions, MerchantServer};
use crate::app::provider::Provider;
use crate::domain::course::Track;
use crate::domain::course::launch::{authority, port_of};
use crate::domain::course::routes::Routes;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::host::is_loopback;
use crate::domain::notice::Notice;
use crate::domain::secret::{ApiKey, SigningSecret};
use crate::net::outbound::{self, Patience, Reach};
use crate::net::server;
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use crate::shop::listener_event::EventSink;
use std::sync::OnceLock;
use std::time::Duration;

/// Where an application takes its deliveries unless it says otherwise.
const WEBHOOK_PATH: &str = "/webhook";
/// Where a checkout begins unless it says otherwise.
const CHECKOUT_PATH: &str = "/checkout";
/// The file in the home folder that has what a server that was started says.
const OUTPUT: &str = "own-server.log";
/// How long it may take to say whether it has a page.
const PROBE: Duration = Duration::from_secs(5);

/// Which application is graded; nothing said is the built-in shop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Where the learner's application answers, `http://127.0.0.1:5000`.
    pub address: Option<String>,
    /// The command that starts it.
    pub command: Option<String>,
    /// Whether it is to sell a Price that is made at the provider first.
    pub price: bool,
    /// The path of its webhook, where it is another than `/webhook`.
    pub webhook_path: Option<String>,
    /// Where its ledger is read from.
    pub books: Source,
    /// Whether it is known to have nothing but its webhook and its ledger.
    pub webhook_only: bool,
    /// Whether what it has not is left out on every day: nobody says which day is being worked on.
    pub as_found: bool,
    /// The path at which its checkout begins, where it is another than `/checkout`.
    pub checkout_path: Option<String>,
    /// The API version that its endpoint has, where it is another than the account's.
    pub api_version: Option<String>,
}

impl Candidate {
    /// How such an application stands before the course.
    pub const fn track(&self) -> Track {
        match (&self.command, &self.address) {
            (Some(_), _) => Track::Exec,
            (None, Some(_)) => Track::App,
            (None, None) => Track::Shop,
        }
    }

    /// Refuses what reaches beyond this machine.
    fn check(&self) -> Result<(), FaultKind> {
        match self.address.as_deref() {
            Some(url) if !url.starts_with("http://") || !is_loopback(url) => {
                Err(FaultKind::Setting {
                    name: "--app".to_owned(),
                    origin: url.to_owned(),
                    expected: "http://127.0.0.1:5000".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    fn webhook_path(&self) -> String {
        path_of(self.webhook_path.as_deref(), WEBHOOK_PATH)
    }
}

/// A path as it follows an address.
fn path_of(said: Option<&str>, usual: &str) -> String {
    format!("/{}", said.unwrap_or(usual).trim_start_matches('/'))
}

/// An application that takes requests.
pub struct Application {
    /// That no other run grades in the folder meanwhile.
    _lock: Option<CourseLock>,
    body: Body,
    /// What it says.
    log: Log,
    /// How many lines it had said when a day first listened.
    opening: OnceLock<usize>,
    /// The secret that it believes, where it has one of its own.
    secret: Option<SigningSecret>,
    webhook_path: String,
    checkout_path: String,
    api_version: Option<String>,
    books: Source,
    routes: Routes,
    /// Whether it was said that there are no pages.
    webhook_only: bool,
    as_found: bool,
    /// The Price that it is to sell, where one was made for it.
    price: Option<String>,
    /// The key that it calls the provider with, where it is not its own.
    key: Option<ApiKey>,
    /// The secret that it believes of the second provider.
    second: Option<SigningSecret>,
}

/// What it is.
enum Body {
    /// The built-in shop; absent while it is started anew.
    Shop(Option<Shop>),
    /// Somebody's server.
    Address(String),
    /// A server that was started for the run.
    Program { url: String, program: Program },
}

/// The built-in shop while it runs.
struct Shop {
    file: LedgerFile,
    server: MerchantServer,
    drain: Tasks,
}

impl Application {
    /// Starts it, or finds it.
    pub async fn open(
        context: &Context,
        provider: &Provider,
        candidate: &Candidate,
    ) -> Result<Self, Fault> {
        candidate.check()?;
        let lock = Some(CourseLock::take(&context.config.home)?);
        let log = Log::default();
        let mut secret = None;
        let own = candidate.command.is_some() || candidate.address.is_some();
        let second =
            if own { app_env::second_secret(context)? } else { app_env::fresh_second(context)? };
        let price = if candidate.price { Some(seed_price::price(provider).await?) } else { None };
        let body = match (&candidate.command, &candidate.address) {
            (None, None) => {
                let options = ListenOptions {
                    second: app_env::second_of(provider, &second),
                    ..listening(context.config.port, price.clone(), None)
                };
                let shop = open_shop((context, provider), &log, options).await?;
                Body::Shop(Some(shop))
            }
            (None, Some(url)) => {
                let believed = secret.insert(app_env::secret(context)?);
                app_env::tell(context, provider, url, believed).await?;
                Body::Address(url.clone())
            }
            (Some(command), address) => {
                let believed = secret.insert(app_env::secret(context)?);
                let url = match (address, port_of(command)) {
                    (Some(url), _) => url.clone(),
                    (None, Some(port)) => format!("http://127.0.0.1:{port}"),
                    (None, None) => format!("http://127.0.0.1:{}", free_port()?),
                };
                let mut start = starting(context, provider, (command, &url), believed);
                start.variables.extend(app_env::second(context, provider.base(), &second));
                start.variables.extend(price.clone().map(|id| (seed_price::VARIABLE, id)));
                let output = start.output.display().to_string();
                let program = Program::start(start, log.clone(), context.stop.clone()).await?;
                let command = command.clone();
                context.notices.say(Notice::Started { command, url: url.clone(), output });
                Body::Program { url, program }
            }
        };
        let books = candidate.books.clone().in_the(&context.config);
        let routes = Routes {
            pages: !candidate.webhook_only,
            ledger: books.is_page(),
            books: books != Source::None,
        };
        let opening = OnceLock::new();
        let webhook_only = candidate.webhook_only;
        let mut application = Self {
            _lock: lock,
            body,
            log,
            opening,
            secret,
            webhook_path: candidate.webhook_path(),
            checkout_path: path_of(candidate.checkout_path.as_deref(), CHECKOUT_PATH),
            api_version: candidate.api_version.clone(),
            books,
            routes,
            webhook_only,
            as_found: candidate.as_found,
            price,
            key: None,
            second: Some(second),
        };
        if application.track() != Track::Shop {
            application.look_around().await?;
        }
        Ok(application)
    }

    /// Finds out whether it has pages, unless that is known.
    async fn look_around(&mut self) -> Result<(), Fault> {
        if self.routes.pages {
            let patience = Patience { connect: PROBE, total: PROBE };
            let fresh = outbound::fresh_client(Reach::Plain, patience);
            let http = fresh.map_err(|e| ActError::client(&e))?;
            let home = send(http.get(self.url())).await;
            // A shop whose first page leads there is not asked for a session that nobody wants.
            let leads = matches!(&home, Ok(it) if link_finder::find(&it.body, &self.checkout_path).is_some());
            if !leads && home.is_ok() {
                let checkout = format!("{}{}", self.url(), self.checkout_path);
                self.routes.pages = !lacks(&send(http.post(checkout)).await);
            }
        }
        Ok(())
    }

    /// Where a checkout begins, and where the ledger is shown.
    pub fn paths(&self) -> [&str; 2] {
        [&self.checkout_path, self.books.path()]
    }

    /// The API version that its endpoint is to have.
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// Changes what it finds in its environment when it is started again, where it was started for the run.
    pub fn set(&mut self, name: &'static str, value: &str) {
        if let Body::Program { program, .. } = &mut self.body {
            program.set(name, value);
        }
    }

    /// Has it call the provider with this key when it is started again; with its own, where there is none.
    pub fn use_key(&mut self, context: &Context, key: Option<ApiKey>) {
        let text = key.as_ref().map_or_else(|| app_env::key(context), ApiKey::reveal).to_owned();
        self.set("STRIPE_SECRET_KEY", &text);
        self.key = key;
    }

    /// Whether the key that it calls the provider with is its own.
    pub const fn has_own_key(&self) -> bool {
        self.key.is_none()
    }

    /// What it has beside its webhook.
    pub const fn routes(&self) -> Routes {
        self.routes
    }

    /// What a day that is all about pages takes it to have: whoever has not said that there are none is going
    /// to write them.
    pub const fn routes_to_come(&self) -> Routes {
        let pages = !self.webhook_only && (!self.as_found || self.routes.pages);
        Routes { pages, ..self.routes }
    }

    /// The Price that it is to sell, where one was made for it.
    pub fn price(&self) -> Option<&str> {
        self.price.as_deref()
    }

    /// A server that somebody else has started for the run.
    pub fn started(program: Program, url: &str, secret: SigningSecret, log: Log) -> Self {
        Self {
            _lock: None,
            body: Body::Program { url: url.to_owned(), program },
            opening: OnceLock::new(),
            log,
            secret: Some(secret),
            webhook_path: WEBHOOK_PATH.to_owned(),
            checkout_path: CHECKOUT_PATH.to_owned(),
            api_version: None,
            books: Source::default(),
            routes: Routes::ALL,
            webhook_only: false,
            as_found: false,
            price: None,
            key: None,
            second: None,
        }
    }

    /// How it stands before the course.
    pub const fn track(&self) -> Track {
        match self.body {
            Body::Shop(_) => Track::Shop,
            Body::Address(_) => Track::App,
            Body::Program { .. } => Track::Exec,
        }
    }

    /// The clock that it goes by: the built-in shop has the course's, which lessons move; another one the system's.
    pub fn clock(&self, context: &Context) -> Clock {
        match self.body {
            Body::Shop(_) => context.clock.clone(),
            Body::Address(_) | Body::Program { .. } => Clock::system(),
        }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        match &self.body {
            Body::Shop(shop) => {
                shop.as_ref().map_or_else(String::new, |it| it.server.running.url())
            }
            Body::Address(url) | Body::Program { url, .. } => url.clone(),
        }
    }

    /// Whether somebody takes connections where it should answer.
    pub async fn answers(&self) -> bool {
        outbound::answers(&authority(&self.url())).await
    }

    /// Where it takes deliveries.
    pub fn webhook_url(&self) -> String {
        match &self.body {
            Body::Shop(Some(shop)) => shop.server.running.webhook_url(),
            _ => format!("{}{}", self.url(), self.webhook_path),
        }
    }

    /// Where its ledger is read from.
    pub const fn books(&self) -> &Source {
        &self.books
    }

    /// What it has said at its start, and what it says from now on.
    pub fn log(&self) -> Log {
        // Whoever comes first hears all of it: the last line of the start may still be on its way.
        let first = self.opening.get().is_none();
        let opening = *self.opening.get_or_init(|| self.log.len());
        if first { self.log.clone() } else { self.log.since_now(opening) }
    }

    /// The secret that it believes, where it has one of its own.
    pub const fn secret(&self) -> Option<&SigningSecret> {
        self.secret.as_ref()
    }

    /// The secret that it believes of the second provider, where it knows of one.
    pub const fn second_secret(&self) -> Option<&SigningSecret> {
        self.second.as_ref()
    }

    /// Notes that a secret of its own is another one from now on.
    pub fn believe(&mut self, secret: SigningSecret) {
        self.secret = Some(secret);
    }

    /// Makes it believe one more secret, where that can be told to it.
    pub fn trust(&self, secret: &SigningSecret) {
        if let Body::Shop(Some(shop)) = &self.body {
            shop.server.running.trust(secret.clone());
        }
    }

    /// Makes it believe these secrets and no others; whether that could be told to it.
    pub fn trust_only(&self, secrets: Vec<SigningSecret>) -> bool {
        let Body::Shop(Some(shop)) = &self.body else { return false };
        shop.server.running.trust_only(secrets);
        true
    }

    /// How it ended, with its last words, where it was started for this run and has.
    pub fn over(&self) -> Option<String> {
        match &self.body {
            Body::Program { program, .. } => program.over(),
            Body::Shop(_) | Body::Address(_) => None,
        }
    }

    /// Stops it and starts it again at the same port, with the same ledger. A server that is known by its
    /// address alone stays as it is.
    pub async fn restart(
        &mut self,
        context: &Context,
        provider: &Provider,
        kill: bool,
    ) -> Result<(), Fault> {
        let (price, key) = (self.price.clone(), self.key.clone());
        match &mut self.body {
            Body::Address(_) => {}
            Body::Program { program, .. } => program.restart(kill).await?,
            Body::Shop(held) => {
                let Some(shop) = held.take() else { return Ok(()) };
                let port = shop.server.running.addr().port();
                close_shop(shop).await;
                let second = self.second.as_ref();
                let second = second.and_then(|it| app_env::second_of(provider, it));
                let options = ListenOptions { second, ..listening(port, price, key) };
                *held = Some(open_shop((context, provider), &self.log, options).await?);
            }
        }
        Ok(())
    }

    /// Stops what was started for the run.
    pub async fn close(self) {
        match self.body {
            Body::Shop(Some(shop)) => close_shop(shop).await,
            Body::Program { program, .. } => program.stop().await,
            Body::Shop(None) | Body::Address(_) => {}
        }
    }
}

/// How a command starts a server that answers at an address.
fn starting(
    context: &Context,
    provider: &Provider,
    (command, url): (&str, &str),
    secret: &SigningSecret,
) -> Start {
    let mut variables = app_env::variables(context, provider.base(), url, secret);
    variables.push(("PYTHONUNBUFFERED", "1".to_owned()));
    Start {
        command: command.to_owned(),
        variables,
        address: authority(url),
        output: context.config.home.join(OUTPUT),
    }
}

/// Whether an answer says that there is no such page.
fn lacks(answer: &Result<Answer, ActError>) -> bool {
    matches!(answer, Ok(Answer { status: 404 | 405 | 501, .. }))
}

/// A port that nobody uses now.
pub fn free_port() -> Result<u16, Fault> {
    let taken = |error: std::io::Error| {
        let (address, command) = ("127.0.0.1:0".to_owned(), "stripegym".to_owned());
        Fault::because(FaultKind::PortTaken { address, command }, error)
    };
    server::free_port().map_err(taken)
}

const fn listening(port: u16, price: Option<String>, key: Option<ApiKey>) -> ListenOptions {
    ListenOptions { port, or_next: true, forward_to: None, price, secret: None, key, second: None }
}

async fn open_shop(
    (context, provider): (&Context, &Provider),
    log: &Log,
    options: ListenOptions,
) -> Result<Shop, Fault> {
    let file = LedgerFile::open(context).await?;
    let mut server = MerchantServer::open(context, provider, &file, options).await?;
    log.add(format!("{} started {}", context.clock.now(), server.running.url()));
    let (_, closed) = EventSink::channel();
    let mut seen = std::mem::replace(&mut server.seen, closed);
    let drain = Tasks::default();
    let heard = log.clone();
    drain.spawn(async move {
        while let Some(seen) = seen.recv().await {
            heard.add(seen.line());
        }
    });
    Ok(Shop { file, server, drain })
}

async fn close_shop(shop: Shop) {
    let Shop { file, server, drain } = shop;
    let MerchantServer { running, sink, .. } = server;
    running.stop().await;
    drop((sink, file));
    drain.finish().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_of_one_track_and_of_this_machine() {
        let candidate = |address: Option<&str>, command: Option<&str>| Candidate {
            address: address.map(str::to_owned),
            command: command.map(str::to_owned),
            webhook_path: Some("stripe/hook".to_owned()),
            ..Candidate::default()
        };
        assert_eq!(candidate(None, None).track(), Track::Shop);
        assert_eq!(candidate(Some("http://localhost:1"), None).track(), Track::App);
        assert_eq!(candidate(Some("http://localhost:1"), Some("x")).track(), Track::Exec);
        assert!(candidate(Some("http://localhost:1"), None).check().is_ok());
        assert!(candidate(Some("http://shop.example.com"), None).check().is_err());
        assert!(candidate(Some("https://127.0.0.1:1"), None).check().is_err());
        assert_eq!(candidate(None, None).webhook_path(), "/stripe/hook");
        assert_eq!(Candidate::default().webhook_path(), "/webhook");
    }
}
