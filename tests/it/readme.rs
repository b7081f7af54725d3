//! What the READMEs show is what happens: their `console` blocks are run, and each line of output is compared.
//!
//! `$ stripegym …` and `$ cargo run -- …` run the built program, all in one home; `sandbox` and `listen`
//! keep running to the end. `…` stands for anything within a line, and alone on a line for any lines; ports differ.

use crate::env::{Env, PATIENCE, Running};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// One command of a block with the output that is shown under it.
struct Shown {
    line: usize,
    command: String,
    output: Vec<String>,
}

/// How the first command is typed, before anything is installed.
const BY_CARGO: &str = "cargo run -- ";

fn blocks(text: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.to_owned();
                shown.push(Shown { line: number + 1, command, output: Vec::new() });
            } else if let Some(last) = shown.last_mut() {
                last.output.push(line.trim_end().to_owned());
            }
        }
    }
    for it in &mut shown {
        while it.output.last().is_some_and(String::is_empty) {
            it.output.pop();
        }
    }
    shown
}

/// Ports are free ones here and the usual ones there.
fn without_ports(line: &str) -> String {
    let mut out = String::new();
    let mut parts = line.split("127.0.0.1:");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str("127.0.0.1:PORT");
        out.push_str(part.trim_start_matches(|it: char| it.is_ascii_digit()));
    }
    out
}

