//! The merchant's commands, in the order of the help.

use crate::domain::merchant_command::Kind::{
    Card, Count, Currency, File, Id, Item, KeptCard, LookupKey, Means, Newest, NewestCard, OneOf,
    Pairs, Payment, Session, Switch, Text, When,
};
use crate::domain::merchant_command::kept;
use crate::domain::merchant_command::noun::{
    CARD, CUSTOMER, DISPUTE, INVOICE, PAYMENT, PORTAL, PRICE, REFUND, SETUP, SUBSCRIPTION, SYNCED,
};
use crate::domain::merchant_command::{Arg, MerchantCommand, Work};

/// The largest amount of every currency but two, in minor units.
const MOST: i64 = 99_999_999;

/// How many rows.
pub(super) const LIMIT: Arg = Arg::flag("limit", Count(1, 100), &["limit"]).or("20");
/// After which row.
pub(super) const AFTER: Arg = Arg::flag("after", Text, &["starting_after"]);
const EMAIL: Arg = Arg::flag("email", Text, &["email"]);
const NAME: Arg = Arg::flag("name", Text, &["name"]);
const PHONE: Arg = Arg::flag("phone", Text, &["phone"]);
const DESCRIPTION: Arg = Arg::flag("description", Text, &["description"]);
const METADATA: Arg = Arg::flag("metadata", Pairs, &["metadata"]);
const AMOUNT: Arg = Arg::flag("amount", Count(1, MOST), &["amount"]);
const CURRENCY: Arg = Arg::flag("currency", Currency, &["currency"]).or("jpy");
const OF_CUSTOMER: Arg = Arg::flag("customer", Id(&CUSTOMER), &["customer"]);
const OF_SUBSCRIPTION: Arg = Arg::flag("subscription", Id(&SUBSCRIPTION), &["subscription"]);
const CUSTOMER_ID: Arg = Arg::typed("customer", Id(&CUSTOMER), &[]).needed();
const NEWEST_CUSTOMER: Arg = Arg::typed("customer", Newest(&CUSTOMER), &["customer"]);
const PAYMENT_ID: Arg = Arg::typed("payment-intent", Id(&PAYMENT), &[]).needed();
const SUBSCRIPTION_ID: Arg = Arg::typed("subscription", Id(&SUBSCRIPTION), &[]).needed();
const INVOICE_ID: Arg = Arg::typed("invoice", Id(&INVOICE), &[]).needed();
const NEWEST_DISPUTE: Arg = Arg::typed("dispute", Newest(&DISPUTE), &[]);
const METHOD_ID: Arg = Arg::typed("payment-method", Id(&CARD), &[]).needed();
const ONCE: Arg = Arg::flag("idempotency", Text, &[]); // Under one key it is done once.
const TEST_CARD: &str = "4242424242424242";

/// How a price is chosen, for the first item.
const PRICE_ID: Arg = Arg::flag("price", Id(&PRICE), &["items.0.price"]);
const LOOKUP_KEY: Arg = Arg::flag("lookup-key", LookupKey, &["items.0.price"]);
const QUANTITY: Arg = Arg::flag("quantity", Count(1, 999_999), &["items.0.quantity"]);
const COUPON: Arg = Arg::flag("coupon", Text, &["discounts.0.coupon"]);
const CODE: Arg = Arg::flag("promotion-code", Text, &["discounts.0.promotion_code"]);

/// What a row leaves out.
pub(super) const ROW: MerchantCommand = MerchantCommand {
    words: "",
    work: Work::Post,
    path: "",
    args: &[],
    one_of: &[],
    one_needed: false,
    fixed: &[],
    shows: &CUSTOMER,
};

