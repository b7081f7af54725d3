//! `stripegym shop`: the merchant's application, until it is stopped.

use crate::app::context::Context;
use crate::app::failure::{of_listener, of_store};
use crate::app::ledger_file::{self, LedgerFile};
use crate::app::merchant_server::sweep;
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::member;
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::report::Report;
use crate::domain::secret::{ApiKey, SigningSecret};
use crate::domain::signature::TOLERANCE_S;
use crate::merchant::base::sqlite::SqliteFile;
use crate::merchant::base::{self, Database};
use crate::merchant::follower::Follower;
use crate::merchant::plan::{self, Plan};
use crate::merchant::server::{self, Running, ShopConfig};
use crate::net::shutdown::{self, Stop};
use crate::net::tasks::Tasks;
use crate::shop::intake::{Intake, Secrets};
use crate::shop::listener_event::EventSink;
use crate::shop::poll::{PollError, Poller};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often the provider is asked for events where it cannot deliver them, and the journal is followed.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// The description of the endpoint that is ours.
const MARK: &str = "stripegym shop";

/// How it was asked for.
#[derive(Clone, Debug, Default)]
pub struct ShopOptions {
    /// The port, where one was named.
    pub port: Option<u16>,
    /// The file of what is sold, where one was named.
    pub plans: Option<PathBuf>,
}

/// Serves until the stop signal.
pub async fn run(context: &Context, asked: &ShopOptions) -> Result<Report, Fault> {
    let plans = plans(asked)?;
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, asked, plans).await;
    provider.close().await;
    answer
}

async fn work(
    context: &Context,
    provider: &Provider,
    asked: &ShopOptions,
    plans: Vec<Plan>,
) -> Result<Report, Fault> {
    let file = LedgerFile::open(context).await?;
    let makes = context.config.mode == Mode::Sandbox;
    let wished = asked.port.unwrap_or(context.config.port);
    let database = open(context).await?;
    let follower = Follower {
        journal: Arc::clone(&file.ledger),
        database: database.clone(),
        clock: context.clock.clone(),
        live: provider.stripe.is_live(),
    };
    let behind = follower.catch_up().await;
    behind.map_err(|error| of_store(&error, &path(context)))?;
    let config = ShopConfig {
        addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), wished),
        or_next: asked.port.is_none(),
        stripe: provider.stripe.clone(),
        publishable: context.config.publishable.clone(),
        secrets: context.config.webhook_secrets.clone(),
        tolerance_s: TOLERANCE_S,
        batch: Arc::clone(&file.batch),
        database,
        offers: plan::offers(&provider.stripe, plans, makes).await?,
        clock: context.clock.clone(),
    };
    let started = server::start(config).await;
    let running = started.map_err(|error| of_listener(&error, "stripegym shop"))?;
    if wished != 0 && running.addr().port() != wished {
        let used = running.addr().to_string();
        context.notices.say(Notice::OtherPort { wished, used });
    }
    let (stop_following, following) = shutdown::pair();
    let tasks = Tasks::default();
    let endpoint = if makes {
        Some(register(provider, &running).await?)
    } else {
        // Stripe cannot reach this machine, unless through a tunnel: what it does not deliver is fetched.
        follow(context, provider, &file, follower, (&tasks, following));
        None
    };
    context.notices.say(Notice::Listening { url: running.url(), endpoint: endpoint.clone() });
    context.stop.clone().wait().await;
    if let Some(id) = endpoint
        && let Err(error) = provider.stripe.delete_webhook_endpoint(&id).await
    {
        tracing::warn!(%error, "the webhook endpoint could not be removed");
    }
    stop_following.stop();
    running.stop().await;
    tasks.finish().await;
    Err(FaultKind::Interrupted.into())
}

/// Fetches the provider's events into the journal, and works in what the journal has.
fn follow(
    context: &Context,
    provider: &Provider,
    file: &LedgerFile,
    follower: Follower,
    (tasks, stop): (&Tasks, Stop),
) {
    let key = context.config.key.as_ref().map_or_else(String::new, ApiKey::masked);
    let (sink, _) = EventSink::channel();
    let intake = Intake::new(
        Secrets::default(),
        TOLERANCE_S,
        context.clock.clone(),
        Arc::clone(&file.batch),
    );
    let poller = Poller {
        stripe: provider.stripe.clone(),
        ledger: Arc::clone(&file.ledger),
        intake: intake.for_mode(provider.stripe.is_live()),
        cursor: format!("events of {key}"),
        sink,
    };
    context.notices.say(Notice::Polling { base: provider.base().to_owned() });
    let (notices, polling) = (context.notices.clone(), stop.clone());
    tasks.spawn(async move {
        let failed = |error: &PollError| {
            notices.say(Notice::PollFailed { cause: error.to_string() });
        };
        poller.run(FOLLOW_EVERY, polling, failed).await;
    });
    tasks.spawn(async move { follower.run(FOLLOW_EVERY, stop).await });
}

/// What is sold.
fn plans(asked: &ShopOptions) -> Result<Vec<Plan>, Fault> {
    let text = match &asked.plans {
        Some(path) => {
            Some(std::fs::read_to_string(path).map_err(|error| Fault::file(path, error))?)
        }
        None => None,
    };
    plan::read(text.as_deref()).map_err(|reason| {
        let value = asked.plans.as_ref().map_or_else(String::new, |it| it.display().to_string());
        let usage_error =
            UsageError::BadValue { flag: "--plans".to_owned(), value, expected: reason };
        FaultKind::Usage { usage_error, command: "stripegym shop".to_owned() }.into()
    })
}

fn path(context: &Context) -> PathBuf {
    context.config.home.join(base::FILE)
}

/// Opens the application's database.
async fn open(context: &Context) -> Result<Database, Fault> {
    let path = path(context);
    let own = path.clone();
    let opened = ledger_file::apart(move || SqliteFile::open(&own)).await;
    opened.map(Database::new).map_err(|error| of_store(&error, &path))
}

/// Registers the webhook with the sandbox, and believes the secret that is given for it; the endpoint.
async fn register(provider: &Provider, running: &Running) -> Result<String, Fault> {
    sweep(provider, MARK, false).await?;
    let url = running.webhook_url();
    // The journal is to have everything, for the book that follows from it.
    let created = provider.stripe.create_webhook_endpoint(&url, &["*"], MARK).await?;
    let odd = |name: &str| FaultKind::ProviderOdd { what: format!("an endpoint without `{name}`") };
    let secret = member::text(&created, "secret").and_then(SigningSecret::read);
    running.trust(secret.ok_or_else(|| odd("secret"))?);
    Ok(member::owned(&created, "id").ok_or_else(|| odd("id"))?)
}
