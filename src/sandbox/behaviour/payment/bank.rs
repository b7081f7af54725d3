//! What payment methods show that are no cards: never the number of an account, but what Stripe makes of it.

use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::document::{fill, text, trim};
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
    /// Whose account it is: a person's, where nothing else was said.
    Holder,
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
    kind("fpx", "bank", &[Derived::Holder]),
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
            settle(shown, "account_holder_type", "individual");
            settle(shown, "account_type", "checking");
        }
        Derived::Holder => settle(shown, "account_holder_type", "individual"),
    }
}

/// Writes what is usual where nothing was said.
fn settle(shown: &mut Doc, name: &str, usual: &str) {
    let entry = shown.entry(name).or_insert(Value::Null);
    if entry.is_null() {
        *entry = json!(usual);
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

/// The hash of a SEPA debit of which no more is known.
pub fn sepa(country: &Value, fingerprint: &Value, last4: &Value) -> Value {
    json!({
        "bank_code": null, "branch_code": null, "country": country, "fingerprint": fingerprint,
        "generated_from": {"charge": null, "setup_attempt": null}, "last4": last4,
    })
}

/// A way of transferring money: the currency, its name, the country, the kind of address.
type Way = (&'static str, &'static str, &'static str, &'static str);

const WAYS: [Way; 5] = [
    ("eur", "eu_bank_transfer", "DE", "iban"),
    ("gbp", "gb_bank_transfer", "GB", "sort_code"),
    ("jpy", "jp_bank_transfer", "JP", "zengin"),
    ("mxn", "mx_bank_transfer", "MX", "spei"),
    ("usd", "us_bank_transfer", "US", "aba"),
];

/// How a currency is transferred by bank.
pub fn transfer_of(currency: &str) -> Option<&'static str> {
    WAYS.iter().find(|way| way.0 == currency).map(|way| way.1)
}

fn way(name: &str) -> Way {
    WAYS.into_iter().find(|way| way.1 == name).unwrap_or((
        "jpy",
        "jp_bank_transfer",
        "JP",
        "zengin",
    ))
}

/// The country in which a transfer is received.
pub fn country_of(name: &str) -> &'static str {
    way(name).2
}

/// Digits that are always the same for the same text.
pub fn digits(of: &str, count: usize) -> String {
    cards::fingerprint(of).bytes().take(count).map(|b| char::from(b'0' + b % 10)).collect()
}

/// Where transfers of a customer go to: an account of its own, which does not change.
pub fn addresses(name: &str, customer: &str) -> Value {
    let (_, _, country, kind) = way(name);
    let nowhere = json!({
        "city": null, "country": country, "line1": null, "line2": null, "postal_code": null, "state": null,
    });
    let number = digits(customer, if kind == "zengin" { 7 } else { 8 });
    let mut details = match kind {
        "zengin" => json!({
            "account_type": "futsu", "bank_code": "0009", "bank_name": BANK, "branch_code": "123",
            "branch_name": "TEST BRANCH",
        }),
        "iban" => {
            json!({"bic": "STRPDE00XXX", "country": country, "iban": format!("DE00100100100{number:0>9}")})
        }
        "sort_code" => json!({"sort_code": "108800"}),
        "spei" => {
            json!({"bank_code": "646", "bank_name": BANK, "clabe": format!("646180{number:0>12}")})
        }
        _ => json!({"account_type": "checking", "bank_name": BANK, "routing_number": "110000000"}),
    };
    if let Value::Object(details) = &mut details {
        details.insert("account_holder_name".to_owned(), json!("STRIPEGYM"));
        details.insert("account_holder_address".to_owned(), nowhere.clone());
        details.insert("bank_address".to_owned(), nowhere);
        if matches!(kind, "zengin" | "sort_code" | "aba") {
            details.insert("account_number".to_owned(), json!(number));
        }
    }
    let network = match kind {
        "iban" => json!(["sepa"]),
        "sort_code" => json!(["bacs", "fps"]),
        "aba" => json!(["ach", "domestic_wire_us"]),
        other => json!([other]),
    };
    json!([{"type": kind, kind: details, "supported_networks": network}])
}

