//! Where lines belong that do not say it themselves: a balance transaction names a charge or a refund, and what else the
//! same journal has of that says which payment it is of.

use crate::domain::book::home::{home, is_sure, said, unsaid};
use crate::domain::book::line::Line;
use crate::store::StoreError;
use crate::store::snapshot::EachLine;
use std::collections::BTreeMap;

/// A journal, as often as it is read: its lines go to whoever is given.
pub(super) type Read<'r> = &'r mut dyn FnMut(EachLine<'_>) -> Result<(), StoreError>;

/// The homes that lines of a journal do not say.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// By the object that a line names.
    known: BTreeMap<String, String>,
    /// What the first line is about whose home nothing says.
    pub(super) lost: Option<String>,
}

impl Homes {
    /// Those of a journal, whose lines `read` gives to whoever it is given.
    pub(super) fn of(read: Read<'_>) -> Result<Self, StoreError> {
        let (mut asked, mut lost) = (BTreeMap::new(), None);
        read(&mut |line| {
            if !is_sure(&line) {
                let about = line.object.clone().unwrap_or_else(|| line.id.clone());
                match unsaid(&line) {
                    Some(object) => drop(asked.insert(object, about)),
                    None => lost = lost.take().or(Some(about)),
                }
            }
            Ok(())
        })?;
        let mut known = BTreeMap::new();
        if !asked.is_empty() {
            read(&mut |line| {
                if is_sure(&line) {
                    for object in said(&line).into_iter().filter(|it| asked.contains_key(it)) {
                        known.insert(object, home(&line));
                    }
                }
                Ok(())
            })?;
        }
        let unknown = asked.into_iter().find(|(object, _)| !known.contains_key(object));
        Ok(Self { known, lost: unknown.map(|(_, about)| about).or(lost) })
    }

    /// The home of a line that is not sure of one.
    pub(super) fn find(&self, line: &Line) -> Option<String> {
        self.known.get(&unsaid(line)?).cloned()
    }
}
