//! What the environment decides. Read once, at the start: a shop without its secrets does not open.

use std::env;
use std::sync::OnceLock;

pub struct Settings {
    pub secret_key: String,
    pub webhook_secret: String,
    pub publishable_key: Option<String>,
    pub live: bool,
    /// Stripe itself, unless the environment names another place.
    pub api_base: String,
    /// How browsers reach the shop; empty means: as the request at hand did.
    pub public_url: String,
    /// In a container the host must reach the shop; elsewhere only this machine does.
    pub bind: String,
    pub port: u16,
    pub ledger_db: String,
    /// Without a token the ledger is shown to this machine alone.
    pub ledger_token: String,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

pub fn get() -> &'static Settings {
    SETTINGS.get_or_init(|| {
        read().unwrap_or_else(|problem| {
            eprintln!("{problem}; see .env.example");
            std::process::exit(1);
        })
    })
}

fn read() -> Result<Settings, String> {
    let secret_key = wanted("STRIPE_SECRET_KEY", &["sk_", "rk_"])?;
    Ok(Settings {
        live: secret_key.starts_with("sk_live_") || secret_key.starts_with("rk_live_"),
        secret_key,
        webhook_secret: wanted("STRIPE_WEBHOOK_SECRET", &["whsec_"])?,
        publishable_key: Some(or("STRIPE_PUBLISHABLE_KEY", "")).filter(|it| it.starts_with("pk_")),
        api_base: address("STRIPE_API_BASE", "https://api.stripe.com"),
        public_url: address("PUBLIC_URL", ""),
        bind: or("BIND", "127.0.0.1"),
        port: or("PORT", "4242").parse().map_err(|_| "PORT is not a port".to_owned())?,
        ledger_db: or("LEDGER_DB", "ledger.db"),
        ledger_token: or("LEDGER_TOKEN", ""),
    })
}

/// A variable without the space or line end that a pasted value often brings along.
fn or(name: &str, default: &str) -> String {
    let value = env::var(name).unwrap_or_default();
    let value = value.trim();
    if value.is_empty() { default.to_owned() } else { value.to_owned() }
}

fn address(name: &str, default: &str) -> String {
    or(name, default).trim_end_matches('/').to_owned()
}

fn wanted(name: &str, prefixes: &[&str]) -> Result<String, String> {
    let value = or(name, "");
    if value.is_empty() {
        return Err(format!("{name} is not set"));
    }
    if !prefixes.iter().any(|prefix| value.starts_with(prefix)) {
        return Err(format!("{name} does not start with {}", prefixes.join(" or ")));
    }
    Ok(value)
}
