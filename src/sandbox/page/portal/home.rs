//! The first page of the portal: what there is, and where it can be changed.

use crate::sandbox::behaviour::billing::{scheduled, subscription};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::portal::{features, offer};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::View;
use crate::sandbox::page::answer::{page, query};
use crate::sandbox::page::invoice::billing_status;
use crate::sandbox::page::pay::Told;
use crate::sandbox::page::portal::place::Place;
use crate::sandbox::page::portal::{Guest, plan, step};
use crate::sandbox::page::view::other_language;
use crate::sandbox::paper::bill::{self, shown};
use crate::words::billing;
use crate::words::page::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// How many invoices are shown.
const INVOICES: usize = 24;

/// A subscription.
#[derive(Debug)]
struct Subscribed {
    id: String,
    name: String,
    cost: String,
    state: &'static str,
    /// What is to be known of it: when it is billed next, or ends.
    notes: Vec<String>,
    /// Where something is done with it, and what.
    links: Vec<(String, &'static str)>,
}

/// A card that is kept.
#[derive(Debug)]
struct Kept {
    name: String,
    expiry: String,
    is_default: bool,
    action: String,
}

/// An invoice.
#[derive(Debug)]
struct Sent {
    day: String,
    amount: String,
    state: &'static str,
    number: String,
    url: String,
}

/// The page.
#[derive(Template, Debug)]
#[template(path = "portal.html", config = "src/sandbox/page/askama.toml")]
struct HomePage {
    w: &'static Words,
    b: &'static billing::Words,
    title: String,
    other_language: String,
    merchant: &'static str,
    back: Option<(String, String)>,
    note: &'static str,
    problem: String,
    plans: Vec<Subscribed>,
    cards: Vec<Kept>,
    add_card: Option<String>,
    details: Vec<String>,
    edit_details: Option<String>,
    invoices: Option<Vec<Sent>>,
    legal: Vec<(&'static str, String)>,
    token: String,
}

/// The page of a guest.
pub fn show(guest: &Guest, (status, told): (StatusCode, Told)) -> Response {
    let b = guest.b();
    let configuration = &guest.visited.configuration;
    let on = |feature: &str| features::is_on(configuration, feature);
    let (plans, cards, invoices) = guest.world.read(|view| {
        (
            plans(guest, view),
            cards(guest, view),
            on("invoice_history").then(|| invoices(guest, view)),
        )
    });
    let heading = configuration.pointer("/business_profile/headline").and_then(Value::as_str);
    let legal = [("privacy_policy_url", b.privacy), ("terms_of_service_url", b.terms)];
    let legal = legal.into_iter().filter_map(|(name, label)| {
        let url = configuration.pointer(&format!("/business_profile/{name}"))?.as_str()?;
        Some((label, url.to_owned()))
    });
    let note = query(&guest.asked.uri, "done").filter(|_| told.problem.is_empty());
    let filled = HomePage {
        w: guest.w(),
        b,
        title: heading.map_or_else(|| b.manage(step::MERCHANT), str::to_owned),
        other_language: other_language(&guest.path(&Place::Home), guest.locale),
        merchant: step::MERCHANT,
        back: guest.return_url().map(|url| (url, b.back_to(step::MERCHANT))),
        note: note.and_then(|name| self::note(b, name)).unwrap_or_default(),
        problem: told.problem,
        plans,
        add_card: on("payment_method_update").then(|| guest.url(&Place::Card(None))),
        cards,
        details: guest.world.read(|view| details(view, &guest.visited.customer)),
        edit_details: on("customer_update").then(|| guest.url(&Place::Details)),
        invoices,
        legal: legal.collect(),
        token: guest.form_token(),
    };
    page(status, &filled)
}

/// What is told of something that is done.
pub fn note(b: &billing::Words, name: &str) -> Option<&'static str> {
    Some(match name {
        "card" => b.done_card,
        "change" => b.done_change,
        "cancel" => b.done_cancel,
        "cancel_now" => b.done_cancel_now,
        "change_later" => b.done_change_later,
        "keep" => b.done_keep,
        "stay" => b.done_stay,
        "pause" => b.done_pause,
        "resume" => b.done_resume,
        "details" => b.done_details,
        "removed" => b.done_removed,
        "offer" => b.done_offer,
        _ => return None,
    })
}

fn plans(guest: &Guest, view: &View) -> Vec<Subscribed> {
    let all = view.having(subscription::KIND, "customer", guest.customer());
    let is_shown = |it: &&Arc<Object>| {
        !matches!(text(it, "status"), "canceled" | "incomplete" | "incomplete_expired")
    };
    all.iter().filter(is_shown).map(|known| subscribed(guest, view, known)).collect()
}

fn subscribed(guest: &Guest, view: &View, known: &Object) -> Subscribed {
    let (b, id) = (guest.b(), text(known, "id").to_owned());
    let ends = known.get("cancel_at").and_then(Value::as_i64);
    let paused = known.get("pause_collection").is_some_and(Value::is_object);
    let status = text(known, "status");
    let trial = known.get("trial_end").and_then(Value::as_i64).filter(|_| status == "trialing");
    let day = |at: i64| step::day(guest, at);
    let mut notes = Vec::new();
    notes.extend(trial.map(|at| b.trial_until(&day(at))));
    match (ends, subscription::period_end(known)) {
        (Some(at), _) => notes.push(b.ends(&day(at))),
        (None, Some(at)) if !paused && status != "paused" => notes.push(b.renews(&day(at))),
        _ => {}
    }
    let coming = step::coming(guest, known);
    notes.extend(coming.as_ref().map(|(name, day)| b.changes_to(name, day)));
    if paused {
        notes.push(b.paused_now.to_owned());
    }
    let own = view.get("payment_method", text(known, "default_payment_method"));
    notes.extend(own.map(|card| card_name(guest, &card)));
    Subscribed {
        name: step::names(guest, known),
        cost: subscription::items(known)
            .iter()
            .map(|item| plan::every(b, view, item))
            .collect::<Vec<_>>()
            .join(" + "),
        state: match status {
            "past_due" => b.past_due,
            "unpaid" => b.unpaid,
            "paused" => b.paused,
            "trialing" => b.trialing,
            _ if paused => b.paused,
            _ => "",
        },
        notes,
        links: links(
            guest,
            view,
            known,
            (&id, ends.is_some() && coming.is_none(), paused || status == "paused"),
        ),
        id,
    }
}

fn links(
    guest: &Guest,
    view: &View,
    known: &Object,
    (id, ends, paused): (&str, bool, bool),
) -> Vec<(String, &'static str)> {
    let (b, configuration) = (guest.b(), &guest.visited.configuration);
    let owned = || id.to_owned();
    let coming = scheduled::next_phase(view, known).is_some();
    let changes = !coming
        && offer::refusal(view, known).is_none()
        && !offer::prices(view, configuration, known).is_empty();
    let has_own_card = !text(known, "default_payment_method").is_empty();
    let all = [
        (changes && !ends && !paused, Place::Change(owned()), b.change_plan),
        (has_own_card, Place::Card(Some(owned())), b.change_card),
        (!ends && !paused, Place::Pause(owned()), b.pause_plan),
        (paused, Place::Resume(owned()), b.resume_plan),
        (!ends, Place::Cancel(owned()), b.cancel_plan),
        (ends, Place::Keep(owned()), b.keep_plan),
        (coming, Place::Stay(owned()), b.stay_plan),
    ];
    let open = |place: &Place| {
        // Who may pause may go on, and so may whoever's trial ended without a card.
        matches!(place, Place::Resume(_))
            || place.feature().is_none_or(|feature| features::is_on(configuration, feature))
    };
    all.into_iter()
        .filter(|(fits, place, _)| *fits && open(place))
        .map(|(_, place, label)| (guest.url(&place), label))
        .collect()
}

fn card_name(guest: &Guest, method: &Value) -> String {
    let card = method.get("card").cloned().unwrap_or_default();
    let brand = text(&card, "display_brand").replace('_', " ");
    let mut letters = brand.chars();
    let brand: Option<String> =
        letters.next().map(|first| first.to_uppercase().chain(letters).collect());
    match brand {
        Some(brand) => guest.w().saved_card(&brand, text(&card, "last4")),
        None => text(method, "type").replace('_', " "),
    }
}

fn cards(guest: &Guest, view: &View) -> Vec<Kept> {
    let default = guest.visited.customer.pointer("/invoice_settings/default_payment_method");
    let default = default.and_then(Value::as_str).unwrap_or_default();
    let methods = view.having("payment_method", "customer", guest.customer());
    methods
        .iter()
        .map(|method| {
            let id = text(method, "id").to_owned();
            let card = method.get("card").filter(|it| it.is_object());
            let month = card.map(|it| (int(it, "exp_month"), int(it, "exp_year") % 100));
            Kept {
                name: card_name(guest, method),
                expiry: month
                    .map_or_else(String::new, |(month, year)| format!("{month:02} / {year:02}")),
                is_default: id == default,
                action: guest.url(&Place::Method(id)),
            }
        })
        .collect()
}

/// What is known of a customer, a line each.
fn details(view: &View, customer: &Object) -> Vec<String> {
    let member = |name: &str| Some(text(customer, name)).filter(|it| !it.is_empty());
    let mut lines: Vec<String> =
        ["name", "email", "phone"].into_iter().filter_map(member).map(str::to_owned).collect();
    lines.extend(customer.get("address").map(bill::address).into_iter().flatten());
    for id in view.having("tax_id", "customer", text(customer, "id")) {
        let kind = text(&id, "type").replace('_', " ").to_uppercase();
        lines.push(format!("{kind} {}", text(&id, "value")));
    }
    lines
}

fn invoices(guest: &Guest, view: &View) -> Vec<Sent> {
    let all = view.having("invoice", "customer", guest.customer());
    let sent = all.iter().filter(|it| it.get("hosted_invoice_url").is_some_and(Value::is_string));
    sent.take(INVOICES)
        .map(|it| Sent {
            day: step::day(guest, int(it, "created")),
            amount: shown(int(it, "total"), text(it, "currency")),
            state: billing_status(guest.b(), text(it, "status")),
            number: text(it, "number").to_owned(),
            url: format!("{}&lang={}", text(it, "hosted_invoice_url"), guest.locale.code()),
        })
        .collect()
}
