//! Finds every row of a ledger that is not as it was written.

use crate::store::chain::{Chain, Hashed, seal_of};
use crate::store::pack::Bodies;
use crate::store::rebuild::{COUNTED, FOLLOWING, Table, replay};
use crate::store::sqlite::{LINE, Sqlite};
use crate::store::{SqliteLedger, StoreError, schema};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, TransactionBehavior};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// What is the matter with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// It is not what was written.
    Changed,
    /// It is not there.
    Missing,
    /// It stands before one that was written earlier.
    Reordered,
    /// It follows from nothing.
    Added,
    /// It stands on two servers of one ledger.
    Divided,
}

impl Deviation {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Reordered => "reordered",
            Self::Added => "added",
            Self::Divided => "divided",
        }
    }
}

/// A row that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: &'static str,
    /// The key of the row.
    pub row: String,
    /// What is the matter with it.
    pub what: Deviation,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Lines of the journal.
    pub lines: u64,
    /// Writers that wrote them.
    pub writers: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Every row that is not as it was written.
    pub findings: Vec<Finding>,
}

impl SqliteLedger {
    /// Looks at every row: whether the chains hold, and whether what follows from the journal is what stands there.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut connection = schema::open(self.path())?;
        let mut work = || {
            self.until.watch(&mut connection)?;
            // One snapshot: whoever writes meanwhile is not in the way.
            look(&*connection.transaction_with_behavior(TransactionBehavior::Deferred)?)
        };
        work().map_err(|error| schema::explain(self.path(), &error))
    }
}

/// Looks at every row that a connection sees.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<Verified> {
    let mut verified = Verified::default();
    let sealed = checkpoints(connection, &mut verified)?;
    let chains = lines(connection, &sealed, &mut verified)?;
    heads(connection, &chains, &mut verified)?;
    // What follows from a journal that is damaged is not what followed from it.
    if verified.findings.is_empty() {
        following(connection, &mut verified)?;
    }
    Ok(verified)
}

impl Verified {
    fn find(&mut self, table: &'static str, row: impl Into<String>, what: Deviation) {
        self.findings.push(Finding { table, row: row.into(), what });
    }
}

fn lines(
    connection: &Connection,
    sealed: &BTreeMap<(i64, i64), (i64, Vec<u8>)>,
    verified: &mut Verified,
) -> rusqlite::Result<BTreeMap<i64, Chain>> {
    let sql = format!("SELECT {LINE}, writer, place, hash FROM events ORDER BY seq");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut bodies = Bodies::new(connection);
    let mut chains: BTreeMap<i64, Chain> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    while let Some(row) = rows.next()? {
        verified.lines += 1;
        let id: String = row.get(0)?;
        let (writer, place): (i64, i64) = (row.get(13)?, row.get(14)?);
        let hash: Vec<u8> = row.get::<_, Option<Vec<u8>>>(15)?.unwrap_or_default();
        let chain = chains.entry(writer).or_insert_with(|| Chain::new(writer));
        match place.cmp(&(chain.place + 1)) {
            Ordering::Less => {
                missing.remove(&(writer, place));
                verified.find("events", id, Deviation::Reordered);
                continue;
            }
            Ordering::Greater => {
                missing.extend((chain.place + 1..place).map(|lost| (writer, lost)));
            }
            Ordering::Equal => {
                let kept = row.get_ref(10)?.as_blob()?;
                let body = bodies.looked_at(row.get(11)?, kept, row.get(12)?);
                if let Some(body) = &body {
                    chain.add_hashed(&hashed(row, body)?);
                }
                if body.is_none() || chain.hash != hash {
                    verified.find("events", id, Deviation::Changed);
                }
            }
        }
        if let Some((number, _)) = sealed.get(&(writer, place)).filter(|(_, head)| *head != hash) {
            verified.find("checkpoints", number.to_string(), Deviation::Changed);
        }
        // What comes after is held to what was written.
        *chain = Chain { writer, place, hash };
    }
    let sql = "SELECT number FROM packs WHERE number NOT IN \
               (SELECT pack FROM events WHERE pack IS NOT NULL) ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    for number in statement.query_map([], |row| row.get::<_, i64>(0))? {
        verified.find("packs", number?.to_string(), Deviation::Added);
    }
    verified.writers = chains.len() as u64;
    for (writer, place) in missing {
        verified.find("events", format!("{writer}:{place}"), Deviation::Missing);
    }
    Ok(chains)
}

