//! Facts of the course as sentences: what should have been, what was found.

use crate::domain::course::claim::Op;
use crate::domain::course::statement::{Attempt, Statement, Subject};
use crate::domain::locale::Locale;
use crate::view::canvas::Canvas;
use crate::view::words::{Msg, int};

/// What should have been, as a sentence.
pub fn expected(it: &Statement, canvas: &Canvas) -> String {
    ended(&said(it, canvas), it, canvas)
}

/// What was found, as a sentence where it is more than a value.
pub fn got(it: &Statement, canvas: &Canvas) -> String {
    match it {
        Statement::Nothing => ended(&canvas.say(&Msg::StateNothing), it, canvas),
        Statement::Is(what, Op::Eq | Op::Ne, value) => {
            canvas.say(&Msg::StateFound { what: &subject(what, canvas), value })
        }
        Statement::Grows(by) => {
            let by = int(*by);
            ended(&canvas.say(&Msg::StateGrew { by }), it, canvas)
        }
        Statement::All(all) => all.iter().map(|it| got(it, canvas)).collect::<Vec<_>>().join(" · "),
        other => ended(&said(other, canvas), other, canvas),
    }
}

/// Why an item is as it is: names, or what should have been and what was found in its place.
pub fn because(all: &[Statement], canvas: &Canvas) -> String {
    let one = |it: &Statement| match it {
        Statement::Instead(wanted, found) => canvas.say(&Msg::StateInstead {
            expected: said(wanted, canvas).trim_end_matches('.'),
            got: &got(found, canvas),
        }),
        other => said(other, canvas),
    };
    all.iter().map(one).collect::<Vec<_>>().join(" · ")
}

/// A sentence ends as its language wants it; a value that stands alone is none.
fn ended(text: &str, it: &Statement, canvas: &Canvas) -> String {
    if matches!(it, Statement::Line(_)) || text.ends_with(['.', '。', '?', '？']) {
        return text.to_owned();
    }
    match canvas.locale {
        Locale::Ja => format!("{text}。"),
        Locale::En => {
            let first = text.split(' ').next().unwrap_or_default();
            let plain = first.chars().all(|c| c.is_ascii_lowercase());
            let mut letters = text.chars();
            match letters.next().filter(|_| plain) {
                Some(letter) => format!("{}{}.", letter.to_ascii_uppercase(), letters.as_str()),
                None => format!("{text}."),
            }
        }
    }
}

fn subject(it: &Subject, canvas: &Canvas) -> String {
    match it {
        Subject::Header(name) => canvas.say(&Msg::StateHeader { name }),
        Subject::Body(of) => canvas.say(&Msg::StateBody { of }),
        Subject::Member(of, at) if at.is_empty() => of.clone(),
        Subject::Member(of, at) => {
            let name = at.trim_start_matches('/').replace('/', ".");
            canvas.say(&Msg::StateMember { of, name: &name })
        }
        Subject::Column(name) => canvas.say(&Msg::StateColumn { name }),
    }
}

fn compared(what: &Subject, op: Op, value: &str, canvas: &Canvas) -> String {
    let what = &*subject(what, canvas);
    canvas.say(&match op {
        Op::Eq => Msg::StateIs { what, value },
        Op::Ne => Msg::StateIsNot { what, value },
        Op::In => Msg::StateIsOneOf { what, value },
        Op::Ge => Msg::StateAtLeast { what, value },
        Op::Le => Msg::StateAtMost { what, value },
        Op::Present => Msg::StateIsThere { what },
        Op::Absent => Msg::StateIsNotThere { what },
        Op::Starts => Msg::StateBegins { what, value },
        Op::Contains => Msg::StateContains { what, value },
        Op::Integer => Msg::StateWhole { what },
    })
}

/// A status or a class of them, as it is called.
fn status(is: &str, canvas: &Canvas) -> String {
    let one = |is: &str| match is {
        "2xx" => canvas.say(&Msg::StateSuccess),
        "3xx" => canvas.say(&Msg::StateRedirect),
        "4xx" => canvas.say(&Msg::StateRefusal),
        "5xx" => canvas.say(&Msg::StateBroken),
        other => other.to_owned(),
    };
    let all: Vec<String> = is.split('|').map(|is| one(is.trim())).collect();
    either(&all, canvas)
}

fn either(all: &[String], canvas: &Canvas) -> String {
    let mut all = all.iter().cloned();
    let first = all.next().unwrap_or_default();
    all.fold(first, |one, other| canvas.say(&Msg::StateOr { one: &one, other: &other }))
}

fn each(all: &[Statement], canvas: &Canvas) -> Vec<String> {
    all.iter().map(|it| said(it, canvas)).collect()
}

fn listed<'t>(all: impl IntoIterator<Item = &'t String>, canvas: &Canvas) -> String {
    let all: Vec<&str> = all.into_iter().map(String::as_str).collect();
    all.join(match canvas.locale {
        Locale::Ja => "、",
        Locale::En => ", ",
    })
}

