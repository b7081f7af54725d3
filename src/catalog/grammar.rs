//! The kinds of values that the API knows, and the compact text they are written in.
//!
//! `fixtures/api/README.md` describes the text.

use std::sync::OnceLock;

use crate::catalog::limit::Limit;

use serde_json::{Map, Value};

/// A parameter shape or an object: its fields by name.
#[derive(Debug)]
pub struct Shape {
    /// The shape's name, or the value of `object` on the wire.
    pub name: &'static str,
    /// The fields in the order of the official SDK.
    pub fields: Vec<Field>,
    /// What `Catalog::blank` copies, made when it is first asked for.
    pub(crate) blank: OnceLock<Map<String, Value>>,
}

/// A field of a hash.
#[derive(Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub of: Type,
    /// How long it may be and how it must look, where it is a parameter.
    pub(crate) limits: Vec<Limit>,
}

/// What a field holds and what may be done with it.
#[derive(Debug)]
pub struct Type {
    /// The kind of value.
    pub kind: Kind,
    /// An answer may have `null` here.
    pub nullable: bool,
    /// A request must have it.
    pub required: bool,
    /// The empty string in a request clears it.
    pub clearable: bool,
}

/// A kind of value.
#[derive(Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number; amounts in minor units and Unix seconds are such.
    Integer,
    /// A number.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A decimal number, in JSON a string.
    Decimal,
    /// Anything.
    Any,
    /// One of a set of words.
    Enum {
        /// The words of this version.
        words: Vec<&'static str>,
        /// Later versions may add words.
        open: bool,
    },
    /// A list.
    List(Box<Type>),
    /// Any keys, all with one kind of value.
    Map(Box<Type>),
    /// A parameter shape, by name.
    Shape(&'static str),
    /// A nested hash of an object.
    Hash(Vec<Field>),
    /// An id, or the object in its place once expanded.
    Expandable(Vec<&'static str>),
    /// An object.
    Object(Vec<&'static str>),
    /// A list object of these.
    Page(Vec<&'static str>),
    /// Either of several.
    Union(Vec<Type>),
}

/// The field of that name.
pub fn field<'f>(fields: &'f [Field], name: &str) -> Option<&'f Field> {
    fields.iter().find(|field| field.name == name)
}

/// Reads `field=TYPE` columns; `None` where one is not in the grammar.
pub fn shape(name: &'static str, columns: &'static str) -> Option<Shape> {
    let mut fields = Vec::new();
    for column in columns.split('\t').filter(|column| !column.is_empty()) {
        let (name, text) = column.split_once('=')?;
        fields.push(Field { name, of: read(text)?, limits: Vec::new() });
    }
    Some(Shape { name, fields, blank: OnceLock::new() })
}

/// Reads one type; `None` where the text is not in the grammar.
pub fn read(text: &'static str) -> Option<Type> {
    let mut reader = Reader { rest: text };
    let of = reader.union()?;
    reader.rest.is_empty().then_some(of)
}

struct Reader {
    rest: &'static str,
}

impl Reader {
    fn take(&mut self, mark: char) -> bool {
        let after = self.rest.strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn until(&mut self, mark: char) -> Option<&'static str> {
        let (before, after) = self.rest.split_once(mark)?;
        self.rest = after;
        Some(before)
    }

    /// Names with bars between them.
    fn names(&mut self) -> Option<&'static str> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '|');
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (names, after) = self.rest.split_at(end);
        self.rest = after;
        (!names.is_empty()).then_some(names)
    }

    fn several(&mut self) -> Option<Vec<&'static str>> {
        Some(self.names()?.split('|').collect())
    }

    fn union(&mut self) -> Option<Type> {
        let first = self.one()?;
        if !self.rest.starts_with('/') {
            return Some(first);
        }
        let mut members = vec![first];
        while self.take('/') {
            members.push(self.one()?);
        }
        Some(Type {
            nullable: members.iter().any(|member| member.nullable),
            required: members.iter().any(|member| member.required),
            clearable: members.iter().any(|member| member.clearable),
            kind: Kind::Union(members),
        })
    }

    fn one(&mut self) -> Option<Type> {
        let mut kind = self.kind()?;
        if self.take('+')
            && let Kind::Enum { open, .. } = &mut kind
        {
            *open = true;
        }
        let nullable = self.take('?');
        let required = self.take('!');
        let clearable = self.take('~');
        Some(Type { kind, nullable, required, clearable })
    }

    fn kind(&mut self) -> Option<Kind> {
        let mark = self.rest.chars().next()?;
        self.take(mark);
        Some(match mark {
            's' => Kind::Text,
            'i' => Kind::Integer,
            'f' => Kind::Float,
            'b' => Kind::Boolean,
            'd' => Kind::Decimal,
            'a' => Kind::Any,
            '<' => {
                let words = self.until('>')?;
                let words = words.split('|').filter(|word| !word.is_empty()).collect();
                Kind::Enum { words, open: false }
            }
            '[' => {
                let of = self.union()?;
                self.take(']').then(|| Kind::List(Box::new(of)))?
            }
            '{' => {
                let of = self.union()?;
                self.take('}').then(|| Kind::Map(Box::new(of)))?
            }
            '(' => Kind::Hash(self.hash()?),
            '#' => Kind::Shape(self.names()?),
            '@' => Kind::Expandable(self.several()?),
            '&' => Kind::Object(self.several()?),
            '*' => Kind::Page(self.several()?),
            _ => return None,
        })
    }

    fn hash(&mut self) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        while !self.take(')') {
            let name = self.until('=')?;
            fields.push(Field { name, of: self.union()?, limits: Vec::new() });
            if !self.take(',') && !self.rest.starts_with(')') {
                return None;
            }
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_of_the_grammar_is_read() {
        let of = read("[(a=<x|*>+?,b=@charge|refund?,c={s},d=())]?").unwrap();
        assert!(of.nullable);
        let Kind::List(inner) = of.kind else { panic!() };
        let Kind::Hash(fields) = inner.kind else { panic!() };
        assert_eq!(fields.len(), 4);
        let Kind::Enum { words, open } = &fields[0].of.kind else { panic!() };
        assert_eq!((words.as_slice(), *open), (["x", "*"].as_slice(), true));
        let union = read("<now>/i!~").unwrap();
        assert!(union.required && union.clearable && !union.nullable);
    }

    #[test]
    fn broken_text_is_refused() {
        for text in ["", "z", "[s", "(a=s", "(a=s;b=s)", "<a", "#", "s?s", "s/"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
