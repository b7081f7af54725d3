//! Where the ledger of an application is read from: its `/ledger` page, a SQLite file, a table on a PostgreSQL server, or
//! what a command prints.

use crate::app::course::act_error::ActError;
use crate::app::course::exchanges::send;
use crate::app::course::outage::Outage;
use crate::config::Config;
use crate::domain::course::books::{self, Books};
use crate::domain::course::statement::Statement;
use crate::domain::ledger_url::LedgerUrl;
use crate::net::outbound;
use crate::store::postgres::foreign::{self, Wanted};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

/// How long a ledger's file or command may keep the course waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a ledger is read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// A page of the application, `/ledger` where nothing is said.
    #[default]
    Page,
    /// Another page of the application.
    PageAt(String),
    /// There is none.
    None,
    /// A table of a SQLite file, opened for reading only.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The table; without a name, the one that has sessions.
        table: Option<String>,
        /// Which of its columns stand for those of lessons.
        columns: BTreeMap<String, String>,
    },
    /// A table on a PostgreSQL server, read and never written to.
    Postgres {
        /// The server and the database.
        url: LedgerUrl,
        /// The table; without a name, the one that has sessions.
        table: Option<String>,
        /// Which of its columns stand for those of lessons.
        columns: BTreeMap<String, String>,
    },
    /// What a command prints.
    Command(String),
}

impl FromStr for Source {
    type Err = String;

    /// Reads `sqlite:PATH`, `sqlite:PATH?table=NAME&amount=COLUMN`, and `postgres://…` with the same behind it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || {
            "sqlite:PATH, sqlite:PATH?table=NAME&session_id=COLUMN&amount=COLUMN, \
             postgres://USER@HOST/DATABASE?table=NAME&session_id=COLUMN&amount=COLUMN"
                .to_owned()
        };
        if LedgerUrl::read(text, None).is_some() {
            return on_server(text).ok_or_else(form);
        }
        let rest = text.strip_prefix("sqlite:").filter(|rest| !rest.is_empty()).ok_or_else(form)?;
        let (path, asked) = match rest.rsplit_once('?') {
            Some((path, asked)) if asked.contains('=') => (path, asked),
            _ => (rest, ""),
        };
        let (mapped, left) = Mapped::read(asked);
        match left.first().map(|pair| pair.split_once('=')) {
            None => {}
            Some(None) => return Err(form()),
            Some(Some((other, _))) => return Err(format!("{} · {other}: –", form())),
        }
        Ok(Self::Sqlite { path: PathBuf::from(path), table: mapped.table, columns: mapped.columns })
    }
}

/// The table that is named behind a place, and which of its columns stand for those of lessons.
#[derive(Default)]
struct Mapped {
    table: Option<String>,
    columns: BTreeMap<String, String>,
}

impl Mapped {
    /// Reads `table=NAME&amount=COLUMN`; and what is neither a table nor a column, in order.
    fn read(query: &str) -> (Self, Vec<&str>) {
        let (mut mapped, mut left) = (Self::default(), Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("table", name)) => mapped.table = Some(name.to_owned()),
                Some((ours, theirs)) if books::is_column(ours) => {
                    mapped.columns.insert(ours.to_owned(), theirs.to_owned());
                }
                _ => left.push(pair),
            }
        }
        (mapped, left)
    }
}

/// The table that an address names with its server: `table` and the columns of lessons are ours, the rest is the server's.
fn on_server(text: &str) -> Option<Source> {
    let (before, query) = text.split_once('?').unwrap_or((text, ""));
    let (Mapped { table, columns }, left) = Mapped::read(query);
    let address =
        if left.is_empty() { before.to_owned() } else { format!("{before}?{}", left.join("&")) };
    Some(Source::Postgres { url: LedgerUrl::read(&address, None)?, table, columns })
}

