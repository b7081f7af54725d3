//! Hands rows of any number on part by part, so that no more of them are held than a part has.

use crate::app::context::Context;
use crate::app::ledger_file;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::report::{PartSink, Report};
use crate::store::{Each, StoreError};
use std::io;

/// Where the parts go.
pub type Parts = Box<dyn PartSink>;

/// Rows a part.
const PART: usize = 1_000;

/// Reads rows with `read` and hands them on as `part` shows them, after `frame`, the report without them.
pub fn hand_on<T>(
    context: &Context,
    mut sink: Parts,
    frame: &Report,
    part: impl Fn(&[T]) -> Report,
    read: impl FnOnce(Each<'_, T>) -> Result<(), StoreError>,
) -> Result<Report, Fault> {
    let lost = |error| Fault::because(FaultKind::File { path: "stdout".to_owned() }, error);
    sink.begin(frame).map_err(lost)?;
    let mut waiting: Vec<T> = Vec::with_capacity(PART);
    let mut failed = None;
    let worked = read(&mut |row| {
        waiting.push(row);
        if waiting.len() < PART {
            return Ok(());
        }
        let handed = sink.part(&part(&waiting));
        waiting.clear();
        handed.map_err(|error| {
            let stops = io::Error::from(error.kind());
            failed = Some(error);
            stops
        })
    });
    if let Some(error) = failed {
        return Err(lost(error));
    }
    worked.map_err(|error| ledger_file::fault(context, &error))?;
    if !waiting.is_empty() {
        sink.part(&part(&waiting)).map_err(lost)?;
    }
    sink.end().map_err(lost)?;
    Ok(Report::Streamed(true))
}
