//! The week as a learner goes through it at a terminal of 80 columns and 24 lines: what each step says is typed, or done
//! elsewhere, or shown; the mistakes of a beginner are made; every screen is measured.

use crate::env::{Env, outer_path, rounds};
use crate::pty::{COLUMNS, CTRL_C, CTRL_D, Terminal};
use crate::transcript::DAYS;
use std::collections::BTreeMap;
use std::path::Path;

const LANGS: [&str; 2] = ["en", "ja"];
/// The lessons beyond the week that a shop of many users needs.
const SERVICE: [&str; 7] = [
    "payment-intents",
    "customers",
    "restricted-keys",
    "going-live",
    "orders-and-credits",
    "api-keys",
    "two-providers",
];

fn world(lang: &str) -> Env {
    Env::new()
        .with("STRIPEGYM_LANG", lang)
        .with("STRIPEGYM_SANDBOX_PORT", "0")
        .with("PORT", "0")
        .with("PAGER", "cat")
}

/// The steps of a day, as its file lists them.
#[derive(serde::Deserialize)]
struct Steps {
    step: Vec<Step>,
}

#[derive(serde::Deserialize)]
struct Step {
    id: String,
    beat: String,
    #[serde(default, rename = "type")]
    typed: Vec<String>,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default)]
    mend: Option<Mend>,
}

#[derive(serde::Deserialize)]
struct Mend {
    breaks: BTreeMap<String, Break>,
}

#[derive(serde::Deserialize)]
struct Break {
    right: String,
    wrong: String,
}

fn steps(day: &str) -> Vec<Step> {
    let path = format!("{}/lessons/{day}/steps.toml", env!("CARGO_MANIFEST_DIR"));
    toml::from_str::<Steps>(&std::fs::read_to_string(path).unwrap()).unwrap().step
}

/// A day at a terminal.
struct Talk {
    terminal: Terminal,
    lang: &'static str,
    day: &'static str,
    /// Lines that were entered, and key strokes that end one: each is followed by a prompt of its own.
    entered: usize,
}

impl Talk {
    fn start(env: &Env, lang: &'static str, day: &'static str) -> Self {
        Self::at(Terminal::start(env, &[day]), lang, day)
    }

    fn at(terminal: Terminal, lang: &'static str, day: &'static str) -> Self {
        Self { terminal, lang, day, entered: 0 }
    }

    fn press(&mut self, keys: &str) {
        self.entered += keys.matches(['\r', '\u{3}']).count();
        self.terminal.press(keys);
    }

    /// Waits for the prompt behind what is to be read, and measures the screen. The prompt that stood there before the
    /// last key was pressed is no answer to it.
    fn prompt(&mut self) -> String {
        let ready = format!("{}> ", self.day);
        self.terminal.writes(&ready, self.entered + 1);
        let screen = self.terminal.settles(|screen| {
            let last = screen.iter().rfind(|line| !line.trim().is_empty());
            last.is_some_and(|line| line.trim_end() == ready.trim_end())
        });
        let text = screen.join("\n");
        assert!(screen.len() <= 24, "{} {}:\n{text}", self.lang, self.day);
        for line in &screen {
            let wide = unicode_width::UnicodeWidthStr::width(line.as_str());
            assert!(wide <= usize::from(COLUMNS), "{} {}: {line}", self.lang, self.day);
        }
        text
    }

    /// Waits for the step's head: its screen has begun, and nothing of it has left the screen.
    fn step(&mut self, at: usize, all: usize) -> String {
        let head = match self.lang {
            "ja" => format!("手順 {at}/{all} "),
            _ => format!("step {at} of {all} "),
        };
        self.terminal.shows(&head);
        let text = self.prompt();
        assert!(text.lines().next().unwrap().contains(&head), "the head has left:\n{text}");
        text
    }

    fn line(&mut self, text: &str) -> String {
        self.press(&format!("{text}\r"));
        self.prompt()
    }
}

/// Puts the newest ids of a screen's suggestion in a command's place.
fn suggested(screen: &str, command: &str) -> String {
    let first = command.split(['{', ' ']).next().unwrap();
    let line = screen.lines().map(str::trim).find(|line| {
        line.starts_with(&format!("stripegym {first}"))
            && command.split('{').next().is_none_or(|begin| line.contains(begin.trim()))
    });
    line.unwrap_or_else(|| panic!("no `{command}` on\n{screen}")).to_owned()
}

