//! Starts a sandbox to be measured.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A sandbox that is ready.
pub(crate) struct Host {
    pub(crate) child: Child,
    pub(crate) out: BufReader<ChildStdout>,
    pub(crate) ready: String,
    pub(crate) home: TempDir,
}

/// Starts one in a folder of its own and waits for its `Ready` line.
#[allow(dead_code, reason = "not every bench that has this module starts in an empty folder")]
pub(crate) fn start(more: &[&str]) -> Host {
    start_in(tempfile::tempdir().unwrap(), more)
}

/// Starts one in a folder and waits for its `Ready` line. `STRIPEGYM_BENCH_BINARY` names another build to
/// be measured, for a comparison of two.
#[expect(clippy::disallowed_methods, reason = "a bench has no settings but its arguments and this")]
pub(crate) fn start_in(home: TempDir, more: &[&str]) -> Host {
    let built = env!("CARGO_BIN_EXE_stripegym");
    let binary = std::env::var_os("STRIPEGYM_BENCH_BINARY").unwrap_or_else(|| built.into());
    let mut child = Command::new(binary)
        .args(["sandbox", "--port", "0"])
        .args(more)
        .env("STRIPEGYM_HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    while !ready.contains("Ready http://127.0.0.1:") {
        ready.clear();
        assert_ne!(out.read_line(&mut ready).unwrap(), 0, "ended before it was ready");
    }
    Host { child, out, ready, home }
}
