//! What `reconcile` compares: sources of rows, and the comparison over any number of them.

pub mod changed;
pub mod decode;
pub mod incremental;
pub mod mark;
pub mod on_server;
pub mod progress;
pub mod provided;
pub mod repair;
pub mod run;
pub mod source;
pub mod table;
