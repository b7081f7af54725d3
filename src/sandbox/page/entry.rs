//! What was typed into the payment form: read, checked as far as it can be without trying to pay. Pure.

use crate::catalog::limit::is_email;
use crate::sandbox::behaviour::cards::{Billing, CardEntry};
use crate::sandbox::behaviour::checkout::attempt::{Means, Payer};
use crate::sandbox::behaviour::checkout::subscribe;
use crate::sandbox::behaviour::tax_id;
use crate::words::page::Words;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The form's fields as they were sent.
pub type Form = HashMap<String, String>;

/// A field at fault, and what to tell about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's id on the page.
    pub field: String,
    /// The sentence beside it.
    pub text: String,
}

/// What the page asks for; it follows from the session.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether one part of the form is there"
)]
pub struct Asks {
    /// The e-mail address that the merchant gave; it is not asked for then.
    pub email: Option<String>,
    /// Whether there is nothing to pay with.
    pub free: bool,
    /// The methods on offer, of those that the page knows.
    pub methods: Vec<String>,
    /// Whether a phone number is asked for.
    pub phone: bool,
    /// Whether the whole billing address is asked for.
    pub billing: bool,
    /// The countries that are shipped to; empty where nothing is shipped.
    pub ships_to: Vec<String>,
    /// `custom_fields` of the session.
    pub custom: Vec<Value>,
    /// Whether the terms of service must be agreed to.
    pub terms: bool,
    /// Whether one may ask to be told of offers.
    pub promotions: bool,
    /// Whether a payment method is saved, and nothing paid.
    pub setup: bool,
    /// Whether a promotion code can be typed.
    pub code: bool,
    /// Whether a tax id is asked for, and whether it may be left out.
    pub tax_id: Option<bool>,
    /// Whether the name of a business is asked for, and whether it may be left out.
    pub business_name: Option<bool>,
    /// Whether the buyer's own name is asked for, and whether it may be left out.
    pub individual_name: Option<bool>,
    /// Whether the payment method may be kept.
    pub save: bool,
    /// Whether taxes follow from the address.
    pub taxed: bool,
    /// Payment methods that the customer kept: ids and labels' parts.
    pub saved: Vec<Saved>,
}

/// A card that the customer kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The payment method.
    pub id: String,
    /// The brand, as people write it.
    pub brand: String,
    /// Its last four digits.
    pub last4: String,
}

/// A form that can be tried.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is paid with.
    pub means: Means,
    /// Who pays.
    pub payer: Payer,
    /// The values of the custom fields, in their order; `None` where one was left empty.
    pub custom: Vec<Option<String>>,
}

impl Asks {
    /// What the page of that session asks for.
    pub fn of(session: &Value) -> Self {
        let list = |value: Option<&Value>| -> Vec<String> {
            let items = value.and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let hash = |name: &str| session.get(name).filter(|value| value.is_object());
        let known = ["card", "konbini", "sepa_debit"];
        let mut methods = list(session.get("payment_method_types"));
        methods.retain(|method| known.contains(&method.as_str()));
        let given = hash("customer_details").and_then(|d| d.get("email")?.as_str());
        let text = |name: &str| session.get(name).and_then(Value::as_str);
        let consent = |name: &str| hash("consent_collection").and_then(|c| c.get(name)?.as_str());
        let is_on = |name: &str| hash(name).and_then(|h| h.get("enabled")) == Some(&json!(true));
        let named = |name: &str| {
            let asked =
                hash("name_collection").and_then(|it| it.get(name)).filter(|it| it.is_object());
            asked.filter(|it| it["enabled"] == true).map(|it| it["optional"] == true)
        };
        let ships_to =
            list(hash("shipping_address_collection").and_then(|s| s.get("allowed_countries")));
        let taxed = is_on("automatic_tax");
        let tax_id = is_on("tax_id_collection").then(|| {
            session.pointer("/tax_id_collection/required") != Some(&json!("if_supported"))
        });
        let save = session.pointer("/saved_payment_method_options/payment_method_save");
        Self {
            email: given.map(str::to_owned),
            free: session.get("amount_total").and_then(Value::as_i64) == Some(0)
                && text("mode") != Some("setup")
                && !subscribe::asks_method(session),
            methods,
            phone: is_on("phone_number_collection"),
            billing: text("billing_address_collection") == Some("required")
                || (taxed && ships_to.is_empty()),
            ships_to,
            custom: session
                .get("custom_fields")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            terms: consent("terms_of_service") == Some("required"),
            promotions: consent("promotions") == Some("auto"),
            setup: text("mode") == Some("setup"),
            code: session.get("allow_promotion_codes") == Some(&json!(true)),
            tax_id,
            business_name: named("business").or(tax_id),
            individual_name: named("individual"),
            save: save == Some(&json!("enabled")),
            taxed,
            saved: Vec::new(),
        }
    }
}

/// A form under reading: its fields, and the faults found so far.
struct Reader<'f> {
    form: &'f Form,
    words: &'static Words,
    faults: Vec<FieldError>,
}

