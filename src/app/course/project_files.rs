//! The learner's project as files: which of them count, and their texts for the rules.

use crate::domain::course::known;
use crate::domain::course::lint::{Project, Text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The largest file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;
/// The largest file that is searched for a text, in bytes: a database.
const DATA_MAX: u64 = 64 * 1024 * 1024;
/// How many files are read at most.
const FILES_MAX: usize = 5_000;
/// How deep folders are followed.
const DEPTH_MAX: usize = 12;

/// Whether a folder looks like somebody's project.
pub fn looks_like_project(folder: &Path) -> bool {
    known::words("project-marks").iter().any(|name| folder.join(name).is_file())
}

/// Reads a project: without what git ignores, what tools have installed, values of `.env`, large and binary files.
pub fn read(folder: &Path) -> Project {
    let tracked = tracked(folder);
    let names = match &tracked {
        Some(_) => git(folder, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]),
        None => None,
    };
    let mut paths = names.unwrap_or_else(|| walk(folder));
    paths.retain(|path| counts(path));
    paths.sort();
    paths.dedup();
    paths.truncate(FILES_MAX);
    let files = paths.into_iter().filter_map(|path| {
        let text = text_of(&folder.join(&path))?;
        Some(Text { path, text })
    });
    Project { files: files.collect(), tracked }
}

/// The files that git tracks in a folder, where it is part of a work tree and not ignored there.
pub fn tracked(folder: &Path) -> Option<Vec<String>> {
    if git(folder, &["check-ignore", "--quiet", "."]).is_some() {
        return None;
    }
    git(folder, &["ls-files", "-z", "--cached"])
}

/// The files that somebody gets who clones a project; outside a work tree all but what tools have installed.
pub fn published(folder: &Path) -> Vec<String> {
    let mut paths =
        tracked(folder).filter(|paths| !paths.is_empty()).unwrap_or_else(|| walk(folder));
    paths.retain(|path| counts(path) && folder.join(path).is_file());
    paths.sort();
    paths
}

/// What is changed or new in a folder since the last commit; `None` outside a work tree.
pub fn uncommitted(folder: &Path) -> Option<Vec<String>> {
    tracked(folder)?;
    let lines = git(folder, &["status", "--porcelain", "-z", "--", "."])?;
    Some(lines.into_iter().map(|line| line.trim().to_owned()).collect())
}

/// The tag of the commit that is checked out.
pub fn tag(folder: &Path) -> Option<String> {
    let tags = git(folder, &["tag", "--points-at", "HEAD"])?;
    let first = tags.first()?.lines().next()?.trim().to_owned();
    (!first.is_empty()).then_some(first)
}

/// What git answers, parted at NUL; `None` where it refuses or is not there.
fn git(folder: &Path, arguments: &[&str]) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).stdin(Stdio::null());
    let output = git.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The file below a folder that has these bytes, but for those below `but`.
pub fn with(folder: &Path, bytes: &[u8], but: Option<&Path>) -> Option<String> {
    let left_out = but.and_then(|it| fs::canonicalize(it).ok());
    let has = |name: &String| {
        let path = folder.join(name);
        let is_out = fs::canonicalize(&path)
            .is_ok_and(|whole| left_out.as_ref().is_some_and(|it| whole.starts_with(it)));
        let is_small = fs::symlink_metadata(&path).is_ok_and(|it| it.len() <= DATA_MAX);
        let read = || fs::read(&path).unwrap_or_default();
        !is_out && is_small && read().windows(bytes.len().max(1)).any(|part| part == bytes)
    };
    walk(folder).into_iter().find(has)
}

/// Whether a path is of the project, and not a file with the values of its environment.
fn counts(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let is_env = parts.next() == Some(".env");
    !is_env && !parts.any(|folder| known::is("filled-by-tools", folder))
}

/// The files below a folder, with `/`.
fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<(PathBuf, String, usize)> = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((at, prefix, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&at) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // A link may lead anywhere, and round in circles.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEPTH_MAX && !known::is("filled-by-tools", &name) {
                open.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
            } else if kind.is_file() && found.len() < FILES_MAX {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found
}

/// A file's text; nothing for what is large, binary, or no file.
fn text_of(path: &Path) -> Option<String> {
    let known = fs::symlink_metadata(path).ok()?;
    if !known.is_file() || known.len() > FILE_MAX {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    if bytes.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::lint::{Hit, Rule};

    fn put(folder: &Path, files: &[(&str, &[u8])]) {
        for (name, bytes) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    fn paths(folder: &Path) -> Vec<String> {
        read(folder).files.into_iter().map(|file| file.path).collect()
    }

    fn run(folder: &Path, arguments: &[&str]) {
        assert!(git(folder, arguments).is_some(), "git {arguments:?}");
    }

    #[test]
    fn a_text_is_found_in_any_file_but_where_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        put(at, &[("shop.db", b"\0\x01tea_1\xff"), ("home/run.json", b"tea_2"), ("a.py", b"")]);
        assert_eq!(with(at, b"tea_1", Some(&at.join("home"))).as_deref(), Some("shop.db"));
        assert_eq!(with(at, b"tea_2", Some(&at.join("home"))), None);
        assert_eq!(with(at, b"tea_2", None).as_deref(), Some("home/run.json"));
        assert_eq!(with(at, b"tea_3", None), None);
    }

    #[test]
    fn what_tools_installed_and_what_is_no_text_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let large = vec![b'x'; usize::try_from(FILE_MAX).unwrap() + 1];
        put(
            folder.path(),
            &[
                ("app.py", b"x"),
                (".env", b"x"),
                (".env.example", b"x"),
                ("src/a.rs", b"x"),
                ("node_modules/a/b.js", b"x"),
                ("web/node_modules/b.js", b"x"),
                ("a.bin", b"\0"),
                ("b.latin", b"\xff"),
                ("large.txt", &large),
            ],
        );
        assert_eq!(paths(folder.path()), [".env.example", "app.py", "src/a.rs"]);
        assert!(!looks_like_project(folder.path()));
        put(folder.path(), &[("package.json", b"{}")]);
        assert!(looks_like_project(folder.path()));
    }

    #[test]
    fn the_solutions_of_the_course_keep_every_rule() {
        for language in ["python", "node", "rust"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/track");
            let project = read(&folder.join(language).join("solution"));
            assert!(project.files.len() > 10, "{language}: {}", project.files.len());
            for rule in Rule::ALL {
                let found: Vec<String> = rule.look(&project).hits.iter().map(Hit::show).collect();
                assert_eq!(found, Vec::<String>::new(), "{language}: {}", rule.name());
            }
        }
    }

    #[test]
    fn in_a_work_tree_what_git_ignores_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &[(".gitignore", b"out/\n.env\n"), ("a.py", b"x"), ("out/b.py", b"x")]);
        run(folder.path(), &["init", "-q"]);
        assert_eq!(paths(folder.path()), [".gitignore", "a.py"]);
        assert_eq!(read(folder.path()).tracked, Some(Vec::new()));
        put(folder.path(), &[(".env", b"A=1")]);
        run(folder.path(), &["add", "-f", ".env", "a.py"]);
        let project = read(folder.path());
        assert_eq!(project.tracked, Some(vec![".env".to_owned(), "a.py".to_owned()]));
        assert!(project.file(".env").is_none(), "values are not read");
        assert_eq!(tracked(&folder.path().join("out")), None, "git ignores the folder itself");
    }
}
