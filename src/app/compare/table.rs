//! Files as rows: separated values, JSON lines, tables of SQLite.

use crate::app::compare::decode;
use crate::app::compare::progress::{Counted, Part};
use crate::app::compare::source::Source;
use crate::domain::reconcile::columns::{Columns, Map, Odd, plain};
use crate::domain::reconcile::row::Row;
use memchr::{memchr_iter, memchr2};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many lines may stand before the names of the columns, as banks have them.
const PREAMBLE_MAX: usize = 30;

/// Why a file cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line of it cannot be read.
    #[error("line {line}: {odd}")]
    Line {
        /// Which.
        line: u64,
        /// Why.
        odd: Odd,
    },
    /// It is not of its kind.
    #[error("{0}")]
    Form(String),
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The encoding, where there are several.
    pub encoding: Option<&'static str>,
    /// How many bytes there are up to the end of the columns' names.
    pub head: u64,
}

impl Told {
    const NOTHING: Self = Self { encoding: None, head: 0 };

    /// Whether its bytes were read as they are.
    pub fn is_plain(&self) -> bool {
        self.encoding.is_none_or(|encoding| encoding == "UTF-8")
    }
}

/// Gives every row of a file to `each`.
pub fn read(
    source: &Source,
    map: &Map,
    part: &Arc<Part>,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<Told, TableError> {
    let open = |path: &Path| -> io::Result<Counted<File>> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Counted::new(file, bytes, part))
    };
    match source {
        Source::Csv(path) => csv(open(path)?, map, each),
        Source::Jsonl(path) => jsonl(open(path)?, map, each),
        Source::Sqlite(path, table) => {
            sqlite(path, table.as_deref(), map, part, each)?;
            Ok(Told::NOTHING)
        }
        Source::Ledger | Source::Provider => Ok(Told::NOTHING),
    }
}

