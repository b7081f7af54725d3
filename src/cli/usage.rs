//! Usage errors: from clap's facts to ours, so that they can be said in either language.

use crate::domain::fault::{FaultKind, UsageError};
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What `error` says, as a problem of `command` (`stripegym checkout`).
pub(crate) fn problem(error: &clap::Error, command: String) -> FaultKind {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let flag = || text(ContextKind::InvalidArg).unwrap_or_default();
    let usage_error = match error.kind() {
        ErrorKind::UnknownArgument if is_negative(&flag()) => {
            UsageError::Negative { value: flag() }
        }
        ErrorKind::UnknownArgument => {
            UsageError::UnknownFlag { flag: flag(), meant: text(ContextKind::SuggestedArg) }
        }
        ErrorKind::InvalidSubcommand => UsageError::UnknownCommand {
            command: text(ContextKind::InvalidSubcommand).unwrap_or_default(),
            meant: text(ContextKind::SuggestedSubcommand),
        },
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => UsageError::BadValue {
            flag: flag(),
            value: without_password(text(ContextKind::InvalidValue).unwrap_or_default()),
            expected: expected(error, text(ContextKind::ValidValue)),
        },
        ErrorKind::MissingRequiredArgument => UsageError::Missing { what: flag() },
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            UsageError::Missing { what: below(&command) }
        }
        ErrorKind::ArgumentConflict => UsageError::Conflict {
            flag: flag(),
            other: text(ContextKind::PriorArg).unwrap_or_default(),
        },
        _ => UsageError::Other { message: first_line(error) },
    };
    FaultKind::Usage { usage_error, command }
}

/// A value as it was typed; of what may be an address with a password in it only how it begins.
fn without_password(typed: String) -> String {
    match typed.split_once("://") {
        Some((scheme, rest)) if rest.contains('@') => format!("{scheme}://…"),
        _ => typed,
    }
}

/// Whether a number below zero was typed, which a parser takes for a flag: `-5`.
fn is_negative(typed: &str) -> bool {
    let digits = typed.strip_prefix('-').unwrap_or_default();
    digits.starts_with(|it: char| it.is_ascii_digit())
}

/// The commands that may follow `command`.
fn below(command: &str) -> String {
    let mut found = crate::cli::grammar::command();
    for word in command.split(' ').skip(1) {
        let Some(next) = found.find_subcommand(word).cloned() else { break };
        found = next;
    }
    let shown = found.get_subcommands().filter(|it| !it.is_hide_set());
    shown.map(clap::Command::get_name).collect::<Vec<_>>().join(", ")
}

/// The values that fit, or what the parser said about the one that does not.
fn expected(error: &clap::Error, values: Option<String>) -> String {
    values.filter(|v| !v.is_empty()).unwrap_or_else(|| {
        std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
    })
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Line;
    use clap::Parser as _;

    fn usage_error(args: &[&str]) -> UsageError {
        let error = Line::try_parse_from(args).unwrap_err();
        match problem(&error, "stripegym".to_owned()) {
            FaultKind::Usage { usage_error, .. } => usage_error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_typed_and_what_was_meant_is_kept() {
        let typed = ["stripegym", "chekout"];
        let expected = UsageError::UnknownCommand {
            command: "chekout".to_owned(),
            meant: Some("check, checkout".to_owned()),
        };
        assert_eq!(usage_error(&typed), expected);
        let typed = ["stripegym", "checkout", "--ammount", "5"];
        let expected = UsageError::UnknownFlag {
            flag: "--ammount".to_owned(),
            meant: Some("--amount".to_owned()),
        };
        assert_eq!(usage_error(&typed), expected);
    }

    #[test]
    fn a_negative_number_is_called_one_and_not_a_flag() {
        for typed in [
            ["stripegym", "checkout", "--amount", "-5"],
            ["stripegym", "customer", "list", "-1"],
            ["stripegym", "checkout", "--quantity", "-1.5"],
        ] {
            assert!(
                matches!(usage_error(&typed), UsageError::Negative { value } if value.starts_with('-'))
            );
        }
        let unknown = usage_error(&["stripegym", "checkout", "-x5"]);
        assert!(matches!(unknown, UsageError::UnknownFlag { .. }));
    }

    #[test]
    fn values_that_do_not_fit_come_with_those_that_do() {
        let UsageError::BadValue { value, expected, .. } =
            usage_error(&["stripegym", "--mode", "prod"])
        else {
            panic!("another usage_error");
        };
        assert_eq!((value.as_str(), expected.as_str()), ("prod", "sandbox, stripe"));
        assert!(matches!(
            usage_error(&["stripegym", "checkout", "--amount", "x"]),
            UsageError::BadValue { .. }
        ));
        assert!(matches!(
            usage_error(&["stripegym", "checkout", "--amount", "5", "--price", "p"]),
            UsageError::Conflict { .. }
        ));
        for typed in [["stripegym", "ledger"], ["stripegym", "events"]] {
            let error = Line::try_parse_from(typed).unwrap_err();
            let FaultKind::Usage { usage_error: UsageError::Missing { what }, .. } =
                problem(&error, typed.join(" "))
            else {
                panic!("{typed:?}")
            };
            assert!(what.contains("show"), "{typed:?}: {what:?}");
        }
    }

    #[test]
    fn what_fits_a_number_or_an_address_is_said_by_its_form() {
        for typed in [
            ["checkout", "--amount", "5.00"],
            ["checkout", "--quantity", "x"],
            ["listen", "--port", "http"],
            ["listen", "--count", "0"],
            ["listen", "--forward-to", "ftp://x"],
            ["sandbox", "--seed", "1.5"],
            ["sandbox", "--bind", "everywhere"],
            ["logs", "--limit", "many"],
        ] {
            let typed = [&["stripegym"][..], &typed].concat();
            let UsageError::BadValue { expected, .. } = usage_error(&typed) else {
                panic!("{typed:?}")
            };
            assert!(!expected.is_empty() && !expected.contains("invalid"), "{typed:?}: {expected}");
            assert!(expected.contains(char::is_numeric), "{typed:?}: {expected}");
        }
    }
}
