//! What a run leaves in the progress file.

use crate::app::context::Context;
use crate::app::failure::of_store;
use crate::domain::canonical;
use crate::domain::course::Day;
use crate::domain::course::evidence::findings_hash;
use crate::domain::course::outcome::{CheckResult, DayResult, State};
use crate::domain::course::progress::Attempt;
use crate::domain::data_file::DataFile;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::store::StoreError;
use crate::store::progress::{FILE, Progress};
use std::path::PathBuf;

/// Where the progress file is.
pub fn path(context: &Context) -> PathBuf {
    context.config.home.join(FILE)
}

/// Opens the progress file.
pub fn open(context: &Context) -> Result<Progress, Fault> {
    Progress::open(&path(context)).map_err(|error| fault(context, &error))
}

/// A failure of the progress file.
pub fn fault(context: &Context, error: &StoreError) -> Fault {
    of_store(error, DataFile::Progress, &path(context))
}

/// Notes what a person attests now; everything that was attested so far.
pub fn attested(context: &Context, day: &Day, now: &[String]) -> Result<Vec<String>, Fault> {
    let progress = open(context)?;
    for id in now {
        let gate =
            day.gates.iter().find(|gate| gate.attest && gate.quiz.is_none() && gate.id == *id);
        let known = day.check(id).map(|check| &check.id).or(gate.map(|gate| &gate.id));
        let Some(known) = known else {
            let known: Vec<&str> = day.checks.iter().map(|check| check.id.as_str()).collect();
            let usage_error = UsageError::BadValue {
                flag: "--attest".to_owned(),
                value: id.clone(),
                expected: known.join(", "),
            };
            let command = format!("stripegym {}", day.lesson.id);
            return Err(FaultKind::Usage { usage_error, command }.into());
        };
        let noted = progress.attest(known, context.clock.now());
        noted.map_err(|error| fault(context, &error))?;
    }
    progress.attested().map_err(|error| fault(context, &error))
}

/// Notes one item that a person has said or shown to know.
pub fn attest(context: &Context, id: &str) -> Result<(), Fault> {
    let noted = open(context)?.attest(id, context.clock.now());
    noted.map_err(|error| fault(context, &error))
}

/// Notes what the checks of a run came to.
pub fn note(context: &Context, result: &DayResult) -> Result<(), Fault> {
    let at = context.clock.unmoved().0;
    let attempt = |check: &CheckResult| Attempt {
        at,
        id: check.id.clone(),
        version: result.version,
        state: check.state,
        code: check.failure.as_ref().map(|failure| failure.code.clone()),
        track: result.track.to_owned(),
        api_version: result.api_version.clone(),
        evidence: canonical::write(&check.evidence.json()),
        findings: findings_hash(&check.findings),
    };
    let run = result.checks.iter().filter(|check| check.state != State::Skip);
    let attempts: Vec<Attempt> = run.map(attempt).collect();
    open(context)?.note(&attempts).map_err(|error| fault(context, &error))
}
