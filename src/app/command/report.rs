//! `stripegym report`: what was reached, to hand on.

use crate::app::context::Context;
use crate::app::course::progress_report;
use crate::domain::course::carried::Carried;
use crate::domain::course::progress_report::{Kind, ProgressReport, Shape};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::Locale;
use crate::domain::report::Report;
use std::fs;
use std::path::PathBuf;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportOptions {
    /// For what.
    pub kind: Kind,
    /// Written how.
    pub shape: Shape,
    /// Into which file; to whoever asks where there is none.
    pub out: Option<PathBuf>,
}

/// Makes the report; `render` writes it.
pub fn run(
    context: &Context,
    options: &ReportOptions,
    render: impl Fn(&ProgressReport, Kind, Shape, Locale) -> String,
) -> Result<Report, Fault> {
    let report = progress_report::build(context)?;
    let text = render(&report, options.kind, options.shape, context.config.locale);
    let Some(path) = &options.out else { return Ok(Report::Document(text)) };
    let shown = path.display().to_string();
    fs::write(path, text)
        .map_err(|error| Fault::because(FaultKind::File { path: shown.clone() }, error))?;
    Ok(Report::Carried(Carried::Written { path: shown, seal: report.seal }))
}
