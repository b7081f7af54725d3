//! Goes through the checks, notes and gates of a day. Steps are done once, when something first needs them.

use crate::app::course::act_error::ActError;
use crate::app::course::claim_eval::judge;
use crate::app::course::evidence;
use crate::app::course::lesson_run::LessonRun;
use crate::app::course::look::look;
use crate::app::course::perform::perform;
use crate::app::course::{Manner, RunOptions};
use crate::content::Lesson;
use crate::content::text::{CheckText, Texts};
use crate::domain::course::act::Act;
use crate::domain::course::claim::Claim;
use crate::domain::course::evidence::Evidence;
use crate::domain::course::outcome::{CheckResult, Finding, ItemResult, State};
use crate::domain::course::routes::{documents, members};
use crate::domain::course::statement::Statement;
use crate::domain::course::{Check, Day, Gate, Kind, Level, Note, Track};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a note's probe may take.
const NOTE_MS: u64 = 20_000;

/// Whether all that an item claims was left out: it holds nothing then, and must not pass for it.
fn all_left_out(findings: &[Finding]) -> bool {
    !findings.is_empty() && findings.iter().all(|finding| finding.left_out)
}

/// The grading of one day.
pub struct Grader<'g, 'c> {
    pub(super) run: &'g mut LessonRun<'c>,
    pub(super) lesson: &'g Lesson,
    pub(super) track: Track,
    /// How it speaks, and who is asked.
    pub(super) manner: Manner,
    /// Answers that were given along: name of the question, answer.
    pub(super) answers: Vec<(String, String)>,
    /// What persons have said or shown to know, by the item's id.
    pub(super) attested: Vec<String>,
    /// What became of each step: the shortfall, where there was one.
    done: BTreeMap<String, Option<Finding>>,
    /// Checks of earlier days of the same run that do not hold.
    fallen: Vec<String>,
    /// When the day's time is over.
    until: Option<Instant>,
}

impl<'g, 'c> Grader<'g, 'c> {
    /// A grading that has done nothing yet.
    pub const fn new(run: &'g mut LessonRun<'c>, lesson: &'g Lesson, track: Track) -> Self {
        Self {
            run,
            lesson,
            track,
            manner: Manner::Telling,
            answers: Vec::new(),
            attested: Vec::new(),
            done: BTreeMap::new(),
            fallen: Vec::new(),
            until: None,
        }
    }

    /// The same grading, that knows what was attested and speaks and asks as the options says.
    #[must_use]
    pub fn speaking(mut self, options: &RunOptions, attested: Vec<String>) -> Self {
        self.manner.clone_from(&options.manner);
        self.answers.clone_from(&options.answers);
        self.fallen.clone_from(&options.fallen);
        self.until = options.until;
        self.attested = attested;
        self
    }

    pub(super) fn say(&self, notice: Notice) {
        if self.manner != Manner::Quiet {
            self.run.context.notices.say(notice);
        }
    }

