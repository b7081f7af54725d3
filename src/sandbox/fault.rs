//! Faults on demand: rules that let the next requests of an endpoint fail, so that a client's retries can be
//! tested. Pure: which request a rule means, how often, and what is answered instead.

use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The header by which one request asks for its own fault.
pub const HEADER: &str = "stripegym-fault";

/// How long a request that gets no answer is kept waiting: longer than the 80 seconds that official libraries wait.
pub const SILENCE: Duration = Duration::from_secs(90);

/// Rules that one world may have.
pub const RULES_MAX: usize = 100;

/// How often one rule may fail requests.
pub const TIMES_MAX: u32 = 1_000_000;

/// Bytes that a pattern may have.
const PATTERN_MAX: usize = 500;

/// What happens to a request instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 429: too many requests.
    RateLimit,
    /// 409: the object is in use.
    Conflict,
    /// 429: the object is in use, the status that recordings show.
    Lock,
    /// 500: the provider's own fault.
    Internal,
    /// No answer at all; nothing is done.
    Timeout,
    /// The work is done, and the connection closed without an answer.
    Cut,
    /// The connection is closed without an answer; nothing is done.
    CutBefore,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RateLimit,
        Self::Conflict,
        Self::Lock,
        Self::Internal,
        Self::Timeout,
        Self::Cut,
        Self::CutBefore,
    ];

    /// The name, as it is typed and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimit => "429",
            Self::Conflict => "409-lock",
            Self::Lock => "429-lock",
            Self::Internal => "500",
            Self::Timeout => "timeout",
            Self::Cut => "cut",
            Self::CutBefore => "cut-before",
        }
    }

    /// The answer of a name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.name() == name)
    }

    /// What is answered in place of the work, in Stripe's words; `None` where nothing is answered.
    pub fn failure(self) -> Option<Failure> {
        let locked = |status| {
            let text = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate. For more details, see https://stripe.com/docs/rate-limits#object-lock-timeouts.";
            Failure::of(status, FailureKind::InvalidRequest, text).code("lock_timeout")
        };
        Some(match self {
            Self::RateLimit => {
                let text = "Testmode request rate limit exceeded, the rate limits in testmode are lower than livemode. You can learn more about rate limits here https://stripe.com/docs/rate-limits.";
                Failure::of(429, FailureKind::InvalidRequest, text).code("rate_limit")
            }
            Self::Conflict => locked(409),
            Self::Lock => locked(429),
            // The words are believed: no recording has a 500.
            Self::Internal => Failure::of(500, FailureKind::Api, "An unknown error occurred."),
            Self::Timeout | Self::Cut | Self::CutBefore => return None,
        })
    }

    /// Whether the connection ends without an answer.
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Timeout | Self::Cut | Self::CutBefore)
    }

    /// Whether the work is done all the same.
    pub const fn works(self) -> bool {
        matches!(self, Self::Cut)
    }
}

/// Which paths are meant: `/v1/customers`, `/v1/customers/{id}`, `/v1/payment_intents/*`.
///
/// `{…}` stands for one segment, `*` for one segment, and at the end for one or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern; `None` for what does not begin with `/` or is too long.
    pub fn read(text: &str) -> Option<Self> {
        let fits = text.starts_with('/') && text.len() <= PATTERN_MAX;
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether it means this path.
    pub fn means(&self, path: &str) -> bool {
        let mut wanted = self.0.split('/').peekable();
        let mut given = path.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("*"), Some(segment)) if wanted.peek().is_none() => {
                    return !segment.is_empty();
                }
                (Some(wish), Some(segment)) if is_placeholder(wish) => {
                    if segment.is_empty() {
                        return false;
                    }
                }
                (Some(wish), Some(segment)) if wish == segment => {}
                _ => return false,
            }
        }
    }
}

fn is_placeholder(segment: &str) -> bool {
    segment == "*" || (segment.starts_with('{') && segment.ends_with('}'))
}

