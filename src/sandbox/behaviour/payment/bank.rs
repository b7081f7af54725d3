//! What payment methods show that are no cards: never the number of an account, but what Stripe makes of it.

use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::object::{fill, trim};
use crate::sandbox::engine::object::Doc;
use serde_json::{Value, json};

const BANK: &str = "STRIPE TEST BANK";

/// A type of payment method: the parameter that stands for the account, and what is shown besides what the
/// catalog knows of what was sent.
struct Kind {
    name: &'static str,
    account: &'static str,
    shows: &'static [Derived],
}

/// What Stripe makes of an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Derived {
    BankName,
    Fingerprint,
    Last4,
    /// What an American account has beside.
    American,
    /// The bank's code in the world's network.
    Bic,
}

const fn kind(name: &'static str, account: &'static str, shows: &'static [Derived]) -> Kind {
    Kind { name, account, shows }
}

const KINDS: &[Kind] = &[
    kind("acss_debit", NUMBER, &[Derived::BankName, Derived::Fingerprint, Derived::Last4]),
    kind("au_becs_debit", NUMBER, &[Derived::Fingerprint, Derived::Last4]),
    kind("bacs_debit", NUMBER, &[Derived::Fingerprint, Derived::Last4]),
    kind("boleto", "tax_id", &[Derived::Fingerprint]),
    kind("ideal", "bank", &[Derived::Bic]),
    kind("nz_bank_account", NUMBER, &[Derived::BankName, Derived::Last4]),
    kind("payto", NUMBER, &[Derived::Last4]),
    kind(
        "us_bank_account",
        NUMBER,
        &[Derived::BankName, Derived::Fingerprint, Derived::Last4, Derived::American],
    ),
];

const NUMBER: &str = "account_number";

/// The banks of iDEAL with their codes.
const BICS: &[(&str, &str)] = &[
    ("abn_amro", "ABNANL2A"),
    ("adyen", "ADYBNL2A"),
    ("asn_bank", "ASNBNL21"),
    ("bunq", "BUNQNL2A"),
    ("buut", "BUUTNL2A"),
    ("finom", "FNOMNL22"),
    ("handelsbanken", "HANDNL2A"),
    ("ing", "INGBNL2A"),
    ("knab", "KNABNL2H"),
    ("mollie", "MLLENL2A"),
    ("moneyou", "MOYONL21"),
    ("n26", "NTSBDEB1"),
    ("nn", "NNBANL2G"),
    ("rabobank", "RABONL2U"),
    ("regiobank", "RBRBNL21"),
    ("revolut", "REVOLT21"),
    ("sns_bank", "SNSBNL2A"),
    ("triodos_bank", "TRIONL2U"),
    ("van_lanschot", "FVLBNL22"),
    ("yoursafe", "BITSNL2A"),
];

/// The hash that a payment method of a type shows for what was sent.
pub fn shown(kind: &str, sent: &Value) -> Value {
    let mut doc = Doc::new();
    doc.insert(kind.to_owned(), sent.clone());
    trim(&mut doc, "payment_method", &[kind]);
    fill(&mut doc, "payment_method", &[kind]);
    let Some(Value::Object(mut shown)) = doc.remove(kind) else { return json!({}) };
    if let Some(known) = KINDS.iter().find(|known| known.name == kind) {
        let account = sent.get(known.account).and_then(Value::as_str);
        for derived in known.shows {
            derive(&mut shown, *derived, account);
        }
    }
    Value::Object(shown)
}

fn derive(shown: &mut Doc, derived: Derived, account: Option<&str>) {
    let mut set = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
    match derived {
        Derived::BankName => set("bank_name", json!(BANK)),
        Derived::Fingerprint => set("fingerprint", json!(account.map(cards::fingerprint))),
        Derived::Last4 => {
            let from = account.map_or(0, |number| number.len().saturating_sub(4));
            set("last4", json!(account.and_then(|number| number.get(from..))));
        }
        Derived::Bic => {
            let known = BICS.iter().find(|known| Some(known.0) == account);
            set("bic", json!(known.map(|known| known.1)));
        }
        Derived::American => {
            set("networks", json!({"preferred": "ach", "supported": ["ach"]}));
            set("status_details", json!({}));
            for (name, usual) in
                [("account_holder_type", "individual"), ("account_type", "checking")]
            {
                let entry = shown.entry(name).or_insert(Value::Null);
                if entry.is_null() {
                    *entry = json!(usual);
                }
            }
        }
    }
}

