//! Reports to hand on: what they say, as blocks, and the same blocks as Markdown and as one HTML file.

pub mod blocks;
pub mod html;
pub mod markdown;
pub mod script;

use crate::domain::course::progress_report::{Flaw, Kind, ProgressReport, Shape, Verified};
use crate::domain::locale::Locale;
use crate::view::canvas::{Canvas, Tone};
use crate::view::words::{Msg, int};
use crate::view::wrap::wrap;

/// A report as a file of its own. The same data come to the same text, whenever it is written.
pub fn render(report: &ProgressReport, kind: Kind, shape: Shape, locale: Locale) -> String {
    if shape == Shape::Json {
        return report.write();
    }
    let blocks = match kind {
        Kind::Full => blocks::full(report, locale),
        Kind::Demo => script::demo(report, locale),
        Kind::Share => blocks::share(report, locale),
    };
    match shape {
        Shape::Html => html::write(&blocks, locale),
        Shape::Markdown | Shape::Json => markdown::write(&blocks),
    }
}

/// Whether a report holds, for people.
pub fn verified(it: &Verified, canvas: &Canvas) -> String {
    let mut lines = Vec::new();
    for flaw in &it.flaws {
        let text = canvas.say(&match flaw {
            Flaw::Unreadable(reason) => Msg::FlawUnreadable { reason },
            Flaw::Row(id) => Msg::FlawRow { id },
            Flaw::Evidence(id) => Msg::FlawEvidence { id },
            Flaw::Seal => Msg::FlawSeal,
            Flaw::Text(line) => Msg::FlawText { line: int(*line) },
            Flaw::Unknown(id) => Msg::FlawUnknown { id },
            Flaw::Differs(id) => Msg::FlawDiffers { id },
        });
        let text = wrap(&text, canvas.width.saturating_sub(2), 2);
        lines.push(format!("{} {text}", canvas.tone(Tone::Bad, "✗")));
    }
    if let Some(program) = &it.other {
        lines.push(canvas.prose(&Msg::VerifyOther { program }));
    }
    lines.push(match &it.against {
        Some(path) => canvas.prose(&Msg::VerifyAgainst { path }),
        None => canvas.prose(&Msg::VerifyAlone),
    });
    lines.push(if it.flaws.is_empty() {
        let holds = Msg::VerifyHolds { rows: int(it.rows) };
        format!("{}\n{}", canvas.tone(Tone::Good, &canvas.say(&holds)), it.seal)
    } else {
        canvas.tone(Tone::Bad, &canvas.say(&Msg::VerifyBroken { flaws: int(it.flaws.len()) }))
    });
    lines.push(canvas.tone(Tone::Quiet, &canvas.prose(&Msg::ReportLimit)));
    lines.join("\n")
}