fn answered(name: &str, status: u64, canvas: &Canvas) -> String {
    let unheard = canvas.say(&Msg::TalkUnheard);
    match (name, status) {
        ("", 0) => unheard,
        (of, 0) => canvas.say(&Msg::StateFound { what: of, value: &unheard }),
        ("", is) => canvas.say(&Msg::StateAnswered { status: &is.to_string() }),
        (of, is) => canvas.say(&Msg::StateAnsweredTo { of, status: &is.to_string() }),
    }
}

fn attempt(it: &Attempt, canvas: &Canvas) -> String {
    canvas.say(&match it {
        Attempt::Count(number) => Msg::StateAttempts { count: int(*number) },
        Attempt::Least(number) => Msg::StateAttemptsLeast { count: int(*number) },
        Attempt::First(is) => {
            return canvas.say(&Msg::StateFirst { status: &status(is, canvas) });
        }
        Attempt::Ends(end) => Msg::StateEnds { end },
        Attempt::Quick(ms) => Msg::StateQuick { ms: int(*ms) },
    })
}

fn ledger(it: &Statement, canvas: &Canvas) -> Option<String> {
    Some(canvas.say(&match it {
        Statement::Rows(session, None) => Msg::StateRow { session },
        Statement::Rows(session, Some(all)) => Msg::StateRows { session, count: int(*all) },
        Statement::NoRows(sessions) => {
            let sessions = listed(sessions, canvas);
            return Some(canvas.say(&Msg::StateNoRows { sessions: &sessions }));
        }
        Statement::Grows(by) => Msg::StateGrows { by: int(*by) },
        Statement::Unchanged(_) => Msg::StateUnchanged,
        Statement::From(_, after, true) => Msg::StateOthers { after: int(*after) },
        Statement::From(before, after, false) => {
            Msg::StateFrom { before: int(*before), after: int(*after) }
        }
        Statement::Verdicts(only, least) => {
            let only = either(only, canvas);
            let count = int(*least);
            return Some(canvas.say(&Msg::StateVerdicts { only: &only, count }));
        }
        _ => return None,
    }))
}

