//! A comparison that is kept for the next one: every row with what it is called, what differed, and what it came to. It
//! can always be made anew from both sides, so that a file that is odd is as good as none.

use crate::domain::reconcile::row::{Key, Row, What};
use crate::domain::reconcile::summary::{Flow, Sum, Summary};
use crate::domain::reconcile::{Finding, Side, Verdict};
use crate::os::private;
use crate::store::runs::{Room, Runs};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

const LAYOUT: &str = "
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE rows (number INTEGER PRIMARY KEY, side INTEGER NOT NULL, row BLOB NOT NULL) STRICT;
    CREATE TABLE names (name BLOB NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)) STRICT, WITHOUT ROWID;
    CREATE TABLE late (name BLOB NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)) STRICT, WITHOUT ROWID;
    CREATE TABLE findings (place BLOB NOT NULL, finding BLOB NOT NULL, pending INTEGER NOT NULL, times INTEGER NOT NULL,
        PRIMARY KEY (place, finding)) STRICT, WITHOUT ROWID;
    CREATE INDEX pending ON findings (place) WHERE pending = 1;
    CREATE TABLE counts (verdict TEXT PRIMARY KEY, rows INTEGER NOT NULL) STRICT;
    CREATE TABLE sums (currency TEXT PRIMARY KEY, rows INTEGER NOT NULL, ours INTEGER NOT NULL, theirs INTEGER NOT NULL) STRICT;
    CREATE TABLE money (currency TEXT NOT NULL, category TEXT NOT NULL, side INTEGER NOT NULL, rows INTEGER NOT NULL,
        gross INTEGER NOT NULL, fee INTEGER NOT NULL, net INTEGER NOT NULL, PRIMARY KEY (currency, category, side)) STRICT;
";

/// Rows of both sides, ours first.
pub type Rows = [Vec<Row>; 2];

/// Rows of both sides that are kept, each by its number.
pub type Numbered = [BTreeMap<i64, Row>; 2];

/// A row that is to be kept, with what else it can be found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The row.
    pub row: Row,
    also: Vec<Vec<u8>>,
}

impl Fresh {
    /// A row that is never changed.
    pub const fn new(row: Row) -> Self {
        Self { row, also: Vec::new() }
    }

    /// A row that may be another one the next time: it is found by its own id, and by those that something may be said
    /// of that changes it.
    pub fn of_object(row: Row, about: &[String]) -> Self {
        let about = about.iter().map(|name| named(ABOUT, name));
        let also = about.chain([named(OWN, &row.id)]).collect();
        Self { row, also }
    }

    /// Whether something may be said of others that changes it.
    pub const fn is_about_more(&self) -> bool {
        self.also.len() > 1
    }

    fn names(&self) -> Vec<Vec<u8>> {
        let mut names = names(&self.row);
        names.extend_from_slice(&self.also);
        names
    }
}

/// What changes in a comparison that was kept.
pub struct Change<'c> {
    /// What was found of what changed.
    pub old: &'c [Finding],
    /// What is found of it now.
    pub new: &'c [Finding],
    /// Rows that are no more.
    pub gone: &'c Numbered,
    /// Rows that are new.
    pub rows: &'c [Vec<Fresh>; 2],
}

/// A comparison that was kept.
pub struct Kept(Connection);

/// A comparison that is being kept: under another name until it is whole.
pub struct Keeping {
    kept: Kept,
    names: Runs,
    number: i64,
    draft: PathBuf,
    path: PathBuf,
}

fn failed(error: rusqlite::Error) -> io::Error {
    io::Error::other(error)
}

/// The kinds of names that are no key: the payout that a row is or left with, its own id, and what it is also about.
const PAYOUT: u8 = u8::MAX;
const OWN: u8 = PAYOUT - 1;
const ABOUT: u8 = PAYOUT - 2;

fn named(kind: u8, value: &str) -> Vec<u8> {
    [&[kind], value.as_bytes()].concat()
}

/// What rows are connected by: each of their keys, and the payout that one is or left with.
fn names(row: &Row) -> Vec<Vec<u8>> {
    let keys = Key::ALL.into_iter().filter_map(|key| Some(named(key as u8, row.key(key)?)));
    let own = (row.what == What::Payout).then_some(row.id.as_str());
    let payout = own.or(Some(row.payout.as_str()).filter(|payout| !payout.is_empty()));
    keys.chain(payout.map(|payout| named(PAYOUT, payout))).collect()
}

