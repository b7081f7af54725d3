//! Every scenario.

use crate::app::scenario::Action::{self, Control, Delete, Newest, PayPage, Post, Until};
use crate::app::scenario::Scenario;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

const CUSTOMER: Action = Post("/customers", "name=Trigger email=trigger@example.com");
const PRODUCT: Action = Post("/products", "name=Tea");
const PRICE: Action = Post("/prices", "currency=jpy unit_amount=500 product={product}");
const SESSION: Action = Post(
    "/checkout/sessions",
    "mode=payment success_url=https://example.com/success cancel_url=https://example.com/cancel \
     line_items.0.quantity=1 line_items.0.price_data.currency=jpy \
     line_items.0.price_data.unit_amount=500 line_items.0.price_data.product_data.name=Tea",
);
const PAID: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true payment_method=pm_card_visa \
     return_url=https://example.com",
);
const AVAILABLE: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true payment_method=pm_card_bypassPending \
     return_url=https://example.com",
);
const AUTHORIZED: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true capture_method=manual payment_method=pm_card_visa \
     return_url=https://example.com",
);
const DECLINED: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true payment_method=pm_card_chargeDeclined \
     return_url=https://example.com",
);
const DISPUTED: Action = Post(
    "/payment_intents",
    "amount=2000 currency=usd confirm=true payment_method=pm_card_createDispute \
     return_url=https://example.com",
);
const ASKED: Action = Post("/payment_intents", "amount=2000 currency=usd");
const DISPUTE: Action = Newest("/disputes", "payment_intent={payment_intent}");
const REFUND: Action = Post("/refunds", "payment_intent={payment_intent}");
const CAPTURE: Action = Post("/payment_intents/{payment_intent}/capture", "");
const PAYOUT: Action = Post("/payouts", "amount=500 currency=usd");

const METHOD: Action = Post("/payment_methods/pm_card_visa/attach", "customer={customer}");
const REFUSED: Action =
    Post("/payment_methods/pm_card_chargeCustomerFail/attach", "customer={customer}");
const GATED: Action =
    Post("/payment_methods/pm_card_authenticationRequired/attach", "customer={customer}");
const DEFAULT: Action =
    Post("/customers/{customer}", "invoice_settings.default_payment_method={payment_method}");

const CLOCK: Action = Post("/test_helpers/test_clocks", "frozen_time={now}");
const TIMED: Action = Post(
    "/customers",
    "name=Trigger email=trigger@example.com test_clock={test_helpers.test_clock}",
);
const MONTHLY: Action =
    Post("/prices", "currency=jpy unit_amount=500 product={product} recurring.interval=month");
const SUBSCRIBED: Action = Post("/subscriptions", "customer={customer} items.0.price={price}");
const ON_TRIAL: Action = Post(
    "/subscriptions",
    "customer={customer} items.0.price={price} trial_period_days=1 \
     trial_settings.end_behavior.missing_payment_method=pause",
);
const TRIAL_ENDS: Action = Post("/subscriptions/{subscription}", "trial_end=now");
const SWITCHED: Action =
    Post("/subscriptions/{subscription}", "default_payment_method={payment_method}");
const RENEWED: Action =
    Until { of: "subscription", at: "/items/data/0/current_period_end", more: 2 * HOUR };
const BEFORE_RENEWAL: Action =
    Until { of: "subscription", at: "/items/data/0/current_period_end", more: -6 * DAY };

const ITEM: Action = Post("/invoiceitems", "customer={customer} amount=2000 currency=usd");
const INVOICE: Action =
    Post("/invoices", "customer={customer} pending_invoice_items_behavior=include");
const SENT_INVOICE: Action = Post(
    "/invoices",
    "customer={customer} pending_invoice_items_behavior=include collection_method=send_invoice \
     days_until_due=7",
);
const FINALIZED: Action = Post("/invoices/{invoice}/finalize", "");
const PAY: Action = Post("/invoices/{invoice}/pay", "payment_method={payment_method}");

