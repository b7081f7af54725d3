//! What `check` came to, for build servers: annotations of GitHub Actions, and a summary in Markdown.

use crate::domain::course::graded::Checked;
use crate::domain::course::outcome::{CheckResult, Failure, State};
use crate::view::canvas::Canvas;
use crate::view::check::summed;
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
        let text = message(&text.collect::<Vec<_>>().join("\n"));
        out.extend(["::", level, " title=", &title, "::", &text, "\n"]);
    }
    let summary = message(&summed(it, canvas));
    out.extend(["::notice title=stripegym::", &summary, "\n"]);
    out
}

/// A page with the figures and a section for each failed check.
pub fn markdown(it: &Checked, canvas: &Canvas) -> String {
    let mark = if it.is_well() { "✅" } else { "❌" };
    let mut out = format!("## {mark} stripegym\n\n{}\n", text(&summed(it, canvas)));
    for (check, failure) in failed(it) {
        let mark = if it.blocks(check) { "❌" } else { "⚠️" };
        let head = [failure.code.as_str(), check.title.as_str()].map(text).join(" ");
        out.extend(["\n### ", mark, " ", &head, "\n\n"]);
        for (label, said) in told(failure, canvas) {
            out.extend(["- ", &text(&label), ": ", &text(&said), "\n"]);
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

/// The text of a workflow command: one line, in which `%` introduces a code.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a workflow command's property, which ends at a comma or colons.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// One line of Markdown that shows what is there and means nothing else.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => out.extend(['\\', c]),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_command_stays_one_command() {
        assert_eq!(message("50% of\r\nit"), "50%25 of%0D%0Ait");
        assert_eq!(property("a::error title=b,c"), "a%3A%3Aerror title=b%2Cc");
    }

    #[test]
    fn what_a_server_said_is_no_markup() {
        assert_eq!(text("<img src=x> [a](b)\n# c"), "&lt;img src=x&gt; \\[a\\](b) \\# c");
    }
}
