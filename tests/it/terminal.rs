//! What a person meets at a terminal: questions that are seen, keys that work, lines that stay where they are. Each
//! story in both languages, on 80 columns and 24 lines.

use crate::env::{Env, PATIENCE};
use crate::pty::{COLUMNS, CTRL_C, CTRL_D, CTRL_S, Terminal};
use crate::shop::{SECRET, completed, deliver};
use std::io::{BufRead as _, BufReader, pipe};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LANGS: [&str; 2] = ["en", "ja"];
const INTERRUPTED: i32 = 130;

fn world(lang: &str) -> Env {
    Env::new()
        .with("STRIPEGYM_LANG", lang)
        .with("STRIPEGYM_SANDBOX_PORT", "0")
        .with("PORT", "0")
        .with("PAGER", "cat")
}

#[test]
fn a_day_that_asks_nothing_ends_by_itself() {
    for lang in LANGS {
        let env = world(lang);
        let mut day0 = Terminal::start(&env, &["day0", "--yes"]);
        assert_eq!(day0.end(), 0, "{lang}:\n{}", day0.written());
        let said = day0.written();
        assert!(said.contains("stripegym day0 --attest D0.4"), "{lang}:\n{said}");
        assert!(!said.lines().any(|line| line.starts_with('?')), "{lang}:\n{said}");
    }
}

#[test]
fn a_question_is_on_the_screen_while_it_waits() {
    for lang in LANGS {
        let env = world(lang);
        let mut day1 = Terminal::start(&env, &["day1", "--from", "do"]);
        let question = day1.shows("? ");
        assert!(question.trim_start().starts_with('?'), "{lang}: {question}");
        day1.press("no such answer\n");
        day1.shows("✗");
        day1.press(CTRL_D);
        assert_eq!(day1.end(), 0, "{lang}: what was left open is no failure\n{}", day1.written());
    }
}

#[test]
fn ctrl_c_ends_a_question() {
    for lang in LANGS {
        let env = world(lang);
        let mut day1 = Terminal::start(&env, &["day1", "--from", "do"]);
        day1.shows("? ");
        day1.press(CTRL_C);
        assert_eq!(day1.end(), INTERRUPTED, "{lang}:\n{}", day1.written());
    }
}

#[test]
fn a_second_terminal_waits_for_the_day_of_the_first_and_says_so() {
    for (lang, taken) in
        [("en", "Another terminal has a day open"), ("ja", "別のターミナルで day を実行中")]
    {
        let env = world(lang);
        let mut first = Terminal::start(&env, &["day2"]);
        first.shows("day2>");
        let mut second = Terminal::start(&env, &["day2"]);
        second.shows(taken);
        second.shows("Ctrl-C");
        second.press(CTRL_C);
        assert_eq!(second.end(), INTERRUPTED, "{lang}:\n{}", second.written());
        let mut third = Terminal::start(&env, &["day1"]);
        third.shows(taken);
        assert_eq!(third.written().matches(taken).count(), 1, "{lang}: it is said once");
        first.press("quit\r");
        assert_eq!(first.end(), 0, "{lang}:\n{}", first.written());
        third.shows("day1>");
        third.press("quit\r");
        assert_eq!(third.end(), 0, "{lang}:\n{}", third.written());
    }
}

#[test]
fn waiting_for_a_payment_stays_on_one_line() {
    for lang in LANGS {
        let env = world(lang);
        let mut checkout = Terminal::start(&env, &["checkout", "--amount", "800", "--no-open"]);
        checkout.shows("/c/pay/cs_test_");
        // With the blank before it: an id may have these letters.
        checkout.shows(" 1s");
        let written = checkout.written().matches('\n').count();
        checkout.shows(" 3s");
        let more = checkout.written().matches('\n').count() - written;
        assert_eq!(
            more,
            0,
            "{lang}: new lines while nothing happens\n{}",
            checkout.screen().join("\n")
        );
        checkout.shows("/c/pay/cs_test_");
        checkout.press(CTRL_C);
        assert_eq!(checkout.end(), INTERRUPTED, "{lang}");
    }
}

