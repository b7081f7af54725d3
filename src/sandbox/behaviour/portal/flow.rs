//! What a session is opened for: one thing in place of the whole portal, and where that leads.

use crate::sandbox::behaviour::billing::lifecycle;
use crate::sandbox::behaviour::billing::subscription;
use crate::sandbox::behaviour::document::{fit, text};
use crate::sandbox::behaviour::portal::{SESSION, features, offer};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// One kind of flow: its type, the feature that it needs, what that does to a subscription, and what it is called.
struct Kind {
    name: &'static str,
    feature: &'static str,
    done: &'static str,
    called: &'static str,
    of_subscription: bool,
}

const KINDS: [Kind; 6] = [
    kind("customer_update", "customer_update", "updated", "customer update", false),
    kind(
        "payment_method_update",
        "payment_method_update",
        "updated",
        "payment method update",
        false,
    ),
    kind("subscription_cancel", "subscription_cancel", "canceled", "subscription cancel", true),
    kind("subscription_pause", "subscription_pause", "paused", "subscription pause", true),
    kind("subscription_update", "subscription_update", "updated", "subscription update", true),
    kind(
        "subscription_update_confirm",
        "subscription_update",
        "updated",
        "subscription update",
        true,
    ),
];

const fn kind(
    name: &'static str,
    feature: &'static str,
    done: &'static str,
    called: &'static str,
    of_subscription: bool,
) -> Kind {
    Kind { name, feature, done, called, of_subscription }
}

/// The `flow` of a session, from the `flow_data` that was sent.
///
/// Fails for what its configuration or its subscription does not allow. Believed are the texts but those of a feature
/// that is off and of objects that do not exist.
pub fn read(
    txn: &Txn<'_>,
    sent: &Map<String, Value>,
    customer: &str,
    configuration: &Value,
) -> Result<Value, Failure> {
    let asked = sent.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(kind) = KINDS.iter().find(|kind| kind.name == asked) else {
        return Err(missing("type"));
    };
    let hash = |name: &str| sent.get(name).filter(|it| it.is_object());
    if let Some(other) = KINDS.iter().find(|it| it.name != asked && hash(it.name).is_some()) {
        let text = format!(
            "You may only specify `flow_data[{}]` when `flow_data[type]` is `{}`.",
            other.name, other.name
        );
        return Err(Failure::invalid(text).param(format!("flow_data[{}]", other.name)));
    }
    let own = hash(asked);
    if kind.of_subscription && own.is_none() {
        return Err(missing(asked));
    }
    let found = match own.filter(|_| kind.of_subscription) {
        Some(own) => Some(find(txn, own, asked, customer)?),
        None => None,
    };
    if !features::is_on(configuration, kind.feature) {
        let what = if kind.of_subscription {
            "subscription"
        } else if kind.feature == "customer_update" {
            "customer"
        } else {
            "payment method"
        };
        let text = format!(
            "This {what} cannot be {} because the {} feature in the portal configuration is disabled.",
            kind.done, kind.called
        );
        return Err(Failure::invalid(text));
    }
    if let (Some(known), Some(own)) = (&found, own) {
        ensure_possible(txn, kind, known, own, configuration)?;
    }
    let mut flow = fit(Some(&Value::Object(sent.clone())), SESSION, &["flow"]);
    let after = after(sent.get("after_completion"))?;
    if let Some(members) = flow.as_object_mut() {
        members.insert("after_completion".to_owned(), after);
    }
    Ok(flow)
}

fn missing(name: &str) -> Failure {
    let param = format!("flow_data[{name}]");
    let text = format!("Missing required param: {param}.");
    Failure::invalid(text).code("parameter_missing").param(param)
}

/// The subscription that a flow names, which its customer has.
fn find(txn: &Txn<'_>, own: &Value, asked: &str, customer: &str) -> Result<Arc<Object>, Failure> {
    let param = format!("flow_data[{asked}][subscription]");
    let id = text(own, "subscription");
    let found = txn.find(subscription::KIND, id, &param)?;
    if text(&found, "customer") == customer {
        return Ok(found);
    }
    let text = format!("The subscription `{id}` does not belong to the customer `{customer}`.");
    Err(Failure::invalid(text).param(param))
}

fn ensure_possible(
    txn: &Txn<'_>,
    kind: &Kind,
    known: &Object,
    own: &Value,
    configuration: &Value,
) -> Result<(), Failure> {
    let (name, id) = (kind.name, text(known, "id"));
    let at = format!("flow_data[{name}]");
    let refuse = |text: String| Err(Failure::invalid(text).param(format!("{at}[subscription]")));
    if lifecycle::is_over(text(known, "status")) {
        return refuse(format!(
            "The subscription `{id}` cannot be {} because it is canceled.",
            kind.done
        ));
    }
    let ends = known.get("cancel_at").is_some_and(|it| !it.is_null());
    match name {
        "subscription_cancel" if ends => {
            refuse(format!("The subscription `{id}` is already set to be canceled."))
        }
        "subscription_cancel" => {
            let coupon = own.pointer("/retention/coupon_offer/coupon").and_then(Value::as_str);
            let param = format!("{at}[retention][coupon_offer][coupon]");
            coupon.map_or(Ok(()), |coupon| txn.find("coupon", coupon, &param).map(drop))
        }
        "subscription_update" | "subscription_update_confirm" => {
            if let Some(why) = offer::refusal(txn, known) {
                return refuse(format!("The subscription `{id}` cannot be updated because {why}."));
            }
            if name == "subscription_update" {
                return Ok(());
            }
            check_items(txn, known, own, configuration)
        }
        _ => Ok(()),
    }
}

/// The one item that a flow changes at once.
fn check_items(
    txn: &Txn<'_>,
    known: &Object,
    own: &Value,
    configuration: &Value,
) -> Result<(), Failure> {
    const AT: &str = "flow_data[subscription_update_confirm]";
    let items = own.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let [item] = items else {
        let text = "You must specify exactly one item to update.";
        return Err(Failure::invalid(text).param(format!("{AT}[items]")));
    };
    let id = text(item, "id");
    let all = subscription::items(known);
    let Some(now) = all.iter().find(|it| text(it, "id") == id) else {
        let param = format!("{AT}[items][0][id]");
        return Err(Failure::missing("subscription item", id, &param));
    };
    let current = now.get("price").map_or("", |it| text(it, "id"));
    let price = item.get("price").and_then(Value::as_str).unwrap_or(current);
    let quantity = item.get("quantity").or_else(|| now.get("quantity"));
    if price != current {
        let param = format!("{AT}[items][0][price]");
        txn.find("price", price, &param)?;
        if !offer::prices(txn, configuration, known).iter().any(|it| text(&it.price, "id") == price)
        {
            let text = format!(
                "The price `{price}` is not one of the prices that the portal configuration offers for this subscription."
            );
            return Err(Failure::invalid(text).param(param));
        }
    } else if quantity == now.get("quantity") && own.get("discounts").is_none() {
        let text = "The update does not change the subscription.";
        return Err(Failure::invalid(text).param(format!("{AT}[items]")));
    }
    Ok(())
}

/// Where a flow leads once it is done: back into the portal unless something else is said.
fn after(sent: Option<&Value>) -> Result<Value, Failure> {
    let home = json!({"type": "portal_homepage"});
    let sent = sent.filter(|it| it.is_object()).unwrap_or(&home);
    if text(sent, "type") == "redirect" && !sent.get("redirect").is_some_and(Value::is_object) {
        return Err(missing("after_completion][redirect"));
    }
    Ok(fit(Some(sent), SESSION, &["flow", "after_completion"]))
}
