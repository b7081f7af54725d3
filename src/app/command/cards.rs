//! `stripegym cards`: every test card by what it does, or those that a filter names.

use crate::domain::card::{Group, matching, names_group};
use crate::domain::fault::{Fault, FaultKind, UsageError};
use crate::domain::report::Report;

/// The table needs nothing but itself. A filter that names nothing is a mistake in typing.
pub fn run(filter: Option<&str>) -> Result<Report, Fault> {
    let named = |group: &Group| {
        !matching(*group, filter).is_empty()
            || *group == Group::Konbini && names_group(*group, filter)
    };
    if !Group::ALL.iter().any(named) {
        let groups: Vec<&str> = Group::ALL.iter().map(|group| group.name()).collect();
        let usage_error = UsageError::BadValue {
            flag: "FILTER".to_owned(),
            value: filter.unwrap_or_default().to_owned(),
            expected: groups.join(", "),
        };
        return Err(FaultKind::Usage { usage_error, command: "stripegym cards".to_owned() }.into());
    }
    Ok(Report::Cards(filter.map(str::to_owned)))
}
