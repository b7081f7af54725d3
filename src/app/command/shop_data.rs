//! What the shop has in its own database, for whoever runs it: orders, credits, keys of its API, its key-value table. A shop
//! that is at work meanwhile is not in the way: each is one transaction.

use crate::app::context::Context;
use crate::app::given::{Asked, Given};
use crate::app::shop_database;
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::merchant::api_key::{KeyText, Opens};
use crate::domain::merchant::kv::{self, Place, Wrong};
use crate::domain::merchant::quota::PRO;
use crate::domain::merchant_command::Kept;
use crate::domain::report::{Objects, Report};
use crate::domain::time::Timestamp;
use crate::domain::trade::credit::Reason;
use crate::merchant::account::{self, new_id};
use crate::merchant::base::Base;
use crate::merchant::base::account::User;
use crate::merchant::base::api_key::KeptKey;
use crate::merchant::base::credit::CreditEntry;
use crate::merchant::base::order::Order;
use crate::os::entropy::secret_bytes;
use crate::store::StoreError;
use serde_json::{Value, json};

/// Who gives by hand, where a provider stands otherwise.
const BY_HAND: &str = "shop";

/// The rows that something comes to, or why it comes to none, and what to type next.
type Rows = Result<Vec<Value>, KeptError>;

/// Why something is not done.
#[derive(Debug)]
struct KeptError {
    kind: Box<FaultKind>,
    next: Option<String>,
}

impl KeptError {
    fn missing(what: String, next: &str) -> Self {
        Self { kind: Box::new(FaultKind::NotFound { what }), next: Some(next.to_owned()) }
    }

    fn nobody(named: &str) -> Self {
        Self::missing(format!("user `{named}`"), "order list")
    }
}

/// Does it.
pub async fn run(context: &Context, asked: Asked, kept: Kept) -> Result<Report, Fault> {
    let database = shop_database::open_known(context).await?;
    let (noun, now) = (asked.command.shows, context.clock.now());
    let job = Job { asked, now };
    let page = job.page();
    let done = database.change(move |base| job.work(base, kept)).await;
    let rows = done.map_err(|error| shop_database::fault(context, &error))?;
    let rows = rows.map_err(|refusal| Fault::from(*refusal.kind).followed_by(refusal.next))?;
    if !kept.is_list() {
        return Ok(Report::Objects(Objects { noun, rows, is_list: false, has_more: false }));
    }
    let (rows, has_more) = page.of(rows);
    Ok(Report::Objects(Objects { noun, rows, is_list: true, has_more }))
}

/// Which rows of a list are shown.
struct Page {
    after: Option<String>,
    limit: usize,
}

impl Page {
    fn of(&self, rows: Vec<Value>) -> (Vec<Value>, bool) {
        let is_last = |row: &Value| row.get("id").and_then(Value::as_str) == self.after.as_deref();
        let skipped = match self.after {
            Some(_) => rows.iter().position(is_last).map_or(rows.len(), |at| at + 1),
            None => 0,
        };
        let has_more = rows.len() > skipped.saturating_add(self.limit);
        (rows.into_iter().skip(skipped).take(self.limit).collect(), has_more)
    }
}

struct Job {
    asked: Asked,
    now: Timestamp,
}

impl Job {
    fn text(&self, name: &str) -> Option<&str> {
        match self.asked.given.get(name) {
            Some(Given::One(text)) => Some(text),
            Some(Given::Pairs(_)) | None => None,
        }
    }

    fn word(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.word(name).parse().unwrap_or_default()
    }

    fn page(&self) -> Page {
        let limit = usize::try_from(self.number("limit")).unwrap_or(usize::MAX);
        Page { after: self.text("after").map(str::to_owned), limit: limit.max(1) }
    }

