//! How long a person waits: for `--version`, and for a sandbox that is ready. `cargo bench --bench startup`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a bench prints what it measured and stops at the unexpected"
)]

mod host;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_stripegym");
const ROUNDS: usize = 60;

fn main() {
    report("--version", &mut measure(version));
    report("sandbox --ephemeral: Ready", &mut measure(|| ready(&["--ephemeral"])));
    report("sandbox on a folder: Ready", &mut measure(|| ready(&[])));
    let mut plain = measure(version);
    plain.sort_unstable();
    for day in ["day0", "day1", "day2", "day3", "day4", "day5", "day6"] {
        let mut times = measure(|| first_screen(day));
        report(&format!("{day} --only read"), &mut times);
        println!("{:<28} {:>8.2} times --version", "", ratio(&times, &plain));
    }
    for args in [&["day0", "--yes"][..], &["check", "--all", "--ci"]] {
        let took = whole(args);
        println!("{:<28} {:>8.2} s once", args.join(" "), took.as_secs_f64());
    }
    let bytes = std::fs::metadata(BINARY).unwrap().len();
    println!("{:<28} {:>8.1} MiB", "size of the binary", bytes as f64 / 1024.0 / 1024.0);
}

fn measure(mut once: impl FnMut() -> Duration) -> Vec<Duration> {
    once();
    (0..ROUNDS).map(|_| once()).collect()
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    let (median, worst) = (ms(times.len() / 2), ms(times.len() * 95 / 100));
    println!("{what:<28} {median:>8.2} ms median {worst:>8.2} ms p95   ({ROUNDS} runs)");
}

fn version() -> Duration {
    let started = Instant::now();
    let status = Command::new(BINARY).arg("--version").stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    started.elapsed()
}

/// How many times as long the middle one of sorted times is.
fn ratio(times: &[Duration], plain: &[Duration]) -> f64 {
    times[times.len() / 2].as_secs_f64() / plain[plain.len() / 2].as_secs_f64()
}

/// The first thing that a day shows.
fn first_screen(day: &str) -> Duration {
    let started = Instant::now();
    let mut command = Command::new(BINARY);
    let status = command.args([day, "--only", "read"]).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    started.elapsed()
}

/// A command in an empty folder, to its end.
fn whole(args: &[&str]) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(home.path()).env("STRIPEGYM_SANDBOX_PORT", "0").env("PORT", "0");
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{args:?}");
    started.elapsed()
}

/// From starting the process to reading its `Ready` line.
fn ready(more: &[&str]) -> Duration {
    let started = Instant::now();
    let host::Host { mut child, out, ready, home } = host::start(more);
    let elapsed = started.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    drop((out, ready, home));
    elapsed
}
