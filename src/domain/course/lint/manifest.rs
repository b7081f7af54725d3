//! Rules about lists of dependencies: what is installed tomorrow must be what was tried today.

use crate::domain::course::lint::lines::Kind;
use crate::domain::course::lint::{Project, Sight, Text};

/// Lists that are exact only with a lock beside them, and the locks that will do.
const LOCKED: [(&str, &[&str]); 6] = [
    (
        "package.json",
        &["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"],
    ),
    ("Cargo.toml", &["Cargo.lock"]),
    ("pyproject.toml", &["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"]),
    ("Gemfile", &["Gemfile.lock"]),
    ("composer.json", &["composer.lock"]),
    ("Pipfile", &["Pipfile.lock"]),
];

/// Dependencies without a version of their own and without a lock.
pub(super) fn unpinned(project: &Project) -> Sight {
    let requirements = project.files.iter().filter(|file| is_requirements(file));
    let sight = Sight::scan(requirements, |_, lines| {
        let loose = lines.iter().map(|line| (line.number, line.code.trim()));
        loose.filter(|(_, it)| is_loose(it)).map(|(at, it)| (at, it.to_owned())).collect()
    });
    LOCKED.iter().fold(sight, |sight, (name, locks)| {
        let lists = project.files.iter().filter(|file| file.name() == *name);
        sight.and(Sight::scan(lists, |file, _| loose(project, file, locks)))
    })
}

fn is_requirements(file: &Text) -> bool {
    let name = file.name();
    name.starts_with("requirements") && file.kind() == Kind::Config
}

/// Whether a line of a requirements file leaves the version open.
fn is_loose(line: &str) -> bool {
    let option = line.is_empty() || line.starts_with('-');
    let exact = ["==", " @ ", ".whl"].iter().any(|mark| line.contains(mark));
    let continued = line.starts_with("--hash");
    !option && !exact && !continued && !line.contains("==") || line.contains("==*")
}

/// What a list leaves open: nothing where one of its locks is beside it or above.
fn loose(project: &Project, file: &Text, locks: &[&str]) -> Vec<(usize, String)> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |lock: &&&str| {
        let path = if folder.is_empty() { (**lock).to_owned() } else { format!("{folder}/{lock}") };
        project.file(&path).is_some() || project.file(lock).is_some()
    };
    if locks.iter().any(|lock| beside(&lock)) {
        return Vec::new();
    }
    if !depends(file) {
        return Vec::new();
    }
    vec![(1, format!("– {}", locks.first().copied().unwrap_or_default()))]
}

/// Whether a list names any dependency.
fn depends(file: &Text) -> bool {
    match file.name() {
        "package.json" => file.text.contains("ependencies\""),
        "Cargo.toml" => file.text.contains("dependencies"),
        "pyproject.toml" => {
            let text = &file.text;
            let exact = || {
                let inside = text.split_once("dependencies").map_or("", |(_, rest)| rest);
                let list = inside.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                list.is_some_and(|(list, _)| {
                    list.split(',').all(|it| it.trim().is_empty() || it.contains("=="))
                })
            };
            text.contains("dependencies") && !exact()
        }
        _ => true,
    }
}
