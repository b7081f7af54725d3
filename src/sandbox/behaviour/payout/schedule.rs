//! Automatic payouts: made on the days that the account's rhythm has.

use crate::domain::money::Money;
use crate::sandbox::behaviour::balance;
use crate::sandbox::behaviour::balance::schedule::{NEXT_JOB, interval, plan};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payout::bank;
use crate::sandbox::behaviour::payout::send::{self, Terms};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use serde_json::Value;

const DAY: i64 = 86_400;

/// The job behind [`NEXT_JOB`].
pub fn on_next(txn: &mut Txn<'_>, _: &Value) {
    txn.remove("_mark", NEXT_JOB);
    let today = txn.now().0.div_euclid(DAY);
    if !interval(txn).is_on(today) {
        // The rhythm was changed since.
        return plan(txn);
    }
    for currency in balance::currencies(txn) {
        pay(txn, &currency);
    }
}

/// Pays out everything that is available of a currency.
fn pay(txn: &mut Txn<'_>, code: &str) {
    let (available, _) = balance::sums(txn, code);
    let Ok(currency) = code.parse() else { return };
    if available <= 0 {
        return;
    }
    let Some(bank) = bank::usual(txn, code).filter(|it| text(it, "status") != "errored") else {
        return;
    };
    let rows = balance::unpaid(txn, code);
    let amount = Money::new(available, currency);
    let terms = Terms { amount, bank, automatic: true, instant: false, said: Doc::new() };
    let payout = send::make(txn, terms);
    let id = text(&payout, "id");
    let own = txn.stored("balance_transaction", text(&payout, "balance_transaction")).cloned();
    let rows: Vec<_> = rows.into_iter().chain(own).collect();
    balance::mark_paid(txn, &rows, id);
    send::reconcile(txn, id);
}
