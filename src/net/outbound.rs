//! The one way out: builds every HTTP client, with time limits, without redirects, without a proxy from the
//! environment. A client reaches loopback alone unless it was built to leave this machine, or allowed to call
//! single places beyond it.

use crate::domain::host::{is_loopback, near};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;

/// Whom a client may talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// `http://` only. Loads no certificates, which makes it quick to build.
    Plain,
    /// `https://` as well, with the system's certificates.
    Tls,
}

impl Reach {
    /// The reach that `url` needs.
    pub fn of(url: &str) -> Self {
        let scheme = url.split("://").next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case("https") { Self::Tls } else { Self::Plain }
    }
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Time for the connection to stand.
    pub connect: Duration,
    /// Time for the whole call, connection included.
    pub total: Duration,
}

impl Patience {
    /// For calls of the API: 80 seconds, as the official libraries wait.
    pub const API: Self = Self { connect: Duration::from_secs(30), total: Duration::from_secs(80) };
    /// For deliveries: 30 seconds.
    pub const DELIVERY: Self =
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(30) };
}

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(4);

/// The client could not be built, mostly for want of readable certificates.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client: {0}")]
pub struct OutboundError(#[from] reqwest::Error);

/// How many requests left this machine, and how many were kept from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossings {
    /// Requests to addresses beyond loopback that were let through.
    pub passed: u64,
    /// Requests to such addresses by clients that must not make any.
    pub refused: u64,
}

static PASSED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// What this process has asked beyond loopback so far.
pub fn crossings() -> Crossings {
    Crossings { passed: PASSED.load(Ordering::Relaxed), refused: REFUSED.load(Ordering::Relaxed) }
}

/// Who may be called beyond this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Beyond {
    /// Nobody.
    #[default]
    Nobody,
    /// These places, and no other port of theirs.
    Places(Arc<[Place]>),
    /// Anybody.
    Anybody,
}

/// A host and a port that were allowed by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    host: String,
    port: u16,
}

impl Place {
    /// Reads `app:3000`, `192.0.2.7:80` or `[2001:db8::1]:80`.
    pub fn read(text: &str) -> Option<Self> {
        let (_, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let url = Url::parse(&format!("http://{text}/")).ok()?;
        let is_bare = url.path() == "/"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().filter(|host| is_bare && !host.is_empty())?;
        Some(Self { host: host.to_owned(), port })
    }
}

impl Beyond {
    /// The places that a list names; what names none is left out.
    pub fn places(list: &[String]) -> Self {
        let places: Arc<[Place]> = list.iter().filter_map(|text| Place::read(text)).collect();
        if places.is_empty() { Self::Nobody } else { Self::Places(places) }
    }

    /// Whether `url` may be called: this machine always may.
    pub fn admits(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        !near(host).is_empty() || self.admits_place(host, port)
    }

    /// [`Beyond::admits`] of a URL as text.
    pub fn reaches(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.admits(&url))
    }

    fn admits_place(&self, host: &str, port: u16) -> bool {
        match self {
            Self::Nobody => false,
            Self::Places(places) => places.iter().any(|it| it.host == host && it.port == port),
            Self::Anybody => true,
        }
    }

    fn knows(&self, host: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Places(places) => places.iter().any(|place| place.host == host),
            Self::Anybody => true,
        }
    }
}

/// Connects to a place of this machine, or to one that `beyond` admits.
pub async fn dial(host: &str, port: u16, beyond: &Beyond) -> io::Result<TcpStream> {
    let near = near(host);
    let found: Vec<SocketAddr> = if !near.is_empty() {
        near.into_iter().map(|address| SocketAddr::new(address, port)).collect()
    } else if beyond.admits_place(host, port) {
        PASSED.fetch_add(1, Ordering::Relaxed);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        tokio::net::lookup_host((bare, port)).await?.collect()
    } else {
        REFUSED.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("a connection beyond loopback was refused");
        return Err(io::Error::other("places beyond this machine are not called"));
    };
    let stream = TcpStream::connect(found.as_slice()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes requests. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Whom it may call beyond this machine.
    beyond: Beyond,
}

/// Where a request leads that must not be made: no client knows this scheme, so sending it fails.
const NOWHERE: &str = "refused://beyond-loopback/";

impl Client {
    /// A GET request.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A POST request.
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request. One that this client must not make fails when it is sent.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        let url = url.as_ref();
        if is_loopback(url) {
            return self.http.request(method, url);
        }
        if self.beyond.reaches(url) {
            PASSED.fetch_add(1, Ordering::Relaxed);
            return self.http.request(method, url);
        }
        REFUSED.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("a request beyond loopback was refused");
        self.http.request(method, NOWHERE)
    }
}

/// Knows the names of this machine, and asks the system for those that were allowed; for no other.
struct Near(Beyond);

