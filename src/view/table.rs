//! Tables that fit the canvas: no vertical lines, numbers to the right, wide characters counted as two.

use crate::view::canvas::{Canvas, Tone};
use crate::view::foreign::plain;
use std::cmp::Ordering;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};

/// On which side a column is flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
    /// Ids, which must stay whole to be copied.
    Whole,
}

/// A table of `rows` under `head`, at most as wide as the canvas.
pub fn draw(canvas: &Canvas, head: &[(String, Side)], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(canvas.width)
        .set_header(head.iter().map(|(title, side)| cell(title, *side)));
    for row in rows {
        let sides = head.iter().map(|(_, side)| *side);
        table.add_row(row.iter().zip(sides).map(|(text, side)| cell(text, side)));
    }
    for ((_, side), column) in head.iter().zip(table.column_iter_mut()) {
        if *side == Side::Whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    // The style's frame is left out: a line under the head is enough.
    let lines: Vec<String> = table.lines().collect();
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let under_head = inner.iter().position(|line| line.starts_with(['═', '─'])).unwrap_or(0);
    let mut out = String::new();
    for (at, line) in inner.iter().enumerate() {
        let line = line.trim_end();
        if at > under_head && line.starts_with('─') {
            continue;
        }
        let shown = match at.cmp(&under_head) {
            Ordering::Less => canvas.tone(Tone::Strong, line),
            Ordering::Equal => canvas.tone(Tone::Quiet, &line.replace('═', "─")),
            Ordering::Greater => line.to_owned(),
        };
        out.push_str(&shown);
        out.push('\n');
    }
    out
}

fn cell(text: &str, side: Side) -> Cell {
    Cell::new(plain(text)).set_alignment(match side {
        Side::Left | Side::Whole => CellAlignment::Left,
        Side::Right => CellAlignment::Right,
    })
}

/// An id short enough for a column: its beginning, `…`, its end.
pub fn short(id: &str, max: usize) -> String {
    let count = id.chars().count();
    if count <= max {
        return id.to_owned();
    }
    let tail = 6.min(max / 3);
    let head: String = id.chars().take(max - tail - 1).collect();
    let end: String = id.chars().skip(count - tail).collect();
    format!("{head}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn columns_stand_under_one_another_with_wide_characters_too() {
        let canvas = Canvas::plain(Locale::Ja);
        let head = [("金額".to_owned(), Side::Right), ("商品名".to_owned(), Side::Left)];
        let rows = vec![
            vec!["1,500円".to_owned(), "コーヒー豆".to_owned()],
            vec!["80円".to_owned(), "tea".to_owned()],
        ];
        let text = draw(&canvas, &head, &rows);
        let starts: Vec<usize> = text
            .lines()
            .filter_map(|line| line.split_once(['商', 'コ', 't']).map(|(before, _)| before.width()))
            .collect();
        assert_eq!(starts, [starts[0]; 3], "{text}");
    }

    #[test]
    fn a_table_is_never_wider_than_the_canvas() {
        let canvas = Canvas::plain(Locale::En);
        let head = [("A".to_owned(), Side::Left), ("B".to_owned(), Side::Left)];
        let rows = vec![vec!["長い文".repeat(40), "word ".repeat(40)]];
        for line in draw(&canvas, &head, &rows).lines() {
            assert!(line.width() <= 80, "{line}");
        }
    }

    #[test]
    fn long_ids_keep_both_ends() {
        assert_eq!(short("cs_test_a1b2c3d4e5f6g7h8", 16), "cs_test_a1…6g7h8");
        assert_eq!(short("cs_1", 16), "cs_1");
    }
}
