//! The documents of the project: written where they lack, read, and tried out in a clean folder.

use crate::app::course::act_error::ActError;
use crate::app::course::lesson_run::LessonRun;
use crate::app::course::project_files;
use crate::app::course::secret_scan;
use crate::content::embedded;
use crate::domain::course::claim::{FilesAre, Mentions};
use crate::domain::course::facts;
use crate::domain::course::lint::{Hit, Project, Rule, Sight};
use crate::domain::course::outcome::Finding;
use crate::domain::course::statement::Statement;
use crate::domain::fault::Fault;
use crate::domain::locale::Locale;
use crate::domain::notice::Notice;
use crate::stripe::API_VERSION;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Writes the documents that the project lacks; what is there stays as it is. Into the learner's own project
/// nothing is written: what it lacks is proposed in a folder beside the ledger.
pub fn document(run: &LessonRun<'_>) -> Result<Value, ActError> {
    let config = &run.context.config;
    let project = &run.project;
    let own = run.own_project().map(|folder| (folder, project_files::read(folder)));
    let into = if own.is_some() { config.home.join("proposed") } else { project.clone() };
    let mut written = Vec::new();
    for (name, text) in embedded::project(config.locale) {
        // Under which licence somebody's work stands is theirs to say.
        if project.join(name).exists() || (own.is_some() && name == "LICENSE") {
            continue;
        }
        let text = match (&own, name) {
            (Some((folder, files)), "README.md") => own_readme(config.locale, folder, files),
            _ => text.to_owned(),
        };
        let text = text
            .replace("{version}", env!("CARGO_PKG_VERSION"))
            .replace("{api_version}", API_VERSION)
            .replace("{port}", &config.port.to_string())
            .replace("{sandbox_port}", &config.sandbox_port.to_string());
        fs::create_dir_all(&into).map_err(|error| Fault::file(&into, error))?;
        let path = into.join(name);
        fs::write(&path, text).map_err(|error| Fault::file(&path, error))?;
        written.push(name.to_owned());
    }
    if own.is_some() && !written.is_empty() {
        let folder = into.display().to_string();
        run.context.notices.say(Notice::Proposed { folder, names: written.clone() });
    }
    Ok(json!({ "written": written, "folder": into.display().to_string() }))
}

/// The README for a project of the learner's own, from what its files tell.
fn own_readme(locale: Locale, folder: &Path, files: &Project) -> String {
    let facts = facts::of(files);
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name =
        whole.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let list = |items: &[String]| {
        items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
    };
    let env: Vec<String> = facts.variables.iter().map(|name| format!("| `{name}` | … |")).collect();
    embedded::own_readme(locale)
        .replace("{name}", &name)
        .replace("{stack}", &list(&facts.stack))
        .replace("{install}", &facts.install.join("\n"))
        .replace("{start}", facts.start.as_deref().unwrap_or("#"))
        .replace("{env}", &env.join("\n"))
        .replace("{files}", &list(&facts.files))
}

