//! The routes: one table, and the way that every request takes to its row.

use crate::merchant::account::{kept, new_token};
use crate::merchant::failure::{Said, ShopError};
use crate::merchant::server::Desk;
use crate::merchant::web::visit::{Fields, Visit, keep_token, locale, token};
use crate::merchant::web::{account, api_key, chart, page, payment, shopfront, wallet, webhook};
use crate::net::connection::Arriving;
use crate::shop::answer::{self, Answer, BODY_BYTES_MAX, BodyError};
use crate::shop::locality;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;

/// The most bytes of a form or of a program's JSON.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// What a route comes to.
pub type Outcome = Result<Answer, ShopError>;

/// An outcome that is on its way.
pub type Coming = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What a route brings with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brings {
    /// Nothing but its address.
    Nothing,
    /// A form of ours, which proves it.
    Form,
    /// JSON of a program on one of our pages.
    Json,
    /// What a provider signs.
    Signed,
}

/// How a route is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// With a page.
    Page,
    /// With JSON.
    Json,
}

/// Who may take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anybody.
    Nobody,
    /// Whoever is signed in.
    User,
}

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Route {
    method: Verb,
    path: &'static str,
    needs: Needs,
    brings: Brings,
    speaks: Speaks,
    run: fn(Arc<Desk>, Visit) -> Coming,
}

/// The methods that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
}

const fn get(path: &'static str, needs: Needs, run: fn(Arc<Desk>, Visit) -> Coming) -> Route {
    let (brings, speaks) = (Brings::Nothing, Speaks::Page);
    Route { method: Verb::Get, path, needs, brings, speaks, run }
}

const fn form(path: &'static str, needs: Needs, run: fn(Arc<Desk>, Visit) -> Coming) -> Route {
    let (brings, speaks) = (Brings::Form, Speaks::Page);
    Route { method: Verb::Post, path, needs, brings, speaks, run }
}

const fn read_json(path: &'static str, run: fn(Arc<Desk>, Visit) -> Coming) -> Route {
    let (needs, brings, speaks) = (Needs::User, Brings::Nothing, Speaks::Json);
    Route { method: Verb::Get, path, needs, brings, speaks, run }
}

const fn send_json(path: &'static str, run: fn(Arc<Desk>, Visit) -> Coming) -> Route {
    let (needs, brings, speaks) = (Needs::User, Brings::Json, Speaks::Json);
    Route { method: Verb::Post, path, needs, brings, speaks, run }
}

const fn program(path: &'static str, run: fn(Arc<Desk>, Visit) -> Coming) -> Route {
    let (needs, brings, speaks) = (Needs::Nobody, Brings::Nothing, Speaks::Json);
    Route { method: Verb::Get, path, needs, brings, speaks, run }
}

const fn hook(path: &'static str, run: fn(Arc<Desk>, Visit) -> Coming) -> Route {
    let (needs, brings, speaks) = (Needs::Nobody, Brings::Signed, Speaks::Json);
    Route { method: Verb::Post, path, needs, brings, speaks, run }
}

