//! Tries the course out on programs whose outcome is known: each solution must pass every lesson that it is about, each
//! starter must fail the one that it lacks and no day before it, each broken shop must be caught by the check that says
//! so. Optional lessons are tried on the languages that have them.

pub mod fixture_dirs;

use crate::app::context::{Context, NoticeSink};
use crate::app::course::application::{Application, Candidate};
use crate::app::course::{self, Manner, RunOptions};
use crate::app::provider::Provider;
use crate::app::trial::fixture_dirs::{FixtureDir, FixtureDirs};
use crate::content::{Lesson, mutant};
use crate::domain::course::manifest::Entry;
use crate::domain::course::matrix::Mutant;
use crate::domain::course::outcome::{DayResult, State};
use crate::domain::course::shops::Shop;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::report::Tried;
use crate::os::clock::Clock;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The language whose solution the broken shops are made of, and that solution as they start from it.
const BROKEN: &str = "python";
const HEALTHY: &str = "python/healthy.py";

/// Which programs are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Where packages are installed: `venv`, `node/node_modules`, `rust`.
    pub tools: PathBuf,
    /// Only programs whose name begins so: `python`, `mutant no_sig`.
    pub only: Option<String>,
    /// Whether broken shops and the starters of one language are graded by the lesson that they are about alone, and of
    /// a lesson without which the course is complete one broken shop; else all of every language, by every lesson.
    pub brief: bool,
    /// How many run side by side: a program waits for itself half of the time.
    pub jobs: usize,
}

/// The most that run side by side.
pub const JOBS_MAX: usize = 4;

/// What becomes of a program.
#[derive(Clone, Debug)]
enum Expected {
    /// Every day before the last is passed.
    Passes,
    /// So it is by what the broken shops are made of.
    Healthy,
    /// This day is not, and every day before it is.
    Fails(usize),
    /// A check notices it.
    Caught(Mutant),
}

/// One program.
#[derive(Clone, Debug)]
struct Trial {
    name: String,
    language: String,
    expected: Expected,
}

impl Trial {
    /// The lessons that are graded, by their place among all.
    fn days(&self, all: &[Entry], shop: &Shop, brief: bool) -> Vec<usize> {
        // A lesson that follows a README installs from registries: it is tried with stand-ins.
        let those = |wanted: &dyn Fn(usize, &Entry) -> bool| {
            let places = all.iter().enumerate().filter(|(at, it)| wanted(*at, it));
            places.map(|(at, _)| at).collect()
        };
        match &self.expected {
            Expected::Fails(day) if brief || all.get(*day).is_some_and(|it| it.optional) => {
                vec![*day]
            }
            Expected::Fails(day) => (0..=*day).collect(),
            Expected::Passes | Expected::Healthy => {
                those(&|_, it| it.tried && shop.lessons.contains_key(&it.id))
            }
            Expected::Caught(mutant) if brief => those(&|_, it| it.id == mutant.lesson),
            Expected::Caught(mutant) if mutant.days.is_empty() => {
                those(&|_, it| it.tried && !it.optional)
            }
            Expected::Caught(mutant) => those(&|_, it| mutant.days.contains(&it.order)),
        }
    }

    /// What is wrong with how it came out: the first check that it is about, and what.
    fn misjudged(&self, results: &[DayResult], lessons: &[Lesson]) -> Option<(String, String)> {
        let of = |day: usize| lessons.get(day).map(|lesson| lesson.day.lesson.id.as_str());
        let unexpected = |result: &&DayResult| match self.expected {
            Expected::Passes | Expected::Healthy => !result.is_passed(),
            Expected::Fails(day) => result.is_passed() == (of(day) == Some(result.id.as_str())),
            Expected::Caught(_) => false,
        };
        if let Expected::Caught(mutant) = &self.expected {
            let checks = results.iter().flat_map(|result| &result.checks);
            let states: BTreeMap<_, _> = checks.map(|it| (it.id.clone(), it.state)).collect();
            return mutant.misjudged(&states);
        }
        let wrong = results.iter().find(unexpected)?;
        let failed = failed(std::slice::from_ref(wrong));
        let first = failed.first().cloned().unwrap_or_default();
        Some(if wrong.is_passed() {
            (first, format!("{} = pass", wrong.id))
        } else {
            (first, format!("{}: {} = fail", wrong.id, failed.join(" ")))
        })
    }
}

