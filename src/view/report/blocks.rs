//! What a report says, in blocks that know no format.

use crate::domain::course::evidence::Evidence;
use crate::domain::course::outcome::State;
use crate::domain::course::progress_report::{DayLine, ProgressReport, Row};
use crate::domain::locale::Locale;
use crate::view::table::short;
use crate::view::words::{Msg, int, say};

/// Attempts of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// `day3`.
    pub label: String,
    /// Attempts that did not fail.
    pub good: u32,
    /// Attempts that failed.
    pub bad: u32,
}

/// A chart of attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Its title.
    pub title: String,
    /// What the two colours mean.
    pub legend: [String; 2],
    /// A bar a day.
    pub bars: Vec<Bar>,
}

/// A part of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading of a level, from 1.
    Heading(u8, String),
    /// A paragraph.
    Text(String),
    /// A command to type.
    Command(String),
    /// Points.
    List(Vec<String>),
    /// A table under its head.
    Table(Vec<String>, Vec<Vec<String>>),
    /// A chart.
    Chart(Chart),
    /// A line to sign on.
    Sign(String),
    /// The data, under their title.
    Data(String, String),
}

/// The words of a state.
fn state(state: Option<State>, locale: Locale) -> String {
    let (mark, word) = match state {
        Some(State::Pass) => ("✓", Msg::StatePass),
        Some(State::Fail) => ("✗", Msg::StateFail),
        Some(State::Warn) => ("!", Msg::StateWarn),
        Some(State::Partial) => ("◐", Msg::StatePartial),
        Some(State::Attest) => ("○", Msg::StateAttest),
        Some(State::Skip) => ("–", Msg::StateSkip),
        Some(State::Blocked) => ("⊘", Msg::StateBlocked),
        None => ("·", Msg::StateNotRun),
    };
    format!("{mark} {}", say(locale, &word))
}

fn dash(text: Option<String>) -> String {
    text.filter(|it| !it.is_empty()).unwrap_or_else(|| "–".to_owned())
}

/// Evidence in one line; the data have it whole.
fn evidence(it: &Evidence) -> String {
    let mut parts: Vec<String> = it.sessions.iter().map(|id| short(id, 16)).collect();
    for event in &it.events {
        let attempts: Vec<String> = event.attempts.iter().map(ToString::to_string).collect();
        parts
            .push(format!("{} {}", short(&event.id, 16), attempts.join(",")).trim_end().to_owned());
    }
    for row in &it.ledger_rows {
        let amount = row.amount.map_or_else(String::new, |amount| amount.to_string());
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        parts.push(format!("{amount} {} {}", word(&row.currency), word(&row.status)));
    }
    dash(Some(parts.join(" · ")))
}

fn solution(day: &DayLine, locale: Locale) -> String {
    dash(day.solution.as_ref().map(|shown| {
        let how = if shown.gave_up { Msg::ReportGaveUp } else { Msg::ReportShown };
        format!("{} {}", say(locale, &how), shown.at)
    }))
}

/// The heading of every kind, with how far the learner is.
pub fn opening(report: &ProgressReport, title: &Msg<'_>, locale: Locale) -> Vec<Block> {
    let (passed, required) = report.passed(None);
    let lead = Msg::ReportLead { passed: int(passed), required: int(required) };
    let head = &report.head;
    let made = Msg::ReportMade { program: &head.program, api: &head.api_version };
    vec![
        Block::Heading(1, say(locale, title)),
        Block::Text(say(locale, &lead)),
        Block::Text(say(locale, &made)),
    ]
}

fn days(report: &ProgressReport, locale: Locale) -> Block {
    let head = [
        Msg::ReportColDay,
        Msg::ReportColPassed,
        Msg::ReportColAttempts,
        Msg::ReportColHints,
        Msg::ReportColGone,
        Msg::ReportColSolution,
    ];
    let row = |day: &DayLine| {
        let (passed, required) = report.passed(Some(&day.id));
        let of = || report.rows.iter().filter(|row| row.day == day.id);
        vec![
            day.title.clone(),
            format!("{passed}/{required}"),
            of().map(|row| row.attempts).sum::<u32>().to_string(),
            of().map(|row| u32::from(row.hints)).sum::<u32>().to_string(),
            dash(day.gone.map(|[shown, done, proved]| format!("{shown} · {done} · {proved}"))),
            solution(day, locale),
        ]
    };
    let head = head.iter().map(|msg| say(locale, msg)).collect();
    Block::Table(head, report.days.iter().map(row).collect())
}

