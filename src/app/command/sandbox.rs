//! `stripegym sandbox`: hosts the folder's sandbox until it is stopped.

use crate::app::context::Context;
use crate::app::provider::{of_host, options};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::report::Report;
use crate::net::outbound::Beyond;
use crate::sandbox::creem::webhook;
use crate::sandbox::engine::schedule::RetrySchedule;
use crate::sandbox::host::{self, Options};
use std::net::IpAddr;

/// How it was asked for.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// The port, where one was named.
    pub port: Option<u16>,
    /// An address other than 127.0.0.1.
    pub bind: Option<IpAddr>,
    /// Whether everything stays in memory.
    pub ephemeral: bool,
    /// How many objects and records are kept, where somebody said so.
    pub objects_max: Option<u64>,
    /// When failed deliveries are tried again.
    pub retries: RetrySchedule,
    /// Whom webhooks may be delivered to beyond this machine.
    pub beyond: Beyond,
    /// Where Creem's webhooks go, and what they are signed with where that was said.
    pub creem: Option<(String, Option<String>)>,
}

/// Hosts until the stop signal.
pub async fn run(context: &Context, asked: SandboxOptions) -> Result<Report, Fault> {
    if context.config.mode == Mode::Stripe {
        return Err(FaultKind::SandboxOnly { command: "stripegym sandbox".to_owned() }.into());
    }
    let mut options: Options = options(context);
    let wished = asked.port.unwrap_or(options.addr.port());
    options.addr.set_port(wished);
    options.or_next_port = asked.port.is_none();
    if let Some(ip) = asked.bind {
        options.addr.set_ip(ip);
    }
    if asked.ephemeral {
        options.home = None;
    }
    options.objects_max = asked.objects_max.unwrap_or(options.objects_max);
    options.delivery.schedule = asked.retries;
    options.delivery.beyond = asked.beyond;
    let started = host::start(options).await;
    let running =
        started.map_err(|error| of_host(error, &context.config.home, "stripegym sandbox"))?;
    if let Some((url, secret)) = &asked.creem {
        let world = running.engine().default_world();
        webhook::register(&world, url, secret.clone()).await.map_err(|failure| FaultKind::Bug {
            what: format!("Creem's webhook was refused: {}", failure.message),
        })?;
    }
    let addr = running.addr();
    if wished != 0 && addr.port() != wished {
        context.notices.say(Notice::OtherPort { wished, used: addr.to_string() });
    }
    if !addr.ip().is_loopback() {
        context.notices.say(Notice::Exposed { address: addr.to_string() });
    }
    context.notices.say(Notice::Ready { base: running.base_url().to_owned() });
    context.stop.clone().wait().await;
    running.stop().await;
    Err(if asked.ephemeral { FaultKind::Gone } else { FaultKind::Interrupted }.into())
}
