//! Bodies of lines in packs: what many events have in common is written once. A pack holds the bodies of a few hundred
//! lines in a row, so that one body costs a fraction of a millisecond and all of them in order are read once each. Until it
//! is in one, a body is compressed alone.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

/// How hard it is tried to make them small. Events are so alike that more takes ten times as long for a twentieth less.
const LEVEL: i32 = 3;

/// The same for a body alone, for whose sender somebody waits.
const LEVEL_ALONE: i32 = 1;

/// The number of no pack: the body stands in its line, compressed.
pub(super) const ALONE: i64 = 0;

thread_local! {
    /// Making one ready costs more than compressing a body.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// What a pack may come to when it is opened; more than that was not written here.
const OPENED_MAX: usize = 256 * 1024 * 1024;

/// A line's number and its body.
pub(super) type Body = (i64, Vec<u8>);

/// Why a pack cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    /// The compressed bytes are not what was written.
    #[error("a pack cannot be opened: {0}")]
    Damaged(io::Error),
    /// It has no such line, or is cut off.
    #[error("a pack lacks line {0}")]
    Lacks(i64),
    /// The number is in no row.
    #[error("there is no pack {0}")]
    Missing(i64),
}

impl From<PackError> for rusqlite::Error {
    fn from(error: PackError) -> Self {
        Self::FromSqlConversionFailure(0, Type::Blob, Box::new(error))
    }
}

/// Bodies as a pack: the numbers and lengths first, because they are alike, then the bodies.
pub(super) fn pack(bodies: &[Body]) -> Result<Vec<u8>, PackError> {
    let size = |length: usize| u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes();
    let all = bodies.iter().map(|(_, body)| body.len() + 16).sum::<usize>() + 8;
    let mut plain = Vec::with_capacity(all);
    plain.extend(size(bodies.len()));
    for (number, body) in bodies {
        plain.extend(number.to_le_bytes());
        plain.extend(size(body.len()));
    }
    for (_, body) in bodies {
        plain.extend(body);
    }
    let mut writer = zstd::bulk::Compressor::new(LEVEL).map_err(PackError::Damaged)?;
    writer.include_checksum(true).map_err(PackError::Damaged)?;
    writer.compress(&plain).map_err(PackError::Damaged)
}

/// A body as it is kept in its line: compressed, where that makes it smaller.
#[derive(Clone, Debug, Default)]
pub struct Packed(Option<Vec<u8>>);

impl Packed {
    /// The body compressed alone.
    pub(super) fn new(body: &[u8]) -> Result<Self, PackError> {
        alone(body).map(Self)
    }

    /// The bytes that stand in the line of this body, and in which pack they are said to be.
    pub(super) fn columns<'b>(&'b self, body: &'b [u8]) -> (&'b [u8], Option<i64>) {
        (self.0.as_deref().unwrap_or(body), self.0.as_ref().map(|_| ALONE))
    }
}

/// A body compressed alone; `None` where that makes it no smaller.
fn alone(body: &[u8]) -> Result<Option<Vec<u8>>, PackError> {
    COMPRESSOR.with_borrow_mut(|ready| {
        let compressor = match ready {
            Some(compressor) => compressor,
            None => {
                ready.insert(zstd::bulk::Compressor::new(LEVEL_ALONE).map_err(PackError::Damaged)?)
            }
        };
        let packed = compressor.compress(body).map_err(PackError::Damaged)?;
        Ok((packed.len() < body.len()).then_some(packed))
    })
}

/// The bytes of a frame as they were.
fn decompressed(packed: &[u8]) -> Result<Vec<u8>, PackError> {
    let size = size(packed).filter(|size| *size <= OPENED_MAX);
    let odd = || PackError::Damaged(io::ErrorKind::InvalidData.into());
    zstd::bulk::decompress(packed, size.ok_or_else(odd)?).map_err(PackError::Damaged)
}

/// The body of a line that is in no pack, of what stands in its columns `body` and `pack`.
pub(super) fn alone_opened(body: &[u8], pack: Option<i64>) -> Result<Vec<u8>, PackError> {
    match pack {
        None => Ok(body.to_vec()),
        Some(ALONE) => decompressed(body),
        Some(pack) => Err(PackError::Missing(pack)),
    }
}

/// How many bytes a frame comes to when it is opened, as it says itself.
fn size(packed: &[u8]) -> Option<usize> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()?;
    usize::try_from(size).ok()
}

/// How many bytes a body that stands in its line, in this form, came as.
pub(super) fn length(body: &[u8], pack: Option<i64>) -> usize {
    pack.and_then(|_| size(body)).unwrap_or(body.len())
}

/// A pack that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    plain: Vec<u8>,
    places: BTreeMap<i64, Range<usize>>,
}

