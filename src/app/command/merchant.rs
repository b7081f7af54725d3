//! The merchant's commands: each is a call of the API, as the table in `domain::merchant` says.

use crate::app::context::Context;
use crate::app::given::{Asked, Given};
use crate::app::payment;
use crate::app::provider::Provider;
use crate::app::remote::segment;
use crate::app::scenario::put;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::merchant_command::noun::{CARD, Noun, PAYMENT, PRICE};
use crate::domain::merchant_command::{self, Arg, Kind, MerchantCommand, Work};
use crate::domain::report::{Objects, Report};
use crate::stripe::Stripe;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Does it.
pub async fn run(context: &Context, asked: Asked) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let mut job = Job { stripe: &provider.stripe, command: asked.command, given: asked.given };
    let done = match job.work().await {
        Ok(report) => Ok(report),
        Err(fault) => {
            let next = job.next(&fault.kind);
            Err(fault.followed_by(next))
        }
    };
    provider.close().await;
    done
}

/// A command at work.
struct Job<'j> {
    stripe: &'j Stripe,
    command: &'static MerchantCommand,
    given: BTreeMap<&'static str, Given>,
}

impl Job<'_> {
    async fn work(&mut self) -> Result<Report, Fault> {
        for arg in self.command.args {
            if let Some(found) = self.resolved(arg).await? {
                self.given.insert(arg.name, Given::One(found));
            }
        }
        let path = self.filled(self.command.path, segment);
        let params = self.params();
        let mut answer = match self.command.work {
            Work::Show | Work::List => self.stripe.get(&path, &params).await?,
            Work::Post => match self.one("idempotency") {
                Some(key) => {
                    self.stripe.call_with_key(Method::POST, &path, &params, Some(key)).await?
                }
                None => self.stripe.post(&path, &params).await?,
            },
            Work::Delete => self.stripe.delete(&path).await?,
            Work::Cancel if self.one("now").is_some() => self.stripe.delete(&path).await?,
            Work::Cancel => {
                self.stripe.post(&path, &json!({ "cancel_at_period_end": true })).await?
            }
            Work::Resume => self.resume(&path).await?,
            Work::DetachAll => return self.detach_all().await,
            Work::PayPage | Work::Sync | Work::Kept(_) => {
                let what = format!("`{}` is no call", self.command.words);
                return Err(FaultKind::Bug { what }.into());
            }
        };
        let noun = self.command.shows;
        if self.command.work != Work::List {
            let objects = Objects { noun, rows: vec![answer], is_list: false, has_more: false };
            return Ok(Report::Objects(objects));
        }
        let has_more = answer.get("has_more").and_then(Value::as_bool) == Some(true);
        let Some(Value::Array(rows)) = answer.get_mut("data").map(Value::take) else {
            let what = format!("{path}: no `data`");
            return Err(FaultKind::ProviderOdd { what }.into());
        };
        Ok(Report::Objects(Objects { noun, rows, is_list: true, has_more }))
    }

    /// What was typed for an argument, where it is one value.
    fn one(&self, name: &str) -> Option<&str> {
        match self.given.get(name) {
            Some(Given::One(text)) => Some(text),
            Some(Given::Pairs(_)) | None => None,
        }
    }

    /// What an argument comes to, where asking the API tells.
    async fn resolved(&mut self, arg: &'static Arg) -> Result<Option<String>, Fault> {
        let typed = self.one(arg.name).map(str::to_owned);
        Ok(Some(match (arg.kind, typed) {
            (Kind::Newest(noun), None) => self.newest(noun).await?,
            (Kind::Item, None) => {
                let subscription = self.subject().await?;
                named(&subscription, "/items/data/0/id", "subscription item")?
            }
            (Kind::NewestCard, None) => {
                let customer = self.owner().await?;
                let cards = self.cards(&customer).await?;
                let none = || not_found(format!("card of {customer}"), &CARD);
                cards.into_iter().next().ok_or_else(none)?
            }
            (Kind::KeptCard | Kind::NewestCard, Some(card)) if card.starts_with("pm_card_") => {
                let customer = self.owner().await?;
                let path = format!("/v1/payment_methods/{}/attach", segment(&card));
                let kept = self.stripe.post(&path, &json!({ "customer": customer })).await?;
                named(&kept, "/id", CARD.name)?
            }
            (Kind::LookupKey, Some(key)) => payment::price_of(self.stripe, &key).await?,
            (Kind::Payment, Some(id)) => self.payment(id).await?,
            _ => return Ok(None),
        }))
    }

    /// The id of the newest object of a kind.
    async fn newest(&self, noun: &'static Noun) -> Result<String, Fault> {
        let mut params = json!({ "limit": 1 });
        for (name, value) in noun.all {
            put(&mut params, name, value);
        }
        let list = self.stripe.get(noun.list, &params).await?;
        let id = list.pointer("/data/0/id").and_then(Value::as_str).map(str::to_owned);
        id.ok_or_else(|| not_found(noun.name.to_owned(), noun))
    }

    /// The object that the command is about, by its first argument.
    async fn subject(&self) -> Result<Value, Fault> {
        let Some((noun, id)) = self.named_object() else { return Ok(Value::Null) };
        Ok(self.stripe.get(&format!("{}/{}", noun.list, segment(id)), &Value::Null).await?)
    }

    /// The customer whose cards may be used.
    async fn owner(&self) -> Result<String, Fault> {
        match self.one("customer") {
            Some(id) => Ok(id.to_owned()),
            None => named(&self.subject().await?, "/customer", "customer"),
        }
    }

    /// The ids of a customer's cards, newest first.
    async fn cards(&self, customer: &str) -> Result<Vec<String>, Fault> {
        let path = format!("/v1/customers/{}/payment_methods", segment(customer));
        let list = self.stripe.walk(&path, &json!({ "type": "card" })).rest().await?;
        let id = |card: &Value| card.get("id")?.as_str().map(str::to_owned);
        Ok(list.iter().filter_map(id).collect())
    }

    /// The payment of a session, or what was named; as which parameter it is sent is noted under `kind`.
    async fn payment(&mut self, id: String) -> Result<String, Fault> {
        let is_charge = ["ch_", "py_"].iter().any(|prefix| id.starts_with(prefix));
        let kind = if is_charge { "charge" } else { "payment_intent" };
        self.given.insert("kind", Given::One(kind.to_owned()));
        if !id.starts_with("cs_") {
            return Ok(id);
        }
        let session = self.stripe.session(&id).await?;
        let intent = session.get("payment_intent");
        let intent = intent.and_then(|it| it.as_str().or_else(|| it.get("id")?.as_str()));
        let unpaid = || FaultKind::NotFound { what: format!("payment of `{id}`") };
        Ok(intent.ok_or_else(unpaid)?.to_owned())
    }

    async fn resume(&self, path: &str) -> Result<Value, Fault> {
        let now = self.stripe.get(path, &Value::Null).await?;
        let mut params = json!({});
        if now.get("pause_collection").is_some_and(|it| !it.is_null()) {
            put(&mut params, "pause_collection", "");
        }
        let ends = now.get("cancel_at_period_end").and_then(Value::as_bool) == Some(true);
        if ends && now.get("status").and_then(Value::as_str) != Some("canceled") {
            put(&mut params, "cancel_at_period_end", "false");
        }
        // Where nothing holds it up, Stripe says so in its own words.
        let held = params.as_object().is_some_and(|it| !it.is_empty());
        let path = if held { path.to_owned() } else { format!("{path}/resume") };
        Ok(self.stripe.post(&path, &params).await?)
    }

    async fn detach_all(&self) -> Result<Report, Fault> {
        let customer = self.owner().await?;
        let ids = self.cards(&customer).await?;
        for id in &ids {
            let path = format!("/v1/payment_methods/{}/detach", segment(id));
            self.stripe.post(&path, &Value::Null).await?;
        }
        Ok(Report::Control(json!({ "customer": customer, "detached": ids })))
    }

    /// A path or the place of a parameter, with what its names stand for.
    fn filled(&self, text: &str, show: impl Fn(&str) -> String) -> String {
        let mut parts = text.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            out + &self.one(name).map(&show).unwrap_or_default() + rest
        })
    }

    fn params(&self) -> Value {
        let mut params = json!({});
        for (place, value) in self.command.fixed {
            put(&mut params, place, value);
        }
        for arg in self.command.args {
            for place in arg.places {
                let place = self.filled(place, str::to_owned);
                match self.given.get(arg.name) {
                    Some(Given::One(text)) => put(&mut params, &place, text),
                    Some(Given::Pairs(pairs)) => {
                        let pairs = pairs.iter().map(|(name, value)| (name.clone(), json!(value)));
                        if let Some(params) = params.as_object_mut() {
                            params.insert(place, Value::Object(pairs.collect()));
                        }
                    }
                    None => {}
                }
            }
        }
        params
    }

    /// What to type after a failure.
    fn next(&self, kind: &FaultKind) -> Option<String> {
        let help = || format!("{} --help", self.command.words);
        let FaultKind::ProviderRefused { status, code, param, .. } = kind else {
            let unknown = matches!(kind, FaultKind::NotFound { .. });
            let listed = self.one("lookup-key").map_or_else(help, |_| "plan list".to_owned());
            return unknown.then_some(listed);
        };
        let subject = self.named_object();
        Some(match (*status, code.as_deref()) {
            (401 | 403, _) => return None,
            (402, _) => "cards".to_owned(),
            (_, Some("resource_missing")) => {
                let missing = self.missing(param.as_deref().unwrap_or_default());
                let noun = missing.or(subject.map(|(noun, _)| noun));
                let listed = noun.map(|noun| noun.listed_by).filter(|it| !it.is_empty());
                listed.map_or_else(help, str::to_owned)
            }
            // How it stands says why it could not be done.
            _ => subject.and_then(|(noun, id)| shown_by(noun, id)).unwrap_or_else(help),
        })
    }

    /// The object that the command is about: its kind and id.
    fn named_object(&self) -> Option<(&'static Noun, &str)> {
        let names = |arg: &&Arg| arg.positional || matches!(arg.kind, Kind::Payment);
        let mut names = self.command.args.iter().filter(names);
        names.find_map(|arg| Some((noun_of(arg)?, self.one(arg.name)?)))
    }

    /// Of which kind that is which a parameter of this name did not find.
    fn missing(&self, param: &str) -> Option<&'static Noun> {
        let typed = self.command.args.iter().filter(|arg| self.given.contains_key(arg.name));
        let last = |place: &str| place.rsplit('.').next().unwrap_or_default().to_owned();
        let of = |arg: &&Arg| {
            let own = param.trim_end_matches(']').rsplit('[').next().unwrap_or_default();
            arg.places.iter().any(|place| last(&self.filled(place, str::to_owned)) == own)
        };
        typed.filter(of).find_map(noun_of)
    }
}

