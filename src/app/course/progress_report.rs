//! Puts a report together from the progress file and the lessons. Nothing of it depends on when it is made.

use crate::app::context::Context;
use crate::app::course::{choose, library, of_lesson};
use crate::content::Lesson;
use crate::domain::course::evidence::Evidence;
use crate::domain::course::outcome::State;
use crate::domain::course::progress::{Attempt, Snapshot};
use crate::domain::course::progress_report::{
    DayLine, FORMAT, Head, ProgressReport, Row, Shown, VERSION, rfc3339,
};
use crate::domain::course::{Check, Level};
use crate::domain::fault::Fault;

/// The report of what the progress file holds now.
pub fn build(context: &Context) -> Result<ProgressReport, Fault> {
    let progress = choose::progress(context)?;
    let locale = context.config.locale;
    let (mut days, mut rows) = (Vec::new(), Vec::new());
    let mut api_version = String::new();
    let wanted = library().required();
    for id in library().ids() {
        let lesson = library().lesson(&id, locale).map_err(|it| of_lesson(&it))?;
        api_version.clone_from(&lesson.day.lesson.api_version);
        let seen = progress.solutions.iter().find(|seen| seen.day == id);
        let shown = |seen: &crate::domain::course::progress::SolutionSeen| Shown {
            at: rfc3339(seen.at),
            gave_up: seen.gave_up,
        };
        let title = lesson.texts.title.clone();
        let version = lesson.day.lesson.version;
        let own = |it: &&Check| progress.is_proved(&it.id, version);
        let required = lesson.day.checks.iter().filter(|it| it.level == Level::Required);
        let (shown_steps, done) = progress.gone(&id);
        let gone = [shown_steps, done, required.filter(own).count()];
        let gone = (gone != [0; 3]).then_some(gone);
        // A lesson that is chosen and was not begun is nothing that is lacking.
        let begun = |it: &Check| progress.checks.iter().any(|mark| mark.id == it.id);
        if !wanted.contains(&id) && gone.is_none() && !lesson.day.checks.iter().any(begun) {
            continue;
        }
        days.push(DayLine { id, title, solution: seen.map(shown), gone });
        rows.extend(lesson.day.checks.iter().map(|check| row(check, &lesson, &progress)));
    }
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        api_version,
        language: locale.code().to_owned(),
    };
    let manifest = library().manifest().map_err(|it| of_lesson(&it))?;
    let demo = manifest.lessons.into_iter().find_map(|it| it.demo);
    Ok(ProgressReport { demo, ..ProgressReport::seal(head, days, rows) })
}

fn row(check: &Check, lesson: &Lesson, progress: &Snapshot) -> Row {
    let version = lesson.day.lesson.version;
    let mark = progress.checks.iter().find(|it| it.id == check.id && it.version == version);
    let of = |it: &&Attempt| it.id == check.id && it.version == version;
    let runs: Vec<&Attempt> = progress.attempts.iter().filter(of).collect();
    let failed = runs.iter().filter(|run| matches!(run.state, State::Fail | State::Blocked));
    let good = runs.iter().rev().find(|run| run.state.is_well());
    let basis = good.or(runs.last());
    let evidence = basis.and_then(|run| serde_json::from_str::<Evidence>(&run.evidence).ok());
    let text = lesson.texts.checks.get(&check.id);
    let hint = progress.hints.iter().find(|hint| hint.code == check.code);
    let word = progress.attested.iter().find(|word| word.id == check.id);
    Row {
        id: check.id.clone(),
        day: lesson.day.lesson.id.clone(),
        title: text.map_or_else(String::new, |text| text.title.clone()),
        required: check.level == Level::Required,
        lesson_version: version,
        state: mark.map(|mark| mark.state),
        track: basis.map(|run| run.track.clone()),
        first_passed: mark.and_then(|mark| mark.passed).map(rfc3339),
        attested: word.map(|word| rfc3339(word.at)),
        attempts: mark.map_or(0, |mark| mark.attempts),
        failed: u32::try_from(failed.count()).unwrap_or(u32::MAX),
        hints: hint.map_or(0, |hint| hint.tier),
        evidence: evidence.unwrap_or_default(),
        evidence_sha256: String::new(),
        findings_sha256: basis.map_or_else(String::new, |run| run.findings.clone()),
        seal: String::new(),
    }
}