fn line_fits(pattern: &str, line: &str) -> bool {
    let (pattern, line) = (without_ports(pattern), without_ports(line));
    let parts: Vec<&str> = pattern.split('…').collect();
    let Some((first, rest)) = parts.split_first() else { return line.is_empty() };
    let Some(mut left) = line.strip_prefix(first) else { return false };
    let Some((last, middle)) = rest.split_last() else { return left.is_empty() };
    for part in middle {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

fn fits(pattern: &[String], lines: &[String]) -> bool {
    match pattern.split_first() {
        None => lines.iter().all(String::is_empty),
        Some((any, rest)) if any == "…" => {
            (0..=lines.len()).any(|skip| fits(rest, &lines[skip..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_fits(first, line) && fits(rest, lines)),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn arguments(shown: &Shown) -> Vec<String> {
    let command = &shown.command;
    let rest = command
        .strip_prefix(BY_CARGO)
        .or_else(|| command.strip_prefix("stripegym"))
        .unwrap_or_else(|| panic!("line {}: `{command}` is not the program", shown.line));
    let mut words = Vec::new();
    for (at, part) in rest.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// What Cargo tells a program that it runs.
fn as_cargo_runs(command: &mut Command, package: &Path) {
    let package = package.canonicalize().unwrap();
    command.env("CARGO_MANIFEST_DIR", package).env("CARGO_PKG_NAME", "stripegym");
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(command, "target/debug/stripegym");
}

fn run(file: &str, lang: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap();
    let env = Env::new().with("LANG", lang).with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0");
    let all = blocks(&text);
    assert!(all.len() >= 5, "{file} shows only {} commands", all.len());
    let mut running: Vec<(usize, Running)> = Vec::new();
    for (at, shown) in all.iter().enumerate() {
        let arguments = arguments(shown);
        let command = || {
            let mut command = env.command(&arguments);
            // As whoever reads types it: the folder is the default one, here.
            command.env_remove("STRIPEGYM_HOME");
            if shown.command.starts_with(BY_CARGO) {
                as_cargo_runs(&mut command, env.path());
            }
            command
        };
        let verb = arguments.first().map_or("", String::as_str);
        if matches!(verb, "sandbox" | "listen") {
            let mut program = Running::merged(command());
            // Ready when its first line is there; the rest is compared at the end.
            program.line_with("http://127.0.0.1:");
            running.push((at, program));
            continue;
        }
        // What only looks may look again: the delivery that it shows is on its way.
        let looks = matches!(verb, "ledger" | "reconcile");
        let until = Instant::now() + PATIENCE;
        loop {
            let (code, said) = Running::merged(command()).finish();
            if fits(&shown.output, &lines(&said)) {
                break;
            }
            assert!(
                looks && Instant::now() < until,
                "{file}:{}: `{}` (exit {code}) said\n{said}\nnot\n{}",
                shown.line,
                shown.command,
                shown.output.join("\n")
            );
        }
    }
    for (at, mut program) in running {
        let shown = &all[at];
        let until = Instant::now() + PATIENCE;
        while !fits(&shown.output, &lines(&program.stdout())) {
            let said = program.said();
            let wanted = shown.output.join("\n");
            assert!(
                Instant::now() < until,
                "{file}: `{}` said\n{said}\nnot\n{wanted}",
                shown.command
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn the_english_readme_tells_the_truth() {
    run("README.md", "en_US.UTF-8");
}

#[test]
fn the_japanese_readme_tells_the_truth() {
    run("README.ja.md", "ja_JP.UTF-8");
}

#[test]
fn both_readmes_show_the_same_commands() {
    let commands = |file: &str| {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        blocks(&text).into_iter().map(|it| it.command).collect::<Vec<_>>()
    };
    assert_eq!(commands("README.md"), commands("README.ja.md"));
}

#[test]
fn a_wildcard_stands_for_what_differs_and_for_nothing_else() {
    assert!(line_fits("Ready http://127.0.0.1:12111", "Ready http://127.0.0.1:40001"));
    assert!(line_fits("paid cs_test_… (…)", "paid cs_test_a1b2 (¥500)"));
    assert!(!line_fits("paid cs_test_… (…)", "paid cs_test_a1b2"));
    assert!(!line_fits("MATCH", "MATCH 1"));
    let text = |it: &str| lines(it);
    assert!(fits(&text("a\n…\nd"), &text("a\nb\nc\nd")));
    assert!(!fits(&text("a\nd"), &text("a\nb\nd")));
}

/// What both READMEs say of how many endpoints there are, have behaviour, are records and answer 501.
#[test]
fn the_numbers_of_endpoints_are_those_of_the_sandbox() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let lists = sandbox.api.read("/_stripegym/endpoints");
    let counts = ["modelled", "generic", "not_modelled_yet"]
        .map(|name| lists[name].as_array().unwrap().len());
    let mut wanted = vec![counts.iter().sum::<usize>()];
    wanted.extend(counts);
    for file in ["README.md", "README.ja.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let mut lines = text
            .lines()
            .filter(|line| line.contains("`GET /_stripegym/endpoints`") && line.contains("501"));
        let line = lines.next().unwrap_or_else(|| panic!("{file} has no such line"));
        let numbers =
            line.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse::<usize>().ok());
        let told: Vec<usize> = numbers.filter(|number| *number != 501).collect();
        assert_eq!((told, lines.next()), (wanted.clone(), None), "{file}");
    }
}

/// The cells of the rows of a page's table; its head and its rule are none.
fn rows(page: &str) -> Vec<Vec<String>> {
    let lines = page.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect();
    lines.map(cells).collect()
}

/// What both pages say that is modelled of billing is: each row names the endpoints at which it begins.
#[test]
fn each_row_beside_other_emulators_begins_at_an_endpoint_with_behaviour() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let lists = sandbox.api.read("/_stripegym/endpoints");
    let modelled: Vec<&str> =
        lists["modelled"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let pages = ["docs/emulators.md", "docs/emulators.ja.md"].map(|file| rows(&read(file)));
    for (row, in_japanese) in pages[0].iter().zip(&pages[1]) {
        assert_eq!((row.len(), in_japanese.len()), (6, 6), "{row:?} {in_japanese:?}");
        assert_eq!(row[1], in_japanese[1], "{} and {}", row[0], in_japanese[0]);
        let named: Vec<&str> = row[1].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row:?}");
        for endpoint in named {
            assert!(modelled.contains(&endpoint), "{}: {endpoint}", row[0]);
        }
    }
    assert!(pages[0].len() > 25 && pages[0].len() == pages[1].len());
    for (file, link) in
        [("README.md", "docs/emulators.md"), ("README.ja.md", "docs/emulators.ja.md")]
    {
        assert!(read(file).contains(&format!("({link})")), "{file} does not lead to {link}");
    }
}

/// A file of stories, and one of them where it is one.
type Proof = (String, Option<String>);

/// Whether a test of that name stands in a file of stories, or, without a name, whether there is that file.
fn stands(module: &str, name: Option<&str>) -> bool {
    let stories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let file = stories.join(format!("{}.rs", module.replace("::", "/")));
    let inner = stories.join(module.replace("::", "/")).join("mod.rs");
    let text = fs::read_to_string(file).or_else(|_| fs::read_to_string(inner)).ok();
    text.is_some_and(|text| name.is_none_or(|name| text.contains(&format!("fn {name}("))))
}

/// The tests that a cell names: `file::name`, then further names of that file; or a whole `file`.
fn proofs(cell: &str) -> Vec<Proof> {
    let mut named: Vec<Proof> = Vec::new();
    for word in cell.split('`').skip(1).step_by(2).filter(|word| !word.starts_with("cargo ")) {
        let proof = match (word.rsplit_once("::"), named.last()) {
            (Some((module, name)), _) => (module.to_owned(), Some(name.to_owned())),
            (None, _) if stands(word, None) => (word.to_owned(), None),
            (None, Some((module, _))) => (module.clone(), Some(word.to_owned())),
            (None, None) => (word.to_owned(), None),
        };
        named.push(proof);
    }
    named
}

/// Both pages about the shop say for every flow which test holds it, and there are those tests.
#[test]
fn each_flow_of_the_shop_is_held_by_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [english, japanese] = ["docs/shop.md", "docs/shop.ja.md"].map(|file| {
        let page = fs::read_to_string(root.join(file)).unwrap();
        let flows = rows(&page).into_iter().filter(|row| row.len() == 3);
        flows.map(|row| (row[0].clone(), proofs(&row[2]))).collect::<Vec<_>>()
    });
    assert!(english.len() > 20, "{english:?}");
    let held = |flows: &[(String, Vec<Proof>)]| {
        flows.iter().map(|(_, proofs)| proofs.clone()).collect::<Vec<_>>()
    };
    assert_eq!(held(&english), held(&japanese));
    for (flow, proofs) in &english {
        for (module, name) in proofs {
            assert!(stands(module, name.as_deref()), "{flow}: {module} {name:?}");
        }
    }
    assert!(!stands("merchant_shop", Some("nothing")) && !stands("nowhere", None));
}
