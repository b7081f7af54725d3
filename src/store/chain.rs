//! The chain of a writer's lines: each carries a hash of itself and of the one before, so that none can be changed, taken
//! out or moved unnoticed. How far each writer came stands apart (`heads`), and is sealed into `checkpoints` now and then.

use crate::domain::book::line::{Apart, Line};
use crate::store::sqlite::source;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

/// After how many lines of a writer the heads are sealed.
pub(super) const SEAL_EVERY: i64 = 256;

/// How far a writer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// Which writer: each opening has a number of its own.
    pub(super) writer: i64,
    /// How many lines it wrote.
    pub(super) place: i64,
    /// The hash of the last one.
    pub(super) hash: Vec<u8>,
}

/// What is hashed of a line, as its columns have it. What follows from the line is not: that is worked out again.
pub(super) struct Hashed<'l> {
    pub(super) id: &'l str,
    pub(super) kind: &'l str,
    pub(super) object: Option<&'l str>,
    pub(super) created: i64,
    pub(super) livemode: bool,
    pub(super) received: i64,
    pub(super) via: &'l str,
    pub(super) signed: Option<i64>,
    pub(super) secret: Option<&'l str>,
    pub(super) apart: Option<&'l str>,
    pub(super) body: &'l [u8],
}

impl Chain {
    /// The beginning of the chain of `writer`.
    pub(super) const fn new(writer: i64) -> Self {
        Self { writer, place: 0, hash: Vec::new() }
    }

    /// Goes on by a line.
    pub(super) fn add(&mut self, line: &Line) {
        let (via, signed, secret) = source(&line.source);
        self.add_hashed(&Hashed {
            id: &line.id,
            kind: &line.kind,
            object: line.object.as_deref(),
            created: line.created.0,
            livemode: line.livemode,
            received: line.received.0,
            via,
            signed,
            secret,
            apart: line.apart.map(Apart::name),
            body: &line.body,
        });
    }

    /// Goes on by a line that is given by its columns.
    pub(super) fn add_hashed(&mut self, line: &Hashed<'_>) {
        self.place += 1;
        let mut hasher = Sha256::new();
        hasher.update(&self.hash);
        hasher.update(self.writer.to_be_bytes());
        hasher.update(self.place.to_be_bytes());
        let mut put = |bytes: Option<&[u8]>| {
            // The length stands before the bytes, so that no two lines read the same.
            let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
            hasher.update(length.to_be_bytes());
            hasher.update(bytes.unwrap_or_default());
        };
        for text in
            [Some(line.id), Some(line.kind), line.object, Some(line.via), line.secret, line.apart]
        {
            put(text.map(str::as_bytes));
        }
        let numbers = [Some(line.created), Some(line.received), line.signed];
        for number in numbers {
            put(number.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        }
        put(Some(&[u8::from(line.livemode)]));
        put(Some(line.body));
        self.hash = hasher.finalize().to_vec();
    }

    /// Writes down how far the chain came since `before`, and seals it where it is time; whether it was.
    pub(super) fn note(&self, before: &Self, connection: &Connection) -> rusqlite::Result<bool> {
        if self == before {
            return Ok(false);
        }
        let sql = "INSERT INTO heads (writer, place, hash) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (writer) DO UPDATE SET place = excluded.place, hash = excluded.hash";
        connection.prepare_cached(sql)?.execute(params![self.writer, self.place, self.hash])?;
        let is_time = before.place == 0 || before.place / SEAL_EVERY != self.place / SEAL_EVERY;
        if is_time {
            self.seal(connection)?;
        }
        Ok(is_time)
    }

    /// Seals how far the chain came, on top of what was sealed before.
    fn seal(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT number, seal FROM checkpoints ORDER BY number DESC LIMIT 1";
        let last = connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (last, before): (i64, Vec<u8>) = last.unwrap_or_default();
        let seal = seal_of(&before, last + 1, self);
        let sql = "INSERT INTO checkpoints (number, writer, place, hash, seal) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![last + 1, self.writer, self.place, self.hash, seal];
        connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

/// The seal of a checkpoint: of a head, and of all that was sealed before.
pub(super) fn seal_of(before: &[u8], number: i64, head: &Chain) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(before);
    for number in [number, head.writer, head.place] {
        hasher.update(number.to_be_bytes());
    }
    hasher.update(&head.hash);
    hasher.finalize().to_vec()
}
