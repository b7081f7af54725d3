//! `stripegym listen`: hears events, writes the ledger, says a line for each.

use crate::app::context::Context;
use crate::app::ledger_file::LedgerFile;
use crate::app::provider::Provider;
use crate::app::reception::{Door, Reception, delivery};
use crate::domain::fault::Fault;
use crate::domain::mode::Mode;
use crate::domain::notice::{Delivery, Notice, Outcome};
use crate::domain::report::{Listened, Report};
use crate::domain::secret::ApiKey;
use crate::domain::signature::TOLERANCE_S;
use crate::net::shutdown;
use crate::net::tasks::Tasks;
use crate::shop::intake::{Intake, Secrets};
use crate::shop::poll::Poller;
use crate::shop::seen::Seen;
use std::sync::Arc;
use std::time::Duration;

/// How often the provider is asked for events where it cannot deliver them.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// How it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The door.
    pub door: Door,
    /// How long it listens; for ever where nobody says.
    pub lasting: Option<Duration>,
    /// The type of event after which it ends.
    pub until: Option<String>,
    /// The number of deliveries after which it ends.
    pub count: Option<u64>,
    /// Whether the signing secret is shown.
    pub print_secret: bool,
}

/// Listens until its time, count or type has come, or it is stopped.
pub async fn run(context: &Context, wish: Wish) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, wish).await;
    provider.close().await;
    answer
}

async fn work(context: &Context, provider: &Provider, wish: Wish) -> Result<Report, Fault> {
    let file = LedgerFile::open(context).await?;
    let mut reception = Reception::open(context, provider, &file, wish.door.clone()).await?;
    let (stop_polling, polling) = shutdown::pair();
    let tasks = Tasks::default();
    let ready = if context.config.mode == Mode::Stripe {
        poll(context, provider, &file, &reception, &tasks, polling);
        Ok(())
    } else {
        reception.register(provider).await
    };
    let heard = match ready {
        Ok(()) => {
            greet(context, &reception, wish.print_secret);
            Ok(hear(context, &mut reception, &wish).await)
        }
        Err(fault) => Err(fault),
    };
    stop_polling.stop();
    reception.close(context, provider).await;
    tasks.finish().await;
    Ok(Report::Listened(heard?))
}

fn greet(context: &Context, reception: &Reception, print_secret: bool) {
    let url = reception.running.webhook_url();
    context.voice.say(Notice::Listening { url, endpoint: reception.endpoint() });
    if print_secret && let Some(secret) = reception.secret() {
        context.voice.say(Notice::Secret { secret: secret.reveal().to_owned() });
    }
}

/// Reads the provider's events again and again: Stripe cannot reach this machine.
fn poll(
    context: &Context,
    provider: &Provider,
    file: &LedgerFile,
    reception: &Reception,
    tasks: &Tasks,
    stop: shutdown::Stop,
) {
    let key = context.config.key.as_ref().map_or_else(String::new, ApiKey::masked);
    let secrets = Secrets::new(Vec::new());
    let poller = Poller {
        stripe: provider.stripe.clone(),
        ledger: Arc::clone(&file.ledger),
        intake: Intake::new(secrets, TOLERANCE_S, context.clock.clone(), Arc::clone(&file.batch)),
        cursor: format!("events of {key}"),
        sights: reception.sights.clone(),
    };
    context.voice.say(Notice::Polling { base: provider.base().to_owned() });
    let voice = context.voice.clone();
    tasks.spawn(async move {
        let failed = |error: &crate::shop::poll::PollError| {
            voice.say(Notice::PollFailed { cause: error.to_string() });
        };
        poller.run(POLL_EVERY, stop, failed).await;
    });
}

async fn hear(context: &Context, reception: &mut Reception, wish: &Wish) -> Listened {
    let mut listened = Listened::default();
    let mut stop = context.stop.clone();
    let deadline = async {
        match wish.lasting {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(deadline);
    loop {
        let seen = tokio::select! {
            seen = reception.seen.recv() => seen,
            () = &mut deadline => break,
            () = stop.wait() => {
                listened.interrupted = true;
                break;
            }
        };
        let Some(seen) = seen else { break };
        if let Seen::Ledger { trouble, .. } = seen {
            let path = context.config.ledger_path().display().to_string();
            context.voice.say(match trouble {
                Some(trouble) => Notice::LedgerTrouble { path, trouble },
                None => Notice::LedgerBack { path },
            });
        }
        let Some(delivery) = delivery(&seen) else { continue };
        count(&mut listened, &delivery);
        let wanted = delivery.kind.is_some() && delivery.kind == wish.until;
        context.voice.say(Notice::Delivered(delivery));
        if wanted || wish.count.is_some_and(|most| listened.deliveries >= most) {
            break;
        }
    }
    listened
}

fn count(listened: &mut Listened, delivery: &Delivery) {
    listened.deliveries += 1;
    match delivery.outcome {
        Outcome::Recorded { .. } | Outcome::NotBooked { .. } => listened.recorded += 1,
        Outcome::Duplicate => listened.duplicates += 1,
        Outcome::Rejected { .. } => listened.rejected += 1,
    }
}
