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
pub(crate) fn start(more: &[&str]) -> Host {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stripegym"))
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
