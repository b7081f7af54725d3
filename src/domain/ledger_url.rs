//! The address of a ledger that stands on a server. It may name a password, so that it cannot be printed by accident.

use std::fmt;
use std::path::{Path, PathBuf};

/// A password that stands beside the addresses of servers. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password of this text.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// `postgres://USER@HOST/DATABASE`; of a ledger on several servers all of them in their order, with semicolons between
/// them. `Debug` shows it without its password; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerUrl {
    text: String,
    password: Option<String>,
}

/// Where a ledger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    /// In a file of this machine.
    File(PathBuf),
    /// On a server, or on several.
    Server(LedgerUrl),
}

impl LedgerPlace {
    /// The place of what was typed: an address, or else a file; `None` for an address that is none.
    pub fn read(typed: &Path) -> Option<Self> {
        match typed.to_str().filter(|text| text.contains("://")) {
            Some(address) => LedgerUrl::read(address, None).map(Self::Server),
            None => Some(Self::File(typed.to_owned())),
        }
    }

    /// The same with the password that an address need not name.
    #[must_use]
    pub fn with_password(self, password: Option<&Password>) -> Self {
        match self {
            Self::Server(url) => Self::Server(url.with_password(password)),
            file @ Self::File(_) => file,
        }
    }

    /// As a person would type it, without a password.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => shell_words::quote(&path.display().to_string()).into_owned(),
            Self::Server(url) => format!("'{}'", url.shown()),
        }
    }
}

impl LedgerUrl {
    /// Reads an address; `None` for any other text. The password is the one of the address, else `password`.
    pub fn read(text: &str, password: Option<&str>) -> Option<Self> {
        let whole = |part: &str| {
            let rest =
                part.strip_prefix("postgres://").or_else(|| part.strip_prefix("postgresql://"));
            rest.is_some_and(|rest| {
                let odd = |it: char| it.is_whitespace() || it.is_control();
                !rest.is_empty() && !rest.contains(odd)
            })
        };
        parts(text)
            .into_iter()
            .all(whole)
            .then(|| Self { text: text.to_owned(), password: password.map(str::to_owned) })
    }

    /// Each of its servers, in their order; one for most ledgers.
    pub fn servers(&self) -> Vec<Self> {
        let one = |text: &str| Self { text: text.to_owned(), password: self.password.clone() };
        parts(&self.text).into_iter().map(one).collect()
    }

    /// The first of its servers, where what is not divided stands.
    #[must_use]
    pub fn first(&self) -> Self {
        self.servers().into_iter().next().unwrap_or_else(|| self.clone())
    }

    /// The same with the password that it need not name.
    #[must_use]
    pub fn with_password(self, password: Option<&Password>) -> Self {
        Self { password: password.map(|it| it.0.clone()), ..self }
    }

    /// The address itself, for whoever connects and nobody else.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The password that the address need not name.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The address for people: without a password, and of what follows the database only where the server is.
    pub fn shown(&self) -> String {
        let parts = parts(&self.text);
        if parts.len() > 1 {
            let one = |text: &&str| Self { text: (*text).to_owned(), password: None }.shown();
            return parts.iter().map(one).collect::<Vec<_>>().join(";");
        }
        let (before, query) = self.text.split_once('?').unwrap_or((&self.text, ""));
        let (scheme, rest) = before.split_once("://").unwrap_or(("postgres", before));
        let named = match rest.rsplit_once('@') {
            Some((user, place)) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                format!("{scheme}://{name}@{place}")
            }
            None => format!("{scheme}://{rest}"),
        };
        let told = |part: &&str| {
            let name = part.split_once('=').map_or(*part, |(name, _)| name);
            matches!(name, "host" | "port" | "user" | "dbname")
        };
        let told: Vec<&str> = query.split('&').filter(told).collect();
        if told.is_empty() { named } else { format!("{named}?{}", told.join("&")) }
    }
}

/// The addresses of a text. Whatever else has a semicolon in it is no further address.
fn parts(text: &str) -> Vec<&str> {
    let begins = |at: usize| {
        let rest = text.get(at + 1..).unwrap_or_default();
        rest.starts_with("postgres://") || rest.starts_with("postgresql://")
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(';').filter(|(at, _)| begins(*at)) {
        parts.push(text.get(from..at).unwrap_or_default());
        from = at + 1;
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

impl fmt::Debug for LedgerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerUrl").field(&self.shown()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("postgres://shop@db/books", "postgres://shop@db/books"),
            ("postgres://shop:hunter2@db:5433/books", "postgres://shop@db:5433/books"),
            (
                "postgresql://a:p@x@one,two/books?target_session_attrs=read-write",
                "postgresql://a@one,two/books",
            ),
            (
                "postgres://a:one@x/books;postgresql://b:two;x@y/books?user=c;d",
                "postgres://a@x/books;postgresql://b@y/books?user=c;d",
            ),
            (
                "postgres:///books?host=/run/pg&user=shop&password=hunter2&options=-cx%3Dy",
                "postgres:///books?host=/run/pg&user=shop",
            ),
        ] {
            let password = Password::new("hunter2");
            let url = LedgerUrl::read(text, None).unwrap().with_password(Some(&password));
            assert_eq!((url.shown().as_str(), url.password()), (shown, Some("hunter2")));
            assert!(!format!("{password:?}").contains("hunter2"));
            assert!(!format!("{url:?}").contains("hunter2"), "{url:?}");
        }
    }

    #[test]
    fn several_servers_are_named_in_their_order() {
        let url = LedgerUrl::read("postgres://a@x/b;postgres://a@y,z/b?sslmode=require", Some("p"));
        let servers = url.unwrap().servers();
        let said: Vec<_> = servers.iter().map(|it| (it.reveal(), it.password())).collect();
        let both =
            [("postgres://a@x/b", Some("p")), ("postgres://a@y,z/b?sslmode=require", Some("p"))];
        assert_eq!(said, both);
        assert_eq!(servers[1].first(), servers[1]);
    }

    #[test]
    fn a_place_is_a_file_or_servers_and_a_mistyped_address_is_neither() {
        let read = |text: &str| LedgerPlace::read(Path::new(text));
        assert_eq!(read("it's one.db").unwrap().shown(), "'it'\\''s one.db'");
        assert_eq!(read("postgres://a:hunter2@x/b").unwrap().shown(), "'postgres://a@x/b'");
        assert_eq!(read("postgres://a:hunter2@x/b; postgres://a:hunter2@y/b"), None);
    }

    #[test]
    fn nothing_else_is_an_address() {
        for text in [
            "",
            "postgres://",
            "postgres:x",
            "sqlite:books.db",
            "mysql://a@b/c",
            "postgres://a b",
            "postgres://a/b; postgres://c/d",
            "postgres://a/b;postgres://",
        ] {
            assert!(LedgerUrl::read(text, None).is_none(), "{text}");
        }
    }
}
