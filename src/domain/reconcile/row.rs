//! A row of either side, and how it is written into sorted runs.

use crate::domain::currency::Currency;
use crate::domain::entry::{CheckoutRecord, EntryStatus, with_refunds};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A payment, or an attempt at one.
    Payment,
    /// Money that went back; it belongs to its payment.
    Refund,
    /// Money that the payer's bank took.
    Dispute,
    /// Money that left for the bank.
    Payout,
    /// Anything else that moved the balance.
    Other,
}

impl What {
    /// Every kind of row.
    pub const ALL: [Self; 5] =
        [Self::Payment, Self::Refund, Self::Dispute, Self::Payout, Self::Other];

    /// The kind of a `reporting_category` or `type` of a balance transaction, or of an object.
    pub fn of_category(text: &str) -> Self {
        match text {
            "charge" | "payment" | "payment_intent" | "checkout.session" => Self::Payment,
            "refund" | "payment_refund" | "refund_failure" | "payment_failure_refund" => {
                Self::Refund
            }
            "dispute" | "dispute_reversal" => Self::Dispute,
            "payout" | "payout_reversal" | "payout_failure" | "payout_cancel" => Self::Payout,
            _ => Self::Other,
        }
    }

    /// The reporting category that stands for it where a row names none.
    pub const fn category(self) -> &'static str {
        match self {
            Self::Payment => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Payout => "payout",
            Self::Other => "other",
        }
    }
}

/// By what rows find each other, the surest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The PaymentIntent; of disputes and payouts their own id.
    #[default]
    Intent,
    /// The charge.
    Charge,
    /// The Checkout Session.
    Session,
    /// What the merchant calls it: `client_reference_id`, an order's number; else the row's own id.
    Reference,
}

impl Key {
    /// Every key, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Intent, Self::Charge, Self::Session, Self::Reference];

    /// The word that files and JSON use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "payment_intent",
            Self::Charge => "charge",
            Self::Session => "session",
            Self::Reference => "reference",
        }
    }
}

/// What one side says about one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What it is about.
    pub what: What,
    /// What it is called there.
    pub id: String,
    /// Its keys by [`Key`]; one that it lacks is empty.
    pub keys: [String; 4],
    /// Minor units, without a sign: what was paid, went back, was taken or left.
    pub amount: i64,
    /// The currency of every amount.
    pub currency: Currency,
    /// Where it stands, refunds left aside; `None` where the side does not say.
    pub status: Option<EntryStatus>,
    /// What of it went back; `None` where the side does not say.
    pub refunded: Option<i64>,
    /// What of it the payer's bank took; `None` where the side does not say.
    pub disputed: Option<i64>,
    /// What the provider kept; `None` where that is not known yet or not said.
    pub fee: Option<i64>,
    /// What the balance moved by, with its sign, where the side says so.
    pub net: Option<i64>,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it is about real money, where the side says so.
    pub livemode: Option<bool>,
    /// The payout that it left with; empty where there is none or it is not said.
    pub payout: String,
    /// Its reporting category; empty where the side does not say.
    pub category: String,
}

impl Row {
    /// A row of nothing: what another is read into.
    pub const fn blank() -> Self {
        Self {
            what: What::Payment,
            id: String::new(),
            keys: [const { String::new() }; 4],
            amount: 0,
            currency: Currency::JPY,
            status: None,
            refunded: None,
            disputed: None,
            fee: None,
            net: None,
            created: Timestamp(0),
            livemode: None,
            payout: String::new(),
            category: String::new(),
        }
    }

    /// A row with nothing but its id and amount.
    pub fn new(what: What, id: &str, money: Money, created: Timestamp) -> Self {
        Self {
            what,
            id: id.to_owned(),
            keys: Default::default(),
            amount: money.minor,
            currency: money.currency,
            status: None,
            refunded: None,
            disputed: None,
            fee: None,
            net: None,
            created,
            livemode: None,
            payout: String::new(),
            category: String::new(),
        }
    }

    /// The row of a session of which `refunded` minor units went back, where that is known.
    pub fn session(entry: &CheckoutRecord, refunded: Option<i64>) -> Self {
        let new = Self::new(What::Payment, &entry.session_id, entry.money(), entry.created);
        Self { status: Some(entry.status), refunded, ..new }
            .with_key(Key::Session, &entry.session_id)
            .with_key(Key::Intent, entry.payment_intent.as_deref().unwrap_or_default())
    }

