//! Copies of the shops of `lessons/track/`: each in a folder of its own, with links to packages that are
//! installed elsewhere. Everything is removed when the ground is left.

use crate::domain::course::known;
use crate::domain::course::matrix::Mutant;
use crate::domain::course::shops::{Shop, Shops};
use crate::domain::fault::{Fault, FaultKind};
use serde::de::DeserializeOwned;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::process::Command;

/// Where shops are tried out.
pub struct FixtureDirs {
    lessons: PathBuf,
    tools: PathBuf,
    scratch: PathBuf,
    copies: AtomicUsize,
    building: tokio::sync::Mutex<()>,
}

/// A copy of a shop, and the home of whoever grades it.
pub struct FixtureDir {
    /// The shop's folder.
    pub shop: PathBuf,
    /// The grader's home.
    pub home: PathBuf,
}

impl FixtureDirs {
    /// Takes the lessons of the folder `lessons`, packages from `tools`, and `scratch` for copies.
    pub fn open(lessons: &Path, tools: &Path, scratch: &Path) -> Result<Self, Fault> {
        let whole = |path: &Path| fs::canonicalize(path).map_err(|error| Fault::file(path, error));
        fs::create_dir_all(scratch).map_err(|error| Fault::file(scratch, error))?;
        Ok(Self {
            lessons: whole(lessons)?,
            tools: whole(tools)?,
            scratch: whole(scratch)?,
            copies: AtomicUsize::default(),
            building: tokio::sync::Mutex::default(),
        })
    }

    /// The languages.
    pub fn shops(&self) -> Result<Shops, Fault> {
        self.read("track/track.toml")
    }

    /// The folder of the languages.
    pub fn track(&self) -> PathBuf {
        self.lessons.join("track")
    }

    /// The program of a broken shop.
    pub fn mutant(&self, it: &Mutant) -> PathBuf {
        self.lessons.join(&it.lesson).join("mutants").join(&it.file)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, Fault> {
        let path = self.lessons.join(name);
        let text = fs::read_to_string(&path).map_err(|error| Fault::file(&path, error))?;
        toml::from_str(&text).map_err(|error| {
            let what = error.message().to_owned();
            FaultKind::Lesson { file: name.to_owned(), key: "-".to_owned(), what }.into()
        })
    }

    /// Lays out the solution of a language; or, where lessons are named, what a learner has who solved them and no
    /// others: the starter with their files.
    pub fn lay_out(
        &self,
        language: &str,
        shop: &Shop,
        solved: Option<&[&str]>,
    ) -> Result<FixtureDir, Fault> {
        let number = self.copies.fetch_add(1, Ordering::SeqCst);
        let dir = self.scratch.join(format!("{number}"));
        let dir = FixtureDir { shop: dir.join("shop"), home: dir.join("home") };
        let from = self.lessons.join("track").join(language);
        let begun = from.join(if solved.is_some() { "starter" } else { "solution" });
        copy(&begun, &dir.shop).map_err(|error| Fault::file(&begun, error))?;
        for name in solved.unwrap_or_default().iter().filter_map(|id| shop.lessons.get(*id)) {
            let solved = from.join("solution").join(name);
            fs::copy(&solved, dir.shop.join(name)).map_err(|error| Fault::file(&solved, error))?;
        }
        for (name, tool) in &shop.trial.links {
            let tool = self.tools.join(tool);
            let there = fs::metadata(&tool).and_then(|_| link(&tool, &dir.shop.join(name)));
            there.map_err(|error| Fault::file(&tool, error))?;
        }
        fs::create_dir_all(&dir.home).map_err(|error| Fault::file(&dir.home, error))?;
        Ok(dir)
    }

    /// Builds a copy, where its language has to be built.
    pub async fn build(&self, shop: &Shop, dir: &FixtureDir) -> Result<(), Fault> {
        let Some(build) = &shop.trial.build else { return Ok(()) };
        // Copies share what their packages were built into, and with it the place of their program.
        let _alone = self.building.lock().await;
        let mut command = Command::new("sh");
        command.args(["-c", build]).current_dir(&dir.shop).stdin(Stdio::null());
        let built = command.kill_on_drop(true).output().await;
        let built = built.map_err(|error| Fault::file(Path::new("sh"), error))?;
        if built.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Err(FaultKind::Lesson {
            file: "track/track.toml".to_owned(),
            key: "build".to_owned(),
            what: format!("`{build}`: {last}"),
        }
        .into())
    }
}

impl Drop for FixtureDirs {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.scratch) {
            tracing::warn!(%error, "the copies of the shops could not be removed");
        }
    }
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "shops are tried out on Unix only"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| known::is("filled-by-tools", name)) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_solved_up_to_its_day_and_has_links_and_vanishes_with_the_ground() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for (name, text) in [
            ("lessons/track/go/solution/main.go", "whole"),
            ("lessons/track/go/solution/pages/success.go", "kept"),
            ("lessons/track/go/solution/target/junk", "junk"),
            ("lessons/track/go/solution/later.go", "whole"),
            ("lessons/track/go/starter/main.go", "gap"),
            ("lessons/track/go/starter/later.go", "gap"),
            ("tools/modules/one", "installed"),
        ] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), text).unwrap();
        }
        let shop: Shop = toml::from_str(
            "start = 'go run .'\nlessons = { one = 'main.go', two = 'later.go' }\ntrial = { links = { vendor = 'modules' } }",
        )
        .unwrap();
        let dirs = FixtureDirs::open(&at("lessons"), &at("tools"), &at("scratch")).unwrap();
        let read = |dir: &FixtureDir, name: &str| fs::read_to_string(dir.shop.join(name)).ok();
        let whole = dirs.lay_out("go", &shop, None).unwrap();
        let begun = dirs.lay_out("go", &shop, Some(&["one"])).unwrap();
        assert_eq!(read(&whole, "later.go").as_deref(), Some("whole"));
        assert_eq!(read(&begun, "main.go").as_deref(), Some("whole"));
        assert_eq!(read(&begun, "later.go").as_deref(), Some("gap"));
        assert_eq!(read(&whole, "pages/success.go").as_deref(), Some("kept"));
        assert_eq!(read(&begun, "vendor/one").as_deref(), Some("installed"));
        assert_eq!(read(&whole, "target/junk"), None);
        assert!(dirs.lay_out("cobol", &shop, None).is_err());
        drop(dirs);
        assert!(!at("scratch").exists() && at("tools/modules/one").exists());
    }
}
