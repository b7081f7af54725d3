//! A sandbox for unit tests: a state that handlers and jobs are run on directly, without a server.

use crate::catalog::Catalog;
use crate::domain::time::Timestamp;
use crate::net::outbound::Beyond;
use crate::os::entropy::Entropy;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::creem::BEHAVIOUR;
use crate::sandbox::engine::state::{DEFAULT_WORLD, Scope, State};
use crate::sandbox::engine::txn::{Origin, Site, Txn, View};
use crate::sandbox::jobs::run_some;
use crate::sandbox::registry;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// A state, a clock that stands still, and what a transaction needs besides.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    /// The account that calls are for, as `Stripe-Account` says; the platform where it is empty.
    account: String,
    entropy: Entropy,
    site: Site,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            state: State::default(),
            now: Timestamp(1_795_000_000),
            account: String::new(),
            entropy: Entropy::seeded(1),
            site: Site {
                base_url: "http://127.0.0.1:12111".to_owned(),
                api_version: "2026-10-28.endive".to_owned(),
                beyond: Beyond::Nobody,
                behaviour: BEHAVIOUR,
            },
        }
    }

    /// What there is.
    pub(crate) fn view(&self) -> View {
        View::new(self.state.clone(), Scope::platform(DEFAULT_WORLD))
    }

    /// Runs a change as the engine does: a failure undoes it unless it keeps its changes.
    pub(crate) fn change<R>(
        &mut self,
        run: impl FnOnce(&mut Txn<'_>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let origin = Origin::default();
        let mut txn = Txn::begin(self.view(), self.now, &self.entropy, &self.site, origin);
        let result = run(&mut txn);
        if result.as_ref().err().is_none_or(|failure| failure.keeps_changes) {
            self.state = txn.finish().0;
        }
        result
    }

    /// Looks at what there is, as a retrieval does.
    pub(crate) fn look<R>(&self, run: impl FnOnce(&Txn<'_>) -> R) -> R {
        let origin = Origin::default();
        run(&Txn::begin(self.view(), self.now, &self.entropy, &self.site, origin))
    }

    /// Runs a change that cannot fail, at an instant.
    pub(crate) fn at<R>(&mut self, now: i64, run: impl FnOnce(&mut Txn<'_>) -> R) -> R {
        self.now = Timestamp(now);
        self.change(|txn| Ok(run(txn))).unwrap()
    }

    /// Calls an endpoint with checked parameters; every answer must have the API's shape.
    pub(crate) fn call(&mut self, endpoint: &str, params: Value) -> Result<Value, Failure> {
        let answer = self.ask(endpoint, params)?;
        let found = Catalog::get().check(&answer);
        assert!(found.is_empty(), "{endpoint}: {found:#?}");
        Ok(answer)
    }

    /// [`Lab::call`] without a look at the answer's shape, for those who call many thousand times.
    pub(crate) fn ask(&mut self, endpoint: &str, params: Value) -> Result<Value, Failure> {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let crate::catalog::route::Routed::Found(found) = Catalog::get().route(method, path) else {
            panic!("no endpoint {endpoint}");
        };
        let key = found.endpoint.key().to_owned();
        let ids = (0..found.ids.len()).map(|at| found.id(at).to_owned()).collect();
        let answerer = registry::find(found.endpoint);
        let Value::Object(params) = params else { panic!("parameters are a hash") };
        let version = Version { text: "2026-10-28.endive".to_owned(), named: true };
        let call = Call { key, ids, params, version };
        let account = self.account.clone();
        let run = |txn: &mut Txn<'_>| txn.in_account(&account, |txn| answerer.answer(txn, &call));
        Ok(self.change(run)?.into_document())
    }

    /// Does something for a connected account.
    pub(crate) fn within<R>(&mut self, account: &str, run: impl FnOnce(&mut Self) -> R) -> R {
        let own = std::mem::replace(&mut self.account, account.to_owned());
        let result = run(self);
        self.account = own;
        result
    }

    /// [`Lab::call`] that must succeed.
    pub(crate) fn ok(&mut self, endpoint: &str, params: Value) -> Value {
        self.call(endpoint, params).unwrap_or_else(|f| panic!("{endpoint}: {f:?}"))
    }

    /// Runs every job that comes due within so many seconds, each at its own instant, and moves the clock.
    pub(crate) fn advance(&mut self, seconds: i64) {
        let until = self.now.plus(seconds);
        let own = self.view().scope().clone();
        let connected: Vec<_> = self.view().newest("account").collect();
        let connected = connected.iter().filter_map(|it| it.get("id")?.as_str());
        let accounts: Vec<Scope> =
            std::iter::once(own.clone()).chain(connected.map(|id| own.at(id))).collect();
        while self.change(|txn| Ok(run_some(txn, &accounts, until))).unwrap().is_some() {}
        self.now = until;
    }

    /// The types of every event so far, oldest first; each event must have the API's shape.
    pub(crate) fn events(&self) -> Vec<String> {
        let mut types: Vec<String> = self
            .view()
            .newest("event")
            .map(|event| {
                let found = Catalog::get().check(&event);
                assert!(found.is_empty(), "{}: {found:#?}", event["type"]);
                event["type"].as_str().unwrap().to_owned()
            })
            .collect();
        types.reverse();
        types
    }

    /// The stored object of a kind and id.
    pub(crate) fn get(&self, kind: &str, id: &str) -> Value {
        self.view().get(kind, id).map_or(json!(null), |doc| doc.document())
    }
}
