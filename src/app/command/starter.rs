//! `stripegym starter`: a shop to begin with, in a folder of the learner's own.

use crate::app::course::of_lesson;
use crate::content::track::{self, Language, Part};
use crate::domain::course::carried::Carried;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// Writes the starter of a language into `folder`. Where one of its files is there already, nothing is written.
pub fn run(language: &str, folder: &Path) -> Result<Report, Fault> {
    let other = || FaultKind::NoSuchCode { code: language.to_owned() };
    let language = Language::read(language).ok_or_else(other)?;
    let broken = |path: &Path, error: &std::io::Error| Fault::file(path, error);
    for (name, _) in track::files(language, Part::Starter) {
        let path = folder.join(name);
        if path.exists() {
            return Err(FaultKind::InTheWay { path: path.display().to_string() }.into());
        }
    }
    let mut files = 0;
    for (name, text) in track::files(language, Part::Starter) {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| broken(parent, &error))?;
        }
        let written = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| broken(&path, &error))?;
        files += 1;
    }
    let start = track::start(language).map_err(|it| of_lesson(&it))?;
    let install = track::install(language).map_err(|it| of_lesson(&it))?;
    let folder = folder.display().to_string();
    Ok(Report::Carried(Carried::Starter { folder, files, install, start }))
}
