//! The command line itself: exit codes, languages, JSON, no colours where none are wanted, no secrets in logs.

use crate::env::{Env, rounds};
use crate::shop::{SECRET, completed, deliver, listen};
use serde_json::Value;

const CARD: &str = "4242424242424242";

const COMMANDS: [&[&str]; 44] = [
    &["day0"],
    &["day1"],
    &["day6"],
    &["check"],
    &["report"],
    &["verify-report"],
    &["progress", "export"],
    &["progress", "import"],
    &["solution"],
    &["starter"],
    &["status"],
    &["hint"],
    &["explain"],
    &["reset"],
    &["dev", "check"],
    &["checkout"],
    &["listen"],
    &["ledger", "show"],
    &["reconcile"],
    &["sandbox"],
    &["trigger"],
    &["events", "list"],
    &["events", "resend"],
    &["card", "charge"],
    &["card", "detach"],
    &["card", "list"],
    &["customer", "create"],
    &["invoice", "pay"],
    &["pay", "create"],
    &["plan", "sync"],
    &["order", "list"],
    &["credit", "grant"],
    &["api-key", "issue"],
    &["kv", "set"],
    &["subscribe"],
    &["cards"],
    &["dispute", "evidence"],
    &["dispute", "show"],
    &["dispute", "submit"],
    &["saved-cards"],
    &["setup"],
    &["shop"],
    &["shop", "migrate"],
    &["doctor"],
];

fn is_japanese(text: &str) -> bool {
    text.chars().any(|it| ('\u{3041}'..='\u{30ff}').contains(&it))
}

#[test]
fn help_exists_for_every_command_in_both_languages() {
    let env = Env::new();
    // A second for each here; what each help says is measured beside its text, and asked for here in the long run.
    for command in COMMANDS.iter().step_by(rounds(3, 1)) {
        let help = |lang: &str| {
            let mut arguments = command.to_vec();
            arguments.extend(["--help", "--lang", lang]);
            env.ok(&arguments)
        };
        let (english, japanese) = (help("en"), help("ja"));
        assert!(!is_japanese(&english), "{command:?}\n{english}");
        assert!(is_japanese(&japanese), "{command:?}\n{japanese}");
        let long = english.lines().find(|line| unicode_width::UnicodeWidthStr::width(*line) > 100);
        assert_eq!(long, None, "{command:?}");
    }
}

#[test]
fn the_language_follows_the_locale() {
    let said = |name: &str, value: &str| Env::new().with(name, value).ok(&["--help"]);
    assert!(is_japanese(&said("LANG", "ja_JP.UTF-8")));
    assert!(is_japanese(&said("LC_ALL", "ja_JP.UTF-8")));
    assert!(!is_japanese(&said("LANG", "C.UTF-8")));
    assert!(!is_japanese(&said("LANG", "fr_FR.UTF-8")));
}

#[test]
fn without_a_command_it_says_where_one_is_and_what_to_type() {
    let out = Env::new().ok::<&str>(&[]);
    assert!(out.contains("day0") && out.to_lowercase().contains("sandbox"), "{out}");
}

#[test]
fn what_cannot_be_understood_is_exit_2() {
    let env = Env::new();
    for arguments in [
        &["chekout"][..],
        &["checkout", "--amount", "five"],
        &["ledger"],
        &["--lang", "xx", "cards"],
    ] {
        let ran = env.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}: nothing said");
    }
}

#[test]
fn a_live_key_is_refused_before_anything_is_opened() {
    for key in ["sk_live_51abcdefghijklmnop", "rk_live_51abcdefghijklmnop"] {
        let env = Env::new().with("STRIPE_SECRET_KEY", key);
        for command in
            [&["checkout", "--amount", "500"][..], &["reconcile"], &["listen"], &["events", "list"]]
        {
            let ran = env.run(command);
            assert_eq!(ran.code, 5, "{command:?}: {ran:?}");
            assert!(!ran.err.contains("abcdefghijkl"), "the key is masked: {}", ran.err);
            assert!(ran.err.contains("STRIPE_SECRET_KEY"), "{}", ran.err);
        }
    }
}

