//! Payment links: an address that opens a Checkout Session for whoever comes.

use crate::sandbox::behaviour::checkout::create::{self, Seller};
use crate::sandbox::behaviour::checkout::{defaults, inline, lines};
use crate::sandbox::behaviour::document::{
    Handler, fill, int, keep_unsent, merge_metadata, new, text,
};
use crate::sandbox::behaviour::shipping;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::reference;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PaymentLinkPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const KIND: &str = "payment_link";

/// What a hash shows, from what was sent of it.
type Shown = fn(Option<&Value>) -> Value;

/// Members of a link that are parameters of the same name, and shown as they were sent.
const PLAIN: &[&str] = &[
    "allow_promotion_codes",
    "application_fee_amount",
    "application_fee_percent",
    "billing_address_collection",
    "consent_collection",
    "customer_creation",
    "inactive_message",
    "name_collection",
    "on_behalf_of",
    "optional_items",
    "payment_intent_data",
    "payment_method_collection",
    "payment_method_options",
    "payment_method_types",
    "shipping_address_collection",
    "submit_type",
    "subscription_data",
    "transfer_data",
];

/// Members of a link that its sessions are made with.
const OF_SESSIONS: &[&str] = &[
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "invoice_creation",
    "metadata",
    "name_collection",
    "optional_items",
    "payment_intent_data",
    "payment_method_collection",
    "payment_method_types",
    "phone_number_collection",
    "shipping_address_collection",
    "shipping_options",
    "submit_type",
    "subscription_data",
    "tax_id_collection",
];

/// Parameters of links that sell nothing which comes again, and of those that do.
const OF_MODES: [(&str, &[&str]); 2] = [
    ("payment", &["application_fee_amount", "payment_intent_data"]),
    (
        "subscription",
        &["application_fee_percent", "payment_method_collection", "subscription_data"],
    ),
];

/// Parameters of a link that its sessions say among those of what recurs.
const OF_SUBSCRIPTIONS: [&str; 3] = ["application_fee_percent", "on_behalf_of", "transfer_data"];

/// Parameters of a link that its sessions say of the payment.
const OF_PAYMENTS: [&str; 3] = ["application_fee_amount", "on_behalf_of", "transfer_data"];

/// The behaviour of `/v1/payment_links`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/payment_links" => create,
        "GET /v1/payment_links/{payment_link}" => {
            |txn, call| txn.find(KIND, call.id(0), "id").map(Body::from)
        }
        "POST /v1/payment_links/{payment_link}" => update,
        "GET /v1/payment_links" => {
            |txn, call| list::page(txn, call, KIND, &list::same(call, &["active"]))
        }
        "GET /v1/payment_links/{payment_link}/line_items" => |txn, call| {
            let link = txn.find(KIND, call.id(0), "id")?;
            list::page_of(call, "item", &link.part::<PaymentLinkPart>().line_items)
        },
        _ => return None,
    })
}

