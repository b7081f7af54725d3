//! How Creem signs: its webhooks, in two schemes, and the address that a payer is sent back to.

use crate::domain::named::named;
use crate::domain::secret::SigningSecret;
use crate::domain::signature::SignatureError;
use crate::domain::time::Timestamp;
use crate::domain::{base64, hex};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

named! {
    /// How a webhook is signed.
    pub enum Scheme {
        /// `creem-signature`, over the body alone.
        Plain = "plain",
        /// By the Standard Webhooks, over the delivery's id and time as well.
        Standard = "standard",
    }
}

/// With which of these secrets a body was signed by the plain scheme. Nothing in it says when: what comes again is known
/// by its id.
pub fn verify(
    body: &[u8],
    header: Option<&str>,
    secrets: &[SigningSecret],
) -> Result<usize, SignatureError> {
    let header = header.filter(|text| !text.is_empty()).ok_or(SignatureError::NoHeader)?;
    if secrets.is_empty() {
        return Err(SignatureError::BlankSecret);
    }
    let text = header.trim().strip_prefix("sha256=").unwrap_or(header.trim());
    let given = hex::read(&text.to_ascii_lowercase()).ok_or(SignatureError::Unparsable)?;
    let fits = |secret: &SigningSecret| {
        let mac = keyed(secret.reveal().as_bytes(), &[body]);
        mac.is_some_and(|mac| mac.verify_slice(&given).is_ok())
    };
    secrets.iter().position(fits).ok_or(SignatureError::Mismatch)
}

/// What a delivery says of itself by the Standard Webhooks.
#[derive(Clone, Copy, Debug)]
pub struct Standard<'h> {
    /// `webhook-id`.
    pub id: &'h str,
    /// `webhook-timestamp`, in seconds.
    pub at: &'h str,
    /// `webhook-signature`.
    pub signature: &'h str,
}

/// With which of these secrets a body was signed by the Standard Webhooks, and when; not longer ago, nor further ahead,
/// than `tolerance_s`.
pub fn verify_standard(
    body: &[u8],
    headers: &Standard<'_>,
    secrets: &[SigningSecret],
    now: Timestamp,
    tolerance_s: i64,
) -> Result<(usize, Timestamp), SignatureError> {
    if secrets.is_empty() {
        return Err(SignatureError::BlankSecret);
    }
    let signed = headers.at.parse().map(Timestamp).map_err(|_| SignatureError::Unparsable)?;
    let given: Vec<Vec<u8>> = headers
        .signature
        .split(' ')
        .filter_map(|one| base64::read(one.strip_prefix("v1,")?))
        .collect();
    if given.is_empty() {
        return Err(SignatureError::NoV1Scheme);
    }
    let parts = [headers.id.as_bytes(), b".", headers.at.as_bytes(), b".", body];
    let fits = |secret: &SigningSecret| {
        let key = standard_key(secret);
        let made = |given: &Vec<u8>| {
            let mac = key.as_ref().and_then(|key| keyed(key, &parts));
            mac.is_some_and(|mac| mac.verify_slice(given).is_ok())
        };
        given.iter().any(made)
    };
    let secret = secrets.iter().position(fits).ok_or(SignatureError::Mismatch)?;
    if now.since(signed).saturating_abs() > tolerance_s {
        return Err(SignatureError::TooOld { t: signed });
    }
    Ok((secret, signed))
}

/// The key that the Standard Webhooks make of a secret.
fn standard_key(secret: &SigningSecret) -> Option<Vec<u8>> {
    let text = secret.reveal();
    base64::read(text.strip_prefix("whsec_").unwrap_or(text))
}

/// The value of `creem-signature` for a body: nothing in it says when it was made.
pub fn sign(secret: &SigningSecret, body: &[u8]) -> String {
    // An HMAC takes a key of any length.
    let mac = mac(secret.reveal().as_bytes(), &[body]);
    mac.map(|mac| hex::write(&mac)).unwrap_or_default()
}

