//! The shop's second provider: Creem by its key, or the Creem of the sandbox where there is none, and the webhook there that
//! leads to the shop.

use crate::app::context::Context;
use crate::app::control::Control;
use crate::app::endpoint::NOWHERE;
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::app::remote::segment;
use crate::domain::canonical;
use crate::domain::creem::Scheme;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::host::is_loopback;
use crate::domain::member::text;
use crate::domain::mode::Mode;
use crate::domain::secret::{ApiKey, CreemKey, SigningSecret};
use crate::domain::signature::TOLERANCE_S;
use crate::shop::creem_api::Creem;
use crate::shop::creem_poll::CreemPoller;
use crate::shop::intake::{Intake, Secrets};
use crate::shop::listener_event::EventSink;
use crate::stripe::failure::Error;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the key is made of where nobody gave one; the sandbox takes any of test mode.
const SANDBOX_KEY: &str = "stripegymSandboxKey";

/// How much of a folder's hash tells it from others.
const FOLDER_DIGITS: usize = 16;

/// Creem, ready to be asked.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The client.
    pub api: Creem,
    /// Whether it is on this machine: products are made there as they are needed.
    pub is_here: bool,
    /// Whether it delivers to this machine: a webhook is registered there. What it does not deliver is fetched.
    pub delivers: bool,
}

/// Creem by the settings; `None` where there is neither a key nor a sandbox that speaks for it.
pub async fn connect(context: &Context, provider: &Provider) -> Result<Option<Connected>, Fault> {
    let settings = &context.config.creem;
    let base = settings.base.as_deref();
    if let Some(key) = settings.key.clone() {
        if key.is_live() != provider.stripe.is_live() {
            // One book is kept of both, and real money is none of a test's.
            let (name, origin) = ("CREEM_API_KEY".to_owned(), "settings".to_owned());
            let expected = if key.is_live() { "creem_test_…" } else { "creem_…" }.to_owned();
            return Err(FaultKind::Setting { name, origin, expected }.into());
        }
        let is_here = base.is_some_and(is_loopback);
        let delivers = is_here && context.config.mode == Mode::Sandbox;
        return Ok(Some(Connected { api: Creem::new(base, key)?, is_here, delivers }));
    }
    if context.config.mode != Mode::Sandbox {
        return Ok(None);
    }
    let Some(key) = sandbox_key(provider.stripe.key()) else { return Ok(None) };
    let api = Creem::new(Some(base.unwrap_or(provider.base())), key)?;
    // Whoever else answers there may speak for Stripe alone.
    match api.get("/v1/products/search", &[("page_size", "1")]).await {
        Ok(_) => Ok(Some(Connected { api, is_here: true, delivers: true })),
        Err(error) => {
            tracing::warn!(%error, "nobody speaks for Creem");
            Ok(None)
        }
    }
}

/// The key that opens the sandbox's Creem in the world that a key of Stripe's leads to.
pub fn sandbox_key(stripe: &ApiKey) -> Option<CreemKey> {
    let world = stripe.world().map_or_else(String::new, |world| format!("w_{world}_"));
    CreemKey::read(&format!("creem_test_{world}{SANDBOX_KEY}"))
}

/// What tells this folder from others, and does not tell where it is.
fn folder(context: &Context) -> String {
    let home = context.config.home.canonicalize().unwrap_or_else(|_| context.config.home.clone());
    canonical::sha256(&home.to_string_lossy()).chars().take(FOLDER_DIGITS).collect()
}

/// A webhook that leads to the shop.
#[derive(Debug)]
pub struct Webhook {
    id: String,
    /// Whether it waits for the shop to come back.
    stays: bool,
}

/// A shop that a webhook is to lead to.
pub struct Shop<'s> {
    /// Where it hears.
    pub url: String,
    /// Has it believe a secret.
    pub trust: &'s (dyn Fn(SigningSecret) + Sync),
    /// Whether it is the folder's own, and not one more beside it.
    pub is_folders: bool,
}

