//! Links of v2 through which an account's owner gives what is asked for: v1's page behind another address.

use crate::catalog::Catalog;
use crate::catalog::grammar;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::connect::onboarding::LINK;
use crate::sandbox::behaviour::document::{Handler, int, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::registry::second::shape::shaped;
use crate::sandbox::registry::second::{account, of_first};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// What a link is called.
const KIND: &str = "v2.core.account_link";

/// The behaviour of `/v2/core/account_links`.
pub fn handler(key: &str) -> Option<Handler> {
    (key == "POST /v2/core/account_links").then_some(create as Handler)
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.at("").get("account", call.text("account").unwrap_or_default());
    let missing =
        || Failure::missing("account", call.text("account").unwrap_or_default(), "account");
    let found = found.ok_or_else(missing)?;
    let case = call.get("use_case").cloned().unwrap_or_default();
    let kind = text(&case, "type");
    let Some(Value::Object(own)) = case.get(kind) else {
        let param = format!("use_case[{kind}]");
        return Err(Failure::invalid(format!("Missing required param: {param}."))
            .code("parameter_missing")
            .param(param));
    };
    let mut params = Map::new();
    params.insert("account".to_owned(), json!(call.text("account")));
    params.insert("type".to_owned(), json!(kind));
    let refresh = own.get("refresh_url").cloned().unwrap_or_default();
    // v1 wants both; v2 sends an owner who is done back to where the link is asked for.
    params.insert("return_url".to_owned(), own.get("return_url").unwrap_or(&refresh).clone());
    params.insert("refresh_url".to_owned(), refresh);
    let link = of_first(txn, call, "POST /v1/account_links", &[], params)?;
    let token = text(&link, "url").rsplit('/').next().unwrap_or_default().to_owned();
    let configurations = account::configurations(txn, &found);
    txn.in_account("", |txn| {
        txn.edit(LINK, &token, |doc| {
            doc.insert("configurations".to_owned(), json!(configurations));
            doc.insert("use_case".to_owned(), json!(kind));
        })
    });
    let field = Catalog::get().object(KIND);
    let of = field.and_then(|shape| grammar::field(&shape.fields, "use_case"));
    Ok(json!({
        "object": KIND, "account": call.text("account"), "livemode": false,
        "created": Timestamp(int(&link, "created")).rfc3339(),
        "expires_at": Timestamp(int(&link, "expires_at")).rfc3339(),
        "url": link.get("url"), "use_case": of.map(|field| shaped(&field.of, &case)),
    })
    .into())
}
