//! A project of the learner's own before the last day and the first: its README is followed in a clean copy, its
//! files are read by rules. The stories with a real framework are run by `./test`, which installs it.

use crate::env::{Env, outer_path};
use crate::track::{copy, installed, track};
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

/// A world in which a day finds its ports by itself.
fn world() -> Env {
    Env::new().with("PORT", "0").with("STRIPEGYM_SANDBOX_PORT", "0")
}

/// What the course says of a day about the project in `shop`: the last line of its JSON, and all of it.
fn grade(env: &Env, day: &str) -> (Value, String) {
    let ran = env.run(&[day, "--project", "shop", "--only", "check", "--json"]);
    let last = ran.out.lines().last().unwrap_or_default();
    let read = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (read, ran.out)
}

/// The line of a check.
fn check(said: &str, id: &str) -> Value {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.into_iter().find(|line| line["check"] == id).unwrap_or_else(|| panic!("no {id}: {said}"))
}

fn write(env: &Env, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = env.path().join("shop").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_block_that_fails_is_named_by_its_number_line_and_last_words() {
    let env = world();
    let readme = "# Shop\n\n<!-- run -->\n```bash\nexport WORD=kept\ncd sub\n```\n\ntext\n\n```bash run\n\
        test \"$WORD\" = kept\ntest -n \"$STRIPE_SECRET_KEY\"\ncat inside.txt\n# why\necho to the end >&2; exit 3\n```\n";
    write(&env, &[("README.md", readme), ("sub/inside.txt", "x"), ("package.json", "{}")]);
    let (_, said) = grade(&env, "day6");
    let found = check(&said, "D6.1");
    assert_eq!(found["code"], "SG6.1-BLOCK", "{found}");
    let got = found["got"].as_str().unwrap();
    assert!(
        got.starts_with("#2 README.md:") && got.contains("→ 3") && got.contains("to the end"),
        "{got}"
    );
    assert!(env.path().join(".stripegym/proposed/production.md").exists());
    assert!(!env.path().join("shop/production.md").exists(), "nothing is written into the project");
}

#[test]
fn what_needs_docker_is_skipped_and_what_serves_nothing_is_told() {
    let env = world();
    let readme = "# Shop\n```bash run\ndocker compose up\n```\n```bash run\ntrue\n```\n";
    write(&env, &[("README.md", readme), ("package.json", "{}")]);
    let (_, said) = grade(&env, "day6");
    assert_eq!(check(&said, "D6.1")["code"], "SG6.1-NOSERVER");
    assert_eq!(check(&said, "D6.2")["state"], "fail");
}

#[test]
fn rules_look_at_a_project_and_are_skipped_where_there_is_none() {
    let env = world();
    let note = |last: &Value, id: &str| {
        let notes = last["notes"].as_array().unwrap();
        notes.iter().find(|note| note["id"] == id).unwrap().clone()
    };
    let ran = env.run(&["day0", "--only", "check", "--json"]);
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(note(&last, "N0.2")["state"], "skip", "{last}");
    assert_eq!(note(&last, "N0.2")["because"][0], "--project DIR");
    let files = [
        ("Dockerfile", "FROM python:3.10-slim\nCOPY . .\n"),
        ("app.py", "stripe.api_key = 'sk_test_51Habcdefgh'\n"),
        (".gitignore", ".env\n"),
    ];
    write(&env, &files);
    let (last, _) = grade(&env, "day0");
    assert!(note(&last, "N0.2").to_string().contains("Dockerfile:1 python:3.10-slim"), "{last}");
    assert!(note(&last, "N0.3").to_string().contains("Dockerfile:2 COPY"), "{last}");
}

#[test]
fn settings_are_made_from_their_example_once_and_only_for_an_own_project() {
    let env = world();
    let made = env.path().join("shop/.env");
    write(
        &env,
        &[("package.json", "{}"), (".env.example", "STRIPE_SECRET_KEY=sk_test_replace_me\n")],
    );
    let run =
        |args: &[&str]| env.run(&[&["day0", "--only", "check", "--lang", "en"], args].concat());
    let ran = run(&[]);
    assert!(!made.exists() && !env.path().join(".env").exists(), "{ran:?}");
    let ran = run(&["--project", "shop"]);
    assert!(ran.err.contains("shop/.env was made from .env.example"), "{ran:?}");
    let text = fs::read_to_string(&made).unwrap();
    assert_eq!(text, "STRIPE_SECRET_KEY=sk_test_replace_me\nSTRIPEGYM_MODE=sandbox\n");
    fs::write(&made, "PORT=1\n").unwrap();
    let ran = run(&["--project", "shop"]);
    assert!(!ran.err.contains(".env.example"), "{ran:?}");
    assert_eq!(fs::read_to_string(&made).unwrap(), "PORT=1\n");
}

#[test]
fn a_publishable_key_in_the_secret_slot_is_named_and_nothing_is_run() {
    for (name, key, exit, words) in [
        ("STRIPE_SECRET_KEY", "pk_test_0123456789", 3, "holds a publishable key"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_0123456789", 3, "holds a secret key"),
        ("STRIPE_SECRET_KEY", "sk_live_0123456789", 5, "is a live key"),
    ] {
        let ran = world().with(name, key).run(&["day0", "--lang", "en"]);
        assert_eq!(ran.code, exit, "{ran:?}");
        assert!(ran.err.contains(&format!("`{name}` {words}")), "{ran:?}");
        assert!(ran.out.is_empty() && !ran.err.contains(key), "{ran:?}");
    }
}

/// Answers every request with nothing but the name of a server; where it cannot, there is no such address here.
fn answering(address: &str, server: &'static str) -> Option<u16> {
    let listener = TcpListener::bind(address).ok()?;
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 1024];
            if stream.read(&mut asked).is_ok_and(|read| read > 0) {
                let head = format!("HTTP/1.1 403 Forbidden\r\nServer: {server}\r\n");
                stream.write_all(format!("{head}Content-Length: 0\r\n\r\n").as_bytes()).unwrap();
            }
        }
    });
    Some(port)
}

