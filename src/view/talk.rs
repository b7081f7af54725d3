//! A day as a conversation: the head of a screen, what a step says, and the things themselves.

use crate::domain::course::outcome::{CheckResult, DayResult, State};
use crate::domain::course::talk::{AttemptSeen, Gone};
use crate::domain::time::Timestamp;
use crate::view::canvas::{Canvas, Tone};
use crate::view::course::{hang, sign};
use crate::view::statement;
use crate::view::table::short;
use crate::view::time;
use crate::view::words::{Msg, int};
use crate::view::wrap::{columns, typed, wrap};
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of a value that are shown: addresses and ids are longer than a line has room for.
const VALUE_MAX: usize = 26;
/// How many attempts are shown.
const ATTEMPTS_MAX: usize = 6;

/// The head: the title, where one is, and how far each step was gone.
pub fn head(title: &str, at: usize, gone: &[Option<Gone>], canvas: &Canvas) -> Vec<String> {
    let dots = gone.iter().enumerate().map(|(place, gone)| match gone {
        Some(Gone::Done) => '●',
        Some(Gone::Shown) => '◐',
        None if place == at => '◎',
        None => '○',
    });
    let dots: String = dots.collect();
    let step = canvas.say(&Msg::TalkStep { at: int(at + 1), all: int(gone.len()) });
    let right = format!("{step}  {dots}");
    let width = usize::from(canvas.width);
    let title = title.to_owned();
    let blanks = width.saturating_sub(columns(&title) + columns(&right)).max(1);
    let line = if columns(&title) + columns(&right) < width {
        format!("{}{}{right}", canvas.tone(Tone::Strong, &title), " ".repeat(blanks))
    } else {
        canvas.tone(Tone::Strong, &dots)
    };
    vec![line, canvas.tone(Tone::Quiet, &"─".repeat(width))]
}

