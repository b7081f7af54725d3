//! The contract between a server and its judge: as a list for people, as data for programs.

use crate::domain::course::contract::{ENVIRONMENT, LEDGER, ROUTES};
use crate::view::canvas::{Canvas, Tone};
use crate::view::course::hang;
use crate::view::words::Msg;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

/// How wide the first column is.
const NAME: usize = 26;

/// As a list.
pub fn render(canvas: &Canvas) -> String {
    let needed = |required: bool| {
        let word = if required { Msg::ContractRequired } else { Msg::ContractOptional };
        canvas.say(&word)
    };
    let line = |name: &str, text: &str| {
        let blanks = " ".repeat(NAME.saturating_sub(name.width()));
        hang(canvas, &format!("  {name}{blanks}"), text, 29)
    };
    let head = |msg: &Msg<'_>| canvas.tone(Tone::Strong, &canvas.say(msg));
    let mut lines = vec![head(&Msg::ContractRoutes)];
    for it in ROUTES {
        lines.push(line(it.at, &format!("{} · {}", needed(it.required), it.flag)));
    }
    lines.extend([canvas.prose(&Msg::ContractWebhook), head(&Msg::ContractEnvironment)]);
    lines.push(format!("  {}", hang(canvas, "", &ENVIRONMENT.join(" "), 3)));
    lines.push(head(&Msg::ContractLedger));
    for it in LEDGER {
        lines.push(line(it.name, &format!("{} · {}", needed(it.required), it.form)));
    }
    lines.push(canvas.prose(&Msg::ContractRows));
    lines.join("\n")
}

/// As data.
pub fn json() -> Value {
    let routes = ROUTES
        .iter()
        .map(|it| json!({ "route": it.at, "required": it.required, "flags": it.flag }));
    let ledger = LEDGER
        .iter()
        .map(|it| json!({ "column": it.name, "form": it.form, "required": it.required }));
    json!({
        "routes": routes.collect::<Vec<_>>(),
        "environment": ENVIRONMENT,
        "ledger": ledger.collect::<Vec<_>>(),
    })
}
