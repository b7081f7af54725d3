//! A ledger on two servers: whatever is about one payment is on one of them, and one that is away keeps nobody waiting but
//! those whose events belong there.

use crate::cluster::Cluster;
use crate::cut_off::under_load;
use crate::engines::deliver_on;
use crate::env::{Env, Ran, eventually, rounds};
use crate::http;
use crate::joined::{Dice, any_event, table};
use crate::moving::refusal;
use crate::shop::{SECRET, completed, deliver, listen_with};
use crate::shopper::Shop;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::rc::Rc;

const COUNT: &str = "SELECT count(*) FROM stripegym.events";

struct Pair {
    env: Env,
    first: Cluster,
    second: Cluster,
}

impl Pair {
    fn start() -> Option<Self> {
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
        Some(Self { env, first: Cluster::start(&[])?, second: Cluster::start(&[])? })
    }

    fn url(&self) -> String {
        [self.first.url(), self.second.url()].join(";")
    }

    /// What a statement says of both, one after the other.
    fn both(&self, sql: &str) -> Vec<String> {
        let said = [self.first.sql(sql), self.second.sql(sql)];
        said.iter().flat_map(|it| it.lines().map(str::to_owned)).collect()
    }

    /// Every event that was acknowledged is on one of them, once, and all rows are as they were written.
    fn nothing_is_lost(&self, taken: &[String]) {
        let there = self.both("SELECT id FROM stripegym.events");
        let once: BTreeSet<&String> = there.iter().collect();
        assert_eq!(once.len(), there.len(), "an event is on both");
        for id in taken {
            assert!(once.contains(id), "{id} was acknowledged and is not there");
        }
        self.env.ok(&["ledger", "verify", "--ledger", &self.url()]);
    }
}

