//! What an error of the system says about a file that keeps data.

use crate::domain::data_file::FileState;
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use std::io;

/// The trouble behind an error.
pub fn of(error: &io::Error) -> FileState {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileState::Full,
        io::ErrorKind::ReadOnlyFilesystem => FileState::ReadOnly,
        _ => FileState::Unusable,
    }
}

/// The trouble behind an error of SQLite.
pub fn of_sqlite(error: &rusqlite::Error) -> FileState {
    // Memory that is shared lies in a file of its own: it cannot be made longer where the disk has no room.
    let no_room = error.sqlite_error().is_some_and(|it| it.extended_code == SQLITE_IOERR_SHMSIZE);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FileState::Busy,
        Some(ErrorCode::DiskFull) => FileState::Full,
        Some(ErrorCode::SystemIoFailure) if no_room => FileState::Full,
        Some(ErrorCode::ReadOnly) => FileState::ReadOnly,
        // A row that we never wrote, or a table that is not there; without a code it is our reading of a value.
        None
        | Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::Unknown,
        ) => FileState::Broken,
        Some(_) => FileState::Unusable,
    }
}