/// Every route.
const ROUTES: &[Route] = &[
    get("/", Needs::Nobody, |_, visit| Box::pin(async move { shopfront::home(&visit) })),
    get("/account", Needs::User, |desk, visit| Box::pin(shopfront::account(desk, visit))),
    get("/canceled_upgrade", Needs::Nobody, |_, visit| {
        Box::pin(async move { api_key::cancelled(&visit) })
    }),
    get("/cards", Needs::User, |desk, visit| Box::pin(wallet::cards(desk, visit))),
    form("/cards/add", Needs::User, |desk, visit| Box::pin(wallet::add(desk, visit))),
    get("/cards/added", Needs::User, |desk, visit| Box::pin(wallet::added(desk, visit))),
    form("/cards/default", Needs::User, |desk, visit| Box::pin(wallet::set_default(desk, visit))),
    form("/cards/remove", Needs::User, |desk, visit| Box::pin(wallet::remove(desk, visit))),
    get("/create-api-key", Needs::User, |desk, visit| Box::pin(api_key::land(desk, visit))),
    get("/charts", Needs::User, |desk, visit| Box::pin(chart::charts(desk, visit))),
    get("/config", Needs::Nobody, |desk, _| Box::pin(async move { Ok(shopfront::config(&desk)) })),
    get("/language", Needs::Nobody, |_, visit| Box::pin(async move { account::language(&visit) })),
    get("/login", Needs::Nobody, |_, visit| Box::pin(async move { account::sign_in_page(&visit) })),
    form("/login", Needs::Nobody, |desk, visit| Box::pin(account::sign_in(desk, visit))),
    form("/logout", Needs::Nobody, |desk, visit| Box::pin(account::sign_out(desk, visit))),
    get("/mypage", Needs::User, |desk, visit| Box::pin(wallet::my_page(desk, visit))),
    get("/pay", Needs::User, |desk, visit| {
        Box::pin(async move { wallet::ask_amount(&desk, &visit) })
    }),
    form("/pay", Needs::User, |desk, visit| Box::pin(wallet::pay(desk, visit))),
    get("/pay/done", Needs::User, |desk, visit| Box::pin(wallet::paid(desk, visit))),
    get(payment::LANDING, Needs::User, |desk, visit| Box::pin(payment::success(desk, visit))),
    get("/pricing", Needs::Nobody, |desk, visit| {
        Box::pin(async move { shopfront::pricing(&desk, &visit) })
    }),
    form("/pricing", Needs::User, |desk, visit| Box::pin(payment::buy(desk, visit))),
    get("/readyz", Needs::Nobody, |desk, _| Box::pin(webhook::ready(desk))),
    get("/signup", Needs::Nobody, |_, visit| {
        Box::pin(async move { account::sign_up_page(&visit) })
    }),
    form("/signup", Needs::Nobody, |desk, visit| Box::pin(account::sign_up(desk, visit))),
    get("/stripe-form.js", Needs::Nobody, |_, _| Box::pin(async { wallet::script() })),
    get("/thanks_upgrade", Needs::User, |desk, visit| Box::pin(api_key::thanks(desk, visit))),
    form("/thanks_upgrade", Needs::User, |desk, visit| Box::pin(api_key::reveal(desk, visit))),
    get("/upgrade", Needs::User, |desk, visit| Box::pin(api_key::upgrade(desk, visit))),
    form("/upgrade", Needs::User, |desk, visit| Box::pin(api_key::start(desk, visit))),
    form("/upgrade/portal", Needs::User, |desk, visit| Box::pin(wallet::portal(desk, visit))),
    form("/upgrade/replace", Needs::User, |desk, visit| Box::pin(api_key::replace(desk, visit))),
    send_json("/api/payment/checkout-session", |desk, visit| {
        Box::pin(payment::checkout_session(desk, visit))
    }),
    read_json("/api/payment/verify-success", |desk, visit| {
        Box::pin(payment::verify_success(desk, visit))
    }),
    program("/api/v1/era", |desk, visit| Box::pin(api_key::program(desk, visit))),
    program("/api/v1/usage", |desk, visit| Box::pin(api_key::program(desk, visit))),
    hook("/api/creem/webhook", |desk, visit| Box::pin(webhook::creem(desk, visit))),
    hook("/api/stripe/webhook", |desk, visit| Box::pin(webhook::stripe(desk, visit))),
];

/// The page above a path that only a form leads to.
pub fn page_above(path: &str) -> Option<&str> {
    let of_path = |path: &str| ROUTES.iter().any(|it| it.path == path);
    let is_page = |path: &str| ROUTES.iter().any(|it| it.path == path && it.method == Verb::Get);
    let above = path.rfind('/').and_then(|at| path.get(..at)).filter(|above| is_page(above));
    (of_path(path) && !is_page(path)).then(|| above.unwrap_or("/"))
}

/// Answers a request.
pub async fn answer(desk: Arc<Desk>, request: Request<Arriving>) -> Answer {
    if request.headers().get_all(HOST).iter().count() > 1 {
        return answer::error(400, "two_hosts", "The request has more than one Host header.");
    }
    let path = request.uri().path();
    let method = match *request.method() {
        Method::GET | Method::HEAD => Some(Verb::Get),
        Method::POST => Some(Verb::Post),
        _ => None,
    };
    let of_path = ROUTES.iter().filter(|it| it.path == path);
    let route = of_path.clone().find(|it| Some(it.method) == method);
    let is_signed = route.is_some_and(|it| it.brings == Brings::Signed);
    // A provider calls us as it was told to; what it sends is proven by its signature.
    if !is_signed && locality::local_host(request.headers(), desk.bound).is_none() {
        return answer::error(403, "foreign_host", "The Host header does not name this machine.");
    }
    if let (None, Some(other)) = (route, of_path.clone().next()) {
        return answer::method_not_allowed(match (other.method, of_path.count()) {
            (_, 2) => "GET, HEAD, POST",
            (Verb::Get, _) => "GET, HEAD",
            (Verb::Post, _) => "POST",
        });
    }
    match route {
        Some(route) => run(desk, *route, request).await,
        None => lost(&desk, request).await,
    }
}

async fn lost(desk: &Desk, request: Request<Arriving>) -> Answer {
    let (parts, _) = request.into_parts();
    match visit(desk, &parts, Vec::new(), Brings::Nothing).await {
        // Who calls the API reads no page: that there is no such call is an answer of the API's own.
        Ok((visit, _)) if visit.path.starts_with("/api/v1/") => answer::json(
            StatusCode::NOT_FOUND,
            &json!({ "error": { "type": "not_found", "message": "There is no such call." } }),
        ),
        Ok((visit, _)) => {
            let speaks = if visit.path.starts_with("/api/") { Speaks::Json } else { Speaks::Page };
            let error = ShopError::missing(|words| words.error_no_page);
            refused(speaks, &visit, &error, desk.stripe.is_live())
        }
        Err(error) => answer::error(error.status().as_u16(), "not_found", &error.to_string()),
    }
}

