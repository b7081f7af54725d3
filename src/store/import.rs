//! Lines of another ledger, or of a file of events and objects, into this one. A line that is known changes nothing.

use crate::batch::Commit as _;
use crate::domain::book::home::is_sure;
use crate::domain::book::line::{Line, Source};
use crate::domain::event::Event;
use crate::domain::ledger_url::{LedgerPlace, LedgerUrl};
use crate::domain::time::Timestamp;
use crate::store::homes::{Homes, Read};
use crate::store::ledger::Writer;
use crate::store::migrate::version;
use crate::store::snapshot::{EachLine, each_line};
use crate::store::writer::Write;
use crate::store::{Ledger, StoreError, Until, schema, sqlite};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// Lines a commit.
const LINES_MAX: usize = 500;

/// From which version on a ledger may keep bodies in packs.
const WITH_PACKS: i64 = 3;

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Lines read.
    pub read: u64,
    /// Lines that were new.
    pub fresh: u64,
    /// What could not be read: where and why.
    pub unreadable: Vec<(String, String)>,
}

/// Why a line belongs to no server of several.
pub(super) const UNSURE: &str = "it does not say of which payment it is, and so not on which server it belongs; fetched \
    with expand[]=data.source, a balance transaction does";

/// Lines on their way into a ledger, some at once.
#[derive(Debug)]
pub(super) struct Intake {
    writer: Writer,
    is_divided: bool,
    homes: Homes,
    until: Until,
    waiting: Vec<Write>,
    done: Imported,
}

impl Ledger {
    /// Takes in the journal of another ledger, or events and objects, one a line.
    pub fn import(&self, from: &LedgerPlace, now: Timestamp) -> Result<Imported, StoreError> {
        match from {
            LedgerPlace::File(file) => self.import_file(file, now),
            LedgerPlace::Server(url) => self.import_server(url),
        }
    }

    fn import_server(&self, url: &LedgerUrl) -> Result<Imported, StoreError> {
        let other = Self::existing(url)?.within(self.asked().clone())?.snapshot()?;
        self.import_journal(&mut |each| other.each(each))
    }

    /// Takes in the lines of a journal, which `read` gives to whoever it is given.
    fn import_journal(&self, read: Read<'_>) -> Result<Imported, StoreError> {
        let homes = if self.is_divided() { Homes::of(read)? } else { Homes::default() };
        let mut intake = Intake::new(self, homes)?;
        read(&mut |line| intake.put(line))?;
        Ok(intake.end()?.0)
    }

    fn import_file(&self, file: &Path, now: Timestamp) -> Result<Imported, StoreError> {
        let io = |error: std::io::Error| StoreError::Io {
            path: file.to_owned(),
            reason: error.to_string(),
        };
        let mut head = BufReader::new(File::open(file).map_err(io)?);
        if head.fill_buf().map_err(io)?.starts_with(b"SQLite format 3\0") {
            drop(head);
            return self.import_journal(&mut |each| lines(file, each));
        }
        let mut intake = Intake::new(self, Homes::default())?;
        for (line, number) in head.lines().zip(1_u64..) {
            intake.text(&line.map_err(io)?, number, now)?;
        }
        Ok(intake.end()?.0)
    }
}

impl Intake {
    /// Into this ledger, of a journal whose lines have these homes where they do not say one.
    pub(super) fn new(ledger: &Ledger, homes: Homes) -> Result<Self, StoreError> {
        Ok(Self {
            writer: ledger.watched_writer()?,
            is_divided: ledger.is_divided(),
            homes,
            until: ledger.asked().clone(),
            waiting: Vec::new(),
            done: Imported::default(),
        })
    }

    /// Writes what waits; what it all came to, and the writer.
    pub(super) fn end(mut self) -> Result<(Imported, Writer), StoreError> {
        self.flush()?;
        Ok((self.done, self.writer))
    }

