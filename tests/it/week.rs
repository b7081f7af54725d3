//! The week as a learner goes through it at a terminal of 80 columns and 24 lines: what each step says is typed, or done
//! elsewhere, or shown; the mistakes of a beginner are made; every screen is measured.

use crate::env::Env;
use crate::pty::{COLUMNS, CTRL_C, CTRL_D, Terminal};

const LANGS: [&str; 2] = ["en", "ja"];

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
}

impl Talk {
    fn start(env: &Env, lang: &'static str, day: &'static str) -> Self {
        Self { terminal: Terminal::start(env, &[day]), lang, day }
    }

    /// Waits for the prompt behind what is to be read, and measures the screen.
    fn prompt(&mut self) -> String {
        let ready = format!("{}> ", self.day);
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
        self.terminal.press(&format!("{text}\r"));
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

fn day_by_hand(env: &Env, lang: &'static str, day: &'static str) {
    let mut talk = Talk::start(env, lang, day);
    let steps = steps(day);
    for (at, step) in steps.iter().enumerate() {
        let mut screen = talk.step(at + 1, steps.len());
        if let Some(answer) = step.answers.first() {
            let said = talk.line("５５５");
            assert!(said.contains("555") || said.contains("５５５"), "{said}");
            screen = talk.line(answer);
            assert!(screen.contains(if lang == "ja" { "正解" } else { "Right" }), "{screen}");
        }
        for command in &step.typed {
            let command = if command.contains('{') {
                suggested(&screen, command)
            } else {
                format!("stripegym {command}")
            };
            let said = talk.line(&command);
            let gone = said.contains('✓') || command.contains("stop") || command.contains("start");
            assert!(
                gone || command != format!("stripegym {}", step.typed.last().unwrap()),
                "{lang} {day} {}: {command}\n{said}",
                step.id
            );
        }
        if step.beat == "mend" {
            assert!(screen.contains('✗'), "{lang} {day}: it is broken\n{screen}");
            screen = talk.line("");
            assert!(screen.contains('✓'), "{lang} {day}: it is mended\n{screen}");
        }
        talk.terminal.press("\r");
    }
    assert_eq!(talk.terminal.end(), 0, "{lang} {day}:\n{}", talk.terminal.written());
    let last = talk.terminal.screen().join("\n");
    let (shown, done) = counts(&last, lang);
    let doing = steps.iter().filter(|it| !it.typed.is_empty() || !it.answers.is_empty()).count();
    assert_eq!(done, doing, "{lang} {day}:\n{last}");
    assert_eq!(shown, steps.iter().filter(|it| it.beat == "mend").count(), "{lang} {day}:\n{last}");
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
fn slow_the_week_is_done_by_hand_in_both_languages() {
    std::thread::scope(|scope| {
        for lang in LANGS {
            scope.spawn(move || {
                let env = world(lang);
                for day in ["day0", "day1", "day2", "day3", "day4", "day5", "day6"] {
                    day_by_hand(&env, lang, day);
                }
                let status = env.ok(&["status", "--json"]);
                assert!(status.contains("\"done\""), "{status}");
            });
        }
    });
}

#[test]
fn a_mistake_is_answered_and_the_place_is_kept() {
    for lang in LANGS {
        let env = world(lang);
        let mut talk = Talk::start(&env, lang, "day1");
        let all = steps("day1").len();
        talk.step(1, all);
        talk.terminal.press("\r");
        talk.prompt();
        talk.terminal.press("\r");
        talk.step(2, all);
        let said = talk.line("checkout --amount 50000");
        assert!(said.contains("¥50,000"), "{said}");
        // Full-width letters and blanks of an input method.
        let said = talk.line("ｃｈｅｃｋｏｕｔ　--amount　５００");
        assert!(said.contains('✓') && said.contains("amount_total"), "{said}");
        talk.terminal.press("\r");
        talk.step(3, all);
        let said = talk.line("pay cs_test_nothing");
        assert!(said.contains("cs_test_nothing") && !said.contains('✓'), "{said}");
        let said = talk.line("sandbox --port 0");
        assert!(said.contains("sandbox"), "{said}");
        talk.terminal.press(&format!("half a li{CTRL_C}"));
        let said = talk.prompt();
        assert!(said.contains("quit"), "{said}");
        talk.line("why");
        talk.line("hint");
        talk.terminal.press(CTRL_D);
        assert_eq!(talk.terminal.end(), 0, "{lang}:\n{}", talk.terminal.written());
        let mut again = Talk::start(&env, lang, "day1");
        again.step(3, all);
        again.terminal.press("back\r");
        again.step(2, all);
        again.terminal.press("quit\r");
        assert_eq!(again.terminal.end(), 0);
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
    talk.terminal.press("\r");
    talk.step(2, all);
    env.ok(&["checkout", "--amount", "500", "--no-wait"]);
    talk.terminal.shows("500 yen are 500");
    talk.terminal.press("\r");
    talk.step(3, all);
    talk.terminal.press("quit\r");
    assert_eq!(talk.terminal.end(), 0);
}

#[test]
fn a_window_that_is_made_small_gets_screens_that_fit() {
    let env = world("ja");
    let mut talk = Talk::start(&env, "ja", "day3");
    let all = steps("day3").len();
    talk.step(1, all);
    talk.terminal.resize(16, 60);
    talk.terminal.press("\r");
    talk.prompt();
    talk.terminal.press("\r");
    let screen = talk.step_anywhere();
    assert!(screen.len() <= 16 && screen[0].contains('○'), "{}", screen.join("\n"));
    talk.terminal.press("quit\r");
    assert_eq!(talk.terminal.end(), 0);
}

impl Talk {
    /// The screen once it stands still before the prompt.
    fn step_anywhere(&mut self) -> Vec<String> {
        self.prompt();
        self.terminal.screen()
    }
}
