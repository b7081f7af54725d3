//! `stripegym catch-up`: brings the ledger what happened while nobody listened, oldest first and a stretch at a time, so
//! that it can be stopped and goes on where it was. What is read twice counts once. What each charge, refund and payout
//! moved on the balance, and what was kept of it, no event tells: the balance's own list does.

use crate::app::context::Context;
use crate::app::creem::{self, Connected};
use crate::app::ledger_file::{self, LedgerFile};
use crate::app::provider::Provider;
use crate::domain::book::creem as book_of_creem;
use crate::domain::book::home::is_sure;
use crate::domain::book::line::{Apart, Line, Source};
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::notice::Notice;
use crate::domain::report::{CaughtUp, Report};
use crate::domain::secret::ApiKey;
use crate::domain::time::Timestamp;
use crate::shop::intake::IntakeError;
use crate::shop::listener_event::EventSink;
use crate::shop::poll::PollError;
use crate::store::writer::Write;
use crate::stripe::Stripe;
use crate::stripe::calls::Window;
use serde_json::{Value, json};

/// How long the provider keeps events.
const KEPT_S: i64 = 30 * 86_400;

/// What is read before it is noted how far it came.
const STRETCH_S: i64 = 86_400;

/// An event may become visible later than a younger one; so much is read again the next time.
const OVERLAP_S: i64 = 120;

/// The list of what moved the balance.
const BALANCE: &str = "/v1/balance_transactions";

/// The list of what was paid at Creem.
const TRANSACTIONS: &str = "/v1/transactions/search";

/// What a charge moved may be known so much later than the charge.
const SETTLED_LATE_S: i64 = 3_600;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CatchUpOptions {
    /// From when on, where it is not where it stood.
    pub since: Option<Timestamp>,
    /// Whether only what could not be delivered is read.
    pub undelivered: bool,
}

/// Lists that tell what happened before the provider's events begin, and what of them is expanded.
const LISTS: [(&str, &str); 7] = [
    ("/v1/checkout/sessions", ""),
    ("/v1/payment_intents", "data.latest_charge.balance_transaction"),
    ("/v1/charges", "data.balance_transaction"),
    ("/v1/refunds", "data.balance_transaction"),
    ("/v1/disputes", ""),
    ("/v1/payouts", ""),
    (BALANCE, ""),
];

/// Reads what is new since the last time.
pub async fn run(context: &Context, options: CatchUpOptions) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, options).await;
    provider.close().await;
    answer
}

/// Where what is read goes.
struct Desk<'c> {
    context: &'c Context,
    stripe: &'c Stripe,
    file: LedgerFile,
    cursor: String,
    live: bool,
    undelivered: bool,
    done: CaughtUp,
}

async fn work(
    context: &Context,
    provider: &Provider,
    options: CatchUpOptions,
) -> Result<Report, Fault> {
    let file = LedgerFile::open(context).await?;
    let key = context.config.key.as_ref();
    let cursor = format!("catch-up of {}", key.map_or_else(String::new, ApiKey::masked));
    let (ledger, name) = (std::sync::Arc::clone(&file.ledger), cursor.clone());
    let known = ledger_file::apart(move || ledger.cursor(&name)).await;
    let known = known.map_err(|error| ledger_file::fault(context, &error))?;
    let now = context.clock.now();
    let oldest = now.plus(-KEPT_S);
    let from = options.since.or(known).unwrap_or(oldest);
    let place = context.place(Some(provider.base()));
    let done = CaughtUp { place, from, to: now, events: 0, objects: 0, fresh: 0, unreadable: 0 };
    let live = key.is_some_and(ApiKey::is_live);
    let (stripe, undelivered) = (&provider.stripe, options.undelivered);
    let mut desk = Desk { context, stripe, file, cursor, live, undelivered, done };
    let mut at = from;
    while at < now {
        let beyond = at < oldest;
        let end = at.plus(STRETCH_S).min(now).min(if beyond { oldest } else { now });
        // The end itself belongs to the next stretch. The last one has none: the provider's clock may go before ours.
        let until = Some(end).filter(|_| end < now);
        let window = Window { since: Some(at), until };
        if beyond {
            desk.objects(window).await?;
        } else {
            desk.events(window).await?;
            let since = Some(at.plus(-SETTLED_LATE_S));
            desk.list(BALANCE, desk.of_balance(), Window { since, ..window }).await?;
        }
        at = end;
        desk.reached(at).await?;
    }
    if let Some(creem) = creem::connect(context, provider).await? {
        desk.of_creem(&creem, from).await?;
    }
    Ok(Report::CaughtUp(desk.done))
}

