//! Who has an account, and who is signed in.

use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::tables::Within;
use crate::store::tables::cell::{Found, OddCell};

/// The first migration of a file.
pub(super) const OF_FILE: &str = "
    CREATE TABLE users (
        id       TEXT PRIMARY KEY,
        email    TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        created  INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        token   TEXT PRIMARY KEY,
        user    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_expires ON sessions (expires);
";

/// The first migration of a server.
pub(super) const OF_SERVER: &str = r#"
    CREATE TABLE users (
        id       TEXT COLLATE "C" PRIMARY KEY,
        email    TEXT COLLATE "C" NOT NULL UNIQUE,
        password TEXT NOT NULL,
        created  BIGINT NOT NULL
    );
    CREATE TABLE sessions (
        token   TEXT COLLATE "C" PRIMARY KEY,
        "user"  TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created BIGINT NOT NULL,
        expires BIGINT NOT NULL
    );
    CREATE INDEX sessions_by_expires ON sessions (expires);
"#;

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `user_…`.
    pub id: String,
    /// The address, in lower case.
    pub email: String,
    /// Since when.
    pub created: Timestamp,
}

/// What is kept of accounts.
pub trait Accounts {
    /// Adds an account with the hash of its password; `false` where the address has one.
    fn add_user(&mut self, user: &User, password: &str) -> Result<bool, StoreError>;

    /// The account of an address, and the hash of its password.
    fn user_by_email(&mut self, email: &str) -> Result<Option<(User, String)>, StoreError>;

    /// The account of an id.
    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError>;

    /// Whether anybody has an account.
    fn has_users(&mut self) -> Result<bool, StoreError>;

    /// Signs somebody in: whoever shows what hashes to `token` is that user until `expires`.
    fn open_session(
        &mut self,
        token: &str,
        user: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError>;

    /// Who is signed in by what hashes to `token`.
    fn session(&mut self, token: &str, now: Timestamp) -> Result<Option<User>, StoreError>;

    /// Signs out; also what has expired is forgotten.
    fn close_session(&mut self, token: &str, now: Timestamp) -> Result<(), StoreError>;
}

fn user(row: &Found) -> Result<User, OddCell> {
    Ok(User { id: row.get(0)?, email: row.get(1)?, created: row.get(2)? })
}

impl Accounts for Within<'_> {
    fn add_user(&mut self, user: &User, password: &str) -> Result<bool, StoreError> {
        let sql = "INSERT INTO users (id, email, password, created) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (email) DO NOTHING";
        let values =
            [(&user.id).into(), (&user.email).into(), password.into(), user.created.into()];
        Ok(self.run(sql, &values)? > 0)
    }

    fn user_by_email(&mut self, email: &str) -> Result<Option<(User, String)>, StoreError> {
        let sql = "SELECT id, email, created, password FROM users WHERE email = ?1";
        self.first(sql, &[email.into()], |row| Ok((user(row)?, row.get(3)?)))
    }

    fn user(&mut self, id: &str) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, email, created FROM users WHERE id = ?1";
        self.first(sql, &[id.into()], user)
    }

    fn has_users(&mut self) -> Result<bool, StoreError> {
        Ok(self.first("SELECT id FROM users LIMIT 1", &[], |_| Ok(()))?.is_some())
    }

    fn open_session(
        &mut self,
        token: &str,
        user: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO sessions (token, \"user\", created, expires) VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, &[token.into(), user.into(), now.into(), expires.into()]).map(drop)
    }

    fn session(&mut self, token: &str, now: Timestamp) -> Result<Option<User>, StoreError> {
        let sql = "SELECT users.id, users.email, users.created FROM sessions \
                   JOIN users ON users.id = sessions.\"user\" \
                   WHERE sessions.token = ?1 AND sessions.expires > ?2";
        self.first(sql, &[token.into(), now.into()], user)
    }

    fn close_session(&mut self, token: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM sessions WHERE token = ?1 OR expires <= ?2";
        self.run(sql, &[token.into(), now.into()]).map(drop)
    }
}
