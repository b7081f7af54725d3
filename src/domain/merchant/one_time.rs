//! The one-time key in the address that a buyer comes back to. It can be seen in the address bar, so it proves no
//! payment: it ties a return to the user and the session that it was made for, works once, and runs out.

use crate::domain::canonical::sha256;
use crate::domain::time::Timestamp;

/// How long a return is waited for: a hosted page is open for a day, and a buyer may take that day.
pub const LIFETIME_S: i64 = 26 * 3_600;

/// What is kept of a return that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The session that it belongs to.
    pub session: String,
    /// The user who started it.
    pub user: String,
    /// What is stored of the one-time key.
    pub hash: String,
    /// From when on it is worthless.
    pub expires: Timestamp,
    /// When it was used.
    pub used: Option<Timestamp>,
}

/// A return that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// The first.
    First,
    /// The page was loaded again, or its address kept: nothing happens a second time.
    Again,
}

/// Why a return is not believed. Whoever guesses learns nothing from which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnError {
    /// Another user, another session, or another key.
    Foreign,
    /// It came too late.
    Expired,
}

impl Awaited {
    /// What a return that is waited for is, before anybody has come.
    pub fn new(session: &str, user: &str, key: &str, now: Timestamp) -> Self {
        Self {
            session: session.to_owned(),
            user: user.to_owned(),
            hash: sha256(key),
            expires: now.plus(LIFETIME_S),
            used: None,
        }
    }

    /// Judges a return by the signed-in `user` to `session` with `key`.
    pub fn judge(
        &self,
        user: &str,
        session: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Return, ReturnError> {
        // Digests are compared: how long it takes says nothing about the key.
        if self.user != user || self.session != session || self.hash != sha256(key) {
            return Err(ReturnError::Foreign);
        }
        if self.used.is_some() {
            return Ok(Return::Again);
        }
        if now >= self.expires { Err(ReturnError::Expired) } else { Ok(Return::First) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_return_is_believed_once_by_its_user_for_its_session_in_its_time() {
        let key = "0123456789abcdef".to_owned();
        let mut awaited = Awaited::new("cs_1", "u7", &key, Timestamp(0));
        let at = |awaited: &Awaited, user: &str, session: &str, key: &str, now| {
            awaited.judge(user, session, key, Timestamp(now))
        };
        assert_eq!(at(&awaited, "u7", "cs_1", &key, 5), Ok(Return::First));
        assert_eq!(at(&awaited, "u8", "cs_1", &key, 5), Err(ReturnError::Foreign));
        assert_eq!(at(&awaited, "u7", "cs_2", &key, 5), Err(ReturnError::Foreign));
        assert_eq!(at(&awaited, "u7", "cs_1", "", 5), Err(ReturnError::Foreign));
        assert_eq!(at(&awaited, "u7", "cs_1", &awaited.hash, 5), Err(ReturnError::Foreign));
        assert_eq!(at(&awaited, "u7", "cs_1", &key, LIFETIME_S), Err(ReturnError::Expired));
        awaited.used = Some(Timestamp(5));
        assert_eq!(at(&awaited, "u7", "cs_1", &key, 6), Ok(Return::Again));
        assert_eq!(at(&awaited, "u7", "cs_1", &key, LIFETIME_S), Ok(Return::Again));
        assert_eq!(at(&awaited, "u8", "cs_1", &key, 6), Err(ReturnError::Foreign));
    }

    proptest! {
        #[test]
        fn no_other_key_is_believed(key in "[0-9a-f]{64}", other in "\\PC{0,40}", now in 0..LIFETIME_S) {
            let awaited = Awaited::new("cs_1", "u7", &key, Timestamp(0));
            let judged = awaited.judge("u7", "cs_1", &other, Timestamp(now));
            prop_assert_eq!(judged.is_ok(), other == key);
        }
    }
}
