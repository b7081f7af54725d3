//! Where in a request a parameter stands, written out only once somebody must be told.

use crate::catalog::grammar::{self, Field, Kind};
use std::fmt;

/// A place in the tree of parameters, linked to the one around it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'p> {
    /// The request itself.
    Root,
    /// A member of a hash.
    Name(&'p Self, &'p str),
    /// An element of a list.
    Place(&'p Self, usize),
}

impl Path<'_> {
    /// Whether it is a member of the request itself.
    pub(crate) const fn is_top(self) -> bool {
        matches!(self, Self::Name(Self::Root, _))
    }

    /// The field that stands at the same place of an object; `None` within lists.
    pub(crate) fn within(self, fields: &[Field]) -> Option<&Field> {
        let Self::Name(around, name) = self else { return None };
        let around = match around {
            Self::Root => fields,
            inner => match &inner.within(fields)?.of.kind {
                Kind::Hash(fields) => fields,
                _ => return None,
            },
        };
        grammar::field(around, name)
    }

    /// The same for every element of a list: `a[][b]`.
    pub(crate) fn pattern(self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Name(Self::Root, name) => name.to_owned(),
            Self::Name(around, name) => format!("{}[{name}]", around.pattern()),
            Self::Place(around, _) => format!("{}[]", around.pattern()),
        }
    }

    /// Whether it is that member of a hash, at whatever depth.
    pub(crate) fn ends_with(self, last: &str) -> bool {
        matches!(self, Self::Name(_, name) if name == last)
    }
}

impl fmt::Display for Path<'_> {
    /// `a[b][0]`, as parameters are named in answers.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Name(Self::Root, name) => out.write_str(name),
            Self::Name(around, name) => write!(out, "{around}[{name}]"),
            Self::Place(around, at) => write!(out, "{around}[{at}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_with_brackets() {
        let root = Path::Root;
        let (items, other) = (Path::Name(&root, "line_items"), Path::Name(&root, "[a]"));
        let first = Path::Place(&items, 10);
        let price = Path::Name(&first, "price");
        assert_eq!(price.to_string(), "line_items[10][price]");
        assert_eq!(price.pattern(), "line_items[][price]");
        assert_eq!((root.to_string(), other.to_string()), (String::new(), "[a]".to_owned()));
        assert!(price.ends_with("price") && !first.ends_with("10"));
    }
}
