//! The figures, one row each, with what was aimed at.

/// A figure beside the others of the same run.
pub(crate) struct Row {
    what: &'static str,
    cells: [String; 6],
    goal: &'static str,
    reached: Option<bool>,
}

/// Where a figure is not there.
const NONE: &str = "–";

impl Row {
    pub(crate) fn new(what: &'static str, goal: &'static str) -> Self {
        Self { what, cells: std::array::from_fn(|_| NONE.to_owned()), goal, reached: None }
    }

    pub(crate) fn ours(self, text: impl Into<String>) -> Self {
        self.cell(0, text)
    }

    pub(crate) fn emulate(self, text: impl Into<String>) -> Self {
        self.cell(1, text)
    }

    pub(crate) fn ratio(self, ratio: f64) -> Self {
        self.cell(2, format!("{ratio:.2} ×"))
    }

    pub(crate) fn bare(self, text: impl Into<String>) -> Self {
        self.cell(3, text)
    }

    /// p50 and p99 in milliseconds.
    pub(crate) fn latency(self, p50: f64, p99: f64) -> Self {
        self.cell(4, format!("{p50:.2}")).cell(5, format!("{p99:.2}"))
    }

    pub(crate) fn reached(mut self, reached: bool) -> Self {
        self.reached = Some(reached);
        self
    }

    fn cell(mut self, at: usize, text: impl Into<String>) -> Self {
        self.cells[at] = text.into();
        self
    }
}

/// Prints rows under a heading, each column as wide as its widest cell.
pub(crate) fn print(rows: &[Row]) {
    let head =
        ["", "ours", "emulate", "ratio", "bare hyper", "p50 ms", "p99 ms", "goal", "reached"];
    let lines: Vec<Vec<String>> = std::iter::once(head.map(str::to_owned).to_vec())
        .chain(rows.iter().map(|row| {
            let reached = match row.reached {
                Some(true) => "yes",
                Some(false) => "NO",
                None => NONE,
            };
            let mut line = vec![row.what.to_owned()];
            line.extend(row.cells.iter().cloned());
            line.extend([row.goal.to_owned(), reached.to_owned()]);
            line
        }))
        .collect();
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| {
                if matches!(at, 1..=6) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        println!("{}", cells.join("  ").trim_end());
    }
}

/// `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate as it stands in a cell.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{}/s", if rate < 100.0 { format!("{rate:.1}") } else { thousands(rate) })
}