/// Gives every row of separated values to `each`, whatever encoding and separator they have.
pub fn csv(
    file: impl Read + 'static,
    map: &Map,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<Told, TableError> {
    let (file, encoding) = decode::open(file, map.encoding.as_deref())?;
    let head = separated(file, map, each)?;
    Ok(Told { encoding: Some(encoding), head })
}

/// Gives every row of JSON lines to `each`.
pub fn jsonl(
    file: impl Read,
    map: &Map,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<Told, TableError> {
    lines(BufReader::new(file), map, each)?;
    Ok(Told::NOTHING)
}

fn separated(
    file: Box<dyn Read>,
    map: &Map,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<u64, TableError> {
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let (mut line, mut bytes) = (0_u64, 0_u64);
    let mut odd = Odd::Lacks("amount");
    let mut head = Vec::new();
    let found = loop {
        head.clear();
        if line > PREAMBLE_MAX as u64 || file.read_until(b'\n', &mut head)? == 0 {
            // The first that looked like names says what is lacking.
            return Err(TableError::Line { line: line.max(1), odd });
        }
        line += 1;
        bytes += head.len() as u64;
        let text = std::str::from_utf8(&head).map_err(|_| {
            TableError::Form(format!("line {line} is not UTF-8; say --map encoding=NAME"))
        })?;
        let delimiter = delimiter(text);
        let names = names(text, delimiter)?;
        if names.len() < 2 {
            continue;
        }
        match Columns::of(names.iter().map(String::as_str), map) {
            Ok(columns) => break (columns, delimiter),
            Err(why) if line == 1 || matches!(odd, Odd::Lacks("amount")) => odd = why,
            Err(_) => {}
        }
    };
    let (columns, delimiter) = found;
    // What quotes nothing is cut where the signs stand; from the first line that does on, as CSV has it.
    let quoted = cut(&mut file, delimiter, &mut line, &columns, each)?;
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(quoted.chain(file));
    let mut record = csv::StringRecord::new();
    let broken = |error: csv::Error| TableError::Form(error.to_string());
    while rows.read_record(&mut record).map_err(broken)? {
        let cell = |at: usize| Cow::Borrowed(record.get(at).unwrap_or_default());
        let row = columns.row(cell).map_err(|odd| {
            let at = record.position().map_or(0, csv::Position::line);
            TableError::Line { line: line + at, odd }
        })?;
        if let Some(row) = row {
            each(row)?;
        }
    }
    Ok(bytes)
}

/// Gives the rows of lines that quote nothing to `each`, and counts them; the first line that is not so, or nothing.
fn cut(
    file: &mut impl BufRead,
    delimiter: u8,
    line: &mut u64,
    columns: &Columns,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<io::Cursor<Vec<u8>>, TableError> {
    let mut bytes = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    loop {
        bytes.clear();
        if file.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(io::Cursor::new(bytes));
        }
        let all = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let all = all.strip_suffix(b"\r").unwrap_or(all);
        let text = std::str::from_utf8(all);
        let Some(text) = text.ok().filter(|it| memchr2(b'"', b'\r', it.as_bytes()).is_none())
        else {
            return Ok(io::Cursor::new(bytes));
        };
        *line += 1;
        if text.is_empty() {
            continue;
        }
        ends.clear();
        ends.extend(memchr_iter(delimiter, text.as_bytes()));
        ends.push(text.len());
        let cell = |at: usize| {
            let from = at.checked_sub(1).and_then(|at| ends.get(at)).map_or(0, |end| end + 1);
            Cow::Borrowed(ends.get(at).and_then(|to| text.get(from..*to)).unwrap_or_default())
        };
        let row = columns.row(cell).map_err(|odd| TableError::Line { line: *line, odd })?;
        if let Some(row) = row {
            each(row)?;
        }
    }
}

/// The sign that stands most often between the names.
fn delimiter(line: &str) -> u8 {
    let line = line.trim_end();
    if let Some(sign) = line.strip_prefix("sep=").and_then(|rest| rest.bytes().next()) {
        return sign;
    }
    let count = |sign: u8| line.bytes().filter(|byte| *byte == sign).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|sign| (count(*sign), *sign == b',')).unwrap_or(b',')
}

fn names(line: &str, delimiter: u8) -> Result<Vec<String>, TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(line.as_bytes());
    match reader.records().next() {
        Some(Ok(record)) => Ok(record.iter().map(str::to_owned).collect()),
        Some(Err(error)) => Err(TableError::Form(error.to_string())),
        None => Ok(Vec::new()),
    }
}

fn lines(
    mut file: impl BufRead,
    map: &Map,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), TableError> {
    let mut text = Vec::new();
    let mut line = 0_u64;
    let mut known: Option<(Vec<String>, Columns)> = None;
    loop {
        text.clear();
        if file.read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
        line += 1;
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let form = |error: serde_json::Error| TableError::Form(format!("line {line}: {error}"));
        let object: Value = serde_json::from_slice(&text).map_err(form)?;
        let Value::Object(object) = object else {
            return Err(TableError::Form(format!("line {line} is no object")));
        };
        let same = known.as_ref().is_some_and(|(names, _)| {
            names.len() == object.len() && names.iter().zip(object.keys()).all(|(a, b)| a == b)
        });
        if !same {
            let names: Vec<String> = object.keys().cloned().collect();
            let columns = Columns::of(names.iter().map(String::as_str), map);
            known = Some((names, columns.map_err(|odd| TableError::Line { line, odd })?));
        }
        let Some((_, columns)) = &known else { continue };
        let values: Vec<&Value> = object.values().collect();
        let cell = |at: usize| values.get(at).map_or(Cow::Borrowed(""), |value| shown(value));
        if let Some(row) = columns.row(cell).map_err(|odd| TableError::Line { line, odd })? {
            each(row)?;
        }
    }
}

/// A value as a cell; of an object that stands in its place, its id.
fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Object(object) => {
            Cow::Borrowed(object.get("id").and_then(Value::as_str).unwrap_or_default())
        }
        other => Cow::Owned(other.to_string()),
    }
}

fn sqlite(
    path: &Path,
    table: Option<&str>,
    map: &Map,
    part: &Part,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), TableError> {
    let form = |error: rusqlite::Error| TableError::Form(error.to_string());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(form)?;
    let table = if let Some(table) = table { table.to_owned() } else { only_table(&connection)? };
    let quoted = table.replace('"', "\"\"");
    let count = format!("SELECT COUNT(*) FROM \"{quoted}\"");
    let all: i64 = connection.query_row(&count, [], |row| row.get(0)).map_err(form)?;
    part.expect(u64::try_from(all).unwrap_or(0));
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{quoted}\"")).map_err(form)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let columns = Columns::of(names.iter().map(String::as_str), map);
    let columns = columns.map_err(|odd| TableError::Line { line: 0, odd })?;
    let mut rows = statement.query([]).map_err(form)?;
    let mut line = 0_u64;
    while let Some(row) = rows.next().map_err(form)? {
        line += 1;
        part.done.fetch_add(1, Ordering::Relaxed);
        let cell = |at: usize| match row.get_ref(at) {
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text),
            Ok(ValueRef::Integer(number)) => Cow::Owned(number.to_string()),
            Ok(ValueRef::Real(number)) => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(""),
        };
        if let Some(row) = columns.row(cell).map_err(|odd| TableError::Line { line, odd })? {
            each(row)?;
        }
    }
    Ok(())
}

