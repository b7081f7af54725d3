//! Reads at once what a batch's lines touch.

use crate::domain::book::Reason;
use crate::domain::book::derive::{Conflict, ConflictKind};
use crate::domain::entry::{EntryStatus, RefundState};
use crate::store::chain::Chain;
use crate::store::journal::SessionRow;
use crate::store::postgres::draft::{Draft, Touched};
use crate::store::postgres::line::{self, CHECKOUT, FACT};
use crate::store::postgres::{PgError, Row};
use deadpool_postgres::Object;
use std::collections::BTreeSet;
use tokio_postgres::types::ToSql;

/// The last checkpoint: its number and its seal.
pub(super) type Sealed = (i64, Vec<u8>);

/// Where the tables end.
const ENDS: &str = "\
    SELECT (SELECT COALESCE(max(seq), 0) FROM stripegym.events), \
           (SELECT COALESCE(max(number), 0) FROM stripegym.entries), \
           (SELECT number FROM stripegym.checkpoints ORDER BY number DESC LIMIT 1), \
           (SELECT seal FROM stripegym.checkpoints ORDER BY number DESC LIMIT 1), \
           (SELECT value FROM stripegym.about WHERE name = 'place')";

const KNOWN: &str = "SELECT id FROM stripegym.events WHERE id = ANY($1)";

/// The refunds of the payments of sessions are found by the session: only its row may know which payment that is.
const REFUNDS: &str = "\
    SELECT payment_intent, source, state, amount FROM stripegym.refunds WHERE payment_intent = ANY($1) UNION \
    SELECT payment_intent, source, state, amount FROM stripegym.refunds WHERE payment_intent IN \
    (SELECT payment_intent FROM stripegym.ledger WHERE session_id = ANY($2))";

const STANDING: &str = "\
    SELECT number, subject, COALESCE(object, subject), reason FROM stripegym.entries AS one \
    WHERE subject = ANY($1) AND takes_back IS NULL AND NOT EXISTS \
    (SELECT 1 FROM stripegym.entries WHERE takes_back = one.number)";

const POSTINGS: &str = "\
    SELECT entry, account, currency, amount FROM stripegym.postings WHERE entry IN \
    (SELECT number FROM stripegym.entries WHERE subject = ANY($1) AND takes_back IS NULL)";

const CONFLICTS: &str =
    "SELECT subject, trouble, said FROM stripegym.conflicts WHERE subject = ANY($1)";

/// The rows of a statement that is kept ready.
pub(super) async fn rows(
    client: &Object,
    sql: &str,
    args: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, PgError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, args).await?.into_iter().map(Row).collect())
}

fn texts(names: &BTreeSet<String>) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The rows of sessions and what they were with refunds.
fn session(row: &Row) -> Result<SessionRow, PgError> {
    Ok(SessionRow {
        entry: line::checkout(row)?,
        status: row.word(8, EntryStatus::read)?,
        refunded: row.get(9)?,
    })
}

/// Reads what `touched` names, all in one go there and back.
pub(super) async fn load(
    client: &Object,
    touched: Touched,
    chain: Chain,
) -> Result<(Draft, Sealed), PgError> {
    let (lines, sessions) = (texts(&touched.lines), texts(&touched.sessions));
    let (intents, subjects) = (texts(&touched.intents), texts(&touched.subjects));
    let of_sessions = format!(
        "SELECT {CHECKOUT}, status, refunded FROM stripegym.ledger \
         WHERE session_id = ANY($1) OR payment_intent = ANY($2)"
    );
    let of_facts = format!("SELECT {FACT} FROM stripegym.facts WHERE subject = ANY($1)");
    let (by_lines, by_subjects): ([&(dyn ToSql + Sync); 1], [&(dyn ToSql + Sync); 1]) =
        ([&lines], [&subjects]);
    let by_both: [&(dyn ToSql + Sync); 2] = [&sessions, &intents];
    let by_intents: [&(dyn ToSql + Sync); 2] = [&intents, &sessions];
    let (ends, known, found, refunds, facts, standing, postings, conflicts) = tokio::try_join!(
        rows(client, ENDS, &[]),
        rows(client, KNOWN, &by_lines),
        rows(client, &of_sessions, &by_both),
        rows(client, REFUNDS, &by_intents),
        rows(client, &of_facts, &by_subjects),
        rows(client, STANDING, &by_subjects),
        rows(client, POSTINGS, &by_subjects),
        rows(client, CONFLICTS, &by_subjects),
    )?;
    let mut draft = Draft::new(touched.clone(), chain);
    let mut sealed = Sealed::default();
    for row in &ends {
        (draft.last_line, draft.last_entry) = (row.get(0)?, row.get(1)?);
        draft.place = row.get(4)?;
        let number: Option<i64> = row.get(2)?;
        let seal: Option<Vec<u8>> = row.get(3)?;
        sealed = (number.unwrap_or_default(), seal.unwrap_or_default());
    }
    for row in &known {
        draft.known.insert(row.get(0)?);
    }
    for row in &found {
        draft.has_session(session(row)?);
    }
    for row in &refunds {
        let (source, state) = (row.get::<&str>(1)?, row.word(2, RefundState::read)?);
        draft.refunds_mut(row.get(0)?).apply_fact(source, state, row.get(3)?);
    }
    for row in &facts {
        draft.has_fact(line::fact(row)?);
    }
    let mut postings = line::postings(&postings)?;
    for row in &standing {
        let number = row.get(0)?;
        let reason = row.word(3, Reason::read)?;
        let entry = line::entry(row.get(2)?, reason, postings.remove(&number))?;
        draft.has_entry(row.get(1)?, number, entry);
    }
    for row in &conflicts {
        let conflict = Conflict { trouble: row.word(1, ConflictKind::read)?, said: row.get(2)? };
        draft.has_conflict(row.get(0)?, conflict);
    }
    Ok((draft, sealed))
}
