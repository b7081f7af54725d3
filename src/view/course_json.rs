//! The course for programs: JSON, and the XML that build servers read.

use crate::domain::course::carried::Carried;
use crate::domain::course::outcome::{CheckResult, DayResult, ItemResult, State};
use crate::domain::course::progress_report::{Flaw, Verified};
use crate::domain::course::standing::DayStatus;
use crate::domain::notice::Look;
use crate::domain::report::{LessonsChecked, Tried};
use crate::view::foreign;
use serde_json::{Value, json};

/// What every form says of a check, with what else one of them says.
pub(super) fn judged(it: &CheckResult, more: Value) -> Value {
    let failure = it.failure.as_ref();
    let mut all = json!({
        "code": failure.map_or(&it.code, |failure| &failure.code),
        "kind": it.kind,
        "state": it.state,
        "title": it.title,
        "checked": failure.map(|it| &it.checked),
        "expected": failure.map(|it| &it.expected),
        "got": failure.map(|it| &it.got),
        "why": failure.map(|it| &it.why),
        "next": failure.map(|it| &it.next),
        "duration_ms": it.took_ms,
    });
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}

/// One check.
pub fn check(it: &CheckResult) -> Value {
    let findings = it.findings.iter();
    let findings =
        findings.map(|it| json!({ "holds": it.holds, "expected": it.expected, "got": it.got }));
    judged(it, json!({ "check": it.id, "findings": findings.collect::<Vec<_>>() }))
}

fn item(it: &ItemResult) -> Value {
    json!({ "id": it.id, "state": it.state.name(), "title": it.title, "because": it.because })
}

/// A day at its end. Its checks were lines of their own.
pub fn day(it: &DayResult) -> Value {
    let states = it.checks.iter().map(|check| (check.id.clone(), json!(check.state.name())));
    json!({
        "day": it.id,
        "ok": it.is_passed(),
        "lesson_version": it.version,
        "api_version": it.api_version,
        "track": it.track,
        "checks": states.collect::<serde_json::Map<_, _>>(),
        "notes": it.notes.iter().map(item).collect::<Vec<_>>(),
        "gates": it.gates.iter().map(item).collect::<Vec<_>>(),
        "took_ms": it.took_ms,
    })
}

/// What came of a run.
pub fn look(it: &Look) -> Value {
    let session = |one: &crate::domain::notice::LookSession| {
        json!({
            "session": one.id, "amount": one.amount, "currency": one.currency, "status": one.status,
            "payment_status": one.payment_status, "ledger": one.ledger, "agrees": one.agrees,
            "created": one.created.rfc3339(), "payment_intent": one.intent, "charge": one.charge,
        })
    };
    let event = |(kind, all, pending): &(String, u64, u64)| json!({ "type": kind, "count": all, "pending": pending });
    let scenario = |one: &crate::domain::notice::LookScenario| {
        json!({
            "scenario": one.title, "answers": one.answers, "attempts": one.attempts,
            "faults": one.faults, "ledger": one.ledger, "verdict": one.verdict,
        })
    };
    json!({ "look": {
        "scenarios": it.scenarios.iter().map(scenario).collect::<Vec<_>>(),
        "sessions": it.sessions.iter().map(session).collect::<Vec<_>>(),
        "events": it.events.iter().map(event).collect::<Vec<_>>(),
    }})
}

/// Where the learner stands.
pub fn status(days: &[DayStatus]) -> Value {
    let day = |it: &DayStatus| {
        let states =
            it.checks.iter().map(|(id, state)| (id.clone(), json!(state.map(State::name))));
        json!({
            "day": it.id, "title": it.title, "passed": it.passed, "required": it.required,
            "checks": states.collect::<serde_json::Map<_, _>>(), "hints": it.hints,
            "shown": it.gone.0, "done": it.gone.1, "proved": it.proved, "optional": it.optional,
            "solution": it.solution.map(|gave_up| if gave_up { "gave_up" } else { "shown" }),
        })
    };
    json!({ "days": days.iter().map(day).collect::<Vec<_>>() })
}

/// What was carried where.
pub fn carried(it: &Carried) -> Value {
    match it {
        Carried::Written { path, seal } => json!({ "written": path, "sha256": seal }),
        Carried::Imported { checks, attempts, backup } => {
            json!({ "checks": checks, "attempts": attempts, "backup": backup })
        }
        Carried::Solution { day, language, path, text, gave_up } => json!({
            "day": day, "language": language, "path": path, "text": text, "gave_up": gave_up,
        }),
        Carried::SolutionHeld { name, next } => json!({ "held": name, "next": next }),
        Carried::Starter { folder, files, install, start } => {
            json!({ "folder": folder, "files": files, "install": install, "start": start })
        }
    }
}

