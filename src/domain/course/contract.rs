//! What a server has to have to be graded, and what it may leave out: the only things that the judge asks for. Pure.

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `POST /webhook`.
    pub at: &'static str,
    /// Whether nothing can be graded without it.
    pub required: bool,
    /// The flag that says where it is or that it is not there, or the optional lesson that asks for it.
    pub flag: &'static str,
}

/// A column of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What stands in it.
    pub form: &'static str,
    /// Whether each row has it.
    pub required: bool,
}

const fn route(route: &'static str, required: bool, flag: &'static str) -> Route {
    Route { at: route, required, flag }
}

const fn column(name: &'static str, form: &'static str, required: bool) -> Column {
    Column { name, form, required }
}

/// The routes.
pub const ROUTES: [Route; 11] = [
    route("POST /webhook", true, "--webhook-path"),
    route("GET /", false, "--webhook-only"),
    route("POST /checkout -> 303", false, "--checkout-path, --webhook-only"),
    route("GET /success?session_id=", false, "--webhook-only"),
    route("GET /cancel", false, "--webhook-only"),
    route("GET /ledger", false, "--ledger-path, --ledger, --ledger-cmd, --no-ledger"),
    // Asked for by the optional lessons alone, and by these only where somebody takes them.
    route("POST /cards -> 303", false, "saved-cards"),
    route("POST /cards/charge", false, "saved-cards"),
    route("POST /cards/remove", false, "saved-cards"),
    route("POST /refund", false, "refunds"),
    route("POST /evidence", false, "disputes"),
];

/// The variables of the environment that a server finds when it is started.
pub const ENVIRONMENT: [&str; 5] = [
    "PORT",
    "STRIPE_API_BASE",
    "STRIPE_SECRET_KEY",
    "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_WEBHOOK_SECRET",
];

/// The columns of the ledger.
pub const LEDGER: [Column; 12] = [
    column("session_id", "cs_…", true),
    column("amount", "integer, minor units (amount_total)", true),
    column("currency", "jpy, usd, …", true),
    column(
        "status",
        "paid, unpaid, no_payment_required, failed, expired, refunded, partially_refunded",
        true,
    ),
    column("created", "Unix seconds, RFC 3339, or YYYY-MM-DD HH:MM:SS in UTC", false),
    column("updated", "as created", false),
    column("payment_intent", "pi_…", false),
    column("event_id", "evt_…", false),
    column("refunded", "integer, minor units that went back and stayed there", false),
    column("goods", "send, hold", false),
    column("disputed", "integer, minor units that a dispute holds or took", false),
    column("dispute_fee", "integer, minor units that disputes cost", false),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::books;
    use crate::domain::entry::EntryStatus;

    #[test]
    fn the_contract_speaks_of_what_the_judge_knows() {
        assert!(LEDGER.iter().all(|column| books::is_column(column.name)));
        let status = LEDGER.iter().find(|column| column.name == "status").unwrap();
        assert!(status.form.split(", ").all(|word| EntryStatus::read(word).is_some()));
    }
}
