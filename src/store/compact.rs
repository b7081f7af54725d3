//! Makes the ledger's file small without losing anything: bodies go into packs, a few hundred lines a transaction, and
//! the pages that come free are given back at the end. Whatever interrupts it leaves a ledger that is whole: each line
//! has its body in one place or the other, and it goes on from there the next time.

use crate::store::pack::{self, Bodies, Body, Opened, PackError};
use crate::store::{SqliteLedger, StoreError, schema, writer};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use std::time::Duration;

/// Lines a pack.
const LINES: usize = 512;

/// Bytes of bodies a pack, where they are large.
const BYTES: usize = 4 * 1024 * 1024;

/// How long it waits for whoever writes; nobody waits for its answer.
const WAIT: Duration = Duration::from_secs(30);

/// Whoever hears how many lines of how many are packed, and says whether to go on.
pub type Each<'e> = &'e mut dyn FnMut(u64, u64) -> bool;

/// What compacting came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Lines whose bodies were packed now.
    pub lines: u64,
    /// The bytes of all bodies as they came.
    pub payload: u64,
    /// The file's bytes before.
    pub before: u64,
    /// The file's bytes after.
    pub after: u64,
}

impl SqliteLedger {
    /// Packs every body and gives free pages back; says now and then how many lines of how many are done.
    pub fn compact(&self, each: Each<'_>) -> Result<Compacted, StoreError> {
        // Nobody may take the file away meanwhile.
        let _lock = writer::lock(self.path())?;
        let mut connection = schema::open(self.path())?;
        let watched = self.until.watch(&mut connection);
        watched
            .and_then(|()| work(&mut connection, each))
            .map_err(|error| schema::explain(self.path(), &error))
    }
}

fn work(connection: &mut Connection, each: Each<'_>) -> rusqlite::Result<Compacted> {
    connection.busy_timeout(WAIT)?;
    let number = |connection: &Connection, sql: &str| -> rusqlite::Result<u64> {
        connection.query_row(sql, [], |row| super::count(row, 0))
    };
    let bytes = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let before = number(connection, bytes)?;
    let all = number(connection, "SELECT COUNT(*) FROM events WHERE COALESCE(pack, 0) = 0")?;
    let mut lines = 0;
    let mut after = begin(connection)?;
    let mut go_on = each(0, all);
    while go_on {
        let Some((last, packed)) = next(connection, after)? else { break };
        after = Start { line: last, again: None };
        lines += packed;
        go_on = each(lines.min(all), all);
    }
    if go_on {
        connection.execute_batch("VACUUM")?;
    }
    // What stands in the log goes into the file, which is cut to its length; whoever reads now only delays that.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let packed = number(connection, "SELECT COALESCE(SUM(bytes), 0) FROM packs")?;
    Ok(Compacted {
        lines,
        payload: packed + unpacked(connection)?,
        before,
        after: number(connection, bytes)?,
    })
}

/// The bytes of the bodies that are in no pack.
fn unpacked(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT body, pack FROM events WHERE COALESCE(pack, 0) = 0";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut sum = 0;
    while let Some(row) = rows.next()? {
        sum += pack::length(row.get_ref(0)?.as_blob()?, row.get(1)?) as u64;
    }
    Ok(sum)
}

/// From where it goes on.
#[derive(Clone, Copy, Debug, Default)]
struct Start {
    /// After which line.
    line: i64,
    /// The last pack, where there is still room in it.
    again: Option<i64>,
}

/// Goes on with the last pack where it is not full, so that compacting often costs no room.
fn begin(connection: &Connection) -> rusqlite::Result<Start> {
    let sql = "SELECT number, lines FROM packs ORDER BY number DESC LIMIT 1";
    let last: Option<(i64, i64)> =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let full = i64::try_from(LINES).unwrap_or(i64::MAX);
    Ok(Start { line: 0, again: last.filter(|(_, lines)| *lines < full).map(|(number, _)| number) })
}

