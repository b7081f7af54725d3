//! The one way out: builds every HTTP client, with time limits, without redirects, without a proxy from the
//! environment. A client reaches loopback alone unless it was built to leave this machine.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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

/// Makes requests. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Whether it may leave this machine.
    far: bool,
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
        if self.far {
            PASSED.fetch_add(1, Ordering::Relaxed);
            return self.http.request(method, url);
        }
        REFUSED.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("a request beyond loopback was refused");
        self.http.request(method, NOWHERE)
    }
}

/// Whether a URL names this machine.
pub fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    url.host_str().is_some_and(is_near)
}

/// Whether a host is this machine: an address of the loopback interface, or `localhost`.
fn is_near(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Knows `localhost` and no other name, and asks nobody.
struct Near;

impl Resolve for Near {
    fn resolve(&self, name: Name) -> Resolving {
        let found: Result<Addrs, Box<dyn std::error::Error + Send + Sync>> = match name.as_str() {
            "localhost" => {
                let both = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
                Ok(Box::new(both.map(|address| SocketAddr::new(address, 0)).into_iter()))
            }
            _ => Err("names beyond this machine are not looked up".into()),
        };
        Box::pin(std::future::ready(found))
    }
}

/// Builds a client that never leaves this machine. It keeps connections open for reuse; share it by cloning.
pub fn client(reach: Reach, patience: Patience) -> Result<Client, OutboundError> {
    let builder = builder(reach, patience).dns_resolver(Arc::new(Near));
    Ok(Client { http: builder.build()?, far: false })
}

/// Builds a client that may: for the provider's real API, and for where a person has deliveries passed on to.
pub fn far_client(reach: Reach, patience: Patience) -> Result<Client, OutboundError> {
    Ok(Client { http: builder(reach, patience).build()?, far: true })
}

fn builder(reach: Reach, patience: Patience) -> reqwest::ClientBuilder {
    install_provider();
    let builder = reqwest::Client::builder()
        .connect_timeout(patience.connect)
        .timeout(patience.total)
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

    #[test]
    fn only_this_machine_is_loopback() {
        let near = ["http://localhost:4242/", "https://[::1]:8443/", "http://127.9.9.9/x"];
        assert!(near.iter().all(|url| is_loopback(url)));
        for far in [
            "https://example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://[2001:db8::1]/",
            "nonsense",
        ] {
            assert!(!is_loopback(far), "{far}");
        }
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
