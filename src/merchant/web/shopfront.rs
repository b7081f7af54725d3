//! What somebody sees of the shop: the first page, the prices, an account with its orders and credits.

use crate::domain::currency::Currency;
use crate::domain::locale::Locale;
use crate::domain::money::Money;
use crate::domain::secret::{ApiKey, KeyKind};
use crate::domain::time::Timestamp;
use crate::domain::trade::credit::Reason;
use crate::domain::trade::sale::SaleStatus;
use crate::domain::trade::subscription::Mirror;
use crate::merchant::base::credit::CreditEntry;
use crate::merchant::base::order::Order;
use crate::merchant::plan::{Interval, Offer, Page, Texts};
use crate::merchant::server::Desk;
use crate::merchant::web::page;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::shop::answer::{self, Answer};
use crate::words::merchant::Words;
use askama::Template;
use hyper::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// Rows that an account shows of each kind.
const ROWS_MAX: u32 = 100;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ words.shop }}</h1><p>{{ words.home_text }}</p>
<p><a class="button" href="/pricing">{{ words.to_pricing }}</a></p></section>"#
)]
struct Home {
    words: &'static Words,
}

/// The first page.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn home(visit: &Visit) -> Outcome {
    let words = visit.words();
    Ok(page::show(visit, StatusCode::OK, words.home_title, &Home { words }))
}

/// What a browser may know: the publishable key and nothing else.
pub fn config(desk: &Desk) -> Answer {
    let key = desk.publishable.as_ref().filter(|key| key.kind() == KeyKind::Publishable);
    answer::json(StatusCode::OK, &json!({ "publishableKey": key.map(ApiKey::reveal) }))
}

struct Card<'p> {
    offer: &'p Offer,
    texts: &'p Texts,
    amount: String,
    period: &'static str,
    provider: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ words.pricing_title }}</h1><p>{{ words.pricing_text }}</p>
{% if cards.is_empty() %}<p>{{ words.no_plans }}</p>{% endif %}
<div class="cards">{% for card in cards %}<section class="card" aria-labelledby="plan-{{ card.offer.plan.id }}">
<h2 id="plan-{{ card.offer.plan.id }}">{{ card.texts.title }}</h2><p class="soft">{{ card.texts.about }}</p>
<p class="price">{{ card.amount }} <small>{{ card.period }}</small></p><p class="soft">{{ card.provider }}</p>
<ul>{% for feature in card.texts.features %}<li>{{ feature }}</li>{% endfor %}</ul>
{% if signed_in %}<form method="post" action="/pricing"><input type="hidden" name="csrf" value="{{ proof }}"><input type="hidden" name="number" value="{{ number }}"><input type="hidden" name="price" value="{{ card.offer.price }}">
<label for="code-{{ card.offer.plan.id }}">{{ words.coupon }}</label><input id="code-{{ card.offer.plan.id }}" name="code" autocomplete="off" maxlength="100">
<button>{% if card.offer.is_recurring() %}{{ words.subscribe }}{% else %}{{ words.buy }}{% endif %}</button></form>
{% else %}<form method="get" action="/login"><input type="hidden" name="next" value="/pricing"><button>{{ words.sign_in_to_buy }}</button></form>
{% endif %}</section>{% endfor %}</div>"#
)]
struct Pricing<'p> {
    cards: Vec<Card<'p>>,
    signed_in: bool,
    proof: String,
    number: String,
    words: &'static Words,
}

/// What is sold.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn pricing(desk: &Desk, visit: &Visit) -> Outcome {
    let words = visit.words();
    let cards = desk.offers_of(Page::Pricing).map(|offer| Card {
        offer,
        texts: offer.plan.texts(visit.locale),
        amount: offer.amount.to_string(),
        period: match offer.plan.interval {
            None => words.once,
            Some(Interval::Month) => words.per_month,
            Some(Interval::Year) => words.per_year,
        },
        provider: words.paid_with(offer.plan.provider.title()),
    });
    let inner = Pricing {
        cards: cards.collect(),
        signed_in: visit.user.is_some(),
        proof: visit.proof(),
        // What is asked twice from one view of the page is begun once: a double click buys once.
        number: desk.stripe.fresh_key(),
        words,
    };
    Ok(page::show(visit, StatusCode::OK, words.pricing_title, &inner))
}

/// A row of orders, in words.
struct OrderRow<'p> {
    order: &'p Order,
    plan: &'p str,
    amount: String,
    day: String,
    status: &'static str,
}

struct SubscriptionRow<'p> {
    plan: &'p str,
    status: &'static str,
    until: String,
}

struct CreditRow {
    day: String,
    reason: &'static str,
    amount: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ words.account_title }}</h1>
