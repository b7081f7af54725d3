//! `stripegym verify-report`: whether a report says what it said when it was made.

use crate::app::context::Context;
use crate::app::course::record;
use crate::app::failure::of_store;
use crate::domain::course::progress::Snapshot;
use crate::domain::course::progress_report::{Flaw, Kind, ProgressReport, Shape, Verified};
use crate::domain::data_file::DataFile;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::Locale;
use crate::domain::report::Report;
use crate::store::progress::Progress;
use std::fs;
use std::path::{Path, PathBuf};

/// Computes every hash of the report in `file` again, writes its text again with `render`, and holds it against a
/// progress file: `against`, or the one that is here.
pub fn run(
    context: &Context,
    file: &Path,
    against: Option<&PathBuf>,
    render: impl Fn(&ProgressReport, Kind, Shape, Locale) -> String,
) -> Result<Report, Fault> {
    let shown = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| Fault::because(FaultKind::File { path: shown.clone() }, error))?;
    let mut verified = Verified {
        file: shown,
        rows: 0,
        seal: String::new(),
        flaws: Vec::new(),
        against: None,
        other: None,
    };
    let read = data(&text).and_then(|(shape, data)| Ok((shape, ProgressReport::read(&data)?)));
    let (shape, report) = match read {
        Ok(read) => read,
        Err(reason) => {
            verified.flaws.push(Flaw::Unreadable(reason));
            return Ok(Report::Verified(Box::new(verified)));
        }
    };
    verified.rows = report.rows.len();
    verified.seal.clone_from(&report.seal);
    verified.flaws = report.flaws();
    if report.head.program == env!("CARGO_PKG_VERSION") {
        let locale = Locale::read(&report.head.language).unwrap_or_default();
        let again = render(&report, Kind::Full, shape, locale);
        verified.flaws.extend(difference(&text, &again).map(Flaw::Text));
    } else {
        verified.other = Some(report.head.program.clone());
    }
    if let Some((path, progress)) = progress(context, against)? {
        verified.flaws.extend(report.against(&progress));
        verified.against = Some(path);
    }
    Ok(Report::Verified(Box::new(verified)))
}

/// The progress file to hold a report against, with what it holds.
fn progress(
    context: &Context,
    against: Option<&PathBuf>,
) -> Result<Option<(String, Snapshot)>, Fault> {
    let path = against.cloned().unwrap_or_else(|| record::path(context));
    let shown = path.display().to_string();
    if !path.exists() {
        // One that was named must be there.
        let lacking = || FaultKind::File { path: shown }.into();
        return against.map_or(Ok(None), |_| Err(lacking()));
    }
    let read = Progress::open(&path).and_then(|progress| progress.snapshot());
    let snapshot = read.map_err(|error| of_store(&error, DataFile::Progress, &path))?;
    Ok(Some((shown, snapshot)))
}

/// The data in a report of any shape.
fn data(text: &str) -> Result<(Shape, String), String> {
    let between = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        rest.rsplit_once(end).map(|(data, _)| data)
    };
    if text.trim_start().starts_with('{') {
        return Ok((Shape::Json, text.to_owned()));
    }
    if let Some(data) = between("```json stripegym-report\n", "```") {
        return Ok((Shape::Markdown, data.to_owned()));
    }
    if let Some(data) = between("<pre id=\"stripegym-report\">", "</pre>") {
        let marks =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        let plain = |text: String, (mark, letter): &(&str, &str)| text.replace(mark, letter);
        return Ok((Shape::Html, marks.iter().fold(data.to_owned(), plain)));
    }
    Err("stripegym-report –".to_owned())
}

/// The first line, from 1, at which two texts differ; line ends do not count.
fn difference(a: &str, b: &str) -> Option<usize> {
    let (mut left, mut right) = (a.trim_end().lines(), b.trim_end().lines());
    let mut at = 1;
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (x, y) if x.map(str::trim_end) != y.map(str::trim_end) => return Some(at),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_found_in_every_shape() {
        assert_eq!(data("{}").unwrap(), (Shape::Json, "{}".to_owned()));
        let markdown = "# x\n\n```json stripegym-report\n{\"a\": 1}\n```\n";
        assert_eq!(data(markdown).unwrap(), (Shape::Markdown, "{\"a\": 1}\n".to_owned()));
        let html =
            "<pre id=\"stripegym-report\">{&quot;a&quot;: &quot;&amp;lt;&quot;}</pre></details>";
        assert_eq!(data(html).unwrap(), (Shape::Html, "{\"a\": \"&lt;\"}".to_owned()));
        assert!(data("nothing").is_err());
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(difference("a\r\nb\r\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb", "a\nc"), Some(2));
        assert_eq!(difference("a", "a\nb"), Some(2));
    }
}
