//! Tables whose columns have names for programs: as text, as JSON, as CSV.

use crate::domain::money::Money;
use crate::domain::sheet::{Cell, Sheet, SheetKind};
use crate::view::canvas::{Canvas, Tone};
use crate::view::table::{Side, draw, short};
use crate::view::text::heading;
use crate::view::words::{Msg, int};
use crate::view::{json, money};
use serde_json::{Map, Value, json};

/// Columns of an id in a table of 80.
const ID_WIDTH: usize = 20;

/// For people.
pub(super) fn text(it: &Sheet, canvas: &Canvas) -> String {
    let title = match it.kind {
        SheetKind::Tables => Msg::HeaderShop,
        _ => Msg::HeaderLedger,
    };
    let mut out = heading(&title, &it.place, canvas);
    let shown: Vec<bool> = it.kind.columns().iter().map(|(_, shown)| *shown).collect();
    let head: Vec<(String, Side)> = it
        .kind
        .columns()
        .iter()
        .filter(|(_, shown)| *shown)
        .map(|(name, _)| column(name, canvas))
        .collect();
    let row = |row: &Vec<Cell>| -> Vec<String> {
        let cells = row.iter().zip(&shown).filter(|(_, shown)| **shown);
        cells.map(|(cell, _)| word(cell, it.kind, canvas)).collect()
    };
    let rows: Vec<Vec<String>> = it.rows.iter().map(row).collect();
    if !rows.is_empty() {
        out.push_str(&draw(canvas, &head, &rows));
    }
    let end = match it.looked {
        Some(looked) => canvas.say(&Msg::LedgerVerified {
            lines: int(looked.lines),
            writers: int(looked.writers),
            checkpoints: int(looked.checkpoints),
            findings: int(it.rows.len() as u64),
        }),
        None if it.kind == SheetKind::Tables => {
            let count = |row: &Vec<Cell>| match row.last() {
                Some(Cell::Number(number)) => *number,
                _ => 0,
            };
            let rows = it.rows.iter().map(count).sum();
            canvas.say(&Msg::ShopMoved { tables: int(it.rows.len()), rows })
        }
        None if rows.is_empty() => canvas.say(&Msg::LedgerNothing),
        None if it.all.is_some_and(|all| all > rows.len() as u64) => {
            canvas.say(&Msg::LedgerCount { shown: int(rows.len()), all: int(it.all.unwrap_or(0)) })
        }
        None => return out,
    };
    out.push_str(&canvas.tone(Tone::Quiet, &end));
    out
}

fn column(name: &str, canvas: &Canvas) -> (String, Side) {
    let (msg, side) = match name {
        "number" => (Msg::ColNumber, Side::Right),
        "amount" => (Msg::ColAmount, Side::Right),
        "postings" => (Msg::ColPostings, Side::Right),
        "account" => (Msg::ColAccount, Side::Left),
        "reason" => (Msg::ColReason, Side::Left),
        "object" | "about" => (Msg::ColObject, Side::Left),
        "name" => (Msg::ColProblem, Side::Left),
        "text" => (Msg::ColSaid, Side::Left),
        "table" => (Msg::ColTable, Side::Left),
        "row" => (Msg::ColRow, Side::Left),
        "rows" => (Msg::ColRows, Side::Right),
        _ => (Msg::ColDeviation, Side::Left),
    };
    (canvas.say(&msg), side)
}

fn word(cell: &Cell, kind: SheetKind, canvas: &Canvas) -> String {
    match cell {
        Cell::Word(text) if kind == SheetKind::Journal => short(text, ID_WIDTH),
        Cell::Word(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Amount(amount, currency) => match i64::try_from(*amount) {
            Ok(minor) => money::show(Money::new(minor, *currency), canvas.locale),
            Err(_) => format!("{amount} {}", currency.code()),
        },
    }
}

/// For programs.
pub(super) fn value(it: &Sheet) -> Value {
    let row = |row: &Vec<Cell>| {
        let cells = it.kind.columns().iter().zip(row).map(|((name, _), cell)| {
            let value = match cell {
                Cell::Word(text) => json!(text),
                Cell::Number(number) => json!(number),
                Cell::Amount(amount, _) => {
                    i64::try_from(*amount).map_or_else(|_| json!(amount.to_string()), Value::from)
                }
            };
            ((*name).to_owned(), value)
        });
        Value::Object(cells.collect::<Map<_, _>>())
    };
    let rows: Vec<Value> = it.rows.iter().map(row).collect();
    match it.looked {
        Some(looked) => json!({"place": json::place(&it.place), "ok": it.rows.is_empty(),
            "lines": looked.lines, "writers": looked.writers, "checkpoints": looked.checkpoints,
            "rows": rows}),
        None => json!({"place": json::place(&it.place), "rows": rows}),
    }
}

/// For spreadsheets, with the head: amounts in minor units.
pub(super) fn cells(it: &Sheet) -> Vec<Vec<String>> {
    let head = it.kind.columns().iter().map(|(name, _)| (*name).to_owned()).collect();
    let row = |row: &Vec<Cell>| {
        let text = |cell: &Cell| match cell {
            Cell::Word(text) => text.clone(),
            Cell::Number(number) => number.to_string(),
            Cell::Amount(amount, _) => amount.to_string(),
        };
        row.iter().map(text).collect()
    };
    std::iter::once(head).chain(it.rows.iter().map(row)).collect()
}
