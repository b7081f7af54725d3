//! What follows from the journal, worked out again from its lines: to make it anew, to find where it differs, and to bring
//! over a file from before there was one.

use crate::domain::book::line::{Line, Source};
use crate::domain::entry::{CheckoutRecord, Fact as Seen, Refunded};
use crate::domain::time::Timestamp;
use crate::store::chain::Chain;
use crate::store::journal::{JournalStore, apply};
use crate::store::pack::Bodies;
use crate::store::schema;
use crate::store::sqlite::{LINE, Sqlite, line, refund_state};
use rusqlite::{Connection, Transaction, params};

/// A table whose rows follow from the journal: its columns, of which the first ones are the key.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static str,
    pub(super) key: usize,
}

/// Every table that follows from the journal.
pub(super) const FOLLOWING: [Table; 6] = [
    Table {
        name: "ledger",
        columns: "session_id, amount, currency, status, settled, refunded, created, updated, \
                  payment_intent, event_id",
        key: 1,
    },
    Table {
        name: "refunds",
        columns: "payment_intent, source, state, amount, updated, event_id",
        key: 2,
    },
    Table {
        name: "facts",
        columns: "subject, object, kind, what, amount, currency, detail, at, line",
        key: 7,
    },
    Table { name: "entries", columns: "number, line, subject, object, reason, takes_back", key: 1 },
    Table { name: "postings", columns: "entry, account, currency, amount", key: 3 },
    Table { name: "conflicts", columns: "subject, trouble, said", key: 3 },
];

/// What the rows of the ledger come to, as the sums that are kept have it.
pub(super) const COUNTED: &str = "SELECT currency, status, COUNT(*), SUM(amount >> 32), SUM(amount & 4294967295), \
    SUM(refunded >> 32), SUM(refunded & 4294967295) FROM ledger GROUP BY currency, status";

/// Makes what follows from the journal anew.
pub(super) fn anew(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    // First of all: rows that are in no sum go without changing one.
    transaction
        .execute_batch("DELETE FROM summed; INSERT INTO summed VALUES (0); DELETE FROM totals")?;
    for table in &FOLLOWING {
        transaction.execute(&format!("DELETE FROM {}", table.name), [])?;
    }
    let mut nothing = Chain::new(0);
    let mut store = Sqlite::new(transaction, &mut nothing);
    let again = |number: i64, line: &Line| {
        let sql = "UPDATE events SET problem = ?2 WHERE seq = ?1 AND problem IS NOT ?2";
        transaction.prepare_cached(sql)?.execute(params![number, line.meaning.problem])?;
        Ok(())
    };
    let lines = replay(transaction, &mut store, again)?;
    schema::sum_up(transaction)?;
    Ok(lines)
}

