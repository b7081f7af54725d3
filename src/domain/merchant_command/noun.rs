//! The objects that the merchant's commands show: which members make a row, and in which order.

use crate::domain::merchant_command::noun::Form::{Amount, Id, Instant, Word};

/// How a member is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it stands there.
    Word,
    /// An id, also of an object that was expanded.
    Id,
    /// Minor units of the currency that stands at this pointer.
    Amount(&'static str),
    /// An instant.
    Instant,
}

/// A member of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is called.
    pub name: &'static str,
    /// Where it stands in the object, as a JSON pointer.
    pub at: &'static str,
    /// How it is read.
    pub form: Form,
    /// Whether it is a column of a list.
    pub listed: bool,
}

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub struct Noun {
    /// What it is called.
    pub name: &'static str,
    /// What its ids look like.
    pub id: &'static str,
    /// The path of its list.
    pub list: &'static str,
    /// The command that lists it; empty where there is none.
    pub listed_by: &'static str,
    /// A command that makes one, where there is none yet.
    pub made_by: &'static str,
    /// What its list is asked for beside, so that it leaves nothing out.
    pub all: &'static [(&'static str, &'static str)],
    /// The members of a row; the first is its id.
    pub members: &'static [Member],
}

/// A column of a list.
const fn column(name: &'static str, at: &'static str, form: Form) -> Member {
    Member { name, at, form, listed: true }
}

/// A member that is shown of one object alone.
const fn detail(name: &'static str, at: &'static str, form: Form) -> Member {
    Member { name, at, form, listed: false }
}

/// Where most objects have their currency.
const OWN: Form = Amount("/currency");

/// A customer.
pub static CUSTOMER: Noun = Noun {
    name: "customer",
    id: "cus_…",
    list: "/v1/customers",
    listed_by: "customer list",
    made_by: "customer create",
    all: &[],
    members: &[
        column("customer", "/id", Id),
        column("email", "/email", Word),
        column("name", "/name", Word),
        detail("phone", "/phone", Word),
        detail("description", "/description", Word),
        detail("default_payment_method", "/invoice_settings/default_payment_method", Id),
        detail("balance", "/balance", OWN),
        detail("currency", "/currency", Word),
        detail("delinquent", "/delinquent", Word),
        detail("test_clock", "/test_clock", Id),
        detail("metadata", "/metadata", Word),
        column("created", "/created", Instant),
        detail("deleted", "/deleted", Word),
    ],
};

/// A card that was kept.
pub static CARD: Noun = Noun {
    name: "payment_method",
    id: "pm_…",
    list: "/v1/payment_methods",
    listed_by: "card list",
    made_by: "card add",
    all: &[],
    members: &[
        column("payment_method", "/id", Id),
        column("customer", "/customer", Id),
        column("brand", "/card/brand", Word),
        column("last4", "/card/last4", Word),
        detail("exp_month", "/card/exp_month", Word),
        detail("exp_year", "/card/exp_year", Word),
        detail("created", "/created", Instant),
    ],
};

/// A card that is being kept.
pub static SETUP: Noun = Noun {
    name: "setup_intent",
    id: "seti_…",
    list: "/v1/setup_intents",
    listed_by: "",
    made_by: "",
    all: &[],
    members: &[
        column("setup_intent", "/id", Id),
        column("status", "/status", Word),
        column("customer", "/customer", Id),
        column("payment_method", "/payment_method", Id),
        detail("usage", "/usage", Word),
        detail("next_action", "/next_action/type", Word),
        detail("client_secret", "/client_secret", Word),
        detail("created", "/created", Instant),
    ],
};

/// A payment.
pub static PAYMENT: Noun = Noun {
    name: "payment_intent",
    id: "pi_…",
    list: "/v1/payment_intents",
    listed_by: "pay list",
    made_by: "pay create",
    all: &[],
    members: &[
        column("payment_intent", "/id", Id),
        column("amount", "/amount", OWN),
        detail("amount_capturable", "/amount_capturable", OWN),
        detail("amount_received", "/amount_received", OWN),
        detail("currency", "/currency", Word),
        column("status", "/status", Word),
        detail("customer", "/customer", Id),
        detail("payment_method", "/payment_method", Id),
        detail("capture_method", "/capture_method", Word),
        detail("cancellation_reason", "/cancellation_reason", Word),
        detail("latest_charge", "/latest_charge", Id),
        detail("last_error", "/last_payment_error/code", Word),
        detail("next_action", "/next_action/type", Word),
        detail("client_secret", "/client_secret", Word),
        column("created", "/created", Instant),
    ],
};

