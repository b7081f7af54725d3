//! The error envelope of the API: what went wrong, with Stripe's own words, codes and status.

use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Characters of what was sent that an answer repeats: enough to find it, whatever was sent.
const ECHO_MAX: usize = 200;

/// Characters that a message may have. Stripe's own longest ones list what could have been sent.
const MESSAGE_MAX: usize = 8_000;

/// What was sent, as an answer may repeat it: its beginning, where it is long.
pub fn echo(sent: &str) -> Cow<'_, str> {
    cut(sent, ECHO_MAX)
}

fn cut(text: &str, most: usize) -> Cow<'_, str> {
    // A text has as many bytes as characters at least: most need no look at their characters.
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// The four values of `error.type` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The provider failed.
    Api,
    /// The card was refused.
    Card,
    /// An idempotency key was used for something else.
    Idempotency,
    /// The request was wrong.
    InvalidRequest,
}

impl FailureKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api_error",
            Self::Card => "card_error",
            Self::Idempotency => "idempotency_error",
            Self::InvalidRequest => "invalid_request_error",
        }
    }
}

/// An API error as a value; [`Failure::body`] renders it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// `error.type`.
    pub kind: FailureKind,
    /// `error.code`, where Stripe has one.
    pub code: Option<String>,
    /// `error.message`, in English as Stripe sends it.
    pub message: String,
    /// `error.param`: the bracketed path of the parameter at fault.
    pub param: Option<String>,
    /// Further members of `error` (`decline_code`, `charge`, `payment_intent`, …).
    pub more: Map<String, Value>,
    /// Whether what the request changed before it failed stays (a declined charge does).
    pub keeps_changes: bool,
}

impl Failure {
    /// A 400 `invalid_request_error` without code or parameter.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: FailureKind::InvalidRequest,
            code: None,
            message: message.into(),
            param: None,
            more: Map::new(),
            keeps_changes: false,
        }
    }

    /// A failure of another status and type.
    pub fn of(status: u16, kind: FailureKind, message: impl Into<String>) -> Self {
        Self { status, kind, ..Self::invalid(message) }
    }

    /// A number that has to be one or more and is not.
    pub fn below_one(param: impl Into<String>) -> Self {
        let text = "This value must be greater than or equal to 1.";
        Self::invalid(text).code("parameter_invalid_integer").param(param)
    }

    /// `No such customer: 'cus_x'`, 404 where the id stood in the path, 400 where a parameter named it.
    pub fn missing(noun: &str, id: &str, param: &str) -> Self {
        let status = if param == "id" { 404 } else { 400 };
        Self { status, ..Self::invalid(format!("No such {noun}: '{}'", echo(id))) }
            .code("resource_missing")
            .param(param)
    }

    /// With `error.code`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With `error.param`.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(echo(&param.into()).into_owned());
        self
    }

    /// With a further member of `error`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Keeps what the request changed before it failed.
    #[must_use]
    pub const fn keeping_changes(mut self) -> Self {
        self.keeps_changes = true;
        self
    }

    /// The JSON envelope, without `request_log_url`, which only the front knows.
    pub fn body(&self) -> Value {
        let mut error = self.more.clone();
        error.insert("type".to_owned(), json!(self.kind.name()));
        error.insert("message".to_owned(), json!(cut(&self.message, MESSAGE_MAX)));
        if let Some(code) = &self.code {
            let page = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
            error.insert("code".to_owned(), json!(code));
            error.insert("doc_url".to_owned(), json!(page));
        }
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), json!(param));
        }
        json!({ "error": error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_repeats_only_the_beginning_of_what_was_sent() {
        let long = "あ".repeat(300_000);
        let failure = Failure::missing("customer", &long, &long).body().to_string();
        assert!(failure.chars().count() < 700, "{}", failure.len());
        assert!(failure.contains(&format!("{}…'", "あ".repeat(200))));
        let exact = "é".repeat(200);
        assert_eq!(echo(&exact), exact);
        let net =
            Failure::invalid(long).body()["error"]["message"].as_str().unwrap().chars().count();
        assert_eq!(net, MESSAGE_MAX + 1);
    }

    #[test]
    fn a_missing_object_is_404_in_the_path_and_400_in_a_parameter() {
        assert_eq!(Failure::missing("customer", "cus_x", "id").status, 404);
        let failure = Failure::missing("customer", "cus_x", "customer");
        assert_eq!(failure.status, 400);
        let body = failure.body();
        assert_eq!(body["error"]["message"], "No such customer: 'cus_x'");
        assert_eq!(
            body["error"]["doc_url"],
            "https://stripe.com/docs/error-codes/resource-missing"
        );
    }
}
