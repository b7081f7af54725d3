//! `Stripe-Signature`: signing and verifying webhook payloads. A body that was not verified here
//! cannot become an event, because [`Verified`] has no other constructor.

use crate::domain::hex;
use crate::domain::secret::SigningSecret;
use crate::domain::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many seconds old a signature may be by default.
pub const TOLERANCE_S: i64 = 300;

/// The only scheme that proves anything; `v0` is a decoy of test mode.
const SCHEME: &str = "v1";

/// A payload whose signature was found good.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'b> {
    body: &'b [u8],
    signed: Timestamp,
    secret: usize,
}

impl<'b> Verified<'b> {
    /// The exact bytes that were signed.
    pub const fn body(self) -> &'b [u8] {
        self.body
    }

    /// When the sender signed them.
    pub const fn signed(self) -> Timestamp {
        self.signed
    }

    /// Which of the secrets fitted, from 0.
    pub const fn secret(self) -> usize {
        self.secret
    }
}

/// Why a payload was not believed, in the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request had no `Stripe-Signature` header.
    #[error("No Stripe-Signature header value was provided.")]
    NoHeader,
    /// There is no secret to verify with.
    #[error("No webhook secret value was provided. It should start with `whsec_`")]
    BlankSecret,
    /// The header has no readable `t=`.
    #[error("Unable to extract timestamp and signatures from header")]
    Unparsable,
    /// The header has no `v1=` item.
    #[error("No signatures found with expected scheme v1")]
    NoV1Scheme,
    /// No `v1` fits the payload under any secret: forged, changed on the way, or another endpoint's secret.
    #[error("No signatures found matching the expected signature for payload")]
    Mismatch,
    /// The signature is good and older than the tolerance.
    #[error("Timestamp outside the tolerance zone ({})", t.0)]
    TooOld {
        /// When it was signed.
        t: Timestamp,
    },
}

impl SignatureError {
    /// A stable name of the cause, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoHeader => "no_header",
            Self::BlankSecret => "blank_secret",
            Self::Unparsable => "unparsable",
            Self::NoV1Scheme => "no_v1_scheme",
            Self::Mismatch => "mismatch",
            Self::TooOld { .. } => "too_old",
        }
    }
}

/// The value of a `Stripe-Signature` header for `body`: `t=…,v1=…`.
pub fn sign(secret: &SigningSecret, at: Timestamp, body: &[u8]) -> String {
    sign_with(secret.reveal(), at, body)
}

/// The same header, made with any text as the key: even one that can be no secret.
pub fn sign_with(key: &str, at: Timestamp, body: &[u8]) -> String {
    let mac = mac(key, at, body).map(|mac| hex::write(&mac.finalize().into_bytes()));
    format!("t={},{SCHEME}={}", at.0, mac.unwrap_or_default())
}

/// What is no signature of Stripe's: without a time, of the body alone.
pub fn sign_undated(secret: &SigningSecret, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes());
    let mac = mac.map(|mac| hex::write(&mac.chain_update(body).finalize().into_bytes()));
    format!("{SCHEME}={}", mac.unwrap_or_default())
}

/// Believes `body` when any `v1` of `header` was made with any of `secrets` and is at most `tolerance_s`
/// seconds old. A signature from the future passes, as with Stripe's own libraries; a tolerance of zero
/// is no licence to skip the check, it admits only this very second.
pub fn verify<'b>(
    body: &'b [u8],
    header: Option<&str>,
    secrets: &[SigningSecret],
    now: Timestamp,
    tolerance_s: i64,
) -> Result<Verified<'b>, SignatureError> {
    let header = header.filter(|text| !text.is_empty()).ok_or(SignatureError::NoHeader)?;
    if secrets.is_empty() {
        return Err(SignatureError::BlankSecret);
    }
    let signed = timestamp(header).ok_or(SignatureError::Unparsable)?;
    let mut candidates = items(header, SCHEME).peekable();
    if candidates.peek().is_none() {
        return Err(SignatureError::NoV1Scheme);
    }
    let secret = candidates.find_map(|given| fitting(given, body, signed, secrets));
    let secret = secret.ok_or(SignatureError::Mismatch)?;
    if now.since(signed) > tolerance_s {
        return Err(SignatureError::TooOld { t: signed });
    }
    Ok(Verified { body, signed, secret })
}

/// With which of the secrets one `v1` was made; the comparison takes the same time for any bytes.
fn fitting(
    given: &str,
    body: &[u8],
    signed: Timestamp,
    secrets: &[SigningSecret],
) -> Option<usize> {
    let given = hex::read(given)?;
    secrets.iter().position(|secret| {
        mac(secret.reveal(), signed, body).is_some_and(|mac| mac.verify_slice(&given).is_ok())
    })
}

