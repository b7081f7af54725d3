//! The part of a grading that a person takes: questions about what happened, and their word for what no program
//! can see. Where nobody is there to answer, nobody is asked.

use crate::app::course::Manner;
use crate::app::course::grade::{Grader, text};
use crate::app::course::quiz::{self, Asked, QuizResult};
use crate::app::course::record;
use crate::domain::course::Check;
use crate::domain::course::known;
use crate::domain::course::outcome::{CheckResult, Failure, State};
use crate::domain::fault::Fault;
use crate::domain::locale::is_yes;
use crate::domain::notice::Notice;
use serde_json::{Value, json};

/// How often a question is asked until a wrong answer stands.
const TRIES: usize = 3;
impl Grader<'_, '_> {
    /// Asks a check's questions, where it has some and its claims hold; a wrong answer fails it.
    pub(super) async fn examine(
        &mut self,
        check: &Check,
        result: &mut CheckResult,
    ) -> Result<(), Fault> {
        let Some(said) = text(&self.lesson.texts, check) else { return Ok(()) };
        if check.quiz.is_empty() || !result.state.is_well() {
            return Ok(());
        }
        self.settle_subject(check).await;
        let pool = quiz::pool(check, said, |text| self.run.vars.fill(text));
        let given: Vec<(String, String)> = self
            .answers
            .iter()
            .filter(|(id, _)| pool.iter().any(|asked| asked.id == *id))
            .cloned()
            .collect();
        let somebody = matches!(self.manner, Manner::Asking(_));
        let (outcome, wrong) = if given.is_empty() {
            let drawn =
                quiz::draw(pool, check.draw, self.run.context.entropy.numbers("quiz").next());
            self.ask_all(check, &drawn).await?
        } else {
            let (outcome, wrong) = quiz::judge(&pool, check.draw, &given);
            (outcome, wrong.map(|(asked, answer)| (asked.clone(), answer.to_owned())))
        };
        if outcome != QuizResult::Open && !said.table.is_empty() {
            self.say(Notice::Shown { text: said.table.clone() });
        }
        if outcome == QuizResult::Open && somebody {
            // Whoever left the questions has not answered them.
            result.state = State::Partial;
        }
        match (outcome, wrong) {
            (QuizResult::Right, _) => self.note_known(&check.id)?,
            (QuizResult::Wrong, Some((asked, answer))) => {
                result.state = State::Fail;
                let code = format!("{}-QUIZ", check.code);
                result.failure = Some(Failure {
                    checked: said.checked.clone(),
                    why: asked.explain(&answer),
                    expected: asked.text.into(),
                    got: answer.into(),
                    next: format!("stripegym explain {code}"),
                    code,
                    scene: None,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps as `asked` the event that an answer names, where there is one of this id, or else that of the run.
    async fn settle_subject(&mut self, check: &Check) {
        let Some(about) = &check.about else { return };
        let named =
            self.answers.iter().find(|(id, _)| id == "id").map(|(_, answer)| answer.clone());
        let mut subject = None;
        if let Some(id) = named.filter(|id| id.starts_with("evt_")) {
            subject = self.run.provider.stripe.event(&id).await.ok();
        }
        let subject = subject.or_else(|| self.run.vars.look_up(about).cloned());
        self.run.vars.keep("asked", subject.unwrap_or_default());
    }

    /// Asks each question; the one that was answered wrongly to the end, where one was.
    async fn ask_all(
        &mut self,
        check: &Check,
        drawn: &[Asked],
    ) -> Result<(QuizResult, Option<(Asked, String)>), Fault> {
        if !matches!(self.manner, Manner::Asking(_)) {
            return Ok((QuizResult::Open, None));
        }
        if check.about.is_some() {
            let event = self.run.vars.get("asked").cloned().unwrap_or_default();
            self.say(Notice::Shown { text: format!("{:#}", excerpt(&event)) });
        }
        for asked in drawn {
            let mut tries = 0;
            loop {
                let question = Notice::Asked { text: asked.text.clone() };
                let Some(given) = self.ask(question).await? else {
                    return Ok((QuizResult::Open, None));
                };
                let right = asked.is_right(&given);
                let wrong = (!right).then(|| asked.explain(&given));
                self.say(Notice::Answered { given: given.clone(), wrong });
                tries += 1;
                if right {
                    break;
                }
                if tries == TRIES {
                    return Ok((QuizResult::Wrong, Some((asked.clone(), given))));
                }
            }
        }
        Ok((QuizResult::Right, None))
    }

    /// Asks one question, where somebody is there to answer. Whoever ends the input (Ctrl-D) has left: nothing more
    /// is asked.
    async fn ask(&mut self, question: Notice) -> Result<Option<String>, Fault> {
        let Manner::Asking(asker) = &self.manner else { return Ok(None) };
        let answer = asker.ask(self.run.context, question).await?;
        if answer.is_none() {
            self.manner = Manner::Telling;
        }
        Ok(answer)
    }

    /// Notes that the questions of a check were answered, for the gates that rest on it.
    fn note_known(&mut self, check: &str) -> Result<(), Fault> {
        for gate in &self.day().gates {
            if gate.quiz.as_deref() == Some(check) {
                record::attest(self.run.context, &gate.id)?;
                self.attested.push(gate.id.clone());
            }
        }
        Ok(())
    }

    /// Asks for the word of a person for each check that wants it.
    pub(super) async fn ask_for_words(&mut self, results: &mut [CheckResult]) -> Result<(), Fault> {
        let open = |it: &&mut CheckResult| matches!(it.state, State::Partial | State::Attest);
        for result in results.iter_mut().filter(open) {
            if self.ask_for_word(&result.id, &result.title).await? {
                result.state = State::Pass;
            }
        }
        Ok(())
    }

    /// Asks for the word of a person for one item; whether it was given.
    pub(super) async fn ask_for_word(&mut self, id: &str, title: &str) -> Result<bool, Fault> {
        let question = Notice::AskedWord { id: id.to_owned(), title: title.to_owned() };
        let answer = self.ask(question).await?.unwrap_or_default();
        let yes = is_yes(&answer);
        if yes {
            record::attest(self.run.context, id)?;
            self.attested.push(id.to_owned());
        }
        Ok(yes)
    }
}

/// What of an event is shown: where the answers stand, and enough around them that they have to be found.
fn excerpt(event: &Value) -> Value {
    let mut out = json!({});
    for pointer in known::words("shown-of-event") {
        let Some(value) = event.pointer(pointer) else { continue };
        let mut at = &mut out;
        let mut names = pointer.trim_start_matches('/').split('/').peekable();
        while let Some(name) = names.next() {
            let Value::Object(map) = at else { break };
            let fresh = if names.peek().is_some() { json!({}) } else { value.clone() };
            at = map.entry(name).or_insert(fresh);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_keeps_the_shape() {
        let event = json!({"id": "evt_1", "x": 1, "data": {"object": {"id": "cs_1", "secret": 2}}});
        assert_eq!(excerpt(&event), json!({"id": "evt_1", "data": {"object": {"id": "cs_1"}}}));
    }
}
