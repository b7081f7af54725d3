//! `/_stripegym/worlds`: worlds made, shown, emptied, filled, put aside, and compared.

use crate::domain::time::Timestamp;
use crate::sandbox::api::within::Within;
use crate::sandbox::control::clock;
use crate::sandbox::control::fill;
use crate::sandbox::control::{Sent, reply, respond};
use crate::sandbox::engine::Engine;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::private::WorldPart;
use crate::sandbox::engine::snapshots::{Snapshot, is_label};
use crate::sandbox::engine::state::{DEFAULT_WORLD, Scope};
use crate::sandbox::engine::txn::{Change, Origin};
use crate::sandbox::engine::worlds::{DEFAULT_NAME, World};
use crate::wire::failure::{Failure, FailureKind};
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The label of a snapshot where nobody gives one.
const LABEL: &str = "latest";

/// The routes; all of them answer JSON.
pub fn router() -> Router {
    Router::new()
        .route("/_stripegym/worlds", get(list))
        .route("/_stripegym/worlds/{name}", get(show).post(create).delete(delete))
        .route("/_stripegym/worlds/{name}/reset", post(reset))
        .route("/_stripegym/worlds/{name}/snapshot", post(snapshot))
        .route("/_stripegym/worlds/{name}/snapshots", get(snapshots))
        .route("/_stripegym/worlds/{name}/restore", post(restore))
        .route("/_stripegym/worlds/{name}/changes", get(changes))
}

fn shown(world: &World) -> Value {
    let part = world.part();
    let objects = world.read(|view| view.state().objects_of(world.scope().world));
    json!({
        "name": world.called(),
        "base_url": world.site().base_url,
        "key": world.example_key(),
        "account": world.platform_id(),
        "seed": part.as_ref().and_then(|part| part.seed),
        "now": world.now().0,
        "clock": if world.stands() { "stands" } else { "runs" },
        "objects": objects,
        "commit": world.engine().commit_number(),
    })
}

fn known(engine: &Arc<Engine>, name: &str) -> Result<Arc<World>, Failure> {
    engine.known_world(name).ok_or_else(|| {
        let text = format!(
            "There is no world '{name}'. POST /_stripegym/worlds/{name} makes it, and so does the first call under /worlds/{name}."
        );
        Failure::of(404, FailureKind::InvalidRequest, text)
    })
}

async fn list(Within(world): Within) -> Response {
    let engine = world.engine();
    let names = engine.world_names();
    let named = names.iter().filter_map(|name| engine.known_world(name));
    let all: Vec<Value> =
        std::iter::once(engine.default_world()).chain(named).map(|world| shown(&world)).collect();
    reply(StatusCode::OK, &json!({"object": "list", "data": all}))
}

async fn show(Within(world): Within, Path(name): Path<String>) -> Response {
    respond(known(world.engine(), &name).map(|world| shown(&world)))
}

async fn create(Within(world): Within, Path(name): Path<String>, sent: Sent) -> Response {
    respond(made(world.engine(), &name, &sent).await)
}

async fn made(engine: &Arc<Engine>, name: &str, sent: &Sent) -> Result<Value, Failure> {
    sent.only(&["seed", "now", "objects"])?;
    let seed = match sent.text("seed") {
        None => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| {
            Failure::invalid("A seed is a whole number from 0 to 18446744073709551615.")
                .param("seed")
        })?),
    };
    let now = match sent.text("now") {
        None => None,
        Some(text) => Some(clock::instant(&text, "now")?.0),
    };
    let objects = fill::documents(sent)?;
    let part = WorldPart { seed, stands_at: now, begins_at: now, ..WorldPart::default() };
    let (world, is_new) = engine
        .make_world(name, &part)
        .map_err(|error| Failure::invalid(format!("There cannot be such a world: {error}.")))?;
    if !is_new && (seed.is_some() || now.is_some()) {
        let text = format!(
            "There is a world '{}' already. DELETE it first, or POST /_stripegym/worlds/{}/reset.",
            world.called(),
            world.called()
        );
        return Err(Failure::of(409, FailureKind::InvalidRequest, text));
    }
    world.found().await?;
    if !objects.is_empty() {
        let filled = world.change(Origin::default(), |txn| {
            for doc in objects {
                fill::put(txn, doc);
            }
            Ok(())
        });
        if let Err(failure) = filled.await {
            if is_new {
                world.delete().await?;
            }
            return Err(failure);
        }
    }
    Ok(shown(&world))
}