async fn run(desk: Arc<Desk>, route: Route, request: Request<Arriving>) -> Answer {
    let (parts, body) = request.into_parts();
    let most = match route.brings {
        Brings::Signed => BODY_BYTES_MAX,
        _ => FORM_BYTES_MAX,
    };
    let body = match route.brings {
        Brings::Nothing => Ok(Vec::new()),
        _ => answer::read_within(body, most).await,
    };
    let (body, broken) = match body {
        Ok(body) => (body, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let (visit, is_new) = match visit(&desk, &parts, body, route.brings).await {
        Ok(read) => read,
        Err(error) => {
            return answer::error(error.status().as_u16(), "unavailable", &error.to_string());
        }
    };
    let seen = visit.clone();
    let live = desk.stripe.is_live();
    let outcome = match broken.map_or_else(|| admit(route, &visit), |it| Err(unread(it))) {
        Ok(()) => (route.run)(desk, visit).await,
        Err(error) => Err(error),
    };
    let mut answer = match outcome {
        Ok(answer) => answer,
        Err(error) => refused(route.speaks, &seen, &error, live),
    };
    if broken.is_some() {
        answer.headers_mut().insert("connection", HeaderValue::from_static("close"));
    }
    // Whoever is shown a page can be known again, so that its forms prove themselves.
    if is_new && route.speaks == Speaks::Page && !answer.headers().contains_key(SET_COOKIE) {
        keep_token(&mut answer, &seen.token);
    }
    answer
}

const fn unread(error: BodyError) -> ShopError {
    match error {
        BodyError::TooLong => {
            ShopError::Refused(StatusCode::PAYLOAD_TOO_LARGE, |words| words.error_too_long)
        }
        BodyError::TooSlow => {
            ShopError::Refused(StatusCode::REQUEST_TIMEOUT, |words| words.error_form)
        }
        BodyError::Broken => ShopError::bad(|words| words.error_form),
    }
}

/// Whether a request may take its route.
fn admit(route: Route, visit: &Visit) -> Result<(), ShopError> {
    let host = visit.origin.trim_start_matches("http://");
    let is_own = || locality::same_origin(&visit.headers, host);
    match route.brings {
        Brings::Form if !is_own() || !visit.has_proof() => {
            return Err(ShopError::forbidden(|words| words.error_foreign_form));
        }
        // A form of another site can send no JSON, and no other site's program is let through.
        Brings::Json if !is_own() => {
            return Err(ShopError::forbidden(|words| words.error_foreign_form));
        }
        Brings::Json if !is_json(visit) => {
            let said: Said = |words| words.error_json;
            return Err(ShopError::Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, said));
        }
        _ => {}
    }
    match route.needs {
        Needs::Nobody => Ok(()),
        Needs::User => visit.signed_in().map(|_| ()),
    }
}

fn is_json(visit: &Visit) -> bool {
    let kind = visit.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|it| it.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Reads a request; whether its sender brought no token, and is given one.
async fn visit(
    desk: &Desk,
    parts: &hyper::http::request::Parts,
    body: Vec<u8>,
    brings: Brings,
) -> Result<(Visit, bool), ShopError> {
    let headers = &parts.headers;
    let now = desk.clock.now();
    let brought = token(headers).filter(|_| brings != Brings::Signed).map(str::to_owned);
    let user = match &brought {
        Some(token) => {
            let kept = kept(token);
            desk.database.look(move |base| base.session(&kept, now)).await?
        }
        None => None,
    };
    let is_new = brought.is_none();
    let token = match brought {
        Some(token) => token,
        None => new_token()?,
    };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = if brings == Brings::Form { Fields::read(&body) } else { Fields::default() };
    let visit = Visit {
        path: parts.uri.path().to_owned(),
        locale: locale(headers),
        origin: format!("http://{host}"),
        now,
        user,
        token,
        query: Fields::read(parts.uri.query().unwrap_or_default().as_bytes()),
        form,
        body,
        headers: headers.clone(),
    };
    Ok((visit, is_new))
}

/// Says why something is not done.
fn refused(speaks: Speaks, visit: &Visit, error: &ShopError, live: bool) -> Answer {
    if error.status().is_server_error() {
        tracing::warn!(%error, path = visit.path, "the shop could not do what was asked");
    }
    let said = error.said(visit.words());
    let mut answer = match speaks {
        Speaks::Json => answer::json(error.status(), &json!({ "success": false, "error": said })),
        Speaks::Page if matches!(error, ShopError::SignedOut) => account::to_sign_in(visit),
        Speaks::Page => {
            // Whoever only learns may see what the provider said.
            let detail = match error {
                ShopError::Provider(error) if !live => Some(error.to_string()),
                _ => None,
            };
            page::message(visit, error.status(), &said, detail.as_deref())
        }
    };
    if let ShopError::TooOften { wait_s } = error
        && let Ok(value) = HeaderValue::try_from(wait_s.to_string())
    {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_only_a_form_leads_to_has_a_page_above() {
        for (path, above) in [
            ("/cards/add", Some("/cards")),
            ("/upgrade/portal", Some("/upgrade")),
            ("/logout", Some("/")),
            ("/pay", None),
            ("/nowhere/at/all", None),
            ("/", None),
        ] {
            assert_eq!(page_above(path), above, "{path}");
        }
    }
}
