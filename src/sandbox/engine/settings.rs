//! What the owner of an account has set: one record in each world, which behaviour reads where Stripe's does.

use crate::catalog::Catalog;
use crate::catalog::stripe_version;
use crate::domain::currency::Currency;
use crate::sandbox::engine::private::SettingsPart;
use crate::sandbox::engine::schedule::RetrySchedule;
use crate::sandbox::engine::txn::View;
use serde_json::{Map, Value, json};

/// The record: its kind and id. It stands with the platform, and holds for the whole world.
pub const RECORD: (&str, &str) = ("_settings", "account");

/// Every setting, its value where nobody set it, and what can be set.
pub const ALL: [(&str, &str, &str); 7] = [
    ("country", "JP", "two capital letters, JP"),
    ("currency", "jpy", "a currency of the API, jpy"),
    ("api_version", "", "a version of the API, 2026-10-28.endive"),
    (
        "payment_methods",
        "",
        "names with commas between them, card,konbini; none means what fits the currency",
    ),
    ("raw_cards", "off", "on or off: whether the numbers of test cards may come from a server"),
    (
        "webhook_retries",
        "",
        "sandbox, live, instant, 1s,5s,30s; none means what the sandbox was started with",
    ),
    (
        "dunning_retries",
        "3,5,7",
        "days with commas between them, 3,5,7: from each failed attempt at an invoice to the next; at most 8, 1 to 60 each",
    ),
];

/// The settings of one world.
#[derive(Clone, Debug, Default)]
pub struct Settings(SettingsPart);

impl Settings {
    /// Those of the world that is looked at.
    pub fn of(view: &View) -> Self {
        let scope = view.scope().at("");
        let stored = view.state().get(&scope, RECORD.0, RECORD.1);
        Self(stored.and_then(|stored| stored.part()).cloned().unwrap_or_default())
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> &str {
        match self.0.set.get(name) {
            Some(value) => value,
            None if name == "api_version" => Catalog::get().api_version(),
            None => ALL.iter().find(|(known, ..)| *known == name).map_or("", |(_, value, _)| value),
        }
    }

    /// The types of payment methods that a payment takes where it names none; `usual` where nobody set any.
    pub fn payment_methods(&self, usual: &[&str]) -> Vec<String> {
        match self.get("payment_methods") {
            "" => usual.iter().map(|kind| (*kind).to_owned()).collect(),
            set => set.split(',').map(str::to_owned).collect(),
        }
    }

    /// When a failed delivery is tried again; `None` where nobody set it.
    pub fn webhook_retries(&self) -> Option<RetrySchedule> {
        self.get("webhook_retries").parse().ok()
    }

    /// Days from each failed attempt at a renewal's invoice to the next; after the last the subscription ends.
    pub fn dunning_retries(&self) -> Vec<i64> {
        days(self.get("dunning_retries")).unwrap_or_default()
    }

    /// With another value of a setting, an empty one for that of the beginning. Fails with what can be set.
    pub fn with(mut self, name: &str, value: &str) -> Result<SettingsPart, String> {
        let Some((_, _, expected)) = ALL.iter().find(|(known, ..)| *known == name) else {
            let names: Vec<&str> = ALL.iter().map(|(name, ..)| *name).collect();
            return Err(format!("There is no setting '{name}'. There are: {}.", names.join(", ")));
        };
        let value = value.trim();
        if value.is_empty() {
            self.0.set.remove(name);
            return Ok(self.0);
        }
        if !fits(name, value) {
            return Err(format!(
                "'{value}' cannot be the {name} of an account: expected {expected}."
            ));
        }
        self.0.set.insert(name.to_owned(), value.to_owned());
        Ok(self.0)
    }

    /// As the controls show them.
    pub fn show(&self) -> Map<String, Value> {
        ALL.iter().map(|(name, ..)| ((*name).to_owned(), json!(self.get(name)))).collect()
    }
}

fn fits(name: &str, value: &str) -> bool {
    match name {
        "country" => value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()),
        "currency" => {
            value.parse::<Currency>().is_ok() && value.bytes().all(|b| b.is_ascii_lowercase())
        }
        "api_version" => stripe_version::read(Some(value), "").is_ok(),
        "payment_methods" => {
            let is_name = |it: &str| {
                !it.is_empty() && it.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            };
            value.split(',').all(is_name)
        }
        "raw_cards" => matches!(value, "on" | "off"),
        "dunning_retries" => days(value).is_some(),
        _ => value.parse::<RetrySchedule>().is_ok(),
    }
}

