//! `.env.example`, made from the table of settings; a test keeps the file at the top of the repository equal.

use crate::config::keys;
use crate::domain::locale::Locale;
use crate::view::text::add_line;
use crate::view::words::look_up;

/// The message that explains a setting: `setting-stripe-secret-key`.
pub(crate) fn key(name: &str) -> String {
    format!("setting-{}", name.to_ascii_lowercase().replace('_', "-"))
}

/// The file's whole text: each setting commented out with its default, explained in every language.
pub(crate) fn render() -> String {
    let mut out = String::new();
    for setting in keys::ALL {
        for locale in Locale::ALL {
            let words = look_up(locale, &key(setting.name)).unwrap_or_default();
            for line in words.lines() {
                add_line(&mut out, &format!("# {line}"));
            }
        }
        add_line(&mut out, &format!("#{}={}", setting.name, setting.default));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_repository_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example");
        let have = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(have, render(), "run: cargo run -- env-example > .env.example");
    }
}
