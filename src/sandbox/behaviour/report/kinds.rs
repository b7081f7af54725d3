//! The reports that are modelled, and the columns of each.

/// What a report lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What changed the balance, without payouts, by when it was made.
    Activity,
    /// What automatic payouts paid out, by when they arrive.
    Paid,
    /// The same of one payout.
    PaidBy,
    /// The payouts.
    Payouts,
    /// The balance from its start to its end.
    Balance,
}

/// One family of report types: its versions have the same columns.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// `report_type` without its version.
    pub name: &'static str,
    /// The newest version.
    pub versions: u8,
    /// What it lists.
    pub scope: Scope,
    /// One row a transaction; else one a category and currency.
    pub itemized: bool,
    /// Its columns where none are asked for.
    pub columns: &'static [&'static str],
}

const SUMMARY: &[&str] = &["reporting_category", "currency", "count", "gross", "fee", "net"];

const ITEMS: &[&str] = &[
    "balance_transaction_id",
    "created_utc",
    "created",
    "available_on_utc",
    "available_on",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "automatic_payout_effective_at",
    "customer_id",
    "customer_email",
    "customer_name",
    "customer_description",
    "charge_id",
    "payment_intent_id",
    "charge_created_utc",
    "charge_created",
    "payment_method_type",
    "card_brand",
    "card_funding",
    "card_country",
    "statement_descriptor",
    "dispute_reason",
];

const PAID: &[&str] = &[
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "automatic_payout_effective_at",
    "balance_transaction_id",
    "created_utc",
    "created",
    "available_on_utc",
    "available_on",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "customer_id",
    "customer_email",
    "customer_name",
    "customer_description",
    "charge_id",
    "payment_intent_id",
    "charge_created_utc",
    "charge_created",
    "payment_method_type",
    "card_brand",
    "card_funding",
    "card_country",
    "statement_descriptor",
    "dispute_reason",
];

const PAYOUTS: &[&str] = &[
    "payout_id",
    "effective_at_utc",
    "effective_at",
    "currency",
    "balance_transaction_id",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "description",
    "payout_expected_arrival_date",
    "payout_status",
    "payout_reversed_at",
    "payout_type",
    "payout_description",
    "payout_destination_id",
];

const BALANCE: &[&str] = &["category", "description", "net_amount", "currency"];

const fn it(
    name: &'static str,
    versions: u8,
    scope: Scope,
    itemized: bool,
    columns: &'static [&'static str],
) -> Report {
    Report { name, versions, scope, itemized, columns }
}

/// Every report, by its name.
pub const ALL: [Report; 9] = [
    it("balance.summary", 1, Scope::Balance, false, BALANCE),
    it("balance_change_from_activity.itemized", 6, Scope::Activity, true, ITEMS),
    it("balance_change_from_activity.summary", 1, Scope::Activity, false, SUMMARY),
    it("payout_reconciliation.by_id.itemized", 4, Scope::PaidBy, true, PAID),
    it("payout_reconciliation.by_id.summary", 1, Scope::PaidBy, false, SUMMARY),
    it("payout_reconciliation.itemized", 5, Scope::Paid, true, PAID),
    it("payout_reconciliation.summary", 1, Scope::Paid, false, SUMMARY),
    it("payouts.itemized", 3, Scope::Payouts, true, PAYOUTS),
    it("payouts.summary", 1, Scope::Payouts, false, SUMMARY),
];

/// The report of a type (`payouts.summary.1`).
pub fn find(kind: &str) -> Option<&'static Report> {
    let (name, version) = kind.rsplit_once('.')?;
    let version: u8 = version.parse().ok()?;
    ALL.iter().find(|it| it.name == name && (1..=it.versions).contains(&version))
}

impl Report {
    /// Whether a column may be asked for: every report has those of its kind, itemized ones metadata too.
    pub fn has(&self, column: &str) -> bool {
        let metadata = ["payment_metadata[", "refund_metadata["];
        let is_metadata = column.ends_with(']') && metadata.iter().any(|it| column.starts_with(it));
        self.columns.contains(&column)
            || self.itemized && self.scope != Scope::Payouts && is_metadata
    }
}