/// Goes through a day by hand; the last screen of each step, and the one after the day.
fn day_by_hand(env: &Env, lang: &'static str, day: &'static str) -> Vec<String> {
    day_meanwhile(env, lang, day, &|_, _| {})
}

/// The same, while something happens elsewhere after a command of a step.
fn day_meanwhile(
    env: &Env,
    lang: &'static str,
    day: &'static str,
    elsewhere: &dyn Fn(&str, &str),
) -> Vec<String> {
    let mut talk = Talk::start(env, lang, day);
    let steps = steps(day);
    let mut screens = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let mut screen = talk.step(at + 1, steps.len());
        if let Some(answer) = step.answers.first() {
            // A guess first.
            talk.line("５５５");
            talk.line(answer);
            talk.terminal.shows(if lang == "ja" { "正解" } else { "Right" });
            screen = talk.prompt();
        }
        let last = step.typed.len().saturating_sub(1);
        for (number, command) in step.typed.iter().enumerate() {
            let command = match command.as_str() {
                "stop" | "start" => command.clone(),
                open if open.contains('{') => suggested(&screen, open),
                whole => format!("stripegym {whole}"),
            };
            talk.line(&command);
            elsewhere(&step.id, &command);
            if number == last {
                talk.terminal.shows(go_on(lang));
                screen = talk.prompt();
                assert!(screen.contains('✓'), "{lang} {day}: {command}\n{screen}");
            }
        }
        if step.beat == "mend" {
            assert!(screen.contains('✗'), "{lang} {day}: it is broken\n{screen}");
            talk.press("\r");
            talk.terminal.shows("✓");
            screen = talk.prompt();
        }
        screens.push(screen);
        talk.press("\r");
    }
    assert_eq!(talk.terminal.end(), 0, "{lang} {day}:\n{}", talk.terminal.written());
    let last = talk.terminal.screen().join("\n");
    let (shown, done) = counts(&last, lang);
    let doing = steps.iter().filter(|it| !it.typed.is_empty() || !it.answers.is_empty()).count();
    assert_eq!(done, doing, "{lang} {day}:\n{last}");
    assert_eq!(shown, steps.iter().filter(|it| it.beat == "mend").count(), "{lang} {day}:\n{last}");
    screens.push(last);
    screens
}

/// The week by hand, as the tour shows it: what differs from run to run is left out.
pub(crate) fn tour(lang: &'static str) -> String {
    let env = world(lang);
    let shown = DAYS.map(|day| {
        let screens = day_by_hand(&env, lang, day).into_iter().map(|it| usual(&it));
        let screens: Vec<String> = screens.collect();
        format!("### {day}\n\n```text\n{}\n```\n", screens.join("\n\n"))
    });
    let status: serde_json::Value = serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
    for day in &status["days"].as_array().unwrap()[..DAYS.len()] {
        assert!(day["done"].as_u64() > Some(0) && day["proved"] == 0, "{day}");
    }
    shown.join("\n")
}