#[test]
fn one_server_away_puts_off_its_own_events_alone() {
    let Some(pair) = Pair::start() else { return };
    let _sandbox = pair.env.sandbox(&[]);
    let (_listener, port) = listen_with(&pair.env, &["--ledger", &pair.url()]);
    let (mut taken, refused) = deliver_on(port, 0..30);
    assert_eq!(refused, []);
    let of_second = pair.second.sql("SELECT id FROM stripegym.events");
    let of_second: BTreeSet<&str> = of_second.lines().collect();
    assert!((1..30).contains(&of_second.len()), "{of_second:?}");
    pair.second.kill();
    for n in 0..8 {
        // The same event again has the same server; what is there already is taken again.
        let (more, refused) = deliver_on(port, n..n + 1);
        let is_away = of_second.contains(format!("evt_{n}").as_str());
        assert_eq!(
            (more.len(), refused),
            if is_away { (0, vec![(503, true)]) } else { (1, vec![]) }
        );
    }
    let ready = http::send(port, "GET", "/readyz", &[], b"").unwrap().status;
    assert_eq!(ready, 200, "one of them takes what comes");
    // Who reads all of it is told which server is missing.
    let ran = pair.env.run(&["ledger", "show", "--ledger", &pair.url()]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    pair.second.up();
    eventually("it is taken again", || {
        let (more, refused) = deliver_on(port, 0..30);
        taken.extend(more);
        refused.is_empty().then_some(())
    });
    pair.nothing_is_lost(&taken);
    assert_eq!(pair.both(COUNT).iter().map(|it| it.parse::<u32>().unwrap()).sum::<u32>(), 30);
}

#[test]
fn a_server_of_two_that_comes_and_goes_under_load_loses_and_doubles_nothing() {
    let Some(pair) = Pair::start() else { return };
    let _sandbox = pair.env.sandbox(&[]);
    let (_one, first) = listen_with(&pair.env, &["--ledger", &pair.url()]);
    let (_other, second) = listen_with(&pair.env, &["--ledger", &pair.url()]);
    let taken = under_load(&[first, second], |nth| {
        let cluster = if nth == 1 { &pair.first } else { &pair.second };
        cluster.kill();
        cluster.up();
    });
    assert_eq!(taken.len(), 160);
    pair.nothing_is_lost(&taken);
    assert_eq!(pair.both("SELECT id FROM stripegym.events").len(), 160);
}

#[test]
fn servers_that_do_not_belong_together_are_refused_with_the_command_that_fits() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new();
    let [one, two, own, other, plain, beside] =
        ["one", "two", "own", "other", "plain", "beside"].map(|name| cluster.database(name));
    let on = |named: &[&str]| env.run(&["ledger", "show", "--json", "--ledger", &named.join(";")]);
    let event: Value = serde_json::from_slice(&completed("evt_1", "cs_1", 500)).unwrap();
    std::fs::write(env.path().join("events.jsonl"), event.to_string()).unwrap();
    let import = |named: &[&str]| {
        env.ok(&["ledger", "import", "events.jsonl", "--ledger", &named.join(";")]);
    };
    import(&[&own]);
    import(&[&one, &two]);
    let fits = |ran: &Ran, command: &str| {
        assert_eq!(ran.code, 3, "{}", ran.err);
        let said = ran.err.replace("\n  ", "").replace('\n', " ");
        assert!(said.contains(command) || ran.err.contains(command), "{command}: {}", ran.err);
    };
    // In the other order, one alone, one that is new, one that has a ledger of its own, and one twice.
    let right = format!("stripegym ledger show --ledger '{one};{two}'");
    fits(&on(&[&two, &one]), &right);
    assert_eq!(on(&[&one, &two]).code, 0);
    fits(&on(&[&two]), &format!("postgres://USER@SERVER1/DATABASE;{two}"));
    fits(&on(&[&one, &two, &other]), &right);
    fits(&on(&[&one, &other]), &other);
    let migrate =
        format!("ledger migrate --from '{own}' --to 'postgres://USER@NEW/DATABASE;{other}'");
    fits(&on(&[&own, &other]), &migrate);
    fits(&on(&[&other, &other]), "same server");
    assert_eq!(on(&[&own]).code, 0, "what was refused is as it was");
    // A user who may not read one server from the other can write, and is told what is missing.
    cluster.sql("CREATE ROLE plain LOGIN; GRANT CREATE ON DATABASE plain, beside TO plain");
    let of_plain = [&plain, &beside].map(|it| it.replace("books@", "plain@"));
    let of_plain: Vec<&str> = of_plain.iter().map(String::as_str).collect();
    fits(&on(&of_plain), "CREATE EXTENSION IF NOT EXISTS postgres_fdw");
    import(&of_plain);
    // Two that have something of their own take nothing over, and two journals are no file's.
    env.ok(&["ledger", "show"]);
    let both = [one.as_str(), &two].join(";");
    let ran =
        env.run(&["ledger", "migrate", "--from", "sqlite:.stripegym/ledger.db", "--to", &both]);
    fits(&ran, "stripegym ledger import");
    let ran =
        env.run(&["ledger", "export", "--format", "sqlite", "--output", "x.db", "--ledger", &both]);
    fits(&ran, "stripegym ledger export --format csv");
    assert!(!env.path().join("x.db").exists());
    // A row that stands on two of them is named.
    let has = |database: &str| cluster.sql_in(database, COUNT) == "1";
    let has_not = if has("one") { "two" } else { "one" };
    assert!(!has(has_not));
    cluster.sql_in(
        has_not,
        "INSERT INTO stripegym.facts VALUES ('pi_cs_1', 'cs_1', 'checkout.session', 'paid', 500, 'jpy', '', 1, 1)",
    );
    let ran = env.run(&["ledger", "verify", "--json", "--ledger", &both]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let rows = serde_json::from_str::<Value>(&ran.out).unwrap()["rows"].clone();
    let divided = json!({"table": "facts", "row": "pi_cs_1", "deviation": "divided"});
    assert!(rows.as_array().unwrap().contains(&divided), "{rows}");
}

#[test]
fn two_servers_compare_as_one_does_whatever_the_rows_are() {
    let Some(cluster) = Cluster::start(&["log_statement = 'ddl'"]) else { return };
    let env = Env::new();
    let url = cluster.url();
    let all = rounds(2, 20);
    for seed in 0..all {
        let mut dice = Dice(u64::try_from(seed).unwrap().wrapping_mul(0x5DEE_CE66));
        cluster.sql("DROP SCHEMA IF EXISTS stripegym CASCADE");
        let pair = ["one", "two"].map(|name| cluster.database(&format!("{name}{seed}"))).join(";");
        // A payment does not lose its name: what names none is about none.
        let named = |event: &String| !event.contains("\"payment_intent\":null");
        let events: Vec<String> = (0..160).map(|n| any_event(n, &mut dice)).filter(named).collect();
        std::fs::write(env.path().join("events.jsonl"), events.join("\n")).unwrap();
        std::fs::write(env.path().join("theirs.csv"), table(&mut dice, 40)).unwrap();
        for url in [&url, &pair] {
            env.ok(&["ledger", "import", "events.jsonl", "--ledger", url]);
            env.ok(&["ledger", "verify", "--ledger", url]);
        }
        for more in [&[][..], &["--in-process"], &["--only-differences"]] {
            let sides = ["reconcile", "--ours", "ledger", "--theirs", "csv:theirs.csv"];
            let command = [&sides[..], &["--format", "jsonl"], more].concat();
            let said = [&url, &pair].map(|url| {
                let ran = env.run(&[&command[..], &["--ledger", url]].concat());
                assert!(ran.code < 2, "{}", ran.err);
                (ran.code, ran.out.replace(url.as_str(), "LEDGER"))
            });
            assert!(said[0].1.lines().count() > 5, "{}", said[0].1);
            assert_eq!(said[0], said[1], "{more:?}");
        }
        let explained = ["reconcile", "explain", "pi_3", "--theirs", "csv:theirs.csv", "--json"];
        let of_one = env.run(&[&explained[..], &["--ledger", &url]].concat());
        let of_pair = env.run(&[&explained[..], &["--ledger", &pair]].concat());
        assert_eq!(of_one.code, of_pair.code, "{}{}", of_one.err, of_pair.err);
    }
    let made = cluster.log().matches("CREATE TEMP TABLE held").count();
    assert!(made >= all * 4, "{made}: each was joined on a server");
}

#[test]
fn a_ledger_that_was_carried_over_is_the_same_and_another_is_refused() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let url = cluster.url();
    let (_listener, port) = listen_with(&env, &["--ledger", &url]);
    assert_eq!(deliver_on(port, 0..20).0.len(), 20);
    let pair = [cluster.database("one"), cluster.database("two")].join(";");
    let migrate = ["ledger", "migrate", "--from", &url, "--to", &pair, "--json"];
    env.ok(&migrate);
    // Done again, it goes on with what came meanwhile.
    assert_eq!(deliver_on(port, 20..30).0.len(), 10);
    env.ok(&migrate);
    let show = |url: &str| env.ok(&["ledger", "show", "--format", "csv", "--ledger", url]);
    assert_eq!(show(&url), show(&pair));
    // What was there is known on whichever server it is.
    let (_beside, beside) = listen_with(&env, &["--ledger", &pair]);
    assert_eq!(deliver(beside, &completed("evt_3", "cs_3", 500)).unwrap().status, 200);
    assert_eq!(show(&pair).lines().count(), 31);
    assert_eq!(deliver_on(beside, 25..35).0.len(), 10);
    assert_eq!(show(&pair).lines().count(), 36);
    // It has something of its own now: what it lacks is taken in, and nothing is taken over.
    assert_eq!(deliver_on(port, 40..50).0.len(), 10);
    let refused = env.run(&migrate);
    assert_eq!(refusal(&refused), "ledger_there");
    let next = format!("stripegym ledger import '{url}' --ledger '{pair}'");
    let said = format!("{}{}", refused.out, refused.err);
    assert!(said.contains(&next), "{said}");
    env.ok(&["ledger", "import", &url, "--ledger", &pair]);
    assert_eq!(show(&pair).lines().count(), 46);
}

