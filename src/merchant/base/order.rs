//! Facts of providers, and what follows from them: orders and subscriptions.

use crate::domain::time::Timestamp;
use crate::domain::trade::fact::Fact;
use crate::domain::trade::sale::{Sale, SaleStatus};
use crate::domain::trade::subscription::Mirror;
use crate::store::StoreError;
use crate::store::tables::Within;
use crate::store::tables::cell::{Found, OddCell};

/// The second migration of a file. That an order is one, whoever makes it first, is the word of its unique key.
pub(super) const OF_FILE: &str = "
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

/// The second migration of a server.
pub(super) const OF_SERVER: &str = r#"
    CREATE TABLE applied (
        provider TEXT COLLATE "C" NOT NULL,
        event    TEXT COLLATE "C" NOT NULL,
        at       BIGINT NOT NULL,
        PRIMARY KEY (provider, event)
    );
    CREATE TABLE reached (
        journal BIGINT PRIMARY KEY,
        line    BIGINT NOT NULL
    );
    CREATE TABLE prices (
        provider TEXT COLLATE "C" NOT NULL,
        price    TEXT COLLATE "C" NOT NULL,
        plan     TEXT COLLATE "C" NOT NULL,
        credits  BIGINT NOT NULL,
        PRIMARY KEY (provider, price)
    );
    CREATE TABLE facts (
        provider TEXT COLLATE "C" NOT NULL,
        subject  TEXT COLLATE "C" NOT NULL,
        said     TEXT COLLATE "C" NOT NULL
    );
    -- What is said may be longer than an entry of an index.
    CREATE UNIQUE INDEX facts_once ON facts (provider, subject, md5(said));
    CREATE TABLE payments (
        provider TEXT COLLATE "C" NOT NULL,
        payment  TEXT COLLATE "C" NOT NULL,
        sale     TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (provider, payment, sale)
    );
    CREATE TABLE orders (
        id           TEXT COLLATE "C" PRIMARY KEY,
        provider     TEXT COLLATE "C" NOT NULL,
        sale         TEXT COLLATE "C" NOT NULL,
        "user"       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        plan         TEXT COLLATE "C" NOT NULL,
        subscription TEXT COLLATE "C",
        status       TEXT COLLATE "C" NOT NULL,
        amount       BIGINT NOT NULL,
        currency     TEXT COLLATE "C" NOT NULL,
        refunded     BIGINT NOT NULL,
        disputed     BIGINT NOT NULL,
        created      BIGINT NOT NULL,
        UNIQUE (provider, sale)
    );
    CREATE INDEX orders_by_user ON orders ("user", created);
    CREATE TABLE subscriptions (
        provider     TEXT COLLATE "C" NOT NULL,
        subscription TEXT COLLATE "C" NOT NULL,
        "user"       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
        customer     TEXT COLLATE "C",
        plan         TEXT COLLATE "C" NOT NULL,
        status       TEXT COLLATE "C" NOT NULL,
        until        BIGINT NOT NULL,
        ends         BIGINT NOT NULL,
        PRIMARY KEY (provider, subscription)
    );
    CREATE INDEX subscriptions_by_user ON subscriptions ("user");
"#;

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

const ORDER: &str = "SELECT id, provider, sale, \"user\", plan, subscription, status, amount, currency, \
                     refunded, disputed, created FROM orders";

fn order(row: &Found) -> Result<Order, OddCell> {
    Ok(Order {
        id: row.get(0)?,
        provider: row.get(1)?,
        sale: row.get(2)?,
        user: row.get(3)?,
        plan: row.get(4)?,
        subscription: row.get(5)?,
        status: row.word(6, SaleStatus::read)?,
        amount: row.get(7)?,
        currency: row.get(8)?,
        refunded: row.get(9)?,
        disputed: row.get(10)?,
        created: row.get(11)?,
    })
}

fn mirror(row: &Found) -> Result<Mirror, OddCell> {
    Ok(Mirror {
        subscription: row.get(0)?,
        user: row.get(1)?,
        customer: row.get(2)?,
        plan: row.get(3)?,
        price: None,
        status: row.get(4)?,
        until: row.get(5)?,
        // Kept as a number: one of the two engines knows nothing else.
        ends: row.get::<i64>(6)? != 0,
    })
}

