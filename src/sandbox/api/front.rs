//! What every API request passes, each step once and in this order: authenticate, version, a fault that was
//! asked for, route, decode, validate, idempotency, dispatch, expand, log.

use crate::catalog::route::Routed;
use crate::catalog::stripe_version as header;
use crate::catalog::{Catalog, legacy};
use crate::sandbox::api::auth::{self, Caller};
use crate::sandbox::api::expand;
use crate::sandbox::api::second;
use crate::sandbox::behaviour::billing::told;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::idempotency::Keyed;
use crate::sandbox::call::reference;
use crate::sandbox::call::search;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::Decision;
use crate::sandbox::engine::requests::LogRow;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use crate::sandbox::fault;
use crate::sandbox::jobs;
use crate::sandbox::registry::{self, Answerer, upload};
use crate::sandbox::version::{self, down};
use crate::wire::body;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::form::{self, Decoded, Tree};
use crate::wire::multipart;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// A request as it came from the socket.
#[derive(Clone, Debug, Default)]
pub struct ApiRequest {
    /// HTTP method.
    pub method: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query, empty where there is none.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// An API key that stood among the parameters.
    pub key: Option<String>,
    /// The `Stripe-Account` header.
    pub account: Option<String>,
    /// The `Stripe-Version` header.
    pub version: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Stripegym-Fault` header.
    pub fault: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer, to be written to the socket.
#[derive(Clone, Debug)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Type` and `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
    /// Whether the connection is closed in place of it.
    pub cut: bool,
}

/// What a request became: status and body, and whether it was answered before.
struct Reply {
    status: u16,
    body: Body,
    /// `error.message`, where it failed.
    error: Option<String>,
    original_request: Option<String>,
    /// The fault that was asked for.
    fault: Option<fault::Answer>,
}

impl Reply {
    const fn of(status: u16, body: Body) -> Self {
        Self { status, body, error: None, original_request: None, fault: None }
    }
}

/// A request that passed everything but its execution.
struct Ready {
    answerer: Answerer,
    call: Call,
    expand: Vec<String>,
    keyed: Option<Keyed>,
    /// What a page in a browser, which has to show an intent's secret, has shown; empty for no secret, `None`
    /// for whoever has a secret key.
    browser: Option<String>,
}

/// Answers one request.
pub async fn answer(world: &Arc<World>, asked: ApiRequest) -> ApiResponse {
    // Each resource has its own sequence: how often somebody looks must not decide what a change is called.
    let mut numbers = world.entropy().numbers(&sequence(&asked));
    let request_id = crate::domain::id::new_id("req_", 14, || numbers.next());
    let mut headers = vec![("request-id", request_id.clone())];
    if let Some(key) = &asked.idempotency_key {
        headers.push(("idempotency-key", key.clone()));
    }
    let default = world.read(Settings::of).get("api_version").to_owned();
    let (mut outcome, version, account) = match admit(world, &asked, &default) {
        Err(failure) => (failed(world, &request_id, &failure), default, String::new()),
        Ok(Admitted { caller, account, version }) => {
            let text = version.text.clone();
            let at = if account.is_empty() { Arc::clone(world) } else { world.at(&account) };
            if at.stands() {
                // Where time stands, what follows from a call has happened before the next one looks.
                jobs::run_due(&at).await;
            }
            let outcome = run(&at, &asked, (&caller, version), &request_id, &mut headers).await;
            (outcome, text, account)
        }
    };
    if outcome.error.is_some() && second::is_its(&asked.path) {
        outcome.body = Body::Document(second::error(outcome.body.into_document()));
    }
    world.engine().requests().add(log_row(world, &account, &asked, &request_id, &outcome));
    if outcome.fault == Some(fault::Answer::Timeout) {
        tokio::time::sleep(fault::SILENCE).await;
    }
    if let Some(form) = version::form_instead(&version) {
        headers.push(("stripegym-shape", form.to_owned()));
    }
    headers.push(("stripe-version", version));
    if !account.is_empty() {
        headers.push(("stripe-account", account));
    }
    if let Some(original) = outcome.original_request {
        headers.push(("idempotent-replayed", "true".to_owned()));
        headers.push(("original-request", original));
    }
    match outcome.status {
        401 => headers.push(("www-authenticate", "Basic realm=\"Stripe\"".to_owned())),
        // What is not modelled will not be modelled at the next attempt either.
        501 => headers.push(("stripe-should-retry", "false".to_owned())),
        503 => {
            headers.push(("retry-after", "1".to_owned()));
            headers.push(("stripe-should-retry", "true".to_owned()));
        }
        409 | 429 => headers.push(("stripe-should-retry", "true".to_owned())),
        _ => {}
    }
    let body = match upload::opened(&asked.path, outcome.status, &outcome.body) {
        Some((bytes, kind)) => {
            headers.push(("content-type", kind.to_owned()));
            bytes
        }
        None => outcome.body.pretty(),
    };
    let cut = outcome.fault.is_some_and(fault::Answer::is_silent);
    ApiResponse { status: outcome.status, headers, body, cut }
}

/// Who calls, for which account, and under which version.
struct Admitted {
    caller: Caller,
    account: String,
    version: Version,
}

fn admit(world: &World, asked: &ApiRequest, default: &str) -> Result<Admitted, Failure> {
    let key = auth::authenticate(asked.authorization.as_deref(), asked.key.as_deref())?;
    let caller = Caller::of(world, key);
    caller.ensure_may(&asked.method, &asked.path)?;
    let account = caller.account(world, asked.account.as_deref())?;
    let words: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    if let ["v1", "accounts", named, ..] = words.as_slice() {
        caller.account(world, Some(named))?;
    }
    second::ensure_version(&asked.path, asked.version.as_deref())?;
    let version = header::read(asked.version.as_deref(), default)?;
    Ok(Admitted { caller, account, version })
}

/// Works on a request, unless it meets a fault that was asked for: by its own header, else by a rule.
async fn run(
    world: &Arc<World>,
    asked: &ApiRequest,
    (caller, version): (&Caller, Version),
    request_id: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Reply {
    let fault = match fault::asked(asked.fault.as_deref()) {
        Err(failure) => return failed(world, request_id, &failure),
        Ok(own) => {
            own.or_else(|| world.engine().faults().take(world.name(), &asked.method, &asked.path))
        }
    };
    // What is not worked on leaves its idempotency key free, as Stripe's own limits do.
    let outcome = match fault.filter(|fault| !fault.works()) {
        None => work(world, asked, (caller, version), request_id, headers).await,
        Some(fault) => match fault.failure() {
            Some(failure) => failed(world, request_id, &failure),
            None => Reply::of(0, Body::Text("{}".into())),
        },
    };
    Reply { fault, ..outcome }
}

async fn work(
    world: &Arc<World>,
    asked: &ApiRequest,
    (caller, version): (&Caller, Version),
    request_id: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Reply {
    let ready = match prepare(asked, (caller, version), headers) {
        Ok(ready) => ready,
        Err(failure) => return failed(world, request_id, &failure),
    };
    if ready.answerer.is_generic() {
        headers.push((registry::DEPTH, "generic".to_owned()));
    }
    let _in_progress = match &ready.keyed {
        None => None,
        Some(keyed) => match world.begin_idempotent(&keyed.key) {
            Some(in_progress) => Some(in_progress),
            None => return failed(world, request_id, &keyed.still_running()),
        },
    };
    let origin = Origin {
        request_id: Some(request_id.to_owned()),
        idempotency_key: asked.idempotency_key.clone(),
        browser: caller.is_browser(),
    };
    if asked.method == "GET" {
        let looked = world.look(origin.clone(), |txn| {
            let (outcome, _) = execute(world, txn, &ready, request_id);
            (!txn.has_changed()).then_some(outcome)
        });
        if let Some(outcome) = looked {
            return outcome;
        }
        // A few retrievals make what they are asked for (a ready-made payment method).
    }
    let done = world.transact(origin, |txn| {
        let (outcome, keep) = execute(world, txn, &ready, request_id);
        Decision { value: outcome, keep }
    });
    done.await.unwrap_or_else(|failure| failed(world, request_id, &failure))
}

/// The sequence that a request's id is drawn from: one for each resource that the API has, one for the rest.
fn sequence(asked: &ApiRequest) -> String {
    let resource = asked.path.split('/').nth(2).unwrap_or_default();
    let known = Catalog::get().routes().has_resource(resource);
    let method = if asked.method == "GET" { "GET" } else { "POST" };
    format!("req_ {method} {}", if known { resource } else { "" })
}

/// Everything that can be refused without looking at the state.
fn prepare(
    asked: &ApiRequest,
    (caller, version): (&Caller, Version),
    headers: &mut Vec<(&'static str, String)>,
) -> Result<Ready, Failure> {
    let catalog = Catalog::get();
    let Routed::Found(route) = catalog.route(&asked.method, &asked.path) else {
        return Err(unrecognized(asked));
    };
    let post = asked.method == "POST";
    let mut decoded = decode(asked)?;
    // A page names the secret of what it works on; only some endpoints list it among their parameters.
    let browser =
        caller.is_browser().then(|| take(&mut decoded.tree, "client_secret").unwrap_or_default());
    if !decoded.duplicates.is_empty() {
        let names = decoded.duplicates.join(", ");
        let text =
            format!("These parameters were sent more than once; the last value was used: {names}");
        headers.push(("stripe-notice", text.escape_default().to_string()));
    }
    // Every list of v2 names its neighbours by `page`, whether or not the SDK lists it.
    let pages = route.endpoint.is_list() && second::is_its(&asked.path);
    let page = if pages { take(&mut decoded.tree, "page") } else { None };
    let mut params = catalog.validate(route.endpoint, &decoded.tree, &version)?;
    params.extend(page.map(|page| ("page".to_owned(), Value::from(page))));
    let keyed = match asked.idempotency_key.as_deref().filter(|key| post && !key.is_empty()) {
        Some(key) => Some(Keyed::new(key, &asked.path, &params)?),
        None => None,
    };
    let expand: Vec<String> = match params.remove("expand") {
        Some(Value::Array(paths)) => {
            paths.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    if route.endpoint.is_list() && expand.iter().any(|path| path == search::TOTAL_COUNT) {
        // The one member that is counted while it is looked for, not put in afterwards.
        params.insert(search::TOTAL_COUNT.to_owned(), Value::Bool(true));
    }
    legacy::suppose(route.endpoint.key(), &version, &mut params);
    let call = Call { key: route.endpoint.key().to_owned(), ids: route.ids, params, version };
    Ok(Ready { answerer: registry::find(route.endpoint), call, expand, keyed, browser })
}

/// Takes a text parameter out of what was sent.
fn take(tree: &mut Tree, wanted: &str) -> Option<String> {
    let Tree::Hash(members) = tree else { return None };
    let at = members.iter().position(|(name, _)| name == wanted)?;
    members.remove(at).1.text().map(str::to_owned)
}

/// The parameters of a request: v1 takes forms, v2 takes JSON; a query is a form in both.
fn decode(asked: &ApiRequest) -> Result<Decoded, Failure> {
    let json = second::is_its(&asked.path);
    let kind = asked.content_type.as_deref().unwrap_or_default();
    let is_json = kind.starts_with("application/json");
    let is_wrong = if json { !is_json } else { is_json };
    if asked.method == "POST" && is_wrong && !asked.body.is_empty() {
        let wanted = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        // For v2 the words are believed: they are v1's with the other type.
        return Err(Failure::invalid(format!(
            "Invalid request (check that your POST content type is {wanted}). If you have questions, we can help at https://support.stripe.com/."
        )));
    }
    let mut sent = asked.query.clone().into_bytes();
    if json && !asked.body.is_empty() {
        let query = form::decode(&sent)?;
        return Ok(query.with(body::decode(&asked.body)?));
    }
    if let Some(boundary) = multipart::boundary(kind).filter(|_| !json) {
        return Ok(form::decode(&sent)?.with(multipart::decode(&asked.body, boundary)?.tree));
    }
    if !asked.body.is_empty() {
        if !sent.is_empty() {
            sent.push(b'&');
        }
        sent.extend_from_slice(&asked.body);
    }
    form::decode(&sent)
}

/// Runs the endpoint. Tells whether what it wrote stays.
fn execute(world: &World, txn: &mut Txn<'_>, ready: &Ready, request_id: &str) -> (Reply, bool) {
    if let Some(keyed) = &ready.keyed {
        match keyed.replay(txn, txn.now()) {
            Ok(None) => {}
            Ok(Some(replay)) => {
                let original_request = Some(replay.original_request);
                let outcome = Reply::of(replay.status, Body::Text(replay.body));
                return (Reply { original_request, ..outcome }, false);
            }
            Err(failure) => return (failed(world, request_id, &failure), false),
        }
    }
    let shown = match &ready.browser {
        Some(secret) => auth::ensure_secret(txn, &ready.call, secret),
        None => Ok(()),
    };
    let result = shown
        .and_then(|()| ready.answerer.answer(txn, &ready.call))
        .map_err(|failure| reference::named(failure, &ready.call));
    let (mut outcome, keep) = match result {
        Ok(body) => (Reply::of(200, rendered(txn, body, ready)), true),
        Err(mut failure) => {
            let objects = failure.more.values_mut();
            objects.for_each(|object| down::value(object, &ready.call.version.text, &find(txn)));
            (failed(world, request_id, &failure), failure.keeps_changes)
        }
    };
    // A refused parameter is not an execution: the key stays free for the corrected request.
    if let Some(keyed) = ready.keyed.as_ref().filter(|_| keep) {
        let text = outcome.body.into_text();
        keyed.keep(txn, outcome.status, &text, request_id);
        outcome.body = Body::Text(text);
    }
    (outcome, keep)
}

/// The body of an answer: as its version shows it, with what was asked to be expanded.
fn rendered(txn: &Txn<'_>, body: Body, ready: &Ready) -> Body {
    let version = &ready.call.version;
    if ready.expand.is_empty() {
        if !down::is_due(&version.text) {
            return body;
        }
        let text = body.into_text();
        return Body::Text(match down::text(&text, &version.text, &find(txn)) {
            Cow::Borrowed(_) => text,
            Cow::Owned(older) => older.into(),
        });
    }
    let mut document = body.into_document();
    down::value(&mut document, &version.text, &find(txn));
    for path in &ready.expand {
        expand::expand(txn, &mut document, path, version);
    }
    Body::Document(document)
}

/// How an object is found that an older version shows in whole.
fn find<'t>(txn: &'t Txn<'_>) -> impl Fn(&str, &str) -> Option<Value> + 't {
    |kind, id| told::find(txn, kind, id)
}

fn failed(world: &World, request_id: &str, failure: &Failure) -> Reply {
    let mut body = failure.body();
    let log_url =
        format!("{}/_stripegym/requests/{request_id}?t={}", world.site().base_url, world.now().0);
    if let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("request_log_url".to_owned(), json!(log_url));
    }
    let outcome = Reply::of(failure.status, Body::Document(body));
    Reply { error: Some(failure.message.clone()), ..outcome }
}

fn log_row(
    world: &World,
    account: &str,
    asked: &ApiRequest,
    request_id: &str,
    outcome: &Reply,
) -> LogRow {
    LogRow {
        id: request_id.to_owned(),
        world: Arc::clone(world.name()),
        account: Arc::from(account),
        at: world.now().0,
        method: asked.method.clone(),
        path: asked.path.clone(),
        status: outcome.status,
        error: outcome.error.clone(),
        fault: outcome.fault.map(fault::Answer::name),
    }
}

fn unrecognized(asked: &ApiRequest) -> Failure {
    let text = format!(
        "Unrecognized request URL ({}: {}). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
        asked.method, asked.path
    );
    Failure::of(404, FailureKind::InvalidRequest, text)
}
