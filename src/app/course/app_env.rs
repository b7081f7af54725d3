//! What the learner's server finds in its environment, and the secret that it and the course share.

use crate::app::context::Context;
use crate::app::course::application::Candidate;
use crate::app::course::{port_probe, program};
use crate::app::creem;
use crate::app::provider::Provider;
use crate::config::sources::Origin;
use crate::domain::course::launch::{authority, port_of};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use crate::domain::secret::{ApiKey, SigningSecret};
use crate::os::private;
use crate::sandbox::host;
use crate::shop::creem_api::Creem;
use crate::shop::second::Second;
use std::fs;
use std::io::Write as _;

/// The secret key of a sandbox that nobody gave one; it takes any test key.
const SECRET: &str = "sk_test_stripegymSandboxKey";
/// The publishable key of a sandbox that nobody gave one.
const PUBLISHABLE: &str = "pk_test_stripegymSandboxKey";
/// The files in the home folder that keep the shared secrets: of the provider, and of the second one.
const FILE: &str = "own-server-secret";
const SECOND_FILE: &str = "own-server-creem-secret";

/// The variables by name, in the order in which they are shown.
pub type AppEnv = Vec<(&'static str, String)>;

/// The key that a server of somebody's own calls the provider with.
pub fn key(context: &Context) -> &str {
    context.config.key.as_ref().map_or(SECRET, |key| key.reveal())
}

/// What a server that answers at `url` needs to know to work with the provider at `base`.
pub fn variables(context: &Context, base: &str, url: &str, secret: &SigningSecret) -> AppEnv {
    let config = &context.config;
    let address = authority(url);
    let port = address.rsplit(':').next().unwrap_or_default().to_owned();
    let key = key(context);
    let publishable = config.publishable.as_ref().filter(|key| !key.is_live());
    let publishable = publishable.map_or(PUBLISHABLE, |key| key.reveal());
    vec![
        ("PORT", port),
        ("STRIPE_API_BASE", base.to_owned()),
        ("STRIPE_SECRET_KEY", key.to_owned()),
        ("STRIPE_PUBLISHABLE_KEY", publishable.to_owned()),
        ("STRIPE_WEBHOOK_SECRET", secret.reveal().to_owned()),
    ]
}

/// What it needs to know of the second provider, which speaks on the same port.
pub fn second(context: &Context, base: &str, secret: &SigningSecret) -> AppEnv {
    let key = ApiKey::read(key(context)).and_then(|key| creem::sandbox_key(&key));
    let key = key.map_or_else(String::new, |key| key.reveal().to_owned());
    vec![
        ("CREEM_API_BASE_URL", base.to_owned()),
        ("CREEM_API_KEY", key),
        ("CREEM_WEBHOOK_SECRET", secret.reveal().to_owned()),
    ]
}

/// The same as they may be seen on a screen: what is secret shows how it begins and ends.
pub fn masked(context: &Context, variables: &AppEnv) -> AppEnv {
    let hide = |(name, value): &(&'static str, String)| {
        let own_key = *name == "STRIPE_SECRET_KEY" && context.config.key_origin != Origin::Default;
        if *name != "STRIPE_WEBHOOK_SECRET" && !own_key {
            return (*name, value.clone());
        }
        let begin: String = value.split_inclusive('_').take(usize::from(own_key) + 1).collect();
        let end: String = value.chars().skip(value.chars().count().saturating_sub(4)).collect();
        (*name, format!("{begin}…{end}"))
    };
    variables.iter().map(hide).collect()
}

/// Says what a server that is known by its address needs, and whether it answers there.
pub async fn tell(
    context: &Context,
    provider: &Provider,
    url: &str,
    secret: &SigningSecret,
) -> Result<(), Fault> {
    let variables = variables(context, provider.base(), url, secret);
    let variables = masked(context, &variables);
    context.notices.say(Notice::Surroundings { variables, whole: false });
    if program::connects(&authority(url)).await {
        return Ok(());
    }
    Err(port_probe::down(url).await)
}

/// Says all of them, whole, for whoever asked for it.
pub async fn print(context: &Context, candidate: &Candidate) -> Result<(), Fault> {
    let config = &context.config;
    let hosted = host::find(&config.home).await;
    let port = if config.sandbox_port == 0 { host::DEFAULT_PORT } else { config.sandbox_port };
    let own = || format!("http://127.0.0.1:{port}");
    let base = hosted.or_else(|| config.api_base.clone()).unwrap_or_else(own);
    let fixed = candidate.command.as_deref().and_then(port_of).unwrap_or(config.port);
    let url = candidate.address.clone().unwrap_or_else(|| format!("http://127.0.0.1:{fixed}"));
    let mut variables = variables(context, &base, &url, &secret(context)?);
    variables.extend(second(context, &base, &second_secret(context)?));
    context.notices.say(Notice::Surroundings { variables, whole: true });
    Ok(())
}

/// The secret that the learner's server believes: that of the settings, else one that is made once for the home
/// folder and stays the same, so that a server need not be started anew for each run.
pub fn secret(context: &Context) -> Result<SigningSecret, Fault> {
    if let Some(configured) = context.config.webhook_secrets.first() {
        return Ok(configured.clone());
    }
    kept(context, FILE)
}

/// The secret that it believes of the second provider, likewise.
pub fn second_secret(context: &Context) -> Result<SigningSecret, Fault> {
    match context.config.creem.secrets.first() {
        Some(configured) => Ok(configured.clone()),
        None => kept(context, SECOND_FILE),
    }
}

/// One for the built-in shop, which is told it at its start.
pub fn fresh_second(context: &Context) -> Result<SigningSecret, Fault> {
    fresh(context, SECOND_FILE)
}

fn fresh(context: &Context, name: &'static str) -> Result<SigningSecret, Fault> {
    let mut numbers = context.entropy.numbers(name);
    let text = format!("whsec_{:016x}{:016x}", numbers.next(), numbers.next());
    SigningSecret::read(&text).ok_or_else(|| FaultKind::Bug { what: name.to_owned() }.into())
}

/// The second provider as the built-in shop sells through it.
pub fn second_of(provider: &Provider, secret: &SigningSecret) -> Option<Second> {
    let key = creem::sandbox_key(provider.stripe.key())?;
    let api = Creem::new(Some(provider.base()), key).ok()?;
    Some(Second { api, secret: secret.clone() })
}

/// A secret that a file of the home folder keeps, made where there is none.
fn kept(context: &Context, file: &'static str) -> Result<SigningSecret, Fault> {
    let home = &context.config.home;
    let path = home.join(file);
    let known = fs::read_to_string(&path).ok().and_then(|text| SigningSecret::read(&text));
    if let Some(known) = known {
        return Ok(known);
    }
    let made = fresh(context, file)?;
    let failed = |error| Fault::file(&path, error);
    private::folder(home).map_err(failed)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut it| it.write_all(made.reveal().as_bytes()));
    written.map_err(failed)?;
    Ok(made)
}
