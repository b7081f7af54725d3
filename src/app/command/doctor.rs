//! `stripegym doctor`: looks for what could stop a person, and changes nothing but an empty home folder.

use crate::app::context::Context;
use crate::config::keys;
use crate::domain::doctor::{Doctor, Finding};
use crate::domain::host::is_loopback;
use crate::domain::merchant::rights::{PAGES, RIGHTS};
use crate::domain::mode::Mode;
use crate::domain::report::Report;
use crate::domain::secret::KeyKind;
use crate::merchant::base;
use crate::net::outbound::{self, Patience, Reach};
use crate::net::server;
use crate::os::{http_date, private};
use crate::sandbox::host;
use crate::store::progress::{self, Progress};
use crate::store::{self, Filter, Ledger, StoreError};
use crate::stripe::failure::{Error, ErrorKind};
use crate::stripe::retry::Retries;
use crate::stripe::{STRIPE_BASE, Stripe};
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Looks at everything.
pub async fn run(context: &Context) -> Report {
    let config = &context.config;
    let host = match config.mode {
        Mode::Sandbox if config.api_base.is_none() => host::find(&config.home).await,
        Mode::Sandbox | Mode::Stripe => None,
    };
    let base = match (&config.api_base, config.mode) {
        (Some(base), _) => Some(base.clone()),
        (None, Mode::Stripe) => Some(STRIPE_BASE.to_owned()),
        (None, Mode::Sandbox) => host.clone(),
    };
    let mut findings = vec![home(&config.home)];
    match &host {
        Some(base) => findings.push(Finding::Host { base: base.clone() }),
        None => findings.push(port(keys::SANDBOX_PORT.name, config.sandbox_port)),
    }
    findings.push(port(keys::PORT.name, config.port));
    findings.extend(clock(context, base.as_deref()).await);
    let key = config.key.as_ref().map(|key| (key.masked(), config.key_origin.name()));
    findings.push(Finding::Key { key });
    findings.extend(rights(context, base.as_deref()).await);
    findings.push(Finding::WebhookSecrets {
        count: config.webhook_secrets.len(),
        odd: config.webhook_secrets.iter().filter(|secret| !secret.is_usual()).count(),
        sandbox: config.mode == Mode::Sandbox,
    });
    findings.push(Finding::Display { present: config.has_display });
    findings.push(ledger(&config.ledger_path()));
    findings.extend(kept("progress", &config.home.join(progress::FILE), |path| {
        Progress::open(path).map(drop)
    }));
    findings.extend(kept("shop", &config.home.join(base::FILE), |_| Ok(())));
    findings.extend(kept("sandbox", &config.home.join("sandbox.db"), |_| Ok(())));
    findings.push(env_file());
    Report::Doctor(Doctor { place: context.place(base.as_deref()), findings })
}

fn home(path: &Path) -> Finding {
    let probe = path.join(format!(".probe-{}", std::process::id()));
    let tried = private::folder(path)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    let broken = tried.err().map(|error| error.to_string());
    Finding::Home { path: path.display().to_string(), broken }
}

fn port(setting: &'static str, port: u16) -> Finding {
    let taken = server::listen_once(port).err().map(|e| e.to_string());
    Finding::Port { setting, port, taken }
}

/// Every answer over HTTP says what time its sender has, even one that refuses.
async fn clock(context: &Context, base: Option<&str>) -> Vec<Finding> {
    let fixed = context.config.now.is_some();
    let Some(base) = base else { return vec![Finding::Clock { ahead_s: None, fixed }] };
    match theirs(base).await {
        Some(theirs) => {
            let ahead_s = Some(context.clock.now().since(theirs));
            vec![Finding::Clock { ahead_s, fixed }]
        }
        None => {
            vec![Finding::Silent { base: base.to_owned() }, Finding::Clock { ahead_s: None, fixed }]
        }
    }
}

async fn theirs(base: &str) -> Option<crate::domain::time::Timestamp> {
    let patience = Patience { connect: Duration::from_secs(3), total: Duration::from_secs(5) };
    let build = if is_loopback(base) { outbound::client } else { outbound::far_client };
    let client = build(Reach::of(base), patience).ok()?;
    let answer = client.get(format!("{base}/v1/balance")).send().await.ok()?;
    http_date::read(answer.headers().get("date")?.to_str().ok()?)
}

/// What a restricted key lacks, page by page of the shop. A right is asked about by a call that cannot succeed, for
/// whether a key may do something is decided before what was sent is looked at.
async fn rights(context: &Context, base: Option<&str>) -> Vec<Finding> {
    let key = context.config.key.as_ref();
    let key = key.filter(|key| key.kind() == KeyKind::Restricted && !key.is_live());
    let (Some(base), Some(key)) = (base, key) else { return Vec::new() };
    let Ok(stripe) = Stripe::with_retries(base, key.clone(), Retries::NONE) else {
        return Vec::new();
    };
    let mut lacking = Vec::new();
    for right in &RIGHTS {
        let method = if right.writes() { Method::POST } else { Method::GET };
        let asked = stripe.call(method, right.path, &json!({"stripegym_doctor": "rights"})).await;
        match asked.as_ref().err().map(Error::api) {
            Some(Some(error)) if error.kind == ErrorKind::Permission => lacking.push(right.name),
            // Nobody answers, which is a finding of its own.
            Some(None) => return Vec::new(),
            Some(Some(_)) | None => {}
        }
    }
    let of_page = |(page, needed): &(&'static str, &[&'static str])| Finding::Rights {
        page,
        lacking: needed.iter().filter(|name| lacking.contains(name)).copied().collect(),
    };
    PAGES.iter().map(of_page).collect()
}

fn ledger(path: &Path) -> Finding {
    let shown = path.display().to_string();
    if !path.exists() {
        return Finding::Ledger { path: shown, broken: None, busy: false, absent: true };
    }
    let seen = |broken, busy| Finding::Ledger { path: shown.clone(), broken, busy, absent: false };
    match store::inspect(path)
        .and_then(|()| Ledger::open(path))
        .and_then(|ledger| ledger.rows(&Filter { limit: Some(1), ..Filter::default() }))
    {
        Ok(_) => seen(None, false),
        Err(StoreError::Busy { .. }) => seen(None, true),
        Err(error) => seen(Some(error.to_string()), false),
    }
}

/// A file beside the ledger, opened by whoever reads it and then read to its end; nothing where there is none.
fn kept(
    what: &'static str,
    path: &Path,
    open: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Option<Finding> {
    if !path.exists() {
        return None;
    }
    let (broken, busy) = match store::inspect(path).and_then(|()| open(path)) {
        Ok(()) => (None, false),
        Err(StoreError::Busy { .. }) => (None, true),
        Err(error) => (Some(error.to_string()), false),
    };
    Some(Finding::Store { what, path: path.display().to_string(), broken, busy })
}

/// Whether git knows `.env`. Where there is no git there is nothing to push.
fn env_file() -> Finding {
    let mut git = Command::new("git");
    git.args(["ls-files", "--error-unmatch", ".env"]);
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let tracked = git.status().is_ok_and(|status| status.success());
    Finding::EnvFile { tracked, present: Path::new(".env").exists() }
}
