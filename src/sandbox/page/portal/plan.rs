//! Another plan or quantity: the choice of it, and what it comes to.

use crate::sandbox::behaviour::billing::{scheduled, subscription};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::portal::offer::{self, Offered};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::answer::query;
use crate::sandbox::page::entry::Form;
use crate::sandbox::page::field::{Choice, Field, Maker, shown};
use crate::sandbox::page::pay::Told;
use crate::sandbox::page::portal::act::{self, Change};
use crate::sandbox::page::portal::step::{self, Group, Step};
use crate::sandbox::page::portal::{Guest, Shown};
use crate::sandbox::page::refusal;
use crate::words::billing::Words;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

/// What an item of a subscription costs, and how often: `¥980 per month`.
pub fn every(b: &Words, view: &View, item: &Value) -> String {
    let price = item.get("price").cloned().unwrap_or_default();
    let quantity = item.get("quantity").and_then(Value::as_i64).unwrap_or(1);
    let found = view.get("price", text(&price, "id"));
    let cost = found.map_or(0, |price| offer::cost(view, &price, quantity));
    per(b, &price, &shown(cost, text(&price, "currency")))
}

/// An amount with how often it is due.
pub fn per(b: &Words, price: &Value, amount: &str) -> String {
    let recurring = price.get("recurring").cloned().unwrap_or_default();
    let count = int(&recurring, "interval_count");
    let many = count.to_string();
    match (text(&recurring, "interval"), count > 1) {
        ("day", false) => b.per_day(amount),
        ("day", true) => b.per_days(amount, &many),
        ("week", false) => b.per_week(amount),
        ("week", true) => b.per_weeks(amount, &many),
        ("year", false) => b.per_year(amount),
        ("year", true) => b.per_years(amount, &many),
        (_, false) => b.per_month(amount),
        (_, true) => b.per_months(amount, &many),
    }
}

fn offered(guest: &Guest, known: &Object) -> Vec<Offered> {
    guest.world.read(|view| offer::prices(view, &guest.visited.configuration, known))
}

/// The choice.
pub fn choose(guest: &Guest, id: &str, sent: &Form, told: &Told) -> Shown {
    let (b, known) = (guest.b(), guest.subscription(id)?);
    let is_open = guest.world.read(|view| {
        offer::refusal(view, &known).is_none() && scheduled::next_phase(view, &known).is_none()
    });
    if !is_open {
        return None;
    }
    let all = offered(guest, &known);
    let current = current(&known);
    let chosen = sent.get("price").cloned().unwrap_or_else(|| current.to_owned());
    let label = |it: &Offered| {
        let amount = guest.world.read(|view| offer::cost(view, &it.price, 1));
        let amount = shown(amount, text(&it.price, "currency"));
        format!("{} — {}", it.product, per(b, &it.price, &amount))
    };
    let choices: Vec<Choice> = all
        .iter()
        .map(|it| Choice {
            value: text(&it.price, "id").to_owned(),
            label: label(it),
            amount: String::new(),
            chosen: text(&it.price, "id") == chosen,
        })
        .collect();
    let maker = Maker { form: sent, faults: &told.faults, locale: guest.locale };
    let mut fields = Vec::new();
    if all.iter().any(|it| it.range.is_some()) {
        let mut field = maker.field("quantity", b.quantity, "off");
        if field.value.is_empty() {
            field.value = offer::quantity(&known).to_string();
        }
        fields.push(Field { kind: "number", inputmode: "numeric", ..field });
    }
    if offer::allows(&guest.visited.configuration, "promotion_code") {
        let field = maker.field("promotion_code", b.promotion_code, "off");
        fields.push(Field { optional: true, ..field });
    }
    Some(Step {
        heading: b.change_title.to_owned(),
        text: vec![step::names(guest, &known)],
        groups: vec![Group { legend: b.plan, name: "price", choices }],
        fields,
        buttons: vec![("", b.continue_on.to_owned(), "")],
        ..Step::default()
    })
}

fn current(known: &Object) -> &str {
    let item = subscription::items(known).first();
    item.and_then(|it| it.get("price")).map_or("", |it| text(it, "id"))
}

/// What was chosen, as the query of the page that confirms it. Fails with what is wrong with it.
pub fn asked(guest: &Guest, id: &str, sent: &Form) -> Result<String, String> {
    let change = wanted(guest, id, sent).ok_or_else(|| guest.b().no_change.to_owned())?;
    let code = sent.get("promotion_code").map_or("", |it| it.trim());
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    Ok(format!(
        "price={}&quantity={}&promotion_code={}",
        escaped(&change.price),
        change.quantity,
        escaped(code)
    ))
}

