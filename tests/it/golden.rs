//! Transcripts of the real program, kept in `tests/golden/`: the whole week in both languages at 80 columns, with and
//! without colours, and what it says where a check fails. Of other widths it is held that everything fits.
//!
//! `STRIPEGYM_REGENERATE=1 cargo test --test it golden` writes them anew; read the difference before committing it.

use crate::env::rounds;
use crate::transcript::{DAYS, Seeded};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use unicode_width::UnicodeWidthStr as _;

const LANGS: [&str; 2] = ["en", "ja"];
/// The width of which there is a copy.
const USUAL: usize = 80;
/// The narrow one shows what does not fit; the wide one is tried in the long run.
const WIDTHS: [usize; 3] = [USUAL, 60, 132];

/// Whether the files are to be written anew.
#[expect(clippy::disallowed_methods, reason = "one switch for whoever runs the tests")]
pub(crate) fn regenerating() -> bool {
    std::env::var_os("STRIPEGYM_REGENERATE").is_some()
}

/// Compares a text with the file of that path, or writes it there.
pub(crate) fn hold(path: &Path, text: &str) {
    if regenerating() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    let lines = kept.lines().map(Some).chain(std::iter::repeat(None));
    for (number, (now, before)) in text.lines().zip(lines).enumerate() {
        let place = format!("{}:{}", path.display(), number + 1);
        assert_eq!(before, Some(now), "{place}: `{HOW}` writes it anew");
    }
    assert_eq!(kept, text, "{}: `{HOW}` writes it anew", path.display());
}

const HOW: &str = "STRIPEGYM_REGENERATE=1 cargo test --test it golden";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// What is typed on the way through the week.
fn week(lang: &str, width: usize) -> String {
    let world = Seeded::new().with("STRIPEGYM_LANG", lang).with("COLUMNS", &width.to_string());
    let days = DAYS.map(|day| vec![day, "--yes"]);
    let after = [vec!["status"], vec!["hint", "SG3.7"], vec!["explain", "signature"]];
    let said = days.iter().chain(&after).map(|args| world.typed(args));
    said.collect::<Vec<_>>().join("\n")
}

/// Lines that are wider than the width, and not for the sake of a single word such as an address or an id.
fn too_wide(text: &str, width: usize) -> Vec<String> {
    let wide = |line: &&str| line.width() > width;
    let long = |word: &str| word.width() > width / 2 && !word.starts_with('─');
    let whole = |line: &str| line.split_whitespace().any(long);
    let command = |line: &str| line.starts_with("$ ");
    let found = text.lines().filter(wide).filter(|line| !whole(line) && !command(line));
    found.map(|line| format!("{} columns: {line}", line.width())).collect()
}

/// Rules of tables that are not as wide as the widest of their rows.
fn broken_tables(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| !line.trim().is_empty() && line.chars().all(|c| "─┼".contains(c));
    let mut broken = Vec::new();
    for (at, rule) in lines.iter().enumerate().filter(|(_, line)| is_rule(line)) {
        let rows = lines[at + 1..].iter().take_while(|line| line.starts_with(' '));
        let head = lines[at.saturating_sub(1)..at].iter();
        for row in rows.chain(head).filter(|row| row.width() > rule.width()) {
            broken.push(format!("wider than its table: {row}"));
        }
    }
    broken
}

#[test]
fn the_week_is_as_it_was() {
    let all =
        LANGS.iter().flat_map(|lang| WIDTHS[..rounds(2, 3)].iter().map(|width| (*lang, *width)));
    let running: Vec<_> =
        all.map(|(lang, width)| (lang, width, thread::spawn(move || week(lang, width)))).collect();
    let mut wrong = Vec::new();
    for (lang, width, running) in running {
        let text = running.join().unwrap();
        let found = [too_wide(&text, width), broken_tables(&text)].concat();
        wrong.extend(found.iter().map(|it| format!("{lang} {width}: {it}")));
        assert!(!text.contains('\u{1b}'), "{lang} {width}: colours where nobody asked for them");
        if width == USUAL {
            hold(&file(&format!("week.{lang}.txt")), &text);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn colours_are_shown_where_they_are_asked_for_and_no_color_beats_that() {
    for lang in LANGS {
        let world = || Seeded::new().with("STRIPEGYM_LANG", lang).with("CLICOLOR_FORCE", "1");
        let coloured = world().typed(&["day3", "--yes"]);
        hold(&file(&format!("day3.{lang}.colour.txt")), &coloured.replace('\u{1b}', "␛"));
        let plain = world().with("NO_COLOR", "1").typed(&["day3", "--yes"]);
        assert!(!plain.contains('\u{1b}'), "{plain}");
        let stripped: String = coloured
            .split('\u{1b}')
            .enumerate()
            .map(|(at, part)| if at == 0 { part } else { part.split_once('m').unwrap().1 })
            .collect();
        assert_eq!(stripped, plain);
    }
}

/// Answers every request with 200 and believes everybody: no page, no signature check, no ledger.
fn credulous() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let mut seen = Vec::new();
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    seen.extend_from_slice(&bytes[..count]);
                    if is_whole(&seen) {
                        break;
                    }
                }
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\
                              Connection: close\r\n\r\nok";
                drop(stream.write_all(answer.as_bytes()));
            });
        }
    });
    port
}

/// Whether a request has come with all of its body.
fn is_whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    seen.len() >= head.len() + 4 + length.and_then(Result::ok).unwrap_or_default()
}

#[test]
fn failures_name_what_was_checked_expected_got_and_why() {
    for lang in LANGS {
        let port = credulous();
        let app = format!("http://127.0.0.1:{port}");
        let world = Seeded::new()
            .with("STRIPEGYM_LANG", lang)
            .with("STRIPE_WEBHOOK_SECRET", "whsec_golden1234567890");
        for day in ["day1", "day3"] {
            let (code, said) = world.run(&[day, "--only", "check", "--app", &app]);
            assert_eq!(code, 1, "{said}");
            let said = said.replace(&port.to_string(), "5000");
            hold(&file(&format!("{day}.{lang}.failing.txt")), &said);
            let wrong = too_wide(&said, 80);
            assert!(wrong.is_empty(), "{lang} {day}:\n{}", wrong.join("\n"));
        }
    }
}
