//! Why an act did not come to what it should.

use crate::domain::fault::{Fault, Problem};
use crate::stripe::failure::Error;

/// What went wrong in an act.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The application, or the provider because of it, did not behave: the check fails.
    Short {
        /// What was expected.
        expected: String,
        /// What was found.
        got: String,
    },
    /// The surroundings failed: the run ends.
    World(Fault),
}

impl Trouble {
    /// Something else was found than what was expected.
    pub fn short(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Short { expected: expected.into(), got: got.into() }
    }

    /// A reference that leads to nothing: an act before it did not come to what it should.
    pub fn unknown(reference: &str) -> Self {
        Self::short(reference, "–")
    }

    /// There is no HTTP client.
    pub fn client(error: &impl ToString) -> Fault {
        Fault::because(Problem::Bug { what: "no HTTP client".to_owned() }, error.to_string())
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match &*fault.problem {
            Problem::ProviderRefused { status, message, .. } => {
                Self::short("2xx", format!("{status} {message}"))
            }
            Problem::Program { address, .. } => {
                let cause = fault.cause.as_deref().unwrap_or_default().replace('\n', " ⏎ ");
                Self::short(address.clone(), format!("{} {cause}", fault.problem.name()))
            }
            Problem::Page { what, .. } => Self::short("a payment page", what.clone()),
            _ => Self::World(fault),
        }
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Fault::from(problem).into()
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Fault::from(error).into()
    }
}
