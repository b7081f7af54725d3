//! What the program says in a world that can be repeated: seeded, in UTC, at ports that are written as the
//! usual ones.

use crate::env::{Env, Running};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// The days of the course.
pub(crate) const DAYS: [&str; 7] = ["day0", "day1", "day2", "day3", "day4", "day5", "day6"];

/// A seeded world. Its ports have as many digits as the usual ones, so that lines break at the same places.
pub(crate) struct Seeded {
    env: Env,
    sandbox: u16,
    shop: u16,
}

impl Seeded {
    pub(crate) fn new() -> Self {
        let (sandbox, shop) = (free(10_000..32_000), free(2_000..10_000));
        let env = Env::new()
            .with("STRIPEGYM_SEED", "1")
            .with("STRIPEGYM_HOME", ".stripegym")
            .with("STRIPEGYM_SANDBOX_PORT", &sandbox.to_string())
            .with("PORT", &shop.to_string())
            .with("TZ", "UTC");
        Self { env, sandbox, shop }
    }

    /// The same world with one more variable.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self { env: self.env.with(name, value), ..self }
    }

    /// Runs a command to its end: its exit code and what a terminal would show, with the usual ports.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String) {
        let (code, said) = Running::merged(self.env.command(args)).finish();
        (code, self.usual(&said))
    }

    /// A command as it is typed, and what it says.
    pub(crate) fn typed(&self, args: &[&str]) -> String {
        let (code, said) = self.run(args);
        let failed = if code == 0 { String::new() } else { format!("(exit code {code})\n") };
        format!("$ stripegym {}\n{}\n{failed}", args.join(" "), said.trim_end())
    }

    /// A text with the usual ports in place of those of this world.
    pub(crate) fn usual(&self, text: &str) -> String {
        let ours = [(self.sandbox, "12111"), (self.shop, "4242")];
        ours.iter().fold(text.to_owned(), |text, (port, usual)| {
            text.replace(&format!(":{port}"), &format!(":{usual}"))
        })
    }
}

/// A port of the range that nobody listens at, and that no other test of this process gets.
fn free(range: std::ops::Range<u16>) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let size = range.end - range.start;
    let first = u16::try_from(std::process::id() % 32_768).unwrap();
    let ports = std::iter::repeat_with(|| {
        // A prime, so that processes whose numbers are near begin far from each other.
        let at = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(first.wrapping_mul(211));
        range.start + at % size
    });
    ports
        .take(usize::from(size))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
