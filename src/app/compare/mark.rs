//! How far a file was read, and a digest of what that was: so that what was appended since can be told from what was
//! changed. The digest finds what happened to a file, not what somebody made up to have the same one.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are mixed in at once.
const BLOCK: usize = 32;

/// What a file was up to some place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How many bytes it had.
    pub bytes: u64,
    digest: [u64; 4],
    /// Whether its last line ended, and whether no quote was open there: what is appended then begins a row.
    whole: bool,
}

/// Reads through a file, and knows its mark up to there.
#[derive(Debug, Default)]
pub struct Marking {
    bytes: u64,
    lanes: [u64; 4],
    rest: Vec<u8>,
    quotes: usize,
    last: u8,
}

impl Marking {
    /// Goes on by these bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.last = *last;
        self.bytes += bytes.len() as u64;
        // Counted 32 at a time: one by one, that takes most of the time that it takes to see that nothing changed.
        self.quotes += memchr::memchr_iter(b'"', bytes).count();
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(BLOCK - self.rest.len()));
            self.rest.extend_from_slice(head);
            bytes = tail;
            if self.rest.len() < BLOCK {
                return;
            }
            let rest = std::mem::take(&mut self.rest);
            self.mix(&rest);
        }
        let whole = bytes.len() - bytes.len() % BLOCK;
        let (blocks, tail) = bytes.split_at(whole);
        self.mix(blocks);
        self.rest.extend_from_slice(tail);
    }

    fn mix(&mut self, blocks: &[u8]) {
        for block in blocks.as_chunks::<BLOCK>().0 {
            for (lane, word) in self.lanes.iter_mut().zip(block.as_chunks::<8>().0) {
                let mixed = *lane ^ u64::from_le_bytes(*word);
                *lane = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
            }
        }
    }

    /// The mark so far.
    pub fn mark(&self) -> Mark {
        let mut end = Self { lanes: self.lanes, ..Self::default() };
        let mut rest = self.rest.clone();
        rest.resize(BLOCK, 0);
        end.mix(&rest);
        let whole = self.quotes.is_multiple_of(2) && (self.bytes == 0 || self.last == b'\n');
        Mark { bytes: self.bytes, digest: end.lanes, whole }
    }
}

/// The marking of a file that is being read.
pub type Shared = Arc<Mutex<Marking>>;

/// The marking, whoever has it.
pub fn locked(marking: &Shared) -> MutexGuard<'_, Marking> {
    marking.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file whose mark is kept while it is read.
pub struct Marked<R> {
    file: R,
    marking: Shared,
}

impl<R> Marked<R> {
    /// Goes on from `marking`.
    pub fn new(file: R, marking: Shared) -> Self {
        Self { file, marking }
    }
}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        locked(&self.marking).update(out.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// What was appended to a file since `mark`, after its first `head` bytes; `None` where anything else happened to it.
pub fn appended(
    path: &Path,
    mark: &Mark,
    head: u64,
) -> io::Result<Option<(Box<dyn Read>, Shared)>> {
    let file = File::open(path)?;
    if !mark.whole || file.metadata()?.len() < mark.bytes {
        return Ok(None);
    }
    let marking = Shared::default();
    let mut before = Marked::new(file, Arc::clone(&marking)).take(mark.bytes);
    let mut part = vec![0_u8; 256 * 1024];
    while before.read(&mut part)? > 0 {}
    if locked(&marking).mark() != *mark {
        return Ok(None);
    }
    let rest = BufReader::with_capacity(64 * 1024, before.into_inner());
    // The mark of its encoding is not counted among what names the columns.
    let mut begin = [0_u8; 3];
    let read = File::open(path)?.take(3).read(&mut begin)?;
    let signed = if read == 3 && begin == *b"\xEF\xBB\xBF" { 3 } else { 0 };
    Ok(Some((Box::new(File::open(path)?.take(head + signed).chain(rest)), marking)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark_of(bytes: &[u8]) -> Mark {
        let mut marking = Marking::default();
        marking.update(bytes);
        marking.mark()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_mark_is_the_same_however_it_was_read_and_another_where_a_byte_is(
            bytes in prop::collection::vec(any::<u8>(), 1..200),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
            at in any::<prop::sample::Index>(),
        ) {
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            places.sort_unstable();
            let mut marking = Marking::default();
            let mut from = 0;
            for place in places.into_iter().chain([bytes.len()]) {
                marking.update(&bytes[from..place]);
                from = place;
            }
            prop_assert_eq!(marking.mark(), mark_of(&bytes));
            let mut other = bytes.clone();
            let at = at.index(other.len());
            other[at] ^= 1;
            prop_assert_ne!(mark_of(&other), mark_of(&bytes));
            other.clone_from(&bytes);
            other.push(0);
            prop_assert_ne!(mark_of(&other), mark_of(&bytes));
        }
    }

    #[test]
    fn what_was_appended_comes_after_the_head_and_nothing_comes_of_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("side.csv");
        let before = b"id,amount\na,1\nb,2\n";
        std::fs::write(&path, before).unwrap();
        let read = |mark: &Mark| {
            let (mut file, marking) = appended(&path, mark, 10).unwrap()?;
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            let mark = locked(&marking).mark();
            Some((text, mark))
        };
        assert_eq!(read(&mark_of(before)), Some(("id,amount\n".to_owned(), mark_of(before))));
        let grown = [&before[..], b"c,3\n"].concat();
        std::fs::write(&path, &grown).unwrap();
        assert_eq!(read(&mark_of(before)), Some(("id,amount\nc,3\n".to_owned(), mark_of(&grown))));
        // Cut off, changed before the end, or appended to in the middle of a row.
        assert_eq!(read(&mark_of(&[&grown[..], b"d,4\n"].concat())), None);
        assert_eq!(read(&mark_of(b"id,amount\na,9\nb,2\n")), None);
        assert_eq!(read(&mark_of(b"id,amount\na,1")), None);
        std::fs::write(&path, b"id,amount\n\"a\n").unwrap();
        assert_eq!(read(&mark_of(b"id,amount\n\"a\n")), None);
    }
}
