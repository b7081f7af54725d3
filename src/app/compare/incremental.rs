//! A comparison again, of what changed since the last one alone. What a row finds depends on nothing but the rows that
//! are connected with it by some key: so the rows that are new, with all that they are connected with, are judged once as
//! they were and once as they are, and the difference goes into what was kept. Where that cannot be told (a file that was
//! changed and not appended to, another question, a clock that was set back) everything is compared.

use crate::app::compare::mark::{Mark, appended, locked};
use crate::app::compare::run::{Compared, Plan};
use crate::app::compare::source::Source;
use crate::app::compare::table::{self, TableError};
use crate::domain::canonical;
use crate::domain::reconcile::Finding;
use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::merge::in_memory;
use crate::domain::reconcile::row::Row;
use crate::domain::time::Timestamp;
use crate::store::kept::{Kept, Rows};
use crate::store::runs::{Room, Runs};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// From how many new or connected rows on it is quicker, and takes less memory, to compare everything.
const ROWS_MAX: usize = 50_000;

/// What is changed when what is kept means something else.
const FORM: u32 = 1;

/// Under which name it is noted how far both sides were read.
const WAS: &str = "was";

/// How far a comparison had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Was {
    now: i64,
    sides: [Read; 2],
}

/// How far a file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// What it was up to there.
    pub mark: Mark,
    /// How many bytes name its columns.
    pub head: u64,
    /// How many of its rows count.
    pub rows: u64,
}

impl Was {
    /// Both sides at an instant.
    pub const fn new(now: Timestamp, sides: [Read; 2]) -> Self {
        Self { now: now.0, sides }
    }

    /// As it is noted.
    pub fn noted(&self) -> io::Result<[(&'static str, String); 1]> {
        Ok([(WAS, serde_json::to_string(self)?)])
    }
}

/// Whether what changed can be told: of files that rows are appended to.
pub fn fits(plan: &Plan) -> bool {
    let grows = |source: &Source| matches!(source, Source::Csv(_) | Source::Jsonl(_));
    plan.about.is_none() && plan.sources.iter().all(grows)
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

/// Compares what is new since the last time; `None` where everything has to be compared.
pub fn again(home: &Path, plan: &Plan, room: Room) -> io::Result<Option<Compared>> {
    let Some(mut kept) = Kept::open(&place(home, plan)) else { return Ok(None) };
    let was: Option<Was> = kept.about(WAS).and_then(|text| serde_json::from_str(&text).ok());
    let Some(was) = was.filter(|was| was.now <= plan.rules.now.0) else { return Ok(None) };
    let mut summary = kept.summary()?;
    let Some((new, is)) = grown(plan, &was).filter(|_| summary.is_exact()) else { return Ok(None) };
    if !plan.leaves_out(is.sides.iter().map(|side| side.rows).max().unwrap_or(0)) {
        // Everything is shown: then everything is looked at.
        return Ok(None);
    }
    let mut seeds = new.clone();
    for finding in kept.pending()? {
        let [ours, theirs] = &mut seeds;
        ours.extend(finding.ours);
        theirs.extend(finding.theirs);
    }
    let Some([ours, theirs]) = kept.connected(&seeds, ROWS_MAX)? else { return Ok(None) };
    let before = Rules { now: Timestamp(was.now), ..plan.rules.clone() };
    let judge = |rules: &Rules, ours: &[Row], theirs: &[Row]| -> Vec<Finding> {
        let found = in_memory(rules, ours, theirs);
        found.into_iter().filter(|finding| plan.wants(finding)).collect()
    };
    let old = judge(&before, &ours, &theirs);
    let [new_ours, new_theirs] = &new;
    let found = judge(
        &plan.rules,
        &[ours.as_slice(), new_ours.as_slice()].concat(),
        &[theirs.as_slice(), new_theirs.as_slice()].concat(),
    );
    for finding in &old {
        summary.take_back(finding);
    }
    for finding in &found {
        summary.add(finding);
    }
    kept.change([&old, &found], &new, &summary, &is.noted()?)?;
    let (mut sorted, mut bytes) = (Runs::new(room), Vec::new());
    for finding in kept.findings()?.into_iter().filter(|it| !it.verdict.is_well()) {
        bytes.clear();
        finding.write(&mut bytes);
        sorted.push_bytes(&finding.order(), &bytes)?;
    }
    Ok(Some(Compared::new(summary, sorted.in_order()?)))
}

/// The rows that were appended to both sides, and how far they go now; `None` where anything else was done to them, or
/// too much.
fn grown(plan: &Plan, was: &Was) -> Option<(Rows, Was)> {
    let ([own_source, other_source], [own_map, other_map]) = (&plan.sources, &plan.maps);
    let [own, other] = &was.sides;
    let read = |source, map, read| match side(plan, source, map, read) {
        Ok(found) => found,
        // It is said where everything is read, with the right line.
        Err(error) => {
            tracing::debug!(%error, "what was appended cannot be read");
            None
        }
    };
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| read(own_source, own_map, own));
        let theirs = read(other_source, other_map, other);
        (ours.join().ok().flatten(), theirs)
    });
    let ((ours, own), (theirs, other)) = (ours?, theirs?);
    Some(([ours, theirs], Was::new(plan.rules.now, [own, other])))
}

