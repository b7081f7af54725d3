//! The screen of a conversation: at most 24 lines of 80 columns, whatever comes. What is longer waits for `more`.

use crate::cli::out;
use crate::cli::talk::editor::Prompt;
use crate::view::canvas::Canvas;
use crate::view::foreign;
use crate::view::wrap::columns;

/// The most that a screen has, so that what fits here fits everywhere.
const ROWS_MAX: u16 = 24;
const COLUMNS_MAX: u16 = 80;
/// The fewest rows that a conversation can be held on.
const ROWS_MIN: u16 = 12;
/// Clears the screen and goes to its upper left corner.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// Rows and columns as the terminal has them now.
pub(crate) fn size() -> (usize, u16) {
    let found = terminal_size::terminal_size_of(std::io::stdout());
    let (columns, rows) = found.map_or((COLUMNS_MAX, ROWS_MAX), |(w, h)| (w.0, h.0));
    (usize::from(rows.clamp(ROWS_MIN, ROWS_MAX)), columns.clamp(40, COLUMNS_MAX))
}

/// What stands on the screen. Whatever comes is shown and acts on nothing but the tones of its canvas.
#[derive(Debug)]
pub(crate) struct Screen {
    canvas: Canvas,
    head: Vec<String>,
    used: usize,
    rest: Vec<String>,
}

impl Screen {
    pub(crate) const fn on(canvas: Canvas) -> Self {
        Self { canvas, head: Vec::new(), used: 0, rest: Vec::new() }
    }

    fn shown(&self, text: &str) -> String {
        foreign::printed(text.to_owned(), &self.canvas)
    }

    /// Begins a new screen: a head that stays, and what follows it.
    pub(crate) fn begin(&mut self, head: &[String], body: &str) {
        self.head = head.iter().map(|line| self.shown(line)).collect();
        self.rest.clear();
        self.clear();
        self.add(body);
        self.add(" ");
    }

    fn clear(&mut self) {
        let mut text = CLEAR.to_owned();
        for line in &self.head {
            text.push_str(line);
            text.push('\n');
        }
        out::data(text.trim_end_matches('\n'));
        self.used = height(&self.head);
    }

    /// Adds a text. Where there is no room for it, the screen is begun anew under its head; where there is still none,
    /// the rest waits.
    pub(crate) fn add(&mut self, text: &str) {
        let lines: Vec<String> = self.shown(text).lines().map(str::to_owned).collect();
        if lines.is_empty() {
            return;
        }
        let room = room();
        if self.used + height(&lines) > room {
            self.clear();
        }
        let mut shown = Vec::new();
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.peek() {
            if self.used + height(&shown) + height(std::slice::from_ref(line)) > room {
                break;
            }
            shown.extend(lines.next());
        }
        self.rest = lines.collect();
        self.used += height(&shown);
        if !shown.is_empty() {
            out::data(&shown.join("\n"));
        }
    }

    /// Shows what can be typed, above the prompt.
    pub(crate) fn foot(&mut self, line: &str) {
        let line = self.shown(line);
        out::data(&line);
        self.used += height(&[line]);
    }

    /// Says something above the line that is being typed.
    pub(crate) fn above(&mut self, prompt: &Prompt, text: &str) {
        let text = self.shown(text);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        self.used += height(&lines);
        prompt.say_above(&text);
    }

    /// Notes that a line was typed after a prompt.
    pub(crate) fn typed(&mut self, text: &str) {
        self.used += height(&[text.to_owned()]);
    }

    /// Whether something waits.
    pub(crate) const fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// What waits, on a screen of its own.
    pub(crate) fn more(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        self.clear();
        self.add(&rest.join("\n"));
    }
}

/// Rows that texts may fill: the last two are for what can be typed and for the prompt.
fn room() -> usize {
    size().0.saturating_sub(3)
}

fn height(lines: &[String]) -> usize {
    let (_, width) = size();
    let rows = |line: &String| columns(line).div_ceil(usize::from(width)).max(1);
    lines.iter().map(rows).sum()
}
