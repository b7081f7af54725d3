//! What others wrote, on its way to a terminal, a spreadsheet or a page: ids, types, addresses, answers of
//! servers. A character that moves the cursor, changes colours or turns text around is shown as `\u001b` and does
//! nothing; what would be a mark of HTML or Markdown stands there as it was written.

use crate::view::canvas::Canvas;
use crate::view::check::CLEAR;
use std::borrow::Cow;

/// Whether a character does something else than stand there.
const fn acts(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that stands in one line.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(acts) { Cow::Owned(escaped(text, |_| false)) } else { Cow::Borrowed(text) }
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !acts(c) || stays(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.extend([format!("\\u{:04x}", u32::from(c))]),
        }
    }
    out
}

/// A whole text as it is printed: its lines stay lines, and the tones of the canvas stay tones. Whatever else
/// got this far is shown and does nothing.
pub fn printed(text: String, canvas: &Canvas) -> String {
    let is_layout = |c: char| matches!(c, '\n' | '\t');
    if !text.contains(|c| acts(c) && !is_layout(c)) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    if let Some(after) = rest.strip_prefix(CLEAR) {
        out.push_str(CLEAR);
        rest = after;
    }
    while let Some(at) = rest.find('\u{1b}') {
        let (before, sequence) = rest.split_at(at);
        out.push_str(&escaped(before, is_layout));
        let tone = canvas.tones().iter().copied().find(|tone| sequence.starts_with(tone));
        let taken = tone.unwrap_or("\u{1b}");
        if tone.is_some() {
            out.push_str(taken);
        } else {
            out.push_str(&escaped(taken, is_layout));
        }
        rest = sequence.get(taken.len()..).unwrap_or_default();
    }
    out.push_str(&escaped(rest, is_layout));
    out
}

/// JSON as it is printed: what JSON itself lets through is escaped as well. Such characters stand in its texts
/// alone.
pub fn json(text: String) -> String {
    if text.contains(|c| acts(c) && c != '\n') { escaped(&text, |c| c == '\n') } else { text }
}

/// A cell of a spreadsheet: one that a spreadsheet would take as a formula is marked as text.
pub fn cell(text: &str) -> Cow<'_, str> {
    let shown = plain(text);
    let is_formula = shown.starts_with(['=', '+', '-', '@', '\\']) && shown.parse::<i64>().is_err();
    if is_formula { Cow::Owned(format!("'{shown}")) } else { shown }
}

