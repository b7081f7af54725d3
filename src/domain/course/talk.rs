//! A day as a conversation: steps, one a screen, each done once its effect is seen, however it was brought about.
//! Pure: what is seen is a value, and an effect is a difference between two of them.

use crate::domain::named::named;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// The steps of a day: what `steps.toml` holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// In order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beat {
    /// A few lines with one idea, after a question that recalls the last.
    Read,
    /// Something to achieve.
    Do,
    /// The thing itself.
    See,
    /// A program that is broken, to be mended.
    Mend,
    /// The checklist.
    Prove,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name within the day; its texts stand under it.
    pub id: String,
    /// What it is for.
    pub beat: Beat,
    /// One way to do it, as it is typed. `{event}`, `{session}` and `{payment}` are the newest of the day.
    #[serde(default, rename = "type")]
    pub typed: Vec<String>,
    /// Whether that is to be found out: it is shown only to whoever asks.
    #[serde(default)]
    pub covered: bool,
    /// What is seen once it is done.
    pub done: Option<Effect>,
    /// Mistakes that are met, each with its answer in the texts.
    #[serde(default, rename = "slip")]
    pub slips: Vec<Slip>,
    /// Answers to the question that stands in the texts.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What is shown of what was done.
    pub show: Option<Show>,
    /// The members of an event that are shown, as JSON pointers.
    #[serde(default)]
    pub members: Vec<String>,
    /// What shows the whole.
    pub raw: Option<String>,
    /// The program that is mended.
    pub mend: Option<Mend>,
}

/// A mistake that is told from others by its effect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// Its name; the answer stands in the texts under it.
    pub id: String,
    /// How it shows.
    pub when: Effect,
}

/// What is shown of what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// The newest event, with the members that matter marked.
    Event,
    /// The newest session, likewise.
    Session,
    /// Each attempt to deliver the newest event.
    Attempts,
}

/// A program with one thing broken, and the check that tells so. It is the lessons' small shop in the languages
/// whose own library is enough.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mend {
    /// `D3.7`.
    pub check: String,
    /// What stands where, by language.
    pub breaks: BTreeMap<String, Break>,
}

/// A place of a program, broken and whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// What stands in the shop.
    pub right: String,
    /// What stands in its place.
    pub wrong: String,
}

/// What is seen once something was done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// A session came to be so.
    Session(Wanted),
    /// The listener took an event.
    Taken {
        /// Of this type.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Whether it had come before.
        #[serde(default)]
        again: bool,
    },
    /// The listener refused a delivery, for this cause.
    Refused {
        /// `mismatch`, `too_old`, …
        cause: Option<String>,
    },
    /// An attempt to deliver found nobody.
    Unheard,
    /// The ledger has a row in this status that it did not have so.
    Row(String),
    /// Whether the listener listens.
    Listening(bool),
    /// The sandbox's clock is so many days on.
    Later(i64),
    /// Whether ledger and provider agree.
    Agrees(bool),
    /// A command that begins so was typed here: reading leaves no trace elsewhere.
    Typed(String),
    /// The question was answered.
    Answered,
}

/// Members that a session must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// In the smallest unit.
    pub amount: Option<i64>,
    /// `jpy`.
    pub currency: Option<String>,
    /// `open`, `complete`, `expired`.
    pub status: Option<String>,
    /// `paid`, `unpaid`.
    pub payment_status: Option<String>,
}

/// A session as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionSeen {
    /// `cs_…`.
    pub id: String,
    /// In the smallest unit.
    pub amount: i64,
    /// `jpy`.
    pub currency: String,
    /// `open`, `complete`, `expired`.
    pub status: String,
    /// `paid`, `unpaid`.
    pub payment_status: String,
    /// `pi_…`.
    pub payment: Option<String>,
}

/// An attempt to deliver an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptSeen {
    /// `evt_…`.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// When, in Unix seconds.
    pub at: i64,
    /// What was answered.
    pub status: Option<u16>,
    /// When the next one is due.
    pub next: Option<i64>,
}

/// An event that the listener took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// `evt_…`.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// Whether it had come before.
    pub again: bool,
}

/// Everything that there is to see of a day at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The provider's clock, in Unix seconds.
    pub now: i64,
    /// The newest sessions, the newest first.
    pub sessions: Vec<SessionSeen>,
    /// Attempts to deliver, the newest first.
    pub attempts: Vec<AttemptSeen>,
    /// What the listener took, the oldest first.
    pub taken: Vec<Taken>,
    /// Why the listener refused deliveries, the oldest first.
    pub refused: Vec<String>,
    /// The ledger: session and status.
    pub rows: Vec<(String, String)>,
    /// Whether the listener listens.
    pub listening: bool,
    /// Whether ledger and provider agree, where that was looked at.
    pub agrees: Option<bool>,
    /// What was typed here.
    pub typed: Vec<String>,
    /// Whether the step's question was answered.
    pub answered: bool,
}

impl Talk {
    /// Every command that is quoted, each with its step; what is filled in is left open.
    pub fn commands(&self) -> Vec<(String, &str)> {
        let of = |step: &'_ Step| -> Vec<String> {
            let all = step.typed.iter().chain(&step.raw);
            // Down and up are words of the conversation.
            let all = all.filter(|it| !["stop", "start"].contains(&it.as_str()));
            all.map(|it| it.replace(['{', '}'], "")).collect()
        };
        let all = self.steps.iter();
        all.flat_map(|step| of(step).into_iter().map(|it| (it, step.id.as_str()))).collect()
    }
}