/// Reads a form. Fails with every field that cannot be right.
pub fn read(form: &Form, asks: &Asks, words: &'static Words) -> Result<Entry, Vec<FieldError>> {
    let mut reader = Reader { form, words, faults: Vec::new() };
    let email = reader.email(asks);
    let phone = if asks.phone { reader.need("phone", words.need_field) } else { None };
    let shipping = reader.shipping(asks);
    let (business_name, individual_name) = reader.names(asks);
    let tax_id = reader.tax_id(asks);
    let sent = form.get("method").map_or("", String::as_str);
    let kept = asks.saved.iter().find(|saved| saved.id == sent);
    let method = asks.methods.iter().find(|method| *method == sent).or(asks.methods.first());
    let method = method.map_or("card", String::as_str);
    let mut billing = Billing { email, phone, ..Billing::default() };
    let means = match kept {
        _ if asks.free => Means::Method(String::new()),
        Some(saved) => Means::Method(saved.id.clone()),
        None => reader.means(method, &mut billing),
    };
    if asks.billing {
        billing.address = Some(reader.address("billing", None));
    }
    let custom = reader.custom(&asks.custom);
    if asks.terms && !form.contains_key("terms") {
        reader.fault("terms", words.need_terms);
    }
    if reader.faults.is_empty() {
        let payer = Payer {
            billing,
            shipping,
            tax_id,
            business_name,
            individual_name,
            promotions: asks.promotions && form.contains_key("promotions"),
            save: asks.save && form.contains_key("save"),
        };
        Ok(Entry { means, payer, custom })
    } else {
        Err(reader.faults)
    }
}

