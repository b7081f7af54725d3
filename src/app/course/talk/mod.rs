//! A day as a conversation: the sandbox and the listener that it hosts, and what is seen of them. Whoever speaks
//! with the learner asks here what happened; nothing here speaks.

pub mod exercise;
pub mod turn;

pub use crate::content::steps::{StepText, StepTexts};

use crate::app::compare::run::{self as compare, Plan};
use crate::app::compare::source::Source;
use crate::app::context::Context;
use crate::app::course::{self, Beat, Manner, RunOptions, record};
use crate::app::ledger_file::{self, LedgerFile};
use crate::app::merchant_server::{ListenOptions, MerchantServer, Registered};
use crate::app::provider::Provider;
use crate::app::remote::Remote;
use crate::content::track::{self, Language};
use crate::content::{Lesson, explain};
use crate::domain::course::outcome::DayResult;
use crate::domain::course::talk::{AttemptSeen, Seen, SessionSeen, Taken, Talk};
use crate::domain::fault::Fault;
use crate::domain::locale::Locale;
use crate::domain::member;
use crate::domain::peek::Peek as _;
use crate::domain::reconcile::judge::Rules;
use crate::shop::listener_event::ListenerEvent;
use crate::store::Filter;
use crate::store::compared::Span;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// Sessions and deliveries that are looked at: a day has far fewer of its own.
const LOOKED_AT: u32 = 40;

/// A day with its steps and everything that is said of them.
#[derive(Clone, Debug)]
pub struct Script {
    /// The lesson.
    pub lesson: Lesson,
    /// Its steps.
    pub talk: Talk,
    /// What is said of them.
    pub texts: StepTexts,
}

/// The script of a lesson; `None` for one that is no conversation.
pub fn script(context: &Context, id: &str) -> Result<Option<Script>, Fault> {
    let lesson = course::lesson(context, id)?;
    let talk = course::library().talk(id, context.config.locale);
    let talk = talk.map_err(|it| course::of_lesson(&it))?;
    Ok(talk.map(|(talk, texts)| Script { lesson, talk, texts }))
}

/// The listener of a day.
enum Listener {
    Up(Box<MerchantServer>),
    Down(Registered),
}

/// The sandbox and the listener that a day hosts.
pub struct Room<'c> {
    context: &'c Context,
    provider: Provider,
    file: LedgerFile,
    listener: Option<Listener>,
    seen: Seen,
    mark: Value,
}

impl<'c> Room<'c> {
    /// Hosts the sandbox, where nobody else does, and opens the listener.
    pub async fn open(context: &'c Context) -> Result<Self, Fault> {
        let provider = Provider::connect(context).await?;
        let file = LedgerFile::open(context).await?;
        let mut room = Self {
            context,
            provider,
            file,
            listener: None,
            seen: Seen::default(),
            mark: Value::Null,
        };
        match room.open_listener().await {
            Ok(()) => Ok(room),
            Err(fault) => {
                room.close().await;
                Err(fault)
            }
        }
    }

    async fn open_listener(&mut self) -> Result<(), Fault> {
        let port = self.context.config.port;
        let options = ListenOptions { port, or_next: true, ..ListenOptions::default() };
        let open = MerchantServer::open(self.context, &self.provider, &self.file, options);
        let mut server = open.await?;
        let registered = server.register(self.context, &self.provider).await;
        self.listener = Some(Listener::Up(Box::new(server)));
        registered
    }

    /// Ends what the day hosts.
    pub async fn close(mut self) {
        self.close_listener().await;
        self.provider.close().await;
    }

    async fn close_listener(&mut self) {
        let server = match self.listener.take() {
            Some(Listener::Up(server)) => Some(*server),
            Some(Listener::Down(was)) => {
                let again =
                    MerchantServer::listen_again(self.context, &self.provider, &self.file, &was);
                again.await.ok()
            }
            None => None,
        };
        if let Some(server) = server {
            server.close(self.context, &self.provider).await;
        }
    }

    /// Where the listener is.
    pub fn listener_url(&self) -> String {
        match &self.listener {
            Some(Listener::Up(server)) => server.running.webhook_url(),
            Some(Listener::Down(was)) => format!("http://127.0.0.1:{}/webhook", was.port),
            None => String::new(),
        }
    }