    pub(super) fn day(&self) -> &'g Day {
        &self.lesson.day
    }

    /// Does every step of the day, in order, and says each.
    pub async fn steps(&mut self) -> Result<(), Fault> {
        for step in &self.day().steps {
            self.step(&step.id).await?;
        }
        Ok(())
    }

    /// Says what came of the run so far.
    pub async fn look(&mut self) -> Result<(), Fault> {
        let seen = look(self.run, self.lesson).await?;
        self.run.context.notices.say(Notice::Look(seen));
        Ok(())
    }

    /// Does a step and those that it needs, unless they were done; the shortfall, where there was one.
    async fn step(&mut self, name: &str) -> Result<Option<Finding>, Fault> {
        if let Some(done) = self.done.get(name) {
            return Ok(done.clone());
        }
        let Some(step) = self.day().step(name) else { return Ok(None) };
        let mut short = None;
        for before in &step.needs {
            short = short.or(Box::pin(self.step(before)).await?);
        }
        if short.is_none() {
            short = self.acts(&step.act).await?;
        }
        let what = self.lesson.texts.steps.get(name).cloned().unwrap_or_default();
        self.say(Notice::LessonStep {
            name: name.to_owned(),
            what,
            by_hand: step.by_hand.clone(),
            short: short.as_ref().map(Finding::instead),
        });
        self.done.insert(name.to_owned(), short.clone());
        Ok(short)
    }

    async fn acts(&mut self, acts: &[Act]) -> Result<Option<Finding>, Fault> {
        for act in acts {
            if self.run.context.stop.is_stopped() {
                return Err(FaultKind::Interrupted.into());
            }
            match perform(self.run, act).await {
                Ok(()) => {}
                Err(ActError::Mismatch { expected, got }) => {
                    let expected = Statement::Doing(act.word.clone(), expected);
                    return Ok(Some(Finding::new(false, expected, self.told(*got))));
                }
                Err(ActError::Surroundings(fault)) => return Err(fault),
            }
        }
        Ok(None)
    }

    /// What was found; where the application has ended meanwhile, with how it did.
    fn told(&self, got: Statement) -> Statement {
        match self.run.over() {
            Some(over) if !got.to_string().contains(&over) => got.and(over),
            _ => got,
        }
    }

    /// Does what an item arranges and does itself, then judges its claims up to the first that does not hold.
    async fn findings(
        &mut self,
        arrange: &[String],
        acts: &[Act],
        claims: &[Claim],
    ) -> Result<Vec<Finding>, Fault> {
        for name in arrange {
            if let Some(short) = self.step(name).await? {
                return Ok(vec![short]);
            }
        }
        let routes = self.run.routes();
        let kept: Vec<Act> = acts.iter().filter(|act| !routes.leaves_out(act)).cloned().collect();
        if let Some(short) = self.acts(&kept).await? {
            return Ok(vec![short]);
        }
        let mut findings = Vec::new();
        // The log of an application that is known by its address alone cannot be seen.
        let nothing = |name: &str| self.run.vars.peek(name).is_some_and(Value::is_null);
        let seen = |claim: &&Claim| {
            let hidden = self.track == Track::App && claim.needs_log();
            let about_nothing = members(claim).into_iter().any(nothing);
            !hidden && !about_nothing && !routes.leaves_out_claim(acts, claim)
        };
        for claim in claims.iter().filter(seen) {
            if let Some(left_out) = self.left_out(claim) {
                findings.push(left_out);
                continue;
            }
            let mut finding = judge(self.run, claim).await?;
            let holds = finding.holds;
            if !holds {
                finding.got = self.told(finding.got);
            }
            findings.push(finding);
            if !holds {
                break;
            }
        }
        Ok(findings)
    }

    /// A claim about files that has none to look at is left out, and says what it would need.
    fn left_out(&self, claim: &Claim) -> Option<Finding> {
        let rule = claim.rules().into_iter().find_map(|rule| {
            let why = self.run.look_by(rule).err()?;
            Some((rule, why))
        });
        let (rule, why) = rule?;
        let expected = format!("skip lint {}", rule.name());
        Some(Finding { left_out: true, ..Finding::new(true, expected, why) })
    }

    /// Whether an item is about documents where a server was brought without its project: those of the built-in shop
    /// would say nothing of it.
    fn lacks_project(&self, arrange: &[String], acts: &[Act]) -> bool {
        let brought = self.track != Track::Shop && self.run.own_project().is_none();
        brought && documents(self.day(), arrange, acts)
    }

    /// Runs every check; then asks for the word of a person where one is there and something wants it.
    pub async fn checks(&mut self) -> Result<Vec<CheckResult>, Fault> {
        let mut results: Vec<CheckResult> = Vec::new();
        for check in &self.day().checks {
            let result = match self.root(check, &results) {
                None => self.check(check).await?,
                Some(root) => CheckResult {
                    failure: Some(self.failure(check, None, Some(root.clone()))),
                    root: Some(root),
                    ..self.result(check, State::Blocked, Vec::new(), 0)
                },
            };
            self.say(Notice::Checked(Box::new(result.clone())));
            results.push(result);
        }
        self.ask_for_words(&mut results).await?;
        Ok(results)
    }

    /// The check that a check cannot be run for, because it failed itself: one that it needs, or the one during
    /// which the time of the day was over.
    fn root(&self, check: &Check, results: &[CheckResult]) -> Option<String> {
        let ran = |id: &String| results.iter().find(|it| it.id == *id);
        let lacking = check.needs.iter().find_map(|id| match ran(id) {
            Some(it) if stands(it.state) => None,
            Some(it) => Some(it.root.clone().unwrap_or_else(|| id.clone())),
            None => self.fallen.contains(id).then(|| id.clone()),
        });
        let late = || {
            let failed = results.iter().rev().find(|it| it.state == State::Fail);
            failed.filter(|_| self.is_late()).map(|it| it.id.clone())
        };
        lacking.or_else(late)
    }

    /// Whether the time of the day is over.
    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// How long something may take that may take `limit`, so that the day keeps its time.
    pub(super) fn within(&self, limit: Duration) -> Duration {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        left.map_or(limit, |left| left.min(limit))
    }

    /// What an item's findings are, unless they take longer than it is given.
    async fn findings_in_time(
        &mut self,
        (arrange, acts, claims): (&[String], &[Act], &[Claim]),
        limit_ms: u64,
    ) -> Result<Vec<Finding>, Fault> {
        let limit = self.within(Duration::from_millis(limit_ms));
        let findings = self.findings(arrange, acts, claims);
        if let Ok(found) = tokio::time::timeout(limit, findings).await {
            self.run.use_own_key().await?;
            return found;
        }
        // What was cut off may have left a fault behind.
        self.run.settle().await?;
        let ms = limit.as_millis();
        let late = Finding::new(false, Statement::Within(ms), Statement::Longer(ms));
        Ok(vec![late.of(self.run.exchanges.last(0, |it| it.status.is_none()))])
    }

    async fn check(&mut self, check: &Check) -> Result<CheckResult, Fault> {
        let attested = self.attested.contains(&check.id);
        if !check.tracks.contains(&self.track) {
            return Ok(self.result(check, State::Skip, Vec::new(), 0));
        }
        if self.run.routes().lacks(self.day(), &check.arrange, &check.act, &check.assert) {
            return Ok(self.result(check, State::Skip, vec![no_pages()], 0));
        }
        if self.lacks_project(&check.arrange, &check.act) {
            return Ok(self.result(check, State::Skip, vec![no_project()], 0));
        }
        let began = self.run.context.clock.stopwatch();
        drop(self.run.vars.take_used());
        let first = self.run.exchanges.len();
        let asked = (&*check.arrange, &*check.act, &*check.assert);
        let findings = self.findings_in_time(asked, check.timeout_ms).await?;
        let took_ms = began.ms();
        let wrong = findings.iter().find(|finding| !finding.holds).cloned();
        let state = match (&wrong, check.kind) {
            (Some(_), _) => State::Fail,
            (None, _) if all_left_out(&findings) => State::Skip,
            // Nothing of it could be looked at.
            (None, _) if findings.is_empty() && !check.assert.is_empty() => State::Skip,
            (None, Kind::Partial) if !attested => State::Partial,
            (None, Kind::Human) if !attested => State::Attest,
            (None, _) => State::Pass,
        };
        let mut result = self.result(check, state, findings, took_ms);
        result.evidence = evidence::gather(self.run).await;
        if let Some(wrong) = wrong {
            self.explain(check, &mut result, wrong, first).await?;
        }
        self.examine(check, &mut result).await?;
        Ok(result)
    }

    fn result(
        &self,
        check: &Check,
        state: State,
        findings: Vec<Finding>,
        took_ms: u64,
    ) -> CheckResult {
        CheckResult {
            id: check.id.clone(),
            code: check.code.clone(),
            title: text(&self.lesson.texts, check).map_or_else(String::new, |it| it.title.clone()),
            kind: check.kind,
            level: check.level,
            severity: check.severity,
            state,
            findings,
            failure: None,
            root: None,
            evidence: Evidence::default(),
            took_ms,
        }
    }

    /// Runs the probes of the notes. They warn and never block.
    pub async fn notes(&mut self, checks: &[CheckResult]) -> Result<Vec<ItemResult>, Fault> {
        let mut results = Vec::new();
        for note in &self.day().notes {
            let (state, because) = self.note(note, checks).await?;
            let title = self.lesson.texts.notes.get(&note.id).cloned().unwrap_or_default();
            results.push(ItemResult { id: note.id.clone(), title, state, because });
        }
        Ok(results)
    }

    async fn note(
        &mut self,
        note: &Note,
        checks: &[CheckResult],
    ) -> Result<(State, Vec<Statement>), Fault> {
        if note.advice {
            return Ok((State::Attest, Vec::new()));
        }
        if !note.tracks.contains(&self.track) || self.is_late() {
            return Ok((State::Skip, Vec::new()));
        }
        if self.run.routes().lacks(self.day(), &note.arrange, &note.act, &note.assert) {
            return Ok((State::Skip, vec![no_pages().got]));
        }
        if self.lacks_project(&note.arrange, &note.act) {
            return Ok((State::Skip, vec![no_project().got]));
        }
        if !note.by.is_empty() {
            // What stands for it on another day is graded on that day.
            let own = |id: &&String| {
                checks.iter().any(|check| check.id == **id && check.state != State::Skip)
            };
            let open =
                |id: &&String| checks.iter().any(|check| check.id == **id && !stands(check.state));
            let open: Vec<Statement> = note.by.iter().filter(open).map(Statement::from).collect();
            let state = match (open.is_empty(), note.by.iter().any(|id| own(&id))) {
                (false, _) => State::Fail,
                (true, true) => State::Pass,
                (true, false) => State::Skip,
            };
            return Ok((state, open));
        }
        let asked = (&*note.arrange, &*note.act, &*note.assert);
        let findings = self.findings_in_time(asked, NOTE_MS).await?;
        let wrong = findings.iter().find(|finding| !finding.holds);
        if all_left_out(&findings) {
            let mut why: Vec<Statement> = findings.into_iter().map(|finding| finding.got).collect();
            why.dedup();
            return Ok((State::Skip, why));
        }
        Ok(match wrong {
            Some(wrong) => (State::Fail, vec![wrong.instead()]),
            None if findings.is_empty() && !note.assert.is_empty() => (State::Skip, Vec::new()),
            None => (State::Pass, Vec::new()),
        })
    }

    /// What unlocked.
    pub async fn gates(
        &mut self,
        checks: &[CheckResult],
        notes: &[ItemResult],
    ) -> Result<Vec<ItemResult>, Fault> {
        let mut results = Vec::new();
        for gate in &self.day().gates {
            let mut because = closed(gate, checks, notes);
            if because.is_empty() {
                let findings = self.findings_in_time((&[], &[], &gate.assert), NOTE_MS).await?;
                let wrong = findings.into_iter().filter(|finding| !finding.holds);
                because.extend(wrong.map(|it| it.instead()));
            }
            let title = self.lesson.texts.gates.get(&gate.id).cloned().unwrap_or_default();
            let asked = gate.attest && gate.quiz.is_none() && because.is_empty();
            if asked && !self.attested.contains(&gate.id) {
                self.ask_for_word(&gate.id, &title).await?;
            }
            let open = gate.attest && !self.attested.contains(&gate.id);
            let state = match (because.is_empty(), open) {
                (false, _) => State::Fail,
                // Without pages a gate that is about them stays unseen.
                (true, _) if !self.run.routes().pages && unseen(gate, checks) => State::Skip,
                (true, true) => State::Partial,
                (true, false) => State::Pass,
            };
            results.push(ItemResult { id: gate.id.clone(), title, state, because });
        }
        Ok(results)
    }
}