impl Desk<'_> {
    async fn events(&mut self, window: Window) -> Result<(), Fault> {
        let mut params = window.params();
        if self.undelivered {
            params.insert("delivery_success".to_owned(), json!(false));
        }
        let stripe = self.stripe;
        let mut walk = stripe.walk("/v1/events", &Value::Object(params));
        while let Some(page) = walk.next_page().await? {
            let mut lines = Vec::with_capacity(page.len());
            for event in &page {
                self.done.events += 1;
                let Ok(event) = Event::fetched(event) else {
                    // One entry that is no event must not hold up the rest.
                    self.done.unreadable += 1;
                    continue;
                };
                let livemode = Some(event.livemode);
                let line = Line::event(event, self.context.clock.now(), Source::Poll);
                lines.push(self.line(line, livemode));
            }
            self.write(lines).await?;
        }
        Ok(())
    }

    async fn objects(&mut self, window: Window) -> Result<(), Fault> {
        for (path, expand) in LISTS {
            let expand = if path == BALANCE { self.of_balance() } else { expand };
            self.list(path, expand, window).await?;
        }
        Ok(())
    }

    /// What of balance transactions is expanded: where each has to find its server, what it is of.
    fn of_balance(&self) -> &'static str {
        if self.file.ledger.is_divided() { "data.source" } else { "" }
    }

    async fn list(&mut self, path: &str, expand: &str, window: Window) -> Result<(), Fault> {
        let mut params = window.params();
        if !expand.is_empty() {
            params.insert("expand".to_owned(), json!([expand]));
        }
        let stripe = self.stripe;
        let mut walk = stripe.walk(path, &Value::Object(params));
        while let Some(page) = walk.next_page().await? {
            self.done.objects += page.len();
            let now = self.context.clock.now();
            let line = |object: &Value| {
                let created = object.get("created").and_then(Value::as_i64);
                let at = created.map_or(now, Timestamp);
                let livemode = object.get("livemode").and_then(Value::as_bool);
                self.line(Line::fetched(object, at, now, Source::Seen), livemode)
            };
            let mut lines: Vec<Line> = page.iter().map(line).collect();
            if self.file.ledger.is_divided() {
                lines.retain(is_sure);
                self.done.unreadable += page.len() - lines.len();
            }
            self.write(lines).await?;
        }
        Ok(())
    }

    /// What Creem keeps for this folder, where it does not deliver, and its transactions since `from`: it lists no events.
    async fn of_creem(&mut self, creem: &Connected, from: Timestamp) -> Result<(), Fault> {
        if !creem.delivers {
            let poller = creem.poller(self.context, &self.file, EventSink::channel().0).await?;
            let round = poller.once().await.map_err(|error| self.poll_failed(error))?;
            self.done.events += round.read;
            self.done.fresh += round.fresh;
            self.done.unreadable += round.unreadable;
        }
        let mut page = Some(1).filter(|_| !self.undelivered);
        while let Some(number) = page {
            let (some, next) = creem.api.page(TRANSACTIONS, number).await?;
            let now = self.context.clock.now();
            let is_new = |it: &&Value| book_of_creem::made(it).is_none_or(|at| at >= from);
            let line = |it: &Value| {
                let line = Line::fetched_of_creem(it, now, Source::Seen);
                let livemode = Some(line.livemode);
                self.line(line, livemode)
            };
            let lines: Vec<Line> = some.iter().filter(is_new).map(line).collect();
            self.done.objects += lines.len();
            self.write(lines).await?;
            page = next;
        }
        Ok(())
    }

    fn poll_failed(&self, error: PollError) -> Fault {
        match error {
            PollError::Provider(error) => error.into(),
            PollError::Store(error) | PollError::Intake(IntakeError::Store(error, _)) => {
                ledger_file::fault(self.context, &error)
            }
            PollError::Intake(error) => ledger_file::busy(self.context, error),
        }
    }

    /// The line, kept apart where it is of the other mode; what does not say its mode is of the key's.
    fn line(&self, line: Line, livemode: Option<bool>) -> Line {
        if livemode.is_some_and(|live| live != self.live) {
            return line.apart(Apart::OtherMode);
        }
        Line { livemode: self.live, ..line }
    }

    /// Makes a page durable at once.
    async fn write(&mut self, lines: Vec<Line>) -> Result<(), Fault> {
        let mut tickets = Vec::with_capacity(lines.len());
        for line in lines {
            let ticket = self.file.batch.submit(Write::line(line));
            tickets.push(ticket.map_err(|full| ledger_file::busy(self.context, full))?);
        }
        for ticket in tickets {
            let accepted =
                ticket.await.map_err(|error| ledger_file::fault(self.context, &error))?;
            self.done.fresh += usize::from(accepted.fresh);
        }
        Ok(())
    }

    /// Notes that everything before `at` is durable.
    async fn reached(&self, at: Timestamp) -> Result<(), Fault> {
        let (read, fresh) = (self.done.events + self.done.objects, self.done.fresh);
        self.context.notices.say(Notice::CatchingUp { until: at, read, fresh });
        let cursor = Write::Cursor(self.cursor.clone(), at.plus(-OVERLAP_S));
        let ticket = self.file.batch.submit(cursor);
        let ticket = ticket.map_err(|full| ledger_file::busy(self.context, full))?;
        ticket.await.map_err(|error| ledger_file::fault(self.context, &error))?;
        Ok(())
    }
}
