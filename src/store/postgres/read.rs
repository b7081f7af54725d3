//! Reading the ledger's rows and its events.

use crate::domain::currency::Currency;
use crate::domain::entry::EntryStatus;
use crate::domain::money::Money;
use crate::domain::reconcile::Record;
use crate::domain::report::{LedgerRow, Total};
use crate::domain::time::Timestamp;
use crate::store::book::clamped;
use crate::store::postgres::{Args, PgError, PgLedger, Reading, Row, Server, line, text};
use crate::store::subscriber::about;
use crate::store::{Each, Filter, StoreError, StoredEvent};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// The columns that [`row`] reads.
const ROW: &str =
    "session_id, amount, currency, refunded, status, created, updated, payment_intent, event_id";

/// The columns that [`stored`] reads.
const STORED: &str = "id, type, created, received, body, problem, seq, pack";

/// The most lines about some objects.
const LINES_MAX: usize = 1_000;

/// How long it may take to see that the server answers.
const ALIVE: Duration = Duration::from_secs(1);

/// Which rows a filter asks for, as a condition with its values.
fn conditions(filter: &Filter) -> (String, Args) {
    let (mut parts, mut args): (Vec<String>, Args) = (Vec::new(), Vec::new());
    let Filter { status, since, until, session, limit: _ } = filter;
    if let Some(status) = status {
        args.push(text(status.name()));
        parts.push(format!("status = ${}", args.len()));
    }
    for (at, sign) in [(since, ">="), (until, "<")] {
        if let Some(at) = at {
            args.push(Box::new(at.0));
            parts.push(format!("created {sign} ${}", args.len()));
        }
    }
    if let Some(session) = session {
        args.push(text(session));
        parts.push(format!("session_id = ${}", args.len()));
    }
    let sql =
        if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
    (sql, args)
}

/// The rows that a filter asks for, newest first.
fn newest(filter: &Filter) -> (String, Args) {
    let (condition, args) = conditions(filter);
    let limit = filter.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    let order = "created DESC, session_id DESC";
    (format!("SELECT {ROW} FROM stripegym.ledger{condition} ORDER BY {order}{limit}"), args)
}

fn row(row: &Row) -> Result<LedgerRow, PgError> {
    Ok(LedgerRow {
        record: Record {
            session_id: row.get(0)?,
            amount: Money::new(row.get(1)?, line::currency(row, 2)?),
            status: row.word(4, EntryStatus::read)?,
            created: Timestamp(row.get(5)?),
            payment_intent: row.get(7)?,
        },
        refunded: row.get(3)?,
        updated: Timestamp(row.get(6)?),
        event_id: row.get(8)?,
    })
}

fn stored(row: &Row) -> Result<StoredEvent, PgError> {
    Ok(StoredEvent {
        id: row.get(0)?,
        kind: row.get(1)?,
        created: Timestamp(row.get(2)?),
        received: Timestamp(row.get(3)?),
        body: line::body(row, 4, 7)?,
        problem: row.get(5)?,
    })
}

fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, PgError>) -> Result<Vec<T>, PgError> {
    rows.iter().map(read).collect()
}

impl PgLedger {
    /// The rows that `filter` asks for, newest session first.
    pub fn rows(&self, filter: &Filter) -> Result<Vec<LedgerRow>, StoreError> {
        let (sql, args) = newest(filter);
        self.read(|reading| all(&reading.rows(&sql, args)?, row))
    }

    /// Gives the rows that `filter` asks for to `each`, oldest session first.
    pub fn each_row(&self, filter: &Filter, each: Each<'_, LedgerRow>) -> Result<(), StoreError> {
        let (sql, args) = newest(filter);
        let sql = format!("SELECT * FROM ({sql}) AS part ORDER BY created, session_id");
        self.each(&sql, args, row, each)
    }

    /// What the rows come to by currency, in the order of its code. The filter's limit does not matter.
    pub fn totals(&self, filter: &Filter) -> Result<Vec<Total>, StoreError> {
        let (condition, args) = conditions(filter);
        let paid = "status IN ('paid', 'partially_refunded', 'refunded')";
        let sql = format!(
            "SELECT currency, count(*), COALESCE(sum(amount) FILTER (WHERE {paid}), 0)::text, \
             COALESCE(sum(refunded), 0)::text FROM stripegym.ledger{condition} \
             GROUP BY currency ORDER BY currency"
        );
        let total = |row: &Row| {
            let currency: Currency = line::currency(row, 0)?;
            Ok(Total {
                rows: row.count(1)?,
                paid: Money::new(clamped(line::sum(row, 2)?), currency),
                refunded: Money::new(clamped(line::sum(row, 3)?), currency),
            })
        };
        self.read(|reading| all(&reading.rows(&sql, args)?, total))
    }

