//! What an error of the store says about its file.

use crate::domain::data_file::FileState;
use crate::os::trouble;
use crate::store::StoreError;
use std::io;
use std::path::Path;

impl StoreError {
    /// What the system said of the file at `path`.
    pub fn of_system(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match trouble::of(error) {
            FileState::Full => Self::Full { path },
            FileState::ReadOnly => Self::ReadOnly { path },
            _ => Self::Io { path, reason: error.to_string() },
        }
    }

    /// What is wrong with the file; `None` where nothing is, and a person ended it.
    pub const fn trouble(&self) -> Option<FileState> {
        Some(match self {
            Self::Busy { .. } | Self::Reset { .. } => FileState::Busy,
            Self::Full { .. } => FileState::Full,
            Self::ReadOnly { .. } => FileState::ReadOnly,
            Self::Corrupt { .. } => FileState::Broken,
            Self::Newer { .. } => FileState::Newer,
            Self::Away { .. } => FileState::Away,
            Self::Moved { .. } | Self::Io { .. } | Self::Servers { .. } | Self::Gone => {
                FileState::Unusable
            }
            Self::Interrupted => return None,
        })
    }

    /// The file, or the address without a password; nothing where it is about none.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Busy { path }
            | Self::Full { path }
            | Self::ReadOnly { path }
            | Self::Reset { path }
            | Self::Corrupt { path, .. }
            | Self::Newer { path, .. }
            | Self::Moved { path, .. }
            | Self::Io { path, .. }
            | Self::Away { path, .. }
            | Self::Servers { path, .. } => Some(path),
            Self::Gone | Self::Interrupted => None,
        }
    }

    /// Whether it passes by itself, or once a person has seen to it, while this process goes on: whoever
    /// sent something sends it again.
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Full { .. }
                | Self::ReadOnly { .. }
                | Self::Moved { .. }
                | Self::Reset { .. }
                | Self::Io { .. }
                | Self::Away { .. }
        )
    }
}