/// A screen without what differs from run to run.
fn usual(screen: &str) -> String {
    let alnum = |c: char| c.is_ascii_alphanumeric();
    let digit = |c: char| c.is_ascii_digit();
    let mut text = screen.to_owned();
    for id in ["cs_test_", "evt_", "pi_", "ch_", "re_", "we_"] {
        text = masked(&text, id, |c| alnum(c) || c == '…', 6, "…");
    }
    text = masked(&text, "whsec_…", alnum, 1, "ntLD");
    text = masked(&text, "127.0.0.1:", digit, 3, "4242");
    text = masked(&text, "v1=", |c| c.is_ascii_hexdigit(), 6, "5257a869e7ec");
    text = masked(&text, "t=", digit, 9, "1795242361");
    text = masked(&text, "    ", |c| c.is_ascii_hexdigit(), 60, "5257a869e7ec…");
    text = masked(&text, "    ", digit, 9, "1795242361");
    text = masked(&text, "(", digit, 9, "1795241761");
    let unit = if text.contains("バイト") { " バイト" } else { " bytes" };
    let number = |line: &str, unit: &str, with: &str| match line.split_once(unit) {
        Some((before, after)) => {
            let kept = before.trim_end_matches(digit);
            if kept.len() == before.len() {
                line.to_owned()
            } else {
                format!("{kept}{with}{unit}{after}")
            }
        }
        None => line.to_owned(),
    };
    // The end of an address that did not fit its line: how much that is depends on the port.
    let is_rest = |line: &&str| {
        let line = line.trim_end();
        line.len() >= 6
            && line.chars().all(alnum)
            && line.contains(|c: char| !c.is_ascii_lowercase())
    };
    let line = |line: &str| {
        // Where the world of this test stands, nobody else has a folder.
        let line = match line.split_once(" · /") {
            Some((before, path)) if path.trim_end().ends_with("/.stripegym") => {
                format!("{before} · .stripegym")
            }
            _ => line.to_owned(),
        };
        // An address that was cut short ends in the middle of its port and of its id.
        let line = match line.split_once("127.0.0.1:") {
            Some((before, after)) => match after.trim_start_matches(digit).strip_prefix('…') {
                Some(rest) => format!("{before}127.0.0.1:4242…{}", rest.trim_start_matches(alnum)),
                None => line.clone(),
            },
            None => line,
        };
        let line = number(&number(line.trim_end(), " ms", "3"), unit, "2913");
        let is_time = |word: &str| word.len() == 8 && word.matches(':').count() == 2;
        let is_date = |word: &str| word.len() == 20 && word.ends_with('Z') && word.contains('T');
        let word = |word: &str| match word {
            it if is_time(it) => "22:14:03".to_owned(),
            it if is_date(it) => "2026-11-21T22:14:03Z".to_owned(),
            it => it.to_owned(),
        };
        line.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    let lines = text.lines().filter(|line| !is_rest(line));
    let lines: Vec<String> = lines.map(line).collect();
    lines.join("\n").trim_end().to_owned()
}

/// What follows `before` and is as long as that, in the place of which something stands.
fn masked(text: &str, before: &str, is: impl Fn(char) -> bool, least: usize, with: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&is);
        let count = part.chars().count() - rest.chars().count();
        out.push_str(before);
        out.push_str(if count >= least { with } else { &part[..part.len() - rest.len()] });
        out.push_str(rest);
    }
    out
}

/// What can be typed once a step is done.
fn go_on(lang: &str) -> &'static str {
    if lang == "ja" { "[Enter] 次へ" } else { "[Enter] go on" }
}

