//! A day that is interrupted leaves nothing behind that fails the next one.

use crate::env::{Env, rounds};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const DAYS: [&str; 7] = ["day0", "day1", "day2", "day3", "day4", "day5", "day6"];

/// Numbers that look random and are the same for the same seed (`SplitMix64`).
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn world() -> Env {
    Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0")
}

/// Sends a signal to a day once it has said so many bytes: at the same place of the day on quick and slow machines.
fn interrupt(env: &Env, day: &str, signal: &str, after: usize) {
    let mut command = env.command(&[day, "--yes"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut left = vec![0; after];
    // A day that says less has ended by then.
    let whole = out.read_exact(&mut left).is_ok();
    if whole {
        let pid = child.id().to_string();
        // It may have ended since.
        drop(Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status());
    }
    let rest = thread::spawn(move || drop(out.read_to_end(&mut Vec::new())));
    child.wait().unwrap();
    rest.join().unwrap();
}

/// What a whole day says, and how many milliseconds it takes.
fn whole(env: &Env, day: &str) -> (usize, u64) {
    let began = Instant::now();
    let said = env.ok(&[day, "--yes"]).len();
    (said, u64::try_from(began.elapsed().as_millis()).unwrap())
}

/// Where a day stands in the week: in a few rounds some are killed, others stopped by hand.
fn place_of(day: &str) -> usize {
    DAYS.iter().position(|it| *it == day).unwrap()
}

/// The signal comes after a number of bytes, or of milliseconds: some of what happens says nothing.
#[expect(clippy::print_stdout, reason = "the drawn places, for whoever has to repeat a failure")]
fn story(day: &str, seed: u64, times: usize) {
    let (said, took_ms) = whole(&world(), day);
    let mut drawn = Drawn(seed);
    for round in 0..times {
        let env = world();
        // Ctrl-C three times of four; the fourth is what no program can prepare for.
        let signal = if (round + place_of(day)) % 4 == 3 { "-KILL" } else { "-INT" };
        let place = if round % 2 == 0 {
            let after = usize::try_from(drawn.below(said as u64)).unwrap();
            interrupt(&env, day, signal, after);
            format!("{after} of {said} bytes")
        } else {
            let after = drawn.below(took_ms.max(1));
            strike(&env, day, signal, Duration::from_millis(after));
            format!("{after} of {took_ms} ms")
        };
        println!("{day}: {signal} after {place}, seed {seed}");
        let next = env.run(&[day, "--yes"]);
        assert_eq!(
            next.code, 0,
            "{day}: {signal} after {place}, seed {seed}\n{}\n{}",
            next.out, next.err
        );
    }
}

/// Sends a signal to a day after some time.
fn strike(env: &Env, day: &str, signal: &str, after: Duration) {
    let mut command = env.command(&[day, "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The instant is the story, not a wait for something.
    thread::sleep(after);
    let pid = child.id().to_string();
    drop(Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status());
    child.wait().unwrap();
}

#[test]
fn a_day_that_was_interrupted_is_green_the_next_time() {
    let days = DAYS
        .iter()
        .zip(1..)
        .map(|(day, seed)| thread::spawn(move || story(day, seed, rounds(2, 27))));
    for day in days.collect::<Vec<_>>() {
        if let Err(panic) = day.join() {
            std::panic::resume_unwind(panic);
        }
    }
}
