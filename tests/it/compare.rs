//! Reconciliation of files and of whatever else is booked: sources, forms, exit codes, repair, explanation.

use crate::env::Env;
use serde_json::Value;
use std::fmt::Write as _;

/// Both sides of a small reconciliation, the second as Stripe's own report has it.
fn sides(env: &Env) -> [String; 2] {
    let mut ours =
        "session_id,payment_intent,amount,currency,status,amount_refunded,created\n".to_owned();
    let mut theirs =
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,PaymentIntent ID\n"
            .to_owned();
    for n in 0..60 {
        let amount = if n == 7 { 1_001 } else { 1_000 };
        if n != 8 {
            writeln!(ours, "cs_{n},pi_{n},{amount},usd,succeeded,0,1767225600").unwrap();
        }
        let back = if n == 9 { "2.50" } else { "0.00" };
        if n != 11 {
            writeln!(theirs, "ch_{n},2026-01-01 00:00:00,10.00,{back},usd,Paid,pi_{n}").unwrap();
        }
    }
    let write = |name: &str, text: &str| {
        let path = env.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("csv:{}", path.display())
    };
    [write("ours.csv", &ours), write("theirs.csv", &theirs)]
}

#[test]
fn two_files_are_compared_in_every_form_and_the_code_says_how_it_went() {
    let env = Env::new();
    let [ours, theirs] = sides(&env);
    let sides = ["--ours", &ours, "--theirs", &theirs];
    let run = |more: &[&str]| env.run(&[&["reconcile"][..], &sides, more].concat());
    let table = run(&["--only-differences"]);
    assert_eq!(table.code, 1, "{}{}", table.out, table.err);
    for verdict in
        ["AMOUNT 1", "MISSING_IN_LEDGER 1", "MISSING_AT_PROVIDER 1", "REFUND 1", "MATCH 56"]
    {
        assert!(table.out.contains(verdict), "{verdict}: {}", table.out);
    }
    let csv = run(&["--format", "csv"]);
    assert_eq!((csv.code, csv.out.lines().count()), (1, 61), "{}", csv.out);
    // The same again is the same, byte for byte.
    assert_eq!(csv.out, run(&["--format", "csv"]).out);
    let lines = run(&["--format", "jsonl", "--only-differences"]).out;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[4]["summary"]["counts"]["MATCH"]), (5, &Value::from(56)));
    assert!(run(&["--format", "junit"]).out.contains("tests=\"60\" failures=\"4\""));
    let page = env.path().join("page.html");
    run(&["--format", "html", "--output", page.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("MISSING_AT_PROVIDER"));
    let file = env.path().join("found.db");
    assert_eq!(run(&["--format", "sqlite", "--output", file.to_str().unwrap()]).code, 1);
    let found = rusqlite::Connection::open(&file).unwrap();
    let count = "SELECT COUNT(*) FROM findings WHERE verdict = 'MATCH'";
    assert_eq!(found.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 56);
    let same = env.run(&["reconcile", "--ours", &ours, "--theirs", &ours]);
    assert_eq!(same.code, 0, "{}", same.out);
    let told = env.run(&["reconcile", "explain", "pi_7", "--ours", &ours, "--theirs", &theirs]);
    assert!(told.out.contains("AMOUNT") && told.out.contains("payment_intent"), "{}", told.out);
    let gone = env.run(&["reconcile", "--ours", "csv:nowhere.csv", "--theirs", &theirs]);
    assert_eq!(gone.code, 3, "{}", gone.err);
    std::fs::write(env.path().join("odd.csv"), "id,amount,currency\nch_1,5.00,usd\n").unwrap();
    let odd = format!("csv:{}", env.path().join("odd.csv").display());
    let odd = env.run(&["reconcile", "--ours", &odd, "--theirs", &theirs]);
    assert!(odd.code == 3 && odd.err.contains("line 2"), "{}{}", odd.code, odd.err);
    assert_eq!(env.run(&["reconcile", "--ours", "xlsx:a"]).code, 2);
}

