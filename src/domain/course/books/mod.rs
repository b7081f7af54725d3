//! A learner's ledger in whatever form it comes (JSON, CSV, an HTML table, rows of a database) as rows with the
//! columns that lessons speak of. Pure.
//!
//! It is generous about names and forms and strict about values: an amount that is no whole number of minor
//! units stays the text that it was, so that a check fails for the right reason.

pub mod csv;
pub mod html;

use crate::domain::course::known;
use crate::domain::entry::EntryStatus;
use crate::domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// From here on a number of seconds is one of milliseconds.
const SECONDS_MAX: i64 = 100_000_000_000;

/// A ledger as lessons see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// How many rows it has, of which `rows` may be the newest only.
    pub count: u64,
    /// Its rows.
    pub rows: Vec<Map<String, Value>>,
    /// The columns that it really has, where they can be told.
    pub others: Vec<String>,
}

impl Books {
    /// As JSON: `count` and `rows`.
    pub fn json(mut self) -> Value {
        // In which order an application tells its rows says nothing.
        self.rows.sort_by_cached_key(|row| Value::Object(row.clone()).to_string());
        json!({ "count": self.count, "rows": self.rows, "others": self.others })
    }
}

/// What of a text is not a ledger: the first thing that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BooksError {
    /// It is empty.
    Nothing,
    /// It is no JSON from here on.
    Json(String),
    /// It has no rows: no array, no table.
    NoRows,
    /// No column is known to hold the session; these are there.
    NoSession(Vec<String>),
    /// A row, counted from 1, is not one.
    Row(usize),
}

impl BooksError {
    /// In one line, without words of any language where possible.
    pub fn line(&self) -> String {
        match self {
            Self::Nothing => "∅".to_owned(),
            Self::Json(what) => format!("JSON: {what}"),
            Self::NoRows => "[…] | {\"rows\": […]} | {\"data\": […]} | CSV | <table>: –".to_owned(),
            Self::NoSession(columns) => format!("session_id: – ({})", columns.join(", ")),
            Self::Row(at) => format!("row {at}"),
        }
    }
}

/// Reads a ledger, telling its form by how it begins.
pub fn read(text: &str) -> Result<Books, BooksError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.chars().next() {
        None => Err(BooksError::Nothing),
        Some('{' | '[') => of_json(text),
        Some('<') => of_tables(&html::tables(text)),
        Some(_) => of_tables(&[csv::records(text)]),
    }
}

fn of_json(text: &str) -> Result<Books, BooksError> {
    let whole: Value = match serde_json::from_str(text) {
        Ok(whole) => whole,
        Err(error) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let each: Result<Vec<Value>, _> = lines.map(serde_json::from_str).collect();
            each.map(Value::Array).map_err(|_| BooksError::Json(error.to_string()))?
        }
    };
    let found = known::words("rows").iter().find_map(|name| whole.get(name)?.as_array());
    let rows = whole.as_array().or(found).ok_or(BooksError::NoRows)?;
    let mut books = Books::default();
    let names = rows.first().and_then(Value::as_object).into_iter().flatten();
    books.others = names.map(|(name, _)| name.clone()).collect();
    for (at, row) in rows.iter().enumerate() {
        books.rows.push(of_row(row.as_object().ok_or(BooksError::Row(at + 1))?)?);
    }
    let totals = whole.get("totals").and_then(Value::as_array);
    let all = totals.map(|it| it.iter().filter_map(|one| one.get("rows")?.as_u64()).sum::<u64>());
    let shown = u64::try_from(books.rows.len()).unwrap_or(u64::MAX);
    books.count = all.unwrap_or(shown);
    Ok(books)
}

