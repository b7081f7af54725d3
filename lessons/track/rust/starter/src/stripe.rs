//! The two things that an SDK would do: call the API, and tell a genuine event from a forged one.

use crate::settings;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ureq::Agent;

/// The version that this code was written against; without it the account's own would decide.
const VERSION: &str = "2026-10-28.endive";
/// How old an event may be, in seconds: whoever recorded one cannot send it again later.
const TOLERANCE: i64 = 300;
/// How often a call is made at most; the idempotency key makes sure that it happens once.
const TRIES: u32 = 3;

/// Why the API did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It answered with an error; the code is Stripe's own.
    Refused { status: u16, code: String },
    /// No answer came.
    Unreachable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, code } => write!(f, "status {status}, code {code}"),
            Self::Unreachable(reason) => f.write_str(reason),
        }
    }
}

fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            // An error's body says what is wrong.
            .http_status_as_error(false)
            .build();
        config.into()
    })
}

/// Makes an object, at most once however often this is tried with the same key.
pub fn create(path: &str, form: &[(&str, &str)], key: &str) -> Result<Value, Failure> {
    tried(|settings, url| {
        agent()
            .post(format!("{url}{path}"))
            .header("Authorization", format!("Bearer {}", settings.secret_key))
            .header("Stripe-Version", VERSION)
            .header("Idempotency-Key", key)
            .send_form(form.iter().copied())
    })
}

/// Reads an object.
pub fn retrieve(path: &str) -> Result<Value, Failure> {
    tried(|settings, url| {
        agent()
            .get(format!("{url}{path}"))
            .header("Authorization", format!("Bearer {}", settings.secret_key))
            .header("Stripe-Version", VERSION)
            .call()
    })
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn tried(call: impl Fn(&settings::Settings, &str) -> Answer) -> Result<Value, Failure> {
    let settings = settings::get();
    let mut wait = Duration::from_millis(500);
    for left in (0..TRIES).rev() {
        let result = read(call(settings, &settings.api_base));
        let again = match &result {
            Err(Failure::Unreachable(_)) => true,
            Err(Failure::Refused { status, .. }) => *status == 409 || *status >= 500,
            Ok(_) => false,
        };
        if !again || left == 0 {
            return result;
        }
        std::thread::sleep(wait);
        wait *= 2;
    }
    Err(Failure::Unreachable("never tried".to_owned()))
}

fn read(answer: Answer) -> Result<Value, Failure> {
    let unreachable = |error: ureq::Error| Failure::Unreachable(error.to_string());
    let mut answer = answer.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let body: Value = answer.body_mut().read_json().map_err(unreachable)?;
    if status == 200 {
        return Ok(body);
    }
    let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or("none").to_owned();
    Err(Failure::Refused { status, code })
}

/// Whether a `Stripe-Signature` proves that these very bytes were signed with the secret, and lately.
pub fn verify(body: &[u8], header: &str, secret: &str) -> Result<(), &'static str> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "the clock is wrong")?;
    verify_at(body, header, secret, i64::try_from(now.as_secs()).map_err(|_| "the clock is wrong")?)
}

fn verify_at(body: &[u8], header: &str, secret: &str, now: i64) -> Result<(), &'static str> {
    let mut time = None;
    let mut signatures = Vec::new();
    for (name, value) in header.split(',').filter_map(|item| item.split_once('=')) {
        match name.trim() {
            "t" => time = Some(value),
            // The only scheme that counts; while a secret is being replaced there are two of it.
            "v1" => signatures.push(value),
            _ => {}
        }
    }
    let time = time.ok_or("the signature has no time")?;
    let signed: i64 = time.parse().map_err(|_| "the signature has no time")?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| "no secret to check with")?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let genuine = signatures.into_iter().filter_map(unhex).any(|given| {
        // Compares in constant time: how long it takes says nothing about how much was right.
        mac.clone().verify_slice(&given).is_ok()
    });
    if !genuine {
        return Err("no signature fits these bytes and this secret");
    }
    if signed < now - TOLERANCE {
        return Err("the signature is too old");
    }
    Ok(())
}

/// Whether two secrets are equal, without telling by the time it takes where they differ.
pub fn same(given: &[u8], wanted: &[u8]) -> bool {
    let tag = |bytes: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"comparison").ok()?;
        mac.update(bytes);
        Some(mac)
    };
    match (tag(given), tag(wanted)) {
        (Some(given), Some(wanted)) => given.verify_slice(&wanted.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|it| it.to_digit(16).and_then(|it| u8::try_from(it).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn sign(time: i64, secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(BODY);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn only_what_was_signed_lately_with_the_secret_is_genuine() {
        let v1 = sign(1000, "whsec_a");
        let check = |header: &str, now| verify_at(BODY, header, "whsec_a", now).is_ok();
        assert!(check(&format!("t=1000,v1={v1}"), 1300));
        assert!(check(&format!("t=1000,v1={},v1={v1}", sign(1000, "whsec_b")), 1000));
        assert!(!check(&format!("t=1000,v1={v1}"), 1301), "too old");
        assert!(!check(&format!("t=1001,v1={v1}"), 1000), "another time");
        assert!(!check(&format!("t=1000,v0={v1}"), 1000), "another scheme");
        assert!(!check(&format!("t=1000,v1={}", sign(1000, "whsec_b")), 1000), "another secret");
        assert!(!check(&format!("t=1000,v1={}é", &v1[2..]), 1000), "not hexadecimal");
        assert!(!check("", 1000));
    }
}