fn chart(report: &ProgressReport, locale: Locale) -> Block {
    let bar = |day: &DayLine| {
        let of = || report.rows.iter().filter(|row| row.day == day.id);
        let (all, bad): (u32, u32) =
            (of().map(|row| row.attempts).sum(), of().map(|row| row.failed).sum());
        Bar { label: day.id.clone(), good: all.saturating_sub(bad), bad }
    };
    Block::Chart(Chart {
        title: say(locale, &Msg::ReportChart),
        legend: [say(locale, &Msg::ReportChartGood), say(locale, &Msg::ReportChartBad)],
        bars: report.days.iter().map(bar).collect(),
    })
}

fn checks(report: &ProgressReport, day: &DayLine, locale: Locale) -> Block {
    let head = [
        Msg::ReportColCheck,
        Msg::ReportColTitle,
        Msg::ColStatus,
        Msg::ReportColFirst,
        Msg::ReportColAttempts,
        Msg::ReportColHints,
        Msg::ReportColEvidence,
        Msg::ReportColSeal,
    ];
    let row = |row: &Row| {
        let attested = row.attested.as_ref().map(|at| say(locale, &Msg::ReportAttested { at }));
        let stands: Vec<String> = [state(row.state, locale)].into_iter().chain(attested).collect();
        vec![
            row.id.clone(),
            row.title.clone(),
            stands.join(", "),
            dash(row.first_passed.clone()),
            row.attempts.to_string(),
            row.hints.to_string(),
            evidence(&row.evidence),
            row.seal.chars().take(12).collect(),
        ]
    };
    let rows = report.rows.iter().filter(|row| row.day == day.id).map(row).collect();
    Block::Table(head.iter().map(|msg| say(locale, msg)).collect(), rows)
}

/// Everything, with the data that prove it.
pub fn full(report: &ProgressReport, locale: Locale) -> Vec<Block> {
    let mut blocks = opening(report, &Msg::ReportTitle, locale);
    blocks.extend([days(report, locale), chart(report, locale)]);
    for day in &report.days {
        blocks.push(Block::Heading(2, day.title.clone()));
        blocks.push(checks(report, day, locale));
    }
    blocks.push(Block::Heading(2, say(locale, &Msg::ReportProof)));
    blocks.push(Block::Text(say(locale, &Msg::ReportSeal { seal: &report.seal })));
    blocks.push(Block::Command("stripegym verify-report FILE".to_owned()));
    blocks.push(Block::Text(say(locale, &Msg::ReportLimit)));
    blocks.push(Block::Data(say(locale, &Msg::ReportData), report.write()));
    blocks
}

/// One page to show around.
pub fn share(report: &ProgressReport, locale: Locale) -> Vec<Block> {
    let mut blocks = opening(report, &Msg::ReportTitle, locale);
    blocks.push(Block::Text(say(locale, &Msg::ShareWhat)));
    blocks.extend([days(report, locale), chart(report, locale)]);
    let open = |row: &&Row| row.state != Some(State::Pass) && row.state.is_some();
    let open: Vec<String> = report
        .rows
        .iter()
        .filter(open)
        .map(|row| format!("{} {} – {}", row.id, row.title, state(row.state, locale)))
        .collect();
    if !open.is_empty() {
        blocks.push(Block::Heading(2, say(locale, &Msg::ShareOpen)));
        blocks.push(Block::List(open));
    }
    blocks.push(Block::Heading(2, say(locale, &Msg::ShareTry)));
    let first = report.days.first().map(|day| Block::Command(format!("stripegym {}", day.id)));
    blocks.extend(first);
    blocks.push(Block::Text(say(locale, &Msg::ShareSeal { seal: &report.seal })));
    blocks
}
