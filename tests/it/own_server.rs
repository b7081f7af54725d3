//! The learner's own server before the course: started, heard, restarted and stopped by it, or known by its
//! address; with its ledger in whatever form it has.

use crate::env::{Env, Ran, eventually};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;

/// A world in which no setting decides for the learner's server.
fn env() -> Env {
    Env::new().with("STRIPEGYM_SANDBOX_PORT", "0")
}

/// The command that starts the learner's server in these ways.
fn server(ways: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own_server.py");
    format!("exec python3 '{}' {ways}", script.display())
}

/// What a day came to: its last line of JSON.
fn result(ran: &Ran) -> Value {
    let last = ran.out.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn graded(env: &Env, day: &str, ways: &str, more: &[&str]) -> Value {
    let command = server(ways);
    let mut args = vec![day, "--exec", &command, "--json"];
    args.extend(more);
    result(&env.run(&args))
}

/// The checks of a result that stand like this.
fn those<'r>(result: &'r Value, state: &str) -> Vec<&'r str> {
    let checks = result["checks"].as_object().unwrap();
    checks.iter().filter(|(_, it)| *it == state).map(|(id, _)| id.as_str()).collect()
}

/// Whether a process is there.
fn lives(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success()
}

fn pid(env: &Env, file: &str) -> String {
    eventually("a process says its number", || {
        fs::read_to_string(env.path().join(file)).ok().filter(|text| !text.trim().is_empty())
    })
}

#[test]
fn a_command_that_does_not_start_a_server_is_an_environment_that_failed() {
    let env = env();
    for (command, parts) in [
        ("no-such-server --port 5", &["no such command", "no-such-server: not found"][..]),
        ("for i in 1 2 3 4 5 6; do echo line $i; done; exit 7", &["(exit 7)", "line 2", "line 6"]),
        ("kill -9 $$", &["(signal 9)"]),
    ] {
        let ran = env.run(&["day0", "--lang", "en", "--exec", command]);
        assert_eq!(ran.code, 3, "{ran:?}");
        for part in parts {
            assert!(ran.err.contains(part), "no `{part}` in {}", ran.err);
        }
        assert!(!ran.err.contains("line 1"), "{}", ran.err);
        assert!(ran.err.contains("next: "), "{}", ran.err);
    }
    let ran = env.run(&["day0", "--exec", "exit 1", "--json"]);
    let said: Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!((&said["error"]["kind"], &said["error"]["exit"]), (&"app_exited".into(), &3.into()));
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_started() {
    let env = env();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let command =
        format!("touch started; sleep 60 # --port {}", taken.local_addr().unwrap().port());
    let ran = env.run(&["day0", "--lang", "en", "--exec", &command]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("Another program answers"), "{}", ran.err);
    assert!(!env.path().join("started").exists());
}

#[test]
fn an_interrupt_ends_the_server_with_all_it_started() {
    let env = env();
    let command = "echo $$ > parent; sh -c 'echo $$ > child; exec sleep 1000' & exec sleep 1000";
    let mut program = env.start(&["day0", "--exec", command]);
    let pids = [pid(&env, "parent"), pid(&env, "child")];
    assert!(pids.iter().all(|pid| lives(pid)));
    assert_eq!(program.interrupt(), 130, "{}", program.said());
    eventually("both have ended", || pids.iter().all(|pid| !lives(pid)).then_some(()));
}

#[test]
#[ignore = "needs Python: ./test"]
fn an_interrupt_during_the_checks_ends_the_server() {
    let env = env();
    let mut program = env.start(&["day5", "--exec", &server(""), "--only", "check"]);
    let pid = pid(&env, "own.pid");
    program.line_with("D5.1");
    assert_eq!(program.interrupt(), 130, "{}", program.said());
    eventually("it has ended", || (!lives(&pid)).then_some(()));
}

/// Answers every request with 404 until the test ends.
fn nothing_there() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    url
}

