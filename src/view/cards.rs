//! The table of test cards.

use crate::domain::card::{self, After, Behaviour, Card, Challenge};
use crate::view::canvas::{Canvas, Tone};
use crate::view::table::{Side, draw};
use crate::view::words::Msg;

/// Every test card by what it does.
pub fn render(canvas: &Canvas) -> String {
    let stacked = |first: &Msg<'_>, second: &Msg<'_>, side| {
        (format!("{}\n  {}", canvas.say(first), canvas.say(second)), side)
    };
    let head = [
        stacked(&Msg::ColNumber, &Msg::ColBrand, Side::Whole),
        stacked(&Msg::ColWhat, &Msg::ColMethod, Side::Left),
    ];
    // Two lines a card, because the names of ready-made methods are long and must stay whole.
    let row = |card: &Card| {
        let method = card.method.unwrap_or("–");
        vec![
            format!("{}\n  {} {}", card.number, card.brand, card.country),
            format!("{}\n  {method}", behaviour(card.behaviour, canvas)),
        ]
    };
    let rows: Vec<Vec<String>> = card::ALL.iter().map(row).collect();
    let title = canvas.tone(Tone::Strong, &canvas.say(&Msg::HeaderCards));
    format!("{title}\n{}\n{}", draw(canvas, &head, &rows), canvas.prose(&Msg::CardsFoot))
}

fn behaviour(it: Behaviour, canvas: &Canvas) -> String {
    canvas.say(&match it {
        Behaviour::Succeeds => Msg::CardSucceeds,
        Behaviour::Declines { code, decline_code } => {
            Msg::CardDeclines { code: decline_code.unwrap_or(code) }
        }
        Behaviour::DeclinesAfterAttaching => Msg::CardDeclinesAfterAttaching,
        Behaviour::BadNumber => Msg::CardBadNumber,
        Behaviour::Flagged(what) => Msg::CardFlagged { what },
        Behaviour::Disputed(reason) => Msg::CardDisputed { reason },
        Behaviour::RefundPends => Msg::CardRefundPends,
        Behaviour::RefundFails => Msg::CardRefundFails,
        Behaviour::AvailableAtOnce => Msg::CardAvailableAtOnce,
        Behaviour::Authenticates { when, then } => {
            let when = canvas.say(&match when {
                Challenge::Always => Msg::CardSecureAlways,
                Challenge::UnlessSetUp => Msg::CardSecureUnlessSetUp,
                Challenge::OnSessionOnly => Msg::CardSecureOnSession,
                Challenge::Optional => Msg::CardSecureOptional,
                Challenge::Frictionless => Msg::CardSecureFrictionless,
            });
            let then = match then {
                After::Succeeds => String::new(),
                After::Declines(code) => canvas.say(&Msg::CardThenDeclines { code }),
                After::ProcessingError => canvas.say(&Msg::CardThenError),
            };
            return format!("{when}{then}");
        }
    })
}
