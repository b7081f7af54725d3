//! Secrets that cannot be printed by accident: API keys and webhook signing secrets.

use std::fmt;

/// The kinds of API key that Stripe issues, told apart by their prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `sk_…`: everything.
    Secret,
    /// `rk_…`: what its owner allowed.
    Restricted,
    /// `pk_…`: for browsers, no secret.
    Publishable,
}

/// An API key. `Debug` shows it masked; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    text: String,
    kind: KeyKind,
    live: bool,
}

impl ApiKey {
    /// Reads a key by its prefix (`sk_test_`, `sk_live_`, `rk_…`, `pk_…`); `None` for any other text.
    pub fn read(text: &str) -> Option<Self> {
        let (kind, rest) = match text.get(..3)? {
            "sk_" => (KeyKind::Secret, text.get(3..)?),
            "rk_" => (KeyKind::Restricted, text.get(3..)?),
            "pk_" => (KeyKind::Publishable, text.get(3..)?),
            _ => return None,
        };
        let live = if rest.starts_with("live_") {
            true
        } else if rest.starts_with("test_") {
            false
        } else {
            return None;
        };
        let printable = text.bytes().all(|b| b.is_ascii_graphic());
        (rest.len() > 5 && printable).then(|| Self { text: text.to_owned(), kind, live })
    }

    /// Which kind of key it is.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether it moves real money.
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// The key itself, for an Authorization header and nothing else.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The world of the sandbox that a test key names, as `sk_test_w_NAME_…` does. Such a key is nobody's at
    /// Stripe, and never sent there.
    pub fn world(&self) -> Option<&str> {
        let (name, _) = self.world_part()?.split_once('_')?;
        is_world_name(name).then_some(name)
    }

    /// Whether it is written like a key that names a world, and what it names cannot be one.
    pub fn names_no_world(&self) -> bool {
        let named = self.world_part().and_then(|part| part.split_once('_'));
        named.is_some_and(|(name, _)| !is_world_name(name))
    }

    fn world_part(&self) -> Option<&str> {
        if self.live { None } else { self.text.get("sk_test_".len()..)?.strip_prefix("w_") }
    }

    /// As Stripe's messages name a key that may not do something: prefix, three stars, the last six.
    pub fn hinted(&self) -> String {
        let (prefix, rest) = self.text.split_at("sk_test_".len());
        let count = rest.chars().count();
        let tail: String = rest.chars().skip(if count >= 12 { count - 6 } else { count }).collect();
        format!("{prefix}***{tail}")
    }

    /// As Stripe's messages show a key: prefix, one `*` a hidden character, the last four.
    pub fn masked(&self) -> String {
        mask(&self.text)
    }
}

/// Characters that a world's name may have.
const WORLD_NAME_MAX: usize = 40;

/// Whether a text can name a world of the sandbox: 1 to 40 small letters, digits and hyphens.
pub fn is_world_name(name: &str) -> bool {
    (1..=WORLD_NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Masks any text that was given as a key: `sk_test_****abcd`; shorter than twelve characters, all stars.
pub fn mask(text: &str) -> String {
    let count = text.chars().count();
    let prefix: String = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"]
        .into_iter()
        .find(|p| text.starts_with(p))
        .unwrap_or_default()
        .to_owned();
    let shown = prefix.chars().count();
    if count < shown + 8 {
        return format!("{prefix}{}", "*".repeat(count - shown));
    }
    let tail: String = text.chars().skip(count - 4).collect();
    format!("{prefix}{}{tail}", "*".repeat(count - shown - 4))
}

/// A key of Creem's API, `creem_test_…` or `creem_…`. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct CreemKey(String);

impl CreemKey {
    /// Reads a key by its prefix; `None` for any other text.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("creem_")?;
        let rest = rest.strip_prefix("test_").unwrap_or(rest);
        let is_key = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self(text.to_owned()))
    }

    /// Whether it moves real money.
    pub fn is_live(&self) -> bool {
        !self.0.starts_with("creem_test_")
    }

    /// The key itself, for the header of a call and the salt of a signature, and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CreemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_live() { "creem_***" } else { "creem_test_***" })
    }
}

/// A webhook endpoint's signing secret, `whsec_…`. `Debug` shows only the prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// Takes the whole text, prefix included, as the key of the HMAC; `None` where it is blank.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Whether it begins as Stripe's signing secrets do; another text is mostly an id or a key that stands in
    /// its place by mistake.
    pub fn is_usual(&self) -> bool {
        self.0.starts_with("whsec_")
    }

    /// The secret itself, for the HMAC and for handing it to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_their_prefix() {
        let key = ApiKey::read("rk_live_abcdefgh1234").unwrap();
        assert_eq!((key.kind(), key.is_live()), (KeyKind::Restricted, true));
        assert!(ApiKey::read("whsec_x").is_none());
        assert!(ApiKey::read("sk_test_").is_none());
    }

    #[test]
    fn a_world_is_named_by_small_letters_digits_and_hyphens() {
        for good in ["a", "test-1", &"x".repeat(40)] {
            assert!(is_world_name(good), "{good}");
        }
        for bad in ["", "A", "a_b", "a/b", "é", &"x".repeat(41)] {
            assert!(!is_world_name(bad), "{bad}");
        }
    }

    #[test]
    fn only_a_test_key_of_that_form_names_a_world() {
        let world = |text: &str| ApiKey::read(text).unwrap().world().map(str::to_owned);
        assert_eq!(world("sk_test_w_shop-1_abc").as_deref(), Some("shop-1"));
        assert_eq!(world("pk_test_w_a_").as_deref(), Some("a"));
        for none in ["sk_test_w_shop", "sk_live_w_shop_abc", "sk_test_51w_a_b", "sk_test_w_A_b"] {
            assert_eq!(world(none), None, "{none}");
        }
        assert!(ApiKey::read("sk_test_w_A_b").unwrap().names_no_world());
        assert!(!ApiKey::read("sk_test_w_shop").unwrap().names_no_world());
        assert_eq!(ApiKey::read("rk_test_0123456789abcdef").unwrap().hinted(), "rk_test_***abcdef");
        assert_eq!(ApiKey::read("sk_test_123").unwrap().hinted(), "sk_test_***");
    }

    #[test]
    fn a_printed_key_shows_its_prefix_and_last_four() {
        let key = ApiKey::read("sk_test_0123456789abcdhere").unwrap();
        assert_eq!(format!("{key:?}"), "sk_test_**************here");
        assert_eq!(format!("{:?}", SigningSecret::read("whsec_abc").unwrap()), "whsec_***");
    }
}
