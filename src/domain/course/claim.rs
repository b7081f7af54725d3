//! What a lesson can claim about the world. A claim is about observed state: an answer, an object of the
//! provider, a delivery, a row of the ledger; never about a sentence that the program wrote itself.

use crate::domain::course::lint::Rule;
use crate::domain::course::scene::Said;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Claim {
    /// The status of kept answers.
    Status(Status),
    /// A header of kept answers.
    Header(HeaderIs),
    /// The text of kept answers.
    Body(BodyHas),
    /// A member of anything kept.
    Json(JsonIs),
    /// How often an event happened.
    EventCount {
        /// The type.
        #[serde(rename = "type")]
        kind: String,
        /// The session that they are about.
        session: String,
        /// How many there are.
        is: usize,
    },
    /// How the deliveries of an event went.
    Delivery(DeliveryIs),
    /// A row of the ledger.
    LedgerRow(LedgerRow),
    /// No row of the ledger for a session.
    LedgerAbsent {
        /// The sessions.
        sessions: Vec<String>,
    },
    /// By how many rows the ledger grew since it was kept.
    LedgerGrew {
        /// The name of a ledger that was kept by `mark`.
        since: String,
        /// By how many rows.
        by: u64,
    },
    /// The ledger is as it was when it was kept.
    LedgerUnchanged {
        /// The name of a ledger that was kept by `mark`.
        since: String,
    },
    /// How the comparison of the ledger came out.
    Verdicts(Verdicts),
    /// The log of the application.
    Log(LogHas),
    /// No secret is to be seen.
    NoSecret {
        /// Where: the application's log, the answers of this run, files of the project that git tracks.
        #[serde(rename = "in")]
        places: Vec<Where>,
    },
    /// No file of the application has a text that it was to show and forget.
    Unwritten {
        /// The text; may refer to something kept.
        text: String,
    },
    /// The application still takes requests.
    Alive {},
    /// The key that the provider is called with.
    Key {
        /// The kinds that will do: `secret`, `restricted`.
        kinds: Vec<String>,
        /// Whether it may move real money.
        live: bool,
    },
    /// Files of the project.
    Files(FilesAre),
    /// Topics that a file of the project speaks of.
    Mentions(Mentions),
    /// What a rule finds in the files of the learner's project.
    Lint {
        /// The rule, which must find nothing.
        rule: Rule,
    },
    /// Several members of one object, told side by side.
    Fields(Fields),
    /// Whether the application takes an event that is signed in a certain way.
    Accepts {
        /// `$event`.
        event: String,
        /// How it is signed.
        signed: Signed,
    },
    /// Attempts of this run's deliveries that failed without a fault of the lesson.
    Accidents {
        /// Which answers count: a class (`5xx`), a status, or several with `|`. No answer at all counts always.
        #[serde(default = "failing")]
        class: String,
        /// How many there may be.
        #[serde(default)]
        max: usize,
    },
    /// The provider refused a call of the application.
    Refused {
        /// The path that was called.
        path: String,
    },
    /// What the answers say in the words of an official library.
    Says(Says),
    /// The application answers at 127.0.0.1, and nothing else stands in its place.
    Reach {},
    /// Every one of several.
    All(Vec<Claim>),
    /// At least one of several.
    Any(Vec<Claim>),
    /// The contrary of one.
    Not(Box<Claim>),
    /// One that is only made where something was kept.
    Given {
        /// The name of something that may have been kept.
        kept: String,
        /// What is claimed where it was.
        then: Box<Claim>,
    },
}

impl Claim {
    /// The claims that it is made of; itself, where it is none of several.
    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::All(claims) | Self::Any(claims) => claims.iter().flat_map(Self::parts).collect(),
            Self::Not(claim) => claim.parts(),
            Self::Given { then, .. } => then.parts(),
            one => vec![one],
        }
    }

    /// What is taken of each claim that it is made of.
    pub fn each<'c, T, I: IntoIterator<Item = T>>(
        &'c self,
        take: impl Fn(&'c Self) -> I,
    ) -> Vec<T> {
        self.parts().into_iter().flat_map(take).collect()
    }

    /// The topics that it asks for, whose reasons stand in the texts.
    pub fn topics(&self) -> Vec<&str> {
        self.each(|it| match it {
            Self::Mentions(it) => it.all.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        })
    }

    /// The files of a project that it looks at.
    pub fn files(&self) -> Vec<&str> {
        let all = self.each(|it| match it {
            Self::Files(it) => {
                [&it.exist, &it.untracked, &it.ignored, &it.own].into_iter().flatten().collect()
            }
            Self::Mentions(it) => vec![&it.file],
            _ => Vec::new(),
        });
        all.into_iter().flat_map(|names| names.split('|').map(str::trim)).collect()
    }

    /// The rules that it rests on, which look at the files of a project.
    pub fn rules(&self) -> Vec<Rule> {
        self.each(|it| if let Self::Lint { rule } = it { Some(*rule) } else { None })
    }

    /// Whether it can be judged only by who sees the ledger.
    pub fn needs_books(&self) -> bool {
        self.parts().into_iter().any(|it| {
            matches!(
                it,
                Self::LedgerRow(_)
                    | Self::LedgerAbsent { .. }
                    | Self::LedgerGrew { .. }
                    | Self::LedgerUnchanged { .. }
                    | Self::Verdicts(_)
            )
        })
    }

    /// Whether it can be judged only by who sees the application's log.
    pub fn needs_log(&self) -> bool {
        self.parts().into_iter().any(|it| matches!(it, Self::Log(_)))
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// They are equal.
    #[default]
    Eq,
    /// They differ.
    Ne,
    /// It is one of a list.
    In,
    /// It is at least.
    Ge,
    /// It is at most.
    Le,
    /// It is there and not null.
    Present,
    /// It is absent or null.
    Absent,
    /// The text begins with.
    Starts,
    /// The text contains.
    Contains,
    /// It is a whole number.
    Integer,
}

