//! A demonstration of three minutes, with a line to sign.

use crate::domain::course::progress_report::ProgressReport;
use crate::domain::locale::Locale;
use crate::view::report::blocks::{Block, opening};
use crate::view::words::{Msg, say};

/// When, what to type, what to say.
const SCENES: [(&str, &str, Msg<'_>); 7] = [
    ("0:00", "stripegym sandbox", Msg::DemoSandbox),
    ("0:20", "stripegym listen", Msg::DemoListen),
    ("0:40", "stripegym checkout --amount 500 --open", Msg::DemoCheckout),
    ("1:20", "stripegym ledger show", Msg::DemoLedger),
    ("1:40", "stripegym events list", Msg::DemoEvents),
    ("2:00", "stripegym events resend evt_…", Msg::DemoResend),
    ("2:30", "stripegym reconcile", Msg::DemoReconcile),
];

/// The script.
pub fn demo(report: &ProgressReport, locale: Locale) -> Vec<Block> {
    let mut blocks = opening(report, &Msg::DemoTitle, locale);
    let head = [Msg::ColTime, Msg::DemoType, Msg::DemoSay].iter().map(|msg| say(locale, msg));
    let row = |(at, command, what): &(&str, &str, Msg<'_>)| {
        vec![(*at).to_owned(), (*command).to_owned(), say(locale, what)]
    };
    blocks.push(Block::Table(head.collect(), SCENES.iter().map(row).collect()));
    blocks.push(Block::Heading(2, say(locale, &Msg::DemoSeen)));
    let seen = [Msg::DemoSeenCheckout, Msg::DemoSeenWebhook, Msg::DemoSeenLedger];
    blocks.push(Block::List(seen.iter().map(|msg| format!("☐ {}", say(locale, msg))).collect()));
    blocks.push(Block::Sign(say(locale, &Msg::DemoSign)));
    blocks.push(Block::Text(say(locale, &Msg::DemoAfter)));
    let word = report.rows.iter().find(|row| Some(&row.id) == report.demo.as_ref());
    let command = word.map(|row| format!("stripegym {} --attest {}", row.day, row.id));
    blocks.extend(command.map(Block::Command));
    blocks.push(Block::Text(say(locale, &Msg::ShareSeal { seal: &report.seal })));
    blocks
}
