//! Which parameter a misspelt one most likely meant.

use crate::catalog::grammar::Field;

/// The longest name that is compared with others; the API's own are shorter.
const LONGEST_NAME: usize = 64;

/// The one field that a misspelt name most likely meant.
pub(crate) fn field(fields: &[Field], name: &str) -> Option<&'static str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let most = if name.chars().count() < 5 { 1 } else { 2 };
    let near = |field: &Field| (distance(field.name, name), field.name);
    let best = fields.iter().map(near).min_by_key(|(distance, _)| *distance)?;
    let ties = fields.iter().filter(|field| distance(field.name, name) == best.0).count();
    (best.0 <= most && ties == 1).then_some(best.1)
}

/// How many letters must be put in, left out, changed, or swapped with the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.iter().enumerate() {
        let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = at(&row, j) + usize::from(x != y);
            let mut least = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let left = j.checked_sub(1);
            if let Some(left) = left
                && previous == Some(y)
                && b.get(left) == Some(x)
            {
                least = least.min(at(&before, left) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn meant(name: &str) -> Option<&'static str> {
        field(&Catalog::get().params("CustomerCreateParams").unwrap().fields, name)
    }

    #[test]
    fn slips_are_seen_and_other_words_are_not() {
        assert_eq!(meant("emial"), Some("email"));
        assert_eq!(meant("metdata"), Some("metadata"));
        assert_eq!(meant("adress"), Some("address"));
        assert_eq!(meant("nam"), Some("name"));
        assert_eq!(meant("colour"), None);
        assert_eq!(meant(&"e".repeat(100_000)), None);
    }

    #[test]
    fn a_swap_is_one_slip() {
        assert_eq!(distance("email", "emial"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