<p class="price" data-credits="{{ credits }}">{{ credits }} <small>{{ words.credits }}</small></p>
<h2>{{ words.subscriptions }}</h2>
{% if subscriptions.is_empty() %}<p class="soft">{{ words.no_subscriptions }}</p>{% else %}<div class="scroll"><table>
<thead><tr><th scope="col">{{ words.plan }}</th><th scope="col">{{ words.status }}</th><th scope="col">{{ words.period }}</th></tr></thead>
<tbody>{% for row in subscriptions %}<tr><td data-label="{{ words.plan }}">{{ row.plan }}</td><td data-label="{{ words.status }}">{{ row.status }}</td><td data-label="{{ words.period }}">{{ row.until }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
<h2>{{ words.orders }}</h2>
{% if orders.is_empty() %}<p class="soft">{{ words.no_orders }}</p>{% else %}<div class="scroll"><table>
<thead><tr><th scope="col">{{ words.date }}</th><th scope="col">{{ words.plan }}</th><th scope="col" class="number">{{ words.amount }}</th><th scope="col">{{ words.status }}</th><th scope="col">{{ words.order }}</th></tr></thead>
<tbody>{% for row in orders %}<tr><td data-label="{{ words.date }}">{{ row.day }}</td><td data-label="{{ words.plan }}">{{ row.plan }}</td><td data-label="{{ words.amount }}" class="number">{{ row.amount }}</td><td data-label="{{ words.status }}">{{ row.status }}</td><td data-label="{{ words.order }}">{{ row.order.id }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
<h2>{{ words.credit_book }}</h2>
{% if entries.is_empty() %}<p class="soft">{{ words.no_credits }}</p>{% else %}<div class="scroll"><table>
<thead><tr><th scope="col">{{ words.date }}</th><th scope="col">{{ words.reason }}</th><th scope="col" class="number">{{ words.credits }}</th></tr></thead>
<tbody>{% for row in entries %}<tr><td data-label="{{ words.date }}">{{ row.day }}</td><td data-label="{{ words.reason }}">{{ row.reason }}</td><td data-label="{{ words.credits }}" class="number">{{ row.amount }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}"#
)]
struct Account<'p> {
    credits: i64,
    subscriptions: Vec<SubscriptionRow<'p>>,
    orders: Vec<OrderRow<'p>>,
    entries: Vec<CreditRow>,
    words: &'static Words,
}

/// Somebody's orders, subscriptions and credits.
pub async fn account(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let id = visit.signed_in()?.id.clone();
    let read = desk.database.look(move |base| {
        let orders = base.orders(Some(&id), ROWS_MAX)?;
        let entries = base.credit_entries(&id, ROWS_MAX)?;
        Ok((orders, entries, base.credits(&id)?, base.subscriptions(&id)?))
    });
    let (orders, entries, credits, subscriptions) = read.await?;
    let words = visit.words();
    let inner = Account {
        credits,
        subscriptions: subscriptions.iter().map(|it| subscription(&desk, words, it)).collect(),
        orders: orders.iter().map(|it| order(&desk, words, it)).collect(),
        entries: entries.iter().map(|it| entry(words, it)).collect(),
        words,
    };
    Ok(page::show(&visit, StatusCode::OK, words.account_title, &inner))
}

fn order<'p>(desk: &'p Desk, words: &'static Words, order: &'p Order) -> OrderRow<'p> {
    OrderRow {
        order,
        plan: plan_title(desk, words.locale, &order.plan),
        amount: money(order.amount, &order.currency),
        day: day(order.created),
        status: sale_status(words, order.status),
    }
}

fn subscription<'p>(desk: &'p Desk, words: &'static Words, it: &'p Mirror) -> SubscriptionRow<'p> {
    let until = day(Timestamp(it.until));
    SubscriptionRow {
        plan: plan_title(desk, words.locale, &it.plan),
        status: subscription_status(words, &it.status),
        until: if it.ends { words.ends_on(&until) } else { words.renews_on(&until) },
    }
}

fn entry(words: &'static Words, entry: &CreditEntry) -> CreditRow {
    CreditRow {
        day: day(entry.at),
        reason: match entry.reason {
            Reason::Purchase => words.reason_purchase,
            Reason::Refund => words.reason_refund,
            Reason::Dispute => words.reason_dispute,
            Reason::Grant => words.reason_grant,
        },
        amount: format!("{:+}", entry.amount),
    }
}

/// What a plan is called; its id, where it is sold no more.
fn plan_title<'p>(desk: &'p Desk, locale: Locale, id: &'p str) -> &'p str {
    let plan = desk.offers.iter().find(|it| it.plan.id == id);
    plan.map_or(id, |it| it.plan.texts(locale).title.as_str())
}

/// How an order stands, in words.
pub const fn sale_status(words: &'static Words, status: SaleStatus) -> &'static str {
    match status {
        SaleStatus::Pending => words.status_pending,
        SaleStatus::Succeeded => words.status_succeeded,
        SaleStatus::Failed => words.status_failed,
        SaleStatus::PartiallyRefunded => words.status_partially_refunded,
        SaleStatus::Refunded => words.status_refunded,
        SaleStatus::Disputed => words.status_disputed,
    }
}

/// How a subscription stands, in words.
pub fn subscription_status(words: &'static Words, status: &str) -> &'static str {
    match status {
        "active" => words.status_active,
        "trialing" => words.status_trialing,
        "past_due" => words.status_past_due,
        "unpaid" => words.status_unpaid,
        "paused" => words.status_paused,
        "incomplete" => words.status_incomplete,
        _ => words.status_canceled,
    }
}

/// An amount as people write it.
pub fn money(minor: i64, currency: &str) -> String {
    match currency.parse::<Currency>() {
        Ok(currency) => Money::new(minor, currency).to_string(),
        Err(_) => format!("{minor} {currency}"),
    }
}

fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}
