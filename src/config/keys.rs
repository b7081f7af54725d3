//! Every setting, once: its name, its default and whether it is a secret. The words that explain it are
//! the message `setting-NAME` of each language; `.env.example` is made from this table.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the environment and in `.env`.
    pub name: &'static str,
    /// What holds when nobody says otherwise; empty for nothing.
    pub default: &'static str,
}

const fn key(name: &'static str, default: &'static str) -> Key {
    Key { name, default }
}

/// The key that decides the mode.
pub const SECRET_KEY: Key = key("STRIPE_SECRET_KEY", "");
/// The key that browsers may see.
pub const PUBLISHABLE_KEY: Key = key("STRIPE_PUBLISHABLE_KEY", "");
/// The signing secrets that the listener accepts, separated by commas.
pub const WEBHOOK_SECRET: Key = key("STRIPE_WEBHOOK_SECRET", "");
/// The provider's base URL.
pub const API_BASE: Key = key("STRIPE_API_BASE", "");
/// The key of the shop's second provider.
pub const CREEM_KEY: Key = key("CREEM_API_KEY", "");
/// The secrets of its webhooks that the shop accepts, separated by commas.
pub const CREEM_SECRET: Key = key("CREEM_WEBHOOK_SECRET", "");
/// How its webhooks are signed: `plain` or `standard`.
pub const CREEM_SIGNATURE: Key = key("CREEM_SIGNATURE", "");
/// Its base URL.
pub const CREEM_BASE: Key = key("CREEM_API_BASE_URL", "");
/// `sandbox` or `stripe`.
pub const MODE: Key = key("STRIPEGYM_MODE", "");
/// The folder of ledger and sandbox.
pub const HOME: Key = key("STRIPEGYM_HOME", ".stripegym");
/// The sandbox's port.
pub const SANDBOX_PORT: Key = key("STRIPEGYM_SANDBOX_PORT", "12111");
/// Whom the sandbox may deliver webhooks to beyond this machine, `app:3000`, separated by commas.
pub const DELIVER_TO: Key = key("STRIPEGYM_DELIVER_TO", "");
/// The listener's port.
pub const PORT: Key = key("PORT", "4242");
/// The language.
pub const LANG: Key = key("STRIPEGYM_LANG", "");
/// A fixed clock.
pub const NOW: Key = key("STRIPEGYM_NOW", "");
/// A seed for ids.
pub const SEED: Key = key("STRIPEGYM_SEED", "");
/// The world of the sandbox that our own commands work in.
pub const WORLD: Key = key("STRIPEGYM_WORLD", "");
/// Log levels per target.
pub const LOG: Key = key("RUST_LOG", "");
/// No colours when set.
pub const NO_COLOR: Key = key("NO_COLOR", "");

/// The address of a ledger that stands on a server. The command line alone says it: no other command must take the
/// ledger of one for its own.
pub const LEDGER: Key = key("--ledger", "");

/// All that can stand in the environment, in the order of `.env.example`.
pub const ALL: &[Key] = &[
    SECRET_KEY,
    PUBLISHABLE_KEY,
    WEBHOOK_SECRET,
    API_BASE,
    CREEM_KEY,
    CREEM_SECRET,
    CREEM_SIGNATURE,
    CREEM_BASE,
    MODE,
    HOME,
    SANDBOX_PORT,
    DELIVER_TO,
    PORT,
    LANG,
    NOW,
    SEED,
    WORLD,
    LOG,
    NO_COLOR,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_stands_twice() {
        let mut names: Vec<_> = ALL.iter().map(|key| key.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
