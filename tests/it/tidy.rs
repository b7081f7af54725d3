//! Holds the source to the habits that ARCHITECTURE.md and CONTRIBUTING.md promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use syn::spanned::Spanned;
use syn::visit::Visit;

const LINES_MAX: usize = 500;
/// Folders whose files must not know each other, and what is there for all of them.
const SIBLINGS: [(&str, &[&str]); 2] = [
    ("sandbox/behaviour/object", &["discount", "thin_event", "webhook_endpoint"]),
    ("app/command", &[]),
];
const NAMES_FORBIDDEN: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "types", "prelude", "error"];

/// One source file without its unit tests.
struct Source {
    path: String,
    /// The module of the top level that it belongs to.
    module: String,
    /// Its lines without comments; those of its unit tests are left out.
    code: Vec<String>,
    /// What it names by a path of this crate, with the line: `["sandbox", "engine", "txn", "Txn"]`.
    names: Vec<(usize, Vec<String>)>,
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

fn read_text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn sources() -> Vec<Source> {
    let sources = files_of_source().into_iter().map(|(path, text)| {
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let (code, names) = read(&path, &text);
        Source { path, module, code, names }
    });
    sources.collect()
}

/// The lines of a file that are code and no test, and the paths of this crate that they name.
fn read(path: &str, text: &str) -> (Vec<String>, Vec<(usize, Vec<String>)>) {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let own = path.trim_end_matches(".rs").split('/').map(str::to_owned);
    let mut own: Vec<String> = own.collect();
    if matches!(own.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        own.pop();
    }
    let mut reader = Reader { module: own, names: Vec::new(), tests: Vec::new() };
    reader.visit_file(&parsed);
    let is_test = |line: usize| reader.tests.iter().any(|(from, to)| (*from..=*to).contains(&line));
    let code = text.lines().enumerate().filter(|(at, _)| !is_test(at + 1));
    (code.map(|(_, line)| without_comment(line).to_owned()).collect(), reader.names)
}

fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(before, _)| {
        // A `//` inside a string (an address) is code, not a comment.
        if before.matches('"').count() % 2 == 1 { line } else { before }
    })
}

/// Walks through a file, past what is compiled for tests alone.
struct Reader {
    /// The module that is being read.
    module: Vec<String>,
    names: Vec<(usize, Vec<String>)>,
    /// First and last line of each item of tests.
    tests: Vec<(usize, usize)>,
}

impl Reader {
    /// Notes a path that begins at this crate, or at this module or one above it.
    fn note(&mut self, line: usize, path: &[String]) {
        let above = path.iter().take_while(|name| *name == "super").count();
        let base: &[String] = match path.first().map(String::as_str) {
            Some("crate") => &[],
            Some("self") => &self.module,
            Some("super") => &self.module[..self.module.len().saturating_sub(above)],
            _ => return,
        };
        let skipped = above.max(1);
        self.names.push((line, base.iter().chain(&path[skipped..]).cloned().collect()));
    }

    fn note_use(&mut self, tree: &syn::UseTree, line: usize, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_use(&path.tree, line, &with(&path.ident)),
            syn::UseTree::Name(name) => self.note(line, &with(&name.ident)),
            syn::UseTree::Rename(name) => self.note(line, &with(&name.ident)),
            syn::UseTree::Glob(_) => self.note(line, before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_use(tree, line, before);
                }
            }
        }
    }
}

/// Every file of the source that is no file of tests: its path below `src`, and its text.
pub fn files_of_source() -> Vec<(String, String)> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, "rs", &mut paths);
    let is_code = |path: &&PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name != "tests.rs" && !name.ends_with("_tests.rs")
    };
    let named = paths.iter().filter(is_code).map(|path| {
        let relative = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        (relative, fs::read_to_string(path).unwrap())
    });
    named.collect()
}

/// Whether an attribute keeps an item out of every build but that of tests.
pub fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let said = list.tokens.to_string();
    list.path.is_ident("cfg") && said.contains("test") && !said.contains("not")
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if attributes.iter().any(is_for_tests) {
            let (from, to) = (item.span().start().line, item.span().end().line);
            return self.tests.push((from, to));
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.note_use(&item.tree, item.span().start().line, &[]);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        self.note(path.span().start().line, &names);
        syn::visit::visit_path(self, path);
    }
}

