//! The own-server track as it comes with the program: starters and solutions in three languages, and which file
//! holds the gap of which day.

use crate::domain::course::rules::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A language of the track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python with Flask.
    Python,
    /// Node with Express.
    Node,
    /// Rust with axum.
    Rust,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Rust];

    /// The word that the command line and the folders use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Rust => "rust",
        }
    }

    /// Reads such a word.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == text)
    }
}

/// What a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The shop in which each day's part is not written yet.
    Starter,
    /// The shop after the last day.
    Solution,
}

/// A file: of which language, of which part, its path, its text.
type Entry = (Language, Part, &'static str, &'static str);

macro_rules! entries {
    ($($language:ident $part:ident $lang:literal $folder:literal $path:literal,)+) => {
        [$((
            Language::$language,
            Part::$part,
            $path,
            include_str!(concat!("../../lessons/track/", $lang, "/", $folder, "/", $path)),
        )),+]
    };
}

const FILES: [Entry; 98] = entries! {
    Python Starter "python" "starter" ".dockerignore",
    Python Starter "python" "starter" ".env.example",
    Python Starter "python" "starter" ".gitignore",
    Python Starter "python" "starter" "Dockerfile",
    Python Starter "python" "starter" "README.md",
    Python Starter "python" "starter" "app.py",
    Python Starter "python" "starter" "checkout.py",
    Python Starter "python" "starter" "compose.yaml",
    Python Starter "python" "starter" "gunicorn.conf.py",
    Python Starter "python" "starter" "ledger.py",
    Python Starter "python" "starter" "meaning.py",
    Python Starter "python" "starter" "pages.py",
    Python Starter "python" "starter" "requirements.txt",
    Python Starter "python" "starter" "settings.py",
    Python Starter "python" "starter" "webhook.py",
    Python Solution "python" "solution" ".dockerignore",
    Python Solution "python" "solution" ".env.example",
    Python Solution "python" "solution" ".gitignore",
    Python Solution "python" "solution" "Dockerfile",
    Python Solution "python" "solution" "LICENSE",
    Python Solution "python" "solution" "README.md",
    Python Solution "python" "solution" "app.py",
    Python Solution "python" "solution" "checkout.py",
    Python Solution "python" "solution" "compose.yaml",
    Python Solution "python" "solution" "gunicorn.conf.py",
    Python Solution "python" "solution" "ledger.py",
    Python Solution "python" "solution" "meaning.py",
    Python Solution "python" "solution" "pages.py",
    Python Solution "python" "solution" "production.md",
    Python Solution "python" "solution" "requirements.txt",
    Python Solution "python" "solution" "settings.py",
    Python Solution "python" "solution" "webhook.py",
    Node Starter "node" "starter" ".dockerignore",
    Node Starter "node" "starter" ".env.example",
    Node Starter "node" "starter" ".gitignore",
    Node Starter "node" "starter" "Dockerfile",
    Node Starter "node" "starter" "README.md",
    Node Starter "node" "starter" "app.js",
    Node Starter "node" "starter" "checkout.js",
    Node Starter "node" "starter" "compose.yaml",
    Node Starter "node" "starter" "ledger.js",
    Node Starter "node" "starter" "meaning.js",
    Node Starter "node" "starter" "package-lock.json",
    Node Starter "node" "starter" "package.json",
    Node Starter "node" "starter" "pages.js",
    Node Starter "node" "starter" "settings.js",
    Node Starter "node" "starter" "webhook.js",
    Node Solution "node" "solution" ".dockerignore",
    Node Solution "node" "solution" ".env.example",
    Node Solution "node" "solution" ".gitignore",
    Node Solution "node" "solution" "Dockerfile",
    Node Solution "node" "solution" "LICENSE",
    Node Solution "node" "solution" "README.md",
    Node Solution "node" "solution" "app.js",
    Node Solution "node" "solution" "checkout.js",
    Node Solution "node" "solution" "compose.yaml",
    Node Solution "node" "solution" "ledger.js",
    Node Solution "node" "solution" "meaning.js",
    Node Solution "node" "solution" "package-lock.json",
    Node Solution "node" "solution" "package.json",
    Node Solution "node" "solution" "pages.js",
    Node Solution "node" "solution" "production.md",
    Node Solution "node" "solution" "settings.js",
    Node Solution "node" "solution" "webhook.js",
    Rust Starter "rust" "starter" ".dockerignore",
    Rust Starter "rust" "starter" ".env.example",
    Rust Starter "rust" "starter" ".gitignore",
    Rust Starter "rust" "starter" "Cargo.lock",
    Rust Starter "rust" "starter" "Cargo.toml",
    Rust Starter "rust" "starter" "Dockerfile",
    Rust Starter "rust" "starter" "README.md",
    Rust Starter "rust" "starter" "compose.yaml",
    Rust Starter "rust" "starter" "src/checkout.rs",
    Rust Starter "rust" "starter" "src/ledger.rs",
    Rust Starter "rust" "starter" "src/main.rs",
    Rust Starter "rust" "starter" "src/meaning.rs",
    Rust Starter "rust" "starter" "src/pages.rs",
    Rust Starter "rust" "starter" "src/settings.rs",
    Rust Starter "rust" "starter" "src/stripe.rs",
    Rust Starter "rust" "starter" "src/webhook.rs",
    Rust Solution "rust" "solution" ".dockerignore",
    Rust Solution "rust" "solution" ".env.example",
    Rust Solution "rust" "solution" ".gitignore",
    Rust Solution "rust" "solution" "Cargo.lock",
    Rust Solution "rust" "solution" "Cargo.toml",
    Rust Solution "rust" "solution" "Dockerfile",
    Rust Solution "rust" "solution" "LICENSE",
    Rust Solution "rust" "solution" "README.md",
    Rust Solution "rust" "solution" "compose.yaml",
    Rust Solution "rust" "solution" "production.md",
    Rust Solution "rust" "solution" "src/checkout.rs",
    Rust Solution "rust" "solution" "src/ledger.rs",
    Rust Solution "rust" "solution" "src/main.rs",
    Rust Solution "rust" "solution" "src/meaning.rs",
    Rust Solution "rust" "solution" "src/pages.rs",
    Rust Solution "rust" "solution" "src/settings.rs",
    Rust Solution "rust" "solution" "src/stripe.rs",
    Rust Solution "rust" "solution" "src/webhook.rs",
};