impl Source {
    /// The same with the password of the settings, which its address need not name.
    #[must_use]
    pub fn in_the(self, config: &Config) -> Self {
        match self {
            Self::Postgres { url, table, columns } => {
                let url = url.with_password(config.database_password.as_ref());
                Self::Postgres { url, table, columns }
            }
            other => other,
        }
    }

    /// Whether it is a page of the application.
    pub const fn is_page(&self) -> bool {
        matches!(self, Self::Page | Self::PageAt(_))
    }

    /// The page that shows it.
    pub fn path(&self) -> &str {
        match self {
            Self::PageAt(path) => path,
            _ => "/ledger",
        }
    }

    /// Keeps everybody from writing to a ledger: to the one that is known, or to a file of a folder that has one of these
    /// sessions.
    pub async fn outage(&self, sessions: &BTreeSet<String>, folder: PathBuf) -> Option<Outage> {
        let (known, sessions) = (self.clone(), sessions.clone());
        let begin = move || match known {
            Self::Sqlite { path, .. } => Outage::begin(&path),
            Self::Postgres { url, table, columns } => {
                Outage::on_server(&url, table.as_deref(), &|there| fit(there, &columns))
            }
            Self::Page | Self::PageAt(_) | Self::None | Self::Command(_) => {
                let mut own = files(&folder).into_iter().filter(|path| has(path, &sessions));
                own.find_map(|path| Outage::begin(&path))
            }
        };
        tokio::task::spawn_blocking(begin).await.ok().flatten()
    }

    /// Reads the ledger: how many rows there are, and the rows with the columns of lessons.
    pub async fn read(&self, http: &outbound::Client, app: &str) -> Result<Value, ActError> {
        let books = match self {
            Self::Page | Self::PageAt(_) => page(http, &format!("{app}{}", self.path())).await?,
            Self::None => return Err(ActError::mismatch("a ledger", "--no-ledger")),
            Self::Command(command) => printed(command).await?,
            Self::Sqlite { path, table, columns } => {
                let (path, table, columns) = (path.clone(), table.clone(), columns.clone());
                let read = move || of_file(&path, table.as_deref(), &columns);
                let lost = |_| ActError::mismatch("sqlite:", "–");
                tokio::task::spawn_blocking(read).await.map_err(lost)??
            }
            Self::Postgres { url, table, columns } => {
                let (url, table, columns) = (url.clone(), table.clone(), columns.clone());
                let read = move || of_server(&url, table.as_deref(), &columns);
                let lost = |_| ActError::mismatch("postgres:", "–");
                tokio::task::spawn_blocking(read).await.map_err(lost)??
            }
        };
        Ok(books.json())
    }
}

async fn page(http: &outbound::Client, url: &str) -> Result<Books, ActError> {
    let request = http.get(url).header("Accept", "application/json");
    let answer = send(request).await?;
    if !(200..300).contains(&answer.status) {
        return Err(ActError::mismatch(
            Statement::Answer(vec!["GET /ledger".to_owned()], "2xx".to_owned()),
            Statement::answered(answer.status),
        ));
    }
    books::read(&answer.body)
        .map_err(|unread| ActError::mismatch("GET /ledger: rows", unread.line()))
}

#[cfg(unix)]
async fn printed(command: &str) -> Result<Books, ActError> {
    let mut shell = tokio::process::Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).kill_on_drop(true);
    let late = |_| ActError::mismatch(format!("{command}: ≤ {} s", PATIENCE.as_secs()), "–");
    let run = tokio::time::timeout(PATIENCE, shell.output()).await.map_err(late)?;
    let ran = run.map_err(|error| ActError::mismatch(command, error.to_string()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        let last = said.lines().last().unwrap_or_default();
        return Err(ActError::mismatch(
            format!("{command}: exit 0"),
            format!("{} {last}", ran.status),
        ));
    }
    let text = String::from_utf8_lossy(&ran.stdout);
    books::read(&text)
        .map_err(|unread| ActError::mismatch(format!("{command}: rows"), unread.line()))
}

