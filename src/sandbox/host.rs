//! Hosting: one process serves the sandbox of a folder; everyone else finds it there.

use crate::catalog;
use crate::net::server::{Limits, bind, serve};
use crate::net::shutdown::{Stopper, pair};
use crate::net::tasks::Tasks;
use crate::os::clock::Clock;
use crate::os::entropy::Entropy;
use crate::os::private;
use crate::sandbox::creem::BEHAVIOUR;
use crate::sandbox::deliver;
use crate::sandbox::engine::journal::JournalError;
use crate::sandbox::engine::txn::Site;
use crate::sandbox::engine::{Engine, OBJECTS_MAX};
use crate::sandbox::jobs;
use crate::sandbox::lock::{HostLock, TAKE_PAUSE, TAKES_MAX, announced};
use crate::sandbox::serve::service;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The port that is tried first.
pub const DEFAULT_PORT: u16 = 12_111;

/// How to host.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder that keeps everything; `None` keeps it in memory.
    pub home: Option<PathBuf>,
    /// Where to listen. Anything but loopback is the caller's decision.
    pub addr: SocketAddr,
    /// Whether a taken port means the next free one.
    pub or_next_port: bool,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// How webhooks are delivered.
    pub delivery: deliver::Options,
    /// How many objects and records are kept.
    pub objects_max: u64,
}

impl Options {
    /// Loopback on the default port or the next free one, keeping everything in `home`.
    pub fn new(home: Option<PathBuf>, clock: Clock, entropy: Entropy) -> Self {
        Self {
            home,
            addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            or_next_port: true,
            clock,
            entropy,
            delivery: deliver::Options::default(),
            objects_max: OBJECTS_MAX,
        }
    }
}

/// Why the sandbox could not be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Another process hosts this folder.
    #[error("the sandbox of this folder is hosted at {address} already")]
    Hosted {
        /// Where it said that it is reachable; empty where it did not say.
        address: String,
    },
    /// The folder, or a file in it, cannot be used.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("{addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be opened or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A hosted sandbox; [`Running::stop`] ends it gracefully.
#[derive(Debug)]
pub struct Running {
    engine: Arc<Engine>,
    stopper: Stopper,
    tasks: Tasks,
    addr: SocketAddr,
    _lock: Option<Arc<HostLock>>,
}

impl Running {
    /// `http://127.0.0.1:12111`, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.engine.site().base_url
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The engine that it serves.
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Ends: open requests and attempts end first, what is pending stays for the next host.
    pub async fn stop(self) {
        self.stopper.stop();
        self.tasks.finish().await;
    }
}

/// Starts hosting.
pub async fn start(options: Options) -> Result<Running, HostError> {
    let lock = match &options.home {
        None => None,
        Some(home) => Some(Arc::new(take(home).await?)),
    };
    let listener = bind(options.addr, options.or_next_port)
        .await
        .map_err(|source| HostError::Listen { addr: options.addr, source })?;
    let addr =
        listener.local_addr().map_err(|source| HostError::Listen { addr: options.addr, source })?;
    let reachable = if addr.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port())
    } else {
        addr
    };
    let site = Site {
        base_url: format!("http://{reachable}"),
        api_version: catalog::Catalog::get().api_version().to_owned(),
        beyond: options.delivery.beyond.clone(),
        behaviour: BEHAVIOUR,
    };
    if let Some(home) = &options.home {
        // SQLite would make it with the mode of the day, and it holds signing secrets.
        let path = home.join("sandbox.db");
        private::database(&path).map_err(|source| HostError::Folder { path, source })?;
        // SQLite flushes the folder for its log, but not the name of the folder itself.
        let whole = home.canonicalize().ok();
        if let Some(Err(error)) = whole.as_deref().and_then(Path::parent).map(private::sync_folder)
        {
            tracing::debug!(%error, "the folder above could not be flushed");
        }
    }
    let with = (options.clock, options.entropy, site);
    let engine = match &options.home {
        None => Engine::ephemeral(with.0, with.1, with.2),
        Some(home) => Engine::hosted(&home.join("sandbox.db"), lock.clone(), with)?,
    };
    let engine = Arc::new(engine.limited_to(options.objects_max));
    if let (Some(lock), Some(home)) = (&lock, &options.home) {
        let failed = |source| HostError::Folder { path: home.clone(), source };
        lock.announce(&engine.site().base_url).map_err(failed)?;
    }
    let (stopper, stop) = pair();
    let tasks = Tasks::default();
    let service = service(&engine, options.addr.ip());
    tasks.spawn(serve(listener, service, Limits::default(), stop.clone()));
    tasks.spawn(jobs::run(Arc::clone(&engine), stop.clone()));
    tasks.spawn(deliver::run(Arc::clone(&engine), options.delivery, stop));
    Ok(Running { engine, stopper, tasks, addr, _lock: lock })
}

async fn take(home: &Path) -> Result<HostLock, HostError> {
    let failed = |source| HostError::Folder { path: home.to_owned(), source };
    for _ in 0..TAKES_MAX {
        if let Some(lock) = HostLock::take(home).map_err(failed)? {
            return Ok(lock);
        }
        tokio::time::sleep(TAKE_PAUSE).await;
    }
    Err(HostError::Hosted { address: announced(home).await.unwrap_or_default() })
}

/// Every type of event that there is.
pub fn event_types() -> impl Iterator<Item = &'static str> {
    catalog::event_types()
}

/// The one of some names that a misspelt one most likely meant.
pub fn meant<'n>(names: impl Iterator<Item = &'n str>, given: &str) -> Option<&'n str> {
    catalog::nearest(names, given)
}

/// Where the sandbox of a folder is hosted right now, if it is.
pub async fn find(home: &Path) -> Option<String> {
    if !home.exists() {
        return None;
    }
    announced(home).await
}
