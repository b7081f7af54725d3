//! Where settings come from: flags beat the environment, which beats `.env`, which beats the default.
//! The only reader of the environment; `.env` is read and never exported.

use crate::config::keys::{self, Key};
use crate::domain::locale::Locale;
use std::collections::BTreeMap;
use std::io::ErrorKind;
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
    /// Whether something stands at the file's name that is no file.
    passed_over: bool,
}

/// The `.env` file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct BrokenFile {
    /// Its path, with the line at fault.
    pub path: String,
    /// What is wrong, without the line's content, which may be a secret.
    pub cause: String,
}

impl Sources {
    /// The process's environment and the `.env` of `folder`.
    pub fn read(folder: &Path) -> Result<Self, BrokenFile> {
        let file_path = folder.join(".env");
        let shown = file_path.display().to_string();
        let broken = |path: String, cause: &str| BrokenFile { path, cause: cause.to_owned() };
        let mut sources = Self { environment: environment(), ..Self::default() };
        match std::fs::metadata(&file_path) {
            Ok(about) if about.is_file() => {
                let bytes =
                    std::fs::read(&file_path).map_err(|e| broken(shown.clone(), &e.to_string()))?;
                sources.file = readable(&bytes)
                    .and_then(|()| settings(&String::from_utf8_lossy(&bytes)))
                    .map_err(|(line, cause)| broken(format!("{shown}:{line}"), cause))?;
            }
            // A folder of Python's may be called that, and a pipe must not be waited for.
            Ok(_) => sources.passed_over = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(broken(shown, &error.to_string())),
        }
        Ok(Self { file_path, ..sources })
    }

    /// The `.env` that is no file, where there is one.
    pub fn passed_over(&self) -> Option<&Path> {
        self.passed_over.then_some(&self.file_path)
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

    /// Whether the environment has a variable, if only an empty one.
    pub fn is_set(&self, name: &str) -> bool {
        self.environment.contains_key(name)
    }

    /// The language: `STRIPEGYM_LANG`, else `LC_ALL`, `LC_MESSAGES`, `LANG`, else English.
    pub fn locale(&self) -> Locale {
        let own = self.find(keys::LANG).and_then(|found| Locale::read(&found.value));
        own.or_else(|| {
            let first = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|n| self.variable(n));
            first.and_then(Locale::read)
        })
        .unwrap_or_default()
    }
}

impl Sources {
    /// Whether anybody has said which language is spoken: a locale of programs (`C`) is that of nobody.
    pub fn says_language(&self) -> bool {
        let first = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|n| self.variable(n));
        let of_person = first.filter(|text| !text.starts_with('C') && !text.starts_with("POSIX"));
        self.find(keys::LANG).is_some() || of_person.and_then(Locale::read).is_some()
    }
}

/// The number of a line, and what is wrong there.
type Broken = (usize, &'static str);

/// Whether a file can be text at all. In UTF-16, no setting would be found.
fn readable(bytes: &[u8]) -> Result<(), Broken> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err((1, "UTF-16; save it as UTF-8"));
    }
    let Some(at) = bytes.iter().position(|byte| *byte == 0) else { return Ok(()) };
    let before = bytes.get(..at).unwrap_or_default();
    let line = before.split(|byte| *byte == b'\n').count();
    Err((line, "no text (UTF-16?); save it as UTF-8"))
}

/// The settings in the text of a `.env`. The file is the learner's, and other programs read it by other rules:
/// what is no setting of ours is passed over, whatever it looks like. Fails with the number of the line of one
/// of ours that cannot be read, and why.
fn settings(text: &str) -> Result<BTreeMap<String, String>, Broken> {
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect();
    let mut file = BTreeMap::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let line = line.trim();
        let bare = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let name = bare.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
        let ours = keys::ALL.iter().find(|key| Some(key.name) == name);
        let after = bare.get(name.map_or(0, str::len)..).unwrap_or_default().trim_start();
        let Some(key) = ours else {
            at += continued(after.trim_start_matches('=').trim_start(), lines.get(at..));
            continue;
        };
        // `PORT-OLD=…` is another name that begins like ours.
        let is_whole = after.is_empty() || after.starts_with(['=', ':', '"', '\'']);
        if !is_whole && !bare.contains(' ') {
            continue;
        }
        let read = dotenvy::from_read_iter(bare.as_bytes()).next();
        match read {
            Some(Ok((_, value))) if value.contains(char::REPLACEMENT_CHARACTER) => {
                return Err((at, "not UTF-8"));
            }
            Some(Ok((name, value))) if name == key.name => drop(file.insert(name, value)),
            _ => return Err((at, "not NAME=VALUE")),
        }
    }
    Ok(file)
}

