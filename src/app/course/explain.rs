//! Why a check failed: the first cause that fits, how much it weighs, and what happened in the learner's program.

use crate::app::course::claim_eval::judge;
use crate::app::course::exchanges::Exchange;
use crate::app::course::grade::{Grader, text};
use crate::domain::course::claim::Claim;
use crate::domain::course::outcome::{CheckResult, Failure, Finding, State};
use crate::domain::course::scene::Scene;
use crate::domain::course::statement::Statement;
use crate::domain::course::{Check, Severity, Track};
use crate::domain::fault::Fault;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long causes are looked for; a little, even where the time of the day is over.
const CAUSE_PATIENCE: Duration = Duration::from_secs(15);
const CAUSE_LEAST: Duration = Duration::from_secs(1);

impl Grader<'_, '_> {
    /// Says why a check failed: the first cause that fits, how much that weighs, and what happened.
    pub(super) async fn explain(
        &mut self,
        check: &Check,
        result: &mut CheckResult,
        wrong: Finding,
        first: usize,
    ) -> Result<(), Fault> {
        let (mut cause, mut got) = (None, wrong.got.clone());
        let until = Instant::now() + self.within(CAUSE_PATIENCE).max(CAUSE_LEAST);
        for (at, diagnosis) in check.on_fail.iter().enumerate() {
            // What is said of something that there is not explains nothing.
            if let Claim::Given { kept, .. } = &diagnosis.when
                && self.run.vars.get(kept).is_none_or(Value::is_null)
            {
                continue;
            }
            let found = judge(self.run, &diagnosis.when);
            let Ok(found) = tokio::time::timeout_at(until.into(), found).await else { break };
            let found = found?;
            if found.holds {
                cause = Some(at);
                // What the provider said is the shortest way to the cause.
                if matches!(diagnosis.when, Claim::Refused { .. }) {
                    got = got.and(found.got);
                }
                break;
            }
        }
        let weighs = cause.and_then(|at| check.on_fail.get(at)).and_then(|it| it.severity);
        result.severity = weighs.unwrap_or(check.severity);
        if result.severity < Severity::Wrong && self.run.over().is_none() {
            result.state = State::Warn;
        }
        let mut failure = self.failure(check, cause, None);
        failure.why.push_str(&self.reasons(check, &wrong));
        failure.scene = self.scene(check, &wrong, first);
        result.failure = Some(Failure { expected: wrong.expected, got, ..failure });
        Ok(())
    }

    /// What happened in the learner's program: in the exchange that the finding is about, else in the last one of
    /// the check that did not end well.
    fn scene(&self, check: &Check, wrong: &Finding, first: usize) -> Option<Scene> {
        if self.track == Track::Shop {
            return None;
        }
        let exchanges = &self.run.exchanges;
        // A page that is not there may be just what was asked about; a delivery that is refused is not.
        let least = |it: &Exchange| if it.event.is_some() { 400 } else { 500 };
        let unwell =
            |it: &Exchange| !it.meant && it.status.is_none_or(|status| status >= least(it));
        let number = wrong.about.or_else(|| exchanges.last(first, unwell))?;
        let file = self.run.context.config.home.join("requests").join(format!("{}.body", check.id));
        exchanges.scene(number, &file)
    }

    /// Why the topics matter that a finding names as lacking.
    fn reasons(&self, check: &Check, wrong: &Finding) -> String {
        let said = text(&self.lesson.texts, check);
        let lacking = wrong.lacking.iter();
        let reasons = lacking.filter_map(|name| Some((name, said?.topics.get(name)?)));
        reasons.map(|(name, reason)| format!("\n· {name}: {reason}")).collect::<Vec<_>>().concat()
    }

    /// The words of a failure: of the diagnosis at `cause`, or of the check itself.
    pub(super) fn failure(
        &self,
        check: &Check,
        cause: Option<usize>,
        blocked: Option<String>,
    ) -> Failure {
        let said = text(&self.lesson.texts, check);
        let diagnosis = cause.and_then(|at| check.on_fail.get(at));
        let code = diagnosis.map_or(&check.code, |it| &it.code).clone();
        let why = said.and_then(|said| said.causes.get(&code)).or(said.map(|said| &said.why));
        let own = || format!("stripegym hint {}", check.code);
        Failure {
            checked: said.map_or_else(String::new, |said| said.checked.clone()),
            expected: blocked.clone().map_or(Statement::Nothing, Statement::Waits),
            got: blocked.map_or(Statement::Nothing, Statement::NotJudged),
            why: why.cloned().unwrap_or_default(),
            next: diagnosis.and_then(|it| it.next.clone()).unwrap_or_else(own),
            code,
            scene: None,
        }
    }
}