/// Tries every program that is wished for.
pub async fn run(context: &Context, scope: &Scope) -> Result<Vec<Tried>, Fault> {
    let scratch = context.config.home.join("trial");
    let dirs = FixtureDirs::open(Path::new("lessons"), &scope.tools, &scratch)?;
    let shops = dirs.shops()?.0;
    let mut queue = VecDeque::new();
    for language in shops.keys() {
        let trial = |name: String, expected| Trial { name, language: language.clone(), expected };
        queue.push_back(trial(format!("{language} solution"), Expected::Passes));
        let begins = !scope.brief || language == BROKEN;
        for (day, id) in course::library().ids().iter().enumerate() {
            if begins && shops.get(language).is_some_and(|shop| shop.lessons.contains_key(id)) {
                queue.push_back(trial(format!("{language} starter {id}"), Expected::Fails(day)));
            }
        }
    }
    let (name, language) = ("mutant healthy".to_owned(), BROKEN.to_owned());
    queue.push_back(Trial { name, language, expected: Expected::Healthy });
    let all = course::library().manifest().map_err(|it| course::of_lesson(&it))?.lessons;
    let broken = mutant::all(&course::library()).map_err(|it| course::of_lesson(&it))?.mutants;
    // Who names programs means those.
    let is_sample = scope.brief && scope.only.is_none();
    for mutant in if is_sample { sample(broken, &all) } else { broken } {
        let name = format!("mutant {}", mutant.id);
        let expected = Expected::Caught(mutant);
        queue.push_back(Trial { name, language: BROKEN.to_owned(), expected });
    }
    if let Some(only) = &scope.only {
        queue.retain(|trial| trial.name.starts_with(only));
    }
    let lessons = lessons(context)?;
    let course = Course { context, dirs: &dirs, shops: &shops, lessons, all, brief: scope.brief };
    let done = Done::of(queue.len());
    let queue = Mutex::new(queue.into_iter().enumerate().collect());
    let worker = |number: usize| {
        let (course, done, queue) = (&course, &done, &queue);
        async move {
            while number < scope.jobs
                && let Some((place, trial)) = take(queue)
            {
                let began = Instant::now();
                let results = course.attempt(&trial).await?;
                let failed = failed(&results);
                let wrong =
                    trial.misjudged(&results, &course.lessons).map(|wrong| told(wrong, &results));
                let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                let tried = Tried { name: trial.name, took_ms, failed, wrong };
                for next in done.add(place, tried) {
                    context.notices.say(Notice::Tried(next));
                }
            }
            Ok::<(), Fault>(())
        }
    };
    tokio::try_join!(worker(0), worker(1), worker(2), worker(3))?;
    let mut tried = done.all();
    tried.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tried)
}

/// The broken shops of the lessons that everybody takes, and the first of each other lesson.
fn sample(broken: Vec<Mutant>, all: &[Entry]) -> Vec<Mutant> {
    let is_optional = |id: &str| all.iter().any(|it| it.id == id && it.optional);
    let mut seen = BTreeSet::new();
    let mut sample = broken;
    sample.retain(|it| seen.insert(it.lesson.clone()) || !is_optional(&it.lesson));
    sample
}

/// What came of the programs, each in its place, and how many of them were said: in order, whoever ended first.
struct Done(Mutex<(Vec<Option<Tried>>, usize)>);

impl Done {
    fn of(count: usize) -> Self {
        Self(Mutex::new((vec![None; count], 0)))
    }

    /// Keeps what came of one; those that can be said by now.
    fn add(&self, place: usize, tried: Tried) -> Vec<Tried> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, said) = &mut *held;
        if let Some(slot) = all.get_mut(place) {
            *slot = Some(tried);
        }
        let next: Vec<Tried> = all.iter().skip(*said).map_while(Clone::clone).collect();
        *said += next.len();
        next
    }

    fn all(self) -> Vec<Tried> {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .into_iter()
            .flatten()
            .collect()
    }
}

/// What is wrong, with what was found by the check that it is about.
fn told((check, wrong): (String, String), results: &[DayResult]) -> String {
    let mut checks = results.iter().flat_map(|result| &result.checks);
    match checks.find(|it| it.id == check).and_then(|check| check.failure.as_ref()) {
        Some(failure) => format!("{wrong}\n    {} ≠ {}", failure.got, failure.expected),
        None => wrong,
    }
}

/// The checks that did not hold.
fn failed(results: &[DayResult]) -> Vec<String> {
    let checks = results.iter().flat_map(|result| &result.checks);
    let failed = checks.filter(|it| it.state == State::Fail);
    failed.map(|it| it.id.clone()).collect()
}

fn take(queue: &Mutex<VecDeque<(usize, Trial)>>) -> Option<(usize, Trial)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn lessons(context: &Context) -> Result<Vec<Lesson>, Fault> {
    course::library().ids().iter().map(|id| course::lesson(context, id)).collect()
}

/// The course, and what it is tried out on.
struct Course<'c> {
    context: &'c Context,
    dirs: &'c FixtureDirs,
    shops: &'c BTreeMap<String, Shop>,
    lessons: Vec<Lesson>,
    /// What the manifest says of each lesson.
    all: Vec<Entry>,
    brief: bool,
}

