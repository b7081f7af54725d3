//! Markdown for a terminal: paragraphs and lists filled to the width, headings and emphasis in tones, code and
//! tables as they stand.

use crate::view::canvas::{Canvas, Tone};
use crate::view::table::{Side, draw};
use crate::view::wrap::wrap;
use unicode_width::UnicodeWidthChar as _;

/// Where emphasis begins and ends, in a form that takes no columns.
const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';
/// How far code stands from the left.
const CODE_INDENT: usize = 4;

/// One part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Heading(String),
    Paragraph(String),
    /// The columns before the mark, the mark, the text.
    Item(usize, String, String),
    Code(Vec<String>),
    Table(Vec<Vec<String>>),
    Blank,
}

/// A text in Markdown as lines of the canvas's width.
pub fn render(text: &str, canvas: &Canvas) -> String {
    let mut lines = Vec::new();
    for block in blocks(&canvas.typed(text)) {
        match block {
            Block::Heading(text) => {
                lines.push(canvas.tone(Tone::Strong, &wrap(&plain(&text), canvas.width, 0)));
            }
            Block::Paragraph(text) => lines.push(filled(&text, "", canvas)),
            Block::Item(indent, mark, text) => {
                lines.push(filled(&text, &format!("{}{mark} ", " ".repeat(indent)), canvas));
            }
            Block::Code(code) => {
                let indent = " ".repeat(CODE_INDENT);
                lines.extend(code.iter().map(|line| format!("{indent}{line}")));
            }
            Block::Table(rows) => lines.push(table(&rows, canvas)),
            Block::Blank => lines.push(String::new()),
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

/// A paragraph after its head; further lines begin under its first word.
fn filled(text: &str, head: &str, canvas: &Canvas) -> String {
    let indent = head.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let room = usize::from(canvas.width).saturating_sub(indent);
    let text = wrap(&marked(text), u16::try_from(room).unwrap_or(canvas.width), 0);
    let mut strong = false;
    let mut out = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let before = if at == 0 { head.to_owned() } else { " ".repeat(indent) };
        out.push(format!("{before}{}", toned(line, &mut strong, canvas)));
    }
    out.join("\n")
}

/// A line with its emphasis in a tone; `strong` says whether one is open from the line before.
fn toned(line: &str, strong: &mut bool, canvas: &Canvas) -> String {
    let mut out = String::new();
    for part in line.split_inclusive([OPEN, CLOSE]) {
        let text = part.trim_end_matches([OPEN, CLOSE]);
        let tone = if *strong { canvas.tone(Tone::Strong, text) } else { text.to_owned() };
        out.push_str(&tone);
        if part.ends_with(OPEN) {
            *strong = true;
        } else if part.ends_with(CLOSE) {
            *strong = false;
        }
    }
    out
}

/// Emphasis as marks without columns, links as text and address. Code keeps its quotes.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        if at % 2 == 1 {
            out.push_str(part);
            continue;
        }
        for (at, part) in linked(part).split("**").enumerate() {
            match at {
                0 => {}
                odd if odd % 2 == 1 => out.push(OPEN),
                _ => out.push(CLOSE),
            }
            out.push_str(part);
        }
    }
    out
}

/// `[text](address)` as `text (address)`.
fn linked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(label, after)| {
            let (address, after) = after.split_once(')')?;
            (!label.contains(']')).then_some((label, address, after))
        });
        out.push_str(before);
        if let Some((label, address, after)) = link {
            out.extend([label, " (", address, ")"]);
            rest = after;
        } else {
            out.push('[');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// A text without marks.
fn plain(text: &str) -> String {
    marked(text).replace([OPEN, CLOSE], "")
}

fn table(rows: &[Vec<String>], canvas: &Canvas) -> String {
    let Some((head, rows)) = rows.split_first() else { return String::new() };
    let head: Vec<(String, Side)> = head.iter().map(|cell| (plain(cell), Side::Left)).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    draw(canvas, &head, &rows).trim_end().to_owned()
}

fn blocks(text: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut code: Option<Vec<String>> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            match code.take() {
                Some(lines) => out.push(Block::Code(lines)),
                None => code = Some(Vec::new()),
            }
        } else if let Some(lines) = &mut code {
            lines.push(line.trim_end().to_owned());
        } else {
            add(&mut out, line, trimmed);
        }
    }
    out.extend(code.map(Block::Code));
    out
}

