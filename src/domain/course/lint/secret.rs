//! Rules about secrets: written where others read them, tracked, or quietly empty.

use crate::domain::course::known;
use crate::domain::course::lint::lines::{Kind, tight};
use crate::domain::course::lint::{Hit, Project, Sight, Text};

/// How secrets begin.
const SECRETS: [&str; 5] = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"];
/// How keys begin that browsers may see.
const PUBLISHABLE: [&str; 2] = ["pk_test_", "pk_live_"];
/// How many letters and digits make one.
const LEAST: usize = 10;
/// What made-up values are recognised by.
const DUMMIES: [&str; 7] = ["your", "example", "dummy", "replace", "placeholder", "xxxx", "change"];
/// Folders whose files browsers get.
const SERVED: [&str; 6] = ["static", "public", "assets", "client", "frontend", "www"];

/// The first of some prefixes that is followed by what is no dummy.
fn literal(text: &str, prefixes: &[&'static str]) -> Option<&'static str> {
    prefixes.iter().copied().find(|prefix| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = text.get(at + prefix.len()..).unwrap_or_default();
            let body: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            let lower = body.to_ascii_lowercase();
            let first = body.chars().next();
            body.len() >= LEAST
                && !body.chars().all(|c| Some(c) == first)
                && !DUMMIES.iter().any(|dummy| lower.contains(dummy))
        })
    })
}

/// A secret that stands in a file of any kind but prose, comments included.
pub(super) fn in_source(project: &Project) -> Sight {
    let skip = |file: &&Text| !matches!(file.kind(), Kind::Document);
    Sight::scan(project.files.iter().filter(skip), |file, _| {
        let browsers = matches!(file.kind(), Kind::Page | Kind::Script);
        let known = if browsers { &[][..] } else { &PUBLISHABLE[..] };
        let found = |line: &str| literal(line, &SECRETS).or_else(|| literal(line, known));
        let lines = file.text.lines().enumerate();
        lines.filter_map(|(at, line)| Some((at + 1, format!("{}***", found(line)?)))).collect()
    })
}

/// Whether browsers get a file.
fn is_served(file: &Text) -> bool {
    let folders = || file.path.split('/').rev().skip(1);
    match file.kind() {
        Kind::Page => true,
        Kind::Script => folders().any(|folder| SERVED.contains(&folder)),
        _ => false,
    }
}

/// A secret, or a variable that holds one, in what browsers get.
pub(super) fn in_page(project: &Project) -> Sight {
    Sight::scan(project.files.iter().filter(|file| is_served(file)), |file, _| {
        let names =
            ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SECRET_KEY }}", "secret_key }}"];
        let found = |line: &str| {
            let all = SECRETS.iter().chain(names.iter());
            all.copied().find(|mark| line.contains(mark))
        };
        let lines = file.text.lines().enumerate();
        lines.filter_map(|(at, line)| Some((at + 1, found(line)?.to_owned()))).collect()
    })
}

/// Whether a path is an environment file with values.
fn is_env(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let sample = ["example", "sample", "template", "dist"].iter().any(|it| name.contains(it));
    (name == ".env" || name.starts_with(".env.")) && !sample
}

/// Whether an ignore file keeps `.env` out.
pub(super) fn ignores_env(ignore: &str) -> bool {
    let mut ignored = false;
    for line in ignore.lines().map(str::trim) {
        let (pattern, said) = match line.strip_prefix('!') {
            Some(pattern) => (pattern, false),
            None => (line, true),
        };
        let pattern = pattern.trim_start_matches("**/").trim_start_matches(['/', '.']);
        if matches!(pattern, "env" | "env*" | "*env" | "*" | "*.env") && !line.starts_with("env") {
            ignored = said;
        }
    }
    ignored
}

/// Environment files that git tracks, and an ignore file that does not name them.
pub(super) fn env_in_git(project: &Project) -> Sight {
    let tracked = project.tracked.iter().flatten().filter(|path| is_env(path));
    let hit =
        |path: &str, what: &str| Hit { path: path.to_owned(), line: 1, what: what.to_owned() };
    let mut hits: Vec<Hit> = tracked.map(|path| hit(path, "git")).collect();
    match project.file(".gitignore") {
        None => hits.push(hit(".gitignore", "–")),
        Some(file) if !ignores_env(&file.text) => hits.push(hit(".gitignore", ".env –")),
        Some(_) => {}
    }
    Sight { looked: 1, hits }
}

/// Variables that hold a secret, as they stand in a line.
fn secret_names(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = code.split(move |c| !part(c)).filter(|word| {
        let named = ["SECRET", "API_KEY", "STRIPE_KEY"].iter().any(|it| word.contains(it));
        named && word.chars().all(|c| !c.is_ascii_lowercase())
    });
    words.flat_map(|word| code.match_indices(word).map(move |(at, _)| (at + word.len(), word)))
}

/// What ends a program that lacks a secret.
const REFUSALS: [&str; 7] = ["exit(", "raise ", "throw ", "panic!", "abort", "Err(", "fatal"];
/// How many lines later a program may still refuse to start.
const REFUSES_WITHIN: usize = 6;

/// A secret that is read as empty text where nobody set it, and no refusal soon after.
pub(super) fn empty_default(project: &Project) -> Sight {
    const READ: [Kind; 7] = [
        Kind::Python,
        Kind::Script,
        Kind::Rust,
        Kind::OtherCode,
        Kind::Compose,
        Kind::Shell,
        Kind::Page,
    ];
    Sight::scan(project.of(&READ), |_, lines| {
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let code = tight(line.code);
            let empty = secret_names(&code).find(|(end, _)| {
                let rest = code.get(*end..).unwrap_or_default();
                let rest = rest.trim_start_matches(['"', '\'', '`', ']', ')']);
                known::words("empty-defaults").iter().any(|empty| rest.starts_with(empty))
            });
            let soon = lines.iter().skip(at).take(REFUSES_WITHIN);
            let refused = || {
                soon.clone().any(|line| REFUSALS.iter().any(|refusal| line.code.contains(refusal)))
            };
            if let Some((_, name)) = empty
                && !refused()
            {
                found.push((line.number, name.to_owned()));
            }
        }
        found
    })
}
