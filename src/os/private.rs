//! Files and folders for their owner's eyes alone: what is kept holds signing secrets and who paid what.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder, and those above it, that only its owner can enter. One that is there stays as it is: it
/// may be shared on purpose.
pub fn folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How a file of ours is opened: one that is made can be read by its owner alone.
pub fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only unix has a mode"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the file where it is missing, and takes from everybody else what an older version let them read.
///
/// For SQLite's files: those beside them (`-wal`, `-shm`) get the mode of the file itself. An existing file is
/// never opened here, because closing it would give up the locks that this process has on it.
pub fn database(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    match options().write(true).create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            close(path);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Writes a file that only its owner can read.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = options().write(true).create(true).truncate(true).open(path)?;
    close(path);
    io::Write::write_all(&mut file, bytes)
}

/// Takes an existing file from everybody but its owner; somebody else's file stays as it is.
#[cfg(unix)]
pub fn close(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(about) = fs::metadata(path) else { return };
    let mode = about.permissions().mode();
    if about.is_file() && mode & 0o077 != 0 {
        let fewer = fs::Permissions::from_mode(mode & 0o700);
        if let Err(error) = fs::set_permissions(path, fewer) {
            tracing::debug!(%error, "the mode of a file could not be changed");
        }
    }
}

/// Files have no modes here.
#[cfg(not(unix))]
pub fn close(_: &Path) {}

/// Flushes a folder, so that the names in it outlast a power cut.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_its_owners_and_what_was_open_is_closed() {
        let own = tempfile::tempdir().unwrap();
        let path = own.path().join("a/b/x.db");
        database(&path).unwrap();
        assert_eq!((mode(&own.path().join("a")), mode(&own.path().join("a/b"))), (0o700, 0o700));
        assert_eq!(mode(&path), 0o600);
        fs::write(&path, "kept").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        database(&path).unwrap();
        assert_eq!((mode(&path), fs::read_to_string(&path).unwrap()), (0o600, "kept".to_owned()));
        let text = own.path().join("text");
        fs::write(&text, "older and longer").unwrap();
        write(&text, b"new").unwrap();
        assert_eq!((mode(&text), fs::read_to_string(&text).unwrap()), (0o600, "new".to_owned()));
    }
}