#[test]
fn an_application_that_does_not_answer_is_told_by_its_layer() {
    let world = world();
    let run = |port: u16| {
        let app = format!("http://127.0.0.1:{port}");
        world.run(&["day0", "--app", &app, "--only", "check", "--lang", "en"])
    };
    let ran = run(answering("127.0.0.1:0", "AirTunes/670.6.2").unwrap());
    assert!(ran.out.contains("SG0.1-AIRPLAY") && ran.out.contains("note: N0.1"), "{ran:?}");
    if let Some(port) = answering("[::1]:0", "tea") {
        let ran = run(port);
        assert!(ran.err.contains(&format!("--app http://[::1]:{port}")), "{ran:?}");
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ran = run(free);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("Nothing listens at that port"), "{ran:?}");
}

/// A copy of what a learner has, with the framework on the PATH as an activated environment has it.
fn python(which: &str) -> Env {
    let path = format!("{}:{}", installed("venv/bin").display(), outer_path());
    let env = world().with("PATH", &path);
    copy(&track().join("python").join(which), &env.path().join("shop"));
    env
}

#[test]
#[ignore = "needs Flask and gunicorn: ./test"]
fn project_python_solution_passes_the_last_day() {
    let env = python("solution");
    let (last, said) = grade(&env, "day6");
    assert_eq!(last["ok"], true, "{said}");
    assert_eq!(check(&said, "D6.1")["state"], "pass", "{said}");
}

#[test]
#[ignore = "needs Flask and gunicorn: ./test"]
fn project_python_starter_fails_the_last_day() {
    let env = python("starter");
    let (last, said) = grade(&env, "day6");
    assert_eq!(last["ok"], false, "{said}");
    for id in ["D6.1", "D6.2", "D6.4"] {
        assert_eq!(check(&said, id)["state"], "fail", "{said}");
    }
}

/// A copy of what a learner has, with a stand-in for the installer: the README is followed offline, with the very
/// packages that `./test` has installed from the same lock file, or the program that it has built from the same text.
fn offline(language: &str, which: &str) -> Env {
    let (installer, does) = if language == "node" {
        let modules = installed("node/node_modules");
        ("npm", format!("test \"$1\" = ci && ln -s '{}' node_modules", modules.display()))
    } else {
        let shop = installed("rust/debug/tea-shop");
        // As a proxy of rustup: without its home it has no toolchain to start.
        let build = "test -d \"$RUSTUP_HOME\" && test \"$1 $2\" = 'build --release' && mkdir -p target/release";
        ("cargo", format!("{build} && cp '{}' target/release/", shop.display()))
    };
    let env = world();
    let bin = env.path().join("installer");
    fs::create_dir_all(env.path().join(".rustup")).unwrap();
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join(installer), format!("#!/bin/sh\n{does}\n")).unwrap();
    fs::set_permissions(bin.join(installer), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), outer_path());
    copy(&track().join(language).join(which), &env.path().join("shop"));
    env.with("PATH", &path)
}

#[test]
#[ignore = "needs Express and axum: ./test"]
fn project_node_and_rust_solutions_pass_the_last_day() {
    for language in ["node", "rust"] {
        let (last, said) = grade(&offline(language, "solution"), "day6");
        assert_eq!(check(&said, "D6.1")["state"], "pass", "{language}: {said}");
        assert_eq!(last["ok"], true, "{language}: {said}");
    }
}

#[test]
#[ignore = "needs Express and axum: ./test"]
fn project_node_and_rust_starters_fail_the_last_day() {
    for language in ["node", "rust"] {
        let (last, said) = grade(&offline(language, "starter"), "day6");
        assert_eq!(last["ok"], false, "{language}: {said}");
        for id in ["D6.1", "D6.2", "D6.4"] {
            assert_eq!(check(&said, id)["state"], "fail", "{language}: {said}");
        }
    }
}

#[test]
#[ignore = "needs Flask and gunicorn: ./test"]
fn project_python_readme_that_forgets_a_setting_is_caught() {
    let env = python("solution");
    let path = env.path().join("shop/README.md");
    let text = fs::read_to_string(&path).unwrap();
    let broken = text.replace("set -a && . ./.env && set +a", "unset STRIPE_WEBHOOK_SECRET");
    assert_ne!(text, broken);
    fs::write(&path, broken).unwrap();
    let (_, said) = grade(&env, "day6");
    let found = check(&said, "D6.1");
    assert_eq!(found["code"], "SG6.1-BLOCK", "{found}");
    assert!(found["got"].as_str().unwrap().contains("STRIPE_WEBHOOK_SECRET"), "{found}");
}