#[test]
fn a_line_that_belongs_to_no_server_is_named_before_anything_is_carried() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new();
    let of_payment = json!({"id": "txn_1", "object": "balance_transaction", "amount": 500, "currency": "jpy",
        "created": 7, "fee": 18, "net": 482, "type": "charge", "source": "ch_1"});
    let event: Value = serde_json::from_slice(&completed("evt_1", "cs_1", 500)).unwrap();
    std::fs::write(env.path().join("seen.jsonl"), format!("{event}\n{of_payment}\n")).unwrap();
    let (one, pair) = (cluster.url(), [cluster.database("one"), cluster.database("two")].join(";"));
    env.ok(&["ledger", "import", "seen.jsonl", "--ledger", &one]);
    let refused = env.run(&["ledger", "migrate", "--from", &one, "--to", &pair, "--json"]);
    assert_eq!(refusal(&refused), "ledger_servers");
    let said = format!("{}{}", refused.out, refused.err);
    assert!(said.contains("txn_1") && said.contains("expand[]=data.source"), "{said}");
    let has_none =
        |name: &&str| cluster.sql_in(name, "SELECT to_regclass('stripegym.events') IS NULL");
    assert_eq!(["one", "two"].each_ref().map(has_none), ["t", "t"], "nothing is made there");
    let lines = |name: &str| cluster.sql_in(name, "SELECT count(*) FROM stripegym.events");
    let taken = env.run(&["ledger", "import", &one, "--ledger", &pair, "--json"]);
    assert!(taken.out.contains("unreadable"), "{}", taken.out);
    let there = [lines("one"), lines("two")];
    assert!(there == ["1", "0"] || there == ["0", "1"], "{there:?} {}", taken.err);
    // Where the same ledger knows the charge, it is known where it belongs: beside its payment.
    let charge = json!({"id": "ch_1", "object": "charge", "amount": 500, "currency": "jpy", "captured": true,
        "status": "succeeded", "created": 6, "payment_intent": "pi_of_ch_1"});
    std::fs::write(env.path().join("seen.jsonl"), format!("{charge}\n")).unwrap();
    env.ok(&["ledger", "import", "seen.jsonl", "--ledger", &one]);
    let next = [cluster.database("next_1"), cluster.database("next_2")].join(";");
    env.ok(&["ledger", "migrate", "--from", &one, "--to", &next]);
    let beside = ["next_1", "next_2"].map(|name| {
        cluster.sql_in(
            name,
            "SELECT count(*) FROM stripegym.facts WHERE subject IN ('txn_1', 'pi_of_ch_1')",
        )
    });
    assert!(beside.contains(&"0".to_owned()) && beside != ["0", "0"], "{beside:?}");
}