impl Reader<'_> {
    fn get(&self, field: &str) -> Option<String> {
        let text = self.form.get(field).map(|text| text.trim()).filter(|text| !text.is_empty())?;
        Some(text.chars().filter(|c| !c.is_control()).take(500).collect())
    }

    fn fault(&mut self, field: &str, text: &str) {
        self.faults.push(FieldError { field: field.to_owned(), text: text.to_owned() });
    }

    fn need(&mut self, field: &str, text: &str) -> Option<String> {
        let found = self.get(field);
        if found.is_none() {
            self.fault(field, text);
        }
        found
    }

    fn email(&mut self, asks: &Asks) -> Option<String> {
        if asks.email.is_some() {
            return asks.email.clone();
        }
        let email = self.need("email", self.words.need_email)?;
        if !is_email(&email) {
            self.fault("email", self.words.bad_email);
        }
        Some(email)
    }

    /// A field that is asked for, which may be left out or not.
    fn asked(&mut self, field: &str, optional: Option<bool>) -> Option<String> {
        match optional {
            None => None,
            Some(true) => self.get(field),
            Some(false) => self.need(field, self.words.need_field),
        }
    }

    fn names(&mut self, asks: &Asks) -> (Option<String>, Option<String>) {
        let business = self.asked("business_name", asks.business_name);
        (business, self.asked("individual_name", asks.individual_name))
    }

    /// `{type, value}` of a tax id that looks like one of its kind.
    fn tax_id(&mut self, asks: &Asks) -> Option<Value> {
        let value = self.asked("tax_id", asks.tax_id)?;
        let kind = self.need("tax_id_kind", self.words.need_field)?;
        if !tax_id::is_well_formed(&kind, &value) {
            self.fault("tax_id", self.words.bad_tax_id);
        }
        Some(json!({"type": kind, "value": value}))
    }

    fn means(&mut self, method: &str, billing: &mut Billing) -> Means {
        match method {
            "konbini" => {
                billing.name = self.need("konbini_name", self.words.need_name);
                billing.phone = self.get("konbini_phone").or_else(|| billing.phone.take());
                Means::Konbini
            }
            "sepa_debit" => {
                let iban = self.need("iban", self.words.need_iban).unwrap_or_default();
                billing.name = self.need("iban_name", self.words.need_name);
                Means::SepaDebit(iban)
            }
            _ => {
                let entry = self.card();
                billing.name = self.need("name", self.words.need_name);
                Means::Card(entry)
            }
        }
    }

    fn card(&mut self) -> CardEntry {
        let number = self.need("number", self.words.need_number).unwrap_or_default();
        let expiry = self.need("expiry", self.words.need_expiry);
        let date = expiry.as_deref().and_then(read_expiry);
        if expiry.is_some() && date.is_none() {
            self.fault("expiry", self.words.bad_expiry);
        }
        let cvc = self.need("cvc", self.words.need_cvc);
        let (exp_month, exp_year) = date.unwrap_or((0, 0));
        CardEntry {
            number: number.chars().map(ascii_digit).collect(),
            exp_month,
            exp_year,
            cvc: cvc.map(|cvc| cvc.chars().map(ascii_digit).collect()),
            billing: Billing::default(),
        }
    }

    /// `shipping_details`: a name and an address in one of the countries that are shipped to.
    fn shipping(&mut self, asks: &Asks) -> Option<Value> {
        if asks.ships_to.is_empty() {
            return None;
        }
        let name = self.need("shipping_name", self.words.need_name);
        let address = self.address("shipping", Some(&asks.ships_to));
        Some(json!({"address": address, "name": name}))
    }

    fn address(&mut self, prefix: &str, countries: Option<&[String]>) -> Value {
        let mut address = Map::new();
        for member in ["country", "postal_code", "state", "city", "line1", "line2"] {
            let field = format!("{prefix}_{member}");
            let value = if matches!(member, "country" | "city" | "line1") {
                self.need(&field, self.words.need_field)
            } else {
                self.get(&field)
            };
            address.insert(member.to_owned(), json!(value));
        }
        let country = address.get("country").and_then(Value::as_str).unwrap_or_default();
        let allowed = countries.is_none_or(|allowed| allowed.iter().any(|code| code == country));
        if !country.is_empty() && (!allowed || country.len() != 2) {
            self.fault(&format!("{prefix}_country"), self.words.bad_field);
        }
        Value::Object(address)
    }

    fn custom(&mut self, fields: &[Value]) -> Vec<Option<String>> {
        let values = fields.iter().enumerate().map(|(at, field)| {
            let id = format!("custom_{at}");
            let value = self.get(&id);
            let optional = field.get("optional") == Some(&json!(true));
            match &value {
                None if !optional => self.fault(&id, self.words.need_field),
                Some(value) if !custom_fits(field, value) => self.fault(&id, self.words.bad_field),
                _ => {}
            }
            value
        });
        values.collect()
    }
}

