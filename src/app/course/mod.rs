//! Runs a day of the course: read, do, look, check, gate.

pub mod act_error;
pub mod app_env;
pub mod application;
pub mod ask;
pub mod books;
pub mod choose;
pub mod claim_eval;
pub mod course_lock;
mod creem_line;
pub mod env_file;
pub mod evidence;
pub mod exchanges;
pub mod explain;
pub mod fault_proxy;
pub mod grade;
pub mod grading;
pub mod joint_claims;
pub mod lesson_delivery;
pub mod lesson_run;
pub mod link_finder;
pub mod log;
pub mod look;
pub mod outage;
pub mod patience;
pub mod perform;
pub mod port_probe;
pub mod program;
pub mod progress_report;
pub mod project;
pub mod project_files;
pub mod quiz;
pub mod quiz_run;
pub mod readme_run;
pub mod record;
pub mod secret_scan;
pub mod seed_price;
pub mod signature_probe;
pub mod talk;
pub mod upset;
pub mod variables;
pub mod watch;
pub mod watched_files;
pub mod watcher;

use crate::app::context::Context;
use crate::app::course::application::{Application, Candidate};
use crate::app::course::ask::Asker;
use crate::app::course::grade::Grader;
use crate::app::course::lesson_run::LessonRun;
use crate::app::provider::Provider;
use crate::content::embedded;
use crate::content::prose::{section, sections};
use crate::content::{Lesson, Library};
use crate::domain::course::manifest::Ability;
use crate::domain::course::outcome::DayResult;
use crate::domain::course::{ANCHORS, Track, rules};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::{Notice, Opening};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The lines that the read beat shows of a day.
const LINES_MAX: usize = 20;

/// The parts of a day, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beat {
    /// What the day is about.
    Read,
    /// Its tasks, done.
    Do,
    /// What came of them.
    Look,
    /// Its checklist.
    Check,
    /// What unlocked.
    Gate,
}

impl Beat {
    /// Every beat, in order.
    pub const ALL: [Self; 5] = [Self::Read, Self::Do, Self::Look, Self::Check, Self::Gate];

    /// The word that the command line uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Do => "do",
            Self::Look => "look",
            Self::Check => "check",
            Self::Gate => "gate",
        }
    }

    /// Reads such a word.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "see" => Some(Self::Look),
            // What the checks came to, and what that opens.
            "prove" => Some(Self::Gate),
            _ => Self::ALL.into_iter().find(|beat| beat.name() == text),
        }
    }
}

/// How a day speaks with whoever watches. Who says nothing asks nothing: a question that is not seen waits for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Says nothing on the way: the report has it all.
    Quiet,
    /// Says what it does.
    #[default]
    Telling,
    /// Says what it does, and asks a person.
    Asking(Asker),
}

/// How a day is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Only this beat.
    pub only: Option<Beat>,
    /// From this beat on.
    pub from: Option<Beat>,
    /// Whether all of the prose is shown.
    pub full: bool,
    /// Checks that a person attests with this run.
    pub attest: Vec<String>,
    /// The folder of the project's documents.
    pub project: Option<PathBuf>,
    /// Which application is graded.
    pub candidate: Candidate,
    /// Whether only what the application needs in its environment is printed.
    pub print_env: bool,
    /// Whether lessons that did not come with the program may run commands.
    pub allow_exec: bool,
    /// How it speaks on the way.
    pub manner: Manner,
    /// Answers that were given along: name of the question, answer.
    pub answers: Vec<(String, String)>,
    /// Checks of earlier days of the same run that do not hold.
    pub fallen: Vec<String>,
    /// When the day's time is over.
    pub until: Option<Instant>,
}

