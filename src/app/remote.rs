//! The controls of a sandbox that another process hosts: found in the folder, called under `/_stripegym/`.

use crate::app::context::Context;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::net::outbound::{self, Patience, Reach};
use crate::sandbox::host;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

/// How long an answer may take: a world that is put back can be large.
const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(5), total: Duration::from_mins(1) };

/// The controls of a running sandbox.
#[derive(Debug)]
pub struct Remote {
    base: String,
    client: outbound::Client,
    world: Option<String>,
}

impl Remote {
    /// Those of the folder's sandbox, or of the one that the settings name.
    pub async fn connect(context: &Context, command: &str) -> Result<Self, Fault> {
        let config = &context.config;
        if config.mode == Mode::Stripe {
            return Err(FaultKind::SandboxOnly { command: command.to_owned() }.into());
        }
        let base = match &config.api_base {
            Some(base) => base.clone(),
            None => host::find(&config.home).await.ok_or_else(|| FaultKind::SandboxNotRunning {
                home: config.home.display().to_string(),
            })?,
        };
        Self::at(context, &base)
    }

    /// Those of the sandbox at an address.
    pub fn at(context: &Context, base: &str) -> Result<Self, Fault> {
        let base = base.to_owned();
        let broken = |error: outbound::OutboundError| {
            Fault::because(FaultKind::ProviderDown { base: base.clone() }, error)
        };
        let client = outbound::client(Reach::of(&base), PATIENCE).map_err(broken)?;
        let world = context.config.key.as_ref().and_then(|key| key.world().map(str::to_owned));
        Ok(Self { base, client, world })
    }

    /// Calls a control of the sandbox as a whole.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Fault> {
        self.send(method, &format!("{}/_stripegym/{path}", self.base), body).await
    }

    /// Calls a control of the world that the settings name.
    pub async fn in_world(&self, method: Method, path: &str, body: &Value) -> Result<Value, Fault> {
        let root = self.world.as_ref().map_or_else(String::new, |name| format!("/worlds/{name}"));
        self.send(method, &format!("{}{root}/_stripegym/{path}", self.base), body).await
    }

    async fn send(&self, method: Method, url: &str, body: &Value) -> Result<Value, Fault> {
        let mut request = self.client.request(method, url).header("Stripegym-Control", "1");
        if !body.is_null() {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let down = |error: reqwest::Error| {
            Fault::because(FaultKind::ProviderDown { base: self.base.clone() }, error.without_url())
        };
        let response = request.send().await.map_err(down)?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(down)?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| {
            Fault::because(FaultKind::ProviderOdd { what: url.to_owned() }, error)
        })?;
        if status < 400 {
            return Ok(answer);
        }
        let text = |name: &str| {
            let found = answer.get("error").and_then(|error| error.get(name));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        let message = text("message").unwrap_or_default();
        let (code, param) = (text("code"), text("param"));
        Err(FaultKind::ProviderRefused { status, message, code, param, request: None }.into())
    }
}

/// A name as a segment of a path.
pub fn segment(name: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(name, ESCAPED).to_string()
}
