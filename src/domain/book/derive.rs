//! The entries that follow from all that is known of one subject, and what contradicts itself in it. A subject with a
//! contradiction has no entries: of two amounts neither is believed, and a person looks.

use crate::domain::book::fact::{Fact, Kind, What};
use crate::domain::book::{Account, Entry, PostingError, Reason};
use crate::domain::currency::Currency;
use std::collections::{BTreeMap, BTreeSet};

/// What is the matter with a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConflictKind {
    /// One object says two things that cannot both be true.
    Contradiction,
    /// Two objects say different amounts of one payment.
    Disagreement,
    /// What was captured is more than what was received, or the parts are more than the whole.
    Excess,
    /// A balance transaction of a category that is not known here; it is booked as not settled.
    Category,
    /// The sums are larger than can be counted.
    Overflow,
}

impl ConflictKind {
    /// Every trouble.
    pub const ALL: [Self; 5] =
        [Self::Contradiction, Self::Disagreement, Self::Excess, Self::Category, Self::Overflow];

    /// A stable name, for files and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contradiction => "contradiction",
            Self::Disagreement => "disagreement",
            Self::Excess => "excess",
            Self::Category => "unknown_category",
            Self::Overflow => "overflow",
        }
    }

    /// Reads what [`ConflictKind::name`] writes.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.name() == text)
    }
}

/// A trouble with what it is about: what was said, amounts in minor units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conflict {
    /// What is the matter.
    pub trouble: ConflictKind,
    /// What was said, each with its object.
    pub said: String,
}

/// What the facts of one subject come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// The entries, by object and reason.
    pub entries: Vec<Entry>,
    /// What is the matter; with anything but an unknown category there are no entries.
    pub conflicts: BTreeSet<Conflict>,
}

/// The entries of one subject. Neither order nor repetition of `facts` matters.
pub fn entries(subject: &str, facts: &[Fact]) -> Derived {
    let facts: BTreeSet<&Fact> = facts.iter().collect();
    let mut desk = Desk { subject, facts: &facts, derived: Derived::default() };
    desk.contradictions();
    let fault = desk.book().err();
    if let Some(fault) = fault {
        desk.tell(ConflictKind::Overflow, fault.to_string());
    }
    let mut derived = desk.derived;
    if derived.conflicts.iter().any(|conflict| conflict.trouble != ConflictKind::Category) {
        derived.entries.clear();
    }
    derived.entries.retain(|entry| !entry.postings().is_empty());
    derived.entries.sort_by(|a, b| (a.about(), a.reason()).cmp(&(b.about(), b.reason())));
    derived
}

type Amount = (i64, Currency);

struct Desk<'f> {
    subject: &'f str,
    facts: &'f BTreeSet<&'f Fact>,
    derived: Derived,
}

impl<'f> Desk<'f> {
    fn of(&self, what: What) -> impl Iterator<Item = &'f Fact> + use<'f> {
        let facts: &'f BTreeSet<&'f Fact> = self.facts;
        facts.iter().copied().filter(move |fact| fact.key.what == what)
    }

    fn one(&self, what: What) -> Option<Amount> {
        self.of(what).next().map(|fact| (fact.claim.amount, fact.claim.currency))
    }

    /// Of what counts up the latest of each object, all objects together.
    fn latest(&self, what: What) -> Result<Option<Amount>, PostingError> {
        let mut latest: BTreeMap<&str, Amount> = BTreeMap::new();
        for fact in self.of(what) {
            let told = (fact.claim.amount, fact.claim.currency);
            let known = latest.entry(&fact.key.object).or_insert(told);
            *known = (*known).max(told);
        }
        sum(latest.into_values())
    }

    fn tell(&mut self, trouble: ConflictKind, said: String) {
        self.derived.conflicts.insert(Conflict { trouble, said });
    }

