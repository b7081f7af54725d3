//! Who may see the pages: browsers on this machine that mean this server. A `Host` that is not loopback is
//! a name that was pointed here to borrow the browser's trust; a form from elsewhere is not our form.

use hyper::header::{HOST, HeaderMap, ORIGIN};
use std::net::{IpAddr, SocketAddr};

/// The request's `Host`, where it names this machine (or the very address that is listened on).
pub fn local_host(headers: &HeaderMap, bound: SocketAddr) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = name_of(host)?;
    let by_name =
        name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    let by_address = name.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| {
        address.is_loopback() || (address == bound.ip() && !address.is_unspecified())
    });
    (by_name || by_address).then_some(host)
}

/// The host without its port; `None` where it is not of the form `name[:port]`.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            host.split_at_checked(end)?
        }
        None => host.split_at_checked(host.find(':').unwrap_or(host.len()))?,
    };
    let fine = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    (fine && !name.is_empty()).then_some(name)
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
    fn only_names_of_this_machine_are_local() {
        let bound: SocketAddr = "127.0.0.1:4242".parse().unwrap();
        for host in [
            "localhost",
            "localhost:4242",
            "LOCALHOST:1",
            "127.0.0.1:4242",
            "127.9.9.9",
            "[::1]:4242",
            "a.localhost:4242",
        ] {
            assert_eq!(local_host(&headers(&[("host", host)]), bound), Some(host), "{host}");
        }
        for host in [
            "evil.test",
            "127.0.0.1.evil.test",
            "localhost.evil.test:4242",
            "10.0.0.1",
            "[::1",
            "[::2]:1",
            "",
            ":80",
            "localhost:x",
            "0.0.0.0:4242",
        ] {
            assert_eq!(local_host(&headers(&[("host", host)]), bound), None, "{host}");
        }
        assert_eq!(local_host(&HeaderMap::new(), bound), None);
        let wide: SocketAddr = "192.168.1.5:4242".parse().unwrap();
        assert!(local_host(&headers(&[("host", "192.168.1.5:4242")]), wide).is_some());
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
