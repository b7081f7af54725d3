//! Grades several days in turn with one application, without reading, doing and showing.

use crate::app::context::Context;
use crate::app::course::application::{Application, Candidate};
use crate::app::course::port_probe;
use crate::app::course::{Beat, Manner, RunOptions, choose, put_before};
use crate::app::provider::Provider;
use crate::content::Lesson;
use crate::domain::course::Track;
use crate::domain::course::graded::{Checked, Graded};
use crate::domain::course::outcome::{CheckResult, State};
use crate::domain::fault::Fault;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a grading may take where nobody says.
const BUDGET: Duration = Duration::from_mins(5);

/// How days are graded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grading {
    /// Which application.
    pub candidate: Candidate,
    /// The folder of the project's documents.
    pub project: Option<PathBuf>,
    /// Whether open and risky items stand in the way too.
    pub strict: bool,
    /// Checks that are left out, by id or code.
    pub skip: Vec<String>,
    /// How long it may all take; a day never more than its share.
    pub budget: Option<Duration>,
    /// Whether every item is listed, or only what is not passed.
    pub every: bool,
}

impl Grading {
    /// Starts the application, grades, and stops it; `each` is told of every day.
    pub async fn once(
        &self,
        context: &Context,
        provider: &Provider,
        lessons: &[Lesson],
        each: impl FnMut(&Graded),
    ) -> Result<Checked, Fault> {
        let mut application = self.application(context, provider).await?;
        let checked = self.with((context, provider), &mut application, lessons, each).await;
        application.close().await;
        checked
    }

    /// Starts the application, or finds it; one that does not answer at all cannot be graded.
    pub async fn application(
        &self,
        context: &Context,
        provider: &Provider,
    ) -> Result<Application, Fault> {
        let application = Application::open(context, provider, &self.candidate).await?;
        if application.track() == Track::App && !application.answers().await {
            return Err(port_probe::down(&application.url()).await);
        }
        Ok(application)
    }

    /// Grades an application that runs; `each` is told of every day.
    pub async fn with(
        &self,
        world: (&Context, &Provider),
        application: &mut Application,
        lessons: &[Lesson],
        mut each: impl FnMut(&Graded),
    ) -> Result<Checked, Fault> {
        let (context, _) = world;
        let began = context.clock.stopwatch();
        let seen = choose::progress(context)?.hints.into_iter();
        let hints: BTreeMap<String, u8> = seen.map(|hint| (hint.code, hint.tier)).collect();
        let mut options = RunOptions {
            from: Some(Beat::Check),
            project: self.project.clone(),
            candidate: self.candidate.clone(),
            manner: Manner::Quiet,
            ..RunOptions::default()
        };
        let mut days = Vec::new();
        let until = Instant::now() + self.budget.unwrap_or(BUDGET);
        let mut left = u32::try_from(lessons.len()).unwrap_or(u32::MAX);
        for lesson in lessons {
            // Where nobody has set a limit, a slow machine may take longer for one day than for another.
            let among = if self.budget.is_some() { left.max(1) } else { 1 };
            let share = until.saturating_duration_since(Instant::now()) / among;
            left = left.saturating_sub(1);
            options.until = Some(Instant::now() + share);
            let day = put_before(world, application, lesson, &options).await?;
            let fallen = |it: &&CheckResult| matches!(it.state, State::Fail | State::Blocked);
            options.fallen.extend(day.checks.iter().filter(fallen).map(|it| it.id.clone()));
            let mode = context.config.mode;
            let graded = Graded { day, hints: hints.clone(), mode, every: self.every };
            each(&graded);
            days.push(graded);
        }
        let took_ms = began.ms();
        Ok(Checked { days, strict: self.strict, took_ms })
    }
}
