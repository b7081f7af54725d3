//! `stripegym shop`: the merchant's application, until it is stopped.

use crate::app::context::{Context, NoticeSink};
use crate::app::creem::{self, Connected, Shop, Webhook};
use crate::app::endpoint::{Endpoint, Place};
use crate::app::failure::of_listener;
use crate::app::kept_endpoint::Server;
use crate::app::ledger_file::LedgerFile;
use crate::app::merchant_server::delivery;
use crate::app::provider::Provider;
use crate::app::shop_database;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::report::Report;
use crate::domain::secret::ApiKey;
use crate::domain::signature::TOLERANCE_S;
use crate::merchant::base::Database;
use crate::merchant::follower::Follower;
use crate::merchant::plan::{self, Market, Offer, Plan};
use crate::merchant::server::{self, CreemConfig, Running, ShopConfig};
use crate::net::shutdown::{self, Stop};
use crate::net::tasks::Tasks;
use crate::shop::creem_poll::CreemPoller;
use crate::shop::intake::{Intake, Secrets};
use crate::shop::listener_event::{EventSink, ListenerEvent};
use crate::shop::poll::{PollError, Poller};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// How often the provider is asked for events where it cannot deliver them, and the journal is followed.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

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
    let is_sandbox = context.config.mode == Mode::Sandbox;
    let database = shop_database::open(context).await?;
    let creem = creem::connect(context, provider).await?;
    let past = Past::of(context, provider, creem.as_ref(), (&file, &database)).await;
    past.catch_up(context).await?;
    let market = Market {
        stripe: &provider.stripe,
        make: is_sandbox,
        creem: creem.as_ref().map(|it| (&it.api, it.is_here)),
    };
    let offers = plan::offers(market, plans).await?;
    let sold = offers.clone();
    let noted = database.change(move |base| plan::note(base, &sold)).await;
    noted.map_err(|error| shop_database::fault(context, &error))?;
    let (sink, seen) = EventSink::channel();
    let made = (&file, database, offers, sink);
    let running = start(context, provider, creem.as_ref(), asked, made).await?;
    let (stop_following, following) = shutdown::pair();
    let tasks = Tasks::default();
    let endpoint = if is_sandbox {
        Some(register(context, provider, &running).await?)
    } else {
        // Stripe cannot reach this machine, unless through a tunnel: what it does not deliver is fetched.
        context.notices.say(Notice::Polling { base: provider.base().to_owned() });
        None
    };
    past.follow(context, !is_sandbox, &tasks, &following);
    let webhook = register_creem(context, creem, &running, endpoint.as_ref()).await?;
    let id = endpoint.as_ref().map(|it| it.id.clone());
    context.notices.say(Notice::Listening { url: running.url(), endpoint: id });
    watch(context, seen).await;
    if let Some(endpoint) = &endpoint {
        endpoint.leave(context, provider).await;
    }
    if let Some((creem, webhook)) = &webhook {
        creem.leave(webhook).await;
    }
    stop_following.stop();
    running.stop().await;
    tasks.finish().await;
    Err(FaultKind::Interrupted.into())
}

/// Starts the server.
async fn start(
    context: &Context,
    provider: &Provider,
    creem: Option<&Connected>,
    asked: &ShopOptions,
    (file, database, offers, sink): (&LedgerFile, Database, Vec<Offer>, EventSink),
) -> Result<Running, Fault> {
    let wished = asked.port.unwrap_or(context.config.port);
    let config = ShopConfig {
        addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), wished),
        or_next: asked.port.is_none(),
        stripe: provider.stripe.clone(),
        creem: creem.map(|it| CreemConfig {
            api: it.api.clone(),
            secrets: context.config.creem.secrets.clone(),
            scheme: context.config.creem.scheme,
        }),
        publishable: context.config.publishable.clone(),
        secrets: context.config.webhook_secrets.clone(),
        tolerance_s: TOLERANCE_S,
        batch: Arc::clone(&file.batch),
        journal: Arc::clone(&file.ledger),
        database,
        offers,
        clock: context.clock.clone(),
        sink,
    };
    let started = server::start(config).await;
    let running = started.map_err(|error| of_listener(&error, "stripegym shop"))?;
    if wished != 0 && running.addr().port() != wished {
        let used = running.addr().to_string();
        context.notices.say(Notice::OtherPort { wished, used });
    }
    Ok(running)
}

/// Says what is heard, until the stop signal.
async fn watch(context: &Context, mut seen: Receiver<ListenerEvent>) {
    let mut stop = context.stop.clone();
    loop {
        tokio::select! {
            () = stop.wait() => return,
            event = seen.recv() => match event.as_ref().map(delivery) {
                Some(Some(delivery)) => context.notices.say(Notice::Delivered(delivery)),
                Some(None) => {}
                None => return stop.wait().await,
            }
        }
    }
}

