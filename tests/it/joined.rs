//! A comparison on the ledger's server says what the one in this program says, of whatever rows there are.

use crate::cluster::Cluster;
use crate::env::{Env, rounds};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// Numbers that look drawn, always the same from one seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most
    }

    fn of<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[usize::try_from(self.below(among.len() as u64)).unwrap()]
    }
}

fn event(n: usize, kind: &str, object: &Value) -> String {
    json!({"id": format!("evt_{n}"), "object": "event", "api_version": "2026-10-28.endive", "created": 1_800_000_000,
        "data": {"object": object}, "livemode": false, "type": kind})
    .to_string()
}

const CURRENCIES: [&str; 3] = ["jpy", "jpy", "usd"];

/// An event about one of a few things, so that events meet and contradict each other.
pub(crate) fn any_event(n: usize, dice: &mut Dice) -> String {
    let at = dice.below(12);
    let (intent, charge) = (format!("pi_{at}"), format!("ch_{at}"));
    let amount = 400 + 100 * dice.below(3);
    let currency = dice.of(&CURRENCIES);
    let created = 1_800_000_000 + dice.below(50);
    let fee = 10 + dice.below(2);
    let settled = |source: &str| {
        json!({"id": format!("txn_{source}"), "object": "balance_transaction", "amount": amount, "fee": fee,
            "net": amount - fee, "currency": currency, "reporting_category": "charge", "source": source})
    };
    match dice.below(8) {
        0 | 1 => {
            let paid = dice.of(&["paid", "unpaid", "paid"]);
            let of = if dice.below(5) == 0 { Value::Null } else { json!(intent) };
            event(
                n,
                "checkout.session.completed",
                &json!({"id": format!("cs_{at}"), "object": "checkout.session",
                "amount_total": amount, "currency": currency, "created": created, "mode": "payment",
                "payment_intent": of, "payment_status": paid, "status": "complete"}),
            )
        }
        2 => event(
            n,
            "refund.created",
            &json!({"id": format!("re_{at}_{}", dice.below(3)), "object": "refund",
            "amount": 100, "currency": currency, "created": created, "payment_intent": intent, "charge": charge,
            "status": dice.of(&["succeeded", "succeeded", "failed"])}),
        ),
        3 => event(
            n,
            "charge.succeeded",
            &json!({"id": charge, "object": "charge", "amount": amount,
            "amount_captured": amount, "captured": true, "paid": true, "currency": currency, "created": created,
            "status": "succeeded", "payment_intent": if dice.below(4) == 0 { Value::Null } else { json!(intent) },
            "amount_refunded": 100 * dice.below(2), "balance_transaction": settled(&charge)}),
        ),
        4 => event(
            n,
            "payment_intent.succeeded",
            &json!({"id": intent, "object": "payment_intent", "amount": amount,
            "amount_received": amount, "currency": currency, "created": created, "status": "succeeded"}),
        ),
        5 => event(
            n,
            "charge.dispute.funds_withdrawn",
            &json!({"id": format!("dp_{at}"), "object": "dispute",
            "amount": amount, "currency": currency, "created": created, "payment_intent": intent, "charge": charge,
            "status": dice.of(&["needs_response", "won", "lost"]),
            "balance_transactions": [settled(&format!("dp_{at}"))]}),
        ),
        6 => event(
            n,
            "payout.paid",
            &json!({"id": format!("po_{at}"), "object": "payout", "amount": amount,
            "currency": currency, "created": created, "status": dice.of(&["paid", "failed"]),
            "balance_transaction": settled(&format!("po_{at}"))}),
        ),
        _ => event(
            n,
            "charge.refunded",
            &json!({"id": charge, "object": "charge", "amount": amount, "captured": true,
            "status": "succeeded", "currency": currency, "created": created, "payment_intent": intent,
            "amount_refunded": 100 * (1 + dice.below(3)), "refunded": false}),
        ),
    }
}

