//! Rules about lists of dependencies: what is installed tomorrow must be what was tried today.

use crate::domain::course::known;
use crate::domain::course::lint::lines::Kind;
use crate::domain::course::lint::{Project, Sight, Text};

/// Dependencies without a version of their own and without a lock.
pub(super) fn unpinned(project: &Project) -> Sight {
    let requirements = project.files.iter().filter(|file| is_requirements(file));
    let sight = Sight::scan(requirements, |_, lines| {
        let loose = lines.iter().map(|line| (line.number, line.code.trim()));
        loose.filter(|(_, it)| is_loose(it)).map(|(at, it)| (at, it.to_owned())).collect()
    });
    known::groups("locked").fold(sight, |sight, (name, locks)| {
        let lists = project.files.iter().filter(|file| file.name() == name);
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
fn loose(project: &Project, file: &Text, locks: &[String]) -> Vec<(usize, String)> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |lock: &String| {
        let path = if folder.is_empty() { lock.clone() } else { format!("{folder}/{lock}") };
        project.file(&path).is_some() || project.file(lock).is_some()
    };
    if locks.iter().any(beside) || !depends(file) {
        return Vec::new();
    }
    locks.first().map(|lock| (1, format!("– {lock}"))).into_iter().collect()
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
