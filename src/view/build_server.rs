//! What `check` came to, for build servers: annotations of GitHub Actions, and a summary in Markdown.

use crate::domain::course::graded::Checked;
use crate::domain::course::outcome::{CheckResult, Failure, State};
use crate::view::canvas::Canvas;
use crate::view::check::summed;
use crate::view::foreign;
use crate::view::statement;
use crate::view::words::Msg;

/// A failed check a line, as GitHub Actions shows it beside a commit; what rests on it is left out.
pub fn github(it: &Checked, canvas: &Canvas) -> String {
    let mut out = String::new();
    for (check, failure) in failed(it) {
        let level = if it.blocks(check) { "error" } else { "warning" };
        let title = property(&format!("{} {}", failure.code, check.title));
        let text = told(failure, canvas);
        let text = text.iter().map(|(label, said)| format!("{label} {said}"));
        let text = foreign::workflow(&text.collect::<Vec<_>>().join("\n"));
        out.extend(["::", level, " title=", &title, "::", &text, "\n"]);
    }
    let summary = foreign::workflow(&summed(it, canvas));
    out.extend(["::notice title=stripegym::", &summary, "\n"]);
    out
}

/// A page with the figures and a section for each failed check.
pub fn markdown(it: &Checked, canvas: &Canvas) -> String {
    let mark = if it.is_well() { "✅" } else { "❌" };
    let mut out = format!("## {mark} stripegym\n\n{}\n", foreign::markdown(&summed(it, canvas)));
    for (check, failure) in failed(it) {
        let mark = if it.blocks(check) { "❌" } else { "⚠️" };
        let head = [failure.code.as_str(), check.title.as_str()].map(foreign::markdown).join(" ");
        out.extend(["\n### ", mark, " ", &head, "\n\n"]);
        for (label, said) in told(failure, canvas) {
            out.extend(["- ", &foreign::markdown(&label), ": ", &foreign::markdown(&said), "\n"]);
        }
    }
    out
}

/// The checks that failed by themselves, with what there is to say of them.
fn failed(it: &Checked) -> impl Iterator<Item = (&CheckResult, &Failure)> {
    let own = it.checks().filter(|check| check.state != State::Blocked);
    own.filter_map(|check| check.failure.as_ref().map(|failure| (check, failure)))
}

fn told(it: &Failure, canvas: &Canvas) -> Vec<(String, String)> {
    let parts = [
        (Msg::CourseChecked, it.checked.clone()),
        (Msg::CourseExpected, statement::expected(&it.expected, canvas)),
        (Msg::CourseGot, statement::got(&it.got, canvas)),
        (Msg::CourseWhy, it.why.clone()),
        (Msg::CourseNext, it.next.clone()),
    ];
    let said = parts.into_iter().filter(|(_, said)| !said.is_empty());
    said.map(|(label, said)| (canvas.say(&label).trim().to_owned(), said)).collect()
}

/// The value of a workflow command's property, which ends at a comma or colons.
fn property(text: &str) -> String {
    foreign::workflow(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::evidence::Evidence;
    use crate::domain::course::graded::Graded;
    use crate::domain::course::outcome::DayResult;
    use crate::domain::course::{Kind, Level, Severity};
    use crate::domain::locale::Locale;
    use crate::domain::mode::Mode;
    use crate::domain::report::Report;
    use crate::view::{self, course_json, talk};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A day with a check that failed for something that a server said.
    fn failed_by(said: &str) -> Checked {
        let own = || said.to_owned();
        let failure = Failure {
            code: "SGX1".to_owned(),
            checked: own(),
            expected: own().into(),
            got: own().into(),
            why: own(),
            next: own(),
            scene: None,
        };
        let check = CheckResult {
            id: "X1".to_owned(),
            code: "SGX1".to_owned(),
            title: own(),
            kind: Kind::Auto,
            level: Level::Required,
            severity: Severity::Wrong,
            root: None,
            state: State::Fail,
            findings: Vec::new(),
            failure: Some(failure),
            evidence: Evidence::default(),
            took_ms: 1,
        };
        let day = DayResult {
            id: "day1".to_owned(),
            title: own(),
            next: None,
            version: 1,
            api_version: String::new(),
            track: "shop",
            checks: vec![check],
            notes: Vec::new(),
            gates: Vec::new(),
            cut: false,
            took_ms: 1,
        };
        let graded = Graded { day, hints: BTreeMap::new(), mode: Mode::Sandbox, every: true };
        Checked { days: vec![graded], strict: false, took_ms: 1 }
    }

    /// Every form in which it is told; the conversation's goes over its screen.
    fn told_in_every_form(said: &str) -> Vec<String> {
        let canvas = Canvas::plain(Locale::En);
        let checked = failed_by(said);
        let days: Vec<&DayResult> = checked.days.iter().map(|it| &it.day).collect();
        let mut forms =
            vec![github(&checked, &canvas), markdown(&checked, &canvas), course_json::junit(&days)];
        let talked: Vec<String> = checked.checks().map(|it| talk::check(it, &canvas)).collect();
        forms.extend(talked.into_iter().map(|text| foreign::printed(text, &canvas)));
        let day = Report::Day(Box::new(checked.days[0].day.clone()));
        let reports = [day, Report::Checked(Box::new(checked))];
        forms.extend(reports.iter().filter_map(|report| view::render(report, &canvas)));
        forms
    }

    #[test]
    fn a_workflow_command_stays_one_command() {
        assert_eq!(foreign::workflow("50% of\r\nit"), "50%25 of%0Ait");
        assert_eq!(property("a::error title=b,c"), "a%3A%3Aerror title=b%2Cc");
    }

    proptest! {
        #[test]
        fn what_a_server_said_acts_in_no_form(
            odd in prop::sample::select(vec![
                "\u{1b}[2J", "\u{7}", "\r", "\u{9b}31m", "\u{202e}", "\u{2066}", "\u{2028}", "\0", "\u{7f}",
            ]),
            after in "[a-z]{1,3}",
        ) {
            for form in told_in_every_form(&format!("{odd}{after}")) {
                prop_assert_eq!(foreign::printed(form.clone(), &Canvas::plain(Locale::En)), form);
            }
        }
    }
}
