//! From the address of a ledger to the settings of its connections.

use crate::domain::ledger_url::LedgerUrl;
use crate::store::postgres::tls::Trust;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long the next of several servers waits for its turn, where one does not even refuse.
const CONNECT: Duration = Duration::from_millis(500);

/// After how long a peer that acknowledges nothing is given up, by the system.
const SILENT: Duration = Duration::from_secs(10);

/// The settings that an address says, and what its server is believed by.
pub(super) fn settings(url: &LedgerUrl) -> Result<(Config, Trust), String> {
    if url.servers().len() > 1 {
        return Err("several servers are named where one is meant".to_owned());
    }
    let (plain, own) = without_own(url.reveal());
    // The driver's word for a part that it does not understand never repeats the part's value.
    let mut config = Config::from_str(&plain).map_err(|error| super::said(&error))?;
    if config.get_password().is_none()
        && let Some(password) = url.password()
    {
        config.password(password);
    }
    if own.verified {
        config.ssl_mode(SslMode::Require);
    }
    if !own.attributes {
        // Everything goes to the one server that can be written to, wherever that is by now.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if config.get_application_name().is_none() {
        config.application_name("stripegym");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    config.tcp_user_timeout(SILENT).keepalives_idle(SILENT);
    let trust = Trust::new(own.roots.as_deref())?;
    Ok((config, trust))
}

/// What the server of a foreign table is called by, and as whom: the same address in the words of PostgreSQL's own client
/// library, which runs on the server that reads it.
pub(super) fn foreign(url: &LedgerUrl) -> Result<(Options, Options), String> {
    let (config, _) = settings(url)?;
    let (_, own) = without_own(url.reveal());
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts: Vec<String> = hosts.collect();
    let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
    let mut server = Options::new();
    let mut say = |name: &'static str, value: String| {
        if !value.is_empty() {
            server.insert(name, value);
        }
    };
    say("host", hosts.join(","));
    say("port", ports.join(","));
    say("dbname", config.get_dbname().unwrap_or_default().to_owned());
    let attributes = match config.get_target_session_attrs() {
        TargetSessionAttrs::ReadWrite => "read-write",
        _ => "any",
    };
    say("target_session_attrs", attributes.to_owned());
    say("connect_timeout", "2".to_owned());
    say("application_name", "stripegym".to_owned());
    let mode = match (&own.roots, config.get_ssl_mode()) {
        (_, SslMode::Disable) => "disable",
        (Some(_), _) => "verify-full",
        (None, SslMode::Require) => "require",
        (None, _) => "prefer",
    };
    say("sslmode", mode.to_owned());
    say("sslrootcert", own.roots.map(|path| path.display().to_string()).unwrap_or_default());
    // How many rows there are is asked there: a plan that takes a million rows for a few never ends.
    say("use_remote_estimate", "true".to_owned());
    say("fetch_size", "10000".to_owned());
    say("updatable", "false".to_owned());
    let mut user = Options::new();
    if let Some(name) = config.get_user() {
        user.insert("user", name.to_owned());
    }
    if let Some(password) = config.get_password() {
        user.insert("password", String::from_utf8_lossy(password).into_owned());
    }
    Ok((server, user))
}

/// Options by their names.
pub(super) type Options = BTreeMap<&'static str, String>;

/// What an address says that the driver has no word for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Own {
    roots: Option<PathBuf>,
    verified: bool,
    attributes: bool,
}

/// The address without `sslrootcert` and with no `sslmode` that the driver does not know: a server that proves itself is
/// always held to its name and its certificate here, so that `verify-full` is what `require` is.
fn without_own(text: &str) -> (String, Own) {
    let Some((before, query)) = text.split_once('?') else {
        return (text.to_owned(), Own::default());
    };
    let mut own = Own::default();
    let mut left = Vec::new();
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslrootcert", path)) => {
                let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
                own.roots = Some(PathBuf::from(path.into_owned()));
            }
            Some(("sslmode", "verify-ca" | "verify-full")) => own.verified = true,
            Some(("target_session_attrs", _)) => {
                own.attributes = true;
                left.push(part);
            }
            _ => left.push(part),
        }
    }
    (format!("{before}?{}", left.join("&")), own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Config {
        let url = LedgerUrl::read(text, Some("from outside")).unwrap();
        settings(&url).unwrap().0
    }

    #[test]
    fn the_one_server_that_can_be_written_to_is_asked_for() {
        let config = read("postgres://shop@one:5433,two/books");
        assert_eq!(config.get_hosts(), [Host::Tcp("one".to_owned()), Host::Tcp("two".to_owned())]);
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_password(), Some(b"from outside".as_slice()));
        let config = read("postgres://shop:own@one/books?target_session_attrs=any");
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::Any);
        assert_eq!(config.get_password(), Some(b"own".as_slice()));
    }

    #[test]
    fn a_server_reads_the_other_by_the_same_address() {
        let url =
            LedgerUrl::read("postgres://shop@one:5433/books?sslmode=disable", Some("hunter2"));
        let (server, user) = foreign(&url.unwrap()).unwrap();
        assert_eq!(server["host"], "one");
        assert_eq!(
            (&*server["port"], &*server["dbname"], &*server["sslmode"]),
            ("5433", "books", "disable")
        );
        assert_eq!((&*user["user"], &*user["password"]), ("shop", "hunter2"));
        assert!(!server.values().any(|it| it.contains("hunter")));
        let pair = LedgerUrl::read("postgres://a/b;postgres://c/d", None).unwrap();
        assert!(settings(&pair).is_err());
    }

    #[test]
    fn what_the_driver_has_no_word_for_is_understood_here() {
        let (text, own) =
            without_own("postgres://a@b/c?sslmode=verify-full&sslrootcert=/a%20b.pem&user=x");
        assert_eq!(text, "postgres://a@b/c?user=x");
        let roots = Some(PathBuf::from("/a b.pem"));
        assert_eq!(own, Own { roots, verified: true, attributes: false });
        let url = LedgerUrl::read("postgres://a:hunter2@b/c?nonsense=hunter2", None).unwrap();
        let said = settings(&url).err().unwrap();
        assert!(!said.contains("hunter2"), "{said}");
    }
}