/// Rows of the other side, which name these things by whichever keys.
pub(crate) fn table(dice: &mut Dice, rows: u64) -> String {
    let mut text = "id,payment_intent,charge,session,reference,amount,currency,status,amount_refunded,disputed_amount,fee,\
                    created,livemode,payout,category\n"
        .to_owned();
    for _ in 0..rows {
        let at = dice.below(14);
        let mut some = |text: String| if dice.below(3) == 0 { String::new() } else { text };
        let keys = [format!("pi_{at}"), format!("ch_{at}"), format!("cs_{at}")].map(&mut some);
        let numbers = ["0", "100", ""].map(|one| some(one.to_owned()));
        let id = match dice.below(8) {
            0 => format!("re_{at}_{}", dice.below(3)),
            1 => format!("dp_{at}"),
            2 => format!("po_{at}"),
            _ => format!("{}_{at}", dice.of(&["ch", "pi", "cs", "row"])),
        };
        let category = dice.of(&["", "charge", "refund", "dispute", "payout", "other_thing"]);
        let status =
            dice.of(&["paid", "succeeded", "failed", "partially_refunded", "refunded", ""]);
        let [intent, charge, session] = keys;
        let [refunded, disputed, fee] = numbers;
        writeln!(
            text,
            "{id},{intent},{charge},{session},{},{},{},{status},{refunded},{disputed},{fee},{},{},{},{category}",
            dice.of(&["", "", "order"]),
            400 + 100 * dice.below(3),
            dice.of(&CURRENCIES),
            1_800_000_000 + dice.below(50),
            dice.of(&["false", "", "true"]),
            dice.of(&["", "po_1", "po_2"]),
        )
        .unwrap();
    }
    text
}

/// What both ways say: the same, to the byte.
fn both(env: &Env, url: &str, more: &[&str]) -> String {
    let command = [&["reconcile", "--ledger", url][..], more].concat();
    // A million rows take their time where everything else runs as well.
    let run = |command: &[&str]| Env::run_within(env.command(command), Duration::from_mins(15));
    let there = run(&command);
    let here = run(&[&command[..], &["--in-process"]].concat());
    assert_eq!(there.out, here.out, "{more:?}\n{}{}", there.err, here.err);
    assert_eq!(there.code, here.code, "{more:?}\n{}{}", there.err, here.err);
    assert!(there.code < 2, "{more:?}\n{}", there.err);
    there.out
}

#[test]
fn the_server_finds_what_is_found_here_whatever_the_rows_are() {
    let Some(cluster) = Cluster::start(&["log_statement = 'ddl'"]) else { return };
    let env = Env::new();
    let url = cluster.url();
    for seed in 0..rounds(6, 60) {
        let mut dice = Dice(u64::try_from(seed).unwrap().wrapping_mul(0x5DEE_CE66));
        cluster.sql("DROP SCHEMA IF EXISTS stripegym CASCADE");
        let events: Vec<String> = (0..120).map(|n| any_event(n, &mut dice)).collect();
        std::fs::write(env.path().join("events.jsonl"), events.join("\n")).unwrap();
        env.ok(&["ledger", "import", "events.jsonl", "--ledger", &url]);
        std::fs::write(env.path().join("theirs.csv"), table(&mut dice, 40)).unwrap();
        let (own, other) = (["--ours", "ledger"], ["--theirs", "csv:theirs.csv"]);
        let sides = [own, other].concat();
        let turned = ["--theirs", "ledger", "--ours", "csv:theirs.csv"];
        let all = both(&env, &url, &[&sides[..], &["--format", "jsonl"]].concat());
        assert!(all.lines().count() > 20, "{all}");
        for more in [
            &["--only-differences", "--format", "jsonl"][..],
            &["--format", "json", "--only-differences"],
            &["--format", "jsonl", "--only-differences", "--tolerance", "jpy=100"],
            &[
                "--format",
                "jsonl",
                "--since",
                "2027-01-15T08:00:10Z",
                "--until",
                "2027-01-15T08:00:40Z",
            ],
        ] {
            both(&env, &url, &[&sides[..], more].concat());
            both(&env, &url, &[&turned[..], more].concat());
        }
    }
    let made = cluster.log().matches("CREATE TEMP TABLE held").count();
    assert_eq!(made, rounds(6, 60) * 9, "each was joined on the server once");
}

