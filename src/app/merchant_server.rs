//! The shop's options for the time a command runs: the listener, registered with a sandbox, and what it saw as
//! notices.

use crate::app::context::Context;
use crate::app::failure::of_listener;
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::member;
use crate::domain::money::Money;
use crate::domain::notice::{Delivery, DeliveryOutcome, Notice};
use crate::domain::secret::SigningSecret;
use crate::domain::signature::TOLERANCE_S;
use crate::net::outbound;
use crate::shop::listener::{self, ListenerConfig, Running};
use crate::shop::listener_event::{EventSink, ListenerEvent};
use crate::shop::site::Site;
use crate::stripe::failure::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// The description of the endpoints that are ours.
const MARK: &str = "stripegym listen";

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
}

impl MerchantServer {
    /// Opens it; it takes deliveries that are signed with a secret of the settings.
    pub async fn open(
        context: &Context,
        provider: &Provider,
        file: &LedgerFile,
        options: ListenOptions,
    ) -> Result<Self, Fault> {
        let (sink, seen) = EventSink::channel();
        let config = ListenerConfig {
            addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), options.port),
            or_next: options.or_next,
            secrets: context.config.webhook_secrets.clone(),
            tolerance_s: TOLERANCE_S,
            forward_to: options.forward_to,
            ledger: Arc::clone(&file.ledger),
            batch: Arc::clone(&file.batch),
            clock: context.clock.clone(),
            site: Some(Site {
                stripe: provider.stripe.clone(),
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
        })
    }

    /// Registers it with the provider, and believes the secret that it is given.
    pub async fn register(&mut self, provider: &Provider) -> Result<(), Fault> {
        sweep(provider, MARK, false).await?;
        let url = self.running.webhook_url();
        let created = provider.stripe.create_webhook_endpoint(&url, &["*"], MARK);
        let endpoint = created.await?;
        let odd =
            |name: &str| FaultKind::ProviderOdd { what: format!("an endpoint without `{name}`") };
        let secret = member::text(&endpoint, "secret")
            .and_then(SigningSecret::read)
            .ok_or_else(|| odd("secret"))?;
        self.endpoint = Some(member::text(&endpoint, "id").ok_or_else(|| odd("id"))?.to_owned());
        self.running.trust(secret.clone());
        self.secret = Some(secret);
        Ok(())
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

    /// Takes itself off the provider's list and closes; what is being answered is answered first.
    pub async fn close(self, context: &Context, provider: &Provider) {
        if let Some(id) = &self.endpoint {
            let mut removed = provider.stripe.delete_webhook_endpoint(id).await;
            if matches!(removed, Err(Error::Unreachable { .. }))
                // The sandbox's host has ended; its world is still there.
                && let Ok(next) = Provider::connect(context).await
            {
                removed = next.stripe.delete_webhook_endpoint(id).await;
                next.close().await;
            }
            if let Err(error) = removed {
                tracing::warn!(%error, "the webhook endpoint could not be removed");
            }
        }
        let dropped = self.running.forwards_dropped();
        if dropped > 0 {
            context.notices.say(Notice::ForwardsDropped { count: dropped });
        }
        self.running.stop().await;
    }
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
        if member::text(&endpoint, "description") != Some(mark) {
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
