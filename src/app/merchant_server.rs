//! The shop's options for the time a command runs: the listener, registered with a sandbox, and what it saw as
//! notices.

use crate::app::context::Context;
use crate::app::failure::of_listener;
use crate::app::kept_endpoint::{self, KeptEndpoints};
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::member;
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::notice::{Delivery, DeliveryOutcome, Notice};
use crate::domain::secret::{ApiKey, SigningSecret};
use crate::domain::signature::TOLERANCE_S;
use crate::net::outbound;
use crate::net::tls::{Files, Identity, TlsError};
use crate::shop::listener::{self, ListenerConfig, Running};
use crate::shop::listener_event::{EventSink, ListenerEvent};
use crate::shop::site::Site;
use crate::stripe::Stripe;
use crate::stripe::failure::Error;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// The description of the endpoints that are ours.
const MARK: &str = "stripegym listen";

/// Where the endpoint of a listener that is down is sent to, so that it is tried again: nobody answers there, while another
/// program may have the listener's port by then.
const NOWHERE: &str = "http://127.0.0.1:1/webhook";

/// The member of the metadata of endpoints that stay when nobody listens: it names the folder of whoever comes back.
const STAYS: &str = "stripegym_folder";

/// How the options is opened.
#[derive(Clone, Debug, Default)]
pub struct ListenOptions {
    /// The port.
    pub port: u16,
    /// Whether another port will do where it is taken.
    pub or_next: bool,
    /// Where deliveries are passed on to.
    pub forward_to: Option<String>,
    /// The Price that the shop sells, where it is not its own amount.
    pub price: Option<String>,
    /// The key that the shop calls the provider with, where it is another than the command's.
    pub key: Option<ApiKey>,
}

/// A listener that is registered and does not listen.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Where it listened.
    pub port: u16,
    /// The endpoint at the provider.
    pub endpoint: Option<String>,
    secret: Option<SigningSecret>,
}

/// An open options.
pub struct MerchantServer {
    /// The listener.
    pub running: Running,
    /// What it sees.
    pub seen: Receiver<ListenerEvent>,
    /// Where the poller tells what it sees.
    pub sink: EventSink,
    endpoint: Option<String>,
    secret: Option<SigningSecret>,
    /// Where the endpoint is kept for the next time, if it is.
    kept: Option<KeptEndpoints>,
}

impl MerchantServer {
    /// Opens it; it takes deliveries that are signed with a secret of the settings.
    pub async fn open(
        context: &Context,
        provider: &Provider,
        file: &LedgerFile,
        options: ListenOptions,
    ) -> Result<Self, Fault> {
        Self::open_as(context, provider, file, options, None).await
    }

