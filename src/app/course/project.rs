//! The documents of the project: written where they lack, read, and tried out in a clean folder.

use crate::app::course::spy;
use crate::app::course::stage::Stage;
use crate::app::course::trouble::Trouble;
use crate::content::embedded;
use crate::domain::course::claim::{FilesAre, Mentions};
use crate::domain::course::lint::{Hit, Rule, Sight};
use crate::domain::course::outcome::Finding;
use crate::domain::fault::{Fault, Problem};
use crate::stripe::API_VERSION;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long one command of a README may take.
const COMMAND_TIME: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn broken(path: &Path, error: &std::io::Error) -> Fault {
    Fault::because(Problem::File { path: path.display().to_string() }, error)
}

/// Writes the documents that the project lacks; what is there stays as it is.
pub fn document(stage: &Stage<'_>) -> Result<Value, Trouble> {
    let folder = &stage.project;
    fs::create_dir_all(folder).map_err(|error| broken(folder, &error))?;
    let mut written = Vec::new();
    for (name, text) in embedded::PROJECT {
        let path = folder.join(name);
        if path.exists() {
            continue;
        }
        let text = text
            .replace("{version}", env!("CARGO_PKG_VERSION"))
            .replace("{api_version}", API_VERSION);
        fs::write(&path, text).map_err(|error| broken(&path, &error))?;
        written.push(name);
    }
    Ok(json!({ "written": written }))
}

/// A command of a README that is marked as runnable.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Runnable {
    /// Its line, from 1.
    line: usize,
    /// The command.
    command: String,
}

/// The lines of blocks that begin with ```` ```bash run ````.
fn runnable(readme: &str) -> Vec<Runnable> {
    let mut found = Vec::new();
    let mut inside = false;
    for (at, line) in readme.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            inside = !inside && matches!(info.trim(), "bash run" | "console run" | "sh run");
        } else if inside && !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            let command = line.trim().trim_start_matches("$ ").to_owned();
            found.push(Runnable { line: at + 1, command });
        }
    }
    found
}

