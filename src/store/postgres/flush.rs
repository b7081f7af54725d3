//! Writes at once what a batch came to: a statement a table, whatever the number of its rows.

use crate::domain::book::line::{Apart, Line};
use crate::store::chain::{Chain, SEAL_EVERY, seal_of};
use crate::store::pack::Packed;
use crate::store::postgres::PgError;
use crate::store::postgres::draft::Draft;
use crate::store::postgres::load::{Sealed, rows};
use crate::store::sqlite::source;
use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;

/// A value of a statement, by its place among the others.
type Value<'v> = &'v (dyn ToSql + Sync);

const LINES: &str = "\
    INSERT INTO stripegym.events (seq, id, type, object, created, livemode, received, problem, body, pack, via, signed, \
    secret, apart, place, hash, writer) SELECT one.*, $17::bigint FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], \
    $5::bigint[], $6::boolean[], $7::bigint[], $8::text[], $9::bytea[], $10::bigint[], $11::text[], $12::bigint[], \
    $13::text[], $14::text[], $15::bigint[], $16::bytea[]) AS one ON CONFLICT DO NOTHING RETURNING seq";

const SESSIONS: &str = "\
    INSERT INTO stripegym.ledger (session_id, amount, currency, status, settled, refunded, created, updated, \
    payment_intent, event_id) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], \
    $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[]) \
    ON CONFLICT (session_id) DO UPDATE SET amount = excluded.amount, currency = excluded.currency, \
    status = excluded.status, settled = excluded.settled, refunded = excluded.refunded, created = excluded.created, \
    updated = excluded.updated, payment_intent = excluded.payment_intent, event_id = excluded.event_id";

const REFUNDS: &str = "\
    INSERT INTO stripegym.refunds (payment_intent, source, state, amount, updated, event_id) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[]) \
    ON CONFLICT (payment_intent, source) DO UPDATE SET state = excluded.state, amount = excluded.amount, \
    updated = excluded.updated, event_id = excluded.event_id";

const FACTS: &str = "\
    INSERT INTO stripegym.facts (subject, object, kind, what, amount, currency, detail, at, line) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], \
    $8::bigint[], $9::bigint[])";

const ENTRIES: &str = "\
    INSERT INTO stripegym.entries (number, line, subject, object, reason, takes_back) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[])";

const POSTINGS: &str = "\
    INSERT INTO stripegym.postings (entry, account, currency, amount) \
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])";

const NO_CONFLICTS: &str = "DELETE FROM stripegym.conflicts WHERE subject = ANY($1)";

const CONFLICTS: &str = "\
    INSERT INTO stripegym.conflicts (subject, trouble, said) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[])";

const HEAD: &str = "\
    INSERT INTO stripegym.heads (writer, place, hash) VALUES ($1, $2, $3) \
    ON CONFLICT (writer) DO UPDATE SET place = excluded.place, hash = excluded.hash";

const CHECKPOINT: &str = "\
    INSERT INTO stripegym.checkpoints (number, writer, place, hash, seal) VALUES ($1, $2, $3, $4, $5)";

/// A statement of which there is something to write, or nothing to do.
async fn write(
    client: &Object,
    sql: &str,
    is_empty: bool,
    values: &[Value<'_>],
) -> Result<(), PgError> {
    if is_empty {
        return Ok(());
    }
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, values).await?;
    Ok(())
}

