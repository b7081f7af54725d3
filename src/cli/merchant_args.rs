//! The merchant's commands on the command line, made of the table in `domain::merchant`.

use crate::app::checkout_browser::Means;
use crate::app::given::{Asked, Given};
use crate::cli::options::Reader;
use crate::cli::values::whole;
use crate::domain::card;
use crate::domain::currency::Currency;
use crate::domain::fault::FaultKind;
use crate::domain::merchant_command::commands::COMMANDS;
use crate::domain::merchant_command::{self, Arg, Kind, MerchantCommand};
use crate::view::time;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, ValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, ArgGroup, ArgMatches, Command, FromArgMatches, Subcommand};
use std::collections::BTreeMap;

/// A command as it was typed.
#[derive(Clone, Debug)]
pub(crate) struct Merchant {
    pub(crate) command: &'static MerchantCommand,
    typed: BTreeMap<&'static str, Vec<String>>,
}

impl Merchant {
    /// What was typed for an argument, or stands for it.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.typed.get(name).and_then(|it| it.first()).map_or("", String::as_str)
    }
}

impl Subcommand for Merchant {
    fn augment_subcommands(line: Command) -> Command {
        merchant_command::groups().into_iter().fold(line, |line, name| line.subcommand(group(name)))
    }

    fn augment_subcommands_for_update(line: Command) -> Command {
        Self::augment_subcommands(line)
    }

    fn has_subcommand(name: &str) -> bool {
        merchant_command::groups().contains(&name)
    }
}

