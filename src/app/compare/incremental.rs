//! A comparison again, of what changed since the last one alone. What a row finds depends on nothing but the rows that
//! are connected with it by some key: so the rows that are new and those that they stand in place of, with all that they
//! are connected with, are judged once as they were and once as they are, and the difference goes into what was kept.
//! Where that cannot be told (a file that was changed and not appended to, another ledger, a provider that has forgotten
//! what it told, another question, a clock that was set back) everything is compared.

use crate::app::compare::changed::{self, ChangedError, News, Told};
use crate::app::compare::mark::{Mark, appended, locked};
use crate::app::compare::run::{Compared, Plan};
use crate::app::compare::source::Source;
use crate::app::compare::table::{self, TableError};
use crate::domain::canonical;
use crate::domain::reconcile::columns::Map;
use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::merge::in_memory;
use crate::domain::reconcile::row::Row;
use crate::domain::reconcile::{Finding, Side, Summary};
use crate::domain::time::Timestamp;
use crate::store::Ledger;
use crate::store::compared::Position;
use crate::store::kept::{Change, Fresh, Kept, Numbered, Rows};
use crate::store::runs::{Room, Runs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

/// From how many new or connected rows on it is quicker, and takes less memory, to compare everything.
const ROWS_MAX: usize = 50_000;

/// What is changed when what is kept means something else.
const FORM: u32 = 5;

/// Under which name it is noted how far both sides were read.
const WAS: &str = "was";

/// How far a comparison had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Was {
    now: i64,
    /// What was being delivered.
    under_way: Vec<String>,
    sides: [Read; 2],
}

/// How far a side was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Up to where.
    pub at: At,
    /// How many of its rows count.
    pub rows: u64,
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// What a file was up to there, and how many of its bytes name its columns.
    File(Mark, u64),
    /// A line of a ledger.
    Ledger(Position),
    /// An event of the provider.
    Provider(Told),
}

impl Was {
    /// Both sides, as they were judged.
    pub fn new(rules: &Rules, sides: [Read; 2]) -> Self {
        let mut under_way: Vec<String> = rules.under_way.iter().cloned().collect();
        under_way.sort();
        Self { now: rules.now.0, under_way, sides }
    }

