//! What can be said of a project by reading its files: rules over texts, without running anything. A rule has
//! its name from lessons, and each thing that it finds has a file and a line.

pub mod image;
pub mod lines;
pub mod manifest;
pub mod readme;
pub mod secret;
pub mod source;
pub mod webhook;

use crate::domain::course::lint::lines::{Kind, Line};
use crate::domain::named::named;

/// A file of a project, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Its path from the project's folder, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl Text {
    /// A file with what is in it.
    #[cfg(test)]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Its name without folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What sort of file it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.path)
    }

    /// Its lines, with code and comments told apart.
    pub fn lines(&self) -> Vec<Line<'_>> {
        lines::lines(self.kind(), &self.text)
    }
}

/// A project, as far as rules look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// Its text files; neither what git ignores nor what tools have installed.
    pub files: Vec<Text>,
    /// The paths that git tracks; `None` outside a work tree.
    pub tracked: Option<Vec<String>>,
}

impl Project {
    /// The file of a path.
    pub fn file(&self, path: &str) -> Option<&Text> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files of some kinds.
    pub fn of<'p>(&'p self, wanted: &'p [Kind]) -> impl Iterator<Item = &'p Text> {
        self.files.iter().filter(|file| wanted.contains(&file.kind()))
    }
}

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What stands there; secrets are masked.
    pub what: String,
}

impl Hit {
    /// As reports name it: `app.py:12 utcnow`.
    pub fn show(&self) -> String {
        format!("{}:{} {}", self.path, self.line, self.what)
    }
}

/// What a rule saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// How many files it is about and looked at; with none it says nothing about the project.
    pub looked: usize,
    /// What it found.
    pub hits: Vec<Hit>,
}

impl Sight {
    /// Looks at some files, line by line.
    fn scan<'p>(
        files: impl Iterator<Item = &'p Text>,
        find: impl Fn(&'p Text, &[Line<'p>]) -> Vec<(usize, String)>,
    ) -> Self {
        let mut sight = Self::default();
        for file in files {
            sight.looked += 1;
            let found = find(file, &file.lines());
            sight.hits.extend(found.into_iter().map(|(line, what)| {
                let path = file.path.clone();
                Hit { path, line, what }
            }));
        }
        sight
    }

    /// Adds what another look came to.
    fn and(mut self, other: Self) -> Self {
        self.looked += other.looked;
        self.hits.extend(other.hits);
        self
    }
}

named! {
    /// The rules.
    pub enum Rule {
        /// A key or signing secret is written into source, image or configuration.
        SecretInSource = "secret-in-source",
        /// A secret, or the name of one, stands in what browsers get.
        SecretInPage = "secret-in-page",
        /// The image takes `.env` along, or is built with a secret.
        EnvInImage = "env-in-image",
        /// git tracks `.env`, or nothing keeps it from doing so.
        EnvInGit = "env-in-git",
        /// A dependency or an image may be another one tomorrow.
        Unpinned = "unpinned",
        /// The image's layer of dependencies does not depend on their list.
        BuildCache = "build-cache",
        /// A secret that nobody set is read as empty text.
        EmptyKeyDefault = "empty-key-default",
        /// Stripe.js is asked to redirect, which it no longer can.
        RedirectToCheckout = "redirect-to-checkout",
        /// A Checkout Session is made with `payment_method_types`.
        PaymentMethodTypes = "payment-method-types",
        /// The check of signatures is commented out, left to a condition, or absent.
        UnverifiedWebhook = "unverified-webhook",
        /// Threads share one connection or cursor.
        SharedCursor = "shared-cursor",
        /// An instant without a zone.
        Utcnow = "utcnow",
        /// A whole payload is printed.
        PayloadPrint = "payload-print",
        /// The webhook's module prints, or says nothing, where it should log.
        NoLogging = "no-logging",
        /// An amount becomes a floating-point number.
        FloatMoney = "float-money",
        /// An amount in yen is multiplied or divided by 100.
        YenTimes100 = "yen-times-100",
        /// A price stands as a bare number in the call.
        MagicAmount = "magic-amount",
        /// A runtime or setting that is no longer maintained.
        OldRuntime = "old-runtime",
        /// The image serves by a server that is for development.
        DevServer = "dev-server",
        /// The ledger goes with its container.
        NoVolume = "no-volume",
        /// The README lacks a section, or is damaged.
        ReadmeSections = "readme-sections",
        /// README and code do not name the same variables.
        ReadmeEnv = "readme-env",
        /// The README's commands do not fit the project.
        ReadmeCommands = "readme-commands",
    }
}

impl Rule {
    /// Whether it is about documents alone, which the built-in shop has as well.
    pub const fn is_of_documents(self) -> bool {
        matches!(self, Self::ReadmeSections | Self::ReadmeCommands)
    }

    /// Reads a project by this rule.
    pub fn look(self, project: &Project) -> Sight {
        match self {
            Self::SecretInSource => secret::in_source(project),
            Self::SecretInPage => secret::in_page(project),
            Self::EnvInImage => image::env_in_image(project),
            Self::EnvInGit => secret::env_in_git(project),
            Self::Unpinned => manifest::unpinned(project).and(image::unpinned(project)),
            Self::BuildCache => image::build_cache(project),
            Self::EmptyKeyDefault => secret::empty_default(project),
            Self::RedirectToCheckout => source::redirect_to_checkout(project),
            Self::PaymentMethodTypes => source::payment_method_types(project),
            Self::UnverifiedWebhook => webhook::unverified(project),
            Self::SharedCursor => source::shared_cursor(project),
            Self::Utcnow => source::utcnow(project),
            Self::PayloadPrint => webhook::payload_print(project),
            Self::NoLogging => webhook::no_logging(project),
            Self::FloatMoney => source::float_money(project),
            Self::YenTimes100 => source::yen_times_100(project),
            Self::MagicAmount => source::magic_amount(project),
            Self::OldRuntime => image::old_runtime(project),
            Self::DevServer => image::dev_server(project),
            Self::NoVolume => image::no_volume(project),
            Self::ReadmeSections => readme::sections(project),
            Self::ReadmeEnv => readme::environment(project),
            Self::ReadmeCommands => readme::commands(project),
        }
    }
}

#[cfg(test)]
mod tests;