impl Orders for Within<'_> {
    fn apply(&mut self, provider: &str, event: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "INSERT INTO applied (provider, event, at) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        Ok(self.run(sql, &[provider.into(), event.into(), now.into()])? > 0)
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
        let values = [provider.into(), price.into(), plan.into(), credits.into()];
        self.run(sql, &values).map(drop)
    }

    fn price(&mut self, provider: &str, price: &str) -> Result<Option<(String, i64)>, StoreError> {
        let sql = "SELECT plan, credits FROM prices WHERE provider = ?1 AND price = ?2";
        let values = [provider.into(), price.into()];
        self.first(sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn reached(&mut self, journal: i64) -> Result<i64, StoreError> {
        let sql = "SELECT line FROM reached WHERE journal = ?1";
        Ok(self.first(sql, &[journal.into()], |row| row.get(0))?.unwrap_or_default())
    }

    fn reach(&mut self, journal: i64, line: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO reached (journal, line) VALUES (?1, ?2) \
                   ON CONFLICT (journal) DO UPDATE SET line = excluded.line \
                   WHERE excluded.line > reached.line";
        self.run(sql, &[journal.into(), line.into()]).map(drop)
    }

    fn learn(&mut self, provider: &str, fact: &Fact) -> Result<bool, StoreError> {
        let sql = "INSERT INTO facts (provider, subject, said) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        let said = serde_json::to_string(fact).map_err(|error| self.odd(error.to_string()))?;
        Ok(self.run(sql, &[provider.into(), fact.subject().into(), said.into()])? > 0)
    }

    fn facts(&mut self, provider: &str, subject: &str) -> Result<Vec<Fact>, StoreError> {
        let sql = "SELECT said FROM facts WHERE provider = ?1 AND subject = ?2 ORDER BY said";
        let read = |row: &Found| row.word(0, |said| serde_json::from_str(said).ok());
        self.all(sql, &[provider.into(), subject.into()], read)
    }

    fn link(&mut self, provider: &str, payment: &str, sale: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO payments (provider, payment, sale) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO NOTHING";
        self.run(sql, &[provider.into(), payment.into(), sale.into()]).map(drop)
    }

    fn sales_of(&mut self, provider: &str, payment: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT sale FROM payments WHERE provider = ?1 AND payment = ?2 ORDER BY sale";
        self.all(sql, &[provider.into(), payment.into()], |row| row.get(0))
    }

    fn put_order(&mut self, order: &Order) -> Result<(), StoreError> {
        let sql = "INSERT INTO orders (id, provider, sale, \"user\", plan, subscription, status, amount, \
                   currency, refunded, disputed, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
                   ON CONFLICT (provider, sale) DO UPDATE SET plan = excluded.plan, \
                   subscription = excluded.subscription, status = excluded.status, \
                   amount = excluded.amount, currency = excluded.currency, \
                   refunded = excluded.refunded, disputed = excluded.disputed, \
                   created = excluded.created";
        let values = [
            (&order.id).into(),
            (&order.provider).into(),
            (&order.sale).into(),
            (&order.user).into(),
            (&order.plan).into(),
            order.subscription.as_deref().into(),
            order.status.name().into(),
            order.amount.into(),
            (&order.currency).into(),
            order.refunded.into(),
            order.disputed.into(),
            order.created.into(),
        ];
        self.run(sql, &values).map(drop)
    }

    fn order_of(&mut self, provider: &str, sale: &str) -> Result<Option<Order>, StoreError> {
        let sql = format!("{ORDER} WHERE provider = ?1 AND sale = ?2");
        self.first(&sql, &[provider.into(), sale.into()], order)
    }

    fn orders(&mut self, user: Option<&str>, most: u32) -> Result<Vec<Order>, StoreError> {
        let sql = format!(
            "{ORDER} WHERE CAST(?1 AS TEXT) IS NULL OR \"user\" = ?1 \
             ORDER BY created DESC, id LIMIT ?2"
        );
        self.all(&sql, &[user.into(), most.into()], order)
    }

    fn put_subscription(
        &mut self,
        provider: &str,
        user: &str,
        mirror: &Mirror,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO subscriptions \
                   (provider, subscription, \"user\", customer, plan, status, until, ends) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                   ON CONFLICT (provider, subscription) DO UPDATE SET customer = excluded.customer, \
                   plan = excluded.plan, status = excluded.status, until = excluded.until, \
                   ends = excluded.ends";
        let values = [
            provider.into(),
            (&mirror.subscription).into(),
            user.into(),
            mirror.customer.as_deref().into(),
            (&mirror.plan).into(),
            (&mirror.status).into(),
            mirror.until.into(),
            i64::from(mirror.ends).into(),
        ];
        self.run(sql, &values).map(drop)
    }

    fn subscriptions(&mut self, user: &str) -> Result<Vec<Mirror>, StoreError> {
        let sql = "SELECT subscription, \"user\", customer, plan, status, until, ends \
                   FROM subscriptions WHERE \"user\" = ?1 ORDER BY until DESC, subscription";
        self.all(sql, &[user.into()], mirror)
    }
}