/// A text of a step, in lines of the screen's width; lines that begin with blanks are code.
pub fn text(text: &str, canvas: &Canvas) -> String {
    let width = canvas.width.saturating_sub(2);
    let line = |line: &str| {
        if line.starts_with("  ") {
            canvas.typed(line)
        } else {
            wrap(&canvas.typed(line), width, 0)
        }
    };
    text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What a step says, with its question, and the commands that do it.
pub fn step(said: &str, ask: &str, commands: &[String], canvas: &Canvas) -> String {
    let mut parts = vec![text(said, canvas)];
    if !ask.is_empty() {
        parts.push(canvas.tone(Tone::Strong, &text(ask, canvas)));
    }
    if !commands.is_empty() {
        let lines = commands.iter().flat_map(|command| match command.as_str() {
            // Words of the conversation, which no other terminal knows.
            "stop" | "start" => vec![format!("    {command}")],
            _ => typed("   ", &canvas.typed(&format!("stripegym {command}")), canvas.width),
        });
        let lines: Vec<String> = lines.map(|it| canvas.tone(Tone::Strong, &it)).collect();
        parts.push(lines.join("\n"));
    }
    parts.join("\n\n")
}

/// What can be typed now.
pub fn foot(open: bool, canvas: &Canvas) -> String {
    let msg = if open { Msg::TalkFootOpen } else { Msg::TalkFootGone };
    canvas.tone(Tone::Quiet, &canvas.say(&msg))
}

/// The members of an event that matter, each with what stands beside it.
pub fn event(
    value: &Value,
    members: &[String],
    marks: &BTreeMap<String, String>,
    canvas: &Canvas,
) -> String {
    let mut lines = vec!["{".to_owned()];
    let mut inside: Vec<&str> = Vec::new();
    for pointer in members {
        let Some(found) = value.pointer(pointer) else { continue };
        let mut names: Vec<&str> = pointer.trim_start_matches('/').split('/').collect();
        let Some(name) = names.pop() else { continue };
        while !names.starts_with(&inside) {
            inside.pop();
            lines.push(format!("{}}},", "  ".repeat(inside.len() + 1)));
        }
        for folder in names.iter().skip(inside.len()).copied().collect::<Vec<_>>() {
            lines.push(format!("{}\"{folder}\": {{", "  ".repeat(inside.len() + 1)));
            inside.push(folder);
        }
        let shown = match found {
            Value::Object(map) if map.is_empty() => "{}".to_owned(),
            Value::Object(_) => "{…}".to_owned(),
            Value::Array(_) => "[…]".to_owned(),
            Value::String(text) if columns(text) > VALUE_MAX => {
                format!("\"{}\"", short(text, VALUE_MAX))
            }
            other => other.to_string(),
        };
        let indent = "  ".repeat(inside.len() + 1);
        let line = format!("{indent}\"{name}\": {shown},");
        let line = match marks.get(pointer) {
            Some(mark) => {
                let blanks = " ".repeat(44_usize.saturating_sub(columns(&line)).max(2));
                let room = canvas.width.saturating_sub(46);
                let mark = wrap(mark, room, 0).replace('\n', &format!("\n{}", " ".repeat(46)));
                let mark = canvas.tone(Tone::Good, &format!("← {mark}"));
                format!("{}{blanks}{mark}", canvas.tone(Tone::Strong, &line))
            }
            None => canvas.tone(Tone::Quiet, &line),
        };
        lines.push(line);
    }
    while inside.pop().is_some() {
        lines.push(format!("{}}}", "  ".repeat(inside.len() + 1)));
    }
    lines.push("}".to_owned());
    lines.join("\n")
}

/// Attempts to deliver, the oldest first.
pub fn attempts(list: &[AttemptSeen], now: i64, canvas: &Canvas) -> String {
    let line = |it: &AttemptSeen| {
        let (tone, answer) = match it.status {
            None => (Tone::Bad, canvas.say(&Msg::TalkUnheard)),
            Some(status @ 200..=299) => (Tone::Good, format!("→ {status}")),
            Some(status) => (Tone::Bad, format!("→ {status}")),
        };
        let next = it.next.filter(|next| *next > now && it.status.is_none());
        let next = next.map(|next| canvas.say(&Msg::TalkNextTry { seconds: next - now }));
        let at = time::show(Timestamp(it.at), &canvas.zone);
        let clock = at.rsplit(' ').next().unwrap_or(&at).to_owned();
        let line = format!("  {clock}  POST /webhook  {}", canvas.tone(tone, &answer));
        format!("{line}  {}", next.unwrap_or_default()).trim_end().to_owned()
    };
    let mut newest: Vec<String> = list.iter().take(ATTEMPTS_MAX).map(line).collect();
    newest.reverse();
    newest.join("\n")
}

/// The column behind a word that stands two columns in.
fn under(word: &str) -> u16 {
    u16::try_from(columns(word.trim_end()) + 3).unwrap_or(u16::MAX)
}

/// A check, with what stands in its way.
pub fn check(it: &CheckResult, canvas: &Canvas) -> String {
    let (mark, tone) = sign(it.state);
    let head = format!("{} {}", canvas.tone(tone, mark), it.id);
    let mut lines = vec![hang(canvas, &head, &it.title, 7)];
    if let Some(failure) = &it.failure {
        let why = canvas.say(&Msg::CourseWhy);
        lines.push(hang(canvas, &format!("  {}", why.trim_end()), &failure.why, under(&why)));
        let got = canvas.say(&Msg::CourseGot);
        let shown: String = statement::got(&failure.got, canvas).chars().take(140).collect();
        lines.push(hang(canvas, &format!("  {}", got.trim_end()), &shown, under(&got)));
    }
    lines.join("\n")
}

/// What the checks of a day came to: a line for each thing that they mean, those that hold folded. `meant` has the
/// gates of the day, each with the checks that it rests on.
pub fn proved(day: &DayResult, meant: &[(String, Vec<String>)], canvas: &Canvas) -> String {
    let of = |wanted: &[State]| day.checks.iter().filter(|it| wanted.contains(&it.state)).count();
    let (held, all) = (of(&[State::Pass, State::Partial, State::Attest]), day.checks.len());
    let left = of(&[State::Skip]);
    let counts = Msg::TalkProved { held: int(held), all: int(all - left), left: int(left) };
    let tone = if day.is_passed() { Tone::Good } else { Tone::Bad };
    let mut lines = vec![canvas.tone(tone, &canvas.say(&counts))];
    // A code is told of before it is met.
    lines.push(
        canvas.tone(
            Tone::Quiet,
            &wrap(&canvas.say(&Msg::TalkCodes), canvas.width.saturating_sub(2), 0),
        ),
    );
    let bad = |it: &&CheckResult| matches!(it.state, State::Fail | State::Blocked);
    let mut left: Vec<&CheckResult> =
        day.checks.iter().filter(|it| it.state.is_well() || bad(it)).collect();
    let (rest, beyond) = (canvas.say(&Msg::TalkRest), canvas.say(&Msg::TalkBeyond));
    let named = meant.iter().map(|(title, ids)| (title, Some(ids)));
    for (title, ids) in named.chain([(&rest, None), (&beyond, None)]) {
        let is_of = |it: &&CheckResult| match ids {
            Some(ids) => ids.contains(&it.id),
            None => it.id.starts_with('D') || *title == beyond,
        };
        let (of, others): (Vec<_>, Vec<_>) = left.into_iter().partition(is_of);
        left = others;
        lines.extend(group(title, &of, canvas));
        lines.extend(of.into_iter().filter(bad).map(|it| check(it, canvas)));
    }
    lines.join("\n")
}

/// What some checks mean together, with their codes in the margin; nothing where there are none.
fn group(title: &str, checks: &[&CheckResult], canvas: &Canvas) -> Option<String> {
    let held: Vec<&str> =
        checks.iter().filter(|it| it.state.is_well()).map(|it| it.id.as_str()).collect();
    let width = usize::from(canvas.width);
    let (mark, tone) = sign(if held.len() == checks.len() { State::Pass } else { State::Fail });
    let head = format!("{} {title}", canvas.tone(tone, mark));
    let used = columns(title) + 2;
    let codes = held.join(" ");
    if checks.is_empty() {
        return None;
    }
    let room = width.saturating_sub(used + 2);
    if columns(&codes) <= room {
        let blanks = " ".repeat(room.saturating_sub(columns(&codes)) + 1);
        return Some(format!("{head}{blanks}{}", canvas.tone(Tone::Quiet, &codes)));
    }
    let codes = wrap(&codes, canvas.width.saturating_sub(6), 0).replace('\n', "\n    ");
    Some(format!("{head}\n    {}", canvas.tone(Tone::Quiet, &codes)))
}

/// The screen after a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End<'t> {
    /// The day's title.
    pub title: &'t str,
    /// How many steps were shown, and how many done.
    pub gone: (usize, usize),
    /// How many required checks are proved on the learner's own server, of how many.
    pub proved: (usize, usize),
    /// What one can say now.
    pub learnt: &'t str,
    /// The lesson.
    pub id: &'t str,
    /// How the course's own shop is installed and started.
    pub own: &'t [String; 2],
    /// The lesson that comes next.
    pub next: Option<&'t str>,
}