/// A country, and where its IBANs have bank and branch: from and to.
type Iban = (&'static str, (usize, usize), (usize, usize));

const IBANS: &[Iban] = &[
    ("AT", (4, 9), (0, 0)),
    ("BE", (4, 7), (0, 0)),
    ("CH", (4, 9), (0, 0)),
    ("DE", (4, 12), (0, 0)),
    ("DK", (4, 8), (0, 0)),
    ("EE", (4, 6), (0, 0)),
    ("ES", (4, 8), (8, 12)),
    ("FI", (4, 7), (0, 0)),
    ("FR", (4, 9), (9, 14)),
    ("GB", (4, 8), (8, 14)),
    ("IE", (4, 8), (8, 14)),
    ("IT", (5, 10), (10, 15)),
    ("LU", (4, 7), (0, 0)),
    ("NL", (4, 8), (0, 0)),
    ("NO", (4, 8), (0, 0)),
    ("PT", (4, 8), (8, 12)),
    ("SE", (4, 7), (0, 0)),
];

/// The hash of a SEPA debit for an IBAN in capitals and without blanks.
pub fn of_iban(iban: &str) -> Value {
    let country = iban.get(..2).unwrap_or_default();
    let known = IBANS.iter().find(|known| known.0 == country);
    let (bank, branch) = known.map_or(((4, 8), (0, 0)), |known| (known.1, known.2));
    let from = iban.len().saturating_sub(4);
    json!({
        "bank_code": iban.get(bank.0..bank.1), "branch_code": iban.get(branch.0..branch.1),
        "country": country, "fingerprint": cards::fingerprint(iban),
        "generated_from": {"charge": null, "setup_attempt": null}, "last4": iban.get(from..),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar;
    use crate::sandbox::behaviour::payment::method;
    use crate::sandbox::testing::Lab;

    /// Every type that takes the number of an account, whether the table names it or not.
    #[test]
    fn no_type_of_payment_method_keeps_or_shows_the_number_of_an_account() {
        const ACCOUNT: &str = "000987654321";
        let catalog = Catalog::get();
        let shape = catalog.params("PaymentMethodCreateParams").unwrap();
        let mut tried = Vec::new();
        for field in &shape.fields {
            let grammar::Kind::Shape(of) = field.of.kind else { continue };
            let of = catalog.params(of).unwrap();
            if grammar::field(&of.fields, NUMBER).is_none() {
                continue;
            }
            let sent = of.fields.iter().filter(|f| matches!(f.of.kind, grammar::Kind::Text));
            let mut details: Doc = sent.map(|f| (f.name.to_owned(), json!("110000000"))).collect();
            details.insert(NUMBER.to_owned(), json!(ACCOUNT));
            let params = json!({"type": field.name, field.name: details});
            let mut lab = Lab::new();
            let made = lab.change(|txn| {
                let id = method::create_from_params(txn, params.as_object().unwrap(), "")?;
                Ok(txn.find("payment_method", &id, "id")?.document())
            });
            let made = made.unwrap();
            assert_eq!(catalog.check(&made), Vec::<String>::new(), "{}", field.name);
            assert!(!made.to_string().contains(ACCOUNT), "{made}");
            assert_eq!(made[field.name]["last4"], "4321", "{}", field.name);
            tried.push(field.name);
        }
        let known = KINDS.iter().filter(|kind| kind.account == NUMBER).map(|kind| kind.name);
        assert_eq!(tried, known.collect::<Vec<_>>());
    }

    #[test]
    fn every_bank_of_ideal_has_its_code() {
        let catalog = Catalog::get();
        let shape = catalog.params("PaymentMethodCreateParamsIdeal").unwrap();
        let grammar::Kind::Enum { words, .. } =
            &grammar::field(&shape.fields, "bank").unwrap().of.kind
        else {
            panic!("no words");
        };
        for bank in words {
            let made = shown("ideal", &json!({"bank": bank}));
            assert!(made["bic"].is_string(), "{bank}");
        }
        assert_eq!(shown("ideal", &json!({})), json!({"bank": null, "bic": null}));
        assert_eq!(shown("fpx", &json!({"bank": "cimb"}))["account_holder_type"], Value::Null);
        assert!(shown("boleto", &json!({"tax_id": "000.000.000-00"}))["fingerprint"].is_string());
    }

    #[test]
    fn the_code_of_a_bank_is_as_long_as_its_country_has_it() {
        let code = |iban: &str| of_iban(iban)["bank_code"].clone();
        assert_eq!(code("DE89370400440532013000"), "37040044");
        assert_eq!(code("AT611904300234573201"), "19043");
        assert_eq!(code("BE68539007547034"), "539");
        assert_eq!(of_iban("FR1420041010050500013M02606")["branch_code"], "01005");
    }
}
