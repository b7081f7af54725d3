//! Where settings come from: flags beat the environment, which beats `.env`, which beats the default.
//! The only reader of the environment; `.env` is read and never exported.

use crate::config::keys::Key;
use crate::domain::locale::Locale;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment of the process.
    Environment,
    /// A `.env` file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// A short name for messages: `--flag`, `environment`, the file's path, `default`.
    pub fn name(&self) -> String {
        match self {
            Self::Flag => "command line".to_owned(),
            Self::Environment => "environment".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Default => "default".to_owned(),
        }
    }
}

/// A value with where it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The text as it was given.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// What the process was given, before anything is understood.
#[derive(Clone, Default)]
pub struct Sources {
    flags: BTreeMap<&'static str, String>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    file_path: PathBuf,
}

/// The `.env` file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct BrokenFile {
    /// Its path.
    pub path: String,
    /// What the reader said, without the line's content, which may be a secret.
    pub cause: String,
}

impl Sources {
    /// The process's environment and the `.env` of `folder`.
    pub fn read(folder: &Path) -> Result<Self, BrokenFile> {
        let file_path = folder.join(".env");
        let mut file = BTreeMap::new();
        if file_path.is_file() {
            let broken = |cause: &dotenvy::Error| BrokenFile {
                path: file_path.display().to_string(),
                cause: match cause {
                    dotenvy::Error::LineParse(_, at) => format!("not NAME=VALUE (column {at})"),
                    other => other.to_string(),
                },
            };
            for item in dotenvy::from_path_iter(&file_path).map_err(|e| broken(&e))? {
                let (name, value) = item.map_err(|e| broken(&e))?;
                file.insert(name, value);
            }
        }
        Ok(Self { environment: environment(), file, file_path, flags: BTreeMap::new() })
    }

    /// The process's environment alone: for what must be known before anything can fail.
    pub fn environment_only() -> Self {
        Self { environment: environment(), ..Self::default() }
    }

    /// Sources of a test.
    #[cfg(test)]
    pub(crate) fn of(environment: &[(&str, &str)], file: &[(&str, &str)]) -> Self {
        let own = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        Self {
            environment: own(environment),
            file: own(file),
            file_path: PathBuf::from(".env"),
            ..Self::default()
        }
    }

    /// With what the command line says about `key`.
    #[must_use]
    pub fn with_flag(mut self, key: Key, value: Option<String>) -> Self {
        if let Some(value) = value {
            self.flags.insert(key.name, value);
        }
        self
    }

    /// The value of `key` by precedence; blank values count as absent.
    pub fn find(&self, key: Key) -> Option<Found> {
        let said = |value: &String| !value.trim().is_empty();
        let found = |value: &String, origin| Found { value: value.trim().to_owned(), origin };
        let flag = self.flags.get(key.name).filter(|v| said(v)).map(|v| found(v, Origin::Flag));
        let environment = || {
            let value = self.environment.get(key.name).filter(|v| said(v));
            value.map(|v| found(v, Origin::Environment))
        };
        let file = || {
            let value = self.file.get(key.name).filter(|v| said(v));
            value.map(|v| found(v, Origin::File(self.file_path.clone())))
        };
        let default = || {
            let value = (!key.default.is_empty()).then(|| key.default.to_owned());
            value.map(|v| found(&v, Origin::Default))
        };
        flag.or_else(environment).or_else(file).or_else(default)
    }

    /// A variable of the environment that is no setting of ours (`DISPLAY`, `TZ`).
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The language: `STRIPEGYM_LANG`, else `LC_ALL`, `LC_MESSAGES`, `LANG`, else English.
    pub fn locale(&self) -> Locale {
        let own = self.find(crate::config::keys::LANG).and_then(|found| Locale::read(&found.value));
        own.or_else(|| {
            let first = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|n| self.variable(n));
            first.and_then(Locale::read)
        })
        .unwrap_or_default()
    }
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn flags_beat_environment_beats_file_beats_default() {
        let file = [("PORT", "1"), ("STRIPEGYM_HOME", "file")];
        let sources = Sources::of(&[("PORT", "2")], &file);
        assert_eq!(sources.find(keys::PORT).unwrap().value, "2");
        assert_eq!(sources.find(keys::HOME).unwrap().origin, Origin::File(".env".into()));
        assert_eq!(sources.find(keys::SANDBOX_PORT).unwrap().origin, Origin::Default);
        let sources = sources.with_flag(keys::PORT, Some("3".to_owned()));
        assert_eq!(sources.find(keys::PORT).unwrap().origin, Origin::Flag);
        assert!(sources.find(keys::SEED).is_none());
    }

    #[test]
    fn lc_all_decides_before_lang() {
        let sources = Sources::of(&[("LC_ALL", "ja_JP.UTF-8"), ("LANG", "en_US.UTF-8")], &[]);
        assert_eq!(sources.locale(), Locale::Ja);
        assert_eq!(Sources::default().locale(), Locale::En);
    }

    #[test]
    fn a_dotenv_file_is_read_and_not_exported() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), "STRIPEGYM_SEED=7 # seed\n").unwrap();
        let sources = Sources::read(folder.path()).unwrap();
        assert_eq!(sources.find(keys::SEED).unwrap().value, "7");
        assert!(!environment().contains_key("STRIPEGYM_SEED"));
    }

    #[test]
    fn a_broken_line_is_reported_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), "STRIPE_SECRET_KEY sk_test_hidden\n").unwrap();
        let error = Sources::read(folder.path()).err().unwrap().to_string();
        assert!(error.contains(".env") && !error.contains("hidden"), "{error}");
    }
}
