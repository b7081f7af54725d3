//! The merchant's listener for the time a command runs: registered with a sandbox, and what it saw as notices.

use crate::app::context::Context;
use crate::app::endpoint::{Endpoint, Place};
use crate::app::failure::of_listener;
use crate::app::kept_endpoint::Server;
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::money::Money;
use crate::domain::notice::{Delivery, DeliveryOutcome, Notice};
use crate::domain::secret::{ApiKey, SigningSecret};
use crate::domain::signature::TOLERANCE_S;
use crate::net::tls::{Files, Identity, TlsError};
use crate::shop::listener::{self, ListenerConfig, Running};
use crate::shop::listener_event::{EventSink, ListenerEvent};
use crate::shop::second::Second;
use crate::shop::site::Site;
use crate::store::keyring::Keyring;
use crate::stripe::Stripe;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// How the listener is opened.
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
    /// What deliveries are signed with besides the secrets of the settings: known before the first one comes.
    pub secret: Option<SigningSecret>,
    /// The key that the shop calls the provider with, where it is another than the command's.
    pub key: Option<ApiKey>,
    /// The second provider that it sells through, where it does.
    pub second: Option<Second>,
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

/// An open listener.
pub struct MerchantServer {
    /// The listener.
    pub running: Running,
    /// What it sees.
    pub seen: Receiver<ListenerEvent>,
    /// Where the poller tells what it sees.
    pub sink: EventSink,
    endpoint: Option<Endpoint>,
    /// The secret of the settings, where there is one.
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
            secrets: context.config.webhook_secrets.iter().cloned().chain(options.secret).collect(),
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
                second: options.second,
                keys: Keyring::at(&context.config.home),
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

    /// Registers it with the provider for as long as it listens, and believes the secret that it is given.
    pub async fn register(&mut self, context: &Context, provider: &Provider) -> Result<(), Fault> {
        let _awaited = self.running.secrets().awaiting();
        let trust = |secret| self.running.trust(secret);
        self.endpoint = Some(self.place(&trust).register(context, provider).await?);
        Ok(())
    }

    /// Registers it for good, as whoever listened here the last time.
    pub async fn register_for_good(
        &mut self,
        context: &Context,
        provider: &Provider,
    ) -> Result<(), Fault> {
        let _awaited = self.running.secrets().awaiting();
        let trust = |secret| self.running.trust(secret);
        self.endpoint = Some(self.place(&trust).register_for_good(context, provider).await?);
        Ok(())
    }

    fn place<'p>(&self, trust: &'p (dyn Fn(SigningSecret) + Sync)) -> Place<'p> {
        Place { server: Server::Listener, url: self.running.sandbox_webhook_url(), trust }
    }

    /// The endpoint at the provider, once it is registered.
    pub fn endpoint(&self) -> Option<String> {
        self.endpoint.as_ref().map(|it| it.id.clone())
    }

    /// The secret that deliveries are signed with, where one is known.
    pub fn secret(&self) -> Option<&SigningSecret> {
        self.endpoint.as_ref().map(|it| &it.secret).or(self.secret.as_ref())
    }

    /// Stops listening and stays registered: what is delivered meanwhile finds nobody. What opens it again.
    pub async fn stop_listening(self) -> Registered {
        let (port, endpoint) = (self.running.addr().port(), self.endpoint());
        let secret = self.secret().cloned();
        self.running.stop().await;
        Registered { port, endpoint, secret }
    }

    /// Listens again where it did, with the secret that its deliveries are signed with.
    pub async fn listen_again(
        context: &Context,
        provider: &Provider,
        file: &LedgerFile,
        was: &Registered,
    ) -> Result<Self, Fault> {
        let options = ListenOptions {
            port: was.port,
            secret: was.secret.clone(),
            ..ListenOptions::default()
        };
        let mut server = Self::open(context, provider, file, options).await?;
        let registered = was.endpoint.clone().zip(was.secret.clone());
        server.endpoint = registered.map(|(id, secret)| Endpoint::known(id, secret));
        server.secret.clone_from(&was.secret);
        Ok(server)
    }

    /// Takes itself off the provider's list, or lets it try again later where it comes back, and closes; what is being
    /// answered is answered first.
    pub async fn close(self, context: &Context, provider: &Provider) {
        if let Some(endpoint) = &self.endpoint {
            endpoint.leave(context, provider).await;
        }
        let dropped = self.running.forwards_dropped();
        if dropped > 0 {
            context.notices.say(Notice::ForwardsDropped { count: dropped });
        }
        self.running.stop().await;
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