/// Packs the next lines; the last of them and how many were not packed before, or `None` where nothing is left.
fn next(connection: &mut Connection, start: Start) -> rusqlite::Result<Option<(i64, u64)>> {
    let mut bodies: Vec<Body> = Vec::new();
    if let Some(again) = start.again {
        let opened = pack::open(connection, again)?;
        bodies.extend(opened.bodies().map(|(line, body)| (line, body.to_vec())));
    }
    let known = bodies.len();
    let mut bytes: usize = bodies.iter().map(|(_, body)| body.len()).sum();
    {
        let sql = "SELECT seq, body, pack FROM events WHERE seq > ?1 AND COALESCE(pack, 0) = 0 ORDER BY seq";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![start.line])?;
        let mut alone = Bodies::new(connection);
        while bodies.len() < LINES && bytes < BYTES {
            let Some(row) = rows.next()? else { break };
            let body = alone.of(row.get(0)?, row.get(1)?, row.get(2)?)?;
            bytes += body.len();
            bodies.push((row.get(0)?, body));
        }
    }
    let Some(last) = bodies.last().map(|(line, _)| *line).filter(|_| bodies.len() > known) else {
        return Ok(None);
    };
    let packed = pack::pack(&bodies)?;
    proven(&bodies, &packed)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(again) = start.again {
        transaction.execute("DELETE FROM packs WHERE number = ?1", params![again])?;
    }
    let sql = "INSERT INTO packs (lines, bytes, packed) VALUES (?1, ?2, ?3)";
    let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    transaction.execute(sql, params![size(bodies.len()), size(bytes), packed])?;
    let number = transaction.last_insert_rowid();
    let sql = "UPDATE events SET body = X'', pack = ?2 WHERE seq = ?1";
    let mut moved = transaction.prepare(sql)?;
    for (line, _) in &bodies {
        moved.execute(params![line, number])?;
    }
    drop(moved);
    transaction.commit()?;
    Ok(Some((last, u64::try_from(bodies.len() - known).unwrap_or(0))))
}