/// Why a rule is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The request is not named as `METHOD /path`.
    #[error(
        "Name the request as METHOD /path, such as `POST /v1/payment_intents` or `* /v1/customers/{{id}}`: METHOD is GET, POST, DELETE or *, and the path begins with /v1/, /v2/ or /creem/v1/."
    )]
    Request,
    /// The answer has no such name.
    #[error("The answer is one of 429, 409-lock, 429-lock, 500, timeout, cut, cut-before.")]
    Answer,
    /// The count is none.
    #[error("`times` is a whole number from 1 to 1000000.")]
    Times,
    /// There are too many.
    #[error("A world has at most 100 rules: clear them first (DELETE /_stripegym/faults).")]
    TooMany,
}

/// A rule: the next requests that it means fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `GET`, `POST`, `DELETE`; `None` for any.
    method: Option<&'static str>,
    path: Pattern,
    answer: Answer,
    times: u32,
    used: u32,
}

impl Rule {
    /// A rule for requests `on` (`POST /v1/payment_intents`), which fail `times` times with `answer`.
    pub fn read(on: &str, answer: &str, times: &str) -> Result<Self, RuleError> {
        let (method, path) = on.trim().split_once(' ').ok_or(RuleError::Request)?;
        let method = match method {
            "*" => None,
            method => {
                let mut known = ["GET", "POST", "DELETE"].into_iter();
                let known = known.find(|known| known.eq_ignore_ascii_case(method));
                Some(known.ok_or(RuleError::Request)?)
            }
        };
        let path = path.trim();
        let is_api = ["/v1/", "/v2/", "/creem/v1/"].iter().any(|root| path.starts_with(root));
        let path = Pattern::read(path).filter(|_| is_api).ok_or(RuleError::Request)?;
        let answer = Answer::read(answer).ok_or(RuleError::Answer)?;
        let times = times.parse::<u32>().ok().filter(|n| (1..=TIMES_MAX).contains(n));
        Ok(Self { method, path, answer, times: times.ok_or(RuleError::Times)?, used: 0 })
    }

    /// The rule as the sandbox's controls show it.
    pub fn show(&self) -> Value {
        json!({
            "on": format!("{} {}", self.method.unwrap_or("*"), self.path.0),
            "answer": self.answer.name(), "times": self.times, "used": self.used,
        })
    }

    fn means(&self, method: &str, path: &str) -> bool {
        self.used < self.times
            && self.method.is_none_or(|wanted| wanted == method)
            && self.path.means(path)
    }
}

/// The rules of every world, in memory: a restart forgets them.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<HashMap<Arc<str>, Vec<Rule>>>,
}

impl Faults {
    /// Adds a rule to a world. Rules are asked in the order in which they were added.
    pub fn add(&self, world: &Arc<str>, rule: Rule) -> Result<(), RuleError> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = rules.entry(Arc::clone(world)).or_default();
        if rules.len() >= RULES_MAX {
            // What is used up is of interest only as long as there is room for it.
            rules.retain(|rule| rule.used < rule.times);
        }
        if rules.len() >= RULES_MAX {
            return Err(RuleError::TooMany);
        }
        rules.push(rule);
        Ok(())
    }

    /// The rules of a world, those that are used up included.
    pub fn list(&self, world: &str) -> Vec<Rule> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.get(world).cloned().unwrap_or_default()
    }

    /// Forgets the rules of a world; how many there were.
    pub fn clear(&self, world: &str) -> usize {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.remove(world).map_or(0, |rules| rules.len())
    }

    /// What a request gets instead of its answer, if anything; this counts as one use of the rule.
    pub fn take(&self, world: &str, method: &str, path: &str) -> Option<Answer> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.get_mut(world)?.iter_mut().find(|rule| rule.means(method, path))?;
        rule.used += 1;
        Some(rule.answer)
    }
}

