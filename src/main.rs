//! The `stripegym` binary: arguments in, exit code out.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A request makes some hundred small allocations; the system's allocator serves threads by locks.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    stripegym::main(std::env::args_os())
}