impl Effect {
    /// Whether it came about between two looks.
    pub fn came(&self, before: &Seen, now: &Seen) -> bool {
        match self {
            Self::Session(wanted) => {
                now.sessions.iter().any(|it| wanted.fits(it) && !before.sessions.contains(it))
            }
            Self::Taken { kind, again } => {
                let fresh = now.taken.iter().skip(before.taken.len());
                let fits = |it: &&Taken| kind.as_ref().is_none_or(|kind| *kind == it.kind);
                fresh.filter(fits).any(|it| it.again == *again)
            }
            Self::Refused { cause } => {
                let mut fresh = now.refused.iter().skip(before.refused.len());
                fresh.any(|it| cause.as_ref().is_none_or(|cause| cause == it))
            }
            Self::Unheard => {
                let unheard = |it: &&AttemptSeen| it.status.is_none();
                let count = |seen: &Seen| seen.attempts.iter().filter(unheard).count();
                count(now) > count(before)
            }
            Self::Row(status) => {
                now.rows.iter().any(|row| row.1 == *status && !before.rows.contains(row))
            }
            Self::Listening(wanted) => now.listening == *wanted,
            Self::Later(days) => now.now - before.now >= days * DAY_S - 60,
            Self::Agrees(wanted) => now.agrees == Some(*wanted),
            Self::Typed(begins) => {
                now.typed.iter().skip(before.typed.len()).any(|it| it.starts_with(begins))
            }
            Self::Answered => now.answered,
        }
    }
}

impl Wanted {
    fn fits(&self, it: &SessionSeen) -> bool {
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        self.amount.is_none_or(|amount| amount == it.amount)
            && same(&self.currency, &it.currency)
            && same(&self.status, &it.status)
            && same(&self.payment_status, &it.payment_status)
    }
}

named! {
    /// How far a step was gone.
    pub enum Gone {
        /// The program did it before the learner's eyes.
        Shown = "shown",
        /// The learner did it, by hand, with the built-in shop.
        Done = "done",
    }
}

/// Whether an answer is right, however its digits and its unit are written.
pub fn is_right(given: &str, answers: &[String]) -> bool {
    let given = bare(given);
    answers.iter().any(|answer| bare(answer) == given)
}

/// An answer without what does not count: case, blanks, marks of thousands, units, quotes, full-width forms.
pub fn bare(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let text: String = text.nfkc().collect::<String>().to_lowercase();
    let kept: String = text.chars().filter(|c| !" ,\"'`_-¥$".contains(*c)).collect();
    let kept = kept.trim_end_matches(['.', '。']);
    let number = kept.trim_start_matches(char::is_alphabetic);
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    let unit = number.strip_prefix(digits.as_str()).unwrap_or_default();
    let around = kept.strip_suffix(number).unwrap_or_default();
    let units = [
        "", "円", "yen", "jpy", "cents", "cent", "usd", "回", "times", "件", "rows", "row", "秒",
        "s", "seconds", "日", "days",
    ];
    if !digits.is_empty() && units.contains(&unit) && units.contains(&around) {
        return digits;
    }
    kept.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(amount: i64, payment_status: &str) -> SessionSeen {
        SessionSeen {
            id: "cs_1".to_owned(),
            amount,
            currency: "jpy".to_owned(),
            status: "open".to_owned(),
            payment_status: payment_status.to_owned(),
            payment: None,
        }
    }

    #[test]
    fn an_effect_is_what_was_not_there_before() {
        let wanted = Wanted { amount: Some(500), ..Wanted::default() };
        let effect = Effect::Session(wanted);
        let none = Seen::default();
        let one = Seen { sessions: vec![session(500, "unpaid")], ..Seen::default() };
        let paid = Seen { sessions: vec![session(500, "paid")], ..Seen::default() };
        assert!(effect.came(&none, &one) && !effect.came(&one, &one) && effect.came(&one, &paid));
        let far = Seen { sessions: vec![session(50_000, "unpaid")], ..Seen::default() };
        assert!(!effect.came(&none, &far));
    }

    #[test]
    fn what_the_listener_did_counts_from_the_step_on() {
        let old = Seen {
            taken: vec![Taken::default()],
            refused: vec!["mismatch".to_owned()],
            ..Seen::default()
        };
        let refused = Effect::Refused { cause: Some("mismatch".to_owned()) };
        let again = Effect::Taken { kind: None, again: true };
        assert!(!refused.came(&old, &old) && !again.came(&old, &old));
        let mut now = old.clone();
        now.refused.push("too_old".to_owned());
        assert!(!refused.came(&old, &now) && Effect::Refused { cause: None }.came(&old, &now));
        now.taken.push(Taken { again: true, ..Taken::default() });
        assert!(again.came(&old, &now));
    }

    #[test]
    fn an_answer_is_what_it_says_however_it_is_written() {
        let right = ["500".to_owned(), "payment_status".to_owned()];
        for given in [
            "500",
            "５００",
            "500円",
            "¥500",
            " 500 yen ",
            "JPY 500",
            "payment_status",
            "Payment status",
        ] {
            assert!(is_right(given, &right), "{given}");
        }
        for given in ["50000", "5.00", "", "status", "500 or 50000", "five hundred"] {
            assert!(!is_right(given, &right), "{given}");
        }
    }
}
