//! `stripegym check`: grades quietly what the learner has, once or whenever something changes.

use crate::app::context::Context;
use crate::app::course::application::Candidate;
use crate::app::course::choose::{self, Choice};
use crate::app::course::grading::Grading;
use crate::app::course::watch::WatchOptions;
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::report::Report;
use std::path::PathBuf;
use std::time::Duration;

/// What is graded, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// Which days and checks.
    pub choice: Choice,
    /// Which application.
    pub candidate: Candidate,
    /// The folder of the project's documents.
    pub project: Option<PathBuf>,
    /// Whether open and risky items stand in the way too.
    pub strict: bool,
    /// Checks that are left out, by id or code.
    pub skip: Vec<String>,
    /// How long it may all take.
    pub budget: Option<Duration>,
    /// How changes are waited for; not at all where nobody asks.
    pub watch: Option<WatchOptions>,
}

/// Grades.
pub async fn run(context: &Context, options: &CheckOptions) -> Result<Report, Fault> {
    if context.config.mode == Mode::Stripe {
        return Err(FaultKind::SandboxOnly { command: "stripegym check".to_owned() }.into());
    }
    let mut lessons = choose::lessons(context, &options.choice)?;
    choose::skip(&mut lessons, &options.skip)?;
    let grading = Grading {
        candidate: Candidate {
            as_found: options.choice == Choice::All,
            ..options.candidate.clone()
        },
        project: options.project.clone(),
        strict: options.strict,
        budget: options.budget,
        skip: options.skip.clone(),
        every: lessons.len() == 1,
    };
    if let Some(watch) = &options.watch {
        let kept = watch.keep(context, &grading, &options.choice).await;
        return kept.map(Report::Watched);
    }
    let quiet = context.quietly();
    let provider = Provider::connect(&quiet).await?;
    let graded = grading.once(&quiet, &provider, &lessons, |day| {
        context.notices.say(Notice::Graded(Box::new(day.clone())));
    });
    let graded = graded.await;
    provider.close().await;
    Ok(Report::Checked(Box::new(graded?)))
}
