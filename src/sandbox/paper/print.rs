//! An invoice or a quote as a PDF: A4, as many pages as its lines take. Pure.

use crate::domain::locale::Locale;
use crate::sandbox::paper::bill::{Bill, BillLine};
use crate::sandbox::paper::pdf::{self, HEIGHT, POINT, Pdf, Side, WIDTH, Weight};
use crate::words::billing::Words;

const MARGIN: i64 = 48 * POINT;
const RIGHT: i64 = WIDTH - MARGIN;
/// Where the columns of a line end: its quantity, its unit price, its rate.
const COLUMNS: [i64; 3] = [330 * POINT, 415 * POINT, 475 * POINT];
/// How wide what is sold may be written.
const NAME_WIDTH: i64 = 225 * POINT;
const TEXT: i64 = 9 * POINT;
const SMALL: i64 = 8 * POINT;
const STEP: i64 = 14 * POINT;

/// A sheet and the height that is written at.
struct Sheet {
    pdf: Pdf,
    y: i64,
}

/// The file.
pub fn print(bill: &Bill, locale: Locale) -> Vec<u8> {
    let w = Words::of(locale);
    let mut sheet = Sheet { pdf: Pdf::default(), y: 0 };
    sheet.turn();
    sheet.head(bill);
    sheet.columns(w);
    for line in &bill.lines {
        sheet.line(line, w);
    }
    sheet.sums(bill, w);
    let title = format!("{} {}", bill.title, bill.number);
    sheet.pdf.finish(&title, locale.code())
}

impl Sheet {
    /// Begins a page.
    fn turn(&mut self) {
        self.pdf.begin_page();
        self.y = HEIGHT - MARGIN - 12 * POINT;
    }

    /// Goes down; onto a new page where there is no room for that. Says whether it did.
    fn down(&mut self, by: i64) -> bool {
        self.y -= by;
        let is_over = self.y < MARGIN;
        if is_over {
            self.turn();
        }
        is_over
    }

    fn left(&mut self, size: i64, text: &str, weight: Weight) {
        self.pdf.text((MARGIN, self.y), size, text, (weight, Side::Left));
    }

    fn right(&mut self, x: i64, text: &str, weight: Weight) {
        self.pdf.text((x, self.y), TEXT, text, (weight, Side::Right));
    }

    fn rule(&mut self) {
        self.pdf.rule((MARGIN, self.y + 10 * POINT), RIGHT - MARGIN);
    }

    fn head(&mut self, bill: &Bill) {
        self.left(20 * POINT, &bill.title, Weight::Bold);
        self.pdf.text((RIGHT, self.y), 11 * POINT, &bill.merchant, (Weight::Bold, Side::Right));
        self.down(8 * POINT);
        for (name, value) in &bill.registration {
            self.down(STEP);
            self.right(RIGHT, &format!("{name} {value}"), Weight::Plain);
        }
        self.down(STEP);
        for (name, value) in &bill.facts {
            self.down(STEP);
            self.left(TEXT, name, Weight::Bold);
            let x = MARGIN + 120 * POINT;
            self.pdf.text((x, self.y), TEXT, value, (Weight::Plain, Side::Left));
        }
        self.down(STEP + STEP);
        self.left(TEXT, &bill.addressee, Weight::Bold);
        for line in &bill.bill_to {
            self.down(STEP);
            self.left(TEXT, line, Weight::Plain);
        }
        self.down(2 * STEP);
        self.left(14 * POINT, &format!("{} {}", bill.due_name, bill.due), Weight::Bold);
        self.paragraph(&bill.memo);
        self.down(2 * STEP);
    }

    fn columns(&mut self, w: &Words) {
        let [quantity, unit, rate] = COLUMNS;
        self.left(SMALL, w.description, Weight::Bold);
        for (x, name) in
            [(quantity, w.quantity), (unit, w.unit_price), (rate, w.rate), (RIGHT, w.amount)]
        {
            self.pdf.text((x, self.y), SMALL, name, (Weight::Bold, Side::Right));
        }
        self.down(STEP);
    }

    fn line(&mut self, line: &BillLine, w: &Words) {
        let names = pdf::lines(&line.name, TEXT, NAME_WIDTH);
        let height = STEP * i64::try_from(names.len() + 1).unwrap_or(2);
        if self.y - height < MARGIN {
            self.turn();
            self.columns(w);
        }
        self.rule();
        let [quantity, unit, rate] = COLUMNS;
        for (x, text) in [
            (quantity, &line.quantity),
            (unit, &line.unit),
            (rate, &line.rate),
            (RIGHT, &line.amount),
        ] {
            self.right(x, text, Weight::Plain);
        }
        for name in &names {
            self.left(TEXT, name, Weight::Plain);
            self.down(STEP);
        }
        if !line.period.is_empty() {
            self.left(SMALL, &line.period, Weight::Plain);
            self.down(STEP);
        }
    }

    fn sums(&mut self, bill: &Bill, w: &Words) {
        let name_at = 380 * POINT;
        self.rule();
        for (name, amount) in &bill.totals {
            self.right(name_at + 60 * POINT, name, Weight::Plain);
            self.right(RIGHT, amount, Weight::Plain);
            self.down(STEP);
        }
        self.right(name_at + 60 * POINT, &bill.due_name, Weight::Bold);
        self.right(RIGHT, &bill.due, Weight::Bold);
        self.down(2 * STEP);
        if !bill.rates.is_empty() {
            self.left(TEXT, w.by_rate, Weight::Bold);
            let (taxable, tax) = (300 * POINT, 420 * POINT);
            self.right(taxable, w.taxable, Weight::Bold);
            self.right(tax, w.tax, Weight::Bold);
            for sum in &bill.rates {
                self.down(STEP);
                self.left(TEXT, &sum.rate, Weight::Plain);
                self.right(taxable, &sum.taxable, Weight::Plain);
                self.right(tax, &sum.tax, Weight::Plain);
            }
            self.down(STEP);
        }
        if bill.reduced {
            self.left(SMALL, w.reduced, Weight::Plain);
            self.down(STEP);
        }
        self.paragraph(&bill.footer);
    }

    fn paragraph(&mut self, text: &str) {
        for part in text.lines() {
            for line in pdf::lines(part, TEXT, RIGHT - MARGIN) {
                self.down(STEP);
                self.left(TEXT, &line, Weight::Plain);
            }
        }
    }
}