impl Resolve for Near {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = near(name.as_str());
        if !addresses.is_empty() {
            let found: Addrs =
                Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            return Box::pin(std::future::ready(Ok(found)));
        }
        if !self.0.knows(name.as_str()) {
            let refused = Err("names beyond this machine are not looked up".into());
            return Box::pin(std::future::ready(refused));
        }
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Builds a client that never leaves this machine. It keeps connections open for reuse; share it by cloning.
pub fn client(reach: Reach, patience: Patience) -> Result<Client, OutboundError> {
    client_to(reach, patience, Beyond::Nobody)
}

/// Builds a client that opens a connection of its own for every request: what one request does to a connection
/// must not be met by the next.
pub fn fresh_client(reach: Reach, patience: Patience) -> Result<Client, OutboundError> {
    let near = Arc::new(Near(Beyond::Nobody));
    let builder = builder(reach, patience).pool_max_idle_per_host(0).dns_resolver(near);
    Ok(Client { http: builder.build()?, beyond: Beyond::Nobody })
}

/// Builds a client that may: for the provider's real API, and for where a person has deliveries passed on to.
pub fn far_client(reach: Reach, patience: Patience) -> Result<Client, OutboundError> {
    client_to(reach, patience, Beyond::Anybody)
}

/// Builds a client that leaves this machine for whom `beyond` admits.
pub fn client_to(
    reach: Reach,
    patience: Patience,
    beyond: Beyond,
) -> Result<Client, OutboundError> {
    let builder = builder(reach, patience);
    let builder = match beyond {
        Beyond::Anybody => builder,
        _ => builder.dns_resolver(Arc::new(Near(beyond.clone()))),
    };
    Ok(Client { http: builder.build()?, beyond })
}

fn builder(reach: Reach, patience: Patience) -> reqwest::ClientBuilder {
    install_provider();
    let builder = reqwest::Client::builder()
        .connect_timeout(patience.connect)
        .timeout(patience.total)
        // Shorter than servers keep idle connections, ours among them: none is used that is about to be closed.
        .pool_idle_timeout(IDLE)
        .redirect(Policy::none())
        .no_proxy()
        .tcp_nodelay(true);
    match reach {
        Reach::Plain => builder.tls_certs_only([]),
        Reach::Tls => builder,
    }
}

/// Whether somebody of this machine takes connections at `authority`, `127.0.0.1:4242`.
pub async fn answers(authority: &str) -> bool {
    is_loopback(&format!("http://{authority}/")) && TcpStream::connect(authority).await.is_ok()
}

/// rustls wants its cryptography named once a process.
fn install_provider() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a cryptography provider was installed already");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reach_follows_the_scheme() {
        assert_eq!(Reach::of("https://api.stripe.com"), Reach::Tls);
        assert_eq!(Reach::of("HTTPS://x"), Reach::Tls);
        assert_eq!(Reach::of("http://127.0.0.1:1"), Reach::Plain);
    }

    #[tokio::test]
    async fn a_plain_client_refuses_tls_and_builds_without_certificates() {
        let client = client(Reach::Plain, Patience::API).unwrap();
        assert!(client.get("https://127.0.0.1:9/").send().await.is_err());
    }

    #[tokio::test]
    async fn a_client_that_must_stay_asks_nobody_beyond_loopback() {
        let before = crossings();
        let near = client(Reach::Plain, Patience::API).unwrap();
        for url in ["http://192.0.2.1/", "http://example.com/", "http://[2001:db8::1]:80/"] {
            assert!(near.get(url).send().await.unwrap_err().is_builder(), "{url}");
        }
        assert!(crossings().refused >= before.refused + 3);
        assert!(!answers("192.0.2.1:80").await);
        // Were the address let through, the name would still not be looked up.
        let name = near.http.get("http://example.com/").send().await.unwrap_err();
        assert!(name.is_connect(), "{name:?}");
    }

    #[test]
    fn a_place_is_a_host_and_its_port_and_nothing_else() {
        for good in ["app:3000", "APP:80", "192.0.2.7:8080", "[2001:db8::1]:80", "a.b-c.example:1"]
        {
            assert!(Place::read(good).is_some(), "{good}");
        }
        for bad in
            ["app", "app:", ":3000", "app:0", "app:99999", "http://app:1", "app:1/x", "u@a:1"]
        {
            assert_eq!(Place::read(bad), None, "{bad}");
        }
        let beyond = Beyond::places(&["app:3000".to_owned()]);
        for (url, admitted) in [
            ("http://app:3000/hook", true),
            ("http://App:3000/hook", true),
            ("http://app/hook", false),
            ("http://app:3001/", false),
            ("http://app.example:3000/", false),
            ("http://127.0.0.1:1/", true),
        ] {
            assert_eq!(beyond.reaches(url), admitted, "{url}");
        }
        assert!(Beyond::places(&["api.example:443".to_owned()]).reaches("https://api.example/x"));
        assert!(
            Beyond::Anybody.reaches("http://192.0.2.1/") && Beyond::places(&[]) == Beyond::Nobody
        );
    }

    #[tokio::test]
    async fn every_name_of_this_machine_is_dialled_and_no_other() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let nobody = Beyond::Nobody;
        for host in ["localhost", "shop.localhost", "127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
            dial(host, port, &nobody).await.unwrap_or_else(|error| panic!("{host}: {error}"));
        }
        let before = crossings();
        assert!(dial("192.0.2.1", port, &nobody).await.is_err());
        let other = Beyond::places(&["app:1".to_owned()]);
        assert!(dial("app", port, &other).await.is_err());
        assert!(crossings().refused >= before.refused + 2);
    }

    #[tokio::test]
    async fn localhost_needs_no_look_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(answers(&format!("127.0.0.1:{port}")).await);
        let served = crate::net::tasks::Tasks::default();
        served.spawn(async move {
            for _ in 0..2 {
                listener.accept().await.unwrap();
            }
        });
        let near = client(Reach::Plain, Patience::API).unwrap();
        let error = near.get(format!("http://localhost:{port}/")).send().await.unwrap_err();
        assert!(!error.is_connect() && !error.is_builder(), "{error:?}");
        served.finish().await;
    }
}
