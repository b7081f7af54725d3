//! Confirmation tokens, as the API makes and shows them.

use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::behaviour::payment::confirmation::{self, NAME};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;

/// The behaviour of `/v1/confirmation_tokens`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/confirmation_tokens" | "POST /v1/test_helpers/confirmation_tokens" => {
            |txn, call| confirmation::gather(txn, call).map(Body::from)
        }
        "GET /v1/confirmation_tokens/{confirmation_token}" => retrieve,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find(NAME, call.id(0), NAME);
    found.map(Body::from).map_err(|failure| Failure { status: 404, ..failure })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::behaviour::document::text;
    use crate::sandbox::behaviour::payment::confirmation::LASTS_S;
    use crate::sandbox::testing::Lab;
    use serde_json::{Value, json};

    const TEST: &str = "POST /v1/test_helpers/confirmation_tokens";

    fn paid(world: &mut Lab, token: &Value, more: Value) -> Result<Value, Failure> {
        let mut params =
            json!({"amount": 500, "currency": "jpy", "confirm": true, NAME: token["id"]});
        if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
            params.extend(more);
        }
        world.call("POST /v1/payment_intents", params)
    }

    #[test]
    fn a_token_says_how_somebody_pays_and_the_call_has_the_last_word() {
        let mut world = Lab::new();
        let shipping = json!({"name": "Aki", "address": {"line1": "1-2-3", "city": "Kyoto"}});
        let token = world.ok(
            TEST,
            json!({"payment_method": "pm_card_visa", "return_url": "https://example.com/done",
                "setup_future_usage": "off_session", "shipping": shipping}),
        );
        assert_eq!(token["payment_method_preview"]["card"]["last4"], "4242");
        assert_eq!(token["expires_at"].as_i64(), token["created"].as_i64().map(|at| at + LASTS_S));
        let intent = paid(&mut world, &token, json!({"setup_future_usage": "on_session"})).unwrap();
        assert_eq!(
            (&intent["status"], &intent["shipping"]["name"]),
            (&json!("succeeded"), &json!("Aki"))
        );
        assert_eq!(intent["setup_future_usage"], "on_session");
        let used = world.get(NAME, text(&token, "id"));
        assert_eq!((&used["payment_intent"], &used["expires_at"]), (&intent["id"], &Value::Null));
        let refused = paid(&mut world, &token, json!({})).unwrap_err();
        assert_eq!(refused.param.as_deref(), Some(NAME));
        assert!(refused.message.contains("already been used"), "{}", refused.message);
    }

    #[test]
    fn a_token_sets_up_a_card_lasts_half_a_day_and_is_of_one_method() {
        let mut world = Lab::new();
        let token = world.ok(TEST, json!({"payment_method": "pm_card_visa"}));
        let made = json!({NAME: token["id"]});
        let unconfirmed = world.call("POST /v1/setup_intents", made.clone()).unwrap_err();
        assert_eq!(unconfirmed.param.as_deref(), Some(NAME));
        let open = world.ok("POST /v1/setup_intents", json!({"payment_method_types": ["card"]}));
        let confirm = format!("POST /v1/setup_intents/{}/confirm", text(&open, "id"));
        let set_up = world.ok(&confirm, made);
        assert_eq!(set_up["status"], "succeeded");
        assert_eq!(world.get(NAME, text(&token, "id"))["setup_intent"], open["id"]);
        let late = world.ok(TEST, json!({"payment_method": "pm_card_visa"}));
        world.advance(LASTS_S);
        let refused = paid(&mut world, &late, json!({})).unwrap_err();
        assert!(refused.message.contains("has expired"), "{}", refused.message);
        assert_eq!(world.call(TEST, json!({})).unwrap_err().status, 400);
        let both =
            json!({"payment_method": "pm_card_visa", "payment_method_data": {"type": "konbini"}});
        assert_eq!(world.call(TEST, both).unwrap_err().param.as_deref(), Some("payment_method"));
        let nothing = paid(&mut world, &json!({"id": "ctoken_none"}), json!({})).unwrap_err();
        assert_eq!(nothing.code.as_deref(), Some("resource_missing"));
    }
}