const fn number(side: Side) -> i64 {
    match side {
        Side::Ours => 0,
        Side::Theirs => 1,
    }
}

impl Keeping {
    /// Begins; what was kept under `path` stays until [`Keeping::end`].
    pub fn begin(path: &Path, room: Room) -> io::Result<Self> {
        let draft = path.with_extension("draft");
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private::database(&draft)?;
        let connection = Connection::open(&draft).map_err(failed)?;
        // Nobody reads it before it is whole, and it is flushed then.
        let begin = "PRAGMA journal_mode = off; PRAGMA synchronous = off; BEGIN";
        connection.execute_batch(LAYOUT).map_err(failed)?;
        connection.execute_batch(begin).map_err(failed)?;
        let (kept, names) = (Kept(connection), Runs::new(room));
        Ok(Self { kept, names, number: 0, draft, path: path.to_owned() })
    }

    /// Keeps a row.
    pub fn row(&mut self, side: Side, fresh: &Fresh) -> io::Result<()> {
        self.number += 1;
        self.kept.insert(self.number, side, &fresh.row)?;
        for name in fresh.names() {
            self.names.push_bytes(&name, &self.number.to_be_bytes())?;
        }
        Ok(())
    }

    /// Keeps a finding, where it is one that a person looks at.
    pub fn finding(&self, finding: &Finding) -> io::Result<()> {
        self.kept.put(finding)
    }

    /// Keeps the rest, and gives it its name.
    pub fn end(mut self, summary: &Summary, about: &[(&str, String)]) -> io::Result<()> {
        let names = std::mem::replace(&mut self.names, Runs::new(Room::new(Path::new(""), 1)));
        let mut sorted = names.in_order()?;
        let connection = &self.kept.0;
        {
            let sql = "INSERT OR IGNORE INTO names (name, number) VALUES (?1, ?2)";
            let mut insert = connection.prepare(sql).map_err(failed)?;
            while let Some(name) = sorted.peek().map(<[u8]>::to_vec) {
                let number =
                    sorted.next_with(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)))?;
                insert.execute(params![name, number]).map_err(failed)?;
            }
        }
        self.kept.note(summary, about)?;
        self.kept.0.execute_batch("COMMIT").map_err(failed)?;
        let Self { kept, draft, path, .. } = self;
        kept.0.close().map_err(|(_, error)| failed(error))?;
        std::fs::File::open(&draft)?.sync_all()?;
        std::fs::rename(&draft, &path)
    }
}