#[test]
fn a_provider_that_is_down_is_exit_3() {
    // A port that nobody answers: taken once, then given back.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let env = Env::new()
        .with("STRIPE_API_BASE", &format!("http://127.0.0.1:{port}"))
        .with("STRIPE_SECRET_KEY", "sk_test_abcdefghijklmnop");
    let ran = env.run(&["events", "list"]);
    assert_eq!(ran.code, 3, "{ran:?}");
}

#[test]
fn json_is_json_and_nothing_else() {
    let env = Env::new();
    env.ok(&["day0"]);
    for command in
        [&["ledger", "show"][..], &["reconcile"], &["events", "list"], &["cards"], &["doctor"], &[]]
    {
        let mut arguments = command.to_vec();
        arguments.push("--json");
        let ran = env.run(&arguments);
        let value: Value = serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{command:?}: {error}\n{}\n{}", ran.out, ran.err));
        assert!(value.is_object() || value.is_array(), "{command:?}: {value}");
    }
    // A command that works step by step says one object a line.
    for line in env.ok(&["day0", "--json"]).lines() {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value.is_object(), "{line}");
    }
}

#[test]
fn no_colours_and_no_movement_without_a_terminal() {
    let env = Env::new();
    for arguments in [&["day0"][..], &["ledger", "show"], &["cards"], &["doctor"], &["reconcile"]] {
        let ran = env.run(arguments);
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{arguments:?}: {text:?}");
        }
    }
}

#[test]
fn tables_fit_eighty_columns_in_both_languages() {
    for lang in ["en", "ja"] {
        let env = Env::new().with("STRIPEGYM_LANG", lang);
        for arguments in
            [&["day0"][..], &["ledger", "show"], &["cards"], &["reconcile"], &["events", "list"]]
        {
            let out = env.ok(arguments);
            for line in out.lines() {
                let wide = unicode_width::UnicodeWidthStr::width(line);
                // An address or an id on a line of its own may be longer: it must stay whole to be copied.
                let whole =
                    line.split_whitespace().any(|word| word.contains("://") || word.len() > 60);
                assert!(wide <= 80 || whole, "{lang} {arguments:?}: {wide} columns: {line}");
            }
        }
    }
}

#[test]
fn no_secret_reaches_a_log_line() {
    let secret = SECRET;
    let env = Env::new().with("RUST_LOG", "trace").with("STRIPE_WEBHOOK_SECRET", secret);
    let mut sandbox = env.sandbox(&[]);
    let (mut listener, _) = listen(&env);
    let paid = env.run(&["checkout", "--amount", "500", "--pay", CARD]);
    assert_eq!(paid.code, 0, "{paid:?}");
    let declined = env.run(&["checkout", "--amount", "500", "--pay", "4000000000000002"]);
    listener.line_with("checkout.session.completed");
    let reconciled = env.run(&["reconcile"]);
    let day0 = Env::new().with("RUST_LOG", "trace").run(&["day0", "-vvv"]);
    listener.interrupt();
    sandbox.program.interrupt();
    let logs = [
        ("sandbox", sandbox.program.stderr()),
        ("listen", listener.stderr()),
        ("checkout", paid.err),
        ("checkout, declined", declined.err),
        ("reconcile", reconciled.err),
        ("day0", day0.err),
    ];
    for (who, log) in &logs {
        for hidden in [CARD, "4242 4242", "4000000000000002", secret, "whsec_", "sk_test_", "v1="] {
            let line = log.lines().find(|line| line.contains(hidden));
            assert_eq!(line, None, "{who}: `{hidden}` in a log line");
        }
        let credentials =
            log.lines().find(|line| line.contains("Bearer ") && !line.contains("redacted"));
        assert_eq!(credentials, None, "{who}");
    }
    assert!(logs[0].1.lines().count() > 10, "trace logs something: {}", logs[0].1);
}