/// Runs the project's README in a clean folder with a clean environment.
pub async fn run_readme(stage: &Stage<'_>) -> Result<Value, Trouble> {
    let path = stage.project.join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| broken(&path, &error))?;
    let nonce = stage.kept.fill("$run.nonce").unwrap_or_default();
    let clean = stage.context.config.home.join("clean").join(nonce);
    fs::create_dir_all(&clean).map_err(|error| broken(&clean, &error))?;
    let folder = fs::canonicalize(&clean).map_err(|error| broken(&clean, &error))?;
    let project = stage.project.clone();
    let ran = tokio::task::spawn_blocking(move || {
        copy(&project, &folder)?;
        runnable(&readme)
            .into_iter()
            .map(|it| run(&folder, &it))
            .collect::<std::io::Result<Vec<_>>>()
    });
    let lost = |_| Trouble::from(Problem::Bug { what: "a README's commands were lost".to_owned() });
    let blocks = ran.await.map_err(lost)?.map_err(|error| broken(&clean, &error))?;
    fs::remove_dir_all(&clean).map_err(|error| broken(&clean, &error))?;
    let failed: Vec<String> = blocks
        .iter()
        .filter(|block| block.get("exit") != Some(&json!(0)))
        .map(|block| {
            let text = |name: &str| block.get(name).map_or_else(String::new, ToString::to_string);
            format!("{} {} → {} {}", text("line"), text("command"), text("exit"), text("output"))
        })
        .collect();
    let count = blocks.len();
    Ok(json!({ "blocks": blocks, "count": count, "failed": failed.join("\n") }))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_file()
            && let Some(name) = path.file_name()
        {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Runs one command. Only this program is run: what else a README names needs tools that may not be there.
fn run(folder: &Path, it: &Runnable) -> std::io::Result<Value> {
    let words: Vec<&str> = it.command.split_whitespace().collect();
    let Some((&"stripegym", arguments)) = words.split_first() else {
        let output = "only `stripegym` commands are run";
        return Ok(json!({ "line": it.line, "command": it.command, "exit": -1, "output": output }));
    };
    if arguments.first() == Some(&"day6") {
        let output = "day6 runs this file and cannot be run by it";
        return Ok(json!({ "line": it.line, "command": it.command, "exit": -1, "output": output }));
    }
    let said = folder.join("said.txt");
    let file = File::create(&said)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PORT", "0")
        .env("STRIPEGYM_SANDBOX_PORT", "0")
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()?;
    let until = Instant::now() + COMMAND_TIME;
    let exit = loop {
        if let Some(status) = child.try_wait()? {
            break status.code().unwrap_or(-1);
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            break -1;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let text = fs::read_to_string(&said)?;
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok(json!({ "line": it.line, "command": it.command, "exit": exit, "output": last }))
}

/// Whether files are there, ignored, and unknown to git.
pub fn files(folder: &Path, it: &FilesAre) -> Finding {
    let mut wrong = Vec::new();
    for name in it.exist.iter().filter(|name| !folder.join(name).exists()) {
        wrong.push(format!("{name} –"));
    }
    let ignore = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
    for name in it.ignored.iter().filter(|name| !ignore.lines().any(|line| line.trim() == **name)) {
        wrong.push(format!(".gitignore {name} –"));
    }
    for name in it.untracked.iter().filter(|name| is_tracked(Path::new("."), name)) {
        wrong.push(format!("git: {name}"));
    }
    let all = [&it.exist, &it.ignored, &it.untracked].into_iter().flatten();
    let expected = all.cloned().collect::<Vec<_>>().join(" ");
    let holds = wrong.is_empty();
    let got = if holds { "ok".to_owned() } else { wrong.join(" · ") };
    Finding { holds, expected, got }
}

/// Whether git knows a file of a folder; without git, or outside a repository, nothing is known to it.
fn is_tracked(folder: &Path, name: &str) -> bool {
    let asked = Command::new("git")
        .args(["ls-files", "--error-unmatch", "--", name])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    asked.is_ok_and(|output| output.status.success())
}

/// Whether a file speaks of every topic.
pub fn mentions(folder: &Path, it: &Mentions) -> Finding {
    let texts =
        it.file.split('|').filter_map(|name| fs::read_to_string(folder.join(name.trim())).ok());
    let text = texts.collect::<Vec<_>>().join("\n").to_lowercase();
    let said =
        |topic: &str| topic.split('|').any(|word| text.contains(&word.trim().to_lowercase()));
    let lacking: Vec<&str> =
        it.all.iter().filter(|topic| !said(topic)).map(String::as_str).collect();
    let holds = lacking.is_empty();
    let got = if holds { "ok".to_owned() } else { format!("– {}", lacking.join(", ")) };
    Finding { holds, expected: format!("{} × {}", it.file, it.all.len()), got }
}

/// How many places a finding names.
const PLACES: usize = 5;

/// What a rule saw, as a finding: the places, or how many files it looked at.
pub fn linted(rule: Rule, sight: &Sight) -> Finding {
    let places: Vec<String> = sight.hits.iter().take(PLACES).map(Hit::show).collect();
    let holds = places.is_empty();
    let more = sight.hits.len() - places.len();
    let more = if more > 0 { format!(" · + {more}") } else { String::new() };
    let got = if holds { format!("{} files", sight.looked) } else { places.join(" · ") + &more };
    Finding { holds, expected: format!("lint {}", rule.name()), got }
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
        Some(format!("{name}: {}", spy::find(&text, known)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_are_run() {
        let readme = "```bash\nrm x\n```\n```bash run\n# why\n$ stripegym day0\n\nls\n```\ntext\n";
        let found: Vec<(usize, String)> =
            runnable(readme).into_iter().map(|it| (it.line, it.command)).collect();
        assert_eq!(found, [(6, "stripegym day0".to_owned()), (8, "ls".to_owned())]);
    }

    #[test]
    fn the_templates_speak_of_what_the_last_day_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in embedded::PROJECT {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let it = Mentions {
            file: "README.md|production.md".to_owned(),
            all: vec!["live keys".to_owned(), "nothing|HTTPS".to_owned()],
        };
        assert!(mentions(folder.path(), &it).holds);
        let it = Mentions { all: vec!["quantum".to_owned()], ..it };
        assert_eq!(mentions(folder.path(), &it).got, "– quantum");
        assert_eq!(secret(folder.path(), &[]), None);
    }
}