#[test]
fn what_waits_ends_at_ctrl_c() {
    for lang in LANGS {
        let env = world(lang);
        for (args, ready) in [
            (&["sandbox", "--port", "0"][..], "Ready http"),
            (&["listen", "--port", "0"], "http://127.0.0.1:"),
            (&["check", "--watch"], "Ctrl-C"),
        ] {
            let mut program = Terminal::start(&env, args);
            program.shows(ready);
            program.press(CTRL_C);
            assert_eq!(program.end(), INTERRUPTED, "{lang} {args:?}:\n{}", program.written());
        }
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for lang in LANGS {
        let env = world(lang);
        env.ok(&["day0"]);
        for args in [
            &["cards"][..],
            &["ledger", "show"],
            &["reconcile"],
            &["events", "list"],
            &["doctor"],
            &["status"],
            &["check", "day0"],
            &["trigger", "payment_intent.succeeded"],
            &["explain"],
            &[],
        ] {
            let mut program = Terminal::start(&env, args);
            assert_eq!(program.end(), 0, "{lang} {args:?}:\n{}", program.written());
            for line in plain(&program.written()).lines() {
                let wide = unicode_width::UnicodeWidthStr::width(line);
                let whole =
                    line.split_whitespace().any(|word| word.contains("://") || word.len() > 40);
                assert!(wide <= usize::from(COLUMNS) || whole, "{lang} {args:?}: {wide}: {line}");
            }
        }
    }
}

#[test]
fn what_the_provider_proves_is_replayed_after_a_y_and_not_after_an_n() {
    for lang in LANGS {
        let env = world(lang);
        let sandbox = env.sandbox(&[]);
        let row = [
            ("amount", "700"),
            ("currency", "jpy"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"),
            ("automatic_payment_methods[allow_redirects]", "never"),
        ];
        sandbox.api.make("/v1/payment_intents", &row);
        for (answer, code) in [("n\n", 1), ("y\n", 0)] {
            let mut asking = Terminal::start(&env, &["reconcile", "--fix"]);
            asking.shows("? ");
            asking.press(answer);
            assert_eq!(asking.end(), code, "{lang} {answer}:\n{}", asking.written());
        }
        assert_eq!(env.run(&["reconcile"]).code, 0, "{lang}");
    }
}

#[test]
fn of_many_rows_that_agree_a_person_sees_those_that_differ() {
    let head = "id,amount,currency\n";
    let rows = |differing: usize| -> String {
        let row = |n: usize| format!("pi_{n:02},{},jpy", 500 + usize::from(n == differing));
        (0..60).map(row).collect::<Vec<_>>().join("\n")
    };
    for lang in LANGS {
        let env = world(lang);
        std::fs::write(env.path().join("a.csv"), format!("{head}{}", rows(99))).unwrap();
        std::fs::write(env.path().join("b.csv"), format!("{head}{}", rows(7))).unwrap();
        let sides = ["reconcile", "--ours", "csv:a.csv", "--theirs", "csv:b.csv"];
        let mut shown = Terminal::start(&env, &sides);
        assert_eq!(shown.end(), 1, "{lang}:\n{}", shown.written());
        let said = plain(&shown.written());
        assert!(said.contains("pi_07") && !said.contains("pi_08"), "{lang}:\n{said}");
        // Who reads a file gets those that agree as well.
        assert!(env.run(&sides).out.contains("pi_08"), "{lang}");
    }
}

#[test]
fn lines_of_a_log_come_as_they_are_written_until_ctrl_c() {
    for lang in LANGS {
        let env = world(lang);
        let sandbox = env.sandbox(&[]);
        let mut tail = Terminal::start(&env, &["logs", "tail"]);
        // What was there before is not followed.
        tail.shows("http://127.0.0.1:");
        sandbox.api.make("/v1/customers", &[("name", "Aki")]);
        tail.shows("/v1/customers");
        tail.press(CTRL_C);
        assert_eq!(tail.end(), INTERRUPTED, "{lang}:\n{}", tail.written());
    }
}

#[test]
fn a_long_text_goes_through_the_readers_pager() {
    for lang in LANGS {
        let env = world(lang).with("PAGER", "tail -n 1");
        let mut lesson = Terminal::start(&env, &["day1", "--full", "--only", "read"]);
        assert_eq!(lesson.end(), 0, "{lang}:\n{}", lesson.written());
        let written = lesson.written();
        let lines = written.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines < 24, "{lang}: the pager left one line of the lesson\n{written}");
    }
}

#[test]
fn a_table_goes_through_the_readers_pager_and_a_file_does_not() {
    for lang in LANGS {
        let env = world(lang).with("PAGER", "tail -n 1");
        let mut accounts = Terminal::start(&env, &["ledger", "accounts"]);
        assert_eq!(accounts.end(), 0, "{lang}:\n{}", accounts.written());
        let written = accounts.written();
        let lines = written.lines().filter(|line| !line.trim().is_empty()).count();
        assert_eq!(lines, 1, "{lang}: the pager left one line of the table\n{written}");
        assert!(env.ok(&["ledger", "accounts"]).lines().count() > 5);
    }
}

#[test]
fn a_server_that_was_started_ends_with_the_day_that_started_it() {
    for lang in LANGS {
        let env = world(lang);
        let server = "python3 -u -m http.server $PORT --bind 127.0.0.1";
        let mut day = Terminal::start(&env, &["check", "--watch", "--exec", server]);
        day.shows("Ctrl-C");
        day.press(CTRL_C);
        assert_eq!(day.end(), INTERRUPTED, "{lang}:\n{}", day.written());
    }
}

/// A text without colours.
fn plain(text: &str) -> String {
    let parts = text.split('\u{1b}').enumerate();
    let kept =
        parts.map(
            |(at, part)| {
                if at == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) }
            },
        );
    kept.collect()
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    for lang in LANGS {
        for args in [&["cards"][..], &["day0"], &["status"], &["checkout", "--no-wait"]] {
            let env = world(lang);
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            let mut command = env.command(args);
            let out = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
            let err = String::from_utf8_lossy(&out.stderr);
            assert_eq!(out.status.code(), Some(0), "{lang} {args:?}: {err}");
            assert!(!err.contains("panicked"), "{lang} {args:?}: {err}");
        }
    }
}

