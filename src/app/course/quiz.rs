//! Questions about what a run brought about: drawn, asked, judged. A wrong answer is explained by what it is.

use crate::content::text::CheckText;
use crate::domain::course::Check;
use crate::domain::course::talk;
use std::collections::BTreeMap;

/// A question with its right answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub id: String,
    /// Its words.
    pub text: String,
    /// What is right.
    pub right: String,
    /// What to say where the answer is wrong; `{given}` is the answer.
    pub hint: String,
}

impl Asked {
    /// Whether an answer is right; blanks, case, width, units and thousands separators do not matter.
    pub fn is_right(&self, answer: &str) -> bool {
        !answer.trim().is_empty() && talk::is_right(answer, std::slice::from_ref(&self.right))
    }
}

impl Asked {
    /// What to say of a wrong answer.
    pub fn explain(&self, given: &str) -> String {
        self.hint.replace("{given}", given)
    }
}

/// What came of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuizResult {
    /// None was asked, or not all were answered.
    Open,
    /// All that were drawn were answered rightly.
    Right,
    /// One was answered wrongly to the end.
    Wrong,
}

/// The pool of a check's questions; `fill` says what an answer refers to.
pub fn pool(check: &Check, said: &CheckText, fill: impl Fn(&str) -> Option<String>) -> Vec<Asked> {
    let text = |of: &BTreeMap<String, String>, id: &str| of.get(id).cloned().unwrap_or_default();
    check
        .quiz
        .iter()
        .filter_map(|question| {
            Some(Asked {
                id: question.id.clone(),
                text: text(&said.quiz, &question.id),
                right: fill(&question.answer)?,
                hint: text(&said.wrong, &question.id),
            })
        })
        .collect()
}

/// The questions of a run: as many as are to be drawn, beginning somewhere in the pool, in its order.
pub fn draw(mut pool: Vec<Asked>, count: usize, seed: u64) -> Vec<Asked> {
    let count = if count == 0 { pool.len() } else { count };
    let mut seed = seed;
    while pool.len() > count {
        let at = usize::try_from(seed % pool.len() as u64).unwrap_or_default();
        pool.remove(at);
        seed /= 7;
    }
    pool
}

/// Judges answers that were given along; what was wrong, with what to say of it.
pub fn judge<'q>(
    pool: &'q [Asked],
    count: usize,
    given: &'q [(String, String)],
) -> (QuizResult, Option<(&'q Asked, &'q str)>) {
    let mut right = 0;
    for (id, answer) in given {
        let Some(asked) = pool.iter().find(|asked| asked.id == *id) else { continue };
        if !asked.is_right(answer) {
            return (QuizResult::Wrong, Some((asked, answer)));
        }
        right += 1;
    }
    let needed = if count == 0 { pool.len() } else { count.min(pool.len()) };
    (if right >= needed { QuizResult::Right } else { QuizResult::Open }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool_of(pairs: &[(&str, &str)]) -> Vec<Asked> {
        let asked = |(id, right): &(&str, &str)| Asked {
            id: (*id).to_owned(),
            text: String::new(),
            right: (*right).to_owned(),
            hint: format!("{{given}} is not {id}"),
        };
        pairs.iter().map(asked).collect()
    }

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn as_many_as_are_wished_are_drawn_in_their_order() {
        let pool = pool_of(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
        for seed in 0..40 {
            let ids: Vec<_> = draw(pool.clone(), 3, seed).into_iter().map(|it| it.id).collect();
            let mut sorted = ids.clone();
            sorted.sort();
            assert_eq!((ids.len(), &ids), (3, &sorted));
        }
        assert_eq!(draw(pool.clone(), 0, 1).len(), 4);
        assert_ne!(draw(pool.clone(), 3, 0), draw(pool, 3, 1));
    }

    #[test]
    fn answers_count_once_all_are_right_and_the_first_wrong_one_is_named() {
        let pool = pool_of(&[("id", "evt_1"), ("type", "x.y"), ("amount", "5000")]);
        let all = given(&[("id", "evt_1"), ("type", "X.Y"), ("amount", "5,000")]);
        assert_eq!(judge(&pool, 3, &all).0, QuizResult::Right);
        assert_eq!(judge(&pool, 3, &all[..2]).0, QuizResult::Open);
        let wrong = given(&[("id", "cs_1"), ("type", "x.y")]);
        let (outcome, found) = judge(&pool, 3, &wrong);
        let (asked, answer) = found.unwrap();
        assert_eq!((outcome, asked.id.as_str(), answer), (QuizResult::Wrong, "id", "cs_1"));
        assert_eq!(asked.explain(answer), "cs_1 is not id");
        assert!(!pool[0].is_right("") && !pool[2].is_right("500"));
        assert_eq!(judge(&pool, 3, &given(&[("nothing", "x")])).0, QuizResult::Open);
    }
}
