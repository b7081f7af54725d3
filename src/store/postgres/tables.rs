//! An application's tables on a server, for several of its processes at once. Changes take turns, as they do at a file:
//! whatever is worked out of what stands there is worked out of all of it. A server that is away for a moment is waited
//! for before anything has begun; a commit whose answer is lost is asked after.

use crate::domain::ledger_url::LedgerUrl;
use crate::store::postgres::schema::{self, Plan};
use crate::store::postgres::writer::BY_KEYS;
use crate::store::postgres::{Args, PgError, Row, Server, WRITTEN};
use crate::store::tables::cell::{Cell, Found};
use crate::store::tables::{Layout, Within};
use crate::store::{StoreError, Until};
use deadpool_postgres::{Object, Pool};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{ToSql, Type};

/// How long the beginning of a transaction is tried, and a lost answer asked for.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How long it is waited before that is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a statement may take.
const STATEMENT: Duration = Duration::from_secs(5);

/// How long one may take where all rows of a table are moved.
const AT_LENGTH: Duration = Duration::from_mins(10);

/// How long a change waits for its turn.
const TURN_MS: u32 = 1_200;

/// The tables on a server.
#[derive(Debug)]
pub struct PgTables {
    server: Server,
    path: PathBuf,
    changing: String,
    looking: String,
}

impl PgTables {
    /// Opens the tables of an address, and makes them where there are none.
    pub fn open(url: &LedgerUrl, layout: &'static Layout) -> Result<Self, StoreError> {
        // What is not divided stands on the first of a ledger's servers.
        let server = Server::new(&url.first())?;
        let reading = server.reading(&Until::default()).map_err(|error| server.explain(&error))?;
        let plan = Plan { schema: layout.schema, migrations: layout.of_server, also: |_| Ok(()) };
        schema::bring_up(&server, &reading, &plan)?;
        drop(reading);
        let own = format!("SET LOCAL search_path = {}; {BY_KEYS}", layout.schema);
        let turn = layout.turn;
        let changing = format!(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {TURN_MS}; \
             SET LOCAL idle_in_transaction_session_timeout = 5000; {own}; \
             SELECT pg_advisory_xact_lock({turn}); SELECT txid_current() AS number"
        );
        let looking = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {own}");
        Ok(Self { path: server.path(), server, changing, looking })
    }

    /// Works in a transaction of its own, which nobody else's comes between; durable when this returns.
    pub fn change<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.change_for(STATEMENT, work)
    }

    /// The same of what is much, and may take its time.
    pub(in crate::store) fn change_at_length<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.change_for(AT_LENGTH, work)
    }

    fn change_for<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut within = self.begin(&self.changing)?;
        within.patience = patience;
        let made = work(&mut Within::of_server(&within, &self.path))?;
        within.commit().map_err(|error| self.server.explain(&error))?;
        Ok(made)
    }

    /// Reads what is durable, all as of one instant.
    pub fn look<T>(
        &self,
        work: impl FnOnce(&mut Within<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let within = self.begin(&self.looking)?;
        let made = work(&mut Within::of_server(&within, &self.path))?;
        // It has been read; what becomes of the connection is no matter of the reader's.
        within.end();
        Ok(made)
    }

    fn begin(&self, sql: &str) -> Result<PgWithin, StoreError> {
        let (pool, sql) = (self.server.pool.clone(), sql.to_owned());
        let begun = self.server.wait(&Until::default(), begin(pool, sql));
        let (client, number) = begun.map_err(|error| self.server.explain(&error))?;
        let (client, server) = (Some(Arc::new(client)), self.server.clone());
        Ok(PgWithin { client, number, patience: STATEMENT, server })
    }
}

/// Begins a transaction on a connection that works; its number, where it has one.
async fn begin(pool: Pool, sql: String) -> Result<(Object, Option<i64>), PgError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let client = timeout_at(until, pool.get()).await.map_err(|_| PgError::Late)?;
        let failed = match client {
            Err(error) => PgError::from(error),
            Ok(client) => match timeout_at(until, client.simple_query(&sql)).await {
                Ok(Ok(said)) => return Ok((client, number(&said))),
                said => {
                    drop(Object::take(client));
                    said.map_or(PgError::Late, |said| match said {
                        Err(error) => error.into(),
                        Ok(_) => PgError::Late,
                    })
                }
            },
        };
        if !failed.may_pass() || Instant::now() + AGAIN >= until {
            return Err(failed);
        }
        sleep(AGAIN).await;
    }
}

fn number(said: &[SimpleQueryMessage]) -> Option<i64> {
    said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.try_get("number").ok()??.parse().ok(),
        _ => None,
    })
}

/// A transaction that is under way. Dropped before its end it is as if it had not been.
#[derive(Debug)]
pub struct PgWithin {
    client: Option<Arc<Object>>,
    /// What the server knows the transaction by, where it changes something.
    number: Option<i64>,
    /// How long a statement may take.
    patience: Duration,
    server: Server,
}

