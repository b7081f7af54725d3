//! `check` for people and programs: days graded quietly, once or round after round.

use crate::domain::course::graded::{Cause, Change, Checked, Graded, Means, Round};
use crate::domain::course::outcome::{CheckResult, DayResult, State};
use crate::domain::fault::Fault;
use crate::view::canvas::{Canvas, Tone};
use crate::view::course::{failed, hang, notes, sign, titled};
use crate::view::course_json::judged;
use crate::view::words::{Msg, int};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Makes room on a terminal: clears it and goes to its upper left corner.
pub(super) const CLEAR: &str = "\u{1b}[2J\u{1b}[3J\u{1b}[H";

fn seconds(took_ms: u64) -> String {
    format!("{}.{}", took_ms / 1000, took_ms / 100 % 10)
}

/// One day: its items' signs, then its items, or only those that are not passed.
pub fn graded(it: &Graded, canvas: &Canvas) -> String {
    let mut signs = String::new();
    for check in &it.day.checks {
        let (mark, tone) = sign(check.state);
        signs.push_str(&canvas.tone(tone, mark));
    }
    let mut lines = vec![canvas.tone(Tone::Strong, &it.day.title), format!("  {signs}")];
    let shown = it.day.checks.iter().filter(|check| it.every || check.state != State::Pass);
    let shown = shown.filter(|check| check.root.is_none());
    lines.extend(shown.map(|check| item(check, canvas)));
    lines.extend(waiting(&it.day.checks, canvas));
    lines.extend(notes(&it.day, 2, canvas));
    lines.join("\n")
}

/// What waits for each check that failed, told once.
fn waiting(checks: &[CheckResult], canvas: &Canvas) -> Vec<String> {
    let mut roots: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in checks {
        if let Some(root) = &check.root {
            roots.entry(root).or_default().push(&check.id);
        }
    }
    let (mark, tone) = sign(State::Blocked);
    let line = |(root, waiting): (&str, Vec<&str>)| {
        let (all, ids) = (int(waiting.len()), waiting.join(" "));
        let text = canvas.say(&Msg::CheckWaiting { root, all, ids: &ids });
        hang(canvas, &format!("  {}", canvas.tone(tone, mark)), &text, 4)
    };
    roots.into_iter().map(line).collect()
}

fn item(check: &CheckResult, canvas: &Canvas) -> String {
    let told = check.failure.as_ref().map_or_else(String::new, |it| failed(it, canvas));
    headed(check, &titled(check, canvas), canvas) + &told
}

fn headed(check: &CheckResult, title: &str, canvas: &Canvas) -> String {
    let (mark, tone) = sign(check.state);
    hang(canvas, &format!("  {} {:<5}", canvas.tone(tone, mark), check.id), title, 10)
}

/// All days together, and what to type next.
pub fn checked(it: &Checked, canvas: &Canvas) -> String {
    let mut lines = vec![summed(it, canvas)];
    lines.push(canvas.say(&Msg::CourseType { command: &next(it) }));
    lines.join("\n")
}

pub(super) fn summed(it: &Checked, canvas: &Canvas) -> String {
    let counts = it.counts();
    let summary = canvas.say(&Msg::CheckSummary {
        passed: int(counts.passed),
        failed: int(counts.failed),
        warned: int(counts.warned),
        open: int(counts.open),
        skipped: int(counts.skipped),
        seconds: &seconds(it.took_ms),
    });
    canvas.tone(if it.is_well() { Tone::Good } else { Tone::Bad }, &summary)
}

/// The one command to type next.
fn next(it: &Checked) -> String {
    if let Some(failure) = it.first_failure() {
        return failure.next.clone();
    }
    let open = it.checks().find(|check| it.blocks(check));
    let last = it.days.last().map(|graded| &graded.day);
    let day = last.map(|day| day.id.as_str()).unwrap_or_default();
    if let Some(open) = open {
        let has = |graded: &&Graded| graded.day.checks.iter().any(|check| check.id == open.id);
        let day = it.days.iter().find(has).map_or(day, |graded| graded.day.id.as_str());
        return format!("stripegym {day} --attest {}", open.id);
    }
    // A day without gates was cut to some of its checks: all of them come next.
    if let Some(cut) = it.days.iter().find(|graded| graded.day.gates.is_empty()) {
        return format!("stripegym check {}", cut.day.id);
    }
    let next = last.and_then(|day| day.next.as_deref()).unwrap_or("status");
    format!("stripegym {next}")
}

/// What watching begins with.
pub fn watching(folder: &str, means: Means, why: Option<&str>, canvas: &Canvas) -> String {
    let mut lines = vec![canvas.prose(&match means {
        Means::Events => Msg::WatchEvents { folder },
        Means::Polling => Msg::WatchPolling { folder },
    })];
    if let Some(why) = why {
        lines.push(canvas.prose(&Msg::WatchWhyPolling { why }));
    }
    lines.join("\n")
}