/// What a day came to.
pub fn end(it: &End<'_>, canvas: &Canvas) -> String {
    let (shown, done) = it.gone;
    let (proved, all) = it.proved;
    let counts =
        Msg::TalkCounts { shown: int(shown), done: int(done), proved: int(proved), all: int(all) };
    let mut parts = vec![
        canvas.tone(Tone::Strong, &canvas.say(&Msg::TalkEnd { title: it.title })),
        canvas.say(&counts),
        text(it.learnt, canvas),
    ];
    if done == 0 {
        parts.push(text(&canvas.say(&Msg::TalkOnlyShown), canvas));
    }
    let next = it.next.map(|next| format!("stripegym {next}"));
    let next = next.unwrap_or_else(|| "stripegym status".to_owned());
    parts.push(format!("{}\n    {}", canvas.say(&Msg::TalkNext), canvas.typed(&next)));
    let [install, start] = it.own;
    let mut own = vec![canvas.say(&Msg::TalkOwn)];
    let prove = format!("stripegym {} --exec \"{start}\"", it.id);
    for line in ["stripegym starter python shop", "cd shop", install, &prove] {
        own.push(format!("    {}", canvas.typed(line)));
    }
    parts.push(own.join("\n"));
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use crate::view::canvas::Format;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn canvas(locale: Locale) -> Canvas {
        Canvas {
            format: Format::Text,
            locale,
            width: 80,
            terminal: true,
            colour: false,
            zone: TimeZone::UTC,
            program: "stripegym".to_owned(),
        }
    }

    #[test]
    fn an_event_keeps_its_shape_and_shows_only_what_matters() {
        let value = json!({"id": "evt_1", "secret": 1,
            "data": {"object": {"id": "cs_1", "amount_total": 500, "x": 2}}, "type": "t"});
        let members = ["/id", "/data/object/id", "/data/object/amount_total", "/type"];
        let members = members.map(str::to_owned);
        let marks = BTreeMap::from([("/id".to_owned(), "here".to_owned())]);
        let shown = event(&value, &members, &marks, &canvas(Locale::En));
        assert!(shown.contains("\"id\": \"evt_1\",") && shown.contains("← here"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("\"x\""), "{shown}");
        assert_eq!(shown.matches('{').count(), shown.matches('}').count(), "{shown}");
    }

    #[test]
    fn a_head_has_two_lines_of_the_width() {
        for locale in Locale::ALL {
            let gone = [Some(Gone::Done), Some(Gone::Shown), None, None];
            for title in ["Day 3 · x", "3 日目 · 本物のイベントだけを受け取る", &"長".repeat(60)]
            {
                let lines = head(title, 2, &gone, &canvas(locale));
                assert_eq!(lines.len(), 2);
                assert!(lines.iter().all(|line| columns(line) <= 80), "{lines:?}");
            }
        }
    }
}