    /// The same; over TLS alone, where it is given what it proves itself with.
    pub async fn open_as(
        context: &Context,
        provider: &Provider,
        file: &LedgerFile,
        options: ListenOptions,
        tls: Option<&Files>,
    ) -> Result<Self, Fault> {
        let (sink, seen) = EventSink::channel();
        let stripe = match options.key {
            Some(key) => Stripe::new(provider.base(), key)?,
            None => provider.stripe.clone(),
        };
        let config = ListenerConfig {
            addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), options.port),
            or_next: options.or_next,
            tls: tls.map(identity).transpose()?,
            secrets: context.config.webhook_secrets.clone(),
            tolerance_s: TOLERANCE_S,
            forward_to: options.forward_to,
            ledger: Arc::clone(&file.ledger),
            batch: Arc::clone(&file.batch),
            clock: context.clock.clone(),
            site: Some(Site {
                stripe,
                publishable: context.config.publishable.clone(),
                product: "Tea".to_owned(),
                price: Money::new(500, Currency::JPY),
                price_id: options.price,
            }),
            sink: sink.clone(),
        };
        let started = listener::start(config).await;
        let running = started.map_err(|error| of_listener(&error, "stripegym listen"))?;
        if options.port != 0 && running.addr().port() != options.port {
            let used = running.addr().to_string();
            context.notices.say(Notice::OtherPort { wished: options.port, used });
        }
        Ok(Self {
            running,
            seen,
            sink,
            endpoint: None,
            secret: context.config.webhook_secrets.first().cloned(),
            kept: None,
        })
    }

    /// Registers it with the provider for as long as it listens, and believes the secret that it is given.
    pub async fn register(&mut self, context: &Context, provider: &Provider) -> Result<(), Fault> {
        park(context, provider).await;
        sweep(provider, MARK, false).await?;
        let made = self.create(provider, &json!({})).await?;
        self.is_registered(made);
        Ok(())
    }

    /// Registers it for good: as the endpoint that this folder's listener was the last time, where the provider still has
    /// it, so that what could not be delivered meanwhile is. While another listener has that, as one of its own.
    pub async fn register_for_good(
        &mut self,
        context: &Context,
        provider: &Provider,
    ) -> Result<(), Fault> {
        let mut kept = match KeptEndpoints::open(&context.config.home) {
            Ok(Some(kept)) => kept,
            Ok(None) => return self.register(context, provider).await,
            Err(error) => {
                tracing::warn!(%error, "{} cannot be used", kept_endpoint::FILE);
                return self.register(context, provider).await;
            }
        };
        sweep(provider, MARK, false).await?;
        let key = provider.stripe.key();
        let world = key.world().unwrap_or_default().to_owned();
        let known = kept.of(&world);
        let found = is_known(provider, kept.folder(), known.as_ref().map(|(id, _)| id)).await?;
        let made = match known.filter(|_| found) {
            Some((id, secret)) => {
                // Before it is told where to: what waits may come at once.
                self.running.trust(secret.clone());
                let url = self.running.sandbox_webhook_url();
                provider.stripe.move_webhook_endpoint(&id, &url).await?;
                (id, secret)
            }
            None => self.create(provider, &json!({ STAYS: kept.folder() })).await?,
        };
        match kept.keep(&world, &made.0, &made.1) {
            Ok(()) => self.kept = Some(kept),
            // It is taken off the list at the end, as nobody could come back to it.
            Err(error) => tracing::warn!(%error, "{} cannot be written", kept_endpoint::FILE),
        }
        self.is_registered(made);
        Ok(())
    }

    async fn create(
        &self,
        provider: &Provider,
        metadata: &Value,
    ) -> Result<(String, SigningSecret), Fault> {
        let url = self.running.sandbox_webhook_url();
        let created = provider.stripe.create_webhook_endpoint(&url, &["*"], MARK, metadata);
        let endpoint = created.await?;
        let odd =
            |name: &str| FaultKind::ProviderOdd { what: format!("an endpoint without `{name}`") };
        let secret = member::text(&endpoint, "secret")
            .and_then(SigningSecret::read)
            .ok_or_else(|| odd("secret"))?;
        self.running.trust(secret.clone());
        Ok((member::owned(&endpoint, "id").ok_or_else(|| odd("id"))?, secret))
    }

    fn is_registered(&mut self, (endpoint, secret): (String, SigningSecret)) {
        self.endpoint = Some(endpoint);
        self.secret = Some(secret);
    }

    /// The endpoint at the provider, once it is registered.
    pub fn endpoint(&self) -> Option<String> {
        self.endpoint.clone()
    }

    /// The secret that deliveries are signed with, where one is known.
    pub const fn secret(&self) -> Option<&SigningSecret> {
        self.secret.as_ref()
    }

    /// Stops listening and stays registered: what is delivered meanwhile finds nobody. What opens it again.
    pub async fn stop_listening(self) -> Registered {
        let (port, running) = (self.running.addr().port(), self.running);
        running.stop().await;
        Registered { port, endpoint: self.endpoint, secret: self.secret }
    }

    /// Listens again where it did, with the secret that its deliveries are signed with.
    pub async fn listen_again(
        context: &Context,
        provider: &Provider,
        file: &LedgerFile,
        was: &Registered,
    ) -> Result<Self, Fault> {
        let options = ListenOptions { port: was.port, ..ListenOptions::default() };
        let mut server = Self::open(context, provider, file, options).await?;
        if let Some(secret) = &was.secret {
            server.running.trust(secret.clone());
        }
        server.endpoint.clone_from(&was.endpoint);
        server.secret.clone_from(&was.secret);
        Ok(server)
    }

    /// Takes itself off the provider's list, or lets it try again later where it comes back, and closes; what is being
    /// answered is answered first.
    pub async fn close(self, context: &Context, provider: &Provider) {
        let stays = self.kept.is_some();
        if let Some(id) = &self.endpoint {
            let mut left = leave(provider, id, stays).await;
            if matches!(left, Err(Error::Unreachable { .. }))
                // The sandbox's host has ended; its world is still there.
                && let Ok(next) = Provider::connect(context).await
            {
                left = leave(&next, id, stays).await;
                next.close().await;
            }
            if let Err(error) = left {
                tracing::warn!(%error, "the webhook endpoint could not be left");
            }
        }
        let dropped = self.running.forwards_dropped();
        if dropped > 0 {
            context.notices.say(Notice::ForwardsDropped { count: dropped });
        }
        self.running.stop().await;
    }
}

