//! What a listener counts, in the text that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Upper bounds of the times that answers take, in milliseconds.
const BOUNDS_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// It was new and is in the ledger.
    Recorded,
    /// It was known.
    Duplicate,
    /// It is kept and could not be booked.
    NotBooked,
    /// It was refused, with its cause.
    Rejected(&'static str),
}

impl Ended {
    const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Duplicate => "duplicate",
            Self::NotBooked => "not_booked",
            Self::Rejected(cause) => cause,
        }
    }
}

/// The counts of a listener.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    ended: BTreeMap<Ended, u64>,
    within: [u64; BOUNDS_MS.len()],
    total_ms: u64,
}

impl Metrics {
    /// Counts a delivery.
    pub fn count(&self, ended: Ended, took_ms: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.ended.entry(ended).or_insert(0) += 1;
        counts.total_ms = counts.total_ms.saturating_add(took_ms);
        for (bound, count) in BOUNDS_MS.iter().zip(&mut counts.within) {
            *count += u64::from(took_ms <= *bound);
        }
    }

    /// Everything counted, and whether the ledger takes what comes.
    pub fn text(&self, ready: bool, forwards_dropped: u64) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            // Writing into memory does not fail.
            let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        };
        let line = |out: &mut String, text: std::fmt::Arguments<'_>| {
            let _written = writeln!(out, "{text}");
        };
        let name = "stripegym_deliveries_total";
        head(&mut out, name, "counter", "Deliveries by how they ended.");
        for (ended, count) in &counts.ended {
            let refused = if matches!(ended, Ended::Rejected(_)) { "rejected" } else { "accepted" };
            let cause = ended.name();
            line(
                &mut out,
                format_args!("{name}{{answer=\"{refused}\",outcome=\"{cause}\"}} {count}"),
            );
        }
        let name = "stripegym_delivery_seconds";
        head(&mut out, name, "histogram", "Time from a delivery to its answer.");
        for (bound, count) in BOUNDS_MS.iter().zip(&counts.within) {
            let (whole, part) = (bound / 1_000, bound % 1_000);
            line(&mut out, format_args!("{name}_bucket{{le=\"{whole}.{part:03}\"}} {count}"));
        }
        let all: u64 = counts.ended.values().sum();
        let (whole, part) = (counts.total_ms / 1_000, counts.total_ms % 1_000);
        line(&mut out, format_args!("{name}_bucket{{le=\"+Inf\"}} {all}"));
        line(&mut out, format_args!("{name}_sum {whole}.{part:03}"));
        line(&mut out, format_args!("{name}_count {all}"));
        let name = "stripegym_forwards_dropped_total";
        head(&mut out, name, "counter", "Deliveries that were not passed on.");
        line(&mut out, format_args!("{name} {forwards_dropped}"));
        let name = "stripegym_ready";
        head(&mut out, name, "gauge", "Whether the ledger takes what comes.");
        line(&mut out, format_args!("{name} {}", u8::from(ready)));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.count(Ended::Recorded, 2);
        metrics.count(Ended::Recorded, 40);
        metrics.count(Ended::Rejected("mismatch"), 3_000);
        let text = metrics.text(false, 7);
        for line in [
            "stripegym_deliveries_total{answer=\"accepted\",outcome=\"recorded\"} 2",
            "stripegym_deliveries_total{answer=\"rejected\",outcome=\"mismatch\"} 1",
            "stripegym_delivery_seconds_bucket{le=\"0.001\"} 0",
            "stripegym_delivery_seconds_bucket{le=\"0.002\"} 1",
            "stripegym_delivery_seconds_bucket{le=\"2.500\"} 2",
            "stripegym_delivery_seconds_bucket{le=\"+Inf\"} 3",
            "stripegym_delivery_seconds_sum 3.042",
            "stripegym_forwards_dropped_total 7",
            "stripegym_ready 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("# TYPE").count(), 4);
    }
}