/// Every command, those of a group together.
pub static COMMANDS: &[MerchantCommand] = &[
    MerchantCommand {
        words: "customer create",
        path: "/v1/customers",
        args: &[
            EMAIL,
            NAME,
            PHONE,
            DESCRIPTION,
            METADATA,
            Arg::flag("card", Card, &["payment_method", "invoice_settings.default_payment_method"]),
            Arg::flag("test-clock", Text, &["test_clock"]),
        ],
        ..ROW
    },
    MerchantCommand {
        words: "customer show",
        work: Work::Show,
        path: "/v1/customers/{customer}",
        args: &[Arg::typed("customer", Newest(&CUSTOMER), &[])],
        ..ROW
    },
    MerchantCommand {
        words: "customer list",
        work: Work::List,
        path: "/v1/customers",
        args: &[EMAIL, LIMIT, AFTER],
        ..ROW
    },
    MerchantCommand {
        words: "customer update",
        path: "/v1/customers/{customer}",
        args: &[CUSTOMER_ID, EMAIL, NAME, PHONE, DESCRIPTION, METADATA],
        ..ROW
    },
    MerchantCommand {
        words: "customer delete",
        work: Work::Delete,
        path: "/v1/customers/{customer}",
        args: &[CUSTOMER_ID],
        ..ROW
    },
    MerchantCommand {
        words: "card add",
        path: "/v1/setup_intents",
        args: &[NEWEST_CUSTOMER, Arg::flag("card", Card, &["payment_method"]).or(TEST_CARD)],
        fixed: &[
            ("confirm", "true"),
            ("usage", "off_session"),
            ("allowed_payment_method_types.0", "card"),
        ],
        shows: &SETUP,
        ..ROW
    },
    MerchantCommand {
        words: "card list",
        work: Work::List,
        path: "/v1/customers/{customer}/payment_methods",
        args: &[Arg::typed("customer", Newest(&CUSTOMER), &[]), LIMIT, AFTER],
        fixed: &[("type", "card")],
        shows: &CARD,
        ..ROW
    },
    MerchantCommand {
        words: "card default",
        path: "/v1/customers/{customer}",
        args: &[
            CUSTOMER_ID,
            Arg::typed("payment-method", Id(&CARD), &["invoice_settings.default_payment_method"])
                .needed(),
        ],
        ..ROW
    },
    MerchantCommand {
        words: "card remove",
        path: "/v1/payment_methods/{payment-method}/detach",
        args: &[METHOD_ID],
        shows: &CARD,
        ..ROW
    },
    MerchantCommand {
        words: "card charge",
        path: "/v1/payment_intents",
        args: &[
            NEWEST_CUSTOMER,
            AMOUNT.or("500"),
            CURRENCY,
            Arg::flag("card", NewestCard, &["payment_method"]),
        ],
        fixed: &[
            ("off_session", "true"),
            ("confirm", "true"),
            ("allowed_payment_method_types.0", "card"),
        ],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "card detach",
        work: Work::DetachAll,
        args: &[Arg::typed("customer", Newest(&CUSTOMER), &[])],
        shows: &CARD,
        ..ROW
    },
    MerchantCommand {
        words: "pay",
        work: Work::PayPage,
        args: &[
            Arg::typed("session", Session, &[]).needed(),
            Arg::flag("with", Means, &[]).or(TEST_CARD),
        ],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "pay create",
        path: "/v1/payment_intents",
        args: &[
            AMOUNT.or("500"),
            CURRENCY,
            OF_CUSTOMER,
            Arg::flag("card", Card, &["payment_method"]),
            Arg::flag("confirm", Switch("true"), &["confirm"]),
            Arg::flag("capture-method", OneOf(&["automatic", "manual"]), &["capture_method"]),
            Arg::flag(
                "setup-future-usage",
                OneOf(&["on_session", "off_session"]),
                &["setup_future_usage"],
            ),
            DESCRIPTION,
            METADATA,
        ],
        fixed: &[("allowed_payment_method_types.0", "card")],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "pay confirm",
        path: "/v1/payment_intents/{payment-intent}/confirm",
        args: &[PAYMENT_ID, Arg::flag("card", Card, &["payment_method"])],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "pay capture",
        path: "/v1/payment_intents/{payment-intent}/capture",
        args: &[PAYMENT_ID, Arg::flag("amount", Count(1, MOST), &["amount_to_capture"])],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "pay cancel",
        path: "/v1/payment_intents/{payment-intent}/cancel",
        args: &[
            PAYMENT_ID,
            Arg::flag(
                "reason",
                OneOf(&["abandoned", "duplicate", "fraudulent", "requested_by_customer"]),
                &["cancellation_reason"],
            ),
        ],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "pay show",
        work: Work::Show,
        path: "/v1/payment_intents/{payment-intent}",
        args: &[Arg::typed("payment-intent", Newest(&PAYMENT), &[])],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "pay list",
        work: Work::List,
        path: "/v1/payment_intents",
        args: &[OF_CUSTOMER, LIMIT, AFTER],
        shows: &PAYMENT,
        ..ROW
    },
    MerchantCommand {
        words: "subscribe",
        path: "/v1/subscriptions",
        args: &[
            NEWEST_CUSTOMER,
            PRICE_ID,
            LOOKUP_KEY,
            QUANTITY,
            Arg::flag(
                "payment-behavior",
                OneOf(&["error_if_incomplete", "default_incomplete", "allow_incomplete"]),
                &["payment_behavior"],
            )
            .or("error_if_incomplete"),
            Arg::flag("trial", Count(1, 730), &["trial_period_days"]),
            COUPON,
            CODE,
            Arg::flag("card", KeptCard, &["default_payment_method"]),
            METADATA,
        ],
        one_of: &["price", "lookup-key"],
        one_needed: true,
        fixed: &[
            ("payment_settings.save_default_payment_method", "on_subscription"),
            ("expand.0", "latest_invoice.confirmation_secret"),
        ],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "subscription show",
        work: Work::Show,
        path: "/v1/subscriptions/{subscription}",
        args: &[Arg::typed("subscription", Newest(&SUBSCRIPTION), &[])],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "subscription list",
        work: Work::List,
        path: "/v1/subscriptions",
        args: &[
            OF_CUSTOMER,
            Arg::flag(
                "status",
                OneOf(&[
                    "all",
                    "active",
                    "trialing",
                    "past_due",
                    "unpaid",
                    "canceled",
                    "incomplete",
                    "incomplete_expired",
                    "paused",
                    "ended",
                ]),
                &["status"],
            ),
            Arg::flag("price", Id(&PRICE), &["price"]),
            LIMIT,
            AFTER,
        ],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "subscription change",
        path: "/v1/subscriptions/{subscription}",
        args: &[
            SUBSCRIPTION_ID,
            Arg::flag("item", Item, &["items.0.id"]),
            PRICE_ID,
            LOOKUP_KEY,
            QUANTITY,
            Arg::flag(
                "proration-behavior",
                OneOf(&["create_prorations", "always_invoice", "none"]),
                &["proration_behavior"],
            ),
            COUPON,
            CODE,
            METADATA,
        ],
        one_of: &["price", "lookup-key"],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "subscription pause",
        path: "/v1/subscriptions/{subscription}",
        args: &[
            SUBSCRIPTION_ID,
            Arg::flag(
                "behavior",
                OneOf(&["void", "keep_as_draft", "mark_uncollectible"]),
                &["pause_collection.behavior"],
            )
            .or("void"),
            Arg::flag("resumes-at", When, &["pause_collection.resumes_at"]),
        ],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "subscription resume",
        work: Work::Resume,
        path: "/v1/subscriptions/{subscription}",
        args: &[SUBSCRIPTION_ID],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "subscription cancel",
        work: Work::Cancel,
        path: "/v1/subscriptions/{subscription}",
        args: &[SUBSCRIPTION_ID, Arg::flag("now", Switch("true"), &[])],
        shows: &SUBSCRIPTION,
        ..ROW
    },
    MerchantCommand {
        words: "invoice list",
        work: Work::List,
        path: "/v1/invoices",
        args: &[
            OF_CUSTOMER,
            OF_SUBSCRIPTION,
            Arg::flag(
                "status",
                OneOf(&["draft", "open", "paid", "uncollectible", "void"]),
                &["status"],
            ),
            LIMIT,
            AFTER,
        ],
        shows: &INVOICE,
        ..ROW
    },
    MerchantCommand {
        words: "invoice show",
        work: Work::Show,
        path: "/v1/invoices/{invoice}",
        args: &[Arg::typed("invoice", Newest(&INVOICE), &[])],
        shows: &INVOICE,
        ..ROW
    },
    MerchantCommand {
        words: "invoice pay",
        path: "/v1/invoices/{invoice}/pay",
        args: &[
            INVOICE_ID,
            Arg::flag("card", KeptCard, &["payment_method"]),
            Arg::flag("paid-out-of-band", Switch("true"), &["paid_out_of_band"]),
        ],
        shows: &INVOICE,
        ..ROW
    },
    MerchantCommand {
        words: "portal",
        path: "/v1/billing_portal/sessions",
        args: &[
            OF_CUSTOMER.needed(),
            Arg::flag(
                "flow",
                OneOf(&["payment_method_update", "subscription_cancel", "subscription_update"]),
                &["flow_data.type"],
            ),
            Arg::flag("subscription", Id(&SUBSCRIPTION), &["flow_data.{flow}.subscription"]),
            Arg::flag("configuration", Text, &["configuration"]),
            Arg::flag("return-url", Text, &["return_url"]).or("http://127.0.0.1:4242/"),
        ],
        shows: &PORTAL,
        ..ROW
    },
    MerchantCommand {
        words: "refund",
        path: "/v1/refunds",
        args: &[
            Arg::typed("refunded", Payment, &["{kind}"]),
            Arg::flag("payment", Payment, &["{kind}"]),
            AMOUNT,
            Arg::flag(
                "reason",
                OneOf(&["duplicate", "fraudulent", "requested_by_customer"]),
                &["reason"],
            ),
            METADATA,
            ONCE,
        ],
        one_of: &["refunded", "payment"],
        one_needed: true,
        shows: &REFUND,
        ..ROW
    },
    MerchantCommand {
        words: "dispute list",
        work: Work::List,
        path: "/v1/disputes",
        args: &[Arg::flag("payment-intent", Id(&PAYMENT), &["payment_intent"]), LIMIT, AFTER],
        shows: &DISPUTE,
        ..ROW
    },
    MerchantCommand {
        words: "dispute show",
        work: Work::Show,
        path: "/v1/disputes/{dispute}",
        args: &[NEWEST_DISPUTE],
        shows: &DISPUTE,
        ..ROW
    },
    MerchantCommand {
        words: "dispute evidence",
        path: "/v1/disputes/{dispute}",
        args: &[
            Arg::typed("text", Text, &["evidence.uncategorized_text"]).needed(),
            NEWEST_DISPUTE,
            ONCE,
        ],
        fixed: &[("submit", "false")],
        shows: &DISPUTE,
        ..ROW
    },
    MerchantCommand {
        words: "dispute submit",
        path: "/v1/disputes/{dispute}",
        args: &[NEWEST_DISPUTE, ONCE],
        fixed: &[("submit", "true")],
        shows: &DISPUTE,
        ..ROW
    },
    MerchantCommand {
        words: "plan list",
        work: Work::List,
        path: "/v1/prices",
        args: &[
            Arg::flag("lookup-key", Text, &["lookup_keys.0"]),
            Arg::flag("product", Text, &["product"]),
            LIMIT,
            AFTER,
        ],
        fixed: &[("active", "true"), ("expand.0", "data.product")],
        shows: &PRICE,
        ..ROW
    },
    MerchantCommand {
        words: "plan sync",
        work: Work::Sync,
        args: &[Arg::typed("file", File, &[]).needed()],
        shows: &SYNCED,
        ..ROW
    },
    kept::ORDER_LIST,
    kept::ORDER_SHOW,
    kept::CREDIT_SHOW,
    kept::CREDIT_GRANT,
    kept::API_KEY_LIST,
    kept::API_KEY_ISSUE,
    kept::API_KEY_REVOKE,
    kept::KV_GET,
    kept::KV_SET,
    kept::KV_LIST,
];
