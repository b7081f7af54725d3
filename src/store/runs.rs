//! Rows of any number in the order of their keys: what exceeds the room in memory is sorted and written down, and the
//! written runs are merged when they are read. All runs of a sorter are one file, which has no name for longer than it
//! takes to open it.

use crate::domain::reconcile::merge;
use crate::domain::reconcile::row::Row;
use crate::os::private;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Atomic};

/// What is read of every run at once, at least and at most.
const READ: [usize; 2] = [8 * 1024, 64 * 1024];

/// What is written at once.
const WRITTEN: usize = 64 * 1024;

/// How many runs of one size there are before they become one.
const RUNS_MAX: usize = 128;

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

/// The file of a sorter: written at its end, read anywhere.
struct Spool {
    file: File,
    end: u64,
    waiting: Vec<u8>,
}

impl Spool {
    fn put(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        for part in [key, value] {
            // Both were measured when they came.
            let size = u32::try_from(part.len()).unwrap_or(u32::MAX);
            self.waiting.extend_from_slice(&size.to_le_bytes());
        }
        self.waiting.extend_from_slice(key);
        self.waiting.extend_from_slice(value);
        if self.waiting.len() < WRITTEN { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&self.waiting)?;
        self.end += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read(into)
    }
}

/// Where an entry is: the beginning of its key, by which most are told apart, and where its bytes are.
#[derive(Clone, Copy, Default)]
struct Place {
    prefix: u64,
    at: usize,
    key: u32,
    value: u32,
}

impl Place {
    fn of(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        let all = bytes.get(self.at..).unwrap_or_default();
        let (key, rest) = all.split_at_checked(self.key as usize).unwrap_or_default();
        (key, rest.get(..self.value as usize).unwrap_or_default())
    }
}

/// Takes keys and values in any order.
pub struct Runs {
    room: Room,
    bytes: Vec<u8>,
    places: Vec<Place>,
    spool: Option<Spool>,
    /// The largest first.
    written: Vec<Written>,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// A run in the file, and how often what is in it was merged.
#[derive(Clone, Copy)]
struct Written {
    from: u64,
    to: u64,
    merged: u32,
}

impl Runs {
    /// Nothing yet.
    pub const fn new(room: Room) -> Self {
        Self {
            room,
            bytes: Vec::new(),
            places: Vec::new(),
            spool: None,
            written: Vec::new(),
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Whether nothing came.
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty() && self.written.is_empty()
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
            a.prefix.cmp(&b.prefix).then_with(|| a.of(bytes).cmp(&b.of(bytes)))
        });
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut spool = match self.spool.take() {
            Some(spool) => spool,
            None => Spool { file: self.room.file()?, end: 0, waiting: Vec::new() },
        };
        let from = spool.end;
        for place in self.places.drain(..) {
            let (key, value) = place.of(&self.bytes);
            spool.put(key, value)?;
        }
        spool.flush()?;
        self.bytes.clear();
        self.written.push(Written { from, to: spool.end, merged: 0 });
        self.spool = Some(self.merge_small(spool)?);
        Ok(())
    }

    /// Makes one run of those of one size, where there are too many of them.
    fn merge_small(&mut self, mut spool: Spool) -> io::Result<Spool> {
        loop {
            let merged = self.written.last().map_or(0, |run| run.merged);
            let alike = self.written.iter().rev().take_while(|run| run.merged == merged).count();
            if alike < RUNS_MAX {
                return Ok(spool);
            }
            let some = self.written.split_off(self.written.len() - alike);
            let from = spool.end;
            let mut all = InOrder::of(Vec::new(), &some, Some(spool), READ[0])?;
            while all
                .step(|key, value, spool| match spool {
                    Some(spool) => spool.put(key, value),
                    None => Ok(()),
                })?
                .is_some()
            {}
            spool = match all.spool {
                Some(spool) => spool,
                None => return Err(io::ErrorKind::NotFound.into()),
            };
            spool.flush()?;
            self.written.push(Written { from, to: spool.end, merged: merged + 1 });
        }
    }