/// Whether a value has the length, the digits or the choice that a custom field wants.
fn custom_fits(field: &Value, value: &str) -> bool {
    let kind = field.get("type").and_then(Value::as_str).unwrap_or("text");
    let rules = field.get(kind);
    if kind == "dropdown" {
        let options = rules.and_then(|r| r.get("options")?.as_array());
        return options.into_iter().flatten().any(|o| o.get("value").is_some_and(|v| v == value));
    }
    let bound = |name: &str| rules.and_then(|r| r.get(name)?.as_u64());
    let length = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
    let digits = kind != "numeric" || value.bytes().all(|byte| byte.is_ascii_digit());
    digits
        && bound("minimum_length").is_none_or(|min| length >= min)
        && bound("maximum_length").is_none_or(|max| length <= max)
}

/// Month and year as they were typed: `12/34`, `12 / 2034`, `1234`, `１２／３４`.
pub fn read_expiry(text: &str) -> Option<(i64, i64)> {
    let plain: String = text.chars().map(ascii_digit).filter(|c| !c.is_whitespace()).collect();
    let (month, year) = match plain.split_once(['/', '-', '／', '.']) {
        Some(parts) => parts,
        None if matches!(plain.len(), 4 | 6) && plain.is_ascii() => plain.split_at(2),
        None => return None,
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let lengths = matches!(month.len(), 1 | 2) && matches!(year.len(), 2 | 4);
    if !lengths || !digits(month) || !digits(year) {
        return None;
    }
    Some((month.parse().ok()?, year.parse().ok()?))
}

/// A full-width digit, as Japanese keyboards type it, in ASCII.
fn ascii_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use proptest::prelude::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn card_asks() -> Asks {
        Asks { methods: vec!["card".to_owned()], ..Asks::default() }
    }

    const GOOD: [(&str, &str); 5] = [
        ("email", "aki@example.com"),
        ("number", "4242 4242 4242 4242"),
        ("expiry", "12 / 34"),
        ("cvc", "123"),
        ("name", "Aki"),
    ];

    #[test]
    fn a_full_form_can_be_tried() {
        let entry = read(&form(&GOOD), &card_asks(), Words::of(Locale::En)).unwrap();
        let Means::Card(card) = entry.means else { panic!("a card was typed") };
        assert_eq!((card.exp_month, card.exp_year), (12, 34));
        assert_eq!(entry.payer.billing.email.as_deref(), Some("aki@example.com"));
    }

    #[test]
    fn every_empty_field_is_told_at_once() {
        let faults = read(&form(&[]), &card_asks(), Words::of(Locale::Ja)).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["email", "number", "expiry", "cvc", "name"]);
    }

    #[test]
    fn konbini_asks_for_a_name_and_no_card() {
        let asks =
            Asks { methods: vec!["card".to_owned(), "konbini".to_owned()], ..Asks::default() };
        let typed = form(&[("method", "konbini"), ("email", "a@b.co"), ("konbini_name", "秋")]);
        assert!(matches!(
            read(&typed, &asks, Words::of(Locale::En)).unwrap().means,
            Means::Konbini
        ));
        let other = form(&[("method", "konbini"), ("email", "a@b.co"), ("konbini_name", "秋")]);
        assert!(read(&other, &card_asks(), Words::of(Locale::En)).is_err(), "not on offer");
    }

    #[test]
    fn dates_are_read_as_people_type_them() {
        for text in ["12/34", "12 / 34", "1234", "12/2034", "122034", "１２／３４", "12-34"] {
            let (month, year) = read_expiry(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((month, year % 100), (12, 34), "{text}");
        }
        for text in ["", "12", "12/3", "a/b", "１２３", "12/34/56"] {
            assert_eq!(read_expiry(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_typed_text_panics(expiry in ".{0,12}", email in ".{0,40}", number in ".{0,30}") {
            let typed = form(&[("email", &email), ("expiry", &expiry), ("number", &number), ("cvc", "1"), ("name", "x")]);
            drop(read(&typed, &card_asks(), Words::of(Locale::En)));
        }
    }
}
