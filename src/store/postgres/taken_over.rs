//! A ledger's file taken over by a server that has none yet: every row as it stands there, with its number and its place in
//! its writer's chain, and each held to the file again before any of it counts.

use crate::domain::ledger_url::LedgerUrl;
use crate::store::pack::{Bodies, Packed};
use crate::store::postgres::copy::{self, OWN, WAIT_MS};
use crate::store::postgres::writer::begin;
use crate::store::postgres::{AT_ONCE, Args, PgError, PgLedger, Reading, line};
use crate::store::rebuild::FOLLOWING;
use crate::store::{StoreError, Until, schema};
use rusqlite::types::Value;
use rusqlite::{Connection, Rows, TransactionBehavior};
use std::path::Path;
use tokio_postgres::types::ToSql;

/// A table with its columns and by which of them its rows are sorted.
struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    order: String,
}

/// Every table of a ledger.
fn tables() -> Vec<Table> {
    let split = |columns: &'static str| columns.split(',').map(str::trim).collect();
    let own = OWN.into_iter().map(|(name, columns, order)| (name, columns, order.to_owned()));
    let following = FOLLOWING.iter().map(|one| {
        let key: Vec<String> = (1..=one.key).map(|at| at.to_string()).collect();
        (one.name, one.columns, key.join(", "))
    });
    let table = |(name, columns, order)| Table { name, columns: split(columns), order };
    own.chain(following).map(table).collect()
}

/// What a column holds, by its name, which means the same in every table.
fn kind(column: &str) -> &'static str {
    match column {
        "seq" | "created" | "received" | "signed" | "writer" | "place" | "pack" | "number"
        | "value" | "amount" | "refunded" | "updated" | "at" | "line" | "entry" | "takes_back" => {
            "bigint"
        }
        "body" | "hash" | "seal" => "bytea",
        "livemode" => "boolean",
        _ => "text",
    }
}

/// The values of a column, of some rows.
fn column(kind: &str, values: Vec<Value>) -> Result<Box<dyn ToSql + Send + Sync>, PgError> {
    fn each<T>(
        values: Vec<Value>,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<Option<T>>, PgError> {
        let odd = || PgError::Odd("a value is of another type than its column".to_owned());
        let one = |value| match value {
            Value::Null => Ok(None),
            value => read(value).map(Some).ok_or_else(odd),
        };
        values.into_iter().map(one).collect()
    }
    let number = |value: Value| if let Value::Integer(it) = value { Some(it) } else { None };
    Ok(match kind {
        "bigint" => Box::new(each(values, number)?),
        "boolean" => Box::new(each(values, |value| number(value).map(|it| it != 0))?),
        "bytea" => {
            Box::new(each(values, |it| if let Value::Blob(it) = it { Some(it) } else { None })?)
        }
        _ => Box::new(each(values, |it| if let Value::Text(it) = it { Some(it) } else { None })?),
    })
}

/// A row of the file; the body of a line is the bytes that came.
fn next(
    rows: &mut Rows<'_>,
    table: &Table,
    bodies: &mut Bodies<'_>,
) -> Result<Option<Vec<Value>>, PgError> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut values = Vec::with_capacity(table.columns.len());
    for at in 0..table.columns.len() {
        values.push(row.get::<_, Value>(at)?);
    }
    if table.name == "events" {
        let place = |name: &str| table.columns.iter().position(|it| *it == name).unwrap_or(0);
        let (body, pack) = (place("body"), place("pack"));
        let whole = bodies.of(row.get(0)?, row.get(body)?, row.get(pack)?)?;
        if let Some(value) = values.get_mut(body) {
            *value = Value::Blob(whole);
        }
        if let Some(value) = values.get_mut(pack) {
            *value = Value::Null;
        }
    }
    Ok(Some(values))
}

fn select(table: &Table, schema: &str) -> String {
    format!(
        "SELECT {} FROM {schema}{} ORDER BY {}",
        table.columns.join(", "),
        table.name,
        table.order
    )
}

