//! What a typed line asks for. Full-width letters and blanks of an input method are read as what they stand for.

use crate::app::scenario;
use crate::domain::course::known;
use crate::domain::course::talk::Seen;
use unicode_normalization::UnicodeNormalization as _;

/// The words of the conversation itself.
const OWN: [&str; 9] = ["hint", "why", "raw", "more", "back", "skip", "quit", "stop", "start"];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Hint,
    Why,
    Raw,
    More,
    Back,
    Skip,
    Quit,
    /// The listener, down.
    Stop,
    /// The listener, up.
    Start,
    /// A command of ours, without the program's name.
    Command(String),
    /// A command of ours that has no place here.
    Elsewhere(String),
    /// Anything else.
    Answer(String),
}

/// The words of a line as a shell reads them. Where a quote is never closed, as in an answer that says `it's`, blanks
/// alone part them.
pub(crate) fn split(line: &str) -> Vec<String> {
    let blanks = || line.split_whitespace().map(str::to_owned).collect();
    shell_words::split(line).unwrap_or_else(|_| blanks())
}

/// A line as it was meant.
pub(crate) fn meant(line: &str) -> String {
    line.nfkc().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// What a line asks for; where a question is open, what is no word of the conversation answers it.
pub(crate) fn asked(line: &str, question: bool) -> Asked {
    let line = meant(line);
    let line = line.strip_prefix("$ ").unwrap_or(&line);
    let line = line.strip_prefix("stripegym").map_or(line, str::trim_start);
    let words = split(line);
    let Some(first) = words.first().map(|word| word.to_lowercase()) else { return Asked::Nothing };
    let alone = words.len() == 1;
    match first.as_str() {
        "hint" | "help" | "?" if alone => Asked::Hint,
        "why" if alone => Asked::Why,
        "raw" if alone => Asked::Raw,
        "more" if alone => Asked::More,
        "back" if alone => Asked::Back,
        "skip" | "next" if alone => Asked::Skip,
        "quit" | "exit" | "q" if alone => Asked::Quit,
        "stop" if alone => Asked::Stop,
        "start" if alone => Asked::Start,
        _ if question && alone => Asked::Answer(line.to_owned()),
        name if known::is("acting", name) => Asked::Command(complete(line, name, alone)),
        name if is_command(name) => Asked::Elsewhere(line.to_owned()),
        _ => Asked::Answer(line.to_owned()),
    }
}

/// Commands that have parts are meant as their usual one where none is named.
fn complete(line: &str, name: &str, alone: bool) -> String {
    match name {
        "ledger" if alone => "ledger show".to_owned(),
        "events" if alone => "events list".to_owned(),
        "clock" if alone => "clock show".to_owned(),
        "clock" => match line.split_once("advance ") {
            // `8 days` is one amount, with or without quotes.
            Some((before, by)) => {
                let by = by.trim().trim_matches(['\'', '"']);
                format!("{before}advance '{by}'")
            }
            None => line.to_owned(),
        },
        _ => line.to_owned(),
    }
}

fn is_command(name: &str) -> bool {
    crate::cli::grammar::command().find_subcommand(name).is_some()
}

/// Characters of a session's id that are enough to know it by; all of them fill a line.
const BEGUN: usize = 20;

/// A session's id as it may be typed here.
pub(crate) fn begun(id: &str) -> String {
    id.get(..BEGUN).map_or_else(|| id.to_owned(), |begun| format!("{begun}…"))
}

/// A line whose ids are whole: one that begins as exactly one known id does is that id.
pub(crate) fn whole(line: &str, seen: &Seen) -> String {
    let known = ids(seen);
    let word = |word: &str| {
        // Normalised, `…` is three full stops.
        let begun = word.trim_end_matches(['…', '.']);
        let is_id = ["evt_", "cs_", "pi_"].iter().any(|it| begun.starts_with(it) && begun != *it);
        let mut fits = known.iter().filter(|id| is_id && id.starts_with(begun));
        match (fits.next(), fits.next()) {
            (Some(id), None) => id.clone(),
            _ => word.to_owned(),
        }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn ids(seen: &Seen) -> Vec<String> {
    let sessions = seen.sessions.iter();
    let payments = sessions.clone().filter_map(|it| it.payment.clone());
    let events = seen.attempts.iter().map(|it| it.event.clone());
    let mut all: Vec<String> =
        sessions.map(|it| it.id.clone()).chain(payments).chain(events).collect();
    all.sort();
    all.dedup();
    all
}

/// What can be completed.
pub(crate) fn words(seen: &Seen) -> Vec<String> {
    let own = OWN.map(str::to_owned).into_iter();
    let more = known::words("acting").iter().chain(known::words("completed")).cloned();
    let types = scenario::table::ALL.iter().map(|it| it.kind.to_owned());
    own.chain(more).chain(types).chain(ids(seen)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::talk::SessionSeen;

    #[test]
    fn a_line_is_what_it_means_however_it_was_typed() {
        let command = |text: &str| Asked::Command(text.to_owned());
        for line in [
            "checkout --amount 500",
            "stripegym checkout --amount 500",
            "$ stripegym checkout --amount 500",
            "ｃｈｅｃｋｏｕｔ　--amount　５００",
        ] {
            assert_eq!(asked(line, false), command("checkout --amount 500"), "{line}");
        }
        assert_eq!(asked("ledger", false), command("ledger show"));
        assert_eq!(asked("clock advance 8 days", false), command("clock advance '8 days'"));
        assert_eq!(asked("  ", true), Asked::Nothing);
        assert_eq!(asked("５００", true), Asked::Answer("500".to_owned()));
        assert_eq!(asked("hint", true), Asked::Hint);
        assert_eq!(asked("sandbox", false), Asked::Elsewhere("sandbox".to_owned()));
        assert_eq!(asked("rm -rf /", false), Asked::Answer("rm -rf /".to_owned()));
    }

    #[test]
    fn an_id_may_be_begun() {
        let session = |id: &str| SessionSeen { id: id.to_owned(), ..SessionSeen::default() };
        let seen = Seen {
            sessions: vec![session("cs_test_ab"), session("cs_test_cd")],
            ..Seen::default()
        };
        assert_eq!(whole("pay cs_test_a…", &seen), "pay cs_test_ab");
        assert_eq!(whole("pay cs_test_a...", &seen), "pay cs_test_ab");
        assert_eq!(whole("pay cs_test_", &seen), "pay cs_test_");
        assert_eq!(whole("pay cs_", &seen), "pay cs_");
    }
}