/// Applies every line of `journal` to `store`, in the order of the file; how many there were.
pub(super) fn replay(
    journal: &Connection,
    store: &mut Sqlite<'_>,
    mut each: impl FnMut(i64, &Line) -> rusqlite::Result<()>,
) -> rusqlite::Result<u64> {
    let mut statement = journal.prepare(&format!("SELECT {LINE} FROM events ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    let mut bodies = Bodies::new(journal);
    let mut lines = 0;
    while let Some(row) = rows.next()? {
        let (line, number) = (line(row, &mut bodies)?, row.get(11)?);
        each(number, &line)?;
        apply(store, number, &line.meaning)?;
        lines += 1;
    }
    Ok(lines)
}

/// Brings a file over that has no chain: what came without an event gets a line, every line its place, and what follows is
/// worked out.
pub(super) fn carry_over(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM heads) AND (EXISTS (SELECT 1 FROM events) \
               OR EXISTS (SELECT 1 FROM ledger) OR EXISTS (SELECT 1 FROM refunds))";
    if !transaction.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let begin = Chain::new(schema::writer_number());
    let mut chain = begin.clone();
    let mut statement = transaction.prepare(&format!("SELECT {LINE} FROM events ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    let mut bodies = Bodies::new(transaction);
    while let Some(row) = rows.next()? {
        chain.add(&line(row, &mut bodies)?);
        let number: i64 = row.get(11)?;
        let sql = "UPDATE events SET writer = ?2, place = ?3, hash = ?4 WHERE seq = ?1";
        let place = params![number, chain.writer, chain.place, chain.hash];
        transaction.prepare_cached(sql)?.execute(place)?;
    }
    let seen = without_event(transaction)?;
    if !seen.is_empty() {
        let at = seen.iter().map(|(at, _)| *at).max().unwrap_or(Timestamp(0));
        let facts = seen.into_iter().map(|(_, fact)| fact).collect();
        let mut store = Sqlite::new(transaction, &mut chain);
        store.append(&Line::seen(facts, at, Source::Carried))?;
    }
    chain.note(&begin, transaction)?;
    anew(transaction)?;
    Ok(())
}

/// What a file of the first schema knows without an event.
fn without_event(connection: &Connection) -> rusqlite::Result<Vec<(Timestamp, Seen)>> {
    let sql = "SELECT session_id, amount, currency, settled, created, updated, payment_intent, event_id \
               FROM ledger WHERE event_id IS NULL OR session_id NOT IN \
               (SELECT object FROM events WHERE object IS NOT NULL) ORDER BY session_id";
    let mut statement = connection.prepare(sql)?;
    let sessions = statement.query_map([], |row| {
        let entry: CheckoutRecord = schema::entry(row)?;
        Ok((entry.updated, Seen::Session(entry)))
    })?;
    let mut seen = sessions.collect::<rusqlite::Result<Vec<_>>>()?;
    let sql = "SELECT payment_intent, source, state, amount, updated, event_id FROM refunds \
               WHERE event_id IS NULL OR event_id NOT IN (SELECT id FROM events) \
               ORDER BY payment_intent, source";
    let mut statement = connection.prepare(sql)?;
    let refunds = statement.query_map([], |row| {
        let refunded = Refunded {
            payment_intent: row.get(0)?,
            source: row.get(1)?,
            state: refund_state(row, 2)?,
            amount: row.get(3)?,
            updated: Timestamp(row.get(4)?),
            event_id: row.get(5)?,
            charge: None,
            currency: None,
        };
        Ok((refunded.updated, Seen::Refund(refunded)))
    })?;
    seen.extend(refunds.collect::<rusqlite::Result<Vec<_>>>()?);
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use crate::domain::book::export;
    use crate::domain::book::line::{Line, Source};
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use crate::store::pack::Bodies;
    use crate::store::writer::Write;
    use crate::store::{FILE, Filter, Ledger, schema};
    use rusqlite::Connection;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn a_file_of_the_first_schema_is_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let old = Connection::open(&path).unwrap();
        old.execute_batch(&schema::of_version(1)).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        let session = json!({"id": "cs_1", "object": "checkout.session", "amount_total": 500,
            "currency": "jpy", "created": 100, "payment_status": "paid", "payment_intent": "pi_1"});
        let refund = json!({"id": "re_1", "object": "refund", "payment_intent": "pi_2", "amount": 200,
            "currency": "jpy", "status": "succeeded", "charge": "ch_2"});
        for (n, kind, object) in
            [(1, "checkout.session.completed", session), (2, "refund.created", refund)]
        {
            let body = json!({"id": format!("evt_{n}"), "object": "event", "type": kind,
                "created": 200, "data": {"object": object}});
            let sql = "INSERT INTO events (id, type, object, created, livemode, received, body) \
                       VALUES (?1, ?2, ?3, 200, 0, 300, ?4)";
            let object = object["id"].as_str().unwrap();
            let body = body.to_string().into_bytes();
            old.execute(sql, rusqlite::params![format!("evt_{n}"), kind, object, body]).unwrap();
        }
        // The second row was seen at the provider, and an event about its refund touched it last.
        old.execute_batch(
            "INSERT INTO ledger VALUES ('cs_1', 500, 'jpy', 'paid', 'paid', 0, 100, 200, 'pi_1', 'evt_1'), \
             ('cs_2', 600, 'jpy', 'partially_refunded', 'paid', 200, 150, 200, 'pi_2', 'evt_2'); \
             INSERT INTO refunds VALUES ('pi_2', 're_1', 'sent', 200, 200, 'evt_2')",
        )
        .unwrap();
        drop(old);
        let ledger = Ledger::open(&path).unwrap();
        let rows = ledger.rows(&Filter::default()).unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|it| (it.record.session_id.as_str(), it.record.status.name(), it.refunded))
            .collect();
        assert_eq!(shown, [("cs_2", "partially_refunded", 200), ("cs_1", "paid", 0)]);
        assert_eq!(ledger.events_count().unwrap(), 2);
        let verified = ledger.verify().unwrap();
        assert_eq!((verified.lines, verified.findings), (3, vec![]));
        let balances = ledger.balances().unwrap();
        let amounts: Vec<_> = balances.iter().map(|it| (it.account.name(), it.amount)).collect();
        assert_eq!(amounts, [("receivable", 900), ("revenue", -1_100), ("refunds", 200)]);
        // Opened again it is what it is.
        drop(ledger);
        assert_eq!(Ledger::open(&path).unwrap().verify().unwrap().lines, 3);
    }
    /// A ledger as the version before the ends of ids were indexed would have written it.
    fn of_before(now: &Path, path: &Path) {
        let old = Connection::open(path).unwrap();
        old.execute_batch(&schema::of_version(3)).unwrap();
        old.pragma_update(None, "user_version", 3).unwrap();
        old.execute("ATTACH ?1 AS now", [now.to_str().unwrap()]).unwrap();
        for table in [
            "events",
            "ledger",
            "refunds",
            "cursor",
            "heads",
            "checkpoints",
            "facts",
            "postings",
            "conflicts",
        ] {
            old.execute_batch(&format!("INSERT INTO {table} SELECT * FROM now.{table}")).unwrap();
        }
        old.execute_batch(
            "INSERT INTO entries SELECT number, line, subject, COALESCE(object, subject), reason, takes_back \
             FROM now.entries",
        )
        .unwrap();
        let mut packed = old.prepare("SELECT seq, body, pack FROM events").unwrap();
        let mut bodies = Bodies::new(&old);
        let plain: Vec<(i64, Vec<u8>)> = packed
            .query_map([], |row| {
                Ok((row.get(0)?, bodies.of(row.get(0)?, row.get(1)?, row.get(2)?)?))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (seq, body) in plain {
            let sql = "UPDATE events SET body = ?2, pack = NULL WHERE seq = ?1";
            old.execute(sql, rusqlite::params![seq, body]).unwrap();
        }
    }

    #[test]
    fn a_file_of_the_version_before_says_the_same_in_fewer_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let now = Ledger::open(&folder.path().join(FILE)).unwrap();
        let batch = now.writer().unwrap().start();
        for n in 0..60 {
            let session = json!({"id": format!("cs_test_{n:050}"), "object": "checkout.session", "amount_total": 500 + n,
                "currency": "jpy", "created": 100 + n, "payment_status": "paid", "payment_intent": format!("pi_{n:024}")});
            let charge = json!({"id": format!("ch_{n:024}"), "object": "charge", "amount": 500 + n,
                "amount_refunded": n % 3 * 100, "amount_captured": 500 + n, "captured": true, "currency": "jpy",
                "status": "succeeded", "payment_intent": format!("pi_{n:024}"), "balance_transaction": null});
            for (kind, object) in
                [("checkout.session.completed", session), ("charge.refunded", charge)]
            {
                let event = json!({"id": format!("evt_{kind}_{n:024}"), "object": "event", "type": kind,
                    "created": 200 + n, "livemode": false, "data": {"object": object}});
                let event = Event::stored(event.to_string().as_bytes()).unwrap();
                let line = Line::event(event, Timestamp(300), Source::Poll);
                batch.submit_blocking(Write::line(line)).unwrap();
            }
        }
        drop(batch);
        let path = folder.path().join("old.db");
        of_before(now.path(), &path);
        let length = || std::fs::metadata(&path).unwrap().len();
        let before = length();
        let carried = Ledger::open(&path).unwrap();
        let said = |ledger: &Ledger| {
            let all = Filter::default();
            let entries = export::jsonl(&ledger.entries(None, None).unwrap());
            (
                ledger.rows(&all).unwrap(),
                ledger.totals(&all).unwrap(),
                entries,
                ledger.events(u32::MAX).unwrap(),
            )
        };
        assert_eq!(said(&carried), said(&now));
        assert_eq!(carried.verify().unwrap().findings, []);
        carried.rebuild().unwrap();
        assert_eq!(said(&carried), said(&now));
        assert_eq!(carried.compact(&mut |_, _| true).unwrap().lines, 120);
        assert_eq!(said(&carried), said(&now));
        assert_eq!(carried.verify().unwrap().findings, []);
        assert!(length() < before, "{} of {before}", length());
    }
}
