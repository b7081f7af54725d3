//! The `stripegym` binary: arguments in, exit code out.

use mimalloc::MiMalloc;
use std::process::ExitCode;
use zeroizing_alloc::ZeroAlloc;

/// A request makes some hundred small allocations; the system's allocator serves threads by locks. What is freed is
/// wiped: no card number that somebody typed outlives its request in memory.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    stripegym::main(std::env::args_os())
}