#[test]
fn payments_without_a_session_are_compared_and_replayed_only_when_somebody_says_so() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let paid = sandbox.api.make(
        "/v1/payment_intents",
        &[
            ("amount", "700"),
            ("currency", "jpy"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"),
            ("automatic_payment_methods[allow_redirects]", "never"),
        ],
    );
    let id = paid["id"].as_str().unwrap();
    sandbox.api.make("/v1/refunds", &[("payment_intent", id), ("amount", "200")]);
    let found = env.run(&["reconcile"]);
    assert!(
        found.code == 1 && found.out.contains("MISSING_IN_LEDGER"),
        "{}{}",
        found.out,
        found.err
    );
    let planned = env.run(&["reconcile", "--fix"]);
    assert!(planned.code == 1 && planned.out.contains("--fix --yes"), "{}", planned.out);
    assert_eq!(env.run(&["reconcile"]).code, 1);
    let fixed = env.run(&["reconcile", "--fix", "--yes"]);
    assert_eq!(fixed.code, 0, "{}{}", fixed.out, fixed.err);
    assert_eq!(env.run(&["reconcile"]).code, 0);
    // Asked again, there is nothing to do, and every row stands as it was written.
    assert_eq!(env.run(&["reconcile", "--fix", "--yes"]).code, 0);
    env.ok(&["ledger", "verify"]);
    let told = env.ok(&["reconcile", "explain", id]);
    assert!(told.contains("stripegym.seen") && told.contains("MATCH"), "{told}");
}

#[test]
fn what_happened_while_nobody_listened_is_caught_up_with_and_twice_changes_nothing() {
    let env = Env::new();
    let _sandbox = env.sandbox(&[]);
    env.ok(&["checkout", "--amount", "500", "--currency", "jpy", "--pay", "4242424242424242"]);
    assert_eq!(env.run(&["reconcile"]).code, 1);
    let first: Value = serde_json::from_str(&env.ok(&["catch-up", "--json"])).unwrap();
    // What the payment moved on the balance is all that is read beside events.
    assert!(first["fresh"].as_u64().unwrap() > 0 && first["objects"] == 1, "{first}");
    env.ok(&["reconcile"]);
    let again: Value = serde_json::from_str(&env.ok(&["catch-up", "--json"])).unwrap();
    assert_eq!(again["fresh"], 0, "{again}");
    // From before the provider's events its objects tell.
    let other = Env::new();
    let other_home = other.path().join("elsewhere");
    let home = other_home.to_str().unwrap();
    let long_ago: Value =
        serde_json::from_str(&env.ok(&["catch-up", "--json", "--since", "60d"])).unwrap();
    assert_eq!(long_ago["fresh"], 0, "{long_ago}");
    let lines = env.path().join("events.jsonl");
    let list: Value = serde_json::from_str(&env.ok(&["events", "list", "--json"])).unwrap();
    let rows = list["events"].as_array().or(list.as_array()).unwrap();
    let id = rows[0]["id"].as_str().unwrap();
    let event: Value = serde_json::from_str(&env.ok(&["events", "show", id])).unwrap();
    std::fs::write(&lines, format!("{event}\n")).unwrap();
    env.ok(&["--home", home, "ledger", "import", lines.to_str().unwrap()]);
    env.ok(&["--home", home, "ledger", "verify"]);
}

#[test]
fn a_payout_is_held_against_its_items_as_the_provider_lists_them() {
    let env = Env::new();
    // As Stripe's report of itemized payouts has it: two sales and a refund of each payout.
    let mut items = "payout_id,payout_expected_arrival_date,balance_transaction_id,created_utc,\
        available_on_utc,reporting_category,currency,gross,fee,net,charge_id,payment_intent_id\n"
        .to_owned();
    let mut payouts = "id,amount,currency,status,created\n".to_owned();
    for n in 0..3 {
        for (part, kind, gross, fee, net) in [
            (1, "charge", "10.00", "0.59", "9.41"),
            (2, "charge", "20.00", "0.88", "19.12"),
            (3, "refund", "-10.00", "0.00", "-10.00"),
        ] {
            let day = "2026-01-05 00:00:00";
            writeln!(items, "po_{n},{day},txn_{n}{part},{day},{day},{kind},usd,{gross},{fee},{net},ch_{n}{part},pi_{n}{part}").unwrap();
        }
        // What the bank got; of the last one a dollar more than it is made of.
        let sent = if n == 2 { 1_953 } else { 1_853 };
        writeln!(
            items,
            "po_{n},,txn_{n},,,payout,usd,-{}.{:02},0.00,-{}.{:02},,",
            sent / 100,
            sent % 100,
            sent / 100,
            sent % 100
        )
        .unwrap();
        writeln!(payouts, "po_{n},{sent},usd,paid,1767571200").unwrap();
    }
    std::fs::write(env.path().join("items.csv"), items).unwrap();
    std::fs::write(env.path().join("payouts.csv"), payouts).unwrap();
    let sides = ["reconcile", "--ours", "csv:payouts.csv", "--theirs", "csv:items.csv"];
    let found = env.run(&[&sides[..], &["--format", "jsonl", "--only-differences"]].concat());
    let rows: Vec<Value> = found.out.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let left: Vec<&Value> =
        rows.iter().filter(|row| row["verdict"] == "PAYOUT_REMAINDER").collect();
    assert_eq!((left.len(), &left[0]["session"]), (1, &Value::from("po_2")), "{}", found.out);
    assert_eq!(left[0]["difference"], 100, "{}", found.out);
    let counts = &rows.last().unwrap()["summary"]["counts"];
    assert_eq!(counts["MATCH"], 3, "{}", found.out);
}