/// What the request itself asks for by its header.
///
/// Fails for a name that no answer has.
pub fn asked(header: Option<&str>) -> Result<Option<Answer>, Failure> {
    let Some(name) = header else { return Ok(None) };
    Answer::read(name.trim()).map(Some).ok_or_else(|| {
        Failure::invalid(format!("Invalid Stripegym-Fault header. {}", RuleError::Answer))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(pattern: &str, path: &str) -> bool {
        Pattern::read(pattern).unwrap().means(path)
    }

    #[test]
    fn a_placeholder_is_one_segment_and_a_star_at_the_end_is_the_rest() {
        assert!(means("/v1/customers", "/v1/customers"));
        assert!(!means("/v1/customers", "/v1/customers/cus_1"));
        assert!(means("/v1/customers/{id}", "/v1/customers/cus_1"));
        assert!(!means("/v1/customers/{id}", "/v1/customers"));
        assert!(!means("/v1/customers/{id}", "/v1/customers/"));
        assert!(!means("/v1/customers/{id}", "/v1/customers/cus_1/sources"));
        assert!(means("/v1/payment_intents/*", "/v1/payment_intents/pi_1/confirm"));
        assert!(means("/v1/*/pi_1/confirm", "/v1/payment_intents/pi_1/confirm"));
        assert!(!means("/v1/*/pi_1", "/v1/payment_intents/pi_1/confirm"));
        assert!(!means("/v1/payment_intents/*", "/v1/payment_intents"));
        assert_eq!(Pattern::read("v1/customers"), None);
    }

    #[test]
    fn rules_are_used_in_their_order_as_often_as_they_say() {
        let faults = Faults::default();
        let world: Arc<str> = Arc::from("a");
        let rule = |on, answer, times| Rule::read(on, answer, times).unwrap();
        faults.add(&world, rule("POST /v1/customers", "429", "2")).unwrap();
        faults.add(&world, rule("* /v1/*", "cut", "1")).unwrap();
        assert_eq!(faults.take("", "POST", "/v1/customers"), None, "another world");
        let take = |method| faults.take("a", method, "/v1/customers");
        assert_eq!(take("GET"), Some(Answer::Cut));
        assert_eq!(take("GET"), None);
        assert_eq!(take("POST"), Some(Answer::RateLimit));
        assert_eq!(take("POST"), Some(Answer::RateLimit));
        assert_eq!(take("POST"), None);
        assert_eq!(faults.list("a")[0].show()["used"], 2);
        assert_eq!((faults.clear("a"), faults.clear("a")), (2, 0));
    }

    #[test]
    fn a_rule_must_be_one_and_there_are_not_too_many() {
        for on in ["POST", "/v1/customers", "PUT /v1/customers", "POST v1/x", "POST /_stripegym/x"]
        {
            assert_eq!(Rule::read(on, "429", "1"), Err(RuleError::Request), "{on}");
        }
        assert_eq!(Rule::read("GET /v1/x", "418", "1"), Err(RuleError::Answer));
        for times in ["0", "-1", "x", "1000001"] {
            assert_eq!(Rule::read("GET /v1/x", "500", times), Err(RuleError::Times), "{times}");
        }
        let (faults, world) = (Faults::default(), Arc::from(""));
        let one = Rule::read("post /v1/x", "500", "1").unwrap();
        for _ in 0..RULES_MAX {
            faults.add(&world, one.clone()).unwrap();
        }
        assert_eq!(faults.add(&world, one.clone()), Err(RuleError::TooMany));
        assert_eq!(faults.take("", "POST", "/v1/x"), Some(Answer::Internal));
        faults.add(&world, one).unwrap();
    }

    #[test]
    fn every_answer_is_found_by_its_name() {
        for answer in Answer::ALL {
            assert_eq!(Answer::read(answer.name()), Some(answer));
            assert!(RuleError::Answer.to_string().contains(answer.name()));
        }
        assert_eq!(asked(None).unwrap(), None);
        assert_eq!(asked(Some("cut")).unwrap(), Some(Answer::Cut));
        assert_eq!(asked(Some("418")).unwrap_err().status, 400);
    }
}
