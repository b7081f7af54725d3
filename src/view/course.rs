//! The course for people: what a day is about, what it does, its checklist, where the learner stands.

use crate::domain::course::Severity;
use crate::domain::course::carried::Carried;
use crate::domain::course::outcome::{CheckResult, DayResult, Failure, ItemResult, State};
use crate::domain::course::scene::{Said, Scene};
use crate::domain::course::standing::{DayStatus, Explained, Hint};
use crate::domain::course::statement::Statement;
use crate::domain::notice::Opening;
use crate::domain::report::{LessonsChecked, Tried};
use crate::view::canvas::{Canvas, Tone};
use crate::view::markdown;
use crate::view::statement;
use crate::view::words::{Msg, int};
use crate::view::wrap::{columns, typed, wrap};
use unicode_width::UnicodeWidthStr as _;

pub(super) fn mark(canvas: &Canvas, number: u8) -> String {
    canvas.tone(Tone::Quiet, &format!("[{number}/5]"))
}

pub(super) const fn sign(state: State) -> (&'static str, Tone) {
    match state {
        State::Pass => ("✓", Tone::Good),
        State::Fail => ("✗", Tone::Bad),
        State::Warn => ("!", Tone::Caution),
        State::Partial => ("◐", Tone::Good),
        State::Attest => ("○", Tone::Quiet),
        State::Skip => ("–", Tone::Quiet),
        State::Blocked => ("⊘", Tone::Caution),
    }
}

/// A text after its head; further lines begin under it.
pub(super) fn hang(canvas: &Canvas, head: &str, text: &str, indent: u16) -> String {
    let text = wrap(text, canvas.width.saturating_sub(indent), 0);
    let under = format!("\n{}", " ".repeat(usize::from(indent)));
    format!("{head} {}", text.replace('\n', &under))
}

