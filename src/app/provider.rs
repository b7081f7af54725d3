//! The provider that a command talks to: Stripe, a sandbox that another process hosts, or one that this
//! command hosts itself for as long as it runs.

use crate::app::context::Context;
use crate::domain::data_file::{DataFile, FileState};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::host::is_loopback;
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::secret::ApiKey;
use crate::net::outbound::{self, Beyond};
use crate::os::trouble;
use crate::sandbox::host::{self, HostError, Options, Running};
use crate::store;
use crate::stripe::{STRIPE_BASE, Stripe};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// The key that is used where nobody gave one; the sandbox takes any test key.
const SANDBOX_KEY: &str = "sk_test_stripegymSandboxKey";

/// How often, and how long apart, a host that does not answer is looked for again.
const HOST_TRIES: usize = 100;
const HOST_PAUSE: Duration = Duration::from_millis(50);

/// The provider, ready to be called.
#[derive(Debug)]
pub struct Provider {
    /// The client.
    pub stripe: Stripe,
    hosted: Option<Running>,
    of_folder: bool,
}

impl Provider {
    /// Finds the provider; hosts the sandbox where the mode asks for it and nobody else does.
    pub async fn connect(context: &Context) -> Result<Self, Fault> {
        let config = &context.config;
        if let Some(base) = &config.api_base
            && (!is_ours(context, base) || answers(base).await)
        {
            return Ok(Self { stripe: client(context, base)?, hosted: None, of_folder: false });
        }
        if config.mode == Mode::Stripe {
            return Ok(Self {
                stripe: client(context, STRIPE_BASE)?,
                hosted: None,
                of_folder: false,
            });
        }
        for _ in 0..HOST_TRIES {
            let Some(base) = host::find(&config.home).await else { break };
            if answers(&base).await {
                return Ok(Self { stripe: client(context, &base)?, hosted: None, of_folder: true });
            }
            // A host that is just ending: the next look finds another or none.
            tokio::time::sleep(HOST_PAUSE).await;
        }
        match host::start(options(context)).await {
            Ok(running) => {
                let base = running.base_url().to_owned();
                context.notices.say(Notice::Hosting { base: base.clone() });
                Ok(Self { stripe: client(context, &base)?, hosted: Some(running), of_folder: true })
            }
            // Another process was quicker.
            Err(HostError::Hosted { address }) if !address.is_empty() => {
                Ok(Self { stripe: client(context, &address)?, hosted: None, of_folder: true })
            }
            Err(error) => Err(of_host(error, &config.home, "stripegym sandbox")),
        }
    }

    /// Where it answers.
    pub fn base(&self) -> &str {
        self.stripe.base()
    }

    /// Whether nobody else of another folder can be at work with it.
    pub const fn is_of_folder(&self) -> bool {
        self.of_folder
    }

    /// Whether it goes on answering once this command has ended.
    pub const fn stays(&self) -> bool {
        self.hosted.is_none()
    }

    /// Ends what this command hosted; what is pending stays for the next host.
    pub async fn close(self) {
        if let Some(running) = self.hosted {
            running.stop().await;
        }
    }
}

/// Whether a base URL is that of the folder's own sandbox: the learner's server is told it in the `.env` that
/// both read, and the sandbox is hosted there as if nobody had said so.
fn is_ours(context: &Context, base: &str) -> bool {
    let config = &context.config;
    let port = config.sandbox_port;
    let hosts = ["127.0.0.1", "localhost"];
    config.mode == Mode::Sandbox
        && port != 0
        && hosts.iter().any(|host| base == format!("http://{host}:{port}"))
}

/// Whether somebody takes connections at `base`.
async fn answers(base: &str) -> bool {
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    outbound::answers(authority).await
}

/// How this command would host the folder's sandbox.
pub fn options(context: &Context) -> Options {
    let config = &context.config;
    let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), config.sandbox_port);
    let home = Some(config.home.clone());
    let mut options = Options::new(home, context.clock.clone(), context.entropy.clone());
    options.addr = addr;
    // What is repeated byte by byte must not depend on which of two answers comes first.
    options.delivery.in_turn = config.seed.is_some();
    options.delivery.beyond = Beyond::places(&config.deliver_to);
    options
}

/// A sandbox that could not be hosted.
pub fn of_host(error: HostError, home: &Path, command: &str) -> Fault {
    match error {
        HostError::Hosted { address } => FaultKind::SandboxInUse { base: address }.into(),
        HostError::Listen { addr, source } => {
            let problem =
                FaultKind::PortTaken { address: addr.to_string(), command: command.to_owned() };
            Fault::because(problem, source)
        }
        HostError::Folder { path, source } => {
            let trouble = trouble::of(&source);
            of_sandbox(&path, trouble, source)
        }
        HostError::Journal(cause) => {
            let file = home.join("sandbox.db");
            let trouble = match cause.trouble() {
                // It says too little by itself: a look at the file may tell more.
                FileState::Unusable => store::inspect(&file).err().and_then(|it| it.trouble()),
                known => Some(known),
            };
            of_sandbox(&file, trouble.unwrap_or(FileState::Unusable), cause)
        }
    }
}

fn of_sandbox(path: &Path, trouble: FileState, cause: impl ToString) -> Fault {
    let (file, path) = (DataFile::Sandbox, path.display().to_string());
    Fault::because(FaultKind::Data { file, path, trouble }, cause)
}

fn client(context: &Context, base: &str) -> Result<Stripe, Fault> {
    if context.config.mode == Mode::Sandbox && !is_loopback(base) {
        let origin = base.to_owned();
        let (name, expected) = ("STRIPE_API_BASE".to_owned(), "http://127.0.0.1:12111".to_owned());
        return Err(FaultKind::Setting { name, origin, expected }.into());
    }
    // The last guard: whatever the settings say, Stripe never sees a key that names a world.
    let named = context.config.key.as_ref().is_some_and(|key| key.world().is_some());
    if named && !is_loopback(base) {
        return Err(FaultKind::SandboxOnly {
            command: "STRIPE_SECRET_KEY=sk_test_w_…".to_owned()
        }
        .into());
    }
    let own = context.config.key.clone().or_else(|| ApiKey::read(SANDBOX_KEY));
    let key = own.ok_or(FaultKind::KeyMissing)?;
    let stripe = Stripe::new(base, key)?;
    Ok(match context.config.seed {
        Some(_) => stripe.repeatable(context.entropy.clone()),
        None => stripe,
    })
}