    /// What a payout needs of it to be held against what it was made of.
    #[must_use]
    pub fn as_part(&self) -> Self {
        Self {
            keys: Default::default(),
            id: String::new(),
            payout: String::new(),
            category: String::new(),
            ..*self
        }
    }

    /// The same with a key.
    #[must_use]
    pub fn with_key(mut self, key: Key, value: &str) -> Self {
        if let Some(slot) = self.keys.get_mut(key as usize) {
            value.clone_into(slot);
        }
        self
    }

    /// Its value of a key. What is no payment stands under its own id first.
    pub fn key(&self, key: Key) -> Option<&str> {
        let own = match self.what {
            What::Dispute | What::Payout | What::Other => key == Key::Intent,
            // A refund that names no payment at all is compared by itself.
            What::Refund | What::Payment => {
                key == Key::Reference && self.keys.iter().all(String::is_empty)
            }
        };
        if own {
            return Some(&self.id);
        }
        if !matches!(self.what, What::Payment | What::Refund) {
            return None;
        }
        self.keys.get(key as usize).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The first key from `from` on that it has.
    pub fn first_key(&self, from: Option<Key>) -> Option<Key> {
        let after = |key: &Key| from.is_none_or(|from| *key > from);
        Key::ALL.into_iter().filter(after).find(|key| self.key(*key).is_some())
    }

    /// Everything that it is called.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let named = self.keys.iter().map(String::as_str).filter(|name| !name.is_empty());
        std::iter::once(self.id.as_str()).chain(named)
    }

    /// The amount with its currency.
    pub const fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// Where it stands, refunds included.
    pub fn standing(&self) -> Option<EntryStatus> {
        self.status.map(|status| with_refunds(status, self.amount, self.refunded.unwrap_or(0)))
    }

    /// The word for where it stands; what is no payment is what it is.
    pub fn word(&self) -> &'static str {
        match self.what {
            What::Payment => self.standing().map_or("", EntryStatus::name),
            what => what.category(),
        }
    }

    /// Whether its amount was received, though it may have gone back since.
    pub fn was_paid(&self) -> bool {
        self.what == What::Payment && self.status.is_none_or(EntryStatus::was_paid)
    }

    /// What the balance moved by: what is said, else what follows.
    pub fn moved(&self) -> i64 {
        let kept = self.fee.unwrap_or(0);
        let gross = match self.what {
            What::Payment if self.was_paid() => self.amount,
            What::Payment => 0,
            What::Refund | What::Dispute | What::Payout => self.amount.saturating_neg(),
            What::Other => self.amount,
        };
        self.net.unwrap_or_else(|| gross.saturating_sub(kept))
    }

    /// Takes from another row about the same payment what this one does not say.
    pub fn absorb(&mut self, other: &Self) {
        for (own, given) in self.keys.iter_mut().zip(&other.keys) {
            if own.is_empty() {
                own.clone_from(given);
            }
        }
        self.status = self.status.or(other.status);
        self.refunded = self.refunded.or(other.refunded);
        self.disputed = self.disputed.or(other.disputed);
        self.fee = self.fee.or(other.fee);
        self.net = self.net.or(other.net);
        self.livemode = self.livemode.or(other.livemode);
        if self.payout.is_empty() {
            self.payout.clone_from(&other.payout);
        }
    }

    /// Writes it for [`Row::read`].
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.what as u8);
        let flag = |value: Option<bool>| value.map_or(2, u8::from);
        out.push(flag(self.livemode));
        out.push(self.status.map_or(u8::MAX, |status| status as u8));
        number(out, self.created.0);
        out.extend_from_slice(self.currency.code().as_bytes());
        number(out, self.amount);
        for value in [self.refunded, self.disputed, self.fee, self.net] {
            out.push(u8::from(value.is_some()));
            if let Some(value) = value {
                number(out, value);
            }
        }
        let [intent, charge, session, reference] = &self.keys;
        let texts = [intent, charge, session, reference, &self.id, &self.payout, &self.category];
        for (at, text) in texts.into_iter().enumerate() {
            // Most are empty, and to hold two of those against each other is what takes longest: they point nowhere,
            // and processors that look at 32 bytes at once take a long way around what may not be looked at.
            if text.is_empty() {
                number(out, 0);
                continue;
            }
            // An id is often a key as well.
            let said = texts.iter().take(at).position(|before| *before == text);
            if let Some(at) = said.and_then(|at| i64::try_from(at).ok()) {
                number(out, -1 - at);
                continue;
            }
            number(out, i64::try_from(text.len()).unwrap_or(0));
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// Reads what [`Row::write`] wrote; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut row = Self::blank();
        row.fill(bytes).map(|()| row)
    }

    /// Becomes what [`Row::write`] wrote, in the room that it has; `None` for anything else.
    pub fn fill(&mut self, bytes: &[u8]) -> Option<()> {
        let mut rest = bytes;
        self.what = *What::ALL.get(usize::from(byte(&mut rest)?))?;
        self.livemode =
            [Some(false), Some(true), None].get(usize::from(byte(&mut rest)?)).copied()?;
        self.status = EntryStatus::ALL.get(usize::from(byte(&mut rest)?)).copied();
        self.created = Timestamp(take_number(&mut rest)?);
        let code = take(&mut rest, 3)?;
        if self.currency.code().as_bytes() != code {
            self.currency = std::str::from_utf8(code).ok()?.parse().ok()?;
        }
        self.amount = take_number(&mut rest)?;
        let values = [&mut self.refunded, &mut self.disputed, &mut self.fee, &mut self.net];
        for value in values {
            *value = if byte(&mut rest)? == 1 { Some(take_number(&mut rest)?) } else { None };
        }
        let [intent, charge, session, reference] = &mut self.keys;
        let texts = [
            intent,
            charge,
            session,
            reference,
            &mut self.id,
            &mut self.payout,
            &mut self.category,
        ];
        let mut said = [""; 7];
        for (at, text) in texts.into_iter().enumerate() {
            let length = take_number(&mut rest)?;
            let now = match usize::try_from(length) {
                Ok(length) => std::str::from_utf8(take(&mut rest, length)?).ok()?,
                Err(_) => said.get(usize::try_from(-1 - length).ok().filter(|it| *it < at)?)?,
            };
            now.clone_into(text);
            if let Some(slot) = said.get_mut(at) {
                *slot = now;
            }
        }
        Some(())
    }
}