#[test]
fn a_server_that_is_not_there_is_told_what_it_needs() {
    let env = env();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let ran = env.run(&["day3", "--lang", "en", "--app", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let whole = env.ok(&["day3", "--app", &url, "--print-env"]);
    let lines: Vec<&str> = whole.lines().collect();
    // What is printed is what the contract promises, by name and in its order.
    let contract: Value = serde_json::from_str(&env.ok(&["contract", "--json"])).unwrap();
    let more = contract["environment_of"].as_array().unwrap().iter();
    let more = more.flat_map(|it| it["variables"].as_array().unwrap());
    let promised: Vec<_> = contract["environment"].as_array().unwrap().iter().chain(more).collect();
    let names: Vec<_> = lines.iter().map(|it| it.split_once('=').unwrap().0).collect();
    assert_eq!(
        (names.len(), promised),
        (8, names.iter().map(|it| json!(it)).collect::<Vec<_>>().iter().collect())
    );
    assert!(lines[7].starts_with("CREEM_WEBHOOK_SECRET=whsec_"), "{whole}");
    assert_eq!(lines[0], format!("PORT={}", free.port()));
    assert!(lines[1].starts_with("STRIPE_API_BASE=http://127.0.0.1:"), "{whole}");
    let secret = lines[4].strip_prefix("STRIPE_WEBHOOK_SECRET=whsec_").unwrap();
    assert_eq!(secret.len(), 32);
    assert!(!ran.err.contains(secret), "the secret is masked: {}", ran.err);
    assert!(ran.err.contains("STRIPE_WEBHOOK_SECRET=whsec_…"), "{}", ran.err);
    assert!(
        ran.err.contains("Nobody answers at") && ran.err.contains("--print-env"),
        "{}",
        ran.err
    );
    assert_eq!(env.ok(&["day0", "--app", &url, "--print-env"]), whole, "it stays the same");
    let ran = env.run(&["day3", "--app", "http://shop.example.com"]);
    assert_eq!(ran.code, 3, "{ran:?}");
}

#[test]
fn a_server_without_pages_fails_a_day_about_pages_unless_it_is_to_have_none() {
    let env = env();
    let url = nothing_there();
    let ran = env.run(&["day1", "--lang", "en", "--app", &url]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("SG1.1-NOHOME") && !ran.err.contains("has no pages"), "{ran:?}");
    let ran = env.run(&["day1", "--lang", "en", "--app", &url, "--webhook-only"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("stripegym day3"), "{}", ran.err);
    let ran = env.run(&["day3", "--lang", "en", "--app", &url, "--only", "check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.err.matches("has no pages").count(), 1, "{}", ran.err);
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let env = env();
    for args in [
        &["day4", "--ledger", "postgres:x"][..],
        &["day4", "--exec", "x", "--ledger", "postgres:x"],
        &["day4", "--exec", "x", "--ledger", "sqlite:x.db", "--ledger-cmd", "cat x"],
        &["day4", "--ledger", "sqlite:x.db"],
        &["day3", "--webhook-only"],
    ] {
        assert_eq!(env.run(args).code, 2, "{args:?}");
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_started_server_is_graded_on_every_day_and_stopped() {
    let env = env();
    for day in ["day0", "day1", "day2", "day3", "day4", "day5"] {
        let result = graded(&env, day, "", &[]);
        assert_eq!(result["ok"], true, "{result}");
        assert_eq!(result["track"], "exec");
        assert_eq!(those(&result, "skip"), [""; 0], "{day}: its log is seen");
        assert!(!lives(&pid(&env, "own.pid")), "{day}");
        let output = fs::read_to_string(env.path().join(".stripegym/own-server.log")).unwrap();
        assert!(output.contains("listening on"), "{output}");
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn what_the_log_lacks_is_told_and_fails_nothing() {
    let warned = |day: &str, ways: &str| {
        let result = graded(&env(), day, ways, &["--only", "check"]);
        assert_eq!(result["ok"], true, "{result}");
        those(&result, "warn").join(" ")
    };
    assert_eq!(warned("day0", "quiet"), "D0.3");
    assert_eq!(warned("day3", "silent-amount"), "D3.4");
    assert_eq!(warned("day4", "quiet"), "D4.1 D4.5");
    assert_eq!(warned("day3", ""), "");
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_server_without_a_ledger_is_graded_by_what_it_answers() {
    let command = server("webhook-only no-ledger");
    for day in ["day3", "day5"] {
        let ran = env().run(&["check", day, "--exec", &command, "--no-ledger", "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let passed = ran.out.matches("\"state\":\"pass\"").count();
        assert!(passed >= 2 && !ran.out.contains("\"state\":\"fail\""), "{}", ran.out);
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_server_whose_answer_does_not_come_is_told_so_once_and_within_its_time() {
    let ways = [("hang", "HANG"), ("drip", "HANG"), ("fork", "HANG"), ("endless", "ENDLESS")];
    for (way, cause) in ways {
        let (env, began) = (env(), std::time::Instant::now());
        let command = server(way);
        let args = ["check", "day3", "--lang", "en", "--exec", &command, "--budget", "20s"];
        let ran = env.run(&args);
        let took = began.elapsed();
        assert_eq!(ran.code, 1, "{way}: {ran:?}");
        // The time is for grading; what was started is ended afterwards.
        assert!(took.as_secs() < 32, "{way}: {took:?}");
        assert!(ran.out.contains(&format!("SG3.3-{cause}")), "{way}: {}", ran.out);
        assert_eq!(ran.out.matches("for D3.3:").count(), 1, "{way}: {}", ran.out);
        assert!(!ran.err.contains("stripegym sandbox"), "our own client is at fault: {}", ran.err);
        assert!(!lives(&pid(&env, "own.pid")), "{way}");
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_signature_that_does_not_match_is_told_by_its_cause() {
    let (own, other) = ("whsec_theOneToBelieve", "whsec_anotherOneThatIsKnown");
    let ways = [
        (format!("secret={other}"), "OTHER-SECRET"),
        ("blank".to_owned(), "WHITESPACE"),
        ("no-prefix".to_owned(), "NO-PREFIX"),
        ("no-secret".to_owned(), "EMPTY-SECRET"),
        ("endpoint-id".to_owned(), "ENDPOINT-ID"),
        ("rewrites".to_owned(), "RESERIALISED"),
    ];
    for (way, cause) in ways {
        let env = env().with("STRIPE_WEBHOOK_SECRET", &format!("{own},{other}"));
        for lang in ["en", "ja"] {
            let command = server(&way);
            let ran = env.run(&["check", "D3.3", "--json", "--lang", lang, "--exec", &command]);
            assert_eq!(ran.code, 1, "{way}: {ran:?}");
            let checks = ran.out.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
            let failed: Vec<Value> = checks.filter(|it| it["state"] == "fail").collect();
            let [check] = &*failed else { panic!("{way}: {}", ran.out) };
            assert_eq!(check["code"], format!("SG3.3-{cause}"), "{way}: {check}");
            assert_eq!((&check["answer"], &check["next"]), (&"400".into(), &NEXT.into()), "{way}");
            let kana = |c: char| ('\u{3040}'..='\u{30ff}').contains(&c);
            let japanese = check["why"].as_str().unwrap().contains(kana);
            assert_eq!(japanese, lang == "ja", "{way}: {check}");
        }
    }
}

/// What is typed next where a signature does not match.
const NEXT: &str = "stripegym explain signature";

#[test]
#[ignore = "needs Python: ./test"]
fn a_server_that_floods_costs_neither_memory_nor_disk() {
    let env = env();
    let ran = env.run(&["check", "day0", "--exec", &server("flood"), "--budget", "60s"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let output = fs::metadata(env.path().join(".stripegym/own-server.log")).unwrap().len();
    assert!(output < 20_000_000, "{output}");
}

#[test]
#[ignore = "needs Python: ./test"]
fn what_a_killed_run_has_started_is_ended_with_it() {
    let env = env();
    let mut program = env.start(&["check", "day5", "--exec", &server("astray")]);
    let pids = [pid(&env, "own.pid"), pid(&env, "astray.pid")];
    program.kill();
    for pid in pids {
        eventually("it has ended", || (!lives(&pid)).then_some(()));
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_server_that_dies_is_told_with_its_last_words() {
    let env = env();
    let command = server("dies");
    let ran = env.run(&["day5", "--exec", &command, "--json", "--only", "check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let told = ran
        .out
        .lines()
        .any(|line| line.contains("exit 3") && line.contains("RuntimeError: the disk is full"));
    assert!(told, "{}", ran.out);
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_stubborn_server_and_one_of_several_processes_are_stopped() {
    for (ways, day) in [("stubborn", "day0"), ("family", "day4"), ("stubborn family", "day4")] {
        let env = env();
        let result = graded(&env, day, ways, &["--only", "check"]);
        assert_eq!(result["ok"], true, "{ways}: {result}");
        let pid = pid(&env, "own.pid");
        eventually("it has ended", || (!lives(&pid)).then_some(()));
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_server_with_webhook_and_ledger_alone_is_graded_on_three_days() {
    for day in ["day3", "day4", "day5"] {
        let env = env();
        let result = graded(&env, day, "webhook-only hook", &["--webhook-path", "/stripe/hook"]);
        assert_eq!(result["ok"], true, "{result}");
        assert!(!those(&result, "pass").is_empty(), "{result}");
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_ledger_is_read_in_every_form() {
    let command = "python3 -c 'import sqlite3, json; db = sqlite3.connect(\"own.db\"); \
        db.row_factory = sqlite3.Row; \
        print(json.dumps([dict(row) for row in db.execute(\"SELECT * FROM payments\")]))'";
    for (ways, more) in [
        ("csv", &[][..]),
        ("html", &[]),
        ("no-ledger", &["--ledger", "sqlite:own.db"]),
        ("no-ledger", &["--ledger", "sqlite:own.db?table=payments"]),
        ("no-ledger", &["--ledger-cmd", command]),
    ] {
        let env = env();
        let result = graded(&env, "day4", ways, more);
        assert_eq!(result["ok"], true, "{ways} {more:?}: {result}");
        for check in ["D4.2", "D4.3", "D4.4", "D4.5"] {
            assert_eq!(result["checks"][check], "pass", "{ways} {more:?}: {result}");
        }
    }
    let env = env();
    let result = graded(&env, "day4", "no-ledger", &[]);
    assert_eq!(result["checks"]["D4.1"], "fail", "{result}");
}
