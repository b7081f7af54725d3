//! The ledger's rows as the server itself makes them: what [`super::compared`] works out of rows that it reads, as one
//! statement; and the parts of the statements that join them. A test holds one to the other.

use crate::domain::reconcile::judge::Rules;
use crate::domain::reconcile::row::Key;

/// The columns of a row, as both sides have them in tables of the connection's own.
pub(super) const ROW: [&str; 17] = [
    "what",
    "id",
    "intent",
    "charge",
    "session",
    "reference",
    "amount",
    "currency",
    "status",
    "refunded",
    "disputed",
    "fee",
    "net",
    "created",
    "livemode",
    "payout",
    "category",
];

/// What a row is, by its number in `What::ALL`.
pub(super) const PAYMENT: i16 = 0;
/// The same of a refund.
const REFUND: i16 = 1;

/// A table of rows, each under the key that is tried next.
pub(super) fn table(name: &str) -> String {
    format!(
        "CREATE TEMP TABLE {name} (key SMALLINT NOT NULL, value TEXT COLLATE \"C\" NOT NULL, what SMALLINT NOT NULL, \
         id TEXT COLLATE \"C\" NOT NULL, intent TEXT COLLATE \"C\" NOT NULL, charge TEXT COLLATE \"C\" NOT NULL, \
         session TEXT COLLATE \"C\" NOT NULL, reference TEXT COLLATE \"C\" NOT NULL, amount BIGINT NOT NULL, \
         currency TEXT COLLATE \"C\" NOT NULL, status TEXT COLLATE \"C\", refunded BIGINT, disputed BIGINT, fee BIGINT, \
         net BIGINT, created BIGINT NOT NULL, livemode BOOLEAN, payout TEXT COLLATE \"C\" NOT NULL, \
         category TEXT COLLATE \"C\" NOT NULL)"
    )
}

/// The order of the facts of a subject; of several that speak of one thing the last counts.
const LAST: &str = "object DESC, kind DESC, what DESC, amount DESC, currency DESC, detail DESC";

