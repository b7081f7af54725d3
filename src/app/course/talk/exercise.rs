//! The program that is mended at the end of a day: the lessons' small shop with one thing broken, in a language whose
//! own library is enough, graded by the one check that is about it.

use crate::app::context::Context;
use crate::app::course;
use crate::app::course::application::{Application, Candidate};
use crate::app::course::choose::{self, Choice};
use crate::app::provider::Provider;
use crate::content::embedded;
use crate::domain::course::outcome::{CheckResult, State};
use crate::domain::course::talk::{Break, Mend};
use crate::domain::fault::Fault;
use std::path::{Path, PathBuf};

/// The languages: the name, what runs it, the shop's file.
const LANGUAGES: [(&str, &str, &str); 2] =
    [("python", "python3", "shop.py"), ("node", "node", "shop.mjs")];

/// Where programs to mend are written, a folder for each lesson.
pub const FOLDER: &str = "mend";

/// A program to mend.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// Where it stands.
    pub path: PathBuf,
    /// What starts it.
    pub command: String,
    /// The line that is broken, from 1.
    pub line: usize,
    /// What stands there.
    pub wrong: String,
    check: String,
    right: String,
}

/// Writes the program into `folder`, unless it is there already from the last time; `None` where no language of
/// them is installed.
pub fn begin(mend: &Mend, folder: &Path) -> Result<Option<Exercise>, Fault> {
    let found = LANGUAGES.iter().find_map(|(name, run, file)| {
        let broken = mend.breaks.get(*name)?;
        installed(run).then_some((*run, *file, broken))
    });
    let Some((run, file, broken)) = found else { return Ok(None) };
    let path = folder.join(file);
    let text = embedded::file(&format!("mend/{file}")).unwrap_or_default();
    let Break { right, wrong } = broken;
    let (right, wrong) = (right.trim_end(), wrong.trim_end());
    let failed = |error: std::io::Error| Fault::file(&path, error);
    let line = text.split(right).next().unwrap_or_default().matches('\n').count() + 1;
    if !path.exists() {
        std::fs::create_dir_all(folder).map_err(failed)?;
        std::fs::write(&path, text.replacen(right, wrong, 1)).map_err(failed)?;
    }
    let quoted = path.display().to_string().replace('\'', "'\\''");
    Ok(Some(Exercise {
        command: format!("exec {run} '{quoted}'"),
        path: path.clone(),
        line,
        wrong: wrong.to_owned(),
        right: right.to_owned(),
        check: mend.check.clone(),
    }))
}

/// Whether a program is there to be run.
fn installed(name: &str) -> bool {
    std::process::Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success())
}

impl Exercise {
    /// Mends it in the learner's place.
    pub fn solve(&self) -> Result<(), Fault> {
        let failed = |error: std::io::Error| Fault::file(&self.path, error);
        let text = std::fs::read_to_string(&self.path).map_err(failed)?;
        let mended = text.replacen(&self.wrong, &self.right, 1);
        std::fs::write(&self.path, mended).map_err(failed)
    }

    /// What shows that it was saved: its present text.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Grades it by its check, and what that needs. It is noted nowhere: it is not the learner's own server.
    pub async fn grade(&self, context: &Context) -> Result<Option<CheckResult>, Fault> {
        let quiet = context.quietly();
        let lessons = choose::lessons(&quiet, &Choice::Named(vec![self.check.clone()]))?;
        let Some(lesson) = lessons.first() else { return Ok(None) };
        let candidate = Candidate { command: Some(self.command.clone()), ..Candidate::default() };
        let provider = Provider::connect(&quiet).await?;
        let graded = async {
            let mut application = Application::open(&quiet, &provider, &candidate).await?;
            let apart = course::grade_apart(&quiet, &provider, &mut application, lesson);
            let graded = Box::pin(apart).await;
            application.close().await;
            graded
        };
        let graded = graded.await;
        provider.close().await;
        let bad = |it: &CheckResult| matches!(it.state, State::Fail | State::Blocked);
        let checks = graded?.checks;
        let first = checks.iter().find(|it| bad(it)).or(checks.last());
        Ok(first.cloned())
    }
}