    /// How many different events were received.
    pub fn events_count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM stripegym.events WHERE type <> 'stripegym.seen'";
        self.read(|reading| reading.one(sql, Vec::new())?.count(0))
    }

    /// The event `id` as it was received.
    pub fn event(&self, id: &str) -> Result<Option<StoredEvent>, StoreError> {
        let sql = format!("SELECT {STORED} FROM stripegym.events WHERE id = $1");
        let found = self.read(|reading| all(&reading.rows(&sql, vec![text(id)])?, stored));
        Ok(found?.into_iter().next())
    }

    /// The events received last, newest arrival first, at most `limit`.
    pub fn events(&self, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = format!(
            "SELECT {STORED} FROM stripegym.events WHERE type <> 'stripegym.seen' \
             ORDER BY seq DESC LIMIT {limit}"
        );
        self.read(|reading| all(&reading.rows(&sql, Vec::new())?, stored))
    }

    /// The events after the line of this number, oldest first, at most `limit`, each with its line's number.
    pub fn events_after(
        &self,
        journal: usize,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, StoredEvent)>, StoreError> {
        let sql = format!(
            "SELECT {STORED} FROM stripegym.events WHERE seq > $1 AND type <> 'stripegym.seen' \
             ORDER BY seq LIMIT {limit}"
        );
        let numbered = |row: &Row| Ok((row.get(6)?, stored(row)?));
        let Some(server) = self.servers().get(journal) else { return Ok(Vec::new()) };
        let read = server
            .reading(&self.until)
            .and_then(|reading| all(&reading.rows(&sql, vec![Box::new(after)])?, numbered));
        read.map_err(|error| server.explain(&error))
    }

    /// The events of these types that the provider made since an instant, oldest arrival first, at most `most`.
    pub fn events_of(
        &self,
        types: &[&str],
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let types: Vec<String> = types.iter().map(|kind| (*kind).to_owned()).collect();
        let sql = format!(
            "SELECT {STORED} FROM stripegym.events WHERE created >= $1 AND type = ANY($2) \
             ORDER BY seq LIMIT {most}"
        );
        let args: Args = vec![Box::new(since.0), Box::new(types)];
        self.read(|reading| all(&reading.rows(&sql, args)?, stored))
    }

    /// Gives what the events of a type are about to `tell`, in the order in which they came, but for those that stand
    /// apart.
    pub fn objects_of(&self, kind: &str, tell: &mut dyn FnMut(&Value)) -> Result<(), StoreError> {
        let sql = "SELECT body, pack FROM stripegym.events WHERE type = $1 AND apart IS NULL ORDER BY seq";
        self.at_one_instant(|reading| {
            reading.each(sql, vec![text(kind)], |rows| {
                for row in &rows {
                    let body = line::body(row, 0, 1)?;
                    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
                    if let Some(object) = about(&event) {
                        tell(object);
                    }
                }
                Ok(())
            })
        })
    }

    /// The number of the journal of each server, which tells it from others.
    pub fn journals(&self) -> Result<Vec<i64>, StoreError> {
        let one = |server: &Server| {
            let read = server.reading(&self.until).and_then(|reading| number(&reading));
            read.map_err(|error| server.explain(&error))
        };
        self.servers().iter().map(one).collect()
    }

    /// The lines of the journal about any of these objects, oldest first: id, type, when it came.
    pub fn lines_about(
        &self,
        names: &[String],
    ) -> Result<Vec<(String, String, Timestamp)>, StoreError> {
        let sql = "SELECT id, type, received FROM stripegym.events WHERE object = ANY($1) OR seq IN \
                   (SELECT line FROM stripegym.facts WHERE subject = ANY($1)) ORDER BY seq";
        let sql = format!("{sql} LIMIT {LINES_MAX}");
        let one = |row: &Row| Ok((row.get(0)?, row.get(1)?, Timestamp(row.get(2)?)));
        let mut found = Vec::new();
        let read = |reading: &Reading| {
            for part in self.parts() {
                let rows = reading.rows(&part.sql(&sql), vec![Box::new(names.to_vec())])?;
                found.extend(all(&rows, one)?);
            }
            Ok(())
        };
        self.read(read)?;
        if self.is_divided() {
            // What several servers heard is in the order in which it came, as far as seconds tell.
            found.sort_by_key(|line: &(String, String, Timestamp)| line.2);
            found.truncate(LINES_MAX);
        }
        Ok(found)
    }

    /// Whether a server answers, and lets itself be written to.
    pub fn is_readable(&self) -> bool {
        self.servers().iter().any(|server| self.answers(server))
    }

    fn answers(&self, server: &Server) -> bool {
        let pool = server.pool.clone();
        let looked = server.wait(&self.until, async move {
            let look = async {
                let client = pool.get().await?;
                Ok(client
                    .simple_query("SELECT 1 FROM stripegym.heads LIMIT 1")
                    .await
                    .map(|_| ())?)
            };
            timeout(ALIVE, look).await.unwrap_or(Err(PgError::Late))
        });
        looked.is_ok()
    }

    /// The same: only a server that lets itself be written to is connected with.
    pub fn is_writable(&self) -> bool {
        self.is_readable()
    }

    /// Up to when the poller `name` has read.
    pub fn cursor(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT value FROM stripegym.cursor WHERE name = $1";
        let found = self.read(|reading| {
            all(&reading.rows(sql, vec![text(name)])?, |row| Ok(Timestamp(row.get(0)?)))
        });
        Ok(found?.into_iter().next())
    }

    /// Gives what `read` makes of each row to `each`, and holds no more than a part of them.
    pub(super) fn each<T>(
        &self,
        sql: &str,
        args: Args,
        read: impl Fn(&Row) -> Result<T, PgError>,
        each: Each<'_, T>,
    ) -> Result<(), StoreError> {
        self.at_one_instant(|reading| {
            reading.each(sql, args, |rows| {
                rows.iter().try_for_each(|row| each(read(row)?).map_err(PgError::Refused))
            })
        })
    }
}

/// The number of the ledger of a connection.
pub(super) fn number(reading: &Reading) -> Result<i64, PgError> {
    reading.one("SELECT value FROM stripegym.about WHERE name = 'number'", Vec::new())?.get(0)
}
