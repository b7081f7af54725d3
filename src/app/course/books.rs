//! Where the ledger of an application is read from: its `/ledger` page, a SQLite file, or what a command prints.

use crate::app::course::stage;
use crate::app::course::trouble::Trouble;
use crate::domain::course::books::{self, Books};
use crate::net::outbound;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

/// How long a ledger's file or command may keep the course waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a ledger is read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// `GET /ledger` of the application.
    #[default]
    Page,
    /// A table of a SQLite file, opened for reading only.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The table; without a name, the one that has sessions.
        table: Option<String>,
    },
    /// What a command prints.
    Command(String),
}

impl FromStr for Source {
    type Err = String;

    /// Reads `sqlite:PATH` and `sqlite:PATH?table=NAME`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("sqlite:").filter(|rest| !rest.is_empty());
        let rest = rest.ok_or_else(|| "sqlite:PATH, sqlite:PATH?table=NAME".to_owned())?;
        let (path, table) = match rest.rsplit_once("?table=") {
            Some((path, table)) => (path, Some(table.to_owned())),
            None => (rest, None),
        };
        Ok(Self::Sqlite { path: PathBuf::from(path), table })
    }
}

impl Source {
    /// Whether it is a page of the application.
    pub const fn is_page(&self) -> bool {
        matches!(self, Self::Page)
    }

    /// Reads the ledger: how many rows there are, and the rows with the columns of lessons.
    pub async fn read(&self, http: &outbound::Client, app: &str) -> Result<Value, Trouble> {
        let books = match self {
            Self::Page => page(http, app).await?,
            Self::Command(command) => printed(command).await?,
            Self::Sqlite { path, table } => {
                let (path, table) = (path.clone(), table.clone());
                let read = move || of_file(&path, table.as_deref());
                let lost = |_| Trouble::short("sqlite:", "–");
                tokio::task::spawn_blocking(read).await.map_err(lost)??
            }
        };
        Ok(books.json())
    }
}

async fn page(http: &outbound::Client, app: &str) -> Result<Books, Trouble> {
    let request = http.get(format!("{app}/ledger")).header("Accept", "application/json");
    let answer = stage::send(request).await?;
    if !(200..300).contains(&answer.status) {
        return Err(Trouble::short("GET /ledger: 2xx", answer.status.to_string()));
    }
    books::read(&answer.body).map_err(|unread| Trouble::short("GET /ledger: rows", unread.line()))
}

#[cfg(unix)]
async fn printed(command: &str) -> Result<Books, Trouble> {
    let mut shell = tokio::process::Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).kill_on_drop(true);
    let late = |_| Trouble::short(format!("{command}: ≤ {} s", PATIENCE.as_secs()), "–");
    let run = tokio::time::timeout(PATIENCE, shell.output()).await.map_err(late)?;
    let ran = run.map_err(|error| Trouble::short(command, error.to_string()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        let last = said.lines().last().unwrap_or_default();
        return Err(Trouble::short(format!("{command}: exit 0"), format!("{} {last}", ran.status)));
    }
    let text = String::from_utf8_lossy(&ran.stdout);
    books::read(&text).map_err(|unread| Trouble::short(format!("{command}: rows"), unread.line()))
}

#[cfg(not(unix))]
async fn printed(command: &str) -> Result<Books, Trouble> {
    Err(Trouble::short(command, "sh: –"))
}

/// Reads a file that the application writes to meanwhile: nothing is written, no journal is touched.
fn of_file(path: &Path, table: Option<&str>) -> Result<Books, Trouble> {
    let shown = path.display();
    let failed =
        |error: rusqlite::Error| Trouble::short(format!("sqlite:{shown}"), error.to_string());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(failed)?;
    database.busy_timeout(PATIENCE).map_err(failed)?;
    let table = match table {
        Some(table) => table.to_owned(),
        None => fitting(&database).map_err(failed)?.ok_or_else(|| {
            Trouble::short(format!("sqlite:{shown}: session_id"), names(&database).join(", "))
        })?,
    };
    let found = rows(&database, &table).map_err(failed)?;
    let mut books = Books::default();
    for row in &found {
        let unread = |it: books::Unread| Trouble::short(format!("{table}: rows"), it.line());
        books.rows.push(books::of_row(row).map_err(unread)?);
    }
    books.count = u64::try_from(books.rows.len()).unwrap_or(u64::MAX);
    Ok(books)
}

/// The tables and views of a file; none where it cannot tell.
fn names(database: &Connection) -> Vec<String> {
    let query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let read = || -> rusqlite::Result<Vec<String>> {
        database.prepare(query)?.query_map([], |row| row.get(0))?.collect()
    };
    read().unwrap_or_default()
}

/// The table that has most of the columns of lessons, sessions among them.
fn fitting(database: &Connection) -> rusqlite::Result<Option<String>> {
    let mut best: Option<(usize, String)> = None;
    // Reading the list here tells a file that is no database from one without tables.
    database.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    for name in names(database) {
        let statement = database.prepare(&format!("SELECT * FROM {}", quoted(&name)))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let Some(known) = books::known(&columns) else { continue };
        if best.as_ref().is_none_or(|(most, _)| known > *most) {
            best = Some((known, name));
        }
    }
    Ok(best.map(|(_, name)| name))
}

fn rows(database: &Connection, table: &str) -> rusqlite::Result<Vec<Map<String, Value>>> {
    let mut statement = database.prepare(&format!("SELECT * FROM {}", quoted(table)))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let mut cells = Map::new();
        for (at, name) in columns.iter().enumerate() {
            cells.insert(name.clone(), value(row.get_ref(at)?));
        }
        rows.push(cells);
    }
    Ok(rows)
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) | ValueRef::Blob(text) => json!(String::from_utf8_lossy(text)),
    }
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_its_file_and_perhaps_its_table() {
        let sqlite = |path: &str, table: Option<&str>| Source::Sqlite {
            path: PathBuf::from(path),
            table: table.map(str::to_owned),
        };
        assert_eq!("sqlite:a b.db".parse(), Ok(sqlite("a b.db", None)));
        assert_eq!("sqlite:/x?y.db?table=t".parse(), Ok(sqlite("/x?y.db", Some("t"))));
        assert!("postgres:x".parse::<Source>().is_err());
        assert!("sqlite:".parse::<Source>().is_err());
    }

    #[test]
    fn the_fitting_table_of_a_file_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        assert!(of_file(&path, None).is_err());
        let database = Connection::open(&path).unwrap();
        let schema = "CREATE TABLE events_seen (event_id TEXT, session_id TEXT);
            CREATE TABLE \"pay\"\"ments\" (id TEXT, amount_total INTEGER, currency TEXT, created_at TEXT);
            INSERT INTO \"pay\"\"ments\" VALUES ('cs_1', 500, 'jpy', '2026-11-21 05:04:05'), ('cs_2', 5.5, 'usd', NULL)";
        database.execute_batch("CREATE TABLE customers (id TEXT, name TEXT)").unwrap();
        assert!(of_file(&path, None).is_err());
        database.execute_batch(schema).unwrap();
        let books = of_file(&path, None).unwrap();
        assert_eq!(books.count, 2);
        let row = books.rows.first().unwrap();
        assert_eq!(row["session_id"], "cs_1");
        assert_eq!((&row["amount"], &row["created"]), (&json!(500), &json!(1_795_237_445)));
        assert_eq!(books.rows.get(1).unwrap()["amount"], "5.5");
        assert_eq!(of_file(&path, Some("events_seen")).unwrap().count, 0);
        assert!(of_file(&path, Some("absent")).is_err());
    }
}
