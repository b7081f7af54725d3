//! The keys that the shop sells: how one is written, what of it is stored, how long it opens anything.
//!
//! A key is issued for a subscription before anybody knows its text: the webhook and the page that the buyer lands
//! on may both issue it, and only one of them has somebody to show it to. Its text is drawn when its owner asks to
//! see it, shown in that one answer, and stored as a hash.

use crate::domain::canonical::sha256;
use crate::domain::hex;
use crate::domain::time::Timestamp;
use crate::domain::trade::subscription::Mirror;
use std::fmt;

/// How every key of the shop begins, so that a leaked one is recognised.
pub const PREFIX: &str = "gymkey_";

/// Random bytes of a key.
pub const RANDOM_BYTES: usize = 24;

/// Bytes of a key that follow from the rest of it: a mistyped key is refused before anything is looked up.
const CHECK_BYTES: usize = 4;

/// Digits that are shown of a key which nobody can see any more.
const HINT_DIGITS: usize = 6;

/// The text of a key. `Debug` shows its hint; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// The key that these random bytes make.
    pub fn of(random: [u8; RANDOM_BYTES]) -> Self {
        let text = format!("{PREFIX}{}", hex::write(&random));
        let check = check(&text);
        Self(text + &check)
    }

    /// Reads what was sent as a key; `None` for what no key of ours can be.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let bytes = hex::read(digits)?;
        let (before, sent) = text.split_at_checked(text.len().checked_sub(CHECK_BYTES * 2)?)?;
        let whole = bytes.len() == RANDOM_BYTES + CHECK_BYTES && check(before) == sent;
        whole.then(|| Self(text.to_owned()))
    }

    /// The key itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it. A key has 192 random bits, so that a plain digest cannot be searched.
    pub fn hash(&self) -> String {
        sha256(&self.0)
    }

    /// How its owner recognises it in a list.
    pub fn hint(&self) -> String {
        self.0.chars().take(PREFIX.len() + HINT_DIGITS).chain("…".chars()).collect()
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hint())
    }
}

fn check(text: &str) -> String {
    sha256(text).chars().take(CHECK_BYTES * 2).collect()
}

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// What it was sold for.
    Everything,
    /// Nothing until its subscription is paid again.
    Suspended,
    /// Nothing, for ever.
    Nothing,
}

impl Opens {
    /// What a key of this subscription opens at `now`. One that was cancelled works until its period ends, whether
    /// anybody told us of the end or not.
    pub fn of(subscription: &Mirror, now: Timestamp) -> Self {
        let has_ended = subscription.ends && now.0 >= subscription.until;
        let is_final = matches!(subscription.status.as_str(), "canceled" | "incomplete_expired");
        if is_final || has_ended {
            Self::Nothing
        } else if subscription.is_active() {
            Self::Everything
        } else {
            Self::Suspended
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subscription(status: &str, until: i64, ends: bool) -> Mirror {
        Mirror {
            subscription: "sub_1".to_owned(),
            user: None,
            customer: None,
            plan: String::new(),
            price: None,
            status: status.to_owned(),
            until,
            ends,
        }
    }

    proptest! {
        #[test]
        fn a_key_is_read_back_and_no_other_text_is(random: [u8; RANDOM_BYTES], at in 0_usize..63, digit in "[0-9a-f]") {
            let key = KeyText::of(random);
            prop_assert_eq!(key.reveal().len(), 63);
            prop_assert_eq!(KeyText::read(key.reveal()), Some(key.clone()));
            let mut wrong = key.reveal().to_owned();
            wrong.replace_range(at..=at, &digit);
            prop_assert_eq!(KeyText::read(&wrong).is_some(), wrong == key.reveal());
        }

        #[test]
        fn any_text_is_a_key_or_none(text in "\\PC{0,80}|gymkey_[0-9a-f]{0,70}") {
            drop(KeyText::read(&text));
        }

        #[test]
        fn what_is_closed_for_ever_stays_so(
            status in "active|trialing|past_due|unpaid|paused|canceled|incomplete|incomplete_expired",
            until in 0_i64..9, ends: bool, now in 0_i64..9, later in 0_i64..9,
        ) {
            let opens = |at| Opens::of(&subscription(&status, until, ends), Timestamp(at));
            if opens(now) == Opens::Nothing {
                prop_assert_eq!(opens(now + later), Opens::Nothing);
            }
            prop_assert_eq!(opens(now) == Opens::Nothing && ends, ends && (now >= until || status.contains("cancel") || status.ends_with("expired")));
        }
    }

    #[test]
    fn neither_debug_output_nor_what_is_stored_shows_a_key() {
        let key = KeyText::of([7; RANDOM_BYTES]);
        assert_eq!(format!("{key:?}"), "gymkey_070707…");
        assert!(!key.hash().contains("0707") && key.hash().len() == 64);
        assert_ne!(key.hash(), KeyText::of([8; RANDOM_BYTES]).hash());
    }

    #[test]
    fn a_key_opens_until_its_period_ends_and_again_where_the_end_is_taken_back() {
        for (status, until, ends, now, expected) in [
            ("active", 100, false, 500, Opens::Everything),
            ("trialing", 100, false, 50, Opens::Everything),
            // A payment that failed is tried again for days, and its customer stays one until then.
            ("past_due", 100, false, 150, Opens::Everything),
            ("active", 100, true, 99, Opens::Everything),
            ("active", 100, true, 100, Opens::Nothing),
            ("unpaid", 100, false, 50, Opens::Suspended),
            ("incomplete", 100, false, 50, Opens::Suspended),
            ("paused", 100, false, 50, Opens::Suspended),
            ("canceled", 100, false, 50, Opens::Nothing),
            ("incomplete_expired", 100, false, 50, Opens::Nothing),
        ] {
            let found = Opens::of(&subscription(status, until, ends), Timestamp(now));
            assert_eq!(found, expected, "{status} {ends} {now}");
        }
    }
}
