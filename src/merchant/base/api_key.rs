//! The keys of the API that are sold: returns that are waited for, keys, calls counted. Whatever must happen once is
//! unique in the database, whoever comes first.

use crate::domain::merchant::api_key::{KeyText, Opens};
use crate::domain::merchant::one_time::Awaited;
use crate::domain::merchant::quota::{Month, PRO};
use crate::domain::time::Timestamp;
use crate::domain::trade::subscription::Mirror;
use crate::store::StoreError;
use crate::store::tables::Within;
use crate::store::tables::cell::{Found, OddCell};

/// The fifth migration of a file.
pub(super) const OF_FILE: &str = "
    CREATE TABLE upgrade_returns (
        session TEXT PRIMARY KEY,
        user    TEXT NOT NULL,
        hash    TEXT NOT NULL UNIQUE,
        expires INTEGER NOT NULL,
        used    INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX upgrade_returns_by_user ON upgrade_returns (user);
    CREATE TABLE api_keys (
        id           INTEGER PRIMARY KEY,
        user         TEXT NOT NULL,
        subscription TEXT NOT NULL UNIQUE,
        hash         TEXT UNIQUE,
        hint         TEXT,
        issued       INTEGER NOT NULL,
        revoked      INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX api_keys_open ON api_keys (user) WHERE revoked IS NULL;
    CREATE TABLE api_usage (
        user  TEXT NOT NULL,
        month TEXT NOT NULL,
        calls INTEGER NOT NULL,
        PRIMARY KEY (user, month)
    ) STRICT, WITHOUT ROWID;
";

/// The fifth migration of a server.
pub(super) const OF_SERVER: &str = r#"
    CREATE TABLE upgrade_returns (
        session TEXT COLLATE "C" PRIMARY KEY,
        "user"  TEXT COLLATE "C" NOT NULL,
        hash    TEXT COLLATE "C" NOT NULL UNIQUE,
        expires BIGINT NOT NULL,
        used    BIGINT
    );
    CREATE INDEX upgrade_returns_by_user ON upgrade_returns ("user");
    CREATE TABLE api_keys (
        id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "user"       TEXT COLLATE "C" NOT NULL,
        subscription TEXT COLLATE "C" NOT NULL UNIQUE,
        hash         TEXT COLLATE "C" UNIQUE,
        hint         TEXT,
        issued       BIGINT NOT NULL,
        revoked      BIGINT
    );
    CREATE UNIQUE INDEX api_keys_open ON api_keys ("user") WHERE revoked IS NULL;
    CREATE TABLE api_usage (
        "user" TEXT COLLATE "C" NOT NULL,
        month  TEXT COLLATE "C" NOT NULL,
        calls  BIGINT NOT NULL,
        PRIMARY KEY ("user", month)
    );
"#;

/// A key as it is kept: never its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub user: String,
    /// The subscription that it was issued for.
    pub subscription: String,
    /// How its owner recognises it; `None` until its text was shown.
    pub hint: Option<String>,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// How the subscription stands.
    pub paid_by: Option<Mirror>,
}

impl KeptKey {
    /// What it opens at `now`. Where its subscription was changed to pay for another plan, it waits for that to be
    /// changed back.
    pub fn opens(&self, now: Timestamp) -> Opens {
        let opens = self.paid_by.as_ref().map(|subscription| match Opens::of(subscription, now) {
            Opens::Everything if subscription.plan != PRO.id => Opens::Suspended,
            opens => opens,
        });
        opens.filter(|_| self.revoked.is_none()).unwrap_or(Opens::Nothing)
    }
}

/// What is kept of keys.
pub trait ApiKeys {
    /// Waits for a buyer's return.
    fn await_return(&mut self, it: &Awaited) -> Result<(), StoreError>;

    /// The return that is waited for to a session.
    fn awaited_return(&mut self, session: &str) -> Result<Option<Awaited>, StoreError>;

    /// The newest return that a user still owes: a second tab goes on with the session of the first.
    fn open_return(&mut self, user: &str, now: Timestamp) -> Result<Option<Awaited>, StoreError>;

    /// Marks a return as used; whether this was the first time.
    fn use_return(&mut self, session: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Issues the key of a subscription: once, and to a user who has none that is open. Whether it was issued now.
    fn issue(&mut self, user: &str, subscription: &str, now: Timestamp)
    -> Result<bool, StoreError>;

    /// The key of a user that was not revoked.
    fn key_of_user(&mut self, user: &str) -> Result<Option<KeptKey>, StoreError>;

    /// The key that has this text.
    fn key_of_text(&mut self, text: &KeyText) -> Result<Option<KeptKey>, StoreError>;

    /// Every key, the newest first.
    fn api_keys(&mut self) -> Result<Vec<KeptKey>, StoreError>;

    /// Gives a key its text, where it has none yet; whether it was this one. Who loses a race shows nothing.
    fn set_text(&mut self, key: i64, text: &KeyText) -> Result<bool, StoreError>;

    /// Takes a key's text away: what was shown opens nothing any more, and its owner may be shown another.
    fn clear_text(&mut self, key: i64) -> Result<bool, StoreError>;

    /// Revokes a key; whether it was open.
    fn revoke_key(&mut self, key: i64, now: Timestamp) -> Result<bool, StoreError>;

    /// Counts a call of a user's in a month that has `quota`; the calls so far, or `None` where all are spent.
    /// Counted is by user: a new key does not bring new calls.
    fn count_call(
        &mut self,
        user: &str,
        month: &Month,
        quota: u32,
    ) -> Result<Option<u32>, StoreError>;

    /// The calls of a user's in a month.
    fn calls(&mut self, user: &str, month: &Month) -> Result<u32, StoreError>;
}

const KEPT: &str = "SELECT api_keys.id, api_keys.\"user\", api_keys.subscription, hint, issued, revoked, \
                    customer, plan, status, until, ends FROM api_keys \
                    LEFT JOIN subscriptions ON provider = 'stripe' \
                    AND subscriptions.subscription = api_keys.subscription";

fn kept(row: &Found) -> Result<KeptKey, OddCell> {
    let (user, subscription): (String, String) = (row.get(1)?, row.get(2)?);
    let status: Option<String> = row.get(8)?;
    let paid_by = match status {
        Some(status) => Some(Mirror {
            subscription: subscription.clone(),
            user: Some(user.clone()),
            customer: row.get(6)?,
            plan: row.get(7)?,
            price: None,
            status,
            until: row.get(9)?,
            ends: row.get::<i64>(10)? != 0,
        }),
        None => None,
    };
    Ok(KeptKey {
        id: row.get(0)?,
        user,
        subscription,
        hint: row.get(3)?,
        issued: row.get(4)?,
        revoked: row.get(5)?,
        paid_by,
    })
}

const AWAITED: &str = "SELECT session, \"user\", hash, expires, used FROM upgrade_returns";

fn awaited(row: &Found) -> Result<Awaited, OddCell> {
    Ok(Awaited {
        session: row.get(0)?,
        user: row.get(1)?,
        hash: row.get(2)?,
        expires: row.get(3)?,
        used: row.get(4)?,
    })
}

impl ApiKeys for Within<'_> {
    fn await_return(&mut self, it: &Awaited) -> Result<(), StoreError> {
        let sql = "INSERT INTO upgrade_returns (session, \"user\", hash, expires) \
                   VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let values =
            [(&it.session).into(), (&it.user).into(), (&it.hash).into(), it.expires.into()];
        self.run(sql, &values).map(drop)
    }

    fn awaited_return(&mut self, session: &str) -> Result<Option<Awaited>, StoreError> {
        self.first(&format!("{AWAITED} WHERE session = ?1"), &[session.into()], awaited)
    }

    fn open_return(&mut self, user: &str, now: Timestamp) -> Result<Option<Awaited>, StoreError> {
        let sql = format!(
            "{AWAITED} WHERE \"user\" = ?1 AND used IS NULL AND expires > ?2 \
             ORDER BY expires DESC LIMIT 1"
        );
        self.first(&sql, &[user.into(), now.into()], awaited)
    }

    fn use_return(&mut self, session: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE upgrade_returns SET used = ?2 WHERE session = ?1 AND used IS NULL";
        Ok(self.run(sql, &[session.into(), now.into()])? > 0)
    }

    fn issue(
        &mut self,
        user: &str,
        subscription: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // A key whose subscription has ended is not in the way of the next, whether its end was heard of or not.
        if let Some(old) = self.key_of_user(user)?
            && old.opens(now) == Opens::Nothing
        {
            self.revoke_key(old.id, now)?;
        }
        let sql = "INSERT INTO api_keys (\"user\", subscription, issued) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        Ok(self.run(sql, &[user.into(), subscription.into(), now.into()])? > 0)
    }

    fn key_of_user(&mut self, user: &str) -> Result<Option<KeptKey>, StoreError> {
        let sql = format!("{KEPT} WHERE api_keys.\"user\" = ?1 AND revoked IS NULL");
        self.first(&sql, &[user.into()], kept)
    }

    fn key_of_text(&mut self, text: &KeyText) -> Result<Option<KeptKey>, StoreError> {
        self.first(&format!("{KEPT} WHERE hash = ?1"), &[text.hash().into()], kept)
    }

    fn api_keys(&mut self) -> Result<Vec<KeptKey>, StoreError> {
        self.all(&format!("{KEPT} ORDER BY api_keys.id DESC"), &[], kept)
    }

    fn set_text(&mut self, key: i64, text: &KeyText) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET hash = ?2, hint = ?3 \
                   WHERE id = ?1 AND hash IS NULL AND revoked IS NULL";
        Ok(self.run(sql, &[key.into(), text.hash().into(), text.hint().into()])? > 0)
    }

    fn clear_text(&mut self, key: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET hash = NULL, hint = NULL WHERE id = ?1 AND revoked IS NULL";
        Ok(self.run(sql, &[key.into()])? > 0)
    }

    fn revoke_key(&mut self, key: i64, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL";
        Ok(self.run(sql, &[key.into(), now.into()])? > 0)
    }

    fn count_call(
        &mut self,
        user: &str,
        month: &Month,
        quota: u32,
    ) -> Result<Option<u32>, StoreError> {
        let sql = "INSERT INTO api_usage (\"user\", month, calls) VALUES (?1, ?2, 1) \
                   ON CONFLICT (\"user\", month) DO UPDATE SET calls = api_usage.calls + 1 \
                   WHERE api_usage.calls < ?3 RETURNING calls";
        self.first(sql, &[user.into(), month.as_str().into(), quota.into()], |row| row.get(0))
    }

    fn calls(&mut self, user: &str, month: &Month) -> Result<u32, StoreError> {
        let sql = "SELECT calls FROM api_usage WHERE \"user\" = ?1 AND month = ?2";
        let found = self.first(sql, &[user.into(), month.as_str().into()], |row| row.get(0))?;
        Ok(found.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::base::Database;
    use crate::merchant::base::account::User;

    const NOW: Timestamp = Timestamp(1_000);

    struct Shop {
        database: Database,
        _folder: tempfile::TempDir,
    }

    fn shop() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("shop.db")).unwrap();
        Shop { database, _folder: folder }
    }

    fn paid_by(subscription: &str, status: &str, ends: bool) -> Mirror {
        Mirror {
            subscription: subscription.to_owned(),
            user: None,
            customer: None,
            plan: PRO.id.to_owned(),
            price: None,
            status: status.to_owned(),
            until: 2_000,
            ends,
        }
    }

    impl Shop {
        /// A user who has paid for a key.
        async fn buyer(&self, user: &str) {
            let id = user.to_owned();
            let done = self.database.change(move |base| {
                let email = format!("{id}@example.com");
                base.add_user(&User { id: id.clone(), email, created: NOW }, "")?;
                base.put_subscription(
                    "stripe",
                    &id,
                    &paid_by(&format!("sub_{id}"), "active", false),
                )
            });
            done.await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[expect(clippy::disallowed_methods, reason = "several at once, which the test waits for")]
    async fn fifty_times_two_at_once_issue_one_key_and_show_one_text() {
        let shop = shop();
        for round in 0..50 {
            let user = format!("u{round}");
            shop.buyer(&user).await;
            let race = |salt: u8| {
                let (database, user) = (shop.database.clone(), user.clone());
                tokio::spawn(async move {
                    let text = KeyText::of([salt; 24]);
                    let work = move |base: &mut dyn crate::merchant::base::Base| {
                        let issued = base.issue(&user, &format!("sub_{user}"), NOW)?;
                        let key = base.key_of_user(&user)?.expect("there is a key by now");
                        Ok((issued, base.set_text(key.id, &text)?))
                    };
                    database.change(work).await.unwrap()
                })
            };
            let (one, other) = (race(2 * round), race(2 * round + 1));
            let (one, other) = (one.await.unwrap(), other.await.unwrap());
            assert!(one.0 != other.0 && one.1 != other.1, "{one:?} {other:?}");
        }
        assert_eq!(shop.database.look(|base| base.api_keys()).await.unwrap().len(), 50);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[expect(clippy::disallowed_methods, reason = "several at once, which the test waits for")]
    async fn calls_at_once_are_counted_to_the_quota_and_no_further() {
        let shop = shop();
        let month = Month::of(NOW);
        let count = || {
            let (database, month) = (shop.database.clone(), month.clone());
            tokio::spawn(async move {
                database.change(move |base| base.count_call("u", &month, 10)).await.unwrap()
            })
        };
        let all: Vec<_> = (0..24).map(|_| count()).collect();
        let mut counted = Vec::new();
        for one in all {
            counted.extend(one.await.unwrap());
        }
        counted.sort_unstable();
        assert_eq!(counted, (1..=10).collect::<Vec<u32>>());
        let next = Month::of(month.end());
        let calls = shop.database.change(move |base| {
            Ok((
                base.calls("u", &month)?,
                base.count_call("u", &next, 10)?,
                base.calls("v", &next)?,
            ))
        });
        assert_eq!(calls.await.unwrap(), (10, Some(1), 0), "a new month, and nobody else's calls");
    }

    #[tokio::test]
    async fn a_key_lives_as_long_as_its_subscription_and_the_next_takes_its_place() {
        let shop = shop();
        shop.buyer("u").await;
        let done = shop.database.change(|base| {
            base.issue("u", "sub_u", NOW)?;
            let text = KeyText::of([1; 24]);
            let key = base.key_of_user("u")?.unwrap();
            assert_eq!((key.hint.clone(), key.opens(NOW)), (None, Opens::Everything));
            base.set_text(key.id, &text)?;
            let opens = |base: &mut dyn crate::merchant::base::Base, at| {
                let key = base.key_of_text(&KeyText::of([1; 24])).unwrap();
                key.map(|key| key.opens(Timestamp(at)))
            };
            assert_eq!(opens(base, 1_999), Some(Opens::Everything));
            base.put_subscription("stripe", "u", &paid_by("sub_u", "unpaid", false))?;
            assert_eq!(opens(base, 1_999), Some(Opens::Suspended));
            let other = Mirror { plan: "monthly".to_owned(), ..paid_by("sub_u", "active", false) };
            base.put_subscription("stripe", "u", &other)?;
            assert_eq!(opens(base, 1_999), Some(Opens::Suspended), "it pays for something else");
            assert!(!base.issue("u", "sub_next", NOW)?, "who has a key does not get a second one");
            base.put_subscription("stripe", "u", &paid_by("sub_u", "active", true))?;
            assert_eq!(opens(base, 1_999), Some(Opens::Everything));
            assert_eq!(opens(base, 2_000), Some(Opens::Nothing), "the period has ended");
            base.put_subscription("stripe", "u", &paid_by("sub_next", "active", false))?;
            assert!(base.issue("u", "sub_next", Timestamp(2_000))?);
            let kept: Vec<_> = base.api_keys()?.into_iter().map(|key| key.revoked).collect();
            assert_eq!(kept, [None, Some(Timestamp(2_000))]);
            // What is replaced opens nothing, and what is revoked is not shown again.
            let next = base.key_of_user("u")?.unwrap();
            base.set_text(next.id, &KeyText::of([2; 24]))?;
            base.clear_text(next.id)?;
            assert_eq!(base.key_of_text(&KeyText::of([2; 24]))?, None);
            assert!(base.set_text(next.id, &KeyText::of([3; 24]))?);
            assert!(base.revoke_key(next.id, NOW)? && !base.revoke_key(next.id, NOW)?);
            assert!(!base.clear_text(next.id)?);
            Ok(())
        });
        done.await.unwrap();
    }

    #[tokio::test]
    async fn a_return_is_used_once() {
        let shop = shop();
        let awaited = Awaited::new("cs_1", "u", "key", NOW);
        let done = shop.database.change(move |base| {
            base.await_return(&awaited)?;
            assert_eq!(base.open_return("u", NOW)?.as_ref(), Some(&awaited));
            assert_eq!(base.open_return("v", NOW)?, None);
            assert_eq!(base.open_return("u", awaited.expires)?, None);
            assert!(base.use_return("cs_1", NOW)? && !base.use_return("cs_1", NOW)?);
            assert_eq!(base.open_return("u", NOW)?, None);
            assert_eq!(base.awaited_return("cs_1")?.unwrap().used, Some(NOW));
            Ok(())
        });
        done.await.unwrap();
    }
}
