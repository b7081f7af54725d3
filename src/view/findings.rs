//! What a comparison found, written row by row: CSV, JSON lines, `JUnit`, a page. None of them keeps what it wrote.

use crate::domain::reconcile::row::{Key, Row};
use crate::domain::reconcile::{Finding, FindingSink, Summary, Verdict};
use crate::view::canvas::Canvas;
use crate::view::words::{Msg, int};
use crate::view::{csv, foreign, json, money};
use serde_json::json;
use std::io::{self, Write};

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// A JSON object a line; the last is the summary.
    Jsonl,
    /// What build servers read: a test a difference.
    Junit,
    /// A page that needs nothing beside it.
    Html,
}

/// Whatever is written to.
pub type Out = Box<dyn Write>;

/// A writer of a form.
pub fn sink(form: Form, canvas: &Canvas, out: Out) -> Box<dyn FindingSink> {
    match form {
        Form::Csv => Box::new(Csv(out)),
        Form::Jsonl => Box::new(Jsonl(out)),
        Form::Junit => Box::new(Junit(out)),
        Form::Html => Box::new(Html { out, canvas: canvas.clone(), left: ROWS_MAX }),
    }
}

struct Csv(Out);

impl FindingSink for Csv {
    fn begin(&mut self, _: &Summary) -> io::Result<()> {
        let head = [
            "verdict",
            "session",
            "ledger_amount",
            "ledger_currency",
            "ledger_status",
            "provider_amount",
            "provider_currency",
            "provider_status",
            "payment_intent",
            "key",
            "difference",
        ];
        self.0.write_all(csv::line(head).as_bytes())
    }

    fn row(&mut self, it: &Finding) -> io::Result<()> {
        let side = |row: Option<&Row>| match row {
            Some(row) => {
                [row.amount.to_string(), row.currency.code().to_owned(), row.word().to_owned()]
            }
            None => [const { String::new() }; 3],
        };
        let [own_amount, own_currency, own_status] = side(it.ours.as_ref());
        let [amount, currency, status] = side(it.theirs.as_ref());
        let rows = [it.theirs.as_ref(), it.ours.as_ref()];
        let intent = rows.into_iter().flatten().find_map(|row| row.key(Key::Intent));
        let difference = it.difference.map_or_else(String::new, |by| by.to_string());
        let cells = [
            it.verdict.name(),
            &it.id,
            &own_amount,
            &own_currency,
            &own_status,
            &amount,
            &currency,
            &status,
            intent.unwrap_or_default(),
            it.key.name(),
            &difference,
        ];
        self.0.write_all(csv::line(cells).as_bytes())
    }

    fn end(&mut self, _: &Summary) -> io::Result<()> {
        self.0.flush()
    }
}

struct Jsonl(Out);

impl FindingSink for Jsonl {
    fn begin(&mut self, _: &Summary) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, it: &Finding) -> io::Result<()> {
        writeln!(self.0, "{}", foreign::json(json::finding(it).to_string()))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        let last = json!({"summary": {"ok": summary.is_clean(), "counts": json::counts(summary),
            "sums": json::sums(summary), "money": json::flows(summary)}});
        writeln!(self.0, "{last}")?;
        self.0.flush()
    }
}

struct Junit(Out);