/// Nothing is taken out of a line before it was read back from where it goes.
fn proven(bodies: &[Body], packed: &[u8]) -> rusqlite::Result<()> {
    let opened = Opened::new(packed)?;
    for (line, body) in bodies {
        if opened.body(*line)? != body.as_slice() {
            return Err(PackError::Lacks(*line).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::export;
    use crate::domain::book::line::{Line, Source};
    use crate::domain::event::Event;
    use crate::domain::ledger_url::LedgerPlace;
    use crate::domain::time::Timestamp;
    use crate::store::Ledger;
    use crate::store::writer::Write;
    use crate::store::{FILE, Filter};
    use serde_json::json;

    /// A payment as the provider tells of it: mostly the same from one to the next.
    fn intent(n: u32) -> Line {
        let filler = json!({"automatic_payment_methods": {"enabled": true}, "description": null,
            "payment_method_types": ["card", "konbini", "link"], "statement_descriptor": null,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic", "installments": null,
                "network": null}, "konbini": {"expires_after_days": null, "product_description": null}}});
        let object = json!({"id": format!("pi_{n:06}"), "object": "payment_intent", "amount": 1_000 + n,
            "amount_received": 1_000 + n, "currency": "jpy", "status": "succeeded", "shipping": null,
            "first": filler, "second": filler, "third": filler, "fourth": filler});
        let event = json!({"id": format!("evt_{n:06}"), "object": "event", "type": "payment_intent.succeeded",
            "created": 200 + n, "livemode": false, "api_version": null, "data": {"object": object}});
        let source = Source::Webhook { signed: Timestamp(899), secret: "0123456789ab".to_owned() };
        Line::event(Event::stored(event.to_string().as_bytes()).unwrap(), Timestamp(900), source)
    }

    struct Desk {
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { ledger: Ledger::open(&folder.path().join(FILE)).unwrap(), _folder: folder }
        }

        fn hear(&self, numbers: std::ops::Range<u32>) {
            let batch = self.ledger.writer().unwrap().start();
            let waiting: Vec<_> =
                numbers.map(|n| batch.submit(Write::line(intent(n))).unwrap()).collect();
            for ticket in waiting {
                ticket.wait().unwrap();
            }
        }

        /// All that can be read of it.
        fn said(
            &self,
        ) -> (String, Vec<crate::store::StoredEvent>, Vec<crate::domain::report::LedgerRow>)
        {
            let entries = export::jsonl(&self.ledger.entries(None, None).unwrap());
            let rows = self.ledger.rows(&Filter::default()).unwrap();
            (entries, self.ledger.events(u32::MAX).unwrap(), rows)
        }

        fn packs(&self) -> u64 {
            let file = SqliteLedger::open(self.ledger.path()).unwrap();
            let sql = "SELECT COUNT(*) FROM packs";
            file.read(|it| it.query_row(sql, [], |row| crate::store::count(row, 0))).unwrap()
        }
    }

    #[test]
    fn a_quarter_of_the_bytes_is_enough_and_everything_reads_as_before() {
        let desk = Desk::new();
        desk.hear(0..1_300);
        let before = desk.said();
        let mut told = Vec::new();
        let mut hear = |done, all| {
            told.push((done, all));
            true
        };
        let done = desk.ledger.compact(&mut hear).unwrap();
        assert_eq!((done.lines, told.last()), (1_300, Some(&(1_300, 1_300))));
        assert!(done.after < done.before);
        assert_eq!(desk.said(), before);
        assert_eq!(desk.ledger.verify().unwrap().findings, []);
        let one = desk.ledger.event("evt_000700").unwrap().unwrap();
        assert_eq!(Event::stored(&one.body).unwrap().id, "evt_000700");
        // What comes later stands beside the packs, and a second time packs it with the last one.
        desk.hear(1_300..1_310);
        let before = desk.said();
        let packs = desk.packs();
        assert_eq!(desk.ledger.compact(&mut |_, _| true).unwrap().lines, 10);
        assert_eq!((desk.said(), desk.packs()), (before, packs));
        assert_eq!(desk.ledger.compact(&mut |_, _| true).unwrap().lines, 0);
        assert_eq!(desk.ledger.rebuild().unwrap(), 1_310);
        assert_eq!(desk.ledger.verify().unwrap().findings, []);
    }

    #[test]
    fn a_copy_and_an_import_have_every_byte() {
        let desk = Desk::new();
        desk.hear(0..40);
        desk.ledger.compact(&mut |_, _| true).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        desk.ledger.copy_to(&copy).unwrap();
        let other = Ledger::open(&folder.path().join(FILE)).unwrap();
        assert_eq!(other.import(&LedgerPlace::File(copy), Timestamp(9)).unwrap().fresh, 40);
        let bodies = |ledger: &Ledger| -> Vec<Vec<u8>> {
            ledger.events(u32::MAX).unwrap().into_iter().map(|it| it.body).collect()
        };
        assert_eq!(bodies(&other), bodies(&desk.ledger));
        assert_eq!(other.verify().unwrap().findings, []);
    }

    #[test]
    fn a_pack_that_was_changed_or_taken_out_is_named() {
        for sql in [
            "UPDATE packs SET packed = SUBSTR(packed, 1, LENGTH(packed) - 9)",
            "UPDATE packs SET packed = X'00'",
            "DELETE FROM packs",
            "UPDATE events SET pack = 99 WHERE seq = 3",
            "UPDATE events SET body = X'7B7D' WHERE seq = 3",
        ] {
            let desk = Desk::new();
            desk.hear(0..5);
            desk.ledger.compact(&mut |_, _| true).unwrap();
            Connection::open(desk.ledger.path()).unwrap().execute_batch(sql).unwrap();
            let found = desk.ledger.verify().unwrap().findings;
            let named =
                |it: &crate::store::verify::Finding| it.table == "events" && it.row == "evt_000002";
            assert!(found.iter().any(named), "{sql}: {found:?}");
        }
    }

    /// A session's event as it comes, of about three kilobytes.
    fn session(n: u32) -> Line {
        let members =
            (0..60).map(|n| format!(",\"option_{n:02}\":{{\"enabled\":false,\"value\":null}}"));
        let (created, filler) = (1_700_000_000 + n / 20, members.collect::<String>());
        let event = format!(
            "{{\"id\":\"evt_{n:024}\",\"object\":\"event\",\"api_version\":\"2026-10-28.endive\",\"created\":{created},\
             \"livemode\":false,\"type\":\"checkout.session.completed\",\"data\":{{\"object\":{{\"id\":\"cs_test_{n:050}\",\
             \"object\":\"checkout.session\",\"amount_total\":500,\"currency\":\"jpy\",\"created\":{created},\
             \"mode\":\"payment\",\"payment_intent\":\"pi_{n:024}\",\"payment_status\":\"paid\",\"status\":\"complete\",\
             \"customer_details\":{{\"email\":\"buyer{n}@example.com\"}}{filler}}}}}}}"
        );
        let source =
            Source::Webhook { signed: Timestamp(1_700_000_000), secret: "0123456789ab".to_owned() };
        Line::event(Event::stored(event.as_bytes()).unwrap(), Timestamp(1_700_000_000), source)
    }

    #[test]
    fn sessions_take_no_more_than_their_events_and_compacted_a_quarter() {
        let desk = Desk::new();
        let mut grown = Vec::new();
        // What more of them take: of few, the tables' first pages are a part that is none of a million.
        for numbers in [0..1_000, 1_000..3_000] {
            let batch = desk.ledger.writer().unwrap().start();
            let waiting: Vec<_> =
                numbers.map(|n| batch.submit(Write::line(session(n))).unwrap()).collect();
            for ticket in waiting {
                ticket.wait().unwrap();
            }
            drop(batch);
            grown.push(desk.ledger.compact(&mut |_, _| true).unwrap());
        }
        let [few, many] = grown[..] else { panic!("two times") };
        let payload = many.payload - few.payload;
        let of_payload = |bytes: u64| bytes * 1_000 / payload;
        let (before, after) =
            (of_payload(many.before - few.after), of_payload(many.after - few.after));
        assert!(before <= 1_250, "{before} of a thousand bytes");
        assert!(after <= 250, "{after} of a thousand bytes");
        assert_eq!(desk.ledger.verify().unwrap().findings, []);
    }
}