    /// Everything in order.
    pub fn in_order(mut self) -> io::Result<InOrder> {
        self.sort();
        let [least, most] = READ;
        let each = (self.room.bytes / (self.written.len() + 1)).clamp(least, most);
        let memory = Run::Memory { bytes: self.bytes, places: self.places.into_iter() };
        InOrder::of(vec![memory], &self.written, self.spool, each)
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

fn prefix(key: &[u8]) -> u64 {
    if let Some(first) = key.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let mut first = [0_u8; 8];
    for (slot, byte) in first.iter_mut().zip(key) {
        *slot = *byte;
    }
    u64::from_be_bytes(first)
}

/// What of a run in the file is in memory.
struct Window {
    bytes: Vec<u8>,
    /// What of them is still to be read, and where in the file that goes on.
    at: usize,
    next: u64,
    to: u64,
}

impl Window {
    /// Has so many bytes at hand, where there are any left.
    fn have(&mut self, count: usize, each: usize, spool: &mut Spool) -> io::Result<bool> {
        let left = self.bytes.len() - self.at;
        if left >= count {
            return Ok(true);
        }
        if left == 0 && self.next == self.to {
            return Ok(false);
        }
        self.bytes.drain(..self.at);
        self.at = 0;
        let rest = usize::try_from(self.to - self.next).unwrap_or(usize::MAX);
        let wished = each.max(count).saturating_sub(left).min(rest);
        self.bytes.resize(left + wished, 0);
        let mut from = left;
        while let Some(room) = self.bytes.get_mut(from..).filter(|room| !room.is_empty()) {
            let read = spool.read(self.next, room)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            from += read;
            self.next += read as u64;
        }
        if self.bytes.len() < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(true) }
    }

    fn size(&self, at: usize) -> u32 {
        let bytes = self.bytes.get(self.at + at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

enum Run {
    Memory { bytes: Vec<u8>, places: std::vec::IntoIter<Place> },
    File(Window),
}

impl Run {
    fn next(&mut self, each: usize, spool: Option<&mut Spool>) -> io::Result<Option<Place>> {
        let window = match self {
            Self::Memory { places, .. } => return Ok(places.next()),
            Self::File(window) => window,
        };
        let Some(spool) = spool else { return Ok(None) };
        if !window.have(8, each, spool)? {
            return Ok(None);
        }
        let (key, value) = (window.size(0), window.size(4));
        let whole = 8 + key as usize + value as usize;
        window.have(whole, each, spool)?;
        let place = Place { prefix: 0, at: window.at + 8, key, value };
        window.at += whole;
        let (bytes, _) = place.of(&window.bytes);
        Ok(Some(Place { prefix: prefix(bytes), ..place }))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Memory { bytes, .. } => bytes,
            Self::File(window) => &window.bytes,
        }
    }
}

/// A run with its next entry.
struct Head {
    run: Run,
    place: Place,
}

impl Head {
    fn entry(&self) -> (&[u8], &[u8]) {
        self.place.of(self.run.bytes())
    }
}

/// Entries in order.
pub struct InOrder {
    heads: Vec<Head>,
    /// The runs as a heap: the beginning of each one's next key, and its number.
    heap: Vec<(u64, usize)>,
    spool: Option<Spool>,
    each: usize,
}

impl InOrder {
    fn of(
        runs: Vec<Run>,
        written: &[Written],
        mut spool: Option<Spool>,
        each: usize,
    ) -> io::Result<Self> {
        let files = written
            .iter()
            .map(|it| Run::File(Window { bytes: Vec::new(), at: 0, next: it.from, to: it.to }));
        let mut heads = Vec::with_capacity(runs.len() + written.len());
        for mut run in runs.into_iter().chain(files) {
            if let Some(place) = run.next(each, spool.as_mut())? {
                heads.push(Head { run, place });
            }
        }
        let heap = heads.iter().enumerate().map(|(at, head)| (head.place.prefix, at)).collect();
        let mut all = Self { heads, heap, spool, each };
        for at in (0..all.heap.len() / 2).rev() {
            all.sink(at);
        }
        Ok(all)
    }

    fn head(&self) -> Option<&Head> {
        self.heap.first().and_then(|(_, run)| self.heads.get(*run))
    }

    /// The next key.
    pub fn peek(&self) -> Option<&[u8]> {
        self.head().map(|head| head.entry().0)
    }

    /// The next value, read by `read`.
    pub fn next_with<T>(&mut self, read: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        let odd = || io::Error::new(io::ErrorKind::InvalidData, "a sorted run is not as written");
        self.step(|_, value, _| read(value).ok_or_else(odd))
    }

    /// Goes past the next entry.
    fn step<T>(
        &mut self,
        read: impl FnOnce(&[u8], &[u8], Option<&mut Spool>) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        let Some(&(_, at)) = self.heap.first() else { return Ok(None) };
        let Some(head) = self.heads.get_mut(at) else { return Ok(None) };
        let (key, value) = head.place.of(head.run.bytes());
        let found = read(key, value, self.spool.as_mut())?;
        let next = head.run.next(self.each, self.spool.as_mut())?;
        if let Some(place) = next {
            head.place = place;
        }
        match (next, self.heap.first_mut()) {
            (Some(place), Some(top)) => top.0 = place.prefix,
            _ => {
                self.heap.swap_remove(0);
            }
        }
        self.sink(0);
        Ok(Some(found))
    }

    fn is_before(&self, a: (u64, usize), b: (u64, usize)) -> bool {
        if a.0 != b.0 {
            return a.0 < b.0;
        }
        let entry = |at: usize| self.heads.get(at).map(Head::entry);
        (entry(a.1), a.1) < (entry(b.1), b.1)
    }

    /// Puts what stands at `at` in the heap below whatever comes before it.
    fn sink(&mut self, mut at: usize) {
        let Some(&own) = self.heap.get(at) else { return };
        loop {
            let below = 2 * at + 1;
            let Some(&left) = self.heap.get(below) else { break };
            let (mut to, mut least) = (below, left);
            if let Some(&right) = self.heap.get(below + 1)
                && self.is_before(right, left)
            {
                (to, least) = (below + 1, right);
            }
            if !self.is_before(least, own) {
                break;
            }
            self.heap.swap(at, to);
            at = to;
        }
    }
}

impl merge::Sorter for Runs {
    type Failure = io::Error;
    type Sorted = InOrder;

    fn empty(&self) -> Self {
        Self::new(self.room.clone())
    }

    fn push(&mut self, key: &str, row: &Row) -> io::Result<()> {
        // Ids begin alike. Scattered, the first bytes of nearly any two tell them apart.
        let (mut place, mut value) =
            (std::mem::take(&mut self.key), std::mem::take(&mut self.value));
        place.clear();
        place.extend_from_slice(&merge::scattered(key).to_be_bytes());
        place.extend_from_slice(key.as_bytes());
        value.clear();
        row.write(&mut value);
        let pushed = self.push_bytes(&place, &value);
        (self.key, self.value) = (place, value);
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

    fn take(&mut self, row: &mut Row) -> io::Result<()> {
        self.next_with(|bytes| row.fill(bytes)).map(drop)
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