/// One round: what changed first, then what is not passed.
pub fn round(it: &Round, canvas: &Canvas) -> String {
    let cause = match &it.cause {
        Cause::Began => canvas.say(&Msg::WatchBegan),
        Cause::Files { first, count: 1 } => first.clone(),
        Cause::Files { first, count: all } => {
            canvas.say(&Msg::WatchFiles { first, more: int(all.saturating_sub(1)) })
        }
        Cause::Delivery { kind, event } => format!("{kind} {event}"),
        Cause::Back => canvas.say(&Msg::WatchBack),
    };
    let mut lines = Vec::new();
    if it.number > 1 {
        lines.push(String::new());
    }
    let number = int(it.number);
    let head = canvas.say(&Msg::WatchRound { number, cause: &cause });
    lines.push(canvas.tone(Tone::Strong, &hang(canvas, "●", &head, 2)));
    lines.extend(it.changes.iter().map(|change| changed(change, &it.checked, canvas)));
    let mut whole = true;
    let told = |check: &&CheckResult| check.failure.is_some() && check.root.is_none();
    for check in it.checked.checks().filter(told) {
        // The first failure is told in full: the others may go away with it.
        lines.push(if whole { item(check, canvas) } else { headed(check, &check.title, canvas) });
        whole = false;
    }
    lines.push(summed(&it.checked, canvas));
    lines.push(canvas.say(&Msg::CourseType { command: &next(&it.checked) }));
    let text = lines.join("\n");
    if it.clear { format!("{CLEAR}{text}") } else { text }
}

/// A round that could not be graded; a change can mend that.
pub fn round_failed(number: u64, fault: &Fault, canvas: &Canvas) -> String {
    let number = int(number);
    let head = canvas.say(&Msg::WatchRound { number, cause: &canvas.say(&Msg::WatchFailed) });
    let head = canvas.tone(Tone::Strong, &hang(canvas, "●", &head, 2));
    // The code is for programs alone.
    format!("{head}\n{}", crate::view::fault::render(fault, 0, canvas))
}

/// The same for programs.
pub fn round_failed_json(number: u64, fault: &Fault, canvas: &Canvas) -> Value {
    let message = crate::view::fault::what(&fault.kind, canvas);
    let failed = json!({ "kind": fault.kind.name(), "message": message, "cause": fault.cause });
    json!({ "round": { "number": number, "failed": failed } })
}

fn changed(it: &Change, checked: &Checked, canvas: &Canvas) -> String {
    let (mark, tone) = sign(it.after);
    let before = sign(it.before).0;
    let title = checked.checks().find(|check| check.id == it.id).map(|check| check.title.as_str());
    let head = format!("  {before} → {} {:<5}", canvas.tone(tone, mark), it.id);
    hang(canvas, &head, title.unwrap_or_default(), 14)
}

/// One day for programs: an object a check.
pub fn graded_json(it: &Graded) -> Vec<Value> {
    it.day.checks.iter().map(|check| item_json(check, &it.day, it)).collect()
}

fn item_json(check: &CheckResult, day: &DayResult, graded: &Graded) -> Value {
    let scene = check.failure.as_ref().and_then(|it| it.scene.as_ref());
    let more = json!({
        "id": check.id,
        "day": day.id,
        "severity": check.severity,
        "root": check.root,
        "request": scene.map(|it| &it.request),
        "answer": scene.map(|it| &it.answer),
        "log": scene.map(|it| &it.log),
        "said": scene.and_then(|it| it.said),
        "hint_tier": graded.hints.get(&check.code).copied().unwrap_or_default(),
        "evidence": check.evidence.json(),
        "lesson_version": day.version,
        "api_version": day.api_version,
        "mode": graded.mode.name(),
        "track": day.track,
    });
    judged(check, more)
}

/// All days together, for programs.
pub fn checked_json(it: &Checked) -> Value {
    let counts = it.counts();
    json!({ "summary": {
        "ok": it.is_well(),
        "days": it.days.iter().map(|graded| &graded.day.id).collect::<Vec<_>>(),
        "checks": counts.all,
        "passed": counts.passed,
        "failed": counts.failed,
        "warned": counts.warned,
        "open": counts.open,
        "skipped": counts.skipped,
        "strict": it.strict,
        "next": next(it),
        "took_ms": it.took_ms,
    }})
}

/// One round for programs, as lines.
pub fn round_json(it: &Round) -> String {
    let mut lines: Vec<String> = Vec::new();
    for graded in &it.checked.days {
        lines.extend(graded_json(graded).iter().map(ToString::to_string));
    }
    let (files, event) = match &it.cause {
        Cause::Began | Cause::Back => (None, None),
        Cause::Files { first, count } => (Some(json!({ "first": first, "count": count })), None),
        Cause::Delivery { event, .. } => (None, Some(event)),
    };
    let changes = it.changes.iter().map(|change| {
        json!({ "id": change.id, "before": change.before.name(), "after": change.after.name() })
    });
    let mut summary = checked_json(&it.checked);
    if let Some(map) = summary.as_object_mut() {
        let changes = changes.collect::<Vec<_>>();
        let round = json!({
            "number": it.number, "cause": it.cause.name(), "files": files, "event": event, "changes": changes,
        });
        map.insert("round".to_owned(), round);
    }
    lines.push(summary.to_string());
    lines.join("\n")
}