/// A block of ARCHITECTURE.md: each module or room with the ones it may import. Whoever may be imported stands
/// above.
fn arrows(block: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let found = text.split(&format!("```{block}\n")).nth(1);
    let found = found.unwrap_or_else(|| panic!("ARCHITECTURE.md has a block `{block}`"));
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in found.split("```").next().unwrap().lines().filter(|line| !line.trim().is_empty()) {
        let (from, to) = line.split_once("->").expect("a line of arrows is `from -> to to`");
        let to: BTreeSet<String> = to.split_whitespace().map(str::to_owned).collect();
        for name in &to {
            assert!(table.contains_key(name), "{block}: `{name}` must stand above {from}");
        }
        table.insert(from.trim().to_owned(), to);
    }
    table
}

/// What the modules of a folder import of one another: from, to, and a place where it stands.
fn imports(sources: &[Source], within: &[&str]) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for source in sources {
        let mut parts = source.path.trim_end_matches(".rs").split('/');
        if !within.iter().all(|name| parts.next() == Some(name)) {
            continue;
        }
        let from = parts.next().unwrap_or_default();
        if matches!(from, "lib" | "main" | "mod" | "") {
            continue;
        }
        for (line, path) in &source.names {
            let inside = within.iter().zip(path).all(|(name, other)| name == other);
            let Some(to) = path.get(within.len()).filter(|_| inside) else { continue };
            let is_item = to.starts_with(|letter: char| letter.is_uppercase());
            if to != from && !is_item {
                let at = format!("{}:{line}", source.path);
                found.entry((from.to_owned(), to.clone())).or_insert(at);
            }
        }
    }
    found
}

/// What is wrong between what is imported and a table of arrows: one that the table does not list, one that it lists
/// and nobody needs.
fn differences(
    imports: &BTreeMap<(String, String), String>,
    table: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let is_listed = |from: &str, to: &str| table.get(from).is_some_and(|it| it.contains(to));
    let wrong = imports.iter().filter(|((from, to), _)| !is_listed(from, to));
    let wrong = wrong.map(|((from, to), at)| format!("{at}: {from} -> {to} is not listed"));
    let listed = table.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
    let unused = listed.filter(|(from, to)| {
        let arrow = ((*from).clone(), (*to).clone());
        !imports.contains_key(&arrow)
    });
    wrong.chain(unused.map(|(from, to)| format!("{from} -> {to} is listed and unused"))).collect()
}

/// The tables of ARCHITECTURE.md, and the folder whose modules each is about.
const TABLES: [(&str, &[&str]); 3] = [
    ("arrows", &[]),
    ("arrows of the sandbox", &["sandbox"]),
    ("arrows of the sandbox's behaviour", &["sandbox", "behaviour"]),
];

/// A table names its modules in an order in which each comes after all that it may import, so what it allows has no
/// circle.
#[test]
fn arrows_point_down_and_each_is_needed() {
    let sources = sources();
    for (block, within) in TABLES {
        let wrong = differences(&imports(&sources, within), &arrows(block));
        assert!(wrong.is_empty(), "`{block}` of ARCHITECTURE.md:\n{}", wrong.join("\n"));
    }
}

#[test]
fn arrows_and_modules_are_the_same_names() {
    let sources = sources();
    for (block, within) in TABLES {
        let module = |source: &Source| {
            let mut parts = source.path.trim_end_matches(".rs").split('/');
            let inside = within.iter().all(|name| parts.next() == Some(name));
            let name = parts.next().filter(|name| !matches!(*name, "lib" | "main" | "mod"))?;
            inside.then(|| name.to_owned())
        };
        let modules: BTreeSet<String> = sources.iter().filter_map(module).collect();
        let named: BTreeSet<String> = arrows(block).into_keys().collect();
        assert_eq!(modules, named, "modules (left), `{block}` of ARCHITECTURE.md (right)");
    }
}

