//! Accounts: who may come in, and by what it is known again. A browser keeps a token that nobody can guess; the
//! database keeps only its hash, so that whoever reads the file is still nobody.

use crate::domain::canonical::sha256;
use crate::domain::hex;
use crate::domain::time::Timestamp;
use crate::merchant::base::account::User;
use crate::os::entropy::secret_bytes;
use crate::store::StoreError;
use std::path::PathBuf;

/// How long somebody stays signed in.
pub const SIGNED_IN_S: i64 = 30 * 24 * 3_600;

/// Bytes of a token.
const TOKEN: usize = 32;

/// Bytes of an id.
const ID: usize = 12;

/// The most characters of an address.
const EMAIL_MAX: usize = 254;

/// A token for a browser.
pub fn new_token() -> Result<String, StoreError> {
    random::<TOKEN>()
}

/// An id with this prefix.
pub fn new_id(prefix: &str) -> Result<String, StoreError> {
    Ok(format!("{prefix}{}", random::<ID>()?))
}

fn random<const COUNT: usize>() -> Result<String, StoreError> {
    let bytes: [u8; COUNT] = secret_bytes().map_err(|error| StoreError::Io {
        path: PathBuf::from("random"),
        reason: error.to_string(),
    })?;
    Ok(hex::write(&bytes))
}

/// What is kept of a token.
pub fn kept(token: &str) -> String {
    sha256(&format!("session\n{token}"))
}

/// What a form proves itself with: it comes from a page that was shown to whoever holds the token.
pub fn form_proof(token: &str) -> String {
    sha256(&format!("form\n{token}"))
}

/// Whether a text can be a token of ours.
pub fn is_token(text: &str) -> bool {
    text.len() == 2 * TOKEN && hex::read(text).is_some()
}

/// An address as it is kept: one that can be one, in lower case.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, host) = text.rsplit_once('@')?;
    let plain = text.chars().all(|it| !it.is_whitespace() && !it.is_control());
    let sound = !name.is_empty() && host.contains(|it: char| it.is_alphanumeric());
    (sound && plain && text.chars().count() <= EMAIL_MAX).then(|| text.to_lowercase())
}

/// A new account.
pub fn new_user(email: String, now: Timestamp) -> Result<User, StoreError> {
    Ok(User { id: new_id("user_")?, email, created: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_what_is_none_is_not() {
        assert_eq!(email(" Ann@Example.com ").as_deref(), Some("ann@example.com"));
        for text in ["", "ann", "@example.com", "ann@", "a b@c", "a@\n", "ann@."] {
            assert_eq!(email(text), None, "{text:?}");
        }
        assert_eq!(email(&format!("{}@example.com", "a".repeat(300))), None);
    }

    #[test]
    fn a_token_is_kept_and_shown_in_forms_as_something_else() {
        let token = new_token().unwrap();
        assert!(is_token(&token) && !is_token("abc") && !is_token(&token.to_uppercase()));
        let all = [kept(&token), form_proof(&token), token];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }
}
