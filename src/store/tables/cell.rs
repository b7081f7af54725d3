//! Values of statements and of rows, whichever engine they go to or come from.

use crate::domain::time::Timestamp;

/// A value. Nothing has a kind as well: a server wants to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A whole number.
    Whole(Option<i64>),
    /// A text.
    Text(Option<String>),
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(Some(number))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Whole(Some(number.into()))
    }
}

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Self {
        Self::Whole(Some(at.0))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

/// A value of a row that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {at}: `{found}` is not known here")]
pub struct OddCell {
    at: usize,
    found: String,
}

/// A row that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found(Vec<Cell>);

/// What a cell can be read as.
pub trait FromCell: Sized {
    /// The value; `None` where the cell has none of the kind.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Whole(number) => *number,
            Cell::Text(_) => None,
        }
    }
}

impl FromCell for u32 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).and_then(|it| it.try_into().ok())
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).map(Self)
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => text.clone(),
            Cell::Whole(_) => None,
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Whole(None) | Cell::Text(None) => Some(None),
            Cell::Whole(Some(_)) | Cell::Text(Some(_)) => T::from_cell(cell).map(Some),
        }
    }
}

impl Found {
    /// A row of these values.
    pub(crate) const fn new(cells: Vec<Cell>) -> Self {
        Self(cells)
    }

    /// All of its values.
    pub(crate) fn into_cells(self) -> Vec<Cell> {
        self.0
    }

    /// The value of a column.
    pub fn get<T: FromCell>(&self, at: usize) -> Result<T, OddCell> {
        self.0.get(at).and_then(T::from_cell).ok_or_else(|| self.odd(at))
    }

    /// A word, as `read` understands it.
    pub fn word<T>(&self, at: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T, OddCell> {
        let text: String = self.get(at)?;
        read(&text).ok_or_else(|| self.odd(at))
    }

    /// A column of this row that cannot be understood.
    pub fn odd(&self, at: usize) -> OddCell {
        OddCell { at, found: self.0.get(at).map_or_else(String::new, |it| format!("{it:?}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_kind_is_an_error_and_nothing_is_nothing() {
        let row = Found::new(vec!["x".into(), 7_i64.into(), Cell::Text(None), (-1_i64).into()]);
        assert_eq!((row.get::<String>(0), row.get::<i64>(1)), (Ok("x".to_owned()), Ok(7)));
        assert_eq!(row.get::<Option<String>>(2), Ok(None));
        assert_eq!(row.get::<Option<i64>>(2), Ok(None));
        assert_eq!(row.get::<Option<i64>>(1), Ok(Some(7)));
        for odd in [row.get::<u32>(3).err(), row.get::<u32>(0).err(), row.get::<u32>(9).err()] {
            assert!(odd.is_some());
        }
        assert!(row.get::<Option<i64>>(0).is_err() && row.get::<String>(2).is_err());
        assert_eq!(row.word(0, |it| (it == "x").then_some(1)), Ok(1));
        assert!(row.word(0, |_| None::<i64>).is_err());
    }
}
