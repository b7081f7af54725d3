//! Facts of providers, and what follows from them: orders and subscriptions.

use crate::domain::time::Timestamp;
use crate::domain::trade::fact::Fact;
use crate::domain::trade::sale::{Sale, SaleStatus};
use crate::domain::trade::subscription::Mirror;
use crate::merchant::base::sqlite::Sqlite;
use crate::store::StoreError;
use crate::store::schema::unknown;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};

/// The second migration. That an order is one, whoever makes it first, is the word of its unique key.
pub(super) const SCHEMA: &str = "
    CREATE TABLE applied (
        provider TEXT NOT NULL,
        event    TEXT NOT NULL,
        at       INTEGER NOT NULL,
        PRIMARY KEY (provider, event)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reached (
        journal INTEGER PRIMARY KEY,
        line    INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE prices (
        provider TEXT NOT NULL,
        price    TEXT NOT NULL,
        plan     TEXT NOT NULL,
        credits  INTEGER NOT NULL,
        PRIMARY KEY (provider, price)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE facts (
        provider TEXT NOT NULL,
        subject  TEXT NOT NULL,
        said     TEXT NOT NULL,
        PRIMARY KEY (provider, subject, said)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE payments (
        provider TEXT NOT NULL,
        payment  TEXT NOT NULL,
        sale     TEXT NOT NULL,
        PRIMARY KEY (provider, payment, sale)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE orders (
        id           TEXT PRIMARY KEY,
        provider     TEXT NOT NULL,
        sale         TEXT NOT NULL,
        user         TEXT NOT NULL REFERENCES users (id),
        plan         TEXT NOT NULL,
        subscription TEXT,
        status       TEXT NOT NULL,
        amount       INTEGER NOT NULL,
        currency     TEXT NOT NULL,
        refunded     INTEGER NOT NULL,
        disputed     INTEGER NOT NULL,
        created      INTEGER NOT NULL,
        UNIQUE (provider, sale)
    ) STRICT;
    CREATE INDEX orders_by_user ON orders (user, created);
    CREATE TABLE subscriptions (
        provider     TEXT NOT NULL,
        subscription TEXT NOT NULL,
        user         TEXT NOT NULL REFERENCES users (id),
        customer     TEXT,
        plan         TEXT NOT NULL,
        status       TEXT NOT NULL,
        until        INTEGER NOT NULL,
        ends         INTEGER NOT NULL,
        PRIMARY KEY (provider, subscription)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX subscriptions_by_user ON subscriptions (user);
";

/// Something that a user has bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// `order_…`.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// What is sold at once, as the provider calls it: a Checkout Session, or the invoice of a period.
    pub sale: String,
    /// Who has bought it.
    pub user: String,
    /// The plan.
    pub plan: String,
    /// The subscription whose period it is.
    pub subscription: Option<String>,
    /// How it stands.
    pub status: SaleStatus,
    /// What it cost, in minor units.
    pub amount: i64,
    /// The currency's code.
    pub currency: String,
    /// How much went back by refunds.
    pub refunded: i64,
    /// How much the buyer's bank has taken.
    pub disputed: i64,
    /// When it was made.
    pub created: Timestamp,
}

impl Order {
    /// The order of `user` that a sale is.
    pub fn of(id: String, provider: &str, user: String, sale: &Sale) -> Self {
        let sold = &sale.sold;
        Self {
            id,
            provider: provider.to_owned(),
            sale: sold.sale.clone(),
            user,
            plan: sold.plan.clone(),
            subscription: sold.subscription.clone(),
            status: sale.status,
            amount: sold.amount,
            currency: sold.currency.clone(),
            refunded: sale.refunded,
            disputed: sale.disputed,
            created: Timestamp(sold.at),
        }
    }
}

/// What is kept of facts, orders and subscriptions.
pub trait Orders {
    /// Notes that an event was worked in; `false` where it was before.
    fn apply(&mut self, provider: &str, event: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Notes what a price gives: its plan and credits. What was noted once stays, for what was sold by it.
    fn put_price(
        &mut self,
        provider: &str,
        price: &str,
        plan: &str,
        credits: i64,
    ) -> Result<(), StoreError>;

    /// The plan and the credits that a price gives, where it was ever sold here.
    fn price(&mut self, provider: &str, price: &str) -> Result<Option<(String, i64)>, StoreError>;

    /// Up to which line of a journal everything was worked in.
    fn reached(&mut self, journal: i64) -> Result<i64, StoreError>;

    /// Notes that.
    fn reach(&mut self, journal: i64, line: i64) -> Result<(), StoreError>;

    /// Keeps a fact; `false` where it is known.
    fn learn(&mut self, provider: &str, fact: &Fact) -> Result<bool, StoreError>;

    /// What is known of a subject.
    fn facts(&mut self, provider: &str, subject: &str) -> Result<Vec<Fact>, StoreError>;

    /// Notes that a payment pays a sale.
    fn link(&mut self, provider: &str, payment: &str, sale: &str) -> Result<(), StoreError>;

    /// The sales that a payment pays.
    fn sales_of(&mut self, provider: &str, payment: &str) -> Result<Vec<String>, StoreError>;

    /// Makes an order, or brings the one of this sale up to date, which keeps its id and its user.
    fn put_order(&mut self, order: &Order) -> Result<(), StoreError>;

    /// The order of a sale.
    fn order_of(&mut self, provider: &str, sale: &str) -> Result<Option<Order>, StoreError>;

    /// A user's orders, the newest first; everybody's, where no user is named.
    fn orders(&mut self, user: Option<&str>, most: u32) -> Result<Vec<Order>, StoreError>;

    /// Keeps how a subscription stands.
    fn put_subscription(
        &mut self,
        provider: &str,
        user: &str,
        mirror: &Mirror,
    ) -> Result<(), StoreError>;

    /// A user's subscriptions.
    fn subscriptions(&mut self, user: &str) -> Result<Vec<Mirror>, StoreError>;
}

const ORDER: &str = "SELECT id, provider, sale, user, plan, subscription, status, amount, currency, \
                     refunded, disputed, created FROM orders";

fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    let status: String = row.get(6)?;
    Ok(Order {
        id: row.get(0)?,
        provider: row.get(1)?,
        sale: row.get(2)?,
        user: row.get(3)?,
        plan: row.get(4)?,
        subscription: row.get(5)?,
        status: SaleStatus::read(&status).ok_or_else(|| unknown(6, &status))?,
        amount: row.get(7)?,
        currency: row.get(8)?,
        refunded: row.get(9)?,
        disputed: row.get(10)?,
        created: Timestamp(row.get(11)?),
    })
}

fn fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let said: String = row.get(0)?;
    serde_json::from_str(&said)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

fn mirror(row: &Row<'_>) -> rusqlite::Result<Mirror> {
    Ok(Mirror {
        subscription: row.get(0)?,
        user: row.get(1)?,
        customer: row.get(2)?,
        plan: row.get(3)?,
        price: None,
        status: row.get(4)?,
        until: row.get(5)?,
        ends: row.get(6)?,
    })
}

impl Orders for Sqlite<'_> {
    fn apply(&mut self, provider: &str, event: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "INSERT INTO applied (provider, event, at) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        let values = params![provider, event, now.0];
        self.run(|it| Ok(it.prepare_cached(sql)?.execute(values)? > 0))
    }

    fn put_price(
        &mut self,
        provider: &str,
        price: &str,
        plan: &str,
        credits: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO prices (provider, price, plan, credits) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
        self.run(|it| it.prepare_cached(sql)?.execute(params![provider, price, plan, credits]))?;
        Ok(())
    }

    fn price(&mut self, provider: &str, price: &str) -> Result<Option<(String, i64)>, StoreError> {
        let sql = "SELECT plan, credits FROM prices WHERE provider = ?1 AND price = ?2";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.run(|it| it.prepare_cached(sql)?.query_row([provider, price], read).optional())
    }

    fn reached(&mut self, journal: i64) -> Result<i64, StoreError> {
        let sql = "SELECT COALESCE(MAX(line), 0) FROM reached WHERE journal = ?1";
        self.run(|it| it.prepare_cached(sql)?.query_row([journal], |row| row.get(0)))
    }

    fn reach(&mut self, journal: i64, line: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO reached (journal, line) VALUES (?1, ?2) \
                   ON CONFLICT (journal) DO UPDATE SET line = MAX(line, excluded.line)";
        self.run(|it| it.prepare_cached(sql)?.execute([journal, line]))?;
        Ok(())
    }

    fn learn(&mut self, provider: &str, fact: &Fact) -> Result<bool, StoreError> {
        let sql = "INSERT INTO facts (provider, subject, said) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        self.run(|it| {
            let said = serde_json::to_string(fact)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let values = params![provider, fact.subject(), said];
            Ok(it.prepare_cached(sql)?.execute(values)? > 0)
        })
    }

    fn facts(&mut self, provider: &str, subject: &str) -> Result<Vec<Fact>, StoreError> {
        let sql = "SELECT said FROM facts WHERE provider = ?1 AND subject = ?2 ORDER BY said";
        self.run(|it| it.prepare_cached(sql)?.query_map([provider, subject], fact)?.collect())
    }

    fn link(&mut self, provider: &str, payment: &str, sale: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO payments (provider, payment, sale) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        self.run(|it| it.prepare_cached(sql)?.execute([provider, payment, sale]))?;
        Ok(())
    }

    fn sales_of(&mut self, provider: &str, payment: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT sale FROM payments WHERE provider = ?1 AND payment = ?2";
        self.run(|it| {
            it.prepare_cached(sql)?.query_map([provider, payment], |row| row.get(0))?.collect()
        })
    }

    fn put_order(&mut self, order: &Order) -> Result<(), StoreError> {
        let sql = "INSERT INTO orders (id, provider, sale, user, plan, subscription, status, amount, \
                   currency, refunded, disputed, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
                   ON CONFLICT (provider, sale) DO UPDATE SET plan = excluded.plan, \
                   subscription = excluded.subscription, status = excluded.status, \
                   amount = excluded.amount, currency = excluded.currency, \
                   refunded = excluded.refunded, disputed = excluded.disputed, \
                   created = excluded.created";
        self.run(|it| {
            it.prepare_cached(sql)?.execute(params![
                order.id,
                order.provider,
                order.sale,
                order.user,
                order.plan,
                order.subscription,
                order.status.name(),
                order.amount,
                order.currency,
                order.refunded,
                order.disputed,
                order.created.0,
            ])
        })?;
        Ok(())
    }

    fn order_of(&mut self, provider: &str, sale: &str) -> Result<Option<Order>, StoreError> {
        let sql = format!("{ORDER} WHERE provider = ?1 AND sale = ?2");
        self.run(|it| it.prepare_cached(&sql)?.query_row([provider, sale], order).optional())
    }

    fn orders(&mut self, user: Option<&str>, most: u32) -> Result<Vec<Order>, StoreError> {
        let sql =
            format!("{ORDER} WHERE ?1 IS NULL OR user = ?1 ORDER BY created DESC, id LIMIT ?2");
        self.run(|it| it.prepare_cached(&sql)?.query_map(params![user, most], order)?.collect())
    }

    fn put_subscription(
        &mut self,
        provider: &str,
        user: &str,
        mirror: &Mirror,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO subscriptions \
                   (provider, subscription, user, customer, plan, status, until, ends) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                   ON CONFLICT (provider, subscription) DO UPDATE SET customer = excluded.customer, \
                   plan = excluded.plan, status = excluded.status, until = excluded.until, \
                   ends = excluded.ends";
        self.run(|it| {
            it.prepare_cached(sql)?.execute(params![
                provider,
                mirror.subscription,
                user,
                mirror.customer,
                mirror.plan,
                mirror.status,
                mirror.until,
                mirror.ends,
            ])
        })?;
        Ok(())
    }

    fn subscriptions(&mut self, user: &str) -> Result<Vec<Mirror>, StoreError> {
        let sql = "SELECT subscription, user, customer, plan, status, until, ends \
                   FROM subscriptions WHERE user = ?1 ORDER BY until DESC, subscription";
        self.run(|it| it.prepare_cached(sql)?.query_map([user], mirror)?.collect())
    }
}
