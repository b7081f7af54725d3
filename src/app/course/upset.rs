//! What a lesson does to the ground that an application stands on: another secret, an API that fails, a ledger that
//! cannot be written to; and how that ends.

use crate::app::course::act_error::ActError;
use crate::app::course::lesson_run::{LessonRun, sessions};
use crate::domain::course::Track;
use crate::domain::course::act::{self, Rolled};
use crate::domain::fault::Fault;
use crate::domain::peek::Peek as _;
use crate::domain::secret::{ApiKey, SigningSecret};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::PoisonError;

impl LessonRun<'_> {
    /// Rolls the secret as far as the application can be told: the built-in shop can believe two at once, a server
    /// that was started for the run is started again with the new one, and keeps it where it believes it: to start it
    /// once more with the old one would prove nothing. Any other keeps its own.
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
        if to == Rolled::Old && self.rolled.take().is_none_or(|_| self.believes_latest()) {
            return Ok(());
        }
        let [only] = believed.as_slice() else { return Ok(()) };
        self.application.set("STRIPE_WEBHOOK_SECRET", only.reveal());
        if let Some(sealing) = &self.sealing {
            only.clone_into(&mut sealing.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if to == Rolled::New {
            self.rolled = Some(new);
        }
        self.restart(None, false).await
    }

    /// Gives the application a key with rights as a lesson writes them; they may refer to something kept.
    pub async fn narrow(&mut self, allow: &Value) -> Result<Value, ActError> {
        let allow = self.vars.resolved(allow, "allow")?;
        Ok(self.use_key(&allow).await?)
    }

    /// Starts the application again with a key that may do `allow` and nothing else; with its own, where that is nothing.
    /// Nothing comes of it where nobody here starts the application.
    pub async fn use_key(&mut self, allow: &Value) -> Result<Value, Fault> {
        if self.track() == Track::App {
            return Ok(Value::Null);
        }
        let names: Vec<&str> = match allow {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            name => name.as_str().into_iter().collect(),
        };
        let mut made = Value::Null;
        if !names.is_empty() {
            // What is no right is refused there.
            let plain = |c: char| c.is_ascii_alphanumeric() || "_:,".contains(c);
            let rights = names.join(",").replace(|c: char| !plain(c), ".");
            made = self.control_post("/_stripegym/keys", &format!("allow={rights}")).await?;
        }
        self.application.use_key(self.context, ApiKey::read(made.text("key")));
        self.restart(None, false).await?;
        Ok(made)
    }

    /// Gives the application its own key back, where it was given another one.
    pub async fn use_own_key(&mut self) -> Result<(), Fault> {
        if self.application.has_own_key() {
            return Ok(());
        }
        self.use_key(&Value::Null).await.map(drop)
    }

    /// Whether what was sent last was accepted; then what it was signed with is the application's secret from now on.
    fn believes_latest(&mut self) -> bool {
        let accepted = self.exchanges.last(0, |it| it.status.is_some_and(|it| it < 300));
        let Some(sealing) = self.sealing.as_ref() else { return false };
        if accepted.is_none_or(|number| number + 1 < self.exchanges.len()) {
            return false;
        }
        let latest = sealing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.others.push(std::mem::replace(&mut self.secret, latest));
        self.application.believe(self.secret.clone());
        true
    }

    /// Lets the provider's API fail for the application, and writes to its ledger, as far as its file is known.
    pub async fn trouble(&mut self, it: act::Outage) -> Result<bool, Fault> {
        if it.books {
            let ledger = self.ledger().await.unwrap_or_default();
            let folder = self.own.clone().unwrap_or_else(|| PathBuf::from("."));
            self.outage = self.application.books().outage(&sessions(&ledger), folder).await;
        }
        if it.api {
            for method in ["GET", "POST"] {
                let form = format!("on={method} /v1/*&answer=500&times=1000");
                self.control_post("/_stripegym/faults", &form.replace(' ', "%20")).await?;
            }
        }
        Ok(it.api || self.outage.is_some())
    }

    /// Ends what a check that was cut off may have left behind.
    pub async fn settle(&mut self) -> Result<(), Fault> {
        self.break_line(0, 0);
        self.mend().await?;
        self.use_own_key().await?;
        if self.track() == Track::Exec && self.rolled.is_some() {
            self.roll(Rolled::Old).await?;
            self.restart(None, false).await?;
        }
        Ok(())
    }

    /// Ends what troubles the application.
    pub async fn mend(&mut self) -> Result<(), Fault> {
        self.outage = None;
        let url = format!("{}/_stripegym/faults", self.provider.base());
        let request = self.http().request(reqwest::Method::DELETE, url);
        self.control(request.header("Stripegym-Control", "1")).await.map(drop)
    }
}
