//! The items of the course as a table in Markdown, as the READMEs hold it.

use crate::domain::course::item::ItemProof;
use crate::view::canvas::Canvas;
use crate::view::words::Msg;
use serde_json::{Value, json};

/// One row for each item.
pub fn markdown(rows: &[ItemProof], canvas: &Canvas) -> String {
    let say = |msg: &Msg<'_>| canvas.say(msg);
    let head = [Msg::ItemsId, Msg::ItemsTitle, Msg::ItemsKind, Msg::ItemsProof, Msg::ItemsCatches];
    let head: Vec<String> = head.iter().map(say).collect();
    let mut lines = vec![format!("| {} |", head.join(" | ")), "|---|---|---|---|---|".to_owned()];
    for row in rows {
        let kind = match row.kind {
            "partial" => say(&Msg::ItemsPartial),
            "attested" => say(&Msg::ItemsAttested),
            "advice" => say(&Msg::ItemsAdvice),
            _ => say(&Msg::ItemsAuto),
        };
        let proof = match row.proved_by.as_slice() {
            [] => "–".to_owned(),
            [own] if *own == row.id => say(&Msg::ItemsOwn),
            ids => ids.join(" "),
        };
        let catches: Vec<String> = row.catches.iter().map(|name| format!("`{name}`")).collect();
        let title = row.title.replace('|', "\\|").replace('\n', " ");
        let cells = [row.id.as_str(), title.trim(), &kind, &proof, &catches.join(" ")];
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

/// The same for programs.
pub fn json(rows: &[ItemProof]) -> Value {
    let row = |row: &ItemProof| {
        json!({
            "id": row.id, "title": row.title, "kind": row.kind,
            "proved_by": row.proved_by, "catches": row.catches,
        })
    };
    rows.iter().map(row).collect()
}
