//! What the program was told to be: one validated value, made once at the start.

pub mod creem;
pub mod keys;
pub mod sources;

use crate::config::creem::CreemSettings;
use crate::config::keys::Key;
use crate::config::sources::{Origin, Sources};
use crate::domain::fault::FaultKind;
use crate::domain::host::is_loopback;
use crate::domain::ledger_url::{LedgerUrl, Password};
use crate::domain::locale::Locale;
use crate::domain::mode::Mode;
use crate::domain::secret::{ApiKey, KeyKind, SigningSecret, is_world_name};
use crate::domain::time::Timestamp;
use std::path::{Path, PathBuf};

/// The settings of one run, understood and checked.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "settings that are on or off, each by itself")]
pub struct Config {
    /// The language for people.
    pub locale: Locale,
    /// The provider that commands talk to.
    pub mode: Mode,
    /// The secret or restricted key, where one was given.
    pub key: Option<ApiKey>,
    /// The publishable key, where one was given.
    pub publishable: Option<ApiKey>,
    /// The signing secrets that the listener accepts.
    pub webhook_secrets: Vec<SigningSecret>,
    /// The provider's base URL, where one was given.
    pub api_base: Option<String>,
    /// The shop's second provider.
    pub creem: CreemSettings,
    /// The folder of ledger and sandbox.
    pub home: PathBuf,
    /// Where the ledger stands, where that is no file of the folder.
    pub ledger: Option<LedgerUrl>,
    /// The password of databases whose address names none.
    pub database_password: Option<Password>,
    /// The port that the sandbox tries first.
    pub sandbox_port: u16,
    /// Hosts with ports that the sandbox may deliver webhooks to beyond this machine.
    pub deliver_to: Vec<String>,
    /// The port of the listener.
    pub port: u16,
    /// Where the clock stands, where it is fixed.
    pub now: Option<Timestamp>,
    /// The seed of ids, where one was given.
    pub seed: Option<u64>,
    /// Log levels per target, as given.
    pub log: Option<String>,
    /// Whether colours are unwelcome.
    pub no_color: bool,
    /// Whether a live key is allowed.
    pub live: bool,
    /// Where the key came from.
    pub key_origin: Origin,
    /// Whether a browser could be shown: a display server, or a desktop that needs none.
    pub has_display: bool,
    /// Whether this is a build server (`CI`), where nobody answers questions.
    pub is_ci: bool,
}