impl FindingSink for Junit {
    fn begin(&mut self, summary: &Summary) -> io::Result<()> {
        let (tests, failures) = (summary.rows(), summary.differing());
        writeln!(self.0, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(self.0, "<testsuite name=\"reconcile\" tests=\"{tests}\" failures=\"{failures}\">")
    }

    fn row(&mut self, it: &Finding) -> io::Result<()> {
        let (name, verdict) = (foreign::markup(&it.id), it.verdict.name());
        write!(self.0, "  <testcase classname=\"reconcile.{}\" name=\"{name}\"", it.key.name())?;
        if it.verdict.is_well() {
            return writeln!(self.0, "/>");
        }
        let said = foreign::markup(&format!(
            "{verdict}: {} / {}",
            plain(it.ours.as_ref()),
            plain(it.theirs.as_ref())
        ));
        writeln!(self.0, "><failure type=\"{verdict}\" message=\"{said}\"/></testcase>")
    }

    fn end(&mut self, _: &Summary) -> io::Result<()> {
        writeln!(self.0, "</testsuite>")?;
        self.0.flush()
    }
}

/// A side in a few words that no language needs.
fn plain(row: Option<&Row>) -> String {
    row.map_or_else(
        || "–".to_owned(),
        |it| format!("{} {} {}", it.amount, it.currency.code(), it.word()),
    )
}

/// Rows of a page: more are hard to open; the other forms have all.
const ROWS_MAX: usize = 20_000;

struct Html {
    out: Out,
    canvas: Canvas,
    left: usize,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:64rem;padding:1rem;color:#1a1f36}\
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}\
.n{text-align:right;font-variant-numeric:tabular-nums}.bar{display:flex;gap:.5rem;align-items:center;margin:.2rem 0}\
.bar b{flex:0 0 13rem;font-weight:500;font-size:.85rem}.bar i{height:.8rem;background:#5469d4;min-width:2px}\
.bar.MATCH i{background:#2a9d5c}.bar.PENDING i{background:#b98900}input,select{font:inherit;padding:.3rem;max-width:100%}\
@media(max-width:40rem){thead{display:none}tr{display:block;padding:.4rem 0}td{display:block;border:0;padding:.1rem 0}\
tr{border-bottom:1px solid #ddd}td::before{content:attr(data-h);color:#697386;margin-right:.5rem}.bar b{flex-basis:9rem}.n{text-align:left}}\
@media(prefers-color-scheme:dark){body{background:#16181d;color:#e3e8ee}th,td,tr{border-color:#333}}\
@media print{form{display:none}body{max-width:none;padding:0;color:#000;background:#fff}tr{break-inside:avoid}}";

const SCRIPT: &str = "const f=document.forms[0],r=[...document.querySelectorAll('tbody.rows tr')];\
function s(){const k=f.k.value,t=f.t.value.toLowerCase();let n=0;for(const e of r){const on=(!k||e.dataset.k===k)&&\
(!t||e.textContent.toLowerCase().includes(t));e.hidden=!on;if(on)n++}document.getElementById('n').textContent=n}\
f.addEventListener('input',s);f.addEventListener('submit',e=>e.preventDefault());s()";

impl Html {
    fn say(&self, msg: &Msg<'_>) -> String {
        foreign::markup(&self.canvas.say(msg))
    }

    fn side(&self, row: Option<&Row>) -> String {
        let shown =
            |it: &Row| format!("{} {}", money::show(it.money(), self.canvas.locale), it.word());
        row.map_or_else(|| "–".to_owned(), |it| foreign::markup(&shown(it)))
    }

    fn sums(&mut self, summary: &Summary) -> io::Result<()> {
        let names = [Msg::ColCurrency, Msg::ColLedger, Msg::ColProvider, Msg::ColDifference];
        let head = names.map(|msg| self.say(&msg));
        writeln!(self.out, "<table><thead><tr>")?;
        for name in &head {
            write!(self.out, "<th>{name}</th>")?;
        }
        writeln!(self.out, "</tr></thead><tbody>")?;
        for (currency, sum) in &summary.sums {
            let show = |minor| {
                foreign::markup(&money::show(
                    crate::domain::money::Money::new(minor, *currency),
                    self.canvas.locale,
                ))
            };
            let cells = [
                currency.code().to_owned(),
                show(sum.ours),
                show(sum.theirs),
                show(sum.ours.saturating_sub(sum.theirs)),
            ];
            write!(self.out, "<tr>")?;
            for (cell, name) in cells.iter().zip(&head) {
                write!(self.out, "<td class=n data-h=\"{name}\">{cell}</td>")?;
            }
            writeln!(self.out, "</tr>")?;
        }
        writeln!(self.out, "</tbody></table>")
    }
}

impl FindingSink for Html {
    fn begin(&mut self, summary: &Summary) -> io::Result<()> {
        let title = self.say(&Msg::HeaderReconcile);
        let lang = self.canvas.locale.code();
        let rows = int(summary.rows());
        let differing = int(summary.differing());
        let verdict = if differing == 0 {
            self.say(&Msg::ReconcileClean { rows })
        } else {
            self.say(&Msg::ReconcileDiffers { rows, differing })
        };
        writeln!(
            self.out,
            "<!doctype html><html lang={lang}><meta charset=utf-8><meta name=viewport \
             content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style>\
             <h1>{title}</h1><p>{verdict}</p>"
        )?;
        let most = summary.counts.values().copied().max().unwrap_or(1).max(1);
        let shown = || Verdict::ALL.into_iter().filter(|verdict| summary.count(*verdict) > 0);
        for verdict in shown() {
            let (name, count) = (verdict.name(), summary.count(verdict));
            let width = (count * 100 / most).max(1);
            writeln!(
                self.out,
                "<div class=\"bar {name}\"><b>{name} {count}</b><i style=\"width:calc({width}% * .6)\"></i></div>"
            )?;
        }
        self.sums(summary)?;
        writeln!(
            self.out,
            "<form><p><select name=k aria-label=\"{}\"><option></option>",
            self.say(&Msg::ColVerdict)
        )?;
        for verdict in shown() {
            write!(self.out, "<option>{}</option>", verdict.name())?;
        }
        writeln!(
            self.out,
            "</select> <input name=t type=search aria-label=\"{}\" placeholder=\"cs_… pi_…\"> <span id=n></span></p></form>\
             <table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody class=rows>",
            self.say(&Msg::ColSession),
            self.say(&Msg::ColVerdict),
            self.say(&Msg::ColSession),
            self.say(&Msg::ColLedger),
            self.say(&Msg::ColProvider)
        )
    }

    fn row(&mut self, it: &Finding) -> io::Result<()> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(()) };
        self.left = left;
        let (verdict, id) = (it.verdict.name(), foreign::markup(&it.id));
        let (own, other) = (self.side(it.ours.as_ref()), self.side(it.theirs.as_ref()));
        let [ledger, provider] = [self.say(&Msg::ColLedger), self.say(&Msg::ColProvider)];
        writeln!(
            self.out,
            "<tr data-k={verdict}><td>{verdict}</td><td>{id}</td><td data-h=\"{ledger}\">{own}</td>\
             <td data-h=\"{provider}\">{other}</td></tr>"
        )
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        writeln!(self.out, "</tbody></table>")?;
        let more = summary.rows().saturating_sub(ROWS_MAX - self.left);
        if more > 0 {
            let count = int(more);
            let said = self.say(&Msg::ReconcileCut { count });
            writeln!(self.out, "<p>{said}</p>")?;
        }
        writeln!(self.out, "<script>{SCRIPT}</script></html>")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::locale::Locale;
    use crate::domain::money::Money;
    use crate::domain::reconcile::judge::Rules;
    use crate::domain::reconcile::merge::in_memory;
    use crate::domain::reconcile::row::What;
    use crate::domain::time::Timestamp;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(form: Form) -> String {
        let row = |id: &str, amount| {
            Row::new(What::Payment, id, Money::new(amount, Currency::JPY), Timestamp(0))
        };
        let found =
            in_memory(&Rules::default(), &[row("=<b>\u{1b}", 5), row("ok", 1)], &[row("ok", 1)]);
        let mut summary = Summary::default();
        for one in &found {
            summary.add(one);
        }
        let heard = Heard::default();
        let mut sink = sink(form, &Canvas::plain(Locale::En), Box::new(heard.clone()));
        sink.begin(&summary).unwrap();
        for one in &found {
            sink.row(one).unwrap();
        }
        sink.end(&summary).unwrap();
        String::from_utf8(heard.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn every_form_has_every_row_and_nothing_that_others_wrote_acts() {
        for form in [Form::Csv, Form::Jsonl, Form::Junit, Form::Html] {
            let text = written(form);
            assert!(text.contains("MISSING_AT_PROVIDER") && text.contains("ok"), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
        assert!(written(Form::Csv).contains("MISSING_AT_PROVIDER,'=<b>\\u001b,5,jpy"));
        for form in [Form::Junit, Form::Html] {
            assert!(written(form).contains("=&lt;b&gt;"), "{form:?}");
        }
        assert!(written(Form::Junit).contains("tests=\"2\" failures=\"1\""));
        let page = written(Form::Html);
        assert!(!page.contains("http") && page.contains("width=device-width"), "{page}");
        let lines = written(Form::Jsonl);
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!(last["summary"]["counts"]["MATCH"], 1);
    }
}