/// `None` cannot happen: an HMAC takes a key of any length.
fn mac(key: &str, at: Timestamp, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(at.0.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

fn items<'h>(header: &'h str, name: &'h str) -> impl Iterator<Item = &'h str> {
    header
        .split(',')
        .filter_map(move |item| item.split_once('='))
        .filter_map(move |(key, value)| (key == name).then_some(value))
}

fn timestamp(header: &str) -> Option<Timestamp> {
    let text = items(header, "t").next()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Timestamp)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::read(text).unwrap()
    }

    fn check(body: &[u8], header: &str) -> Result<(), SignatureError> {
        verify(body, Some(header), &[secret("whsec_a")], NOW, TOLERANCE_S).map(|_| ())
    }

    #[test]
    fn the_mac_is_the_one_that_the_official_libraries_compute() {
        // Known value for the empty message under `test_secret`, quoted by the Node library.
        let mac = Hmac::<Sha256>::new_from_slice(b"test_secret").unwrap().finalize().into_bytes();
        let known = "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd";
        assert_eq!(Some(mac.to_vec()), hex::read(known));
        // Computed with hmac.new(b"whsec_test_secret", b'1700000000.{"id":"evt_1"}', sha256).
        let header =
            sign(&secret("whsec_test_secret"), Timestamp(1_700_000_000), br#"{"id":"evt_1"}"#);
        assert_eq!(
            header,
            "t=1700000000,v1=248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a"
        );
    }

    #[test]
    fn each_cause_is_told_apart_in_the_order_of_the_checks() {
        let good = sign(&secret("whsec_a"), NOW, b"{}");
        let verify_with = |header: Option<&str>, secrets: &[SigningSecret]| {
            verify(b"{}", header, secrets, NOW, TOLERANCE_S).map(|_| ())
        };
        assert_eq!(verify_with(None, &[]), Err(SignatureError::NoHeader));
        assert_eq!(verify_with(Some(""), &[]), Err(SignatureError::NoHeader));
        assert_eq!(verify_with(Some("nonsense"), &[]), Err(SignatureError::BlankSecret));
        for header in ["nonsense", "v1=aa", "t=,v1=aa", "t=1x,v1=aa", "t,v1=aa", "t=-5,v1=aa"] {
            assert_eq!(check(b"{}", header), Err(SignatureError::Unparsable), "{header}");
        }
        let v0 = good.replace("v1=", "v0=");
        assert_eq!(check(b"{}", &v0), Err(SignatureError::NoV1Scheme));
        assert_eq!(check(b"{ }", &good), Err(SignatureError::Mismatch));
        assert_eq!(
            check(b"{}", &good.to_uppercase().replace("T=", "t=").replace("V1=", "v1=")),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(check(b"{}", &format!("t={},v1=", NOW.0)), Err(SignatureError::Mismatch));
        assert_eq!(check(b"{}", &good), Ok(()));
    }

    #[test]
    fn age_is_judged_last_and_only_backwards() {
        let edge = NOW.plus(-TOLERANCE_S);
        assert_eq!(check(b"{}", &sign(&secret("whsec_a"), edge, b"{}")), Ok(()));
        let stale = edge.plus(-1);
        assert_eq!(
            check(b"{}", &sign(&secret("whsec_a"), stale, b"{}")),
            Err(SignatureError::TooOld { t: stale })
        );
        assert_eq!(
            check(b"{}", &sign(&secret("whsec_b"), stale, b"{}")),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(check(b"{}", &sign(&secret("whsec_a"), NOW.plus(86_400), b"{}")), Ok(()));
    }

    #[test]
    fn any_v1_under_any_secret_is_enough_and_v0_counts_for_nothing() {
        let (old, new) = (secret("whsec_old"), secret("whsec_new"));
        let by_old = sign(&old, NOW, b"{}");
        let by_new = sign(&new, NOW, b"{}");
        let second = by_new.split_once(',').unwrap().1;
        let both = format!("{by_old},{second},v0=00");
        for secrets in [vec![old.clone()], vec![new.clone()], vec![secret("whsec_x"), new]] {
            assert!(verify(b"{}", Some(&both), &secrets, NOW, TOLERANCE_S).is_ok());
        }
        let decoy = format!("{},v1=00", by_old.replace("v1=", "v0="));
        let outcome = verify(b"{}", Some(&decoy), &[old], NOW, TOLERANCE_S).map(|_| ());
        assert_eq!(outcome, Err(SignatureError::Mismatch));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_fails(body in prop::collection::vec(any::<u8>(), 1..400), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let header = sign(&secret("whsec_a"), NOW, &body);
            prop_assert_eq!(check(&body, &header), Ok(()));
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1 << bit;
            prop_assert_eq!(check(&changed, &header), Err(SignatureError::Mismatch));
            let mut bytes = header.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                prop_assert!(check(&body, &changed).is_err());
            }
        }

        #[test]
        fn no_header_makes_it_panic_or_pass(header in ".{0,120}", body in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(check(&body, &header).is_err());
        }
    }
}
