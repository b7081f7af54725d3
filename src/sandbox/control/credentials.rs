//! `/_stripegym/keys` and `/_stripegym/account`: restricted keys, and what the owner of the account has set.

use crate::domain::secret::mask;
use crate::sandbox::api::rights;
use crate::sandbox::api::within::Within;
use crate::sandbox::control::{Sent, respond};
use crate::sandbox::engine::private::KeyPart;
use crate::sandbox::engine::settings::{self, Settings};
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::engine::worlds::World;
use crate::wire::failure::{Failure, FailureKind};
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{delete, get};
use serde_json::{Value, json};
use std::sync::Arc;

/// Restricted keys that a world may have.
const KEYS_MAX: usize = 1_000;

/// The routes; all of them answer JSON.
pub fn router() -> Router {
    Router::new()
        .route("/_stripegym/keys", get(list).post(create))
        .route("/_stripegym/keys/{key}", delete(remove))
        .route("/_stripegym/account", get(account).post(set))
}

async fn list(Within(world): Within) -> Response {
    let keys: Vec<Value> = world.read(|view| {
        let table = view.at("").table(rights::KIND).cloned();
        let all = table.iter().flat_map(|table| table.all().cloned().collect::<Vec<_>>());
        all.filter_map(|stored| Some(shown(&stored.id, stored.part::<KeyPart>()?))).collect()
    });
    respond(Ok(json!({"object": "list", "data": keys})))
}

fn shown(key: &str, part: &KeyPart) -> Value {
    json!({"key": key, "masked": mask(key), "allow": part.allow, "created": part.created})
}

async fn create(Within(world): Within, sent: Sent) -> Response {
    respond(made(&world, &sent).await)
}

async fn made(world: &Arc<World>, sent: &Sent) -> Result<Value, Failure> {
    sent.only(&["allow"])?;
    let allow = rights::read(&sent.text("allow").unwrap_or_default()).map_err(|part| {
        let names: Vec<String> = rights::resources().into_iter().collect();
        let text = format!(
            "'{part}' is no right. A right is a resource and read or write: allow=products:read,checkout_sessions:write. The resources are: {}.",
            names.join(", ")
        );
        Failure::invalid(text).param("allow")
    })?;
    let prefix = match &**world.name() {
        "" => "rk_test_".to_owned(),
        name => format!("rk_test_w_{name}_"),
    };
    let made = world.change(Origin::default(), |txn| {
        if txn.count(rights::KIND) >= KEYS_MAX {
            let text =
                format!("A world has at most {KEYS_MAX} restricted keys: delete some first.");
            return Err(Failure::invalid(text));
        }
        let key = txn.new_id(&prefix, 24);
        let part = KeyPart { allow, created: txn.now().0 };
        txn.put_record(rights::KIND, &key, Arc::from(""), part.clone());
        Ok(shown(&key, &part))
    });
    made.await
}

async fn remove(Within(world): Within, Path(key): Path<String>) -> Response {
    let removed = world.change(Origin::default(), |txn| {
        if txn.stored(rights::KIND, &key).is_none() {
            let text = format!("There is no restricted key {}.", mask(&key));
            return Err(Failure::of(404, FailureKind::InvalidRequest, text));
        }
        txn.remove(rights::KIND, &key);
        Ok(json!({"key": key, "deleted": true}))
    });
    respond(removed.await)
}

fn settings(world: &World) -> Value {
    let mut all = world.read(Settings::of).show();
    all.insert("id".to_owned(), json!(world.platform_id()));
    Value::Object(all)
}

async fn account(Within(world): Within) -> Response {
    respond(Ok(settings(&world)))
}

async fn set(Within(world): Within, sent: Sent) -> Response {
    respond(changed(&world, &sent).await)
}

async fn changed(world: &Arc<World>, sent: &Sent) -> Result<Value, Failure> {
    let changed = world.change(Origin::default(), |txn| {
        for name in sent.0.keys() {
            let value = sent.text(name).unwrap_or_default();
            let part = Settings::of(txn).with(name, &value);
            let part = part.map_err(|text| Failure::invalid(text).param(name))?;
            txn.put_record(settings::RECORD.0, settings::RECORD.1, Arc::from(""), part);
        }
        Ok(())
    });
    changed.await?;
    Ok(settings(world))
}
