//! What is refused around billing, with Stripe's words: status, code, parameter and text, as a client gets them.

use crate::env::Env;
use crate::http::{Api, encode};
use serde_json::Value;
use std::collections::BTreeMap;

/// One call and what it is told. `$name` stands for an id; the text is how the message begins; `-` is no code or
/// parameter.
type Refusal = (&'static str, &'static str, u16, &'static str, &'static str, &'static str);

const SUBSCRIPTIONS: &[Refusal] = &[
    (
        "POST /v1/subscriptions",
        "customer=$bare items[0][price]=$price",
        400,
        "resource_missing",
        "-",
        "This customer has no attached payment source or default payment method. Please consider adding a default",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price payment_behavior=pending_if_incomplete",
        400,
        "-",
        "payment_behavior",
        "Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price payment_behavior=bogus",
        400,
        "-",
        "payment_behavior",
        "Invalid payment_behavior: must be one of ",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price collection_method=send_invoice",
        400,
        "-",
        "-",
        "If invoice collection method is 'send_invoice', you must specify 'days_until_due'.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price days_until_due=3",
        400,
        "-",
        "-",
        "You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price trial_from_plan=true trial_end=now",
        400,
        "-",
        "-",
        "You cannot set `trial_end` or `trial_period_days` when `trial_from_plan=true`.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price trial_end=1000",
        400,
        "-",
        "trial_end",
        "The parameter `trial_end` expects a unix timestamp representing a date and time in the future. You specified the value `1000` which is in the past.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price items[1][price]=$price",
        400,
        "-",
        "plan",
        "Cannot create a Subscription with multiple Subscription Items with the same Price: $price",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$price items[1][price]=$euro",
        400,
        "-",
        "items[1][price]",
        "This `price` has `currency=eur`, but other items use `currency=usd`.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus billing_mode[type]=classic items[0][price]=$price items[1][price_data][currency]=usd items[1][price_data][product]=$prod items[1][price_data][unit_amount]=5 items[1][price_data][recurring][interval]=year",
        400,
        "-",
        "-",
        "All prices on a subscription must have the same `recurring.interval`",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=$once",
        400,
        "-",
        "items[0][price]",
        "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus items[0][price]=price_nope",
        400,
        "resource_missing",
        "items[0][price]",
        "No such price: 'price_nope'",
    ),
    (
        "POST /v1/subscriptions",
        "customer=$cus",
        400,
        "parameter_missing",
        "items",
        "Missing required param: items.",
    ),
    (
        "POST /v1/subscriptions",
        "customer=cus_nope items[0][price]=$price",
        404,
        "resource_missing",
        "customer",
        "No such customer: 'cus_nope'",
    ),
    (
        "POST /v1/subscriptions/$gone",
        "cancel_at_period_end=true",
        400,
        "invalid_canceled_subscription_fields",
        "-",
        "A canceled subscription can only update its cancellation_details and metadata.",
    ),
    (
        "POST /v1/subscriptions/$sub/resume",
        "",
        400,
        "-",
        "-",
        "You can only resume a subscription if it is `paused`.",
    ),
    (
        "GET /v1/subscriptions",
        "status=bogus",
        400,
        "-",
        "status",
        "Invalid status: must be one of ",
    ),
    (
        "GET /v1/subscriptions/sub_x",
        "",
        404,
        "resource_missing",
        "id",
        "No such subscription: 'sub_x'",
    ),
    (
        "DELETE /v1/subscriptions/sub_x",
        "",
        404,
        "resource_missing",
        "id",
        "No such subscription: 'sub_x'",
    ),
    (
        "POST /v1/subscription_items",
        "subscription=$sub price=$euro",
        400,
        "-",
        "price",
        "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.",
    ),
    (
        "POST /v1/subscription_items",
        "subscription=$sub price=$price",
        400,
        "-",
        "plan",
        "A new item with Price $price can't be added to this Subscription because an existing Subscription Item ",
    ),
    (
        "POST /v1/subscription_items",
        "subscription=$gone price=$price",
        404,
        "resource_missing",
        "subscription",
        "No such subscription: '$gone'",
    ),
    (
        "GET /v1/subscription_items/si_nope",
        "",
        404,
        "-",
        "-",
        "Invalid subscription_item id: si_nope",
    ),
    (
        "GET /v1/subscription_items",
        "",
        400,
        "parameter_missing",
        "subscription",
        "Missing required param: subscription.",
    ),
    (
        "POST /v1/billing_portal/sessions",
        "customer=cus_x",
        400,
        "resource_missing",
        "customer",
        "No such customer: 'cus_x'",
    ),
];

const NO_INVOICE: &str = "No such invoice: 'in_nope'";
const NOT_OPEN: &str = "You can only pass in open invoices. This invoice isn't open.";

const INVOICES: &[Refusal] = &[
    (
        "POST /v1/invoices",
        "customer=$bare collection_method=send_invoice days_until_due=3",
        400,
        "-",
        "-",
        "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email.",
    ),
    (
        "POST /v1/invoices",
        "customer=cus_nope",
        400,
        "resource_missing",
        "customer",
        "No such customer: 'cus_nope'",
    ),
    (
        "POST /v1/invoices",
        "customer=$cus collection_method=send_invoice",
        400,
        "-",
        "-",
        "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
    ),
    (
        "POST /v1/invoices",
        "customer=$cus days_until_due=3",
        400,
        "-",
        "-",
        "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.",
    ),
    (
        "POST /v1/invoices",
        "customer=$cus pending_invoice_items_behavior=bogus",
        400,
        "-",
        "pending_invoice_items_behavior",
        "Invalid pending_invoice_items_behavior: must be one of ",
    ),
    (
        "GET /v1/invoices",
        "status=bogus",
        400,
        "-",
        "status",
        "Invalid status: must be one of draft, ",
    ),
    (
        "GET /v1/invoiceitems/ii_x",
        "",
        404,
        "resource_missing",
        "id",
        "No such Invoice Item: 'ii_x'(livemode=false)",
    ),
    (
        "DELETE /v1/invoiceitems/$used",
        "",
        400,
        "-",
        "-",
        "Can't delete an invoice item that is attached to an invoice that is no longer editable",
    ),
    (
        "POST /v1/invoices/$paid/add_lines",
        "lines[0][amount]=5 lines[0][description]=x",
        400,
        "invoice_not_editable",
        "-",
        "Invalid invoice: This invoice is no longer editable",
    ),
    (
        "POST /v1/invoices/$draft/add_lines",
        "lines[0][amount]=5 lines[0][quantity]=2",
        400,
        "-",
        "lines[0][amount]",
        "You may only specify one of these parameters: amount, quantity.",
    ),
    (
        "POST /v1/invoices/$paid/finalize",
        "",
        400,
        "-",
        "-",
        "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
    ),
    ("POST /v1/invoices/$paid/pay", "", 400, "-", "-", "Invoice is already paid"),
    ("POST /v1/invoices/$void/pay", "", 400, "-", "-", NOT_OPEN),
    ("POST /v1/invoices/$void/void", "", 400, "-", "-", NOT_OPEN),
    ("POST /v1/invoices/$draft/mark_uncollectible", "", 400, "-", "-", NOT_OPEN),
    (
        "POST /v1/invoices/$paid/void",
        "",
        400,
        "-",
        "-",
        "Invoices with `paid` payments cannot be voided.",
    ),
    (
        "POST /v1/invoices/$marked/mark_uncollectible",
        "",
        400,
        "-",
        "-",
        "This invoice has already been marked uncollectible.",
    ),
    (
        "POST /v1/invoices/$paid/send",
        "",
        400,
        "-",
        "-",
        "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so we can help.",
    ),
    ("DELETE /v1/invoices/$paid", "", 400, "-", "-", "You can only delete draft invoices."),
    // Which parameter is named differs from path to path.
    ("GET /v1/invoices/in_nope", "", 404, "resource_missing", "invoice", NO_INVOICE),
    ("DELETE /v1/invoices/in_nope", "", 404, "resource_missing", "invoice", NO_INVOICE),
    ("POST /v1/invoices/in_nope/send", "", 404, "resource_missing", "invoice", NO_INVOICE),
    ("POST /v1/invoices/in_nope", "description=x", 404, "resource_missing", "id", NO_INVOICE),
    ("POST /v1/invoices/in_nope/pay", "", 404, "resource_missing", "id", NO_INVOICE),
    ("POST /v1/invoices/in_nope/finalize", "", 404, "resource_missing", "id", NO_INVOICE),
    ("POST /v1/invoices/in_nope/void", "", 404, "resource_missing", "id", NO_INVOICE),
    ("POST /v1/invoices/in_nope/mark_uncollectible", "", 404, "resource_missing", "id", NO_INVOICE),
];

const OFFERS: &[Refusal] = &[
    (
        "POST /v1/coupons",
        "name=x",
        400,
        "parameter_missing",
        "-",
        "Must provide percent_off or amount_off.",
    ),
    (
        "POST /v1/coupons",
        "percent_off=5 amount_off=5 currency=usd",
        400,
        "-",
        "-",
        "Received both percent_off and amount_off parameters. Please pass in only one.",
    ),
    (
        "POST /v1/coupons",
        "amount_off=5",
        400,
        "-",
        "currency",
        "You must pass currency when passing amount_off",
    ),
    (
        "POST /v1/coupons",
        "percent_off=5 duration=repeating",
        400,
        "-",
        "duration",
        "The duration_in_months param must be set when creating a coupon with a repeating duration",
    ),
    (
        "POST /v1/coupons",
        "percent_off=0",
        400,
        "-",
        "percent_off",
        "This value must be greater than or equal to 0.01 (it currently is '0.0').",
    ),
    (
        "POST /v1/coupons",
        "percent_off=5 id=TAKEN",
        400,
        "resource_already_exists",
        "-",
        "Coupon already exists.",
    ),
    (
        "POST /v1/coupons",
        "percent_off=5 redeem_by=1000",
        400,
        "-",
        "redeem_by",
        "The parameter `redeem_by` expects a unix timestamp representing a date and time in the future. You specified the value `1000` which is in the past.",
    ),
    (
        "POST /v1/coupons",
        "percent_off=5 currency_options[eur][amount_off]=5",
        400,
        "-",
        "currency_options",
        "You may only specify one of these parameters: currency_options, percent_off.",
    ),
    ("GET /v1/coupons/NOPE123", "", 404, "resource_missing", "coupon", "No such coupon: 'NOPE123'"),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon",
        400,
        "-",
        "promotion.coupon",
        "You must pass promotion.coupon when passing promotion",
    ),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon promotion[coupon]=x",
        400,
        "resource_missing",
        "promotion[coupon]",
        "No such coupon: 'x'",
    ),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon promotion[coupon]=TAKEN code=a~b",
        400,
        "-",
        "code",
        "This value must match the regex pattern.",
    ),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon promotion[coupon]=TAKEN code=ONCE",
        400,
        "-",
        "-",
        "An active promotion code with `code: ONCE` already exists.",
    ),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon promotion[coupon]=TAKEN expires_at=1000",
        400,
        "-",
        "expires_at",
        "The parameter `expires_at` expects a unix timestamp representing a date and time in the future.",
    ),
    (
        "POST /v1/promotion_codes",
        "promotion[type]=coupon promotion[coupon]=TAKEN expires_at=9999999999",
        400,
        "-",
        "expires_at",
        "Invalid timestamp: can be no more than five years in the future.",
    ),
    (
        "GET /v1/promotion_codes/promo_x",
        "",
        404,
        "resource_missing",
        "promotion_code",
        "No such promotion code: 'promo_x'",
    ),
];

