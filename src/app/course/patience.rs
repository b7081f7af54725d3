//! How long the runner waits for what is on its way: by what it sees, within the time that there is.

use crate::app::course::act_error::ActError;
use crate::app::course::lesson_run::LessonRun;
use crate::domain::course::Track;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::peek::Peek as _;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long the runner waits for deliveries that are due.
const QUIET_PATIENCE: Duration = Duration::from_secs(15);
/// How often the runner looks for what is still on its way: soon at first, then less often.
const LOOK_FIRST: Duration = Duration::from_millis(4);
const LOOK_LAST: Duration = Duration::from_millis(100);
/// How long a ledger must have stayed as it is, and how long that is waited for.
const STILL: Duration = Duration::from_millis(60);
const STILL_PATIENCE: Duration = Duration::from_secs(1);
/// Which part of a day's time one delivery may take, and how long it may where the day is about pages.
const DELIVERY_SHARE: u32 = 3;
const DELIVERY_ON_PAGES: Duration = Duration::from_secs(2);

impl LessonRun<'_> {
    /// The ledger once nobody writes to it: what was answered before it was written is seen as well.
    pub async fn still_ledger(&self) -> Result<Value, ActError> {
        let mut seen = self.ledger().await?;
        let until = Instant::now() + STILL_PATIENCE;
        while self.track() != Track::Shop && Instant::now() < until {
            tokio::time::sleep(STILL).await;
            let now = self.ledger().await?;
            if now == seen {
                break;
            }
            seen = now;
        }
        Ok(seen)
    }

    /// Leaves deliveries their part of a day's time, so that one without an answer leaves some for saying so; and
    /// little of it where the day is about pages, for which they count nothing.
    pub fn keep_time(&self, until: Option<Instant>) {
        let left = until.map(|it| it.saturating_duration_since(Instant::now()) / DELIVERY_SHARE);
        let most = self.about_pages.then_some(DELIVERY_ON_PAGES);
        if let Some(patience) = left.into_iter().chain(most).min() {
            self.proxy.hurry(patience);
        }
    }

    /// Waits until every delivery that is due has been attempted.
    pub async fn quiet(&self) -> Result<(), Fault> {
        let endpoint = self.endpoint();
        let path = format!("/_stripegym/deliveries?status=pending&endpoint={endpoint}&limit=1000");
        let until = Instant::now() + QUIET_PATIENCE;
        let mut pause = LOOK_FIRST;
        let mut stop = self.context.stop.clone();
        loop {
            let status = self.control_get("/_stripegym/status").await?;
            let number = |name: &str| status.get(name).and_then(Value::as_i64).unwrap_or_default();
            // What the provider does by itself in a moment makes events as well.
            let (now, working) = (number("now"), number("jobs_due") > 0);
            let list = self.control_get(&path).await?;
            let due = |row: &Value| row.get("due").and_then(Value::as_i64).is_none_or(|d| d <= now);
            let due = list.items("data").iter().any(due);
            let given_up = self.about_pages && self.proxy.was_late();
            if !((due && !given_up) || working) || Instant::now() >= until {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LOOK_LAST),
                () = stop.wait() => return Err(FaultKind::Interrupted.into()),
            }
        }
    }
}
