//! The lessons that come with the program.

use crate::domain::locale::Locale;

macro_rules! day {
    ($day:literal, $name:expr) => {
        match $name {
            "lesson.toml" => Some(include_str!(concat!("../../lessons/", $day, "/lesson.toml"))),
            "ja.toml" => Some(include_str!(concat!("../../lessons/", $day, "/ja.toml"))),
            "en.toml" => Some(include_str!(concat!("../../lessons/", $day, "/en.toml"))),
            "ja.md" => Some(include_str!(concat!("../../lessons/", $day, "/ja.md"))),
            "en.md" => Some(include_str!(concat!("../../lessons/", $day, "/en.md"))),
            _ => None,
        }
    };
}

/// The text of an embedded file, `day3/lesson.toml`.
pub fn file(name: &str) -> Option<&'static str> {
    let (day, name) = name.split_once('/')?;
    match day {
        "day0" => day!("day0", name),
        "day1" => day!("day1", name),
        "day2" => day!("day2", name),
        "day3" => day!("day3", name),
        "day4" => day!("day4", name),
        "day5" => day!("day5", name),
        "day6" => day!("day6", name),
        _ => None,
    }
}

/// The documents of the built-in shop's project as the last day writes them, in a language: name, text.
/// `{version}`, `{api_version}`, `{port}` and `{sandbox_port}` are to be filled in.
pub const fn project(locale: Locale) -> [(&'static str, &'static str); 6] {
    let [readme, production] = match locale {
        Locale::En => [
            include_str!("../../lessons/day6/project/README.en.md"),
            include_str!("../../lessons/day6/project/production.en.md"),
        ],
        Locale::Ja => [
            include_str!("../../lessons/day6/project/README.ja.md"),
            include_str!("../../lessons/day6/project/production.ja.md"),
        ],
    };
    [
        ("README.md", readme),
        ("production.md", production),
        (".env.example", include_str!("../../lessons/day6/project/env.example")),
        (".gitignore", include_str!("../../lessons/day6/project/gitignore")),
        (".dockerignore", include_str!("../../lessons/day6/project/dockerignore")),
        ("LICENSE", include_str!("../../LICENSE")),
    ]
}

/// The README that is proposed for a project of the learner's own, in a language. Beside the facts above
/// `{name}`, `{stack}`, `{install}`, `{start}`, `{env}` and `{files}` are to be filled in.
pub const fn own_readme(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("../../lessons/day6/project/own.en.md"),
        Locale::Ja => include_str!("../../lessons/day6/project/own.ja.md"),
    }
}

/// What can be explained, in a language.
pub const fn topics(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("../../lessons/topics.en.toml"),
        Locale::Ja => include_str!("../../lessons/topics.ja.toml"),
    }
}
