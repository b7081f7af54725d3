//! Declines: the code, the sentence and the advice that go with each reason.

use crate::domain::card::{Behaviour, Card};
use crate::sandbox::behaviour::cards::stored;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::View;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};

/// Who refuses a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The bank.
    Bank,
    /// The risk check, before the bank was asked.
    Risk,
    /// The account that is paid, by its settings, though the bank would pay.
    Account,
}

/// Why a payment was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the API's own names")]
pub struct Decline {
    /// `error.code`.
    pub code: &'static str,
    /// `error.decline_code`, where there is one.
    pub decline_code: Option<&'static str>,
    by: By,
}

/// Checks that an account may decline on: the setting, the check, and the code of the refusal.
const CHECKS: [(&str, &str, &str); 2] = [
    ("cvc_failure", "cvc_check", "incorrect_cvc"),
    ("avs_failure", "address_postal_code_check", "incorrect_zip"),
];

impl Decline {
    /// A refusal by the bank.
    pub const fn new(code: &'static str, decline_code: Option<&'static str>) -> Self {
        // Where the code says it all, the bank's own code repeats it.
        let decline_code = if decline_code.is_some() { decline_code } else { Some(code) };
        Self { code, decline_code, by: By::Bank }
    }

    /// A refusal that says no more than that.
    pub const fn generic() -> Self {
        Self::new("card_declined", Some("generic_decline"))
    }

    /// A refusal by the risk check.
    pub const fn blocked() -> Self {
        Self { code: "card_declined", decline_code: Some("fraudulent"), by: By::Risk }
    }

    /// The bank wants the cardholder to authenticate, who is not there.
    pub const fn authentication_required() -> Self {
        Self::new("authentication_required", Some("authentication_required"))
    }

    /// A delayed bank debit that was not covered.
    pub const fn unpaid_debit(reason: Option<&'static str>) -> Self {
        let reason = if reason.is_some() { reason } else { Some("insufficient_funds") };
        Self::new("payment_intent_payment_attempt_failed", reason)
    }

    /// What verifying a card finds, before any money moves; `None` where the card passes.
    pub fn on_verifying(card: &Card) -> Option<Self> {
        match card.behaviour {
            Behaviour::Declines { decline_code: Some("fraudulent"), .. } => Some(Self::blocked()),
            Behaviour::Declines { code, decline_code } => Some(Self::new(code, decline_code)),
            _ => None,
        }
    }

    /// What charging a card finds, 3-D Secure aside; `None` where the charge succeeds.
    pub fn on_charging(card: &Card) -> Option<Self> {
        match card.behaviour {
            Behaviour::DeclinesAfterAttaching => Some(Self::generic()),
            Behaviour::Flagged("riskLevelHighest" | "freeTrialAbuseBlock") => Some(Self::blocked()),
            _ => Self::on_verifying(card),
        }
    }

    /// What a connected account has itself decline: a payment whose check its bank lets fail
    /// (`settings.card_payments.decline_on`).
    pub fn on_checks(view: &View, method: &Object) -> Option<Self> {
        let account = &view.scope().account;
        if account.is_empty() {
            return None;
        }
        let account = view.at("").get("account", account)?;
        let on = account.get("settings")?.get("card_payments")?.get("decline_on")?;
        let found = stored::checks(method);
        let fails = |(setting, check, _): &&(&str, &str, &str)| {
            on.get(*setting) == Some(&json!(true)) && text(&found, check) == "fail"
        };
        let code = CHECKS.iter().find(fails)?.2;
        Some(Self { code, decline_code: None, by: By::Account })
    }

