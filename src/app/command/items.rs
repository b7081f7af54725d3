//! `stripegym dev items`: for each item of the course, which check proves it.

use crate::app::course::{library, of_lesson};
use crate::content::text::Texts;
use crate::domain::course::item::ItemProof;
use crate::domain::course::{Day, Gate, Kind, Level, Note};
use crate::domain::fault::Fault;
use crate::domain::locale::Locale;
use crate::domain::report::Report;

/// Lists the checklist, the gates and the notes of every day.
pub fn run(locale: Locale) -> Result<Report, Fault> {
    let library = library();
    let mut rows = Vec::new();
    for id in library.ids() {
        let day = library.day(&id).map_err(|it| of_lesson(&it))?;
        let texts = library.texts(&id, locale).map_err(|it| of_lesson(&it))?;
        checks(&day, &texts, &mut rows);
        rows.extend(day.gates.iter().map(|gate| of_gate(gate, &day, &texts)));
        rows.extend(day.notes.iter().map(|note| of_note(note, &texts)));
    }
    Ok(Report::Items(rows))
}

fn checks(day: &Day, texts: &Texts, rows: &mut Vec<ItemProof>) {
    for check in day.checks.iter().filter(|check| check.id.starts_with('D')) {
        rows.push(ItemProof {
            id: check.id.clone(),
            title: texts.checks.get(&check.id).map_or_else(String::new, |it| it.title.clone()),
            kind: match check.kind {
                Kind::Auto | Kind::AutoCorrected => "auto",
                Kind::Partial => "partial",
                Kind::Human => "attested",
            },
            proved_by: if check.kind == Kind::Human {
                Vec::new()
            } else {
                vec![check.code.clone()]
            },
            catches: check.kills.clone(),
        });
    }
}

fn of_gate(gate: &Gate, day: &Day, texts: &Texts) -> ItemProof {
    let required = day.checks.iter().filter(|check| check.level == Level::Required);
    let proved_by = gate.needs.iter().flat_map(|need| match need.as_str() {
        "required" => required.clone().map(|check| check.id.clone()).collect(),
        _ => vec![need.clone()],
    });
    ItemProof {
        id: gate.id.clone(),
        title: texts.gates.get(&gate.id).cloned().unwrap_or_default(),
        kind: if gate.attest { "partial" } else { "auto" },
        proved_by: proved_by.collect(),
        catches: Vec::new(),
    }
}

fn of_note(note: &Note, texts: &Texts) -> ItemProof {
    let own = !note.assert.is_empty();
    ItemProof {
        id: note.id.clone(),
        title: texts.notes.get(&note.id).cloned().unwrap_or_default(),
        kind: if note.advice { "advice" } else { "auto" },
        proved_by: if own { vec![note.id.clone()] } else { note.by.clone() },
        catches: Vec::new(),
    }
}