/// The kind of object that an argument names.
fn noun_of(arg: &Arg) -> Option<&'static Noun> {
    match arg.kind {
        Kind::Id(noun) | Kind::Newest(noun) => Some(noun),
        Kind::Card | Kind::KeptCard | Kind::NewestCard => Some(&CARD),
        Kind::LookupKey => Some(&PRICE),
        Kind::Payment => Some(&PAYMENT),
        _ => None,
    }
}

/// The command that shows an object, where there is one for its kind.
fn shown_by(noun: &Noun, id: &str) -> Option<String> {
    let show = merchant_command::find(&noun.listed_by.replace(" list", " show"))?;
    let is_one = id.starts_with(noun.id.trim_end_matches('…'));
    is_one.then(|| format!("{} {id}", show.words))
}

/// The id at a pointer.
fn named(object: &Value, at: &str, what: &str) -> Result<String, Fault> {
    let found = object.pointer(at);
    let id = found.and_then(|it| it.as_str().or_else(|| it.get("id")?.as_str()));
    let none = || FaultKind::NotFound { what: what.to_owned() };
    Ok(id.ok_or_else(none)?.to_owned())
}

fn not_found(what: String, noun: &Noun) -> Fault {
    let fault: Fault = FaultKind::NotFound { what }.into();
    fault.followed_by((!noun.made_by.is_empty()).then(|| noun.made_by.to_owned()))
}
