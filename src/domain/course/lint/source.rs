//! Rules about source code: calls that no longer exist, money, instants, connections.

use crate::domain::course::known;
use crate::domain::course::lint::lines::{Kind, Line, has_word, tight};
use crate::domain::course::lint::{Project, Sight, Text};

/// Lines whose code has one of some texts.
fn with(lines: &[Line<'_>], marks: &[&str]) -> Vec<(usize, String)> {
    let found = |line: &Line<'_>| marks.iter().find(|mark| line.code.contains(**mark)).copied();
    lines.iter().filter_map(|line| Some((line.number, found(line)?.to_owned()))).collect()
}

pub(super) fn redirect_to_checkout(project: &Project) -> Sight {
    Sight::scan(project.of(&Kind::CODE_AND_PAGES), |_, lines| with(lines, &["redirectToCheckout"]))
}

/// How far the parameters of a call may stand from it.
const CALL_LINES: usize = 25;

/// How many lines lie between a line and the nearest one that has a mark.
fn distance(lines: &[Line<'_>], at: usize, marks: &str) -> Option<usize> {
    let has = |line: &Line<'_>| known::find(marks, line.code).is_some();
    let near = |(there, _): &(usize, &Line<'_>)| there.abs_diff(at);
    let numbered = lines.iter().enumerate().filter(|(_, line)| has(line));
    numbered.map(|it| near(&it)).min().filter(|lines| *lines <= CALL_LINES)
}

pub(super) fn payment_method_types(project: &Project) -> Sight {
    Sight::scan(project.of(&Kind::CODE), |_, lines| {
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let names = ["payment_method_types", "payment_method_types[]", "paymentMethodTypes"];
            let named = names.iter().any(|name| has_word(line.code, name));
            let session = distance(lines, at, "makes-session");
            let other = distance(lines, at, "makes-other");
            if named && session.is_some_and(|it| other.is_none_or(|other| it <= other)) {
                found.push((line.number, "payment_method_types".to_owned()));
            }
        }
        found
    })
}

pub(super) fn shared_cursor(project: &Project) -> Sight {
    Sight::scan(project.of(&[Kind::Python]), |_, lines| {
        let mut found = Vec::new();
        for line in lines {
            let code = tight(line.code);
            if code.contains("check_same_thread=False") {
                found.push((line.number, "check_same_thread=False".to_owned()));
            } else if line.is_outermost() && code.contains(".cursor()") && code.contains('=') {
                found.push((line.number, ".cursor()".to_owned()));
            }
        }
        found
    })
}

pub(super) fn utcnow(project: &Project) -> Sight {
    let naive = ["utcnow(", "utcnow)", "utcnow,", "utcfromtimestamp("];
    Sight::scan(project.of(&[Kind::Python]), |_, lines| {
        let found = with(lines, &naive).into_iter();
        found
            .map(|(line, mark)| (line, mark.trim_end_matches(['(', ')', ',']).to_owned()))
            .collect()
    })
}

/// What names an amount.
const MONEY: [&str; 8] =
    ["amount", "amount_total", "unit_amount", "price", "total", "subtotal", "yen", "unitAmount"];

/// Whether a line speaks of an amount.
fn is_money(code: &str) -> bool {
    let lower = code.to_ascii_lowercase();
    MONEY.iter().any(|name| has_word(&lower, &name.to_ascii_lowercase()))
        || ["amount", "price"].iter().any(|name| {
            lower
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word.split('_').any(|part| part == *name) || word.ends_with(name))
        })
}

pub(super) fn float_money(project: &Project) -> Sight {
    let floats = ["float(", "parseFloat(", "toFixed(", "as f64", "as f32", "strconv.ParseFloat("];
    Sight::scan(project.of(&Kind::CODE), |_, lines| {
        let found = with(lines, &floats).into_iter();
        let is_money = |number: usize| {
            lines.get(number.saturating_sub(1)).is_some_and(|line| is_money(line.code))
        };
        found
            .filter(|(number, _)| is_money(*number))
            .map(|(number, mark)| (number, mark.trim_end_matches('(').to_owned()))
            .collect()
    })
}

/// What a file says that knows of currencies without a smaller unit.
const KNOWS_UNITS: [&str; 6] =
    ["zero_decimal", "zerodecimal", "exponent", "minor_unit", "minorunit", "resolvedoptions"];

/// Whether an operator with 100 stands in code without spaces.
fn by_hundred(code: &str) -> Option<&'static str> {
    let marks = ["*100", "/100", "*1e2", "100*"];
    marks.into_iter().find(|mark| {
        code.match_indices(mark).any(|(at, _)| {
            let after = code.get(at + mark.len()..).and_then(|it| it.chars().next());
            let before = code.get(..at).and_then(|it| it.chars().next_back());
            let more = |c: char| c.is_ascii_digit() || c == '_';
            let cut = if mark.ends_with('*') {
                before.is_some_and(more)
            } else {
                after.is_some_and(more)
            };
            !cut
        })
    })
}

pub(super) fn yen_times_100(project: &Project) -> Sight {
    Sight::scan(project.of(&Kind::CODE_AND_PAGES), |file: &Text, lines| {
        let lower = file.text.to_ascii_lowercase();
        let yen = ["jpy", "yen", "¥", "円"].iter().any(|word| lower.contains(word));
        if !yen || KNOWS_UNITS.iter().any(|word| lower.contains(word)) {
            return Vec::new();
        }
        let found = lines.iter().filter(|line| is_money(line.code));
        found
            .filter_map(|line| Some((line.number, by_hundred(&tight(line.code))?.to_owned())))
            .collect()
    })
}

pub(super) fn magic_amount(project: &Project) -> Sight {
    Sight::scan(project.of(&Kind::CODE), |_, lines| {
        let found = |line: &Line<'_>| {
            let code = tight(line.code);
            let (_, value) = code.split_once("unit_amount")?;
            let value = value.trim_start_matches(['"', '\'', ']', ':', '=', '>', ',']);
            let value = value.trim_start_matches(['"', '\'']);
            let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
            (digits.len() > 1).then(|| (line.number, format!("unit_amount {digits}")))
        };
        lines.iter().filter_map(found).collect()
    })
}
