//! The parts of pages that are made from what the program says: the tour of the week and the table of its
//! items in `lessons/`.

use crate::golden::{hold, regenerating};
use crate::transcript::Seeded;
use crate::week;
use std::fs;
use std::path::Path;
use std::thread;

/// Holds what stands between two lines of a page against `text`.
fn hold_part(page: &str, [begin, end]: [&str; 2], text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let kept = fs::read_to_string(&path).unwrap();
    let (before, rest) = kept.split_once(begin).unwrap_or_else(|| panic!("{page}: no `{begin}`"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("{page}: no `{end}`"));
    hold(&path, &format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()));
}

/// Holds the tour of a page against the week as it was done now: the same screens in the same order, with the same
/// things typed. What stands within them has ids, instants and answers of its day; the week itself asserts on it.
fn hold_tour(page: &str, marks: [&str; 2], tour: &str) {
    if regenerating() {
        return hold_part(page, marks, tour);
    }
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (_, rest) = kept.split_once(marks[0]).unwrap();
    let (kept, _) = rest.split_once(marks[1]).unwrap();
    let done = |text: &str| -> Vec<String> {
        let is_title = |line: &str| line.contains(['◎', '◐']) && line.contains('·');
        let is_typed = |line: &str| line.starts_with("day") && line.contains("> ");
        let lines = text.lines().filter(|line| is_title(line) || is_typed(line));
        lines.map(str::to_owned).collect()
    };
    assert!(done(tour).len() > 80, "{page}: a week has more than that");
    assert_eq!(done(kept), done(tour), "{page}: `STRIPEGYM_REGENERATE=1` writes it anew");
}

/// One test for both parts: they stand in the same files.
#[test]
fn the_tour_is_what_happens_and_the_table_is_what_proves_each_item() {
    let pages = [("lessons/README.md", "en"), ("lessons/README.ja.md", "ja")];
    let running = pages.map(|(page, lang)| (page, lang, thread::spawn(move || week::tour(lang))));
    for (page, lang, running) in running {
        let text = format!("\n{}", running.join().unwrap());
        hold_tour(page, ["<!-- tour -->", "<!-- end of tour -->"], &text);
        let marks = ["<!-- items: made by `stripegym dev items` -->", "<!-- end of items -->"];
        hold_part(page, marks, &items(lang));
    }
}

fn items(lang: &str) -> String {
    let (code, table) = Seeded::new().run(&["dev", "items", "--lang", lang]);
    assert_eq!(code, 0, "{table}");
    for (letter, count) in [('D', 110), ('G', 62), ('N', 55)] {
        let row = format!("| {letter}");
        let rows = table.lines().filter(|line| line.starts_with(&row));
        assert_eq!(rows.filter(|line| line.as_bytes()[3].is_ascii_digit()).count(), count);
    }
    table
}
