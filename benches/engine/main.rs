//! The sandbox under load, beside `emulate` (memory only, on Node) and a server that does nothing, in one
//! run. `cargo bench --bench engine`, or with the names of sections: `-- customers checkout lists`.
//!
//! Only ratios of one run travel between machines. The first run installs `emulate` by npm into the target
//! folder; where there is no npm, our own figures stand alone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a bench prints what it measured, stops at the unexpected and ends with its process"
)]

mod grown;
#[path = "../host/mod.rs"]
mod host;
mod http;
mod load;
mod measure;
mod peer;
mod receiver;
mod sections;
mod table;

use std::time::Instant;

use crate::table::Row;

/// A part of the measurement: its name and what it measures.
type Section = (&'static str, fn(&mut Vec<Row>));

const SECTIONS: [Section; 5] = [
    ("customers", sections::customers),
    ("checkout", sections::checkout),
    ("deliveries", sections::deliveries),
    ("worlds", sections::worlds),
    ("lists", sections::small_lists),
];

fn main() {
    // `cargo bench` adds an argument of its own.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.iter().any(|arg| arg == peer::BARE) {
        return peer::serve_bare();
    }
    let known: Vec<&str> = SECTIONS.iter().map(|it| it.0).chain(grown::PARTS).collect();
    for arg in &args {
        assert!(known.contains(&arg.as_str()), "no section {arg}; there are: {}", known.join(", "));
    }
    let wanted = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    let started = Instant::now();
    let mut rows = Vec::new();
    for (name, section) in SECTIONS {
        if wanted(name) {
            println!("{name} …");
            section(&mut rows);
        }
    }
    if grown::PARTS.into_iter().any(wanted) {
        grown::measure(&mut rows, &wanted);
    }
    println!(
        "\nMedians of rounds that take turns; {:.0} s in all.\n",
        started.elapsed().as_secs_f64()
    );
    table::print(&rows);
}