impl Drop for PgWithin {
    fn drop(&mut self) {
        // Whatever it was in the middle of ends with the connection.
        if let Some(client) = self.client.take().and_then(Arc::into_inner) {
            drop(Object::take(client));
        }
    }
}

impl PgWithin {
    /// Waits for `work` on the connection, for as long as a statement may take.
    fn wait<T, F>(&self, work: impl FnOnce(Arc<Object>) -> F) -> Result<T, PgError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PgError>> + Send + 'static,
    {
        let gone = || PgError::NoConnection("the transaction has ended".to_owned());
        let work = work(self.client.clone().ok_or_else(gone)?);
        let patience = self.patience;
        self.server.wait(&Until::default(), async move {
            timeout(patience, work).await.unwrap_or(Err(PgError::Late))
        })
    }

    /// Changes rows; how many.
    pub(in crate::store) fn run(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError> {
        let (sql, args) = (numbered(sql), args(values));
        let ran = self.wait(|client| async move {
            let statement = client.prepare_cached(&sql).await?;
            Ok(client.execute(&statement, &borrowed(&args)).await?)
        });
        ran.map_err(|error| self.server.explain(&error))
    }

    /// Reads rows.
    pub(in crate::store) fn rows(
        &self,
        sql: &str,
        values: &[Cell],
    ) -> Result<Vec<Found>, StoreError> {
        let (sql, args) = (numbered(sql), args(values));
        let read = self.wait(|client| async move {
            let statement = client.prepare_cached(&sql).await?;
            let rows = client.query(&statement, &borrowed(&args)).await?;
            rows.into_iter().map(|row| found(&Row(row))).collect()
        });
        read.map_err(|error| self.server.explain(&error))
    }

    /// Makes it durable.
    fn commit(mut self) -> Result<(), PgError> {
        let sql = format!("{WRITTEN}; COMMIT");
        let asked = self.wait(|client| async move { Ok(client.batch_execute(&sql).await?) });
        match asked {
            Ok(()) => {
                self.client = None;
                Ok(())
            }
            Err(_) if self.was_committed() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends what has only read.
    fn end(mut self) {
        if self.wait(|client| async move { Ok(client.batch_execute("ROLLBACK").await?) }).is_ok() {
            self.client = None;
        }
    }

    /// Whether a transaction was committed of which the connection said nothing more: the server knows, or whichever has
    /// taken its place.
    fn was_committed(&self) -> bool {
        let Some(number) = self.number else { return false };
        let pool = self.server.pool.clone();
        let asked = self.server.wait(&Until::default(), async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let known = timeout_at(until, outcome(&pool, number)).await.unwrap_or(Ok(None));
                match known.ok().flatten().as_deref() {
                    Some("committed") => return Ok(true),
                    // Its connection has not ended there yet, or there is no server yet.
                    Some("in progress") | None if Instant::now() + AGAIN < until => {}
                    _ => return Ok(false),
                }
                sleep(AGAIN).await;
            }
        });
        asked.unwrap_or(false)
    }
}

/// What became of a transaction, which stands wherever commits are waited for.
async fn outcome(pool: &Pool, number: i64) -> Result<Option<String>, PgError> {
    let client = pool.get().await?;
    let asked = async {
        let row = client.query_one("SELECT txid_status($1)", &[&number]).await?;
        client.batch_execute(WRITTEN).await?;
        Ok(row.try_get(0)?)
    };
    let asked = asked.await;
    if asked.is_err() {
        drop(Object::take(client));
    }
    asked
}

/// A statement as the driver wants it: `$1` for `?1`.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

/// The values of a statement. A server's texts have no zero byte: one that has is no text that was ever stored.
fn args(values: &[Cell]) -> Args {
    let arg = |cell: &Cell| -> Box<dyn ToSql + Send + Sync> {
        match cell {
            Cell::Whole(number) => Box::new(*number),
            Cell::Text(text) => Box::new(text.as_ref().map(|it| it.replace('\0', "\u{fffd}"))),
        }
    };
    values.iter().map(arg).collect()
}

fn borrowed(args: &Args) -> Vec<&(dyn ToSql + Sync)> {
    args.iter().map(|it| &**it as &(dyn ToSql + Sync)).collect()
}

fn found(row: &Row) -> Result<Found, PgError> {
    let kinds = row.0.columns().iter().map(|column| column.type_().clone()).enumerate();
    let cells = kinds.map(|(at, kind)| {
        Ok(match kind {
            Type::INT8 => Cell::Whole(row.get(at)?),
            Type::INT4 => Cell::Whole(row.get::<Option<i32>>(at)?.map(i64::from)),
            Type::TEXT | Type::VARCHAR => Cell::Text(row.get(at)?),
            other => return Err(PgError::unknown(other.name())),
        })
    });
    Ok(Found::new(cells.collect::<Result<_, PgError>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_as_the_driver_wants_them() {
        assert_eq!(numbered("a = ?1 AND b = ?12"), "a = $1 AND b = $12");
    }
}
