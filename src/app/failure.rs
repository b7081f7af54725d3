//! From each layer's error to the fault that a person meets.

use crate::domain::fault::{Fault, FaultKind};
use crate::shop::listener::ListenerError;
use crate::store::StoreError;
use crate::stripe::failure::Error;
use std::path::Path;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(error) => FaultKind::ProviderRefused {
                status: error.status,
                message: error.message.clone(),
                code: error.code.clone(),
                param: error.param.clone(),
                request: error.request_id.clone(),
            }
            .into(),
            Error::Unreachable { base, reason, .. } => {
                Self::because(FaultKind::ProviderDown { base }, reason)
            }
            Error::BadBase { .. } => FaultKind::Setting {
                name: "STRIPE_API_BASE".to_owned(),
                origin: "settings".to_owned(),
                expected: "http://127.0.0.1:12111".to_owned(),
            }
            .into(),
            Error::Insecure { .. } => {
                let name = "STRIPE_SECRET_KEY".to_owned();
                Self::because(FaultKind::LiveKey { name, origin: "http".to_owned() }, error)
            }
            Error::Unreadable { .. } | Error::BadHeader { .. } | Error::Client(_) => {
                let what = error.to_string();
                FaultKind::ProviderOdd { what }.into()
            }
        }
    }
}

/// A failure of the ledger, which is the file at `path`, or the server of that address.
pub fn of_store(error: &StoreError, path: &Path) -> Fault {
    let path = path.display().to_string();
    match error {
        StoreError::Busy { .. } | StoreError::Reset { .. } => {
            Fault::because(FaultKind::LedgerBusy { path }, error)
        }
        StoreError::Corrupt { .. } => Fault::because(FaultKind::LedgerBroken { path }, error),
        StoreError::Full { .. } => Fault::because(FaultKind::DiskFull { path }, error),
        StoreError::Newer { .. } => Fault::because(FaultKind::Newer { path }, error),
        StoreError::Interrupted => FaultKind::Interrupted.into(),
        StoreError::Away { .. } => Fault::because(FaultKind::LedgerServer { url: path }, error),
        StoreError::Servers { next, .. } => {
            Fault::because(FaultKind::LedgerServers { url: path, next: next.clone() }, error)
        }
        StoreError::Moved { .. } | StoreError::Io { .. } | StoreError::Gone => {
            Fault::because(FaultKind::Ledger { path }, error)
        }
    }
}

/// A failure of the progress file at `path`.
pub fn of_progress(error: &StoreError, path: &Path) -> Fault {
    let path = path.display().to_string();
    Fault::because(
        match error {
            StoreError::Corrupt { .. } => FaultKind::ProgressBroken { path },
            StoreError::Full { .. } => FaultKind::DiskFull { path },
            StoreError::Newer { .. } => FaultKind::Newer { path },
            StoreError::Busy { .. }
            | StoreError::Reset { .. }
            | StoreError::Moved { .. }
            | StoreError::Io { .. }
            | StoreError::Away { .. }
            | StoreError::Servers { .. }
            | StoreError::Gone => FaultKind::File { path },
            StoreError::Interrupted => FaultKind::Interrupted,
        },
        error,
    )
}

/// A listener that did not start.
pub fn of_listener(error: &ListenerError, command: &str) -> Fault {
    match error {
        ListenerError::Bind { addr, source } => {
            let problem =
                FaultKind::PortTaken { address: addr.to_string(), command: command.to_owned() };
            Fault::because(problem, source)
        }
        ListenerError::Forward(cause) => {
            Fault::because(FaultKind::ProviderOdd { what: "--forward-to".to_owned() }, cause)
        }
    }
}