const PRICES: &[Refusal] = &[
    (
        "POST /v1/prices",
        "currency=usd unit_amount=5",
        400,
        "-",
        "-",
        "You must specify either `product` or `product_data` when creating a price.",
    ),
    (
        "POST /v1/prices",
        "currency=usd unit_amount=5 product=$prod product_data[name]=x",
        400,
        "-",
        "product",
        "You may only specify one of these parameters: product, product_data.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod",
        400,
        "-",
        "-",
        "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod billing_scheme=tiered tiers_mode=graduated tiers[0][up_to]=inf tiers[0][unit_amount]=5",
        400,
        "-",
        "interval",
        "Prices with `type=one_time` are not supported with tiered billing.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod unit_amount=5 recurring[interval]=month recurring[usage_type]=metered",
        400,
        "-",
        "-",
        "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod unit_amount=5 lookup_key=taken",
        400,
        "-",
        "lookup_key",
        "A price (`$price`) already uses that lookup key.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod unit_amount=5 currency_options[EUR][unit_amount]=5",
        400,
        "-",
        "currency_options[EUR]",
        "Currencies must be lowercase when used as keys in a map. Use `eur` instead of `EUR`.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod unit_amount=5 currency_options[xyz][unit_amount]=5",
        400,
        "-",
        "currency_options[xyz]",
        "Invalid currency: xyz. Stripe currently supports these currencies: ",
    ),
    (
        "POST /v1/shipping_rates",
        "display_name=x type=fixed_amount fixed_amount[amount]=5 fixed_amount[currency]=usd fixed_amount[currency_options][JPY][amount]=5",
        400,
        "-",
        "fixed_amount[currency_options][JPY]",
        "Currencies must be lowercase when used as keys in a map. Use `jpy` instead of `JPY`.",
    ),
    (
        "POST /v1/prices",
        "currency=usd product=$prod unit_amount=5 currency_options=5",
        400,
        "-",
        "currency_options",
        "Invalid object",
    ),
    (
        "POST /v1/prices",
        "currency=xyz product=$prod unit_amount=5",
        400,
        "-",
        "currency",
        "Invalid currency: xyz. ",
    ),
    (
        "DELETE /v1/products/$prod",
        "",
        400,
        "-",
        "-",
        "This product cannot be deleted because it has one or more user-created prices.",
    ),
    ("GET /v1/products/prod_x", "", 404, "resource_missing", "id", "No such product: 'prod_x'"),
    ("GET /v1/prices/price_x", "", 404, "resource_missing", "price", "No such price: 'price_x'"),
    (
        "GET /v1/tax_rates/txr_nope",
        "",
        404,
        "resource_missing",
        "tax_rate",
        "No such tax rate: 'txr_nope'",
    ),
    (
        "GET /v1/customers/cus_x/balance_transactions",
        "",
        404,
        "resource_missing",
        "customer",
        "No such customer: 'cus_x'",
    ),
];

