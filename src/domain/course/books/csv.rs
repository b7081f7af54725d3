//! Records of comma-separated values as RFC 4180 has them; `;` and tabs separate as well where the head uses them.

/// The records of a text, the head among them. Whatever it is, it has records: nothing is refused.
pub fn records(text: &str) -> Vec<Vec<String>> {
    let separator = separator(text.lines().next().unwrap_or_default());
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            _ if quoted => cell.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            c if c == separator => record.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    records
}

/// What separates the names of the head.
fn separator(head: &str) -> char {
    let count = |c: char| head.matches(c).count();
    [',', ';', '\t'].into_iter().rev().max_by_key(|c| count(*c)).unwrap_or(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_separators_lines_and_quotes() {
        let text = "a,b\r\n\"1, 2\",\"x \"\"y\"\"\nz\"\n3,\n";
        assert_eq!(records(text), [vec!["a", "b"], vec!["1, 2", "x \"y\"\nz"], vec!["3", ""]]);
        assert_eq!(records("a;b\n1,5;2"), [vec!["a", "b"], vec!["1,5", "2"]]);
        assert_eq!(records("a\tb\n1\t2"), [vec!["a", "b"], vec!["1", "2"]]);
        assert_eq!(records("a"), [vec!["a"]]);
        assert!(records("").is_empty());
    }
}
