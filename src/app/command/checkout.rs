//! `stripegym checkout`: a session, its page, and the wait for the money.

use crate::app::checkout_browser::{Landing, Means, Typed};
use crate::app::context::Context;
use crate::app::payment::{self, Order};
use crate::app::provider::Provider;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::notice::Notice;
use crate::domain::report::{Checkout, Ending, Report};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often the provider is asked whether the session is paid.
const ASK_EVERY: Duration = Duration::from_millis(700);
/// The address that is typed into the page where the order has none.
const EMAIL: &str = "customer@example.com";

/// What happens once the session exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it is printed.
    End,
    /// A person pays it; `open` says whether a browser is opened for them.
    Wait {
        /// Whether a browser is opened.
        open: bool,
    },
    /// It is paid in a person's place.
    Pay(Means),
}

/// Creates the order's session and does what comes then.
pub async fn run(context: &Context, order: &Order, then: &Then) -> Result<Report, Fault> {
    if matches!(then, Then::Pay(_)) && context.config.mode == Mode::Stripe {
        return Err(
            FaultKind::SandboxOnly { command: "stripegym checkout --pay".to_owned() }.into()
        );
    }
    let provider = Provider::connect(context).await?;
    let answer = work(context, &provider, order, then).await;
    let page_stays = provider.stays();
    provider.close().await;
    Ok(Report::Checkout(Checkout { page_stays, ..answer? }))
}

/// Pays (or leaves) the page of a session that exists, in a person's place.
pub async fn pay(context: &Context, session: &str, means: &Means) -> Result<Report, Fault> {
    if context.config.mode == Mode::Stripe {
        return Err(FaultKind::SandboxOnly { command: "stripegym pay".to_owned() }.into());
    }
    let provider = Provider::connect(context).await?;
    let answer = async {
        let found = provider.stripe.session(session).await;
        let session = found.map_err(|error| {
            let anew = error.is_missing().then(|| "checkout --no-wait".to_owned());
            Fault::from(error).followed_by(anew)
        })?;
        settle(context, &provider, &session, (means, EMAIL)).await
    };
    let answer = answer.await;
    let page_stays = provider.stays();
    provider.close().await;
    Ok(Report::Checkout(Checkout { page_stays, ..answer? }))
}

/// Pays a session's page, and tells what became of it.
async fn settle(
    context: &Context,
    provider: &Provider,
    session: &Value,
    (means, email): (&Means, &str),
) -> Result<Checkout, Fault> {
    let place = context.place(Some(provider.base()));
    let typed = Typed::with_email(email);
    let landing = payment::pay(session, means, &typed, context.config.locale).await?;
    let session = provider.stripe.session(id(session)).await?;
    let left = match &landing {
        Landing::Refused(_) => Ending::Declined,
        Landing::Shop(_) | Landing::Stayed => Ending::Canceled,
    };
    let ending = payment::ending(&session).unwrap_or(left);
    let message = match landing {
        Landing::Refused(text) => Some(text),
        Landing::Shop(_) | Landing::Stayed => None,
    };
    Ok(Checkout { message, ..payment::report(&session, place, ending)? })
}

async fn work(
    context: &Context,
    provider: &Provider,
    order: &Order,
    then: &Then,
) -> Result<Checkout, Fault> {
    let session = payment::create(&provider.stripe, order).await?;
    let place = context.place(Some(provider.base()));
    match then {
        Then::End => payment::report(&session, place, Ending::Created),
        Then::Wait { open } => {
            announce(context, &session, *open)?;
            let (session, ending) = wait(context, provider, &session).await?;
            payment::report(&session, place, ending)
        }
        Then::Pay(means) => {
            let email = order.email.as_deref().unwrap_or(EMAIL);
            settle(context, provider, &session, (means, email)).await
        }
    }
}

fn id(session: &Value) -> &str {
    session.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn announce(context: &Context, session: &Value, open: bool) -> Result<(), Fault> {
    let url = session.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let total = payment::total(session)?;
    context.notices.say(Notice::Open { session: id(session).to_owned(), url: url.clone(), total });
    if open && let Err(error) = open::that_detached(&url) {
        context.notices.say(Notice::NoBrowser { cause: error.to_string() });
    }
    Ok(())
}

async fn wait(
    context: &Context,
    provider: &Provider,
    session: &Value,
) -> Result<(Value, Ending), Fault> {
    let began = Instant::now();
    let mut stop = context.stop.clone();
    loop {
        let now = provider.stripe.session(id(session)).await?;
        if let Some(ending) = payment::ending(&now) {
            return Ok((now, ending));
        }
        context.notices.say(Notice::Waiting { seconds: began.elapsed().as_secs() });
        tokio::select! {
            () = tokio::time::sleep(ASK_EVERY) => {}
            () = stop.wait() => return Err(FaultKind::Interrupted.into()),
        }
    }
}
