//! Writes down which files of `lessons/` come with the program, so that no list of them is kept by hand.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a build that lacks what cargo gives it ends with these words"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What tools leave beside the lessons.
const LEFT_OUT: [&str; 4] = ["node_modules", "target", "__pycache__", ".venv"];

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("the folder of the lessons");
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if LEFT_OUT.iter().any(|it| name == *it) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn main() {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("lessons");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let name = |path: &PathBuf| {
        path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    };
    // As texts: a file is looked for by its name, and paths are in another order.
    files.sort_by_key(name);
    let mut out = String::from("&[\n");
    for path in files.iter().filter(|path| fs::read_to_string(path).is_ok()) {
        let name = name(path);
        writeln!(out, "({name:?}, include_str!({:?})),", path.display().to_string())
            .expect("a text takes what is written");
    }
    out.push(']');
    let into = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("lessons.rs");
    fs::write(into, out).expect("the folder of the build");
}
