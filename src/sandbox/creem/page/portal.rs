//! `/creem/portal/{id}`: where a customer sees what was bought, and ends or takes up a subscription.

use crate::domain::locale::Locale;
use crate::sandbox::creem::customer;
use crate::sandbox::creem::document::{int, missing, text};
use crate::sandbox::creem::page::own;
use crate::sandbox::creem::page::pay::per_period;
use crate::sandbox::creem::product;
use crate::sandbox::creem::renewal;
use crate::sandbox::creem::subscription::{self, KIND};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::{Origin, Txn, View};
use crate::sandbox::page::answer::{page, query, see_other};
use crate::sandbox::page::entry::Form;
use crate::sandbox::page::field::shown as money;
use crate::sandbox::page::view::other_language;
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use crate::words::billing::Words as BillingWords;
use crate::words::creem::Words as CreemWords;
use crate::words::page::Words;
use askama::Template;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// One subscription.
#[derive(Debug)]
struct Plan {
    id: String,
    name: String,
    cost: String,
    state: &'static str,
    note: String,
    /// What can be done: the value of the button, and what it says.
    act: Option<(&'static str, &'static str)>,
}

/// The page.
#[derive(Template, Debug)]
#[template(path = "creem_portal.html", config = "src/sandbox/page/askama.toml")]
struct PortalPage {
    w: &'static Words,
    b: &'static BillingWords,
    c: &'static CreemWords,
    title: String,
    other_language: String,
    note: &'static str,
    plans: Vec<Plan>,
    orders: Vec<(String, String, String)>,
    action: String,
    token: String,
}

/// `GET /creem/portal/{id}`.
pub async fn show(visit: Visit) -> Response {
    let Some(customer) = find(&visit) else { return visit.nothing() };
    let locale = visit.language(None);
    let (b, c) = (BillingWords::of(locale), CreemWords::of(locale));
    let note = match query(&visit.uri, "done") {
        Some("cancel") => b.done_cancel,
        Some("resume") => c.resumed,
        _ => "",
    };
    let path = path(&visit);
    let (plans, orders) = own(&visit).read(|view| rows(view, &customer, locale));
    let shown = PortalPage {
        w: Words::of(locale),
        b,
        c,
        title: b.manage("stripegym"),
        other_language: other_language(&path, locale),
        note,
        plans,
        orders,
        action: format!("{path}?lang={}", locale.code()),
        token: visit.pages.key.token(&visit.id),
    };
    page(StatusCode::OK, &shown)
}

/// `POST /creem/portal/{id}`: the button that was pressed, and the subscription that it belongs to.
pub async fn submit(visit: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let Some(customer) = find(&visit) else { return visit.nothing() };
    let field = |name: &str| sent.get(name).map_or("", |it| it.trim());
    let back = format!("{}?lang={}", path(&visit), visit.language(None).code());
    if !visit.pages.key.fits(&visit.id, field("token")) {
        return see_other(&back);
    }
    let (act, id) = (field("act"), field("subscription"));
    let acted = own(&visit).change(Origin::default(), |txn| change(txn, &customer, id, act)).await;
    match acted {
        Ok(()) => see_other(&format!("{back}&done={act}")),
        // What it was is over meanwhile: the page shows what it is.
        Err(_) => see_other(&back),
    }
}

/// Ends a subscription of this customer with its period, or takes it up again.
fn change(txn: &mut Txn<'_>, customer: &str, id: &str, act: &str) -> Result<(), Failure> {
    let wanted: &[&str] = match act {
        "cancel" => &["active", "trialing", "past_due"],
        _ => &["paused", "scheduled_cancel"],
    };
    let found = subscription::ensure_one_of(txn, id, wanted)?;
    if text(&found, "customer") != customer {
        return Err(missing(KIND));
    }
    if act == "cancel" {
        subscription::schedule_end(txn, id, "cancel");
    } else {
        subscription::go_on(txn, id);
    }
    Ok(())
}

/// The customer whose link it is.
fn find(visit: &Visit) -> Option<String> {
    own(visit).read(|view| {
        let link = view.get(customer::PORTAL, &visit.id)?;
        Some(link.part::<CreemPart>().customer.clone())
    })
}

fn path(visit: &Visit) -> String {
    visit.pages.path(&format!("/creem/portal/{}", visit.id))
}

fn rows(view: &View, customer: &str, locale: Locale) -> (Vec<Plan>, Vec<(String, String, String)>) {
    let plans = view.having(KIND, "customer", customer);
    let plans = plans.iter().map(|it| plan(view, it, locale)).collect();
    let order = |it: &Arc<Object>| {
        let sold = view.get(product::KIND, text(it, "product"));
        let name = sold.map_or_else(String::new, |sold| text(&sold, "name").to_owned());
        let day = text(it, "created_at").get(..10).unwrap_or_default().to_owned();
        (day, name, money(int(it, "amount_paid"), text(it, "currency")))
    };
    (plans, view.having("order", "customer", customer).iter().map(order).collect())
}

fn plan(view: &View, found: &Object, locale: Locale) -> Plan {
    let (b, c) = (BillingWords::of(locale), CreemWords::of(locale));
    let sold = view.get(product::KIND, text(found, "product"));
    let amount = renewal::per_period(found, &found.part::<CreemPart>().prices);
    let cost =
        sold.as_ref().map(|sold| per_period(sold, &money(amount, text(sold, "currency")), locale));
    let day = |name: &str| text(found, name).get(..10).unwrap_or_default().to_owned();
    let status = text(found, "status");
    let next = day("next_transaction_date");
    Plan {
        id: text(found, "id").to_owned(),
        name: sold.map_or_else(String::new, |sold| text(&sold, "name").to_owned()),
        cost: cost.unwrap_or_default(),
        state: match status {
            "trialing" => b.trialing,
            "past_due" => b.past_due,
            "unpaid" => b.unpaid,
            "paused" => b.paused,
            "canceled" => c.canceled,
            _ => "",
        },
        note: match status {
            "scheduled_cancel" => b.ends(&day("current_period_end_date")),
            _ if next.is_empty() => String::new(),
            _ => b.renews(&next),
        },
        act: match status {
            "active" | "trialing" | "past_due" => Some(("cancel", b.cancel_plan)),
            "scheduled_cancel" => Some(("resume", b.keep_plan)),
            "paused" => Some(("resume", b.resume_plan)),
            _ => None,
        },
    }
}
