//! The only place that prints. A reader that has gone away (`| head`) is no failure.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static LOST: AtomicBool = AtomicBool::new(false);

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

/// Stdout for what is written piece by piece. A reader that has gone away is no failure here either.
pub(crate) fn stream() -> Box<dyn Write + Send> {
    Box::new(io::BufWriter::with_capacity(64 * 1024, Stream))
}

struct Stream;

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().lock().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().lock().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Whether something could not be written for another reason than a reader that has gone, such as a full disk.
pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether colours may be shown: on a terminal, or where they are asked for all the same.
pub(crate) fn is_colourful(forced: Option<&str>) -> bool {
    is_terminal() || forced.is_some_and(|value| value != "0")
}

/// How many columns a line may have: what `COLUMNS` says, else the terminal's, else 80. Longer lines than 120
/// columns are hard to read, and less than 40 leave no room for a table.
pub(crate) fn width(columns: Option<&str>) -> u16 {
    let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    let said = columns.and_then(|text| text.parse().ok()).or_else(terminal);
    said.filter(|width| *width > 0).unwrap_or(80).clamp(40, 120)
}

/// Whether what is said can be answered: questions are seen and answers typed on a terminal.
pub(crate) fn is_dialogue() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
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
    if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_one_that_can_be_read() {
        assert_eq!([width(Some("60")), width(Some("7")), width(Some("900"))], [60, 40, 120]);
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
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
    fn a_broken_pipe_is_no_loss_and_a_full_disk_is() {
        note(write_whole(&mut Failing(io::ErrorKind::BrokenPipe), "a"));
        assert!(!is_lost());
        note(write_whole(&mut Failing(io::ErrorKind::StorageFull), "a"));
        assert!(is_lost());
    }
}
