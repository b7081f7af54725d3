//! Works in what the journal has and the database does not: events that were fetched instead of delivered, that
//! another command heard, or that were heard by a process that was killed before it got further.

use crate::domain::event::Event;
use crate::merchant::base::Database;
use crate::merchant::{projection, provider};
use crate::net::shutdown::Stop;
use crate::os::clock::Clock;
use crate::store::{Ledger, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Lines that are worked in together.
const LINES: u32 = 500;

/// Follows the journal.
#[derive(Clone, Debug)]
pub struct Follower {
    /// The journal.
    pub journal: Arc<Ledger>,
    /// The application's own database.
    pub database: Database,
    /// What time it is.
    pub clock: Clock,
    /// Whether real money is booked here: what is of the other mode is passed over.
    pub live: bool,
}

impl Follower {
    /// Works in everything that is new; how many lines that were.
    pub async fn catch_up(&self) -> Result<usize, StoreError> {
        let journal = Arc::clone(&self.journal);
        let numbers = apart(move || journal.journals()).await?;
        let mut count = 0;
        for (nth, number) in numbers.into_iter().enumerate() {
            count += self.follow(nth, number).await?;
        }
        Ok(count)
    }

    /// The same of one of its journals.
    async fn follow(&self, nth: usize, number: i64) -> Result<usize, StoreError> {
        let mut count = 0;
        loop {
            let reached = self.database.look(move |base| base.reached(number)).await?;
            let journal = Arc::clone(&self.journal);
            let lines = apart(move || journal.events_after(nth, reached, LINES)).await?;
            let Some((last, _)) = lines.last() else { return Ok(count) };
            let (last, live, now) = (*last, self.live, self.clock.now());
            count += lines.len();
            let change = self.database.change(move |base| {
                for (_, line) in &lines {
                    // What was booked once can be read; a line that cannot is the journal's business.
                    let Ok(event) = Event::stored(&line.body) else { continue };
                    if event.livemode == live {
                        let (name, facts) = provider::interpret(&event);
                        projection::apply(base, name, &event.id, &facts, now)?;
                    }
                }
                base.reach(number, last)
            });
            change.await?;
        }
    }

    /// Does so again and again until `stop`.
    pub async fn run(&self, every: Duration, mut stop: Stop) {
        loop {
            if let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "the journal could not be followed");
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }
}

async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Gone))
}