impl RunOptions {
    /// Whether a beat is wanted. The gate needs the checks, so that it is never without them.
    pub fn wants(&self, beat: Beat) -> bool {
        match (self.only, self.from) {
            (Some(Beat::Gate), _) => matches!(beat, Beat::Check | Beat::Gate),
            (Some(only), _) => only == beat,
            (None, Some(Beat::Gate)) => matches!(beat, Beat::Check | Beat::Gate),
            (None, Some(from)) => beat >= from,
            (None, None) => true,
        }
    }

    /// The learner's own project: the folder that was named, or for an own server the working folder where it
    /// looks like one. The built-in shop has none.
    pub fn own_project(&self) -> Option<PathBuf> {
        let here = || {
            let own = self.candidate.track() != Track::Shop;
            let folder = own.then(|| std::env::current_dir().ok()).flatten()?;
            project_files::looks_like_project(&folder).then_some(folder)
        };
        self.project.clone().or_else(here)
    }

    /// Whether anything wanted needs the provider.
    pub fn needs_stage(&self) -> bool {
        [Beat::Do, Beat::Look, Beat::Check, Beat::Gate].into_iter().any(|beat| self.wants(beat))
    }
}

/// The lessons: the embedded ones, overridden by `lessons/` in the working folder.
pub fn library() -> Library {
    let folder = Path::new("lessons");
    Library::new(folder.is_dir().then(|| folder.to_owned()))
}

/// A broken lesson, as a person meets it.
pub fn of_lesson(problem: &rules::LessonError) -> Fault {
    let rules::LessonError { file, key, what } = problem;
    FaultKind::Lesson { file: file.clone(), key: key.clone(), what: what.clone() }.into()
}

/// The lesson of a day in the language of the run; one that does not keep to the format is refused.
pub fn lesson(context: &Context, id: &str) -> Result<Lesson, Fault> {
    let library = library();
    let lesson = library.lesson(id, context.config.locale).map_err(|it| of_lesson(&it))?;
    let file = format!("{id}/lesson.toml");
    match rules::problems(&lesson.day, &file).first() {
        None => Ok(lesson),
        Some(problem) => Err(of_lesson(problem)),
    }
}

/// Says what the day is about.
pub fn open(context: &Context, lesson: &Lesson, options: &RunOptions) {
    let (texts, prose) = (&lesson.texts, &lesson.prose);
    let lines: Vec<String> = if options.full {
        let parts = sections(prose).into_iter();
        parts.map(|part| format!("## {}\n\n{}\n", part.heading, part.body)).collect()
    } else {
        let goal = ANCHORS.first().and_then(|anchor| section(prose, anchor));
        let lines = goal.map_or("", |part| part.body).lines();
        lines.take(LINES_MAX).map(str::to_owned).collect()
    };
    context.notices.say(Notice::Lesson(Opening {
        id: lesson.day.lesson.id.clone(),
        title: texts.title.clone(),
        goal: texts.goal.clone(),
        minutes: lesson.day.lesson.est_minutes,
        prose: lines.join("\n"),
        full: options.full,
    }));
}

/// Plays the wanted beats of a day that need the provider, with the application that is wished for.
pub async fn play(
    context: &Context,
    provider: &Provider,
    lesson: &Lesson,
    options: &RunOptions,
) -> Result<DayResult, Fault> {
    let mut application = Application::open(context, provider, &options.candidate).await?;
    let played = if application.routes_to_come().pages || !about_pages(lesson) {
        put_before((context, provider), &mut application, lesson, options).await
    } else {
        let (day, url) = (lesson.day.lesson.id.clone(), application.url());
        Err(FaultKind::NoPages { day, url }.into())
    };
    application.close().await;
    played
}

/// Whether a day is about the application's pages from end to end.
fn about_pages(lesson: &Lesson) -> bool {
    let all = library().manifest().unwrap_or_default();
    all.find(&lesson.day.lesson.id).is_some_and(|it| it.grades.contains(&Ability::Pages))
}