fn only_table(connection: &Connection) -> Result<String, TableError> {
    let form = |error: rusqlite::Error| TableError::Form(error.to_string());
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(sql).map_err(form)?;
    let names = statement.query_map([], |row| row.get(0)).map_err(form)?;
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(form)?;
    match names.as_slice() {
        [only] => Ok(only.clone()),
        // The row of a session each, as the course has it.
        several if several.iter().any(|name| plain(name) == "ledger") => Ok("ledger".to_owned()),
        several => {
            Err(TableError::Form(format!("name one of its tables with #: {}", several.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reconcile::row::Key;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn rows(bytes: &[u8], map: &Map) -> Result<Vec<Row>, TableError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("side.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut found = Vec::new();
        read(&Source::Csv(path), map, &Arc::default(), &mut |row| {
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn a_bank_s_file_is_read_with_its_preamble_and_its_encoding() {
        let text = "みどり銀行 入出金明細\r\n口座,1234567\r\n日付;お預り金額;お取引内容;注文番号\r\n\
                    2026/1/5;\"１，２００\";カ）ストア;A-7\r\n;;合計;\r\n";
        let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        let found = rows(&bytes, &Map::default()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].amount, found[0].key(Key::Reference)), (1_200, Some("A-7")));
        let excel =
            rows(b"\xEF\xBB\xBFsep=;\r\nid;amount;currency\r\nch_1;500;jpy\r\n", &Map::default());
        assert_eq!(excel.unwrap()[0].key(Key::Charge), Some("ch_1"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn lines_without_quotes_are_read_as_lines_with_quotes_are(
            lines in prop::collection::vec(("(|pi_[0-9]|ch_1|é|[ a-z]{0,4})", 0..3_i64, 0..4_usize), 0..12),
            ended in any::<bool>(),
        ) {
            let mut texts = [(); 2].map(|()| "id,amount,currency,reference\n".to_owned());
            for (id, amount, end) in &lines {
                let end = ["\n", "\r\n", "\n\n", "\n"][*end];
                for (text, sign) in texts.iter_mut().zip(["", "\""]) {
                    let more = if *amount == 2 { ",x" } else { "" };
                    write!(text, "{sign}{id}{sign},{amount},jpy,{id}{more}{end}").unwrap();
                }
            }
            if !ended {
                for text in &mut texts {
                    text.truncate(text.trim_end().len());
                }
            }
            let [plain, quoted] = texts.map(|text| rows(text.as_bytes(), &Map::default()).unwrap());
            prop_assert_eq!(plain, quoted);
        }
    }

    #[test]
    fn a_quote_anywhere_is_one_and_its_line_is_still_told() {
        let head = "id,amount,currency\n";
        let text = format!("{head}ch_1,1,jpy\n\"ch_2\n, 2\",2,jpy\nch_3,3,jpy\n");
        let found = rows(text.as_bytes(), &Map::default()).unwrap();
        let ids: Vec<&str> = found.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["ch_1", "ch_2\n, 2", "ch_3"]);
        let error = rows(format!("{text}ch_4,x,jpy\n").as_bytes(), &Map::default()).unwrap_err();
        assert_eq!(error.to_string(), "line 6: `x` is no amount");
        let mut said = Map::default();
        assert!(said.add("encoding", "utf-8"));
        let error = rows(b"id,amount,currency\na,1,jpy\nb,2,jpy\nc\xFF,3,jpy\n", &said);
        assert!(error.unwrap_err().to_string().to_lowercase().contains("utf-8"));
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        let error = rows(b"id,amount,currency\nch_1,500,jpy\nch_2,5.00,usd\n", &Map::default());
        assert_eq!(error.unwrap_err().to_string(), "line 3: `5.00` is no amount");
        let error = rows(b"id,price\nch_1,500\n", &Map::default()).unwrap_err();
        assert_eq!(error.to_string(), "line 2: no column is `amount`");
    }

    #[test]
    fn json_lines_and_tables_of_sqlite_give_the_same_rows() {
        let folder = tempfile::tempdir().unwrap();
        let (lines, file) = (folder.path().join("a.jsonl"), folder.path().join("a.db"));
        std::fs::write(&lines, "{\"id\":\"ch_1\",\"payment_intent\":{\"id\":\"pi_1\"},\"amount\":500,\
            \"currency\":\"jpy\",\"status\":\"succeeded\",\"amount_refunded\":0,\"created\":9,\"livemode\":false}\n\n").unwrap();
        let made = Connection::open(&file).unwrap();
        made.execute_batch("CREATE TABLE charges (id, payment_intent, amount, currency, status, amount_refunded, created, livemode); \
            INSERT INTO charges VALUES ('ch_1', 'pi_1', 500, 'jpy', 'succeeded', 0, 9, 0)").unwrap();
        let all = |source: &Source| {
            let mut found = Vec::new();
            read(source, &Map::default(), &Arc::default(), &mut |row| {
                found.push(row);
                Ok(())
            })
            .unwrap();
            found
        };
        let found = all(&Source::Jsonl(lines));
        assert_eq!(found[0].key(Key::Intent), Some("pi_1"));
        assert_eq!(found, all(&Source::Sqlite(file, None)));
    }
}