const TRACK: &str = include_str!("../../lessons/track/track.toml");

/// What is said of a language.
#[derive(Clone, Debug, Deserialize)]
struct Said {
    start: String,
    days: Vec<String>,
}

fn said(language: Language) -> Result<Said, Problem> {
    let broken = |what: String| Problem::new("track/track.toml", language.name(), what);
    let mut all: BTreeMap<String, Said> =
        toml::from_str(TRACK).map_err(|error| broken(error.message().to_owned()))?;
    all.remove(language.name()).ok_or_else(|| broken("–".to_owned()))
}

/// What starts a shop of a language.
pub fn start(language: Language) -> Result<String, Problem> {
    said(language).map(|it| it.start)
}

/// The files of a part: path and text.
pub fn files(language: Language, part: Part) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of = move |entry: &&Entry| entry.0 == language && entry.1 == part;
    FILES.iter().filter(of).map(|(_, _, path, text)| (*path, *text))
}

/// The file of the solution that fills a day's gap: path and text.
pub fn of_day(language: Language, day: u8) -> Result<(&'static str, &'static str), Problem> {
    let said = said(language)?;
    let name = said.days.get(usize::from(day)).map(String::as_str);
    let found =
        name.and_then(|name| files(language, Part::Solution).find(|(path, _)| *path == name));
    let lacking = || Problem::new("track/track.toml", language.name(), format!("day{day} –"));
    found.ok_or_else(lacking)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if ["node_modules", "target", "__pycache__", ".venv"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_file_of_the_track_comes_along() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/track");
        for language in Language::ALL {
            for (part, name) in [(Part::Starter, "starter"), (Part::Solution, "solution")] {
                let folder = root.join(language.name()).join(name);
                let mut there = Vec::new();
                walk(&folder, &mut there);
                for path in there {
                    let path = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
                    let here = files(language, part).any(|(it, _)| it == path);
                    assert!(here, "{}/{name}/{path} does not come along", language.name());
                }
            }
        }
    }

    #[test]
    fn every_day_has_its_file_in_every_language() {
        for language in Language::ALL {
            assert!((0..7).all(|day| of_day(language, day).is_ok()), "{language:?}");
            assert!(of_day(language, 7).is_err() && !start(language).unwrap().is_empty());
        }
    }
}
