//! `/setup/c/{account}/{token}`: where an account link leads, and the sandbox's own buttons that play the owner of
//! the account; `/express/{account}/{token}`: where a login link leads.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::connect::onboarding::{self, Opened};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::engine::txn::{Origin, View};
use crate::sandbox::page::answer::{page, see_other};
use crate::sandbox::page::entry::Form;
use crate::sandbox::page::view::{NoticePage, other_language};
use crate::sandbox::page::visit::Visit;
use crate::words::page::Words;
use askama::Template;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

/// What is asked of the owner of an account.
#[derive(Template, Debug)]
#[template(path = "onboard.html", config = "src/sandbox/page/askama.toml")]
struct OnboardPage {
    w: &'static Words,
    title: String,
    other_language: String,
    account: String,
    due: Vec<String>,
    action: String,
    token: String,
}

/// `GET /setup/c/{account}/{token}`. Looking does not use the link up, as it does at Stripe: a browser that fetches
/// ahead would spend it.
pub async fn show(visit: Visit) -> Response {
    let Some(link) = find(&visit) else { return visit.nothing() };
    if !link.fresh {
        return see_other(&link.refresh_url);
    }
    form(&visit, &link, StatusCode::OK)
}

/// `POST /setup/c/{account}/{token}`: the owner gives everything, or leaves.
pub async fn submit(visit: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let Some(link) = find(&visit) else { return visit.nothing() };
    if !link.fresh {
        return see_other(&link.refresh_url);
    }
    let field = |name: &str| sent.get(name).map_or("", String::as_str);
    let gives = match field("outcome") {
        "submitted" => true,
        "left" => false,
        _ => return form(&visit, &link, StatusCode::BAD_REQUEST),
    };
    if !visit.pages.key.fits(&subject(&visit.id), field("token")) {
        return form(&visit, &link, StatusCode::FORBIDDEN);
    }
    let Some((account, token)) = visit.id.split_once('/') else { return visit.nothing() };
    let world = &visit.pages.world;
    let done =
        world.change(Origin::default(), |txn| onboarding::submit(txn, account, token, gives)).await;
    see_other(if done.is_ok() { &link.return_url } else { &link.refresh_url })
}

/// `GET /express/{account}/{token}`: there is no dashboard here, only how the account stands.
pub async fn dashboard(visit: Visit) -> Response {
    let id = visit.id.split('/').next().unwrap_or_default().to_owned();
    let Some(account) = visit.pages.world.read(|view| view.at("").get("account", &id)) else {
        return visit.nothing();
    };
    let locale = visit.language(None);
    let w = Words::of(locale);
    let open = account.get("payouts_enabled") == Some(&Value::Bool(true));
    let (mark, said) = if open { ("good", w.onboard_open) } else { ("wait", w.onboard_closed) };
    let mut notice = NoticePage::new(locale, mark, w.onboard_dashboard, said);
    notice.merchant = id;
    notice.other_language = other_language(&path(&visit, "express"), locale);
    page(StatusCode::OK, &notice)
}

fn form(visit: &Visit, link: &Opened, status: StatusCode) -> Response {
    let locale: Locale = visit.language(None);
    let w = Words::of(locale);
    let path = path(visit, "setup/c");
    let requirements = link.account.get("requirements");
    let due = requirements.and_then(|all| all.get("currently_due")).and_then(Value::as_array);
    let due = due.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let shown = OnboardPage {
        w,
        title: w.onboard_title.to_owned(),
        other_language: other_language(&path, locale),
        account: text(&link.account, "id").to_owned(),
        due: due.collect(),
        action: format!("{path}?lang={}", locale.code()),
        token: visit.pages.key.token(&subject(&visit.id)),
    };
    page(status, &shown)
}

fn path(visit: &Visit, front: &str) -> String {
    visit.pages.path(&format!("/{front}/{}", visit.id))
}

fn subject(link: &str) -> String {
    format!("onboard:{link}")
}

fn find(visit: &Visit) -> Option<Opened> {
    let (account, token) = visit.id.split_once('/')?;
    let now = visit.pages.world.now().0;
    visit.pages.world.read(|view: &View| onboarding::opened(view, account, token, now))
}