fn said(it: &Statement, canvas: &Canvas) -> String {
    if let Some(text) = ledger(it, canvas) {
        return text;
    }
    let seconds = |ms: &u128| int(ms.div_ceil(1000));
    match it {
        Statement::Line(text) => text.clone(),
        Statement::Is(what, op, value) => compared(what, *op, value, canvas),
        Statement::Near(what, value) => {
            canvas.say(&Msg::StateNear { what: &subject(what, canvas), value })
        }
        Statement::Without(of, text) => canvas.say(&Msg::StateWithout { of, text }),
        Statement::Answer(of, is) => {
            canvas.say(&Msg::StateAnswer { of: &listed(of, canvas), status: &status(is, canvas) })
        }
        Statement::Answered(all) => {
            let all: Vec<String> =
                all.iter().map(|(name, status)| answered(name, *status, canvas)).collect();
            listed(&all, canvas)
        }
        Statement::Door(page, to) => canvas.say(&Msg::StateDoor { page, to }),
        Statement::ToPayment => canvas.say(&Msg::StateToPayment),
        Statement::Happens(kind, number) => {
            canvas.say(&Msg::StateHappens { kind, count: int(*number) })
        }
        Statement::Delivery(all) => {
            let all: Vec<String> = all.iter().map(|it| attempt(it, canvas)).collect();
            listed(&all, canvas)
        }
        Statement::Logged(texts) => canvas.say(&Msg::StateLogged { texts: &listed(texts, canvas) }),
        Statement::NotLogged(text) => canvas.say(&Msg::StateNotLogged { text }),
        Statement::NoSecret => canvas.say(&Msg::StateNoSecret),
        Statement::Alive => canvas.say(&Msg::StateAlive),
        Statement::Mentions(file, topics) => {
            let file: Vec<String> = file.split('|').map(|it| it.trim().to_owned()).collect();
            canvas.say(&Msg::StateMentions { file: &either(&file, canvas), count: int(*topics) })
        }
        Statement::Silent(topics) => {
            canvas.say(&Msg::StateSilent { topics: &listed(topics, canvas) })
        }
        Statement::Clean(rule) => canvas.say(&Msg::StateClean { rule }),
        Statement::Looked(files) => canvas.say(&Msg::StateLooked { count: int(*files) }),
        Statement::Within(ms) => canvas.say(&Msg::StateWithin { seconds: seconds(ms) }),
        Statement::Longer(ms) => canvas.say(&Msg::StateLonger { seconds: seconds(ms) }),
        Statement::Waits(root) => canvas.say(&Msg::StateWaits { root }),
        Statement::NotJudged(root) => canvas.say(&Msg::StateNotJudged { root }),
        Statement::Doing(_, what) => said(what, canvas),
        Statement::All(all) => listed(&each(all, canvas), canvas),
        Statement::Any(all) => either(&each(all, canvas), canvas),
        Statement::Not(what) => canvas.say(&Msg::StateNot { what: &said(what, canvas) }),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::canvas::Format;
    use jiff::tz::TimeZone;

    fn canvas(locale: Locale) -> Canvas {
        Canvas {
            format: Format::Text,
            locale,
            width: 80,
            terminal: false,
            colour: false,
            zone: TimeZone::UTC,
            program: "stripegym".to_owned(),
        }
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    /// One of each kind, but for those that are values.
    fn every() -> Vec<Statement> {
        let column = || Subject::Column(text("amount"));
        let ops = [
            Op::Eq,
            Op::Ne,
            Op::In,
            Op::Ge,
            Op::Le,
            Op::Present,
            Op::Absent,
            Op::Starts,
            Op::Contains,
            Op::Integer,
        ];
        let compared = ops.map(|op| Statement::is(column(), op, "500"));
        let subjects = [
            Subject::Header(text("location")),
            Subject::Body(text("home")),
            Subject::Member(text("paid"), text("/payment_intent/status")),
        ];
        let subjects = subjects.map(|it| Statement::is(it, Op::Eq, "500"));
        let attempts = [
            Attempt::Count(4),
            Attempt::Least(2),
            Attempt::First(text("5xx")),
            Attempt::Ends(text("succeeded")),
            Attempt::Quick(1000),
        ];
        let one = || Box::new(Statement::Alive);
        let rest = [
            Statement::Near(column(), text("1795819132")),
            Statement::Without(text("home"), text("sk_")),
            Statement::Answer(vec![text("paid")], text("2xx|303")),
            Statement::Answered(vec![(text("paid"), 500), (String::new(), 0)]),
            Statement::Door(text("home"), text("/checkout")),
            Statement::ToPayment,
            Statement::Happens(text("checkout.session.completed"), 1),
            Statement::Delivery(attempts.to_vec()),
            Statement::Rows(text("cs_1"), None),
            Statement::Rows(text("cs_1"), Some(1)),
            Statement::NoRows(vec![text("cs_1"), text("cs_2")]),
            Statement::Grows(2),
            Statement::Unchanged(text("before")),
            Statement::From(1, 2, false),
            Statement::From(2, 2, true),
            Statement::Verdicts(vec![text("MATCH")], 3),
            Statement::Logged(vec![text("cs_1"), text("200")]),
            Statement::NotLogged(text("whsec_")),
            Statement::NoSecret,
            Statement::Mentions(text("README.md|production.md"), 14),
            Statement::Silent(vec![text("backup")]),
            Statement::Clean(text("utcnow")),
            Statement::Looked(7),
            Statement::Within(60_000),
            Statement::Longer(60_000),
            Statement::Waits(text("D3.3")),
            Statement::NotJudged(text("D3.3")),
            Statement::Doing("checkout".to_owned(), one()),
            Statement::All(vec![Statement::Alive, Statement::NoSecret]),
            Statement::Any(vec![Statement::Alive, Statement::NoSecret]),
            Statement::Not(one()),
        ];
        compared.into_iter().chain(subjects).chain(rest).collect()
    }

    #[test]
    fn every_fact_is_a_sentence_in_both_languages() {
        let signs = ['≠', '∈', '∨', '∧', '¬', '≈', '≥', '≤', '×', '⇄'];
        for locale in Locale::ALL {
            let canvas = canvas(locale);
            for it in every() {
                for said in [expected(&it, &canvas), got(&it, &canvas)] {
                    assert!(!said.contains(signs), "{it:?}: {said}");
                    assert!(said.contains(' ') || locale == Locale::Ja, "{it:?}: {said}");
                }
                let said = expected(&it, &canvas);
                assert!(said.ends_with(['.', '。']), "{it:?}: {said}");
                let kana = said.chars().any(|c| ('ぁ'..='ん').contains(&c));
                assert_eq!(kana, locale == Locale::Ja, "{it:?}: {said}");
            }
        }
    }

    #[test]
    fn a_value_stays_what_it_is_and_nothing_is_said() {
        let en = canvas(Locale::En);
        assert_eq!(got(&"Traceback x".into(), &en), "Traceback x");
        assert_eq!(got(&"".into(), &en), "There was none.");
        assert_eq!(
            expected(&Statement::Answer(vec!["paid".to_owned()], "303|302".to_owned()), &en),
            "“paid” is answered with 303 or 302."
        );
        let wrong =
            Statement::Instead(Box::new(Statement::ToPayment), Box::new(Statement::answered(200)));
        let said = because(&[wrong], &en);
        assert!(said.starts_with("expected: POST /checkout is answered with"), "{said}");
        assert!(said.ends_with("got: The answer was 200."), "{said}");
    }
}