/// `line_items` of a link: its first ten lines.
pub fn include(txn: &Txn<'_>, link: &Value, field: &str) -> Option<Value> {
    let id = text(link, "id");
    let all =
        &txn.record::<PaymentLinkPart>(KIND, id).filter(|_| field == "line_items")?.line_items;
    let data: Vec<&Value> = all.iter().take(10).collect();
    let url = format!("/v1/payment_links/{id}/line_items");
    Some(json!({"object": "list", "data": data, "has_more": all.len() > 10, "url": url}))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    check(call)?;
    reference::check(txn, call)?;
    // The mode follows from the prices; any fits.
    let sent = lines::Sent { lines: call.list("line_items"), mode: "", seller: Seller::Api };
    let found = lines::resolve(txn, &sent, call.text("currency"))?;
    let currency = found.total.currency;
    let offered = shipping::resolve(txn, call.list("shipping_options"), currency)?;
    drop(lines::optional(txn, call.list("optional_items"), currency)?);
    let mode = mode(&found.items);
    check_mode(call, mode)?;
    let id = txn.new_id("plink_1", 23);
    let code = txn.new_id("test_", 16);
    let url = format!("{}/buy/{code}", txn.site().base_url);
    let mut doc = new(
        KIND,
        json!({
            "id": id, "active": true, "allow_promotion_codes": false,
            "automatic_tax": {"enabled": false, "liability": null},
            "billing_address_collection": "auto", "currency": currency.code(),
            "customer_creation": if mode == "subscription" { "always" } else { "if_required" },
            "custom_fields": [], "livemode": false, "payment_method_collection": "always",
            "phone_number_collection": {"enabled": false}, "shipping_options": offered,
            "submit_type": "auto", "tax_id_collection": {"enabled": false, "required": "never"},
            "url": url,
        }),
    );
    doc.insert("after_completion".to_owned(), after_completion(None));
    doc.insert("custom_text".to_owned(), defaults::custom_text(None));
    doc.insert("invoice_creation".to_owned(), defaults::invoice_creation(None));
    write(&mut doc, call);
    let part = PaymentLinkPart { session: sold(&found.items, call), line_items: found.items };
    let made = txn.put_with(doc, part);
    txn.emit("payment_link.created", &made);
    Ok(made.into())
}

/// Refuses what a link cannot be. The text about the limit is believed.
fn check(call: &Call) -> Result<(), Failure> {
    let completed = call.hash("restrictions").and_then(|it| it.get("completed_sessions"));
    if completed.is_some_and(|it| int(it, "limit") < 1) {
        let param = "restrictions[completed_sessions][limit]";
        return Err(Failure::below_one(param));
    }
    if let Some(after) = call.get("after_completion")
        && text(after, "type") == "redirect"
        && after.pointer("/redirect/url").is_none_or(Value::is_null)
    {
        return Err(inline::missing("after_completion[redirect][url]"));
    }
    Ok(())
}

/// Whether what a link sells comes again.
fn mode(items: &[Value]) -> &'static str {
    let recurs = |item: &Value| item.pointer("/price/type") == Some(&json!("recurring"));
    if items.iter().any(recurs) { "subscription" } else { "payment" }
}

/// Refuses what its sessions would refuse once somebody comes. Believed: that it is, and in their words.
fn check_mode(call: &Call, mode: &str) -> Result<(), Failure> {
    let others = OF_MODES.iter().filter(|(of, _)| *of != mode).flat_map(|(_, names)| *names);
    match others.into_iter().find(|name| call.get(name).is_some()) {
        Some(name) => {
            let text = format!("You can not pass `{name}` in `{mode}` mode.");
            Err(Failure::invalid(text).param(*name))
        }
        None => Ok(()),
    }
}

/// `after_completion`, with the words for those who come back.
fn after_completion(sent: Option<&Value>) -> Value {
    if let Some(sent) = sent.filter(|sent| text(sent, "type") == "redirect") {
        json!({"redirect": sent.get("redirect"), "type": "redirect"})
    } else {
        let message = sent.and_then(|it| it.pointer("/hosted_confirmation/custom_message"));
        json!({"hosted_confirmation": {"custom_message": message}, "type": "hosted_confirmation"})
    }
}