#[cfg(not(unix))]
async fn printed(command: &str) -> Result<Books, ActError> {
    Err(ActError::mismatch(command, "sh: –"))
}

/// Reads a file that the application writes to meanwhile: nothing is written, no journal is touched.
fn of_file(
    path: &Path,
    table: Option<&str>,
    columns: &BTreeMap<String, String>,
) -> Result<Books, ActError> {
    let shown = path.display();
    let failed =
        |error: rusqlite::Error| ActError::mismatch(format!("sqlite:{shown}"), error.to_string());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(failed)?;
    database.busy_timeout(PATIENCE).map_err(failed)?;
    let table = match table {
        Some(table) => table.to_owned(),
        None => fitting(&database, columns).map_err(failed)?.ok_or_else(|| {
            ActError::mismatch(format!("sqlite:{shown}: session_id"), names(&database).join(", "))
        })?,
    };
    let found = rows(&database, &table).map_err(failed)?;
    let others = names_of(&database, &table).map_err(failed)?;
    understood(found, others, &table, columns)
}

/// Reads a table on a server.
fn of_server(
    url: &LedgerUrl,
    table: Option<&str>,
    columns: &BTreeMap<String, String>,
) -> Result<Books, ActError> {
    let fits = |there: &[String]| fit(there, columns);
    let found = foreign::read(url, Wanted { name: table, fits: &fits });
    let found = found.map_err(|error| ActError::mismatch(url.shown(), error.to_string()))?;
    let found = found.map_err(|there| {
        ActError::mismatch(
            format!("{}: {}", url.shown(), table.unwrap_or("session_id")),
            there.join(", "),
        )
    })?;
    understood(found.rows, found.columns, &found.table, columns)
}

/// How many columns of lessons those of a table stand for, with those that were told.
fn fit(there: &[String], told: &BTreeMap<String, String>) -> Option<usize> {
    let ours = told.iter().filter(|(_, theirs)| there.contains(theirs));
    let ours: Vec<String> = ours.map(|(ours, _)| ours.clone()).collect();
    books::known(&[there, &ours].concat())
}

/// The rows of a table as lessons see them.
fn understood(
    found: Vec<Map<String, Value>>,
    others: Vec<String>,
    table: &str,
    columns: &BTreeMap<String, String>,
) -> Result<Books, ActError> {
    let mut books = Books { others, ..Books::default() };
    for mut row in found {
        for (ours, theirs) in columns {
            let lacking = || {
                let there: Vec<&str> = row.keys().map(String::as_str).collect();
                ActError::mismatch(format!("{table}: {theirs}"), there.join(", "))
            };
            let value = row.get(theirs).cloned().ok_or_else(lacking)?;
            row.insert(ours.clone(), value);
        }
        let unread =
            |it: books::BooksError| ActError::mismatch(format!("{table}: rows"), it.line());
        books.rows.push(books::of_row(&row).map_err(unread)?);
    }
    books.count = u64::try_from(books.rows.len()).unwrap_or(u64::MAX);
    Ok(books)
}

/// The files of a folder, and of its folders, that are databases.
fn files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = list(folder).map(|entry| entry.path()).collect();
    let inner: Vec<PathBuf> =
        found.iter().flat_map(|path| list(path).map(|entry| entry.path())).collect();
    found.extend(inner);
    let is = |path: &PathBuf| {
        let name = path.extension().and_then(|it| it.to_str());
        matches!(name, Some("db" | "sqlite" | "sqlite3"))
            && !path.components().any(|it| it.as_os_str() == ".stripegym")
    };
    found.retain(is);
    found
}

