//! Rows as comma-separated values, as RFC 4180 has them. Pure.

/// A file of a head and rows: a cell that needs it stands in quotation marks.
pub fn write<'r>(head: &[String], rows: impl Iterator<Item = &'r Vec<String>>) -> String {
    let mut out = String::new();
    line(&mut out, head);
    for row in rows {
        line(&mut out, row);
    }
    out
}

fn line(out: &mut String, cells: &[String]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a file back, as a spreadsheet does.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut quoted) =
            (Vec::new(), Vec::new(), String::new(), false);
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut cell)),
                '\n' if !quoted => {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                other => cell.push(other),
            }
        }
        rows
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(rows in prop::collection::vec(prop::collection::vec("[a-c\",\n\r ]{0,6}", 2), 0..5)) {
            let head = vec!["a".to_owned(), "b,c".to_owned()];
            let text = write(&head, rows.iter());
            let mut expected = vec![head];
            expected.extend(rows);
            prop_assert_eq!(read(&text), expected);
        }
    }
}
