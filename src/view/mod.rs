//! Facts into text: tables, JSON and CSV for machines, sentences in two languages for people.
//! Pure; knows no terminal.

pub mod words;

pub mod canvas;
pub mod money;
mod sheet;
pub mod table;
pub mod time;
pub mod wrap;

pub mod build_server;
pub mod cards;
pub mod check;
pub mod contract;
pub mod control;
pub mod course;
pub mod course_json;
pub mod csv;
pub mod doctor;
pub mod fault;
pub mod findings;
pub mod foreign;
pub mod items;
pub mod json;
pub mod look;
pub mod markdown;
pub mod notice;
mod objects;
pub mod parts;
pub mod report;
pub mod requests;
pub mod schema;
pub mod signed_delivery;
mod statement;
pub mod talk;
pub mod text;

use crate::domain::report::Report;
use crate::view::canvas::{Canvas, Format};

/// A report in the canvas's form; `None` where there is nothing to print.
pub fn render(report: &Report, canvas: &Canvas) -> Option<String> {
    let as_text = || foreign::printed(text::render(report, canvas), canvas);
    let text = match canvas.format {
        // What follows lines of JSON is a line of JSON.
        Format::Json
            if matches!(
                report,
                Report::Day0(_) | Report::Day(_) | Report::Checked(_) | Report::Listened(_)
            ) =>
        {
            foreign::json(json::report(report)?.to_string())
        }
        Format::Json => foreign::json(format!("{:#}", json::report(report)?)),
        Format::Csv => csv::render(report).unwrap_or_else(as_text),
        Format::Text => as_text(),
    };
    (!text.is_empty()).then_some(text)
}