/// Whether a file has a row of one of these sessions.
fn has(path: &Path, sessions: &BTreeSet<String>) -> bool {
    let of = |row: &Map<String, Value>| {
        row.get("session_id").and_then(Value::as_str).is_some_and(|id| sessions.contains(id))
    };
    of_file(path, None, &BTreeMap::new()).is_ok_and(|books| books.rows.iter().any(of))
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
fn fitting(
    database: &Connection,
    told: &BTreeMap<String, String>,
) -> rusqlite::Result<Option<String>> {
    let mut best: Option<(usize, String)> = None;
    // Reading the list here tells a file that is no database from one without tables.
    database.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    for name in names(database) {
        let Some(known) = fit(&names_of(database, &name)?, told) else { continue };
        if best.as_ref().is_none_or(|(most, _)| known > *most) {
            best = Some((known, name));
        }
    }
    Ok(best.map(|(_, name)| name))
}

/// The columns of a table.
fn names_of(database: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let statement = database.prepare(&format!("SELECT * FROM {}", quoted(table)))?;
    Ok(statement.column_names().map(str::to_owned).collect())
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
            columns: BTreeMap::new(),
        };
        assert_eq!("sqlite:a b.db".parse(), Ok(sqlite("a b.db", None)));
        assert_eq!("sqlite:/x?y.db?table=t".parse(), Ok(sqlite("/x?y.db", Some("t"))));
        let told = "sqlite:a.db?table=t&session_id=sid&amount=total_cents".parse::<Source>();
        let Ok(Source::Sqlite { columns, .. }) = told else { panic!() };
        assert_eq!((&*columns["session_id"], &*columns["amount"]), ("sid", "total_cents"));
        assert!("sqlite:a.db?price=x".parse::<Source>().is_err());
        assert!("postgres:x".parse::<Source>().is_err());
        let told = "postgres://shop:hunter2@db/books?table=t&sslmode=require&amount=total_cents";
        let Ok(Source::Postgres { url, table, columns }) = told.parse() else { panic!() };
        assert_eq!(url.reveal(), "postgres://shop:hunter2@db/books?sslmode=require");
        assert_eq!((table.as_deref(), &*columns["amount"]), (Some("t"), "total_cents"));
        assert!(!format!("{:?}", told.parse::<Source>()).contains("hunter2"));
        assert!("sqlite:".parse::<Source>().is_err());
    }

    #[test]
    fn the_fitting_table_of_a_file_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        assert!(of_file(&path, None, &BTreeMap::new()).is_err());
        let database = Connection::open(&path).unwrap();
        let schema = "CREATE TABLE events_seen (event_id TEXT, session_id TEXT);
            CREATE TABLE \"pay\"\"ments\" (id TEXT, amount_total INTEGER, currency TEXT, created_at TEXT);
            INSERT INTO \"pay\"\"ments\" VALUES ('cs_1', 500, 'jpy', '2026-11-21 05:04:05'), ('cs_2', 5.5, 'usd', NULL)";
        database.execute_batch("CREATE TABLE customers (id TEXT, name TEXT)").unwrap();
        assert!(of_file(&path, None, &BTreeMap::new()).is_err());
        database.execute_batch(schema).unwrap();
        let books = of_file(&path, None, &BTreeMap::new()).unwrap();
        assert_eq!(books.count, 2);
        let row = books.rows.first().unwrap();
        assert_eq!(row["session_id"], "cs_1");
        assert_eq!((&row["amount"], &row["created"]), (&json!(500), &json!(1_795_237_445)));
        assert_eq!(books.rows.get(1).unwrap()["amount"], "5.5");
        assert_eq!(of_file(&path, Some("events_seen"), &BTreeMap::new()).unwrap().count, 0);
        assert!(of_file(&path, Some("absent"), &BTreeMap::new()).is_err());
        let told = BTreeMap::from([("currency".to_owned(), "created_at".to_owned())]);
        let told = of_file(&path, Some("pay\"ments"), &told).unwrap();
        assert_eq!(told.rows.first().unwrap()["currency"], "2026-11-21 05:04:05");
        let ids = BTreeSet::from(["cs_2".to_owned()]);
        assert!(has(&path, &ids) && !has(&path, &BTreeSet::new()));
    }
}
