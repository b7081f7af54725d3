//! The lessons that come with the program.

use crate::domain::locale::Locale;

/// Every file of `lessons/`, by its path there, in order.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/lessons.rs"));

/// The text of an embedded file, `day3/lesson.toml`.
pub fn file(name: &str) -> Option<&'static str> {
    let at = FILES.binary_search_by_key(&name, |(path, _)| path).ok()?;
    FILES.get(at).map(|(_, text)| *text)
}

/// The files of a folder and below it: their paths there, and their texts.
pub fn under(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let inside = move |path: &'static str| path.strip_prefix(folder)?.strip_prefix('/');
    FILES.iter().filter_map(move |(path, text)| Some((inside(path)?, *text)))
}

/// The documents of the built-in shop's project as the last day writes them, in a language: name, text.
/// `{version}`, `{api_version}`, `{port}` and `{sandbox_port}` are to be filled in.
pub const fn project(locale: Locale) -> [(&'static str, &'static str); 6] {
    let [readme, production] = match locale {
        Locale::En => [
            include_str!("../../lessons/project/README.en.md"),
            include_str!("../../lessons/project/production.en.md"),
        ],
        Locale::Ja => [
            include_str!("../../lessons/project/README.ja.md"),
            include_str!("../../lessons/project/production.ja.md"),
        ],
    };
    [
        ("README.md", readme),
        ("production.md", production),
        (".env.example", include_str!("../../lessons/project/env.example")),
        (".gitignore", include_str!("../../lessons/project/gitignore")),
        (".dockerignore", include_str!("../../lessons/project/dockerignore")),
        ("LICENSE", include_str!("../../LICENSE")),
    ]
}

/// The README that is proposed for a project of the learner's own, in a language. Beside the facts above
/// `{name}`, `{stack}`, `{install}`, `{start}`, `{env}` and `{files}` are to be filled in.
pub const fn own_readme(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("../../lessons/project/own.en.md"),
        Locale::Ja => include_str!("../../lessons/project/own.ja.md"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_path_and_a_folder_by_its_name() {
        assert!(FILES.iter().all(|(path, text)| file(path) == Some(*text)));
        assert!(file("no/such.toml").is_none());
        let starter: Vec<_> = under("track/python/starter").map(|(path, _)| path).collect();
        assert!(starter.contains(&"webhook.py") && starter.contains(&".env.example"));
        assert!(under("track/pyth").next().is_none());
    }
}
