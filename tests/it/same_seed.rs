//! The same seed in two fresh folders gives the same output, byte by byte.

use crate::env::rounds;
use crate::transcript::{DAYS, Seeded};
use std::thread;

/// All that a week says: for programs, and in the long run for people, which the copies of a week hold as well.
fn week() -> Vec<String> {
    let world = Seeded::new();
    let mut said = Vec::new();
    let ways = [&["--yes", "--json"][..], &["--yes", "--lang", "ja"]];
    for args in ways.into_iter().take(rounds(1, 2)) {
        for day in DAYS {
            let line: Vec<&str> = [&[day], args].concat();
            let (code, text) = world.run(&line);
            assert_eq!(code, 0, "{line:?}\n{text}");
            said.push(text);
        }
    }
    let (code, text) = world.run(&["check", "--all", "--json"]);
    assert_eq!(code, 0, "{text}");
    said.push(text);
    for format in ["md", "json", "html"] {
        let (code, text) = world.run(&["report", "--format", format]);
        assert_eq!(code, 0, "{text}");
        said.push(text);
    }
    said.push(world.run(&["status", "--json"]).1);
    said.push(world.run(&["ledger", "show", "--format", "csv"]).1);
    said
}

#[test]
fn two_weeks_with_the_same_seed_are_the_same() {
    let [one, other] = [thread::spawn(week), thread::spawn(week)].map(|it| it.join().unwrap());
    for (one, other) in one.iter().zip(&other) {
        for (one, other) in one.lines().zip(other.lines()) {
            assert_eq!(one, other);
        }
    }
    assert_eq!(one, other);
}

#[test]
fn another_seed_gives_other_ids_and_stripe_takes_none() {
    let ids = |seed: &str| {
        let world = Seeded::new().with("STRIPEGYM_SEED", seed);
        let (code, text) = world.run(&["checkout", "--no-wait", "--json"]);
        assert_eq!(code, 0, "{text}");
        text
    };
    assert_ne!(ids("2"), ids("3"));
    let world = Seeded::new().with("STRIPE_SECRET_KEY", "sk_test_0123456789abcdef");
    let (code, text) = world.run(&["status"]);
    assert_ne!(code, 0, "{text}");
    assert!(text.contains("STRIPEGYM_SEED"), "{text}");
}
