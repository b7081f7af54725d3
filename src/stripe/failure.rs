//! How a call fails, as values. Nothing here can show a key.

use crate::net::outbound::OutboundError;
use serde_json::Value;
use std::fmt;

/// Why a call gave no object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider answered with an error.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The provider did not answer.
    #[error("{base} does not answer: {reason}")]
    Unreachable {
        /// The base URL.
        base: String,
        /// What the network said.
        reason: String,
        /// Whether it took too long, rather than failed.
        timeout: bool,
    },
    /// The answer is not JSON of Stripe's shape: something else listens there.
    #[error("the answer (HTTP {status}) is not Stripe's")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// `Request-Id`, where there is one.
        request_id: Option<String>,
    },
    /// The base is no `http://` or `https://` URL.
    #[error("`{base}` is not a URL of an API")]
    BadBase {
        /// As given.
        base: String,
    },
    /// A live key would have travelled in the clear.
    #[error("a live key is not sent to {base}, which is not https")]
    Insecure {
        /// The base URL.
        base: String,
    },
    /// A value cannot stand in a header.
    #[error("the value for `{name}` cannot stand in a header")]
    BadHeader {
        /// The header.
        name: &'static str,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Client(#[from] OutboundError),
}

impl Error {
    /// The provider's own error, where it answered with one.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::BadBase { .. }
            | Self::Insecure { .. }
            | Self::BadHeader { .. }
            | Self::Client(_) => None,
        }
    }

    /// Whether the provider says that the object does not exist.
    pub fn is_missing(&self) -> bool {
        self.api().is_some_and(|error| error.code.as_deref() == Some("resource_missing"))
    }

    /// The network's reason with its causes; the URL is left out, for its query may say too much.
    pub(crate) fn unreachable(base: &str, error: reqwest::Error) -> Self {
        let timeout = error.is_timeout();
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            reason = inner.to_string();
            cause = inner.source();
        }
        Self::Unreachable { base: base.to_owned(), reason, timeout }
    }
}

/// The classes that the official libraries sort errors into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The card was refused.
    Card,
    /// The request was wrong, or names what does not exist.
    InvalidRequest,
    /// The key is missing, wrong or expired.
    Authentication,
    /// The key may not do this.
    Permission,
    /// The idempotency key was used for something else.
    Idempotency,
    /// Too many calls.
    RateLimit,
    /// The provider failed.
    Api,
}

/// An error that the provider answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Its class.
    pub kind: ErrorKind,
    /// HTTP status.
    pub status: u16,
    /// `error.code`.
    pub code: Option<String>,
    /// `error.decline_code`: the bank's reason.
    pub decline_code: Option<String>,
    /// `error.param`: the parameter at fault.
    pub param: Option<String>,
    /// `error.message`, in the provider's English.
    pub message: String,
    /// `Request-Id`, by which the provider's log finds the call.
    pub request_id: Option<String>,
    /// The PaymentIntent that failed, where the error carries one.
    pub payment_intent: Option<String>,
}

impl ApiError {
    /// Reads the envelope `{"error": {…}}`.
    pub fn read(status: u16, body: &Value, request_id: Option<String>) -> Self {
        let text = |name: &str| body.pointer(&format!("/error/{name}")).and_then(Value::as_str);
        let owned = |name: &str| text(name).map(str::to_owned);
        let code = owned("code");
        Self {
            kind: kind(status, text("type"), code.as_deref()),
            status,
            decline_code: owned("decline_code"),
            param: owned("param"),
            message: owned("message").unwrap_or_default(),
            payment_intent: owned("payment_intent/id"),
            code,
            request_id,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {}", self.message, self.status)?;
        for detail in [&self.code, &self.decline_code, &self.request_id].into_iter().flatten() {
            write!(f, ", {detail}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for ApiError {}

fn kind(status: u16, wire: Option<&str>, code: Option<&str>) -> ErrorKind {
    match (status, wire) {
        (400 | 404, Some("idempotency_error")) => ErrorKind::Idempotency,
        (400, _) if code == Some("rate_limit") => ErrorKind::RateLimit,
        (400 | 404, _) => ErrorKind::InvalidRequest,
        (401, _) => ErrorKind::Authentication,
        (402, _) => ErrorKind::Card,
        (403, _) => ErrorKind::Permission,
        (429, _) => ErrorKind::RateLimit,
        _ => ErrorKind::Api,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_sorted_as_the_official_libraries_do() {
        let kinds = [
            (400, "invalid_request_error", "", ErrorKind::InvalidRequest),
            (404, "invalid_request_error", "resource_missing", ErrorKind::InvalidRequest),
            (400, "idempotency_error", "", ErrorKind::Idempotency),
            (409, "idempotency_error", "idempotency_key_in_use", ErrorKind::Api),
            (400, "invalid_request_error", "rate_limit", ErrorKind::RateLimit),
            (401, "invalid_request_error", "", ErrorKind::Authentication),
            (402, "card_error", "card_declined", ErrorKind::Card),
            (403, "invalid_request_error", "", ErrorKind::Permission),
            (429, "invalid_request_error", "", ErrorKind::RateLimit),
            (500, "api_error", "", ErrorKind::Api),
        ];
        for (status, wire, code, expected) in kinds {
            let body = json!({"error": {"type": wire, "code": code, "message": "m"}});
            assert_eq!(ApiError::read(status, &body, None).kind, expected, "{status} {wire}");
        }
    }

    #[test]
    fn a_decline_says_why_and_which_intent() {
        let body = json!({"error": {"type": "card_error", "code": "card_declined",
            "decline_code": "insufficient_funds", "message": "Your card has insufficient funds.",
            "payment_intent": {"id": "pi_1"}}});
        let error = ApiError::read(402, &body, Some("req_1".to_owned()));
        assert_eq!(error.payment_intent.as_deref(), Some("pi_1"));
        assert_eq!(
            error.to_string(),
            "Your card has insufficient funds. (HTTP 402, card_declined, insufficient_funds, req_1)"
        );
    }
}