/// How a transfer that was received is shown.
pub fn received(name: &str, reference: Option<&str>) -> Value {
    let by = match name {
        "eu_bank_transfer" => {
            json!({"bic": "STRPDE00XXX", "iban_last4": "3000", "sender_name": "Test Sender"})
        }
        "gb_bank_transfer" => {
            json!({"account_number_last4": "2345", "sender_name": "Test Sender", "sort_code": "108800"})
        }
        "jp_bank_transfer" => {
            json!({"sender_bank": BANK, "sender_branch": "TEST BRANCH", "sender_name": "Test Sender"})
        }
        "us_bank_transfer" => json!({"network": "ach", "sender_name": "Test Sender"}),
        _ => json!({}),
    };
    let mut doc = json!({"reference": reference, "type": name});
    if let (true, Value::Object(doc)) = (name != "mx_bank_transfer", &mut doc) {
        doc.insert(name.to_owned(), by);
    }
    doc
}

/// What the documented account numbers do when they are debited: the type of payment method, the number, how long the
/// bank takes, and why it refuses. Believed beside American and SEPA accounts: read from documentation, not recorded.
const DEBITS: &[(&str, &str, Speed, Option<&str>)] = &[
    ("acss_debit", "000222222227", Speed::Soon, Some("insufficient_funds")),
    ("acss_debit", "900123456789", Speed::Later, None),
    ("acss_debit", "900222222227", Speed::Later, Some("insufficient_funds")),
    ("au_becs_debit", "111111113", Speed::Soon, Some("account_closed")),
    ("au_becs_debit", "111111116", Speed::Soon, Some("no_account")),
    ("au_becs_debit", "222222227", Speed::Soon, Some("refer_to_customer")),
    ("au_becs_debit", "333333335", Speed::Soon, Some("debit_not_authorized")),
    ("au_becs_debit", "900123456", Speed::Later, None),
    ("bacs_debit", "22222227", Speed::Soon, Some("insufficient_funds")),
    ("bacs_debit", "33333335", Speed::Soon, Some("debit_not_authorized")),
    ("bacs_debit", "90012345", Speed::Later, None),
    ("sepa_debit", "AT321904300235473204", Speed::Later, None),
    ("sepa_debit", "DE08370400440532013003", Speed::Later, None),
    ("sepa_debit", "AT861904300235473202", Speed::Soon, Some("insufficient_funds")),
    ("sepa_debit", "DE62370400440532013001", Speed::Soon, Some("insufficient_funds")),
    ("sepa_debit", "IT60X0542811101000000123456", Speed::Soon, Some("insufficient_funds")),
    ("sepa_debit", "AT051904300235473205", Speed::Later, Some("insufficient_funds")),
    ("sepa_debit", "DE78370400440532013004", Speed::Later, Some("insufficient_funds")),
    ("us_bank_account", "000111111113", Speed::Soon, Some("account_closed")),
    ("us_bank_account", "000111111116", Speed::Soon, Some("no_account")),
    ("us_bank_account", "000222222227", Speed::Soon, Some("insufficient_funds")),
    ("us_bank_account", "000333333335", Speed::Soon, Some("debit_not_authorized")),
    ("us_bank_account", "000000000009", Speed::Never, None),
];

/// The currencies in which each type of debit is made.
const DEBITED_IN: &[(&str, &[&str])] = &[
    ("acss_debit", &["cad", "usd"]),
    ("au_becs_debit", &["aud"]),
    ("bacs_debit", &["gbp"]),
    ("sepa_debit", &["eur"]),
    ("us_bank_account", &["usd"]),
];

/// How long a bank takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// Seconds.
    Soon,
    /// Minutes.
    Later,
    /// It never answers by itself.
    Never,
}

/// What becomes of a debit of a payment method: how long it takes, and why it is refused. Any other account pays.
pub fn debit(method: &Value) -> (Speed, Option<&'static str>) {
    let kind = text(method, "type");
    let fingerprint = method.get(kind).map_or("", |account| text(account, "fingerprint"));
    let mut known = DEBITS.iter().filter(|known| known.0 == kind);
    let known = known.find(|known| cards::fingerprint(known.1) == fingerprint);
    known.map_or((Speed::Soon, None), |known| (known.2, known.3))
}

/// The currencies of a type of debit; `None` where nothing is debited from it.
pub fn debited_in(kind: &str) -> Option<&'static [&'static str]> {
    DEBITED_IN.iter().find(|known| known.0 == kind).map(|known| known.1)
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
        let fpx = |sent: Value| shown("fpx", &sent)["account_holder_type"].clone();
        assert_eq!(fpx(json!({"bank": "cimb"})), "individual");
        assert_eq!(fpx(json!({"account_holder_type": "company", "bank": "cimb"})), "company");
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
