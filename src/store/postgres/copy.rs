//! The ledger as SQLite's file: for whoever wants one, and for looking at every row by the one set of rules that there is.
//! And what follows from the journal, made anew.

use crate::domain::book::line::Line;
use crate::os::place::beside;
use crate::os::private;
use crate::store::chain::Chain;
use crate::store::postgres::draft::Touched;
use crate::store::postgres::line::{self, LINE};
use crate::store::postgres::load::{load, rows};
use crate::store::postgres::writer::begin;
use crate::store::postgres::{AT_ONCE, PgError, PgLedger, Reading, Row, Server, flush, read};
use crate::store::rebuild::FOLLOWING;
use crate::store::verify::{self, Verified};
use crate::store::{StoreError, Until, journal, schema};
use deadpool_postgres::Object;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;
use tokio_postgres::types::Type;

/// A table that is no consequence of the journal, its columns, and by which it is read.
pub(super) const OWN: [(&str, &str, &str); 4] = [
    (
        "events",
        "seq, id, type, object, created, livemode, received, problem, body, via, signed, secret, apart, writer, place, \
         hash, pack",
        "seq",
    ),
    ("heads", "writer, place, hash", "writer"),
    ("checkpoints", "number, writer, place, hash, seal", "number"),
    ("cursor", "name, value", "name"),
];

/// How long a rebuild waits for its turn; nobody waits for its answer.
pub(super) const WAIT_MS: u32 = 30_000;

/// The values of a row as SQLite has them.
pub(super) fn values(row: &Row) -> Result<Vec<Value>, PgError> {
    let mut values = Vec::with_capacity(row.0.len());
    for (at, column) in row.0.columns().iter().enumerate() {
        let value = match *column.type_() {
            Type::INT8 => row.get::<Option<i64>>(at)?.map(Value::Integer),
            Type::BOOL => row.get::<Option<bool>>(at)?.map(|it| Value::Integer(i64::from(it))),
            Type::BYTEA => row.get::<Option<Vec<u8>>>(at)?.map(Value::Blob),
            _ => row.get::<Option<String>>(at)?.map(Value::Text),
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(values)
}

/// Copies the rows of a table.
fn table(
    reading: &Reading,
    into: &Connection,
    (name, columns, order): (&str, &str, &str),
) -> Result<(), PgError> {
    let marks = vec!["?"; columns.split(',').count()].join(", ");
    let mut insert = into.prepare(&format!("INSERT INTO {name} ({columns}) VALUES ({marks})"))?;
    let sql = format!("SELECT {columns} FROM stripegym.{name} ORDER BY {order}");
    reading.each(&sql, Vec::new(), |rows| {
        for row in &rows {
            insert.execute(params_from_iter(values(row)?))?;
        }
        Ok(())
    })
}

/// Copies every row into an empty ledger of SQLite.
fn copy(reading: &Reading, into: &mut Connection) -> Result<(), PgError> {
    let transaction = into.transaction()?;
    for own in OWN {
        table(reading, &transaction, own)?;
    }
    for one in &FOLLOWING {
        let key: Vec<String> = (1..=one.key).map(|at| at.to_string()).collect();
        table(reading, &transaction, (one.name, one.columns, &key.join(", ")))?;
    }
    transaction.commit()?;
    Ok(())
}

impl PgLedger {
    /// Looks at every row: whether the chains hold, and whether what follows from the journal is what stands there. The
    /// rows are looked at as of one instant, in a file of SQLite's own that goes with the look.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut all = Verified::default();
        for server in self.servers() {
            let one = self.verify_on(server).map_err(|error| server.explain(&error))?;
            all.lines += one.lines;
            all.writers += one.writers;
            all.checkpoints += one.checkpoints;
            all.findings.extend(one.findings);
        }
        all.findings.extend(self.divided()?);
        Ok(all)
    }

    fn verify_on(&self, server: &Server) -> Result<Verified, PgError> {
        let reading = server.reading(&self.until)?.at_one_instant()?;
        // A name that is empty is a file that SQLite removes by itself.
        let mut file = Connection::open("")?;
        schema::lay_out(&mut file)?;
        copy(&reading, &mut file)?;
        self.until.watch(&mut file)?;
        Ok(verify::look(&file)?)
    }

    /// Writes the ledger to SQLite's file at `path`, where nothing stands yet.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let reason = "the journals of several servers are not one file's journal";
        self.alone(reason, "ledger export --format csv")?;
        let new = !path.exists();
        private::database(path)
            .map_err(|error| StoreError::Io { path: path.to_owned(), reason: error.to_string() })?;
        let copied = self.at_one_instant(|reading| {
            let mut file = Connection::open(path)?;
            schema::lay_out(&mut file)?;
            // Copies of one ledger share its number.
            file.pragma_update(None, "application_id", read::number(reading)?)?;
            copy(reading, &mut file)
        });
        if copied.is_err() && new {
            // Half a copy looks like a whole one.
            for left in [path.to_owned(), beside(path, "-journal")] {
                drop(std::fs::remove_file(left));
            }
        }
        copied
    }

    /// Makes everything that follows from the journal anew; how many lines there were.
    pub fn rebuild(&self) -> Result<u64, StoreError> {
        self.servers().iter().map(|server| self.rebuild_on(server)).sum()
    }

    fn rebuild_on(&self, server: &Server) -> Result<u64, StoreError> {
        let until = self.until.clone();
        let pool = server.pool.clone();
        let worked = server.wait(&self.until, async move {
            let client = pool.get().await?;
            let worked = anew(&client, &until).await;
            if worked.is_err() {
                // What it was in the middle of ends with the connection.
                drop(Object::take(client));
            }
            worked
        });
        worked.map_err(|error| server.explain(&error))
    }
}