impl Config {
    /// Understands `sources`; a live key passes only where `live` says so.
    pub fn load(sources: &Sources, live: bool) -> Result<Self, FaultKind> {
        let secret_kinds = [KeyKind::Secret, KeyKind::Restricted];
        let key = api_key(sources, keys::SECRET_KEY, &secret_kinds, live)?;
        let publishable = api_key(sources, keys::PUBLISHABLE_KEY, &[KeyKind::Publishable], live)?;
        let webhook_secrets = webhook_secrets(sources, live)?;
        let api_base = api_base(sources, keys::API_BASE)?;
        let world = parsed(sources, keys::WORLD, "1-40 of a-z, 0-9, -", |text| {
            is_world_name(text).then(|| text.to_owned())
        })?;
        let key = in_world(key, world.as_deref());
        let forced = parsed(sources, keys::MODE, "sandbox, stripe", Mode::read)?;
        let local = api_base.as_deref().is_some_and(is_loopback);
        // Stripe has no worlds, and must never see a key that names one.
        let of_world = key.as_ref().is_some_and(|key| key.world().is_some());
        let by_key =
            if key.is_some() && !local && !of_world { Mode::Stripe } else { Mode::Sandbox };
        let mode = forced.unwrap_or(by_key);
        if of_world && mode == Mode::Stripe {
            return Err(setting(sources, keys::MODE, "sandbox"));
        }
        if mode == Mode::Stripe && key.is_none() {
            return Err(FaultKind::KeyMissing);
        }
        if mode == Mode::Sandbox && api_base.is_some() && !local {
            return Err(setting(
                sources,
                keys::API_BASE,
                "http://127.0.0.1:12111, STRIPEGYM_MODE=stripe",
            ));
        }
        let seed = parsed(sources, keys::SEED, "0-18446744073709551615", |text| text.parse().ok())?;
        if seed.is_some() && mode == Mode::Stripe {
            // Keys that repeat would make Stripe answer for what it did the last time.
            return Err(setting(sources, keys::SEED, "STRIPEGYM_MODE=sandbox"));
        }
        let port = |text: &str| text.parse::<u16>().ok();
        let lang = parsed(sources, keys::LANG, "ja, en", Locale::read)?;
        Ok(Self {
            locale: lang.unwrap_or_else(|| sources.locale()),
            mode,
            key: key.filter(|_| mode == Mode::Stripe || local || of_world),
            publishable,
            webhook_secrets,
            api_base,
            creem: CreemSettings::load(sources, live)?,
            home: sources.find(keys::HOME).map_or_else(PathBuf::new, |f| PathBuf::from(f.value)),
            ledger: ledger(sources)?,
            sandbox_port: parsed(sources, keys::SANDBOX_PORT, "0-65535", port)?.unwrap_or(0),
            deliver_to: parsed(
                sources,
                keys::DELIVER_TO,
                "app:3000, app:3000,mail:8025",
                |text| {
                    let places = text.split(',').map(str::trim).filter(|place| !place.is_empty());
                    places.map(|place| is_place(place).then(|| place.to_owned())).collect()
                },
            )?
            .unwrap_or_default(),
            port: parsed(sources, keys::PORT, "0-65535", port)?.unwrap_or(0),
            now: parsed(sources, keys::NOW, "1795237445, 2026-11-21T05:04:05Z", |text| {
                text.parse().ok().map(Timestamp).or_else(|| Timestamp::read(text))
            })?,
            seed,
            log: sources.find(keys::LOG).map(|found| found.value),
            database_password: sources.variable("PGPASSWORD").map(Password::new),
            no_color: sources.find(keys::NO_COLOR).is_some(),
            live,
            key_origin: sources.find(keys::SECRET_KEY).map_or(Origin::Default, |f| f.origin),
            is_ci: sources.variable("CI").is_some_and(|it| !matches!(it, "" | "0" | "false")),
            has_display: cfg!(any(target_os = "macos", windows))
                || sources.variable("DISPLAY").is_some()
                || sources.variable("WAYLAND_DISPLAY").is_some(),
        })
    }

    /// The ledger's file.
    pub fn ledger_path(&self) -> PathBuf {
        self.home.join("ledger.db")
    }

    /// The ledger's file, or the address of its server without a password.
    pub fn ledger_name(&self) -> PathBuf {
        self.ledger.as_ref().map_or_else(|| self.ledger_path(), |url| url.shown().into())
    }
}

/// Where the ledger stands, where that is no file; the password may stand where PostgreSQL's own programs look for it.
fn ledger(sources: &Sources) -> Result<Option<LedgerUrl>, FaultKind> {
    let password = sources.variable("PGPASSWORD");
    parsed(sources, keys::LEDGER, "postgres://USER@HOST/DATABASE", |text| {
        LedgerUrl::read(text, password)
    })
}

/// The key that commands call with: where a world is named, one that leads there.
fn in_world(key: Option<ApiKey>, world: Option<&str>) -> Option<ApiKey> {
    let Some(world) = world else { return key };
    ApiKey::read(&format!("sk_test_w_{world}_stripegym"))
}

