//! What an error of the system says about a file that keeps data.

use crate::domain::data_file::FileState;
use std::io;

/// The trouble behind an error.
pub fn of(error: &io::Error) -> FileState {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileState::Full,
        io::ErrorKind::ReadOnlyFilesystem => FileState::ReadOnly,
        _ => FileState::Unusable,
    }
}
