//! Who calls: API keys in the Authorization header, and Stripe's answers to wrong ones.

use crate::domain::secret::{ApiKey, KeyKind, mask};
use crate::wire::failure::{Failure, FailureKind};

/// Checks the header `Authorization` (Bearer, or Basic with the key as the user's name).
///
/// The sandbox has one account: every well-formed test key, secret or restricted, belongs to it.
pub fn authenticate(header: Option<&str>) -> Result<ApiKey, Failure> {
    let given = header.map(str::trim).filter(|text| !text.is_empty()).ok_or_else(no_key)?;
    let (scheme, rest) = given.split_once(' ').unwrap_or((given, ""));
    let text = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let user = decode_base64(rest.trim()).ok_or_else(no_key)?;
        user.split(':').next().unwrap_or_default().to_owned()
    } else {
        return Err(no_key());
    };
    if text.is_empty() {
        return Err(no_key());
    }
    let key = ApiKey::read(&text).filter(|key| !key.is_live() && text.len() >= 12);
    match key {
        Some(key) if key.kind() == KeyKind::Publishable => {
            let text = "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.";
            Err(Failure::of(403, FailureKind::InvalidRequest, text).code("secret_key_required"))
        }
        Some(key) => Ok(key),
        None => {
            let text = format!("Invalid API Key provided: {}", mask(&text));
            Err(Failure::of(401, FailureKind::InvalidRequest, text))
        }
    }
}

fn no_key() -> Failure {
    let text = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.";
    Failure::of(401, FailureKind::InvalidRequest, text)
}

/// Standard base64 with or without padding; `None` where it is not, or not UTF-8.
fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_bearer_and_from_basic() {
        let key = "sk_test_0123456789ab";
        assert_eq!(authenticate(Some(&format!("Bearer {key}"))).unwrap().reveal(), key);
        let basic = "Basic c2tfdGVzdF8wMTIzNDU2Nzg5YWI6";
        assert_eq!(authenticate(Some(basic)).unwrap().reveal(), key);
    }

    #[test]
    fn each_wrong_key_has_its_own_answer() {
        let none = authenticate(None).unwrap_err();
        assert_eq!(none.status, 401);
        assert!(none.message.starts_with("You did not provide an API key."));
        let wrong = authenticate(Some("Bearer sk_live_0123456789abcdhere")).unwrap_err();
        assert_eq!(wrong.message, "Invalid API Key provided: sk_live_**************here");
        let publishable = authenticate(Some("Bearer pk_test_0123456789ab")).unwrap_err();
        assert_eq!(
            (publishable.status, publishable.code.as_deref()),
            (403, Some("secret_key_required"))
        );
    }
}
