//! An application's file taken over by a server that has no row of it yet: every row as it stands there, in one
//! transaction, and each held to the file's again before any of it counts. Done again, it finds that it was done.

use crate::domain::ledger_url::LedgerUrl;
use crate::store::StoreError;
use crate::store::postgres::tables::PgTables;
use crate::store::tables::cell::{Cell, Found};
use crate::store::tables::{Layout, Within, sqlite};
use rusqlite::Connection;
use std::path::Path;

/// Rows that go to the server at once.
const AT_ONCE: usize = 200;

/// A table as the file has it.
struct Table {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    is_number: bool,
    /// Its place in the key, from 1; 0 for one that is not in it.
    in_key: i64,
}

/// A table that stands on the server as it does in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Takes a file over; every table that now stands on the server. `None` where the server has rows that are not the file's.
/// Ends once `stopped` says so, and is then as if it had not begun.
pub fn take_over(
    from: &Path,
    to: &LedgerUrl,
    layout: &'static Layout,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Vec<Moved>>, StoreError> {
    sqlite::alone(from, layout, |connection| {
        let file = File { connection, path: from, stopped };
        let (tables, server) = (file.tables()?, PgTables::open(to, layout)?);
        server.change_at_length(|to| file.move_to(to, &tables))
    })
}

struct File<'f> {
    connection: &'f Connection,
    path: &'f Path,
    stopped: &'f dyn Fn() -> bool,
}

impl File<'_> {
    /// Its tables, in the order in which they came to be: what rows refer to comes before them.
    fn tables(&self) -> Result<Vec<Table>, StoreError> {
        let of_file = Within::of_file(self.connection, self.path);
        let names = of_file.all(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
             ORDER BY rowid",
            &[],
            |row| row.get::<String>(0),
        )?;
        let table = |name: String| {
            let columns = of_file.all(
                "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid",
                &[(&name).into()],
                |row| {
                    let is_number = row.get::<String>(1)? == "INTEGER";
                    Ok(Column { name: row.get(0)?, is_number, in_key: row.get(2)? })
                },
            )?;
            Ok(Table { name, columns })
        };
        names.into_iter().map(table).collect()
    }

    /// Writes what the server lacks, and compares.
    fn move_to(&self, to: &Within<'_>, tables: &[Table]) -> Result<Option<Vec<Moved>>, StoreError> {
        let mut has_rows = false;
        for table in tables {
            let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
            has_rows |= to.first(&sql, &[], |_| Ok(()))?.is_some();
        }
        if !has_rows {
            for table in tables {
                self.each(table, |some| table.write(to, &some))?;
                table.number_on(to)?;
            }
        }
        let mut moved = Vec::with_capacity(tables.len());
        for table in tables {
            match self.compare(to, table)? {
                Some(rows) => moved.push(Moved { table: table.name.clone(), rows }),
                None if has_rows => return Ok(None),
                None => {
                    let what = format!("the rows of `{}` are not what the file has", table.name);
                    return Err(to.odd(what));
                }
            }
        }
        Ok(Some(moved))
    }

    /// The rows of a table, by its key, some at once.
    fn each(
        &self,
        table: &Table,
        mut each: impl FnMut(Vec<Vec<Cell>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        sqlite::each(self.connection, &table.select(), self.path, AT_ONCE, |some| {
            if (self.stopped)() {
                return Err(StoreError::Interrupted);
            }
            each(some.into_iter().map(|row| table.as_on_a_server(row)).collect())
        })
    }

    /// How many rows a table has here and there, all of them alike; `None` where one is not.
    fn compare(&self, to: &Within<'_>, table: &Table) -> Result<Option<u64>, StoreError> {
        to.run(
            &format!("DECLARE {} NO SCROLL CURSOR FOR {}", table.cursor(), table.select()),
            &[],
        )?;
        let fetch = format!("FETCH FORWARD {AT_ONCE} FROM {}", table.cursor());
        let (mut count, mut is_alike) = (0_u64, true);
        self.each(table, |here| {
            if is_alike {
                count = count.saturating_add(here.len() as u64);
                let there = to.rows(&fetch, &[])?;
                is_alike = there.into_iter().map(Found::into_cells).eq(here);
            }
            Ok(())
        })?;
        let is_all = is_alike && to.rows(&fetch, &[])?.is_empty();
        to.run(&format!("CLOSE {}", table.cursor()), &[])?;
        Ok(is_all.then_some(count))
    }
}

impl Table {
    fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|it| format!("\"{}\"", it.name)).collect();
        names.join(", ")
    }

    /// All rows in an order that both engines keep: texts of keys are compared by their bytes in either.
    fn select(&self) -> String {
        let mut key: Vec<&Column> = self.columns.iter().filter(|it| it.in_key > 0).collect();
        key.sort_by_key(|it| it.in_key);
        let key: Vec<String> = key.iter().map(|it| format!("\"{}\"", it.name)).collect();
        format!("SELECT {} FROM \"{}\" ORDER BY {}", self.names(), self.name, key.join(", "))
    }

    fn cursor(&self) -> String {
        format!("moved_{}", self.name)
    }

    /// A row as a server has it: nothing is of the kind of its column, and no text has a zero byte.
    fn as_on_a_server(&self, row: Found) -> Vec<Cell> {
        let cells = row.into_cells().into_iter().zip(&self.columns);
        let cell = |(cell, column): (Cell, &Column)| match cell {
            Cell::Text(None) if column.is_number => Cell::Whole(None),
            Cell::Text(Some(text)) => text.replace('\0', "\u{fffd}").into(),
            cell => cell,
        };
        cells.map(cell).collect()
    }

    fn write(&self, to: &Within<'_>, some: &[Vec<Cell>]) -> Result<(), StoreError> {
        let width = self.columns.len();
        let row = |at: usize| {
            let marks: Vec<String> =
                (1..=width).map(|column| format!("?{}", at * width + column)).collect();
            format!("({})", marks.join(", "))
        };
        let rows: Vec<String> = (0..some.len()).map(row).collect();
        let sql = format!(
            "INSERT INTO \"{}\" ({}) OVERRIDING SYSTEM VALUE VALUES {}",
            self.name,
            self.names(),
            rows.join(", ")
        );
        to.run(&sql, &some.concat()).map(drop)
    }

    /// Has the server go on numbering where the file stands.
    fn number_on(&self, to: &Within<'_>) -> Result<(), StoreError> {
        let numbered = to.first(
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = CAST(?1 AS TEXT) \
             AND is_identity = 'YES'",
            &[(&self.name).into()],
            |row| row.get::<String>(0),
        )?;
        let Some(column) = numbered else { return Ok(()) };
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{0}', '{column}'), max({column})) FROM {0}",
            self.name
        );
        to.rows(&sql, &[]).map(drop)
    }
}
