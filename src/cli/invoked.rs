//! How the program was called, so that what it says can be typed where the reader stands.

use crate::config::sources::Sources;
use crate::view::canvas::NAME;
use std::ffi::OsString;
use std::path::{MAIN_SEPARATOR, Path};

/// What the reader types to run the program again: its name where a shell finds it, `cargo run --` where Cargo ran
/// it, else the path as it was typed.
pub(crate) fn program(argument: Option<&OsString>, sources: &Sources) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    as_typed(argument.and_then(|text| text.to_str()), &here, |name| sources.variable(name))
}

fn as_typed<'v>(
    argument: Option<&str>,
    here: &Path,
    variable: impl Fn(&str) -> Option<&'v str>,
) -> String {
    let Some(typed) = argument.filter(|text| text.contains(['/', MAIN_SEPARATOR])) else {
        return NAME.to_owned();
    };
    let folder = Path::new(typed).parent().unwrap_or(Path::new(""));
    // Cargo tells the programs that it runs where their package is; it finds that again from anywhere below.
    let package =
        variable("CARGO_MANIFEST_DIR").filter(|_| variable("CARGO_PKG_NAME") == Some(NAME));
    if package.is_some_and(|package| here.starts_with(package)) {
        let profile = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        return match profile {
            "debug" => "cargo run --".to_owned(),
            "release" => "cargo run --release --".to_owned(),
            other => format!("cargo run --profile {other} --"),
        };
    }
    let path = variable("PATH").unwrap_or_default();
    if std::env::split_paths(path).any(|known| known == folder) {
        return NAME.to_owned();
    }
    let plain = |c: char| c.is_alphanumeric() || "/._-:\\".contains(c);
    if typed.chars().all(plain) {
        typed.to_owned()
    } else {
        format!("'{}'", typed.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Line;
    use crate::view::canvas::COMMANDS;
    use clap::CommandFactory as _;

    #[test]
    fn the_program_is_named_as_it_was_called() {
        let cargo = [
            ("CARGO_MANIFEST_DIR", "/src/gym"),
            ("CARGO_PKG_NAME", "stripegym"),
            ("PATH", "/bin:/opt/bin"),
        ];
        let none = [("PATH", "/bin:/opt/bin")];
        let named = |typed: &str, here: &str, set: &[(&str, &'static str)]| {
            let find = |name: &str| set.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
            as_typed(Some(typed), Path::new(here), find)
        };
        assert_eq!(named("target/debug/stripegym", "/src/gym", &cargo), "cargo run --");
        assert_eq!(
            named("/t/release/stripegym", "/src/gym/lessons", &cargo),
            "cargo run --release --"
        );
        assert_eq!(named("/t/debug/stripegym", "/home", &cargo), "/t/debug/stripegym");
        assert_eq!(named("stripegym", "/src/gym", &none), "stripegym");
        assert_eq!(named("/opt/bin/stripegym", "/home", &none), "stripegym");
        assert_eq!(
            named("./target/debug/stripegym", "/src/gym", &none),
            "./target/debug/stripegym"
        );
        assert_eq!(named("/my tools/stripegym", "/", &none), "'/my tools/stripegym'");
    }

    #[test]
    fn every_command_is_one_that_texts_may_name() {
        for command in Line::command().get_subcommands().filter(|it| !it.is_hide_set()) {
            assert!(COMMANDS.contains(&command.get_name()), "{}", command.get_name());
        }
    }
}
