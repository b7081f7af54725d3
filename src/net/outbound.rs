//! The one builder of HTTP clients: time limits, no redirects, no proxy from the environment.

use reqwest::redirect::Policy;
use std::sync::OnceLock;
use std::time::Duration;

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

/// Builds a client. It keeps connections open for reuse; share it by cloning.
pub fn client(reach: Reach, patience: Patience) -> Result<reqwest::Client, OutboundError> {
    install_provider();
    let builder = reqwest::Client::builder()
        .connect_timeout(patience.connect)
        .timeout(patience.total)
        .redirect(Policy::none())
        .no_proxy()
        .tcp_nodelay(true);
    let builder = match reach {
        Reach::Plain => builder.tls_certs_only([]),
        Reach::Tls => builder,
    };
    Ok(builder.build()?)
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
}