    /// Stripe's sentence for the customer.
    pub fn message(&self) -> &'static str {
        match (self.code, self.decline_code) {
            ("payment_intent_payment_attempt_failed", Some(reason)) => match reason {
                "account_closed" => "The payment failed: the bank account has been closed.",
                "debit_not_authorized" => {
                    "The payment failed: the bank account's owner has not authorized it."
                }
                "no_account" => "The payment failed: there is no such bank account.",
                "refer_to_customer" => "The payment failed: the bank refers to its customer.",
                _ => "The payment failed: the bank account has insufficient funds.",
            },
            ("expired_card", _) => "Your card has expired.",
            ("incorrect_cvc", _) => "Your card's security code is incorrect.",
            ("incorrect_zip", _) => {
                "Your card could not be authorized using the postal code provided. Please update the postal code, or contact your card issuer for further details."
            }
            ("processing_error", _) | (_, Some("processing_error")) => {
                "An error occurred while processing your card. Try again in a little bit."
            }
            ("authentication_required", _) => {
                "Your card was declined. This transaction requires authentication."
            }
            (_, Some("insufficient_funds")) => "Your card has insufficient funds.",
            (_, Some("card_velocity_exceeded")) => {
                "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
            }
            _ => "Your card was declined.",
        }
    }

    /// What goes with the reason; nothing where the bank was not asked.
    fn row(&self) -> Option<&'static Row> {
        let reason = self.decline_code.unwrap_or(self.code);
        ROWS.iter().find(|row| row.reason == reason)
    }

    /// The parameter at fault, where the reason names one.
    pub fn param(&self) -> Option<&'static str> {
        self.row().and_then(|row| row.param)
    }

    /// `error.advice_code`: what the merchant may do about it.
    pub fn advice(&self) -> Option<&'static str> {
        self.row().and_then(|row| row.advice)
    }

    /// `charge.outcome` of the refused charge.
    pub fn outcome(&self) -> Value {
        match self.by {
            By::Bank => {}
            By::Risk => {
                return json!({
                    "advice_code": self.advice(), "network_advice_code": null, "network_decline_code": null,
                    "network_status": "not_sent_to_network", "reason": "highest_risk_level",
                    "risk_level": "highest", "risk_score": 79, "type": "blocked",
                    "seller_message": "Stripe blocked this payment as too risky.",
                });
            }
            // Believed: only the error is recorded, not its charge.
            By::Account => {
                return json!({
                    "advice_code": null, "network_advice_code": null, "network_decline_code": null,
                    "network_status": "reversed_after_approval", "reason": "rule",
                    "risk_level": "normal", "risk_score": 26, "type": "blocked",
                    "seller_message": "The bank approved this payment, but it failed a check that your account declines on.",
                });
            }
        }
        let reason = self.decline_code.unwrap_or(self.code);
        let seller = match reason {
            "generic_decline" => {
                "The bank did not return any further details with this decline.".to_owned()
            }
            other => format!("The bank returned the decline code `{other}`."),
        };
        json!({
            "advice_code": self.advice(), "network_advice_code": self.row().and_then(|row| row.network_advice),
            "network_decline_code": self.row().and_then(|row| row.network),
            "network_status": "declined_by_network", "reason": reason, "risk_level": "normal",
            "risk_score": 26, "seller_message": seller, "type": "issuer_declined",
        })
    }

    /// The members of an error about this decline: `last_payment_error`, and `error` of the answer.
    pub fn error(&self, charge: Option<&str>, method: &Value) -> Map<String, Value> {
        let page = format!("https://stripe.com/docs/error-codes/{}", self.code.replace('_', "-"));
        let mut error = Map::new();
        let mut set = |name: &str, value: Value| drop(error.insert(name.to_owned(), value));
        set("type", json!("card_error"));
        set("code", json!(self.code));
        set("doc_url", json!(page));
        set("message", json!(self.message()));
        set("payment_method", method.clone());
        for (name, value) in self.codes() {
            set(name, json!(value));
        }
        if let Some(charge) = charge {
            set("charge", json!(charge));
        }
        if let Some(param) = self.param() {
            set("param", json!(param));
        }
        error
    }

    /// The further codes of an error about it, those that there are.
    fn codes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        // A bank account's refusal comes by no card network.
        let by_network =
            self.by == By::Bank && self.code != "payment_intent_payment_attempt_failed";
        let row = self.row().filter(|_| by_network);
        [
            ("advice_code", self.advice().filter(|_| self.by != By::Account)),
            ("decline_code", self.decline_code),
            ("network_advice_code", row.and_then(|row| row.network_advice)),
            ("network_decline_code", row.and_then(|row| row.network)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The 402 that answers the request which was declined. What it changed stays.
    pub fn failure(&self) -> Failure {
        let mut failure = Failure::of(402, FailureKind::Card, self.message()).code(self.code);
        for (name, value) in self.codes() {
            failure = failure.with(name, value);
        }
        if let Some(param) = self.param() {
            failure = failure.param(param);
        }
        failure.keeping_changes()
    }
}

/// What goes with a reason: the advice, the network's codes, the parameter at fault.
struct Row {
    reason: &'static str,
    advice: Option<&'static str>,
    network: Option<&'static str>,
    network_advice: Option<&'static str>,
    param: Option<&'static str>,
}

const fn row(
    reason: &'static str,
    advice: Option<&'static str>,
    network: Option<&'static str>,
    network_advice: Option<&'static str>,
    param: Option<&'static str>,
) -> Row {
    Row { reason, advice, network, network_advice, param }
}

const LATER: Option<&str> = Some("try_again_later");
const NEVER: Option<&str> = Some("do_not_try_again");
const CHECK: Option<&str> = Some("confirm_card_data");

const ROWS: &[Row] = &[
    row("authentication_required", None, None, None, None),
    row("card_velocity_exceeded", LATER, Some("61"), Some("02"), None),
    row("expired_card", CHECK, Some("54"), Some("03"), Some("exp_month")),
    row("fraudulent", NEVER, None, None, None),
    row("generic_decline", LATER, Some("01"), None, None),
    row("incorrect_cvc", CHECK, Some("N7"), Some("03"), Some("cvc")),
    row("incorrect_zip", CHECK, None, None, Some("address_zip")),
    row("insufficient_funds", LATER, Some("51"), Some("02"), None),
    row("lost_card", NEVER, Some("41"), Some("01"), None),
    row("processing_error", LATER, Some("06"), None, None),
    row("stolen_card", NEVER, Some("43"), Some("01"), None),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card;

    /// Every test card that is declined has its row, and both places show the same of it.
    #[test]
    fn every_declining_card_says_why_in_every_code() {
        let mut seen = 0;
        for card in card::ALL {
            let Some(decline) = Decline::on_charging(card) else { continue };
            seen += 1;
            assert!(decline.row().is_some(), "{card:?}");
            let failure = decline.failure();
            let error = decline.error(None, &Value::Null);
            assert_eq!(failure.more.get("decline_code"), error.get("decline_code"));
            assert_eq!(failure.param.as_deref(), error.get("param").and_then(Value::as_str));
            let by_bank = decline.by == By::Bank;
            assert_eq!(failure.more.contains_key("network_decline_code"), by_bank);
        }
        assert!(seen > 9, "{seen}");
        let param = |code| Decline::new(code, None).param();
        assert_eq!(param("expired_card"), Some("exp_month"));
        assert_eq!(param("incorrect_cvc"), Some("cvc"));
        assert_eq!(param("processing_error"), None);
    }

    #[test]
    fn the_sentence_follows_the_most_telling_code() {
        assert_eq!(Decline::generic().message(), "Your card was declined.");
        let funds = Decline::new("card_declined", Some("insufficient_funds"));
        assert_eq!(funds.message(), "Your card has insufficient funds.");
        assert_eq!(Decline::new("expired_card", None).message(), "Your card has expired.");
        assert_eq!(Decline::blocked().advice(), Some("do_not_try_again"));
        assert_eq!(Decline::authentication_required().advice(), None);
    }
}