    fn said(facts: impl Iterator<Item = &'f Fact>) -> String {
        let said: BTreeSet<String> = facts
            .map(|fact| {
                let (key, claim) = (&fact.key, &fact.claim);
                let detail = if claim.detail.is_empty() { "" } else { " " };
                let (object, what) = (&key.object, key.what.name());
                let (amount, currency) = (claim.amount, claim.currency.code());
                format!("{object} {what} {amount} {currency}{detail}{}", claim.detail)
            })
            .collect();
        said.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn contradictions(&mut self) {
        let facts: &'f BTreeSet<&'f Fact> = self.facts;
        for fact in facts {
            let others = || facts.iter().copied().filter(|other| other.key == fact.key);
            let differs = |other: &Fact| {
                if fact.key.what.counts_up() {
                    other.claim.currency != fact.claim.currency
                } else {
                    other.claim != fact.claim
                }
            };
            if others().any(differs) {
                self.tell(ConflictKind::Contradiction, Self::said(others()));
            }
        }
    }

    fn pair(
        &mut self,
        about: &str,
        reason: Reason,
        debit: Account,
        credit: Account,
        (amount, currency): Amount,
    ) -> Result<(), PostingError> {
        let turned = amount.checked_neg().ok_or(PostingError::Overflow(currency))?;
        let postings = [(debit, currency, amount), (credit, currency, turned)];
        self.derived.entries.push(Entry::new(about, reason, postings)?);
        Ok(())
    }

    fn book(&mut self) -> Result<(), PostingError> {
        self.payment()?;
        self.tax()?;
        self.sent()?;
        self.so_far()?;
        self.dispute()?;
        self.transaction()?;
        self.conversion()
    }

    /// What came, says the payment itself; where nothing is heard of the payment, what asked for it.
    fn payment(&mut self) -> Result<(), PostingError> {
        let claims: BTreeSet<Amount> = [What::Paid, What::Asked]
            .into_iter()
            .flat_map(|what| self.of(what))
            .map(|fact| (fact.claim.amount, fact.claim.currency))
            .collect();
        if claims.len() > 1 {
            let all = self.of(What::Paid).chain(self.of(What::Asked));
            self.tell(ConflictKind::Disagreement, Self::said(all));
        }
        let (received, captured) = (self.one(What::Received), self.latest(What::Captured)?);
        if let (Some(received), Some(captured)) = (received, captured)
            && (captured.1 != received.1 || captured.0 > received.0)
        {
            let all = self.of(What::Received).chain(self.of(What::Captured));
            self.tell(ConflictKind::Excess, Self::said(all));
        }
        let came = received.or(captured).or_else(|| self.one(What::Paid));
        let Some(came) = came else { return Ok(()) };
        self.pair(self.subject, Reason::Sale, Account::Receivable, Account::Revenue, came)
    }

    fn tax(&mut self) -> Result<(), PostingError> {
        let Some(tax) = self.one(What::Tax) else { return Ok(()) };
        self.pair(self.subject, Reason::Tax, Account::Revenue, Account::Taxes, tax)
    }

    fn sent(&mut self) -> Result<(), PostingError> {
        for fact in self.of(What::Sent) {
            let money = (fact.claim.amount, fact.claim.currency);
            let (reason, account, back) = match fact.key.kind {
                Kind::Refund => (Reason::Refund, Account::Refunds, Reason::RefundReturned),
                Kind::Payout => (Reason::Payout, Account::Payouts, Reason::PayoutReturned),
                Kind::Transfer => (Reason::Transfer, Account::Payouts, Reason::TransferReversed),
                Kind::ApplicationFee => {
                    let (from, to) = (Account::Receivable, Account::Revenue);
                    self.pair(&fact.key.object, Reason::ApplicationFee, from, to, money)?;
                    continue;
                }
                _ => continue,
            };
            self.pair(&fact.key.object, reason, account, Account::Receivable, money)?;
            if self.one(What::Returned).is_some() {
                self.pair(&fact.key.object, back, Account::Receivable, account, money)?;
            }
        }
        Ok(())
    }

    fn so_far(&mut self) -> Result<(), PostingError> {
        if let Some(reversed) = self.latest(What::ReversedSoFar)? {
            let (to, from) = (Account::Receivable, Account::Payouts);
            self.pair(self.subject, Reason::TransferReversed, to, from, reversed)?;
        }
        let Some(total) = self.latest(What::RefundedSoFar)? else { return Ok(()) };
        if self.of(What::Sent).any(|fact| fact.key.kind == Kind::ApplicationFee) {
            let reason = Reason::ApplicationFeeRefunded;
            return self.pair(self.subject, reason, Account::Refunds, Account::Receivable, total);
        }
        // The total does not say which refund it counts: once one is known to have come back, only refunds
        // that are known by themselves count.
        if self.of(What::PartReturned).next().is_some() {
            return Ok(());
        }
        let parts = self.of(What::Part).map(|fact| (fact.claim.amount, fact.claim.currency));
        let known = sum(parts)?.map_or(0, |(amount, _)| amount);
        let rest = total.0.saturating_sub(known);
        if rest <= 0 {
            return Ok(());
        }
        let (from, to) = (Account::Refunds, Account::Receivable);
        self.pair(self.subject, Reason::RefundUnnamed, from, to, (rest, total.1))
    }

    fn dispute(&mut self) -> Result<(), PostingError> {
        if let Some(money) = self.one(What::Withdrawn).or_else(|| self.one(What::Reinstated)) {
            let (from, to) = (Account::Disputes, Account::Receivable);
            self.pair(self.subject, Reason::Dispute, from, to, money)?;
        }
        if let Some(money) = self.one(What::Reinstated) {
            let (from, to) = (Account::Receivable, Account::Disputes);
            self.pair(self.subject, Reason::DisputeReinstated, from, to, money)?;
        }
        Ok(())
    }

    fn transaction(&mut self) -> Result<(), PostingError> {
        let (Some(moved), Some((fee, _))) = (self.of(What::Moved).next(), self.one(What::Fee))
        else {
            return Ok(());
        };
        let (amount, currency) = (moved.claim.amount, moved.claim.currency);
        let counter = match moved.claim.detail.as_str() {
            "charge"
            | "charge_failure"
            | "refund"
            | "refund_failure"
            | "partial_capture_reversal"
            | "dispute"
            | "dispute_reversal"
            | "payout"
            | "payout_reversal"
            | "transfer"
            | "transfer_reversal"
            | "platform_earning"
            | "platform_earning_refund" => Account::Receivable,
            "fee" | "network_cost" => Account::Fees,
            "tax" => Account::Taxes,
            "topup" | "topup_reversal" => Account::Payouts,
            _ => {
                self.tell(ConflictKind::Category, Self::said(self.of(What::Moved)));
                Account::Receivable
            }
        };
        let overflow = PostingError::Overflow(currency);
        let net = amount.checked_sub(fee).ok_or(overflow)?;
        let turned = amount.checked_neg().ok_or(overflow)?;
        let postings = [
            (Account::StripeBalance, currency, net),
            (Account::Fees, currency, fee),
            (counter, currency, turned),
        ];
        self.derived.entries.push(Entry::new(self.subject, Reason::Settlement, postings)?);
        Ok(())
    }

    /// Where it was settled in another currency than its own: what is owed in the one leaves through the conversion
    /// account, and what was settled in the other comes in.
    fn conversion(&mut self) -> Result<(), PostingError> {
        let own = match self.latest(What::Charged)? {
            Some(charged) => Some(charged),
            None => [What::Sent, What::Withdrawn, What::Reinstated]
                .into_iter()
                .find_map(|what| self.one(what))
                .map(|(amount, currency)| (amount.saturating_neg(), currency)),
        };
        let Some((amount, own)) = own else { return Ok(()) };
        let mut postings = Vec::new();
        let mut signs = BTreeSet::new();
        for fact in self.of(What::Settled).filter(|fact| fact.claim.currency != own) {
            let (settled, other) = (fact.claim.amount, fact.claim.currency);
            let turned = settled.checked_neg().ok_or(PostingError::Overflow(other))?;
            signs.insert(settled.signum());
            postings.push((Account::Receivable, other, settled));
            postings.push((Account::Conversion, other, turned));
        }
        for sign in signs {
            // The first movement goes the way of the object, and one the other way is its return.
            let moved = if sign == amount.signum() { amount } else { amount.saturating_neg() };
            let turned = moved.checked_neg().ok_or(PostingError::Overflow(own))?;
            postings.push((Account::Conversion, own, moved));
            postings.push((Account::Receivable, own, turned));
        }
        if postings.is_empty() {
            return Ok(());
        }
        self.derived.entries.push(Entry::new(self.subject, Reason::Conversion, postings)?);
        Ok(())
    }
}

/// The sum, in the currency of the first; contradicting currencies are told elsewhere.
fn sum(amounts: impl Iterator<Item = Amount>) -> Result<Option<Amount>, PostingError> {
    let mut total: Option<Amount> = None;
    for (amount, currency) in amounts {
        let known = total.get_or_insert((0, currency));
        known.0 = known.0.checked_add(amount).ok_or(PostingError::Overflow(currency))?;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::book::read::{of_event, of_object};
    use crate::domain::event::Event;
    use crate::domain::time::Timestamp;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const JPY: Currency = Currency::JPY;

    /// A book in memory: facts by subject, as the store keeps them.
    #[derive(Default)]
    struct Book(BTreeMap<String, Vec<Fact>>);

    impl Book {
        fn of(events: &[Event]) -> Self {
            let mut book = Self::default();
            for event in events {
                book.learn(of_event(event).unwrap());
            }
            book
        }

        fn learn(&mut self, facts: Vec<Fact>) {
            for fact in facts {
                self.0.entry(fact.subject.clone()).or_default().push(fact);
            }
        }

        fn derived(&self) -> BTreeMap<String, Derived> {
            self.0.iter().map(|(id, facts)| (id.clone(), entries(id, facts))).collect()
        }

        fn balances(&self) -> BTreeMap<(Account, &'static str), i64> {
            let mut sums = BTreeMap::new();
            for derived in self.derived().into_values() {
                for entry in derived.entries {
                    for posting in entry.postings() {
                        let key = (posting.account, posting.currency.code());
                        *sums.entry(key).or_insert(0) += posting.amount;
                    }
                }
            }
            sums.retain(|_, amount| *amount != 0);
            sums
        }

        fn troubles(&self) -> Vec<ConflictKind> {
            let derived = self.derived().into_values();
            derived.flat_map(|it| it.conflicts).map(|it| it.trouble).collect()
        }
    }

    fn event(kind: &str, created: i64, object: Value) -> Event {
        Event {
            id: format!("evt_{kind}_{created}"),
            kind: kind.to_owned(),
            created: Timestamp(created),
            api_version: None,
            livemode: false,
            object,
            body: Vec::new(),
        }
    }

    fn intent(n: u32, amount: i64, received: i64) -> Value {
        json!({"id": format!("pi_{n}"), "object": "payment_intent", "amount": amount,
            "amount_received": received, "currency": "jpy", "status": "succeeded"})
    }

    fn charge(n: u32, captured: i64, refunded: i64) -> Value {
        json!({"id": format!("ch_{n}"), "object": "charge", "amount": 1000, "captured": true,
            "amount_captured": captured, "amount_refunded": refunded, "currency": "jpy",
            "payment_intent": format!("pi_{n}"), "status": "succeeded", "balance_transaction": null})
    }

    fn session(n: u32, amount: i64) -> Value {
        json!({"id": format!("cs_{n}"), "object": "checkout.session", "payment_status": "paid",
            "amount_total": amount, "currency": "jpy", "payment_intent": format!("pi_{n}"),
            "total_details": {"amount_tax": 90}})
    }

    fn refund(n: u32, part: i64, status: &str) -> Value {
        json!({"id": format!("re_{n}_{part}"), "object": "refund", "amount": part, "currency": "jpy",
            "charge": format!("ch_{n}"), "payment_intent": format!("pi_{n}"), "status": status})
    }

    fn transaction(id: &str, source: &str, category: &str, money: (i64, i64, &str)) -> Value {
        let (amount, fee, currency) = money;
        json!({"id": id, "object": "balance_transaction", "amount": amount, "fee": fee,
            "net": amount - fee, "currency": currency, "reporting_category": category,
            "source": source})
    }

    #[test]
    fn a_partial_capture_is_booked_as_what_came() {
        let events = [
            event("checkout.session.completed", 1, session(1, 1000)),
            event("payment_intent.succeeded", 2, intent(1, 1000, 400)),
            event("charge.captured", 2, charge(1, 400, 0)),
        ];
        let book = Book::of(&events);
        assert_eq!(book.troubles(), []);
        assert_eq!(book.balances()[&(Account::Receivable, "jpy")], 400);
        // A payment that no session asked for is booked as well.
        let book = Book::of(&events[1..]);
        assert_eq!(book.balances()[&(Account::Revenue, "jpy")], -400);
    }

    #[test]
    fn a_fee_is_pending_until_its_balance_transaction_is_known() {
        let mut book = Book::of(&[event("charge.succeeded", 1, charge(1, 1000, 0))]);
        assert_eq!(book.balances().get(&(Account::Fees, "jpy")), None);
        assert_eq!(book.balances()[&(Account::Receivable, "jpy")], 1000);
        let settled = transaction("txn_1", "ch_1", "charge", (1000, 36, "jpy"));
        book.learn(of_object(&settled, Timestamp(5)).unwrap());
        let balances = book.balances();
        assert_eq!(balances[&(Account::StripeBalance, "jpy")], 964);
        assert_eq!(balances[&(Account::Fees, "jpy")], 36);
        assert_eq!(balances.get(&(Account::Receivable, "jpy")), None);
    }

    #[test]
    fn what_is_settled_in_another_currency_leaves_nothing_owed_in_either() {
        let mut book = Book::of(&[
            event("charge.succeeded", 1, charge(1, 1000, 0)),
            event("refund.created", 2, refund(1, 300, "succeeded")),
        ]);
        for one in [
            transaction("txn_1", "ch_1", "charge", (700, 50, "usd")),
            transaction("txn_2", "re_1_300", "refund", (-210, 0, "usd")),
        ] {
            book.learn(of_object(&one, Timestamp(5)).unwrap());
        }
        let balances = book.balances();
        for currency in ["jpy", "usd"] {
            assert_eq!(balances.get(&(Account::Receivable, currency)), None, "{currency}");
        }
        assert_eq!(balances[&(Account::StripeBalance, "usd")], 440);
        assert_eq!(balances[&(Account::Conversion, "jpy")], 700);
        assert_eq!(balances[&(Account::Conversion, "usd")], -490);
    }

    #[test]
    fn of_two_amounts_neither_is_believed() {
        let story = [
            event("payment_intent.succeeded", 2, intent(1, 1000, 1000)),
            event("payment_intent.succeeded", 2, intent(1, 1000, 900)),
        ];
        let book = Book::of(&story);
        assert_eq!(book.troubles(), [ConflictKind::Contradiction]);
        assert_eq!(book.balances(), BTreeMap::new());
        let story = [
            event("checkout.session.completed", 2, session(1, 5000)),
            event("payment_intent.succeeded", 2, intent(1, 1000, 1000)),
        ];
        assert_eq!(Book::of(&story).troubles(), [ConflictKind::Disagreement]);
        let story = [
            event("charge.captured", 2, charge(1, 1000, 0)),
            event("payment_intent.succeeded", 2, intent(1, 1000, 900)),
        ];
        assert_eq!(Book::of(&story).troubles(), [ConflictKind::Excess]);
    }

    #[test]
    fn several_refunds_of_which_one_fails_come_to_those_that_stay() {
        let story = [
            event("charge.succeeded", 1, charge(1, 1000, 0)),
            event("refund.created", 2, refund(1, 300, "pending")),
            event("charge.refunded", 2, charge(1, 1000, 500)),
            event("refund.created", 2, refund(1, 200, "succeeded")),
            event("refund.failed", 3, refund(1, 300, "failed")),
        ];
        assert_eq!(Book::of(&story).balances()[&(Account::Refunds, "jpy")], 200);
        assert_eq!(Book::of(&story[..3]).balances()[&(Account::Refunds, "jpy")], 500);
    }

    #[test]
    fn disputes_payouts_transfers_and_fees_are_booked() {
        let dispute = json!({"id": "dp_1", "object": "dispute", "amount": 1000, "currency": "jpy",
            "status": "needs_response", "balance_transactions": [
                transaction("txn_d", "dp_1", "dispute", (-1000, 1500, "jpy"))]});
        let payout = |status: &str| json!({"id": "po_1", "object": "payout", "amount": 700, "currency": "jpy", "status": status});
        let transfer = json!({"id": "tr_1", "object": "transfer", "amount": 100, "currency": "jpy",
            "amount_reversed": 40});
        let fee = json!({"id": "fee_1", "object": "application_fee", "amount": 50,
            "currency": "jpy", "amount_refunded": 0});
        let mut story = vec![
            event("charge.dispute.created", 1, dispute),
            event("payout.paid", 2, payout("paid")),
            event("transfer.reversed", 3, transfer),
            event("application_fee.created", 4, fee),
        ];
        let balances = Book::of(&story).balances();
        let at = |account| balances[&(account, "jpy")];
        assert_eq!((at(Account::Disputes), at(Account::Fees)), (1000, 1500));
        assert_eq!((at(Account::Payouts), at(Account::StripeBalance)), (760, -2500));
        assert_eq!((at(Account::Revenue), at(Account::Receivable)), (-50, -710));
        story.push(event("payout.failed", 3, payout("failed")));
        assert_eq!(Book::of(&story).balances()[&(Account::Payouts, "jpy")], 60);
    }

    #[test]
    fn sums_that_cannot_be_counted_are_a_conflict() {
        let part = |n: u32| Fact {
            subject: "pi_1".to_owned(),
            key: crate::domain::book::fact::Key {
                object: format!("ch_{n}"),
                kind: Kind::Charge,
                what: What::Captured,
            },
            claim: crate::domain::book::fact::Claim {
                amount: i64::MAX,
                currency: JPY,
                detail: String::new(),
            },
            at: Timestamp(1),
        };
        let derived = entries("pi_1", &[part(1), part(2)]);
        assert!(derived.entries.is_empty());
        assert_eq!(derived.conflicts.first().map(|it| it.trouble), Some(ConflictKind::Overflow));
    }

    fn any_history() -> impl Strategy<Value = Vec<Event>> {
        // All within two seconds: several events share one.
        let one = (0..3_u32, 0..11_u8, 1..4_i64, 1..3_i64).prop_map(|(n, what, hundreds, at)| {
            let part = hundreds * 100;
            match what {
                0 => event("checkout.session.completed", at, session(n, 1000)),
                1 => event("payment_intent.succeeded", at, intent(n, 1000, part)),
                2 => event("charge.captured", at, charge(n, part, 0)),
                3 => event("charge.refunded", at, charge(n, 300, part)),
                4 => event("refund.created", at, refund(n, part, "pending")),
                5 => event("refund.failed", at, refund(n, part, "failed")),
                6 => event("charge.dispute.funds_withdrawn", at, json!({"id": format!("dp_{n}"),
                    "object": "dispute", "amount": part, "currency": "jpy", "status": "lost"})),
                7 => event("payout.paid", at, json!({"id": format!("po_{n}"), "object": "payout",
                    "amount": 500, "currency": "jpy", "status": "paid"})),
                8 => event("payout.failed", at, json!({"id": format!("po_{n}"), "object": "payout",
                    "amount": 500, "currency": "jpy", "status": "failed"})),
                9 => event("charge.updated", at, {
                    let mut charge = charge(n, 300, 0);
                    charge["balance_transaction"] =
                        transaction(&format!("txn_{n}"), &format!("ch_{n}"), "charge", (300, part, "usd"));
                    charge
                }),
                _ => event("transfer.created", at, json!({"id": format!("tr_{n}"),
                    "object": "transfer", "amount": 300, "currency": "jpy", "amount_reversed": part})),
            }
        });
        prop::collection::vec(one, 1..16)
    }

    proptest! {
        #[test]
        fn no_order_and_no_repetition_changes_the_book(
            (story, shuffled) in any_history().prop_flat_map(|story| {
                let twice: Vec<_> = story.iter().chain(&story).cloned().collect();
                (Just(story), Just(twice).prop_shuffle())
            })
        ) {
            let (once, again) = (Book::of(&story), Book::of(&shuffled));
            prop_assert_eq!(once.derived(), again.derived());
            let mut left: BTreeMap<&str, i64> = BTreeMap::new();
            for ((_, currency), amount) in once.balances() {
                *left.entry(currency).or_default() += amount;
            }
            prop_assert!(left.values().all(|sum| *sum == 0));
        }
    }
}