/// Adds a line that is no code to what came before.
fn add(out: &mut Vec<Block>, line: &str, trimmed: &str) {
    if trimmed.is_empty() {
        out.push(Block::Blank);
    } else if trimmed.starts_with('#') {
        let text = trimmed.trim_start_matches('#').trim();
        let text = text.split_once(" {#").map_or(text, |(text, _)| text);
        out.push(Block::Heading(text.to_owned()));
    } else if let Some(cells) = cells(trimmed) {
        match out.last_mut() {
            Some(Block::Table(_)) if cells.is_empty() => {}
            Some(Block::Table(rows)) => rows.push(cells),
            _ => out.push(Block::Table(vec![cells])),
        }
    } else if let Some((mark, text)) = item(trimmed) {
        let indent = line.len() - line.trim_start().len();
        out.push(Block::Item(indent, mark.to_owned(), text.to_owned()));
    } else {
        match out.last_mut() {
            Some(Block::Paragraph(before) | Block::Item(_, _, before)) => join(before, trimmed),
            _ => out.push(Block::Paragraph(trimmed.to_owned())),
        }
    }
}

/// The cells of a row, none for the line under the head; nothing where it is no row.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.trim_end_matches('|');
    if inner.chars().all(|c| "-:| ".contains(c)) {
        return Some(Vec::new());
    }
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// A list item's mark and its text.
fn item(line: &str) -> Option<(&str, &str)> {
    let (mark, text) = line.split_once(' ')?;
    let number = mark.strip_suffix('.').unwrap_or_default();
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (mark == "-" || mark == "*" || numbered).then(|| (mark, text.trim_start()))
}

/// Joins two lines of a paragraph: with a blank, unless both sides are Japanese.
fn join(before: &mut String, line: &str) {
    let is_wide = |c: Option<char>| c.is_some_and(|c| c.width() == Some(2));
    let is_mark = |c: Option<char>| c.is_some_and(|c| "、。，．：；「」（）".contains(c));
    let last = before.trim_end_matches('*').chars().next_back();
    let first = line.trim_start_matches('*').chars().next();
    let tight = (is_wide(last) && is_wide(first)) || is_mark(last) || is_mark(first);
    if !tight {
        before.push(' ');
    }
    before.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use unicode_width::UnicodeWidthStr as _;

    fn canvas(width: u16, colour: bool) -> Canvas {
        Canvas { width, colour, ..Canvas::plain(Locale::En) }
    }

    #[test]
    fn paragraphs_and_lists_are_filled_anew() {
        let text =
            "## Head {#goal}\n\none two\nthree **four\nfive** six\n\n- a list of\n  things\n- b\n";
        let shown = render(text, &canvas(12, false));
        assert_eq!(shown, "Head\n\none two\nthree four\nfive six\n\n- a list of\n  things\n- b");
    }

    #[test]
    fn japanese_lines_are_joined_without_a_blank() {
        let text = "通貨\nの `jpy`\nです。\n次";
        assert_eq!(render(text, &canvas(80, false)), "通貨の `jpy` です。次");
    }

    #[test]
    fn code_and_tables_stand_as_they_are() {
        let text = "```console\n$ a **b**\n```\n\n| a | b |\n|---|---|\n| `x` | y |\n";
        let shown = render(text, &canvas(40, false));
        assert!(shown.starts_with("    $ a **b**\n\n"), "{shown}");
        assert!(shown.contains(" `x`   y"), "{shown}");
    }

    #[test]
    fn emphasis_goes_on_over_the_end_of_a_line() {
        let shown = render("**one two three** four", &canvas(9, true));
        assert_eq!(shown, "\u{1b}[1mone two\u{1b}[0m\n\u{1b}[1mthree\u{1b}[0m\nfour");
    }

    #[test]
    fn links_show_where_they_lead() {
        let shown = render("see [docs](https://docs.stripe.com/x) [1]", &canvas(80, false));
        assert_eq!(shown, "see docs (https://docs.stripe.com/x) [1]");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic_and_lines_fit(text in "[a-z台帳*`\\[\\]()#|.\n -]{0,200}") {
            // A table of many columns is as wide as they are.
            let table = text.contains('|');
            for line in render(&text, &canvas(40, false)).lines() {
                let word = line.split_whitespace().any(|word| word.width() > 12);
                let code = line.starts_with("    ");
                proptest::prop_assert!(line.width() <= 40 || word || code || table, "{}", line);
            }
        }
    }
}
