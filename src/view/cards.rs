//! The table of test cards.

use crate::domain::card::{self, After, Behaviour, Card, Challenge, Group};
use crate::view::canvas::{Canvas, Tone};
use crate::view::table::{Side, draw};
use crate::view::words::Msg;

/// The test cards by group: all of them, or those that a filter names.
pub fn render(filter: Option<&str>, canvas: &Canvas) -> String {
    let mut out = format!("{}\n", canvas.tone(Tone::Strong, &canvas.say(&Msg::HeaderCards)));
    for group in Group::ALL {
        let cards = card::matching(group, filter);
        let konbini = group == Group::Konbini && card::names_group(group, filter);
        if cards.is_empty() && !konbini {
            continue;
        }
        let title = format!("{} ({})", title(group, canvas), group.name());
        out.extend(["\n", &canvas.tone(Tone::Strong, &title), "\n"]);
        out.push_str(&match group {
            Group::Konbini => emails(canvas),
            Group::Succeeds | Group::Countries => brands(&cards, canvas),
            _ => behaviours(&cards, canvas),
        });
    }
    out.push('\n');
    out.push_str(&canvas.prose(&Msg::CardsFoot));
    if filter.is_none() {
        out.push('\n');
        out.push_str(&canvas.prose(&Msg::CardsFilter));
    }
    out
}

fn title(group: Group, canvas: &Canvas) -> String {
    canvas.say(&match group {
        Group::Succeeds => Msg::CardsSucceeds,
        Group::Countries => Msg::CardsCountries,
        Group::Declines => Msg::CardsDeclines,
        Group::Secure => Msg::CardsSecure,
        Group::Checks => Msg::CardsChecks,
        Group::Disputes => Msg::CardsDisputes,
        Group::Refunds => Msg::CardsRefunds,
        Group::Balance => Msg::CardsBalance,
        Group::Konbini => Msg::CardsKonbini,
    })
}

fn method(card: &Card) -> String {
    card.method.unwrap_or("–").to_owned()
}

/// Cards that differ by whose they are: one line each.
fn brands(cards: &[&Card], canvas: &Canvas) -> String {
    let head = [
        (canvas.say(&Msg::ColNumber), Side::Whole),
        (canvas.say(&Msg::ColBrand), Side::Whole),
        (canvas.say(&Msg::ColMethod), Side::Left),
    ];
    let row = |card: &&Card| {
        vec![card.number.to_owned(), format!("{} {}", card.brand, card.country), method(card)]
    };
    draw(canvas, &head, &cards.iter().map(row).collect::<Vec<_>>())
}

/// Cards that differ by what they do: two lines each, because the names of ready-made methods are long and must
/// stay whole.
fn behaviours(cards: &[&Card], canvas: &Canvas) -> String {
    let stacked = |first: &Msg<'_>, second: &Msg<'_>, side| {
        (format!("{}\n  {}", canvas.say(first), canvas.say(second)), side)
    };
    let head = [
        stacked(&Msg::ColNumber, &Msg::ColBrand, Side::Whole),
        stacked(&Msg::ColWhat, &Msg::ColMethod, Side::Left),
    ];
    let row = |card: &&Card| {
        vec![
            format!("{}\n  {} {}", card.number, card.brand, card.country),
            format!("{}\n  {}", behaviour(card.behaviour, canvas), method(card)),
        ]
    };
    draw(canvas, &head, &cards.iter().map(row).collect::<Vec<_>>())
}

/// The addresses that decide what a konbini payment does.
fn emails(canvas: &Canvas) -> String {
    let head = [(canvas.say(&Msg::ColEmail), Side::Whole), (canvas.say(&Msg::ColWhat), Side::Left)];
    let row = |(email, what): &(&str, &str)| {
        let what = match *what {
            "succeeds" => Msg::KonbiniSucceeds,
            "expires" => Msg::KonbiniExpires,
            _ => Msg::KonbiniNever,
        };
        vec![(*email).to_owned(), canvas.say(&what)]
    };
    draw(canvas, &head, &card::KONBINI.iter().map(row).collect::<Vec<_>>())
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
