//! The merchant under load, each figure beside a reference of the same run: rows a second of SQLite itself, a careful
//! Flask program, `DuckDB`, pgbench. `cargo bench --bench ledger`, or with the names of sections: `-- webhook steady disk
//! reconcile postgres shards failover joined`.
//!
//! Only ratios of one run travel between machines. The first run makes a Python environment in the target folder; where
//! there is no Python, our own figures stand alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a bench prints what it measured, stops at the unexpected and ends with its process"
)]

mod books;
#[path = "../../tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests ask more of a cluster")]
mod cluster;
mod env;
mod hearing;
#[path = "../host/mod.rs"]
#[allow(dead_code, reason = "the other benches read what the sandbox says")]
mod host;
#[path = "../engine/http.rs"]
#[allow(dead_code, reason = "the other bench reads more of an answer")]
mod http;
#[path = "../engine/load.rs"]
mod load;
mod peer;
mod postgres;
mod reference;

use std::panic::{self, AssertUnwindSafe};

/// A figure with what it is held against.
pub(crate) struct Figure {
    what: String,
    ours: String,
    reference: String,
    ratio: Option<f64>,
    goal: String,
    reached: Option<bool>,
}

impl Figure {
    fn new(what: impl Into<String>, ours: impl Into<String>) -> Self {
        let (what, ours) = (what.into(), ours.into());
        Self {
            what,
            ours,
            reference: String::new(),
            ratio: None,
            goal: String::new(),
            reached: None,
        }
    }

    /// Held against a reference; reached where the ratio is at least the goal.
    fn at_least(self, reference: impl Into<String>, ratio: f64, goal: f64) -> Self {
        let goal_text = format!("≥ {goal} ×");
        Self {
            reference: reference.into(),
            ratio: Some(ratio),
            goal: goal_text,
            reached: Some(ratio >= goal),
            ..self
        }
    }

    /// Reached where the ratio is at most the goal.
    fn at_most(self, reference: impl Into<String>, ratio: f64, goal: f64) -> Self {
        let goal_text = format!("≤ {goal} ×");
        Self {
            goal: goal_text,
            reached: Some(ratio <= goal),
            ..self.at_least(reference, ratio, goal)
        }
    }

    /// Held against a number alone.
    fn below(self, value: f64, goal: f64, unit: &str) -> Self {
        Self { goal: format!("≤ {goal} {unit}"), reached: Some(value <= goal), ..self }
    }
}

type Section = (&'static str, fn(&mut Vec<Figure>));

const SECTIONS: [Section; 8] = [
    ("webhook", hearing::closed),
    ("steady", hearing::steady),
    ("disk", books::disk),
    ("reconcile", books::reconcile),
    ("postgres", postgres::webhooks),
    ("shards", postgres::shards),
    ("failover", postgres::failover),
    ("joined", postgres::joined),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    for arg in &args {
        assert!(SECTIONS.iter().any(|it| it.0 == arg), "no section {arg}");
    }
    println!("| what | ours | reference | ratio | goal | reached |\n|---|---|---|---|---|---|");
    for (name, section) in SECTIONS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            let mut figures = Vec::new();
            // What a section measured before it stopped, and the sections after it, are not lost with it.
            let whole = panic::catch_unwind(AssertUnwindSafe(|| section(&mut figures)));
            print(figures);
            if whole.is_err() {
                println!("| {name}: stopped before its end | | | – | | NO |");
            }
        }
    }
}

fn print(figures: Vec<Figure>) {
    for it in figures {
        let ratio = it.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        let reached = it.reached.map_or("–", |reached| if reached { "yes" } else { "NO" });
        println!(
            "| {} | {} | {} | {ratio} | {} | {reached} |",
            it.what, it.ours, it.reference, it.goal
        );
    }
}

/// The middle one of three measurements.
pub(crate) fn median(mut measure: impl FnMut() -> f64) -> f64 {
    middle((0..3).map(|_| measure()).collect())
}

/// The middle one.
pub(crate) fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
