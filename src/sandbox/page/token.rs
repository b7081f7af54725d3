//! The token that each form carries, so that no other site's page can send it.

use crate::os::entropy::Entropy;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// The secret behind the tokens of one running sandbox.
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// A fresh secret. Forms that were served before a restart are refused, and shown again.
    pub fn draw(entropy: &Entropy) -> Self {
        let mut key = [0; 32];
        let mut numbers = entropy.numbers("token");
        for chunk in key.chunks_mut(8) {
            chunk.copy_from_slice(&numbers.next().to_le_bytes());
        }
        Self(key)
    }

    /// The token of the form about `subject`, such as a session's id.
    pub fn token(&self, subject: &str) -> String {
        let mut token = String::with_capacity(64);
        for byte in self.mac(subject).finalize().into_bytes() {
            for nibble in [byte >> 4, byte & 15] {
                token.extend(char::from_digit(u32::from(nibble), 16));
            }
        }
        token
    }

    /// Whether `token` is the one of the form about `subject`; takes as long for any text of that length.
    pub fn fits(&self, subject: &str, token: &str) -> bool {
        let expected = self.token(subject);
        let pairs = expected.bytes().zip(token.bytes());
        let difference = pairs.fold(0_u8, |seen, (a, b)| seen | (a ^ b));
        expected.len() == token.len() && difference == 0
    }

    fn mac(&self, subject: &str) -> Hmac<Sha256> {
        let mut key = [0_u8; 64];
        for (to, from) in key.iter_mut().zip(self.0) {
            *to = from;
        }
        let mut mac = Hmac::new(&key.into());
        mac.update(subject.as_bytes());
        mac
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_form_and_no_other() {
        let key = TokenKey::draw(&Entropy::seeded(1));
        let token = key.token("cs_test_1");
        assert_eq!(token.len(), 64);
        assert!(key.fits("cs_test_1", &token));
        assert!(!key.fits("cs_test_2", &token));
        assert!(!key.fits("cs_test_1", ""));
        assert!(!key.fits("cs_test_1", token.get(..63).unwrap()));
        assert!(!TokenKey::draw(&Entropy::seeded(2)).fits("cs_test_1", &token));
    }
}
