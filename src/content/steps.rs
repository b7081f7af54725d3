//! The steps of a day as they are written: `steps.toml`, and what is said of them in `steps.ja.toml`,
//! `steps.en.toml`. A lesson without them is no conversation.

use crate::content::{Library, read};
use crate::domain::course::Day;
use crate::domain::course::rules::LessonError;
use crate::domain::course::talk::{Beat, Step, Talk};
use crate::domain::locale::Locale;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The longest text of a step: what leaves room for what comes of it, on a screen of 24 lines.
const LINES_MAX: usize = 12;

/// What is said of a day's steps in one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTexts {
    /// What one can say after the day.
    pub learnt: String,
    /// By the step's name.
    pub step: BTreeMap<String, StepText>,
}

/// What is said of a step.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    /// What it is about, and what is to be done.
    pub text: String,
    /// The two sentences that a colleague would say.
    pub why: String,
    /// The next smaller step.
    pub hint: String,
    /// What else there is to say.
    #[serde(default)]
    pub more: String,
    /// What is said once it is done.
    #[serde(default)]
    pub done: String,
    /// The question.
    #[serde(default)]
    pub ask: String,
    /// What is said of a wrong answer.
    #[serde(default)]
    pub wrong: String,
    /// What is said of each mistake, by its name.
    #[serde(default)]
    pub slip: BTreeMap<String, String>,
    /// What stands beside the members that are shown, by pointer.
    #[serde(default)]
    pub mark: BTreeMap<String, String>,
}

impl Library {
    /// The steps of a day with what is said of them; `None` for a lesson that is no conversation.
    pub fn talk(&self, id: &str, locale: Locale) -> Result<Option<(Talk, StepTexts)>, LessonError> {
        let name = format!("{id}/steps.toml");
        let Ok(text) = self.file(&name) else { return Ok(None) };
        let talk = read(&name, &text)?;
        let name = format!("{id}/steps.{}.toml", locale.code());
        Ok(Some((talk, read(&name, &self.file(&name)?)?)))
    }
}

/// What is wrong with the steps of a day.
pub fn problems(library: &Library, day: &Day) -> Vec<LessonError> {
    let id = &day.lesson.id;
    let mut found = Vec::new();
    for locale in Locale::ALL {
        let (talk, texts) = match library.talk(id, locale) {
            Ok(Some(both)) => both,
            Ok(None) => continue,
            Err(problem) => {
                found.push(problem);
                continue;
            }
        };
        let file = format!("{id}/steps.{}.toml", locale.code());
        let mut say = |key: &str, what: &str| {
            found.push(LessonError::new(&file, key, what));
        };
        let names: BTreeSet<&str> = talk.steps.iter().map(|it| it.id.as_str()).collect();
        if names.len() != talk.steps.len() {
            say("step", "has a name twice");
        }
        for name in texts.step.keys().filter(|name| !names.contains(name.as_str())) {
            say(name, "belongs to no step");
        }
        for step in &talk.steps {
            match texts.step.get(&step.id) {
                None => say(&step.id, "is lacking"),
                Some(text) => of_step(step, text, day, &mut |what| say(&step.id, what)),
            }
        }
    }
    found
}

fn of_step(step: &Step, text: &StepText, day: &Day, say: &mut impl FnMut(&str)) {
    let lines =
        crate::content::prose::height(&text.text) + crate::content::prose::height(&text.ask);
    if lines > LINES_MAX {
        say(&format!("has {lines} lines of 78 columns, more than {LINES_MAX}"));
    }
    if [&text.text, &text.why, &text.hint].iter().any(|it| it.trim().is_empty()) {
        say("lacks a text, a `why` or a `hint`");
    }
    if step.answers.is_empty() != text.ask.is_empty()
        || text.ask.is_empty() != text.wrong.is_empty()
    {
        say("asks without an answer, or answers without a question");
    }
    let slips: BTreeSet<&String> = step.slips.iter().map(|it| &it.id).collect();
    if slips != text.slip.keys().collect() {
        say("does not answer exactly the mistakes of `steps.toml`");
    }
    let members: BTreeSet<&String> = step.members.iter().collect();
    if text.mark.keys().any(|pointer| !members.contains(pointer)) {
        say("marks a member that is not shown");
    }
    let acts = !step.typed.is_empty() && step.done.is_some();
    match step.beat {
        Beat::Do if !acts => say("has nothing to do: `type` and `done`"),
        Beat::Mend if step.mend.is_none() => say("mends nothing"),
        _ => {}
    }
    if let Some(mend) = &step.mend
        && day.check(&mend.check).is_none()
    {
        say("is proved by a check that this lesson does not have");
    }
}