impl Kept {
    /// Opens what was kept under `path`; `None` where there is nothing, or nothing that can be used.
    pub fn open(path: &Path) -> Option<Self> {
        if !path.exists() {
            return None;
        }
        let connection = Connection::open(path).ok()?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).ok()?;
        connection.query_row("SELECT COUNT(*) FROM sums", [], |_| Ok(())).ok()?;
        Some(Self(connection))
    }

    /// What was noted under a name.
    pub fn about(&self, name: &str) -> Option<String> {
        let sql = "SELECT value FROM about WHERE name = ?1";
        self.0.query_row(sql, [name], |row| row.get(0)).optional().ok().flatten()
    }

    /// Everything that is connected with these rows by any name, of both sides; the rows themselves are not among it
    /// unless they were kept. `None` where there are more than `most`.
    pub fn connected(&self, to: &Rows, most: usize) -> io::Result<Option<Numbered>> {
        let mut found = Numbered::default();
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<Vec<u8>> = to.iter().flatten().flat_map(names).collect();
        while let Some(name) = waiting.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            for (side, number, row) in self.by_name(&name)? {
                let names = names(&row);
                let [ours, theirs] = &mut found;
                let known = if side == 0 { ours } else { theirs }.insert(number, row);
                if known.is_none() {
                    waiting.extend(names);
                }
            }
            if found.iter().map(BTreeMap::len).sum::<usize>() > most {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// The rows that have something to do with what is called so, however it is.
    pub fn about_it(&self, name: &str) -> io::Result<Numbered> {
        let kinds = Key::ALL.into_iter().map(|key| key as u8).chain([OWN, ABOUT]);
        self.found(kinds.map(|kind| named(kind, name)))
    }

    /// The rows whose own id this is.
    pub fn called(&self, id: &str) -> io::Result<Numbered> {
        self.found([named(OWN, id)])
    }

    fn found(&self, names: impl IntoIterator<Item = Vec<u8>>) -> io::Result<Numbered> {
        let mut found = Numbered::default();
        for name in names {
            for (side, number, row) in self.by_name(&name)? {
                let [ours, theirs] = &mut found;
                if side == 0 { ours } else { theirs }.insert(number, row);
            }
        }
        Ok(found)
    }

    /// The rows under a name, each with its side. A row that is gone may have left some of its names.
    fn by_name(&self, name: &[u8]) -> io::Result<Vec<(i64, i64, Row)>> {
        let sql = "SELECT side, rows.number, row FROM names JOIN rows ON rows.number = names.number \
                   WHERE name = ?1 UNION ALL SELECT side, rows.number, row FROM late \
                   JOIN rows ON rows.number = late.number WHERE name = ?1";
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query([name]).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let bytes: Vec<u8> = row.get(2).map_err(failed)?;
            let read = Row::read(&bytes).ok_or(io::ErrorKind::InvalidData)?;
            found.push((row.get(0).map_err(failed)?, row.get(1).map_err(failed)?, read));
        }
        Ok(found)
    }

    /// The findings that time may change.
    pub fn pending(&self) -> io::Result<Vec<Finding>> {
        self.read("SELECT finding, times FROM findings WHERE pending = 1")
    }

    /// The findings that a person looks at, in no order.
    pub fn findings(&self) -> io::Result<Vec<Finding>> {
        self.read("SELECT finding, times FROM findings")
    }

    fn read(&self, sql: &str) -> io::Result<Vec<Finding>> {
        let mut statement = self.0.prepare(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let (bytes, times): (Vec<u8>, i64) =
                (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
            let finding = Finding::read(&bytes).ok_or(io::ErrorKind::InvalidData)?;
            found.extend((0..times).map(|_| finding.clone()));
        }
        Ok(found)
    }

    /// Takes findings and rows back and keeps others, and notes what it comes to, all at once.
    pub fn change(
        &mut self,
        change: &Change<'_>,
        summary: &Summary,
        about: &[(&str, String)],
    ) -> io::Result<()> {
        self.0.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let worked = self.work(change, summary, about);
        let end = if worked.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.0.execute_batch(end).map_err(failed)?;
        worked
    }

    fn work(
        &self,
        Change { old, new, gone, rows }: &Change<'_>,
        summary: &Summary,
        about: &[(&str, String)],
    ) -> io::Result<()> {
        for finding in old.iter().filter(|it| it.verdict != Verdict::Match) {
            self.remove(finding)?;
        }
        for finding in *new {
            self.put(finding)?;
        }
        for (number, row) in gone.iter().flatten() {
            self.forget(*number, row)?;
        }
        let last = "SELECT COALESCE(MAX(number), 0) FROM rows";
        let mut last: i64 = self.0.query_row(last, [], |row| row.get(0)).map_err(failed)?;
        // Among all names each would change a page of its own; those that came later stand together.
        let insert = "INSERT OR IGNORE INTO late (name, number) VALUES (?1, ?2)";
        for (side, rows) in [Side::Ours, Side::Theirs].into_iter().zip(*rows) {
            for fresh in rows {
                last += 1;
                self.insert(last, side, &fresh.row)?;
                for name in fresh.names() {
                    let mut statement = self.0.prepare_cached(insert).map_err(failed)?;
                    statement.execute(params![name, last]).map_err(failed)?;
                }
            }
        }
        self.note(summary, about)
    }

    fn forget(&self, number: i64, row: &Row) -> io::Result<()> {
        let sql = "DELETE FROM rows WHERE number = ?1";
        self.0.prepare_cached(sql).and_then(|mut it| it.execute([number])).map_err(failed)?;
        let names: Vec<Vec<u8>> = names(row).into_iter().chain([named(OWN, &row.id)]).collect();
        for sql in [
            "DELETE FROM names WHERE name = ?1 AND number = ?2",
            "DELETE FROM late WHERE name = ?1 AND number = ?2",
        ] {
            let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
            for name in &names {
                statement.execute(params![name, number]).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn insert(&self, at: i64, side: Side, row: &Row) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(160);
        row.write(&mut bytes);
        let sql = "INSERT INTO rows (number, side, row) VALUES (?1, ?2, ?3)";
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        statement.execute(params![at, number(side), bytes]).map_err(failed)?;
        Ok(())
    }

    fn put(&self, finding: &Finding) -> io::Result<()> {
        if finding.verdict == Verdict::Match {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(400);
        finding.write(&mut bytes);
        let pending = finding.verdict == Verdict::Pending;
        let sql = "INSERT INTO findings (place, finding, pending, times) VALUES (?1, ?2, ?3, 1) \
                   ON CONFLICT (place, finding) DO UPDATE SET times = times + 1";
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        statement.execute(params![finding.order(), bytes, pending]).map_err(failed)?;
        Ok(())
    }

    fn remove(&self, finding: &Finding) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(400);
        finding.write(&mut bytes);
        let place = finding.order();
        let one = params![place, bytes];
        let sql = "UPDATE findings SET times = times - 1 WHERE place = ?1 AND finding = ?2";
        let changed = self.0.prepare_cached(sql).and_then(|mut it| it.execute(one));
        if changed.map_err(failed)? != 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a finding was not kept"));
        }
        let sql = "DELETE FROM findings WHERE place = ?1 AND finding = ?2 AND times = 0";
        self.0.prepare_cached(sql).and_then(|mut it| it.execute(one)).map_err(failed)?;
        Ok(())
    }

    fn note(&self, summary: &Summary, about: &[(&str, String)]) -> io::Result<()> {
        self.note_all(summary, about).map_err(failed)
    }

    fn note_all(&self, summary: &Summary, about: &[(&str, String)]) -> rusqlite::Result<()> {
        let it = &self.0;
        it.execute_batch(
            "DELETE FROM counts; DELETE FROM sums; DELETE FROM money; DELETE FROM about",
        )?;
        for (name, value) in about {
            it.execute("INSERT INTO about VALUES (?1, ?2)", params![name, value])?;
        }
        let size = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (verdict, count) in &summary.counts {
            let sql = "INSERT INTO counts VALUES (?1, ?2)";
            it.execute(sql, params![verdict.name(), size(*count as u64)])?;
        }
        for (currency, sum) in &summary.sums {
            let sql = "INSERT INTO sums VALUES (?1, ?2, ?3, ?4)";
            it.execute(sql, params![currency.code(), size(sum.rows), sum.ours, sum.theirs])?;
        }
        for ((currency, category), flows) in &summary.money {
            for (side, flow) in (0_i64..).zip(flows) {
                let sql = "INSERT INTO money VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let code = currency.code();
                let rows = size(flow.rows);
                it.execute(
                    sql,
                    params![code, category, side, rows, flow.gross, flow.fee, flow.net],
                )?;
            }
        }
        Ok(())
    }

    /// What the comparison came to.
    pub fn summary(&self) -> io::Result<Summary> {
        self.summed().map_err(failed)
    }

    fn summed(&self) -> rusqlite::Result<Summary> {
        let mut summary = Summary::default();
        let mut statement = self.0.prepare("SELECT verdict, rows FROM counts")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let verdict = Verdict::ALL.into_iter().find(|it| it.name() == name);
            let verdict = verdict.ok_or_else(|| super::schema::unknown(0, &name))?;
            let count: i64 = row.get(1)?;
            summary.counts.insert(verdict, usize::try_from(count).unwrap_or(0));
        }
        let mut statement = self.0.prepare("SELECT currency, rows, ours, theirs FROM sums")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let count: i64 = row.get(1)?;
            let rows = u64::try_from(count).unwrap_or(0);
            let sum = Sum { rows, ours: row.get(2)?, theirs: row.get(3)? };
            summary.sums.insert(super::schema::currency(row, 0)?, sum);
        }
        let sql = "SELECT currency, category, side, rows, gross, fee, net FROM money";
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (currency, category) = (super::schema::currency(row, 0)?, row.get(1)?);
            let flows: &mut [Flow; 2] = summary.money.entry((currency, category)).or_default();
            let [ours, theirs] = flows;
            let flow = if row.get::<_, i64>(2)? == 0 { ours } else { theirs };
            let rows = super::count(row, 3)?;
            *flow = Flow { rows, gross: row.get(4)?, fee: row.get(5)?, net: row.get(6)? };
        }
        Ok(summary)
    }
}