/// A ledger of so many sessions with their fees, laid out by the program and filled by the server.
fn fill(env: &Env, cluster: &Cluster, rows: usize) {
    env.ok(&["ledger", "show", "--ledger", &cluster.url()]);
    cluster.sql(&format!(
        "INSERT INTO stripegym.ledger SELECT 'cs_' || n, 500 + n % 900 + (n % 1000 = 7)::int, 'jpy', \
         CASE WHEN n % 1000 = 8 THEN 'failed' ELSE 'paid' END, CASE WHEN n % 1000 = 8 THEN 'failed' ELSE 'paid' END, 0, \
         1700000000 + n, 1700000000 + n, CASE WHEN n % 10 = 3 THEN NULL ELSE 'pi_' || n END, 'evt_' || n \
         FROM generate_series(0, {rows} - 1) AS n WHERE n % 10000 <> 1"
    ));
    for (subject, object, what, amount) in [
        ("'pi_' || n", "'ch_' || n", "captured", "500 + n % 900"),
        ("'ch_' || n", "'txn_' || n", "settled", "500 + n % 900"),
        ("'txn_' || n", "'txn_' || n", "fee", "36 + (n % 1000 = 9)::int"),
    ] {
        cluster.sql(&format!(
            "INSERT INTO stripegym.facts SELECT {subject}, {object}, 'charge', '{what}', {amount}, 'jpy', '', \
             1700000000 + n, 1 FROM generate_series(0, {rows} - 1) AS n WHERE n % 2 = 1 \
             AND n % 10 <> 3 AND n % 10000 <> 1"
        ));
    }
    cluster.sql("ANALYZE stripegym.facts; ANALYZE stripegym.ledger");
}

#[test]
fn a_million_rows_are_joined_on_the_server_as_they_are_here() {
    let Some(cluster) = Cluster::start(&["fsync = off"]) else { return };
    let env = Env::new();
    let rows = rounds(30_000, 1_000_000);
    fill(&env, &cluster, rows);
    let mut text =
        "id,payment_intent,session,amount,currency,status,amount_refunded,fee,created\n".to_owned();
    for n in (0..rows).filter(|n| n % 10_000 != 2) {
        let amount = 500 + n % 900;
        writeln!(text, "ch_{n},pi_{n},cs_{n},{amount},jpy,succeeded,0,36,{}", 1_700_000_000 + n)
            .unwrap();
    }
    std::fs::write(env.path().join("theirs.csv"), text).unwrap();
    let sides = [
        "--ours",
        "ledger",
        "--theirs",
        "csv:theirs.csv",
        "--only-differences",
        "--format",
        "jsonl",
    ];
    let found = both(&env, &cluster.url(), &sides);
    let last: Value = serde_json::from_str(found.lines().last().unwrap()).unwrap();
    let count = |name: &str| last["summary"]["counts"][name].as_u64().unwrap_or(0);
    let thousands = u64::try_from(rows / 1_000).unwrap();
    assert_eq!(count("AMOUNT"), thousands, "{last}");
    assert_eq!(count("STATUS"), thousands, "{last}");
    assert_eq!(count("FEE"), thousands, "{last}");
    assert_eq!(count("MISSING_IN_LEDGER"), thousands / 10, "{last}");
    assert_eq!(count("MISSING_AT_PROVIDER"), thousands / 10, "{last}");
}

#[test]
fn whoever_may_make_no_tables_compares_here() {
    let Some(cluster) = Cluster::start(&["log_statement = 'ddl'"]) else { return };
    let env = Env::new();
    fill(&env, &cluster, 50);
    cluster.sql(
        "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA stripegym TO reader; \
         GRANT SELECT ON ALL TABLES IN SCHEMA stripegym TO reader; REVOKE TEMP ON DATABASE postgres FROM PUBLIC",
    );
    std::fs::write(env.path().join("theirs.csv"), "id,session,amount,currency\nx,cs_3,503,jpy\n")
        .unwrap();
    let sides = ["--theirs", "csv:theirs.csv", "--format", "jsonl"];
    let url = cluster.url().replace("books@", "reader@");
    let of_reader = both(&env, &url, &sides);
    assert_eq!(of_reader, both(&env, &cluster.url(), &sides));
    // A text that PostgreSQL cannot keep is compared all the same.
    std::fs::write(env.path().join("theirs.csv"), "id,session,amount,currency\nx,cs_3\0,503,jpy\n")
        .unwrap();
    both(&env, &cluster.url(), &sides);
}
