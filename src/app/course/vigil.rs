//! Grades again and again: when a file of the project changes, when a webhook is delivered, when a server that
//! was gone answers again.

use crate::app::context::Context;
use crate::app::course::application::Application;
use crate::app::course::choose::{self, Choice};
use crate::app::course::grading::Grading;
use crate::app::course::reaching;
use crate::app::course::watcher::Watcher;
use crate::app::provider::Provider;
use crate::domain::course::Track;
use crate::domain::course::graded::{Cause, Checked, Round, changes};
use crate::domain::course::outcome::State;
use crate::domain::fault::{Class, Fault, FaultKind};
use crate::domain::member;
use crate::domain::notice::Notice;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often deliveries are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How many deliveries are known from before; older ones are not met again.
const KNOWN: usize = 1_000;
/// How many of the newest deliveries are looked at.
const NEWEST: usize = 20;

/// How long and how to watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vigil {
    /// Whether the folder is looked through, though the system could tell.
    pub poll: bool,
    /// For how long.
    pub lasting: Option<Duration>,
    /// For how many rounds.
    pub rounds: Option<u64>,
    /// Whether each round makes room on the screen.
    pub clear: bool,
}

/// What is kept from round to round.
struct Watch<'w> {
    context: &'w Context,
    quiet: Context,
    grading: &'w Grading,
    choice: &'w Choice,
    application: Option<Application>,
    states: BTreeMap<String, State>,
    /// Deliveries that are no news.
    delivered: BTreeSet<String>,
}

impl Vigil {
    /// Watches until it is stopped or its time is over; whether all was well at the end.
    pub async fn keep(
        &self,
        context: &Context,
        grading: &Grading,
        choice: &Choice,
    ) -> Result<bool, Fault> {
        let quiet = context.quietly();
        let mut provider = Provider::connect(&quiet).await?;
        let mut watch = Watch {
            context,
            quiet,
            grading,
            choice,
            application: None,
            states: BTreeMap::new(),
            delivered: BTreeSet::new(),
        };
        let kept = self.rounds(&mut watch, &mut provider).await;
        if let Some(application) = watch.application.take() {
            application.close().await;
        }
        provider.close().await;
        kept
    }

    async fn rounds(&self, watch: &mut Watch<'_>, provider: &mut Provider) -> Result<bool, Fault> {
        let context = watch.context;
        let mut watcher = Watcher::open(Path::new("."), &context.config.home, self.poll);
        context.notices.say(Notice::Watching {
            folder: std::env::current_dir()
                .map_or_else(|_| ".".to_owned(), |it| it.display().to_string()),
            means: watcher.means,
            why: watcher.why.clone(),
        });
        let deadline = self.lasting.map(|lasting| Instant::now() + lasting);
        let mut cause = Cause::Began;
        let mut number = 1;
        loop {
            watcher.begin();
            let graded = watch.round(provider, &cause).await;
            watcher.end();
            watch.forget_deliveries(provider).await;
            let last = match graded {
                Ok(checked) => {
                    let well = checked.is_well();
                    let changes = changes(&watch.states, &checked);
                    watch.states = checked.states();
                    let round = Round { number, cause, checked, changes, clear: self.clear };
                    context.notices.say(Notice::Round(Box::new(round)));
                    Ok(well)
                }
                Err(fault) => {
                    watch.recover(provider, &fault, number).await?;
                    Err(fault)
                }
            };
            if self.rounds.is_some_and(|rounds| number >= rounds) {
                return last;
            }
            number += 1;
            cause = tokio::select! {
                files = watcher.changed() => {
                    let count = files.len();
                    Cause::Files { first: files.into_iter().next().unwrap_or_default(), count }
                }
                cause = watch.noticed(provider) => cause,
                () = over(deadline) => return last,
                () = stopped(context) => return Err(FaultKind::Interrupted.into()),
            };
        }
    }
}

async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn stopped(context: &Context) {
    context.stop.clone().wait().await;
}

impl Watch<'_> {
    /// Grades once; a server of ours is started anew where files changed.
    async fn round(&mut self, provider: &Provider, cause: &Cause) -> Result<Checked, Fault> {
        let mut lessons = choose::lessons(self.context, self.choice)?;
        choose::skip(&mut lessons, &self.grading.skip)?;
        let mut application = match self.application.take() {
            Some(mut application) => {
                let edited = matches!(cause, Cause::Files { .. });
                if edited
                    && application.track() == Track::Exec
                    && let Err(fault) = application.restart(&self.quiet, provider, false).await
                {
                    application.close().await;
                    return Err(fault);
                }
                application
            }
            None => self.grading.application(&self.quiet, provider).await?,
        };
        if application.track() == Track::App && !application.answers().await {
            return Err(reaching::down(&application.url()).await);
        }
        let world = (&self.quiet, provider);
        let checked = self.grading.with(world, &mut application, &lessons, |_| {}).await;
        self.application = Some(application);
        checked
    }

    /// Says that what has been delivered up to now is no news.
    async fn forget_deliveries(&mut self, provider: &Provider) {
        self.delivered = deliveries(provider, KNOWN).await.into_iter().map(|it| it.id).collect();
    }

    /// Goes on after what a change can mend: a server that does not start, a lesson half written.
    async fn recover(
        &mut self,
        provider: &mut Provider,
        fault: &Fault,
        number: u64,
    ) -> Result<(), Fault> {
        if let Some(application) = self.application.take() {
            application.close().await;
        }
        if !matches!(fault.kind.class(), Class::Environment | Class::Content) {
            return Err(fault.clone());
        }
        let down = matches!(*fault.kind, FaultKind::ProviderDown { .. });
        self.context.notices.say(Notice::RoundFailed { number, fault: Box::new(fault.clone()) });
        if down {
            // Whoever hosted it has gone: from now on it is hosted here.
            let next = Provider::connect(&self.quiet).await?;
            std::mem::replace(provider, next).close().await;
        }
        Ok(())
    }

    /// Resolves when a webhook was delivered that no grading caused, or when the server answers again.
    async fn noticed(&self, provider: &Provider) -> Cause {
        loop {
            sleep(LOOK_EVERY).await;
            let newest = deliveries(provider, NEWEST).await.into_iter();
            for it in newest.filter(|it| it.attempted) {
                if !self.delivered.contains(&it.id) {
                    return Cause::Delivery { kind: it.kind, event: it.event };
                }
            }
            if self.application.is_none()
                && self.grading.candidate.track() == Track::App
                && self.grading.application(&self.quiet, provider).await.is_ok()
            {
                return Cause::Back;
            }
        }
    }
}

/// A delivery of the provider.
struct Delivery {
    id: String,
    event: String,
    kind: String,
    attempted: bool,
}

/// The newest deliveries. A provider that cannot be asked has none.
async fn deliveries(provider: &Provider, most: usize) -> Vec<Delivery> {
    let asked = provider.stripe.get("/_stripegym/deliveries", &json!({ "limit": most })).await;
    let list = asked.unwrap_or_default();
    let one = |row: &Value| Delivery {
        id: member::string(row, "id"),
        event: member::string(row, "event"),
        kind: member::string(row, "type"),
        attempted: row.get("attempts").and_then(Value::as_array).is_some_and(|it| !it.is_empty()),
    };
    list.get("data").and_then(Value::as_array).into_iter().flatten().map(one).collect()
}
