//! Puts the words of a language on the command line: every about, every flag, every heading.
//! Done only when help or a usage error is shown, so that no other command pays for it.

use crate::app::course::library;
use crate::cli::grammar::is_lesson;
use crate::domain::locale::Locale;
use crate::domain::merchant_command;
use crate::view::schema;
use crate::view::words::{Msg, look_up, say};
use crate::view::wrap::wrap;
use clap::builder::PossibleValue;
use clap::{Arg, Command};

/// Columns of an argument's explanation: what an indented line of 80 has left.
const HELP_WIDTH: u16 = 68;

/// `command` and everything below it, in `locale`.
pub(crate) fn localise(command: Command, locale: Locale) -> Command {
    let name = command.get_name().to_owned();
    localise_at(command, locale, &name, "")
}

fn localise_at(command: Command, locale: Locale, full: &str, path: &str) -> Command {
    let mut command = command
        .about(look_up(locale, &key(path, "about")).unwrap_or_default())
        .subcommand_help_heading(say(locale, &Msg::HeadingCommands))
        .subcommand_value_name("COMMAND")
        .help_template(template(locale))
        .mut_args(|arg| localise_arg(arg, locale, path));
    let lesson = is_lesson(path);
    if lesson {
        command = command.about(title(path, locale));
    }
    let long = look_up(locale, &key(if lesson { "day" } else { path }, "long"));
    let json = schema::of(if lesson { "day" } else { path })
        .map(|text| format!("{}\n{}", say(locale, &Msg::HeadingJson), indent(&text)));
    let long = long.map(|text| wrap(&text, 80, 2));
    let after: Vec<String> = long.into_iter().chain(json).collect();
    if !after.is_empty() {
        command = command.after_long_help(after.join("\n\n"));
    }
    let names: Vec<String> = command.get_subcommands().map(|s| s.get_name().to_owned()).collect();
    for name in names {
        let full = format!("{full} {name}");
        let path = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |sub| localise_at(sub, locale, &full, &path));
    }
    command.bin_name(full.to_owned())
}

fn localise_arg(arg: Arg, locale: Locale, path: &str) -> Arg {
    let global = arg.is_global_set() || arg.get_id() == "version";
    let own = if global { String::new() } else { path.to_owned() };
    let mut help = look_up(locale, &key(&own, arg.get_id().as_str())).unwrap_or_default();
    if arg.get_action().takes_values() {
        let values: Vec<_> = arg.get_possible_values();
        let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        let defaults: Vec<_> = arg.get_default_values().iter().filter_map(|v| v.to_str()).collect();
        let (values, value) = (values.join(", "), defaults.join(", "));
        let mut add = |text: &str, msg: Msg<'_>| {
            if !text.is_empty() {
                help.push(' ');
                help.push_str(&say(locale, &msg));
            }
        };
        add(&values, Msg::HelpOneOf { values: &values });
        add(&value, Msg::HelpDefault { value: &value });
    }
    let heading = if global {
        Msg::HeadingGlobal
    } else if arg.is_positional() {
        Msg::HeadingArguments
    } else {
        Msg::HeadingOptions
    };
    let takes_values = arg.get_action().takes_values();
    // clap breaks lines at blanks alone, of which Japanese has few.
    let help = wrap(&help, HELP_WIDTH, 0);
    let arg = arg.help(help).help_heading(say(locale, &heading));
    if takes_values { arg.hide_possible_values(true).hide_default_value(true) } else { arg }
}

fn template(locale: Locale) -> String {
    let usage = say(locale, &Msg::HeadingUsage);
    format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}")
}

/// `help-checkout-amount` of the path `checkout` and the argument `amount`.
pub(crate) fn key(path: &str, what: &str) -> String {
    let mut words: Vec<&str> = vec!["help"];
    // The lessons, and `check`, take the same flags: they are explained once.
    let day = is_lesson(path);
    let own = [
        "names", "all", "ci", "strict", "watch", "poll", "lasting", "rounds", "skip", "only",
        "budget", "format",
    ];
    let alike = day || path == "check" && !own.contains(&what);
    // So are those of the merchant's commands: one word for one thing.
    let of_merchant = merchant_command::find(path).is_some();
    let path = match what {
        "about" | "long" => path,
        _ if of_merchant => "merchant",
        _ if alike => "day",
        _ => path,
    };
    words.extend(path.split(' ').filter(|word| !word.is_empty()));
    words.push(what);
    words.join("-").replace('_', "-")
}

