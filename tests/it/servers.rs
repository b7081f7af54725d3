//! The judge before servers whose outcome was written down first: right ones of different make, and wrong ones with
//! one mistake each (`tests/servers/servers.toml`). `./test` tries the short list, `./test long` all of them.

use crate::env::{Env, outer_path, rounds};
use crate::track::{copy, tools};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that one server is judged; those that hang end by their budget long before.
const PATIENCE: Duration = Duration::from_mins(10);
/// The longest that a right server by itself may take with all that the course asks: a limit against hanging.
const WHOLE: Duration = Duration::from_secs(20);
/// So many at a time: half of the time is waiting for programs to start.
const AT_ONCE: usize = 3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    kit: BTreeMap<String, Kit>,
    base: BTreeMap<String, Base>,
    change: BTreeMap<String, Vec<Edit>>,
    right: Vec<Server>,
    wrong: Vec<Server>,
    cause: BTreeMap<String, Vec<String>>,
}

/// What programs of one make are copied from and need.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kit {
    folders: Vec<String>,
    #[serde(default)]
    links: BTreeMap<String, String>,
    path: Option<String>,
    build: Option<String>,
    /// Scripts in the place of programs that would build or install for minutes; `TOOLS` is where all is installed.
    #[serde(default)]
    instead: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    kit: String,
    start: String,
}

/// `from` stands in the file exactly once, and becomes `to`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    from: String,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    id: String,
    base: String,
    #[serde(default)]
    short: bool,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    edit: Vec<Edit>,
    #[serde(default)]
    check: Vec<String>,
    start: Option<String>,
    /// Seconds within which the judge must have come to its end.
    budget: Option<u64>,
    mistake: Option<String>,
    severity: Option<String>,
    cause: Option<String>,
}

/// How the judge found a server.
struct Judged<'s> {
    server: &'s Server,
    exit: i32,
    took: Duration,
    /// Processes that it left running.
    left: Vec<String>,
    /// The codes of what makes `check` fail, in its order, and of what is called risky.
    wrong: Vec<String>,
    risky: Vec<String>,
    said: String,
}

impl Collection {
    fn read() -> Self {
        toml::from_str(&fs::read_to_string(folder().join("servers.toml")).unwrap()).unwrap()
    }

    /// Lays a server out in an empty folder; its kit.
    fn lay_out(&self, server: &Server, into: &Path) -> &Kit {
        let kit = &self.kit[&self.base[&server.base].kit];
        for from in &kit.folders {
            copy(&folder().join(from), into);
        }
        for name in &server.with {
            let here = self.change[name].iter().filter(|edit| into.join(&edit.file).exists());
            let changed = here.map(|edit| edit.apply(into, &server.id)).count();
            assert!(changed > 0, "{}: `{name}` changes nothing", server.id);
        }
        for edit in &server.edit {
            edit.apply(into, &server.id);
        }
        kit
    }