/// The value of `webhook-signature` by the Standard Webhooks, which covers the delivery's id and time as well.
/// `None` where the secret is no base64, of which that scheme makes its key.
pub fn sign_standard(
    secret: &SigningSecret,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Option<String> {
    let key = standard_key(secret)?;
    let at = at.0.to_string();
    let mac = mac(&key, &[id.as_bytes(), b".", at.as_bytes(), b".", body])?;
    Some(format!("v1,{}", base64::write(&mac)))
}

/// The signature of what is added to the address after a payment: a digest of the parameters in their order,
/// with the API key at the end.
pub fn sign_redirect(parameters: &[(&str, String)], api_key: &str) -> String {
    let mut digest = Sha256::new();
    for (name, value) in parameters {
        digest.update(format!("{name}={value}|"));
    }
    digest.update(format!("salt={api_key}"));
    hex::write(&digest.finalize())
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    Some(keyed(key, parts)?.finalize().into_bytes().to_vec())
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::read(text).unwrap()
    }

    #[test]
    fn the_plain_scheme_covers_the_body_alone_under_the_secret_as_text() {
        // hmac.new(b"whsec_test", b'{"id":"evt_1"}', sha256).hexdigest()
        let signed = sign(&secret("whsec_test"), br#"{"id":"evt_1"}"#);
        assert_eq!(signed.len(), 64);
        assert_eq!(signed, sign(&secret("whsec_test"), br#"{"id":"evt_1"}"#));
        assert_ne!(signed, sign(&secret("whsec_tesu"), br#"{"id":"evt_1"}"#));
    }

    #[test]
    fn the_standard_scheme_covers_id_and_time_under_the_decoded_secret() {
        // The example of the Standard Webhooks' own libraries.
        let signed = sign_standard(
            &secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Timestamp(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(sign_standard(&secret("whsec_-"), "m", Timestamp(1), b""), None);
    }

    #[test]
    fn a_delivery_is_believed_as_it_was_signed_and_no_other_way() {
        let (own, other, body) =
            (secret("whsec_bXkgb3duIHNlY3JldCBrZXk="), secret("whsec_YQ=="), b"{}");
        let both = [other, own.clone()];
        let signed = sign(&own, body);
        for header in [signed.clone(), format!("sha256={}", signed.to_uppercase())] {
            assert_eq!(verify(body, Some(&header), &both), Ok(1), "{header}");
        }
        assert_eq!(verify(b"{ }", Some(&signed), &both), Err(SignatureError::Mismatch));
        assert_eq!(verify(body, Some(&signed), &both[..1]), Err(SignatureError::Mismatch));
        assert_eq!(verify(body, Some("no hex"), &both), Err(SignatureError::Unparsable));
        assert_eq!(verify(body, None, &both), Err(SignatureError::NoHeader));
        assert_eq!(verify(body, Some(&signed), &[]), Err(SignatureError::BlankSecret));

        let now = Timestamp(1_000);
        let signature = format!("v1,AAAA {}", sign_standard(&own, "evt_1", now, body).unwrap());
        let sent = |at: &'static str| Standard { id: "evt_1", at, signature: &signature };
        assert_eq!(verify_standard(body, &sent("1000"), &both, now, 300), Ok((1, now)));
        let late = verify_standard(body, &sent("1000"), &both, Timestamp(1_301), 300);
        assert_eq!(late, Err(SignatureError::TooOld { t: now }));
        let early = verify_standard(body, &sent("1000"), &both, Timestamp(699), 300);
        assert_eq!(early, Err(SignatureError::TooOld { t: now }));
        let moved = verify_standard(body, &sent("1001"), &both, now, 300);
        assert_eq!(moved, Err(SignatureError::Mismatch));
        let bare = Standard { signature: &signed, ..sent("1000") };
        assert_eq!(verify_standard(body, &bare, &both, now, 300), Err(SignatureError::NoV1Scheme));
    }

    #[test]
    fn a_redirect_is_signed_in_the_order_of_its_parameters() {
        let parameters = [("request_id", "r1".to_owned()), ("checkout_id", "ch_1".to_owned())];
        let whole =
            hex::write(&Sha256::digest(b"request_id=r1|checkout_id=ch_1|salt=creem_test_abc"));
        assert_eq!(sign_redirect(&parameters, "creem_test_abc"), whole);
    }
}
