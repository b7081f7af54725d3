//! Breaks prose into lines of a width. Words stay whole; Japanese may break between any two characters
//! except before what must not begin a line, and after what must not end one.

use unicode_width::UnicodeWidthChar as _;

/// What must not begin a line.
const NOT_FIRST: &str =
    "、。，．・：；？！）」』】〕’”％ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}%";

/// What must not end one: a bracket stays with what it opens.
const NOT_LAST: &str = "（「『【〔［｛“‘([{";

/// `text` in lines of at most `width` columns; further lines begin with `indent` blanks. A word that is
/// wider than a line stays whole, so that addresses and ids can be copied.
pub fn wrap(text: &str, width: u16, indent: usize) -> String {
    let lines = text.lines().map(|line| wrap_line(line, usize::from(width), indent));
    lines.collect::<Vec<_>>().join("\n")
}

/// A command after its head, in lines that a shell reads as one: each but the last ends in a backslash.
pub fn typed(head: &str, command: &str, width: u16) -> Vec<String> {
    let room = usize::from(width).saturating_sub(2);
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut first = true;
    for word in command.split(' ') {
        if !first && columns(&line) + 1 + columns(word) > room {
            line.push_str(" \\");
            lines.push(std::mem::replace(&mut line, " ".repeat(9)));
        }
        line.extend([" ", word]);
        first = false;
    }
    lines.push(line);
    lines
}

fn wrap_line(line: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for piece in pieces(line) {
        let wide = columns(piece.trim_end());
        if column > 0 && column + wide > width && !piece.trim().is_empty() {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        }
        out.push_str(piece);
        column += columns(piece);
    }
    out.truncate(out.trim_end().len());
    out
}

/// The columns that a text takes; a tone takes none.
pub fn columns(text: &str) -> usize {
    let mut in_tone = false;
    let wide = text.chars().map(|c| {
        if c == '\u{1b}' || in_tone {
            in_tone = c != 'm';
            return 0;
        }
        c.width().unwrap_or(0)
    });
    wide.sum()
}

/// The parts between which a line may be broken, each with the blanks that follow it.
fn pieces(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in line.char_indices() {
        let may_break = match before {
            None => false,
            Some(' ') => c != ' ',
            Some(last) => {
                let between = (is_wide(last) || is_wide(c)) && c != ' ';
                between && !NOT_FIRST.contains(c) && !NOT_LAST.contains(last)
            }
        };
        if may_break {
            out.extend(line.get(start..at));
            start = at;
        }
        before = Some(c);
    }
    out.extend(line.get(start..));
    out
}

fn is_wide(c: char) -> bool {
    c.width() == Some(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn words_stay_whole_and_further_lines_are_indented() {
        assert_eq!(wrap("one two three four", 9, 2), "one two\n  three\n  four");
        assert_eq!(
            wrap("see http://127.0.0.1:12111/long now", 10, 0),
            "see\nhttp://127.0.0.1:12111/long\nnow"
        );
    }

    #[test]
    fn japanese_breaks_between_characters_but_not_before_a_full_stop() {
        assert_eq!(wrap("台帳に記録しました。", 18, 0), "台帳に記録しまし\nた。");
        assert_eq!(wrap("署名を検証 ms で", 11, 0), "署名を検証\nms で");
        assert_eq!(wrap("別の鍵（--tamper secret）", 9, 0), "別の鍵\n（--tamper\nsecret）");
        assert_eq!(wrap("応答「digits」は 200", 8, 0), "応答\n「digits」\nは 200");
    }

    #[test]
    fn a_command_that_is_broken_stays_one_for_a_shell() {
        let lines = typed("by hand:", "stripegym checkout --amount 500", 30);
        assert_eq!(lines, ["by hand: stripegym checkout \\", "          --amount 500"]);
        assert_eq!(typed("$", "a b", 30), ["$ a b"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(text in "[a-z ]{0,8}([ぁ-ん]{1,5}[a-z ]{0,6}){0,9}") {
            let wrapped = wrap(&text, 20, 2);
            let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(squeeze(&wrapped), squeeze(&text));
            for line in wrapped.lines() {
                prop_assert!(line.width() <= 20, "{}", line);
            }
        }
    }
}