/// What happened and was not delivered here: fetched into the journal, and worked in from there.
struct Past {
    poller: Poller,
    creem: Option<CreemPoller>,
    follower: Follower,
}

impl Past {
    async fn of(
        context: &Context,
        provider: &Provider,
        creem: Option<&Connected>,
        (file, database): (&LedgerFile, &Database),
    ) -> Self {
        let live = provider.stripe.is_live();
        let (clock, batch) = (context.clock.clone(), Arc::clone(&file.batch));
        let intake = Intake::new(Secrets::default(), TOLERANCE_S, clock.clone(), batch);
        let key = context.config.key.as_ref().map_or_else(String::new, ApiKey::masked);
        let poller = Poller {
            stripe: provider.stripe.clone(),
            ledger: Arc::clone(&file.ledger),
            intake: intake.for_mode(live),
            cursor: format!("events of {key}"),
            // Nobody watches what is fetched.
            sink: EventSink::channel().0,
        };
        let creem = match creem.filter(|it| !it.delivers) {
            Some(it) => Some(it.poller(context, file, EventSink::channel().0).await),
            None => None,
        };
        // A tunnel may bring what it does not keep.
        let failed = |fault: Fault| {
            let cause = fault.cause.unwrap_or_else(|| fault.kind.name().to_owned());
            context.notices.say(Notice::PollFailed { cause });
        };
        let creem = creem.and_then(|made| made.map_err(failed).ok());
        let (journal, database) = (Arc::clone(&file.ledger), database.clone());
        Self { poller, creem, follower: Follower { journal, database, clock, live } }
    }

    /// Makes up for what happened while no shop was open; where nobody has an account, nothing did.
    async fn catch_up(&self, context: &Context) -> Result<(), Fault> {
        let fault = |error| shop_database::fault(context, &error);
        let found = self.follower.database.look(|base| base.has_users()).await;
        if found.map_err(fault)? {
            let failed = |error: PollError| {
                context.notices.say(Notice::PollFailed { cause: error.to_string() });
            };
            self.poller.once().await.map_or_else(failed, drop);
            if let Some(creem) = &self.creem {
                creem.once().await.map_or_else(failed, drop);
            }
        }
        self.follower.catch_up().await.map(drop).map_err(fault)
    }

    /// Goes on doing so until `stop`, of Stripe where `polls`: whatever delivers is not asked.
    fn follow(self, context: &Context, polls: bool, tasks: &Tasks, stop: &Stop) {
        let Self { poller, creem, follower } = self;
        let failed = |notices: &NoticeSink, error: &PollError| {
            notices.say(Notice::PollFailed { cause: error.to_string() });
        };
        if polls || creem.is_some() {
            let stop = stop.clone();
            tasks.spawn(async move { follower.run(FOLLOW_EVERY, stop).await });
        }
        if polls {
            let (notices, stop) = (context.notices.clone(), stop.clone());
            tasks.spawn(async move {
                poller.run(FOLLOW_EVERY, stop, |error| failed(&notices, error)).await;
            });
        }
        if let Some(creem) = creem {
            context.notices.say(Notice::Polling { base: creem.api.base().to_owned() });
            let (notices, stop) = (context.notices.clone(), stop.clone());
            tasks.spawn(async move {
                creem.run(FOLLOW_EVERY, stop, |error| failed(&notices, error)).await;
            });
        }
    }
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

/// Registers the webhook with the sandbox: as the endpoint that the folder's shop was the last time.
async fn register(
    context: &Context,
    provider: &Provider,
    running: &Running,
) -> Result<Endpoint, Fault> {
    let trust = |secret| running.trust(secret);
    let place = Place { server: Server::Shop, url: running.webhook_url(), trust: &trust };
    place.register_for_good(context, provider).await
}

/// The same with the second provider, where it is on this machine: another one cannot reach it, unless through a tunnel.
async fn register_creem(
    context: &Context,
    creem: Option<Connected>,
    running: &Running,
    endpoint: Option<&Endpoint>,
) -> Result<Option<(Connected, Webhook)>, Fault> {
    let Some(creem) = creem.filter(|it| it.delivers) else { return Ok(None) };
    let trust = |secret| running.trust_creem(secret);
    let is_folders = endpoint.is_some_and(Endpoint::stays);
    let shop = Shop { url: running.creem_webhook_url(), trust: &trust, is_folders };
    let webhook = creem.register(context, &shop).await?;
    Ok(Some((creem, webhook)))
}
