//! The tables of each server of a ledger, as whoever reads on the first finds them: one where it is not divided. What is
//! looked for by a number of a line or of an entry is looked for there, for the views of all servers know none by an index.

use crate::store::postgres::PgLedger;

/// One server's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The schema that has them on the first server.
    schema: String,
    /// Which server it is, from 0.
    at: i64,
    /// Of how many.
    of: i64,
}

impl Part {
    /// The tables of one of several servers, by its place.
    pub(super) fn new(at: usize, of: usize) -> Self {
        let schema =
            if at == 0 { "\"stripegym\"".to_owned() } else { format!("stripegym_{}", at + 1) };
        let number = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
        Self { schema, at: number(at), of: number(of).max(1) }
    }

    /// The schema that has them on the first server.
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// A statement about a ledger's tables, of this server's.
    pub(super) fn sql(&self, sql: &str) -> String {
        sql.replace(" stripegym.", &format!(" {}.", self.schema))
    }

    /// The number of a line or of an entry among those of all servers, which are given by turns, as an expression.
    pub(super) fn number(&self, column: &str) -> String {
        match self.of {
            1 => column.to_owned(),
            of => format!("({column} - 1) * {of} + {}", self.at + 1),
        }
    }

    /// The number among all of one that is this here.
    pub(super) const fn shown(&self, own: i64) -> i64 {
        own.saturating_sub(1).saturating_mul(self.of).saturating_add(self.at + 1)
    }

    /// The number here of one among all; `None` where it is another server's.
    pub(super) const fn own(&self, shown: i64) -> Option<i64> {
        let before = shown.saturating_sub(1);
        if before.rem_euclid(self.of) == self.at {
            Some(before.div_euclid(self.of) + 1)
        } else {
            None
        }
    }
}

impl PgLedger {
    /// The tables of each of its servers.
    pub(super) fn parts(&self) -> Vec<Part> {
        let servers = self.servers().len();
        (0..servers).map(|at| Part::new(at, servers)).collect()
    }

    /// The journal of each of its servers.
    pub(super) fn journals_here(&self) -> Vec<String> {
        self.parts().iter().map(|part| format!("{}.events", part.schema)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_several_servers_never_meet_and_are_found_again() {
        for of in 1..5 {
            let parts: Vec<Part> = (0..of).map(|at| Part::new(at, of)).collect();
            let mut all: Vec<i64> =
                parts.iter().flat_map(|part| (1..50).map(|own| part.shown(own))).collect();
            all.sort_unstable();
            assert!(all.iter().copied().eq(1..=49 * i64::try_from(of).unwrap()), "{all:?}");
            for number in all {
                let owned: Vec<i64> =
                    parts.iter().filter_map(|part| Some(part.shown(part.own(number)?))).collect();
                assert_eq!(owned, [number]);
            }
        }
    }

    #[test]
    fn a_statement_is_about_one_server_s_tables() {
        let (alone, second) = (Part::new(0, 1), Part::new(1, 2));
        assert_eq!(alone.number("line"), "line");
        assert_eq!(second.number("line"), "(line - 1) * 2 + 2");
        let sql = "SELECT 1 FROM stripegym.events JOIN stripegym.facts ON TRUE";
        assert_eq!(
            second.sql(sql),
            "SELECT 1 FROM stripegym_2.events JOIN stripegym_2.facts ON TRUE"
        );
    }
}