#[test]
fn columns_are_named_and_a_tolerance_is_given_where_somebody_says_so() {
    let env = Env::new();
    std::fs::write(env.path().join("a.csv"), "Ref;Betrag\npi_1;5,00\npi_2;7.00\n").unwrap();
    std::fs::write(env.path().join("b.csv"), "id,amount,currency\npi_1,500,eur\npi_2,702,eur\n")
        .unwrap();
    let sides = ["reconcile", "--ours", "csv:a.csv", "--theirs", "csv:b.csv"];
    let map = [
        "--map",
        "ours.id=Ref",
        "--map",
        "ours.amount=Betrag",
        "--map",
        "ours.units=major",
        "--map",
        "ours.currency=eur",
    ];
    let run = |more: &[&str]| env.run(&[&sides[..], more].concat());
    assert_eq!(run(&[]).code, 3, "a column that nobody named");
    // A comma is one between thousands: five hundred euros.
    let found = run(&map);
    assert!(found.code == 1 && found.out.contains("AMOUNT 2"), "{}{}", found.out, found.err);
    std::fs::write(env.path().join("a.csv"), "Ref;Betrag\npi_1;5.00\npi_2;7.00\n").unwrap();
    let found = run(&map);
    assert!(found.out.contains("AMOUNT 1") && found.out.contains("MATCH 1"), "{}", found.out);
    assert_eq!(run(&[&map[..], &["--tolerance", "eur=1"]].concat()).code, 1);
    assert_eq!(run(&[&map[..], &["--tolerance", "eur=2"]].concat()).code, 0);
    assert_eq!(run(&[&map[..], &["--tolerance", "jpy=2"]].concat()).code, 1);
    assert_eq!(run(&["--map", "ours.colour=red"]).code, 2);
}

#[test]
fn nothing_is_missed_that_is_still_on_its_way() {
    let env = Env::new();
    let _sandbox = env.sandbox(&[]);
    let (_listener, _) = crate::shop::listen(&env);
    let checkout =
        ["checkout", "--amount", "500", "--currency", "jpy", "--pay", "4242424242424242"];
    for _ in 0..5 {
        // One straight after the other, as `checkout && reconcile`.
        env.ok(&checkout);
        let found = env.run(&["reconcile"]);
        assert_eq!(found.code, 0, "{}{}", found.out, found.err);
    }
}

/// Both sides of a comparison as files: one row in a thousand differs, and each has one that the other lacks.
#[cfg(target_os = "linux")]
fn long_sides(env: &Env, rows: std::ops::Range<usize>) {
    use std::io::Write as _;
    for (name, own) in [("ours.csv", true), ("theirs.csv", false)] {
        let path = env.path().join(name);
        let new = !path.exists();
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        let mut text = String::new();
        if new {
            text.push_str(
                "id,payment_intent,amount,currency,status,amount_refunded,created,payout\n",
            );
        }
        for n in rows.clone().filter(|n| n % 10_000 != if own { 1 } else { 2 }) {
            let scattered = n.wrapping_mul(0x9E37_79B9) % 1_000_003;
            let amount = 500 + n % 900 + usize::from(own && n % 1_000 == 7);
            writeln!(
                text,
                "ch_{scattered:020},pi_{scattered:020},{amount},jpy,succeeded,0,{},po_{}",
                1_700_000_000 + n,
                n % 50
            )
            .unwrap();
        }
        file.write_all(text.as_bytes()).unwrap();
    }
}

#[cfg(target_os = "linux")]
const FILES: [&str; 8] = [
    "reconcile",
    "--ours",
    "csv:ours.csv",
    "--theirs",
    "csv:theirs.csv",
    "--only-differences",
    "--format",
    "jsonl",
];

#[cfg(target_os = "linux")]
#[test]
fn rows_of_any_number_are_compared_in_bounded_memory() {
    let env = Env::new();
    let rows = crate::env::rounds(60_000, 1_000_000);
    long_sides(&env, 0..rows);
    let most = crate::env::memory(env.command(&FILES));
    assert!((1_000..40 * 1024).contains(&most), "{most} kB for {rows} rows");
}

