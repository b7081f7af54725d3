//! Notices that somebody edited a file: told by the system where it tells, by looking where it does not.

use crate::app::course::watched_files::{Folder, Shot, differences, file_system, is_deaf};
use crate::domain::course::graded::Means;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, sleep};

/// What Linux says of its mounts.
const MOUNTS: &str = "/proc/self/mountinfo";
/// How often a folder is looked through where nobody tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long nothing may change until an edit counts as finished.
const SETTLED: Duration = Duration::from_millis(200);
/// How long an edit is waited for to be finished.
const SETTLED_MAX: Duration = Duration::from_secs(2);

/// A watched folder.
pub struct Watcher {
    folder: Folder,
    /// How it is watched.
    pub means: Means,
    /// Why it is looked through, where it is.
    pub why: Option<String>,
    told: Option<(RecommendedWatcher, Receiver<()>)>,
    /// The folders that the system tells about.
    covered: BTreeSet<PathBuf>,
    /// What the files looked like when they last counted.
    known: Shot,
    /// What changed while the last two gradings ran: programs write such files, and nobody edits them.
    during: BTreeSet<String>,
    noisy: BTreeSet<String>,
    /// Where this program's own output goes, where that is a file of the folder.
    output: BTreeSet<String>,
}

/// The files of a folder that this program's output is written to.
fn output_in(root: &Path) -> BTreeSet<String> {
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let of = |number: u8| {
        let path = std::fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
        Some(path.strip_prefix(&root).ok()?.to_str()?.to_owned())
    };
    [1, 2].into_iter().filter_map(of).collect()
}

impl Watcher {
    /// Watches the folder at `root`; by looking alone where `poll`, or where the system would not tell.
    pub fn open(root: &Path, home: &Path, poll: bool) -> Self {
        let folder = Folder::new(root, home);
        let known = folder.shot();
        let mut watcher = Self {
            folder,
            means: Means::Polling,
            why: None,
            told: None,
            covered: BTreeSet::new(),
            known,
            during: BTreeSet::new(),
            noisy: BTreeSet::new(),
            output: output_in(root),
        };
        if poll {
            watcher.why = Some("--poll".to_owned());
            return watcher;
        }
        let mounts = std::fs::read_to_string(MOUNTS).unwrap_or_default();
        let at = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        if let Some(kind) = file_system(&mounts, &at).filter(|kind| is_deaf(kind)) {
            watcher.why = Some(kind.to_owned());
            return watcher;
        }
        match watcher.listen() {
            Ok(()) => watcher.means = Means::Events,
            Err(error) => watcher.give_up(&error),
        }
        watcher
    }

    fn listen(&mut self) -> notify::Result<()> {
        let (tell, heard) = channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is no change; whether something changed is seen by looking.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                // A full channel says the same already.
                tell.try_send(()).unwrap_or_default();
            }
        })?;
        self.told = Some((watcher, heard));
        self.cover()
    }

    /// Asks to be told about folders that are new.
    fn cover(&mut self) -> notify::Result<()> {
        let Some((watcher, _)) = &mut self.told else { return Ok(()) };
        loop {
            let folders = self.folder.folders();
            for folder in folders.difference(&self.covered) {
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
            let new = !folders.is_subset(&self.covered);
            self.covered = folders;
            // A folder that was made within another before that one was covered was told by nobody.
            if !new {
                return Ok(());
            }
        }
    }

    fn give_up(&mut self, error: &notify::Error) {
        self.told = None;
        self.means = Means::Polling;
        self.why = Some(error.to_string());
    }

    /// Says that a grading begins: what changes until it ends may be its own doing.
    pub fn begin(&mut self) {
        self.known = self.folder.shot();
    }

    /// Says that a grading has ended. A file that changed during two gradings in a row is written by them: its
    /// changes while one runs do not count any more.
    pub fn end(&mut self) {
        let now = self.folder.shot();
        let during = differences(&self.known, &now);
        self.noisy.extend(during.intersection(&self.during).cloned());
        self.during = during;
        for path in &self.noisy {
            match now.get(path) {
                Some(look) => self.known.insert(path.clone(), *look),
                None => self.known.remove(path),
            };
        }
    }

    /// The files that changed, once an edit is finished; resolves only when there are some.
    pub async fn changed(&mut self) -> BTreeSet<String> {
        loop {
            // Before each look: a file in a new folder is either seen by it or told afterwards.
            if let Err(error) = self.cover() {
                self.give_up(&error);
            }
            let mut shot = self.folder.shot();
            if shot != self.known {
                let until = Instant::now() + SETTLED_MAX;
                loop {
                    sleep(SETTLED).await;
                    let next = self.folder.shot();
                    let still = next == shot;
                    shot = next;
                    if still || Instant::now() >= until {
                        break;
                    }
                }
                let changed = differences(&self.known, &shot);
                let changed: BTreeSet<String> = changed.difference(&self.output).cloned().collect();
                if changed.is_empty() {
                    self.known = shot;
                }
                // An edit that was taken back is none.
                if !changed.is_empty() {
                    return changed;
                }
            }
            match &mut self.told {
                Some((_, heard)) => drop(heard.recv().await),
                None => sleep(LOOK_EVERY).await,
            }
        }
    }
}
