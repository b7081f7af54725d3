//! The course as a learner meets it: every day from an empty home, without a question and without a key.

use crate::env::Env;
use serde_json::Value;

const DAYS: [&str; 7] = ["day0", "day1", "day2", "day3", "day4", "day5", "day6"];

fn env() -> Env {
    Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0")
}

/// The last line of a day's JSON.
fn result(out: &str) -> Value {
    let last = out.lines().last().unwrap_or_default();
    let value: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {out}"));
    value.get("course").cloned().unwrap_or(value)
}

#[test]
fn every_day_passes_from_an_empty_home_without_asking() {
    for day in DAYS {
        let env = env();
        let ran = env.run(&[day, "--yes", "--json"]);
        assert_eq!(ran.code, 0, "{day}\n{}\n{}", ran.out, ran.err);
        let result = result(&ran.out);
        assert_eq!(result["ok"], true, "{day}: {result}");
        for (id, state) in result["checks"].as_object().unwrap() {
            let well = ["pass", "partial", "attest"].contains(&state.as_str().unwrap());
            assert!(well, "{id} is {state}\n{}", ran.out);
        }
        for item in result["gates"].as_array().unwrap() {
            assert_ne!(item["state"], "fail", "{item}");
        }
        for note in result["notes"].as_array().unwrap() {
            assert_ne!(note["state"], "fail", "{note}");
        }
    }
}

#[test]
fn the_week_fits_one_home_and_can_be_repeated() {
    let env = env();
    for round in 0..2 {
        for day in &DAYS[..6] {
            let ran = env.run(&[day, "--yes"]);
            assert_eq!(ran.code, 0, "{day}, round {round}\n{}\n{}", ran.out, ran.err);
        }
    }
    let status: Value = serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
    for day in &status["days"].as_array().unwrap()[..6] {
        assert_eq!(day["passed"], day["required"], "{day}");
    }
}

#[test]
fn the_lessons_keep_to_their_format_and_their_commands_exist() {
    let checked: Value = serde_json::from_str(&env().ok(&["dev", "check", "--json"])).unwrap();
    assert_eq!(checked["ok"], true, "{checked}");
    for (letter, count) in [("D", 110), ("G", 62), ("N", 55), ("T", 71), ("S", 18), ("X", 32)] {
        assert_eq!(checked["items"][letter], count, "{letter}");
    }
}

#[test]
fn the_pages_of_the_repository_quote_commands_that_exist() {
    let env = env();
    let mut command = env.command(&["dev", "check", "--json"]);
    let ran = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let checked: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(checked["problems"], serde_json::json!([]));
    assert_eq!(checked["items"]["E"], 48);
    assert_eq!(checked["beyond_loopback"], 0);
}

