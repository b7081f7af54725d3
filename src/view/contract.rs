//! The contract between a server and its judge: as a list for people, as data for programs.

use crate::domain::course::contract::CONTRACT;
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
    for it in &CONTRACT.routes {
        lines.push(line(&it.route, &format!("{} · {}", needed(it.required), it.flags)));
    }
    lines.extend([canvas.prose(&Msg::ContractWebhook), head(&Msg::ContractEnvironment)]);
    lines.push(format!("  {}", hang(canvas, "", &CONTRACT.environment.join(" "), 3)));
    for it in &CONTRACT.environment_of {
        let variables = format!("{} · {}", it.variables.join(" "), it.lesson);
        lines.push(format!("  {}", hang(canvas, "", &variables, 3)));
    }
    lines.push(head(&Msg::ContractLedger));
    for it in &CONTRACT.ledger {
        lines.push(line(&it.column, &format!("{} · {}", needed(it.required), it.form)));
    }
    lines.push(canvas.prose(&Msg::ContractRows));
    lines.join("\n")
}

/// As data.
pub fn json() -> Value {
    json!(*CONTRACT)
}