fn hashed<'r>(row: &'r Row<'_>, body: &'r [u8]) -> rusqlite::Result<Hashed<'r>> {
    let text = |at: usize| -> rusqlite::Result<&'r str> { Ok(row.get_ref(at)?.as_str()?) };
    let perhaps =
        |at: usize| -> rusqlite::Result<Option<&'r str>> { Ok(row.get_ref(at)?.as_str_or_null()?) };
    Ok(Hashed {
        id: text(0)?,
        kind: text(1)?,
        object: perhaps(2)?,
        created: row.get(3)?,
        livemode: row.get(4)?,
        received: row.get(5)?,
        via: text(6)?,
        signed: row.get(7)?,
        secret: perhaps(8)?,
        apart: perhaps(9)?,
        body,
    })
}

fn heads(
    connection: &Connection,
    chains: &BTreeMap<i64, Chain>,
    verified: &mut Verified,
) -> rusqlite::Result<()> {
    // Every writer that wrote has sealed its first line.
    let sql = "SELECT 1 FROM checkpoints LIMIT 1";
    if !chains.is_empty() && !connection.prepare(sql)?.exists([])? {
        verified.find("checkpoints", "1", Deviation::Missing);
    }
    let mut statement =
        connection.prepare("SELECT writer, place, hash FROM heads ORDER BY writer")?;
    let mut rows = statement.query([])?;
    let mut known = Vec::new();
    while let Some(row) = rows.next()? {
        let head = Chain { writer: row.get(0)?, place: row.get(1)?, hash: row.get(2)? };
        let place = chains.get(&head.writer).map_or(0, |chain| chain.place);
        for lost in place + 1..=head.place {
            verified.find("events", format!("{}:{lost}", head.writer), Deviation::Missing);
        }
        if place > head.place || (place == head.place && chains.get(&head.writer) != Some(&head)) {
            verified.find("heads", head.writer.to_string(), Deviation::Changed);
        }
        known.push(head.writer);
    }
    for writer in chains.keys().filter(|writer| !known.contains(writer)) {
        verified.find("heads", writer.to_string(), Deviation::Missing);
    }
    Ok(())
}

/// The heads that were sealed, by writer and place: the number of the checkpoint, and the hash.
type Sealed = BTreeMap<(i64, i64), (i64, Vec<u8>)>;

/// The heads that were sealed, each with the number of its checkpoint.
fn checkpoints(connection: &Connection, verified: &mut Verified) -> rusqlite::Result<Sealed> {
    let sql = "SELECT number, writer, place, hash, seal FROM checkpoints ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut before, mut last) = (Vec::new(), 0_i64);
    let mut sealed = BTreeMap::new();
    while let Some(row) = rows.next()? {
        verified.checkpoints += 1;
        let number: i64 = row.get(0)?;
        for lost in last + 1..number {
            verified.find("checkpoints", lost.to_string(), Deviation::Missing);
        }
        let head = Chain { writer: row.get(1)?, place: row.get(2)?, hash: row.get(3)? };
        let seal: Vec<u8> = row.get(4)?;
        let whole = number != last + 1 || seal == seal_of(&before, number, &head);
        if !whole {
            verified.find("checkpoints", number.to_string(), Deviation::Changed);
        }
        sealed.insert((head.writer, head.place), (number, head.hash));
        (before, last) = (seal, number);
    }
    Ok(sealed)
}