impl Op {
    /// The sign that reports use.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "≠",
            Self::In => "∈",
            Self::Ge => "≥",
            Self::Le => "≤",
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Starts => "starts with",
            Self::Contains => "contains",
            Self::Integer => "integer",
        }
    }

    /// Whether it holds between what was found and what is wanted.
    pub fn holds(self, found: Option<&Value>, wanted: &Value) -> bool {
        let there = found.filter(|value| !value.is_null());
        let texts = || Some((there?.as_str()?, wanted.as_str()?));
        let numbers = || Some((there?.as_i64()?, wanted.as_i64()?));
        match self {
            Self::Eq => found.unwrap_or(&Value::Null) == wanted,
            Self::Ne => found.unwrap_or(&Value::Null) != wanted,
            Self::In => {
                wanted.as_array().is_some_and(|all| found.is_some_and(|it| all.contains(it)))
            }
            Self::Ge => numbers().is_some_and(|(found, wanted)| found >= wanted),
            Self::Le => numbers().is_some_and(|(found, wanted)| found <= wanted),
            Self::Present => there.is_some(),
            Self::Absent => there.is_none(),
            Self::Starts => texts().is_some_and(|(found, wanted)| found.starts_with(wanted)),
            Self::Contains => texts().is_some_and(|(found, wanted)| found.contains(wanted)),
            Self::Integer => there.is_some_and(Value::is_i64),
        }
    }
}

/// `{ status = { of = ["forged"], is = "4xx" } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Names of kept answers.
    pub of: Vec<String>,
    /// A class (`2xx`), a status (`303`), or several with `|`.
    pub is: String,
    /// Whether one that fits is enough; else all must.
    #[serde(default)]
    pub any: bool,
}

impl Status {
    /// Whether a status fits.
    pub fn fits(&self, status: u16) -> bool {
        let text = status.to_string();
        self.is.split('|').map(str::trim).any(|wanted| {
            wanted == text
                || wanted
                    .strip_suffix("xx")
                    .is_some_and(|class| text.starts_with(class) && class.len() == 1)
        })
    }
}

/// `{ header = { of = ["home"], name = "content-type", op = "contains", value = "utf-8" } }`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderIs {
    /// Names of kept answers.
    pub of: Vec<String>,
    /// The header, in lower case.
    pub name: String,
    /// How it is compared.
    #[serde(default)]
    pub op: Op,
    /// With what.
    #[serde(default)]
    pub value: Value,
}

/// `{ body = { of = ["home"], contains = ["…"], absent = ["sk_"] } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyHas {
    /// Names of kept answers.
    pub of: Vec<String>,
    /// What each contains.
    #[serde(default)]
    pub contains: Vec<String>,
    /// What none contains.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Whether each must have something in it.
    #[serde(default)]
    pub not_empty: bool,
}

/// `{ json = { of = "paid", at = "/payment_status", value = "paid" } }`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonIs {
    /// The name of something kept.
    pub of: String,
    /// A JSON pointer into it.
    pub at: String,
    /// How it is compared.
    #[serde(default)]
    pub op: Op,
    /// With what; may refer to something kept.
    #[serde(default)]
    pub value: Value,
}

/// `{ delivery = { event = "$event", first = "2xx", ends = "succeeded", within_ms = 1000 } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryIs {
    /// `$event`.
    pub event: String,
    /// How many attempts there were, all deliveries together.
    pub attempts: Option<usize>,
    /// How many at least.
    pub attempts_min: Option<usize>,
    /// The status of the first attempt, as in `status`.
    pub first: Option<String>,
    /// `succeeded`, `failed` or `pending`: where the newest delivery stands.
    pub ends: Option<String>,
    /// Milliseconds that the last attempt may have taken.
    pub within_ms: Option<u64>,
}