/// A listener whose lines are read up to its address, and never again. It believes [`SECRET`].
#[test]
fn a_terminal_that_was_stopped_holds_up_no_delivery_and_hears_ctrl_c() {
    for lang in LANGS {
        let env = world(lang).with("STRIPE_WEBHOOK_SECRET", SECRET);
        let mut listen = Terminal::start(&env, &["listen", "--port", "0"]);
        let line = listen.shows("/webhook");
        let after = line.split("http://127.0.0.1:").nth(1).unwrap();
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        let port = port.parse().unwrap();
        // Registered: nothing more is said by itself.
        listen.shows("we_");
        listen.press(CTRL_S);
        for at in 0..300 {
            let reply = deliver(port, &completed(&format!("evt_{at}"), &format!("cs_{at}"), 500));
            assert_eq!(reply.unwrap().status, 200, "{lang}");
        }
        listen.press(CTRL_C);
        listen.press(CTRL_C);
        assert_eq!(listen.end(), INTERRUPTED, "{lang}");
    }
}

#[test]
fn the_second_signal_ends_what_nobody_reads() {
    for second in ["-INT", "-TERM"] {
        let env = world("en").with("STRIPE_WEBHOOK_SECRET", SECRET);
        let mut command = env.command(&["listen", "--port", "0", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut unread = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("\"listening\"") {
            line.clear();
            assert!(unread.read_line(&mut line).unwrap() > 0, "ended early");
        }
        let after = line.split("http://127.0.0.1:").nth(1).unwrap();
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        let port = port.parse().unwrap();
        // More lines, which long ids make longer, than a pipe and the reader's own buffer hold.
        let long = "x".repeat(200);
        for at in 0..350 {
            let event = completed(&format!("evt_{at}{long}"), &format!("cs_{at}"), 500);
            let reply = deliver(port, &event);
            assert_eq!(reply.unwrap().status, 200, "what is not shown is taken all the same");
        }
        let pid = child.id().to_string();
        let signal = |kind: &str| {
            assert!(Command::new("kill").args([kind, &pid]).status().unwrap().success());
        };
        signal("-INT");
        // The listener is closed: the first signal was heard, and what is left is to be read.
        crate::env::eventually("the port is closed", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_err().then_some(())
        });
        assert!(child.try_wait().unwrap().is_none(), "all of it was shown: too few lines");
        signal(second);
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > until {
                child.kill().unwrap();
                panic!("alive after a second signal ({second})");
            }
            thread::sleep(Duration::from_millis(2));
        };
        assert_eq!(status.code(), Some(INTERRUPTED), "{second}");
        drop(unread);
    }
}