/// Shown and done, as the last screen says.
fn counts(screen: &str, lang: &str) -> (usize, usize) {
    let (shown, done) =
        if lang == "ja" { ("見た ", "自分でした ") } else { ("shown ", "done ") };
    let number = |before: &str| {
        let line = screen.lines().find(|line| line.contains(shown) && line.contains(done)).unwrap();
        let after = line.split(before).nth(1).unwrap();
        after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    (number(shown), number(done))
}

#[test]
fn a_mistake_is_answered_and_the_place_is_kept() {
    for lang in LANGS {
        let env = world(lang);
        let mut talk = Talk::start(&env, lang, "day1");
        let all = steps("day1").len();
        talk.step(1, all);
        talk.press("\r");
        talk.prompt();
        talk.press("\r");
        talk.step(2, all);
        // What Stripe says of it, and what that means.
        let said = talk.line("checkout --amount 5");
        assert!(said.contains("amount_too_small"), "{said}");
        assert!(said.contains(if lang == "ja" { "最低金額" } else { "least charge" }), "{said}");
        let said = talk.line("checkout --amount 50000");
        assert!(said.contains("¥50,000"), "{said}");
        // Full-width letters and blanks of an input method.
        let said = talk.line("ｃｈｅｃｋｏｕｔ　--amount　５００");
        assert!(said.contains('✓') && said.contains("amount_total"), "{said}");
        // What went over the wire, and that there is no more to say of it.
        let said = talk.line("raw");
        assert!(said.contains("/v1/checkout/sessions") && said.contains("POST"), "{said}");
        let said = talk.line("more");
        let less = if lang == "ja" { "これ以上はありません" } else { "There is no more" };
        assert!(said.contains(less), "{said}");
        talk.press("\r");
        talk.step(3, all);
        let said = talk.line("pay cs_test_nothing");
        assert!(said.contains("cs_test_nothing") && !said.contains('✓'), "{said}");
        let said = talk.line("sandbox --port 0");
        assert!(said.contains("sandbox"), "{said}");
        talk.press(&format!("half a li{CTRL_C}"));
        let said = talk.prompt();
        assert!(said.contains("quit"), "{said}");
        talk.line("why");
        talk.line("hint");
        talk.press(CTRL_D);
        assert_eq!(talk.terminal.end(), 0, "{lang}:\n{}", talk.terminal.written());
        let mut again = Talk::start(&env, lang, "day1");
        again.step(3, all);
        again.press("back\r");
        again.step(2, all);
        again.press("quit\r");
        assert_eq!(again.terminal.end(), 0);
    }
}

#[test]
fn lessons_beyond_the_week_go_by_hand_too() {
    by_hand(&["saved-cards", "refunds", "disputes", "subscriptions", "customer-portal"]);
}

#[test]
fn lessons_about_a_service_go_by_hand_too() {
    by_hand(&SERVICE);
}

/// Each in one language; in the long run in both.
fn by_hand(lessons: &[&'static str]) {
    for (number, lesson) in lessons.iter().enumerate() {
        for at in 0..rounds(1, 2) {
            let lang = LANGS[(number + at) % 2];
            day_by_hand(&world(lang), lang, lesson);
        }
    }
}

#[test]
fn the_language_is_asked_once_where_nothing_says_it() {
    let env =
        Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0").with("LANG", "C.UTF-8");
    let mut asked = Terminal::start(&env, &["day0"]);
    asked.shows("日本語");
    asked.press("2\r");
    asked.shows("手順 1/");
    asked.shows("day0>");
    asked.press("quit\r");
    assert_eq!(asked.end(), 0, "{}", asked.written());
    let mut again = Terminal::start(&env, &["day0"]);
    again.shows("手順 1/");
    again.shows("day0>");
    again.press("quit\r");
    assert_eq!(again.end(), 0);
}

#[test]
fn what_happens_elsewhere_is_seen() {
    let env = world("en");
    let mut talk = Talk::start(&env, "en", "day1");
    let all = steps("day1").len();
    talk.step(1, all);
    talk.line("reconcile");
    talk.press("\r");
    talk.step(2, all);
    env.ok(&["checkout", "--amount", "500", "--no-wait"]);
    talk.terminal.shows("500 yen are 500");
    talk.press("\r");
    talk.step(3, all);
    talk.press("quit\r");
    assert_eq!(talk.terminal.end(), 0);
}

#[test]
fn a_payment_without_a_session_is_repaired_with_the_others() {
    let env = world("en");
    let made = std::cell::RefCell::new(String::new());
    day_meanwhile(&env, "en", "day5", &|step, command| {
        if (step, command) == ("again", "stop") {
            let ran = env.run(&["trigger", "payment_intent.succeeded"]);
            let said = format!("{} {}", ran.out, ran.err);
            let id = said.split_whitespace().find(|word| word.starts_with("pi_"));
            id.unwrap_or_else(|| panic!("{said}")).clone_into(&mut made.borrow_mut());
        }
    });
    let made = made.into_inner();
    let booked = env.ok(&["ledger", "journal", "--object", &made, "--format", "csv"]);
    assert!(made.starts_with("pi_") && booked.contains(&made), "{made}: {booked}");
}

#[test]
fn a_window_that_is_made_small_gets_screens_that_fit() {
    let env = world("ja");
    let mut talk = Talk::start(&env, "ja", "day3");
    let all = steps("day3").len();
    talk.step(1, all);
    talk.terminal.resize(16, 60);
    talk.press("\r");
    talk.prompt();
    talk.press("\r");
    let screen = talk.step_anywhere();
    assert!(screen.len() <= 16 && screen[0].contains('○'), "{}", screen.join("\n"));
    talk.press("quit\r");
    assert_eq!(talk.terminal.end(), 0);
}

impl Talk {
    /// The screen once it stands still before the prompt.
    fn step_anywhere(&mut self) -> Vec<String> {
        self.prompt();
        self.terminal.screen()
    }
}

/// A folder with links to a few programs, so that no other is found.
fn only(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let found =
            outer_path().split(':').map(|it| Path::new(it).join(name)).find(|it| it.exists());
        std::os::unix::fs::symlink(found.unwrap(), folder.path().join(name)).unwrap();
    }
    folder
}

/// Comes to the exercise of a day, sees what is wrong, mends it in the file as the step says, and saves.
fn mended_by_hand(lang: &'static str, day: &'static str, language: &str) {
    let env = world(lang);
    // Python comes first where both are there.
    let node = only(&["node", "sh", "cat", "setsid"]);
    let (path, file) = match language {
        "node" => (node.path().display().to_string(), "shop.mjs"),
        _ => (outer_path(), "shop.py"),
    };
    let terminal = Terminal::start_among(&env, &[day], &path);
    let mut talk = Talk::at(terminal, lang, day);
    let steps = steps(day);
    let at = steps.iter().position(|step| step.mend.is_some()).unwrap();
    for before in 0..at {
        talk.step(before + 1, steps.len());
        talk.press("skip\r");
    }
    let screen = talk.step(at + 1, steps.len());
    assert!(screen.contains('✗') && screen.contains(file), "{lang} {day} {language}:\n{screen}");
    let path = env.path().join("mend").join(day).join(file);
    let broken = std::fs::read_to_string(&path).unwrap();
    let Break { right, wrong } = &steps[at].mend.as_ref().unwrap().breaks[language];
    assert_eq!(broken.matches(wrong.trim_end()).count(), 1, "{day} {language}");
    // Saved without being mended, it is still broken.
    std::fs::write(&path, format!("{broken}\n")).unwrap();
    std::fs::write(&path, broken.replacen(wrong.trim_end(), right.trim_end(), 1)).unwrap();
    talk.terminal.shows(if lang == "ja" { "直りました" } else { "Mended" });
    let screen = talk.prompt();
    assert!(screen.contains('✓'), "{lang} {day} {language}:\n{screen}");
    talk.press("quit\r");
    assert_eq!(talk.terminal.end(), 0, "{}", talk.terminal.written());
    let status: serde_json::Value = serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
    let of = status["days"].as_array().unwrap().iter().find(|it| it["day"] == day).unwrap();
    assert_eq!(of["done"], 1, "{of}");
}

#[test]
fn what_is_broken_is_mended_by_hand() {
    let all = ["day1", "day2", "day3", "day4", "day5", "subscriptions", "customer-portal"];
    let all = all.into_iter().chain(SERVICE);
    let every = all.flat_map(|day| ["python", "node"].map(|language| (day, language)));
    // The one that differs most from what the rest of this run does; all of them in the long one.
    let first = |it: &(&str, &str)| *it != ("day4", "node");
    let mut every: Vec<_> = every.collect();
    every.sort_by_key(first);
    for (number, (day, language)) in every.into_iter().take(rounds(1, 28)).enumerate() {
        mended_by_hand(LANGS[(number + 1) % 2], day, language);
    }
}

#[test]
fn without_python_and_node_the_exercise_says_what_to_install_and_counts_as_shown() {
    let bare = only(&["sh", "cat", "setsid"]);
    for lang in LANGS {
        let env = world(lang);
        let path = bare.path().display().to_string();
        let mut talk = Talk::at(Terminal::start_among(&env, &["day1"], &path), lang, "day1");
        let steps = steps("day1");
        let at = steps.iter().position(|step| step.mend.is_some()).unwrap();
        for before in 0..at {
            talk.step(before + 1, steps.len());
            talk.press("skip\r");
        }
        let screen = talk.step(at + 1, steps.len());
        assert!(screen.contains("python3") && screen.contains("node"), "{screen}");
        assert!(!screen.contains('✗') && !env.path().join("mend").exists(), "{screen}");
        talk.press("quit\r");
        assert_eq!(talk.terminal.end(), 0);
        let status: serde_json::Value =
            serde_json::from_str(&env.ok(&["status", "--json"])).unwrap();
        let of = status["days"].as_array().unwrap().iter().find(|it| it["day"] == "day1").unwrap();
        assert_eq!((of["shown"].as_u64(), of["done"].as_u64()), (Some(1), Some(0)), "{of}");
    }
}

#[test]
fn a_line_comes_back_and_a_word_is_completed() {
    let env = world("en");
    let mut talk = Talk::start(&env, "en", "day1");
    talk.step(1, steps("day1").len());
    talk.line("xyzzy");
    // The line before, with one letter more.
    talk.press("\u{1b}[Aq\r");
    talk.terminal.shows("xyzzyq");
    talk.prompt();
    talk.press("recon\t\r");
    talk.terminal.shows("day1> reconcile");
    talk.prompt();
    talk.press("quit\r");
    assert_eq!(talk.terminal.end(), 0);
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let env = world("en");
    let mut talk = Talk::start(&env, "en", "day1");
    let all = steps("day1").len();
    talk.step(1, all);
    // All of it at once, as it is pasted, while the first of it is still worked on.
    talk.press("skip\rcheckout --amount 50000\rcheckout --amount 500\r\rwhy\r");
    talk.step(3, all);
    let screen = talk.prompt();
    assert!(screen.contains("day1> why"), "{screen}");
    let written = talk.terminal.written();
    assert!(written.contains("¥50,000") && written.contains("500 yen are 500"), "{written}");
    talk.press("quit\r");
    assert_eq!(talk.terminal.end(), 0);
}
