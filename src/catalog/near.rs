//! Which parameter a misspelt one most likely meant.
//!
//! Names that resemble the given one by Jaro and Winkler's measure are candidates; of these, the most alike that
//! is a few slips away, else the most alike of which something is left after the slips. `price` thus means
//! `pricing`, and `parent.child` its parent, as recordings and reports show.

use crate::catalog::grammar::Field;

/// The longest name that is compared with others; the API's own are shorter.
const LONGEST_NAME: usize = 64;

/// The likeness of a name to itself.
const SAME: usize = 1_000_000;

/// How alike names must be: short ones (of three letters or less), and others.
const LIKENESS: (usize, usize) = (770_000, 834_000);

/// From which likeness on the same beginning counts, for how many letters at most, and what part of the rest each of
/// them adds.
const BEGINNING: (usize, usize, usize) = (700_000, 4, 10);

/// The one field that a misspelt name most likely meant.
pub(crate) fn field(fields: &[Field], name: &str) -> Option<&'static str> {
    nearest(fields.iter().map(|field| field.name), name)
}

/// The one of some names that a misspelt one most likely meant.
pub fn nearest<'n>(names: impl Iterator<Item = &'n str>, name: &str) -> Option<&'n str> {
    if name.len() > LONGEST_NAME || name.is_empty() {
        return None;
    }
    let given: Vec<char> = name.to_lowercase().chars().collect();
    let least = if given.len() > 3 { LIKENESS.1 } else { LIKENESS.0 };
    let measured = names.map(|name| {
        let letters: Vec<char> = name.chars().collect();
        (likeness(&letters, &given), letters, name)
    });
    let mut alike: Vec<_> = measured.filter(|(likeness, ..)| *likeness >= least).collect();
    alike.sort_by_key(|alike| std::cmp::Reverse(alike.0));
    let slips = given.len().div_ceil(4);
    let near = |most: &dyn Fn(&[char]) -> usize| {
        alike.iter().find(|(_, name, _)| distance(name, &given) <= most(name)).map(|it| it.2)
    };
    near(&|_| slips).or_else(|| near(&|name| name.len().min(given.len()).saturating_sub(1)))
}

/// Jaro and Winkler's measure: nothing for nothing in common.
fn likeness(a: &[char], b: &[char]) -> usize {
    let jaro = jaro(a, b);
    let (from, most, part) = BEGINNING;
    if jaro <= from {
        return jaro;
    }
    let same = a.iter().zip(b).take(most).take_while(|(a, b)| a == b).count();
    jaro + same * (SAME - jaro) / part
}

fn jaro(a: &[char], b: &[char]) -> usize {
    let (short, long) = if a.len() > b.len() { (b, a) } else { (a, b) };
    let reach = (long.len() / 2).saturating_sub(1);
    let mut taken = vec![false; long.len()];
    let mut matched = Vec::new();
    for (at, letter) in short.iter().enumerate() {
        let mut around = at.saturating_sub(reach)..=at + reach;
        let found = around
            .find(|place| long.get(*place) == Some(letter) && taken.get(*place) == Some(&false));
        if let Some(taken) = found.and_then(|place| taken.get_mut(place)) {
            *taken = true;
            matched.push(*letter);
        }
    }
    if matched.is_empty() {
        return 0;
    }
    let in_long = long.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(letter, _)| letter);
    let swapped = matched.iter().zip(in_long).filter(|(a, b)| a != b).count() / 2;
    let matches = matched.len();
    let parts = matches * SAME / short.len()
        + matches * SAME / long.len()
        + (matches - swapped) * SAME / matches;
    parts / 3
}

/// How many letters must be put in, left out or changed.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for ((y, corner), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let changed = corner + usize::from(x != y);
            let before = next.last().copied().unwrap_or(usize::MAX / 2);
            next.push(changed.min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn meant(shape: &str, name: &str) -> Option<&'static str> {
        field(&Catalog::get().params(shape).unwrap().fields, name)
    }

    #[test]
    fn slips_are_seen_and_other_words_are_not() {
        for (name, is) in [
            ("emial", Some("email")),
            ("metdata", Some("metadata")),
            ("adress", Some("address")),
            ("nam", Some("name")),
            ("zzzz", None),
        ] {
            assert_eq!(meant("CustomerCreateParams", name), is, "{name}");
        }
        assert_eq!(meant("CustomerCreateParams", &"e".repeat(100_000)), None);
    }

    #[test]
    fn a_longer_relative_and_the_parent_of_a_dotted_name_are_meant() {
        assert_eq!(meant("InvoiceItemCreateParams", "price"), Some("pricing"));
        for (given, parent) in [
            ("shipping_address_collection.allowed_countries", "shipping_address_collection"),
            ("payment_intent_data.metadata", "payment_intent_data"),
            ("automatic_tax.enabled", "automatic_tax"),
        ] {
            assert_eq!(meant("checkout.SessionCreateParams", given), Some(parent), "{given}");
        }
    }

    #[test]
    fn no_name_of_the_api_is_taken_for_another_and_each_is_found_without_its_last_letter() {
        let fields = &Catalog::get().params("checkout.SessionCreateParams").unwrap().fields;
        for known in fields {
            assert_eq!(field(fields, known.name), Some(known.name));
            let cut: String = known.name.chars().take(known.name.len() - 1).collect();
            assert!(field(fields, &cut).is_some(), "{cut}");
        }
    }

    #[test]
    fn letters_are_counted() {
        let slips = |a: &str, b: &str| {
            distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        assert_eq!((slips("email", "emial"), slips("", "abc"), slips("abc", "abc")), (2, 3, 0));
    }
}