/// Whether an item keeps nothing closed: it is well, or there was nothing to see of it.
fn stands(state: State) -> bool {
    state.is_well() || state == State::Skip
}

/// Why an item about pages was left out.
fn no_pages() -> Finding {
    Finding::new(false, "/ · /checkout · /success: 2xx", "/ · /checkout · /success")
}

/// Why an item about a project's documents was left out.
fn no_project() -> Finding {
    Finding::new(false, "README.md", "--project DIR")
}

/// Whether a gate needs a check that was left out.
fn unseen(gate: &Gate, checks: &[CheckResult]) -> bool {
    let needed = |check: &CheckResult| {
        let all = check.level == Level::Required && gate.needs.iter().any(|it| it == "required");
        all || gate.needs.contains(&check.id)
    };
    checks.iter().any(|check| check.state == State::Skip && needed(check))
}

pub(super) fn text<'t>(texts: &'t Texts, check: &Check) -> Option<&'t CheckText> {
    texts.checks.get(&check.id)
}

/// The items that keep a gate closed.
fn closed(gate: &Gate, checks: &[CheckResult], notes: &[ItemResult]) -> Vec<Statement> {
    let mut because = Vec::new();
    for need in &gate.needs {
        if need == "required" {
            let open = checks.iter().filter(|it| it.level == Level::Required && !stands(it.state));
            because.extend(open.map(|it| Statement::from(&it.id)));
            continue;
        }
        let well = checks
            .iter()
            .map(|it| (&it.id, it.state))
            .chain(notes.iter().map(|it| (&it.id, it.state)))
            .any(|(id, state)| id == need && stands(state));
        if !well {
            because.push(need.into());
        }
    }
    because
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::Severity;

    fn item(id: &str, state: State) -> ItemResult {
        ItemResult { id: id.to_owned(), title: String::new(), state, because: Vec::new() }
    }

    fn check(id: &str, level: Level, state: State) -> CheckResult {
        CheckResult {
            id: id.to_owned(),
            code: String::new(),
            title: String::new(),
            kind: Kind::Auto,
            level,
            severity: Severity::Wrong,
            state,
            findings: Vec::new(),
            failure: None,
            root: None,
            evidence: Evidence::default(),
            took_ms: 0,
        }
    }

    #[test]
    fn a_gate_names_what_keeps_it_closed() {
        let checks = [
            check("D1.1", Level::Required, State::Pass),
            check("D1.2", Level::Required, State::Fail),
            check("D1.3", Level::Attest, State::Fail),
        ];
        let notes = [item("N1.1", State::Fail)];
        let gate = |needs: &[&str]| Gate {
            id: "G1.1".to_owned(),
            needs: needs.iter().map(|it| (*it).to_owned()).collect(),
            attest: false,
            quiz: None,
            assert: Vec::new(),
        };
        assert!(closed(&gate(&["D1.1"]), &checks, &notes).is_empty());
        let closed = |needs: &[&str]| -> Vec<String> {
            closed(&gate(needs), &checks, &notes).iter().map(ToString::to_string).collect()
        };
        assert_eq!(closed(&["required"]), ["D1.2"]);
        assert_eq!(closed(&["D1.3", "N1.1", "D9.9"]), ["D1.3", "N1.1", "D9.9"]);
    }
}