async fn delete(Within(world): Within, Path(name): Path<String>) -> Response {
    respond(deleted(world.engine(), &name).await)
}

async fn deleted(engine: &Arc<Engine>, name: &str) -> Result<Value, Failure> {
    if name == DEFAULT_NAME {
        let text = "The default world stays. POST /_stripegym/worlds/default/reset empties it.";
        return Err(Failure::invalid(text));
    }
    known(engine, name)?.delete().await?;
    Ok(json!({"name": name, "deleted": true}))
}

async fn reset(Within(world): Within, Path(name): Path<String>) -> Response {
    respond(emptied(world.engine(), &name).await)
}

async fn emptied(engine: &Arc<Engine>, name: &str) -> Result<Value, Failure> {
    let world = known(engine, name)?;
    let part = world.part().unwrap_or_default();
    let part = WorldPart { stands_at: part.begins_at, ahead_s: 0, ..part };
    world.replace(Vec::new(), part).await?;
    known(engine, name).map(|world| shown(&world))
}

fn label(sent: &Sent) -> Result<String, Failure> {
    let label = sent.text("label").unwrap_or_else(|| LABEL.to_owned());
    if is_label(&label) {
        return Ok(label);
    }
    let text = "A label has 1 to 60 of A-Z, a-z, 0-9, '.', '_' and '-', and no dot in front.";
    Err(Failure::invalid(text).param("label"))
}

async fn snapshot(Within(world): Within, Path(name): Path<String>, sent: Sent) -> Response {
    respond(put_aside(world.engine(), &name, &sent).await)
}

async fn put_aside(engine: &Arc<Engine>, name: &str, sent: &Sent) -> Result<Value, Failure> {
    sent.only(&["label"])?;
    let label = label(sent)?;
    let world = known(engine, name)?;
    let content = world.content();
    let objects = content.len();
    let snapshot = Snapshot { part: world.part().unwrap_or_default(), content };
    let (engine, name, kept_as) = (Arc::clone(engine), name.to_owned(), label.clone());
    let kept =
        tokio::task::spawn_blocking(move || engine.snapshots().keep(&name, &kept_as, snapshot));
    let path = kept.await.map_err(std::io::Error::other).and_then(|kept| kept);
    let path = path.map_err(|error| unwell("written", &error))?;
    Ok(json!({
        "world": world.called(), "label": label, "objects": objects,
        "file": path.map(|path| path.display().to_string()),
    }))
}

fn unwell(what: &str, error: &std::io::Error) -> Failure {
    let text = format!("The snapshot could not be {what}: {error}.");
    Failure::of(503, FailureKind::Api, text)
}

async fn snapshots(Within(world): Within, Path(name): Path<String>) -> Response {
    if known(world.engine(), &name).is_err() && !crate::domain::secret::is_world_name(&name) {
        return respond(known(world.engine(), &name).map(|_| Value::Null));
    }
    let labels = world.engine().snapshots().labels(&name);
    reply(StatusCode::OK, &json!({"world": name, "labels": labels}))
}

async fn restore(Within(world): Within, Path(name): Path<String>, sent: Sent) -> Response {
    respond(put_back(world.engine(), &name, &sent).await)
}