#[test]
fn cards_are_grouped_and_found_by_what_is_typed() {
    for lang in ["en", "ja"] {
        let env = Env::new().with("STRIPEGYM_LANG", lang);
        let all = env.ok(&["cards"]);
        for group in ["succeeds", "declines", "3ds", "disputes", "konbini"] {
            assert!(all.contains(&format!("({group})")), "{lang}: {group}\n{all}");
        }
        let some = env.ok(&["cards", "declin"]);
        assert!(some.contains("4000000000009995") && !some.contains("4242424242424242"), "{some}");
        assert!(
            some.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80),
            "{some}"
        );
        assert!(env.ok(&["cards", "konbini"]).contains("succeed_immediately@"));
        let nothing = env.run(&["cards", "nosuch"]);
        assert_eq!(nothing.code, 2, "{nothing:?}");
        assert!(nothing.err.contains("declines"), "{}", nothing.err);
    }
    let found: Value =
        serde_json::from_str(&Env::new().ok(&["cards", "4242 4242 4242 4242", "--json"])).unwrap();
    assert_eq!(found["cards"][0]["group"], "succeeds", "{found}");
}

#[test]
fn a_page_that_ends_with_the_command_is_not_offered() {
    for lang in ["en", "ja"] {
        let env = Env::new().with("STRIPEGYM_LANG", lang).with("STRIPEGYM_SANDBOX_PORT", "0");
        let alone = env.ok(&["checkout", "--no-wait"]);
        assert!(!alone.contains("/c/pay/"), "{alone}");
        assert!(alone.lines().any(|line| line.trim() == "stripegym sandbox"), "{alone}");
        let _sandbox = env.sandbox(&[]);
        assert!(env.ok(&["checkout", "--no-wait"]).contains("/c/pay/cs_test_"));
        let paid = env.ok(&["checkout", "--pay", CARD]);
        let two = paid.lines().find(|line| line.matches("stripegym ").count() > 1);
        assert_eq!(two, None, "{paid}");
    }
}

