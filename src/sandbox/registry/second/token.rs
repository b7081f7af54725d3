//! Tokens of v2: what was said of an account or of a person, to be told once.
//!
//! Believed: the ids, that a token lasts a day, and the sentences of refusals.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::connect::second;
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::sandbox::registry::second::{account, ensure_modelled};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Seconds for which one can be told.
const LASTS: i64 = 86_400;

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// An account that there may not be yet.
    Account,
    /// A person of an account.
    Person,
}

impl Of {
    /// Its kind, the beginning of its id, and the parameter that names it.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Account => ("v2.core.account_token", "accttok_", "account_token"),
            Self::Person => ("v2.core.account_person_token", "perstok_", "person_token"),
        }
    }
}

/// The behaviour of `/v2/core/account_tokens` and `/v2/core/accounts/{account_id}/person_tokens`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v2/core/account_tokens" => |txn, call| create(txn, call, Of::Account, ""),
        "GET /v2/core/account_tokens/{id}" => {
            |txn, call| find(txn, Of::Account, "", call.id(0)).map(|it| it.document().into())
        }
        "POST /v2/core/accounts/{account_id}/person_tokens" => |txn, call| {
            account::find(txn, call.id(0))?;
            create(txn, call, Of::Person, call.id(0))
        },
        "GET /v2/core/accounts/{account_id}/person_tokens/{id}" => |txn, call| {
            account::find(txn, call.id(0))?;
            let found = find(txn, Of::Person, call.id(0), call.id(1))?;
            Ok(found.document().into())
        },
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call, of: Of, account: &str) -> Result<Body, Failure> {
    let sent = Value::Object(call.params.clone());
    match of {
        Of::Account => ensure_modelled(&sent, account::UNMODELLED)?,
        Of::Person => ensure_modelled(&sent, &["/documents"])?,
    }
    let (kind, prefix, _) = of.words();
    let now = txn.now();
    let id = txn.new_id(prefix, 24);
    let made = txn.in_account("", |txn| {
        txn.put(json!({
            "id": id, "object": kind, "created": now.rfc3339(),
            "expires_at": now.plus(LASTS).rfc3339(), "livemode": false, "used": false,
        }))
    });
    let mut kept = Map::new();
    kept.insert("sent".to_owned(), sent);
    kept.insert("account".to_owned(), json!(account));
    second::keep(txn, &id, kept);
    Ok(made.into())
}

fn find(txn: &Txn<'_>, of: Of, account: &str, id: &str) -> Result<Arc<Object>, Failure> {
    let kind = of.words().0;
    let found = txn.at("").get(kind, id);
    let own =
        second::kept(txn, id).is_some_and(|kept| kept.get("account") == Some(&json!(account)));
    found.filter(|_| own).ok_or_else(|| missing(kind, id, "id"))
}

