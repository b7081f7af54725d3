//! The prose of a day: Markdown with fixed anchors, and the commands that it quotes.

use crate::domain::course::ANCHORS;
use crate::domain::course::rules::LessonError;

/// A part of the prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'p> {
    /// `goal`, `tasks`, …
    pub anchor: &'p str,
    /// Its heading without the anchor.
    pub heading: &'p str,
    /// What stands under it.
    pub body: &'p str,
}

/// The sections: every line `## Heading {#anchor}` begins one.
pub fn sections(prose: &str) -> Vec<Section<'_>> {
    let mut found: Vec<(&str, &str, usize, usize)> = Vec::new();
    let mut at = 0;
    let mut fenced = false;
    for line in prose.split_inclusive('\n') {
        let start = at;
        at += line.len();
        fenced ^= line.starts_with("```");
        if fenced {
            continue;
        }
        let Some((heading, anchor)) = heading(line) else { continue };
        if let Some(last) = found.last_mut() {
            last.3 = start;
        }
        found.push((anchor, heading, at, prose.len()));
    }
    let section = |(anchor, heading, from, to)| Section {
        anchor,
        heading,
        body: prose.get(from..to).unwrap_or_default().trim(),
    };
    found.into_iter().map(section).collect()
}

fn heading(line: &str) -> Option<(&str, &str)> {
    let (heading, anchor) = line.trim_end().strip_prefix("## ")?.rsplit_once("{#")?;
    Some((heading.trim(), anchor.strip_suffix('}')?))
}

/// The section of an anchor.
pub fn section<'p>(prose: &'p str, anchor: &str) -> Option<Section<'p>> {
    sections(prose).into_iter().find(|section| section.anchor == anchor)
}

/// The commands `stripegym …` that the prose quotes: in code spans, and in lines of code after `$ ` or alone.
pub fn commands(prose: &str) -> Vec<String> {
    let mut found = Vec::new();
    // In what a terminal shows, only what follows a prompt was typed.
    let (mut fenced, mut shown) = (false, false);
    for line in prose.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fenced = !fenced;
            shown = matches!(language.trim(), "text" | "console");
        } else if fenced {
            let line = line.trim_start();
            match line.strip_prefix("$ ") {
                Some(command) => found.push(command.to_owned()),
                None if shown => {}
                None => found.push(line.to_owned()),
            }
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            // A line of code by its place, as in the steps of a conversation.
            found.extend(line.strip_prefix("    ").map(str::to_owned));
        }
    }
    found.retain(|command| command == "stripegym" || command.starts_with("stripegym "));
    // What follows a comment sign explains the command.
    for command in &mut found {
        if let Some((before, _)) = command.split_once(" #") {
            *command = before.trim_end().to_owned();
        }
    }
    found
}

/// What is wrong with a prose file.
pub fn problems(prose: &str, file: &str) -> Vec<LessonError> {
    let mut found = Vec::new();
    let anchors: Vec<&str> = sections(prose).iter().map(|section| section.anchor).collect();
    if anchors != ANCHORS {
        let what = format!("has {anchors:?}, not {ANCHORS:?} in this order");
        found.push(LessonError::new(file, "anchors", what));
    }
    for section in sections(prose).iter().filter(|section| section.body.is_empty()) {
        found.push(LessonError::new(file, section.anchor, "says nothing"));
    }
    if !prose.starts_with("# ") {
        found.push(LessonError::new(file, "title", "the first line must be `# Title`"));
    }
    for url in prose.split("https://").skip(1) {
        if !url.starts_with("docs.stripe.com/") {
            let host = url.split(['/', ')', ' ']).next().unwrap_or_default();
            found.push(LessonError::new(file, "links", format!("leads to https://{host}")));
        }
    }
    found
}

/// The lines of 78 columns that a text fills at most.
pub fn height(text: &str) -> usize {
    use unicode_width::UnicodeWidthStr as _;
    text.trim().lines().map(|line| line.width().div_ceil(76).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &str = "# T\n\n## Goal {#goal}\na `stripegym day1` and `x`\n\n## Do {#tasks}\n```console\n\
        $ stripegym listen  # ok\nout\n## no {#no}\n```\n";

    #[test]
    fn sections_begin_at_their_anchors_and_not_within_code() {
        let found = sections(PROSE);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].anchor, found[0].heading), ("goal", "Goal"));
        assert!(found[1].body.contains("## no"));
    }

    #[test]
    fn quoted_commands_are_found() {
        assert_eq!(commands(PROSE), ["stripegym day1", "stripegym listen"]);
    }

    #[test]
    fn what_lacks_is_named() {
        let keys: Vec<String> = problems(PROSE, "f").into_iter().map(|it| it.key).collect();
        assert_eq!(keys, ["anchors"]);
        let keys: Vec<String> =
            problems("x https://evil.example/", "f").into_iter().map(|it| it.key).collect();
        assert_eq!(keys, ["anchors", "title", "links"]);
    }
}