/// Reads the first of several tables that has a session in it; the first record of each is its head.
fn of_tables(tables: &[Vec<Vec<String>>]) -> Result<Books, BooksError> {
    let mut first_fault = None;
    for table in tables.iter().filter(|table| !table.is_empty()) {
        match of_table(table) {
            Ok(books) => return Ok(books),
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    }
    Err(first_fault.unwrap_or(BooksError::NoRows))
}

fn of_table(table: &[Vec<String>]) -> Result<Books, BooksError> {
    let Some((head, records)) = table.split_first() else { return Err(BooksError::NoRows) };
    if records.is_empty() && !head.iter().any(|name| column(name) == Some("session_id")) {
        return Err(BooksError::NoSession(head.clone()));
    }
    let mut books = Books { others: head.clone(), ..Books::default() };
    for record in records.iter().filter(|record| record.iter().any(|cell| !cell.is_empty())) {
        let cells = head.iter().zip(record).map(|(name, cell)| (name.clone(), of_cell(cell)));
        books.rows.push(of_row(&cells.collect())?);
    }
    books.count = u64::try_from(books.rows.len()).unwrap_or(u64::MAX);
    Ok(books)
}

/// A cell has no type: a whole number is one.
fn of_cell(cell: &str) -> Value {
    let cell = cell.trim();
    let plain = cell == "0" || !cell.trim_start_matches('-').starts_with('0');
    match cell.parse::<i64>() {
        Ok(number) if plain && !cell.starts_with('+') => json!(number),
        _ if cell.is_empty() || cell.eq_ignore_ascii_case("null") => Value::Null,
        _ => json!(cell),
    }
}

/// A row with the columns of lessons; what else it has is left out.
pub fn of_row(row: &Map<String, Value>) -> Result<Map<String, Value>, BooksError> {
    let mut found = Map::new();
    for (name, _) in known::groups("columns") {
        let value = match name {
            "session_id" => Some(session(row)?),
            "status" => status(row),
            "created" | "updated" => named(row, name).next().map(instant),
            "amount" => named(row, name).next().map(amount),
            _ => named(row, name).next().cloned(),
        };
        if let Some(value) = value {
            found.insert(name.to_owned(), value);
        }
    }
    Ok(found)
}

/// How many columns of lessons some names stand for; `None` where the session is not among them.
pub fn known(names: &[String]) -> Option<usize> {
    let columns: Vec<&str> = names.iter().filter_map(|name| column(name)).collect();
    let id = names.iter().any(|name| plain(name) == "id");
    (columns.contains(&"session_id") || (id && columns.len() > 1)).then_some(columns.len())
}

/// Whether a name is that of a column of lessons.
pub fn is_column(name: &str) -> bool {
    known::groups("columns").any(|(column, _)| column == name)
}

/// The column of lessons that a name stands for.
fn column(name: &str) -> Option<&'static str> {
    let name = plain(name);
    let mut all = known::groups("columns");
    all.find(|(column, others)| *column == name || others.contains(&name)).map(|(column, _)| column)
}

/// A name in small letters, its words joined by `_`: `Session ID`, `sessionId` and `session-id` are one.
fn plain(name: &str) -> String {
    let mut out = String::new();
    let mut small = false;
    for c in name.trim().chars() {
        if c.is_ascii_uppercase() && small {
            out.push('_');
        }
        small = c.is_ascii_lowercase();
        let c = if matches!(c, ' ' | '-' | '.') { '_' } else { c };
        out.extend(c.to_lowercase());
    }
    out
}

/// The values of a column, the one under its own name first.
fn named<'r>(row: &'r Map<String, Value>, wanted: &str) -> impl Iterator<Item = &'r Value> {
    let mut found: Vec<(usize, &Value)> = row
        .iter()
        .filter(|(name, _)| column(name) == Some(wanted))
        .map(|(name, value)| (rank(wanted, &plain(name)), value))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, value)| value)
}

fn rank(wanted: &str, name: &str) -> usize {
    let others = known::groups("columns").find(|(column, _)| *column == wanted);
    let at = others.and_then(|(_, others)| others.iter().position(|other| other == name));
    at.map_or(0, |at| at + 1)
}

/// The session: by its column, by an `id` that is one, or whatever looks like one.
fn session(row: &Map<String, Value>) -> Result<Value, BooksError> {
    let is = |value: &&Value| value.as_str().is_some_and(|text| text.starts_with("cs_"));
    let by_name = named(row, "session_id").next();
    let by_id = row.iter().find(|(name, _)| plain(name) == "id").map(|(_, id)| id).filter(is);
    let found = by_name.or(by_id).or_else(|| row.values().find(is));
    found.cloned().ok_or_else(|| BooksError::NoSession(row.keys().cloned().collect()))
}

/// The status: the first that is one of ours, else the first at all.
fn status(row: &Map<String, Value>) -> Option<Value> {
    let all: Vec<&Value> = named(row, "status").collect();
    let ours =
        |value: &&&Value| value.as_str().is_some_and(|text| EntryStatus::read(text).is_some());
    all.iter().find(ours).or(all.first()).map(|value| (*value).clone())
}

/// A whole number stays one; one with a point stays the text that it was.
fn amount(value: &Value) -> Value {
    match value {
        Value::Number(number) if !number.is_i64() => json!(number.to_string()),
        other => other.clone(),
    }
}