/// What a day begins with.
pub fn opening(it: &Opening, canvas: &Canvas) -> String {
    let title = canvas.tone(Tone::Strong, &it.title);
    let minutes = canvas.say(&Msg::LessonMinutes { minutes: i64::from(it.minutes) });
    let beats = canvas.say(&Msg::LessonBeats);
    let mut lines = vec![
        format!("{title} · {}", canvas.tone(Tone::Quiet, &minutes)),
        canvas.tone(Tone::Quiet, &beats),
        String::new(),
        hang(canvas, &mark(canvas, 1), &it.goal, 6),
        String::new(),
        markdown::render(&it.prose, canvas),
    ];
    if !it.full {
        let command = format!("stripegym {} --only read --full", it.id);
        lines.push(canvas.tone(Tone::Quiet, &canvas.say(&Msg::LessonFull { command: &command })));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// One step that was done.
pub fn step(what: &str, by_hand: &[String], short: Option<&Statement>, canvas: &Canvas) -> String {
    let mut line = hang(canvas, &mark(canvas, 2), what, 6);
    if let Some(short) = short {
        let short = statement::because(std::slice::from_ref(short), canvas);
        let short = hang(canvas, "     ", &short, 6);
        line.extend([format!("\n{}", canvas.tone(Tone::Bad, &short))]);
    }
    for command in by_hand {
        let head = format!("      {}", canvas.say(&Msg::Day0ByHand));
        for part in typed(&head, &canvas.typed(command), canvas.width) {
            line.extend([format!("\n{}", canvas.tone(Tone::Quiet, &part))]);
        }
    }
    line
}

/// The commands of a README that are going to be run.
pub fn will_run(folder: &str, commands: &[(usize, String)], canvas: &Canvas) -> String {
    let mut lines = vec![wrap(&canvas.say(&Msg::CourseWillRun { folder }), canvas.width, 2)];
    let listed = commands.iter().flat_map(|(line, command)| {
        typed(&format!("  README.md:{line:<4}"), command, canvas.width)
    });
    lines.extend(listed.map(|text| canvas.tone(Tone::Quiet, &text)));
    lines.join("\n")
}

/// One check that was run.
pub fn checked(it: &CheckResult, canvas: &Canvas) -> String {
    let (sign, tone) = sign(it.state);
    let sign = canvas.tone(tone, sign);
    let head = format!("{} {sign} {:<5}", mark(canvas, 4), it.id);
    let mut line = if let Some(root) = &it.root {
        let waits = canvas.say(&Msg::CourseWaits { root });
        return canvas
            .tone(Tone::Quiet, &hang(canvas, &head, &format!("{}  {waits}", it.title), 14));
    } else if it.failure.is_none() {
        hang(canvas, &head, &it.title, 14)
    } else {
        let line = hang(canvas, &head, &format!("{}  {}", titled(it, canvas), it.code), 14);
        let before = line.strip_suffix(it.code.as_str()).unwrap_or(&line);
        format!("{before}{}", canvas.tone(Tone::Quiet, &it.code))
    };
    if let Some(failure) = &it.failure {
        line.push_str(&failed(failure, canvas));
    }
    if it.state == State::Skip {
        let because: Vec<_> = it.findings.iter().map(|finding| finding.got.clone()).collect();
        line.extend(left_out(&it.id, &because, canvas).map(|text| format!("\n        {text}")));
    }
    line
}

/// The title; with what it weighs, where nobody is harmed by it alone.
pub(super) fn titled(it: &CheckResult, canvas: &Canvas) -> String {
    let weighs = match (it.state, it.severity) {
        (State::Warn, Severity::Habit) => Msg::SeverityHabit,
        (State::Warn, _) => Msg::SeverityRisky,
        _ => return it.title.clone(),
    };
    format!("{} ({})", it.title, canvas.say(&weighs))
}

/// What the words of an official library mean.
const fn meaning(said: Said) -> Msg<'static> {
    match said {
        Said::Version => Msg::SaidVersion,
        Said::Parsed => Msg::SaidParsed,
        Said::NoHeader => Msg::SaidNoHeader,
        Said::NoSecret => Msg::SaidNoSecret,
        Said::Tolerance => Msg::SaidTolerance,
        Said::NoMatch => Msg::SaidNoMatch,
    }
}

pub(super) fn failed(it: &Failure, canvas: &Canvas) -> String {
    let mut out = String::new();
    let empty = Scene::default();
    let scene = it.scene.as_ref().unwrap_or(&empty);
    let log = scene.log.join("\n");
    let mut why = it.why.clone();
    let told = scene.said.map(meaning).or(scene.crashed.then_some(Msg::SaidCrashed));
    if let Some(told) = told {
        why = format!("{} {why}", canvas.say(&told));
    }
    let next =
        if it.code.contains('-') { format!("{} ({})", it.next, it.code) } else { it.next.clone() };
    for (label, text) in [
        (Msg::CourseChecked, &it.checked),
        (Msg::CourseExpected, &statement::expected(&it.expected, canvas)),
        (Msg::CourseGot, &statement::got(&it.got, canvas)),
        (Msg::CourseRequest, &scene.request),
        (Msg::CourseAnswer, &scene.answer),
        (Msg::CourseLog, &log),
        (Msg::CourseWhy, &why),
        (Msg::CourseNext, &next),
    ] {
        if text.is_empty()
            && matches!(label, Msg::CourseRequest | Msg::CourseAnswer | Msg::CourseLog)
        {
            continue;
        }
        let label = canvas.say(&label);
        let blanks = " ".repeat(9_usize.saturating_sub(label.trim_end().width()));
        let label = canvas.tone(Tone::Quiet, label.trim_end());
        out.push('\n');
        out.push_str(&hang(canvas, &format!("        {label}{blanks}"), text, 18));
    }
    out
}

/// A day whose checks were not said on the way.
pub fn whole(it: &DayResult, canvas: &Canvas) -> String {
    let mut lines: Vec<String> = it.checks.iter().map(|check| checked(check, canvas)).collect();
    lines.push(day(it, canvas));
    lines.join("\n")
}

/// The notes of a day whose probes found something.
pub(super) fn notes(it: &DayResult, indent: u16, canvas: &Canvas) -> Vec<String> {
    let label = canvas.tone(Tone::Caution, &canvas.say(&Msg::CourseNote));
    let label = " ".repeat(usize::from(indent)) + &label;
    let told = it.notes.iter().filter(|note| note.state == State::Fail).map(|note| {
        let because = statement::because(&note.because, canvas);
        hang(canvas, &label, &format!("{} {} ({because})", note.id, note.title), 6 + indent)
    });
    told.collect()
}

/// The end of a day: warnings, gates, and what to type next.
pub fn day(it: &DayResult, canvas: &Canvas) -> String {
    let mut lines = Vec::new();
    lines.extend(notes(it, 0, canvas));
    for note in it.notes.iter().filter(|note| note.state == State::Skip) {
        lines.extend(left_out(&note.id, &note.because, canvas));
    }
    lines.extend(it.gates.iter().map(|gate| gated(gate, canvas)));
    if it.cut {
        return lines.join("\n");
    }
    let open =
        it.checks.iter().filter(|check| matches!(check.state, State::Partial | State::Attest));
    for check in open {
        let command = format!("stripegym {} --attest {}", it.id, check.id);
        let text = canvas.say(&Msg::CourseAttest { id: &check.id, command: &command });
        lines.push(canvas.tone(Tone::Quiet, &wrap(&text, canvas.width, 2)));
    }
    let failed: Vec<&CheckResult> = it.checks.iter().filter(|check| check.blocks()).collect();
    if let Some(first) = failed.first() {
        let failing = int(failed.len());
        lines.push(canvas.tone(Tone::Bad, &canvas.say(&Msg::DayFailed { failing })));
        let next = first.failure.as_ref().map_or_else(String::new, |failure| failure.next.clone());
        lines.push(canvas.say(&Msg::CourseType { command: &next }));
    } else {
        let seconds = format!("{}.{}", it.took_ms / 1000, it.took_ms / 100 % 10);
        let passed = canvas.say(&Msg::DayPassed { title: &it.title, seconds: &seconds });
        lines.push(canvas.tone(Tone::Good, &passed));
        let next = it.next.as_deref().unwrap_or("status");
        let command = format!("stripegym {next}");
        lines.push(canvas.say(&Msg::CourseType { command: &command }));
    }
    lines.join("\n")
}

/// An item that could not be looked at, and what that would take; nothing for one that is simply of another track.
fn left_out(id: &str, because: &[Statement], canvas: &Canvas) -> Option<String> {
    let need = statement::because(because.get(..1)?, canvas);
    let text = canvas.say(&Msg::CourseSkipped { id, need: &need });
    Some(canvas.tone(Tone::Quiet, &wrap(&text, canvas.width, 2)))
}

fn gated(it: &ItemResult, canvas: &Canvas) -> String {
    let (sign, tone) = sign(it.state);
    let head = format!("{} {} {}", mark(canvas, 5), canvas.tone(tone, sign), it.id);
    let because = statement::because(&it.because, canvas);
    let text =
        if because.is_empty() { it.title.clone() } else { format!("{}  ← {because}", it.title) };
    hang(canvas, &head, &text, 13)
}

/// Where the learner stands.
pub fn status(days: &[DayStatus], canvas: &Canvas) -> String {
    let mut lines = Vec::new();
    for day in days {
        let signs: String = day
            .checks
            .iter()
            .map(|(_, state)| {
                state.map_or_else(
                    || "·".to_owned(),
                    |state| {
                        let (sign, tone) = sign(state);
                        canvas.tone(tone, sign)
                    },
                )
            })
            .collect();
        let count = format!("{}/{}", day.passed, day.required);
        let indent = u16::try_from(day.id.width() + count.width() + day.checks.len() + 6);
        let head = format!("{}  {count}  {signs} ", day.id);
        lines.push(hang(canvas, &head, &day.title, indent.unwrap_or(canvas.width / 2)));
        let mut used = Vec::new();
        if day.gone != (0, 0) || day.proved > 0 {
            used.push(canvas.say(&Msg::TalkCounts {
                shown: int(day.gone.0),
                done: int(day.gone.1),
                proved: int(day.proved),
                all: int(day.required),
            }));
        }
        if day.hints > 0 {
            used.push(canvas.say(&Msg::StatusHints { hints: i64::from(day.hints) }));
        }
        if let Some(gave_up) = day.solution {
            let how = if gave_up { Msg::ReportGaveUp } else { Msg::ReportShown };
            used.push(canvas.say(&how));
        }
        if !used.is_empty() {
            lines.push(canvas.tone(Tone::Quiet, &format!("      {}", used.join(" · "))));
        }
    }
    let next = days.iter().find(|day| !day.is_passed() && !day.optional);
    lines.push(match next {
        Some(day) => canvas.say(&Msg::CourseType { command: &format!("stripegym {}", day.id) }),
        None => canvas.tone(Tone::Good, &canvas.say(&Msg::StatusDone)),
    });
    lines.join("\n")
}

/// What was carried where.
pub fn carried(it: &Carried, canvas: &Canvas) -> String {
    match it {
        Carried::Written { path, seal } => canvas.say(&Msg::Written { path, seal }),
        Carried::Solution { text, .. } => text.clone(),
        Carried::Imported { checks, attempts, backup } => {
            let (checks, attempts) = (int(*checks), int(*attempts));
            let mut lines = vec![canvas.prose(&Msg::Imported { checks, attempts })];
            lines.extend(
                backup.as_ref().map(|backup| canvas.prose(&Msg::ImportedBackup { backup })),
            );
            lines.join("\n")
        }
        Carried::SolutionHeld { name, next } => {
            let give_up = format!("stripegym solution {name} --give-up");
            [
                canvas.tone(Tone::Caution, &canvas.prose(&Msg::SolutionHeld { name })),
                canvas.say(&Msg::CourseType { command: next }),
                canvas.tone(Tone::Quiet, &canvas.say(&Msg::SolutionGiveUp { command: &give_up })),
            ]
            .join("\n")
        }
        Carried::Starter { folder, files, install, start } => {
            let mut lines = vec![
                canvas.prose(&Msg::StarterWritten { folder, files: int(*files) }),
                canvas.say(&Msg::HomeNext),
                format!("  cd {folder}"),
            ];
            lines.extend(install.iter().map(|command| format!("  {command}")));
            lines.extend([
                canvas.typed(&format!("  stripegym check --watch --exec \"{start}\"")),
                canvas.prose(&Msg::StarterReadme),
            ]);
            lines.join("\n")
        }
    }
}

/// Hints so far.
pub fn hint(it: &Hint, canvas: &Canvas) -> String {
    let mut lines = vec![format!("{} {}", canvas.tone(Tone::Strong, &it.code), it.title)];
    let numbered = it.texts.iter().enumerate();
    lines.extend(
        numbered.map(|(at, text)| hang(canvas, &format!("{}/{} ", at + 1, it.all), text.trim(), 5)),
    );
    if it.texts.len() < it.all {
        let command = format!("stripegym hint {}", it.code);
        lines.push(canvas.tone(Tone::Quiet, &canvas.say(&Msg::HintMore { command: &command })));
    }
    lines.join("\n")
}

/// A code or a topic, explained.
pub fn explained(it: &Explained, canvas: &Canvas) -> String {
    let name = canvas.tone(Tone::Strong, &it.name);
    let mut lines = vec![match it.title.as_str() {
        "" => name,
        title => hang(canvas, &name, &format!("· {title}"), 2),
    }];
    for text in &it.texts {
        lines.push(String::new());
        lines.push(markdown::render(text, canvas));
    }
    if !it.docs.is_empty() {
        lines.push(String::new());
        lines.extend(it.docs.iter().map(|url| canvas.tone(Tone::Quiet, url)));
    }
    lines.join("\n")
}

/// The topics.
pub fn topics(list: &[(String, String)], canvas: &Canvas) -> String {
    let mut lines = vec![canvas.say(&Msg::ExplainTopics)];
    lines.extend(list.iter().map(|(name, title)| {
        let head = canvas.typed(&format!("  stripegym explain {name:<18}"));
        let room = usize::from(canvas.width).saturating_sub(columns(&head) + 2).max(8);
        let said = wrap(title, u16::try_from(room).unwrap_or(canvas.width), 0);
        let (first, more) = said.split_once('\n').unwrap_or((&said, ""));
        let more = if more.is_empty() { "" } else { "…" };
        format!("{head} {first}{more}").trim_end().to_owned()
    }));
    lines.join("\n")
}

/// What was set back.
pub fn reset(what: &[String], backup: &str, canvas: &Canvas) -> String {
    if what.is_empty() {
        return canvas.say(&Msg::ResetNothing);
    }
    let what = what.join(" ");
    wrap(&canvas.say(&Msg::ResetDone { what: &what, backup }), canvas.width, 2)
}

/// How a program came out that was put before the course.
pub fn tried(it: &Tried, canvas: &Canvas) -> String {
    let (mark, tone) = if it.wrong.is_none() { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
    let took = canvas.tone(Tone::Quiet, &format!("{} ms", it.took_ms));
    let found = it.wrong.clone().unwrap_or_else(|| it.failed.join(" "));
    format!("{} {:<30} {took}  {found}", canvas.tone(tone, mark), it.name).trim_end().to_owned()
}

/// Whether the lessons keep to their format.
pub fn lessons(it: &LessonsChecked, canvas: &Canvas) -> String {
    let mut lines = it.problems.clone();
    let items: Vec<String> = it.items.iter().map(|(letter, n)| format!("{letter} {n}")).collect();
    lines.push(items.join(" · "));
    let beyond = int(it.beyond);
    lines.push(canvas.say(&Msg::LessonsBeyond { count: beyond }));
    let wrong: Vec<&Tried> = it.tried.iter().filter(|it| it.wrong.is_some()).collect();
    lines.extend(wrong.iter().map(|it| tried(it, canvas)));
    if !it.tried.is_empty() {
        let (well, all) = (int(it.tried.len() - wrong.len()), int(it.tried.len()));
        lines.push(canvas.say(&Msg::LessonsTried { well, all }));
    }
    lines.push(if it.problems.is_empty() {
        canvas.tone(Tone::Good, &canvas.say(&Msg::LessonsWell { commands: int(it.commands) }))
    } else {
        canvas.tone(Tone::Bad, &canvas.say(&Msg::LessonsBad { problems: int(it.problems.len()) }))
    });
    lines.join("\n")
}