/// A number in as few bytes as it needs, small ones of either sign in one.
pub(super) fn number(out: &mut Vec<u8>, value: i64) {
    let mut left = (value << 1 ^ value >> 63).cast_unsigned();
    while left >= 0x80 {
        out.push(u8::try_from(left & 0x7F).unwrap_or(0) | 0x80);
        left >>= 7;
    }
    out.push(u8::try_from(left).unwrap_or(0));
}

pub(super) fn take_number(rest: &mut &[u8]) -> Option<i64> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let next = byte(rest)?;
        value |= u64::from(next & 0x7F).checked_shl(shift)?;
        if next < 0x80 {
            return Some((value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg());
        }
        shift += 7;
    }
}

pub(super) fn byte(rest: &mut &[u8]) -> Option<u8> {
    take(rest, 1).and_then(|bytes| bytes.first().copied())
}

pub(super) fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_is_read_as_it_was_written(
            amounts in prop::array::uniform5(prop::option::of(any::<i64>())),
            texts in prop::array::uniform4(".{0,20}"),
            kind in 0..5_usize, status in prop::option::of(0..7_usize), live in any::<Option<bool>>(),
        ) {
            let [amount, refunded, disputed, fee, net] = amounts;
            let money = Money::new(amount.unwrap_or(-1), Currency::EUR);
            let row = Row {
                keys: [texts[0].clone(), String::new(), texts[1].clone(), String::new()],
                status: status.map(|at| EntryStatus::ALL[at]),
                refunded, disputed, fee, net,
                livemode: live,
                payout: texts[2].clone(),
                ..Row::new(What::ALL[kind], &texts[3], money, Timestamp(amount.unwrap_or(0)))
            };
            let mut bytes = Vec::new();
            row.write(&mut bytes);
            prop_assert_eq!(Row::read(&bytes), Some(row));
            prop_assert_eq!(Row::read(&bytes[..bytes.len() - 1]), None);
        }
    }
}
