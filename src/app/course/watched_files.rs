//! The files of a project that somebody edits: what they look like now, and which of them changed since.

use crate::domain::course::known;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many files are looked at; a folder with more is no project's.
const FILES_MAX: usize = 20_000;

/// What a file looked like: when it was written, and its length.
type Look = (Option<SystemTime>, u64);
/// What every file looked like, by its path below the folder.
pub type Shot = BTreeMap<String, Look>;

/// A project's folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    /// The folder of our own state, wherever it is.
    home: Option<PathBuf>,
    /// What the project itself leaves out.
    patterns: Vec<String>,
}

impl Folder {
    /// The folder at `root`, without our own state in `home` and without what its `.gitignore` names.
    pub fn new(root: &Path, home: &Path) -> Self {
        let text = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        Self { root: root.to_owned(), home: fs::canonicalize(home).ok(), patterns: patterns(&text) }
    }

    /// What every file looks like now.
    pub fn shot(&self) -> Shot {
        let mut shot = Shot::new();
        self.walk(|path, look| match look {
            Some(look) if shot.len() < FILES_MAX => {
                shot.insert(path.to_owned(), look);
            }
            _ => {}
        });
        shot
    }

    /// The folder and every folder below it in which somebody edits.
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::from([self.root.clone()]);
        self.walk(|path, look| {
            if look.is_none() {
                found.insert(self.root.join(path));
            }
        });
        found
    }

    /// Tells of every file with its look, and of every folder without one.
    fn walk(&self, mut tell: impl FnMut(&str, Option<Look>)) {
        let mut open = vec![(self.root.clone(), String::new())];
        let mut seen = 0;
        while let Some((folder, below)) = open.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                seen += 1;
                let Ok(kind) = entry.file_type() else { continue };
                let name = entry.file_name().to_string_lossy().into_owned();
                if seen > FILES_MAX || is_left_out(&name, kind.is_dir(), &self.patterns) {
                    continue;
                }
                let path = if below.is_empty() { name } else { format!("{below}/{name}") };
                if kind.is_dir() {
                    let folder = entry.path();
                    if self.home.is_some() && fs::canonicalize(&folder).ok() == self.home {
                        continue;
                    }
                    tell(&path, None);
                    open.push((folder, path));
                } else if let Ok(about) = entry.metadata() {
                    tell(&path, Some((about.modified().ok(), about.len())));
                }
            }
        }
    }
}

/// The files that are not in both shots, or look different in them.
pub fn differences(before: &Shot, after: &Shot) -> BTreeSet<String> {
    let changed = after.iter().filter(|(path, look)| before.get(*path) != Some(*look));
    let gone = before.iter().filter(|(path, _)| !after.contains_key(*path));
    changed.chain(gone).map(|(path, _)| path.clone()).collect()
}

/// The simple lines of a `.gitignore`: a name, or a name that begins or ends anyhow.
fn patterns(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("**/").trim_matches('/'));
    let simple = lines.filter(|line| {
        let stars = line.matches('*').count();
        let ends = line.starts_with('*') || line.ends_with('*');
        let plain =
            !line.contains(['/', '?', '[', '!', '#', '\\']) && !line.trim_matches('*').is_empty();
        plain && (stars == 0 || stars == 1 && ends)
    });
    // The settings of a program are hidden from git and are edited all the same.
    simple.filter(|line| !line.starts_with(".env")).map(str::to_owned).collect()
}

fn is_left_out(name: &str, folder: bool, patterns: &[String]) -> bool {
    if folder && known::is("filled-by-tools", name)
        || !folder && known::words("written-endings").iter().any(|end| name.ends_with(end))
    {
        return true;
    }
    patterns.iter().any(|pattern| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    })
}

/// The kind of the file system that holds `path`, by what Linux says of its mounts.
pub fn file_system<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mount = |line: &'m str| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?.replace("\\040", " ");
        let depth = path.starts_with(&point).then(|| Path::new(&point).components().count())?;
        Some((depth, right.split(' ').next()?))
    };
    // Of two mounts at one place the later one covers the earlier.
    mounts.lines().filter_map(mount).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

/// Whether changes that are made elsewhere are not told of on a file system of this kind: network shares, and
/// folders that a virtual machine or WSL shows of its host.
pub fn is_deaf(kind: &str) -> bool {
    known::is("deaf-file-systems", kind) || kind == "fuse" || kind.starts_with("fuse.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_write_is_left_out_and_what_people_edit_is_not() {
        let patterns = patterns("# x\n*.out\nbuild/\n/tmp*\n!keep\na/b\n**/cover\n*\n.env\nx?y\n");
        assert_eq!(patterns, ["*.out", "build", "tmp*", "cover"]);
        for (name, folder) in
            [("node_modules", true), ("shop.db-wal", false), ("a.out", false), ("build", true)]
        {
            assert!(is_left_out(name, folder, &patterns), "{name}");
        }
        for (name, folder) in
            [("app.py", false), (".env", false), ("target", false), ("keep", true)]
        {
            assert!(!is_left_out(name, folder, &patterns), "{name}");
        }
    }

    #[test]
    fn a_change_an_addition_and_a_removal_are_differences() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["app.py", "gone.py", "same.py", "shop.db"] {
            fs::write(root.join(name), "1").unwrap();
        }
        fs::create_dir_all(root.join("node_modules/x")).unwrap();
        fs::create_dir_all(root.join("home")).unwrap();
        let project = Folder::new(root, &root.join("home"));
        let before = project.shot();
        fs::write(root.join("app.py"), "22").unwrap();
        fs::write(root.join("shop.db"), "22").unwrap();
        fs::write(root.join("node_modules/x/y.js"), "22").unwrap();
        fs::write(root.join("home/z.txt"), "22").unwrap();
        fs::remove_file(root.join("gone.py")).unwrap();
        fs::create_dir(root.join("new")).unwrap();
        fs::write(root.join("new/page.html"), "").unwrap();
        let changed: Vec<String> = differences(&before, &project.shot()).into_iter().collect();
        assert_eq!(changed, ["app.py", "gone.py", "new/page.html"]);
        assert_eq!(project.folders(), BTreeSet::from([root.to_owned(), root.join("new")]));
    }

    #[test]
    fn a_share_of_the_host_is_known_by_its_mount() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            30 22 0:5 / /mnt/c rw shared:1 - 9p C:\\134 rw\n\
            31 22 0:6 / /mnt/my\\040share rw - fuse.sshfs host rw\n";
        let kind = |path: &str| file_system(mounts, Path::new(path)).unwrap();
        assert_eq!((kind("/mnt/c/shop"), kind("/mnt/cc"), kind("/srv")), ("9p", "ext4", "ext4"));
        assert!(is_deaf(kind("/mnt/my share/x")) && is_deaf("9p"));
        assert!(!is_deaf("ext4") && !is_deaf("overlay") && !is_deaf("fuseblk"));
    }
}
