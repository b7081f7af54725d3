//! Rules about the README: that it tells what a stranger needs, and the same as the code does.

use crate::domain::course::known;
use crate::domain::course::lint::lines::{Kind, has_word, tight};
use crate::domain::course::lint::{Hit, Project, Sight, Text};
use crate::domain::course::readme::{Mark, Readme, lacking};
use std::collections::BTreeMap;

/// The README of a project, in the language that there is.
fn readme(project: &Project) -> Option<&Text> {
    let named = |file: &&Text| {
        let lower = file.path.to_ascii_lowercase();
        !lower.contains('/') && lower.starts_with("readme") && file.kind() == Kind::Document
    };
    project.file("README.md").or_else(|| project.files.iter().find(named))
}

fn sight(hits: Vec<(&str, usize, String)>) -> Sight {
    let hits = hits.into_iter();
    let hits = hits.map(|(path, line, what)| Hit { path: path.to_owned(), line, what });
    Sight { looked: 1, hits: hits.collect() }
}

/// The sections that it lacks, and fences that are damaged.
pub(super) fn sections(project: &Project) -> Sight {
    let Some(file) = readme(project) else {
        return sight(vec![("README.md", 1, "–".to_owned())]);
    };
    let read = Readme::read(&file.text);
    let mut hits: Vec<(&str, usize, String)> = Vec::new();
    hits.extend(
        lacking(&read).into_iter().map(|name| (file.path.as_str(), 1, format!("– {name}"))),
    );
    hits.extend(read.open.map(|line| (file.path.as_str(), line, "```".to_owned())));
    let damaged = read.blocks.iter().filter(|block| block.language == "hash");
    hits.extend(damaged.map(|block| (file.path.as_str(), block.line - 1, "```hash".to_owned())));
    sight(hits)
}

/// Whether a text is the name of a variable.
fn is_name(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.len() >= 3
        && text.chars().all(letters)
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The variables that code reads, with where.
pub fn read_by_code(project: &Project) -> BTreeMap<String, (String, usize)> {
    let mut found = BTreeMap::new();
    for file in project.of(&Kind::CODE) {
        for line in file.lines() {
            let code = tight(line.code);
            for mark in known::words("reads-variable") {
                for (at, _) in code.match_indices(mark.as_str()) {
                    let rest = code.get(at + mark.len()..).unwrap_or_default();
                    let rest = rest.trim_start_matches(['"', '\'', '`']);
                    let name: String = rest
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .collect();
                    if is_name(&name) && !known::is("anyones", &name) {
                        found.entry(name).or_insert_with(|| (file.path.clone(), line.number));
                    }
                }
            }
        }
    }
    // What a helper of the project's own reads is known from the example and used somewhere.
    let sample = project.file(".env.example").map_or("", |file| file.text.as_str());
    let names = sample.lines().filter_map(|line| Some(line.split_once('=')?.0.trim()));
    for name in names.filter(|name| is_name(name)) {
        let user = project.of(&Kind::CODE).find_map(|file| {
            let line = file.lines().into_iter().find(|line| has_word(line.code, name))?;
            Some((file.path.clone(), line.number))
        });
        if let Some(place) = user {
            found.entry(name.to_owned()).or_insert(place);
        }
    }
    found
}

/// The variables that a README's tables and lists name, with their lines.
fn named_by(readme: &Text) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in readme.text.lines().enumerate() {
        let row = line.trim_start();
        if !row.starts_with(['|', '-', '*']) {
            continue;
        }
        // The first cell, or what stands before the colon.
        let cell = row.trim_start_matches(['|', '-', '*', ' ']);
        let cell = cell.split(['|', ':']).next().unwrap_or_default();
        let ticked = cell.split('`').skip(1).step_by(2);
        found.extend(ticked.filter(|it| is_name(it)).map(|name| (at + 1, name.to_owned())));
    }
    found
}