/// An arrow that the table does not have is found, one that nobody needs too, and nothing else.
#[test]
fn the_guard_of_the_arrows_sees_what_is_too_much_on_either_side() {
    let source = |path: &str, text: &str| {
        let (code, names) = read(path, text);
        Source { path: path.to_owned(), module: "sandbox".to_owned(), code, names }
    };
    let sources = [
        source(
            "sandbox/behaviour/upper/a.rs",
            "//! A.\nuse crate::sandbox::behaviour::lower::b;\n",
        ),
        source("sandbox/behaviour/lower.rs", "//! B.\nfn f() { super::upper::g(); }\n"),
        source("sandbox/engine/c.rs", "//! C.\nuse crate::sandbox::behaviour::lower;\n"),
    ];
    let found = imports(&sources, &["sandbox", "behaviour"]);
    let row = |from: &str, to: &[&str]| {
        (from.to_owned(), to.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>())
    };
    let table =
        BTreeMap::from([row("least", &[]), row("lower", &["least"]), row("upper", &["lower"])]);
    assert_eq!(
        differences(&found, &table),
        [
            "sandbox/behaviour/lower.rs:2: lower -> upper is not listed",
            "lower -> least is listed and unused",
        ]
    );
}

/// What guards the arrows sees what follows tests, groups, paths from above and what is named without `use`.
#[test]
fn the_guard_of_the_arrows_sees_every_way_to_name_a_module() {
    let text = "//! A file.\n#[cfg(test)]\nmod tests { use crate::cli::A; }\n\
        use crate::{net::B, os::{C, D}};\nuse super::super::store;\n\
        fn f() { crate::view::g(); }\n#[cfg(test)]\nfn only() { crate::app::h(); }\nfn last() {}\n";
    let (code, names) = read("sandbox/api/file.rs", text);
    let paths: Vec<String> = names.iter().map(|(_, path)| path.join("::")).collect();
    assert_eq!(paths, ["net::B", "os::C", "os::D", "sandbox::store", "view::g"]);
    assert_eq!(code.last().map(String::as_str), Some("fn last() {}"));
    assert!(!code.iter().any(|line| line.contains("only") || line.contains("tests")), "{code:?}");
}

