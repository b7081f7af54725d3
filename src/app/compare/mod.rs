//! What `reconcile` compares: sources of rows, and the comparison over any number of them.

pub mod decode;
pub mod provided;
pub mod repair;
pub mod run;
pub mod source;
pub mod table;
