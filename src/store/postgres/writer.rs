//! The writer on PostgreSQL: a batch is one transaction, tried again for as long as whoever waits can be kept waiting, and
//! then given up. A batch of which it is not known whether it was done is done again: what was is known by its lines.

use crate::batch::Commit;
use crate::domain::book::line::Line;
use crate::store::chain::Chain;
use crate::store::pack::Packed;
use crate::store::postgres::draft::{Draft, Touched};
use crate::store::postgres::load::load;
use crate::store::postgres::{PgError, Server, WRITTEN, flush};
use crate::store::writer::{Accepted, Write};
use crate::store::{StoreError, journal, schema};
use deadpool_postgres::Object;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The key of the lock that a batch holds: one batch of the whole database at a time.
const LOCK: i64 = 0x7374_7269_7065_0002;

/// How long a batch is tried. Whoever sent an event waits for the answer, and sends it again: two seconds at most.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How long a batch waits for its turn; a rebuild lets none of them in.
const TURN_MS: u32 = 1_200;

/// How long it is waited before a batch is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// Begins a transaction and waits for its turn. A cancelled statement is no answer while a standby is waited for: the
/// server would then say that the commit was done though only one of them has it. So no statement has a time limit here,
/// and what takes too long is given up with the connection. Whoever stands still within a transaction is ended by the
/// server, and the others go on.
pub(super) fn begin(wait_ms: u32) -> String {
    format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {wait_ms}; \
         SET LOCAL idle_in_transaction_session_timeout = 5000; SELECT pg_advisory_xact_lock({LOCK})"
    )
}

/// Rows are found by their keys. A statement that is kept ready was planned when the tables were small, or before the server
/// had looked at how large they are, and would go through all of them at each batch.
pub(super) const BY_KEYS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off";

/// What became of one item.
type ItemResult = Result<Accepted, StoreError>;

/// Writes batches.
#[derive(Debug)]
pub struct PgWriter {
    server: Server,
    /// Which of a ledger's servers it writes to, where there are several.
    place: Option<i64>,
    /// Where its chain of lines ends.
    chain: Chain,
}

impl PgWriter {
    pub(super) fn new(server: Server, place: Option<i64>) -> Self {
        Self { server, place, chain: Chain::new(schema::writer_number()) }
    }

    /// Tries all of them at once until it is done or the time is over.
    async fn write(&mut self, items: &[&Write]) -> Result<Vec<Accepted>, PgError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let failed = match self.attempt(items, until).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            // Which of the lines are there is not known for sure: a new chain begins.
            self.chain = Chain::new(schema::writer_number());
            tracing::debug!(error = ?failed, "a batch was not written");
            if !failed.may_pass() || Instant::now() + AGAIN >= until {
                return Err(failed);
            }
            sleep(AGAIN).await;
        }
    }

    async fn attempt(
        &mut self,
        items: &[&Write],
        until: Instant,
    ) -> Result<Vec<Accepted>, PgError> {
        let client =
            timeout_at(until, self.server.pool.get()).await.map_err(|_| PgError::Late)??;
        let work = Box::pin(batch(&client, items, &self.chain, self.place));
        let worked = timeout_at(until, work).await.unwrap_or(Err(PgError::Late));
        match worked {
            Ok((done, chain)) => {
                self.chain = chain;
                Ok(done)
            }
            Err(error) => {
                // Whatever it was in the middle of ends with the connection.
                drop(Object::take(client));
                Err(error)
            }
        }
    }
}