async fn anew(client: &Object, until: &Until) -> Result<u64, PgError> {
    client.batch_execute(&begin(WAIT_MS)).await?;
    for table in &FOLLOWING {
        client.batch_execute(&format!("DELETE FROM stripegym.{}", table.name)).await?;
    }
    let sql =
        format!("SELECT {LINE} FROM stripegym.events WHERE seq > $1 ORDER BY seq LIMIT {AT_ONCE}");
    let (mut last, mut count) = (0_i64, 0_u64);
    loop {
        if until.is_asked() {
            return Err(PgError::Interrupted);
        }
        let part = rows(client, &sql, &[&last]).await?;
        let lines: Vec<(i64, Line)> = part.iter().map(line::line).collect::<Result<_, _>>()?;
        let Some((end, _)) = lines.last() else { break };
        last = *end;
        count += lines.len() as u64;
        Box::pin(apply(client, &lines)).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(count)
}

/// Applies lines that stand there to everything but the journal.
async fn apply(client: &Object, lines: &[(i64, Line)]) -> Result<(), PgError> {
    let mut touched = Touched::default();
    for (_, line) in lines {
        touched.add(line);
    }
    let (mut draft, _) = load(client, touched, Chain::new(0)).await?;
    for (number, line) in lines {
        let applied = journal::apply(&mut draft, *number, &line.meaning);
        applied.map_err(|error| PgError::Odd(error.to_string()))?;
    }
    flush::following(client, &draft).await?;
    let numbers: Vec<i64> = lines.iter().map(|(number, _)| *number).collect();
    let problems: Vec<Option<&str>> =
        lines.iter().map(|(_, line)| line.meaning.problem.as_deref()).collect();
    let sql = "UPDATE stripegym.events SET problem = one.problem \
               FROM unnest($1::bigint[], $2::text[]) AS one (seq, problem) \
               WHERE events.seq = one.seq AND events.problem IS DISTINCT FROM one.problem";
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, &[&numbers, &problems]).await?;
    Ok(())
}