/// Variables that only the code, or only the README knows.
pub(super) fn environment(project: &Project) -> Sight {
    let Some(file) = readme(project) else { return Sight::default() };
    if project.of(&Kind::CODE).next().is_none() {
        return Sight::default();
    }
    let read = read_by_code(project);
    let mut hits = Vec::new();
    for (name, (path, line)) in &read {
        if !has_word(&file.text, name) {
            hits.push((path.as_str(), *line, format!("{name} ∉ {}", file.path)));
        }
    }
    let used = |name: &str| {
        let other = |it: &&Text| it.kind() != Kind::Document && it.name() != ".env.example";
        project.files.iter().filter(other).any(|it| has_word(&it.text, name))
    };
    for (line, name) in named_by(file).into_iter().filter(|(_, name)| !used(name)) {
        hits.push((file.path.as_str(), line, format!("{name} ∉ code")));
    }
    sight(hits)
}

/// What a command of a README starts or needs, that the project does not have.
fn absent(project: &Project, command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let has = |path: &str| project.file(path.trim_start_matches("./")).is_some();
    let lacks = |path: &&&str| {
        let file =
            [".py", ".js", ".mjs", ".ts", ".txt", ".sh"].iter().any(|end| path.ends_with(end));
        file && !path.starts_with(['-', '/', '$', '~']) && !path.contains("://") && !has(path)
    };
    let first = words.first()?.rsplit('/').next()?;
    match first {
        "python" | "python3" | "node" | "pip" | "pip3" | "sh" | "bash" => {
            words.iter().skip(1).find(lacks).map(|it| (*it).to_owned())
        }
        "cp" => {
            let source = words.get(1).filter(|it| it.starts_with(".env"))?;
            (!has(source)).then(|| (*source).to_owned())
        }
        "gunicorn" | "uvicorn" | "hypercorn" => {
            let module = words.iter().skip(1).find_map(|word| {
                let (module, _) = word.split_once(':')?;
                (!module.starts_with('-') && !module.contains('/')).then_some(module)
            })?;
            let path = module.replace('.', "/");
            let there = has(&format!("{path}.py")) || has(&format!("{path}/__init__.py"));
            let plain = module.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            (plain && !there && !module.chars().all(|c| c.is_numeric() || c == '.'))
                .then(|| format!("{module}.py"))
        }
        "npm" => match (words.get(1).copied(), words.get(2).copied()) {
            (Some("run"), Some(script)) => {
                let package = project.file("package.json")?;
                let there = package.text.contains(&format!("\"{script}\""));
                (!there).then(|| format!("package.json {script}"))
            }
            _ => (!has("package.json")).then(|| "package.json".to_owned()),
        },
        "cargo" => (!has("Cargo.toml")).then(|| "Cargo.toml".to_owned()),
        "docker" | "docker-compose" => {
            let compose = project.of(&[Kind::Compose]).next().is_some();
            let image = project.of(&[Kind::Docker]).next().is_some();
            let wants_compose = first == "docker-compose" || words.get(1) == Some(&"compose");
            let wants_image = words.get(1) == Some(&"build");
            if wants_compose && !compose {
                return Some("compose.yaml".to_owned());
            }
            (wants_image && !image).then(|| "Dockerfile".to_owned())
        }
        _ => None,
    }
}

/// Commands that name what the project does not have, and a server that is started before its secret is known.
pub(super) fn commands(project: &Project) -> Sight {
    let Some(file) = readme(project) else { return Sight::default() };
    let read = Readme::read(&file.text);
    let mut hits = Vec::new();
    let mut served = None;
    for block in read.blocks.iter().filter(|block| block.is_shell()) {
        for (line, command) in block.commands() {
            for part in command.split("&&").map(str::trim) {
                let lacks = absent(project, part);
                hits.extend(
                    lacks.map(|what| (file.path.as_str(), line, format!("{part}: – {what}"))),
                );
                let secret = part.contains("stripe listen") || part.contains("--print-secret");
                if let Some(before) = served.filter(|_| secret) {
                    let what = format!("{part}: line {before} serves already");
                    hits.push((file.path.as_str(), line, what));
                }
            }
        }
        if block.mark == Mark::Serve || block.starts_server() {
            served = served.or(Some(block.line));
        }
    }
    sight(hits)
}