/// Whether files are there, ignored, and unknown to git.
pub fn files(run: &LessonRun<'_>, it: &FilesAre) -> Finding {
    let (folder, own) = (&run.project, run.own_project().is_some());
    let mut wrong = Vec::new();
    let there = |names: &str| names.split('|').any(|name| folder.join(name.trim()).is_file());
    let asked: Vec<&String> = it.exist.iter().chain(it.own.iter().filter(|_| own)).collect();
    wrong.extend(asked.iter().filter(|names| !there(names)).map(|names| format!("{names} –")));
    let ignore = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
    for name in it.ignored.iter().filter(|name| !ignore.lines().any(|line| line.trim() == **name)) {
        wrong.push(format!(".gitignore {name} –"));
    }
    let tracked = project_files::tracked(folder).unwrap_or_default();
    let known = |name: &String| {
        let end = name.strip_prefix('*');
        tracked.iter().find(|path| end.map_or(*path == name, |end| path.ends_with(end)))
    };
    wrong.extend(it.untracked.iter().filter_map(known).map(|name| format!("git: {name}")));
    let mut got = "ok".to_owned();
    if it.clean && own {
        match project_files::uncommitted(folder) {
            Some(changed) if !changed.is_empty() => {
                let first: Vec<&str> = changed.iter().take(PLACES).map(String::as_str).collect();
                wrong.push(format!("git status: {}", first.join(", ")));
            }
            Some(_) => {
                let tag = project_files::tag(folder).unwrap_or_else(|| "–".to_owned());
                got = format!("ok · git tag {tag}");
            }
            None => "ok · git –".clone_into(&mut got),
        }
    }
    let all = [&it.exist, &it.ignored, &it.untracked].into_iter().flatten();
    let all = all.chain(it.own.iter().filter(|_| own));
    let expected = all.cloned().collect::<Vec<_>>().join(" ");
    let holds = wrong.is_empty();
    Finding::new(holds, expected, if holds { got } else { wrong.join(" · ") })
}

/// Whether a file speaks of every topic.
pub fn mentions(folder: &Path, it: &Mentions) -> Finding {
    let texts =
        it.file.split('|').filter_map(|name| fs::read_to_string(folder.join(name.trim())).ok());
    // An address says nothing about a decision: every README has one with https.
    let words = texts.map(|text| {
        let words = text.split_whitespace().filter(|word| !word.contains("://"));
        words.collect::<Vec<_>>().join(" ")
    });
    let text = words.collect::<Vec<_>>().join("\n").to_lowercase();
    let said =
        |words: &str| words.split('|').any(|word| text.contains(&word.trim().to_lowercase()));
    let lacking: Vec<&str> =
        it.all.iter().filter(|(_, words)| !said(words)).map(|(name, _)| name.as_str()).collect();
    let holds = lacking.is_empty();
    let lacking: Vec<String> = lacking.into_iter().map(str::to_owned).collect();
    let got = if holds { "ok".into() } else { Statement::Silent(lacking.clone()) };
    let expected = Statement::Mentions(it.file.clone(), it.all.len());
    Finding { lacking, ..Finding::new(holds, expected, got) }
}

/// How many places a finding names.
const PLACES: usize = 5;

/// What a rule saw, as a finding: the places, or how many files it looked at.
pub fn linted(rule: Rule, sight: &Sight) -> Finding {
    let places: Vec<String> = sight.hits.iter().take(PLACES).map(Hit::show).collect();
    let holds = places.is_empty();
    let more = sight.hits.len() - places.len();
    let more = if more > 0 { format!(" · + {more}") } else { String::new() };
    let places = places.join(" · ") + &more;
    let got = if holds { Statement::Looked(sight.looked) } else { places.into() };
    Finding::new(holds, Statement::Clean(rule.name().to_owned()), got)
}

/// The first secret in the project's documents.
pub fn secret(folder: &Path, known: &[&str]) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    paths.into_iter().find_map(|path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        if name == ".env" {
            return None;
        }
        let text = fs::read_to_string(&path).ok()?;
        // The well-known test card is no secret of a document.
        let text = text.replace("4242424242424242", "");
        Some(format!("{name}: {}", secret_scan::find(&text, known)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_speak_of_what_the_last_day_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in embedded::project(Locale::En) {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let own = |(name, words): (&str, &str)| (name.to_owned(), words.to_owned());
        let it = Mentions {
            file: "README.md|production.md".to_owned(),
            all: [("live", "live keys"), ("https", "nothing|HTTPS")].map(own).into(),
        };
        assert!(mentions(folder.path(), &it).holds);
        let it = Mentions { all: [("a", "quantum"), ("b", "dust")].map(own).into(), ..it };
        assert_eq!(mentions(folder.path(), &it).lacking, ["a", "b"]);
        assert_eq!(secret(folder.path(), &[]), None);
    }
}
