//! Randomness: the system's, or a seeded sequence that tests and drills can repeat.

use std::sync::{Arc, Mutex, PoisonError};

/// A source of uniform 64-bit numbers. Clones draw from the same sequence.
#[derive(Clone, Debug)]
pub struct Entropy(Arc<Mutex<u64>>);

impl Entropy {
    /// Seeded from the operating system.
    pub fn system() -> Self {
        let mut bytes = [0_u8; 8];
        let seeded = getrandom::fill(&mut bytes).is_ok();
        let fallback = u64::from(std::process::id()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self::seeded(if seeded { u64::from_le_bytes(bytes) } else { fallback })
    }

    /// The sequence that belongs to `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    /// The next number (`SplitMix64`).
    pub fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        assert_eq!([a.next(), a.next()], [b.next(), b.next()]);
        assert_ne!(a.next(), a.next());
    }
}
