//! What was reached, handed on: reports that can be verified, progress that moves, solutions, starters.

use crate::env::{Env, Ran};
use serde_json::Value;
use std::fs;

fn env() -> Env {
    Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0")
}

/// A home in which two days were graded, with a failure, a hint and a solution given up.
fn learner() -> Env {
    let env = env();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/day1/lesson.toml");
    let text = fs::read_to_string(path).unwrap();
    let folder = env.path().join("lessons/day1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("lesson.toml"),
        text.replace("\"paid_answer\"], is = \"302|303\"", "\"paid_answer\"], is = \"418\""),
    )
    .unwrap();
    assert_eq!(env.run(&["check", "day1"]).code, 1);
    fs::remove_file(folder.join("lesson.toml")).unwrap();
    env.ok(&["check", "day1", "day4"]);
    env.ok(&["hint", "SG1.1"]);
    env.ok(&["solution", "day3", "--give-up"]);
    env
}

fn verify(env: &Env, file: &str) -> (i32, Value) {
    let Ran { code, out, err } = env.run(&["verify-report", file, "--json"]);
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

fn flaws(verified: &Value) -> Vec<(String, Value)> {
    let flaws = verified["flaws"].as_array().unwrap().iter();
    flaws.map(|it| (it["flaw"].as_str().unwrap().to_owned(), it["what"].clone())).collect()
}

#[test]
fn a_report_holds_in_every_form_and_every_language() {
    let env = learner();
    for lang in ["en", "ja"] {
        let mut seals = Vec::new();
        for format in ["md", "json", "html"] {
            let file = format!("report.{lang}.{format}");
            env.ok(&["report", "--format", format, "--out", &file, "--lang", lang]);
            // The same progress comes to the same bytes.
            let again = env.ok(&["report", "--format", format, "--lang", lang]);
            assert_eq!(again, fs::read_to_string(env.path().join(&file)).unwrap());
            let (code, verified) = verify(&env, &file);
            assert_eq!(code, 0, "{file}: {verified}");
            assert!(verified["against"].as_str().unwrap().ends_with("progress.db"), "{verified}");
            seals.push(verified["seal"].clone());
        }
        assert!(seals.windows(2).all(|pair| pair[0] == pair[1]), "{seals:?}");
    }
    let data: Value = serde_json::from_str(&env.ok(&["report", "--json"])).unwrap();
    let row = |id: &str| {
        data["rows"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
    };
    let first = row("D1.1");
    assert_eq!((&first["attempts"], &first["failed"]), (&2.into(), &1.into()), "{first}");
    assert_eq!((&first["hints"], &first["state"]), (&1.into(), &"pass".into()), "{first}");
    let paid = row("D4.5");
    assert_eq!(paid["evidence"]["events"][0]["attempts"], serde_json::json!([200, 200, 200, 200]));
    assert_eq!(paid["evidence"]["ledger_rows"][0]["status"], "paid", "{paid}");
    assert_eq!(row("D6.1")["state"], Value::Null);
    assert_eq!(data["days"][3]["solution"]["gave_up"], true);
    // Neither secrets nor people.
    for private in ["whsec_", "sk_test_", "4242424242424242", "@example.com"] {
        assert!(!data.to_string().contains(private), "{private}");
    }
}

#[test]
fn a_report_that_was_changed_names_the_row() {
    let env = learner();
    let change = |file: &str, from: &str, to: &str| {
        let path = env.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}\n{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    for (format, from, to) in [
        ("json", "\"attempts\":2,", "\"attempts\":1,"),
        ("md", "\"attempts\":2,", "\"attempts\":1,"),
        ("html", "&quot;attempts&quot;:2,", "&quot;attempts&quot;:1,"),
    ] {
        let file = format!("changed.{format}");
        env.ok(&["report", "--format", format, "--out", &file]);
        change(&file, from, to);
        let (code, verified) = verify(&env, &file);
        assert_eq!(code, 1, "{verified}");
        assert_eq!(flaws(&verified)[0], ("row".to_owned(), "D1.1".into()), "{verified}");
    }
    // The text for people must say what the data say.
    env.ok(&["report", "--out", "text.md", "--lang", "en"]);
    change("text.md", "· not run", "✓ passed");
    let (code, verified) = verify(&env, "text.md");
    assert_eq!((code, flaws(&verified)[0].0.as_str()), (1, "text"), "{verified}");
    let ran = env.run(&["verify-report", "nothing.md"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("nothing.md") && !ran.err.contains("--home"), "{}", ran.err);
    fs::write(env.path().join("empty.md"), "# nothing\n").unwrap();
    assert_eq!(flaws(&verify(&env, "empty.md").1)[0].0, "unreadable");
}

#[test]
fn what_only_the_progress_file_knows_is_asked_of_it() {
    let env = learner();
    env.ok(&["report", "--format", "json", "--out", "mine.json"]);
    let other = self::env();
    other.ok(&["check", "day0"]);
    fs::copy(env.path().join("mine.json"), other.path().join("mine.json")).unwrap();
    let (code, verified) = verify(&other, "mine.json");
    assert_eq!(code, 1, "{verified}");
    assert!(flaws(&verified).contains(&("unknown".to_owned(), "D1.1".into())), "{verified}");
    let theirs = env.path().join(".stripegym/progress.db");
    let ran = other.run(&["verify-report", "mine.json", "--against", theirs.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // Going on after the report does not make it wrong.
    env.ok(&["check", "day1"]);
    assert_eq!(verify(&env, "mine.json").0, 0);
    let nowhere = self::env();
    fs::copy(env.path().join("mine.json"), nowhere.path().join("mine.json")).unwrap();
    let (code, verified) = verify(&nowhere, "mine.json");
    assert_eq!((code, &verified["against"]), (0, &Value::Null));
}

#[test]
fn a_page_of_html_needs_nothing_else_and_runs_nothing() {
    let env = learner();
    for kind in [&[][..], &["--demo"], &["--share"]] {
        for lang in ["en", "ja"] {
            let mut args = vec!["report", "--format", "html", "--lang", lang];
            args.extend(kind);
            let html = env.ok(&args);
            for other in ["<script", "src=", "href=", "url(", "http://", "https://", "@import"] {
                assert!(!html.contains(other), "{kind:?}: {other}");
            }
            assert!(html.contains("prefers-color-scheme:dark") && html.contains("@media print"));
            assert_eq!(html.contains("<svg"), !kind.contains(&"--demo"), "{kind:?}");
        }
    }
    let demo = env.ok(&["report", "--demo", "--lang", "en"]);
    for part in ["0:00", "2:30", "stripegym reconcile", "Signature: ____", "--attest D5.4"] {
        assert!(demo.contains(part), "no `{part}` in\n{demo}");
    }
    let share = env.ok(&["report", "--share", "--lang", "ja"]);
    assert!(share.lines().count() < 60 && share.contains("ハッシュ"), "{share}");
}

#[test]
fn progress_moves_to_another_machine_and_is_merged_there() {
    let (here, there) = (learner(), env());
    there.ok(&["check", "day0", "day2"]);
    here.ok(&["progress", "export", "mine.json"]);
    let text = fs::read_to_string(here.path().join("mine.json")).unwrap();
    assert_eq!(text, here.ok(&["progress", "export"]));
    fs::write(there.path().join("mine.json"), &text).unwrap();
    there.ok(&["progress", "import", "mine.json"]);
    let merged = there.ok(&["progress", "export"]);
    // Once more changes nothing, and the other way round comes to the same.
    there.ok(&["progress", "import", "mine.json"]);
    assert_eq!(there.ok(&["progress", "export"]), merged);
    let status: Value = serde_json::from_str(&there.ok(&["status", "--json"])).unwrap();
    for day in [0, 1, 2, 4] {
        assert_eq!(status["days"][day]["passed"], status["days"][day]["required"], "{status}");
    }
    assert_eq!(status["days"][3]["solution"], "gave_up", "{status}");
    assert!(there.path().join(".stripegym/backup").is_dir());
    let before = there.ok(&["progress", "export"]);
    let mut later: Value = serde_json::from_str(&text).unwrap();
    later["version"] = 9.into();
    for wrong in [later.to_string(), "{}".to_owned(), text[..text.len() / 2].to_owned()] {
        fs::write(there.path().join("wrong.json"), wrong).unwrap();
        let ran = there.run(&["progress", "import", "wrong.json"]);
        assert_eq!(ran.code, 4, "{ran:?}");
    }
    assert_eq!(there.ok(&["progress", "export"]), before);
}

#[test]
fn a_solution_comes_after_the_pass_or_is_noted() {
    let env = env();
    let held = env.run(&["solution", "SG3.7", "--lang", "en"]);
    assert_eq!(held.code, 1, "{held:?}");
    assert!(
        held.out.contains("stripegym hint SG3.7") && held.out.contains("--give-up"),
        "{held:?}"
    );
    env.ok(&["check", "D3.7"]);
    let shown = env.ok(&["solution", "SG3.7", "--in", "node"]);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/track");
    assert_eq!(shown, fs::read_to_string(root.join("node/solution/webhook.js")).unwrap());
    assert_eq!(env.run(&["solution", "day4"]).code, 1);
    let shown: Value =
        serde_json::from_str(&env.ok(&["solution", "day4", "--give-up", "--json"])).unwrap();
    assert_eq!((&shown["path"], &shown["gave_up"]), (&"ledger.py".into(), &true.into()));
    let status = env.ok(&["status", "--lang", "en"]);
    assert!(status.contains("given up") && status.contains("solution seen"), "{status}");
    assert_eq!(env.run(&["solution", "SG9.9"]).code, 2);
}

#[test]
fn a_starter_is_written_once_and_never_over_anything() {
    let env = env();
    env.ok(&["starter", "python", "shop"]);
    let root =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/track/python/starter");
    for name in ["app.py", "Dockerfile", ".dockerignore", "requirements.txt"] {
        let written = fs::read(env.path().join("shop").join(name)).unwrap();
        assert_eq!(written, fs::read(root.join(name)).unwrap(), "{name}");
    }
    fs::write(env.path().join("shop/app.py"), "mine").unwrap();
    let again = env.run(&["starter", "python", "shop"]);
    assert_eq!(again.code, 3, "{again:?}");
    assert_eq!(fs::read_to_string(env.path().join("shop/app.py")).unwrap(), "mine");
    assert_eq!(env.run(&["starter", "cobol", "shop2"]).code, 2);
}

#[test]
fn what_is_said_fits_eighty_columns() {
    let env = learner();
    env.ok(&["report", "--out", "r.md"]);
    for lang in ["en", "ja"] {
        for args in [
            &["status"][..],
            &["solution", "day6"],
            &["verify-report", "r.md"],
            &["progress", "export", "p.json"],
            &["progress", "import", "p.json"],
            &["starter", "node", lang],
        ] {
            let mut args = args.to_vec();
            args.extend(["--lang", lang]);
            let ran = env.run(&args);
            for line in ran.out.lines().chain(ran.err.lines()) {
                let wide = unicode_width::UnicodeWidthStr::width(line);
                let whole = line.split_whitespace().any(|word| word.len() > 60);
                assert!(wide <= 80 || whole, "{args:?}: {wide} columns: {line}");
            }
        }
    }
}