    /// Takes the listener down; deliveries find nobody.
    pub async fn stop(&mut self) {
        self.drain();
        self.listener = match self.listener.take() {
            Some(Listener::Up(server)) => Some(Listener::Down(server.stop_listening().await)),
            other => other,
        };
    }

    /// Brings the listener up again.
    pub async fn start(&mut self) -> Result<(), Fault> {
        let Some(Listener::Down(was)) = &self.listener else { return Ok(()) };
        let again = MerchantServer::listen_again(self.context, &self.provider, &self.file, was);
        let server = again.await?;
        self.listener = Some(Listener::Up(Box::new(server)));
        Ok(())
    }

    /// Notes what was typed here.
    pub fn note_typed(&mut self, line: &str) {
        self.seen.typed.push(line.to_owned());
    }

    /// Notes whether the step's question is answered.
    pub const fn note_answered(&mut self, answered: bool) {
        self.seen.answered = answered;
    }

    /// What the listener has done since it was last asked.
    fn drain(&mut self) {
        let Some(Listener::Up(server)) = &mut self.listener else { return };
        while let Ok(event) = server.seen.try_recv() {
            match event {
                ListenerEvent::Accepted { event, kind, fresh, .. } => {
                    self.seen.taken.push(Taken { event, kind, again: !fresh });
                }
                ListenerEvent::Rejected { cause, .. } => self.seen.refused.push(cause.to_owned()),
                _ => {}
            }
        }
    }

    /// Everything that there is to see now. Whether ledger and provider agree is looked at only where that is asked.
    pub async fn look(&mut self, compare: bool) -> Result<Seen, Fault> {
        self.drain();
        let remote = Remote::connect(self.context, "stripegym").await?;
        let get = |path: String| {
            let remote = &remote;
            async move { remote.in_world(Method::GET, &path, &Value::Null).await }
        };
        let status = get("status".to_owned()).await?;
        let now = status.get("now").and_then(Value::as_i64);
        self.seen.now = now.unwrap_or(self.context.clock.now().0);
        let deliveries = get(format!("deliveries?limit={LOOKED_AT}")).await?;
        // Reading sessions leaves a line in the log of requests: it is done where something happened.
        let posted = get("requests?method=POST&limit=1".to_owned()).await?;
        let mark = json!([deliveries, posted.get("last")]);
        if mark != self.mark {
            self.seen.attempts = attempts(&deliveries);
            self.seen.sessions = self.sessions().await?;
            self.mark = mark;
        }
        self.seen.rows = self.rows().await?;
        self.seen.listening = matches!(self.listener, Some(Listener::Up(_)));
        self.seen.agrees = if compare { Some(self.agrees().await?) } else { None };
        Ok(self.seen.clone())
    }

    async fn sessions(&self) -> Result<Vec<SessionSeen>, Fault> {
        let params = json!({ "limit": LOOKED_AT });
        let list = self.provider.stripe.get("/v1/checkout/sessions", &params).await?;
        Ok(list.items("data").iter().map(session).collect())
    }

