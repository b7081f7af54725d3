//! Rows for spreadsheets, as RFC 4180 has them; amounts in minor units.

use crate::domain::report::{Ledger, Report};
use crate::view::{foreign, sheet};

/// The report as CSV; `None` for a report that is no table.
pub fn render(report: &Report) -> Option<String> {
    match report {
        Report::Ledger(it) => Some(ledger(it)),
        Report::Sheet(it) => {
            Some(sheet::cells(it).iter().map(|row| line(row.iter().map(String::as_str))).collect())
        }
        _ => None,
    }
}

fn ledger(it: &Ledger) -> String {
    let head = [
        "session",
        "amount",
        "currency",
        "status",
        "created",
        "payment_intent",
        "refunded",
        "updated",
        "event",
    ];
    let mut out = line(head);
    for row in &it.rows {
        let record = &row.record;
        out.push_str(&line([
            record.session_id.as_str(),
            &record.amount.minor.to_string(),
            record.amount.currency.code(),
            record.status.name(),
            &record.created.rfc3339(),
            record.payment_intent.as_deref().unwrap_or_default(),
            &row.refunded.to_string(),
            &row.updated.rfc3339(),
            row.event_id.as_deref().unwrap_or_default(),
        ]));
    }
    out
}

/// A row of cells, none of which a spreadsheet takes for a formula.
pub(super) fn line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let mut rows =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = rows.write_record(cells.into_iter().map(|cell| foreign::cell(cell).into_owned()));
    // A write into memory does not fail, and a cell is text already.
    let bytes = written.ok().and_then(|()| rows.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_and_quotes_are_quoted() {
        assert_eq!(line(["a", "b,c", "d\"e"]), "a,\"b,c\",\"d\"\"e\"\r\n");
    }
}