/// What a call says with what the token says that it names. The token is used with that.
///
/// Fails for a token that is not there, was used, or is too old, and for what both say.
pub fn redeem(txn: &mut Txn<'_>, of: Of, account: &str, sent: Value) -> Result<Value, Failure> {
    let (kind, _, name) = of.words();
    let Value::Object(mut all) = sent else { return Ok(sent) };
    let Some(id) = all.remove(name) else { return Ok(Value::Object(all)) };
    let id = id.as_str().unwrap_or_default().to_owned();
    let refuse = |text: String| Err(Failure::invalid(text).param(name));
    let found = find(txn, of, account, &id).map_err(|failure| Failure {
        status: 400,
        param: Some(name.to_owned()),
        ..failure
    })?;
    if found.get("used") == Some(&json!(true)) {
        return refuse(format!("The token {id} was already used: it can be used only once."));
    }
    if Timestamp::read(text(&found, "expires_at")).is_none_or(|at| at <= txn.now()) {
        return refuse(format!("The token {id} has expired."));
    }
    let said = second::kept(txn, &id).and_then(|mut kept| kept.remove("sent"));
    for (member, value) in said.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if all.insert(member.clone(), value.clone()).is_some() {
            let text = format!("`{member}` cannot be sent beside a `{name}` that says it.");
            return Err(Failure::invalid(text).param(member));
        }
    }
    txn.in_account("", |txn| {
        txn.edit(kind, &id, |doc| drop(doc.insert("used".to_owned(), json!(true))));
    });
    Ok(Value::Object(all))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::testing::Lab;
    use serde_json::{Value, json};

    fn id(object: &Value) -> String {
        object["id"].as_str().unwrap().to_owned()
    }

    fn token(lab: &mut Lab) -> Value {
        let said = json!({"contact_email": "jenny@example.com", "display_name": "Jenny's",
            "identity": {"country": "us", "entity_type": "individual",
                "individual": {"given_name": "Jenny", "surname": "Rosen"}}});
        lab.ok("POST /v2/core/account_tokens", said)
    }

    #[test]
    fn an_account_is_made_of_what_its_token_says_once() {
        let mut lab = Lab::new();
        let made = token(&mut lab);
        assert_eq!(made["used"], false);
        let own = lab.ok(&format!("GET /v2/core/account_tokens/{}", id(&made)), json!({}));
        assert_eq!(own, made);
        let asked = json!({"account_token": made["id"], "include": ["identity"]});
        let account = lab.ok("POST /v2/core/accounts", asked.clone());
        assert_eq!(account["contact_email"], "jenny@example.com");
        assert_eq!(account["identity"]["individual"]["given_name"], "Jenny");
        let own = lab.ok(&format!("GET /v2/core/account_tokens/{}", id(&made)), json!({}));
        assert_eq!(own["used"], true);
        let again = lab.call("POST /v2/core/accounts", asked).unwrap_err();
        assert_eq!((again.status, again.param.as_deref()), (400, Some("account_token")));
        // What is changed comes by a token too, and never by both.
        let next = token(&mut lab);
        let path = format!("POST /v2/core/accounts/{}", id(&account));
        let both = json!({"account_token": next["id"], "display_name": "Other"});
        assert_eq!(lab.call(&path, both).unwrap_err().param.as_deref(), Some("display_name"));
        lab.now.0 += 86_400;
        let late = lab.call(&path, json!({"account_token": next["id"]})).unwrap_err();
        assert_eq!((late.status, late.param.as_deref()), (400, Some("account_token")));
        let unknown = lab.call(&path, json!({"account_token": "accttok_nope"})).unwrap_err();
        assert_eq!((unknown.status, unknown.param.as_deref()), (400, Some("account_token")));
    }

    #[test]
    fn a_person_is_made_of_a_token_of_the_same_account() {
        let mut lab = Lab::new();
        let account = |lab: &mut Lab| {
            let made = token(lab);
            id(&lab.ok("POST /v2/core/accounts", json!({"account_token": made["id"]})))
        };
        let (own, other) = (account(&mut lab), account(&mut lab));
        let said = json!({"given_name": "Ada", "surname": "Lovelace", "email": "ada@example.com"});
        let made = lab.ok(&format!("POST /v2/core/accounts/{own}/person_tokens"), said);
        let path = format!("GET /v2/core/accounts/{own}/person_tokens/{}", id(&made));
        assert_eq!(lab.ok(&path, json!({}))["used"], false);
        let asked = json!({"person_token": made["id"]});
        let foreign = lab.call(&format!("POST /v2/core/accounts/{other}/persons"), asked.clone());
        assert_eq!(foreign.unwrap_err().param.as_deref(), Some("person_token"));
        let person = lab.ok(&format!("POST /v2/core/accounts/{own}/persons"), asked);
        assert_eq!(
            (&person["given_name"], &person["email"]),
            (&json!("Ada"), &json!("ada@example.com"))
        );
        assert_eq!(lab.ok(&path, json!({}))["used"], true);
    }
}
