//! Declines: the code, the sentence and the advice that go with each reason.

use crate::domain::card::{Behaviour, Card};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Map, Value, json};

/// Why a payment was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// `error.code`.
    pub code: &'static str,
    /// `error.decline_code`, where there is one.
    pub decline_code: Option<&'static str>,
    /// Whether the risk check stopped it before the bank was asked.
    pub blocked: bool,
}

impl Decline {
    /// A refusal by the bank.
    pub const fn new(code: &'static str, decline_code: Option<&'static str>) -> Self {
        Self { code, decline_code, blocked: false }
    }

    /// A refusal that says no more than that.
    pub const fn generic() -> Self {
        Self::new("card_declined", Some("generic_decline"))
    }

    /// A refusal by the risk check.
    pub const fn blocked() -> Self {
        Self { code: "card_declined", decline_code: Some("fraudulent"), blocked: true }
    }

    /// The bank wants the cardholder to authenticate, who is not there.
    pub const fn authentication_required() -> Self {
        Self::new("authentication_required", Some("authentication_required"))
    }

    /// A delayed bank debit that was not covered.
    pub const fn unpaid_debit() -> Self {
        Self::new("payment_intent_payment_attempt_failed", Some("insufficient_funds"))
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

    /// Stripe's sentence for the customer.
    pub fn message(&self) -> &'static str {
        match (self.code, self.decline_code) {
            ("payment_intent_payment_attempt_failed", _) => {
                "The payment failed: the bank account has insufficient funds."
            }
            ("expired_card", _) => "Your card has expired.",
            ("incorrect_cvc", _) => "Your card's security code is incorrect.",
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

    /// `error.advice_code`: what the merchant may do about it.
    pub const fn advice(&self) -> Option<&'static str> {
        match (self.code.as_bytes(), self.decline_code) {
            (b"incorrect_cvc" | b"expired_card", _) => Some("confirm_card_data"),
            (_, Some(reason)) => match reason.as_bytes() {
                b"lost_card" | b"stolen_card" | b"fraudulent" => Some("do_not_try_again"),
                b"authentication_required" => None,
                _ => Some("try_again_later"),
            },
            _ => Some("try_again_later"),
        }
    }

    /// `charge.outcome` of the refused charge.
    pub fn outcome(&self) -> Value {
        if self.blocked {
            return json!({
                "advice_code": self.advice(), "network_advice_code": null, "network_decline_code": null,
                "network_status": "not_sent_to_network", "reason": "highest_risk_level",
                "risk_level": "highest", "risk_score": 79, "type": "blocked",
                "seller_message": "Stripe blocked this payment as too risky.",
            });
        }
        let reason = self.decline_code.unwrap_or(self.code);
        let seller = match reason {
            "generic_decline" => {
                "The bank did not return any further details with this decline.".to_owned()
            }
            other => format!("The bank returned the decline code `{other}`."),
        };
        json!({
            "advice_code": self.advice(), "network_advice_code": null, "network_decline_code": "01",
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
        if let Some(advice) = self.advice() {
            set("advice_code", json!(advice));
        }
        if let Some(decline_code) = self.decline_code {
            set("decline_code", json!(decline_code));
        }
        if let Some(charge) = charge {
            set("charge", json!(charge));
        }
        if self.code == "incorrect_cvc" {
            set("param", json!("cvc"));
        }
        error
    }

    /// The 402 that answers the request which was declined. What it changed stays.
    pub fn failure(&self) -> Failure {
        let mut failure = Failure::of(402, FailureKind::Card, self.message()).code(self.code);
        if let Some(advice) = self.advice() {
            failure = failure.with("advice_code", advice);
        }
        if let Some(decline_code) = self.decline_code {
            failure = failure.with("decline_code", decline_code);
        }
        if self.code == "incorrect_cvc" {
            failure = failure.param("cvc");
        }
        failure.keeping_changes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
