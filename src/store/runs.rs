//! Rows of any number in the order of their keys: what exceeds the room in memory is sorted and written down, and the
//! written runs are merged when they are read. The files have no name for longer than it takes to open them.

use crate::domain::reconcile::merge;
use crate::domain::reconcile::row::Row;
use crate::os::private;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Atomic};

/// What is read of every run at once, at most.
const READ_MAX: usize = 64 * 1024;

/// How many runs of one size there are before they become one: so many files are open at once for each sorter.
const FILES_MAX: usize = 64;

/// Where runs are written, and how much memory there is before they are.
#[derive(Clone, Debug)]
pub struct Room {
    folder: PathBuf,
    bytes: usize,
    made: Arc<AtomicU64>,
}

impl Room {
    /// Runs go into `folder`, each of about `bytes`.
    pub fn new(folder: &Path, bytes: usize) -> Self {
        Self { folder: folder.to_owned(), bytes: bytes.max(1), made: Arc::default() }
    }

    fn file(&self) -> io::Result<File> {
        private::folder(&self.folder)?;
        let number = self.made.fetch_add(1, Atomic::Relaxed);
        let path = self.folder.join(format!(".compare-{}-{number}", std::process::id()));
        let file =
            private::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        // The file lives as long as it is open, where the system allows that.
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::debug!(%error, "a sorted run keeps its name");
        }
        Ok(file)
    }
}

/// An entry in memory: the beginning of its key, by which most are told apart, and where its bytes are.
#[derive(Clone, Copy)]
struct Place {
    prefix: u64,
    at: usize,
    key: u32,
    value: u32,
}

/// Takes keys and values in any order.
pub struct Runs {
    room: Room,
    bytes: Vec<u8>,
    places: Vec<Place>,
    /// The largest first.
    written: Vec<Written>,
    value: Vec<u8>,
}

/// A run on disk, and how often what is in it was merged.
struct Written {
    file: File,
    merged: u32,
}

impl Runs {
    /// Nothing yet.
    pub const fn new(room: Room) -> Self {
        Self { room, bytes: Vec::new(), places: Vec::new(), written: Vec::new(), value: Vec::new() }
    }

    /// Takes an entry in.
    pub fn push_bytes(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let size = |bytes: &[u8]| {
            u32::try_from(bytes.len()).map_err(|_| io::Error::other("a row of 4 GB"))
        };
        let (key_size, value_size) = (size(key)?, size(value)?);
        let more = key.len() + value.len();
        let held = self.bytes.len() + (self.places.len() + 1) * size_of::<Place>();
        if held + more > self.room.bytes && !self.places.is_empty() {
            self.spill()?;
        }
        let at = self.bytes.len();
        make_room(&mut self.bytes, more, self.room.bytes);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        make_room(&mut self.places, 1, self.room.bytes / size_of::<Place>());
        self.places.push(Place { prefix: prefix(key), at, key: key_size, value: value_size });
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.places.sort_unstable_by(|a, b| {
            a.prefix.cmp(&b.prefix).then_with(|| parts(bytes, *a).cmp(&parts(bytes, *b)))
        });
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut out = BufWriter::with_capacity(READ_MAX, self.room.file()?);
        for place in self.places.drain(..) {
            let (key, value) = parts(&self.bytes, place);
            put(&mut out, key, value)?;
        }
        self.bytes.clear();
        self.written.push(Written { file: begin_again(out)?, merged: 0 });
        self.merge_small()
    }

    /// Makes one run of those of one size, where there are too many of them.
    fn merge_small(&mut self) -> io::Result<()> {
        loop {
            let merged = self.written.last().map_or(0, |run| run.merged);
            let alike = self.written.iter().rev().take_while(|run| run.merged == merged).count();
            if alike < FILES_MAX {
                return Ok(());
            }
            let some = self.written.split_off(self.written.len() - alike);
            let mut all = InOrder::of(Vec::new(), some, READ_MAX / 2)?;
            let mut out = BufWriter::with_capacity(READ_MAX, self.room.file()?);
            while all.step(|entry| put(&mut out, &entry.key, &entry.value))?.is_some() {}
            self.written.push(Written { file: begin_again(out)?, merged: merged + 1 });
        }
    }

    /// Everything in order.
    pub fn in_order(mut self) -> io::Result<InOrder> {
        self.sort();
        let each = (self.room.bytes / (self.written.len() + 1)).clamp(4 * 1024, READ_MAX);
        let memory = Run::Memory { bytes: self.bytes, places: self.places.into_iter() };
        InOrder::of(vec![memory], self.written, each)
    }
}

/// Makes room for `more`, four times as much as there was and never more than `most` in all: what grows by itself may
/// come to twice of that, and what was outgrown is not given back at once.
fn make_room<T>(vec: &mut Vec<T>, more: usize, most: usize) {
    let needed = vec.len() + more;
    if needed > vec.capacity() {
        let wished = vec.capacity().saturating_mul(4).min(most).max(needed);
        vec.reserve_exact(wished - vec.len());
    }
}

fn put(out: &mut impl Write, key: &[u8], value: &[u8]) -> io::Result<()> {
    for part in [key, value] {
        // Both were measured when they came.
        out.write_all(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes())?;
    }
    out.write_all(key)?;
    out.write_all(value)
}

