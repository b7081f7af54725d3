//! What a lesson does to the ground that an application stands on: another secret, an API that fails, a ledger that
//! cannot be written to; and how that ends.

use crate::app::course::stage::{Stage, sessions};
use crate::domain::course::Track;
use crate::domain::course::act::{self, Rolled};
use crate::domain::fault::Fault;
use crate::domain::secret::SigningSecret;
use std::path::PathBuf;
use std::sync::PoisonError;

impl Stage<'_> {
    /// Rolls the secret as far as the application can be told: the built-in shop can believe two at once, a server
    /// that was started for the run is started again with the one that it is to believe. Any other keeps its own.
    pub async fn roll(&mut self, to: Rolled) -> Result<(), Fault> {
        let fresh = format!("whsec_rolled{:016x}", self.context.entropy.numbers("rolled").next());
        let new = self.rolled.clone().or_else(|| SigningSecret::read(&fresh));
        let Some(new) = new else { return Ok(()) };
        let believed = match to {
            Rolled::Both => vec![self.secret.clone(), new.clone()],
            Rolled::New => vec![new.clone()],
            Rolled::Old => vec![self.secret.clone()],
        };
        if self.track() != Track::Exec {
            if self.application.trust_only(believed) {
                self.rolled = Some(new);
            }
            return Ok(());
        }
        let [only] = believed.as_slice() else { return Ok(()) };
        self.application.set("STRIPE_WEBHOOK_SECRET", only.reveal());
        if let Some(sealing) = &self.sealing {
            only.clone_into(&mut sealing.lock().unwrap_or_else(PoisonError::into_inner));
        }
        self.rolled = Some(new);
        self.restart(None, false).await
    }

    /// Lets the provider's API fail for the application, and locks the file of its ledger, as far as that is known.
    pub async fn trouble(&mut self, it: act::Outage) -> Result<bool, Fault> {
        if it.books {
            let ledger = self.ledger().await.unwrap_or_default();
            let folder = self.own.clone().unwrap_or_else(|| PathBuf::from("."));
            self.lock = self.application.books().lock(&sessions(&ledger), folder).await;
        }
        if it.api {
            for method in ["GET", "POST"] {
                let form = format!("on={method} /v1/*&answer=500&times=1000");
                self.control_post("/_stripegym/faults", &form.replace(' ', "%20")).await?;
            }
        }
        Ok(it.api || self.lock.is_some())
    }

    /// Ends what a check that was cut off may have left behind.
    pub async fn settle(&mut self) -> Result<(), Fault> {
        self.break_line(0, 0);
        self.mend().await?;
        if self.track() == Track::Exec && self.rolled.is_some() {
            self.roll(Rolled::Old).await?;
        }
        Ok(())
    }

    /// Ends what troubles the application.
    pub async fn mend(&mut self) -> Result<(), Fault> {
        self.lock = None;
        let url = format!("{}/_stripegym/faults", self.provider.base());
        let request = self.http().request(reqwest::Method::DELETE, url);
        self.control(request.header("Stripegym-Control", "1")).await.map(drop)
    }
}