/// Unix seconds of what can be read as an instant; a text without a zone is UTC. Anything else stays a text.
fn instant(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(seconds) if seconds.abs() < SECONDS_MAX => value.clone(),
            _ => json!(number.to_string()),
        },
        Value::String(text) => match (text.trim().parse::<i64>(), Timestamp::read(text)) {
            (Ok(seconds), _) if seconds.abs() < SECONDS_MAX => json!(seconds),
            (_, Some(at)) => json!(at.0),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<Value> {
        read(text).unwrap().rows.into_iter().map(Value::Object).collect()
    }

    const WANTED: &str = r#"{"session_id": "cs_test_1", "amount": 500, "currency": "jpy", "status": "paid", "created": 1795237445, "event_id": "evt_1"}"#;

    #[test]
    fn one_ledger_in_every_form_is_the_same() {
        let wanted: Value = serde_json::from_str(WANTED).unwrap();
        for text in [
            format!("[{WANTED}]"),
            format!("{{\"rows\": [{WANTED}]}}"),
            format!("{{\"object\": \"list\", \"data\": [{WANTED}]}}"),
            format!("{WANTED}\n"),
            r#"[{"id": "cs_test_1", "amountTotal": 500, "Currency": "jpy", "paymentStatus": "paid",
                 "status": "complete", "createdAt": "2026-11-21T05:04:05Z", "eventId": "evt_1"}]"#
                .to_owned(),
            "\u{feff}Checkout Session ID,amount,currency,payment_status,created_at,event_id,note\r\n\
             cs_test_1,500,jpy,paid,2026-11-21 05:04:05,evt_1,\"a, b\"\r\n"
                .to_owned(),
            "<!DOCTYPE html><table><tr><td>menu</td></tr></table><table class=x><thead><tr><th>セッションID\
             <th>金額<th>通貨<th>状態<th>日時<th>イベントID</thead><tbody><tr><td><code>cs_test_1</code></td>\
             <td>500<td>jpy<td><b>paid</b><td>2026-11-21T14:04:05+09:00<td>evt_1</tbody></table>"
                .to_owned(),
        ] {
            // One object alone on a line is a ledger of one row as lines of JSON have it.
            let text = if text.starts_with("{\"session") { format!("{text}{text}") } else { text };
            assert_eq!(rows(&text).first(), Some(&wanted), "{text}");
        }
    }

    #[test]
    fn an_amount_that_is_no_whole_number_stays_a_text() {
        let amount = |text: &str| rows(text).first().unwrap()["amount"].clone();
        assert_eq!(amount(r#"[{"session_id": "cs_1", "amount": 5.0}]"#), json!("5.0"));
        assert_eq!(amount(r#"[{"session_id": "cs_1", "amount": "500"}]"#), json!("500"));
        assert_eq!(amount("session_id,amount\ncs_1,5.00"), json!("5.00"));
        assert_eq!(amount("session_id,amount\ncs_1,¥500"), json!("¥500"));
        assert_eq!(amount("session_id,amount\ncs_1,\"1,000\""), json!("1,000"));
        assert_eq!(amount("session_id,amount\ncs_1,0"), json!(0));
    }

    #[test]
    fn the_first_thing_that_cannot_be_read_is_named() {
        assert_eq!(read("  "), Err(BooksError::Nothing));
        assert!(matches!(read("{\"rows\": [}"), Err(BooksError::Json(_))));
        assert_eq!(read("{\"total\": 1}"), Err(BooksError::NoRows));
        assert_eq!(read("[3]"), Err(BooksError::Row(1)));
        assert_eq!(read("<h1>Hello</h1>"), Err(BooksError::NoRows));
        let columns = vec!["name".to_owned(), "price".to_owned()];
        assert_eq!(read("name,price\nTea,5"), Err(BooksError::NoSession(columns)));
        assert_eq!(read("[]"), Ok(Books::default()));
        let others = vec!["session_id".to_owned(), "amount".to_owned()];
        assert_eq!(read("session_id,amount\n"), Ok(Books { others, ..Books::default() }));
    }

    #[test]
    fn instants_are_unix_seconds_and_milliseconds_are_not() {
        let of = |value: Value| instant(&value);
        assert_eq!(of(json!(1_795_237_445)), json!(1_795_237_445));
        assert_eq!(of(json!("2026-11-21T05:04:05.678Z")), json!(1_795_237_445));
        assert_eq!(of(json!(1_795_237_445_678_i64)), json!("1795237445678"));
        assert_eq!(of(json!("yesterday")), json!("yesterday"));
        assert_eq!(of(Value::Null), Value::Null);
    }

    #[test]
    fn the_table_of_a_database_is_known_by_its_columns() {
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(known(&names(&["session_id", "amount", "x"])), Some(2));
        assert_eq!(known(&names(&["id", "amount", "currency"])), Some(2));
        assert_eq!(known(&names(&["id", "name"])), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_ledger_or_names_what_it_is_not(text in "[\\PC\n\"<>,{}\\[\\]]{0,200}") {
            if let Err(unread) = read(&text) {
                prop_assert!(!unread.line().is_empty());
            }
        }

        #[test]
        fn csv_and_json_of_the_same_rows_are_one_ledger(
            rows in proptest::collection::vec(("cs_test_[a-zA-Z0-9]{8}", 0..99_999_999_i64, "[a-z,\" ]{0,9}"), 0..6)
        ) {
            let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let line = |(id, amount, note): &(String, i64, String)| format!("{id},{amount},{}\n", quote(note));
            let csv: String = rows.iter().map(line).collect();
            let json: Vec<Value> =
                rows.iter().map(|(id, amount, note)| json!({"session_id": id, "amount": amount, "note": note})).collect();
            let rows = |text: &str| read(text).map(|books| (books.count, books.rows));
            prop_assert_eq!(rows(&format!("session_id,amount,note\n{csv}")), rows(&json!(json).to_string()));
        }
    }
}
