//! `stripegym reset`: sets a day, the ledger, the sandbox or everything back, after a copy was put aside.

use crate::app::backup;
use crate::app::context::Context;
use crate::app::course::talk::exercise;
use crate::app::course::{library, of_lesson, record};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::merchant::base;
use crate::os::private;
use crate::sandbox::host;
use crate::store::lock::LedgerLock;
use crate::store::progress;
use std::fs;
use std::path::Path;

/// What is set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetAction {
    /// The progress of one day.
    Day(String),
    /// The ledger.
    Ledger,
    /// The sandbox.
    Sandbox,
    /// Progress, ledger, sandbox, the shop's database.
    All,
}

const LEDGER: &str = crate::store::FILE;
const SANDBOX: &str = "sandbox.db";

/// The ledger to oneself: whoever writes it would go on writing to the copy that is put aside.
fn alone(context: &Context) -> Result<LedgerLock, Fault> {
    let path = context.config.ledger_path();
    let broken = |error: std::io::Error| Fault::file(&path, error);
    private::folder(&context.config.home).map_err(broken)?;
    let lock = LedgerLock::alone(&path).map_err(broken)?;
    lock.ok_or_else(|| FaultKind::LedgerInUse { path: path.display().to_string() }.into())
}

/// Puts programs to mend into `backup`, or, where that is on another disk, beside where they were: begun again, a day
/// breaks them anew.
fn put_aside(folder: &Path, backup: &Path) -> std::io::Result<()> {
    let within = backup.join(folder);
    if let Some(parent) = within.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::rename(folder, &within) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let stamp = backup.file_name().unwrap_or_default();
            fs::rename(folder, folder.with_extension(stamp))
        }
        renamed => renamed,
    }
}

/// Puts a copy aside and sets back. While another process hosts the sandbox nothing of it is touched, nor
/// of the ledger while another process writes it.
pub async fn run(context: &Context, action: &ResetAction) -> Result<Report, Fault> {
    let home = &context.config.home;
    let files: &[&str] = match action {
        ResetAction::Day(_) => &[],
        ResetAction::Ledger => &[LEDGER],
        ResetAction::Sandbox => &[SANDBOX],
        ResetAction::All => &[progress::FILE, LEDGER, SANDBOX, base::FILE],
    };
    if files.contains(&SANDBOX)
        && let Some(base) = host::find(home).await
    {
        return Err(FaultKind::SandboxInUse { base }.into());
    }
    // Held to the end: whoever starts meanwhile is told so.
    let _alone = if files.contains(&LEDGER) { Some(alone(context)?) } else { None };
    let backup = backup::folder(home, context.clock.now());
    let broken = |path: &Path, error: &std::io::Error| Fault::file(path, error);
    private::folder(&backup).map_err(|error| broken(&backup, &error))?;
    let mut what = Vec::new();
    for file in files {
        for suffix in ["", "-wal", "-shm"] {
            let name = format!("{file}{suffix}");
            let path = home.join(&name);
            if path.exists() {
                fs::rename(&path, backup.join(&name)).map_err(|error| broken(&path, &error))?;
                what.push(name);
            }
        }
    }
    let exercises = match action {
        ResetAction::Day(id) => Some(Path::new(exercise::FOLDER).join(id)),
        ResetAction::All => Some(exercise::FOLDER.into()),
        ResetAction::Ledger | ResetAction::Sandbox => None,
    };
    if let Some(folder) = exercises.filter(|folder| folder.exists()) {
        put_aside(&folder, &backup).map_err(|error| broken(&folder, &error))?;
        what.push(folder.display().to_string());
    }
    if let ResetAction::Day(id) = action {
        let day = library().day(id).map_err(|it| of_lesson(&it))?;
        let path = record::path(context);
        if path.exists() {
            let kept = backup.join(progress::FILE);
            fs::copy(&path, kept).map_err(|error| broken(&path, &error))?;
            let ids: Vec<(&str, &str)> =
                day.checks.iter().map(|check| (check.id.as_str(), check.code.as_str())).collect();
            let forgotten = record::open(context)?.forget(id, &ids);
            forgotten.map_err(|error| record::fault(context, &error))?;
            what.push(id.clone());
        }
    }
    Ok(Report::Reset { what, backup: backup.display().to_string() })
}
