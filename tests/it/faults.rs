//! A disk that fails on demand, under the real program: calls that end in an error, writes that are torn, and
//! power cuts after which only what was flushed is left. `tests/tools/faults.c` does it, loaded with
//! `LD_PRELOAD`.
//!
//! ```ignore
//! let faults = Faults::over(&env.path().join(".stripegym"));
//! let mut sandbox = Running::new(faults.under(env.command(&["sandbox"])), env.path());
//! faults.set(&["write 1+ ENOSPC sandbox.db"]); // until `clear`
//! faults.cut(&mut sandbox);                    // kill -9, then the folder as a power cut leaves it
//! ```

use crate::env::{Running, outer_path};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The faults of one folder. One program at a time is started under them.
pub(crate) struct Faults {
    folder: PathBuf,
    own: tempfile::TempDir,
}

impl Faults {
    /// Faults for the files in `folder`, which is made where it is missing.
    pub(crate) fn over(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        Self { folder: folder.canonicalize().unwrap(), own: tempfile::tempdir().unwrap() }
    }

    /// The command, under faults; what the folder holds now counts as being on the disk.
    pub(crate) fn under(&self, mut command: Command) -> Command {
        let disk = self.disk();
        if disk.exists() {
            fs::remove_dir_all(&disk).unwrap();
        }
        fs::create_dir_all(disk.join("data")).unwrap();
        fs::create_dir_all(disk.join("names")).unwrap();
        self.image(&self.folder, "root");
        self.clear();
        command.env("LD_PRELOAD", library());
        command.env("FAULTS_DIR", &self.folder);
        command.env("FAULTS_CONTROL", self.control());
        command.env("FAULTS_DISK", &disk);
        command
    }

    /// From now on calls fail by these rules (`write 3 EIO ledger.db-wal`; the head of `faults.c` has the
    /// form). Rules that were set before are gone.
    pub(crate) fn set(&self, rules: &[&str]) {
        // A new file each time: the program sees by its inode that there is something to read.
        let draft = self.own.path().join("draft");
        fs::write(&draft, format!("{}\n", rules.join("\n"))).unwrap();
        fs::rename(draft, self.control()).unwrap();
    }

    /// Nothing fails any more.
    pub(crate) fn clear(&self) {
        self.set(&[]);
    }

    /// The calls that were made to fail so far, `write /…/ledger.db`: a test that proves something about a
    /// fault first proves that there was one.
    pub(crate) fn hits(&self) -> Vec<String> {
        let log = self.own.path().join("control.log");
        fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Ends the program as a power cut does: it is killed, and the folder is left with the names that its
    /// folders had, and the bytes that its files had, when each was flushed last.
    pub(crate) fn cut(&self, running: &mut Running) {
        running.kill();
        for entry in fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        self.restore(&self.folder, "root");
    }

    fn control(&self) -> PathBuf {
        self.own.path().join("control")
    }

    fn disk(&self) -> PathBuf {
        self.own.path().join("disk")
    }

    /// Takes what a folder holds into the image of the disk.
    fn image(&self, folder: &Path, id: &str) {
        let mut names = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (name, about) =
                (entry.file_name().into_string().unwrap(), entry.metadata().unwrap());
            let child = about.ino().to_string();
            if about.is_dir() {
                names.extend([format!("d {child} {name}\n")]);
                self.image(&entry.path(), &child);
            } else if about.is_file() && !name.ends_with("-shm") {
                names.extend([format!("f {child} {name}\n")]);
                fs::copy(entry.path(), self.disk().join("data").join(child)).unwrap();
            }
        }
        fs::write(self.disk().join("names").join(id), names).unwrap();
    }

    fn restore(&self, folder: &Path, id: &str) {
        // A folder that was never flushed is empty, and so is a file.
        let names = fs::read_to_string(self.disk().join("names").join(id)).unwrap_or_default();
        for line in names.lines() {
            let mut parts = line.splitn(3, ' ');
            let (kind, child, name) =
                (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            let path = folder.join(name);
            if kind == "d" {
                fs::create_dir(&path).unwrap();
                self.restore(&path, child);
            } else if !name.ends_with("-shm") {
                let bytes = fs::read(self.disk().join("data").join(child)).unwrap_or_default();
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// Compiles `faults.c`; the path of the library.
fn library() -> PathBuf {
    compiled("faults", "faults.so", &["-shared", "-fPIC"])
}

/// Compiles a program of `tests/tools`.
fn compiled(source: &str, name: &str, flags: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/tools/{source}.c"));
    let own = tempfile::tempdir_in(folder).unwrap();
    let draft = own.path().join(name);
    let built = Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror"])
        .args(flags)
        .arg("-o")
        .args([&draft, &source])
        .args(["-ldl", "-lpthread"])
        .env("PATH", outer_path())
        .output()
        .expect("these tests need a C compiler: apt-get install gcc libc6-dev");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    // Several tests may do this at once; whoever renames last puts the same there.
    let done = folder.join(name);
    fs::rename(draft, &done).unwrap();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the probe in the followed folder.
    fn probe(faults: &Faults, what: &str) -> Running {
        let mut command = Command::new(compiled("faults_probe", "probe", &[]));
        command.arg(what).current_dir(&faults.folder).env_clear();
        Running::new(faults.under(command), faults.own.path())
    }

    #[test]
    fn a_power_cut_leaves_what_was_flushed_and_nothing_else() {
        let own = tempfile::tempdir().unwrap();
        let faults = Faults::over(own.path());
        for name in ["old", "gone", "stays"] {
            fs::write(own.path().join(name), name).unwrap();
        }
        let mut running = probe(&faults, "cut");
        running.line_with("done");
        faults.cut(&mut running);
        let mut left: Vec<(String, String)> = fs::read_dir(own.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        left.sort();
        let left: Vec<_> = left.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let expected = [("kept", "flushed"), ("old", "old"), ("stays", "stays"), ("unflushed", "")];
        assert_eq!(left, expected);
        assert_eq!(fs::read_to_string(own.path().join("folder/inside")).unwrap(), "in");
    }

    #[test]
    fn the_call_that_was_asked_for_fails_and_a_torn_write_leaves_half() {
        let own = tempfile::tempdir().unwrap();
        let faults = Faults::over(own.path());
        let mut running = probe(&faults, "fail");
        running.line_with("ready");
        faults.set(&[
            "write 2 ENOSPC file",
            "torn 4 EIO file",
            "sync 2+ EIO *",
            "open 1 EMFILE other",
        ]);
        fs::write(own.path().join("go"), "").unwrap();
        let (_, said) = running.finish();
        let said = said.lines().last().unwrap().trim();
        assert_eq!(said, "ok ENOSPC ok EIO ok EIO EIO EMFILE");
        assert_eq!(fs::read(own.path().join("file")).unwrap(), b"0123\x00\x00\x00\x00012301");
        let hits = faults.hits();
        let calls: Vec<_> = hits.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(calls, ["write", "torn", "sync", "sync", "open"]);
    }
}