/// The value of `key` through `read`, or a problem that says what would be accepted.
fn parsed<T>(
    sources: &Sources,
    key: Key,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, FaultKind> {
    let Some(found) = sources.find(key) else { return Ok(None) };
    match read(&found.value) {
        Some(value) => Ok(Some(value)),
        None => Err(setting(sources, key, expected)),
    }
}

/// A setting that is not as it must be; its value is not told.
fn setting(sources: &Sources, key: Key, expected: &str) -> FaultKind {
    let origin = sources.find(key).map_or(Origin::Default, |found| found.origin);
    FaultKind::Setting {
        name: key.name.to_owned(),
        origin: origin.name(),
        expected: expected.to_owned(),
    }
}

fn api_key(
    sources: &Sources,
    key: Key,
    kinds: &[KeyKind],
    live: bool,
) -> Result<Option<ApiKey>, FaultKind> {
    let expected = if kinds.contains(&KeyKind::Publishable) {
        "pk_test_…"
    } else {
        "sk_test_…, rk_test_…"
    };
    let origin = || sources.find(key).map_or_else(String::new, |f| f.origin.name());
    let other = sources.find(key).and_then(|found| ApiKey::read(found.value.trim()));
    refuse_live(sources, key, other.as_ref(), live)?;
    if let Some(read) = other.filter(|read| !kinds.contains(&read.kind())) {
        let publishable = read.kind() == KeyKind::Publishable;
        let name = key.name.to_owned();
        return Err(FaultKind::KeySlot { name, origin: origin(), publishable });
    }
    parsed(sources, key, expected, |text| {
        ApiKey::read(text).filter(|read| kinds.contains(&read.kind()))
    })
}

/// Refuses a live key, whichever slot it stands in and whatever it is for, unless it was asked for.
fn refuse_live(
    sources: &Sources,
    key: Key,
    found: Option<&ApiKey>,
    live: bool,
) -> Result<(), FaultKind> {
    if live || !found.is_some_and(ApiKey::is_live) {
        return Ok(());
    }
    let origin = sources.find(key).map_or_else(String::new, |found| found.origin.name());
    Err(FaultKind::LiveKey { name: key.name.to_owned(), origin })
}

/// The signing secrets; an API key among them is somebody's mistake, and not told.
/// The signing secrets as the settings say them now: they are rolled while a listener runs.
pub fn webhook_secrets_again(folder: &Path, live: bool) -> Option<Vec<SigningSecret>> {
    let sources = Sources::read(folder).ok()?;
    webhook_secrets(&sources, live).ok()
}

fn webhook_secrets(sources: &Sources, live: bool) -> Result<Vec<SigningSecret>, FaultKind> {
    let Some(found) = sources.find(keys::WEBHOOK_SECRET) else { return Ok(Vec::new()) };
    for part in found.value.split(',') {
        let Some(read) = ApiKey::read(part.trim()) else { continue };
        refuse_live(sources, keys::WEBHOOK_SECRET, Some(&read), live)?;
        return Err(setting(sources, keys::WEBHOOK_SECRET, "whsec_…"));
    }
    Ok(found.value.split(',').filter_map(SigningSecret::read).collect())
}

fn api_base(sources: &Sources, key: Key) -> Result<Option<String>, FaultKind> {
    let base = parsed(sources, key, "http://127.0.0.1:12111", |text| {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        (!rest.is_empty() && !rest.contains(char::is_whitespace)).then(|| text.to_owned())
    })?;
    Ok(base.map(|text| text.trim_end_matches('/').to_owned()))
}

/// Whether a text is a host with a port: `app:3000`, `[2001:db8::1]:80`.
pub fn is_place(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '-' | '_')),
    };
    !host.is_empty() && is_host && port.parse().is_ok_and(|port: u16| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], live: bool) -> Result<Config, FaultKind> {
        Config::load(&Sources::of(environment, &[]), live)
    }

    #[test]
    fn the_mode_follows_from_the_key_and_can_be_forced() {
        let key = ("STRIPE_SECRET_KEY", "sk_test_0123456789");
        assert_eq!(load(&[], false).unwrap().mode, Mode::Sandbox);
        assert_eq!(load(&[key], false).unwrap().mode, Mode::Stripe);
        let forced = load(&[key, ("STRIPEGYM_MODE", "sandbox")], false).unwrap();
        assert_eq!((forced.mode, forced.key), (Mode::Sandbox, None));
        let local = load(&[key, ("STRIPE_API_BASE", "http://localhost:9/")], false).unwrap();
        assert_eq!(local.mode, Mode::Sandbox);
        assert_eq!(local.api_base.as_deref(), Some("http://localhost:9"));
        assert_eq!(load(&[("STRIPEGYM_MODE", "stripe")], false).err(), Some(FaultKind::KeyMissing));
    }

    #[test]
    fn a_key_that_names_a_world_never_leads_to_stripe() {
        let key = ("STRIPE_SECRET_KEY", "sk_test_w_shop_0123456789");
        let config = load(&[key], false).unwrap();
        assert_eq!((config.mode, config.key.unwrap().world()), (Mode::Sandbox, Some("shop")));
        assert!(load(&[key, ("STRIPEGYM_MODE", "stripe")], false).is_err());
        assert!(load(&[key, ("STRIPE_API_BASE", "https://api.stripe.com")], false).is_err());
        let own = ("STRIPE_SECRET_KEY", "sk_test_0123456789");
        let config = load(&[own, ("STRIPEGYM_WORLD", "a")], false).unwrap();
        assert_eq!((config.mode, config.key.unwrap().world()), (Mode::Sandbox, Some("a")));
        assert!(load(&[("STRIPEGYM_WORLD", "A_b")], false).is_err());
    }

    #[test]
    fn the_sandbox_leads_nowhere_else_and_a_seed_never_to_stripe() {
        let outward = ("STRIPE_API_BASE", "http://192.0.2.1:12111");
        assert!(load(&[outward], false).is_err());
        assert!(load(&[("STRIPEGYM_MODE", "sandbox"), outward], false).is_err());
        let seed = ("STRIPEGYM_SEED", "7");
        assert_eq!(load(&[seed], false).unwrap().seed, Some(7));
        assert!(load(&[seed, ("STRIPE_SECRET_KEY", "sk_test_0123456789")], false).is_err());
    }

    #[test]
    fn a_live_key_is_refused_unless_asked_for_even_when_the_sandbox_is_forced() {
        for key in ["sk_live_0123456789", "rk_live_0123456789"] {
            let environment = [("STRIPE_SECRET_KEY", key), ("STRIPEGYM_MODE", "sandbox")];
            assert!(matches!(load(&environment, false), Err(FaultKind::LiveKey { .. })));
            assert!(load(&environment, true).is_ok());
        }
    }

    #[test]
    fn a_live_key_is_refused_in_every_slot_of_every_source() {
        let slots = ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"];
        for name in slots {
            for key in ["sk_live_0123456789", "rk_live_0123456789", "pk_live_0123456789"] {
                let shown = format!(" {key} ");
                let sources = [
                    Sources::of(&[(name, key)], &[]),
                    Sources::of(&[], &[(name, key)]),
                    Sources::of(&[(name, &shown)], &[]),
                ];
                for sources in sources {
                    let problem = Config::load(&sources, false).unwrap_err();
                    assert!(
                        matches!(&problem, FaultKind::LiveKey { name: told, .. } if told == name),
                        "{name} {key}: {problem:?}"
                    );
                }
            }
        }
        let among = ("STRIPE_WEBHOOK_SECRET", "whsec_a, sk_live_0123456789");
        assert!(matches!(load(&[among], false), Err(FaultKind::LiveKey { .. })));
        assert!(load(&[("STRIPE_PUBLISHABLE_KEY", "pk_live_0123456789")], true).is_ok());
        for key in ["sk_test_0123456789", "rk_test_0123456789", "pk_test_0123456789"] {
            let test_key = load(&[("STRIPE_WEBHOOK_SECRET", key)], false);
            assert!(
                matches!(&test_key, Err(FaultKind::Setting { name, .. }) if name == "STRIPE_WEBHOOK_SECRET"),
                "{key}: {test_key:?}"
            );
        }
    }

    #[test]
    fn a_setting_that_cannot_be_read_names_itself_and_not_its_value() {
        let problem = load(&[("STRIPE_SECRET_KEY", "hunter2")], false).unwrap_err();
        assert!(!format!("{problem:?}").contains("hunter2"));
        assert!(matches!(problem, FaultKind::Setting { name, .. } if name == "STRIPE_SECRET_KEY"));
        assert!(load(&[("PORT", "99999")], false).is_err());
    }

    #[test]
    fn a_key_in_the_slot_of_another_is_named_as_what_it_is() {
        for (name, value, is_publishable) in [
            ("STRIPE_SECRET_KEY", "pk_test_0123456789", true),
            ("STRIPE_PUBLISHABLE_KEY", "sk_test_0123456789", false),
        ] {
            let problem = load(&[(name, value)], false).unwrap_err();
            assert!(!format!("{problem:?}").contains(value));
            assert!(matches!(problem, FaultKind::KeySlot { name: told, publishable, .. }
                if told == name && publishable == is_publishable));
        }
    }

    #[test]
    fn places_to_deliver_to_are_hosts_with_ports() {
        let config =
            load(&[("STRIPEGYM_DELIVER_TO", "app:3000, [2001:db8::1]:80,")], false).unwrap();
        assert_eq!(config.deliver_to, ["app:3000", "[2001:db8::1]:80"]);
        for bad in ["app", "http://app:3000", "app:0", "app:3000/hook", "a b:1", ":1"] {
            assert!(load(&[("STRIPEGYM_DELIVER_TO", bad)], false).is_err(), "{bad}");
        }
    }

    #[test]
    fn several_webhook_secrets_are_separated_by_commas() {
        let config = load(&[("STRIPE_WEBHOOK_SECRET", "whsec_a, whsec_b,")], false).unwrap();
        assert_eq!(config.webhook_secrets.len(), 2);
    }
}