fn begin_again(out: BufWriter<File>) -> io::Result<File> {
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn prefix(key: &[u8]) -> u64 {
    // What Stripe's ids begin with tells little.
    let mut first = [0_u8; 8];
    for (slot, byte) in first.iter_mut().zip(key) {
        *slot = *byte;
    }
    u64::from_be_bytes(first)
}

fn parts(bytes: &[u8], place: Place) -> (&[u8], &[u8]) {
    let all = bytes.get(place.at..).unwrap_or_default();
    let (key, rest) = all.split_at_checked(place.key as usize).unwrap_or_default();
    (key, rest.get(..place.value as usize).unwrap_or_default())
}

/// The next entry of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    key: Vec<u8>,
    value: Vec<u8>,
    run: usize,
}

impl Ord for Entry {
    /// Turned round: the heap gives its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (&other.key, &other.value, other.run).cmp(&(&self.key, &self.value, self.run))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

enum Run {
    Memory { bytes: Vec<u8>, places: std::vec::IntoIter<Place> },
    File(BufReader<File>),
}

impl Run {
    fn next(&mut self, run: usize, mut entry: Entry) -> io::Result<Option<Entry>> {
        entry.run = run;
        entry.key.clear();
        entry.value.clear();
        match self {
            Self::Memory { bytes, places } => {
                let Some(place) = places.next() else { return Ok(None) };
                let (key, value) = parts(bytes, place);
                entry.key.extend_from_slice(key);
                entry.value.extend_from_slice(value);
            }
            Self::File(file) => {
                if file.fill_buf()?.is_empty() {
                    return Ok(None);
                }
                let mut size = || -> io::Result<usize> {
                    let mut bytes = [0_u8; 4];
                    file.read_exact(&mut bytes)?;
                    Ok(u32::from_le_bytes(bytes) as usize)
                };
                let (key, value) = (size()?, size()?);
                entry.key.resize(key, 0);
                file.read_exact(&mut entry.key)?;
                entry.value.resize(value, 0);
                file.read_exact(&mut entry.value)?;
            }
        }
        Ok(Some(entry))
    }
}

/// Entries in order.
pub struct InOrder {
    sources: Vec<Run>,
    heads: BinaryHeap<Entry>,
}

impl InOrder {
    fn of(mut sources: Vec<Run>, written: Vec<Written>, each: usize) -> io::Result<Self> {
        let files = written.into_iter();
        sources.extend(files.map(|run| Run::File(BufReader::with_capacity(each, run.file))));
        let mut heads = BinaryHeap::with_capacity(sources.len());
        for (number, source) in sources.iter_mut().enumerate() {
            heads.extend(source.next(number, Entry::default())?);
        }
        Ok(Self { sources, heads })
    }

    /// The next key.
    pub fn peek(&self) -> Option<&[u8]> {
        self.heads.peek().map(|entry| entry.key.as_slice())
    }

    /// The next value, read by `read`.
    pub fn next_with<T>(&mut self, read: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        let odd = || io::Error::new(io::ErrorKind::InvalidData, "a sorted run is not as written");
        self.step(|entry| read(&entry.value).ok_or_else(odd))
    }

    /// Goes past the next entry.
    fn step<T>(&mut self, read: impl FnOnce(&Entry) -> io::Result<T>) -> io::Result<Option<T>> {
        let Some(entry) = self.heads.pop() else { return Ok(None) };
        let found = read(&entry)?;
        let run = entry.run;
        if let Some(source) = self.sources.get_mut(run)
            && let Some(next) = source.next(run, entry)?
        {
            self.heads.push(next);
        }
        Ok(Some(found))
    }
}

impl merge::Sorter for Runs {
    type Failure = io::Error;
    type Sorted = InOrder;

    fn empty(&self) -> Self {
        Self::new(self.room.clone())
    }

    fn push(&mut self, key: &str, row: &Row) -> io::Result<()> {
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        row.write(&mut value);
        let pushed = self.push_bytes(key.as_bytes(), &value);
        self.value = value;
        pushed
    }

    fn sorted(self) -> io::Result<InOrder> {
        self.in_order()
    }
}

impl merge::Sorted for InOrder {
    type Failure = io::Error;

    fn key(&self) -> Option<&[u8]> {
        self.peek()
    }

    fn take(&mut self) -> io::Result<Option<Row>> {
        self.next_with(Row::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_split_into_runs_gives_the_same_order(
            entries in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..12), any::<u32>()), 0..200),
            // Few enough that runs are merged into larger ones on the way.
            bytes in prop_oneof![Just(1), 1..4_000_usize],
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut runs = Runs::new(Room::new(folder.path(), bytes));
            for (key, value) in &entries {
                runs.push_bytes(key, &value.to_be_bytes()).unwrap();
            }
            let mut sorted = runs.in_order().unwrap();
            let mut found = Vec::new();
            while let Some(key) = sorted.peek().map(<[u8]>::to_vec) {
                let read = |value: &[u8]| Some(u32::from_be_bytes(value.try_into().ok()?));
                found.push((key, sorted.next_with(read).unwrap().unwrap()));
            }
            let mut expected = entries;
            expected.sort();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
