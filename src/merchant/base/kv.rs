//! The key-value table, and the map from users to customers that stands in it.

use crate::domain::merchant::kv::{self, Place};
use crate::store::StoreError;
use crate::store::tables::Within;

/// The fourth migration of a file.
pub(super) const OF_FILE: &str = "
    CREATE TABLE kv (
        namespace TEXT NOT NULL,
        key       TEXT NOT NULL,
        value     TEXT NOT NULL,
        PRIMARY KEY (namespace, key)
    ) STRICT, WITHOUT ROWID;
";

/// The fourth migration of a server.
pub(super) const OF_SERVER: &str = r#"
    CREATE TABLE kv (
        namespace TEXT COLLATE "C" NOT NULL,
        key       TEXT COLLATE "C" NOT NULL,
        value     TEXT NOT NULL,
        PRIMARY KEY (namespace, key)
    );
"#;

/// Values under keys in namespaces.
pub trait Kv {
    /// The value at a place.
    fn value(&mut self, place: &Place) -> Result<Option<String>, StoreError>;

    /// Sets the value at a place.
    fn set_value(&mut self, place: &Place, value: &str) -> Result<(), StoreError>;

    /// The keys and values of a namespace, by key.
    fn values(&mut self, namespace: &str) -> Result<Vec<(String, String)>, StoreError>;

    /// The customer that a user is at a provider.
    fn customer_of(&mut self, provider: &str, user: &str) -> Result<Option<String>, StoreError>;

    /// The user that a customer of a provider is.
    fn user_of(&mut self, provider: &str, customer: &str) -> Result<Option<String>, StoreError>;

    /// Notes which customer a user is, in place of the one of before. A customer that is somebody else's stays theirs.
    fn bind_customer(
        &mut self,
        provider: &str,
        customer: &str,
        user: &str,
    ) -> Result<(), StoreError>;
}

fn value(base: &Within<'_>, namespace: &str, key: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM kv WHERE namespace = ?1 AND key = ?2";
    base.first(sql, &[namespace.into(), key.into()], |row| row.get(0))
}

fn set(base: &Within<'_>, namespace: &str, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO kv (namespace, key, value) VALUES (?1, ?2, ?3) \
               ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value";
    base.run(sql, &[namespace.into(), key.into(), value.into()]).map(drop)
}

impl Kv for Within<'_> {
    fn value(&mut self, place: &Place) -> Result<Option<String>, StoreError> {
        value(self, place.namespace(), place.key())
    }

    fn set_value(&mut self, place: &Place, value: &str) -> Result<(), StoreError> {
        set(self, place.namespace(), place.key(), value)
    }

    fn values(&mut self, namespace: &str) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT key, value FROM kv WHERE namespace = ?1 ORDER BY key";
        self.all(sql, &[namespace.into()], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn customer_of(&mut self, provider: &str, user: &str) -> Result<Option<String>, StoreError> {
        value(self, &kv::customers(provider), user)
    }

    fn user_of(&mut self, provider: &str, customer: &str) -> Result<Option<String>, StoreError> {
        value(self, &kv::users(provider), customer)
    }

    fn bind_customer(
        &mut self,
        provider: &str,
        customer: &str,
        user: &str,
    ) -> Result<(), StoreError> {
        let (customers, users) = (kv::customers(provider), kv::users(provider));
        if value(self, &users, customer)?.is_some_and(|known| known != user) {
            return Ok(());
        }
        set(self, &users, customer, user)?;
        set(self, &customers, user, customer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::base::Database;

    #[tokio::test]
    async fn a_customer_is_one_users_and_no_one_elses() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("shop.db")).unwrap();
        let done = database.change(|base| {
            base.bind_customer("stripe", "cus_1", "user_a")?;
            base.bind_customer("stripe", "cus_1", "user_b")?;
            assert_eq!(base.user_of("stripe", "cus_1")?.as_deref(), Some("user_a"));
            assert_eq!(base.customer_of("stripe", "user_b")?, None);
            assert_eq!(base.customer_of("creem", "user_a")?, None);
            // The provider was set back: the user is another customer now, and the old one stays nobody else's.
            base.bind_customer("stripe", "cus_2", "user_a")?;
            assert_eq!(base.customer_of("stripe", "user_a")?.as_deref(), Some("cus_2"));
            base.bind_customer("stripe", "cus_1", "user_b")?;
            assert_eq!(base.customer_of("stripe", "user_b")?, None);
            let place = Place::new("a", "b").unwrap();
            base.set_value(&place, "1")?;
            base.set_value(&place, "2")?;
            assert_eq!(base.value(&place)?.as_deref(), Some("2"));
            assert_eq!(base.values("a")?, [("b".to_owned(), "2".to_owned())]);
            assert_eq!(base.values("stripe_customer")?.len(), 1);
            Ok(())
        });
        done.await.unwrap();
    }
}
