//! The `stripegym` binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    stripegym::cli::main(std::env::args_os())
}
