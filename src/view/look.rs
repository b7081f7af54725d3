//! What came of a day's run, as tables: scenarios, sessions, events.

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::notice::{Look, LookScenario, LookSession};
use crate::view::canvas::Canvas;
use crate::view::course::mark;
use crate::view::table::{Side, draw, short};
use crate::view::words::{Msg, int};
use crate::view::{money, time};
use jiff::tz::TimeZone;

/// What came of the run.
pub fn look(it: &Look, canvas: &Canvas) -> String {
    let mut out = format!("{} {}\n", mark(canvas, 3), canvas.say(&Msg::LookTitle));
    let tables = [scenarios(it, canvas), sessions(it, canvas), objects(it, canvas)];
    let tables = tables.into_iter().chain([times(it, canvas), events(it, canvas)]);
    let tables: Vec<String> = tables.filter(|table| !table.is_empty()).collect();
    out.push_str(&tables.join("\n"));
    out
}

fn scenarios(it: &Look, canvas: &Canvas) -> String {
    let say = |msg: &Msg<'_>| canvas.say(msg);
    let head = [
        (say(&Msg::ColScenario), Side::Left),
        (say(&Msg::ColAnswers), Side::Left),
        (say(&Msg::ColAttempts), Side::Right),
        (say(&Msg::ColLedger), Side::Left),
        (say(&Msg::ColVerdict), Side::Left),
    ];
    let row = |one: &LookScenario| {
        let answers: Vec<String> = one.answers.iter().map(u16::to_string).collect();
        let faults = say(&Msg::LookFaults { count: int(one.faults) });
        let mut attempts = one.attempts.to_string();
        if one.faults > 0 {
            attempts.extend([format!(" ({faults})")]);
        }
        let dash = || "–".to_owned();
        vec![
            one.title.clone(),
            if answers.is_empty() { dash() } else { answers.join(" ") },
            attempts,
            one.ledger.clone().unwrap_or_else(dash),
            one.verdict.clone().unwrap_or_else(dash),
        ]
    };
    table(canvas, &head, it.scenarios.iter().map(row))
}

fn table(
    canvas: &Canvas,
    head: &[(String, Side)],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() { String::new() } else { draw(canvas, head, &rows) }
}

fn sessions(it: &Look, canvas: &Canvas) -> String {
    let say = |msg: &Msg<'_>| canvas.say(msg);
    if !it.scenarios.is_empty() {
        return String::new();
    }
    let head = [
        (say(&Msg::ColSession), Side::Left),
        (say(&Msg::ColAmount), Side::Right),
        (say(&Msg::ColStatus), Side::Left),
        (say(&Msg::ColLedger), Side::Left),
    ];
    let row = |session: &LookSession| {
        let amount = session.currency.parse::<Currency>().map_or_else(
            |_| session.amount.to_string(),
            |currency| money::show(Money::new(session.amount, currency), canvas.locale),
        );
        let agrees = if session.agrees { "✓" } else { "≠" };
        let ledger = session.ledger.clone().unwrap_or_else(|| "–".to_owned());
        let status = format!("{} · {}", session.status, session.payment_status);
        vec![short(&session.id, 22), amount, status, format!("{ledger} {agrees}")]
    };
    table(canvas, &head, it.sessions.iter().map(row))
}

/// The three objects side by side: which has which status.
fn objects(it: &Look, canvas: &Canvas) -> String {
    if !it.objects {
        return String::new();
    }
    let head = ["session.status", "session.payment_status", "payment_intent", "charge"];
    let head = head.map(|name| (name.to_owned(), Side::Left));
    let row = |session: &LookSession| {
        let of = |status: &Option<String>| status.clone().unwrap_or_else(|| "–".to_owned());
        let (status, paid) = (session.status.clone(), session.payment_status.clone());
        vec![status, paid, of(&session.intent), of(&session.charge)]
    };
    table(canvas, &head, it.sessions.iter().map(row))
}

/// When sessions were made: as it is stored, and as it is read here.
fn times(it: &Look, canvas: &Canvas) -> String {
    if !it.times {
        return String::new();
    }
    let head = [
        (canvas.say(&Msg::ColSession), Side::Left),
        ("created".to_owned(), Side::Right),
        ("UTC".to_owned(), Side::Left),
        (canvas.say(&Msg::ColLocal), Side::Left),
    ];
    let row = |session: &LookSession| {
        let show = |zone: &TimeZone| time::show(session.created, zone);
        let stored = session.created.0.to_string();
        vec![short(&session.id, 16), stored, show(&TimeZone::UTC), show(&canvas.zone)]
    };
    table(canvas, &head, it.sessions.iter().map(row))
}

fn events(it: &Look, canvas: &Canvas) -> String {
    let head = [
        (canvas.say(&Msg::ColKind), Side::Left),
        (canvas.say(&Msg::ColRows), Side::Right),
        (canvas.say(&Msg::ColPending), Side::Right),
    ];
    let row = |(kind, all, pending): &(String, u64, u64)| {
        vec![kind.clone(), all.to_string(), pending.to_string()]
    };
    table(canvas, &head, it.events.iter().map(row))
}
