//! Long texts through the reader's own pager, where there is a reader at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

static OPEN: AtomicBool = AtomicBool::new(false);

/// What pages where nobody says otherwise: ends by itself when all fits, keeps colours, leaves the text there.
const DEFAULT: &str = "less -FRX";

/// The command that pages, if one is to: `PAGER`, else `less`; none where it is empty or `cat`, in continuous
/// integration, or without a terminal on both sides.
pub(crate) fn choose(pager: Option<&str>, ci: bool, asks_nothing: bool) -> Option<String> {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let chosen = pager.map_or(DEFAULT, str::trim);
    let none = chosen.is_empty() || chosen == "cat";
    (terminal && !ci && !asks_nothing && !none).then(|| chosen.to_owned())
}

/// Whether somebody reads in the pager right now: Ctrl-C is meant for it then.
pub(crate) fn is_open() -> bool {
    OPEN.load(Ordering::Relaxed)
}

/// Shows a text through the pager; whether it could be started.
pub(crate) fn show(pager: &str, text: &str) -> bool {
    let mut words = pager.split_whitespace();
    let Some(program) = words.next() else { return false };
    let started = Command::new(program)
        .args(words)
        // less shows bytes where the locale is not installed; what we write is always UTF-8.
        .env("LESSCHARSET", "utf-8")
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else { return false };
    OPEN.store(true, Ordering::Relaxed);
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever leaves the pager early has read enough.
        drop(stdin.write_all(text.as_bytes()).and_then(|()| stdin.write_all(b"\n")));
    }
    let read = child.wait().is_ok();
    OPEN.store(false, Ordering::Relaxed);
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_paged_without_a_terminal_or_where_nothing_is_asked() {
        assert_eq!(choose(Some("less"), true, false), None);
        assert_eq!(choose(Some(""), false, false), None);
        assert_eq!(choose(None, false, true), None);
    }

    #[test]
    fn a_pager_that_cannot_be_started_is_noticed() {
        assert!(!show("stripegym-no-such-pager", "text"));
        assert!(show("true", "text"));
    }
}
