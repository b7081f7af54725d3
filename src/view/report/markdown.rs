//! A report as Markdown.

use crate::view::foreign::markdown;
use crate::view::report::blocks::{Block, Chart};
use std::fmt::Write as _;

/// How long the longest bar is.
const BAR: u64 = 40;

/// The blocks as a file.
pub fn write(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks.iter().map(block).collect();
    format!("{}\n", parts.join("\n\n"))
}

fn block(it: &Block) -> String {
    match it {
        Block::Heading(level, text) => {
            format!("{} {}", "#".repeat(usize::from(*level)), markdown(text))
        }
        Block::Text(text) => markdown(text),
        Block::Command(command) => format!("```sh\n{command}\n```"),
        Block::List(points) => points
            .iter()
            .map(|point| format!("- {}", markdown(point)))
            .collect::<Vec<_>>()
            .join("\n"),
        Block::Table(head, rows) => {
            let line = |cells: &[String]| {
                format!(
                    "| {} |",
                    cells.iter().map(|cell| markdown(cell)).collect::<Vec<_>>().join(" | ")
                )
            };
            let mut lines = vec![line(head), format!("|{}", "---|".repeat(head.len()))];
            lines.extend(rows.iter().map(|row| line(row)));
            lines.join("\n")
        }
        Block::Chart(chart) => drawn(chart),
        Block::Sign(text) => text
            .split(" / ")
            .map(|what| format!("{}: ______________", markdown(what)))
            .collect::<Vec<_>>()
            .join("   "),
        Block::Data(title, data) => {
            format!("## {}\n\n```json stripegym-report\n{data}```", markdown(title))
        }
    }
}

fn drawn(chart: &Chart) -> String {
    let most = chart.bars.iter().map(|bar| u64::from(bar.good) + u64::from(bar.bad)).max();
    let most = most.unwrap_or_default().max(1);
    let length = |n: u32| {
        let scaled = (u64::from(n) * BAR).div_ceil(most);
        usize::try_from(scaled).unwrap_or_default()
    };
    let [good, bad] = &chart.legend;
    let mut out = format!("{}\n\n```text\n█ {good}  ░ {bad}\n", markdown(&chart.title));
    for bar in &chart.bars {
        let drawn = format!("{}{}", "█".repeat(length(bar.good)), "░".repeat(length(bar.bad)));
        // Writing to a string cannot fail.
        writeln!(out, "{} {drawn} {} + {}", bar.label, bar.good, bar.bad).unwrap_or_default();
    }
    out.push_str("```");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::report::blocks::Bar;

    #[test]
    fn what_a_lesson_says_cannot_become_a_mark() {
        let table = Block::Table(vec!["a|b".into()], vec![vec!["<b>*x*\n| y".into()]]);
        assert_eq!(write(&[table]), "| a\\|b |\n|---|\n| &lt;b&gt;\\*x\\* \\| y |\n");
    }

    #[test]
    fn a_bar_shows_few_beside_many_and_nothing_for_nothing() {
        let bar = |good, bad| Bar { label: "d".into(), good, bad };
        let bars = vec![bar(400, 0), bar(1, 1), bar(0, 0)];
        let text = drawn(&Chart { title: "t".into(), legend: ["g".into(), "b".into()], bars });
        assert!(text.contains(&format!("d {} 400 + 0", "█".repeat(40))), "{text}");
        assert!(text.contains("d █░ 1 + 1") && text.contains("d  0 + 0"), "{text}");
    }
}
