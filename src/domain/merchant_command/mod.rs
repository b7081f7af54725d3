//! The merchant's commands as data: what each is called, which call of the API it is, what it takes and what it shows.
//! The command line, the calls, the tables and what `--json` promises are all made of it. Pure.

pub mod commands;
pub mod kept;
pub mod noun;

use crate::domain::merchant_command::commands::COMMANDS;
use crate::domain::merchant_command::noun::Noun;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// `GET` of one object.
    Show,
    /// `GET` of a page of objects.
    List,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
    /// A subscription ends: at the end of its period, or now.
    Cancel,
    /// What holds a subscription up is taken away, whatever it is.
    Resume,
    /// Every card of a customer is let go of.
    DetachAll,
    /// A Checkout Session is paid at its page.
    PayPage,
    /// Products and prices become those of a file.
    Sync,
    /// Something of what the shop keeps.
    Kept(Kept),
}

/// What is looked up, or changed, in the shop's own database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Orders.
    Orders,
    /// One order; where none is named, the newest.
    Order,
    /// A user's credits.
    Credits,
    /// Credits that are given by hand.
    Grant,
    /// Keys.
    Keys,
    /// The key that a user has paid for.
    Issue,
    /// A key that opens nothing any more.
    Revoke,
    /// The values of a namespace.
    Values,
    /// One value.
    Value,
    /// A value from now on.
    SetValue,
}

impl Kept {
    /// Whether it comes to a list.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Orders | Self::Keys | Self::Values)
    }
}

/// What is typed for an argument, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Words, as they are.
    Text,
    /// The id of a Checkout Session.
    Session,
    /// A whole number within these bounds; amounts are minor units.
    Count(i64, i64),
    /// The code of a currency.
    Currency,
    /// An instant; a duration counts from now.
    When,
    /// A flag that stands for this value.
    Switch(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `K=V`, several times.
    Pairs,
    /// A test card by its number, or a PaymentMethod.
    Card,
    /// The same; a test card is attached to the customer first.
    KeptCard,
    /// The same; where none is named, the newest card of the customer.
    NewestCard,
    /// The id of such an object.
    Id(&'static Noun),
    /// The same; where none is named, the newest.
    Newest(&'static Noun),
    /// The lookup key of a price, which becomes its id.
    LookupKey,
    /// An item of a subscription; where none is named, its first.
    Item,
    /// A payment by its session, itself or its charge.
    Payment,
    /// How a page is paid.
    Means,
    /// A file.
    File,
    /// Where a database is, when it is no file of the folder.
    Server,
}

/// An argument of a command.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name: `customer` is typed as such or as `--customer`.
    pub name: &'static str,
    /// Whether it is typed without a flag.
    pub positional: bool,
    /// Whether it must be typed.
    pub needed: bool,
    /// What is typed.
    pub kind: Kind,
    /// What stands for it where nothing is typed.
    pub default: Option<&'static str>,
    /// The parameters that get it, nested by dots; `{name}` in one is what was typed for that argument.
    pub places: &'static [&'static str],
}

impl Arg {
    /// A flag.
    pub const fn flag(name: &'static str, kind: Kind, places: &'static [&'static str]) -> Self {
        Self { name, positional: false, needed: false, kind, default: None, places }
    }

    /// What is typed without a flag and may be left out.
    pub const fn typed(name: &'static str, kind: Kind, places: &'static [&'static str]) -> Self {
        Self { positional: true, ..Self::flag(name, kind, places) }
    }

    /// The same, which must be typed.
    pub const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }

    /// The same with a default.
    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// What stands for its value in the help.
    pub const fn value_name(&self) -> &'static str {
        match self.kind {
            Kind::Text | Kind::OneOf(_) => "TEXT",
            Kind::Count(..) => "N",
            Kind::Currency => "CODE",
            Kind::When => "WHEN",
            Kind::Switch(_) => "",
            Kind::Pairs => "K=V",
            Kind::Card | Kind::KeptCard | Kind::NewestCard => "CARD|pm_…",
            Kind::Id(noun) | Kind::Newest(noun) => noun.id,
            Kind::LookupKey => "KEY",
            Kind::Item => "si_…",
            Kind::Session => "cs_…",
            Kind::Payment => "cs_…|pi_…|ch_…",
            Kind::Means => "CARD|decline|3ds|konbini|cancel",
            Kind::File => "FILE",
            Kind::Server => "postgres://…",
        }
    }
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub struct MerchantCommand {
    /// What is typed after the program's name: `customer create`.
    pub words: &'static str,
    /// What it does.
    pub work: Work,
    /// The path that is called; `{name}` is what was typed for that argument.
    pub path: &'static str,
    /// What it takes.
    pub args: &'static [Arg],
    /// Of these arguments no two are typed.
    pub one_of: &'static [&'static str],
    /// Whether one of them must be.
    pub one_needed: bool,
    /// Parameters that are always sent.
    pub fixed: &'static [(&'static str, &'static str)],
    /// What it shows.
    pub shows: &'static Noun,
}

impl MerchantCommand {
    /// What it is called without its group: `create`.
    pub fn verb(&self) -> &'static str {
        self.words.rsplit(' ').next().unwrap_or_default()
    }

    /// What it is called first: `customer`.
    pub fn group(&self) -> &'static str {
        self.words.split(' ').next().unwrap_or_default()
    }

    /// Its argument of that name.
    pub fn arg(&self, name: &str) -> Option<&'static Arg> {
        self.args.iter().find(|arg| arg.name == name)
    }

    /// What `--json` promises.
    pub fn schema(&self) -> String {
        let names: Vec<&str> = self.shows.members.iter().map(|it| it.name).collect();
        let row = format!("{{{}}}", names.join(", "));
        match self.work {
            Work::Kept(kept) if !kept.is_list() => row,
            Work::List | Work::Kept(_) => format!("{{data: [{row}], has_more}}"),
            Work::Sync => format!("{{data: [{row}], has_more: false}}"),
            Work::DetachAll => "{customer, detached: [id]}".to_owned(),
            Work::PayPage => "as of `checkout`".to_owned(),
            Work::Delete => format!("{{{}, deleted: true}}", self.shows.name),
            Work::Show | Work::Post | Work::Cancel | Work::Resume => row,
        }
    }
}

/// The command of these words.
pub fn find(words: &str) -> Option<&'static MerchantCommand> {
    COMMANDS.iter().find(|it| it.words == words)
}

/// The first words, each once.
pub fn groups() -> Vec<&'static str> {
    let mut found: Vec<&str> = COMMANDS.iter().map(MerchantCommand::group).collect();
    found.dedup();
    found
}