/// Plays the wanted beats of a day with an application that runs already, and leaves it running.
pub async fn put_before(
    (context, provider): (&Context, &Provider),
    application: &mut Application,
    lesson: &Lesson,
    options: &RunOptions,
) -> Result<DayResult, Fault> {
    let began = context.clock.stopwatch();
    let attested = record::attested(context, &lesson.day, &options.attest)?;
    let mut run = LessonRun::open(context, provider, application).await?;
    if let Some(project) = options.own_project() {
        run.lead_project(&project);
    }
    run.consent(options.allow_exec || !is_foreign(&lesson.day.lesson.id));
    run.about_pages = about_pages(lesson);
    run.keep_time(options.until);
    if !run.routes().pages {
        context.notices.say(Notice::WebhookOnly { url: run.app().1 });
    }
    let played = on_stage(&mut run, lesson, options, attested).await;
    run.close().await;
    let mut result = played?;
    result.took_ms = began.ms();
    record::note(context, &result)?;
    Ok(result)
}

/// Grades the checklist of a day on an application that runs already, and notes nothing of it.
pub async fn grade_apart(
    context: &Context,
    provider: &Provider,
    application: &mut Application,
    lesson: &Lesson,
) -> Result<DayResult, Fault> {
    let options =
        RunOptions { only: Some(Beat::Check), manner: Manner::Quiet, ..RunOptions::default() };
    let mut run = LessonRun::open(context, provider, application).await?;
    let played = on_stage(&mut run, lesson, &options, Vec::new()).await;
    run.close().await;
    played
}

/// The lesson that comes after another, where one does.
pub fn next(id: &str) -> Option<String> {
    Some(library().manifest().ok()?.after(id)?.id.clone())
}

/// Whether a lesson is not the one that the program came with: what it runs needs to be allowed.
fn is_foreign(id: &str) -> bool {
    let library = library();
    ["lesson.toml", "en.toml", "ja.toml"].iter().any(|name| {
        let name = format!("{id}/{name}");
        library.file(&name).ok().as_deref() != embedded::file(&name)
    })
}

async fn on_stage(
    run: &mut LessonRun<'_>,
    lesson: &Lesson,
    options: &RunOptions,
    attested: Vec<String>,
) -> Result<DayResult, Fault> {
    let track = run.track();
    let mut result = DayResult {
        id: lesson.day.lesson.id.clone(),
        title: lesson.texts.title.clone(),
        next: next(&lesson.day.lesson.id),
        version: lesson.day.lesson.version,
        api_version: lesson.day.lesson.api_version.clone(),
        track: track.name(),
        checks: Vec::new(),
        notes: Vec::new(),
        gates: Vec::new(),
        cut: !options.wants(Beat::Check),
        took_ms: 0,
    };
    let mut grader = Grader::new(run, lesson, track).speaking(options, attested);
    if options.wants(Beat::Do) {
        grader.steps().await?;
    }
    if options.wants(Beat::Look) {
        grader.look().await?;
    }
    if options.wants(Beat::Check) {
        result.checks = grader.checks().await?;
        result.notes = grader.notes(&result.checks).await?;
    }
    if options.wants(Beat::Gate) {
        result.gates = grader.gates(&result.checks, &result.notes).await?;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_chosen_by_name_and_by_beginning() {
        let all = RunOptions::default();
        assert!(Beat::ALL.into_iter().all(|beat| all.wants(beat)));
        let only = RunOptions { only: Beat::read("gate"), ..RunOptions::default() };
        let wanted: Vec<_> = Beat::ALL.into_iter().filter(|beat| only.wants(*beat)).collect();
        assert_eq!(wanted, [Beat::Check, Beat::Gate]);
        let from = RunOptions { from: Beat::read("look"), ..RunOptions::default() };
        assert!(!from.wants(Beat::Do) && from.wants(Beat::Look) && from.wants(Beat::Gate));
        assert!(!RunOptions { only: Some(Beat::Read), ..RunOptions::default() }.needs_stage());
    }
}
