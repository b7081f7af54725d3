//! From each layer's error to the fault that a person meets.

use crate::domain::data_file::DataFile;
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

/// A failure of a file that keeps data, which is at `path`, or on the server of that address.
pub fn of_store(error: &StoreError, file: DataFile, path: &Path) -> Fault {
    let path = path.display().to_string();
    if let StoreError::Servers { next, .. } = error {
        let kind = FaultKind::LedgerServers { url: path, next: next.clone() };
        return Fault::because(kind, error);
    }
    let Some(trouble) = error.trouble() else { return FaultKind::Interrupted.into() };
    Fault::because(FaultKind::Data { file, path, trouble }, error)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data_file::FileState;
    use crate::store::guard::Moved;
    use std::path::PathBuf;

    fn every_error(path: PathBuf) -> Vec<(StoreError, FileState)> {
        let reason = String::new;
        let of = |path: &PathBuf| path.clone();
        vec![
            (StoreError::Busy { path: of(&path) }, FileState::Busy),
            (StoreError::Reset { path: of(&path) }, FileState::Busy),
            (StoreError::Full { path: of(&path) }, FileState::Full),
            (StoreError::ReadOnly { path: of(&path) }, FileState::ReadOnly),
            (StoreError::Corrupt { path: of(&path), reason: reason() }, FileState::Broken),
            (StoreError::Newer { path: of(&path), found: 2, known: 1 }, FileState::Newer),
            (StoreError::Moved { path: of(&path), how: Moved::Removed }, FileState::Unusable),
            (StoreError::Io { path: of(&path), reason: reason() }, FileState::Unusable),
            (StoreError::Gone, FileState::Unusable),
            (StoreError::Away { path, reason: reason() }, FileState::Away),
        ]
    }

    #[test]
    fn a_failure_is_told_with_whose_file_it_is() {
        let mut names = std::collections::BTreeSet::new();
        for file in [DataFile::Ledger, DataFile::Shop, DataFile::Sandbox, DataFile::Progress] {
            let path = PathBuf::from("x.db");
            for (error, trouble) in every_error(path.clone()) {
                let fault = of_store(&error, file, &path);
                let wanted = FaultKind::Data { file, path: "x.db".to_owned(), trouble };
                assert_eq!(*fault.kind, wanted, "{error}");
                names.insert((fault.kind.name(), format!("{file:?}")));
            }
            assert_eq!(
                *of_store(&StoreError::Interrupted, file, &path).kind,
                FaultKind::Interrupted
            );
        }
        let whose = names.iter().filter(|(name, _)| !matches!(*name, "disk_full" | "newer_file"));
        let names: Vec<_> = whose.map(|(name, _)| name).collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "a name belongs to one file");
    }
}