/// Writes the lines that are new, each with its body as it is kept, and how far the writer's chain came.
pub(super) async fn lines(
    client: &Object,
    draft: &Draft,
    items: &[(&Line, &Packed)],
    (before, sealed): (&Chain, &Sealed),
) -> Result<(), PgError> {
    let new = &draft.new.lines;
    if new.is_empty() {
        return Ok(());
    }
    let given: Vec<_> = new.iter().filter_map(|it| items.get(it.item)).collect();
    let kept: Vec<_> = given.iter().map(|(line, packed)| packed.columns(&line.body)).collect();
    let how: Vec<_> = given.iter().map(|(line, _)| source(&line.source)).collect();
    let of = |read: fn(&Line) -> i64| given.iter().map(|(line, _)| read(line)).collect::<Vec<_>>();
    let seq: Vec<i64> = new.iter().map(|it| it.seq).collect();
    let ids: Vec<&str> = given.iter().map(|(line, _)| line.id.as_str()).collect();
    let kinds: Vec<&str> = given.iter().map(|(line, _)| line.kind.as_str()).collect();
    let objects: Vec<Option<&str>> = given.iter().map(|(line, _)| line.object.as_deref()).collect();
    let (created, received) = (of(|line| line.created.0), of(|line| line.received.0));
    let live: Vec<bool> = given.iter().map(|(line, _)| line.livemode).collect();
    let problems: Vec<Option<&str>> =
        given.iter().map(|(line, _)| line.meaning.problem.as_deref()).collect();
    let bodies: Vec<&[u8]> = kept.iter().map(|(body, _)| *body).collect();
    let packs: Vec<Option<i64>> = kept.iter().map(|(_, pack)| *pack).collect();
    let via: Vec<&str> = how.iter().map(|(via, _, _)| *via).collect();
    let signed: Vec<Option<i64>> = how.iter().map(|(_, signed, _)| *signed).collect();
    let secrets: Vec<Option<&str>> = how.iter().map(|(_, _, secret)| *secret).collect();
    let apart: Vec<Option<&str>> =
        given.iter().map(|(line, _)| line.apart.map(Apart::name)).collect();
    let places: Vec<i64> = new.iter().map(|it| it.place).collect();
    let hashes: Vec<&[u8]> = new.iter().map(|it| it.hash.as_slice()).collect();
    let head = &draft.chain;
    let values: [Value<'_>; 17] = [
        &seq,
        &ids,
        &kinds,
        &objects,
        &created,
        &live,
        &received,
        &problems,
        &bodies,
        &packs,
        &via,
        &signed,
        &secrets,
        &apart,
        &places,
        &hashes,
        &head.writer,
    ];
    let seals = before.place == 0 || before.place / SEAL_EVERY != head.place / SEAL_EVERY;
    let (number, seal) = (sealed.0 + 1, seal_of(&sealed.1, sealed.0 + 1, head));
    let of_head: [Value<'_>; 3] = [&head.writer, &head.place, &head.hash];
    let of_seal: [Value<'_>; 5] = [&number, &head.writer, &head.place, &head.hash, &seal];
    let (written, (), ()) = tokio::try_join!(
        rows(client, LINES, &values),
        write(client, HEAD, false, &of_head),
        write(client, CHECKPOINT, !seals, &of_seal),
    )?;
    // Whoever writes without the lock is no listener of ours; what is known now was not when it was looked for.
    if written.len() == new.len() { Ok(()) } else { Err(PgError::Raced) }
}

/// Writes what follows from the lines.
pub(super) async fn following(client: &Object, draft: &Draft) -> Result<(), PgError> {
    // Neither waits for another; all of it is there with the commit.
    tokio::try_join!(
        Box::pin(sessions(client, draft)),
        Box::pin(refunds(client, draft)),
        Box::pin(facts(client, draft)),
        Box::pin(entries(client, draft)),
        Box::pin(conflicts(client, draft)),
    )?;
    Ok(())
}

async fn sessions(client: &Object, draft: &Draft) -> Result<(), PgError> {
    let rows: Vec<_> = draft.changed_sessions().collect();
    let of = |read: fn(&crate::store::journal::SessionRow) -> i64| -> Vec<i64> {
        rows.iter().map(|row| read(row)).collect()
    };
    let ids: Vec<&str> = rows.iter().map(|row| row.entry.session_id.as_str()).collect();
    let currencies: Vec<&str> = rows.iter().map(|row| row.entry.currency.code()).collect();
    let statuses: Vec<&str> = rows.iter().map(|row| row.status.name()).collect();
    let settled: Vec<&str> = rows.iter().map(|row| row.entry.status.name()).collect();
    let (amounts, refunded) = (of(|row| row.entry.amount), of(|row| row.refunded));
    let (created, updated) = (of(|row| row.entry.created.0), of(|row| row.entry.updated.0));
    let intents: Vec<Option<&str>> =
        rows.iter().map(|row| row.entry.payment_intent.as_deref()).collect();
    let events: Vec<Option<&str>> = rows.iter().map(|row| row.entry.event_id.as_deref()).collect();
    let values: [Value<'_>; 10] = [
        &ids,
        &amounts,
        &currencies,
        &statuses,
        &settled,
        &refunded,
        &created,
        &updated,
        &intents,
        &events,
    ];
    write(client, SESSIONS, rows.is_empty(), &values).await
}

async fn refunds(client: &Object, draft: &Draft) -> Result<(), PgError> {
    let rows: Vec<_> = draft.new.refunds.values().collect();
    let intents: Vec<&str> = rows.iter().map(|row| row.payment_intent.as_str()).collect();
    let sources: Vec<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    let states: Vec<&str> = rows.iter().map(|row| row.state.name()).collect();
    let amounts: Vec<i64> = rows.iter().map(|row| row.amount).collect();
    let updated: Vec<i64> = rows.iter().map(|row| row.updated.0).collect();
    let events: Vec<Option<&str>> = rows.iter().map(|row| row.event_id.as_deref()).collect();
    let values: [Value<'_>; 6] = [&intents, &sources, &states, &amounts, &updated, &events];
    write(client, REFUNDS, rows.is_empty(), &values).await
}

async fn facts(client: &Object, draft: &Draft) -> Result<(), PgError> {
    let rows = &draft.new.facts;
    let subjects: Vec<&str> = rows.iter().map(|(_, fact)| fact.subject.as_str()).collect();
    let objects: Vec<&str> = rows.iter().map(|(_, fact)| fact.key.object.as_str()).collect();
    let kinds: Vec<&str> = rows.iter().map(|(_, fact)| fact.key.kind.name()).collect();
    let whats: Vec<&str> = rows.iter().map(|(_, fact)| fact.key.what.name()).collect();
    let amounts: Vec<i64> = rows.iter().map(|(_, fact)| fact.claim.amount).collect();
    let currencies: Vec<&str> = rows.iter().map(|(_, fact)| fact.claim.currency.code()).collect();
    let details: Vec<&str> = rows.iter().map(|(_, fact)| fact.claim.detail.as_str()).collect();
    let at: Vec<i64> = rows.iter().map(|(_, fact)| fact.at.0).collect();
    let lines: Vec<i64> = rows.iter().map(|(line, _)| *line).collect();
    let values: [Value<'_>; 9] =
        [&subjects, &objects, &kinds, &whats, &amounts, &currencies, &details, &at, &lines];
    write(client, FACTS, rows.is_empty(), &values).await
}

async fn entries(client: &Object, draft: &Draft) -> Result<(), PgError> {
    let rows = &draft.new.entries;
    let numbers: Vec<i64> = rows.iter().map(|it| it.number).collect();
    let lines: Vec<i64> = rows.iter().map(|it| it.line).collect();
    let subjects: Vec<&str> = rows.iter().map(|it| it.subject.as_str()).collect();
    let objects: Vec<Option<&str>> = rows
        .iter()
        .map(|it| Some(it.entry.about()).filter(|object| *object != it.subject))
        .collect();
    let reasons: Vec<&str> = rows.iter().map(|it| it.entry.reason().name()).collect();
    let takes_back: Vec<Option<i64>> = rows.iter().map(|it| it.takes_back).collect();
    let values: [Value<'_>; 6] = [&numbers, &lines, &subjects, &objects, &reasons, &takes_back];
    let postings: Vec<_> = rows
        .iter()
        .flat_map(|it| it.entry.postings().iter().map(move |one| (it.number, one)))
        .collect();
    let entries: Vec<i64> = postings.iter().map(|(number, _)| *number).collect();
    let accounts: Vec<&str> = postings.iter().map(|(_, one)| one.account.name()).collect();
    let currencies: Vec<&str> = postings.iter().map(|(_, one)| one.currency.code()).collect();
    let amounts: Vec<i64> = postings.iter().map(|(_, one)| one.amount).collect();
    let of_postings: [Value<'_>; 4] = [&entries, &accounts, &currencies, &amounts];
    tokio::try_join!(
        write(client, ENTRIES, rows.is_empty(), &values),
        write(client, POSTINGS, postings.is_empty(), &of_postings),
    )?;
    Ok(())
}

async fn conflicts(client: &Object, draft: &Draft) -> Result<(), PgError> {
    let changed: Vec<&str> = draft.new.conflicts.iter().map(String::as_str).collect();
    write(client, NO_CONFLICTS, changed.is_empty(), &[&changed]).await?;
    let rows: Vec<_> = draft.changed_conflicts().collect();
    let subjects: Vec<&str> = rows.iter().map(|(subject, _)| *subject).collect();
    let troubles: Vec<&str> = rows.iter().map(|(_, one)| one.trouble.name()).collect();
    let said: Vec<&str> = rows.iter().map(|(_, one)| one.said.as_str()).collect();
    write(client, CONFLICTS, rows.is_empty(), &[&subjects, &troubles, &said]).await
}