/// A subscription.
pub static SUBSCRIPTION: Noun = Noun {
    name: "subscription",
    id: "sub_…",
    list: "/v1/subscriptions",
    listed_by: "subscription list",
    made_by: "subscribe --help",
    // What has ended is left out otherwise, and the newest may have.
    all: &[("status", "all")],
    members: &[
        column("subscription", "/id", Id),
        column("customer", "/customer", Id),
        column("status", "/status", Word),
        detail("price", "/items/data/0/price/id", Id),
        detail("lookup_key", "/items/data/0/price/lookup_key", Word),
        column("amount", "/items/data/0/price/unit_amount", OWN),
        detail("currency", "/currency", Word),
        detail("interval", "/items/data/0/price/recurring/interval", Word),
        detail("quantity", "/items/data/0/quantity", Word),
        detail("current_period_end", "/items/data/0/current_period_end", Instant),
        detail("trial_end", "/trial_end", Instant),
        detail("cancel_at_period_end", "/cancel_at_period_end", Word),
        detail("canceled_at", "/canceled_at", Instant),
        detail("paused", "/pause_collection/behavior", Word),
        detail("resumes_at", "/pause_collection/resumes_at", Instant),
        detail("discounts", "/discounts", Id),
        detail("default_payment_method", "/default_payment_method", Id),
        detail("latest_invoice", "/latest_invoice", Id),
        detail("client_secret", "/latest_invoice/confirmation_secret/client_secret", Word),
        detail("created", "/created", Instant),
    ],
};

/// An invoice.
pub static INVOICE: Noun = Noun {
    name: "invoice",
    id: "in_…",
    list: "/v1/invoices",
    listed_by: "invoice list",
    made_by: "subscribe --help",
    all: &[],
    members: &[
        column("invoice", "/id", Id),
        column("number", "/number", Word),
        column("status", "/status", Word),
        detail("customer", "/customer", Id),
        detail("subscription", "/parent/subscription_details/subscription", Id),
        detail("billing_reason", "/billing_reason", Word),
        column("total", "/total", OWN),
        detail("amount_due", "/amount_due", OWN),
        detail("amount_paid", "/amount_paid", OWN),
        detail("amount_remaining", "/amount_remaining", OWN),
        detail("currency", "/currency", Word),
        detail("attempt_count", "/attempt_count", Word),
        detail("next_payment_attempt", "/next_payment_attempt", Instant),
        detail("hosted_invoice_url", "/hosted_invoice_url", Word),
        column("created", "/created", Instant),
    ],
};

/// A visit to the customer's own page.
pub static PORTAL: Noun = Noun {
    name: "portal_session",
    id: "bps_…",
    list: "",
    listed_by: "",
    made_by: "",
    all: &[],
    members: &[
        column("portal_session", "/id", Id),
        column("customer", "/customer", Id),
        detail("flow", "/flow/type", Word),
        column("url", "/url", Word),
        detail("return_url", "/return_url", Word),
    ],
};

/// Money that goes back.
pub static REFUND: Noun = Noun {
    name: "refund",
    id: "re_…",
    list: "/v1/refunds",
    listed_by: "",
    made_by: "",
    all: &[],
    members: &[
        column("refund", "/id", Id),
        column("amount", "/amount", OWN),
        detail("currency", "/currency", Word),
        column("status", "/status", Word),
        detail("reason", "/reason", Word),
        detail("payment_intent", "/payment_intent", Id),
        detail("charge", "/charge", Id),
        column("created", "/created", Instant),
    ],
};