impl Course<'_> {
    /// Starts a program and grades its days; a shop that lacks its first day need not even open.
    async fn attempt(&self, trial: &Trial) -> Result<Vec<DayResult>, Fault> {
        let lacking = || FaultKind::Bug { what: format!("no shop in {}", trial.language) };
        let shop = self.shops.get(&trial.language).ok_or_else(lacking)?;
        let begun = match trial.expected {
            Expected::Fails(day) => Some(day),
            Expected::Passes | Expected::Healthy | Expected::Caught(_) => None,
        };
        let solved = begun.map(|day| self.solved(day));
        let dir = self.dirs.lay_out(&trial.language, shop, solved.as_deref())?;
        self.dirs.build(shop, &dir).await?;
        let start = match &trial.expected {
            Expected::Healthy => self.other(shop, &self.dirs.track().join(HEALTHY)),
            Expected::Caught(mutant) => self.other(shop, &self.dirs.mutant(mutant)),
            Expected::Passes | Expected::Fails(_) => shop.command().to_owned(),
        };
        let command = format!("cd {} && exec {start}", quoted(&dir.shop));
        match self.grade(&dir, command, &trial.days(&self.all, shop, self.brief)).await {
            Err(fault) if begun == Some(0) && matches!(*fault.kind, FaultKind::Program { .. }) => {
                Ok(Vec::new())
            }
            graded => graded,
        }
    }

    /// The lessons that a learner has solved who begins one: those before it; of an optional one all others.
    fn solved(&self, begun: usize) -> Vec<&str> {
        let is_optional = self.all.get(begun).is_some_and(|it| it.optional);
        let before = |at: usize| if is_optional { at != begun } else { at < begun };
        let others = self.all.iter().enumerate().filter(|(at, _)| before(*at));
        others.map(|(_, it)| it.id.as_str()).collect()
    }

    /// The command that starts another program of its language in the place of a shop.
    fn other(&self, shop: &Shop, file: &Path) -> String {
        let other = shop.trial.other.as_deref().unwrap_or_default();
        other.replace("{file}", &quoted(file)).replace("{track}", &quoted(&self.dirs.track()))
    }

    /// Grades days of a program that is started with a world of its own.
    async fn grade(
        &self,
        dir: &FixtureDir,
        command: String,
        days: &[usize],
    ) -> Result<Vec<DayResult>, Fault> {
        let context = self.apart(&dir.home);
        let options = RunOptions {
            project: Some(dir.shop.clone()),
            candidate: Candidate { command: Some(command), ..Candidate::default() },
            manner: Manner::Quiet,
            ..RunOptions::default()
        };
        let provider = Provider::connect(&context).await?;
        let graded = self.days((&context, &provider), &options, days).await;
        provider.close().await;
        graded
    }

    async fn days(
        &self,
        (context, provider): (&Context, &Provider),
        options: &RunOptions,
        days: &[usize],
    ) -> Result<Vec<DayResult>, Fault> {
        let mut application = Application::open(context, provider, &options.candidate).await?;
        let mut results = Vec::new();
        let mut broken = None;
        for lesson in days.iter().filter_map(|day| self.lessons.get(*day)) {
            match course::put_before((context, provider), &mut application, lesson, options).await {
                Ok(result) => results.push(result),
                Err(fault) => {
                    broken = Some(fault);
                    break;
                }
            }
        }
        application.close().await;
        broken.map_or(Ok(results), Err)
    }

    /// The same context with a home, a clock and a sandbox of its own, and nobody who listens.
    fn apart(&self, home: &Path) -> Context {
        let mut config = (*self.context.config).clone();
        home.clone_into(&mut config.home);
        config.mode = Mode::Sandbox;
        config.api_base = None;
        config.key = None;
        config.webhook_secrets = Vec::new();
        config.sandbox_port = 0;
        config.port = 0;
        // A day moves its clock; the others' must stand.
        let clock = config.now.map_or_else(Clock::system, Clock::fixed);
        let notices = NoticeSink::silent();
        Context { config: Arc::new(config), clock, notices, ..self.context.clone() }
    }
}

/// A path as `sh` takes it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_said_in_their_order_whoever_ends_first() {
        let done = Done::of(4);
        let add = |place: usize| {
            let name = place.to_string();
            let said = done.add(place, Tried { name, took_ms: 1, failed: Vec::new(), wrong: None });
            said.into_iter().map(|it| it.name).collect::<Vec<_>>().concat()
        };
        assert_eq!([2, 0, 3, 1].map(add), ["", "0", "", "123"]);
        assert_eq!(done.all().len(), 4);
    }

    #[test]
    fn a_sample_has_all_of_the_week_and_one_of_each_other_lesson() {
        let all = course::library().manifest().unwrap().lessons;
        let broken = mutant::all(&course::library()).unwrap().mutants;
        let of = |id: &str, those: &[Mutant]| those.iter().filter(|it| it.lesson == id).count();
        let sampled = sample(broken.clone(), &all);
        for lesson in &all {
            let (before, after) = (of(&lesson.id, &broken), of(&lesson.id, &sampled));
            let expected = if lesson.optional { before.min(1) } else { before };
            assert_eq!(after, expected, "{}", lesson.id);
        }
        assert!(sampled.len() < broken.len());
    }
}
