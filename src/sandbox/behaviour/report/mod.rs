//! Reports of the balance: which there are, which rows they have and how a file of them reads.
//!
//! `kinds` is the table of reports and columns, `rows` chooses transactions, `cell` says what stands in a column, and
//! `csv` writes into a file that `kept` keeps. Columns and their order are Stripe's as documented; no recording has a report, so they are believed.

pub mod cell;
pub mod csv;
pub mod kept;
pub mod kinds;
pub mod rows;
