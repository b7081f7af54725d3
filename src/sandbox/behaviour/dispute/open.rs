//! How disputes begin: right after the payment, as the test card or the account number has it.

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::cards::stored::card_of;
use crate::sandbox::behaviour::dispute::course::{self, DEADLINE_JOB};
use crate::sandbox::behaviour::dispute::evidence;
use crate::sandbox::behaviour::dispute::machine::Status;
use crate::sandbox::behaviour::dispute::{review, warning};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

const DAY: i64 = 86_400;
/// Whole days that the merchant has to answer; the day of the dispute is not among them.
const DAYS_TO_ANSWER: i64 = 9;
/// Seconds after which an inquiry that became nothing is closed: 120 days.
const INQUIRY_PERIOD: i64 = 120 * DAY;

/// What is disputed, and how.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// What follows `pm_card_` in the test card's name.
    card: &'static str,
    reason: &'static str,
    /// `network_reason_code`; that of fraud was recorded, the others are believed.
    network_code: Option<&'static str>,
    case_type: &'static str,
    /// `enhanced_eligibility_types`.
    eligible: Option<&'static str>,
    /// Into how many disputes the amount is cut.
    parts: i64,
}

const FRAUD: Kind = Kind {
    card: "createDispute",
    reason: "fraudulent",
    network_code: Some("83"),
    case_type: "chargeback",
    eligible: None,
    parts: 1,
};

/// The test cards. Believed, not proven: an inquiry has the reason `fraudulent` too, and several disputes of
/// one charge have equal parts of it.
const KINDS: &[Kind] = &[
    FRAUD,
    Kind {
        card: "createDisputeProductNotReceived",
        reason: "product_not_received",
        network_code: Some("30"),
        ..FRAUD
    },
    Kind { card: "createDisputeInquiry", case_type: "inquiry", ..FRAUD },
    Kind { card: "createMultipleDisputes", parts: 2, ..FRAUD },
    Kind {
        card: "createCe3EligibleDispute",
        eligible: Some("visa_compelling_evidence_3"),
        ..FRAUD
    },
    Kind {
        card: "createComplianceDispute",
        reason: "noncompliant",
        network_code: None,
        case_type: "compliance",
        eligible: Some("visa_compliance"),
        parts: 1,
    },
    Kind {
        card: "createMastercardComplianceDispute",
        reason: "noncompliant",
        network_code: None,
        case_type: "compliance",
        eligible: Some("mastercard_compliance"),
        parts: 1,
    },
    Kind { card: "createAutoRepresentmentEligibleDispute", ..FRAUD },
];

/// Accounts whose debits are disputed.
const DISPUTED_IBANS: [&str; 2] = ["AT591904300235473203", "DE35370400440532013002"];

/// A debit that its payer takes back: the bank asks nobody, and it is lost at once (believed).
const DEBIT: Kind = Kind {
    card: "",
    reason: "debit_not_authorized",
    network_code: None,
    case_type: "chargeback",
    eligible: None,
    parts: 1,
};

/// The card whose payments only warn of fraud.
const WARNS: &str = "createIssuerFraudRecord";

/// Whether a bank debit from an account is taken back by its owner once it was paid.
fn is_disputed_debit(method: &Value) -> bool {
    let iban = method.get("sepa_debit").map(|debit| text(debit, "fingerprint"));
    iban.is_some_and(|iban| DISPUTED_IBANS.iter().any(|it| cards::fingerprint(it) == iban))
}

