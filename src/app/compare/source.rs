//! Where the rows of a side come from.

use std::path::PathBuf;

/// A source, as `--ours` and `--theirs` name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The folder's ledger.
    Ledger,
    /// The sandbox or Stripe.
    Provider,
    /// A table of an SQLite file; without a name its only one.
    Sqlite(PathBuf, Option<String>),
    /// A file of comma-, semicolon- or tab-separated values.
    Csv(PathBuf),
    /// A file with a JSON object a line.
    Jsonl(PathBuf),
}

impl Source {
    /// Reads `ledger`, `provider`, `csv:PATH`, `jsonl:PATH`, `sqlite:PATH` and `sqlite:PATH#TABLE`.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "ledger" => return Some(Self::Ledger),
            "provider" => return Some(Self::Provider),
            _ => {}
        }
        let (kind, path) = text.split_once(':').filter(|(_, path)| !path.is_empty())?;
        match kind {
            "csv" => Some(Self::Csv(path.into())),
            "jsonl" => Some(Self::Jsonl(path.into())),
            "sqlite" => Some(match path.rsplit_once('#') {
                Some((path, table)) => Self::Sqlite(path.into(), Some(table.to_owned())),
                None => Self::Sqlite(path.into(), None),
            }),
            _ => None,
        }
    }

    /// As it is said.
    pub fn name(&self) -> String {
        match self {
            Self::Ledger => "ledger".to_owned(),
            Self::Provider => "provider".to_owned(),
            Self::Sqlite(path, _) | Self::Csv(path) | Self::Jsonl(path) => {
                path.display().to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_typed() {
        assert_eq!(Source::read("ledger"), Some(Source::Ledger));
        let table = Some("ledger".to_owned());
        assert_eq!(
            Source::read("sqlite:a b.db#ledger"),
            Some(Source::Sqlite("a b.db".into(), table))
        );
        assert_eq!(Source::read("csv:C:/x.csv"), Some(Source::Csv("C:/x.csv".into())));
        for wrong in ["", "csv:", "xlsx:a", "ledger.csv"] {
            assert_eq!(Source::read(wrong), None, "{wrong}");
        }
    }
}