impl FromArgMatches for Merchant {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let unknown = || -> clap::Error { clap::Error::new(ErrorKind::MissingSubcommand) };
        let (group, own) = matches.subcommand().ok_or_else(unknown)?;
        let (words, own) = match own.subcommand() {
            Some((verb, own)) => (format!("{group} {verb}"), own),
            None => (group.to_owned(), own),
        };
        let command = merchant_command::find(&words).ok_or_else(unknown)?;
        let typed = command.args.iter().map(|arg| (arg.name, values(arg, own)));
        Ok(Self { command, typed: typed.filter(|(_, values)| !values.is_empty()).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn values(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    if let Kind::Switch(value) = arg.kind {
        return matches.get_flag(arg.name).then(|| value.to_owned()).into_iter().collect();
    }
    let raw = matches.get_raw(arg.name).into_iter().flatten();
    raw.map(|value| value.to_string_lossy().into_owned()).collect()
}

/// The command of a first word, with what may follow it.
fn group(name: &'static str) -> Command {
    let alone = merchant_command::find(name);
    // Their flags are long: what one does stands below it.
    let mut command = Command::new(name).next_line_help(true);
    if let Some(own) = alone {
        command = with_args(command, own);
    }
    for part in COMMANDS.iter().filter(|it| it.group() == name && it.words != name) {
        command =
            command.subcommand(with_args(Command::new(part.verb()).next_line_help(true), part));
    }
    match (alone, command.has_subcommands()) {
        (_, false) => command,
        (Some(_), true) => {
            command.args_conflicts_with_subcommands(true).subcommand_negates_reqs(true)
        }
        (None, true) => command.subcommand_required(true).arg_required_else_help(true),
    }
}

fn with_args(command: Command, own: &'static MerchantCommand) -> Command {
    let command = own.args.iter().fold(command, |command, it| command.arg(arg(own, it)));
    if own.one_of.is_empty() {
        return command;
    }
    command.group(ArgGroup::new("one-of").args(own.one_of.iter().copied()).required(own.one_needed))
}

fn arg(own: &MerchantCommand, it: &'static Arg) -> clap::Arg {
    let mut arg = clap::Arg::new(it.name).required(it.needed);
    if !it.positional {
        arg = arg.long(it.name);
    }
    arg = match it.kind {
        Kind::Switch(_) => arg.action(ArgAction::SetTrue),
        Kind::Pairs => arg.action(ArgAction::Append).value_name(it.value_name()),
        // A choice between two flags stands in the line of usage, which is not wrapped.
        Kind::Id(_) if own.one_of.contains(&it.name) => arg.action(ArgAction::Set).value_name("ID"),
        _ => arg.action(ArgAction::Set).value_name(it.value_name()),
    };
    if let Some(parser) = parser(it.kind) {
        arg = arg.value_parser(parser);
    }
    if let Some(default) = it.default {
        arg = arg.default_value(default);
    }
    // Where a parameter stands under what another argument says, that one is needed.
    let named = |place: &&'static str| Some(place.split_once('{')?.1.split_once('}')?.0);
    for name in it.places.iter().filter_map(named).filter(|name| own.arg(name).is_some()) {
        arg = arg.requires(name);
    }
    arg
}

/// What is held against its form before anything is opened. Numbers of cards are read later: a message must not
/// show them.
fn parser(kind: Kind) -> Option<ValueParser> {
    Some(match kind {
        Kind::Count(least, most) => ValueParser::new(whole::<i64>(least, most)),
        Kind::Currency => ValueParser::new(|text: &str| {
            let read = text.parse::<Currency>();
            read.map(Currency::code).map_err(|_| "jpy, usd, eur, …".to_owned())
        }),
        Kind::OneOf(words) => ValueParser::from(PossibleValuesParser::new(words.iter().copied())),
        Kind::Pairs => ValueParser::new(|text: &str| {
            let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
            pair.map(|_| text.to_owned()).ok_or_else(|| "plan=gold".to_owned())
        }),
        Kind::Id(_)
        | Kind::Newest(_)
        | Kind::Item
        | Kind::LookupKey
        | Kind::Payment
        | Kind::Session
        | Kind::Server
        | Kind::File => ValueParser::from(NonEmptyStringValueParser::new()),
        Kind::Text
        | Kind::When
        | Kind::Switch(_)
        | Kind::Card
        | Kind::KeptCard
        | Kind::NewestCard
        | Kind::Means => return None,
    })
}

impl Reader<'_> {
    /// What is asked for, read.
    pub(crate) fn merchant(&self, asked: Merchant) -> Result<Asked, FaultKind> {
        let command = asked.command;
        let mut given = BTreeMap::new();
        for (name, mut texts) in asked.typed {
            let Some(arg) = command.arg(name) else { continue };
            let text = texts.pop().unwrap_or_default();
            let value = match arg.kind {
                Kind::Pairs => {
                    texts.push(text);
                    let pair = |text: &String| {
                        let (name, value) = text.split_once('=')?;
                        Some((name.to_owned(), value.to_owned()))
                    };
                    Given::Pairs(texts.iter().filter_map(pair).collect())
                }
                Kind::Card | Kind::KeptCard | Kind::NewestCard => {
                    Given::One(self.card(name, text)?)
                }
                Kind::When => Given::One(self.future(name, &text)?),
                Kind::Currency => Given::One(text.to_lowercase()),
                _ => Given::One(text.trim().to_owned()),
            };
            given.insert(name, value);
        }
        Ok(Asked { command, given })
    }

    /// A card as the API takes it: never by its number.
    fn card(&self, name: &str, text: String) -> Result<String, FaultKind> {
        if ["pm_", "card_", "src_"].iter().any(|prefix| text.starts_with(prefix)) {
            return Ok(text);
        }
        let token = match Means::read(&text) {
            Some(Means::Card(number)) => card::by_number(&number).and_then(|it| it.method),
            _ => None,
        };
        let expected = "4242424242424242, decline, 3ds, pm_card_visa, pm_…";
        let token = token.ok_or_else(|| self.bad(&format!("--{name}"), "…", expected))?;
        Ok(format!("pm_card_{token}"))
    }

    /// An instant to come, as the API takes it: a duration counts from now.
    fn future(&self, name: &str, text: &str) -> Result<String, FaultKind> {
        let ahead = time::read_duration(text).and_then(|it| i64::try_from(it).ok());
        let at = match ahead {
            Some(seconds) => self.now.plus(seconds),
            None => time::read(text, self.now, self.zone)
                .ok_or_else(|| self.bad(&format!("--{name}"), text, "7d, 2026-12-24"))?,
        };
        Ok(at.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::grammar::{Field, Kind as Of, field};
    use crate::catalog::route::Routed;
    use crate::cli::grammar;
    use crate::domain::merchant_command::Work;

    fn read(words: &[&str]) -> Result<Merchant, clap::Error> {
        let words = std::iter::once("stripegym").chain(words.iter().copied());
        let matches = grammar::command().try_get_matches_from(words)?;
        Merchant::from_arg_matches(&matches)
    }

    #[test]
    fn every_row_is_reached_by_its_words_and_takes_what_it_lists() {
        for command in COMMANDS {
            let mut words: Vec<&str> = command.words.split(' ').collect();
            let needs = |arg: &&Arg| {
                arg.needed || command.one_needed && command.one_of.first() == Some(&arg.name)
            };
            for arg in command.args.iter().filter(needs) {
                if arg.positional {
                    words.push(if matches!(arg.kind, Kind::Count(..)) { "1" } else { "x" });
                } else {
                    words.extend([format!("--{}", arg.name).leak() as &str, "x"]);
                }
            }
            let typed = read(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
            assert_eq!(typed.command.words, command.words);
        }
    }

    #[test]
    fn a_session_is_paid_beside_what_is_done_to_payments() {
        let typed = read(&["pay", "cs_1", "--with", "3ds"]).unwrap();
        assert_eq!((typed.command.words, typed.text("session")), ("pay", "cs_1"));
        assert_eq!(read(&["pay", "capture", "pi_1"]).unwrap().command.words, "pay capture");
        assert!(read(&["pay"]).is_err() && read(&["subscribe"]).is_err());
        assert!(read(&["subscribe", "--price", "p", "--lookup-key", "k"]).is_err());
        assert!(read(&["portal", "--customer", "c", "--subscription", "s"]).is_err());
        assert!(read(&["customer", "delete", ""]).is_err(), "an empty id is no id");
    }

    /// Whether a parameter nested by dots is one of these fields.
    fn takes(fields: &[Field], place: &str) -> bool {
        let (head, rest) =
            place.split_once('.').map_or((place, None), |(head, rest)| (head, Some(rest)));
        let Some(found) = field(fields, head) else { return false };
        rest.is_none_or(|rest| within(&found.of.kind, rest))
    }

    fn within(kind: &Of, rest: &str) -> bool {
        match kind {
            Of::List(of) => {
                let (at, rest) =
                    rest.split_once('.').map_or((rest, None), |(at, rest)| (at, Some(rest)));
                at.parse::<usize>().is_ok() && rest.is_none_or(|rest| within(&of.kind, rest))
            }
            Of::Shape(name) => {
                Catalog::get().params(name).is_some_and(|shape| takes(&shape.fields, rest))
            }
            Of::Union(all) => all.iter().any(|one| within(&one.kind, rest)),
            _ => false,
        }
    }

    #[test]
    fn every_parameter_is_one_that_the_endpoint_takes() {
        for command in COMMANDS.iter().filter(|it| !it.path.is_empty()) {
            let method = match command.work {
                Work::Show | Work::List => "GET",
                Work::Delete => "DELETE",
                _ => "POST",
            };
            let path = command.path.split('/').map(|it| if it.starts_with('{') { "x" } else { it });
            let path = path.collect::<Vec<_>>().join("/");
            let Routed::Found(route) = Catalog::get().route(method, &path) else {
                panic!("{}: {method} {path}", command.words)
            };
            let shape = route.endpoint.params.and_then(|name| Catalog::get().params(name));
            let fields = shape.map_or([].as_slice(), |shape| shape.fields.as_slice());
            let fixed = command.fixed.iter().map(|(place, _)| *place);
            for place in fixed.chain(command.args.iter().flat_map(|arg| arg.places.iter().copied()))
            {
                let place =
                    place.replace("{flow}", "subscription_cancel").replace("{kind}", "charge");
                assert!(takes(fields, &place), "{}: {place}", command.words);
            }
        }
    }

    #[test]
    fn every_member_that_is_shown_is_one_of_the_object() {
        for command in COMMANDS.iter().filter(|it| !it.path.is_empty()) {
            let noun = command.shows;
            let object = match noun.name {
                "portal_session" => "billing_portal.session",
                name => name,
            };
            let shape = Catalog::get().object(object).unwrap();
            for member in noun.members {
                let first = member.at.split('/').nth(1).unwrap();
                assert!(
                    first == "deleted" || field(&shape.fields, first).is_some(),
                    "{}: {first}",
                    noun.name
                );
            }
        }
    }
}
