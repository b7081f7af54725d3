//! What a ledger takes on the disk, and comparisons of a million rows with a million.

use crate::peer::{self, program, timed};
use crate::{Figure, median};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const EVENTS: u64 = 1_000_000;
const ROWS: u64 = 1_000_000;

fn command(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = program();
    command.args(args).current_dir(folder.path()).env("STRIPEGYM_HOME", folder.path().join("home"));
    command
}

fn size(folder: &TempDir) -> f64 {
    let of = |name: &str| folder.path().join("home").join(name).metadata().map_or(0, |it| it.len());
    (of("ledger.db") + of("ledger.db-wal")) as f64
}

/// Bytes on the disk of the bytes that came, before and after `ledger compact`.
pub(crate) fn disk(figures: &mut Vec<Figure>) {
    let folder = tempfile::tempdir().unwrap();
    let filler = peer::filler();
    let mut payload = 0;
    {
        let mut out = BufWriter::new(File::create(folder.path().join("events.jsonl")).unwrap());
        for number in 0..EVENTS {
            let event = peer::event(number, &filler);
            payload += event.len();
            writeln!(out, "{event}").unwrap();
        }
    }
    let payload = payload as f64;
    timed(command(&folder, &["ledger", "import", "events.jsonl"]));
    let mb = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    let before = size(&folder);
    figures.push(
        Figure::new(format!("{EVENTS} events on the disk, of their bytes"), mb(before)).at_most(
            mb(payload),
            before / payload,
            1.25,
        ),
    );
    let (took, most) = timed(command(&folder, &["ledger", "compact"]));
    let after = size(&folder);
    figures.push(
        Figure::new(
            format!("after `ledger compact` ({took:.1} s, {most:.0} MB of memory)"),
            mb(after),
        )
        .at_most(mb(payload), after / payload, 0.25),
    );
    // Its first reading after so much was written is the system's cache's, not its own.
    let show = || timed(command(&folder, &["ledger", "show", "--limit", "50"])).0 * 1_000.0;
    show();
    let show = median(show);
    figures.push(
        Figure::new("`ledger show`, first screen", format!("{show:.0} ms")).below(show, 50.0, "ms"),
    );
    let (took, _) = timed(command(&folder, &["ledger", "verify", "--json"]));
    figures.push(Figure::new("`ledger verify` after that, clean", format!("{took:.1} s")));
}

/// Scatters numbers, always in the same way.
const fn mixed(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 31)
}

/// Writes both sides; each thousandth row is wrong in one of six ways.
fn sides(folder: &Path, rows: std::ops::Range<u64>, append: bool) {
    let open = |name: &str| {
        let path = folder.join(name);
        let file =
            if append { File::options().append(true).open(path) } else { File::create(path) };
        BufWriter::new(file.unwrap())
    };
    let (mut ours, mut theirs) = (open("ours.csv"), open("theirs.csv"));
    if !append {
        writeln!(
            ours,
            "event_id,session_id,payment_intent,amount,currency,status,amount_refunded,created"
        )
        .unwrap();
        writeln!(theirs, "id,payment_intent,balance_transaction,amount,currency,status,amount_refunded,fee,created").unwrap();
    }
    for number in rows {
        let key = mixed(number);
        let wrong = number % 1_000 == 7;
        let way = if wrong { number / 1_000 % 6 } else { 9 };
        let (amount, created) = (50 + key % 500_000, 1_767_225_600 + key % 2_678_400);
        let currency = ["usd", "jpy", "eur"][(key % 3) as usize];
        let own_amount = amount + u64::from(way == 0);
        let own_currency = if way == 1 { "gbp" } else { currency };
        let own_status = if way == 2 { "failed" } else { "succeeded" };
        let own_refunded = if way == 3 { amount } else { 0 };
        let line = format!(
            "evt_{key:020},cs_test_{key:020},pi_{key:020},{own_amount},{own_currency},{own_status},{own_refunded},{created}"
        );
        if way != 4 {
            writeln!(ours, "{line}").unwrap();
        }
        if way != 5 {
            writeln!(theirs, "ch_{key:020},pi_{key:020},txn_{key:020},{amount},{currency},succeeded,0,{},{created}", amount * 36 / 1_000).unwrap();
        }
    }
}

