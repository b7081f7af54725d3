//! A report with rows of any number, written part by part: as it would stand there if it were written at once.

use crate::domain::report::{PartSink, Report};
use crate::view::canvas::{Canvas, Format};
use crate::view::{csv, foreign, json, text};
use serde_json::Value;
use std::io::{self, Write};

/// Whatever is written to.
pub type Out = Box<dyn Write + Send>;

/// Where the rows stand in the frame; no text has a line's end in it.
const ROWS: &str = "\n  \"rows\": []";

/// A writer of the canvas's form.
pub fn sink(canvas: &Canvas, out: Out) -> Box<dyn PartSink> {
    Box::new(Parts { out, canvas: canvas.clone(), begun: false, tail: String::new() })
}

struct Parts {
    out: Out,
    canvas: Canvas,
    /// Whether there was a row.
    begun: bool,
    /// What comes after the rows.
    tail: String,
}

impl Parts {
    fn objects(&mut self, part: &Report) -> io::Result<()> {
        let Some(Value::Object(mut members)) = json::report(part) else { return Ok(()) };
        let Some(Value::Array(rows)) = members.remove("rows") else { return Ok(()) };
        for row in rows {
            let row = foreign::json(format!("{row:#}")).replace('\n', "\n    ");
            let comma = if self.begun { "," } else { "" };
            self.begun = true;
            write!(self.out, "{comma}\n    {row}")?;
        }
        Ok(())
    }
}

impl PartSink for Parts {
    fn begin(&mut self, frame: &Report) -> io::Result<()> {
        match self.canvas.format {
            Format::Text => Ok(()),
            Format::Csv => self.out.write_all(csv::render(frame).unwrap_or_default().as_bytes()),
            Format::Json => {
                let frame = json::report(frame).unwrap_or_default();
                let frame = foreign::json(format!("{frame:#}"));
                let (head, tail) = frame.split_once(ROWS).unwrap_or((&frame, ""));
                tail.clone_into(&mut self.tail);
                let rows = ROWS.trim_end_matches(']');
                write!(self.out, "{head}{rows}")
            }
        }
    }

    fn part(&mut self, part: &Report) -> io::Result<()> {
        match self.canvas.format {
            Format::Json => self.objects(part),
            Format::Csv => {
                let text = csv::render(part).unwrap_or_default();
                let (_, rows) = text.split_once("\r\n").unwrap_or_default();
                self.out.write_all(rows.as_bytes())
            }
            Format::Text => {
                let text = foreign::printed(text::render(part, &self.canvas), &self.canvas);
                self.out.write_all(text.as_bytes())
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if self.canvas.format == Format::Json {
            let before = if self.begun { "\n  " } else { "" };
            writeln!(self.out, "{before}]{}", self.tail)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::locale::Locale;
    use crate::domain::mode::Mode;
    use crate::domain::place::Place;
    use crate::domain::sheet::{Cell, Sheet, SheetKind};
    use crate::view;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sheet(rows: std::ops::Range<i64>) -> Report {
        let row = |n: i64| {
            let word = |text: &str| Cell::Word(text.to_owned());
            vec![
                word("=a,\u{1b}\"rows\": []"),
                word("jpy"),
                Cell::Amount(n.into(), Currency::JPY),
                Cell::Number(n),
            ]
        };
        let (kind, rows) = (SheetKind::Balance, rows.map(row).collect());
        let place = Place { mode: Mode::Sandbox, base: None, home: "home".to_owned() };
        Report::Sheet(Sheet { place, kind, rows, looked: None, all: None })
    }

    #[test]
    fn what_is_written_part_by_part_is_what_is_written_at_once() {
        for format in [Format::Json, Format::Csv] {
            let canvas = Canvas { format, ..Canvas::plain(Locale::En) };
            for cuts in [vec![0], vec![0, 3], vec![0, 1, 1, 5]] {
                let kept = Kept::default();
                let mut sink = sink(&canvas, Box::new(kept.clone()));
                sink.begin(&sheet(0..0)).unwrap();
                for pair in cuts.windows(2) {
                    sink.part(&sheet(pair[0]..pair[1])).unwrap();
                }
                sink.end().unwrap();
                let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
                let whole = sheet(0..*cuts.last().unwrap());
                let whole = view::render(&whole, &canvas).unwrap();
                assert_eq!(written.trim_end(), whole.trim_end());
            }
        }
    }
}
