//! A lesson that somebody else has written, in a folder beside the work: it is listed, taken, graded and reported like
//! those that came with the program.

use crate::env::Env;
use crate::pty::Terminal;
use std::fs;

const LESSON: &str = r#"
[lesson]
id = "shipping"
schema_version = 1
version = 1
api_version = "2026-10-28.endive"
verified_on = "2026-11-21"
docs = ["https://docs.stripe.com/webhooks"]

[[do]]
id = "paid"
act = [
  { checkout = { via = "api", amount = 700, currency = "jpy" }, save = "paid" },
  { pay = { session = "$paid", with = "4242424242424242" } },
]
by_hand = ["stripegym checkout --amount 700 --pay 4242424242424242"]

[[check]]
id = "D20.1"
code = "SG20.1"
kind = "auto"
level = "required"
arrange = ["paid"]
assert = [{ ledger_row = { session = "$paid", has = { status = "paid" } } }]
"#;
const STEPS: &str = r#"
[[step]]
id = "buy"
beat = "do"
type = ["checkout --amount 700 --pay 4242424242424242"]
done = { row = "paid" }
"#;

fn pack() -> Env {
    let env = Env::new()
        .with("STRIPEGYM_SANDBOX_PORT", "0")
        .with("PORT", "0")
        .with("STRIPEGYM_LANG", "en");
    let folder = env.path().join("lessons/shipping");
    fs::create_dir_all(&folder).unwrap();
    let entry = "[[lesson]]\nid = \"shipping\"\norder = 20\nneeds = [\"day6\"]\nminutes = 10\noptional = true\n";
    fs::write(env.path().join("lessons/course.toml"), entry).unwrap();
    fs::write(folder.join("lesson.toml"), LESSON).unwrap();
    fs::write(folder.join("steps.toml"), STEPS).unwrap();
    for (lang, title) in [("en", "Shipping · What goes out"), ("ja", "発送 · 何を送るか")]
    {
        let texts = format!(
            "title = \"{title}\"\ngoal = \"Ship.\"\n[do]\npaid = \"Pay.\"\n[check.\"D20.1\"]\ntitle = \"It is paid\"\n\
             checked = \"c\"\nwhy = \"w\"\nhints = [\"1\", \"2\", \"3\"]\n"
        );
        fs::write(folder.join(format!("{lang}.toml")), texts).unwrap();
        let sections = ["goal", "tasks", "look", "pitfalls", "done"];
        let sections = sections.map(|it| format!("## {it} {{#{it}}}\n\nText.\n"));
        fs::write(
            folder.join(format!("{lang}.md")),
            format!("# {title}\n\n{}", sections.join("\n")),
        )
        .unwrap();
        let steps = "learnt = \"Ship by the ledger.\"\n[step.buy]\ntext = \"Sell one.\"\nwhy = \"w\"\nhint = \"h\"\ndone = \"Sold.\"\n";
        fs::write(folder.join(format!("steps.{lang}.toml")), steps).unwrap();
    }
    env
}

#[test]
fn a_pack_adds_a_lesson_that_is_taken_like_any_other() {
    let env = pack();
    assert!(env.ok(&["--help"]).contains("Shipping · What goes out"));
    for args in [&["shipping", "--yes"][..], &["day", "shipping", "--yes"], &["check", "D20.1"]] {
        let said = env.ok(args);
        assert!(said.contains("D20.1"), "{args:?}: {said}");
    }
    let said = env.ok(&["day6", "--only", "read"]);
    assert!(!said.contains("shipping"), "{said}");
    let status = env.ok(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let last = status["days"].as_array().unwrap().last().unwrap();
    assert_eq!((last["day"].as_str(), last["passed"].as_u64()), (Some("shipping"), Some(1)));
    assert_eq!((last["shown"].as_u64(), last["done"].as_u64()), (Some(1), Some(0)));
    assert!(env.ok(&["report"]).contains("Shipping"), "it is reported");
    let mut talk = Terminal::start(&env, &["shipping"]);
    talk.shows("step 1 of 1");
    talk.shows("shipping>");
    talk.press("checkout --amount 700 --pay 4242424242424242\r");
    talk.shows("Sold.");
    talk.press("\r");
    assert_eq!(talk.end(), 0, "{}", talk.written());
    let status: serde_json::Value = serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
    let last = status["days"].as_array().unwrap().last().unwrap();
    assert_eq!(last["done"].as_u64(), Some(1));
    env.ok(&["reset", "shipping"]);
}

#[test]
fn a_pack_that_contradicts_itself_is_named() {
    let env = pack();
    let broken = "[[lesson]]\nid = \"../outside\"\norder = 21\nminutes = 1\n";
    fs::write(env.path().join("lessons/course.toml"), broken).unwrap();
    let ran = env.run(&["dev", "check"]);
    assert!(ran.code != 0 && ran.out.contains("course.toml"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_pack_stays_in_its_folder() {
    let env = pack();
    let lesson = env.path().join("lessons/shipping/lesson.toml");
    for (from, to, named) in [
        ("20.1\"", "/../../outside\"", "../outside"),
        ("alive = {}", "mentions = { file = \"../outside\", all = {} }", "../outside"),
    ] {
        let claim = LESSON.replace("assert = [", "assert = [{ alive = {} }, ");
        fs::write(&lesson, claim.replace(from, to)).unwrap();
        let ran = env.run(&["check", "shipping", "--lang", "en"]);
        assert_eq!(ran.code, 4, "{named}: {ran:?}");
        assert!(ran.err.contains(named), "{ran:?}");
    }
    // A link that leads out of it is not followed.
    fs::write(env.path().join("outside.toml"), LESSON).unwrap();
    fs::remove_file(&lesson).unwrap();
    std::os::unix::fs::symlink("../../outside.toml", &lesson).unwrap();
    let ran = env.run(&["check", "shipping", "--lang", "en"]);
    assert!(ran.code == 4 && ran.err.contains("shipping/lesson.toml"), "{ran:?}");
}

/// Lines before the tests of a file in which a text names a lesson.
fn naming(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let names = |part: &str| {
        let mut after = part.split("day").skip(1);
        after.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.filter(|line| line.split('"').skip(1).step_by(2).any(names)).collect()
}

#[test]
fn no_lesson_is_named_in_the_source() {
    assert_eq!(naming("let x = \"stripegym day4\";\n// \"day5\"\nday6(\"x\");").len(), 1);
    let mut wrong = Vec::new();
    for (path, text) in crate::tidy::files_of_source() {
        wrong.extend(naming(&text).into_iter().map(|line| format!("src/{path}: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
