//! The request log and the faults on demand: tables, lines and JSON.

use crate::domain::request::{FaultRow, RequestRow, Told};
use crate::view::canvas::{Canvas, Tone};
use crate::view::table::{Side, draw, short};
use crate::view::time;
use crate::view::words::{Msg, int};
use crate::view::wrap::wrap;
use serde_json::{Value, json};

/// Columns of a followed row that are not its path.
const LINE_REST: usize = 43;

/// The answer as text.
pub fn told(it: &Told, canvas: &Canvas) -> String {
    match it {
        Told::Requests(rows) if rows.is_empty() => canvas.prose(&Msg::RequestsEmpty),
        Told::Requests(rows) => requests(rows, canvas),
        Told::Faults(rules) if rules.is_empty() => canvas.prose(&Msg::FaultsEmpty),
        Told::Faults(rules) => faults(rules, canvas),
        Told::FaultAdded(rule) => canvas.prose(&Msg::FaultAdded {
            on: &rule.on,
            answer: &rule.answer,
            times: int(rule.times),
        }),
        Told::FaultsCleared(count) => {
            let count = int(*count);
            canvas.say(&Msg::FaultsCleared { count })
        }
    }
}

/// The answer for programs.
pub fn told_json(it: &Told) -> Value {
    match it {
        Told::Requests(rows) => {
            json!({ "requests": rows.iter().map(request_json).collect::<Vec<_>>() })
        }
        Told::Faults(rules) => json!({ "faults": rules.iter().map(fault).collect::<Vec<_>>() }),
        Told::FaultAdded(rule) => fault(rule),
        Told::FaultsCleared(count) => json!({ "cleared": count }),
    }
}

/// A row of the log for programs.
pub fn request_json(row: &RequestRow) -> Value {
    json!({
        "id": row.id, "created": row.at.0, "method": row.method, "path": row.path,
        "status": row.status, "error": row.error, "fault": row.fault,
    })
}

fn fault(rule: &FaultRow) -> Value {
    json!({ "on": rule.on, "answer": rule.answer, "times": rule.times, "used": rule.used })
}

/// A row of the log as it comes: one line, and one more for what was refused.
pub fn line(row: &RequestRow, canvas: &Canvas) -> String {
    let tone = match row.status {
        Some(200..=399) => Tone::Good,
        Some(400..=499) => Tone::Caution,
        _ => Tone::Bad,
    };
    let room = usize::from(canvas.width).saturating_sub(LINE_REST).max(16);
    let mut parts = vec![
        time::show_clock(row.at, &canvas.zone),
        canvas.tone(tone, &format!("{:>3}", status(row))),
        format!("{:<6}", row.method),
        short(&row.path, room),
        canvas.tone(Tone::Quiet, &row.id),
    ];
    let mut more = Vec::new();
    more.extend(row.fault.as_deref().map(|fault| canvas.say(&Msg::RequestFault { fault })));
    more.extend(row.error.clone());
    if more.is_empty() {
        return parts.join("  ");
    }
    let indent = 10;
    let text = wrap(&more.join(": "), canvas.width.saturating_sub(10), indent);
    parts.push(format!("\n{}{}", " ".repeat(indent), canvas.tone(Tone::Quiet, &text)));
    let last = parts.pop().unwrap_or_default();
    format!("{}{last}", parts.join("  "))
}

fn status(row: &RequestRow) -> String {
    row.status.map_or_else(|| "–".to_owned(), |status| status.to_string())
}

fn requests(rows: &[RequestRow], canvas: &Canvas) -> String {
    let column = |msg: &Msg<'_>, side| (canvas.say(msg), side);
    let head = [
        column(&Msg::ColTime, Side::Whole),
        column(&Msg::ColStatus, Side::Right),
        column(&Msg::ColHttpMethod, Side::Whole),
        column(&Msg::ColPath, Side::Left),
        column(&Msg::ColRequest, Side::Whole),
    ];
    let row = |row: &RequestRow| {
        let fault = row.fault.as_deref().map(|fault| canvas.say(&Msg::RequestFault { fault }));
        let path = fault.map_or_else(|| row.path.clone(), |it| format!("{} ({it})", row.path));
        let at = time::show_clock(row.at, &canvas.zone);
        vec![at, status(row), row.method.clone(), path, row.id.clone()]
    };
    draw(canvas, &head, &rows.iter().map(row).collect::<Vec<_>>())
}

fn faults(rules: &[FaultRow], canvas: &Canvas) -> String {
    let head = [
        (canvas.say(&Msg::ColRequest), Side::Left),
        (canvas.say(&Msg::ColAnswer), Side::Left),
        (canvas.say(&Msg::ColUses), Side::Right),
    ];
    let row = |rule: &FaultRow| {
        vec![rule.on.clone(), rule.answer.clone(), format!("{}/{}", rule.used, rule.times)]
    };
    draw(canvas, &head, &rules.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use crate::domain::time::Timestamp;
    use unicode_width::UnicodeWidthStr as _;

    fn row(path: &str, status: Option<u16>, fault: Option<&str>) -> RequestRow {
        RequestRow {
            id: "req_1234567890abcd".into(),
            at: Timestamp(1_800_000_000),
            method: "DELETE".into(),
            path: path.into(),
            status,
            error: status.filter(|it| *it >= 400).map(|_| "No such thing. ".repeat(20)),
            fault: fault.map(str::to_owned),
        }
    }

    #[test]
    fn no_line_is_wider_than_eighty_columns_in_either_language() {
        let long = format!("/v1/payment_intents/pi_{}/confirm", "x".repeat(24));
        let rows = vec![
            row(&long, Some(404), Some("cut-before")),
            row(&format!("/v1/{}", "y".repeat(490)), None, Some("timeout")),
            row("/v1/customers", Some(200), None),
        ];
        for locale in Locale::ALL {
            let canvas = Canvas::plain(locale);
            let mut text = told(&Told::Requests(rows.clone()), &canvas);
            for row in &rows {
                text.push_str(&line(row, &canvas));
                text.push('\n');
            }
            for line in text.lines() {
                assert!(line.width() <= 80, "{}: {line}", line.width());
            }
            // Ids stay whole, so that they can be copied.
            assert_eq!(text.matches("req_1234567890abcd").count(), 6, "{text}");
            assert!(text.contains("cut-before"), "{text}");
        }
    }
}
