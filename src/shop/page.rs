//! The shop's pages: HTML that works without JavaScript. Everything that comes from elsewhere is escaped by
//! the templates.

use crate::domain::locale::Locale;
use crate::domain::money::Money;
use crate::domain::report::{LedgerRow, Total};
use crate::words::shop::Words;
use askama::Template;

const STYLE: &str = "\
:root{color-scheme:light;--ink:#1a1f36;--soft:#4f566b;--line:#e3e8ee;--act:#4b45c6}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;background:#f6f8fa;color:var(--ink);line-height:1.6;\
font-family:system-ui,-apple-system,'Hiragino Sans','Noto Sans JP',sans-serif}\
main{max-width:34rem;margin:0 auto;padding:3rem 1.25rem}main.wide{max-width:72rem}\
.card{background:#fff;border:1px solid var(--line);border-radius:.75rem;padding:2rem;\
box-shadow:0 1px 3px rgba(26,31,54,.06)}\
h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.5rem 0}.soft{color:var(--soft);font-size:.9rem}\
.price{font-size:2rem;font-weight:600;margin:1rem 0}\
label{display:block;font-weight:600;margin:1rem 0 .25rem}\
input{font:inherit;width:6rem;padding:.5rem .75rem;border:1px solid #8792a2;border-radius:.4rem}\
button{font:inherit;font-weight:600;display:block;width:100%;margin-top:1.5rem;padding:.8rem;border:0;\
border-radius:.5rem;background:var(--act);color:#fff;cursor:pointer}\
button:hover{background:#3a35a3}\
a{color:var(--act)}:focus-visible{outline:3px solid #9b96f5;outline-offset:2px}\
nav{margin-top:1.5rem;display:flex;gap:1.5rem}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1rem;margin:1rem 0}\
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\
@media(max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}\
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{text-align:left;padding:.5rem .75rem;border-bottom:1px solid var(--line);white-space:nowrap}\
td.id{max-width:14rem;overflow:hidden;text-overflow:ellipsis}\
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}";

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="{{ lang }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · {{ words.shop }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main{% if wide %} class="wide"{% endif %}>
<div class="card">
{{ inner|safe }}
</div>
</main>
</body>
</html>
"#
)]
struct Layout<'p> {
    lang: &'static str,
    title: &'p str,
    words: &'static Words,
    style: &'static str,
    wide: bool,
    inner: String,
}

/// Renders `inner` within the layout; a template of ours that fails to render leaves the page empty.
fn page(locale: Locale, title: &str, wide: bool, inner: &impl Template) -> String {
    let inner = inner.render().unwrap_or_default();
    let words = Words::of(locale);
    let layout = Layout { lang: locale.code(), title, words, style: STYLE, wide, inner };
    layout.render().unwrap_or_default()
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ name }}</h1>
<p class="price">{{ price }}</p>
<form method="post" action="/checkout">
<input type="hidden" name="order" value="{{ order }}">
<label for="quantity">{{ words.quantity }}</label>
<input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="{{ quantity_max }}" value="1" required>
<button type="submit">{{ words.buy }}</button>
</form>
{% if !live %}<p class="soft">{{ words.test_only }}</p>{% endif %}
<nav><a href="/ledger">{{ words.ledger }}</a></nav>"#
)]
struct Product<'p> {
    name: &'p str,
    price: String,
    order: &'p str,
    quantity_max: u16,
    live: bool,
    words: &'static Words,
}

/// The one thing that is sold.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'p> {
    /// Its name.
    pub name: &'p str,
    /// The price of one piece.
    pub price: Money,
    /// The number of the purchase that this page may become.
    pub order: &'p str,
    /// The most pieces that one purchase takes.
    pub quantity_max: u16,
    /// Whether real money moves.
    pub live: bool,
}

/// The page with the one thing that is sold.
pub fn product(locale: Locale, offer: Offer<'_>) -> String {
    let words = Words::of(locale);
    let Offer { name, price, order, quantity_max, live } = offer;
    let inner = Product { name, price: price.to_string(), order, quantity_max, live, words };
    page(locale, name, false, &inner)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ heading }}</h1>
{% if let Some(more) = more %}<p>{{ more }}</p>{% endif %}
{% if !facts.is_empty() %}<dl>{% for (name, value) in facts %}<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>{% endif %}
<nav><a href="/">{{ words.back }}</a><a href="/ledger">{{ words.ledger }}</a></nav>"#
)]
struct Message<'p> {
    heading: &'p str,
    more: Option<&'p str>,
    facts: &'p [(&'static str, String)],
    words: &'static Words,
}

/// A page that says one thing, with its facts.
pub fn message(
    locale: Locale,
    heading: &str,
    more: Option<&str>,
    facts: &[(&'static str, String)],
) -> String {
    let words = Words::of(locale);
    page(locale, heading, false, &Message { heading, more, facts, words })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ words.ledger }}</h1>
{% if rows.is_empty() %}<p>{{ words.empty }}</p>{% else %}<div class="scroll"><table>
<thead><tr><th scope="col">{{ words.created }}</th><th scope="col" class="number">{{ words.amount }}</th><th scope="col">{{ words.status }}</th><th scope="col">{{ words.session }}</th><th scope="col">{{ words.event }}</th></tr></thead>
<tbody>{% for row in rows %}<tr><td>{{ row.record.created }}</td><td class="number">{{ row.record.amount }}</td><td>{{ row.record.status }}</td><td class="id" title="{{ row.record.session_id }}">{{ row.record.session_id }}</td><td class="id">{% if let Some(event) = row.event_id %}{{ event }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
<dl>{% for total in totals %}<dt>{{ words.paid }}</dt><dd>{{ total.paid }}</dd><dt>{{ words.refunded }}</dt><dd>{{ total.refunded }}</dd>{% endfor %}</dl>{% endif %}
<nav><a href="/">{{ words.back }}</a></nav>"#
)]
struct LedgerPage<'p> {
    rows: &'p [LedgerRow],
    totals: &'p [Total],
    words: &'static Words,
}

/// The ledger as a table.
pub fn ledger(locale: Locale, rows: &[LedgerRow], totals: &[Total]) -> String {
    let words = Words::of(locale);
    page(locale, words.ledger, true, &LedgerPage { rows, totals, words })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;

    fn offer(name: &str) -> Offer<'_> {
        Offer {
            name,
            price: Money::new(1_500, Currency::JPY),
            order: "o1",
            quantity_max: 10,
            live: false,
        }
    }

    #[test]
    fn what_comes_from_elsewhere_is_escaped() {
        let name = "<script>alert(1)</script>\"'&";
        for text in [
            product(Locale::Ja, offer(name)),
            message(Locale::En, name, Some(name), &[("x", name.to_owned())]),
        ] {
            assert!(!text.contains("<script"), "{text}");
            assert!(text.contains("&lt;") || text.contains("&#60;"), "{text}");
        }
    }

    #[test]
    fn pages_speak_both_languages_and_show_money_in_its_own_form() {
        let ja = product(Locale::Ja, offer("T"));
        assert!(ja.contains("lang=\"ja\"") && ja.contains("購入する") && ja.contains("¥1,500"));
        let en = ledger(Locale::En, &[], &[]);
        assert!(en.contains("lang=\"en\"") && en.contains("The ledger is empty."));
    }
}
