//! The lessons that come with the program.

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
