//! The mutation matrix: which check must notice which broken shop, and what else may notice it. Pure.

use crate::domain::course::outcome::State;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The list of a lesson's broken shops, or those of all lessons.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The broken shops.
    #[serde(rename = "mutant")]
    pub mutants: Vec<Mutant>,
}

/// A shop with one thing broken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Its name: `no_sig`.
    pub id: String,
    /// The lesson that it belongs to.
    #[serde(skip)]
    pub lesson: String,
    /// Its program, in the lesson's `mutants`.
    pub file: String,
    /// What is broken, for whoever reads the list.
    pub breaks: String,
    /// The check that must fail.
    pub caught_by: String,
    /// Checks that may fail as well, because they rest on the same thing.
    pub also: Vec<String>,
    /// The only lessons that are worth grading, by their order; where left out, all days but the optional lessons.
    #[serde(default)]
    pub days: Vec<u8>,
}

impl Mutant {
    /// What is wrong with how a run came out: the check that must notice does not, or another one fails.
    /// `None` where the run is as it should be; else the first check that it is about, and what is wrong.
    pub fn misjudged(&self, states: &BTreeMap<String, State>) -> Option<(String, String)> {
        // A habit or a risk that is named counts as noticed.
        let failed = |id: &str| matches!(states.get(id), Some(State::Fail | State::Warn));
        if !failed(&self.caught_by) {
            let state = states.get(&self.caught_by).map_or("–", |state| state.name());
            return Some((self.caught_by.clone(), format!("{} = {state}", self.caught_by)));
        }
        let allowed = |id: &String| *id == self.caught_by || self.also.contains(id);
        let stray: Vec<&str> = states
            .iter()
            .filter(|(id, state)| **state == State::Fail && !allowed(id))
            .map(|(id, _)| id.as_str())
            .collect();
        stray.first().map(|first| ((*first).to_owned(), format!("{} = fail", stray.join(" "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(failed: &[&str]) -> BTreeMap<String, State> {
        let mut states: BTreeMap<String, State> =
            ["D1.1", "D3.3", "D3.7", "X1"].map(|id| (id.to_owned(), State::Pass)).into();
        states.extend(failed.iter().map(|id| ((*id).to_owned(), State::Fail)));
        states
    }

    #[test]
    fn a_mutant_must_be_caught_by_its_check_and_by_no_unrelated_one() {
        let mutant = Mutant {
            id: "no_sig".to_owned(),
            lesson: "day3".to_owned(),
            file: "no_sig.py".to_owned(),
            breaks: String::new(),
            caught_by: "D3.7".to_owned(),
            also: vec!["X1".to_owned()],
            days: Vec::new(),
        };
        let judged = |failed: &[&str]| mutant.misjudged(&states(failed)).map(|it| it.1);
        assert_eq!(judged(&["D3.7"]), None);
        assert_eq!(judged(&["D3.7", "X1"]), None);
        assert_eq!(judged(&[]).as_deref(), Some("D3.7 = pass"));
        assert_eq!(judged(&["X1"]).as_deref(), Some("D3.7 = pass"));
        assert_eq!(judged(&["D3.7", "D1.1", "D3.3"]).as_deref(), Some("D1.1 D3.3 = fail"));
        let unknown = mutant.misjudged(&BTreeMap::new()).unwrap();
        assert_eq!(unknown, ("D3.7".to_owned(), "D3.7 = –".to_owned()));
    }
}