/// Every scenario, by type.
pub const ALL: &[Scenario] = &[
    Scenario {
        kind: "billing_portal.session.created",
        actions: &[
            CUSTOMER,
            Post(
                "/billing_portal/sessions",
                "customer={customer} return_url=https://example.com/account",
            ),
        ],
    },
    Scenario { kind: "charge.captured", actions: &[AUTHORIZED, CAPTURE] },
    Scenario {
        kind: "charge.dispute.closed",
        actions: &[DISPUTED, DISPUTE, Post("/disputes/{dispute}/close", "")],
    },
    Scenario { kind: "charge.dispute.created", actions: &[DISPUTED] },
    Scenario { kind: "charge.failed", actions: &[DECLINED] },
    Scenario { kind: "charge.refunded", actions: &[PAID, REFUND] },
    Scenario { kind: "charge.succeeded", actions: &[PAID] },
    Scenario {
        kind: "checkout.session.async_payment_failed",
        actions: &[SESSION, PayPage { card: "konbini", email: "expire_immediately@example.com" }],
    },
    Scenario {
        kind: "checkout.session.async_payment_succeeded",
        actions: &[SESSION, PayPage { card: "konbini", email: "succeed_immediately@example.com" }],
    },
    Scenario {
        kind: "checkout.session.completed",
        actions: &[SESSION, PayPage { card: "4242424242424242", email: "trigger@example.com" }],
    },
    Scenario {
        kind: "checkout.session.completed.subscription",
        actions: &[
            PRODUCT,
            MONTHLY,
            Post(
                "/checkout/sessions",
                "mode=subscription success_url=https://example.com/success \
                 cancel_url=https://example.com/cancel line_items.0.price={price} \
                 line_items.0.quantity=1",
            ),
            PayPage { card: "4242424242424242", email: "trigger@example.com" },
        ],
    },
    Scenario {
        kind: "checkout.session.expired",
        actions: &[SESSION, Post("/checkout/sessions/{checkout.session}/expire", "")],
    },
    Scenario { kind: "coupon.created", actions: &[Post("/coupons", "percent_off=20")] },
    Scenario {
        kind: "coupon.deleted",
        actions: &[Post("/coupons", "percent_off=20"), Delete("/coupons/{coupon}")],
    },
    Scenario {
        kind: "credit_note.created",
        actions: &[
            CUSTOMER,
            ITEM,
            INVOICE,
            FINALIZED,
            Post("/credit_notes", "invoice={invoice} amount=1000"),
        ],
    },
    Scenario { kind: "customer.created", actions: &[CUSTOMER] },
    Scenario { kind: "customer.deleted", actions: &[CUSTOMER, Delete("/customers/{customer}")] },
    Scenario {
        kind: "customer.subscription.created",
        actions: &[CUSTOMER, PRODUCT, MONTHLY, METHOD, DEFAULT, SUBSCRIBED],
    },
    Scenario {
        kind: "customer.subscription.deleted",
        actions: &[
            CUSTOMER,
            PRODUCT,
            MONTHLY,
            METHOD,
            DEFAULT,
            SUBSCRIBED,
            Delete("/subscriptions/{subscription}"),
        ],
    },
    Scenario {
        kind: "customer.subscription.paused",
        actions: &[CUSTOMER, PRODUCT, MONTHLY, ON_TRIAL, TRIAL_ENDS],
    },
    Scenario {
        kind: "customer.subscription.resumed",
        actions: &[
            CUSTOMER,
            PRODUCT,
            MONTHLY,
            ON_TRIAL,
            TRIAL_ENDS,
            METHOD,
            DEFAULT,
            Post("/subscriptions/{subscription}/resume", ""),
        ],
    },
    Scenario {
        kind: "customer.subscription.trial_will_end",
        actions: &[CUSTOMER, PRODUCT, MONTHLY, ON_TRIAL],
    },
    Scenario {
        kind: "customer.subscription.updated",
        actions: &[
            CUSTOMER,
            PRODUCT,
            MONTHLY,
            METHOD,
            DEFAULT,
            SUBSCRIBED,
            Post("/subscriptions/{subscription}", "metadata.foo=bar"),
        ],
    },
    Scenario {
        kind: "customer.updated",
        actions: &[CUSTOMER, Post("/customers/{customer}", "metadata.foo=bar")],
    },
    Scenario { kind: "invoice.created", actions: &[CUSTOMER, ITEM, INVOICE] },
    Scenario {
        kind: "invoice.deleted",
        actions: &[CUSTOMER, ITEM, INVOICE, Delete("/invoices/{invoice}")],
    },
    Scenario { kind: "invoice.finalized", actions: &[CUSTOMER, ITEM, INVOICE, FINALIZED] },
    Scenario {
        kind: "invoice.marked_uncollectible",
        actions: &[
            CUSTOMER,
            ITEM,
            INVOICE,
            FINALIZED,
            Post("/invoices/{invoice}/mark_uncollectible", ""),
        ],
    },
    Scenario { kind: "invoice.paid", actions: &[CUSTOMER, ITEM, INVOICE, METHOD, PAY] },
    Scenario {
        kind: "invoice.paid.renewal",
        actions: &[CLOCK, TIMED, PRODUCT, MONTHLY, METHOD, DEFAULT, SUBSCRIBED, RENEWED],
    },
    Scenario {
        kind: "invoice.payment_action_required",
        actions: &[CUSTOMER, ITEM, INVOICE, GATED, PAY],
    },
    Scenario { kind: "invoice.payment_failed", actions: &[CUSTOMER, ITEM, INVOICE, REFUSED, PAY] },
    Scenario {
        kind: "invoice.payment_failed.renewal",
        actions: &[
            CLOCK, TIMED, PRODUCT, MONTHLY, METHOD, DEFAULT, SUBSCRIBED, REFUSED, SWITCHED, RENEWED,
        ],
    },
    Scenario {
        kind: "invoice.sent",
        actions: &[CUSTOMER, ITEM, SENT_INVOICE, Post("/invoices/{invoice}/send", "")],
    },
    Scenario {
        kind: "invoice.upcoming",
        actions: &[CLOCK, TIMED, PRODUCT, MONTHLY, METHOD, DEFAULT, SUBSCRIBED, BEFORE_RENEWAL],
    },
    Scenario {
        kind: "invoice.voided",
        actions: &[CUSTOMER, ITEM, INVOICE, FINALIZED, Post("/invoices/{invoice}/void", "")],
    },
    Scenario { kind: "invoiceitem.created", actions: &[CUSTOMER, ITEM] },
    Scenario {
        kind: "invoiceitem.deleted",
        actions: &[CUSTOMER, ITEM, Delete("/invoiceitems/{invoiceitem}")],
    },
    Scenario { kind: "payment_intent.amount_capturable_updated", actions: &[AUTHORIZED] },
    Scenario {
        kind: "payment_intent.canceled",
        actions: &[
            ASKED,
            Post(
                "/payment_intents/{payment_intent}/cancel",
                "cancellation_reason=requested_by_customer",
            ),
        ],
    },
    Scenario { kind: "payment_intent.created", actions: &[ASKED] },
    Scenario { kind: "payment_intent.payment_failed", actions: &[DECLINED] },
    Scenario {
        kind: "payment_intent.requires_action",
        actions: &[Post(
            "/payment_intents",
            "amount=2000 currency=usd confirm=true \
             payment_method=pm_card_authenticationRequired return_url=https://example.com",
        )],
    },
    Scenario { kind: "payment_intent.succeeded", actions: &[PAID] },
    Scenario { kind: "payment_method.attached", actions: &[CUSTOMER, METHOD] },
    Scenario {
        kind: "payment_method.detached",
        actions: &[CUSTOMER, METHOD, Post("/payment_methods/{payment_method}/detach", "")],
    },
    Scenario { kind: "payout.created", actions: &[AVAILABLE, PAYOUT] },
    Scenario {
        kind: "payout.failed",
        actions: &[AVAILABLE, PAYOUT, Control("payouts/{payout}/end?ok=false")],
    },
    Scenario {
        kind: "payout.paid",
        actions: &[AVAILABLE, PAYOUT, Control("payouts/{payout}/end")],
    },
    Scenario { kind: "price.created", actions: &[PRODUCT, PRICE] },
    Scenario {
        kind: "price.updated",
        actions: &[PRODUCT, PRICE, Post("/prices/{price}", "metadata.foo=bar")],
    },
    Scenario { kind: "product.created", actions: &[PRODUCT] },
    Scenario { kind: "product.deleted", actions: &[PRODUCT, Delete("/products/{product}")] },
    Scenario {
        kind: "product.updated",
        actions: &[PRODUCT, Post("/products/{product}", "metadata.foo=bar")],
    },
    Scenario { kind: "refund.created", actions: &[PAID, REFUND] },
    Scenario {
        kind: "setup_intent.canceled",
        actions: &[Post("/setup_intents", ""), Post("/setup_intents/{setup_intent}/cancel", "")],
    },
    Scenario { kind: "setup_intent.created", actions: &[Post("/setup_intents", "")] },
    Scenario {
        kind: "setup_intent.setup_failed",
        actions: &[Post(
            "/setup_intents",
            "confirm=true payment_method=pm_card_chargeDeclined return_url=https://example.com",
        )],
    },
    Scenario {
        kind: "setup_intent.succeeded",
        actions: &[Post(
            "/setup_intents",
            "confirm=true payment_method=pm_card_visa return_url=https://example.com",
        )],
    },
    Scenario {
        kind: "test_helpers.test_clock.ready",
        actions: &[CLOCK, Until { of: "test_helpers.test_clock", at: "/frozen_time", more: DAY }],
    },
];
