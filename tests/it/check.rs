//! `check`: grading without being led through the day, for people, for build servers and for programs.

use crate::env::{Env, Running, eventually};
use serde_json::Value;
use std::path::Path;

fn env() -> Env {
    Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0")
}

fn objects(out: &str) -> Vec<Value> {
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn ids(out: &str) -> Vec<String> {
    let checks = objects(out).into_iter().filter(|it| it.get("id").is_some());
    checks.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

/// A lesson of the working folder in which one claim is turned around.
fn break_lesson(env: &Env, day: &str, from: &str, to: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons").join(day);
    let text = std::fs::read_to_string(path.join("lesson.toml")).unwrap();
    assert!(text.contains(from), "{day} has no `{from}`");
    let folder = env.path().join("lessons").join(day);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("lesson.toml"), text.replace(from, to)).unwrap();
}

#[test]
fn a_build_server_gets_each_form_where_it_asks_for_it() {
    let env = env();
    break_lesson(&env, "day0", "value = \"charset=utf-8\"", "value = \"charset=koi8-r\"");
    let forms = ["--format", "junit:day0.xml", "--format", "markdown:day0.md"];
    let args =
        [&["check", "day0", "--ci", "--lang", "en", "--format", "github"][..], &forms].concat();
    let ran = env.run(&args);
    assert_eq!(ran.code, 1, "{ran:?}");
    let errors: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("::error ")).collect();
    assert!(errors.len() == 1 && errors[0].contains("title=SG0.2"), "{ran:?}");
    assert!(errors[0].contains("koi8-r.%0A"), "a message is one line: {errors:?}");
    assert!(ran.out.contains("::notice title=stripegym::"), "{ran:?}");
    let read = |name: &str| std::fs::read_to_string(env.path().join(name)).unwrap();
    assert!(read("day0.xml").contains("<failure message=\"SG0.2"));
    let page = read("day0.md");
    assert!(page.starts_with("## ❌ stripegym\n") && page.contains("\n### ❌ SG0.2"), "{page}");
    // One that owns stdout is alone there, and what is said in the other language stays in it.
    let ran = env.run(&["check", "day0", "--lang", "ja", "--format", "markdown"]);
    assert!(ran.code == 1 && ran.out.starts_with("## ❌ stripegym\n\n合格"), "{ran:?}");
    let ran = env.run(&["check", "day0", "--format", "json"]);
    assert!(
        ran.code == 1 && objects(&ran.out).last().unwrap()["summary"]["ok"] == false,
        "{ran:?}"
    );
    for wrong in ["xml", "json:file"] {
        let ran = env.run(&["check", "day0", "--format", wrong]);
        assert!(ran.code == 2 && ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn the_whole_week_is_graded_in_one_run() {
    let env = env();
    let ran = env.run(&["check", "--all", "--ci", "--json", "--junit", "all.xml"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let all = objects(&ran.out);
    let summary = &all.last().unwrap()["summary"];
    assert_eq!((summary["ok"].as_bool(), summary["failed"].as_u64()), (Some(true), Some(0)));
    assert_eq!(summary["days"].as_array().unwrap().len(), 7);
    assert_eq!(all.len() as u64, summary["checks"].as_u64().unwrap() + 1);
    for check in &all[..all.len() - 1] {
        for name in [
            "id",
            "code",
            "state",
            "title",
            "checked",
            "expected",
            "got",
            "why",
            "next",
            "hint_tier",
            "evidence",
            "duration_ms",
            "lesson_version",
            "api_version",
            "mode",
            "track",
        ] {
            assert!(check.get(name).is_some(), "no `{name}` in {check}");
        }
    }
    let paid = all.iter().find(|it| it["id"] == "D3.3").unwrap();
    assert!(paid["evidence"]["sessions"][0].as_str().unwrap().starts_with("cs_test_"), "{paid}");
    assert_eq!(paid["evidence"]["events"][0]["attempts"][0], 200, "{paid}");
    let xml = std::fs::read_to_string(env.path().join("all.xml")).unwrap();
    assert_eq!((xml.matches("<testsuite ").count(), xml.matches("<testsuites>").count()), (7, 1));
    // Nothing was said beside the answer.
    assert_eq!(ran.err, "");
}

#[test]
fn without_a_name_the_day_is_the_first_that_is_not_passed() {
    let env = env();
    assert_eq!(ids(&env.ok(&["check", "--json"]))[0], "D0.1");
    assert_eq!(ids(&env.ok(&["check", "--json"]))[0], "D1.1");
    // A single check brings what it needs, and does not pass its day.
    let single = env.ok(&["check", "SG4.2", "--json"]);
    assert_eq!(ids(&single), ["D4.1", "D4.2"]);
    assert_eq!(objects(&single)[2]["summary"]["next"], "stripegym check day4");
    assert_eq!(ids(&env.ok(&["check", "--json"]))[0], "D2.1");
    assert_eq!(ids(&env.ok(&["check", "--json"]))[0], "D3.1");
}

#[test]
fn each_ending_has_its_code() {
    let env = env();
    break_lesson(
        &env,
        "day1",
        "\"paid_answer\"], is = \"302|303\"",
        "\"paid_answer\"], is = \"418\"",
    );
    let ran = env.run(&["check", "D1.1", "--lang", "en"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in ["D1.1", "checked", "expected", "got", "why", "stripegym hint SG1.1"] {
        assert!(ran.out.contains(part), "no `{part}` in\n{}", ran.out);
    }
    assert_eq!(env.run(&["check", "D9.9"]).code, 2);
    assert_eq!(env.run(&["check", "day1", "--all"]).code, 2);
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{free}");
    let own =
        Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("STRIPE_WEBHOOK_SECRET", "whsec_abc");
    let down = own.run(&["check", "--app", &url]);
    assert_eq!(down.code, 3, "{down:?}");
    assert!(down.err.contains(&url), "{down:?}");
    std::fs::write(env.path().join("lessons/day1/lesson.toml"), "[lesson]\nid = 1\n").unwrap();
    assert_eq!(env.run(&["check", "day1"]).code, 4);
    let live = Env::new().with("STRIPE_SECRET_KEY", "sk_live_51abcdefghijklmnop");
    assert_eq!(live.run(&["check"]).code, 5);
}

#[test]
fn what_is_skipped_is_not_graded_and_has_to_exist() {
    let env = env();
    let all = ids(&env.ok(&["check", "day1", "--json"]));
    for (name, gone) in [("D1.2", "D1.2"), ("SG1.3-ANYTHING", "D1.3")] {
        let left = ids(&env.ok(&["check", "day1", "--json", "--skip", name]));
        let wanted: Vec<&String> = all.iter().filter(|id| **id != gone).collect();
        assert_eq!(left.iter().collect::<Vec<_>>(), wanted, "{name}");
        assert!(all.iter().any(|id| id == gone), "{all:?}");
    }
    assert_eq!(env.run(&["check", "day1", "--skip", "D9.9"]).code, 2);
}

#[test]
fn what_is_open_counts_only_strictly() {
    let env = env();
    assert_eq!(env.run(&["check", "day2"]).code, 0);
    let strict = env.run(&["check", "day2", "--strict", "--lang", "en"]);
    assert_eq!(strict.code, 1, "{strict:?}");
    assert!(strict.out.contains("stripegym day2 --attest D2.4"), "{}", strict.out);
    env.ok(&["day2", "--attest", "D2.4"]);
    assert_eq!(env.run(&["check", "day2", "--strict"]).code, 0);
}

#[test]
fn what_is_said_fits_eighty_columns_in_both_languages() {
    for lang in ["en", "ja"] {
        let env = env();
        break_lesson(&env, "day3", "is = \"2xx\" } }", "is = \"418\" } }");
        let ran = env.run(&["check", "day0", "day3", "--lang", lang]);
        assert_eq!(ran.code, 1, "{ran:?}");
        for line in ran.out.lines() {
            let wide = unicode_width::UnicodeWidthStr::width(line);
            let whole = line.split_whitespace().any(|word| word.contains("://") || word.len() > 60);
            assert!(wide <= 80 || whole, "{lang}: {wide} columns: {line}");
        }
        assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
    }
}

/// The summary of a round, read from the lines of a program that watches.
fn round(running: &mut Running, number: u64) -> Value {
    let line = running.line_with(&format!("\"number\":{number}"));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn an_edited_file_is_graded_again_and_what_changed_is_told() {
    for means in [&["--poll"][..], &[]] {
        let env = env();
        let mut args = vec!["check", "day1", "--watch", "--rounds", "2", "--json"];
        args.extend(means);
        let mut watch = env.start(&args);
        let polling = watch.line_with("\"watching\"").contains("polling");
        assert_eq!(polling, !means.is_empty());
        let first = round(&mut watch, 1);
        assert_eq!(
            (&first["round"]["cause"], &first["summary"]["ok"]),
            (&"began".into(), &true.into())
        );
        // What programs write is no edit.
        std::fs::write(env.path().join("shop.db"), "x").unwrap();
        break_lesson(
            &env,
            "day1",
            "\"paid_answer\"], is = \"302|303\"",
            "\"paid_answer\"], is = \"418\"",
        );
        let second = round(&mut watch, 2);
        assert_eq!(second["round"]["cause"], "files", "{second}");
        assert_eq!(second["round"]["files"]["first"], "lessons/day1/lesson.toml", "{second}");
        let change = &second["round"]["changes"][0];
        assert_eq!(
            (&change["before"], &change["after"]),
            (&"pass".into(), &"fail".into()),
            "{second}"
        );
        assert_eq!(watch.end(), 1);
    }
}

#[test]
fn a_delivered_webhook_is_graded_again() {
    let env = env();
    let _sandbox = env.sandbox(&[]);
    let mut listener = env.start(&["listen", "--port", "0"]);
    listener.line_with("http://127.0.0.1:");
    let mut watch = env.start(&["check", "day0", "--watch", "--rounds", "2", "--json"]);
    round(&mut watch, 1);
    env.ok(&["checkout", "--amount", "500", "--pay", "4242424242424242"]);
    let second = round(&mut watch, 2);
    assert_eq!(second["round"]["cause"], "delivery", "{second}");
    assert!(second["round"]["event"].as_str().unwrap().starts_with("evt_"), "{second}");
    assert_eq!(watch.end(), 0);
}

#[test]
#[ignore = "needs Python: ./test"]
fn a_started_server_is_started_anew_when_its_file_changes_and_not_by_what_it_writes() {
    let env = env();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own_server.py");
    let program = std::fs::read_to_string(fixture).unwrap();
    let save = |text: &str| std::fs::write(env.path().join("app.py"), text).unwrap();
    let pid = || std::fs::read_to_string(env.path().join("own.pid")).unwrap();
    save(&program);
    let start = "exec python3 app.py";
    let mut watch =
        env.start(&["check", "D1.1", "--watch", "--rounds", "3", "--json", "--exec", start]);
    let mut servers = std::collections::BTreeSet::new();
    let first = round(&mut watch, 1);
    assert_eq!(
        (&first["round"]["cause"], &first["summary"]["ok"]),
        (&"began".into(), &true.into())
    );
    servers.insert(pid());
    // It has written its database by now, and goes on to: a round comes of an edit alone.
    let right = "[unit_amount]\": \"500\"";
    assert_eq!(program.matches(right).count(), 1);
    for (number, text, ok) in [
        (2, program.replace(right, "[unit_amount]\": \"50000\""), false),
        (3, program.clone(), true),
    ] {
        save(&text);
        let said = round(&mut watch, number);
        assert_eq!(said["round"]["cause"], "files", "{said}");
        assert_eq!(said["round"]["files"]["first"], "app.py", "{said}");
        assert_eq!(
            (&said["summary"]["ok"], said["round"]["changes"][0]["id"].as_str()),
            (&ok.into(), Some("D1.1")),
            "{said}"
        );
        servers.insert(pid());
    }
    assert_eq!(servers.len(), 3, "each edit started it anew");
    assert_eq!(watch.end(), 0);
}

#[test]
fn watching_is_never_fed_by_its_own_output() {
    let env = env();
    let stripegym = env.command::<&str>(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.env_clear().envs(stripegym.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let line = "exec \"$0\" check day0 --watch --rounds 2 --lang en > out.txt";
    shell.args(["-c", line, env!("CARGO_BIN_EXE_stripegym")]).current_dir(env.path());
    let mut watch = Running::new(shell, env.path());
    let said = |part: &str| {
        eventually(part, || {
            let said = std::fs::read_to_string(env.path().join("out.txt")).unwrap_or_default();
            said.contains(part).then_some(said)
        })
    };
    said("Next:");
    // What it has just written comes before this one, and would be named first.
    std::fs::write(env.path().join("z.txt"), "edited").unwrap();
    assert!(said("Round 2").contains("Round 2: z.txt\n"));
    assert_eq!(watch.end(), 0);
}

#[test]
fn watching_survives_a_broken_lesson_and_ends_with_130_at_ctrl_c() {
    let env = env();
    let mut watch = env.start(&["check", "day1", "--watch", "--lang", "en"]);
    watch.line_with("Watching");
    watch.line_with("Round 1");
    watch.line_with("Next:");
    let path = env.path().join("lessons/day1/lesson.toml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "[lesson]\nid = 1\n").unwrap();
    watch.line_with("could not be graded");
    std::fs::remove_file(&path).unwrap();
    watch.line_with("Round 3");
    watch.line_with("Next:");
    assert!(!watch.stdout().contains('\u{1b}'), "{}", watch.stdout());
    assert_eq!(watch.interrupt(), 130);
    let status: Value = serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["days"][1]["passed"], status["days"][1]["required"]);
}