/// Disputes a payment that was just taken, where its card or account is one that does. Gives the charge as it
/// is then. `book` has the money of a charge booked that is to be taken back.
pub fn follow(
    txn: &mut Txn<'_>,
    charge: Arc<Object>,
    book: impl FnOnce(&mut Txn<'_>, &str),
) -> Arc<Object> {
    let captured = int(&charge, "amount_captured");
    let Some(pm) = txn.get("payment_method", text(&charge, "payment_method")) else {
        return charge;
    };
    if captured == 0 || charge.get("disputed") == Some(&json!(true)) {
        return charge;
    }
    let card = card_of(&pm).and_then(|card| card.method).unwrap_or_default();
    let kind = match KINDS.iter().find(|kind| kind.card == card) {
        _ if is_disputed_debit(&pm) => &DEBIT,
        Some(kind) => kind,
        None if card == WARNS => {
            warning::open(txn, &charge);
            return charge;
        }
        None => return charge,
    };
    let id = text(&charge, "id").to_owned();
    book(txn, &id);
    let (before, mut left) = (txn.get("charge", &id), captured);
    for part in 0..kind.parts {
        let amount = if part + 1 == kind.parts { left } else { captured / kind.parts };
        left -= amount;
        open(txn, &charge, kind, amount);
    }
    let after = txn.get("charge", &id).unwrap_or(charge);
    if let Some(before) = before {
        txn.emit_change("charge.updated", &before, &after);
    }
    after
}

fn open(txn: &mut Txn<'_>, charge: &Object, kind: &Kind, amount: i64) {
    let id = txn.new_id("dp_1", 23);
    let is_inquiry = kind.case_type == "inquiry";
    let status = if is_inquiry { Status::WarningNeedsResponse } else { Status::NeedsResponse };
    let now = txn.now();
    let due_by = Timestamp((now.0.div_euclid(DAY) + DAYS_TO_ANSWER + 1) * DAY - 1);
    let is_debit = kind.reason == DEBIT.reason;
    let mut doc = new(
        "dispute",
        json!({
            "id": id, "amount": amount, "balance_transactions": [], "charge": charge.get("id"),
            "created": now.0, "currency": charge.get("currency"),
            "enhanced_eligibility_types": kind.eligible.iter().collect::<Vec<_>>(),
            "evidence": evidence::blank(charge),
            "evidence_details": {
                "due_by": if is_debit { Value::Null } else { json!(due_by.0) },
                "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                "submission_count": 0, "submission_method": "not_submitted",
            },
            "is_charge_refundable": status.is_charge_refundable(),
            "payment_intent": charge.get("payment_intent"),
            "payment_method_details": if is_debit { Value::Null } else { details(charge, kind) },
            "reason": kind.reason, "status": status.name(),
        }),
    );
    evidence::rate(&mut doc);
    txn.put(doc);
    txn.edit("charge", text(charge, "id"), |doc| {
        doc.insert("disputed".to_owned(), json!(true));
        doc.insert("dispute".to_owned(), json!(id));
    });
    if !is_inquiry {
        course::withdraw(txn, &id);
    }
    let Some(dispute) = txn.get("dispute", &id) else { return };
    txn.emit("charge.dispute.created", &dispute);
    if !is_inquiry {
        txn.emit("charge.dispute.funds_withdrawn", &dispute);
    }
    warning::settle(txn, text(charge, "id"));
    review::close(txn, text(charge, "id"), "disputed");
    if is_debit {
        course::lose(txn, &id);
        return;
    }
    let args = json!({"dispute": id});
    txn.schedule(due_by, DEADLINE_JOB, &args);
    if is_inquiry {
        txn.schedule(now.plus(INQUIRY_PERIOD), DEADLINE_JOB, &args);
    }
}

fn details(charge: &Value, kind: &Kind) -> Value {
    let card = charge.get("payment_method_details").and_then(|it| it.get("card"));
    let brand = card.map_or("", |card| text(card, "brand"));
    let code = match (brand, kind.network_code) {
        ("mastercard", Some("83")) => Some("4837"),
        (_, code) => code,
    };
    json!({
        "type": "card",
        "card": {
            "brand": brand, "case_type": kind.case_type, "network": brand,
            "network_reason_code": code,
        },
    })
}

/// What a bank takes for a dispute, in minor units: recorded for the American and the Canadian dollar, else
/// as published (¥1,300 in Japan), and in other currencies believed.
pub fn fee(currency: Currency) -> Money {
    const FEES: &[(&str, i64)] = &[
        ("aud", 2_500),
        ("cad", 1_500),
        ("eur", 2_000),
        ("gbp", 2_000),
        ("jpy", 1_300),
        ("usd", 1_500),
    ];
    let known = FEES.iter().find(|(code, _)| *code == currency.code());
    let usual = if currency.decimals() == 3 { 15_000 } else { 1_500 };
    Money::new(known.map_or(usual, |(_, minor)| *minor), currency)
}
