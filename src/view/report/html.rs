//! A report as one HTML file: no script, nothing fetched, for light, dark and paper.

use crate::domain::locale::Locale;
use crate::view::foreign::markup;
use crate::view::report::blocks::{Block, Chart};
use std::fmt::Write as _;

/// Where the chart's bars begin, and how long the longest is.
const BAR_LEFT: u64 = 60;
const BAR: u64 = 560;
/// The height of a bar with the room around it.
const STEP: u64 = 24;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1a1f36;--paper:#fff;--line:#d5dbe1;--quiet:#5f6b7a;--good:#1a7f5a;--bad:#c0392b}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--paper:#14171f;--line:#343b49;--quiet:#9aa5b5;--good:#4cc38a;--bad:#ff7b6b}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:break-word}
th{color:var(--quiet);font-weight:600;white-space:nowrap}pre,code{font-family:ui-monospace,monospace;font-size:.8rem}
pre{border:1px solid var(--line);padding:.6rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font:12px system-ui,sans-serif}.good{fill:var(--good)}.bad{fill:var(--bad)}
.sign{display:flex;gap:2rem;margin:3rem 0 1rem}.sign span{flex:1;border-top:1px solid var(--ink);padding-top:.3rem;color:var(--quiet)}
@media screen and (max-width:44rem){table{display:block;overflow-x:auto}th{white-space:normal}td,th,p,li{overflow-wrap:anywhere}.sign{flex-wrap:wrap}}
@media print{:root{--ink:#000;--paper:#fff;--line:#999;--quiet:#444;--good:#1a7f5a;--bad:#c0392b}body{margin:0;max-width:none;font-size:11px}details{display:none}tr,svg{break-inside:avoid}h2{break-after:avoid}}
";

/// The blocks as a file.
pub fn write(blocks: &[Block], locale: Locale) -> String {
    let title = blocks.iter().find_map(|block| match block {
        Block::Heading(1, text) => Some(markup(text)),
        _ => None,
    });
    let body: Vec<String> = blocks.iter().map(block).collect();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}\n</body>\n</html>\n",
        locale.code(),
        title.unwrap_or_default(),
        body.join("\n"),
    )
}

fn block(it: &Block) -> String {
    match it {
        Block::Heading(level, text) => format!("<h{level}>{}</h{level}>", markup(text)),
        Block::Text(text) => format!("<p>{}</p>", markup(text)),
        Block::Command(command) => format!("<pre>{}</pre>", markup(command)),
        Block::List(points) => {
            let points = points.iter().map(|it| format!("<li>{}</li>", markup(it)));
            format!("<ul>{}</ul>", points.collect::<Vec<_>>().concat())
        }
        Block::Table(head, rows) => {
            let cells = |tag: &str, cells: &[String]| {
                let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", markup(cell)));
                cells.collect::<Vec<_>>().concat()
            };
            let mut out =
                format!("<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n", cells("th", head));
            out.extend(rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))));
            out.push_str("</tbody>\n</table>");
            out
        }
        Block::Chart(chart) => drawn(chart),
        Block::Sign(text) => {
            let lines = text.split(" / ").map(|what| format!("<span>{}</span>", markup(what)));
            format!("<div class=\"sign\">{}</div>", lines.collect::<Vec<_>>().concat())
        }
        Block::Data(title, data) => format!(
            "<details>\n<summary>{}</summary>\n<pre id=\"stripegym-report\">{}</pre>\n</details>",
            markup(title),
            markup(data)
        ),
    }
}

fn drawn(chart: &Chart) -> String {
    let most = chart.bars.iter().map(|bar| u64::from(bar.good) + u64::from(bar.bad)).max();
    let most = most.unwrap_or_default().max(1);
    let length = |n: u32| (u64::from(n) * BAR).div_ceil(most);
    let rows = u64::try_from(chart.bars.len()).unwrap_or_default();
    let height = (rows + 2) * STEP;
    let mut out = format!(
        "<svg viewBox=\"0 0 720 {height}\" role=\"img\" aria-label=\"{}\">\n<text x=\"0\" y=\"16\">{}</text>\n",
        markup(&chart.title),
        markup(&chart.title)
    );
    let [good, bad] = &chart.legend;
    for (at, (class, word)) in (1_u64..).zip([("good", good), ("bad", bad)]) {
        let x = BAR_LEFT + (at - 1) * 200;
        let line = format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
            STEP + 4,
            x + 18,
            STEP + 15,
            markup(word)
        );
        out.push_str(&line);
    }
    for (at, bar) in (2_u64..).zip(&chart.bars) {
        let y = at * STEP + 4;
        let (left, right) = (length(bar.good), length(bar.bad));
        writeln!(
            out,
            "<text x=\"0\" y=\"{}\">{}</text><rect class=\"good\" x=\"{BAR_LEFT}\" y=\"{y}\" width=\"{left}\" \
             height=\"16\"/><rect class=\"bad\" x=\"{}\" y=\"{y}\" width=\"{right}\" height=\"16\"/>\
             <text x=\"{}\" y=\"{}\">{} + {}</text>",
            y + 12,
            markup(&bar.label),
            BAR_LEFT + left,
            BAR_LEFT + left + right + 8,
            y + 12,
            bar.good,
            bar.bad
        )
        .unwrap_or_default();
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::report::blocks::Bar;

    #[test]
    fn what_a_lesson_says_cannot_become_a_tag() {
        let evil = "<script>alert(1)</script> \"x\" 'y' & \u{1b}".to_owned();
        let blocks = [
            Block::Heading(1, evil.clone()),
            Block::Table(vec![evil.clone()], vec![vec![evil.clone()]]),
            Block::Data(evil.clone(), evil.clone()),
            Block::Chart(Chart {
                title: evil.clone(),
                legend: [evil.clone(), evil.clone()],
                bars: vec![Bar { label: evil, good: 1, bad: 2 }],
            }),
        ];
        let html = write(&blocks, Locale::Ja);
        assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
        assert!(html.starts_with("<!doctype html>\n<html lang=\"ja\">"), "{html}");
        for fetched in ["src=", "href=", "url(", "@import", "http://", "https://"] {
            assert!(!html.contains(fetched), "{fetched}");
        }
    }
}