#[test]
fn a_ledger_that_is_not_there_is_not_made_and_no_password_is_told() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new();
    let (empty, url) = (cluster.database("empty"), cluster.url());
    for command in [
        &["ledger", "import", &empty, "--ledger", &url, "--json"][..],
        &["ledger", "migrate", "--from", &empty, "--to", &url, "--json"],
    ] {
        let refused = env.run(command);
        assert_eq!(refusal(&refused), "ledger_servers");
        assert!(
            refused.out.contains("/empty") || refused.err.contains("/empty"),
            "{}",
            refused.err
        );
    }
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'stripegym%'";
    assert_eq!(cluster.sql_in("empty", made), "0");
    let mistyped = "postgres://u:hunter2@a/d; postgres://u:hunter2@b/d";
    for command in [
        ["ledger", "import", mistyped, "--ledger", &url, "--json", "--quiet"],
        ["ledger", "migrate", "--from", mistyped, "--to", &url, "--json"],
    ] {
        let refused = env.run(&command);
        assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
        assert!(!format!("{}{}", refused.out, refused.err).contains("hunter2"), "{}", refused.err);
    }
}

#[test]
fn an_incremental_comparison_of_a_divided_ledger_says_what_a_whole_one_says() {
    use std::os::unix::fs::MetadataExt as _;
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = Env::new();
    let pair = [cluster.database("one"), cluster.database("two")].join(";");
    let mut dice = Dice(77);
    std::fs::write(env.path().join("theirs.csv"), table(&mut dice, 40)).unwrap();
    let sides = ["reconcile", "--ours", "ledger", "--theirs", "csv:theirs.csv"];
    let whole =
        [&sides[..], &["--only-differences", "--format", "jsonl", "--ledger", &pair]].concat();
    let incremental = [&whole[..], &["--incremental"]].concat();
    // What is compared as a whole is kept in a new file.
    let kept = || {
        let all = std::fs::read_dir(env.path().join(".stripegym")).unwrap().filter_map(Result::ok);
        let mut all = all.filter(|it| it.file_name().to_string_lossy().starts_with("compared-"));
        all.next().unwrap().metadata().unwrap().ino()
    };
    let mut file = None;
    for round in 0..rounds(4, 40) {
        let from = round * 20;
        let named = |event: &String| !event.contains("\"payment_intent\":null");
        let events: Vec<String> =
            (from..from + 20).map(|n| any_event(n, &mut dice)).filter(named).collect();
        std::fs::write(env.path().join("events.jsonl"), events.join("\n")).unwrap();
        env.ok(&["ledger", "import", "events.jsonl", "--ledger", &pair]);
        let (all, again) = (env.run(&whole), env.run(&incremental));
        assert_eq!((again.code, &again.out), (all.code, &all.out), "{round}: {}", again.err);
        let is = kept();
        assert_eq!(*file.get_or_insert(is), is, "{round}: only what is new was compared");
    }
}

