//! Randomness: the system's, or seeded sequences that tests and drills can repeat.
//!
//! Every kind of thing has a sequence of its own: how often one thing is drawn never shifts what another gets.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What is added to the state at each step of `SplitMix64`.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many kinds have a count of their own. A run has some dozens; whoever makes up kinds gets no memory for it.
const KINDS_MAX: usize = 4_096;

/// The counts that further kinds share, each kind always the same one.
const SHARED: usize = 256;

/// A source of uniform 64-bit numbers, by kind. Clones draw from the same sequences.
#[derive(Clone, Debug)]
pub struct Entropy {
    seed: u64,
    drawn: Arc<Mutex<Drawn>>,
}

/// How often each kind was drawn.
#[derive(Debug, Default)]
struct Drawn {
    own: HashMap<String, u64>,
    shared: Vec<u64>,
}

impl Drawn {
    /// How often `kind` was drawn before, or all the kinds that share its count.
    fn next(&mut self, kind: &str, named: u64) -> u64 {
        let count = if let Some(count) = self.own.get_mut(kind) {
            count
        } else if self.own.len() < KINDS_MAX {
            self.own.entry(kind.to_owned()).or_default()
        } else {
            self.shared.resize(SHARED, 0);
            let at = usize::try_from(named % 256).unwrap_or_default();
            let Some(count) = self.shared.get_mut(at) else { return 0 };
            count
        };
        *count += 1;
        *count - 1
    }
}

/// The numbers of one thing.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

/// Bytes that nobody can guess, always the system's: what proves who somebody is cannot be repeated from a seed.
///
/// Fails with what the system says where it has none to give.
pub fn secret_bytes<const COUNT: usize>() -> io::Result<[u8; COUNT]> {
    let mut bytes = [0_u8; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

impl Entropy {
    /// Seeded from the operating system.
    pub fn system() -> Self {
        let mut bytes = [0_u8; 8];
        let seeded = getrandom::fill(&mut bytes).is_ok();
        let fallback = u64::from(std::process::id()).wrapping_mul(STEP);
        Self::seeded(if seeded { u64::from_le_bytes(bytes) } else { fallback })
    }

    /// The sequences that belong to `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, drawn: Arc::default() }
    }

    /// The numbers of the next thing of a kind.
    pub fn numbers(&self, kind: &str) -> Numbers {
        // FNV-1a: kinds are few and short, and every one should lead elsewhere.
        let named = kind.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let count = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).next(kind, named);
        Numbers(scatter(scatter(self.seed ^ scatter(named)).wrapping_add(count.wrapping_mul(STEP))))
    }
}

impl Numbers {
    /// The next number (`SplitMix64`).
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scatter(self.0)
    }
}

/// Two seeds that are near give numbers that are not.
const fn scatter(state: u64) -> u64 {
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        let drawn = |from: &Entropy| {
            let mut numbers = from.numbers("evt_");
            [numbers.next(), numbers.next()]
        };
        assert_eq!(drawn(&a), drawn(&b));
        assert_ne!(drawn(&a), drawn(&Entropy::seeded(7)));
        assert_ne!(drawn(&Entropy::seeded(8)), drawn(&Entropy::seeded(7)));
    }

    #[test]
    fn made_up_kinds_take_no_memory_shift_nothing_and_never_repeat_a_number() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        let _known = (a.numbers("evt_"), b.numbers("evt_"));
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..20_000 {
            assert!(seen.insert(a.numbers(&format!("made up {n}")).next()));
        }
        for _ in 0..1_000 {
            assert!(seen.insert(a.numbers("made up 19999").next()));
        }
        let drawn = a.drawn.lock().unwrap();
        assert_eq!((drawn.own.len(), drawn.shared.len()), (KINDS_MAX, SHARED));
        drop(drawn);
        assert_eq!(a.numbers("evt_").next(), b.numbers("evt_").next());
        // The same calls in the same order give the same, also beyond the limit.
        let again = Entropy::seeded(7);
        let _known = again.numbers("evt_");
        for n in 0..20_000 {
            assert!(seen.contains(&again.numbers(&format!("made up {n}")).next()));
        }
    }

    #[test]
    fn what_one_kind_draws_does_not_shift_another() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        let _request = a.numbers("req_");
        assert_eq!(a.numbers("evt_").next(), b.numbers("evt_").next());
    }
}
