//! Holds the source to the habits that ARCHITECTURE.md and CONTRIBUTING.md promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_MAX: usize = 500;
/// Folders whose files must not know each other, and what is there for all of them.
const SIBLINGS: [(&str, &[&str]); 2] = [("sandbox/behaviour/object", &[]), ("app/command", &[])];
const NAMES_FORBIDDEN: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "types", "prelude", "error"];

/// One source file: where it is, the module of the top level it belongs to, its code without comments.
struct Source {
    path: String,
    module: String,
    code: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
}

/// What stands before the unit tests, without comments.
fn code_of(text: &str) -> Vec<String> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(|line| {
            let code = line.split_once("//").map_or(line, |(before, _)| {
                // A `//` inside a string (an address) is code, not a comment.
                if before.matches('"').count() % 2 == 1 { line } else { before }
            });
            code.to_owned()
        })
        .collect()
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, "rs", &mut paths);
    paths
        .iter()
        .filter(|path| path.file_name().is_none_or(|name| name != "tests.rs"))
        .map(|path| {
            let relative = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            let module = relative.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
            let code = code_of(&fs::read_to_string(path).unwrap());
            Source { path: relative, module, code }
        })
        .collect()
}

/// The `arrows` block of ARCHITECTURE.md: each module with the ones it may import.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```arrows\n").nth(1).expect("ARCHITECTURE.md has an `arrows` block");
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in block.split("```").next().unwrap().lines().filter(|line| !line.trim().is_empty()) {
        let (from, to) = line.split_once("->").expect("a line of arrows is `from -> to to`");
        let to: BTreeSet<String> = to.split_whitespace().map(str::to_owned).collect();
        for name in &to {
            assert!(table.contains_key(name), "arrows: `{name}` must stand above {from}");
        }
        table.insert(from.trim().to_owned(), to);
    }
    table
}

