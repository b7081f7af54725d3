//! A table of somebody else's, read as of one instant and never written to: the ledger that a team keeps on a server.

use crate::domain::ledger_url::LedgerUrl;
use crate::store::postgres::{Args, PgError, Reading, Server};
use crate::store::{StoreError, Until};
use serde_json::{Map, Value};

/// The most rows that are read.
const ROWS_MAX: usize = 1_000_000;

/// The tables that may be read, `public` before the others, each with its columns. Pieces of a table are not one.
const TABLES: &str = r"
    SELECT space.nspname::text, class.relname::text, part.attname::text FROM pg_attribute AS part
    JOIN pg_class AS class ON class.oid = part.attrelid
    JOIN pg_namespace AS space ON space.oid = class.relnamespace
    WHERE class.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT class.relispartition
    AND part.attnum > 0 AND NOT part.attisdropped
    AND space.nspname <> 'information_schema' AND space.nspname NOT LIKE 'pg\_%'
    AND has_schema_privilege(space.oid, 'USAGE') AND has_table_privilege(class.oid, 'SELECT')
    ORDER BY space.nspname <> 'public', space.nspname, class.relname, part.attnum";

/// A table, by the schema that it stands in and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    schema: String,
    name: String,
    columns: Vec<String>,
}

impl Table {
    /// Whether `wanted` names it: alone, or behind its schema.
    fn is(&self, wanted: &str) -> bool {
        self.name == wanted || format!("{}.{}", self.schema, self.name) == wanted
    }

    /// Its name as SQL takes it, whatever is in it.
    fn quoted(&self) -> String {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// What a table has.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Its name.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows, as JSON has their values; instants are UTC.
    pub rows: Vec<Map<String, Value>>,
}

/// Which table is meant.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// Its name, where one is said.
    pub name: Option<&'w str>,
    /// How well columns fit, where none is said: the first of those that fit best is the one.
    pub fits: &'w (dyn Fn(&[String]) -> Option<usize> + Sync),
}

impl Wanted<'_> {
    fn find(&self, tables: Vec<Table>) -> Result<Table, Vec<String>> {
        let best = if let Some(name) = self.name {
            tables.iter().position(|it| it.is(name))
        } else {
            // Our own tables are nobody's who does not name them.
            let own = |it: &Table| it.schema.starts_with("stripegym");
            let fitting = tables.iter().enumerate().filter(|(_, it)| !own(it));
            let fitting = fitting.filter_map(|(at, it)| Some((at, (self.fits)(&it.columns)?)));
            fitting.rev().max_by_key(|(_, fit)| *fit).map(|(at, _)| at)
        };
        let mut tables = tables;
        let names = || tables.iter().take(20).map(|it| format!("{}.{}", it.schema, it.name));
        match best {
            Some(at) => Ok(tables.swap_remove(at)),
            None => Err(names().collect()),
        }
    }
}

/// Reads the table that is meant, or says which there are.
pub fn read(url: &LedgerUrl, wanted: Wanted<'_>) -> Result<Result<Read, Vec<String>>, StoreError> {
    let server = Server::new(url)?;
    let work = || {
        let reading = server.reading(&Until::default())?.at_one_instant()?;
        reading.run("SET LOCAL TimeZone = 'UTC'; SET LOCAL statement_timeout = 30000")?;
        let table = match wanted.find(tables(&reading)?) {
            Ok(table) => table,
            Err(there) => return Ok(Err(there)),
        };
        let sql = format!("SELECT row_to_json(one)::text FROM {} AS one", table.quoted());
        let mut rows = Vec::new();
        reading.each(&sql, Args::new(), |part| {
            for row in part {
                let text: &str = row.get(0)?;
                let read = serde_json::from_str(text);
                rows.push(read.map_err(|error| PgError::Odd(error.to_string()))?);
            }
            if rows.len() > ROWS_MAX {
                return Err(PgError::Odd(format!("more than {ROWS_MAX} rows")));
            }
            Ok(())
        })?;
        Ok(Ok(Read { table: table.name, columns: table.columns, rows }))
    };
    work().map_err(|error| server.explain(&error))
}

fn tables(reading: &Reading) -> Result<Vec<Table>, PgError> {
    let mut found: Vec<Table> = Vec::new();
    for row in reading.rows(TABLES, Args::new())? {
        let (schema, name, column): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        match found.last_mut() {
            Some(last) if last.schema == schema && last.name == name => last.columns.push(column),
            _ => found.push(Table { schema, name, columns: vec![column] }),
        }
    }
    Ok(found)
}

/// Nobody else writes to a table for as long as it lasts, and everybody reads. It ends with its connection, whatever
/// becomes of this process.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "what counts is its transaction")] Reading);

impl Held {
    /// Keeps everybody else from writing to the table that is meant; nothing where that cannot be.
    pub fn begin(url: &LedgerUrl, wanted: Wanted<'_>) -> Option<Self> {
        let server = Server::new(url).ok()?;
        let reading = server.reading(&Until::default()).ok()?.in_transaction().ok()?;
        let table = wanted.find(tables(&reading).ok()?).ok()?;
        let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", table.quoted());
        reading.run(&format!("SET LOCAL lock_timeout = 5000; {lock}")).ok()?;
        Some(Self(reading))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(schema: &str, name: &str, columns: &[&str]) -> Table {
        let columns = columns.iter().map(|it| (*it).to_owned()).collect();
        Table { schema: schema.to_owned(), name: name.to_owned(), columns }
    }

    fn all() -> Vec<Table> {
        vec![
            table("public", "customers", &["id", "name"]),
            table("public", "orders", &["sid", "amount"]),
            table("old", "orders", &["sid", "amount"]),
            table("stripegym", "ledger", &["sid", "amount", "currency"]),
        ]
    }

    #[test]
    fn the_table_that_fits_best_is_the_one_and_ours_only_where_it_is_named() {
        let fits =
            |columns: &[String]| columns.contains(&"sid".to_owned()).then_some(columns.len());
        let find = |name: Option<&str>| {
            let found = Wanted { name, fits: &fits }.find(all());
            found.map(|it| format!("{}.{}", it.schema, it.name))
        };
        assert_eq!(find(None).as_deref(), Ok("public.orders"));
        assert_eq!(find(Some("orders")).as_deref(), Ok("public.orders"));
        assert_eq!(find(Some("old.orders")).as_deref(), Ok("old.orders"));
        assert_eq!(find(Some("stripegym.ledger")).as_deref(), Ok("stripegym.ledger"));
        assert_eq!(find(Some("absent")).unwrap_err().len(), 4);
    }

    #[test]
    fn a_name_is_a_name_whatever_is_in_it() {
        let odd = table("a\"b", "x; DROP TABLE y", &[]);
        assert_eq!(odd.quoted(), "\"a\"\"b\".\"x; DROP TABLE y\"");
    }
}
