//! The controls of a sandbox that is running: what it tells of itself under `/_stripegym/`, and can be told.

use crate::app::context::Context;
use crate::app::form;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::mode::Mode;
use crate::net::outbound::{self, Client, Patience, Reach};
use crate::sandbox::host;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use std::time::Duration;

/// Longer than the longest wait for a row of the log.
const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(5), total: Duration::from_secs(90) };

/// A running sandbox.
#[derive(Debug)]
pub struct Control {
    base: String,
    key: Option<String>,
    http: Client,
}

impl Control {
    /// Finds the sandbox that `command` (`stripegym logs`) is about. None is started for it: what it keeps in
    /// memory would end with the command.
    pub async fn find(context: &Context, command: &str) -> Result<Self, Fault> {
        let config = &context.config;
        if config.mode == Mode::Stripe {
            return Err(FaultKind::SandboxOnly { command: command.to_owned() }.into());
        }
        let found = match &config.api_base {
            Some(base) => Some(base.trim_end_matches('/').to_owned()),
            None => host::find(&config.home).await,
        };
        let Some(base) = found else {
            let port = match config.sandbox_port {
                0 => host::DEFAULT_PORT,
                port => port,
            };
            return Err(FaultKind::ProviderDown { base: format!("http://127.0.0.1:{port}") }.into());
        };
        let http = outbound::client(Reach::of(&base), PATIENCE).map_err(|error| {
            Fault::because(FaultKind::ProviderDown { base: base.clone() }, error)
        })?;
        let key = config.key.as_ref().map(|key| key.reveal().to_owned());
        Ok(Self { base, key, http })
    }

    /// Where it answers.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Calls a control; `None` where it knows nothing of what was asked for.
    ///
    /// Fails where nobody answers, and for what the sandbox refuses.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        params: &[(&str, String)],
    ) -> Result<Option<Value>, Fault> {
        let params: Vec<(String, String)> =
            params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let encoded = form::encode(&params);
        let mut url = format!("{}/_stripegym/{path}", self.base);
        let in_body = method == Method::POST;
        if !in_body && !encoded.is_empty() {
            url.push('?');
            url.push_str(&encoded);
        }
        let mut request = self.http.request(method, url).header("stripegym-control", "1");
        if let Some(key) = &self.key {
            // A key may name a world.
            request = request.bearer_auth(key);
        }
        if in_body {
            let kind = "application/x-www-form-urlencoded";
            request = request.header(CONTENT_TYPE, kind).body(encoded);
        }
        let down = |error: reqwest::Error| {
            Fault::because(FaultKind::ProviderDown { base: self.base.clone() }, error.without_url())
        };
        let response = request.send().await.map_err(down)?;
        let status = response.status();
        let text = response.text().await.map_err(down)?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        match value {
            Some(value) if status.is_success() => Ok(Some(value)),
            Some(_) if status.as_u16() == 404 => Ok(None),
            Some(value) => {
                let message = value.pointer("/error/message").and_then(Value::as_str);
                let message = message.unwrap_or_default().to_owned();
                let (code, param, request) = (None, None, None);
                let status = status.as_u16();
                Err(FaultKind::ProviderRefused { status, message, code, param, request }.into())
            }
            None => Err(FaultKind::ProviderOdd { what: format!("/_stripegym/{path}") }.into()),
        }
    }
}

/// A value that does not fit its flag.
pub fn bad_value(command: &str, flag: &str, value: &str, expected: &str) -> FaultKind {
    let usage_error = UsageError::BadValue {
        flag: flag.to_owned(),
        value: value.to_owned(),
        expected: expected.to_owned(),
    };
    FaultKind::Usage { usage_error, command: command.to_owned() }
}
