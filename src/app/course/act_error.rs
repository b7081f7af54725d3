//! Why an act did not come to what it should.

use crate::domain::course::statement::Statement;
use crate::domain::fault::{Fault, FaultKind};
use crate::stripe::failure::Error;

/// What went wrong in an act.
#[derive(Clone, Debug)]
pub enum ActError {
    /// The application, or the provider because of it, did not behave: the check fails.
    Mismatch {
        /// What was expected.
        expected: Box<Statement>,
        /// What was found.
        got: Box<Statement>,
    },
    /// The surroundings failed: the run ends.
    Surroundings(Fault),
}

impl ActError {
    /// Something else was found than what was expected.
    pub fn mismatch(expected: impl Into<Statement>, got: impl Into<Statement>) -> Self {
        Self::Mismatch { expected: Box::new(expected.into()), got: Box::new(got.into()) }
    }

    /// A reference that leads to nothing: an act before it did not come to what it should.
    pub fn unknown(reference: &str) -> Self {
        Self::mismatch(reference, "–")
    }

    /// There is no HTTP client.
    pub fn client(error: &impl ToString) -> Fault {
        Fault::because(FaultKind::Bug { what: "no HTTP client".to_owned() }, error.to_string())
    }
}

impl From<Fault> for ActError {
    fn from(fault: Fault) -> Self {
        match &*fault.kind {
            FaultKind::ProviderRefused { status, message, .. } => {
                Self::mismatch("2xx", format!("{status} {message}"))
            }
            FaultKind::Program { address, .. } => {
                let cause = fault.cause.as_deref().unwrap_or_default().replace('\n', " ⏎ ");
                Self::mismatch(address.clone(), format!("{} {cause}", fault.kind.name()))
            }
            FaultKind::Page { what, .. } => Self::mismatch("a payment page", what.clone()),
            _ => Self::Surroundings(fault),
        }
    }
}

impl From<FaultKind> for ActError {
    fn from(problem: FaultKind) -> Self {
        Fault::from(problem).into()
    }
}

impl From<Error> for ActError {
    fn from(error: Error) -> Self {
        Fault::from(error).into()
    }
}