async fn leave(provider: &Provider, id: &str, stays: bool) -> Result<Value, Error> {
    if stays {
        provider.stripe.move_webhook_endpoint(id, NOWHERE).await
    } else {
        provider.stripe.delete_webhook_endpoint(id).await
    }
}

/// Keeps what is meant for the folder's listener from whoever has its port now, where it was killed.
pub async fn park(context: &Context, provider: &Provider) {
    let home = &context.config.home;
    if context.config.mode == Mode::Stripe || !home.join(kept_endpoint::FILE).exists() {
        return;
    }
    // Where it cannot be had, that listener is at work.
    let Ok(Some(kept)) = KeptEndpoints::open(home) else { return };
    let Some((id, _)) = kept.of(provider.stripe.key().world().unwrap_or_default()) else { return };
    if let Err(error) = leave(provider, &id, true).await {
        tracing::debug!(%error, "the listener's endpoint is not there");
    }
}

/// Reads what it proves itself with; of a file that cannot be used it is said how one is made.
fn identity(files: &Files) -> Result<Identity, Fault> {
    const MADE: &str = "openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=localhost \
                        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem";
    Identity::read(files).map_err(|error| {
        let (flag, path) = match &error {
            TlsError::Certificate { path, .. } => ("--tls-cert", path),
            TlsError::Key { path, .. } => ("--tls-key", path),
        };
        let usage_error = UsageError::BadValue {
            flag: flag.to_owned(),
            value: path.display().to_string(),
            expected: MADE.to_owned(),
        };
        let command = "stripegym listen".to_owned();
        Fault::because(FaultKind::Usage { usage_error, command }, error)
    })
}

/// Takes listeners off the provider's list that were killed before they could do it themselves: they
/// carry this mark of ours, and nobody answers at their address; or whoever answers there, where they are `stale`
/// whatever does.
pub async fn sweep(provider: &Provider, mark: &str, stale: bool) -> Result<(), Fault> {
    for endpoint in provider.stripe.webhook_endpoints().rest().await? {
        let (Some(id), Some(url)) = (member::text(&endpoint, "id"), member::text(&endpoint, "url"))
        else {
            continue;
        };
        if member::text(&endpoint, "description") != Some(mark) || folder(&endpoint).is_some() {
            continue;
        }
        let place = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let Some(place) = place else { continue };
        if stale || !outbound::answers(place).await {
            provider.stripe.delete_webhook_endpoint(id).await?;
        }
    }
    Ok(())
}

/// Of which folder's listener an endpoint is, where it stays when nobody listens.
fn folder(endpoint: &Value) -> Option<&str> {
    member::text(endpoint.get("metadata")?, STAYS)
}

/// Whether the provider has the endpoint `known` of a folder; what it has besides of that folder goes, because nobody
/// knows its secret any more.
async fn is_known(
    provider: &Provider,
    of_folder: &str,
    known: Option<&String>,
) -> Result<bool, Fault> {
    let mut found = false;
    for endpoint in provider.stripe.webhook_endpoints().rest().await? {
        let (Some(id), Some(of)) = (member::text(&endpoint, "id"), folder(&endpoint)) else {
            continue;
        };
        if of != of_folder {
            continue;
        }
        if known.is_some_and(|known| known == id) {
            found = true;
        } else {
            provider.stripe.delete_webhook_endpoint(id).await?;
        }
    }
    Ok(found)
}

/// What was seen, as a notice; `None` for what is no delivery.
pub fn delivery(seen: &ListenerEvent) -> Option<Delivery> {
    match seen {
        ListenerEvent::Accepted {
            at,
            event,
            kind,
            fresh,
            changes,
            problem,
            took_ms,
            forwarded,
            ..
        } => {
            let outcome = match problem {
                _ if !*fresh => DeliveryOutcome::Duplicate,
                Some(problem) => DeliveryOutcome::NotBooked { problem: problem.clone() },
                None => DeliveryOutcome::Recorded { booked: !changes.is_empty() },
            };
            Some(Delivery {
                at: *at,
                event: Some(event.clone()),
                kind: Some(kind.clone()),
                outcome,
                took_ms: *took_ms,
                forwarded: forwarded.clone(),
            })
        }
        ListenerEvent::Rejected { at, status, cause, took_ms } => Some(Delivery {
            at: *at,
            event: None,
            kind: None,
            outcome: DeliveryOutcome::Rejected { status: *status, reason: (*cause).to_owned() },
            took_ms: *took_ms,
            forwarded: None,
        }),
        ListenerEvent::Visited { .. }
        | ListenerEvent::Gap { .. }
        | ListenerEvent::Ledger { .. } => None,
    }
}
