//! Which hosts are this machine: asked of every URL that is called or configured, and of every `Host` header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Url;

/// Whether a URL names this machine.
pub fn is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(|host| !near(host).is_empty()))
}

/// The addresses of this machine that a host names, none where it is another's: `localhost` and the names
/// under it (RFC 6761), the addresses of the loopback interface, and the ones that stand for every interface,
/// which servers print as their own.
pub fn near(host: &str) -> Vec<IpAddr> {
    if is_local_name(host) {
        return vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    }
    match address(host).map(|address| address.to_canonical()) {
        Some(address) if address.is_loopback() => vec![address],
        Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => vec![IpAddr::from(Ipv4Addr::LOCALHOST)],
        Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => vec![IpAddr::from(Ipv6Addr::LOCALHOST)],
        _ => Vec::new(),
    }
}

/// Whether a server that listens on `bound` may be called `host`, as a `Host` header has it: by the names of
/// this machine, or by the address that was bound on purpose. Where every interface was bound, by any address
/// written out in digits: a foreign page can only ever send a name (DNS rebinding).
pub fn may_be_called(host: &str, bound: IpAddr) -> bool {
    let Some(name) = without_port(host) else { return false };
    is_local_name(name)
        || address(name).is_some_and(|address| {
            address.is_loopback() || address == bound || bound.is_unspecified()
        })
}

fn is_local_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// The host without its port; `None` where it is not of the form `name[:port]`.
fn without_port(host: &str) -> Option<&str> {
    let from = if host.starts_with('[') { host.find(']')? } else { 0 };
    let end = host.get(from..)?.find(':').map_or(host.len(), |at| from + at);
    let (name, port) = host.split_at_checked(end)?;
    let fine = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    (fine && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        let near = [
            "http://localhost:4242/",
            "https://[::1]:8443/",
            "http://[::1]:1/x",
            "http://127.9.9.9/x",
            "http://127.0.0.1:12111",
            "http://shop.localhost:3000/hook",
            "http://LOCALHOST./",
            "http://0.0.0.0:3000/",
            "http://[::]:3000/",
            "http://[::ffff:127.0.0.1]:3000/",
            "http://127.1/",
        ];
        assert!(near.iter().all(|url| is_loopback(url)));
        for far in [
            "https://api.stripe.com",
            "https://example.com/",
            "http://localhost.example.com/",
            "http://10.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://[2001:db8::1]/",
            "http://[::ffff:192.0.2.1]/",
            "http://notlocalhost/",
            "nonsense",
        ] {
            assert!(!is_loopback(far), "{far}");
        }
    }

    #[test]
    fn a_server_is_called_by_names_of_this_machine_and_by_what_it_bound() {
        let called = |bound: &str, host: &str| may_be_called(host, bound.parse().unwrap());
        for host in [
            "localhost",
            "localhost:4242",
            "LOCALHOST:1",
            "127.0.0.1:4242",
            "127.9.9.9",
            "[::1]:4242",
            "a.localhost:4242",
        ] {
            assert!(called("127.0.0.1", host), "{host}");
        }
        for host in [
            "evil.test",
            "127.0.0.1.evil.test",
            "localhost.evil.test:4242",
            "10.0.0.1",
            "[::1",
            "[::2]:1",
            "::1]",
            "[127.0.0.1]",
            "",
            ":80",
            "localhost:x",
            "0.0.0.0:4242",
        ] {
            assert!(!called("127.0.0.1", host), "{host}");
        }
        assert!(called("192.168.1.5", "192.168.1.5:4242"));
        assert!(!called("192.168.1.5", "192.168.1.6:4242"));
        for any in ["0.0.0.0", "::"] {
            assert!(called(any, "10.0.0.7:12111") && called(any, "[2001:db8::1]:1"));
            assert!(!called(any, "example.com"));
        }
    }
}
