//! `stripegym progress`: carries what was reached from one machine to another.

use crate::app::backup;
use crate::app::context::Context;
use crate::app::course::{choose, record};
use crate::domain::course::carried::Carried;
use crate::domain::course::progress::{Export, FORMAT, VERSION};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::Report;
use crate::os::private;
use crate::store::progress::FILE;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Writes everything that was reached to `out`, or to whoever asks.
pub fn export(context: &Context, out: Option<&Path>) -> Result<Report, Fault> {
    let progress = choose::progress(context)?;
    let export = Export { format: FORMAT.to_owned(), version: VERSION, progress };
    let text = format!("{:#}\n", json!(export));
    let Some(path) = out else { return Ok(Report::Document(text)) };
    let shown = path.display().to_string();
    let seal = crate::domain::canonical::sha256(&text);
    fs::write(path, text).map_err(|error| Fault::file(path, error))?;
    Ok(Report::Carried(Carried::Written { path: shown, seal }))
}

/// Merges what `file` holds into the progress here; a copy is put aside before.
pub fn import(context: &Context, file: &Path) -> Result<Report, Fault> {
    let text = fs::read_to_string(file).map_err(|error| Fault::file(file, error))?;
    let theirs = read(&text).map_err(|reason| {
        let path = file.display().to_string();
        let expected = format!("{FORMAT} {VERSION}");
        Fault::because(FaultKind::NotOurs { path, expected }, reason)
    })?;
    let path = record::path(context);
    let mut backup = None;
    if path.exists() {
        let folder = backup::folder(&context.config.home, context.clock.now());
        private::folder(&folder).map_err(|error| Fault::file(&folder, error))?;
        fs::copy(&path, folder.join(FILE)).map_err(|error| Fault::file(&path, error))?;
        backup = Some(folder.display().to_string());
    }
    let fault = |error| record::fault(context, &error);
    let mut here = record::open(context)?;
    let ours = here.snapshot().map_err(fault)?;
    let merged = ours.merge(&theirs.progress);
    here.replace(&merged).map_err(fault)?;
    Ok(Report::Carried(Carried::Imported {
        checks: merged.checks.len(),
        attempts: merged.attempts.len(),
        backup,
    }))
}

fn read(text: &str) -> Result<Export, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let member = |name: &str| value.get(name);
    if member("format") != Some(&json!(FORMAT)) {
        return Err(format!("\"format\": \"{FORMAT}\" –"));
    }
    // A later version may mean something else by the same words.
    if member("version") != Some(&json!(VERSION)) {
        let found = member("version").map_or_else(|| "–".to_owned(), ToString::to_string);
        return Err(format!("\"version\": {found} ≠ {VERSION}"));
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}