/// Lines that stay lines, in a place where nothing else is to act.
pub fn lines(text: &str) -> Cow<'_, str> {
    let is_line = |c: char| c == '\n';
    if text.contains(|c| acts(c) && !is_line(c)) {
        Cow::Owned(escaped(text, is_line))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text in which HTML and XML see no marks, in the content of an element or a quoted attribute. Its lines stay
/// lines; neither knows a way to write other control characters.
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// One line of Markdown that shows what is there and means nothing else, in a cell of a table too.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The text of a workflow command of GitHub: one line, in which `%` introduces a code.
pub fn workflow(text: &str) -> String {
    lines(&text.replace("\r\n", "\n")).replace('%', "%25").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::entry::EntryStatus;
    use crate::domain::fault::{Fault, FaultKind};
    use crate::domain::locale::Locale;
    use crate::domain::mode::Mode;
    use crate::domain::money::Money;
    use crate::domain::notice::{Delivery, DeliveryOutcome, Notice};
    use crate::domain::reconcile::Record;
    use crate::domain::report::{Ledger, LedgerRow, Place, Report};
    use crate::domain::sheet::{Cell, Sheet, SheetKind};
    use crate::domain::time::Timestamp;
    use crate::view::canvas::{Format, Tone};
    use crate::view::notice::Line;
    use crate::view::{self, fault, notice};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn canvases() -> Vec<Canvas> {
        let formats = [Format::Text, Format::Json, Format::Csv];
        let each = |format| {
            [false, true].map(|colour| Canvas { format, colour, ..Canvas::plain(Locale::En) })
        };
        formats.into_iter().flat_map(each).collect()
    }

    /// Everything that shows what others wrote.
    fn outputs(foreign: &str, canvas: &Canvas) -> Vec<String> {
        let own = || foreign.to_owned();
        let deliveries = [
            DeliveryOutcome::Recorded { booked: true },
            DeliveryOutcome::NotBooked { problem: own() },
            DeliveryOutcome::Rejected { status: 400, reason: own() },
        ];
        let notices = deliveries.map(|outcome| {
            Notice::Delivered(Delivery {
                at: Timestamp(0),
                event: Some(own()),
                kind: Some(own()),
                outcome,
                took_ms: 1,
                forwarded: Some(Err(own())),
            })
        });
        let shown = [Notice::Shown { text: own() }, Notice::PollFailed { cause: own() }];
        let said = notices.iter().chain(&shown).filter_map(|it| match notice::render(it, canvas) {
            Line::Data(text) | Line::Aside(text) | Line::Progress(text) => Some(text),
            Line::Nothing => None,
        });
        let record = Record {
            session_id: own(),
            amount: Money::new(500, Currency::JPY),
            status: EntryStatus::Paid,
            created: Timestamp(0),
            payment_intent: Some(own()),
        };
        let line = LedgerRow { record, refunded: 0, updated: Timestamp(0), event_id: Some(own()) };
        let place = Place { mode: Mode::Sandbox, base: None, home: "home".to_owned() };
        let ledger = Report::Ledger(Ledger {
            place,
            rows: vec![line],
            disputes: Arc::default(),
            totals: Vec::new(),
            all: 1,
        });
        let kind = SheetKind::Problems;
        let place = Place { mode: Mode::Sandbox, base: None, home: "home".to_owned() };
        let rows = vec![vec![Cell::Word(own()), Cell::Word(own()), Cell::Word(own())]];
        let sheet = Report::Sheet(Sheet { place, kind, rows, looked: None, all: None });
        let reports = [
            ledger,
            sheet,
            Report::Object(own()),
            Report::Resent { event: own(), kind: own(), endpoints: 1 },
        ];
        let reports = reports.iter().filter_map(|it| view::render(it, canvas));
        let refused = FaultKind::ProviderRefused {
            status: 400,
            message: own(),
            code: Some(own()),
            param: Some(own()),
            request: Some(own()),
        };
        let fault = fault::render(&Fault::because(refused, foreign), 4, canvas);
        said.chain(reports).chain([fault]).collect()
    }

    fn without_tones(text: &str) -> String {
        let canvas = Canvas { colour: true, ..Canvas::plain(Locale::En) };
        canvas.tones().iter().fold(text.to_owned(), |text, tone| text.replace(tone, ""))
    }

    proptest! {
        #[test]
        fn nothing_that_others_wrote_acts_on_a_terminal(
            before in "[a-z]{0,3}",
            odd in prop::sample::select(vec![
                "\u{1b}]0;x\u{7}", "\u{1b}[2J", "\u{1b}c", "\u{7}", "\u{8}", "\r", "\u{9b}31m", "\u{85}",
                "\u{7f}", "\u{202e}", "\u{2066}", "\u{2028}", "\u{200f}", "\0",
            ]),
            after in "[a-z]{1,3}",
        ) {
            let foreign = format!("{before}{odd}{after}");
            for canvas in canvases() {
                for text in outputs(&foreign, &canvas) {
                    let mut text = without_tones(&text);
                    if canvas.format == Format::Csv {
                        text = text.replace("\r\n", "\n");
                    }
                    let found = text.chars().find(|c| acts(*c) && *c != '\n');
                    prop_assert_eq!(found, None, "{:?} {:?}", canvas.format, text);
                    prop_assert!(!text.contains(odd), "{:?}", text);
                }
            }
        }
    }

    #[test]
    fn a_line_that_others_wrote_is_no_line_of_ours() {
        let canvas = Canvas::plain(Locale::En);
        let Some(first) = outputs("evt_1\n10:00 recorded forged", &canvas).into_iter().next()
        else {
            panic!("nothing said")
        };
        assert!(!first.lines().any(|line| line.trim_start().starts_with("10:00")), "{first}");
    }

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_text() {
        for (text, shown) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1+1", "'+1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\t=1"),
            ("-1+2", "'-1+2"),
            ("-500", "-500"),
            ("cs_1", "cs_1"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    #[test]
    fn our_own_tones_stay_where_colours_are_welcome() {
        let canvas = Canvas { colour: true, ..Canvas::plain(Locale::En) };
        let text = canvas.tone(Tone::Bad, "x\u{1b}[5my");
        assert_eq!(printed(text, &canvas), "\u{1b}[31mx\\u001b[5my\u{1b}[0m");
    }

    #[test]
    fn what_a_server_said_is_no_mark_of_a_page() {
        let evil = "<img src=x onerror='y'> [a](b)\n# c & \"d\" | _e_\u{202e}";
        let shown =
            "&lt;img src=x onerror='y'&gt; \\[a\\](b) \\# c &amp; \"d\" \\| \\_e\\_\\\\u202e";
        assert_eq!(markdown(evil), shown);
        let shown =
            "&lt;img src=x onerror=&#39;y&#39;&gt; [a](b)\n# c &amp; &quot;d&quot; | _e_\\u202e";
        assert_eq!(markup(evil), shown);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_mark(text in "[<>&'\"|`*_~#\\[\\]\\\\\r\n a-c\u{1b}\u{202e}]{0,30}") {
            let marks = ['<', '>', '"', '\'', '\u{1b}', '\u{202e}'];
            proptest::prop_assert!(!markup(&text).contains(marks));
            let shown = markdown(&text);
            let marks = ['<', '>', '\n', '\r', '\u{1b}', '\u{202e}'];
            proptest::prop_assert!(!shown.contains(marks));
            let mut letters = shown.chars();
            while let Some(letter) = letters.next() {
                if letter == '\\' {
                    letters.next();
                } else {
                    proptest::prop_assert!(!"|`*_~#[]".contains(letter), "{shown}");
                }
            }
        }
    }
}
