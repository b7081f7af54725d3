//! `stripegym listen`: hears events, writes the ledger, says a line for each.

use crate::app::context::{Context, NoticeSink};
use crate::app::ledger_file::LedgerFile;
use crate::app::merchant_server::{ListenOptions, MerchantServer, delivery};
use crate::app::provider::Provider;
use crate::config::webhook_secrets_again;
use crate::domain::fault::Fault;
use crate::domain::mode::Mode;
use crate::domain::notice::{Delivery, DeliveryOutcome, Notice};
use crate::domain::report::{Listened, Report};
use crate::domain::secret::ApiKey;
use crate::domain::signature::TOLERANCE_S;
use crate::net::shutdown;
use crate::net::tasks::Tasks;
use crate::net::tls::Files;
use crate::shop::intake::{Intake, Secrets};
use crate::shop::listener_event::{EventSink, ListenerEvent};
use crate::shop::poll::Poller;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

/// How often the provider is asked for events where it cannot deliver them.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// How often it is looked whether the signing secrets were changed.
const ROLL_EVERY: Duration = Duration::from_secs(1);

/// How it was asked for.
#[derive(Clone, Debug, Default)]
pub struct ListenRun {
    /// The options.
    pub options: ListenOptions,
    /// What it proves itself with over TLS, where it is to speak that.
    pub tls: Option<Files>,
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
pub async fn run(context: &Context, asked: ListenRun) -> Result<Report, Fault> {
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, asked).await;
    provider.close().await;
    answer
}

async fn work(context: &Context, provider: &Provider, asked: ListenRun) -> Result<Report, Fault> {
    let file = LedgerFile::open(context).await?;
    let (options, tls) = (asked.options.clone(), asked.tls.as_ref());
    let mut server = MerchantServer::open_as(context, provider, &file, options, tls).await?;
    let (stop_polling, polling) = shutdown::pair();
    let rolling = polling.clone();
    let tasks = Tasks::default();
    let ready = if context.config.mode == Mode::Stripe {
        poll(context, provider, &file, &server, &tasks, polling);
        Ok(())
    } else {
        server.register_for_good(context, provider).await
    };
    roll(context, &server, &tasks, rolling);
    let heard = match ready {
        Ok(()) => {
            greet(context, &server, asked.print_secret);
            Ok(hear(context, &mut server, &asked, &tasks).await)
        }
        Err(fault) => Err(fault),
    };
    stop_polling.stop();
    server.close(context, provider).await;
    tasks.finish().await;
    Ok(Report::Listened(heard?))
}

/// Believes the secrets that `.env` names, from when it is changed on: one is added before it is rolled, and the old one
/// is taken out afterwards.
fn roll(context: &Context, server: &MerchantServer, tasks: &Tasks, mut stop: shutdown::Stop) {
    let secrets = server.running.secrets();
    let own = server.secret().cloned().filter(|_| server.endpoint().is_some());
    let live = context.config.key.as_ref().is_some_and(ApiKey::is_live);
    let mut known = context.config.webhook_secrets.clone();
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(ROLL_EVERY) => {}
            }
            let read =
                tokio::task::spawn_blocking(move || webhook_secrets_again(Path::new("."), live));
            // A file that is being written, or is wrong for now, changes nothing.
            let Ok(Some(named)) = read.await else { continue };
            if named != known {
                known.clone_from(&named);
                secrets.trust_only(named.into_iter().chain(own.clone()).collect());
            }
        }
    });
}

fn greet(context: &Context, server: &MerchantServer, print_secret: bool) {
    let url = server.running.webhook_url();
    context.notices.say(Notice::Listening { url, endpoint: server.endpoint() });
    if print_secret && let Some(secret) = server.secret() {
        context.notices.say(Notice::Secret { secret: secret.reveal().to_owned() });
    }
}

/// Reads the provider's events again and again: Stripe cannot reach this machine.
fn poll(
    context: &Context,
    provider: &Provider,
    file: &LedgerFile,
    server: &MerchantServer,
    tasks: &Tasks,
    stop: shutdown::Stop,
) {
    let key = context.config.key.as_ref().map_or_else(String::new, ApiKey::masked);
    let secrets = Secrets::new(Vec::new());
    let poller = Poller {
        stripe: provider.stripe.clone(),
        ledger: Arc::clone(&file.ledger),
        intake: Intake::new(secrets, TOLERANCE_S, context.clock.clone(), Arc::clone(&file.batch))
            .for_mode(context.config.key.as_ref().is_some_and(ApiKey::is_live)),
        cursor: format!("events of {key}"),
        sink: server.sink.clone(),
    };
    context.notices.say(Notice::Polling { base: provider.base().to_owned() });
    let notices = context.notices.clone();
    tasks.spawn(async move {
        let failed = |error: &crate::shop::poll::PollError| {
            notices.say(Notice::PollFailed { cause: error.to_string() });
        };
        poller.run(POLL_EVERY, stop, failed).await;
    });
}

/// Tells of what is heard. Whoever hears wakes it, so it runs among their tasks: a thread of its own would be woken for
/// each event.
async fn hear(
    context: &Context,
    server: &mut MerchantServer,
    asked: &ListenRun,
    tasks: &Tasks,
) -> Listened {
    let hearing = Hearing {
        seen: std::mem::replace(&mut server.seen, EventSink::channel().1),
        notices: context.notices.clone(),
        stop: context.stop.clone(),
        path: context.config.ledger_name().display().to_string(),
        asked: asked.clone(),
    };
    let (tell, told) = oneshot::channel();
    tasks.spawn(async move {
        // Where nobody waits for it any more, the command ended.
        tell.send(hearing.run().await).ok();
    });
    told.await.unwrap_or_default()
}

struct Hearing {
    seen: Receiver<ListenerEvent>,
    notices: NoticeSink,
    stop: shutdown::Stop,
    path: String,
    asked: ListenRun,
}

impl Hearing {
    async fn run(mut self) -> Listened {
        let mut listened = Listened::default();
        let lasting = self.asked.lasting;
        let deadline = async {
            match lasting {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        loop {
            let seen = tokio::select! {
                seen = self.seen.recv() => seen,
                () = &mut deadline => break,
                () = self.stop.wait() => {
                    listened.interrupted = true;
                    break;
                }
            };
            let Some(seen) = seen else { break };
            if let ListenerEvent::Ledger { trouble, .. } = seen {
                let path = self.path.clone();
                self.notices.say(match trouble {
                    Some(trouble) => Notice::LedgerState { path, trouble },
                    None => Notice::LedgerBack { path },
                });
            }
            let Some(delivery) = delivery(&seen) else { continue };
            count(&mut listened, &delivery);
            let wanted = delivery.kind.is_some() && delivery.kind == self.asked.until;
            self.notices.say(Notice::Delivered(delivery));
            if wanted || self.asked.count.is_some_and(|most| listened.deliveries >= most) {
                break;
            }
        }
        listened
    }
}

fn count(listened: &mut Listened, delivery: &Delivery) {
    listened.deliveries += 1;
    match delivery.outcome {
        DeliveryOutcome::Recorded { .. } | DeliveryOutcome::NotBooked { .. } => {
            listened.recorded += 1;
        }
        DeliveryOutcome::Duplicate => listened.duplicates += 1,
        DeliveryOutcome::Rejected { .. } => listened.rejected += 1,
    }
}
