//! Where copies are put aside before something is set back or merged.

use crate::domain::time::Timestamp;
use std::path::{Path, PathBuf};

/// A folder for what is put aside at this instant; one that is there already keeps what it has.
pub fn folder(home: &Path, now: Timestamp) -> PathBuf {
    let stamp = now.rfc3339().replace(':', "");
    let all = home.join("backup");
    let (mut folder, mut count) = (all.join(&stamp), 1_u64);
    while folder.exists() {
        count += 1;
        folder = all.join(format!("{stamp}-{count}"));
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_within_one_second_is_kept_apart() {
        let home = tempfile::tempdir().unwrap();
        let make = || {
            let folder = folder(home.path(), Timestamp(1_795_237_445));
            std::fs::create_dir_all(&folder).unwrap();
            folder
        };
        let [a, b, c] = [make(), make(), make()];
        assert!(a != b && b != c && a != c && c.ends_with("2026-11-21T050405Z-3"), "{c:?}");
    }
}