/// Siblings that must not know each other: what concerns several of them stands above them.
#[test]
fn siblings_do_not_import_one_another() {
    let mut wrong = Vec::new();
    for (folder, shared) in SIBLINGS {
        let within: Vec<&str> = folder.split('/').collect();
        for source in sources().iter().filter(|it| it.path.starts_with(&format!("{folder}/"))) {
            let own = source.path[folder.len() + 1..].split('/').next().unwrap();
            let own = own.trim_end_matches(".rs");
            if own == "mod" || shared.contains(&own) {
                continue;
            }
            for (line, path) in &source.names {
                let inside = within.iter().zip(path).all(|(name, other)| name == other);
                let Some(to) = path.get(within.len()).filter(|_| inside) else { continue };
                if to != own && stands(folder, to) && !shared.contains(&to.as_str()) {
                    wrong.push(format!("{}:{line}: {to}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "siblings that import one another:\n{}", wrong.join("\n"));
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

/// Words that were used for things which have a word already, with that word.
const RETIRED: [(&str, &str); 14] = [
    ("agenda", "schedule"),
    ("courier", "dispatcher"),
    ("dossier", "progress_report"),
    ("materialise", "instantiate"),
    ("mishap", "failure"),
    ("parcel", "delivery"),
    ("plot", "fixture"),
    ("reception", "merchant_server"),
    ("sights", "sink"),
    ("spy", "scan"),
    ("surroundings", "app_env"),
    ("tongue", "language"),
    ("vigil", "watch"),
    ("voice", "sink"),
];

/// The words of a name, `VoiceSink` and `voice_sink` alike.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if (c == '_' || c.is_uppercase()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn a_thing_that_has_a_word_gets_no_second_one() {
    assert_eq!(words_of("VoiceSink"), words_of("voice_sink"));
    let mut wrong = Vec::new();
    for source in sources() {
        let mut names: Vec<String> =
            source.path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        for line in &source.code {
            let mut words = line.split(|it: char| !it.is_alphanumeric() && it != '_');
            let is_named = |word: &str| ["struct", "enum", "trait", "type", "mod"].contains(&word);
            if words.any(is_named) && !line.contains('"') {
                names.extend(words.next().map(str::to_owned));
            }
        }
        for name in &names {
            let words = words_of(name);
            let second = RETIRED.iter().find(|(word, _)| words.iter().any(|it| it == word));
            wrong.extend(second.map(|(_, now)| format!("{}: `{name}`: {now}", source.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a type says failed is a `Failure` (the API's), a `Fault` (a command's) or an `…Error`: no other word is used,
/// and no two errors have one name.
#[test]
fn what_fails_is_called_by_one_vocabulary() {
    const OTHER_WORDS: [&str; 8] = [
        "Complaint",
        "Defect",
        "Exception",
        "Mistake",
        "Problem",
        "Refusal",
        "Rejection",
        "Trouble",
    ];
    // What a command ends with; what is done to deliveries on demand, as the sandbox's API calls it; and what
    // `ledger problems` lists.
    const FAULTS: [&str; 2] = ["domain/fault.rs", "domain/course/act.rs"];
    const PROBLEMS: [&str; 1] = ["store/book.rs"];
    let (mut wrong, mut errors) = (Vec::new(), BTreeMap::new());
    for source in sources() {
        for (number, line) in source.code.iter().enumerate() {
            let mut words = line.split(|it: char| !it.is_alphanumeric() && it != '_');
            if !words.any(|word| ["struct", "enum"].contains(&word)) || line.contains('"') {
                continue;
            }
            let Some(name) = words.next().filter(|name| !name.is_empty()) else { continue };
            let at = format!("{}:{} {name}", source.path, number + 1);
            let is_other = OTHER_WORDS.iter().any(|word| name.ends_with(word))
                && !PROBLEMS.contains(&&*source.path);
            let is_fault = name.ends_with("Fault") && !FAULTS.contains(&&*source.path);
            let is_second = name.len() > "Error".len()
                && name.ends_with("Error")
                && errors.insert(name.to_owned(), at.clone()).is_some();
            if is_other || is_fault || is_second {
                wrong.push(at);
            }
        }
    }
    assert!(errors.len() > 10, "{errors:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_written_in_full() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in source.code.iter().enumerate() {
            let line = line.trim();
            let at = format!("{}:{}", source.path, number + 1);
            if line.starts_with("use super::*") || line.starts_with("use crate::{") {
                wrong.push(format!("{at}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files with Japanese in their code: what they read or know is Japanese itself.
const READ_JAPANESE: [&str; 12] = [
    "app/course/lesson_delivery.rs",
    "cli/language.rs",
    "domain/course/lint/source.rs",
    "domain/course/talk.rs",
    "domain/locale.rs",
    "domain/merchant/era.rs",
    "domain/reconcile/columns.rs",
    "merchant/api.rs",
    "sandbox/behaviour/connect/onboarding.rs",
    "sandbox/page/countries.rs",
    "view/money.rs",
    "view/wrap.rs",
];

#[test]
fn sentences_stand_in_the_files_of_texts() {
    let is_japanese = |c: char| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    for source in sources() {
        let found = source.code.iter().find(|line| line.contains(is_japanese));
        let is_read = READ_JAPANESE.contains(&source.path.as_str());
        assert_eq!(found.is_some(), is_read, "{}: {found:?}", source.path);
    }
}

#[test]
fn nothing_is_left_over() {
    // Written apart, so that this file does not find itself.
    let words =
        [["dbg", "!("], ["todo", "!("], ["unimpl", "emented!("], ["FIX", "ME"], ["XX", "X "]];
    let is_program = |path: &str| {
        let extension = path.rsplit_once('.').map_or("", |(_, it)| it);
        path == "test" || ["rs", "py", "js", "mjs", "ts", "c", "sh", "toml"].contains(&extension)
    };
    let found: Vec<_> = tracked().into_iter().filter(|(path, _)| is_program(path)).collect();
    for folder in ["src/", "tests/", "benches/", "tools/", "lessons/", "test"] {
        assert!(
            found.iter().any(|(path, _)| path.starts_with(folder)),
            "{folder} is not looked at"
        );
    }
    for (path, text) in found {
        for word in words.map(|it| it.concat()) {
            assert!(!text.contains(&word), "{path}: `{word}` is left over");
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

/// A command that takes a file and reports what it found: nothing else of the program has its name, so that what names
/// it is what one has to write for a command.
#[test]
fn a_command_is_written_in_fewer_than_eleven_places() {
    let names = ["verify-report", "VerifyReport", "verify_report"];
    let mut texts = Vec::new();
    files(&root().join("src"), "ftl", &mut texts);
    let texts = texts.iter().map(|path| (path.display().to_string(), read_text(path)));
    let code = sources().into_iter().map(|it| (it.path, it.code.join("\n")));
    let named = code.chain(texts).filter(|(_, text)| names.iter().any(|name| text.contains(name)));
    let places: Vec<String> = named.map(|(path, _)| path).collect();
    assert!((6..11).contains(&places.len()), "{places:#?}");
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
