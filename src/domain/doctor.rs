//! What `stripegym doctor` looked at, and how serious it is.

use crate::domain::place::Place;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As it should be.
    Good,
    /// Could surprise.
    Caution,
    /// Will stop something.
    Bad,
    /// There was nothing to look at.
    Unknown,
}

impl Weight {
    /// The word that JSON uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Caution => "caution",
            Self::Bad => "problem",
            Self::Unknown => "unknown",
        }
    }
}

/// What `doctor` looked at, with what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Where settings and files are.
    Home {
        /// The folder.
        path: String,
        /// Why it cannot be written, if it cannot.
        broken: Option<String>,
    },
    /// A port of ours.
    Port {
        /// The setting that names it.
        setting: &'static str,
        /// The port.
        port: u16,
        /// What the system says, if it cannot be had.
        taken: Option<String>,
    },
    /// A sandbox that another process hosts.
    Host {
        /// Its base URL.
        base: String,
    },
    /// The clock against the provider's.
    Clock {
        /// Seconds that ours is ahead; `None` where nobody could be asked.
        ahead_s: Option<i64>,
        /// Whether it is fixed by a setting.
        fixed: bool,
    },
    /// The provider that was named does not answer.
    Silent {
        /// Its base URL.
        base: String,
    },
    /// The key.
    Key {
        /// Masked, with where it came from.
        key: Option<(String, String)>,
    },
    /// What a page of the shop needs, where the key is a restricted one.
    Rights {
        /// The page.
        page: &'static str,
        /// The rights that the key lacks for it.
        lacking: Vec<&'static str>,
    },
    /// The webhook secrets.
    WebhookSecrets {
        /// How many there are.
        count: usize,
        /// How many of them do not begin as a signing secret does.
        odd: usize,
        /// Whether the mode needs none.
        sandbox: bool,
    },
    /// Whether a browser can be shown.
    Display {
        /// Whether it can.
        present: bool,
    },
    /// The ledger's file.
    Ledger {
        /// Its path.
        path: String,
        /// What is wrong with it; `None` where it is well or not there yet.
        broken: Option<String>,
        /// Whether another program holds it.
        busy: bool,
        /// Whether there is none yet.
        absent: bool,
    },
    /// Another file that is kept in the home folder.
    Store {
        /// What it keeps: `progress`, `shop`, `sandbox`.
        what: &'static str,
        /// Its path.
        path: String,
        /// What is wrong with it; `None` where it is well.
        broken: Option<String>,
        /// Whether another program holds it.
        busy: bool,
    },
    /// `.env` and git.
    EnvFile {
        /// Whether git knows the file, so that a push would publish it.
        tracked: bool,
        /// Whether there is a file.
        present: bool,
    },
}

impl Finding {
    /// A stable name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Home { .. } => "home",
            Self::Port { .. } => "port",
            Self::Host { .. } => "sandbox",
            Self::Clock { .. } => "clock",
            Self::Silent { .. } => "provider",
            Self::Key { .. } => "key",
            Self::Rights { .. } => "rights",
            Self::WebhookSecrets { .. } => "webhook_secrets",
            Self::Display { .. } => "display",
            Self::Ledger { .. } => "ledger",
            Self::Store { what, .. } => what,
            Self::EnvFile { .. } => "env_file",
        }
    }

    /// How serious it is.
    pub const fn weight(&self) -> Weight {
        match self {
            Self::Home { broken: Some(_), .. }
            | Self::Ledger { broken: Some(_), .. }
            | Self::Store { broken: Some(_), .. }
            | Self::Silent { .. }
            | Self::EnvFile { tracked: true, .. } => Weight::Bad,
            Self::Ledger { absent: true, .. } | Self::Clock { ahead_s: None, fixed: false } => {
                Weight::Unknown
            }
            Self::Ledger { busy: true, .. }
            | Self::Store { busy: true, .. }
            | Self::Port { taken: Some(_), .. }
            | Self::Display { present: false }
            | Self::WebhookSecrets { count: 0, sandbox: false, .. }
            | Self::WebhookSecrets { odd: 1.., .. }
            | Self::Clock { fixed: true, .. } => Weight::Caution,
            // Nobody has to open every page of the shop.
            Self::Rights { lacking, .. } if !lacking.is_empty() => Weight::Caution,
            Self::Clock { ahead_s: Some(ahead), .. } => {
                if ahead.unsigned_abs() > 300 {
                    Weight::Bad
                } else if ahead.unsigned_abs() > 30 {
                    Weight::Caution
                } else {
                    Weight::Good
                }
            }
            Self::Home { .. }
            | Self::Ledger { .. }
            | Self::Store { .. }
            | Self::EnvFile { .. }
            | Self::Port { .. }
            | Self::Host { .. }
            | Self::Display { .. }
            | Self::Key { .. }
            | Self::Rights { .. }
            | Self::WebhookSecrets { .. } => Weight::Good,
        }
    }
}

/// `stripegym doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doctor {
    /// Where it looked.
    pub place: Place,
    /// What it saw.
    pub findings: Vec<Finding>,
}