    fn text(&mut self, text: &str, number: u64, now: Timestamp) -> Result<(), StoreError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let object: Value = match serde_json::from_str(text) {
            Ok(object) => object,
            Err(error) => {
                self.odd(number, &error.to_string());
                return Ok(());
            }
        };
        if object.get("object").and_then(Value::as_str) == Some("event") {
            // The bytes are kept as they stand in the file.
            return match Event::stored(text.trim().as_bytes()) {
                Ok(event) => self.put(Line::event(event, now, Source::Carried)),
                Err(error) => {
                    self.odd(number, &error.to_string());
                    Ok(())
                }
            };
        }
        if object.get("object").is_none() || object.get("id").is_none() {
            self.odd(number, "no event and no object");
            return Ok(());
        }
        let at = object.get("created").and_then(Value::as_i64).map_or(now, Timestamp);
        self.put(Line::fetched(&object, at, now, Source::Carried))
    }

    fn odd(&mut self, number: u64, why: &str) {
        self.done.read += 1;
        self.done.unreadable.push((number.to_string(), why.to_owned()));
    }

    /// Takes a line.
    pub(super) fn put(&mut self, line: Line) -> Result<(), StoreError> {
        self.done.read += 1;
        let mut home = None;
        if self.is_divided && !is_sure(&line) {
            home = self.homes.find(&line);
            if home.is_none() {
                self.done.unreadable.push((line.id, UNSURE.to_owned()));
                return Ok(());
            }
        }
        self.waiting.push(Write::line_at(line, home));
        if self.waiting.len() >= LINES_MAX { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if self.until.is_asked() {
            return Err(StoreError::Interrupted);
        }
        for outcome in self.writer.commit(std::mem::take(&mut self.waiting))? {
            self.done.fresh += u64::from(outcome?.fresh);
        }
        Ok(())
    }
}

/// Gives the lines of another ledger's file to `each`; the file is left as it is, whatever its version.
fn lines(file: &Path, each: EachLine<'_>) -> Result<(), StoreError> {
    let fail = |error: rusqlite::Error| schema::explain(file, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let other = Connection::open_with_flags(file, flags).map_err(fail)?;
    let columns = match version(&other).map_err(fail)? {
        ..WITH_PACKS => sqlite::LINE.replace(", pack", ", NULL"),
        _ => sqlite::LINE.to_owned(),
    };
    each_line(&other, &columns, file, each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{FILE, Filter};

    #[test]
    fn events_objects_and_another_ledger_are_taken_in_and_twice_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("a").join(FILE)).unwrap();
        let lines = folder.path().join("events.jsonl");
        let session = "{\"id\":\"cs_1\",\"object\":\"checkout.session\",\"amount_total\":500,\"currency\":\"jpy\",\
            \"created\":4,\"status\":\"complete\",\"payment_status\":\"paid\",\"payment_intent\":\"pi_1\"}";
        let event = format!(
            "{{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"checkout.session.completed\",\
            \"created\":5,\"livemode\":false,\"data\":{{\"object\":{session}}}}}"
        );
        let refund = "{\"id\":\"re_1\",\"object\":\"refund\",\"amount\":200,\"currency\":\"jpy\",\"created\":6,\
            \"payment_intent\":\"pi_1\",\"charge\":\"ch_1\",\"status\":\"succeeded\"}";
        std::fs::write(&lines, format!("{event}\n\n{refund}\nno json\n")).unwrap();
        let lines = LedgerPlace::File(lines);
        let done = ledger.import(&lines, Timestamp(9)).unwrap();
        assert_eq!((done.read, done.fresh, done.unreadable.len()), (3, 2, 1));
        assert_eq!(done.unreadable[0].0, "4");
        let row = ledger.rows(&Filter::default()).unwrap().pop().unwrap();
        assert_eq!((row.refunded, row.record.status.name()), (200, "partially_refunded"));
        assert_eq!(ledger.import(&lines, Timestamp(99)).unwrap().fresh, 0);
        assert_eq!(ledger.event("evt_1").unwrap().unwrap().body, event.as_bytes());
        let other = Ledger::open(&folder.path().join("b").join(FILE)).unwrap();
        let done =
            other.import(&LedgerPlace::File(ledger.path().to_owned()), Timestamp(9)).unwrap();
        assert_eq!((done.read, done.fresh), (2, 2));
        assert_eq!(other.rows(&Filter::default()), ledger.rows(&Filter::default()));
        assert!(other.verify().unwrap().findings.is_empty());
    }
}