impl Opened {
    /// Opens what [`pack`] made.
    pub(super) fn new(packed: &[u8]) -> Result<Self, PackError> {
        let odd = || PackError::Damaged(io::ErrorKind::InvalidData.into());
        let plain = decompressed(packed)?;
        let mut head = plain.as_slice();
        let mut next = || -> Option<u64> {
            let (bytes, rest) = head.split_first_chunk::<8>()?;
            head = rest;
            Some(u64::from_le_bytes(*bytes))
        };
        let count = next().and_then(|count| usize::try_from(count).ok()).ok_or_else(odd)?;
        let mut at =
            count.checked_mul(16).and_then(|heads| heads.checked_add(8)).ok_or_else(odd)?;
        let mut places = BTreeMap::new();
        for _ in 0..count {
            let (number, length) = next().zip(next()).ok_or_else(odd)?;
            let end = usize::try_from(length).ok().and_then(|length| at.checked_add(length));
            let end = end.filter(|end| *end <= plain.len()).ok_or_else(odd)?;
            places.insert(number.cast_signed(), at..end);
            at = end;
        }
        if at == plain.len() { Ok(Self { plain, places }) } else { Err(odd()) }
    }

    /// The body of a line.
    pub(super) fn body(&self, line: i64) -> Result<&[u8], PackError> {
        let place = self.places.get(&line).cloned();
        place.and_then(|place| self.plain.get(place)).ok_or(PackError::Lacks(line))
    }

    /// Every line with its body.
    pub(super) fn bodies(&self) -> impl Iterator<Item = (i64, &[u8])> {
        let body =
            |(line, place): (&i64, &Range<usize>)| Some((*line, self.plain.get(place.clone())?));
        self.places.iter().filter_map(body)
    }
}

/// Gives the bodies of lines, wherever they are kept; lines in order cost one opening a pack.
pub(super) struct Bodies<'c> {
    connection: &'c Connection,
    opened: Option<(i64, Opened)>,
}

impl<'c> Bodies<'c> {
    /// Of the lines that `connection` reads.
    pub(super) const fn new(connection: &'c Connection) -> Self {
        Self { connection, opened: None }
    }

    /// The body of `line`, given what stands in its columns `body` and `pack`.
    pub(super) fn of(
        &mut self,
        line: i64,
        body: Vec<u8>,
        pack: Option<i64>,
    ) -> rusqlite::Result<Vec<u8>> {
        match pack {
            None => Ok(body),
            Some(ALONE) => Ok(decompressed(&body)?),
            Some(pack) => Ok(self.packed(line, pack)?.to_vec()),
        }
    }

    /// The same where the body is only looked at; `None` where it is in no place, in two, or cannot be read.
    pub(super) fn looked_at<'b>(
        &'b mut self,
        line: i64,
        body: &'b [u8],
        pack: Option<i64>,
    ) -> Option<Cow<'b, [u8]>> {
        match pack {
            None => Some(Cow::Borrowed(body)),
            Some(ALONE) => decompressed(body).ok().map(Cow::Owned),
            Some(pack) => {
                let packed = self.packed(line, pack).ok().filter(|_| body.is_empty());
                packed.map(Cow::Borrowed)
            }
        }
    }

    fn packed(&mut self, line: i64, pack: i64) -> rusqlite::Result<&[u8]> {
        if self.opened.as_ref().is_none_or(|(number, _)| *number != pack) {
            self.opened = Some((pack, open(self.connection, pack)?));
        }
        let (_, opened) = self.opened.as_ref().ok_or(PackError::Missing(pack))?;
        Ok(opened.body(line)?)
    }
}

/// Opens the pack `number`.
pub(super) fn open(connection: &Connection, number: i64) -> rusqlite::Result<Opened> {
    let sql = "SELECT packed FROM packs WHERE number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let packed: Option<Vec<u8>> =
        statement.query_row(params![number], |row| row.get(0)).optional()?;
    Ok(Opened::new(&packed.ok_or(PackError::Missing(number))?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bodies_come_out_as_they_went_in(
            bodies in prop::collection::btree_map(any::<i64>(), prop::collection::vec(any::<u8>(), 0..300), 0..40),
        ) {
            let bodies: Vec<Body> = bodies.into_iter().collect();
            let opened = Opened::new(&pack(&bodies).unwrap()).unwrap();
            let found: Vec<Body> = opened.bodies().map(|(at, body)| (at, body.to_vec())).collect();
            prop_assert_eq!(&found, &bodies);
            for (line, body) in &bodies {
                prop_assert_eq!(opened.body(*line).unwrap(), body.as_slice());
            }
        }

        #[test]
        fn any_body_alone_comes_out_as_it_went_in(body in prop::collection::vec(0..4_u8, 0..400)) {
            let packed = alone(&body).unwrap();
            if let Some(packed) = packed {
                prop_assert!(packed.len() < body.len());
                prop_assert_eq!(length(&packed, Some(ALONE)), body.len());
                prop_assert_eq!(decompressed(&packed).unwrap(), body);
            }
        }

        #[test]
        fn a_changed_byte_is_no_other_body(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let bodies: Vec<Body> = (0..9).map(|n| (n, format!("{{\"id\":\"evt_{n}\"}}").into())).collect();
            let mut packed = pack(&bodies).unwrap();
            let at = at.index(packed.len());
            packed[at] ^= 1 << bit;
            let found = Opened::new(&packed).map(|opened| {
                opened.bodies().map(|(at, body)| (at, body.to_vec())).collect::<Vec<_>>()
            });
            // Bits that mean nothing may change; what is read is never something else.
            prop_assert!(found.is_err() || found.is_ok_and(|found| found == bodies));
        }
    }
}
