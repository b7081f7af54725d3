//! A user's own page at the provider, their cards, and a payment form of the shop's own with Stripe.js.

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::merchant::failure::ShopError;
use crate::merchant::portal::{self, Flow, Way};
use crate::merchant::server::Desk;
use crate::merchant::wallet::{AMOUNTS, Card, Outcome as Came, Wallet};
use crate::merchant::web::api_key::{may_ask, to};
use crate::merchant::web::page;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::shop::answer::{self, Answer};
use crate::stripe::STRIPE_BASE;
use crate::words::wallet::Words;
use askama::Template;
use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use std::sync::Arc;

/// What a page with Stripe.js runs of our own.
const SCRIPT: &str = include_str!("stripe_form.js");

fn wallet<'w>(desk: &'w Desk, visit: &'w Visit) -> Result<Wallet<'w>, ShopError> {
    Ok(Wallet { stripe: &desk.stripe, database: &desk.database, user: visit.signed_in()? })
}

/// `/mypage`: into the portal, or one thing of it, for the user's own customer.
pub async fn my_page(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    let flow = match visit.query.get("flow") {
        Some(name) => {
            Some(Flow::read(name).ok_or(ShopError::missing(|words| words.error_no_page))?)
        }
        None => None,
    };
    enter(&desk, &visit, flow, "/account").await
}

/// The portal from the page of API keys, and back there.
pub async fn portal(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    enter(&desk, &visit, None, "/upgrade").await
}

async fn enter(desk: &Desk, visit: &Visit, flow: Option<Flow>, back: &str) -> Outcome {
    let words = Words::of(visit.locale);
    let user = visit.signed_in()?;
    let back = format!("{}{back}", visit.origin);
    match portal::open(&desk.stripe, &desk.database, user, flow, &back).await? {
        Way::Portal(url) | Way::Login(url) => to(&url),
        Way::NoCustomer => say(visit, words.my_page, words.no_customer),
        Way::NoSubscription => say(visit, words.my_page, words.no_subscription),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ title }}</h1><p>{{ said }}</p>
<p><a href="/account">{{ words.back }}</a></p></section>"#
)]
struct Message<'p> {
    title: &'p str,
    said: &'p str,
    words: &'static Words,
}

#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
fn say(visit: &Visit, title: &str, said: &str) -> Outcome {
    let words = Words::of(visit.locale);
    Ok(page::show(visit, StatusCode::OK, title, &Message { title, said, words }))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ words.cards }}</h1>
{% if cards.is_empty() %}<p>{{ words.cards_none }}</p>{% else %}<ul>{% for (card, said) in cards %}<li><p>{{ said }}{% if card.is_default %} · <strong>{{ words.card_default }}</strong>{% endif %}</p>
{% if !card.is_default %}<form method="post" action="/cards/default"><input type="hidden" name="csrf" value="{{ proof }}"><input type="hidden" name="card" value="{{ card.id }}"><button class="plain">{{ words.card_make_default }}</button></form>{% endif %}
<form method="post" action="/cards/remove"><input type="hidden" name="csrf" value="{{ proof }}"><input type="hidden" name="card" value="{{ card.id }}"><button class="plain" aria-label="{{ words.card_remove }}: {{ said }}">{{ words.card_remove }}</button></form></li>{% endfor %}</ul>{% endif %}
<form method="post" action="/cards/add"><input type="hidden" name="csrf" value="{{ proof }}"><button id="add">{{ words.card_add }}</button></form>
<p class="soft">{{ words.card_add_more }}</p></section>"#
)]
struct Kept {
    cards: Vec<(Card, String)>,
    proof: String,
    words: &'static Words,
}

/// `/cards`: what is kept.
pub async fn cards(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    let words = Words::of(visit.locale);
    let cards = wallet(&desk, &visit)?.cards().await?.into_iter();
    let cards = cards.map(|card| {
        let said = words.card_is(&card.brand, &card.last4, &card.expiry);
        (card, said)
    });
    let inner = Kept { cards: cards.collect(), proof: visit.proof(), words };
    Ok(page::show(&visit, StatusCode::OK, words.cards, &inner))
}

/// Has renewals paid with a card.
pub async fn set_default(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    theirs(wallet(&desk, &visit)?.set_default(visit.form.text("card")).await?)
}

/// Forgets a card.
pub async fn remove(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    theirs(wallet(&desk, &visit)?.remove(visit.form.text("card")).await?)
}

/// Back to the cards, where the card was the user's.
fn theirs(is_theirs: bool) -> Outcome {
    if is_theirs { to("/cards") } else { Err(ShopError::missing(|words| words.error_no_page)) }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ title }}</h1><p class="soft">{{ more }}</p>
<form data-key="{{ key }}" data-secret="{{ secret }}" data-kind="{{ kind }}" data-back="{{ back }}">
<p id="card-label">{{ words.card_field }}</p><div id="card" role="group" aria-labelledby="card-label"></div>
<p role="alert" id="said"></p><button id="confirm" hidden>{{ button }}</button></form>
<noscript><p class="alert">{{ words.needs_script }}</p></noscript>
<p><a href="{{ leave }}">{{ words.back }}</a></p>
<script src="{{ library }}"></script><script src="/stripe-form.js"></script></section>"#
)]
struct CardForm {
    title: &'static str,
    more: &'static str,
    key: String,
    secret: String,
    /// `setup` or `payment`.
    kind: &'static str,
    back: String,
    button: String,
    leave: &'static str,
    library: String,
    words: &'static Words,
}

