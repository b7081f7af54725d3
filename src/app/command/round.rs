//! A lesson that opens with the whole loop: in one process, each step over HTTP as by hand.

use crate::app::checkout_browser::{Landing, Means, Typed};
use crate::app::context::Context;
use crate::app::course::app_env;
use crate::app::course::env_file;
use crate::app::course::{self, Beat, Manner, RunOptions};
use crate::app::ledger_file::{self, LedgerFile};
use crate::app::merchant_server::{ListenOptions, MerchantServer, delivery};
use crate::app::payment::{self, Item, Order};
use crate::app::provider::Provider;
use crate::app::reconcile_run;
use crate::content::Lesson;
use crate::domain::course::Track;
use crate::domain::currency::Currency;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::notice::{Delivery, Notice, Step};
use crate::domain::reconcile::reconcile;
use crate::domain::report::{Checkout, Day0, Ending, Reconciled, Report};
use crate::os::clock::Stopwatch;
use crate::store::Filter;
use crate::stripe::calls::Window;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const CARD: &str = "4242424242424242";
const WANTED: &str = "checkout.session.completed";
/// How long the event may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// Goes round once, and checks what the first day is about.
pub async fn run(context: &Context, id: &str, options: &RunOptions) -> Result<Report, Fault> {
    if options.print_env {
        app_env::print(context, &options.candidate).await?;
        return Ok(Report::Silent);
    }
    let lesson = course::lesson(context, id)?;
    if options.full || options.only == Some(Beat::Read) {
        course::open(context, &lesson, options);
    }
    if !options.needs_stage() {
        return Ok(Report::Silent);
    }
    if context.config.mode == Mode::Stripe {
        return Err(FaultKind::SandboxOnly { command: format!("stripegym {id}") }.into());
    }
    if let Some(project) = options.own_project() {
        env_file::make(context, &project)?;
    }
    let began = context.clock.stopwatch();
    let provider = Provider::connect(context).await?;
    let answer = if options.wants(Beat::Do) && options.candidate.track() == Track::Shop {
        say(context, Step::SandboxUp { base: provider.base().to_owned() });
        with_provider(context, &provider, &lesson, options, began).await
    } else {
        let played = course::play(context, &provider, &lesson, options).await;
        played.map(|day| Report::Day(Box::new(day)))
    };
    provider.close().await;
    answer
}

fn say(context: &Context, step: Step) {
    context.notices.say(Notice::Step(step));
}

async fn with_provider(
    context: &Context,
    provider: &Provider,
    lesson: &Lesson,
    options: &RunOptions,
    began: Stopwatch,
) -> Result<Report, Fault> {
    let file = LedgerFile::open(context).await?;
    let door =
        ListenOptions { port: context.config.port, or_next: true, ..ListenOptions::default() };
    let mut reception = MerchantServer::open(context, provider, &file, door).await?;
    let answer = go_round(context, provider, &file, &mut reception).await;
    reception.close(context, provider).await;
    let (checkout, event, reconciled) = answer?;
    drop(file);
    // The round was what the day does; its checks look at the same application started anew.
    let from = Some(options.from.unwrap_or(Beat::Check).max(Beat::Check));
    let checks = RunOptions { from, manner: Manner::Quiet, ..options.clone() };
    let course = course::play(context, provider, lesson, &checks).await?;
    let took_ms = began.ms();
    Ok(Report::Day0(Box::new(Day0 { checkout, event, reconciled, course, took_ms })))
}

async fn go_round(
    context: &Context,
    provider: &Provider,
    file: &LedgerFile,
    reception: &mut MerchantServer,
) -> Result<(Checkout, String, Reconciled), Fault> {
    let since = context.clock.now();
    reception.register(context, provider).await?;
    say(context, Step::ListenerUp { url: reception.running.webhook_url() });
    let checkout = pay(context, provider, &reception.running.url()).await?;
    let heard = hear(context, reception).await?;
    let event = heard.event.unwrap_or_default();
    say(
        context,
        Step::Heard { event: event.clone(), kind: WANTED.to_owned(), took_ms: heard.took_ms },
    );
    let filter = Filter { session: Some(checkout.session.clone()), ..Filter::default() };
    let ledger = Arc::clone(&file.ledger);
    let rows = ledger_file::apart(move || ledger.rows(&filter)).await;
    let rows = rows.map_err(|error| ledger_file::fault(context, &error))?;
    let row = rows.first().ok_or_else(|| FaultKind::NotFound { what: "ledger row".to_owned() })?;
    say(
        context,
        Step::Booked {
            session: row.record.session_id.clone(),
            status: row.record.status.name().to_owned(),
            total: row.record.amount,
        },
    );
    let window = Window { since: Some(since.plus(-1)), until: None };
    // This round's payment only: one that was interrupted a moment ago has left its own session.
    let mut theirs = reconcile_run::ask(context, &provider.stripe, window).await?.records();
    theirs.retain(|record| record.session_id == checkout.session);
    let result = reconcile(&rows.into_iter().map(|row| row.record).collect::<Vec<_>>(), &theirs);
    let differing = result.differences().count();
    say(context, Step::Reconciled { matching: result.rows.len() - differing, differing });
    let place = context.place(Some(provider.base()));
    Ok((checkout, event, Reconciled { place, result, fixed: None }))
}

async fn pay(context: &Context, provider: &Provider, shop: &str) -> Result<Checkout, Fault> {
    let total = Money::new(500, Currency::JPY);
    let order = Order {
        item: Item::Inline { amount: total, name: "Tea".to_owned() },
        quantity: 1,
        metadata: Vec::new(),
        email: None,
        success_url: format!("{shop}/success?session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: format!("{shop}/cancel"),
    };
    let session = payment::create(&provider.stripe, &order).await?;
    let text =
        |name: &str| session.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    say(context, Step::Created { session: text("id"), total, url: text("url") });
    let means = Means::Card(CARD.to_owned());
    let typed = Typed::with_email("customer@example.com");
    let landing = payment::pay(&session, &means, &typed, context.config.locale).await?;
    let landed = match landing {
        Landing::Shop(url) => url,
        Landing::Stayed => String::new(),
        Landing::Refused(what) => return Err(FaultKind::Page { url: text("url"), what }.into()),
    };
    let session = provider.stripe.session(&text("id")).await?;
    let place = context.place(Some(provider.base()));
    let ending = payment::ending(&session).unwrap_or(Ending::Declined);
    let checkout = payment::report(&session, place, ending)?;
    let last4 = CARD.get(12..).unwrap_or_default().to_owned();
    let payment_intent = checkout.payment_intent.clone();
    say(context, Step::Paid { last4, payment_intent, landed });
    Ok(checkout)
}

/// Waits for the event that says so.
async fn hear(context: &Context, reception: &mut MerchantServer) -> Result<Delivery, Fault> {
    let mut stop = context.stop.clone();
    let late = || FaultKind::TimedOut { what: WANTED.to_owned(), seconds: PATIENCE.as_secs() };
    let deadline = tokio::time::sleep(PATIENCE);
    tokio::pin!(deadline);
    loop {
        let seen = tokio::select! {
            seen = reception.seen.recv() => seen,
            () = &mut deadline => return Err(late().into()),
            () = stop.wait() => return Err(FaultKind::Interrupted.into()),
        };
        let Some(seen) = seen else { return Err(late().into()) };
        if let Some(delivery) = delivery(&seen).filter(|it| it.kind.as_deref() == Some(WANTED)) {
            return Ok(delivery);
        }
    }
}
