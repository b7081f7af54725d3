//! The language of a conversation: asked once, where neither the settings nor the locale say one, and remembered.

use crate::cli::out;
use crate::config::sources::Sources;
use crate::domain::locale::Locale;
use std::fs;
use std::io::stdin;
use std::path::Path;

/// The file within the home folder that remembers it.
const FILE: &str = "language";
/// In both languages, as nobody knows yet which is read.
const QUESTION: &str = "Language / 言語:  1 English   2 日本語";

/// The language that was chosen, or is chosen now; `None` where it was said elsewhere, or nobody is asked.
pub(crate) fn settle(sources: &Sources, home: &Path, asks: bool) -> Option<Locale> {
    if sources.says_language() {
        return None;
    }
    let path = home.join(FILE);
    let known = fs::read_to_string(&path).ok();
    if let Some(known) = known.and_then(|text| Locale::read(text.trim())) {
        return Some(known);
    }
    let in_ci = sources.variable("CI").is_some_and(|it| !matches!(it, "" | "0" | "false"));
    if !asks || in_ci || !out::is_dialogue() {
        return None;
    }
    out::data(QUESTION);
    let mut line = String::new();
    stdin().read_line(&mut line).ok()?;
    let chosen = match crate::cli::talk::line::meant(&line).to_lowercase().as_str() {
        "2" | "ja" | "日本語" => Locale::Ja,
        _ => Locale::En,
    };
    // Where it cannot be remembered, it is asked again.
    drop(fs::create_dir_all(home).and_then(|()| fs::write(&path, chosen.code())));
    Some(chosen)
}
