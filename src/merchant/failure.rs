//! Why something that was asked for is not done.

use crate::store::StoreError;
use crate::stripe::failure::{Error, ErrorKind};
use crate::words::merchant::Words;
use hyper::StatusCode;

/// A sentence, in the language of whoever reads it.
pub type Said = fn(&'static Words) -> &'static str;

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// It cannot be done as it was asked for.
    #[error("refused with {0}")]
    Refused(StatusCode, Said),
    /// It was tried too often.
    #[error("tried too often: {wait_s} s to wait")]
    TooOften {
        /// The seconds until it may be tried again.
        wait_s: i64,
    },
    /// The provider did not do it.
    #[error(transparent)]
    Provider(#[from] Error),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ShopError {
    /// Something that is asked for wrongly.
    pub const fn bad(said: Said) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, said)
    }

    /// Something that is not theirs to ask for.
    pub const fn forbidden(said: Said) -> Self {
        Self::Refused(StatusCode::FORBIDDEN, said)
    }

    /// Something that is not there.
    pub const fn missing(said: Said) -> Self {
        Self::Refused(StatusCode::NOT_FOUND, said)
    }

    /// Something that stands in the way.
    pub const fn conflict(said: Said) -> Self {
        Self::Refused(StatusCode::CONFLICT, said)
    }

    /// The status of an answer that says so.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Refused(status, _) => *status,
            Self::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Provider(_) => StatusCode::BAD_GATEWAY,
            Self::Store(error) if error.passes() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The sentence about it.
    pub fn said(&self, words: &'static Words) -> String {
        match self {
            Self::SignedOut => words.error_signed_out.to_owned(),
            Self::Refused(_, said) => said(words).to_owned(),
            Self::TooOften { wait_s } => words.error_too_often(&wait_s.to_string()),
            Self::Provider(error) if is_right_lacking(error) => words.error_rights.to_owned(),
            Self::Provider(_) => words.error_provider.to_owned(),
            Self::Store(_) => words.error_store.to_owned(),
        }
    }
}

/// Whether the shop's key may not do what was asked.
fn is_right_lacking(error: &Error) -> bool {
    error.api().is_some_and(|it| it.kind == ErrorKind::Permission)
}