#[test]
fn a_shop_follows_what_each_of_two_servers_has_heard() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = Rc::new(cluster);
    let pair = [server.url(), server.database("beside")].join(";");
    let mut shop = Shop::on_line(&server, &pair);
    let mut ann = shop.shopper("ann");
    let price = shop.price("shop_credits_small");
    let sessions: Vec<String> = (0..6).map(|_| ann.begin(&price)).collect();
    shop.program.interrupt();
    for session in &sessions {
        shop.pay(session);
    }
    // Nobody tells it: the events come into the journals, and it goes through both.
    shop.env.ok(&["catch-up", "--ledger", &pair]);
    let _again = shop.env.start(&["shop", "--port", "0", "--ledger", &pair]);
    shop.has(600, 6);
    let followed = server.sql("SELECT count(*) FROM stripegym_shop.reached WHERE line > 0");
    assert_eq!(followed, "2");
    shop.env.ok(&["ledger", "verify", "--ledger", &pair]);
}

#[test]
fn what_is_looked_for_by_its_number_is_found_by_an_index_on_two_servers() {
    let plans = ["session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0"];
    let Some(cluster) = Cluster::start(&plans) else { return };
    let env = Env::new();
    let pair = [cluster.database("one"), cluster.database("two")].join(";");
    let mut dice = Dice(5);
    let named = |event: &String| !event.contains("\"payment_intent\":null");
    let mut events: Vec<String> = (0..60).map(|n| any_event(n, &mut dice)).filter(named).collect();
    let one: Value = serde_json::from_slice(&completed("evt_of_0", "cs_of_0", 500)).unwrap();
    let one = one.to_string();
    events.extend((0..3_000).map(|n| one.replace("of_0\"", &format!("of_{n}\""))));
    std::fs::write(env.path().join("events.jsonl"), events.join("\n")).unwrap();
    env.ok(&["ledger", "import", "events.jsonl", "--ledger", &pair]);
    for name in ["one", "two"] {
        cluster.sql_in(name, "ANALYZE");
    }
    let scanned = |command: &[&str]| {
        let before = cluster.log().len();
        env.ok(&[command, &["--ledger", &pair]].concat());
        let log = cluster.log().split_off(before);
        // Whether a server is empty is asked whenever its ledger is opened, of one row; what is only planned reads none.
        let asked = |it: &&str| {
            !it.contains("NOT EXISTS (SELECT 1 FROM stripegym.events)")
                && !it.trim_start().starts_with("EXPLAIN")
        };
        let plans: Vec<&str> = log.split("Query Text:").filter(asked).collect();
        let of = |table: &str| {
            let scan = format!("Seq Scan on {table}");
            let found = plans.iter().find(|it| it.replace("stripegym.", "").contains(&scan));
            found.map(|plan| (*plan).to_owned())
        };
        [of("events"), of("postings")]
    };
    assert!(scanned(&["ledger", "balance"])[1].is_some(), "all of it is wanted");
    assert_eq!(scanned(&["ledger", "journal", "--object", "pi_cs_of_7"]), [None, None]);
    assert_eq!(scanned(&["ledger", "show", "--limit", "5", "--json"]), [None, None]);
}