/// Whether a report holds.
pub fn verified(it: &Verified) -> Value {
    let flaw = |flaw: &Flaw| {
        let what = match flaw {
            Flaw::Unreadable(what)
            | Flaw::Row(what)
            | Flaw::Evidence(what)
            | Flaw::Unknown(what)
            | Flaw::Differs(what) => json!(what),
            Flaw::Text(line) => json!(line),
            Flaw::Seal => Value::Null,
        };
        json!({ "flaw": flaw.name(), "what": what })
    };
    json!({
        "ok": it.flaws.is_empty(), "file": it.file, "rows": it.rows, "seal": it.seal,
        "flaws": it.flaws.iter().map(flaw).collect::<Vec<_>>(), "against": it.against,
        "other_program": it.other,
    })
}

/// Whether the lessons keep to their format.
pub fn lessons(it: &LessonsChecked) -> Value {
    let items = it.items.iter().map(|(letter, count)| (letter.to_string(), json!(count)));
    json!({
        "ok": it.problems.is_empty(), "items": items.collect::<serde_json::Map<_, _>>(),
        "commands": it.commands, "beyond_loopback": it.beyond, "problems": it.problems,
        "tried": it.tried.iter().map(tried).collect::<Vec<_>>(),
    })
}

/// How a program came out.
pub fn tried(it: &Tried) -> Value {
    json!({
        "tried": it.name, "ok": it.wrong.is_none(), "wrong": it.wrong, "failed": it.failed,
        "duration_ms": it.took_ms,
    })
}

/// Days in the XML of `JUnit`: a suite each.
pub fn junit(days: &[&DayResult]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    out.extend(days.iter().map(|day| suite(day)));
    out.push_str("</testsuites>\n");
    out
}

fn suite(it: &DayResult) -> String {
    let of =
        |state: &[State]| it.checks.iter().filter(|check| state.contains(&check.state)).count();
    let mut out = String::new();
    out.extend([format!(
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{}\">\n",
        foreign::markup(&it.id),
        it.checks.len(),
        of(&[State::Fail, State::Blocked]),
        of(&[State::Skip, State::Attest, State::Warn]),
        seconds(it.took_ms),
    )]);
    for check in &it.checks {
        let name = format!("{} {}", check.id, check.title);
        out.extend([format!(
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
            foreign::markup(&it.id),
            foreign::markup(&name),
            seconds(check.took_ms)
        )]);
        match (check.state, &check.failure) {
            (State::Fail | State::Blocked, Some(failure)) => {
                let text = format!(
                    "{}\n{}\n{}\n{}\n{}",
                    failure.checked, failure.expected, failure.got, failure.why, failure.next
                );
                out.extend([format!(
                    ">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
                    foreign::markup(&failure.code),
                    foreign::markup(&text)
                )]);
            }
            (State::Skip | State::Attest | State::Warn, _) => {
                out.extend([format!(
                    ">\n    <skipped message=\"{}\"/>\n  </testcase>\n",
                    check.state.name()
                )]);
            }
            _ => out.push_str("/>\n"),
        }
    }
    out.push_str("</testsuite>\n");
    out
}

fn seconds(took_ms: u64) -> String {
    format!("{}.{:03}", took_ms / 1000, took_ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::evidence::Evidence;
    use crate::domain::course::outcome::Failure;
    use crate::domain::course::statement::Statement;
    use crate::domain::course::{Kind, Level, Severity};

    #[test]
    fn a_junit_report_counts_and_escapes() {
        let failure = Failure {
            code: "SG1.1-X".to_owned(),
            checked: "a < b".to_owned(),
            expected: Statement::Nothing,
            got: "\u{1b}[1m".into(),
            why: String::new(),
            next: String::new(),
            scene: None,
        };
        let check = CheckResult {
            id: "D1.1".to_owned(),
            code: "SG1.1".to_owned(),
            title: "\"q\" & r".to_owned(),
            kind: Kind::Auto,
            level: Level::Required,
            severity: Severity::Wrong,
            root: None,
            state: State::Fail,
            findings: Vec::new(),
            failure: Some(failure),
            evidence: Evidence::default(),
            took_ms: 1_005,
        };
        let day = DayResult {
            id: "day1".to_owned(),
            title: String::new(),
            next: None,
            version: 1,
            api_version: String::new(),
            track: "shop",
            checks: vec![check],
            notes: Vec::new(),
            gates: Vec::new(),
            cut: false,
            took_ms: 2_000,
        };
        let xml = junit(&[&day]);
        assert!(xml.contains("tests=\"1\" failures=\"1\" skipped=\"0\" time=\"2.000\""), "{xml}");
        assert!(xml.contains("name=\"D1.1 &quot;q&quot; &amp; r\" time=\"1.005\""), "{xml}");
        assert!(xml.contains("a &lt; b") && !xml.contains('\u{1b}'), "{xml}");
    }
}