/// Writes the sent parameters into a link.
fn write(doc: &mut Doc, call: &Call) {
    for name in PLAIN {
        if let Some(value) = call.params.get(*name) {
            let mut kept = value.clone();
            if let Some(known) =
                doc.get("subscription_data").filter(|_| *name == "subscription_data")
            {
                keep_unsent(&mut kept, known.clone());
            }
            doc.insert((*name).to_owned(), kept);
        }
    }
    let hashes: [(&str, Shown); 5] = [
        ("after_completion", after_completion),
        ("automatic_tax", |sent| {
            let shown = defaults::automatic_tax(sent.and_then(Value::as_object));
            json!({"enabled": shown.get("enabled"), "liability": shown.get("liability")})
        }),
        ("custom_text", defaults::custom_text),
        ("invoice_creation", defaults::invoice_creation),
        ("tax_id_collection", |sent| {
            defaults::overlaid(json!({"enabled": false, "required": "never"}), sent)
        }),
    ];
    for (name, shown) in hashes {
        if let Some(sent) = call.get(name) {
            doc.insert(name.to_owned(), shown(Some(sent)));
        }
    }
    for name in ["phone_number_collection"] {
        if let Some(sent) = call.get(name) {
            doc.insert(name.to_owned(), sent.clone());
        }
    }
    if call.sent("custom_fields") {
        let fields = call.list("custom_fields").iter().map(defaults::custom_field).map(|mut it| {
            // What a buyer typed belongs to their session.
            for kind in ["dropdown", "numeric", "text"] {
                if let Some(Value::Object(typed)) = it.get_mut(kind) {
                    typed.remove("value");
                }
            }
            it
        });
        doc.insert("custom_fields".to_owned(), fields.collect());
    }
    if let Some(limits) = call.params.get("restrictions") {
        let known = doc.get("restrictions").and_then(|it| it.pointer("/completed_sessions/count"));
        let count = known.cloned().unwrap_or(json!(0));
        let limit = limits.pointer("/completed_sessions/limit");
        let shown =
            limit.map(|limit| json!({"completed_sessions": {"count": count, "limit": limit}}));
        doc.insert("restrictions".to_owned(), json!(shown));
    }
    if let Some(Value::Object(data)) = doc.get_mut("payment_intent_data") {
        data.entry("metadata").or_insert(json!({}));
    }
    if let Some(Value::Object(data)) = doc.get_mut("subscription_data") {
        if let Value::Object(metadata) = data.entry("metadata").or_insert(json!({})) {
            metadata.retain(|_, value| !value.is_null());
        }
        data.entry("invoice_settings").or_insert(json!({"issuer": {"type": "self"}}));
    }
    fill(
        doc,
        KIND,
        &["consent_collection", "payment_intent_data", "subscription_data", "transfer_data"],
    );
    merge_metadata(doc, &call.params);
}

/// What sessions of a link are made with: its lines by their prices, and what it was made with itself.
fn sold(items: &[Value], call: &Call) -> Map<String, Value> {
    let rates = |at: usize| call.list("line_items").get(at).and_then(|line| line.get("tax_rates"));
    let line = |(at, item): (usize, &Value)| {
        let mut line =
            json!({"price": item.pointer("/price/id"), "quantity": item.get("quantity")});
        let adjustable = item.get("adjustable_quantity").filter(|it| it.is_object());
        for (name, value) in [("adjustable_quantity", adjustable), ("tax_rates", rates(at))] {
            if let (Some(value), Some(line)) = (value, line.as_object_mut()) {
                line.insert(name.to_owned(), value.clone());
            }
        }
        line
    };
    let mut params = Map::new();
    for name in OF_SESSIONS {
        if let Some(value) = call.params.get(*name) {
            params.insert((*name).to_owned(), value.clone());
        }
    }
    params.insert("line_items".to_owned(), items.iter().enumerate().map(line).collect());
    let mode = mode(items);
    params.insert("mode".to_owned(), json!(mode));
    if mode == "payment" {
        named_in(&mut params, call, "payment_intent_data", &OF_PAYMENTS);
    } else {
        // Who subscribes is kept as a customer in any case.
        params.remove("customer_creation");
        params.entry("subscription_data").or_insert_with(|| json!({}));
        named_in(&mut params, call, "subscription_data", &OF_SUBSCRIPTIONS);
    }
    params
}