/// A payment that its payer disputes.
pub static DISPUTE: Noun = Noun {
    name: "dispute",
    id: "dp_…",
    list: "/v1/disputes",
    listed_by: "dispute list",
    made_by: "pay create --confirm --card 4000000000000259",
    all: &[],
    members: &[
        column("dispute", "/id", Id),
        column("status", "/status", Word),
        column("reason", "/reason", Word),
        column("amount", "/amount", OWN),
        detail("currency", "/currency", Word),
        detail("payment_intent", "/payment_intent", Id),
        detail("charge", "/charge", Id),
        column("due_by", "/evidence_details/due_by", Instant),
        detail("has_evidence", "/evidence_details/has_evidence", Word),
        detail("submission_count", "/evidence_details/submission_count", Word),
    ],
};

/// A price.
pub static PRICE: Noun = Noun {
    name: "price",
    id: "price_…",
    list: "/v1/prices",
    listed_by: "plan list",
    made_by: "plan sync --help",
    all: &[],
    members: &[
        column("price", "/id", Id),
        column("lookup_key", "/lookup_key", Word),
        detail("product", "/product", Id),
        column("name", "/product/name", Word),
        column("amount", "/unit_amount", OWN),
        detail("currency", "/currency", Word),
        column("interval", "/recurring/interval", Word),
        detail("interval_count", "/recurring/interval_count", Word),
        detail("active", "/active", Word),
    ],
};

/// A price after it was held against a file.
pub static SYNCED: Noun = Noun {
    name: "price",
    id: "price_…",
    list: "/v1/prices",
    listed_by: "plan list",
    made_by: "",
    all: &[],
    members: &[
        column("change", "/change", Word),
        column("lookup_key", "/lookup_key", Word),
        column("price", "/id", Id),
        detail("product", "/product", Id),
        column("amount", "/unit_amount", OWN),
        detail("currency", "/currency", Word),
        column("interval", "/recurring/interval", Word),
        detail("interval_count", "/recurring/interval_count", Word),
    ],
};

/// Somebody with an account at the shop.
pub static USER: Noun = Noun {
    name: "user",
    id: "EMAIL|user_…",
    list: "",
    listed_by: "",
    made_by: "",
    all: &[],
    members: &[
        column("user", "/id", Id),
        column("email", "/email", Word),
        column("credits", "/credits", Word),
        detail("purchase", "/purchase", Word),
        detail("refund", "/refund", Word),
        detail("dispute", "/dispute", Word),
        detail("grant", "/grant", Word),
        detail("entries", "/entries", Word),
        detail("last", "/last", Instant),
    ],
};

/// Something that the shop has sold.
pub static ORDER: Noun = Noun {
    name: "order",
    id: "order_…",
    list: "",
    listed_by: "order list",
    made_by: "shop",
    all: &[],
    members: &[
        column("order", "/id", Id),
        detail("user", "/user", Id),
        detail("email", "/email", Word),
        column("plan", "/plan", Word),
        column("provider", "/provider", Word),
        detail("sale", "/sale", Id),
        detail("subscription", "/subscription", Id),
        column("status", "/status", Word),
        column("amount", "/amount", OWN),
        detail("currency", "/currency", Word),
        detail("refunded", "/refunded", OWN),
        detail("disputed", "/disputed", OWN),
        detail("created", "/created", Instant),
    ],
};

/// A key of the API that the shop sells.
pub static API_KEY: Noun = Noun {
    name: "api_key",
    id: "N",
    list: "",
    listed_by: "api-key list",
    made_by: "shop",
    all: &[],
    members: &[
        column("api_key", "/id", Id),
        column("email", "/email", Word),
        detail("user", "/user", Id),
        detail("subscription", "/subscription", Id),
        column("hint", "/hint", Word),
        column("opens", "/opens", Word),
        detail("key", "/key", Word),
        column("issued", "/issued", Instant),
        detail("revoked", "/revoked", Instant),
    ],
};

/// An entry of the shop's key-value table.
pub static KV: Noun = Noun {
    name: "kv",
    id: "KEY",
    list: "",
    listed_by: "",
    made_by: "",
    all: &[],
    members: &[
        column("key", "/id", Id),
        detail("namespace", "/namespace", Word),
        column("value", "/value", Word),
    ],
};