#[test]
fn a_lesson_of_the_working_folder_is_used_and_its_faults_are_named() {
    let env = env();
    let folder = env.path().join("lessons/day1");
    std::fs::create_dir_all(&folder).unwrap();
    let embedded = include_str!("../../lessons/day1/lesson.toml");
    let changed = embedded.replace(
        "at = \"/amount_total\", op = \"ge\", value = 1 }",
        "at = \"/amount_total\", value = 501 }",
    );
    assert_ne!(embedded, changed);
    std::fs::write(folder.join("lesson.toml"), changed).unwrap();
    let ran = env.run(&["day1", "--only", "check", "--lang", "en"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in ["D1.1", "SG1.1", "501", "500", "stripegym hint SG1.1"] {
        assert!(ran.out.contains(part), "no `{part}` in\n{}", ran.out);
    }
    std::fs::write(folder.join("lesson.toml"), "[lesson]\nid = 1\n").unwrap();
    let ran = env.run(&["day1"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("day1/lesson.toml"), "{}", ran.err);
    let ran = env.run(&["dev", "check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
}

/// What is broken here is the claim, one at a time: a check that passes all the same would claim nothing.
#[test]
fn claims_that_are_turned_around_fail_their_check() {
    let turned = [
        ("day0", "is = \"200\"", "is = \"201\"", "D0.2"),
        ("day1", "op = \"ne\", value = \"\" }", "value = \"\" }", "D1.2"),
        ("day1", "session = \"$cancelled\", is = 0", "session = \"$cancelled\", is = 1", "D1.4"),
        (
            "day3",
            "\"old\", \"digits\"], is = \"4xx\" } }",
            "\"old\", \"digits\"], is = \"2xx\" } }",
            "D3.7",
        ),
        (
            "day4",
            "fourth.data.object.id\", times = 1",
            "fourth.data.object.id\", times = 2",
            "D4.2",
        ),
        (
            "day4",
            "amount = 50, currency = \"jpy\", status",
            "amount = 51, currency = \"jpy\", status",
            "D4.3",
        ),
        ("day5", "\"/count\" = 3", "\"/count\" = 2", "X13"),
        (
            "day5",
            "{ accidents = { class = \"5xx\" } }",
            "{ accidents = { class = \"2xx\" } }",
            "D5.3",
        ),
        ("day5", "amount = 550 }, times = 1", "amount = 550 }, times = 2", "D5.1"),
        ("day5", "\"/ends\" = \"failed\"", "\"/ends\" = \"succeeded\"", "X20"),
        ("day1", "at = \"/method\", value = \"post\"", "at = \"/method\", value = \"get\"", "D1.1"),
        (
            "day1",
            "\"/amount_total\" = \"$paid.amount_total\", \"/payment",
            "\"/amount_total\" = 501, \"/payment",
            "D1.5",
        ),
        (
            "day3",
            "assert = [\n  { status = { of = [\"v0_alone\"], is = \"4xx\" } }",
            "assert = [\n  { accepts = { event = \"$event\", signed = \"whitespace\" } }",
            "X2",
        ),
        (
            "day3",
            "{ given = { kept = \"rolling\", then = { status = { of = [\"by_old_later\"], is = \"4xx\"",
            "{ given = { kept = \"rolling\", then = { status = { of = [\"by_old_later\"], is = \"2xx\"",
            "X21",
        ),
        ("day3", "session = \"$paid\", is = 1 } }", "session = \"$paid\", is = 2 } }", "D3.6"),
        ("day5", "attempts = 3", "attempts = 2", "D5.2"),
    ];
    for (day, from, to, check) in turned {
        let env = env();
        let folder = env.path().join("lessons").join(day);
        std::fs::create_dir_all(&folder).unwrap();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons").join(day);
        let text = std::fs::read_to_string(path.join("lesson.toml")).unwrap();
        assert!(text.contains(from), "{day} has no `{from}`");
        std::fs::write(folder.join("lesson.toml"), text.replace(from, to)).unwrap();
        let ran = env.run(&[day, "--only", "check", "--json"]);
        assert_eq!(ran.code, 1, "{check}: {ran:?}");
        assert_eq!(result(&ran.out)["checks"][check], "fail", "{}", ran.out);
    }
}

/// What stands in a day's lesson, changed, in the working folder of a world.
fn with_lesson(env: &Env, day: &str, from: &str, to: &str) {
    let folder = env.path().join("lessons").join(day);
    std::fs::create_dir_all(&folder).unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons").join(day);
    let text = std::fs::read_to_string(path.join("lesson.toml")).unwrap();
    assert!(text.contains(from), "{day} has no `{from}`");
    std::fs::write(folder.join("lesson.toml"), text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_check_that_takes_too_long_says_so() {
    let env = env();
    let code = "code = \"SG4.5\"\n";
    with_lesson(&env, "day4", code, &format!("{code}timeout_ms = 1\n"));
    let ran = env.run(&["day4", "--only", "check", "--lang", "en"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.contains("over within 1 s") && ran.out.contains("longer than 1 s"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("✓ X11"), "the line is mended: {}", ran.out);
}

#[test]
fn questions_are_answered_along_and_wrong_answers_explained() {
    let env = env();
    let open = env.ok(&["day2", "--only", "gate", "--json"]);
    let gate = |out: &str| {
        let gates = result(out)["gates"].as_array().unwrap().clone();
        gates.iter().find(|gate| gate["id"] == "G2.3").unwrap()["state"].clone()
    };
    assert_eq!(gate(&open), "partial", "nobody was asked");
    let listed = env.ok(&["events", "list", "--type", "checkout.session.completed", "--json"]);
    let events: Value = serde_json::from_str(&listed).unwrap();
    let event = &events["events"][0];
    let [id, session] = ["id", "object"].map(|name| event[name].as_str().unwrap().to_owned());
    let wrong =
        env.run(&["day2", "--only", "check", "--lang", "en", "--answer", &format!("id={session}")]);
    assert_eq!(wrong.code, 1);
    for part in ["SG2.3-QUIZ", &format!("You answered {session}"), "evt_"] {
        let out = wrong.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains(part), "no `{part}` in {out}");
    }
    let answers = [
        format!("id={id}"),
        "type=checkout.session.completed".to_owned(),
        format!("session={session}"),
    ];
    let mut line = vec!["day2", "--only", "gate", "--json"];
    for answer in &answers {
        line.extend(["--answer", answer]);
    }
    assert_eq!(gate(&env.ok(&line)), "pass");
    assert_eq!(gate(&env.ok(&["day2", "--only", "gate", "--json"])), "pass", "it is remembered");
    assert_eq!(env.run(&["day1", "--only", "check", "--answer", "jpy=50000"]).code, 1);
    assert_eq!(env.run(&["day1", "--only", "check", "--answer", "jpy"]).code, 2);
    assert!(env.ok(&["day1", "--only", "check", "--answer", "jpy=500"]).contains("KWD 5.000"));
}

#[test]
fn the_shop_sells_a_price_that_is_made_first() {
    let env = env();
    env.ok(&["day1", "--only", "check", "--price"]);
    env.ok(&["day1", "--only", "check", "--price"]);
    with_lesson(&env, "day1", "value = \"$price.id\" } } } },", "value = \"price_other\" } } } },");
    let ran = env.run(&["day1", "--only", "check", "--price", "--lang", "en"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    env.ok(&["day1", "--only", "check"]);
}

#[test]
fn the_look_beat_tells_every_scenario() {
    let ran = env().ok(&["day5", "--from", "do", "--yes", "--json"]);
    let look = ran.lines().find_map(|line| {
        let value: Value = serde_json::from_str(line).ok()?;
        value.get("look").cloned()
    });
    let look = look.unwrap();
    let scenarios = look["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 15);
    for one in scenarios {
        assert_eq!(one["verdict"], "MATCH", "{one}");
        assert!(one["attempts"].as_u64().unwrap() > 0, "{one}");
    }
    let faults: u64 = scenarios.iter().map(|one| one["faults"].as_u64().unwrap()).sum();
    assert!(faults >= 6, "{faults}");
}

#[test]
fn hints_come_one_by_one_and_codes_and_topics_are_explained() {
    let env = env();
    let hints = |env: &Env| {
        let shown: Value = serde_json::from_str(&env.ok(&["hint", "SG3.7", "--json"])).unwrap();
        shown["hints"].as_array().unwrap().len()
    };
    assert_eq!([hints(&env), hints(&env), hints(&env), hints(&env)], [1, 2, 3, 3]);
    assert!(env.ok(&["explain", "SG3.7-NOVERIFY", "--lang", "en"]).contains("docs.stripe.com"));
    assert!(env.ok(&["explain", "amount", "--lang", "ja"]).contains('円'));
    assert_eq!(env.run(&["explain", "SG9.9"]).code, 2);
    assert_eq!(env.run(&["hint", "nothing"]).code, 2);
}

#[test]
fn what_is_set_back_is_kept_aside() {
    let env = env();
    env.ok(&["day1", "--only", "check"]);
    let home = env.path().join(".stripegym");
    // What was mended is broken anew when the day begins again.
    std::fs::create_dir_all(env.path().join("mend/day1")).unwrap();
    std::fs::write(env.path().join("mend/day1/shop.py"), "mended").unwrap();
    let reset = env.ok(&["reset", "day1"]);
    assert!(reset.contains("mend/day1") && !env.path().join("mend/day1").exists());
    let status: Value = serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["days"][1]["passed"], 0);
    env.ok(&["reset", "--all"]);
    assert!(!home.join("ledger.db").exists() && !home.join("sandbox.db").exists());
    let kept = std::fs::read_dir(home.join("backup")).unwrap().flatten();
    let ledgers = kept.filter(|folder| folder.path().join("ledger.db").exists()).count();
    assert_eq!(ledgers, 1);
    let _sandbox = env.sandbox(&[]);
    assert_eq!(env.run(&["reset", "sandbox"]).code, 3);
}

#[test]
fn a_junit_report_is_written() {
    let env = env();
    env.ok(&["day2", "--only", "check", "--junit", "day2.xml"]);
    let xml = std::fs::read_to_string(env.path().join("day2.xml")).unwrap();
    assert!(xml.contains("tests=\"4\" failures=\"0\" skipped=\"1\""), "{xml}");
}

#[test]
fn reading_needs_no_provider_and_fits_eighty_columns() {
    for lang in ["en", "ja"] {
        let env = env();
        for day in DAYS {
            for flags in
                [&[day, "--only", "read", "--lang", lang][..], &[day, "--yes", "--lang", lang]]
            {
                if day == "day6" && flags.len() == 4 {
                    continue;
                }
                let out = env.ok(flags);
                for line in out.lines() {
                    let wide = unicode_width::UnicodeWidthStr::width(line);
                    let whole =
                        line.split_whitespace().any(|word| word.contains("://") || word.len() > 60);
                    assert!(wide <= 80 || whole, "{lang} {flags:?}: {wide} columns: {line}");
                }
            }
        }
    }
}