/// Where Stripe.js is: Stripe's own with a key of Stripe's, else the sandbox's.
fn library(desk: &Desk) -> (String, String) {
    match desk.stripe.base() {
        STRIPE_BASE => (
            "https://js.stripe.com/v3/".to_owned(),
            "script-src 'self' https://js.stripe.com; frame-src https://js.stripe.com https://hooks.stripe.com; \
             connect-src https://api.stripe.com https://js.stripe.com; img-src https://*.stripe.com"
                .to_owned(),
        ),
        base => (
            format!("{base}/v3/"),
            format!("script-src 'self' {base}; frame-src {base}; connect-src {base}; img-src {base}"),
        ),
    }
}

/// A page with the provider's own fields: it may load what they need, and nothing else.
fn card_form(desk: &Desk, visit: &Visit, mut form: CardForm) -> Answer {
    let (library, allowed) = library(desk);
    form.library = library;
    let mut answer = page::show(visit, StatusCode::OK, form.title, &form);
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; {allowed}; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// The key that browsers see; a page without one cannot ask for a card. A sandbox takes any, of the world that the
/// shop's own key names.
fn publishable(desk: &Desk) -> Option<String> {
    if let Some(given) = &desk.publishable {
        return Some(given.reveal().to_owned());
    }
    let world = desk.stripe.key().world().map(|name| format!("w_{name}_"));
    let any = format!("pk_test_{}stripegymSandboxKey", world.unwrap_or_default());
    (desk.stripe.base() != STRIPE_BASE).then_some(any)
}

/// Begins to keep a card: the page on which it is typed.
pub async fn add(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    let words = Words::of(visit.locale);
    let Some(key) = publishable(&desk) else {
        return say(&visit, words.card_add, words.no_publishable);
    };
    let form = CardForm {
        title: words.card_add,
        more: words.card_add_more,
        key,
        secret: wallet(&desk, &visit)?.setup().await?,
        kind: "setup",
        back: format!("{}/cards/added", visit.origin),
        button: words.card_save.to_owned(),
        leave: "/cards",
        library: String::new(),
        words,
    };
    Ok(card_form(&desk, &visit, form))
}

/// Back from keeping a card. The address proves nothing: the provider is asked, and whose it is.
pub async fn added(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    let words = Words::of(visit.locale);
    match wallet(&desk, &visit)?.added(visit.query.text("setup_intent")).await? {
        Some(Came::Done) => to("/cards"),
        Some(Came::Waiting) => say(&visit, words.card_add, words.pay_waiting),
        Some(Came::Failed) => say(&visit, words.card_add, words.pay_failed),
        None => Err(ShopError::missing(|words| words.error_no_page)),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ words.pay }}</h1><p class="soft">{{ words.pay_more }}</p>
<form method="post" action="/pay"><input type="hidden" name="csrf" value="{{ proof }}"><input type="hidden" name="order" value="{{ order }}">
<label for="amount">{{ words.pay_amount }}</label><input id="amount" name="amount" type="number" inputmode="numeric" required min="{{ least }}" max="{{ most }}" value="{{ amount }}" aria-describedby="range">
<p {% if wrong %}class="alert" role="alert"{% else %}class="soft"{% endif %} id="range">{{ range }}</p><button>{{ words.pay_go }}</button></form></section>"#
)]
struct Asked<'p> {
    order: String,
    amount: &'p str,
    least: i64,
    most: i64,
    range: String,
    wrong: bool,
    proof: String,
    words: &'static Words,
}

fn amount_page(desk: &Desk, visit: &Visit, amount: &str, wrong: bool) -> Answer {
    let words = Words::of(visit.locale);
    let (least, most) = AMOUNTS;
    let yen = |amount| Money::new(amount, Currency::JPY).to_string();
    let inner = Asked {
        // What is asked twice from one view of the page is begun once.
        order: desk.stripe.fresh_key(),
        amount,
        least,
        most,
        range: words.pay_range(&yen(least), &yen(most)),
        wrong,
        proof: visit.proof(),
        words,
    };
    let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page::show(visit, status, words.pay, &inner)
}

/// `/pay`: how much.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn ask_amount(desk: &Desk, visit: &Visit) -> Outcome {
    Ok(amount_page(desk, visit, "1200", false))
}

/// Begins a payment: the page on which the card is typed.
pub async fn pay(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    let words = Words::of(visit.locale);
    let Some(key) = publishable(&desk) else { return say(&visit, words.pay, words.no_publishable) };
    let typed = visit.form.text("amount").trim();
    let amount = typed.parse::<i64>().ok().filter(|yen| (AMOUNTS.0..=AMOUNTS.1).contains(yen));
    let Some(yen) = amount else { return Ok(amount_page(&desk, &visit, typed, true)) };
    let form = CardForm {
        title: words.pay,
        more: words.pay_more,
        key,
        secret: wallet(&desk, &visit)?.pay(yen, visit.form.text("order")).await?,
        kind: "payment",
        back: format!("{}/pay/done", visit.origin),
        button: words.pay_now(&Money::new(yen, Currency::JPY).to_string()),
        leave: "/pay",
        library: String::new(),
        words,
    };
    Ok(card_form(&desk, &visit, form))
}

/// Back from a payment. The address proves nothing: the provider is asked, and whose it is.
pub async fn paid(desk: Arc<Desk>, visit: Visit) -> Outcome {
    may_ask(&desk, &visit)?;
    let words = Words::of(visit.locale);
    match wallet(&desk, &visit)?.paid(visit.query.text("payment_intent")).await? {
        Some((Came::Done, amount)) => say(&visit, words.pay, &words.pay_done(&amount.to_string())),
        Some((Came::Waiting, _)) => say(&visit, words.pay, words.pay_waiting),
        Some((Came::Failed, _)) => say(&visit, words.pay, words.pay_failed),
        None => Err(ShopError::missing(|words| words.error_no_page)),
    }
}

/// What a page with Stripe.js runs of our own.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn script() -> Outcome {
    Ok(answer::script(SCRIPT))
}