    async fn rows(&self) -> Result<Vec<(String, String)>, Fault> {
        let ledger = Arc::clone(&self.file.ledger);
        let filter = Filter { limit: Some(LOOKED_AT), ..Filter::default() };
        let rows = ledger_file::apart(move || ledger.rows(&filter)).await;
        let rows = rows.map_err(|error| ledger_file::fault(self.context, &error))?;
        let row = |row: crate::domain::report::LedgerRow| {
            (row.record.session_id.clone(), row.record.status.name().to_owned())
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Whether `reconcile` would find nothing: the same comparison, so that no payment agrees there and not here.
    async fn agrees(&self) -> Result<bool, Fault> {
        let plan = Plan {
            sources: [Source::Ledger, Source::Provider],
            maps: Default::default(),
            span: Span::default(),
            rules: Rules { now: self.context.clock.now(), ..Rules::default() },
            only_differences: true,
            brief: true,
            about: None,
            incremental: false,
            in_process: false,
            creem: None,
        };
        let (ledger, stripe) = (&self.file.ledger, &self.provider.stripe);
        let compared = compare::run(self.context, plan, Some(ledger), Some(stripe)).await?;
        Ok(compared.summary.is_clean())
    }

    /// What was seen when it was last looked.
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The newest event that was delivered to the listener; the type decides where there are several.
    pub fn newest_event(&self, kind: Option<&str>) -> Option<(String, String)> {
        let of = |it: &&AttemptSeen| kind.is_none_or(|kind| it.kind == kind);
        let delivered = self.seen.attempts.iter().filter(of);
        let sought = delivered.map(|it| (it.event.clone(), it.kind.clone())).next();
        sought.or_else(|| {
            let taken = self.seen.taken.iter().rev();
            taken.map(|it| (it.event.clone(), it.kind.clone())).next()
        })
    }

    /// An event as the API has it.
    pub async fn event(&self, id: &str) -> Result<Value, Fault> {
        Ok(self.provider.stripe.event(id).await?)
    }

    /// A session as the API has it.
    pub async fn session(&self, id: &str) -> Result<Value, Fault> {
        Ok(self.provider.stripe.session(id).await?)
    }

    /// Puts the checks of the day before the built-in shop, with the listener of the conversation out of the way.
    pub async fn prove(&mut self, lesson: &Lesson) -> Result<DayResult, Fault> {
        self.close_listener().await;
        let run =
            RunOptions { from: Some(Beat::Check), manner: Manner::Quiet, ..RunOptions::default() };
        let quiet = self.context.quietly();
        let played = Box::pin(course::play(&quiet, &self.provider, lesson, &run)).await;
        let opened = self.open_listener().await;
        let result = played?;
        opened?;
        Ok(result)
    }
}

/// How the course's own shop in Python is installed and started, in a folder of the learner's.
pub fn own_shop() -> [String; 2] {
    let install = track::install(Language::Python).ok().flatten();
    [install, track::start(Language::Python).ok()].map(Option::unwrap_or_default)
}

/// What an error code of the API means, in the learner's language.
pub fn of_code(code: &str, locale: Locale) -> Option<String> {
    let all = explain::all().ok()?;
    all.into_iter().find(|it| it.fits(code, true)).map(|it| it.text(locale).to_owned())
}

/// The attempts of deliveries, the newest first.
fn attempts(list: &Value) -> Vec<AttemptSeen> {
    let mut found = Vec::new();
    for delivery in list.items("data") {
        for attempt in delivery.items("attempts").iter().rev() {
            let status = attempt.get("status").and_then(Value::as_u64);
            found.push(AttemptSeen {
                event: member::string(delivery, "event"),
                kind: member::string(delivery, "type"),
                at: attempt.get("at").and_then(Value::as_i64).unwrap_or_default(),
                status: status.and_then(|status| u16::try_from(status).ok()),
                next: attempt.get("next_due").and_then(Value::as_i64),
            });
        }
    }
    found
}

fn session(value: &Value) -> SessionSeen {
    let payment = value.get("payment_intent");
    let payment = payment.and_then(|it| it.as_str().or_else(|| it.get("id")?.as_str()));
    SessionSeen {
        id: member::string(value, "id"),
        amount: value.get("amount_total").and_then(Value::as_i64).unwrap_or_default(),
        currency: member::string(value, "currency"),
        status: member::string(value, "status"),
        payment_status: member::string(value, "payment_status"),
        payment: payment.map(str::to_owned),
    }
}

/// Everything of a day that is not done by hand yet counts as shown: nobody was asked to do it.
pub fn note_shown(context: &Context, id: &str) -> Result<(), Fault> {
    let Some((talk, _)) =
        course::library().talk(id, context.config.locale).map_err(|it| course::of_lesson(&it))?
    else {
        return Ok(());
    };
    let steps: Vec<String> = talk.steps.into_iter().map(|step| step.id).collect();
    let mut file = record::open(context)?;
    let noted = file.note_shown(id, &steps, context.clock.unmoved());
    noted.map_err(|error| record::fault(context, &error))
}
