//! Sessions of the customer portal, as the API opens them.

use crate::sandbox::behaviour::document::{Handler, fit, text};
use crate::sandbox::behaviour::portal::visit::{self, Wish};
use crate::sandbox::behaviour::portal::{CONFIGURATION, SESSION, features, flow};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::Value;

/// The behaviour of `/v1/billing_portal/sessions`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/billing_portal/sessions" => create,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of portal sessions", &["customer_account"])?;
    let Some(customer) = call.text("customer") else {
        let text = "Must provide customer or customer_account.";
        return Err(Failure::invalid(text).code("parameter_missing"));
    };
    txn.find("customer", customer, "customer")?;
    let configuration = match call.text("configuration") {
        Some(id) => txn.find(CONFIGURATION, id, "configuration")?,
        None => features::default(txn),
    };
    if configuration.get("active") != Some(&Value::Bool(true)) {
        // Believed: no recording has it.
        let text = format!("The configuration `{}` is not active.", text(&configuration, "id"));
        return Err(Failure::invalid(text).param("configuration"));
    }
    let flow = match call.hash("flow_data") {
        Some(sent) => flow::read(txn, sent, customer, &configuration)?,
        None => Value::Null,
    };
    let member = |name: &str| call.get(name).cloned().unwrap_or_default();
    let wish = Wish {
        flow,
        return_url: member("return_url"),
        locale: member("locale"),
        on_behalf_of: member("on_behalf_of"),
        after_expiration: call
            .get("after_expiration")
            .map_or(Value::Null, |sent| fit(Some(sent), SESSION, &["after_expiration"])),
    };
    Ok(visit::open(txn, customer, &configuration, wish).into())
}