    fn work(&self, base: &mut dyn Base, kept: Kept) -> Result<Rows, StoreError> {
        match kept {
            Kept::Orders => self.orders(base),
            Kept::Order => self.order(base),
            Kept::Credits => self.credits(base),
            Kept::Grant => self.grant(base),
            Kept::Keys => {
                let keys = base.api_keys()?;
                keys.iter()
                    .map(|key| key_row(base, key, self.now))
                    .collect::<Result<_, _>>()
                    .map(Ok)
            }
            Kept::Issue => self.issue(base),
            Kept::Revoke => self.revoke(base),
            Kept::Values => {
                let namespace = self.word("namespace");
                let rows = base.values(namespace)?.into_iter();
                Ok(Ok(rows.map(|(key, value)| value_row(namespace, &key, &value)).collect()))
            }
            Kept::Value => {
                let place = match self.place() {
                    Ok(place) => place,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let next = format!("kv list {}", place.namespace());
                let found = base.value(&place)?;
                let row =
                    found.map(|value| vec![value_row(place.namespace(), place.key(), &value)]);
                Ok(row.ok_or_else(|| KeptError::missing(format!("`{place}`"), &next)))
            }
            Kept::SetValue => self.set_value(base),
        }
    }

    /// The user whom an argument names, by address or id.
    fn user(&self, base: &mut dyn Base) -> Result<Result<User, KeptError>, StoreError> {
        let named = self.word("user");
        let found = match account::email(named) {
            Some(email) => base.user_by_email(&email)?.map(|(user, _)| user),
            None => base.user(named)?,
        };
        Ok(found.ok_or_else(|| KeptError::nobody(named)))
    }

    fn orders(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        let user = match self.text("user") {
            None => None,
            Some(_) => match self.user(base)? {
                Ok(user) => Some(user.id),
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let orders = base.orders(user.as_deref(), u32::MAX)?;
        let fits = |name: &str, found: &str| self.text(name).is_none_or(|it| it == found);
        let wanted = orders.iter().filter(|order| {
            fits("provider", &order.provider) && fits("status", order.status.name())
        });
        wanted.map(|order| order_row(base, order)).collect::<Result<_, _>>().map(Ok)
    }

    fn order(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        let all = base.orders(None, u32::MAX)?;
        let wanted = self.text("order");
        let is_it = |it: &&Order| {
            wanted.is_none_or(|wanted| [&it.id, &it.sale].into_iter().any(|id| id == wanted))
        };
        if let Some(order) = all.iter().find(is_it) {
            return Ok(Ok(vec![order_row(base, order)?]));
        }
        let what = wanted.map_or_else(|| "order".to_owned(), |it| format!("order `{it}`"));
        Ok(Err(KeptError::missing(what, if wanted.is_some() { "order list" } else { "shop" })))
    }

    fn credits(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        let user = match self.user(base)? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let entries = base.credit_entries(&user.id, u32::MAX)?;
        let mut row = json!({
            "id": user.id, "email": user.email, "credits": base.credits(&user.id)?,
            "entries": entries.len(), "last": entries.first().map(|it| it.at.0),
        });
        for reason in Reason::ALL {
            let own = entries.iter().filter(|it| it.reason == reason).map(|it| it.amount);
            if let Some(row) = row.as_object_mut() {
                row.insert(reason.name().to_owned(), json!(own.sum::<i64>()));
            }
        }
        Ok(Ok(vec![row]))
    }

    fn grant(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        match self.user(base)? {
            Ok(user) => base.add_credits(&CreditEntry {
                user: user.id,
                provider: BY_HAND.to_owned(),
                sale: new_id("grant_")?,
                reason: Reason::Grant,
                amount: self.number("credits"),
                at: self.now,
            })?,
            Err(refusal) => return Ok(Err(refusal)),
        }
        self.credits(base)
    }

    /// Issues the key that a user has paid for, and draws its text where nobody was shown one.
    fn issue(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        let user = match self.user(base)? {
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let now = self.now;
        let paid = base.subscriptions(&user.id)?.into_iter();
        let mut paid =
            paid.filter(|it| it.plan == PRO.id && Opens::of(it, now) == Opens::Everything);
        if let Some(subscription) = paid.next() {
            base.issue(&user.id, &subscription.subscription, now)?;
        }
        let key = base.key_of_user(&user.id)?.filter(|key| key.opens(now) != Opens::Nothing);
        let Some(key) = key else {
            let what = format!("subscription of `{}` to `{}`", user.email, PRO.id);
            return Ok(Err(KeptError::missing(what, "shop")));
        };
        if self.text("replace").is_some() {
            base.clear_text(key.id)?;
        }
        let random = secret_bytes()
            .map_err(|error| StoreError::Io { path: "random".into(), reason: error.to_string() })?;
        let drawn = KeyText::of(random);
        let is_new = base.set_text(key.id, &drawn)?;
        let key = base.key_of_user(&user.id)?.unwrap_or(key);
        let mut row = key_row(base, &key, now)?;
        if let (true, Some(row)) = (is_new, row.as_object_mut()) {
            row.insert("key".to_owned(), json!(drawn.reveal()));
        }
        Ok(Ok(vec![row]))
    }

    fn revoke(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        let id = self.number("api-key");
        base.revoke_key(id, self.now)?;
        match base.api_keys()?.into_iter().find(|key| key.id == id) {
            Some(key) => Ok(Ok(vec![key_row(base, &key, self.now)?])),
            None => Ok(Err(KeptError::missing(format!("key `{id}`"), "api-key list"))),
        }
    }

    fn place(&self) -> Result<Place, KeptError> {
        Place::new(self.word("namespace"), self.word("key")).map_err(|wrong| self.wrong(wrong))
    }

    fn wrong(&self, wrong: Wrong) -> KeptError {
        let (name, expected) = match wrong {
            Wrong::Namespace => ("namespace", "a-z, 0-9, _ (1-40)"),
            Wrong::Key => ("key", "1-200 bytes"),
            Wrong::Value => ("value", "0-4096 bytes"),
        };
        let usage_error = UsageError::BadValue {
            flag: name.to_owned(),
            value: self.word(name).chars().take(80).collect(),
            expected: expected.to_owned(),
        };
        let command = format!("stripegym {}", self.asked.command.words);
        KeptError { kind: Box::new(FaultKind::Usage { usage_error, command }), next: None }
    }

    fn set_value(&self, base: &mut dyn Base) -> Result<Rows, StoreError> {
        let value = kv::value(self.word("value")).map_err(|wrong| self.wrong(wrong));
        match self.place().and_then(|place| Ok((place, value?))) {
            Ok((place, value)) => {
                base.set_value(&place, value)?;
                Ok(Ok(vec![value_row(place.namespace(), place.key(), value)]))
            }
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

fn email(base: &mut dyn Base, user: &str) -> Result<Option<String>, StoreError> {
    Ok(base.user(user)?.map(|it| it.email))
}

fn order_row(base: &mut dyn Base, it: &Order) -> Result<Value, StoreError> {
    Ok(json!({
        "id": it.id, "user": it.user, "email": email(base, &it.user)?, "plan": it.plan,
        "provider": it.provider, "sale": it.sale, "subscription": it.subscription,
        "status": it.status.name(), "amount": it.amount, "currency": it.currency,
        "refunded": it.refunded, "disputed": it.disputed, "created": it.created.0,
    }))
}

fn key_row(base: &mut dyn Base, key: &KeptKey, now: Timestamp) -> Result<Value, StoreError> {
    let opens = match key.opens(now) {
        Opens::Everything => "everything",
        Opens::Suspended => "suspended",
        Opens::Nothing => "nothing",
    };
    Ok(json!({
        "id": key.id.to_string(), "user": key.user, "email": email(base, &key.user)?,
        "subscription": key.subscription, "hint": key.hint, "opens": opens,
        "issued": key.issued.0, "revoked": key.revoked.map(|it| it.0),
    }))
}

fn value_row(namespace: &str, key: &str, value: &str) -> Value {
    json!({ "id": key, "namespace": namespace, "value": value })
}
