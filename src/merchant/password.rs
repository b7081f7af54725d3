//! Passwords: kept as Argon2id hashes. Hashing is slow on purpose, so only some are worked on at once, apart from what
//! serves.

use crate::domain::hex;
use crate::os::entropy::secret_bytes;
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many are hashed at once.
const AT_ONCE: usize = 2;

/// Bytes of a salt and of a hash.
const SALT: usize = 16;
const HASH: usize = 32;

/// The fewest characters of a password.
pub const CHARACTERS_MIN: usize = 10;

/// The most bytes of a password: hashing takes no longer for more, and nobody types more.
pub const BYTES_MAX: usize = 256;

/// A hash that is of no password, so that an unknown address takes as long as a known one.
const NOBODY: &str = "argon2id:19456:2:1:00000000000000000000000000000000:\
                      0000000000000000000000000000000000000000000000000000000000000000";

/// Hashes and verifies.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// The text that is kept of a password; `None` where the system has no salt or no memory to give.
    pub async fn hash(&self, password: String) -> Option<String> {
        let salt: [u8; SALT] = secret_bytes().ok()?;
        let costs = Costs::default();
        let hash = self.work(move || costs.hash(&password, &salt)).await?;
        let Costs { memory, passes, lanes } = costs;
        let (salt, hash) = (hex::write(&salt), hex::write(&hash));
        Some(format!("argon2id:{memory}:{passes}:{lanes}:{salt}:{hash}"))
    }

    /// Whether a password is that of `kept`; with nothing kept it is not, after as long a time.
    pub async fn verify(&self, password: String, kept: Option<&str>) -> bool {
        let Some((costs, salt, hash)) = read(kept.unwrap_or(NOBODY)) else { return false };
        let found = self.work(move || costs.hash(&password, &salt)).await;
        kept.is_some() && found.is_some_and(|found| is_same(&found, &hash))
    }

    async fn work(
        &self,
        hash: impl FnOnce() -> Option<[u8; HASH]> + Send + 'static,
    ) -> Option<[u8; HASH]> {
        let _place = self.0.acquire().await.ok()?;
        tokio::task::spawn_blocking(hash).await.ok()?
    }
}

#[derive(Clone, Copy)]
struct Costs {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Default for Costs {
    fn default() -> Self {
        let (memory, passes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST);
        Self { memory, passes, lanes: Params::DEFAULT_P_COST }
    }
}

impl Costs {
    fn hash(self, password: &str, salt: &[u8]) -> Option<[u8; HASH]> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(HASH)).ok()?;
        let mut hash = [0; HASH];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
        Some(hash)
    }
}

fn read(kept: &str) -> Option<(Costs, Vec<u8>, Vec<u8>)> {
    let mut parts = kept.strip_prefix("argon2id:")?.split(':');
    let mut number = || parts.next()?.parse().ok();
    let costs = Costs { memory: number()?, passes: number()?, lanes: number()? };
    let (salt, hash) = (hex::read(parts.next()?)?, hex::read(parts.next()?)?);
    parts.next().is_none().then_some((costs, salt, hash))
}

/// Compares without telling by the time how far two are alike.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0_u8, |seen, (a, b)| seen | (a ^ b));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_its_own_alone_and_two_hashes_of_it_differ() {
        let passwords = Passwords::default();
        let kept = passwords.hash("correct horse".to_owned()).await.unwrap();
        let again = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert_ne!(kept, again);
        assert!(!kept.contains("horse"));
        assert!(passwords.verify("correct horse".to_owned(), Some(&kept)).await);
        assert!(!passwords.verify("correct horsf".to_owned(), Some(&kept)).await);
        assert!(!passwords.verify("correct horse".to_owned(), None).await);
        assert!(!passwords.verify("correct horse".to_owned(), Some("argon2id:1")).await);
        assert!(read(NOBODY).is_some());
    }
}
