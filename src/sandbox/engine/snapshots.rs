//! Snapshots: the content of worlds, put aside under a label. A file of JSON lines each, beside the sandbox's
//! own; in memory where that has none.

use crate::os::private;
use crate::sandbox::engine::content::Line;
use crate::sandbox::engine::private::WorldPart;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folder of the snapshots, beside the sandbox's file.
const FOLDER: &str = "snapshots";

/// Characters that a label may have.
const LABEL_MAX: usize = 60;

/// A world at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// How its time and its ids come about.
    pub part: WorldPart,
    /// Everything that it holds.
    pub content: Vec<Line>,
}

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The layout of the lines that follow.
    stripegym_snapshot: u32,
    world: WorldPart,
}

/// The layout that is written and read.
const LAYOUT: u32 = 1;

/// All snapshots.
#[derive(Debug, Default)]
pub struct Snapshots {
    folder: Option<PathBuf>,
    memory: Mutex<BTreeMap<(String, String), Snapshot>>,
}

/// Whether a text can be a label: letters, digits, `.`, `_` and `-`, and no dot in front.
pub fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len())
        && !label.starts_with('.')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

impl Snapshots {
    /// Those beside a file.
    pub(super) fn beside(file: &Path) -> Self {
        let folder = file.parent().map(|home| home.join(FOLDER));
        Self { folder, memory: Mutex::default() }
    }

    /// Puts a world aside; what had the label is replaced. Returns the file, where it is one.
    pub fn keep(
        &self,
        world: &str,
        label: &str,
        snapshot: Snapshot,
    ) -> io::Result<Option<PathBuf>> {
        let Some(folder) = &self.folder else {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.insert((world.to_owned(), label.to_owned()), snapshot);
            return Ok(None);
        };
        let folder = folder.join(world);
        private::folder(&folder)?;
        let path = folder.join(format!("{label}.jsonl"));
        private::write(&path, &written(&snapshot)?)?;
        Ok(Some(path))
    }

    /// A world as it was put aside; `None` where it was not.
    pub fn take(&self, world: &str, label: &str) -> io::Result<Option<Snapshot>> {
        let Some(folder) = &self.folder else {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(memory.get(&(world.to_owned(), label.to_owned())).cloned());
        };
        match std::fs::read_to_string(folder.join(world).join(format!("{label}.jsonl"))) {
            Ok(text) => read(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The labels of a world, in their order.
    pub fn labels(&self, world: &str) -> Vec<String> {
        let Some(folder) = &self.folder else {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let of_world = memory.keys().filter(|(name, _)| name == world);
            return of_world.map(|(_, label)| label.clone()).collect();
        };
        let files = std::fs::read_dir(folder.join(world)).into_iter().flatten().flatten();
        let label = |file: std::fs::DirEntry| {
            file.file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned)
        };
        let mut labels: Vec<String> = files.filter_map(label).collect();
        labels.sort();
        labels
    }
}

fn written(snapshot: &Snapshot) -> io::Result<Vec<u8>> {
    let head = Head { stripegym_snapshot: LAYOUT, world: snapshot.part.clone() };
    let mut out = serde_json::to_vec(&head)?;
    out.push(b'\n');
    for line in &snapshot.content {
        serde_json::to_writer(&mut out, line)?;
        out.push(b'\n');
    }
    Ok(out)
}

fn read(text: &str) -> io::Result<Snapshot> {
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().unwrap_or_default())?;
    if head.stripegym_snapshot != LAYOUT {
        let text = format!("layout {} is not known here", head.stripegym_snapshot);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let content: Result<Vec<Line>, _> = lines.map(serde_json::from_str).collect();
    Ok(Snapshot { part: head.world, content: content? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::private::Private;

    #[test]
    fn a_snapshot_is_read_as_it_was_written_in_memory_and_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let line = Line {
            account: "acct_1".to_owned(),
            kind: "customer".to_owned(),
            id: "cus_1".to_owned(),
            seq: 9,
            text: "{\"id\":\"cus_1\"}".to_owned(),
            private: Some(Private::Customer(Box::default())),
        };
        let part = WorldPart { seed: Some(7), ..WorldPart::default() };
        let snapshot = Snapshot { part, content: vec![line] };
        for all in [Snapshots::default(), Snapshots::beside(&folder.path().join("sandbox.db"))] {
            all.keep("a", "before", snapshot.clone()).unwrap();
            assert_eq!(all.take("a", "before").unwrap().as_ref(), Some(&snapshot));
            assert_eq!(all.take("a", "after").unwrap(), None);
            assert_eq!((all.labels("a"), all.labels("b")), (vec!["before".to_owned()], vec![]));
        }
    }

    #[test]
    fn a_label_is_no_path() {
        assert!(is_label("before-1.2_x"));
        for bad in ["", "..", "a/b", ".a", "a b"] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}