/// What a lesson calls itself.
fn title(id: &str, locale: Locale) -> String {
    library().texts(id, locale).map_or_else(|_| id.to_owned(), |texts| texts.title)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Line;
    use crate::cli::grammar;
    use crate::config::keys;
    use crate::view::words;
    use clap::CommandFactory as _;
    use std::collections::BTreeSet;

    fn walk(command: &Command, path: &str, wanted: &mut BTreeSet<String>) {
        wanted.insert(key(path, "about"));
        for arg in command.get_arguments() {
            let global = arg.is_global_set() || arg.get_id() == "version";
            wanted.insert(key(if global { "" } else { path }, arg.get_id().as_str()));
        }
        for sub in command.get_subcommands() {
            let name = sub.get_name();
            walk(
                sub,
                &if path.is_empty() { name.to_owned() } else { format!("{path} {name}") },
                wanted,
            );
        }
    }

    #[test]
    fn every_command_and_flag_is_explained_in_every_language_and_nothing_else_is() {
        let mut wanted = BTreeSet::new();
        walk(&Line::command(), "", &mut wanted);
        for locale in Locale::ALL {
            let have: BTreeSet<String> = words::keys(locale)
                .into_iter()
                .filter(|k| k.starts_with("help-") && !k.ends_with("-long"))
                .filter(|k| !matches!(*k, "help-one-of" | "help-default"))
                .map(str::to_owned)
                .collect();
            assert_eq!(
                wanted.difference(&have).collect::<Vec<_>>(),
                Vec::<&String>::new(),
                "lacking in {locale:?}"
            );
            assert_eq!(
                have.difference(&wanted).collect::<Vec<_>>(),
                Vec::<&String>::new(),
                "left over in {locale:?}"
            );
            for long in words::keys(locale)
                .iter()
                .filter(|k| k.starts_with("help-") && k.ends_with("-long"))
            {
                let about = long.replace("-long", "-about");
                assert!(wanted.contains(&about), "{long} belongs to no command");
            }
        }
    }

    #[test]
    fn every_setting_is_explained_in_every_language_and_nothing_else_is() {
        let wanted: BTreeSet<String> =
            keys::ALL.iter().map(|key| crate::cli::env_example::key(key.name)).collect();
        for locale in Locale::ALL {
            let all = words::keys(locale);
            let have: BTreeSet<String> =
                all.into_iter().filter(|k| k.starts_with("setting-")).map(str::to_owned).collect();
            assert_eq!(have, wanted, "{locale:?}");
        }
    }

    #[test]
    fn japanese_help_has_no_english_heading() {
        let mut command = localise(grammar::command(), Locale::Ja);
        command.build();
        let mut checkout = command.find_subcommand("checkout").unwrap().clone();
        let help = checkout.render_long_help().to_string();
        for heading in ["Usage", "Options", "Commands", "Arguments", "default", "possible"] {
            assert!(!help.contains(heading), "{heading} in\n{help}");
        }
        assert!(help.contains("stripegym checkout"), "{help}");
    }

    #[test]
    fn no_line_of_help_is_wider_than_a_terminal() {
        for locale in Locale::ALL {
            let mut command = localise(grammar::command(), locale).term_width(80);
            command.build();
            let mut all: Vec<Command> = command.get_subcommands().cloned().collect();
            all.push(command);
            for mut command in all {
                let help = command.render_long_help().to_string();
                for line in help.lines() {
                    let wide = unicode_width::UnicodeWidthStr::width(line);
                    assert!(wide <= 90, "{locale:?} {wide}: {line}");
                }
            }
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        grammar::command().debug_assert();
    }
}