impl Connected {
    /// Registers the shop: as the webhook that the folder's shop was the last time, where it is there still.
    pub async fn register(&self, context: &Context, shop: &Shop<'_>) -> Result<Webhook, Fault> {
        let odd =
            || FaultKind::ProviderOdd { what: "a webhook without `id` or `secret`".to_owned() };
        if context.config.creem.scheme == Scheme::Standard {
            // Only the sandbox's own control has it sign by both.
            let control = Control::find(context, "stripegym shop").await?;
            let sent = [("url", shop.url.clone()), ("signature", "both".to_owned())];
            let made = control.call(Method::POST, "creem/webhooks", &sent).await?;
            let made = made.ok_or_else(odd)?;
            let secret = text(&made, "secret").and_then(SigningSecret::read);
            let found = text(&made, "id").zip(secret);
            let (id, secret) = found.ok_or_else(odd)?;
            (shop.trust)(secret);
            return Ok(Webhook { id: id.to_owned(), stays: false });
        }
        let name = format!("stripegym shop {}", folder(context));
        let known = if shop.is_folders {
            let all = self.api.all("/v1/webhooks").await?;
            all.into_iter().find(|it| text(it, "name") == Some(&*name))
        } else {
            None
        };
        let made = if let Some(known) = known {
            known
        } else {
            let name = if shop.is_folders { &*name } else { "stripegym shop" };
            let sent = json!({ "url": NOWHERE, "name": name });
            self.api.post("/v1/webhooks", &sent, None).await?
        };
        let id = text(&made, "id").ok_or_else(odd)?;
        let path = format!("/v1/webhooks/{}", segment(id));
        let shown = self.api.get(&format!("{path}/secret"), &[]).await?;
        let secret = text(&shown, "secret").and_then(SigningSecret::read).ok_or_else(odd)?;
        // Before it is told where to: what waits may come at once.
        (shop.trust)(secret);
        self.api.patch(&path, &json!({ "url": shop.url, "status": "enabled" })).await?;
        Ok(Webhook { id: id.to_owned(), stays: shop.is_folders })
    }

    /// Whoever fetches what Creem keeps for this folder, into the journal. Creem is asked to keep it from the first time on.
    pub async fn poller(
        &self,
        context: &Context,
        file: &LedgerFile,
        sink: EventSink,
    ) -> Result<CreemPoller, Fault> {
        let name = format!("stripegym events {}", folder(context));
        let all = self.api.all("/v1/webhooks").await?;
        let known = all.into_iter().find(|it| text(it, "name") == Some(&*name));
        let kept = if let Some(known) = known {
            known
        } else {
            let sent = json!({ "delivery_mode": "cli", "name": name });
            self.api.post("/v1/webhooks", &sent, None).await?
        };
        let odd = || FaultKind::ProviderOdd { what: "a webhook without `id`".to_owned() };
        let webhook = format!("/v1/webhooks/{}", segment(text(&kept, "id").ok_or_else(odd)?));
        let (clock, batch) = (context.clock.clone(), Arc::clone(&file.batch));
        let intake = Intake::new(Secrets::default(), TOLERANCE_S, clock, batch);
        let intake = intake.for_mode(self.api.key().is_live());
        Ok(CreemPoller { api: self.api.clone(), webhook, intake, sink })
    }

    /// Takes a webhook off Creem's list, or lets it be tried again later where its shop comes back.
    pub async fn leave(&self, webhook: &Webhook) {
        let path = format!("/v1/webhooks/{}", segment(&webhook.id));
        let left: Result<Value, Error> = if webhook.stays {
            self.api.patch(&path, &json!({ "url": NOWHERE })).await
        } else {
            self.api.delete(&path).await
        };
        if let Err(error) = left {
            tracing::warn!(%error, "the webhook could not be left");
        }
    }
}