/// The change that a form, the page's address or the flow asks for; `None` where it is not offered, or changes nothing.
pub fn wanted(guest: &Guest, id: &str, sent: &Form) -> Option<Change> {
    let known = guest.subscription(id)?;
    if let Some(preset) = preset(guest, &known) {
        return Some(preset);
    }
    let typed = |name: &str| {
        let own = sent.get(name).map(|it| it.trim().to_owned());
        own.or_else(|| {
            let value = query(&guest.asked.uri, name)?;
            Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
        })
        .filter(|it| !it.is_empty())
    };
    let all = offered(guest, &known);
    let price = typed("price").unwrap_or_else(|| current(&known).to_owned());
    let chosen = all.iter().find(|it| text(&it.price, "id") == price)?;
    let before = offer::quantity(&known);
    let quantity = match (chosen.range, typed("quantity")) {
        (Some((least, most)), Some(count)) => {
            count.parse::<i64>().ok().filter(|count| (least..=most).contains(count))?
        }
        _ => before,
    };
    let discounts = match typed("promotion_code") {
        Some(code) if offer::allows(&guest.visited.configuration, "promotion_code") => {
            json!([{"promotion_code": promotion(guest, &code)?}])
        }
        _ => Value::Null,
    };
    let same = price == current(&known) && quantity == before && discounts.is_null();
    (!same).then_some(Change { price, quantity, discounts })
}

/// The promotion code of that text which can be used.
fn promotion(guest: &Guest, code: &str) -> Option<String> {
    let found = guest.world.read(|view| {
        let known = view.having("promotion_code", "code", code);
        if known.is_empty() {
            view.having("promotion_code", "code", &code.to_uppercase())
        } else {
            known
        }
    });
    let active = found.iter().find(|it| it["active"] == true)?;
    Some(text(active, "id").to_owned())
}

/// The change that the session was opened to confirm.
fn preset(guest: &Guest, known: &Object) -> Option<Change> {
    let flow = guest.flow().filter(|flow| text(flow, "type") == "subscription_update_confirm")?;
    let own = flow.get("subscription_update_confirm")?;
    let item = own.pointer("/items/0")?;
    let price = item.get("price").and_then(Value::as_str).unwrap_or_else(|| current(known));
    let quantity = item.get("quantity").and_then(Value::as_i64);
    let discounts = own.get("discounts").and_then(Value::as_array).map(|all| {
        let given = all.iter().map(|it| {
            let given = it.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            given.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>()
        });
        given.collect::<Value>()
    });
    Some(Change {
        price: price.to_owned(),
        quantity: quantity.unwrap_or_else(|| offer::quantity(known)),
        discounts: discounts.unwrap_or_default(),
    })
}

/// What the change comes to. Fails with what is wrong with it.
pub async fn confirm(guest: &Guest, id: &str, sent: &Form) -> Result<Shown, String> {
    let b = guest.b();
    let wrong = || b.no_change.to_owned();
    let known = guest.subscription(id).ok_or_else(wrong)?;
    let change = wanted(guest, id, sent).ok_or_else(wrong)?;
    let configuration = &guest.visited.configuration;
    let estimate = |txn: &mut Txn<'_>| act::estimate(txn, id, configuration, &change);
    let estimate = guest.world.change(Origin::default(), estimate).await;
    let estimate = estimate.map_err(|failure| refusal::refusal(guest.w(), &failure))?;
    let price = guest.world.read(|view| view.get("price", &change.price)).ok_or_else(wrong)?;
    let product = guest.world.read(|view| view.get("product", text(&price, "product")));
    let product = product.map(|it| text(&it, "name").to_owned()).unwrap_or_default();
    let currency = text(&known, "currency");
    let mut rows = vec![
        (b.plan.to_owned(), b.times(&product, &change.quantity.to_string())),
        (b.then_each.to_owned(), per(b, &price, &shown(estimate.then, currency))),
    ];
    let mut said = Vec::new();
    if let Some(at) = estimate.begins {
        said.push(b.change_later(&step::day(guest, at)));
    } else if estimate.today > 0 {
        rows.push((b.due_today.to_owned(), shown(estimate.today, currency)));
    } else {
        said.push(b.nothing_today.to_owned());
    }
    let code = sent.get("promotion_code").cloned();
    let code = code.or_else(|| query(&guest.asked.uri, "promotion_code").map(str::to_owned));
    Ok(Some(Step {
        heading: b.confirm_title.to_owned(),
        text: said,
        rows,
        hidden: vec![
            ("price", change.price),
            ("quantity", change.quantity.to_string()),
            ("promotion_code", code.unwrap_or_default()),
        ],
        buttons: vec![("", b.confirm.to_owned(), "")],
        ..Step::default()
    }))
}