#[cfg(target_os = "linux")]
#[test]
fn an_incremental_comparison_says_what_a_whole_one_says() {
    let env = Env::new();
    let incremental: Vec<&str> = FILES.iter().copied().chain(["--incremental"]).collect();
    long_sides(&env, 0..3_000);
    let first = env.run(&incremental);
    assert_eq!(first.code, 1, "{}", first.err);
    for n in 0..3 {
        long_sides(&env, 3_000 + n * 1_500..3_000 + (n + 1) * 1_500);
        let (whole, again) = (env.run(&FILES), env.run(&incremental));
        assert_eq!((again.code, &again.out), (whole.code, &whole.out));
        assert_ne!(again.out, first.out);
    }
    // A file that was changed before its end is compared from its beginning.
    let path = env.path().join("theirs.csv");
    let text = std::fs::read_to_string(&path).unwrap().replacen(",jpy,", ",usd,", 1);
    std::fs::write(&path, text).unwrap();
    let (whole, again) = (env.run(&FILES), env.run(&incremental));
    assert_eq!((again.code, &again.out), (whole.code, &whole.out));
    assert!(again.out.contains("CURRENCY"), "{}", again.out);
}

/// A direct payment by a card of the sandbox, whatever becomes of it.
#[cfg(target_os = "linux")]
fn pay(api: &crate::http::Api, card: &str) -> Value {
    let form = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("payment_method", card),
        ("confirm", "true"),
        ("automatic_payment_methods[enabled]", "true"),
        ("automatic_payment_methods[allow_redirects]", "never"),
    ];
    api.post("/v1/payment_intents", &form).json()
}

#[cfg(target_os = "linux")]
#[test]
fn an_incremental_comparison_of_ledger_and_provider_says_what_a_whole_one_says() {
    use std::os::unix::fs::MetadataExt as _;
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let api = &sandbox.api;
    let whole = ["reconcile", "--only-differences", "--format", "jsonl"];
    let incremental: Vec<&str> = whole.iter().copied().chain(["--incremental"]).collect();
    // What is compared as a whole is kept in a new file.
    let kept = || {
        let mut all =
            std::fs::read_dir(env.path().join(".stripegym")).unwrap().filter_map(Result::ok);
        let file =
            all.find(|it| it.file_name().to_string_lossy().starts_with("compared-")).unwrap();
        file.metadata().unwrap().ino()
    };
    let both = |what: &str| {
        let (whole, again) = (env.run(&whole), env.run(&incremental));
        assert_eq!((again.code, &again.out), (whole.code, &whole.out), "{what}: {}", again.err);
        again.out
    };
    let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
    let sold = id(&pay(api, "pm_card_visa"));
    both("a payment");
    let file = kept();
    let found = both("nothing since");
    assert!(found.contains("\"MISSING_IN_LEDGER\":1"), "{found}");
    env.ok(&["catch-up"]);
    let clean = both("caught up");
    assert!(clean.contains("\"ok\":true"), "{clean}");
    api.make("/v1/refunds", &[("payment_intent", &sold), ("amount", "300")]);
    assert!(both("a refund of what is known").contains("\"REFUND\":1"));
    let failing = id(&pay(api, "pm_card_refundFail"));
    api.make("/v1/refunds", &[("payment_intent", &failing)]);
    pay(api, "pm_card_chargeDeclined");
    let disputed = id(&pay(api, "pm_card_createDispute"));
    pay(api, "pm_card_bypassPending");
    api.make("/v1/payouts", &[("amount", "300"), ("currency", "usd")]);
    env.run(&["checkout", "--amount", "500", "--currency", "jpy", "--pay", "4000000000000002"]);
    both("whatever else moves money");
    env.ok(&["catch-up"]);
    both("caught up again");
    env.ok(&["checkout", "--amount", "700", "--currency", "jpy", "--pay", "4242424242424242"]);
    let list = api.read(&format!("/v1/disputes?payment_intent={disputed}"));
    let path = format!("/v1/disputes/{}", id(&list["data"][0]));
    api.make(&path, &[("evidence[uncategorized_text]", "winning_evidence")]);
    env.ok(&["clock", "advance", "2d"]);
    crate::env::eventually("the refund came back", || {
        let refunds = api.read(&format!("/v1/refunds?payment_intent={failing}"));
        (refunds["data"][0]["status"] == "failed").then_some(())
    });
    both("what changed by itself");
    env.ok(&["catch-up"]);
    let last = both("caught up to the end");
    assert!(last.lines().last().unwrap().contains("\"ok\":true"), "{last}");
    assert_eq!(kept(), file, "only what was new was compared");
    // A ledger that is another one is read from its beginning.
    std::fs::remove_file(env.path().join(".stripegym/ledger.db")).unwrap();
    both("another ledger");
    assert_ne!(kept(), file);
}
