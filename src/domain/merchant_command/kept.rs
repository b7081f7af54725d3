//! The commands about what the shop keeps in its own database.

use crate::domain::merchant_command::Kind::{Count, Id, OneOf, Server, Switch, Text};
use crate::domain::merchant_command::commands::{AFTER, LIMIT, ROW};
use crate::domain::merchant_command::noun::{API_KEY, KV, ORDER, USER};
use crate::domain::merchant_command::{Arg, Kept, MerchantCommand, Work};

const OF_USER: Arg = Arg::typed("user", Id(&USER), &[]).needed();
const NAMESPACE: Arg = Arg::typed("namespace", Text, &[]).needed();
const KEY: Arg = Arg::typed("key", Text, &[]).needed();
const LEDGER: Arg = Arg::flag("ledger", Server, &[]);

/// `order list`.
pub const ORDER_LIST: MerchantCommand = MerchantCommand {
    words: "order list",
    work: Work::Kept(Kept::Orders),
    args: &[
        Arg::flag("user", Id(&USER), &[]),
        Arg::flag("provider", OneOf(&["stripe", "creem"]), &[]),
        Arg::flag(
            "status",
            OneOf(&[
                "pending",
                "succeeded",
                "failed",
                "partially_refunded",
                "refunded",
                "disputed",
            ]),
            &[],
        ),
        LIMIT,
        AFTER,
        LEDGER,
    ],
    shows: &ORDER,
    ..ROW
};

/// `order show`.
pub const ORDER_SHOW: MerchantCommand = MerchantCommand {
    words: "order show",
    work: Work::Kept(Kept::Order),
    args: &[Arg::typed("order", Id(&ORDER), &[]), LEDGER],
    shows: &ORDER,
    ..ROW
};

/// `credit show`.
pub const CREDIT_SHOW: MerchantCommand = MerchantCommand {
    words: "credit show",
    work: Work::Kept(Kept::Credits),
    args: &[OF_USER, LEDGER],
    shows: &USER,
    ..ROW
};

/// `credit grant`.
pub const CREDIT_GRANT: MerchantCommand = MerchantCommand {
    words: "credit grant",
    work: Work::Kept(Kept::Grant),
    args: &[OF_USER, Arg::typed("credits", Count(1, 1_000_000_000), &[]).needed(), LEDGER],
    shows: &USER,
    ..ROW
};

/// `api-key list`.
pub const API_KEY_LIST: MerchantCommand = MerchantCommand {
    words: "api-key list",
    work: Work::Kept(Kept::Keys),
    args: &[LIMIT, AFTER, LEDGER],
    shows: &API_KEY,
    ..ROW
};

/// `api-key issue`.
pub const API_KEY_ISSUE: MerchantCommand = MerchantCommand {
    words: "api-key issue",
    work: Work::Kept(Kept::Issue),
    args: &[OF_USER, Arg::flag("replace", Switch("true"), &[]), LEDGER],
    shows: &API_KEY,
    ..ROW
};

/// `api-key revoke`.
pub const API_KEY_REVOKE: MerchantCommand = MerchantCommand {
    words: "api-key revoke",
    work: Work::Kept(Kept::Revoke),
    args: &[Arg::typed("api-key", Count(1, i64::MAX), &[]).needed(), LEDGER],
    shows: &API_KEY,
    ..ROW
};

/// `kv get`.
pub const KV_GET: MerchantCommand = MerchantCommand {
    words: "kv get",
    work: Work::Kept(Kept::Value),
    args: &[NAMESPACE, KEY, LEDGER],
    shows: &KV,
    ..ROW
};

/// `kv set`.
pub const KV_SET: MerchantCommand = MerchantCommand {
    words: "kv set",
    work: Work::Kept(Kept::SetValue),
    args: &[NAMESPACE, KEY, Arg::typed("value", Text, &[]).needed(), LEDGER],
    shows: &KV,
    ..ROW
};

/// `kv list`.
pub const KV_LIST: MerchantCommand = MerchantCommand {
    words: "kv list",
    work: Work::Kept(Kept::Values),
    args: &[NAMESPACE, LIMIT, AFTER, LEDGER],
    shows: &KV,
    ..ROW
};