const TABLES: [&str; 8] = [
    "reconcile",
    "--ours",
    "sqlite:sides.db#ours",
    "--theirs",
    "sqlite:sides.db#theirs",
    "--format",
    "csv",
    "--only-differences",
];

/// Both sides as tables with an index on what they are found by.
fn tables(folder: &Path) {
    let mut made = rusqlite::Connection::open(folder.join("sides.db")).unwrap();
    for side in ["ours", "theirs"] {
        let mut rows = csv::Reader::from_path(folder.join(format!("{side}.csv"))).unwrap();
        let names = rows.headers().unwrap().iter().collect::<Vec<_>>().join(", ");
        let marks = vec!["?"; names.split(',').count()].join(", ");
        made.execute_batch(&format!("CREATE TABLE {side} ({names})")).unwrap();
        let transaction = made.transaction().unwrap();
        let mut insert =
            transaction.prepare(&format!("INSERT INTO {side} VALUES ({marks})")).unwrap();
        for row in rows.records() {
            insert.execute(rusqlite::params_from_iter(row.unwrap().iter())).unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
        made.execute_batch(&format!("CREATE INDEX {side}_by_intent ON {side} (payment_intent)"))
            .unwrap();
    }
}

fn compared(folder: &TempDir, more: &[&str]) -> (f64, f64) {
    let flags = [
        "reconcile",
        "--ours",
        "csv:ours.csv",
        "--theirs",
        "csv:theirs.csv",
        "--format",
        "csv",
        "--only-differences",
        "--output",
        "found.csv",
    ];
    timed(command(folder, &[&flags[..], more].concat()))
}

/// A million rows against a million.
pub(crate) fn reconcile(figures: &mut Vec<Figure>) {
    let folder = tempfile::tempdir().unwrap();
    sides(folder.path(), 0..ROWS, false);
    let mut most = 0.0_f64;
    let ours = median(|| {
        let (took, memory) = compared(&folder, &[]);
        most = most.max(memory);
        took
    });
    let found = fs::read_to_string(folder.path().join("found.csv")).unwrap().lines().count() - 1;
    assert_eq!(found as u64, ROWS / 1_000, "each row that is wrong is found and no other");
    figures.push(
        Figure::new("1,000,000 × 1,000,000 from CSV, memory", format!("{most:.0} MB"))
            .below(most, 64.0, "MB"),
    );
    let mut whole = Figure::new("1,000,000 × 1,000,000 from CSV", format!("{ours:.2} s"));
    tables(folder.path());
    let (indexed, memory) = timed(command(&folder, &TABLES));
    let mut of_tables = Figure::new(
        format!("the same from tables with indexes ({memory:.0} MB)"),
        format!("{indexed:.2} s"),
    );
    if let Some(python) = peer::python() {
        let duckdb = median(|| {
            let mut command = Command::new(&python);
            command.arg(peer::source("duckdb_peer.py")).arg(folder.path());
            command.arg(folder.path().join("theirs_found.csv"));
            timed(command).0
        });
        let text = format!("{duckdb:.2} s, DuckDB in two threads");
        whole = whole.at_most(text.clone(), ours / duckdb, 1.2);
        of_tables = of_tables.at_most(text, indexed / duckdb, 0.6);
    }
    figures.extend([whole, of_tables]);
    compared(&folder, &["--incremental"]);
    sides(folder.path(), ROWS..ROWS + 1_000, true);
    let (again, _) = compared(&folder, &["--incremental"]);
    figures.push(
        Figure::new("incremental after 1,000 new rows, of a whole run", format!("{again:.3} s"))
            .at_most(format!("{ours:.2} s"), again / ours, 0.05),
    );
}
