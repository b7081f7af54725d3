//! What the shop was told of its second provider.

use crate::config::keys;
use crate::config::sources::Sources;
use crate::config::{api_base, parsed};
use crate::domain::creem::Scheme;
use crate::domain::fault::FaultKind;
use crate::domain::secret::{CreemKey, SigningSecret};

/// The settings of Creem, understood and checked.
#[derive(Clone, Debug)]
pub struct CreemSettings {
    /// The key, where one was given.
    pub key: Option<CreemKey>,
    /// The secrets of webhooks that are accepted.
    pub secrets: Vec<SigningSecret>,
    /// How webhooks are signed.
    pub scheme: Scheme,
    /// The base URL, where one was given.
    pub base: Option<String>,
}

impl CreemSettings {
    /// Understands `sources`; a live key passes only where `live` says so.
    pub(super) fn load(sources: &Sources, live: bool) -> Result<Self, FaultKind> {
        let key = parsed(sources, keys::CREEM_KEY, "creem_test_…", CreemKey::read)?;
        if !live && key.as_ref().is_some_and(CreemKey::is_live) {
            let found = sources.find(keys::CREEM_KEY);
            let origin = found.map_or_else(String::new, |found| found.origin.name());
            return Err(FaultKind::LiveKey { name: keys::CREEM_KEY.name.to_owned(), origin });
        }
        let secrets = sources.find(keys::CREEM_SECRET).map(|found| found.value);
        let secrets = secrets.iter().flat_map(|text| text.split(','));
        let scheme = parsed(sources, keys::CREEM_SIGNATURE, "plain, standard", Scheme::read)?;
        Ok(Self {
            key,
            secrets: secrets.filter_map(SigningSecret::read).collect(),
            scheme: scheme.unwrap_or(Scheme::Plain),
            base: api_base(sources, keys::CREEM_BASE)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], live: bool) -> Result<CreemSettings, FaultKind> {
        CreemSettings::load(&Sources::of(environment, &[]), live)
    }

    #[test]
    fn a_live_key_is_refused_unless_asked_for() {
        let key = [("CREEM_API_KEY", "creem_0123456789")];
        assert!(matches!(load(&key, false), Err(FaultKind::LiveKey { .. })));
        assert!(load(&key, true).is_ok());
        let told =
            format!("{:?}", load(&[("CREEM_API_KEY", "sk_test_hidden")], false).unwrap_err());
        assert!(told.contains("CREEM_API_KEY") && !told.contains("hidden"), "{told}");
    }

    #[test]
    fn what_nobody_says_is_the_plain_scheme_and_no_key() {
        let settings = load(&[], false).unwrap();
        assert!(settings.key.is_none() && settings.secrets.is_empty() && settings.base.is_none());
        assert_eq!(settings.scheme, Scheme::Plain);
        let all = [
            ("CREEM_API_KEY", "creem_test_1"),
            ("CREEM_WEBHOOK_SECRET", "a, b"),
            ("CREEM_SIGNATURE", "standard"),
            ("CREEM_API_BASE_URL", "http://127.0.0.1:9/"),
        ];
        let settings = load(&all, false).unwrap();
        assert_eq!((settings.secrets.len(), settings.scheme), (2, Scheme::Standard));
        assert_eq!(settings.base.as_deref(), Some("http://127.0.0.1:9"));
        assert!(load(&[("CREEM_SIGNATURE", "both")], false).is_err());
    }
}