/// Works out again what follows from the journal, beside it, and compares row by row.
fn following(connection: &Connection, verified: &mut Verified) -> rusqlite::Result<()> {
    // A name that is empty is a file of SQLite's own, which goes with the connection.
    let mut beside = Connection::open("")?;
    schema::lay_out(&mut beside)?;
    let transaction = beside.transaction()?;
    let mut nothing = Chain::new(0);
    let mut store = Sqlite::new(&transaction, &mut nothing);
    let sql = "SELECT problem FROM events WHERE seq = ?1";
    replay(connection, &mut store, |number, line| {
        let problem: Option<String> =
            connection.prepare_cached(sql)?.query_row([number], |row| row.get(0))?;
        if problem != line.meaning.problem {
            verified.find("events", &line.id, Deviation::Changed);
        }
        Ok(())
    })?;
    for table in &FOLLOWING {
        compare(table, connection, &transaction, verified)?;
    }
    totals(connection, verified)
}

/// What is kept of sums is held to the rows that stand there, each of which was held to the journal.
fn totals(connection: &Connection, verified: &mut Verified) -> rusqlite::Result<()> {
    const KEPT: &str = "SELECT currency, status, SUM(sessions), SUM(high), SUM(low), SUM(refunded_high), \
                        SUM(refunded_low) FROM sums GROUP BY currency, status";
    let sql = format!(
        "SELECT DISTINCT currency || ' ' || status FROM (SELECT * FROM ({KEPT} EXCEPT {COUNTED}) \
         UNION ALL SELECT * FROM ({COUNTED} EXCEPT {KEPT})) ORDER BY 1"
    );
    let mut statement = connection.prepare(&sql)?;
    for name in statement.query_map([], |row| row.get::<_, String>(0))? {
        verified.find("totals", name?, Deviation::Changed);
    }
    Ok(())
}

fn compare(
    table: &Table,
    written: &Connection,
    right: &Connection,
    verified: &mut Verified,
) -> rusqlite::Result<()> {
    let key: Vec<String> = (1..=table.key).map(|at| at.to_string()).collect();
    let sql = format!("SELECT {} FROM {} ORDER BY {}", table.columns, table.name, key.join(", "));
    let (mut written, mut right) = (written.prepare(&sql)?, right.prepare(&sql)?);
    let width = written.column_count();
    let (mut written, mut right) = (written.query([])?, right.query([])?);
    let (mut stands, mut wanted) = (next(&mut written, width)?, next(&mut right, width)?);
    loop {
        let order = match (&stands, &wanted) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(stands), Some(wanted)) => {
                let keys = stands.iter().zip(wanted).take(table.key);
                keys.map(|(a, b)| order(a, b)).find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
            }
        };
        let name = |row: &Option<Vec<Value>>| {
            let key = row.iter().flatten().take(table.key).map(text);
            key.collect::<Vec<_>>().join(" ")
        };
        match order {
            Ordering::Less => verified.find(table.name, name(&stands), Deviation::Added),
            Ordering::Greater => verified.find(table.name, name(&wanted), Deviation::Missing),
            Ordering::Equal if stands != wanted => {
                verified.find(table.name, name(&wanted), Deviation::Changed);
            }
            Ordering::Equal => {}
        }
        if order.is_le() {
            stands = next(&mut written, width)?;
        }
        if order.is_ge() {
            wanted = next(&mut right, width)?;
        }
    }
}