/// The `rooms` block: a folder of the sandbox with the ones it may import.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```rooms\n").nth(1).expect("ARCHITECTURE.md has a `rooms` block");
    let lines = block.split("```").next().unwrap().lines();
    lines
        .map(|line| {
            let (from, to) = line.split_once("->").expect("a line of rooms is `from -> to to`");
            (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

/// A folder of the sandbox that is named there imports no other one than it says.
#[test]
fn rooms_of_the_sandbox_know_what_they_may() {
    let mut wrong = Vec::new();
    for (room, allowed) in rooms() {
        let folder = format!("sandbox/{room}/");
        let own: Vec<_> = sources().into_iter().filter(|it| it.path.starts_with(&folder)).collect();
        assert!(!own.is_empty(), "no {folder}");
        for source in own {
            for line in &source.code {
                for rest in line.split("crate::sandbox::").skip(1) {
                    let known = |name: &&str| **name == room || allowed.contains(*name);
                    wrong.extend(
                        heads(rest)
                            .filter(|name| !known(name))
                            .map(|it| format!("{}: {it}", source.path)),
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that ARCHITECTURE.md does not allow:\n{}", wrong.join("\n"));
}

/// The names that follow each `crate::` in a line.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn arrows_point_down() {
    let table = arrows();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|it| it.module != "lib" && it.module != "main") {
        let Some(allowed) = table.get(&source.module) else {
            wrong.push(format!("{}: `{}` is not in the arrows", source.path, source.module));
            continue;
        };
        for (number, line) in source.code.iter().enumerate() {
            for name in imports(line) {
                if name != source.module && !allowed.contains(name) {
                    let from = &source.module;
                    wrong.push(format!("{}:{}: {from} -> {name}", source.path, number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that ARCHITECTURE.md does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn arrows_and_modules_are_the_same_names() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|name| name.trim_end_matches(';').to_owned())
        .collect();
    let named: BTreeSet<String> = arrows().into_keys().collect();
    assert_eq!(declared, named, "modules of src/lib.rs (left), arrows of ARCHITECTURE.md (right)");
}

/// Siblings that must not know each other: what concerns several of them stands above them.
#[test]
fn siblings_do_not_import_one_another() {
    let mut wrong = Vec::new();
    for (folder, shared) in SIBLINGS {
        let path = format!("crate::{}::", folder.replace('/', "::"));
        for source in sources().iter().filter(|it| it.path.starts_with(&format!("{folder}/"))) {
            let own = source.path[folder.len() + 1..].split('/').next().unwrap();
            let own = own.trim_end_matches(".rs");
            if own == "mod" || shared.contains(&own) {
                continue;
            }
            for (number, line) in source.code.iter().enumerate() {
                for rest in line.split(path.as_str()).skip(1) {
                    for name in heads(rest).filter(|name| *name != own && stands(folder, name)) {
                        if shared.contains(&name) {
                            continue;
                        }
                        wrong.push(format!("{}:{}: {name}", source.path, number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "siblings that import one another:\n{}", wrong.join("\n"));
}

/// The first names of a path: one, or those of a group in braces.
fn heads(path: &str) -> impl Iterator<Item = &str> {
    let group = path.strip_prefix('{').and_then(|rest| rest.split('}').next());
    let paths: Vec<&str> = group.map_or_else(|| vec![path], |group| group.split(',').collect());
    paths.into_iter().map(|path| {
        let path = path.trim();
        let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        &path[..end.unwrap_or(path.len())]
    })
}

/// Whether a folder of the source has a module of this name.
fn stands(folder: &str, name: &str) -> bool {
    let folder = root().join("src").join(folder);
    !name.is_empty()
        && (folder.join(format!("{name}.rs")).exists() || folder.join(name).join("mod.rs").exists())
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for source in sources() {
        if source.code.len() > LINES_MAX {
            wrong.push(format!("{}: {} lines before its tests", source.path, source.code.len()));
        }
        let text = fs::read_to_string(root().join("src").join(&source.path)).unwrap();
        if !text.starts_with("//!") {
            wrong.push(format!("{}: no `//!` head", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_say_something() {
    for source in sources() {
        for part in source.path.trim_end_matches(".rs").split('/') {
            assert!(!NAMES_FORBIDDEN.contains(&part), "{}: `{part}` says nothing", source.path);
        }
    }
}

#[test]
fn imports_are_written_in_full() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in source.code.iter().enumerate() {
            let line = line.trim();
            let at = format!("{}:{}", source.path, number + 1);
            if source.path == "lib.rs" && line.contains("pub use ") {
                wrong.push(format!("{at}: lib.rs re-exports nothing"));
            }
            if line.starts_with("use super::*") || line.starts_with("use crate::{") {
                wrong.push(format!("{at}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_over() {
    // Written apart, so that this file does not find itself.
    let words =
        [["dbg", "!("], ["todo", "!("], ["unimpl", "emented!("], ["FIX", "ME"], ["XX", "X "]];
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches", "tools"] {
        let folder = root().join(folder);
        if folder.exists() {
            files(&folder, "rs", &mut paths);
        }
    }
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        for word in words.map(|it| it.concat()) {
            assert!(!text.contains(&word), "{}: `{word}` is left over", path.display());
        }
    }
}

/// Every file that git tracks, as (path, text); pictures and data are left out.
fn tracked() -> Vec<(String, String)> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "`git ls-files` failed; is this a clone?");
    String::from_utf8(listed.stdout)
        .unwrap()
        .split('\0')
        .filter(|path| !path.is_empty() && !path.starts_with("fixtures/"))
        .filter_map(|path| Some((path.to_owned(), fs::read_to_string(root().join(path)).ok()?)))
        .collect()
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    let places =
        [["/ho", "me/"], ["/Use", "rs/"], ["/wo", "rk/"], ["/ro", "ot/"], ["C:", "\\Users"]];
    for (path, text) in tracked() {
        for place in places.map(|it| it.concat()) {
            for (number, line) in text.lines().enumerate() {
                // A longer path may end in the same letters: only an absolute one is a machine's.
                let found = line.match_indices(&place).any(|(at, _)| {
                    !line[..at].ends_with(|it: char| it.is_alphanumeric() || "._-~}".contains(it))
                });
                assert!(!found, "{path}:{}: `{place}` is a path of one machine", number + 1);
            }
        }
    }
}

#[test]
fn lock_file_names_only_the_public_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        assert_eq!(line, public, "Cargo.lock: a package from elsewhere");
    }
}

#[test]
fn every_story_is_told() {
    let here = root().join("tests/it");
    let main = fs::read_to_string(here.join("main.rs")).unwrap();
    let mut paths = Vec::new();
    files(&here, "rs", &mut paths);
    for path in paths.iter().filter(|it| it.parent() == Some(&here)) {
        let name = path.file_stem().unwrap().to_string_lossy();
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name}.rs is not run");
    }
}

#[test]
fn sockets_and_clients_are_made_in_one_place() {
    let words =
        ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "reqwest::Client", "lookup_host"];
    for source in sources().iter().filter(|source| source.module != "net") {
        for (number, line) in source.code.iter().enumerate() {
            let found = words.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{}:{}: {found:?} belongs to `net`", source.path, number + 1);
        }
    }
}