/// Days as they are set: Stripe takes eight attempts at most.
fn days(text: &str) -> Option<Vec<i64>> {
    let day = |it: &str| it.trim().parse().ok().filter(|days| (1..=60).contains(days));
    let all: Option<Vec<i64>> = text.split(',').map(day).collect();
    all.filter(|all| all.len() <= 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;

    #[test]
    fn what_was_set_holds_and_an_empty_value_takes_it_back() {
        let set = |settings: &Settings, name: &str, value: &str| {
            settings.clone().with(name, value).map(Settings)
        };
        let none = Settings::default();
        assert_eq!((none.get("currency"), none.get("country")), ("jpy", "JP"));
        let dollars = set(&none, "currency", "usd").unwrap();
        assert_eq!(dollars.get("currency"), "usd");
        assert_eq!(set(&dollars, "currency", "").unwrap().get("currency"), "jpy");
        for (name, value) in
            [("currency", "xxq"), ("country", "jp"), ("dunning_retries", "0,3"), ("colour", "red")]
        {
            assert!(set(&none, name, value).unwrap_err().contains(value) || name == "colour");
        }
        assert_eq!(none.dunning_retries(), [3, 5, 7]);
        let patient = set(&none, "dunning_retries", "1, 10").unwrap();
        assert_eq!(patient.dunning_retries(), [1, 10]);
        assert!(set(&none, "dunning_retries", "1,1,1,1,1,1,1,1,1").is_err(), "nine attempts");
    }

    #[test]
    fn payments_take_what_the_account_has_switched_on_where_they_name_nothing() {
        let mut lab = Lab::new();
        let types = |lab: &mut Lab, currency: &str| {
            let form = json!({"amount": 5_000, "currency": currency});
            let intent = lab.ok("POST /v1/payment_intents", form);
            let item = json!({"quantity": 1, "price_data": {
                "currency": currency, "unit_amount": 5_000, "product_data": {"name": "Tea"}}});
            let session = json!({"mode": "payment", "success_url": "http://127.0.0.1:1/",
                "line_items": [item]});
            let session = lab.ok("POST /v1/checkout/sessions", session);
            [intent, session].map(|it| it["payment_method_types"].clone())
        };
        assert_eq!(
            types(&mut lab, "jpy"),
            [json!(["card", "konbini", "link"]), json!(["card", "konbini"])]
        );
        let switch = |lab: &mut Lab, value: &str| {
            lab.change(|txn| {
                let part = Settings::of(txn).with("payment_methods", value).unwrap();
                txn.put_record(RECORD.0, RECORD.1, "".into(), part);
                Ok(())
            })
            .unwrap();
        };
        switch(&mut lab, "konbini,card");
        assert_eq!(
            types(&mut lab, "jpy"),
            [json!(["konbini", "card"]), json!(["konbini", "card"])]
        );
        assert_eq!(
            types(&mut lab, "usd"),
            [json!(["card"]), json!(["card"])],
            "what the currency allows"
        );
        switch(&mut lab, "card");
        assert_eq!(types(&mut lab, "jpy"), [json!(["card"]), json!(["card"])]);
        switch(&mut lab, "");
        assert_eq!(
            types(&mut lab, "jpy"),
            [json!(["card", "konbini", "link"]), json!(["card", "konbini"])]
        );
    }
}