/// `{ ledger_row = { session = "$paid", has = { status = "paid", amount = 500 } } }`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRow {
    /// `$paid`.
    pub session: String,
    /// Columns with the values that they must have.
    #[serde(default)]
    pub has: BTreeMap<String, Value>,
    /// Columns that must not be empty.
    #[serde(default)]
    pub filled: Vec<String>,
    /// Columns with instants; one that is there must be near the value, or near the application's present.
    #[serde(default)]
    pub near: BTreeMap<String, Value>,
    /// Columns that must be whole numbers.
    #[serde(default)]
    pub integers: Vec<String>,
    /// Milliseconds within which it may come to be so.
    #[serde(default)]
    pub within_ms: u64,
    /// How many rows the session has; not looked at where left out.
    pub times: Option<usize>,
}

/// `{ verdicts = { of = "compared", only = ["MATCH"], at_least = 3 } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdicts {
    /// The name of a comparison that was kept.
    pub of: String,
    /// The verdicts that may occur.
    pub only: Vec<String>,
    /// Statuses at the provider under which a session may lack its row.
    #[serde(default)]
    pub may_lack: Vec<String>,
    /// How many lines there must be.
    #[serde(default)]
    pub at_least: usize,
}

/// `{ log = { contains = ["$paid.id"] } }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogHas {
    /// What one and the same line contains.
    pub line: Vec<String>,
    /// What the log contains, anywhere.
    pub contains: Vec<String>,
    /// What it does not contain.
    pub absent: Vec<String>,
}

/// Where secrets are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// The application's log.
    Log,
    /// Answers of the application that were kept.
    Answers,
    /// Files of the project.
    Project,
}

/// `{ files = { exist = ["README.md"], ignored = [".env"] } }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesAre {
    /// Files that must be there.
    pub exist: Vec<String>,
    /// Files that git must not track.
    pub untracked: Vec<String>,
    /// Names that `.gitignore` must have.
    pub ignored: Vec<String>,
    /// What the learner's own project must have beside; several with `|` of which one is enough.
    pub own: Vec<String>,
    /// Whether the learner's own project must be committed as it is, where git has it.
    pub clean: bool,
}

/// `{ mentions = { file = "README.md", all = { backup = "backup|バックアップ" } } }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mentions {
    /// The file, or several with `|` of which any may speak.
    pub file: String,
    /// Topics by name; each is one word or several with `|` of which one is enough.
    pub all: BTreeMap<String, String>,
}

/// `{ says = { of = ["forged"], what = ["version"] } }`, or `event = "$event"` for the answers to its deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// Names of kept answers.
    #[serde(default)]
    pub of: Vec<String>,
    /// The event whose deliveries were answered.
    pub event: Option<String>,
    /// What one of them says.
    pub what: Vec<Said>,
}

/// `{ fields = { of = "recorded", are = { "/status" = "complete", "/amount_total" = 500 } } }`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The name of something kept.
    pub of: String,
    /// What each member is, by JSON pointer; may refer to something kept.
    pub are: BTreeMap<String, Value>,
}

/// A way to sign that fits only whoever makes a certain mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    /// As it should be.
    Well,
    /// With another secret that is known here: of the settings, of the provider's endpoint, of an earlier run.
    OtherSecret,
    /// With the secret and a blank, a line end or quotes around it.
    Whitespace,
    /// With the endpoint's id in place of its secret.
    EndpointId,
    /// With the secret without its `whsec_`.
    NoPrefix,
    /// With no secret at all.
    EmptySecret,
    /// Over the body as a JSON library writes it again.
    Reserialised,
}

fn failing() -> String {
    "3xx|4xx|5xx".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_fits_its_class_or_itself() {
        let status = |is: &str| Status { of: vec![], is: is.to_owned(), any: false };
        assert!(status("4xx").fits(404) && !status("4xx").fits(200));
        assert!(status("303|302").fits(302) && !status("303|302").fits(307));
        assert!(!status("xx").fits(200) && !status("").fits(200));
    }

    #[test]
    fn operators_hold_for_what_they_say() {
        let five = json!(5);
        assert!(Op::Eq.holds(Some(&five), &json!(5)) && !Op::Eq.holds(Some(&five), &json!("5")));
        assert!(
            Op::Absent.holds(Some(&Value::Null), &Value::Null) && Op::Absent.holds(None, &five)
        );
        assert!(Op::In.holds(Some(&five), &json!([4, 5])) && !Op::In.holds(None, &json!([4])));
        assert!(!Op::Ge.holds(Some(&json!("5")), &json!(5)));
        assert!(Op::Starts.holds(Some(&json!("cs_1")), &json!("cs_")));
        assert!(
            Op::Integer.holds(Some(&five), &Value::Null)
                && !Op::Integer.holds(Some(&json!(5.5)), &Value::Null)
        );
    }

    #[test]
    fn a_claim_has_one_subject() {
        assert!(serde_json::from_value::<Claim>(json!({"alive": {}})).is_ok());
        assert!(serde_json::from_value::<Claim>(json!({})).is_err());
        let two = json!({"alive": {}, "key": {"kinds": [], "live": false}});
        assert!(serde_json::from_value::<Claim>(two).is_err());
        assert!(serde_json::from_value::<Claim>(json!({"alve": {}})).is_err());
    }
}
