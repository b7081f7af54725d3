//! How Creem signs: its webhooks, in two schemes, and the address that a payer is sent back to.

use crate::domain::secret::SigningSecret;
use crate::domain::time::Timestamp;
use crate::domain::{base64, hex};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

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
    let text = secret.reveal();
    let key = base64::read(text.strip_prefix("whsec_").unwrap_or(text))?;
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
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
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
    fn a_redirect_is_signed_in_the_order_of_its_parameters() {
        let parameters = [("request_id", "r1".to_owned()), ("checkout_id", "ch_1".to_owned())];
        let whole =
            hex::write(&Sha256::digest(b"request_id=r1|checkout_id=ch_1|salt=creem_test_abc"));
        assert_eq!(sign_redirect(&parameters, "creem_test_abc"), whole);
    }
}
