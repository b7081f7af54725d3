//! Who calls: API keys in the Authorization header or the form, what each may do, and Stripe's answers to wrong ones.

use crate::domain::base64;
use crate::domain::secret::{ApiKey, KeyKind, mask};
use crate::sandbox::api::rights;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::text;
use crate::sandbox::engine::private::KeyPart;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::worlds::{World, platform_id};
use crate::wire::failure::{Failure, FailureKind};
use std::sync::Arc;

/// Whoever calls the API.
#[derive(Clone, Debug)]
pub struct Caller {
    key: ApiKey,
    /// What a restricted key that was made here may do; any other secret or restricted key may do everything.
    rights: Option<KeyPart>,
    /// The world's name, which decides the id of the account.
    world: Arc<str>,
}

/// The text of the key: in the header `Authorization` (Bearer, or Basic with the key as the user's name), else
/// in the form.
pub fn read(header: Option<&str>, form: Option<&str>) -> Result<String, Failure> {
    let given = match (header.map(str::trim).filter(|text| !text.is_empty()), form) {
        (Some(given), _) => given,
        (None, Some(form)) => return Ok(form.to_owned()),
        (None, None) => return Err(no_key()),
    };
    let (scheme, rest) = given.split_once(' ').unwrap_or((given, ""));
    let text = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let user = base64::read(rest.trim()).and_then(|user| String::from_utf8(user).ok());
        let user = user.ok_or_else(no_key)?;
        user.split(':').next().unwrap_or_default().to_owned()
    } else {
        return Err(no_key());
    };
    if text.is_empty() { Err(no_key()) } else { Ok(text) }
}

/// The world that the text of a key names.
pub fn world_of(text: &str) -> Option<String> {
    ApiKey::read(text).and_then(|key| key.world().map(str::to_owned))
}

/// The key, where it is one: every well-formed test key opens the sandbox.
pub fn authenticate(header: Option<&str>, form: Option<&str>) -> Result<ApiKey, Failure> {
    let text = read(header, form)?;
    let Some(key) = ApiKey::read(&text).filter(|key| !key.is_live()) else {
        let text = format!("Invalid API Key provided: {}", mask(&text));
        return Err(Failure::of(401, FailureKind::InvalidRequest, text));
    };
    if key.names_no_world() {
        let text = format!(
            "The API key {} is written as one that names a world (sk_test_w_NAME_…), and a world's name has 1 to 40 of a-z, 0-9 and -.",
            key.masked()
        );
        return Err(Failure::invalid(text));
    }
    Ok(key)
}

impl Caller {
    /// The caller of a world.
    pub fn of(world: &World, key: ApiKey) -> Self {
        let read = || world.read(|view| view.at("").record(rights::KIND, key.reveal()).cloned());
        let rights = (key.kind() == KeyKind::Restricted).then(read).flatten();
        Self { rights, world: Arc::clone(world.name()), key }
    }

    /// The account that the key belongs to.
    fn own(&self) -> String {
        platform_id(&self.world)
    }

    /// Whether the call comes from a page in a browser, with a key that everybody can read there.
    pub fn is_browser(&self) -> bool {
        self.key.kind() == KeyKind::Publishable
    }

    /// Refuses what the key may not do.
    pub fn ensure_may(&self, method: &str, path: &str) -> Result<(), Failure> {
        if self.is_browser() && !is_for_browsers(method, path) {
            let text = "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.";
            return Err(
                Failure::of(403, FailureKind::InvalidRequest, text).code("secret_key_required")
            );
        }
        let lacking = self.rights.as_ref().and_then(|key| rights::lacking(key, method, path));
        let Some(permission) = lacking else { return Ok(()) };
        let text = format!(
            "The provided key '{}' does not have the required permissions for this endpoint on account '{}'. Having the '{permission}' permission would allow this request to continue.",
            self.key.hinted(),
            self.own()
        );
        Err(Failure::of(403, FailureKind::InvalidRequest, text))
    }

    /// The account that `Stripe-Account` names, empty for the caller's own.
    pub fn account(&self, world: &World, named: Option<&str>) -> Result<String, Failure> {
        let Some(named) = named.map(str::trim).filter(|id| !id.is_empty()) else {
            return Ok(String::new());
        };
        if named == self.own() {
            return Ok(String::new());
        }
        let known = world.read(|view| {
            view.at("").stored("account", named).is_some_and(|stored| !stored.is_deleted())
        });
        if known { Ok(named.to_owned()) } else { Err(self.no_access(named)) }
    }