    /// As it is noted.
    pub fn noted(&self) -> io::Result<[(&'static str, String); 1]> {
        Ok([(WAS, serde_json::to_string(self)?)])
    }

    /// Up to where a side of the provider's was read.
    pub fn told(&self, side: Side) -> Option<&Told> {
        let [ours, theirs] = &self.sides;
        match &if side == Side::Ours { ours } else { theirs }.at {
            At::Provider(told) => Some(told),
            At::File(..) | At::Ledger(_) => None,
        }
    }
}

/// What a comparison again is given beside files.
#[derive(Default)]
pub struct Given {
    /// The folder's ledger.
    pub ledger: Option<Arc<Ledger>>,
    /// What the provider has new, by side.
    pub provider: [Option<(News, Told)>; 2],
}

/// Whether what changed can be told: of files that rows are appended to, of the ledger's lines, of the provider's events.
pub fn fits(plan: &Plan) -> bool {
    plan.about.is_none() && !plan.sources.iter().any(|it| matches!(it, Source::Sqlite(..)))
}

/// Where the comparison of a plan is kept: another question is another file.
pub fn place(home: &Path, plan: &Plan) -> PathBuf {
    let Plan { sources, maps, span, rules, .. } = plan;
    let asked = format!(
        "{FORM} {} {sources:?} {maps:?} {span:?} {} {:?}",
        env!("CARGO_PKG_VERSION"),
        rules.window_s,
        rules.tolerance
    );
    let short: String = canonical::sha256(&asked).chars().take(16).collect();
    home.join(format!("compared-{short}.db"))
}

/// What was kept of the same comparison, and how far it had come.
pub fn opened(home: &Path, plan: &Plan) -> Option<(Kept, Was)> {
    let kept = Kept::open(&place(home, plan))?;
    let was: Was = serde_json::from_str(&kept.about(WAS)?).ok()?;
    (was.now <= plan.rules.now.0).then_some((kept, was))
}

/// Compares what is new since the last time; `None` where everything has to be compared.
pub fn again(home: &Path, plan: &Plan, room: Room, given: Given) -> io::Result<Option<Compared>> {
    let Some((mut kept, was)) = opened(home, plan) else { return Ok(None) };
    let mut summary = kept.summary()?;
    let Some((mut news, mut is)) = changed(plan, &was, &kept, given).filter(|_| summary.is_exact())
    else {
        return Ok(None);
    };
    let gone = replaced(&kept, &mut news)?;
    for ((read, news), gone) in is.sides.iter_mut().zip(&news).zip(&gone) {
        read.rows = (read.rows + news.rows.len() as u64).saturating_sub(gone.len() as u64);
    }
    if !plan.leaves_out(is.sides.iter().map(|side| side.rows).max().unwrap_or(0)) {
        // Everything is shown: then everything is looked at.
        return Ok(None);
    }
    let before = Rules {
        now: Timestamp(was.now),
        under_way: was.under_way.iter().cloned().collect(),
        ..plan.rules.clone()
    };
    let [own, other] = &news;
    let fresh =
        [own, other].map(|it| it.rows.iter().map(|it| it.row.clone()).collect::<Vec<Row>>());
    let mut seeds = fresh.clone();
    add(&mut seeds, &gone);
    for name in before.under_way.symmetric_difference(&plan.rules.under_way) {
        add(&mut seeds, &kept.about_it(name)?);
    }
    let [ours, theirs] = &mut seeds;
    for finding in kept.pending()? {
        ours.extend(finding.ours);
        theirs.extend(finding.theirs);
    }
    let Some(stood) = kept.connected(&seeds, ROWS_MAX)? else { return Ok(None) };
    let judge = |rules: &Rules, [ours, theirs]: &Rows| -> Vec<Finding> {
        let found = in_memory(rules, ours, theirs);
        found.into_iter().filter(|finding| plan.wants(finding)).collect()
    };
    let (mut then, mut now) = (Rows::default(), fresh);
    add(&mut then, &stood);
    let mut stays = stood;
    for (stays, gone) in stays.iter_mut().zip(&gone) {
        stays.retain(|number, _| !gone.contains_key(number));
    }
    add(&mut now, &stays);
    let (old, found) = (judge(&before, &then), judge(&plan.rules, &now));
    for finding in &old {
        summary.take_back(finding);
    }
    for finding in &found {
        summary.add(finding);
    }
    let rows = news.map(|it| it.rows);
    let change = Change { old: &old, new: &found, gone: &gone, rows: &rows };
    kept.change(&change, &summary, &is.noted()?)?;
    shown(&kept, summary, room).map(Some)
}

/// What was kept that a person looks at, in its order.
fn shown(kept: &Kept, summary: Summary, room: Room) -> io::Result<Compared> {
    let (mut sorted, mut bytes) = (Runs::new(room), Vec::new());
    for finding in kept.findings()?.into_iter().filter(|it| !it.verdict.is_well()) {
        bytes.clear();
        finding.write(&mut bytes);
        sorted.push_bytes(&finding.order(), &bytes)?;
    }
    Ok(Compared::new(summary, sorted.in_order()?))
}

fn add(rows: &mut Rows, more: &Numbered) {
    for (rows, more) in rows.iter_mut().zip(more) {
        rows.extend(more.values().cloned());
    }
}

/// The rows that stand no more. A row that is said to be as it was is neither gone nor new.
fn replaced(kept: &Kept, news: &mut [News; 2]) -> io::Result<Numbered> {
    let mut gone = Numbered::default();
    for (at, (gone, news)) in gone.iter_mut().zip(news).enumerate() {
        let mut by_id: BTreeMap<&str, BTreeMap<i64, Row>> = BTreeMap::new();
        for id in &news.ids {
            let called = kept.called(id)?.into_iter().nth(at).unwrap_or_default();
            by_id.insert(id, called);
        }
        let stays = |fresh: &Fresh, called: &BTreeMap<i64, Row>| {
            called.len() == 1 && called.values().all(|row| *row == fresh.row)
        };
        // What a row of a payment is found by may be more than before.
        news.rows.retain(|fresh| {
            let same = by_id.get(fresh.row.id.as_str()).is_some_and(|called| stays(fresh, called));
            let known = same && !fresh.is_about_more();
            if known {
                by_id.remove(fresh.row.id.as_str());
            }
            !known
        });
        gone.extend(by_id.into_values().flatten());
    }
    Ok(gone)
}

/// What is new on a side and how far it goes now; `None` where that cannot be told, or is too much.
type Changed = Option<(News, Read)>;

/// What is new on both sides, and how far they go now; `None` where that cannot be told, or is too much.
fn changed(plan: &Plan, was: &Was, kept: &Kept, given: Given) -> Option<([News; 2], Was)> {
    let ([own_source, other_source], [own_map, other_map]) = (&plan.sources, &plan.maps);
    let [own, other] = &was.sides;
    let [own_told, other_told] = given.provider;
    let ledger = given.ledger.as_deref();
    let files = [(own_source, own_map, own), (other_source, other_map, other)];
    // What was compared of files is gone through again to know that nothing of it changed: both at once.
    let [own_file, other_file] = thread::scope(|scope| {
        files
            .map(|(source, map, read)| scope.spawn(move || file(plan, (source, map), read)))
            .map(|file| file.join().unwrap_or(Ok(None)))
    });
    let read = |source, read: &Read, file, told| {
        let found = match (&read.at, file) {
            (At::File(..), file) => file,
            _ => side(plan, source, read, ledger, kept, told),
        };
        // It is said where everything is read, with the right line.
        found.inspect_err(|error| tracing::debug!(%error, "what changed cannot be read")).ok()?
    };
    let (ours, own) = read(own_source, own, own_file, own_told)?;
    let (theirs, other) = read(other_source, other, other_file, other_told)?;
    Some(([ours, theirs], Was::new(&plan.rules, [own, other])))
}

/// Why it is not known what is new on a side.
#[derive(Debug, thiserror::Error)]
enum SideError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Changed(#[from] ChangedError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A side that is a file.
fn file(plan: &Plan, (source, map): (&Source, &Map), read: &Read) -> Result<Changed, SideError> {
    let (At::File(mark, head), Source::Csv(path) | Source::Jsonl(path)) = (&read.at, source) else {
        return Ok(None);
    };
    let Some((found, mark)) = grown(plan, (source, path, map), mark, *head)? else {
        return Ok(None);
    };
    let rows = found.into_iter().map(Fresh::new).collect();
    let news = News { rows, ..News::default() };
    Ok(Some((news, Read { at: At::File(mark, *head), rows: read.rows })))
}

/// A side that is none.
fn side(
    plan: &Plan,
    source: &Source,
    read: &Read,
    ledger: Option<&Ledger>,
    kept: &Kept,
    told: Option<(News, Told)>,
) -> Result<Changed, SideError> {
    let rows = read.rows;
    Ok(match (&read.at, source) {
        (At::Ledger(from), Source::Ledger) => {
            let Some(ledger) = ledger else { return Ok(None) };
            let found = changed::ledger(ledger, from, kept, plan.span)?;
            found.map(|(news, here)| (news, Read { at: At::Ledger(here), rows }))
        }
        (At::Provider(_), Source::Provider) => {
            told.map(|(news, here)| (news, Read { at: At::Provider(here), rows }))
        }
        _ => None,
    })
}

/// The rows that were appended to a file.
fn grown(
    plan: &Plan,
    (source, path, map): (&Source, &Path, &Map),
    mark: &Mark,
    head: u64,
) -> Result<Option<(Vec<Row>, Mark)>, SideError> {
    let Some((file, marking)) = appended(path, mark, head)? else { return Ok(None) };
    let mut rows = Vec::new();
    let mut each = |row: Row| {
        if plan.span.has(row.created) {
            rows.push(row);
        }
        if rows.len() > ROWS_MAX { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
    };
    let told = match source {
        Source::Csv(_) => table::csv(file, map, &mut each)?,
        _ => table::jsonl(file, map, &mut each)?,
    };
    if !told.is_plain() {
        return Ok(None);
    }
    let mark = locked(&marking).mark();
    Ok(Some((rows, mark)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::compare::progress::Progress;
    use crate::app::compare::run::merge;
    use crate::domain::book::line::{Line, Source as Came};
    use crate::domain::reconcile::merge::Gathering;
    use crate::store::compared::{Named, Span};
    use crate::store::kept::Keeping;
    use crate::store::writer::{LedgerBatch, Write};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::fs;

    const HEAD: &str =
        "id,payment_intent,charge,session,amount,currency,status,amount_refunded,created,payout\n";

    /// A ledger that has heard nothing yet, and the way in.
    fn ledger(folder: &Path) -> (Arc<Ledger>, LedgerBatch) {
        let ledger = Ledger::open(&folder.join("ledger.db")).unwrap();
        let batch = ledger.writer().unwrap().start();
        (Arc::new(ledger), batch)
    }

    /// What a ledger may hear of few things, so that much of it is about the same.
    fn any_object() -> impl Strategy<Value = Value> {
        let ids = (0..7_u8, 0..3_u8, 0..3_u8, 0..3_u8);
        (ids, 1..4_i64, 0..100_i64, any::<bool>()).prop_map(|(ids, amount, created, well)| {
            let (kind, own, intent, charge) = ids;
            let (intent, charge) = (format!("pi_{intent}"), format!("ch_{charge}"));
            let status = if well { "succeeded" } else { "failed" };
            let (name, about) = match kind {
                0 => {
                    let paid = if well { "paid" } else { "unpaid" };
                    ("checkout.session cs", json!({"amount_total": amount, "status": "complete",
                        "payment_status": paid, "payment_intent": intent}))
                }
                1 => ("payment_intent pi", json!({"amount_received": amount, "status": "succeeded"})),
                2 => ("charge ch", json!({"amount_captured": amount, "captured": true,
                    "status": "succeeded", "payment_intent": well.then_some(intent)})),
                3 => ("refund re", json!({"payment_intent": intent, "charge": charge, "status": status})),
                4 => ("balance_transaction txn", json!({"fee": 1, "net": amount - 1,
                    "source": if well { charge } else { format!("dp_{own}") },
                    "reporting_category": "charge"})),
                5 => ("dispute dp", json!({"status": if well { "won" } else { "lost" }})),
                _ => ("payout po", json!({"status": if well { "paid" } else { "failed" }})),
            };
            let (object, prefix) = name.split_once(' ').unwrap();
            let mut all = json!({"object": object, "id": format!("{prefix}_{own}"), "amount": amount,
                "currency": "jpy", "created": created});
            all.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
            all
        })
    }

    fn hear(batch: &LedgerBatch, objects: &[Value]) {
        for object in objects {
            let at = Timestamp(object["created"].as_i64().unwrap());
            let line = Line::fetched(object, at, Timestamp(9), Came::Seen);
            batch.submit_blocking(Write::line(line)).unwrap();
        }
    }

    fn plan(folder: &Path, now: i64) -> Plan {
        let source = |name: &str| Source::Csv(folder.join(name));
        Plan {
            sources: [source("ours.csv"), source("theirs.csv")],
            maps: [Map::default(), Map::default()],
            span: Span::default(),
            rules: Rules { now: Timestamp(now), window_s: 50, ..Rules::default() },
            only_differences: true,
            brief: false,
            about: None,
            incremental: true,
            in_process: false,
            creem: None,
        }
    }

    fn room(folder: &Path) -> Room {
        Room::new(folder, 500)
    }

    /// Compares everything; kept for the next time where that is wished.
    fn whole(
        folder: &Path,
        plan: &Plan,
        kept: bool,
        ledger: Option<&Ledger>,
    ) -> (Summary, Vec<Finding>) {
        let keeping = || Keeping::begin(&place(folder, plan), room(folder)).unwrap();
        let mut keeping = kept.then(keeping);
        let progress = Progress::default();
        let mut read = |side: Side, source: &Source, map: &Map| {
            let mut gathering = Gathering::new(&Runs::new(room(folder)));
            let part = progress.side(side);
            if let (Source::Ledger, Some(ledger)) = (source, ledger) {
                let mut each = |(row, charges): Named| {
                    part.row();
                    if let Some(keeping) = &mut keeping {
                        keeping.row(side, &Fresh::of_object(row.clone(), &charges))?;
                    }
                    gathering.push(&row)
                };
                let position = ledger.compared(plan.span, &mut each).unwrap();
                part.reached(Some(At::Ledger(position)));
                return gathering;
            }
            let told = table::read(source, map, &part, &mut |row| {
                part.row();
                if let Some(keeping) = &mut keeping {
                    keeping.row(side, &Fresh::new(row.clone()))?;
                }
                gathering.push(&row)
            });
            part.told(&told.unwrap());
            gathering
        };
        let ([own_map, other_map], [own, other]) = (&plan.maps, &plan.sources);
        let ours = read(Side::Ours, own, own_map);
        let theirs = read(Side::Theirs, other, other_map);
        all(merge(plan, ours, theirs, room(folder), &progress, keeping).unwrap())
    }

    fn all(mut compared: Compared) -> (Summary, Vec<Finding>) {
        let next = || compared.next().unwrap();
        let found = std::iter::from_fn(next).collect();
        (compared.summary, found)
    }

    /// Rows of few things, so that many are connected, by different keys.
    fn any_row() -> impl Strategy<Value = String> {
        let id = |kind: &'static str, most: u8| prop_oneof![1 => Just(String::new()), 3 => (0..most).prop_map(move |n| format!("{kind}_{n}"))];
        let kind = prop_oneof![6 => Just("ch"), 2 => Just("re"), 1 => Just("po"), 1 => Just("dp")];
        let own = (kind, 0..5_u8).prop_map(|(kind, n)| format!("{kind}_{n}"));
        let status = prop::sample::select(vec!["succeeded", "failed", ""]);
        let keys = (own, id("pi", 6), id("ch", 4), id("cs", 4));
        let rest = (1..4_i64, prop::bool::weighted(0.9), status, 0..2_i64, 0..100_i64, id("po", 2));
        (keys, rest).prop_map(|((id, intent, charge, session), rest)| {
            let (amount, jpy, status, refunded, created, payout) = rest;
            let currency = if jpy { "jpy" } else { "usd" };
            format!("{id},{intent},{charge},{session},{amount},{currency},{status},{refunded},{created},{payout}\n")
        })
    }

    fn any_rows(most: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(any_row(), 0..most).prop_map(|rows| rows.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_appended_changes_the_answer_as_comparing_everything_does(
            begun in (any_rows(12), any_rows(12)),
            appended in prop::collection::vec((any_rows(4), any_rows(4), 0..60_i64), 1..4),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let (mut ours, mut theirs) = (format!("{HEAD}{}", begun.0), format!("{HEAD}{}", begun.1));
            let write = |ours: &str, theirs: &str| {
                fs::write(folder.join("ours.csv"), ours).unwrap();
                fs::write(folder.join("theirs.csv"), theirs).unwrap();
            };
            write(&ours, &theirs);
            let mut now = 40;
            whole(folder, &plan(folder, now), true, None);
            for (own, other, later) in appended {
                (ours, theirs, now) = (ours + &own, theirs + &other, now + later);
                write(&ours, &theirs);
                let plan = plan(folder, now);
                let found = again(folder, &plan, room(folder), Given::default()).unwrap();
                let found = found.map(all);
                prop_assert!(found.is_some(), "what was appended can be told");
                prop_assert_eq!(found, Some(whole(folder, &plan, false, None)));
            }
        }

        #[test]
        fn what_a_ledger_hears_changes_the_answer_as_comparing_everything_does(
            begun in (prop::collection::vec(any_object(), 0..10), any_rows(8)),
            later in prop::collection::vec(
                (prop::collection::vec(any_object(), 0..5), any_rows(3), 0..60_i64), 1..4),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let (ledger, batch) = ledger(folder);
            let asked = |now: i64| {
                let [_, theirs] = plan(folder, now).sources;
                Plan { sources: [Source::Ledger, theirs], ..plan(folder, now) }
            };
            let (mut theirs, mut now) = (format!("{HEAD}{}", begun.1), 40);
            let write = |theirs: &str| fs::write(folder.join("theirs.csv"), theirs).unwrap();
            write(&theirs);
            hear(&batch, &begun.0);
            whole(folder, &asked(now), true, Some(&ledger));
            for (objects, rows, later) in later {
                (theirs, now) = (theirs + &rows, now + later);
                write(&theirs);
                hear(&batch, &objects);
                let plan = asked(now);
                let given = Given { ledger: Some(Arc::clone(&ledger)), ..Given::default() };
                let found = again(folder, &plan, room(folder), given).unwrap().map(all);
                prop_assert!(found.is_some(), "what was heard can be told");
                prop_assert_eq!(found, Some(whole(folder, &plan, false, Some(&ledger))));
            }
        }
    }

    #[test]
    fn whatever_else_happened_everything_is_compared() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let row = "ch_1,pi_1,,,500,jpy,succeeded,0,5,\n";
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("ours.csv", &format!("{HEAD}{row}"));
        write("theirs.csv", &format!("{HEAD}{row}"));
        let asked = plan(folder, 40);
        let again =
            |plan: &Plan| again(folder, plan, room(folder), Given::default()).unwrap().is_some();
        assert!(!again(&asked), "nothing was kept");
        whole(folder, &asked, true, None);
        assert!(again(&asked));
        assert!(!again(&plan(folder, 39)), "the clock was set back");
        assert!(!again(&Plan { only_differences: false, ..asked.clone() }), "all rows are shown");
        let longer = Rules { window_s: 60, ..asked.rules.clone() };
        assert!(!again(&Plan { rules: longer, ..asked.clone() }), "another question");
        write("theirs.csv", &format!("{HEAD}{}", row.replace("500", "501")));
        assert!(!again(&asked), "a row was changed");
        write("theirs.csv", HEAD);
        assert!(!again(&asked), "a row was taken out");
        write("theirs.csv", &format!("{HEAD}{row}ch_2,pi_2,,,x,jpy,,,,\n"));
        assert!(!again(&asked), "what was appended cannot be read");
        write("theirs.csv", &format!("{HEAD}{row}"));
        assert!(again(&asked));
        fs::write(place(folder, &asked), "no database").unwrap();
        assert!(!again(&asked), "what was kept is damaged");
    }
}
