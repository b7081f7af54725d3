//! What a server has to have to be graded, and what it may leave out: what `lessons/contract.toml` says.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The contract.
pub static CONTRACT: LazyLock<Contract> =
    LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());
const TEXT: &str = include_str!("../../../lessons/contract.toml");

/// The only things that the judge asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The routes.
    pub routes: Vec<Route>,
    /// The variables of the environment that a server finds when it is started.
    pub environment: Vec<String>,
    /// Those that it finds besides, by the lesson that asks for them.
    pub environment_of: Vec<EnvironmentOf>,
    /// The columns of the ledger.
    pub ledger: Vec<Column>,
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "as the file calls it")]
pub struct Route {
    /// `POST /webhook`.
    pub route: String,
    /// Whether nothing can be graded without it.
    pub required: bool,
    /// The flags that say where it is or that it is not there, or the optional lesson that asks for it.
    pub flags: String,
}

/// Variables that one lesson asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentOf {
    /// The optional lesson.
    pub lesson: String,
    /// The variables.
    pub variables: Vec<String>,
}

/// A column of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "as the file calls it")]
pub struct Column {
    /// Its name.
    pub column: String,
    /// What stands in it.
    pub form: String,
    /// Whether each row has it.
    pub required: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::books;
    use crate::domain::entry::EntryStatus;

    #[test]
    fn the_contract_speaks_of_what_the_judge_knows() {
        let contract: Contract = toml::from_str(TEXT).unwrap();
        assert!(contract.ledger.iter().all(|it| books::is_column(&it.column)));
        let status = contract.ledger.iter().find(|it| it.column == "status").unwrap();
        assert!(status.form.split(", ").all(|word| EntryStatus::read(word).is_some()));
    }
}
