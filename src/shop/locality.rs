//! Who may see the pages: browsers on this machine that mean this server. A `Host` that is not loopback is
//! a name that was pointed here to borrow the browser's trust; a form from elsewhere is not our form.

use crate::domain::host::may_be_called;
use hyper::header::{HOST, HeaderMap, ORIGIN};
use std::net::SocketAddr;

/// The request's `Host`, where a server that listens on `bound` may be called so.
pub fn local_host(headers: &HeaderMap, bound: SocketAddr) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?;
    may_be_called(host, bound.ip()).then_some(host)
}

/// Whether a form was sent by a page of `host` itself. Browsers always say where a form comes from, so what
/// says nothing is a program that its user started.
pub fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    let text = |value: &hyper::header::HeaderValue| value.to_str().ok().map(str::to_owned);
    if let Some(site) = headers.get("sec-fetch-site") {
        return text(site).is_some_and(|site| matches!(site.as_str(), "same-origin" | "none"));
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    text(origin).is_some_and(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderName;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_form_from_elsewhere_is_refused() {
        let same = |pairs: &[(&str, &str)]| same_origin(&headers(pairs), "localhost:4242");
        assert!(same(&[]));
        assert!(same(&[("origin", "http://localhost:4242")]));
        assert!(same(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:4242")]));
        for origin in
            ["http://localhost:4243", "https://localhost:4242", "http://evil.test", "null"]
        {
            assert!(!same(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(
                !same(&[("sec-fetch-site", site), ("origin", "http://localhost:4242")]),
                "{site}"
            );
        }
    }
}