/// Says parameters of a call within one of a session's hashes.
fn named_in(params: &mut Map<String, Value>, call: &Call, hash: &str, names: &[&str]) {
    let sent = names.iter().filter_map(|name| Some((*name, call.get(name)?.clone())));
    let sent: Vec<(&str, Value)> = sent.collect();
    if sent.is_empty() {
        return;
    }
    let data = params.entry(hash).or_insert_with(|| json!({}));
    if let Value::Object(data) = data {
        data.extend(sent.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let link = txn.find(KIND, id, "id")?;
    check(call)?;
    reference::check(txn, call)?;
    let part = link.part::<PaymentLinkPart>();
    let mut items = part.line_items.clone();
    check_mode(call, mode(&items))?;
    for (at, sent) in call.list("line_items").iter().enumerate() {
        let named = text(sent, "id");
        let Some(item) = items.iter_mut().find(|item| text(item, "id") == named) else {
            let param = format!("line_items[{at}][id]");
            return Err(Failure::missing("line item", named, &param));
        };
        recount(item, sent);
    }
    let currency = inline::currency(text(&link, "currency"), "currency")?;
    let offered = if call.sent("shipping_options") {
        Some(shipping::resolve(txn, call.list("shipping_options"), currency)?)
    } else {
        None
    };
    let Some((before, after)) = txn.edit_with(KIND, id, |doc, part: &mut PaymentLinkPart| {
        if let Some(active) = call.get("active") {
            doc.insert("active".to_owned(), active.clone());
        }
        write(doc, call);
        if let Some(offered) = offered {
            doc.insert("shipping_options".to_owned(), json!(offered));
        }
        let mut session = std::mem::take(&mut part.session);
        let mut fresh = sold(&items, call);
        let lines = session.remove("line_items");
        let known = session.remove("subscription_data");
        if let (Some(data), Some(known)) = (fresh.get_mut("subscription_data"), known) {
            keep_unsent(data, known);
        }
        session.extend(fresh);
        if let (Some(known), false) = (lines, call.sent("line_items")) {
            session.insert("line_items".to_owned(), known);
        }
        part.session = session;
        part.line_items = items;
    }) else {
        return Err(Failure::missing("payment link", id, "id"));
    };
    txn.emit_change("payment_link.updated", &before, &after);
    Ok(after.into())
}

/// Changes how many of a line are sold.
fn recount(item: &mut Value, sent: &Value) {
    let old = int(item, "quantity").max(1);
    let unit = int(item, "amount_subtotal") / old;
    let Some(item) = item.as_object_mut() else { return };
    if let Some(quantity) = sent.get("quantity").and_then(Value::as_i64) {
        item.insert("quantity".to_owned(), json!(quantity));
        for name in ["amount_subtotal", "amount_total"] {
            item.insert(name.to_owned(), json!(unit * quantity));
        }
    }
    if let Some(range) = sent.get("adjustable_quantity") {
        item.insert("adjustable_quantity".to_owned(), lines::adjustable(Some(range)));
    }
}

/// Opens a session for whoever came to a link. `asked` is what its address says beside: a reference, a locale.
///
/// Fails where the link sells no longer, and for what its session cannot be made with.
pub fn open_session(
    txn: &mut Txn<'_>,
    link: &Object,
    asked: &[(&str, String)],
) -> Result<Arc<Object>, Failure> {
    let mut params = link.part::<PaymentLinkPart>().session.clone();
    let redirect = link.pointer("/after_completion/redirect/url").and_then(Value::as_str);
    // Sessions of the page need an address to go to; where there is none, they stay on the page.
    let url = redirect.map_or_else(|| txn.site().base_url.clone(), str::to_owned);
    params.insert("success_url".to_owned(), json!(url));
    for (name, value) in asked {
        params.insert((*name).to_owned(), json!(value));
    }
    let call = Call {
        key: "POST /v1/checkout/sessions".to_owned(),
        ids: Vec::new(),
        params,
        version: crate::sandbox::call::Version {
            text: txn.site().api_version.clone(),
            named: false,
        },
    };
    let made = create::open(txn, &call, Seller::Link(text(link, "id")))?;
    if redirect.is_some() {
        return Ok(made);
    }
    // Believed: who is shown a confirmation is sent nowhere.
    let stays = txn.edit("checkout.session", text(&made, "id"), |doc| {
        doc.insert("success_url".to_owned(), Value::Null);
    });
    Ok(stays.map_or(made, |(_, after)| after))
}