fn next(rows: &mut rusqlite::Rows<'_>, width: usize) -> rusqlite::Result<Option<Vec<Value>>> {
    let Some(row) = rows.next()? else { return Ok(None) };
    (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<_>>().map(Some)
}

/// The order in which SQLite gives the values of a key.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::line::{Apart, Line, Source};
    use crate::domain::book::{Account, export};
    use crate::domain::currency::Currency;
    use crate::domain::entry::{CheckoutRecord, EntryStatus, Fact};
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use crate::store::Ledger;
    use crate::store::writer::Write;
    use crate::store::{FILE, Filter};
    use serde_json::json;

    fn event(id: &str, kind: &str, object: &serde_json::Value) -> Line {
        let event = json!({"id": id, "object": "event", "type": kind, "created": 200,
            "livemode": false, "data": {"object": object}});
        let source = Source::Webhook { signed: Timestamp(899), secret: "0123456789ab".to_owned() };
        Line::event(Event::stored(event.to_string().as_bytes()).unwrap(), Timestamp(900), source)
    }

    fn intent(n: u32, received: i64) -> Line {
        let object = json!({"id": format!("pi_{n}"), "object": "payment_intent", "amount": 1000,
            "amount_received": received, "currency": "jpy", "status": "succeeded"});
        event(&format!("evt_{n}_{received}"), "payment_intent.succeeded", &object)
    }

    fn charge(n: u32) -> Line {
        let object = json!({"id": format!("ch_{n}"), "object": "charge", "amount": 1000,
            "amount_captured": 1000, "captured": true, "currency": "jpy", "status": "succeeded",
            "payment_intent": format!("pi_{n}"), "balance_transaction": null});
        event(&format!("evt_ch_{n}"), "charge.succeeded", &object)
    }

    struct Desk {
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    /// A ledger that two writers filled, one after the other.
    fn desk() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join(FILE)).unwrap();
        let lines = [intent(1, 1000), charge(1), intent(2, 1000), intent(2, 900), intent(3, 400)];
        for some in lines.chunks(3) {
            let batch = ledger.writer().unwrap().start();
            for line in some {
                batch.submit_blocking(Write::line(line.clone())).unwrap();
            }
        }
        let batch = ledger.writer().unwrap().start();
        let seen = Fact::Session(CheckoutRecord {
            session_id: "cs_9".to_owned(),
            amount: 700,
            currency: Currency::JPY,
            status: EntryStatus::Paid,
            created: Timestamp(1),
            updated: Timestamp(2),
            payment_intent: Some("pi_9".to_owned()),
            event_id: None,
        });
        batch.submit_blocking(Write::seen(vec![seen], Timestamp(950))).unwrap();
        let apart = event("evt_live", "payment_intent.succeeded", &json!({"id": "pi_live"}));
        let apart = Write::line(apart.apart(Apart::OtherMode));
        batch.submit_blocking(apart).unwrap();
        drop(batch);
        Desk { ledger, _folder: folder }
    }

    fn findings(desk: &Desk) -> Vec<(&'static str, String, &'static str)> {
        let found = desk.ledger.verify().unwrap().findings;
        found.into_iter().map(|it| (it.table, it.row, it.what.name())).collect()
    }

    fn tamper(desk: &Desk, sql: &str) {
        Connection::open(desk.ledger.path()).unwrap().execute_batch(sql).unwrap();
    }

    #[test]
    fn a_ledger_that_nobody_touched_verifies_and_says_what_is_the_matter_with_its_payments() {
        let desk = desk();
        let verified = desk.ledger.verify().unwrap();
        assert_eq!((verified.lines, verified.writers, verified.findings), (7, 3, vec![]));
        let balances = desk.ledger.balances().unwrap();
        let of = |account| balances.iter().find(|it| it.account == account).unwrap().amount;
        // A direct payment, one captured in part, and one that was seen; of the contradicting one nothing.
        assert_eq!((of(Account::Receivable), of(Account::Revenue)), (2_100, -2_100));
        let problems = desk.ledger.problems().unwrap();
        let names: Vec<_> =
            problems.iter().map(|it| (it.name.as_str(), it.about.as_str())).collect();
        let expected =
            [("other_mode", "evt_live"), ("contradiction", "pi_2"), ("pending_fee", "ch_1")];
        assert_eq!(names, expected);
    }

    #[test]
    fn rows_of_the_journal_that_were_changed_taken_out_or_moved_are_named() {
        for (sql, expected) in [
            ("UPDATE events SET body = X'7B7D' WHERE seq = 2", ("events", "evt_ch_1", "changed")),
            ("UPDATE events SET received = 1 WHERE seq = 3", ("events", "evt_2_1000", "changed")),
            (
                "UPDATE events SET seq = 99 WHERE seq = 1; UPDATE events SET seq = 1 WHERE seq = 2; \
                 UPDATE events SET seq = 2 WHERE seq = 99",
                ("events", "evt_1_1000", "reordered"),
            ),
            ("UPDATE heads SET place = place - 1 WHERE place = 3", ("heads", "", "changed")),
            (
                "UPDATE checkpoints SET seal = X'00' WHERE number = 2",
                ("checkpoints", "2", "changed"),
            ),
            ("DELETE FROM checkpoints WHERE number = 2", ("checkpoints", "2", "missing")),
        ] {
            let desk = desk();
            tamper(&desk, sql);
            let found = findings(&desk);
            let named = |it: &(&str, String, &str)| {
                let (table, row, what) = expected;
                it.0 == table && it.2 == what && (row.is_empty() || it.1 == row)
            };
            assert!(found.iter().any(named), "{sql}: {found:?}");
        }
        for seq in [2, 3, 7] {
            let desk = desk();
            tamper(&desk, &format!("DELETE FROM events WHERE seq = {seq}"));
            let found = findings(&desk);
            assert!(matches!(found[..], [("events", _, "missing")]), "{seq}: {found:?}");
        }
    }

    #[test]
    fn rows_that_do_not_follow_from_the_journal_are_named_and_made_anew() {
        for (sql, expected) in [
            (
                "UPDATE postings SET amount = amount * 2 WHERE entry = 1",
                ("postings", "1 receivable jpy", "changed"),
            ),
            ("UPDATE ledger SET amount = 1", ("ledger", "cs_9", "changed")),
            ("DELETE FROM entries WHERE number = 2", ("entries", "2", "missing")),
            (
                "INSERT INTO entries (line, subject, object, reason) VALUES (1, 'x', 'x', 'sale')",
                ("entries", "6", "added"),
            ),
            (
                "DELETE FROM facts WHERE subject = 'ch_1'",
                ("facts", "ch_1 ch_1 charge charged 1000 jpy ", "missing"),
            ),
            ("DELETE FROM conflicts", ("conflicts", "", "missing")),
            ("UPDATE totals SET sessions = sessions + 1", ("totals", "jpy paid", "changed")),
            ("DELETE FROM totals", ("totals", "jpy paid", "changed")),
            ("UPDATE events SET problem = 'x' WHERE seq = 1", ("events", "evt_1_1000", "changed")),
        ] {
            let desk = desk();
            let before = export::jsonl(&desk.ledger.entries(None, None).unwrap());
            let all = Filter::default();
            let rows = (desk.ledger.rows(&all).unwrap(), desk.ledger.totals(&all).unwrap());
            tamper(&desk, sql);
            let found = findings(&desk);
            let named = |it: &(&str, String, &str)| {
                let (table, row, what) = expected;
                it.0 == table && it.2 == what && (row.is_empty() || it.1 == row)
            };
            assert!(found.iter().any(named), "{sql}: {found:?}");
            assert_eq!(desk.ledger.rebuild().unwrap(), 7);
            assert_eq!(findings(&desk), []);
            assert_eq!(export::jsonl(&desk.ledger.entries(None, None).unwrap()), before);
            assert_eq!((desk.ledger.rows(&all).unwrap(), desk.ledger.totals(&all).unwrap()), rows);
        }
    }

    #[test]
    fn sums_of_a_whole_ledger_are_counted_whatever_they_are() {
        let desk = desk();
        let most = crate::domain::entry::AMOUNT_MAX;
        let batch = desk.ledger.writer().unwrap().start();
        let line = intent(7, most + 1);
        let told = batch.submit_blocking(Write::line(line)).unwrap();
        assert!(told.problem.is_some_and(|problem| problem.contains("amount_received")));
        drop(batch);
        tamper(
            &desk,
            "UPDATE postings SET amount = 9223372036854775807 WHERE account = 'receivable'",
        );
        let sum = desk.ledger.balances().unwrap()[0].amount;
        assert_eq!(sum, i128::from(i64::MAX) * 5);
    }
}