fn side(
    plan: &Plan,
    source: &Source,
    map: &crate::domain::reconcile::columns::Map,
    read: &Read,
) -> Result<Option<(Vec<Row>, Read)>, TableError> {
    let (Source::Csv(path) | Source::Jsonl(path)) = source else { return Ok(None) };
    let Some((file, marking)) = appended(path, &read.mark, read.head)? else { return Ok(None) };
    let (mut rows, mut count) = (Vec::new(), read.rows);
    let mut each = |row: Row| {
        if plan.span.has(row.created) {
            count += 1;
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
    Ok(Some((rows, Read { mark, head: read.head, rows: count })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::compare::progress::Progress;
    use crate::app::compare::run::merge;
    use crate::domain::reconcile::columns::Map;
    use crate::domain::reconcile::merge::Gathering;
    use crate::domain::reconcile::{Side, Summary};
    use crate::store::compared::Span;
    use crate::store::kept::Keeping;
    use proptest::prelude::*;
    use std::fs;

    const HEAD: &str =
        "id,payment_intent,charge,session,amount,currency,status,amount_refunded,created,payout\n";

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
            creem: None,
        }
    }

    fn room(folder: &Path) -> Room {
        Room::new(folder, 500)
    }

    /// Compares everything; kept for the next time where that is wished.
    fn whole(folder: &Path, plan: &Plan, kept: bool) -> (Summary, Vec<Finding>) {
        let keeping = || Keeping::begin(&place(folder, plan), room(folder)).unwrap();
        let mut keeping = kept.then(keeping);
        let progress = Progress::default();
        let mut read = |side: Side, source: &Source, map: &Map| {
            let mut gathering = Gathering::new(&Runs::new(room(folder)));
            let part = progress.side(side);
            let told = table::read(source, map, &part, &mut |row| {
                part.row();
                if let Some(keeping) = &mut keeping {
                    keeping.row(side, &row)?;
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
        #![proptest_config(ProptestConfig::with_cases(96))]
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
            whole(folder, &plan(folder, now), true);
            for (own, other, later) in appended {
                (ours, theirs, now) = (ours + &own, theirs + &other, now + later);
                write(&ours, &theirs);
                let plan = plan(folder, now);
                let found = again(folder, &plan, room(folder)).unwrap();
                let found = found.map(all);
                prop_assert!(found.is_some(), "what was appended can be told");
                prop_assert_eq!(found, Some(whole(folder, &plan, false)));
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
        let again = |plan: &Plan| again(folder, plan, room(folder)).unwrap().is_some();
        assert!(!again(&asked), "nothing was kept");
        whole(folder, &asked, true);
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