/// How many of the following lines still belong to a value that begins with a quote.
fn continued(value: &str, following: Option<&[&str]>) -> usize {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        return 0;
    };
    if value.get(1..).is_some_and(|rest| rest.contains(quote)) {
        return 0;
    }
    // A quote that nothing closes is a character like any other.
    following
        .and_then(|lines| lines.iter().position(|line| line.contains(quote)))
        .map_or(0, |n| n + 1)
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn read(bytes: &[u8]) -> Result<Sources, BrokenFile> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), bytes).unwrap();
        Sources::read(folder.path())
    }

    #[test]
    fn lines_that_other_programs_read_are_passed_over() {
        for line in [
            &b"APP_NAME=My Shop"[..],
            b"MOTTO=don't panic",
            b"QUOTE=\"never closed",
            b"DIR=C:\\Users\\me",
            b"MY-KEY=1",
            b"PORT-OLD=9",
            b"X={\"a\": 1}",
            b"NAME: x",
            b"NAME",
            b"# \x93\xfa\x96\x7b\x8c\xea",
            b"\x93\xfa=1",
            b"PEM=\"-----BEGIN\nPORT=1\n-----END\"",
            b"=",
        ] {
            let whole =
                [b"\xef\xbb\xbfSTRIPEGYM_SEED=7\r\n", line, b"\nexport PORT='4300' # ours\n"];
            let sources = read(&whole.concat()).unwrap_or_else(|error| panic!("{error}"));
            let value = |key| sources.find(key).unwrap().value;
            let line = String::from_utf8_lossy(line);
            assert_eq!(
                (value(keys::SEED), value(keys::PORT)),
                ("7".into(), "4300".into()),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_text_is_told_by_its_line_and_without_its_content() {
        let wide = |text: &str, mark: &[u8]| {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            mark.iter().copied().chain(units).collect::<Vec<u8>>()
        };
        let text = "STRIPEGYM_SEED=7\nSTRIPE_SECRET_KEY=sk_test_hidden\n";
        for (bytes, line, cause) in [
            (wide(text, b"\xff\xfe"), 1, "UTF-16"),
            (wide(text, b""), 1, "UTF-16"),
            (b"A=1\nSTRIPE_SECRET_KEY=sk_test_hidden\0\n".to_vec(), 2, "save it as UTF-8"),
            (b"A=1\n\nSTRIPEGYM_HOME=\x93\xfa\x96\x7b\n".to_vec(), 3, "not UTF-8"),
        ] {
            let error = read(&bytes).err().unwrap_or_else(|| panic!("{cause}")).to_string();
            assert!(error.contains(&format!(".env:{line}:")), "{error}");
            assert!(error.contains(cause) && !error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn what_is_no_file_is_passed_over_and_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Sources::read(folder.path()).unwrap().passed_over(), None);
        let path = folder.path().join(".env");
        std::fs::create_dir(&path).unwrap();
        assert_eq!(Sources::read(folder.path()).unwrap().passed_over(), Some(path.as_path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_reached_is_no_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::os::unix::fs::symlink(".env", &path).unwrap();
        assert!(Sources::read(folder.path()).is_err());
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("not-there", &path).unwrap();
        assert!(Sources::read(folder.path()).is_ok());
    }

    #[test]
    fn a_broken_line_of_ours_is_named_by_its_number_and_without_its_content() {
        for line in [
            "STRIPE_SECRET_KEY sk_test_hidden",
            "STRIPE_SECRET_KEY: sk_test_hidden",
            "STRIPE_SECRET_KEY=\"sk_test_hidden",
            "STRIPE_SECRET_KEY=sk test_hidden",
            "PORT",
        ] {
            let text = format!("A=b c\n\n{line}\nPORT=1\n");
            let error = read(text.as_bytes()).err().unwrap_or_else(|| panic!("{line}")).to_string();
            assert!(error.contains(".env:3:") && !error.contains("hidden"), "{error}");
        }
    }
}