    /// Starts a server by the judge and hears what it says of it.
    fn judge<'s>(&self, server: &'s Server) -> Judged<'s> {
        let mut env = Env::new().with("STRIPEGYM_SANDBOX_PORT", "0");
        let shop = env.path().join("shop");
        let kit = self.lay_out(server, &shop);
        for (name, from) in &kit.links {
            let from = tools().join(from);
            assert!(from.exists(), "{} is missing: ./test installs it", from.display());
            symlink(from, shop.join(name)).unwrap();
        }
        if let Some(path) = &kit.path {
            env = env.with("PATH", &format!("{}:{}", tools().join(path).display(), outer_path()));
        }
        if !kit.instead.is_empty() {
            let bin = env.path().join("instead");
            fs::create_dir(&bin).unwrap();
            for (name, does) in &kit.instead {
                let does = does.replace("TOOLS", &tools().display().to_string());
                let path = bin.join(name);
                fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            env = env.with("PATH", &format!("{}:{}", bin.display(), outer_path()));
        }
        if let Some(build) = &kit.build {
            let built = Command::new("sh").args(["-c", build]).current_dir(&shop).output().unwrap();
            assert!(built.status.success(), "{}: {built:?}", server.id);
        }
        let start = server.start.as_ref().unwrap_or(&self.base[&server.base].start);
        let mut args = vec!["check", "--all", "--ci", "--json", "--lang", "en", "--exec", start];
        args.extend(server.check.iter().map(String::as_str));
        let budget = server.budget.map(|seconds| format!("{seconds}s"));
        args.extend(budget.iter().flat_map(|budget| ["--budget", budget]));
        let began = Instant::now();
        let mut command = env.command(&args);
        command.current_dir(&shop).stdin(Stdio::null());
        let ran = Env::run_within(command, PATIENCE);
        let took = began.elapsed();
        let left = running_in(env.path());
        let lines = ran.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let checks: Vec<Value> = lines.filter(|line| line["state"].is_string()).collect();
        let codes = |state: &str, severity: &str| {
            let those = checks.iter().filter(|it| {
                it["state"] == state && it["severity"].as_str().unwrap_or("wrong") == severity
            });
            those.map(|it| it["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let failed = checks.iter().filter(|it| it["state"] == "fail" || it["state"] == "warn");
        let mut said: String = failed.fold(String::new(), |mut said, it| {
            let part = |name: &str| it[name].as_str().unwrap_or_default().replace('\n', " ");
            writeln!(said, "    {}: {} ≠ {}", part("code"), part("got"), part("expected")).unwrap();
            said
        });
        if ran.code > 1 {
            said.push_str(&ran.err);
        }
        let (wrong, risky) = (codes("fail", "wrong"), codes("warn", "risky"));
        Judged { server, exit: ran.code, took, left, wrong, risky, said }
    }

    /// Judges servers, some at a time, and writes down each that is done; in their order.
    fn judge_all<'s>(&self, servers: &[&'s Server], written: &Path) -> Vec<Judged<'s>> {
        fs::write(written, "").unwrap();
        let (next, judged) = (Mutex::new(servers.iter()), Mutex::new(Vec::new()));
        let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(server) = take() {
                        let it = self.judge(server);
                        let mut judged = judged.lock().unwrap();
                        let mut file = fs::File::options().append(true).open(written).unwrap();
                        file.write_all(self.line(&it).as_bytes()).unwrap();
                        judged.push(it);
                    }
                });
            }
        });
        let mut judged = judged.into_inner().unwrap();
        let place = |it: &Judged<'_>| servers.iter().position(|other| other.id == it.server.id);
        judged.sort_by_key(place);
        judged
    }

    /// Whether the first thing said of a wrong server is its cause; whether that is said at all.
    fn named(&self, it: &Judged<'_>) -> (bool, bool) {
        let codes = it.server.cause.as_ref().map(|cause| self.cause[cause].as_slice());
        let is_cause = |code: &String| codes.is_some_and(|codes| codes.contains(code));
        (it.wrong.first().is_some_and(is_cause), it.wrong.iter().any(is_cause))
    }

    /// The line of a server in the table; with what was said of it, where that is not all that it should be.
    fn line(&self, it: &Judged<'_>) -> String {
        let (verdict, seconds) = (self.verdict(it), it.took.as_secs_f64());
        let cause = it.server.cause.as_deref().unwrap_or("-");
        let codes = [it.wrong.join(" "), it.risky.join(" ")].join(" | ");
        let mut line =
            format!("{verdict:<12} {:<28} {cause:<20} {seconds:>5.1} s  {codes}\n", it.server.id);
        if !matches!(verdict, "right" | "exact") {
            let mistake = it.server.mistake.as_deref().unwrap_or("it is right");
            write!(line, "    it {mistake}; exit {}\n{}", it.exit, it.said).unwrap();
        }
        line
    }

    /// How a server came out, in one word.
    fn verdict(&self, it: &Judged<'_>) -> &'static str {
        let late = it.server.budget.is_some_and(|budget| it.took.as_secs() > budget);
        match (it.server.mistake.is_some(), it.exit, self.named(it)) {
            (false, 0, _) if it.wrong.is_empty() && it.risky.is_empty() => "right",
            (false, 0, _) if it.wrong.is_empty() => "called risky",
            (false, ..) => "called wrong",
            (true, 1, _) if late => "late",
            (true, 1, (true, _)) => "exact",
            (true, 1, (false, true)) => "named later",
            (true, 1, _) => "caught",
            (true, ..) => "missed",
        }
    }
}

impl Edit {
    fn apply(&self, folder: &Path, id: &str) {
        let path = folder.join(&self.file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(text.matches(&self.from).count(), 1, "{id}: {}: {}", self.file, self.from);
        fs::write(path, text.replace(&self.from, &self.to)).unwrap();
    }
}

/// The command lines of the processes whose working folder is in this one.
fn running_in(folder: &Path) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|it| Some(it.ok()?.path()));
    // Those of others cannot be looked at, and those that end meanwhile are none.
    let here =
        all.filter(|it| fs::read_link(it.join("cwd")).is_ok_and(|it| it.starts_with(folder)));
    here.filter_map(|it| fs::read_to_string(it.join("cmdline")).ok())
        .map(|line| line.replace('\0', " "))
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers")
}

