//! The tables of an HTML page as texts of cells. Tolerant, as a page by hand needs it: end tags may lack, markup
//! within a cell is passed over, the order of tags is not judged.

use crate::domain::html::{next_tag, plain};

/// The tables of a page: records of cells, the head first.
pub fn tables(page: &str) -> Vec<Vec<Vec<String>>> {
    let mut reading = Reading::default();
    let mut rest = page;
    while let Some((text, tag, after)) = next_tag(rest) {
        reading.text(text);
        rest = after;
        let name = name(tag);
        if ["script", "style", "head"].contains(&name.as_str()) {
            rest = past(rest, &name);
        } else {
            reading.tag(&name, tag.starts_with('/'));
        }
    }
    reading.text(rest);
    reading.end_table();
    reading.tables
}

#[derive(Default)]
struct Reading {
    tables: Vec<Vec<Vec<String>>>,
    table: Option<Vec<Vec<String>>>,
    record: Vec<String>,
    cell: Option<String>,
}

impl Reading {
    fn text(&mut self, text: &str) {
        if let Some(cell) = &mut self.cell {
            cell.push_str(text);
        }
    }

    fn tag(&mut self, name: &str, closes: bool) {
        match (name, closes) {
            ("table", _) => {
                self.end_table();
                self.table = (!closes).then(Vec::new);
            }
            ("tr" | "thead" | "tbody" | "tfoot", _) => self.end_record(),
            ("td" | "th", _) => {
                self.end_cell();
                self.cell = (!closes && self.table.is_some()).then(String::new);
            }
            ("br" | "p" | "div", _) => self.text(" "),
            _ => {}
        }
    }

    fn end_cell(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.record.push(plain(&cell));
        }
    }

    fn end_record(&mut self) {
        self.end_cell();
        let record = std::mem::take(&mut self.record);
        if let Some(table) = self.table.as_mut().filter(|_| !record.is_empty()) {
            table.push(record);
        }
    }

    fn end_table(&mut self) {
        self.end_record();
        self.tables.extend(self.table.take());
    }
}

fn name(tag: &str) -> String {
    let name = tag.trim_start_matches('/');
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    name.get(..end).unwrap_or_default().to_ascii_lowercase()
}

/// What follows the end tag of a name.
fn past<'p>(rest: &'p str, name: &str) -> &'p str {
    let lower = rest.to_ascii_lowercase();
    let end = lower.find(&format!("</{name}"));
    let from = end.and_then(|at| next_tag(rest.get(at..)?));
    from.map_or("", |(_, _, after)| after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_read_whatever_stands_around_them() {
        let page = "<style>td > th {}</style><!-- <table> --><TABLE border='1>'><tr><th>a<th>b</tr>\
            <tr><td><a title=\"x > y\">1</a><td>&lt;2&gt; &#x41;&#66;&nbsp;&unknown; & c\n d<tr><td>3</table><td>no";
        let wanted = [vec!["a", "b"], vec!["1", "<2> AB &unknown; & c d"], vec!["3"]];
        assert_eq!(tables(page), [wanted]);
        assert!(tables("<p>none</p>").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_passed_over(page in "[\\PC<>/&;\"' a-z]{0,200}") {
            drop(tables(&page));
        }
    }
}