/// What the calls are about, by the names that stand for their ids.
fn prepare(api: &Api) -> BTreeMap<&'static str, String> {
    let mut ids = BTreeMap::new();
    let mut make = |name: &'static str, path: &str, form: &[(&str, &str)]| -> Value {
        let made = api.make(path, form);
        ids.insert(name, made["id"].as_str().unwrap().to_owned());
        made
    };
    let customer = [
        ("email", "ada@example.com"),
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
    ];
    let customer = make("cus", "/v1/customers", &customer)["id"].as_str().unwrap().to_owned();
    make("bare", "/v1/customers", &[]);
    let product = make("prod", "/v1/products", &[("name", "Plan")]);
    let product = product["id"].as_str().unwrap();
    let monthly = [("product", product), ("unit_amount", "2000"), ("recurring[interval]", "month")];
    let with = |more: &[(&'static str, &'static str)]| [monthly.as_slice(), more].concat();
    let price = make("price", "/v1/prices", &with(&[("currency", "usd"), ("lookup_key", "taken")]));
    make("euro", "/v1/prices", &with(&[("currency", "eur")]));
    make("once", "/v1/prices", &[("product", product), ("unit_amount", "5"), ("currency", "usd")]);
    make("coupon", "/v1/coupons", &[("percent_off", "5"), ("id", "TAKEN")]);
    let promotion =
        [("promotion[type]", "coupon"), ("promotion[coupon]", "TAKEN"), ("code", "ONCE")];
    make("promo", "/v1/promotion_codes", &promotion);
    let price = price["id"].as_str().unwrap();
    let subscribe = [("customer", customer.as_str()), ("items[0][price]", price)];
    let running = make("sub", "/v1/subscriptions", &subscribe);
    let gone = make("gone", "/v1/subscriptions", &subscribe);
    api.delete(&format!("/v1/subscriptions/{}", gone["id"].as_str().unwrap())).ok();
    let sent = [
        ("customer", customer.as_str()),
        ("collection_method", "send_invoice"),
        ("days_until_due", "3"),
        ("currency", "usd"),
    ];
    make("draft", "/v1/invoices", &sent);
    for (name, act) in [("void", "void"), ("marked", "mark_uncollectible"), ("settled", "pay")] {
        let item = [("customer", customer.as_str()), ("amount", "700"), ("currency", "usd")];
        make("used", "/v1/invoiceitems", &item);
        let included = [sent.as_slice(), &[("pending_invoice_items_behavior", "include")]].concat();
        let made = make(name, "/v1/invoices", &included);
        let path = format!("/v1/invoices/{}", made["id"].as_str().unwrap());
        api.make(&format!("{path}/finalize"), &[]);
        let form: &[(&str, &str)] =
            if act == "pay" { &[("paid_out_of_band", "true")] } else { &[] };
        api.make(&format!("{path}/{act}"), form);
    }
    ids.insert("paid", running["latest_invoice"].as_str().unwrap().to_owned());
    ids
}

/// The ids in the place of their names.
fn filled(text: &str, ids: &BTreeMap<&'static str, String>) -> String {
    ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("${name}"), id))
}

#[test]
fn what_is_refused_around_billing_is_told_in_stripes_words() {
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let ids = prepare(&sandbox.api);
    let mut wrong = Vec::new();
    for (call, form, status, code, param, text) in
        [SUBSCRIPTIONS, INVOICES, OFFERS, PRICES].concat()
    {
        let (method, path) = call.split_once(' ').unwrap();
        let (path, form, text) = (filled(path, &ids), filled(form, &ids), filled(text, &ids));
        let form: Vec<(&str, &str)> =
            form.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
        let (path, form) = if method == "GET" && !form.is_empty() {
            (format!("{path}?{}", encode(&form)), Vec::new())
        } else {
            (path, form)
        };
        let reply = sandbox.api.try_call(method, &path, &form).unwrap();
        let error = &reply.json()["error"];
        let member = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
        let got = (reply.status, member("code"), member("param"));
        let is_said = error["message"].as_str().is_some_and(|said| said.starts_with(&text));
        if got != (status, code.to_owned(), param.to_owned()) || !is_said {
            wrong.push(format!("{call} {form:?}: {got:?} {}", error["message"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