#[cfg(unix)]
#[test]
fn what_comes_next_can_be_typed_as_it_stands() {
    let env = Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0");
    let program = env!("CARGO_BIN_EXE_stripegym");
    let said = |set: &[(&str, &str)]| {
        let plain = env.command(&["status"]);
        let mut command = std::process::Command::new(program);
        command.args(plain.get_args()).env_clear().current_dir(env.path());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let out = command.envs(set.iter().copied()).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let by_path = said(&[]);
    assert!(by_path.contains(&format!("{program} day0")), "{by_path}");
    let here = env.path().canonicalize().unwrap();
    let cargo = [("CARGO_MANIFEST_DIR", here.to_str().unwrap()), ("CARGO_PKG_NAME", "stripegym")];
    let by_cargo = said(&cargo);
    assert!(by_cargo.contains("cargo run") && by_cargo.contains(" -- day0"), "{by_cargo}");
    let installed = std::path::Path::new(program).parent().unwrap().to_str().unwrap();
    assert!(said(&[("PATH", installed)]).contains("Next: stripegym day0"));
}

#[test]
fn a_dotenv_that_other_programs_read_stops_no_command() {
    let env = Env::new();
    let foreign =
        "\u{feff}APP_NAME=My Shop\nMOTTO=don't panic\nNAME: x\nX={\"a\": 1}\nSTRIPEGYM_LANG=ja\n";
    std::fs::write(env.path().join(".env"), foreign).unwrap();
    for command in [&["status"][..], &["doctor"], &["cards"], &["explain", "D3.1"]] {
        let ran = env.run(command);
        assert!(ran.code != 3 && is_japanese(&ran.out), "{command:?} {}: {}", ran.code, ran.err);
    }
    std::fs::write(env.path().join(".env"), "A=b c\n\nSTRIPE_SECRET_KEY sk_test_hidden\n").unwrap();
    let ran = env.run(&["status"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains(".env:3") && !ran.err.contains("hidden"), "{}", ran.err);
}

#[test]
fn an_address_that_cannot_be_called_is_exit_2() {
    let env = Env::new();
    for lang in ["en", "ja"] {
        for (command, value, fits) in [
            ("listen", ["--forward-to", "ftp://127.0.0.1/x"], "http://127.0.0.1:4242/webhook"),
            ("checkout", ["--amount", "5.00"], "1-99999999"),
        ] {
            let ran = env.run(&[&[command, "--lang", lang][..], &value].concat());
            assert_eq!(ran.code, 2, "{}", ran.err);
            assert!(ran.err.contains(fits) && !ran.err.contains("invalid"), "{}", ran.err);
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_cause() {
    for (lang, cause, advice) in
        [("en", "No such file", "Check the path"), ("ja", "No such file", "パス")]
    {
        let ran = Env::new().run(&["verify-report", "nofile", "--lang", lang]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""));
        for said in ["nofile", cause, advice] {
            assert!(ran.err.contains(said), "{said}: {}", ran.err);
        }
        assert!(!ran.err.contains("--home"), "{}", ran.err);
    }
}

#[test]
fn a_folder_whose_sandbox_runs_already_is_not_said_to_lack_a_port() {
    let env = Env::new();
    let sandbox = env.sandbox(&[]);
    let ran = env.run(&["sandbox", "--port", "0"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains(&sandbox.url) && ran.err.contains("Stop that process"), "{}", ran.err);
    assert!(!ran.err.contains("--port 0"), "{}", ran.err);
    // And what is sent again to nobody is not said to be sent.
    sandbox.api.make("/v1/customers", &[("name", "Aki")]);
    let events = sandbox.api.read("/v1/events");
    let event = events["data"][0]["id"].as_str().unwrap();
    let said = env.ok(&["events", "resend", event]);
    assert!(said.contains("nothing was sent"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_sandbox_that_lived_in_memory_alone_says_that_nothing_is_kept() {
    let env = Env::new();
    for (flags, kept) in [(&["--ephemeral"][..], false), (&[], true)] {
        let mut sandbox = env.sandbox(flags);
        assert_eq!(sandbox.program.interrupt(), 130);
        let said = sandbox.program.stderr();
        assert_eq!(
            said.contains("is kept"),
            kept || said.contains("nothing of it is kept"),
            "{said}"
        );
        assert_eq!(said.contains("nothing of it is kept"), !kept, "{said}");
    }
}

#[test]
fn the_doctor_says_what_it_has_not_seen_and_what_stands_in_another_place() {
    let found = |env: &Env, name: &str| -> Vec<String> {
        let said: Value = serde_json::from_str(&env.run(&["doctor", "--json"]).out).unwrap();
        let all = said["findings"].as_array().unwrap().clone();
        let named = all.iter().filter(|it| it["name"] == name);
        named.map(|it| it["weight"].as_str().unwrap().to_owned()).collect()
    };
    let idle = Env::new();
    assert_eq!(found(&idle, "ledger"), ["unknown"]);
    assert_eq!(found(&idle, "clock"), ["unknown"]);
    for odd in ["we_1abc", "sk_teST_x", "whsec_a,we_1abc"] {
        let env = Env::new().with("STRIPE_WEBHOOK_SECRET", odd);
        assert_eq!(found(&env, "webhook_secrets"), ["caution"], "{odd}");
        let said = env.run(&["doctor"]).out;
        assert!(said.contains("whsec_") && !said.contains(odd), "{said}");
    }
    let silent = Env::new()
        .with("STRIPE_SECRET_KEY", "sk_test_0123456789abcdef")
        .with("STRIPEGYM_MODE", "stripe")
        .with("STRIPE_API_BASE", "http://127.0.0.1:1");
    assert_eq!(found(&silent, "provider"), ["problem"]);
}

#[test]
fn money_that_cannot_be_booked_is_said_while_listening() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    for (n, (from, to)) in
        [("\"jpy\"", "\"xyz\""), ("500", "500.5"), ("\"paid\"", "\"partially_paid\"")]
            .into_iter()
            .enumerate()
    {
        let (mut listener, port) = listen(&env);
        let body = String::from_utf8(completed(&format!("evt_{n}"), "cs_odd", 500)).unwrap();
        assert!(body.contains(from), "{body}");
        assert_eq!(deliver(port, body.replace(from, to).as_bytes()).unwrap().status, 200);
        let line: Value = serde_json::from_str(&listener.line_with("outcome")).unwrap();
        assert_eq!(line["outcome"], "not_booked", "{line}");
        assert!(line["reason"].is_string(), "{line}");
        listener.interrupt();
    }
}