    /// Stripe's answer to an account that is not there, or not the caller's.
    pub fn no_access(&self, account: &str) -> Failure {
        let text = format!(
            "The provided key '{}' does not have access to account '{account}' (or that account does not exist). Application access may have been revoked.",
            self.key.hinted()
        );
        Failure::of(403, FailureKind::InvalidRequest, text).code("account_invalid")
    }
}

/// What Stripe lets a publishable key do.
fn is_for_browsers(method: &str, path: &str) -> bool {
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    let reads_or_writes = matches!(method, "GET" | "POST");
    match words.as_slice() {
        ["v1", "tokens" | "payment_methods" | "sources" | "confirmation_tokens"]
        | ["v1", "payment_intents" | "setup_intents", _, "confirm"] => method == "POST",
        ["v1", "payment_intents" | "setup_intents", _] | ["v1", "payment_pages", ..] => {
            reads_or_writes
        }
        _ => false,
    }
}

/// Lets a page work on an intent only where it was given the intent's secret.
pub fn ensure_secret(txn: &Txn<'_>, call: &Call, secret: &str) -> Result<(), Failure> {
    let path = call.key.split_once(' ').map_or("", |(_, path)| path);
    let (kind, noun) = if path.starts_with("/v1/payment_intents/") {
        ("payment_intent", "PaymentIntent")
    } else if path.starts_with("/v1/setup_intents/") {
        ("setup_intent", "SetupIntent")
    } else {
        return Ok(());
    };
    if secret.is_empty() {
        let text = "Missing required param: client_secret.";
        return Err(Failure::invalid(text).code("parameter_missing").param("client_secret"));
    }
    let intent = txn.find(kind, call.id(0), "intent")?;
    if text(&intent, "client_secret") == secret {
        return Ok(());
    }
    let text = format!(
        "The client_secret provided does not match the client_secret associated with the {noun}."
    );
    Err(Failure::invalid(text).code(format!("{kind}_invalid_parameter")).param("client_secret"))
}

fn no_key() -> Failure {
    let text = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.";
    Failure::of(401, FailureKind::InvalidRequest, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_bearer_from_basic_and_from_the_form() {
        let key = "sk_test_0123456789ab";
        let read = |header: Option<&str>, form: Option<&str>| {
            authenticate(header, form).unwrap().reveal().to_owned()
        };
        assert_eq!(read(Some(&format!("Bearer {key}")), None), key);
        assert_eq!(read(Some("Basic c2tfdGVzdF8wMTIzNDU2Nzg5YWI6"), None), key);
        assert_eq!(read(None, Some(key)), key);
        assert_eq!(read(Some("Bearer sk_test_1"), Some(key)), "sk_test_1");
    }

    #[test]
    fn a_test_key_of_any_length_opens_it() {
        for key in ["sk_test_123", "rk_test_1", "sk_test_foo", "sk_test_w_a_b"] {
            assert!(authenticate(Some(&format!("Bearer {key}")), None).is_ok(), "{key}");
        }
        let failure = authenticate(Some("Bearer sk_test_w_A_b"), None).unwrap_err();
        assert_eq!(failure.status, 400);
    }

    #[test]
    fn each_wrong_key_has_its_own_answer() {
        let none = authenticate(None, None).unwrap_err();
        assert_eq!(none.status, 401);
        assert!(none.message.starts_with("You did not provide an API key."));
        let wrong = authenticate(Some("Bearer sk_live_0123456789abcdhere"), None).unwrap_err();
        assert_eq!(wrong.message, "Invalid API Key provided: sk_live_**************here");
    }

    #[test]
    fn a_publishable_key_reaches_what_a_page_needs_and_nothing_else() {
        for (method, path) in [
            ("POST", "/v1/tokens"),
            ("POST", "/v1/payment_methods"),
            ("POST", "/v1/confirmation_tokens"),
            ("GET", "/v1/payment_intents/pi_1"),
            ("POST", "/v1/payment_intents/pi_1/confirm"),
        ] {
            assert!(is_for_browsers(method, path), "{method} {path}");
        }
        for (method, path) in [
            ("GET", "/v1/payment_methods"),
            ("GET", "/v1/confirmation_tokens/ctoken_1"),
            ("GET", "/v1/payment_intents"),
            ("POST", "/v1/payment_intents"),
            ("POST", "/v1/payment_intents/pi_1/capture"),
            ("GET", "/v1/customers"),
        ] {
            assert!(!is_for_browsers(method, path), "{method} {path}");
        }
    }
}
