//! The only place that prints. A reader that has gone away (`| head`) is no failure.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Writes a text to stdout, with a newline at its end.
pub(crate) fn data(text: &str) {
    let mut out = io::stdout().lock();
    note(write_whole(&mut out, text));
}

/// Writes a text to stderr, with a newline at its end.
pub(crate) fn aside(text: &str) {
    let mut err = io::stderr().lock();
    note(write_whole(&mut err, text));
}

/// Whether whoever read our output has gone away.
pub(crate) fn reader_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether stderr is a terminal.
pub(crate) fn is_error_terminal() -> bool {
    io::stderr().is_terminal()
}

fn write_whole(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()
}

fn note(written: io::Result<()>) {
    if written.is_err() {
        // Broken pipe or closed descriptor: there is nobody left to tell.
        READER_GONE.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_text_ends_with_one_newline() {
        let mut out = Vec::new();
        write_whole(&mut out, "a").unwrap();
        write_whole(&mut out, "b\n").unwrap();
        assert_eq!(out, b"a\nb\n");
    }

    #[test]
    fn a_broken_pipe_is_noted_and_nothing_else() {
        note(write_whole(&mut Gone, "a"));
        assert!(reader_gone());
    }
}