/// Writes all items in one transaction; what became of each, and where the chain ends.
async fn batch(
    client: &Object,
    items: &[&Write],
    chain: &Chain,
    place: Option<i64>,
) -> Result<(Vec<Accepted>, Chain), PgError> {
    client.batch_execute(&format!("{}; {BY_KEYS}", begin(TURN_MS))).await?;
    let mut touched = Touched::default();
    let mut cursors: BTreeMap<&str, i64> = BTreeMap::new();
    let mut lines: Vec<(&Line, &Packed)> = Vec::new();
    for item in items {
        match item {
            Write::Line(line, packed, _) => {
                touched.add(line);
                lines.push((line.as_ref(), packed));
            }
            Write::Cursor(name, value) => {
                let known = cursors.entry(name.as_str()).or_insert(value.0);
                *known = value.0.max(*known);
            }
        }
    }
    let mut after = chain.clone();
    let mut taken = Vec::new();
    if !lines.is_empty() {
        let (mut draft, sealed) = load(client, touched, chain.clone()).await?;
        is_at(place, draft.place)?;
        taken = take(&mut draft, &lines)?;
        tokio::try_join!(
            Box::pin(flush::lines(client, &draft, &lines, (chain, &sealed))),
            Box::pin(flush::following(client, &draft)),
        )?;
        if draft.new.lines.is_empty() {
            // All of it was there before: what is acknowledged once more must stand wherever commits are waited for.
            client.batch_execute(WRITTEN).await?;
        }
        after = draft.chain;
    }
    for (name, value) in cursors {
        let sql = "INSERT INTO stripegym.cursor (name, value) VALUES ($1, $2) ON CONFLICT (name) \
                   DO UPDATE SET value = greatest(cursor.value, excluded.value)";
        let statement = client.prepare_cached(sql).await?;
        client.execute(&statement, &[&name, &value]).await?;
    }
    client.batch_execute("COMMIT").await?;
    let mut taken = taken.into_iter();
    let fresh = || Accepted { fresh: true, ..Accepted::default() };
    let done = items.iter().map(|item| match item {
        Write::Line(..) => taken.next().unwrap_or_default(),
        Write::Cursor(..) => fresh(),
    });
    Ok((done.collect(), after))
}

/// Whether the server is the one that the writer was made for: a line on another one is a line that nobody looks for there.
fn is_at(place: Option<i64>, found: Option<i64>) -> Result<(), PgError> {
    if place == found {
        return Ok(());
    }
    let reason = "this server has become another one of a ledger on several servers".to_owned();
    Err(PgError::Servers { reason, next: "stripegym listen --help".to_owned() })
}

/// What lines do by the rules of the journal.
fn take(draft: &mut Draft, lines: &[(&Line, &Packed)]) -> Result<Vec<Accepted>, PgError> {
    let mut taken = Vec::with_capacity(lines.len());
    for (item, (line, _)) in lines.iter().enumerate() {
        draft.item = item;
        let accepted = journal::take(draft, line);
        taken.push(accepted.map_err(|error| PgError::Odd(error.to_string()))?);
    }
    Ok(taken)
}

impl Commit for PgWriter {
    type Item = Write;
    type Done = Accepted;
    type Error = StoreError;

    fn commit(&mut self, items: Vec<Write>) -> Result<Vec<ItemResult>, StoreError> {
        let handle = self.server.handle.clone();
        let server = self.server.clone();
        let all: Vec<&Write> = items.iter().collect();
        handle.block_on(async {
            match self.write(&all).await {
                Ok(done) => Ok(done.into_iter().map(Ok).collect()),
                Err(error) if !error.is_of_the_row() => Err(server.explain(&error)),
                // Each by itself: one that cannot be stored for its own sake holds up none of the others.
                Err(_) => {
                    let mut done = Vec::with_capacity(all.len());
                    for item in &all {
                        done.push(match self.write(&[*item]).await {
                            Ok(one) => Ok(one.into_iter().next().unwrap_or_default()),
                            Err(error) if error.is_of_the_row() => Err(server.explain(&error)),
                            Err(error) => return Err(server.explain(&error)),
                        });
                    }
                    Ok(done)
                }
            }
        })
    }

    fn fails_the_queue(error: &StoreError) -> bool {
        error.passes()
    }
}
