//! What `check` writes for build servers beside what it says: `--format FORM` on stdout, `--format FORM:FILE`.

use crate::cli::args::Command;
use crate::cli::out;
use crate::domain::course::graded::Checked;
use crate::domain::fault::Fault;
use crate::domain::report::Report;
use crate::view::build_server::{github, markdown};
use crate::view::canvas::Canvas;
use crate::view::course_json::junit;
use std::path::PathBuf;
use std::str::FromStr;

/// A form that a build server reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// What `--json` prints.
    Json,
    Junit,
    Github,
    Markdown,
}

/// A form, and the file for it; stdout where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    form: Form,
    file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, file) = text.split_once(':').map_or((text, None), |(form, it)| (form, Some(it)));
        let form = match form {
            "json" => Form::Json,
            "junit" => Form::Junit,
            "github" => Form::Github,
            "markdown" => Form::Markdown,
            _ => return Err("json, junit, github, markdown, junit:FILE".to_owned()),
        };
        // JSON comes line by line while the days are graded: there is no document for a file.
        match file {
            Some("") => Err("junit:FILE".to_owned()),
            Some(_) if form == Form::Json => Err("json".to_owned()),
            _ => Ok(Self { form, file: file.map(PathBuf::from) }),
        }
    }
}

/// What a command was asked to write beside its report.
pub(crate) fn asked(command: Option<&Command>) -> Vec<Output> {
    let (copies, file) = match command {
        Some(Command::Check(check)) => (check.format.clone(), check.junit.clone()),
        Some(other) => (Vec::new(), super::run::day_of(other).and_then(|day| day.junit.clone())),
        None => return Vec::new(),
    };
    let junit = file.map(|file| Output { form: Form::Junit, file: Some(file) });
    copies.into_iter().chain(junit).collect()
}

/// Whether stdout is a program's, so that nothing else may be said there.
pub(crate) fn owns_stdout(copies: &[Output]) -> bool {
    copies.iter().any(|it| it.file.is_none() && matches!(it.form, Form::Junit | Form::Markdown))
}

/// Whether stdout takes what `--json` prints.
pub(crate) fn wants_json(copies: &[Output]) -> bool {
    copies.iter().any(|it| it.form == Form::Json)
}

/// Writes them.
pub(crate) fn write(copies: &[Output], report: &Report, canvas: &Canvas) -> Result<(), Fault> {
    for copy in copies {
        let Some(text) = text(copy.form, report, canvas) else { continue };
        match &copy.file {
            None => out::data(text.trim_end_matches('\n')),
            Some(path) => std::fs::write(path, text).map_err(|error| Fault::file(path, error))?,
        }
    }
    Ok(())
}

fn text(form: Form, report: &Report, canvas: &Canvas) -> Option<String> {
    // Colours are for terminals.
    let canvas = &Canvas { colour: false, ..canvas.clone() };
    let of = |say: fn(&Checked, &Canvas) -> String| match report {
        Report::Checked(checked) => Some(say(checked, canvas)),
        _ => None,
    };
    match form {
        Form::Json => None,
        Form::Github => of(github),
        Form::Markdown => of(markdown),
        Form::Junit => match report {
            Report::Day(day) => Some(junit(&[day.as_ref()])),
            Report::Day0(round) => Some(junit(&[&round.course])),
            Report::Checked(checked) => {
                Some(junit(&checked.days.iter().map(|graded| &graded.day).collect::<Vec<_>>()))
            }
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_goes_to_stdout_or_to_its_file() {
        let read = |text: &str| text.parse::<Output>();
        let file = Some(PathBuf::from("a:b.xml"));
        assert_eq!(read("junit:a:b.xml"), Ok(Output { form: Form::Junit, file }));
        assert!(owns_stdout(&[read("markdown").unwrap()]));
        assert!(!owns_stdout(&[read("github").unwrap(), read("junit:x").unwrap()]));
        assert!(wants_json(&[read("json").unwrap()]));
        for wrong in ["xml", "", "junit:", "json:x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
