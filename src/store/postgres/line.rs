//! Rows as values of the domain.

use crate::domain::book::fact::{Claim, Fact, Key, Kind, What};
use crate::domain::book::line::{Apart, Line, Meaning, Source};
use crate::domain::book::{Account, Entry, Reason};
use crate::domain::currency::Currency;
use crate::domain::entry::{CheckoutRecord, EntryStatus};
use crate::domain::time::Timestamp;
use crate::store::pack;
use crate::store::postgres::{PgError, Row};
use std::collections::BTreeMap;

/// The columns that [`line()`] reads.
pub(super) const LINE: &str =
    "id, type, object, created, livemode, received, via, signed, secret, apart, body, seq, pack";

/// A row of [`LINE`] with its number, what it means worked out again.
pub(super) fn line(row: &Row) -> Result<(i64, Line), PgError> {
    let via: &str = row.get(6)?;
    let source = match (via, row.get::<Option<i64>>(7)?, row.get::<Option<String>>(8)?) {
        ("webhook", Some(signed), Some(secret)) => {
            Source::Webhook { signed: Timestamp(signed), secret }
        }
        ("poll", None, None) => Source::Poll,
        ("seen", None, None) => Source::Seen,
        ("carried", None, None) => Source::Carried,
        _ => return Err(PgError::unknown(via)),
    };
    let apart: Option<&str> = row.get(9)?;
    let kind: String = row.get(1)?;
    let body = body(row, 10, 12)?;
    let line = Line {
        id: row.get(0)?,
        meaning: Meaning::again(&kind, apart.is_some(), &body),
        kind,
        object: row.get(2)?,
        created: Timestamp(row.get(3)?),
        livemode: row.get(4)?,
        received: Timestamp(row.get(5)?),
        source,
        apart: apart.map(|_| Apart::OtherMode),
        body,
    };
    Ok((row.get(11)?, line))
}

/// The bytes that came, of the columns `body` and `pack`.
pub(super) fn body(row: &Row, body: usize, pack: usize) -> Result<Vec<u8>, PgError> {
    let (kept, pack): (&[u8], Option<i64>) = (row.get(body)?, row.get(pack)?);
    pack::alone_opened(kept, pack).map_err(|error| PgError::Odd(error.to_string()))
}

pub(super) fn currency(row: &Row, at: usize) -> Result<Currency, PgError> {
    row.word(at, |text| text.parse().ok())
}

/// The columns that [`checkout`] reads.
pub(super) const CHECKOUT: &str =
    "session_id, amount, currency, settled, created, updated, payment_intent, event_id";

/// A row of [`CHECKOUT`].
pub(super) fn checkout(row: &Row) -> Result<CheckoutRecord, PgError> {
    Ok(CheckoutRecord {
        session_id: row.get(0)?,
        amount: row.get(1)?,
        currency: currency(row, 2)?,
        status: row.word(3, EntryStatus::read)?,
        created: Timestamp(row.get(4)?),
        updated: Timestamp(row.get(5)?),
        payment_intent: row.get(6)?,
        event_id: row.get(7)?,
    })
}

/// The columns that [`fact`] reads.
pub(super) const FACT: &str = "subject, object, kind, what, amount, currency, detail, at";

/// A row of [`FACT`].
pub(super) fn fact(row: &Row) -> Result<Fact, PgError> {
    Ok(Fact {
        subject: row.get(0)?,
        key: Key {
            object: row.get(1)?,
            kind: row.word(2, Kind::read)?,
            what: row.word(3, What::read)?,
        },
        claim: Claim { amount: row.get(4)?, currency: currency(row, 5)?, detail: row.get(6)? },
        at: Timestamp(row.get(7)?),
    })
}

/// Postings by the number of their entry, of rows of `entry, account, currency, amount`.
pub(super) type Postings = BTreeMap<i64, Vec<(Account, Currency, i64)>>;

/// Reads them.
pub(super) fn postings(rows: &[Row]) -> Result<Postings, PgError> {
    let mut found = Postings::new();
    for row in rows {
        let one = (row.word(1, Account::read)?, currency(row, 2)?, row.get(3)?);
        found.entry(row.get(0)?).or_default().push(one);
    }
    Ok(found)
}

/// The entry of these columns; it is checked again that it sums to zero.
pub(super) fn entry(
    object: &str,
    reason: Reason,
    postings: Option<Vec<(Account, Currency, i64)>>,
) -> Result<Entry, PgError> {
    let made = Entry::new(object, reason, postings.unwrap_or_default());
    made.map_err(|error| PgError::Odd(error.to_string()))
}

/// A sum that the server counted in digits of any number, as far as it can be counted here.
pub(super) fn sum(row: &Row, at: usize) -> Result<i128, PgError> {
    row.word(at, |text| text.parse().ok())
}
