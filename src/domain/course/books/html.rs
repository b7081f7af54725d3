//! The tables of an HTML page as texts of cells. Tolerant, as a page by hand needs it: end tags may lack, markup
//! within a cell is passed over, the order of tags is not judged. It is no parser of HTML and needs no tree.

/// The tables of a page: records of cells, the head first.
pub fn tables(page: &str) -> Vec<Vec<Vec<String>>> {
    let mut reading = Reading::default();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at(at);
        reading.text(text);
        let (tag, after) = tag(from);
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
            let text = decoded(&cell);
            self.record.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
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

/// What stands between `<` and `>`, quotes respected, and what follows; a comment is passed over whole.
fn tag(from: &str) -> (&str, &str) {
    let inner = from.get(1..).unwrap_or_default();
    if let Some(comment) = inner.strip_prefix("!--") {
        return ("", comment.split_once("-->").map_or("", |(_, after)| after));
    }
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => {
                let (tag, after) = inner.split_at(at);
                return (tag, after.get(1..).unwrap_or_default());
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    (inner, "")
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
    end.and_then(|at| rest.get(at..)).map_or("", |from| tag(from).1)
}

/// The text with its entities as characters; one that is not known stays as it is.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(name, next)| Some((entity(name)?, next)));
        let (character, next) = known.unwrap_or(('&', after));
        out.push(character);
        rest = next;
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
        return char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "yen" => '¥',
        "hyphen" => '-',
        _ => return None,
    })
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

        #[test]
        fn what_is_escaped_comes_back(cells in proptest::collection::vec("[a-z<>&\"]{1,9}", 1..5)) {
            let escape = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let row: Vec<String> = cells.iter().map(escape).collect();
            let row = row.join("</td><td>");
            prop_assert_eq!(tables(&format!("<table><tr><td>{row}</td></tr></table>")), [[cells]]);
        }
    }
}
