//! What a refused payment is called to the person who tried it.

use crate::wire::failure::Failure;
use crate::words::page::Words;
use serde_json::Value;

/// The sentence for a failure; the failure's own where there is none.
pub fn refusal(words: &Words, failure: &Failure) -> String {
    let code = failure.code.as_deref().unwrap_or_default();
    let decline = failure.more.get("decline_code").and_then(Value::as_str);
    refused(words, code, decline).map_or_else(|| failure.message.clone(), str::to_owned)
}

/// The sentence for an error's code and decline code, where there is one.
pub fn refused(words: &Words, code: &str, decline_code: Option<&str>) -> Option<&'static str> {
    Some(match (code, decline_code) {
        (_, Some("test_mode_live_card")) => words.live_card,
        (_, Some("insufficient_funds")) => words.insufficient_funds,
        (_, Some("card_velocity_exceeded")) => words.velocity,
        ("processing_error", _) | (_, Some("processing_error")) => words.processing_error,
        ("authentication_required", _) => words.authentication_required,
        ("payment_intent_authentication_failure", _) => words.authentication_failed,
        ("expired_card", _) => words.expired_card,
        ("incorrect_cvc", _) => words.incorrect_cvc,
        ("invalid_cvc", _) => words.invalid_cvc,
        ("incorrect_number", _) => words.incorrect_number,
        ("invalid_number", _) => words.invalid_number,
        ("invalid_expiry_month", _) => words.invalid_expiry_month,
        ("invalid_expiry_year", _) => words.invalid_expiry_year,
        ("payment_method_invalid_parameter", _) => words.invalid_iban,
        ("card_declined", _) => words.declined,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;

    #[test]
    fn refusals_are_told_by_their_most_telling_code() {
        let words = Words::of(Locale::Ja);
        let told = |code, decline| refused(words, code, decline);
        assert_eq!(
            told("card_declined", Some("insufficient_funds")),
            Some(words.insufficient_funds)
        );
        assert_eq!(told("card_declined", Some("lost_card")), Some(words.declined));
        assert_eq!(told("never_heard_of", None), None);
    }
}
