//! The endpoint at the sandbox that leads to a server of ours: for as long as that listens, or for good, so that what could
//! not be delivered meanwhile is delivered to whoever listens again.

use crate::app::context::Context;
use crate::app::kept_endpoint::{KeptEndpoints, Server};
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::member;
use crate::domain::mode::Mode;
use crate::domain::secret::SigningSecret;
use crate::net::outbound;
use crate::stripe::failure::Error;
use serde_json::{Value, json};

/// Where the endpoint of a server that is down is sent to, so that it is tried again: nobody answers there, while another
/// program may have the server's port by then.
pub const NOWHERE: &str = "http://127.0.0.1:1/webhook";

/// The member of the metadata of endpoints that stay when nobody listens: it names the folder of whoever comes back.
const STAYS: &str = "stripegym_folder";

/// An endpoint that leads here.
#[derive(Debug)]
pub struct Endpoint {
    /// `we_…`.
    pub id: String,
    /// What its deliveries are signed with.
    pub secret: SigningSecret,
    /// Where it is kept for the next time, if it is.
    kept: Option<KeptEndpoints>,
}

/// A server that an endpoint is to lead to.
pub struct Place<'p> {
    /// Which one: its endpoints carry its mark, and are kept under its name.
    pub server: Server,
    /// Where it hears.
    pub url: String,
    /// Has it believe a secret.
    pub trust: &'p (dyn Fn(SigningSecret) + Sync),
}

impl Place<'_> {
    /// Registers it for as long as it listens.
    pub async fn register(
        &self,
        context: &Context,
        provider: &Provider,
    ) -> Result<Endpoint, Fault> {
        park(context, provider).await;
        sweep(provider, self.server.mark(), false).await?;
        let (id, secret) = self.create(provider, &json!({})).await?;
        Ok(Endpoint { id, secret, kept: None })
    }

    /// Registers it for good: as the endpoint that this folder's server was the last time, where the provider still has
    /// it. While another process of the folder has that, as one of its own.
    pub async fn register_for_good(
        &self,
        context: &Context,
        provider: &Provider,
    ) -> Result<Endpoint, Fault> {
        let mut kept = match KeptEndpoints::open(&context.config.home, self.server) {
            Ok(Some(kept)) => kept,
            Ok(None) => return self.register(context, provider).await,
            Err(error) => {
                tracing::warn!(%error, "{} cannot be used", self.server.file());
                return self.register(context, provider).await;
            }
        };
        sweep(provider, self.server.mark(), false).await?;
        let world = provider.stripe.key().world().unwrap_or_default().to_owned();
        let known = kept.of(&world);
        let found = is_known(provider, kept.folder(), known.as_ref().map(|(id, _)| id)).await?;
        let (id, secret) = match known.filter(|_| found) {
            Some((id, secret)) => {
                // Before it is told where to: what waits may come at once.
                (self.trust)(secret.clone());
                provider.stripe.move_webhook_endpoint(&id, &self.url).await?;
                (id, secret)
            }
            None => self.create(provider, &json!({ STAYS: kept.folder() })).await?,
        };
        let kept = match kept.keep(&world, &id, &secret) {
            Ok(()) => Some(kept),
            // It is taken off the list at the end, as nobody could come back to it.
            Err(error) => {
                tracing::warn!(%error, "{} cannot be written", self.server.file());
                None
            }
        };
        Ok(Endpoint { id, secret, kept })
    }

    async fn create(
        &self,
        provider: &Provider,
        metadata: &Value,
    ) -> Result<(String, SigningSecret), Fault> {
        let mark = self.server.mark();
        // The journal is to have everything, for the book that follows from it.
        let created = provider.stripe.create_webhook_endpoint(&self.url, &["*"], mark, metadata);
        let endpoint = created.await?;
        let odd =
            |name: &str| FaultKind::ProviderOdd { what: format!("an endpoint without `{name}`") };
        let secret = member::text(&endpoint, "secret")
            .and_then(SigningSecret::read)
            .ok_or_else(|| odd("secret"))?;
        (self.trust)(secret.clone());
        Ok((member::owned(&endpoint, "id").ok_or_else(|| odd("id"))?, secret))
    }
}

impl Endpoint {
    /// One that was registered for as long as a server listens, and leads here again.
    pub const fn known(id: String, secret: SigningSecret) -> Self {
        Self { id, secret, kept: None }
    }

    /// Whether it waits for this server to come back.
    pub const fn stays(&self) -> bool {
        self.kept.is_some()
    }

    /// Takes it off the provider's list, or lets it be tried again later where it comes back.
    pub async fn leave(&self, context: &Context, provider: &Provider) {
        let stays = self.stays();
        let mut left = leave(provider, &self.id, stays).await;
        if matches!(left, Err(Error::Unreachable { .. }))
            // The sandbox's host has ended; its world is still there.
            && let Ok(next) = Provider::connect(context).await
        {
            left = leave(&next, &self.id, stays).await;
            next.close().await;
        }
        if let Err(error) = left {
            tracing::warn!(%error, "the webhook endpoint could not be left");
        }
    }
}

async fn leave(provider: &Provider, id: &str, stays: bool) -> Result<Value, Error> {
    if stays {
        provider.stripe.move_webhook_endpoint(id, NOWHERE).await
    } else {
        provider.stripe.delete_webhook_endpoint(id).await
    }
}

/// Keeps what is meant for the folder's servers from whoever has their ports now, where they were killed.
pub async fn park(context: &Context, provider: &Provider) {
    let home = &context.config.home;
    if context.config.mode == Mode::Stripe {
        return;
    }
    for server in Server::ALL {
        if !home.join(server.file()).exists() {
            continue;
        }
        // Where it cannot be had, that server is at work.
        let Ok(Some(kept)) = KeptEndpoints::open(home, server) else { continue };
        let known = kept.of(provider.stripe.key().world().unwrap_or_default());
        let Some((id, _)) = known else { continue };
        if let Err(error) = leave(provider, &id, true).await {
            tracing::debug!(%error, "the endpoint is not there");
        }
    }
}

/// Takes servers off the provider's list that were killed before they could do it themselves: they
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

/// Of which folder's server an endpoint is, where it stays when nobody listens.
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
