//! The application's server: one address, one table of routes, and what every route works with.

use crate::domain::creem::Scheme;
use crate::domain::secret::{ApiKey, SigningSecret};
use crate::merchant::base::Database;
use crate::merchant::limit::Limiter;
use crate::merchant::password::Passwords;
use crate::merchant::plan::{Offer, Page};
use crate::merchant::provider::ProviderName;
use crate::merchant::provider::creem::CreemProvider;
use crate::merchant::provider::stripe::StripeProvider;
use crate::merchant::web::route;
use crate::net::server::{self, Limits};
use crate::net::shutdown::{self, Stopper};
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use crate::shop::answer;
use crate::shop::creem_api::Creem;
use crate::shop::intake::{Intake, Secrets};
use crate::shop::listener::ListenerError;
use crate::shop::listener_event::EventSink;
use crate::store::Ledger;
use crate::store::writer::LedgerBatch;
use crate::stripe::Stripe;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

/// The second provider, and how it is heard.
#[derive(Debug)]
pub struct CreemConfig {
    /// Its client.
    pub api: Creem,
    /// The secrets that are believed from the start.
    pub secrets: Vec<SigningSecret>,
    /// How its webhooks are signed.
    pub scheme: Scheme,
}

/// What a server is made of.
#[derive(Debug)]
pub struct ShopConfig {
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether another port will do where this one is taken.
    pub or_next: bool,
    /// The provider.
    pub stripe: Stripe,
    /// The second provider, where there is one.
    pub creem: Option<CreemConfig>,
    /// The key that browsers may see.
    pub publishable: Option<ApiKey>,
    /// The signing secrets that are believed from the start.
    pub secrets: Vec<SigningSecret>,
    /// How many seconds old a signature may be.
    pub tolerance_s: i64,
    /// The journal's writer.
    pub batch: Arc<LedgerBatch>,
    /// The journal, to be read.
    pub journal: Arc<Ledger>,
    /// The application's own database.
    pub database: Database,
    /// What is sold.
    pub offers: Vec<Offer>,
    /// What time it is.
    pub clock: Clock,
    /// Where it is told what was heard.
    pub sink: EventSink,
}

/// How often something may be tried.
#[derive(Debug)]
pub struct Tries {
    /// Signing in with one address.
    pub sign_in: Limiter,
    /// Making accounts, by anybody.
    pub sign_up: Limiter,
    /// Asking the provider for something, by one user.
    pub ask: Limiter,
}

/// What every route works with.
#[derive(Debug)]
pub struct Desk {
    /// The address that is listened on.
    pub bound: SocketAddr,
    /// The provider's client.
    pub stripe: Stripe,
    /// The key that browsers may see.
    pub publishable: Option<ApiKey>,
    /// The provider, as its events are heard.
    pub provider: StripeProvider,
    /// The second provider, where there is one: as it is asked, and as it is heard.
    pub creem: Option<(Creem, CreemProvider)>,
    /// The way into the journal.
    pub intake: Intake,
    /// The journal, to be read.
    pub journal: Arc<Ledger>,
    /// The application's own database.
    pub database: Database,
    /// What is sold.
    pub offers: Vec<Offer>,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// How often something may be tried.
    pub tries: Tries,
    /// What time it is.
    pub clock: Clock,
    /// Where it is told what was heard.
    pub sink: EventSink,
}

impl Desk {
    /// What is sold on a page.
    pub fn offers_of(&self, page: Page) -> impl Iterator<Item = &Offer> {
        self.offers.iter().filter(move |it| it.plan.page == page)
    }

    /// What is sold for this price, by this provider where one is named.
    pub fn offer(&self, provider: Option<ProviderName>, price: &str) -> Option<&Offer> {
        let is_theirs = |it: &&Offer| provider.is_none_or(|name| it.plan.provider == name);
        self.offers.iter().filter(is_theirs).find(|it| it.price == price)
    }
}

/// A server at work. Dropping it asks it to stop; [`Running::stop`] also waits.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    secrets: Secrets,
    creem_secrets: Secrets,
    stopper: Stopper,
    server: Tasks,
}

impl Running {
    /// The address that is listened on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The first page.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where the provider's events go.
    pub fn webhook_url(&self) -> String {
        format!("{}/api/stripe/webhook", self.url())
    }

    /// Where the second provider's events go.
    pub fn creem_webhook_url(&self) -> String {
        format!("{}/api/creem/webhook", self.url())
    }

    /// Believes one more signing secret from now on.
    pub fn trust(&self, secret: SigningSecret) {
        self.secrets.trust(secret);
    }

    /// Believes one more secret of the second provider's from now on.
    pub fn trust_creem(&self, secret: SigningSecret) {
        self.creem_secrets.trust(secret);
    }

    /// Takes no more requests, and answers those that are open.
    pub async fn stop(self) {
        self.stopper.stop();
        self.server.finish().await;
    }
}

/// Starts a server; it answers from the moment that this returns.
pub async fn start(config: ShopConfig) -> Result<Running, ListenerError> {
    let addr = config.addr;
    let failed = |source| ListenerError::Bind { addr, source };
    let (listener, bound) = server::bound(addr, config.or_next).await.map_err(failed)?;
    let (secrets, creem_secrets) = (Secrets::new(config.secrets), Secrets::default());
    let creem = config.creem.map(|it| {
        for secret in it.secrets {
            creem_secrets.trust(secret);
        }
        let (clock, tolerance_s) = (config.clock.clone(), config.tolerance_s);
        (it.api, CreemProvider::new(creem_secrets.clone(), it.scheme, tolerance_s, clock))
    });
    let intake =
        Intake::new(secrets.clone(), config.tolerance_s, config.clock.clone(), config.batch)
            .for_mode(config.stripe.is_live());
    let desk = Arc::new(Desk {
        bound,
        stripe: config.stripe,
        publishable: config.publishable,
        provider: StripeProvider::new(intake.clone()),
        creem,
        intake,
        journal: config.journal,
        database: config.database,
        offers: config.offers,
        passwords: Passwords::default(),
        tries: Tries {
            sign_in: Limiter::new(5, 300),
            sign_up: Limiter::new(60, 60),
            ask: Limiter::new(1_200, 60),
        },
        clock: config.clock,
        sink: config.sink,
    });
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(route::answer(desk, request).await) }
    });
    let (stopper, stop) = shutdown::pair();
    let tasks = Tasks::default();
    let limits = Limits { body_time: answer::BODY_TIME, ..Limits::default() };
    tasks.spawn(server::serve(listener, service, limits, stop));
    Ok(Running { addr: bound, secrets, creem_secrets, stopper, server: tasks })
}