/// The servers of this run; `STRIPEGYM_SERVERS=std-,go` asks for those alone whose names begin so.
#[expect(clippy::disallowed_methods, reason = "one switch for whoever works on one server")]
fn asked(servers: &[Server]) -> Vec<&Server> {
    let only = std::env::var("STRIPEGYM_SERVERS").unwrap_or_default();
    let long = rounds(0, 1) == 1 || !only.is_empty();
    let wanted = |it: &&Server| only.split(',').any(|begins| it.id.starts_with(begins));
    servers.iter().filter(|it| (long || it.short) && wanted(it)).collect()
}

/// The table of a run, and its figures.
fn table(collection: &Collection, judged: &[Judged<'_>]) -> String {
    let mut table: String = judged.iter().map(|it| collection.line(it)).collect();
    let count = |verdicts: &[&str]| {
        judged.iter().filter(|it| verdicts.contains(&collection.verdict(it))).count()
    };
    let right = judged.iter().filter(|it| it.server.mistake.is_none()).count();
    writeln!(
        table,
        "{right} right ones: {} called wrong, {} called risky\n{} wrong ones: {} caught, {} by the exact cause first, \
         {} by it at all",
        count(&["called wrong"]),
        count(&["called risky"]),
        judged.len() - right,
        count(&["exact", "named later", "caught"]),
        count(&["exact"]),
        count(&["exact", "named later"]),
    )
    .unwrap();
    table
}

#[test]
fn every_server_can_be_made_and_says_what_it_is_held_against() {
    let collection = Collection::read();
    let mut ids = BTreeSet::new();
    let (mut short, mut causes) = ([0, 0], BTreeSet::new());
    for server in collection.right.iter().chain(&collection.wrong) {
        assert!(ids.insert(&server.id), "{} is there twice", server.id);
        let env = Env::new();
        collection.lay_out(server, &env.path().join("shop"));
        short[usize::from(server.mistake.is_some())] += usize::from(server.short);
        causes.extend(&server.cause);
    }
    assert!(collection.right.iter().all(|it| it.mistake.is_none() && it.cause.is_none()));
    for server in &collection.wrong {
        assert_eq!(server.severity.as_deref(), Some("wrong"), "{}", server.id);
        assert!(server.mistake.is_some() && server.cause.is_some(), "{}", server.id);
    }
    assert_eq!(causes, collection.cause.keys().collect(), "each cause is of a server");
    let codes: BTreeSet<&String> = collection.cause.values().flatten().collect();
    let lessons = fs::read_dir(folder().join("../../lessons")).unwrap();
    let lessons =
        lessons.filter_map(|it| fs::read_to_string(it.ok()?.path().join("lesson.toml")).ok());
    let lessons: String = lessons.collect();
    for code in codes {
        assert!(lessons.contains(&format!("\"{code}\"")), "no check says {code}");
    }
    assert!(collection.right.len() >= 40 && collection.wrong.len() >= 60);
    assert!(short[0] >= 6 && short[1] >= 15, "{short:?}");
}

#[test]
#[ignore = "needs the frameworks: ./test"]
fn a_right_server_is_judged_whole_within_seconds() {
    let collection = Collection::read();
    let right = collection.right.iter().find(|it| it.base == "std").unwrap();
    // Other tests run beside this one: what counts is that it can be done.
    let mut told = String::new();
    for _ in 0..3 {
        let it = collection.judge(right);
        assert_eq!(collection.verdict(&it), "right", "{}", collection.line(&it));
        assert!(it.left.is_empty(), "still running: {:?}", it.left);
        if it.took < WHOLE {
            return;
        }
        told += &collection.line(&it);
    }
    panic!("more than {WHOLE:?}\n{told}");
}

#[test]
#[ignore = "needs the frameworks: ./test"]
fn servers_are_judged_by_what_they_do() {
    let collection = Collection::read();
    let servers = [asked(&collection.right), asked(&collection.wrong)].concat();
    let written = tools().join("servers.txt");
    let judged = collection.judge_all(&servers, &written);
    let table = table(&collection, &judged);
    fs::write(written, &table).unwrap();
    let those =
        |verdict: &str| judged.iter().filter(|it| collection.verdict(it) == verdict).count();
    assert_eq!(those("called wrong") + those("called risky"), 0, "right ones\n{table}");
    let wrong = judged.iter().filter(|it| it.server.mistake.is_some()).count();
    let caught = wrong - those("missed") - those("late");
    assert!(caught * 100 >= wrong * 95, "too few are caught\n{table}");
    assert!(those("exact") * 100 >= wrong * 80, "too few causes are named\n{table}");
    assert_eq!(those("late"), 0, "a budget is kept\n{table}");
    let left: Vec<_> = judged.iter().flat_map(|it| &it.left).collect();
    assert!(left.is_empty(), "still running: {left:?}");
}
