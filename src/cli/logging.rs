//! Logs: off by default, to stderr, and never with a secret in them. Whatever a line was going to say
//! passes through [`redact`] before it is written.

use crate::domain::card::passes_luhn;
use std::io::{self, Write};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging: `-v` is info, `-vv` debug, `-vvv` trace of this program; `RUST_LOG` names targets.
pub(crate) fn start(verbose: u8, targets: Option<&str>) {
    if let Some(filter) = filter(verbose, targets) {
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Redacting(io::stderr as fn() -> io::Stderr));
        // A second start in one process (tests) keeps the first.
        drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
    }
}

fn filter(verbose: u8, targets: Option<&str>) -> Option<Targets> {
    let own = match verbose {
        0 => return targets.and_then(|text| text.parse().ok()),
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let said = targets.and_then(|text| text.parse::<Targets>().ok()).unwrap_or_default();
    Some(said.with_target("stripegym", own))
}

/// Makes writers whose every line is redacted.
struct Redacting<M>(M);

/// Collects one log line and writes it redacted when it is dropped.
struct Line<W: Write> {
    text: Vec<u8>,
    to: W,
}

impl<'a, W: Write, M: Fn() -> W + 'a> MakeWriter<'a> for Redacting<M> {
    type Writer = Line<W>;

    fn make_writer(&'a self) -> Line<W> {
        Line { text: Vec::new(), to: (self.0)() }
    }
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        let clean = redact(&String::from_utf8_lossy(&self.text));
        // stderr may be closed, and a log line is not worth failing for.
        drop(self.to.write_all(clean.as_bytes()));
    }
}

const HIDDEN: &str = "[redacted]";
/// The most groups that a card number is written in: 4-4-4-4-3.
const GROUPS_MAX: usize = 5;
const SECRET_STARTS: [&str; 6] = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_", "v1="];
const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// `text` without secrets: API keys, signing secrets and signatures, credentials of Authorization headers,
/// and digits that are a card number.
pub(crate) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(end) = secret_at(rest) {
            out.push_str(HIDDEN);
            rest = rest.get(end..).unwrap_or_default();
        } else if first.is_ascii_digit() {
            let card = card_end(rest);
            let end = card.unwrap_or_else(|| digits(rest));
            out.push_str(if card.is_some() { HIDDEN } else { rest.get(..end).unwrap_or_default() });
            rest = rest.get(end..).unwrap_or_default();
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// The length of the secret that `text` begins with, if it begins with one.
fn secret_at(text: &str) -> Option<usize> {
    let word = |from: usize| {
        let tail = text.get(from..).unwrap_or_default();
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "_-+/=.*".contains(c));
        from + tail.find(ends).unwrap_or(tail.len())
    };
    if let Some(start) = SECRET_STARTS.iter().find(|start| text.starts_with(**start)) {
        return Some(word(start.len()));
    }
    let head = text.get(..7).or_else(|| text.get(..6))?.to_ascii_lowercase();
    let scheme = SCHEMES.iter().find(|scheme| head.starts_with(**scheme))?;
    let end = word(scheme.len());
    (end > scheme.len()).then_some(end)
}

/// How many digits `text` begins with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Where the card number ends that `text` begins with: in one piece, or in groups that a blank or a hyphen
/// joins. Numbers that stand before or after it in the line are none of its groups.
fn card_end(text: &str) -> Option<usize> {
    let mut number = String::new();
    let mut end = 0;
    for groups in 1..=GROUPS_MAX {
        let rest = text.get(end..)?;
        let rest = if groups == 1 { rest } else { rest.strip_prefix([' ', '-'])? };
        let length = digits(rest);
        number.push_str(rest.get(..length)?);
        end = text.len() - rest.len() + length;
        if (13..=19).contains(&number.len()) && passes_luhn(&number) {
            return Some(end);
        }
        // Only short groups are written apart.
        if !(3..=7).contains(&length) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const SECRETS: [&str; 8] = [
        "sk_test_51AbCdEfGh",
        "rk_live_51AbCdEfGh",
        "whsec_c2VjcmV0+/==",
        "Bearer abc.def-ghi",
        "Basic c2tfdGVzdF94Og==",
        "4242424242424242",
        "4000 0027 6000 3184",
        "3782-822463-10005",
    ];

    #[test]
    fn no_secret_passes_at_any_level_in_any_place_of_a_line() {
        let shared = Shared::default();
        let sink = shared.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Redacting(move || sink.clone()));
        let subscriber = tracing_subscriber::registry().with(filter(3, None).unwrap()).with(lines);
        tracing::subscriber::with_default(subscriber, || {
            for secret in SECRETS {
                let _span =
                    tracing::error_span!(target: "stripegym", "call", header = secret).entered();
                tracing::trace!(target: "stripegym", "the word {secret}, quoted \"{secret}\"");
                tracing::debug!(target: "stripegym", authorization = secret, "field");
                tracing::info!(target: "stripegym", body = ?format!("card[number]={secret}&x=1"));
                tracing::warn!(target: "stripegym", "{secret}");
                tracing::error!(target: "stripegym", url = %format!("http://x/?key={secret}"), "end");
            }
        });
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), SECRETS.len() * 5, "every line is written");
        for secret in SECRETS {
            let word = secret.rsplit(' ').next().unwrap_or(secret);
            assert!(!text.contains(word), "{secret} in\n{text}");
        }
    }

    #[test]
    fn a_card_number_is_found_beside_other_numbers() {
        for (text, clean) in [
            ("line 12 4242424242424242", "line 12 [redacted]"),
            ("1795237445 4242 4242 4242 4242 200", "1795237445 [redacted] 200"),
            ("500-4242424242424242-7", "500-[redacted]-7"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        for text in [
            "evt_1Qabc at 1795237445 took 12 ms",
            "amount=500 4242 pm_card_visa",
            "1234567890123456",
            "口座 ¥1,000",
            "basic",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn nothing_is_logged_unless_asked_for() {
        assert!(filter(0, None).is_none());
        assert!(filter(0, Some("stripegym=debug")).is_some());
    }
}