async fn put_back(engine: &Arc<Engine>, name: &str, sent: &Sent) -> Result<Value, Failure> {
    sent.only(&["label", "from"])?;
    let label = label(sent)?;
    let from = sent.text("from").unwrap_or_else(|| name.to_owned());
    for name in [name, &from] {
        if !crate::domain::secret::is_world_name(name) {
            known(engine, name)?;
        }
    }
    let (all, source, wanted) = (Arc::clone(engine), from.clone(), label.clone());
    let taken = tokio::task::spawn_blocking(move || all.snapshots().take(&source, &wanted));
    let taken = taken.await.map_err(std::io::Error::other).and_then(|taken| taken);
    let Some(snapshot) = taken.map_err(|error| unwell("read", &error))? else {
        let labels = engine.snapshots().labels(&from).join(", ");
        let text = format!("The world '{from}' has no snapshot '{label}'. It has: {labels}.");
        return Err(Failure::of(404, FailureKind::InvalidRequest, text));
    };
    let (world, _) = engine
        .make_world(name, &snapshot.part)
        .map_err(|error| Failure::invalid(format!("There cannot be such a world: {error}.")))?;
    world.replace(snapshot.content, snapshot.part).await?;
    known(engine, name).map(|world| shown(&world))
}

async fn changes(Within(world): Within, Path(name): Path<String>, sent: Sent) -> Response {
    respond(since(world.engine(), &name, &sent))
}

fn since(engine: &Arc<Engine>, name: &str, sent: &Sent) -> Result<Value, Failure> {
    sent.only(&["since"])?;
    let world = known(engine, name)?;
    let Some(since) = sent.text("since").and_then(|text| text.parse::<u64>().ok()) else {
        let text = "Say after which commit: ?since=N, a whole number. `commit` of the world is the newest one.";
        return Err(Failure::invalid(text).param("since"));
    };
    // Asked for first: what is published meanwhile is told by the next call.
    let until = engine.commit_number();
    let commits = engine.changes_since(world.scope().world, since).map_err(|first| {
        let text = format!(
            "What changed after commit {since} is not known any more. Ask from {first} on: ?since={first}."
        );
        Failure::of(410, FailureKind::InvalidRequest, text)
    })?;
    let commits = commits.iter().filter(|commit| commit.number <= until);
    let commits: Vec<Value> = commits
        .map(|commit| {
            let changes: Vec<Value> = commit.changes.iter().map(change).collect();
            json!({"number": commit.number, "changes": changes})
        })
        .collect();
    Ok(json!({"world": world.called(), "since": since, "until": until, "commits": commits}))
}

fn change(change: &Change) -> Value {
    let Some(one) = change.after.as_ref().or(change.before.as_ref()) else { return Value::Null };
    let mut row = Map::new();
    let account = &change.scope.account;
    row.insert(
        "account".to_owned(),
        if account.is_empty() { Value::Null } else { json!(&**account) },
    );
    row.insert("kind".to_owned(), json!(one.kind));
    row.insert("id".to_owned(), json!(&*one.id));
    if one.kind.starts_with('_') {
        // A restricted key is its own id.
        if one.kind == crate::sandbox::api::rights::KIND {
            row.insert("id".to_owned(), json!(crate::domain::secret::mask(&one.id)));
        }
        return Value::Object(row);
    }
    let document = |side: Option<&Arc<Stored>>| -> Value {
        side.and_then(|stored| serde_json::from_str(&stored.shown()).ok()).unwrap_or_default()
    };
    row.insert("before".to_owned(), document(change.before.as_ref()));
    row.insert("after".to_owned(), document(change.after.as_ref()));
    Value::Object(row)
}

/// Every account of a world that holds anything.
pub fn accounts(world: &Arc<World>) -> Vec<Arc<World>> {
    let scopes: Vec<Scope> = world.read(|view| view.state().accounts(world.scope().world));
    scopes.iter().map(|scope| world.at(&scope.account)).collect()
}

/// Whether a world's clock is the sandbox's own.
pub fn is_default(world: &World) -> bool {
    world.scope().world == DEFAULT_WORLD
}

/// An instant of a world as the controls show it.
pub fn clock(world: &World) -> Value {
    let stands = world.stands() || world.engine().clock().stands();
    let now = world.now();
    json!({"world": world.called(), "now": now.0, "at": Timestamp(now.0).rfc3339(), "clock": if stands { "stands" } else { "runs" }})
}