/// Writes all rows of a table; how many there were.
fn fill(reading: &Reading, file: &Connection, table: &Table) -> Result<u64, PgError> {
    let marks: Vec<String> = table
        .columns
        .iter()
        .zip(1..)
        .map(|(name, at)| format!("${at}::{}[]", kind(name)))
        .collect();
    let insert = format!(
        "INSERT INTO stripegym.{} ({}) SELECT * FROM unnest({})",
        table.name,
        table.columns.join(", "),
        marks.join(", ")
    );
    let mut statement = file.prepare(&select(table, ""))?;
    let mut rows = statement.query([])?;
    let mut bodies = Bodies::new(file);
    let mut count = 0;
    loop {
        let mut columns: Vec<Vec<Value>> = vec![Vec::new(); table.columns.len()];
        let mut some = 0;
        while some < AT_ONCE {
            let Some(mut row) = next(&mut rows, table, &mut bodies)? else { break };
            if table.name == "events" {
                pack(table, &mut row)?;
            }
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            some += 1;
        }
        if some == 0 {
            return Ok(count);
        }
        let args: Args = columns
            .into_iter()
            .zip(&table.columns)
            .map(|(values, name)| column(kind(name), values))
            .collect::<Result<_, _>>()?;
        reading.rows(&insert, args)?;
        count += some as u64;
    }
}

/// Puts the body of a line as it is kept.
fn pack(table: &Table, row: &mut [Value]) -> Result<(), PgError> {
    let odd = |error: crate::store::pack::PackError| PgError::Odd(error.to_string());
    let mut packed = Value::Null;
    for (value, name) in row.iter_mut().zip(&table.columns) {
        if *name == "body"
            && let Value::Blob(whole) = value
        {
            let kept = Packed::new(whole).map_err(odd)?;
            let (bytes, number) = kept.columns(whole);
            packed = number.map_or(Value::Null, Value::Integer);
            *value = Value::Blob(bytes.to_vec());
        } else if *name == "pack" {
            *value = std::mem::replace(&mut packed, Value::Null);
        }
    }
    Ok(())
}

/// Holds all rows of a table to the file's.
fn check(reading: &Reading, file: &Connection, table: &Table) -> Result<(), PgError> {
    let mut statement = file.prepare(&select(table, ""))?;
    let mut rows = statement.query([])?;
    let mut bodies = Bodies::new(file);
    let differs =
        || PgError::Odd(format!("the rows of `{}` are not what the file has", table.name));
    reading.each(&select(table, "stripegym."), Vec::new(), |some| {
        for row in &some {
            let mut stands = copy::values(row)?;
            let place = |name: &str| table.columns.iter().position(|it| *it == name);
            if let ("events", Some(body), Some(pack)) = (table.name, place("body"), place("pack")) {
                let whole = Value::Blob(line::body(row, body, pack)?);
                for (at, value) in [(body, whole), (pack, Value::Null)] {
                    if let Some(stands) = stands.get_mut(at) {
                        *stands = value;
                    }
                }
            }
            if next(&mut rows, table, &mut bodies)?.as_ref() != Some(&stands) {
                return Err(differs());
            }
        }
        Ok(())
    })?;
    if next(&mut rows, table, &mut bodies)?.is_some() { Err(differs()) } else { Ok(()) }
}

/// Whether the ledger was taken over; it is not where the server has one that is not empty.
pub fn take_over(from: &Path, url: &LedgerUrl, until: &Until) -> Result<bool, StoreError> {
    let mut file = schema::open(from)?;
    let of_file = |error: rusqlite::Error| schema::explain(from, &error);
    until.watch(&mut file).map_err(of_file)?;
    let to = PgLedger::open(url)?.until(until.clone());
    let snapshot =
        file.transaction_with_behavior(TransactionBehavior::Deferred).map_err(of_file)?;
    let work = || {
        let mut reading = to.server.reading(until)?;
        // Whatever ends this before its end ends the transaction with it.
        reading.within = true;
        reading.run(&begin(WAIT_MS))?;
        let there = reading.one("SELECT EXISTS (SELECT 1 FROM stripegym.events)", Vec::new())?;
        if there.get(0)? {
            return Ok(false);
        }
        let number: i64 = schema::id(&snapshot)?;
        let sql = "UPDATE stripegym.about SET value = $1 WHERE name = 'number'";
        reading.rows(sql, vec![Box::new(number)])?;
        let tables = tables();
        for table in &tables {
            fill(&reading, &snapshot, table)?;
        }
        for table in &tables {
            check(&reading, &snapshot, table)?;
        }
        reading.run("COMMIT")?;
        reading.within = false;
        Ok(true)
    };
    work().map_err(|error| to.server.explain(&error))
}