/// Fills `held` with the ledger's rows from `$1` until before `$2`; those of Creem's alone where `$3` says so.
pub(super) fn fill() -> String {
    let last = |value: &str, what: &str| {
        format!("(array_agg({value} ORDER BY {LAST}) FILTER (WHERE what = '{what}'))[1]")
    };
    let (received, sent) = (last("amount", "received"), last("amount", "sent"));
    let (withdrawn, reinstated) = (last("amount", "withdrawn"), last("amount", "reinstated"));
    format!(
        "INSERT INTO pg_temp.held WITH \
         fees AS (SELECT one.subject, kept.currency, sum(kept.amount)::bigint AS fee FROM stripegym.facts AS one \
           JOIN stripegym.facts AS settled ON settled.subject = one.object AND settled.what = 'settled' \
           JOIN stripegym.facts AS kept ON kept.subject = settled.object AND kept.what = 'fee' \
           WHERE one.what IN ('captured', 'charged') GROUP BY one.subject, kept.currency), \
         sold AS (SELECT DISTINCT payment_intent AS subject FROM stripegym.ledger WHERE payment_intent IS NOT NULL), \
         moved AS (SELECT DISTINCT subject FROM stripegym.facts WHERE what = 'withdrawn' \
           OR (kind = 'payout' AND what = 'sent')), \
         kept AS (SELECT settled.subject, kept.currency, sum(kept.amount)::bigint AS fee FROM stripegym.facts AS settled \
           JOIN stripegym.facts AS kept ON kept.subject = settled.object AND kept.what = 'fee' \
           WHERE settled.what = 'settled' AND settled.subject IN (SELECT subject FROM moved) \
           GROUP BY settled.subject, kept.currency), \
         told AS (SELECT facts.*, sold.subject IS NOT NULL AS is_sold FROM stripegym.facts AS facts \
           LEFT JOIN sold ON sold.subject = facts.subject LEFT JOIN moved ON moved.subject = facts.subject \
           WHERE (what IN ('received', 'captured', 'refunded_so_far', 'withdrawn', 'reinstated') OR kind = 'payout') \
           AND NOT (facts.subject >= 'creem/' AND facts.subject < 'creem0') \
           AND (sold.subject IS NULL OR moved.subject IS NOT NULL)), \
         captured AS (SELECT subject, least(sum(amount), 9223372036854775807)::bigint AS amount, min(object) AS charge \
           FROM (SELECT subject, object, greatest(max(amount), 0) AS amount FROM told WHERE what = 'captured' \
           GROUP BY subject, object) AS each_charge GROUP BY subject), \
         subjects AS (SELECT subject, \
           (array_agg(currency ORDER BY object, kind, what, amount, currency, detail))[1] AS currency, \
           min(at) AS at, bool_or(is_sold) AS is_sold, {received} AS received, {sent} AS sent, \
           bool_or(what = 'returned') AS returned, {withdrawn} AS withdrawn, {reinstated} AS reinstated, \
           max(amount) FILTER (WHERE what = 'refunded_so_far') AS refunded FROM told GROUP BY subject), \
         sums AS (SELECT payment_intent AS subject, bool_or(state = 'returned') AS returned, \
           COALESCE(sum(amount) FILTER (WHERE state = 'sent'), 0) AS sent, \
           COALESCE(sum(amount) FILTER (WHERE state = 'total'), 0) AS total FROM stripegym.refunds \
           GROUP BY payment_intent), \
         of_session AS (SELECT 0 AS what, session_id AS id, COALESCE(payment_intent, '') AS intent, '' AS charge, \
           session_id AS session, amount, one.currency, settled AS status, refunded, fees.fee, created \
           FROM stripegym.ledger AS one LEFT JOIN fees ON fees.subject = one.payment_intent \
           AND fees.currency = one.currency AND one.payment_intent <> '' \
           WHERE NOT ($3 AND session_id >= 'creem/' AND session_id < 'creem0')), \
         of_subject AS (SELECT \
           CASE WHEN sent IS NOT NULL THEN 3 WHEN withdrawn IS NOT NULL THEN 2 ELSE 0 END AS what, one.*, \
           captured.amount AS captured, COALESCE(captured.charge, '') AS first_charge, left(one.subject, 3) = 'pi_' AS is_intent \
           FROM subjects AS one LEFT JOIN captured ON captured.subject = one.subject), \
         others AS (SELECT what, one.subject AS id, \
           CASE WHEN what = 0 AND is_intent THEN one.subject ELSE '' END AS intent, \
           CASE WHEN what <> 0 THEN '' WHEN is_intent THEN first_charge ELSE one.subject END AS charge, '' AS session, \
           CASE what WHEN 3 THEN one.sent WHEN 2 THEN withdrawn ELSE COALESCE(received, captured) END AS amount, \
           one.currency, CASE what WHEN 2 THEN NULL WHEN 3 THEN CASE WHEN one.returned THEN 'failed' ELSE 'paid' END \
             ELSE 'paid' END AS status, \
           CASE what WHEN 3 THEN NULL WHEN 2 THEN COALESCE(reinstated, 0) ELSE CASE WHEN is_intent THEN \
             least(CASE WHEN sums.returned THEN sums.sent ELSE greatest(COALESCE(sums.total, 0), COALESCE(sums.sent, 0)) END, \
             9223372036854775807)::bigint ELSE greatest(COALESCE(refunded, 0), 0) END END AS refunded, \
           CASE what WHEN 3 THEN NULL WHEN 2 THEN kept.fee ELSE fees.fee END AS fee, at AS created FROM of_subject AS one \
           LEFT JOIN sums ON sums.subject = one.subject \
           LEFT JOIN fees ON fees.subject = one.subject AND fees.currency = one.currency \
           LEFT JOIN kept ON kept.subject = one.subject AND kept.currency = one.currency \
           WHERE what <> 0 OR NOT is_sold), \
         rows AS (SELECT * FROM of_session UNION ALL SELECT * FROM others WHERE amount IS NOT NULL) \
         SELECT CASE WHEN what <> 0 OR intent <> '' THEN 0 WHEN charge <> '' THEN 1 ELSE 2 END, \
           CASE WHEN what <> 0 THEN id WHEN intent <> '' THEN intent WHEN charge <> '' THEN charge ELSE session END, \
           what, id, intent, charge, session, '', amount, currency, status, refunded, NULL::bigint, fee, NULL::bigint, created, \
           NULL::boolean, '', '' \
         FROM rows WHERE created >= $1 AND created < $2"
    )
}

/// Statuses of money that came, as a condition.
pub(super) const PAID: &str = "status IN ('paid', 'partially_refunded', 'refunded')";

/// The columns of a row, of a table by this name.
pub(super) fn columns(of: &str) -> String {
    ROW.map(|name| format!("{of}.{name}")).join(", ")
}

/// How a row is counted under its value: the ledger's, the other side's, and a refund of either.
const OF_LEDGER: i32 = 1;
const OF_OTHER: i32 = 1 << 30;
const OF_REFUND: i32 = 1 << 29;

/// Fills `odd` with every value under a key but those that one row of each side has; it says of each whether several rows
/// of a side have it, or a refund. One pass over both sides, of which one number a value is kept.
pub(super) fn fill_odd(key: Key) -> String {
    let side = |table: &str, code: i32| {
        format!(
            "SELECT value, CASE WHEN what = {REFUND} THEN {} ELSE {code} END AS code FROM pg_temp.{table} WHERE key = {}",
            code + OF_REFUND,
            key as i16
        )
    };
    format!(
        "INSERT INTO pg_temp.odd SELECT value, sum(code) NOT IN ({OF_LEDGER}, {OF_OTHER}) FROM ({} UNION ALL {}) AS one \
         GROUP BY value HAVING sum(code) <> {OF_LEDGER} + {OF_OTHER}",
        side("held", OF_LEDGER),
        side("given", OF_OTHER)
    )
}

/// Moves the rows of a table that find nothing under their key to their next, and says which keys that are.
pub(super) fn move_on(table: &str, key: Key) -> Option<String> {
    let (next, value) = next(key)?;
    Some(format!(
        "WITH moved AS (UPDATE pg_temp.{table} AS one SET key = {next}, value = {value} FROM pg_temp.odd \
         WHERE odd.value = one.value AND NOT odd.crowded AND one.key = {} AND one.what = {PAYMENT} \
         AND {next} IS NOT NULL RETURNING one.key) SELECT DISTINCT key FROM moved",
        key as i16
    ))
}

/// How many values of `odd` several rows of a side have, and how many one row alone.
pub(super) const COUNTED: &str =
    "SELECT count(*) FILTER (WHERE crowded), count(*) FILTER (WHERE NOT crowded) FROM pg_temp.odd";

/// Whether several rows of a side have a row's value, or a refund.
pub(super) fn crowded(name: &str) -> String {
    format!("EXISTS (SELECT 1 FROM pg_temp.odd WHERE odd.crowded AND odd.value = {name}.value)")
}

/// Takes the rows under a key out of a table whose values several rows of a side have.
pub(super) fn take_out(table: &str, key: Key) -> String {
    let key = key as i16;
    format!("DELETE FROM pg_temp.{table} AS one WHERE key = {key} AND {}", crowded("one"))
}

/// The rows of a table under a key.
pub(super) fn under(table: &str, key: Key) -> String {
    format!("(SELECT * FROM pg_temp.{table} WHERE key = {})", key as i16)
}

/// A payment's next key after one, and its value, as expressions; nothing after the last.
fn next(key: Key) -> Option<(String, String)> {
    let after = [(Key::Charge, "charge"), (Key::Session, "session"), (Key::Reference, "reference")];
    let after: Vec<_> = after.into_iter().filter(|(it, _)| *it > key).collect();
    let case = |then: &dyn Fn(Key, &str) -> String| {
        let arms: Vec<String> = after
            .iter()
            .map(|(it, name)| format!("WHEN one.{name} <> '' THEN {}", then(*it, name)))
            .collect();
        format!("(CASE {} END)", arms.join(" "))
    };
    (!after.is_empty())
        .then(|| (case(&|it, _| (it as i16).to_string()), case(&|_, name| format!("one.{name}"))))
}

/// A condition that is true only of two rows of which the rules say that they agree.
pub(super) fn agree(rules: &Rules) -> String {
    let tolerated: Vec<String> = rules
        .tolerance
        .iter()
        .map(|(currency, most)| format!("WHEN '{}' THEN {}", currency.code(), most.unsigned_abs()))
        .collect();
    let near = |name: &str| {
        if tolerated.is_empty() {
            return format!("h.{name} = g.{name}");
        }
        let most = format!("CASE h.currency {} ELSE 0 END", tolerated.join(" "));
        format!("abs(h.{name}::numeric - g.{name}) <= {most}")
    };
    let settled =
        |name: &str| format!("(CASE WHEN {name}.{PAID} THEN 'paid' ELSE {name}.status END)");
    // Who says that a part went back and not how much is asked here.
    let says = |name: &str| {
        format!("COALESCE({name}.status, '') = 'partially_refunded' AND {name}.refunded IS NULL")
    };
    let known =
        ["disputed", "refunded", "fee"].map(|name| format!("({}) IS NOT FALSE", near(name)));
    format!(
        "h.currency = g.currency AND (h.livemode = g.livemode) IS NOT FALSE AND {} \
         AND ({} = {}) IS NOT FALSE AND {} AND NOT ({}) AND NOT ({})",
        near("amount"),
        settled("h"),
        settled("g"),
        known.join(" AND "),
        says("h"),
        says("g")
    )
}
